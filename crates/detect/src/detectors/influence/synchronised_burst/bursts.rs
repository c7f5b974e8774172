//! From the gathered tables to bursts: what was expected, by the crowd and by the accounts' own
//! rhythm, and which bursts belong together.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::Case;
use crate::engine::{column_i32, column_i64};
use crate::stats::{fdr, tail};

use super::gather::{ACTING, CLOCK, Clock, DELETING, ECHOES, SLOTS};
use super::habits::{self, Act, Habit};
use super::windows::{Around, ECHO_STEPS_S, ECHOES_EACH_WAY, LEAST_ACCOUNTS, LEAST_RATIO, SUMS, WINDOW_S};

/// False-discovery rate over all windows that were looked at.
const ALPHA: f64 = 0.01;

/// One window that was rejected by both tests.
pub(super) struct Burst {
    pub(super) class: i32,
    /// In seconds.
    pub(super) start: i64,
    /// In order of time.
    pub(super) acts: Vec<Act>,
    /// Each account once, with its rhythm and its chance of acting in this window.
    pub(super) accounts: BTreeMap<i32, (Habit, f64)>,
    /// Accounts, those of one declared network being one.
    pub(super) n: usize,
    /// Accounts that the crowd would bring, around and at the same place of the clock.
    pub(super) crowd: f64,
    /// Accounts that their own rhythms would bring.
    pub(super) own: f64,
    /// Accounts without a rhythm of their own.
    pub(super) strangers: usize,
    /// Most accounts on one object.
    pub(super) on_one_object: usize,
    pub(super) q_value: f64,
}

impl Burst {
    /// Most of its accounts have no rhythm of their own.
    pub(super) fn is_of_strangers(&self) -> bool {
        2 * self.strangers > self.accounts.len()
    }

    /// People who hardly ever act and now act on the same thing look like an audience.
    fn looks_like_an_audience(&self) -> bool {
        self.class == ACTING && self.is_of_strangers() && 2 * self.on_one_object >= self.accounts.len()
    }

    /// The larger expectation.
    pub(super) fn expected(&self) -> f64 {
        self.crowd.max(self.own)
    }
}

/// What was looked at, for the reader.
pub(super) struct Looked {
    /// Windows, empty ones included: the size of the family.
    pub(super) windows: usize,
    /// Variance of the crowd's counts over and above Poisson's, by class: var = m + dispersion · m².
    pub(super) dispersion: [f64; 2],
    pub(super) days: f64,
}

/// Bursts by largely the same accounts, each group in order of time.
pub(super) fn find(case: &Case<'_>) -> (Vec<Vec<Burst>>, Looked) {
    let clock = Clock::read(&case.tables[CLOCK]);
    let looked = Looked { windows: clock.windows(), dispersion: dispersion(case), days: clock.days() };
    let mut bursts = candidates(case, &clock);
    bursts.retain(|burst| {
        burst.n >= LEAST_ACCOUNTS as usize && burst.n as f64 >= LEAST_RATIO * burst.expected()
    });
    // What looks like an audience stands only where the same accounts come together again.
    let groups = together(&bursts);
    let mut group = groups.iter();
    bursts.retain(|burst| {
        let own = group.next();
        !burst.looks_like_an_audience() || groups.iter().filter(|other| Some(*other) == own).count() > 1
    });
    let p_values: Vec<f64> = bursts
        .iter()
        .map(|burst| {
            let dispersion = looked.dispersion[burst.class as usize];
            // Both must be out of the question, so the larger is the p-value of "either will do".
            tail::negative_binomial(burst.crowd, dispersion, burst.n as u64)
                .max(tail::poisson(burst.own, burst.n as u64))
        })
        .collect();
    for (burst, q_value) in bursts.iter_mut().zip(fdr::benjamini_hochberg(&p_values, looked.windows)) {
        burst.q_value = q_value;
    }
    bursts.retain(|burst| burst.q_value <= ALPHA);
    bursts.sort_by_key(|burst| (burst.start, burst.class));
    let mut all: BTreeMap<usize, Vec<Burst>> = BTreeMap::new();
    for (group, burst) in together(&bursts).into_iter().zip(bursts) {
        all.entry(group).or_default().push(burst);
    }
    (all.into_values().collect(), looked)
}

