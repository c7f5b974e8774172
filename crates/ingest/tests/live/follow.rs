//! A log that grows, as traffic.

use std::fs;
use std::path::Path;

use domain::Timestamp;
use ingest::live::{Follow, Start};
use ingest::{Accounts, Options};
use traffic::{Kind, Seed, Trace};

fn options() -> Options {
    Options { accounts: Accounts::Plain, now: Timestamp(0), default_trace: Trace::Object, seed: Seed(0) }
}

fn rows(follow: &mut Follow) -> usize {
    let batches = follow.poll().expect("a log");
    batches
        .iter()
        .map(|batch| {
            assert_eq!(batch.kind, Kind::Request);
            batch.rows.num_rows()
        })
        .sum()
}

fn line(second: u32) -> String {
    format!("192.0.2.1 - - [24/Nov/2026:13:00:{second:02} +0000] \"GET /results HTTP/1.1\" 200 123\n")
}

fn append(path: &Path, text: &str) {
    use std::io::Write;
    let file = fs::OpenOptions::new().append(true).create(true).open(path);
    file.expect("a file").write_all(text.as_bytes()).expect("room on the disk");
}

#[test]
fn an_access_log_is_followed_across_a_rotation_and_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("access.log");
    let mut follow = Follow::new(&path, Start::Beginning, options());
    assert_eq!((rows(&mut follow), follow.format()), (0, ""));
    append(&path, &(line(0) + &line(1) + "192.0.2.1 - -"));
    assert_eq!((rows(&mut follow), follow.format()), (2, "access log, common"));
    append(&path, &line(2)["192.0.2.1 - -".len()..]);
    fs::rename(&path, folder.path().join("access.log.1")).expect("a rename");
    append(&path, &line(3));
    assert_eq!(rows(&mut follow), 2);
    assert_eq!(rows(&mut follow), 0);
    let position = follow.position().expect("nothing is under way");
    drop(follow);
    append(&path, &line(4));
    let mut follow = Follow::new(&path, Start::At(position), options());
    assert_eq!(rows(&mut follow), 1);
    assert_eq!(follow.rows(), (1, 0));
}
