//! The stage on which a mix is played: the site as it is that night, the map of addresses, and the rows that
//! were written so far.

use std::collections::BTreeMap;

use traffic::request::{Method, Query, Request, Resource};
use traffic::{Address, Seed};

use super::Who;
use super::learn::{Learnt, Page, Referer};
use super::places::Places;
use super::plan::Plan;
use crate::random::Random;

/// Everything that is the same for all who take part.
pub(super) struct Scene<'a> {
    pub(super) learnt: &'a Learnt,
    pub(super) plan: &'a Plan,
    pub(super) places: Places,
    pub(super) night: Night,
    /// Clients that came before the event, with the agent that they showed.
    pub(super) seen: Vec<(Address, i64)>,
    /// Addresses of many that came before.
    pub(super) old_nats: Vec<Address>,
    pub(super) rows: Vec<(Request, Who)>,
    pub(super) texts: BTreeMap<i64, String>,
    /// Rows within the event, but for the usual ones.
    extra: usize,
}

/// What is special about the night.
pub(super) struct Night {
    /// Milliseconds since the epoch.
    pub(super) onset: i64,
    /// End of the log.
    pub(super) until: i64,
    /// The page that everybody wants.
    pub(super) hot: Page,
    /// What tabs poll.
    pub(super) api: Vec<i64>,
    /// How often, in milliseconds.
    pub(super) poll_every: i64,
    /// True where the poll has a time stamp as its query, so that no cache answers it.
    pub(super) stamped: bool,
}

/// Who sends a request, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    pub(super) who: Who,
    pub(super) address: Address,
    pub(super) agent: i64,
    pub(super) sends: Sends,
    /// False where pictures and styles are in its cache.
    pub(super) assets: bool,
}

/// What a client does with referers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sends {
    /// What it should.
    Referers,
    /// None, ever.
    None,
    /// Pages of the site that it did not ask for.
    Others,
}

impl<'a> Scene<'a> {
    pub(super) fn new(learnt: &'a Learnt, plan: &'a Plan) -> Self {
        let mut random = Random::new(plan.seed, 10);
        let onset = EVENING_MS + 1000 * random.below(3 * 3600) as i64;
        let mut scene = Self {
            learnt,
            plan,
            places: Places::new(&mut random),
            night: Night {
                onset,
                until: onset + plan.event_s * 1000,
                hot: Page { path: -1, bytes: 0, assets: Vec::new() },
                api: Vec::new(),
                poll_every: *random.pick(&[15_000, 30_000, 60_000]),
                stamped: random.chance(0.2),
            },
            seen: Vec::new(),
            old_nats: Vec::new(),
            rows: Vec::new(),
            texts: BTreeMap::new(),
            extra: 0,
        };
        scene.night.api = API.iter().map(|path| scene.text(path)).collect();
        scene.night.hot = scene.hot_page(&mut random);
        scene
    }

    /// The id of a text that the log did not have.
    pub(super) fn text(&mut self, text: &str) -> i64 {
        let id = self.seed().text(text.as_bytes());
        self.texts.entry(id).or_insert_with(|| text.to_owned());
        id
    }

    pub(super) fn seed(&self) -> Seed {
        self.learnt.seed
    }

    /// Writes a row, and counts it where it belongs to the event.
    pub(super) fn push(&mut self, client: &Client, row: Request) {
        if !self.plan.log.assets && row.resource == Resource::Asset.code() {
            return;
        }
        let (peer_hi, peer_lo) = (client.address.hi, client.address.lo);
        self.rows.push((Request { peer_hi, peer_lo, agent: client.agent, ..row }, client.who));
        if !matches!(client.who, Who::Usual | Who::Monitor)
            && (self.night.onset..self.night.until).contains(&row.time)
        {
            self.extra += 1;
        }
    }

    /// Rows within the event so far, but for the usual ones.
    pub(super) fn extra(&self) -> usize {
        self.extra
    }

