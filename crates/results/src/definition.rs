//! What an election is made of, fixed and signed before the first number is counted.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use tlog::{Hash, Policy, VerifierKey};

use crate::id::{CandidateNumber, CentreId, ContestId, ElectionId, ListId, UnitId};

mod audit;
mod parse;
mod write;

pub use audit::DefinitionError;
pub use write::tidy;

/// First line of a definition.
pub const DEFINITION: &str = "scrutineer-definition v1";

/// 16 MiB: a hundred thousand units with long names, and every candidate of a large country.
pub const MAX_DEFINITION_BYTES: usize = 16 << 20;

/// An election as the authority has fixed it. Its text is `docs/specs/definition.md`; its fingerprint is what readers get from
/// elsewhere (the official gazette) and believe.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The election.
    pub election: ElectionId,
    /// Its title for readers.
    pub title: String,
    /// The day of the election, `2024-06-09`.
    pub day: String,
    /// The time zone in which its times are shown, `Europe/Ljubljana`.
    pub zone: String,
    /// When the polls close.
    pub closes: Timestamp,
    /// Numbers must not be public before this is released; none where they may from the start.
    pub embargo: Option<Embargo>,
    /// The least number of ballots that a return may speak of: fewer could tell how somebody voted. 0 asks nothing.
    pub least_cast: u64,
    /// How long ago a quorum of witnesses may have cosigned, in seconds, for a checkpoint to count as fresh during the count.
    pub fresh_for: u64,
    /// How many authority keys must sign what changes the election.
    pub authority_threshold: usize,
    /// Keys of the authority.
    pub authority: Vec<VerifierKey>,
    /// Keys of those who release embargoed numbers; two must sign.
    pub release: Vec<VerifierKey>,
    /// The log's key, the witnesses and how many of them must agree; lines of c2sp.org/tlog-policy.
    pub policy_lines: Vec<String>,
    /// The same, read.
    pub policy: Policy,
    /// On what the log stands, where that is said.
    pub log: Option<Standing>,
    /// Where results are made public.
    pub channels: Vec<Channel>,
    /// Who compares the log with what centres say by other ways, by id.
    pub validators: BTreeMap<String, Validator>,
    /// All units.
    pub units: BTreeMap<UnitId, Unit>,
    /// Units that report for all units below them, which are too small to report alone.
    pub merged: BTreeSet<UnitId>,
    /// The contests.
    pub contests: BTreeMap<ContestId, Contest>,
    /// Where a contest is held only in some units below its own: those units.
    pub scopes: BTreeMap<ContestId, BTreeSet<UnitId>>,
    /// Who signs.
    pub centres: BTreeMap<CentreId, Centre>,
}

/// Until when numbers stay sealed, and when centres commit to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embargo {
    /// Not before this may the numbers be released.
    pub publish_from: Timestamp,
    /// When the first slot begins.
    pub first_slot: Timestamp,
    /// Length of a slot, in seconds. Each centre commits once a slot, whether it has counted anything or not.
    pub every: u32,
    /// How many slots.
    pub slots: u32,
}

/// A place where results are made public, or confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: String,
    /// `official`, `mirror`, `validator` or `broadcast`.
    pub kind: ChannelKind,
    /// Who runs it; two channels of one operator are not independent. An id.
    pub operator: String,
    /// On whose machines it stands. An id.
    pub supplier: String,
    /// Its address, without spaces.
    pub address: String,
    /// What else it needs to be reached.
    pub reach: Reach,
}

/// What a service needs to be reached, where that is said. Ids, equal where one failure or one attack takes both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Its network: `as64500`.
    pub network: Option<String>,
    /// Who answers for its name.
    pub dns: Option<String>,
}

/// Who runs a service and on what it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who runs it. An id.
    pub operator: String,
    /// On whose machines it stands. An id.
    pub supplier: String,
    /// What else it needs to be reached.
    pub reach: Reach,
}

/// Who has a way of its own to the centres, and says which units it has compared with the log: `docs/specs/validation.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    /// Who runs it and on what it stands.
    pub standing: Standing,
    /// Its key, of the kind that cosigns (type 4), and no witness's: what it says is more than what a witness says.
    pub key: VerifierKey,
}

