//! What else a burst may be, from its shape.

use std::collections::{BTreeMap, BTreeSet};

use domain::BenignCause;

use super::bursts::Burst;
use super::explain::is_deletion;
use super::windows::LEAST_ACCOUNTS;

/// What bursts by largely the same accounts look like.
pub(super) struct Shape {
    pub(super) bursts: usize,
    /// Distinct accounts.
    pub(super) accounts: usize,
    /// Accounts that took part in at least two bursts, and in at least three.
    pub(super) repeaters: usize,
    regulars: usize,
    /// Accounts that act nowhere else in the recording, and whether they are most of some burst.
    pub(super) one_off: usize,
    pub(super) is_of_one_offs: bool,
    /// Most accounts on one object in one burst.
    pub(super) on_one_object: usize,
    /// Longest time from first to last act of a burst, in seconds.
    pub(super) span_s: f64,
    pub(super) posts: bool,
    pub(super) deletes: bool,
    /// Share of bursts that begin within five seconds of a whole five minutes.
    on_the_clock: f64,
    /// Largest share of a burst's accounts that carry the very same second.
    one_second: f64,
}

impl Shape {
    pub(super) fn of(bursts: &[Burst]) -> Self {
        let mut taken: BTreeMap<i32, usize> = BTreeMap::new();
        for account in bursts.iter().flat_map(|burst| burst.accounts.keys()) {
            *taken.entry(*account).or_default() += 1;
        }
        let one_off: BTreeSet<i32> = bursts
            .iter()
            .flat_map(|burst| burst.accounts.iter().filter(|(_, (habit, _))| habit.all_others == 0))
            .map(|(account, _)| *account)
            .collect();
        let on_the_clock = bursts.iter().filter(|burst| {
            let past = burst.acts[0].time.div_euclid(1000).rem_euclid(300);
            past <= 5 || past >= 295
        });
        let span =
            |burst: &Burst| (burst.acts[burst.acts.len() - 1].time - burst.acts[0].time) as f64 / 1000.0;
        Self {
            bursts: bursts.len(),
            accounts: taken.len(),
            repeaters: taken.values().filter(|&&times| times >= 2).count(),
            regulars: taken.values().filter(|&&times| times >= 3).count(),
            one_off: one_off.len(),
            is_of_one_offs: bursts.iter().any(Burst::is_of_one_offs),
            on_one_object: bursts.iter().map(|burst| burst.on_one_object).max().unwrap_or(0),
            span_s: bursts.iter().map(span).fold(0.0, f64::max),
            posts: !bursts.iter().all(is_deletion),
            deletes: bursts.iter().any(is_deletion),
            on_the_clock: on_the_clock.count() as f64 / bursts.len() as f64,
            one_second: bursts.iter().map(one_second).fold(0.0, f64::max),
        }
    }

    /// Enough accounts for a burst took part at least three times.
    pub(super) fn is_repeated(&self) -> bool {
        self.regulars >= LEAST_ACCOUNTS as usize
    }
}

fn one_second(burst: &Burst) -> f64 {
    let mut accounts: BTreeMap<i64, BTreeSet<i32>> = BTreeMap::new();
    for act in &burst.acts {
        accounts.entry(act.time.div_euclid(1000)).or_default().insert(act.account);
    }
    accounts.values().map(BTreeSet::len).max().unwrap_or(0) as f64 / burst.accounts.len() as f64
}

/// Benign causes, the likeliest first.
pub(super) fn ranked(shape: &Shape) -> Vec<BenignCause> {
    let part = |value: f64| format!("{:.0} %", value * 100.0);
    let mut causes: Vec<(u8, BenignCause)> = Vec::new();
    let mut add = |rank: u8, name: &str, why: String| {
        causes.push((rank, BenignCause { name: name.to_owned(), why }));
    };
    add(
        if shape.deletes { 0 } else { 6 },
        "platform-maintenance",
        if shape.deletes {
            "A platform that removes accounts or posts in bulk deletes them in the same seconds; timing alone cannot \
             tell who pressed the button."
                .to_owned()
        } else {
            "A platform that was down delivers what had piled up in the same seconds.".to_owned()
        },
    );
    add(
        if shape.on_the_clock >= 0.5 { 1 } else { 3 },
        "scheduling-tool",
        format!(
            "Tools that {} at a set time bring strangers together: {} of the bursts begin on a whole five minutes, and \
             the accounts' other acts show no such habit.",
            if shape.deletes && !shape.posts { "clear old posts" } else { "post" },
            part(shape.on_the_clock)
        ),
    );
    if shape.posts {
        add(
            if shape.bursts <= 2 { 2 } else { 5 },
            "live-event",
            if shape.on_one_object * 2 >= shape.accounts {
                format!(
                    "People who watch one broadcast act together; here {} acted on the same object, though without the \
                     slower reactions that follow.",
                    shape.on_one_object
                )
            } else {
                "People who watch one broadcast act together; against it speaks that hardly anybody acted in the \
                 half-minutes before and after."
                    .to_owned()
            },
        );
    }
    add(
        if shape.one_second > 0.9 { 2 } else { 4 },
        "clock-artefact",
        format!(
            "An export that gives a whole batch one time: {} of the accounts of a burst carry the very same second.",
            part(shape.one_second)
        ),
    );
    causes.sort_by_key(|(rank, _)| *rank);
    causes.into_iter().map(|(_, cause)| cause).collect()
}
