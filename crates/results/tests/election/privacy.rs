//! Small units give nobody's vote away, whatever the order of what is said of them.

use results::privacy::merge;
use results::tally::Count;
use results::{Tally, Votes};

use crate::common::{Night, contest_id, list_id, unit_id};

/// Between the first and the last word stand others. The difference that tells is that of any two.
#[test]
fn a_small_change_is_refused_against_every_earlier_word() {
    let mut night = Night::new();
    night.report("council", "d1/small", &[9, 8, 3]);
    let small = night.next("council", "d1/small", &[9, 8, 5]);
    // Taken back and said anew.
    let retraction = night.retraction("council", "d1/small");
    let bytes = night.signed(&retraction, &["c1"]);
    night.admit(&bytes);
    let anew = night.next("council", "d1/small", &[9, 8, 5]);
    let bytes = night.signed(&anew, &["c1"]);
    night.refused(&bytes, "small-change");
    // Far away and almost back.
    night.report("council", "d1/small", &[19, 18, 13]);
    let almost = night.next("council", "d1/small", &[9, 8, 4]);
    let bytes = night.signed(&almost, &["c1"]);
    let refusal = night.refused(&bytes, "small-change");
    assert!(refusal.to_string().contains("against revision 1"), "{refusal}");
    // Exactly back says nothing new.
    night.report("council", "d1/small", &[9, 8, 3]);
    assert_eq!(small.revision, 2);
}

/// Who states that no ballot was cast beside three valid ones has still told of three people.
#[test]
fn a_return_that_denies_its_ballots_is_as_small_as_it_is() {
    let mut night = Night::new();
    for counts in [&[(Count::Cast, 0)][..], &[(Count::Cast, 0), (Count::Valid, 0)], &[]] {
        let mut it = night.next("council", "d1/1", &[1, 1, 1]);
        it.tally.counts = counts.iter().map(|(count, n)| (count.clone(), Votes(*n))).collect();
        let bytes = night.signed(&it, &["c1"]);
        night.refused(&bytes, "too-small");
    }
    let mut it = night.next("council", "d1/1", &[1, 1, 1]);
    it.tally.counts = [(Count::Cast, Votes(0)), (Count::Valid, Votes(3))].into();
    let bytes = night.signed(&it, &["c1"]);
    night.refused(&bytes, "too-small");
}

#[test]
fn tallies_of_merged_units_are_summed_before_anybody_signs_them() {
    let night = Night::new();
    let tally = |unit: &str, green: u64, cast: u64| {
        let mut tally = Tally::new(contest_id("council"), unit_id(unit));
        tally.lists.entry(list_id("green")).or_default().total = Some(Votes(green));
        tally.counts.insert(Count::Cast, Votes(cast));
        tally
    };
    let tallies = vec![
        tally("d1/small/a", 3, 5),
        tally("d2/1", 90, 100),
        tally("d1/small/b", 4, 7),
        tally("elsewhere", 1, 1),
    ];
    let merged = merge(&night.definition, tallies);
    let expected = vec![tally("d2/1", 90, 100), tally("elsewhere", 1, 1), tally("d1/small", 7, 12)];
    assert_eq!(merged, expected);
}
