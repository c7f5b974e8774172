//! The published vectors of other projects: what they say of each proof, note and log, and what `tlog` says. Where they
//! come from stands in `data/NOTICE`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER};
use serde::Deserialize;
use tlog::key::{KeyKind, VerifierKey};
use tlog::storage::{CHECKPOINT, Cause, Source};
use tlog::tile::{Level, Tile};
use tlog::{Checkpoint, Hash, Note, SignerKey, cosignature, fsck, merkle, reader, subtree};

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(data(path)).expect(path)
}

/// A case of any of the four kinds; what a kind does not have is zero or empty.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Case {
    file: String,
    leaf_idx: u64,
    tree_size: u64,
    size1: u64,
    size2: u64,
    start: u64,
    end: u64,
    size: u64,
    root: Bytes,
    leaf_hash: Bytes,
    root1: Bytes,
    root2: Bytes,
    proof: Option<Vec<Bytes>>,
    want_err: bool,
}

/// Bytes in base64, as Go writes them: `null` for none.
#[derive(Deserialize, Default)]
#[serde(from = "Option<String>")]
struct Bytes(Vec<u8>);

impl From<Option<String>> for Bytes {
    fn from(text: Option<String>) -> Self {
        Self(BASE64.decode(text.unwrap_or_default().as_bytes()).expect("base64"))
    }
}

impl Bytes {
    /// A hash has 32 bytes. Some vectors have other texts in the place of one, and that library compares them as they are.
    fn hash(&self, other: Other) -> Option<Hash> {
        match other {
            Other::Refused => Hash::from_slice(&self.0),
            Other::StandIn => Hash::from_slice(&self.0)
                .or_else(|| Some(tlog::hash::sha256(&[b"stand-in ", &self.0[..]].concat()))),
        }
    }
}

/// What becomes of a text that is no hash.
#[derive(Clone, Copy)]
enum Other {
    /// It never reaches the arithmetic, as in every format that is read here.
    Refused,
    /// A hash of it stands in for it, so that the arithmetic has its say too.
    StandIn,
}

impl Case {
    fn proof(&self, other: Other) -> Option<Vec<Hash>> {
        self.proof.iter().flatten().map(|bytes| bytes.hash(other)).collect()
    }
}

/// What came out of the cases of a kind.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    cases: usize,
    good: usize,
    /// Names of the cases where we say otherwise than the vector.
    differ: Vec<String>,
    /// The same, with stand-ins for what is no hash.
    differ_with_stand_ins: Vec<String>,
}

fn run(kind: &str, accept: impl Fn(&Case, Other) -> Option<bool>) -> Outcome {
    let cases: Vec<Case> = serde_json::from_str(&text(&format!("merkle/{kind}.json"))).expect("cases");
    let differ = |other| {
        let differ = cases.iter().filter(|case| accept(case, other).unwrap_or(false) == case.want_err);
        differ.map(|case| case.file.clone()).collect()
    };
    Outcome {
        cases: cases.len(),
        good: cases.iter().filter(|case| !case.want_err).count(),
        differ: differ(Other::Refused),
        differ_with_stand_ins: differ(Other::StandIn),
    }
}

/// What comes out if we differ in these cases alone.
fn outcome(cases: usize, good: usize, differ: &[&str], differ_with_stand_ins: &[&str]) -> Outcome {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Outcome { cases, good, differ: names(differ), differ_with_stand_ins: names(differ_with_stand_ins) }
}

#[test]
fn merkle_inclusion() {
    let accept = |case: &Case, other| {
        let (leaf, root) = (case.leaf_hash.hash(other)?, case.root.hash(other)?);
        Some(merkle::verify_inclusion(case.leaf_idx, case.tree_size, leaf, &case.proof(other)?, root).is_ok())
    };
    // With stand-ins, a tree of one leaf whose hash and whose root are both empty texts: equal, but no hashes.
    let stand_ins = ["single-entry/empty-root-and-leaf"];
    assert_eq!(run("inclusion", accept), outcome(98, 6, &[], &stand_ins));
}

/// Two trees of one leaf whose roots are the same text of 12 bytes. That library compares the texts; here they are no hashes.
const TEXTS_FOR_ROOTS: &str = "additional/sizes-are-equal-one-and-proof-is-empty";

