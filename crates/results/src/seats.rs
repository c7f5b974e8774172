//! From votes to seats: who has which, who ties for one, and whether votes still to come can move any.
//!
//! [`Standings::allocate`] computes the seats of one contest and [`Standings::could_change`] says whether a number of votes
//! that no return covers yet can change them. Both are exact: whole numbers and fractions of 128 bits, nothing rounded.
//!
//! # Methods
//!
//! Below, *v* are a list's votes, *V* those of all lists that take part, *S* the seats, *s* the seats that a list has so far.
//!
//! | [`Method`] | rule | source |
//! |---|---|---|
//! | [`DHondt`](Method::DHondt) | one seat at a time to the highest v/(s+1) | V. D'Hondt, 1882; T. Jefferson, 1792 |
//! | [`SainteLague`](Method::SainteLague) | the highest v/(2s+1) | A. Sainte-Laguë, 1910; D. Webster, 1832 |
//! | [`ModifiedSainteLague`](Method::ModifiedSainteLague) | the same, but v/1.4 for the first seat | Norway from 1953, Sweden 1952–2014 |
//! | [`HagenbachBischoff`](Method::HagenbachBischoff) | quota floor(V/(S+1))+1; each list as many seats as its votes contain quotas; the rest one at a time to the highest v/(s+1) | Switzerland, Federal Act on Political Rights (SR 161.1), articles 40–43 |
//! | [`HareRemainder`](Method::HareRemainder) | quota V/S, not rounded; full quotas; one more seat each to the largest remainders | T. Hare; A. Hamilton, 1792 |
//! | [`DroopRemainder`](Method::DroopRemainder) | the same with the quota floor(V/(S+1))+1 | H. R. Droop, 1881 |
//! | [`Plurality`](Method::Plurality) | the S lists, which are persons here, with the most votes get one seat each | |
//! | [`None`](Method::None) | nothing is computed; every seat is told as unfilled | |
//!
//! A list without a vote gets no seat under any method. If nobody has a vote, or fewer persons than seats under plurality,
//! seats are [unfilled](Outcome::unfilled).
//!
//! **No quota here gives out too many seats.** The numbers of full quotas add to at most V/q. That is S for the quota V/S;
//! and as floor(V/(S+1))+1 is more than V/(S+1), V/q is less than S+1 and its whole part at most S. With the unrounded
//! V/(S+1) it could be S+1, which is why both laws say "the next larger whole number", even where the division leaves none.
//!
//! **Remainders may go round more than once** only with Droop's quota and fewer votes than about S²: there the rounding up
//! to a whole vote can leave as many seats as there are lists. Each list then gets one in turn, and again from the largest.
//!
//! # List connections
//!
//! Lists that name the same [connection](crate::definition::List::connection) are counted as one list first; what they get
//! together is then distributed among them by the same method, with a quota of their own votes and seats (article 42 of the
//! Swiss act). A sub-connection is such a list within a connection. One list that names a connection alone is a connection
//! of one. The rule is applied with every method but plurality, where entrants are persons and connections are ignored.
//! A sub-connection without a connection is ignored.
//!
//! # Threshold
//!
//! A list takes part if votes × 10,000 >= threshold × valid votes. It is measured alone, not with its connection. The caller
//! says what the [valid votes](Standings::new) are: all valid ballots, or the votes of all lists. Lists below the threshold
//! are in [`Outcome::excluded`], and their votes are not in V.
//!
//! # Ties
//!
//! Nothing here draws a lot. Where fewer seats are left than lists with the same claim to them, the outcome has a [`Tie`]:
//! so many seats among these lists, each of which may have one. Only Hagenbach-Bischoff has rules of its own for equal
//! quotients, and they are applied and [told](Step): the larger remainder of the division by the quota, then the larger
//! number of votes (article 41, 1 c and d). The votes of candidates (e) and the lot (f) are left open as a tie.
//!
//! If a connection is in a tie, its lists have the seats of one outcome or of the other. Those that a list has in both are
//! certain and the rest is told in the one tie, so that certain, tied and unfilled seats always add to the seats of the
//! contest. Not every way to hand such a tie's seats to its lists can then happen; [`Tie::connections`] says so. The lists
//! below a connection whose seats are open have no [`Award`] for the same reason.
//!
//! # Votes to come
//!
//! Uncovered votes may fall to any list, also to one below the threshold, and may be fewer than said. Each that falls to a
//! list adds one to the valid votes as well. Changing a seat, making a tie or deciding one all count as a change. The answer
//! is exact ([`Move::certain`]) without threshold for every method, with and without connections: the fewest votes that can
//! change anything are known, and if all of them fall to the list named the outcome does change. With a threshold it is
//! exact for plurality and for the divisor methods without connections. For the other methods with a threshold "settled" is
//! still proof, but at the number of votes at which any list meets or misses the threshold the answer becomes "may move".
//! The proofs are in `seats/pairs.rs` and `seats/change.rs`.

