//! The witness over files on a disk of which every read, write, sync and rename fails, or is the last before the power goes out,
//! once each. Two logs are known to it, and each of them lies: it shows two branches, in turn. Whatever happens, no two
//! trees that exclude each other are cosigned, nothing that was answered is taken back, and the witness goes on.

use std::path::Path;
use std::sync::Arc;

use store::FileCells;
use store::disk::{Fault, SimulatedDisk};
use tlog::add_checkpoint::{AddCheckpoint, parse_cosignatures};
use tlog::hash::sha256;
use tlog::key::KeyKind;
use tlog::{Checkpoint, Hash, Note, SignerKey, cosignature, merkle};
use witness::witness::Latest;
use witness::{Answer, Witness};

const STATE: &str = "/w/state";
const NOW: u64 = 1_700_000_000;

/// The leaf from which on the branches of a log differ.
const FORK: u64 = 10;
const LEAVES: u64 = 64;

/// Sizes that clients ask for in the first run: below the fork, at it, beyond it, twice, and back.
const FIRST: [u64; 6] = [4, 10, 12, 12, 7, 30];
/// In a later one.
const LATER: [u64; 5] = [3, 12, 30, 11, 40];

type Disk = Arc<SimulatedDisk>;
type Strike = fn(&SimulatedDisk, u64);

fn empty_disk() -> Disk {
    Arc::new(SimulatedDisk::with_folders([Path::new("/"), Path::new("/w"), Path::new(STATE)]))
}

/// A log that tells two stories under one key.
struct Liar {
    key: SignerKey,
    /// The name of its cell, computed anew.
    hash: String,
    branches: [Vec<Hash>; 2],
}

impl Liar {
    fn new(origin: &str, seed: u8) -> Self {
        let key = SignerKey::from_seed(origin, KeyKind::Ed25519, &[seed; 32]).expect("a name");
        let hash = sha256(origin.as_bytes()).0.iter().map(|byte| format!("{byte:02x}")).collect();
        let leaf =
            |branch: u8, at: u64| Hash::leaf(&[seed, at as u8, if at < FORK { 0 } else { branch + 1 }]);
        let branches = [0, 1].map(|branch| (0..LEAVES).map(|at| leaf(branch, at)).collect());
        Self { key, hash, branches }
    }

    fn root(&self, branch: usize, size: u64) -> Hash {
        merkle::root(&self.branches[branch][..size as usize])
    }

    fn request(&self, branch: usize, old: u64, size: u64) -> AddCheckpoint {
        let leaves = &self.branches[branch][..];
        let proof = if old <= size {
            merkle::consistency_proof(old, size, &mut { leaves }).expect("infallible")
        } else {
            Vec::new()
        };
        let checkpoint = Checkpoint::new(self.key.verifier().name(), size, self.root(branch, size));
        AddCheckpoint { old, proof, checkpoint: checkpoint.sign(&self.key) }
    }
}

/// What the world has been told of one log.
#[derive(Clone, Default)]
struct Told {
    /// Trees with a valid cosignature.
    cosigned: Vec<(u64, Hash)>,
    /// The largest size that the witness said it has, in whatever words.
    size: u64,
}

/// Two logs, the key of the witness, and all that was told.
struct World {
    key: SignerKey,
    logs: [Liar; 2],
    told: [Told; 2],
}

impl World {
    fn new() -> Self {
        Self {
            key: SignerKey::from_seed("w.example/faults", KeyKind::CosignatureV1, &[9; 32]).expect("a name"),
            logs: [Liar::new("log.example/a", 1), Liar::new("log.example/b", 2)],
            told: [Told::default(), Told::default()],
        }
    }

    /// A process of the witness: clients of both branches ask for each size, beginning with the one that `first` names, and a
    /// monitor looks. Gives the number of requests that the witness failed to serve.
    fn work(&mut self, disk: &Disk, sizes: &[u64], first: usize) -> u32 {
        let keys = self.logs.iter().map(|log| log.key.verifier().clone());
        let signer = SignerKey::from_seed("w.example/faults", KeyKind::CosignatureV1, &[9; 32]);
        let cells = FileCells::new(Arc::clone(disk), Path::new(STATE));
        let witness = Witness::new(vec![signer.expect("a name")], keys, cells, ()).expect("a witness");
        let mut failed = 0;
        for size in sizes {
            for at in 0..self.logs.len() {
                for branch in [first, 1 - first] {
                    failed += self.ask(&witness, at, branch, *size);
                }
                self.look(&witness, at);
            }
        }
        failed
    }

    /// A client asks as if the witness knew nothing, and again for the size that it is told.
    fn ask(&mut self, witness: &Witness<FileCells<Disk>>, at: usize, branch: usize, size: u64) -> u32 {
        let mut old = 0;
        for _ in 0..2 {
            let request = self.logs[at].request(branch, old, size);
            match witness.add_checkpoint(request.to_string().as_bytes(), NOW) {
                Answer::Cosigned { lines, .. } => {
                    let lines = parse_cosignatures(lines.as_bytes()).expect("lines");
                    self.tell(at, request.checkpoint.unverified_text(), &lines);
                    return 0;
                }
                Answer::Conflict { size: known, .. } => {
                    self.tell_size(at, known);
                    old = known;
                }
                Answer::OldBeyondNew { .. } | Answer::Inconsistent { .. } => return 0,
                Answer::Failed { .. } => return 1,
                other => panic!("no answer to a sound request: {other}"),
            }
        }
        0
    }

    /// A monitor reads what the witness has recorded.
    fn look(&mut self, witness: &Witness<FileCells<Disk>>, at: usize) {
        match witness.latest(&self.logs[at].hash) {
            Latest::Checkpoint(bytes) => {
                let note = Note::parse(&bytes).expect("whole");
                self.tell(at, note.unverified_text(), note.signatures());
            }
            Latest::None => self.tell_size(at, 0),
            Latest::Failed(_) => (),
        }
    }

