//! From requests to the small tables that the judge reads.
//!
//! 1. `rate`: by asset and minute, the number of requests.
//! 2. `rises`: by asset, where that number leaves what is usual, and the windows in which to look.
//!    Broadcast and kept. Series of counts without rows go into the same step.
//! 3. `own`: which host most of the pictures' and styles' referers name, minute for minute: the site's own, where
//!    the log does not say it and nobody declared it. Broadcast.
//! 4. `clients`: by network and client, in order of time: what each client did in each of those windows,
//!    and what clients do when nothing is up. Kept, bounded.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use domain::Site;
use traffic::request::{Query, Resource};
use traffic::{Address, Kind};

use crate::Settings;
use crate::engine::{
    Accounted, Emit, EngineError, Gather, Input, Kernel, MakeKernel, Step, Tables, column_i32, column_i64,
    schema_of,
};

use crate::detectors::availability::packets::share;
use crate::stats::counts::{add, believed};

use super::clients::MakeClients;
use super::rises::MakeRises;

/// The kept tables.
pub(super) const RATE: &str = "application-flood.rate";
pub(super) const RISES: &str = "application-flood.rises";
pub(super) const OWN: &str = "application-flood.own";
pub(super) const CLIENTS: &str = "application-flood.clients";

/// Milliseconds of a minute.
pub(super) const MINUTE: i64 = 60_000;

/// The gather of the detector.
pub(super) fn gather(settings: &Settings) -> Gather {
    let reader = Arc::new(Reader::new(settings));
    let (rate, own, visits) = (reader.clone(), reader.clone(), reader);
    Gather {
        name: super::DETECTOR.name,
        // The usual rate is that of four weeks.
        reach_ms: 4 * 7 * 1440 * MINUTE,
        steps: vec![
            Step {
                name: RATE,
                from: vec![
                    Input::mapped(Kind::Request, move |batch| rate.minutes(batch)),
                    Input::mapped(Kind::Rate, series),
                ],
                by: &["source", "key", "minute"],
                order: &[],
                combine: Some(Arc::new(MakeCount)),
                kernel: Arc::new(MakeCount),
                small: false,
                keep: false,
                // Few, so that the combiner meets the same minute often.
                partitions: 8,
            },
            Step {
                name: RISES,
                from: vec![Input::Step(RATE)],
                by: &["source", "key"],
                order: &["minute"],
                combine: None,
                kernel: Arc::new(MakeRises),
                small: true,
                keep: true,
                partitions: 8,
            },
            Step {
                name: OWN,
                from: vec![Input::mapped(Kind::Request, move |batch| own.linking(batch))],
                by: &["site"],
                order: &["minute"],
                combine: Some(Arc::new(MakeLinking { merge: true })),
                kernel: Arc::new(MakeLinking { merge: false }),
                small: true,
                keep: true,
                partitions: 8,
            },
            Step {
                name: CLIENTS,
                from: vec![Input::mapped(Kind::Request, move |batch| visits.visits(batch))],
                by: &["key", "net"],
                order: &["rest", "time"],
                combine: None,
                kernel: Arc::new(MakeClients { seed: settings.seed }),
                small: false,
                keep: true,
                partitions: 64,
            },
        ],
    }
}

/// Where counts came from.
pub(super) const FROM_REQUESTS: i64 = 0;
pub(super) const FROM_SERIES: i64 = 1;

/// The asset of requests that belong to none that is declared.
pub(super) const NO_ASSET: i64 = -1;

/// Who sent a client to a request, as its row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Referer {
    /// No referer was sent.
    None,
    /// A page of the site itself.
    Own,
    /// The log has no such field.
    Unknown,
    /// A declared embed.
    Embed,
    /// Any other site.
    Other,
}

impl Referer {
    pub(super) const ALL: [Self; 5] = [Self::None, Self::Own, Self::Unknown, Self::Embed, Self::Other];
}

/// How a request ended.
pub(super) const ANSWERED: i32 = 0;
pub(super) const NOT_FOUND: i32 = 1;
pub(super) const OVERLOADED: i32 = 2;

/// What one row is, in few bits: resource (2), query (2), status (2), referer (3), token of a query (8), code of
/// the referer's host (12).
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags(pub(super) i32);

