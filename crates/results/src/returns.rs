//! A return: what a count centre says that one unit counted in one contest, in a text that is signed.
//!
//! The grammar is `docs/specs/return.md`. A return is never edited: a correction is a further revision that names the one it
//! replaces, and a retraction is a revision without numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use domain::Timestamp;
use tlog::{Hash, Note, SignerKey};

use crate::id::{CandidateNumber, ContestId, ElectionId, ListId, UnitId, is_id};
use crate::lines::{
    DocumentError, Lines, hex, hex_or_none, parse_hex, parse_hex_or_none, parse_pair, parse_time, parse_u32,
};
use crate::tally::{Count, ListVotes, Tally};
use crate::votes::Votes;

/// First line of a return.
pub const RETURN: &str = "scrutineer-return v1";

/// First line of a retraction.
pub const RETRACTION: &str = "scrutineer-retraction v1";

/// What a centre says of one unit in one contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// The election.
    pub election: ElectionId,
    /// Fingerprint of the definition that the numbers are to be read by.
    pub definition: Hash,
    /// 1 for the first return of this unit in this contest, then one more each time.
    pub revision: u32,
    /// The leaf hash of the revision before; none for the first.
    pub supersedes: Option<Hash>,
    /// Why there is this revision.
    pub reason: Reason,
    /// Whether the centre holds it to be its last word.
    pub status: Status,
    /// When the centre signed.
    pub time: Timestamp,
    /// The file that the numbers were taken from.
    pub source: Option<SourceFile>,
    /// Findings that the centre has seen and stands by; codes in order.
    pub flags: BTreeSet<Box<str>>,
    /// The numbers, with contest and unit.
    pub tally: Tally,
}

/// A centre takes back what it said of a unit, without saying anything in its place yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retraction {
    /// The election.
    pub election: ElectionId,
    /// Fingerprint of the definition.
    pub definition: Hash,
    /// The contest.
    pub contest: ContestId,
    /// The unit.
    pub unit: UnitId,
    /// One more than that of the return that is taken back.
    pub revision: u32,
    /// The leaf hash of the return that is taken back.
    pub supersedes: Hash,
    /// Why.
    pub reason: Reason,
    /// When the centre signed.
    pub time: Timestamp,
}

/// Why a revision is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The first return.
    First,
    /// More was counted since.
    Completion,
    /// Numbers were typed or transferred wrongly.
    TypingError,
    /// Another unit's numbers stood here.
    MixUp,
    /// Ballots were counted again.
    Recount,
    /// A court or board decided.
    Decision,
    /// The same numbers, signed by another key.
    Reaffirmation,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 7] = [
        Self::First,
        Self::Completion,
        Self::TypingError,
        Self::MixUp,
        Self::Recount,
        Self::Decision,
        Self::Reaffirmation,
    ];

    /// The word in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Completion => "completion",
            Self::TypingError => "typing-error",
            Self::MixUp => "mix-up",
            Self::Recount => "recount",
            Self::Decision => "decision",
            Self::Reaffirmation => "reaffirmation",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// How final a return is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Counted on the night.
    Provisional,
    /// Established by whoever establishes results.
    Final,
}

impl Status {
    /// The word in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisional => "provisional",
            Self::Final => "final",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Provisional, Self::Final].into_iter().find(|status| status.name() == name)
    }
}

/// The file that a return was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// SHA-256 of its bytes.
    pub sha256: Hash,
    /// Its media type, `application/xml`.
    pub media_type: String,
}

impl Return {
    /// Signs it.
    pub fn sign(&self, key: &SignerKey) -> Note {
        Note::sign(&self.to_string(), key)
    }

