//! Bundles and the verdict about them, on the good bundle of a small night to which five bytes at a time do something, under a log
//! key that signs whatever comes of it. Nothing panics, and only the good one is ok.
#![no_main]

use std::sync::LazyLock;

use domain::Timestamp;
use results::board::Board;
use results::bundle::{self, Published};
use results::definition::Definition;
use results::entry::Part;
use results::replay::admit;
use results::statement::Adoption;
use results::totals;
use results::verify::{Trust, Verdict, verify};
use tlog::cosignature::cosign;
use tlog::key::KeyKind;
use tlog::{Checkpoint, Hash, Note, SignerKey, merkle};

fn key(name: &str) -> SignerKey {
    let kind = if name == "w" { KeyKind::CosignatureV1 } else { KeyKind::Ed25519 };
    SignerKey::from_seed(name, kind, &tlog::hash::sha256(name.as_bytes()).0).expect("a name")
}

fn definition() -> Definition {
    let text = format!(
        "scrutineer-definition v1\nelection e\ntitle T\nday 2026-03-22\nzone UTC\ncloses 2026-03-22T19:00:00Z\n\
         embargo none\nleast-cast 3\nfresh-for 900\nthreshold 1\nauthority {}\npolicy log {}\npolicy witness w {}\n\
         policy quorum w\nunit n nation - - N\nunit n/1 polling-station n 90 One\nunit n/2 polling-station n 90 Two\n\
         contest c n dhondt 1 0 1 C\nlist l L\nlist m M\ncentre z Z\nmay n\nkey {}\n",
        key("a").verifier(),
        key("log").verifier(),
        key("w").verifier(),
        key("z").verifier()
    );
    Definition::parse(text.as_bytes()).expect("a definition")
}

/// The entries of the night, and what a reader brings.
static NIGHT: LazyLock<(Vec<Vec<u8>>, Trust)> = LazyLock::new(|| {
    let definition = definition();
    let fingerprint = definition.fingerprint();
    let time = Timestamp::from_seconds(1_774_206_000);
    let adoption = Adoption { election: definition.election.clone(), definition: fingerprint, time };
    let mut entries = Part::cut(definition.to_string().as_bytes());
    entries.push(Note::sign(&adoption.to_string(), &key("a")).to_string().into_bytes());
    let hex = results::lines::hex(&fingerprint);
    let mut sign = |unit: &str, more: &str, votes: u32| {
        let text = format!(
            "scrutineer-return v1\nelection e\ndefinition {hex}\ncontest c\nunit {unit}\n{more}\nstatus provisional\n\
             time {time}\nsource none\ncount cast={votes}\nlist l={votes}\nlist m=0\n"
        );
        entries.push(Note::sign(&text, &key("z")).to_string().into_bytes());
        results::lines::hex(&Hash::leaf(entries.last().expect("pushed")))
    };
    let first = sign("n/1", "revision 1\nsupersedes none\nreason first", 40);
    sign("n/1", &format!("revision 2\nsupersedes {first}\nreason recount"), 41);
    sign("n/2", "revision 1\nsupersedes none\nreason first", 50);
    let trust = Trust {
        fingerprint: Some(fingerprint),
        now: Some(1_774_206_000),
        seen: Vec::new(),
        coverage: Vec::new(),
    };
    (entries, trust)
});

fn signed(entries: &[Vec<u8>]) -> Vec<u8> {
    let leaves: Vec<Hash> = entries.iter().map(|entry| Hash::leaf(entry)).collect();
    let checkpoint = Checkpoint::new("log", leaves.len() as u64, merkle::root(&leaves));
    let mut note = checkpoint.sign(&key("log"));
    note.add(cosign(&checkpoint, &key("w"), 1_774_206_000));
    note.to_string().into_bytes()
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(published) = bundle::read(bytes) {
        if published.missing.is_none() {
            assert_eq!(bundle::write(&published), bytes);
        }
        let _ = verify(&published, &Trust::default());
    }
    let (good, trust) = &*NIGHT;
    let mut entries = good.clone();
    for step in bytes.as_chunks::<5>().0 {
        let [what, which, high, low, value] = *step;
        let n = entries.len();
        let at = usize::from(which) % n;
        let place = usize::from(u16::from_be_bytes([high, low])) % (entries[at].len() + 1);
        match what % 6 {
            0 if place < entries[at].len() => entries[at][place] ^= value,
            1 => entries[at].insert(place, value),
            2 => entries.swap(at, usize::from(value) % n),
            3 if n > 1 => drop(entries.remove(at)),
            4 if n < 20 => entries.insert(at, entries[usize::from(value) % n].clone()),
            _ => {
                // Signed anew by a key of the election, whatever it says now.
                let Ok(note) = Note::parse(&entries[at]) else { continue };
                let text = note.unverified_text().replacen("=4", &format!("={}", value % 100), 1);
                let signer = if value % 8 == 0 { "a" } else { "z" };
                if !text.contains(|c: char| c.is_ascii_control() && c != '\n') {
                    entries[at] = Note::sign(&text, &key(signer)).to_string().into_bytes();
                }
            }
        }
    }
    let published = Published { checkpoint: signed(&entries), entries, missing: None };
    let report = verify(&published, trust);
    // An operator who asks before each entry would have taken exactly what the reader accepts, but for unknown kinds.
    let mut board = Board::new();
    for bytes in &published.entries {
        match admit(&board, bytes) {
            Ok((entry, leaf)) => board.apply(entry, leaf),
            Err(_) => board.skip(),
        }
    }
    assert_eq!(report.verdict == Verdict::Ok, report.reasons.is_empty());
    if let (Some(read), Some(kept)) = (report.election(), board.election()) {
        assert_eq!(totals::totals(read), totals::totals(kept));
        let counted = |election: &results::board::Election| format!("{:?}", election.chains);
        assert_eq!(counted(read), counted(kept));
    }
    assert_eq!(report.election().is_some(), board.election().is_some());
});
