//! A disk that fails at every step, clocks that jump, two witnesses over one record, and logs that lie: whatever happens, no fork is
//! signed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use tlog::add_checkpoint::{AddCheckpoint, parse_cosignatures};
use tlog::{Checkpoint, Hash, Note, cosignature};
use witness::Answer;
use witness::witness::Latest;

use crate::helpers::{Bench, Fault, Log, NOW, TestCells, cosigner, hash_of};

fn fail_next_swap(bench: &Bench, fault: Fault) {
    bench.cells.with(|state| state.swaps.push_back(Some(fault)));
}

#[test]
fn a_disk_that_is_full_costs_the_answer_and_nothing_else() {
    let log = Log::honest("log.example");
    let bench = Bench::new(&[&log]);
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    fail_next_swap(&bench, Fault::Before);
    let answer = bench.send(&log.request(5, 7));
    assert_eq!(
        answer.to_string(),
        "could not serve `log.example`: could not record the checkpoint: the disk is full"
    );
    assert_eq!(bench.recorded(&log), Some(5));
    assert_eq!(bench.status(&log.request(5, 7)), 200);
}

#[test]
fn a_record_that_stands_though_the_disk_failed_is_found() {
    let log = Log::honest("log.example");
    let bench = Bench::new(&[&log]);
    fail_next_swap(&bench, Fault::After);
    assert_eq!(bench.status(&log.request(0, 5)), 500);
    assert_eq!(bench.say(&log.request(0, 3)), "409 5", "the smaller tree would have been the way back");
    assert_eq!(bench.status(&log.request(5, 5)), 200, "the client that had no answer gets one");
}

#[test]
fn a_record_that_is_not_durable_is_shown_to_nobody() {
    let log = Log::honest("log.example");
    let bench = Bench::new(&[&log]);
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    fail_next_swap(&bench, Fault::After);
    assert_eq!(bench.status(&log.request(5, 7)), 500);
    fail_next_swap(&bench, Fault::Before);
    let shown = bench.witness.latest(&hash_of(&log));
    assert!(matches!(shown, Latest::Failed(_)), "it stands there, but could not be made durable: {shown:?}");
    bench.cells.with(crate::helpers::State::power_cut);
    let again = Bench::over(vec![cosigner("w.example", 1)], &[&log], bench.cells.clone());
    assert_eq!(again.recorded(&log), Some(5));
    assert_eq!(
        again.status(&Log::forked("log.example", 6).request(5, 7)),
        200,
        "nobody has seen the other tree"
    );
}

#[test]
fn a_record_that_somebody_else_replaced_is_loaded() {
    let log = Log::honest("log.example");
    let (bench, other) = (Bench::new(&[&log]), Bench::new(&[&log]));
    assert_eq!(other.status(&log.request(0, 9)), 200);
    let record = other.cells.with(|state| state.memory.cells.values().next().cloned());
    bench.cells.with(|state| state.other = record);
    fail_next_swap(&bench, Fault::Lost);
    assert_eq!(bench.say(&log.request(0, 5)), "409 9");
    bench.cells.with(|state| state.loads.push_back(true));
    fail_next_swap(&bench, Fault::Lost);
    assert_eq!(bench.status(&log.request(9, 10)), 500, "lost, and not to be loaded");
    assert_eq!(bench.status(&log.request(9, 10)), 200);
}

#[test]
fn a_record_that_cannot_be_loaded_stops_everything_until_it_can() {
    let log = Log::honest("log.example");
    let bench = Bench::new(&[&log]);
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    let again = Bench::over(vec![cosigner("w.example", 1)], &[&log], bench.cells.clone());
    bench.cells.with(|state| state.loads.extend([true, true]));
    assert_eq!(again.status(&log.request(0, 3)), 500);
    assert!(matches!(again.witness.latest(&hash_of(&log)), Latest::Failed(_)));
    assert_eq!(again.say(&log.request(0, 3)), "409 5");
}

