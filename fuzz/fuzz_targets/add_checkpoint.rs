//! Requests to a witness. No bytes make it panic, and none of a stranger's get a cosignature or move the record.
#![no_main]

use std::sync::LazyLock;

use tlog::add_checkpoint::AddCheckpoint;
use tlog::hash::Hash;
use tlog::key::KeyKind;
use tlog::memory::Memory;
use tlog::{Checkpoint, SignerKey};
use witness::Witness;

const NOW: u64 = 1_700_000_000;

/// A checkpoint of three leaves, recorded.
static RECORDED: LazyLock<AddCheckpoint> = LazyLock::new(|| {
    let key = SignerKey::from_seed("log.example", KeyKind::Ed25519, &[1; 32]).expect("a name");
    let checkpoint = Checkpoint::new("log.example", 3, Hash::leaf(b"root")).sign(&key);
    AddCheckpoint { old: 0, proof: Vec::new(), checkpoint }
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let log = SignerKey::from_seed("log.example", KeyKind::Ed25519, &[1; 32]).expect("a name");
    let key = SignerKey::from_seed("w.example", KeyKind::CosignatureV1, &[2; 32]).expect("a name");
    let logs = [log.verifier().clone()];
    let witness = Witness::new(vec![key], logs, Memory::default(), ()).expect("a witness");
    let recorded = RECORDED.to_string();
    assert_eq!(witness.add_checkpoint(recorded.as_bytes(), NOW).status(), 200);
    let answer = witness.add_checkpoint(bytes, NOW);
    let _ = (answer.body(), answer.to_string());
    // The fuzzer has no key. All that it could have signed for is the recorded checkpoint itself.
    if answer.status() == 200 {
        let request = AddCheckpoint::parse(bytes).expect("a cosigned request");
        assert_eq!(request.checkpoint.unverified_text(), RECORDED.checkpoint.unverified_text());
    }
    assert_eq!(witness.records()[0].1.as_ref().ok(), Some(&Some(3)));
});
