//! The test of one set of accounts: did they act in step more often than the objects' own rates and
//! their own habits explain?
//!
//! The set is fixed *without* the times that are tested (see `sets`). On each object that at least
//! two of the set shared, its members are taken in a fixed order that has nothing to do with time.
//! Each member after the first is a trial: it is *in step* if one of its shares lies within the
//! window of a share of an earlier member. Given the earlier members' times, and if it acts by
//! itself, the chance of that is at most `p`, the larger of two rates:
//!
//! - **local**: how many accounts outside the set shared the object within the window of the same
//!   times, shrunk towards the rate of strangers on objects of that size;
//! - **habit** (only where there is an audience to be early or late in): how many of the member's
//!   own delays on other objects would also have been in step here. Two accounts that are both
//!   always prompt meet by promptness.
//!
//! The evidence is a likelihood ratio: of "in step with probability π" to "with probability p",
//! mixed over π, over whether each member takes part at all, and over windows. Under the null its
//! mean is at most one at every stage (a test martingale: Shafer 2021, Ramdas et al. 2023), so it is
//! an e-value whatever the dependence between objects and sets.

use super::index::{DELAY_AUDIENCE, Index, Visit};
use super::rates::{AT, DISTANCES_MS, Rates, WIDER_AT};

/// Weight of the prior rate in the local rate, in accounts.
const KAPPA: f64 = 5.0;

/// The largest group that is left out of its own baseline, and the smallest crowd that is surely an
/// audience.
pub(super) const MAX_GROUP: usize = 50;

/// Audience from which delays mean something.
const HABIT_AUDIENCE: usize = 10;

/// Weight of the set's delays in an account's habit, in delays.
const HABIT_PRIOR: f64 = 3.0;

/// Windows in which an account's place within the hour is looked at: the first two.
const CLOCK_WINDOWS: usize = 2;

/// Shares of an account that are looked at for its place within the hour.
const CLOCK_SAMPLE: usize = 128;

/// Probabilities of being in step that a coordinated account might have.
const PI: [f64; 2] = [0.5, 0.9];

/// What the test of one set found.
#[derive(Clone, Debug, Default)]
pub(super) struct SetEvidence {
    /// Natural logarithm of the e-value, by window.
    pub(super) log_e: [f64; 4],
    /// Trials in step, by window.
    pub(super) hits: [f64; 4],
    /// Sum of `p` over trials, by window.
    pub(super) expected: [f64; 4],
    /// For each window: member (place in the set), earlier member (place), object. One for each trial in step.
    pub(super) links: Vec<(u8, u32, u32, u32)>,
}

impl SetEvidence {
    /// Of the mean over windows, which is an e-value too.
    pub(super) fn combined(&self) -> f64 {
        let most = self.log_e.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        most + (self.log_e.iter().map(|log_e| (log_e - most).exp()).sum::<f64>() / self.log_e.len() as f64)
            .ln()
    }
}

/// Tests sets against one trace. Holds scratch lists, so each thread has its own.
pub(super) struct Examiner<'a> {
    index: &'a Index,
    rates: &'a Rates,
    /// For each account, those with at least two common objects.
    partners: &'a Partners,
    marks: Vec<u32>,
    mark: u32,
    /// Delays of the whole set on objects with an audience, ascending, with the object.
    pooled: Vec<(i64, u32)>,
    present: Vec<(u32, u32)>,
}

/// Adjacent accounts in compressed rows.
pub(super) struct Partners {
    pub(super) starts: Vec<u32>,
    pub(super) others: Vec<u32>,
    /// Objects in common.
    pub(super) objects: Vec<u32>,
}

impl Partners {
    pub(super) fn of(&self, account: u32) -> &[u32] {
        &self.others[self.starts[account as usize] as usize..self.starts[account as usize + 1] as usize]
    }

    pub(super) fn with_objects(&self, account: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let range = self.starts[account as usize] as usize..self.starts[account as usize + 1] as usize;
        self.others[range.clone()].iter().copied().zip(self.objects[range].iter().copied())
    }
}

/// One trial: `p` for each window, whether in step, and with whom.
pub(super) struct Trial {
    pub(super) p: [f64; 4],
    pub(super) in_step: [bool; 4],
    /// Place of the nearest earlier member.
    pub(super) nearest: usize,
}

