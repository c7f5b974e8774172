//! Clauses of the C2SP specifications that no other test shows. The list of all clauses with their tests is
//! docs/specs/tlog-clauses.md; the last test here sees to it that each test named there exists.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use tlog::cosignature::{self, cosign};
use tlog::key::KeyKind;
use tlog::memory::Memory;
use tlog::note::Signature;
use tlog::storage::{CHECKPOINT, Cause, Source};
use tlog::tile::{self, FULL_TILE_BYTES, Level, Tile};
use tlog::writer::Writer;
use tlog::{Checkpoint, Hash, Note, Policy, Proof, SignerKey, fsck, history, merkle, reader};

fn key(name: &str, kind: KeyKind, seed: u8) -> SignerKey {
    SignerKey::from_seed(name, kind, &[seed; 32]).expect("a name")
}

fn log_key() -> SignerKey {
    key("log.example", KeyKind::Ed25519, 1)
}

fn witness_key(seed: u8) -> SignerKey {
    key(&format!("w{seed}.example"), KeyKind::CosignatureV1, seed)
}

fn entries(from: u64, to: u64) -> Vec<Vec<u8>> {
    (from..to).map(|index| index.to_be_bytes().to_vec()).collect()
}

/// A log that was published at each of these sizes.
fn log(sizes: &[u64]) -> Memory {
    let mut writer = Writer::create(Memory::default(), log_key()).expect("new");
    for &size in sizes {
        writer.append(&entries(writer.signed().size, size)).expect("memory");
        writer.publish(&[]).expect("memory");
    }
    writer.into_storage()
}

fn is_good(log: &dyn Source) -> bool {
    let options = fsck::Options { threads: 1, progress: &|_| {} };
    fsck::check(log, log_key().verifier(), &options).is_ok_and(|report| report.is_good())
}

// ---- tlog-tiles ----

#[test]
fn the_checkpoint_is_published_with_a_signature_of_the_log() {
    let log = log(&[5]);
    let (checkpoint, note) = reader::checkpoint(&log, log_key().verifier()).expect("`checkpoint`");
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("log.example", 5));
    let of_log = note.signatures().iter().filter(|signature| signature.is_of(log_key().verifier()));
    assert_eq!(of_log.map(|signature| signature.bytes.len()).collect::<Vec<_>>(), [64], "one of Ed25519");
}

#[test]
fn full_tiles_have_256_hashes_and_none_is_empty() {
    for size in [0, 1, 255, 256, 257, 512, 70_000] {
        let log = log(&[size]);
        let mut published: BTreeSet<Tile> = BTreeSet::new();
        for (path, bytes) in log.files.iter().filter(|(path, _)| *path != CHECKPOINT) {
            let tile = Tile::parse(path).expect("a path of the specification");
            assert!(!bytes.is_empty(), "{path}");
            if tile.level != Level::Entries {
                assert_eq!(bytes.len(), tile.byte_len(), "{path}");
                assert!(!tile.is_full() || bytes.len() == FULL_TILE_BYTES, "{path}");
            }
            published.insert(tile);
        }
        assert_eq!(
            published,
            tile::all(size).collect(),
            "size {size}: all that must be served, and nothing else"
        );
    }
}

#[test]
fn a_partial_tile_is_not_hashed_into_the_level_above() {
    let log = log(&[511]);
    let leaves: Vec<Hash> = entries(0, 256).iter().map(|entry| Hash::leaf(entry)).collect();
    assert_eq!(
        log.files["tile/1/000.p/1"],
        merkle::root(&leaves).0,
        "of 511 leaves, 256 are hashed into level 1"
    );
}

#[test]
fn each_size_that_was_published_can_still_be_read() {
    let sizes = [1, 7, 200, 256, 300, 600, 1025];
    let log = log(&sizes);
    let leaves: Vec<Hash> = entries(0, 1025).iter().map(|entry| Hash::leaf(entry)).collect();
    for size in sizes {
        let root = merkle::root(&leaves[..size as usize]);
        assert_eq!(reader::root(&log, size).expect("tiles"), root, "size {size}");
        assert_eq!(reader::entry(&log, size, size - 1).expect("a bundle"), (size - 1).to_be_bytes());
    }
}

#[test]
fn partial_tiles_go_once_the_full_one_is_there() {
    let before = log(&[1, 7, 200]);
    let has = |log: &Memory, path: &str| log.files.contains_key(path);
    for path in ["tile/0/000.p/1", "tile/0/000.p/7", "tile/0/000.p/200", "tile/entries/000.p/7"] {
        assert!(has(&before, path), "{path}");
    }
    let after = log(&[1, 7, 200, 300]);
    assert!(!after.files.keys().any(|path| path.contains("/000.p/") && !path.starts_with("tile/1/")));
    assert!(has(&after, "tile/0/000") && has(&after, "tile/entries/000") && has(&after, "tile/0/001.p/44"));
}

