//! *Reports* groups of accounts that share the same objects in step, again and again, more often
//! than the objects' own rates, the accounts' habits and their activity explain. One trace (URL,
//! hashtag, repost, …) is judged apart from another; groups with common members are then joined.
//!
//! *Why it matters.* A message that a few people push through many accounts looks like a movement.
//! Platforms and authorities are asked to see such patterns without judging what is said.
//!
//! *Needs* posts with account, object and time, a closed set of a day or more. Windows of 10 s,
//! 60 s, 10 min and 1 h are looked at together. No baseline from outside: audience, rates and
//! habits are learnt from the set itself.
//!
//! *How.* Sets of accounts are fixed without the times that are tested (`sets`): those that shared
//! one object in one window, tested on all other objects; and those that share more objects than
//! their activity explains, tested on all. The test of a set (`evidence`) gives an e-value. e-BH
//! over all sets, windows and traces that were tested keeps the false-discovery rate at 1 % under
//! any dependence. Rejected sets that share accounts are one group; each account is then tested
//! by itself against the others (`groups`). Never on one object, nor on one occasion.
//!
//! *Benign causes and blind spots.* A newsroom, a party's team, a declared syndication network and a
//! small community that reacts to one broadcast act in step and are reported unless they are on the
//! allow-list; the finding then says so first. Silent: groups that take part in less than a third
//! of a few objects; groups that post popular things minutes after they appear, which is what
//! followers with alerts do; crowds of more than fifty people on objects of their own; a single
//! evening on fewer than ten objects; delays of more than an hour.
//!
//! *Next step for the operator.* Look at who leads and at what is shared; ask whether the accounts
//! declare a common house; compare another window. Coordination is no proof of inauthenticity.

mod causes;
mod evidence;
mod explain;
mod gather;
mod groups;
mod index;
mod network;
mod rates;
mod sets;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::Finding;

use crate::case::Case;
use crate::catalogue::Detector;
use crate::engine::column_i32;
use crate::stats::fdr;

use evidence::{Examiner, Partners};
use groups::Group;
use index::Index;
pub use network::Edge;
use rates::Rates;
use sets::{Activity, Family};

/// See the module.
pub const DETECTOR: Detector = Detector {
    name: "coordinated-sharing",
    summary: "groups of accounts that share the same things in step, beyond chance, audience and habit",
    gather: gather::gather,
    judge,
};

/// False-discovery rate of findings over all sets, windows and traces that were tested.
const ALPHA: f64 = 0.01;

/// Evidence (natural logarithm) that a set must reach to be kept: 1 / ALPHA in a family of a
/// hundred. Less is never rejected in a family worth testing, and counts as none.
const LEAST: f64 = 9.2;

/// Objects or accounts that a thread takes at a time.
const BLOCK: usize = 64;

/// One trace, with all that its sets are tested against.
struct Trace {
    index: Index,
    rates: Rates,
    partners: Partners,
    activity: Activity,
}

/// The network of all pairs that share at least two objects, with both p-values, from the same
/// evidence as the findings: for `scrutineer coordination edges`.
pub fn network(case: &Case<'_>) -> Vec<Edge> {
    network::edges(&traces(case))
}

fn traces(case: &Case<'_>) -> Vec<Trace> {
    let allowed = index::Allowed::new(&case.settings.allowed, &case.names.accounts, case.tables);
    Index::build(&case.tables[gather::ENTRIES], case.names, &allowed)
        .into_iter()
        .map(|index| {
            let partners = partners(&index, case, &allowed);
            let rates = Rates::learn(&index, &partners);
            Trace { rates, partners, activity: Activity::learn(&index), index }
        })
        .collect()
}

fn judge(case: &Case<'_>) -> Vec<Finding> {
    let traces = traces(case);
    let families: Vec<Family> = traces.iter().map(|trace| test_all(trace, case.threads)).collect();

    // One family over all traces.
    let log_e: Vec<f64> =
        families.iter().flat_map(|family| &family.tested).map(|tested| tested.evidence.combined()).collect();
    let size = families.iter().map(|family| family.size).sum();
    let mut q_values = fdr::e_bh(&log_e, size).into_iter();
    let mut found: Vec<(usize, Group)> = Vec::new();
    for (at, (trace, family)) in traces.iter().zip(&families).enumerate() {
        let rejected: Vec<_> =
            family.tested.iter().zip(q_values.by_ref()).filter(|(_, q)| *q <= ALPHA).collect();
        let mut examiner = Examiner::new(&trace.index, &trace.rates, &trace.partners);
        found.extend(groups::assemble(&trace.index, &mut examiner, &rejected).into_iter().map(|g| (at, g)));
    }
    let tested = explain::Tested { sets: size, traces: traces.len() };
    join(&traces, found).iter().map(|parts| explain::finding(case, &traces, parts, &tested)).collect()
}

