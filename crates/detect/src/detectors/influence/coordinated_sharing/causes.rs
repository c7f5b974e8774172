//! What else a group in step may be, from its shape.

use std::collections::{BTreeMap, BTreeSet};

use domain::BenignCause;

use super::groups::OCCASION_PAUSE_MS;

/// One share in step.
pub(super) struct Act {
    pub(super) object: i64,
    pub(super) account: i32,
    pub(super) time: i64,
    /// Since the group's first share of the object, and to the nearest other member's, in ms.
    pub(super) lag: i64,
    pub(super) gap: i64,
    /// Accounts outside the group that shared the object.
    pub(super) others: u32,
}

/// What a group's shares look like, whatever is shared.
pub(super) struct Shape {
    members: usize,
    window_s: i64,
    pub(super) objects: usize,
    /// Times at least an hour apart.
    pub(super) occasions: usize,
    /// Median time to the nearest other member, in seconds.
    pub(super) median_gap_s: f64,
    /// Median part of the objects that a member takes part in.
    pub(super) participation: f64,
    /// Part of the objects that hardly anybody else shared.
    pub(super) own_objects: f64,
    /// Median over members of how much their lag varies (median absolute deviation), in seconds.
    lag_spread_s: f64,
    /// Part of the objects that one member led.
    led_by_one: f64,
    /// Time from first to last, in hours.
    hours: f64,
}

impl Shape {
    pub(super) fn of(acts: &[Act], members: usize, window_s: i64) -> Self {
        let mut objects: BTreeMap<i64, (usize, u32, i64, i32)> = BTreeMap::new();
        let mut of_account: BTreeMap<i32, (BTreeSet<i64>, Vec<i64>)> = BTreeMap::new();
        for act in acts {
            let object = objects.entry(act.object).or_insert((0, act.others, i64::MAX, act.account));
            object.0 += 1;
            if act.lag < object.2 {
                (object.2, object.3) = (act.lag, act.account);
            }
            let account = of_account.entry(act.account).or_default();
            account.0.insert(act.object);
            account.1.push(act.lag);
        }
        let n_objects = objects.len().max(1);
        let mut times: Vec<i64> = acts.iter().map(|act| act.time).collect();
        times.sort_unstable();
        let pauses = times.windows(2).filter(|pair| pair[1] - pair[0] >= OCCASION_PAUSE_MS).count();
        let own = objects.values().filter(|(shares, others, ..)| (*others as usize) * 5 <= *shares).count();
        let mut leads: BTreeMap<i32, usize> = BTreeMap::new();
        for (.., leader) in objects.values() {
            *leads.entry(*leader).or_default() += 1;
        }
        let median = |values: &mut Vec<f64>| -> f64 {
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(0.0)
        };
        let spread = |lags: &[i64]| {
            let mut lags: Vec<f64> = lags.iter().map(|&lag| lag as f64 / 1000.0).collect();
            let middle = median(&mut lags);
            median(&mut lags.iter().map(|lag| (lag - middle).abs()).collect())
        };
        Self {
            members,
            window_s,
            objects: objects.len(),
            occasions: pauses + usize::from(!times.is_empty()),
            median_gap_s: median(&mut acts.iter().map(|act| act.gap as f64 / 1000.0).collect()),
            participation: median(
                &mut of_account.values().map(|(own, _)| own.len() as f64 / n_objects as f64).collect(),
            ),
            own_objects: own as f64 / n_objects as f64,
            lag_spread_s: median(&mut of_account.values().map(|(_, lags)| spread(lags)).collect()),
            led_by_one: leads.values().copied().max().unwrap_or(0) as f64 / n_objects as f64,
            hours: (times.last().unwrap_or(&0) - times.first().unwrap_or(&0)) as f64 / 3.6e6,
        }
    }

    /// One machine or feed posts for all: nearly everybody, nearly always, with a constant lag.
    pub(super) fn is_syndication(&self) -> bool {
        self.participation >= 0.9 && self.lag_spread_s <= 2.0 && self.own_objects >= 0.5
    }

    /// A few accounts of one house share what nobody else shares, on many occasions.
    pub(super) fn is_house(&self) -> bool {
        self.members <= 15 && self.participation >= 0.7 && self.own_objects >= 0.5 && self.occasions >= 3
    }

    /// Everything happened in one sitting or two.
    pub(super) fn is_one_event(&self) -> bool {
        self.occasions <= 2 || self.hours <= 12.0
    }

    /// A house or a feed that would declare itself if asked.
    pub(super) fn looks_declared(&self) -> bool {
        !self.is_one_event() && (self.is_syndication() || self.is_house())
    }

    /// People do not hit the same second again and again.
    pub(super) fn looks_automated(&self) -> bool {
        self.median_gap_s <= 2.0 && self.occasions >= 3
    }
}

/// Benign causes, the likeliest first.
pub(super) fn ranked(shape: &Shape) -> Vec<BenignCause> {
    let part = |value: f64| format!("{:.0} %", value * 100.0);
    let mut causes: Vec<(u8, BenignCause)> = Vec::new();
    let mut add = |rank: u8, name: &str, why: String| {
        causes.push((rank, BenignCause { name: name.to_owned(), why }));
    };
    add(
        if shape.is_one_event() {
            0
        } else if shape.own_objects > 0.5 && shape.window_s >= 60 {
            4
        } else {
            6
        },
        "common-trigger",
        if shape.is_one_event() {
            format!(
                "All of it happened on {} occasion{}: people who react to one broadcast, match or rally look the same.",
                shape.occasions,
                if shape.occasions == 1 { "" } else { "s" }
            )
        } else {
            format!(
                "A broadcast or an alert at each of the {} occasions would do the same; timing alone cannot tell.",
                shape.occasions
            )
        },
    );
    add(
        if shape.is_syndication() { 1 } else { 8 },
        "automated-syndication",
        format!(
            "A feed that posts for all of them: members take part in {} of the objects, and their lag varies by {:.0} s.",
            part(shape.participation),
            shape.lag_spread_s
        ),
    );
    add(
        if shape.is_house() { 2 } else { 7 },
        "newsroom",
        format!(
            "Accounts of one house that share its own items: {} of the objects had hardly any other audience.",
            part(shape.own_objects)
        ),
    );
    add(
        3,
        "campaign-team",
        format!(
            "A party, union or association whose members agreed to share: {} accounts, {} objects, one account first \
             on {} of them.",
            shape.members,
            shape.objects,
            part(shape.led_by_one)
        ),
    );
    add(
        5,
        "fan-club",
        format!(
            "Admirers of one author with alerts switched on; against it speaks that {} of the objects are theirs alone.",
            part(shape.own_objects)
        ),
    );
    causes.sort_by_key(|(rank, _)| *rank);
    causes.into_iter().map(|(_, cause)| cause).take(4).collect()
}
