//! What two checkpoints of one log say about each other.
//!
//! Whoever has seen one checkpoint of a log can tell an honest next one from every kind of dishonest one. The kinds are kept
//! apart, because what to do differs: a stale log may be cut off; a rolled-back one was restored from a backup, or is
//! lied about by a mirror; a fork or a split view is evidence against whoever holds the key.

use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::merkle::{self, ProofError};

/// How a checkpoint stands to one that was seen and verified before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same tree.
    Same,
    /// A larger tree that begins with the older one.
    Grown,
    /// The same tree or a larger one, but nobody vouches that it is recent: the newest time that a witness gives is `age` seconds
    /// ago, or none gives one.
    Stale { age: Option<u64> },
    /// A smaller tree: whoever shows it forgot, or hides, what it had published.
    Rollback { from: u64, to: u64 },
    /// Two roots at one size. Both signed, they are proof that the log's key signed a lie.
    Fork { size: u64, before: Hash, now: Hash },
    /// A larger tree of which the older is not the beginning, by the proof that was offered.
    SplitView { from: u64, to: u64, reason: ProofError },
    /// The two are not of one log.
    OtherLog { before: String, now: String },
}

impl Verdict {
    /// Whether the later checkpoint may be relied on.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Same | Self::Grown)
    }
}

/// Judges a checkpoint by an earlier one; both are verified. The proof leads from the earlier to the later size; at equal
/// sizes, and for a smaller tree, it is not looked at.
pub fn judge(before: &Checkpoint, now: &Checkpoint, proof: &[Hash]) -> Verdict {
    if before.origin != now.origin {
        return Verdict::OtherLog { before: before.origin.clone(), now: now.origin.clone() };
    }
    if now.size < before.size {
        return Verdict::Rollback { from: before.size, to: now.size };
    }
    if now.size == before.size {
        return if now.root == before.root {
            Verdict::Same
        } else {
            Verdict::Fork { size: now.size, before: before.root, now: now.root }
        };
    }
    match merkle::verify_consistency(before.size, now.size, proof, before.root, now.root) {
        Ok(()) => Verdict::Grown,
        Err(reason) => Verdict::SplitView { from: before.size, to: now.size, reason },
    }
}

/// A good verdict holds only while it is fresh: `newest` is the newest time at which a witness cosigned, `now` the present
/// and `max_age` how old it may be, all in seconds. Bad verdicts stay what they are.
pub fn freshness(verdict: Verdict, newest: Option<u64>, now: u64, max_age: u64) -> Verdict {
    let age = newest.map(|newest| now.saturating_sub(newest));
    if verdict.is_good() && age.is_none_or(|age| age > max_age) { Verdict::Stale { age } } else { verdict }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(n: u8, salt: u8) -> (Checkpoint, Vec<Hash>) {
        let leaves: Vec<Hash> = (0..n).map(|i| Hash::leaf(&[i, salt])).collect();
        (Checkpoint::new("log.example", u64::from(n), merkle::root(&leaves)), leaves)
    }

    #[test]
    fn each_kind_of_lie_has_its_own_verdict() {
        let (five, _) = checkpoint(5, 0);
        let (nine, leaves) = checkpoint(9, 0);
        let proof = merkle::consistency_proof(5, 9, &mut &leaves[..]).expect("infallible");
        assert_eq!(judge(&five, &five, &[]), Verdict::Same);
        assert_eq!(judge(&five, &nine, &proof), Verdict::Grown);
        assert_eq!(judge(&nine, &five, &[]), Verdict::Rollback { from: 9, to: 5 });
        let (other, other_leaves) = checkpoint(9, 1);
        assert_eq!(judge(&nine, &other, &[]), Verdict::Fork { size: 9, before: nine.root, now: other.root });
        let other_proof = merkle::consistency_proof(5, 9, &mut &other_leaves[..]).expect("infallible");
        assert!(matches!(judge(&five, &other, &other_proof), Verdict::SplitView { from: 5, to: 9, .. }));
        let mut elsewhere = nine;
        elsewhere.origin = "b.example".into();
        assert!(matches!(judge(&five, &elsewhere, &proof), Verdict::OtherLog { .. }));
    }

    #[test]
    fn a_good_verdict_goes_stale_and_a_bad_one_does_not_hide_behind_it() {
        assert_eq!(freshness(Verdict::Grown, Some(100), 160, 60), Verdict::Grown);
        assert_eq!(freshness(Verdict::Grown, Some(100), 161, 60), Verdict::Stale { age: Some(61) });
        assert_eq!(freshness(Verdict::Same, None, 161, 60), Verdict::Stale { age: None });
        let rollback = Verdict::Rollback { from: 9, to: 5 };
        assert_eq!(freshness(rollback.clone(), None, 161, 60), rollback);
    }
}
