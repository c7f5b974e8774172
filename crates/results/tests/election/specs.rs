//! The documents about the formats: their samples are those of the made-up night, and no code is missing.

use std::collections::BTreeSet;

use results::CentreId;
use results::definition::Definition;
use results::entry::{Document, Entry};
use results::replay::admit;
use results::returns::{Reason, Return};
use results::statement::Revocation;
use results::verify::Verdict;
use tlog::{Hash, Note};

use crate::board::codes;
use crate::common::Night;

const RETURN: &str = include_str!("../../../../docs/specs/return.md");
const DEFINITION: &str = include_str!("../../../../docs/specs/definition.md");
const STATEMENTS: &str = include_str!("../../../../docs/specs/statements.md");
const VERDICTS: &str = include_str!("../../../../docs/specs/verdicts.md");

/// The fenced blocks of a document, in order.
fn blocks(document: &str) -> Vec<String> {
    let fenced = document.split("\n```").skip(1).step_by(2);
    fenced.map(|block| format!("{}\n", block.split_once('\n').expect("a line").1)).collect()
}

#[test]
fn the_sample_of_a_definition_is_the_definition_of_the_night() {
    let night = Night::under_embargo();
    let sample = &blocks(DEFINITION)[0];
    assert_eq!(*sample, night.definition.to_string());
    let read = Definition::parse(sample.as_bytes()).expect("a definition");
    assert_eq!(read.to_string(), *sample);
    let fingerprint = results::lines::hex(&read.fingerprint());
    assert!(DEFINITION.contains(&fingerprint), "the fingerprint is {fingerprint}");
}

#[test]
fn the_samples_of_a_return_and_a_retraction_may_stand_in_the_log_of_the_night() {
    let mut night = Night::new();
    let blocks = blocks(RETURN);
    let first = night.next("council", "d1/1", &[219, 180, 30]);
    assert_eq!(blocks[0], text(night.signed(&first, &["c1"])));
    let Ok(Entry::Signed(note, Document::Return(it))) = Entry::parse(blocks[0].as_bytes()) else {
        panic!("the sample is no return")
    };
    assert_eq!(it.to_string(), note.unverified_text());
    night.admit(blocks[0].as_bytes());
    let second = Return { reason: Reason::TypingError, ..night.next("council", "d1/1", &[291, 180, 30]) };
    let bytes = night.signed(&second, &["c1"]);
    night.admit(&bytes);
    let retraction = night.retraction("council", "d1/1");
    assert_eq!(blocks[1], text(night.signed(&retraction, &["c1"])));
    admit(&night.board, blocks[1].as_bytes()).expect("it may stand there");
}

#[test]
fn the_samples_of_statements_may_stand_in_the_log_of_the_night() {
    let blocks = blocks(STATEMENTS);
    let mut night = Night::under_embargo();
    assert_eq!(blocks[0], text(night.signed(&night.adoption(), &["a1", "a3"])));
    let mut change = night.change();
    change.reason = "laptop stolen at centre 1".to_owned();
    let key = night.keys.signer("c1b").verifier().clone();
    change.centre_keys.insert("c1b.example".into(), (CentreId::new("c1").expect("an id"), key));
    change.revoked.insert("c1.example".into(), Revocation { distrust_from: 2 });
    let change = night.signed(&change, &["a1", "a2"]);
    assert_eq!(blocks[1], text(change.clone()));
    night.admit(&change);
    let salt = tlog::hash::sha256(b"only a sample: a salt is random").0;
    let it = night.next("council", "d1/1", &[219, 180, 30]);
    let leaf = Hash::leaf(&night.signed(&it, &["c1b"]));
    let commitment = night.signed(&night.commitment(0, &salt, &[leaf]), &["c1b"]);
    assert_eq!(blocks[2], text(commitment.clone()));
    let commitment = night.admit(&commitment);
    let release = night.signed(&night.release(), &["r1", "r2"]);
    assert_eq!(blocks[3], text(release.clone()));
    night.admit(&release);
    let opening = night.signed(&night.opening(commitment, salt, vec![leaf]), &["c1b"]);
    assert_eq!(blocks[4], text(opening.clone()));
    night.admit(&opening);
    for block in blocks {
        let note = Note::parse(block.as_bytes()).expect("a note");
        assert_eq!(note.to_string(), block);
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("text")
}

/// The words in the source of the verdict that stand for machines: verdicts and reasons.
fn words_of_verify() -> BTreeSet<&'static str> {
    let source = concat!(include_str!("../../src/verify.rs"), include_str!("../../src/verify/coverage.rs"));
    let is_word = |word: &&str| {
        word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            && word.len() > 1
            && !word.contains("--")
    };
    source.split('"').skip(1).step_by(2).filter(is_word).collect()
}

#[test]
fn every_verdict_and_every_code_is_in_the_list() {
    let words = words_of_verify();
    assert!(
        words.contains("split-view") && words.contains("no-fingerprint") && words.len() >= 22,
        "{words:?}"
    );
    let all = words.into_iter().chain(codes()).chain(["no-entry"]);
    let unlisted: Vec<&str> = all.filter(|word| !VERDICTS.contains(&format!("| `{word}` |"))).collect();
    assert!(unlisted.is_empty(), "{unlisted:?}");
    for verdict in Verdict::ALL {
        let row = format!("| `{}` | {} |", verdict.name(), verdict.exit_code());
        assert!(VERDICTS.contains(&row), "{row}");
    }
    // Nothing is listed that is not there.
    let rows = VERDICTS.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let known: BTreeSet<&str> = words_of_verify().into_iter().chain(codes()).chain(["no-entry"]).collect();
    let gone: Vec<&str> = rows.map(|(word, _)| word).filter(|word| !known.contains(word)).collect();
    assert!(gone.is_empty(), "{gone:?}");
}
