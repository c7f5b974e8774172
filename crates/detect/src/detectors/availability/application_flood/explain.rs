//! The words and figures of a finding.

use std::collections::BTreeMap;

use domain::{
    Evidence, Finding, FindingId, Member, Provenance, Sample, Severity, Subject, Technique, Timestamp,
    Verdict,
};

use crate::case::Case;
use crate::stats::figures::rounded;

use super::block::TTL_S;
use super::causes;
use super::exhibit;
use super::gather::{MINUTE, own_site};
use super::rises::{RiseRow, Season};
use super::score::{Scored, reasons};
use super::verdict::{Event, Seen};
use super::weights::Sign;

/// Most clients that a finding lists. The counts are always whole.
const MOST_MEMBERS: usize = 200;
const MOST_SAMPLES: usize = 20;
/// Reasons that are told in words.
const MOST_REASONS: usize = 5;
/// A rise by so many times, or so large a share of requests given up or refused, is the heaviest load.
const HEAVY_LOAD: f64 = 10.0;
const OVERLOADED: f64 = 0.2;

/// The finding for a rise with rows.
pub(super) fn finding(case: &Case<'_>, event: &Event, left_out: usize) -> Finding {
    let seen = event.strongest();
    let name = asset_name(case, event.asset);
    let subjects = vec![Subject::Domain(name.clone())];
    let usual = event.row.rise.usual.median;
    let times = times(seen.requests, usual * seen.seconds() as f64 / 60.0);
    let share = (seen.phi.min(1.0) * 100.0).round();
    let title = format!(
        "{} requests in {} to {name}, {times} the usual; {}",
        thousands(seen.requests),
        minutes(seen),
        match (event.verdict, seen.look.few) {
            (Verdict::FlashCrowd, _) => "no machine evidence".to_owned(),
            (Verdict::Unsure, Some(1)) => "one busy client sent half of the rise or more".to_owned(),
            (Verdict::Unsure, Some(n)) => format!("{n} busy clients sent half of the rise or more"),
            _ => format!("{share} % of the rise have machine evidence"),
        }
    );
    Finding {
        id: FindingId::of(super::DETECTOR.name, &subjects, event.from),
        revision: 1,
        ended: Some(event.until),
        detector: super::DETECTOR.name.to_owned(),
        title,
        severity: severity(event),
        confidence: rounded(confidence(event)),
        first_seen: event.from,
        last_seen: event.until,
        asset: event.asset.and_then(|at| case.settings.site.assets.get(at)).map(|asset| asset.id.clone()),
        subjects,
        verdict: Some(event.verdict),
        evidence: Evidence {
            observed: observed(case, event),
            expected: expected(event),
            window_s: Some(seen.seconds()),
            counts: counts(event),
            members: members(seen),
            samples: samples(case, seen),
            series: exhibit::series(&event.row, &name).into_iter().collect(),
            reasons: exhibit::reasons(&seen.look),
            blockable: seen.blocking.as_ref().map(|blocking| exhibit::blockable(case, seen, blocking)),
            ..Evidence::default()
        },
        benign_causes: causes::ranked(case, event),
        next_step: next_step(event),
        techniques: techniques(event),
        provenance: provenance(case, event, left_out),
    }
}

