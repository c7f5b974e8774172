//! The kernel of the step `clients`: what each client did in each window of a rise, and what clients do
//! when nothing is up.
//!
//! Rows come by network and client, in order of time, so one client at a time is held. Of each window a
//! partition keeps the busiest clients and a sample of the others by seeded hash, with exact totals: a flood
//! of millions of clients costs what thousands cost, and what was left out is counted.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use hashbrown::HashMap;
use traffic::Seed;

use crate::engine::{Accounted, Emit, EngineError, Kernel, MakeKernel, Tables, column_i32, column_i64};

use super::gather::{
    ANSWERED, ClientKey, FROM_REQUESTS, Flags, MINUTE, Referer, own_site, short, visit_schema,
};
use super::kept::{History, Sample, busy_bin, packed, pause_bin};
use super::records::{self, Did, Record, WORDS, What};
use super::rises::{self, RiseRow, WINDOW};
use super::signs::{minutes, plain};
use super::visits::{Lately, Row, Visit};
use super::weights::SIGNS;

/// Clients that one partition keeps over all windows: 64 partitions of them are 100 MB.
const ROOM: usize = 4096;
/// Of one window at most so many: 64 partitions of them are 32,768, and shares of them are exact to half a
/// percent.
const MOST_SAMPLED: usize = 512;
/// The busiest, which are kept apart, are fewer by so many times.
const HEAVY_PART: usize = 8;
/// Paths and agents of calm days that one partition remembers.
const MOST_PATHS: usize = 16_384;
const MOST_AGENTS: usize = 1_024;
/// Windows on calm days begin at every five minutes of the clock.
const GRID: i64 = WINDOW * MINUTE;
/// Calm begins again so long after a rise.
const AFTER: i64 = GRID;
/// A page that polls was opened in the last hour.
const OPENED: i64 = 60 * MINUTE;
/// A /24 with a smaller share of a window's requests is not worth a place.
const NEAR_SHARE: i64 = 200;
/// The most windows that are looked into, those of the largest rises first.
const MOST_WINDOWS: usize = 256;

/// A window as kernels know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    /// Number within the plan.
    pub(super) number: i32,
    /// Asset.
    pub(super) key: i64,
    /// Number of the rise within the table.
    pub(super) rise: usize,
    /// Number of the rise within the asset: history up to there is what came before.
    pub(super) epoch: i32,
    /// Milliseconds.
    pub(super) from: i64,
    pub(super) until: i64,
    /// Requests in it.
    pub(super) n: i64,
}

/// Every window that is looked into, and the rises left out for want of room.
pub(super) fn plan(rises: &[RiseRow]) -> (Vec<Planned>, usize) {
    let mut epochs: BTreeMap<i64, i32> = BTreeMap::new();
    let mut by_rise: Vec<(i64, usize, i32)> = Vec::new();
    for (at, row) in rises.iter().enumerate().filter(|(_, row)| row.source == FROM_REQUESTS) {
        let epoch = epochs.entry(row.key).or_default();
        by_rise.push((row.rise.total, at, *epoch));
        *epoch += 1;
    }
    let all = by_rise.len();
    by_rise.sort_by_key(|&(total, at, _)| (std::cmp::Reverse(total), at));
    let mut windows = 0;
    by_rise.retain(|&(_, at, _)| {
        windows += rises[at].windows.len();
        !rises[at].windows.is_empty() && windows <= MOST_WINDOWS
    });
    let left_out = all - by_rise.len();
    by_rise.sort_by_key(|&(_, at, _)| at);
    let mut planned = Vec::new();
    for (_, at, epoch) in by_rise {
        for window in &rises[at].windows {
            let (from, until) = rises::span(window);
            let number = planned.len() as i32;
            planned.push(Planned { number, key: rises[at].key, rise: at, epoch, from, until, n: window.n });
        }
    }
    (planned, left_out)
}

/// Makes the kernels of the step.
pub(super) struct MakeClients {
    pub(super) seed: Seed,
}

