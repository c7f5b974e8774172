//! `scrutineer log`: a transparency log, and what anyone can do with one that is published.

pub(super) mod append;
mod fsck;
mod init;
pub(super) mod keys;
mod prove;
mod verify;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use store::{HttpLog, PublicFolder};
use tlog::note::NoteError;
use tlog::policy::{PolicyError, Refusal};
use tlog::proof::{ParseProofError, VerifyProofError};
use tlog::reader::ReadError;
use tlog::storage::Source;
use tlog::writer::WriteError;

use super::{CommandError, Done};

/// Arguments of `scrutineer log`.
#[derive(Debug, Args)]
pub(crate) struct Log {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Begin a log in a folder
    Init(init::Init),
    /// Append entries; each is durable when its line is written
    Append(append::Append),
    /// Prove that an entry is in a log, in a file that verifies offline
    Prove(prove::Prove),
    /// Verify a proof for an entry, offline
    Verify(verify::Verify),
    /// Check a whole log from what it publishes
    Fsck(fsck::Fsck),
}

impl Log {
    /// Runs the subcommand.
    pub(super) fn run(self) -> Result<Done, CommandError> {
        match self.command {
            Command::Init(command) => command.run(),
            Command::Append(command) => command.run(),
            Command::Prove(command) => command.run(),
            Command::Verify(command) => command.run(),
            Command::Fsck(command) => command.run(),
        }
    }
}

/// Why a command on a log failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The folder of the log cannot be used.
    #[error("could not use log folder `{folder}`")]
    Folder { folder: PathBuf, source: io::Error },
    /// A file could not be read.
    #[error("could not read `{file}`")]
    Read { file: PathBuf, source: io::Error },
    /// A key file holds no key.
    #[error("`{file}` holds no key: {reason}")]
    Key { file: PathBuf, reason: tlog::key::KeyError },
    /// A key on the command line is none.
    #[error("`{text}` is no key: {reason}")]
    KeyText { text: String, reason: tlog::key::KeyError },
    /// Refused: somebody else could have read the secret.
    #[error("key `{file}` can be read by others (mode {mode:03o})")]
    Exposed { file: PathBuf, mode: u32 },
    /// The system gave no random bytes.
    #[error("could not get random bytes for a new key")]
    Random { source: getrandom::Error },
    /// A policy file is wrong.
    #[error("policy `{file}`, {reason}")]
    Policy { file: PathBuf, reason: PolicyError },
    /// Nobody said whose log it should be.
    #[error("nothing says whose log `{place}` should be")]
    NoKey { place: String },
    /// The policy names several logs.
    #[error("policy `{file}` names {n} logs; say which with --key")]
    ManyLogs { file: PathBuf, n: usize },
    /// Writing failed or was refused.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Reading a published log failed.
    #[error("could not read the log")]
    Published(#[from] ReadError),
    /// No such entry.
    #[error("the log has no such entry")]
    NoSuchEntry,
    /// A proof cannot be read.
    #[error("`{file}` is no proof: {reason}")]
    Proof { file: PathBuf, reason: ParseProofError },
    /// A proof does not prove it.
    #[error("the proof does not hold: {0}")]
    Refused(VerifyProofError),
    /// A saved checkpoint cannot be used.
    #[error("saved checkpoint `{file}`: {reason}")]
    Saved { file: PathBuf, reason: Refusal },
    /// A saved checkpoint is no note.
    #[error("saved checkpoint `{file}`: {reason}")]
    SavedNote { file: PathBuf, reason: NoteError },
    /// An entry was not taken.
    #[error("entry {number} was not taken: {reason}")]
    NotTaken { number: u64, reason: String },
}

impl LogError {
    /// What the user can do.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Folder { source, .. } if source.kind() == io::ErrorKind::WouldBlock => Some(
                "one process writes to a log at a time; wait for the other, or send it your entries"
                    .to_owned(),
            ),
            Self::Exposed { file, .. } => Some(format!(
                "run `chmod 600 {}` if nobody else has read it; otherwise tell all who rely on the log",
                file.display()
            )),
            Self::NoKey { .. } => {
                Some("give --key VKEY or --policy FILE, from whoever told you to rely on this log".to_owned())
            }
            Self::Write(WriteError::NoLog) => {
                Some("begin one with `scrutineer log init DIR --origin NAME`".to_owned())
            }
            Self::Write(WriteError::Damaged { .. }) => {
                Some("run `scrutineer log fsck DIR`; restore what it names from a mirror".to_owned())
            }
            Self::Write(WriteError::Exists(_)) => {
                Some("a log is never begun anew; choose another folder".to_owned())
            }
            _ => None,
        }
    }
}

/// How long a file of a log on a web server may take.
const FILE_TIMEOUT: Duration = Duration::from_secs(30);

/// A published log, in a folder or on a web server.
pub(super) fn open_source(place: &str) -> Box<dyn Source> {
    if place.starts_with("http://") || place.starts_with("https://") {
        return Box::new(HttpLog::new(place, FILE_TIMEOUT));
    }
    Box::new(PublicFolder::of(Path::new(place)))
}

fn read(file: &Path) -> Result<Vec<u8>, LogError> {
    std::fs::read(file).map_err(|source| LogError::Read { file: file.to_owned(), source })
}

/// Seconds since the epoch.
#[expect(clippy::disallowed_methods, reason = "the binary is where the clock is read")]
pub(super) fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0)
}
