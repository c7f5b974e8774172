//! A desk that is killed three hundred times in a night.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use channels::{Answer, Client};
use oorandom::Rand32;
use results::returns::Return;
use tlog::receipt::Receipt;
use tlog::{Hash, SignerKey, VerifierKey};

use crate::common::{Seen, kill_at_random, leaves, ok};
use crate::election::{Election, next, now};

/// What a clerk has to send of one unit, each revision until it is acknowledged.
struct Clerk {
    key: SignerKey,
    current: Return,
    document: Vec<u8>,
    known: u64,
}

/// What the desk has acknowledged: index, leaf, receipt.
type Acknowledged = Mutex<BTreeMap<u64, (Hash, Option<String>)>>;

impl Clerk {
    fn new(key: SignerKey, current: Return) -> Self {
        let document = current.sign(&key).to_string().into_bytes();
        Self { key, current, document, known: 0 }
    }

    /// Sends until the desk answers no more.
    fn work(&mut self, address: &str, acknowledged: &Acknowledged, works: &Sender<()>) {
        let client = Client::new(Duration::from_secs(10));
        while let Ok(answer) = client.submit(address, &self.document) {
            let (index, leaf, receipt) = match answer {
                Answer::Logged { index, leaf, receipt } => (index, leaf, receipt),
                Answer::Known { index, leaf } => {
                    self.known += 1;
                    (index, leaf, None)
                }
                // Whoever sends what it has signed, in order and again where it heard nothing, is never refused.
                Answer::Refused { .. } | Answer::NotTaken { .. } => panic!("{answer:?}"),
            };
            let before = acknowledged.lock().expect("no panic").insert(index, (leaf, receipt));
            assert!(before.is_none_or(|(before, _)| before == leaf), "entry {index} was given away twice");
            self.current = next(&self.current, leaf);
            self.document = self.current.sign(&self.key).to_string().into_bytes();
            // Nobody may listen for the first one any more.
            let _ = works.send(());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[test]
fn three_hundred_kills_in_a_night_lose_no_acknowledged_return() {
    const KILLS: u32 = 300;
    let election = Election::begun();
    let units = [("north", "1"), ("north", "2"), ("south", "1"), ("south", "2")];
    for centre in ["north", "south"] {
        election.sign(centre, centre, "stations.csv");
    }
    let clerk = |(centre, unit)| Clerk::new(election.key(centre), election.first(centre, unit));
    let mut clerks = units.map(clerk);
    let acknowledged = Acknowledged::default();
    let (mut random, mut seen) = (Rand32::new(3), Seen::default());
    let (mut interrupted, start) = (0, now());
    for _ in 0..KILLS {
        let (mut child, lines) = election.start(0);
        let (first, works) = channel();
        std::thread::scope(|scope| {
            let (clerks, acknowledged) = (&mut clerks, &acknowledged);
            scope.spawn(move || {
                let told = |line: String| line.split_once("http://").map(|(_, it)| format!("http://{it}"));
                let mut lines = lines.map_while(Result::ok);
                // It may be killed before it listens.
                let Some(address) = lines.by_ref().find_map(told) else { return };
                std::thread::scope(|scope| {
                    for clerk in clerks {
                        let (address, first) = (&address, first.clone());
                        scope.spawn(move || clerk.work(address, acknowledged, &first));
                    }
                });
                assert_eq!(lines.collect::<Vec<_>>(), [""; 0], "the desk has nothing to complain about");
            });
            kill_at_random(&mut child, &mut random, &works, 60_000);
        });
        interrupted += u32::from(seen.look(&election.path("night")));
    }
    let took = start.elapsed();
    // What was signed last and perhaps heard of no more is sent once again, by the command.
    for (clerk, (centre, unit)) in clerks.iter().zip(units) {
        election.write(&format!("{centre}-{unit}.return"), &clerk.document);
        election.ok(&["log", "night", &format!("{centre}-{unit}.return")]);
    }
    let leaves = leaves(&election.path("night"));
    let key = String::from_utf8(election.read("night/receipts.vkey")).expect("text");
    let key = VerifierKey::parse(key.trim_end()).expect("a key");
    let acknowledged = acknowledged.into_inner().expect("no panic");
    for (index, (leaf, receipt)) in &acknowledged {
        assert_eq!(leaves.get(*index as usize), Some(leaf), "entry {index}");
        let Some(receipt) = receipt else { continue };
        let receipt = Receipt::open(receipt.as_bytes(), &key).expect("signed by the log");
        assert_eq!((receipt.index, &receipt.leaf), (*index, leaf));
    }
    seen.check(&leaves);
    ok(election.at(), &["log", "fsck", "night/public", "--key", "night/log.vkey"]);
    let out = election.ok(&["verify", "night", "--fingerprint", &election.fingerprint]);
    assert!(out.starts_with("ok: everything holds; 4 of 4 returns are here"), "{out}");
    assert!(!election.path("night/evidence").exists(), "nobody has signed two things");
    let known: u64 = clerks.iter().map(|clerk| clerk.known).sum();
    println!(
        "{KILLS} kills in {took:?}, {interrupted} while the log grew; {} entries, {} acknowledged, {known} of them at the second try",
        leaves.len(),
        acknowledged.len(),
    );
    assert!(interrupted > 100 && acknowledged.len() > 500, "the kills came while it worked");
    assert!(known > 0, "some were killed between the disk and the answer");
}
