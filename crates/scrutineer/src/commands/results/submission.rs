//! Documents on their way to a log, whether it is opened here or reached over HTTP: in which order they go, and what is said of each.

use std::fs;
use std::path::{Path, PathBuf};

use channels::Answer;
use results::definition::DEFINITION;
use results::entry::{Document, Entry, Part};
use results::lines::hex;
use tlog::Hash;

use super::super::{CommandError, put, say};
use super::{ResultsError, read, write};

/// A document on its way to the log.
pub(super) struct Submission {
    pub(super) file: String,
    pub(super) bytes: Vec<u8>,
    /// What must stand in the log before what.
    pub(super) rank: u64,
}

impl Submission {
    /// Its hash as a leaf.
    pub(super) fn leaf(&self) -> Hash {
        Hash::leaf(&self.bytes)
    }
}

/// Definitions, adoptions, changes and releases, commitments and openings come before returns.
pub(super) const RANK_OF_RETURNS: u64 = 16;

/// Reads files and folders, in the order in which a log can take them.
pub(super) fn gather(paths: &[PathBuf]) -> Result<Vec<Submission>, ResultsError> {
    let mut files = Vec::new();
    paths.iter().try_for_each(|path| walk(path, &mut files))?;
    let mut documents = Vec::new();
    for file in files {
        let bytes = read(&file)?;
        let name = file.display().to_string();
        if bytes.starts_with(DEFINITION.as_bytes()) {
            let parts = Part::cut(&bytes);
            documents.extend(parts.into_iter().map(|bytes| Submission {
                file: name.clone(),
                bytes,
                rank: 0,
            }));
        } else {
            let rank = rank(&bytes);
            documents.push(Submission { file: name, bytes, rank });
        }
    }
    // Stable: files of one rank keep the order of their names.
    documents.sort_by_key(|document| document.rank);
    Ok(documents)
}

fn rank(bytes: &[u8]) -> u64 {
    match Entry::parse(bytes) {
        Ok(Entry::Part(_)) => 0,
        Ok(Entry::Signed(_, document)) => match document {
            Document::Adoption(_) => 1,
            Document::Commitment(_) => 2,
            Document::Change(change) => 3 + u64::from(change.number.min(10)),
            Document::Release(_) => 14,
            Document::Opening(_) => 15,
            Document::Return(it) => RANK_OF_RETURNS + u64::from(it.revision),
            Document::Retraction(it) => RANK_OF_RETURNS + u64::from(it.revision),
        },
        Ok(Entry::Unknown) | Err(_) => u64::MAX,
    }
}

/// All files at and below a path, in the order of their names.
pub(super) fn walk(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), ResultsError> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let failed = |source| ResultsError::Read { file: path.to_owned(), source };
    let mut inside = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        inside.push(entry.map_err(failed)?.path());
    }
    inside.sort();
    inside.iter().try_for_each(|path| walk(path, files))
}

/// How many documents found which end.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) logged: u64,
    known: u64,
    refused: u64,
}

impl Tally {
    fn count(&mut self, answer: &Answer) {
        match answer {
            Answer::Logged { .. } => self.logged += 1,
            Answer::Known { .. } => self.known += 1,
            Answer::Refused { .. } | Answer::NotTaken { .. } => self.refused += 1,
        }
    }

    /// Says how it went; an error where something was not taken.
    pub(super) fn end(&self) -> Result<(), ResultsError> {
        let Self { logged, known, refused } = self;
        say(&format!("{logged} logged, {known} stood there already, {refused} not taken"));
        match refused {
            0 => Ok(()),
            _ => Err(ResultsError::Refused { refused: *refused, all: logged + known + refused }),
        }
    }
}

/// Tells what became of documents.
pub(super) struct Teller<'t> {
    /// Folder for receipts.
    pub(super) receipts: Option<&'t Path>,
    /// JSON Lines instead of text.
    pub(super) json: bool,
    pub(super) tally: Tally,
}

impl Teller<'_> {
    /// Keeps the receipt of a document, counts it, and says what became of it: on standard output where it stands in the log, on
    /// standard error where not.
    pub(super) fn tell(
        &mut self,
        document: &Submission,
        answer: &Answer,
        evidence: Option<&Path>,
    ) -> Result<(), CommandError> {
        if let (Some(folder), Answer::Logged { leaf, receipt: Some(receipt), .. }) = (self.receipts, answer) {
            write(&folder.join(format!("{}.receipt", hex(leaf))), receipt.as_bytes())?;
        }
        self.tally.count(answer);
        if let Some(trouble) = trouble(document, answer, evidence) {
            say(&trouble);
        }
        put(&if self.json { json(document, answer) } else { text(document, answer) })
    }
}

fn text(document: &Submission, answer: &Answer) -> String {
    match answer {
        Answer::Logged { index, leaf, .. } => format!("{index}  {}  {}\n", hex(leaf), document.file),
        Answer::Known { index, .. } => format!("{index}  (was there already)  {}\n", document.file),
        Answer::Refused { .. } | Answer::NotTaken { .. } => String::new(),
    }
}

fn trouble(document: &Submission, answer: &Answer, evidence: Option<&Path>) -> Option<String> {
    match answer {
        Answer::Refused { code, message } => {
            let kept = evidence.map(|file| format!("; kept as `{}`", file.display())).unwrap_or_default();
            Some(format!("error: `{}` was refused ({code}): {message}{kept}", document.file))
        }
        Answer::NotTaken { message } => Some(format!("error: `{}` was not taken: {message}", document.file)),
        Answer::Logged { .. } | Answer::Known { .. } => None,
    }
}

fn json(document: &Submission, answer: &Answer) -> String {
    let file = &document.file;
    let value = match answer {
        Answer::Logged { index, leaf, .. } => {
            serde_json::json!({ "file": file, "outcome": "logged", "index": index, "leaf": hex(leaf) })
        }
        Answer::Known { index, leaf } => {
            serde_json::json!({ "file": file, "outcome": "known", "index": index, "leaf": hex(leaf) })
        }
        Answer::Refused { code, message } => {
            serde_json::json!({ "file": file, "outcome": "refused", "code": code, "message": message })
        }
        Answer::NotTaken { message } => {
            serde_json::json!({ "file": file, "outcome": "not-taken", "message": message })
        }
    };
    format!("{value}\n")
}
