//! Counts: 510a (polling station), 510b (municipality, by polling station), 510c and 510d (by municipality).

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use super::super::sink::{Sink, clipped, slug};
use super::super::xml::{Document, Element};
use super::super::{Format, Read, ReadError};
use super::broken;
use crate::definition::UnitKind;
use crate::id::{CandidateNumber, ContestId, ElectionId, ListId, UnitId};
use crate::tally::{Count, ListVotes, Tally};

/// What the reason of `RejectedVotes` or `UncountedVotes` is as a count.
const REASONS: [(&str, &str); 16] = [
    ("geldige stempassen", "polling-cards"),
    ("geldige volmachtbewijzen", "proxies"),
    ("geldige kiezerspassen", "voter-cards"),
    ("toegelaten kiezers", "admitted"),
    ("blanco", "blank"),
    ("ongeldig", "invalid"),
    ("meer getelde stembiljetten", "excess"),
    ("minder getelde stembiljetten", "shortfall"),
    ("meegenomen stembiljetten", "ballots-taken"),
    ("te weinig uitgereikte stembiljetten", "too-few-issued"),
    ("te veel uitgereikte stembiljetten", "too-many-issued"),
    ("geen briefstembiljetten", "no-postal-ballots"),
    ("te veel briefstembiljetten", "too-many-postal-ballots"),
    ("kwijtgeraakte stembiljetten", "lost-ballots"),
    ("geen verklaring", "no-explanation"),
    ("andere verklaring", "other-explanation"),
];

/// Lists and candidates, to compare one unit's with those of the total.
type Choices = BTreeSet<(ListId, Option<CandidateNumber>)>;

/// Reads a count.
pub(super) fn read(document: &Document<'_>, name: &str, id: &str) -> Result<Read, ReadError> {
    let root = &document.root;
    let mut reader = Reader { document, sink: Sink::new(Format::EmlNl(id.into())) };
    let election = root
        .at(&["Count", "Election"])
        .ok_or_else(|| broken(document, name, root, "it has no `Count` with an `Election`"))?;
    let contests = election
        .child("Contests")
        .ok_or_else(|| broken(document, name, election, "the `Election` has no `Contests`"))?;
    reader.election(election);
    let top = reader.top(id, election).ok_or_else(|| {
        broken(
            document,
            name,
            root,
            "neither `AuthorityIdentifier` nor `ElectionIdentifier` can be the id of a unit",
        )
    })?;
    if contests.child("Contest").is_none() {
        return Err(broken(document, name, contests, "`Contests` has no `Contest`"));
    }
    for contest in contests.all("Contest") {
        reader.contest(id, contest, &top);
    }
    Ok(reader.sink.read)
}

struct Reader<'d> {
    document: &'d Document<'d>,
    sink: Sink,
}