mod change;
mod distribute;
mod pairs;
mod ratio;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::definition::{Contest, Method};
use crate::id::ListId;
use change::Threshold;
pub use ratio::Ratio;

/// The most seats of one contest. The largest parliament has fewer than 3,000; the bound keeps a hostile definition from
/// taking all time and memory.
pub const MAX_SEATS: u32 = 10_000;

/// A threshold is stated in parts of ten thousand.
const PARTS: u128 = 10_000;

/// Where a contest stands: its rules, and the votes of each list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standings {
    seats: u32,
    method: Method,
    threshold: u32,
    valid: u64,
    lists: BTreeMap<ListId, Standing>,
}

/// One list's votes, and the lists it is connected with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its votes.
    pub votes: u64,
    /// Lists of one name here are counted as one first.
    pub connection: Option<String>,
    /// A closer connection within that.
    pub sub_connection: Option<String>,
}

/// Why seats cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StandingsError {
    /// More than [`MAX_SEATS`].
    #[error("a contest of {seats} seats is larger than the {MAX_SEATS} that are computed")]
    TooManySeats {
        /// The seats asked for.
        seats: u32,
    },
    /// More than all votes.
    #[error("a threshold of {threshold} parts of 10000 is more than all votes")]
    ThresholdAboveAll {
        /// The threshold asked for.
        threshold: u32,
    },
    /// The votes of all lists, or the valid votes, do not fit 64 bits when added.
    #[error("the votes of all lists add to more than 64 bits hold")]
    TooManyVotes,
    /// Votes for a list that the contest does not have.
    #[error("the contest has no list `{list}`")]
    UnknownList {
        /// The list that has votes.
        list: ListId,
    },
}

impl Standings {
    /// Takes rules and votes.
    ///
    /// `threshold` is in parts of ten thousand of `valid`; say 0 for none. `valid` is what the law measures the threshold
    /// by: all valid ballots, or the votes of all lists. It is used for nothing else.
    pub fn new(
        seats: u32,
        method: Method,
        threshold: u32,
        valid: u64,
        lists: BTreeMap<ListId, Standing>,
    ) -> Result<Self, StandingsError> {
        if seats > MAX_SEATS {
            return Err(StandingsError::TooManySeats { seats });
        }
        if u128::from(threshold) > PARTS {
            return Err(StandingsError::ThresholdAboveAll { threshold });
        }
        if change::sum(lists.values().map(|each| each.votes)) > u128::from(u64::MAX) {
            return Err(StandingsError::TooManyVotes);
        }
        Ok(Self { seats, method, threshold, valid, lists })
    }

