//! c2sp.org/tlog-witness and c2sp.org/tlog-policy from the side of a log: asks the witnesses of a policy for cosignatures, all at
//! once, until the policy's quorum is reached.
//!
//! Each witness has its own conversation ([`crate::exchange`]) on its own thread, and its own time. One that is slow, broken or
//! hostile is a failure with a reason, and nobody waits for it who does not want to. Proofs are made on the thread that
//! submits, so that the log needs to be neither shared nor copied.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use thiserror::Error;
use tlog::note::Signature;
use tlog::policy::{Cosigned, Party, Policy, Refusal};
use tlog::storage::Cause;
use tlog::{Hash, Note, VerifierKey};

use crate::exchange::{self, Exchange, Reason};

/// 64: conversations at once. A policy has some ten witnesses; those beyond wait for their turn.
pub const MAX_PARALLEL: usize = 64;

/// Asks witnesses. Keeps connections alive and remembers what each witness has; to be kept between submissions.
pub struct Client {
    agent: ureq::Agent,
    known: Arc<Mutex<KnownSizes>>,
}

/// What each witness was last known to have of each log. A wrong or missing size costs one more round trip and nothing else, so
/// this needs no care when it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownSizes(BTreeMap<(String, String), u64>);

impl KnownSizes {
    /// The size of the checkpoint of that origin which the witness has recorded, as far as is known.
    pub fn get(&self, origin: &str, witness: &VerifierKey) -> Option<u64> {
        self.0.get(&(origin.to_owned(), witness.to_string())).copied()
    }

    /// Remembers a size.
    pub fn set(&mut self, origin: &str, witness: &VerifierKey, size: u64) {
        self.0.insert((origin.to_owned(), witness.to_string()), size);
    }
}

/// When a submission ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// As soon as the policy is content. With `quorum none` that is at once, and nobody is asked.
    Quorum,
    /// When every witness has answered or failed.
    All,
}

/// What came of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// Verified cosignatures, in the order in which they came.
    pub cosignatures: Vec<Signature>,
    /// Whose they are, and of what time; in the same order.
    pub by: Vec<Cosigned>,
    /// Who gave none, and why; in the order of the policy.
    pub failures: Vec<Failed>,
    /// Who was not waited for; in the order of the policy.
    pub unheard: Vec<String>,
    /// Whether the cosignatures are enough for the policy.
    pub quorum: bool,
}

/// A witness that gave no cosignature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("witness `{witness}`: {reason}")]
pub struct Failed {
    /// As the policy calls it.
    pub witness: String,
    /// Why not.
    pub reason: Reason,
}

impl Client {
    /// A client that gives each witness so much time for each of at most two requests.
    pub fn new(timeout: Duration, known: KnownSizes) -> Self {
        Self { agent: exchange::agent(timeout), known: Arc::new(Mutex::new(known)) }
    }

    /// What is known by now of what witnesses have.
    pub fn known_sizes(&self) -> KnownSizes {
        lock(&self.known).clone()
    }

