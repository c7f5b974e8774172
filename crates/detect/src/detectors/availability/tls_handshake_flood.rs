//! *Reports* TLS handshakes with one server that are begun at a rate beyond what is usual and never
//! finished, or finished without any data after them, by few kinds of clients or many times by each.
//!
//! *Why it matters.* A handshake costs the server far more than the client. A few clients can keep all its cores
//! busy without sending one request, so nothing shows in an access log.
//!
//! *Needs* handshakes that say whether they were finished, or flows in which TLS was recognised, both directions
//! seen.
//!
//! *How.* By server, port and minute: handshakes, those not finished, flows of TLS and those that end after the
//! handshake (at most 2,500 bytes from the client and 8,000 back, within 30 s); clients, of which 512 are
//! sampled by hash; fingerprints. It is reported where at least 600 of a minute (ten a second) are not finished or
//! without data, and eight spreads above what is usual for the server; that is four in five of all; and either
//! one fingerprint has four in five, or each client tried ten times on average.
//!
//! *Benign causes and blind spots.* A certificate that expired makes all clients break off; they are of many kinds
//! and try a few times each, so they are silent. Monitors and load balancers that only open a connection are
//! slower. An audit that tries every cipher in turn is reported: the server suffers the same. Silent: floods that send a request afterwards (see `application-flood`), renegotiation inside one
//! connection, floods below ten a second.
//!
//! *Next step for the operator.* Limit new connections for each client in front of the server, and let clients of
//! the named fingerprint pass a challenge.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::RecordBatch;
use domain::{
    BenignCause, Evidence, Finding, FindingId, Sample, Severity, Subject, Technique, Timestamp, Verdict,
};
use traffic::flow::Service;
use traffic::{Address, Kind, Seed};

use crate::case::Case;
use crate::catalogue::Detector;
use crate::engine::{Fold, Gather, Input, Step, Table, column_i32, column_i64, folding, record};
use crate::stats::base::Base;
use crate::stats::figures::rounded;
use crate::stats::sample::BottomK;

use super::packets::MINUTE_MS;
use super::words::grouped;

/// See the module.
pub const DETECTOR: Detector = Detector {
    name: "tls-handshake-flood",
    summary: "TLS handshakes that are begun in masses and lead to nothing",
    gather,
    judge,
};

/// The kept table.
const SERVERS: &str = "tls-handshake-flood.servers";

/// Idle handshakes of a minute: ten a second.
const LEAST: i64 = 600;
/// Idle handshakes of a minute that is worth a row.
const WORTH_A_ROW: i64 = 60;
const SPREADS: f64 = 8.0;
const SAMPLED_CLIENTS: usize = 512;
/// Clients that are named.
const NAMED: usize = 5;

/// A handshake with a chain of certificates and nothing after it: bytes from the client and from the server,
/// with headers. A chain of three takes some 5,000.
const IDLE_BYTES: i64 = 2500;
const IDLE_BACK_BYTES: i64 = 8000;
/// A connection that idles for longer is something else.
const IDLE_MS: i64 = 30_000;

fn gather(settings: &crate::Settings) -> Gather {
    let seed = settings.seed;
    let servers = Step {
        name: SERVERS,
        from: vec![Input::mapped(Kind::Tls, handshakes), Input::mapped(Kind::Flow, flows)],
        by: &["server_hi", "server_lo", "port", "minute", "kind"],
        order: &["fingerprint", "client_hi", "client_lo"],
        combine: None,
        kernel: folding(move || Servers::new(seed)),
        small: false,
        keep: true,
        partitions: 64,
    };
    Gather { name: DETECTOR.name, reach_ms: i64::MAX, steps: vec![servers] }
}

record!(
    /// One handshake, or one flow of TLS.
    struct Handshake {
        server: Address,
        port: i32,
        minute: i64,
        /// 0 handshake, 1 flow.
        kind: i32,
        fingerprint: i64,
        client: Address,
        second: i32,
        /// Not finished, or without data.
        idle: i32,
    }
);

