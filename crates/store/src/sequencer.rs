//! Many submitters, one writer: entries that come while a batch is being made durable form the next batch.
//!
//! So a lone entry waits for nobody, and under load one pass over the disk serves thousands.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tlog::note::Note;
use tlog::receipt::Receipt;
use tlog::storage::LogStorage;
use tlog::writer::{Appended, WriteError, Writer};
use tlog::{SignerKey, bundle};

/// 4,096 entries a batch: a pass over the disk takes some ten milliseconds, so more would not be faster.
pub const MAX_BATCH: usize = 4096;

/// Entries that may wait; whoever comes then waits outside.
const MAX_WAITING: usize = 4 * MAX_BATCH;

/// An entry that the log has taken: durable, with its index.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Where it stands, and whether it stood there before.
    pub appended: Appended,
    /// The log's signed promise, where it gives receipts.
    pub receipt: Option<Note>,
}

/// Why an entry was not taken. Whoever submitted may submit it again: that is no harm, as an entry is appended once.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotTaken {
    /// The batch failed; nothing was promised.
    #[error("the log could not take the entry: {0}")]
    Failed(Arc<str>),
    /// The log was closed before the entry's turn came.
    #[error("the log was closed")]
    Closed,
    /// It is too large, with so many bytes or more.
    #[error("an entry of {0} bytes is too large; the most is {max}, log what is larger by its digest", max = bundle::MAX_ENTRY_BYTES)]
    TooLarge(usize),
}

/// How a log promises to publish.
pub struct Promises {
    /// The key that signs receipts.
    pub key: SignerKey,
    /// The longest time from taking an entry to publishing it, in seconds.
    pub maximum_merge_delay: u64,
    /// The present, in seconds since the epoch.
    pub now: Box<dyn Fn() -> u64 + Send>,
}

/// Opens a log.
pub type Reopen<S> = Box<dyn FnMut() -> Result<Writer<S>, WriteError> + Send>;
/// Publishes what a log has signed.
pub type Publish<S> = Box<dyn FnMut(&mut Writer<S>) -> Result<(), WriteError> + Send>;

/// What the sequencer needs to be told.
pub struct Settings<S> {
    /// Opens the log's storage anew after a failure.
    pub reopen: Reopen<S>,
    /// Publishes what was signed, after every batch; here witnesses are asked.
    pub publish: Publish<S>,
    /// Signs receipts, if the log gives any.
    pub promises: Option<Promises>,
}

enum Job {
    Append {
        entry: Vec<u8>,
        answer: Sender<Result<Accepted, NotTaken>>,
    },
    /// Nothing to append: witnesses are asked anew, so that what is public is fresh.
    Publish,
    /// Nothing to append: somebody asks whether all that was submitted before is durable.
    Settle {
        answer: Sender<Result<(), NotTaken>>,
    },
}

/// The handle of submitters. The writer's thread ends when the last is dropped and all that was submitted is answered.
#[derive(Clone)]
pub struct Sequencer {
    jobs: SyncSender<Job>,
    thread: Arc<Worker>,
}

struct Worker {
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A ticket for an entry's answer.
#[derive(Debug)]
pub struct Ticket(Receiver<Result<Accepted, NotTaken>>);

impl Ticket {
    /// Waits until the entry is durable, or was not taken.
    ///
    /// # Errors
    /// Why it was not taken.
    pub fn wait(self) -> Result<Accepted, NotTaken> {
        self.0.recv().unwrap_or(Err(NotTaken::Closed))
    }
}

/// A ticket that answers once everything that was submitted before it has been dealt with.
#[derive(Debug)]
pub struct Settled(Receiver<Result<(), NotTaken>>);

impl Settled {
    /// Waits until what was submitted before is durable.
    ///
    /// # Errors
    /// Where the log fails and is not opened anew: then something may have been lost.
    pub fn wait(self) -> Result<(), NotTaken> {
        self.0.recv().unwrap_or(Err(NotTaken::Closed))
    }
}

impl Sequencer {
    /// Starts the writer's thread on an open log.
    pub fn start<S: LogStorage + Send + 'static>(writer: Writer<S>, settings: Settings<S>) -> Self {
        let (jobs, waiting) = sync_channel(MAX_WAITING);
        let thread = std::thread::spawn(move || Run { writer: Some(writer), settings }.run(&waiting));
        Self { jobs, thread: Arc::new(Worker { thread: Mutex::new(Some(thread)) }) }
    }

