//! *Reports* a flood that is spread over the addresses of a network, so that no single address gets much:
//! the prefix, the vector, the rate of the whole, how many addresses, and the first second.
//!
//! *Why it matters.* Limits for single addresses do not see it, and the link is as full as with any other
//! flood. Filters must be set for the prefix.
//!
//! *Needs* flows or packets, as `volumetric-ddos` does.
//!
//! *How.* The same packets outside conversations, by /24 (IPv6: /48), minute and class. A minute may be part of
//! a carpet if at least eight addresses are hit evenly (evenness of .7), fewer than a quarter of them beyond
//! the floors of `volumetric-ddos` by themselves, and what comes is a flood by the shape that is
//! described there, sources being a sample of 512 by hash. Networks of one asset, else of one declared
//! prefix of our own, else of one /16 (IPv6: /40) are taken together and must be beyond 1,000 packets/s, 100 packets/s over ten
//! seconds or 50 Mbit/s, and beyond eight spreads above the median of what is usual for them, learnt as in
//! `volumetric-ddos`. Of SYN, only networks that are beyond 100 packets/s each count: scanners that sweep the
//! Internet reach every address, a few times a minute.
//!
//! *Benign causes and blind spots.* A sweep by many scanners at once; answers to a scan of one's own that
//! was made with forged addresses. Silent: what `volumetric-ddos` is silent about for its shape; spreads over
//! networks of which each gets fewer than 100 packets a minute.
//!
//! *Next step for the operator.* Ask the provider to filter the vector for the whole prefix, not by address.

mod gather;

use std::collections::BTreeMap;

use domain::{
    BenignCause, Evidence, Finding, FindingId, Prefix, Severity, Subject, Technique, Timestamp, Verdict,
};
use traffic::Address;

use crate::case::Case;
use crate::catalogue::Detector;
use crate::stats::base::Base;
use crate::stats::counts::{self, add};
use crate::stats::figures::rounded;

use super::by_minute::BITS;
use super::packets::Class;
use super::shape::Answers;
use super::vectors;
use super::words::grouped;
use gather::{LEAST_ADDRESSES, Minute, NETWORKS};

/// See the module.
pub const DETECTOR: Detector = Detector {
    name: "carpet-bombing",
    summary: "a flood spread over the addresses of a prefix, none of which gets much",
    gather: gather::gather,
    judge,
};

/// Floors and spreads as in `volumetric-ddos`.
const FLOOR_1_S: f64 = 1000.0;
const FLOOR_10_S: f64 = 100.0;
const FLOOR_BITS: f64 = 50e6;
const SPREADS: f64 = 8.0;
const LEAST_PACKETS: i64 = 500;
const GAP_MINUTES: i64 = 2;

fn judge(case: &Case<'_>) -> Vec<Finding> {
    let minutes: Vec<Minute> = case.rows(NETWORKS).collect();
    let begin = minutes.iter().map(|minute| minute.minute).min().unwrap_or(0);
    let mut groups: BTreeMap<(String, Class), Vec<Minute>> = BTreeMap::new();
    for minute in minutes {
        if let Some(class) = minute.class() {
            groups.entry((area(case, minute.net), class)).or_default().push(minute);
        }
    }
    let mut carpets: BTreeMap<String, Vec<Carpet>> = BTreeMap::new();
    for ((area, class), minutes) in &groups {
        carpets.entry(area.clone()).or_default().extend(carpets_of(*class, minutes, begin));
    }
    let mut findings = Vec::new();
    for (_, mut of_area) in carpets {
        of_area.sort_by_key(|carpet| (carpet.from, std::cmp::Reverse(carpet.packets), carpet.class));
        // Vectors at the same time are one attack.
        let mut attacks: Vec<Vec<Carpet>> = Vec::new();
        for carpet in of_area {
            match attacks.last_mut().filter(|a| a.iter().any(|other| carpet.from <= other.until + 60)) {
                Some(attack) => attack.push(carpet),
                None => attacks.push(vec![carpet]),
            }
        }
        for mut attack in attacks {
            attack.sort_by_key(|carpet| (std::cmp::Reverse(carpet.packets), carpet.class));
            findings.push(finding(case, &attack));
        }
    }
    findings
}

/// What a network is taken together with: its asset, a prefix of our own, else its /16 (IPv6: /40).
fn area(case: &Case<'_>, net: Address) -> String {
    let site = &case.settings.site;
    let Some(ip) = net.ip() else { return String::new() };
    if let Some(asset) = site.assets.iter().find(|asset| asset.prefixes.iter().any(|p| holds(*p, ip))) {
        return format!("asset {}", asset.id);
    }
    match site.own.iter().find(|own| own.contains(ip)) {
        Some(own) => own.to_string(),
        None => Prefix::new(ip, if ip.is_ipv4() { 16 } else { 40 }).to_string(),
    }
}

