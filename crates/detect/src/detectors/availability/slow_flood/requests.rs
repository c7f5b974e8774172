//! Requests that were held, from access logs.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use domain::{Evidence, Finding, FindingId, Sample, Severity, Subject, Timestamp, Verdict};
use hashbrown::HashMap;
use traffic::{Address, Seed};

use crate::case::Case;
use crate::detectors::availability::words::grouped;
use crate::engine::{Fold, Table, column_i32, column_i64, record};
use crate::stats::base::Base;
use crate::stats::figures::rounded;
use crate::stats::sample::BottomK;

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

record!(
    /// A slow request, or a number of others.
    pub(super) struct Requests {
        host: i64,
        window: i64,
        slow: i32,
        client: Address,
        /// Of the window.
        second: i32,
        requests: i64,
    }
);

/// Slow requests one by one, all others as a sum for each batch.
pub(super) fn slow(batch: &RecordBatch) -> RecordBatch {
    let long = |name| column_i64(batch, name);
    let int = |name| column_i32(batch, name);
    let (host, time, hi, lo) = (long("host"), long("time"), long("peer_hi"), long("peer_lo"));
    let (status, bytes, duration) = (int("status"), long("bytes"), int("duration"));
    let mut others: HashMap<(i64, i64), i64> = HashMap::new();
    let mut table: Table<Requests> = Table::default();
    for at in 0..time.len() {
        let second = time[at].div_euclid(1000);
        let window = second.div_euclid(60 * WINDOW);
        let lasted = duration[at] >= LEAST_MS;
        let little = matches!(status[at], 400 | 499) || (0..HARDLY).contains(&bytes[at]);
        if status[at] == 408 || lasted && little {
            table.push(&Requests {
                host: host[at],
                window,
                slow: 1,
                client: Address { hi: hi[at], lo: lo[at] },
                second: second.rem_euclid(60 * WINDOW) as i32,
                requests: 1,
            });
        } else {
            *others.entry((host[at], window)).or_default() += 1;
        }
    }
    let client = Address { hi: 0, lo: 0 };
    // The order of a hash map does not show: the engine sorts.
    table.extend(others.into_iter().map(|((host, window), requests)| Requests {
        host,
        window,
        slow: 0,
        client,
        second: 0,
        requests,
    }));
    table.finish()
}

record!(
    /// A host in five minutes.
    #[expect(clippy::struct_field_names, reason = "it is the time of the row")]
    pub(super) struct Window {
        host: i64,
        window: i64,
        requests: i64,
        slow: i64,
        clients: i64,
        first: i64,
        last: i64,
        busiest: [(Address, i64); NAMED],
    }
);

/// One host and window after the other.
pub(super) struct Slow {
    seed: Seed,
    window: Option<Window>,
    clients: BottomK<Address>,
}

impl Fold for Slow {
    type In = Requests;
    type Out = Window;

    fn row(&mut self, row: &Requests, out: &mut Table<Window>) {
        if self.window.is_none_or(|window| (window.host, window.window) != (row.host, row.window)) {
            self.finish(out);
        }
        let window = self.window.get_or_insert(Window {
            host: row.host,
            window: row.window,
            requests: 0,
            slow: 0,
            clients: 0,
            first: i64::MAX,
            last: 0,
            busiest: [(Address::NONE, 0); NAMED],
        });
        window.requests += row.requests;
        if row.slow != 0 {
            window.slow += 1;
            window.first = window.first.min(row.second.into());
            window.last = window.last.max(row.second.into());
            self.clients.add(self.seed.address(row.client), row.client, 1);
        }
    }

    fn finish(&mut self, out: &mut Table<Window>) {
        if let Some(window) = self.window.take().filter(|window| window.slow >= LEAST / 10) {
            let clients = self.clients.distinct().round() as i64;
            out.push(&Window { clients, busiest: self.clients.busiest(Address::NONE), ..window });
        }
        self.clients.clear();
    }
}

impl Slow {
    pub(super) fn new(seed: Seed) -> Self {
        Self { seed, window: None, clients: BottomK::new(SAMPLED_CLIENTS) }
    }
}

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut hosts: BTreeMap<i64, BTreeMap<i64, Window>> = BTreeMap::new();
    let mut begin = i64::MAX;
    for window in case.rows::<Window>(SLOW) {
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
                .filter(|(_, n)| *n > 0)
                .map(|&(client, n)| Sample {
                    time: first_seen,
                    account: case.names.texts.address(client),
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
