//! Traffic from a file that grows and is rotated.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Timestamp;
use traffic::{AccountNames, Batch, ObjectNames, SourceError, Texts};

use super::{Position, Start, Tail, TailCounts};
use crate::MAX_LINE;
use crate::error::ReadError;
use crate::files::Input;
use crate::problems::Problems;
use crate::reading::{Accounts, Options, open_records, source_error};
use crate::records::{Context, Log, Records};
use crate::rows::Rows;
use crate::sniff::{Format, of_head};
use crate::time::Bounds;

/// First lines that are looked at before a file is said to be of no known format.
const ENOUGH: usize = 1 << 16;

/// Steps of a reader in one poll, so that a poll ends even where nothing but bad rows come.
const MAX_STEPS: usize = 1 << 20;

/// Follows a log of any format of lines, and makes traffic of it.
///
/// Each [`Follow::poll`] gives what is there; how long to wait between two is the caller's matter.
pub struct Follow {
    path: PathBuf,
    tail: Arc<Mutex<Tail>>,
    options: Options,
    /// The first lines, until they show the format.
    head: Vec<u8>,
    records: Option<Box<dyn Records>>,
    format: &'static str,
    rows: Rows,
    log: Log,
    accounts: AccountNames,
    objects: ObjectNames,
    /// The last poll ended because there was nothing more.
    drained: bool,
}

/// A tail that is asked for its position while a reader has it.
struct Shared(Arc<Mutex<Tail>>);

impl Read for Shared {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        lock(&self.0).read(buf)
    }
}

/// A tail is in order after each of its calls, so a thread that died holding it does no harm.
fn lock(tail: &Mutex<Tail>) -> MutexGuard<'_, Tail> {
    tail.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Follow {
    /// Follows the file of this path, which need not be there yet. Times are not compared with
    /// `options.now`, which stands still.
    pub fn new(path: &Path, start: Start, options: Options) -> Self {
        let key = match &options.accounts {
            Accounts::Keyed(key) => Some(key.clone()),
            Accounts::Plain => None,
        };
        let accounts = match &options.accounts {
            Accounts::Keyed(key) => AccountNames::keyed(key.clone()),
            Accounts::Plain => AccountNames::plain(),
        };
        Self {
            path: path.to_owned(),
            tail: Arc::new(Mutex::new(Tail::new(path, start))),
            rows: Rows::new(options.seed, key),
            log: Log { source: path.display().to_string(), ..Log::default() },
            options,
            head: Vec::new(),
            records: None,
            format: "",
            accounts,
            objects: ObjectNames::new(),
            drained: false,
        }
    }

    /// What is there now: full batches first, the last one as it is. Empty where nothing is new.
    ///
    /// # Errors
    /// The disk failed, or the file is of no known format; it may be asked again.
    pub fn poll(&mut self) -> Result<Vec<Batch>, SourceError> {
        if self.records.is_none() && !self.open()? {
            return Ok(Vec::new());
        }
        let mut batches = Vec::new();
        let Some(records) = self.records.as_mut() else { return Ok(batches) };
        self.drained = false;
        for _ in 0..MAX_STEPS {
            match records.step(&mut self.rows, &mut self.log) {
                Ok(true) if self.rows.is_full() => break,
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.drained = true;
                    break;
                }
                Err(error) => return Err(source_error(&self.log.source, error)),
            }
        }
        batches.extend(self.rows.finish(&mut self.accounts, &mut self.objects));
        Ok(batches)
    }

    /// Learns the format from the first lines. False where there are none yet.
    fn open(&mut self) -> Result<bool, SourceError> {
        let failed = |error: io::Error| source_error(&self.log.source, error);
        let lines = lock(&self.tail).next_lines().map_err(failed)?;
        if lines.is_none() && self.head.is_empty() {
            return Ok(false);
        }
        self.head.extend(lines.unwrap_or_default());
        // Lines from the middle of a file do not show what its first ones say.
        let first = first_lines(&self.path).map_err(failed)?;
        let format = match of_head(if first.is_empty() { &self.head } else { &first }) {
            Ok(format) => format,
            Err(_) if self.head.len() < ENOUGH => return Ok(false),
            Err(tried) => {
                let unknown = ReadError::Unknown { path: self.path.clone(), tried };
                return Err(source_error(&self.log.source, unknown));
            }
        };
        let header = header(&first, &format);
        let mut head = std::mem::take(&mut self.head);
        if !head.starts_with(header) {
            head.splice(0..0, header.iter().copied());
        }
        self.format = format.name();
        let input = Input::live(Cursor::new(head).chain(Shared(self.tail.clone())));
        let context =
            Context { bounds: Bounds::new(Timestamp(i64::MAX)), default_trace: self.options.default_trace };
        self.records = Some(open_records(input, format, context));
        Ok(true)
    }

    /// How far it is: to be saved once the batches so far are dealt with. `None` while lines are under
    /// way, until a later [`Follow::poll`] finds that there is nothing more.
    pub fn position(&self) -> Option<Position> {
        self.drained.then(|| lock(&self.tail).position())
    }

    /// The file's format; empty until it is known.
    pub fn format(&self) -> &'static str {
        self.format
    }

    /// What happened to the file so far.
    pub fn counts(&self) -> TailCounts {
        lock(&self.tail).counts()
    }

    /// Rows that were understood, and rows that were not.
    pub fn rows(&self) -> (u64, u64) {
        (self.log.read, self.log.refused)
    }

    /// What could not be read so far, by reason.
    pub fn problems(&self) -> &Problems {
        &self.log.problems
    }

    /// Texts behind the ids of the batches.
    pub fn texts(&self) -> &Texts {
        &self.rows.texts
    }
}

/// The first lines of the file that has the path now. None where there is no file.
fn first_lines(path: &Path) -> io::Result<Vec<u8>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut head = Vec::new();
    file.take(MAX_LINE as u64).read_to_end(&mut head)?;
    let end = memchr::memrchr(b'\n', &head).map_or(0, |end| end + 1);
    head.truncate(end);
    Ok(head)
}

/// Lines at the start of a file that say how to read the others: comments, and the names of columns.
fn header<'a>(first: &'a [u8], format: &Format) -> &'a [u8] {
    let mut end = 0;
    let mut names = matches!(format, Format::Csv(_)) || first.starts_with(b"StartTime,");
    for line in first.split_inclusive(|&byte| byte == b'\n') {
        if !line.starts_with(b"#") && !std::mem::take(&mut names) {
            break;
        }
        end += line.len();
    }
    &first[..end]
}