/// A log that remembers which files were asked for.
struct Watched<'l>(&'l Memory, Mutex<Vec<String>>);

impl<'l> Watched<'l> {
    fn new(log: &'l Memory) -> Self {
        Self(log, Mutex::new(Vec::new()))
    }

    fn asked(self) -> Vec<String> {
        self.1.into_inner().expect("no panic")
    }
}

impl Source for Watched<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Cause> {
        self.1.lock().expect("no panic").push(path.to_owned());
        self.0.read(path)
    }
}

#[test]
fn no_tile_is_fetched_before_a_checkpoint_that_asks_for_it_was_verified() {
    let mut log = log(&[300]);
    let watched = Watched::new(&log);
    assert!(is_good(&watched));
    let asked = watched.asked();
    assert_eq!(asked[0], CHECKPOINT);
    let needed: Vec<String> = tile::all(300).map(|tile| tile.to_string()).collect();
    assert_eq!(asked[1..].iter().collect::<BTreeSet<_>>(), needed.iter().collect());
    // The same checkpoint with another size is not signed, so nothing more is asked for.
    let forged = String::from_utf8(log.files[CHECKPOINT].clone()).expect("text").replacen("300", "299", 1);
    log.files.insert(CHECKPOINT.to_owned(), forged.into_bytes());
    let watched = Watched::new(&log);
    assert!(!is_good(&watched));
    assert_eq!(watched.asked(), [CHECKPOINT]);
}

#[test]
fn the_full_tile_serves_where_the_partial_one_is_gone() {
    let mut grown = log(&[300]);
    let older = log(&[200]);
    // Somebody who holds the checkpoint of 200 reads a log that has gone on and cleaned up.
    grown.files.insert(CHECKPOINT.to_owned(), older.files[CHECKPOINT].clone());
    assert!(!grown.files.contains_key("tile/0/000.p/200"));
    assert!(is_good(&grown));
    let (checkpoint, note) = reader::checkpoint(&grown, log_key().verifier()).expect("signed");
    let (entry, proof) = reader::prove(&grown, &checkpoint, &note, 150).expect("the full tile");
    assert!(proof.verify(&entry, &Policy::of_log(log_key().verifier().clone())).is_ok());
}

#[test]
fn nothing_is_ever_pruned() {
    let mut log = log(&[10, 300, 700]);
    for index in 0..700_u64 {
        assert_eq!(reader::entry(&log, 700, index).expect("there"), index.to_be_bytes());
    }
    // And a log that was pruned does not pass for whole.
    log.files.remove("tile/entries/000");
    assert!(!is_good(&log));
}

// ---- tlog-cosignature ----

#[test]
fn a_cosigner_may_be_named_by_an_object_identifier() {
    let cosigner = key("oid/1.3.6.1.4.1.32473.1", KeyKind::CosignatureV1, 3);
    let text = cosigner.verifier().to_string();
    assert_eq!(tlog::VerifierKey::parse(&text).as_ref(), Ok(cosigner.verifier()));
}

#[test]
fn a_cosignature_is_a_time_and_64_bytes_and_nothing_else() {
    let checkpoint = Checkpoint::new("log.example", 3, Hash::leaf(b""));
    let good = cosign(&checkpoint, &witness_key(2), 1_700_000_000);
    assert_eq!(good.bytes.len(), 72);
    assert_eq!(good.bytes[..8], 1_700_000_000_u64.to_be_bytes());
    let says = |bytes: &[u8]| {
        let signature = Signature { bytes: bytes.to_vec(), ..good.clone() };
        cosignature::verify(&checkpoint.to_string(), &signature, witness_key(2).verifier())
    };
    assert_eq!(says(&good.bytes), Some(1_700_000_000));
    assert_eq!(says(&good.bytes[..71]), None);
    assert_eq!(says(&[&good.bytes[..], &[0]].concat()), None);
    assert_eq!(says(&good.bytes[8..]), None);
}

#[test]
fn lines_of_unknown_cosigners_are_ignored() {
    let text = format!("log {}\nwitness w {}\nquorum w\n", log_key().verifier(), witness_key(2).verifier());
    let policy = Policy::parse(text.as_bytes()).expect("a policy");
    let checkpoint = Checkpoint::new("log.example", 3, Hash::leaf(b""));
    let mut note = checkpoint.sign(&log_key());
    note.add(cosign(&checkpoint, &witness_key(3), 5));
    assert!(policy.verify(&note).is_err());
    // The name of the known one with another key, and the known id under another name.
    note.add(cosign(&checkpoint, &key("w2.example", KeyKind::CosignatureV1, 9), 5));
    note.add(Signature { name: "w9.example".into(), ..cosign(&checkpoint, &witness_key(2), 5) });
    assert!(policy.verify(&note).is_err());
    note.add(cosign(&checkpoint, &witness_key(2), 5));
    assert_eq!(policy.verify(&note).expect("a quorum").1.len(), 1);
}

