//! One distribution: a number of seats among entrants that each have a number of votes, no entrant within another.

use super::Step;
use super::ratio::Ratio;
use crate::definition::Method;

/// What one distribution gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shares {
    /// Seats that each entrant has for certain.
    pub(super) certain: Vec<u32>,
    /// The seats that are open, and the entrants that may each have one of them.
    pub(super) tie: Option<FlatTie>,
    /// Seats for which nobody stood with a vote.
    pub(super) unfilled: u32,
    /// The certain seats in the order in which they were given.
    pub(super) awards: Vec<FlatAward>,
}

/// Fewer seats than entrants with the same claim to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FlatTie {
    pub(super) seats: u32,
    pub(super) among: Vec<usize>,
}

/// One seat given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FlatAward {
    pub(super) to: usize,
    pub(super) claim: Ratio,
    pub(super) by: Step,
}

impl Shares {
    fn new(entrants: usize, seats: u32) -> Self {
        Self { certain: vec![0; entrants], tie: None, unfilled: seats, awards: Vec::new() }
    }

    /// Whether somebody would sit elsewhere, or another tie would be told. The order of the awards does not matter.
    pub(super) fn differs(&self, other: &Self) -> bool {
        self.certain != other.certain || self.tie != other.tie || self.unfilled != other.unfilled
    }

    fn award(&mut self, to: usize, claim: Ratio, by: Step) {
        self.certain[to] += 1;
        self.unfilled -= 1;
        self.awards.push(FlatAward { to, claim, by });
    }

    /// Gives one seat to each of the equals, or tells the tie where too few are left. Says whether any may be left.
    fn award_all(&mut self, equals: Vec<usize>, by: Step, claim: impl Fn(usize) -> Ratio) -> bool {
        if equals.is_empty() {
            return false;
        }
        if self.unfilled < u32::try_from(equals.len()).unwrap_or(u32::MAX) {
            self.tie = Some(FlatTie { seats: self.unfilled, among: equals });
            self.unfilled = 0;
            return false;
        }
        for to in equals {
            self.award(to, claim(to), by);
        }
        self.unfilled > 0
    }
}

/// Distributes `seats` among entrants by their votes. An entrant without a vote gets nothing.
pub(super) fn distribute(method: Method, votes: &[u64], seats: u32) -> Shares {
    let mut shares = Shares::new(votes.len(), seats);
    if seats == 0 || votes.iter().all(|&each| each == 0) {
        return shares;
    }
    match method {
        Method::None => {}
        Method::Plurality => most_votes(votes, &mut shares),
        Method::DHondt | Method::SainteLague | Method::ModifiedSainteLague => {
            highest_quotients(Divisors::of(method), votes, &mut shares);
        }
        Method::HagenbachBischoff => hagenbach_bischoff(votes, seats, &mut shares),
        Method::HareRemainder => {
            largest_remainders(total(votes), u128::from(seats), votes, &mut shares);
        }
        Method::DroopRemainder => {
            largest_remainders(next_larger_quota(total(votes), seats), 1, votes, &mut shares);
        }
    }
    shares
}

/// The sum of all votes.
pub(super) fn total(votes: &[u64]) -> u128 {
    votes.iter().map(|&each| u128::from(each)).sum()
}

/// The next whole number above total/(seats+1), also where that division leaves no remainder.
pub(super) fn next_larger_quota(total: u128, seats: u32) -> u128 {
    total / (u128::from(seats) + 1) + 1
}

/// A series of divisors, all multiplied by one number so that they are whole.
#[derive(Clone, Copy)]
pub(super) struct Divisors {
    first: u128,
    step: u128,
    second: u128,
    scale: u128,
}

impl Divisors {
    /// The divisors of a method; Hagenbach-Bischoff's second part uses D'Hondt's.
    pub(super) fn of(method: Method) -> Self {
        match method {
            Method::SainteLague => Self { first: 1, second: 3, step: 2, scale: 1 },
            Method::ModifiedSainteLague => Self { first: 7, second: 15, step: 10, scale: 5 },
            _ => Self { first: 1, second: 2, step: 1, scale: 1 },
        }
    }

