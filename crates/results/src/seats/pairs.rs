//! The fewest votes that bring one entrant to a seat of another, in one distribution.
//!
//! Every method here has this property: if votes are added and the distribution changes, some `to` has a seat more and some
//! `from` a seat less than before, and between those two the rule that chose `from` is reversed. That rule is an inequality
//! in the votes of the two and, for the methods with a quota, the sum of all votes. In each of them a vote added to `to`
//! helps `to` most, so that the cheapest change of all is found by adding votes to one entrant, for every pair.
//!
//! | method | `to` reaches the seat of `from` when | |
//! |---|---|---|
//! | divisors | v(to)/d(s(to)+1) >= v(from)/d(s(from)) | |
//! | plurality | v(to) >= v(from) | `to` has no seat |
//! | quota and remainders | v(to) - v(from) >= q × (s(to) - s(from) + 1) | q of the new sum of votes |
//!
//! The last line holds because largest remainders are the seats s that make the sum of (v - q × s)² least, and such seats
//! are those that no exchange of one seat improves.

use super::distribute::{Divisors, Shares, distribute, total};
use crate::definition::Method;

/// Votes that `to` needs, and whose seat it then reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) votes: u128,
}

/// What `to` shall reach.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// As good a claim as `from` has.
    Equal,
    /// A better one.
    Better,
}

/// One distribution that gave no tie.
#[derive(Clone, Copy)]
pub(super) struct Settled<'a> {
    pub(super) method: Method,
    pub(super) votes: &'a [u64],
    pub(super) held: &'a [u32],
    pub(super) seats: u32,
}

impl Settled<'_> {
    /// The pair that needs the fewest votes; none where nobody holds a seat or there is nobody else.
    pub(super) fn cheapest(self, reach: Reach) -> Option<Pair> {
        (0..self.votes.len()).filter_map(|to| self.cheapest_for(to, reach)).min_by_key(|pair| pair.votes)
    }

    /// The holder whose seat `to` reaches with the fewest votes.
    pub(super) fn cheapest_for(self, to: usize, reach: Reach) -> Option<Pair> {
        if self.method == Method::Plurality && self.held[to] > 0 {
            return None;
        }
        let holders = (0..self.votes.len()).filter(|&from| from != to && self.held[from] > 0);
        holders
            .filter_map(|from| self.needed(from, to, reach).map(|votes| Pair { from, to, votes }))
            .min_by_key(|pair| pair.votes)
    }

    /// Votes that `to` needs to reach a seat of `from`, if all that are added fall to it; one at least.
    fn needed(self, from: usize, to: usize, reach: Reach) -> Option<u128> {
        let (ours, theirs) = (i128::from(self.votes[to]), i128::from(self.votes[from]));
        let extra = i128::from(reach == Reach::Better);
        let needed = match self.method {
            Method::None => return None,
            Method::Plurality => theirs - ours + extra,
            Method::HareRemainder => self.needed_with_hare(from, to, extra),
            Method::DroopRemainder => self.needed_with_droop(from, to, extra),
            _ => {
                let divisors = Divisors::of(self.method);
                let product = u128::from(self.votes[from]) * divisors.next(self.held[to]);
                let last = divisors.next(self.held[from] - 1);
                let reached = if extra == 0 { product.div_ceil(last) } else { product / last + 1 };
                reached.cast_signed() - ours
            }
        };
        Some(needed.max(1).cast_unsigned())
    }

    /// The seats that would have to lie between the two: s(to) - s(from) + 1, at most `seats` - 1.
    fn distance(self, from: usize, to: usize) -> i128 {
        i128::from(self.held[to]) - i128::from(self.held[from]) + 1
    }

    /// The least x with (v(to) + x - v(from)) × seats >= distance × (sum + x).
    fn needed_with_hare(self, from: usize, to: usize, extra: i128) -> i128 {
        let (seats, distance) = (i128::from(self.seats), self.distance(from, to));
        let lead = i128::from(self.votes[to]) - i128::from(self.votes[from]);
        let short = distance * total(self.votes).cast_signed() - lead * seats + extra;
        div_ceil(short, seats - distance)
    }

    /// The least x, of one vote or more, with v(to) + x - v(from) >= distance × (floor((sum + x)/(seats + 1)) + 1).
    ///
    /// The quota grows by one with every `seats + 1` votes. Between two such steps x can only help, and over one whole step
    /// it helps too, since `distance` is less than `seats + 1`: so the first step whose last x is enough has the least x.
    /// The first vote is taken for granted, for without one an entrant is not in the distribution at all.
    fn needed_with_droop(self, from: usize, to: usize, extra: i128) -> i128 {
        let (step, distance) = (i128::from(self.seats) + 1, self.distance(from, to));
        let lead = i128::from(self.votes[to]) + 1 - i128::from(self.votes[from]) - extra;
        let sum = total(self.votes).cast_signed() + 1;
        let (whole, part) = (sum / step, sum % step);
        let last_of_first = step - 1 - part;
        let steps = div_ceil(distance * (whole + 1) - lead - last_of_first, step - distance).max(0);
        let first_of_step = (steps * step - part).max(0);
        1 + (distance * (whole + steps + 1) - lead).max(first_of_step)
    }
}

/// The fewest votes that change one distribution, or turn it into a tie, wherever they fall; with who gains and, unless
/// a tie or an empty seat is decided by them, who loses.
pub(super) fn fewest(
    method: Method,
    votes: &[u64],
    seats: u32,
    shares: &Shares,
) -> Option<(Option<usize>, usize, u128)> {
    if seats == 0 || votes.is_empty() || method == Method::None {
        return None;
    }
    if let Some(tie) = &shares.tie {
        // Of those in a tie the one with the fewest seats gains most by a vote, for the quota may grow with it.
        let to = tie.among.iter().copied().min_by_key(|&i| shares.certain[i])?;
        return Some((None, to, 1));
    }
    if shares.unfilled > 0 {
        let to = (0..votes.len()).find(|&i| votes[i] == 0)?;
        return Some((None, to, 1));
    }
    let settled = Settled { method, votes, held: &shares.certain, seats };
    let pair = settled.cheapest(Reach::Equal)?;
    if method != Method::HagenbachBischoff {
        return Some((Some(pair.from), pair.to, pair.votes));
    }
    // With an equal quotient the law looks at remainders and votes, and may leave the seat where it is; then it takes a
    // vote more. All votes must fall to `to` for the equal quotient, so that no other way to spread them is overlooked.
    let changes = (0..votes.len()).filter_map(|to| settled.cheapest_for(to, Reach::Equal)).find(|equal| {
        equal.votes == pair.votes && distribute(method, &with(votes, *equal), seats).differs(shares)
    });
    let found = changes.unwrap_or(Pair { votes: pair.votes + 1, ..pair });
    Some((Some(found.from), found.to, found.votes))
}

fn with(votes: &[u64], pair: Pair) -> Vec<u64> {
    let mut votes = votes.to_vec();
    votes[pair.to] = votes[pair.to].saturating_add(u64::try_from(pair.votes).unwrap_or(u64::MAX));
    votes
}

/// Division rounded up; `by` is positive.
fn div_ceil(number: i128, by: i128) -> i128 {
    -(-number).div_euclid(by)
}
