//! The tamper game: one byte of a log or of a proof is changed, ten thousand times. Each change is caught and its file named,
//! or it is in the published list of bytes without effect (docs/specs/bytes-without-effect.md).

use std::collections::BTreeMap;

use oorandom::Rand64;
use tlog::cosignature::cosign;
use tlog::key::KeyKind;
use tlog::memory::Memory;
use tlog::note::{Note, Signature};
use tlog::storage::CHECKPOINT;
use tlog::writer::Writer;
use tlog::{Policy, Proof, SignerKey, fsck, reader};

fn key(name: &str, kind: KeyKind) -> SignerKey {
    SignerKey::from_seed(name, kind, &[name.len() as u8; 32]).expect("a name")
}

fn log_key() -> SignerKey {
    key("log.example/tamper", KeyKind::Ed25519)
}

fn policy() -> Policy {
    let witness = key("w.example", KeyKind::CosignatureV1);
    let text = format!("log {}\nwitness w {}\nquorum w\n", log_key().verifier(), witness.verifier());
    Policy::parse(text.as_bytes()).expect("a policy")
}

fn unknown_line() -> Signature {
    Signature { name: "unknown.example".into(), id: 7, bytes: vec![7; 72] }
}

/// Appends, and publishes with a cosignature of a known witness and a line of somebody unknown.
fn grow(writer: &mut Writer<Memory>, entries: &[Vec<u8>]) {
    writer.append(entries).expect("memory");
    let known = cosign(writer.signed(), &key("w.example", KeyKind::CosignatureV1), 1000);
    writer.publish(&[known, unknown_line()]).expect("memory");
}

/// Why the log is not to be believed, beginning with the file; nothing if it is.
fn judge(log: &Memory) -> Option<String> {
    let options = fsck::Options { threads: 1, progress: &|_| {} };
    let report = match fsck::check(log, log_key().verifier(), &options) {
        Ok(report) => report,
        Err(error) => return Some(format!("{CHECKPOINT}: {error}")),
    };
    if let Some(problem) = report.problems.first() {
        return Some(format!("{}: {problem}", problem.path()));
    }
    policy().verify(&report.note).err().map(|refusal| format!("{CHECKPOINT}: {refusal}"))
}

