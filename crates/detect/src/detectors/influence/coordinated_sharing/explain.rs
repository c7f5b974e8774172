//! The words and figures of a finding: what was observed, what was expected, what else it may be.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Evidence, Finding, FindingId, Member, Sample, Sensitivity, Severity, SharedObject, Subject, Technique,
    Tie, Timestamp,
};
use traffic::Trace as TraceKind;

use crate::case::Case;
use crate::stats::figures::rounded;

use super::Trace;
use super::causes::{self, Shape};
use super::evidence::Examiner;
use super::groups::Group;
use super::rates::{AT, DISTANCES_MS, WINDOWS_S};

/// Most objects, sample rows and ties that a finding lists. The counts are always whole.
const MOST_OBJECTS: usize = 100;
const MOST_SAMPLES: usize = 200;
const MOST_TIES: usize = 400;

/// No model of behaviour is right to more than this; a smaller q-value would be pretence.
const LEAST_Q: f64 = 1e-12;

/// The family that was tested.
pub(super) struct Tested {
    /// Sets of accounts, over all windows.
    pub(super) sets: usize,
    /// Traces.
    pub(super) traces: usize,
}

/// One share of a member on an object of the group.
#[derive(Clone, Copy)]
struct Act {
    object: i64,
    account: i32,
    time: i64,
    /// Time since the burst began, and to the nearest other member's share, in ms.
    lag: i64,
    gap: i64,
    in_step: bool,
}

