//! Rows in, lines out.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::RecordBatch;
use detect::{Engine, Names, Settings};
use domain::Finding;
use oorandom::Rand64;
use traffic::flow::{self, Flow, State};
use traffic::{AccountNames, Address, Batch, Kind, ObjectNames, Part};

/// 2024-11-05T00:00:00Z, in milliseconds.
pub(crate) const DAY_MS: i64 = 1_730_764_800_000;
/// A minute in milliseconds.
pub(crate) const MINUTE_MS: i64 = 60_000;
/// The address that is attacked.
pub(crate) const VICTIM: &str = "192.0.2.10";

pub(crate) struct NoScratch;

impl traffic::Scratch for NoScratch {
    fn append(&self, _: &[u8]) -> std::io::Result<traffic::Extent> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> std::io::Result<()> {
        Err(std::io::ErrorKind::UnexpectedEof.into())
    }
}

pub(crate) fn names() -> Names {
    Names {
        accounts: AccountNames::numbers(),
        objects: ObjectNames::numbers(),
        texts: traffic::Texts::default(),
        sources: vec!["test".to_owned()],
        rows_read: 0,
        rows_refused: 0,
    }
}

/// Runs one detector over batches.
pub(crate) fn run(
    detector: &str,
    batches: Vec<Batch>,
    threads: usize,
    settings: &Settings,
    names: Names,
) -> Vec<Finding> {
    let detector = detect::catalogue::find(detector).expect("it is in the catalogue");
    let parts: Vec<Part> = vec![Box::new(batches.into_iter().map(Ok))];
    let engine = Engine::new(threads, usize::MAX, Arc::new(NoScratch));
    let mut names = Some(names);
    detect::run(&[detector], parts, &mut || names.take().expect("asked once"), settings, &engine)
        .expect("the run succeeds")
        .findings
}

/// Findings of one detector on rows of one kind. They must be the same in another order, with other
/// batches and threads.
pub(crate) fn on_rows<R: Clone>(
    detector: &str,
    kind: Kind,
    rows: &[R],
    batch: fn(&[R]) -> RecordBatch,
    texts: impl Fn() -> Names,
) -> Vec<Finding> {
    let settings = Settings::default();
    let batches = |rows: &[R], size: usize| -> Vec<Batch> {
        rows.chunks(size).map(|rows| Batch::new(kind, batch(rows))).collect()
    };
    let findings = run(detector, batches(rows, 4096), 2, &settings, texts());
    let mut other = rows.to_vec();
    shuffle(&mut other);
    assert_eq!(
        findings,
        run(detector, batches(&other, 999), 1, &settings, texts()),
        "the order of rows shows"
    );
    findings
}

/// Findings of one detector on flows.
pub(crate) fn on_flows(detector: &str, rows: &[Flow]) -> Vec<Finding> {
    on_rows(detector, Kind::Flow, rows, flow::batch, names)
}

/// Another order, always the same.
pub(crate) fn shuffle<T>(rows: &mut [T]) {
    let mut random = Rand64::new(99);
    for at in (1..rows.len()).rev() {
        rows.swap(at, random.rand_range(0..at as u64 + 1) as usize);
    }
}

/// One line a finding, as a reader would see it.
pub(crate) fn lines(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let _ = writeln!(text, "{} {}: {}", finding.severity, finding.first_seen, finding.title);
    }
    text
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text.as_bytes()).expect("an address")
}

/// A flow between two addresses.
pub(crate) fn flow(src: Address, dst: Address) -> Flow {
    Flow { src_hi: src.hi, src_lo: src.lo, dst_hi: dst.hi, dst_lo: dst.lo, ..Flow::EMPTY }
}

/// Any IPv4 address that is not the victim's network.
pub(crate) fn anybody(random: &mut Rand64) -> Address {
    Address::v4(0x0b00_0000 + random.rand_range(0..0xb000_0000) as u32)
}

/// An hour of a small site: visitors of a web server, its own lookups, pings; all answered.
pub(crate) fn ordinary_hour(start: i64, random: &mut Rand64) -> Vec<Flow> {
    let (server, resolver) = (address(VICTIM), address("192.0.2.53"));
    let mut rows = Vec::new();
    for _ in 0..6000 {
        let time = start + random.rand_range(0..3_600_000) as i64;
        let packets = 4 + random.rand_range(0..40) as i64;
        rows.push(Flow {
            src_port: 40_000 + random.rand_range(0..20_000) as i32,
            dst_port: 443,
            proto: 6,
            time,
            duration: random.rand_range(50..30_000) as i64,
            packets,
            bytes: packets * 300,
            back_packets: packets + 3,
            back_bytes: packets * 1100,
            flags: 2 | 16 | 8 | 1,
            state: State::Closed.code(),
            ..flow(anybody(random), server)
        });
        rows.push(Flow {
            src_port: 30_000 + random.rand_range(0..30_000) as i32,
            dst_port: 53,
            proto: 17,
            time,
            duration: 20,
            packets: 1,
            bytes: 70,
            back_packets: 1,
            back_bytes: 180,
            state: State::Established.code(),
            ..flow(resolver, anybody(random))
        });
    }
    rows
}

/// A flood in one direction: `n` packets evenly over `span_ms`, made by `packet` from a number.
pub(crate) fn flood(start: i64, span_ms: i64, n: i64, mut packet: impl FnMut(i64) -> Flow) -> Vec<Flow> {
    (0..n).map(|at| Flow { time: start + span_ms * at / n, ..packet(at) }).collect()
}

/// SYNs from addresses drawn by chance.
pub(crate) fn spoofed_syn(victim: &str, start: i64, span_ms: i64, n: i64, random: &mut Rand64) -> Vec<Flow> {
    flood(start, span_ms, n, |_| Flow {
        src_port: 1024 + random.rand_range(0..60_000) as i32,
        dst_port: 25_565,
        proto: 6,
        packets: 1,
        bytes: 40,
        back_packets: 0,
        back_bytes: 0,
        flags: 2,
        state: State::Attempt.code(),
        ..flow(anybody(random), address(victim))
    })
}

/// Answers of so many servers that nobody asked.
pub(crate) fn amplified(
    port: i32,
    bytes: i64,
    victim: &str,
    start: i64,
    span_ms: i64,
    n: i64,
    random: &mut Rand64,
) -> Vec<Flow> {
    let servers: Vec<Address> = (0..=(n / 2)).map(|_| anybody(random)).collect();
    flood(start, span_ms, n, |at| Flow {
        src_port: port,
        dst_port: 30_120,
        proto: 17,
        packets: 1,
        bytes,
        back_packets: 0,
        back_bytes: 0,
        state: State::Attempt.code(),
        ..flow(servers[(at * 7919 % servers.len() as i64) as usize], address(victim))
    })
}
