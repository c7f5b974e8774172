//! Small allocations that can be checked by hand, and properties.

mod change;
mod properties;
mod rules;

use std::fmt::Write as _;

use super::*;

/// Lists written as `A=100 B=90@x C=80@x/y`: votes, connection, sub-connection.
fn lists(text: &str) -> BTreeMap<ListId, Standing> {
    let list = |word: &str| {
        let (id, rest) = word.split_once('=').expect("an id and votes");
        let (votes, groups) = rest.split_once('@').unwrap_or((rest, ""));
        let mut groups = groups.split('/').filter(|name| !name.is_empty()).map(str::to_owned);
        let standing = Standing {
            votes: votes.parse().expect("a number"),
            connection: groups.next(),
            sub_connection: groups.next(),
        };
        (ListId::new(id).expect("an id"), standing)
    };
    text.split_whitespace().map(list).collect()
}

/// Standings without a threshold.
fn standings(seats: u32, method: Method, text: &str) -> Standings {
    with_threshold(seats, method, 0, text)
}

/// Standings whose threshold is measured by the votes of all lists.
fn with_threshold(seats: u32, method: Method, threshold: u32, text: &str) -> Standings {
    let lists = lists(text);
    let valid = lists.values().map(|each| each.votes).sum();
    Standings::new(seats, method, threshold, valid, lists).expect("standings")
}

/// The outcome in one line: `A 2, B 1, tie 1 among C D, unfilled 1, excluded E`.
fn told(outcome: &Outcome) -> String {
    let mut parts: Vec<String> =
        outcome.seats.iter().filter(|&(_, &n)| n > 0).map(|(id, n)| format!("{id} {n}")).collect();
    for tie in &outcome.ties {
        let mut part = format!("tie {} among", tie.seats);
        tie.among.iter().for_each(|id| {
            let _ = write!(part, " {id}");
        });
        for path in &tie.connections {
            let _ = write!(part, " ({})", Claimant::Connection(path.clone()));
        }
        parts.push(part);
    }
    if outcome.unfilled > 0 {
        parts.push(format!("unfilled {}", outcome.unfilled));
    }
    if !outcome.excluded.is_empty() {
        let ids: Vec<&str> = outcome.excluded.iter().map(ListId::as_str).collect();
        parts.push(format!("excluded {}", ids.join(" ")));
    }
    parts.join(", ")
}

fn allocated(seats: u32, method: Method, text: &str) -> String {
    told(&standings(seats, method, text).allocate())
}

/// What one change would be: `3 to C from A (Overtakes)`.
fn moved(change: &Move) -> String {
    let name = |claimant: &Option<Claimant>| claimant.as_ref().map_or("nobody".into(), ToString::to_string);
    let sure = if change.certain { "" } else { ", perhaps" };
    format!("{} to {} from {} ({:?}{sure})", change.votes, name(&change.to), name(&change.from), change.why)
}
