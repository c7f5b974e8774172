//! Numbers of votes, ballots and people.

use std::fmt;

/// A number of votes, ballots or people in one unit or a sum over units.
///
/// 64 bits: a sum of returns that each state the largest number their grammar allows cannot wrap, see
/// [`Votes::MAX_STATED`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Votes(pub u64);

impl Votes {
    /// None at all.
    pub const ZERO: Self = Self(0);

    /// The largest number that one line of a document may state: the largest of 32 bits. More than four thousand million
    /// such lines fit into a sum of 64 bits.
    pub const MAX_STATED: u64 = u32::MAX as u64;

    /// Reads a decimal number without sign, space or leading zero, as documents write it.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > 10 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if text.len() > 1 && text.starts_with('0') {
            return None;
        }
        text.parse().ok().filter(|&n| n <= Self::MAX_STATED).map(Self)
    }

    /// Adds another number; saturates, which sums of stated numbers never reach.
    pub fn add(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl fmt::Display for Votes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::iter::Sum for Votes {
    /// Saturates; sums of stated numbers never reach that.
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, |sum, each| Self(sum.0.saturating_add(each.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_one_spelling() {
        assert_eq!(Votes::parse("0"), Some(Votes(0)));
        assert_eq!(Votes::parse("4294967295"), Some(Votes(4_294_967_295)));
        for wrong in ["", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "4294967296", "99999999999", "١"] {
            assert_eq!(Votes::parse(wrong), None, "{wrong}");
        }
    }
}
