//! A log of ours in the hands of others: the released crates `signed_note` and `tlog_tiles` of another project, and a checker
//! in Python (`check.py`) that was written from the specifications alone. And their notes in ours.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use signed_note::{Note as TheirNote, Signer as _, StandardSigner, StandardVerifier, VerifierList};
use tlog::cosignature::cosign;
use tlog::key::KeyKind;
use tlog::memory::Memory;
use tlog::storage::CHECKPOINT;
use tlog::tile::{self, Level};
use tlog::writer::Writer;
use tlog::{Checkpoint, Hash, Note, SignerKey, merkle, reader};
use tlog_tiles::{HashReader, TileHashReader, TileReader};

const ORIGIN: &str = "log.example/others";

fn log_key() -> SignerKey {
    SignerKey::from_seed(ORIGIN, KeyKind::Ed25519, &[7; 32]).expect("a name")
}

fn entry(index: u64) -> Vec<u8> {
    let len = if index % 100 == 99 { 3000 } else { (index % 40) as usize };
    [&index.to_be_bytes()[..], &vec![index as u8; len]].concat()
}

/// A log that grew in batches to a size, and was published after each with a cosignature.
fn log(size: u64) -> Memory {
    let witness = SignerKey::from_seed("w.example", KeyKind::CosignatureV1, &[8; 32]).expect("a name");
    let mut writer = Writer::create(Memory::default(), log_key()).expect("new");
    let mut from = 0;
    for to in [1, size / 7, size / 3, size] {
        let entries: Vec<Vec<u8>> = (from..to).map(entry).collect();
        writer.append(&entries).expect("memory");
        writer.publish(&[cosign(writer.signed(), &witness, 1000 + to)]).expect("memory");
        from = to;
    }
    writer.into_storage()
}

fn theirs(hash: Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(hash.0)
}

/// Our files, for their reader. Their paths name the height of a tile, which C2SP has dropped because it is always 8.
struct Files<'l>(&'l Memory);

fn our_path(tile: tlog_tiles::Tile) -> String {
    tile.path().replacen("tile/8/", "tile/", 1)
}

impl TileReader for Files<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &tlog_tiles::Tile| self.0.files.get(&our_path(*tile)).cloned();
        tiles.iter().map(read).collect::<Option<_>>().ok_or(tlog_tiles::Error::InvalidTile)
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

/// Their own storage of the hashes of a tree, filled from entries.
struct Hashes(Vec<tlog_tiles::Hash>);

impl HashReader for Hashes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
    }
}

fn their_verifiers(vkey: &str) -> VerifierList {
    VerifierList::new(vec![Box::new(StandardVerifier::new(vkey).expect("they read our key"))])
}

/// They open our checkpoint: signature, size and root.
fn opened_by_them(log: &Memory) -> tlog_tiles::Checkpoint {
    let note = TheirNote::from_bytes(&log.files[CHECKPOINT]).expect("they read our note");
    let (verified, unknown) =
        note.verify(&their_verifiers(&log_key().verifier().to_string())).expect("signed");
    assert_eq!(
        (verified.len(), unknown.len()),
        (1, 1),
        "the log's signature, and the witness's that they do not know"
    );
    tlog_tiles::Checkpoint::from_bytes(note.text()).expect("they read our checkpoint")
}

