//! What an operator is told. The witness calls back with events; it writes to no terminal and no log of its own.

use std::fmt;

use tlog::storage::Cause;

use crate::answer::Answer;
use crate::evidence::{Kept, Kind};

/// Something that happened.
#[derive(Debug)]
pub enum Event<'e> {
    /// A request was answered.
    Answered(&'e Answer),
    /// A checkpoint was kept as evidence.
    Evidence {
        /// Of which log.
        origin: &'e str,
        /// What it may show.
        kind: Kind,
        /// How many more of the kind will be kept.
        kept: Kept,
    },
    /// A checkpoint should have been kept as evidence and was not. The answer to the client is not affected.
    EvidenceLost {
        /// Of which log.
        origin: &'e str,
        /// What it may show.
        kind: Kind,
        /// Why it was not kept.
        cause: &'e Cause,
    },
    /// A request or connection was turned away because as many as may be were being served.
    Overloaded,
    /// A request was cut off because it took too long or was too large.
    CutOff(&'static str),
    /// No connection could be accepted, for instance because there are no more file descriptors. It is tried again.
    Accept(&'e std::io::Error),
}

impl Event<'_> {
    /// Whether somebody should look: a log that contradicts itself, or a witness that cannot do its work.
    pub fn is_alarming(&self) -> bool {
        match self {
            Self::Answered(Answer::Failed { .. }) | Self::EvidenceLost { .. } | Self::Accept(_) => true,
            Self::Evidence { kind, .. } => *kind == Kind::Fork,
            Self::Answered(_) | Self::Overloaded | Self::CutOff(_) => false,
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(answer) => answer.fmt(f),
            Self::Evidence { origin, kind, kept } => {
                write!(f, "kept evidence about `{origin}`: {}", kind.meaning())?;
                match kept {
                    Kept::New { room } => write!(f, "; room for {room} more"),
                    Kept::Known | Kept::Full => Ok(()),
                }
            }
            Self::EvidenceLost { origin, kind, cause } => {
                write!(f, "could not keep evidence about `{origin}` ({}): {cause}", kind.meaning())
            }
            Self::Overloaded => f.write_str("turned a client away: too many at once"),
            Self::CutOff(why) => write!(f, "cut a request off: {why}"),
            Self::Accept(error) => write!(f, "could not accept a connection: {error}"),
        }
    }
}
