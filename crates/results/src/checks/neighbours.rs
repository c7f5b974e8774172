//! How a unit's votes differ from those of the other units below the same parent: `party-share`, `local-deviation`.

use super::Finding;
use super::table::{Group, Row, Table};

pub(super) fn check(tables: &[Table], findings: &mut Vec<Finding>) {
    for table in tables {
        for group in table.groups.iter().filter(|group| group.rows.len() > 1) {
            for &row in &group.rows {
                party_share(table, group, &table.rows[row], findings);
            }
        }
        local_deviation(table, findings);
    }
}

/// The rule of the Dutch control protocol: a list's share here is 50 percentage points or more from its share in the
/// municipality without this unit. Compared without division.
fn party_share(table: &Table, group: &Group, row: &Row, findings: &mut Vec<Finding>) {
    let here = row.votes.iter().map(|&votes| u128::from(votes)).sum::<u128>();
    let there = group.total - here;
    if here == 0 || there == 0 {
        return;
    }
    for (column, list) in table.lists.iter().enumerate() {
        let votes = u128::from(row.votes[column]);
        let others = group.votes[column] - votes;
        let (Some(a), Some(b), Some(whole)) =
            (votes.checked_mul(there), others.checked_mul(here), here.checked_mul(there))
        else {
            continue;
        };
        if a.abs_diff(b) >= whole.div_ceil(2) {
            let message = format!(
                "List {list} has {votes} of {here} votes of unit {}, and {others} of {there} in the other units below \
                 the same: the shares are 50 percentage points or more apart.",
                row.tally.unit
            );
            findings.push(Finding::new("party-share", row.tally, format!("list {list}"), message));
        }
    }
}

/// The one in a thousand units, rounded down, whose votes are least like those of the other units below their parent:
/// chi-square of the lists' votes against the others' shares, divided by its degrees of freedom.
///
/// It is a ranking and has no threshold: voters of different places differ, so chi-square is far above its textbook
/// values everywhere. It names so many units in every election.
fn local_deviation(table: &Table, findings: &mut Vec<Finding>) {
    let named = table.rows.len() / 1000;
    if named == 0 {
        return;
    }
    let mut ranked: Vec<(f64, usize)> = Vec::new();
    for group in table.groups.iter().filter(|group| group.rows.len() > 2) {
        for &row in &group.rows {
            ranked.extend(deviation(group, &table.rows[row]).map(|value| (value, row)));
        }
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for &(value, row) in ranked.iter().take(named) {
        let row = &table.rows[row];
        let message = format!(
            "The votes of unit {} are among the {named} of {} units least like those of their neighbours (chi-square \
             {value:.1} for each degree of freedom, {} votes).",
            row.tally.unit,
            table.rows.len(),
            row.total
        );
        findings.push(Finding::new("local-deviation", row.tally, "votes", message));
    }
}

/// Chi-square over degrees of freedom. Half a vote is added to each list of the others, so that none has a share of 0;
/// lists of which fewer than one vote is expected here are taken together.
fn deviation(group: &Group, row: &Row) -> Option<f64> {
    let here = row.total as f64;
    let lists = row.votes.len() as f64;
    let there = group.total as f64 - here;
    if row.total < 30 || there < 30.0 {
        return None;
    }
    let (mut chi, mut cells, mut rest) = (0.0, 0, (0.0, 0.0));
    // The others' shares are estimated too; the factor is the variance that this adds.
    let widened = 1.0 + here / there;
    let mut add = |seen: f64, expected: f64| {
        chi += (seen - expected).powi(2) / (expected * widened);
        cells += 1;
    };
    for (&votes, &all) in row.votes.iter().zip(&group.votes) {
        let others = all as f64 - votes as f64 + 0.5;
        let expected = here * others / (there + 0.5 * lists);
        if expected < 1.0 {
            rest = (rest.0 + votes as f64, rest.1 + expected);
        } else {
            add(votes as f64, expected);
        }
    }
    if rest.1 > 0.0 {
        add(rest.0, rest.1.max(1.0));
    }
    (cells > 1).then(|| chi / f64::from(cells - 1))
}
