//! Rates by the second within a minute.

use super::packets::share;
use crate::stats::counts::add;

/// Packets and bytes of the sixty seconds of a minute.
pub(super) struct Seconds {
    /// Thousandths of packets.
    milli: [i64; 60],
    bytes: [i64; 60],
    any: bool,
}

impl Default for Seconds {
    fn default() -> Self {
        Self { milli: [0; 60], bytes: [0; 60], any: false }
    }
}

/// The highest of the minute: packets, and bytes.
#[expect(clippy::struct_field_names, reason = "the unit is in the name")]
pub(super) struct Rates {
    pub(super) in_1_s: i64,
    pub(super) in_10_s: i64,
    pub(super) bytes_in_1_s: i64,
}

impl Seconds {
    /// Spreads packets over the seconds from `at`, for `span` milliseconds.
    pub(super) fn add(&mut self, at: i64, span: i64, packets: i64, bytes: i64) {
        self.any = true;
        let (milli, end) = (packets.saturating_mul(1000), at + span);
        let (first, last) = ((at / 1000).clamp(0, 59), (end / 1000).clamp(0, 59));
        if first == last {
            add(&mut self.milli[first as usize], milli);
            add(&mut self.bytes[first as usize], bytes);
            return;
        }
        let share = |whole: i64, until: i64| share(whole, until - at, span);
        let (mut given, mut given_bytes) = (0, 0);
        for second in first..=last {
            let until = if second == last { end } else { (second + 1) * 1000 };
            let (upto, upto_bytes) = (share(milli, until), share(bytes, until));
            add(&mut self.milli[second as usize], upto - given);
            add(&mut self.bytes[second as usize], upto_bytes - given_bytes);
            (given, given_bytes) = (upto, upto_bytes);
        }
    }

    /// Adds what another minute has, second by second.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.any {
            self.any = true;
            self.milli.iter_mut().zip(&other.milli).for_each(|(sum, n)| add(sum, *n));
            self.bytes.iter_mut().zip(&other.bytes).for_each(|(sum, n)| add(sum, *n));
        }
    }

    /// The highest rates.
    pub(super) fn rates(&self) -> Rates {
        let ten = |at: usize| self.milli[at..at + 10].iter().sum::<i64>();
        Rates {
            in_1_s: self.milli.iter().max().unwrap_or(&0) / 1000,
            in_10_s: (0..=50).map(ten).max().unwrap_or(0) / 1000,
            bytes_in_1_s: *self.bytes.iter().max().unwrap_or(&0),
        }
    }

    /// All packets.
    pub(super) fn packets(&self) -> i64 {
        self.milli.iter().sum::<i64>() / 1000
    }

    /// Seconds in which there was something.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, i64, i64)> {
        (0..60).map(|n| (n as i64, self.milli[n], self.bytes[n])).filter(|(_, milli, _)| *milli > 0)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        if self.any {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_spread_over_their_seconds() {
        let mut seconds = Seconds::default();
        seconds.add(500, 2000, 4, 400);
        seconds.add(59_999, 0, 1, 40);
        let all: Vec<_> = seconds.iter().collect();
        assert_eq!(all, [(0, 1000, 100), (1, 2000, 200), (2, 1000, 100), (59, 1000, 40)]);
        assert_eq!((seconds.rates().in_1_s, seconds.rates().in_10_s), (2, 4));
    }

    #[test]
    fn forged_packets_end_at_what_is_believed() {
        use crate::stats::counts::MOST;
        let mut seconds = Seconds::default();
        for _ in 0..2_200_000 {
            seconds.add(500, 0, 1 << 33, 1 << 42);
        }
        let mut other = Seconds::default();
        other.merge(&seconds);
        other.merge(&seconds);
        let rates = other.rates();
        assert_eq!((rates.in_1_s, rates.in_10_s, rates.bytes_in_1_s), (MOST / 1000, MOST / 1000, MOST));
    }
}