#[test]
fn merkle_consistency() {
    let accept = |case: &Case, other| {
        let (old, new) = (case.root1.hash(other)?, case.root2.hash(other)?);
        Some(merkle::verify_consistency(case.size1, case.size2, &case.proof(other)?, old, new).is_ok())
    };
    // That library refuses the empty tree as the beginning of another, as a check without use. c2sp.org/tlog-witness has a log
    // begin with it (`old 0` and no proof), so it is the beginning of every tree here. The vector of it has a text for the
    // second root and falls for that alone.
    let stand_ins = ["additional/size1-is-zero-and-size2-is-not-zero"];
    assert_eq!(run("consistency", accept), outcome(98, 6, &[TEXTS_FOR_ROOTS], &stand_ins));
}

#[test]
fn subtree_inclusion() {
    let accept = |case: &Case, other| {
        let (leaf, root) = (case.leaf_hash.hash(other)?, case.root.hash(other)?);
        let proof = case.proof(other)?;
        Some(subtree::verify_inclusion(case.leaf_idx, case.start, case.end, leaf, &proof, root).is_ok())
    };
    let stand_ins = ["single-entry/empty-root-and-leaf-subtree", "single-entry/empty-root-and-leaf"];
    assert_eq!(run("subtreeinclusion", accept), outcome(204, 12, &[], &stand_ins));
}

#[test]
fn subtree_consistency() {
    let accept = |case: &Case, other| {
        let (old, new) = (case.root1.hash(other)?, case.root2.hash(other)?);
        let proof = case.proof(other)?;
        Some(subtree::verify_consistency(case.start, case.end, case.size, &proof, old, new).is_ok())
    };
    // That library takes a subtree of no leaves as a part of every tree, whatever its root. The draft has no such subtree
    // ("0 <= start < end"), and neither have we.
    let empty = [
        "additional/subtree-is-empty-sizes-are-equal-one-subtree-root-valid-proof-is-empty",
        "additional/subtree-is-empty-sizes-are-equal-one-subtree-root-valid-tree-root-random-proof-is-empty",
        "additional/subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-proof-is-empty",
        "additional/subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-tree-root-random-proof-is-empty",
        "additional/subtree-is-empty-subtree-root-valid-proof-is-empty",
        "additional/subtree-is-empty-subtree-root-valid-tree-root-random-proof-is-empty",
    ];
    let differ = [&[TEXTS_FOR_ROOTS], &empty[..]].concat();
    assert_eq!(run("subtreeconsistency", accept), outcome(118, 12, &differ, &empty));
}

fn object(path: &str) -> BTreeMap<String, serde_json::Value> {
    serde_json::from_str(&text(path)).expect(path)
}

#[test]
fn the_note_of_the_specification_verifies() {
    let example = object("signed_note_c2sp_example.json");
    let field = |name: &str| example[name].as_str().expect(name);
    let key = VerifierKey::parse(field("vkey")).expect("a key");
    assert_eq!(
        (key.name(), key.id(), key.to_string().as_str()),
        ("example.com/foo", 0x530d_903a, field("vkey"))
    );
    let note = Note::parse(field("note").as_bytes()).expect("a note");
    assert_eq!(note.to_string(), field("note"));
    let keys = [key];
    let verified = note.verify(&keys).expect("signed");
    assert_eq!((verified.text, verified.by.len()), ("This is an example message.\n", 1));
    let forged = field("note").replacen("an example", "no example", 1);
    assert!(Note::parse(forged.as_bytes()).expect("a note").verify(&keys).is_err());
}

#[test]
fn a_cosignature_comes_out_byte_for_byte() {
    let vector = object("cosignature_v1_vector.json");
    let field = |name: &str| vector[name].as_str().expect(name);
    let seed = HEXLOWER.decode(field("seed_hex").as_bytes()).expect("hex");
    let seed = seed.as_slice().try_into().expect("32 bytes");
    let key = SignerKey::from_seed(field("name"), KeyKind::CosignatureV1, seed).expect("a name");
    assert_eq!(key.verifier().to_string(), field("vkey"));
    assert_eq!(format!("{:08x}", key.verifier().id()), field("key_id_hex"));
    assert_eq!(HEXLOWER.encode(key.verifier().public_bytes()), field("public_key_hex"));
    let checkpoint = Checkpoint::parse(field("checkpoint_body")).expect("a checkpoint");
    assert_eq!(checkpoint.to_string(), field("checkpoint_body"));
    let time = vector["timestamp"].as_u64().expect("a time");
    let signature = cosignature::cosign(&checkpoint, &key, time);
    assert_eq!(signature.to_line().trim_end(), field("signature_line").trim_end());
    // What was signed is what the vector says, not only what we would sign.
    let public = key.verifier().ed25519().expect("a key of Ed25519");
    let bytes = signature.bytes[8..].try_into().expect("64 bytes");
    assert!(public.verify(field("signed_message").as_bytes(), bytes));
    assert_eq!(cosignature::verify(field("checkpoint_body"), &signature, key.verifier()), Some(time));
}

