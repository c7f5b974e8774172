//! From minutes that may be part of a flood to attacks: what is beyond the usual rate, what is a flood by
//! its shape, and what belongs together.

use std::collections::BTreeMap;

use traffic::Address;

use crate::detectors::availability::packets::Class;
use crate::stats::base::Base;
use crate::stats::counts;
use crate::stats::cusum::Cusum;

use super::victims::{Hot, Rate, Victim};
use crate::detectors::availability::shape::Shape;

/// Least packets of a flood: enough for shares and entropy.
const LEAST_PACKETS: i64 = 500;
/// Floors: rates below which nothing is called volumetric, whatever is usual.
const FLOOR_1_S: f64 = 1000.0;
const FLOOR_10_S: f64 = 100.0;
const FLOOR_BITS: f64 = 50e6;
/// Spreads above the median that are beyond the usual.
const SPREADS: f64 = 8.0;
/// The same while a cumulative sum says that the rate has been rising.
const SPREADS_RISING: f64 = 2.0;
/// Drift and limit of that sum, in spreads.
const DRIFT: f64 = 0.5;
const LIMIT: f64 = 8.0;

/// Minutes without a flood inside one attack, and seconds between vectors of one attack.
const GAP_MINUTES: i64 = 2;
const GAP_S: i64 = 60;

/// One vector of an attack.
pub(super) struct Part {
    pub(super) class: Class,
    /// Of the busiest minute that is a flood by its shape.
    pub(super) shape: Shape,
    pub(super) busiest: i64,
    /// First and last second.
    pub(super) from: i64,
    pub(super) until: i64,
    /// The second at whose end the rule first held.
    pub(super) detected: i64,
    pub(super) packets: i64,
    pub(super) bytes: i64,
    /// Highest of one second.
    pub(super) peak_packets: f64,
    pub(super) peak_bits: f64,
    pub(super) limits: Limits,
    pub(super) features: Vec<&'static str>,
}

/// Rates beyond which a second counts.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) in_1_s: f64,
    pub(super) in_10_s: f64,
    pub(super) bits: f64,
    /// Usual packets of the busiest second of a minute.
    pub(super) base: Base,
    /// The usual rate had been rising.
    pub(super) rising: bool,
}

/// What one destination suffers at one time.
pub(super) struct Attack {
    pub(super) victim: Address,
    /// The vector that names it first.
    pub(super) parts: Vec<Part>,
}

impl Attack {
    pub(super) fn lead(&self) -> &Part {
        &self.parts[0]
    }

    pub(super) fn from(&self) -> i64 {
        self.parts.iter().map(|part| part.from).min().unwrap_or(0)
    }

    pub(super) fn until(&self) -> i64 {
        self.parts.iter().map(|part| part.until).max().unwrap_or(0)
    }

    pub(super) fn detected(&self) -> i64 {
        self.parts.iter().map(|part| part.detected).min().unwrap_or(0)
    }
}

/// Attacks on one destination, in order of time.
pub(super) fn find(address: Address, victim: &Victim, begin: i64) -> Vec<Attack> {
    let mut parts: Vec<Part> =
        Class::ALL.into_iter().flat_map(|class| of_class(victim, class, begin)).collect();
    parts.sort_by_key(|part| (part.from, part.class));
    let mut attacks: Vec<Attack> = Vec::new();
    for part in parts {
        match attacks.last_mut().filter(|attack| part.from <= attack.until() + GAP_S) {
            Some(attack) => attack.parts.push(part),
            None => attacks.push(Attack { victim: address, parts: vec![part] }),
        }
    }
    for attack in &mut attacks {
        attack.parts.sort_by_key(|part| (follows(part.class), std::cmp::Reverse(part.packets), part.class));
    }
    attacks
}

/// True for what comes with other vectors rather than by itself.
fn follows(class: Class) -> bool {
    matches!(class, Class::Rst | Class::Icmp | Class::Fragments)
}

