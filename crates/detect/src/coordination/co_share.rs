//! Pairs of accounts that share an object within a window, and on how many distinct objects.
//!
//! Two steps: by object in order of time, every pair of rows of two accounts within the window; by
//! pair, the number of distinct objects. Pair events are the output-bound part: their number is
//! the sum over rows of the rows of the same object within the window.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};

use crate::engine::{
    Accounted, Emit, EngineError, Gather, Input, Kernel, MakeKernel, Step, Tables, column_i32, column_i64,
    schema_of,
};

/// Rows that a kernel gathers before it puts them out.
const OUT_ROWS: usize = 16_384;

/// Pairs that meet on at least `min_objects` distinct objects within `window_ms` (inclusive).
///
/// Result `co-share.pairs`: `a` Int32 < `b` Int32, `objects` Int64.
pub fn gather(window_ms: i64, min_objects: i64) -> Gather {
    Gather {
        name: "co-share",
        reach_ms: window_ms,
        steps: vec![
            Step {
                name: "co-share.meetings",
                from: vec![Input::traffic(traffic::Kind::Post)],
                by: &["object"],
                order: &["time"],
                combine: None,
                kernel: Arc::new(MakeMeetings { window_ms }),
                small: false,
                keep: false,
                partitions: 64,
            },
            Step {
                name: "co-share.pairs",
                from: vec![Input::Step("co-share.meetings")],
                by: &["a", "b"],
                order: &["object"],
                combine: None,
                kernel: Arc::new(MakeCount { min_objects }),
                small: false,
                keep: true,
                partitions: 256,
            },
        ],
    }
}

struct MakeMeetings {
    window_ms: i64,
}

impl MakeKernel for MakeMeetings {
    fn input(&self) -> SchemaRef {
        schema_of(&[("object", DataType::Int64), ("time", DataType::Int64), ("account", DataType::Int32)])
    }

    fn output(&self) -> SchemaRef {
        pair_schema()
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Meetings {
            window_ms: self.window_ms,
            object: None,
            recent: VecDeque::new(),
            out: Pairs::with_room(),
            rows: 0,
        })
    }
}

fn pair_schema() -> SchemaRef {
    schema_of(&[("a", DataType::Int32), ("b", DataType::Int32), ("object", DataType::Int64)])
}

/// Slides over one object after the other. Holds the rows of the last window only; a pair that
/// meets twice on one object is put out twice, and counted once by the next step.
struct Meetings {
    window_ms: i64,
    object: Option<i64>,
    recent: VecDeque<(i64, i32)>,
    out: Pairs,
    rows: u64,
}

#[derive(Default)]
struct Pairs {
    a: Vec<i32>,
    b: Vec<i32>,
    object: Vec<i64>,
}

impl Pairs {
    /// With room for a batch and what one more row may add.
    fn with_room() -> Self {
        let room = OUT_ROWS + OUT_ROWS / 8;
        Self { a: Vec::with_capacity(room), b: Vec::with_capacity(room), object: Vec::with_capacity(room) }
    }

    fn emit(&mut self, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let full = std::mem::replace(self, Self::with_room());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(full.a)),
            Arc::new(Int32Array::from(full.b)),
            Arc::new(Int64Array::from(full.object)),
        ];
        let batch = RecordBatch::try_new(pair_schema(), columns);
        out.emit(batch.expect("internal error: the columns follow the schema"))
    }
}

impl Kernel for Meetings {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let (objects, times) = (column_i64(batch, "object"), column_i64(batch, "time"));
        let accounts = column_i32(batch, "account");
        self.rows += accounts.len() as u64;
        for ((&object, &time), &account) in objects.iter().zip(times).zip(accounts) {
            if self.object != Some(object) {
                self.object = Some(object);
                self.recent.clear();
            }
            while self.recent.front().is_some_and(|&(t, _)| time - t > self.window_ms) {
                self.recent.pop_front();
            }
            let (front, back) = self.recent.as_slices();
            for &(_, other) in front.iter().chain(back) {
                if other != account {
                    self.out.a.push(other.min(account));
                    self.out.b.push(other.max(account));
                }
            }
            self.out.object.resize(self.out.a.len(), object);
            self.recent.push_back((time, account));
            if self.out.a.len() >= OUT_ROWS {
                self.out.emit(out)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.out.emit(out)?;
        Ok(Accounted::used(self.rows))
    }
}

struct MakeCount {
    min_objects: i64,
}

impl MakeKernel for MakeCount {
    fn input(&self) -> SchemaRef {
        pair_schema()
    }

    fn output(&self) -> SchemaRef {
        schema_of(&[("a", DataType::Int32), ("b", DataType::Int32), ("objects", DataType::Int64)])
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Count {
            min_objects: self.min_objects,
            pair: None,
            object: 0,
            objects: 0,
            out: Pairs::default(),
            schema: self.output(),
            rows: 0,
        })
    }
}

/// Counts distinct objects over the run of one pair.
struct Count {
    min_objects: i64,
    pair: Option<(i32, i32)>,
    object: i64,
    objects: i64,
    out: Pairs,
    schema: SchemaRef,
    rows: u64,
}

impl Count {
    fn close(&mut self) {
        if let Some((a, b)) = self.pair.take().filter(|_| self.objects >= self.min_objects) {
            self.out.a.push(a);
            self.out.b.push(b);
            self.out.object.push(self.objects);
        }
    }
}

impl Kernel for Count {
    fn push(&mut self, batch: &RecordBatch, _: &mut Emit<'_>) -> Result<(), EngineError> {
        let (a, b) = (column_i32(batch, "a"), column_i32(batch, "b"));
        let objects = column_i64(batch, "object");
        self.rows += a.len() as u64;
        for ((&a, &b), &object) in a.iter().zip(b).zip(objects) {
            if self.pair != Some((a, b)) {
                self.close();
                (self.pair, self.object, self.objects) = (Some((a, b)), object, 1);
            } else if object != self.object {
                self.object = object;
                self.objects += 1;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close();
        let batch = RecordBatch::try_new(
            self.schema.clone(),
            vec![
                Arc::new(Int32Array::from(std::mem::take(&mut self.out.a))),
                Arc::new(Int32Array::from(std::mem::take(&mut self.out.b))),
                Arc::new(Int64Array::from(std::mem::take(&mut self.out.object))),
            ],
        )
        .expect("internal error: the columns follow the schema");
        out.emit(batch)?;
        Ok(Accounted::used(self.rows))
    }
}
