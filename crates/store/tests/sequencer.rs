//! Many threads submit at once; everything that was acknowledged stands where it was said to stand.

use std::path::Path;
use std::sync::Arc;

use store::disk::{Fault, SimulatedDisk};
use store::sequencer::{Promises, Sequencer, Settings};
use store::{FileLog, PublicFolder};
use tlog::key::KeyKind;
use tlog::receipt::{self, Promise, Receipt};
use tlog::writer::{WriteError, Writer};
use tlog::{SignerKey, fsck, reader};

fn key(name: &str) -> SignerKey {
    SignerKey::from_seed(name, KeyKind::Ed25519, &[1; 32]).expect("a name")
}

#[test]
fn what_many_threads_submit_is_appended_once_with_receipts_that_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let writer = Writer::create(FileLog::open(folder.path()).expect("new"), key("log.example")).expect("new");
    let receipts = key(&receipt::key_name("log.example"));
    let receipts_verifier = receipts.verifier().clone();
    let settings = Settings {
        reopen: Box::new(|| Err(WriteError::NoLog)),
        publish: Box::new(|writer| writer.publish(&[])),
        promises: Some(Promises { key: receipts, maximum_merge_delay: 30, now: Box::new(|| 1000) }),
    };
    let sequencer = Sequencer::start(writer, settings);
    let submitted: Vec<_> = std::thread::scope(|scope| {
        let submit = |thread: u32| {
            let sequencer = sequencer.clone();
            // Every entry is submitted by two threads.
            let tickets = move || {
                let entries = (0..500).map(|i| format!("entry {} {i}", thread / 2).into_bytes());
                let tickets: Vec<_> = entries.map(|entry| (entry.clone(), sequencer.submit(entry))).collect();
                tickets
                    .into_iter()
                    .map(|(entry, ticket)| (entry, ticket.wait().expect("a disk")))
                    .collect::<Vec<_>>()
            };
            scope.spawn(tickets)
        };
        let threads: Vec<_> = (0..4).map(submit).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    sequencer.close();
    let source = PublicFolder::of(folder.path());
    let options = fsck::Options { threads: 1, progress: &|_| {} };
    let report = fsck::check(&source, key("log.example").verifier(), &options).expect("a log");
    assert_eq!((report.checkpoint.size, report.problems.len()), (1000, 0), "each entry once");
    for (entry, accepted) in submitted {
        let index = accepted.appended.index;
        assert_eq!(reader::entry(&source, 1000, index).expect("covered"), entry);
        let receipt = accepted.receipt.expect("the log gives receipts").to_string();
        let receipt = Receipt::open(receipt.as_bytes(), &receipts_verifier).expect("signed");
        let (_, proof) = reader::prove(&source, &report.checkpoint, &report.note, index).expect("covered");
        assert_eq!((receipt.index, receipt.published_by), (index, 1030));
        assert_eq!(receipt.judge(&report.checkpoint, &proof.hashes, 2000), Promise::Kept);
    }
}

#[test]
fn a_failed_batch_is_told_and_the_next_goes_on() {
    let log = Path::new("/log");
    let disk = Arc::new(SimulatedDisk::with_folders([Path::new("/"), log]));
    let open = {
        let disk = disk.clone();
        move || {
            Writer::open(
                FileLog::on(disk.clone(), log).map_err(|e| WriteError::Load(e.into()))?,
                key("log.example"),
            )
        }
    };
    let writer =
        Writer::create(FileLog::on(disk.clone(), log).expect("new"), key("log.example")).expect("new");
    // Publishing comes after the answer; the fault below must meet the next batch and not that.
    let publish = Box::new(|_: &mut Writer<_>| Ok(()));
    let sequencer = Sequencer::start(writer, Settings { reopen: Box::new(open), publish, promises: None });
    assert_eq!(sequencer.submit(b"one".to_vec()).wait().expect("a disk").appended.index, 0);
    disk.strike(0, Fault::Full);
    let refused = sequencer.submit(b"two".to_vec()).wait().expect_err("the disk is full");
    let text = refused.to_string();
    assert!(text.contains("nothing was promised") && text.contains("space"), "{text}");
    assert_eq!(sequencer.submit(b"two".to_vec()).wait().expect("room again").appended.index, 1);
    let large = sequencer.submit(vec![0; 70_000]).wait().expect_err("too large");
    assert!(large.to_string().contains("70000 bytes"), "{large}");
    assert_eq!(sequencer.submit(b"three".to_vec()).wait().expect("a disk").appended.index, 2);
    sequencer.close();
}
