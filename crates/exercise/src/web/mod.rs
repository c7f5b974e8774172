//! Web floods, crowds, and both at once, mixed into the usual traffic of a recorded site, with the truth of
//! each row.
//!
//! A mix is drawn so that no single figure gives its truth away: crowds have clients without referer,
//! without pictures, behind one address, polling to the second; floods come from networks that were seen
//! before, with people's agents, and some replay recorded visits. [`Plan`] has every figure and the range
//! that it is drawn from. What is real in a mix: pages, agents, referers and the course of visits. What is
//! not: addresses, which are drawn, and that the same people come on an election night.

mod flood;
mod invented;
mod learn;
mod log;
mod people;
mod places;
mod plan;
mod scene;

use domain::{ExpectedEvent, Prefix, Site, Timestamp};
use traffic::request::{self, Request};
use traffic::{Address, Batch, Kind, Texts};

pub use invented::invented;
pub use learn::{LearnError, Learnt};
pub use log::combined_line;
pub use plan::{
    BasePlan, BotAgents, BotReferers, CrowdPlan, FloodKind, FloodPlan, Label, LogPlan, Plan, Ramp, Rhythm,
    Source,
};

use crate::random::Random;
use scene::Scene;

/// Who sent a request, in truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The usual traffic, robots that come every day included.
    Usual,
    /// Somebody who came because of the event.
    Person,
    /// The same, behind an address of many.
    Nat,
    /// The same, with an app.
    App,
    /// A newsroom's program.
    Scraper,
    /// The site's own monitor.
    Monitor,
    /// The flood.
    Bot,
}

impl Who {
    /// True for everybody whom a block would harm, but for programs that could be asked to identify
    /// themselves.
    pub fn is_human(self) -> bool {
        matches!(self, Self::Usual | Self::Person | Self::Nat | Self::App)
    }
}

/// Rows with their truth.
#[derive(Debug)]
pub struct Mix {
    /// What it was made of.
    pub plan: Plan,
    /// In order of time.
    pub rows: Vec<Request>,
    /// Who sent each row.
    pub truth: Vec<Who>,
    /// Texts behind the ids.
    pub texts: Texts,
    /// Text id of the site's own host name.
    pub host: i64,
    /// Addresses of many, in order; never to be blocked.
    pub nats: Vec<Address>,
    /// The first row may be so early, milliseconds since the epoch. There are gaps between earlier days.
    pub history_from: i64,
    /// The event begins.
    pub onset: i64,
    /// The log ends.
    pub until: i64,
    /// Requests within the event that come because of it: of people and their programs, and of the flood.
    pub extra: (usize, usize),
}

/// Makes the mix of a plan.
pub fn mix(learnt: &Learnt, plan: &Plan) -> Mix {
    let mut scene = Scene::new(learnt, plan);
    let history_from = scene.play_usual();
    let usual = plan.base.per_minute * plan.event_s as f64 / 60.0;
    let extra = match plan.label {
        Label::Calm => 0,
        _ => (((plan.load - 1.0) * usual) as usize).min(plan.most),
    };
    let of_flood = (extra as f64 * plan.flood_share) as usize;
    if plan.has_crowd() {
        scene.play_crowd(extra - of_flood);
    }
    let of_crowd = scene.extra();
    if plan.has_flood() {
        scene.play_flood(of_flood);
    }
    let extra = (of_crowd, scene.extra() - of_crowd);
    finish(scene, history_from, extra)
}

/// Sorts, spoils some answers, and leaves out what the log does not have.
fn finish(scene: Scene<'_>, history_from: i64, extra: (usize, usize)) -> Mix {
    let Scene { learnt, plan, night, mut rows, texts: new, .. } = scene;
    let mut random = Random::new(plan.seed, 40);
    rows.sort_by_key(|(row, _)| row.time);
    let mut texts = Texts::default();
    for (id, text) in learnt.texts.iter().chain(&new) {
        texts.keep(*id, text.as_bytes());
    }
    let mut nats: Vec<Address> = rows
        .iter()
        .filter(|(_, who)| *who == Who::Nat)
        .map(|(row, _)| Address { hi: row.peer_hi, lo: row.peer_lo })
        .chain(scene.old_nats)
        .collect();
    nats.sort_unstable();
    nats.dedup();
    let proxies = [Address::v4(PROXY), Address::v4(PROXY + 1)];
    let mut truth = Vec::with_capacity(rows.len());
    let mut finished = Vec::with_capacity(rows.len());
    for (mut row, who) in rows {
        if row.time >= night.onset && random.chance(plan.errors) {
            (row.status, row.bytes) = (*random.pick(&[499, 503]), 0);
        }
        if plan.log.proxied {
            (row.forwarded_hi, row.forwarded_lo) = (row.peer_hi, row.peer_lo);
            let proxy = random.pick(&proxies);
            (row.peer_hi, row.peer_lo) = (proxy.hi, proxy.lo);
        }
        if !plan.log.combined {
            (row.referer_host, row.referer_path, row.agent) = (-2, -2, -2);
        }
        if plan.log.host {
            row.host = learnt.host;
        }
        if !plan.log.milliseconds {
            row.time = row.time.div_euclid(1000) * 1000;
        }
        finished.push(row);
        truth.push(who);
    }
    Mix {
        plan: *plan,
        rows: finished,
        truth,
        texts,
        host: learnt.host,
        nats,
        history_from,
        onset: night.onset,
        until: night.until,
        extra,
    }
}

impl Mix {
    /// The client of a row: who is behind the declared proxy, where there is one.
    pub fn client(&self, row: &Request) -> Address {
        let address = if self.plan.log.proxied {
            Address { hi: row.forwarded_hi, lo: row.forwarded_lo }
        } else {
            Address { hi: row.peer_hi, lo: row.peer_lo }
        };
        address.client()
    }

    /// What the site's configuration says: the proxies, and the event where it is in the calendar. Monitors
    /// and newsrooms are not declared.
    pub fn site(&self) -> Site {
        let mut site = Site::default();
        if self.plan.log.proxied {
            site.proxies = vec![Prefix::new(std::net::Ipv4Addr::from_bits(PROXY).into(), 31)];
        }
        if self.plan.declared {
            site.events.push(ExpectedEvent {
                name: "polls close".to_owned(),
                from: Timestamp(self.onset - 600_000),
                until: Timestamp(self.until + 3_600_000),
                asset: None,
            });
        }
        site
    }

    /// The rows as batches of at most so many.
    pub fn batches(&self, rows: usize) -> Vec<Batch> {
        self.rows.chunks(rows).map(|rows| Batch::new(Kind::Request, request::batch(rows))).collect()
    }

    /// The rows as an access log in the Combined Log Format.
    pub fn access_log(&self) -> String {
        let mut log = String::new();
        for row in &self.rows {
            combined_line(row, &self.texts, &mut log);
        }
        log
    }
}

/// 192.0.2.2 and .3: the site's own reverse proxies.
const PROXY: u32 = 0xc000_0202;

#[cfg(test)]
mod tests;