/// The finding for a rise in a series of counts: what rose, and that counts do not say why.
pub(super) fn series(case: &Case<'_>, row: &RiseRow) -> Finding {
    let name = case.names.texts.get(row.key);
    let subjects = vec![Subject::Domain(name.clone())];
    let (from, until) = (Timestamp(row.rise.start * MINUTE), Timestamp(row.rise.end * MINUTE));
    let event = case.settings.site.events_in(from, until, None).next();
    let length = (row.rise.end - row.rise.start).max(1);
    let expected = match event {
        Some(event) => format!(" The calendar has \"{}\" at that time.", event.name),
        None => String::new(),
    };
    Finding {
        id: FindingId::of(super::DETECTOR.name, &subjects, from),
        revision: 1,
        ended: Some(until),
        detector: super::DETECTOR.name.to_owned(),
        title: format!(
            "{} requests in {length} min in `{name}`, {} the usual; counts alone do not say why",
            thousands(row.rise.total as f64),
            times(row.rise.total as f64, row.rise.usual.median * length as f64),
        ),
        severity: Severity::Info,
        confidence: 0.5,
        first_seen: from,
        last_seen: until,
        asset: None,
        subjects,
        verdict: event.map(|_| Verdict::FlashCrowd),
        evidence: Evidence {
            observed: format!(
                "{} requests in {length} min, {} in the busiest of them.{expected}",
                thousands(row.rise.total as f64),
                thousands(row.rise.peak as f64)
            ),
            expected: usual(row),
            window_s: Some(60 * length as u64),
            counts: BTreeMap::from([
                ("requests".to_owned(), row.rise.total as f64),
                ("peak_per_minute".to_owned(), row.rise.peak as f64),
                ("usual_per_minute".to_owned(), rounded(row.rise.usual.median)),
            ]),
            series: exhibit::series(row, &name).into_iter().collect(),
            ..Evidence::default()
        },
        benign_causes: causes::of_counts(event),
        next_step:
            "Read the access log of these minutes, if there is one: counts alone cannot tell people from \
                    machines."
                .to_owned(),
        techniques: Vec::new(),
        provenance: case.names.provenance(),
    }
}

fn asset_name(case: &Case<'_>, asset: Option<usize>) -> String {
    let declared = asset.and_then(|at| case.settings.site.assets.get(at));
    if let Some(asset) = declared {
        return asset.hosts.first().unwrap_or(&asset.name).clone();
    }
    let learnt = own_site(case.tables).filter(|host| case.names.texts.contains(*host));
    learnt.map_or_else(|| "the website".to_owned(), |host| case.names.texts.get(host))
}

fn severity(event: &Event) -> Severity {
    let seen = event.strongest();
    let load = seen.requests / (event.row.rise.usual.median * seen.seconds() as f64 / 60.0).max(1.0);
    let heavy = load >= HEAVY_LOAD || seen.look.overloaded >= OVERLOADED;
    match (event.verdict, heavy) {
        (Verdict::Attack, true) => Severity::Critical,
        (Verdict::Attack | Verdict::Mixed, _) => Severity::High,
        (Verdict::Unsure, true) => Severity::Medium,
        (Verdict::Unsure, false) | (Verdict::FlashCrowd, true) => Severity::Low,
        (Verdict::FlashCrowd, false) => Severity::Info,
    }
}

/// How sure the verdict is: as far as the evidence lies from the bounds, less where the site was hardly known.
fn confidence(event: &Event) -> f64 {
    let phi = event.strongest().phi;
    let sure: f64 = match event.verdict {
        Verdict::Attack => 0.8 + 0.9 * (phi - 0.8),
        Verdict::Mixed => 0.8,
        Verdict::FlashCrowd => 0.95 - 4.0 * phi,
        Verdict::Unsure => 0.5,
    };
    (sure.clamp(0.5, 0.98) - if event.thin { 0.2 } else { 0.0 }).max(0.3)
}