/// The finding for a group, seen in one or several traces; the first part has the most evidence.
pub(super) fn finding(
    case: &Case<'_>,
    traces: &[Trace],
    parts: &[(usize, Group)],
    tested: &Tested,
) -> Finding {
    let (strongest, lead) = &parts[0];
    let window = lead.window;
    let mut acts: Vec<Act> = Vec::new();
    let mut objects: Vec<SharedObject> = Vec::new();
    let mut outsiders: BTreeMap<i64, u32> = BTreeMap::new();
    // Two parts of one trace are one list of accounts.
    let mut accounts: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
    for (at, group) in parts {
        accounts.entry(*at).or_default().extend(group.members.iter().map(|member| member.account));
    }
    for (at, accounts) in &accounts {
        for_objects(&traces[*at], accounts, window, |object, here, rate| {
            let members: BTreeSet<i32> = here.iter().map(|act| act.account).collect();
            let others = traces[*at].index.n_accounts[object as usize].saturating_sub(members.len() as u32);
            outsiders.insert(here[0].object, others);
            objects.push(shared_object(case, here, others, rate));
            acts.extend_from_slice(here);
        });
    }
    acts.sort_unstable_by_key(|act| (act.time, case.names.accounts.digest(act.account), act.object));
    // Where there are too many, those with the most members in step are listed.
    objects.sort_by(|a, b| {
        b.in_step.cmp(&a.in_step).then(a.first.cmp(&b.first)).then_with(|| a.object.cmp(&b.object))
    });
    objects.truncate(MOST_OBJECTS);
    objects.sort_by(|a, b| a.first.cmp(&b.first).then_with(|| a.object.cmp(&b.object)));
    let members = members(case, traces, parts, &acts, window);
    let shape = Shape::of(&acts_for_shape(&acts, &outsiders), members.len(), WINDOWS_S[window]);
    let (hits, expected) = (lead.evidence.hits[window], lead.evidence.expected[window]);
    let activity_p = activity_p(&traces[*strongest], lead);

    let in_step: Vec<&Act> = acts.iter().filter(|act| act.in_step).collect();
    let n_objects = in_step.iter().map(|act| act.object).collect::<BTreeSet<_>>().len();
    let n_members = members.len();
    let first_seen = Timestamp(in_step.first().map_or(0, |act| act.time));
    let last_seen = Timestamp(in_step.last().map_or(0, |act| act.time));
    let kinds: BTreeSet<TraceKind> = parts.iter().map(|(at, _)| traces[*at].index.trace).collect();
    let subjects: Vec<Subject> = {
        let names: BTreeSet<&String> = members.iter().map(|member| &member.account).collect();
        names.into_iter().map(|name| Subject::Account(name.clone())).collect()
    };
    let span = span(WINDOWS_S[window]);
    let nouns = nouns(&kinds, n_objects);
    let title = format!("{n_members} accounts shared {n_objects} {nouns} within {span} of each other");
    let counts = BTreeMap::from([
        ("members".to_owned(), n_members as f64),
        ("objects".to_owned(), n_objects as f64),
        ("occasions".to_owned(), shape.occasions as f64),
        ("shares_in_step".to_owned(), in_step.len() as f64),
        ("meetings_in_step".to_owned(), hits),
        ("meetings_expected".to_owned(), rounded(expected)),
        ("median_gap_s".to_owned(), rounded(shape.median_gap_s)),
        ("participation".to_owned(), rounded(shape.participation)),
        ("own_objects".to_owned(), rounded(shape.own_objects)),
        ("log_evidence".to_owned(), rounded(lead.log_e)),
        ("activity_p".to_owned(), rounded(activity_p.max(LEAST_Q))),
        ("sets_tested".to_owned(), tested.sets as f64),
        ("traces_tested".to_owned(), tested.traces as f64),
    ]);
    let evidence = Evidence {
        observed: format!(
            "{n_members} accounts; {} shares of {n_objects} {nouns} fell within {span} of another member's, on {} \
             occasions at least an hour apart; half of them {}.",
            in_step.len(),
            shape.occasions,
            closeness(shape.median_gap_s)
        ),
        expected: format!(
            "On {} alone, {hits:.0} times a member was in step with one before it; the objects' own rates and the \
             accounts' own habits explain {expected:.1} of those. That the same accounts meet on the same objects \
             at all has a chance of {} given how active they are.",
            nouns_of(traces[*strongest].index.trace).1,
            chance(activity_p)
        ),
        q_value: Some(rounded(lead.q_value.max(LEAST_Q))),
        window_s: Some(WINDOWS_S[window] as u64),
        samples: samples(case, &in_step),
        ties: ties(case, traces, parts, &acts, window),
        members,
        sensitivity: sensitivity(lead),
        counts,
        objects,
        ..Evidence::default()
    };
    let causes = causes::ranked(&shape);
    Finding {
        id: FindingId::of(super::DETECTOR.name, &subjects, first_seen),
        revision: 1,
        ended: Some(last_seen),
        detector: super::DETECTOR.name.to_owned(),
        title,
        severity: severity(n_members, n_objects, &shape),
        confidence: rounded(confidence(lead.q_value, &shape)),
        first_seen,
        last_seen,
        asset: None,
        subjects,
        verdict: None,
        evidence,
        benign_causes: causes,
        next_step: next_step(&shape),
        techniques: techniques(&shape, &kinds),
        provenance: case.names.provenance(),
    }
}

/// Gives each object that at least two of the accounts shared, with their shares in order of time,
/// and the rate at which strangers on such an object meet within the window.
fn for_objects(
    trace: &Trace,
    accounts: &BTreeSet<u32>,
    window: usize,
    mut take: impl FnMut(u32, &[Act], f64),
) {
    let (index, distance) = (&trace.index, DISTANCES_MS[AT[window]]);
    let mut objects: BTreeMap<u32, Vec<(i64, i32)>> = BTreeMap::new();
    for &account in accounts {
        for visit in index.visits(account) {
            let times = index.times(visit).iter();
            objects
                .entry(visit.object)
                .or_default()
                .extend(times.map(|&time| (time, index.accounts[account as usize])));
        }
    }
    for (object, mut shares) in objects {
        shares.sort_unstable();
        if shares.iter().all(|share| share.1 == shares[0].1) {
            continue;
        }
        // A lag counts from the start of its burst: an object may come back on many days.
        let mut start = shares[0].0;
        let mut acts: Vec<Act> = Vec::with_capacity(shares.len());
        for (at, &(time, account)) in shares.iter().enumerate() {
            if at > 0 && time - shares[at - 1].0 > distance {
                start = time;
            }
            let gap = nearest_other(&shares, at);
            acts.push(Act {
                object: index.objects[object as usize],
                account,
                time,
                lag: time - start,
                gap,
                in_step: gap <= distance,
            });
        }
        take(object, &acts, trace.rates.q(index.n_accounts[object as usize], window));
    }
}

