//! A log's promise that an entry stands at an index and will be published in time.
//!
//! ```text
//! scrutineer-receipt/v1⏎
//! origin log.example/results⏎
//! index 73894⏎
//! leaf gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=⏎
//! accepted 1717963200⏎                                seconds since the epoch
//! published-by 1717963230⏎                            accepted + maximum merge delay
//! ⏎
//! — log.example/results/receipts …⏎                   a key of its own, named `<origin>/receipts`
//! ```
//!
//! A receipt is given once the entry is durable, before witnesses have seen it. It is signed by a key of its own, so that no
//! receipt can ever pass for a checkpoint. Whoever holds one can prove a broken promise with it: [`Receipt::judge`].

use std::fmt;

use thiserror::Error;

use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::key::{SignerKey, VerifierKey};
use crate::merkle::{self, ProofError};
use crate::note::{Note, NoteError, VerifyError};
use crate::text;

const HEADER: &str = "scrutineer-receipt/v1";

/// The name of the key that signs the receipts of a log.
pub fn key_name(origin: &str) -> String {
    format!("{origin}/receipts")
}

/// What the log promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which log.
    pub origin: String,
    /// Where the entry stands.
    pub index: u64,
    /// The hash of the entry as a leaf.
    pub leaf: Hash,
    /// When the log accepted it: seconds since the epoch.
    pub accepted: u64,
    /// When a published checkpoint covers it at the latest: seconds since the epoch.
    pub published_by: u64,
}

/// Why bytes are no receipt to hold a log to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReceiptError {
    #[error("the receipt is no signed note: {0}")]
    Note(#[from] NoteError),
    #[error("the receipt is not to be believed: {0}")]
    Verify(#[from] VerifyError),
    #[error("line {0} of the receipt is not what it should be")]
    Line(usize),
}

/// What became of a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promise {
    /// The entry stands where the receipt says.
    Kept,
    /// The checkpoint does not cover it yet, and there is time.
    Pending,
    /// The time is up, and the latest checkpoint does not cover it.
    Late,
    /// The checkpoint covers the index, but the proof does not lead to this entry: something else stands there, or the proof
    /// is not one.
    NotThere(ProofError),
}

impl Receipt {
    /// Signs the receipt.
    pub fn sign(&self, key: &SignerKey) -> Note {
        Note::sign(&self.to_string(), key)
    }

    /// Reads a receipt and believes it if the log's key for receipts has signed.
    ///
    /// # Errors
    /// Why not.
    pub fn open(bytes: &[u8], key: &VerifierKey) -> Result<Self, ReceiptError> {
        let note = Note::parse(bytes)?;
        let verified = note.verify(std::slice::from_ref(key))?;
        let receipt = Self::parse(verified.text)?;
        if key.name() == key_name(&receipt.origin) { Ok(receipt) } else { Err(ReceiptError::Line(2)) }
    }

    fn parse(text: &str) -> Result<Self, ReceiptError> {
        let mut rest = text;
        let mut number = 0;
        let mut field = |name: &str| {
            number += 1;
            let line = text::line(&mut rest).ok_or(ReceiptError::Line(number))?;
            line.strip_prefix(name).ok_or(ReceiptError::Line(number))
        };
        if !field(HEADER)?.is_empty() {
            return Err(ReceiptError::Line(1));
        }
        let origin = field("origin ")?.to_owned();
        let index = text::decimal(field("index ")?).ok_or(ReceiptError::Line(3))?;
        let leaf = Hash::from_base64(field("leaf ")?).ok_or(ReceiptError::Line(4))?;
        let accepted = text::decimal(field("accepted ")?).ok_or(ReceiptError::Line(5))?;
        let published_by = text::decimal(field("published-by ")?).ok_or(ReceiptError::Line(6))?;
        if rest.is_empty() {
            Ok(Self { origin, index, leaf, accepted, published_by })
        } else {
            Err(ReceiptError::Line(7))
        }
    }

    /// What a checkpoint that the caller has verified, the proof for this index from it, and the time say of the promise.
    pub fn judge(&self, checkpoint: &Checkpoint, proof: &[Hash], now: u64) -> Promise {
        if checkpoint.size <= self.index {
            return if now <= self.published_by { Promise::Pending } else { Promise::Late };
        }
        match merkle::verify_inclusion(self.index, checkpoint.size, self.leaf, proof, checkpoint.root) {
            Ok(()) => Promise::Kept,
            Err(error) => Promise::NotThere(error),
        }
    }
}

/// The text of the note.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, index, leaf, accepted, published_by } = self;
        write!(
            f,
            "{HEADER}\norigin {origin}\nindex {index}\nleaf {leaf}\naccepted {accepted}\npublished-by {published_by}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;

    fn receipt() -> Receipt {
        let leaf = Hash::leaf(b"entry");
        Receipt { origin: "log.example".into(), index: 1, leaf, accepted: 100, published_by: 130 }
    }

    #[test]
    fn a_receipt_reads_as_it_was_signed_and_by_its_own_key_alone() {
        let key = |name: &str| SignerKey::from_seed(name, KeyKind::Ed25519, &[1; 32]).expect("a name");
        let ours = key(&key_name("log.example"));
        let signed = receipt().sign(&ours).to_string();
        assert_eq!(Receipt::open(signed.as_bytes(), ours.verifier()), Ok(receipt()));
        // The log's own key does not sign receipts, and a receipt is no checkpoint.
        let log = key("log.example");
        assert_eq!(
            Receipt::open(receipt().sign(&log).to_string().as_bytes(), log.verifier()),
            Err(ReceiptError::Line(2))
        );
        assert!(Checkpoint::parse(&receipt().to_string()).is_err());
    }

    #[test]
    fn a_promise_is_kept_pending_late_or_broken() {
        let leaves = [Hash::leaf(b"first"), Hash::leaf(b"entry")];
        let covering = Checkpoint::new("log.example", 2, merkle::root(&leaves));
        let before = Checkpoint::new("log.example", 1, leaves[0]);
        assert_eq!(receipt().judge(&covering, &leaves[..1], 999), Promise::Kept);
        assert_eq!(receipt().judge(&before, &[], 130), Promise::Pending);
        assert_eq!(receipt().judge(&before, &[], 131), Promise::Late);
        assert!(matches!(receipt().judge(&covering, &leaves[1..], 0), Promise::NotThere(_)));
    }
}
