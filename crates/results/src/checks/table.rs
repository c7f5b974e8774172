//! The votes of a contest as rows of units and columns of lists.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use super::layout::upper_units;
use crate::id::{ContestId, ListId, UnitId};
use crate::tally::Tally;

/// One contest.
pub(super) struct Table<'a> {
    pub(super) contest: &'a ContestId,
    /// The lists that anybody states.
    pub(super) lists: Vec<&'a ListId>,
    /// In the order of the units' ids.
    pub(super) rows: Vec<Row<'a>>,
    /// Rows below one parent.
    pub(super) groups: Vec<Group>,
}

/// One unit.
pub(super) struct Row<'a> {
    pub(super) tally: &'a Tally,
    pub(super) parent: Option<&'a UnitId>,
    /// By list, in the table's order.
    pub(super) votes: Vec<u64>,
    pub(super) total: u64,
}

/// Units below one parent.
pub(super) struct Group {
    pub(super) rows: Vec<usize>,
    pub(super) votes: Vec<u128>,
    pub(super) total: u128,
}

/// A table for each contest, of the units that are not summed from others.
pub(super) fn of_leaves<'a>(facts: &Facts<'a>, tallies: &'a [Tally]) -> Vec<Table<'a>> {
    let upper = upper_units(facts);
    let mut contests: BTreeMap<&ContestId, BTreeMap<&UnitId, &Tally>> = BTreeMap::new();
    for tally in tallies.iter().filter(|tally| !upper.contains(&tally.unit)) {
        contests.entry(&tally.contest).or_default().entry(&tally.unit).or_insert(tally);
    }
    contests.into_iter().map(|(contest, units)| table(facts, contest, &units)).collect()
}

fn table<'a>(
    facts: &Facts<'a>,
    contest: &'a ContestId,
    units: &BTreeMap<&'a UnitId, &'a Tally>,
) -> Table<'a> {
    let ids: BTreeSet<&ListId> = units.values().flat_map(|tally| tally.lists.keys()).collect();
    let lists: Vec<&ListId> = ids.into_iter().collect();
    let mut rows = Vec::with_capacity(units.len());
    let mut groups: BTreeMap<Option<&UnitId>, Group> = BTreeMap::new();
    for (&unit, &tally) in units {
        // Both are in the order of the ids, so one walk finds each list's column.
        let mut column = 0;
        let mut votes = vec![0; lists.len()];
        for (id, list) in &tally.lists {
            while lists[column] != id {
                column += 1;
            }
            votes[column] = tally.votes_of(list).0;
        }
        let parent = facts.parent(unit);
        let group = groups.entry(parent).or_insert_with(|| Group {
            rows: Vec::new(),
            votes: vec![0; lists.len()],
            total: 0,
        });
        group.rows.push(rows.len());
        for (sum, &votes) in group.votes.iter_mut().zip(&votes) {
            *sum += u128::from(votes);
        }
        let total = votes.iter().fold(0_u64, |sum, &votes| sum.saturating_add(votes));
        group.total += votes.iter().map(|&votes| u128::from(votes)).sum::<u128>();
        rows.push(Row { tally, parent, votes, total });
    }
    Table { contest, lists, rows, groups: groups.into_values().collect() }
}
