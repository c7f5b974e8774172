//! c2sp.org/tlog-witness, "add-checkpoint" and "Monitor retrieval": the rules of a witness.
//!
//! # Life of a checkpoint
//!
//! 1. **Read.** The request is taken apart, its origin looked up, its signatures verified. *A crash here* leaves nothing.
//! 2. **Judged.** Under the lock of its log, it is held against the recorded checkpoint. If the log's key has signed what it should
//!    not have, that is kept as evidence. *A crash here* leaves the evidence, or none; the client asks again.
//! 3. **Cosigned.** Each key of the witness signs the text and the time, in memory. *A crash here* leaves nothing: no
//!    signature has left.
//! 4. **Recorded.** The checkpoint with its cosignatures takes the place of the recorded one, durable, and only if that is still
//!    the one which was judged by. *A crash here* leaves the old or the new record, whole. If it is the new one,
//!    the client has no answer; it asks again, is told the size (409), and asks for a cosignature of the same tree. Whatever
//!    is found after a crash or a failure is made durable before anyone is shown it.
//! 5. **Answered.** *A crash here* is the same as at the end of 4.
//!
//! The order of 4 and 5 is the whole point: a witness that answered first could forget in a crash what it has signed, and sign
//! another tree after it. The comparison within 4 is what keeps two requests, or two witnesses that share a key by
//! mistake, from setting the record back.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use thiserror::Error;
use tlog::add_checkpoint::AddCheckpoint;
use tlog::cosignature::{self, MAX_TIMESTAMP};
use tlog::hash::sha256;
use tlog::history::{self, Verdict};
use tlog::key::KeyKind;
use tlog::merkle;
use tlog::note::MAX_SIGNATURES;
use tlog::storage::{Cells, SwapError};
use tlog::{Checkpoint, Hash, Note, SignerKey, VerifierKey};

use crate::answer::{Answer, Failure, Inconsistency, Malformed};
use crate::event::Event;
use crate::evidence::{Evidence, Exhibit, Kept, Kind, hex};

/// 300 s: a clock that steps back by less is taken to have been corrected, and the time of the last cosignature is used again.
/// One that steps back by more is broken, or was: nothing is signed until somebody has looked.
///
/// A time must never go back, because two cosignatures, of a smaller tree at a later time and of a larger one earlier, read as
/// proof that the witness lied. It must not run far ahead either, or one wrong hour in the future would be
/// signed for ever after.
pub const MAX_STEP_BACK: u64 = 300;

/// A witness: its keys, the logs it knows, and what it remembers of them.
pub struct Witness<C> {
    keys: Vec<SignerKey>,
    /// The same keys, to verify records with.
    verifiers: Vec<VerifierKey>,
    /// By origin.
    logs: BTreeMap<String, Log>,
    cells: Mutex<C>,
    evidence: Mutex<Box<dyn Evidence>>,
    on_event: Box<dyn Fn(&Event<'_>) + Send + Sync>,
}

/// A log that the witness knows.
struct Log {
    keys: Vec<VerifierKey>,
    /// Hexadecimal SHA-256 of the origin: the name of its cell, and its part of the monitoring address.
    cell: String,
    /// Taken for the whole of judging and recording, so that requests of one log come one after the other.
    memory: Mutex<Memory>,
}

/// What needs no cells.
impl<C> Witness<C> {
    pub(crate) fn tell(&self, event: &Event<'_>) {
        (self.on_event)(event);
    }
}

/// What the cell of a log is known to hold.
enum Memory {
    /// It must be loaded, and made durable, before anything is decided: at the start, or because nobody knows how the last swap
    /// ended.
    Unread,
    /// This, or nothing yet.
    Read(Option<Record>),
}

/// The last checkpoint that was cosigned.
#[derive(Clone)]
struct Record {
    /// As it stands in the cell: a note with signatures of the log and of this witness, and no others.
    bytes: Vec<u8>,
    checkpoint: Checkpoint,
    /// The newest time of its cosignatures; zero where all are by keys that the witness no longer has.
    time: u64,
}

/// Why a witness cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WitnessError {
    /// It would sign nothing.
    #[error("a witness needs a key")]
    NoKey,
    /// A key of another kind.
    #[error("key `{0}` is not of type 0x04, with which cosignatures are made")]
    Kind(String),
    /// One key under two names or in two roles: a verifier could take one statement for the other.
    #[error("key `{0}` is given twice, or to a log and to the witness")]
    Twice(String),
    /// None of its keys is Ed25519.
    #[error("no key of log `{0}` is of type 0x01, the only one that is verified here")]
    UnreadableLog(String),
    /// A record would have more signatures than a note may have.
    #[error("log `{0}` and the witness together have more than {MAX_SIGNATURES} keys")]
    TooManyKeys(String),
}

