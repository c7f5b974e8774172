//! Opens files of posts and reads them in parts.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{CaseKey, Timestamp};
use traffic::{AccountNames, Batch, Kind, ObjectNames, Part, Seed, SourceError, Texts, Trace};

use crate::error::ReadError;
use crate::files::{self, Found, Input, copies};
use crate::parquet::{self, Columns, Groups};
use crate::problems::{Problems, Reason};
use crate::progress::Progress;
use crate::records::{Context, Csv, Document, Lines, Log, Records};
use crate::rows::Rows;
use crate::sniff::{Format, Tried, sniff_and_keep};
use crate::time::Bounds;

/// How accounts are named behind the border.
#[derive(Clone, Debug)]
pub enum Accounts {
    /// By pseudonyms of this case.
    Keyed(CaseKey),
    /// As they are: for data whose ids are pseudonyms already, and for `coordination edges`.
    Plain,
}

/// How to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// How accounts are named.
    pub accounts: Accounts,
    /// The current time: rows more than a day after it are refused.
    pub now: Timestamp,
    /// The trace of a table's objects that state none.
    pub default_trace: Trace,
    /// What makes the ids of texts.
    pub seed: Seed,
}

/// What a reading gave beside its rows.
#[derive(Debug)]
pub struct Ledger {
    /// Names behind the column `account` and `author`.
    pub accounts: AccountNames,
    /// Names behind the column `object`.
    pub objects: ObjectNames,
    /// Texts behind text ids.
    pub texts: Texts,
    /// Rows of traffic by kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// What could not be read, by source and reason.
    pub problems: Problems,
    /// Files, as the user named them.
    pub sources: Vec<String>,
    /// Each file and its format.
    pub formats: Vec<(String, &'static str)>,
    /// Input rows or records that were understood. One of them may be several rows of traffic, or none.
    pub rows_read: u64,
    /// Input rows or records that were not.
    pub rows_refused: u64,
}

/// Files that are open for reading.
#[derive(Debug)]
pub struct Reading {
    shared: Arc<Shared>,
    plans: Vec<Plan>,
    sources: Vec<String>,
    formats: Vec<(String, &'static str)>,
}

/// Finds the files behind the paths, folders included, and tells the format of each by its content.
///
/// # Errors
/// A path cannot be looked at; a file that the user named fits no format; nothing was found at all.
/// A file in a folder that fits no format is passed over and becomes a problem of the ledger.
pub fn open(paths: &[PathBuf], options: Options) -> Result<Reading, ReadError> {
    let progress = Progress::default();
    let mut problems = Problems::default();
    let mut plans: Vec<Plan> = Vec::new();
    let mut heads: Vec<Vec<u8>> = Vec::new();
    let mut passed_over = Vec::new();
    for found in files::find(paths)? {
        let name = found.path.display().to_string();
        match look(&found.path)? {
            Ok((format, head)) => {
                let bytes = fs::metadata(&found.path).map_or(0, |meta| meta.len());
                plans.push(Plan { found, name, format, bytes });
                heads.push(head);
            }
            Err(tried) if found.named => return Err(ReadError::Unknown { path: found.path, tried }),
            Err(tried) => {
                let why = tried.last().map(|(_, why)| why.as_str()).unwrap_or_default();
                problems.add(&name, Reason::NotTraffic, 0, why.as_bytes());
                passed_over.push(format!("{name}: {why}"));
            }
        }
    }
    if plans.is_empty() {
        return Err(ReadError::NothingFound { paths: paths.to_vec(), passed_over });
    }
    let plans = without_copies(plans, &heads, &mut problems);
    progress.bytes_total.fetch_add(plans.iter().map(|plan| plan.bytes).sum(), Ordering::Relaxed);
    let all_numbers = plans.iter().all(|plan| match &plan.format {
        FileFormat::Parquet(groups) => groups.are_numbers(),
        FileFormat::Text(_) => false,
    });
    let context = Context { bounds: Bounds::new(options.now), default_trace: options.default_trace };
    let key = match &options.accounts {
        Accounts::Keyed(key) => Some(key.clone()),
        Accounts::Plain => None,
    };
    let names = if all_numbers {
        Names { accounts: AccountNames::numbers(), objects: ObjectNames::numbers() }
    } else {
        let accounts = match options.accounts {
            Accounts::Keyed(key) => AccountNames::keyed(key),
            Accounts::Plain => AccountNames::plain(),
        };
        Names { accounts, objects: ObjectNames::new() }
    };
    let mut sources: Vec<String> = plans.iter().map(|plan| plan.name.clone()).collect();
    sources.dedup();
    let formats = plans.iter().map(|plan| (plan.name.clone(), plan.format.name())).collect();
    let shared = Shared {
        context,
        seed: options.seed,
        key,
        all_numbers,
        progress: Arc::new(progress),
        names: Mutex::new(Some(names)),
        tally: Mutex::new(Tally { problems, ..Tally::default() }),
    };
    Ok(Reading { shared: Arc::new(shared), plans, sources, formats })
}

/// Leaves out files that are copies of others, and counts them as problems.
fn without_copies(mut plans: Vec<Plan>, heads: &[Vec<u8>], problems: &mut Problems) -> Vec<Plan> {
    let files: Vec<(&Path, &[u8])> =
        plans.iter().zip(heads).map(|(plan, head)| (plan.found.path.as_path(), head.as_slice())).collect();
    let copies = copies::find(&files);
    for (n, copy) in copies.iter().enumerate() {
        let Some(copy) = copy else { continue };
        let reason = if copy.whole { Reason::SameAsOther } else { Reason::StartOfOther };
        problems.add(&plans[n].name, reason, 0, plans[copy.file].name.as_bytes());
        // It stands for the file that the user named.
        plans[copy.file].found.named |= plans[n].found.named;
    }
    let mut copies = copies.into_iter();
    plans.retain(|_| copies.next().is_some_and(|copy| copy.is_none()));
    plans
}

impl Reading {
    /// The parts, which may be read one after the other or at the same time: one a file, and several
    /// for a large Parquet file. A second call gives none.
    pub fn take_parts(&mut self) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for plan in self.plans.drain(..) {
            let shared = self.shared.clone();
            match plan.format {
                FileFormat::Text(format) => {
                    let log = Log { source: plan.name.clone(), ..Log::default() };
                    let state = State::Waiting(plan.found, format);
                    let rows = shared.rows();
                    parts.push(Box::new(TextPart { shared, state, rows, log, ready: VecDeque::new() }));
                }
                FileFormat::Parquet(groups) => {
                    for groups in groups.split() {
                        parts.push(groups.part(shared.clone(), &plan.found, plan.name.clone(), plan.bytes));
                    }
                }
            }
        }
        parts
    }

