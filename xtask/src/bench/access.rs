//! Lines of an access log a second: a long log made of a recorded one, read by one thread, without and with the
//! detectors, beside GoAccess.
//!
//! The scratch log repeats the lines of the recording, each time on later days, at the same times of day.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use detect::{Detector, Engine, Names, Settings};
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use store::TempScratch;
use traffic::Kind;

use super::BenchError;

/// Measures the reader of access logs.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Access {
    /// The log to repeat, in the Combined Log Format
    #[arg(
        long,
        value_name = "PATH",
        default_value = "../shared/data/network/weblogs/elastic_apache_logs_10k.log"
    )]
    log: PathBuf,
    /// Lines of the scratch log
    #[arg(long, default_value_t = 10_000_000)]
    lines: usize,
    /// Runs of each measurement; the one in the middle is shown
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Measure one run over this log and print it as one line of JSON
    #[arg(long, value_name = "PATH", hide = true)]
    one: Option<PathBuf>,
    /// With the detectors that look at requests
    #[arg(long, hide = true)]
    detect: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Measured {
    lines: u64,
    refused: u64,
    findings: u64,
    wall_s: f64,
    cpu_s: f64,
    peak_mb: f64,
}

#[expect(clippy::print_stdout, reason = "the figures are the result")]
pub(super) fn main(args: &Access) -> Result<(), BenchError> {
    if let Some(path) = &args.one {
        println!("{}", serde_json::to_string(&measure(path, args.detect)?)?);
        return Ok(());
    }
    if cfg!(debug_assertions) {
        return Err(
            "figures of a debug build mean nothing: cargo run --release -p xtask -- bench access".into()
        );
    }
    let folder = std::env::temp_dir().join(format!("bench-access-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = compare(args, &folder);
    std::fs::remove_dir_all(&folder)?;
    done
}

#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn compare(args: &Access, folder: &Path) -> Result<(), BenchError> {
    let file = folder.join("access.log");
    let bytes = write(&args.log, &file, args.lines)?;
    let names: Vec<&str> = for_requests().iter().map(|detector| detector.name).collect();
    println!(
        "{} lines, {:.0} MB; detectors of requests: {}\n",
        args.lines,
        bytes as f64 / 1e6,
        names.join(", ")
    );
    println!("| reader | lines | refused | findings | wall s | CPU s | lines/CPU s | ns/line | peak MB |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let show = |reader: &str, m: &Measured| {
        println!(
            "| {reader} | {} | {} | {} | {:.2} | {:.2} | {:.2} M | {:.0} | {:.0} |",
            m.lines,
            m.refused,
            m.findings,
            m.wall_s,
            m.cpu_s,
            m.lines as f64 / m.cpu_s / 1e6,
            m.cpu_s * 1e9 / m.lines as f64,
            m.peak_mb,
        );
    };
    show("ours, reading", &middle(args.runs, || apart(&file, false))?);
    if !names.is_empty() {
        show("ours, reading and detectors", &middle(args.runs, || apart(&file, true))?);
    }
    match middle(args.runs, || goaccess(&file, folder)) {
        Ok(theirs) => show("GoAccess", &theirs),
        Err(error) => println!("| GoAccess: {error} | | | | | | | | |"),
    }
    Ok(())
}

/// Detectors that look at requests, alone or beside other kinds.
fn for_requests() -> Vec<&'static Detector> {
    let settings = Settings::default();
    let looks = |detector: &&Detector| {
        let gather = (detector.gather)(&settings);
        gather
            .steps
            .iter()
            .flat_map(|step| &step.from)
            .any(|input| matches!(input, detect::engine::Input::Traffic(Kind::Request, _)))
    };
    detect::catalogue::all().iter().filter(looks).collect()
}

/// Writes so many lines, and gives the file's length.
fn write(log: &Path, path: &Path, lines: usize) -> Result<u64, BenchError> {
    let recorded = std::fs::read(log).map_err(|error| format!("{}: {error}", log.display()))?;
    let mut parts = Vec::new();
    for line in recorded.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
        let open = line.iter().position(|&b| b == b'[').ok_or("a line without a time")? + 1;
        let date = line.get(open..open + 11).ok_or("a line without a date")?;
        parts.push((&line[..open], day(date)?, &line[open + 11..]));
    }
    let first = parts.iter().map(|(_, day, _)| *day).min().ok_or("an empty log")?;
    let last = parts.iter().map(|(_, day, _)| *day).max().ok_or("an empty log")?;
    let span = last - first + 1;
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut written = 0;
    for round in 0.. {
        let dates: Vec<String> = (first..=last).map(|day| date(day + round * span)).collect();
        for (before, day, after) in &parts {
            if written == lines {
                out.flush()?;
                return Ok(std::fs::metadata(path)?.len());
            }
            out.write_all(before)?;
            out.write_all(dates[(day - first) as usize].as_bytes())?;
            out.write_all(after)?;
            out.write_all(b"\n")?;
            written += 1;
        }
    }
    Ok(0)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Days since the epoch of `17/May/2015`.
