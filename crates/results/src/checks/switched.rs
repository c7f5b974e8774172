//! `switched-candidates`: the rule of the Dutch control protocol on two lines of a form that were exchanged.

use std::collections::BTreeMap;

use super::table::{Row, Table};
use super::{Facts, Finding};
use crate::id::{CandidateNumber, ListId};

/// Units that make a municipality's shares worth comparing with.
const LEAST_UNITS: usize = 2;
/// Units that make a neighbourhood's shares worth comparing with.
const LEAST_NEIGHBOURS: usize = 5;

pub(super) fn check(facts: &Facts, tables: &[Table], findings: &mut Vec<Finding>) {
    for table in tables {
        let neighbours = by_neighbourhood(facts, table);
        for group in table.groups.iter().filter(|group| group.rows.len() >= LEAST_UNITS) {
            let municipality = Reference::of(table, &group.rows);
            for &row in &group.rows {
                let row = &table.rows[row];
                let near = facts
                    .neighbourhoods
                    .and_then(|all| all.get(&row.tally.unit))
                    .and_then(|name| neighbours.get(name.as_str()));
                let (reference, place) = match near {
                    Some(near) => (near, "neighbourhood"),
                    None => (&municipality, "municipality"),
                };
                switched(row, reference, place, findings);
            }
        }
    }
}

/// The neighbourhoods with enough units.
fn by_neighbourhood<'a>(facts: &Facts<'a>, table: &Table<'a>) -> BTreeMap<&'a str, Reference<'a>> {
    let Some(all) = facts.neighbourhoods else { return BTreeMap::new() };
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, row) in table.rows.iter().enumerate() {
        if let Some(name) = all.get(&row.tally.unit) {
            rows.entry(name).or_default().push(index);
        }
    }
    rows.retain(|_, rows| rows.len() >= LEAST_NEIGHBOURS);
    rows.into_iter().map(|(name, rows)| (name, Reference::of(table, &rows))).collect()
}

/// Votes of candidates in the units that one is compared with, itself among them.
struct Reference<'a>(BTreeMap<&'a ListId, (u128, BTreeMap<CandidateNumber, u128>)>);

impl<'a> Reference<'a> {
    fn of(table: &Table<'a>, rows: &[usize]) -> Self {
        let mut lists: BTreeMap<_, (u128, BTreeMap<_, u128>)> = BTreeMap::new();
        for &row in rows {
            for (id, list) in &table.rows[row].tally.lists {
                let sums = lists.entry(id).or_default();
                for (&number, votes) in &list.candidates {
                    sums.0 += u128::from(votes.0);
                    *sums.1.entry(number).or_default() += u128::from(votes.0);
                }
            }
        }
        Self(lists)
    }
}

/// One finding for each list in which a candidate has at least 15 votes and five times what is expected, and another, of
/// whom at least 15 are expected, a fifth of it.
fn switched(row: &Row, reference: &Reference, place: &str, findings: &mut Vec<Finding>) {
    for (id, list) in &row.tally.lists {
        let Some((all, by_candidate)) = reference.0.get(id) else { continue };
        let here = list.candidates.values().map(|votes| u128::from(votes.0)).sum::<u128>();
        let there = all - here;
        if there == 0 {
            continue;
        }
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for (&number, sum) in by_candidate {
            let votes = list.candidates.get(&number).map_or(0, |votes| u128::from(votes.0));
            // Expected here: (sum - votes) / there * here. Both sides are multiplied with `there`; a product that does
            // not fit is left out, which stated numbers never reach.
            let (Some(expected), Some(seen)) = ((sum - votes).checked_mul(here), votes.checked_mul(there))
            else {
                continue;
            };
            if votes >= 15 && seen / 5 >= expected {
                up.push((number, votes, expected / there));
            } else if expected / 15 >= there && expected / 5 >= seen {
                down.push((number, votes, expected / there));
            }
        }
        if up.is_empty() || down.is_empty() {
            continue;
        }
        let message = format!(
            "On list {id} of unit {}, {}, while {}, by the shares of the other units of the {place}; two lines may have \
             been exchanged.",
            row.tally.unit,
            named(&up),
            named(&down)
        );
        findings.push(Finding::new("switched-candidates", row.tally, format!("list {id}"), message));
    }
}

/// At most three are named.
fn named(candidates: &[(CandidateNumber, u128, u128)]) -> String {
    let words: Vec<String> = candidates
        .iter()
        .take(3)
        .map(|(number, votes, expected)| {
            format!("candidate {number} has {votes} votes where {expected} are expected")
        })
        .collect();
    let more = candidates.len().saturating_sub(3);
    words.join(" and ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}
