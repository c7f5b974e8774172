//! Bounded samples and rankings that depend on what was seen and on nothing else.

use std::collections::BTreeMap;

/// The `most` keys with the smallest hashes, each with what was counted for it: a uniform sample of
/// distinct keys, exact while there are no more (Cohen and Kaplan 2007). The same whatever the order.
#[derive(Clone, Debug)]
pub struct BottomK<K> {
    most: usize,
    kept: BTreeMap<(u64, K), i64>,
    full: bool,
}

impl<K: Ord + Copy> BottomK<K> {
    /// Keeps at most so many keys.
    pub fn new(most: usize) -> Self {
        Self { most, kept: BTreeMap::new(), full: false }
    }

    /// Adds to the count of a key with this hash.
    pub fn add(&mut self, hash: u64, key: K, count: i64) {
        if let Some(kept) = self.kept.get_mut(&(hash, key)) {
            *kept += count;
            return;
        }
        if self.kept.len() == self.most {
            // A key that fell out has a hash above all that are kept ever after, so it never returns
            // with a part of its count.
            if self.kept.last_key_value().is_none_or(|(last, _)| (hash, key) > *last) {
                self.full = true;
                return;
            }
            self.kept.pop_last();
            self.full = true;
        }
        self.kept.insert((hash, key), count);
    }

    /// How many distinct keys there were: exact while all were kept, else estimated from the largest
    /// hash that was, with a relative error of 1/√most.
    pub fn distinct(&self) -> f64 {
        match self.kept.last_key_value() {
            Some((&(hash, _), _)) if self.full => {
                (self.most as f64 - 1.0) / ((hash as f64 + 1.0) / 2f64.powi(64))
            }
            _ => self.kept.len() as f64,
        }
    }

    /// Keys and counts, by hash.
    pub fn iter(&self) -> impl Iterator<Item = (K, i64)> {
        self.kept.iter().map(|(&(_, key), &count)| (key, count))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.kept.clear();
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
