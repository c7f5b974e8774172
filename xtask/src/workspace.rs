//! What the checks look at: the crates, their dependencies, and the files that travel with the project.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// The workspace as `cargo metadata` and git describe it.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Folder of the root manifest.
    pub(crate) root: PathBuf,
    /// Every package of the lock file, the workspace's own included, sorted by name and version.
    pub(crate) packages: Vec<Package>,
    /// The workspace's own packages, sorted by name.
    pub(crate) members: Vec<Package>,
    /// Files under version control and new files that are not ignored, relative to the root, sorted.
    pub(crate) files: Vec<PathBuf>,
}

/// One package, with only the fields that a check needs.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One entry under a manifest's dependencies.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for what is shipped, `dev` for tests, `build` for build scripts.
    pub(crate) kind: Option<String>,
    /// Set where the dependency is a folder, which for us means a crate of the workspace.
    pub(crate) path: Option<PathBuf>,
}

/// Why the workspace could not be described.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DescribeError {
    #[error("could not start `{program}`")]
    Start { program: String, source: io::Error },
    #[error("`{command}` failed: {said}")]
    Failed { command: String, said: String },
    #[error("could not read the output of `cargo metadata`")]
    Metadata { source: serde_json::Error },
}

impl Workspace {
    /// Describes the workspace that the task was started in.
    pub(crate) fn describe() -> Result<Self, DescribeError> {
        let metadata = Metadata::read(&[])?;
        // The folder may belong to another user, as in a container; git is only asked for names here.
        let mut git = Command::new("git");
        git.args(["-c", "safe.directory=*", "-C"]).arg(&metadata.workspace_root);
        let names = output(git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
        Ok(Self::new(metadata, &names))
    }

    /// The workspace's own manifests alone, which takes no network.
    #[cfg(test)]
    pub(crate) fn of_manifests() -> Result<Self, DescribeError> {
        Ok(Self::new(Metadata::read(&["--no-deps", "--offline"])?, b""))
    }

    fn new(metadata: Metadata, file_names: &[u8]) -> Self {
        let Metadata { mut packages, workspace_members, workspace_root: root } = metadata;
        packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        let members = packages.iter().filter(|p| workspace_members.contains(&p.id)).cloned().collect();
        let mut files: Vec<PathBuf> = file_names
            .split(|&byte| byte == 0)
            .filter(|name| !name.is_empty())
            .map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()))
            .collect();
        files.sort_unstable();
        files.dedup();
        Self { root, packages, members, files }
    }

    /// The bytes of a file of the project; `None` where it is listed but not there, or is no file.
    pub(crate) fn read(&self, file: &Path) -> Option<Vec<u8>> {
        std::fs::read(self.root.join(file)).ok()
    }

    /// The lines of a text file; `None` where it is missing or binary, which a zero byte shows.
    pub(crate) fn read_text(&self, file: &Path) -> Option<String> {
        let bytes = self.read(file)?;
        (!bytes.contains(&0)).then(|| String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The cargo that started this task, so that both use one toolchain.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    workspace_root: PathBuf,
}

impl Metadata {
    fn read(more: &[&str]) -> Result<Self, DescribeError> {
        let mut metadata = Command::new(cargo());
        Self::parse(&output(metadata.args(["metadata", "--format-version", "1"]).args(more))?)
    }

    fn parse(json: &[u8]) -> Result<Self, DescribeError> {
        serde_json::from_slice(json).map_err(|source| DescribeError::Metadata { source })
    }
}

fn output(command: &mut Command) -> Result<Vec<u8>, DescribeError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| DescribeError::Start { program, source })?;
    if !output.status.success() {
        return Err(DescribeError::Failed {
            command: format!("{command:?}"),
            said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_gives_members_and_packages_and_git_gives_files() {
        let json = br#"{
            "packages": [
                {"id": "2", "name": "traffic", "version": "0.1.0", "license": "EUPL-1.2", "description": "t",
                 "dependencies": [{"name": "domain", "kind": null, "path": "crates/domain"}]},
                {"id": "1", "name": "ahash", "version": "0.8.12", "license": "MIT", "description": null,
                 "dependencies": []}],
            "workspace_members": ["2"], "workspace_root": "there"}"#;
        let workspace = Workspace::new(Metadata::parse(json).expect("valid metadata"), b"b.rs\0a.rs\0b.rs\0");
        let names: Vec<&str> = workspace.packages.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["ahash", "traffic"]);
        assert_eq!(workspace.members.len(), 1);
        assert_eq!(workspace.members[0].dependencies[0].name, "domain");
        assert_eq!(workspace.files, [PathBuf::from("a.rs"), PathBuf::from("b.rs")]);
    }

    #[test]
    fn metadata_of_another_shape_is_an_error() {
        assert!(matches!(Metadata::parse(b"{}"), Err(DescribeError::Metadata { .. })));
    }
}
