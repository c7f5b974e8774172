//! The networks `co_retweet` and `co_link` of the coordination-network-toolkit 1.5.2.
//!
//! A message is a post; its id is unique, and of two rows with one id the first in the input wins.
//! Reposts are messages with one object, so further objects of one id are lost; links are kept for
//! each pair of message and link. Two messages on one object match where they are at most a window
//! apart (inclusive). The edge from u to v is directed: its weight is the number of distinct
//! messages of u that match at least one message of v. Each direction is filtered by weight alone,
//! so one may remain without the other. Loops are not given, as in that tool's export.
//!
//! Its `co_link` looks at posts and not at reposts, and at links only: of traffic with several traces,
//! give it the rows of one ([`super::only_trace`]).

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use hashbrown::HashSet;
use traffic::AccountNames;

use super::ByName;
use crate::engine::{
    Accounted, Emit, EngineError, Gather, Input, Kernel, MakeKernel, Step, Tables, column_i32, column_i64,
    schema_of,
};

/// Which network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Accounts that repost the same posts.
    Retweet,
    /// Accounts that post the same links. Every object of the traffic is taken as a link.
    Link,
}

/// Rows that carry no id of a post, which this rule cannot use.
pub const NO_POST: &str = "no id of the post";

const OUT_ROWS: usize = 16_384;

/// A directed edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// From.
    pub a: i32,
    /// To.
    pub b: i32,
    /// Distinct messages of `a` that match a message of `b`.
    pub weight: u32,
}

/// Gathers edges with at least this weight. Needs the column `row` of [`super::number_rows`].
/// [`network`] orders the result.
pub fn gather(kind: Kind, window_ms: i64, min_weight: i64) -> Gather {
    let step = |name, from, by, order, kernel, partitions, keep| Step {
        name,
        from: vec![from],
        by,
        order,
        combine: None,
        kernel,
        small: false,
        keep,
        partitions,
    };
    Gather {
        name: "toolkit",
        reach_ms: window_ms,
        steps: vec![
            step(
                "toolkit.messages",
                Input::traffic(traffic::Kind::Post),
                &["post"],
                &["row"],
                Arc::new(MakeMessages { kind }),
                64,
                false,
            ),
            step(
                "toolkit.matches",
                Input::Step("toolkit.messages"),
                &["object"],
                &["time"],
                Arc::new(MakeMatches { window_ms }),
                64,
                false,
            ),
            step(
                "toolkit.edges",
                Input::Step("toolkit.matches"),
                &["a", "b"],
                &["message"],
                Arc::new(MakeEdges { min_weight }),
                128,
                true,
            ),
        ],
    }
}

/// The edges, in order of the accounts' names.
pub fn network(mut tables: Tables, accounts: &AccountNames) -> Vec<Edge> {
    let batches = tables.remove("toolkit.edges").unwrap_or_default();
    let ends = batches.iter().flat_map(|batch| column_i32(batch, "a").iter().chain(column_i32(batch, "b")));
    let by_name = ByName::new(ends.copied(), accounts);
    let mut edges: Vec<Edge> = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    // The batches go one by one, so that the network is not in memory twice.
    for batch in batches {
        let (a, b) = (column_i32(&batch, "a"), column_i32(&batch, "b"));
        for ((&a, &b), &weight) in a.iter().zip(b).zip(column_i64(&batch, "weight")) {
            edges.push(Edge { a, b, weight: weight as u32 });
        }
    }
    let places = |edge: &Edge| u64::from(by_name.place(edge.a)) << 32 | u64::from(by_name.place(edge.b));
    edges.sort_unstable_by_key(places);
    edges
}

struct MakeMessages {
    kind: Kind,
}

impl MakeKernel for MakeMessages {
    fn input(&self) -> SchemaRef {
        schema_of(&[
            ("post", DataType::Int64),
            ("row", DataType::Int64),
            ("object", DataType::Int64),
            ("time", DataType::Int64),
            ("account", DataType::Int32),
        ])
    }

    fn output(&self) -> SchemaRef {
        message_schema()
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Messages {
            kind: self.kind,
            post: None,
            message: 0,
            objects: HashSet::new(),
            out: MessageColumns::default(),
            rows: 0,
            without_post: 0,
        })
    }
}

/// `message` is the first row of the post: shorter than its digest.
fn message_schema() -> SchemaRef {
    schema_of(&[
        ("object", DataType::Int64),
        ("time", DataType::Int64),
        ("account", DataType::Int32),
        ("message", DataType::Int64),
    ])
}

struct Messages {
    kind: Kind,
    post: Option<i64>,
    message: i64,
    /// Links of this post so far.
    objects: HashSet<i64>,
    out: MessageColumns,
    rows: u64,
    without_post: u64,
}

#[derive(Default)]
struct MessageColumns {
    object: Vec<i64>,
    time: Vec<i64>,
    account: Vec<i32>,
    message: Vec<i64>,
}

impl MessageColumns {
    fn emit(&mut self, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let full = std::mem::take(self);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(full.object)),
            Arc::new(Int64Array::from(full.time)),
            Arc::new(Int32Array::from(full.account)),
            Arc::new(Int64Array::from(full.message)),
        ];
        let batch = RecordBatch::try_new(message_schema(), columns);
        out.emit(batch.expect("internal error: the columns follow the schema"))
    }
}

