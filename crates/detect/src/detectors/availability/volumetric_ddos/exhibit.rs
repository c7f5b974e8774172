//! What a report shows of an attack: the packets second by second, the features as reasons, and by what the
//! packets may be stopped.

use domain::{BlockRule, Blockable, Reason, Series, Spared, Timestamp};

use crate::case::Case;
use crate::detectors::availability::packets::Class;
use crate::detectors::availability::vectors;
use crate::stats::figures::rounded;

use super::attacks::{Attack, Part};
use super::victims::Victim;

/// Vectors of which a chart is shown.
const CHARTS: usize = 2;
/// Longest chart with a step a second, in seconds; a longer one shows the busiest second of each minute.
const SECONDS: i64 = 1200;
/// Longest chart, in steps.
const STEPS: i64 = 1440;
/// Sources that are named.
const SOURCES: usize = 20;
/// A block of a source should end by itself: addresses change hands.
const TTL_S: u64 = 600;

/// One chart a vector, the one that names the attack first.
pub(super) fn series(case: &Case<'_>, victim: &Victim, attack: &Attack) -> Vec<Series> {
    let target = case.names.texts.address(attack.victim);
    attack.parts.iter().take(CHARTS).map(|part| one(victim, part, &target)).collect()
}

fn one(victim: &Victim, part: &Part, target: &str) -> Series {
    // Whole minutes, so that the seconds before the first of the attack are there to compare.
    let (first, end) = (part.from.div_euclid(60), part.until.div_euclid(60) + 1);
    let by_second = (end - first) * 60 <= SECONDS;
    let end = if by_second { end } else { end.min(first + STEPS) };
    let steps = if by_second { (end - first) * 60 } else { end - first };
    let mut values = vec![0.0; steps as usize];
    for minute in first..end {
        let rate = victim.rates.get(&part.class).and_then(|rates| rates.get(&minute));
        let hot = victim.hot.get(&(part.class, minute));
        if by_second {
            for &(second, milli, _) in hot.iter().flat_map(|hot| &hot.seconds) {
                values[(second - first * 60) as usize] += milli as f64 / 1000.0;
            }
        } else {
            let busiest = hot.iter().flat_map(|hot| &hot.seconds).map(|&(_, milli, _)| milli as f64 / 1000.0);
            let known = rate.map_or(0.0, |rate| rate.in_1_s as f64);
            values[(minute - first) as usize] = busiest.fold(known, f64::max);
        }
    }
    let name = vectors::name(part.class, &part.shape);
    Series {
        name: if by_second {
            format!("Packets of the {name} to {target}")
        } else {
            format!("Packets of the {name} to {target}, in the busiest second of each minute")
        },
        unit: "packets".to_owned(),
        step_s: if by_second { 1.0 } else { 60.0 },
        start: Timestamp::from_seconds(first * 60),
        // Sums of thousandths of packets, without the crumbs of binary fractions.
        values: values.into_iter().map(|v: f64| (v * 1000.0).round() / 1000.0).collect(),
        expected: part.limits.base.is_known().then(|| rounded(part.limits.base.median)),
        threshold: Some(rounded(part.limits.in_1_s)),
    }
}

/// The features that make it a flood. They are rules that are met, so none has a weight.
pub(super) fn reasons(attack: &Attack) -> Vec<Reason> {
    let part = attack.lead();
    let shape = &part.shape;
    let of = |thousandths: i64| Some(rounded(thousandths as f64 / 1000.0));
    let mut reasons: Vec<Reason> = part
        .features
        .iter()
        .map(|feature| Reason {
            what: capital(feature),
            weight: 0.0,
            share: match *feature {
                "one length" => of(shape.one_length),
                "one destination port" => of(shape.one_port),
                "from ports of services" => of(shape.service),
                "from ports of services that amplify" => of(shape.reflector),
                "hardly any answer" if shape.known > 0 => {
                    Some(rounded(shape.unanswered as f64 / shape.known as f64))
                }
                _ => None,
            },
        })
        .collect();
    if part.class == Class::Syn && shape.marked >= 800 {
        reasons.push(Reason { what: "ECE and CWR are set".to_owned(), weight: 0.0, share: of(shape.marked) });
    }
    reasons
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// By what the packets may be stopped, and who must not be hit.
pub(super) fn blockable(case: &Case<'_>, victim: &Victim, attack: &Attack) -> Blockable {
    let part = attack.lead();
    let shape = &part.shape;
    let target = case.names.texts.address(attack.victim);
    let mut block = Blockable { ttl_s: Some(TTL_S), ..Blockable::default() };
    let mut sign = |what: String, thousandths: i64| {
        let rows = (part.packets as f64 * thousandths as f64 / 1000.0).round().max(0.0) as u64;
        block.signatures.push(BlockRule { what, rows });
        block.share = rounded(thousandths as f64 / 1000.0);
    };
    let forged = "the addresses are likely forged; a block would hit whoever owns them";
    let spare = match part.class {
        Class::Syn if shape.marked >= 800 => {
            sign(format!("TCP SYN with ECE and CWR to port {} of {target}", shape.top_port), shape.marked);
            Some(("The sources one by one", forged.to_owned()))
        }
        Class::Syn if shape.is_spoofed() => Some(("The sources one by one", forged.to_owned())),
        Class::SynAck | Class::Rst => {
            if shape.service > 0 {
                sign(format!("TCP SYN-ACK to {target} without a connection that it began"), 1000);
            }
            Some((
                "The reflectors for good",
                "they are servers of others that were made to answer".to_owned(),
            ))
        }
        Class::Udp if shape.amplifies() => {
            sign(format!("UDP from source port {} to {target}", shape.reflector_port), shape.reflector);
            Some((
                "The reflectors for good",
                "they are servers of others that were made to answer".to_owned(),
            ))
        }
        Class::Udp if shape.one_port >= 800 && shape.one_length >= 800 => {
            sign(format!("UDP of one length to port {} of {target}", shape.top_port), shape.one_length);
            Some(("The sources one by one", "in UDP an address is easily forged".to_owned()))
        }
        Class::Fragments => {
            sign(format!("IP fragments to {target}"), 1000);
            None
        }
        Class::Icmp => {
            sign(format!("ICMP to {target}"), 1000);
            None
        }
        _ => None,
    };
    block.spare.extend(spare.map(|(what, why)| Spared { what: what.to_owned(), why: capital(&why) + "." }));
    let hot = &victim.hot[&(part.class, part.busiest)];
    let site = &case.settings.site;
    let few = block.signatures.is_empty() && shape.sources < 30 && !shape.is_spoofed();
    for (source, packets) in hot.sources.iter().take(SOURCES) {
        let name = case.names.texts.address(*source);
        if source.ip().is_some_and(|ip| site.is_welcome(ip)) {
            let why = "It is declared as yours or as known to be good.".to_owned();
            block.spare.push(Spared { what: name, why });
        } else if few {
            block.sources.push(BlockRule { what: name, rows: (*packets).max(0) as u64 });
        }
    }
    if few {
        block.sources_in_all = shape.sources.max(0) as u64;
        let named: u64 = block.sources.iter().map(|rule| rule.rows).sum();
        block.share = rounded((named as f64 / shape.packets.max(1) as f64).min(1.0));
    }
    block
}
