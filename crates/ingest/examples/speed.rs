//! How fast files are read, on one thread: `cargo run --release -p ingest --example speed -- PATH…`
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "the figures are the result")]

use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let begin = Instant::now();
    let options = ingest::Options {
        accounts: ingest::Accounts::Plain,
        now: domain::Timestamp(4_102_444_800_000),
        default_trace: traffic::Trace::Object,
        seed: traffic::Seed(0),
    };
    let mut reading = ingest::open(&paths, options)?;
    let opened = begin.elapsed().as_secs_f64();
    let mut rows = 0;
    for part in reading.take_parts() {
        for batch in part {
            rows += batch?.rows.num_rows();
        }
    }
    let ledger = reading.finish();
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{rows} rows in {seconds:.2} s ({opened:.2} s to open): {:.2} million a second, {} texts",
        rows as f64 / seconds / 1e6,
        ledger.texts.len()
    );
    print!("{}", ledger.problems);
    Ok(())
}
