//! What else a burst may be, from its shape.

use std::collections::{BTreeMap, BTreeSet};

use domain::BenignCause;

use super::bursts::Burst;
use super::explain::is_deletion;
use super::windows::LEAST_ACCOUNTS;

/// What bursts by largely the same accounts look like.
pub(super) struct Shape {
    pub(super) bursts: usize,
    /// The accounts that the finding is about.
    pub(super) members: BTreeSet<i32>,
    /// Accounts that acted in one of several bursts only: as likely as not they happened by.
    pub(super) passers_by: usize,
    /// Members that took part in at least three bursts.
    regulars: usize,
    /// Members without a rhythm of their own, and whether they are most of some burst.
    pub(super) strangers: usize,
    pub(super) is_of_strangers: bool,
    /// Most accounts on one object in one burst.
    pub(super) on_one_object: usize,
    /// Longest time in which the members of a burst began to act, in seconds.
    pub(super) span_s: f64,
    pub(super) posts: bool,
    pub(super) deletes: bool,
    /// Share of bursts that begin within five seconds of a whole five minutes.
    on_the_clock: f64,
    /// Largest share of a burst's members that carry the very same second.
    one_second: f64,
}

impl Shape {
    pub(super) fn of(bursts: &[Burst]) -> Self {
        let mut taken: BTreeMap<i32, usize> = BTreeMap::new();
        for account in bursts.iter().flat_map(|burst| burst.accounts.keys()) {
            *taken.entry(*account).or_default() += 1;
        }
        let repeaters = taken.values().filter(|&&times| times >= 2).count();
        let at_least = if repeaters >= LEAST_ACCOUNTS as usize { 2 } else { 1 };
        let members: BTreeSet<i32> =
            taken.iter().filter(|(_, times)| **times >= at_least).map(|(account, _)| *account).collect();
        let strangers: BTreeSet<i32> = bursts
            .iter()
            .flat_map(|burst| burst.accounts.iter().filter(|(_, (habit, _))| habit.is_strange()))
            .map(|(account, _)| *account)
            .filter(|account| members.contains(account))
            .collect();
        let starts: Vec<Vec<i64>> = bursts.iter().map(|burst| starts(burst, &members)).collect();
        let on_the_clock = starts.iter().filter(|starts| {
            let past = starts.first().map_or(0, |start| start.div_euclid(1000).rem_euclid(300));
            past <= 5 || past >= 295
        });
        let span = |starts: &Vec<i64>| match (starts.first(), starts.last()) {
            (Some(first), Some(last)) => (last - first) as f64 / 1000.0,
            _ => 0.0,
        };
        Self {
            bursts: bursts.len(),
            passers_by: taken.len() - members.len(),
            regulars: taken.values().filter(|&&times| times >= 3).count(),
            strangers: strangers.len(),
            is_of_strangers: bursts.iter().any(Burst::is_of_strangers),
            on_one_object: bursts.iter().map(|burst| burst.on_one_object).max().unwrap_or(0),
            span_s: starts.iter().map(span).fold(0.0, f64::max),
            posts: !bursts.iter().all(is_deletion),
            deletes: bursts.iter().any(is_deletion),
            on_the_clock: on_the_clock.count() as f64 / bursts.len() as f64,
            one_second: starts.iter().map(|starts| one_second(starts)).fold(0.0, f64::max),
            members,
        }
    }

    /// Enough accounts for a burst took part at least three times.
    pub(super) fn is_repeated(&self) -> bool {
        self.regulars >= LEAST_ACCOUNTS as usize
    }
}

/// When each member that took part began, ascending, in milliseconds.
fn starts(burst: &Burst, members: &BTreeSet<i32>) -> Vec<i64> {
    let mut seen = BTreeSet::new();
    let own = burst.acts.iter().filter(|act| members.contains(&act.account));
    own.filter(|act| seen.insert(act.account)).map(|act| act.time).collect()
}

/// Share of these times that fall in the fullest second.
fn one_second(starts: &[i64]) -> f64 {
    let seconds = starts.chunk_by(|a, b| a.div_euclid(1000) == b.div_euclid(1000));
    seconds.map(<[i64]>::len).max().unwrap_or(0) as f64 / starts.len().max(1) as f64
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
            if shape.on_one_object * 2 >= shape.members.len() {
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
