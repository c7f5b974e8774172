//! `duplicate-vector`: a unit states exactly another unit's votes.
//!
//! *Reports* a unit whose votes for all lists of a contest are those of another unit that states them now, where chance
//! does not do that; how that is judged stands in [`super::coincidence`].
//!
//! *Why it matters.* A result written under the wrong unit is a frequent slip of count centres and an easy forgery, and
//! nothing else sees it: both forms add up. In the Slovenian night of 9 June 2024 three of fourteen corrections of votes
//! were of this kind; they were put right after one hour, nearly two, and a day.
//!
//! *Needs* the votes for lists of all units that are not summed from others.
//!
//! *Benign causes and blind spots.* One count under two ids, such as precincts that are counted together. A copy with few
//! votes, in a race of two, or with one number changed is not seen.
//!
//! *Next step for the operator.* Compare both units with their paper forms: one of the two is wrong, and the numbers do
//! not say which.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::coincidence::{Ballots, CHANCE};
use super::table::Table;
use super::{Facts, Finding};
use crate::id::UnitId;
use crate::tally::Tally;

/// Small numbers for names, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(HashMap<Box<str>, u32>);

impl Names {
    pub(super) fn of(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.0.get(name) {
            return number;
        }
        let number = self.0.len() as u32;
        self.0.insert(name.into(), number);
        number
    }
}

/// Votes that are not 0, by list or by list and candidate, in the order of their ids.
pub(super) type Vector = Arc<[(u64, u64)]>;

/// A unit in a contest.
pub(super) type Slot = u32;

/// All vectors that are stated now.
#[derive(Clone, Debug, Default)]
pub(super) struct Duplicates {
    pub(super) names: Names,
    numbers: HashMap<(u32, u32), Slot>,
    slots: Vec<Stated>,
    contests: HashMap<u32, Contest>,
    statements: u64,
}

#[derive(Clone, Debug)]
struct Stated {
    unit: UnitId,
    contest: u32,
    parent: Option<u32>,
    lists: Vector,
    candidates: Vector,
    /// The number of the statement, which orders units with one vector.
    since: u64,
}

#[derive(Clone, Debug)]
struct Contest {
    ballots: Ballots,
    by_vector: HashMap<Vector, BTreeSet<(u64, Slot)>>,
    all: EqualTotals<()>,
    siblings: EqualTotals<u32>,
}

/// Counts pairs of units with equal totals, of all units (`()`) or of those below one parent.
#[derive(Clone, Debug)]
pub(super) struct EqualTotals<Of> {
    units: HashMap<(Of, u64), u64>,
    pairs: BTreeMap<u64, u64>,
}

impl<Of> Default for EqualTotals<Of> {
    fn default() -> Self {
        Self { units: HashMap::new(), pairs: BTreeMap::new() }
    }
}

impl<Of: Eq + std::hash::Hash> EqualTotals<Of> {
    pub(super) fn add(&mut self, of: Of, total: u64) {
        let units = self.units.entry((of, total)).or_default();
        if *units > 0 {
            *self.pairs.entry(total).or_default() += *units;
        }
        *units += 1;
    }

    fn remove(&mut self, of: Of, total: u64) {
        let Some(units) = self.units.get_mut(&(of, total)) else { return };
        *units -= 1;
        if let Some(pairs) = self.pairs.get_mut(&total) {
            *pairs -= *units;
        }
    }

    /// Pairs with this total or more.
    pub(super) fn pairs(&self, least: u64) -> u64 {
        self.pairs.range(least..).map(|(_, pairs)| pairs).sum()
    }
}

/// Two units with one vector.
pub(super) struct Coincidence {
    pub(super) other: UnitId,
    pub(super) votes: u64,
    pub(super) lists: usize,
    pub(super) expected: f64,
}

impl Duplicates {
    /// The number of a unit in a contest.
    pub(super) fn slot(&mut self, tally: &Tally, parent: Option<&UnitId>, ballots: Ballots) -> Slot {
        let contest = self.names.of(tally.contest.as_str());
        let unit = self.names.of(tally.unit.as_str());
        if let Some(&slot) = self.numbers.get(&(contest, unit)) {
            return slot;
        }
        self.contests.entry(contest).or_insert_with(|| Contest {
            ballots,
            by_vector: HashMap::new(),
            all: EqualTotals::default(),
            siblings: EqualTotals::default(),
        });
        let slot = self.slots.len() as Slot;
        let parent = parent.map(|parent| self.names.of(parent.as_str()));
        let empty: Vector = Arc::new([]);
        let unit_id = tally.unit.clone();
        let (lists, candidates) = (empty.clone(), empty);
        self.slots.push(Stated { unit: unit_id, contest, parent, lists, candidates, since: 0 });
        self.numbers.insert((contest, unit), slot);
        slot
    }

