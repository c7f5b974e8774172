//! Fractions that are kept as they are: never reduced, never rounded.

use std::cmp::Ordering;
use std::fmt;

/// A claim to a seat as an exact fraction, in votes, or in quotas where a full quota gave the seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    /// Above the line.
    pub numerator: u128,
    /// Below the line; never zero.
    pub denominator: u128,
}

impl Ratio {
    /// Compares two values, whatever fractions state them: 1/2 and 2/4 are equal here, though not by `==`.
    ///
    /// Both cross products must fit 128 bits. They do for claims of one distribution: a numerator is at most 5 times a
    /// number of 64 bits, and a denominator at most ten times [`MAX_SEATS`](super::MAX_SEATS).
    pub fn compare(self, other: Self) -> Ordering {
        (self.numerator * other.denominator).cmp(&(other.numerator * self.denominator))
    }
}

impl fmt::Display for Ratio {
    /// `206386/4`, or a whole number where nothing stands below the line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denominator == 1 {
            return self.numerator.fmt(f);
        }
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}
