//! Sums of counts that somebody may have forged: flow exports carry no signature, and a few rows that claim all that a
//! number can hold must neither end the run nor turn a sum round.

/// 2^53: the largest count that is believed and the largest sum that is kept. Floating point is exact up to there, and a thousand
/// times as much still fits 64 bits.
pub const MOST: i64 = 1 << 53;

/// A count as far as it is believed.
pub fn believed(count: i64) -> i64 {
    count.clamp(0, MOST)
}

/// Adds to a sum, up to [`MOST`]. Counts are not negative, so their order does not matter.
#[inline]
pub fn add(sum: &mut i64, count: i64) {
    *sum = sum.saturating_add(count).min(MOST);
}

/// The sum of counts, up to [`MOST`].
pub fn sum(counts: impl IntoIterator<Item = i64>) -> i64 {
    let mut all = 0;
    counts.into_iter().for_each(|count| add(&mut all, count));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_end_at_what_is_believed() {
        assert_eq!((sum([3, 4]), sum([MOST, MOST, 1]), sum([i64::MAX; 3])), (7, MOST, MOST));
        assert_eq!((believed(-1), believed(7), believed(i64::MAX)), (0, 7, MOST));
        assert!(MOST.checked_mul(1000).is_some());
    }
}