/// Every window that stands out, with its accounts and expectations.
fn candidates(case: &Case<'_>, clock: &Clock) -> Vec<Burst> {
    let mut acts: BTreeMap<(i32, i64), Vec<Act>> = BTreeMap::new();
    for act in habits::read(case.tables) {
        acts.entry((act.class, act.start)).or_default().push(act);
    }
    let echoes = echoes(case);
    let stands_for = declared(case, &acts);
    let mut bursts = Vec::new();
    for batch in &case.tables[SLOTS] {
        let (kinds, classes) = (column_i32(batch, "kind"), column_i32(batch, "class"));
        let long = |name| column_i64(batch, name);
        for at in 0..kinds.len() {
            let key = (classes[at], long("start")[at]);
            if i64::from(kinds[at]) == SUMS {
                continue;
            }
            let Some(mut acts) = acts.remove(&key) else { continue };
            acts.sort_by_cached_key(|act| {
                (act.time, case.names.accounts.digest(act.account), case.names.objects.digest(act.object))
            });
            let around =
                Around { near: long("near")[at], middle: long("middle")[at], wide: long("wide")[at] };
            let crowd = around.expected().max(habit_of_the_crowd(&echoes, key, clock));
            bursts.push(burst(key, acts, crowd, clock, &stands_for));
        }
    }
    bursts
}

fn burst(
    (class, start): (i32, i64),
    acts: Vec<Act>,
    crowd: f64,
    clock: &Clock,
    stands_for: &BTreeMap<i32, i32>,
) -> Burst {
    let (hour_share, days) = (clock.hour_share(class, start), clock.days());
    let accounts: BTreeMap<i32, (Habit, f64)> =
        acts.iter().map(|act| (act.account, (act.habit, act.habit.chance(hour_share, days)))).collect();
    let distinct: BTreeSet<i32> =
        accounts.keys().map(|account| *stands_for.get(account).unwrap_or(account)).collect();
    // Summed from the smallest up: ids depend on the order of input, the sum must not.
    let mut chances: Vec<f64> = accounts.values().map(|(_, chance)| *chance).collect();
    chances.sort_by(f64::total_cmp);
    let mut on: BTreeMap<i64, BTreeSet<i32>> = BTreeMap::new();
    for act in &acts {
        on.entry(act.object).or_default().insert(act.account);
    }
    Burst {
        class,
        start,
        n: distinct.len(),
        crowd,
        own: chances.iter().sum(),
        strangers: accounts.values().filter(|(habit, _)| habit.is_strange()).count(),
        on_one_object: on.values().map(BTreeSet::len).max().unwrap_or(0),
        q_value: 1.0,
        acts,
        accounts,
    }
}

type Echoes = BTreeMap<(i32, i64), BTreeMap<i64, BTreeMap<i64, i64>>>;

/// Accounts that acted at the same place of the clock, by window, step and number of steps.
fn echoes(case: &Case<'_>) -> Echoes {
    let mut all = Echoes::new();
    for batch in &case.tables[ECHOES] {
        let (classes, starts) = (column_i32(batch, "class"), column_i64(batch, "start"));
        let (steps, times) = (column_i32(batch, "step"), column_i32(batch, "times"));
        let accounts = column_i32(batch, "accounts");
        for at in 0..classes.len() {
            let of_window = all.entry((classes[at], starts[at])).or_default();
            of_window.entry(steps[at].into()).or_default().insert(times[at].into(), accounts[at].into());
        }
    }
    all
}

