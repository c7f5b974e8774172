//! What a recorded log teaches: which pages a site has, what they bring along, how visits go.

use std::collections::BTreeMap;

use traffic::request::{Method, Request, Resource};
use traffic::{Seed, Texts};

use crate::random::Random;

/// A visit ends where its client asks for nothing for so long: the usual half hour of web analytics.
const VISIT_ENDS_MS: i64 = 30 * 60_000;
/// What follows a page within so long came along with it.
const BRINGS_ALONG_MS: i64 = 10_000;
/// Longer visits are crawlers of days; a part of them is as good as the whole.
const LONGEST_VISIT: usize = 150;
/// The most things that a page is taken to bring along.
const MOST_ASSETS: usize = 12;

/// A site as its log shows it: visits to replay, pages, agents, referers.
#[derive(Clone, Debug)]
pub struct Learnt {
    pub(super) visits: Vec<Visit>,
    /// Most asked for first.
    pub(super) pages: Vec<Page>,
    /// Agents of people, each as often as visits have it. Never empty.
    pub(super) agents: Vec<i64>,
    /// Host and path of pages elsewhere that link to the site, each as often as visits come from it.
    pub(super) outside: Vec<(i64, i64)>,
    /// The site's own name, as in the referers of its pages.
    pub(super) host: i64,
    pub(super) seed: Seed,
    pub(super) texts: BTreeMap<i64, String>,
    /// Runs of pauses between pages, visit after visit.
    page_pauses: Vec<i64>,
    /// Pauses before what a page brings along.
    asset_pauses: Vec<i64>,
}

/// One visit: what one client asked for.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// The agent, -2 where the log has no agents.
    pub(super) agent: i64,
    pub(super) steps: Vec<Step>,
}

/// One request of a visit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Milliseconds since the step before.
    pub(super) pause: i64,
    pub(super) method: i32,
    pub(super) path: i64,
    pub(super) query: i64,
    pub(super) query_kind: i32,
    pub(super) resource: i32,
    pub(super) status: i32,
    pub(super) bytes: i64,
    pub(super) referer: Referer,
}

/// What a step sends as its referer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Referer {
    /// Nothing.
    None,
    /// Whatever led here: not recorded, to be drawn.
    Entry,
    /// A page elsewhere.
    Outside(i64, i64),
    /// A page of the site.
    Own(i64),
}

/// One page and what it brings along.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) path: i64,
    pub(super) bytes: i64,
    /// Paths, most usual first.
    pub(super) assets: Vec<(i64, i64)>,
}

/// The log has no agents or visits to learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LearnError {
    /// No visit that begins with a page.
    #[error("the log has no visit that asks for a page")]
    NoVisits,
}

impl Learnt {
    /// Learns from rows in any order. `seed` is the one that made their text ids, `texts` has their texts.
    ///
    /// # Errors
    /// There is nothing to learn from.
    pub fn new(rows: &[Request], texts: &Texts, seed: Seed) -> Result<Self, LearnError> {
        let mut order: Vec<&Request> = rows.iter().collect();
        order.sort_by_key(|row| (row.peer_hi, row.peer_lo, row.agent, row.time));
        let host = own_host(rows, texts, seed);
        let mut learnt = Self {
            visits: Vec::new(),
            pages: Vec::new(),
            agents: Vec::new(),
            outside: Vec::new(),
            host,
            seed,
            texts: BTreeMap::new(),
            page_pauses: Vec::new(),
            asset_pauses: Vec::new(),
        };
        let own = bare(&texts.get(host));
        for client in
            order.chunk_by(|a, b| (a.peer_hi, a.peer_lo, a.agent) == (b.peer_hi, b.peer_lo, b.agent))
        {
            for visit in client.chunk_by(|a, b| b.time - a.time < VISIT_ENDS_MS) {
                learnt.add(visit, texts, &own);
            }
        }
        if learnt.visits.is_empty() {
            return Err(LearnError::NoVisits);
        }
        learnt.learn_pages();
        learnt.learn_texts(texts);
        let host_text = texts.get(host);
        learnt.texts.insert(host, host_text);
        if learnt.agents.is_empty() {
            learnt.agents = AGENTS.iter().map(|agent| seed.text(agent.as_bytes())).collect();
            learnt
                .texts
                .extend(AGENTS.iter().map(|agent| (seed.text(agent.as_bytes()), (*agent).to_owned())));
        }
        if learnt.outside.is_empty() {
            for (host, path) in OUTSIDE {
                let (host_id, path_id) = (seed.text(host.as_bytes()), seed.text(path.as_bytes()));
                learnt.outside.push((host_id, path_id));
                learnt.texts.insert(host_id, host.to_owned());
                learnt.texts.insert(path_id, path.to_owned());
            }
        }
        Ok(learnt)
    }