impl MakeKernel for MakeClients {
    fn input(&self) -> SchemaRef {
        visit_schema()
    }

    fn output(&self) -> SchemaRef {
        records::schema()
    }

    fn start(&self, small: &Tables) -> Box<dyn Kernel> {
        let rises = rises::read(small);
        let (planned, _) = plan(&rises);
        let mut sites: BTreeMap<i64, Site> = BTreeMap::new();
        for row in rises.iter().filter(|row| row.source == FROM_REQUESTS) {
            let site = sites.entry(row.key).or_default();
            site.rises.push((row.rise.start * MINUTE, row.rise.end * MINUTE));
        }
        for window in &planned {
            let site = sites.get_mut(&window.key).expect("internal error: a window has a rise");
            site.windows.push(*window);
            site.over = site.over.max(window.until);
        }
        for site in sites.values_mut() {
            site.windows.sort_by_key(|window| (window.from, window.until));
        }
        let sampled = (ROOM / planned.len().max(1)).clamp(1, MOST_SAMPLED);
        let heavy = (sampled / HEAVY_PART).max(1);
        Box::new(Clients {
            seed: self.seed,
            own: own_site(small).map(|site| site & 0xfff),
            kept: planned.iter().map(|_| Sample::new(heavy, sampled)).collect(),
            planned,
            sites,
            histories: BTreeMap::new(),
            nets: HashMap::new(),
            nears: BTreeMap::new(),
            known: HashMap::new(),
            at: None,
            site: None,
            lately: Lately::new(),
            client: None,
            rows: 0,
        })
    }
}

/// What is planned for one asset.
#[derive(Clone, Debug, Default)]
struct Site {
    /// Milliseconds, in order.
    rises: Vec<(i64, i64)>,
    windows: Vec<Planned>,
    /// End of the last window.
    over: i64,
}

impl Site {
    /// The calm window around a time, and its epoch; none where it touches a rise.
    fn calm(&self, time: i64) -> Option<(i64, i32)> {
        let from = time.div_euclid(GRID) * GRID;
        let epoch = self.rises.partition_point(|rise| rise.0 < from + GRID);
        let touches = epoch > 0 && self.rises[epoch - 1].1 + AFTER > from;
        (!touches).then_some((from, epoch as i32))
    }
}

/// The client at hand.
struct Open {
    key: ClientKey,
    /// When it first came on a calm day.
    seen: Option<i64>,
    /// Agents, by hash, that showed what people show on calm days.
    agents: u64,
    /// When it last asked for a page.
    last_page: i64,
    /// The calm window at hand: start, epoch (none in a rise), and what it did in it.
    grid: i64,
    epoch: Option<i32>,
    calm: Visit,
    /// Windows of rises that are open, by number, and the next to open.
    windows: Vec<(i32, i64, Visit)>,
    next: usize,
    /// Referers of this very second that named a page not asked for yet.
    doubted: [(i64, i64); 4],
    doubts: usize,
}

struct Clients {
    seed: Seed,
    own: Option<i64>,
    planned: Vec<Planned>,
    sites: BTreeMap<i64, Site>,
    kept: Vec<Sample>,
    histories: BTreeMap<(i64, i32), History>,
    /// When anybody of a network first came on a calm day, for networks with clients in windows.
    nets: HashMap<(i64, i64), i64>,
    /// Requests and clients of busy /24s, by window, network and /24.
    nears: BTreeMap<(i32, i64, i64), (u32, u32)>,
    /// Paths that were answered on calm days.
    known: HashMap<(i64, i64), ()>,
    /// Where in the order the rows are: asset and network.
    at: Option<At>,
    site: Option<Site>,
    lately: Lately,
    client: Option<Box<Open>>,
    rows: u64,
}

/// One network at one asset.
struct At {
    key: i64,
    net: i64,
    first: Option<i64>,
    in_windows: bool,
    near: i64,
    /// Requests and clients of the /24 at hand, by window.
    tally: Vec<(i32, u32, u32)>,
}

