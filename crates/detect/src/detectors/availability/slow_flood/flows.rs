//! Connections that are held, from flows.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use domain::{Evidence, Finding, FindingId, Sample, Severity, Subject, Timestamp, Verdict};
use traffic::flow::{ACK, SYN, State};
use traffic::{Address, Seed};

use crate::case::Case;
use crate::detectors::availability::packets::{Flows, MINUTE_MS, table};
use crate::detectors::availability::words::grouped;
use crate::engine::{
    Accounted, Emit, EngineError, Kernel, MakeKernel, Tables, column_i32, column_i64, schema_of,
};
use crate::stats::base::Base;
use crate::stats::figures::rounded;
use crate::stats::sample::{BottomK, Top};

use super::{DETECTOR, LEAST, SPREADS};

/// The kept table.
pub(super) const HELD: &str = "slow-flood.held";

/// Shortest duration of a connection that is held.
const LEAST_MS: i64 = 10_000;
/// Most packets and bytes of data a second, in either direction.
const PACKETS_A_SECOND: i64 = 2;
const BYTES_A_SECOND: i64 = 200;
/// Headers of a packet: IPv4 and TCP with the usual options.
const HEADERS: i64 = 52;
/// Less data than this in one direction is hardly any: a request, or an error page.
const HARDLY: i64 = 1500;
/// Less data than this back is little: what fits into the smallest receive buffer, twice. A slow reader gets that.
const LITTLE: i64 = 4096;
/// Less than this is no answer: the shortest status line with a date is longer.
const NOTHING: i64 = 100;
/// Connections at a time that are worth a row.
const WORTH_A_ROW: i64 = 20;
const SAMPLED_CLIENTS: usize = 512;
const NAMED: usize = 5;

/// Services whose connections idle by nature: SSH, Telnet, SMTP, POP, NNTP, IMAP, BGP, IRC, LDAP, SMB, AFP, DoT,
/// SOCKS, SQL servers, MQTT, RDP, PostgreSQL, AMQP, VNC, XMPP, Redis, X11, Kafka, memcached, MongoDB, NFS.
const IDLE_BY_NATURE: &[i32] = &[
    22, 23, 25, 53, 110, 119, 139, 143, 179, 194, 389, 445, 465, 548, 587, 636, 853, 873, 993, 995, 1080,
    1194, 1433, 1521, 1723, 1883, 2049, 3268, 3306, 3389, 4222, 5222, 5269, 5432, 5671, 5672, 5900, 6379,
    6667, 6697, 8883, 9092, 9418, 11_211, 27_017,
];

fn held_columns() -> SchemaRef {
    schema_of(&[
        ("dst_hi", DataType::Int64),
        ("dst_lo", DataType::Int64),
        ("port", DataType::Int32),
        ("time", DataType::Int64),
        ("duration", DataType::Int64),
        ("src_hi", DataType::Int64),
        ("src_lo", DataType::Int64),
        ("begun", DataType::Int32),
        ("sent", DataType::Int64),
        ("got", DataType::Int64),
        ("waiting", DataType::Int32),
    ])
}

/// Flows that are held open while hardly anything is sent.
pub(super) fn held(batch: &RecordBatch) -> RecordBatch {
    let flows = Flows::of(batch);
    let mut rows: Vec<[i64; 11]> = Vec::new();
    for at in 0..flows.len() {
        let (duration, packets) = (flows.duration[at], flows.packets[at]);
        let back = flows.back_packets[at];
        let accepted = flows.flags[at] & ACK != 0 && flows.state[at] != State::Rejected.code();
        if flows.proto[at] != 6 || duration < LEAST_MS || back <= 0 || packets <= 0 || !accepted {
            continue;
        }
        if IDLE_BY_NATURE.contains(&flows.dst_port[at]) {
            continue;
        }
        let seconds = duration / 1000;
        let sent = (flows.bytes[at] - HEADERS * packets).max(0);
        let got = (flows.back_bytes[at] - HEADERS * back).max(0);
        // A handshake and a request come at once, so a few more are allowed at the beginning.
        let slow = |packets: i64, bytes: i64| {
            packets <= 10 + PACKETS_A_SECOND * seconds && bytes <= HARDLY + BYTES_A_SECOND * seconds
        };
        if !slow(packets, sent) || !slow(back, got) {
            continue;
        }
        // A visitor's connection idles after it was served. A held one waits in the middle: for a request that
        // does not come or comes in crumbs, or for a reader who takes crumbs.
        let crumbs = |packets: i64, bytes: i64, least: i64| packets >= least && bytes < 100 * packets;
        let waiting = got < NOTHING || crumbs(packets, sent, 12) || crumbs(back, got, 15);
        rows.push([
            flows.dst.0[at],
            flows.dst.1[at],
            flows.dst_port[at].into(),
            flows.time[at],
            duration,
            flows.src.0[at],
            flows.src.1[at],
            i64::from(flows.flags[at] & SYN != 0),
            sent,
            got,
            i64::from(waiting),
        ]);
    }
    table(&held_columns(), &rows)
}