fn day(date: &[u8]) -> Result<i64, BenchError> {
    let date = std::str::from_utf8(date)?;
    let month = MONTHS.iter().position(|month| *month == &date[3..6]).ok_or("no month")? + 1;
    let time = format!("{}-{month:02}-{}T00:00:00Z", &date[7..], &date[..2]);
    Ok(Timestamp::parse(&time).ok_or("no date")?.millis() / 86_400_000)
}

/// `17/May/2015` of days since the epoch.
fn date(day: i64) -> String {
    let time = Timestamp(day * 86_400_000).to_string();
    let month: usize = time[5..7].parse().expect("internal error: RFC 3339 has a month");
    format!("{}/{}/{}", &time[8..10], MONTHS[month - 1], &time[..4])
}

fn measure(path: &Path, with_detectors: bool) -> Result<Measured, BenchError> {
    let start = Instant::now();
    let options = ingest::Options {
        accounts: ingest::Accounts::Plain,
        now: Timestamp(i64::MAX / 2),
        default_trace: traffic::Trace::Object,
        seed: traffic::Seed(0),
    };
    let mut reading = ingest::open(&[path.to_owned()], options)?;
    let parts = reading.take_parts();
    let (lines, refused, findings);
    if with_detectors {
        let engine = Engine::new(1, 2 << 30, Arc::new(TempScratch::create(None)?));
        let mut reading = Some(reading);
        let mut counted = (0, 0);
        let mut names = || {
            let ledger = reading.take().expect("internal error: names are asked for once").finish();
            counted = (ledger.rows_read, ledger.rows_refused);
            Names {
                accounts: ledger.accounts,
                objects: ledger.objects,
                texts: ledger.texts,
                sources: ledger.sources,
                rows_read: ledger.rows_read,
                rows_refused: ledger.rows_refused,
            }
        };
        let outcome = detect::run(&for_requests(), parts, &mut names, &Settings::default(), &engine)?;
        findings = outcome.findings.len() as u64;
        (lines, refused) = counted;
    } else {
        for part in parts {
            for batch in part {
                batch?;
            }
        }
        let ledger = reading.finish();
        (lines, refused, findings) = (ledger.rows_read, ledger.rows_refused, 0);
    }
    let (cpu_s, peak_mb) = super::run::usage()?;
    Ok(Measured { lines, refused, findings, wall_s: start.elapsed().as_secs_f64(), cpu_s, peak_mb })
}

/// The run in the middle by CPU time.
fn middle(
    runs: usize,
    mut run: impl FnMut() -> Result<Measured, BenchError>,
) -> Result<Measured, BenchError> {
    let mut all = (0..runs.max(1)).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|x, y| x.cpu_s.total_cmp(&y.cpu_s));
    Ok(all.swap_remove(all.len() / 2))
}

/// One run in a process of its own.
fn apart(file: &Path, with_detectors: bool) -> Result<Measured, BenchError> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "access", "--one"]).arg(file);
    if with_detectors {
        command.arg("--detect");
    }
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// GoAccess over the log, with a report as JSON and no settings but the format. GNU time measures it.
fn goaccess(file: &Path, folder: &Path) -> Result<Measured, BenchError> {
    let report = folder.join("goaccess.json");
    let output = Command::new("/usr/bin/time")
        .args([
            "-f",
            "%e %U %S %M",
            "goaccess",
            "--log-format=COMBINED",
            "--no-global-config",
            "--no-progress",
        ])
        .arg(file)
        .arg("-o")
        .arg(&report)
        .output()
        .map_err(|error| format!("GNU time and goaccess are needed: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let figures: Vec<f64> =
        said.lines().last().unwrap_or_default().split(' ').filter_map(|field| field.parse().ok()).collect();
    let [wall_s, user, system, peak] = figures[..] else { return Err(said.into()) };
    let bytes = std::fs::read(&report)?;
    let report: serde_json::Value = serde_json::from_str(&String::from_utf8_lossy(&bytes))?;
    let general = |key: &str| report["general"][key].as_u64().unwrap_or(0);
    Ok(Measured {
        lines: general("valid_requests"),
        refused: general("failed_requests"),
        findings: 0,
        wall_s,
        cpu_s: user + system,
        peak_mb: peak / 1000.0,
    })
}
