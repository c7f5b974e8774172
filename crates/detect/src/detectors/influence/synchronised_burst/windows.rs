//! Windows of ten seconds: how many accounts act in each, and in those around it.

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use hashbrown::HashMap;

use crate::engine::{
    Accounted, Emit, EngineError, Kernel, MakeKernel, Tables, column_i32, column_i64, schema_of,
};

use super::gather::{CLOCK, Clock, SLOTS, table};

/// Length of a window in seconds. One begins at every second, so that no burst is cut by a border.
/// Ten: a script that walks through a list of accounts needs seconds, a crowd that reads, decides
/// and types needs half a minute or more to come and to go.
pub(super) const WINDOW_S: i64 = 10;

/// Accounts from which a window can be a burst. Fewer meet in a newsroom or a family.
pub(super) const LEAST_ACCOUNTS: u32 = 10;

/// How many times the expectation a burst must reach. Crowds come in waves whose shape no model
/// knows exactly; a wave that is five times as high as ten seconds before *and* after is no wave.
pub(super) const LEAST_RATIO: f64 = 5.0;

/// Windows on each side that make the neighbourhood: two minutes, and within it half a minute.
const WIDE: i64 = 12;
const MIDDLE: i64 = 3;

/// An expectation that 24 empty windows cannot exclude (the rule of three: 3 / 24).
const LEAST_EXPECTED: f64 = 0.125;

/// Seconds in a bucket, the unit of work.
pub(super) const BUCKET_S: i64 = 3600;

/// How far around its bucket a kernel looks for bursts: what lies closer disturbs the neighbourhood
/// of a window inside.
const DISTURBED_S: i64 = WIDE * WINDOW_S + WINDOW_S;

/// How far around its bucket a kernel must see acts.
pub(super) const HALO_S: i64 = DISTURBED_S + WIDE * WINDOW_S + 2 * WINDOW_S;

/// Steps, in seconds, at which the clock is compared: minute marks, five-minute marks, quarter
/// hours, hours, days. The first two are taken every seventh and every second time, so that a habit
/// is looked for over most of an hour and not in one burst's own tail.
pub(super) const ECHO_STEPS_S: [i64; 5] = [420, 600, 900, 3600, 86_400];

/// Echoes on each side: for days, most of a week each way.
pub(super) const ECHOES_EACH_WAY: i64 = 6;

/// How far an echo may be off, in seconds: tools do not keep time to the second.
const ECHO_SLACK_S: i64 = 5;

/// Distinct accounts in the windows around one window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around {
    /// In the larger of the two next windows.
    pub(super) near: i64,
    /// Sum over the six windows within half a minute.
    pub(super) middle: i64,
    /// Sum over the 24 windows within two minutes.
    pub(super) wide: i64,
}

impl Around {
    /// Accounts that the crowd around would bring into a window: the highest of the three rates, so
    /// that the flank of a wave is judged by its nearer and higher side.
    pub(super) fn expected(self) -> f64 {
        (self.near as f64)
            .max(self.middle as f64 / (2 * MIDDLE) as f64)
            .max(self.wide as f64 / (2 * WIDE) as f64)
            .max(LEAST_EXPECTED)
    }
}

/// Distinct accounts in every window that begins in some span of time.
struct Counts {
    from: i64,
    distinct: Vec<u32>,
}

impl Counts {
    /// Takes distinct acts (second, account) in order of time; windows begin in `from..to`.
    fn of(acts: &[(i64, i32)], from: i64, to: i64) -> Self {
        // An account is in all windows that begin up to nine seconds before one of its acts: it adds
        // one where such a stretch begins and takes it away where it ends.
        let mut change = vec![0_i32; (to - from + 1) as usize];
        let mut place = |second: i64, by: i32| change[(second.clamp(from, to) - from) as usize] += by;
        let mut last: HashMap<i32, i64> = HashMap::with_capacity(acts.len());
        for &(second, account) in acts {
            let before = last.insert(account, second).unwrap_or(i64::MIN);
            place((second - WINDOW_S + 1).max(before.saturating_add(1)), 1);
            place(second + 1, -1);
        }
        let mut now = 0;
        let distinct = change[..(to - from) as usize]
            .iter()
            .map(|change| {
                now += change;
                now as u32
            })
            .collect();
        Self { from, distinct }
    }

    fn at(&self, start: i64) -> u32 {
        self.distinct[(start - self.from) as usize]
    }

