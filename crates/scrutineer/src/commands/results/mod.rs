//! `scrutineer results`: an election's results from the count centre to the verdict that anyone can reach.

mod authority;
mod bundle;
mod check;
mod confirm;
mod desk;
mod double_entry;
mod init;
mod keygen;
mod log;
mod place;
mod publish;
mod rehearse;
mod seal;
mod seats;
mod serve;
mod sign;
mod source;
mod submission;
mod submit;
mod totals;
mod verify;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use results::bundle::BundleError;
use results::definition::DefinitionError;
use results::lines::DocumentError;
use store::registrar::OpenError;

use super::{CommandError, Done};

/// Arguments of `scrutineer results`.
#[derive(Debug, Args)]
pub(crate) struct Results {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key for one person or one centre
    Keygen(keygen::Keygen),
    /// Make an election's definition from a setup in TOML
    Init(init::Init),
    /// Adopt a definition: each of the authority's people signs in turn
    Adopt(authority::Adopt),
    /// Commit to what was counted in a slot, while numbers are under embargo
    Seal(seal::Seal),
    /// Change an adopted election: revoke a key, add one, correct numbers of eligible people
    Change(authority::ChangeElection),
    /// Release embargoed numbers: two people sign in turn
    Release(authority::ReleaseNumbers),
    /// Make a page on which two clerks type a paper form, without a network
    DoubleEntry(double_entry::DoubleEntry),
    /// Sign what a count centre has counted
    Sign(sign::Sign),
    /// Check what files state: arithmetic, sums, another unit's numbers
    Check(check::Check),
    /// Log definitions, returns and statements; from files, folders, or over HTTP
    Log(log::Log),
    /// Send documents to the desk of a log, over HTTP, until they are taken
    Submit(submit::Submit),
    /// Say whether what a centre signed stands in the log
    Confirm(confirm::Confirm),
    /// Add up the returns at every level, and name what they do not cover
    Totals(totals::Totals),
    /// Compute the seats, and say whether votes that are not covered could move one
    Seats(seats::Seats),
    /// Verify an election from what is published
    Verify(verify::Verify),
    /// Play a whole election night from recorded events, from the counted numbers to the verdict
    Rehearse(rehearse::Rehearse),
    /// Put a whole log into one file, to verify without a network
    Bundle(bundle::Bundle),
    /// Write an election's public pages, tables and proofs into a folder
    Publish(publish::Publish),
}

impl Results {
    /// Runs the subcommand.
    pub(super) fn run(self) -> Result<Done, CommandError> {
        match self.command {
            Command::Keygen(command) => command.run(),
            Command::Init(command) => command.run(),
            Command::Sign(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Rehearse(command) => command.run(),
            Command::DoubleEntry(command) => command.run(),
            Command::Seal(command) => command.run(),
            Command::Adopt(command) => command.run(),
            Command::Change(command) => command.run(),
            Command::Release(command) => command.run(),
            Command::Log(command) => command.run(),
            Command::Submit(command) => command.run(),
            Command::Confirm(command) => command.run(),
            Command::Totals(command) => command.run(),
            Command::Seats(command) => command.run(),
            Command::Verify(command) => command.run(),
            Command::Bundle(command) => command.run(),
            Command::Publish(command) => command.run(),
        }
    }
}

/// Why a command on results failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResultsError {
    /// A file could not be read.
    #[error("could not read `{file}`")]
    Read { file: PathBuf, source: io::Error },
    /// A file could not be written.
    #[error("could not write `{file}`")]
    Write { file: PathBuf, source: io::Error },
    /// A definition is wrong.
    #[error("`{file}` is no definition: {reason}")]
    Definition { file: PathBuf, reason: Box<DefinitionError> },
    /// A document is wrong.
    #[error("`{file}` cannot be used: {reason}")]
    Document { file: PathBuf, reason: String },
    /// A document's text is wrong.
    #[error("`{file}`, {reason}")]
    Text { file: PathBuf, reason: DocumentError },
    /// A file of results is wrong.
    #[error("{error}")]
    Source { error: results::read::ReadError },
    /// A bundle is wrong.
    #[error("`{file}` is no bundle: {reason}")]
    Bundle { file: PathBuf, reason: BundleError },
    /// Nothing of the log could be read.
    #[error("nothing of `{place}` could be read: {reason}")]
    Unavailable { place: String, reason: String },
    /// The log at a place has no definition.
    #[error("no definition is adopted in `{0}`")]
    NoElection(String),
    /// The desk could not be opened.
    #[error("could not open the log `{folder}`")]
    Open { folder: PathBuf, source: OpenError },
    /// Documents cannot be taken over HTTP.
    #[error("could not take documents at `{address}`: {reason}")]
    Serve { address: String, reason: String },
    /// Nobody knows what became of a document.
    #[error(transparent)]
    Submit(channels::client::SubmitError),
    /// Some documents were not taken.
    #[error("{refused} of {all} documents were not taken")]
    Refused { refused: u64, all: u64 },
    /// An argument cannot be read.
    #[error("`{text}` is no {what}")]
    Argument { text: String, what: &'static str },
    /// No contest was named and there are several.
    #[error("the election has several contests: {0}")]
    WhichContest(String),
    /// There is no such thing in the election.
    #[error("the election has no {what} `{name}`")]
    Unknown { what: &'static str, name: String },
    /// What is published must not be shown.
    #[error("the log at `{place}` is not published: {reason}")]
    NotPublished { place: String, reason: String },
    /// The key may not sign this.
    #[error("key `{key}` {problem}")]
    Key { key: String, problem: String },
}

impl ResultsError {
    /// What the user can do.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::WhichContest(_) => Some("say which with --contest ID".to_owned()),
            Self::NoElection(_) => Some("log the definition and its adoption first: `scrutineer results log DIR definition.txt adoption.note`".to_owned()),
            Self::Source { error } => error.hint(),
            Self::Open { .. } => Some("begin one with `scrutineer log init DIR --origin NAME`; if there is one, run `scrutineer log fsck DIR`".to_owned()),
            Self::Serve { .. } => Some("give an address of this machine and a free port, such as 127.0.0.1:8803".to_owned()),
            Self::Submit(_) => Some("give the address that `scrutineer results log --serve` tells, without `/submit`".to_owned()),
            Self::Refused { .. } => Some("the reasons stand above; what was taken is durable, and sending it again does no harm".to_owned()),
            _ => None,
        }
    }
}

/// Reads a file.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, ResultsError> {
    fs::read(file).map_err(|source| ResultsError::Read { file: file.to_owned(), source })
}

/// Writes a file, with the folder above it.
pub(super) fn write(file: &Path, bytes: &[u8]) -> Result<(), ResultsError> {
    let failed = |source| ResultsError::Write { file: file.to_owned(), source };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(file, bytes).map_err(failed)
}

/// The present, cut to whole seconds: the times of documents have no fractions.
pub(super) fn now() -> domain::Timestamp {
    domain::Timestamp::from_seconds(super::log::now().try_into().unwrap_or(i64::MAX))
}
