//! From posts to the small tables that the judge reads.
//!
//! 1. `clock`: by class of action and second of the day, the number of acts. Broadcast and kept: the
//!    span of the recording, its rhythm by hour, and whether its times are finer than minutes.
//! 2. `slots`: by class and hour, the windows of 10 s in which at least ten accounts act and five
//!    times as many as around them; and the sums from which the crowd's dispersion is learnt.
//!    Broadcast and kept.
//! 3. `echoes`: by class and hour, how many accounts act at the same place of the clock before and
//!    after each of those windows. Kept.
//! 4. `habits`: by account, its acts inside those windows, each with the account's own rhythm. Kept.
//!
//! An act is a distinct pair of account and second: a post with three links is one act.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use traffic::post::Action;

use crate::engine::{
    Accounted, Emit, EngineError, Gather, Input, Kernel, MakeKernel, Step, Tables, column_i32, column_i64,
    schema_of,
};

use super::habits::MakeHabits;
use super::windows::{BUCKET_S, HALO_S, MakeBuckets, Work};

/// The kept tables.
pub(super) const CLOCK: &str = "synchronised-burst.clock";
pub(super) const SLOTS: &str = "synchronised-burst.slots";
pub(super) const ECHOES: &str = "synchronised-burst.echoes";
pub(super) const HABITS: &str = "synchronised-burst.habits";

const DAY_S: i64 = 86_400;

/// The gather of the detector.
pub(super) fn gather(_: &crate::Settings) -> Gather {
    let step =
        |name, map: fn(&RecordBatch) -> RecordBatch, by, order, kernel: Arc<dyn MakeKernel>, small| Step {
            name,
            from: vec![Input::mapped(traffic::Kind::Post, map)],
            by,
            order,
            combine: None,
            kernel,
            small,
            keep: true,
            partitions: 64,
        };
    let hour: &[&str] = &["class", "bucket"];
    Gather {
        name: "synchronised-burst",
        // Rhythm and dispersion need the whole case: a closed set of rows.
        reach_ms: i64::MAX,
        steps: vec![
            step(CLOCK, seconds, &["class", "phase"], &["second"], Arc::new(MakeClock), true),
            step(SLOTS, buckets, hour, &["second"], Arc::new(MakeBuckets { work: Work::Slots }), true),
            step(ECHOES, buckets, hour, &["second"], Arc::new(MakeBuckets { work: Work::Echoes }), false),
            step(HABITS, acts, &["account"], &["class", "time"], Arc::new(MakeHabits), false),
        ],
    }
}

/// Posts, shares and replies are one class; deletions are another.
pub(super) const ACTING: i32 = 0;
pub(super) const DELETING: i32 = 1;

fn class_of(action: i32) -> i32 {
    if action == Action::Delete.code() { DELETING } else { ACTING }
}

/// Class, second and place in the day of every row.
fn seconds(batch: &RecordBatch) -> RecordBatch {
    let (actions, times) = (column_i32(batch, "action"), column_i64(batch, "time"));
    let accounts = column_i32(batch, "account");
    let rows: Vec<[i64; 4]> = (0..times.len())
        .map(|at| {
            let second = times[at].div_euclid(1000);
            [class_of(actions[at]).into(), second.rem_euclid(DAY_S), second, accounts[at].into()]
        })
        .collect();
    table(&MakeClock.input(), &rows)
}

/// Every row goes to the bucket of its second, and to the one before or after where it lies in reach.
fn buckets(batch: &RecordBatch) -> RecordBatch {
    let (actions, times) = (column_i32(batch, "action"), column_i64(batch, "time"));
    let accounts = column_i32(batch, "account");
    let mut rows: Vec<[i64; 4]> = Vec::with_capacity(times.len() + times.len() / 4);
    for at in 0..times.len() {
        let second = times[at].div_euclid(1000);
        for bucket in (second - HALO_S).div_euclid(BUCKET_S)..=(second + HALO_S).div_euclid(BUCKET_S) {
            rows.push([class_of(actions[at]).into(), bucket, second, accounts[at].into()]);
        }
    }
    table(&MakeBuckets { work: Work::Slots }.input(), &rows)
}

/// Every row as an act.
fn acts(batch: &RecordBatch) -> RecordBatch {
    let actions = column_i32(batch, "action");
    let classes: Int32Array = actions.iter().map(|&action| class_of(action)).collect();
    let column = |name: &str| -> ArrayRef {
        batch.column_by_name(name).expect("internal error: a column of the traffic").clone()
    };
    let columns = vec![
        column("account"),
        Arc::new(classes),
        column("time"),
        column("object"),
        column("action"),
        column("platform"),
    ];
    RecordBatch::try_new(MakeHabits.input(), columns).expect("internal error: the columns follow the schema")
}