impl Kernel for Clients {
    fn push(&mut self, batch: &RecordBatch, _: &mut Emit<'_>) -> Result<(), EngineError> {
        let (keys, nets, rests) =
            (column_i64(batch, "key"), column_i64(batch, "net"), column_i64(batch, "rest"));
        let (times, paths) = (column_i64(batch, "time"), column_i64(batch, "path"));
        let (agents, froms) = (column_i64(batch, "agent"), column_i64(batch, "from"));
        let flags = column_i32(batch, "flags");
        self.rows += keys.len() as u64;
        // No rise: what clients did is nobody's business.
        if self.planned.is_empty() {
            return Ok(());
        }
        for at in 0..keys.len() {
            let client = ClientKey { net: nets[at], rest: rests[at] };
            let same_net = self.at.as_ref().is_some_and(|now| now.key == keys[at] && now.net == client.net);
            if !same_net {
                self.close_net();
                self.open_net(keys[at], client);
            }
            let Some(site) = &self.site else { continue };
            if times[at] >= site.over {
                continue;
            }
            if self.client.as_ref().is_none_or(|open| open.key != client) {
                self.close_client();
                self.open_client(client);
            }
            self.row(&Row {
                time: times[at],
                path: paths[at],
                agent: agents[at],
                from: froms[at],
                flags: Flags(flags[at]),
            });
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close_net();
        self.put_out(out)?;
        Ok(Accounted::used(self.rows))
    }
}

impl Clients {
    fn open_net(&mut self, key: i64, client: ClientKey) {
        if self.at.as_ref().is_none_or(|at| at.key != key) {
            self.site = self.sites.get(&key).filter(|site| !site.windows.is_empty()).cloned();
        }
        let tally = Vec::new();
        self.at =
            Some(At { key, net: client.net, first: None, in_windows: false, near: client.near(), tally });
    }

    fn close_net(&mut self) {
        self.close_client();
        self.close_near();
        if let Some(at) = &self.at
            && at.in_windows
            && let Some(first) = at.first
        {
            self.nets.insert((at.key, at.net), first);
        }
    }

    /// Busy /24s find a place among the others.
    fn close_near(&mut self) {
        let Some(at) = &mut self.at else { return };
        for (window, n, clients) in at.tally.drain(..) {
            if clients >= 3 && i64::from(n) * NEAR_SHARE >= self.planned[window as usize].n {
                self.nears.insert((window, at.net, at.near), (n, clients));
            }
        }
    }

    fn open_client(&mut self, key: ClientKey) {
        if self.at.as_ref().is_some_and(|at| at.near != key.near()) {
            self.close_near();
            if let Some(at) = &mut self.at {
                at.near = key.near();
            }
        }
        self.lately.next_client();
        let mut open = self.client.take().unwrap_or_else(|| {
            Box::new(Open {
                key,
                seen: None,
                agents: 0,
                last_page: i64::MIN,
                grid: i64::MIN,
                epoch: None,
                calm: Visit::EMPTY,
                windows: Vec::new(),
                next: 0,
                doubted: [(0, 0); 4],
                doubts: 0,
            })
        });
        (open.key, open.seen, open.grid, open.epoch) = (key, None, i64::MIN, None);
        open.last_page = i64::MIN;
        open.agents = 0;
        (open.calm.n, open.next, open.doubts) = (0, 0, 0);
        open.windows.clear();
        self.client = Some(open);
    }

    fn close_client(&mut self) {
        let Some(mut open) = self.client.take() else { return };
        self.close_calm(&mut open);
        while let Some((window, until, visit)) = open.windows.pop() {
            self.close_window(&open, window, until, &visit);
        }
        if let (Some(at), Some(seen)) = (&mut self.at, open.seen) {
            at.first = Some(at.first.map_or(seen, |first| first.min(seen)));
        }
        // Closed twice, it would count twice.
        open.key = ClientKey { net: i64::MIN, rest: 0 };
        self.client = Some(open);
    }

