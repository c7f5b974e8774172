//! The network of CooRTweet 2.1.3 (`detect_groups`, then `generate_coordinated_network`).
//!
//! 1. Accounts with fewer than `min_participation` rows are left out.
//! 2. A pair of rows on one object at most a window apart (inclusive) is a *pair row*. Pairs of one
//!    account, pairs of one post, and posts that are the object itself are left out. Each of two
//!    repeated shares makes its own pair row.
//! 3. Of the posts in pair rows, those of accounts with at least `min_participation` rows of such
//!    posts are kept, and the pair rows of which *either* post is kept. So the other end of a pair
//!    row may be an account with less.
//! 4. An edge joins two accounts; its weight is the number of pair rows, not of objects.
//!
//! Where the input has several traces, steps 1 to 3 go trace by trace and step 4 over all, as in
//! that package's guide to multi-modal networks.
//!
//! The columns `n_content_id` and `n_content_id_y` have a known defect, which is kept here because
//! the reference has it: the two accounts of an edge are put in order of name, the two posts stay
//! in order of time. So `n_content_id` counts the distinct *earlier* posts of the edge, whoever
//! wrote them, and not the posts of `account_a`; the symmetry score, the smaller count by the
//! larger, inherits it. Of two posts at the same time, that of the account which appears first in
//! the input counts as earlier.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use hashbrown::{HashMap, HashSet};
use traffic::{AccountNames, ObjectNames};

use super::ByName;
use crate::engine::{
    Accounted, Emit, EngineError, Gather, Input, Kernel, MakeKernel, Step, Tables, column_i32, column_i64,
    schema_of,
};

/// What the analyst chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Longest time between two shares, in milliseconds, inclusive.
    pub window_ms: i64,
    /// Rows that an account must have; see the module.
    pub min_participation: u64,
    /// Counts rows that agree in object, account, post and time once. The package counts them all;
    /// its users are told to prepare their data so.
    pub unique: bool,
}

/// An edge of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// The account whose name comes first.
    pub a: i32,
    /// The other one.
    pub b: i32,
    /// Pair rows.
    pub weight: u64,
    /// Mean time between the shares of a pair row, in seconds.
    pub avg_time_delta: f64,
    /// Distinct earlier posts.
    pub n_content_id: u64,
    /// Distinct later posts.
    pub n_content_id_y: u64,
    /// Whether the weight is above the median of all edges.
    pub above_threshold: bool,
}

impl Edge {
    /// The smaller of the two counts of posts by the larger.
    pub fn symmetry(&self) -> f64 {
        let (n, m) = (self.n_content_id as f64, self.n_content_id_y as f64);
        n.min(m) / n.max(m)
    }
}

/// Gathers pair rows and the rows of accounts that are active enough. Needs the column `row` of
/// [`super::number_rows`]. [`network`] makes edges of the result.
pub fn gather(rule: Rule) -> Gather {
    let step = |name, from, by, order, kernel, keep| Step {
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
        name: "coortweet",
        reach_ms: rule.window_ms,
        steps: vec![
            step(
                "coortweet.active",
                Input::traffic(traffic::Kind::Post),
                &["trace", "account"],
                &["object", "time", "post", "row"],
                Arc::new(MakeActive { rule }),
                false,
            ),
            step(
                "coortweet.posts",
                Input::Step("coortweet.active"),
                &["trace", "account"],
                &["post"],
                Arc::new(MakePosts),
                true,
            ),
            step(
                "coortweet.pairs",
                Input::Step("coortweet.active"),
                &["object"],
                &["time", "first"],
                Arc::new(MakePairs { window_ms: rule.window_ms }),
                true,
            ),
        ],
    }
}

/// The edges, in order of the accounts' names.
pub fn network(tables: &Tables, rule: Rule, accounts: &AccountNames, objects: &ObjectNames) -> Vec<Edge> {
    let mut pairs = pair_rows(tables, objects);
    keep_taking_part(&mut pairs, &tables["coortweet.posts"], rule.min_participation);
    let by_name = ByName::new(pairs.iter().flat_map(|pair| [pair.earlier.0, pair.later.0]), accounts);
    let places = |pair: &Pair| {
        let (x, y) = (by_name.place(pair.earlier.0), by_name.place(pair.later.0));
        (x.min(y), x.max(y))
    };
    pairs.sort_unstable_by_key(places);
    let edge_of = |pairs: &[Pair]| {
        let (a, b) = places(&pairs[0]);
        let gaps: i64 = pairs.iter().map(|pair| pair.gap_ms).sum();
        Edge {
            a: by_name.account(a),
            b: by_name.account(b),
            weight: pairs.len() as u64,
            avg_time_delta: gaps as f64 / 1000.0 / pairs.len() as f64,
            n_content_id: distinct(pairs.iter().map(|pair| pair.earlier.1)),
            n_content_id_y: distinct(pairs.iter().map(|pair| pair.later.1)),
            above_threshold: false,
        }
    };
    let mut edges: Vec<Edge> = pairs.chunk_by(|x, y| places(x) == places(y)).map(edge_of).collect();
    let median = median(edges.iter().map(|edge| edge.weight).collect());
    for edge in &mut edges {
        edge.above_threshold = edge.weight as f64 > median;
    }
    edges
}

