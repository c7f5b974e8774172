//! From posts to the small tables that the judge reads.
//!
//! 1. `audience`: by object, the shares of objects that at least two accounts shared, without
//!    repeated rows.
//! 2. `habits`: by account and trace, the same rows with the number of distinct objects of the
//!    account. Kept: these are the entries of the judge's index.
//! 3. `encounters`: by object, all pairs of accounts that have at least two objects. Accounts with
//!    one object are audience, not suspects: that leaves 18.8 of 310 million pairs on the control.
//!    Objects with more such accounts than [`HUB`] are left out here.
//! 4. `repeat`: by pair, the number of common objects, where there are at least two. Kept.
//!
//! Time plays no part in steps 3 and 4: who is tested is not chosen by what is tested.

use std::sync::Arc;

use arrow_array::{BooleanArray, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use arrow_select::filter::filter_record_batch;
use traffic::post::Action;

use crate::engine::{
    Accounted, Emit, EngineError, Gather, Input, Kernel, MakeKernel, Step, Tables, column_i32, column_i64,
    schema_of,
};

/// Accounts of one object above which its pairs are not counted towards repeat audience. An object
/// with so many accounts says next to nothing about two of them: at most log(HUB²/2) less evidence
/// for a pair than an object of two. Its shares stay in the synchrony test.
pub(super) const HUB: usize = 2_000;

const OUT_ROWS: usize = 65_536;

/// The kept tables.
pub(super) const ENTRIES: &str = "coordinated-sharing.habits";
pub(super) const REPEAT: &str = "coordinated-sharing.repeat";

/// The gather of the detector.
pub(super) fn gather(_: &crate::Settings) -> Gather {
    let step = |name, from, by, order, kernel: Arc<dyn MakeKernel>, keep| Step {
        name,
        from: vec![from],
        by,
        order,
        combine: None,
        kernel,
        small: false,
        keep,
        partitions: 64,
    };
    Gather {
        name: "coordinated-sharing",
        // Rates and habits need the whole case: a closed set of rows, a day or more.
        reach_ms: i64::MAX,
        steps: vec![
            step(
                "coordinated-sharing.audience",
                Input::mapped(traffic::Kind::Post, shares),
                &["object"],
                &["account", "time"],
                Arc::new(MakeGroups { kind: Kind::Audience }),
                false,
            ),
            step(
                ENTRIES,
                Input::Step("coordinated-sharing.audience"),
                &["trace", "account"],
                &["object", "time"],
                Arc::new(MakeGroups { kind: Kind::Habits }),
                true,
            ),
            step(
                "coordinated-sharing.encounters",
                Input::Step(ENTRIES),
                &["object"],
                &["account"],
                Arc::new(MakeEncounters),
                false,
            ),
            Step {
                partitions: 256,
                ..step(
                    REPEAT,
                    Input::Step("coordinated-sharing.encounters"),
                    &["trace", "a", "b"],
                    &[],
                    Arc::new(MakeRepeat),
                    true,
                )
            },
        ],
    }
}

/// Everything but deletions, which are no shares.
fn shares(batch: &RecordBatch) -> RecordBatch {
    let actions = column_i32(batch, "action");
    if !actions.contains(&Action::Delete.code()) {
        return batch.clone();
    }
    let keep: BooleanArray = actions.iter().map(|&action| Some(action != Action::Delete.code())).collect();
    filter_record_batch(batch, &keep).expect("internal error: the mask has the length of the batch")
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Audience,
    Habits,
}

/// Both of the first steps look at all rows of one key before they can put out any of them.
struct MakeGroups {
    kind: Kind,
}

impl MakeKernel for MakeGroups {
    fn input(&self) -> SchemaRef {
        schema_of(&[
            ("trace", DataType::Int32),
            ("object", DataType::Int64),
            ("account", DataType::Int32),
            ("time", DataType::Int64),
        ])
    }

    fn output(&self) -> SchemaRef {
        match self.kind {
            Kind::Audience => self.input(),
            Kind::Habits => schema_of(&[
                ("trace", DataType::Int32),
                ("object", DataType::Int64),
                ("account", DataType::Int32),
                ("time", DataType::Int64),
                ("k", DataType::Int32),
            ]),
        }
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Groups {
            kind: self.kind,
            schema: self.output(),
            group: Vec::new(),
            out: Shares::default(),
            rows: 0,
        })
    }
}