/// Handshakes of which it is known how they went.
fn handshakes(batch: &RecordBatch) -> RecordBatch {
    let long = |name| column_i64(batch, name);
    let (server_hi, server_lo) = (long("server_hi"), long("server_lo"));
    let (client_hi, client_lo) = (long("client_hi"), long("client_lo"));
    let (time, fingerprint) = (long("time"), long("fingerprint"));
    let (port, established) = (column_i32(batch, "server_port"), column_i32(batch, "established"));
    let mut table: Table<Handshake> = Table::default();
    table.extend((0..time.len()).filter(|&at| established[at] >= 0).map(|at| Handshake {
        server: Address { hi: server_hi[at], lo: server_lo[at] },
        port: port[at],
        minute: time[at].div_euclid(MINUTE_MS),
        kind: 0,
        fingerprint: fingerprint[at],
        client: Address { hi: client_hi[at], lo: client_lo[at] },
        second: (time[at].rem_euclid(MINUTE_MS) / 1000) as i32,
        idle: i32::from(established[at] == 0),
    }));
    table.finish()
}

/// Flows of TLS over TCP, seen in both directions.
fn flows(batch: &RecordBatch) -> RecordBatch {
    let long = |name| column_i64(batch, name);
    let int = |name| column_i32(batch, name);
    let (src, dst) = ((long("src_hi"), long("src_lo")), (long("dst_hi"), long("dst_lo")));
    let (time, duration, bytes, back) = (long("time"), long("duration"), long("bytes"), long("back_bytes"));
    let (port, proto, service) = (int("dst_port"), int("proto"), int("service"));
    let mut table: Table<Handshake> = Table::default();
    let is_tls = |&at: &usize| service[at] == Service::Tls.code() && proto[at] == 6 && back[at] > 0;
    table.extend((0..time.len()).filter(is_tls).map(|at| {
        let idle = bytes[at] <= IDLE_BYTES && back[at] <= IDLE_BACK_BYTES && duration[at] <= IDLE_MS;
        Handshake {
            server: Address { hi: dst.0[at], lo: dst.1[at] },
            port: port[at],
            minute: time[at].div_euclid(MINUTE_MS),
            kind: 1,
            fingerprint: -1,
            client: Address { hi: src.0[at], lo: src.1[at] },
            second: (time[at].rem_euclid(MINUTE_MS) / 1000) as i32,
            idle: idle.into(),
        }
    }));
    table.finish()
}

record!(
    /// One server's minute, by what was seen of it.
    #[expect(clippy::struct_field_names, reason = "it is the time of the row")]
    struct Minute {
        server: Address,
        port: i32,
        minute: i64,
        /// 0 handshakes, 1 flows.
        kind: i32,
        all: i64,
        /// Not finished, or without data.
        idle: i64,
        clients: i64,
        /// Idle ones of the most frequent fingerprint that is known, and its id.
        same: i64,
        fingerprint: i64,
        /// Idle ones of the busiest second.
        peak: i64,
        first: i64,
        last: i64,
        /// Busiest clients among those that were sampled, with their counts.
        busiest: [(Address, i64); NAMED],
    }
);

impl Minute {
    fn of(row: &Handshake) -> Self {
        Self {
            server: row.server,
            port: row.port,
            minute: row.minute,
            kind: row.kind,
            all: 0,
            idle: 0,
            clients: 0,
            same: 0,
            fingerprint: 0,
            peak: 0,
            first: 0,
            last: 0,
            busiest: [(Address::NONE, 0); NAMED],
        }
    }

    fn is_of(&self, row: &Handshake) -> bool {
        (self.server, self.port, self.minute, self.kind) == (row.server, row.port, row.minute, row.kind)
    }

    fn is_flood(&self) -> bool {
        self.idle >= LEAST
            && 5 * self.idle >= 4 * self.all
            && (5 * self.same >= 4 * self.idle || self.idle >= 10 * self.clients)
    }
}

/// One server and minute after the other.
struct Servers {
    seed: Seed,
    minute: Option<Minute>,
    /// The fingerprint that is under way, and its idle handshakes.
    fingerprint: (i64, i64),
    clients: BottomK<Address>,
    seconds: [i64; 60],
}

impl Fold for Servers {
    type In = Handshake;
    type Out = Minute;

    fn row(&mut self, row: &Handshake, out: &mut Table<Minute>) {
        if !self.minute.is_some_and(|minute| minute.is_of(row)) {
            self.finish(out);
        }
        let minute = self.minute.get_or_insert_with(|| Minute::of(row));
        minute.all += 1;
        if row.idle == 0 {
            return;
        }
        minute.idle += 1;
        self.seconds[row.second.clamp(0, 59) as usize] += 1;
        if self.fingerprint.0 != row.fingerprint {
            minute.note(self.fingerprint);
            self.fingerprint = (row.fingerprint, 0);
        }
        self.fingerprint.1 += 1;
        self.clients.add(self.seed.address(row.client), row.client, 1);
    }