impl Flags {
    pub(super) fn of(
        resource: i32,
        query: i32,
        status: i32,
        referer: Referer,
        token: i32,
        site: i64,
    ) -> Self {
        let state = match status {
            404 | 410 => NOT_FOUND,
            499 | 500..=599 | 429 => OVERLOADED,
            _ => ANSWERED,
        };
        let rare = (token & 0xff) << 9 | ((site & 0xfff) as i32) << 17;
        Self((resource & 3) | (query & 3) << 2 | state << 4 | (referer as i32) << 6 | rare)
    }
    /// The low bits of the referer's host.
    pub(super) fn site(self) -> i64 {
        i64::from(self.0 >> 17 & 0xfff)
    }
    /// The same with another referer.
    pub(super) fn with_referer(self, referer: Referer) -> Self {
        Self(self.0 & !(7 << 6) | (referer as i32) << 6)
    }
    pub(super) fn resource(self) -> i32 {
        self.0 & 3
    }
    pub(super) fn random(self) -> bool {
        self.0 >> 2 & 3 == Query::Random.code()
    }
    pub(super) fn has_query(self) -> bool {
        self.0 >> 2 & 3 != Query::None.code()
    }
    pub(super) fn status(self) -> i32 {
        self.0 >> 4 & 3
    }
    pub(super) fn referer(self) -> Referer {
        Referer::ALL[(self.0 >> 6 & 7) as usize % 5]
    }
    pub(super) fn token(self) -> u32 {
        (self.0 >> 9 & 0xff) as u32
    }
    pub(super) fn is_asset(self) -> bool {
        self.resource() == Resource::Asset.code()
    }
    pub(super) fn is_api(self) -> bool {
        self.resource() == Resource::Api.code()
    }
}

/// A client as two numbers: its network (/16 of IPv4, /32 of IPv6), and the rest of its address. Rows that
/// are sorted by them have each network, and inside it each /24 or /48, in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ClientKey {
    pub(super) net: i64,
    pub(super) rest: i64,
}

const V6: i64 = 1 << 32;
const NAMED: i64 = 1 << 33;

impl ClientKey {
    pub(super) fn of(address: Address) -> Self {
        if address.hi == Address::NAME {
            return Self { net: NAMED | (address.lo >> 32), rest: address.lo & 0xffff_ffff };
        }
        match address.v4_bits() {
            Some(bits) => Self { net: i64::from(bits >> 16), rest: i64::from(bits & 0xffff) },
            None => Self { net: V6 | (address.hi >> 32 & 0xffff_ffff), rest: address.hi & 0xffff_ffff },
        }
    }

    /// The address, an IPv6 client being its /64.
    pub(super) fn address(self) -> Address {
        if self.net & NAMED != 0 {
            return Address::name((self.net & 0xffff) << 32 | self.rest);
        }
        if self.net & V6 != 0 {
            return Address { hi: (self.net & 0xffff_ffff) << 32 | self.rest, lo: 0 };
        }
        Address::v4((self.net << 16 | self.rest) as u32)
    }

    /// False for names of hosts, which say nothing of networks.
    pub(super) fn has_net(self) -> bool {
        self.net & NAMED == 0
    }

    /// The /24 of an IPv4 client, the /48 of another, within its network.
    pub(super) fn near(self) -> i64 {
        if self.net & V6 != 0 { self.rest >> 16 } else { self.rest >> 8 }
    }
}

/// What a row means at this site. Built from the settings when the traffic is asked for, so that another
/// configuration needs no second reading of files.
pub(super) struct Reader {
    site: Site,
    /// Asset by text id of host.
    hosts: BTreeMap<i64, i64>,
    /// Hosts of declared embeds.
    embeds: Vec<i64>,
    /// Paths that they poll.
    embedded: Vec<i64>,
}

impl Reader {
    pub(super) fn new(settings: &Settings) -> Self {
        let seed = settings.seed;
        let mut hosts = BTreeMap::new();
        for (number, asset) in settings.site.assets.iter().enumerate() {
            for host in &asset.hosts {
                hosts.entry(seed.text(host.to_lowercase().as_bytes())).or_insert(number as i64);
            }
        }
        let embeds = settings.site.embeds.iter().flat_map(|embed| &embed.hosts);
        Self {
            embeds: embeds.map(|host| seed.text(host.to_lowercase().as_bytes())).collect(),
            embedded: settings
                .site
                .embeds
                .iter()
                .flat_map(|embed| &embed.paths)
                .map(|path| seed.text(path.as_bytes()))
                .collect(),
            site: settings.site.clone(),
            hosts,
        }
    }

