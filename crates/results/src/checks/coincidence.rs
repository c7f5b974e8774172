//! How many units of a contest chance alone would let state the same votes.
//!
//! Two units state the same vector of votes. Is it a copy, or do small numbers just coincide? The answer is a bound on
//! the number of such coincidences that chance gives, and it needs no model of how units differ.
//!
//! *One pair.* Take the units' totals as given. Of two units with different totals none coincide. Let a unit's total be
//! `n` and let each of its votes fall on list `i` with probability `p_i`, one independently of another. Whatever the
//! `p_i` are, the probability of the vector `x` is at most that under the shares which fit `x` best, `x_i / n`:
//!
//! ```text
//! P(x) <= n! / (x_1! ... x_k!) * (x_1/n)^x_1 ... (x_k/n)^x_k =: q(x)
//! ```
//!
//! Units differ in their shares, one has a harbour and one a university, and nobody knows the law of these differences.
//! The bound holds for each choice of `p`, hence for every mixture of them too, even for neighbours with the same
//! shares. Lists without votes do not count: an uncontested race has `q = 1`.
//!
//! *A contest.* Let `T` be the number of pairs of units with equal totals. The expected number of pairs that coincide in
//! a vector at least as improbable as `x` is at most
//!
//! ```text
//! sum over pairs, sum over y with q(y) <= q(x), of P_a(y) P_b(y)  <=  sum over pairs of q(x)  =  T q(x)
//! ```
//!
//! `T` is counted, not modelled, with the suspected pair in it, so that it is 1 at least. A coincidence is reported where
//! `T q(x)` is below [`CHANCE`].
//!
//! *Where to look.* Four bounds are asked, each against a quarter: pairs of the whole contest or pairs below one parent
//! (mix-ups happen on one desk, and there are far fewer such pairs), by lists or by candidates where these are equal too.
//! In a night `T` grows from 1 to some ten thousands, and each new pair of equal totals is asked at the `T` of its moment:
//! the sum of `CHANCE / T` over the night is `CHANCE (1 + ln T)`, about ten times `CHANCE`. So an ordinary night has
//! less than one false report in a thousand nights for each contest.
//!
//! *What this leaves out.* Votes that follow each other within a unit (families) widen the differences between units,
//! which the bound allows. Where a ballot has several votes they do not fall independently, and the bound is asked about
//! fewer votes, see [`Ballots`]. Two records of one count, such as precincts counted together under two ids, coincide for
//! a good reason and are reported. A copy with few votes or in a race of two is not reported: chance does that too.

use crate::definition::Contest;

/// The bound on the expected number of coincidences, in a contest at the moment of asking, below which one is reported.
pub const CHANCE: f64 = 1e-4;

/// `s(x) = ln x! - x ln x + x`, by Stirling's series; its error is below 0.001 at 1 and falls with the fifth power.
fn stirling(x: f64) -> f64 {
    0.5 * (std::f64::consts::TAU * x).ln() + 1.0 / (12.0 * x) - 1.0 / (360.0 * x * x * x)
}

/// `q(x)` as a logarithm: `s(n) - s(x_1) - ... - s(x_k)`. Entries below 1 are left out.
pub(super) fn ln_most_probable(entries: impl Iterator<Item = f64>) -> f64 {
    let (mut total, mut sum) = (0.0, 0.0);
    for entry in entries.filter(|&entry| entry >= 1.0) {
        total += entry;
        sum += stirling(entry);
    }
    if total < 1.0 { 0.0 } else { (stirling(total) - sum).min(0.0) }
}

/// How a contest's votes come from ballots, which decides how many of them are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ballots {
    /// One vote each.
    One,
    /// Several votes, for lists of candidates. At worst a ballot gives all of them to one list, so a list's votes divided
    /// by their number are what is independent.
    Lists(u32),
    /// Several votes, for persons. At worst voters follow slates of that many persons, whose votes are equal; so of so
    /// many persons, in the order of their votes, only the last counts.
    Persons(u32),
}