    fn finish(&mut self, out: &mut Table<Minute>) {
        let Some(mut minute) = self.minute.take() else { return };
        minute.note(std::mem::replace(&mut self.fingerprint, (-1, 0)));
        if minute.idle >= WORTH_A_ROW {
            minute.clients = self.clients.distinct().round() as i64;
            minute.busiest = self.clients.busiest(Address::NONE);
            minute.peak = self.seconds.iter().copied().max().unwrap_or(0);
            let busy = |n: &i64| *n > 0 && 10 * n >= minute.peak;
            minute.first = self.seconds.iter().position(busy).unwrap_or(0) as i64;
            minute.last = self.seconds.iter().rposition(busy).unwrap_or(0) as i64;
            out.push(&minute);
        }
        self.clients.clear();
        self.seconds = [0; 60];
    }
}

impl Minute {
    /// Takes the idle handshakes of one fingerprint.
    fn note(&mut self, (fingerprint, n): (i64, i64)) {
        if fingerprint >= 0 && n > self.same {
            (self.fingerprint, self.same) = (fingerprint, n);
        }
    }
}

impl Servers {
    fn new(seed: Seed) -> Self {
        let clients = BottomK::new(SAMPLED_CLIENTS);
        Self { seed, minute: None, fingerprint: (-1, 0), clients, seconds: [0; 60] }
    }
}

fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut servers: BTreeMap<(Address, i32), BTreeMap<i64, Vec<Minute>>> = BTreeMap::new();
    let mut begin = i64::MAX;
    for minute in case.rows::<Minute>(SERVERS) {
        begin = begin.min(minute.minute);
        servers
            .entry((minute.server, minute.port))
            .or_default()
            .entry(minute.minute)
            .or_default()
            .push(minute);
    }
    // Ports of one server at one time are one attack.
    let mut attacks: BTreeMap<Address, Vec<Attack>> = BTreeMap::new();
    for ((server, _), minutes) in &servers {
        // Both points of view on one minute tell the same; the one with more counts.
        let idle = |minute: i64| {
            minutes.get(&minute).into_iter().flatten().map(|m| m.idle).max().map_or(0.0, |n| n as f64)
        };
        let hot: Vec<&Minute> = minutes
            .values()
            .filter_map(|kinds| {
                kinds.iter().filter(|minute| minute.is_flood()).max_by_key(|m| (m.idle, -m.kind))
            })
            .collect();
        for run in hot.chunk_by(|a, b| b.minute - a.minute <= GAP_MINUTES) {
            let base = Base::at(run[0].minute, begin, idle);
            let limit = base.above(SPREADS).max(LEAST as f64);
            if run.iter().any(|minute| minute.idle as f64 >= limit) {
                let minutes = run.iter().map(|minute| **minute).collect();
                attacks.entry(*server).or_default().push(Attack { minutes, base, limit });
            }
        }
    }
    let mut findings = Vec::new();
    for (server, mut of_server) in attacks {
        of_server.sort_by_key(|attack| (attack.minutes[0].minute, attack.minutes[0].port));
        let mut joined: Vec<Attack> = Vec::new();
        for attack in of_server {
            match joined.last_mut().filter(|last| attack.minutes[0].minute <= last.until() + GAP_MINUTES) {
                Some(last) => last.minutes.extend(attack.minutes),
                None => joined.push(attack),
            }
        }
        findings.extend(joined.iter().map(|attack| finding(case, server, attack)));
    }
    findings
}

/// Minutes without a flood inside one attack.
const GAP_MINUTES: i64 = 2;

/// Minutes of one attack on one server, with what was usual where it began.
struct Attack {
    minutes: Vec<Minute>,
    base: Base,
    limit: f64,
}

impl Attack {
    fn until(&self) -> i64 {
        self.minutes.iter().map(|minute| minute.minute).max().unwrap_or(0)
    }
}