    /// Counters that grow while the parts are read.
    pub fn progress(&self) -> Arc<Progress> {
        self.shared.progress.clone()
    }

    /// What the reading gave beside its rows. To be called when the parts are at their end: a part
    /// that is read later fails.
    pub fn finish(self) -> Ledger {
        let names = lock(&self.shared.names).take();
        let names = names.unwrap_or(Names { accounts: AccountNames::plain(), objects: ObjectNames::new() });
        let tally = std::mem::take(&mut *lock(&self.shared.tally));
        Ledger {
            accounts: names.accounts,
            objects: names.objects,
            texts: tally.texts,
            kinds: tally.kinds,
            problems: tally.problems,
            sources: self.sources,
            formats: self.formats,
            rows_read: tally.read,
            rows_refused: tally.refused,
        }
    }
}

/// What the parts share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) context: Context,
    seed: Seed,
    key: Option<CaseKey>,
    pub(crate) all_numbers: bool,
    pub(crate) progress: Arc<Progress>,
    names: Mutex<Option<Names>>,
    tally: Mutex<Tally>,
}

#[derive(Debug)]
struct Names {
    accounts: AccountNames,
    objects: ObjectNames,
}

#[derive(Debug, Default)]
struct Tally {
    problems: Problems,
    texts: Texts,
    kinds: BTreeMap<Kind, u64>,
    read: u64,
    refused: u64,
}

