//! The clauses of c2sp.org/tlog-witness, one test each; docs/specs/tlog-witness-clauses.md has the list.

use tlog::add_checkpoint::{AddCheckpoint, parse_cosignatures};
use tlog::key::KeyKind;
use tlog::{Checkpoint, Hash, Note, SignerKey, VerifierKey, cosignature};
use witness::evidence::{Exhibit, Kind};
use witness::server::Limits;
use witness::witness::{Latest, WitnessError};
use witness::{Answer, Witness};

use crate::helpers::{Bench, Log, NOW, Served, TestCells, cosigner, hash_of, post, status_of};

fn log_and_bench() -> (Log, Bench) {
    let log = Log::honest("log.example");
    let bench = Bench::new(&[&log]);
    (log, bench)
}

fn status_of_body(bench: &Bench, body: &str) -> u16 {
    bench.witness.add_checkpoint(body.as_bytes(), NOW).status()
}

#[test]
fn the_request_is_a_post() {
    let (_, bench) = log_and_bench();
    let served = Served::new(bench, Limits::default());
    let said = served.get("/w/add-checkpoint");
    assert_eq!(status_of(&said), 405);
    assert!(said.to_lowercase().contains("\r\nallow: post\r\n"), "{said}");
}

#[test]
fn connections_are_kept_alive() {
    use std::io::{Read, Write};
    let (log, bench) = log_and_bench();
    let served = Served::new(bench, Limits::default());
    let mut stream = served.connect();
    stream.write_all(&post(&log.request(0, 1).to_string(), "keep-alive")).expect("sent");
    let mut head = [0; 12];
    stream.read_exact(&mut head).expect("an answer");
    assert_eq!(&head, b"HTTP/1.1 200");
    stream.write_all(&post(&log.request(1, 2).to_string(), "close")).expect("sent on the same connection");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("the second answer");
    assert!(rest.contains("HTTP/1.1 200"), "{rest}");
}

#[test]
fn the_body_is_old_size_proof_empty_line_and_checkpoint() {
    let (log, bench) = log_and_bench();
    assert_eq!(bench.status(&log.request(0, 3)), 200);
    let body = log.request(3, 7).to_string();
    let bad = [
        body.replacen("old 3\n", "", 1),
        body.replacen("old 3\n", "old 3\r\n", 1),
        body.replacen("\n\n", "\n", 1),
        body.replacen("\n\n", "\n\n\n", 1),
        body.split_inclusive("\n\n").next().expect("a head").to_owned(),
        String::new(),
    ];
    for body in bad {
        assert_eq!(status_of_body(&bench, &body), 400, "{body}");
    }
    assert_eq!(status_of_body(&bench, &body), 200);
}

#[test]
fn each_line_ends_in_a_newline() {
    let (log, bench) = log_and_bench();
    let body = log.request(0, 3).to_string();
    assert_eq!(status_of_body(&bench, body.trim_end()), 400);
}

#[test]
fn the_old_size_is_decimal_without_leading_zeroes() {
    let (log, bench) = log_and_bench();
    let body = log.request(0, 3).to_string();
    for bad in ["old 00", "old +0", "old  0", "old\t0", "old 0 ", "Old 0", "old", "old 18446744073709551616"]
    {
        assert_eq!(status_of_body(&bench, &body.replacen("old 0", bad, 1)), 400, "{bad}");
    }
}

#[test]
fn each_proof_line_is_one_hash_in_base64() {
    let (log, bench) = log_and_bench();
    assert_eq!(bench.status(&log.request(0, 3)), 200);
    let body = log.request(3, 7).to_string();
    let hash = log.proof(3, 7)[0].to_string();
    for bad in [&hash[..40], &format!("{hash} {hash}"), &hash.replace('=', ""), "not a hash"] {
        assert_eq!(status_of_body(&bench, &body.replacen(&hash, bad, 1)), 400, "{bad}");
    }
}

#[test]
fn more_than_63_proof_lines_are_refused() {
    let (log, bench) = log_and_bench();
    assert_eq!(bench.status(&log.request(0, 3)), 200);
    let mut request = log.request(3, 7);
    request.proof.resize(63, Hash::leaf(b"x"));
    assert_eq!(bench.status(&request), 422, "63 lines are read");
    request.proof.resize(64, Hash::leaf(b"x"));
    assert_eq!(bench.status(&request), 400);
}

