//! Where the number of requests per minute leaves what is usual: one pure function, which kernels and judge
//! share through the small table of the step `rises`.
//!
//! What is usual at a minute is learnt from the same hour of the week in the last four weeks, or else from
//! the same hour of the last seven days, or else, with a higher bar, from the hour before: a cold start. A
//! rise is an event and never a verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};

use crate::engine::{Accounted, Emit, EngineError, Kernel, MakeKernel, Tables, column_i64, schema_of};

use crate::stats::counts::{add, sum};

use super::gather::{MINUTE, RISES, count_schema};

/// Minutes of a day and of a week.
const DAY: i64 = 1440;
const WEEK: i64 = 7 * DAY;
/// A hole in the recording of more than six hours is no quiet night: nothing was recorded.
const HOLE: i64 = 360;
/// A rise that lasts longer has become what is usual.
const LONGEST: i64 = 360;
/// So many minutes in a row at the usual rate end a rise: what comes again sooner is one event, and one finding.
const PAUSE: i64 = 15;
/// No rise below so many requests a minute, with a known season and without. Any server bears them.
const FLOOR: f64 = 60.0;
const COLD_FLOOR: f64 = 120.0;
/// Median absolute deviation to standard deviation, for a normal distribution.
const MAD: f64 = 1.4826;
/// Minutes that a cold start needs: with fewer the median is anybody's guess.
const COLD_LEAST: usize = 15;
/// Rises of one asset that are looked into, the largest first.
const MOST_RISES: usize = 32;
/// Windows that are looked at in one rise, apart from the two early ones.
const MOST_WINDOWS: i64 = 6;
/// Minutes of a window.
pub(super) const WINDOW: i64 = 5;

/// Where the usual rate was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Season {
    /// Same hour of the week.
    Weekly,
    /// Same hour of the day.
    Daily,
    /// The hour before.
    Cold,
}

/// What is usual at a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usual {
    /// Median of the requests per minute.
    pub(super) median: f64,
    /// Their spread: 1.4826 times the median absolute deviation, at least the root of the median.
    pub(super) spread: f64,
    pub(super) season: Season,
}

impl Usual {
    /// What two of three minutes must exceed.
    pub(super) fn bar(&self) -> f64 {
        match self.season {
            Season::Cold => (self.median + 8.0 * self.spread).max(5.0 * self.median).max(COLD_FLOOR),
            _ => (self.median + 6.0 * self.spread).max(2.0 * self.median).max(FLOOR),
        }
    }
}

/// A stretch of minutes beyond what is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rise {
    /// First minute since the epoch.
    pub(super) start: i64,
    /// The minute after the last.
    pub(super) end: i64,
    pub(super) usual: Usual,
    /// Requests in the busiest minute.
    pub(super) peak: i64,
    /// Requests in all of it.
    pub(super) total: i64,
}

/// Requests by minute, ascending, none twice.
pub(super) struct Minutes<'a>(pub(super) &'a [(i64, i64)]);

