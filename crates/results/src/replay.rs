//! Reading a log of an election from its first entry.

use tlog::{Hash, Note, VerifierKey, note};

use crate::board::{Board, Refusal};
use crate::entry::{Entry, EntryError};

/// A log, replayed.
#[derive(Debug, Default)]
pub struct Replay {
    /// What it says, without the entries that may not stand in it.
    pub board: Board,
    /// The leaf hashes of all entries.
    pub leaves: Vec<Hash>,
    /// Entries that may not stand where they do, in order. An honest log has none.
    pub wrong: Vec<WrongEntry>,
}

/// An entry that may not stand where it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongEntry {
    /// Where it stands.
    pub index: u64,
    /// The word for machines.
    pub code: &'static str,
    /// Why.
    pub message: String,
}

/// Below so many entries a batch of signatures costs more than to check them one by one: see [`tlog::ed25519::verify_batch`].
const BATCH: usize = 128;

/// Replays entries. The signatures of a large log are verified in one batch; only where that fails, one by one.
pub fn replay<E: AsRef<[u8]>>(entries: &[E]) -> Replay {
    if entries.len() <= BATCH {
        return fold(entries, &mut one_by_one);
    }
    let mut signed = Vec::new();
    let replay = fold(entries, &mut |note, keys| {
        signed.extend(keys.iter().map(|key| (note.clone(), key.clone())));
        true
    });
    let pairs: Vec<(&Note, &VerifierKey)> = signed.iter().map(|(note, key)| (note, key)).collect();
    if note::verify_all(&pairs).is_ok() {
        return replay;
    }
    fold(entries, &mut one_by_one)
}

fn one_by_one(note: &Note, keys: &[VerifierKey]) -> bool {
    keys.iter().all(|key| note.verify(std::slice::from_ref(key)).is_ok())
}

/// Whether these keys have signed the note.
type Believe<'a> = dyn FnMut(&Note, &[VerifierKey]) -> bool + 'a;

fn fold<E: AsRef<[u8]>>(entries: &[E], believe: &mut Believe<'_>) -> Replay {
    let mut replay = Replay::default();
    for (index, bytes) in (0_u64..).zip(entries) {
        let bytes = bytes.as_ref();
        let leaf = Hash::leaf(bytes);
        replay.leaves.push(leaf);
        let wrong = match Entry::parse(bytes) {
            Err(error) => Some(WrongEntry { index, code: "no-entry", message: error.to_string() }),
            Ok(entry) => match judge(&replay.board, &entry, leaf, believe) {
                Err(refusal) => {
                    Some(WrongEntry { index, code: refusal.code(), message: refusal.to_string() })
                }
                Ok(()) => {
                    replay.board.apply(entry, leaf);
                    None
                }
            },
        };
        if let Some(wrong) = wrong {
            // It takes its place all the same: later entries name places in the log as it is.
            replay.board.skip();
            replay.wrong.push(wrong);
        }
    }
    replay
}

fn judge(board: &Board, entry: &Entry, leaf: Hash, believe: &mut Believe<'_>) -> Result<(), Refusal> {
    let admission = match board.judge(entry, leaf) {
        Ok(admission) => admission,
        // What accuses a key must be signed by it; anybody can write its name under something.
        Err(refusal) if refusal.is_evidence() && !board.is_signed(entry) => {
            return Err(Refusal::BadSignature(names(entry)));
        }
        Err(refusal) => return Err(refusal),
    };
    if let Entry::Signed(note, _) = entry
        && !believe(note, &admission.keys)
    {
        return Err(Refusal::BadSignature(names(entry)));
    }
    Ok(())
}

/// The names under an entry, for messages.
fn names(entry: &Entry) -> String {
    let Entry::Signed(note, _) = entry else { return String::new() };
    let names: Vec<&str> = note.signatures().iter().map(|signature| signature.name.as_str()).collect();
    names.join("`, `")
}

/// Why an entry is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotAdmitted {
    /// The bytes are no entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// It may not stand at the next place.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl NotAdmitted {
    /// Whether the document is evidence against whoever holds its key.
    pub fn is_evidence(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_evidence())
    }

    /// The word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Entry(_) => "no-entry",
            Self::Refused(refusal) => refusal.code(),
        }
    }
}

/// Reads what somebody wants to stand in the log: the entry and its leaf hash. Needs no board.
///
/// # Errors
/// [`NotAdmitted::Entry`], and [`Refusal::UnknownKind`]: a newer program may know it, but a log takes nothing that it cannot judge.
pub fn parse(bytes: &[u8]) -> Result<(Entry, Hash), NotAdmitted> {
    let entry = Entry::parse(bytes)?;
    if matches!(entry, Entry::Unknown) {
        return Err(Refusal::UnknownKind.into());
    }
    Ok((entry, Hash::leaf(bytes)))
}

/// Judges an entry that was read, with its signatures; the caller appends it to the log, and then applies it to the board.
///
/// # Errors
/// Why it may not stand at the next place. [`Refusal::Known`] says where it stands already.
pub fn admit_parsed(board: &Board, (entry, leaf): (Entry, Hash)) -> Result<(Entry, Hash), NotAdmitted> {
    judge(board, &entry, leaf, &mut one_by_one)?;
    Ok((entry, leaf))
}

/// Reads and judges one more entry: [`parse`], then [`admit_parsed`].
///
/// # Errors
/// Why it may not stand at the next place. [`Refusal::Known`] says where it stands already.
pub fn admit(board: &Board, bytes: &[u8]) -> Result<(Entry, Hash), NotAdmitted> {
    admit_parsed(board, parse(bytes)?)
}
