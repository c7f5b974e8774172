//! *Reports* many lookups of names under one domain that nobody asked for before, that look drawn by
//! chance, fail, and come from many clients at once.
//!
//! *Why it matters.* No cache can answer a name that is new, so every lookup reaches the domain's own servers.
//! When they are down, so are the site and the mail of the domain, and resolvers in between suffer.
//!
//! *Needs* lookups with the code of the answer. A resolver's or an authoritative server's point of view will
//! do.
//!
//! *How.* By registrable domain and five minutes: lookups, distinct names, those that failed (SERVFAIL, NXDOMAIN,
//! REFUSED or no answer) and distinct clients, of which 512 are sampled by hash. It is reported where at least
//! 300 distinct names failed (one a second), eight spreads above the median of what is usual for the domain at that
//! time; four lookups in five failed; two lookups in three are of a name that is asked for once only; the part
//! of the names before the domain has 2.5 bits a character or more and six characters or more on average; at
//! least 20 clients took part, none with more than a fifth; and there are eight names for each client, or
//! 3,000 in all.
//!
//! *Benign causes and blind spots.* Names that a browser or a search list makes up, of a whole organisation at the
//! same time, are fewer for each client. A malware's generated domains are each a domain of their own and are
//! not this. Block lists and reverse lookups, where failing is the answer, are left out (names of
//! digits only, `arpa`), as are CDN and reputation services, whose names are found. Silent: attacks from a few
//! clients, attacks with words instead of random letters, answers by wildcard.
//!
//! *Next step for the operator.* At the authoritative server, limit the rate of NXDOMAIN (response rate
//! limiting); at the resolver, limit outstanding lookups for each domain, and serve NSEC aggressively (RFC 8198).

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use domain::{
    BenignCause, Evidence, Finding, FindingId, Sample, Severity, Subject, Technique, Timestamp, Verdict,
};
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
    name: "dns-water-torture",
    summary: "random names under one domain, asked for by many clients, that only its own servers can refuse",
    gather,
    judge,
};

/// The kept table.
const DOMAINS: &str = "dns-water-torture.domains";

/// Length of a window in minutes.
const WINDOW: i64 = 5;
/// Distinct failing names of a window: one a second.
const LEAST_NAMES: i64 = 300;
/// Distinct failing names of a window that is worth a row.
const WORTH_A_ROW: i64 = 50;
const LEAST_CLIENTS: f64 = 20.0;
const SPREADS: f64 = 8.0;
const SAMPLED_CLIENTS: usize = 512;
const SAMPLED_NAMES: usize = 8;

fn gather(settings: &crate::Settings) -> Gather {
    let seed = settings.seed;
    let domains = Step {
        name: DOMAINS,
        from: vec![Input::mapped(Kind::Lookup, lookups)],
        by: &["domain", "window"],
        order: &["name", "client_hi", "client_lo"],
        combine: None,
        kernel: folding(move || Domains::new(seed)),
        small: false,
        keep: true,
        partitions: 64,
    };
    Gather { name: DETECTOR.name, reach_ms: i64::MAX, steps: vec![domains] }
}

record!(
    /// One lookup.
    struct Lookup {
        domain: i64,
        window: i64,
        name: i64,
        client: Address,
        /// Of the window.
        second: i32,
        failed: i32,
        /// Characters of the name before the domain, and thousandths of a bit for each.
        length: i32,
        entropy: i32,
    }
);

/// Lookups of names below a registrable domain.
fn lookups(batch: &RecordBatch) -> RecordBatch {
    let long = |name| column_i64(batch, name);
    let int = |name| column_i32(batch, name);
    let (time, name, domain) = (long("time"), long("name"), long("domain"));
    let (hi, lo) = (long("client_hi"), long("client_lo"));
    let (length, entropy, rcode) = (int("label_len"), int("label_entropy"), int("rcode"));
    let mut table: Table<Lookup> = Table::default();
    table.extend((0..time.len()).filter(|&at| length[at] > 0).map(|at| {
        let second = time[at].div_euclid(1000);
        Lookup {
            domain: domain[at],
            window: second.div_euclid(60 * WINDOW),
            name: name[at],
            client: Address { hi: hi[at], lo: lo[at] }.client(),
            second: second.rem_euclid(60 * WINDOW) as i32,
            // -1 no answer, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED.
            failed: i32::from(matches!(rcode[at], -1 | 2 | 3 | 5)),
            length: length[at],
            entropy: entropy[at],
        }
    }));
    table.finish()
}

