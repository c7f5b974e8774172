//! Requests that were held, from access logs.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use domain::{Evidence, Finding, FindingId, Sample, Severity, Subject, Timestamp, Verdict};
use hashbrown::HashMap;
use traffic::{Address, Seed};

use crate::case::Case;
use crate::detectors::availability::packets::table;
use crate::detectors::availability::words::grouped;
use crate::engine::{
    Accounted, Emit, EngineError, Kernel, MakeKernel, Tables, column_i32, column_i64, schema_of,
};
use crate::stats::base::Base;
use crate::stats::figures::rounded;
use crate::stats::sample::{BottomK, Top};

use super::{DETECTOR, LEAST, SPREADS};

/// The kept table.
pub(super) const SLOW: &str = "slow-flood.slow";

/// Minutes of a window.
const WINDOW: i64 = 5;
/// Milliseconds of a request that is held.
const LEAST_MS: i32 = 20_000;
/// Bytes that are hardly an answer.
const HARDLY: i64 = 1000;
const SAMPLED_CLIENTS: usize = 512;
const NAMED: usize = 5;

fn slow_columns() -> SchemaRef {
    schema_of(&[
        ("host", DataType::Int64),
        ("window", DataType::Int64),
        ("slow", DataType::Int32),
        ("client_hi", DataType::Int64),
        ("client_lo", DataType::Int64),
        ("second", DataType::Int32),
        ("requests", DataType::Int64),
    ])
}

/// Slow requests one by one, all others as a sum for each batch.
pub(super) fn slow(batch: &RecordBatch) -> RecordBatch {
    let long = |name| column_i64(batch, name);
    let int = |name| column_i32(batch, name);
    let (host, time, hi, lo) = (long("host"), long("time"), long("peer_hi"), long("peer_lo"));
    let (status, bytes, duration) = (int("status"), long("bytes"), int("duration"));
    let mut others: HashMap<(i64, i64), i64> = HashMap::new();
    let mut rows: Vec<[i64; 7]> = Vec::new();
    for at in 0..time.len() {
        let second = time[at].div_euclid(1000);
        let window = second.div_euclid(60 * WINDOW);
        let lasted = duration[at] >= LEAST_MS;
        let little = matches!(status[at], 400 | 499) || (0..HARDLY).contains(&bytes[at]);
        if status[at] == 408 || lasted && little {
            rows.push([host[at], window, 1, hi[at], lo[at], second.rem_euclid(60 * WINDOW), 1]);
        } else {
            *others.entry((host[at], window)).or_default() += 1;
        }
    }
    let others: BTreeMap<_, _> = others.into_iter().collect();
    rows.extend(others.into_iter().map(|((host, window), n)| [host, window, 0, 0, 0, 0, n]));
    table(&slow_columns(), &rows)
}

/// A host in five minutes.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_field_names, reason = "it is the time of the row")]
struct Window {
    host: i64,
    window: i64,
    requests: i64,
    slow: i64,
    clients: i64,
    first: i64,
    last: i64,
    busiest: [(i64, i64, i64); NAMED],
}

const COLUMNS: usize = 7 + 3 * NAMED;

fn window_columns() -> SchemaRef {
    let names: Vec<String> = (0..COLUMNS).map(|at| format!("c{at:02}")).collect();
    let columns: Vec<(&str, DataType)> = names.iter().map(|name| (name.as_str(), DataType::Int64)).collect();
    schema_of(&columns)
}

impl Window {
    fn row(&self) -> [i64; COLUMNS] {
        let mut row = [0; COLUMNS];
        row[..7].copy_from_slice(&[
            self.host,
            self.window,
            self.requests,
            self.slow,
            self.clients,
            self.first,
            self.last,
        ]);
        for (place, (hi, lo, n)) in row[7..].as_chunks_mut::<3>().0.iter_mut().zip(self.busiest) {
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
                    host: of(0),
                    window: of(1),
                    requests: of(2),
                    slow: of(3),
                    clients: of(4),
                    first: of(5),
                    last: of(6),
                    busiest: std::array::from_fn(|n| (of(7 + 3 * n), of(8 + 3 * n), of(9 + 3 * n))),
                }
            })
            .collect()
    }
}

pub(super) struct MakeSlow {
    pub(super) seed: Seed,
}

impl MakeKernel for MakeSlow {
    fn input(&self) -> SchemaRef {
        slow_columns()
    }

    fn output(&self) -> SchemaRef {
        window_columns()
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Slow {
            seed: self.seed,
            rows: 0,
            key: None,
            window: Window::default(),
            clients: BottomK::new(SAMPLED_CLIENTS),
            out: Vec::new(),
        })
    }
}

struct Slow {
    seed: Seed,
    rows: u64,
    key: Option<(i64, i64)>,
    window: Window,
    clients: BottomK<(i64, i64)>,
    out: Vec<[i64; COLUMNS]>,
}

