//! Sums of returns at every level, and what they do not cover.
//!
//! A sum is made of leaves alone. Where somebody states more than the leaves add to (votes by post that no station reports, say),
//! the difference is named; it is never filled in by subtraction, because a number that only follows from another one confirms
//! nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::board::{Chain, Election};
use crate::id::{ContestId, ListId, UnitId};
use crate::privacy::add;
use crate::tally::{Count, ListVotes, Tally};
use crate::votes::Votes;

/// The sum of one unit in one contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The numbers.
    pub tally: Tally,
    /// Units at or below it of which a return is due.
    pub due: u64,
    /// Those of which one counts.
    pub counted: u64,
    /// Those whose last word is in question since a key was revoked; an older word counts, or none.
    pub in_question: u64,
}

/// All sums, by contest and unit.
pub type Totals = BTreeMap<(ContestId, UnitId), Sum>;

/// Adds up an election at every level.
pub fn totals(election: &Election) -> Totals {
    let mut totals = Totals::new();
    for (contest, known) in &election.definition.contests {
        // The top stands there even where nothing is due.
        sum_of(&mut totals, contest, &known.unit);
        for unit in election.due(contest) {
            let chain = election.chain(contest, unit);
            let content = chain.and_then(Chain::content);
            for above in election.definition.upwards(unit) {
                let sum = sum_of(&mut totals, contest, above);
                sum.due += 1;
                sum.in_question += u64::from(chain.is_some_and(Chain::is_in_question));
                if let Some(content) = content {
                    sum.counted += 1;
                    add(&mut sum.tally, &content.tally);
                }
            }
        }
    }
    totals
}

fn sum_of<'t>(totals: &'t mut Totals, contest: &ContestId, unit: &UnitId) -> &'t mut Sum {
    totals.entry((contest.clone(), unit.clone())).or_insert_with(|| Sum {
        tally: Tally::new(contest.clone(), unit.clone()),
        due: 0,
        counted: 0,
        in_question: 0,
    })
}

/// Units of a contest of which nothing counts, in order.
pub fn missing(election: &Election, contest: &ContestId) -> BTreeSet<UnitId> {
    election.due(contest).filter(|unit| election.content(contest, unit).is_none()).cloned().collect()
}

/// How what somebody states of a unit stands to the sum of its leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Votes for lists that are stated and that no leaf covers.
    pub uncovered: Votes,
    /// Votes for lists that leaves have and that are not stated: at least one side is wrong.
    pub beyond: Votes,
    /// Each list: stated, by leaves.
    pub lists: BTreeMap<ListId, (Votes, Votes)>,
    /// Each count that is stated: stated, by leaves.
    pub counts: BTreeMap<Count, (Votes, Votes)>,
}

impl Coverage {
    /// Whether leaves cover all that is stated, and nothing more.
    pub fn is_whole(&self) -> bool {
        self.uncovered == Votes::ZERO && self.beyond == Votes::ZERO
    }
}

/// Compares what somebody states of a unit with the sum of its leaves.
pub fn coverage(stated: &Tally, leaves: &Tally) -> Coverage {
    let mut coverage = Coverage {
        uncovered: Votes::ZERO,
        beyond: Votes::ZERO,
        lists: BTreeMap::new(),
        counts: BTreeMap::new(),
    };
    let ids: BTreeSet<&ListId> = stated.lists.keys().chain(leaves.lists.keys()).collect();
    for id in ids {
        let votes = |tally: &Tally| tally.lists.get(id).map_or(Votes::ZERO, ListVotes::votes);
        let (said, summed) = (votes(stated), votes(leaves));
        coverage.uncovered.add(Votes(said.0.saturating_sub(summed.0)));
        coverage.beyond.add(Votes(summed.0.saturating_sub(said.0)));
        coverage.lists.insert(id.clone(), (said, summed));
    }
    for (count, said) in &stated.counts {
        coverage.counts.insert(count.clone(), (*said, leaves.count(count).unwrap_or_default()));
    }
    coverage
}
