//! The night of the European election in Slovenia, 9 June 2024, event by event.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use results::checks::{Class, Finding, History, check_set, check_sums, check_tally};
use results::definition::UnitKind;
use results::{Count, ListVotes, Tally, Votes};

use crate::support::{World, csv, list_id, shared, unit_id};

type Row = BTreeMap<String, String>;

/// The stations of the final file, by district; stations from 901 on are for early voting.
pub(crate) fn world(rows: &[Row]) -> World {
    let mut world = World::default();
    world.unit("SI", UnitKind::Nation, None, None);
    let mut lists = BTreeSet::new();
    for row in rows {
        let district = row["district_id"].as_str();
        let above = format!("VE{}", &district[..1]);
        world.unit(&above, UnitKind::District, Some("SI"), None);
        world.unit(district, UnitKind::District, Some(&above), None);
        let early = row["station_id"].as_str() >= "900";
        let kind = if early { UnitKind::EarlyVoting } else { UnitKind::PollingStation };
        world.unit(&station(row), kind, Some(district), None);
        lists.extend(row.keys().filter_map(|key| key.strip_prefix("list_")).map(str::to_owned));
    }
    let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
    world.contest("ep", "SI", 1, &lists);
    world
}

fn station(row: &Row) -> String {
    format!("{}/{}", row["district_id"], row["station_id"])
}

/// One station never had a result; its fields are empty.
pub(crate) fn tally(row: &Row) -> Option<Tally> {
    let mut tally = Tally::new(results::ContestId::new("ep").expect("an id"), unit_id(&station(row)));
    for (key, text) in row {
        let votes = || text.parse().ok().map(Votes);
        let count = match key.as_str() {
            "eligible" => Count::Eligible,
            "ballots_cast" => Count::Cast,
            "valid" => Count::Valid,
            "invalid" => Count::Invalid,
            _ => {
                if let Some(list) = key.strip_prefix("list_") {
                    tally
                        .lists
                        .insert(list_id(list), ListVotes { total: Some(votes()?), ..ListVotes::default() });
                }
                continue;
            }
        };
        tally.counts.insert(count, votes()?);
    }
    Some(tally)
}

fn local(at: &str) -> Timestamp {
    Timestamp::parse(at).expect("a time")
}

/// `CODE UNIT [OTHER] TIME`
fn brief(findings: &[&Finding]) -> Vec<String> {
    let line = |f: &&Finding| {
        let other = f.other.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
        let at = f.at.map(|at| format!(" {at}")).unwrap_or_default();
        format!("{} {}{other}{at}", f.code, f.unit)
    };
    findings.iter().map(line).collect()
}

struct Night {
    world: World,
    events: Vec<(Timestamp, Tally)>,
    last: Vec<Tally>,
}

fn night() -> Option<Night> {
    let finals = csv(&shared("slovenia-ep2024/stations_final.csv")?);
    let events = csv(&shared("slovenia-ep2024/station_events.csv")?);
    let events = events.iter().filter_map(|row| Some((local(&row["snapshot_time"]), tally(row)?))).collect();
    Some(Night { world: world(&finals), events, last: finals.iter().filter_map(tally).collect() })
}

/// All that the history says, one event after the other.
fn replay(night: &Night) -> Vec<Finding> {
    let mut history = History::new(&night.world.facts());
    night.events.iter().flat_map(|(at, tally)| history.apply(*at, tally)).collect()
}

