//! Seats of a contest, whose last one is close, and whether votes to come can move one.

use std::collections::BTreeMap;

use maud::{Markup, html};
use results::definition::{Contest, Method};
use results::id::{ContestId, ListId};
use results::seats::{Claimant, Outcome, Stability, Standings};
use results::tally::Count;
use results::totals::{self, Sum};

use crate::Site;
use crate::words::{Words, fill, shown};

/// What the votes that are counted give.
pub(crate) struct Seats<'s> {
    contest: &'s Contest,
    pub(crate) outcome: Outcome,
    stability: Option<Stability>,
    /// The most votes that can still come, where that is known.
    to_come: Option<u64>,
    n_missing: usize,
}

/// The seats of a contest; nothing where it has none or they cannot be computed.
pub(crate) fn of<'s>(site: &'s Site<'_>, id: &ContestId, sum: &Sum) -> Option<Seats<'s>> {
    let election = site.election();
    let contest = &election.definition.contests[id];
    if contest.method == Method::None || contest.seats == 0 || sum.counted == 0 {
        return None;
    }
    let known = sum.tally.lists.iter().filter(|(id, _)| contest.lists.contains_key(*id));
    let votes: BTreeMap<ListId, u64> = known.map(|(id, list)| (id.clone(), list.votes().0)).collect();
    let valid = sum.tally.count(&Count::Valid).unwrap_or_else(|| sum.tally.votes()).0;
    let standings = Standings::of(contest, &votes, valid).ok()?;
    let missing = totals::missing(election, id);
    let mut to_come = Some(0_u64);
    for unit in &missing {
        let unit = &election.definition.units[unit];
        let most = unit.eligible.filter(|_| unit.kind.bounds_turnout());
        let most = most.map(|people| people.saturating_mul(u64::from(contest.votes_per_ballot)));
        to_come = to_come.zip(most).map(|(sum, most)| sum.saturating_add(most));
    }
    let stability = to_come.map(|votes| standings.could_change(votes));
    Some(Seats { contest, outcome: standings.allocate(), stability, to_come, n_missing: missing.len() })
}

impl Seats<'_> {
    /// Sentences below the table.
    pub(crate) fn notes(&self, words: &Words) -> Markup {
        let t = &words.t;
        let (seats, outcome) = (words.n(u64::from(self.contest.seats)), &self.outcome);
        let names = |ids: &mut dyn Iterator<Item = &ListId>| {
            let names: Vec<String> = ids.take(NAMED).map(|id| self.list(id)).collect();
            names.join(", ")
        };
        html! {
            p { (fill(t.seats_by, &[&seats, method(self.contest.method)])) }
            @for tie in outcome.ties.iter().take(NAMED) {
                p { strong { (fill(t.tie, &[&words.n(u64::from(tie.seats)), &names(&mut tie.among.iter())])) } }
            }
            @if let Some(last) = &outcome.last_seat {
                p { (fill(t.last_seat, &[&self.claimant(&last.holder), &self.claimant(&last.runner_up), &words.n(last.votes_to_take)])) }
            }
            @if outcome.unfilled > 0 { p { (fill(t.unfilled, &[&words.n(u64::from(outcome.unfilled))])) } }
            @if !outcome.excluded.is_empty() { p.soft { (fill(t.excluded, &[&names(&mut outcome.excluded.iter())])) } }
            p { (self.to_come(words)) }
        }
    }

    fn to_come(&self, words: &Words) -> String {
        let t = &words.t;
        if self.n_missing == 0 {
            return format!("{} {}", t.no_missing, t.not_final);
        }
        let votes = self.to_come.map(|votes| words.n(votes));
        match (&votes, &self.stability) {
            (Some(votes), Some(Stability::Settled { .. })) => fill(t.settled, &[votes]),
            (Some(votes), Some(Stability::MayMove(it))) => match &it.to {
                Some(to) if it.certain => fill(t.may_move, &[votes, &self.claimant(to), &words.n(it.votes)]),
                _ => fill(t.may_move_unsure, &[votes]),
            },
            _ => t.unknown_move.to_owned(),
        }
    }

    fn list(&self, id: &ListId) -> String {
        let name = self.contest.lists.get(id).map_or("", |list| list.name.as_str());
        shown(if name.trim().is_empty() { id.as_str() } else { name }, crate::page::NAME)
    }

    fn claimant(&self, claimant: &Claimant) -> String {
        match claimant {
            Claimant::List(id) => self.list(id),
            Claimant::Connection(path) => shown(&path.join(" / "), crate::page::NAME),
        }
    }
}

/// Lists that a sentence names.
const NAMED: usize = 20;

/// The name of a method, which is that of a person in every language.
fn method(method: Method) -> &'static str {
    match method {
        Method::DHondt => "D’Hondt",
        Method::SainteLague => "Sainte-Laguë",
        Method::ModifiedSainteLague => "Sainte-Laguë (1.4)",
        Method::HagenbachBischoff => "Hagenbach-Bischoff",
        Method::HareRemainder => "Hare",
        Method::DroopRemainder => "Droop",
        Method::Plurality => "plurality",
        Method::None => "–",
    }
}