/// Sorts of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChannelKind {
    /// The authority's own.
    Official,
    /// A copy whose every byte can be checked.
    Mirror,
    /// Compares the log with what the centres say by another way.
    Validator,
    /// Radio, television, text messages.
    Broadcast,
}

impl ChannelKind {
    /// All sorts.
    pub const ALL: [Self; 4] = [Self::Official, Self::Mirror, Self::Validator, Self::Broadcast];

    /// The word in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::Mirror => "mirror",
            Self::Validator => "validator",
            Self::Broadcast => "broadcast",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A count centre.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Centre {
    /// Its name for readers.
    pub name: String,
    /// Units that it may report, with all that lie below them.
    pub units: BTreeSet<UnitId>,
    /// Numbers under which its people are called back: `+` and 5 to 15 digits.
    pub phones: BTreeSet<String>,
    /// Its keys.
    pub keys: Vec<VerifierKey>,
}

impl Definition {
    /// Reads and checks a definition.
    ///
    /// # Errors
    /// The first line that is wrong, or what does not fit together.
    pub fn parse(bytes: &[u8]) -> Result<Self, DefinitionError> {
        let definition = parse::definition(bytes)?;
        definition.audit()?;
        Ok(definition)
    }

    /// SHA-256 of the text, which has one spelling.
    pub fn fingerprint(&self) -> Hash {
        tlog::hash::sha256(self.to_string().as_bytes())
    }

    /// Whether a unit is another one or lies below it. False for units that the definition does not know.
    pub fn is_under(&self, unit: &UnitId, top: &UnitId) -> bool {
        self.upwards(unit).any(|each| each == top)
    }

    /// The unit, the one that it is summed into, and so on to the top.
    pub fn upwards<'a>(&'a self, unit: &'a UnitId) -> impl Iterator<Item = &'a UnitId> {
        let start = self.units.contains_key(unit).then_some(unit);
        std::iter::successors(start, |unit| self.units.get(*unit)?.parent.as_ref())
            // A cycle cannot pass the audit; this bounds the walk while the audit runs.
            .take(MAX_DEPTH + 1)
    }

    /// The merged unit that reports for this one: the topmost, at or above it.
    pub fn merged_above<'a>(&'a self, unit: &'a UnitId) -> Option<&'a UnitId> {
        self.upwards(unit).filter(|each| self.merged.contains(*each)).last()
    }

    /// Whether units are summed into this one.
    fn has_children(&self, unit: &UnitId) -> bool {
        self.units.values().any(|each| each.parent.as_ref() == Some(unit))
    }

    /// Whether a contest is held in a unit.
    pub fn is_held_in(&self, contest: &ContestId, unit: &UnitId) -> bool {
        let Some(known) = self.contests.get(contest) else { return false };
        match self.scopes.get(contest) {
            None => self.is_under(unit, &known.unit),
            Some(scope) => self.upwards(unit).any(|each| scope.contains(each)),
        }
    }

    /// The units of which a return is due, in order.
    pub fn reporting_units(&self) -> BTreeSet<&UnitId> {
        let parents: BTreeSet<&UnitId> =
            self.units.values().filter_map(|unit| unit.parent.as_ref()).collect();
        let merged =
            |unit: &UnitId| self.upwards(unit).filter(|each| self.merged.contains(*each)).last().is_some();
        let leaves = self.units.keys().filter(|unit| !parents.contains(unit) && !merged(unit));
        leaves.chain(self.topmost_merged()).collect()
    }

    /// Merged units that lie below no other.
    fn topmost_merged(&self) -> impl Iterator<Item = &UnitId> {
        self.merged.iter().filter(|unit| self.upwards(unit).skip(1).all(|above| !self.merged.contains(above)))
    }

    /// Whether a centre may report a unit.
    pub fn may_report(&self, centre: &CentreId, unit: &UnitId) -> bool {
        self.centres
            .get(centre)
            .is_some_and(|centre| self.upwards(unit).any(|each| centre.units.contains(each)))
    }
}

/// Nation, region, district, municipality, quarter, station, box: 16 levels are more than any country has.
pub const MAX_DEPTH: usize = 16;

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