impl Kernel for Messages {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let (posts, rows) = (column_i64(batch, "post"), column_i64(batch, "row"));
        let (objects, times) = (column_i64(batch, "object"), column_i64(batch, "time"));
        let accounts = column_i32(batch, "account");
        self.rows += batch.num_rows() as u64;
        for at in 0..batch.num_rows() {
            if posts[at] == -1 {
                self.without_post += 1;
                continue;
            }
            if self.post != Some(posts[at]) {
                (self.post, self.message) = (Some(posts[at]), rows[at]);
                self.objects.clear();
            } else if self.kind == Kind::Retweet {
                continue;
            }
            if self.kind == Kind::Link && !self.objects.insert(objects[at]) {
                continue;
            }
            self.out.object.push(objects[at]);
            self.out.time.push(times[at]);
            self.out.account.push(accounts[at]);
            self.out.message.push(self.message);
        }
        if self.out.object.len() >= OUT_ROWS { self.out.emit(out) } else { Ok(()) }
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.out.emit(out)?;
        let mut accounted = Accounted::used(self.rows - self.without_post);
        if self.without_post > 0 {
            accounted.refused.insert(NO_POST, self.without_post);
        }
        Ok(accounted)
    }
}

struct MakeMatches {
    window_ms: i64,
}

impl MakeKernel for MakeMatches {
    fn input(&self) -> SchemaRef {
        message_schema()
    }

    fn output(&self) -> SchemaRef {
        edge_schema("message")
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Matches {
            window_ms: self.window_ms,
            object: None,
            recent: VecDeque::new(),
            out: EdgeColumns::with_room(),
            schema: self.output(),
            rows: 0,
        })
    }
}

fn edge_schema(last: &str) -> SchemaRef {
    schema_of(&[("a", DataType::Int32), ("b", DataType::Int32), (last, DataType::Int64)])
}

struct Matches {
    window_ms: i64,
    object: Option<i64>,
    /// Time, account and message of the rows of the last window.
    recent: VecDeque<(i64, i32, i64)>,
    out: EdgeColumns,
    schema: SchemaRef,
    rows: u64,
}

struct EdgeColumns {
    a: Vec<i32>,
    b: Vec<i32>,
    last: Vec<i64>,
}

impl EdgeColumns {
    fn with_room() -> Self {
        let room = OUT_ROWS + OUT_ROWS / 8;
        Self { a: Vec::with_capacity(room), b: Vec::with_capacity(room), last: Vec::with_capacity(room) }
    }

    fn push(&mut self, a: i32, b: i32, last: i64) {
        self.a.push(a);
        self.b.push(b);
        self.last.push(last);
    }

    fn emit(&mut self, schema: &SchemaRef, out: &mut Emit<'_>) -> Result<(), EngineError> {
        // The filled buffers go on as they are, so they must not be much larger than their rows.
        let mut full = std::mem::replace(self, Self::with_room());
        full.a.shrink_to_fit();
        full.b.shrink_to_fit();
        full.last.shrink_to_fit();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(full.a)),
            Arc::new(Int32Array::from(full.b)),
            Arc::new(Int64Array::from(full.last)),
        ];
        let batch = RecordBatch::try_new(schema.clone(), columns);
        out.emit(batch.expect("internal error: the columns follow the schema"))
    }
}

impl Kernel for Matches {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let (objects, times) = (column_i64(batch, "object"), column_i64(batch, "time"));
        let (accounts, messages) = (column_i32(batch, "account"), column_i64(batch, "message"));
        self.rows += batch.num_rows() as u64;
        for at in 0..batch.num_rows() {
            let (object, time, account, message) = (objects[at], times[at], accounts[at], messages[at]);
            if self.object != Some(object) {
                self.object = Some(object);
                self.recent.clear();
            }
            while self.recent.front().is_some_and(|&(t, ..)| time - t > self.window_ms) {
                self.recent.pop_front();
            }
            for &(_, other, other_message) in &self.recent {
                if other != account {
                    self.out.push(account, other, message);
                    self.out.push(other, account, other_message);
                }
            }
            self.recent.push_back((time, account, message));
            if self.out.a.len() >= OUT_ROWS {
                self.out.emit(&self.schema, out)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.out.emit(&self.schema, out)?;
        Ok(Accounted::used(self.rows))
    }
}

struct MakeEdges {
    min_weight: i64,
}

impl MakeKernel for MakeEdges {
    fn input(&self) -> SchemaRef {
        edge_schema("message")
    }

    fn output(&self) -> SchemaRef {
        edge_schema("weight")
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Edges {
            min_weight: self.min_weight,
            pair: None,
            message: 0,
            weight: 0,
            out: EdgeColumns::with_room(),
            schema: self.output(),
            rows: 0,
        })
    }
}

/// Counts the distinct messages of one edge after the other.
struct Edges {
    min_weight: i64,
    pair: Option<(i32, i32)>,
    message: i64,
    weight: i64,
    out: EdgeColumns,
    schema: SchemaRef,
    rows: u64,
}

impl Edges {
    fn close(&mut self) {
        if let Some((a, b)) = self.pair.take().filter(|_| self.weight >= self.min_weight) {
            self.out.push(a, b, self.weight);
        }
    }
}

impl Kernel for Edges {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let (a, b) = (column_i32(batch, "a"), column_i32(batch, "b"));
        self.rows += batch.num_rows() as u64;
        for ((&a, &b), &message) in a.iter().zip(b).zip(column_i64(batch, "message")) {
            if self.pair != Some((a, b)) {
                self.close();
                (self.pair, self.message, self.weight) = (Some((a, b)), message, 1);
            } else if message != self.message {
                self.message = message;
                self.weight += 1;
            }
        }
        if self.out.a.len() >= OUT_ROWS { self.out.emit(&self.schema, out) } else { Ok(()) }
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close();
        self.out.emit(&self.schema, out)?;
        Ok(Accounted::used(self.rows))
    }
}
