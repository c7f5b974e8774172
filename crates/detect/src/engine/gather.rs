//! What a gather is made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use traffic::Kind;

use super::EngineError;

/// A description of how much traffic becomes a small table of evidence.
#[derive(Clone)]
pub struct Gather {
    /// The detector's name.
    pub name: &'static str,
    /// The steps, each after the steps that it reads.
    pub steps: Vec<Step>,
    /// How far a row can look back over the edge of a window, in milliseconds.
    pub reach_ms: i64,
}

/// One shuffle and one fold.
#[derive(Clone)]
pub struct Step {
    /// Unique among all steps of a run: `detector.step`.
    pub name: &'static str,
    /// Where rows come from. Several inputs are united: a column that one lacks is 0, and a kernel
    /// whose input has a column `source` finds there which input a row came from.
    pub from: Vec<Input>,
    /// Rows that agree on these columns meet in one kernel, one after the other.
    pub by: &'static [&'static str],
    /// Order of the rows inside one value of `by`. Ties are broken by all other columns.
    pub order: &'static [&'static str],
    /// Merges rows of one partition beforehand, so that one flooded key is not one huge partition.
    /// Its input and output are both the input of `kernel`, and it may run any number of times.
    pub combine: Option<Arc<dyn MakeKernel>>,
    /// The fold.
    pub kernel: Arc<dyn MakeKernel>,
    /// The result is small and broadcast: later kernels see it whole when they start.
    pub small: bool,
    /// The result is evidence: it comes out of the run.
    pub keep: bool,
    /// Logical partitions, the same for any number of threads.
    pub partitions: usize,
}

impl Step {
    /// True where both want the same traffic, by the same maps, in the same order, so that one shuffle can feed both.
    pub(super) fn shares_shuffle(&self, other: &Self) -> bool {
        let same_input = |pair: (&Input, &Input)| match pair {
            (Input::Traffic(kind, None), Input::Traffic(other, None)) => kind == other,
            (Input::Traffic(kind, Some(map)), Input::Traffic(other, Some(other_map))) => {
                kind == other && Arc::ptr_eq(map, other_map)
            }
            _ => false,
        };
        self.from.len() == other.from.len()
            && self.from.iter().zip(&other.from).all(same_input)
            && (self.by, self.order, self.partitions) == (other.by, other.order, other.partitions)
            && self.combine.is_none()
            && other.combine.is_none()
            && self.kernel.input() == other.kernel.input()
    }
}

/// Where a step's rows come from.
#[derive(Clone)]
pub enum Input {
    /// Traffic of one kind, first passed through a row filter or map where one is given.
    Traffic(Kind, Option<Map>),
    /// The output of an earlier step, by name.
    Step(&'static str),
}

/// A row filter or map. It sees each batch on its own and must give the same rows for the same rows. Steps of
/// several gathers that hold the same one (not one that is made alike) may share its work.
pub type Map = Arc<dyn Fn(&RecordBatch) -> RecordBatch + Send + Sync>;

impl Input {
    /// Traffic as it is.
    pub fn traffic(kind: Kind) -> Self {
        Self::Traffic(kind, None)
    }

    /// Traffic through a map.
    pub fn mapped(kind: Kind, map: impl Fn(&RecordBatch) -> RecordBatch + Send + Sync + 'static) -> Self {
        Self::Traffic(kind, Some(Arc::new(map)))
    }
}

/// Makes one kernel per partition.
pub trait MakeKernel: Send + Sync {
    /// The columns that the kernel reads, all Int32 or Int64. Others are not carried.
    fn input(&self) -> SchemaRef;
    /// The columns that it puts out. Int32 and Int64 only where another step reads them.
    fn output(&self) -> SchemaRef;
    /// A fresh kernel. `small` holds the results of earlier steps that are marked so.
    fn start(&self, small: &Tables) -> Box<dyn Kernel>;
}

/// A fold over one partition. A group of rows may cross batches.
pub trait Kernel: Send {
    /// Takes the next rows, in order.
    ///
    /// # Errors
    /// Passes on what [`Emit::emit`] refused.
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError>;

    /// No more rows. Says what became of all those that were pushed.
    ///
    /// # Errors
    /// Passes on what [`Emit::emit`] refused.
    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError>;
}

/// What a kernel says became of its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounted {
    /// Rows that entered the result, or that the rule of the kernel passes over.
    pub used: u64,
    /// Rows left out for a reason that the user must hear of.
    pub refused: BTreeMap<&'static str, u64>,
}

impl Accounted {
    /// All rows were used.
    pub fn used(rows: u64) -> Self {
        Self { used: rows, refused: BTreeMap::new() }
    }
}

/// Where a kernel puts its output. Rows go on at once, so a kernel need not hold them.
pub struct Emit<'a> {
    sink: &'a mut dyn FnMut(RecordBatch) -> Result<(), EngineError>,
}

impl<'a> Emit<'a> {
    /// Over any sink.
    pub fn new(sink: &'a mut dyn FnMut(RecordBatch) -> Result<(), EngineError>) -> Self {
        Self { sink }
    }

    /// Puts out a batch; some 65,536 rows are a good size. Empty batches are skipped.
    ///
    /// # Errors
    /// The engine could not keep the rows.
    pub fn emit(&mut self, batch: RecordBatch) -> Result<(), EngineError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        (self.sink)(batch)
    }
}

/// Results of steps by name, each a list of batches in a fixed order.
pub type Tables = BTreeMap<&'static str, Vec<RecordBatch>>;

/// A schema of non-null columns.
pub fn schema_of(columns: &[(&str, DataType)]) -> SchemaRef {
    let fields: Vec<Field> =
        columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), false)).collect();
    Arc::new(Schema::new(fields))
}

/// The values of an Int32 column.
pub fn column_i32<'a>(batch: &'a RecordBatch, name: &str) -> &'a [i32] {
    batch
        .column_by_name(name)
        .unwrap_or_else(|| panic!("internal error: the batch has no column `{name}`"))
        .as_primitive::<Int32Type>()
        .values()
}

/// The values of an Int64 column.
pub fn column_i64<'a>(batch: &'a RecordBatch, name: &str) -> &'a [i64] {
    batch
        .column_by_name(name)
        .unwrap_or_else(|| panic!("internal error: the batch has no column `{name}`"))
        .as_primitive::<Int64Type>()
        .values()
}
