//! `scrutineer log prove`.

use std::fs;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueHint};
use tlog::{Hash, reader};

use super::super::{CommandError, Done, put, say};
use super::keys::Believe;
use super::{LogError, open_source};

/// Arguments of `scrutineer log prove`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["index", "entry"])), after_help = "\
Examples:
  scrutineer log prove results-log --index 42 --out return-0042.tlog-proof
  scrutineer log prove https://results.example.org/2026 --entry return-0042.txt --key log.vkey

The proof verifies without the log: `scrutineer log verify return-0042.tlog-proof --entry return-0042.txt --key log.vkey`")]
pub(super) struct Prove {
    /// Folder or address of the log
    #[arg(value_name = "LOG")]
    log: String,
    /// Index of the entry
    #[arg(long, value_name = "N")]
    index: Option<u64>,
    /// The entry itself: it is looked for
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    entry: Option<PathBuf>,
    #[command(flatten)]
    believe: Believe,
    /// Write the proof to this file instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
}

impl Prove {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let believed = self.believe.about(&self.log)?;
        let source = open_source(&self.log);
        let (checkpoint, note) =
            reader::checkpoint(source.as_ref(), &believed.log).map_err(LogError::from)?;
        let index = match (self.index, &self.entry) {
            (Some(index), _) => index,
            (None, Some(file)) => {
                let leaf = Hash::leaf(&super::read(file)?);
                let found = reader::find(source.as_ref(), checkpoint.size, leaf).map_err(LogError::from)?;
                found.ok_or(LogError::NoSuchEntry)?
            }
            (None, None) => unreachable!("internal error: the command line needs one of the two"),
        };
        let (_, proof) = reader::prove(source.as_ref(), &checkpoint, &note, index).map_err(LogError::from)?;
        let text = proof.to_string();
        match self.out {
            None => put(&text)?,
            Some(file) => {
                fs::write(&file, &text)
                    .map_err(|source| CommandError::Write { file: file.clone(), source })?;
                say(&format!(
                    "`{}` proves entry {index} under the checkpoint of size {}.",
                    file.display(),
                    checkpoint.size
                ));
            }
        }
        Ok(Done::Quiet)
    }
}
