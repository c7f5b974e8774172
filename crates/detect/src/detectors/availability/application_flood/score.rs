//! From the clients of one window to how much of the excess has machine evidence.

use std::collections::{BTreeMap, BTreeSet};

use domain::Site;

use super::history::History;
use super::records::{Client, Common, Sender};
use super::signs::{Signs, all, many_people, minutes};
use super::weights::{Group, SLACK, Sign, Weights};

/// Score, without prior, from which one client is hard evidence on its own.
pub(super) const HARD: f64 = 4.0;
/// A share of hard evidence counts from so many clients on, or from so few if they make up much of the excess: one
/// crawler is no attack.
const HARD_CLIENTS: f64 = 20.0;
const HARD_FEW: f64 = 3.0;
const HARD_FEW_SHARE: f64 = 0.2;
/// Many clients that agree are hard evidence too, where each is likely with the window's own prior, its own evidence
/// does not speak against it, and together they make up so much of the excess. In mixes of crowds, clients like
/// these never make up one part in a hundred.
const AGREE_CHANCE: f64 = 0.8;
const AGREE_SCORE: f64 = 0.0;
const AGREE_CLIENTS: f64 = 10.0;
const AGREE_SHARE: f64 = 0.25;
/// Clients that poll data and nothing else look like an app or a newsroom's program, whatever they score, unless
/// they show what such programs do not, or are so many that each is hard evidence.
const PROGRAMS: f64 = 40.0;
/// Or are as many, likely each, while fewer people than this share of the excess came beside them: an app is new to
/// some, and the others come with browsers; newsrooms' programs are fewer. What looks like one app is spared all the
/// same.
const NO_PEOPLE: f64 = 0.15;
/// Standard deviations that what is usual may be off.
const NOISE: f64 = 2.0;
/// What a client's pauses say of whether it replays a visit of somebody else faster: faster than 19 of 20 readers,
/// slower than three of four. Clients with one page say nothing, so that they go with the others.
const REPLAY_FAST: f64 = 2.0;
const REPLAY_SLOW: f64 = -2.0;
/// Replays are looked for where so many pauses of so many clients, and this share of all clients that have pauses, are
/// that fast: three times what is usual, and half as much again as in any crowd that was mixed.
const REPLAY_PAUSES: f64 = 60.0;
const REPLAY_CLIENTS: f64 = 3.0;
const REPLAY_SHARE: f64 = 0.15;
/// A fast client is hard evidence where it is that likely a replay.
const REPLAY_CHANCE: f64 = 0.9;
/// An agent has so many times its usual share of clients, and so many clients.
const AGENT_TIMES: f64 = 8.0;
const AGENT_CLIENTS: u32 = 20;
/// Share that an agent may have without being known.
const AGENT_UNKNOWN: f64 = 0.002;
/// Clients that leave out what belongs to pages beyond what people here do are hard evidence where they are this share
/// of the excess: none of them is expected in a crowd, so that it need not be more than makes a mixture.
const BARE_SHARE: f64 = 0.15;
/// So few clients are no crowd, where they sent this share of the excess.
const FEW: usize = 5;
const FEW_SHARE: f64 = 0.5;
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
}

impl Scored {
    /// Evidence on its own.
    pub(super) fn is_hard(&self) -> bool {
        !self.spared && self.score >= HARD
    }

    /// The same, where the window as a whole makes it likely that it takes part.
    fn is_likely_program(&self) -> bool {
        !self.spared && self.is_program() && self.p >= AGREE_CHANCE
    }

    /// Polls data and nothing else, as apps and newsrooms' programs do: without referers that make no sense, agents
    /// that change, or busy neighbours.
    fn is_program(&self) -> bool {
        const OTHERWISE: [Sign; 6] =
            [Sign::OddFew, Sign::OddMany, Sign::Mixture, Sign::OutsideMany, Sign::Rotating, Sign::NearMany];
        let did = &self.client.did;
        did.apis > 0.0 && did.pages == 0.0 && !OTHERWISE.iter().any(|&sign| self.signs.has(sign))
    }
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
    /// Share of clients that are machines, as the window itself says.
    pub(super) prior: f64,
    /// Share of requests that were given up or refused.
    pub(super) overloaded: f64,
    /// Share of the excess with machine evidence.
    pub(super) phi: f64,
    /// Share of the excess that comes from clients that show what people show, beyond those of them that are usual.
    pub(super) people: f64,
    /// How far that share may be off: what is usual varies.
    pub(super) people_off: f64,
    /// Share of the excess with machine evidence from clients that show what people show: replays of visits.
    pub(super) mimics: f64,
    /// Share of the excess from clients whose pages brought nothing along, beyond what people here leave out.
    pub(super) bare: f64,
    /// Pages bring along what is seen here, so that people can be told by it.
    pub(super) knows_people: bool,
    /// How many clients sent most of the excess, where they are few.
    pub(super) few: Option<usize>,
    /// Share of the excess that is hard evidence on its own.
    pub(super) hard: f64,
    /// Requests by path, among clients that were kept.
    pub(super) paths: BTreeMap<i64, f64>,
}

