//! What defines an election: 110a, 110b, 230b, and the seats of a 520; parsed by `eml-nl`.

use eml_nl::EMLError;
use eml_nl::common::PersonName;
use eml_nl::documents::EML;
use eml_nl::documents::candidate_lists::CandidateLists;
use eml_nl::documents::election_definition::ElectionDefinition;
use eml_nl::documents::election_result::{ElectionResult, ElectionResultSelectionType};
use eml_nl::documents::polling_stations::PollingStations;
use eml_nl::io::{EMLParsingMode, EMLRead, EMLReadResult};
use eml_nl::utils::RegionCategory;

use super::super::sink::{Sink, clipped};
use super::super::xml::Document;
use super::super::{Format, Read, ReadError};
use crate::definition::{Method, UnitKind};
use crate::id::{CandidateNumber, ContestId, ElectionId, ListId, UnitId};

/// Seats from which Dutch law divides by highest averages (Kieswet P 7); below, by largest remainders with a bound that no
/// method here has (P 8).
const SEATS_BY_AVERAGES: u64 = 19;

/// Reads a document that defines. What `eml-nl` can read in part becomes problems; what it cannot, an error with the line.
pub(super) fn read(document: &Document<'_>, name: &str, id: &str) -> Result<Read, ReadError> {
    let (eml, errors) = match EML::parse_eml(document.text, EMLParsingMode::StrictFallback) {
        EMLReadResult::Ok(eml, errors) => (eml, errors),
        EMLReadResult::Err(error) => {
            return Err(ReadError::Document {
                name: name.to_owned(),
                line: line(document, &error).unwrap_or(1),
                format: "EML_NL",
                what: error.kind().to_string(),
            });
        }
    };
    let mut sink = Sink::new(Format::EmlNl(id.into()));
    for error in &errors {
        sink.problem("eml-rule", line(document, error), id, error.kind().to_string());
    }
    match &eml {
        EML::ElectionDefinition(definition) => election(&mut sink, definition),
        EML::PollingStations(stations) => polling_stations(&mut sink, stations),
        EML::CandidateLists(lists) => candidate_lists(&mut sink, lists),
        EML::ElectionResult(result) => seats(&mut sink, result),
        EML::Nomination(_) | EML::ElectionCount(_) => {}
    }
    Ok(sink.read)
}

fn line(document: &Document<'_>, error: &EMLError) -> Option<u64> {
    let start = error.span()?.start;
    Some(document.line_at(usize::try_from(start).unwrap_or(usize::MAX)))
}

fn head(sink: &mut Sink, id: &str, title: Option<&str>, date: &str) {
    let draft = &mut sink.read.draft;
    draft.election = ElectionId::new(id);
    draft.title = title.map(str::to_owned);
    draft.date = date.parse().ok();
    if draft.election.is_none() {
        sink.problem("no-id", None, "ElectionIdentifier", format!("`{}` cannot be an id", clipped(id)));
    }
}

/// An id that the file has, or a problem.
fn unit_id(sink: &mut Sink, text: &str) -> Option<UnitId> {
    sink.id("unit", text, text, None).and_then(|id| UnitId::new(&id))
}

fn contest_id(sink: &mut Sink, text: &str) -> Option<ContestId> {
    let id = ContestId::new(text);
    if id.is_none() {
        sink.problem("no-id", None, "ContestIdentifier", format!("`{}` cannot be an id", clipped(text)));
    }
    id
}

fn list_id(sink: &mut Sink, text: &str) -> Option<ListId> {
    let id = ListId::new(text);
    if id.is_none() {
        sink.problem("no-id", None, "AffiliationIdentifier", format!("`{}` cannot be an id", clipped(text)));
    }
    id
}

fn candidate_number(sink: &mut Sink, text: &str) -> Option<CandidateNumber> {
    let number = text.parse::<CandidateNumber>().ok().filter(|&number| number > 0);
    if number.is_none() {
        sink.problem(
            "no-id",
            None,
            "CandidateIdentifier",
            format!("`{}` is no number from 1", clipped(text)),
        );
    }
    number
}

