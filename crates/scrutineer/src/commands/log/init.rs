//! `scrutineer log init`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use store::FileLog;
use tlog::key::KeyKind;
use tlog::receipt;
use tlog::writer::{WriteError, Writer};

use super::super::{CommandError, Done, put};
use super::LogError;
use super::keys::{LOG_KEY, LOG_VKEY, RECEIPTS_KEY, RECEIPTS_VKEY, create_secret, write_new};

/// Arguments of `scrutineer log init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer log init results-log --origin results.example.org/2026

The folder gets keys/ (secret: back it up, show nobody), log.vkey and receipts.vkey (public: pass them on), state/
(the log's own memory) and public/, which any web server may show.")]
pub(super) struct Init {
    /// The folder
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
    /// The log's name: the address it will be published at, without `https://`
    #[arg(long, value_name = "NAME")]
    origin: String,
}

impl Init {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let failed = |source| LogError::Folder { folder: self.folder.clone(), source };
        if self.folder.join(LOG_KEY).exists() {
            return Err(LogError::Write(WriteError::Exists(0)).into());
        }
        let key = create_secret(&self.folder.join(LOG_KEY), &self.origin, KeyKind::Ed25519)?;
        let receipts = create_secret(
            &self.folder.join(RECEIPTS_KEY),
            &receipt::key_name(&self.origin),
            KeyKind::Ed25519,
        )?;
        let (log_vkey, receipts_vkey) = (key.verifier().to_string(), receipts.verifier().to_string());
        write_new(&self.folder.join(LOG_VKEY), &format!("{log_vkey}\n"), 0o644)?;
        write_new(&self.folder.join(RECEIPTS_VKEY), &format!("{receipts_vkey}\n"), 0o644)?;
        let storage = FileLog::open(&self.folder).map_err(failed)?;
        Writer::create(storage, key).map_err(LogError::Write)?;
        put(&format!(
            "The log `{}` is begun in `{}`.\n\n  verifier key   {log_vkey}\n  for receipts   {receipts_vkey}\n\n\
             Publish the folder `public`, and give the verifier key to everyone who shall rely on the log, by a road \
             that does not lead through the log.\n",
            self.origin,
            self.folder.display()
        ))?;
        Ok(Done::Quiet)
    }
}
