//! The words and figures of a finding.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Evidence, Finding, FindingId, Member, Sample, Severity, Subject, Technique, Timestamp};
use traffic::{Action, Platform};

use crate::case::Case;
use crate::stats::figures::rounded;

use super::bursts::{Burst, Looked};
use super::causes::{self, Shape};
use super::gather::DELETING;
use super::habits::Act;
use super::windows::WINDOW_S;

/// Most sample rows that a finding lists. The counts are always whole.
const MOST_SAMPLES: usize = 200;

/// Smallest q-value and chance that is stated: no model of people is right beyond that.
const LEAST_Q: f64 = 1e-12;

/// The finding for bursts by largely the same accounts, in order of time.
pub(super) fn finding(case: &Case<'_>, bursts: &[Burst], looked: &Looked) -> Finding {
    let shape = Shape::of(bursts);
    let strongest = bursts.iter().fold(&bursts[0], |a, b| if b.n > a.n { b } else { a });
    let members = members(case, bursts, &shape);
    let acts: Vec<&Act> = bursts.iter().flat_map(|burst| own(burst, &shape)).collect();
    let first_seen = Timestamp(acts.iter().map(|act| act.time).min().unwrap_or(0));
    let last_seen = Timestamp(acts.iter().map(|act| act.time).max().unwrap_or(0));
    let subjects: Vec<Subject> = {
        let names: BTreeSet<&String> = members.iter().map(|member| &member.account).collect();
        names.into_iter().map(|name| Subject::Account(name.clone())).collect()
    };
    let did = did(&acts);
    let span = seconds(shape.span_s);
    let occasions =
        if bursts.len() == 1 { String::new() } else { format!(", on {} occasions", bursts.len()) };
    let n = shape.members.len();
    let largest = if bursts.len() == 1 {
        format!(
            "{} accounts {did} within {span}, at {}",
            strongest.n,
            Timestamp::from_seconds(strongest.start)
        )
    } else {
        format!(
            "{n} accounts {did} in {} bursts of {} to {} accounts, each within {span}; {} more accounts acted in one \
             of them only",
            bursts.len(),
            bursts.iter().map(|burst| burst.n).min().unwrap_or(0),
            strongest.n,
            shape.passers_by
        )
    };
    let counts = BTreeMap::from([
        ("accounts".to_owned(), n as f64),
        ("occasions".to_owned(), bursts.len() as f64),
        ("accounts_in_largest".to_owned(), strongest.n as f64),
        ("expected_by_crowd".to_owned(), rounded(strongest.crowd)),
        ("expected_by_own_rhythm".to_owned(), rounded(strongest.own)),
        ("dispersion".to_owned(), rounded(looked.dispersion[strongest.class as usize])),
        ("acts".to_owned(), acts.len() as f64),
        ("accounts_without_rhythm".to_owned(), shape.strangers as f64),
        ("accounts_in_one_burst_only".to_owned(), shape.passers_by as f64),
        ("most_on_one_object".to_owned(), shape.on_one_object as f64),
        ("span_s".to_owned(), rounded(shape.span_s)),
        ("windows_tested".to_owned(), looked.windows as f64),
    ]);
    let evidence = Evidence {
        observed: format!("{largest}."),
        expected: expected(bursts, strongest, looked, &shape),
        q_value: Some(rounded(bursts.iter().map(|burst| burst.q_value).fold(1.0, f64::min).max(LEAST_Q))),
        window_s: Some(WINDOW_S as u64),
        samples: samples(case, bursts, &shape),
        counts,
        members,
        ..Evidence::default()
    };
    Finding {
        id: FindingId::of(super::DETECTOR.name, &subjects, first_seen),
        revision: 1,
        ended: Some(last_seen),
        detector: super::DETECTOR.name.to_owned(),
        title: format!("{n} accounts {did} within {span}{occasions}"),
        severity: severity(&shape),
        confidence: rounded(confidence(&evidence, &shape)),
        first_seen,
        last_seen,
        asset: None,
        subjects,
        verdict: None,
        evidence,
        benign_causes: causes::ranked(&shape),
        next_step: next_step(&shape),
        techniques: techniques(&shape),
        provenance: case.names.provenance(),
    }
}

/// What the accounts did, in the past tense.
fn did(acts: &[&Act]) -> &'static str {
    let actions: BTreeSet<i32> = acts.iter().map(|act| act.action).collect();
    let deleted = actions.contains(&Action::Delete.code());
    match (deleted, actions.len()) {
        (true, 1) => "deleted posts",
        (true, _) => "posted and deleted",
        (false, 1) if actions.contains(&Action::Share.code()) => "shared posts",
        (false, 1) if actions.contains(&Action::Reply.code()) => "replied",
        _ => "posted",
    }
}

fn expected(bursts: &[Burst], strongest: &Burst, looked: &Looked, shape: &Shape) -> String {
    let which = if bursts.len() == 1 { "In such" } else { "In the largest burst's" };
    let rates = format!(
        "{which} {WINDOW_S} s, {} accounts would act by the crowd around it and at the same place of the clock, {} by \
         the accounts' own hours and clock habits.",
        few(strongest.crowd),
        few(strongest.own)
    );
    let strangers = if shape.strangers == 0 {
        String::new()
    } else {
        format!(
            " {} of the accounts act fewer than three times elsewhere in {:.0} day{}: everybody's rhythm stands in for \
             theirs.",
            shape.strangers,
            looked.days,
            if looked.days < 1.5 { "" } else { "s" }
        )
    };
    format!("{rates}{strangers} {} windows were looked at, the empty ones included.", looked.windows)
}