/// Groups of several traces that have at least half of the smaller one's members in common with the
/// group of most evidence become one case, which that group leads. Others do not chain.
fn join(traces: &[Trace], mut found: Vec<(usize, Group)>) -> Vec<Vec<(usize, Group)>> {
    let ids = |(trace, group): &(usize, Group)| -> Vec<i32> {
        let mut ids: Vec<i32> =
            group.members.iter().map(|m| traces[*trace].index.accounts[m.account as usize]).collect();
        ids.sort_unstable();
        ids
    };
    let mut cases: Vec<Vec<(usize, Group)>> = Vec::new();
    found.sort_by(|a, b| b.1.log_e.total_cmp(&a.1.log_e));
    for part in found {
        let own = ids(&part);
        let joined = cases.iter_mut().find(|case| {
            let lead = ids(&case[0]);
            let common = own.iter().filter(|id| lead.binary_search(id).is_ok()).count();
            common >= 2 && 2 * common >= own.len().min(lead.len())
        });
        match joined {
            Some(case) => case.push(part),
            None => cases.push(vec![part]),
        }
    }
    cases
}

/// The pairs that share at least two objects, both ways round.
fn partners(index: &Index, case: &Case<'_>, allowed: &index::Allowed) -> Partners {
    let mut pairs: Vec<(u32, u32, u32)> = Vec::new();
    for batch in &case.tables[gather::REPEAT] {
        let (a, b) = (column_i32(batch, "a"), column_i32(batch, "b"));
        let (traces, objects) = (column_i32(batch, "trace"), column_i32(batch, "objects"));
        for at in 0..a.len() {
            if traces[at] != index.trace.code() {
                continue;
            }
            let x = index.rank(allowed.stands_for(a[at]));
            let y = index.rank(allowed.stands_for(b[at]));
            if x != index::ONE_OFF && y != index::ONE_OFF && x != y {
                pairs.push((x, y, objects[at] as u32));
                pairs.push((y, x, objects[at] as u32));
            }
        }
    }
    pairs.sort_unstable();
    pairs.dedup_by(|later, first| (later.0, later.1) == (first.0, first.1));
    let mut starts = vec![0_u32; index.accounts.len() + 1];
    for pair in &pairs {
        starts[pair.0 as usize + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    Partners {
        starts,
        others: pairs.iter().map(|pair| pair.1).collect(),
        objects: pairs.iter().map(|pair| pair.2).collect(),
    }
}

/// Tests every set of a trace. The order of the result does not depend on the threads.
fn test_all(trace: &Trace, threads: usize) -> Family {
    let n_objects = trace.index.objects.len();
    let n_accounts = trace.index.accounts.len();
    let object_blocks = n_objects.div_ceil(BLOCK);
    let blocks = object_blocks + n_accounts.div_ceil(BLOCK);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(blocks));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, blocks.max(1)) {
            scope.spawn(|| {
                let mut examiner = Examiner::new(&trace.index, &trace.rates, &trace.partners);
                loop {
                    let block = next.fetch_add(1, Ordering::Relaxed);
                    if block >= blocks {
                        break;
                    }
                    let family = if block < object_blocks {
                        test_moments(trace, &mut examiner, block * BLOCK..n_objects.min((block + 1) * BLOCK))
                    } else {
                        let from = (block - object_blocks) * BLOCK;
                        test_audiences(trace, &mut examiner, from..n_accounts.min(from + BLOCK))
                    };
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((block, family));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_unstable_by_key(|(block, _)| *block);
    let mut all = Family::default();
    for (_, family) in done {
        all.size += family.size;
        all.tested.extend(family.tested);
    }
    all
}

fn test_moments(trace: &Trace, examiner: &mut Examiner<'_>, objects: std::ops::Range<usize>) -> Family {
    let mut family = Family::default();
    for object in objects {
        let object = object as u32;
        sets::moments(&trace.index, object, |set| {
            sets::consider(examiner, &trace.index, &trace.activity, set, Some(object), LEAST, &mut family);
        });
    }
    family
}

fn test_audiences(trace: &Trace, examiner: &mut Examiner<'_>, accounts: std::ops::Range<usize>) -> Family {
    let mut family = Family::default();
    for account in accounts {
        let set = sets::repeat_audience(&trace.index, &trace.partners, &trace.activity, account as u32);
        if let Some(set) = set {
            sets::consider(examiner, &trace.index, &trace.activity, set, None, LEAST, &mut family);
        }
    }
    family
}