#[derive(Clone, Copy, PartialEq)]
struct Share {
    trace: i32,
    object: i64,
    account: i32,
    time: i64,
}

#[derive(Default)]
struct Shares {
    trace: Vec<i32>,
    object: Vec<i64>,
    account: Vec<i32>,
    time: Vec<i64>,
    k: Vec<i32>,
}

struct Groups {
    kind: Kind,
    schema: SchemaRef,
    /// The rows of the current key, in order, each once.
    group: Vec<Share>,
    out: Shares,
    rows: u64,
}

impl Groups {
    fn same_key(&self, a: &Share, b: &Share) -> bool {
        match self.kind {
            Kind::Audience => a.object == b.object,
            Kind::Habits => a.trace == b.trace && a.account == b.account,
        }
    }

    fn close(&mut self, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let distinct = match self.kind {
            Kind::Audience => runs(self.group.iter().map(|share| i64::from(share.account))),
            Kind::Habits => runs(self.group.iter().map(|share| share.object)),
        };
        if self.kind == Kind::Audience && distinct < 2 {
            self.group.clear();
            return Ok(());
        }
        for share in self.group.drain(..) {
            self.out.trace.push(share.trace);
            self.out.object.push(share.object);
            self.out.account.push(share.account);
            self.out.time.push(share.time);
        }
        self.out.k.resize(self.out.trace.len(), distinct as i32);
        if self.out.trace.len() >= OUT_ROWS { self.emit(out) } else { Ok(()) }
    }

    fn emit(&mut self, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let shares = std::mem::take(&mut self.out);
        let mut columns: Vec<arrow_array::ArrayRef> = vec![
            Arc::new(Int32Array::from(shares.trace)),
            Arc::new(Int64Array::from(shares.object)),
            Arc::new(Int32Array::from(shares.account)),
            Arc::new(Int64Array::from(shares.time)),
        ];
        if self.kind == Kind::Habits {
            columns.push(Arc::new(Int32Array::from(shares.k)));
        }
        out.emit(
            RecordBatch::try_new(self.schema.clone(), columns)
                .expect("internal error: the columns follow the schema"),
        )
    }
}

/// Number of runs of equal values.
fn runs(values: impl Iterator<Item = i64>) -> usize {
    let mut last = None;
    values.filter(|value| last.replace(*value) != Some(*value)).count()
}

impl Kernel for Groups {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let (traces, accounts) = (column_i32(batch, "trace"), column_i32(batch, "account"));
        let (objects, times) = (column_i64(batch, "object"), column_i64(batch, "time"));
        self.rows += traces.len() as u64;
        for at in 0..traces.len() {
            let share =
                Share { trace: traces[at], object: objects[at], account: accounts[at], time: times[at] };
            match self.group.last() {
                Some(last) if *last == share => continue,
                Some(last) if !self.same_key(last, &share) => self.close(out)?,
                _ => {}
            }
            self.group.push(share);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        if !self.group.is_empty() {
            self.close(out)?;
        }
        self.emit(out)?;
        Ok(Accounted::used(self.rows))
    }
}

struct MakeEncounters;

impl MakeKernel for MakeEncounters {
    fn input(&self) -> SchemaRef {
        schema_of(&[
            ("trace", DataType::Int32),
            ("object", DataType::Int64),
            ("account", DataType::Int32),
            ("k", DataType::Int32),
        ])
    }

    fn output(&self) -> SchemaRef {
        schema_of(&[("trace", DataType::Int32), ("a", DataType::Int32), ("b", DataType::Int32)])
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Encounters {
            schema: self.output(),
            object: None,
            accounts: Vec::new(),
            trace: Vec::new(),
            a: Vec::new(),
            b: Vec::new(),
            current_trace: 0,
            rows: 0,
        })
    }
}