#[test]
fn a_damaged_record_is_not_believed() {
    let log = Log::honest("log.example");
    let bench = Bench::new(&[&log]);
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    let good = bench.cells.with(|state| state.memory.cells.values().next().cloned()).expect("a record");
    let other_log = Log::honest("other.example");
    let stranger = Checkpoint::new("log.example", 3, log.root(3)).sign(&other_log.key).to_string();
    let mut flipped = good.clone();
    let at = good.iter().position(|byte| *byte == b'5').expect("the size");
    flipped[at] = b'3';
    let bad = [
        Vec::new(),
        b"not a note".to_vec(),
        stranger.into_bytes(),
        other_log.note(3).to_string().into_bytes(),
        flipped,
        good[..good.len() - 1].to_vec(),
    ];
    for bad in bad {
        bench.cells.with(|state| {
            state.memory.cells.values_mut().next().expect("a record").clone_from(&bad);
        });
        let again = Bench::over(vec![cosigner("w.example", 1)], &[&log], bench.cells.clone());
        let records = again.witness.records();
        assert!(records[0].1.is_err(), "found before anything is served");
        drop(records);
        assert_eq!(again.status(&log.request(0, 3)), 500, "{}", String::from_utf8_lossy(&bad));
        assert_eq!(again.status(&log.request(5, 7)), 500);
    }
}

#[test]
fn a_new_key_of_the_witness_goes_on_from_the_record_of_the_old() {
    let log = Log::honest("log.example");
    let bench = Bench::new(&[&log]);
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    let again = Bench::over(vec![cosigner("w.example/2", 2)], &[&log], bench.cells.clone());
    assert_eq!(again.say(&log.request(0, 3)), "409 5");
    assert_eq!(again.status(&log.request(5, 7)), 200);
}

#[test]
fn a_panic_in_the_middle_leaves_a_witness_that_remembers() {
    let log = Log::honest("log.example");
    let bench = Bench::new(&[&log]);
    fail_next_swap(&bench, Fault::Panic);
    let panicked = catch_unwind(AssertUnwindSafe(|| bench.send(&log.request(0, 5))));
    assert!(panicked.is_err());
    assert_eq!(bench.say(&log.request(0, 3)), "409 5");
    assert_eq!(bench.status(&log.request(5, 7)), 200);
}

#[test]
fn evidence_that_cannot_be_kept_is_told_and_changes_no_answer() {
    let log = Log::honest("log.example");
    let file = tempfile::NamedTempFile::new().expect("a file, which is no folder");
    let events = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = std::sync::Arc::clone(&events);
    let witness = witness::Witness::new(
        vec![cosigner("w.example", 1)],
        [log.key.verifier().clone()],
        TestCells::default(),
        witness::FileEvidence::new(file.path()),
    )
    .expect("a witness")
    .on_event(move |event| told.lock().expect("no panic").push(event.is_alarming()));
    let send = |request: &AddCheckpoint| witness.add_checkpoint(request.to_string().as_bytes(), NOW).status();
    assert_eq!(send(&log.request(0, 5)), 200);
    assert_eq!(send(&Log::forked("log.example", 2).request(5, 5)), 422);
    assert_eq!(events.lock().expect("no panic")[..], [false, true, false], "the lost evidence alone alarms");
}

/// The leaf from which on the liar differs.
const FORK: u64 = 10;

#[derive(Clone, Debug)]
struct Step {
    /// Which of two witnesses over the same cells is asked.
    which: usize,
    liar: bool,
    size: u64,
    /// The recorded size if it is known, else this.
    old: Option<u64>,
    proof: Proof,
    /// Of the coming two swaps: that which makes a loaded record durable, and that which replaces it.
    swaps: [Option<Fault>; 2],
    load_fails: bool,
    /// Seconds by which the clock moves.
    clock: i64,
    before: Before,
}

/// What happens before the request.
#[derive(Clone, Copy, Debug)]
enum Before {
    Nothing,
    /// The witness is started anew.
    Restart,
    /// The power fails, and both witnesses are started anew.
    PowerCut,
}

#[derive(Clone, Copy, Debug)]
enum Proof {
    Right,
    OfTheOtherTree,
    Empty,
    Garbage,
}

fn step() -> impl Strategy<Value = Step> {
    let fault = || {
        prop_oneof![
            6 => Just(None),
            1 => Just(Some(Fault::Before)),
            1 => Just(Some(Fault::After)),
            1 => Just(Some(Fault::Lost)),
            1 => Just(Some(Fault::Panic)),
        ]
    };
    let proof = prop_oneof![
        6 => Just(Proof::Right),
        1 => Just(Proof::OfTheOtherTree),
        1 => Just(Proof::Empty),
        1 => Just(Proof::Garbage),
    ];
    let old = prop_oneof![4 => Just(None), 1 => (0_u64..30).prop_map(Some)];
    let clock = prop_oneof![6 => 0_i64..5, 1 => -400_i64..0];
    let chance = |p| proptest::bool::weighted(p);
    let request = (chance(0.4), 0_u64..30, old, proof);
    let before = prop_oneof![
        8 => Just(Before::Nothing),
        1 => Just(Before::Restart),
        1 => Just(Before::PowerCut),
    ];
    let faults = ([fault(), fault()], chance(0.1), clock, before);
    (0_usize..2, request, faults).prop_map(
        |(which, (liar, size, old, proof), (swaps, load_fails, clock, before))| Step {
            which,
            liar,
            size,
            old,
            proof,
            swaps,
            load_fails,
            clock,
            before,
        },
    )
}

