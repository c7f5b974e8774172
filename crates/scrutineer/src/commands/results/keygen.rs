//! `scrutineer results keygen`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use tlog::key::KeyKind;

use super::super::log::keys::{create_secret, write_new};
use super::super::{CommandError, Done, put};

/// Arguments of `scrutineer results keygen`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results keygen centre-1001.ep2024.example --out keys/centre-1001.key
  scrutineer results keygen anna.authority.example --out /media/stick/anna.key

The secret key is written for its owner alone and never over another file. Beside it, in FILE with the ending .vkey, and on
standard output stands the public key: it goes into the election's definition. A key serves one purpose: the authority, those
who release, the log, each witness and each centre have keys of their own.")]
pub(super) struct Keygen {
    /// The key's name, as signatures will show it: a domain name of yours, and whose it is
    #[arg(value_name = "NAME")]
    name: String,
    /// Where the secret key goes
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: PathBuf,
}

impl Keygen {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let key = create_secret(&self.out, &self.name, KeyKind::Ed25519)?;
        let vkey = format!("{}\n", key.verifier());
        write_new(&self.out.with_extension("vkey"), &vkey, 0o644)?;
        put(&vkey)?;
        Ok(Done::Quiet)
    }
}