/// A pair row: (account, post) of both sides.
struct Pair {
    trace: i32,
    earlier: (i32, i64),
    later: (i32, i64),
    gap_ms: i64,
}

/// The pair rows of which neither post is the object itself. A post without an id is equal to every
/// other in that tool's language, and makes no pair.
fn pair_rows(tables: &Tables, objects: &ObjectNames) -> Vec<Pair> {
    let mut digests: HashMap<i64, i64> = HashMap::new();
    let mut pairs = Vec::new();
    for batch in &tables["coortweet.pairs"] {
        let (trace, object, gap) =
            (column_i32(batch, "trace"), column_i64(batch, "object"), column_i64(batch, "gap"));
        let (account, account_y) = (column_i32(batch, "account"), column_i32(batch, "account_y"));
        let (post, post_y) = (column_i64(batch, "post"), column_i64(batch, "post_y"));
        for at in 0..batch.num_rows() {
            let digest = *digests
                .entry(object[at])
                .or_insert_with(|| traffic::names::digest(objects.name(object[at]).as_bytes()));
            if post[at] != digest && post_y[at] != digest {
                pairs.push(Pair {
                    trace: trace[at],
                    earlier: (account[at], post[at]),
                    later: (account_y[at], post_y[at]),
                    gap_ms: gap[at],
                });
            }
        }
    }
    pairs
}

/// Step 3 of the rule.
fn keep_taking_part(pairs: &mut Vec<Pair>, posts: &[RecordBatch], min_participation: u64) {
    let paired: HashSet<(i32, i64)> =
        pairs.iter().flat_map(|pair| [(pair.trace, pair.earlier.1), (pair.trace, pair.later.1)]).collect();
    let mut kept: HashSet<(i32, i64)> = HashSet::new();
    let mut account = None;
    let mut rows: Vec<(i32, i64)> = Vec::new();
    let mut close = |rows: &mut Vec<(i32, i64)>| {
        if rows.len() as u64 >= min_participation {
            kept.extend(rows.iter().copied());
        }
        rows.clear();
    };
    // The rows of one account lie together.
    for batch in posts {
        let (traces, accounts) = (column_i32(batch, "trace"), column_i32(batch, "account"));
        for ((&trace, &of), &post) in traces.iter().zip(accounts).zip(column_i64(batch, "post")) {
            if account != Some((trace, of)) {
                close(&mut rows);
                account = Some((trace, of));
            }
            if paired.contains(&(trace, post)) {
                rows.push((trace, post));
            }
        }
    }
    close(&mut rows);
    pairs.retain(|pair| {
        kept.contains(&(pair.trace, pair.earlier.1)) || kept.contains(&(pair.trace, pair.later.1))
    });
}

fn distinct(values: impl Iterator<Item = i64>) -> u64 {
    let mut values: Vec<i64> = values.collect();
    values.sort_unstable();
    values.dedup();
    values.len() as u64
}

fn median(mut weights: Vec<u64>) -> f64 {
    weights.sort_unstable();
    match weights.len() {
        0 => 0.0,
        n if n % 2 == 1 => weights[n / 2] as f64,
        n => f64::midpoint(weights[n / 2 - 1] as f64, weights[n / 2] as f64),
    }
}

struct MakeActive {
    rule: Rule,
}

impl MakeKernel for MakeActive {
    fn input(&self) -> SchemaRef {
        schema_of(&[
            ("trace", DataType::Int32),
            ("account", DataType::Int32),
            ("object", DataType::Int64),
            ("time", DataType::Int64),
            ("post", DataType::Int64),
            ("row", DataType::Int64),
        ])
    }

    fn output(&self) -> SchemaRef {
        active_schema()
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Active {
            rule: self.rule,
            account: None,
            group: Vec::new(),
            out: Columns::default(),
            rows: 0,
        })
    }
}

/// `first` is the row where the account first appears.
fn active_schema() -> SchemaRef {
    schema_of(&[
        ("trace", DataType::Int32),
        ("account", DataType::Int32),
        ("object", DataType::Int64),
        ("time", DataType::Int64),
        ("post", DataType::Int64),
        ("first", DataType::Int64),
    ])
}

/// Passes on the rows of accounts with enough of them. Holds the rows of one account.
struct Active {
    rule: Rule,
    account: Option<(i32, i32)>,
    group: Vec<ActiveRow>,
    out: Columns<2, 4>,
    rows: u64,
}

#[derive(Clone, Copy)]
struct ActiveRow {
    object: i64,
    time: i64,
    post: i64,
    row: i64,
}

