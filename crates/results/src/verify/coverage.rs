//! What validators say of the units, as part of a verdict.

use std::collections::{BTreeMap, BTreeSet};

use tlog::{Checkpoint, Hash, merkle};

use super::{Reasons, Trust, Verdict};
use crate::board::Election;
use crate::validate::{Coverage, CoverageError, Place, Status, statuses};

/// What validators have compared with what centres told them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmed {
    /// Places of which a return is due, in all contests.
    pub due: usize,
    /// Validators whose lists were taken.
    pub validators: BTreeSet<String>,
    /// What they say, by place; places of which none says anything are not there.
    pub places: BTreeMap<Place, Told>,
}

/// What validators say of one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Those who heard what the log says.
    pub matched: BTreeSet<String>,
    /// Those who twice heard something else.
    pub differs: BTreeSet<String>,
    /// Those who ask again.
    pub asking: BTreeSet<String>,
    /// Those who heard what is not in the log.
    pub not_logged: BTreeSet<String>,
}

impl Confirmed {
    /// Places that a validator has confirmed and none says differs.
    pub fn confirmed(&self) -> usize {
        self.places.values().filter(|told| !told.matched.is_empty() && told.differs.is_empty()).count()
    }

    /// Places that a validator says differ, in order.
    pub fn differing(&self) -> impl Iterator<Item = (&Place, &Told)> {
        self.places.iter().filter(|(_, told)| !told.differs.is_empty())
    }

    /// Places that a validator heard and the log does not have, in order.
    pub fn not_logged(&self) -> impl Iterator<Item = (&Place, &Told)> {
        self.places.iter().filter(|(_, told)| !told.not_logged.is_empty())
    }

    /// How it is said: "confirmed 9 of 10 by validators v1, v2; differs: d1/1 in council; …".
    pub fn sentence(&self) -> String {
        let names = |all: &BTreeSet<String>| all.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        if self.validators.is_empty() {
            return format!("confirmed 0 of {}: no validator has said anything", self.due);
        }
        let mut text = format!(
            "confirmed {} of {} by validators {}",
            self.confirmed(),
            self.due,
            names(&self.validators)
        );
        let mut list = |word: &str, places: Vec<&Place>| {
            const MOST: usize = 10;
            let shown = places.iter().take(MOST).map(|(contest, unit)| format!("{unit} in {contest}"));
            let shown = shown.collect::<Vec<_>>().join(", ");
            let more = if places.len() > MOST {
                format!(" and {} more", places.len() - MOST)
            } else {
                String::new()
            };
            if !places.is_empty() {
                text += &format!("; {word}: {shown}{more}");
            }
        };
        list("differs", self.differing().map(|(place, _)| place).collect());
        list("heard but not in the log", self.not_logged().map(|(place, _)| place).collect());
        let asking =
            |told: &Told| !told.asking.is_empty() && told.differs.is_empty() && told.matched.is_empty();
        list("being asked again", self.places.iter().filter(|it| asking(it.1)).map(|it| it.0).collect());
        let is_heard = |told: &&Told| **told != Told::default();
        let not_heard = self.due - self.places.values().filter(is_heard).count();
        text + &format!("; not heard: {not_heard}")
    }
}