/// The network is inside the prefix, or the prefix inside the network.
fn holds(prefix: Prefix, net: std::net::IpAddr) -> bool {
    let bits = if net.is_ipv4() { BITS.0 } else { BITS.1 } as u8;
    prefix.contains(net) || Prefix::new(net, bits).contains(prefix.net())
}

/// One vector over one area.
struct Carpet {
    class: Class,
    /// The busiest network in its busiest minute.
    busiest: Minute,
    networks: Vec<Address>,
    from: i64,
    until: i64,
    packets: i64,
    bytes: i64,
    addresses: i64,
    peak_packets: i64,
    peak_bits: f64,
    limit: f64,
    base: Base,
    answers: Answers,
}

/// Rates of an area in a minute, over all its networks.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_field_names, reason = "the unit is in the name")]
struct Rates {
    in_1_s: i64,
    in_10_s: i64,
    bytes_in_1_s: i64,
}

fn carpets_of(class: Class, minutes: &[Minute], begin: i64) -> Vec<Carpet> {
    let sum = |of: &dyn Fn(&Minute) -> bool| {
        let mut rates: BTreeMap<i64, Rates> = BTreeMap::new();
        for minute in minutes.iter().filter(|minute| of(minute)) {
            let rate = rates.entry(minute.minute).or_default();
            add(&mut rate.in_1_s, minute.in_1_s);
            add(&mut rate.in_10_s, minute.in_10_s);
            add(&mut rate.bytes_in_1_s, minute.bytes_in_1_s);
        }
        rates
    };
    let all = sum(&|_| true);
    let answers = if minutes.iter().map(|minute| minute.answered).sum::<i64>() >= 3 {
        Answers::Seen
    } else {
        Answers::Unknown
    };
    let counts = |minute: &Minute| {
        minute.is_carpet(answers) && (class != Class::Syn || minute.in_10_s as f64 >= 10.0 * FLOOR_10_S)
    };
    let carpet = sum(&counts);
    let hot: Vec<i64> = carpet.keys().copied().collect();
    let mut carpets = Vec::new();
    for run in hot.chunk_by(|a, b| b - a <= GAP_MINUTES) {
        let of =
            |value: fn(&Rates) -> f64| Base::at(run[0], begin, |minute| all.get(&minute).map_or(0.0, value));
        let base = of(|rates| rates.in_1_s as f64);
        let limit = base.above(SPREADS).max(FLOOR_1_S);
        let limit_10 = of(|rates| rates.in_10_s as f64 / 10.0).above(SPREADS).max(FLOOR_10_S);
        let limit_bits = of(|rates| rates.bytes_in_1_s as f64 * 8.0).above(SPREADS).max(FLOOR_BITS);
        let beyond = |minute: &i64| {
            let rates = carpet[minute];
            rates.in_1_s as f64 >= limit
                || rates.in_10_s as f64 / 10.0 >= limit_10
                || rates.bytes_in_1_s as f64 * 8.0 >= limit_bits
        };
        let (Some(&first), Some(&last)) =
            (run.iter().find(|minute| beyond(minute)), run.iter().rev().find(|minute| beyond(minute)))
        else {
            continue;
        };
        let part: Vec<&Minute> = minutes
            .iter()
            .filter(|minute| (first..=last).contains(&minute.minute) && counts(minute))
            .collect();
        let packets = counts::sum(part.iter().map(|minute| minute.shape.packets));
        let busiest = part.iter().max_by_key(|m| (m.shape.packets, std::cmp::Reverse((m.minute, m.net))));
        let Some(&&busiest) = busiest.filter(|_| packets >= LEAST_PACKETS) else { continue };
        let mut addresses: BTreeMap<Address, i64> = BTreeMap::new();
        for minute in &part {
            let most = addresses.entry(minute.net).or_default();
            *most = minute.addresses.max(*most);
        }
        carpets.push(Carpet {
            class,
            busiest,
            from: part.iter().map(|m| gather::second(m.minute, m.first)).min().unwrap_or(0),
            until: part.iter().map(|m| gather::second(m.minute, m.last)).max().unwrap_or(0),
            packets,
            bytes: counts::sum(part.iter().map(|minute| minute.shape.bytes)),
            addresses: addresses.values().sum(),
            networks: addresses.into_keys().collect(),
            peak_packets: (first..=last).filter_map(|m| carpet.get(&m)).map(|r| r.in_1_s).max().unwrap_or(0),
            peak_bits: (first..=last)
                .filter_map(|m| carpet.get(&m))
                .map(|rates| rates.bytes_in_1_s as f64 * 8.0)
                .fold(0.0, f64::max),
            limit,
            base,
            answers,
        });
    }
    carpets.retain(|carpet| carpet.addresses >= LEAST_ADDRESSES);
    carpets
}

