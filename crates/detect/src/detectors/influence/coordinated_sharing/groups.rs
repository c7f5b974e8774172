//! From rejected sets to groups, and who belongs to them.
//!
//! Rejected sets that share accounts become one group. Then every account that ever met the group
//! on two objects, inside or outside it, is tested by itself against the others: is *it* in step
//! with them more often than chance? That keeps bystanders of a moment out and brings in members
//! that took part too seldom to be seen alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::stats::fdr;

use super::evidence::{Examiner, MAX_GROUP, Ratio, SetEvidence};
use super::index::Index;
use super::sets::{MIN_GROUP, Tested};

/// Members join at this false-discovery rate over all accounts that met the group.
const MEMBER_Q: f64 = 0.01;

/// Objects on which a member must be in step, by window: never on one, and the more the wider the
/// window (see [`GROUP_OCCASIONS`]).
const MEMBER_OBJECTS: [usize; 4] = [2, 2, 3, 4];

/// Occasions on which a group must be in step, by window. Within a minute three will do. Within ten
/// minutes or an hour a broadcast, a news alert or a full train brings strangers together too, and
/// no rate of the objects shows it: the wider the window, the more often it must happen.
const GROUP_OCCASIONS: [usize; 4] = [3, 3, 4, 5];

/// Distinct objects, whatever the window: one object shared on many days is one object.
const GROUP_OBJECTS: usize = 3;

/// Shares in step that a group must have, by window: four accounts on each of those occasions.
const GROUP_SHARES: [usize; 4] = [12, 12, 16, 20];

/// What a group does without a pause of an hour is one occasion, however many objects it shares:
/// people at one event, or a reader of one page, share several at a time.
pub(super) const OCCASION_PAUSE_MS: i64 = 3_600_000;

/// Objects in step that make up for too few occasions: a campaign of one evening. It is reported
/// with the common trigger as its likeliest benign cause.
const EVENING_OBJECTS: usize = 10;

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
    /// By window: which.
    pub(super) objects_in_step: [Vec<u32>; 4],
    /// By window: natural logarithm of how many times likelier its times are if it belongs.
    pub(super) log_ratio: [f64; 4],
    pub(super) q_value: f64,
}

/// A group with its members, by rank.
pub(super) struct Group {
    pub(super) members: Vec<Membership>,
    /// False-discovery rate of the strongest set in it.
    pub(super) q_value: f64,
    /// Natural logarithm of the evidence of the group as a whole.
    pub(super) log_e: f64,
    /// The window that counts.
    pub(super) window: usize,
    /// The test of the group as a whole.
    pub(super) evidence: SetEvidence,
}

/// How many times more often the group must be in step than expected. Less is no pattern that a
/// person could be shown, however sure.
const LIFT: f64 = 2.0;

/// Joins rejected sets (with their q-values) and settles membership. A group stands only if it
/// carries evidence as strong as the weakest set that was rejected: what was pieced together from
/// parts must hold as a whole.
pub(super) fn assemble(
    index: &Index,
    examiner: &mut Examiner<'_>,
    rejected: &[(&Tested, f64)],
) -> Vec<Group> {
    let least = rejected.iter().map(|(tested, _)| tested.evidence.combined()).fold(f64::INFINITY, f64::min);
    let mut groups = Vec::new();
    for (accounts, q_value, log_by_window) in components(rejected) {
        if accounts.len() < MIN_GROUP || accounts.len() > GROUP_LIMIT {
            continue;
        }
        let weights = weights(&log_by_window);
        let window = best(&weights);
        let Some(members) = settle(index, examiner, accounts, &weights) else { continue };
        let set: Vec<u32> = members.iter().map(|member| member.account).collect();
        let Some(evidence) = examiner.examine(&set, None, f64::NEG_INFINITY) else { continue };
        let log_e = evidence.combined();
        if log_e >= least && evidence.hits[window] >= LIFT * evidence.expected[window] {
            groups.push(Group { members, q_value, log_e, window, evidence });
        }
    }
    groups
}

/// Accounts, the smallest q-value of their sets, and the most evidence by window.
type Component = (Vec<u32>, f64, [f64; 4]);

