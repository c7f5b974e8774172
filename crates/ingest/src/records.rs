//! Readers of records: each takes one record at a time from a stream and adds its rows.

mod bluesky;
mod csv;
mod json;
mod mastodon;
mod own;
mod traces;
mod x;

use std::borrow::Cow;
use std::io;

use traffic::Trace;

pub(crate) use csv::{Csv, Dialect};
pub(crate) use json::{Document, Kind, Lines, Object, Objects, first_object, first_value, kind_of};

use crate::problems::{Problems, Reason};
use crate::rows::Rows;
use crate::time::Bounds;

/// What every reader must know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub(crate) bounds: Bounds,
    pub(crate) default_trace: Trace,
}

/// A stream of records of one format.
pub(crate) trait Records: Send {
    /// Takes one record, or part of the way to one. False at the end of the stream.
    ///
    /// # Errors
    /// The source failed or is damaged; nothing more will come.
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool>;
}

/// What is counted while a source is read.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) source: String,
    pub(crate) problems: Problems,
    pub(crate) read: u64,
    pub(crate) refused: u64,
}

impl Log {
    /// Counts what became of one record.
    pub(crate) fn outcome(&mut self, outcome: Result<Option<Reason>, Reason>, line: u64, bytes: &[u8]) {
        match outcome {
            Ok(None) => self.read += 1,
            Ok(Some(reason)) => {
                self.read += 1;
                self.note(reason, line, bytes);
            }
            Err(reason) => self.refuse(reason, line, bytes),
        }
    }

    pub(crate) fn note(&mut self, reason: Reason, line: u64, bytes: &[u8]) {
        self.problems.add(&self.source, reason, line, bytes);
    }

    pub(crate) fn refuse(&mut self, reason: Reason, line: u64, bytes: &[u8]) {
        self.refused += 1;
        self.note(reason, line, bytes);
    }
}

/// The bytes as UTF-8. A byte that is not is taken as a character of Latin-1, which is what such
/// files nearly always are, so that two names never become one.
pub(crate) fn as_utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    if std::str::from_utf8(bytes).is_ok() {
        return Cow::Borrowed(bytes);
    }
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|&byte| char::from(byte)));
    }
    Cow::Owned(text.into_bytes())
}
