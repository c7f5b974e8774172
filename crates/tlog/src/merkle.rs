//! RFC 9162, section 2.1: proofs that an entry is in a tree, and that a tree is the beginning of another.
//!
//! Making a proof means to name hashes of ranges of leaves, which a [`Ranges`] looks up: [`crate::reader`] finds them in
//! published tiles, a slice of leaf hashes computes them. Verifying needs nothing but the proof.

use thiserror::Error;

use crate::hash::Hash;

/// 63: the longest proof of a tree of at most 2^63 leaves, of which a checkpoint of 64 bits leaves room for.
/// The request of c2sp.org/tlog-witness has the same limit.
pub const MAX_PROOF_HASHES: usize = 63;

/// Why a proof was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The index is not below the size.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    NoSuchLeaf { index: u64, size: u64 },
    /// The first tree of a consistency proof is larger than the second.
    #[error("a tree of {old} leaves cannot be the beginning of one of {new}")]
    Shrinks { old: u64, new: u64 },
    /// A proof of these sizes has another number of hashes.
    #[error("the proof has {found} hashes, a proof of this shape has {expected}")]
    Length { found: usize, expected: usize },
    /// The range is not one that a subtree may have.
    #[error("leaves {start} to {end} are no subtree")]
    NoSubtree { start: u64, end: u64 },
    /// The hashes lead to another root.
    #[error("the proof leads to root `{found}`, not to `{expected}`")]
    Root { found: Hash, expected: Hash },
    /// The hashes lead to another root of the older tree.
    #[error("the proof begins with root `{found}`, not with `{expected}`")]
    OldRoot { found: Hash, expected: Hash },
}

/// Looks up hashes of ranges of leaves that are subtrees of RFC 6962.
pub trait Ranges {
    /// Why a hash cannot be had.
    type Error;

    /// MTH(D[start:end]), where the range is one that occurs as a node of a tree.
    fn range(&mut self, start: u64, end: u64) -> Result<Hash, Self::Error>;
}

/// The hashes of all leaves, as the simplest way to compute a range.
impl Ranges for &[Hash] {
    type Error = std::convert::Infallible;

    fn range(&mut self, start: u64, end: u64) -> Result<Hash, Self::Error> {
        Ok(root(&self[start as usize..end as usize]))
    }
}

/// MTH of RFC 6962 over hashes of leaves.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
            Hash::node(root(left), root(right))
        }
    }
}

/// The root of a tree from its right edge: the hashes of the last, not yet full tile of each level, from level 0 up.
///
/// The hashes of a level are complete subtrees of equal size; what is right of them is smaller than one of them. RFC 6962 parts
/// at the largest power of two, so the right part hangs below the last of them.
pub(crate) fn edge_root(levels: &[Vec<Hash>]) -> Hash {
    let mut root_so_far: Option<Hash> = None;
    for hashes in levels.iter().filter(|hashes| !hashes.is_empty()) {
        let all: Vec<Hash> = hashes.iter().copied().chain(root_so_far).collect();
        root_so_far = Some(root(&all));
    }
    root_so_far.unwrap_or(Hash::EMPTY_ROOT)
}

