//! What a report shows of a rise: its minutes, the reasons for the verdict, and what may be blocked.

use domain::{BlockRule, Blockable, Reason, Series, Spared, Timestamp};

use crate::case::Case;
use crate::stats::figures::rounded;

use super::block::{Blocking, Rule, RulePath, TTL_S};
use super::gather::{MINUTE, Referer};
use super::rises::RiseRow;
use super::score::{Look, Scored};
use super::verdict::Seen;
use super::weights::Sign;

/// Sources that are named; the counts are whole.
const SOURCES: usize = 50;
/// Signs that are told.
const REASONS: usize = 12;
/// Addresses of many that are named.
const SPARED: usize = 5;

/// Requests by minute, with what is usual and the bar above which two of three minutes are a rise.
pub(super) fn series(row: &RiseRow, name: &str) -> Option<Series> {
    let &(first, _) = row.minutes.first()?;
    Some(Series {
        name: format!("Requests for {name}"),
        unit: "requests".to_owned(),
        step_s: 60.0,
        start: Timestamp(first * MINUTE),
        values: row.minutes.iter().map(|(_, n)| *n as f64).collect(),
        expected: Some(rounded(row.rise.usual.median)),
        threshold: Some(rounded(row.rise.usual.bar())),
    })
}

/// The signs with their weights and the share of requests whose clients show them: those first that move
/// the sum over all clients most.
pub(super) fn reasons(look: &Look) -> Vec<Reason> {
    let load = |one: &Scored| one.client.did.n * one.client.weight;
    let all: f64 = look.clients.iter().map(load).sum();
    let mut told: Vec<(f64, Sign, f64)> = Sign::ALL
        .iter()
        .filter_map(|&sign| {
            let weight = look.weights.of(sign);
            let with: f64 = look.clients.iter().filter(|one| one.signs.has(sign)).map(load).sum();
            (weight != 0.0 && with > 0.0).then(|| (with / all.max(1e-9), sign, weight))
        })
        .collect();
    told.sort_by(|a, b| (b.0 * b.2.abs()).total_cmp(&(a.0 * a.2.abs())).then(a.1.cmp(&b.1)));
    told.truncate(REASONS);
    told.into_iter()
        .map(|(share, sign, weight)| Reason {
            what: format!("Clients that {}", sign.text()),
            weight: rounded(weight),
            share: Some(rounded(share.min(1.0))),
        })
        .collect()
}

/// What may be blocked for ten minutes, what may be challenged, and whom neither may meet.
pub(super) fn blockable(case: &Case<'_>, seen: &Seen, blocking: &Blocking) -> Blockable {
    let listed = |one: &&Scored| blocking.clients.binary_search(&one.client.key.address()).is_ok();
    let mut clients: Vec<&Scored> = seen.look.clients.iter().filter(listed).collect();
    clients.sort_by(|a, b| b.client.did.n.total_cmp(&a.client.did.n).then(a.client.key.cmp(&b.client.key)));
    let name = |one: &Scored| case.names.texts.address(one.client.key.address());
    let sources = clients
        .iter()
        .take(SOURCES)
        .map(|one| BlockRule { what: name(one), rows: one.client.did.n.max(0.0) as u64 })
        .collect();
    let spared = blocking.spared().len();
    let mut spare: Vec<Spared> = blocking
        .spared()
        .iter()
        .take(SPARED)
        .map(|address| Spared {
            what: case.names.texts.address(*address),
            why: "Many people come from it, or it is declared as welcome.".to_owned(),
        })
        .collect();
    if spared > SPARED {
        spare.push(Spared {
            what: format!("{} more addresses", spared - SPARED),
            why: "The same holds for them; no rule here meets them.".to_owned(),
        });
    }
    let hostile: f64 = seen.look.clients.iter().map(|one| one.p * one.client.did.n * one.client.weight).sum();
    Blockable {
        sources,
        sources_in_all: blocking.clients.len() as u64,
        signatures: blocking
            .rules
            .iter()
            .map(|rule| BlockRule { what: words(case, rule), rows: 0 })
            .collect(),
        share: rounded((blocking.by_any / hostile.max(1.0)).min(1.0)),
        bystanders: None,
        ttl_s: Some(TTL_S),
        spare,
    }
}

/// A rule as a person would say it to whoever runs the cache.
fn words(case: &Case<'_>, rule: &Rule) -> String {
    let path = match rule.path {
        RulePath::Is(path) => case.names.texts.get(path),
        RulePath::NotFound => "any path that does not exist".to_owned(),
    };
    let query = if rule.random_query { " with a random query" } else { "" };
    let referer = match rule.referer {
        Referer::None => ", without referer",
        Referer::Own => ", with a page of yours as referer",
        Referer::Embed => ", from a declared embed",
        Referer::Other => ", with another site as referer",
        Referer::Unknown => "",
    };
    let agent = rule.agent.map_or_else(String::new, |agent| format!(", by {}", case.names.texts.get(agent)));
    format!("{path}{query}{referer}{agent}")
}
