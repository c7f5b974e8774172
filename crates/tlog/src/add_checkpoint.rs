//! c2sp.org/tlog-witness, "add-checkpoint": what a log sends to a witness, and what it gets back.
//!
//! ```text
//! old 20852014⏎                                       size of the checkpoint that the witness has
//! PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=⏎       consistency proof from there, at most 63 hashes
//! ⏎
//! example.com/behind-the-sofa⏎                        the new checkpoint, signed by its log
//! …
//!
//! — witness.example/w1 CMp+6LWBU0anHGH5aND…⏎           the answer: signature lines and nothing else
//! ```

use std::fmt;

use thiserror::Error;

use crate::hash::Hash;
use crate::merkle::MAX_PROOF_HASHES;
use crate::note::{MAX_SIGNATURES, Note, NoteError, Signature};
use crate::text;

/// 64 KiB: 63 hashes take 2.8 KiB, a checkpoint with sixteen lines of ML-DSA-44 52 KiB.
pub const MAX_REQUEST_BYTES: usize = 64 << 10;

/// The content type of the answer that names the size which the witness has.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

/// A request, unverified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Size of the checkpoint that the client believes the witness to have; zero for none.
    pub old: u64,
    /// Consistency proof from `old` to the checkpoint's size.
    pub proof: Vec<Hash>,
    /// The checkpoint.
    pub checkpoint: Note,
}

/// Why bytes are no request, or no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MessageError {
    #[error("the message has more than {MAX_REQUEST_BYTES} bytes")]
    TooLong,
    #[error("the message is not UTF-8")]
    NotUtf8,
    #[error("line 1 is not `old` and a number")]
    Old,
    #[error("line {0} is no hash in base64")]
    Hash(usize),
    #[error("more than {MAX_PROOF_HASHES} lines of proof")]
    TooManyHashes,
    #[error("the checkpoint is no signed note: {0}")]
    Note(#[from] NoteError),
    #[error("line {0} of the answer is no signature line")]
    Signature(usize),
    #[error("the answer has no signature, or more than {MAX_SIGNATURES}")]
    Signatures,
    #[error("the answer is no tree size")]
    Size,
}

impl AddCheckpoint {
    /// Reads a request.
    ///
    /// # Errors
    /// Which line is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        if bytes.len() > MAX_REQUEST_BYTES {
            return Err(MessageError::TooLong);
        }
        let mut rest = std::str::from_utf8(bytes).map_err(|_| MessageError::NotUtf8)?;
        let old = text::line(&mut rest)
            .and_then(|line| line.strip_prefix("old "))
            .and_then(text::decimal)
            .ok_or(MessageError::Old)?;
        let mut proof = Vec::new();
        for number in 2.. {
            match text::line(&mut rest) {
                Some("") => break,
                Some(_) if proof.len() == MAX_PROOF_HASHES => return Err(MessageError::TooManyHashes),
                line => proof.push(line.and_then(Hash::from_base64).ok_or(MessageError::Hash(number))?),
            }
        }
        Ok(Self { old, proof, checkpoint: Note::parse(rest.as_bytes())? })
    }
}

/// The body of the request.
impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Reads the signature lines of an answer. Which of them are cosignatures of known keys is for
/// [`crate::cosignature::verify`] to say.
///
/// # Errors
/// Which line is none.
pub fn parse_cosignatures(bytes: &[u8]) -> Result<Vec<Signature>, MessageError> {
    if bytes.len() > MAX_REQUEST_BYTES {
        return Err(MessageError::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| MessageError::NotUtf8)?;
    let lines = text.strip_suffix('\n').ok_or(MessageError::Signatures)?;
    let mut signatures = Vec::new();
    for (number, line) in (1..).zip(lines.split('\n')) {
        if signatures.len() == MAX_SIGNATURES {
            return Err(MessageError::Signatures);
        }
        signatures.push(Signature::parse_line(line).ok_or(MessageError::Signature(number))?);
    }
    Ok(signatures)
}

/// Reads the body of a conflict: the size of the checkpoint that the witness has.
///
/// # Errors
/// Where it is no size on a line of its own.
pub fn parse_size(bytes: &[u8]) -> Result<u64, MessageError> {
    let text = std::str::from_utf8(bytes).map_err(|_| MessageError::NotUtf8)?;
    text.strip_suffix('\n').and_then(text::decimal).ok_or(MessageError::Size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::key::{KeyKind, SignerKey};

    fn request(n_hashes: usize) -> AddCheckpoint {
        let key = SignerKey::from_seed("log.example", KeyKind::Ed25519, &[1; 32]).expect("a name");
        let checkpoint = Checkpoint::new("log.example", 7, Hash::leaf(b"")).sign(&key);
        AddCheckpoint { old: 3, proof: vec![Hash::leaf(b"a"); n_hashes], checkpoint }
    }

    #[test]
    fn a_request_reads_as_it_was_written() {
        for n_hashes in [0, 1, 63] {
            let request = request(n_hashes);
            assert_eq!(AddCheckpoint::parse(request.to_string().as_bytes()), Ok(request));
        }
    }

    #[test]
    fn the_first_wrong_line_is_named() {
        let text = request(2).to_string();
        let say = |text: String| AddCheckpoint::parse(text.as_bytes()).expect_err("no request").to_string();
        let cases = [
            say(String::new()),
            say(text.replace("old 3", "old  3")),
            say(text.replace("old 3", "old 03")),
            say(text.replace("old 3", "new 3")),
            say(text.replacen('=', "", 1)),
            say(request(64).to_string()),
            say(text.replacen("\n\n", "\n", 1)),
            say("a".repeat(MAX_REQUEST_BYTES + 1)),
        ];
        insta::assert_snapshot!(cases.join("\n"), @r"
        line 1 is not `old` and a number
        line 1 is not `old` and a number
        line 1 is not `old` and a number
        line 1 is not `old` and a number
        line 2 is no hash in base64
        more than 63 lines of proof
        line 4 is no hash in base64
        the message has more than 65536 bytes
        ");
    }

    #[test]
    fn answers_read_to_the_letter() {
        let line = request(0).checkpoint.signatures()[0].to_line();
        assert_eq!(parse_cosignatures(format!("{line}{line}").as_bytes()).map(|lines| lines.len()), Ok(2));
        assert_eq!(parse_cosignatures(line.trim_end().as_bytes()), Err(MessageError::Signatures));
        assert_eq!(parse_cosignatures(format!("{line}\n").as_bytes()), Err(MessageError::Signature(2)));
        assert_eq!(parse_cosignatures(b""), Err(MessageError::Signatures));
        assert_eq!(parse_size(b"17\n"), Ok(17));
        for bad in ["17", "017\n", "17\n\n", "\n", "x\n"] {
            assert_eq!(parse_size(bad.as_bytes()), Err(MessageError::Size), "{bad:?}");
        }
    }
}
