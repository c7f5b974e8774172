//! Tables by mapping.

use std::collections::BTreeSet;

use results::definition::UnitKind;

use super::*;

#[test]
fn every_polling_station_of_slovenia() {
    let Some(read) = open("slovenia-ep2024/stations_final.csv") else { return };
    let read = read.unwrap_or_else(|error| panic!("{error}"));
    insta::assert_snapshot!(summary(&read), @"table by mapping slovenia-ep2024-stations: 3079 tallies, 0 stated, 0 events; 3176 units, 1 contests, 11 lists, 0 candidates; rows 3079 = 3079 used + 0 stated + 0 ignored + 0 refused; 1 problems");
    insta::assert_snapshot!(problems(&read), @"line 70: row: unit `1002/903` states no number in contest `ep` (nothing-counted)");
    let votes: u64 = read.tallies.iter().map(|tally| tally.votes().0).sum();
    let counts =
        [Count::Valid, Count::Invalid, Count::Cast, Count::Eligible].map(|count| sum(&read.tallies, &count));
    assert_eq!((votes, counts[0], counts[1]), (663_098, 663_098, 30_635));
    insta::assert_snapshot!(format!("{counts:?}"), @"[663098, 30635, 693733, 1582806]");
    let mut kinds = BTreeMap::new();
    for unit in read.draft.units.values() {
        *kinds.entry(unit.kind.name()).or_insert(0) += 1;
    }
    insta::assert_snapshot!(format!("{kinds:?}"), @r#"{"district": 96, "early-voting": 97, "nation": 1, "polling-station": 2981, "special": 1}"#);
}

#[test]
fn every_event_of_slovenias_night_in_order() {
    let (Some(events), Some(last)) =
        (open("slovenia-ep2024/station_events.csv"), open("slovenia-ep2024/stations_final.csv"))
    else {
        return;
    };
    let (events, last) = (events.unwrap_or_else(|e| panic!("{e}")), last.unwrap_or_else(|e| panic!("{e}")));
    insta::assert_snapshot!(summary(&events), @"table by mapping slovenia-ep2024-events: 3078 tallies, 0 stated, 4673 events; 3167 units, 1 contests, 11 lists, 0 candidates; rows 4673 = 4673 used + 0 stated + 0 ignored + 0 refused; 0 problems");
    assert_eq!(events.events.len(), 4_673);
    assert!(events.events.iter().all(|(time, _)| time.is_some()));
    assert!(events.events.is_sorted_by_key(|(time, _)| *time));
    let odd =
        events.events.iter().filter(|(_, tally)| Some(tally.votes()) != tally.count(&Count::Valid)).count();
    assert_eq!(odd, 30, "published events whose lists do not add to the valid ballots");
    // The last event of each station is its final state; one station that never counted has no event.
    let by_unit = |read: &Read| -> BTreeMap<String, Tally> {
        read.tallies.iter().map(|tally| (tally.unit.to_string(), tally.clone())).collect()
    };
    let (mut finals, lasts) = (by_unit(&last), by_unit(&events));
    let silent = finals.remove("1002/903").expect("the station that never counted");
    assert_eq!(silent.counts.len() + silent.lists.len(), 0);
    let numbers = |tallies: &BTreeMap<String, Tally>| -> Vec<(String, u64, u64, Vec<u64>)> {
        let list = |tally: &Tally| tally.lists.values().map(|list| tally.votes_of(list).0).collect();
        tallies
            .values()
            .map(|t| (t.unit.to_string(), sum([t], &Count::Valid), sum([t], &Count::Invalid), list(t)))
            .collect()
    };
    assert_eq!(numbers(&finals), numbers(&lasts));
}

#[test]
fn germanys_polling_districts_add_to_the_municipality() {
    let folder = "germany-vaterstetten/bundestagswahl2021/raw/Open-Data-Bundestagswahl";
    let (Some(all), Some(districts)) = (
        open_by(&format!("{folder}1573.csv"), "germany-votemanager"),
        open_by(&format!("{folder}1576.csv"), "germany-votemanager"),
    ) else {
        return;
    };
    insta::assert_snapshot!(summary(&all) + "\n" + &summary(&districts), @"
    table by mapping germany-votemanager: 0 tallies, 2 stated, 0 events; 1 units, 0 contests, 0 lists, 0 candidates; rows 1 = 0 used + 1 stated + 0 ignored + 0 refused; 0 problems
    table by mapping germany-votemanager: 54 tallies, 0 stated, 0 events; 28 units, 2 contests, 52 lists, 0 candidates; rows 27 = 27 used + 0 stated + 0 ignored + 0 refused; 0 problems
    ");
    assert_eq!(totals(&districts.tallies), totals(&all.stated));
    insta::assert_snapshot!(totals(&all.stated).len(), @"62");
    let postal = districts.draft.units.values().filter(|unit| unit.kind == UnitKind::Postal).count();
    insta::assert_snapshot!(postal, @"13");
    assert_eq!(problems(&all) + &problems(&districts), "");
}

/// Totals of the municipality that somebody else made of the same numbers.
#[test]
fn germanys_polling_districts_are_what_others_read() {
    let mut out = String::new();
    for (path, mapping, derived, contest) in [
        ("europawahl2024/raw/stimmen", "germany-okvote-european", "ergebnis", "european"),
        (
            "landtagswahl2023/raw/landtagswahlStimmen",
            "germany-okvote-landtag",
            "landtagswahlErststimmen",
            "first-votes",
        ),
        (
            "landtagswahl2023/raw/landtagswahlStimmen",
            "germany-okvote-landtag",
            "landtagswahlZweitstimmen",
            "second-votes",
        ),
    ] {
        let Some(read) = open_by(&format!("germany-vaterstetten/{path}.csv"), mapping) else { return };
        let folder = path.split('/').next().unwrap_or_default();
        let table = |file: &str| {
            let path = shared(&format!("germany-vaterstetten/{folder}/{file}.csv"))
                .expect("it lies beside the other");
            let text = fs::read_to_string(path).expect("a readable file");
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            reader.records().map(|row| row.expect("a row")).collect::<Vec<_>>()
        };
        let numbers: BTreeMap<String, String> =
            table("parteien").iter().map(|row| (row[1].to_lowercase(), row[0].to_owned())).collect();
        let mut compared = 0;
        let mut check =
            |row: &csv::StringRecord, got: &dyn Fn(&Tally) -> Vec<Option<Votes>>, expected: Vec<u64>| {
                let number = row[0].strip_prefix("Stimmbezirk ").map(|n| format!("09175132/{n:0>4}"));
                let (tallies, unit) = match &number {
                    Some(unit) => (&read.tallies, unit.as_str()),
                    None => (&read.stated, "09175132"),
                };
                let tally = tallies.iter().find(|t| t.unit.as_str() == unit && t.contest.as_str() == contest);
                let tally = tally.unwrap_or_else(|| panic!("{unit}"));
                let expected: Vec<_> = expected.into_iter().map(|n| Some(Votes(n))).collect();
                assert_eq!(got(tally), expected, "{row:?}");
                compared += expected.len();
            };
        for row in table(&format!("{derived}Allgemein")) {
            let expected = row.iter().skip(1).map(|cell| cell.parse().expect("a number")).collect();
            let counts = [Count::Eligible, Count::Cast, Count::Invalid, Count::Valid];
            check(&row, &|tally| counts.iter().map(|count| tally.count(count)).collect(), expected);
        }
        for row in table(&format!("{derived}NachPartei")) {
            let list = &numbers[&row[1].to_lowercase()];
            let votes = row[2].parse().expect("a number");
            check(
                &row,
                &|tally| vec![tally.lists.get(list.as_str()).and_then(|list| list.total)],
                vec![votes],
            );
        }
        let own = read.tallies.iter().filter(|tally| tally.contest.as_str() == contest);
        let top = read.stated.iter().filter(|t| t.unit.as_str() == "all" && t.contest.as_str() == contest);
        assert_eq!(totals(own), totals(top), "{path}: all districts add to the total that the file states");
        out += &format!(
            "{}\n  {contest}: {compared} numbers of Vaterstetten\n{}",
            summary(&read),
            problems(&read)
        );
    }
    insta::assert_snapshot!(out, @"
    table by mapping germany-okvote-european: 154 tallies, 24 stated, 0 events; 178 units, 1 contests, 34 lists, 0 candidates; rows 178 = 154 used + 24 stated + 0 ignored + 0 refused; 0 problems
      european: 1178 numbers of Vaterstetten
    table by mapping germany-okvote-landtag: 394 tallies, 50 stated, 0 events; 222 units, 2 contests, 29 lists, 658 candidates; rows 222 = 197 used + 25 stated + 0 ignored + 0 refused; 0 problems
      first-votes: 558 numbers of Vaterstetten
    table by mapping germany-okvote-landtag: 394 tallies, 50 stated, 0 events; 222 units, 2 contests, 29 lists, 658 candidates; rows 222 = 197 used + 25 stated + 0 ignored + 0 refused; 0 problems
      second-votes: 589 numbers of Vaterstetten
    ");
}

/// Two districts of Moosach have one number in the official file. By that number the second would be lost, and is told.
#[test]
fn a_number_that_two_districts_have_is_told() {
    let Some(file) = shared("germany-vaterstetten/landtagswahl2023/raw/landtagswahlStimmen.csv") else {
        return;
    };
    let text = include_str!("../../mappings/germany-okvote-landtag.toml");
    let by_number = text.replacen("{Gemeinde}/{Bezirksnummer}", "{Gebietsnummer}", 1);
    let mapping = Mapping::parse(&by_number, "by-number").unwrap_or_else(|error| panic!("{error}"));
    let bytes = fs::read(file).expect("a readable file");
    let read = read::read(&bytes, "landtag", Some(&mapping)).unwrap_or_else(|error| panic!("{error}"));
    insta::assert_snapshot!(problems(&read), @"
    line 167: row: unit `091751280501` is stated before in contest `first-votes` (duplicate-unit)
    line 167: row: unit `091751280501` is stated before in contest `second-votes` (duplicate-unit)
    ");
    assert_eq!(read.rows.refused, 1);
}

/// Municipalities state their totals too.
#[test]
fn every_total_of_a_bavarian_file_is_the_sum_of_its_districts() {
    let files = [
        ("europawahl2024/raw/stimmen", "germany-okvote-european"),
        ("landtagswahl2023/raw/landtagswahlStimmen", "germany-okvote-landtag"),
        ("landtagswahl2023/raw/bezirkswahlStimmen", "germany-okvote-landtag"),
    ];
    let mut out = String::new();
    for (path, mapping) in files {
        let Some(read) = open_by(&format!("germany-vaterstetten/{path}.csv"), mapping) else { return };
        let mut differ = Vec::new();
        let mut same = 0;
        let units: BTreeSet<_> = read.stated.iter().map(|tally| tally.unit.clone()).collect();
        for unit in units {
            let below = |id: &results::UnitId| {
                let mut at = id;
                while let Some(parent) = read.draft.units.get(at).and_then(|unit| unit.parent.as_ref()) {
                    if *parent == unit {
                        return true;
                    }
                    at = parent;
                }
                false
            };
            let sums = totals(read.tallies.iter().filter(|tally| below(&tally.unit)));
            let stated = totals(read.stated.iter().filter(|tally| tally.unit == unit));
            if sums == stated {
                same += 1;
            } else {
                differ.push(format!("{unit} {}", read.draft.units[&unit].name));
            }
        }
        out += &format!(
            "{path}: {same} totals are the sums of their districts, {} are of units that no district names: {}\n",
            differ.len(),
            differ.join(", ")
        );
    }
    insta::assert_snapshot!(out, @"
    europawahl2024/raw/stimmen: 22 totals are the sums of their districts, 2 are of units that no district names: 091755112 Verwaltungsgemeinschaft Aßling, 091755114 Verwaltungsgemeinschaft Glonn
    landtagswahl2023/raw/landtagswahlStimmen: 22 totals are the sums of their districts, 3 are of units that no district names: 09175000 Landkreis Ebersberg, 091755112 Verwaltungsgemeinschaft Aßling, 091755114 Verwaltungsgemeinschaft Glonn
    landtagswahl2023/raw/bezirkswahlStimmen: 22 totals are the sums of their districts, 3 are of units that no district names: 09175000 Landkreis Ebersberg, 091755112 Verwaltungsgemeinschaft Aßling, 091755114 Verwaltungsgemeinschaft Glonn
    ");
}

#[test]
fn delawares_votes_are_the_day_and_the_absentee() {
    let mut out = String::new();
    for year in ["20161108", "20181106"] {
        let Some(read) = open(&format!("us-openelections/{year}__de__general__precinct.csv")) else { return };
        let read = read.unwrap_or_else(|error| panic!("{error}"));
        let mut modes: BTreeMap<String, u64> = BTreeMap::new();
        let mut choices = 0;
        for tally in read.tallies.iter().chain(&read.stated) {
            for (list, votes) in &tally.lists {
                let parts: Vec<u64> =
                    tally.modes.iter().filter(|((_, own, _), _)| own == list).map(|(_, v)| v.0).collect();
                assert_eq!(parts.len(), 2);
                assert_eq!(
                    votes.total,
                    Some(Votes(parts.iter().sum())),
                    "{} {} {list}",
                    tally.unit,
                    tally.contest
                );
                choices += 1;
            }
            for ((mode, _, _), votes) in &tally.modes {
                *modes.entry(mode.to_string()).or_insert(0) += votes.0;
            }
        }
        assert_eq!(choices, read.rows.all);
        let mut stated = totals(&read.stated);
        let mut sums = totals(&read.tallies);
        sums.retain(|name, _| stated.contains_key(name));
        stated.retain(|name, votes| sums.get(name) != Some(votes));
        out += &format!(
            "{}\n  {modes:?}\n  totals that are no sums: {stated:?}\n{}",
            summary(&read),
            problems(&read)
        );
    }
    insta::assert_snapshot!(out, @r#"
    table by mapping us-openelections: 2370 tallies, 56 stated, 0 events; 436 units, 56 contests, 97 lists, 0 candidates; rows 7153 = 7056 used + 97 stated + 0 ignored + 0 refused; 0 problems
      {"absentee": 256392, "election-day": 4323258}
      totals that are no sums: {}
    table by mapping us-openelections: 1948 tallies, 54 stated, 0 events; 440 units, 54 contests, 99 lists, 0 candidates; rows 4724 = 4625 used + 99 stated + 0 ignored + 0 refused; 0 problems
      {"absentee": 163114, "election-day": 2982062}
      totals that are no sums: {}
    "#);
}