/// Key of the log in `data/tessera`, from the vectors' own documentation.
const TESSERA: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

/// The log as it was at one size: its folder, with the checkpoint of that size.
struct Tessera(u64);

impl Source for Tessera {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Cause> {
        let path = if path == CHECKPOINT { format!("{CHECKPOINT}.{}", self.0) } else { path.to_owned() };
        match std::fs::read(data("tessera").join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn partials(&self, tile: Tile) -> Result<Vec<Tile>, Cause> {
        let folder = tile.partial_folder();
        let mut partials = Vec::new();
        for file in std::fs::read_dir(data("tessera").join(&folder))? {
            let name = file?.file_name();
            partials.extend(Tile::parse(&format!("{folder}/{}", name.to_string_lossy())));
        }
        partials.sort();
        Ok(partials)
    }
}

fn tessera(size: u64) -> Checkpoint {
    let key = VerifierKey::parse(TESSERA).expect("a key");
    let (checkpoint, note) = reader::checkpoint(&Tessera(size), &key).expect("a checkpoint");
    assert_eq!(checkpoint.size, size);
    let written = std::fs::read(data(&format!("tessera/{CHECKPOINT}.{size}"))).expect("a file");
    assert_eq!(note.to_string().into_bytes(), written, "a note is written as it was read");
    checkpoint
}

#[test]
fn every_checkpoint_of_tessera_verifies_and_its_root_comes_out_of_entries_and_tiles() {
    let entries: Vec<Vec<u8>> =
        (0..15).map(|i| reader::entry(&Tessera(15), 15, i).expect("an entry")).collect();
    let leaves: Vec<Hash> = entries.iter().map(|entry| Hash::leaf(entry)).collect();
    for size in 0..=15 {
        let checkpoint = tessera(size);
        assert_eq!(merkle::root(&leaves[..size as usize]), checkpoint.root, "entries, size {size}");
        assert_eq!(reader::root(&Tessera(size), size).expect("tiles"), checkpoint.root, "tiles, size {size}");
    }
    let newest = std::fs::read(data("tessera/checkpoint")).expect("a file");
    assert_eq!(newest, std::fs::read(data("tessera/checkpoint.15")).expect("a file"));
}

#[test]
fn every_two_checkpoints_of_tessera_are_consistent_and_every_entry_is_proven() {
    let mut pairs = 0;
    for new in 0..=15 {
        let later = tessera(new);
        for old in 0..=new {
            let proof = reader::prove_consistency(&Tessera(new), &later, old).expect("tiles");
            let root = tessera(old).root;
            assert_eq!(
                merkle::verify_consistency(old, new, &proof, root, later.root),
                Ok(()),
                "{old} to {new}"
            );
            pairs += 1;
        }
        let key = VerifierKey::parse(TESSERA).expect("a key");
        let (checkpoint, note) = reader::checkpoint(&Tessera(new), &key).expect("a checkpoint");
        for index in 0..new {
            let (entry, proof) = reader::prove(&Tessera(new), &checkpoint, &note, index).expect("a proof");
            let policy = tlog::Policy::of_log(key.clone());
            let proof = tlog::Proof::parse(proof.to_string().as_bytes()).expect("a proof");
            assert!(proof.verify(&entry, &policy).is_ok(), "entry {index} of {new}");
        }
    }
    assert_eq!(pairs, 136);
}

#[test]
fn tessera_passes_fsck_at_every_size() {
    let key = VerifierKey::parse(TESSERA).expect("a key");
    let options = fsck::Options { threads: 2, progress: &|_| {} };
    for size in 0..=15 {
        let report = fsck::check(&Tessera(size), &key, &options).expect("a report");
        assert!(report.is_good(), "size {size}: {:?}", report.problems);
        // Its tile and its bundle, and the partial versions of both that are smaller.
        assert_eq!(report.files, 2 * size, "size {size}");
    }
}

#[test]
fn tessera_has_the_bundles_that_we_would_write() {
    let bundle = |size| Tile::at(Level::Entries, 0, size).expect("not empty").to_string();
    let mut ours = Vec::new();
    for index in 0..15 {
        tlog::bundle::push(&mut ours, &reader::entry(&Tessera(15), 15, index).expect("an entry"));
        let theirs = Tessera(15).read(&bundle(index + 1)).expect("a disk").expect("a file");
        assert_eq!(ours, theirs, "size {}", index + 1);
    }
}