impl Reader<'_> {
    fn problem(&mut self, code: &'static str, place: &Element, field: &str, message: impl Into<String>) {
        let line = self.document.line(place);
        self.sink.problem(code, Some(line), field, message);
    }

    fn election(&mut self, election: &Element) {
        let draft = &mut self.sink.read.draft;
        let Some(identifier) = election.child("ElectionIdentifier") else {
            self.problem("missing", election, "ElectionIdentifier", "the election has no identifier");
            return;
        };
        draft.election = identifier.attribute("Id").and_then(ElectionId::new);
        draft.title = identifier.text_of("ElectionName").map(str::to_owned);
        draft.date = identifier.text_of("ElectionDate").and_then(|text| text.parse().ok());
        let (no_id, no_date) = (draft.election.is_none(), draft.date.is_none());
        if no_id {
            self.problem(
                "no-id",
                identifier,
                "ElectionIdentifier",
                "its `Id` cannot be the id of an election",
            );
        }
        if no_date {
            self.problem(
                "not-a-date",
                identifier,
                "ElectionDate",
                "the election has no date that can be read",
            );
        }
    }

    /// The unit of the totals: who counted (510a, b and c) or the whole election (510d).
    fn top(&mut self, id: &str, election: &Element) -> Option<UnitId> {
        let authority = self.document.root.at(&["ManagingAuthority", "AuthorityIdentifier"]);
        let identifier = election.child("ElectionIdentifier");
        let (place, kind, title) = if id == "510d" {
            (identifier?, UnitKind::Nation, identifier?.text_of("ElectionName").unwrap_or_default())
        } else {
            let kind = if id == "510c" { UnitKind::District } else { UnitKind::Municipality };
            (authority?, kind, authority?.text.as_str())
        };
        let text = place.attribute("Id").unwrap_or_default();
        let unit = UnitId::new(&self.sink.id("unit", text, text, Some(self.document.line(place)))?)?;
        self.sink.unit(&unit, kind, None, title);
        Some(unit)
    }

    fn contest(&mut self, id: &str, contest: &Element, top: &UnitId) {
        let identifier = contest.child("ContestIdentifier");
        let text = identifier.and_then(|each| each.attribute("Id")).unwrap_or_default();
        let Some(contest_id) = ContestId::new(text) else {
            self.problem(
                "no-id",
                contest,
                "ContestIdentifier",
                format!("`{}` cannot be its id", clipped(text)),
            );
            return;
        };
        let title = identifier.and_then(|each| each.text_of("ContestName"));
        let title = title.or(self.sink.read.draft.title.as_deref()).unwrap_or_default().to_owned();
        if self.sink.read.draft.contests.contains_key(&contest_id) {
            self.problem("duplicate-contest", contest, text, "a contest of this id is before");
            return;
        }
        self.sink.contest(&contest_id, top, &title);
        let mut expected = None;
        if let Some(total) = contest.child("TotalVotes") {
            let (tally, choices) = self.votes(total, &contest_id, top, "TotalVotes");
            self.sink.unit(top, UnitKind::Nation, None, "").eligible =
                tally.count(&Count::Eligible).map(|n| n.0);
            self.sink.read.stated.push(tally);
            expected = Some(choices);
        }
        for unit in contest.all("ReportingUnitVotes") {
            self.unit(id, unit, &contest_id, top, expected.as_ref());
        }
        // A count of one polling station may have totals only; then they are its return.
        if contest.child("ReportingUnitVotes").is_none() {
            if let Some(tally) = self.sink.read.stated.pop() {
                let line = self.document.line(contest);
                self.sink.add(tally, Some(line), "TotalVotes");
            } else {
                self.problem("nothing-counted", contest, text, "the contest has no votes");
            }
        }
    }

    fn unit(
        &mut self,
        id: &str,
        unit: &Element,
        contest: &ContestId,
        top: &UnitId,
        expected: Option<&Choices>,
    ) {
        let line = self.document.line(unit);
        let identifier = unit.child("ReportingUnitIdentifier");
        let text = identifier.and_then(|each| each.attribute("Id")).unwrap_or_default();
        let Some(unit_id) = self.sink.id("unit", text, text, Some(line)).and_then(|id| UnitId::new(&id))
        else {
            return;
        };
        let field = format!("ReportingUnitVotes[{text}]");
        let kind =
            if matches!(id, "510a" | "510b") { UnitKind::PollingStation } else { UnitKind::Municipality };
        let title = identifier.map(|each| each.text.as_str()).unwrap_or_default();
        let (tally, choices) = self.votes(unit, contest, &unit_id, &field);
        self.sink.unit(&unit_id, kind, Some(top), title).eligible =
            tally.count(&Count::Eligible).map(|n| n.0);
        if let Some(expected) = expected {
            self.compare(unit, &field, expected, &choices);
        }
        self.sink.add(tally, Some(line), &field);
    }

    /// Candidates are under the list before them, by order alone: one row out of place gives votes to somebody else.
    fn compare(&mut self, place: &Element, field: &str, expected: &Choices, choices: &Choices) {
        let show = |choice: Option<&(ListId, Option<CandidateNumber>)>| match choice {
            Some((list, Some(number))) => format!(", the first of them candidate {number} of list {list}"),
            Some((list, None)) => format!(", the first of them list {list}"),
            None => String::new(),
        };
        let missing = expected.difference(choices).count();
        if missing > 0 {
            let first = show(expected.difference(choices).next());
            self.problem(
                "choices-differ",
                place,
                field,
                format!("{missing} choices of the total are not here{first}"),
            );
        }
        let further = choices.difference(expected).count();
        if further > 0 {
            let first = show(choices.difference(expected).next());
            self.problem(
                "choices-differ",
                place,
                field,
                format!("{further} choices here are not in the total{first}"),
            );
        }
    }

    /// Reads `TotalVotes` or `ReportingUnitVotes`.
    fn votes(
        &mut self,
        place: &Element,
        contest: &ContestId,
        unit: &UnitId,
        field: &str,
    ) -> (Tally, Choices) {
        let mut tally = Tally::new(contest.clone(), unit.clone());
        let mut choices = Choices::new();
        // The list that candidates belong to: none before the first, and none after one that could not be read.
        let mut list: Option<ListId> = None;
        for child in &place.children {
            match &*child.name {
                "Selection" => self.selection(child, &mut tally, &mut choices, &mut list, field),
                "Cast" => self.count(child, &mut tally, Count::Eligible, field),
                "TotalCounted" => self.count(child, &mut tally, Count::Valid, field),
                "RejectedVotes" | "UncountedVotes" => {
                    let count = self.reason(child, field);
                    self.count(child, &mut tally, count, field);
                }
                "ReportingUnitInvestigations" => self.investigations(child, &mut tally, field),
                "ReportingUnitIdentifier" => {}
                other => {
                    let message = format!("`{}` is not known here", clipped(other));
                    self.problem("unknown-element", child, field, message);
                }
            }
        }
        for count in [Count::Eligible, Count::Valid, Count::Blank, Count::Invalid] {
            if tally.count(&count).is_none() {
                self.problem("missing", place, field, format!("the number for {count} is not stated"));
            }
        }
        (tally, choices)
    }

    fn count(&mut self, place: &Element, tally: &mut Tally, count: Count, field: &str) {
        let line = Some(self.document.line(place));
        let field = format!("{field}/{count}");
        if let Some(votes) = self.sink.number(&place.text, line, &field) {
            match tally.counts.entry(count) {
                Entry::Vacant(place) => {
                    place.insert(votes);
                }
                Entry::Occupied(known) => {
                    let message = format!("{} is stated before as {}", known.key(), known.get());
                    self.sink.problem("stated-twice", line, field, message);
                }
            }
        }
    }

    fn reason(&mut self, place: &Element, field: &str) -> Count {
        let code = place.attribute("ReasonCode").unwrap_or_default();
        if let Some((_, name)) = REASONS.iter().find(|(reason, _)| *reason == code) {
            return Count::parse(name).expect("internal error: the table has names of counts only");
        }
        let message =
            format!("the reason `{}` is none of EML_NL; it is kept under its own name", clipped(code));
        self.problem("unknown-reason", place, field, message);
        let mut name = slug(code).to_lowercase();
        name.truncate(crate::id::MAX_ID_BYTES);
        // A reason may be spelt like one of our counts that mean something else.
        match Count::parse(&name) {
            Some(Count::Other(name)) => Count::Other(name),
            _ => Count::Other("unknown-reason".into()),
        }
    }

    fn investigations(&mut self, place: &Element, tally: &mut Tally, field: &str) {
        for each in &place.children {
            let reason = slug(each.attribute("ReasonCode").unwrap_or_default()).to_lowercase();
            let mut name = format!("investigated:{reason}");
            name.truncate(crate::id::MAX_ID_BYTES);
            let votes = match each.text.as_str() {
                "true" | "1" => crate::votes::Votes(1),
                "false" | "0" => crate::votes::Votes(0),
                other => {
                    let message = format!("`{}` is neither true nor false", clipped(other));
                    self.problem("not-a-number", each, &format!("{field}/{name}"), message);
                    continue;
                }
            };
            let line = Some(self.document.line(each));
            self.sink.count(tally, Count::Other(name.into()), votes, line, field);
        }
    }

    fn selection(
        &mut self,
        place: &Element,
        tally: &mut Tally,
        choices: &mut Choices,
        list: &mut Option<ListId>,
        field: &str,
    ) {
        if let Some(affiliation) = place.child("AffiliationIdentifier") {
            *list = self.affiliation(place, affiliation, tally, choices, field);
        } else if let Some(candidate) = place.child("Candidate") {
            self.candidate(place, candidate, tally, choices, list.as_ref(), field);
        } else {
            self.problem(
                "unknown-selection",
                place,
                field,
                "a selection is neither of a list nor of a candidate",
            );
        }
    }

    fn affiliation(
        &mut self,
        place: &Element,
        affiliation: &Element,
        tally: &mut Tally,
        choices: &mut Choices,
        field: &str,
    ) -> Option<ListId> {
        let text = affiliation.attribute("Id").unwrap_or_default();
        let field = format!("{field}/list {}", clipped(text));
        let Some(list) = ListId::new(text) else {
            self.problem(
                "no-id",
                affiliation,
                &field,
                "the list has no id; its candidates are not read either",
            );
            return None;
        };
        if tally.lists.contains_key(&list) {
            let message = "the list is here a second time; it and its candidates are not read again";
            self.problem("duplicate-list", affiliation, &field, message);
            return None;
        }
        self.list_name(affiliation, tally, &list, &field);
        let line = Some(self.document.line(place));
        let total = self.sink.number(place.text_of("ValidVotes").unwrap_or_default(), line, &field);
        if total.is_none() {
            self.problem("missing", place, &field, "the list has no number of votes");
        }
        choices.insert((list.clone(), None));
        tally.lists.insert(list.clone(), ListVotes { total, ..ListVotes::default() });
        Some(list)
    }

    fn list_name(&mut self, affiliation: &Element, tally: &Tally, list: &ListId, field: &str) {
        let name = affiliation.text_of("RegisteredName").unwrap_or_default();
        let Some(known) = self.sink.list(&tally.contest, list, name).map(|known| known.name.clone()) else {
            return;
        };
        if name.is_empty() {
            self.problem("no-name", affiliation, field, "the list has no name");
        } else if known != name {
            let message = format!("the list is `{}` here and `{}` before", clipped(name), clipped(&known));
            self.problem("names-differ", affiliation, field, message);
        }
    }

    fn candidate(
        &mut self,
        place: &Element,
        candidate: &Element,
        tally: &mut Tally,
        choices: &mut Choices,
        list: Option<&ListId>,
        field: &str,
    ) {
        let text =
            candidate.child("CandidateIdentifier").and_then(|each| each.attribute("Id")).unwrap_or_default();
        let Some(list) = list else {
            let message = format!("candidate `{}` is under no list", clipped(text));
            self.problem("candidate-without-list", place, field, message);
            return;
        };
        let field = format!("{field}/list {list}/candidate {}", clipped(text));
        let Some(number) = text.parse::<CandidateNumber>().ok().filter(|&number| number > 0) else {
            self.problem("no-id", place, &field, "the candidate's `Id` is no number from 1");
            return;
        };
        let line = Some(self.document.line(place));
        let Some(votes) = self.sink.number(place.text_of("ValidVotes").unwrap_or_default(), line, &field)
        else {
            self.problem("missing", place, &field, "the candidate has no number of votes");
            return;
        };
        let candidates = &mut tally.lists.entry(list.clone()).or_default().candidates;
        if candidates.contains_key(&number) {
            self.problem("duplicate-candidate", place, &field, "the candidate is here a second time");
            return;
        }
        candidates.insert(number, votes);
        choices.insert((list.clone(), Some(number)));
        self.sink.candidate(&tally.contest, list, number, "");
    }
}