record!(
    /// One domain in one window.
    #[expect(clippy::struct_field_names, reason = "it is the time of the row")]
    struct Window {
        domain: i64,
        window: i64,
        lookups: i64,
        failed: i64,
        /// Distinct names of which no lookup succeeded.
        names: i64,
        /// Of those, names that were asked for once.
        once: i64,
        clients: i64,
        /// Share of the busiest sampled client, thousandths.
        busiest: i64,
        /// Means over failing names: characters, thousandths of a bit.
        length: i64,
        entropy: i64,
        /// Failing lookups of the busiest second.
        peak: i64,
        /// First and last second with a failing lookup at a tenth of that rate.
        first: i64,
        last: i64,
        /// Some failing names, -1 where there are no more.
        samples: [i64; SAMPLED_NAMES],
        /// Some clients.
        from: [Address; SAMPLED_NAMES],
    }
);

impl Window {
    fn of(row: &Lookup) -> Self {
        Self {
            domain: row.domain,
            window: row.window,
            lookups: 0,
            failed: 0,
            names: 0,
            once: 0,
            clients: 0,
            busiest: 0,
            length: 0,
            entropy: 0,
            peak: 0,
            first: 0,
            last: 0,
            samples: [-1; SAMPLED_NAMES],
            from: [Address::NONE; SAMPLED_NAMES],
        }
    }

    /// By its shape, whatever is usual.
    fn is_torture(&self) -> bool {
        self.names >= LEAST_NAMES
            && 5 * self.failed >= 4 * self.lookups
            && 3 * self.once >= 2 * self.failed
            && self.entropy >= 2500
            && self.length >= 6
            && self.clients as f64 >= LEAST_CLIENTS
            && self.busiest <= 200
            && (self.names >= 8 * self.clients || self.names >= 3000)
    }
}

/// The name that is under way.
struct Name {
    id: i64,
    lookups: i64,
    failed: i64,
    length: i64,
    entropy: i64,
}

/// One domain and window after the other, one name after the other.
struct Domains {
    seed: Seed,
    window: Option<Window>,
    name: Option<Name>,
    clients: BottomK<Address>,
    names: BottomK<i64>,
    seconds: Vec<i64>,
}

impl Fold for Domains {
    type In = Lookup;
    type Out = Window;

    fn row(&mut self, row: &Lookup, out: &mut Table<Window>) {
        if self.window.is_none_or(|window| (window.domain, window.window) != (row.domain, row.window)) {
            self.finish(out);
        }
        if self.name.as_ref().is_some_and(|name| name.id != row.name) {
            self.close_name();
        }
        let window = self.window.get_or_insert_with(|| Window::of(row));
        let (length, entropy) = (row.length.into(), row.entropy.into());
        let name = self.name.get_or_insert(Name { id: row.name, lookups: 0, failed: 0, length, entropy });
        name.lookups += 1;
        window.lookups += 1;
        if row.failed != 0 {
            name.failed += 1;
            window.failed += 1;
            self.seconds[row.second as usize] += 1;
            self.clients.add(self.seed.address(row.client), row.client, 1);
        }
    }