    /// Takes the rules and connections of a contest, and votes. A list without an entry in `votes` has none.
    pub fn of(contest: &Contest, votes: &BTreeMap<ListId, u64>, valid: u64) -> Result<Self, StandingsError> {
        if let Some(list) = votes.keys().find(|&list| !contest.lists.contains_key(list)) {
            return Err(StandingsError::UnknownList { list: list.clone() });
        }
        let lists = contest.lists.iter().map(|(id, list)| {
            let standing = Standing {
                votes: votes.get(id).copied().unwrap_or(0),
                connection: list.connection.clone(),
                sub_connection: list.sub_connection.clone(),
            };
            (id.clone(), standing)
        });
        Self::new(contest.seats, contest.method, contest.threshold, valid, lists.collect())
    }

    /// Computes the seats. The order in which lists were given does not matter.
    pub fn allocate(&self) -> Outcome {
        let tree = self.tree();
        let below = tree::descend(self.method, &tree, &[], self.seats);
        let mut seats: BTreeMap<ListId, u32> = self.lists.keys().map(|id| (id.clone(), 0)).collect();
        seats.extend(below.certain);
        Outcome {
            seats,
            ties: below.ties,
            unfilled: below.unfilled,
            excluded: self.excluded(),
            awards: below.awards,
            last_seat: self.last_seat(&tree),
        }
    }

    /// Says whether `uncovered` votes, however they fall and also if they are fewer, can change what
    /// [`allocate`](Self::allocate) says of seats and ties.
    pub fn could_change(&self, uncovered: u64) -> Stability {
        if self.method == Method::None {
            return Stability::NotComputed;
        }
        match change::fewest_votes(self) {
            Some(change) if change.votes <= uncovered => Stability::MayMove(change),
            next => Stability::Settled { next },
        }
    }

    /// The lists that take part, grouped. Without a threshold lists without a vote are there too: they may yet get one.
    fn tree(&self) -> Vec<tree::Node> {
        let threshold = Threshold(self);
        let part = self.lists.iter().filter(|(_, each)| self.threshold == 0 || threshold.met(each.votes));
        if self.method == Method::Plurality {
            let alone: Vec<(&ListId, Standing)> =
                part.map(|(id, each)| (id, Standing { votes: each.votes, ..Standing::default() })).collect();
            return tree::grow(&alone.iter().map(|(id, each)| (*id, each)).collect::<Vec<_>>());
        }
        tree::grow(&part.collect::<Vec<_>>())
    }

    fn excluded(&self) -> BTreeSet<ListId> {
        let threshold = Threshold(self);
        let below = |each: &Standing| self.threshold > 0 && self.valid > 0 && !threshold.met(each.votes);
        self.lists.iter().filter(|(_, each)| below(each)).map(|(id, _)| id.clone()).collect()
    }

    /// Whether all lists stand side by side, by a rule in which one without a seat counts for nothing.
    fn has_one_distribution(&self) -> bool {
        match self.method {
            Method::Plurality => true,
            Method::DHondt | Method::SainteLague | Method::ModifiedSainteLague => {
                self.lists.values().all(|each| each.connection.is_none())
            }
            _ => false,
        }
    }

    fn last_seat(&self, tree: &[tree::Node]) -> Option<LastSeat> {
        let votes = tree::votes_of(tree);
        let shares = distribute::distribute(self.method, &votes, self.seats);
        if shares.tie.is_some() || shares.unfilled > 0 {
            return None;
        }
        let settled =
            pairs::Settled { method: self.method, votes: &votes, held: &shares.certain, seats: self.seats };
        let pair = settled.cheapest(pairs::Reach::Equal)?;
        let better = settled.cheapest_for(pair.to, pairs::Reach::Better)?;
        Some(LastSeat {
            holder: tree[pair.from].claimant.clone(),
            runner_up: tree[pair.to].claimant.clone(),
            votes_to_tie: u64::try_from(pair.votes).ok()?,
            votes_to_take: u64::try_from(better.votes).ok()?,
        })
    }
}

