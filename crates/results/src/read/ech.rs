//! eCH-0252, the Swiss exchange of votes and elections: votes (versions 1 and 2), information on elections, and results of
//! elections by majority. Results by proportional representation have had no file to be tried on and are a problem, not read.
//!
//! A vote on a question is a contest with the lists `yes` and `no`, and `unanswered` where a file states valid ballots that
//! leave the question out, so that the lists add to the valid ballots. In an election by majority each candidate is a list,
//! named by `candidateIdentification`, and `individual` has the votes for people who did not stand.

use std::collections::BTreeMap;

use super::sink::{Sink, clipped, slug};
use super::xml::{Document, Element};
use super::{Format, Read, ReadError};
use crate::definition::{Method, UnitKind};
use crate::id::{CandidateNumber, ContestId, ListId, UnitId};
use crate::tally::{Count, ListVotes, Tally};

/// How the name spaces of the standard begin; the version follows.
pub(super) const NAMESPACE: &str = "http://www.ech.ch/xmlns/eCH-0252/";

/// Elements of a counting circle's result that are counts.
const COUNTS: [(&str, &str); 8] = [
    ("receivedVotes", "cast"),
    ("receivedInvalidVotes", "invalid"),
    ("receivedBlankVotes", "blank"),
    ("receivedValidVotes", "valid"),
    ("countOfReceivedBallots", "cast"),
    ("countOfInvalidBallots", "invalid"),
    ("countOfBlankBallots", "blank"),
    ("countOfValidBallots", "valid"),
];

/// Elements of `votingCardInformation`.
const VOTING_CARDS: [(&str, &str); 5] = [
    ("countOfVotingCardsReceivedInBallotBox", "voting-cards-ballot-box"),
    ("countOfVotingCardsReceivedPrematurelyInBallotBox", "voting-cards-early"),
    ("countOfVotingCardsReceivedByMail", "voting-cards-post"),
    ("countOfInvalidVotingCardsReceivedByMail", "voting-cards-post-invalid"),
    ("countOfVotingCardsReceivedByEvoting", "voting-cards-online"),
];