#[test]
fn every_changed_byte_of_a_log_is_caught_and_its_place_named() {
    let mut writer = Writer::create(Memory::default(), log_key()).expect("new");
    let mut random = Rand64::new(1);
    for batch in [3, 200, 90, 256, 30, 7] {
        let first = writer.signed().size;
        let entry = |i: u64| vec![i as u8; (i % 23) as usize].into_iter().chain(i.to_be_bytes()).collect();
        grow(&mut writer, &(first..first + batch).map(entry).collect::<Vec<_>>());
    }
    let log = writer.into_storage();
    assert_eq!(judge(&log), None);
    // The checkpoint is small and matters most, so it is struck as often as everything else together.
    let is_checkpoint = |(path, _): &(&String, usize)| path.as_str() == CHECKPOINT;
    let places = log.files.iter().flat_map(|(path, bytes)| (0..bytes.len()).map(move |at| (path, at)));
    let (checkpoint, others): (Vec<_>, Vec<_>) = places.partition(is_checkpoint);
    let unknown_from = log.files[CHECKPOINT].len() - unknown_line().to_line().len();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for round in 0..10_000 {
        let places = if round % 2 == 0 { &checkpoint } else { &others };
        let (path, at) = places[random.rand_range(0..places.len() as u64) as usize];
        let change = random.rand_range(1..256) as u8;
        let mut tampered = log.clone();
        tampered.files.get_mut(path).expect("chosen")[at] ^= change;
        let context = format!("round {round}: `{path}` byte {at} ^ {change:#04x}");
        let Some(verdict) = judge(&tampered) else {
            assert!(path == CHECKPOINT && at >= unknown_from, "{context}: not caught");
            *seen.entry("without effect").or_default() += 1;
            continue;
        };
        assert!(verdict.starts_with(&format!("{path}: ")), "{context}: {verdict}");
        // Of a tile the very byte is named; of a bundle the entry, whose bytes stand in the verdict.
        if path.starts_with("tile/entries") {
            *seen.entry("entry").or_default() += 1;
        } else if path.starts_with("tile/") {
            assert!(verdict.contains(&format!("byte {at} ")), "{context}: {verdict}");
            *seen.entry("byte of a tile").or_default() += 1;
        } else {
            *seen.entry("checkpoint").or_default() += 1;
        }
    }
    println!("{seen:?}");
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn every_changed_byte_of_a_proof_is_caught() {
    let mut writer = Writer::create(Memory::default(), log_key()).expect("new");
    let entries: Vec<Vec<u8>> = (0..300_u16).map(|i| i.to_be_bytes().to_vec()).collect();
    grow(&mut writer, &entries);
    let log = writer.into_storage();
    let (checkpoint, note) = reader::checkpoint(&log, log_key().verifier()).expect("signed");
    let (entry, mut proof) = reader::prove(&log, &checkpoint, &note, 123).expect("covered");
    proof.extra = Some(b"for the reader".to_vec());
    let text = proof.to_string().into_bytes();
    let is_good = |text: &[u8]| Proof::parse(text).is_ok_and(|proof| proof.verify(&entry, &policy()).is_ok());
    assert!(is_good(&text));
    let line_of = |at: usize| text[..at].iter().filter(|byte| **byte == b'\n').count();
    let last_line = line_of(text.len() - 1);
    let mut random = Rand64::new(2);
    let mut without_effect = 0;
    for round in 0..10_000 {
        let at = random.rand_range(0..text.len() as u64) as usize;
        let change = random.rand_range(1..256) as u8;
        let mut tampered = text.clone();
        tampered[at] ^= change;
        if is_good(&tampered) {
            // Line 2 is the extra data; the last is the signature of somebody unknown.
            let is_listed = line_of(at) == 1 || line_of(at) == last_line;
            assert!(is_listed, "round {round}: byte {at} ^ {change:#04x} was not caught");
            without_effect += 1;
        }
    }
    println!("{without_effect} of 10000 changes without effect");
}

#[test]
fn ten_thousand_untouched_logs_raise_no_alarm() {
    let mut random = Rand64::new(3);
    let mut n_logs = 0;
    while n_logs < 10_000 {
        let mut writer = Writer::create(Memory::default(), log_key()).expect("new");
        assert!(
            judge(writer.storage()).is_some_and(|verdict| verdict.contains("quorum")),
            "nobody has cosigned"
        );
        // Mostly small logs, looked at after every batch; now and then one over the edge of a tile.
        for step in 0..40 {
            let is_large = step == 35 && random.rand_u64().is_multiple_of(8);
            let batch = if is_large { 260 } else { random.rand_range(1..8) };
            let mut entry =
                || (0..random.rand_range(0..30)).map(|_| random.rand_u64() as u8).collect::<Vec<u8>>();
            let entries: Vec<Vec<u8>> = (0..batch).map(|_| entry()).collect();
            grow(&mut writer, &entries);
            assert_eq!(judge(writer.storage()), None);
            n_logs += 1;
        }
    }
}

/// Two things wrong at once: what can be trusted of the rest is said, and nothing is called authentic that is not.
#[test]
fn a_lie_that_fits_itself_does_not_fit_the_checkpoint() {
    let log_of = |first: u16| {
        let mut writer = Writer::create(Memory::default(), log_key()).expect("new");
        grow(&mut writer, &(first..first + 600).map(|i| i.to_be_bytes().to_vec()).collect::<Vec<_>>());
        writer.into_storage()
    };
    let honest = log_of(0);
    // Somebody with the folder, and without the key, writes another history and keeps the checkpoint.
    let mut forged = log_of(1);
    forged.files.insert(CHECKPOINT.into(), honest.files[CHECKPOINT].clone());
    let verdict = judge(&forged).expect("another root");
    assert!(verdict.starts_with("checkpoint: the signed root is"), "{verdict}");
    // An entry and its hash, changed together.
    let mut forged = honest.clone();
    let bundle = forged.files.get_mut("tile/entries/001").expect("there");
    bundle[3] ^= 1;
    let leaf = tlog::Hash::leaf(&bundle[2..4]);
    forged.files.get_mut("tile/0/001").expect("there")[..32].copy_from_slice(&leaf.0);
    let verdict = judge(&forged).expect("neither side has the root");
    assert!(verdict.contains("the signed root is"), "{verdict}");
    assert_eq!(Note::parse(&forged.files[CHECKPOINT]).expect("whole").signatures().len(), 3);
}
