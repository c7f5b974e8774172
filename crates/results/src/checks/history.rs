//! Rules that need what was stated earlier.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::Timestamp;

use super::coincidence::CHANCE;
use super::duplicates::{Duplicates, EqualTotals, Names, Slot, Vector, scientific, total};
use super::layout::Layout;
use super::{Facts, Finding, sort};
use crate::id::{ContestId, UnitId};
use crate::tally::{Count, Tally};

/// All statements up to now, in the order in which they came.
///
/// Each statement costs a few look-ups, whatever came before it. Codes: `duplicate-vector` when it becomes so;
/// `moved-vector`, `returned-to-earlier`, `vanished`, `vanish-and-return`, `fallen-count` and `fallen-total`.
#[derive(Clone, Debug)]
pub struct History {
    layout: Layout,
    duplicates: Duplicates,
    units: HashMap<Slot, Unit>,
    seen: HashMap<(Slot, Content), Timestamp>,
    contests: HashMap<ContestId, Past>,
}

/// A tally as numbers, equal where the tallies are.
type Content = Arc<[u64]>;

#[derive(Clone, Debug)]
struct Unit {
    upper: bool,
    content: Content,
    totals: Totals,
    /// What a total was before it was stated as 0.
    before_zero: Totals,
}

/// Ballots cast, valid ballots, votes on lists: what should not become less.
type Totals = [Option<u64>; 3];

const TOTALS: [(&str, &str); 3] =
    [("cast", "ballots cast (H)"), ("valid", "valid ballots (E)"), ("votes", "votes on lists")];

/// One total that became less, or came back.
struct Fall {
    code: &'static str,
    field: &'static str,
    change: String,
}

impl Unit {
    /// What became less or came back; a number that comes back as part of a whole that came back is not told again.
    fn falls(&mut self, totals: &Totals, returned: bool) -> Vec<Fall> {
        let mut falls = Vec::new();
        for (index, (field, what)) in TOTALS.into_iter().enumerate() {
            let (Some(was), Some(is)) = (self.totals[index], totals[index]) else { continue };
            if is == 0 && was > 0 {
                let change = format!("{what} were {was} and are now stated as 0");
                falls.push(Fall { code: "vanished", field, change });
                self.before_zero[index] = Some(was);
            } else if is < was {
                let code = if self.upper { "fallen-total" } else { "fallen-count" };
                falls.push(Fall { code, field, change: format!("{what} fell from {was} to {is}") });
            } else if was == 0 && is > 0 {
                let Some(before) = self.before_zero[index].take().filter(|_| !returned) else { continue };
                let change = format!("{what} were {before}, then 0, and are now {is}");
                falls.push(Fall { code: "vanish-and-return", field, change });
            }
        }
        falls
    }
}

/// A contest's vectors that were stated and taken back.
#[derive(Clone, Debug, Default)]
struct Past {
    taken_back: HashMap<Vector, Vec<(Slot, Timestamp)>>,
    /// Of every vector that was ever stated.
    totals: EqualTotals<()>,
}

/// So many units that took one vector back are remembered; one is enough for the rule.
const REMEMBERED: usize = 8;

impl History {
    /// Nothing stated yet.
    pub fn new(facts: &Facts) -> Self {
        Self {
            layout: Layout::of(facts),
            duplicates: Duplicates::default(),
            units: HashMap::new(),
            seen: HashMap::new(),
            contests: HashMap::new(),
        }
    }

    /// Takes one statement.
    pub fn apply(&mut self, at: Timestamp, tally: &Tally) -> Vec<Finding> {
        self.apply_all(at, std::slice::from_ref(tally))
    }

    /// Takes statements that were made at one time, such as those of one poll of a site. Two units that exchange their
    /// votes in one poll do not state the same at any time, while one after the other they would.
    pub fn apply_all(&mut self, at: Timestamp, tallies: &[Tally]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut changed = BTreeMap::new();
        for tally in tallies {
            let place = self.layout.place(&tally.unit);
            let ballots = self.layout.ballots(&tally.contest);
            let slot = self.duplicates.slot(tally, place.parent.as_ref(), ballots);
            self.compare(slot, place.upper, at, tally, &mut findings);
            if place.upper {
                continue;
            }
            if let Some(old) = self.duplicates.state(slot, tally) {
                self.remember(slot, at, tally, old);
                changed.insert(slot, tally);
            }
        }
        for (slot, tally) in changed {
            let finding = self.duplicates.finding(slot, tally).or_else(|| self.moved(slot, tally));
            findings.extend(finding.map(|finding| Finding { at: Some(at), ..finding }));
        }
        sort(&mut findings);
        findings
    }

