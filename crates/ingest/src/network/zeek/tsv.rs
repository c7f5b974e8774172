//! Zeek's TSV: a header of lines with `#`, which may change in the middle of a file where logs were joined.

use std::io::{self, Read};

use memchr::{memchr_iter, memmem};

use super::columns::{COLUMNS, Column, Record, place};
use super::{RECORDS_A_STEP, Stream, records};
use crate::files::{Line, Lines};
use crate::problems::Reason;
use crate::records::{Context, Log, Records};
use crate::rows::Rows;

/// In place of the column's number: nobody reads it.
const SKIPPED: u8 = u8::MAX;

const _: () = assert!(COLUMNS < SKIPPED as usize, "a column's number must fit");

pub(super) struct Reader<R> {
    lines: Lines<R>,
    context: Context,
    header: Header,
    spans: [(u32, u32); COLUMNS],
}

impl<R: Read> Reader<R> {
    pub(super) fn new(source: R, context: Context) -> Self {
        Self { lines: Lines::new(source), context, header: Header::default(), spans: [(0, 0); COLUMNS] }
    }
}

impl<R: Read + Send> Records for Reader<R> {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        for _ in 0..RECORDS_A_STEP {
            let (number, line) = match self.lines.next()? {
                Line::End => return Ok(false),
                Line::TooLong(number, head) => {
                    log.refuse(Reason::LineTooLong, number, head);
                    continue;
                }
                Line::Whole(number, line) => (number, line),
            };
            if line.first() == Some(&b'#') {
                if self.header.read(line) {
                    // Columns that the new header lacks must not show what the old one had.
                    self.spans = [(0, 0); COLUMNS];
                }
                continue;
            }
            if line.is_empty() {
                continue;
            }
            let outcome = if self.header.stream == Stream::Other && !self.header.columns.is_empty() {
                log.note(Reason::OtherTraffic, number, line);
                continue;
            } else if split(line, &self.header, &mut self.spans) {
                let record = Row { line, header: &self.header, spans: &self.spans };
                records::read(&record, self.header.stream, &self.context, rows)
            } else {
                Err(if memchr::memchr(0, line).is_some() { Reason::NulByte } else { Reason::FieldCount })
            };
            match outcome {
                Ok(Some(Reason::OtherTraffic)) => log.note(Reason::OtherTraffic, number, line),
                outcome => log.outcome(outcome, number, line),
            }
        }
        Ok(true)
    }
}

/// Finds the fields that are wanted. False where there are not as many fields as the header has.
fn split(line: &[u8], header: &Header, spans: &mut [(u32, u32); COLUMNS]) -> bool {
    let mut ends = memchr_iter(header.separator, line);
    let mut from = 0;
    for (n, &column) in header.columns.iter().enumerate() {
        let to = match ends.next() {
            Some(at) => at,
            None if n + 1 == header.columns.len() => line.len(),
            None => return false,
        };
        if let Some(span) = spans.get_mut(usize::from(column)) {
            // A line has at most a mebibyte.
            *span = (from as u32, to as u32);
        }
        if to == line.len() {
            return n + 1 == header.columns.len();
        }
        from = to + 1;
    }
    // Some writers end every row with a separator.
    from == line.len()
}

/// What the lines with `#` say.
struct Header {
    separator: u8,
    set_separator: Vec<u8>,
    unset: Vec<u8>,
    empty: Vec<u8>,
    path: Option<Stream>,
    stream: Stream,
    columns: Vec<u8>,
}

impl Default for Header {
    fn default() -> Self {
        Self {
            separator: b'\t',
            set_separator: b",".to_vec(),
            unset: b"-".to_vec(),
            empty: b"(empty)".to_vec(),
            path: None,
            stream: Stream::Other,
            columns: Vec::new(),
        }
    }
}

impl Header {
    /// Reads a line of the header. True where it named the fields.
    fn read(&mut self, line: &[u8]) -> bool {
        // The separator itself is set off by a space, for it is not yet known.
        if let Some(separator) = line.strip_prefix(b"#separator ") {
            *self = Self::default();
            // Zeek writes `\x09`, other programs that write its format `\t`.
            let separator = if separator == b"\\t" { vec![b'\t'] } else { unescaped(separator, false) };
            if let Some(&separator) = separator.first() {
                self.separator = separator;
            }
            return false;
        }
        let end = line.iter().position(|&b| b == self.separator).unwrap_or(line.len());
        let value = line.get(end + 1..).unwrap_or_default();
        match &line[..end] {
            b"#set_separator" => self.set_separator = unescaped(value, false),
            b"#unset_field" => self.unset = value.to_vec(),
            b"#empty_field" => self.empty = value.to_vec(),
            b"#path" => self.path = Some(Stream::of_path(value)),
            b"#fields" => {
                self.columns = value.split(|&b| b == self.separator).map(number_of).collect();
                let has = |column: Column| self.columns.contains(&(column as u8));
                self.stream = self.path.unwrap_or_else(|| Stream::of_fields(has));
                return true;
            }
            _ => {}
        }
        false
    }
}

fn number_of(name: &[u8]) -> u8 {
    let place = std::str::from_utf8(name).ok().and_then(place);
    place.map_or(SKIPPED, |place| place as u8)
}

/// A row with its header.
struct Row<'a> {
    line: &'a [u8],
    header: &'a Header,
    spans: &'a [(u32, u32); COLUMNS],
}

impl Record for Row<'_> {
    fn get(&self, column: Column) -> &[u8] {
        let (from, to) = self.spans[column as usize];
        let field = &self.line[from as usize..to as usize];
        if field == self.header.unset || field == self.header.empty { b"" } else { field }
    }

    fn has(&self, column: Column) -> bool {
        self.header.columns.contains(&(column as u8))
    }

    fn each(&self, column: Column, take: &mut dyn FnMut(&[u8])) {
        let field = self.get(column);
        if field.is_empty() {
            return;
        }
        let separator: &[u8] =
            if self.header.set_separator.is_empty() { b"," } else { &self.header.set_separator };
        let mut from = 0;
        for at in memmem::find_iter(field, separator) {
            take(&field[from..at]);
            from = at + separator.len();
        }
        take(&field[from..]);
    }
}

/// Undoes Zeek's escapes: `\xHH` for a byte, and, where asked for, `\\` for a backslash.
pub(super) fn unescaped(text: &[u8], backslash: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'\\' {
            let digit = |place: usize| after.get(place).and_then(|&b| char::from(b).to_digit(16));
            if after.first() == Some(&b'x')
                && let (Some(high), Some(low)) = (digit(1), digit(2))
            {
                out.push((high * 16 + low) as u8);
                rest = &after[3..];
                continue;
            }
            if backslash && after.first() == Some(&b'\\') {
                rest = &after[1..];
            }
        }
        out.push(byte);
    }
    out
}