/// Time to the nearest share by another account.
fn nearest_other(shares: &[(i64, i32)], at: usize) -> i64 {
    let (time, account) = shares[at];
    let before = shares[..at].iter().rev().find(|share| share.1 != account).map(|share| time - share.0);
    let after = shares[at + 1..].iter().find(|share| share.1 != account).map(|share| share.0 - time);
    before.into_iter().chain(after).min().unwrap_or(i64::MAX)
}

fn shared_object(case: &Case<'_>, acts: &[Act], others: u32, expected_rate: f64) -> SharedObject {
    let distinct =
        |acts: &mut dyn Iterator<Item = &Act>| acts.map(|act| act.account).collect::<BTreeSet<_>>().len();
    let in_step: Vec<&Act> = acts.iter().filter(|act| act.in_step).collect();
    // The burst of most shares stands for the object.
    let bursts = in_step.chunk_by(|act, later| act.time - act.lag == later.time - later.lag);
    let burst =
        bursts.max_by_key(|burst| (burst.len(), std::cmp::Reverse(burst[0].time))).unwrap_or_default();
    let span = match (burst.first(), burst.last()) {
        (Some(first), Some(last)) => (last.time - first.time) as f64 / 1000.0,
        _ => 0.0,
    };
    let leader = burst.first().map_or(acts[0].account, |act| act.account);
    SharedObject {
        object: case.names.objects.name(acts[0].object),
        trace: case.names.objects.trace(acts[0].object).name().to_owned(),
        members: distinct(&mut acts.iter()) as u32,
        in_step: distinct(&mut in_step.iter().copied()) as u32,
        others,
        expected_rate: rounded(expected_rate),
        first: Timestamp(burst.first().map_or(acts[0].time, |act| act.time)),
        span_s: span,
        leader: case.names.accounts.name(leader),
    }
}

/// Members of all parts, the surest first.
fn members(
    case: &Case<'_>,
    traces: &[Trace],
    parts: &[(usize, Group)],
    acts: &[Act],
    window: usize,
) -> Vec<Member> {
    let mut lags: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    let mut led: BTreeMap<i32, u32> = BTreeMap::new();
    let mut leader: BTreeMap<i64, i32> = BTreeMap::new();
    for act in acts.iter().filter(|act| act.in_step) {
        lags.entry(act.account).or_default().push(act.lag);
        leader.entry(act.object).or_insert(act.account);
    }
    for account in leader.values() {
        *led.entry(*account).or_default() += 1;
    }
    let mut all: BTreeMap<i32, Member> = BTreeMap::new();
    for (at, group) in parts {
        for membership in &group.members {
            let id = traces[*at].index.accounts[membership.account as usize];
            let member = all.entry(id).or_insert_with(|| Member {
                account: case.names.accounts.name(id),
                platform: None,
                objects: 0,
                in_step: 0,
                expected: 0.0,
                q_value: 1.0,
                median_lag_s: lags.get_mut(&id).map_or(0.0, |lags| median(lags) as f64 / 1000.0),
                led: led.get(&id).copied().unwrap_or(0),
            });
            member.objects += membership.objects as u32;
            member.in_step += membership.in_step[window] as u32;
            member.expected = rounded(member.expected + membership.expected[window]);
            member.q_value = rounded(member.q_value.min(membership.q_value).max(LEAST_Q));
        }
    }
    let mut members: Vec<Member> = all.into_values().collect();
    members.sort_by(|a, b| {
        b.in_step
            .cmp(&a.in_step)
            .then(a.q_value.total_cmp(&b.q_value))
            .then_with(|| a.account.cmp(&b.account))
    });
    members
}

