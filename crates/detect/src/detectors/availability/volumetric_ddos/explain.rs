//! The words and figures of a finding.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::{
    BenignCause, Evidence, Finding, FindingId, Sample, Severity, Subject, Technique, Timestamp, Verdict,
};
use traffic::Address;

use crate::case::Case;
use crate::detectors::availability::packets::Class;
use crate::detectors::availability::words::{grouped, listed};
use crate::stats::base::Season;
use crate::stats::figures::rounded;

use super::attacks::{Attack, Part, Trickle};
use super::exhibit;
use super::victims::Victim;
use crate::detectors::availability::shape::Answers;
use crate::detectors::availability::vectors;

/// The finding for one attack on one or many destinations of a network; the strongest first.
pub(super) fn attack(case: &Case<'_>, victims: &BTreeMap<Address, Victim>, attacks: &[Attack]) -> Finding {
    let strongest = &attacks[0];
    let lead = strongest.lead();
    let victim = &victims[&strongest.victim];
    let from = attacks.iter().map(Attack::from).min().unwrap_or(0);
    let until = attacks.iter().map(Attack::until).max().unwrap_or(0);
    let subjects: Vec<Subject> = {
        let mut addresses: Vec<Address> = attacks.iter().map(|attack| attack.victim).collect();
        addresses.sort_unstable();
        addresses.iter().map(|address| Subject::Ip(case.names.texts.address(*address))).collect()
    };
    let first_seen = Timestamp::from_seconds(from);
    let last_seen = Timestamp(until * 1000 + 999);
    let targets = match attacks.len() {
        1 => case.names.texts.address(strongest.victim),
        n => format!(
            "{n} addresses of {}",
            case.names.texts.address(strongest.victim.network(24, 48))
                + if strongest.victim.v4_bits().is_some() { "/24" } else { "/48" }
        ),
    };
    let name = named(strongest);
    let asset =
        strongest.victim.ip().and_then(|ip| case.settings.site.asset_of(ip)).map(|asset| asset.id.clone());
    Finding {
        id: FindingId::of(super::DETECTOR.name, &subjects, first_seen),
        revision: 1,
        ended: Some(last_seen),
        detector: super::DETECTOR.name.to_owned(),
        title: format!("{name} towards {targets}: up to {} packets/s", grouped(lead.peak_packets)),
        severity: severity(strongest),
        confidence: confidence(lead, victim),
        first_seen,
        last_seen,
        asset,
        subjects,
        verdict: Some(Verdict::Attack),
        evidence: Evidence {
            observed: observed(case, victim, strongest, attacks.len()),
            expected: expected(lead, victim),
            window_s: Some((until - from + 1) as u64),
            samples: samples(case, victim, strongest),
            counts: counts(strongest, attacks),
            series: exhibit::series(case, victim, strongest),
            reasons: exhibit::reasons(strongest),
            blockable: Some(exhibit::blockable(case, victim, strongest)),
            ..Evidence::default()
        },
        benign_causes: benign_causes(lead, victim),
        next_step: next_step(lead),
        techniques: techniques(strongest),
        provenance: case.names.provenance(),
    }
}

