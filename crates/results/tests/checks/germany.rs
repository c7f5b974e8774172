//! First and second votes of Vaterstetten in the election of the Bundestag on 26 September 2021: 27 districts, 15 of
//! them at the ballot box and 12 by post.

use results::checks::check_set;
use results::definition::UnitKind;
use results::{ContestId, ListVotes, Tally, Votes};

use crate::support::{World, list_id, shared, unit_id};

/// Columns `D1` to `D26` are first votes, `F1` to `F26` second votes of the same parties.
fn vaterstetten() -> Option<(World, Vec<Tally>)> {
    let file = shared("germany-vaterstetten/bundestagswahl2021/raw/Open-Data-Bundestagswahl1576.csv")?;
    let text = std::fs::read_to_string(file).expect("it can be read");
    let mut rows =
        text.trim_start_matches('\u{feff}').lines().map(|line| line.split(';').collect::<Vec<_>>());
    let head = rows.next().expect("a head");
    let lists: Vec<String> = (1..=26).map(|number| number.to_string()).collect();
    let names: Vec<&str> = lists.iter().map(String::as_str).collect();
    let mut world = World::default();
    world.unit("09175132", UnitKind::Municipality, None, None);
    world.contest("first", "09175132", 1, &names);
    world.contest("second", "09175132", 1, &names);
    let mut tallies = Vec::new();
    for row in rows {
        let of = |name: &str| row[head.iter().position(|column| *column == name).expect("a column")];
        let unit = of("gebiet-nr");
        world.unit(unit, UnitKind::Special, Some("09175132"), None);
        for (contest, letter) in [("first", 'D'), ("second", 'F')] {
            let mut tally = Tally::new(ContestId::new(contest).expect("an id"), unit_id(unit));
            for list in &lists {
                let total = of(&format!("{letter}{list}")).parse().ok().map(Votes);
                tally.lists.insert(list_id(list), ListVotes { total, ..ListVotes::default() });
            }
            tallies.push(tally);
        }
    }
    Some((world, tallies))
}

fn mixed_up(world: &World, tallies: &[Tally]) -> Vec<String> {
    let findings = check_set(&world.facts(), tallies);
    findings.iter().filter(|f| f.code == "contest-mix-up").map(|f| f.unit.to_string()).collect()
}

/// As published nothing is said; with first and second votes of one district exchanged, or one written twice, so many of
/// the districts are found.
#[test]
fn exchanged_first_and_second_votes() {
    let Some((world, tallies)) = vaterstetten() else { return };
    assert_eq!(mixed_up(&world, &tallies), [""; 0]);
    let (mut exchanged, mut copied) = (0, 0);
    for at in (0..tallies.len()).step_by(2) {
        let unit = vec![tallies[at].unit.to_string()];
        let mut set = tallies.clone();
        set[at].lists.clone_from(&tallies[at + 1].lists);
        copied += usize::from(mixed_up(&world, &set) == unit);
        set[at + 1].lists.clone_from(&tallies[at].lists);
        exchanged += usize::from(mixed_up(&world, &set) == unit);
    }
    let units = tallies.len() / 2;
    insta::assert_snapshot!(format!("of {units}: {exchanged} exchanged and {copied} copied are found"), @"of 27: 27 exchanged and 13 copied are found");
}