impl Minutes<'_> {
    fn at(&self, minute: i64) -> i64 {
        self.0.binary_search_by_key(&minute, |row| row.0).map_or(0, |at| self.0[at].1)
    }

    /// Requests in these minutes.
    pub(super) fn sum(&self, from: i64, until: i64) -> i64 {
        let first = self.0.partition_point(|row| row.0 < from);
        sum(self.0[first..].iter().take_while(|row| row.0 < until).map(|row| row.1))
    }

    /// Counts of the minutes from `from` to `until` that were recorded and lie in no rise.
    fn calm(&self, from: i64, until: i64, rises: &[Rise], into: &mut Vec<f64>) -> usize {
        let before = into.len();
        let mut next = self.0.partition_point(|row| row.0 < from);
        for minute in from..until {
            let here = self.0.get(next).filter(|row| row.0 == minute).map(|row| row.1);
            next += usize::from(here.is_some());
            // Rows on both sides, not far away: the minute was recorded even if nothing came.
            let recorded = here.is_some()
                || (next > 0 && next < self.0.len() && self.0[next].0 - self.0[next - 1].0 <= HOLE);
            let risen = rises.iter().rev().take(64).any(|rise| rise.start <= minute && minute < rise.end);
            if recorded && !risen {
                into.push(here.unwrap_or(0) as f64);
            }
        }
        into.len() - before
    }

    fn usual(&self, minute: i64, rises: &[Rise]) -> Option<Usual> {
        let mut counts = Vec::with_capacity(256);
        let season = |back: i64, times: i64, reach: i64, counts: &mut Vec<f64>| {
            counts.clear();
            let full = (1..=times)
                .filter(|n| {
                    let middle = minute - n * back;
                    // Most of the hour must have been recorded.
                    self.calm(middle - reach, middle + reach + 1, rises, counts) as i64 > reach
                })
                .count();
            full >= 2
        };
        let first = self.0.first()?.0;
        if first <= minute - 2 * WEEK && season(WEEK, 4, 30, &mut counts) {
            return Some(spread(&mut counts, Season::Weekly));
        }
        if first <= minute - 2 * DAY && season(DAY, 7, 60, &mut counts) {
            return Some(spread(&mut counts, Season::Daily));
        }
        counts.clear();
        let n = self.calm(minute - 60, minute - 5, rises, &mut counts);
        (n >= COLD_LEAST).then(|| spread(&mut counts, Season::Cold))
    }

    /// Every rise, in order of time.
    pub(super) fn rises(&self) -> Vec<Rise> {
        let mut rises: Vec<Rise> = Vec::new();
        let mut at = 0;
        while at < self.0.len() {
            let (minute, n) = self.0[at];
            at += 1;
            if (n as f64) <= FLOOR {
                continue;
            }
            let Some(usual) = self.usual(minute, &rises) else { continue };
            let over = |minute: i64| self.at(minute) as f64 > usual.bar();
            if !over(minute) || !(over(minute + 1) || over(minute + 2)) {
                continue;
            }
            let mut end = minute + 1;
            while let Some(next) = (end..end + PAUSE).find(|&m| over(m)) {
                end = next + 1;
                if end - minute >= LONGEST {
                    break;
                }
            }
            let first = at - 1;
            at = self.0.partition_point(|row| row.0 < end);
            let inside = &self.0[first..at];
            rises.push(Rise {
                start: minute,
                end,
                usual,
                peak: inside.iter().map(|row| row.1).max().unwrap_or(0),
                total: sum(inside.iter().map(|row| row.1)),
            });
        }
        rises
    }
}

fn spread(counts: &mut [f64], season: Season) -> Usual {
    let median = median(counts);
    let mut off: Vec<f64> = counts.iter().map(|n| (n - median).abs()).collect();
    Usual { median, spread: (MAD * self::median(&mut off)).max(median.sqrt()), season }
}

fn median(values: &mut [f64]) -> f64 {
    let (middle, odd) = (values.len() / 2, values.len() % 2 == 1);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if odd {
        return upper;
    }
    f64::midpoint(below.iter().copied().fold(f64::MIN, f64::max), upper)
}

/// A stretch of time in a rise that is looked at on its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    /// First minute.
    pub(super) start: i64,
    /// How many.
    pub(super) minutes: i64,
    /// Requests in it.
    pub(super) n: i64,
}

/// One rise as the table holds it.
#[derive(Clone, Debug)]
pub(super) struct RiseRow {
    pub(super) source: i64,
    pub(super) key: i64,
    pub(super) rise: Rise,
    /// The two early looks, then one every five minutes. None where larger rises took all the room.
    pub(super) windows: Vec<Window>,
    /// Minutes with their requests, from before the rise to a little after it, for a chart. As `windows`.
    pub(super) minutes: Vec<(i64, i64)>,
}

