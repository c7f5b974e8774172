//! c2sp.org/signed-note: a text signed by one or more keys.
//!
//! ```text
//! This is an example message.⏎                       text, whole lines
//! ⏎                                                  the last empty line parts text and signatures
//! — example.com/foo Uw2QOkn8srV1…⏎                   em dash, name, base64(id || signature)
//! ```
//!
//! A text means nothing until a key that the reader trusts has signed it, so it can only be had by [`Note::verify`]; what
//! stands in an unverified note is for tools that must say what they refused.

use data_encoding::BASE64;
use thiserror::Error;

use crate::ed25519::{SIGNATURE_BYTES, Signed, verify_batch};
use crate::key::{KeyKind, SignerKey, VerifierKey, is_name};
use crate::text;

/// 64: verifiers MUST accept 16 signatures and SHOULD have a limit. Room for a log, its successor key, and every witness
/// of a policy of 32 with both algorithms.
pub const MAX_SIGNATURES: usize = 64;

/// 1 MiB: a text of 64 KiB (an entry's limit) and 64 signature lines of ML-DSA-44 (3.3 KiB each) fit with room to spare.
pub const MAX_NOTE_BYTES: usize = 1 << 20;

/// Why bytes are no signed note.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    #[error("the note has more than {MAX_NOTE_BYTES} bytes")]
    TooLong,
    #[error("the note is not UTF-8")]
    NotUtf8,
    #[error("the note has a control character at byte {0}")]
    Control(usize),
    #[error("no empty line parts text and signatures")]
    NoSignatures,
    #[error("line {0} is no signature line: `— name base64`")]
    SignatureLine(usize),
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
}

/// Why a note is not to be believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// A signature under a known name and id does not verify: somebody forged or broke it, and the note falls whole.
    #[error("the signature of `{0}` does not verify")]
    Invalid(String),
    /// No key that the reader trusts has signed.
    #[error("no known key has signed; the note is signed by {}", names(.0))]
    Unsigned(Vec<String>),
}

fn names(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key.
    pub name: String,
    /// The id of the key.
    pub id: u32,
    /// What follows the id: its length depends on the kind of key.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// The line, with its newline.
    pub fn to_line(&self) -> String {
        let bytes = [&self.id.to_be_bytes(), &self.bytes[..]].concat();
        format!("— {} {}\n", self.name, BASE64.encode(&bytes))
    }

    /// Reads a line without its newline.
    pub fn parse_line(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = text::base64(signature)?;
        let (id, bytes) = bytes.split_first_chunk()?;
        // A signature of no bytes says nothing; four bytes of id alone are no signature line.
        (is_name(name) && !bytes.is_empty()).then(|| Self {
            name: name.to_owned(),
            id: u32::from_be_bytes(*id),
            bytes: bytes.to_vec(),
        })
    }

    /// Whether this line claims to be of that key.
    pub fn is_of(&self, key: &VerifierKey) -> bool {
        self.id == key.id() && self.name == key.name()
    }
}

