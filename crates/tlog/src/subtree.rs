//! Subtrees: draft-ietf-plants-merkle-tree-certs, "Subtrees". A range of leaves that is a node of *some* tree, so that its
//! hash can be proven to belong to every larger one. A consistency proof of RFC 9162 is the case that begins at zero.

use crate::hash::Hash;
use crate::merkle::{self, ProofError};

/// Whether `start..end` is a subtree: it begins at a multiple of the smallest power of two that holds it.
pub fn is_subtree(start: u64, end: u64) -> bool {
    let Some(width) = end.checked_sub(start).filter(|width| *width > 0) else { return false };
    // Beyond 2^63 the unit is 2^64, of which zero is the only multiple here.
    width.checked_next_power_of_two().map_or(start == 0, |unit| start.is_multiple_of(unit))
}

/// Whether the leaf stands at `index` in the subtree `start..end` under `root`.
///
/// # Errors
/// What is wrong with the range, the index or the proof.
pub fn verify_inclusion(
    index: u64,
    start: u64,
    end: u64,
    leaf: Hash,
    proof: &[Hash],
    root: Hash,
) -> Result<(), ProofError> {
    if !is_subtree(start, end) {
        return Err(ProofError::NoSubtree { start, end });
    }
    let Some(within) = index.checked_sub(start) else {
        return Err(ProofError::NoSuchLeaf { index, size: end });
    };
    merkle::verify_inclusion(within, end - start, leaf, proof, root)
}

/// Whether the subtree `start..end` under `subtree_root` belongs to the tree of `size` leaves under `root`.
///
/// # Errors
/// What is wrong with the range or the proof.
pub fn verify_consistency(
    start: u64,
    end: u64,
    size: u64,
    proof: &[Hash],
    subtree_root: Hash,
    root: Hash,
) -> Result<(), ProofError> {
    if !is_subtree(start, end) {
        return Err(ProofError::NoSubtree { start, end });
    }
    if end > size {
        return Err(ProofError::Shrinks { old: end, new: size });
    }
    // `first`: the subtree's first leaf, `last` its last leaf, `edge` the tree's last leaf; all seen from the level that
    // the loop has reached.
    let (mut first, mut last, mut edge) = (start, end - 1, size - 1);
    // Levels at which the whole subtree is one node need no hash. Where the subtree ends with the tree, its right edge is the
    // tree's.
    let ends_with_tree = last == edge;
    while first != last && (ends_with_tree || last & 1 == 1) {
        first >>= 1;
        last >>= 1;
        edge >>= 1;
    }
    let expected = consistency_length(first, last, edge);
    if proof.len() != expected {
        return Err(ProofError::Length { found: proof.len(), expected });
    }
    // Where the subtree is one node, its hash is what the proof begins with; else the proof says its last part.
    let (seed, rest) = match proof.split_first() {
        _ if first == last => (subtree_root, proof),
        Some((seed, rest)) => (*seed, rest),
        None => unreachable!("internal error: a subtree of several nodes has a proof of at least one hash"),
    };
    let (mut subtree_hash, mut tree_hash) = (seed, seed);
    for sibling in rest {
        if last & 1 == 1 || last == edge {
            if first < last {
                subtree_hash = Hash::node(*sibling, subtree_hash);
            }
            tree_hash = Hash::node(*sibling, tree_hash);
            while last & 1 == 0 && last != 0 {
                first >>= 1;
                last >>= 1;
                edge >>= 1;
            }
        } else {
            tree_hash = Hash::node(tree_hash, *sibling);
        }
        first >>= 1;
        last >>= 1;
        edge >>= 1;
    }
    if subtree_hash != subtree_root {
        return Err(ProofError::OldRoot { found: subtree_hash, expected: subtree_root });
    }
    if tree_hash != root {
        return Err(ProofError::Root { found: tree_hash, expected: root });
    }
    Ok(())
}

/// How many hashes a consistency proof has, seen from the level where it begins.
fn consistency_length(first: u64, mut last: u64, mut edge: u64) -> usize {
    let mut length = usize::from(first != last);
    while edge != 0 {
        if last & 1 == 1 || last == edge {
            // A step along the right edge goes up until the node has a left sibling; a node that never has is the root.
            while last & 1 == 0 && last != 0 {
                last >>= 1;
                edge >>= 1;
            }
            if last == 0 {
                break;
            }
        }
        length += 1;
        last >>= 1;
        edge >>= 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subtree_begins_where_a_node_could() {
        for (start, end, is) in [
            (0, 1, true),
            (0, 5, true),
            (4, 8, true),
            (8, 13, true),
            (4, 10, false),
            (3, 5, false),
            (5, 5, false),
            (6, 4, false),
            (0, u64::MAX, true),
            (1, u64::MAX, false),
        ] {
            assert_eq!(is_subtree(start, end), is, "{start} {end}");
        }
    }

    #[test]
    fn every_subtree_of_a_small_tree_has_a_proof_of_the_stated_length() {
        let leaves: Vec<Hash> = (0..33_u8).map(|i| Hash::leaf(&[i])).collect();
        for size in 1..=33_u64 {
            let root = merkle::root(&leaves[..size as usize]);
            for start in 0..size {
                for end in start + 1..=size {
                    if !is_subtree(start, end) {
                        continue;
                    }
                    let proof = proof(start, end, &leaves[..size as usize]);
                    let subtree = merkle::root(&leaves[start as usize..end as usize]);
                    assert_eq!(
                        verify_consistency(start, end, size, &proof, subtree, root),
                        Ok(()),
                        "{start} {end} {size}"
                    );
                    let other = verify_consistency(start, end, size, &proof, Hash::leaf(b"x"), root);
                    assert!(other.is_err());
                }
            }
        }
    }

    /// SUBTREE_PROOF of the draft, written as the draft has it.
    fn proof(start: u64, end: u64, leaves: &[Hash]) -> Vec<Hash> {
        fn part(start: u64, end: u64, leaves: &[Hash], known: bool) -> Vec<Hash> {
            let n = leaves.len() as u64;
            if start == 0 && end == n {
                return if known { Vec::new() } else { vec![merkle::root(leaves)] };
            }
            let k = merkle::split(n);
            let (left, right) = leaves.split_at(k as usize);
            if end <= k {
                [part(start, end, left, known), vec![merkle::root(right)]].concat()
            } else if k <= start {
                [part(start - k, end - k, right, known), vec![merkle::root(left)]].concat()
            } else {
                [part(0, end - k, right, false), vec![merkle::root(left)]].concat()
            }
        }
        part(start, end, leaves, true)
    }
}