    /// A unit's statement beside its earlier ones.
    fn compare(
        &mut self,
        slot: Slot,
        upper: bool,
        at: Timestamp,
        tally: &Tally,
        findings: &mut Vec<Finding>,
    ) {
        let content = content(&mut self.duplicates.names, tally);
        let totals = totals(tally);
        let Some(unit) = self.units.get_mut(&slot) else {
            self.seen.insert((slot, content.clone()), at);
            self.units.insert(slot, Unit { upper, content, totals, before_zero: [None; 3] });
            return;
        };
        if unit.content == content {
            return;
        }
        let mut raise = |code, field: String, message| {
            let mut finding = Finding::new(code, tally, field, message);
            finding.at = Some(at);
            findings.push(finding);
        };
        let earlier = self.seen.get(&(slot, content.clone()));
        if let Some(earlier) = earlier {
            let message = format!(
                "Unit {} states again what it stated at {earlier}, after something else.",
                tally.unit
            );
            raise("returned-to-earlier", "all".to_owned(), message);
        }
        let falls = unit.falls(&totals, earlier.is_some());
        for code in ["vanished", "vanish-and-return", "fallen-count", "fallen-total"] {
            let of_code = || falls.iter().filter(|fall| fall.code == code);
            if of_code().next().is_some() {
                let fields: Vec<&str> = of_code().map(|fall| fall.field).collect();
                let changes: Vec<&str> = of_code().map(|fall| fall.change.as_str()).collect();
                raise(code, fields.join(", "), format!("At unit {}, {}.", tally.unit, changes.join(", ")));
            }
        }
        unit.totals = totals;
        unit.content = content.clone();
        self.seen.entry((slot, content)).or_insert(at);
    }

    /// Keeps a vector that was taken back, and counts the new one.
    fn remember(&mut self, slot: Slot, at: Timestamp, tally: &Tally, old: Vector) {
        let past = self.contests.entry(tally.contest.clone()).or_default();
        let new = self.duplicates.vector(slot);
        if !new.is_empty() {
            past.totals.add((), total(new));
        }
        if !old.is_empty() {
            let units = past.taken_back.entry(old).or_default();
            if units.len() < REMEMBERED && units.iter().all(|&(unit, _)| unit != slot) {
                units.push((slot, at));
            }
        }
    }

    /// `moved-vector`: a unit states what another stated earlier and took back at that time or before.
    ///
    /// *Reports* the second half of a mix-up that was put right in two steps, which no moment shows: in the Slovenian
    /// night of 2024 station 6001/004 first had the votes of 6001/002, which stood at 0; 6001/004 was corrected at
    /// 23:42, and six minutes later 6001/002 stated the votes that had left. *Why it matters*: a centre that swaps units
    /// once may have done so elsewhere, and a forger who moves results leaves this trace. *Benign causes*: it is the
    /// trace of a correction, so what is stated now is probably right; hence triage. *Next step*: ask the centre for the
    /// reason of both corrections and compare both units with their paper forms.
    fn moved(&self, slot: Slot, tally: &Tally) -> Option<Finding> {
        let vector = self.duplicates.vector(slot);
        let past = self.contests.get(&tally.contest)?;
        let units = past.taken_back.get(vector)?;
        if units.iter().any(|&(unit, _)| unit == slot) {
            return None;
        }
        let &(other, until) = units.iter().find(|&&(unit, _)| self.duplicates.vector(unit) != vector)?;
        let ballots = self.layout.ballots(&tally.contest);
        let ln_coincide = ballots.ln_coincide(vector.iter().map(|&(_, votes)| votes));
        let least = ballots.least_total(ln_coincide, total(vector), vector.len());
        let expected = past.totals.pairs(least) as f64 * ln_coincide.exp();
        if expected >= CHANCE {
            return None;
        }
        let other: &UnitId = self.duplicates.unit(other);
        let message = format!(
            "Unit {} states the votes that unit {other} stated until {until}: {} votes on {} lists; chance would give \
             fewer than {} such pairs among all statements of the contest.",
            tally.unit,
            total(vector),
            vector.len(),
            scientific(expected)
        );
        let mut finding = Finding::new("moved-vector", tally, "votes", message);
        finding.other = Some(other.clone());
        finding.expected = Some(expected);
        Some(finding)
    }
}

fn totals(tally: &Tally) -> Totals {
    let read = |count: Count| tally.count(&count).map(|votes| votes.0);
    let votes = (!tally.lists.is_empty()).then(|| tally.votes().0);
    [read(Count::Cast), read(Count::Valid), votes]
}

/// Everything that a tally states. Sections begin with their length, so that no two tallies give the same numbers.
fn content(names: &mut Names, tally: &Tally) -> Content {
    let optional = |votes: Option<crate::Votes>| votes.map_or([0, 0], |votes| [1, votes.0]);
    let mut numbers = Vec::with_capacity(8 + 2 * tally.counts.len() + 6 * tally.lists.len());
    numbers.push(tally.counts.len() as u64);
    for (count, votes) in &tally.counts {
        numbers.extend([u64::from(names.of(count.name())), votes.0]);
    }
    numbers.push(tally.lists.len() as u64);
    for (id, list) in &tally.lists {
        numbers.push(u64::from(names.of(id.as_str())));
        numbers.extend(optional(list.total));
        numbers.extend(optional(list.list_only));
        numbers.push(list.candidates.len() as u64);
        numbers.extend(list.candidates.iter().flat_map(|(&number, votes)| [u64::from(number), votes.0]));
    }
    numbers.push(tally.modes.len() as u64);
    for ((mode, list, candidate), votes) in &tally.modes {
        numbers.extend([u64::from(names.of(mode)), u64::from(names.of(list.as_str()))]);
        numbers.extend(candidate.map_or([0, 0], |number| [1, u64::from(number)]));
        numbers.push(votes.0);
    }
    numbers.into()
}