/// A note as it was read, before anyone believes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// A text signed by one key.
    ///
    /// # Panics
    /// Where the text is no whole lines, or has control characters: the texts that are signed here are made here.
    pub fn sign(text: &str, key: &SignerKey) -> Self {
        let signable = text.ends_with('\n') && !text.contains(|c: char| c.is_ascii_control() && c != '\n');
        assert!(signable, "internal error: a note is whole lines without control characters");
        let mut note = Self { text: text.to_owned(), signatures: Vec::new() };
        note.add(signature(text, key));
        note
    }

    /// Reads a note and believes nothing of it.
    ///
    /// # Errors
    /// Why the bytes are no note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        if let Some(at) = bytes.iter().position(|byte| *byte < 0x20 && *byte != b'\n') {
            return Err(NoteError::Control(at));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::NotUtf8)?;
        // Everything after the last empty line is signatures; the text keeps its own newline.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::NoSignatures)?;
        let first_line = text.matches('\n').count() + 3;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let mut signatures = Vec::new();
        for (number, line) in (first_line..).zip(lines.split('\n')) {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(Signature::parse_line(line).ok_or(NoteError::SignatureLine(number))?);
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// The text, which nobody has verified.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// All signature lines, known or not.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature, unless the same stands there already.
    pub fn add(&mut self, signature: Signature) {
        if !self.signatures.contains(&signature) {
            self.signatures.push(signature);
        }
    }

    /// Which of the keys have signed. Signatures of other keys are ignored, even if they share a name or an id with a known one.
    ///
    /// # Errors
    /// If a signature of a known key does not verify, or none of them has signed.
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Verified<'_, 'k>, VerifyError> {
        let mut by = Vec::new();
        for signature in &self.signatures {
            // A key that nothing here can verify with is as good as unknown: it neither counts nor fells the note.
            let readable = |key: &&VerifierKey| key.kind() != KeyKind::MlDsa44;
            for key in keys.iter().filter(|key| signature.is_of(key)).filter(readable) {
                if !verifies(&self.text, signature, key) {
                    return Err(VerifyError::Invalid(signature.name.clone()));
                }
                if !by.contains(&key) {
                    by.push(key);
                }
            }
        }
        if by.is_empty() {
            let mut names: Vec<String> =
                self.signatures.iter().map(|signature| signature.name.clone()).collect();
            names.dedup();
            return Err(VerifyError::Unsigned(names));
        }
        Ok(Verified { text: &self.text, by })
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n", self.text)?;
        self.signatures.iter().try_for_each(|signature| f.write_str(&signature.to_line()))
    }
}

/// A text that keys which the reader trusts have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<'n, 'k> {
    /// The text.
    pub text: &'n str,
    /// The keys that have signed it, in the order of their first signature.
    pub by: Vec<&'k VerifierKey>,
}

/// Whether all notes are signed by their key, in one batch. The first whose signature is missing or wrong is named.
///
/// # Errors
/// The index of the first note that its key has not signed.
pub fn verify_all(notes: &[(&Note, &VerifierKey)]) -> Result<(), usize> {
    let mut batch = Vec::with_capacity(notes.len());
    for (at, (note, key)) in notes.iter().enumerate() {
        let signature = note.signatures.iter().find(|signature| signature.is_of(key)).ok_or(at)?;
        let signature = signature.bytes[..].try_into().map_err(|_| at)?;
        let key = key.ed25519().filter(|_| key.kind() == KeyKind::Ed25519).ok_or(at)?;
        batch.push(Signed { key, message: note.text.as_bytes(), signature });
    }
    if verify_batch(&batch) {
        return Ok(());
    }
    let wrong = batch.iter().position(|signed| !signed.key.verify(signed.message, &signed.signature));
    wrong.map_or(Ok(()), Err)
}

/// The signature of a key of type 0x01 over a text.
pub(crate) fn signature(text: &str, key: &SignerKey) -> Signature {
    assert!(
        key.verifier().kind() == KeyKind::Ed25519,
        "internal error: a note is signed by a key of type 0x01"
    );
    Signature {
        name: key.verifier().name().to_owned(),
        id: key.verifier().id(),
        bytes: key.sign(text.as_bytes()).to_vec(),
    }
}