fn observed(case: &Case<'_>, event: &Event) -> String {
    let seen = event.strongest();
    let mut text = format!(
        "{} requests by {} clients in {} from {}; {} more than usual. ",
        thousands(seen.requests),
        thousands(seen.clients),
        minutes(seen),
        seen.from,
        thousands(seen.excess)
    );
    let evidence = seen.phi.min(1.0) * 100.0;
    let hard = seen.hard.min(1.0) * 100.0;
    text.push_str(&match event.verdict {
        Verdict::FlashCrowd => format!(
            "{evidence:.0} % of that have machine evidence, as in any crowd. A flood that copies people's visits at \
             people's pace looks the same. "
        ),
        _ => format!("{evidence:.0} % of that have machine evidence, {hard:.0} % beyond doubt client by client. "),
    });
    if event.verdict != Verdict::FlashCrowd {
        let told: Vec<String> = reasons(&seen.look)
            .into_iter()
            .take(MOST_REASONS)
            .map(|(sign, share)| {
                format!("{:.0} % {} ({:+.2})", share * 100.0, sign.text(), seen.look.weights.of(sign))
            })
            .collect();
        text.push_str(&format!(
            "Of the requests with machine evidence, by clients that (log-odds in brackets): {}. ",
            told.join("; ")
        ));
    }
    if seen.look.knows_people {
        text.push_str(&format!(
            "Requests that show what people show make up {:.0} % of the rise, give or take {:.0} %. ",
            (seen.look.people * 100.0).clamp(0.0, 100.0),
            (seen.look.people_off * 100.0).clamp(1.0, 100.0)
        ));
    }
    if seen.look.bare > 0.0 {
        text.push_str(&format!(
            "{:.0} % of the rise asked for pages and nothing that belongs to them, beyond what people here leave out. ",
            (seen.look.bare * 100.0).min(100.0)
        ));
    }
    let crawlers = heavy_few(seen);
    if !crawlers.is_empty() && event.verdict != Verdict::Attack && event.verdict != Verdict::Mixed {
        text.push_str(&format!("Busy automated clients, too few to be an attack: {}. ", crawlers.join(", ")));
    }
    let looks: Vec<String> = event
        .windows
        .iter()
        .map(|one| format!("{} after {} s", one.verdict.name(), (one.until.0 - event.from.0) / 1000))
        .collect();
    text.push_str(&format!("Verdicts: {}.", looks.join(", ")));
    for planned in case.settings.site.events_in(event.from, event.until, None) {
        text.push_str(&format!(
            " The calendar has \"{}\" at that time, which changed nothing: attackers choose the same hour.",
            planned.name
        ));
    }
    text
}

/// The few clients that sent half of the rise.
fn busiest(seen: &Seen) -> Vec<String> {
    let mut clients: Vec<&Scored> = seen.look.clients.iter().collect();
    clients.sort_by(|a, b| b.client.did.n.total_cmp(&a.client.did.n).then(a.client.key.cmp(&b.client.key)));
    let told = clients.iter().take(seen.look.few.unwrap_or(0));
    told.map(|one| format!("{} ({:.0} requests)", one.client.key.address(), one.client.did.n)).collect()
}

/// Clients that are hard evidence on their own, where they are too few for a verdict.
fn heavy_few(seen: &Seen) -> Vec<String> {
    if seen.hard > 0.0 {
        return Vec::new();
    }
    let mut few: Vec<&Scored> = seen.look.clients.iter().filter(|one| one.is_hard()).collect();
    few.sort_by(|a, b| b.client.did.n.total_cmp(&a.client.did.n).then(a.client.key.cmp(&b.client.key)));
    let told = few.iter().take(3);
    told.map(|one| format!("{} ({:.0} requests)", one.client.key.address(), one.client.did.n)).collect()
}

fn expected(event: &Event) -> String {
    let thin = if event.thin {
        " The recording has little from before: what is usual for a client is taken from other sites."
    } else {
        ""
    };
    format!(
        "{} Of {} people's clients on calm days here, the weights of signs that they show often are lowered; none is \
         raised.{thin}",
        usual(&event.row),
        thousands(event.calm_clients)
    )
}

fn usual(row: &RiseRow) -> String {
    let usual = &row.rise.usual;
    let where_from = match usual.season {
        Season::Weekly => "at this hour of the week, over four weeks",
        Season::Daily => "at this hour of the day, over seven days",
        Season::Cold => {
            "in the hour before (a cold start: the recording has no earlier days, so the bar is higher)"
        }
    };
    format!(
        "Usual are {:.0} requests a minute {where_from}; two of three minutes above {:.0} are a rise.",
        usual.median,
        usual.bar()
    )
}

