//! Two Dutch count files, reduced to their numbers.

use std::collections::{BTreeMap, BTreeSet};

use results::checks::{Class, check_set, check_sums, check_tally};
use results::definition::UnitKind;
use results::{ContestId, Count, Tally, Votes};

use crate::support::{World, lines, list_id, shared, tallies, unit_id};

/// Test file of the Dutch committee's control protocol for Steenwijkerland (EP2024), made to trip its rules: the list
/// totals and counts of the municipality and its four stations. People who may vote are 90,000 in each part of the file.
const STEENWIJKERLAND: &str = "
    1708 ep 1=20000 2=27000 3=4950 4=300 eligible=90000 valid=52250 invalid=7 blank=1 polling-cards=52640 proxies=20 voter-cards=15 admitted=52675 excess=0 shortfall=417
    1708::SB1 ep 1=20000 2=27000 3=4950 4=300 valid=52250 invalid=7 blank=1 polling-cards=52640 proxies=20 voter-cards=15 admitted=52675 excess=0 shortfall=417
    1708::SB2 ep 1=0 2=0 3=0 4=0 valid=0 invalid=0 blank=0 polling-cards=0 proxies=0 voter-cards=0 admitted=0 excess=0 shortfall=0
    1708::SB3 ep 1=25 2=25 3=25 4=25 valid=100 invalid=4 blank=4 polling-cards=0 proxies=0 voter-cards=0 admitted=0 excess=0 shortfall=0
    1708::SB4 ep 1=10 2=0 3=0 4=0 valid=10 invalid=0 blank=0 polling-cards=0 proxies=0 voter-cards=0 admitted=12 excess=0 shortfall=0";

fn steenwijkerland() -> World {
    World::read(
        "unit 1708 municipality
         unit 1708::SB1 polling-station 1708
         unit 1708::SB2 polling-station 1708
         unit 1708::SB3 polling-station 1708
         unit 1708::SB4 polling-station 1708
         contest ep 1708 1 1 2 3 4",
    )
}

