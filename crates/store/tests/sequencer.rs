//! Many threads submit at once; everything that was acknowledged stands where it was said to stand.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use results::entry::Part;
use store::disk::{Fault, SimulatedDisk};
use store::registrar::{self, OpenError, Outcome, Registrar};
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

/// A desk on a simulated disk; parts of a definition are what it takes before anybody has signed anything.
#[test]
fn a_desk_that_failed_takes_nothing_that_was_judged_after_what_is_lost() {
    let log = Path::new("/log");
    let disk = Arc::new(SimulatedDisk::with_folders([Path::new("/"), log]));
    drop(Writer::create(FileLog::on(disk.clone(), log).expect("new"), key("log.example")).expect("new"));
    let opened = Arc::new(AtomicU32::new(0));
    let open = {
        let (disk, opened) = (disk.clone(), opened.clone());
        move || {
            opened.fetch_add(1, Ordering::Relaxed);
            let storage = FileLog::on(disk.clone(), log).map_err(|e| OpenError::Log(e.into()))?;
            let writer = Writer::open(storage, key("log.example")).map_err(|e| OpenError::Log(e.into()))?;
            let board = registrar::load(writer.storage(), writer.signed().size)?;
            let publish = Box::new(|_: &mut Writer<_>| Ok(()));
            let settings = Settings { reopen: registrar::never_again(), publish, promises: None };
            Ok((board, Sequencer::start(writer, settings)))
        }
    };
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Registrar::open(Box::new(open), folder.path()).expect("a log");
    let [first, second, third] = Part::cut(&b"a".repeat(150_000)).try_into().expect("three parts");
    assert!(matches!(desk.take(first), Outcome::Accepted(it) if it.appended.index == 0));
    disk.strike(0, Fault::Full);
    let waiting = [second.clone(), third.clone()].map(|part| desk.submit(part));
    for submitted in waiting {
        assert!(matches!(desk.wait(submitted), Outcome::NotTaken(_)), "the disk was full");
    }
    // The board has forgotten what the disk never had, and both may come again, in any order.
    assert!(matches!(desk.take(third), Outcome::Accepted(it) if it.appended.index == 1));
    assert!(matches!(desk.take(second), Outcome::Accepted(it) if it.appended.index == 2));
    assert_eq!(opened.load(Ordering::Relaxed), 2);
    desk.close();
}

#[test]
fn whoever_asks_whether_all_is_durable_hears_of_a_failure() {
    let log = Path::new("/log");
    let disk = Arc::new(SimulatedDisk::with_folders([Path::new("/"), log]));
    let writer =
        Writer::create(FileLog::on(disk.clone(), log).expect("new"), key("log.example")).expect("new");
    let publish = Box::new(|_: &mut Writer<_>| Ok(()));
    let settings = Settings { reopen: registrar::never_again(), publish, promises: None };
    let sequencer = Sequencer::start(writer, settings);
    let one = sequencer.submit(b"one".to_vec());
    sequencer.settled().wait().expect("a disk");
    assert_eq!(one.wait().expect("a disk").appended.index, 0);
    disk.strike(0, Fault::Full);
    let two = sequencer.submit(b"two".to_vec());
    let text = sequencer.settled().wait().expect_err("something was lost").to_string();
    assert!(text.starts_with("the log could not take the entry: "), "{text}");
    two.wait().expect_err("the disk is full");
    // It does not recover by itself: there is room again, and nobody has judged anew.
    sequencer.submit(b"three".to_vec()).wait().expect_err("it was not opened anew");
    sequencer.close();
}
