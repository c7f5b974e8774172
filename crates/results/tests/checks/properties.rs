//! What holds for every tally.

use proptest::prelude::*;
use results::checks::{History, check_set, check_sums, check_tally};
use results::{Count, ListVotes, Tally, Votes};

use crate::support::{World, lines, list_id, minute, small, unit_id};

fn votes() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::from(u32::MAX)), Just(u64::MAX), 0..40_u64, 0..2000_u64]
}

fn any_tally() -> impl Strategy<Value = Tally> {
    tally_of(votes().boxed())
}

fn tally_of(votes: BoxedStrategy<u64>) -> impl Strategy<Value = Tally> {
    let votes = move || votes.clone();
    let units = prop::sample::select(vec!["n", "m", "m1", "m2", "m3", "k1", "k2", "nowhere"]);
    let contests = prop::sample::select(vec!["c", "d", "unknown"]);
    let counts = prop::collection::btree_map(prop::sample::select(Count::KNOWN.to_vec()), votes(), 0..11);
    let list = (
        prop::option::of(votes()),
        prop::option::of(votes()),
        prop::collection::btree_map(0..6_u32, votes(), 0..4),
    );
    let lists = prop::collection::btree_map(prop::sample::select(vec!["A", "B", "C", "X"]), list, 0..4);
    let mode = (prop::sample::select(vec!["A", "X"]), prop::option::of(0..4_u32), votes());
    (units, contests, counts, lists, prop::collection::vec(mode, 0..3)).prop_map(
        |(unit, contest, counts, lists, modes)| {
            let mut tally = Tally::new(results::ContestId::new(contest).expect("an id"), unit_id(unit));
            tally.counts = counts.into_iter().map(|(count, votes)| (count, Votes(votes))).collect();
            for (id, (total, only, candidates)) in lists {
                let candidates =
                    candidates.into_iter().map(|(number, votes)| (number, Votes(votes))).collect();
                let list = ListVotes { total: total.map(Votes), list_only: only.map(Votes), candidates };
                tally.lists.insert(list_id(id), list);
            }
            let modes = modes
                .into_iter()
                .map(|(list, number, votes)| (("post".into(), list_id(list), number), Votes(votes)));
            tally.modes = modes.collect();
            tally
        },
    )
}

fn world() -> World {
    let mut world = small();
    world.contest("d", "n", 3, &["A:3", "B", "C"]);
    world
}

proptest! {
    #[test]
    fn no_tally_makes_a_rule_panic(tallies in prop::collection::vec(any_tally(), 0..12)) {
        let world = world();
        let facts = world.facts();
        for tally in &tallies {
            check_tally(&facts, tally);
        }
        check_set(&facts, &tallies);
        check_sums(&facts, &tallies, &tallies);
        let mut history = History::new(&facts);
        for (at, tally) in tallies.iter().enumerate() {
            history.apply(minute(at as i64), tally);
        }
        history.apply_all(minute(99), &tallies);
    }

    /// One tally for each unit and contest, in any order.
    #[test]
    fn the_order_of_tallies_changes_nothing(tallies in prop::collection::vec(any_tally(), 0..12), turn in 0..12_usize) {
        let world = world();
        let facts = world.facts();
        let mut seen = std::collections::BTreeSet::new();
        let mut tallies = tallies;
        tallies.retain(|tally| seen.insert((tally.contest.clone(), tally.unit.clone())));
        let set = lines(&check_set(&facts, &tallies));
        let sums = lines(&check_sums(&facts, &tallies, &tallies));
        let len = tallies.len().max(1);
        tallies.rotate_left(turn % len);
        tallies.reverse();
        prop_assert_eq!(&set, &lines(&check_set(&facts, &tallies)));
        prop_assert_eq!(&sums, &lines(&check_sums(&facts, &tallies, &tallies)));
    }

    /// Rules that compare numbers with each other, and not with a constant, say the same of numbers ten times as large.
    #[test]
    fn ten_times_the_numbers_have_the_same_contradictions(tally in tally_of((0..2000_u64).boxed())) {
        let world = world();
        let facts = world.facts();
        let scaled = scaled(&tally, 10);
        let codes = |tally: &Tally| {
            let findings = check_tally(&facts, tally).into_iter();
            // A station's register is of the definition, which is not scaled; 15 ballots are 15 ballots.
            findings.map(|f| (f.code, f.field)).filter(|(code, _)| !matches!(*code, "turnout-bound" | "W.203")).collect::<Vec<_>>()
        };
        prop_assert_eq!(codes(&tally), codes(&scaled));
    }

    /// The last state of a history has the duplicates that the set of last tallies has, whoever is named first.
    #[test]
    fn the_history_ends_in_the_duplicates_of_the_set(picks in prop::collection::vec((0..8_usize, 0..3_u64), 1..30)) {
        let world = {
            let mut world = small();
            world.contest("c", "n", 1, &["A", "B", "C", "D", "E", "F", "G", "H"]);
            world
        };
        let units = ["m1", "m2", "m3", "m4", "k1", "k2", "k3", "k4"];
        let tally = |unit: &str, vector: u64| crate::support::tally(&format!(
            "{unit} c A={} B=80 C=70 D=60 E=50 F=40 G=30 H=20", 90 + vector
        ));
        let mut history = History::new(&world.facts());
        let mut last = std::collections::BTreeMap::new();
        for (at, &(unit, vector)) in picks.iter().enumerate() {
            let tally = tally(units[unit], vector);
            // A statement is a duplicate exactly where it is new and another unit states the vector at that moment.
            let new = last.get(&unit) != Some(&vector);
            last.insert(unit, vector);
            let others = last.iter().filter(|&(&u, &v)| u != unit && v == vector).count();
            let found = history.apply(minute(at as i64), &tally);
            let duplicate = found.iter().any(|f| f.code == "duplicate-vector");
            prop_assert_eq!(duplicate, new && others > 0);
        }
        let state: Vec<Tally> = last.iter().map(|(&unit, &vector)| tally(units[unit], vector)).collect();
        let distinct: std::collections::BTreeSet<_> = last.values().collect();
        let found = check_set(&world.facts(), &state).iter().filter(|f| f.code == "duplicate-vector").count();
        prop_assert_eq!(found, last.len() - distinct.len());
    }
}

fn scaled(tally: &Tally, by: u64) -> Tally {
    let mut tally = tally.clone();
    tally.counts.values_mut().chain(tally.modes.values_mut()).for_each(|votes| votes.0 *= by);
    for list in tally.lists.values_mut() {
        let numbers =
            list.total.iter_mut().chain(list.list_only.iter_mut()).chain(list.candidates.values_mut());
        numbers.for_each(|votes| votes.0 *= by);
    }
    tally
}