impl Active {
    fn close(&mut self, out: &mut Emit<'_>) -> Result<(), EngineError> {
        if self.rule.unique {
            self.group.dedup_by_key(|row| (row.object, row.time, row.post));
        }
        if let Some((trace, account)) = self.account
            && self.group.len() as u64 >= self.rule.min_participation
        {
            let first = self.group.iter().map(|row| row.row).min().unwrap_or_default();
            for row in &self.group {
                self.out.push([trace, account], [row.object, row.time, row.post, first]);
            }
        }
        self.group.clear();
        if self.out.is_full() { self.out.emit(&active_schema(), out) } else { Ok(()) }
    }
}

impl Kernel for Active {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let (trace, account) = (column_i32(batch, "trace"), column_i32(batch, "account"));
        let (object, time) = (column_i64(batch, "object"), column_i64(batch, "time"));
        let (post, row) = (column_i64(batch, "post"), column_i64(batch, "row"));
        self.rows += batch.num_rows() as u64;
        for at in 0..batch.num_rows() {
            if self.account != Some((trace[at], account[at])) {
                self.close(out)?;
                self.account = Some((trace[at], account[at]));
            }
            self.group.push(ActiveRow { object: object[at], time: time[at], post: post[at], row: row[at] });
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close(out)?;
        self.out.emit(&active_schema(), out)?;
        Ok(Accounted::used(self.rows))
    }
}

struct MakePosts;

impl MakeKernel for MakePosts {
    fn input(&self) -> SchemaRef {
        schema_of(&[("trace", DataType::Int32), ("account", DataType::Int32), ("post", DataType::Int64)])
    }

    fn output(&self) -> SchemaRef {
        self.input()
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Posts { rows: 0 })
    }
}

/// Lays the rows of one account together.
struct Posts {
    rows: u64,
}

impl Kernel for Posts {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        self.rows += batch.num_rows() as u64;
        out.emit(batch.clone())
    }

    fn finish(&mut self, _: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        Ok(Accounted::used(self.rows))
    }
}

struct MakePairs {
    window_ms: i64,
}

impl MakeKernel for MakePairs {
    fn input(&self) -> SchemaRef {
        active_schema()
    }

    fn output(&self) -> SchemaRef {
        schema_of(&[
            ("trace", DataType::Int32),
            ("account", DataType::Int32),
            ("account_y", DataType::Int32),
            ("object", DataType::Int64),
            ("post", DataType::Int64),
            ("post_y", DataType::Int64),
            ("gap", DataType::Int64),
        ])
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Pairs {
            window_ms: self.window_ms,
            object: None,
            recent: VecDeque::new(),
            schema: self.output(),
            out: Columns::default(),
            rows: 0,
        })
    }
}

/// Slides over one object after the other.
struct Pairs {
    window_ms: i64,
    object: Option<i64>,
    /// Time, account and post of the rows of the last window.
    recent: VecDeque<(i64, i32, i64)>,
    schema: SchemaRef,
    out: Columns<3, 4>,
    rows: u64,
}

impl Kernel for Pairs {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let (objects, times) = (column_i64(batch, "object"), column_i64(batch, "time"));
        let (accounts, posts) = (column_i32(batch, "account"), column_i64(batch, "post"));
        let traces = column_i32(batch, "trace");
        self.rows += batch.num_rows() as u64;
        for at in 0..batch.num_rows() {
            let (object, time, account, post) = (objects[at], times[at], accounts[at], posts[at]);
            if self.object != Some(object) {
                self.object = Some(object);
                self.recent.clear();
            }
            while self.recent.front().is_some_and(|&(t, ..)| time - t > self.window_ms) {
                self.recent.pop_front();
            }
            for &(earlier, other, other_post) in &self.recent {
                if other != account && other_post != post && other_post != -1 && post != -1 {
                    self.out.push([traces[at], other, account], [object, other_post, post, time - earlier]);
                }
            }
            self.recent.push_back((time, account, post));
            if self.out.is_full() {
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

/// Output columns: first those of Int32, then those of Int64.
struct Columns<const N: usize, const M: usize> {
    narrow: [Vec<i32>; N],
    wide: [Vec<i64>; M],
}

impl<const N: usize, const M: usize> Default for Columns<N, M> {
    fn default() -> Self {
        Self { narrow: std::array::from_fn(|_| Vec::new()), wide: std::array::from_fn(|_| Vec::new()) }
    }
}

impl<const N: usize, const M: usize> Columns<N, M> {
    fn push(&mut self, narrow: [i32; N], wide: [i64; M]) {
        self.narrow.iter_mut().zip(narrow).for_each(|(column, value)| column.push(value));
        self.wide.iter_mut().zip(wide).for_each(|(column, value)| column.push(value));
    }

    fn is_full(&self) -> bool {
        self.narrow[0].len() >= 16_384
    }

    fn emit(&mut self, schema: &SchemaRef, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let narrow =
            self.narrow.iter_mut().map(|c| Arc::new(Int32Array::from(std::mem::take(c))) as ArrayRef);
        let wide = self.wide.iter_mut().map(|c| Arc::new(Int64Array::from(std::mem::take(c))) as ArrayRef);
        let batch = RecordBatch::try_new(schema.clone(), narrow.chain(wide).collect());
        out.emit(batch.expect("internal error: the columns follow the schema"))
    }
}
