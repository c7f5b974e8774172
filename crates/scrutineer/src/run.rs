//! The one place where reading and detection are wired together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{io, panic, thread};

use detect::engine::Input;
use detect::{AllowedNetwork, Detector, Engine, Names, Settings};
use domain::{CaseKey, Timestamp};
use ingest::{Ledger, Reading, Reason};
use store::TempScratch;
use traffic::{Kind, Seed, Trace};

use crate::case_key;
use crate::config::{self, Config};
use crate::summary::{Check, InputProblem, Summary};

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
    /// What is defended, known to be good, and expected.
    pub(crate) config: Option<Config>,
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
    /// The inputs could not be opened.
    #[error(transparent)]
    Read(#[from] ingest::ReadError),
    /// There is no scratch space.
    #[error("could not make a scratch file")]
    Scratch { source: io::Error },
    /// The rows could not be read to their end, or the work on them failed.
    #[error(transparent)]
    Work(#[from] detect::EngineError),
}

impl RunFailed {
    /// What the user can do.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.hint().map(str::to_owned),
            Self::Scratch { .. } => Some("set TMPDIR to a folder on a disk with room".to_owned()),
            Self::Work(detect::EngineError::Source(_)) => {
                Some("name the files one by one to leave the bad one out".to_owned())
            }
            Self::Work(detect::EngineError::Scratch(_)) => {
                Some("give the work more memory with --memory, or set TMPDIR to a disk with room".to_owned())
            }
            Self::Work(detect::EngineError::Totals { .. }) => Some(
                "this is a fault in scrutineer: please report it with the step and the numbers".to_owned(),
            ),
        }
    }
}

/// The detectors that can be asked for: name, and what each looks for.
pub(crate) fn detectors() -> Vec<(&'static str, &'static str)> {
    detect::catalogue::all().iter().map(|detector| (detector.name, detector.summary)).collect()
}

/// Reads the inputs and runs the detectors. The findings are in order, the worst first. While the work
/// goes on, `progress` is told ten times a second how far it is.
pub(crate) fn run(request: Request, progress: &mut dyn FnMut(Progress)) -> Result<Summary, RunFailed> {
    let accounts = match request.key.clone() {
        Some(key) => ingest::Accounts::Keyed(key),
        None => ingest::Accounts::Plain,
    };
    let seed = request.key.as_ref().map_or(Seed(0), seed_of);
    let options = ingest::Options { accounts, now: request.now, default_trace: Trace::Object, seed };
    let reading = ingest::open(&request.inputs, options)?;
    let counters = reading.progress();
    let (done, wait) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let work = scope.spawn(move || {
            // Dropped when the work is over, however it ends; that ends the waiting below.
            let _done = done;
            search(reading, request)
        });
        while wait.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
            progress(Progress {
                bytes: counters.bytes_read.load(Ordering::Relaxed),
                bytes_in_all: counters.bytes_total.load(Ordering::Relaxed),
            });
        }
        work.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked))
    })
}

fn search(mut reading: Reading, request: Request) -> Result<Summary, RunFailed> {
    let wanted: Vec<&Detector> = detect::catalogue::all()
        .iter()
        .filter(|detector| request.only.is_empty() || request.only.iter().any(|name| name == detector.name))
        .collect();
    let scratch = TempScratch::create(None).map_err(|source| RunFailed::Scratch { source })?;
    let memory = usize::try_from(request.memory).unwrap_or(usize::MAX);
    let engine = Engine::new(request.threads, memory, Arc::new(scratch));
    let mut summary = Summary::default();
    let seed = request.key.as_ref().map_or(Seed(0), seed_of);
    let mut settings = Settings { allowed: request.allowed, seed, ..Settings::default() };
    let mut own_files = Vec::new();
    if let Some(config) = request.config {
        summary.notes.push(format!(
            "Configuration `{}` was used; it declares {}.",
            config.file.display(),
            config::contents(&config.site)
        ));
        summary.notes.extend(config.notes);
        summary.events.clone_from(&config.site.events);
        summary.assets = config.site.assets.iter().map(|a| (a.id.clone(), a.name.clone())).collect();
        settings.site = config.site;
        own_files = config.files;
    }
    let parts = reading.take_parts();
    let mut reading = Some(reading);
    let mut names = || {
        let ledger = reading.take().expect("internal error: names are asked for once").finish();
        note_input(&ledger, &own_files, &mut summary);
        let Ledger { accounts, objects, texts, sources, rows_read, rows_refused, .. } = ledger;
        Names { accounts, objects, texts, sources, rows_read, rows_refused }
    };
    let outcome = detect::run(&wanted, parts, &mut names, &settings, &engine)?;
    summary.findings = outcome.findings;
    summary.notes.extend(outcome.notes);
    for detector in wanted {
        let kinds = kinds_of(detector, &settings);
        let check = Check { name: detector.name.to_owned(), what: detector.summary.to_owned(), kinds };
        let looked = check.kinds.iter().any(|kind| summary.kinds.get(kind).is_some_and(|rows| *rows > 0));
        if looked { &mut summary.checked } else { &mut summary.idle }.push(check);
    }
    summary.sort();
    Ok(summary)
}

/// The kinds of traffic that a detector looks at, in order.
fn kinds_of(detector: &Detector, settings: &Settings) -> Vec<Kind> {
    let gather = (detector.gather)(settings);
    let inputs = gather.steps.iter().flat_map(|step| &step.from);
    let kinds: BTreeSet<Kind> = inputs
        .filter_map(|input| match input {
            Input::Traffic(kind, _) => Some(*kind),
            Input::Step(_) => None,
        })
        .collect();
    kinds.into_iter().collect()
}

/// What the reading has to tell: how much, from where, and what was wrong. `own` are files of ours that
/// may lie among the traffic.
fn note_input(ledger: &Ledger, own: &[PathBuf], summary: &mut Summary) {
    summary.sources.clone_from(&ledger.sources);
    summary.rows_read = ledger.rows_read;
    summary.rows_refused = ledger.rows_refused;
    summary.kinds.clone_from(&ledger.kinds);
    let is_own = |source: &str| {
        let source = Path::new(source);
        let name = source.file_name().unwrap_or_default();
        // The key and the configuration lie among the traffic that they are for, and are none.
        name == case_key::EXAMPLE_FILE
            || name == config::FILE_NAME
            || own.iter().any(|file| file == source || file.canonicalize().ok() == source.canonicalize().ok())
    };
    summary.problems = ledger
        .problems
        .iter()
        .filter(|(source, reason, _)| *reason != Reason::NotTraffic || !is_own(source))
        .map(|(source, reason, problem)| InputProblem {
            source: source.to_owned(),
            what: reason.to_string(),
            count: problem.count,
            lines: problem.examples.iter().map(|example| example.line).filter(|line| *line > 0).collect(),
            excerpt: problem.examples.first().map(|example| example.excerpt.clone()).unwrap_or_default(),
        })
        .collect();
    if ledger.accounts.is_empty() && ledger.kinds.contains_key(&Kind::Post) {
        summary
            .notes
            .push("Accounts are plain numbers in this input, so they are shown as they are.".to_owned());
    }
}

/// What makes the ids of texts in this case.
fn seed_of(key: &CaseKey) -> Seed {
    Seed(u64::from_le_bytes(
        key.pseudonym(b"seed of text ids").0[..8].try_into().expect("internal error: 8 bytes"),
    ))
}