    /// A page or an answer that is there, with what the client says of where it came from.
    pub(super) fn get(
        &self,
        client: &Client,
        time: i64,
        (path, bytes): (i64, i64),
        resource: Resource,
        referer: Referer,
        random: &mut Random,
    ) -> Request {
        let (referer_host, referer_path) = self.referer(client, resource.code(), referer, random);
        Request {
            time,
            method: Method::Get.code(),
            path,
            resource: resource.code(),
            status: 200,
            bytes,
            referer_host,
            referer_path,
            ..Request::EMPTY
        }
    }

    /// Host and path of the referer that this client sends.
    pub(super) fn referer(
        &self,
        client: &Client,
        resource: i32,
        referer: Referer,
        random: &mut Random,
    ) -> (i64, i64) {
        let page = resource != Resource::Asset.code();
        match (client.sends, referer) {
            (Sends::None, _) | (_, Referer::None) => (-1, -1),
            // Search engines, links in messages, and what people type in.
            (_, Referer::Entry) if random.chance(0.75) => *random.pick(&self.learnt.outside),
            (_, Referer::Entry) => (-1, -1),
            (Sends::Others, Referer::Own(_)) if page => (self.learnt.host, self.some_page(random).path),
            (_, Referer::Own(path)) => (self.learnt.host, path),
            (_, Referer::Outside(host, path)) => (host, path),
        }
    }

    /// A page of the site, the most asked for most often.
    pub(super) fn some_page(&self, random: &mut Random) -> &'a Page {
        &self.learnt.pages[random.zipf(self.learnt.pages.len())]
    }

    /// Asks for a page and what it brings along; returns when all is there.
    pub(super) fn open_page(
        &mut self,
        client: &Client,
        time: i64,
        page: &Page,
        referer: Referer,
        random: &mut Random,
    ) -> i64 {
        let row = self.get(client, time, (page.path, page.bytes), Resource::Page, referer, random);
        self.push(client, row);
        let mut at = time;
        if client.assets {
            for &asset in &page.assets {
                at += random.exponential(250.0) as i64;
                if at >= self.night.until {
                    break;
                }
                let referer = Referer::Own(page.path);
                let row = self.get(client, at, asset, Resource::Asset, referer, random);
                self.push(client, row);
            }
        }
        at
    }

    /// Polls the interface from a time on until another.
    pub(super) fn poll(
        &mut self,
        client: &Client,
        (from, until): (i64, i64),
        every: i64,
        page: i64,
        random: &mut Random,
    ) {
        let path = self.night.api[0];
        let mut at = from;
        while at < until.min(self.night.until) {
            let referer = if page < 0 { Referer::None } else { Referer::Own(page) };
            let mut row = self.get(client, at, (path, 2_310), Resource::Api, referer, random);
            if self.night.stamped {
                row.query = self.text(&format!("_={at}"));
                row.query_kind = Query::Plain.code();
            }
            self.push(client, row);
            at += every;
        }
    }

    fn hot_page(&mut self, random: &mut Random) -> Page {
        // What everybody wants is a page with styles and pictures, not a feed or a text that was busy before.
        let rich = self.learnt.pages.iter().filter(|page| page.assets.len() >= 2);
        let old: Vec<&Page> = rich.take(5).collect();
        if !self.plan.crowd.hot_is_new && !old.is_empty() {
            return (*random.pick(&old)).clone();
        }
        let path = self.text("/results/2026");
        let n_assets = 3 + random.below(9);
        let assets = (0..n_assets)
            .map(|n| {
                let name = match n {
                    0 => "/static/night.css".to_owned(),
                    1 => "/static/night.js".to_owned(),
                    2 => "/static/map.svg".to_owned(),
                    n => format!("/static/party-{}.png", n - 2),
                };
                (self.text(&name), 1_000 + random.below(60_000) as i64)
            })
            .collect();
        Page { path, bytes: 18_400, assets }
    }
}

/// 27 September 2026, 16:00 UTC.
const EVENING_MS: i64 = 1_790_524_800_000;

const API: [&str; 4] = [
    "/api/results/latest.json",
    "/api/results/districts.json",
    "/api/config.json",
    "/api/results/turnout.json",
];
