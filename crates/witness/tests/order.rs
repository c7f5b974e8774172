//! Which answer is given where a request has two faults: the one that stands earlier in the order of answer.rs.

use tlog::add_checkpoint::AddCheckpoint;
use tlog::note::Signature;
use tlog::{Checkpoint, Hash};

use crate::helpers::{Bench, Log};

/// A witness that has recorded five leaves of `log.example`.
fn at_five() -> (Bench, Log) {
    let log = Log::honest("log.example");
    let bench = Bench::new(&[&log]);
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    (bench, log)
}

fn broken(mut request: AddCheckpoint) -> AddCheckpoint {
    let text = request.checkpoint.to_string();
    let mut signature: Signature = request.checkpoint.signatures()[0].clone();
    signature.bytes[0] ^= 1;
    let head = text.split("\n\n").next().expect("a text");
    let text = format!("{head}\n\n{}", signature.to_line());
    request.checkpoint = tlog::Note::parse(text.as_bytes()).expect("a note");
    request
}

#[test]
fn malformed_before_unknown() {
    let (bench, _) = at_five();
    let stranger = Log::honest("stranger.example").request(0, 5).to_string();
    let status = |body: &str| bench.witness.add_checkpoint(body.as_bytes(), bench.now).status();
    assert_eq!(status(&stranger), 404);
    assert_eq!(status(&stranger.replacen("old 0", "old 00", 1)), 400);
    assert_eq!(status(&stranger.replacen("\n5\n", "\n05\n", 1)), 400, "no checkpoint");
}

#[test]
fn unknown_before_untrusted() {
    let (bench, _) = at_five();
    assert_eq!(bench.status(&broken(Log::honest("stranger.example").request(0, 5))), 404);
}

#[test]
fn untrusted_before_old_beyond_new_and_conflict_and_proof() {
    let (bench, log) = at_five();
    assert_eq!(bench.status(&broken(log.request(9, 7))), 403);
    assert_eq!(bench.status(&broken(log.request(3, 7))), 403);
    let mut request = log.request(5, 7);
    request.proof.clear();
    assert_eq!(bench.status(&broken(request)), 403);
}

#[test]
fn old_beyond_new_before_conflict_and_proof() {
    let (bench, log) = at_five();
    let mut request = log.request(9, 7);
    request.proof = vec![Hash::leaf(b"x")];
    assert_eq!(bench.status(&request), 400, "9 is not the recorded size either");
}

#[test]
fn conflict_before_proof_and_roots() {
    let (bench, log) = at_five();
    let mut request = log.request(3, 7);
    request.proof = vec![Hash::leaf(b"x")];
    assert_eq!(bench.say(&request), "409 5");
    let mut request = log.request(0, 7);
    request.proof = vec![Hash::leaf(b"x")];
    assert_eq!(bench.say(&request), "409 5", "a proof from nothing, but the old size comes first");
    let liar = Log::forked("log.example", 2);
    assert_eq!(bench.say(&liar.request(0, 5)), "409 5", "another root of the recorded size");
    let wrong_root = Checkpoint::new("log.example", 0, Hash::leaf(b"x")).sign(&log.key);
    let request = AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: wrong_root };
    assert_eq!(bench.say(&request), "409 5", "a root that no empty tree has");
}

#[test]
fn consistency_before_the_clock() {
    let (mut bench, _) = at_five();
    bench.now = 0;
    let liar = Log::forked("log.example", 2);
    assert_eq!(bench.status(&liar.request(5, 7)), 422);
    assert_eq!(bench.status(&liar.request(5, 5)), 422);
}