    /// Reads the text of a return.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let mut lines = Lines::of(text, RETURN)?;
        let election = lines.parse("election", ElectionId::new)?;
        let definition = lines.parse("definition", parse_hex)?;
        let contest = lines.parse("contest", ContestId::new)?;
        let unit = lines.parse("unit", UnitId::new)?;
        let revision = lines.parse("revision", parse_u32)?;
        let supersedes = lines.parse("supersedes", parse_hex_or_none)?;
        let reason = lines.parse("reason", Reason::parse)?;
        let is_first = [revision == 1, supersedes.is_none(), reason == Reason::First];
        if revision == 0 || is_first.iter().any(|each| *each != is_first[0]) {
            let problem = "revision 1 supersedes none and its reason is `first`, and no other revision is so";
            return Err(lines.before(problem.to_owned()));
        }
        let status = lines.parse("status", Status::parse)?;
        let time = lines.parse("time", parse_time)?;
        let source = lines.parse("source", SourceFile::parse)?;
        let mut flags = BTreeSet::new();
        while let Some(flag) = lines.maybe("flag")? {
            if !is_id(flag) || flags.last().map(AsRef::as_ref).is_some_and(|last: &str| last >= flag) {
                return Err(lines.before("flags are codes in ascending order".to_owned()));
            }
            flags.insert(flag.into());
        }
        let mut tally = Tally::new(contest, unit);
        parse_numbers(&mut lines, &mut tally)?;
        lines.end()?;
        Ok(Self { election, definition, revision, supersedes, reason, status, time, source, flags, tally })
    }
}

impl SourceFile {
    #[expect(
        clippy::option_option,
        reason = "the outer one is whether the text is right, the inner what it says"
    )]
    fn parse(text: &str) -> Option<Option<Self>> {
        if text == "none" {
            return Some(None);
        }
        let (hash, media_type) = text.split_once(' ')?;
        let sha256 = parse_hex(hash)?;
        let is_type = media_type.split('/').count() == 2 && is_id(media_type);
        is_type.then(|| Some(Self { sha256, media_type: media_type.to_owned() }))
    }
}

/// The lines that [`numbers`] writes.
pub(crate) fn parse_numbers(lines: &mut Lines<'_>, tally: &mut Tally) -> Result<(), DocumentError> {
    parse_counts(lines, tally)?;
    parse_lists(lines, tally)?;
    parse_modes(lines, tally)
}

/// `count eligible=518`, in the order of [`Count`].
fn parse_counts(lines: &mut Lines<'_>, tally: &mut Tally) -> Result<(), DocumentError> {
    while let Some(value) = lines.maybe("count")? {
        let pair = parse_pair(value).and_then(|(name, n)| Some((Count::parse(name)?, n)));
        let Some((count, n)) = pair else {
            return Err(lines.before("a count is `name=number`".to_owned()));
        };
        if tally.counts.last_key_value().is_some_and(|(last, _)| *last >= count) {
            return Err(lines.before(format!("count `{count}` stands twice or out of order")));
        }
        tally.counts.insert(count, n);
    }
    Ok(())
}

/// For each list in ascending order: `list ID[=TOTAL]`, `list-only N`, then `candidate NUMBER=N`.
fn parse_lists(lines: &mut Lines<'_>, tally: &mut Tally) -> Result<(), DocumentError> {
    while let Some(value) = lines.maybe("list")? {
        let (name, total) = match value.split_once('=') {
            Some((name, total)) => (name, Votes::parse(total).map(Some)),
            None => (value, Some(None)),
        };
        let (Some(id), Some(total)) = (ListId::new(name), total) else {
            return Err(lines.before("a list is `id=number`, or `id` where no total is stated".to_owned()));
        };
        if tally.lists.last_key_value().is_some_and(|(last, _)| *last >= id) {
            return Err(lines.before(format!("list `{id}` stands twice or out of order")));
        }
        let mut list = ListVotes { total, ..ListVotes::default() };
        if let Some(only) = lines.maybe("list-only")? {
            let only =
                Votes::parse(only).ok_or_else(|| lines.before("`list-only` is a number".to_owned()))?;
            list.list_only = Some(only);
        }
        while let Some(value) = lines.maybe("candidate")? {
            let pair = parse_pair(value).and_then(|(number, n)| Some((parse_u32(number)?, n)));
            let Some((number, n)) = pair else {
                return Err(lines.before("a candidate is `number=number`".to_owned()));
            };
            if list.candidates.last_key_value().is_some_and(|(last, _)| *last >= number) {
                return Err(lines.before(format!("candidate {number} stands twice or out of order")));
            }
            list.candidates.insert(number, n);
        }
        tally.lists.insert(id, list);
    }
    Ok(())
}

/// `mode absentee LIST=N` or `mode absentee LIST CANDIDATE=N`, ascending.
fn parse_modes(lines: &mut Lines<'_>, tally: &mut Tally) -> Result<(), DocumentError> {
    while let Some(value) = lines.maybe("mode")? {
        let Some((key, n)) = parse_mode(value) else {
            return Err(
                lines.before("a mode is `mode list=number` or `mode list candidate=number`".to_owned())
            );
        };
        if tally.modes.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(lines.before("a mode stands twice or out of order".to_owned()));
        }
        tally.modes.insert(key, n);
    }
    Ok(())
}