    fn close_calm(&mut self, open: &mut Open) {
        let Some(epoch) = open.epoch.filter(|_| open.calm.n > 0) else { return };
        let key = self.at.as_ref().map_or(0, |at| at.key);
        let until = open.grid + GRID;
        let history = self.histories.entry((key, epoch)).or_insert_with(History::new);
        let did = Did::of(&open.calm, until);
        if did.is_personal() {
            open.agents |= open.calm.agent_bits;
        }
        history.clients += 1;
        history.busy[busy_bin(open.calm.n)] += 1;
        history.common.add(&did, 1.0);
        for sign in plain(&did, minutes(open.grid, until)).iter() {
            history.signs[sign as usize] += 1;
        }
        let (agent, _) = open.calm.agent_of_most();
        if history.agents.len() < MOST_AGENTS || history.agents.contains_key(&agent) {
            *history.agents.entry(agent).or_default() += 1;
        }
        open.calm.n = 0;
    }

    fn close_window(&mut self, open: &Open, window: i32, until: i64, visit: &Visit) {
        let words = records::client(open.key, visit, until, open.seen, open.agents);
        self.kept[window as usize].add(words, self.seed.address(open.key.address()));
        let Some(at) = &mut self.at else { return };
        at.in_windows = true;
        match at.tally.iter_mut().find(|tally| tally.0 == window) {
            Some(tally) => {
                tally.1 = tally.1.saturating_add(visit.n);
                tally.2 += 1;
            }
            None => at.tally.push((window, visit.n, 1)),
        }
    }

    fn row(&mut self, row: &Row) {
        let mut open = self.client.take().expect("internal error: a client is open");
        let site = self.site.take().expect("internal error: a site is open");
        self.row_of(row, &mut open, &site);
        self.client = Some(open);
        self.site = Some(site);
    }

    fn row_of(&mut self, row: &Row, open: &mut Open, site: &Site) {
        let mut row = *row;
        if row.flags.referer() == Referer::Other && Some(row.flags.site()) == self.own {
            row.flags = row.flags.with_referer(Referer::Own);
        }
        // Windows that are over, and those that begin.
        let mut at = 0;
        while at < open.windows.len() {
            if open.windows[at].1 <= row.time {
                let (window, until, visit) = open.windows.swap_remove(at);
                self.close_window(open, window, until, &visit);
            } else {
                at += 1;
            }
        }
        while let Some(window) = site.windows.get(open.next).filter(|window| window.from <= row.time) {
            open.next += 1;
            if row.time < window.until {
                let opened = open.last_page >= window.from.saturating_sub(OPENED);
                open.windows.push((window.number, window.until, Visit::open(opened)));
            }
        }
        let grid = row.time.div_euclid(GRID) * GRID;
        if grid != open.grid {
            self.close_calm(open);
            let calm = site.calm(row.time);
            let opened = open.last_page >= grid.saturating_sub(OPENED);
            (open.grid, open.epoch) = (grid, calm.map(|calm| calm.1));
            open.calm = Visit::open(opened);
        }
        let page = !row.flags.is_asset();
        let own = row.flags.referer() == Referer::Own;
        let plausible = !own || !page || self.lately.asked(row.from, row.time);
        if page {
            if !plausible {
                open.doubted[open.doubts % 4] = (row.from, row.time);
                open.doubts += 1;
            }
            let here = short(row.path);
            for doubt in &mut open.doubted[..open.doubts.min(4)] {
                // Rows of one second come in no particular order.
                if *doubt == (here, row.time) {
                    *doubt = (-1, i64::MIN);
                    open.calm.excuse();
                    open.windows.iter_mut().for_each(|window| window.2.excuse());
                }
            }
            self.lately.ask(row.path, row.time);
            if !row.flags.is_api() {
                open.last_page = row.time;
            }
        }
        for (_, _, visit) in &mut open.windows {
            visit.add(&row, plausible);
        }
        let Some(epoch) = open.epoch else { return };
        if open.seen.is_none() {
            open.seen = Some(row.time);
        }
        let pause = open.calm.add(&row, plausible);
        let key = self.at.as_ref().map_or(0, |at| at.key);
        let answered = page && row.flags.status() == ANSWERED;
        let new_path = answered && !self.known.contains_key(&(key, row.path));
        let with_query = records::queried(row.path);
        let new_query = answered && row.flags.has_query() && !self.known.contains_key(&(key, with_query));
        if pause.is_none() && !new_path && !new_query {
            return;
        }
        let history = self.histories.entry((key, epoch)).or_insert_with(History::new);
        if let Some(seconds) = pause {
            history.pauses[pause_bin(seconds)] += 1;
        }
        for (new, path) in [(new_path, row.path), (new_query, with_query)] {
            if new && self.known.len() < MOST_PATHS {
                self.known.insert((key, path), ());
                history.paths.push(path);
            }
        }
    }

