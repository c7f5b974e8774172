//! c2sp.org/tlog-proof: that an entry is in a log, in one file that needs no network.
//!
//! ```text
//! c2sp.org/tlog-proof@v1⏎
//! extra YWdlLXYxLjIuMQ==⏎                             optional; authenticated by nothing
//! index 73894⏎
//! gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=⏎       from the leaf's sibling up to the root's child
//! ⏎
//! example.com/fancylog⏎                              a checkpoint with its cosignatures, verbatim
//! …
//! ```

use std::fmt;

use data_encoding::BASE64;
use thiserror::Error;

use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::merkle::{self, MAX_PROOF_HASHES, ProofError};
use crate::note::{Note, NoteError};
use crate::policy::{Cosigned, Policy, Refusal};
use crate::text;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A proof as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Data of the application that no signature covers.
    pub extra: Option<Vec<u8>>,
    /// Index of the entry.
    pub index: u64,
    /// Hashes from the leaf's sibling up to the root's child.
    pub hashes: Vec<Hash>,
    /// The checkpoint, unverified.
    pub checkpoint: Note,
}

/// Why a file is no proof.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseProofError {
    #[error("the proof is not UTF-8")]
    NotUtf8,
    #[error("line 1 is not `{HEADER}`")]
    Header,
    #[error("the extra data is not base64")]
    Extra,
    #[error("line {0} is not `index` and a number")]
    Index(usize),
    #[error("line {0} is no hash in base64")]
    Hash(usize),
    #[error("the proof has more than {MAX_PROOF_HASHES} hashes")]
    TooManyHashes,
    #[error("the proof's checkpoint is no signed note: {0}")]
    Note(#[from] NoteError),
}

/// Why a proof does not prove what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyProofError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the entry is not under the checkpoint: {0}")]
    Merkle(#[from] ProofError),
}

impl Proof {
    /// Reads a proof and believes nothing of it.
    ///
    /// # Errors
    /// Which line is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseProofError> {
        let mut rest = std::str::from_utf8(bytes).map_err(|_| ParseProofError::NotUtf8)?;
        let mut number = 1;
        let mut next = || {
            number += 1;
            (number - 1, text::line(&mut rest))
        };
        if next().1 != Some(HEADER) {
            return Err(ParseProofError::Header);
        }
        let (mut number, mut line) = next();
        let mut extra = None;
        if let Some(data) = line.and_then(|line| line.strip_prefix("extra ")) {
            extra = Some(text::base64(data).ok_or(ParseProofError::Extra)?);
            (number, line) = next();
        }
        let index = line
            .and_then(|line| line.strip_prefix("index "))
            .and_then(text::decimal)
            .ok_or(ParseProofError::Index(number))?;
        let mut hashes = Vec::new();
        loop {
            match next() {
                (_, Some("")) => break,
                (_, Some(_)) if hashes.len() == MAX_PROOF_HASHES => {
                    return Err(ParseProofError::TooManyHashes);
                }
                (number, line) => {
                    hashes.push(line.and_then(Hash::from_base64).ok_or(ParseProofError::Hash(number))?);
                }
            }
        }
        Ok(Self { extra, index, hashes, checkpoint: Note::parse(rest.as_bytes())? })
    }

    /// Whether the entry is in a log that the policy accepts, and which witnesses say so.
    ///
    /// # Errors
    /// Why not.
    pub fn verify(
        &self,
        entry: &[u8],
        policy: &Policy,
    ) -> Result<(Checkpoint, Vec<Cosigned>), VerifyProofError> {
        let (checkpoint, cosigned) = policy.verify(&self.checkpoint)?;
        merkle::verify_inclusion(
            self.index,
            checkpoint.size,
            Hash::leaf(entry),
            &self.hashes,
            checkpoint.root,
        )?;
        Ok((checkpoint, cosigned))
    }
}

