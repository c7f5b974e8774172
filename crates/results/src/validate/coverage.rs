//! The coverage list: what a validator says of each place of which a return is due, for one checkpoint.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::Timestamp;
use thiserror::Error;
use tlog::cosignature::{self, cosign};
use tlog::note::NoteError;
use tlog::{Checkpoint, Hash, Note, SignerKey};

use super::Place;
use super::heard::Road;
use crate::board::Election;
use crate::definition::Definition;
use crate::id::{ContestId, ElectionId, UnitId, is_id};
use crate::lines::{DocumentError, Lines, hex, parse_hex, parse_time, parse_u32};

/// First line of a part of a coverage list.
const COVERAGE: &str = "scrutineer-coverage v1";

/// 60,000 bytes of lines in one part: with its head and signature it stays below what a leaf of a log can hold (65,535).
pub const MAX_PART_BYTES: usize = 60_000;

/// What a validator says of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// What the log says, it heard from the centre by this road.
    Matched(Road),
    /// Two contacts said the same, and not what the log says.
    Differs,
    /// It was heard, and that is not settled: the centre is being asked again.
    Asking,
    /// It was not heard.
    NotHeard,
    /// It was heard, and is not in the log.
    HeardNotLogged,
}

impl Status {
    /// The word in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Matched(_) => "matched",
            Self::Differs => "differs",
            Self::Asking => "asking",
            Self::NotHeard => "not-heard",
            Self::HeardNotLogged => "heard-not-logged",
        }
    }
}

/// Places of one contest that follow each other in the order of the definition and stand alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How they stand.
    pub status: Status,
    /// The first of them.
    pub first: UnitId,
    /// The last of them, which may be the first.
    pub last: UnitId,
}

/// One part of a coverage list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The election.
    pub election: ElectionId,
    /// Fingerprint of the definition.
    pub definition: Hash,
    /// Whose list it is.
    pub validator: String,
    /// The checkpoint that it speaks of.
    pub checkpoint: Checkpoint,
    /// When.
    pub time: Timestamp,
    /// Which part, from 1.
    pub part: u32,
    /// Of how many.
    pub of: u32,
    /// Runs by contest, in order.
    pub runs: Vec<(ContestId, Run)>,
}

/// Why bytes are no part of a coverage list of this election.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CoverageError {
    #[error("it is no signed note: {0}")]
    Note(#[from] NoteError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("it speaks of another election, definition or log")]
    OtherElection,
    #[error("the definition knows no validator `{0}`")]
    UnknownValidator(String),
    #[error("it is not signed by the key of validator `{0}`, and by nobody else")]
    Key(String),
}

/// Why parts make no whole list.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ListError {
    #[error("the list has {of} parts, and part {part} is not there")]
    Missing { part: u32, of: u32 },
    #[error("part {0} is of another list, or stands there twice with other content")]
    Mixed(u32),
    #[error(
        "contest `{contest}` does not go on with unit `{unit}`: the list must name every unit once and in order"
    )]
    Order { contest: String, unit: String },
}

impl Coverage {
    /// Makes the list of all places of which a return is due.
    pub(super) fn cut(
        election: &Election,
        checkpoint: &Checkpoint,
        validator: &str,
        time: Timestamp,
        status: &dyn Fn(&Place) -> Status,
    ) -> Vec<Self> {
        let mut runs: Vec<(ContestId, Run)> = Vec::new();
        for contest in election.definition.contests.keys() {
            for unit in election.due(contest) {
                let status = status(&(contest.clone(), unit.clone()));
                match runs.last_mut() {
                    Some((last, run)) if last == contest && run.status == status => run.last = unit.clone(),
                    _ => {
                        let (first, last) = (unit.clone(), unit.clone());
                        runs.push((contest.clone(), Run { status, first, last }));
                    }
                }
            }
        }
        let mut parts: Vec<Vec<(ContestId, Run)>> = vec![Vec::new()];
        let mut bytes = 0;
        for (contest, run) in runs {
            // A line, and the line of its contest, which may have to be said again.
            let needs = line(&run).len() + "contest \n".len() + contest.as_str().len();
            if bytes + needs > MAX_PART_BYTES {
                parts.push(Vec::new());
                bytes = 0;
            }
            bytes += needs;
            parts.last_mut().expect("internal error: there is a part").push((contest, run));
        }
        let of = parts.len() as u32;
        let numbered = (1..).zip(parts);
        numbered
            .map(|(part, runs)| Self {
                election: election.definition.election.clone(),
                definition: election.fingerprint,
                validator: validator.to_owned(),
                checkpoint: Checkpoint::new(&checkpoint.origin, checkpoint.size, checkpoint.root),
                time,
                part,
                of,
                runs,
            })
            .collect()
    }

