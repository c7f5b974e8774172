//! The tasks of the workspace.

mod bench;

use std::process::ExitCode;

use clap::Parser;

/// The tasks of the workspace.
#[derive(Debug, Parser)]
enum Task {
    /// How fast the engine is, beside its peers, and how it grows.
    Bench(bench::Bench),
}

#[expect(clippy::print_stderr, reason = "a task talks to the person who started it")]
fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Bench(args) => bench::main(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