/// Rises from the small table, in order of source, key and time.
pub(super) fn read(tables: &Tables) -> Vec<RiseRow> {
    let mut rows: BTreeMap<[i64; 3], RiseRow> = BTreeMap::new();
    for batch in tables.get(RISES).into_iter().flatten() {
        let column = |name| column_i64(batch, name);
        for at in 0..batch.num_rows() {
            let value = |name| column(name)[at];
            let rise = Rise {
                start: value("start"),
                end: value("end"),
                usual: Usual {
                    median: value("median") as f64 / 1000.0,
                    spread: value("spread") as f64 / 1000.0,
                    season: match value("season") {
                        0 => Season::Weekly,
                        1 => Season::Daily,
                        _ => Season::Cold,
                    },
                },
                peak: value("peak"),
                total: value("total"),
            };
            let (source, key) = (value("source"), value("key"));
            let row = rows.entry([source, key, rise.start]).or_insert_with(|| RiseRow {
                source,
                key,
                rise,
                windows: Vec::new(),
                minutes: Vec::new(),
            });
            if value("w_minutes") == CHARTED {
                row.minutes.push((value("w_start"), value("w_n")));
            }
            if value("w_minutes") > 0 {
                row.windows.push(Window {
                    start: value("w_start"),
                    minutes: value("w_minutes"),
                    n: value("w_n"),
                });
            }
        }
    }
    rows.into_values().collect()
}

/// Windows of one rise.
fn windows(rise: &Rise, minutes: &Minutes<'_>) -> Vec<Window> {
    let window = |start, length| Window { start, minutes: length, n: minutes.sum(start, start + length) };
    let mut windows = vec![window(rise.start, 1), window(rise.start, 2)];
    for n in 0..MOST_WINDOWS {
        let start = rise.start + n * WINDOW;
        if start < rise.end {
            windows.push(window(start, WINDOW));
        }
    }
    windows
}

/// Minutes that a chart shows before a rise, of it at most, and after it.
const CHART: [i64; 3] = [60, 180, 10];
/// In `w_minutes`: the row is no window but one minute of the chart.
const CHARTED: i64 = -1;

/// The minutes that a chart of the rise shows, as far as they were recorded.
fn charted(rise: &Rise, minutes: &Minutes<'_>) -> Vec<Window> {
    let (Some(&(first, _)), Some(&(last, _))) = (minutes.0.first(), minutes.0.last()) else {
        return Vec::new();
    };
    let from = (rise.start - CHART[0]).max(first);
    let until = (rise.end.min(rise.start + CHART[1]) + CHART[2]).min(last + 1);
    (from..until).map(|start| Window { start, minutes: CHARTED, n: minutes.at(start) }).collect()
}

const COLUMNS: [&str; 12] = [
    "source",
    "key",
    "start",
    "end",
    "median",
    "spread",
    "season",
    "peak",
    "total",
    "w_start",
    "w_minutes",
    "w_n",
];

/// Makes kernels that find the rises.
pub(super) struct MakeRises;

impl MakeKernel for MakeRises {
    fn input(&self) -> SchemaRef {
        count_schema()
    }
    fn output(&self) -> SchemaRef {
        schema_of(&COLUMNS.map(|name| (name, DataType::Int64)))
    }
    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Find {
            schema: self.output(),
            key: None,
            minutes: Vec::new(),
            columns: Default::default(),
            rows: 0,
        })
    }
}

struct Find {
    schema: SchemaRef,
    key: Option<[i64; 2]>,
    minutes: Vec<(i64, i64)>,
    columns: [Vec<i64>; 12],
    rows: u64,
}

