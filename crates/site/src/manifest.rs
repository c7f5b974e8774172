//! The list of all files of the tree with their hashes: `docs/specs/site.md`. Logged, it lets anyone check every byte of a copy.

use std::fmt::Write as _;

use results::lines::{hex, parse_hex};
use tlog::{Checkpoint, Hash};

/// First line of a manifest.
pub const MANIFEST: &str = "scrutineer-manifest v1";

/// Its place in the tree.
pub const PATH: &str = "manifest.txt";

/// Files that the manifest does not list: itself, and those that change with every checkpoint.
pub const UNLISTED: [&str; 3] = [PATH, "checkpoint", "latest.json"];

/// Writes the manifest of a tree, of files in the order of their paths.
pub fn write<'f>(
    election: &str,
    checkpoint: &Checkpoint,
    files: impl Iterator<Item = (&'f str, &'f Hash)>,
) -> String {
    let mut text =
        format!("{MANIFEST}\nelection {election}\nsize {}\nroot {}\n", checkpoint.size, checkpoint.root);
    for (path, hash) in files.filter(|(path, _)| !UNLISTED.contains(path)) {
        writeln!(text, "file {} {path}", hex(hash)).expect("internal error: writing to a string");
    }
    text
}

/// Reads the files of a manifest. Nothing where a line is wrong, or paths are not in ascending order.
pub fn parse(text: &str) -> Option<Vec<(&str, Hash)>> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let heads = [MANIFEST, "election ", "size ", "root "];
    if !heads.iter().all(|head| lines.next().is_some_and(|line| line.starts_with(head))) {
        return None;
    }
    let mut files: Vec<(&str, Hash)> = Vec::new();
    for line in lines {
        let (hash, path) = line.strip_prefix("file ")?.split_once(' ')?;
        if files.last().is_some_and(|(last, _)| *last >= path) {
            return None;
        }
        files.push((path, parse_hex(hash)?));
    }
    Some(files)
}
