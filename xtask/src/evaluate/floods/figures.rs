//! Plain figures of an event, and how well each alone tells floods from crowds: none may do so, or the mixer
//! gives the truth away.

use std::collections::{BTreeMap, BTreeSet};

use exercise::web::Mix;
use traffic::Address;
use traffic::request::{Query, Request, Resource};

/// What they are called.
pub(super) const FIGURES: [&str; 17] = [
    "requests",
    "requests a client",
    "share of requests by clients seen before",
    "share of requests from networks seen before",
    "share without referer",
    "agents a client",
    "distinct agents",
    "share of pictures and styles",
    "share of polls",
    "share of the most asked-for path",
    "share not found",
    "share with a random query",
    "clients in the busiest /24",
    "share of clients with pages and no picture or style",
    "share of clients with one request",
    "the same, as a multiple of before",
    "the calendar has the event",
];

/// The figures of a mix, in that order.
pub(super) fn of(mix: &Mix) -> [f64; FIGURES.len()] {
    let from = mix.rows.partition_point(|row| row.time < mix.onset);
    let (earlier, rows) = mix.rows.split_at(from);
    let seen: BTreeSet<Address> = earlier.iter().map(|row| mix.client(row)).collect();
    let networks: BTreeSet<Address> = seen.iter().map(|client| client.network(16, 32)).collect();
    let clients: BTreeSet<Address> = rows.iter().map(|row| mix.client(row)).collect();
    let pairs: BTreeSet<(Address, i64)> = rows.iter().map(|row| (mix.client(row), row.agent)).collect();
    let agents: BTreeSet<i64> = rows.iter().map(|row| row.agent).collect();
    let mut near: BTreeMap<Address, usize> = BTreeMap::new();
    for client in &clients {
        *near.entry(client.network(24, 48)).or_default() += 1;
    }
    let mut paths: BTreeMap<i64, usize> = BTreeMap::new();
    for row in rows {
        *paths.entry(row.path).or_default() += 1;
    }
    let bare = bare(mix, rows);
    let single = single(mix, rows);
    let single_before = single_by_window(mix, earlier);
    let n = rows.len().max(1) as f64;
    let share = |of: &dyn Fn(&Request) -> bool| rows.iter().filter(|row| of(row)).count() as f64 / n;
    let most = |counts: &mut dyn Iterator<Item = usize>| counts.max().unwrap_or(0) as f64;
    [
        n,
        n / clients.len().max(1) as f64,
        share(&|row| seen.contains(&mix.client(row))),
        share(&|row| networks.contains(&mix.client(row).network(16, 32))),
        share(&|row| row.referer_host < 0),
        pairs.len() as f64 / clients.len().max(1) as f64,
        agents.len() as f64,
        share(&|row| row.resource == Resource::Asset.code()),
        share(&|row| row.resource == Resource::Api.code()),
        most(&mut paths.into_values()) / n,
        share(&|row| row.status == 404),
        share(&|row| row.query_kind == Query::Random.code()),
        most(&mut near.into_values()),
        bare,
        single,
        single / single_before.max(0.01),
        f64::from(u8::from(mix.plan.declared)),
    ]
}

/// Share of clients that asked for pages and for nothing that pages bring along.
fn bare(mix: &Mix, rows: &[Request]) -> f64 {
    let mut clients: BTreeMap<Address, (bool, bool)> = BTreeMap::new();
    for row in rows {
        let seen = clients.entry(mix.client(row)).or_default();
        seen.0 |= row.resource == Resource::Page.code();
        seen.1 |= row.resource == Resource::Asset.code();
    }
    let with_pages = clients.values().filter(|seen| seen.0).count();
    clients.values().filter(|seen| seen.0 && !seen.1).count() as f64 / with_pages.max(1) as f64
}

/// Share of clients with one request.
fn single(mix: &Mix, rows: &[Request]) -> f64 {
    let mut clients: BTreeMap<Address, usize> = BTreeMap::new();
    for row in rows {
        *clients.entry(mix.client(row)).or_default() += 1;
    }
    clients.values().filter(|n| **n == 1).count() as f64 / clients.len().max(1) as f64
}

/// The same before the event, in stretches as long as it.
fn single_by_window(mix: &Mix, rows: &[Request]) -> f64 {
    let length = mix.plan.event_s * 1000;
    let shares: Vec<f64> = rows
        .chunk_by(|a, b| a.time.div_euclid(length) == b.time.div_euclid(length))
        .map(|window| single(mix, window))
        .collect();
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

/// Chance that one of `high`, drawn at random, is greater than one of `low`; ties count half (the area under the
/// ROC curve).
pub(super) fn area(low: &[f64], high: &[f64]) -> Option<f64> {
    if low.is_empty() || high.is_empty() {
        return None;
    }
    let pairs = low.iter().flat_map(|a| high.iter().map(move |b| (a, b)));
    let won: f64 = pairs.map(|(a, b)| if b > a { 1.0 } else { 0.5 * f64::from(u8::from(a == b)) }).sum();
    Some(won / (low.len() * high.len()) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_of_small_sets() {
        assert_eq!(area(&[1.0, 2.0], &[3.0]), Some(1.0));
        assert_eq!(area(&[1.0, 3.0], &[2.0]), Some(0.5));
        assert_eq!(area(&[2.0], &[2.0]), Some(0.5));
        assert_eq!(area(&[], &[2.0]), None);
    }
}