#[test]
fn the_checkpoint_may_have_several_signatures() {
    let (log, bench) = log_and_bench();
    let mut request = log.request(0, 3);
    for n in 1..40 {
        let other =
            SignerKey::from_seed(&format!("o{n}.example"), KeyKind::Ed25519, &[n; 32]).expect("a name");
        request.checkpoint.add(log.checkpoint(3).sign(&other).signatures()[0].clone());
    }
    assert_eq!(bench.status(&request), 200);
}

#[test]
fn signatures_of_unknown_keys_are_ignored_and_not_passed_on() {
    let (log, bench) = log_and_bench();
    let mut request = log.request(0, 3);
    let other = SignerKey::from_seed("log.example", KeyKind::Ed25519, &[99; 32]).expect("a name");
    request.checkpoint.add(log.checkpoint(4).sign(&other).signatures()[0].clone());
    assert_eq!(bench.status(&request), 200, "the wrong signature is of a key that nobody trusts");
    let Latest::Checkpoint(bytes) = bench.witness.latest(&hash_of(&log)) else { panic!("recorded") };
    let names: Vec<String> = Note::parse(&bytes)
        .expect("a note")
        .signatures()
        .iter()
        .map(|line| format!("{} {:08x}", line.name, line.id))
        .collect();
    let of = |key: &VerifierKey| format!("{} {:08x}", key.name(), key.id());
    assert_eq!(names, [of(log.key.verifier()), of(&bench.witness.verifiers()[0])]);
}

#[test]
fn an_unknown_origin_is_not_found() {
    let (_, bench) = log_and_bench();
    assert_eq!(bench.status(&Log::honest("other.example").request(0, 3)), 404);
}

#[test]
fn without_a_trusted_signature_it_is_forbidden() {
    let (log, bench) = log_and_bench();
    let stranger = SignerKey::from_seed("log.example", KeyKind::Ed25519, &[99; 32]).expect("a name");
    let checkpoint = log.checkpoint(3).sign(&stranger);
    assert_eq!(bench.status(&AddCheckpoint { old: 0, proof: Vec::new(), checkpoint }), 403);
    assert_eq!(bench.recorded(&log), None);
}

#[test]
fn a_trusted_signature_that_fails_is_forbidden_even_beside_a_good_one() {
    let log = Log::honest("log.example");
    let second = SignerKey::from_seed("log.example", KeyKind::Ed25519, &[98; 32]).expect("a name");
    let keys = [log.key.verifier().clone(), second.verifier().clone()];
    let witness =
        Witness::new(vec![cosigner("w.example", 1)], keys, TestCells::default(), ()).expect("a witness");
    let mut request = log.request(0, 3);
    request.checkpoint.add(log.checkpoint(4).sign(&second).signatures()[0].clone());
    assert_eq!(witness.add_checkpoint(request.to_string().as_bytes(), NOW).status(), 403);
}

#[test]
fn a_log_may_have_several_keys() {
    let log = Log::honest("log.example");
    let second = SignerKey::from_seed("log.example", KeyKind::Ed25519, &[98; 32]).expect("a name");
    let keys = [log.key.verifier().clone(), second.verifier().clone()];
    let witness =
        Witness::new(vec![cosigner("w.example", 1)], keys, TestCells::default(), ()).expect("a witness");
    let send = |request: &AddCheckpoint| witness.add_checkpoint(request.to_string().as_bytes(), NOW).status();
    assert_eq!(send(&log.request(0, 3)), 200);
    let checkpoint = log.checkpoint(5).sign(&second);
    assert_eq!(
        send(&AddCheckpoint { old: 3, proof: log.proof(3, 5), checkpoint }),
        200,
        "one record for both"
    );
}

#[test]
fn logs_are_told_apart_by_origin() {
    let (a, b) = (Log::honest("a.example"), Log::honest("b.example"));
    let bench = Bench::new(&[&a, &b]);
    assert_eq!(bench.status(&a.request(0, 5)), 200);
    assert_eq!(bench.say(&b.request(5, 7)), "409 0");
    let checkpoint = a.checkpoint(7).sign(&b.key);
    let request = AddCheckpoint { old: 5, proof: a.proof(5, 7), checkpoint };
    assert_eq!(bench.status(&request), 403, "the key of another log");
}