/// What a look needs to know apart from the clients.
pub(super) struct Setting<'a> {
    pub(super) from: i64,
    pub(super) minutes: f64,
    pub(super) requests: f64,
    /// Usual requests per minute, and their spread from minute to minute.
    pub(super) usual: f64,
    pub(super) spread: f64,
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
    let fresh = fresh_queries(&clients, setting.history);
    let shared = shared_agents(&clients, setting.history);
    let mut scored: Vec<Scored> = clients
        .into_iter()
        .map(|mut client| {
            if fresh.contains(&client.query_path) {
                client.did.random = client.queried;
            }
            let rare = rare(&client, setting.history, &paths);
            let mut signs = all(&client, &habits, setting.minutes, setting.requests, setting.from, rare);
            if client.did.pages > 0.0 && client.did.followed == 0.0 && shared.contains(&client.agent) {
                signs.add(Sign::SharedAgent);
            }
            let score = weights.base + signs.iter().map(|sign| weights.of(sign)).sum::<f64>();
            let welcome = client.key.address().ip().is_some_and(|ip| setting.site.is_welcome(ip));
            let spared = welcome || many_people(&client.did);
            Scored { client, signs, score, p: 0.0, spared, welcome }
        })
        .collect();
    let replays = replays(&scored);
    let prior = posterior(&mut scored, replays);
    // What was not recorded cannot have been usual: the recording may end within the window.
    let last = scored.iter().map(|one| one.client.last).max().unwrap_or(i64::MAX);
    let recorded = setting.minutes.min(minutes(setting.from, last.saturating_add(1000)));
    let usual = setting.usual * recorded;
    let excess = (setting.requests - usual).max(1.0);
    let sum = |wanted: &dyn Fn(&Scored) -> f64| -> f64 {
        scored.iter().map(|one| one.client.did.n * one.client.weight * wanted(one)).sum::<f64>() / excess
    };
    let count = |wanted: &dyn Fn(&Scored) -> bool| -> f64 {
        scored.iter().filter(|one| wanted(one)).map(|one| one.client.weight).sum()
    };
    let bare = if habits.knows_assets { left_out(&scored, setting.history) } else { LeftOut::default() };
    // Several people behind one address do together what none of them does.
    let phi = sum(&|one| if many_people(&one.client.did) { 0.0 } else { one.p }) + bare.beyond_p / excess;
    let fast = |one: &Scored| replays && one.signs.is_fast();
    let personal = sum(&|one| if one.client.did.is_personal() { 1.0 - one.p } else { 0.0 });
    let personal_share = setting.history.personal_share();
    let people = personal / personal_share - usual / excess;
    let mimics = sum(&|one| if one.client.did.is_personal() { one.p } else { 0.0 });
    let people_off = NOISE * setting.spread * recorded.sqrt() / excess;
    let programs = count(&|one| one.is_hard() && one.is_program()) >= PROGRAMS
        || (people < NO_PEOPLE && count(&|one| one.is_likely_program()) >= PROGRAMS && !is_app(&scored));
    let is_hard = |one: &Scored| {
        let own = one.is_hard() && (programs || !one.is_program());
        own || (!one.spared && fast(one) && one.p >= REPLAY_CHANCE)
    };
    let mut hard = sum(&|one| f64::from(is_hard(one)));
    let hard_clients = count(&is_hard);
    if hard_clients < HARD_CLIENTS && (hard_clients < HARD_FEW || hard < HARD_FEW_SHARE) {
        hard = 0.0;
    }
    let agrees = |one: &Scored| {
        let likely = !one.spared && (programs || !one.is_program()) && one.p >= AGREE_CHANCE;
        likely && (one.score >= AGREE_SCORE || fast(one))
    };
    let agree = sum(&|one| f64::from(agrees(one)));
    if count(&agrees) >= AGREE_CLIENTS && agree >= AGREE_SHARE {
        hard = hard.max(agree);
    }
    if bare.clients >= HARD_CLIENTS && bare.requests >= BARE_SHARE * excess {
        hard = hard.max(bare.requests / excess);
    }
    let overloaded = scored.iter().map(|one| one.client.did.overloaded * one.client.weight).sum::<f64>();
    let few = few(&scored, excess);
    Look {
        clients: scored,
        weights,
        requests: setting.requests,
        excess,
        overloaded: overloaded / setting.requests.max(1.0),
        prior,
        phi,
        people,
        people_off,
        mimics,
        bare: bare.requests / excess,
        knows_people: habits.knows_assets,
        few,
        hard,
        paths,
    }
}