/// The recorded checkpoint of a log, for those who monitor it.
#[derive(Debug)]
pub enum Latest {
    /// The signed checkpoint with the cosignatures of this witness.
    Checkpoint(Vec<u8>),
    /// The log is unknown, or nothing of it was cosigned yet.
    None,
    /// The record cannot be had.
    Failed(Failure),
}

impl<C: Cells> Witness<C> {
    /// A witness that signs with all of the keys, for logs that are each known by one or more keys; the name of a key is the
    /// origin of its log. What it remembers stands in the cells, by the hexadecimal SHA-256 of the origin.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn new(
        keys: Vec<SignerKey>,
        logs: impl IntoIterator<Item = VerifierKey>,
        cells: C,
        evidence: impl Evidence + 'static,
    ) -> Result<Self, WitnessError> {
        let verifiers: Vec<VerifierKey> = keys.iter().map(|key| key.verifier().clone()).collect();
        let mut by_origin: BTreeMap<String, Vec<VerifierKey>> = BTreeMap::new();
        let mut seen: Vec<Vec<u8>> = Vec::new();
        let mut once = |key: &VerifierKey| {
            let bytes = key.public_bytes().to_vec();
            if seen.contains(&bytes) {
                return Err(WitnessError::Twice(key.name().to_owned()));
            }
            seen.push(bytes);
            Ok(())
        };
        if verifiers.is_empty() {
            return Err(WitnessError::NoKey);
        }
        for key in &verifiers {
            if key.kind() != KeyKind::CosignatureV1 {
                return Err(WitnessError::Kind(key.name().to_owned()));
            }
            once(key)?;
        }
        for key in logs {
            once(&key)?;
            by_origin.entry(key.name().to_owned()).or_default().push(key);
        }
        let mut logs = BTreeMap::new();
        for (origin, all) in by_origin {
            // Lines of ML-DSA-44 are not verified here, so such a key makes no checkpoint believable.
            let log_keys: Vec<VerifierKey> =
                all.into_iter().filter(|key| key.kind() == KeyKind::Ed25519).collect();
            if log_keys.is_empty() {
                return Err(WitnessError::UnreadableLog(origin));
            }
            if log_keys.len() + verifiers.len() > MAX_SIGNATURES {
                return Err(WitnessError::TooManyKeys(origin));
            }
            let cell = hex(&sha256(origin.as_bytes()).0);
            logs.insert(origin, Log { keys: log_keys, cell, memory: Mutex::new(Memory::Unread) });
        }
        let (cells, evidence) = (Mutex::new(cells), Mutex::new(Box::new(evidence) as Box<dyn Evidence>));
        Ok(Self { keys, verifiers, logs, cells, evidence, on_event: Box::new(|_| ()) })
    }

    /// The same witness, which tells what happens. The function is called from many threads, and while a log is locked; it
    /// should be quick.
    #[must_use]
    pub fn on_event(mut self, tell: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.on_event = Box::new(tell);
        self
    }

    /// The public keys.
    pub fn verifiers(&self) -> &[VerifierKey] {
        &self.verifiers
    }

    /// Each log by its origin, with the size of its recorded checkpoint, if there is one. To be called once before serving, so
    /// that a damaged record is found by the operator and not by a client.
    pub fn records(&self) -> Vec<(&str, Result<Option<u64>, Failure>)> {
        let size = |log: &Log, origin: &str| {
            let mut memory = lock(&log.memory);
            Ok(self.record(origin, log, &mut memory)?.map(|record| record.checkpoint.size))
        };
        self.logs.iter().map(|(origin, log)| (origin.as_str(), size(log, origin))).collect()
    }

    /// Answers the body of an `add-checkpoint` request at a time, in seconds since the epoch. What this returns as
    /// [`Answer::Cosigned`] is durable.
    pub fn add_checkpoint(&self, body: &[u8], now: u64) -> Answer {
        let answer = self.answer(body, now);
        (self.on_event)(&Event::Answered(&answer));
        answer
    }

    /// The recorded checkpoint of the log whose origin has this hexadecimal SHA-256: the answer to
    /// `GET <monitoring prefix>/<hash>/checkpoint`.
    pub fn latest(&self, origin_hash: &str) -> Latest {
        let Some((origin, log)) = self.logs.iter().find(|(_, log)| log.cell == origin_hash) else {
            return Latest::None;
        };
        let mut memory = lock(&log.memory);
        match self.record(origin, log, &mut memory) {
            Ok(Some(record)) => Latest::Checkpoint(record.bytes),
            Ok(None) => Latest::None,
            Err(failure) => Latest::Failed(failure),
        }
    }

    /// The order of answers as in [`crate::answer`].
    fn answer(&self, body: &[u8], now: u64) -> Answer {
        let (request, checkpoint) = match read(body) {
            Ok(read) => read,
            Err(reason) => return Answer::Malformed(reason),
        };
        let Some((origin, log)) = self.logs.get_key_value(&checkpoint.origin) else {
            return Answer::UnknownLog(shorten(&checkpoint.origin));
        };
        if let Err(reason) = request.checkpoint.verify(&log.keys) {
            return Answer::Untrusted { origin: origin.clone(), reason };
        }
        let origin = origin.clone();
        let mut memory = lock(&log.memory);
        let record = match self.record(&origin, log, &mut memory) {
            Ok(record) => record,
            Err(failure) => return Answer::Failed { origin, failure },
        };
        let record = record.as_ref();
        let old = record.map_or(0, |record| record.checkpoint.size);
        if let Some(kind) = suspicion(record, &checkpoint, &request) {
            let signed = request.checkpoint.unverified_text();
            let recorded = record.map(|record| &record.bytes[..]);
            self.keep(&origin, &Exhibit::new(&log.cell, kind, now, signed, recorded, body));
        }
        if request.old > checkpoint.size {
            return Answer::OldBeyondNew { origin, old: request.old, size: checkpoint.size };
        }
        if request.old != old {
            return Answer::Conflict { origin, size: old };
        }
        if let Err(reason) = follows(record, &checkpoint, &request.proof) {
            return Answer::Inconsistent { origin, reason };
        }
        let time = match time_to_sign(now, record.map_or(0, |record| record.time)) {
            Ok(time) => time,
            Err(failure) => return Answer::Failed { origin, failure },
        };
        let (note, lines) = self.cosign(log, &request.checkpoint, &checkpoint, time);
        let new = Record { bytes: note.to_string().into_bytes(), checkpoint, time };
        let size = new.checkpoint.size;
        let swapped = lock(&self.cells).swap(&log.cell, record.map(|record| &record.bytes[..]), &new.bytes);
        match swapped {
            Ok(()) => {
                *memory = Memory::Read(Some(new));
                Answer::Cosigned { origin, size, time, lines }
            }
            // Somebody else has recorded in between. The cosignatures made above are dropped unseen.
            Err(SwapError::Lost) => {
                *memory = Memory::Unread;
                match self.record(&origin, log, &mut memory) {
                    Ok(record) => {
                        Answer::Conflict { origin, size: record.map_or(0, |record| record.checkpoint.size) }
                    }
                    Err(failure) => Answer::Failed { origin, failure },
                }
            }
            // Nobody knows whether it stands. If it does, the next request finds it; the cosignatures made above are dropped unseen.
            Err(SwapError::Failed(cause)) => {
                *memory = Memory::Unread;
                Answer::Failed { origin, failure: Failure::Persist(cause) }
            }
        }
    }

    /// What is recorded of a log, loaded if it is not known.
    ///
    /// What is loaded is put in its own place again before anybody is shown it: it may be the remains of a swap that failed, or
    /// of a process that was killed in one, and stand there without being durable. Shown and then lost with the power, it
    /// would let the witness sign another tree of that size.
    fn record(&self, origin: &str, log: &Log, memory: &mut Memory) -> Result<Option<Record>, Failure> {
        if let Memory::Read(record) = memory {
            return Ok(record.clone());
        }
        let mut cells = lock(&self.cells);
        let bytes = cells.load(&log.cell).map_err(Failure::Load)?;
        let record =
            bytes.map(|bytes| Record::read(bytes, origin, &log.keys, &self.verifiers)).transpose()?;
        if let Some(Record { bytes, .. }) = &record {
            cells.swap(&log.cell, Some(bytes), bytes).map_err(|error| match error {
                SwapError::Failed(cause) => Failure::Persist(cause),
                lost @ SwapError::Lost => Failure::Persist(lost.into()),
            })?;
        }
        *memory = Memory::Read(record.clone());
        Ok(record)
    }

    /// The checkpoint with the signatures of its log that were verified and the cosignatures of this witness; and the lines of
    /// the latter. Signatures of unknown keys are left out: anybody could have added them.
    fn cosign(&self, log: &Log, note: &Note, checkpoint: &Checkpoint, time: u64) -> (Note, String) {
        let of = |key: &VerifierKey| note.signatures().iter().find(|signature| signature.is_of(key));
        let trusted: String = log.keys.iter().filter_map(of).map(tlog::note::Signature::to_line).collect();
        let lines: String =
            self.keys.iter().map(|key| cosignature::cosign(checkpoint, key, time).to_line()).collect();
        let note = format!("{}\n{trusted}{lines}", note.unverified_text());
        let note = Note::parse(note.as_bytes())
            .expect("internal error: the text of a note and at most 64 signature lines are a note");
        (note, lines)
    }

    /// Keeps evidence. Where that fails, the operator is told; the client's answer does not depend on it.
    fn keep(&self, origin: &str, exhibit: &Exhibit) {
        let kind = exhibit.kind;
        match lock(&self.evidence).keep(exhibit) {
            Ok(kept @ Kept::New { .. }) => self.tell(&Event::Evidence { origin, kind, kept }),
            Ok(Kept::Known | Kept::Full) => (),
            Err(cause) => self.tell(&Event::EvidenceLost { origin, kind, cause: &cause }),
        }
    }
}