/// A server in a minute: what is held at its busiest moment, and what began.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_field_names, reason = "it is the time of the row")]
struct Minute {
    server: (i64, i64),
    port: i64,
    minute: i64,
    /// Most at the same time.
    open: i64,
    /// Held connections that began in this minute; of these, with hardly any data back and with hardly any sent.
    begun: i64,
    unserved: i64,
    silent: i64,
    /// Of these, with little data back; in the middle of a request or an answer.
    little: i64,
    waiting: i64,
    /// Clients of those.
    clients: i64,
    /// First second of the minute in which one began.
    first: i64,
    busiest: [(i64, i64, i64); NAMED],
}

const COLUMNS: usize = 12 + 3 * NAMED;

fn minute_columns() -> SchemaRef {
    let names: Vec<String> = (0..COLUMNS).map(|at| format!("c{at:02}")).collect();
    let columns: Vec<(&str, DataType)> = names.iter().map(|name| (name.as_str(), DataType::Int64)).collect();
    schema_of(&columns)
}

impl Minute {
    fn row(&self) -> [i64; COLUMNS] {
        let mut row = [0; COLUMNS];
        row[..12].copy_from_slice(&[
            self.server.0,
            self.server.1,
            self.port,
            self.minute,
            self.open,
            self.begun,
            self.unserved,
            self.silent,
            self.clients,
            self.first,
            self.little,
            self.waiting,
        ]);
        for (place, (hi, lo, n)) in row[12..].as_chunks_mut::<3>().0.iter_mut().zip(self.busiest) {
            *place = [hi, lo, n];
        }
        row
    }

    fn read(batch: &RecordBatch) -> Vec<Self> {
        let columns: Vec<&[i64]> =
            batch.schema_ref().fields().iter().map(|field| column_i64(batch, field.name())).collect();
        (0..batch.num_rows())
            .map(|at| {
                let of = |column: usize| columns[column][at];
                Self {
                    server: (of(0), of(1)),
                    port: of(2),
                    minute: of(3),
                    open: of(4),
                    begun: of(5),
                    unserved: of(6),
                    silent: of(7),
                    clients: of(8),
                    first: of(9),
                    little: of(10),
                    waiting: of(11),
                    busiest: std::array::from_fn(|n| (of(12 + 3 * n), of(13 + 3 * n), of(14 + 3 * n))),
                }
            })
            .collect()
    }
}

pub(super) struct MakeHeld {
    pub(super) seed: Seed,
}

impl MakeKernel for MakeHeld {
    fn input(&self) -> SchemaRef {
        held_columns()
    }

    fn output(&self) -> SchemaRef {
        minute_columns()
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Held {
            seed: self.seed,
            rows: 0,
            key: None,
            ends: BinaryHeap::new(),
            minute: Minute::default(),
            clients: BottomK::new(SAMPLED_CLIENTS),
            out: Vec::new(),
        })
    }
}

struct Held {
    seed: Seed,
    rows: u64,
    key: Option<(i64, i64, i32)>,
    /// When the connections that are open end: as many as are open at once.
    ends: BinaryHeap<Reverse<i64>>,
    minute: Minute,
    clients: BottomK<(i64, i64)>,
    out: Vec<[i64; COLUMNS]>,
}