/// Pairs of members in step, the strongest first.
fn ties(
    case: &Case<'_>,
    traces: &[Trace],
    parts: &[(usize, Group)],
    acts: &[Act],
    window: usize,
) -> Vec<Tie> {
    let distance = DISTANCES_MS[AT[window]];
    let mut by_object: BTreeMap<i64, Vec<&Act>> = BTreeMap::new();
    for act in acts {
        by_object.entry(act.object).or_default().push(act);
    }
    // For each pair, the smallest gap on each object.
    let mut gaps: BTreeMap<(i32, i32), BTreeMap<i64, i64>> = BTreeMap::new();
    for (object, acts) in &by_object {
        for (at, act) in acts.iter().enumerate() {
            for later in acts[at + 1..].iter().take_while(|later| later.time - act.time <= distance) {
                if later.account != act.account {
                    let pair = (act.account.min(later.account), act.account.max(later.account));
                    let gap = gaps.entry(pair).or_default().entry(*object).or_insert(i64::MAX);
                    *gap = (*gap).min(later.time - act.time);
                }
            }
        }
    }
    let mut strongest: Vec<((i32, i32), BTreeMap<i64, i64>)> = gaps.into_iter().collect();
    let digests = |pair: (i32, i32)| {
        let (a, b) = (case.names.accounts.digest(pair.0), case.names.accounts.digest(pair.1));
        (a.min(b), a.max(b))
    };
    strongest.sort_by_cached_key(|(pair, gaps)| (std::cmp::Reverse(gaps.len()), digests(*pair)));
    strongest.truncate(MOST_TIES);
    strongest
        .into_iter()
        .map(|(pair, gaps)| {
            let (a, b) = (case.names.accounts.name(pair.0), case.names.accounts.name(pair.1));
            let mut own: Vec<i64> = gaps.values().copied().collect();
            Tie {
                expected: rounded(
                    parts.iter().map(|(at, _)| expected_meetings(&traces[*at], pair, window)).sum(),
                ),
                objects: gaps.len() as u32,
                median_gap_s: median(&mut own) as f64 / 1000.0,
                a: a.clone().min(b.clone()),
                b: a.max(b),
            }
        })
        .collect()
}

/// On how many of their common objects two strangers would be in step.
fn expected_meetings(trace: &Trace, pair: (i32, i32), window: usize) -> f64 {
    let index = &trace.index;
    let (a, b) = (index.rank(pair.0), index.rank(pair.1));
    if a == super::index::ONE_OFF || b == super::index::ONE_OFF {
        return 0.0;
    }
    let common = index.visits(a).iter().filter(|visit| index.visit(b, visit.object).is_some());
    common.map(|visit| trace.rates.q(index.n_accounts[visit.object as usize], window)).sum()
}

/// The group's test with every window.
fn sensitivity(group: &Group) -> Vec<Sensitivity> {
    let evidence = &group.evidence;
    (0..4)
        .map(|w| Sensitivity {
            window_s: WINDOWS_S[w] as u64,
            observed: evidence.hits[w],
            expected: rounded(evidence.expected[w]),
            log_evidence: rounded(evidence.log_e[w]),
        })
        .collect()
}

/// Chance that accounts so active meet so often on the same objects, at any time.
fn activity_p(trace: &Trace, group: &Group) -> f64 {
    let mut examiner = Examiner::new(&trace.index, &trace.rates, &trace.partners);
    let set: Vec<u32> = group.members.iter().map(|member| member.account).collect();
    let incidences: usize = set.iter().map(|&account| trace.index.visits(account).len()).sum();
    trace.activity.p_value(incidences as f64, examiner.encounters(&set, None))
}

/// Shares in step on the objects that most members were in step on, whole objects first, so that
/// each picture of a burst is complete; in order of time.
fn samples(case: &Case<'_>, in_step: &[&Act]) -> Vec<Sample> {
    let mut by_object: BTreeMap<i64, Vec<&Act>> = BTreeMap::new();
    for act in in_step {
        by_object.entry(act.object).or_default().push(act);
    }
    let mut objects: Vec<Vec<&Act>> = by_object.into_values().collect();
    objects.sort_by_key(|acts| {
        (std::cmp::Reverse(acts.len()), acts[0].time, case.names.objects.digest(acts[0].object))
    });
    let mut chosen: Vec<&Act> = objects.into_iter().flatten().take(MOST_SAMPLES).collect();
    chosen.sort_by_key(|act| (act.time, case.names.accounts.digest(act.account)));
    chosen
        .into_iter()
        .map(|act| Sample {
            time: Timestamp(act.time),
            account: case.names.accounts.name(act.account),
            action: "share".to_owned(),
            object: case.names.objects.name(act.object),
            lag_s: act.lag as f64 / 1000.0,
        })
        .collect()
}

