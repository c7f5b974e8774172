//! The engine: a gather is a value, engines interpret it.
//!
//! A [`Gather`] is a small graph of [`Step`]s. A step takes rows from traffic or from earlier
//! steps, sends each to a partition by a hash of its `by` columns, sorts every partition by `by`,
//! then `order`, then all other columns, and folds a [`Kernel`] over the run of rows. That is all
//! an engine must know, so the same gather runs in one process ([`Engine`]), on event-time
//! windows, or on a cluster.
//!
//! First steps of gathers that want the same rows in the same order share one shuffle.
//!
//! Rows are sorted by *all* columns, so their order of arrival, the number of threads and the
//! memory ceiling cannot show in the result: the same rows give the same bytes.
//!
//! Every step carries [`Totals`]. A run whose totals do not add up fails: no answer is better than
//! a wrong one.

mod gather;
mod local;
mod rows;
mod spill;
mod table;
mod writer;

pub use gather::{
    Accounted, Emit, Gather, Input, Kernel, MakeKernel, Map, Step, Tables, column_i32, column_i64, schema_of,
};
pub use local::{Engine, EngineError, Progress, Totals};
pub use table::{Cell, Fold, Record, Table, folding, rows};
pub(crate) use table::{record, within};
