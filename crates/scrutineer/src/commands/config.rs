//! `scrutineer config`: looks at the configuration without doing any other work.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{CommandError, Done, put, say};
use crate::config::{self, FILE_NAME};

/// Arguments of `scrutineer config`.
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a configuration, and name every fault with its line and its remedy
    Check(Check),
    /// Write a page that explains every key with an example
    Reference,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer config check                      looks at scrutineer.toml in the current folder
  scrutineer config check /etc/scrutineer.toml

Exit code 0 where the file is whole, 1 where it has faults.")]
struct Check {
    /// The configuration
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, default_value = FILE_NAME)]
    file: PathBuf,
}

impl Config {
    /// Checks or explains.
    pub(super) fn run(self) -> Result<Done, CommandError> {
        match self.command {
            Command::Check(Check { file }) => {
                let config = config::load(&file)?;
                for note in &config.notes {
                    say(&format!("note: {note}"));
                }
                put(&format!(
                    "`{}` is whole. It declares {}.\n",
                    file.display(),
                    config::contents(&config.site)
                ))?;
            }
            Command::Reference => put(&config::reference_page())?,
        }
        Ok(Done::Quiet)
    }
}
