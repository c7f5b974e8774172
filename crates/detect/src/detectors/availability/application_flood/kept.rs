//! What one partition keeps of its clients: of each window the busiest and a sample of the others, and what clients
//! do when nothing is up.

use std::collections::BinaryHeap;

use hashbrown::HashMap;

use super::records::{self, Common, WORDS};
use super::weights::SIGNS;

/// Bins of the counts and pauses of calm clients, see [`busy_bin`] and [`pause_bin`].
pub(super) const BINS: usize = 2 * WORDS;

/// Clients of one window.
#[derive(Default)]
pub(super) struct Sample {
    heavy_room: usize,
    room: usize,
    /// The busiest, the least busy of them on top.
    pub(super) heavy: BinaryHeap<Ranked<std::cmp::Reverse<(u32, u64)>>>,
    /// Those with the smallest hashes, the largest of them on top.
    pub(super) sampled: BinaryHeap<Ranked<(u64, i64, i64)>>,
    pub(super) clients: u64,
    pub(super) requests: u64,
}

pub(super) struct Ranked<R> {
    pub(super) rank: R,
    pub(super) words: Box<[i64; WORDS]>,
}

impl<R: Ord> PartialEq for Ranked<R> {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}
impl<R: Ord> Eq for Ranked<R> {}
impl<R: Ord> PartialOrd for Ranked<R> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<R: Ord> Ord for Ranked<R> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl Sample {
    pub(super) fn new(heavy_room: usize, room: usize) -> Self {
        Self { heavy_room, room, ..Self::default() }
    }

    pub(super) fn add(&mut self, words: [i64; WORDS], hash: u64) {
        let n = records::requests(&words);
        self.clients += 1;
        self.requests += u64::from(n);
        let rank = std::cmp::Reverse((n, hash));
        let full = self.heavy.len() >= self.heavy_room;
        if full && self.heavy.peek().is_some_and(|least| rank >= least.rank) {
            self.sample(Box::new(words), hash);
            return;
        }
        self.heavy.push(Ranked { rank, words: Box::new(words) });
        if full && let Some(least) = self.heavy.pop() {
            self.sample(least.words, least.rank.0.1);
        }
    }

    fn sample(&mut self, words: Box<[i64; WORDS]>, hash: u64) {
        let rank = (hash, words[0], words[1]);
        if self.sampled.len() >= self.room {
            if self.sampled.peek().is_some_and(|most| rank >= most.rank) {
                return;
            }
            self.sampled.pop();
        }
        self.sampled.push(Ranked { rank, words });
    }
}

/// What clients do when nothing is up.
pub(super) struct History {
    pub(super) busy: [i64; BINS],
    pub(super) pauses: [i64; BINS],
    pub(super) clients: i64,
    pub(super) signs: [i64; SIGNS],
    pub(super) paths: Vec<i64>,
    pub(super) agents: HashMap<i64, i64>,
    pub(super) common: Common,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            busy: [0; BINS],
            pauses: [0; BINS],
            clients: 0,
            signs: [0; SIGNS],
            paths: Vec::new(),
            agents: HashMap::new(),
            common: Common::default(),
        }
    }
}

/// The bin of so many requests: exact up to 15, then eight bins for each doubling.
pub(super) fn busy_bin(n: u32) -> usize {
    if n < 16 {
        return n as usize;
    }
    (16.0 + 6.0 * (f64::from(n) / 16.0).log2()).min(BINS as f64 - 1.0) as usize
}

/// The largest number of requests in a bin.
pub(super) fn busy_most(bin: usize) -> f64 {
    if bin < 16 { bin as f64 } else { 16.0 * ((bin as f64 - 15.0) / 6.0).exp2() }
}

/// Logarithms of the shortest and the longest pause, in seconds.
const PAUSES: (f64, f64) = (-3.0, 5.72);

/// The bin of a pause in seconds.
pub(super) fn pause_bin(seconds: f64) -> usize {
    let part = (seconds.ln() - PAUSES.0) / (PAUSES.1 - PAUSES.0);
    (part.clamp(0.0, 0.999_999) * BINS as f64) as usize
}

/// The pause in seconds below which lie all of a bin, as far as `part` of it.
pub(super) fn pause_at(bin: usize, part: f64) -> f64 {
    (PAUSES.0 + (PAUSES.1 - PAUSES.0) * (bin as f64 + part) / BINS as f64).exp()
}

/// Two counts a word.
pub(super) fn packed(counts: &[i64; BINS]) -> [i64; WORDS] {
    let mut words = [0; WORDS];
    for (word, two) in words.iter_mut().zip(counts.as_chunks::<2>().0) {
        *word = two[0].min(i64::from(u32::MAX >> 1)) << 32 | two[1].min(i64::from(u32::MAX));
    }
    words
}

/// The other way.
pub(super) fn unpacked(words: &[i64; WORDS]) -> [f64; BINS] {
    let mut counts = [0.0; BINS];
    for (at, word) in words.iter().enumerate() {
        counts[2 * at] = (*word >> 32) as f64;
        counts[2 * at + 1] = (*word & 0xffff_ffff) as f64;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::super::gather::ClientKey;
    use super::super::visits::Visit;
    use super::*;

    #[test]
    fn bins_hold_what_they_say() {
        for n in [1, 15, 16, 17, 40, 100, 1000] {
            let bin = busy_bin(n);
            assert!(
                f64::from(n) <= busy_most(bin) + 1e-9
                    && (bin == 0 || f64::from(n) > busy_most(bin - 1) - 1e-9),
                "{n}"
            );
        }
        for seconds in [0.05, 1.0, 30.0, 299.0] {
            let bin = pause_bin(seconds);
            assert!(pause_at(bin, 0.0) <= seconds * 1.001 && seconds <= pause_at(bin, 1.0) * 1.001);
        }
    }

    #[test]
    fn a_sample_keeps_the_busiest_and_counts_all() {
        let mut sample = Sample::new(2, 3);
        for n in 0..100_u32 {
            let mut visit = Visit::EMPTY;
            visit.n = if n == 50 { 900 } else { 1 + n % 2 };
            let words = records::client(ClientKey { net: 1, rest: n.into() }, &visit, 0, None, 0);
            sample.add(words, u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        assert_eq!((sample.clients, sample.requests), (100, 900 + 49 + 2 * 50));
        assert_eq!((sample.heavy.len(), sample.sampled.len()), (2, 3));
        assert!(sample.heavy.iter().any(|kept| records::requests(&kept.words) == 900));
    }

    #[test]
    fn counts_are_unpacked_as_they_were_packed() {
        let mut counts = [0; BINS];
        (counts[0], counts[1], counts[63]) = (7, 1 << 20, 3);
        let back = unpacked(&packed(&counts));
        assert_eq!((back[0], back[1], back[63]), (7.0, 1_048_576.0, 3.0));
    }
}
