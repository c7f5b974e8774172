//! RFC 6962, section 2.1: how entries and nodes of the tree are hashed.
//!
//! ```text
//! leaf = SHA-256(0x00 || entry)
//! node = SHA-256(0x01 || left || right)
//! ```
//!
//! The first byte keeps the two apart: without it, an entry of 64 bytes could pass for a node.

use std::fmt;

use sha2::{Digest, Sha256};

/// The bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// A SHA-256 hash of a leaf, a node, or a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; HASH_BYTES]);

impl Hash {
    /// The root of a tree without leaves: the hash of nothing.
    pub const EMPTY_ROOT: Self = Self([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);

    /// The hash of an entry as a leaf of the tree.
    pub fn leaf(entry: &[u8]) -> Self {
        Self(Sha256::new().chain_update([0x00]).chain_update(entry).finalize().into())
    }

    /// The hash of the node above two others.
    pub fn node(left: Self, right: Self) -> Self {
        Self(Sha256::new().chain_update([0x01]).chain_update(left.0).chain_update(right.0).finalize().into())
    }

    /// A hash from exactly 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The standard base64 of the hash, 44 characters.
    pub fn to_base64(self) -> String {
        data_encoding::BASE64.encode(&self.0)
    }

    /// Reads what [`Hash::to_base64`] writes, and nothing else: no other padding, no stray bits.
    pub fn from_base64(text: &str) -> Option<Self> {
        Self::from_slice(&crate::text::base64(text)?)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())
    }
}

/// SHA-256 of some bytes, without the prefix of a leaf or a node.
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_root_is_the_hash_of_nothing() {
        assert_eq!(sha256(b""), Hash::EMPTY_ROOT);
        assert_eq!(Hash::EMPTY_ROOT.to_base64(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn a_leaf_and_a_node_of_the_same_bytes_differ() {
        let (left, right) = (Hash::leaf(b"a"), Hash::leaf(b"b"));
        let entry = [left.0, right.0].concat();
        assert_ne!(Hash::leaf(&entry), Hash::node(left, right));
    }

    #[test]
    fn base64_has_one_spelling() {
        let text = Hash::EMPTY_ROOT.to_base64();
        assert_eq!(Hash::from_base64(&text), Some(Hash::EMPTY_ROOT));
        assert_eq!(Hash::from_base64(text.trim_end_matches('=')), None, "padding is not optional");
        assert_eq!(Hash::from_base64(&text.replace("uFU=", "uFV=")), None, "bits after the end must be zero");
        assert_eq!(Hash::from_base64(&format!("{text}\n")), None);
        assert_eq!(Hash::from_base64(""), None);
    }
}
