//! Kinds of network traffic, whose columns are the schema's already: batches go through as they are, and
//! only a batch with a bad row is looked at row by row.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Fields, SchemaRef};
use traffic::{Batch, Kind, SourceError, flow, login, lookup, rate, request, tls};

use super::{Groups, Origin, Reader};
use crate::BATCH_ROWS;
use crate::network::fields::{LARGEST, is_count};
use crate::problems::Reason;
use crate::reading::Shared;
use crate::records::Log;

/// Kinds that are read so, and their schemas.
fn schemas() -> [(Kind, SchemaRef); 6] {
    [
        (Kind::Flow, flow::schema()),
        (Kind::Request, request::schema()),
        (Kind::Lookup, lookup::schema()),
        (Kind::Login, login::schema()),
        (Kind::Tls, tls::schema()),
        (Kind::Rate, rate::schema()),
    ]
}

/// The kind whose columns a file has, and their places in the order of the schema. A file may have more.
///
/// # Errors
/// It has nearly all columns of a kind: which one is missing.
pub(super) fn recognise(fields: &Fields) -> Result<Option<(Kind, Vec<usize>)>, String> {
    let mut nearly = None;
    for (kind, schema) in schemas() {
        let place = |name: &str, of: &DataType| {
            fields.iter().position(|field| field.name() == name && field.data_type() == of)
        };
        let places: Vec<Option<usize>> =
            schema.fields().iter().map(|field| place(field.name(), field.data_type())).collect();
        if let Some(places) = places.iter().copied().collect() {
            return Ok(Some((kind, places)));
        }
        let missing: Vec<usize> = (0..places.len()).filter(|&n| places[n].is_none()).collect();
        if let [first, ..] = missing[..]
            && missing.len() * 4 <= places.len()
        {
            let field = schema.field(first);
            nearly = Some(format!(
                "it has columns of the kind {kind}, but no column {} of {}",
                field.name(),
                field.data_type()
            ));
        }
    }
    nearly.map_or(Ok(None), Err)
}

/// Reads row groups of one kind.
pub(super) struct Kinds {
    shared: Arc<Shared>,
    groups: Groups,
    origin: Origin,
    kind: Kind,
    schema: SchemaRef,
    /// For each column of the schema its place among those that are read.
    order: Vec<usize>,
    reader: Option<Reader>,
    opened: bool,
    log: Log,
    row: u64,
    any_read: bool,
}

impl Kinds {
    pub(super) fn new(
        shared: Arc<Shared>,
        groups: Groups,
        origin: Origin,
        kind: Kind,
        places: &[usize],
    ) -> Self {
        let log = Log { source: origin.name.clone(), ..Log::default() };
        let row = groups.rows_before();
        let schemas = schemas();
        let (_, schema) = schemas
            .iter()
            .find(|(known, _)| *known == kind)
            .expect("internal error: only kinds with a schema are recognised");
        let order = places.iter().map(|place| places.iter().filter(|&other| other < place).count()).collect();
        Self {
            shared,
            groups,
            origin,
            kind,
            schema: schema.clone(),
            order,
            reader: None,
            opened: false,
            log,
            row,
            any_read: false,
        }
    }

    fn batch(&mut self, batch: &RecordBatch) -> RecordBatch {
        let first_row = self.row + 1;
        self.row += batch.num_rows() as u64;
        let columns: Vec<ArrayRef> = self.order.iter().map(|&place| batch.column(place).clone()).collect();
        let good = columns.iter().zip(self.schema.fields()).all(|(column, field)| {
            column.null_count() == 0
                && match field.data_type() {
                    DataType::Int32 if is_count(field.name()) => {
                        let values = column.as_primitive::<Int32Type>().values();
                        values.iter().fold(0, |all, n| all | n.saturating_add(1)) >= 0
                    }
                    DataType::Int64 => {
                        self.is_good(field.name(), column.as_primitive::<Int64Type>().values())
                    }
                    _ => true,
                }
        });
        let columns = if good { columns } else { self.keep_good(&columns, first_row) };
        self.log.read += columns.first().map_or(0, Array::len) as u64;
        RecordBatch::try_new(self.schema.clone(), columns)
            .expect("internal error: the columns follow the schema")
    }

