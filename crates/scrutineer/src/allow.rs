//! The list of networks that may act in step: one a line, `name: account, account, ...`.
//!
//! Accounts are written by their original id or by their pseudonym. Empty lines and lines that begin
//! with `#` are passed over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use detect::AllowedNetwork;
use domain::CaseKey;

/// Why the list cannot be used. A list with one bad line is not used in part: a network left out
/// would turn up as a finding.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AllowError {
    /// The file could not be read.
    #[error("could not read allowed networks from `{file}`")]
    Read { file: PathBuf, source: io::Error },
    /// A line that is not of the form.
    #[error("line {line} of `{file}` {fault}")]
    BadLine { file: PathBuf, line: usize, fault: &'static str },
}

impl AllowError {
    /// What the user can do.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } => None,
            Self::BadLine { .. } => {
                Some("write one network a line, such as `our newsroom: @desk, @sport`".to_owned())
            }
        }
    }
}

/// Reads a list. With a key, ids become pseudonyms as they do at the border; an entry that is a
/// pseudonym already stays as it is.
pub(crate) fn read(file: &Path, key: Option<&CaseKey>) -> Result<Vec<AllowedNetwork>, AllowError> {
    let text =
        fs::read_to_string(file).map_err(|source| AllowError::Read { file: file.to_owned(), source })?;
    parse(&text, key).map_err(|(line, fault)| AllowError::BadLine { file: file.to_owned(), line, fault })
}

fn parse(text: &str, key: Option<&CaseKey>) -> Result<Vec<AllowedNetwork>, (usize, &'static str)> {
    let mut networks: Vec<AllowedNetwork> = Vec::new();
    let mut lines_of: BTreeMap<String, usize> = BTreeMap::new();
    for (place, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fail = |fault| (place + 1, fault);
        let (name, accounts) = line.split_once(':').ok_or(fail("has no `:` after the network's name"))?;
        let name = name.trim();
        if name.is_empty() {
            return Err(fail("has no name before the `:`"));
        }
        if lines_of.insert(name.to_owned(), place + 1).is_some() {
            return Err(fail("names a network that an earlier line names too"));
        }
        let mut ids: Vec<&str> = accounts.split(',').map(str::trim).collect();
        if ids.last() == Some(&"") {
            // A comma at the end of the line is no account.
            ids.pop();
        }
        if ids.is_empty() {
            return Err(fail("names no account after the `:`"));
        }
        if ids.contains(&"") {
            return Err(fail("has an empty account between two commas"));
        }
        let mut accounts: Vec<String> = ids.into_iter().map(|id| output_name(id, key)).collect();
        accounts.sort_unstable();
        accounts.dedup();
        networks.push(AllowedNetwork { name: name.to_owned(), accounts });
    }
    Ok(networks)
}

fn output_name(id: &str, key: Option<&CaseKey>) -> String {
    match key {
        Some(key) if !is_pseudonym(id) => key.pseudonym(id.as_bytes()).to_string(),
        _ => id.to_owned(),
    }
}

/// True for `p_` and 26 letters of the alphabet of pseudonyms.
fn is_pseudonym(id: &str) -> bool {
    id.strip_prefix("p_")
        .is_some_and(|rest| rest.len() == 26 && rest.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_pseudonyms_and_pseudonyms_stay() {
        let key = CaseKey::new([3; 32]);
        let [ana, eva] = ["ana", "eva"].map(|id| key.pseudonym(id.as_bytes()).to_string());
        let read =
            parse(&format!("# ours\n\nnewsroom: ana, {eva}, ana,\n"), Some(&key)).expect("a good list");
        let mut accounts = vec![ana, eva];
        accounts.sort();
        assert_eq!(read, [AllowedNetwork { name: "newsroom".to_owned(), accounts }]);
        assert_eq!(parse("x: b, a", None).expect("a good list")[0].accounts, ["a", "b"]);
    }

    #[test]
    fn a_bad_line_is_named() {
        let fault = |text| parse(text, None).expect_err("a bad list");
        assert_eq!(fault("\nnewsroom ana"), (2, "has no `:` after the network's name"));
        assert_eq!(fault(": ana"), (1, "has no name before the `:`"));
        assert_eq!(fault("a:"), (1, "names no account after the `:`"));
        assert_eq!(fault("a: x,,y"), (1, "has an empty account between two commas"));
        assert_eq!(fault("a: x\na: y"), (2, "names a network that an earlier line names too"));
    }
}