/// Accounts that are linked in rejected sets: connected components, and where one is larger than
/// the largest group that a moment can hold, its communities.
fn components(rejected: &[(&Tested, f64)]) -> Vec<Component> {
    let cores: Vec<Vec<u32>> = rejected.iter().map(|(tested, _)| core(tested)).collect();
    let mut group_of: BTreeMap<u32, u32> = BTreeMap::new();
    for core in &cores {
        for &account in core {
            group_of.entry(account).or_insert(account);
        }
        for pair in core.windows(2) {
            let (a, b) = (root(&group_of, pair[0]), root(&group_of, pair[1]));
            group_of.insert(a.max(b), a.min(b));
        }
    }
    let accounts: Vec<u32> = group_of.keys().copied().collect();
    for &account in &accounts {
        group_of.insert(account, root(&group_of, account));
    }
    split_large(&mut group_of, rejected);

    let mut found: BTreeMap<u32, Component> = BTreeMap::new();
    for (&account, &group) in &group_of {
        found.entry(group).or_insert((Vec::new(), 1.0, [f64::MIN; 4])).0.push(account);
    }
    for (core, (tested, q)) in cores.iter().zip(rejected) {
        // A set speaks for the group that most of it is in.
        let mut votes: BTreeMap<u32, usize> = BTreeMap::new();
        for account in core {
            *votes.entry(group_of[account]).or_default() += 1;
        }
        let Some((&group, _)) =
            votes.iter().max_by_key(|(group, votes)| (**votes, std::cmp::Reverse(**group)))
        else {
            continue;
        };
        let component = found.get_mut(&group).expect("internal error: every group was entered");
        component.1 = component.1.min(*q);
        for (most, log_e) in component.2.iter_mut().zip(tested.evidence.log_e) {
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

/// Splits components of more than [`MAX_GROUP`] accounts into Leiden communities (Traag, Waltman and
/// van Eck 2019; modularity), ties being weighted by the objects on which two were in step. Accounts
/// that sit in two campaigns would otherwise chain them into one.
fn split_large(group_of: &mut BTreeMap<u32, u32>, rejected: &[(&Tested, f64)]) {
    let mut sizes: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (&account, &group) in group_of.iter() {
        sizes.entry(group).or_default().push(account);
    }
    sizes.retain(|_, accounts| accounts.len() > MAX_GROUP);
    if sizes.is_empty() {
        return;
    }
    let mut ties: BTreeMap<(u32, u32), BTreeSet<u32>> = BTreeMap::new();
    for (tested, _) in rejected {
        let window = strongest_window(tested) as u8;
        for &(_, a, b, object) in tested.evidence.links.iter().filter(|link| link.0 == window) {
            let (a, b) = (tested.set[a as usize], tested.set[b as usize]);
            ties.entry((a.min(b), a.max(b))).or_default().insert(object);
        }
    }
    for accounts in sizes.values() {
        let place = |account: u32| accounts.binary_search(&account).ok();
        let mut builder = leiden_rs::GraphDataBuilder::new(accounts.len());
        for ((a, b), objects) in &ties {
            if let (Some(a), Some(b)) = (place(*a), place(*b)) {
                // Both ends are places in the list, so the edge is valid.
                let _ = builder.add_edge(a, b, objects.len() as f64);
            }
        }
        let config = leiden_rs::LeidenConfig::builder().seed(0).build();
        let Some(output) =
            builder.build().ok().and_then(|graph| leiden_rs::Leiden::new(config).run(&graph).ok())
        else {
            continue;
        };
        // A community is called by its first account.
        let mut names: BTreeMap<usize, u32> = BTreeMap::new();
        for (at, &account) in accounts.iter().enumerate() {
            let name = *names.entry(output.partition.community_of(at)).or_insert(account);
            group_of.insert(account, name);
        }
    }
}

fn strongest_window(tested: &Tested) -> usize {
    let log_e = &tested.evidence.log_e;
    (0..4).max_by(|&a, &b| log_e[a].total_cmp(&log_e[b])).unwrap_or(1)
}

/// Accounts of a set that were in step on other objects, in the window of most evidence.
fn core(tested: &Tested) -> Vec<u32> {
    let window = strongest_window(tested) as u8;
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

/// How much each window counts for a group: in proportion to its evidence.
fn weights(log_e: &[f64; 4]) -> [f64; 4] {
    let most = log_e.iter().copied().fold(f64::MIN, f64::max);
    let weights = log_e.map(|log_e| (log_e - most).exp());
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

/// Tests every account against the others until the group no longer changes; `None` where too
/// little is left.
fn settle(
    index: &Index,
    examiner: &mut Examiner<'_>,
    mut group: Vec<u32>,
    weights: &[f64; 4],
) -> Option<Vec<Membership>> {
    let mut members: Vec<Membership> = Vec::new();
    for _ in 0..4 {
        members = test_members(index, examiner, &group, weights);
        let next: Vec<u32> = members.iter().map(|m| m.account).collect();
        if next == group {
            break;
        }
        group = next;
        if group.len() < MIN_GROUP {
            return None;
        }
    }
    let window = best(weights);
    let shares: usize = members.iter().map(|m| m.in_step[window]).sum();
    let (objects, occasions) = objects_and_occasions(index, &members, window);
    let enough =
        (occasions >= GROUP_OCCASIONS[window] && objects >= GROUP_OBJECTS) || objects >= EVENING_OBJECTS;
    (members.len() >= MIN_GROUP && shares >= GROUP_SHARES[window] && enough).then_some(members)
}

/// Objects on which enough members were in step, and the times at which that was, counting what is
/// less than [`OCCASION_PAUSE_MS`] apart as one. Enough is two, and a tenth of the group: that a few
/// of many meet is chance.
fn objects_and_occasions(index: &Index, members: &[Membership], window: usize) -> (usize, usize) {
    let mut times: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for member in members {
        for &object in &member.objects_in_step[window] {
            if let Some(visit) = index.visit(member.account, object) {
                times.entry(object).or_default().push(index.times(visit)[0]);
            }
        }
    }
    let enough = members.len().div_ceil(10).max(2);
    let mut moments: Vec<i64> = times
        .into_values()
        .filter(|times| times.len() >= enough)
        .map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        })
        .collect();
    moments.sort_unstable();
    let pauses = moments.windows(2).filter(|pair| pair[1] - pair[0] >= OCCASION_PAUSE_MS).count();
    (moments.len(), pauses + usize::from(!moments.is_empty()))
}

fn best(weights: &[f64; 4]) -> usize {
    (0..4).max_by(|&a, &b| weights[a].total_cmp(&weights[b])).unwrap_or(1)
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
fn test_members(
    index: &Index,
    examiner: &mut Examiner<'_>,
    group: &[u32],
    weights: &[f64; 4],
) -> Vec<Membership> {
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
    let window = best(weights);
    met.retain(|_, objects| objects.len() >= MEMBER_OBJECTS[window]);
    examiner.mark_group(group);
    let tests: Vec<Membership> = met
        .iter()
        .map(|(&account, shared)| test_member(index, examiner, &objects, account, shared))
        .collect();
    let ratios: Vec<f64> = tests
        .iter()
        .map(|test| test.log_ratio.iter().zip(weights).map(|(log, w)| w * log.exp()).sum())
        .collect();
    let q_values = fdr::local(&ratios);
    tests
        .into_iter()
        .zip(q_values)
        .map(|(test, q_value)| Membership { q_value, ..test })
        .filter(|test| test.q_value <= MEMBER_Q && test.in_step[window] >= MEMBER_OBJECTS[window])
        .collect()
}

fn test_member(
    index: &Index,
    examiner: &Examiner<'_>,
    objects: &BTreeMap<u32, Vec<u32>>,
    account: u32,
    shared: &[u32],
) -> Membership {
    let mut expected = [0.0; 4];
    let mut in_step = [0; 4];
    let mut objects_in_step: [Vec<u32>; 4] = Default::default();
    let mut ratio = Ratio::default();
    for &object in shared {
        let others: Vec<u32> = objects[&object].iter().copied().filter(|&m| m != account).collect();
        let mut cover: Vec<(i64, usize)> = Vec::new();
        for (place, &other) in others.iter().enumerate() {
            let visit = index.visit(other, object).expect("internal error: a member shared it");
            cover.extend(index.times(visit).iter().map(|&time| (time, place)));
        }
        cover.sort_unstable();
        let Some(visit) = index.visit(account, object) else { continue };
        let outside = examiner.outside(object, objects[&object].len());
        let trial = examiner.trial(object, account, visit, &cover, &outside, |place| others[place]);
        ratio.add(&trial);
        for w in 0..4 {
            expected[w] += trial.p[w];
            if trial.in_step[w] {
                in_step[w] += 1;
                objects_in_step[w].push(object);
            }
        }
    }
    Membership {
        account,
        in_step,
        objects_in_step,
        expected,
        objects: shared.len(),
        log_ratio: ratio.mixed(),
        q_value: 1.0,
    }
}
