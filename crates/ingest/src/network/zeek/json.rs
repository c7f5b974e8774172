//! Zeek's JSON, one record a line. Every record says by its own fields which stream it is of, so streams
//! may be mixed.

use std::borrow::Cow;
use std::io::{self, Read};

use super::columns::{COLUMNS, Column, Record, place};
use super::{RECORDS_A_STEP, Stream, records};
use crate::files::{Line, Lines};
use crate::network::json;
use crate::problems::Reason;
use crate::records::{Context, Log, Records, as_utf8};
use crate::rows::Rows;

pub(super) struct Reader<R> {
    lines: Lines<R>,
    context: Context,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(source: R, context: Context) -> Self {
        Self { lines: Lines::new(source), context }
    }
}

impl<R: Read + Send> Records for Reader<R> {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        for _ in 0..RECORDS_A_STEP {
            match self.lines.next()? {
                Line::End => return Ok(false),
                Line::TooLong(number, head) => log.refuse(Reason::LineTooLong, number, head),
                Line::Whole(_, line) if line.trim_ascii().is_empty() => {}
                Line::Whole(number, line) => one(line, number, &self.context, rows, log),
            }
        }
        Ok(true)
    }
}

fn one(line: &[u8], number: u64, context: &Context, rows: &mut Rows, log: &mut Log) {
    let utf8 = as_utf8(line);
    if matches!(utf8, Cow::Owned(_)) {
        log.note(Reason::NotUtf8, number, line);
    }
    let Ok(values) = json::object::<COLUMNS>(&utf8, place) else {
        let reason = if line.contains(&0) { Reason::NulByte } else { Reason::NotJson };
        return log.refuse(reason, number, line);
    };
    let record = Object { texts: values.map(json::text), values };
    let stream = record.stream();
    let outcome = if stream == Stream::Other {
        Ok(Some(Reason::OtherTraffic))
    } else {
        records::read(&record, stream, context, rows)
    };
    match outcome {
        Ok(Some(Reason::OtherTraffic)) => log.note(Reason::OtherTraffic, number, line),
        outcome => log.outcome(outcome, number, line),
    }
}

/// True for a record of any of Zeek's streams.
pub(super) fn is_record(line: &[u8]) -> bool {
    let Ok(values) = json::object::<COLUMNS>(&as_utf8(line), place).map(|values| values.map(<[u8]>::len))
    else {
        return false;
    };
    let has = |column: Column| values[column as usize] > 0;
    has(Column::Time)
        && (has(Column::Path) || has(Column::Stream) || has(Column::Uid) || has(Column::OrigHost))
}

struct Object<'a> {
    values: [&'a [u8]; COLUMNS],
    texts: [Cow<'a, [u8]>; COLUMNS],
}

impl Object<'_> {
    fn stream(&self) -> Stream {
        for column in [Column::Path, Column::Stream] {
            let path = self.get(column);
            if !path.is_empty() {
                return Stream::of_path(path);
            }
        }
        Stream::of_fields(|column| !self.values[column as usize].is_empty())
    }
}

impl Record for Object<'_> {
    fn get(&self, column: Column) -> &[u8] {
        &self.texts[column as usize]
    }

    fn has(&self, _: Column) -> bool {
        true
    }

    fn each(&self, column: Column, take: &mut dyn FnMut(&[u8])) {
        for element in json::elements(self.values[column as usize]) {
            take(&json::text(element));
        }
    }
}
