//! c2sp.org/tlog-witness, "add-checkpoint": what a witness may answer.
//!
//! | answer | status | body |
//! |---|---|---|
//! | the request is no request, or its old size is above the new one | 400 | why |
//! | the origin is unknown | 404 | why |
//! | no trusted key has signed, or a trusted key's signature fails | 403 | why |
//! | the old size is not the recorded one | 409 | the recorded size and a newline, type `text/x.tlog.size` |
//! | root and proof do not follow from the recorded tree | 422 | why |
//! | all is well | 200 | cosignature lines, nothing else |
//! | the witness itself failed | 500 | nothing of interest |
//!
//! **A difference between versions of the specification.** Where the sizes are equal and the roots are not, older texts ask for
//! 409, newer ones for 422. This witness answers 422: a 409 invites the client to try again with a fresh proof, and
//! there is none.

use std::fmt;

use thiserror::Error;
use tlog::Hash;
use tlog::add_checkpoint::{MessageError, SIZE_CONTENT_TYPE};
use tlog::checkpoint::CheckpointError;
use tlog::cosignature::MAX_TIMESTAMP;
use tlog::merkle::ProofError;
use tlog::note::VerifyError;
use tlog::storage::Cause;

/// The type of all bodies but the one that names a size.
pub const TEXT_CONTENT_TYPE: &str = "text/plain; charset=utf-8";

/// What a witness answers, and why. [`fmt::Display`] tells its operator; [`Answer::body`] tells the client, which is less.
#[derive(Debug)]
pub enum Answer {
    /// The checkpoint is recorded and cosigned.
    Cosigned {
        /// Which log.
        origin: String,
        /// Leaves of its tree.
        size: u64,
        /// The time in the cosignatures, seconds since the epoch.
        time: u64,
        /// Signature lines, one of each key of the witness.
        lines: String,
    },
    /// The body is no request.
    Malformed(Malformed),
    /// The origin of no log that this witness knows, shortened and escaped.
    UnknownLog(String),
    /// The checkpoint is not to be believed.
    Untrusted {
        /// Which log it claims to be of.
        origin: String,
        /// Why not.
        reason: VerifyError,
    },
    /// The old size is larger than the new one.
    OldBeyondNew {
        /// Which log.
        origin: String,
        /// The old size of the request.
        old: u64,
        /// The size of its checkpoint.
        size: u64,
    },
    /// The client takes another checkpoint for the recorded one.
    Conflict {
        /// Which log.
        origin: String,
        /// The size of the recorded checkpoint; zero where there is none.
        size: u64,
    },
    /// The new tree does not follow from the recorded one.
    Inconsistent {
        /// Which log.
        origin: String,
        /// Why not.
        reason: Inconsistency,
    },
    /// The witness could not do its work. Nothing was signed that left it.
    Failed {
        /// Which log.
        origin: String,
        /// What went wrong.
        failure: Failure,
    },
}

/// Why a body is no request.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// By its lines.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// By its checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Why a tree does not follow from the recorded one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Inconsistency {
    /// A tree of no leaves has one root.
    #[error("a tree of no leaves has another root than `{0}`")]
    EmptyRoot(Hash),
    /// Two roots of one size.
    #[error("the recorded tree of {size} leaves has another root than `{root}`")]
    OtherRoot {
        /// Leaves of both trees.
        size: u64,
        /// The root that was offered.
        root: Hash,
    },
    /// The proof does not lead from one to the other.
    #[error("the consistency proof fails: {0}")]
    Proof(#[from] ProofError),
}

/// What failed in the witness.
#[derive(Debug, Error)]
pub enum Failure {
    /// The record could not be read.
    #[error("could not load the recorded checkpoint")]
    Load(#[source] Cause),
    /// The record is damaged. Nothing is signed until somebody has looked, because whatever replaced it might be older.
    #[error("the recorded checkpoint is not to be believed: {0}")]
    Record(String),
    /// The new record may or may not stand. It is loaded anew before the next answer.
    #[error("could not record the checkpoint")]
    Persist(#[source] Cause),
    /// The clock shows no time that a cosignature may carry.
    #[error("the clock shows {0}, which is not within 1 and {MAX_TIMESTAMP}")]
    NoTime(u64),
    /// The clock is far behind the last cosignature.
    #[error("the clock shows {now}, but the last cosignature of this log is of {last}")]
    ClockBehind {
        /// What the clock shows, seconds since the epoch.
        now: u64,
        /// The time of the last cosignature, seconds since the epoch.
        last: u64,
    },
}

impl Answer {
    /// The status code of HTTP.
    pub fn status(&self) -> u16 {
        match self {
            Self::Cosigned { .. } => 200,
            Self::Malformed(_) | Self::OldBeyondNew { .. } => 400,
            Self::Untrusted { .. } => 403,
            Self::UnknownLog(_) => 404,
            Self::Conflict { .. } => 409,
            Self::Inconsistent { .. } => 422,
            Self::Failed { .. } => 500,
        }
    }

    /// The content type of the body.
    pub fn content_type(&self) -> &'static str {
        if matches!(self, Self::Conflict { .. }) { SIZE_CONTENT_TYPE } else { TEXT_CONTENT_TYPE }
    }

    /// The body: what the specification says, or one line for people.
    pub fn body(&self) -> String {
        match self {
            Self::Cosigned { lines, .. } => lines.clone(),
            Self::Conflict { size, .. } => format!("{size}\n"),
            Self::Malformed(reason) => format!("{reason}\n"),
            Self::UnknownLog(_) => "this witness does not know the log\n".to_owned(),
            Self::Untrusted { reason, .. } => format!("{reason}\n"),
            Self::OldBeyondNew { .. } => "the old size is larger than the checkpoint's\n".to_owned(),
            Self::Inconsistent { reason, .. } => format!("{reason}\n"),
            Self::Failed { .. } => "the witness failed\n".to_owned(),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cosigned { origin, size, time, .. } => {
                write!(f, "cosigned `{origin}` at {size} leaves, time {time}")
            }
            Self::Malformed(reason) => write!(f, "refused a malformed request: {reason}"),
            Self::UnknownLog(origin) => write!(f, "refused the unknown log `{origin}`"),
            Self::Untrusted { origin, reason } => write!(f, "refused a checkpoint of `{origin}`: {reason}"),
            Self::OldBeyondNew { origin, old, size } => {
                write!(f, "refused a checkpoint of `{origin}`: old size {old} is above its {size} leaves")
            }
            Self::Conflict { origin, size } => {
                write!(f, "`{origin}`: told the client that {size} leaves are recorded")
            }
            Self::Inconsistent { origin, reason } => {
                write!(f, "refused a checkpoint of `{origin}`: {reason}")
            }
            Self::Failed { origin, failure } => {
                write!(f, "could not serve `{origin}`: {failure}")?;
                let cause = std::error::Error::source(failure);
                cause.map_or(Ok(()), |cause| write!(f, ": {cause}"))
            }
        }
    }
}