struct Encounters {
    schema: SchemaRef,
    object: Option<i64>,
    /// Accounts of the current object that have at least two objects, ascending.
    accounts: Vec<i32>,
    current_trace: i32,
    trace: Vec<i32>,
    a: Vec<i32>,
    b: Vec<i32>,
    rows: u64,
}

impl Encounters {
    fn close(&mut self, out: &mut Emit<'_>) -> Result<(), EngineError> {
        if self.accounts.len() <= HUB {
            for at in 0..self.accounts.len() {
                let a = self.accounts[at];
                self.b.extend_from_slice(&self.accounts[at + 1..]);
                self.a.resize(self.b.len(), a);
                self.trace.resize(self.b.len(), self.current_trace);
                if self.a.len() >= OUT_ROWS {
                    self.emit(out)?;
                }
            }
        }
        self.accounts.clear();
        Ok(())
    }

    fn emit(&mut self, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let columns: Vec<arrow_array::ArrayRef> = [&mut self.trace, &mut self.a, &mut self.b]
            .into_iter()
            .map(|column| Arc::new(Int32Array::from(std::mem::take(column))) as arrow_array::ArrayRef)
            .collect();
        out.emit(
            RecordBatch::try_new(self.schema.clone(), columns)
                .expect("internal error: the columns follow the schema"),
        )
    }
}

impl Kernel for Encounters {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let (objects, traces) = (column_i64(batch, "object"), column_i32(batch, "trace"));
        let (accounts, ks) = (column_i32(batch, "account"), column_i32(batch, "k"));
        self.rows += objects.len() as u64;
        for (((&object, &trace), &account), &k) in objects.iter().zip(traces).zip(accounts).zip(ks) {
            if self.object != Some(object) {
                self.close(out)?;
                (self.object, self.current_trace) = (Some(object), trace);
            }
            if k >= 2 && self.accounts.last() != Some(&account) {
                self.accounts.push(account);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close(out)?;
        self.emit(out)?;
        Ok(Accounted::used(self.rows))
    }
}

struct MakeRepeat;

impl MakeKernel for MakeRepeat {
    fn input(&self) -> SchemaRef {
        schema_of(&[("trace", DataType::Int32), ("a", DataType::Int32), ("b", DataType::Int32)])
    }

    fn output(&self) -> SchemaRef {
        schema_of(&[
            ("trace", DataType::Int32),
            ("a", DataType::Int32),
            ("b", DataType::Int32),
            ("objects", DataType::Int32),
        ])
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Repeat { schema: self.output(), counts: Vec::new(), last: None, objects: 0, rows: 0 })
    }
}

struct Repeat {
    schema: SchemaRef,
    counts: Vec<((i32, i32, i32), i32)>,
    last: Option<(i32, i32, i32)>,
    objects: i32,
    rows: u64,
}

impl Repeat {
    fn close(&mut self) {
        if let Some(pair) = self.last.take().filter(|_| self.objects >= 2) {
            self.counts.push((pair, self.objects));
        }
    }
}

impl Kernel for Repeat {
    fn push(&mut self, batch: &RecordBatch, _: &mut Emit<'_>) -> Result<(), EngineError> {
        let (traces, a, b) = (column_i32(batch, "trace"), column_i32(batch, "a"), column_i32(batch, "b"));
        self.rows += a.len() as u64;
        for ((&trace, &a), &b) in traces.iter().zip(a).zip(b) {
            if self.last == Some((trace, a, b)) {
                self.objects += 1;
            } else {
                self.close();
                (self.last, self.objects) = (Some((trace, a, b)), 1);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close();
        let columns: Vec<arrow_array::ArrayRef> = vec![
            Arc::new(self.counts.iter().map(|(pair, _)| pair.0).collect::<Int32Array>()),
            Arc::new(self.counts.iter().map(|(pair, _)| pair.1).collect::<Int32Array>()),
            Arc::new(self.counts.iter().map(|(pair, _)| pair.2).collect::<Int32Array>()),
            Arc::new(self.counts.iter().map(|(_, objects)| *objects).collect::<Int32Array>()),
        ];
        out.emit(
            RecordBatch::try_new(self.schema.clone(), columns)
                .expect("internal error: the columns follow the schema"),
        )?;
        Ok(Accounted::used(self.rows))
    }
}
