//! The tasks of the workspace, one module each.

#![expect(clippy::disallowed_methods, reason = "tasks tell how long things took; no result depends on it")]

mod bench;
mod convert;
mod docs;
mod evaluate;
mod examples;
mod lab;
mod layers;
mod lengths;
mod licences;
mod test;
mod words;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

/// The tasks of the workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Every check that a change must pass, the tests last.
    Test(test::Test),
    /// Writes the generated pages of docs/reference/.
    Docs(docs::Docs),
    /// How fast the engine is, beside its peers, and how it grows.
    Bench(bench::Bench),
    /// Traffic as Parquet files of its kinds.
    Convert(convert::Convert),
    /// What the detector finds, what it flags wrongly, and what it says about recordings.
    Evaluate(evaluate::Evaluate),
    /// Writes the logs of `examples/` that are made and not recorded.
    Examples(examples::Examples),
    /// Attacks a web server of our own and looks whether it is found.
    Lab(lab::Lab),
}

#[expect(clippy::print_stderr, reason = "a task talks to the person who started it")]
fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Test(args) => test::main(&args),
        Task::Docs(args) => docs::main(&args).map_err(Into::into),
        Task::Bench(args) => bench::main(&args),
        Task::Convert(args) => convert::main(&args),
        Task::Evaluate(args) => evaluate::main(&args),
        Task::Examples(args) => examples::main(&args).map_err(Into::into),
        Task::Lab(args) => lab::main(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}