    /// The declared asset that a host belongs to. A log without hosts is that of the only asset, where there
    /// is one only. Hosts that nobody declared are one asset, since whoever asks makes them up at will.
    pub(super) fn asset(&self, host: i64) -> i64 {
        match self.hosts.get(&host) {
            Some(&asset) => asset,
            None if host == -1 && self.site.assets.len() == 1 => 0,
            None => NO_ASSET,
        }
    }

    /// Who asked: whoever connected, or the last address before a declared proxy.
    pub(super) fn client(&self, peer: Address, forwarded: Address) -> Address {
        let through_proxy = forwarded != Address::NONE
            && !self.site.proxies.is_empty()
            && peer.ip().is_some_and(|ip| self.site.proxies.iter().any(|proxy| proxy.contains(ip)));
        if through_proxy { forwarded.client() } else { peer.client() }
    }

    /// Who sent the client here. A widget on another site often sends no referer, or its own host's alone: who asks
    /// for a path that a declared embed polls, and names no page, comes from there.
    pub(super) fn referer(&self, host: i64, referer_host: i64, path: i64) -> Referer {
        match referer_host {
            -1 if self.embedded.contains(&path) => Referer::Embed,
            -1 => Referer::None,
            ..-1 => Referer::Unknown,
            from if from == host || self.hosts.contains_key(&from) => Referer::Own,
            from if self.embeds.contains(&from) => Referer::Embed,
            _ => Referer::Other,
        }
    }

    fn minutes(&self, batch: &RecordBatch) -> RecordBatch {
        let (hosts, times) = (column_i64(batch, "host"), column_i64(batch, "time"));
        let mut last = (i64::MIN, NO_ASSET);
        let keys: Int64Array = hosts
            .iter()
            .map(|&host| {
                if host != last.0 {
                    last = (host, self.asset(host));
                }
                last.1
            })
            .collect();
        let minutes: Int64Array = times.iter().map(|time| time.div_euclid(MINUTE)).collect();
        let rows = times.len();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![FROM_REQUESTS; rows])),
            Arc::new(keys),
            Arc::new(minutes),
            Arc::new(Int64Array::from(vec![1; rows])),
        ];
        RecordBatch::try_new(count_schema(), columns).expect("internal error: the columns follow the schema")
    }

    /// Hosts and minutes of what pages bring along, as the row says, or else its referer; where none are declared.
    fn linking(&self, batch: &RecordBatch) -> RecordBatch {
        let (hosts, times) = (column_i64(batch, "host"), column_i64(batch, "time"));
        let (sites, resources) = (column_i64(batch, "referer_host"), column_i32(batch, "resource"));
        let (mut linking, mut minutes) = (Vec::new(), Vec::new());
        if self.hosts.is_empty() {
            for at in 0..hosts.len() {
                let site = if hosts[at] >= 0 { hosts[at] } else { sites[at] };
                if site >= 0 && resources[at] == Resource::Asset.code() {
                    linking.push(site);
                    minutes.push(times[at].div_euclid(MINUTE));
                }
            }
        }
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from(linking)), Arc::new(Int64Array::from(minutes))];
        RecordBatch::try_new(linking_schema(), columns)
            .expect("internal error: the columns follow the schema")
    }

    fn visits(&self, batch: &RecordBatch) -> RecordBatch {
        let (peer_hi, peer_lo) = (column_i64(batch, "peer_hi"), column_i64(batch, "peer_lo"));
        let (forwarded_hi, forwarded_lo) =
            (column_i64(batch, "forwarded_hi"), column_i64(batch, "forwarded_lo"));
        let (hosts, referer_hosts) = (column_i64(batch, "host"), column_i64(batch, "referer_host"));
        let (queries, query_kinds) = (column_i64(batch, "query"), column_i32(batch, "query_kind"));
        let (resources, statuses) = (column_i32(batch, "resource"), column_i32(batch, "status"));
        let (froms, paths) = (column_i64(batch, "referer_path"), column_i64(batch, "path"));
        let rows = hosts.len();
        let (mut keys, mut nets) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let (mut rests, mut flags) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut last = (i64::MIN, NO_ASSET);
        for at in 0..rows {
            if hosts[at] != last.0 {
                last = (hosts[at], self.asset(hosts[at]));
            }
            keys.push(last.1);
            let peer = Address { hi: peer_hi[at], lo: peer_lo[at] };
            let client =
                ClientKey::of(self.client(peer, Address { hi: forwarded_hi[at], lo: forwarded_lo[at] }));
            nets.push(client.net);
            rests.push(client.rest);
            let referer = self.referer(hosts[at], referer_hosts[at], paths[at]);
            let token = (queries[at] & 0xff) as i32;
            flags.push(
                Flags::of(resources[at], query_kinds[at], statuses[at], referer, token, referer_hosts[at]).0,
            );
        }
        let column = |name: &str| -> ArrayRef {
            batch.column_by_name(name).expect("internal error: a column of the traffic").clone()
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(keys)),
            Arc::new(Int64Array::from(nets)),
            Arc::new(Int64Array::from(rests)),
            column("time"),
            column("path"),
            column("agent"),
            Arc::new(froms.iter().map(|&from| short(from)).collect::<Int64Array>()),
            Arc::new(Int32Array::from(flags)),
        ];
        RecordBatch::try_new(visit_schema(), columns).expect("internal error: the columns follow the schema")
    }
}

