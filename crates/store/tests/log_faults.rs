//! Every read, write, sync, rename and removal of the writer fails, or is the last before the power goes out, once each. After
//! each: what was acknowledged is there, and nothing that a reader may have seen is taken back.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use store::FileLog;
use store::disk::{Disk as _, Fault, SimulatedDisk};
use tlog::key::KeyKind;
use tlog::memory::Memory;
use tlog::storage::Source as _;
use tlog::writer::{WriteError, Writer};
use tlog::{Checkpoint, Hash, SignerKey, fsck, merkle, reader};

const LOG: &str = "/log";

type Disk = Arc<SimulatedDisk>;

fn key() -> SignerKey {
    SignerKey::from_seed("log.example/faults", KeyKind::Ed25519, &[1; 32]).expect("a name")
}

fn empty_disk() -> SimulatedDisk {
    SimulatedDisk::with_folders([Path::new("/"), Path::new(LOG)])
}

/// What the world knows of the log.
#[derive(Default)]
struct World {
    /// Acknowledged entries, by index.
    acknowledged: BTreeMap<u64, Vec<u8>>,
    /// Every checkpoint that a reader may have seen, by size.
    seen: BTreeMap<u64, Hash>,
}

impl World {
    /// Looks at the public checkpoint as a reader would.
    fn look(&mut self, disk: &Disk) {
        let Ok(Some(bytes)) = disk.read(Path::new("/log/public/checkpoint")) else { return };
        let (checkpoint, _) =
            Checkpoint::open(&bytes, key().verifier()).expect("a public checkpoint is always whole");
        let known = self.seen.insert(checkpoint.size, checkpoint.root);
        assert!(known.is_none_or(|root| root == checkpoint.root), "two roots at size {}", checkpoint.size);
    }

    fn open(disk: &Disk) -> Result<Writer<FileLog<Disk>>, WriteError> {
        let storage =
            |disk: &Disk| FileLog::on(disk.clone(), Path::new(LOG)).map_err(|e| WriteError::Load(e.into()));
        match Writer::open(storage(disk)?, key()) {
            Err(WriteError::NoLog) => Writer::create(storage(disk)?, key()),
            other => other,
        }
    }

    /// Appends batches of several sizes, over the edges of tiles; publishes after each. Stops at the first error.
    fn work(&mut self, disk: &Disk, salt: u8) -> Result<(), WriteError> {
        let mut writer = Self::open(disk)?;
        self.look(disk);
        for batch in [1_u16, 3, 250, 2, 1, 260] {
            let first = writer.signed().size;
            let entries: Vec<Vec<u8>> =
                (0..batch).map(|i| format!("{salt} {first} {i}").into_bytes()).collect();
            for (entry, appended) in entries.iter().zip(writer.append(&entries)?) {
                let before = self.acknowledged.insert(appended.index, entry.clone());
                assert!(
                    before.is_none_or(|before| before == *entry),
                    "index {} was given twice",
                    appended.index
                );
            }
            self.look(disk);
            writer.publish(&[])?;
            self.look(disk);
        }
        Ok(())
    }

    /// The whole log, from what it publishes.
    fn check(&self, disk: &Disk, context: &str) {
        let storage = FileLog::on(disk.clone(), Path::new(LOG)).expect("no fault");
        let options = fsck::Options { threads: 1, progress: &|_| {} };
        let report = fsck::check(&storage, key().verifier(), &options).expect(context);
        assert_eq!(report.problems, [], "{context}");
        let size = report.checkpoint.size;
        let entry = |index| reader::entry(&storage, size, index).expect(context);
        let leaves: Vec<Hash> = (0..size).map(|index| Hash::leaf(&entry(index))).collect();
        for (index, acknowledged) in &self.acknowledged {
            assert!(*index < size, "{context}: acknowledged entry {index} is missing of {size}");
            assert_eq!(entry(*index), *acknowledged, "{context}: entry {index}");
        }
        for (size, root) in &self.seen {
            assert_eq!(merkle::root(&leaves[..*size as usize]), *root, "{context}: a reader saw size {size}");
        }
    }
}

/// Number of points that an undisturbed run passes.
fn points() -> u64 {
    let disk = Arc::new(empty_disk());
    World::default().work(&disk, 0).expect("no fault");
    disk.points()
}

#[test]
fn each_operation_may_fail_once() {
    for fault in [Fault::Fail, Fault::Full] {
        for point in 0..points() {
            let disk = Arc::new(empty_disk());
            let mut world = World::default();
            disk.strike(point, fault);
            // The first run stops at the fault, where the fault matters; the second goes on, as an operator would.
            let first = world.work(&disk, 0);
            assert!(disk.has_struck(), "point {point} is passed");
            if fault == Fault::Full
                && let Err(error) = &first
            {
                let text = format!("{error:?}");
                assert!(text.contains("StorageFull"), "a full disk is said to be full: {text}");
            }
            world.look(&disk);
            world.work(&disk, 1).expect("the fault is over");
            world.check(&disk, &format!("{fault:?} at {point}"));
        }
    }
}