fn counts(event: &Event) -> BTreeMap<String, f64> {
    let seen = event.strongest();
    let mut counts = BTreeMap::from([
        ("requests".to_owned(), seen.requests),
        ("excess".to_owned(), rounded(seen.excess)),
        ("usual_per_minute".to_owned(), rounded(event.row.rise.usual.median)),
        ("peak_per_minute".to_owned(), event.row.rise.peak as f64),
        ("clients".to_owned(), seen.clients),
        ("clients_looked_at".to_owned(), seen.kept),
        ("phi".to_owned(), rounded(seen.phi)),
        ("hard".to_owned(), rounded(seen.hard)),
        ("people".to_owned(), rounded(seen.look.people)),
        ("bare".to_owned(), rounded(seen.look.bare)),
        ("prior".to_owned(), rounded(seen.look.prior)),
        ("overloaded_share".to_owned(), rounded(seen.look.overloaded)),
        ("decided_at_s".to_owned(), event.decided_at_s as f64),
    ]);
    if let Some(blocking) = &seen.blocking {
        counts.insert(
            "blockable_by_address_share".to_owned(),
            rounded(blocking.by_address / seen.requests.max(1.0)),
        );
        counts.insert("blockable_share".to_owned(), rounded(blocking.by_any / seen.requests.max(1.0)));
        counts.insert("addresses_to_block".to_owned(), blocking.clients.len() as f64);
        counts.insert("rules".to_owned(), blocking.rules.len() as f64);
    }
    for (sign, share) in reasons(&seen.look) {
        counts.insert(format!("sign.{}", kebab(sign)), rounded(share));
    }
    counts
}