    fn tell(&mut self, at: usize, text: &str, lines: &[tlog::note::Signature]) {
        let valid = |line| cosignature::verify(text, line, self.key.verifier()).is_some();
        assert!(lines.iter().any(valid), "what the witness gives out is cosigned");
        let checkpoint = Checkpoint::parse(text).expect("a checkpoint");
        self.tell_size(at, checkpoint.size);
        let (log, told) = (&self.logs[at], &mut self.told[at]);
        told.cosigned.push((checkpoint.size, checkpoint.root));
        let is_of = |branch| told.cosigned.iter().all(|(size, root)| log.root(branch, *size) == *root);
        assert!(is_of(0) || is_of(1), "cosigned trees that exclude each other: {:?}", told.cosigned);
    }

    fn tell_size(&mut self, at: usize, size: u64) {
        let told = &mut self.told[at];
        assert!(size >= told.size, "it had {}, and now says {size}", told.size);
        told.size = size;
    }

    /// Both logs have been cosigned up to a size.
    fn check(&self, size: u64, context: &str) {
        for told in &self.told {
            assert_eq!(told.size, size, "{context}");
            assert_eq!(told.cosigned.last().map(|tree| tree.0), Some(size), "{context}");
        }
    }
}

/// Points and reads of an undisturbed first run.
fn undisturbed() -> (u64, u64) {
    let (disk, mut world) = (empty_disk(), World::new());
    assert_eq!(world.work(&disk, &FIRST, 0), 0);
    world.check(30, "undisturbed");
    (disk.points(), disk.reads())
}

/// The disks that a machine may find after the power came back, one for each way in which the coins of a crash may fall.
fn crashes(disk: &Disk) -> Vec<Disk> {
    // A name survives by an even coin; of bytes that were not synced, as many as the coin says, modulo the length.
    const COINS: [u64; 4] = [0, 1, 150, 301];
    let (mut found, mut chosen): (Vec<Disk>, Vec<usize>) = (Vec::new(), Vec::new());
    loop {
        let mut tossed = 0;
        let crashed = disk.crash(&mut || {
            if tossed == chosen.len() {
                chosen.push(0);
            }
            tossed += 1;
            COINS[chosen[tossed - 1]]
        });
        found.push(Arc::new(crashed));
        while chosen.last() == Some(&(COINS.len() - 1)) {
            chosen.pop();
        }
        let Some(last) = chosen.last_mut() else { return found };
        *last += 1;
    }
}

#[test]
fn a_fault_costs_one_answer_and_the_same_process_goes_on() {
    let (points, reads) = undisturbed();
    assert!(points > 80 && reads > 10, "{points} points, {reads} reads");
    let kinds: [(u64, Strike); 3] = [
        (points, |disk, at| disk.strike(at, Fault::Fail)),
        (points, |disk, at| disk.strike(at, Fault::Full)),
        (reads, |disk, at| disk.fail_read(at)),
    ];
    for (kind, (n, strike)) in kinds.into_iter().enumerate() {
        let mut costs = 0;
        for at in 0..n {
            let (disk, mut world) = (empty_disk(), World::new());
            strike(&disk, at);
            let failed = world.work(&disk, &FIRST, 0);
            let context = format!("fault {kind} at {at} of {n}");
            assert!(disk.has_struck(), "{context} is passed");
            assert!(failed <= 1, "{context}: {failed} answers failed");
            costs += failed;
            // The last request of the run may be the one that failed. The other branch is asked first now.
            assert_eq!(world.work(&disk, &LATER, 1), 0, "{context}: the fault is over");
            world.check(40, &context);
        }
        assert!(costs > 0, "fault {kind} was felt by nobody");
    }
}

#[test]
fn the_power_may_go_out_at_each_operation() {
    let mut outcomes = 0;
    for at in 0..undisturbed().0 {
        let (disk, mut world) = (empty_disk(), World::new());
        disk.strike(at, Fault::Cut);
        world.work(&disk, &FIRST, 0);
        assert!(disk.has_struck(), "point {at} is passed");
        let told = world.told.clone();
        for (outcome, disk) in crashes(&disk).iter().enumerate() {
            world.told.clone_from(&told);
            let context = format!("cut at {at}, outcome {outcome}");
            assert_eq!(world.work(disk, &LATER, 1), 0, "{context}: the power is back");
            world.check(40, &context);
            outcomes += 1;
        }
    }
    println!("{outcomes} outcomes");
    assert!(outcomes > 300, "{outcomes}");
}

#[test]
fn faults_of_all_kinds_may_follow_each_other() {
    let mut random = oorandom::Rand64::new(3);
    let (points, reads) = undisturbed();
    for round in 0..200 {
        let (mut disk, mut world) = (empty_disk(), World::new());
        for run in 0..4 {
            match random.rand_range(0..4) {
                0 => disk.strike(random.rand_range(0..points), Fault::Fail),
                1 => disk.strike(random.rand_range(0..points), Fault::Full),
                2 => disk.fail_read(random.rand_range(0..reads)),
                _ => disk.strike(random.rand_range(0..points), Fault::Cut),
            }
            world.work(&disk, if run % 2 == 0 { &FIRST } else { &LATER }, run % 2);
            // The power goes out after the run too, with whatever the fault left half done.
            disk = Arc::new(disk.crash(&mut || random.rand_u64()));
        }
        assert_eq!(world.work(&disk, &[50, 51], 1), 0, "round {round}: the disk is well");
        world.check(51, &format!("round {round}"));
    }
}
