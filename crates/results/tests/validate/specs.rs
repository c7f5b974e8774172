//! The samples in the documents are those of the made-up night.

use results::validate::spoken::{self, Language};
use results::validate::{Coverage, Heard, Ledger, Road};

use crate::support::{Paper, election, lists, night};

const SPEC: &str = include_str!("../../../../docs/specs/validation.md");

fn blocks(document: &str) -> Vec<String> {
    let fenced = document.split("\n```").skip(1).step_by(2);
    fenced.map(|block| format!("{}\n", block.split_once('\n').expect("a line").1)).collect()
}

#[test]
fn the_samples_are_those_of_the_night() {
    let mut night = night(0, false);
    let mut ledger = Ledger::default();
    let it = night.next("council", "d1/1", &[219, 180, 30]);
    let bytes = night.signed(&it, &["c1"]);
    let leaf = night.admit(&bytes);
    let heard = Paper::of(&it, &bytes).heard(&night, Road::Phone, 90);
    let blocks = blocks(SPEC);
    assert_eq!(blocks[0], heard.to_string());
    assert_eq!(Heard::parse(&blocks[0]), Ok(heard.clone()));
    ledger.hear(election(&night), heard).expect("this election");
    let list = String::from_utf8(lists(&night, &ledger, "v1").remove(0)).expect("text");
    assert_eq!(blocks[2], list);
    let read = Coverage::open(list.as_bytes(), &night.definition, &night.definition.fingerprint());
    assert_eq!(read.expect("signed").validator, "v1");
    for code in [
        spoken::digits(&leaf),
        spoken::words(&leaf, Language::English),
        spoken::words(&leaf, Language::Slovenian),
    ] {
        assert!(SPEC.contains(&format!("`{code}`")), "{code}");
    }
}