#[test]
fn an_old_size_above_the_new_one_is_a_bad_request() {
    let (log, bench) = log_and_bench();
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    assert_eq!(bench.status(&log.request(5, 3)), 400);
}

#[test]
fn an_old_size_that_is_not_the_recorded_one_is_a_conflict() {
    let (log, bench) = log_and_bench();
    let answer = bench.send(&log.request(3, 5));
    assert_eq!(
        (answer.status(), answer.content_type(), answer.body()),
        (409, "text/x.tlog.size", "0\n".into())
    );
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    let answer = bench.send(&log.request(3, 7));
    assert_eq!(
        (answer.status(), answer.content_type(), answer.body()),
        (409, "text/x.tlog.size", "5\n".into())
    );
    let served = Served::new(bench, Limits::default());
    let said = served.post(&log.request(3, 7));
    assert!(
        said.contains("\r\ncontent-type: text/x.tlog.size\r\n") && said.ends_with("\r\n\r\n5\n"),
        "{said}"
    );
}

#[test]
fn a_client_may_ask_for_the_size_with_an_old_size_of_zero() {
    let (log, bench) = log_and_bench();
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    assert_eq!(bench.say(&log.request(0, 9)), "409 5");
}

#[test]
fn the_proof_is_a_consistency_proof_or_the_request_is_unprocessable() {
    let log = Log::honest("log.example");
    for old in 1..20 {
        for size in old + 1..20 {
            let bench = Bench::new(&[&log]);
            assert_eq!(bench.status(&log.request(0, old)), 200);
            let mut request = log.request(old, size);
            request.proof[0].0[0] ^= 1;
            assert_eq!(bench.status(&request), 422, "{old} {size}");
            request = log.request(old, size);
            request.proof.push(Hash::leaf(b"x"));
            assert_eq!(bench.status(&request), 422, "{old} {size}");
            request.proof.truncate(log.proof(old, size).len() - 1);
            assert_eq!(bench.status(&request), 422, "{old} {size}");
            assert_eq!(bench.status(&log.request(old, size)), 200, "{old} {size}");
        }
    }
}

#[test]
fn the_proof_is_empty_if_the_old_size_is_zero() {
    let (log, bench) = log_and_bench();
    let mut request = log.request(0, 5);
    request.proof = vec![Hash::leaf(b"x")];
    assert_eq!(bench.status(&request), 422);
    request = log.request(0, 0);
    request.proof = vec![Hash::leaf(b"x")];
    assert_eq!(bench.status(&request), 422);
    assert_eq!(bench.recorded(&log), None);
}

#[test]
fn a_tree_of_no_leaves_has_the_root_of_one() {
    let (log, bench) = log_and_bench();
    let checkpoint = Checkpoint::new("log.example", 0, Hash::leaf(b"x")).sign(&log.key);
    assert_eq!(bench.status(&AddCheckpoint { old: 0, proof: Vec::new(), checkpoint }), 422);
    assert_eq!(bench.status(&log.request(0, 0)), 200);
    assert_eq!(bench.recorded(&log), Some(0));
    assert_eq!(bench.status(&log.request(0, 5)), 200, "and it grows from there");
}

#[test]
fn at_equal_sizes_the_roots_are_the_same() {
    let (log, bench) = log_and_bench();
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    assert_eq!(bench.status(&Log::forked("log.example", 2).request(5, 5)), 422);
    let mut request = log.request(5, 5);
    request.proof = vec![Hash::leaf(b"x")];
    assert_eq!(bench.status(&request), 422, "nothing leads from a tree to itself");
}

#[test]
fn the_same_checkpoint_is_cosigned_again_at_a_later_time() {
    let (log, mut bench) = log_and_bench();
    assert!(matches!(bench.send(&log.request(0, 5)), Answer::Cosigned { time: NOW, .. }));
    bench.now = NOW + 60;
    let Answer::Cosigned { time, .. } = bench.send(&log.request(5, 5)) else { panic!("cosigned") };
    assert_eq!(time, NOW + 60);
    let again = Bench::over(vec![cosigner("w.example", 1)], &[&log], bench.cells.clone());
    assert!(
        matches!(again.send(&log.request(5, 5)), Answer::Cosigned { time, .. } if time == NOW + 60),
        "the later time was recorded, and survives"
    );
}