fn check_by_their_crates(size: u64, step: usize) {
    let log = log(size);
    let seen = opened_by_them(&log);
    assert_eq!((seen.origin(), seen.size(), seen.extension()), (ORIGIN, size, ""));
    let (checkpoint, note) = reader::checkpoint(&log, log_key().verifier()).expect("ours");
    let root = *seen.hash();
    assert_eq!(root, theirs(checkpoint.root));

    // Their tree from our entries: the same root, the same tiles, the same bytes.
    let mut hashes = Hashes(Vec::new());
    for index in 0..size {
        let new = tlog_tiles::stored_hashes(index, &entry(index), &hashes).expect("their tree");
        hashes.0.extend(new);
    }
    assert_eq!(tlog_tiles::tree_hash(size, &hashes).expect("their tree"), root);
    let tiles = tlog_tiles::Tile::new_tiles(8, 0, size);
    let mut expected = BTreeMap::new();
    for tile in tiles {
        expected.insert(our_path(tile), tile.read_data(&hashes).expect("their tree"));
    }
    let is_hashes = |path: &&String| path.starts_with("tile/") && !path.starts_with("tile/entries/");
    let ours: BTreeMap<_, _> = log
        .files
        .iter()
        .filter(|(path, _)| is_hashes(path))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    assert_eq!(ours.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(ours == expected, "the tiles differ");

    // Their reader authenticates each tile of ours that it touches against the signed root.
    let files = Files(&log);
    let tree = TileHashReader::new(size, root, &files);
    let mut sampled: BTreeSet<u64> = (0..size).step_by(step).collect();
    sampled.extend([0, 1, 255, 256, 257, size - 2, size - 1]);
    for index in sampled.iter().copied() {
        let leaf = tlog_tiles::record_hash(&entry(index));
        let stored = tree.read_hashes(&[tlog_tiles::stored_hash_index(0, index)]).expect("our tiles");
        assert_eq!(stored, [leaf]);
        let proof = tlog_tiles::prove_record(size, index, &tree).expect("our tiles");
        tlog_tiles::check_record(&proof, size, root, index, leaf).expect("their proof, their check");
        let (_, ours) = reader::prove(&log, &checkpoint, &note, index).expect("ours");
        let ours: Vec<_> = ours.hashes.into_iter().map(theirs).collect();
        assert_eq!(ours, proof, "leaf {index}");

        // The tree that ended with this entry.
        let old = index + 1;
        let old_root = tlog_tiles::tree_hash(old, &tree).expect("our tiles");
        let proof = reader::prove_consistency(&log, &checkpoint, old).expect("ours");
        if old < size {
            let their_proof = tlog_tiles::prove_tree(size, old, &tree).expect("our tiles");
            let ours: Vec<_> = proof.iter().copied().map(theirs).collect();
            tlog_tiles::check_tree(&ours, size, root, old, old_root).expect("our proof, their check");
            assert_eq!(ours, their_proof, "size {old}");
        }
        let verified = merkle::verify_consistency(old, size, &proof, Hash(old_root.0), checkpoint.root);
        assert_eq!(verified, Ok(()), "their root, our proof and check: size {old}");
    }
}

#[test]
fn their_crates_accept_a_log_of_six_hundred_entries() {
    check_by_their_crates(600, 1);
}

#[test]
fn their_crates_accept_a_log_of_seventy_thousand_entries() {
    check_by_their_crates(70_000, 701);
}

/// 512, because `tlog_tiles` 0.2.0 authenticates each full tile only where the right edge of the tree stands in as many tiles
/// as it has nodes. Of 600 entries (four nodes, two tiles) it hands out changed hashes of a full tile, which is why the tests
/// above compare what it reads with the entries.
#[test]
fn their_reader_refuses_a_tile_with_a_changed_byte() {
    let mut log = log(512);
    let root = *opened_by_them(&log).hash();
    for path in ["tile/0/000", "tile/0/001", "tile/1/000.p/2"] {
        let tile: tile::Tile = path.parse().expect("a tile");
        let leaf = tlog_tiles::stored_hash_index(0, tile.index * 256);
        assert!(TileHashReader::new(512, root, &Files(&log)).read_hashes(&[leaf]).is_ok());
        log.files.get_mut(path).expect("a file")[40] ^= 1;
        let read = TileHashReader::new(512, root, &Files(&log)).read_hashes(&[leaf]);
        assert!(matches!(read, Err(tlog_tiles::Error::InconsistentTile)), "{path}: {read:?}");
        log.files.get_mut(path).expect("a file")[40] ^= 1;
    }
}

#[test]
fn we_accept_what_they_sign_and_sign_the_same() {
    let key = log_key();
    let signer = StandardSigner::new(&key.to_secret_text()).expect("they read our secret");
    assert_eq!((signer.name(), signer.key_id()), (ORIGIN, key.verifier().id()));
    for (size, extension) in [(0, ""), (1, ""), (20_852_163, "one\ntwo\n")] {
        let root = if size == 0 { Hash::EMPTY_ROOT } else { Hash::leaf(b"root") };
        let text = tlog_tiles::Checkpoint::new(ORIGIN, size, theirs(root), extension)
            .expect("a checkpoint")
            .to_bytes();
        let mut note = TheirNote::new(&text, &[]).expect("a note");
        note.add_sigs(&[&signer]).expect("a key");
        let (checkpoint, ours) = Checkpoint::open(&note.to_bytes(), key.verifier()).expect("signed by them");
        assert_eq!((checkpoint.size, checkpoint.root), (size, root));
        assert_eq!(checkpoint.extensions, extension.lines().collect::<Vec<_>>());
        assert_eq!(ours.to_string().into_bytes(), note.to_bytes());
        assert_eq!(checkpoint.sign(&key), ours, "Ed25519 is deterministic");
    }
}

#[test]
fn both_read_the_same_notes() {
    let key = log_key();
    let line =
        |name: &str, id: u32| tlog::note::Signature { name: name.into(), id, bytes: vec![1; 64] }.to_line();
    let good = Note::sign("text\n\nmore\n", &key).to_string();
    let unknown = line("unknown.example", 1);
    let forged = line(ORIGIN, key.verifier().id());
    let notes = [
        good.clone(),
        good.clone() + &unknown,
        good.clone() + &line(ORIGIN, 1),
        good.clone() + &line("unknown.example", key.verifier().id()),
        good.replacen("more", "less", 1),
        good.replacen("more\n", "more", 1),
        good.replacen("text", "te\txt", 1),
        good.replacen("— ", "- ", 1),
        good.replacen(" log", "  log", 1),
        good.trim_end().to_owned(),
        good.clone() + "\n",
        format!("text\n\n{unknown}"),
        format!("text\n\n{forged}"),
        format!("{good}— unknown.example AAAAAA==\n"),
        format!("{good}— un+known.example AAAAAAA=\n"),
        format!("{good}— un\u{a0}known.example AAAAAAA=\n"),
        "\n".to_owned() + &good,
    ];
    let verifiers = their_verifiers(&key.verifier().to_string());
    let keys = [key.verifier().clone()];
    let mut accepted = 0;
    for note in &notes {
        let they = TheirNote::from_bytes(note.as_bytes()).is_ok_and(|note| note.verify(&verifiers).is_ok());
        let we = Note::parse(note.as_bytes()).is_ok_and(|note| note.verify(&keys).is_ok());
        assert_eq!(we, they, "{note:?}");
        accepted += usize::from(we);
    }
    assert_eq!(accepted, 4);
    // A known key signs twice, the second time wrongly. They look at the first line of each key; the specification has
    // "a signature from a known key" verified, so we look at all.
    let twice = good + &forged;
    assert!(TheirNote::from_bytes(twice.as_bytes()).expect("a note").verify(&verifiers).is_ok());
    assert!(Note::parse(twice.as_bytes()).expect("a note").verify(&keys).is_err());
}

fn put(folder: &Path, log: &Memory) {
    for (path, bytes) in &log.files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
}

/// What the Python checker says of a folder, and whether it ended well; nothing where there is no Python.
fn python(folder: &Path) -> Option<(String, bool)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check.py");
    let run = Command::new("python3")
        .arg("-B")
        .arg(script)
        .arg(folder)
        .arg(log_key().verifier().to_string())
        .output();
    match run {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            Some((String::from_utf8_lossy(&text).trim().to_owned(), output.status.success()))
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "skipped: the check in Python: {error}");
            None
        }
    }
}

