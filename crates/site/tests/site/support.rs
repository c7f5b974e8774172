//! Trees in memory.

use std::collections::BTreeMap;

use results::bundle::Published;
use results::definition::Definition;
use results::verify::{self, Trust};
use site::{Cache, Options, Publication, Site};
use tlog::{Checkpoint, Hash, Note};

use crate::common::{Keys, Night, definition_text};

/// All files of a tree by path.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// Calls with the site of what a night has published.
pub(crate) fn with_site<T>(night: &mut Night, options: &Options, call: impl FnOnce(&Site<'_>) -> T) -> T {
    let published: Published = night.published();
    let report = verify::verify(&published, &Trust::default());
    let note = Note::parse(&published.checkpoint).expect("a note");
    let checkpoint = Checkpoint::parse(note.unverified_text()).expect("a checkpoint");
    let leaves: Vec<Hash> = published.entries.iter().map(|entry| Hash::leaf(entry)).collect();
    let publication = Publication {
        election: report.election().expect("adopted"),
        note: &note,
        checkpoint: &checkpoint,
        cosigned: &report.cosigned,
        entries: &published.entries,
        leaves: &leaves,
    };
    call(&Site::of(publication, options))
}

pub(crate) fn tree_with(night: &mut Night, options: &Options) -> Tree {
    with_site(night, options, |site| {
        let files = site.files();
        let n_files = files.len();
        let tree: Tree = files.into_iter().map(|file| (file.path.clone(), file.bytes())).collect();
        assert_eq!(tree.len(), n_files, "no path stands twice");
        tree
    })
}

pub(crate) fn tree(night: &mut Night) -> Tree {
    tree_with(night, &Options::default())
}

pub(crate) fn soon(night: &mut Night, cache: Cache) -> Vec<String> {
    with_site(night, &Options::default(), |site| {
        site.files().into_iter().filter(|file| file.cache == cache).map(|file| file.path).collect()
    })
}

/// A night with a correction, a retraction and units that are missing.
pub(crate) fn night() -> Night {
    let mut night = Night::new();
    night.report("council", "d1/1", &[100, 50, 20]);
    night.report("council", "d1/early", &[200, 120, 99]);
    night.report("council", "d1/1", &[100, 70, 20]);
    night.report("council", "d2/1", &[30, 60, 90]);
    let retraction = night.retraction("council", "d2/1");
    let bytes = night.signed(&retraction, &["c2"]);
    night.admit(&bytes);
    night.report("mayor", "d1/1", &[80, 80]);
    night
}

/// A night of another definition: what the usual one says, changed.
pub(crate) fn changed(has_embargo: bool, change: impl FnOnce(String) -> String) -> Night {
    let keys = Keys::of(0);
    let text = change(definition_text(&keys, has_embargo));
    let mut night = Night::before(keys, has_embargo);
    night.definition = Definition::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    night.log_parts(&night.definition.to_string());
    let adoption = night.adoption();
    let bytes = night.signed(&adoption, &["a1", "a3"]);
    night.admit(&bytes);
    night
}

pub(crate) fn text(tree: &Tree, path: &str) -> String {
    String::from_utf8(tree.get(path).unwrap_or_else(|| panic!("no {path}")).clone()).expect("UTF-8")
}

pub(crate) fn pages(tree: &Tree) -> impl Iterator<Item = (&str, String)> {
    let pages = tree.iter().filter(|(path, _)| path.ends_with(".html"));
    pages.map(|(path, bytes)| (path.as_str(), String::from_utf8(bytes.clone()).expect("UTF-8")))
}

/// What somebody reads who sees no markup: one line for each row, heading and paragraph.
pub(crate) fn read_aloud(page: &str) -> String {
    let body = page.split_once("<main").expect("a main part").1;
    let body = body.split_once("<footer").map_or(body, |(main, _)| main);
    let mut text = String::new();
    for piece in body.split('<').skip(1) {
        let (tag, words) = piece.split_once('>').unwrap_or((piece, ""));
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
        match name {
            "h1" | "h2" | "p" | "tr" | "li" | "pre" | "dt" | "div" => text.push('\n'),
            "td" | "th" | "dd" => text.push(' '),
            _ => {}
        }
        if tag == "mark" {
            text.push('*');
        }
        text.push_str(words);
    }
    let text = text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace('\u{a0}', " ");
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