impl Ballots {
    pub(super) fn of(contest: Option<&Contest>) -> Self {
        let Some(contest) = contest.filter(|contest| contest.votes_per_ballot > 1) else { return Self::One };
        if contest.lists.values().any(|list| list.candidates.len() > 1) {
            Self::Lists(contest.votes_per_ballot)
        } else {
            Self::Persons(contest.votes_per_ballot)
        }
    }

    /// `ln q` of a vector.
    pub(super) fn ln_most_probable(self, votes: impl Iterator<Item = u64>) -> f64 {
        match self {
            Self::One => ln_most_probable(votes.map(|votes| votes as f64)),
            Self::Lists(each) => ln_most_probable(votes.map(|votes| votes as f64 / f64::from(each))),
            Self::Persons(each) => {
                let mut votes: Vec<u64> = votes.collect();
                votes.sort_unstable_by(|a, b| b.cmp(a));
                let slates = votes.chunks_exact(each as usize).filter_map(|slate| slate.last());
                ln_most_probable(slates.map(|&votes| votes as f64))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(entries: &[u64]) -> f64 {
        let ln_factorial = |n: u64| (1..=n).map(|i| (i as f64).ln()).sum::<f64>();
        let n: u64 = entries.iter().sum();
        entries
            .iter()
            .filter(|&&x| x > 0)
            .fold(ln_factorial(n), |sum, &x| sum - ln_factorial(x) + x as f64 * (x as f64 / n as f64).ln())
    }

    #[test]
    fn the_bound_is_the_probability_under_the_best_fitting_shares() {
        for entries in
            [&[1_u64][..], &[1, 1], &[3, 0, 4], &[20, 44, 16, 7, 6, 6, 17, 43, 38, 25, 8], &[5000, 4000, 1]]
        {
            let bound = ln_most_probable(entries.iter().map(|&x| x as f64));
            assert!((bound - exact(entries)).abs() < 0.01, "{entries:?}: {bound} {}", exact(entries));
        }
        assert_eq!(ln_most_probable(std::iter::empty()), 0.0);
        assert!(ln_most_probable([u64::MAX as f64, u64::MAX as f64].into_iter()).is_finite());
    }

    /// Every vector of 12 votes on 3 lists, under many shares: the bound is never below the probability.
    #[test]
    fn no_shares_make_a_vector_more_probable_than_the_bound() {
        let ln_factorial = |n: u64| (1..=n).map(|i| (i as f64).ln()).sum::<f64>();
        for a in 0..=12_u64 {
            for b in 0..=12 - a {
                let x = [a, b, 12 - a - b];
                let bound = ln_most_probable(x.iter().map(|&x| x as f64));
                for share in 1..20 {
                    let p = [f64::from(share) / 40.0, f64::from(share) / 50.0];
                    let p = [p[0], p[1], 1.0 - p[0] - p[1]];
                    let ln = (0..3)
                        .fold(ln_factorial(12), |sum, i| sum - ln_factorial(x[i]) + x[i] as f64 * p[i].ln());
                    assert!(ln <= bound + 0.01, "{x:?} {p:?}: {ln} > {bound}");
                }
            }
        }
    }

    #[test]
    fn slates_and_whole_lists_count_once() {
        let uniform = [100, 100, 100, 90, 90, 90];
        let slates = Ballots::Persons(3).ln_most_probable(uniform.into_iter());
        assert!((slates - ln_most_probable([100.0, 90.0].into_iter())).abs() < 1e-9);
        let lists = Ballots::Lists(5).ln_most_probable([500, 300].into_iter());
        assert!((lists - ln_most_probable([100.0, 60.0].into_iter())).abs() < 1e-9);
        assert_eq!(
            Ballots::Persons(7).ln_most_probable(uniform.into_iter()),
            0.0,
            "fewer persons than votes"
        );
    }
}
