//! What could be blocked without meeting people: addresses, and rules that name what requests have in common.

use std::collections::BTreeMap;
use std::sync::Arc;

use traffic::Address;
use traffic::request::{Query, Request, Resource};

use super::gather::{ClientKey, Reader, Referer};
use super::history::History;
use super::score::{Look, Scored};
use super::signs::maybe_many;

/// Score, without prior, from which an address goes on the list; more where people came from it before.
const LISTED: f64 = 4.0;
const LISTED_KNOWN: f64 = 6.0;
/// With less, where the window as a whole makes it nearly certain; never where people came from it before.
const LISTED_CHANCE: f64 = 0.98;
const LISTED_WITH_CHANCE: f64 = 2.0;
/// A rule must hold for so many requests, and this share of the excess.
const RULE_LEAST: f64 = 30.0;
const RULE_SHARE: f64 = 0.01;
/// Those requests' mean chance, and their clients' mean score without prior.
const RULE_CHANCE: f64 = 0.95;
const RULE_SCORE: f64 = 1.0;
/// Clients that may be people and could meet a rule, as a part of all that may be people: one in ten thousand.
const RULE_PEOPLE: f64 = 1e-4;
/// A client may be one of people up to this chance of being a machine.
const MAYBE_PEOPLE: f64 = 0.7;
/// No rules where the window itself has fewer machines.
const RULE_PRIOR: f64 = 0.05;
/// Rules that are put out, those with the most requests first.
const MOST_RULES: usize = 20;
/// How long an address stays on the list, in seconds: it may be somebody else's tomorrow.
pub const TTL_S: u64 = 600;

/// What a rule says of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RulePath {
    /// This path, by its text id.
    Is(i64),
    /// Any path that the site does not have.
    NotFound,
}

/// Requests that agree on all that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// Path.
    pub path: RulePath,
    /// True: with a random query; false: without.
    pub random_query: bool,
    /// Who sent the client.
    pub referer: Referer,
    /// Agent by its text id; any where there is none.
    pub agent: Option<i64>,
}

/// What could be blocked, from what was seen in one window.
#[derive(Clone)]
pub struct Blocking {
    /// Clients to block for ten minutes ([`TTL_S`]), in order; IPv6 as their /64.
    pub clients: Vec<Address>,
    /// Rules, the one with the most requests first. To be answered with a challenge or a rate limit.
    pub rules: Vec<Rule>,
    /// True where random queries should be stripped at the cache.
    pub strip_queries: bool,
    /// Requests in the window that the list meets, and that the list and the rules meet: about, where clients are a
    /// sample.
    pub by_address: f64,
    /// See `by_address`.
    pub by_any: f64,
    /// Addresses of many people and welcome clients, which no rule touches.
    spared: Vec<Address>,
    known_paths: Arc<std::collections::BTreeSet<i64>>,
    /// Paths that several clients asked for in the window, though nobody had before.
    new_paths: Arc<std::collections::BTreeSet<i64>>,
    reader: Arc<Reader>,
    own: Option<i64>,
}

impl std::fmt::Debug for Blocking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blocking")
            .field("clients", &self.clients)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// By what a request would be blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Its client is on the list.
    Address,
    /// A rule holds.
    Rule,
}

impl Blocking {
    /// Addresses that neither the list nor a rule meets, in order.
    pub(super) fn spared(&self) -> &[Address] {
        &self.spared
    }

    /// Whether a request would be blocked, and by what. A row of the same log, read with the same seed.
    pub fn blocks(&self, row: &Request) -> Option<By> {
        let peer = Address { hi: row.peer_hi, lo: row.peer_lo };
        let client = self.reader.client(peer, Address { hi: row.forwarded_hi, lo: row.forwarded_lo });
        let client = ClientKey::of(client).address();
        if self.clients.binary_search(&client).is_ok() {
            return Some(By::Address);
        }
        if row.resource == Resource::Asset.code() || self.spared.binary_search(&client).is_ok() {
            return None;
        }
        let mut referer = self.reader.referer(row.host, row.referer_host, row.path);
        if referer == Referer::Other && self.own == Some(row.referer_host & 0xfff) {
            referer = Referer::Own;
        }
        let random = row.query_kind == Query::Random.code();
        let holds = |rule: &Rule| {
            let path = match rule.path {
                RulePath::Is(path) => path == row.path,
                RulePath::NotFound => {
                    row.status == 404
                        && !self.known_paths.contains(&row.path)
                        && !self.new_paths.contains(&row.path)
                }
            };
            path && rule.random_query == random
                && rule.referer == referer
                && rule.agent.is_none_or(|agent| agent == row.agent)
        };
        self.rules.iter().any(holds).then_some(By::Rule)
    }
}