    /// What the validator cosigns: the checkpoint, with one more line that names this text. As a cosignature it says that the
    /// validator has seen that tree, and no other, and attests this list of it.
    pub fn attested(&self) -> Checkpoint {
        let mut attested = self.checkpoint.clone();
        let line = format!("{COVERAGE} {}", hex(&tlog::hash::sha256(self.to_string().as_bytes())));
        attested.extensions.push(line);
        attested
    }

    /// Signs it, with a key of type 4.
    pub fn sign(&self, key: &SignerKey) -> Vec<u8> {
        let signature = cosign(&self.attested(), key, self.seconds());
        format!("{self}\n{}", signature.to_line()).into_bytes()
    }

    /// Its time in seconds since the epoch.
    fn seconds(&self) -> u64 {
        u64::try_from(self.time.0 / 1000).unwrap_or(0)
    }

    /// Reads a signed part and sees whether a validator of the definition has signed it.
    ///
    /// # Errors
    /// Why it is not one.
    pub fn open(bytes: &[u8], definition: &Definition, fingerprint: &Hash) -> Result<Self, CoverageError> {
        let note = Note::parse(bytes)?;
        let it = Self::parse(note.unverified_text())?;
        let origin = definition.policy.logs().first().map(|log| log.key.name());
        if it.election != definition.election
            || it.definition != *fingerprint
            || origin != Some(&*it.checkpoint.origin)
        {
            return Err(CoverageError::OtherElection);
        }
        let validator = definition
            .validators
            .get(&it.validator)
            .ok_or_else(|| CoverageError::UnknownValidator(it.validator.clone()))?;
        let text = it.attested().to_string();
        let is_signed = match note.signatures() {
            [signature] => cosignature::verify(&text, signature, &validator.key) == Some(it.seconds()),
            _ => false,
        };
        if is_signed { Ok(it) } else { Err(CoverageError::Key(it.validator)) }
    }

    /// Reads the text of a part.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let mut lines = Lines::of(text, COVERAGE)?;
        let election = lines.parse("election", ElectionId::new)?;
        let definition = lines.parse("definition", parse_hex)?;
        let validator = lines.parse("validator", |text| is_id(text).then_some(text))?.to_owned();
        let origin = lines.one("origin")?;
        let size =
            lines.parse("size", |text| text.parse::<u64>().ok().filter(|size| size.to_string() == text))?;
        let root = lines.parse("root", parse_hex)?;
        let time = lines.parse("time", |text| parse_time(text).filter(|time| time.0 >= 0))?;
        let (part, of) = lines.parse("part", |text| {
            let (part, of) = text.split_once(' ')?;
            let (part, of) = (parse_u32(part)?, parse_u32(of)?);
            (1..=of).contains(&part).then_some((part, of))
        })?;
        let mut runs: Vec<(ContestId, Run)> = Vec::new();
        while let Some(text) = lines.maybe("contest")? {
            let contest = ContestId::new(text).filter(|id| runs.last().is_none_or(|(last, _)| last < id));
            let contest =
                contest.ok_or_else(|| lines.before("contests stand once and in order".to_owned()))?;
            let before = runs.len();
            while let Some(run) = run(&mut lines)? {
                let last = runs[before..].last().map(|(_, run)| run);
                if last.is_some_and(|last| last.status == run.status || last.last >= run.first) {
                    let problem = "units stand in order, those that stand alike on one line".to_owned();
                    return Err(lines.before(problem));
                }
                runs.push((contest.clone(), run));
            }
            if runs.len() == before {
                return Err(lines.before("a contest without units".to_owned()));
            }
        }
        lines.end()?;
        let checkpoint = Checkpoint::new(origin, size, root);
        Ok(Self { election, definition, validator, checkpoint, time, part, of, runs })
    }
}