impl Record {
    /// Believes a record that the witness or the log has signed. Anything else was damaged or put there by somebody, and might
    /// be older than what was signed last.
    fn read(
        bytes: Vec<u8>,
        origin: &str,
        log: &[VerifierKey],
        witness: &[VerifierKey],
    ) -> Result<Self, Failure> {
        let refuse = |reason: &dyn std::fmt::Display| Failure::Record(reason.to_string());
        let note = Note::parse(&bytes).map_err(|error| refuse(&error))?;
        let checkpoint = Checkpoint::parse(note.unverified_text()).map_err(|error| refuse(&error))?;
        if checkpoint.origin != origin {
            return Err(Failure::Record(format!("it is of `{}`", shorten(&checkpoint.origin))));
        }
        note.verify(&[log, witness].concat()).map_err(|error| refuse(&error))?;
        let time = |key| {
            let times = note.signatures().iter();
            times.filter_map(|line| cosignature::verify(note.unverified_text(), line, key)).max()
        };
        let time = witness.iter().filter_map(time).max().unwrap_or(0);
        Ok(Self { bytes, checkpoint, time })
    }
}

/// Taking a request apart: old size, proof, checkpoint, in the spelling that the specification gives them.
fn read(body: &[u8]) -> Result<(AddCheckpoint, Checkpoint), Malformed> {
    let request = AddCheckpoint::parse(body)?;
    let checkpoint = Checkpoint::parse(request.checkpoint.unverified_text())?;
    Ok((request, checkpoint))
}

