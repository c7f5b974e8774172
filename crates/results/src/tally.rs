//! What one unit counted in one contest, before anybody signs it and whatever file it came from.

use std::collections::BTreeMap;
use std::fmt;

use crate::id::{CandidateNumber, ContestId, ListId, UnitId, is_id};
use crate::votes::Votes;

/// What was counted beside the votes for lists, in the order in which documents state it. Letters are those of the Dutch
/// forms, whose rules the checks follow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Count {
    /// People who may vote here (`eligible`).
    Eligible,
    /// A: polling cards handed in (`polling-cards`).
    PollingCards,
    /// B: votes by proxy (`proxies`).
    Proxies,
    /// C: voter cards for voting elsewhere (`voter-cards`).
    VoterCards,
    /// D: voters admitted (`admitted`).
    Admitted,
    /// E: valid ballots, which are the votes where a ballot has one vote (`valid`).
    Valid,
    /// F: blank ballots (`blank`).
    Blank,
    /// G: invalid ballots (`invalid`).
    Invalid,
    /// H: ballots cast (`cast`).
    Cast,
    /// I: ballots counted beyond the voters admitted (`excess`).
    Excess,
    /// J: ballots fewer than the voters admitted (`shortfall`).
    Shortfall,
    /// Anything else that a source states and the log shall keep; an id in lower case.
    Other(Box<str>),
}

impl Count {
    /// All that have a meaning of their own.
    pub const KNOWN: [Self; 11] = [
        Self::Eligible,
        Self::PollingCards,
        Self::Proxies,
        Self::VoterCards,
        Self::Admitted,
        Self::Valid,
        Self::Blank,
        Self::Invalid,
        Self::Cast,
        Self::Excess,
        Self::Shortfall,
    ];

    /// The word in documents.
    pub fn name(&self) -> &str {
        match self {
            Self::Eligible => "eligible",
            Self::PollingCards => "polling-cards",
            Self::Proxies => "proxies",
            Self::VoterCards => "voter-cards",
            Self::Admitted => "admitted",
            Self::Valid => "valid",
            Self::Blank => "blank",
            Self::Invalid => "invalid",
            Self::Cast => "cast",
            Self::Excess => "excess",
            Self::Shortfall => "shortfall",
            Self::Other(name) => name,
        }
    }

    /// Reads the word; one that is not known and is an id in lower case is [`Self::Other`].
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(known) = Self::KNOWN.iter().find(|known| known.name() == name) {
            return Some(known.clone());
        }
        (is_id(name) && !name.bytes().any(|b| b.is_ascii_uppercase())).then(|| Self::Other(name.into()))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A way of voting whose votes a source states apart: `election-day`, `absentee`. An id in lower case.
pub type Mode = Box<str>;

/// The votes of one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListVotes {
    /// The list's total, as stated.
    pub total: Option<Votes>,
    /// Votes for the list that are on none of its candidates, where the source states them (Swiss blank lines).
    pub list_only: Option<Votes>,
    /// Votes by candidate number.
    pub candidates: BTreeMap<CandidateNumber, Votes>,
}

impl ListVotes {
    /// The list's votes: its stated total, or what its candidates and list-only votes add to.
    pub fn votes(&self) -> Votes {
        self.total.unwrap_or_else(|| self.candidates.values().copied().chain(self.list_only).sum())
    }
}

/// What one unit counted in one contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The contest.
    pub contest: ContestId,
    /// The unit.
    pub unit: UnitId,
    /// What was counted beside the votes.
    pub counts: BTreeMap<Count, Votes>,
    /// The votes.
    pub lists: BTreeMap<ListId, ListVotes>,
    /// Shares of a list's or a candidate's votes by way of voting, where a source states them.
    pub modes: BTreeMap<(Mode, ListId, Option<CandidateNumber>), Votes>,
}

impl Tally {
    /// A tally that states nothing yet.
    pub fn new(contest: ContestId, unit: UnitId) -> Self {
        Self { contest, unit, counts: BTreeMap::new(), lists: BTreeMap::new(), modes: BTreeMap::new() }
    }

    /// A count, where stated.
    pub fn count(&self, count: &Count) -> Option<Votes> {
        self.counts.get(count).copied()
    }

    /// The votes of a list, as [`ListVotes::votes`] has them.
    pub fn votes_of(&self, list: &ListVotes) -> Votes {
        list.votes()
    }

    /// The votes of all lists together.
    pub fn votes(&self) -> Votes {
        self.lists.values().map(ListVotes::votes).sum()
    }
}