/// Clients with a query on one path without which nothing is said of its queries, and requests of busy ones.
const QUERIES: usize = 20;
const QUERIES_OF_BUSY: f64 = 40.0;
/// Distinct queries, as a share of those that there would be if each were drawn by chance.
const FRESH: f64 = 0.8;

/// Paths that nobody asked for with a query on calm days, and for which each request now has another query.
fn fresh_queries(clients: &[Client], history: &History) -> BTreeSet<i64> {
    let mut paths: BTreeMap<i64, Vec<&Client>> = BTreeMap::new();
    for client in clients.iter().filter(|client| client.queried > 0.0) {
        paths.entry(client.query_path).or_default().push(client);
    }
    let chance = |places: f64, draws: f64| places * (1.0 - (1.0 - 1.0 / places).powf(draws));
    let fresh = |clients: &Vec<&Client>| {
        if clients.len() >= QUERIES {
            let tokens: BTreeSet<u32> = clients.iter().map(|client| client.query_token).collect();
            return tokens.len() as f64 >= FRESH * chance(256.0, clients.len() as f64);
        }
        let busy = clients.iter().filter(|client| client.queried >= 3.0);
        let (mut draws, mut distinct, mut expected) = (0.0, 0.0, 0.0);
        for client in busy {
            draws += client.queried;
            distinct += f64::from(client.token_bits.count_ones());
            expected += chance(64.0, client.queried);
        }
        draws >= QUERIES_OF_BUSY && distinct >= FRESH * expected
    };
    paths.retain(|path, clients| !history.queried.contains(path) && fresh(clients));
    paths.into_keys().collect()
}

/// Share of a client's requests for paths that were never answered before and that hardly anybody asks for.
fn rare(client: &Client, history: &History, paths: &BTreeMap<i64, f64>) -> f64 {
    let nobodys = |path: i64| !history.paths.contains(&path) && paths.get(&path).is_none_or(|n| *n < NOBODYS);
    let all: u32 = client.slots.iter().map(|slot| slot.n).sum();
    let rare: u32 = client.slots.iter().filter(|slot| nobodys(slot.path)).map(|slot| slot.n).sum();
    f64::from(rare) / f64::from(all.max(1))
}

/// Agents with many times their usual share of clients.
fn shared_agents(clients: &[Client], history: &History) -> BTreeSet<i64> {
    let mut shares: BTreeMap<i64, (u32, f64)> = BTreeMap::new();
    // -2: the log has no agents.
    for client in clients.iter().filter(|client| client.agent > -2) {
        let share = shares.entry(client.agent).or_default();
        *share = (share.0 + 1, share.1 + client.weight);
    }
    let all: f64 = clients.iter().map(|client| client.weight).sum();
    shares.retain(|&agent, &mut (n, weight)| {
        let times = |usual: f64| (weight / all.max(1.0) + AGENT_UNKNOWN) / (usual + AGENT_UNKNOWN);
        n >= AGENT_CLIENTS && history.agent_share(agent).is_some_and(|usual| times(usual) > AGENT_TIMES)
    });
    shares.into_keys().collect()
}

/// Whether half of the programs that poll data look like one app: one agent, and never a referer.
fn is_app(clients: &[Scored]) -> bool {
    let programs = || clients.iter().filter(|one| one.is_likely_program());
    let mut agents: BTreeMap<i64, f64> = BTreeMap::new();
    for one in
        programs().filter(|one| one.client.did.bare >= one.client.did.asked && one.client.did.agents < 1.5)
    {
        *agents.entry(one.client.agent).or_default() += one.client.weight;
    }
    let all: f64 = programs().map(|one| one.client.weight).sum();
    agents.into_values().fold(0.0, f64::max) >= 0.5 * all
}