/// The content of a `.tlog-proof` file.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", BASE64.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyKind, SignerKey};

    fn proof() -> (Proof, Policy, Vec<Vec<u8>>) {
        let key = SignerKey::from_seed("log.example", KeyKind::Ed25519, &[1; 32]).expect("a name");
        let entries: Vec<Vec<u8>> = (0..7_u8).map(|i| vec![i; 3]).collect();
        let leaves: Vec<Hash> = entries.iter().map(|entry| Hash::leaf(entry)).collect();
        let hashes = merkle::inclusion_proof(5, 7, &mut &leaves[..]).expect("infallible");
        let checkpoint = Checkpoint::new("log.example", 7, merkle::root(&leaves)).sign(&key);
        let policy = Policy::of_log(key.verifier().clone());
        (Proof { extra: None, index: 5, hashes, checkpoint }, policy, entries)
    }

    #[test]
    fn a_proof_reads_as_it_was_written_and_verifies_for_its_entry_alone() {
        let (mut proof, policy, entries) = proof();
        for extra in [None, Some(b"hello".to_vec()), Some(Vec::new())] {
            proof.extra = extra;
            assert_eq!(Proof::parse(proof.to_string().as_bytes()), Ok(proof.clone()));
            for (at, entry) in entries.iter().enumerate() {
                assert_eq!(proof.verify(entry, &policy).is_ok(), at == 5);
            }
        }
    }

    /// docs/benchmarks.md tells these sizes. Names have the lengths that real ones have.
    #[test]
    fn what_a_proof_weighs() {
        let signer = |name: &str, kind| SignerKey::from_seed(name, kind, &[1; 32]).expect("a name");
        let log = signer("results.election.example/2026", KeyKind::Ed25519);
        let names =
            ["witness.court.example/2026", "tlog.broadcaster.example/w1", "observers.example.org/witness"];
        let mut table = String::new();
        for n_hashes in [14_u32, 18, 24] {
            let checkpoint = Checkpoint::new(log.verifier().name(), 1 << n_hashes, Hash::EMPTY_ROOT);
            let mut note = checkpoint.sign(&log);
            let hashes = vec![Hash::EMPTY_ROOT; n_hashes as usize];
            let mut proof =
                Proof { extra: None, index: (1 << n_hashes) - 1, hashes, checkpoint: note.clone() };
            let plain = proof.to_string().len();
            for name in names {
                note.add(crate::cosignature::cosign(&checkpoint, &signer(name, KeyKind::CosignatureV1), 1));
            }
            proof.checkpoint = note;
            let (cosigned, of_hashes) = (proof.to_string().len(), 45 * proof.hashes.len());
            assert_eq!(Proof::parse(proof.to_string().as_bytes()), Ok(proof), "it may be as large as that");
            table += &format!(
                "{n_hashes} hashes: {of_hashes} bytes of hashes, {plain} plain, {cosigned} with three cosignatures\n"
            );
        }
        insta::assert_snapshot!(table, @r"
        14 hashes: 630 bytes of hashes, 875 plain, 1287 with three cosignatures
        18 hashes: 810 bytes of hashes, 1057 plain, 1469 with three cosignatures
        24 hashes: 1080 bytes of hashes, 1331 plain, 1743 with three cosignatures
        ");
    }

    #[test]
    fn the_first_wrong_line_is_named() {
        let (proof, ..) = proof();
        let text = proof.to_string();
        let say = |text: String| Proof::parse(text.as_bytes()).expect_err("no proof").to_string();
        let cases = [
            say(text.replace("@v1", "@v2")),
            say(text.replace("index 5", "index 05")),
            say(text.replace("index 5", "extra !!!\nindex 5")),
            say(text.replacen('=', "", 1)),
            say(text.replacen("\n\n", "\n", 1)),
            say(format!("{HEADER}\nindex 5\n{}", format!("{}\n", Hash::EMPTY_ROOT).repeat(64))),
            say(text.lines().take(6).map(|line| format!("{line}\n")).collect()),
        ];
        insta::assert_snapshot!(cases.join("\n"), @r"
        line 1 is not `c2sp.org/tlog-proof@v1`
        line 2 is not `index` and a number
        the extra data is not base64
        line 3 is no hash in base64
        line 6 is no hash in base64
        the proof has more than 63 hashes
        the proof's checkpoint is no signed note: no empty line parts text and signatures
        ");
    }
}
