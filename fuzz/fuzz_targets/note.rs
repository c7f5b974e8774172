//! Signed notes, checkpoints and requests to a witness: what is read is written the same, byte for byte.
#![no_main]

use std::sync::LazyLock;

use tlog::add_checkpoint::{AddCheckpoint, parse_cosignatures};
use tlog::{Checkpoint, Note, VerifierKey};

static KEY: LazyLock<VerifierKey> = LazyLock::new(|| {
    VerifierKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
        .expect("a key")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        let text = note.unverified_text();
        assert!(text.ends_with('\n'));
        if let Ok(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.to_string(), text);
        }
        let _ = note.verify(std::slice::from_ref(&*KEY));
        let _ = Checkpoint::open(bytes, &KEY);
        for signature in note.signatures() {
            let line = signature.to_line();
            assert_eq!(parse_cosignatures(line.as_bytes()).as_deref(), Ok(std::slice::from_ref(signature)));
        }
    }
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
    }
    if let Ok(lines) = parse_cosignatures(bytes) {
        assert_eq!(lines.iter().map(|line| line.to_line()).collect::<String>().as_bytes(), bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(key) = VerifierKey::parse(text) {
            assert_eq!(key.to_string(), text);
        }
    }
});