/// A tree that the witness has signed, and when.
type Signed = (u64, Hash, u64);

/// What a note or an answer says that the witness has signed.
fn signed(text: &str, lines: &[tlog::note::Signature]) -> Option<Signed> {
    let key = cosigner("w.example", 1);
    let time = lines.iter().find_map(|line| cosignature::verify(text, line, key.verifier()))?;
    let checkpoint = Checkpoint::parse(text).expect("a checkpoint");
    Some((checkpoint.size, checkpoint.root, time))
}

/// That any two signed trees have one history, and that a later time never goes with a smaller tree.
fn check_all(honest: &Log, liar: &Log, all: &[Signed]) {
    for (n, a) in all.iter().enumerate() {
        for b in &all[..n] {
            let one_history = [honest, liar].iter().any(|log| log.root(a.0) == a.1 && log.root(b.0) == b.1);
            assert!(one_history, "signed both {a:?} and {b:?}");
            let (small, large) = if a.0 < b.0 { (a, b) } else { (b, a) };
            assert!(small.0 == large.0 || small.2 <= large.2, "{small:?} is younger than {large:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_sequence_of_requests_and_faults_makes_a_witness_sign_a_fork(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let honest = Log::honest("log.example");
        let liar = Log::forked("log.example", FORK as usize);
        let cells = TestCells::default();
        let start = || Bench::over(vec![cosigner("w.example", 1)], &[&honest], cells.clone());
        let mut benches = [start(), start()];
        let mut now = NOW;
        // Everything that somebody outside has seen.
        let mut seen: Vec<Signed> = Vec::new();
        let mut shown = 0;
        for step in steps {
            match step.before {
                Before::Nothing => (),
                Before::Restart => benches[step.which] = start(),
                Before::PowerCut => {
                    cells.with(crate::helpers::State::power_cut);
                    benches = [start(), start()];
                }
            }
            now = now.saturating_add_signed(step.clock);
            let record = cells.with(|state| state.memory.cells.values().next().cloned());
            let known = record.map(|note| crate::helpers::size_of(&note));
            let old = step.old.or(known).unwrap_or(0);
            let (log, other) = if step.liar { (&liar, &honest) } else { (&honest, &liar) };
            let mut request = log.request(old, step.size);
            match step.proof {
                Proof::Right => (),
                Proof::OfTheOtherTree => request.proof = other.request(old, step.size).proof,
                Proof::Empty => request.proof.clear(),
                Proof::Garbage => request.proof = vec![Hash::leaf(b"x"); request.proof.len()],
            }
            cells.with(|state| {
                state.swaps = step.swaps.into();
                state.loads = [step.load_fails].into();
            });
            let bench = &mut benches[step.which];
            bench.now = now;
            let answer = catch_unwind(AssertUnwindSafe(|| bench.send(&request)));
            // What a client sees.
            if let Ok(Answer::Cosigned { lines, .. }) = answer {
                let durable = cells.with(|state| state.durable.cells.values().next().cloned());
                let durable = String::from_utf8(durable.expect("a record")).expect("text");
                prop_assert!(durable.ends_with(&lines), "answered and not recorded");
                let lines = parse_cosignatures(lines.as_bytes()).expect("lines");
                seen.extend(signed(request.checkpoint.unverified_text(), &lines));
            }
            // What a monitor sees, with the faults that are left.
            let latest = catch_unwind(AssertUnwindSafe(|| bench.witness.latest(&hash_of(&honest))));
            cells.with(|state| {
                state.swaps.clear();
                state.loads.clear();
            });
            if let Ok(Latest::Checkpoint(note)) = latest {
                let note = Note::parse(&note).expect("a note");
                let new = signed(note.unverified_text(), note.signatures());
                prop_assert!(new.is_some(), "a record is cosigned");
                seen.extend(new);
            }
            check_all(&honest, &liar, &seen);
            shown = shown.max(seen.last().map_or(0, |tree| tree.0));
            let record = cells.with(|state| state.memory.cells.values().next().cloned());
            let size = record.map_or(0, |note| crate::helpers::size_of(&note));
            prop_assert!(size >= shown, "the record went back from {shown} to {size}");
        }
    }
}