/// The seats of a contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The seats that each list has for certain; every list of the contest is here, also with none.
    pub seats: BTreeMap<ListId, u32>,
    /// Seats that votes alone do not decide.
    pub ties: Vec<Tie>,
    /// Seats for which nobody stood with a vote.
    pub unfilled: u32,
    /// Lists that take no part because they are below the threshold.
    pub excluded: BTreeSet<ListId>,
    /// The certain seats in the order in which they were given, those of a connection before those of its lists.
    pub awards: Vec<Award>,
    /// Who would be next to take a seat; none where there is a tie, an unfilled seat or nobody else.
    pub last_seat: Option<LastSeat>,
}

/// Seats among lists with the same claim. With `connections` empty each of the lists may have one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// Seats that are open.
    pub seats: u32,
    /// Lists that may have one.
    pub among: Vec<ListId>,
    /// Connections that are themselves in the tie, each by its path from the outermost. The seats of their lists are open
    /// as far as they differ between one seat less and one seat more for the connection.
    pub connections: Vec<Vec<String>>,
}

/// Who may claim a seat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claimant {
    /// A list.
    List(ListId),
    /// A connection, by the names from the outermost to itself.
    Connection(Vec<String>),
}

impl fmt::Display for Claimant {
    /// A list's id; for connections their names, as in `connection 1 / 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(id) => id.fmt(f),
            Self::Connection(path) => write!(f, "connection {}", path.join(" / ")),
        }
    }
}

/// One seat given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    /// The connection within which it was given; empty for the seats of the contest.
    pub within: Vec<String>,
    /// Its number there, from 1.
    pub seat: u32,
    /// To whom.
    pub to: Claimant,
    /// The claim that won it: a quotient, a remainder or a number in votes, or votes in quotas.
    pub claim: Ratio,
    /// By which rule.
    pub by: Step,
}

/// The rule that gave a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A full quota; the claim is the votes divided by the quota.
    Quota,
    /// The highest quotient.
    Quotient,
    /// An equal quotient, and the larger remainder of the division by the quota.
    QuotientThenRemainder,
    /// An equal quotient and remainder, and more votes.
    QuotientThenVotes,
    /// The largest remainder, in votes.
    Remainder,
    /// The most votes.
    Votes,
}

/// How far the last seat is from another's hands, all other votes and all lists that take part staying as they are. With
/// connections, between those who claim the seats of the contest: what happens within one is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSeat {
    /// Who would lose it.
    pub holder: Claimant,
    /// Who needs the fewest votes for it.
    pub runner_up: Claimant,
    /// The fewest more votes for the runner-up with which its claim is as good.
    pub votes_to_tie: u64,
    /// The fewest more votes with which it is better.
    pub votes_to_take: u64,
}

/// Whether votes to come can change an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stability {
    /// They cannot, however they fall. Ties that the outcome has stay ties.
    Settled {
        /// What would take the fewest votes, which are more than there are; none if no number of votes could.
        next: Option<Move>,
    },
    /// They can, or at least this is not excluded: see [`Move::certain`].
    MayMove(Move),
    /// The contest has no method.
    NotComputed,
}

/// The change that takes the fewest votes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Who would lose a seat; none where no single one can be named.
    pub from: Option<Claimant>,
    /// For whom the votes would be; none if for anybody but `from`.
    pub to: Option<Claimant>,
    /// The fewest votes.
    pub votes: u64,
    /// What they would do.
    pub why: Why,
    /// Whether so many votes for `to`, or for a list of that connection that takes part, do change the outcome. If not, they
    /// only change which lists take part, and no fewer change anything.
    pub certain: bool,
}

/// What votes to come would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// `to` reaches as good a claim to a seat of `from`, or a better one.
    Overtakes,
    /// A tie that the outcome has is decided, or becomes another.
    DecidesTie,
    /// A seat is filled for which nobody stood with a vote.
    FillsSeat,
    /// `to` meets the threshold.
    Enters,
    /// `from` no longer meets the threshold, since there are more valid votes.
    Falls,
}
