//! Keys and policies: in files, and on the command line.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use tlog::key::KeyKind;
use tlog::{Policy, SignerKey, VerifierKey};

use super::LogError;

/// The log's secret key, below its folder.
pub(crate) const LOG_KEY: &str = "keys/log.key";
/// The secret key for receipts.
pub(crate) const RECEIPTS_KEY: &str = "keys/receipts.key";
/// The log's public key, below its folder.
pub(crate) const LOG_VKEY: &str = "log.vkey";
/// The public key for receipts.
pub(crate) const RECEIPTS_VKEY: &str = "receipts.vkey";

/// Whom to believe about a log.
#[derive(Debug, Args)]
pub(crate) struct Believe {
    /// The log's public key, as a verifier key (`name+id+base64`) or a file that holds one
    #[arg(long, value_name = "VKEY")]
    pub(crate) key: Option<String>,
    /// Policy of logs, witnesses and a quorum (c2sp.org/tlog-policy)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) policy: Option<PathBuf>,
}

/// A policy, and where it came from.
pub(crate) struct Believed {
    pub(crate) policy: Policy,
    /// The log that is meant.
    pub(crate) log: VerifierKey,
    /// The key was found beside the log itself. Then a good verdict says that the log fits itself, and not whose it is.
    pub(crate) is_from_log: bool,
}

impl Believe {
    /// The policy to judge the log at `place` by: the one that is given, else of the given key, else of the key that
    /// lies in the log's own folder.
    pub(crate) fn about(&self, place: &str) -> Result<Believed, LogError> {
        let key = self.key.as_deref().map(verifier_key).transpose()?;
        if let Some(file) = &self.policy {
            let policy = read_policy(file)?;
            let log = match (key, policy.logs()) {
                (Some(key), _) => key,
                (None, [log]) => log.key.clone(),
                (None, logs) => return Err(LogError::ManyLogs { file: file.clone(), n: logs.len() }),
            };
            return Ok(Believed { policy, log, is_from_log: false });
        }
        if let Some(log) = key {
            return Ok(Believed { policy: Policy::of_log(log.clone()), log, is_from_log: false });
        }
        let file = Path::new(place).join(LOG_VKEY);
        if !file.is_file() {
            return Err(LogError::NoKey { place: place.to_owned() });
        }
        let log = read_verifier_key(&file)?;
        Ok(Believed { policy: Policy::of_log(log.clone()), log, is_from_log: true })
    }
}

/// Reads a policy file.
pub(crate) fn read_policy(file: &Path) -> Result<Policy, LogError> {
    Policy::parse(&super::read(file)?).map_err(|reason| LogError::Policy { file: file.to_owned(), reason })
}

/// A verifier key, written out or in a file.
fn verifier_key(text: &str) -> Result<VerifierKey, LogError> {
    let file = Path::new(text);
    if file.is_file() {
        return read_verifier_key(file);
    }
    VerifierKey::parse(text).map_err(|reason| LogError::KeyText { text: text.to_owned(), reason })
}

/// Reads a public key from a file.
pub(crate) fn read_verifier_key(file: &Path) -> Result<VerifierKey, LogError> {
    let text = String::from_utf8_lossy(&super::read(file)?).into_owned();
    VerifierKey::parse(text.trim_end()).map_err(|reason| LogError::Key { file: file.to_owned(), reason })
}

/// Reads a secret key that nobody but its owner can read.
pub(crate) fn read_secret(file: &Path) -> Result<SignerKey, LogError> {
    let bytes = super::read(file)?;
    let failed = |source| LogError::Read { file: file.to_owned(), source };
    let mode = fs::metadata(file).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(LogError::Exposed { file: file.to_owned(), mode });
    }
    let text = String::from_utf8_lossy(&bytes);
    SignerKey::parse(text.trim_end()).map_err(|reason| LogError::Key { file: file.to_owned(), reason })
}

/// A new key from the system's random source, written for its owner alone; never over another file.
pub(crate) fn create_secret(file: &Path, name: &str, kind: KeyKind) -> Result<SignerKey, LogError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|source| LogError::Random { source })?;
    let key = SignerKey::from_seed(name, kind, &seed)
        .map_err(|reason| LogError::KeyText { text: name.to_owned(), reason })?;
    write_new(file, &format!("{}\n", key.to_secret_text()), 0o600)?;
    Ok(key)
}

/// Writes a file that is not there yet, durable, with the folder above it.
pub(crate) fn write_new(file: &Path, text: &str, mode: u32) -> Result<(), LogError> {
    let failed = |source: io::Error| LogError::Folder { folder: file.to_owned(), source };
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut out = OpenOptions::new().write(true).create_new(true).mode(mode).open(file).map_err(failed)?;
    out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).map_err(failed)
}
