//! One measured run: Parquet file in, pairs out.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use detect::Engine;
use detect::coordination::co_share;
use detect::engine::column_i64;
use serde::{Deserialize, Serialize};
use store::TempScratch;

use super::BenchError;

/// What a run took and found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) rows: u64,
    pub(super) events: u64,
    pub(super) pairs: u64,
    pub(super) weight: i64,
    pub(super) wall_s: f64,
    pub(super) cpu_s: f64,
    pub(super) peak_mb: f64,
    pub(super) spilled_mb: f64,
}

/// Pairs that meet within a minute on at least three objects.
pub(super) fn measure(
    path: &Path,
    threads: usize,
    ceiling_mb: Option<usize>,
) -> Result<Measured, BenchError> {
    let start = Instant::now();
    let scratch = Arc::new(TempScratch::create(None)?);
    let engine = Engine::new(threads, ceiling_mb.map_or(usize::MAX, |mb| mb << 20), scratch);
    let options = ingest::Options {
        accounts: ingest::Accounts::Plain,
        now: domain::Timestamp(i64::MAX / 2),
        default_trace: traffic::Trace::Object,
        seed: traffic::Seed(0),
    };
    let mut reading = ingest::open(&[path.to_owned()], options)?;
    let (tables, totals) = engine.run(&[co_share::gather(60_000, 3)], reading.take_parts())?;
    let pairs = &tables["co-share.pairs"];
    let usage = usage()?;
    Ok(Measured {
        rows: totals["co-share.meetings"].rows_in,
        events: totals["co-share.meetings"].rows_out,
        pairs: pairs.iter().map(|batch| batch.num_rows() as u64).sum(),
        weight: pairs.iter().flat_map(|batch| column_i64(batch, "objects")).sum(),
        wall_s: start.elapsed().as_secs_f64(),
        cpu_s: usage.0,
        peak_mb: usage.1,
        spilled_mb: totals.values().map(|t| t.spilled).sum::<u64>() as f64 / 1e6,
    })
}

/// CPU seconds and the most memory in MB that this process has used so far.
pub(super) fn usage() -> Result<(f64, f64), BenchError> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // Fields 14 and 15 in ticks of 10 ms; the second field, a name, ends with the last bracket.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|line| line.split_whitespace().next())
        .ok_or("no VmHWM in /proc/self/status")?;
    Ok((ticks / 100.0, peak.parse::<f64>()? / 1000.0))
}
