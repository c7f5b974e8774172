//! Columns of text, or of numbers that serve as names, read row by row like a table.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use traffic::{Batch, SourceError};

use super::{Columns, Groups, Origin, Reader, TEXT_ROWS};
use crate::problems::Reason;
use crate::reading::{Shared, give_out};
use crate::records::Log;
use crate::rows::Rows;
use crate::tables::Layout;

/// True for the kinds of columns that can be written as a field of a table.
pub(super) fn is_readable(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8
            | DataType::Binary
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt32
            | DataType::UInt64
            | DataType::Float32
            | DataType::Float64
            | DataType::Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond | TimeUnit::Nanosecond, _)
    )
}

/// Reads row groups as a table.
pub(super) struct Text {
    shared: Arc<Shared>,
    groups: Groups,
    origin: Origin,
    layout: Layout,
    reader: Option<Reader>,
    opened: bool,
    current: Option<(RecordBatch, usize)>,
    rows: Rows,
    ready: VecDeque<Batch>,
    log: Log,
    row: u64,
    any_read: bool,
}

impl Text {
    pub(super) fn new(shared: Arc<Shared>, groups: Groups, origin: Origin) -> Self {
        let log = Log { source: origin.name.clone(), ..Log::default() };
        let layout = match &groups.columns {
            Columns::Text(_, layout) => layout.clone(),
            Columns::Numbers(_) | Columns::Kind(..) => Layout::of_numbers(groups.order()),
        };
        let row = groups.rows_before();
        let rows = shared.rows();
        Self {
            shared,
            groups,
            origin,
            layout,
            reader: None,
            opened: false,
            current: None,
            rows,
            ready: VecDeque::new(),
            log,
            row,
            any_read: false,
        }
    }

    /// Reads rows of the current batch until it is used up or there are enough.
    fn read_rows(&mut self, batch: &RecordBatch, from: usize) -> usize {
        let mut fields: Vec<Vec<u8>> = vec![Vec::new(); batch.num_columns()];
        for row in from..batch.num_rows() {
            if self.rows.is_full() {
                return row;
            }
            for (field, column) in fields.iter_mut().zip(batch.columns()) {
                field.clear();
                write_field(column, row, field);
            }
            self.row += 1;
            let outcome =
                self.layout.read(|column| fields[column].as_slice(), &self.shared.context, &mut self.rows);
            match outcome {
                Ok(None) => self.log.read += 1,
                outcome => self.log.outcome(outcome, self.row, &fields.join(&b' ')),
            }
        }
        batch.num_rows()
    }
}

impl Iterator for Text {
    type Item = Result<Batch, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(batch) = self.ready.pop_front() {
            return Some(Ok(batch));
        }
        if !self.opened {
            self.opened = true;
            match self.groups.open_file(&self.origin, TEXT_ROWS) {
                Ok(reader) => self.reader = Some(reader),
                Err(error) => return Some(Err(error)),
            }
        }
        loop {
            if let Some((batch, from)) = self.current.take() {
                let to = self.read_rows(&batch, from);
                self.shared.progress.add_bytes(self.origin.bytes_of((to - from) as u64));
                if to < batch.num_rows() {
                    self.current = Some((batch, to));
                }
            }
            if self.rows.is_full() {
                self.any_read = true;
                return Some(give_out(&self.shared, &mut self.rows, &mut self.log, &mut self.ready));
            }
            match self.reader.as_mut().and_then(Iterator::next) {
                Some(Ok(batch)) => self.current = Some((batch, 0)),
                Some(Err(damage)) => {
                    self.log.refuse(Reason::Damaged, self.row + 1, damage.to_string().as_bytes());
                    self.reader = None;
                }
                None => {
                    self.reader = None;
                    if let Some(error) = self.origin.lost_all(&self.shared, &mut self.log, self.any_read) {
                        return Some(Err(error));
                    }
                    if self.rows.len() > 0 {
                        return Some(give_out(&self.shared, &mut self.rows, &mut self.log, &mut self.ready));
                    }
                    self.shared.count(&mut self.log);
                    return None;
                }
            }
        }
    }
}

/// Writes a value as a table would show it. A null is an empty field.
fn write_field(column: &ArrayRef, row: usize, out: &mut Vec<u8>) {
    if column.is_null(row) {
        return;
    }
    macro_rules! number {
        ($kind:ty) => {
            write!(out, "{}", column.as_primitive::<$kind>().value(row))
        };
    }
    // A typed time says its unit; as a bare number it would be told by its size.
    let mut time = |millis: i64| write!(out, "{}", domain::Timestamp(millis));
    let written = match column.data_type() {
        DataType::Utf8 => {
            out.extend_from_slice(column.as_string::<i32>().value(row).as_bytes());
            Ok(())
        }
        DataType::Binary => {
            out.extend_from_slice(column.as_binary::<i32>().value(row));
            Ok(())
        }
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            time(column.as_primitive::<TimestampMillisecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            time(column.as_primitive::<TimestampMicrosecondType>().value(row).div_euclid(1000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            time(column.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000_000))
        }
        _ => Ok(()),
    };
    written.expect("internal error: writing to memory cannot fail");
}
