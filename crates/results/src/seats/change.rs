//! Whether votes that no return covers yet can move a seat.

use super::distribute::{Shares, distribute, total};
use super::pairs::{Reach, Settled, fewest};
use super::tree::{Node, votes_of};
use super::{Claimant, Move, PARTS, Standings, Why};
use crate::definition::Method;
use crate::id::ListId;

/// The fewest votes that may change anything, with what they may change.
pub(super) fn fewest_votes(standings: &Standings) -> Option<Move> {
    if standings.seats == 0 || standings.method == Method::None {
        return None;
    }
    if standings.threshold == 0 {
        return within_group(standings, &standings.tree(), standings.seats);
    }
    if standings.has_one_distribution() {
        return one_distribution(standings);
    }
    let fixed = within_group(standings, &standings.tree(), standings.seats);
    let crossing = Threshold(standings).first_crossing();
    // Of equal ones the crossing is told: so many votes may also change who takes part, and the other is not certain.
    [crossing, fixed].into_iter().flatten().min_by_key(|change| change.votes)
}

/// The fewest votes that change what one group's members get, or what theirs get, with the lists that take part as they
/// are. While fewer votes are added than any group needs, no group's seats change, from the top down.
fn within_group(standings: &Standings, members: &[Node], seats: u32) -> Option<Move> {
    let votes = votes_of(members);
    let shares = distribute(standings.method, &votes, seats);
    let here = fewest(standings.method, &votes, seats, &shares).and_then(|(from, to, needed)| {
        let why = match from {
            Some(_) => Why::Overtakes,
            None if shares.tie.is_some() => Why::DecidesTie,
            None => Why::FillsSeat,
        };
        let from = from.map(|from| members[from].claimant.clone());
        u64::try_from(needed).ok().map(|votes| Move {
            from,
            to: Some(members[to].claimant.clone()),
            votes,
            why,
            certain: true,
        })
    });
    let below = members.iter().zip(&shares.certain).filter(|(node, _)| !node.members.is_empty());
    let below = below.filter_map(|(node, &held)| within_group(standings, &node.members, held));
    here.into_iter().chain(below).min_by_key(|change| change.votes)
}

/// Exact with a threshold: one distribution by divisors or plurality. There a list without a seat counts for nothing, so
/// that a change needs a holder that falls below the threshold, or a list that is not below it and reaches a seat.
fn one_distribution(standings: &Standings) -> Option<Move> {
    let threshold = Threshold(standings);
    let lists: Vec<(&ListId, u64)> = standings.lists.iter().map(|(id, each)| (id, each.votes)).collect();
    let taking_part = |votes: u64| if threshold.met(votes) { votes } else { 0 };
    let votes: Vec<u64> = lists.iter().map(|&(_, votes)| taking_part(votes)).collect();
    let shares = distribute(standings.method, &votes, standings.seats);
    let falls = lists.iter().zip(&shares.certain).filter(|&(_, &held)| held > 0);
    let falls = falls.filter_map(|(&(id, votes), _)| threshold.fall(id, votes));
    let gains = (0..lists.len()).filter_map(|to| gain(standings, &lists, &shares, to));
    falls.chain(gains).min_by_key(|change| change.votes)
}

/// The fewest votes with which the list `to` meets the threshold and reaches a seat.
fn gain(standings: &Standings, lists: &[(&ListId, u64)], shares: &Shares, to: usize) -> Option<Move> {
    let threshold = Threshold(standings);
    let (id, own) = lists[to];
    let enters = threshold.votes_to_meet(own)?;
    let (from, why, reaches) = if let Some(tie) = &shares.tie {
        if !tie.among.contains(&to) {
            return None;
        }
        (None, Why::DecidesTie, 1)
    } else if shares.unfilled > 0 {
        if shares.certain[to] > 0 {
            return None;
        }
        (None, Why::FillsSeat, 1)
    } else {
        let mut votes: Vec<u64> =
            lists.iter().map(|&(_, votes)| if threshold.met(votes) { votes } else { 0 }).collect();
        votes[to] = own;
        let settled = Settled {
            method: standings.method,
            votes: &votes,
            held: &shares.certain,
            seats: standings.seats,
        };
        let pair = settled.cheapest_for(to, Reach::Equal)?;
        (Some(Claimant::List(lists[pair.from].0.clone())), Why::Overtakes, pair.votes)
    };
    let why = if enters >= reaches { Why::Enters } else { why };
    let votes = u64::try_from(enters.max(reaches)).ok()?;
    Some(Move { from, to: Some(Claimant::List(id.clone())), votes, why, certain: true })
}

/// The rule of a least share.
pub(super) struct Threshold<'a>(pub(super) &'a Standings);

impl Threshold<'_> {
    /// Whether a number of votes is at least the least share of all valid votes. No votes never are.
    pub(super) fn met(&self, votes: u64) -> bool {
        votes > 0 && u128::from(votes) * PARTS >= self.part() * self.valid()
    }

    /// The fewest votes with which a list of `own` votes meets the threshold, if all that are added fall to it: each also
    /// adds one to the valid votes. None where no number is enough.
    fn votes_to_meet(&self, own: u64) -> Option<u128> {
        let short = (self.part() * self.valid()).saturating_sub(u128::from(own) * PARTS);
        match (short, PARTS - self.part()) {
            (0, _) => Some(u128::from(own == 0)),
            (_, 0) => None,
            (short, gained) => Some(short.div_ceil(gained)),
        }
    }

    /// The fewest votes, all for others, after which a list of `own` votes no longer meets the threshold.
    fn fall(&self, id: &ListId, own: u64) -> Option<Move> {
        if self.0.lists.len() < 2 || self.part() == 0 {
            return None;
        }
        let most_valid = u128::from(own) * PARTS / self.part();
        let votes = u64::try_from(most_valid + 1 - self.valid()).ok()?;
        let from = Some(Claimant::List(id.clone()));
        Some(Move { from, to: None, votes, why: Why::Falls, certain: true })
    }

    /// The fewest votes with which other lists than now take part. Whether that moves a seat is another question.
    fn first_crossing(&self) -> Option<Move> {
        let moves = self.0.lists.iter().filter_map(|(id, each)| {
            let change = if self.met(each.votes) {
                self.fall(id, each.votes)?
            } else {
                let votes = u64::try_from(self.votes_to_meet(each.votes)?).ok()?;
                let to = Some(Claimant::List(id.clone()));
                Move { from: None, to, votes, why: Why::Enters, certain: false }
            };
            Some(Move { certain: false, ..change })
        });
        moves.min_by_key(|change| change.votes)
    }

    fn part(&self) -> u128 {
        u128::from(self.0.threshold)
    }

    fn valid(&self) -> u128 {
        u128::from(self.0.valid)
    }
}

/// The sum of the votes of all lists.
pub(super) fn sum(votes: impl Iterator<Item = u64>) -> u128 {
    total(&votes.collect::<Vec<u64>>())
}
