//! Bounded samples and rankings that depend on what was seen and on nothing else.

/// The `most` keys with the smallest hashes, each with what was counted for it: a uniform sample of
/// distinct keys, exact while there are no more (Cohen and Kaplan 2007). The same whatever the order.
#[derive(Clone, Debug)]
pub struct BottomK<K> {
    most: usize,
    /// As many as twice what is kept, with keys more than once: sorting now and then costs less than a tree.
    seen: Vec<(u64, K, i64)>,
    /// The largest that would be kept, once there are so many.
    limit: Option<(u64, K)>,
    /// A key was left out.
    full: bool,
}

impl<K: Ord + Copy> BottomK<K> {
    /// Keeps at most so many keys.
    pub fn new(most: usize) -> Self {
        Self { most, seen: Vec::new(), limit: None, full: false }
    }

    /// Adds to the count of a key with this hash.
    #[inline]
    pub fn add(&mut self, hash: u64, key: K, count: i64) {
        // A key that fell out has a hash above all that are kept ever after, so it never returns
        // with a part of its count.
        if self.limit.is_some_and(|limit| (hash, key) > limit) {
            self.full = true;
            return;
        }
        if self.seen.len() >= 2 * self.most + 64 {
            self.settle();
        }
        self.seen.push((hash, key, count));
    }

    /// Adds up counts of equal keys, and leaves out keys that are too many.
    fn settle(&mut self) {
        self.seen.sort_unstable();
        self.seen.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            super::counts::add(&mut kept.2, if same { next.2 } else { 0 });
            same
        });
        if self.seen.len() > self.most {
            self.full = true;
            self.seen.truncate(self.most);
        }
        if self.seen.len() == self.most {
            self.limit = self.seen.last().map(|&(hash, key, _)| (hash, key));
        }
    }

    /// How many distinct keys there were: exact while all were kept, else estimated from the largest
    /// hash that was, with a relative error of 1/√most.
    pub fn distinct(&mut self) -> f64 {
        self.settle();
        match self.seen.last() {
            Some(&(hash, ..)) if self.full => {
                (self.most as f64 - 1.0) / ((hash as f64 + 1.0) / 2f64.powi(64))
            }
            _ => self.seen.len() as f64,
        }
    }

    /// Keys and counts, by hash.
    pub fn iter(&mut self) -> impl Iterator<Item = (K, i64)> {
        self.settle();
        self.seen.iter().map(|&(_, key, count)| (key, count))
    }

    /// The keys of the sample with the largest counts, filled up with `none`.
    pub fn busiest<const N: usize>(&mut self, none: K) -> [(K, i64); N] {
        let mut top = Top::new(N);
        self.iter().for_each(|(key, count)| top.push(key, count));
        let mut busiest = [(none, 0); N];
        busiest.iter_mut().zip(top.iter()).for_each(|(place, found)| *place = found);
        busiest
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.seen.clear();
        self.limit = None;
        self.full = false;
    }
}

/// The `most` keys with the largest counts, of keys that come once each with their whole count.
#[derive(Clone, Debug)]
pub struct Top<K> {
    most: usize,
    kept: Vec<(i64, K)>,
}

impl<K: Ord + Copy> Top<K> {
    /// Keeps at most so many keys.
    pub fn new(most: usize) -> Self {
        Self { most, kept: Vec::with_capacity(most + 1) }
    }

    /// A key and its whole count.
    pub fn push(&mut self, key: K, count: i64) {
        if self.kept.len() == self.most && self.kept.last().is_none_or(|last| !before((count, key), *last)) {
            return;
        }
        let at = self.kept.partition_point(|kept| before(*kept, (count, key)));
        self.kept.insert(at, (count, key));
        self.kept.truncate(self.most);
    }

    /// Keys and counts, the largest first; of equal ones the smaller key.
    pub fn iter(&self) -> impl Iterator<Item = (K, i64)> {
        self.kept.iter().map(|&(count, key)| (key, count))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.kept.clear();
    }
}

fn before<K: Ord>(a: (i64, K), b: (i64, K)) -> bool {
    (std::cmp::Reverse(a.0), a.1) < (std::cmp::Reverse(b.0), b.1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hash(key: u32) -> u64 {
        u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    }

    proptest! {
        #[test]
        fn no_order_shows(keys in proptest::collection::vec(0_u32..60, 0..200), most in 1_usize..30) {
            let sample = |keys: &[u32]| {
                let mut sample = BottomK::new(most);
                for &key in keys {
                    sample.add(hash(key), key, 1);
                }
                (sample.iter().collect::<Vec<_>>(), sample.distinct())
            };
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sample(&keys), sample(&sorted));
            sorted.dedup();
            for (key, count) in sample(&keys).0 {
                prop_assert_eq!(count, keys.iter().filter(|&&k| k == key).count() as i64);
            }
        }
    }

    #[test]
    fn distinct_keys_are_estimated() {
        let mut sample = BottomK::new(256);
        (0..100_000_u32).for_each(|key| sample.add(hash(key), key, 1));
        assert!((sample.distinct() / 100_000.0 - 1.0).abs() < 0.2, "{}", sample.distinct());
    }

    #[test]
    fn the_largest_stay() {
        let mut top = Top::new(2);
        for (key, count) in [(7, 3), (1, 9), (5, 3), (4, 1)] {
            top.push(key, count);
        }
        assert_eq!(top.iter().collect::<Vec<_>>(), [(1, 9), (5, 3)]);
    }
}