/// Reads a delivery.
pub(super) fn read(document: &Document<'_>, name: &str) -> Result<Read, ReadError> {
    const KINDS: [&str; 3] = ["voteBaseDelivery", "electionInformationDelivery", "electionResultDelivery"];
    let root = &document.root;
    let fail = |what: &str| ReadError::Document {
        name: name.to_owned(),
        line: document.line(root),
        format: "eCH-0252",
        what: what.to_owned(),
    };
    let body = root.children.iter().find(|child| KINDS.contains(&&*child.name));
    let body = body.ok_or_else(|| fail("the delivery has nothing that is read"))?;
    let mut reader = Reader { document, sink: Sink::new(Format::Ech0252(body.name.clone())) };
    if root.child("deliveryHeader").and_then(|header| header.text_of("testDeliveryFlag")) == Some("true") {
        reader.problem("test-delivery", root, "testDeliveryFlag", "the delivery says that it is a test");
    }
    let canton = format!("CH-{}", body.text_of("cantonId").unwrap_or_default());
    let canton = UnitId::new(&canton).ok_or_else(|| fail("its `cantonId` cannot be part of an id"))?;
    reader.sink.unit(&canton, UnitKind::Nation, None, &format!("Canton {canton}"));
    reader.sink.read.draft.date = body.text_of("pollingDay").and_then(|day| day.parse().ok());
    for child in &body.children {
        match &*child.name {
            "voteInfo" => reader.vote(child, &canton),
            "electionGroupInfo" => reader.election_group(child, &canton),
            "electionGroupResult" => {
                child.all("electionResult").for_each(|each| reader.election(each, &canton));
            }
            _ => {}
        }
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

    /// An id that is made of a text of the file.
    fn id(&mut self, sort: &'static str, place: &Element, text: &str) -> Option<Box<str>> {
        let line = self.document.line(place);
        self.sink.id(sort, &slug(text), text, Some(line))
    }

    fn contest(&mut self, place: &Element, text: &str, unit: &UnitId, title: &str) -> Option<ContestId> {
        let contest = ContestId::new(&self.id("contest", place, text)?)?;
        if self.sink.read.draft.contests.contains_key(&contest) {
            self.problem("duplicate-contest", place, text, "a contest of this id is before");
            return None;
        }
        self.sink.contest(&contest, unit, title);
        Some(contest)
    }

    fn circle(&mut self, place: &Element, parent: &UnitId) -> Option<UnitId> {
        let text = place.text_of("countingCircleId").unwrap_or_default();
        let unit = UnitId::new(&self.id("unit", place, text)?)?;
        // A municipality's own election: the domain and its only circle are one unit.
        if unit == *parent {
            if let Some(known) = self.sink.read.draft.units.get_mut(&unit) {
                known.kind = UnitKind::Municipality;
            }
            return Some(unit);
        }
        let kind = match place.text_of("domainOfInfluenceType") {
            Some("MU") | None => UnitKind::Municipality,
            Some(_) => UnitKind::Special,
        };
        let known = self.sink.unit(
            &unit,
            kind,
            Some(parent),
            place.text_of("countingCircleName").unwrap_or_default(),
        );
        if known.parent.as_ref() != Some(parent) {
            let message = format!("the counting circle belongs to `{parent}` and to another unit");
            self.problem("two-parents", place, text, message);
        }
        Some(unit)
    }

    fn vote(&mut self, info: &Element, canton: &UnitId) {
        let Some(vote) = info.child("vote") else {
            self.problem("missing", info, "voteInfo", "it has no `vote`");
            return;
        };
        let text = vote.text_of("voteIdentification").unwrap_or_default();
        let title = described(vote, "voteTitleInformation", &["voteTitle", "voteTitleShort"]);
        let Some(contest) = self.contest(vote, text, canton, &title) else { return };
        for (id, name) in [("yes", "Yes"), ("no", "No")] {
            self.sink.list(&contest, &ListId::new(id).expect("internal error: a constant id"), name);
        }
        for circle in info.all("countingCircleInfo") {
            let Some(unit) = circle.child("countingCircle").and_then(|place| self.circle(place, canton))
            else {
                continue;
            };
            // A circle without result has not been counted yet, which is no problem of the file.
            let Some(result) = circle.child("resultData") else { continue };
            let field = format!("{contest}/{unit}");
            let mut tally = Tally::new(contest.clone(), unit);
            self.counts(result, &mut tally, &field);
            for (element, id) in [
                ("countOfYesVotes", "yes"),
                ("countOfNoVotes", "no"),
                ("countOfVotesWithoutAnswer", "unanswered"),
            ] {
                if let Some(place) = result.child(element) {
                    self.list(place, &place.text, &mut tally, id, &field);
                }
            }
            if tally.lists.contains_key("unanswered") {
                let id = ListId::new("unanswered").expect("internal error: a constant id");
                self.sink.list(&contest, &id, "Unanswered");
            }
            let line = self.document.line(circle);
            self.sink.add(tally, Some(line), &field);
        }
    }

    fn counts(&mut self, result: &Element, tally: &mut Tally, field: &str) {
        let fully = result.text_of("fullyCountedTrue").or(result.text_of("isFullyCounted"));
        if fully == Some("false") {
            self.problem("not-fully-counted", result, field, "the circle says that it has not counted all");
        }
        let eligible = result.at(&["countOfVotersInformation", "countOfVotersTotal"]);
        let cards = result.child("votingCardInformation");
        let stated = COUNTS
            .iter()
            .filter_map(|&(element, count)| Some((result.child(element)?, count)))
            .chain(eligible.map(|place| (place, "eligible")))
            .chain(VOTING_CARDS.iter().filter_map(|&(element, count)| Some((cards?.child(element)?, count))));
        for (place, count) in stated.collect::<Vec<_>>() {
            let line = Some(self.document.line(place));
            let field = format!("{field}/{}", place.name);
            if let Some(votes) = self.sink.number(&place.text, line, &field) {
                let count =
                    Count::parse(count).expect("internal error: the tables have names of counts only");
                self.sink.count(tally, count, votes, line, &field);
            }
        }
        if let Some(eligible) = tally.count(&Count::Eligible) {
            let unit = self.sink.read.draft.units.get_mut(&tally.unit);
            if let Some(unit) = unit {
                unit.eligible = unit.eligible.or(Some(eligible.0));
            }
        }
    }

    /// States the votes of a list, which is none of those stated before.
    fn list(&mut self, place: &Element, text: &str, tally: &mut Tally, id: &str, field: &str) {
        let line = Some(self.document.line(place));
        let field = format!("{field}/{id}");
        let Some(list) = ListId::new(id) else { return };
        let Some(votes) = self.sink.number(text, line, &field) else { return };
        if tally.lists.contains_key(&list) {
            self.sink.problem("duplicate-list", line, field, "its votes are stated before");
            return;
        }
        tally.lists.insert(list, ListVotes { total: Some(votes), ..ListVotes::default() });
    }

    fn election_group(&mut self, info: &Element, canton: &UnitId) {
        let Some(group) = info.child("electionGroup") else {
            self.problem("missing", info, "electionGroupInfo", "it has no `electionGroup`");
            return;
        };
        let mut unit = canton.clone();
        if let Some(domain) = group.child("domainOfInfluence") {
            let text = domain.text_of("domainOfInfluenceIdentification").unwrap_or_default();
            let kind = domain.text_of("domainOfInfluenceType").unwrap_or_default();
            // The canton itself stands for the federation (CH) and the canton (CT); others are parts of it.
            if !matches!(kind, "CH" | "CT") {
                let Some(id) = self.id("unit", domain, text).and_then(|id| UnitId::new(&id)) else { return };
                let name = domain.text_of("domainOfInfluenceName").unwrap_or_default();
                self.sink.unit(&id, UnitKind::District, Some(canton), name);
                unit = id;
            }
        }
        for information in group.all("electionInformation").chain(info.all("electionInformation")) {
            self.election_information(information, &unit);
        }
        for circle in group.all("countingCircle").chain(info.all("countingCircle")) {
            self.circle(circle, &unit);
        }
    }

    fn election_information(&mut self, information: &Element, unit: &UnitId) {
        let Some(election) = information.child("election") else {
            self.problem("missing", information, "electionInformation", "it has no `election`");
            return;
        };
        let text = election.text_of("electionIdentification").unwrap_or_default();
        let names = ["electionDescription", "electionDescriptionShort"];
        let title = election
            .child("electionDescription")
            .map(|place| described(place, "electionDescriptionInfo", &names))
            .unwrap_or_default();
        let Some(contest) = self.contest(election, text, unit, &title) else { return };
        let line = Some(self.document.line(election));
        let seats = election.text_of("numberOfMandates").unwrap_or_default();
        let seats =
            self.sink.number(seats, line, "numberOfMandates").and_then(|votes| u32::try_from(votes.0).ok());
        let proportional = election.text_of("typeOfElection") == Some("1");
        let entry = self.sink.contest(&contest, unit, &title);
        entry.seats = seats.unwrap_or(0);
        entry.votes_per_ballot = entry.seats.max(1);
        entry.method = if proportional { Method::HagenbachBischoff } else { Method::Plurality };
        if proportional {
            let named = |each| Some((Element::text_of(each, "candidateIdentification")?, person(each)));
            let names: BTreeMap<&str, String> = information.all("candidate").filter_map(named).collect();
            information.all("list").for_each(|list| self.list_information(list, &names, &contest));
            information.all("listUnion").for_each(|union| self.union(union, &contest));
        } else {
            for candidate in information.all("candidate") {
                let text = candidate.text_of("candidateIdentification").unwrap_or_default();
                if let Some(list) = self.id("list", candidate, text).and_then(|id| ListId::new(&id)) {
                    self.sink.list(&contest, &list, &person(candidate));
                }
            }
        }
    }

    fn list_information(&mut self, place: &Element, names: &BTreeMap<&str, String>, contest: &ContestId) {
        let text = place.text_of("listIdentification").unwrap_or_default();
        let Some(list) = self.id("list", place, text).and_then(|id| ListId::new(&id)) else { return };
        let texts = ["listDescriptionShort", "listDescription"];
        let name = place.child("listDescription").map(|each| described(each, "listDescriptionInfo", &texts));
        self.sink.list(contest, &list, &name.unwrap_or_default());
        for position in place.all("candidatePosition") {
            // `01.03`: list and number, which stays one where a candidate has two places on the list.
            let reference = position.text_of("candidateReferenceOnPosition").unwrap_or_default();
            let number = reference.rsplit('.').next().and_then(|part| part.parse::<CandidateNumber>().ok());
            let number = number.or_else(|| position.text_of("positionOnList")?.parse().ok());
            let Some(number) = number.filter(|&number| number > 0) else {
                self.problem("no-id", position, text, "a candidate's place on the list has no number");
                continue;
            };
            let id = position.text_of("candidateIdentification").unwrap_or_default();
            self.sink.candidate(contest, &list, number, names.get(id).map_or("", String::as_str));
        }
    }

    /// A union of lists (type 1), or a closer one inside it (type 2), which names it.
    fn union(&mut self, union: &Element, contest: &ContestId) {
        let Some(id) = union.text_of("listUnionIdentification").map(str::to_owned) else { return };
        let sub = union.text_of("listUnionType") == Some("2");
        for reference in union.all("referencedList") {
            let list = ListId::new(&slug(&reference.text));
            let lists = self.sink.read.draft.contests.get_mut(contest).map(|contest| &mut contest.lists);
            let list = lists.zip(list).and_then(|(lists, list)| lists.get_mut(&list));
            match list {
                Some(list) if sub => list.sub_connection = Some(id.clone()),
                Some(list) => list.connection = Some(id.clone()),
                None => {
                    let message =
                        format!("it refers to the list `{}`, which is none", clipped(&reference.text));
                    self.problem("unknown-list", reference, &id, message);
                }
            }
        }
    }

    fn election(&mut self, result: &Element, canton: &UnitId) {
        let text = result.text_of("electionIdentification").unwrap_or_default();
        let Some(contest) = self.contest(result, text, canton, "") else { return };
        self.sink.contest(&contest, canton, "").method = Method::Plurality;
        for circle in result.all("countingCircleResult") {
            let Some(unit) = circle.child("countingCircle").and_then(|place| self.circle(place, canton))
            else {
                continue;
            };
            let Some(data) = circle.child("resultData") else { continue };
            let field = format!("{contest}/{unit}");
            let mut tally = Tally::new(contest.clone(), unit);
            self.counts(data, &mut tally, &field);
            for each in data.all("electionResult") {
                self.election_result(each, &mut tally, &field);
            }
            let line = self.document.line(circle);
            self.sink.add(tally, Some(line), &field);
        }
        for elected in
            result.at(&["elected", "majorityElection"]).into_iter().flat_map(|e| e.all("electedCandidate"))
        {
            let id = find(elected, "candidateIdentification").map(slug);
            if let Some(list) = id.and_then(|id| ListId::new(&id)) {
                self.sink.read.draft.seats.insert((contest.clone(), list), 1);
            }
        }
    }

    fn election_result(&mut self, result: &Element, tally: &mut Tally, field: &str) {
        let Some(majority) = result.child("majorityElection") else {
            self.problem("unsupported", result, field, "only results of elections by majority are read");
            return;
        };
        for each in majority.all("candidateResult") {
            let who = each.child("candidateOrWriteInCandidate").unwrap_or(each);
            let Some(text) = who.text_of("candidateIdentification") else {
                self.problem(
                    "unsupported",
                    each,
                    field,
                    "a candidate who was written in has no identification",
                );
                continue;
            };
            let Some(list) = self.id("list", each, text) else { continue };
            let votes = each.text_of("countOfVotesTotal").unwrap_or_default();
            self.list(each, votes, tally, &list, field);
            if let Some(list) = ListId::new(&list) {
                self.sink.list(&tally.contest, &list, "");
            }
        }
        if let Some(place) = majority.child("countOfIndividualVotesTotal") {
            self.list(place, &place.text, tally, "individual", field);
            let list = ListId::new("individual").expect("internal error: a constant id");
            self.sink.list(&tally.contest, &list, "Individual votes");
        }
        for (element, count) in
            [("countOfBlankVotesTotal", "blank-votes"), ("countOfInvalidVotesTotal", "invalid-votes")]
        {
            let Some(place) = majority.child(element) else { continue };
            let line = Some(self.document.line(place));
            let field = format!("{field}/{element}");
            if let Some(votes) = self.sink.number(&place.text, line, &field) {
                self.sink.count(tally, Count::Other(count.into()), votes, line, &field);
            }
        }
    }
}

/// The first text of a name anywhere inside.
fn find<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    element.text_of(name).or_else(|| element.children.iter().find_map(|child| find(child, name)))
}

/// The German text of a description in several languages, or the first.
fn described(place: &Element, item: &str, names: &[&str]) -> String {
    let german =
        |each: &&Element| each.text_of("language").is_some_and(|text| text.eq_ignore_ascii_case("de"));
    let item = place.all(item).find(german).or_else(|| place.child(item));
    let text = item.and_then(|item| names.iter().find_map(|name| item.text_of(name)));
    text.unwrap_or_default().to_owned()
}

fn person(candidate: &Element) -> String {
    let family =
        candidate.text_of("politicalFamilyName").or(candidate.text_of("familyName")).unwrap_or_default();
    let first = candidate.text_of("politicalFirstName").or(candidate.text_of("callName")).unwrap_or_default();
    format!("{family} {first}").trim().to_owned()
}
