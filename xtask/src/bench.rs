//! `cargo xtask bench`: how fast the engine is, beside its peers, and how it grows.

mod generate;
mod run;

use std::path::{Path, PathBuf};

/// Measures the engine on generated traffic.
#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// Writes the generated traffic to this Parquet file and does nothing else.
    #[arg(long, value_name = "PATH")]
    generate: Option<PathBuf>,
    /// Rows to generate.
    #[arg(long, default_value_t = 10_000_000)]
    rows: usize,
    /// Measures one run over this file and prints it as one line of JSON.
    #[arg(long, value_name = "PATH", hide = true)]
    one: Option<PathBuf>,
    /// Threads of that run.
    #[arg(long, default_value_t = 1, hide = true)]
    threads: usize,
    /// Memory ceiling of that run, in MB.
    #[arg(long, hide = true)]
    ceiling: Option<usize>,
}

/// A measurement could not be made.
pub(crate) type BenchError = Box<dyn std::error::Error + Send + Sync>;

/// Runs what the arguments ask for.
pub(crate) fn main(args: &Bench) -> Result<(), BenchError> {
    if let Some(path) = &args.generate {
        let shape = exercise::zipf::Shape { rows: args.rows, ..Default::default() };
        return generate::write(path, shape);
    }
    if let Some(path) = &args.one {
        return one(path, args.threads, args.ceiling);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the parent process reads this line")]
fn one(path: &Path, threads: usize, ceiling: Option<usize>) -> Result<(), BenchError> {
    let measured = run::measure(path, threads, ceiling)?;
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}