/// Whether the signature of this key verifies, by what its kind means.
fn verifies(text: &str, signature: &Signature, key: &VerifierKey) -> bool {
    match key.kind() {
        KeyKind::Ed25519 => {
            let bytes: Option<[u8; SIGNATURE_BYTES]> = signature.bytes[..].try_into().ok();
            key.ed25519().zip(bytes).is_some_and(|(key, bytes)| key.verify(text.as_bytes(), &bytes))
        }
        KeyKind::CosignatureV1 => crate::cosignature::verify(text, signature, key).is_some(),
        // Nothing here verifies them, and what is not verified must not count as signed.
        KeyKind::MlDsa44 => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(name: &str, seed: u8) -> SignerKey {
        SignerKey::from_seed(name, KeyKind::Ed25519, &[seed; 32]).expect("a name")
    }

    #[test]
    fn a_text_may_have_empty_lines_and_the_last_one_parts() {
        let key = key("a.example", 1);
        let note = Note::sign("poem\n\nsecond verse\n", &key);
        let read = Note::parse(note.to_string().as_bytes()).expect("a note");
        assert_eq!(read, note);
        assert_eq!(read.verify(&[key.verifier().clone()]).expect("signed").text, "poem\n\nsecond verse\n");
    }

    #[test]
    fn unknown_keys_are_ignored_even_with_a_known_name_or_id() {
        let (known, other) = (key("a.example", 1), key("a.example", 2));
        let mut note = Note::sign("text\n", &known);
        note.add(signature("another text\n", &other));
        let id = known.verifier().id();
        note.add(Signature { name: "b.example".into(), id, bytes: vec![0; 64] });
        let keys = [known.verifier().clone()];
        assert_eq!(note.verify(&keys).expect("signed").by, [&keys[0]]);
    }

    #[test]
    fn a_known_key_that_fails_fells_the_note() {
        let (a, b) = (key("a.example", 1), key("b.example", 2));
        let mut note = Note::sign("text\n", &a);
        note.add(signature("another text\n", &b));
        let keys = [a.verifier().clone(), b.verifier().clone()];
        assert_eq!(note.verify(&keys), Err(VerifyError::Invalid("b.example".into())));
        assert_eq!(note.verify(&keys[..1]).map(|verified| verified.by.len()), Ok(1));
        assert_eq!(
            note.verify(&[]),
            Err(VerifyError::Unsigned(vec!["a.example".into(), "b.example".into()]))
        );
    }

    #[test]
    fn sixteen_signatures_are_accepted_and_a_flood_is_not() {
        let mut note = Note::sign("text\n", &key("a.example", 0));
        for seed in 1..=63 {
            note.add(signature("text\n", &key("a.example", seed)));
        }
        assert!(Note::parse(note.to_string().as_bytes()).is_ok());
        note.add(signature("text\n", &key("a.example", 64)));
        assert_eq!(Note::parse(note.to_string().as_bytes()), Err(NoteError::TooManySignatures));
    }

    #[test]
    fn what_is_no_note_is_refused_with_the_reason() {
        let cases: [&[u8]; 9] = [
            b"",
            b"text\n",
            b"text\n\n",
            b"text\n\n\xe2\x80\x94 a.example AAAAAAA=",
            b"text\n\n\xe2\x80\x94 a.example AAAAAA==\n",
            b"text\n\n- a.example AAAAAAA=\n",
            b"te\txt\n\n\xe2\x80\x94 a.example AAAAAAA=\n",
            b"te\xffxt\n\n\xe2\x80\x94 a.example AAAAAAA=\n",
            b"text\n\n\xe2\x80\x94 a.example AAAAAAB=\n",
        ];
        let said: Vec<String> =
            cases.iter().map(|case| Note::parse(case).expect_err("no note").to_string()).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        no empty line parts text and signatures
        no empty line parts text and signatures
        no empty line parts text and signatures
        no empty line parts text and signatures
        line 3 is no signature line: `— name base64`
        line 3 is no signature line: `— name base64`
        the note has a control character at byte 2
        the note is not UTF-8
        line 3 is no signature line: `— name base64`
        ");
    }

    #[test]
    fn one_wrong_note_among_many_is_named() {
        let key = key("a.example", 1);
        let mut notes: Vec<Note> = (0..200).map(|i| Note::sign(&format!("text {i}\n"), &key)).collect();
        let pairs = |notes: &[Note]| {
            notes.iter().map(|note| (note.clone(), key.verifier().clone())).collect::<Vec<_>>()
        };
        let check = |pairs: &[(Note, VerifierKey)]| {
            verify_all(&pairs.iter().map(|(n, k)| (n, k)).collect::<Vec<_>>())
        };
        assert_eq!(check(&pairs(&notes)), Ok(()));
        notes[77].text = "text 78\n".into();
        assert_eq!(check(&pairs(&notes)), Err(77));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(bytes in "([a-z]{0,3}\n){0,4}\n(— [a-z]{1,3} AAAAA(AAA|AA=)\n){0,3}") {
            if let Ok(note) = Note::parse(bytes.as_bytes()) {
                prop_assert_eq!(note.to_string(), bytes);
            }
        }
    }
}
