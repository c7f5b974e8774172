//! `cargo xtask bench`: how fast the engine is, beside a peer, and how it grows.
//!
//! Every figure comes from a process of its own, so that its peak of memory is its own.

mod access;
mod check;
mod flows;
mod generate;
mod log;
mod pcap;
mod peer;
mod results;
mod run;

use std::path::{Path, PathBuf};
use std::process::Command;

use exercise::zipf::Shape;
use run::Measured;

/// Measures the engine on generated traffic.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: Option<What>,
    /// Write the generated traffic to this Parquet file and do nothing else
    #[arg(long, value_name = "PATH")]
    generate: Option<PathBuf>,
    /// Rows to generate
    #[arg(long, default_value_t = 10_000_000)]
    rows: usize,
    /// Runs of each measurement; the one in the middle is shown
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// The program `compute_networks` of the coordination-network-toolkit, to be run side by side
    #[arg(long, value_name = "PROGRAM", requires = "posts")]
    toolkit: Option<PathBuf>,
    /// Posts for that comparison: CSV in the layout of CooRTweet, plain
    #[arg(long, value_name = "PATH")]
    posts: Option<PathBuf>,
    /// Measure one run over this file and print it as one line of JSON
    #[arg(long, value_name = "PATH", hide = true)]
    one: Option<PathBuf>,
    #[arg(long, default_value_t = 1, hide = true)]
    threads: usize,
    /// In MB
    #[arg(long, hide = true)]
    ceiling: Option<usize>,
}

/// What is measured, where it is not the engine.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// The reader of access logs, without and with detectors, beside GoAccess
    Access(access::Access),
    /// The reader of packets, beside softflowd and Suricata
    Pcap(pcap::Pcap),
    /// The detectors of flows from Parquet, beside nfdump
    Flows(flows::Flows),
    /// The transparency log: durable appends, and the check of a whole log
    Log(log::Log),
    /// The results of an election: returns signed, admitted and logged durably, and all of it verified
    Results(results::Results),
}

/// A measurement could not be made.
pub(crate) type BenchError = Box<dyn std::error::Error + Send + Sync>;

/// Runs what the arguments ask for.
#[expect(clippy::print_stdout, reason = "the figures are the result")]
pub(crate) fn main(args: &Bench) -> Result<(), BenchError> {
    match &args.what {
        Some(What::Access(args)) => return access::main(args),
        Some(What::Pcap(args)) => return pcap::main(args),
        Some(What::Flows(args)) => return flows::main(args),
        Some(What::Log(args)) => return log::main(args),
        Some(What::Results(args)) => return results::main(args),
        None => {}
    }
    let shape = Shape { rows: args.rows, ..Shape::default() };
    if let Some(path) = &args.generate {
        return generate::write(path, shape);
    }
    if let Some(path) = &args.one {
        println!("{}", serde_json::to_string(&run::measure(path, args.threads, args.ceiling)?)?);
        return Ok(());
    }
    if cfg!(debug_assertions) {
        return Err("figures of a debug build mean nothing: cargo run --release -p xtask -- bench".into());
    }
    if let (Some(toolkit), Some(posts)) = (&args.toolkit, &args.posts) {
        return peer::compare(toolkit, posts);
    }
    let folder = std::env::temp_dir().join(format!("bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = throughput(args, shape, &folder).and_then(|()| growth(args, &folder));
    std::fs::remove_dir_all(&folder)?;
    done
}

/// The same file by one thread, by two, and under a ceiling: the answers must agree.
#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn throughput(args: &Bench, shape: Shape, folder: &Path) -> Result<(), BenchError> {
    let file = folder.join("posts.parquet");
    let small = Shape { rows: 1_000_000, ..shape };
    generate::write(&file, small)?;
    let found = apart(&file, 2, None)?;
    if (found.pairs, found.weight) != check::plainly(small) {
        return Err("a plain count of 1 M rows has another answer".into());
    }
    println!("1 M rows give the {} pairs of a plain count.", found.pairs);
    generate::write(&file, shape)?;
    println!("{} rows, window 60 s, at least 3 objects\n", shape.rows);
    println!(
        "| threads | ceiling MB | wall s | CPU s | rows/s | peak MB | spilled MB | pair events | pairs | weight |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let mut answer = None;
    for (threads, ceiling) in [(1, None), (2, None), (1, Some(256)), (2, Some(256))] {
        let m = middle(args.runs, &file, threads, ceiling)?;
        println!(
            "| {threads} | {} | {:.2} | {:.2} | {:.1} M | {:.0} | {:.0} | {} | {} | {} |",
            ceiling.map_or("none".to_owned(), |mb| mb.to_string()),
            m.wall_s,
            m.cpu_s,
            m.rows as f64 / m.wall_s / 1e6,
            m.peak_mb,
            m.spilled_mb,
            m.events,
            m.pairs,
            m.weight
        );
        let found = (m.rows, m.events, m.pairs, m.weight);
        if *answer.get_or_insert(found) != found {
            return Err("the answers do not agree".into());
        }
        if m.pairs < shape.planted_pairs() {
            return Err(format!("only {} of {} planted pairs found", m.pairs, shape.planted_pairs()).into());
        }
    }
    Ok(())
}

/// 1, 4 and 16 times the rows: once over as many more days and objects, once over the same.
#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn growth(args: &Bench, folder: &Path) -> Result<(), BenchError> {
    println!(
        "\n| days and objects | rows | pair events | CPU s | CPU ns/row | CPU ns/(row + pair event) | peak MB |"
    );
    println!("|---|---|---|---|---|---|---|");
    for grow in [true, false] {
        for times in [1_u32, 4, 16] {
            let more = if grow { times } else { 16 };
            let shape = Shape {
                rows: args.rows / 16 * times as usize,
                days: if grow { times } else { 14 },
                objects: 125_000 * more,
                groups: 12 * times,
                ..Shape::default()
            };
            let file = folder.join("growth.parquet");
            generate::write(&file, shape)?;
            let m = middle(args.runs, &file, 1, None)?;
            println!(
                "| {} | {} | {} | {:.2} | {:.0} | {:.0} | {:.0} |",
                if grow { "grow with the rows" } else { "stay" },
                m.rows,
                m.events,
                m.cpu_s,
                m.cpu_s * 1e9 / m.rows as f64,
                m.cpu_s * 1e9 / (m.rows + m.events) as f64,
                m.peak_mb
            );
        }
    }
    Ok(())
}

/// The run in the middle by CPU time.
fn middle(runs: usize, file: &Path, threads: usize, ceiling: Option<usize>) -> Result<Measured, BenchError> {
    let mut all: Vec<Measured> =
        (0..runs.max(1)).map(|_| apart(file, threads, ceiling)).collect::<Result<_, _>>()?;
    all.sort_by(|x, y| x.cpu_s.total_cmp(&y.cpu_s));
    Ok(all.swap_remove(all.len() / 2))
}

/// One run in a process of its own.
fn apart(file: &Path, threads: usize, ceiling: Option<usize>) -> Result<Measured, BenchError> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "--threads", &threads.to_string(), "--one"]).arg(file);
    if let Some(ceiling) = ceiling {
        command.args(["--ceiling", &ceiling.to_string()]);
    }
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