#[test]
fn extension_lines_change_no_verdict() {
    let plain = Checkpoint::new("log.example", 3, Hash::leaf(b""));
    let mut extended = plain.clone();
    extended.extensions.push("anything".into());
    assert_eq!(history::judge(&plain, &extended, &[]), history::Verdict::Same);
}

// ---- tlog-checkpoint ----

#[test]
fn an_origin_may_have_any_form() {
    for origin in ["https://log.example/", "two words", "a+b", "é", "—"] {
        let checkpoint = Checkpoint::new(origin, 3, Hash::leaf(b""));
        assert_eq!(Checkpoint::parse(&checkpoint.to_string()), Ok(checkpoint));
    }
}

#[test]
fn a_log_is_named_by_its_key_and_writes_no_extension_lines() {
    let writer = Writer::create(Memory::default(), log_key()).expect("new");
    assert_eq!(writer.signed().origin, log_key().verifier().name());
    assert!(writer.signed().extensions.is_empty());
    assert_eq!(writer.signed().to_string().lines().count(), 3);
}

#[test]
fn a_number_above_64_bits_is_no_tree_size() {
    let text = |size: &str| format!("log.example\n{size}\n{}\n", Hash::EMPTY_ROOT);
    assert!(Checkpoint::parse(&text("18446744073709551615")).is_ok());
    assert!(Checkpoint::parse(&text("18446744073709551616")).is_err());
    assert!(Checkpoint::parse(&text("0")).is_ok());
    assert!(Checkpoint::parse(&text("00")).is_err());
}

// ---- signed-note ----

#[test]
fn sixteen_lines_of_a_large_algorithm_are_accepted() {
    let mut note = Note::sign("text\n", &log_key());
    for id in 1..16 {
        // "Post-quantum signatures can be up to nearly 5kB in size."
        note.add(Signature { name: "pq.example".into(), id, bytes: vec![id as u8; 5000] });
    }
    let read = Note::parse(note.to_string().as_bytes()).expect("a note");
    assert_eq!(read.signatures().len(), 16);
    assert!(read.verify(&[log_key().verifier().clone()]).is_ok());
}

#[test]
fn every_control_character_but_newline_is_refused() {
    let note = Note::sign("text here\n", &log_key()).to_string();
    for byte in 0..=0x7f_u8 {
        let with = note.replacen(' ', &char::from(byte).to_string(), 1);
        assert_eq!(Note::parse(with.as_bytes()).is_ok(), byte >= 0x20 || byte == b'\n', "{byte:#04x}");
    }
}

// ---- tlog-proof ----

fn proof() -> (Vec<u8>, Proof, Policy, Vec<u8>) {
    let log = log(&[300]);
    let (checkpoint, note) = reader::checkpoint(&log, log_key().verifier()).expect("signed");
    let (entry, proof) = reader::prove(&log, &checkpoint, &note, 73).expect("a proof");
    (entry, proof, Policy::of_log(log_key().verifier().clone()), log.files[CHECKPOINT].clone())
}

#[test]
fn extra_data_is_kept_and_proves_nothing() {
    let (entry, mut proof, policy, _) = proof();
    let without = proof.verify(&entry, &policy);
    assert!(without.is_ok() && !proof.to_string().contains("extra"));
    for extra in [&b""[..], b"any", &[0xff; 300]] {
        proof.extra = Some(extra.to_vec());
        let read = Proof::parse(proof.to_string().as_bytes()).expect("a proof");
        assert_eq!(read.extra.as_deref(), Some(extra));
        assert_eq!(read.verify(&entry, &policy), without);
    }
}

#[test]
fn a_proof_ends_with_the_checkpoint_as_it_was_published() {
    let (_, proof, _, checkpoint) = proof();
    let text = proof.to_string().into_bytes();
    assert!(text.ends_with(&checkpoint));
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    assert_eq!((lines[0], lines[1]), (&b"c2sp.org/tlog-proof@v1"[..], &b"index 73"[..]));
    let leaves: Vec<Hash> = entries(0, 300).iter().map(|entry| Hash::leaf(entry)).collect();
    assert_eq!(lines[2], leaves[72].to_base64().as_bytes(), "the leaf's sibling comes first");
    assert_eq!(lines[10], merkle::root(&leaves[256..]).to_base64().as_bytes(), "the root's child comes last");
    assert_eq!(lines[11], b"");
}

// ---- tlog-policy ----

