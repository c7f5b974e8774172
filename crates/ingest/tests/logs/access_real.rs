//! Recordings that nobody here made, against GoAccess 1.7 on the same files. Where they are missing the
//! tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{Read, read, shared};

fn counts(read: &Read) -> String {
    let rows = read.requests();
    let mut codes: BTreeMap<i32, usize> = BTreeMap::new();
    let (mut found, mut not_found) = (BTreeSet::new(), BTreeSet::new());
    let mut clients = BTreeSet::new();
    for row in &rows {
        *codes.entry(row.status).or_default() += 1;
        let file = (row.method, row.path, row.query);
        if row.status == 404 {
            not_found.insert(file)
        } else {
            found.insert(file)
        };
        clients.insert((row.peer_hi, row.peer_lo));
    }
    format!(
        "{} read, {} refused, {} files, {} not found, {} clients, {} bytes, {codes:?}",
        read.ledger.rows_read,
        read.ledger.rows_refused,
        found.len(),
        not_found.len(),
        clients.len(),
        rows.iter().map(|row| row.bytes.max(0)).sum::<i64>(),
    )
}

#[test]
fn show() {
    for name in [
        "weblogs/elastic_apache_logs_10k.log",
        "weblogs/nasa_19950801_clf.log",
        "weblogs/nasa_19950801.tsv",
        "apache-http-logs/acunetix.log",
        "apache-http-logs/netsparker.log",
    ] {
        let Some(path) = shared(name) else { return };
        let read = read(&[path]).expect("a log");
        eprintln!("{name} {} {}", counts(&read), read.problems());
    }
    panic!()
}
