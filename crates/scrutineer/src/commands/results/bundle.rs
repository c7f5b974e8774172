//! `scrutineer results bundle`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use results::bundle;

use super::super::{CommandError, Done, put};
use super::{ResultsError, place, write};

/// Arguments of `scrutineer results bundle`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results bundle night night.bundle
  scrutineer results bundle https://results.example.org/2026 2026.bundle
  scrutineer results verify night.bundle --fingerprint 9f2c…

The bundle has the checkpoint and every entry. It needs no network to be verified, and nobody needs to be trusted who passed
it on.")]
pub(super) struct Bundle {
    /// Folder or address of the log
    #[arg(value_name = "LOG")]
    log: String,
    /// Where the bundle goes
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: PathBuf,
}

impl Bundle {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let published = place::published(&self.log)?;
        if let Some(reason) = published.missing {
            return Err(ResultsError::Unavailable { place: self.log, reason }.into());
        }
        let bytes = bundle::write(&published);
        write(&self.out, &bytes)?;
        put(&format!(
            "{} entries, {} bytes in `{}`.\n",
            published.entries.len(),
            bytes.len(),
            self.out.display()
        ))?;
        Ok(Done::Quiet)
    }
}