    /// Takes the pauses between requests from another site, for a log whose own times are spoilt. Pauses of
    /// one visit stay together, so that hasty visitors stay hasty.
    #[must_use]
    pub fn with_pauses_of(mut self, other: &Self) -> Self {
        if other.page_pauses.is_empty() || other.asset_pauses.is_empty() {
            return self;
        }
        let mut random = Random::new(0x9a5e, 0);
        for visit in &mut self.visits {
            let mut at = random.below(other.page_pauses.len());
            let mut since_page = 0;
            for (place, step) in visit.steps.iter_mut().enumerate() {
                let asset = step.resource == Resource::Asset.code();
                step.pause = if place == 0 {
                    0
                } else if asset {
                    *random.pick(&other.asset_pauses)
                } else {
                    at = (at + 1) % other.page_pauses.len();
                    (other.page_pauses[at] - since_page).max(0)
                };
                since_page = if asset { since_page + step.pause } else { 0 };
            }
        }
        self.page_pauses.clone_from(&other.page_pauses);
        self.asset_pauses.clone_from(&other.asset_pauses);
        self
    }

    /// Takes people's agents and the pages that link here from another site, for a log that has none.
    #[must_use]
    pub fn with_agents_of(mut self, other: &Self) -> Self {
        self.agents.clone_from(&other.agents);
        self.outside.clone_from(&other.outside);
        for id in other.agents.iter().chain(other.outside.iter().flat_map(|(host, path)| [host, path])) {
            if let Some(text) = other.texts.get(id) {
                self.texts.insert(*id, text.clone());
            }
        }
        self
    }

    /// Visits that can be replayed.
    pub fn n_visits(&self) -> usize {
        self.visits.len()
    }

    /// Distinct agents of people.
    pub fn n_agents(&self) -> usize {
        let mut agents = self.agents.clone();
        agents.sort_unstable();
        agents.dedup();
        agents.len()
    }

    /// True for an agent that people have.
    pub(super) fn is_persons_agent(&self, agent: i64) -> bool {
        self.texts.get(&agent).is_some_and(|text| is_persons(text))
    }

    fn add(&mut self, visit: &[&Request], texts: &Texts, own: &str) {
        let agent = visit[0].agent;
        let (mut steps, mut last_page, mut page_at) = (Vec::new(), None, 0);
        for (place, row) in visit.iter().take(LONGEST_VISIT).enumerate() {
            let pause = if place == 0 { 0 } else { row.time - visit[place - 1].time };
            let asset = row.resource == Resource::Asset.code();
            let referer = match row.referer_host {
                -2 => last_page.map_or(Referer::Entry, Referer::Own),
                -1 => Referer::None,
                host if bare(&texts.get(host)) == own => Referer::Own(row.referer_path),
                host => Referer::Outside(host, row.referer_path),
            };
            if let Referer::Outside(host, path) = referer {
                self.outside.push((host, path));
            }
            if asset && place > 0 && pause < BRINGS_ALONG_MS {
                self.asset_pauses.push(pause);
            }
            if !asset {
                if last_page.is_some() {
                    self.page_pauses.push(row.time - page_at);
                }
                (last_page, page_at) = (Some(row.path), row.time);
            }
            steps.push(Step {
                pause,
                method: row.method,
                path: row.path,
                query: row.query,
                query_kind: row.query_kind,
                resource: row.resource,
                status: row.status,
                bytes: row.bytes,
                referer,
            });
        }
        if last_page.is_none() {
            // Only pictures: shown on another site, or a visit whose start lies before the log.
            return;
        }
        if agent >= 0 && is_persons(&texts.get(agent)) {
            self.agents.push(agent);
        }
        self.visits.push(Visit { agent, steps });
    }

