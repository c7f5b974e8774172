//! Each account's own rhythm, and its acts inside the windows that stand out.

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};

use crate::engine::{
    Accounted, Emit, EngineError, Kernel, MakeKernel, Tables, column_i32, column_i64, schema_of,
};

use super::gather::{CLOCK, Clock, HABITS, SLOTS, table};
use super::windows::{WINDOW_S, standing_out};

/// Why nothing was looked for: in the words of the run's notes.
const COARSE: &str = "most times are whole minutes, so that bursts of seconds cannot be told from the export";

/// Cycles, in seconds, in which an account's clock habit is sought: minute, five minutes, quarter
/// of an hour, hour, day.
const CYCLES_S: [i64; 5] = [60, 300, 900, 3600, 86_400];

/// Acts after which an account's own hour counts as much as everybody's: one for each hour.
const HOUR_PRIOR: f64 = 24.0;

/// Acts after which an account's own place on the clock counts as much as chance: three at the same
/// place are no accident, two may be.
const CLOCK_PRIOR: f64 = 3.0;

/// What an account does outside one window, with the class of the window's acts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Habit {
    /// Acts outside the window: of the window's class, and of any.
    others: i64,
    all_others: i64,
    /// Of `others`, in the same hour of the day.
    hour: i64,
    /// Of `others`, at the window's place in each cycle.
    clock: [i64; CYCLES_S.len()],
}

impl Habit {
    /// Too few acts elsewhere to have a rhythm of its own.
    pub(super) fn is_strange(&self) -> bool {
        (self.all_others as f64) < CLOCK_PRIOR
    }

    fn of(start: i64, own: &[i64], all: usize, inside: usize) -> Self {
        let mut habit = Self { all_others: (all - inside) as i64, ..Self::default() };
        let hour = start.rem_euclid(86_400) / 3600;
        for second in own.iter().filter(|&&second| !(start..start + WINDOW_S).contains(&second)) {
            habit.others += 1;
            habit.hour += i64::from(second.rem_euclid(86_400) / 3600 == hour);
            for (count, cycle) in habit.clock.iter_mut().zip(CYCLES_S) {
                *count += i64::from((second - start).rem_euclid(cycle) < WINDOW_S);
            }
        }
        habit
    }

    /// Chance that the account acts in the window: by its hours of the day and, where that is more,
    /// by its place on the clock. Both are shrunk: to the share of everybody's acts that falls in
    /// this hour, and to chance. An account without other acts has that of one act in the recording.
    pub(super) fn chance(&self, hour_share: f64, days: f64) -> f64 {
        let others = self.others as f64;
        let acts = others.max(1.0);
        let a_day = if self.others == 0 { 1.0 / days } else { others / (days - 1.0).max(1.0) };
        let in_hour = acts / days * (self.hour as f64 + HOUR_PRIOR * hour_share) / (others + HOUR_PRIOR);
        let mut chance: f64 = 0.0;
        for (&count, cycle) in self.clock.iter().zip(CYCLES_S) {
            let (in_cycle, prior) = if cycle == 86_400 {
                (a_day, hour_share * WINDOW_S as f64 / 3600.0)
            } else {
                (in_hour * cycle as f64 / 3600.0, WINDOW_S as f64 / cycle as f64)
            };
            let here = (count as f64 + CLOCK_PRIOR * prior) / (others + CLOCK_PRIOR);
            chance = chance.max(in_cycle * here);
        }
        chance.min(1.0)
    }
}

/// One row of an account inside a window that stands out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Act {
    pub(super) class: i32,
    /// Start of the window, in seconds.
    pub(super) start: i64,
    pub(super) account: i32,
    /// Milliseconds.
    pub(super) time: i64,
    pub(super) object: i64,
    pub(super) action: i32,
    pub(super) platform: i32,
    pub(super) habit: Habit,
}

/// All acts of the kept table.
pub(super) fn read(tables: &Tables) -> Vec<Act> {
    let mut all = Vec::new();
    for batch in &tables[HABITS] {
        let int = |name| column_i32(batch, name);
        let long = |name| column_i64(batch, name);
        let clock = CLOCK_COLUMNS.map(long);
        for at in 0..batch.num_rows() {
            all.push(Act {
                class: int("class")[at],
                start: long("start")[at],
                account: int("account")[at],
                time: long("time")[at],
                object: long("object")[at],
                action: int("action")[at],
                platform: int("platform")[at],
                habit: Habit {
                    others: long("others")[at],
                    all_others: long("all_others")[at],
                    hour: long("hour")[at],
                    clock: clock.map(|column| column[at]),
                },
            });
        }
    }
    all
}

const CLOCK_COLUMNS: [&str; CYCLES_S.len()] =
    ["clock_60", "clock_300", "clock_900", "clock_3600", "clock_86400"];

pub(super) struct MakeHabits;

impl MakeKernel for MakeHabits {
    fn input(&self) -> SchemaRef {
        schema_of(&[
            ("account", DataType::Int32),
            ("class", DataType::Int32),
            ("time", DataType::Int64),
            ("object", DataType::Int64),
            ("action", DataType::Int32),
            ("platform", DataType::Int32),
        ])
    }

    fn output(&self) -> SchemaRef {
        let mut columns = vec![
            ("class", DataType::Int32),
            ("start", DataType::Int64),
            ("account", DataType::Int32),
            ("time", DataType::Int64),
            ("object", DataType::Int64),
            ("action", DataType::Int32),
            ("platform", DataType::Int32),
            ("others", DataType::Int64),
            ("all_others", DataType::Int64),
            ("hour", DataType::Int64),
        ];
        columns.extend(CLOCK_COLUMNS.map(|name| (name, DataType::Int64)));
        schema_of(&columns)
    }

