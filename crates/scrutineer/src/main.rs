//! The binary: it reads the command line, wires the crates together, and speaks.
//!
//! What a machine may read goes to standard output; what a person should know while it is made goes
//! to standard error.

mod allow;
mod availability;
mod case_key;
mod commands;
mod config;
mod report;
mod run;
#[cfg(test)]
mod sample;
mod summary;
mod terminal;
mod words;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main()
}
