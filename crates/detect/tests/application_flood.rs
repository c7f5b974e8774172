//! `application-flood`: a flood is told from a crowd, and an ordinary day has neither.

use std::sync::Arc;

use detect::detectors::availability::application_flood::{By, Event, Weights, judge_with};
use detect::{Case, Engine, Names, Settings};
use domain::{Asset, Embed, ExpectedEvent, Finding, KnownClient, Prefix, Severity, Timestamp, Verdict};
use oorandom::Rand64;
use traffic::request::{self, Request, Resource};
use traffic::{AccountNames, Address, Batch, Kind, ObjectNames, Part, Seed, Texts, rate};

/// 26 September 2021, 17:00 UTC.
const START: i64 = 1_632_675_600_000;
const MINUTE: i64 = 60_000;
/// The rise begins after two hours.
const ONSET: i64 = START + 120 * MINUTE;
const SEED: Seed = Seed(7);
const AGENTS: [&str; 6] = ["Firefox/92", "Chrome/93", "Safari/14", "Edge/93", "Chrome/94", "Firefox/91"];

fn text(text: &str) -> i64 {
    SEED.text(text.as_bytes())
}

fn v4(text: &str) -> Address {
    Address::parse(text.as_bytes()).expect("an address")
}

/// A log as it grows.
struct Log {
    rows: Vec<Request>,
    random: Rand64,
}

impl Log {
    fn new(seed: u128) -> Self {
        Self { rows: Vec::new(), random: Rand64::new(seed) }
    }

    fn get(&mut self, client: Address, agent: &str, time: i64, path: &str, referer: Option<&str>) {
        let resource = match path {
            path if path.contains("/api/") => Resource::Api,
            path if path.ends_with(".css") || path.ends_with(".png") => Resource::Asset,
            _ => Resource::Page,
        };
        let (referer_host, referer_path) =
            referer.map_or((-1, -1), |path| (text("results.example"), text(path)));
        self.rows.push(Request {
            peer_hi: client.hi,
            peer_lo: client.lo,
            time,
            method: 1,
            host: text("results.example"),
            path: text(path),
            resource: resource.code(),
            referer_host,
            referer_path,
            agent: text(agent),
            status: if path.starts_with("/no/") { 404 } else { 200 },
            bytes: 1000,
            ..Request::EMPTY
        });
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random.rand_range(0..n)
    }

    /// Somebody reads one to four pages, each with its style and picture.
    fn reader(&mut self, client: Address, start: i64) {
        let agent = AGENTS[self.below(6) as usize];
        let mut at = start;
        let mut before: Option<String> = None;
        for _ in 0..=self.below(4) {
            let page = format!("/page{}", self.below(30));
            self.get(client, agent, at, &page, before.as_deref());
            self.get(client, agent, at + 400, "/style.css", Some(&page));
            let picture = format!("/picture{}.png", self.below(9));
            self.get(client, agent, at + 900, &picture, Some(&page));
            before = Some(page);
            at += 8_000 + self.below(60_000) as i64;
        }
    }

    /// An address of a household: networks under 100 to 139 are those of usual clients.
    fn household(&mut self, nets: std::ops::Range<u64>) -> Address {
        let (a, b) = (nets.start + self.below(nets.end - nets.start), self.below(4));
        Address::v4((a as u32) << 24 | (b as u32) << 16 | self.below(65_536) as u32)
    }

    /// Readers between two times.
    fn readers(&mut self, n: usize, from: i64, until: i64, nets: std::ops::Range<u64>) {
        for _ in 0..n {
            let client = self.household(nets.clone());
            let start = from + self.below((until - from) as u64) as i64;
            self.reader(client, start);
        }
    }

    /// Two hours of ordinary traffic and what comes after.
    fn ordinary(seed: u128, minutes: i64) -> Self {
        let mut log = Self::new(seed);
        log.readers(8 * minutes as usize, START, START + minutes * MINUTE, 100..140);
        log
    }

    /// Many people for ten minutes; some have everything in their cache, some poll the results.
    fn crowd(&mut self) {
        for n in 0..2500 {
            let client = self.household(100..180);
            let start = ONSET + self.below(9 * MINUTE as u64) as i64;
            match n % 10 {
                0 => self.get(client, "Chrome/94", start, "/results", None),
                1 | 2 => {
                    let agent = AGENTS[self.below(6) as usize];
                    self.get(client, agent, start, "/results", None);
                    self.get(client, agent, start + 300, "/style.css", Some("/results"));
                    for poll in 1..5 {
                        let at = start + poll * 30_000;
                        self.get(client, agent, at, "/api/results.json", Some("/results"));
                    }
                }
                _ => self.reader(client, start),
            }
        }
    }

