//! The check of whole logs, on a good log of 300 entries to whose files five bytes at a time do something. It never panics, and
//! a log that passes has the files of the good one.
#![no_main]

use std::sync::LazyLock;

use tlog::key::KeyKind;
use tlog::memory::Memory;
use tlog::storage::CHECKPOINT;
use tlog::writer::Writer;
use tlog::{SignerKey, fsck, tile};

/// Sizes at which the log was published; their checkpoints can be put back.
const SIZES: [u64; 4] = [1, 9, 257, 300];

fn key() -> SignerKey {
    SignerKey::from_seed("log.example", KeyKind::Ed25519, &[1; 32]).expect("a name")
}

/// The log at each size, the last with whatever the earlier ones left.
static LOGS: LazyLock<Vec<Memory>> = LazyLock::new(|| {
    let mut writer = Writer::create(Memory::default(), key()).expect("new");
    let at = |size: u64| {
        let from = writer.signed().size;
        let entries: Vec<Vec<u8>> = (from..size).map(|i| vec![i as u8; (i % 7) as usize + 2]).collect();
        writer.append(&entries).expect("memory");
        writer.publish(&[]).expect("memory");
        writer.storage().clone()
    };
    SIZES.into_iter().map(at).collect()
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let good = LOGS.last().expect("four logs");
    let mut log = good.clone();
    for step in bytes.as_chunks::<5>().0 {
        let [what, which, high, low, value] = *step;
        let paths: Vec<String> = log.files.keys().cloned().collect();
        let Some(path) = paths.get(usize::from(which) % paths.len().max(1)) else { break };
        let at = usize::from(u16::from_be_bytes([high, low]));
        let file = log.files.get_mut(path).expect("listed");
        match what % 8 {
            0 if !file.is_empty() => {
                let at = at % file.len();
                file[at] ^= value;
            }
            1 => file.truncate(at % (file.len() + 1)),
            2 => file.resize(file.len() + at % 600, value),
            3 => drop(log.files.remove(path)),
            4 => {
                let other = paths[at % paths.len()].clone();
                let bytes = log.files[path].clone();
                log.files.insert(other, bytes);
            }
            5 => {
                let older = &LOGS[usize::from(value) % LOGS.len()];
                log.files.insert(CHECKPOINT.to_owned(), older.files[CHECKPOINT].clone());
            }
            6 => {
                let bytes = log.files[path].clone();
                log.files.insert(format!("tile/{}/{:03}.p/{}", value % 4, high % 3, low), bytes);
            }
            _ => {
                let bytes = log.files[path].clone();
                log.files.insert(format!("tile/entries/{:03}.p/{}", high % 3, low), bytes);
            }
        }
    }
    let options = fsck::Options { threads: 1, progress: &|_| {} };
    let Ok(report) = fsck::check(&log, key().verifier(), &options) else { return };
    for problem in &report.problems {
        assert!(!problem.path().is_empty() && !problem.to_string().is_empty());
    }
    if !report.is_good() {
        return;
    }
    let at = SIZES.iter().position(|size| *size == report.checkpoint.size);
    // The empty log's checkpoint was published too, and stands in none of these.
    let Some(then) = at.map(|at| &LOGS[at]) else { return };
    for tile in tile::all(report.checkpoint.size) {
        let (path, full) = (tile.to_string(), tile.full().to_string());
        // Where the full file stands in for a partial one, the checkpoint says nothing of what follows in it.
        match log.files.get(&path) {
            Some(found) => assert!(then.files[&path] == *found, "{path}"),
            None => assert!(log.files[&full].starts_with(&then.files[&path]), "{full}"),
        }
    }
});
