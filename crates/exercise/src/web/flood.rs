//! Floods.

use traffic::Address;
use traffic::request::{Method, Query, Request, Resource};

use super::Who;
use super::people::{Pace, arrival};
use super::plan::{BotAgents, BotReferers, FloodKind, Ramp, Rhythm, Source};
use super::scene::{Client, Scene, Sends};
use crate::random::Random;

/// Hosts of one rented network.
const PER_CLUSTER: (f64, f64) = (4.0, 60.0);

impl Scene<'_> {
    /// So many requests of a flood.
    pub(super) fn play_flood(&mut self, target: usize) {
        let mut random = Random::new(self.plan.seed, 30);
        let flood = self.plan.flood;
        let before = self.extra();
        let people: Vec<usize> = (0..self.learnt.visits.len())
            .filter(|visit| self.is_persons(&self.learnt.visits[*visit]))
            .collect();
        let mut clusters = self.clusters(target, &mut random);
        let aim = self.aim(&mut random);
        while self.extra() < before + target {
            let left = before + target - self.extra();
            let client = self.bot(&aim, &mut clusters, &mut random);
            let start = match flood.ramp {
                // Orders reach all hosts within seconds.
                Ramp::Instant => self.night.onset + random.below(5_000) as i64,
                ramp => self.night.onset + arrival(ramp, self.plan.event_s * 2 / 3, &mut random),
            };
            // Hosts differ: half to one and a half times the mean.
            let n = (flood.per_address * random.uniform((0.5, 1.5))).round().max(1.0) as usize;
            match flood.kind {
                FloodKind::SmartFast | FloodKind::SmartHuman => {
                    self.mimic(&client, start, n.min(left), &people, &mut random);
                }
                _ => self.hammer(&client, start, n.min(left), &aim, &mut random),
            }
        }
    }

    /// What all hosts of the flood have in common.
    fn aim(&mut self, random: &mut Random) -> Aim {
        const TOOLS: [&str; 4] =
            ["Go-http-client/1.1", "python-requests/2.28.1", "okhttp/4.9.0", "Mozilla/5.0 (compatible)"];
        let agent = match random.uniform((0.0, 1.0)) {
            x if x < 0.55 => *random.pick(&self.learnt.agents),
            x if x < 0.85 => self.text(TOOLS[random.below(TOOLS.len())]),
            _ => -1,
        };
        let hot = self.night.hot.clone();
        let front = &self.learnt.pages[random.below(self.learnt.pages.len().min(8))];
        let page = if random.chance(0.5) { (hot.path, hot.bytes) } else { (front.path, front.bytes) };
        let fake = ["search.example", "www.search.example", "social.example", "portal.example"];
        let outside = fake.iter().map(|host| (self.text(host), self.text("/"))).collect();
        Aim { agent, page, outside, token: random.below(4) }
    }

    /// Networks of rented hosts. From those that were seen before somebody came in the hours before.
    fn clusters(&mut self, target: usize, random: &mut Random) -> Vec<u32> {
        let flood = self.plan.flood;
        if flood.source != Source::Datacentre {
            return Vec::new();
        }
        let hosts = (target as f64 / flood.per_address).ceil();
        let n = (hosts / random.log_uniform(PER_CLUSTER)).ceil().clamp(2.0, 12.0) as usize;
        let mut clusters = Vec::new();
        for _ in 0..n {
            let cluster = self.places.cluster(random.chance(flood.in_known), random);
            clusters.push(cluster);
            if random.chance(flood.known_clusters)
                && let Some(address) = self.places.in_cluster(cluster, random)
            {
                self.look_first(address, random);
            }
        }
        clusters
    }

    /// A visit in the hours before.
    fn look_first(&mut self, address: Address, random: &mut Random) {
        let visit = random.below(self.learnt.visits.len());
        let agent = self.agent_of(visit, random);
        let client = Client { who: Who::Usual, address, agent, sends: Sends::Referers, assets: true };
        let start = self.night.onset - 600_000 - random.below(6_000_000) as i64;
        let pace = Pace { start, from: start, until: self.night.onset, factor: 1.0 };
        self.replay(&client, visit, &pace, false, random);
    }

    fn bot(&mut self, aim: &Aim, clusters: &mut [u32], random: &mut Random) -> Client {
        let flood = self.plan.flood;
        let known = random.chance(flood.in_known);
        let seen = !self.seen.is_empty() && random.chance(flood.seen_address);
        let address = match flood.source {
            Source::Datacentre => {
                let cluster = *random.pick(clusters);
                let address = match self.places.in_cluster(cluster, random) {
                    Some(address) => address,
                    // All hosts of the network are at it already: one of them gets more to do.
                    None => Address::v4(cluster | (1 + random.below(254)) as u32),
                };
                if seen {
                    self.look_first(address, random);
                }
                address
            }
            _ if seen => random.pick(&self.seen).0,
            _ => self.places.new_client(known, flood.v6, random),
        };
        let agent = match flood.agents {
            BotAgents::Fixed => aim.agent,
            BotAgents::Rotating | BotAgents::PerClient => *random.pick(&self.learnt.agents),
        };
        Client { who: Who::Bot, address, agent, sends: Sends::Referers, assets: true }
    }

    /// Replays visits, one after the other.
    fn mimic(&mut self, client: &Client, start: i64, n: usize, people: &[usize], random: &mut Random) {
        let factor = self.plan.flood.pace;
        let before = self.extra();
        let mut at = start;
        while self.extra() < before + n && at < self.night.until {
            let visit = *random.pick(people);
            let pace = Pace { start: at, from: at, until: self.night.until, factor };
            let hot = random.chance(self.plan.crowd.hot);
            let end = self.replay(client, visit, &pace, hot, random);
            at = end + (random.exponential(20_000.0) * factor) as i64 + 1;
        }
    }

    /// The same kind of request, over and over.
    fn hammer(&mut self, client: &Client, start: i64, n: usize, aim: &Aim, random: &mut Random) {
        let flood = self.plan.flood;
        let span = (self.night.until - start).max(1) as f64;
        let step = span / n as f64;
        let phase = random.uniform((0.0, 1.0));
        for k in 0..n {
            let at = match flood.rhythm {
                Rhythm::Regular => (k as f64 + phase) * step,
                Rhythm::Jittered => (k as f64 + phase + random.uniform((-0.3, 0.3))) * step,
                Rhythm::Poisson => random.uniform((0.0, span)),
            };
            let time = start + (at.max(0.0) as i64).min(span as i64 - 1);
            let mut client = *client;
            if flood.agents == BotAgents::Rotating {
                client.agent = *random.pick(&self.learnt.agents);
            }
            let mut row = self.target(aim, random);
            (row.referer_host, row.referer_path) = self.fake_referer(aim, random);
            row.time = time;
            self.push(&client, row);
        }
    }

    fn target(&mut self, aim: &Aim, random: &mut Random) -> Request {
        let page = Request {
            method: Method::Get.code(),
            path: aim.page.0,
            resource: Resource::Page.code(),
            status: 200,
            bytes: aim.page.1,
            ..Request::EMPTY
        };
        match self.plan.flood.kind {
            FloodKind::Random404 => {
                let length = 5 + random.below(10);
                let token = random.token(LETTERS, length);
                let folder = *random.pick(&["", "/results", "/images", "/news"]);
                let ending = *random.pick(&["", ".html", ".php", "/"]);
                let path = self.text(&format!("{folder}/{token}{ending}"));
                Request { path, status: 404, bytes: 204, ..page }
            }
            FloodKind::CacheBust => {
                let query = match aim.token {
                    0 => random.token(b"0123456789", 12),
                    1 => format!("cb={}", random.token(b"0123456789abcdefghijklmnopqrstuvwxyz", 12)),
                    2 => format!("r={}", random.token(b"0123456789abcdef", 16)),
                    // A number behind a name is what any site has: only that each is new gives it away.
                    _ => format!("rand={}", random.token(b"0123456789", 7)),
                };
                let kind = if aim.token == 3 { Query::Plain } else { Query::Random };
                Request { query: self.text(&query), query_kind: kind.code(), ..page }
            }
            FloodKind::Api => {
                let path = self.night.api[0];
                Request { path, bytes: 2_310, resource: Resource::Api.code(), ..page }
            }
            FloodKind::Walk => {
                let n = self.learnt.pages.len().min(200);
                let other = &self.learnt.pages[random.below(n)];
                Request { path: other.path, bytes: other.bytes, ..page }
            }
            FloodKind::SingleUrl | FloodKind::SmartFast | FloodKind::SmartHuman => page,
        }
    }

    fn fake_referer(&self, aim: &Aim, random: &mut Random) -> (i64, i64) {
        let inside = |random: &mut Random| (self.learnt.host, self.some_page(random).path);
        match self.plan.flood.referers {
            BotReferers::None => (-1, -1),
            BotReferers::Outside => *random.pick(&aim.outside),
            BotReferers::Inside => inside(random),
            BotReferers::Mixed => match random.below(3) {
                0 => (-1, -1),
                1 => *random.pick(&aim.outside),
                _ => inside(random),
            },
        }
    }
}

/// What all hosts of a flood have in common.
struct Aim {
    agent: i64,
    /// Path and size of the page.
    page: (i64, i64),
    outside: Vec<(i64, i64)>,
    /// Which form the query of a cache-bust has.
    token: usize,
}

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