    fn finish(&mut self, out: &mut Table<Window>) {
        self.close_name();
        let Some(mut window) = self.window.take() else { return };
        if window.names >= WORTH_A_ROW {
            window.length /= window.names;
            window.entropy /= window.names;
            window.clients = self.clients.distinct().round() as i64;
            let most = self.clients.iter().map(|(_, n)| n).max().unwrap_or(0);
            window.busiest = most * 1000 / window.failed.max(1);
            window.peak = self.seconds.iter().copied().max().unwrap_or(0);
            let busy = |n: &i64| *n > 0 && 10 * n >= window.peak;
            window.first = self.seconds.iter().position(busy).unwrap_or(0) as i64;
            window.last = self.seconds.iter().rposition(busy).unwrap_or(0) as i64;
            window.samples.iter_mut().zip(self.names.iter()).for_each(|(place, (name, _))| *place = name);
            window.from.iter_mut().zip(self.clients.iter()).for_each(|(place, (client, _))| *place = client);
            out.push(&window);
        }
        self.clients.clear();
        self.names.clear();
        self.seconds.fill(0);
    }
}

impl Domains {
    fn new(seed: Seed) -> Self {
        Self {
            seed,
            window: None,
            name: None,
            clients: BottomK::new(SAMPLED_CLIENTS),
            names: BottomK::new(SAMPLED_NAMES),
            seconds: vec![0; (60 * WINDOW) as usize],
        }
    }

    fn close_name(&mut self) {
        let (Some(name), Some(window)) = (self.name.take(), &mut self.window) else { return };
        if name.failed < name.lookups {
            return;
        }
        window.names += 1;
        window.once += i64::from(name.lookups == 1);
        window.length += name.length;
        window.entropy += name.entropy;
        // Ids of texts are digests, so they are their own hash.
        self.names.add(name.id as u64, name.id, 1);
    }
}

fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut domains: BTreeMap<i64, Vec<Window>> = BTreeMap::new();
    let mut begin = i64::MAX;
    for window in case.rows::<Window>(DOMAINS) {
        begin = begin.min(window.window);
        domains.entry(window.domain).or_default().push(window);
    }
    let mut findings = Vec::new();
    for (domain, windows) in &domains {
        let by_window: BTreeMap<i64, &Window> = windows.iter().map(|w| (w.window, w)).collect();
        let hot: Vec<&Window> = by_window
            .values()
            .copied()
            .filter(|window| window.is_torture() && !is_answered_by_failing(case, window))
            .collect();
        for run in hot.chunk_by(|a, b| b.window - a.window <= 2) {
            let base = Base::at(run[0].window * WINDOW, begin * WINDOW, |minute| {
                by_window.get(&minute.div_euclid(WINDOW)).map_or(0.0, |window| window.names as f64)
            });
            let limit = base.above(SPREADS).max(LEAST_NAMES as f64);
            if run.iter().any(|window| window.names as f64 >= limit) {
                findings.push(finding(case, *domain, run, &base, limit));
            }
        }
    }
    findings
}

/// Reverse lookups and block lists: their names are numbers, and failing is what they say of a good address.
fn is_answered_by_failing(case: &Case<'_>, window: &Window) -> bool {
    let domain = case.names.texts.get(window.domain);
    if domain.rsplit('.').next() == Some("arpa") {
        return true;
    }
    let kept: Vec<i64> = window.samples.iter().copied().filter(|id| case.names.texts.contains(*id)).collect();
    let numbers = kept
        .iter()
        .filter(|id| {
            let name = case.names.texts.get(**id);
            let label = name.strip_suffix(&domain).unwrap_or(&name);
            label.bytes().filter(u8::is_ascii_digit).count() * 10
                >= 8 * label.bytes().filter(|b| *b != b'.').count()
        })
        .count();
    !kept.is_empty() && 2 * numbers > kept.len()
}

