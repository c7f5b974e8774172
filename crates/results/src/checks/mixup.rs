//! `contest-mix-up`: a unit's votes in two contests on the same lists stand in each other's place.
//!
//! *Reports* a unit whose votes in two contests differ from each other in the opposite way to its neighbours', or not at
//! all where they should: first and second votes exchanged, one column of a form written twice.
//!
//! *Judged by* how the same place votes in both contests, which differs far less between places than the votes
//! themselves. For each list let `d` be the logarithm of its share in the second contest over that in the first, here, and
//! `D` that of the neighbours together. The slope of `d` over `D` is 1 where all is well, -1 where the contests are
//! exchanged and 0 where one is a copy of the other. Each list weighs as the counting error of its `d` allows. How much
//! slopes differ from 1 is measured among the neighbours, the tenth that differs most left out and the rest widened by a
//! quarter for that. A unit is reported where its slope is not only too far from 1 (the normal law would give less than
//! [`CHANCE`] of such in all units) but also within three deviations of -1, or where both contests have the very same
//! votes.
//!
//! *Benign causes and blind spots.* The normal law is an assumption, hence triage. Places with few votes, or contests in
//! which people vote alike, are not seen. *Needs* at least two lists with the same ids and six neighbours.

use super::Finding;
use super::coincidence::CHANCE;
use super::table::{Group, Table};

const LEAST_NEIGHBOURS: usize = 6;

/// A list of which fewer votes are expected here in either contest is left out: the logarithms of such small numbers lie
/// nearer to 0 than those of the neighbours' sums. A party without a direct candidate is such a list.
const LEAST_EXPECTED: f64 = 3.0;

pub(super) fn check(tables: &[Table], findings: &mut Vec<Finding>) {
    for (index, first) in tables.iter().enumerate() {
        for second in &tables[index + 1..] {
            pair(first, second, findings);
        }
    }
}

/// Two contests. Columns that only one of them has are left out of both.
fn pair(first: &Table, second: &Table, findings: &mut Vec<Finding>) {
    let common: Vec<(usize, usize)> = first
        .lists
        .iter()
        .enumerate()
        .filter_map(|(a, list)| second.lists.binary_search(list).ok().map(|b| (a, b)))
        .collect();
    if common.len() < 2 {
        return;
    }
    let groups: Vec<Vec<Unit>> =
        first.groups.iter().map(|Group { rows, .. }| units(rows, first, second, &common)).collect();
    let questions = groups.iter().map(Vec::len).sum::<usize>() as f64;
    for units in groups.iter().filter(|units| units.len() > LEAST_NEIGHBOURS) {
        group(units, first, second, questions, findings);
    }
}

/// A unit's votes in both contests, on the common lists.
struct Unit {
    row: usize,
    votes: [Vec<f64>; 2],
}

/// Of one group, the units that have votes in both contests.
fn units(rows: &[usize], first: &Table, second: &Table, common: &[(usize, usize)]) -> Vec<Unit> {
    let mut units = Vec::new();
    for &row in rows {
        let of_first = &first.rows[row];
        let place = second.rows.binary_search_by(|other| other.tally.unit.cmp(&of_first.tally.unit));
        let Ok(place) = place else { continue };
        let of_second = &second.rows[place];
        let votes = [
            common.iter().map(|&(a, _)| of_first.votes[a] as f64).collect::<Vec<f64>>(),
            common.iter().map(|&(_, b)| of_second.votes[b] as f64).collect::<Vec<f64>>(),
        ];
        if votes.iter().all(|votes| votes.iter().sum::<f64>() >= 30.0) {
            units.push(Unit { row, votes });
        }
    }
    units
}

/// A unit's slope, and the deviation that counting alone gives it.
#[derive(Clone, Copy)]
struct Slope {
    slope: f64,
    deviation: f64,
}