type ModeKey = (Box<str>, ListId, Option<CandidateNumber>);

fn parse_mode(value: &str) -> Option<(ModeKey, Votes)> {
    let (whose, n) = parse_pair(value)?;
    let mut words = whose.split(' ');
    let mode = words.next().filter(|mode| is_id(mode))?;
    let list = ListId::new(words.next()?)?;
    let candidate = match words.next() {
        Some(number) => Some(parse_u32(number)?),
        None => None,
    };
    words.next().is_none().then_some(((mode.into(), list, candidate), n))
}

impl std::fmt::Display for Return {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{RETURN}")?;
        writeln!(f, "election {}", self.election)?;
        writeln!(f, "definition {}", hex(&self.definition))?;
        writeln!(f, "contest {}", self.tally.contest)?;
        writeln!(f, "unit {}", self.tally.unit)?;
        writeln!(f, "revision {}", self.revision)?;
        writeln!(f, "supersedes {}", hex_or_none(self.supersedes.as_ref()))?;
        writeln!(f, "reason {}", self.reason.name())?;
        writeln!(f, "status {}", self.status.name())?;
        writeln!(f, "time {}", self.time)?;
        match &self.source {
            Some(source) => writeln!(f, "source {} {}", hex(&source.sha256), source.media_type)?,
            None => writeln!(f, "source none")?,
        }
        for flag in &self.flags {
            writeln!(f, "flag {flag}")?;
        }
        f.write_str(&numbers(&self.tally))
    }
}

/// The lines of the numbers: counts, lists, modes. Two tallies are the same where these are.
pub fn numbers(tally: &Tally) -> String {
    let mut text = String::new();
    for (count, n) in &tally.counts {
        let _ = writeln!(text, "count {count}={n}");
    }
    for (id, list) in &tally.lists {
        let _ = match list.total {
            Some(total) => writeln!(text, "list {id}={total}"),
            None => writeln!(text, "list {id}"),
        };
        if let Some(only) = list.list_only {
            let _ = writeln!(text, "list-only {only}");
        }
        for (number, n) in &list.candidates {
            let _ = writeln!(text, "candidate {number}={n}");
        }
    }
    for ((mode, list, candidate), n) in &tally.modes {
        let _ = match candidate {
            Some(candidate) => writeln!(text, "mode {mode} {list} {candidate}={n}"),
            None => writeln!(text, "mode {mode} {list}={n}"),
        };
    }
    text
}

impl Retraction {
    /// Signs it.
    pub fn sign(&self, key: &SignerKey) -> Note {
        Note::sign(&self.to_string(), key)
    }

    /// Reads the text of a retraction.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let mut lines = Lines::of(text, RETRACTION)?;
        let retraction = Self {
            election: lines.parse("election", ElectionId::new)?,
            definition: lines.parse("definition", parse_hex)?,
            contest: lines.parse("contest", ContestId::new)?,
            unit: lines.parse("unit", UnitId::new)?,
            revision: lines.parse("revision", |text| parse_u32(text).filter(|n| *n > 1))?,
            supersedes: lines.parse("supersedes", parse_hex)?,
            reason: lines.parse("reason", |text| Reason::parse(text).filter(|r| *r != Reason::First))?,
            time: lines.parse("time", parse_time)?,
        };
        lines.end()?;
        Ok(retraction)
    }
}

impl std::fmt::Display for Retraction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{RETRACTION}")?;
        writeln!(f, "election {}", self.election)?;
        writeln!(f, "definition {}", hex(&self.definition))?;
        writeln!(f, "contest {}", self.contest)?;
        writeln!(f, "unit {}", self.unit)?;
        writeln!(f, "revision {}", self.revision)?;
        writeln!(f, "supersedes {}", hex(&self.supersedes))?;
        writeln!(f, "reason {}", self.reason.name())?;
        writeln!(f, "time {}", self.time)
    }
}

/// Lists by their votes and nothing else, for comparing one unit with another: what a mix-up of units would copy.
pub fn vector(tally: &Tally) -> BTreeMap<&ListId, Votes> {
    tally.lists.iter().map(|(id, list)| (id, tally.votes_of(list))).collect()
}
