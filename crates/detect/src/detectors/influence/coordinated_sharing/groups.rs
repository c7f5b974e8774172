//! From rejected sets to groups, and who belongs to them.
//!
//! Rejected sets that share accounts become one group. Then every account that ever met the group
//! on two objects, inside or outside it, is tested by itself against the others: is *it* in step
//! with them more often than chance? That keeps bystanders of a moment out and brings in members
//! that took part too seldom to be seen alone.

use std::collections::BTreeMap;

use crate::stats::{fdr, tail};

use super::evidence::Examiner;
use super::index::Index;
use super::rates::WINDOWS_S;
use super::sets::{MIN_GROUP, Tested};

/// Members join at this false-discovery rate over all accounts that met the group.
const MEMBER_Q: f64 = 0.01;

/// Objects on which a member must be in step: never on one.
const MEMBER_OBJECTS: usize = 2;

/// Objects and shares in step that a group must have to be worth a person's time: three accounts
/// in step on four objects, or four on three.
const GROUP_OBJECTS: usize = 3;
const GROUP_SHARES: usize = 12;

/// Largest group.
const GROUP_LIMIT: usize = 500;

/// One account's test against a group.
#[derive(Clone, Debug)]
pub(super) struct Membership {
    pub(super) account: u32,
    /// By window: objects in step.
    pub(super) in_step: [usize; 4],
    /// By window: objects expected in step.
    pub(super) expected: [f64; 4],
    /// Objects shared with the group at any time.
    pub(super) objects: usize,
    pub(super) p_value: f64,
    pub(super) q_value: f64,
    /// The window of the smallest p.
    pub(super) window: usize,
}

/// A group with its members, by rank.
pub(super) struct Group {
    pub(super) members: Vec<Membership>,
    /// False-discovery rate of the strongest set in it.
    pub(super) q_value: f64,
    /// Natural logarithm of the strongest set's evidence.
    pub(super) log_e: f64,
    pub(super) window: usize,
}

/// Joins rejected sets (with their q-values) and settles membership.
pub(super) fn assemble(index: &Index, examiner: &mut Examiner<'_>, rejected: &[(&Tested, f64)]) -> Vec<Group> {
    let mut groups = Vec::new();
    for (accounts, q_value, log_e, log_by_window) in components(rejected) {
        if accounts.len() < MIN_GROUP || accounts.len() > GROUP_LIMIT {
            continue;
        }
        if std::env::var("SCRUT_PRE").is_ok() { groups.push(Group { members: accounts.iter().map(|&account| Membership { account, in_step: [0;4], expected: [0.0;4], objects: 0, p_value: 1.0, q_value: 1.0, window: 0 }).collect(), q_value, log_e, window: 0 }); continue; }
        let members = settle(index, examiner, accounts);
        let window = (0..4).max_by(|&a, &b| log_by_window[a].total_cmp(&log_by_window[b])).unwrap_or(1);
        if let Some(members) = members {
            groups.push(Group { members, q_value, log_e, window });
        }
    }
    groups
}

type Component = (Vec<u32>, f64, f64, [f64; 4]);

/// Accounts that are linked in rejected sets, as connected components.
fn components(rejected: &[(&Tested, f64)]) -> Vec<Component> {
    let mut union = BTreeMap::new();
    let mut cores: Vec<(Vec<u32>, f64, &Tested)> = Vec::new();
    for (tested, q) in rejected {
        let core = core(tested);
        for &account in &core {
            union.entry(account).or_insert(account);
        }
        for pair in core.windows(2) {
            let (a, b) = (root(&union, pair[0]), root(&union, pair[1]));
            union.insert(a.max(b), a.min(b));
        }
        cores.push((core, *q, tested));
    }
    let accounts: Vec<u32> = union.keys().copied().collect();
    let mut found: BTreeMap<u32, Component> = BTreeMap::new();
    for account in accounts {
        found.entry(root(&union, account)).or_insert((Vec::new(), 1.0, 0.0, [f64::MIN; 4])).0.push(account);
    }
    for (core, q, tested) in &cores {
        let Some(&account) = core.first() else { continue };
        let component = found.get_mut(&root(&union, account)).expect("internal error: every root was entered");
        component.1 = component.1.min(*q);
        component.2 = component.2.max(tested.evidence.combined());
        for (most, log_e) in component.3.iter_mut().zip(tested.evidence.log_e) {
            *most = most.max(log_e);
        }
    }
    found.into_values().collect()
}

fn root(union: &BTreeMap<u32, u32>, mut account: u32) -> u32 {
    while union[&account] != account {
        account = union[&account];
    }
    account
}