/// The members' acts in a burst, in order of time.
fn own<'a>(burst: &'a Burst, shape: &'a Shape) -> impl Iterator<Item = &'a Act> {
    burst.acts.iter().filter(|act| shape.members.contains(&act.account))
}

/// Members, the surest first. Of n accounts in a burst, the expected ones would have been there
/// anyway, which is the chance that one of them happened by.
fn members(case: &Case<'_>, bursts: &[Burst], shape: &Shape) -> Vec<Member> {
    struct Part {
        bursts: u32,
        expected: f64,
        by_chance: f64,
        objects: BTreeSet<i64>,
        lags: Vec<i64>,
        led: u32,
        platform: i32,
    }
    let mut parts: BTreeMap<i32, Part> = BTreeMap::new();
    for burst in bursts {
        let first = own(burst, shape).next().map_or(0, |act| act.time);
        let taking_part = burst.accounts.iter().filter(|(account, _)| shape.members.contains(account));
        for (account, (_, chance)) in taking_part {
            let part = parts.entry(*account).or_insert_with(|| Part {
                bursts: 0,
                expected: 0.0,
                by_chance: 1.0,
                objects: BTreeSet::new(),
                lags: Vec::new(),
                led: 0,
                platform: Platform::Unknown.code(),
            });
            part.bursts += 1;
            part.expected += chance;
            part.by_chance *= (burst.expected() / burst.n as f64).min(1.0);
        }
        let mut seen = BTreeSet::new();
        for act in own(burst, shape) {
            if let Some(part) = parts.get_mut(&act.account) {
                part.objects.insert(act.object);
                part.platform = part.platform.max(act.platform);
                if seen.insert(act.account) {
                    part.lags.push(act.time - first);
                    part.led += u32::from(seen.len() == 1);
                }
            }
        }
    }
    let mut members: Vec<Member> = parts
        .into_iter()
        .map(|(account, mut part)| {
            part.lags.sort_unstable();
            Member {
                account: case.names.accounts.name(account),
                platform: Platform::from_code(part.platform)
                    .filter(|platform| *platform != Platform::Unknown)
                    .map(|platform| platform.name().to_owned()),
                objects: part.objects.len() as u32,
                in_step: part.objects.len() as u32,
                expected: rounded(part.expected),
                q_value: rounded(part.by_chance.max(LEAST_Q)),
                median_lag_s: part.lags[part.lags.len() / 2] as f64 / 1000.0,
                led: part.led,
            }
        })
        .collect();
    members.sort_by(|a, b| {
        a.q_value
            .total_cmp(&b.q_value)
            .then(a.expected.total_cmp(&b.expected))
            .then_with(|| a.account.cmp(&b.account))
    });
    members
}

/// Rows in order of time: as many of each burst, its first ones.
fn samples(case: &Case<'_>, bursts: &[Burst], shape: &Shape) -> Vec<Sample> {
    let of_each = (MOST_SAMPLES / bursts.len()).max(1);
    bursts
        .iter()
        .take(MOST_SAMPLES)
        .flat_map(|burst| {
            let first = own(burst, shape).next().map_or(0, |act| act.time);
            own(burst, shape).take(of_each).map(move |act| (act, first))
        })
        .map(|(act, first)| Sample {
            time: Timestamp(act.time),
            account: case.names.accounts.name(act.account),
            action: Action::from_code(act.action).map_or("post", Action::name).to_owned(),
            object: case.names.objects.name(act.object),
            lag_s: (act.time - first) as f64 / 1000.0,
        })
        .collect()
}

/// Deletions destroy evidence, and accounts that burst again and again are no accident.
fn severity(shape: &Shape) -> Severity {
    let grave = u8::from(shape.deletes) + u8::from(shape.is_repeated());
    match grave {
        2 => Severity::High,
        1 if shape.members.len() >= 50 => Severity::High,
        1 => Severity::Medium,
        _ if shape.members.len() >= 30 && !shape.is_of_strangers => Severity::Medium,
        _ => Severity::Low,
    }
}

/// How sure the pattern is, held below what timing alone can say: one burst has many innocent
/// causes, a third by the same accounts few.
fn confidence(evidence: &Evidence, shape: &Shape) -> f64 {
    let ceiling = if shape.is_repeated() {
        0.95
    } else if shape.is_of_strangers {
        0.5
    } else if shape.deletes || shape.bursts > 1 {
        0.8
    } else {
        0.6
    };
    (1.0 - evidence.q_value.unwrap_or(1.0)).min(ceiling)
}

fn next_step(shape: &Shape) -> String {
    if shape.deletes {
        "Preserve what is left of these accounts' posts now, and ask the platform whether it removed them itself."
            .to_owned()
    } else if shape.is_repeated() {
        "Ask whether these accounts share a scheduling tool or a common house, and compare what they posted in \
         each burst."
            .to_owned()
    } else {
        "Look up what was broadcast at this second and whether the posts came through one tool; if either explains \
         them, dismiss with that reason."
            .to_owned()
    }
}

fn techniques(shape: &Shape) -> Vec<Technique> {
    let mut ids = Vec::new();
    if shape.posts {
        ids.push("DISARM:T0049");
    }
    if shape.deletes {
        ids.push("DISARM:T0129.007");
    }
    ids.into_iter().map(|id| Technique(id.to_owned())).collect()
}

/// Whether a burst is one of deletions.
pub(super) fn is_deletion(burst: &Burst) -> bool {
    burst.class == DELETING
}

fn seconds(value: f64) -> String {
    format!("{:.0} s", value.ceil().max(1.0))
}

fn few(value: f64) -> String {
    if value < 0.1 { "fewer than 0.1".to_owned() } else { format!("{value:.1}") }
}