#[test]
fn what_fails_with_a_valid_signature_is_kept_and_not_cosigned() {
    let (log, bench) = log_and_bench();
    let liar = Log::forked("log.example", 2);
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    assert_eq!(bench.status(&liar.request(5, 5)), 422);
    assert_eq!(bench.status(&liar.request(0, 5)), 409);
    assert_eq!(bench.status(&liar.request(9, 5)), 400);
    assert_eq!(bench.kinds(), [Kind::Fork; 3], "whatever the client is answered");
    assert_eq!(bench.status(&liar.request(5, 7)), 422);
    assert_eq!(bench.status(&log.request(0, 3)), 409);
    assert_eq!(bench.status(&liar.request(0, 7)), 409, "another old size shows nothing");
    assert_eq!(bench.kinds()[3..], [Kind::Unproven, Kind::Smaller]);
    assert_eq!(bench.recorded(&log), Some(5));

    let exhibits = bench.exhibits.0.lock().expect("no panic");
    let bytes = exhibits[0].to_bytes();
    let parts = Exhibit::parse(&bytes).expect("evidence");
    let recorded = Note::parse(parts.recorded.expect("a record")).expect("a note");
    let request = AddCheckpoint::parse(parts.request).expect("a request");
    let keys = [log.key.verifier().clone()];
    let text =
        |note: &Note| Checkpoint::parse(note.verify(&keys).expect("signed").text).expect("a checkpoint");
    let (a, b) = (text(&recorded), text(&request.checkpoint));
    assert!(parts.time == NOW && a.size == b.size && a.root != b.root, "the file alone proves the fork");
}

#[test]
fn strangers_cannot_make_evidence() {
    let (log, bench) = log_and_bench();
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    let stranger = SignerKey::from_seed("log.example", KeyKind::Ed25519, &[99; 32]).expect("a name");
    let checkpoint = Log::forked("log.example", 2).checkpoint(5).sign(&stranger);
    assert_eq!(bench.status(&AddCheckpoint { old: 5, proof: Vec::new(), checkpoint }), 403);
    assert_eq!(bench.kinds(), []);
}

#[test]
fn success_answers_cosignature_lines_of_all_keys_and_nothing_else() {
    let log = Log::honest("log.example");
    let keys = vec![cosigner("w.example/1", 1), cosigner("w.example/2", 2)];
    let bench = Bench::with_keys(keys, &[&log]);
    let mut request = log.request(0, 5);
    request.checkpoint = {
        let mut checkpoint = log.checkpoint(5);
        checkpoint.extensions.push("an extension".into());
        checkpoint.sign(&log.key)
    };
    let answer = bench.send(&request);
    assert_eq!((answer.status(), answer.content_type()), (200, "text/plain; charset=utf-8"));
    let body = answer.body();
    assert!(body.ends_with('\n') && body.lines().all(|line| line.starts_with('—')), "{body}");
    let lines = parse_cosignatures(body.as_bytes()).expect("lines");
    let times: Vec<Option<u64>> = lines
        .iter()
        .zip(bench.witness.verifiers())
        .map(|(line, key)| cosignature::verify(request.checkpoint.unverified_text(), line, key))
        .collect();
    assert_eq!(times, [Some(NOW), Some(NOW)], "over the whole text, with the time of the clock");
}

#[test]
fn the_timestamp_is_not_zero() {
    let (log, mut bench) = log_and_bench();
    for now in [0, u64::MAX, i64::MAX as u64 + 1] {
        bench.now = now;
        assert_eq!(bench.status(&log.request(0, 5)), 500);
    }
    assert_eq!(bench.recorded(&log), None);
}

#[test]
fn the_timestamp_never_goes_back() {
    let (log, mut bench) = log_and_bench();
    assert_eq!(bench.status(&log.request(0, 5)), 200);
    bench.now = NOW - 300;
    let answer = bench.send(&log.request(5, 6));
    assert!(matches!(answer, Answer::Cosigned { time: NOW, .. }), "a corrected clock: {answer}");
    bench.now = NOW - 301;
    assert_eq!(
        bench.send(&log.request(6, 7)).to_string(),
        "could not serve `log.example`: the clock shows 1699999699, but the last cosignature of this log is of 1700000000"
    );
    assert_eq!(bench.recorded(&log), Some(6));
}

