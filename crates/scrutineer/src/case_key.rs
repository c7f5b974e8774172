//! The home of a case's key, which turns account ids into pseudonyms.
//!
//! The key is a file `account-key` of 64 hexadecimal digits in the case folder. It is made from the
//! system's random source when a case is first used, and is refused where others can read it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use domain::CaseKey;

/// Name of the key's file in a case folder.
pub(crate) const KEY_FILE: &str = "account-key";

/// Name of a public key that an example folder may carry.
pub(crate) const EXAMPLE_FILE: &str = "case.example.key";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaseError {
    /// Neither `--case` nor a home folder says where the case is.
    #[error("could not tell where the case folder is")]
    NoHome,
    /// The case folder could not be made.
    #[error("could not make case folder `{folder}`")]
    MakeFolder { folder: PathBuf, source: io::Error },
    /// The key file could not be read or looked at.
    #[error("could not read case key `{file}`")]
    Read { file: PathBuf, source: io::Error },
    /// A new key could not be written.
    #[error("could not write case key `{file}`")]
    Write { file: PathBuf, source: io::Error },
    /// The system gave no random bytes.
    #[error("could not get random bytes for a new case key")]
    Random { source: getrandom::Error },
    /// Refused: somebody else could have read it.
    #[error("case key `{file}` can be read by others (mode {mode:03o})")]
    Exposed { file: PathBuf, mode: u32 },
    /// The file holds something else.
    #[error("case key `{file}` is not 64 hexadecimal digits")]
    NotAKey { file: PathBuf },
    /// Refused: real accounts would be named with a public key.
    #[error("`{example}` brings a public example key, but `{other}` does not")]
    MixedInputs { example: PathBuf, other: PathBuf },
}

impl CaseError {
    /// What the user can do.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NoHome => Some("give a folder with --case DIR, or set HOME".to_owned()),
            Self::Exposed { file, .. } => Some(format!(
                "run `chmod 600 {}` if nobody else has read it; otherwise begin a new case",
                file.display()
            )),
            Self::NotAKey { .. } => {
                Some("restore the file from a backup, or begin a new case with --case DIR".to_owned())
            }
            Self::MixedInputs { .. } => {
                Some("run them apart, or give --case DIR to use a key of your own for both".to_owned())
            }
            Self::MakeFolder { .. } | Self::Write { .. } => {
                Some("give a folder that you can write with --case DIR".to_owned())
            }
            Self::Read { .. } | Self::Random { .. } => None,
        }
    }
}

/// The key of a case folder; made on first use, with the folder, for the owner's eyes alone.
pub(crate) fn load_or_create(folder: &Path) -> Result<CaseKey, CaseError> {
    let file = folder.join(KEY_FILE);
    if !file.try_exists().map_err(|source| CaseError::Read { file: file.clone(), source })? {
        create(folder, &file)?;
    }
    let metadata = fs::metadata(&file).map_err(|source| CaseError::Read { file: file.clone(), source })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(CaseError::Exposed { file, mode });
    }
    read(&file)
}

/// The public key of an example, where every input is a folder that carries the same one; with the
/// file that it was read from.
///
/// # Errors
/// Some inputs carry one and others do not, or carry another.
pub(crate) fn example(inputs: &[PathBuf]) -> Result<Option<(CaseKey, PathBuf)>, CaseError> {
    let mut found: Option<(String, PathBuf)> = None;
    let mut plain: Option<PathBuf> = None;
    for input in inputs {
        let file = input.join(EXAMPLE_FILE);
        if !file.is_file() {
            plain.get_or_insert_with(|| input.clone());
            continue;
        }
        let text =
            fs::read_to_string(&file).map_err(|source| CaseError::Read { file: file.clone(), source })?;
        match &found {
            Some((first, _)) if *first != text => {
                plain.get_or_insert_with(|| input.clone());
            }
            Some(_) => {}
            None => found = Some((text, file)),
        }
    }
    match (found, plain) {
        (Some((text, file)), None) => {
            let bytes = parse(&text).ok_or_else(|| CaseError::NotAKey { file: file.clone() })?;
            Ok(Some((CaseKey::new(bytes), file)))
        }
        (Some((_, example)), Some(other)) => Err(CaseError::MixedInputs { example, other }),
        (None, _) => Ok(None),
    }
}

/// Where the key lives when no `--case` is given: below `$XDG_STATE_HOME`, else `~/.local/state`.
pub(crate) fn default_folder(
    state_home: Option<PathBuf>,
    home: Option<PathBuf>,
) -> Result<PathBuf, CaseError> {
    // The XDG base directory specification, version 0.8: a relative path is to be ignored.
    let state = state_home.filter(|path| path.is_absolute());
    let base = state
        .or_else(|| home.filter(|path| path.is_absolute()).map(|home| home.join(".local/state")))
        .ok_or(CaseError::NoHome)?;
    Ok(base.join("scrutineer").join("default-case"))
}

