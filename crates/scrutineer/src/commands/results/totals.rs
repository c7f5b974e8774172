//! `scrutineer results totals`.

use clap::Args;
use results::board::Election;
use results::id::{ContestId, UnitId};
use results::tally::Count;
use results::totals::{self, Sum};

use super::super::{CommandError, Done, put};
use super::{ResultsError, place};
use crate::words::{percent, thousands};

/// Arguments of `scrutineer results totals`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results totals night
  scrutineer results totals night --unit 6001 --json
  scrutineer results totals https://results.example.org/2026 --contest ep --levels

Sums are made of the returns in the log and of nothing else. Units without a return are named, never filled in.")]
pub(super) struct Totals {
    /// Folder, address or bundle of the log
    #[arg(value_name = "LOG")]
    log: String,
    /// The contest, where there are several
    #[arg(long, value_name = "ID")]
    contest: Option<String>,
    /// The unit; the top of the contest unless said
    #[arg(long, value_name = "ID")]
    unit: Option<String>,
    /// One line for each unit directly below
    #[arg(long)]
    levels: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Missing units that are named; --json names all.
const MISSING_SHOWN: usize = 12;

impl Totals {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let board = place::board(&self.log)?;
        let election = place::election(&board, &self.log)?;
        let contest = place::contest(election, self.contest.as_deref())?;
        let unit = match &self.unit {
            Some(name) => place::unit(election, name)?,
            None => &election.definition.contests[contest].unit,
        };
        let totals = totals::totals(election);
        let found = totals.get(&(contest.clone(), unit.clone()));
        let sum =
            found.ok_or_else(|| ResultsError::Unknown { what: "votes in unit", name: unit.to_string() })?;
        let missing: Vec<UnitId> = totals::missing(election, contest)
            .into_iter()
            .filter(|each| election.definition.is_under(each, unit))
            .collect();
        if self.json {
            put(&format!("{}\n", json(contest, unit, sum, &missing)))?;
            return Ok(Done::Quiet);
        }
        let mut text = text(election, contest, unit, sum, &missing);
        if self.levels {
            text.push('\n');
            for (id, _) in election.definition.units.iter().filter(|(_, it)| it.parent.as_ref() == Some(unit))
            {
                if let Some(sum) = totals.get(&(contest.clone(), id.clone())) {
                    text.push_str(&level(election, id, sum));
                }
            }
        }
        put(&text)?;
        Ok(Done::Quiet)
    }
}

/// The sum of one unit, for people: one sentence, then the lists by votes.
pub(super) fn text(
    election: &Election,
    contest: &ContestId,
    unit: &UnitId,
    sum: &Sum,
    missing: &[UnitId],
) -> String {
    let name = &election.definition.units[unit].name;
    let mut text = format!(
        "{name}: {} of {} units have reported, {} votes.\n\n",
        thousands(sum.counted),
        thousands(sum.due),
        thousands(sum.tally.votes().0)
    );
    let known = &election.definition.contests[contest].lists;
    let all = sum.tally.votes().0.max(1);
    let mut lists: Vec<_> = sum.tally.lists.iter().map(|(id, list)| (list.votes(), id)).collect();
    lists.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    for (votes, id) in lists {
        let share = percent(votes.0 as f64 / all as f64);
        let name = known.get(id).map_or("", |list| list.name.as_str());
        text.push_str(&format!("{:>12}  {share:>7}  {id}  {name}\n", thousands(votes.0)));
    }
    text.push('\n');
    for (count, n) in &sum.tally.counts {
        if !matches!(count, Count::Other(_)) {
            text.push_str(&format!("{:>12}           {count}\n", thousands(n.0)));
        }
    }
    if sum.in_question > 0 {
        text.push_str(&format!("\n{} units are in question since a key was revoked.\n", sum.in_question));
    }
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().take(MISSING_SHOWN).map(UnitId::as_str).collect();
        let more = missing.len().saturating_sub(MISSING_SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.push_str(&format!("\nNo return yet from {}{more}.\n", names.join(", ")));
    }
    text
}

fn level(election: &Election, id: &UnitId, sum: &Sum) -> String {
    let name = &election.definition.units[id].name;
    let votes = thousands(sum.tally.votes().0);
    format!("{votes:>12}  {:>5} of {:>5} units  {id}  {name}\n", sum.counted, sum.due)
}

fn json(contest: &ContestId, unit: &UnitId, sum: &Sum, missing: &[UnitId]) -> serde_json::Value {
    let lists: serde_json::Map<String, serde_json::Value> = sum
        .tally
        .lists
        .iter()
        .map(|(id, list)| {
            let candidates: serde_json::Map<String, serde_json::Value> =
                list.candidates.iter().map(|(number, n)| (number.to_string(), n.0.into())).collect();
            (id.to_string(), serde_json::json!({ "votes": list.votes().0, "candidates": candidates }))
        })
        .collect();
    let counts: serde_json::Map<String, serde_json::Value> =
        sum.tally.counts.iter().map(|(count, n)| (count.to_string(), n.0.into())).collect();
    let missing: Vec<&str> = missing.iter().map(UnitId::as_str).collect();
    serde_json::json!({
        "contest": contest.as_str(),
        "unit": unit.as_str(),
        "due": sum.due,
        "counted": sum.counted,
        "in_question": sum.in_question,
        "votes": sum.tally.votes().0,
        "lists": lists,
        "counts": counts,
        "missing": missing,
    })
}
