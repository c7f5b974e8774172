//! Where the readers put what they find: tallies by unit and contest, problems with their place, ids that stay one to one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Draft, Format, MAX_PROBLEMS, Problem, Read, Rows};
use crate::definition::{Contest, List, Method, Unit, UnitKind};
use crate::id::{CandidateNumber, ContestId, ListId, MAX_ID_BYTES, UnitId};
use crate::tally::{Count, Tally};
use crate::votes::Votes;

/// Collects a [`Read`].
pub(super) struct Sink {
    /// What is there so far.
    pub(super) read: Read,
    /// Where the tally of a unit in a contest is.
    places: BTreeMap<(UnitId, ContestId), usize>,
    /// The text that each id was made of, by what it names.
    origins: BTreeMap<(&'static str, Box<str>), Box<str>>,
}

impl Sink {
    /// An empty one.
    pub(super) fn new(format: Format) -> Self {
        let read = Read {
            format,
            tallies: Vec::new(),
            stated: Vec::new(),
            events: Vec::new(),
            draft: Draft::default(),
            problems: Vec::new(),
            more_problems: 0,
            rows: Rows::default(),
        };
        Self { read, places: BTreeMap::new(), origins: BTreeMap::new() }
    }

    /// Notes a problem.
    pub(super) fn problem(
        &mut self,
        code: &'static str,
        line: Option<u64>,
        field: impl Into<String>,
        message: impl Into<String>,
    ) {
        if self.read.problems.len() < MAX_PROBLEMS {
            self.read.problems.push(Problem { code, line, field: field.into(), message: message.into() });
        } else {
            self.read.more_problems += 1;
        }
    }

    /// Reads a number as files write it: surrounding space and leading zeros are allowed, an empty text states nothing.
    pub(super) fn number(&mut self, text: &str, line: Option<u64>, field: &str) -> Option<Votes> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            self.problem("not-a-number", line, field, format!("`{}` is not a whole number", clipped(text)));
            return None;
        }
        let digits = text.trim_start_matches('0');
        let value = Votes::parse(if digits.is_empty() { "0" } else { digits });
        if value.is_none() {
            self.problem(
                "too-large",
                line,
                field,
                format!("`{}` is more than {}", clipped(text), Votes::MAX_STATED),
            );
        }
        value
    }

    /// States a count of a tally; a second, other number for it is a problem and the first stays.
    pub(super) fn count(
        &mut self,
        tally: &mut Tally,
        count: Count,
        votes: Votes,
        line: Option<u64>,
        field: &str,
    ) {
        match tally.counts.entry(count) {
            Entry::Vacant(place) => {
                place.insert(votes);
            }
            Entry::Occupied(place) if *place.get() != votes => {
                let message =
                    format!("{} is stated as {} before and as {votes} here", place.key(), place.get());
                self.problem("stated-twice", line, field, message);
            }
            Entry::Occupied(_) => {}
        }
    }

    /// Makes an id of a text that a file has. Two texts that would have the same id are a problem, and the second gets none.
    pub(super) fn id(
        &mut self,
        sort: &'static str,
        id: &str,
        origin: &str,
        line: Option<u64>,
    ) -> Option<Box<str>> {
        if !crate::id::is_id(id) {
            let why = if id.is_empty() {
                "leaves nothing of which an id could be made".to_owned()
            } else {
                format!(
                    "makes the id `{}`, which is longer than {MAX_ID_BYTES} bytes or has other signs",
                    clipped(id)
                )
            };
            self.problem("no-id", line, sort, format!("`{}` {why}", clipped(origin)));
            return None;
        }
        match self.origins.entry((sort, id.into())) {
            Entry::Vacant(place) => {
                place.insert(origin.into());
            }
            Entry::Occupied(place) if **place.get() != *origin => {
                let message =
                    format!("`{}` and `{}` would both be `{id}`", clipped(place.get()), clipped(origin));
                self.problem("same-id", line, sort, message);
                return None;
            }
            Entry::Occupied(_) => {}
        }
        Some(id.into())
    }

    /// The place of the tally of a unit in a contest, which is made where there is none; and whether it was made now.
    pub(super) fn place(&mut self, unit: &UnitId, contest: &ContestId) -> (usize, bool) {
        let next = self.read.tallies.len();
        match self.places.entry((unit.clone(), contest.clone())) {
            Entry::Occupied(place) => (*place.get(), false),
            Entry::Vacant(place) => {
                place.insert(next);
                self.read.tallies.push(Tally::new(contest.clone(), unit.clone()));
                (next, true)
            }
        }
    }

    /// Adds a tally; a second one of the same unit and contest is a problem and the first stays.
    pub(super) fn add(&mut self, tally: Tally, line: Option<u64>, field: &str) {
        let (place, new) = self.place(&tally.unit, &tally.contest);
        if new {
            self.read.tallies[place] = tally;
        } else {
            let message = format!("unit `{}` is stated before in contest `{}`", tally.unit, tally.contest);
            self.problem("duplicate-unit", line, field, message);
        }
    }

    /// Puts a unit into the draft where there is none of that id.
    pub(super) fn unit(
        &mut self,
        id: &UnitId,
        kind: UnitKind,
        parent: Option<&UnitId>,
        name: &str,
    ) -> &mut Unit {
        self.read.draft.units.entry(id.clone()).or_insert_with(|| Unit {
            kind,
            parent: parent.cloned(),
            eligible: None,
            name: name.trim().to_owned(),
        })
    }

    /// The contest of the draft, which is made with the least where there is none of that id.
    pub(super) fn contest(&mut self, id: &ContestId, unit: &UnitId, title: &str) -> &mut Contest {
        self.read.draft.contests.entry(id.clone()).or_insert_with(|| Contest {
            unit: unit.clone(),
            title: title.trim().to_owned(),
            seats: 0,
            method: Method::None,
            threshold: 0,
            votes_per_ballot: 1,
            lists: BTreeMap::new(),
        })
    }

    /// The list of the draft's contest, which has to be there; its name where it had none.
    pub(super) fn list(&mut self, contest: &ContestId, list: &ListId, name: &str) -> Option<&mut List> {
        let lists = &mut self.read.draft.contests.get_mut(contest)?.lists;
        let list = lists.entry(list.clone()).or_default();
        if list.name.is_empty() {
            name.trim().clone_into(&mut list.name);
        }
        Some(list)
    }

    /// A candidate's name in the draft.
    pub(super) fn candidate(
        &mut self,
        contest: &ContestId,
        list: &ListId,
        number: CandidateNumber,
        name: &str,
    ) {
        if let Some(list) = self.list(contest, list, "") {
            let known = list.candidates.entry(number).or_default();
            if known.is_empty() {
                name.trim().clone_into(known);
            }
        }
    }
}