fn create(folder: &Path, file: &Path) -> Result<(), CaseError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| CaseError::MakeFolder { folder: folder.to_owned(), source })?;
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|source| CaseError::Random { source })?;
    let mut text = hex(&bytes);
    text.push('\n');
    let failed = |source| CaseError::Write { file: file.to_owned(), source };
    // The key is written whole under another name and then linked. A crash leaves no half key, and
    // of two runs that begin a case at once one wins and the other reads the winner's key.
    let draft = folder.join(format!("{KEY_FILE}.{}.new", std::process::id()));
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
    let linked = out
        .write_all(text.as_bytes())
        .and_then(|()| out.sync_all())
        .and_then(|()| fs::hard_link(&draft, file));
    fs::remove_file(&draft).map_err(failed)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
        _ => Ok(()),
    }
}

fn read(file: &Path) -> Result<CaseKey, CaseError> {
    let text =
        fs::read_to_string(file).map_err(|source| CaseError::Read { file: file.to_owned(), source })?;
    parse(&text).map(CaseKey::new).ok_or_else(|| CaseError::NotAKey { file: file.to_owned() })
}

/// The one line that is neither empty nor a `#` comment, as 64 hexadecimal digits.
fn parse(text: &str) -> Option<[u8; 32]> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (digits, None) = (lines.next()?, lines.next()) else { return None };
    if digits.len() != 64 {
        return None;
    }
    let nibbles: Vec<u8> = digits.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(nibbles.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|n| char::from_digit(n.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("the path is there").permissions().mode() & 0o777
    }

    #[test]
    fn a_new_case_gets_a_private_key_and_keeps_it() -> Result<(), Box<dyn std::error::Error>> {
        let home = tempfile::tempdir()?;
        let folder = home.path().join("state/case");
        let first = load_or_create(&folder)?.pseudonym(b"ana");
        assert_eq!((mode(&folder), mode(&folder.join(KEY_FILE))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&folder)?.count(), 1, "no draft is left behind");
        assert_eq!(first, load_or_create(&folder)?.pseudonym(b"ana"));
        assert_ne!(first, load_or_create(&home.path().join("other"))?.pseudonym(b"ana"));
        Ok(())
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_remedy() -> Result<(), Box<dyn std::error::Error>> {
        let home = tempfile::tempdir()?;
        load_or_create(home.path())?;
        fs::set_permissions(home.path().join(KEY_FILE), fs::Permissions::from_mode(0o640))?;
        let refused = load_or_create(home.path()).expect_err("it is exposed");
        assert!(matches!(refused, CaseError::Exposed { mode: 0o640, .. }));
        assert!(refused.hint().is_some_and(|hint| hint.contains("chmod 600")));
        Ok(())
    }

    #[test]
    fn a_broken_key_is_not_replaced() -> Result<(), Box<dyn std::error::Error>> {
        let home = tempfile::tempdir()?;
        let file = home.path().join(KEY_FILE);
        fs::write(&file, "abc\n")?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        assert!(matches!(load_or_create(home.path()), Err(CaseError::NotAKey { .. })));
        assert_eq!(fs::read_to_string(&file)?, "abc\n");
        Ok(())
    }

    #[test]
    fn an_example_key_serves_only_when_every_input_carries_it() -> Result<(), Box<dyn std::error::Error>> {
        let home = tempfile::tempdir()?;
        let [one, two] = ["one", "two"].map(|name| home.path().join(name));
        fs::create_dir(&one)?;
        fs::create_dir(&two)?;
        fs::write(one.join(EXAMPLE_FILE), format!("# public, for examples only\n{}\n", "07".repeat(32)))?;
        let (key, _) = example(std::slice::from_ref(&one))?.ok_or("there is a key")?;
        assert_eq!(key.pseudonym(b"ana"), CaseKey::new([7; 32]).pseudonym(b"ana"));
        assert!(example(std::slice::from_ref(&two))?.is_none());
        assert!(matches!(example(&[one, two]), Err(CaseError::MixedInputs { .. })));
        Ok(())
    }

    #[test]
    fn the_default_folder_follows_xdg() -> Result<(), CaseError> {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(default_folder(path("/s"), path("/h"))?, Path::new("/s/scrutineer/default-case"));
        assert_eq!(
            default_folder(path("relative"), path("/h"))?,
            Path::new("/h/.local/state/scrutineer/default-case")
        );
        assert!(default_folder(None, None).is_err());
        Ok(())
    }
}