fn group(units: &[Unit], first: &Table, second: &Table, questions: f64, findings: &mut Vec<Finding>) {
    let sum = |contest: usize| {
        let mut sum = vec![0.0; units[0].votes[0].len()];
        for unit in units {
            sum.iter_mut().zip(&unit.votes[contest]).for_each(|(sum, votes)| *sum += votes);
        }
        sum
    };
    let sums = [sum(0), sum(1)];
    let slopes: Vec<Slope> = units.iter().map(|unit| slope(unit, &sums)).collect();
    let wider = widening(&slopes);
    for (unit, Slope { slope, deviation }) in units.iter().zip(slopes) {
        let deviation = deviation * wider;
        let expected = questions * upper_tail((1.0 - slope) / deviation);
        let same = unit.votes[0] == unit.votes[1];
        let exchanged = slope < 0.0 && (slope + 1.0).abs() < 3.0 * deviation;
        if expected.is_nan() || expected >= CHANCE || !(same || exchanged) {
            continue;
        }
        let tally = first.rows[unit.row].tally;
        let (a, b) = (first.contest, second.contest);
        let message = if same {
            format!(
                "Unit {} states the same votes in contests {a} and {b}, which its neighbours do not.",
                tally.unit
            )
        } else {
            format!(
                "The votes of unit {} differ between contests {a} and {b} in the opposite way to its neighbours' (slope \
                 {slope:.1} where 1 is usual); they may have been exchanged.",
                tally.unit
            )
        };
        let mut finding = Finding::new("contest-mix-up", tally, "votes", message);
        finding.expected = Some(expected);
        findings.push(finding);
    }
}

/// Half a vote is added to each list, so that none is without logarithm.
fn slope(unit: &Unit, sums: &[Vec<f64>; 2]) -> Slope {
    let total = |votes: &[f64]| votes.iter().sum::<f64>() + 0.5 * votes.len() as f64;
    let here = [total(&unit.votes[0]), total(&unit.votes[1])];
    let there = [total(&sums[0]) - total(&unit.votes[0]), total(&sums[1]) - total(&unit.votes[1])];
    let level = ((here[1] / here[0]).ln(), (there[1].max(1.0) / there[0].max(1.0)).ln());
    let (mut products, mut squares) = (0.0, 0.0);
    let columns = unit.votes[0].iter().zip(&unit.votes[1]).zip(sums[0].iter().zip(&sums[1]));
    for ((first, second), (first_sum, second_sum)) in columns {
        let own = [first + 0.5, second + 0.5];
        let others = [first_sum - first + 0.5, second_sum - second + 0.5];
        let usual = (others[1] / others[0]).ln() - level.1;
        let seen = (own[1] / own[0]).ln() - level.0;
        if (0..2).any(|contest| others[contest] / there[contest].max(1.0) * here[contest] < LEAST_EXPECTED) {
            continue;
        }
        let weight = 1.0 / (1.0 / own[0] + 1.0 / own[1]);
        products += weight * usual * seen;
        squares += weight * usual * usual;
    }
    // Two contests in which all vote alike have no slope: its deviation is beyond all bounds.
    Slope { slope: products / squares, deviation: 1.0 / squares.sqrt() }
}

/// By how much slopes differ more from 1 than by counting alone. Most voters vote alike in both contests, so it may be
/// less than 1.
fn widening(slopes: &[Slope]) -> f64 {
    let mut squares: Vec<f64> = slopes
        .iter()
        .map(|slope| ((slope.slope - 1.0) / slope.deviation).powi(2))
        .filter(|square| square.is_finite())
        .collect();
    squares.sort_by(f64::total_cmp);
    squares.truncate((squares.len() * 9).div_ceil(10));
    let mean = squares.iter().sum::<f64>() / squares.len().max(1) as f64;
    (1.25 * mean.sqrt()).max(0.5)
}

/// A bound on the normal law's probability above `z`.
fn upper_tail(z: f64) -> f64 {
    if z < 1.0 { 1.0 } else { (-0.5 * z * z).exp() / (z * std::f64::consts::TAU.sqrt()) }
}
