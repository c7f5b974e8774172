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
///
/// A text is *new* at first sight and *known* at its second. Each kind may fill half of the limit, so that a
/// flood of random texts, which come once each, cannot push out those that are seen again. When there is no
/// room for new ones, a text is still kept at its second sight if that follows closely enough.
///
/// What is kept depends on the order of texts within a part, and not on the order in which parts are merged.
#[derive(Debug)]
pub struct Texts {
    known: Shelf,
    new: Shelf,
    /// Ids of known texts, by their low bits: nearly every text is one of few, and is found here.
    recent: Vec<i64>,
    /// Ids of texts that were seen once and not kept, by their low bits.
    passed: Vec<i64>,
    left_out: u64,
}

/// The longest text that is kept, in bytes; the rest is cut and an ellipsis put there.
const LONGEST: usize = 400;

/// Slots of [`Texts::recent`] and of [`Texts::passed`], 64 KiB each: they stay in the second-level cache.
const SLOTS: usize = 8192;

impl Default for Texts {
    fn default() -> Self {
        Self::new(32 << 20)
    }
}

impl Texts {
    /// At most about so many bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            known: Shelf::new(limit / 2),
            new: Shelf::new(limit / 2),
            recent: Vec::new(),
            passed: Vec::new(),
            left_out: 0,
        }
    }

    /// Keeps a text unless it is there or there is no room.
    #[inline]
    pub fn keep(&mut self, id: i64, text: &[u8]) {
        if self.recent.get(slot(id)) != Some(&id) {
            self.keep_slowly(id, text);
        }
    }

    #[inline(never)]
    fn keep_slowly(&mut self, id: i64, text: &[u8]) {
        if self.recent.is_empty() {
            // Not before the first text, so that a part without texts costs nothing.
            self.recent = vec![-1; SLOTS];
            self.passed = vec![-1; SLOTS];
        }
        if self.known.texts.contains_key(&id) {
            self.recent[slot(id)] = id;
        } else if let Some(kept) = self.new.take(id) {
            if let Err(kept) = self.known.put(id, kept) {
                self.new.put_back(id, kept);
            } else {
                self.recent[slot(id)] = id;
            }
        } else if self.new.has_room(text) {
            self.new.put_back(id, shortened(text));
        } else if self.passed[slot(id)] == id && self.known.put(id, shortened(text)).is_ok() {
            self.recent[slot(id)] = id;
        } else {
            self.passed[slot(id)] = id;
            self.left_out += 1;
        }
    }

    /// True where the id's text is held.
    pub fn contains(&self, id: i64) -> bool {
        self.known.texts.contains_key(&id) || self.new.texts.contains_key(&id)
    }

    /// Adds those of another part.
    pub fn merge(&mut self, other: &mut Self) {
        self.left_out += std::mem::take(&mut other.left_out);
        self.left_out += self.known.merge(&mut other.known);
        self.left_out += self.new.merge(&mut other.new);
        // What was taken off a shelf is not on it any more.
        self.recent.clear();
        self.passed.clear();
    }

    /// The text, or its id in hexadecimal where it was not kept.
    pub fn get(&self, id: i64) -> String {
        match self.known.texts.get(&id).or_else(|| self.new.texts.get(&id)) {
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
        let only_new = self.new.texts.keys().filter(|id| !self.known.texts.contains_key(*id)).count();
        self.known.texts.len() + only_new
    }

    /// True where none is held.
    pub fn is_empty(&self) -> bool {
        self.known.texts.is_empty() && self.new.texts.is_empty()
    }
}

fn slot(id: i64) -> usize {
    id as usize % SLOTS
}

fn shortened(text: &[u8]) -> Box<[u8]> {
    if text.len() > LONGEST { [&text[..LONGEST], "…".as_bytes()].concat().into() } else { text.into() }
}

/// Texts under a limit.
#[derive(Debug)]
struct Shelf {
    texts: HashMap<i64, Box<[u8]>>,
    bytes: usize,
    limit: usize,
    /// The lowest id that a merge had no room for. Nothing from there on is taken by a later merge, so that what
    /// is kept is the same in whatever order parts come: the lowest ids that fit.
    cut: i64,
}

/// Bytes that a text costs beside its own.
const OVERHEAD: usize = 48;

impl Shelf {
    fn new(limit: usize) -> Self {
        Self { texts: HashMap::new(), bytes: 0, limit, cut: i64::MAX }
    }

