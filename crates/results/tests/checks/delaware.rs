//! General elections of Delaware by precinct, 2016 and 2018: unopposed candidates, races of two, small numbers.

use std::collections::{BTreeMap, BTreeSet};

use results::checks::{Class, check_set, check_tally};
use results::definition::UnitKind;
use results::{ListVotes, Tally, Votes};

use crate::support::{World, csv, lines, list_id, shared, unit_id};

/// Offices and their precincts. Districts of one office are contests of their own.
fn election(name: &str) -> Option<(World, Vec<Tally>)> {
    let rows = csv(&shared(&format!("us-openelections/{name}"))?);
    let mut world = World::default();
    world.unit("DE", UnitKind::Nation, None, None);
    let mut tallies: BTreeMap<(String, String), Tally> = BTreeMap::new();
    let mut candidates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in &rows {
        let id = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
        let county = id(&row["county"]);
        let unit = format!("{county}/{}", id(&row["election_district"]));
        let contest = format!("{}:{}", id(&row["office"]), row["district"]);
        let list = format!("{}/{}", id(&row["party"]), id(&row["candidate"]));
        world.unit(&county, UnitKind::District, Some("DE"), None);
        world.unit(&unit, UnitKind::PollingStation, Some(&county), None);
        candidates.entry(contest.clone()).or_default().insert(list.clone());
        let empty = || Tally::new(results::ContestId::new(&contest).expect("an id"), unit_id(&unit));
        let tally = tallies.entry((contest.clone(), unit.clone())).or_insert_with(empty);
        let read = |key: &str| Votes(row[key].parse().expect("a number"));
        tally.lists.insert(list_id(&list), ListVotes { total: Some(read("votes")), ..ListVotes::default() });
        for mode in ["election_day", "absentee"] {
            tally.modes.insert((mode.replace('_', "-").into(), list_id(&list), None), read(mode));
        }
    }
    for (contest, lists) in &candidates {
        world.contest(contest, "DE", 1, &lists.iter().map(String::as_str).collect::<Vec<_>>());
    }
    Some((world, tallies.into_values().collect()))
}

/// The numbers of tallies, contests, and hard findings of any rule.
fn check(name: &str) -> Option<String> {
    let (world, tallies) = election(name)?;
    let facts = world.facts();
    let mut findings = check_set(&facts, &tallies);
    findings.extend(tallies.iter().flat_map(|tally| check_tally(&facts, tally)));
    let contests = tallies.iter().map(|tally| &tally.contest).collect::<BTreeSet<_>>().len();
    let mut text = format!("{} tallies of {contests} contests\n", tallies.len());
    let (hard, triage): (Vec<_>, Vec<_>) = findings.into_iter().partition(|f| f.class == Class::Hard);
    text += &lines(&hard);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &triage {
        *counts.entry(finding.code).or_default() += 1;
    }
    Some(text + &format!("triage: {counts:?}"))
}

#[test]
fn two_elections_have_no_hard_finding() {
    let Some(text) = check("20161108__de__general__precinct.csv") else { return };
    insta::assert_snapshot!(text, @r"
    2426 tallies of 56 contests
    triage: {}
    ");
    let Some(text) = check("20181106__de__general__precinct.csv") else { return };
    insta::assert_snapshot!(text, @r"
    2002 tallies of 54 contests
    triage: {}
    ");
}

/// The sum of both ways of voting is checked for every number: one changed vote is found.
#[test]
fn one_changed_vote_is_found_by_the_ways_of_voting() {
    let Some((world, mut tallies)) = election("20181106__de__general__precinct.csv") else { return };
    let list = tallies[100].lists.values_mut().next().expect("a list");
    list.total = list.total.map(|votes| Votes(votes.0 + 1));
    let found: usize = tallies.iter().map(|tally| check_tally(&world.facts(), tally).len()).sum();
    assert_eq!(found, 1);
}
