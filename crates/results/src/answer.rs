//! What was true when, of one number: the answer to "television said 219".

use domain::Timestamp;

use crate::board::Election;
use crate::id::{CandidateNumber, ContestId, ListId, UnitId};
use crate::returns::Return;
use crate::tally::{Count, ListVotes};
use crate::votes::Votes;

/// Which number of a unit in a contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// A list's votes.
    List(ListId),
    /// A candidate's votes.
    Candidate(ListId, CandidateNumber),
    /// Something counted beside the votes.
    Count(Count),
}

impl Number {
    /// Reads `list 5`, `candidate 5/3` or `count valid`.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(' ')?;
        match kind {
            "list" => ListId::new(name).map(Self::List),
            "count" => Count::parse(name).map(Self::Count),
            "candidate" => {
                let (list, number) = name.rsplit_once('/')?;
                Some(Self::Candidate(ListId::new(list)?, number.parse().ok()?))
            }
            _ => None,
        }
    }

    fn of(&self, it: &Return) -> Votes {
        match self {
            Self::List(id) => it.tally.lists.get(id).map_or(Votes::ZERO, ListVotes::votes),
            Self::Candidate(id, number) => {
                let list = it.tally.lists.get(id);
                list.and_then(|list| list.candidates.get(number)).copied().unwrap_or_default()
            }
            Self::Count(count) => it.tally.count(count).unwrap_or_default(),
        }
    }
}

/// The value of a number from one entry of the log on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The entry that made it so.
    pub index: u64,
    /// The time that its centre wrote.
    pub time: Timestamp,
    /// The unit that the entry is about; for a sum, one below it.
    pub unit: UnitId,
    /// The entry's revision of that unit.
    pub revision: u32,
    /// The value from here on.
    pub value: Votes,
}

/// All values that a number had, in the order of the log. Entries that left it as it was are not listed. Revisions that are in
/// question are taken as never said.
pub fn history(election: &Election, contest: &ContestId, unit: &UnitId, number: &Number) -> Vec<Moment> {
    let mut changes = Vec::new();
    for below in election.due(contest).filter(|each| election.definition.is_under(each, unit)) {
        let mut before = Votes::ZERO;
        for link in election.links(contest, below).iter().filter(|link| !link.is_in_question) {
            let value = link.content.as_deref().map_or(Votes::ZERO, |it| number.of(it));
            changes.push((link, below, before, value));
            before = value;
        }
    }
    changes.sort_by_key(|(link, ..)| link.index);
    let mut sum = 0_u64;
    let mut moments: Vec<Moment> = Vec::new();
    for (link, below, before, after) in changes {
        sum = sum - before.0 + after.0;
        if moments.last().is_none_or(|last| last.value != Votes(sum)) {
            let (index, time, revision) = (link.index, link.time, link.revision);
            moments.push(Moment { index, time, unit: below.clone(), revision, value: Votes(sum) });
        }
    }
    moments
}

/// How a number that somebody showed stands to what the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is so now.
    True {
        /// Since when.
        since: Moment,
    },
    /// It was so, and is no more.
    Was {
        /// When it became so, the last time.
        from: Moment,
        /// What ended it.
        until: Moment,
        /// What is so now.
        now: Moment,
    },
    /// It never was so.
    Never {
        /// What is so now, if anything.
        now: Option<Moment>,
    },
}

/// Answers for a number that somebody showed.
pub fn answer(history: &[Moment], shown: Votes) -> Answer {
    let Some(now) = history.last() else { return Answer::Never { now: None } };
    match history.iter().rposition(|moment| moment.value == shown) {
        None => Answer::Never { now: Some(now.clone()) },
        Some(at) => match history.get(at + 1) {
            None => Answer::True { since: history[at].clone() },
            Some(until) => Answer::Was { from: history[at].clone(), until: until.clone(), now: now.clone() },
        },
    }
}