/// What a validly signed checkpoint may show against its log, whatever the client is answered.
fn suspicion(record: Option<&Record>, checkpoint: &Checkpoint, request: &AddCheckpoint) -> Option<Kind> {
    if checkpoint.size == 0 {
        return (checkpoint.root != Hash::EMPTY_ROOT).then_some(Kind::Fork);
    }
    let record = &record?.checkpoint;
    match history::judge(record, checkpoint, &request.proof) {
        Verdict::Fork { .. } => Some(Kind::Fork),
        Verdict::Rollback { .. } => Some(Kind::Smaller),
        // A proof from another size than the recorded one says nothing.
        Verdict::SplitView { .. } => (request.old == record.size).then_some(Kind::Unproven),
        Verdict::Same | Verdict::Grown | Verdict::Stale { .. } | Verdict::OtherLog { .. } => None,
    }
}

/// Whether the checkpoint follows from the recorded one, whose size the request names as the old one. "The proof MUST be empty
/// if the old size is zero"; at equal sizes it is empty too, and the roots are the same.
fn follows(record: Option<&Record>, checkpoint: &Checkpoint, proof: &[Hash]) -> Result<(), Inconsistency> {
    let (size, root) = (checkpoint.size, checkpoint.root);
    if size == 0 && root != Hash::EMPTY_ROOT {
        return Err(Inconsistency::EmptyRoot(root));
    }
    let (old, old_root) =
        record.map_or((0, Hash::EMPTY_ROOT), |record| (record.checkpoint.size, record.checkpoint.root));
    if size == old && root != old_root {
        return Err(Inconsistency::OtherRoot { size, root });
    }
    Ok(merkle::verify_consistency(old, size, proof, old_root, root)?)
}

/// The time of a cosignature: now, and never before the last. "The timestamp MUST NOT be zero".
fn time_to_sign(now: u64, last: u64) -> Result<u64, Failure> {
    if !(1..=MAX_TIMESTAMP).contains(&now) {
        return Err(Failure::NoTime(now));
    }
    if now.saturating_add(MAX_STEP_BACK) < last {
        return Err(Failure::ClockBehind { now, last });
    }
    Ok(now.max(last))
}

/// A stranger's text for the operator's terminal: at most 80 characters, none of which does anything.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        short.push('…');
    }
    short
}

/// A panic while the lock was held leaves what the last swap made of it, which every next swap compares with the cell.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