#[test]
fn a_checker_in_python_accepts_our_logs() {
    for (size, files) in [(1, 3), (255, 3), (256, 4), (257, 6), (600, 8), (70_000, 552)] {
        let folder = tempfile::tempdir().expect("a folder");
        put(folder.path(), &log(size));
        let Some(said) = python(folder.path()) else { return };
        assert_eq!(said, (format!("good: {size} entries, {files} files"), true));
    }
}

#[test]
fn a_checker_in_python_refuses_a_log_with_a_changed_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(600);
    put(folder.path(), &log);
    let mut random = oorandom::Rand64::new(9);
    for (path, bytes) in &log.files {
        // Of the checkpoint, the part that the log has signed, and its own signature line.
        let len = if path == CHECKPOINT {
            let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            lines[..5].concat().len()
        } else {
            bytes.len()
        };
        for _ in 0..3 {
            let mut changed = bytes.clone();
            let at = random.rand_range(0..len as u64) as usize;
            changed[at] ^= random.rand_range(1..256) as u8;
            std::fs::write(folder.path().join(path), &changed).expect("a file");
            let Some((said, good)) = python(folder.path()) else { return };
            assert!(!good && said.starts_with("bad: "), "`{path}` byte {at}: {said}");
        }
        std::fs::remove_file(folder.path().join(path)).expect("a file");
        let Some((said, good)) = python(folder.path()) else { return };
        assert_eq!((said.as_str(), good), (format!("bad: {path} cannot be read").as_str(), false));
        std::fs::write(folder.path().join(path), bytes).expect("a file");
    }
    assert_eq!(python(folder.path()), Some(("good: 600 entries, 8 files".to_owned(), true)));
}

#[test]
fn tiles_of_others_have_the_paths_of_ours() {
    for index in [0, 1, 999, 1000, 1_234_067, 1_000_000_000] {
        for (level, width) in [(0, 256), (1, 17), (2, 1), (5, 255)] {
            let ours = tile::Tile { level: Level::Hashes(level), index, width: width as u16 };
            let theirs = tlog_tiles::Tile::new(8, level, index, width, false);
            assert_eq!(ours.to_string(), our_path(theirs));
        }
    }
}
