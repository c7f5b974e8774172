//! Comma-separated values.
//!
//! Lines are framed first and fields second, so that a stray quote costs one line and not the rest
//! of the file. A quoted field may still contain line ends: where a quote is open at the end of a
//! line, the next lines are joined on trial, and the trial counts only if it gives exactly a record
//! of the header's width with properly closed quotes.

use std::collections::VecDeque;
use std::io::{self, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};
use memchr::{memchr, memchr_iter};

use super::{Context, Log, Records, as_utf8};
use crate::MAX_LINE;
use crate::files::{Line, Lines};
use crate::problems::Reason;
use crate::rows::Rows;
use crate::tables::Layout;

/// Lines that one record may span.
const MAX_JOINED: usize = 64;

/// How a file writes its columns.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) width: usize,
    pub(crate) layout: Layout,
}

impl Dialect {
    /// The dialect that a header line shows, or why it is none.
    pub(crate) fn of(header: &[u8]) -> Result<Self, String> {
        let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header);
        if header.contains(&0) {
            return Err("its first line has NUL bytes".to_owned());
        }
        let header = as_utf8(header.trim_ascii_end());
        let mut best = Err("its first line has no columns".to_owned());
        for delimiter in [b',', b';', b'\t'] {
            let mut splitter = Splitter::new(delimiter);
            if splitter.split(&header, 1 << 12) != Split::Whole || splitter.ends.len() < 2 {
                continue;
            }
            let names: Vec<String> = (0..splitter.ends.len())
                .map(|i| String::from_utf8_lossy(splitter.field(i)).into_owned())
                .collect();
            match Layout::of(&names) {
                Ok(layout) => return Ok(Self { delimiter, width: names.len(), layout }),
                Err(why) => best = Err(format!("its first line has {why}")),
            }
        }
        best
    }
}

/// Reads the rows below a header.
pub(crate) struct Csv<R> {
    lines: Lines<R>,
    dialect: Dialect,
    context: Context,
    splitter: Splitter,
    fields: Vec<(usize, usize)>,
    // Lines that a failed trial took and that are still to be read.
    waiting: VecDeque<(u64, Vec<u8>)>,
    header_seen: bool,
}

impl<R: Read> Csv<R> {
    pub(crate) fn new(source: R, dialect: Dialect, context: Context) -> Self {
        let splitter = Splitter::new(dialect.delimiter);
        Self {
            lines: Lines::new(source),
            dialect,
            context,
            splitter,
            fields: Vec::new(),
            waiting: VecDeque::new(),
            header_seen: false,
        }
    }
}

impl<R: Read + Send> Records for Csv<R> {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        if let Some((number, line)) = self.waiting.pop_front() {
            return self.quoted(number, &line, rows, log).map(|()| true);
        }
        let (number, line) = match self.lines.next()? {
            Line::End => return Ok(false),
            Line::TooLong(number, head) => {
                log.refuse(Reason::LineTooLong, number, head);
                return Ok(true);
            }
            Line::Whole(number, line) => (number, line),
        };
        if line.trim_ascii().is_empty() {
            return Ok(true);
        }
        if !self.header_seen {
            self.header_seen = true;
            return Ok(true);
        }
        if memchr(0, line).is_some() {
            log.refuse(Reason::NulByte, number, line);
            return Ok(true);
        }
        if memchr(b'"', line).is_some() {
            let line = line.to_vec();
            return self.quoted(number, &line, rows, log).map(|()| true);
        }
        // Without quotes the fields are what stands between the delimiters.
        let text = as_utf8(line);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            log.note(Reason::NotUtf8, number, line);
        }
        self.fields.clear();
        let mut from = 0;
        for at in memchr_iter(self.dialect.delimiter, &text) {
            self.fields.push((from, at));
            from = at + 1;
        }
        self.fields.push((from, text.len()));
        let outcome = if self.fields.len() == self.dialect.width {
            let field = |column: usize| {
                let (from, to) = self.fields[column];
                &text[from..to]
            };
            self.dialect.layout.read(field, &self.context, rows)
        } else {
            Err(Reason::FieldCount)
        };
        log.outcome(outcome, number, line);
        Ok(true)
    }
}

