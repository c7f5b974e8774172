//! `scrutineer results seats`.

use std::collections::BTreeMap;

use clap::Args;
use results::board::Election;
use results::definition::Contest;
use results::id::{ContestId, ListId, UnitId};
use results::seats::{Claimant, Move, Outcome, Stability, Standings, Why};
use results::tally::Count;
use results::totals::{self, Sum};

use super::super::{CommandError, Done, put};
use super::{ResultsError, place};
use crate::words::thousands;

/// Arguments of `scrutineer results seats`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results seats night
  scrutineer results seats night --uncovered 11661
  scrutineer results seats https://results.example.org/2026 --contest ep --json

Computes the seats from the returns in the log by the method that the definition names, and says whether votes that no return
covers could move one. Those are --uncovered, where somebody states more votes than the returns add to, or else all people who
may vote in the units without a return. A tie is told; nothing here draws a lot.")]
pub(super) struct Seats {
    /// Folder, address or bundle of the log
    #[arg(value_name = "LOG")]
    log: String,
    /// The contest, where there are several
    #[arg(long, value_name = "ID")]
    contest: Option<String>,
    /// Votes that are known to exist and that no return covers
    #[arg(long, value_name = "VOTES")]
    uncovered: Option<u64>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

impl Seats {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let board = place::board(&self.log)?;
        let election = place::election(&board, &self.log)?;
        let contest = place::contest(&election.definition, self.contest.as_deref())?;
        let allocation = Allocation::of(election, contest, self.uncovered)
            .map_err(|reason| ResultsError::Argument { text: reason, what: "distribution of seats" })?;
        put(&if self.json { allocation.json() } else { allocation.text() })?;
        Ok(Done::Quiet)
    }
}

/// The seats of one contest, and what could move them.
pub(super) struct Allocation<'e> {
    id: &'e ContestId,
    contest: &'e Contest,
    pub(super) outcome: Outcome,
    /// Votes that may still come, and whether somebody said so; nothing where neither is known.
    uncovered: Option<(u64, bool)>,
    pub(super) stability: Option<Stability>,
    missing: usize,
    votes: BTreeMap<ListId, u64>,
}

impl<'e> Allocation<'e> {
    pub(super) fn of(
        election: &'e Election,
        id: &'e ContestId,
        uncovered: Option<u64>,
    ) -> Result<Self, String> {
        let contest = &election.definition.contests[id];
        let totals = totals::totals(election);
        let sum = &totals[&(id.clone(), contest.unit.clone())];
        let votes = votes(contest, sum);
        let valid = sum.tally.count(&Count::Valid).unwrap_or_else(|| sum.tally.votes()).0;
        let standings = Standings::of(contest, &votes, valid).map_err(|error| error.to_string())?;
        let missing: Vec<UnitId> = totals::missing(election, id).into_iter().collect();
        let uncovered = match uncovered {
            Some(votes) => Some((votes, true)),
            None => could_come(election, contest, &missing).map(|votes| (votes, false)),
        };
        let stability = uncovered.map(|(votes, _)| standings.could_change(votes));
        Ok(Self {
            id,
            contest,
            outcome: standings.allocate(),
            uncovered,
            stability,
            missing: missing.len(),
            votes,
        })
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let (seats, method) = (self.contest.seats, self.contest.method.name());
        let mut text = format!("{}: {seats} seats by {method}.\n\n", self.contest.title);
        let mut lists: Vec<(&ListId, &u32)> = self.outcome.seats.iter().filter(|(_, n)| **n > 0).collect();
        lists.sort_by(|a, b| {
            b.1.cmp(a.1).then(self.votes.get(b.0).cmp(&self.votes.get(a.0))).then(a.0.cmp(b.0))
        });
        for (id, n) in lists {
            let votes = thousands(self.votes.get(id).copied().unwrap_or(0));
            text.push_str(&format!("{n:>5}  {votes:>12} votes  {id}  {}\n", self.name(id)));
        }
        for tie in &self.outcome.ties {
            let among: Vec<String> = tie.among.iter().map(|id| format!("{id} {}", self.name(id))).collect();
            let seats =
                if tie.seats == 1 { "1 seat is".to_owned() } else { format!("{} seats are", tie.seats) };
            text.push_str(&format!(
                "\n{seats} tied between {}: the law says how to decide.\n",
                among.join(", ")
            ));
        }
        if self.outcome.unfilled > 0 {
            text.push_str(&format!("\n{} seats cannot be filled.\n", self.outcome.unfilled));
        }
        if let Some(last) = &self.outcome.last_seat {
            let (holder, runner_up) = (self.claimant(&last.holder), self.claimant(&last.runner_up));
            let votes = thousands(last.votes_to_take);
            text.push_str(&format!(
                "\nThe last seat went to {holder}; {runner_up} would need {votes} more votes for it.\n"
            ));
        }
        text.push_str(&self.open());
        text
    }

