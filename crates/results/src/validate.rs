//! The independent validator: what centres said by its own ways, compared with what the log says that they said.
//!
//! A log proves that nothing was changed afterwards, not that a number is what the centre counted. A validator hears from the
//! centres by other roads ([`Heard`]), keeps what it heard of each unit in each contest ([`Ledger`]), and publishes for a
//! checkpoint which units it has compared ([`Coverage`]). It attests that list, never that all match: one lying or mistyped
//! centre leaves all others confirmed. The rules are in `docs/specs/validation.md`.

use std::collections::BTreeMap;

use domain::Timestamp;
use tlog::Checkpoint;

use crate::board::{Chain, Election};
use crate::id::{ContestId, UnitId};

mod case;
mod coverage;
mod heard;
pub mod independence;
pub mod spoken;

pub use case::{Case, Finding, State};
pub use coverage::{Coverage, CoverageError, ListError, MAX_PART_BYTES, Run, Status, statuses};
pub use heard::{HEARD, Heard, HeardError, Road};

/// A unit in a contest.
pub type Place = (ContestId, UnitId);

/// All that a validator heard.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    cases: BTreeMap<Place, Case>,
}

impl Ledger {
    /// Takes what was heard. It cannot be taken back or changed: numbers from a telephone are typed before the log's are seen.
    ///
    /// # Errors
    /// Where it cannot be about this election, or comes from a number that the definition does not have.
    pub fn hear(&mut self, election: &Election, heard: Heard) -> Result<(), HeardError> {
        heard.judge(election)?;
        let place = (heard.contest.clone(), heard.unit.clone());
        self.cases.entry(place).or_default().hear(heard);
        Ok(())
    }

    /// Notes that a centre is being asked again. False where nothing was heard of the place.
    pub fn ask(&mut self, place: &Place) -> bool {
        self.cases.get_mut(place).map(Case::ask).is_some()
    }

    /// What was heard of a place.
    pub fn case(&self, place: &Place) -> Option<&Case> {
        self.cases.get(place)
    }

    /// How a place stands.
    pub fn state(&self, election: &Election, place: &Place) -> State {
        let chain = election.chains.get(place);
        self.cases.get(place).map_or(State::NotHeard, |case| case.state(chain))
    }

    /// Places whose centre must be asked, in order: what was heard does not fit the log, or is about a revision that is no more
    /// the last.
    pub fn to_ask(&self, election: &Election) -> Vec<Place> {
        let chain = |place: &Place| election.chains.get(place);
        let is_open = |(place, case): &(&Place, &Case)| {
            matches!(case.state(chain(place)), State::Differs | State::Superseded)
                || case.is_hinted(chain(place))
        };
        self.cases.iter().filter(is_open).map(|(place, _)| place.clone()).collect()
    }

    /// Differences that a second contact confirmed, in order.
    pub fn findings(&self, election: &Election) -> Vec<Finding> {
        let chains = &election.chains;
        self.cases.iter().filter_map(|(place, case)| case.finding(place, chains.get(place)?)).collect()
    }

    /// The coverage list for a checkpoint, in as many parts as it needs. The election is what the log says up to there.
    /// None while numbers are under embargo: who was heard, and who not, tells who has counted.
    pub fn coverage(
        &self,
        election: &Election,
        checkpoint: &Checkpoint,
        validator: &str,
        time: Timestamp,
    ) -> Option<Vec<Coverage>> {
        election.is_open().then(|| {
            let status = |place: &Place| self.state(election, place).status();
            Coverage::cut(election, checkpoint, validator, time, &status)
        })
    }
}

/// The last revision of a place, where the log has one that is not in question.
fn last(chain: Option<&Chain>) -> Option<&crate::board::Link> {
    chain?.links().last().filter(|link| !link.is_in_question)
}
