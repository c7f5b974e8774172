//! Connections that are held, from flows.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use arrow_array::RecordBatch;
use domain::{Evidence, Finding, FindingId, Sample, Severity, Subject, Timestamp, Verdict};
use traffic::flow::{ACK, SYN, State};
use traffic::{Address, Seed};

use crate::case::Case;
use crate::detectors::availability::packets::{Flows, MINUTE_MS};
use crate::detectors::availability::words::grouped;
use crate::engine::{Fold, Table, record};
use crate::stats::base::Base;
use crate::stats::counts::{MOST, believed};
use crate::stats::figures::rounded;
use crate::stats::sample::BottomK;

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

record!(
    /// One flow that is held.
    pub(super) struct HeldFlow {
        dst: Address,
        port: i32,
        time: i64,
        duration: i64,
        src: Address,
        /// Its beginning was seen.
        begun: i32,
        /// Bytes of data, there and back.
        sent: i64,
        got: i64,
        /// It waits in the middle of a request or an answer.
        waiting: i32,
    }
);

/// Flows that are held open while hardly anything is sent.
pub(super) fn held(batch: &RecordBatch) -> RecordBatch {
    let flows = Flows::of(batch);
    let mut table: Table<HeldFlow> = Table::default();
    for at in 0..flows.len() {
        let duration = flows.duration[at];
        if duration < LEAST_MS || flows.proto[at] != 6 {
            continue;
        }
        let (packets, back) = (flows.packets[at].min(MOST), flows.back_packets[at].min(MOST));
        let accepted = flows.flags[at] & ACK != 0 && flows.state[at] != State::Rejected.code();
        if back <= 0 || packets <= 0 || !accepted {
            continue;
        }
        if IDLE_BY_NATURE.contains(&flows.dst_port[at]) {
            continue;
        }
        let seconds = duration / 1000;
        let sent = (believed(flows.bytes[at]) - HEADERS * packets).max(0);
        let got = (believed(flows.back_bytes[at]) - HEADERS * back).max(0);
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
        table.push(&HeldFlow {
            dst: Address { hi: flows.dst.0[at], lo: flows.dst.1[at] },
            port: flows.dst_port[at],
            time: flows.time[at],
            duration,
            src: Address { hi: flows.src.0[at], lo: flows.src.1[at] },
            begun: i32::from(flows.flags[at] & SYN != 0),
            sent,
            got,
            waiting: i32::from(waiting),
        });
    }
    table.finish()
}

record!(
    /// A server in a minute: what is held at its busiest moment, and what began.
    #[expect(clippy::struct_field_names, reason = "it is the time of the row")]
    pub(super) struct Minute {
        server: Address,
        port: i32,
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
        busiest: [(Address, i64); NAMED],
    }
);

impl Minute {
    fn of(minute: i64, open: i64) -> Self {
        Self {
            server: Address::NONE,
            port: 0,
            minute,
            open,
            begun: 0,
            unserved: 0,
            silent: 0,
            little: 0,
            waiting: 0,
            clients: 0,
            first: 0,
            busiest: [(Address::NONE, 0); NAMED],
        }
    }
}

/// One server and port after the other.
pub(super) struct Held {
    seed: Seed,
    key: Option<(Address, i32)>,
    /// When the connections that are open end: as many as are open at once.
    ends: BinaryHeap<Reverse<i64>>,
    minute: Minute,
    clients: BottomK<Address>,
}

impl Fold for Held {
    type In = HeldFlow;
    type Out = Minute;

    fn row(&mut self, row: &HeldFlow, out: &mut Table<Minute>) {
        let key = (row.dst, row.port);
        if self.key != Some(key) {
            self.close_server(out);
            self.key = Some(key);
        }
        let minute = row.time.div_euclid(MINUTE_MS);
        if self.minute.minute != minute {
            self.go_on_to(minute, out);
        }
        while self.ends.peek().is_some_and(|end| end.0 <= row.time) {
            self.ends.pop();
        }
        self.ends.push(Reverse(row.time + row.duration));
        self.minute.open = self.minute.open.max(self.ends.len() as i64);
        if row.begun != 0 {
            if self.minute.begun == 0 {
                self.minute.first = row.time.rem_euclid(MINUTE_MS) / 1000;
            }
            self.minute.begun += 1;
            self.minute.unserved += i64::from(row.got < HARDLY);
            self.minute.silent += i64::from(row.sent < HARDLY);
            self.minute.little += i64::from(row.got < LITTLE);
            self.minute.waiting += i64::from(row.waiting);
            self.clients.add(self.seed.address(row.src), row.src, 1);
        }
    }

    fn finish(&mut self, out: &mut Table<Minute>) {
        self.close_server(out);
        self.key = None;
    }
}

impl Held {
    pub(super) fn new(seed: Seed) -> Self {
        Self {
            seed,
            key: None,
            ends: BinaryHeap::new(),
            minute: Minute::of(0, 0),
            clients: BottomK::new(SAMPLED_CLIENTS),
        }
    }

    /// Ends a minute and those after it in which nothing began but something was still open.
    fn go_on_to(&mut self, minute: i64, out: &mut Table<Minute>) {
        self.close_minute(out);
        let mut at = self.minute.minute + 1;
        while at < minute && !self.ends.is_empty() {
            while self.ends.peek().is_some_and(|end| end.0 <= at * MINUTE_MS) {
                self.ends.pop();
            }
            self.minute = Minute::of(at, self.ends.len() as i64);
            self.close_minute(out);
            at += 1;
        }
        self.minute = Minute::of(minute, 0);
    }

    fn close_minute(&mut self, out: &mut Table<Minute>) {
        let minute = self.minute;
        if let Some((server, port)) =
            self.key.filter(|_| minute.open >= WORTH_A_ROW || minute.begun >= WORTH_A_ROW)
        {
            let clients = self.clients.distinct().round() as i64;
            out.push(&Minute {
                server,
                port,
                clients,
                busiest: self.clients.busiest(Address::NONE),
                ..minute
            });
        }
        self.clients.clear();
    }

    fn close_server(&mut self, out: &mut Table<Minute>) {
        if self.key.is_some() {
            // Whatever is open goes on for an hour at most: slices of flows are shorter.
            self.go_on_to(self.minute.minute + 60, out);
        }
        self.ends.clear();
        self.minute = Minute::of(i64::MIN / 2, 0);
    }
}

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut servers: BTreeMap<(Address, i32), BTreeMap<i64, Minute>> = BTreeMap::new();
    let mut begin = i64::MAX;
    for minute in case.rows::<Minute>(HELD) {
        begin = begin.min(minute.minute);
        servers.entry((minute.server, minute.port)).or_default().insert(minute.minute, minute);
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
            let welcome = busiest.busiest.iter().all(|&(client, n)| {
                n == 0
                    || client.ip().is_some_and(|ip| {
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
    (server, port): (Address, i32),
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
                .filter(|(_, n)| *n > 0)
                .map(|&(client, n)| Sample {
                    time: first_seen,
                    account: case.names.texts.address(client),
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
