//! One contact with a centre: what it said of a unit, by which road.

use domain::Timestamp;
use thiserror::Error;
use tlog::Hash;

use super::spoken::Code;
use crate::board::{Board, Election, Role};
use crate::entry::{Document, Entry};
use crate::id::{ContestId, ElectionId, UnitId};
use crate::lines::{DocumentError, Lines, hex, parse_hex, parse_time, parse_u32};
use crate::returns::{numbers, parse_numbers};
use crate::tally::Tally;

/// First line of a contact.
pub const HEARD: &str = "scrutineer-heard v1";

/// How a centre was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Road {
    /// The number that the definition has was called, and numbers and code typed before the log's were shown.
    Phone,
    /// The code printed on the paper return.
    Qr,
    /// A signed file that was carried.
    Stick,
    /// Radio or a text message. Anybody can send one: it makes the validator call, and decides nothing.
    Text,
}

impl Road {
    /// All roads.
    pub const ALL: [Self; 4] = [Self::Phone, Self::Qr, Self::Stick, Self::Text];

    /// The word in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Qr => "qr",
            Self::Stick => "stick",
            Self::Text => "text",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|road| road.name() == name)
    }

    /// Whether what comes by it can be taken for the centre's word.
    pub fn is_authentic(self) -> bool {
        self != Self::Text
    }
}

/// What a centre said of one unit in one contest, at one time, by one road.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The election.
    pub election: ElectionId,
    /// Fingerprint of the definition.
    pub definition: Hash,
    /// The contest.
    pub contest: ContestId,
    /// The unit.
    pub unit: UnitId,
    /// Of which revision it spoke.
    pub revision: u32,
    /// How it was heard.
    pub road: Road,
    /// The number that was called; for the telephone alone.
    pub called: Option<String>,
    /// Whether it was made without the machine that signs the centre's returns: by hand, by another machine, from the paper. What
    /// that machine says by two roads it says once.
    pub is_independent: bool,
    /// When.
    pub time: Timestamp,
    /// The return's leaf hash, from a file or a printed code.
    pub leaf: Option<Hash>,
    /// The return's spoken code.
    pub code: Option<Code>,
    /// The numbers.
    pub numbers: Option<Tally>,
}

/// Why a contact is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HeardError {
    #[error("it is about another election or another definition")]
    OtherElection,
    #[error("no return is due of unit `{unit}` in contest `{contest}`")]
    NotDue { contest: String, unit: String },
    #[error("`{number}` is no number of a centre that reports unit `{unit}`")]
    OtherNumber { number: String, unit: String },
    #[error("the file is no signed return or retraction")]
    NoReturn,
    #[error("the file is not signed by a centre that reports unit `{0}`")]
    NotSigned(String),
}