/// A batch from rows of numbers; each column takes the type that the schema gives it.
pub(super) fn table<const N: usize>(schema: &SchemaRef, rows: &[[i64; N]]) -> RecordBatch {
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(at, field)| -> ArrayRef {
            if *field.data_type() == DataType::Int32 {
                Arc::new(rows.iter().map(|row| row[at] as i32).collect::<Int32Array>())
            } else {
                Arc::new(rows.iter().map(|row| row[at]).collect::<Int64Array>())
            }
        })
        .collect();
    RecordBatch::try_new(schema.clone(), columns).expect("internal error: the columns follow the schema")
}

struct MakeClock;

impl MakeKernel for MakeClock {
    fn input(&self) -> SchemaRef {
        schema_of(&[
            ("class", DataType::Int32),
            ("phase", DataType::Int32),
            ("second", DataType::Int64),
            ("account", DataType::Int32),
        ])
    }

    fn output(&self) -> SchemaRef {
        schema_of(&[
            ("class", DataType::Int32),
            ("phase", DataType::Int32),
            ("acts", DataType::Int64),
            ("first", DataType::Int64),
            ("last", DataType::Int64),
        ])
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(CountSeconds { schema: self.output(), out: Vec::new(), last: None, rows: 0 })
    }
}

struct CountSeconds {
    schema: SchemaRef,
    out: Vec<[i64; 5]>,
    /// The row before: second and account.
    last: Option<(i64, i32)>,
    rows: u64,
}

impl Kernel for CountSeconds {
    fn push(&mut self, batch: &RecordBatch, _: &mut Emit<'_>) -> Result<(), EngineError> {
        let (classes, phases) = (column_i32(batch, "class"), column_i32(batch, "phase"));
        let (seconds, accounts) = (column_i64(batch, "second"), column_i32(batch, "account"));
        self.rows += classes.len() as u64;
        for at in 0..classes.len() {
            let (class, phase) = (i64::from(classes[at]), i64::from(phases[at]));
            let act = Some((seconds[at], accounts[at]));
            match self.out.last_mut() {
                Some(row) if row[0] == class && row[1] == phase => {
                    row[2] += i64::from(act != self.last);
                    row[4] = seconds[at];
                }
                _ => self.out.push([class, phase, 1, seconds[at], seconds[at]]),
            }
            self.last = act;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        out.emit(table(&self.schema, &self.out))?;
        Ok(Accounted::used(self.rows))
    }
}

/// What the whole recording says of its own clock.
pub(super) struct Clock {
    /// First and last second of the recording.
    pub(super) first: i64,
    pub(super) last: i64,
    /// Acts by class and hour of the day, UTC.
    hours: [[u64; 24]; 2],
    /// Times are finer than minutes.
    pub(super) fine: bool,
}

/// Distinct seconds of the day below which one cannot say that times are whole minutes, unless all
/// of at least three are: of ten random seconds, six are whole minutes once in 10^8 times.
const JUDGED_FROM: usize = 10;

impl Clock {
    /// From the table of the first step.
    pub(super) fn read(batches: &[RecordBatch]) -> Self {
        let mut clock = Self { first: i64::MAX, last: i64::MIN, hours: [[0; 24]; 2], fine: true };
        let (mut distinct, mut whole) = (0_usize, 0_usize);
        for batch in batches {
            let (classes, phases) = (column_i32(batch, "class"), column_i32(batch, "phase"));
            let (acts, first) = (column_i64(batch, "acts"), column_i64(batch, "first"));
            let last = column_i64(batch, "last");
            for at in 0..classes.len() {
                clock.first = clock.first.min(first[at]);
                clock.last = clock.last.max(last[at]);
                clock.hours[classes[at] as usize][phases[at] as usize / 3600] += acts[at] as u64;
                distinct += 1;
                whole += usize::from(phases[at] % 60 == 0);
            }
        }
        // Seconds of the day are counted, not acts: one burst on the minute is one of them.
        clock.fine =
            !((distinct >= JUDGED_FROM && 2 * whole > distinct) || (distinct >= 3 && whole == distinct));
        clock
    }

    /// Share of the class's acts that fall in this hour of the day, with one act added to each hour.
    pub(super) fn hour_share(&self, class: i32, second: i64) -> f64 {
        let hours = &self.hours[class as usize];
        let here = hours[(second.rem_euclid(DAY_S) / 3600) as usize];
        (here + 1) as f64 / (hours.iter().sum::<u64>() + 24) as f64
    }

    /// Days of the recording; at least one.
    pub(super) fn days(&self) -> f64 {
        (self.last.saturating_sub(self.first) as f64 / DAY_S as f64).max(1.0)
    }

    /// Windows that were looked at: one begins at every second of the recording, for each class
    /// that occurs.
    pub(super) fn windows(&self) -> usize {
        let classes = self.hours.iter().filter(|hours| hours.iter().any(|&acts| acts > 0)).count();
        classes * self.last.saturating_sub(self.first).saturating_add(1).max(0) as usize
    }
}