impl Reasons {
    /// Reads the coverage lists that the reader brings. One that is refused takes nothing from the election, and is named.
    pub(super) fn coverage(
        &mut self,
        election: &Election,
        checkpoint: &Checkpoint,
        leaves: &[Hash],
        trust: &Trust,
    ) -> Confirmed {
        let due = election.definition.contests.keys().map(|contest| election.due(contest).count()).sum();
        let mut confirmed = Confirmed { due, ..Confirmed::default() };
        let mut lists: BTreeMap<(String, u64, i64), Vec<Coverage>> = BTreeMap::new();
        for bytes in &trust.coverage {
            match Coverage::open(bytes, &election.definition, &election.fingerprint) {
                Ok(part) => {
                    let whose = (part.validator.clone(), part.checkpoint.size, part.time.0);
                    lists.entry(whose).or_default().push(part);
                }
                Err(error) => {
                    let code = match error {
                        CoverageError::Note(_) | CoverageError::Document(_) => "coverage-unreadable",
                        CoverageError::OtherElection => "coverage-other-election",
                        CoverageError::UnknownValidator(_) | CoverageError::Key(_) => "coverage-key",
                    };
                    self.add(Verdict::Ok, code, None, format!("a coverage list is not used: {error}"));
                }
            }
        }
        // The newest of each validator counts; what is older is what it thought before.
        let newest: BTreeMap<String, Vec<Coverage>> =
            lists.into_iter().map(|((validator, ..), parts)| (validator, parts)).collect();
        for (validator, parts) in newest {
            if self.fits(checkpoint, leaves, &validator, &parts[0].checkpoint) {
                self.list(election, &validator, &parts, &mut confirmed);
            }
        }
        self.disputes(&confirmed);
        confirmed
    }

    /// Whether the tree that a validator saw is this one, or contained in it.
    fn fits(&mut self, checkpoint: &Checkpoint, leaves: &[Hash], validator: &str, seen: &Checkpoint) -> bool {
        if seen.size > checkpoint.size {
            let (size, here) = (seen.size, checkpoint.size);
            let message = format!(
                "validator `{validator}` has compared {size} entries, and here are {here}: somebody shows an older state"
            );
            self.add(Verdict::Stale, "coverage-ahead", None, message);
            return false;
        }
        let Some(there) = leaves.get(..seen.size as usize) else {
            let message =
                format!("the list of validator `{validator}` is not used: not all entries are here");
            self.add(Verdict::Ok, "coverage-unchecked", None, message);
            return false;
        };
        if merkle::root(there) != seen.root {
            let message = format!(
                "validator `{validator}` says that it was shown another log of {} entries; ask it for the checkpoint",
                seen.size
            );
            self.add(Verdict::Disputed, "coverage-root", None, message);
            return false;
        }
        true
    }

    fn list(&mut self, election: &Election, validator: &str, parts: &[Coverage], confirmed: &mut Confirmed) {
        let all = match statuses(election, parts) {
            Ok(all) => all,
            Err(error) => {
                let message = format!("the list of validator `{validator}` is not used: {error}");
                self.add(Verdict::Ok, "coverage-list", None, message);
                return;
            }
        };
        confirmed.validators.insert(validator.to_owned());
        let size = parts[0].checkpoint.size;
        let mut n_older = 0;
        for (place, status) in all {
            let links = election.chains.get(&place).map_or(&[][..], |chain| chain.links());
            let is_in_question = links.last().is_some_and(|link| link.is_in_question);
            let is_older = links.last().is_some_and(|link| link.index >= size);
            if is_older {
                n_older += 1;
            }
            let is_stale = is_older || is_in_question;
            let told = confirmed.places.entry(place).or_default();
            let whose = match status {
                Status::Matched(_) if !is_stale && !links.is_empty() => &mut told.matched,
                // What it heard twice stays said, until it says something newer of the correction.
                Status::Differs => &mut told.differs,
                Status::HeardNotLogged if !is_older => &mut told.not_logged,
                Status::Asking => &mut told.asking,
                Status::Matched(_) | Status::HeardNotLogged | Status::NotHeard => continue,
            };
            whose.insert(validator.to_owned());
        }
        if n_older > 0 {
            let message = format!(
                "the list of validator `{validator}` covers {size} entries; {n_older} returns are newer, of which it says nothing"
            );
            self.add(Verdict::Ok, "coverage-old", None, message);
        }
    }

    fn disputes(&mut self, confirmed: &Confirmed) {
        let found: Vec<(String, String)> = confirmed
            .differing()
            .map(|((contest, unit), told)| {
                let who = told.differs.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                (format!("unit `{unit}` in contest `{contest}`"), who)
            })
            .collect();
        for (place, who) in found {
            let message = format!(
                "validator {who} twice heard something else of {place} than the log says; who is wrong this does not tell"
            );
            self.add(Verdict::Disputed, "differs", None, message);
        }
    }
}
