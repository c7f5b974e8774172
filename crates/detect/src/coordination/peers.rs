//! Networks by the rules of other tools, so that their users can compare and move over.
//!
//! Both rules were told apart from their own outputs on open data and are repeated edge by edge,
//! weights included: [`coortweet`] and [`toolkit`]. Both depend on the order of the input rows in
//! corner cases, so their gathers need the column that [`number_rows`] adds.

pub mod coortweet;
pub mod toolkit;

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::filter::filter_record_batch;
use traffic::{AccountNames, Batch, Kind, Part, Trace};

use crate::engine::column_i32;

/// Adds an Int64 column `row` to every batch: the place of each row in the input as a whole, in the
/// order of the parts. 2^40 rows a part.
pub fn number_rows(parts: Vec<Part>) -> Vec<Part> {
    let number = |(part, batches): (usize, Part)| -> Part {
        let mut next = (part as i64) << 40;
        Box::new(batches.map(move |batch| {
            let batch = batch?;
            let rows = next..next + batch.rows.num_rows() as i64;
            next = rows.end;
            Ok(Batch::new(
                batch.kind,
                with_column(&batch.rows, "row", Arc::new(Int64Array::from_iter_values(rows))),
            ))
        }))
    };
    parts.into_iter().enumerate().map(number).collect()
}

/// Leaves the rows of one trace.
pub fn only_trace(parts: Vec<Part>, trace: Trace) -> Vec<Part> {
    let keep = move |Batch { kind, rows }: Batch| {
        if kind != Kind::Post {
            return Batch { kind, rows };
        }
        let keep: BooleanArray =
            column_i32(&rows, "trace").iter().map(|&code| Some(code == trace.code())).collect();
        let rows = filter_record_batch(&rows, &keep).expect("internal error: one mark was made for each row");
        Batch { kind, rows }
    };
    parts.into_iter().map(|part| Box::new(part.map(move |batch| batch.map(keep))) as Part).collect()
}

fn with_column(batch: &RecordBatch, name: &str, values: ArrayRef) -> RecordBatch {
    let field = Arc::new(Field::new(name, DataType::Int64, false));
    let fields: Vec<_> = batch.schema().fields().iter().cloned().chain([field]).collect();
    let columns = batch.columns().iter().cloned().chain([values]).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .expect("internal error: one value was made for each row")
}

/// Accounts in the order of their names, which does not depend on the order of input.
struct ByName {
    /// Place of an account among the names, by its id; `u32::MAX` where it was not asked for.
    places: Vec<u32>,
    /// The account at each place.
    accounts: Vec<i32>,
}

impl ByName {
    /// Orders these accounts. Each may be given many times.
    fn new(accounts: impl Iterator<Item = i32>, names: &AccountNames) -> Self {
        let mut seen: Vec<bool> = Vec::new();
        for account in accounts {
            let at = account as usize;
            if at >= seen.len() {
                seen.resize((at + 1).next_power_of_two(), false);
            }
            seen[at] = true;
        }
        let mut named: Vec<(Box<str>, i32)> = seen
            .iter()
            .enumerate()
            .filter(|(_, seen)| **seen)
            .map(|(id, _)| (names.name(id as i32).into(), id as i32))
            .collect();
        named.sort_unstable();
        let mut places = vec![u32::MAX; seen.len()];
        for (place, (_, account)) in named.iter().enumerate() {
            places[*account as usize] = place as u32;
        }
        Self { places, accounts: named.into_iter().map(|(_, account)| account).collect() }
    }

    fn place(&self, account: i32) -> u32 {
        self.places[account as usize]
    }

    fn account(&self, place: u32) -> i32 {
        self.accounts[place as usize]
    }
}
