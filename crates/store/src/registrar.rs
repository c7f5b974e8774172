//! The desk of an election's log: what is handed in is judged, made durable, and only then acknowledged.
//!
//! Judging and queueing happen under one lock, so that entries reach the log in the order in which they were judged; waiting for the
//! disk happens outside of it, so that a batch serves many. The board in memory runs ahead of the disk by what is waiting.
//! Where the disk fails, the board is thrown away and read anew from the log: nothing is remembered that is not durable.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use results::board::{Board, Refusal};
use results::replay::{NotAdmitted, admit_parsed, parse, replay};
use tlog::Hash;
use tlog::reader::{self, ReadError};
use tlog::storage::Source;
use tlog::tile::FULL_WIDTH;
use tlog::writer::WriteError;

use crate::sequencer::{Accepted, NotTaken, Reopen, Sequencer, Settled, Ticket};

/// Opens the log: what it says, and the thread that writes to it. After a failure that thread must write no more, see
/// [`never_again`].
pub type Open = Box<dyn FnMut() -> Result<(Board, Sequencer), OpenError> + Send>;

/// Why a log of results cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log could not be opened.
    #[error("could not open the log")]
    Log(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its entries could not be read.
    #[error("could not read the log's entries")]
    Read(#[from] ReadError),
    /// It holds what may not stand in it.
    #[error("entry {index} may not stand in the log: {message}")]
    Wrong {
        /// Which.
        index: u64,
        /// Why.
        message: String,
    },
}

/// What became of a document.
#[derive(Debug)]
pub enum Outcome {
    /// It is durable.
    Accepted(Box<Accepted>),
    /// It stood in the log already, as this entry.
    Known(u64),
    /// It may not stand in the log. Nobody has lost anything: the sender may correct it.
    Refused {
        /// The word for machines.
        code: &'static str,
        /// Why.
        message: String,
        /// Where a copy is kept, if it is evidence against somebody.
        evidence: Option<PathBuf>,
    },
    /// The log could not take it; the sender may try again.
    NotTaken(NotTaken),
}

/// The desk.
pub struct Registrar {
    state: Mutex<State>,
    evidence: PathBuf,
}

struct State {
    open: Open,
    /// Nothing where the last attempt to write failed.
    log: Option<(Board, Sequencer)>,
    /// How often the log was opened, so that a late failure of an earlier one does not close the present one.
    opened: u64,
    kept: usize,
    /// Entries below this are known to be durable.
    durable: u64,
}

/// A document that was judged, and waits for the disk.
pub struct Submitted(Stage);

enum Stage {
    Decided(Outcome),
    Waits {
        ticket: Ticket,
        opened: u64,
    },
    /// It stands on the board, and whoever submitted it first may still wait.
    Stands {
        index: u64,
        settled: Settled,
        opened: u64,
    },
}

/// 10,000 pieces of evidence are kept. Only a centre's own key can make one, so nobody else can fill the disk with them.
const MAX_EVIDENCE: usize = 10_000;

impl Registrar {
    /// Opens the desk. Evidence against those who sign two things is kept in `evidence`.
    ///
    /// # Errors
    /// Where the log cannot be opened.
    pub fn open(mut open: Open, evidence: &Path) -> Result<Self, OpenError> {
        let log = Some(open()?);
        let kept = fs::read_dir(evidence).map_or(0, Iterator::count);
        let durable = size(log.as_ref());
        let state = State { open, log, opened: 1, kept, durable };
        Ok(Self { state: Mutex::new(state), evidence: evidence.to_owned() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked here left the board as it was before its change, or with an entry that is judged and queued.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges a document and queues it. The answer comes from [`Self::wait`]; several may be queued before.
    pub fn submit(&self, bytes: Vec<u8>) -> Submitted {
        // Reading needs no lock: who sends what is no entry keeps nobody waiting.
        let parsed = match parse(&bytes) {
            Ok(parsed) => parsed,
            Err(reason) => return Submitted::refused(&reason, None),
        };
        let mut state = self.state();
        if let Err(error) = state.reopen() {
            return Submitted(Stage::Decided(Outcome::NotTaken(NotTaken::Failed(error.to_string().into()))));
        }
        let (opened, durable) = (state.opened, state.durable);
        let (board, sequencer) = state.log.as_mut().expect("internal error: it was opened above");
        match admit_parsed(board, parsed) {
            Ok((entry, leaf)) => {
                board.apply(entry, leaf);
                Submitted(Stage::Waits { ticket: sequencer.submit(bytes), opened })
            }
            // Known is a promise like any other: it is not given before the entry is durable.
            Err(NotAdmitted::Refused(Refusal::Known(index))) if index >= durable => {
                Submitted(Stage::Stands { index, settled: sequencer.settled(), opened })
            }
            Err(NotAdmitted::Refused(Refusal::Known(index))) => {
                Submitted(Stage::Decided(Outcome::Known(index)))
            }
            Err(reason) => {
                let evidence =
                    if reason.is_evidence() { self.keep(&mut state, &reason, &bytes) } else { None };
                Submitted::refused(&reason, evidence)
            }
        }
    }

    /// Waits until a document is durable.
    pub fn wait(&self, submitted: Submitted) -> Outcome {
        let (done, opened) = match submitted.0 {
            Stage::Decided(outcome) => return outcome,
            Stage::Waits { ticket, opened } => {
                let accepted = ticket.wait();
                (accepted.map(|it| (it.appended.index, Outcome::Accepted(Box::new(it)))), opened)
            }
            Stage::Stands { index, settled, opened } => {
                (settled.wait().map(|()| (index, Outcome::Known(index))), opened)
            }
        };
        let mut state = self.state();
        let is_present = state.opened == opened;
        match done {
            Ok((index, outcome)) => {
                if is_present {
                    state.durable = state.durable.max(index + 1);
                }
                outcome
            }
            Err(reason) => {
                // The board has entries that the log has not. It is read anew before anything else is judged.
                if is_present {
                    state.log = None;
                }
                Outcome::NotTaken(reason)
            }
        }
    }

    /// Submits one document and waits.
    pub fn take(&self, bytes: Vec<u8>) -> Outcome {
        let submitted = self.submit(bytes);
        self.wait(submitted)
    }

    /// Has the log published anew, with fresh cosignatures, even where nothing was handed in: readers tell a quiet night from a
    /// log that is cut off by how old the newest cosignature is.
    pub fn publish(&self) {
        if let Some((_, sequencer)) = &self.state().log {
            sequencer.publish();
        }
    }

    /// Looks at the board, which may be ahead of the disk by what is waiting. Nothing where the log could not be opened anew.
    pub fn look<T>(&self, look: impl FnOnce(&Board) -> T) -> Option<T> {
        self.state().log.as_ref().map(|(board, _)| look(board))
    }

    /// Lets the log finish what was submitted.
    pub fn close(self) {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, sequencer)) = state.log {
            sequencer.close();
        }
    }

    /// A copy that is complete or not there.
    fn keep(&self, state: &mut State, reason: &NotAdmitted, bytes: &[u8]) -> Option<PathBuf> {
        if state.kept >= MAX_EVIDENCE {
            return None;
        }
        let leaf = results::lines::hex(&Hash::leaf(bytes));
        let file = self.evidence.join(format!("{}-{}.txt", reason.code(), &leaf[..16]));
        if !file.exists() {
            write_whole(&file, bytes).ok()?;
            state.kept += 1;
        }
        Some(file)
    }
}

impl State {
    /// Opens the log anew where the last attempt to write failed.
    fn reopen(&mut self) -> Result<(), OpenError> {
        if self.log.is_none() {
            self.log = Some((self.open)()?);
            self.opened += 1;
            self.durable = size(self.log.as_ref());
        }
        Ok(())
    }
}

/// What was read from the log is durable: opening it sees to that.
fn size(log: Option<&(Board, Sequencer)>) -> u64 {
    log.map_or(0, |(board, _)| board.size())
}

/// For the sequencer of a desk: what was judged after an entry that was lost may not be appended without it, so that the
/// sequencer ends with the first failure, and the desk opens another one.
pub fn never_again<S>() -> Reopen<S> {
    Box::new(|| Err(WriteError::Poisoned))
}

impl Submitted {
    fn refused(reason: &NotAdmitted, evidence: Option<PathBuf>) -> Self {
        let (code, message) = (reason.code(), reason.to_string());
        Self(Stage::Decided(Outcome::Refused { code, message, evidence }))
    }
}

fn write_whole(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut whole = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut whole, bytes)?;
    whole.as_file().sync_all()?;
    whole.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// What a log says by its first `size` entries.
///
/// # Errors
/// Where an entry cannot be read, or may not stand where it does: a log is not written to before somebody has looked.
pub fn load(source: &dyn Source, size: u64) -> Result<Board, OpenError> {
    let mut entries = Vec::new();
    for index in 0..size.div_ceil(u64::from(FULL_WIDTH)) {
        entries.extend(reader::entries(source, size, index)?);
    }
    let replay = replay(&entries);
    match replay.wrong.into_iter().next() {
        Some(wrong) => Err(OpenError::Wrong { index: wrong.index, message: wrong.message }),
        None => Ok(replay.board),
    }
}
