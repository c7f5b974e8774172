//! `contest-mix-up`: a unit's votes fit the pattern of another contest on the same lists.
//!
//! *Reports* a unit whose votes in one contest, or in both, fit the other contest's shares among its neighbours better
//! than its own contest's: first and second votes exchanged, two columns of a form, two ballot questions.
//!
//! *Judged by* the likelihood ratio of the votes under the neighbours' shares in the two contests, this unit left out.
//! If the shares were the unit's own, a ratio of `r` or more against the truth would have a probability of at most
//! `1 / r`. Units differ from their neighbours, so the ratio's logarithm is divided by the factor by which they do,
//! measured as chi-square over degrees of freedom among the same neighbours and at least 1. A finding is raised where
//! the number of questions asked, divided by the ratio, is below [`CHANCE`]; that is an estimate and not a bound, since
//! a single unit may be less like its neighbours than these are like each other; hence triage.
//!
//! *Needs* two contests that share at least two lists by id, and at least five neighbours with votes in both.

use super::Finding;
use super::coincidence::CHANCE;
use super::table::{Group, Table};

const LEAST_NEIGHBOURS: usize = 5;

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
    let units: Vec<Unit> = units(first, second, &common);
    let questions = 3.0 * units.len() as f64;
    let mut from = 0;
    while from < units.len() {
        let to = from + units[from..].iter().take_while(|unit| unit.group == units[from].group).count();
        if to - from > LEAST_NEIGHBOURS {
            group(&units[from..to], first, second, questions, findings);
        }
        from = to;
    }
}

/// A unit's votes in both contests, on the common lists.
struct Unit {
    group: usize,
    row: usize,
    votes: [Vec<f64>; 2],
}

/// The units that both contests have, group by group.
fn units(first: &Table, second: &Table, common: &[(usize, usize)]) -> Vec<Unit> {
    let mut units = Vec::new();
    for (number, Group { rows, .. }) in first.groups.iter().enumerate() {
        for &row in rows {
            let of_first = &first.rows[row];
            let Ok(other) = second.rows.binary_search_by(|row| row.tally.unit.cmp(&of_first.tally.unit))
            else {
                continue;
            };
            let of_second = &second.rows[other];
            let votes = [
                common.iter().map(|&(a, _)| of_first.votes[a] as f64).collect(),
                common.iter().map(|&(_, b)| of_second.votes[b] as f64).collect::<Vec<f64>>(),
            ];
            if votes.iter().all(|votes| votes.iter().sum::<f64>() > 0.0) {
                units.push(Unit { group: number, row, votes });
            }
        }
    }
    units
}

fn group(units: &[Unit], first: &Table, second: &Table, questions: f64, findings: &mut Vec<Finding>) {
    let lists = units[0].votes[0].len();
    let sum = |contest: usize| {
        let mut sum = vec![0.0; lists];
        for unit in units {
            sum.iter_mut().zip(&unit.votes[contest]).for_each(|(sum, votes)| *sum += votes);
        }
        sum
    };
    let sums = [sum(0), sum(1)];
    let spread = spread(units, &sums);
    for unit in units {
        let own = [shares(&sums[0], &unit.votes[0]), shares(&sums[1], &unit.votes[1])];
        // What the first contest's votes say for the second contest's shares, and the other way round.
        let first_fits = log_ratio(&unit.votes[0], &own[1], &own[0]) / spread;
        let second_fits = log_ratio(&unit.votes[1], &own[0], &own[1]) / spread;
        let (best, what) = [
            (first_fits + second_fits, "both"),
            (first_fits, first.contest.as_str()),
            (second_fits, second.contest.as_str()),
        ]
        .into_iter()
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .expect("internal error: a maximum of three");
        let expected = questions * (-best).exp();
        if !(expected < CHANCE) {
            continue;
        }
        let tally = first.rows[unit.row].tally;
        let message = if what == "both" {
            format!(
                "The votes of unit {} in contests {} and {} fit each the other contest's shares among its neighbours.",
                tally.unit, first.contest, second.contest
            )
        } else {
            let other = if what == first.contest.as_str() { second.contest } else { first.contest };
            format!(
                "The votes of unit {} in contest {what} fit the shares of contest {other} among its neighbours better.",
                tally.unit
            )
        };
        let mut finding = Finding::new("contest-mix-up", tally, "votes", message);
        finding.expected = Some(expected);
        findings.push(finding);
    }
}

/// The shares of the others. Half a vote for each list keeps them from 0.
fn shares(sum: &[f64], votes: &[f64]) -> Vec<f64> {
    let others: Vec<f64> = sum.iter().zip(votes).map(|(sum, votes)| sum - votes + 0.5).collect();
    let total: f64 = others.iter().sum();
    others.into_iter().map(|votes| votes / total).collect()
}

fn log_ratio(votes: &[f64], other: &[f64], own: &[f64]) -> f64 {
    votes.iter().zip(other.iter().zip(own)).map(|(votes, (other, own))| votes * (other / own).ln()).sum()
}

/// How much more units differ than votes that fall independently would; the larger of both contests, and of the median
/// and the mean, at least 1.
fn spread(units: &[Unit], sums: &[Vec<f64>; 2]) -> f64 {
    let mut most = 1.0_f64;
    for contest in 0..2 {
        let mut values: Vec<f64> = units
            .iter()
            .filter_map(|unit| {
                let votes = &unit.votes[contest];
                let total: f64 = votes.iter().sum();
                let shares = shares(&sums[contest], votes);
                let cells: Vec<(f64, f64)> = votes
                    .iter()
                    .zip(shares)
                    .map(|(&votes, share)| (votes, share * total))
                    .filter(|c| c.1 >= 1.0)
                    .collect();
                let chi: f64 =
                    cells.iter().map(|(seen, expected)| (seen - expected).powi(2) / expected).sum();
                (cells.len() > 1).then(|| chi / (cells.len() - 1) as f64)
            })
            .collect();
        values.sort_by(f64::total_cmp);
        // The largest tenth may be what is looked for.
        values.truncate((values.len() * 9).div_ceil(10));
        most = most.max(values.iter().sum::<f64>() / values.len().max(1) as f64);
        most = most.max(values.get(values.len() / 2).copied().unwrap_or(1.0));
    }
    most
}