/// What could be blocked of a window that is an attack, or has one in it.
pub(super) fn blocking(look: &Look, history: &History, reader: &Arc<Reader>, own: Option<i64>) -> Blocking {
    let listed = |one: &&Scored| {
        let known = one.signs.has(super::weights::Sign::KnownClient);
        let certain = !known && one.p >= LISTED_CHANCE && one.score >= LISTED_WITH_CHANCE;
        !is_spared(one) && (certain || one.score >= if known { LISTED_KNOWN } else { LISTED })
    };
    let address = |one: &Scored| one.client.key.address();
    let mut clients: Vec<Address> = look.clients.iter().filter(listed).map(address).collect();
    clients.sort_unstable();
    let mut spared: Vec<Address> = look.clients.iter().filter(|one| is_spared(one)).map(address).collect();
    spared.sort_unstable();
    let rules = if look.prior >= RULE_PRIOR { rules(look, history) } else { Vec::new() };
    let (mut by_address, mut by_any) = (0.0, 0.0);
    for one in &look.clients {
        let n = one.client.did.n * one.client.weight;
        if clients.binary_search(&address(one)).is_ok() {
            by_address += n;
            by_any += n;
        } else if !is_spared(one) {
            let met = kinds(one, look, history)
                .filter(|(rule, _)| rules.contains(rule) || rules.contains(&Rule { agent: None, ..*rule }));
            by_any += met.map(|(_, n)| n).sum::<f64>();
        }
    }
    let strip_queries = rules.iter().any(|rule| rule.random_query);
    let common = look.paths.iter().filter(|(_, n)| **n >= 3.0).map(|(path, _)| *path);
    Blocking {
        clients,
        rules,
        strip_queries,
        by_address,
        by_any,
        spared,
        known_paths: Arc::new(history.paths.clone()),
        new_paths: Arc::new(common.collect()),
        reader: reader.clone(),
        own,
    }
}

/// Nothing may meet it: it is welcome, or several people use it.
fn is_spared(one: &Scored) -> bool {
    one.spared || maybe_many(&one.client)
}

/// Requests of one kind: how many, and sums of the clients' chances and scores, weighed by them.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    n: f64,
    p: f64,
    score: f64,
    /// Clients that may be people and have requests that may meet it.
    people: f64,
}

/// The kinds of request that a client made, each as the narrowest rule that it meets, and how many they stand for.
fn kinds<'a>(
    one: &'a Scored,
    look: &'a Look,
    history: &'a History,
) -> impl Iterator<Item = (Rule, f64)> + 'a {
    let client = &one.client;
    let referer = referer_of(one);
    let random_query = client.did.random >= 0.5 * (client.did.pages + client.did.apis);
    let agent = (client.did.agents < 1.5).then_some(client.agent);
    client.slots.iter().map(move |slot| {
        let known =
            history.paths.contains(&slot.path) || look.paths.get(&slot.path).is_some_and(|n| *n >= 3.0);
        let path = if slot.not_found && !known { RulePath::NotFound } else { RulePath::Is(slot.path) };
        (Rule { path, random_query, referer, agent }, f64::from(slot.n) * client.weight)
    })
}

fn rules(look: &Look, history: &History) -> Vec<Rule> {
    let mut sums: BTreeMap<Rule, Sum> = BTreeMap::new();
    for one in look.clients.iter().filter(|one| !one.spared) {
        for (rule, n) in kinds(one, look, history) {
            let wide = Rule { agent: None, ..rule };
            for rule in std::iter::once(wide).chain((rule != wide).then_some(rule)) {
                let sum = sums.entry(rule).or_default();
                sum.n += n;
                sum.p += n * one.p;
                sum.score += n * one.score;
            }
        }
    }
    // What people's clients did is known by client, not by request: whatever they sent once counts in full.
    let mut all_people = 0.0;
    for one in look.clients.iter().filter(|one| one.p < MAYBE_PEOPLE && !one.spared) {
        all_people += one.client.weight;
        let did = &one.client.did;
        let referers = [
            (did.asked == 0.0, Referer::Unknown),
            (did.bare > 0.0, Referer::None),
            (did.own > 0.0, Referer::Own),
            (did.embed > 0.0, Referer::Embed),
            (did.other > 0.0, Referer::Other),
        ];
        let mut met: Vec<Rule> = Vec::new();
        for (rule, _) in kinds(one, look, history) {
            for (_, referer) in referers.iter().filter(|(sent, _)| *sent) {
                for random_query in [false, true] {
                    let sent =
                        if random_query { did.random > 0.0 } else { did.random < did.pages + did.apis };
                    if sent {
                        met.push(Rule { random_query, referer: *referer, ..rule });
                        met.push(Rule { random_query, referer: *referer, agent: None, ..rule });
                    }
                }
            }
        }
        met.sort_unstable();
        met.dedup();
        for rule in met {
            if let Some(sum) = sums.get_mut(&rule) {
                sum.people += one.client.weight;
            }
        }
    }
    let least = RULE_LEAST.max(RULE_SHARE * look.excess);
    let good = |sum: &Sum| {
        sum.n >= least
            && sum.p >= RULE_CHANCE * sum.n
            && sum.score >= RULE_SCORE * sum.n
            && sum.people <= RULE_PEOPLE * all_people
    };
    let mut rules: Vec<(Rule, Sum)> = sums.into_iter().filter(|(_, sum)| good(sum)).collect();
    // A rule for any agent makes those for one agent needless.
    let wide: Vec<Rule> = rules.iter().map(|(rule, _)| *rule).filter(|rule| rule.agent.is_none()).collect();
    rules.retain(|(rule, _)| rule.agent.is_none() || !wide.contains(&Rule { agent: None, ..*rule }));
    rules.sort_by(|a, b| b.1.n.total_cmp(&a.1.n).then(a.0.cmp(&b.0)));
    rules.truncate(MOST_RULES);
    rules.into_iter().map(|(rule, _)| rule).collect()
}

/// The referer of most of a client's requests.
pub(super) fn referer_of(one: &Scored) -> Referer {
    let did = &one.client.did;
    if did.asked == 0.0 {
        return Referer::Unknown;
    }
    let of = [
        (did.bare, Referer::None),
        (did.own, Referer::Own),
        (did.embed, Referer::Embed),
        (did.other, Referer::Other),
    ];
    of.into_iter().max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))).map_or(Referer::None, |(_, r)| r)
}