fn run(lines: &mut Lines<'_>) -> Result<Option<Run>, DocumentError> {
    for status in [
        Status::Matched(Road::Phone),
        Status::Differs,
        Status::Asking,
        Status::NotHeard,
        Status::HeardNotLogged,
    ] {
        let Some(text) = lines.maybe(status.name())? else { continue };
        let mut words = text.split(' ');
        let mut read = || {
            let status = match status {
                Status::Matched(_) => {
                    Status::Matched(Road::parse(words.next()?).filter(|road| road.is_authentic())?)
                }
                other => other,
            };
            let first = UnitId::new(words.next()?)?;
            let last = words.next().map_or_else(|| Some(first.clone()), UnitId::new)?;
            Some(Run { status, first, last })
        };
        // One spelling: a single unit is named once.
        let found = read().filter(|run| line(run) == format!("{} {text}\n", status.name()));
        let problem =
            || format!("`{}` is followed by a unit, or the first and last of several", status.name());
        return found.map(Some).ok_or_else(|| lines.before(problem()));
    }
    Ok(None)
}

fn line(run: &Run) -> String {
    let mut text = run.status.name().to_owned();
    if let Status::Matched(road) = run.status {
        text = text + " " + road.name();
    }
    let _ = write!(text, " {}", run.first);
    if run.last != run.first {
        let _ = write!(text, " {}", run.last);
    }
    text + "\n"
}

impl std::fmt::Display for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{COVERAGE}")?;
        writeln!(f, "election {}", self.election)?;
        writeln!(f, "definition {}", hex(&self.definition))?;
        writeln!(f, "validator {}", self.validator)?;
        writeln!(f, "origin {}", self.checkpoint.origin)?;
        writeln!(f, "size {}", self.checkpoint.size)?;
        writeln!(f, "root {}", hex(&self.checkpoint.root))?;
        writeln!(f, "time {}", self.time)?;
        writeln!(f, "part {} {}", self.part, self.of)?;
        let mut contest = None;
        for (id, run) in &self.runs {
            if contest != Some(id) {
                writeln!(f, "contest {id}")?;
                contest = Some(id);
            }
            f.write_str(&line(run))?;
        }
        Ok(())
    }
}

/// What the parts of one list say of each place.
///
/// # Errors
/// Where parts are missing or mixed, or the list does not name every place of which a return is due once and in order.
pub fn statuses(election: &Election, parts: &[Coverage]) -> Result<BTreeMap<Place, Status>, ListError> {
    let of = parts.first().map_or(1, |part| part.of);
    let mut by_number: BTreeMap<u32, &Coverage> = BTreeMap::new();
    for part in parts {
        let first = &parts[0];
        let is_same = (&part.validator, &part.checkpoint, part.time, part.of)
            == (&first.validator, &first.checkpoint, first.time, first.of);
        if !is_same || by_number.insert(part.part, part).is_some_and(|known| known != part) {
            return Err(ListError::Mixed(part.part));
        }
    }
    if let Some(part) = (1..=of).find(|part| !by_number.contains_key(part)) {
        return Err(ListError::Missing { part, of });
    }
    let mut due = election
        .definition
        .contests
        .keys()
        .flat_map(|contest| election.due(contest).map(move |unit| (contest.clone(), unit.clone())));
    let mut all = BTreeMap::new();
    for (contest, run) in by_number.values().flat_map(|part| &part.runs) {
        let wrong = |unit: &UnitId| ListError::Order { contest: contest.to_string(), unit: unit.to_string() };
        let mut is_first = true;
        loop {
            let fits = |(id, unit): &Place| id == contest && (!is_first || *unit == run.first);
            let place = due.next().filter(fits).filter(|(_, unit)| *unit <= run.last);
            let place = place.ok_or_else(|| wrong(if is_first { &run.first } else { &run.last }))?;
            let is_last = place.1 == run.last;
            all.insert(place, run.status);
            if is_last {
                break;
            }
            is_first = false;
        }
    }
    match due.next() {
        Some((contest, unit)) => {
            Err(ListError::Order { contest: contest.to_string(), unit: unit.to_string() })
        }
        None => Ok(all),
    }
}