    fn learn_pages(&mut self) {
        let mut pages: BTreeMap<i64, Asked> = BTreeMap::new();
        for visit in &self.visits {
            let (mut page, mut since) = (None, 0);
            for step in &visit.steps {
                since += step.pause;
                if step.resource != Resource::Asset.code() {
                    if step.status == 200 && step.method == Method::Get.code() && step.query < 0 {
                        let entry = pages.entry(step.path).or_default();
                        entry.hits += 1;
                        entry.bytes = entry.bytes.max(step.bytes);
                        (page, since) = (Some(step.path), 0);
                    } else {
                        page = None;
                    }
                } else if let Some(page) = page
                    && since < BRINGS_ALONG_MS
                {
                    let entry = pages.entry(page).or_default().along.entry(step.path).or_default();
                    *entry = (entry.0 + 1, entry.1.max(step.bytes));
                }
            }
        }
        let mut pages: Vec<_> = pages.into_iter().collect();
        pages.sort_by_key(|(path, asked)| (std::cmp::Reverse(asked.hits), *path));
        self.pages = pages
            .into_iter()
            .map(|(path, Asked { hits, bytes, along })| {
                let mut assets: Vec<_> =
                    along.into_iter().filter(|(_, (seen, _))| *seen * 10 >= hits).collect();
                assets.sort_by_key(|(path, (seen, _))| (std::cmp::Reverse(*seen), *path));
                assets.truncate(MOST_ASSETS);
                let assets = assets.into_iter().map(|(path, (_, bytes))| (path, bytes)).collect();
                Page { path, bytes, assets }
            })
            .collect();
    }

    fn learn_texts(&mut self, texts: &Texts) {
        let mut ids: Vec<i64> = self.agents.clone();
        ids.extend(self.outside.iter().flat_map(|(host, path)| [*host, *path]));
        for visit in &self.visits {
            ids.push(visit.agent);
            for step in &visit.steps {
                ids.extend([step.path, step.query]);
                match step.referer {
                    Referer::Outside(host, path) => ids.extend([host, path]),
                    Referer::Own(path) => ids.push(path),
                    Referer::None | Referer::Entry => {}
                }
            }
        }
        ids.sort_unstable();
        ids.dedup();
        self.texts = ids.into_iter().filter(|id| *id >= 0).map(|id| (id, texts.get(id))).collect();
    }
}

/// How often a page was asked for, its size, and what came along: how often, and of what size.
#[derive(Default)]
struct Asked {
    hits: u32,
    bytes: i64,
    along: BTreeMap<i64, (u32, i64)>,
}

/// The host that most referers of pictures and styles name; a name of ours where no referer is there.
fn own_host(rows: &[Request], texts: &Texts, seed: Seed) -> i64 {
    let mut hosts: BTreeMap<i64, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.resource == Resource::Asset.code() && row.referer_host >= 0) {
        *hosts.entry(row.referer_host).or_default() += 1;
    }
    let most = hosts.into_iter().max_by_key(|(host, n)| (*n, std::cmp::Reverse(texts.get(*host))));
    most.map_or_else(|| seed.text(HOST.as_bytes()), |(host, _)| host)
}

fn bare(host: &str) -> String {
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

/// Words in the names of robots and feed readers.
const ROBOTS: [&str; 24] = [
    "bot",
    "crawl",
    "spider",
    "slurp",
    "http",
    "feed",
    "rss",
    "curl",
    "wget",
    "java/",
    "python",
    "perl",
    "ruby",
    "php",
    "client",
    "fetch",
    "monitor",
    "check",
    "scan",
    "archive",
    "validator",
    "preview",
    "ezooms",
    "yeti",
];

/// Robots name themselves, mostly; the others are few.
fn is_persons(agent: &str) -> bool {
    let lower = agent.to_ascii_lowercase();
    lower.starts_with("mozilla/") && !ROBOTS.iter().any(|word| lower.contains(word))
}

/// The site's name where the log does not give it.
pub(super) const HOST: &str = "results.example";

/// Agents of people, for a site whose log has none and where no other was given.
pub(super) const AGENTS: [&str; 12] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 Edg/125.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
];

const OUTSIDE: [(&str, &str); 5] = [
    ("search.example", "/"),
    ("news.example", "/politics/election-night"),
    ("social.example", "/"),
    ("www.broadcaster.example", "/live"),
    ("mail.example", "/"),
];