#[test]
fn each_read_may_fail_once() {
    let reads = {
        let disk = Arc::new(empty_disk());
        World::default().work(&disk, 0).expect("no fault");
        disk.reads()
    };
    for read in 0..reads {
        let disk = Arc::new(empty_disk());
        let mut world = World::default();
        disk.fail_read(read);
        drop(world.work(&disk, 0));
        assert!(disk.has_struck(), "read {read} is passed");
        world.look(&disk);
        world.work(&disk, 1).expect("the fault is over");
        world.check(&disk, &format!("read {read}"));
    }
}

#[test]
fn the_power_may_go_out_at_each_operation() {
    for point in 0..points() {
        for seed in 0..4 {
            let mut random = oorandom::Rand64::new(u128::from(point * 4 + seed));
            let disk = Arc::new(empty_disk());
            let mut world = World::default();
            disk.strike(point, Fault::Cut);
            // The last operations remove what nobody needs; without them the run has come to its end.
            drop(world.work(&disk, 0));
            assert!(disk.has_struck(), "point {point} is passed");
            let disk = Arc::new(disk.crash(&mut || random.rand_u64()));
            world.look(&disk);
            world.work(&disk, 1).expect("the power is back");
            world.check(&disk, &format!("cut at {point}, seed {seed}"));
        }
    }
}

#[test]
fn the_power_may_go_out_twice() {
    let mut random = oorandom::Rand64::new(7);
    let n_points = points();
    for round in 0..300 {
        let mut disk = Arc::new(empty_disk());
        let mut world = World::default();
        for salt in 0..3 {
            disk.strike(random.rand_range(0..n_points), Fault::Cut);
            // Without an error the fault lay beyond the run.
            drop(world.work(&disk, salt));
            disk = Arc::new(disk.crash(&mut || random.rand_u64()));
            world.look(&disk);
        }
        world.work(&disk, 3).expect("the power is back");
        world.check(&disk, &format!("round {round}"));
    }
}

#[test]
fn a_second_writer_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = FileLog::open(folder.path()).expect("nobody has it");
    let second = FileLog::open(folder.path()).expect_err("the first has it");
    assert_eq!(second.kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    assert!(FileLog::open(folder.path()).is_ok());
}

#[test]
fn two_writers_on_one_state_cannot_both_promise() {
    let disk = Arc::new(empty_disk());
    let storage = || FileLog::on(disk.clone(), Path::new(LOG)).expect("no fault");
    let mut first = Writer::create(storage(), key()).expect("empty");
    let mut second = Writer::open(storage(), key()).expect("created");
    first.append(&[b"one"]).expect("first");
    let refused = second.append(&[b"two"]).expect_err("the state has moved on");
    assert!(matches!(refused, WriteError::Swap(tlog::storage::SwapError::Lost)), "{refused}");
    assert!(matches!(second.append(&[b"two"]), Err(WriteError::Poisoned)));
}

/// An append that died left files of a tile which the log reaches only later, from a size that ends exactly with the tile before.
#[test]
fn what_died_further_out_is_gone_before_its_tile_is_named() {
    for size in [255, 510, 65_535] {
        let entries = |from: u64, to: u64| (from..to).map(u64::to_be_bytes).collect::<Vec<_>>();
        let mut writer = Writer::create(Memory::default(), key()).expect("new");
        writer.append(&entries(0, size)).expect("memory");
        let before = writer.into_storage();
        let mut dead = Writer::open(before.clone(), key()).expect("a log");
        dead.append(&["the first", "the second", "the third"]).expect("memory");
        // The swap never came.
        let storage = Memory { cells: before.cells, ..dead.into_storage() };
        let mut writer = Writer::open(storage, key()).expect("a log");
        for to in [size.next_multiple_of(256), size + 9] {
            writer.append(&entries(writer.signed().size, to)).expect("memory");
            writer.publish(&[]).expect("memory");
        }
        let options = fsck::Options { threads: 1, progress: &|_| {} };
        let report = fsck::check(writer.storage(), key().verifier(), &options).expect("a log");
        assert_eq!((report.checkpoint.size, report.problems), (size + 9, Vec::new()));
    }
}

#[test]
fn a_real_folder_holds_a_log_that_verifies() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::create(FileLog::open(folder.path()).expect("new"), key()).expect("new");
    for first in (0..700).step_by(70) {
        let entries: Vec<String> = (first..first + 70).map(|i| format!("entry {i}")).collect();
        writer.append(&entries).expect("a disk");
        writer.publish(&[]).expect("a disk");
    }
    // What stands there keeps its index, also after the log was opened anew.
    drop(writer);
    let mut writer = Writer::open(FileLog::open(folder.path()).expect("free"), key()).expect("a log");
    let again = writer.append(&["entry 3", "entry 699", "entry 700", "entry 700"]).expect("a disk");
    let shape: Vec<(u64, bool)> = again.iter().map(|appended| (appended.index, appended.known)).collect();
    assert_eq!(shape, [(3, true), (699, true), (700, false), (700, true)]);
    writer.publish(&[]).expect("a disk");
    let options = fsck::Options { threads: 2, progress: &|_| {} };
    let report = fsck::check(writer.storage(), key().verifier(), &options).expect("a log");
    assert_eq!((report.checkpoint.size, report.problems.len()), (701, 0));
    // Partial tiles that full ones replaced are gone.
    assert_eq!(writer.storage().read("tile/0/000.p/70").expect("readable"), None);
    assert!(writer.storage().read("tile/0/002.p/189").expect("readable").is_some());
}
