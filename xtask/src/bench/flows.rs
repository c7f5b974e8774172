//! Flows a second with detectors, from Parquet; and nfdump beside it, over the same flows in its own format.
//!
//! Without a file, the flows are those of a scratch capture: `nfpcapd` makes files of nfdump of it, and what
//! `nfdump -o csv` says of those becomes the Parquet file. nfdump is asked for the ten addresses that got most packets: it
//! has nothing that judges floods, and this is the question of a person who looks for one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use super::BenchError;
use super::pcap::{self, Frame, Measured};

/// Measures the detectors of flows.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Flows {
    /// Flows as `cargo xtask convert` writes them; then nfdump is left out
    #[arg(value_name = "PATH")]
    file: Option<PathBuf>,
    /// The folder of recordings, with `stopddos` and `zeek-traces` in it
    #[arg(long, value_name = "FOLDER", default_value = "../shared/data/network")]
    recordings: PathBuf,
    /// Packets of the scratch captures
    #[arg(long, default_value_t = 5_000_000)]
    packets: usize,
    /// Runs of each measurement; the one in the middle is shown
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Memory for the work in MB
    #[arg(long, default_value_t = 512)]
    memory: usize,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Run these detectors over the file once and print figures as one line of JSON
    #[arg(long, value_name = "DETECTORS", hide = true, requires = "file")]
    one: Option<String>,
}

/// What is run, by name.
const SETS: [&str; 2] = ["volumetric-ddos", "volumetric-ddos,carpet-bombing,slow-flood,tls-handshake-flood"];

#[expect(clippy::print_stdout, reason = "the figures are the result")]
pub(super) fn main(args: &Flows) -> Result<(), BenchError> {
    if let (Some(detectors), Some(file)) = (&args.one, &args.file) {
        println!("{}", serde_json::to_string(&measure(args, file, detectors)?)?);
        return Ok(());
    }
    if cfg!(debug_assertions) {
        return Err(
            "figures of a debug build mean nothing: cargo run --release -p xtask -- bench flows".into()
        );
    }
    println!("| flows | reader | rows | wall s | CPU s | rows/CPU s | peak MB |");
    println!("|---|---|---|---|---|---|---|");
    if let Some(file) = &args.file {
        return ours(args, "of the file", file).map(|_| ());
    }
    let folder = std::env::temp_dir().join(format!("bench-flows-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = beside(args, &folder);
    std::fs::remove_dir_all(&folder)?;
    done
}

fn beside(args: &Flows, folder: &Path) -> Result<(), BenchError> {
    for (name, frames) in
        [("as recorded", pcap::recorded(&args.recordings)?), ("SYN from random sources", vec![Frame::syn()])]
    {
        let (capture, theirs) = (folder.join("packets.pcap"), folder.join("nfcapd"));
        pcap::write(&capture, &frames, args.packets)?;
        std::fs::create_dir_all(&theirs)?;
        run(Command::new("nfpcapd").arg("-r").arg(&capture).arg("-l").arg(&theirs))?;
        let table = folder.join("flows.csv");
        let rows = run(Command::new("nfdump").arg("-R").arg(&theirs).args(["-o", "csv"]))?;
        std::fs::write(&table, rows)?;
        crate::convert::write(std::slice::from_ref(&table), folder)?;
        let read = ours(args, name, &folder.join("flow.parquet"))?;
        let mut command = Command::new("nfdump");
        command.arg("-R").arg(&theirs).args(["-s", "dstip/packets", "-n", "10"]);
        let nfdump = pcap::middle(args.runs, || Ok(pcap::timed(&command)?.0))?;
        show(name, "nfdump -s dstip/packets", &Measured { flows: read, ..nfdump });
        std::fs::remove_dir_all(&theirs)?;
    }
    Ok(())
}

/// Our own figures; gives the rows.
fn ours(args: &Flows, name: &str, file: &Path) -> Result<u64, BenchError> {
    let mut rows = 0;
    for set in SETS {
        let ours = pcap::middle(args.runs, || apart(args, file, set))?;
        rows = ours.flows;
        show(name, &format!("ours, {} detectors", set.split(',').count()), &ours);
    }
    Ok(rows)
}

#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn show(name: &str, reader: &str, m: &Measured) {
    println!(
        "| {name} | {reader} | {} | {:.2} | {:.2} | {:.2} M | {:.0} |",
        m.flows,
        m.wall_s,
        m.cpu_s,
        m.flows as f64 / m.cpu_s / 1e6,
        m.peak_mb,
    );
}

/// One run in a process of its own.
fn apart(args: &Flows, file: &Path, set: &str) -> Result<Measured, BenchError> {
    let (threads, memory) = (args.threads.to_string(), args.memory.to_string());
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "flows", "--threads", &threads, "--memory", &memory, "--one", set]).arg(file);
    Ok(serde_json::from_str(&run(&mut command)?)?)
}

fn measure(args: &Flows, file: &Path, set: &str) -> Result<Measured, BenchError> {
    let start = Instant::now();
    let options = ingest::Options {
        accounts: ingest::Accounts::Plain,
        now: domain::Timestamp(i64::MAX / 2),
        default_trace: traffic::Trace::Object,
        seed: traffic::Seed(0),
    };
    let wanted: Vec<_> = set.split(',').filter_map(detect::catalogue::find).collect();
    let mut reading = ingest::open(&[file.to_owned()], options)?;
    let engine =
        detect::Engine::new(args.threads, args.memory << 20, Arc::new(store::TempScratch::create(None)?));
    let parts = reading.take_parts();
    let mut flows = 0;
    let mut reading = Some(reading);
    let mut names = || {
        let ledger = reading.take().expect("internal error: names are asked for once").finish();
        flows = ledger.rows_read;
        let ingest::Ledger { accounts, objects, texts, sources, rows_read, rows_refused, .. } = ledger;
        detect::Names { accounts, objects, texts, sources, rows_read, rows_refused }
    };
    detect::run(&wanted, parts, &mut names, &detect::Settings::default(), &engine)?;
    let (cpu_s, peak_mb) = super::run::usage()?;
    Ok(Measured { packets: 0, flows, wall_s: start.elapsed().as_secs_f64(), cpu_s, peak_mb })
}

/// What a program writes to standard output.
fn run(command: &mut Command) -> Result<String, BenchError> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