#[test]
fn it_is_recorded_before_it_is_answered() {
    let (log, bench) = log_and_bench();
    let Answer::Cosigned { lines, .. } = bench.send(&log.request(0, 5)) else { panic!("cosigned") };
    let recorded = bench.cells.with(|state| state.memory.cells.values().next().cloned()).expect("a record");
    let recorded = String::from_utf8(recorded).expect("text");
    assert!(recorded.ends_with(&lines), "what was answered stands in the cell");
    bench.cells.with(|state| state.swaps.push_back(Some(crate::helpers::Fault::Before)));
    assert_eq!(
        bench.say(&log.request(5, 7)),
        "500 the witness failed",
        "what is not recorded is not answered"
    );
}

#[test]
fn check_and_record_are_one() {
    // The race of the specification: A with size N is checked, then B with N+K is checked, recorded and answered. A must not be
    // recorded after that. Two witnesses over one cell stand for the two requests at their worst.
    let log = Log::honest("log.example");
    let cells = TestCells::default();
    let over = || Bench::over(vec![cosigner("w.example", 1)], &[&log], cells.clone());
    let (a, b) = (over(), over());
    assert_eq!((a.recorded(&log), b.recorded(&log)), (None, None), "both have read the same");
    assert_eq!(b.status(&log.request(0, 9)), 200);
    assert_eq!(a.say(&log.request(0, 5)), "409 9");
    assert_eq!((a.recorded(&log), b.recorded(&log)), (Some(9), Some(9)));
}

#[test]
fn monitors_get_the_latest_cosigned_checkpoint() {
    let (log, bench) = log_and_bench();
    let key = bench.witness.verifiers()[0].clone();
    let served = Served::new(bench, Limits::default());
    let path = format!("/w/{}/checkpoint", hash_of(&log));
    assert_eq!(status_of(&served.get(&path)), 404, "nothing yet");
    for (old, size) in [(0, 3), (3, 8)] {
        assert_eq!(status_of(&served.post(&log.request(old, size))), 200);
        let said = served.get(&path);
        assert!(said.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{said}");
        let note = said.split_once("\r\n\r\n").expect("a body").1;
        let note = Note::parse(note.as_bytes()).expect("a note");
        let keys = [log.key.verifier().clone(), key.clone()];
        let text = note.verify(&keys).expect("signed");
        assert_eq!(text.by.len(), 2, "the log's signature and the cosignature");
        assert_eq!(Checkpoint::parse(text.text).expect("a checkpoint").size, size);
    }
    assert_eq!(status_of(&served.get("/w/00/checkpoint")), 404);
    assert_eq!(
        status_of(
            &served.get(&path.to_uppercase().replace("/W/", "/w/").replace("CHECKPOINT", "checkpoint"))
        ),
        404
    );
}

#[test]
fn a_witness_key_makes_cosignatures_and_serves_one_name() {
    let log = Log::honest("log.example");
    let new = |keys, logs: Vec<VerifierKey>| Witness::new(keys, logs, TestCells::default(), ()).err();
    let log_key = || vec![log.key.verifier().clone()];
    assert_eq!(new(Vec::new(), log_key()), Some(WitnessError::NoKey));
    let note_key = SignerKey::from_seed("w.example", KeyKind::Ed25519, &[1; 32]).expect("a name");
    assert_eq!(new(vec![note_key], log_key()), Some(WitnessError::Kind("w.example".into())));
    let twice = vec![cosigner("w.example/1", 1), cosigner("w.example/2", 1)];
    assert_eq!(new(twice, log_key()), Some(WitnessError::Twice("w.example/2".into())));
    let shared = cosigner("w.example", "log.example".bytes().fold(1, u8::wrapping_add));
    assert_eq!(new(vec![shared], log_key()), Some(WitnessError::Twice("log.example".into())));
    let cosigning_log = vec![cosigner("log.example", 7).verifier().clone()];
    assert_eq!(
        new(vec![cosigner("w.example", 1)], cosigning_log),
        Some(WitnessError::UnreadableLog("log.example".into()))
    );
}
