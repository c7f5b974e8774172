//! Advice on long files: past a certain length a reader can no longer hold one in mind.

use std::path::Path;

/// Lines of Rust that one person reads in one sitting. A sign, not a rule.
const COMFORTABLE: usize = 600;

/// One line of advice where a Rust file is longer than is comfortable.
pub(crate) fn advice(file: &Path, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let long = file.extension().is_some_and(|end| end == "rs") && lines > COMFORTABLE;
    long.then(|| format!("`{}` has {lines} lines; would two files read better?", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_rust_files_are_named() {
        let long = "x\n".repeat(COMFORTABLE + 1);
        assert!(advice(Path::new("a.rs"), &long).is_some_and(|text| text.contains("601 lines")));
        assert_eq!(advice(Path::new("a.rs"), &"x\n".repeat(COMFORTABLE)), None);
        assert_eq!(advice(Path::new("a.csv"), &long), None);
    }
}
