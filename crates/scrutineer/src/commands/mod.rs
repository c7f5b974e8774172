//! The command line: one file per command.

mod completions;
mod config;
mod coordination;
mod detect;
mod log;
mod results;
mod size;
mod witness;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::allow::AllowError;
use crate::case_key::CaseError;
use crate::config::ConfigError;
use crate::run::RunFailed;

/// Looks for attacks on an election in what can be observed of them, and says how sure it is.
#[derive(Debug, Parser)]
#[command(name = "scrutineer", version, about, arg_required_else_help = true, after_help = AFTER_HELP)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Data goes to standard output, talk to standard error.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done and something at or above --fail-on was found.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Find what deserves a look in files of traffic
    Detect(detect::Detect),
    /// Check the configuration, or explain its keys
    Config(config::Config),
    /// Look into networks of accounts
    Coordination(coordination::Coordination),
    /// Keep a transparency log, prove what is in one, and check one whole
    Log(log::Log),
    /// Get an election's result out: sign, check, log, add up, verify
    Results(results::Results),
    /// Witness transparency logs: cosign what fits what was seen before
    Witness(witness::Witness),
    /// Write the completion script of a shell to standard output
    Completions(completions::Completions),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The case has no key that can be used.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// The list of allowed networks cannot be used.
    #[error(transparent)]
    Allow(#[from] AllowError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A network could not be made.
    #[error(transparent)]
    Edges(#[from] coordination::EdgesError),
    /// Reading or detection failed.
    #[error(transparent)]
    Run(#[from] RunFailed),
    /// A log cannot be used.
    #[error(transparent)]
    Log(#[from] log::LogError),
    /// Results cannot be used.
    #[error(transparent)]
    Results(#[from] results::ResultsError),
    /// The witness cannot serve.
    #[error("the witness cannot serve")]
    Witness(#[source] Box<dyn Error + Send + Sync>),
    /// A file of the report could not be written.
    #[error("could not write `{file}`")]
    Write { file: PathBuf, source: io::Error },
    /// Standard output could not be written.
    #[error("could not write to standard output")]
    Stdout { source: io::Error },
}

impl CommandError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Case(error) => error.hint(),
            Self::Allow(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Edges(error) => error.hint(),
            Self::Run(error) => error.hint(),
            Self::Log(error) => error.hint(),
            Self::Results(error) => error.hint(),
            Self::Witness(_) => None,
            Self::Write { .. } => Some("give a folder that you can write with --out DIR".to_owned()),
            Self::Stdout { .. } => None,
        }
    }

    /// Lines that say more than the message: where, what, and what instead.
    fn details(&self) -> String {
        match self {
            Self::Config(error) => error.details(),
            _ => String::new(),
        }
    }
}

/// What a command that did its work has to tell by its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    /// 0.
    Quiet,
    /// 3: something at or above `--fail-on` was found.
    Found,
    /// A verdict with a code of its own.
    Verdict(u8),
}

/// Reads the command line, does the work, and says by the exit code how it went.
pub(crate) fn main() -> ExitCode {
    // clap itself ends the process with 2 where the usage is wrong, and with 0 after help.
    let done = match CommandLine::parse().command {
        Command::Detect(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::Coordination(command) => command.run(),
        Command::Log(command) => command.run(),
        Command::Results(command) => command.run(),
        Command::Witness(command) => command.run(),
        Command::Completions(command) => command.run(),
    };
    match done {
        Ok(Done::Quiet) => ExitCode::SUCCESS,
        Ok(Done::Found) => ExitCode::from(3),
        Ok(Done::Verdict(code)) => ExitCode::from(code),
        // The reader of a pipe has seen enough, as `head` does. That is no failure of ours.
        Err(CommandError::Stdout { source }) if source.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            let mut talk = format!("error: {}{}", chain(&error), error.details());
            if let Some(hint) = error.hint() {
                talk.push_str("\nhint: ");
                talk.push_str(&hint);
            }
            say(&talk);
            ExitCode::from(1)
        }
    }
}

/// A line to standard error. Where nobody listens there is nobody to tell.
fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Text to standard output.
fn put(text: &str) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| CommandError::Stdout { source })
}

/// The message and those of its causes on one line.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn causes_are_told_once_and_on_one_line() {
        let source = io::Error::other("disk\nfull");
        let error = CommandError::Write { file: "a".into(), source };
        assert_eq!(chain(&error), "could not write `a`: disk full");
        let file = PathBuf::from("k");
        let error = CommandError::Case(CaseError::Exposed { file, mode: 0o644 });
        assert_eq!(chain(&error), "case key `k` can be read by others (mode 644)");
    }
}