/// The smallest number of clients that sent [`FEW_SHARE`] of the excess, up to [`FEW`]. Addresses of many people count
/// as many.
fn few(clients: &[Scored], excess: f64) -> Option<usize> {
    let alone = clients.iter().filter(|one| !many_people(&one.client.did) && one.client.weight <= 1.0);
    let mut loads: Vec<f64> = alone.map(|one| one.client.did.n).collect();
    loads.sort_unstable_by(|a, b| b.total_cmp(a));
    let mut sum = 0.0;
    loads
        .iter()
        .take(FEW)
        .position(|n| {
            sum += n;
            sum >= FEW_SHARE * excess
        })
        .map(|at| at + 1)
}

/// Clients whose pages brought nothing along, beyond what people here leave out.
#[derive(Clone, Copy, Debug, Default)]
struct LeftOut {
    clients: f64,
    requests: f64,
    /// Requests of them that the clients' own chances do not account for.
    beyond_p: f64,
}

/// How many clients left out what belongs to pages beyond what people do. People who send the same kind of referer
/// leave it out as often as they did on calm days, or up to [`SLACK`] times as often.
fn left_out(clients: &[Scored], history: &History) -> LeftOut {
    let mut sums = [Common::default(); 1];
    let sums = &mut sums[0];
    let (mut requests, mut likely) = ([0.0; Sender::ALL], [0.0; Sender::ALL]);
    for one in clients.iter().filter(|one| !one.spared && one.client.did.apis == 0.0) {
        let (did, weight) = (&one.client.did, one.client.weight);
        sums.add(did, weight);
        if did.ripe > 0.0 && did.followed == 0.0 {
            let sender = Sender::of(did) as usize;
            requests[sender] += did.n * weight;
            likely[sender] += did.n * weight * one.p;
        }
    }
    let mut left = LeftOut::default();
    for sender in 0..Sender::ALL {
        let (bare, whole) = (sums.bare[sender], sums.whole[sender]);
        let whole = whole + whole.max(1.0).sqrt() * 2.0;
        let beyond = bare - SLACK * history.bare_odds(sender) * whole;
        if beyond <= 0.0 {
            continue;
        }
        let share = requests[sender] / bare;
        left.clients += beyond;
        left.requests += beyond * share;
        left.beyond_p += (beyond * share - likely[sender]).max(0.0);
    }
    left
}

/// Log-likelihood ratio of a replay to a reader.
fn replay(one: &Scored) -> f64 {
    if one.signs.is_fast() {
        REPLAY_FAST
    } else if one.signs.has(Sign::ShortPause) || one.signs.has(Sign::Hurries) || one.client.did.gaps == 0.0 {
        0.0
    } else {
        REPLAY_SLOW
    }
}

/// Whether so many clients are so fast that some replay visits.
fn replays(clients: &[Scored]) -> bool {
    let sum = |of: &dyn Fn(&Scored) -> f64| -> f64 {
        clients.iter().filter(|one| !one.spared).map(|one| of(one) * one.client.weight).sum()
    };
    let fast = |one: &Scored| f64::from(one.signs.is_fast());
    let n_fast = sum(&fast);
    let paused = sum(&|one| f64::from(one.client.did.gaps > 0.0));
    n_fast >= REPLAY_CLIENTS
        && sum(&|one| fast(one) * one.client.did.gaps) >= REPLAY_PAUSES
        && n_fast >= REPLAY_SHARE * paused
}

/// Fills in each client's chance; gives the prior. Three kinds of client: people, machines by their signs, and, where
/// there are some, replays by their pace. The part of each is what makes its mean chance equal to itself (Saerens and
/// others, 2002).
fn posterior(clients: &mut [Scored], replays: bool) -> f64 {
    let (mut machines, mut fast): (f64, f64) = (0.2, if replays { 0.1 } else { 0.0 });
    let all: f64 = clients.iter().filter(|one| !one.welcome).map(|one| one.client.weight).sum();
    for _ in 0..ROUNDS {
        let (mut sum, mut sum_fast) = (0.0, 0.0);
        for one in clients.iter_mut().filter(|one| !one.welcome) {
            let machine = machines * one.score.clamp(-30.0, 30.0).exp();
            let replay = fast * replay(one).exp();
            let whole = (1.0 - machines - fast).max(0.001) + machine + replay;
            one.p = (machine + replay) / whole;
            sum += machine / whole * one.client.weight;
            sum_fast += replay / whole * one.client.weight;
        }
        machines = (sum / all.max(1.0)).clamp(0.002, 0.997);
        fast = sum_fast / all.max(1.0);
        let most = (0.998 / (machines + fast)).min(1.0);
        (machines, fast) = (machines * most, fast * most);
    }
    machines + fast
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