#[test]
fn any_listed_log_will_do_and_each_stands_there_once() {
    let other = key("other.example", KeyKind::Ed25519, 7);
    let text = format!("log {}\nlog {}\nquorum none\n", log_key().verifier(), other.verifier());
    let policy = Policy::parse(text.as_bytes()).expect("a policy");
    for key in [log_key(), other] {
        let note = Checkpoint::new(key.verifier().name(), 3, Hash::leaf(b"")).sign(&key);
        assert!(policy.verify(&note).is_ok());
    }
    // The name of one log under the key of the other.
    let crossed = Checkpoint::new("other.example", 3, Hash::leaf(b"")).sign(&log_key());
    assert!(policy.verify(&crossed).is_err());
    // One key under two names is one key.
    let again = key("again.example", KeyKind::Ed25519, 1);
    let text = format!("log {}\nlog {}\nquorum none\n", log_key().verifier(), again.verifier());
    assert_eq!(Policy::parse(text.as_bytes()).expect_err("twice").line, 2);
}

#[test]
fn a_policy_takes_the_octets_of_the_specification() {
    for byte in 0..=255_u8 {
        let allowed = matches!(byte, b'\t' | b'\n' | 0x20..=0x7e | 0x80..);
        let text = [b"# ", &[byte][..], b" #\nquorum none\n"].concat();
        let read = Policy::parse(&text);
        // After a newline, the rest of the comment is a comment again.
        assert_eq!(read.is_ok(), allowed, "{byte:#04x}");
    }
}

/// Names are octets: K is not the Kelvin sign, and a byte that is no UTF-8 is not the text in which it is shown.
#[test]
fn names_of_a_policy_are_octets() {
    let policy = |a: &[u8], b: &[u8], quorum: &[u8]| {
        let line = |name: &[u8], seed| {
            [b"witness ", name, b" ", witness_key(seed).verifier().to_string().as_bytes(), b"\n"].concat()
        };
        let log = format!("log {}\n", log_key().verifier());
        let text = [log.as_bytes(), &line(a, 2), &line(b, 3), b"quorum ", quorum, b"\n"].concat();
        Policy::parse(&text).expect("a policy")
    };
    let checkpoint = Checkpoint::new("log.example", 3, Hash::leaf(b""));
    let by = |seed| {
        let mut note = checkpoint.sign(&log_key());
        note.add(cosign(&checkpoint, &witness_key(seed), 5));
        note
    };
    for (a, b) in
        [(&b"K"[..], &b"\xe2\x84\xaa"[..]), (b"\xff", br"\xff"), (br"\\", br"\x5c"), (b"a\xff", b"a\xfe")]
    {
        assert!(policy(a, b, a).verify(&by(2)).is_ok(), "{a:?}");
        assert!(policy(a, b, b).verify(&by(3)).is_ok(), "{b:?}");
        assert!(policy(a, b, a).verify(&by(3)).is_err(), "{b:?} passes for {a:?}");
        assert!(policy(a, b, b).verify(&by(2)).is_err(), "{a:?} passes for {b:?}");
    }
}

#[test]
fn a_threshold_is_a_decimal_number_from_one_to_all() {
    let policy = |needs: &str| {
        let mut text = String::new();
        for seed in 2..5 {
            text.push_str(&format!("witness w{seed} {}\n", witness_key(seed).verifier()));
        }
        text.push_str(&format!("group g {needs} w2 w3 w4\nquorum g\n"));
        Policy::parse(text.as_bytes()).is_ok()
    };
    let good = ["1", "2", "3", "any", "all"].map(policy);
    assert_eq!(good, [true; 5]);
    let bad = ["0", "4", "-1", "+1", "1.0", "0x1", "half", "ALL", "18446744073709551617"].map(policy);
    assert_eq!(bad, [false; 9]);
}

// ---- the list itself ----

#[test]
fn each_test_that_the_list_of_clauses_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let list = std::fs::read_to_string(root.join("docs/specs/tlog-clauses.md")).expect("the list");
    let mut named = 0;
    for row in list.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, _, shown] = cells[..] else { panic!("three cells: {row}") };
        if shown == "Shown by" || shown.starts_with("not done: ") {
            continue;
        }
        // `note::tests::name`, `vectors::name`; `store/log_faults::name` for another crate.
        for test in shown.split(", ") {
            let path = test
                .strip_prefix('`')
                .and_then(|test| test.strip_suffix('`'))
                .unwrap_or_else(|| panic!("{row}"));
            let (module, name) = path.split_once("::").expect(path);
            let name = name.trim_start_matches("tests::");
            let (package, module) = module.split_once('/').unwrap_or(("tlog", module));
            let folder = root.join("crates").join(package);
            let files = ["src", "tests"].map(|kind| folder.join(kind).join(format!("{module}.rs")));
            let text = files.iter().find_map(|file| std::fs::read_to_string(file).ok()).expect(path);
            assert!(text.contains(&format!("fn {name}(")), "no test `{path}`");
            named += 1;
        }
    }
    assert!(named > 60, "{named} tests are named");
}