/// A reading was finished before all of its parts were.
#[derive(Debug, thiserror::Error)]
#[error("the reading was finished before this part was read")]
struct Finished;

/// Rows were there, and none could be read.
#[derive(Debug, thiserror::Error)]
#[error("none of its {refused} rows could be read as {format}: {first}")]
struct AllRefused {
    refused: u64,
    format: &'static str,
    first: String,
}

impl Shared {
    /// Where a part gathers its rows.
    pub(crate) fn rows(&self) -> Rows {
        Rows::new(self.seed, self.key.clone())
    }

    /// Rows to a batch of each kind, and counts to the tally.
    pub(crate) fn flush(&self, rows: &mut Rows, log: &mut Log) -> Result<Vec<Batch>, SourceError> {
        self.count(log);
        self.progress.add_rows(rows.len());
        let batches = match lock(&self.names).as_mut() {
            Some(names) => rows.finish(&mut names.accounts, &mut names.objects),
            None => return Err(source_error(&log.source, Finished)),
        };
        self.note_kinds(&batches);
        Ok(batches)
    }

    /// Counts rows by kind.
    pub(crate) fn note_kinds(&self, batches: &[Batch]) {
        let mut tally = lock(&self.tally);
        for batch in batches {
            *tally.kinds.entry(batch.kind).or_default() += batch.rows.num_rows() as u64;
        }
    }

    /// Keeps the texts of a part that is at its end.
    pub(crate) fn keep_texts(&self, rows: &mut Rows) {
        lock(&self.tally).texts.merge(&mut rows.texts);
    }

    /// The error of a source that had rows of which none could be read. They are counted nevertheless.
    pub(crate) fn all_refused(&self, log: &mut Log, refused: u64, format: &'static str) -> SourceError {
        let first = log.problems.iter().find(|(_, reason, _)| reason.refuses());
        let first = first.map(|(_, reason, _)| reason.to_string()).unwrap_or_default();
        self.count(log);
        source_error(&log.source, AllRefused { refused, format, first })
    }

    /// Moves what was counted into the tally.
    pub(crate) fn count(&self, log: &mut Log) {
        let mut tally = lock(&self.tally);
        tally.problems.merge(std::mem::take(&mut log.problems));
        tally.read += std::mem::take(&mut log.read);
        tally.refused += std::mem::take(&mut log.refused);
    }
}

pub(crate) fn source_error(
    source_name: &str,
    cause: impl std::error::Error + Send + Sync + 'static,
) -> SourceError {
    SourceError { source_name: source_name.to_owned(), cause: Box::new(cause) }
}

/// What is behind the locks is valid after every single statement, so a thread that died holding
/// one does no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Plan {
    found: Found,
    name: String,
    format: FileFormat,
    bytes: u64,
}

#[derive(Debug)]
enum FileFormat {
    Text(Format),
    Parquet(Groups),
}

impl FileFormat {
    fn name(&self) -> &'static str {
        match self {
            Self::Text(format) => format.name(),
            Self::Parquet(groups) if groups.are_numbers() => "Parquet of numbers",
            Self::Parquet(groups) if groups.are_network() => "Parquet of network traffic",
            Self::Parquet(_) => "Parquet",
        }
    }
}

