//! Ids and times as they stand in the file, without a copy.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, RecordBatch};
use traffic::{Action, Platform, SourceError, Trace, post};
use traffic::{Batch, Kind};

use super::{Groups, Origin, Reader};
use crate::BATCH_ROWS;
use crate::problems::Reason;
use crate::reading::Shared;
use crate::records::Log;

/// Reads row groups whose account and object are ids.
pub(super) struct Numbers {
    shared: Arc<Shared>,
    groups: Groups,
    origin: Origin,
    reader: Option<Reader>,
    opened: bool,
    constants: Constants,
    log: Log,
    row: u64,
    any_read: bool,
    order: [usize; 3],
}

impl Numbers {
    pub(super) fn new(shared: Arc<Shared>, groups: Groups, origin: Origin) -> Self {
        let log = Log { source: origin.name.clone(), ..Log::default() };
        let (row, order) = (groups.rows_before(), groups.order());
        let constants = Constants::of(0);
        Self {
            shared,
            groups,
            origin,
            reader: None,
            opened: false,
            constants,
            log,
            row,
            any_read: false,
            order,
        }
    }

    fn batch(&mut self, batch: &RecordBatch) -> RecordBatch {
        let [account, object, time] = self.order.map(|column| batch.column(column));
        let accounts = account.as_primitive::<Int32Type>();
        let objects = object.as_primitive::<Int64Type>();
        let times = match time.as_primitive_opt::<Int64Type>() {
            Some(times) => times.clone(),
            None => time.as_primitive::<TimestampMillisecondType>().reinterpret_cast::<Int64Type>(),
        };
        let first_row = self.row + 1;
        self.row += batch.num_rows() as u64;
        let latest = self.shared.context.bounds.latest();
        let nulls = accounts.null_count() + objects.null_count() + times.null_count();
        // Passes without branches, which the compiler turns into vector code; the rare batch with a
        // bad row takes the slow way. The sign bit of a union is set if it is set anywhere.
        let good_accounts = accounts.values().iter().fold(0, |all, account| all | account) >= 0;
        let good_times =
            times.values().iter().fold(0, |all, time| all | time | latest.saturating_sub(*time)) >= 0;
        let columns = if nulls == 0 && good_accounts && good_times {
            (
                Arc::new(accounts.clone()) as ArrayRef,
                Arc::new(objects.clone()) as ArrayRef,
                Arc::new(times) as ArrayRef,
            )
        } else {
            self.keep_good(accounts, objects, &times, first_row)
        };
        let n = columns.0.len();
        self.log.read += n as u64;
        if self.constants.rows != n {
            self.constants = Constants::of(n);
        }
        let c = &self.constants;
        let columns = vec![
            columns.0,
            columns.1,
            c.trace.clone(),
            c.action.clone(),
            columns.2,
            c.post.clone(),
            c.platform.clone(),
            c.author.clone(),
        ];
        RecordBatch::try_new(post::schema(), columns).expect("internal error: the columns follow the schema")
    }

    fn keep_good(
        &mut self,
        accounts: &Int32Array,
        objects: &Int64Array,
        times: &Int64Array,
        first_row: u64,
    ) -> (ArrayRef, ArrayRef, ArrayRef) {
        let (mut kept_accounts, mut kept_objects, mut kept_times) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..accounts.len() {
            let checked = if accounts.is_null(i) {
                Err(Reason::NoAccount)
            } else if objects.is_null(i) {
                Err(Reason::NoObject)
            } else if times.is_null(i) {
                Err(Reason::NoTime)
            } else if accounts.value(i) < 0 {
                Err(Reason::NegativeAccount)
            } else {
                self.shared.context.bounds.check(times.value(i))
            };
            match checked {
                Ok(time) => {
                    kept_accounts.push(accounts.value(i));
                    kept_objects.push(objects.value(i));
                    kept_times.push(time);
                }
                Err(reason) => {
                    let shown =
                        format!("{:?} {:?} {:?}", accounts.value(i), objects.value(i), times.value(i));
                    self.log.refuse(reason, first_row + i as u64, shown.as_bytes());
                }
            }
        }
        (
            Arc::new(Int32Array::from(kept_accounts)),
            Arc::new(Int64Array::from(kept_objects)),
            Arc::new(Int64Array::from(kept_times)),
        )
    }
}

impl Iterator for Numbers {
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
                        let batch = Batch::new(Kind::Post, batch);
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

/// Columns that are the same in every row: made once for each length of batch.
struct Constants {
    rows: usize,
    trace: ArrayRef,
    action: ArrayRef,
    post: ArrayRef,
    platform: ArrayRef,
    author: ArrayRef,
}

impl Constants {
    fn of(rows: usize) -> Self {
        let int32 = |value: i32| Arc::new(Int32Array::from(vec![value; rows])) as ArrayRef;
        Self {
            rows,
            trace: int32(Trace::Object.code()),
            action: int32(Action::Share.code()),
            post: Arc::new(Int64Array::from(vec![-1; rows])),
            platform: int32(Platform::Unknown.code()),
            author: int32(-1),
        }
    }
}