/// At most 60 characters of a text, for messages.
pub(super) fn clipped(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What a text becomes in an id: letters with marks lose them, anything else that ids may not have becomes one `-`.
pub(super) fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.trim().chars() {
        let plain = match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | ':' | '/' | '+' => {
                out.push(letter);
                continue;
            }
            'ä' | 'æ' => "ae",
            'Ä' | 'Æ' => "Ae",
            'ö' | 'ø' | 'œ' => "oe",
            'Ö' | 'Ø' | 'Œ' => "Oe",
            'ü' => "ue",
            'Ü' => "Ue",
            'ß' => "ss",
            'à' | 'á' | 'â' | 'ã' | 'å' | 'ą' | 'ă' => "a",
            'À' | 'Á' | 'Â' | 'Ã' | 'Å' => "A",
            'ç' | 'č' | 'ć' => "c",
            'Ç' | 'Č' | 'Ć' => "C",
            'đ' | 'ď' => "d",
            'Đ' | 'Ď' => "D",
            'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => "e",
            'È' | 'É' | 'Ê' | 'Ë' => "E",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ł' => "l",
            'Ł' => "L",
            'ñ' | 'ń' | 'ň' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ő' => "o",
            'ř' => "r",
            'š' | 'ś' | 'ș' | 'ş' => "s",
            'Š' | 'Ś' | 'Ș' | 'Ş' => "S",
            'ț' | 'ţ' | 'ť' => "t",
            'ù' | 'ú' | 'û' | 'ű' | 'ů' => "u",
            'ý' | 'ÿ' => "y",
            'ž' | 'ź' | 'ż' => "z",
            'Ž' | 'Ź' | 'Ż' => "Z",
            _ if out.ends_with('-') || out.is_empty() => continue,
            _ => "-",
        };
        out.push_str(plain);
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_an_id_or_nothing() {
        let cases = [
            "New Castle",
            "Breil/Brigels",
            "Die PARTEI",
            "GRÜNE, Hauptliste",
            "  ",
            "V-Partei³",
            "Δημοκρατία",
        ];
        let slugs = cases.map(slug).join("|");
        insta::assert_snapshot!(slugs, @"New-Castle|Breil/Brigels|Die-PARTEI|GRUeNE-Hauptliste||V-Partei|");
    }

    #[test]
    fn two_texts_never_share_an_id() {
        let mut sink = Sink::new(Format::WabsticProporz);
        assert!(sink.id("list", "a-b", "a b", Some(1)).is_some());
        assert!(sink.id("list", "a-b", "a b", Some(2)).is_some());
        assert!(sink.id("unit", "a-b", "a/b", Some(3)).is_some());
        assert!(sink.id("list", "a-b", "a,b", Some(4)).is_none());
        assert!(sink.id("list", "", "Δ", Some(5)).is_none());
        let problems: Vec<String> = sink.read.problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(problems.join("\n"), @r"
        line 4: list: `a b` and `a,b` would both be `a-b` (same-id)
        line 5: list: `Δ` leaves nothing of which an id could be made (no-id)
        ");
    }

    #[test]
    fn numbers_are_read_or_named() {
        let mut sink = Sink::new(Format::WabsticProporz);
        let texts = [
            "7",
            " 007 ",
            "000",
            "",
            "4294967295",
            "4294967296",
            "-1",
            "1.5",
            "1'000",
            "٣",
            "99999999999999999999",
        ];
        let read = texts.map(|text| sink.number(text, None, "valid").map(|votes| votes.0));
        let expected =
            [Some(7), Some(7), Some(0), None, Some(4_294_967_295), None, None, None, None, None, None];
        assert_eq!(read, expected);
        assert_eq!(sink.read.problems.len(), 6);
    }
}
