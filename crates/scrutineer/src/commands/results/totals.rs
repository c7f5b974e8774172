//! `scrutineer results totals`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use results::board::Election;
use results::id::{ContestId, UnitId};
use results::tally::{Count, Tally};
use results::totals::{self, Coverage, Sum};

use super::super::{CommandError, Done, put};
use super::{ResultsError, place, source};
use crate::words::{percent, thousands};

/// Arguments of `scrutineer results totals`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results totals night
  scrutineer results totals night --unit 6001 --json
  scrutineer results totals night --stated official.csv --mapping official.toml
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
    /// A file that states totals, to compare with
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    stated: Option<PathBuf>,
    /// Mapping of that file: a built-in one, or a file with one
    #[arg(long, value_name = "NAME|FILE", requires = "stated")]
    mapping: Option<String>,
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
        let contest = place::contest(&election.definition, self.contest.as_deref())?;
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
        if let Some(stated) = self.stated(contest, unit)? {
            text.push('\n');
            text.push_str(&coverage_text(&totals::coverage(&stated, &sum.tally)));
        }
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

impl Totals {
    /// The last thing that the file states of the unit.
    fn stated(&self, contest: &ContestId, unit: &UnitId) -> Result<Option<Tally>, ResultsError> {
        let Some(file) = &self.stated else { return Ok(None) };
        let mapping = self.mapping.as_deref().map(source::mapping).transpose()?;
        let read = source::sources(file, mapping.as_ref())?.swap_remove(0).read;
        let mut tallies = read.stated.into_iter().chain(read.tallies).rev();
        let found = tallies.find(|tally| tally.unit == *unit && tally.contest == *contest);
        let missing = || ResultsError::Unknown { what: "stated total for unit", name: unit.to_string() };
        found.map(Some).ok_or_else(missing)
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

/// What somebody states beside what leaves add to.
pub(super) fn coverage_text(coverage: &Coverage) -> String {
    if coverage.is_whole() {
        return "Leaves cover everything that is stated.\n".to_owned();
    }
    let mut text = String::new();
    if coverage.uncovered.0 > 0 {
        text.push_str(&format!("{} votes are stated that no return covers", thousands(coverage.uncovered.0)));
        let lists = coverage.lists.iter().filter(|(_, (said, summed))| said > summed);
        let lists: Vec<String> =
            lists.map(|(id, (said, summed))| format!("{id} {}", thousands(said.0 - summed.0))).collect();
        text.push_str(&format!(": {}.\n", lists.join(", ")));
    }
    if coverage.beyond.0 > 0 {
        text.push_str(&format!(
            "{} votes are in returns that the stated total does not have: at least one side is wrong.\n",
            thousands(coverage.beyond.0)
        ));
    }
    for (count, (said, summed)) in coverage.counts.iter().filter(|(_, (said, summed))| said != summed) {
        text.push_str(&format!(
            "{count}: stated {}, in returns {}.\n",
            thousands(said.0),
            thousands(summed.0)
        ));
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