impl Heard {
    /// Reads a contact.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let mut lines = Lines::of(text, HEARD)?;
        let election = lines.parse("election", ElectionId::new)?;
        let definition = lines.parse("definition", parse_hex)?;
        let contest = lines.parse("contest", ContestId::new)?;
        let unit = lines.parse("unit", UnitId::new)?;
        let revision = lines.parse("revision", |text| parse_u32(text).filter(|n| *n > 0))?;
        let road = lines.parse("road", Road::parse)?;
        let called = match road {
            Road::Phone => Some(lines.one("called")?.to_owned()),
            Road::Qr | Road::Stick | Road::Text => None,
        };
        let is_independent = lines.parse("machine", |text| match text {
            "other" => Some(true),
            "signing" => Some(false),
            _ => None,
        })?;
        let time = lines.parse("time", parse_time)?;
        let wrong = |lines: &Lines<'_>, what: &str| lines.before(format!("this is no {what}"));
        let leaf = lines.maybe("leaf")?.map(|text| parse_hex(text).ok_or_else(|| wrong(&lines, "leaf hash")));
        let leaf = leaf.transpose()?;
        let read = |text: &str| Code::parse_digits(text).ok().filter(|code| code.to_string() == text);
        let code = lines.maybe("code")?.map(|text| read(text).ok_or_else(|| wrong(&lines, "code")));
        let code = code.transpose()?;
        let mut tally = Tally::new(contest.clone(), unit.clone());
        parse_numbers(&mut lines, &mut tally)?;
        let numbers = (!numbers(&tally).is_empty()).then_some(tally);
        if leaf.is_none() && code.is_none() && numbers.is_none() {
            return Err(lines.before("neither a hash nor a code nor a number was heard".to_owned()));
        }
        lines.end()?;
        Ok(Self {
            election,
            definition,
            contest,
            unit,
            revision,
            road,
            called,
            is_independent,
            time,
            leaf,
            code,
            numbers,
        })
    }

    /// What a file on a stick says: a signed return, or a retraction. A key that was revoked since counts too: what its owner
    /// carried by hand is evidence either way.
    ///
    /// # Errors
    /// Where it is none, or not of a centre that reports the unit.
    pub fn of_file(
        bytes: &[u8],
        board: &Board,
        time: Timestamp,
        is_independent: bool,
    ) -> Result<Self, HeardError> {
        let entry = Entry::parse(bytes).map_err(|_| HeardError::NoReturn)?;
        let Entry::Signed(note, document) = &entry else { return Err(HeardError::NoReturn) };
        let (election, definition, place, revision, numbers) = match document {
            Document::Return(it) => {
                let place = (it.tally.contest.clone(), it.tally.unit.clone());
                (&it.election, it.definition, place, it.revision, Some(it.tally.clone()))
            }
            Document::Retraction(it) => {
                (&it.election, it.definition, (it.contest.clone(), it.unit.clone()), it.revision, None)
            }
            _ => return Err(HeardError::NoReturn),
        };
        let (contest, unit) = place;
        let may = |known: &Election| {
            let key = known.keys.iter().find(|state| state.key.name() == note.signatures()[0].name);
            key.is_some_and(|state| match &state.role {
                Role::Centre(centre) => known.definition.may_report(centre, &unit),
                Role::Authority | Role::Release => false,
            })
        };
        if !board.is_signed(&entry) || note.signatures().len() != 1 || !board.election().is_some_and(may) {
            return Err(HeardError::NotSigned(unit.to_string()));
        }
        Ok(Self {
            election: election.clone(),
            definition,
            contest,
            unit,
            revision,
            road: Road::Stick,
            called: None,
            is_independent,
            time,
            leaf: Some(Hash::leaf(bytes)),
            code: None,
            numbers,
        })
    }

    /// Whether it can be about this election.
    pub(super) fn judge(&self, election: &Election) -> Result<(), HeardError> {
        let definition = &election.definition;
        if self.election != definition.election || self.definition != election.fingerprint {
            return Err(HeardError::OtherElection);
        }
        if !election.is_due(&self.contest, &self.unit) {
            let (contest, unit) = (self.contest.to_string(), self.unit.to_string());
            return Err(HeardError::NotDue { contest, unit });
        }
        let Some(called) = &self.called else { return Ok(()) };
        let is_known = definition
            .centres
            .iter()
            .any(|(id, centre)| centre.phones.contains(called) && definition.may_report(id, &self.unit));
        if is_known {
            return Ok(());
        }
        Err(HeardError::OtherNumber { number: called.clone(), unit: self.unit.to_string() })
    }

    /// Whether two contacts say the same: something that both say is equal, and nothing is not.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let text = |heard: &Self| heard.numbers.as_ref().map(numbers);
        let code = |heard: &Self| heard.code.or_else(|| heard.leaf.as_ref().map(Code::of));
        let both = [
            self.leaf.zip(other.leaf).map(|(a, b)| a == b),
            code(self).zip(code(other)).map(|(a, b)| a == b),
            text(self).zip(text(other)).map(|(a, b)| a == b),
        ];
        both.contains(&Some(true)) && !both.contains(&Some(false))
    }
}

impl std::fmt::Display for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{HEARD}")?;
        writeln!(f, "election {}", self.election)?;
        writeln!(f, "definition {}", hex(&self.definition))?;
        writeln!(f, "contest {}", self.contest)?;
        writeln!(f, "unit {}", self.unit)?;
        writeln!(f, "revision {}", self.revision)?;
        writeln!(f, "road {}", self.road.name())?;
        if let Some(called) = &self.called {
            writeln!(f, "called {called}")?;
        }
        writeln!(f, "machine {}", if self.is_independent { "other" } else { "signing" })?;
        writeln!(f, "time {}", self.time)?;
        if let Some(leaf) = &self.leaf {
            writeln!(f, "leaf {}", hex(leaf))?;
        }
        if let Some(code) = &self.code {
            writeln!(f, "code {code}")?;
        }
        f.write_str(&self.numbers.as_ref().map(numbers).unwrap_or_default())
    }
}