fn acts_for_shape(acts: &[Act], outsiders: &BTreeMap<i64, u32>) -> Vec<causes::Act> {
    acts.iter()
        .filter(|act| act.in_step)
        .map(|act| causes::Act {
            object: act.object,
            account: act.account,
            time: act.time,
            lag: act.lag,
            gap: act.gap,
            others: outsiders.get(&act.object).copied().unwrap_or(0),
        })
        .collect()
}

fn severity(members: usize, objects: usize, shape: &Shape) -> Severity {
    if shape.looks_declared() || shape.is_one_event() {
        Severity::Low
    } else if members >= 20 && objects >= 10 {
        Severity::High
    } else {
        Severity::Medium
    }
}

/// The false-discovery rate says how sure the pattern is; what it may be instead lowers that.
fn confidence(q_value: f64, shape: &Shape) -> f64 {
    let ceiling = if shape.is_one_event() {
        0.5
    } else if shape.own_objects > 0.5 {
        0.8
    } else {
        0.95
    };
    (1.0 - q_value).min(ceiling)
}

fn next_step(shape: &Shape) -> String {
    if shape.looks_declared() {
        "Ask whether these accounts declare a common house or feed; if they do, put them on the allow-list and \
         run again."
            .to_owned()
    } else if shape.is_one_event() {
        "Look up what was broadcast or held at these times; if one event explains them, dismiss with that reason."
            .to_owned()
    } else {
        "Look at who leads and at what is shared, and compare the accounts' own descriptions for a declared common \
         house, before anything else."
            .to_owned()
    }
}

fn techniques(shape: &Shape, kinds: &BTreeSet<TraceKind>) -> Vec<Technique> {
    let mut ids = vec!["DISARM:T0049"];
    if kinds.contains(&TraceKind::Hashtag) || kinds.contains(&TraceKind::HashtagSequence) {
        ids.push("DISARM:T0049.002");
    }
    if shape.looks_automated() {
        ids.push("DISARM:T0049.003");
    }
    ids.into_iter().map(|id| Technique(id.to_owned())).collect()
}

fn nouns(kinds: &BTreeSet<TraceKind>, n: usize) -> &'static str {
    let kind = if kinds.len() == 1 { kinds.first().copied() } else { None };
    let (one, many) = nouns_of(kind.unwrap_or(TraceKind::Object));
    if n == 1 { one } else { many }
}

/// What a trace's objects are called, one and many.
fn nouns_of(kind: TraceKind) -> (&'static str, &'static str) {
    match kind {
        TraceKind::Url => ("link", "links"),
        TraceKind::Domain => ("site", "sites"),
        TraceKind::Hashtag => ("hashtag", "hashtags"),
        TraceKind::HashtagSequence => ("sequence of hashtags", "sequences of hashtags"),
        TraceKind::Media => ("picture", "pictures"),
        TraceKind::Text => ("text", "texts"),
        TraceKind::Repost | TraceKind::Reply => ("post", "posts"),
        TraceKind::FastRepost => ("author", "authors"),
        TraceKind::Object => ("object", "objects"),
    }
}

fn span(window_s: i64) -> String {
    match window_s {
        3600 => "1 h".to_owned(),
        s if s >= 600 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// How near half of the shares are to the next member's.
fn closeness(gap_s: f64) -> String {
    match gap_s {
        gap if gap < 1.0 => "in the same second".to_owned(),
        gap if gap < 120.0 => format!("within {gap:.0} s"),
        gap => format!("within {:.0} min", gap / 60.0),
    }
}

fn chance(p: f64) -> String {
    if p < 1e-12 { "less than one in a million million".to_owned() } else { format!("{p:.1e}") }
}

fn median(values: &mut [i64]) -> i64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}
