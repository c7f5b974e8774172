//! Rules on what units state, on all units together and on how statements changed: what cannot be right, and what is
//! worth a look.
//!
//! A rule compares numbers that somebody stated. It never says that an election was or was not fair, and no rule gives
//! a unit a score; why is written in `docs/why-no-fraud-scores.md`. A rule applies only where the numbers that it needs
//! are stated: a polling station whose source has no count of voters admitted has no finding about them.
//!
//! Four questions, four functions: [`check_tally`] asks what one tally decides, [`check_set`] what the present tallies
//! of all units decide, [`History`] what only earlier statements decide, [`check_sums`] whether totals that somebody
//! stated are the sums of what is below them. All rules with their class are in [`RULES`], with those of the Dutch forms
//! that no file can decide.

mod arithmetic;
mod coincidence;
mod duplicates;
mod history;
mod known;
mod layout;
mod mixup;
mod neighbours;
mod rules;
mod sums;
mod switched;
mod table;

use std::collections::BTreeMap;

use domain::Timestamp;

use crate::definition::{Contest, Unit, UnitKind};
use crate::id::{ContestId, UnitId};
use crate::tally::Tally;

pub use coincidence::CHANCE;
pub use history::History;
pub use rules::{DecidedBy, RULES, Rule};
pub use sums::check_sums;

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// What is stated cannot be right as stated: two numbers contradict each other, or chance does not do that.
    Hard,
    /// Worth a look. It happens in elections in which all is well; how often is said beside it.
    Triage,
}

impl Class {
    /// The word in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Triage => "triage",
        }
    }
}

/// One thing that a rule found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule's code: `F.204`, `duplicate-vector`.
    pub code: &'static str,
    /// How it is to be taken.
    pub class: Class,
    /// The contest.
    pub contest: ContestId,
    /// The unit.
    pub unit: UnitId,
    /// What it is about: `valid`, `list 3`, `list 3 candidate 51`, `votes`.
    pub field: String,
    /// A whole sentence with the figures.
    pub message: String,
    /// When what it is about was stated, where the rule knows.
    pub at: Option<Timestamp>,
    /// The other unit, where there are two.
    pub other: Option<UnitId>,
    /// How often the rule speaks where all is well, as measured.
    pub base_rate: Option<&'static str>,
    /// How many such findings chance alone would give in the whole contest; an upper bound.
    pub expected: Option<f64>,
}

impl Finding {
    fn new(code: &'static str, tally: &Tally, field: impl Into<String>, message: String) -> Self {
        Self::about(code, &tally.contest, &tally.unit, field.into(), message)
    }

    fn about(code: &'static str, contest: &ContestId, unit: &UnitId, field: String, message: String) -> Self {
        let rule = rules::find(code);
        Self {
            code,
            class: rule.class,
            contest: contest.clone(),
            unit: unit.clone(),
            field,
            message,
            at: None,
            other: None,
            base_rate: rule.base_rate,
            expected: None,
        }
    }
}

/// What the definition says, as far as rules need it.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// All units.
    pub units: &'a BTreeMap<UnitId, Unit>,
    /// All contests.
    pub contests: &'a BTreeMap<ContestId, Contest>,
    /// The neighbourhood of each unit, where somebody has drawn them; the rule on switched candidates then compares a
    /// unit with its neighbourhood instead of its municipality.
    pub neighbourhoods: Option<&'a BTreeMap<UnitId, String>>,
}

impl<'a> Facts<'a> {
    /// The facts of a definition that has no neighbourhoods.
    pub fn new(units: &'a BTreeMap<UnitId, Unit>, contests: &'a BTreeMap<ContestId, Contest>) -> Self {
        Self { units, contests, neighbourhoods: None }
    }

    fn kind(&self, unit: &UnitId) -> Option<UnitKind> {
        self.units.get(unit).map(|unit| unit.kind)
    }

    fn parent(&self, unit: &UnitId) -> Option<&'a UnitId> {
        self.units.get(unit).and_then(|unit| unit.parent.as_ref())
    }

    /// Whether `unit` is `top` or below it. A definition whose parents go in a circle ends here too.
    fn is_under(&self, unit: &UnitId, top: &UnitId) -> bool {
        let mut at = Some(unit);
        for _ in 0..MAX_LEVELS {
            match at {
                Some(here) if here == top => return true,
                Some(here) => at = self.parent(here),
                None => return false,
            }
        }
        false
    }
}

/// No country has so many levels between a polling station and the nation; more is a circle.
const MAX_LEVELS: usize = 32;

/// Whether a unit of this kind states totals of others. On such a form both the ballots in excess and those short may
/// be filled in, because they come from different stations.
fn states_totals(kind: UnitKind) -> bool {
    matches!(kind, UnitKind::Nation | UnitKind::District | UnitKind::Municipality)
}

/// What one tally decides: the Dutch rules on its numbers, names that the definition does not know, and bounds.
pub fn check_tally(facts: &Facts, tally: &Tally) -> Vec<Finding> {
    let mut findings = Vec::new();
    known::check(facts, tally, &mut findings);
    arithmetic::check(facts, tally, &mut findings);
    sort(&mut findings);
    findings
}

/// What the present tallies of all units decide together; one tally for each unit and contest.
///
/// Units that others are summed into are left out: a municipality with one polling station states that station's votes.
/// The order of the tallies changes nothing.
pub fn check_set(facts: &Facts, tallies: &[Tally]) -> Vec<Finding> {
    let tables = table::of_leaves(facts, tallies);
    let mut findings = duplicates::check(facts, &tables);
    neighbours::check(&tables, &mut findings);
    switched::check(facts, &tables, &mut findings);
    mixup::check(&tables, &mut findings);
    sort(&mut findings);
    findings
}

/// The order of findings in every answer: by contest, unit and code.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (f.contest.clone(), f.unit.clone(), f.code, f.field.clone(), f.other.clone());
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
}
