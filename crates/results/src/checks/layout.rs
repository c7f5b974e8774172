//! What the rules on statements need of the definition, looked up by the thousand.

use std::collections::{BTreeSet, HashMap};

use super::Facts;
use super::coincidence::Ballots;
use crate::id::{ContestId, UnitId};

/// Units that others are summed into.
pub(super) fn upper_units<'a>(facts: &Facts<'a>) -> BTreeSet<&'a UnitId> {
    facts.units.values().filter_map(|unit| unit.parent.as_ref()).collect()
}

/// A definition's units and contests as the history keeps them.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    units: HashMap<UnitId, Place>,
    contests: HashMap<ContestId, Ballots>,
}

/// Where a unit stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) parent: Option<UnitId>,
    pub(super) upper: bool,
}

impl Layout {
    pub(super) fn of(facts: &Facts) -> Self {
        let upper = upper_units(facts);
        let place = |(id, unit): (&UnitId, &crate::definition::Unit)| {
            (id.clone(), Place { parent: unit.parent.clone(), upper: upper.contains(id) })
        };
        let ballots = |(id, contest): (&ContestId, _)| (id.clone(), Ballots::of(Some(contest)));
        Self {
            units: facts.units.iter().map(place).collect(),
            contests: facts.contests.iter().map(ballots).collect(),
        }
    }

    /// A unit that the definition does not know stands alone.
    pub(super) fn place(&self, unit: &UnitId) -> Place {
        self.units.get(unit).cloned().unwrap_or_default()
    }

    pub(super) fn ballots(&self, contest: &ContestId) -> Ballots {
        self.contests.get(contest).copied().unwrap_or(Ballots::One(0))
    }
}