#[test]
fn the_stated_total_of_steenwijkerland_is_not_the_sum_of_its_stations() {
    let world = steenwijkerland();
    let all = tallies(STEENWIJKERLAND);
    insta::assert_snapshot!(lines(&check_sums(&world.facts(), &all[..1], &all[1..])), @r"
    sum-differs hard 1708 admitted: Unit 1708 states 52675 for admitted, while the units below it add to 52687 (4 units).
    sum-differs hard 1708 blank: Unit 1708 states 1 for blank, while the units below it add to 5 (4 units).
    sum-differs hard 1708 invalid: Unit 1708 states 7 for invalid, while the units below it add to 11 (4 units).
    sum-differs hard 1708 list 1: Unit 1708 states 20000 for list 1, while the units below it add to 20035 (4 units).
    sum-differs hard 1708 list 2: Unit 1708 states 27000 for list 2, while the units below it add to 27025 (4 units).
    sum-differs hard 1708 list 3: Unit 1708 states 4950 for list 3, while the units below it add to 4975 (4 units).
    sum-differs hard 1708 list 4: Unit 1708 states 300 for list 4, while the units below it add to 325 (4 units).
    sum-differs hard 1708 valid: Unit 1708 states 52250 for valid, while the units below it add to 52360 (4 units).
    ");
}

/// H is not in the file; the Dutch readers derive it as E + F + G.
#[test]
fn the_stations_of_steenwijkerland_trip_their_rules() {
    let world = steenwijkerland();
    let mut said = String::new();
    for mut tally in tallies(STEENWIJKERLAND) {
        let of = |count| tally.count(&count).expect("stated").0;
        use results::Count::{Blank, Cast, Invalid, Valid};
        let cast = Votes(of(Valid) + of(Blank) + of(Invalid));
        tally.counts.insert(Cast, cast);
        said += &lines(&check_tally(&world.facts(), &tally));
    }
    said += &lines(&check_set(&world.facts(), &tallies(STEENWIJKERLAND)));
    insta::assert_snapshot!(said, @r"
    W.203 triage 1708::SB1 cast: 52675 voters were admitted (D) and 52258 ballots cast (H): they differ by 417, 15 or 2 % or more.
    W.204 triage 1708::SB2 cast: The ballots cast (H) are stated as 0.
    F.306 hard 1708::SB3 excess: 0 voters were admitted (D) and 108 ballots cast (H), 108 more, while 0 more are stated (I).
    W.201 triage 1708::SB3 blank: 4 of 108 ballots are blank (F), 3 % or more.
    W.202 triage 1708::SB3 invalid: 4 of 108 ballots are invalid (G), 3 % or more.
    W.203 triage 1708::SB3 cast: 0 voters were admitted (D) and 108 ballots cast (H): they differ by 108, 15 or 2 % or more.
    F.201 hard 1708::SB4 admitted: Polling cards, proxies and voter cards (A 0, B 0, C 0) add to 0, while 12 voters were admitted (D).
    F.308 hard 1708::SB4 shortfall: 12 voters were admitted (D) and 10 ballots cast (H), 2 fewer, while 0 fewer are stated (J).
    W.203 triage 1708::SB4 cast: 12 voters were admitted (D) and 10 ballots cast (H): they differ by 2, 15 or 2 % or more.
    party-share triage 1708::SB4 list 1: List 1 has 10 of 10 votes of unit 1708::SB4, and 20025 of 52350 in the other units below the same: the shares are 50 percentage points or more apart.
    party-share triage 1708::SB4 list 2: List 2 has 0 of 10 votes of unit 1708::SB4, and 27025 of 52350 in the other units below the same: the shares are 50 percentage points or more apart.
    ");
}

/// The real council election of West Maas en Waal, 16 March 2022, as its official table of 21 polling stations and the
/// municipality: who was on which list, and counts A to G and D.
fn west_maas_en_waal() -> Option<(World, Vec<Tally>)> {
    let file = shared("eml-nl-real-westmaasenwaal/osv4-3_telling_gr2022_westmaasenwaal.csv")?;
    let text = std::fs::read_to_string(file).expect("it can be read");
    let rows: Vec<Vec<&str>> =
        text.lines().map(|line| line.split(';').map(|field| field.trim_matches('"')).collect()).collect();
    let of =
        |name: &str| rows.iter().find(|row| row.contains(&name)).expect("the table has this row").clone();
    let units: Vec<String> = of("Gebiednummer")[4..]
        .iter()
        .map(|unit| if unit.is_empty() { "0668".into() } else { format!("SB{unit}") })
        .collect();
    let mut world = World::default();
    world.unit("0668", UnitKind::Municipality, None, None);
    units[1..].iter().for_each(|unit| world.unit(unit, UnitKind::Special, Some("0668"), None));
    let contest = ContestId::new("gr").expect("an id");
    let mut tallies: Vec<Tally> =
        units.iter().map(|unit| Tally::new(contest.clone(), unit_id(unit))).collect();
    let counts = [
        ("geldige stempas", Count::PollingCards),
        ("geldig volmachtbewijs", Count::Proxies),
        ("geldige kiezerspas", Count::VoterCards),
        ("toegelaten kiezers", Count::Admitted),
        ("geldige stembiljetten", Count::Valid),
        ("blanco stembiljetten", Count::Blank),
        ("ongeldige stembiljetten", Count::Invalid),
        ("aangetroffen stembiljetten", Count::Cast),
        ("meer stembiljetten dan toegelaten kiezers", Count::Excess),
        ("minder stembiljetten dan toegelaten kiezers", Count::Shortfall),
    ];
    for (name, count) in counts {
        for (tally, number) in tallies.iter_mut().zip(&of(name)[4..]) {
            tally.counts.insert(count.clone(), Votes(number.parse().expect("a number")));
        }
    }
    let mut lists: Vec<(String, u32)> = Vec::new();
    for row in rows.iter().filter(|row| row.len() > 20) {
        let candidate = row[2].parse::<u32>().ok();
        match (row[0].parse::<u32>(), candidate) {
            (Ok(_), _) => lists.push((row[0].to_owned(), 0)),
            (_, Some(number)) => lists.last_mut().expect("a list before its candidates").1 = number,
            _ => continue,
        }
        let (id, _) = lists.last().expect("just seen");
        for (tally, number) in tallies.iter_mut().zip(&row[4..]) {
            let list = tally.lists.entry(list_id(id)).or_default();
            let votes = Votes(number.parse().expect("a number"));
            match candidate {
                None => list.total = Some(votes),
                Some(number) => drop(list.candidates.insert(number, votes)),
            }
        }
    }
    let lists: Vec<String> = lists.into_iter().map(|(id, candidates)| format!("{id}:{candidates}")).collect();
    world.contest("gr", "0668", 1, &lists.iter().map(String::as_str).collect::<Vec<_>>());
    Some((world, tallies))
}

/// The base rates of the rules on one real municipality.
#[test]
fn a_real_council_election() {
    let Some((world, tallies)) = west_maas_en_waal() else { return };
    let facts = world.facts();
    assert_eq!((tallies.len(), world.contests.values().next().map(|c| c.lists.len())), (22, Some(8)));
    let mut findings = check_sums(&facts, &tallies[..1], &tallies[1..]);
    findings.extend(tallies.iter().flat_map(|tally| check_tally(&facts, tally)));
    findings.extend(check_set(&facts, &tallies[1..]));
    let mut counts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for finding in &findings {
        counts.entry(finding.code).or_default().insert(finding.unit.as_str());
    }
    let counts: Vec<String> =
        counts.iter().map(|(code, units)| format!("{code}: {} units", units.len())).collect();
    insta::assert_snapshot!(counts.join("\n"), @r"
    party-share: 10 units
    switched-candidates: 5 units
    ");
    let wrong: Vec<_> = findings.into_iter().filter(|f| f.class == Class::Hard).collect();
    insta::assert_snapshot!(lines(&wrong), @"");
}