impl Find {
    fn close(&mut self) {
        let Some([source, key]) = self.key else { return };
        let minutes = Minutes(&self.minutes);
        let rises = minutes.rises();
        let mut by_size: Vec<usize> = (0..rises.len()).collect();
        by_size.sort_by_key(|&at| (std::cmp::Reverse(rises[at].total), at));
        let mut looked = vec![false; rises.len()];
        by_size.iter().take(MOST_RISES).for_each(|&at| looked[at] = true);
        for (rise, looked) in rises.iter().zip(looked) {
            let windows = if looked {
                let mut windows = windows(rise, &minutes);
                windows.extend(charted(rise, &minutes));
                windows
            } else {
                Vec::new()
            };
            let none = Window { start: rise.start, minutes: 0, n: 0 };
            for window in windows.iter().chain(windows.is_empty().then_some(&none)) {
                let row = [
                    source,
                    key,
                    rise.start,
                    rise.end,
                    (rise.usual.median * 1000.0).round() as i64,
                    (rise.usual.spread * 1000.0).round() as i64,
                    rise.usual.season as i64,
                    rise.peak,
                    rise.total,
                    window.start,
                    window.minutes,
                    window.n,
                ];
                self.columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
            }
        }
    }
}

impl Kernel for Find {
    fn push(&mut self, batch: &RecordBatch, _: &mut Emit<'_>) -> Result<(), EngineError> {
        let (sources, keys) = (column_i64(batch, "source"), column_i64(batch, "key"));
        let (minutes, counts) = (column_i64(batch, "minute"), column_i64(batch, "n"));
        self.rows += counts.len() as u64;
        for at in 0..counts.len() {
            let key = Some([sources[at], keys[at]]);
            if self.key != key {
                self.close();
                self.minutes.clear();
                self.key = key;
            }
            match self.minutes.last_mut() {
                Some(last) if last.0 == minutes[at] => add(&mut last.1, counts[at]),
                _ => self.minutes.push((minutes[at], counts[at])),
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close();
        let columns: Vec<ArrayRef> = self
            .columns
            .iter_mut()
            .map(|column| Arc::new(Int64Array::from(std::mem::take(column))) as ArrayRef)
            .collect();
        out.emit(
            RecordBatch::try_new(self.schema.clone(), columns).expect("internal error: the columns follow"),
        )?;
        Ok(Accounted::used(self.rows))
    }
}

/// The start and end of a window in milliseconds.
pub(super) fn span(window: &Window) -> (i64, i64) {
    (window.start * MINUTE, (window.start + window.minutes) * MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(noise: impl Fn(i64) -> i64) -> Vec<(i64, i64)> {
        (0..DAY).map(|minute| (minute, noise(minute))).collect()
    }

    #[test]
    fn an_ordinary_day_has_no_rise() {
        let counts = day(|minute| 40 + minute % 17 + (minute / 60) * 3);
        assert_eq!(Minutes(&counts).rises(), []);
    }

    #[test]
    fn a_burst_is_a_rise_and_a_single_minute_is_none() {
        let mut counts = day(|minute| 30 + minute % 7);
        counts[700].1 = 900;
        for count in &mut counts[800..812] {
            count.1 = 500;
        }
        let rises = Minutes(&counts).rises();
        assert_eq!(rises.len(), 1);
        assert_eq!((rises[0].start, rises[0].end, rises[0].usual.season), (800, 812, Season::Cold));
        assert_eq!((rises[0].peak, rises[0].total), (500, 6000));
    }

    #[test]
    fn what_comes_every_day_at_that_hour_is_usual() {
        // Twenty at midnight, 380 at noon.
        let usual = |minute: i64| 200.0 - 180.0 * (minute as f64 / DAY as f64 * std::f64::consts::TAU).cos();
        let mut counts: Vec<(i64, i64)> = (0..5 * DAY).map(|minute| (minute, usual(minute) as i64)).collect();
        assert_eq!(Minutes(&counts).rises(), []);
        for minute in 4 * DAY + 900..4 * DAY + 910 {
            counts[minute as usize].1 = 900;
        }
        let rises = Minutes(&counts).rises();
        assert_eq!(
            rises.last().map(|rise| (rise.start, rise.usual.season)),
            Some((4 * DAY + 900, Season::Daily))
        );
    }
}
