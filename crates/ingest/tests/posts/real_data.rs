//! Recordings that nobody here made. Where they are missing the tests say so and pass.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use crate::common::{dump, read};

/// A file of the shared data, or nothing where the folder is missing.
fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/coordination").join(name);
    if path.exists() {
        return Some(path);
    }
    let _ = writeln!(std::io::stderr(), "skipped: shared/data/coordination/{name} is missing");
    None
}

#[test]
fn the_wide_table_is_the_union_of_the_long_ones() {
    let long: Option<Vec<PathBuf>> =
        ["german_url.csv", "german_hashtag.csv", "german_domain.csv", "german_phash.csv"]
            .into_iter()
            .map(shared)
            .collect();
    let (Some(wide), Some(long)) = (shared("german_elections.csv"), long) else { return };
    let (wide, long) = (read(&[wide]).expect("a table"), read(&long).expect("tables"));
    assert_eq!((wide.ledger.rows_read, wide.ledger.rows_refused), (218_971, 0));
    assert_eq!((long.ledger.rows_read, long.rows()), (157_568, 157_568));
    let rows = |text: String| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (wide, long) = (rows(dump(&wide)), rows(dump(&long)));
    assert!(wide == long, "{} and {} distinct rows", wide.len(), long.len());
}

#[test]
fn the_organic_cascades_are_read_whole() {
    let Some(path) = shared("control/weibo_ced_reposts.csv.gz") else { return };
    let reading = read(&[path]).expect("a table");
    assert_eq!(reading.rows(), 1_275_106);
    assert_eq!((reading.ledger.accounts.len(), reading.ledger.objects.len()), (1_064_910, 3_387));
    assert!(reading.ledger.problems.is_empty());
}

#[test]
fn a_folder_of_tables_and_notes_is_read() {
    let Some(folder) =
        shared("russian_coord_tweets.csv").and_then(|path| Some(path.parent()?.join("control")))
    else {
        return;
    };
    let reading = read(&[folder]).expect("a folder");
    assert_eq!(reading.ledger.sources.len(), 1);
    assert_eq!(reading.ledger.problems.iter().count(), 1);
}
