//! Small units: what a return must not give away.
//!
//! A station where three people voted tells how each of them did, or nearly. The definition names a least number of ballots, and
//! which units report together as one merged unit ([`merge`]). Two rules hold in the log:
//!
//! - a return speaks of no ballots at all, or of at least that many;
//! - a correction of a *merged* unit changes it by at least that many ballots, unless votes were only moved or both added
//!   and taken away. Else the difference of two revisions could be exactly the small station that was hidden in it. That holds
//!   against every earlier revision, those that were taken back or are in question too: all of them are public for ever. In a
//!   unit that is large by itself a correction by one vote is an ordinary typing error; whose ballot it was nobody can tell.

use std::collections::BTreeMap;

use crate::board::Refusal;
use crate::definition::Definition;
use crate::returns::Return;
use crate::tally::{Count, ListVotes, Tally};
use crate::votes::Votes;

/// Whether a return may be public, after all that was said of its unit before.
///
/// # Errors
/// [`Refusal::TooSmall`] and [`Refusal::SmallChange`].
pub fn judge<'r>(
    definition: &Definition,
    it: &Return,
    earlier: impl Iterator<Item = &'r Return>,
) -> Result<(), Refusal> {
    let least = definition.least_cast;
    let cast = ballots(&it.tally);
    if (1..least).contains(&cast) {
        return Err(Refusal::TooSmall { cast, least });
    }
    if !definition.merged.contains(&it.tally.unit) {
        return Ok(());
    }
    for before in earlier {
        // Votes on one side only: somebody's ballots came in or went out, and nothing hides them.
        let ((0, changed) | (changed, 0)) = difference(&before.tally, &it.tally) else { continue };
        if (1..least).contains(&changed) {
            return Err(Refusal::SmallChange { changed, before: before.revision, least });
        }
    }
    Ok(())
}

/// The ballots that a tally speaks of: cast, or else those that are named, or else the votes. A zero that the rest contradicts
/// hides nothing.
fn ballots(tally: &Tally) -> u64 {
    let cast = tally.count(&Count::Cast).unwrap_or_default();
    let named =
        [Count::Valid, Count::Blank, Count::Invalid].iter().filter_map(|count| tally.count(count)).sum();
    [cast, named, tally.votes()].into_iter().find(|n| *n > Votes::ZERO).unwrap_or_default().0
}

/// Votes by list and invalid ballots that one has more and fewer than the other.
fn difference(before: &Tally, after: &Tally) -> (u64, u64) {
    let vector = |tally: &Tally| -> BTreeMap<String, u64> {
        let lists = tally.lists.iter().map(|(id, list)| (format!("list {id}"), list.votes().0));
        let counts = [Count::Blank, Count::Invalid];
        let counts = counts.iter().filter_map(|count| Some((count.to_string(), tally.count(count)?.0)));
        lists.chain(counts).collect()
    };
    let (before, after) = (vector(before), vector(after));
    let (mut more, mut fewer) = (0, 0);
    for name in before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))) {
        let (old, new) = (before.get(name).unwrap_or(&0), after.get(name).unwrap_or(&0));
        more += new.saturating_sub(*old);
        fewer += old.saturating_sub(*new);
    }
    (more, fewer)
}

/// Sums what belongs to merged units, so that every tally is of a unit that reports. Tallies of units that the definition does
/// not know pass unchanged, to be refused with their name.
pub fn merge(definition: &Definition, tallies: Vec<Tally>) -> Vec<Tally> {
    let mut merged: BTreeMap<_, Tally> = BTreeMap::new();
    let mut out = Vec::new();
    for tally in tallies {
        let into = definition.merged_above(&tally.unit).filter(|unit| **unit != tally.unit);
        match into {
            Some(unit) => {
                let place = (tally.contest.clone(), unit.clone());
                let new = || Tally::new(tally.contest.clone(), unit.clone());
                add(merged.entry(place).or_insert_with(new), &tally);
            }
            None => out.push(tally),
        }
    }
    out.extend(merged.into_values());
    out
}

/// Adds the numbers of one unit to those of another in the same contest.
pub(crate) fn add(sum: &mut Tally, tally: &Tally) {
    for (count, n) in &tally.counts {
        sum.counts.entry(count.clone()).or_default().add(*n);
    }
    for (id, list) in &tally.lists {
        add_list(sum.lists.entry(id.clone()).or_default(), list);
    }
    for (mode, n) in &tally.modes {
        sum.modes.entry(mode.clone()).or_default().add(*n);
    }
}

/// Adds the votes of one list to those of another. Where only one of them states a total, the other's votes are its total.
pub(crate) fn add_list(sum: &mut ListVotes, list: &ListVotes) {
    if sum.total.is_some() || list.total.is_some() {
        sum.total = Some([sum.votes(), list.votes()].into_iter().sum());
    }
    if sum.list_only.is_some() || list.list_only.is_some() {
        sum.list_only = Some([sum.list_only, list.list_only].into_iter().flatten().sum());
    }
    for (number, n) in &list.candidates {
        sum.candidates.entry(*number).or_default().add(*n);
    }
}
