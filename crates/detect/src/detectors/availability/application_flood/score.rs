//! From the clients of one window to how much of the excess has machine evidence.

use std::collections::BTreeMap;

use domain::Site;

use super::history::History;
use super::records::Client;
use super::signs::{Signs, all, many_people};
use super::weights::{Group, Sign, Weights};

/// Score, without prior, from which one client is hard evidence on its own.
pub(super) const HARD: f64 = 4.0;
/// A share of hard evidence counts from so many clients on, or from so few if they make up much of the excess: one
/// crawler is no attack.
const HARD_CLIENTS: f64 = 20.0;
const HARD_FEW: f64 = 3.0;
const HARD_FEW_SHARE: f64 = 0.3;
/// Rounds of expectation and maximisation.
const ROUNDS: usize = 30;
/// A path with fewer requests in a window, and none before, is nobody's.
const NOBODYS: f64 = 3.0;

/// One client with its score.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    pub(super) client: Client,
    pub(super) signs: Signs,
    /// Log-odds without prior.
    pub(super) score: f64,
    /// Chance of being a machine that takes part, with the window's own prior.
    pub(super) p: f64,
    /// An address of many people, or one that is declared welcome.
    pub(super) spared: bool,
    pub(super) welcome: bool,
    /// Share of its requests for paths that nobody knows.
    pub(super) rare: f64,
}

/// The clients of a window, scored.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) clients: Vec<Scored>,
    /// Weights at this site.
    pub(super) weights: Weights,
    /// Requests in the window, and beyond what is usual.
    pub(super) requests: f64,
    pub(super) excess: f64,
    /// Clients in it.
    pub(super) n_clients: f64,
    /// Share of clients that are machines, as the window itself says.
    pub(super) prior: f64,
    /// Share of the excess with machine evidence.
    pub(super) phi: f64,
    /// Share of the excess that is hard evidence on its own.
    pub(super) hard: f64,
    pub(super) minutes: f64,
    /// Requests by path, among clients that were kept.
    pub(super) paths: BTreeMap<i64, f64>,
}

/// What a look needs to know apart from the clients.
pub(super) struct Setting<'a> {
    pub(super) from: i64,
    pub(super) minutes: f64,
    pub(super) requests: f64,
    /// Usual requests per minute.
    pub(super) usual: f64,
    pub(super) history: &'a History,
    pub(super) site: &'a Site,
}

/// Scores the clients of a window.
pub(super) fn look(clients: Vec<Client>, setting: &Setting<'_>, weights: &Weights) -> Look {
    let habits = setting.history.habits();
    let mut weights = weights.at(setting.history.clients, &setting.history.showed);
    if !habits.knows_assets {
        weights = weights.without(Group::Completeness);
    }
    let mut paths: BTreeMap<i64, f64> = BTreeMap::new();
    for client in &clients {
        for slot in &client.slots {
            *paths.entry(slot.path).or_default() += f64::from(slot.n);
        }
    }
    let n_clients = clients.iter().map(|client| client.weight).sum();
    let mut scored: Vec<Scored> = clients
        .into_iter()
        .map(|client| {
            let rare = rare(&client, setting.history, &paths);
            let signs = all(&client, &habits, setting.minutes, setting.requests, setting.from, rare);
            let score = weights.base + signs.iter().map(|sign| weights.of(sign)).sum::<f64>();
            let welcome = client.key.address().ip().is_some_and(|ip| setting.site.is_welcome(ip));
            let spared = welcome || many_people(&client.did);
            Scored { client, signs, score, p: 0.0, spared, welcome, rare }
        })
        .collect();
    let prior = posterior(&mut scored);
    let excess = (setting.requests - setting.usual * setting.minutes).max(1.0);
    let sum = |wanted: &dyn Fn(&Scored) -> f64| -> f64 {
        scored.iter().map(|one| one.client.did.n * one.client.weight * wanted(one)).sum::<f64>() / excess
    };
    let phi = sum(&|one| one.p);
    let is_hard = |one: &Scored| !one.spared && one.score >= HARD;
    let hard = sum(&|one| f64::from(is_hard(one)));
    let hard_clients: f64 = scored.iter().filter(|one| is_hard(one)).map(|one| one.client.weight).sum();
    let enough = hard_clients >= HARD_CLIENTS || (hard_clients >= HARD_FEW && hard >= HARD_FEW_SHARE);
    Look {
        clients: scored,
        weights,
        requests: setting.requests,
        excess,
        n_clients,
        prior,
        phi,
        hard: if enough { hard } else { 0.0 },
        minutes: setting.minutes,
        paths,
    }
}

/// Share of a client's requests for paths that were never answered before and that hardly anybody asks for.
fn rare(client: &Client, history: &History, paths: &BTreeMap<i64, f64>) -> f64 {
    let nobodys = |path: i64| !history.paths.contains(&path) && paths.get(&path).is_none_or(|n| *n < NOBODYS);
    let all: u32 = client.slots.iter().map(|slot| slot.n).sum();
    let rare: u32 = client.slots.iter().filter(|slot| nobodys(slot.path)).map(|slot| slot.n).sum();
    f64::from(rare) / f64::from(all.max(1))
}

/// Fills in each client's chance; gives the prior. The part that are machines is what makes their mean chance equal
/// to itself (Saerens and others, 2002).
fn posterior(clients: &mut [Scored]) -> f64 {
    let mut prior: f64 = 0.3;
    let all: f64 = clients.iter().filter(|one| !one.welcome).map(|one| one.client.weight).sum();
    for _ in 0..ROUNDS {
        let logit = (prior / (1.0 - prior)).ln();
        let mut mean = 0.0;
        for one in clients.iter_mut().filter(|one| !one.welcome) {
            one.p = 1.0 / (1.0 + (-one.score - logit).exp());
            mean += one.p * one.client.weight;
        }
        prior = (mean / all.max(1.0)).clamp(0.002, 0.998);
    }
    prior
}

/// Share of requests with machine evidence that show each sign which speaks for a machine, the largest first.
pub(super) fn reasons(look: &Look) -> Vec<(Sign, f64)> {
    let mut shares: Vec<(Sign, f64)> = Vec::new();
    let all: f64 = look.clients.iter().map(|one| one.p * one.client.did.n * one.client.weight).sum();
    for &sign in Sign::ALL.iter().filter(|&&sign| look.weights.of(sign) > 0.0) {
        let with: f64 = look
            .clients
            .iter()
            .filter(|one| one.signs.has(sign))
            .map(|one| one.p * one.client.did.n * one.client.weight)
            .sum();
        if with > 0.0 {
            shares.push((sign, with / all.max(1e-9)));
        }
    }
    shares.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    shares
}