/// The format of a file, and its first plain bytes; or what was tried.
fn look(path: &Path) -> Result<Result<(FileFormat, Vec<u8>), Tried>, ReadError> {
    let open = |source| ReadError::Open { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(open)?;
    if parquet::is_parquet(&file).map_err(open)? {
        return match Columns::of(&file) {
            Ok(groups) => {
                let mut head = Vec::new();
                file.rewind().map_err(open)?;
                file.take(copies::HEAD as u64).read_to_end(&mut head).map_err(open)?;
                Ok(Ok((FileFormat::Parquet(groups), head)))
            }
            Err(why) => Ok(Err(vec![("Parquet", why)])),
        };
    }
    let mut input = Input::new(file, None).map_err(open)?;
    let (sniffed, head) = sniff_and_keep(&mut input, copies::HEAD).map_err(open)?;
    Ok(sniffed.map(|format| (FileFormat::Text(format), head)))
}

/// A file of text. It is opened when the first batch is asked for, so that a folder of many files
/// does not hold them all open.
struct TextPart {
    shared: Arc<Shared>,
    state: State,
    rows: Rows,
    log: Log,
    /// Batches that are made and not yet given out.
    ready: VecDeque<Batch>,
}

enum State {
    Waiting(Found, Format),
    Running { records: Box<dyn Records>, world_failed: Arc<std::sync::atomic::AtomicBool>, check: Check },
    Over,
}

/// What is needed to say that nothing of a file could be read.
#[derive(Clone, Copy)]
struct Check {
    named: bool,
    format: &'static str,
    any_read: bool,
    refused: u64,
}

impl Iterator for TextPart {
    type Item = Result<Batch, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(batch) = self.ready.pop_front() {
            return Some(Ok(batch));
        }
        if let State::Waiting(found, format) = &self.state {
            match Input::open(&found.path, Some(self.shared.progress.clone())) {
                Ok(input) => {
                    let check =
                        Check { named: found.named, format: format.name(), any_read: false, refused: 0 };
                    let world_failed = input.failure_flag();
                    let records = open_records(input, format.clone(), self.shared.context);
                    self.state = State::Running { records, world_failed, check };
                }
                Err(error) => {
                    self.state = State::Over;
                    return Some(Err(source_error(&self.log.source, error)));
                }
            }
        }
        let State::Running { records, world_failed, check } = &mut self.state else { return None };
        let failed = loop {
            match records.step(&mut self.rows, &mut self.log) {
                Ok(true) if self.rows.is_full() => {
                    check.any_read = true;
                    check.refused += self.log.refused;
                    return Some(give_out(&self.shared, &mut self.rows, &mut self.log, &mut self.ready));
                }
                Ok(true) => {}
                Ok(false) => break None,
                Err(error) if world_failed.load(Ordering::Relaxed) => {
                    break Some(source_error(&self.log.source, error));
                }
                Err(error) => {
                    self.log.refuse(Reason::Damaged, 0, error.to_string().as_bytes());
                    break None;
                }
            }
        };
        let mut check = *check;
        check.any_read |= self.log.read > 0;
        check.refused += self.log.refused;
        self.state = State::Over;
        if let Some(error) = failed {
            self.shared.count(&mut self.log);
            return Some(Err(error));
        }
        if check.named && !check.any_read && check.refused > 0 {
            return Some(Err(self.shared.all_refused(&mut self.log, check.refused, check.format)));
        }
        if self.rows.len() > 0 {
            self.shared.keep_texts(&mut self.rows);
            return Some(give_out(&self.shared, &mut self.rows, &mut self.log, &mut self.ready));
        }
        self.shared.keep_texts(&mut self.rows);
        self.shared.count(&mut self.log);
        None
    }
}

/// Makes batches of what was read and gives out the first; the others wait in `ready`.
pub(crate) fn give_out(
    shared: &Shared,
    rows: &mut Rows,
    log: &mut Log,
    ready: &mut VecDeque<Batch>,
) -> Result<Batch, SourceError> {
    ready.extend(shared.flush(rows, log)?);
    Ok(ready.pop_front().expect("internal error: rows were there, so there is a batch"))
}

pub(crate) fn open_records(input: Input, format: Format, context: Context) -> Box<dyn Records> {
    match format {
        Format::Csv(dialect) => Box::new(Csv::new(input, dialect, context)),
        Format::JsonLines(_) => Box::new(Lines::new(input, context)),
        Format::Document(_) => Box::new(Document::new(input, context)),
        Format::Network(format) => format.open(input, context),
    }
}