    /// Hands an entry in. Waits where too many are waiting already.
    pub fn submit(&self, entry: Vec<u8>) -> Ticket {
        let (answer, ticket) = channel();
        if entry.len() > bundle::MAX_ENTRY_BYTES {
            // Here, so that it does not take its batch with it.
            drop(answer.send(Err(NotTaken::TooLarge(entry.len()))));
            return Ticket(ticket);
        }
        // If the thread is gone, so is the other end of the ticket, and waiting says so.
        drop(self.jobs.send(Job::Append { entry, answer }));
        Ticket(ticket)
    }

    /// Publishes the last checkpoint anew, with fresh cosignatures, even where nothing was appended. Returns at once.
    pub fn publish(&self) {
        drop(self.jobs.send(Job::Publish));
    }

    /// Asks whether all that was submitted before is durable.
    pub fn settled(&self) -> Settled {
        let (answer, ticket) = channel();
        drop(self.jobs.send(Job::Settle { answer }));
        Settled(ticket)
    }

    /// Lets the writer finish what was submitted, and waits for it. Other handles must be gone.
    pub fn close(self) {
        let Self { jobs, thread } = self;
        drop(jobs);
        let handle = thread.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    }
}

struct Run<S> {
    writer: Option<Writer<S>>,
    settings: Settings<S>,
}

impl<S: LogStorage> Run<S> {
    fn run(mut self, waiting: &Receiver<Job>) {
        while let Ok(first) = waiting.recv() {
            let mut jobs = vec![first];
            jobs.extend(waiting.try_iter().take(MAX_BATCH - 1));
            let mut entries: Vec<&[u8]> = Vec::with_capacity(jobs.len());
            let mut answers = Vec::with_capacity(jobs.len());
            let mut settled = Vec::new();
            for job in &jobs {
                match job {
                    Job::Append { entry, answer } => {
                        entries.push(entry);
                        answers.push(answer);
                    }
                    Job::Settle { answer } => settled.push(answer),
                    Job::Publish => {}
                }
            }
            match self.append(&entries) {
                Ok(appended) => {
                    for (answer, appended) in answers.into_iter().zip(appended) {
                        let receipt = self.receipt(appended);
                        // Whoever no longer waits has not been promised anything it relies on.
                        drop(answer.send(Ok(Accepted { appended, receipt })));
                    }
                    for answer in settled {
                        drop(answer.send(Ok(())));
                    }
                    // Whoever asks whether something is durable changes nothing that could be published.
                    if jobs.iter().any(|job| !matches!(job, Job::Settle { .. })) {
                        self.publish();
                    }
                }
                Err(error) => {
                    let reason: Arc<str> = chain(&error).into();
                    for answer in settled {
                        drop(answer.send(Err(NotTaken::Failed(reason.clone()))));
                    }
                    for answer in answers {
                        drop(answer.send(Err(NotTaken::Failed(reason.clone()))));
                    }
                }
            }
        }
    }

    /// Appends, on a log opened anew where the last attempt failed.
    fn append(&mut self, entries: &[&[u8]]) -> Result<Vec<Appended>, WriteError> {
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => (self.settings.reopen)()?,
        };
        if entries.is_empty() {
            self.writer = Some(writer);
            return Ok(Vec::new());
        }
        let appended = writer.append(entries);
        // A failed writer knows less than its disk; the next batch begins with what is there.
        self.writer = appended.is_ok().then_some(writer);
        appended
    }

    fn publish(&mut self) {
        // What could not be published now is published after the next batch; the entries are durable.
        if let Some(writer) = &mut self.writer {
            drop((self.settings.publish)(writer));
        }
    }

    fn receipt(&self, appended: Appended) -> Option<Note> {
        let Promises { key, maximum_merge_delay, now } = self.settings.promises.as_ref()?;
        let origin = self.writer.as_ref()?.verifier().name().to_owned();
        let accepted = now();
        let published_by = accepted + maximum_merge_delay;
        let Appended { index, leaf, .. } = appended;
        Some(Receipt { origin, index, leaf, accepted, published_by }.sign(key))
    }
}

/// The message and those of its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
