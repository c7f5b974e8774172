//! `scrutineer completions`: completion scripts.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{CommandError, CommandLine, Done};

/// Arguments of `scrutineer completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer completions bash > ~/.local/share/bash-completion/completions/scrutineer
  scrutineer completions fish > ~/.config/fish/completions/scrutineer.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Writes the script to standard output.
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut CommandLine::command(), "scrutineer", &mut script);
        super::put(&String::from_utf8_lossy(&script))?;
        Ok(Done::Quiet)
    }
}