/// A sign's name as machines read it.
fn kebab(sign: Sign) -> String {
    let mut name = String::new();
    for letter in format!("{sign:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// Addresses that could be blocked, the busiest first.
fn members(seen: &Seen) -> Vec<Member> {
    let Some(blocking) = &seen.blocking else { return Vec::new() };
    let listed = |one: &&Scored| blocking.clients.binary_search(&one.client.key.address()).is_ok();
    let mut clients: Vec<&Scored> = seen.look.clients.iter().filter(listed).collect();
    clients.sort_by(|a, b| b.client.did.n.total_cmp(&a.client.did.n).then(a.client.key.cmp(&b.client.key)));
    let member = |one: &&Scored| Member {
        account: one.client.key.address().to_string(),
        platform: None,
        objects: one.client.slots.len() as u32,
        in_step: one.client.did.n as u32,
        expected: 0.0,
        q_value: rounded(1.0 - one.p),
        median_lag_s: rounded((one.client.first - seen.from.0) as f64 / 1000.0),
        led: 0,
    };
    clients.iter().take(MOST_MEMBERS).map(member).collect()
}

/// The busiest clients with machine evidence; where there is none, the busiest.
fn samples(case: &Case<'_>, seen: &Seen) -> Vec<Sample> {
    let mut clients: Vec<&Scored> = seen.look.clients.iter().collect();
    let load = |one: &Scored| one.p * one.client.did.n;
    clients.sort_by(|a, b| load(b).total_cmp(&load(a)).then(a.client.key.cmp(&b.client.key)));
    clients.truncate(MOST_SAMPLES);
    clients.sort_by_key(|one| (one.client.first, one.client.key));
    let sample = |one: &&Scored| {
        let most = one.client.slots.iter().max_by_key(|slot| (slot.n, std::cmp::Reverse(slot.path)));
        Sample {
            time: Timestamp(one.client.first),
            account: case.names.texts.address(one.client.key.address()),
            action: format!("{:.0} requests, log-odds {:+.1}", one.client.did.n, one.score),
            object: most.map_or_else(|| "-".to_owned(), |slot| case.names.texts.get(slot.path)),
            lag_s: rounded((one.client.first - seen.from.0) as f64 / 1000.0),
        }
    };
    clients.iter().map(sample).collect()
}

fn next_step(event: &Event) -> String {
    let seen = event.strongest();
    let siege = "If the server suffers, serve a static copy of the results from a cache, then give each client a fair \
                 share; block nobody.";
    match (event.verdict, &seen.blocking) {
        (Verdict::FlashCrowd, _) => format!("Nothing to block: there is no machine evidence. {siege}"),
        (Verdict::Unsure, _) if seen.look.few.is_some() => {
            let busiest = busiest(seen);
            format!(
                "Ask whose these clients are, and limit their rate if nobody knows: {}.",
                busiest.join(", ")
            )
        }
        (Verdict::Unsure, _) | (_, None) => {
            format!(
                "Look again in five minutes; part of this may be machines, too little to name them. {siege}"
            )
        }
        (_, Some(blocking)) => {
            let strip = if blocking.strip_queries {
                "Strip the query at the cache first: the random part of it only serves to pass the cache. "
            } else {
                ""
            };
            let rules = match blocking.rules.len() {
                0 => "no rule fits them without meeting people".to_owned(),
                n => format!("{n} rule{} for a challenge or a rate limit", if n == 1 { "" } else { "s" }),
            };
            format!(
                "{strip}Block {} addresses for {} minutes; {rules}. Together that meets {:.0} % of all requests. \
                 Addresses of many people and declared clients are spared. {siege}",
                thousands(blocking.clients.len() as f64),
                TTL_S / 60,
                100.0 * blocking.by_any / seen.requests.max(1.0)
            )
        }
    }
}

fn techniques(event: &Event) -> Vec<Technique> {
    if !matches!(event.verdict, Verdict::Attack | Verdict::Mixed) {
        return Vec::new();
    }
    let mut techniques = vec![Technique("ATTACK:T1499.002".to_owned())];
    // Requests that make the application work, past every cache.
    let look = &event.strongest().look;
    let past_caches = [Sign::BustFew, Sign::BustMany, Sign::NotFoundMany, Sign::PollFast];
    if reasons(look).iter().any(|(sign, share)| past_caches.contains(sign) && *share >= 0.3) {
        techniques.push(Technique("ATTACK:T1499.003".to_owned()));
    }
    techniques
}

fn provenance(case: &Case<'_>, event: &Event, left_out: usize) -> Provenance {
    let mut provenance = case.names.provenance();
    let seen = event.strongest();
    if seen.kept < seen.clients {
        provenance.complete = false;
        provenance.incomplete_because.push(format!(
            "Of {} clients in the window, {} were looked at one by one: the busiest, and a sample by seeded hash of \
             the others, which stands for them.",
            thousands(seen.clients),
            thousands(seen.kept)
        ));
    }
    if left_out > 0 {
        provenance.complete = false;
        provenance.incomplete_because.push(format!(
            "{left_out} smaller rises were not looked into: there is room for the largest only."
        ));
    }
    provenance
}

fn minutes(seen: &Seen) -> String {
    format!("{} min", seen.seconds() / 60)
}

fn times(n: f64, usual: f64) -> String {
    if usual < 1.0 {
        return "where there is next to nothing as".to_owned();
    }
    let times = n / usual;
    if times < 10.0 { format!("{times:.1} times") } else { format!("{times:.0} times") }
}

/// A whole number with commas.
fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.max(0.0));
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_by_people() {
        assert_eq!(thousands(18_204.4), "18,204");
        assert_eq!(thousands(7.0), "7");
        assert_eq!(
            (times(900.0, 100.0), times(2500.0, 100.0)),
            ("9.0 times".to_owned(), "25 times".to_owned())
        );
        assert_eq!(kebab(Sign::NotFoundMany), "not-found-many");
    }
}
