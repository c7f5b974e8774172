//! Counts that no link carries: flow exports carry no signature, so anybody may send them. The run goes on, and sums end at
//! what is believed.

use detect::Settings;
use oorandom::Rand64;
use traffic::flow::{self, Flow};
use traffic::rate::{self, Rate};
use traffic::{Batch, Kind};

use crate::common::{DAY_MS, MINUTE_MS, VICTIM, address, anybody, flow, lines, names, on_rows, run};

/// Flows of many sources to one address, or to each address of its network, each of which claims all that a number can hold.
fn forged(n: u32, spread: bool, of: impl Fn(u32, Flow) -> Flow) -> Vec<Flow> {
    let random = &mut Rand64::new(5);
    let mut one = |at: u32| {
        let dst = if spread { address(&format!("192.0.2.{}", at % 256)) } else { address(VICTIM) };
        let row = Flow {
            src_port: 1024 + random.rand_range(0..60_000) as i32,
            dst_port: 4444,
            time: DAY_MS + i64::from(at % 1000),
            packets: i64::MAX,
            bytes: i64::MAX,
            ..flow(anybody(random), dst)
        };
        of(at, row)
    };
    (0..n).map(&mut one).collect()
}

#[test]
fn rows_that_claim_everything_end_no_run() {
    let kinds: [fn(u32, Flow) -> Flow; 6] = [
        |_, row| Flow { proto: 17, back_packets: 0, back_bytes: 0, ..row },
        |_, row| Flow { proto: 17, src_port: 53, dst_port: 123, fragments: i64::MAX / 2, ..row },
        |_, row| Flow { proto: 6, flags: 2, duration: 200_000, back_packets: 0, ..row },
        |_, row| Flow { proto: 6, flags: 18, back_packets: i64::MAX, back_bytes: i64::MAX, ..row },
        |_, row| Flow { proto: 6, flags: 18, duration: i64::MAX / 4, sampling: 1000, ..row },
        |at, row| Flow { proto: if at % 2 == 0 { 1 } else { 17 }, back_packets: i64::MAX, packets: 0, ..row },
    ];
    let mut loud = 0;
    for detector in ["volumetric-ddos", "carpet-bombing", "slow-flood", "tls-handshake-flood"] {
        for (kind, spread) in kinds.iter().flat_map(|kind| [(kind, false), (kind, true)]) {
            let rows = forged(2000, spread, kind);
            loud += on_rows(detector, Kind::Flow, &rows, flow::batch, names).len();
        }
    }
    assert!(loud > 3, "floods of forged counts are floods: {loud}");
}

/// So many in one minute of one address that even counts which one row is believed could not be added up.
#[test]
fn two_million_such_rows_end_no_run() {
    let rows = forged(4096, false, |_, row| Flow { proto: 17, back_packets: 0, back_bytes: 0, ..row });
    let batch = flow::batch(&rows);
    let batches = |n: usize| (0..n).map(|_| Batch::new(Kind::Flow, batch.clone())).collect();
    for detector in ["volumetric-ddos", "carpet-bombing"] {
        let findings = run(detector, batches(520), 2, &Settings::default(), names());
        assert_eq!(findings.len(), usize::from(detector == "volumetric-ddos"), "{}", lines(&findings));
        assert!(findings.iter().all(|found| found.evidence.counts["bytes"] == (1_u64 << 53) as f64));
    }
}

#[test]
fn series_that_claim_everything_end_no_run() {
    let series = |at: i64| Rate {
        series: 1,
        time: DAY_MS + at * MINUTE_MS,
        step: 60 * MINUTE_MS,
        count: if at % 7 == 0 { i64::MAX } else { 10 },
    };
    let rows: Vec<Rate> = (0..5000).map(series).collect();
    on_rows("application-flood", Kind::Rate, &rows, rate::batch, names);
}