    fn start(&self, small: &Tables) -> Box<dyn Kernel> {
        Box::new(Habits {
            schema: self.output(),
            fine: Clock::read(&small[CLOCK]).fine,
            windows: standing_out(&small[SLOTS]),
            account: None,
            acts: Vec::new(),
            out: Vec::new(),
            rows: 0,
        })
    }
}

/// Class, time in ms, object, action, platform.
type Row = (i32, i64, i64, i32, i32);

struct Habits {
    schema: SchemaRef,
    fine: bool,
    /// Class and start, ascending; windows of one class do not overlap.
    windows: Vec<(i32, i64)>,
    account: Option<i32>,
    /// Distinct rows of the account, by class and time.
    acts: Vec<Row>,
    out: Vec<[i64; 15]>,
    rows: u64,
}

impl Habits {
    fn close(&mut self) {
        let Some(account) = self.account else { return };
        let inside: Vec<(i64, Row)> =
            self.acts.iter().filter_map(|act| self.window(act).map(|start| (start, *act))).collect();
        if inside.is_empty() {
            self.acts.clear();
            return;
        }
        let seconds = |class: i32| {
            let of_class = self.acts.iter().filter(|act| act.0 == class);
            let mut seconds: Vec<i64> = of_class.map(|act| act.1.div_euclid(1000)).collect();
            seconds.dedup();
            seconds
        };
        let own = [seconds(0), seconds(1)];
        let all = own[0].len() + own[1].len();
        for group in inside.chunk_by(|a, b| (a.0, a.1.0) == (b.0, b.1.0)) {
            let (start, class) = (group[0].0, group[0].1.0);
            let own = &own[class as usize];
            let within = own.partition_point(|&second| second < start + WINDOW_S)
                - own.partition_point(|&second| second < start);
            let habit = Habit::of(start, own, all, within);
            for (_, (class, time, object, action, platform)) in group {
                let [a, b, c, d, e] = habit.clock;
                self.out.push([
                    i64::from(*class),
                    start,
                    account.into(),
                    *time,
                    *object,
                    i64::from(*action),
                    i64::from(*platform),
                    habit.others,
                    habit.all_others,
                    habit.hour,
                    a,
                    b,
                    c,
                    d,
                    e,
                ]);
            }
        }
        self.acts.clear();
    }

    /// Start of the window that holds the act, where one does.
    fn window(&self, act: &Row) -> Option<i64> {
        let second = act.1.div_euclid(1000);
        let after = self.windows.partition_point(|window| *window <= (act.0, second));
        let (class, start) = *self.windows.get(after.checked_sub(1)?)?;
        (class == act.0 && second < start + WINDOW_S).then_some(start)
    }
}

impl Kernel for Habits {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let (accounts, classes) = (column_i32(batch, "account"), column_i32(batch, "class"));
        let (times, objects) = (column_i64(batch, "time"), column_i64(batch, "object"));
        let (actions, platforms) = (column_i32(batch, "action"), column_i32(batch, "platform"));
        self.rows += accounts.len() as u64;
        if self.windows.is_empty() {
            return Ok(());
        }
        for at in 0..accounts.len() {
            if self.account != Some(accounts[at]) {
                self.close();
                self.account = Some(accounts[at]);
            }
            let act = (classes[at], times[at], objects[at], actions[at], platforms[at]);
            if self.acts.last() != Some(&act) {
                self.acts.push(act);
            }
        }
        if self.out.len() >= 65_536 {
            out.emit(table(&self.schema, &std::mem::take(&mut self.out)))?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close();
        out.emit(table(&self.schema, &self.out))?;
        if self.fine {
            return Ok(Accounted::used(self.rows));
        }
        let refused = if self.rows > 0 { [(COARSE, self.rows)].into() } else { [].into() };
        Ok(Accounted { used: 0, refused })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn an_account_that_posts_every_day_at_nine_will_do_so_today() {
        let own: Vec<i64> = (0..14).map(|day| day * DAY + 9 * 3600).collect();
        let today = Habit::of(6 * DAY + 9 * 3600, &own, own.len(), 1);
        assert!(today.chance(1.0 / 24.0, 13.0) > 0.8, "{today:?}");
        let at_ten = Habit::of(6 * DAY + 10 * 3600, &own, own.len(), 0);
        assert!(at_ten.chance(1.0 / 24.0, 13.0) < 0.05, "{at_ten:?}");
    }

    #[test]
    fn a_tool_on_the_hour_is_known_within_one_day() {
        let own: Vec<i64> = (0..24).map(|hour| hour * 3600 + 2).collect();
        assert!(Habit::of(12 * 3600, &own, own.len(), 1).chance(1.0 / 24.0, 1.0) > 0.3);
        assert!(Habit::of(12 * 3600 + 1000, &own, own.len(), 0).chance(1.0 / 24.0, 1.0) < 0.01);
    }

    #[test]
    fn an_account_seen_once_has_everybodys_rhythm() {
        let once = Habit::of(0, &[3], 1, 1);
        assert_eq!((once.others, once.all_others), (0, 0));
        let chance = once.chance(0.1, 2.0);
        assert!((chance - 0.5 * 0.1 * 10.0 / 3600.0).abs() < 1e-12, "{chance}");
    }
}