    /// Machines from all over that hammer one page, without anything that belongs to it.
    fn flood(&mut self) {
        for _ in 0..300 {
            let client = self.household(20..90);
            let first = ONSET + self.below(20_000) as i64;
            for n in 0..80 {
                self.get(client, "Chrome/93", first + n * 7_000, "/page1", None);
            }
        }
    }
}

struct NoScratch;

impl traffic::Scratch for NoScratch {
    fn append(&self, _: &[u8]) -> std::io::Result<traffic::Extent> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> std::io::Result<()> {
        Err(std::io::ErrorKind::UnexpectedEof.into())
    }
}

fn names() -> Names {
    let mut texts = Texts::default();
    for name in ["results.example", "/page1", "/results", "webrate", "Chrome/93"] {
        texts.keep(text(name), name.as_bytes());
    }
    Names {
        accounts: AccountNames::numbers(),
        objects: ObjectNames::numbers(),
        texts,
        sources: vec!["test".to_owned()],
        rows_read: 0,
        rows_refused: 0,
    }
}

fn run(batches: Vec<Batch>, threads: usize, settings: &Settings) -> (Vec<Finding>, Vec<Event>) {
    let detector = detect::catalogue::find("application-flood").expect("it is in the catalogue");
    let engine = Engine::new(threads, usize::MAX, Arc::new(NoScratch));
    let parts: Vec<Part> = vec![Box::new(batches.into_iter().map(Ok))];
    let (tables, totals) = engine.run(&[(detector.gather)(settings)], parts).expect("the run succeeds");
    let names = names();
    let case = Case { tables: &tables, totals: &totals, names: &names, settings, threads };
    ((detector.judge)(&case), judge_with(&case, &Weights::default()))
}

fn batches(rows: &[Request]) -> Vec<Batch> {
    rows.chunks(5000).map(|rows| Batch::new(Kind::Request, request::batch(rows))).collect()
}

fn settings() -> Settings {
    Settings { seed: SEED, ..Settings::default() }
}

fn detect(log: &Log) -> (Vec<Finding>, Vec<Event>) {
    run(batches(&log.rows), 2, &settings())
}

#[test]
fn an_ordinary_evening_has_no_findings() {
    assert_eq!(detect(&Log::ordinary(1, 180)).0, []);
}

#[test]
fn a_flood_is_an_attack_and_its_clients_can_be_blocked() {
    let mut log = Log::ordinary(2, 130);
    let people = log.rows.clone();
    log.flood();
    let (findings, events) = detect(&log);
    assert_eq!(findings.len(), 1);
    let finding = &findings[0];
    assert_eq!((finding.verdict, finding.severity), (Some(Verdict::Attack), Severity::Critical));
    assert!(finding.title.contains("requests in 5 min to results.example"), "{}", finding.title);
    assert!(finding.title.ends_with("% of the rise have machine evidence"), "{}", finding.title);
    assert!(finding.evidence.expected.contains("cold start"), "{}", finding.evidence.expected);
    assert_eq!(finding.techniques[0].0, "ATTACK:T1499.002");
    let seen = events[0].strongest();
    let blocking = seen.blocking.as_ref().expect("an attack");
    let inside = |row: &&Request| row.time >= seen.from.0 && row.time < seen.until.0;
    let blocked =
        |rows: &[Request]| rows.iter().filter(inside).filter(|row| blocking.blocks(row).is_some()).count();
    let flood: Vec<Request> = log.rows[people.len()..].to_vec();
    assert!(blocked(&flood) > flood.iter().filter(inside).count() * 9 / 10);
    assert_eq!(blocked(&people), 0);
}

#[test]
fn a_crowd_is_a_flash_crowd_and_no_alarm() {
    let mut log = Log::ordinary(3, 130);
    log.crowd();
    let (findings, events) = detect(&log);
    assert_eq!(findings.len(), 1);
    let finding = &findings[0];
    assert_eq!(finding.verdict, Some(Verdict::FlashCrowd));
    assert!(finding.severity <= Severity::Low);
    assert!(finding.title.ends_with("no machine evidence"), "{}", finding.title);
    assert_eq!(finding.benign_causes[0].name, "flash-crowd");
    assert!(events[0].windows.iter().all(|seen| seen.blocking.is_none()));
}

