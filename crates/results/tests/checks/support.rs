//! Small texts in, findings as lines out.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use domain::Timestamp;
use results::checks::{Facts, Finding};
use results::definition::{Contest, List, Method, Unit, UnitKind};
use results::{ContestId, Count, ListId, Tally, UnitId, Votes};

/// Units and contests.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) units: BTreeMap<UnitId, Unit>,
    pub(crate) contests: BTreeMap<ContestId, Contest>,
}

impl World {
    /// Lines `unit ID KIND [PARENT [ELIGIBLE]]` and `contest ID UNIT VOTES-PER-BALLOT LIST[:CANDIDATES] ...`.
    pub(crate) fn read(text: &str) -> Self {
        let mut world = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[0] {
                "unit" => {
                    let kind = UnitKind::parse(words[2]).expect("a kind");
                    let eligible = words.get(4).map(|number| number.parse().expect("a number"));
                    world.unit(words[1], kind, words.get(3).copied(), eligible);
                }
                "contest" => {
                    let each = words[3].parse().expect("votes for each ballot");
                    world.contest(words[1], words[2], each, &words[4..]);
                }
                other => panic!("no line `{other}`"),
            }
        }
        world
    }

    pub(crate) fn unit(&mut self, id: &str, kind: UnitKind, parent: Option<&str>, eligible: Option<u64>) {
        let parent = parent.map(unit_id);
        self.units.insert(unit_id(id), Unit { kind, parent, eligible, name: id.to_owned() });
    }

    pub(crate) fn contest(&mut self, id: &str, unit: &str, votes_per_ballot: u32, lists: &[&str]) {
        let list = |text: &&str| {
            let (id, candidates) = text.split_once(':').unwrap_or((text, "0"));
            let candidates =
                (1..=candidates.parse().expect("a number")).map(|n| (n, format!("C {n}"))).collect();
            (list_id(id), List { name: id.to_owned(), candidates, ..List::default() })
        };
        let contest = Contest {
            unit: unit_id(unit),
            title: id.to_owned(),
            seats: 1,
            method: Method::DHondt,
            threshold: 0,
            votes_per_ballot,
            lists: lists.iter().map(list).collect(),
        };
        self.contests.insert(ContestId::new(id).expect("an id"), contest);
    }

    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts::new(&self.units, &self.contests)
    }
}

/// A nation with two municipalities, four stations each, and one contest of three lists.
pub(crate) fn small() -> World {
    let mut text = "unit n nation\n".to_owned();
    for municipality in ["m", "k"] {
        text += &format!("unit {municipality} municipality n\n");
        for station in 1..=4 {
            text += &format!("unit {municipality}{station} polling-station {municipality} 1000\n");
        }
    }
    World::read(&(text + "contest c n 1 A:3 B:3 C:3"))
}

/// `UNIT CONTEST WORD=NUMBER ...`; a word is a count, `A` a list's total, `A/2` a candidate, `A/only` the list alone,
/// `A@post` and `A/2@post` votes by way of voting.
pub(crate) fn tally(text: &str) -> Tally {
    let mut words = text.split_whitespace();
    let unit = unit_id(words.next().expect("a unit"));
    let contest = ContestId::new(words.next().expect("a contest")).expect("an id");
    let mut tally = Tally::new(contest, unit);
    for word in words {
        let (name, number) = word.split_once('=').expect("WORD=NUMBER");
        let votes = Votes(number.parse().expect("a number"));
        if let Some((item, mode)) = name.split_once('@') {
            let (list, candidate) =
                item.split_once('/').map_or((item, None), |(list, number)| (list, number.parse().ok()));
            tally.modes.insert((mode.into(), list_id(list), candidate), votes);
        } else if let Some((list, what)) = name.split_once('/') {
            let list = tally.lists.entry(list_id(list)).or_default();
            match what.parse() {
                Ok(number) => drop(list.candidates.insert(number, votes)),
                Err(_) => list.list_only = Some(votes),
            }
        } else if name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            tally.lists.entry(list_id(name)).or_default().total = Some(votes);
        } else {
            tally.counts.insert(Count::parse(name).expect("a count"), votes);
        }
    }
    tally
}

pub(crate) fn tallies(text: &str) -> Vec<Tally> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(tally).collect()
}

pub(crate) fn unit_id(text: &str) -> UnitId {
    UnitId::new(text).expect("an id")
}

pub(crate) fn list_id(text: &str) -> ListId {
    ListId::new(text).expect("an id")
}

/// `CODE CLASS UNIT FIELD: MESSAGE`, one line each.
pub(crate) fn lines(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(|f| format!("{} {} {} {}: {}\n", f.code, f.class.name(), f.unit, f.field, f.message))
        .collect()
}

/// The codes, in order.
pub(crate) fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|f| f.code).collect()
}

/// Minutes after midnight of a day.
pub(crate) fn minute(minutes: i64) -> Timestamp {
    let midnight = Timestamp::parse("2024-06-09T00:00:00Z").expect("a time");
    Timestamp(midnight.millis() + minutes * 60_000)
}

/// A file of test data that the repository may not carry.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/results").join(path);
    if file.exists() {
        return Some(file);
    }
    let _ = writeln!(std::io::stderr(), "skipped: there is no ../shared/data/results/{path}");
    None
}

/// The lines of a file of comma-separated values without line breaks in fields; quotes are honoured.
pub(crate) fn csv(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).expect("it can be read");
    let mut rows = text.lines().map(fields);
    let head = rows.next().expect("a head");
    rows.map(|row| head.iter().cloned().zip(row).collect()).collect()
}

fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.last_mut().expect("never empty").push(c),
        }
    }
    fields
}