fn election(sink: &mut Sink, definition: &ElectionDefinition) {
    let election = &definition.election_event.election;
    let identifier = &election.identifier;
    head(sink, &identifier.id.raw(), Some(&identifier.name), &identifier.election_date.raw());
    let domain = identifier.domain.as_ref().and_then(|domain| Some(domain.id.as_ref()?.raw().into_owned()));
    let mut top = None;
    for region in &election.election_tree.regions {
        let id = region_id(region.key.category, region.key.number, domain.as_deref());
        let parent = region
            .superior_region_key
            .as_ref()
            .map(|key| region_id(key.category, key.number, domain.as_deref()));
        let Some(unit) = unit_id(sink, &id) else { continue };
        let parent = parent.and_then(|id| UnitId::new(&id));
        if parent.is_none() && top.is_none() {
            top = Some(unit.clone());
        }
        sink.unit(&unit, region_kind(region.key.category), parent.as_ref(), &region.name);
    }
    let Some(top) = top else {
        sink.problem("missing", None, "ElectionTree", "the tree of regions has no top");
        return;
    };
    let Some(contest) = contest_id(sink, &election.contest.identifier.id.raw()) else { return };
    let seats = election.number_of_seats.copied_value().ok().and_then(|seats| u32::try_from(seats).ok());
    let title = identifier.name.clone();
    let entry = sink.contest(&contest, &top, &title);
    entry.seats = seats.unwrap_or(0);
    if u64::from(entry.seats) >= SEATS_BY_AVERAGES {
        entry.method = Method::DHondt;
    } else {
        let message =
            format!("{} seats are not divided by highest averages; the method is left open", entry.seats);
        sink.problem("method-open", None, "NumberOfSeats", message);
    }
}

/// The id under which counts name a region.
fn region_id(category: RegionCategory, number: Option<u16>, domain: Option<&str>) -> String {
    let number = number.unwrap_or(0);
    match category {
        // Of a municipality's own election the tree has number 0 and the domain says which.
        RegionCategory::Municipality if number == 0 => domain.unwrap_or("0000").to_owned(),
        RegionCategory::Municipality => format!("{number:04}"),
        RegionCategory::ElectoralDistrict => format!("HSB{number}"),
        RegionCategory::State => "STAAT".to_owned(),
        RegionCategory::Province => format!("PROVINCIE{number}"),
        RegionCategory::WaterAuthority => format!("WATERSCHAP{number}"),
        RegionCategory::PollingStation => format!("SB{number}"),
        other => format!("{}{number}", format!("{other:?}").to_uppercase()),
    }
}

fn region_kind(category: RegionCategory) -> UnitKind {
    match category {
        RegionCategory::State => UnitKind::Nation,
        RegionCategory::Municipality
        | RegionCategory::SubMunicipality
        | RegionCategory::WaterAuthorityMunicipality => UnitKind::Municipality,
        RegionCategory::PollingStation | RegionCategory::ProvincePollingStation => UnitKind::PollingStation,
        _ => UnitKind::District,
    }
}

fn polling_stations(sink: &mut Sink, document: &PollingStations) {
    let election = &document.election_event.election;
    let identifier = &election.identifier;
    head(sink, &identifier.id.raw(), identifier.name.as_deref(), &identifier.election_date.raw());
    for contest in &election.contests {
        let authority = &contest.reporting_unit.identifier;
        let Some(top) = unit_id(sink, &authority.id.raw()) else { continue };
        let eligible = sink.number(&contest.max_votes.raw(), None, "MaxVotes");
        sink.unit(&top, UnitKind::Municipality, None, &authority.name).eligible =
            eligible.map(|votes| votes.0);
        let title = identifier.name.as_deref().unwrap_or_default();
        sink.contest(&ContestId::new("geen").expect("internal error: a constant id"), &top, title);
        for place in &contest.polling_places {
            let station = &place.physical_location.polling_station;
            // Counts name a station by the municipality and its number.
            let Some(unit) = unit_id(sink, &format!("{top}::SB{}", station.id.raw())) else { continue };
            if sink.read.draft.units.contains_key(&unit) {
                sink.problem("duplicate-unit", None, "PollingStation", format!("`{unit}` is stated before"));
                continue;
            }
            let kind =
                if &*place.channel.raw() == "postal" { UnitKind::Postal } else { UnitKind::PollingStation };
            let name = &place.physical_location.address.locality.locality_name.name;
            let field = format!("PollingStation[{unit}]");
            let eligible = sink.number(&station.data, None, &field);
            sink.unit(&unit, kind, Some(&top), name).eligible = eligible.map(|votes| votes.0);
        }
    }
}

