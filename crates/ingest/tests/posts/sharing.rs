//! What a reading promises besides rows: pseudonyms, parts that may be read at once, progress.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use domain::CaseKey;
use ingest::{Accounts, Options, open};

use crate::common::{dump, plain, read_with};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

#[test]
fn behind_the_border_no_account_id_is_left() {
    let options = || Options { accounts: Accounts::Keyed(CaseKey::new([7; 32])), ..plain() };
    for (name, ids) in [
        ("bluesky.jsonl", &["did:plc", "ana", "eva"][..]),
        ("mastodon.json", &["@ana", "users/", "@eva"]),
        ("x_page.json", &["share fast-repost 21", " 22 ", " 21"]),
        ("long.csv", &[" ana ", " eva ", "tw_7"]),
    ] {
        let mut reading = read_with(&[sample(name)], options()).expect("a sample");
        // Examples of bad rows are for the person at the terminal and show what stood in the file.
        reading.ledger.problems = ingest::Problems::default();
        let out = dump(&reading);
        assert!(out.contains(" p_") && !ids.iter().any(|id| out.contains(id)), "{out}");
    }
    let reading = read_with(&[sample("bluesky.jsonl")], options()).expect("a sample");
    let author = CaseKey::new([7; 32]).pseudonym(b"did:plc:ana");
    assert!(dump(&reading).contains(&format!("repost at://{author}/app.bsky.feed.post/k1")));
}

#[test]
fn parts_may_be_read_in_any_order_and_at_once() {
    let names = ["long.csv", "wide.csv", "own.jsonl", "x_page.json", "mastodon.json", "bluesky.jsonl"];
    let paths: Vec<PathBuf> = names.iter().map(|name| sample(name)).collect();
    let sorted = |text: String| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let one_by_one = read_with(&paths, plain()).expect("samples");
    let mut reading = open(&paths, plain()).expect("samples");
    let parts = reading.take_parts();
    assert_eq!((parts.len(), reading.take_parts().len()), (names.len(), 0));
    let batches = std::thread::scope(|scope| {
        let threads: Vec<_> = parts
            .into_iter()
            .rev()
            .map(|part| scope.spawn(|| part.collect::<Result<Vec<_>, _>>().expect("batches")))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a thread"))
            .map(|batch| batch.rows)
            .collect()
    });
    let progress = reading.progress();
    let at_once = crate::common::Read { batches, ledger: reading.finish(), failed: Vec::new() };
    assert_eq!(progress.bytes_read.load(Ordering::Relaxed), progress.bytes_total.load(Ordering::Relaxed));
    assert_eq!(progress.rows.load(Ordering::Relaxed), at_once.rows() as u64);
    assert_eq!(at_once.ledger.problems, one_by_one.ledger.problems);
    assert_eq!(at_once.ledger.rows_refused, one_by_one.ledger.rows_refused);
    assert_eq!(sorted(dump(&at_once)), sorted(dump(&one_by_one)));
}

#[test]
fn a_part_that_is_read_too_late_fails_and_does_not_panic() {
    let mut reading = open(&[sample("long.csv")], plain()).expect("a sample");
    let mut parts = reading.take_parts();
    drop(reading.finish());
    assert!(parts[0].next().is_some_and(|batch| batch.is_err()));
}