    fn around(&self, start: i64) -> Around {
        let both =
            |n: i64| i64::from(self.at(start - n * WINDOW_S)) + i64::from(self.at(start + n * WINDOW_S));
        let middle = (1..=MIDDLE).map(both).sum();
        Around {
            near: i64::from(self.at(start - WINDOW_S).max(self.at(start + WINDOW_S))),
            middle,
            wide: middle + (MIDDLE + 1..=WIDE).map(both).sum::<i64>(),
        }
    }

    /// Whether a window may be a burst.
    fn stands_out(&self, start: i64) -> bool {
        let n = self.at(start);
        n >= LEAST_ACCOUNTS && f64::from(n) >= LEAST_RATIO * self.around(start).expected()
    }
}

/// What is done with a bucket.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Work {
    /// Finds windows that stand out, and sums for the dispersion.
    Slots,
    /// Counts accounts at the same place of the clock before and after windows that stand out.
    Echoes,
}

/// Rows of [`SLOTS`]: a window that stands out …
pub(super) const WINDOW: i64 = 0;
/// … or sums over the others of a partition: `start` Σc², `accounts` windows, `near` Σx, `middle`
/// Σx², `wide` Σxc, where x is a window's number of accounts and c the sum of the 24 around it.
pub(super) const SUMS: i64 = 1;

pub(super) struct MakeBuckets {
    pub(super) work: Work,
}

impl MakeKernel for MakeBuckets {
    fn input(&self) -> SchemaRef {
        schema_of(&[
            ("class", DataType::Int32),
            ("bucket", DataType::Int64),
            ("second", DataType::Int64),
            ("account", DataType::Int32),
        ])
    }

    fn output(&self) -> SchemaRef {
        match self.work {
            Work::Slots => schema_of(&[
                ("kind", DataType::Int32),
                ("class", DataType::Int32),
                ("start", DataType::Int64),
                ("accounts", DataType::Int64),
                ("near", DataType::Int64),
                ("middle", DataType::Int64),
                ("wide", DataType::Int64),
            ]),
            Work::Echoes => schema_of(&[
                ("class", DataType::Int32),
                ("start", DataType::Int64),
                ("step", DataType::Int32),
                ("times", DataType::Int32),
                ("accounts", DataType::Int32),
            ]),
        }
    }

    fn start(&self, small: &Tables) -> Box<dyn Kernel> {
        let mut echoes = Vec::new();
        let active = match self.work {
            Work::Slots => Clock::read(&small[CLOCK]).fine,
            Work::Echoes => {
                for (class, start) in standing_out(&small[SLOTS]) {
                    for step in ECHO_STEPS_S {
                        for times in (1..=ECHOES_EACH_WAY).flat_map(|n| [-n, n]) {
                            echoes.push(Echo { class, at: start + times * step, start, step, times });
                        }
                    }
                }
                echoes.sort_unstable();
                !echoes.is_empty()
            }
        };
        Box::new(Buckets {
            work: self.work,
            schema: self.output(),
            active,
            echoes,
            key: (0, 0),
            acts: Vec::new(),
            slots: Vec::new(),
            sums: [[0; 5]; 2],
            heard: Vec::new(),
            rows: 0,
        })
    }
}

/// Class and start of the windows that stand out, ascending.
pub(super) fn standing_out(slots: &[RecordBatch]) -> Vec<(i32, i64)> {
    let mut all = Vec::new();
    for batch in slots {
        let (kinds, classes) = (column_i32(batch, "kind"), column_i32(batch, "class"));
        let starts = column_i64(batch, "start");
        let windows = (0..kinds.len()).filter(|&at| i64::from(kinds[at]) == WINDOW);
        all.extend(windows.map(|at| (classes[at], starts[at])));
    }
    all.sort_unstable();
    all
}

/// A window at the same place of the clock as one that stands out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Echo {
    class: i32,
    at: i64,
    start: i64,
    step: i64,
    times: i64,
}

struct Buckets {
    work: Work,
    schema: SchemaRef,
    active: bool,
    echoes: Vec<Echo>,
    key: (i32, i64),
    /// Distinct acts of the bucket and its halo, in order of time.
    acts: Vec<(i64, i32)>,
    slots: Vec<[i64; 7]>,
    /// By class.
    sums: [[i64; 5]; 2],
    heard: Vec<[i64; 5]>,
    rows: u64,
}

impl Buckets {
    fn close(&mut self) {
        let (class, from) = (self.key.0, self.key.1 * BUCKET_S);
        // Fewer acts than a burst has accounts cannot hold one, and say nothing of crowds.
        if self.acts.len() >= LEAST_ACCOUNTS as usize {
            match self.work {
                Work::Slots => self.find(class, from),
                Work::Echoes => self.listen(class, from),
            }
        }
        self.acts.clear();
    }