fn candidate_lists(sink: &mut Sink, document: &CandidateLists) {
    let election = &document.candidate_list.election;
    let identifier = &election.identifier;
    head(sink, &identifier.id.raw(), identifier.name.as_deref(), &identifier.election_date.raw());
    let authority = &document.managing_authority.authority_identifier;
    let Some(top) = unit_id(sink, &authority.id.raw()) else { return };
    sink.unit(&top, UnitKind::Municipality, None, authority.name.as_deref().unwrap_or_default());
    for each in &election.contests {
        let Some(contest) = contest_id(sink, &each.identifier.id.raw()) else { continue };
        sink.contest(&contest, &top, identifier.name.as_deref().unwrap_or_default());
        for affiliation in &each.affiliations {
            let Some(list) = list_id(sink, &affiliation.identifier.id.raw()) else { continue };
            let name = affiliation.identifier.registered_name.as_deref().unwrap_or_default();
            sink.list(&contest, &list, name);
            let combination = affiliation.list_data.belongs_to_combination.as_ref();
            if let (Some(combination), Some(entry)) = (combination, sink.list(&contest, &list, "")) {
                entry.connection = Some(combination.raw().into_owned());
            }
            for candidate in &affiliation.candidates {
                if let Some(number) = candidate_number(sink, &candidate.identifier.id.raw()) {
                    sink.candidate(&contest, &list, number, &person(&candidate.full_name.person_name));
                }
            }
        }
    }
}

/// A person's name as Dutch results print it: `van der Vaart, W.`.
fn person(name: &PersonName) -> String {
    let mut out = String::new();
    if let Some(prefix) = name.get_name_prefix() {
        out.push_str(prefix);
        out.push(' ');
    }
    out.push_str(name.get_last_name());
    if let Some(initials) = name.get_initials() {
        out.push_str(", ");
        out.push_str(initials);
    }
    out
}

fn seats(sink: &mut Sink, document: &ElectionResult) {
    let election = &document.result.election;
    let identifier = &election.identifier;
    head(sink, &identifier.id.raw(), identifier.name.as_deref(), &identifier.election_date.raw());
    let authority = &document.managing_authority.authority_identifier;
    let Some(top) = unit_id(sink, &authority.id.raw()) else { return };
    sink.unit(&top, UnitKind::Municipality, None, authority.name.as_deref().unwrap_or_default());
    for each in &election.contests {
        let Some(contest) = contest_id(sink, &each.identifier.id.raw()) else { continue };
        sink.contest(&contest, &top, identifier.name.as_deref().unwrap_or_default());
        let (mut list, mut won) = (None, 0);
        for selection in &each.selections {
            match &selection.selection_type {
                ElectionResultSelectionType::Affiliation(affiliation) => {
                    list = list_id(sink, &affiliation.id.raw());
                    if let Some(list) = &list {
                        sink.list(&contest, list, &affiliation.name);
                        sink.read.draft.seats.entry((contest.clone(), list.clone())).or_insert(0);
                    }
                }
                ElectionResultSelectionType::Candidate(candidate) => {
                    let Some(list) = &list else { continue };
                    if let Some(number) = candidate_number(sink, &candidate.identifier.id.raw()) {
                        sink.candidate(&contest, list, number, &person(&candidate.name.person_name));
                    }
                    if &*selection.elected.raw() == "yes" {
                        won += 1;
                        *sink.read.draft.seats.entry((contest.clone(), list.clone())).or_insert(0) += 1;
                    }
                }
            }
        }
        sink.contest(&contest, &top, "").seats += won;
    }
}
