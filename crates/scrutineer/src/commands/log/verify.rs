//! `scrutineer log verify`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use tlog::Proof;

use super::super::{CommandError, Done, put};
use super::LogError;
use super::keys::Believe;

/// Arguments of `scrutineer log verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer log verify return-0042.tlog-proof --entry return-0042.txt --key log.vkey
  scrutineer log verify return-0042.tlog-proof --entry return-0042.txt --policy witnesses.policy

Needs no network. Exit code 0 where the proof holds, 1 where it does not, with the reason.")]
pub(super) struct Verify {
    /// The proof
    #[arg(value_name = "PROOF", value_hint = ValueHint::FilePath)]
    proof: PathBuf,
    /// The entry that it should prove
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    entry: PathBuf,
    #[command(flatten)]
    believe: Believe,
}

impl Verify {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        // A proof has no folder of its own to take a key from.
        let believed = self.believe.about("")?;
        let reason = |reason| LogError::Proof { file: self.proof.clone(), reason };
        let proof = Proof::parse(&super::read(&self.proof)?).map_err(reason)?;
        let entry = super::read(&self.entry)?;
        let (checkpoint, cosigned) = proof.verify(&entry, &believed.policy).map_err(LogError::Refused)?;
        let mut text = format!(
            "`{}` is entry {} of `{}`, by its checkpoint of size {}.\n",
            self.entry.display(),
            proof.index,
            checkpoint.origin,
            checkpoint.size
        );
        for cosigned in cosigned {
            let time =
                i64::try_from(cosigned.time).ok().and_then(|time| jiff::Timestamp::from_second(time).ok());
            let time = time.map_or_else(|| format!("second {}", cosigned.time), |time| time.to_string());
            text.push_str(&format!("Witness `{}` cosigned it at {time}.\n", cosigned.witness));
        }
        put(&text)?;
        Ok(Done::Quiet)
    }
}
