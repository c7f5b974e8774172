//! Durable appends a second, how long one takes at low load, and how fast a whole log is checked.
//!
//! Entries are those of an audit trail: 200 bytes that differ. Every figure of a check comes from a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use store::sequencer::{MAX_BATCH, Sequencer, Settings};
use store::{FileLog, PublicFolder};
use tlog::cosignature::cosign;
use tlog::key::KeyKind;
use tlog::storage::LogStorage;
use tlog::writer::{WriteError, Writer};
use tlog::{SignerKey, fsck, reader};

use super::BenchError;
use super::run::usage;

/// Measures the log.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Log {
    /// Entries of the largest log that is checked
    #[arg(long, default_value_t = 10_000_000)]
    entries: u64,
    /// Folder to work in: the disk that is measured
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Check the log in this folder once and print figures as one line of JSON
    #[arg(long, value_name = "FOLDER", hide = true)]
    one: Option<PathBuf>,
    #[arg(long, default_value_t = 1, hide = true)]
    threads: usize,
}

#[derive(Serialize, Deserialize)]
struct Checked {
    entries: u64,
    problems: usize,
    wall_s: f64,
    cpu_s: f64,
    peak_mb: f64,
}

fn key() -> SignerKey {
    SignerKey::from_seed("log.example/bench", KeyKind::Ed25519, &[1; 32]).expect("a name")
}

fn entry(n: u64) -> Vec<u8> {
    format!("{n:0>200}").into_bytes()
}

#[expect(clippy::print_stdout, reason = "the figures are the result")]
pub(super) fn main(args: &Log) -> Result<(), BenchError> {
    if let Some(folder) = &args.one {
        println!("{}", serde_json::to_string(&check(folder, args.threads)?)?);
        return Ok(());
    }
    if cfg!(debug_assertions) {
        return Err("figures of a debug build mean nothing: cargo run --release -p xtask -- bench log".into());
    }
    let folder = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = folder.join(format!("bench-log-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = appends(&folder.join("appends")).and_then(|()| checks(args, &folder.join("checks")));
    std::fs::remove_dir_all(&folder)?;
    done
}

/// Durable appends through the sequencer: as many at once as it takes, and one at a time.
#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn appends(folder: &Path) -> Result<(), BenchError> {
    let writer = Writer::create(FileLog::open(folder)?, key())?;
    let settings = Settings {
        reopen: Box::new(|| Err(WriteError::NoLog)),
        publish: Box::new(|writer| writer.publish(&[])),
        promises: None,
    };
    let sequencer = Sequencer::start(writer, settings);
    let mut times: Vec<Duration> = Vec::new();
    for n in 0..200 {
        let start = Instant::now();
        sequencer.submit(entry(n)).wait()?;
        times.push(start.elapsed());
        std::thread::sleep(Duration::from_millis(20));
    }
    times.sort_unstable();
    let ms = |at: usize| times[at].as_secs_f64() * 1000.0;
    println!(
        "One at a time, 50 a second: median {:.1} ms, 99 % {:.1} ms, most {:.1} ms.",
        ms(100),
        ms(197),
        ms(199)
    );
    let n_entries = 100_000;
    let start = Instant::now();
    let mut waiting = std::collections::VecDeque::new();
    for n in 0..n_entries {
        if waiting.len() == 2 * MAX_BATCH {
            let ticket: store::sequencer::Ticket = waiting.pop_front().ok_or("internal error: it is full")?;
            ticket.wait()?;
        }
        waiting.push_back(sequencer.submit(entry(1000 + n)));
    }
    waiting.into_iter().try_for_each(|ticket| ticket.wait().map(|_| ()))?;
    let wall = start.elapsed().as_secs_f64();
    println!("{n_entries} at once: {:.0} durable appends a second.\n", n_entries as f64 / wall);
    sequencer.close();
    Ok(())
}

/// Logs of growing size, each checked by one thread and by two; and a proof from the largest.
#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn checks(args: &Log, folder: &Path) -> Result<(), BenchError> {
    println!("| entries | append CPU µs an entry | threads | wall s | CPU s | entries/CPU s | peak MB |");
    println!("|---|---|---|---|---|---|---|");
    let mut writer = Writer::create(FileLog::open(folder)?, key())?;
    for size in [args.entries / 16, args.entries / 4, args.entries] {
        let (first, before) = (writer.signed().size, usage()?.0);
        grow(&mut writer, size)?;
        let append_us = (usage()?.0 - before) * 1e6 / (size - first) as f64;
        for threads in [1, 2] {
            let output = Command::new(std::env::current_exe()?)
                .args(["bench", "log", "--threads", &threads.to_string(), "--one"])
                .arg(folder)
                .output()?;
            let Checked { entries, problems, wall_s, cpu_s, peak_mb } =
                serde_json::from_slice(&output.stdout)?;
            if (entries, problems) != (size, 0) {
                return Err(
                    format!("{entries} entries and {problems} problems instead of {size} and none").into()
                );
            }
            println!(
                "| {entries} | {append_us:.1} | {threads} | {wall_s:.1} | {cpu_s:.1} | {:.0} | {peak_mb:.0} |",
                entries as f64 / cpu_s
            );
        }
    }
    let cosign = |n: u8| {
        let name = format!("witness.example/w{n}");
        let key = SignerKey::from_seed(&name, KeyKind::CosignatureV1, &[n; 32])?;
        Ok::<_, BenchError>(cosign(writer.signed(), &key, 1_700_000_000))
    };
    let cosignatures = [cosign(1)?, cosign(2)?, cosign(3)?];
    writer.publish(&cosignatures)?;
    let source = PublicFolder::of(folder);
    let (checkpoint, note) = reader::checkpoint(&source, key().verifier())?;
    let start = Instant::now();
    let (_, proof) = reader::prove(&source, &checkpoint, &note, args.entries / 3)?;
    let (bytes, ms) = (proof.to_string().len(), start.elapsed().as_secs_f64() * 1000.0);
    println!("\nA proof with three cosignatures has {bytes} bytes, and was made in {ms:.1} ms.");
    Ok(())
}

fn grow<S: LogStorage>(writer: &mut Writer<S>, size: u64) -> Result<(), BenchError> {
    while writer.signed().size < size {
        let first = writer.signed().size;
        let entries: Vec<Vec<u8>> = (first..size.min(first + (1 << 16))).map(entry).collect();
        writer.append(&entries)?;
    }
    Ok(writer.publish(&[])?)
}

fn check(folder: &Path, threads: usize) -> Result<Checked, BenchError> {
    let start = Instant::now();
    let source = PublicFolder::of(folder);
    let options = fsck::Options { threads, progress: &|_| {} };
    let report = fsck::check(&source, key().verifier(), &options)?;
    let (cpu_s, peak_mb) = usage()?;
    Ok(Checked {
        entries: report.checkpoint.size,
        problems: report.problems.len(),
        wall_s: start.elapsed().as_secs_f64(),
        cpu_s,
        peak_mb,
    })
}