    fn put_out(&mut self, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let mut rows: Vec<Record> = Vec::new();
        for (planned, sample) in self.planned.iter().zip(std::mem::take(&mut self.kept)) {
            let heavy = sample.heavy.into_sorted_vec();
            let sampled = sample.sampled.into_sorted_vec();
            if sample.clients == 0 {
                continue;
            }
            // Each of the sample stands for as many clients as were not kept for being busy.
            let weight = (sample.clients - heavy.len() as u64) as f64 / (sampled.len() as f64).max(1.0);
            let mut words = [0; WORDS];
            words[0] = sample.clients as i64;
            words[1] = sample.requests as i64;
            words[2] = (heavy.len() + sampled.len()) as i64;
            rows.push(Record { what: What::Kept as i32, key: planned.key, at: planned.number, words });
            let heavy = heavy.into_iter().map(|kept| (kept.words, true));
            for (mut words, heavy) in heavy.chain(sampled.into_iter().map(|kept| (kept.words, false))) {
                let key = ClientKey { net: words[0], rest: words[1] };
                let net = self.nets.get(&(planned.key, key.net)).copied();
                let near = self.nears.get(&(planned.number, key.net, key.near())).copied().unwrap_or((0, 0));
                records::complete(&mut words, net, near, if heavy { 1.0 } else { weight });
                rows.push(Record {
                    what: What::Client as i32,
                    key: planned.key,
                    at: planned.number,
                    words: *words,
                });
                if rows.len() >= 16_384 {
                    out.emit(records::batch(&std::mem::take(&mut rows)))?;
                }
            }
        }
        let full = self.known.len() >= MOST_PATHS;
        for (&(key, epoch), history) in &self.histories {
            let mut add = |what: What, words: [i64; WORDS]| {
                rows.push(Record { what: what as i32, key, at: epoch, words });
            };
            add(What::Busy, packed(&history.busy));
            add(What::Pauses, packed(&history.pauses));
            let mut words = [0; WORDS];
            words[0] = history.clients;
            words[1] = i64::from(full);
            words[2..2 + SIGNS].copy_from_slice(&history.signs);
            add(What::Signs, words);
            add(What::Common, history.common.words());
            let mut paths = history.paths.clone();
            paths.sort_unstable();
            for paths in paths.chunks(WORDS) {
                let mut words = [-1; WORDS];
                words[..paths.len()].copy_from_slice(paths);
                add(What::Paths, words);
            }
            let mut agents: Vec<(i64, i64)> = history.agents.iter().map(|(agent, n)| (*agent, *n)).collect();
            agents.sort_unstable();
            for agents in agents.chunks(WORDS / 2) {
                let mut words = [-1; WORDS];
                for (at, (agent, n)) in agents.iter().enumerate() {
                    (words[2 * at], words[2 * at + 1]) = (*agent, *n);
                }
                // Agents may be -1 or -2: their number tells whether there is one.
                words[2 * agents.len()..].fill(0);
                add(What::Agents, words);
            }
        }
        out.emit(records::batch(&rows))
    }
}
