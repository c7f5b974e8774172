//! `scrutineer results log`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use results::definition::DEFINITION;
use results::entry::{Document, Entry, Part};
use results::lines::hex;
use store::registrar::Outcome;

use super::super::{CommandError, Done, put, say};
use super::desk::Desk;
use super::{ResultsError, read, write};

/// Arguments of `scrutineer results log`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results log night definition.txt adoption.note
  scrutineer results log night returns/ --receipts receipts/
  scrutineer results log night returns/1001/034-r2.return

DIR is a log that `scrutineer log init` has begun; the definition names its key. A folder is read whole: definitions first,
then what the authority says, then returns by revision. What stands in the log already keeps its place. A document that is
not signed, not authorised or does not follow the one before is refused with a code, and does not stop the others; two
different documents where a centre can sign one are kept in DIR/evidence. Exit code 1 where something was refused.")]
pub(super) struct Log {
    /// Folder of the log
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
    /// Documents, or folders of them
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Write a signed receipt for each document into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    receipts: Option<PathBuf>,
    /// The longest time from taking a document to publishing it, as receipts promise
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    maximum_merge_delay: u64,
    /// Write JSON Lines
    #[arg(long)]
    json: bool,
}

/// Documents that are judged before the first of them is waited for.
const IN_FLIGHT: usize = 4096;

impl Log {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let documents = gather(&self.paths)?;
        let desk = Desk::open(&self.folder, self.maximum_merge_delay)?;
        let mut tally = Tally::default();
        let outcome = self.submit(&desk, &documents, &mut tally);
        desk.registrar.close();
        outcome?;
        say(&tally.sentence());
        match tally.refused {
            0 => Ok(Done::Quiet),
            refused => Err(ResultsError::Refused { refused, all: documents.len() as u64 }.into()),
        }
    }

    fn submit(&self, desk: &Desk, documents: &[Submission], tally: &mut Tally) -> Result<(), CommandError> {
        // What decides who may sign stands before what is signed, and is known to the publisher before it asks witnesses.
        let first = documents.iter().take_while(|document| document.rank < RANK_OF_RETURNS).count();
        let (first, rest) = documents.split_at(first);
        let chunks = first.chunks(1).chain(rest.chunks(IN_FLIGHT));
        for chunk in chunks {
            let waiting: Vec<_> = chunk
                .iter()
                .map(|document| (document, desk.registrar.submit(document.bytes.clone())))
                .collect();
            desk.learn();
            let mut lines = String::new();
            for (document, submitted) in waiting {
                let outcome = desk.registrar.wait(submitted);
                self.keep_receipt(&outcome)?;
                lines.push_str(&if self.json { json(document, &outcome) } else { text(document, &outcome) });
                tally.count(&outcome);
                if let Some(trouble) = trouble(document, &outcome) {
                    say(&trouble);
                }
            }
            put(&lines)?;
        }
        Ok(())
    }

    fn keep_receipt(&self, outcome: &Outcome) -> Result<(), CommandError> {
        let (Some(folder), Outcome::Accepted(accepted)) = (&self.receipts, outcome) else { return Ok(()) };
        let Some(receipt) = &accepted.receipt else { return Ok(()) };
        let file = folder.join(format!("{}.receipt", hex(&accepted.appended.leaf)));
        Ok(write(&file, receipt.to_string().as_bytes())?)
    }
}

/// A document on its way to the log.
pub(super) struct Submission {
    file: String,
    bytes: Vec<u8>,
    /// What must stand in the log before what.
    rank: u64,
}

/// Definitions, adoptions, changes and releases, commitments and openings come before returns.
const RANK_OF_RETURNS: u64 = 16;

/// Reads files and folders, in the order in which a log can take them.
fn gather(paths: &[PathBuf]) -> Result<Vec<Submission>, ResultsError> {
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

#[derive(Default)]
struct Tally {
    accepted: u64,
    known: u64,
    refused: u64,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted(_) => self.accepted += 1,
            Outcome::Known(_) => self.known += 1,
            Outcome::Refused { .. } | Outcome::NotTaken(_) => self.refused += 1,
        }
    }

    fn sentence(&self) -> String {
        format!("{} logged, {} stood there already, {} not taken", self.accepted, self.known, self.refused)
    }
}

fn text(document: &Submission, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted(it) => {
            format!("{}  {}  {}\n", it.appended.index, hex(&it.appended.leaf), document.file)
        }
        Outcome::Known(index) => format!("{index}  (was there already)  {}\n", document.file),
        Outcome::Refused { .. } | Outcome::NotTaken(_) => String::new(),
    }
}

fn trouble(document: &Submission, outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Refused { code, message, evidence } => {
            let kept =
                evidence.as_ref().map(|file| format!("; kept as `{}`", file.display())).unwrap_or_default();
            Some(format!("error: `{}` was refused ({code}): {message}{kept}", document.file))
        }
        Outcome::NotTaken(reason) => Some(format!("error: `{}` was not taken: {reason}", document.file)),
        Outcome::Accepted(_) | Outcome::Known(_) => None,
    }
}

fn json(document: &Submission, outcome: &Outcome) -> String {
    let file = &document.file;
    let value = match outcome {
        Outcome::Accepted(it) => {
            let leaf = hex(&it.appended.leaf);
            serde_json::json!({ "file": file, "outcome": "logged", "index": it.appended.index, "leaf": leaf })
        }
        Outcome::Known(index) => serde_json::json!({ "file": file, "outcome": "known", "index": index }),
        Outcome::Refused { code, message, .. } => {
            serde_json::json!({ "file": file, "outcome": "refused", "code": code, "message": message })
        }
        Outcome::NotTaken(reason) => {
            serde_json::json!({ "file": file, "outcome": "not-taken", "message": reason.to_string() })
        }
    };
    format!("{value}\n")
}