impl Kernel for Slow {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let long = |name| column_i64(batch, name);
        let (host, window, requests) = (long("host"), long("window"), long("requests"));
        let (hi, lo) = (long("client_hi"), long("client_lo"));
        let (slow, second) = (column_i32(batch, "slow"), column_i32(batch, "second"));
        self.rows += host.len() as u64;
        for n in 0..host.len() {
            let key = (host[n], window[n]);
            if self.key != Some(key) {
                self.close();
                self.key = Some(key);
                self.window.first = i64::MAX;
                if self.out.len() >= 4096 {
                    out.emit(table(&window_columns(), &self.out))?;
                    self.out.clear();
                }
            }
            self.window.requests += requests[n];
            if slow[n] != 0 {
                self.window.slow += 1;
                self.window.first = self.window.first.min(second[n].into());
                self.window.last = self.window.last.max(second[n].into());
                let client = Address { hi: hi[n], lo: lo[n] };
                self.clients.add(self.seed.address(client), (client.hi, client.lo), 1);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close();
        out.emit(table(&window_columns(), &self.out))?;
        Ok(Accounted::used(self.rows))
    }
}

impl Slow {
    fn close(&mut self) {
        let mut window = std::mem::take(&mut self.window);
        if let Some((host, at)) = self.key.filter(|_| window.slow >= LEAST / 10) {
            (window.host, window.window) = (host, at);
            window.clients = self.clients.distinct().round() as i64;
            let mut top = Top::new(NAMED);
            self.clients.iter().for_each(|(client, n)| top.push(client, n));
            for (place, ((hi, lo), n)) in window.busiest.iter_mut().zip(top.iter()) {
                *place = (hi, lo, n);
            }
            self.out.push(window.row());
        }
        self.clients.clear();
    }
}

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut hosts: BTreeMap<i64, BTreeMap<i64, Window>> = BTreeMap::new();
    let mut begin = i64::MAX;
    for window in case.tables.get(SLOW).into_iter().flatten().flat_map(Window::read) {
        begin = begin.min(window.window);
        hosts.entry(window.host).or_default().insert(window.window, window);
    }
    let mut findings = Vec::new();
    for (host, windows) in &hosts {
        let hot: Vec<&Window> = windows
            .values()
            .filter(|window| window.slow >= LEAST && 10 * window.slow >= 3 * window.requests)
            .collect();
        for run in hot.chunk_by(|a, b| b.window - a.window <= 2) {
            let base = Base::at(run[0].window * WINDOW, begin * WINDOW, |minute| {
                windows.get(&minute.div_euclid(WINDOW)).map_or(0.0, |window| window.slow as f64)
            });
            let limit = base.above(SPREADS).max(LEAST as f64);
            if run.iter().any(|window| window.slow as f64 >= limit) {
                findings.push(finding(case, *host, run, &base, limit));
            }
        }
    }
    findings
}

fn finding(case: &Case<'_>, host: i64, run: &[&Window], base: &Base, limit: f64) -> Finding {
    let name = if host < 0 { None } else { Some(case.names.texts.get(host)) };
    let at = name.clone().unwrap_or_else(|| "the server of this log".to_owned());
    let subjects: Vec<Subject> = name.iter().map(|name| Subject::Domain(name.clone())).collect();
    let strongest = run.iter().fold(run[0], |a, b| if b.slow > a.slow { b } else { a });
    let second = |window: &Window, second: i64| Timestamp::from_seconds(window.window * 60 * WINDOW + second);
    let (first_seen, last_seen) =
        (second(run[0], run[0].first), second(run[run.len() - 1], run[run.len() - 1].last));
    let slow: i64 = run.iter().map(|window| window.slow).sum();
    let asset = case
        .settings
        .site
        .assets
        .iter()
        .find(|asset| name.as_ref().is_some_and(|name| asset.hosts.contains(name)));
    Finding {
        id: FindingId::of(DETECTOR.name, &subjects, first_seen),
        revision: 1,
        ended: Some(last_seen),
        detector: DETECTOR.name.to_owned(),
        title: format!("{} requests to {at} were held until they timed out", grouped(slow as f64)),
        severity: if strongest.slow as f64 >= 10.0 * limit { Severity::High } else { Severity::Medium },
        confidence: if base.is_known() { 0.85 } else { 0.7 },
        first_seen,
        last_seen,
        asset: asset.map(|asset| asset.id.clone()),
        subjects,
        verdict: Some(Verdict::Attack),
        evidence: Evidence {
            observed: format!(
                "In the busiest five minutes {} of {} requests, by {} clients, timed out or took 20 s and longer for hardly \
                 an answer.",
                grouped(strongest.slow as f64),
                grouped(strongest.requests as f64),
                grouped(strongest.clients as f64)
            ),
            expected: if base.is_known() {
                format!(
                    "By {}, there are {} in five minutes; the limit was {}.",
                    base.from,
                    rounded(base.median),
                    grouped(limit)
                )
            } else {
                format!(
                    "The recording is too short to know what is usual here (cold start): the floor of {} in five minutes \
                     decided.",
                    grouped(limit)
                )
            },
            window_s: Some((60 * WINDOW) as u64),
            samples: strongest
                .busiest
                .iter()
                .filter(|(.., n)| *n > 0)
                .map(|&(hi, lo, n)| Sample {
                    time: first_seen,
                    account: case.names.texts.address(Address { hi, lo }),
                    action: format!("sent {n} of them in the busiest five minutes"),
                    object: at.clone(),
                    lag_s: 0.0,
                })
                .collect(),
            counts: BTreeMap::from([
                ("slow_requests".to_owned(), slow as f64),
                ("clients_in_busiest_window".to_owned(), strongest.clients as f64),
                ("limit_in_five_minutes".to_owned(), rounded(limit)),
            ]),
            ..Evidence::default()
        },
        benign_causes: super::benign_causes(),
        next_step: super::next_step(),
        techniques: super::techniques(),
        provenance: case.names.provenance(),
    }
}
