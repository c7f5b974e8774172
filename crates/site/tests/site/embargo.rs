//! While numbers are sealed, the tree must not tell them: by a figure, a file, a size, an amount, a time or a hash.

use results::returns::Return;
use results::statement::SALT_BYTES;
use tlog::Hash;
use tlog::hash::sha256;

use crate::common::Night;
use crate::support::{Tree, text, tree};

/// Votes that centres counted and sealed; each is a number that stands nowhere else.
const SMALL: [[u64; 3]; 3] = [[17, 23, 29], [31, 37, 41], [43, 47, 53]];
const LARGE: [[u64; 3]; 3] = [[61_417, 70_223, 80_529], [91_331, 61_837, 70_441], [80_843, 91_147, 61_653]];

/// A night on which two centres commit in every slot to what they have counted so far, with what they sealed.
fn sealed(votes: &[[u64; 3]], salt: u8) -> (Night, Vec<Return>) {
    let mut night = Night::under_embargo();
    let mut returns = Vec::new();
    for (at, unit) in ["d1/1", "d1/2", "d2/1"].iter().enumerate() {
        // The clock of the night goes on where nothing was counted too.
        let next = night.next("council", unit, votes.get(at).map_or(&[][..], |votes| votes));
        returns.extend(votes.get(at).map(|_| next));
    }
    let leaves: Vec<Vec<u8>> = returns
        .iter()
        .map(|it| night.signed(it, &[crate::common::centre_of(it.tally.unit.as_str())]))
        .collect();
    let hashes: Vec<Hash> = leaves.iter().map(|bytes| Hash::leaf(bytes)).collect();
    for slot in 0..2_u32 {
        for (n, centre) in [(0_u8, "c1"), (1, "c2")] {
            let salt = [salt ^ (slot as u8) ^ (n << 4); SALT_BYTES];
            // One centre seals all it has, the other nothing: nobody can tell which.
            let what = if n == 0 { hashes.get(..slot as usize + 1).unwrap_or_default() } else { &[] };
            let commitment = night.commitment(slot, &salt, what);
            let bytes = night.signed(&commitment, &[centre]);
            night.admit(&bytes);
        }
    }
    (night, returns)
}

#[test]
fn trees_of_other_numbers_differ_in_nothing_but_seals() {
    let few = tree(&mut sealed(&SMALL, 1).0);
    let many = tree(&mut sealed(&LARGE, 1).0);
    let none = tree(&mut sealed(&[], 1).0);
    for other in [&many, &none] {
        assert_eq!(few.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "the same files");
        for (path, bytes) in &few {
            let other = &other[path];
            assert_eq!(bytes.len(), other.len(), "{path}: the same size");
            if path.starts_with("tile/") || path == "checkpoint" || path == "latest.json" {
                // Hashes and signatures: as many bytes, and what is not one of them is the same.
                assert_eq!(without_hashes(bytes), without_hashes(other), "{path}");
            } else {
                assert_eq!(bytes, other, "{path}");
            }
        }
    }
}

/// The text of a file with every run of base64 or hex of 40 letters and more taken out; of a tile of hashes nothing is left.
fn without_hashes(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return String::from_utf8_lossy(bytes)
            .split(|c: char| !c.is_ascii_graphic())
            .filter(|word| word.len() > 5 && word.len() < 40)
            .filter(|word| word.chars().all(|c| c.is_ascii_lowercase()))
            .collect();
    };
    let is_hash = |word: &&str| word.len() < 40 || word.contains("..");
    text.split([' ', '\n', '"', ':']).filter(is_hash).collect::<Vec<_>>().join(" ")
}

#[test]
fn no_number_stands_anywhere_in_the_tree() {
    let (mut night, returns) = sealed(&LARGE, 7);
    let tree = tree(&mut night);
    let mut numbers: Vec<u64> = LARGE.iter().flatten().copied().collect();
    numbers.extend(returns.iter().flat_map(|it| it.tally.counts.values()).map(|n| n.0).filter(|n| *n > 1000));
    numbers.push(returns.iter().map(|it| it.tally.votes().0).sum());
    for (path, bytes) in &tree {
        let text = String::from_utf8_lossy(bytes);
        for n in &numbers {
            let digits = n.to_string();
            let (head, tail) = digits.split_at(digits.len() - 3);
            for written in
                [digits.clone(), format!("{head},{tail}"), format!("{head}.{tail}"), format!("{n:x}\n")]
            {
                assert!(!text.contains(&written), "{path} has {written}");
            }
        }
    }
    let is_of_numbers = |path: &&String| {
        path.starts_with("entry/")
            || path.starts_with("proof/")
            || path.starts_with("returns")
            || path.contains("nist")
    };
    assert_eq!(tree.keys().find(is_of_numbers), None);
}

/// Somebody who tries all numbers that a small unit can have finds none of the hashes in the tree.
#[test]
fn no_number_can_be_found_by_trying() {
    let (mut night, returns) = sealed(&SMALL, 9);
    let tree = tree(&mut night);
    let haystack: Vec<u8> = tree.values().flatten().copied().collect();
    let mut guesses = 0;
    for it in &returns {
        let key = crate::common::centre_of(it.tally.unit.as_str());
        // The guess that is right is among them: the signature of Ed25519 follows from key and text.
        let bytes = night.signed(it, &[key]);
        let text = it.to_string();
        let leaf = Hash::leaf(&bytes);
        let hashes = [
            leaf,
            sha256(&bytes),
            sha256(text.as_bytes()),
            Hash::leaf(text.as_bytes()),
            sha256(&leaf.0),
            results::statement::sealed(&[0; SALT_BYTES], &[leaf]),
        ];
        for hash in hashes {
            guesses += 1;
            assert!(!contains(&haystack, &hash.0), "a hash of {} stands in the tree", it.tally.unit);
            assert!(!contains(&haystack, results::lines::hex(&hash).as_bytes()));
            assert!(!contains(&haystack, hash.to_base64().as_bytes()));
        }
    }
    assert_eq!(guesses, 18);
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn the_pages_say_when_and_how_much_is_sealed() {
    let tree: Tree = tree(&mut sealed(&SMALL, 3).0);
    let page = text(&tree, "index.html");
    assert!(page.contains("results are public from 22\u{a0}Mar\u{a0}2026, 22:00:00\u{a0}UTC"), "{page}");
    assert!(page.contains("Sealed so far: 4 of 6."));
    let latest = text(&tree, "latest.json");
    assert!(latest.contains("\"counted\":0,") && latest.contains("\"contests\":{}"), "{latest}");
}