/// The largest power of two below `n`, where the two children of a tree of `n` leaves part. `n` is at least 2.
pub(crate) fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// PATH of RFC 6962, section 2.1.1: from the leaf's sibling up to the root's child.
///
/// # Panics
/// Where the leaf is not in the tree.
pub fn inclusion_proof<R: Ranges>(index: u64, size: u64, ranges: &mut R) -> Result<Vec<Hash>, R::Error> {
    assert!(index < size, "internal error: leaf {index} asked of a tree of {size}");
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    // From the root down; the far child at each step is the sibling.
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(ranges.range(middle, end)?);
            end = middle;
        } else {
            proof.push(ranges.range(start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// PROOF of RFC 6962, section 2.1.2: that the tree of `old` leaves is the beginning of the tree of `new`. Empty where
/// `old` is zero or both are equal.
///
/// # Panics
/// Where `old` is above `new`.
pub fn consistency_proof<R: Ranges>(old: u64, new: u64, ranges: &mut R) -> Result<Vec<Hash>, R::Error> {
    assert!(old <= new, "internal error: a tree of {old} leaves asked as the beginning of one of {new}");
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, new);
    // The verifier knows the old root; while the old tree is this whole left edge, it needs no hash of it.
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(ranges.range(middle, end)?);
            end = middle;
        } else {
            proof.push(ranges.range(start, middle)?);
            start = middle;
        }
    }
    if start != 0 {
        proof.push(ranges.range(start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root that a leaf hash and its proof lead to, in a tree of `size` leaves. RFC 9162, section 2.1.3.2.
///
/// # Errors
/// [`ProofError::NoSuchLeaf`] and [`ProofError::Length`].
pub fn root_from_inclusion(index: u64, size: u64, leaf: Hash, proof: &[Hash]) -> Result<Hash, ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    let wrong_length = || {
        // Each level on the way up has a sibling, but where the way runs along the right edge.
        let inner = 64 - (index ^ (size - 1)).leading_zeros();
        let expected = inner as usize + (index.checked_shr(inner).unwrap_or(0)).count_ones() as usize;
        ProofError::Length { found: proof.len(), expected }
    };
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return Err(wrong_length());
        }
        if node & 1 == 1 || node == last {
            hash = Hash::node(*sibling, hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::node(hash, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok(hash) } else { Err(wrong_length()) }
}

/// Whether the leaf stands at `index` in the tree of `size` leaves under `root`.
///
/// # Errors
/// What is wrong with the proof.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: Hash,
    proof: &[Hash],
    root: Hash,
) -> Result<(), ProofError> {
    let found = root_from_inclusion(index, size, leaf, proof)?;
    if found == root { Ok(()) } else { Err(ProofError::Root { found, expected: root }) }
}

/// Whether the tree of `old` leaves under `old_root` is the beginning of the tree of `new` leaves under `new_root`.
/// RFC 9162, section 2.1.4.2; a tree without leaves is the beginning of every tree, with an empty proof, as
/// c2sp.org/tlog-witness has it.
///
/// # Errors
/// What is wrong with the proof.
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[Hash],
    old_root: Hash,
    new_root: Hash,
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Shrinks { old, new });
    }
    if old == 0 {
        if !proof.is_empty() {
            return Err(ProofError::Length { found: proof.len(), expected: 0 });
        }
        if old_root != Hash::EMPTY_ROOT {
            return Err(ProofError::OldRoot { found: Hash::EMPTY_ROOT, expected: old_root });
        }
        if new == 0 && new_root != Hash::EMPTY_ROOT {
            return Err(ProofError::Root { found: Hash::EMPTY_ROOT, expected: new_root });
        }
        return Ok(());
    }
    crate::subtree::verify_consistency(0, old, new, proof, old_root, new_root)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaves(n: u64) -> Vec<Hash> {
        (0..n).map(|i| Hash::leaf(&i.to_be_bytes())).collect()
    }

    #[test]
    fn every_proof_of_small_trees_verifies_and_no_other_length_does() {
        for size in 1..=40 {
            let leaves = leaves(size);
            let root = root(&leaves);
            for index in 0..size {
                let proof = inclusion_proof(index, size, &mut &leaves[..]).expect("infallible");
                let leaf = leaves[index as usize];
                assert_eq!(verify_inclusion(index, size, leaf, &proof, root), Ok(()));
                let longer = [&proof[..], &[leaf]].concat();
                let expected = proof.len();
                let refused = verify_inclusion(index, size, leaf, &longer, root);
                assert_eq!(refused, Err(ProofError::Length { found: expected + 1, expected }));
                if let Some((_, shorter)) = proof.split_last() {
                    let refused = verify_inclusion(index, size, leaf, shorter, root);
                    assert_eq!(refused, Err(ProofError::Length { found: expected - 1, expected }));
                }
            }
        }
    }

    #[test]
    fn every_small_tree_is_the_beginning_of_every_larger_one() {
        let all = leaves(40);
        for new in 0..=40 {
            let new_root = root(&all[..new]);
            for old in 0..=new {
                let old_root = root(&all[..old]);
                let proof = consistency_proof(old as u64, new as u64, &mut &all[..]).expect("infallible");
                assert_eq!(
                    verify_consistency(old as u64, new as u64, &proof, old_root, new_root),
                    Ok(()),
                    "{old} {new}"
                );
                let refused = verify_consistency(old as u64, new as u64, &proof, Hash::leaf(b"x"), new_root);
                assert!(refused.is_err(), "{old} {new}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_changed_proof_is_refused(size in 1_u64..300, pick in any::<u64>(), at in any::<usize>(), bit in 0..256_usize) {
            let leaves = leaves(size);
            let index = pick % size;
            let mut proof = inclusion_proof(index, size, &mut &leaves[..]).expect("infallible");
            prop_assume!(!proof.is_empty());
            let at = at % proof.len();
            proof[at].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify_inclusion(index, size, leaves[index as usize], &proof, root(&leaves)).is_err());
        }
    }
}