/// The vectors, the main one first: `TCP SYN-ACK reflection (with RST flood)`.
fn named(attack: &Attack) -> String {
    let mut names: Vec<String> = Vec::new();
    for part in &attack.parts {
        let reflected =
            part.class == Class::Rst && attack.parts.iter().any(|other| other.class == Class::SynAck);
        let name = if reflected {
            "RST of the same reflection".to_owned()
        } else {
            vectors::name(part.class, &part.shape)
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let main = names.remove(0);
    if names.is_empty() { main } else { format!("{main} (with {})", names.join(", ")) }
}

fn observed(case: &Case<'_>, victim: &Victim, attack: &Attack, victims: usize) -> String {
    let part = attack.lead();
    let shape = &part.shape;
    let hot = &victim.hot[&(part.class, part.busiest)];
    let of_each = if victims > 1 { "Of the one that was hit hardest: " } else { "" };
    let sources = if shape.is_sampled() {
        format!("{} sources seen in a sample", grouped(shape.sources as f64))
    } else {
        format!("{} sources", grouped(shape.sources as f64))
    };
    let mut text = format!(
        "{of_each}from {} for {} s, {} packets ({} on average) from {sources} in the busiest minute, at most {} packets/s and \
         {} Mbit/s; the rule first held {} s after the start.",
        Timestamp::from_seconds(part.from),
        part.until - part.from + 1,
        grouped(part.packets as f64),
        format_args!("{} bytes", shape.mean_length()),
        grouped(part.peak_packets),
        rounded(part.peak_bits / 1e6),
        attack.detected() - attack.from() + 1,
    );
    let _ = write!(text, " It shows: {}.", part.features.join(", "));
    if shape.marked >= 800 {
        text += " All but a few carry ECE and CWR.";
    }
    if part.class != Class::Icmp && part.class != Class::Fragments {
        let _ = write!(
            text,
            " Source ports {}; destination ports {}; lengths {}.",
            listed(&hot.src_ports, shape.packets),
            listed(&hot.dst_ports, shape.packets),
            listed(&hot.lengths, shape.packets)
        );
    }
    let top: Vec<String> = hot
        .sources
        .iter()
        .take(3)
        .map(|(source, sent)| format!("{} ({sent})", case.names.texts.address(*source)))
        .collect();
    let _ = write!(text, " Largest sources by packets: {}.", top.join(", "));
    text + &networks(case, victim, part)
}

/// Whose networks the sources are in, where a table was given.
fn networks(case: &Case<'_>, victim: &Victim, part: &Part) -> String {
    let table = &case.settings.site.networks;
    let Some(sample) = victim.samples.get(&(part.class, part.busiest)) else { return String::new() };
    if table.is_empty() || sample.is_empty() {
        return String::new();
    }
    let mut systems: BTreeMap<(u32, &str), i64> = BTreeMap::new();
    for (source, _) in sample {
        if let Some(system) = source.ip().and_then(|ip| table.find(ip)) {
            *systems.entry(system).or_default() += 1;
        }
    }
    let mut systems: Vec<_> = systems.into_iter().collect();
    systems.sort_by_key(|&(system, n)| (std::cmp::Reverse(n), system));
    let named: Vec<String> = systems
        .iter()
        .take(3)
        .map(|((asn, name), n)| format!("AS{asn} {name} ({:.0} %)", 100.0 * *n as f64 / sample.len() as f64))
        .collect();
    if named.is_empty() { String::new() } else { format!(" Networks of the sources: {}.", named.join(", ")) }
}

fn expected(part: &Part, victim: &Victim) -> String {
    let limits = &part.limits;
    let usual = match limits.base.from {
        Season::Nothing => format!(
            "The recording is too short to know what is usual here (cold start): the floor of {} packets/s decided.",
            grouped(limits.in_1_s)
        ),
        from => format!(
            "By {from}, the busiest second of a minute has {} such packets (spread {}); the limit was {} packets/s{}.",
            rounded(limits.base.median),
            rounded(limits.base.sigma),
            grouped(limits.in_1_s),
            if limits.rising { ", lowered because the rate had been rising" } else { "" }
        ),
    };
    let answers = match victim.answers() {
        Answers::Seen => "",
        _ => {
            " Answers of the address were not seen anywhere: the capture may show one direction only, so the \
             missing answers count for nothing."
        }
    };
    usual + answers
}

fn counts(attack: &Attack, attacks: &[Attack]) -> BTreeMap<String, f64> {
    let part = attack.lead();
    let shape = &part.shape;
    let mut counts = BTreeMap::from([
        ("victims".to_owned(), attacks.len() as f64),
        ("packets".to_owned(), attacks.iter().flat_map(|a| &a.parts).map(|p| p.packets as f64).sum()),
        ("bytes".to_owned(), attacks.iter().flat_map(|a| &a.parts).map(|p| p.bytes as f64).sum()),
        ("peak_packets_per_s".to_owned(), rounded(part.peak_packets)),
        ("peak_mbit_per_s".to_owned(), rounded(part.peak_bits / 1e6)),
        ("sources_in_busiest_minute".to_owned(), shape.sources as f64),
        ("source_evenness".to_owned(), shape.evenness as f64 / 1000.0),
        ("sources_of_two_packets_or_fewer".to_owned(), shape.few as f64 / 1000.0),
        ("one_length_share".to_owned(), shape.one_length as f64 / 1000.0),
        ("one_destination_port_share".to_owned(), shape.one_port as f64 / 1000.0),
        ("mean_length".to_owned(), shape.mean_length() as f64),
        ("limit_packets_per_s".to_owned(), rounded(part.limits.in_1_s)),
        ("usual_packets_per_s".to_owned(), rounded(part.limits.base.median)),
        ("history_known".to_owned(), f64::from(part.limits.base.is_known())),
        ("detected_after_s".to_owned(), (attack.detected() - attack.from() + 1) as f64),
        ("duration_s".to_owned(), (attack.until() - attack.from() + 1) as f64),
    ]);
    for part in &attack.parts {
        let name = format!("packets_{}", vectors::code(part.class, &part.shape).replace('-', "_"));
        *counts.entry(name).or_default() += part.packets as f64;
    }
    if shape.known > 0 {
        counts.insert("unanswered_share".to_owned(), rounded(shape.unanswered as f64 / shape.known as f64));
    }
    counts
}

/// The largest sources.
fn samples(case: &Case<'_>, victim: &Victim, attack: &Attack) -> Vec<Sample> {
    let part = attack.lead();
    let hot = &victim.hot[&(part.class, part.busiest)];
    let port = hot.dst_ports.first().map_or(String::new(), |(port, _)| format!(" port {port}"));
    hot.sources
        .iter()
        .map(|(source, sent)| Sample {
            time: Timestamp::from_seconds(part.from),
            account: case.names.texts.address(*source),
            action: format!("sent {sent} packets"),
            object: format!("{}{port}", case.names.texts.address(attack.victim)),
            lag_s: 0.0,
        })
        .collect()
}

/// By how often the rate is beyond the limit: a limit is the larger of the floor and of what is usual.
fn severity(attack: &Attack) -> Severity {
    let times = attack
        .parts
        .iter()
        .map(|part| (part.peak_packets / part.limits.in_1_s).max(part.peak_bits / part.limits.bits))
        .fold(0.0, f64::max);
    match times {
        t if t >= 100.0 => Severity::Critical,
        t if t >= 10.0 => Severity::High,
        _ => Severity::Medium,
    }
}

/// Three features are the least; each more, a known history and seen answers make it surer.
fn confidence(part: &Part, victim: &Victim) -> f64 {
    let more = part.features.len().saturating_sub(3) as f64;
    let history = if part.limits.base.is_known() { 0.05 } else { 0.0 };
    let answers = if victim.answers() == Answers::Seen { 0.05 } else { 0.0 };
    rounded((0.8 + 0.05 * more + history + answers).min(0.98))
}

fn benign_causes(part: &Part, victim: &Victim) -> Vec<BenignCause> {
    let cause = |name: &str, why: String| BenignCause { name: name.to_owned(), why };
    let mut causes = Vec::new();
    match part.class {
        Class::Syn if part.shape.sources < 30 => causes.push(cause(
            "load-test",
            "A test tool of one's own that opens connections without finishing them looks the same; ask who runs one."
                .to_owned(),
        )),
        Class::Syn => causes.push(cause(
            "overloaded-server",
            format!(
                "Where a server no longer answers, its clients try again and again. Here {:.0} % of the sources sent no \
                 more than two packets.",
                part.shape.few as f64 / 10.0
            ),
        )),
        Class::SynAck | Class::Rst => causes.push(cause(
            "own-scan",
            "A scan that was sent from this address, or with it, brings such answers.".to_owned(),
        )),
        Class::Udp if part.shape.amplifies() => causes.push(cause(
            "own-questions",
            "Answers that the address asked for look alike; no such questions were seen.".to_owned(),
        )),
        _ => causes.push(cause(
            "unknown-service",
            "A service that many clients begin to use at the same time, if its answers take another way.".to_owned(),
        )),
    }
    if victim.answers() != Answers::Seen {
        causes.push(cause(
            "one-way-capture",
            "The other direction was not captured, so it is not known what was answered.".to_owned(),
        ));
    }
    causes
}

fn next_step(part: &Part) -> String {
    match part.class {
        Class::Syn => "Switch on SYN cookies at the server or the load balancer, and ask the provider to filter; do not \
                       block sources one by one, they are likely forged."
            .to_owned(),
        Class::SynAck | Class::Rst => "Ask the provider to drop SYN-ACK and RST without a connection; do not block the \
                                       reflectors for good, they are servers of others."
            .to_owned(),
        Class::Udp if part.shape.amplifies() => format!(
            "Ask the provider to drop UDP from source port {} to this address, which needs no such answers.",
            part.shape.reflector_port
        ),
        Class::Fragments => "Ask the provider to drop fragments to this address.".to_owned(),
        Class::Icmp => "Ask the provider to limit ICMP to this address.".to_owned(),
        _ => "Ask the provider to filter by the ports and lengths named here, or to scrub traffic to this address."
            .to_owned(),
    }
}

fn techniques(attack: &Attack) -> Vec<Technique> {
    let mut techniques: Vec<Technique> = attack
        .parts
        .iter()
        .map(|part| {
            Technique(
                match part.class {
                    Class::SynAck | Class::Rst => "ATTACK:T1498.002",
                    Class::Udp if part.shape.amplifies() => "ATTACK:T1498.002",
                    Class::Syn | Class::Ack => "ATTACK:T1499.001",
                    _ => "ATTACK:T1498.001",
                }
                .to_owned(),
            )
        })
        .collect();
    techniques.sort();
    techniques.dedup();
    techniques
}

/// The finding for a trickle: a note.
pub(super) fn trickle(case: &Case<'_>, trickle: &Trickle) -> Finding {
    let victim = case.names.texts.address(trickle.victim);
    let subjects = vec![Subject::Ip(victim.clone())];
    let (first_seen, last_seen) =
        (Timestamp::from_seconds(trickle.from), Timestamp::from_seconds(trickle.until));
    let share = |part: i64| rounded(part as f64 / trickle.packets.max(1) as f64);
    Finding {
        id: FindingId::of(super::DETECTOR.name, &subjects, first_seen),
        revision: 1,
        ended: Some(last_seen),
        detector: super::DETECTOR.name.to_owned(),
        title: format!(
            "{} odd SYN and SYN-ACK packets towards {victim} within {} min, far below any rate that matters",
            trickle.packets,
            (trickle.until - trickle.from) / 60 + 1
        ),
        severity: Severity::Info,
        confidence: 0.6,
        first_seen,
        last_seen,
        asset: trickle
            .victim
            .ip()
            .and_then(|ip| case.settings.site.asset_of(ip))
            .map(|asset| asset.id.clone()),
        subjects,
        verdict: None,
        evidence: Evidence {
            observed: format!(
                "{} packets from {} sources got no answer; {:.0} % have equal source and destination ports, {:.0} % are \
                 SYN from a privileged port.",
                trickle.packets,
                trickle.sources,
                100.0 * share(trickle.same_port),
                100.0 * share(trickle.privileged)
            ),
            expected: "Clients connect from ephemeral ports, so neither occurs in ordinary traffic."
                .to_owned(),
            counts: BTreeMap::from([
                ("packets".to_owned(), trickle.packets as f64),
                ("sources".to_owned(), trickle.sources as f64),
                ("same_port_share".to_owned(), share(trickle.same_port)),
                ("privileged_share".to_owned(), share(trickle.privileged)),
            ]),
            ..Evidence::default()
        },
        benign_causes: vec![BenignCause {
            name: "scan".to_owned(),
            why: "Scanners and echoes of attacks on others, with this address forged, look the same."
                .to_owned(),
        }],
        next_step: "Nothing now; keep it in mind if a flood follows.".to_owned(),
        techniques: Vec::new(),
        provenance: case.names.provenance(),
    }
}
