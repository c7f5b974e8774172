//! Many clients at once, over real connections.

use std::sync::Mutex;
use std::time::Duration;

use tlog::policy::Policy;
use tlog::{Checkpoint, Hash};
use witness::Client;
use witness::client::{KnownSizes, Wait};
use witness::server::Limits;

use crate::helpers::{Bench, Log, Served, hash_of, size_of, status_of};

const CLIENTS: u64 = 8;
const ROUNDS: u64 = 25;

#[test]
fn clients_with_different_sizes_never_set_the_record_back_and_get_no_fork_signed() {
    let honest = Log::honest("log.example");
    let liar = Log::forked("log.example", 10);
    let served = Served::new(Bench::new(&[&honest]), Limits::default());
    let policy = format!(
        "log {}\nwitness w {} {}\nquorum w\n",
        honest.key.verifier(),
        served.bench.witness.verifiers()[0],
        served.url()
    );
    let policy = Policy::parse(policy.as_bytes()).expect("a policy");
    let signed: Mutex<Vec<Checkpoint>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let log = if client % 4 == 3 { &liar } else { &honest };
            let (policy, signed) = (&policy, &signed);
            scope.spawn(move || {
                let asking = Client::new(Duration::from_mins(1), KnownSizes::default());
                for round in 1..=ROUNDS {
                    // Each client grows by its own steps; all of them together cross all the time.
                    let size = 1 + round * 7 - client % 7;
                    let prove = |old| Ok::<Vec<Hash>, std::io::Error>(log.proof(old, size));
                    let gathered = asking
                        .submit(policy, &log.note(size), prove, Wait::All)
                        .expect("a signed checkpoint");
                    if gathered.quorum {
                        signed.lock().expect("no panic").push(log.checkpoint(size));
                    }
                }
            });
        }
        // A monitor looks on.
        let mut last = 0;
        let path = format!("/w/{}/checkpoint", hash_of(&honest));
        for _ in 0..100 {
            let said = served.get(&path);
            if status_of(&said) == 200 {
                let size = size_of(said.split_once("\r\n\r\n").expect("a body").1.as_bytes());
                assert!(size >= last, "the record went from {last} to {size}");
                last = size;
            }
        }
    });
    let signed = signed.into_inner().expect("no panic");
    assert!(!signed.is_empty());
    for a in &signed {
        for b in &signed {
            let one_history =
                [&honest, &liar].iter().any(|log| log.root(a.size) == a.root && log.root(b.size) == b.root);
            assert!(one_history, "signed both {a:?} and {b:?}");
        }
    }
    let largest = signed.iter().map(|checkpoint| checkpoint.size).max();
    assert_eq!(served.bench.recorded(&honest), largest, "the record is the largest tree that was signed");
}
