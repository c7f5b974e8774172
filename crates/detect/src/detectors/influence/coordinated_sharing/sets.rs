//! Which sets of accounts are tested. Both kinds are fixed without the times that the test uses.
//!
//! - A **moment**: the accounts that shared one object within one window. It is tested on all
//!   *other* objects. There are about as many moments as rows, not as many as pairs.
//! - A **repeat audience**: an account and those that share more objects with it, at any time, than
//!   their activity explains. No time is looked at, so it is tested on all objects.
//!
//! A set is in the family only if its accounts meet on other objects at all, and more often than
//! their activity explains (the guard). That too is decided without the tested times.

use crate::stats::tail;

use super::evidence::{Examiner, MAX_GROUP, Partners, SetEvidence};
use super::index::{Index, ONE_OFF};
use super::rates::{AT, DISTANCES_MS};

/// Level of the guard: the set meets more often, at any time, than activity explains.
const GUARD: f64 = 0.01;

/// How unlikely two accounts' common objects must be for one to be in the other's repeat audience.
const PARTNER: f64 = 1e-3;

/// Smallest set: a pair is never reported.
pub(super) const MIN_GROUP: usize = 3;

/// A set and what the test said of it.
pub(super) struct Tested {
    /// Ranks, ascending.
    pub(super) set: Vec<u32>,
    /// The object on which a moment was seen.
    pub(super) object: Option<u32>,
    pub(super) evidence: SetEvidence,
}

/// All sets whose evidence could matter, and the size of the family.
#[derive(Default)]
pub(super) struct Family {
    pub(super) tested: Vec<Tested>,
    pub(super) size: usize,
}

/// How often accounts of these activities meet by activity alone.
pub(super) struct Activity {
    /// Audience size and number of objects of that size.
    sizes: Vec<(f64, f64)>,
    incidences: f64,
}

impl Activity {
    pub(super) fn learn(index: &Index) -> Self {
        let mut sizes: Vec<u32> = index.n_accounts.clone();
        sizes.sort_unstable();
        let sizes = sizes.chunk_by(|a, b| a == b).map(|run| (f64::from(run[0]), run.len() as f64)).collect();
        Self { sizes, incidences: index.incidences }
    }

    /// P(a set with so many incidences meets at least so often), on objects of at most 10 and 100
    /// accounts and on all, the smallest of the three, times three. Objects are taken as
    /// independent, members of an object as Poisson.
    pub(super) fn p_value(&self, set_incidences: f64, encounters: [u64; 3]) -> f64 {
        let mut means = [0.0; 3];
        for &(n, objects) in &self.sizes {
            let mu = n * set_incidences / self.incidences;
            // E[max(0, N − 1)] for N Poisson with mean mu; the difference cancels for small mu.
            let beyond = if mu < 1e-3 { mu * mu / 2.0 } else { mu - 1.0 + (-mu).exp() };
            for (mean, most) in means.iter_mut().zip([10.0, 100.0, f64::INFINITY]) {
                if n <= most {
                    *mean += objects * beyond;
                }
            }
        }
        let least = means.iter().zip(encounters).map(|(&mean, n)| tail::poisson(mean, n)).fold(1.0, f64::min);
        (3.0 * least).min(1.0)
    }

    /// The same for two accounts with so many objects each.
    pub(super) fn pair_p_value(&self, k_a: usize, k_b: usize, common: [u64; 3]) -> f64 {
        let mut means = [0.0; 3];
        for &(n, objects) in &self.sizes {
            let mean_here =
                objects * n * (n - 1.0) * k_a as f64 * k_b as f64 / (self.incidences * self.incidences);
            for (mean, most) in means.iter_mut().zip([10.0, 100.0, f64::INFINITY]) {
                if n <= most {
                    *mean += mean_here;
                }
            }
        }
        let least = means.iter().zip(common).map(|(&mean, n)| tail::poisson(mean, n)).fold(1.0, f64::min);
        (3.0 * least).min(1.0)
    }
}

/// Moments of one object: windows of at least three suspects that are not inside one another.
pub(super) fn moments(index: &Index, object: u32, mut take: impl FnMut(Vec<u32>)) {
    let (accounts, times) = index.entries(object);
    let suspects: Vec<(i64, u32)> = times
        .iter()
        .copied()
        .zip(accounts.iter().copied())
        .filter(|(_, account)| *account != ONE_OFF)
        .collect();
    if suspects.len() < MIN_GROUP {
        return;
    }
    let mut seen: Vec<Vec<u32>> = Vec::new();
    for at in AT {
        let window = DISTANCES_MS[at];
        let (mut end, mut next_from) = (0, i64::MIN);
        for start in 0..suspects.len() {
            let from = suspects[start].0;
            let before = end;
            while end < suspects.len() && suspects[end].0 - from <= window {
                end += 1;
            }
            // A window that adds nobody is inside the last one. Windows begin at least a quarter of
            // their length apart: nearer ones hold nearly the same accounts.
            if end == before || from < next_from || end - start < MIN_GROUP {
                continue;
            }
            next_from = from + window / 4;
            let mut set: Vec<u32> = suspects[start..end].iter().map(|s| s.1).collect();
            set.sort_unstable();
            set.dedup();
            if (MIN_GROUP..=MAX_GROUP).contains(&set.len()) && !seen.contains(&set) {
                take(set.clone());
                seen.push(set);
            }
        }
    }
}

/// The repeat audience of an account, itself included, ascending; `None` where it is too small.
pub(super) fn repeat_audience(
    index: &Index,
    partners: &Partners,
    activity: &Activity,
    account: u32,
) -> Option<Vec<u32>> {
    let own = index.visits(account);
    let mut close: Vec<(f64, u32)> = Vec::new();
    for (other, objects) in partners.with_objects(account) {
        let theirs = index.visits(other);
        // The cheap bound first: all common objects, of any size.
        let mut common = [0, 0, u64::from(objects)];
        let (short, long) = if own.len() < theirs.len() { (own, theirs) } else { (theirs, own) };
        for visit in short {
            let n = index.n_accounts[visit.object as usize];
            if n <= 100 && long.binary_search_by_key(&visit.object, |v| v.object).is_ok() {
                common[1] += 1;
                common[0] += u64::from(n <= 10);
            }
        }
        let p = activity.pair_p_value(own.len(), theirs.len(), common);
        if p <= PARTNER {
            close.push((p, other));
        }
    }
    if close.len() + 1 < MIN_GROUP {
        return None;
    }
    close.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    close.truncate(MAX_GROUP - 1);
    let mut set: Vec<u32> = close.into_iter().map(|(_, other)| other).chain([account]).collect();
    set.sort_unstable();
    Some(set)
}

/// Puts a set into the family if it passes the guard, and tests it.
pub(super) fn consider(
    examiner: &mut Examiner<'_>,
    index: &Index,
    activity: &Activity,
    set: Vec<u32>,
    object: Option<u32>,
    least: f64,
    family: &mut Family,
) {
    let encounters = examiner.encounters(&set, object);
    if encounters[2] < 2 {
        return;
    }
    let incidences: usize = set.iter().map(|&a| index.visits(a).len() - usize::from(object.is_some())).sum();
    if activity.p_value(incidences as f64, encounters) > GUARD {
        return;
    }
    family.size += 1;
    if let Some(evidence) = examiner.examine(&set, object, least)
        && evidence.combined() >= least
    {
        family.tested.push(Tested { set, object, evidence });
    }
}