/// Likelihood ratio of "in step with probability π" to "with probability p", over the trials of one
/// account: by window and π, natural logarithms.
#[derive(Clone, Copy, Default)]
pub(super) struct Ratio([[f64; PI.len()]; 4]);

impl Ratio {
    pub(super) fn add(&mut self, trial: &Trial) {
        for w in 0..4 {
            let p = trial.p[w];
            for (log, pi) in self.0[w].iter_mut().zip(PI) {
                // π below p would turn the ratio round; it then says nothing.
                let pi = pi.max(p);
                *log += if trial.in_step[w] { (pi / p).ln() } else { ((1.0 - pi) / (1.0 - p)).ln() };
            }
        }
    }

    /// By window, mixed over π.
    pub(super) fn mixed(&self) -> [f64; 4] {
        self.0.map(|logs| (logs.iter().map(|log| log.exp()).sum::<f64>() / PI.len() as f64).ln())
    }
}

impl<'a> Examiner<'a> {
    pub(super) fn new(index: &'a Index, rates: &'a Rates, partners: &'a Partners) -> Self {
        Self {
            index,
            rates,
            partners,
            marks: vec![0; index.accounts.len()],
            mark: 0,
            pooled: Vec::new(),
            present: Vec::new(),
        }
    }

    /// Objects that at least two of the set shared, with the places of those members, without `but`.
    fn gather_present(&mut self, set: &[u32], but: Option<u32>) {
        self.present.clear();
        for (place, &account) in set.iter().enumerate() {
            for visit in self.index.visits(account) {
                if Some(visit.object) != but {
                    self.present.push((visit.object, place as u32));
                }
            }
        }
        self.present.sort_unstable();
    }

    /// How often members of the set meet on other objects at any time: each object counts its
    /// members beyond the first. And those counted only on objects of at most 10 and 100 accounts.
    pub(super) fn encounters(&mut self, set: &[u32], but: Option<u32>) -> [u64; 3] {
        self.gather_present(set, but);
        let mut counts = [0; 3];
        for group in self.present.chunk_by(|a, b| a.0 == b.0) {
            let n = self.index.n_accounts[group[0].0 as usize];
            let beyond = group.len() as u64 - 1;
            counts[2] += beyond;
            if n <= 100 {
                counts[1] += beyond;
            }
            if n <= 10 {
                counts[0] += beyond;
            }
        }
        counts
    }

