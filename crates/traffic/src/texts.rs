//! Texts behind text ids: paths, agents, names of hosts and domains.
//!
//! A text id is a digest of the text, so parts that are read at the same time need no common
//! dictionary, and a flood of random paths costs no memory. The dictionary only serves to show a text to a
//! person; it is bounded, and what it does not hold is shown by its id.

use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bits of a text id: two of a million texts share one with probability 0.002.
const BITS: u32 = 48;

/// What makes the ids of one case: whoever lacks it cannot write two paths with one id, nor pick addresses
/// that a sample by hash passes over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The id of a text, 0 to 2^48-1.
    pub fn text(self, text: &[u8]) -> i64 {
        (xxh3_64_with_seed(text, self.0) >> (64 - BITS)) as i64
    }

    /// A hash of an address, uniform over 64 bits.
    pub fn address(self, address: crate::Address) -> u64 {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&address.hi.to_le_bytes());
        bytes[8..].copy_from_slice(&address.lo.to_le_bytes());
        xxh3_64_with_seed(&bytes, self.0)
    }
}

/// A bounded dictionary of texts by id.
#[derive(Debug)]
pub struct Texts {
    texts: HashMap<i64, Box<[u8]>>,
    bytes: usize,
    limit: usize,
    left_out: u64,
}

/// The longest text that is kept, in bytes; the rest is cut and an ellipsis put there.
const LONGEST: usize = 400;

impl Default for Texts {
    fn default() -> Self {
        Self::new(32 << 20)
    }
}

impl Texts {
    /// At most about so many bytes.
    pub fn new(limit: usize) -> Self {
        Self { texts: HashMap::new(), bytes: 0, limit, left_out: 0 }
    }

    /// Keeps a text unless it is there or there is no room.
    pub fn keep(&mut self, id: i64, text: &[u8]) {
        if self.texts.contains_key(&id) {
            return;
        }
        let cost = text.len().min(LONGEST) + 48;
        if self.bytes + cost > self.limit {
            self.left_out += 1;
            return;
        }
        self.bytes += cost;
        let kept = if text.len() > LONGEST {
            [&text[..LONGEST], "…".as_bytes()].concat().into()
        } else {
            text.into()
        };
        self.texts.insert(id, kept);
    }

    /// True where the id's text is held.
    pub fn contains(&self, id: i64) -> bool {
        self.texts.contains_key(&id)
    }

    /// Adds those of another part.
    pub fn merge(&mut self, other: &mut Self) {
        // In order of id, so that what no longer fits does not depend on the order inside a map.
        let mut more: Vec<_> = other.texts.drain().collect();
        more.sort_unstable_by_key(|(id, _)| *id);
        for (id, text) in more {
            self.keep(id, &text);
        }
        self.left_out += std::mem::take(&mut other.left_out);
        other.bytes = 0;
    }

    /// The text, or its id in hexadecimal where it was not kept.
    pub fn get(&self, id: i64) -> String {
        match self.texts.get(&id) {
            Some(text) => String::from_utf8_lossy(text).into_owned(),
            None if id < 0 => "-".to_owned(),
            None => format!("#{id:012x}"),
        }
    }

    /// An address, with its name where it is one.
    pub fn address(&self, address: crate::Address) -> String {
        if address.hi == crate::Address::NAME { self.get(address.lo) } else { address.to_string() }
    }

    /// How often a text was not kept for want of room.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Texts held.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// True where none is held.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_until_there_is_no_room() {
        let seed = Seed(7);
        let mut texts = Texts::new(120);
        let (a, b, c) = (seed.text(b"/a"), seed.text(b"/b"), seed.text(b"/c"));
        texts.keep(a, b"/a");
        texts.keep(b, b"/b");
        texts.keep(c, b"/c");
        assert_eq!((texts.get(a), texts.get(b)), ("/a".to_owned(), "/b".to_owned()));
        assert_eq!(texts.get(c), format!("#{c:012x}"));
        assert_eq!((texts.len(), texts.left_out()), (2, 1));
        assert_ne!(a, Seed(8).text(b"/a"));
    }
}