#[test]
fn the_night_has_three_copies_and_no_other_hard_alarm_of_the_history() {
    let Some(night) = night() else { return };
    assert_eq!(night.events.len(), 4673);
    let findings = replay(&night);
    let hard: Vec<&Finding> = findings.iter().filter(|f| f.class == Class::Hard).collect();
    insta::assert_snapshot!(brief(&hard).join("\n"), @r"
    duplicate-vector 3007/007 3007/005 2024-06-09T21:16:37Z
    duplicate-vector 4010/010 4010/014 2024-06-09T22:32:15Z
    duplicate-vector 2011/045 2011/011 2024-06-09T23:34:19Z
    ");
    for finding in hard {
        println!("{}", finding.message);
    }
}

#[test]
fn what_else_the_history_says_of_the_night() {
    let Some(night) = night() else { return };
    let findings = replay(&night);
    let mut counts: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for finding in &findings {
        let count = counts.entry(finding.code).or_default();
        count.0 += 1;
        count.1.insert(finding.unit.as_str());
    }
    let counts: Vec<String> =
        counts.iter().map(|(code, (n, units))| format!("{code}: {n} of {} units", units.len())).collect();
    insta::assert_snapshot!(counts.join("\n"), @r"
    duplicate-vector: 3 of 3 units
    fallen-count: 4 of 4 units
    moved-vector: 1 of 1 units
    returned-to-earlier: 2 of 2 units
    vanish-and-return: 1 of 1 units
    vanished: 3 of 3 units
    ");
    let few: Vec<&Finding> = findings.iter().filter(|f| f.class == Class::Triage).collect();
    insta::assert_snapshot!(brief(&few).join("\n"), @r"
    fallen-count 8006/025 2024-06-09T21:23:44Z
    fallen-count 1001/021 2024-06-09T21:28:00Z
    fallen-count 5003/901 2024-06-09T21:37:00Z
    vanished 7003/037 2024-06-09T21:37:00Z
    returned-to-earlier 7003/037 2024-06-09T21:42:41Z
    vanished 8007/019 2024-06-09T21:42:41Z
    moved-vector 6001/002 6001/004 2024-06-09T21:48:06Z
    vanish-and-return 8007/019 2024-06-09T21:48:06Z
    vanished 4005/021 2024-06-09T22:28:21Z
    returned-to-earlier 4005/021 2024-06-09T22:32:15Z
    fallen-count 8001/021 2024-06-09T23:48:15Z
    ");
}

/// A poll of the site is one moment; taken so, the night has the same copies.
#[test]
fn polls_of_the_site_taken_as_one_moment_give_the_same_copies() {
    let Some(night) = night() else { return };
    let mut history = History::new(&night.world.facts());
    let mut polls: BTreeMap<Timestamp, Vec<Tally>> = BTreeMap::new();
    for (at, tally) in &night.events {
        polls.entry(*at).or_default().push(tally.clone());
    }
    let findings: Vec<Finding> =
        polls.iter().flat_map(|(at, tallies)| history.apply_all(*at, tallies)).collect();
    let of = |findings: &[Finding], code| {
        findings
            .iter()
            .filter(|f| f.code == code)
            .map(|f| (f.at, f.unit.clone(), f.other.clone()))
            .collect::<Vec<_>>()
    };
    let single = replay(&night);
    for code in ["duplicate-vector", "moved-vector"] {
        assert_eq!(of(&findings, code), of(&single, code));
    }
}

#[test]
fn thirty_events_have_votes_on_lists_and_no_valid_ballots() {
    let Some(night) = night() else { return };
    let facts = night.world.facts();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, tally) in &night.events {
        for finding in check_tally(&facts, tally) {
            *counts.entry(finding.code).or_default() += 1;
        }
    }
    insta::assert_debug_snapshot!(counts, @r#"
    {
        "F.204": 30,
        "W.202": 2403,
        "W.204": 1481,
    }
    "#);
}

#[test]
fn the_final_state_has_no_hard_finding() {
    let Some(night) = night() else { return };
    let facts = night.world.facts();
    let mut findings = check_set(&facts, &night.last);
    findings.extend(night.last.iter().flat_map(|tally| check_tally(&facts, tally)));
    assert_eq!(findings.iter().filter(|f| f.class == Class::Hard).count(), 0);
    let mut counts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for finding in &findings {
        counts.entry(finding.code).or_default().insert(finding.unit.as_str());
    }
    let counts: Vec<String> =
        counts.iter().map(|(code, units)| format!("{code}: {} units", units.len())).collect();
    insta::assert_snapshot!(counts.join("\n"), @r"
    W.202: 2319 units
    local-deviation: 3 units
    party-share: 3 units
    ");
    let named: Vec<&Finding> =
        findings.iter().filter(|f| matches!(f.code, "party-share" | "local-deviation")).collect();
    insta::assert_snapshot!(brief(&named).join("\n"), @r"
    local-deviation 1010/003
    party-share 2006/064
    party-share 6003/025
    party-share 8004/058
    local-deviation 8007/022
    local-deviation 8009/065
    ");
}

/// Votes that were stated and corrected later, put back into the final state one at a time: which rules would have
/// pointed at them? Statistics are for triage; most corrections are small.
#[test]
fn what_the_rules_say_of_the_fourteen_corrected_results() {
    let Some(night) = night() else { return };
    let facts = night.world.facts();
    let mut stated: BTreeMap<&str, &Tally> = BTreeMap::new();
    let mut said = Vec::new();
    for (_, tally) in &night.events {
        let Some(before) = stated.insert(tally.unit.as_str(), tally) else { continue };
        if before.votes().0 == 0 || before.lists == tally.lists {
            continue;
        }
        let mut set = night.last.clone();
        let row = set.iter_mut().find(|row| row.unit == tally.unit).expect("a station of the final state");
        row.lists.clone_from(&before.lists);
        let findings = check_set(&facts, &set);
        let codes: BTreeSet<&str> = findings
            .iter()
            .filter(|f| f.unit == tally.unit || f.other.as_ref() == Some(&tally.unit))
            .map(|f| f.code)
            .collect();
        said.push(format!("{}: {}", tally.unit, codes.into_iter().collect::<Vec<_>>().join(" ")));
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    2007/008: 
    8006/025: 
    1001/021: 
    6001/004: duplicate-vector
    8007/019: 
    5005/001: 
    1007/006: local-deviation party-share
    5004/011: 
    5001/901: 
    3007/007: duplicate-vector
    4010/014: duplicate-vector
    8001/021: 
    2011/011: duplicate-vector
    1003/019:
    ");
}

/// The national figure of the last official snapshot beside the stations, of which votes by post and from abroad are
/// none.
#[test]
fn the_national_total_is_not_the_sum_of_the_stations() {
    let Some(night) = night() else { return };
    let stated = crate::support::tally("SI ep valid=674759");
    let findings = check_sums(&night.world.facts(), &[stated], &night.last);
    // One station states nothing at all, so more than the sum is possible.
    assert_eq!(findings, []);
    let mut leaves = night.last.clone();
    leaves.push(crate::support::tally("1002/903 ep valid=0"));
    let stated = crate::support::tally("SI ep valid=674759");
    let findings = check_sums(&night.world.facts(), &[stated], &leaves);
    insta::assert_snapshot!(crate::support::lines(&findings), @"sum-differs hard SI valid: Unit SI states 674759 for valid, while the units below it add to 663098 (3079 units).");
}

/// The official national figures of 74 polls, as a unit that others are summed into.
#[test]
fn the_national_total_fell_twice() {
    let Some(folder) = shared("slovenia-ep2024/snapshots") else { return };
    let Some(night) = night() else { return };
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    files.sort();
    let mut history = History::new(&night.world.facts());
    let mut findings = Vec::new();
    for (poll, file) in files.iter().enumerate() {
        let text = std::fs::read_to_string(file).expect("it can be read");
        let national = national(&text).expect("a file of this layout");
        findings.extend(history.apply(Timestamp::from_seconds(poll as i64), &national));
    }
    insta::assert_snapshot!(crate::support::lines(&findings), @r"
    fallen-total triage SI cast, valid, votes: At unit SI, ballots cast (H) fell from 700073 to 700062, valid ballots (E) fell from 669252 to 669242, votes on lists fell from 669252 to 669242.
    fallen-total triage SI cast: At unit SI, ballots cast (H) fell from 700127 to 700126.
    ");
}

/// The file's fourteenth line has the ballots cast, valid and invalid; the votes of eleven lists follow.
fn national(text: &str) -> Option<Tally> {
    let mut tally = Tally::new(results::ContestId::new("ep").expect("an id"), unit_id("SI"));
    let mut lines = text.lines().skip(13).map(|line| line.split(';').collect::<Vec<_>>());
    let ballots = lines.next()?;
    for (count, text) in [Count::Cast, Count::Valid, Count::Invalid].into_iter().zip(ballots) {
        tally.counts.insert(count, Votes(text.parse().ok()?));
    }
    for line in lines.take(11) {
        let total = Some(Votes(line[1].parse().ok()?));
        tally.lists.insert(list_id(line[0]), ListVotes { total, ..ListVotes::default() });
    }
    Some(tally)
}
