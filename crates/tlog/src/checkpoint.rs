//! c2sp.org/tlog-checkpoint: what a log promises about itself, in three lines and a signature.
//!
//! ```text
//! example.com/behind-the-sofa⏎                                 origin
//! 20852163⏎                                                    tree size
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=⏎                root hash
//! ⏎
//! — example.com/behind-the-sofa Az3grlgtzPICa5OS8np…⏎          the log's signature; witnesses add theirs
//! ```

use std::fmt;

use thiserror::Error;

use crate::hash::Hash;
use crate::key::{SignerKey, VerifierKey};
use crate::note::{Note, NoteError, VerifyError};
use crate::text;

/// The text of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log this is about.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
    /// Further lines, without newlines. Nobody audits them; [`crate::writer`] writes none.
    pub extensions: Vec<String>,
}

/// Why a text is no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CheckpointError {
    #[error("the checkpoint is no signed note: {0}")]
    Note(#[from] NoteError),
    #[error("the checkpoint's first line, the origin, is empty or missing")]
    Origin,
    #[error("the checkpoint's second line is no tree size")]
    Size,
    #[error("the checkpoint's third line is no root hash")]
    Root,
    #[error("a tree of no leaves has another root than the checkpoint says")]
    EmptyRoot,
    #[error("the checkpoint has an empty extension line")]
    Extension,
    #[error("the checkpoint is of `{found}`, not of `{expected}`")]
    OtherLog { expected: String, found: String },
    #[error("the checkpoint of `{origin}` is not to be believed: {reason}")]
    Verify { origin: String, reason: VerifyError },
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    pub fn new(origin: &str, size: u64, root: Hash) -> Self {
        Self { origin: origin.to_owned(), size, root, extensions: Vec::new() }
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// Which line is wrong.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut rest = text;
        let origin =
            text::line(&mut rest).filter(|origin| !origin.is_empty()).ok_or(CheckpointError::Origin)?;
        let size = text::line(&mut rest).and_then(text::decimal).ok_or(CheckpointError::Size)?;
        let root = text::line(&mut rest).and_then(Hash::from_base64).ok_or(CheckpointError::Root)?;
        let mut extensions = Vec::new();
        while let Some(line) = text::line(&mut rest) {
            if line.is_empty() {
                return Err(CheckpointError::Extension);
            }
            extensions.push(line.to_owned());
        }
        if !rest.is_empty() {
            return Err(CheckpointError::Extension);
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions })
    }

    /// Reads a signed checkpoint and believes it if one of the log's keys has signed. The origin must be the key's name,
    /// by which c2sp.org/tlog-policy ties the two.
    ///
    /// # Errors
    /// Why it is no checkpoint, or not to be believed.
    pub fn open(bytes: &[u8], log: &VerifierKey) -> Result<(Self, Note), CheckpointError> {
        let note = Note::parse(bytes)?;
        let checkpoint = Self::parse(note.unverified_text())?;
        if checkpoint.origin != log.name() {
            return Err(CheckpointError::OtherLog {
                expected: log.name().to_owned(),
                found: checkpoint.origin,
            });
        }
        note.verify(std::slice::from_ref(log))
            .map_err(|reason| CheckpointError::Verify { origin: checkpoint.origin.clone(), reason })?;
        if checkpoint.size == 0 && checkpoint.root != Hash::EMPTY_ROOT {
            return Err(CheckpointError::EmptyRoot);
        }
        Ok((checkpoint, note))
    }

    /// The checkpoint, signed by its log.
    pub fn sign(&self, key: &SignerKey) -> Note {
        Note::sign(&self.to_string(), key)
    }
}

/// The text of the note.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root)?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;

    const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

    #[test]
    fn lines_may_follow_the_three_and_are_kept() {
        let text = format!("log.example\n5\n{ROOT}\nextra\n");
        let checkpoint = Checkpoint::parse(&text).expect("a checkpoint");
        assert_eq!(checkpoint.extensions, ["extra"]);
        assert_eq!(checkpoint.to_string(), text);
    }

    #[test]
    fn the_first_wrong_line_is_named() {
        let say = |text: &str| Checkpoint::parse(text).expect_err(text).to_string();
        let root = ROOT;
        let cases = [
            String::new(),
            format!("\n5\n{root}\n"),
            format!("log.example\n05\n{root}\n"),
            format!("log.example\n-5\n{root}\n"),
            "log.example\n5\nroot\n".to_owned(),
            format!("log.example\n5\n{root}"),
            format!("log.example\n5\n{root}\n\n"),
            format!("log.example\n5\n{root}\nextra"),
        ];
        insta::assert_snapshot!(cases.map(|case| say(&case)).join("\n"), @r"
        the checkpoint's first line, the origin, is empty or missing
        the checkpoint's first line, the origin, is empty or missing
        the checkpoint's second line is no tree size
        the checkpoint's second line is no tree size
        the checkpoint's third line is no root hash
        the checkpoint's third line is no root hash
        the checkpoint has an empty extension line
        the checkpoint has an empty extension line
        ");
    }

    #[test]
    fn a_checkpoint_of_another_log_or_another_key_is_refused() {
        let key = |name, seed| SignerKey::from_seed(name, KeyKind::Ed25519, &[seed; 32]).expect("a name");
        let (ours, other) = (key("log.example", 1), key("log.example", 2));
        let signed = Checkpoint::new("log.example", 5, Hash::leaf(b"")).sign(&ours).to_string();
        assert!(Checkpoint::open(signed.as_bytes(), ours.verifier()).is_ok());
        let refused = Checkpoint::open(signed.as_bytes(), other.verifier()).expect_err("another key");
        assert!(
            matches!(refused, CheckpointError::Verify { reason: VerifyError::Unsigned(_), .. }),
            "{refused}"
        );
        let refused =
            Checkpoint::open(signed.as_bytes(), key("b.example", 1).verifier()).expect_err("another log");
        assert!(matches!(refused, CheckpointError::OtherLog { .. }), "{refused}");
        let empty = Checkpoint::new("log.example", 0, Hash::leaf(b"")).sign(&ours).to_string();
        assert_eq!(Checkpoint::open(empty.as_bytes(), ours.verifier()), Err(CheckpointError::EmptyRoot));
    }
}
