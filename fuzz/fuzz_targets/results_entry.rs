//! Entries of an election's log: what is read is written the same, byte for byte. The first byte chooses the kind, which a run from
//! nothing would not find.
#![no_main]

use std::sync::LazyLock;

use results::entry::{Document, Entry};
use tlog::key::KeyKind;
use tlog::{Note, SignerKey};

static KEY: LazyLock<SignerKey> =
    LazyLock::new(|| SignerKey::from_seed("c1.example", KeyKind::Ed25519, &[1; 32]).expect("a name"));

const KINDS: [&str; 7] = ["return", "retraction", "adoption", "change", "commitment", "release", "opening"];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, bytes)) = bytes.split_first() else { return };
    let Some(kind) = KINDS.get(usize::from(kind)) else {
        look(bytes);
        look(&[b"scrutineer-part v1 ", bytes].concat());
        return;
    };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let text = format!("scrutineer-{kind} v1\n{text}\n");
    // What a note cannot hold nobody can sign.
    if text.contains(|c: char| c.is_ascii_control() && c != '\n') {
        return;
    }
    look(Note::sign(&text, &KEY).to_string().as_bytes());
});

fn look(bytes: &[u8]) {
    let Ok(entry) = Entry::parse(bytes) else { return };
    let (note, text) = match entry {
        Entry::Unknown => return,
        Entry::Part(part) => {
            assert!((1..=part.of).contains(&part.number) && bytes.ends_with(&part.bytes));
            return;
        }
        Entry::Signed(note, document) => {
            let text = match document {
                Document::Adoption(it) => it.to_string(),
                Document::Change(it) => it.to_string(),
                Document::Return(it) => it.to_string(),
                Document::Retraction(it) => it.to_string(),
                Document::Commitment(it) => it.to_string(),
                Document::Release(it) => it.to_string(),
                Document::Opening(it) => it.to_string(),
            };
            (note, text)
        }
    };
    assert_eq!(note.unverified_text(), text);
    assert_eq!(note.to_string().as_bytes(), bytes);
}
