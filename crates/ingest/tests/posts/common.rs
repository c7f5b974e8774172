//! Reads files and prints what came out.

use std::fmt::Write;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use domain::Timestamp;
use ingest::{Accounts, Ledger, Options, open};
use traffic::{Action, Platform, Trace};

/// 23 November 2026, noon.
pub(crate) const NOW: Timestamp = Timestamp(1_795_435_200_000);

/// What came out of a reading.
pub(crate) struct Read {
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) ledger: Ledger,
    /// Errors of parts, with their causes.
    pub(crate) failed: Vec<String>,
}

impl Read {
    pub(crate) fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

pub(crate) fn plain() -> Options {
    Options { accounts: Accounts::Plain, now: NOW, default_trace: Trace::Object, seed: traffic::Seed(0) }
}

/// Reads files with their own account ids.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Read, String> {
    read_with(paths, plain())
}

pub(crate) fn read_with(paths: &[PathBuf], options: Options) -> Result<Read, String> {
    let mut reading = open(paths, options).map_err(|error| error.to_string())?;
    let (mut batches, mut failed) = (Vec::new(), Vec::new());
    for part in reading.take_parts() {
        for batch in part {
            match batch {
                Ok(batch) => batches.push(batch.rows),
                Err(error) => failed.push(format!("{error}: {}", error.cause)),
            }
        }
    }
    Ok(Read { batches, ledger: reading.finish(), failed })
}

/// Reads one file with this content.
pub(crate) fn read_bytes(bytes: &[u8]) -> Result<Read, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
    let shown = path.display().to_string();
    let mut read = read(&[path]).map_err(|error| error.replace(&shown, "file"))?;
    read.failed = read.failed.iter().map(|error| error.replace(&shown, "file")).collect();
    Ok(read)
}

/// The rows as `time account action trace object`, and what else there is of them; then what was
/// amiss, without the name of the source.
pub(crate) fn dump(read: &Read) -> String {
    let mut out = String::new();
    for batch in &read.batches {
        let int = |column: usize, row: usize| batch.column(column).as_primitive::<Int32Type>().value(row);
        let long = |column: usize, row: usize| batch.column(column).as_primitive::<Int64Type>().value(row);
        for row in 0..batch.num_rows() {
            let trace = Trace::from_code(int(2, row)).expect("the code of a trace");
            let action = Action::from_code(int(3, row)).expect("the code of an action");
            let platform = Platform::from_code(int(6, row)).expect("the code of a platform");
            let object = long(1, row);
            assert_eq!(read.ledger.objects.trace(object), trace);
            let _ = write!(
                out,
                "{} {} {action} {trace} {}",
                Timestamp(long(4, row)),
                read.ledger.accounts.name(int(0, row)),
                read.ledger.objects.name(object),
            );
            if platform != Platform::Unknown {
                let _ = write!(out, " on {platform}");
            }
            if int(7, row) != -1 {
                let _ = write!(out, " by {}", read.ledger.accounts.name(int(7, row)));
            }
            let _ = writeln!(out, "{}", if long(5, row) == -1 { "" } else { " in a post" });
        }
    }
    for (_, reason, problem) in read.ledger.problems.iter() {
        let _ = writeln!(out, "{} × {reason}", problem.count);
        for example in &problem.examples {
            let _ = writeln!(out, "  {}: {}", example.line, example.excerpt);
        }
    }
    for error in &read.failed {
        let _ = writeln!(out, "{error}");
    }
    out
}