    /// What may still come, and what it could do.
    fn open(&self) -> String {
        let units = match self.missing {
            0 => "Every unit has reported.".to_owned(),
            1 => "1 unit has not reported.".to_owned(),
            n => format!("{n} units have not reported."),
        };
        let Some((votes, is_stated)) = self.uncovered else {
            return format!(
                "\n{units} How many may vote there is not known, so nobody can say whether a seat is settled.\n"
            );
        };
        let votes = thousands(votes);
        let covered = if is_stated {
            format!("{units} {votes} votes are stated that no return covers.")
        } else {
            format!("{units} At most {votes} votes may come from there.")
        };
        let could = match &self.stability {
            Some(Stability::Settled { .. }) => "They cannot move a seat.".to_owned(),
            Some(Stability::MayMove(it)) => self.movement(it),
            Some(Stability::NotComputed) | None => String::new(),
        };
        if self.uncovered.is_some_and(|(votes, _)| votes == 0) {
            return format!("\n{units}\n");
        }
        format!("\n{covered} {could}\n")
    }

    fn movement(&self, it: &Move) -> String {
        let may = if it.certain {
            "They could move a seat"
        } else {
            "It cannot be ruled out that they move a seat"
        };
        let to = it.to.as_ref().map_or_else(|| "a list".to_owned(), |to| self.claimant(to));
        let how = match it.why {
            Why::Overtakes => "overtakes for it",
            Why::DecidesTie => "decides a tie",
            Why::FillsSeat => "fills a seat",
            Why::Enters => "reaches the threshold",
            Why::Falls => "falls below the threshold",
        };
        format!("{may}: {to} {how} with {} of them.", thousands(it.votes))
    }

    fn name(&self, id: &ListId) -> &str {
        self.contest.lists.get(id).map_or("", |list| list.name.as_str())
    }

    fn claimant(&self, claimant: &Claimant) -> String {
        match claimant {
            Claimant::List(id) => format!("{id} {}", self.name(id)).trim_end().to_owned(),
            Claimant::Connection(path) => format!("connection {}", path.join("/")),
        }
    }

    pub(super) fn json(&self) -> String {
        let seats: serde_json::Map<String, serde_json::Value> =
            self.outcome.seats.iter().map(|(id, n)| (id.to_string(), (*n).into())).collect();
        let ties: Vec<serde_json::Value> = self
            .outcome
            .ties
            .iter()
            .map(|tie| {
                let among: Vec<&str> = tie.among.iter().map(ListId::as_str).collect();
                serde_json::json!({ "seats": tie.seats, "among": among })
            })
            .collect();
        let stability = match &self.stability {
            None | Some(Stability::NotComputed) => serde_json::Value::Null,
            Some(Stability::Settled { .. }) => serde_json::json!({ "settled": true }),
            Some(Stability::MayMove(it)) => serde_json::json!({
                "settled": false, "certain": it.certain, "votes": it.votes, "to": it.to.as_ref().map(|to| self.claimant(to)),
            }),
        };
        let value = serde_json::json!({
            "contest": self.id.as_str(),
            "method": self.contest.method.name(),
            "seats": seats,
            "ties": ties,
            "unfilled": self.outcome.unfilled,
            "missing_units": self.missing,
            "uncovered": self.uncovered.map(|(votes, _)| votes),
            "stability": stability,
        });
        format!("{value}\n")
    }
}

fn votes(contest: &Contest, sum: &Sum) -> BTreeMap<ListId, u64> {
    let votes = |id: &ListId| sum.tally.lists.get(id).map_or(0, |list| list.votes().0);
    contest.lists.keys().map(|id| (id.clone(), votes(id))).collect()
}

/// The most votes that units without a return could give; nothing where it is not known how many may vote in one of them.
fn could_come(election: &Election, contest: &Contest, missing: &[UnitId]) -> Option<u64> {
    let mut votes = 0_u64;
    for unit in missing {
        let unit = &election.definition.units[unit];
        let eligible = unit.eligible.filter(|_| unit.kind.bounds_turnout())?;
        votes = votes.saturating_add(eligible.saturating_mul(u64::from(contest.votes_per_ballot)));
    }
    Some(votes)
}
