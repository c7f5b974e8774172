//! Whether stated totals are the sums of what is below them.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::upper_units;
use super::{Facts, Finding, MAX_LEVELS, sort};
use crate::id::{CandidateNumber, ContestId, ListId, UnitId};
use crate::tally::{Count, Tally};

/// Compares each stated total with the leaves below it, number by number.
///
/// A number is compared with the sum where every leaf below states it. Where some leaf is missing or does not state it,
/// the sum of the others is only a lower bound, and the finding says so; then the units directly below are asked too,
/// if all of them state totals. People who may vote are a matter of triage, because a source may state them at one place.
pub fn check_sums(facts: &Facts, stated: &[Tally], leaves: &[Tally]) -> Vec<Finding> {
    let upper = upper_units(facts);
    let below = Below::of(facts, &upper, stated, leaves);
    let mut findings = Vec::new();
    for tally in stated {
        let Some(sums) = below.leaves.get(&(&tally.contest, &tally.unit)) else { continue };
        let needed = below.needed(facts, tally);
        let children = below.children.get(&(&tally.contest, &tally.unit));
        let direct = facts.units.values().filter(|unit| unit.parent.as_ref() == Some(&tally.unit)).count();
        for (item, number) in items(tally) {
            let sum = sums.get(&item).copied().unwrap_or_default();
            let of_children = children.and_then(|sums| sums.get(&item)).copied().unwrap_or_default();
            let (sum, part) = if sum.units >= needed {
                (sum, "")
            } else if direct > 0 && of_children.units >= direct {
                (of_children, "")
            } else {
                (sum, "some of ")
            };
            let wrong = if part.is_empty() { sum.votes != number } else { sum.votes > number };
            if !wrong {
                continue;
            }
            let code = if item == Item::Count(&Count::Eligible) { "sum-eligible" } else { "sum-differs" };
            let message = format!(
                "Unit {} states {number} for {item}, while {part}the units below it add to {} ({} units).",
                tally.unit, sum.votes, sum.units
            );
            findings.push(Finding::new(code, tally, item.to_string(), message));
        }
    }
    sort(&mut findings);
    findings
}

/// One number of a tally.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item<'a> {
    Count(&'a Count),
    List(&'a ListId),
    ListOnly(&'a ListId),
    Candidate(&'a ListId, CandidateNumber),
}

impl std::fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::List(list) => write!(f, "list {list}"),
            Self::ListOnly(list) => write!(f, "list {list} only"),
            Self::Candidate(list, number) => write!(f, "list {list} candidate {number}"),
        }
    }
}

/// Counts without a meaning of their own are left out: nobody knows whether they add.
fn items(tally: &Tally) -> Vec<(Item<'_>, u128)> {
    let mut items: Vec<(Item, u128)> = tally
        .counts
        .iter()
        .filter(|(count, _)| !matches!(count, Count::Other(_)))
        .map(|(count, votes)| (Item::Count(count), u128::from(votes.0)))
        .collect();
    for (id, list) in &tally.lists {
        items.push((Item::List(id), u128::from(tally.votes_of(list).0)));
        items.extend(list.list_only.map(|votes| (Item::ListOnly(id), u128::from(votes.0))));
        items.extend(
            list.candidates.iter().map(|(&number, votes)| (Item::Candidate(id, number), u128::from(votes.0))),
        );
    }
    items
}

/// A sum, and how many units stated something for it.
#[derive(Clone, Copy, Default)]
struct Sum {
    votes: u128,
    units: usize,
}

type Sums<'a> = BTreeMap<(&'a ContestId, &'a UnitId), BTreeMap<Item<'a>, Sum>>;

struct Below<'a> {
    /// Of all leaves below a unit.
    leaves: Sums<'a>,
    /// Of the units directly below, leaves and totals.
    children: Sums<'a>,
    /// How many leaves the definition has below each unit.
    count: BTreeMap<&'a UnitId, usize>,
}

impl<'a> Below<'a> {
    fn of(facts: &Facts<'a>, upper: &BTreeSet<&UnitId>, stated: &'a [Tally], leaves: &'a [Tally]) -> Self {
        let wanted: BTreeSet<(&ContestId, &UnitId)> = stated.iter().map(|t| (&t.contest, &t.unit)).collect();
        let mut below = Self { leaves: BTreeMap::new(), children: BTreeMap::new(), count: BTreeMap::new() };
        for key in &wanted {
            below.leaves.insert(*key, BTreeMap::new());
        }
        for unit in facts.units.keys().filter(|unit| !upper.contains(unit)) {
            for above in ancestors(facts, unit) {
                *below.count.entry(above).or_default() += 1;
            }
        }
        for tally in leaves.iter().filter(|tally| !upper.contains(&tally.unit)) {
            for above in
                ancestors(facts, &tally.unit).filter(|&above| wanted.contains(&(&tally.contest, above)))
            {
                add(&mut below.leaves, above, tally);
            }
        }
        for tally in leaves.iter().filter(|tally| !upper.contains(&tally.unit)).chain(stated) {
            if let Some(above) = facts.parent(&tally.unit) {
                add(&mut below.children, above, tally);
            }
        }
        below
    }

    /// How many leaves must state a number before the sum is one.
    fn needed(&self, facts: &Facts, tally: &Tally) -> usize {
        let known = facts.units.contains_key(&tally.unit);
        if known { self.count.get(&tally.unit).copied().unwrap_or(usize::MAX) } else { usize::MAX }
    }
}

fn add<'a>(sums: &mut Sums<'a>, above: &'a UnitId, tally: &'a Tally) {
    let sums = sums.entry((&tally.contest, above)).or_default();
    for (item, votes) in items(tally) {
        let sum = sums.entry(item).or_default();
        sum.votes += votes;
        sum.units += 1;
    }
}

/// The units that a unit is summed into, from the nearest.
fn ancestors<'a>(facts: &Facts<'a>, unit: &UnitId) -> impl Iterator<Item = &'a UnitId> + use<'a> {
    let units = facts.units;
    let parent = move |unit: &UnitId| units.get(unit).and_then(|unit| unit.parent.as_ref());
    std::iter::successors(parent(unit), move |above| parent(above)).take(MAX_LEVELS)
}