    fn find(&mut self, class: i32, from: i64) {
        let to = from + BUCKET_S;
        let counts = Counts::of(&self.acts, from - HALO_S, to + HALO_S);
        let outstanding: Vec<i64> =
            (from - DISTURBED_S..to + DISTURBED_S).filter(|&start| counts.stands_out(start)).collect();
        for &start in outstanding.iter().filter(|&&start| from <= start && start < to) {
            // Of windows that overlap, the fullest; of equal ones the last, which begins with the burst.
            let rank = |start: i64| (counts.at(start), start);
            let low = outstanding.partition_point(|&other| other <= start - WINDOW_S);
            let near = outstanding[low..].iter().take_while(|&&other| other < start + WINDOW_S);
            if near.into_iter().all(|&other| rank(other) <= rank(start)) {
                let around = counts.around(start);
                let n = counts.at(start).into();
                self.slots.push([WINDOW, class.into(), start, n, around.near, around.middle, around.wide]);
            }
        }
        // The crowd's dispersion is learnt away from what is tested.
        let sums = &mut self.sums[class as usize];
        for start in (from..to).step_by(WINDOW_S as usize) {
            let next = outstanding.partition_point(|&other| other < start - DISTURBED_S);
            if outstanding.get(next).is_some_and(|&other| other <= start + DISTURBED_S) {
                continue;
            }
            let (x, c) = (i64::from(counts.at(start)), counts.around(start).wide);
            for (sum, value) in sums.iter_mut().zip([1, x, x * x, x * c, c * c]) {
                *sum += value;
            }
        }
    }

    fn listen(&mut self, class: i32, from: i64) {
        let to = from + BUCKET_S;
        let low = self.echoes.partition_point(|echo| (echo.class, echo.at) < (class, from));
        let high = self.echoes.partition_point(|echo| (echo.class, echo.at) < (class, to));
        if low == high {
            return;
        }
        let counts = Counts::of(&self.acts, from - HALO_S, to + HALO_S);
        for echo in &self.echoes[low..high] {
            let most = (echo.at - ECHO_SLACK_S..=echo.at + ECHO_SLACK_S).map(|at| counts.at(at)).max();
            let most = i64::from(most.unwrap_or(0));
            if most > 0 {
                self.heard.push([class.into(), echo.start, echo.step, echo.times, most]);
            }
        }
    }
}

impl Kernel for Buckets {
    fn push(&mut self, batch: &RecordBatch, _: &mut Emit<'_>) -> Result<(), EngineError> {
        let (classes, buckets) = (column_i32(batch, "class"), column_i64(batch, "bucket"));
        let (seconds, accounts) = (column_i64(batch, "second"), column_i32(batch, "account"));
        self.rows += classes.len() as u64;
        if !self.active {
            return Ok(());
        }
        for at in 0..classes.len() {
            if self.key != (classes[at], buckets[at]) {
                self.close();
                self.key = (classes[at], buckets[at]);
            }
            if self.acts.last() != Some(&(seconds[at], accounts[at])) {
                self.acts.push((seconds[at], accounts[at]));
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close();
        match self.work {
            Work::Slots => {
                for (class, [windows, x, xx, xc, cc]) in self.sums.into_iter().enumerate() {
                    if windows > 0 {
                        self.slots.push([SUMS, class as i64, cc, windows, x, xx, xc]);
                    }
                }
                out.emit(table(&self.schema, &self.slots))?;
            }
            Work::Echoes => out.emit(table(&self.schema, &self.heard))?,
        }
        Ok(Accounted::used(self.rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_counts_once_in_a_window() {
        let counts = Counts::of(&[(100, 1), (103, 2), (104, 1), (112, 1)], 80, 130);
        assert_eq!([90, 91, 94, 95, 104, 105, 112, 113].map(|s| counts.at(s)), [0, 1, 2, 2, 1, 1, 1, 0]);
    }

    #[test]
    fn the_higher_side_of_a_wave_is_the_expectation() {
        let acts: Vec<(i64, i32)> = (0..30).map(|n| (200 + i64::from(n) / 10 * 10, n)).collect();
        let counts = Counts::of(&acts, 0, 400);
        let around = counts.around(200);
        assert_eq!((counts.at(200), around.near, around.middle, around.wide), (10, 10, 20, 20));
        assert!(!counts.stands_out(200));
    }
}
