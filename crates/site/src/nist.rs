//! NIST SP 1500-100 version 2 (Election Results Reporting), as JSON: `ElectionResults.ElectionReport`.
//!
//! A revision of ours has no place in that format, which tells one state; `SequenceStart` and `SequenceEnd` are 1 as in a report
//! that is whole, and `Notes` names the checkpoint that the state is of.

use jiff::tz::TimeZone;
use results::board::Chain;
use results::definition::{Contest, Method, Unit, UnitKind};
use results::id::{ContestId, UnitId};
use results::returns::Status;
use results::tally::Count;
use serde_json::{Map, Value, json};

use crate::{File, Site};

/// The report; none while numbers are sealed.
pub(crate) fn files<'s>(site: &'s Site<'_>) -> Vec<File<'s>> {
    if !site.is_open() {
        return Vec::new();
    }
    vec![File::debounced("nist-err-v2.json", || format!("{}\n", report(site)).into_bytes())]
}

fn report(site: &Site<'_>) -> Value {
    let definition = &site.election().definition;
    let checkpoint = site.publication.checkpoint;
    let contests: Vec<Value> = definition.contests.iter().map(|(id, it)| contest(site, id, it)).collect();
    let parties: Vec<Value> = definition
        .contests
        .iter()
        .flat_map(|(id, contest)| {
            contest.lists.iter().map(move |(list, it)| {
                json!({ "@type": "ElectionResults.Party", "@id": party_id(id, list.as_str()), "Name": text(&it.name) })
            })
        })
        .collect();
    let units: Vec<Value> = definition.units.iter().map(|(id, it)| unit(site, id, it)).collect();
    let top =
        definition.units.iter().find(|(_, unit)| unit.parent.is_none()).map_or("", |(id, _)| id.as_str());
    json!({
        "@type": "ElectionResults.ElectionReport",
        "Format": "precinct-level",
        "GeneratedDate": generated(site),
        "Issuer": definition.title,
        "IssuerAbbreviation": definition.election.as_str(),
        "SequenceStart": 1,
        "SequenceEnd": 1,
        "Status": status(site),
        "VendorApplicationId": "Scrutineer",
        "Notes": format!("log {}, {} entries, root {}", checkpoint.origin, checkpoint.size, checkpoint.root),
        "GpUnit": units,
        "Party": parties,
        "Election": [{
            "@type": "ElectionResults.Election",
            "ElectionScopeId": unit_id(top),
            "StartDate": definition.day,
            "EndDate": definition.day,
            "Name": text(&definition.title),
            "Type": "general",
            "BallotCounts": ballots(site),
            "Contest": contests,
        }],
    })
}

