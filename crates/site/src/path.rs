//! Where files stand in the tree. Names come from definitions, which strangers may write: none leads out of the tree, and two
//! different units never share a file, not even where upper and lower case are the same.

use std::fmt::Write as _;

use results::id::{ContestId, UnitId};

use crate::words::Words;

/// An id as one part of a path: lower-case letters, digits and `-` as they are, a run of capitals in lower case between two
/// `_`, `/` between two plain ones as `.`, all else as `_` and two hex digits, the first of which is no letter.
pub fn slug(id: &str) -> String {
    let bytes = id.as_bytes();
    let at = |place: usize| bytes.get(place).copied().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let mut slug = String::with_capacity(id.len() + 4);
    for (place, byte) in bytes.iter().copied().enumerate() {
        let (before, after) = (at(place.wrapping_sub(1)), at(place + 1));
        if is_plain(byte) {
            slug.push(char::from(byte));
        } else if byte.is_ascii_uppercase() {
            slug.push_str(if before.is_ascii_uppercase() { "" } else { "_" });
            slug.push(char::from(byte.to_ascii_lowercase()));
            slug.push_str(if after.is_ascii_uppercase() { "" } else { "_" });
        } else if byte == b'/' && is_plain(before) && is_plain(after) {
            slug.push('.');
        } else {
            write!(slug, "_{byte:02x}").expect("internal error: writing to a string");
        }
    }
    slug
}

/// The first page of a language.
pub(crate) fn home(words: &Words) -> String {
    format!("{}index.html", words.folder)
}

/// The page of corrections of a language.
pub(crate) fn corrections(words: &Words) -> String {
    format!("{}corrections.html", words.folder)
}

/// A page of a unit in a contest; further pages of long ones count from 1.
pub(crate) fn unit(words: &Words, contest: &ContestId, unit: &UnitId, further: usize) -> String {
    let further = if further == 0 { String::new() } else { format!("_p{}", further + 1) };
    format!("{}c-{}/u-{}{further}.html", words.folder, slug(contest.as_str()), slug(unit.as_str()))
}

/// The document of an entry.
pub(crate) fn entry(index: u64) -> String {
    format!("entry/{index}.txt")
}

/// The proof that an entry is in the log.
pub(crate) fn proof(index: u64) -> String {
    format!("proof/{index}.tlog-proof")
}

/// The way from the folder of one file to another file.
pub(crate) fn relative(from: &str, to: &str) -> String {
    format!("{}{to}", "../".repeat(from.matches('/').count()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn hostile_ids_stay_in_their_folder_and_apart() {
        let ids = [
            "6001/002",
            "6001.002",
            "6001/",
            "/6001",
            "..",
            "../../etc/passwd",
            "//",
            ".",
            "A",
            "a",
            "a:b",
            "a+b",
            "_41",
            "a_",
            "a/.b",
            "a//b",
            "-",
            "6001-002",
            "VE-1000-KRANJ",
            "ve-1000-kranj",
            "Ve",
            "vE",
            "_ve_",
        ];
        let slugs: Vec<String> = ids.iter().map(|id| slug(id)).collect();
        assert_eq!(slugs.iter().collect::<BTreeSet<_>>().len(), ids.len());
        for slug in &slugs {
            assert!(!slug.contains('/') && !slug.starts_with('.') && !slug.contains(".."), "{slug}");
            assert_eq!(slug, &slug.to_lowercase());
        }
        assert_eq!(slug("VE-1000-KRANJ"), "_ve_-1000-_kranj_");
        insta::assert_snapshot!(slugs[..6].join(" "), @"6001.002 6001_2e002 6001_2f _2f6001 _2e_2e _2e_2e_2f_2e_2e_2fetc.passwd");
    }

    #[test]
    fn ways_lead_up_as_far_as_the_file_stands_deep() {
        assert_eq!(relative("index.html", "latest.json"), "latest.json");
        assert_eq!(relative("sl/c-ep/u-1.html", "entry/5.txt"), "../../entry/5.txt");
    }
}
