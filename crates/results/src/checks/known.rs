//! Names that the definition knows, and bounds that it sets.

use std::collections::BTreeMap;

use super::{Facts, Finding};
use crate::definition::{Contest, UnitKind};
use crate::id::{CandidateNumber, ListId};
use crate::tally::{Count, Tally};

pub(super) fn check(facts: &Facts, tally: &Tally, findings: &mut Vec<Finding>) {
    let unit = facts.units.get(&tally.unit);
    let contest = facts.contests.get(&tally.contest);
    if unit.is_none() {
        let message = format!("The definition has no unit {}.", tally.unit);
        findings.push(Finding::new("unknown-unit", tally, "unit", message));
    }
    match contest {
        None => {
            let message = format!("The definition has no contest {}.", tally.contest);
            findings.push(Finding::new("unknown-contest", tally, "contest", message));
        }
        Some(contest) => {
            if unit.is_some() && !facts.is_under(&tally.unit, &contest.unit) {
                let message = format!(
                    "Unit {} does not vote in contest {}, which is of {}.",
                    tally.unit, tally.contest, contest.unit
                );
                findings.push(Finding::new("unit-not-in-contest", tally, "unit", message));
            }
            names(contest, tally, findings);
            votes_bound(contest, tally, findings);
        }
    }
    turnout_bound(facts, tally, findings);
    mode_sums(tally, findings);
}

fn names(contest: &Contest, tally: &Tally, findings: &mut Vec<Finding>) {
    let from_modes = tally.modes.keys().map(|(_, list, candidate)| (list, *candidate));
    let from_lists = tally.lists.iter().flat_map(|(list, votes)| {
        std::iter::once((list, None)).chain(votes.candidates.keys().map(move |&number| (list, Some(number))))
    });
    let stated: std::collections::BTreeSet<(&ListId, Option<CandidateNumber>)> =
        from_lists.chain(from_modes).collect();
    let mut said = None;
    for (list, candidate) in stated {
        match (contest.lists.get(list), candidate) {
            (None, _) if said == Some(list) => {}
            (None, _) => {
                said = Some(list);
                let message = format!("Contest {} has no list {list}.", tally.contest);
                findings.push(Finding::new("unknown-list", tally, format!("list {list}"), message));
            }
            (Some(known), Some(number)) if !known.candidates.contains_key(&number) => {
                let message = format!("List {list} of contest {} has no candidate {number}.", tally.contest);
                let field = format!("list {list} candidate {number}");
                findings.push(Finding::new("unknown-candidate", tally, field, message));
            }
            (Some(_), _) => {}
        }
    }
}

/// Where one ballot has one vote and the valid ballots are stated, F.202 and F.204 say more than a bound.
fn votes_bound(contest: &Contest, tally: &Tally, findings: &mut Vec<Finding>) {
    let valid = tally.count(&Count::Valid);
    if contest.votes_per_ballot == 1 && valid.is_some() {
        return;
    }
    let Some(ballots) = valid.or_else(|| tally.count(&Count::Cast)) else { return };
    let votes = u128::from(tally.votes().0);
    let most = u128::from(ballots.0) * u128::from(contest.votes_per_ballot);
    if votes > most {
        let message = format!(
            "The lists have {votes} votes together, while {ballots} ballots with {} votes each have {most} at most.",
            contest.votes_per_ballot
        );
        findings.push(Finding::new("votes-bound", tally, "votes", message));
    }
}

fn turnout_bound(facts: &Facts, tally: &Tally, findings: &mut Vec<Finding>) {
    let Some(unit) = facts.units.get(&tally.unit).filter(|unit| UnitKind::bounds_turnout(unit.kind)) else {
        return;
    };
    let Some(cast) = tally.count(&Count::Cast) else { return };
    let Some(eligible) = tally.count(&Count::Eligible).map(|votes| votes.0).or(unit.eligible) else { return };
    if cast.0 > eligible {
        let message = format!("{cast} ballots were cast (H), while {eligible} people may vote here.");
        findings.push(Finding::new("turnout-bound", tally, "cast", message));
    }
}

fn mode_sums(tally: &Tally, findings: &mut Vec<Finding>) {
    let mut sums: BTreeMap<(&ListId, Option<CandidateNumber>), u128> = BTreeMap::new();
    for ((_, list, candidate), votes) in &tally.modes {
        *sums.entry((list, *candidate)).or_default() += u128::from(votes.0);
    }
    for ((list, candidate), sum) in sums {
        let Some(votes) = tally.lists.get(list) else { continue };
        let (stated, field) = match candidate {
            Some(number) => {
                (votes.candidates.get(&number).copied(), format!("list {list} candidate {number}"))
            }
            None => (Some(tally.votes_of(votes)), format!("list {list}")),
        };
        let Some(stated) = stated.filter(|stated| u128::from(stated.0) != sum) else { continue };
        let message =
            format!("The votes of {field} by way of voting add to {sum}, while {stated} are stated.");
        findings.push(Finding::new("mode-sum", tally, field, message));
    }
}