/// The low bits of a path's id: enough to compare a referer with the few pages of one client, and a row
/// fits four words.
pub(super) fn short(path: i64) -> i64 {
    if path < 0 { path } else { path & 0x3fff_ffff }
}

/// The columns of the step `clients`.
pub(super) fn visit_schema() -> SchemaRef {
    schema_of(&[
        ("key", DataType::Int64),
        ("net", DataType::Int64),
        ("rest", DataType::Int64),
        ("time", DataType::Int64),
        ("path", DataType::Int64),
        ("agent", DataType::Int64),
        ("from", DataType::Int64),
        ("flags", DataType::Int32),
    ])
}

/// Counts of a series per minute: a step that is longer is spread evenly over its minutes.
fn series(batch: &RecordBatch) -> RecordBatch {
    // A step of more than a day says nothing of minutes.
    const LONGEST_MIN: i64 = 1440;
    let (names, times) = (column_i64(batch, "series"), column_i64(batch, "time"));
    let (steps, counts) = (column_i64(batch, "step"), column_i64(batch, "count"));
    let mut columns: [Vec<i64>; 4] = Default::default();
    for at in 0..names.len() {
        let minutes = (steps[at] / MINUTE).clamp(1, LONGEST_MIN);
        for minute in 0..minutes {
            // Whole counts that add up: the difference of two rounded-down sums.
            let count = believed(counts[at]);
            let n = share(count, minute + 1, minutes) - share(count, minute, minutes);
            let row = [FROM_SERIES, names[at], times[at].div_euclid(MINUTE) + minute, n];
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
    }
    let columns: Vec<ArrayRef> =
        columns.into_iter().map(|column| Arc::new(Int64Array::from(column)) as ArrayRef).collect();
    RecordBatch::try_new(count_schema(), columns).expect("internal error: the columns follow the schema")
}

/// The columns of the step `rate`.
pub(super) fn count_schema() -> SchemaRef {
    schema_of(&[
        ("source", DataType::Int64),
        ("key", DataType::Int64),
        ("minute", DataType::Int64),
        ("n", DataType::Int64),
    ])
}

struct MakeCount;

impl MakeKernel for MakeCount {
    fn input(&self) -> SchemaRef {
        count_schema()
    }
    fn output(&self) -> SchemaRef {
        count_schema()
    }
    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Count::default())
    }
}

/// Adds up rows of one asset and minute.
#[derive(Default)]
struct Count {
    open: Option<[i64; 3]>,
    columns: [Vec<i64>; 4],
    rows: u64,
}

impl Count {
    fn put_out(&mut self, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let columns: Vec<ArrayRef> = self
            .columns
            .iter_mut()
            .map(|column| Arc::new(Int64Array::from(std::mem::take(column))) as ArrayRef)
            .collect();
        out.emit(RecordBatch::try_new(count_schema(), columns).expect("internal error: the columns follow"))
    }
}

