//! People, and the programs that work for them: the usual traffic and the crowd.

use std::collections::BTreeSet;

use traffic::Address;
use traffic::request::{Query, Request, Resource};

use super::Who;
use super::learn::{Referer, Visit};
use super::plan::Ramp;
use super::scene::{Client, Scene, Sends};
use crate::random::Random;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// Where a replayed visit lies in time.
pub(super) struct Pace {
    /// Its first request.
    pub(super) start: i64,
    /// Rows before are not written.
    pub(super) from: i64,
    /// Rows from here on are not written.
    pub(super) until: i64,
    /// Factor on recorded pauses.
    pub(super) factor: f64,
}

impl Scene<'_> {
    /// The usual traffic: the hours before the event and during it, and the same time on earlier days.
    /// Returns where it begins.
    pub(super) fn play_usual(&mut self) -> i64 {
        let mut random = Random::new(self.plan.seed, 20);
        let base = self.plan.base;
        let (onset, until) = (self.night.onset, self.night.until);
        let mut windows: Vec<(i64, i64)> = (1..=base.earlier_days)
            .rev()
            .map(|day| {
                let from = onset - day * DAY_MS - base.day_minutes * MINUTE_MS / 2;
                (from, from + base.day_minutes * MINUTE_MS)
            })
            .collect();
        windows.push((onset - base.minutes_before * MINUTE_MS, until));
        let nats: Vec<Address> = (0..random.below(6)).map(|_| self.places.usual(0.0, &mut random)).collect();
        let mut clients: Vec<Client> = Vec::new();
        for &(from, until) in &windows {
            let day = random.uniform((0.85, 1.15));
            let target = (base.per_minute * day * (until - from) as f64 / MINUTE_MS as f64) as usize;
            let before = self.rows.len();
            while self.rows.len() < before + target {
                let visit = random.below(self.learnt.visits.len());
                let client = self.usual_client(visit, &mut clients, &nats, &mut random);
                let start = from - 10 * MINUTE_MS + random.below((until - from) as usize + 600_000) as i64;
                self.usual_visit(&client, visit, (start, from, until), &mut random);
            }
            self.monitor((from, until), &mut random);
        }
        let mut seen = BTreeSet::new();
        for (row, _) in self.rows.iter().filter(|(row, _)| row.time < onset) {
            seen.insert((Address { hi: row.peer_hi, lo: row.peer_lo }, row.agent));
        }
        self.seen = seen.into_iter().collect();
        self.seen.dedup_by_key(|(address, _)| *address);
        for (address, _) in &self.seen {
            self.places.see(*address);
        }
        self.old_nats = nats;
        windows[0].0
    }

    fn usual_client(
        &mut self,
        visit: usize,
        clients: &mut Vec<Client>,
        nats: &[Address],
        random: &mut Random,
    ) -> Client {
        let base = self.plan.base;
        let agent = self.agent_of(visit, random);
        let sends = match random.uniform((0.0, 1.0)) {
            x if x < 0.2 => Sends::None,
            x if x < 0.24 => Sends::Others,
            _ => Sends::Referers,
        };
        let client = Client { who: Who::Usual, address: Address::NONE, agent, sends, assets: true };
        if !nats.is_empty() && random.chance(0.08) {
            return Client { address: *random.pick(nats), ..client };
        }
        if !clients.is_empty() && random.chance(base.returning) {
            let old = *random.pick(clients);
            return Client { assets: random.chance(0.7), ..old };
        }
        let client = Client { address: self.places.usual(base.v6, random), ..client };
        clients.push(client);
        client
    }

    fn usual_visit(
        &mut self,
        client: &Client,
        visit: usize,
        (start, from, until): (i64, i64, i64),
        random: &mut Random,
    ) {
        let end = self.replay(client, visit, &Pace { start, from, until, factor: 1.0 }, false, random);
        if random.chance(self.plan.base.tabs) {
            let page = self.learnt.pages[0].path;
            let life = random.exponential(12.0 * MINUTE_MS as f64) as i64;
            let first = end.max(from);
            self.poll(client, (first, (end + life).min(until)), self.night.poll_every, page, random);
        }
    }

    /// A monitor of the site's own that looks once a minute.
    fn monitor(&mut self, (from, until): (i64, i64), random: &mut Random) {
        let agent = self.text("SiteMonitor/2.1");
        let address = Address::v4(MONITOR);
        let client = Client { who: Who::Monitor, address, agent, sends: Sends::None, assets: false };
        let (path, bytes) = (self.learnt.pages[0].path, self.learnt.pages[0].bytes);
        let mut at = from + random.below(60_000) as i64;
        while at < until {
            let row = self.get(&client, at, (path, bytes), Resource::Page, Referer::None, random);
            self.push(&client, row);
            at += MINUTE_MS;
        }
    }

    /// So many requests of people who come because of the event.
    pub(super) fn play_crowd(&mut self, target: usize) {
        let mut random = Random::new(self.plan.seed, 21);
        let crowd = self.plan.crowd;
        let before = self.extra();
        let mut old = self.seen.clone();
        for at in (1..old.len()).rev() {
            old.swap(at, random.below(at + 1));
        }
        let people: Vec<usize> = (0..self.learnt.visits.len())
            .filter(|visit| self.is_persons(&self.learnt.visits[*visit]))
            .collect();
        // Tabs from before the event must not be an event of their own.
        let mut tabs_before =
            (self.plan.base.per_minute * 0.25 * self.night.poll_every as f64 / 60_000.0) as i64;
        let mut nats: Vec<Address> = Vec::new();
        self.scrapers(crowd.scrapers, &mut random);
        self.app_before(&mut random);
        while self.extra() < before + target {
            let start = self.night.onset + arrival(crowd.ramp, self.plan.event_s, &mut random);
            if random.chance(crowd.app) {
                let address = self.crowd_address(&mut old, &mut random);
                self.app(address, start, &mut random);
                continue;
            }
            let visit = *random.pick(&people);
            let client = self.crowd_client(visit, &mut nats, &mut old, &mut random);
            if random.chance(crowd.tabs) {
                let early = tabs_before > 0 && random.chance(0.3);
                tabs_before -= i64::from(early);
                self.tab(&client, if early { None } else { Some(start) }, &mut random);
                continue;
            }
            let pace = Pace { start, from: start, until: self.night.until, factor: 1.0 };
            let hot = random.chance(crowd.hot);
            if random.chance(crowd.reloading) {
                self.reload(&client, start, &mut random);
            } else if hot && random.chance(crowd.token) {
                self.by_link(&client, start, &mut random);
            } else {
                self.replay(&client, visit, &pace, hot, &mut random);
            }
        }
    }

    fn crowd_client(
        &mut self,
        visit: usize,
        nats: &mut Vec<Address>,
        old: &mut Vec<(Address, i64)>,
        random: &mut Random,
    ) -> Client {
        let crowd = self.plan.crowd;
        let agent = self.agent_of(visit, random);
        let sends = match random.uniform((0.0, 1.0)) {
            x if x < crowd.no_referer => Sends::None,
            x if x < crowd.no_referer + crowd.broken_referer => Sends::Others,
            _ => Sends::Referers,
        };
        let assets = !random.chance(crowd.cached);
        if random.chance(crowd.nat) {
            if nats.is_empty() || random.chance(1.0 / crowd.nat_size) {
                let nat = if !self.old_nats.is_empty() && random.chance(0.5) {
                    *random.pick(&self.old_nats)
                } else {
                    self.places.new_v4(random.chance(crowd.in_known), random)
                };
                nats.push(nat);
            }
            return Client { who: Who::Nat, address: *random.pick(nats), agent, sends, assets };
        }
        let address = self.crowd_address(old, random);
        Client { who: Who::Person, address, agent, sends, assets }
    }

    /// Somebody who came before, or somebody new.
    fn crowd_address(&mut self, old: &mut Vec<(Address, i64)>, random: &mut Random) -> Address {
        let crowd = self.plan.crowd;
        if !random.chance(crowd.new)
            && let Some((address, _)) = old.pop()
        {
            return address;
        }
        self.places.new_client(random.chance(crowd.in_known), self.plan.base.v6, random)
    }

    /// A tab that polls; without a start, one that was opened in the hour before.
    fn tab(&mut self, client: &Client, start: Option<i64>, random: &mut Random) {
        let every = self.night.poll_every;
        let hot = self.night.hot.clone();
        let (page, at) = match start {
            Some(start) => (hot, start),
            None => (self.learnt.pages[0].clone(), self.night.onset - random.below(3_600_000) as i64),
        };
        let opened = self.open_page(client, at, &page, Referer::Entry, random);
        self.poll(client, (opened + every, self.night.until), every, page.path, random);
    }

    /// Somebody who reloads until there is news.
    fn reload(&mut self, client: &Client, start: i64, random: &mut Random) {
        let hot = self.night.hot.clone();
        let mut at = start;
        let patience = start + random.exponential(120_000.0) as i64;
        let pause = random.uniform((4_000.0, 30_000.0));
        let mut client = *client;
        while at < patience.min(self.night.until) {
            self.open_page(&client, at, &hot, Referer::Entry, random);
            // Styles and pictures are cached after the first time, or asked for again, as the server says.
            client.assets = client.assets && random.chance(0.3);
            at += (pause * random.uniform((0.5, 1.5))) as i64;
        }
    }

    /// Somebody who comes by a personal link, as newsletters have them.
    fn by_link(&mut self, client: &Client, start: i64, random: &mut Random) {
        let token = random.token(b"0123456789abcdefghijklmnopqrstuvwxyz", 24);
        let query = self.text(&format!("token={token}"));
        let from = self.rows.len();
        let hot = self.night.hot.clone();
        self.open_page(client, start, &hot, Referer::Entry, random);
        if let Some((row, _)) = self.rows.get_mut(from) {
            (row.query, row.query_kind) = (query, Query::Random.code());
        }
    }

    /// An app: the interface alone, one agent for all, no referer.
    fn app(&mut self, address: Address, start: i64, random: &mut Random) {
        let agent = self.text("ResultsApp/3.2");
        let client = Client { who: Who::App, address, agent, sends: Sends::None, assets: false };
        let mut at = start;
        for n in [2, 0, 1] {
            let path = self.night.api[n];
            let row = self.get(&client, at, (path, 1_204), Resource::Api, Referer::None, random);
            if at < self.night.until {
                self.push(&client, row);
            }
            at += random.exponential(400.0) as i64;
        }
        let stays = random.exponential(150_000.0) as i64;
        let every = random.uniform((20_000.0, 60_000.0)) as i64;
        self.poll(&client, (at + every, at + stays), every, -1, random);
    }

    /// People who used the app in the hours before, where it was known.
    fn app_before(&mut self, random: &mut Random) {
        let crowd = self.plan.crowd;
        if crowd.app <= 0.0 || !crowd.app_is_known || self.seen.is_empty() {
            return;
        }
        let minutes = self.plan.base.minutes_before;
        let users = (self.plan.base.per_minute * 0.06 * minutes as f64 / 5.0) as usize;
        for _ in 0..users {
            let (address, _) = *random.pick(&self.seen);
            let start = self.night.onset - random.below((minutes * MINUTE_MS) as usize) as i64;
            self.app(address, start, random);
        }
    }

    /// Newsrooms' programs that poll every few seconds; half of them do so long since.
    fn scrapers(&mut self, n: usize, random: &mut Random) {
        for _ in 0..n {
            let agent = *random.pick(&["python-requests/2.31.0", "Go-http-client/1.1", "NewsroomFetch/1.2"]);
            let agent = self.text(agent);
            let address = self.places.new_client(true, 0.0, random);
            let client = Client { who: Who::Scraper, address, agent, sends: Sends::None, assets: false };
            let every = (random.log_uniform(self.plan.crowd.scraper_every_s) * 1000.0) as i64;
            let early = random.chance(0.5);
            let start = self.night.onset + if early { -3_000_000 } else { 0 } + random.below(60_000) as i64;
            self.poll(&client, (start, self.night.until), every, -1, random);
        }
    }

    /// Replays a visit; returns when it ended. With `hot` it begins with the page that everybody wants
    /// instead of its own first page.
    pub(super) fn replay(
        &mut self,
        client: &Client,
        visit: usize,
        pace: &Pace,
        hot: bool,
        random: &mut Random,
    ) -> i64 {
        let learnt = self.learnt;
        let steps = &learnt.visits[visit].steps;
        let first = steps.iter().position(|step| step.resource != Resource::Asset.code()).unwrap_or(0);
        let mut at = pace.start as f64;
        let mut skip = 0;
        if hot {
            let page = self.night.hot.clone();
            self.open_page(client, pace.start, &page, Referer::Entry, random);
            // Its own first page and what that brought along.
            let along = steps[first + 1..].iter().take_while(|step| step.resource == Resource::Asset.code());
            skip = first + 1 + along.count();
            at += steps[first + 1..skip].iter().map(|step| step.pause as f64).sum::<f64>() * pace.factor;
        }
        for (place, step) in steps.iter().enumerate().skip(skip) {
            if place > 0 {
                // Logs have whole seconds; the parts of a second are drawn.
                let part = random.uniform((-0.5, 0.5)) * 1000.0;
                at += (step.pause as f64 + part).max(20.0) * pace.factor;
            }
            let time = at as i64;
            if time >= pace.until {
                break;
            }
            let asset = step.resource == Resource::Asset.code();
            if time < pace.from || (asset && !client.assets) {
                continue;
            }
            let referer = match step.referer {
                Referer::Own(path) if hot && path == steps[first].path => Referer::Own(self.night.hot.path),
                other => other,
            };
            let (referer_host, referer_path) = self.referer(client, step.resource, referer, random);
            let row = Request {
                time,
                method: step.method,
                path: step.path,
                query: step.query,
                query_kind: step.query_kind,
                resource: step.resource,
                status: step.status,
                bytes: step.bytes,
                referer_host,
                referer_path,
                ..Request::EMPTY
            };
            self.push(client, row);
        }
        at as i64
    }

    /// The agent of a visit, or somebody's where its log has none.
    pub(super) fn agent_of(&self, visit: usize, random: &mut Random) -> i64 {
        match self.learnt.visits[visit].agent {
            -2 => *random.pick(&self.learnt.agents),
            agent => agent,
        }
    }

    /// Visits without agents in the log count as people's: the few robots among them are not known.
    pub(super) fn is_persons(&self, visit: &Visit) -> bool {
        visit.agent == -2 || self.learnt.is_persons_agent(visit.agent)
    }
}

/// Milliseconds after the onset.
pub(super) fn arrival(ramp: Ramp, event_s: i64, random: &mut Random) -> i64 {
    let x = random.uniform((0.0, 1.0));
    let part = match ramp {
        Ramp::Instant => x,
        Ramp::Linear => x.sqrt(),
        // e³ = 20 times as many at the end as at the start.
        Ramp::Exponential => (1.0 + x * (3.0_f64.exp() - 1.0)).ln() / 3.0,
    };
    (part * (event_s * 1000) as f64) as i64
}

/// 192.0.2.250: the site's own network.
const MONITOR: u32 = 0xc000_02fa;