fn of_class(victim: &Victim, class: Class, begin: i64) -> Vec<Part> {
    let minutes: Vec<i64> =
        victim.hot.range((class, i64::MIN)..=(class, i64::MAX)).map(|((_, minute), _)| *minute).collect();
    let mut parts = Vec::new();
    for run in minutes.chunk_by(|a, b| b - a <= GAP_MINUTES) {
        parts.extend(of_run(victim, class, run, begin));
    }
    parts
}

/// One run of minutes as a part of an attack, if it is one.
fn of_run(victim: &Victim, class: Class, run: &[i64], begin: i64) -> Option<Part> {
    let limits = limits(victim, class, run, begin);
    let hot = |minute: &i64| victim.hot.get(&(class, *minute));
    let floods: Vec<(i64, &Hot)> = run
        .iter()
        .filter_map(|minute| Some((*minute, hot(minute)?)))
        .filter(|(minute, hot)| is_flood(victim, class, *minute, hot))
        .collect();
    let (busiest, shape) = floods
        .iter()
        .map(|(minute, hot)| (*minute, hot.shape))
        .max_by_key(|(minute, shape)| (shape.packets, -minute))?;
    let seconds: BTreeMap<i64, (i64, i64)> = floods
        .iter()
        .flat_map(|(_, hot)| hot.seconds.iter().map(|&(second, milli, bytes)| (second, (milli, bytes))))
        .collect();
    let packets_in = |from: i64, until: i64| {
        seconds.range(from..=until).map(|(_, (milli, _))| *milli as f64 / 1000.0).sum::<f64>()
    };
    let beyond: Vec<i64> = seconds
        .iter()
        .filter(|(second, (milli, bytes))| {
            *milli as f64 / 1000.0 >= limits.in_1_s
                || *bytes as f64 * 8.0 >= limits.bits
                || packets_in(**second - 9, **second) >= 10.0 * limits.in_10_s
        })
        .map(|(second, _)| *second)
        .collect();
    let (first, last) = (*beyond.first()?, *beyond.last()?);
    // The onset: as far back and forth as there is a tenth of what is beyond the usual.
    let sudden = packets_in(first, first) >= limits.in_1_s;
    let onset = if sudden { limits.in_1_s / 10.0 } else { limits.in_10_s / 5.0 };
    let goes_on = |second: i64| packets_in(second, second) >= onset;
    let from =
        (0..=600).map(|back| first - back).take_while(|&second| goes_on(second)).last().unwrap_or(first);
    let until = (0..=600).map(|on| last + on).take_while(|&second| goes_on(second)).last().unwrap_or(last);
    let packets = packets_in(from, until).round() as i64;
    if packets < LEAST_PACKETS {
        return None;
    }
    let detected =
        (first..=last).find(|&second| packets_in(from, second) >= LEAST_PACKETS as f64).unwrap_or(last);
    let of_attack = seconds.range(from..=until);
    Some(Part {
        class,
        shape,
        busiest,
        from,
        until,
        detected,
        packets,
        bytes: counts::sum(of_attack.clone().map(|(_, (_, bytes))| *bytes)),
        peak_packets: of_attack.clone().map(|(_, (milli, _))| *milli as f64 / 1000.0).fold(0.0, f64::max),
        peak_bits: of_attack.map(|(_, (_, bytes))| *bytes as f64 * 8.0).fold(0.0, f64::max),
        limits,
        features: shape.features(class, victim.answers()),
    })
}

/// By its shape, by what the destination asked for, and in a sample by the connections beside it.
fn is_flood(victim: &Victim, class: Class, minute: i64, hot: &Hot) -> bool {
    let shape = &hot.shape;
    let asked = class == Class::Udp && victim.asked(minute, shape.reflector_port, shape.packets);
    if class == Class::Syn && shape.is_sampled() {
        // A connection has at least three packets for its SYN, so a sample of ordinary ones has too.
        let rate =
            |class| victim.rates.get(&class).and_then(|rates: &BTreeMap<i64, Rate>| rates.get(&minute));
        if shape.packets < 3 * rate(Class::Ack).map_or(0, |rate| rate.packets) {
            return false;
        }
    }
    shape.is_flood(class, victim.answers(), asked)
}

