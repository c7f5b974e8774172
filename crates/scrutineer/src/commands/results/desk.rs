//! The log of an election, opened to take documents.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use channels::Answer;
use store::registrar::{self, OpenError, Outcome, Registrar};
use store::sequencer::{Promises, Sequencer, Settings};
use tlog::{Hash, Policy};
use witness::client::{Client, KnownSizes};

use super::super::log::append;
use super::super::log::keys::{RECEIPTS_KEY, read_secret};
use super::super::{CommandError, say};
use super::ResultsError;

/// How long a witness may take for an answer.
const WITNESS_TIMEOUT: Duration = Duration::from_secs(10);

/// Folder of evidence, below the log's and beside what is public.
const EVIDENCE: &str = "evidence";

/// The desk of the log in a folder, and the policy by which it publishes, once a definition is adopted.
pub(super) struct Desk {
    pub(super) registrar: Registrar,
    policy: Arc<Mutex<Option<Policy>>>,
}

impl Desk {
    /// Opens the log. Receipts promise to publish within so many seconds.
    pub(super) fn open(folder: &Path, maximum_merge_delay: u64) -> Result<Self, CommandError> {
        // A wrong or exposed key is told before anything is opened.
        read_secret(&folder.join(RECEIPTS_KEY))?;
        let policy: Arc<Mutex<Option<Policy>>> = Arc::default();
        let (place, shared) = (folder.to_owned(), policy.clone());
        let open = Box::new(move || open(&place, &shared, maximum_merge_delay));
        let registrar = Registrar::open(open, &folder.join(EVIDENCE))
            .map_err(|source| ResultsError::Open { folder: folder.to_owned(), source })?;
        let desk = Self { registrar, policy };
        desk.learn();
        Ok(desk)
    }

    /// Takes the policy from the definition, where one is adopted by now.
    pub(super) fn learn(&self) {
        let policy =
            self.registrar.look(|board| board.election().map(|election| election.definition.policy.clone()));
        if let Some(Some(policy)) = policy {
            *self.policy.lock().unwrap_or_else(PoisonError::into_inner) = Some(policy);
        }
    }
}

/// What became of a document with that leaf hash, as it is told; and where it was kept as evidence.
pub(super) fn answer(outcome: Outcome, leaf: Hash) -> (Answer, Option<PathBuf>) {
    let answer = match outcome {
        Outcome::Accepted(it) => Answer::Logged {
            index: it.appended.index,
            leaf: it.appended.leaf,
            receipt: it.receipt.as_ref().map(ToString::to_string),
        },
        Outcome::Known(index) => Answer::Known { index, leaf },
        Outcome::NotTaken(reason) => Answer::NotTaken { message: reason.to_string() },
        Outcome::Refused { code, message, evidence } => {
            return (Answer::Refused { code: code.to_owned(), message }, evidence);
        }
    };
    (answer, None)
}

fn open(
    folder: &Path,
    policy: &Arc<Mutex<Option<Policy>>>,
    maximum_merge_delay: u64,
) -> Result<(results::board::Board, Sequencer), OpenError> {
    let writer = append::open(folder).map_err(|error| OpenError::Log(Box::new(error)))?;
    let size = writer.signed().size;
    let board = registrar::load(writer.storage(), size)?;
    let key = read_secret(&folder.join(RECEIPTS_KEY)).map_err(|error| OpenError::Log(Box::new(error)))?;
    let client = Client::new(WITNESS_TIMEOUT, KnownSizes::default());
    let policy = policy.clone();
    let settings = Settings {
        reopen: registrar::never_again(),
        publish: Box::new(move |writer| {
            let policy = policy.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let asked =
                policy.filter(|policy| policy.witnesses().iter().any(|witness| witness.url.is_some()));
            if let Err(error) = append::publish(writer, asked.as_ref(), &client) {
                say(&format!("warning: {error}; the entries are durable, and the next try publishes them"));
            }
            Ok(())
        }),
        promises: Some(Promises { key, maximum_merge_delay, now: Box::new(super::super::log::now) }),
    };
    Ok((board, Sequencer::start(writer, settings)))
}