/// Accounts that act at this place of the clock as a rule: for each step, the median over the times
/// before and after that lie in the recording, and of these the most.
///
/// The median, because bursts on three nights out of seven are no rule, and because a schedule that
/// begins in the morning has half its hours before it. Of two middle values the larger is taken.
fn habit_of_the_crowd(echoes: &Echoes, window: (i32, i64), clock: &Clock) -> f64 {
    let Some(heard) = echoes.get(&window) else { return 0.0 };
    let median = |step: i64| -> i64 {
        let counts = heard.get(&step);
        let in_recording = |times: &i64| {
            let at = window.1 + times * step;
            clock.first <= at && at + WINDOW_S <= clock.last + 1
        };
        let mut all: Vec<i64> = (-ECHOES_EACH_WAY..=ECHOES_EACH_WAY)
            .filter(|&times| times != 0)
            .filter(in_recording)
            .map(|times| counts.and_then(|counts| counts.get(&times)).copied().unwrap_or(0))
            .collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or(0)
    };
    ECHO_STEPS_S.into_iter().map(median).max().unwrap_or(0) as f64
}

/// Accounts of declared networks, each with the one that stands for its network.
fn declared(case: &Case<'_>, acts: &BTreeMap<(i32, i64), Vec<Act>>) -> BTreeMap<i32, i32> {
    let mut stands_for = BTreeMap::new();
    if case.settings.allowed.is_empty() {
        return stands_for;
    }
    let ids: BTreeMap<String, i32> =
        acts.values().flatten().map(|act| (case.names.accounts.name(act.account), act.account)).collect();
    for network in &case.settings.allowed {
        let own: BTreeSet<i32> = network.accounts.iter().filter_map(|name| ids.get(name).copied()).collect();
        if let Some(&first) = own.first() {
            stands_for.extend(own.into_iter().map(|id| (id, first)));
        }
    }
    stands_for
}

/// Windows around one, whose mean is its expectation.
const AROUND: f64 = 24.0;

/// How much more than Poisson's the crowd's counts vary, by class (the moment estimator of Cameron
/// and Trivedi, with the mean of 24 windows in place of the true one), away from what is tested.
fn dispersion(case: &Case<'_>) -> [f64; 2] {
    let mut sums = [[0_i64; 4]; 2];
    for batch in &case.tables[SLOTS] {
        let (kinds, classes) = (column_i32(batch, "kind"), column_i32(batch, "class"));
        let columns = ["near", "middle", "wide", "start"].map(|name| column_i64(batch, name));
        for at in (0..kinds.len()).filter(|&at| i64::from(kinds[at]) == SUMS) {
            for (sum, column) in sums[classes[at] as usize].iter_mut().zip(&columns) {
                *sum += column[at];
            }
        }
    }
    [ACTING, DELETING].map(|class| {
        let [x, xx, xc, cc] = sums[class as usize].map(|sum| sum as f64);
        let squares = cc / (AROUND * AROUND);
        if squares == 0.0 {
            return 0.0;
        }
        // The mean of 24 windows varies too, which adds one part in 24.
        let variance = (xx - 2.0 * xc / AROUND + squares) * AROUND / (AROUND + 1.0);
        ((variance - x) / squares).max(0.0)
    })
}

/// For each burst the first one that it belongs with: bursts that have at least half of the smaller
/// one's accounts in common belong together.
fn together(bursts: &[Burst]) -> Vec<usize> {
    let mut group: Vec<usize> = (0..bursts.len()).collect();
    let mut seen: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (at, burst) in bursts.iter().enumerate() {
        let mut common: BTreeMap<usize, usize> = BTreeMap::new();
        for account in burst.accounts.keys() {
            let earlier = seen.entry(*account).or_default();
            for before in &*earlier {
                *common.entry(*before).or_default() += 1;
            }
            earlier.push(at);
        }
        for (before, common) in common {
            let smaller = burst.accounts.len().min(bursts[before].accounts.len());
            if group[before] != group[at] && 2 * common >= smaller {
                let (from, to) = (group[at].max(group[before]), group[at].min(group[before]));
                group.iter_mut().filter(|g| **g == from).for_each(|g| *g = to);
            }
        }
    }
    group
}