    fn has_room(&self, text: &[u8]) -> bool {
        self.bytes + text.len().min(LONGEST) + OVERHEAD <= self.limit
    }

    fn put(&mut self, id: i64, text: Box<[u8]>) -> Result<(), Box<[u8]>> {
        if !self.has_room(&text) {
            return Err(text);
        }
        self.put_back(id, text);
        Ok(())
    }

    fn put_back(&mut self, id: i64, text: Box<[u8]>) {
        self.bytes += text.len() + OVERHEAD;
        self.texts.insert(id, text);
    }

    fn take(&mut self, id: i64) -> Option<Box<[u8]>> {
        let text = self.texts.remove(&id)?;
        self.bytes -= text.len() + OVERHEAD;
        Some(text)
    }

    /// Adds those of another shelf, and gives the number of those that found no room.
    fn merge(&mut self, other: &mut Self) -> u64 {
        self.cut = self.cut.min(other.cut);
        let mut moved: Vec<_> = other.texts.drain().collect();
        other.bytes = 0;
        // In order of id, so that nothing depends on the order inside a map.
        moved.sort_unstable_by_key(|(id, _)| *id);
        for (id, text) in moved {
            if !self.texts.contains_key(&id) {
                self.put_back(id, text);
            }
        }
        if self.bytes <= self.limit && self.cut == i64::MAX {
            return 0;
        }
        let mut ids: Vec<i64> = self.texts.keys().copied().collect();
        ids.sort_unstable();
        let (mut bytes, mut left_out) = (0, 0);
        for id in ids {
            bytes += self.texts.get(&id).map_or(0, |text| text.len() + OVERHEAD);
            if bytes > self.limit {
                self.cut = self.cut.min(id);
            }
            if id >= self.cut {
                self.take(id);
                left_out += 1;
            }
        }
        left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_until_there_is_no_room() {
        let seed = Seed(7);
        let mut texts = Texts::new(200);
        let (a, b, c) = (seed.text(b"/a"), seed.text(b"/b"), seed.text(b"/c"));
        texts.keep(a, b"/a");
        texts.keep(b, b"/b");
        texts.keep(c, b"/c");
        assert_eq!((texts.get(a), texts.get(b)), ("/a".to_owned(), "/b".to_owned()));
        assert_eq!(texts.get(c), format!("#{c:012x}"));
        assert_eq!((texts.len(), texts.left_out()), (2, 1));
        assert_ne!(a, Seed(8).text(b"/a"));
    }

    #[test]
    fn a_flood_of_random_texts_does_not_push_out_what_is_seen_again() {
        let seed = Seed(7);
        let mut texts = Texts::new(10_000);
        for n in 0..5000 {
            let random = format!("/{n:030}");
            texts.keep(seed.text(random.as_bytes()), random.as_bytes());
            if n >= 1000 {
                for page in 0..10 {
                    let page = format!("/page/{page}");
                    texts.keep(seed.text(page.as_bytes()), page.as_bytes());
                }
            }
        }
        for page in 0..10 {
            let page = format!("/page/{page}");
            assert_eq!(texts.get(seed.text(page.as_bytes())), page);
        }
        assert!(texts.len() * (31 + OVERHEAD) <= 10_000, "{} texts", texts.len());
        assert!(texts.left_out() > 4000);
    }

    #[test]
    fn what_is_kept_does_not_depend_on_the_order_of_parts() {
        let seed = Seed(7);
        let part = |from: usize| {
            let mut texts = Texts::new(8000);
            for n in from..from + 90 {
                let text = format!("/{}{n}", "x".repeat(n % 40));
                for _ in 0..=n % 3 {
                    texts.keep(seed.text(text.as_bytes()), text.as_bytes());
                }
            }
            texts
        };
        let merged = |order: [usize; 3]| {
            let mut all = Texts::new(8000);
            for from in order {
                all.merge(&mut part(from));
            }
            let mut kept: Vec<String> = (0..200)
                .map(|n| format!("/{}{n}", "x".repeat(n % 40)))
                .filter(|text| all.contains(seed.text(text.as_bytes())))
                .collect();
            kept.sort();
            kept
        };
        let first = merged([0, 60, 100]);
        assert!(first.len() > 50);
        for order in [[0, 100, 60], [60, 0, 100], [60, 100, 0], [100, 0, 60], [100, 60, 0]] {
            assert_eq!(merged(order), first, "{order:?}");
        }
    }
}