/// The smallest prefix that has all these networks.
fn prefix(networks: &[Address]) -> String {
    let ips: Vec<_> = networks.iter().filter_map(|net| net.ip()).collect();
    let Some(&first) = ips.first() else { return String::new() };
    let bits = if first.is_ipv4() { BITS.0 } else { BITS.1 } as u8;
    let around = (0..=bits)
        .rev()
        .map(|bits| Prefix::new(first, bits))
        .find(|prefix| ips.iter().all(|ip| prefix.contains(*ip)));
    around.map_or_else(String::new, |prefix| prefix.to_string())
}

fn finding(case: &Case<'_>, attack: &[Carpet]) -> Finding {
    let lead = &attack[0];
    let (from, until) = (
        attack.iter().map(|carpet| carpet.from).min().unwrap_or(0),
        attack.iter().map(|carpet| carpet.until).max().unwrap_or(0),
    );
    let prefix = prefix(&lead.networks);
    let subjects = vec![Subject::Ip(prefix.clone())];
    let first_seen = Timestamp::from_seconds(from);
    let last_seen = Timestamp(until * 1000 + 999);
    let mut names: Vec<String> = Vec::new();
    for carpet in attack {
        let name = vectors::name(carpet.class, &carpet.busiest.shape);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let asset = lead.networks.iter().find_map(|net| {
        let ip = net.ip()?;
        case.settings.site.assets.iter().find(|asset| asset.prefixes.iter().any(|p| holds(*p, ip)))
    });
    let times = (lead.peak_packets as f64 / lead.limit).max(lead.peak_bits / FLOOR_BITS);
    let shape = &lead.busiest.shape;
    let features = shape.features(lead.class, lead.answers);
    Finding {
        id: FindingId::of(DETECTOR.name, &subjects, first_seen),
        revision: 1,
        ended: Some(last_seen),
        detector: DETECTOR.name.to_owned(),
        title: format!(
            "{} spread over {} addresses of {prefix}: up to {} packets/s in all",
            names.join(" and "),
            grouped(lead.addresses as f64),
            grouped(lead.peak_packets as f64)
        ),
        severity: match times {
            t if t >= 100.0 => Severity::Critical,
            t if t >= 10.0 => Severity::High,
            _ => Severity::Medium,
        },
        confidence: if lead.base.is_known() { 0.9 } else { 0.8 },
        first_seen,
        last_seen,
        asset: asset.map(|asset| asset.id.clone()),
        subjects,
        verdict: Some(Verdict::Attack),
        evidence: Evidence {
            observed: format!(
                "{} packets ({} bytes on average) within {} s; in the busiest minute, {} addresses of {} got {} packets \
                 from about {} sources, {:.1} packets/s each at most on average. They show: {}.",
                grouped(lead.packets as f64),
                shape.mean_length(),
                until - from + 1,
                lead.busiest.addresses,
                self::prefix(&[lead.busiest.net]),
                grouped(shape.packets as f64),
                grouped(shape.sources as f64),
                lead.busiest.in_1_s as f64 / lead.busiest.addresses.max(1) as f64,
                features.join(", ")
            ),
            expected: if lead.base.is_known() {
                format!(
                    "By {}, the busiest second of a minute has {} such packets; the limit was {} packets/s.",
                    lead.base.from,
                    rounded(lead.base.median),
                    grouped(lead.limit)
                )
            } else {
                format!(
                    "The recording is too short to know what is usual here (cold start): the floor of {} packets/s, or {} over \
                     ten seconds, decided.",
                    grouped(lead.limit),
                    grouped(FLOOR_10_S)
                )
            },
            window_s: Some((until - from + 1) as u64),
            counts: BTreeMap::from([
                ("packets".to_owned(), attack.iter().map(|carpet| carpet.packets as f64).sum()),
                ("bytes".to_owned(), attack.iter().map(|carpet| carpet.bytes as f64).sum()),
                ("addresses".to_owned(), lead.addresses as f64),
                ("networks".to_owned(), lead.networks.len() as f64),
                ("peak_packets_per_s".to_owned(), lead.peak_packets as f64),
                ("peak_mbit_per_s".to_owned(), rounded(lead.peak_bits / 1e6)),
                ("sources_in_busiest_minute".to_owned(), shape.sources as f64),
                ("address_evenness".to_owned(), lead.busiest.address_evenness as f64 / 1000.0),
                ("limit_packets_per_s".to_owned(), rounded(lead.limit)),
            ]),
            ..Evidence::default()
        },
        benign_causes: vec![BenignCause {
            name: "scanners".to_owned(),
            why: "Many scanners that sweep the network in the same minute look alike, at lower rates."
                .to_owned(),
        }],
        next_step: format!(
            "Ask the provider to filter this vector for all of {prefix}; filters for single addresses do not help."
        ),
        techniques: vec![Technique(
            if matches!(lead.class, Class::SynAck | Class::Rst) || shape.amplifies() {
                "ATTACK:T1498.002"
            } else {
                "ATTACK:T1498.001"
            }
            .to_owned(),
        )],
        provenance: case.names.provenance(),
    }
}