    /// Takes what a unit states now; returns what it stated before where that was another vector of votes for lists.
    pub(super) fn state(&mut self, slot: Slot, tally: &Tally) -> Option<Vector> {
        let (lists, candidates) = vectors(&mut self.names, tally);
        let stated = &mut self.slots[slot as usize];
        stated.candidates = candidates;
        if stated.lists == lists {
            return None;
        }
        self.statements += 1;
        let contest = self.contests.get_mut(&stated.contest)?;
        let parent = stated.parent;
        let old = std::mem::replace(&mut stated.lists, lists.clone());
        if !old.is_empty() {
            let total = total(&old);
            contest.all.remove((), total);
            if let Some(parent) = parent {
                contest.siblings.remove(parent, total);
            }
            if let Some(units) = contest.by_vector.get_mut(&old) {
                units.remove(&(stated.since, slot));
                if units.is_empty() {
                    contest.by_vector.remove(&old);
                }
            }
        }
        stated.since = self.statements;
        if !lists.is_empty() {
            let total = total(&lists);
            contest.all.add((), total);
            if let Some(parent) = parent {
                contest.siblings.add(parent, total);
            }
            contest.by_vector.entry(lists).or_default().insert((self.statements, slot));
        }
        Some(old)
    }

    /// What a unit states now.
    pub(super) fn vector(&self, slot: Slot) -> &Vector {
        &self.slots[slot as usize].lists
    }

    pub(super) fn unit(&self, slot: Slot) -> &UnitId {
        &self.slots[slot as usize].unit
    }

    /// The unit that has stated a unit's present vector for the longest time, where chance does not explain it and it
    /// is not the unit itself.
    pub(super) fn coincidence(&self, slot: Slot) -> Option<Coincidence> {
        let stated = &self.slots[slot as usize];
        let contest = self.contests.get(&stated.contest)?;
        let &(_, first) = contest.by_vector.get(&stated.lists)?.first()?;
        if first == slot {
            return None;
        }
        let other = &self.slots[first as usize];
        let chance = |vector: &Vector| contest.ballots.ln_coincide(vector.iter().map(|&(_, votes)| votes));
        let by_lists = chance(&stated.lists);
        let alike = stated.candidates.len() > 1 && stated.candidates == other.candidates;
        let by_candidates = matches!(contest.ballots, Ballots::One(_)) && alike;
        let ln_coincide = if by_candidates { by_lists.min(chance(&stated.candidates)) } else { by_lists };
        if ln_coincide.exp() >= CHANCE / 4.0 {
            return None;
        }
        let total = total(&stated.lists);
        let least = contest.ballots.least_total(by_lists, total, stated.lists.len());
        let siblings = stated.parent.is_some() && stated.parent == other.parent;
        let pairs = if siblings { contest.siblings.pairs(least) } else { contest.all.pairs(least) };
        let expected = pairs as f64 * ln_coincide.exp();
        (expected < CHANCE / 4.0).then(|| Coincidence {
            other: other.unit.clone(),
            votes: total,
            lists: stated.lists.len(),
            expected,
        })
    }

    /// The finding of a coincidence.
    pub(super) fn finding(&self, slot: Slot, tally: &Tally) -> Option<Finding> {
        let Coincidence { other, votes, lists, expected } = self.coincidence(slot)?;
        let message = format!(
            "Unit {} states exactly the votes of unit {other}: {votes} votes on {lists} lists; chance would give fewer \
             than {} such pairs in the whole contest.",
            tally.unit,
            scientific(expected)
        );
        let mut finding = Finding::new("duplicate-vector", tally, "votes", message);
        finding.other = Some(other);
        finding.expected = Some(expected);
        Some(finding)
    }
}

/// Rounded up to one digit, so that "fewer than" stays true.
pub(super) fn scientific(number: f64) -> String {
    let exponent = number.max(f64::MIN_POSITIVE).log10().floor();
    let digit = (number / 10f64.powf(exponent)).ceil().max(1.0);
    if digit >= 10.0 { format!("1e{}", exponent + 1.0) } else { format!("{digit}e{exponent}") }
}

pub(super) fn total(vector: &Vector) -> u64 {
    vector.iter().fold(0, |sum, &(_, votes)| sum.saturating_add(votes))
}

/// The votes by list, and by candidate where they are stated.
fn vectors(names: &mut Names, tally: &Tally) -> (Vector, Vector) {
    let (mut lists, mut candidates) = (Vec::with_capacity(tally.lists.len()), Vec::new());
    for (id, list) in &tally.lists {
        let name = u64::from(names.of(id.as_str()));
        let votes = tally.votes_of(list);
        if votes.0 > 0 {
            lists.push((name, votes.0));
        }
        let by_candidate = list.candidates.iter().filter(|(_, votes)| votes.0 > 0);
        candidates.extend(by_candidate.map(|(&number, votes)| (name << 32 | u64::from(number), votes.0)));
    }
    (lists.into(), candidates.into())
}

/// All duplicates in a set; of several units with one vector, each but the first.
pub(super) fn check(facts: &Facts, tables: &[Table]) -> Vec<Finding> {
    let mut duplicates = Duplicates::default();
    let mut stated = Vec::new();
    for table in tables {
        let ballots = Ballots::of(facts.contests.get(table.contest));
        for row in &table.rows {
            let slot = duplicates.slot(row.tally, row.parent, ballots);
            duplicates.state(slot, row.tally);
            stated.push((slot, row.tally));
        }
    }
    stated.into_iter().filter_map(|(slot, tally)| duplicates.finding(slot, tally)).collect()
}