    /// A pass without branches, which the compiler turns into vector code: the sign bit of a union is set if
    /// it is set anywhere.
    fn is_good(&self, name: &str, values: &[i64]) -> bool {
        if name == "time" {
            let latest = self.shared.context.bounds.latest();
            values.iter().fold(0, |all, time| all | time | latest.saturating_sub(*time)) >= 0
        } else if is_count(name) {
            // -1 stands for an unknown count.
            values.iter().fold(0, |all, n| all | n.saturating_add(1) | LARGEST.saturating_sub(*n)) >= 0
        } else {
            true
        }
    }

    fn keep_good(&mut self, columns: &[ArrayRef], first_row: u64) -> Vec<ArrayRef> {
        let rows = columns.first().map_or(0, Array::len);
        let schema = self.schema.clone();
        let mut kept = Vec::with_capacity(rows);
        for row in 0..rows {
            let refused = columns.iter().zip(schema.fields()).find_map(|(column, field)| {
                let name = field.name().as_str();
                if column.is_null(row) {
                    let reason = if name == "time" { Reason::NoTime } else { Reason::BadNumber };
                    return Some((reason, name, "nothing".to_owned()));
                }
                let value = match field.data_type() {
                    DataType::Int32 => i64::from(column.as_primitive::<Int32Type>().value(row)),
                    _ => column.as_primitive::<Int64Type>().value(row),
                };
                let reason = if name == "time" {
                    self.shared.context.bounds.check(value).err()?
                } else if is_count(name) && !(-1..=LARGEST).contains(&value) {
                    Reason::BadNumber
                } else {
                    return None;
                };
                Some((reason, name, value.to_string()))
            });
            if let Some((reason, name, value)) = refused {
                self.log.refuse(reason, first_row + row as u64, format!("{name} {value}").as_bytes());
            } else {
                kept.push(row);
            }
        }
        columns
            .iter()
            .map(|column| match column.as_primitive_opt::<Int32Type>() {
                Some(column) => {
                    Arc::new(kept.iter().map(|&row| column.value(row)).collect::<Int32Array>()) as ArrayRef
                }
                None => {
                    let column = column.as_primitive::<Int64Type>();
                    Arc::new(kept.iter().map(|&row| column.value(row)).collect::<Int64Array>()) as ArrayRef
                }
            })
            .collect()
    }
}

impl Iterator for Kinds {
    type Item = Result<Batch, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.opened {
            self.opened = true;
            match self.groups.open_file(&self.origin, BATCH_ROWS) {
                Ok(reader) => self.reader = Some(reader),
                Err(error) => return Some(Err(error)),
            }
        }
        loop {
            match self.reader.as_mut().and_then(Iterator::next) {
                Some(Ok(batch)) => {
                    let rows = batch.num_rows() as u64;
                    let batch = self.batch(&batch);
                    self.any_read |= batch.num_rows() > 0;
                    if self.any_read {
                        self.shared.count(&mut self.log);
                    }
                    self.shared.progress.add_bytes(self.origin.bytes_of(rows));
                    self.shared.progress.add_rows(batch.num_rows());
                    if batch.num_rows() > 0 {
                        let batch = Batch::new(self.kind, batch);
                        self.shared.note_kinds(std::slice::from_ref(&batch));
                        return Some(Ok(batch));
                    }
                }
                Some(Err(damage)) => {
                    self.log.refuse(Reason::Damaged, self.row + 1, damage.to_string().as_bytes());
                    self.reader = None;
                }
                None => {
                    self.reader = None;
                    if let Some(error) = self.origin.lost_all(&self.shared, &mut self.log, self.any_read) {
                        return Some(Err(error));
                    }
                    self.shared.count(&mut self.log);
                    return None;
                }
            }
        }
    }
}