#[test]
fn both_at_once_is_mixed_and_meets_no_people() {
    let mut log = Log::ordinary(4, 130);
    log.crowd();
    let people = log.rows.len();
    log.flood();
    let (findings, events) = detect(&log);
    assert_eq!(findings[0].verdict, Some(Verdict::Mixed), "{}", findings[0].evidence.observed);
    let blocking = events[0].strongest().blocking.as_ref().expect("there is a flood in it");
    assert_eq!(log.rows[..people].iter().filter(|row| blocking.blocks(row).is_some()).count(), 0);
}

#[test]
fn neither_order_nor_threads_nor_batches_change_a_byte() {
    let mut log = Log::ordinary(5, 130);
    log.crowd();
    log.flood();
    let once = run(batches(&log.rows), 1, &settings()).0;
    let mut turned = log.rows.clone();
    turned.reverse();
    turned.rotate_left(777);
    let again = run(vec![Batch::new(Kind::Request, request::batch(&turned))], 3, &settings()).0;
    assert_eq!(once, again);
}

#[test]
fn welcome_clients_are_never_blocked() {
    let mut log = Log::ordinary(6, 130);
    log.flood();
    let newsroom = v4("203.0.113.9");
    for n in 0..600 {
        log.get(newsroom, "Fetch/1", ONSET + n * 500, "/page1", None);
    }
    let blocks = |settings: &Settings| {
        let (_, events) = run(batches(&log.rows), 2, settings);
        let row = log.rows[log.rows.len() - 1];
        events[0].strongest().blocking.as_ref().expect("an attack").blocks(&row)
    };
    assert_eq!(blocks(&settings()), Some(By::Address));
    let mut known = settings();
    known.site.known.push(KnownClient {
        name: "newsroom".to_owned(),
        prefixes: vec![Prefix::parse("203.0.113.0/24").expect("a prefix")],
    });
    assert_eq!(blocks(&known), None);
}

#[test]
fn clients_behind_a_declared_proxy_are_those_that_it_forwards() {
    let mut log = Log::ordinary(7, 130);
    log.flood();
    for row in &mut log.rows {
        (row.forwarded_hi, row.forwarded_lo) = (row.peer_hi, row.peer_lo);
        (row.peer_hi, row.peer_lo) = (v4("192.0.2.1").hi, v4("192.0.2.1").lo);
    }
    let mut behind = settings();
    behind.site.proxies.push(Prefix::parse("192.0.2.1").expect("a prefix"));
    let events = run(batches(&log.rows), 2, &behind).1;
    assert_eq!(events[0].verdict, Verdict::Attack);
    assert!(events[0].strongest().clients > 300.0);
    // Undeclared, there is one client, and nothing to tell.
    let events = run(batches(&log.rows), 2, &settings()).1;
    assert_eq!(events[0].strongest().clients, 1.0);
    assert!(!matches!(events[0].verdict, Verdict::Attack | Verdict::Mixed));
}

#[test]
fn an_asset_is_known_by_its_host_and_the_calendar_is_shown() {
    let mut log = Log::ordinary(8, 130);
    log.flood();
    let mut declared = settings();
    declared.site.assets.push(Asset {
        id: "results".to_owned(),
        name: "results pages".to_owned(),
        hosts: vec!["results.example".to_owned()],
        ..Asset::default()
    });
    declared.site.events.push(ExpectedEvent {
        name: "polls close".to_owned(),
        from: Timestamp(ONSET),
        until: Timestamp(ONSET + 60 * MINUTE),
        asset: None,
    });
    let finding = run(batches(&log.rows), 2, &declared).0.remove(0);
    assert_eq!(finding.asset.as_deref(), Some("results"));
    assert_eq!(finding.verdict, Some(Verdict::Attack));
    assert!(finding.evidence.observed.contains("\"polls close\""), "{}", finding.evidence.observed);
}

#[test]
fn a_flood_of_very_many_clients_is_sampled_and_said_to_be() {
    let mut log = Log::ordinary(9, 130);
    for n in 0..90_000_u32 {
        let client = Address::v4(0x1400_0000 + n.wrapping_mul(2_654_435_761) % 0x4000_0000);
        log.get(client, "Chrome/93", ONSET + i64::from(n) * 3, "/page1", None);
        log.get(client, "Chrome/93", ONSET + 200 + i64::from(n) * 3, "/page1", None);
    }
    let (findings, events) = detect(&log);
    assert!(events[0].strongest().kept < events[0].strongest().clients / 2.0);
    assert!(events[0].strongest().clients > 80_000.0);
    assert!(!findings[0].provenance.complete);
    assert!(findings[0].provenance.incomplete_because[0].contains("sample by seeded hash"));
}