    /// The divisor, scaled, for the next seat of somebody who has `held` seats.
    pub(super) fn next(self, held: u32) -> u128 {
        if held == 0 { self.first } else { self.second + self.step * u128::from(held - 1) }
    }

    /// The quotient for the next seat of somebody who has `held` seats.
    pub(super) fn quotient(self, votes: u64, held: u32) -> Ratio {
        Ratio { numerator: u128::from(votes) * self.scale, denominator: self.next(held) }
    }
}

fn highest_quotients(divisors: Divisors, votes: &[u64], shares: &mut Shares) {
    loop {
        let held = shares.certain.clone();
        let equals = highest(votes, |i| divisors.quotient(votes[i], held[i]));
        if !shares.award_all(equals, Step::Quotient, |i| divisors.quotient(votes[i], held[i])) {
            return;
        }
    }
}

fn hagenbach_bischoff(votes: &[u64], seats: u32, shares: &mut Shares) {
    let quota = next_larger_quota(total(votes), seats);
    full_quotas(quota, 1, votes, shares);
    let divisors = Divisors::of(Method::HagenbachBischoff);
    let remainder = |i: usize| Ratio { numerator: u128::from(votes[i]) % quota, denominator: 1 };
    let all_votes = |i: usize| Ratio { numerator: u128::from(votes[i]), denominator: 1 };
    while shares.unfilled > 0 {
        let held = shares.certain.clone();
        let quotient = |i: usize| divisors.quotient(votes[i], held[i]);
        let by_quotient = highest(votes, quotient);
        let by_remainder = highest_of(&by_quotient, remainder);
        let equals = highest_of(&by_remainder, all_votes);
        let by = if equals.len() < by_remainder.len() {
            Step::QuotientThenVotes
        } else if by_remainder.len() < by_quotient.len() {
            Step::QuotientThenRemainder
        } else {
            Step::Quotient
        };
        if !shares.award_all(equals, by, quotient) {
            return;
        }
    }
}

/// Gives each entrant as many seats as its votes contain the quota `numerator/denominator`.
fn full_quotas(numerator: u128, denominator: u128, votes: &[u64], shares: &mut Shares) {
    for (to, &each) in votes.iter().enumerate() {
        let claim = Ratio { numerator: u128::from(each) * denominator, denominator: numerator };
        for _ in 0..claim.numerator / numerator {
            shares.award(to, claim, Step::Quota);
        }
    }
}

fn largest_remainders(numerator: u128, denominator: u128, votes: &[u64], shares: &mut Shares) {
    full_quotas(numerator, denominator, votes, shares);
    let remainder = |i: usize| {
        let numerator = u128::from(votes[i]) * denominator % numerator;
        Ratio { numerator, denominator }
    };
    while shares.unfilled > 0 {
        let mut waiting: Vec<usize> = (0..votes.len()).filter(|&i| votes[i] > 0).collect();
        while !waiting.is_empty() {
            let equals = highest_of(&waiting, remainder);
            waiting.retain(|i| !equals.contains(i));
            if !shares.award_all(equals, Step::Remainder, remainder) {
                return;
            }
        }
    }
}

fn most_votes(votes: &[u64], shares: &mut Shares) {
    let claim = |i: usize| Ratio { numerator: u128::from(votes[i]), denominator: 1 };
    let mut waiting: Vec<usize> = (0..votes.len()).filter(|&i| votes[i] > 0).collect();
    loop {
        let equals = highest_of(&waiting, claim);
        waiting.retain(|i| !equals.contains(i));
        if !shares.award_all(equals, Step::Votes, claim) {
            return;
        }
    }
}

/// Who of those with votes has the highest claim; all of them where it is the same.
fn highest(votes: &[u64], claim: impl Fn(usize) -> Ratio) -> Vec<usize> {
    let standing: Vec<usize> = (0..votes.len()).filter(|&i| votes[i] > 0).collect();
    highest_of(&standing, claim)
}

fn highest_of(standing: &[usize], claim: impl Fn(usize) -> Ratio) -> Vec<usize> {
    let Some(best) = standing.iter().map(|&i| claim(i)).max_by(|a, b| a.compare(*b)) else {
        return Vec::new();
    };
    standing.iter().copied().filter(|&i| claim(i).compare(best).is_eq()).collect()
}