impl Kernel for Held {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let long = |name| column_i64(batch, name);
        let int = |name| column_i32(batch, name);
        let (hi, lo, port) = (long("dst_hi"), long("dst_lo"), int("port"));
        let (time, duration) = (long("time"), long("duration"));
        let (src_hi, src_lo) = (long("src_hi"), long("src_lo"));
        let (begun, sent, got, waiting) = (int("begun"), long("sent"), long("got"), int("waiting"));
        self.rows += hi.len() as u64;
        for n in 0..hi.len() {
            let key = (hi[n], lo[n], port[n]);
            if self.key != Some(key) {
                self.close_server();
                self.key = Some(key);
            }
            let minute = time[n].div_euclid(MINUTE_MS);
            if self.minute.minute != minute {
                self.go_on_to(minute);
            }
            while self.ends.peek().is_some_and(|end| end.0 <= time[n]) {
                self.ends.pop();
            }
            self.ends.push(Reverse(time[n] + duration[n]));
            self.minute.open = self.minute.open.max(self.ends.len() as i64);
            if begun[n] != 0 {
                if self.minute.begun == 0 {
                    self.minute.first = time[n].rem_euclid(MINUTE_MS) / 1000;
                }
                self.minute.begun += 1;
                self.minute.unserved += i64::from(got[n] < HARDLY);
                self.minute.silent += i64::from(sent[n] < HARDLY);
                self.minute.little += i64::from(got[n] < LITTLE);
                self.minute.waiting += i64::from(waiting[n]);
                let client = Address { hi: src_hi[n], lo: src_lo[n] };
                self.clients.add(self.seed.address(client), (client.hi, client.lo), 1);
            }
            if self.out.len() >= 4096 {
                out.emit(table(&minute_columns(), &self.out))?;
                self.out.clear();
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close_server();
        out.emit(table(&minute_columns(), &self.out))?;
        Ok(Accounted::used(self.rows))
    }
}

impl Held {
    /// Ends a minute and those after it in which nothing began but something was still open.
    fn go_on_to(&mut self, minute: i64) {
        self.close_minute();
        let mut at = self.minute.minute + 1;
        while at < minute && !self.ends.is_empty() {
            while self.ends.peek().is_some_and(|end| end.0 <= at * MINUTE_MS) {
                self.ends.pop();
            }
            self.minute = Minute { minute: at, open: self.ends.len() as i64, ..Minute::default() };
            self.close_minute();
            at += 1;
        }
        self.minute = Minute { minute, ..Minute::default() };
    }

    fn close_minute(&mut self) {
        let mut minute = self.minute;
        if let Some((hi, lo, port)) =
            self.key.filter(|_| minute.open >= WORTH_A_ROW || minute.begun >= WORTH_A_ROW)
        {
            (minute.server, minute.port) = ((hi, lo), port.into());
            minute.clients = self.clients.distinct().round() as i64;
            let mut top = Top::new(NAMED);
            self.clients.iter().for_each(|(client, n)| top.push(client, n));
            for (place, ((hi, lo), n)) in minute.busiest.iter_mut().zip(top.iter()) {
                *place = (hi, lo, n);
            }
            self.out.push(minute.row());
        }
        self.clients.clear();
    }

    fn close_server(&mut self) {
        if self.key.is_some() {
            // Whatever is open goes on for an hour at most: slices of flows are shorter.
            self.go_on_to(self.minute.minute + 60);
        }
        self.ends.clear();
        self.minute = Minute { minute: i64::MIN / 2, ..Minute::default() };
    }
}

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut servers: BTreeMap<(Address, i64), BTreeMap<i64, Minute>> = BTreeMap::new();
    let mut begin = i64::MAX;
    for minute in case.tables.get(HELD).into_iter().flatten().flat_map(Minute::read) {
        begin = begin.min(minute.minute);
        let server = (Address { hi: minute.server.0, lo: minute.server.1 }, minute.port);
        servers.entry(server).or_default().insert(minute.minute, minute);
    }
    let mut findings = Vec::new();
    for ((server, port), minutes) in &servers {
        let hot: Vec<&Minute> = minutes.values().filter(|minute| minute.open >= LEAST).collect();
        for run in hot.chunk_by(|a, b| b.minute - a.minute <= 2) {
            let open = |minute: i64| minutes.get(&minute).map_or(0.0, |minute| minute.open as f64);
            let base = Base::at(run[0].minute, begin, open);
            let limit = base.above(SPREADS).max(LEAST as f64);
            // What is open was begun in this run or in the minutes of its rise.
            let rise: Vec<&Minute> = minutes
                .range(run[0].minute - 10..=run[run.len() - 1].minute)
                .map(|(_, minute)| minute)
                .filter(|minute| minute.begun > 0)
                .collect();
            let sum = |of: fn(&Minute) -> i64| rise.iter().map(|minute| of(minute)).sum::<i64>();
            let begun = sum(|minute| minute.begun);
            let most = run.iter().map(|minute| minute.open).max().unwrap_or(0);
            // Clients of the busiest minute stand for all.
            let Some(busiest) = rise.iter().max_by_key(|minute| (minute.begun, Reverse(minute.minute)))
            else {
                continue;
            };
            let welcome = busiest.busiest.iter().all(|&(hi, lo, n)| {
                n == 0
                    || Address { hi, lo }.ip().is_some_and(|ip| {
                        case.settings.site.is_welcome(ip)
                            && !case.settings.site.own.iter().any(|own| own.contains(ip))
                    })
            });
            let share = |of: fn(&Minute) -> i64, tenths: i64| 10 * sum(of) >= tenths * begun;
            let waiting = share(|minute| minute.waiting, 8);
            let few_clients = busiest.begun >= 10 * busiest.clients && share(|minute| minute.little, 9);
            let many_clients = share(|minute| minute.unserved, 9) && share(|minute| minute.silent, 8);
            if begun >= LEAST && most as f64 >= limit && waiting && (few_clients || many_clients) && !welcome
            {
                findings.push(finding(case, (*server, *port), run, &rise, busiest, &base, limit));
            }
        }
    }
    findings
}