/// The time at which the newest witness saw this state, or else that of the newest statement, or the close of the polls: the
/// report is of a state, whenever it was written out.
fn generated(site: &Site<'_>) -> String {
    let links = site.election().chains.values().flat_map(Chain::links);
    let newest = links.map(|link| link.time.0.div_euclid(1000)).max();
    let seconds = site.time().and_then(|time| i64::try_from(time).ok()).or(newest);
    let seconds = seconds.unwrap_or(site.election().definition.closes.0.div_euclid(1000));
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn status(site: &Site<'_>) -> &'static str {
    let mut contents = site.due.iter().flat_map(|(contest, units)| {
        units.iter().map(move |unit| site.chain(contest, unit).and_then(Chain::content))
    });
    let mut is_complete = true;
    let all_final = contents.all(|it| {
        is_complete &= it.is_some();
        it.is_some_and(|it| it.status == Status::Final)
    });
    // `all` stops at the first that is not final, so look at the rest too.
    is_complete &= contents.all(|it| it.is_some());
    match (all_final, is_complete) {
        (true, _) => "certified",
        (false, true) => "unofficial-complete",
        (false, false) => "unofficial-partial",
    }
}

fn unit(site: &Site<'_>, id: &UnitId, unit: &Unit) -> Value {
    let mut value = json!({
        "@type": "ElectionResults.ReportingUnit",
        "@id": unit_id(id.as_str()),
        "Type": unit_type(unit.kind),
        "Name": text(&unit.name),
        "ExternalIdentifier": [{
            "@type": "ElectionResults.ExternalIdentifier", "Type": "local-level", "Value": id.as_str(),
        }],
    });
    if unit_type(unit.kind) == "other" {
        value["OtherType"] = unit.kind.name().into();
    }
    if let Some(children) = site.children.get(id) {
        let ids: Vec<String> = children.iter().map(|child| unit_id(child.as_str())).collect();
        value["ComposingGpUnitIds"] = ids.into();
    }
    if let Some(eligible) = unit.eligible {
        value["VotersRegistered"] = eligible.into();
    }
    let sums = site.totals.iter().filter(|((_, of), _)| of == id);
    let sums = sums.fold((0, 0), |(due, counted), (_, sum)| (due + sum.due, counted + sum.counted));
    value["TotalSubUnits"] = sums.0.into();
    value["SubUnitsReported"] = sums.1.into();
    value
}

fn unit_type(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Nation => "country",
        UnitKind::District => "county",
        UnitKind::Municipality => "municipality",
        UnitKind::PollingStation => "polling-place",
        UnitKind::EarlyVoting => "vote-center",
        UnitKind::Postal | UnitKind::Mobile | UnitKind::Special | UnitKind::Abroad => "other",
    }
}

fn contest(site: &Site<'_>, id: &ContestId, contest: &Contest) -> Value {
    let sums: Vec<_> = site.totals.iter().filter(|((of, _), sum)| of == id && sum.counted > 0).collect();
    let selections: Vec<Value> = contest
        .lists
        .keys()
        .map(|list| {
            let counts: Vec<Value> = sums
                .iter()
                .filter_map(|((_, unit), sum)| {
                    let votes = sum.tally.lists.get(list)?.votes().0;
                    Some(json!({
                        "@type": "ElectionResults.VoteCounts", "GpUnitId": unit_id(unit.as_str()), "Type": "total", "Count": votes,
                    }))
                })
                .collect();
            json!({
                "@type": "ElectionResults.PartySelection",
                "@id": format!("selection-{id}-{list}"),
                "PartyIds": [party_id(id, list.as_str())],
                "VoteCounts": counts,
            })
        })
        .collect();
    let variation = if contest.method == Method::Plurality { "plurality" } else { "proportional" };
    let mut value = Map::new();
    value.insert("@type".into(), "ElectionResults.PartyContest".into());
    value.insert("@id".into(), format!("contest-{id}").into());
    value.insert("ElectionDistrictId".into(), unit_id(contest.unit.as_str()).into());
    value.insert("Name".into(), contest.title.clone().into());
    if contest.method != Method::None {
        value.insert("VoteVariation".into(), variation.into());
    }
    value.insert("ContestSelection".into(), selections.into());
    value.into()
}

/// Ballots cast and rejected, of each unit in the first contest: a ballot with several contests is one ballot.
fn ballots(site: &Site<'_>) -> Vec<Value> {
    let first = site.election().definition.contests.keys().next();
    let sums = site.totals.iter().filter(|((contest, _), sum)| Some(contest) == first && sum.counted > 0);
    sums.filter_map(|((_, unit), sum)| {
        let cast = sum.tally.count(&Count::Cast)?.0;
        let rejected = [Count::Blank, Count::Invalid].iter().filter_map(|count| sum.tally.count(count));
        Some(json!({
            "@type": "ElectionResults.BallotCounts",
            "GpUnitId": unit_id(unit.as_str()),
            "Type": "total",
            "BallotsCast": cast,
            "BallotsRejected": rejected.map(|n| n.0).sum::<u64>(),
        }))
    })
    .collect()
}

fn unit_id(unit: &str) -> String {
    format!("unit-{unit}")
}

fn party_id(contest: &ContestId, list: &str) -> String {
    format!("party-{contest}-{list}")
}

/// A name in a language that nobody has stated: `und` in BCP 47.
fn text(name: &str) -> Value {
    json!({
        "@type": "ElectionResults.InternationalizedText",
        "Text": [{ "@type": "ElectionResults.LanguageString", "Content": name, "Language": "und" }],
    })
}
