//! `scrutineer results log`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::super::{CommandError, Done};
use super::desk::{Desk, answer};
use super::serve;
use super::submission::{RANK_OF_RETURNS, Submission, Tally, Teller, gather};

/// Arguments of `scrutineer results log`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results log night definition.txt adoption.note
  scrutineer results log night returns/ --receipts receipts/
  scrutineer results log night returns/1001/034-r2.return
  scrutineer results log night definition.txt adoption.note --serve 127.0.0.1:8803

DIR is a log that `scrutineer log init` has begun; the definition names its key. A folder is read whole: definitions first,
then what the authority says, then returns by revision. What stands in the log already keeps its place. A document that is
not signed, not authorised or does not follow the one before is refused with a code, and does not stop the others; two
different documents where a centre can sign one are kept in DIR/evidence. Exit code 1 where something was refused.

--serve takes documents over HTTP until ctrl-c or SIGTERM, once a definition is adopted; it refuses like the command itself, with
400, 403, 409 or 422. A port alone means this machine only. Put a web server that speaks TLS before it, and another that shows
DIR/public. Centres send with `scrutineer results submit`.")]
pub(super) struct Log {
    /// Folder of the log
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
    /// Documents, or folders of them
    #[arg(value_name = "PATH", required_unless_present = "serve", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Write a signed receipt for each document into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    receipts: Option<PathBuf>,
    /// Then take documents over HTTP at this address, or at this port of this machine
    #[arg(long, value_name = "ADDRESS")]
    serve: Option<String>,
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
        let receipts = self.receipts.as_deref();
        let mut teller = Teller { receipts, json: self.json, tally: Tally::default() };
        let outcome = submit(&desk, &documents, &mut teller);
        if teller.tally.logged == 0 {
            // What an earlier run has signed and could not publish any more.
            desk.registrar.publish();
        }
        if outcome.is_err() || self.serve.is_none() {
            desk.registrar.close();
            outcome?;
            teller.tally.end()?;
            return Ok(Done::Quiet);
        }
        if !documents.is_empty() {
            teller.tally.end()?;
        }
        serve::serve(desk, &self.folder, self.serve.as_deref().unwrap_or_default())?;
        Ok(Done::Quiet)
    }
}

fn submit(desk: &Desk, documents: &[Submission], teller: &mut Teller<'_>) -> Result<(), CommandError> {
    // What decides who may sign stands before what is signed, and is known to the publisher before it asks witnesses.
    let first = documents.iter().take_while(|document| document.rank < RANK_OF_RETURNS).count();
    let (first, rest) = documents.split_at(first);
    let chunks = first.chunks(1).chain(rest.chunks(IN_FLIGHT));
    for chunk in chunks {
        let waiting: Vec<_> =
            chunk.iter().map(|document| (document, desk.registrar.submit(document.bytes.clone()))).collect();
        desk.learn();
        for (document, submitted) in waiting {
            let outcome = desk.registrar.wait(submitted);
            let (answer, evidence) = answer(outcome, document.leaf());
            teller.tell(document, &answer, evidence.as_deref())?;
        }
    }
    Ok(())
}
