//! Definitions: what is read is written the same, byte for byte, and every unit of which a return is due has a centre. The bytes
//! are lines of a definition; those of keys, which a run from nothing would not find, stand before them.
#![no_main]

use std::sync::LazyLock;

use results::definition::Definition;
use tlog::SignerKey;
use tlog::key::KeyKind;

/// A head with keys, and the line of a centre's key. `{}` is where the input goes.
static HEAD: LazyLock<(String, String)> = LazyLock::new(|| {
    let key = |name: &str, kind, seed: u8| {
        SignerKey::from_seed(name, kind, &[seed; 32]).expect("a name").verifier().to_string()
    };
    let head = format!(
        "scrutineer-definition v1\nelection e\ntitle T\nday 2026-03-22\nzone UTC\ncloses 2026-03-22T19:00:00Z\n\
         embargo none\nleast-cast 10\nfresh-for 900\nthreshold 1\nauthority {}\npolicy log {}\npolicy witness w {}\n\
         policy quorum w\n",
        key("a", KeyKind::Ed25519, 1),
        key("l", KeyKind::Ed25519, 2),
        key("w", KeyKind::CosignatureV1, 3)
    );
    (head, format!("key {}\n", key("c", KeyKind::Ed25519, 4)))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    look(bytes);
    let (head, key) = &*HEAD;
    look(&[head.as_bytes(), bytes, key.as_bytes()].concat());
});

fn look(bytes: &[u8]) {
    let Ok(definition) = Definition::parse(bytes) else { return };
    assert_eq!(definition.to_string().as_bytes(), bytes);
    for unit in definition.reporting_units() {
        assert!(definition.centres.keys().any(|centre| definition.may_report(centre, unit)));
        assert!(definition.merged_above(unit).is_none_or(|merged| merged == unit));
        for contest in definition.contests.keys() {
            let _ = definition.is_held_in(contest, unit);
        }
    }
}
