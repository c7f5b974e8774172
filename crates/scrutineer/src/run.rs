//! The one place where reading and detection are wired together.

use std::path::PathBuf;

use domain::{CaseKey, Timestamp};

use crate::allow::AllowedNetwork;
use crate::summary::Summary;

/// What to look for, in what, and with how much of the machine.
#[derive(Debug)]
pub(crate) struct Request {
    /// Files and folders.
    pub(crate) inputs: Vec<PathBuf>,
    /// Names of detectors; all of them where it is empty.
    pub(crate) only: Vec<String>,
    /// Bytes of memory that the work may use before it borrows scratch space.
    pub(crate) memory: u64,
    /// Threads.
    pub(crate) threads: usize,
    /// The key for pseudonyms, or none where the input's ids are kept.
    pub(crate) key: Option<CaseKey>,
    /// Networks that may act in step.
    pub(crate) allowed: Vec<AllowedNetwork>,
    /// The time of the run.
    pub(crate) now: Timestamp,
}

/// How far the work has come, while it goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// Bytes read so far.
    pub(crate) bytes: u64,
    /// Bytes in all.
    pub(crate) bytes_in_all: u64,
}

/// Why a run gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunFailed {
    /// There is nothing to run yet.
    #[error("detection is not wired into this build")]
    NotWired,
}

impl RunFailed {
    /// What the user can do.
    pub(crate) fn hint(&self) -> Option<String> {
        None
    }
}

/// The detectors that can be asked for: name, and what each looks for.
pub(crate) fn detectors() -> Vec<(&'static str, &'static str)> {
    vec![("coordinated-sharing", "groups of accounts that share the same things at nearly the same time")]
}

/// Reads the inputs and runs the detectors. The findings are in order, the worst first.
pub(crate) fn run(request: Request, progress: &mut dyn FnMut(Progress)) -> Result<Summary, RunFailed> {
    let _ = (request, progress);
    Err(RunFailed::NotWired)
}