    /// Submits a checkpoint that a log of the policy has signed to the policy's witnesses. `prove` gives the consistency proof from
    /// an older size, which is above zero and below the checkpoint's, to the checkpoint's.
    ///
    /// # Errors
    /// Where the policy knows no such log, or its signature fails: no witness is asked then.
    pub fn submit<E: Into<Cause>>(
        &self,
        policy: &Policy,
        note: &Note,
        mut prove: impl FnMut(u64) -> Result<Vec<Hash>, E>,
        wait: Wait,
    ) -> Result<Gathered, Refusal> {
        let (checkpoint, _) = policy.cosigned(note)?;
        let witnesses = policy.witnesses();
        let mut outcomes: Vec<Option<Result<(), Reason>>> = vec![None; witnesses.len()];
        let (mut cosignatures, mut by) = (Vec::new(), Vec::new());
        let content = |by: &[Cosigned]| wait == Wait::Quorum && policy.is_quorum(by);
        if !content(&by) {
            let messages = self.start(witnesses, note, &checkpoint.origin, checkpoint.size);
            // Ends when every conversation has, each of which ends in bounded time.
            for message in messages {
                match message {
                    Message::Prove { old, reply } => {
                        let proof = prove(old)
                            .map_err(|cause| Reason::Proof { old, cause: cause.into().to_string() });
                        // Whoever asked waits for this and for nothing else.
                        let _ = reply.send(proof);
                    }
                    Message::Done { at, outcome: Ok((signature, time)) } => {
                        cosignatures.push(signature);
                        by.push(Cosigned { witness: witnesses[at].name.clone(), time });
                        outcomes[at] = Some(Ok(()));
                        if content(&by) {
                            break;
                        }
                    }
                    Message::Done { at, outcome: Err(reason) } => outcomes[at] = Some(Err(reason)),
                }
            }
        }
        let quorum = policy.is_quorum(&by);
        let (mut failures, mut unheard) = (Vec::new(), Vec::new());
        for (witness, outcome) in witnesses.iter().zip(outcomes) {
            match outcome {
                Some(Ok(())) => (),
                Some(Err(reason)) => failures.push(Failed { witness: witness.name.clone(), reason }),
                None => unheard.push(witness.name.clone()),
            }
        }
        Ok(Gathered { cosignatures, by, failures, unheard, quorum })
    }

    /// Starts the conversations. They outlive a submission that ends early; what they learn of sizes is remembered.
    fn start(&self, witnesses: &[Party], note: &Note, origin: &str, size: u64) -> Receiver<Message> {
        let (messages, received) = mpsc::channel();
        let job = Job {
            agent: self.agent.clone(),
            known: Arc::clone(&self.known),
            queue: Mutex::new(witnesses.iter().cloned().enumerate().collect()),
            note: note.clone(),
            origin: origin.to_owned(),
            size,
        };
        let job = Arc::new(job);
        for _ in 0..witnesses.len().min(MAX_PARALLEL) {
            let (job, messages) = (Arc::clone(&job), messages.clone());
            let started =
                thread::Builder::new().name("witness-client".to_owned()).spawn(move || job.run(&messages));
            // If there are no more threads, those that could be started serve the queue.
            if started.is_err() {
                break;
            }
        }
        received
    }
}

/// What the threads of one submission share.
struct Job {
    agent: ureq::Agent,
    known: Arc<Mutex<KnownSizes>>,
    queue: Mutex<VecDeque<(usize, Party)>>,
    note: Note,
    origin: String,
    size: u64,
}

enum Message {
    Prove { old: u64, reply: Sender<Result<Vec<Hash>, Reason>> },
    Done { at: usize, outcome: Result<(Signature, u64), Reason> },
}

impl Job {
    /// One conversation after the other, until none is left or nobody listens.
    fn run(&self, messages: &Sender<Message>) {
        loop {
            // Taken on a line of its own: in the loop's head the lock would be held through the conversation.
            let next = lock(&self.queue).pop_front();
            let Some((at, witness)) = next else { return };
            let outcome = self.converse(&witness, messages);
            if messages.send(Message::Done { at, outcome }).is_err() {
                return;
            }
        }
    }

    fn converse(&self, witness: &Party, messages: &Sender<Message>) -> Result<(Signature, u64), Reason> {
        let exchange = Exchange {
            agent: &self.agent,
            key: &witness.key,
            url: witness.url.as_deref(),
            note: &self.note,
            size: self.size,
        };
        let known = lock(&self.known).get(&self.origin, &witness.key).unwrap_or(0);
        let prove = |old| {
            let (reply, proof) = mpsc::channel();
            messages.send(Message::Prove { old, reply }).map_err(|_| Reason::Ended)?;
            proof.recv().map_err(|_| Reason::Ended)?
        };
        exchange.hold(known, prove, |size| lock(&self.known).set(&self.origin, &witness.key, size))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