impl Kernel for Count {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let (sources, keys) = (column_i64(batch, "source"), column_i64(batch, "key"));
        let (minutes, counts) = (column_i64(batch, "minute"), column_i64(batch, "n"));
        self.rows += counts.len() as u64;
        for at in 0..counts.len() {
            let now = [sources[at], keys[at], minutes[at]];
            if self.open == Some(now) {
                add(self.columns[3].last_mut().expect("internal error: a minute is open"), counts[at]);
                continue;
            }
            if self.columns[3].len() >= 65_536 {
                self.put_out(out)?;
            }
            self.open = Some(now);
            for (column, value) in self.columns.iter_mut().zip([now[0], now[1], now[2], counts[at]]) {
                column.push(value);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.put_out(out)?;
        Ok(Accounted::used(self.rows))
    }
}

fn linking_schema() -> SchemaRef {
    schema_of(&[("site", DataType::Int64), ("minute", DataType::Int64)])
}

/// Counts the minutes in which a host was named: a flood of made-up referers fills few of them.
struct MakeLinking {
    /// Only takes out rows that are there twice.
    merge: bool,
}

impl MakeKernel for MakeLinking {
    fn input(&self) -> SchemaRef {
        linking_schema()
    }
    fn output(&self) -> SchemaRef {
        // Merged: host and minute. At last: host and number of minutes.
        linking_schema()
    }
    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Linking {
            merge: self.merge,
            last: None,
            rows: Vec::new(),
            open: (0, 0),
            most: (0, 0),
            pushed: 0,
        })
    }
}

struct Linking {
    merge: bool,
    last: Option<(i64, i64)>,
    rows: Vec<(i64, i64)>,
    /// Minutes and host: of the one at hand, and the most so far.
    open: (i64, i64),
    most: (i64, i64),
    pushed: u64,
}

impl Kernel for Linking {
    fn push(&mut self, batch: &RecordBatch, _: &mut Emit<'_>) -> Result<(), EngineError> {
        let (sites, minutes) = (column_i64(batch, "site"), column_i64(batch, "minute"));
        self.pushed += sites.len() as u64;
        for (&site, &minute) in sites.iter().zip(minutes) {
            let row = Some((site, minute));
            if self.last == row {
                continue;
            }
            self.last = row;
            if self.merge {
                self.rows.push((site, minute));
            } else if self.open.1 == site {
                self.open.0 += 1;
            } else {
                self.most = self.most.max(self.open);
                self.open = (1, site);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        if !self.merge {
            let (minutes, site) = self.most.max(self.open);
            if minutes > 0 {
                self.rows.push((site, minutes));
            }
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.rows.iter().map(|row| row.0).collect::<Int64Array>()),
            Arc::new(self.rows.iter().map(|row| row.1).collect::<Int64Array>()),
        ];
        out.emit(
            RecordBatch::try_new(linking_schema(), columns).expect("internal error: the columns follow"),
        )?;
        Ok(Accounted::used(self.pushed))
    }
}

/// The site's own host, where it had to be learnt.
pub(super) fn own_site(small: &Tables) -> Option<i64> {
    let hosts = small.get(OWN).into_iter().flatten().flat_map(|batch| {
        let (sites, minutes) = (column_i64(batch, "site"), column_i64(batch, "minute"));
        minutes.iter().copied().zip(sites.iter().copied()).collect::<Vec<_>>()
    });
    hosts.max().map(|(_, site)| site)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_come_back_as_they_were() {
        for text in ["192.0.2.7", "255.255.0.1", "2001:db8:1:2::", "fe80:ffff:ffff:ffff::"] {
            let address = Address::parse(text.as_bytes()).expect("an address").client();
            assert_eq!(ClientKey::of(address).address().to_string(), text);
        }
        let name = Address::name(0xabcd_1234_5678);
        assert_eq!(ClientKey::of(name).address(), name);
        assert!(!ClientKey::of(name).has_net());
    }

    #[test]
    fn flags_come_back_as_they_were() {
        let flags = Flags::of(2, 2, 404, Referer::Other, 0x1ab, 0x7_ffff);
        assert!(flags.is_api() && flags.random() && !flags.is_asset());
        assert_eq!((flags.status(), flags.referer(), flags.token()), (NOT_FOUND, Referer::Other, 0xab));
    }
}
