//! `scrutineer results submit`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use channels::client::{SubmitError, TIMEOUT};
use channels::{Answer, Client};
use clap::{Args, ValueHint};

use super::super::{CommandError, Done, say};
use super::ResultsError;
use super::submission::{RANK_OF_RETURNS, Submission, Tally, Teller, gather};

/// Arguments of `scrutineer results submit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results submit https://desk.example.org/2026 returns/ --receipts receipts/
  scrutineer results submit http://127.0.0.1:8803 returns/1001/034-r2.return

Sends documents to a desk that `scrutineer results log --serve` or a web server before it shows. Each is tried until it is taken or
refused; where the desk cannot be reached, that may take all night. What was sent twice stands in the log once. Lines are as of
`results log`; exit code 1 where something was refused. The definition and its adoption are logged by whoever keeps the log, not here.
Afterwards ask the public log, not the desk: `scrutineer results confirm`.")]
pub(super) struct Submit {
    /// Address of the desk
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    url: String,
    /// Documents, or folders of them
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Write the log's signed receipt for each document into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    receipts: Option<PathBuf>,
    /// Write JSON Lines
    #[arg(long)]
    json: bool,
}

/// Documents that are under way at once; documents that must follow each other never are.
const IN_FLIGHT: usize = 8;

/// First and longest wait before another try.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Every tenth failure is told, after the first.
const TRIES_TOLD: u32 = 10;

impl Submit {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let documents = gather(&self.paths)?;
        let client = Client::new(TIMEOUT);
        let receipts = self.receipts.as_deref();
        let mut teller = Teller { receipts, json: self.json, tally: Tally::default() };
        // A later revision, or what is signed by a key that a change adds, waits for what comes before it.
        for group in documents.chunk_by(|a, b| a.rank == b.rank) {
            let width = if group[0].rank < RANK_OF_RETURNS { 1 } else { IN_FLIGHT.min(group.len()) };
            let group =
                Group { url: &self.url, client: &client, documents: group, next: AtomicUsize::new(0) };
            thread::scope(|scope| {
                let (done, answers) = channel();
                for _ in 0..width {
                    let (group, done) = (&group, done.clone());
                    scope.spawn(move || group.work(&done));
                }
                drop(done);
                let told = answers.into_iter().try_for_each(|(document, answer)| {
                    teller.tell(document, &answer.map_err(ResultsError::Submit)?, None)
                });
                // Where nobody listens any more, nothing more is sent.
                group.next.fetch_max(usize::MAX / 2, Ordering::Relaxed);
                told
            })?;
        }
        teller.tally.end()?;
        Ok(Done::Quiet)
    }
}

type Told<'d> = (&'d Submission, Result<Answer, SubmitError>);

/// Documents that may go at the same time.
struct Group<'d> {
    url: &'d str,
    client: &'d Client,
    documents: &'d [Submission],
    /// The next document that nobody has taken on; far beyond the last one where the whole has ended.
    next: AtomicUsize,
}

impl<'d> Group<'d> {
    /// Sends one document after the other.
    fn work(&self, done: &Sender<Told<'d>>) {
        while let Some(document) = self.documents.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let Some(answer) = self.send(document) else { return };
            if done.send((document, answer)).is_err() {
                return;
            }
        }
    }

    /// Sends one document until it is taken or refused. Nothing where the whole has ended before.
    fn send(&self, document: &Submission) -> Option<Result<Answer, SubmitError>> {
        // Those who were turned away together do not come back together.
        let share = 0.5 + f64::from(document.leaf().0[0]) / 512.0;
        let mut wait = FIRST_WAIT;
        for tries in 1.. {
            let trouble = match self.client.submit(self.url, &document.bytes) {
                Ok(Answer::NotTaken { message }) => message,
                Err(error) if error.is_passing() => error.to_string(),
                answer => return Some(answer),
            };
            if tries % TRIES_TOLD == 1 {
                say(&format!("warning: `{}` is not taken yet: {trouble}; trying again", document.file));
            }
            thread::sleep(wait.mul_f64(share));
            wait = (wait * 2).min(LONGEST_WAIT);
            if self.next.load(Ordering::Relaxed) >= usize::MAX / 2 {
                return None;
            }
        }
        None
    }
}