fn finding(case: &Case<'_>, domain: i64, run: &[&Window], base: &Base, limit: f64) -> Finding {
    let name = case.names.texts.get(domain);
    let strongest = run.iter().fold(run[0], |a, b| if b.names > a.names { b } else { a });
    let window_s = 60 * WINDOW;
    let second = |window: &Window, second: i64| Timestamp::from_seconds(window.window * window_s + second);
    let (first_seen, last_seen) =
        (second(run[0], run[0].first), second(run[run.len() - 1], run[run.len() - 1].last));
    let subjects = vec![Subject::Domain(name.clone())];
    let within = |host: &str| host == name || host.ends_with(&format!(".{name}"));
    let asset = case.settings.site.assets.iter().find(|asset| asset.hosts.iter().any(|host| within(host)));
    let sum = |of: fn(&Window) -> i64| run.iter().map(|window| of(window)).sum::<i64>();
    let (names, failed, lookups) = (sum(|w| w.names), sum(|w| w.failed), sum(|w| w.lookups));
    let times = strongest.names as f64 / limit;
    let names_and_clients = strongest.samples.iter().filter(|id| **id >= 0).zip(strongest.from);
    let samples = names_and_clients.map(|(id, client)| Sample {
        time: second(strongest, strongest.first),
        account: case.names.texts.address(client),
        action: "one of the clients; one of the names".to_owned(),
        object: case.names.texts.get(*id),
        lag_s: 0.0,
    });
    Finding {
        id: FindingId::of(DETECTOR.name, &subjects, first_seen),
        revision: 1,
        ended: Some(last_seen),
        detector: DETECTOR.name.to_owned(),
        title: format!(
            "{} random names under {name} asked for by {} clients, up to {} a second",
            grouped(names as f64),
            grouped(strongest.clients as f64),
            grouped(strongest.peak as f64)
        ),
        severity: match times {
            t if t >= 30.0 || t >= 3.0 && asset.is_some() => Severity::High,
            _ => Severity::Medium,
        },
        confidence: if base.is_known() { 0.9 } else { 0.8 },
        first_seen,
        last_seen,
        asset: asset.map(|asset| asset.id.clone()),
        subjects,
        verdict: Some(Verdict::Attack),
        evidence: Evidence {
            observed: format!(
                "{} lookups of {} distinct names that all failed, {} of the names only once in the busiest five minutes; \
                 {} characters and {} bits a character on average before the domain; the busiest client has {:.1} %.",
                grouped(failed as f64),
                grouped(names as f64),
                grouped(strongest.once as f64),
                strongest.length,
                rounded(strongest.entropy as f64 / 1000.0),
                strongest.busiest as f64 / 10.0
            ),
            expected: if base.is_known() {
                format!(
                    "By {}, {} names under the domain fail in five minutes; the limit was {}.",
                    base.from,
                    rounded(base.median),
                    grouped(limit)
                )
            } else {
                format!(
                    "The recording is too short to know what is usual here (cold start): the floor of {} names in five \
                     minutes decided.",
                    grouped(limit)
                )
            },
            window_s: Some(window_s as u64),
            samples: samples.collect(),
            counts: BTreeMap::from([
                ("names".to_owned(), names as f64),
                ("lookups".to_owned(), lookups as f64),
                ("failed".to_owned(), failed as f64),
                ("clients_in_busiest_window".to_owned(), strongest.clients as f64),
                ("peak_per_s".to_owned(), strongest.peak as f64),
                ("bits_per_character".to_owned(), rounded(strongest.entropy as f64 / 1000.0)),
                ("limit_names".to_owned(), rounded(limit)),
            ]),
            ..Evidence::default()
        },
        benign_causes: vec![BenignCause {
            name: "made-up-names".to_owned(),
            why: format!(
                "Browsers and search lists make up names of which all fail, a few for each client; here there are {:.0}.",
                strongest.names as f64 / strongest.clients.max(1) as f64
            ),
        }],
        next_step: format!(
            "Limit answers of NXDOMAIN at the servers of {name} (response rate limiting), and outstanding lookups for it at \
             the resolvers; the clients are mostly resolvers of others and should not be blocked."
        ),
        techniques: vec![Technique("ATTACK:T1498.001".to_owned()), Technique("ATTACK:T1499.002".to_owned())],
        provenance: case.names.provenance(),
    }
}

const _: () = assert!(MINUTE_MS == 60_000, "windows are counted in minutes of sixty seconds");
