//! Our own network: every pair of accounts that shares at least two objects, with both p-values.
//!
//! This is what an analyst draws; findings rest on sets, not on these edges (see `sets`).

use std::collections::BTreeMap;

use crate::stats::{fdr, tail};

use super::Trace;
use super::evidence::Examiner;

/// Two accounts and how they go together on one trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// Id of one account.
    pub a: i32,
    /// Id of the other.
    pub b: i32,
    /// What they share.
    pub trace: traffic::Trace,
    /// Distinct objects that both shared, at any time.
    pub objects: u32,
    /// Of those, shared within 10 s, 60 s, 10 min and 1 h of each other.
    pub in_step: [u32; 4],
    /// Chance of being in step on so many, the objects' own rates and the accounts' habits given;
    /// the smallest over windows, times four.
    pub p_synchrony: f64,
    /// Chance of sharing so many objects at all, given how active the two are.
    pub p_repeat: f64,
    /// False-discovery rate (Benjamini–Hochberg) of the larger of the two, over all pairs and traces
    /// that share at least two objects.
    pub q_value: f64,
}

/// Edges of all traces that meet at least once within the widest window, ordered by trace and by
/// rank of the accounts.
pub(super) fn edges(traces: &[Trace]) -> Vec<Edge> {
    let mut all: Vec<Edge> = Vec::new();
    for trace in traces {
        let index = &trace.index;
        let mut examiner = Examiner::new(index, &trace.rates, &trace.partners);
        for a in 0..index.accounts.len() as u32 {
            for (b, objects) in trace.partners.with_objects(a).filter(|(b, _)| *b > a) {
                all.push(edge(trace, &mut examiner, a, b, objects));
            }
        }
    }
    let p_values: Vec<f64> = all.iter().map(|edge| edge.p_synchrony.max(edge.p_repeat)).collect();
    for (edge, q_value) in all.iter_mut().zip(fdr::benjamini_hochberg(&p_values, p_values.len())) {
        edge.q_value = q_value;
    }
    all.retain(|edge| edge.in_step[3] > 0);
    all
}

fn edge(trace: &Trace, examiner: &mut Examiner<'_>, a: u32, b: u32, objects: u32) -> Edge {
    let index = &trace.index;
    examiner.mark_group(&[a, b]);
    let mut p: [Vec<f64>; 4] = Default::default();
    let mut in_step = [0; 4];
    let mut common: BTreeMap<u32, u64> = BTreeMap::new();
    for visit in index.visits(a) {
        let Some(theirs) = index.visit(b, visit.object) else { continue };
        *common.entry(index.n_accounts[visit.object as usize]).or_default() += 1;
        let cover: Vec<(i64, usize)> = index.times(visit).iter().map(|&time| (time, 0)).collect();
        let outside = examiner.outside(visit.object, 2);
        let trial = examiner.trial(visit.object, b, theirs, &cover, &outside, |_| a);
        for w in 0..4 {
            p[w].push(trial.p[w]);
            in_step[w] += u32::from(trial.in_step[w]);
        }
    }
    let up_to = |most: u32| common.range(..=most).map(|(_, n)| *n).sum::<u64>();
    let synchrony = p
        .iter()
        .zip(in_step)
        .map(|(p, n)| if n < 2 { 1.0 } else { tail::poisson_binomial(p, n as usize) })
        .fold(1.0, f64::min);
    Edge {
        a: index.accounts[a as usize],
        b: index.accounts[b as usize],
        trace: index.trace,
        objects,
        in_step,
        p_synchrony: (4.0 * synchrony).min(1.0),
        p_repeat: trace.activity.pair_p_value(
            index.visits(a).len(),
            index.visits(b).len(),
            [up_to(10), up_to(100), up_to(u32::MAX)],
        ),
        q_value: 1.0,
    }
}
