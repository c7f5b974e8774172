//! Words that must not travel with the project: paths of one machine and hosts of one registry.
//!
//! Either would make the project work in one place alone, and tell outsiders about that place.

use std::path::Path;

/// The words are joined here, so that this file does not carry what it forbids.
const MACHINE_PATHS: [&str; 2] = [concat!("/", "work/"), concat!("/", "root/")];

const REGISTRIES: [&str; 11] = [
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("pypi.org", "/simple"),
    concat!("files.", "pythonhosted.org"),
    concat!("proxy.", "golang.org"),
    concat!("registry", "+http"),
    concat!("sparse", "+http"),
    concat!("index", "-url"),
    concat!("\"resolved\": \"", "http"),
];

/// The public index under the one name that cargo gives it in every lock file, wherever the crates
/// were fetched from.
const PUBLIC_INDEX: &str = concat!("registry", "+https://github.com/rust-lang/crates.io-index");

/// One line for each forbidden word in a file, with its place.
pub(crate) fn problems(file: &Path, text: &str) -> Vec<String> {
    let is_lock = file.file_name().is_some_and(|name| name == "Cargo.lock");
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut found = |what: &str, word: &str| {
            problems.push(format!("`{}:{number}` carries {what}: `{word}`", file.display()));
        };
        if let Some(word) = MACHINE_PATHS.iter().find(|path| has_absolute_path(line, path)) {
            found("a path of one machine", word);
        }
        if is_lock && line.contains(&format!("\"{PUBLIC_INDEX}\"")) {
            continue;
        }
        if let Some(word) = REGISTRIES.iter().find(|host| line.contains(**host)) {
            found("the address of a registry", word);
        }
    }
    problems
}

/// Whether the path begins a path in the line. In the middle of a relative path it does not, for a name stands before
/// the slash; in `file:///…` and in `"/…` it does.
fn has_absolute_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | ')' | '*' | '~')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, text: &str) -> Vec<String> {
        problems(Path::new(file), text)
    }

    #[test]
    fn a_machine_path_is_found_with_its_line() {
        let [work, root] = MACHINE_PATHS;
        assert_eq!(
            check("docs/a.md", &format!("fine\nsee {work}main\nkey = \"{root}.cargo\"\nfile://{work}x\n")),
            [
                format!("`docs/a.md:2` carries a path of one machine: `{work}`"),
                format!("`docs/a.md:3` carries a path of one machine: `{root}`"),
                format!("`docs/a.md:4` carries a path of one machine: `{work}`"),
            ]
        );
    }

    #[test]
    fn the_same_letters_inside_a_relative_path_are_fine() {
        for path in MACHINE_PATHS {
            assert_eq!(check("a", &format!("src{path}x ..{path}y $HOME{path}")), [""; 0]);
        }
    }

    #[test]
    fn a_registry_is_found() {
        for host in REGISTRIES {
            assert_eq!(check("a.toml", &format!("url = '{host}'")).len(), 1, "{host}");
        }
        assert_eq!(check("a.md", "see crates.io for the versions"), [""; 0]);
    }

    #[test]
    fn a_lock_file_may_name_the_public_index_and_no_other() {
        let public = format!("source = \"{PUBLIC_INDEX}\"");
        assert_eq!(check("Cargo.lock", &public), [""; 0]);
        assert_eq!(check("a.md", &public).len(), 1);
        let other = public.replace("github.com", "mirror.example");
        assert_eq!(check("Cargo.lock", &other).len(), 1);
    }
}
