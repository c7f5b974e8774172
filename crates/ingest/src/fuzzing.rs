//! Parsers of bytes from outside, one call each, for fuzzing. Not for use elsewhere.
//!
//! Each looks at what came out as well: a time or a count that the detectors must not see is as bad as a panic.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use domain::Timestamp;
use traffic::{AccountNames, Address, Batch, ObjectNames, Seed, Trace};

use crate::files::Input;
use crate::network::{datagram, fields};
use crate::reading::open_records;
use crate::records::{Context, Log};
use crate::rows::Rows;
use crate::sniff::sniff;
use crate::time::Bounds;

/// The present in fuzzing: the year 2100. As in use, what is later is refused.
pub const NOW: Timestamp = Timestamp(4_102_444_800_000);

/// Reads bytes as text of whatever format they show, and gives the number of rows.
///
/// # Panics
/// What came out is unsound.
pub fn fuzz_text(bytes: &[u8]) -> usize {
    let open = || Input::new(std::io::Cursor::new(bytes.to_vec()), None);
    let context = Context { bounds: Bounds::new(NOW), default_trace: Trace::Object };
    let Ok(Ok(Ok(format))) = open().map(|mut input| sniff(&mut input)) else { return 0 };
    let Ok(input) = open() else { return 0 };
    let mut records = open_records(input, format, context);
    let (mut rows, mut log, mut sink) = (Rows::new(Seed(0), None), Log::default(), Sink::default());
    while let Ok(true) = records.step(&mut rows, &mut log) {
        if rows.is_full() {
            sink.take(&mut rows);
        }
    }
    sink.take(&mut rows);
    sink.rows
}

/// Decodes export datagrams, each behind its length in two bytes, of one exporter or, by the highest bit of the
/// length, of another, and gives the number of flows.
///
/// # Panics
/// What came out is unsound.
pub fn fuzz_datagrams(bytes: &[u8]) -> usize {
    let mut collector = datagram::Collector::until(Bounds::new(NOW).latest());
    let (mut rows, mut log, mut sink) = (Rows::new(Seed(0), None), Log::default(), Sink::default());
    let mut rest = bytes;
    while let [high, low, behind @ ..] = rest {
        let prefix = u16::from_be_bytes([*high, *low]);
        let length = usize::from(prefix & 0x7fff).min(behind.len());
        let (datagram, behind) = behind.split_at(length);
        let exporter = Address::v4(u32::from(prefix >> 15));
        collector.datagram(exporter, 2055, datagram, 1_767_225_600_000, &mut rows, &mut log);
        rest = behind;
    }
    collector.finish(&mut log);
    sink.take(&mut rows);
    sink.rows
}

/// Reads bytes as Parquet, and gives the number of rows.
pub fn fuzz_parquet(bytes: &[u8]) -> usize {
    crate::parquet::count_rows(bytes)
}

/// Where batches end.
struct Sink {
    accounts: AccountNames,
    objects: ObjectNames,
    rows: usize,
}

impl Default for Sink {
    fn default() -> Self {
        Self { accounts: AccountNames::plain(), objects: ObjectNames::new(), rows: 0 }
    }
}

impl Sink {
    fn take(&mut self, rows: &mut Rows) {
        for batch in rows.finish(&mut self.accounts, &mut self.objects) {
            check(&batch);
            self.rows += batch.rows.num_rows();
        }
    }
}

/// Whether times lie between the epoch and tomorrow, and counts can be added up.
///
/// # Panics
/// One does not.
pub fn check(batch: &Batch) {
    let latest = Bounds::new(NOW).latest();
    for (field, column) in batch.rows.schema().fields().iter().zip(batch.rows.columns()) {
        let allowed = match field.name().as_str() {
            "time" => 0..=latest,
            name if fields::is_count(name) => -1..=fields::LARGEST,
            _ => continue,
        };
        let sound = |value: i64| {
            assert!(allowed.contains(&value), "{}: {} is {value}", batch.kind, field.name());
        };
        match column.as_primitive_opt::<Int32Type>() {
            Some(column) => column.values().iter().for_each(|&value| sound(value.into())),
            None => column.as_primitive::<Int64Type>().values().iter().for_each(|&value| sound(value)),
        }
    }
}