fn finding(case: &Case<'_>, server: Address, attack: &Attack) -> Finding {
    let Attack { minutes: run, base, limit } = attack;
    let limit = *limit;
    let name = case.names.texts.address(server);
    let strongest = run.iter().fold(&run[0], |a, b| if b.idle > a.idle { b } else { a });
    let ports: BTreeSet<i32> = run.iter().map(|minute| minute.port).collect();
    let ports: Vec<String> = ports.iter().map(i32::to_string).collect();
    let port = format!("{} {}", if ports.len() == 1 { "port" } else { "ports" }, ports.join(", "));
    let first = run.iter().map(|minute| minute.minute * 60 + minute.first).min().unwrap_or(0);
    let last = run.iter().map(|minute| minute.minute * 60 + minute.last).max().unwrap_or(0);
    let (first_seen, last_seen) = (Timestamp::from_seconds(first), Timestamp(last * 1000 + 999));
    let subjects = vec![Subject::Ip(name.clone())];
    let idle: i64 = run.iter().map(|minute| minute.idle).sum();
    let did = if strongest.kind == 0 { "were not finished" } else { "ended without data" };
    let share = |part: i64, whole: i64| 100.0 * part as f64 / whole.max(1) as f64;
    let fingerprint = if strongest.same > 0 {
        format!(
            " Of these, {:.0} % have the fingerprint {}.",
            share(strongest.same, strongest.idle),
            case.names.texts.get(strongest.fingerprint)
        )
    } else {
        String::new()
    };
    Finding {
        id: FindingId::of(DETECTOR.name, &subjects, first_seen),
        revision: 1,
        ended: Some(last_seen),
        detector: DETECTOR.name.to_owned(),
        title: format!(
            "{} TLS handshakes with {name} {port} {did}: up to {} a second from {} clients",
            grouped(idle as f64),
            grouped(strongest.peak as f64),
            grouped(strongest.clients as f64)
        ),
        severity: if strongest.idle as f64 >= 10.0 * limit { Severity::High } else { Severity::Medium },
        confidence: if base.is_known() { 0.9 } else { 0.8 },
        first_seen,
        last_seen,
        asset: server.ip().and_then(|ip| case.settings.site.asset_of(ip)).map(|asset| asset.id.clone()),
        subjects,
        verdict: Some(Verdict::Attack),
        evidence: Evidence {
            observed: format!(
                "In the busiest minute {} of {} handshakes {did}, {} for each of {} clients on average.{fingerprint}",
                grouped(strongest.idle as f64),
                grouped(strongest.all as f64),
                rounded(strongest.idle as f64 / strongest.clients.max(1) as f64),
                grouped(strongest.clients as f64)
            ),
            expected: if base.is_known() {
                format!(
                    "By {}, {} in a minute lead to nothing; the limit was {}.",
                    base.from,
                    rounded(base.median),
                    grouped(limit)
                )
            } else {
                format!(
                    "The recording is too short to know what is usual here (cold start): the floor of {} in a minute decided.",
                    grouped(limit)
                )
            },
            window_s: Some(60),
            samples: strongest
                .busiest
                .iter()
                .filter(|(_, n)| *n > 0)
                .map(|&(client, n)| Sample {
                    time: first_seen,
                    account: case.names.texts.address(client),
                    action: format!("began {n} handshakes in the busiest minute"),
                    object: format!("{name} {port}"),
                    lag_s: 0.0,
                })
                .collect(),
            counts: BTreeMap::from([
                ("idle_handshakes".to_owned(), idle as f64),
                ("peak_per_s".to_owned(), strongest.peak as f64),
                ("clients_in_busiest_minute".to_owned(), strongest.clients as f64),
                ("same_fingerprint_share".to_owned(), rounded(share(strongest.same, strongest.idle) / 100.0)),
                ("limit_in_a_minute".to_owned(), rounded(limit)),
            ]),
            ..Evidence::default()
        },
        benign_causes: vec![
            BenignCause {
                name: "broken-client".to_owned(),
                why: "One programme on many machines that refuses the certificate and tries again at once has one \
                      fingerprint too; ask what was rolled out at that time."
                    .to_owned(),
            },
            BenignCause {
                name: "cipher-scan".to_owned(),
                why: "An audit that tries every cipher begins thousands of handshakes from one or two clients; ask who \
                      runs one."
                    .to_owned(),
            },
            BenignCause {
                name: "monitor".to_owned(),
                why: "A monitor or load balancer may open connections without using them, at a steady rate.".to_owned(),
            },
        ],
        next_step: "Limit new connections for each client in front of the server; clients with the named fingerprint can be \
                    sent to a challenge."
            .to_owned(),
        techniques: vec![Technique("ATTACK:T1499.002".to_owned())],
        provenance: case.names.provenance(),
    }
}