/// The limits for a run of minutes, from what was usual before its first.
fn limits(victim: &Victim, class: Class, run: &[i64], begin: i64) -> Limits {
    let rates = victim.rates.get(&class);
    let rate = |minute: i64| rates.and_then(|rates| rates.get(&minute)).copied().unwrap_or_default();
    let first = run[0];
    let base = |of: fn(&Rate) -> f64| Base::at(first, begin, |minute| of(&rate(minute)));
    let in_1_s = base(|rate| rate.in_1_s as f64);
    let in_10_s = base(|rate| rate.in_10_s as f64 / 10.0);
    let bits = base(|rate| rate.bytes_in_1_s as f64 * 8.0);
    let mut cusum = Cusum::new(DRIFT, LIMIT);
    // The minutes before decide: a flood that begins all at once is no slow rise.
    let rising = in_10_s.is_known()
        && (first - 30..first).fold(false, |_, minute| {
            cusum.push(rate(minute).in_10_s as f64 / 10.0, in_10_s.median, in_10_s.sigma)
        });
    let spreads = if rising { SPREADS_RISING } else { SPREADS };
    Limits {
        in_1_s: in_1_s.above(spreads).max(FLOOR_1_S),
        in_10_s: in_10_s.above(spreads).max(FLOOR_10_S),
        bits: bits.above(spreads).max(FLOOR_BITS),
        base: in_1_s,
        rising,
    }
}

/// A trickle of odd SYNs and SYN-ACKs: below every rate, and of no use to anybody but an attacker who tries.
pub(super) struct Trickle {
    pub(super) victim: Address,
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) packets: i64,
    pub(super) sources: usize,
    pub(super) same_port: i64,
    pub(super) privileged: i64,
}

/// Minutes between two of one trickle.
const TRICKLE_GAP: i64 = 30;

/// Trickles towards one destination outside its attacks, in seconds.
pub(super) fn trickles(address: Address, victim: &Victim, attacks: &[Attack]) -> Vec<Trickle> {
    let mut minutes: Vec<i64> = victim.low.keys().map(|(_, minute)| *minute).collect();
    minutes.sort_unstable();
    minutes.dedup();
    minutes.retain(|minute| {
        let second = minute * 60;
        attacks.iter().all(|attack| second + 59 < attack.from() - GAP_S || second > attack.until() + GAP_S)
    });
    let mut trickles = Vec::new();
    for run in minutes.chunk_by(|a, b| b - a <= TRICKLE_GAP) {
        let rows = || run.iter().flat_map(|&minute| [(Class::Syn, minute), (Class::SynAck, minute)]);
        let low: Vec<_> = rows().filter_map(|at| Some((at.0, victim.low.get(&at)?))).collect();
        let sources: std::collections::BTreeSet<Address> =
            rows().filter_map(|at| victim.samples.get(&at)).flatten().map(|(source, _)| *source).collect();
        let sum = |of: fn(Class, &super::victims::Low) -> i64| {
            low.iter().map(|(class, low)| of(*class, low)).sum::<i64>()
        };
        let trickle = Trickle {
            victim: address,
            from: run[0] * 60,
            until: run[run.len() - 1] * 60 + 59,
            packets: sum(|_, low| low.packets),
            sources: sources.len(),
            same_port: sum(|_, low| low.same_port),
            privileged: sum(|class, low| if class == Class::Syn { low.privileged } else { 0 }),
        };
        let unanswered = sum(|_, low| low.unanswered);
        let odd = 10 * trickle.same_port >= 3 * trickle.packets || 2 * trickle.privileged >= trickle.packets;
        if trickle.packets >= 100 && trickle.sources >= 20 && odd && 20 * unanswered >= 19 * trickle.packets {
            trickles.push(trickle);
        }
    }
    trickles
}