/// Accounts of a set that were in step on other objects, in the window of most evidence.
fn core(tested: &Tested) -> Vec<u32> {
    let log_e = &tested.evidence.log_e;
    let window = (0..4).max_by(|&a, &b| log_e[a].total_cmp(&log_e[b])).unwrap_or(1) as u8;
    let mut objects: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for &(w, a, b, object) in &tested.evidence.links {
        if w == window {
            for place in [a, b] {
                objects.entry(tested.set[place as usize]).or_default().push(object);
            }
        }
    }
    let needed = if tested.object.is_some() { 1 } else { 2 };
    objects
        .into_iter()
        .filter_map(|(account, mut objects)| {
            objects.sort_unstable();
            objects.dedup();
            (objects.len() >= needed).then_some(account)
        })
        .collect()
}

/// Tests every account against the others until the group no longer changes; `None` where too
/// little is left.
fn settle(index: &Index, examiner: &mut Examiner<'_>, mut group: Vec<u32>) -> Option<Vec<Membership>> {
    let mut members: Vec<Membership> = Vec::new();
    for _ in 0..4 {
        members = test_members(index, examiner, &group);
        let next: Vec<u32> = members.iter().map(|m| m.account).collect();
        if next == group {
            break;
        }
        group = next;
        if group.len() < MIN_GROUP {
            return None;
        }
    }
    let window = (0..4).max_by_key(|&w| members.iter().map(|m| m.in_step[w]).sum::<usize>())?;
    let shares: usize = members.iter().map(|m| m.in_step[window]).sum();
    let objects = group_objects(index, &group);
    (members.len() >= MIN_GROUP && shares >= GROUP_SHARES && objects >= GROUP_OBJECTS).then_some(members)
}

/// Objects that at least two of the group shared.
fn group_objects(index: &Index, group: &[u32]) -> usize {
    by_object(index, group).values().filter(|members| members.len() >= 2).count()
}

fn by_object(index: &Index, group: &[u32]) -> BTreeMap<u32, Vec<u32>> {
    let mut objects: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for &account in group {
        for visit in index.visits(account) {
            objects.entry(visit.object).or_default().push(account);
        }
    }
    objects
}

/// Everybody who met the group on at least two objects, tested against the others.
fn test_members(index: &Index, examiner: &mut Examiner<'_>, group: &[u32]) -> Vec<Membership> {
    let objects = by_object(index, group);
    let mut met: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (&object, members) in &objects {
        let mut accounts: Vec<u32> = index.entries(object).0.to_vec();
        accounts.sort_unstable();
        accounts.dedup();
        for account in accounts {
            let alone = members.as_slice() == [account];
            if account != super::index::ONE_OFF && !alone {
                met.entry(account).or_default().push(object);
            }
        }
    }
    met.retain(|_, objects| objects.len() >= MEMBER_OBJECTS);
    examiner.mark_group(group);
    let tests: Vec<Membership> = met
        .iter()
        .map(|(&account, shared)| test_member(index, examiner, group, &objects, account, shared))
        .collect();
    let p_values: Vec<f64> = tests.iter().map(|test| test.p_value).collect();
    let q_values = fdr::benjamini_hochberg(&p_values, p_values.len());
    tests
        .into_iter()
        .zip(q_values)
        .map(|(test, q_value)| Membership { q_value, ..test })
        .filter(|test| test.q_value <= MEMBER_Q && test.in_step.iter().any(|&n| n >= MEMBER_OBJECTS))
        .collect()
}

fn test_member(
    index: &Index,
    examiner: &mut Examiner<'_>,
    group: &[u32],
    objects: &BTreeMap<u32, Vec<u32>>,
    account: u32,
    shared: &[u32],
) -> Membership {
    let mut p: [Vec<f64>; 4] = Default::default();
    let mut in_step = [0; 4];
    for &object in shared {
        let others: Vec<u32> = objects[&object].iter().copied().filter(|&m| m != account).collect();
        let mut cover: Vec<(i64, usize)> = Vec::new();
        for (place, &other) in others.iter().enumerate() {
            let visit = index.visit(other, object).expect("internal error: a member shared it");
            cover.extend(index.times(visit).iter().map(|&time| (time, place)));
        }
        cover.sort_unstable();
        let Some(visit) = index.visit(account, object) else { continue };
        let outside = examiner.outside_of_group(group, object, objects[&object].len());
        let trial = examiner.trial(object, account, visit, &cover, &outside, |place| others[place]);
        for w in 0..4 {
            p[w].push(trial.p[w]);
            in_step[w] += usize::from(trial.in_step[w]);
        }
    }
    let tails: [f64; 4] = std::array::from_fn(|w| tail::poisson_binomial(&p[w], in_step[w]));
    let window = (0..4).min_by(|&a, &b| tails[a].total_cmp(&tails[b])).unwrap_or(1);
    Membership {
        account,
        in_step,
        expected: std::array::from_fn(|w| p[w].iter().sum()),
        objects: shared.len(),
        p_value: (tails[window] * WINDOWS_S.len() as f64).min(1.0),
        q_value: 1.0,
        window,
    }
}