impl<R: Read> Csv<R> {
    /// A line that has quotes, or that waited.
    fn quoted(&mut self, number: u64, line: &[u8], rows: &mut Rows, log: &mut Log) -> io::Result<()> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        if memchr(0, line).is_some() {
            log.refuse(Reason::NulByte, number, line);
            return Ok(());
        }
        let mut record = line.to_vec();
        let mut split = self.splitter.split(&as_utf8(&record), self.dialect.width);
        if split == Split::Open {
            split = self.join(&mut record, log)?;
        }
        let outcome = match split {
            Split::Whole if self.splitter.ends.len() == self.dialect.width => {
                if std::str::from_utf8(&record).is_err() {
                    log.note(Reason::NotUtf8, number, line);
                }
                let splitter = &self.splitter;
                self.dialect.layout.read(|column| splitter.field(column), &self.context, rows)
            }
            Split::Whole | Split::TooMany => Err(Reason::FieldCount),
            Split::Open => Err(Reason::OpenQuote),
        };
        log.outcome(outcome, number, line);
        Ok(())
    }

    /// Joins lines to a record whose quote is open. Where that leads nowhere, the lines wait to be
    /// read on their own.
    fn join(&mut self, record: &mut Vec<u8>, log: &mut Log) -> io::Result<Split> {
        let mut taken: Vec<(u64, Vec<u8>)> = Vec::new();
        while taken.len() < MAX_JOINED && record.len() < MAX_LINE {
            if let Some(line) = self.waiting.pop_front() {
                taken.push(line);
            } else {
                match self.lines.next() {
                    Ok(Line::Whole(number, line)) => taken.push((number, line.to_vec())),
                    Ok(Line::TooLong(number, head)) => {
                        log.refuse(Reason::LineTooLong, number, head);
                        break;
                    }
                    Ok(Line::End) => break,
                    Err(error) => {
                        // The lines that were taken are whole; they are lost with the rest of the
                        // file only as far as the record that they belong to is.
                        log.refuse(Reason::OpenQuote, 0, record);
                        return Err(error);
                    }
                }
            }
            let Some((_, line)) = taken.last() else { break };
            if memchr(0, line).is_some() {
                break;
            }
            record.push(b'\n');
            record.extend_from_slice(line);
            match closing(line, self.dialect.delimiter) {
                Closing::None => {}
                Closing::Improper => break,
                Closing::Proper => match self.splitter.split(&as_utf8(record), self.dialect.width) {
                    Split::Open => {}
                    Split::Whole if self.splitter.ends.len() == self.dialect.width => {
                        return Ok(Split::Whole);
                    }
                    Split::Whole | Split::TooMany => break,
                },
            }
        }
        for line in taken.into_iter().rev() {
            self.waiting.push_front(line);
        }
        Ok(Split::Open)
    }
}

/// How the first quote of a line inside a quoted field stands.
enum Closing {
    None,
    Proper,
    Improper,
}

/// Looks for the quote that closes a field, in a line that begins inside the field. A proper one
/// stands before a delimiter or the line end (RFC 4180, section 2).
fn closing(line: &[u8], delimiter: u8) -> Closing {
    let mut rest = line;
    while let Some(at) = memchr(b'"', rest) {
        match rest.get(at + 1) {
            Some(b'"') => rest = &rest[at + 2..],
            None => return Closing::Proper,
            Some(&next) if next == delimiter => return Closing::Proper,
            Some(_) => return Closing::Improper,
        }
    }
    Closing::None
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Split {
    Whole,
    Open,
    TooMany,
}

/// Splits one record with quotes into fields.
struct Splitter {
    reader: Reader,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Splitter {
    fn new(delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).terminator(Terminator::Any(b'\n')).build();
        Self { reader, bytes: Vec::new(), ends: Vec::new() }
    }

    /// Splits a record without its line end into at most `width` fields.
    fn split(&mut self, record: &[u8], width: usize) -> Split {
        self.reader.reset();
        self.bytes.resize(record.len() + 1, 0);
        self.ends.resize(width + 1, 0);
        let (mut n_in, mut n_out, mut n_ends) = (0, 0, 0);
        // The line end is fed apart: it ends the record unless a quote is open.
        for input in [record, b"\n"] {
            let (result, read, written, ended) =
                self.reader.read_record(input, &mut self.bytes[n_out..], &mut self.ends[n_ends..]);
            n_in += read;
            n_out += written;
            n_ends += ended;
            match result {
                ReadRecordResult::Record if n_in == record.len() + 1 && n_ends <= width => {
                    self.ends.truncate(n_ends);
                    return Split::Whole;
                }
                ReadRecordResult::InputEmpty => {}
                _ => return Split::TooMany,
            }
        }
        Split::Open
    }

    fn field(&self, column: usize) -> &[u8] {
        let from = if column == 0 { 0 } else { self.ends[column - 1] };
        &self.bytes[from..self.ends[column]]
    }
}
