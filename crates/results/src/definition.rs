//! What an election is made of, fixed and signed before the first number is counted.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{CandidateNumber, CentreId, ContestId, ElectionId, ListId, UnitId};
use domain::Timestamp;

/// A unit that is counted, or summed from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// What sort of unit.
    pub kind: UnitKind,
    /// The unit that this one is summed into; none for the top.
    pub parent: Option<UnitId>,
    /// People who may vote here, where known beforehand.
    pub eligible: Option<u64>,
    /// Its name for readers.
    pub name: String,
}

/// Sorts of unit. What bounds a unit's numbers depends on it: more ballots than eligible people are an error in a polling
/// station and ordinary in early voting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnitKind {
    /// Everything.
    Nation,
    /// A constituency, canton, province or county.
    District,
    /// A municipality.
    Municipality,
    /// Where people of a register vote on the day.
    PollingStation,
    /// Where anybody may vote before the day.
    EarlyVoting,
    /// Votes by post.
    Postal,
    /// A box that travels, to hospitals or prisons.
    Mobile,
    /// Any other place for people of several registers.
    Special,
    /// Voters abroad.
    Abroad,
}

impl UnitKind {
    /// All sorts.
    pub const ALL: [Self; 9] = [
        Self::Nation,
        Self::District,
        Self::Municipality,
        Self::PollingStation,
        Self::EarlyVoting,
        Self::Postal,
        Self::Mobile,
        Self::Special,
        Self::Abroad,
    ];

    /// The word in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nation => "nation",
            Self::District => "district",
            Self::Municipality => "municipality",
            Self::PollingStation => "polling-station",
            Self::EarlyVoting => "early-voting",
            Self::Postal => "postal",
            Self::Mobile => "mobile",
            Self::Special => "special",
            Self::Abroad => "abroad",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the people who may vote here are known, so that more ballots than people are an error.
    pub fn bounds_turnout(self) -> bool {
        matches!(self, Self::Nation | Self::District | Self::Municipality | Self::PollingStation)
    }
}

/// How votes become seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Nothing is computed.
    None,
    /// Most votes win; `seats` winners.
    Plurality,
    /// Divisors 1, 2, 3 … (D'Hondt, Jefferson).
    DHondt,
    /// Divisors 1, 3, 5 … (Sainte-Laguë, Webster).
    SainteLague,
    /// Divisors 1.4, 3, 5 …
    ModifiedSainteLague,
    /// Quota votes/(seats+1) rounded up, remainders by highest average, list connections first (Hagenbach-Bischoff).
    HagenbachBischoff,
    /// Quota votes/seats, largest remainders.
    HareRemainder,
    /// Quota floor(votes/(seats+1))+1, largest remainders.
    DroopRemainder,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::Plurality,
        Self::DHondt,
        Self::SainteLague,
        Self::ModifiedSainteLague,
        Self::HagenbachBischoff,
        Self::HareRemainder,
        Self::DroopRemainder,
    ];

    /// The word in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Plurality => "plurality",
            Self::DHondt => "dhondt",
            Self::SainteLague => "sainte-lague",
            Self::ModifiedSainteLague => "modified-sainte-lague",
            Self::HagenbachBischoff => "hagenbach-bischoff",
            Self::HareRemainder => "hare-remainder",
            Self::DroopRemainder => "droop-remainder",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// One ballot question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contest {
    /// The unit whose leaves vote in it.
    pub unit: UnitId,
    /// Its title for readers.
    pub title: String,
    /// Seats to fill.
    pub seats: u32,
    /// How.
    pub method: Method,
    /// The least share of all valid votes that a list needs, in parts of ten thousand.
    pub threshold: u32,
    /// Votes that one ballot has. Where it is 1, the votes of all lists must add to the valid ballots.
    pub votes_per_ballot: u32,
    /// The lists.
    pub lists: BTreeMap<ListId, List>,
}

/// A list of candidates, or one candidate where persons stand alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// Its name for readers.
    pub name: String,
    /// Lists of one name here are counted as one first (list connection), and then among themselves.
    pub connection: Option<String>,
    /// Within a connection, a closer one (sub-connection).
    pub sub_connection: Option<String>,
    /// Candidates' names by number.
    pub candidates: BTreeMap<CandidateNumber, String>,
}