    /// Tests a set, ascending by rank, on all objects but one. `None` where the evidence cannot
    /// reach `least` (natural logarithm).
    pub(super) fn examine(&mut self, set: &[u32], but: Option<u32>, least: f64) -> Option<SetEvidence> {
        self.gather_present(set, but);
        if !self.can_reach(set, least) {
            return None;
        }
        self.mark_partners(set);
        let present = std::mem::take(&mut self.present);
        let mut evidence = SetEvidence::default();
        // By member, window and π: the logarithm of its likelihood ratio so far.
        let mut ratios = vec![Ratio::default(); set.len()];
        for group in present.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            let object = group[0].0;
            self.trials(object, set, group, |member, trial| {
                ratios[group[member].1 as usize].add(trial);
                for w in 0..4 {
                    let p = trial.p[w];
                    evidence.expected[w] += p;
                    evidence.hits[w] += f64::from(u8::from(trial.in_step[w]));
                    if trial.in_step[w] {
                        evidence.links.push((w as u8, group[member].1, group[trial.nearest].1, object));
                    }
                }
            });
        }
        self.present = present;
        for ratio in &ratios {
            for (log_e, log) in evidence.log_e.iter_mut().zip(ratio.mixed()) {
                // Each member takes part or not, with equal chances: a bystander costs ln 2.
                *log_e += (0.5 + 0.5 * log.exp()).ln();
            }
        }
        Some(evidence)
    }

    /// An upper bound of the evidence, from the hits alone.
    fn can_reach(&self, set: &[u32], least: f64) -> bool {
        let mut bound = [0.0; 4];
        let mut times: Vec<i64> = Vec::new();
        for group in self.present.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            let object = group[0].0;
            times.clear();
            for (_, place) in group {
                if let Some(visit) = self.index.visit(set[*place as usize], object) {
                    times.extend_from_slice(self.index.times(visit));
                }
            }
            times.sort_unstable();
            let n = self.index.n_accounts[object as usize];
            for w in 0..4 {
                let close = times.windows(2).filter(|t| t[1] - t[0] <= DISTANCES_MS[AT[w]]).count();
                if close > 0 {
                    let floor = (KAPPA * self.rates.q(n, w) / (f64::from(n) + KAPPA)).max(1e-12);
                    bound[w] += close.min(group.len() - 1) as f64 * (0.9 / floor).ln().max(0.0);
                }
            }
        }
        bound.iter().any(|&b| b >= least)
    }

    fn mark_partners(&mut self, set: &[u32]) {
        self.mark += 2;
        for &account in set {
            for &other in self.partners.of(account) {
                self.marks[other as usize] = self.mark;
            }
        }
        for &account in set {
            self.marks[account as usize] = self.mark + 1;
        }
        // Delays where the set meets: fans of one author are prompt on that author's posts only.
        self.pooled.clear();
        for group in self.present.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            let object = group[0].0;
            if self.index.n_accounts[object as usize] < DELAY_AUDIENCE {
                continue;
            }
            for (_, place) in group {
                if let Some(visit) = self.index.visit(set[*place as usize], object) {
                    self.pooled.push((self.index.delay(visit), object));
                }
            }
        }
        self.pooled.sort_unstable();
    }

    /// The trials of one object: every member of `group` after the first, given those before it.
    fn trials(&self, object: u32, set: &[u32], group: &[(u32, u32)], mut take: impl FnMut(usize, &Trial)) {
        let visits: Vec<&Visit> = group
            .iter()
            .map(|(_, place)| {
                self.index.visit(set[*place as usize], object).expect("internal error: present")
            })
            .collect();
        let outside = self.outside(object, group.len());
        let mut cover: Vec<(i64, usize)> = Vec::new();
        for (member, visit) in visits.iter().enumerate() {
            if member > 0 {
                take(
                    member,
                    &self.trial(object, set[group[member].1 as usize], visit, &cover, &outside, |m| {
                        set[group[m].1 as usize]
                    }),
                );
            }
            cover.extend(self.index.times(visit).iter().map(|&time| (time, member)));
            cover.sort_unstable();
        }
    }

    /// Chance and outcome of one member being in step with earlier ones, whose times are `cover`.
    pub(super) fn trial(
        &self,
        object: u32,
        account: u32,
        visit: &Visit,
        cover: &[(i64, usize)],
        outside: &Outside<'_>,
        account_of: impl Fn(usize) -> u32,
    ) -> Trial {
        let own = self.index.times(visit);
        let (gap, nearest) = nearest(own, cover);
        let n = self.index.n_accounts[object as usize];
        let local = outside.within(cover);
        let habit = (outside.accounts >= HABIT_AUDIENCE).then(|| self.habit(object, account, visit, cover));
        let mut p = [0.0; 4];
        let mut in_step = [false; 4];
        let mut rates = [0.0; 4];
        for w in 0..4 {
            in_step[w] = gap <= DISTANCES_MS[AT[w]];
            let q0 = (self.rates.q(n, w) * self.rates.factor(account, w)).min(1.0);
            let q = 1.0 - (1.0 - q0).powf(clusters(cover, DISTANCES_MS[AT[w]]));
            let k = local[AT[w]].max(self.rates.rho(n, w) * local[WIDER_AT[w]]);
            let m = outside.accounts as f64;
            let rate = ((k.min(m) + KAPPA * q) / (m + KAPPA)).min(1.0);
            rates[w] = rate;
            p[w] = 1.0 - (1.0 - rate).powi(own.len() as i32);
            if let Some(habit) = &habit {
                p[w] = p[w].max(habit[w]);
            }
            if in_step[w] && habit.is_some() {
                // The other way round as well: would the nearest member's own delays meet this one?
                p[w] = p[w].max(self.habit_towards(object, account_of(nearest), visit, w));
            }
        }
        for w in 0..CLOCK_WINDOWS {
            let clock = rates[3] * self.clock(account, visit, cover, DISTANCES_MS[AT[w]]);
            p[w] = p[w].max(clock);
        }
        for p in &mut p {
            *p = p.clamp(1e-9, 1.0 - 1e-9);
        }
        Trial { p, in_step, nearest }
    }

    /// Share of delays on other objects that would have been in step with the cover: the account's
    /// own, shrunk towards those of the whole set. An account with few objects says little of its
    /// habits; that all of the set are prompt is a habit too.
    fn habit(&self, object: u32, account: u32, visit: &Visit, cover: &[(i64, usize)]) -> [f64; 4] {
        let delays = self.index.delays(account);
        let counted = self.index.n_accounts[object as usize] >= DELAY_AUDIENCE;
        let others = delays.len() - usize::from(counted && !delays.is_empty());
        let first = self.index.first(object);
        let own = self.index.delay(visit);
        let here: Vec<i64> =
            self.pooled.iter().filter(|(_, at)| *at == object).map(|(delay, _)| *delay).collect();
        let pool = (self.pooled.len() - here.len()) as f64;
        let mut counts = [0.0; DISTANCES_MS.len()];
        let mut pooled = [0.0; DISTANCES_MS.len()];
        for (at, distance) in DISTANCES_MS.into_iter().enumerate() {
            for_intervals(cover, distance, |from, to| {
                let (from, to) = (from - first, to - first);
                let inside = delays.partition_point(|&d| d <= to) - delays.partition_point(|&d| d < from);
                counts[at] += inside as f64 - f64::from(u8::from(counted && from <= own && own <= to));
                let all =
                    self.pooled.partition_point(|d| d.0 <= to) - self.pooled.partition_point(|d| d.0 < from);
                pooled[at] += (all - here.iter().filter(|&&d| from <= d && d <= to).count()) as f64;
            });
        }
        std::array::from_fn(|w| {
            let shorter = DISTANCES_MS[AT[w]] as f64 / DISTANCES_MS[WIDER_AT[w]] as f64;
            let steadied = |counts: &[f64]| counts[AT[w]].max(counts[WIDER_AT[w]] * shorter);
            let prior = if pool > 0.0 { (steadied(&pooled) / pool).min(1.0) } else { 0.0 };
            let own = (steadied(&counts) + HABIT_PRIOR * prior) / (others as f64 + HABIT_PRIOR);
            own.max(prior)
        })
    }

    /// Share of the account's other shares whose place within the hour is in step with the cover's.
    ///
    /// Tools that post on the quarter hour bring strangers together to the second. Given that two
    /// such accounts act within the same hour, this is the chance that they meet.
    fn clock(&self, account: u32, visit: &Visit, cover: &[(i64, usize)], distance: i64) -> f64 {
        const HOUR: i64 = 3_600_000;
        let visits = self.index.visits(account);
        if visits.len() < 3 {
            return 0.0;
        }
        let step = visits.len().div_ceil(CLOCK_SAMPLE);
        let mut phases: Vec<i64> = cover.iter().map(|(time, _)| time.rem_euclid(HOUR)).collect();
        phases.sort_unstable();
        phases.dedup();
        let (mut met, mut others) = (0_u32, 0_u32);
        for other in visits.iter().step_by(step).filter(|other| other.object != visit.object) {
            let phase = self.index.times(other)[0].rem_euclid(HOUR);
            let at = phases.partition_point(|&p| p < phase);
            let before = phases[(at + phases.len() - 1) % phases.len()];
            let after = phases[at % phases.len()];
            let gap = (phase - before).rem_euclid(HOUR).min((after - phase).rem_euclid(HOUR));
            met += u32::from(gap <= distance);
            others += 1;
        }
        f64::from(met) / f64::from(others + 1)
    }

    /// Share of another account's delays, this object left out, within the window of `visit`.
    fn habit_towards(&self, object: u32, other: u32, visit: &Visit, w: usize) -> f64 {
        let delays = self.index.delays(other);
        let Some(theirs) = self.index.visit(other, object).map(|v| self.index.delay(v)) else { return 0.0 };
        let counted = self.index.n_accounts[object as usize] >= DELAY_AUDIENCE;
        let others = delays.len() - usize::from(counted && !delays.is_empty());
        if others == 0 {
            return 0.0;
        }
        let own = self.index.delay(visit);
        let count = |distance: i64| {
            let inside = delays.partition_point(|&d| d <= own + distance)
                - delays.partition_point(|&d| d < own - distance);
            (inside - usize::from(counted && (theirs - own).abs() <= distance && inside > 0)) as f64
        };
        let wider = DISTANCES_MS[WIDER_AT[w]];
        let shorter = DISTANCES_MS[AT[w]] as f64 / wider as f64;
        count(DISTANCES_MS[AT[w]]).max(count(wider) * shorter) / (others + 1) as f64
    }

    /// The audience of an object outside the set that was marked last. Accounts that keep meeting
    /// the set are left out too, while there are few of them: they may belong to it. More are a crowd.
    pub(super) fn outside(&self, object: u32, members: usize) -> Outside<'a> {
        let (accounts, times) = self.index.entries(object);
        let mut set_times = Vec::new();
        let mut partner_times = Vec::new();
        let mut partners: Vec<u32> = Vec::new();
        for (&account, &time) in accounts.iter().zip(times) {
            if account == super::index::ONE_OFF {
                continue;
            }
            let mark = self.marks[account as usize];
            if mark == self.mark + 1 {
                set_times.push(time);
            } else if mark == self.mark {
                partners.push(account);
                partner_times.push(time);
            }
        }
        partners.sort_unstable();
        partners.dedup();
        let n = self.index.n_accounts[object as usize] as usize;
        if members + partners.len() <= MAX_GROUP {
            set_times.extend(partner_times);
            set_times.sort_unstable();
            Outside { times, left_out: set_times, accounts: n - members - partners.len() }
        } else {
            Outside { times, left_out: set_times, accounts: n - members }
        }
    }

    /// Makes `group` the set that audiences leave out and habits are pooled over.
    pub(super) fn mark_group(&mut self, group: &[u32]) {
        self.gather_present(group, None);
        self.mark_partners(group);
    }
}