#[test]
fn a_rise_that_few_clients_carry_is_no_crowd() {
    // Three clients that read at their leisure, each page with very much that belongs to it.
    let mut log = Log::ordinary(10, 130);
    for client in ["198.51.100.1", "198.51.100.2", "198.51.100.3"].map(v4) {
        for step in 0..20_i64 {
            let (at, page) = (ONSET + step * 30_000, format!("/page{step}"));
            log.get(client, "Firefox/92", at, &page, None);
            for n in 0..90 {
                log.get(client, "Firefox/92", at + 300 + n, "/style.css", Some(&page));
            }
        }
    }
    let (findings, _) = detect(&log);
    assert_eq!(findings[0].verdict, Some(Verdict::Unsure), "{}", findings[0].evidence.observed);
    let end = "2 busy clients sent half of the rise or more";
    assert!(findings[0].title.ends_with(end), "{}", findings[0].title);
    assert!(findings[0].next_step.contains("198.51.100.1 ("), "{}", findings[0].next_step);
}

#[test]
fn many_that_leave_out_what_belongs_to_pages_are_evidence_together() {
    let mut log = Log::ordinary(11, 130);
    for _ in 0..3000 {
        let client = log.household(100..140);
        let agent = AGENTS[log.below(6) as usize];
        let (at, page) = (ONSET + log.below(300_000) as i64, format!("/page{}", log.below(30)));
        log.get(client, agent, at, &page, None);
    }
    let (findings, _) = detect(&log);
    assert_eq!(findings[0].verdict, Some(Verdict::Attack), "{}", findings[0].evidence.observed);
}

#[test]
fn an_address_that_two_readers_shared_is_not_blocked() {
    let household = v4("203.0.113.7");
    let mut log = Log::ordinary(12, 130);
    log.flood();
    for n in 0..200 {
        log.get(household, "Chrome/93", ONSET + n * 1500, "/page1", None);
    }
    let row = log.rows[log.rows.len() - 1];
    let blocked = |log: &Log| {
        let (_, events) = detect(log);
        events[0].strongest().blocking.as_ref().expect("an attack").blocks(&row).is_some()
    };
    assert!(blocked(&log));
    for (n, agent) in ["Firefox/92", "Safari/14"].into_iter().enumerate() {
        let at = START + (20 + 10 * n as i64) * MINUTE;
        log.get(household, agent, at, "/page3", None);
        log.get(household, agent, at + 500, "/style.css", Some("/page3"));
    }
    assert!(!blocked(&log));
}

#[test]
fn polls_of_a_declared_embed_are_welcome() {
    let mut log = Log::ordinary(13, 130);
    log.crowd();
    for _ in 0..1500 {
        let client = log.household(20..90);
        let start = ONSET + log.below(240_000) as i64;
        for poll in 0..4 {
            log.get(client, "Chrome/94", start + poll * 15_000, "/api/ticker.json", None);
        }
    }
    assert_ne!(detect(&log).0[0].verdict, Some(Verdict::FlashCrowd));
    let phi = |settings: &Settings| run(batches(&log.rows), 2, settings).1[0].strongest().phi;
    let mut declared = settings();
    declared.site.embeds.push(Embed {
        name: "newspaper".to_owned(),
        hosts: vec!["news.example".to_owned()],
        paths: vec!["/api/ticker.json".to_owned()],
    });
    assert!(phi(&settings()) > 0.1, "{}", phi(&settings()));
    assert!(phi(&declared) < 0.02, "{}", phi(&declared));
}

#[test]
fn counts_alone_get_no_verdict_of_attack() {
    let mut rows = Vec::new();
    for minute in 0..600 {
        let count = if (400..410).contains(&minute) { 600 } else { 40 };
        rows.push(rate::Rate { series: text("webrate"), time: START + minute * MINUTE, step: MINUTE, count });
    }
    let findings = run(vec![Batch::new(Kind::Rate, rate::batch(&rows))], 2, &settings()).0;
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].verdict, findings[0].severity), (None, Severity::Info));
    assert_eq!(
        findings[0].title,
        "6,000 requests in 10 min in `webrate`, 15 times the usual; counts alone do not say why"
    );
}