fn finding(
    case: &Case<'_>,
    (server, port): (Address, i64),
    run: &[&Minute],
    rise: &[&Minute],
    busiest: &Minute,
    base: &Base,
    limit: f64,
) -> Finding {
    let name = case.names.texts.address(server);
    let subjects = vec![Subject::Ip(name.clone())];
    let first_seen = Timestamp::from_seconds(rise[0].minute * 60 + rise[0].first);
    let last_seen = Timestamp((run[run.len() - 1].minute + 1) * MINUTE_MS - 1);
    let most = run.iter().map(|minute| minute.open).max().unwrap_or(0);
    let begun: i64 = rise.iter().map(|minute| minute.begun).sum();
    Finding {
        id: FindingId::of(DETECTOR.name, &subjects, first_seen),
        revision: 1,
        ended: Some(last_seen),
        detector: DETECTOR.name.to_owned(),
        title: format!(
            "{} connections to {name} port {port} held open at once with hardly any data",
            grouped(most as f64)
        ),
        severity: if most as f64 >= 10.0 * limit { Severity::High } else { Severity::Medium },
        confidence: if base.is_known() { 0.9 } else { 0.75 },
        first_seen,
        last_seen,
        asset: server.ip().and_then(|ip| case.settings.site.asset_of(ip)).map(|asset| asset.id.clone()),
        subjects,
        verdict: Some(Verdict::Attack),
        evidence: Evidence {
            observed: format!(
                "{} connections that lasted 10 s or longer were begun, {} in the busiest minute by {} clients; {:.0} % of \
                 all got fewer than {LITTLE} bytes of data back.",
                grouped(begun as f64),
                grouped(busiest.begun as f64),
                grouped(busiest.clients as f64),
                100.0 * rise.iter().map(|minute| minute.little).sum::<i64>() as f64 / begun.max(1) as f64
            ),
            expected: if base.is_known() {
                format!(
                    "By {}, {} such connections are open at once; the limit was {}.",
                    base.from,
                    rounded(base.median),
                    grouped(limit)
                )
            } else {
                format!(
                    "The recording is too short to know what is usual here (cold start): the floor of {} at once decided.",
                    grouped(limit)
                )
            },
            window_s: Some(60),
            samples: busiest
                .busiest
                .iter()
                .filter(|(.., n)| *n > 0)
                .map(|&(hi, lo, n)| Sample {
                    time: first_seen,
                    account: case.names.texts.address(Address { hi, lo }),
                    action: format!("began {n} of them in the busiest minute"),
                    object: format!("{name} port {port}"),
                    lag_s: 0.0,
                })
                .collect(),
            counts: BTreeMap::from([
                ("open_at_once".to_owned(), most as f64),
                ("begun".to_owned(), begun as f64),
                ("clients_in_busiest_minute".to_owned(), busiest.clients as f64),
                ("limit_at_once".to_owned(), rounded(limit)),
            ]),
            ..Evidence::default()
        },
        benign_causes: super::benign_causes(),
        next_step: super::next_step(),
        techniques: super::techniques(),
        provenance: case.names.provenance(),
    }
}