/// The shares of an object that do not belong to the set that is tested.
pub(super) struct Outside<'a> {
    times: &'a [i64],
    /// Times of the set and of its partners, ascending.
    left_out: Vec<i64>,
    /// Distinct accounts outside.
    pub(super) accounts: usize,
}

impl Outside<'_> {
    /// Outside shares within each distance of the cover.
    fn within(&self, cover: &[(i64, usize)]) -> [f64; DISTANCES_MS.len()] {
        DISTANCES_MS.map(|distance| {
            let mut count = 0_i64;
            for_intervals(cover, distance, |from, to| {
                let inside = |times: &[i64]| {
                    (times.partition_point(|&t| t <= to) - times.partition_point(|&t| t < from)) as i64
                };
                count += inside(self.times) - inside(&self.left_out);
            });
            count as f64
        })
    }
}

/// The union of [t − distance, t + distance] over the cover, as disjoint intervals.
fn for_intervals(cover: &[(i64, usize)], distance: i64, mut take: impl FnMut(i64, i64)) {
    let mut open: Option<(i64, i64)> = None;
    for &(time, _) in cover {
        open = Some(match open {
            Some((from, to)) if time - distance <= to => (from, time + distance),
            Some((from, to)) => {
                take(from, to);
                (time - distance, time + distance)
            }
            None => (time - distance, time + distance),
        });
    }
    if let Some((from, to)) = open {
        take(from, to);
    }
}

/// How many windows' worth of time the cover takes: 1 for one moment, n for n far apart.
fn clusters(cover: &[(i64, usize)], distance: i64) -> f64 {
    1.0 + cover.windows(2).map(|pair| (pair[1].0 - pair[0].0).min(2 * distance)).sum::<i64>() as f64
        / (2 * distance) as f64
}

/// The smallest distance between two lists of times, and which of the cover it is.
fn nearest(own: &[i64], cover: &[(i64, usize)]) -> (i64, usize) {
    let mut best = (i64::MAX, 0);
    for &time in own {
        let at = cover.partition_point(|&(t, _)| t < time);
        for &(other, member) in &cover[at.saturating_sub(1)..cover.len().min(at + 1)] {
            best = best.min(((other - time).abs(), member));
        }
    }
    best
}
