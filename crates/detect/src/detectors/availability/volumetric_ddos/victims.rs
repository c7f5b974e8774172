//! What the gathered table holds, by destination.

use std::collections::BTreeMap;

use traffic::Address;

use crate::case::Case;
use crate::detectors::availability::packets::Class;
use crate::stats::counts;

use super::gather::{Fact, VICTIMS, fact};
use crate::detectors::availability::shape::{Answers, NUMBERS, Shape};

/// One destination with minutes that may be part of a flood.
#[derive(Default)]
pub(super) struct Victim {
    /// By class and minute.
    pub(super) hot: BTreeMap<(Class, i64), Hot>,
    /// Rates of minutes, of those that have one worth a row.
    pub(super) rates: BTreeMap<Class, BTreeMap<i64, Rate>>,
    /// Minutes of odd SYNs and SYN-ACKs.
    pub(super) low: BTreeMap<(Class, i64), Low>,
    /// Sampled sources by class and minute.
    pub(super) samples: BTreeMap<(Class, i64), Vec<(Address, i64)>>,
    /// Flows to it that got an answer, in the whole recording.
    answered: i64,
    /// Packets to services that amplify, by minute and port, where one direction was seen.
    asked: BTreeMap<(i64, i64), i64>,
}

/// A minute that may be part of a flood.
#[derive(Default)]
pub(super) struct Hot {
    pub(super) shape: Shape,
    numbers: [i64; NUMBERS],
    /// Second since the epoch, thousandths of packets, bytes.
    pub(super) seconds: Vec<(i64, i64, i64)>,
    pub(super) sources: Vec<(Address, i64)>,
    pub(super) src_ports: Vec<(i64, i64)>,
    pub(super) dst_ports: Vec<(i64, i64)>,
    pub(super) lengths: Vec<(i64, i64)>,
}

/// Highest rates of a minute.
#[derive(Clone, Copy, Default)]
pub(super) struct Rate {
    pub(super) packets: i64,
    /// Packets of the busiest second.
    pub(super) in_1_s: i64,
    /// Packets of the busiest ten seconds.
    pub(super) in_10_s: i64,
    /// Bytes of the busiest second.
    pub(super) bytes_in_1_s: i64,
}

/// A minute of odd SYNs or SYN-ACKs.
#[derive(Clone, Copy, Default)]
pub(super) struct Low {
    pub(super) packets: i64,
    pub(super) same_port: i64,
    pub(super) privileged: i64,
    pub(super) unanswered: i64,
}

impl Victim {
    /// What is known of answers of this destination. A few flows that got one could be turned round by a
    /// sensor that came late.
    pub(super) fn answers(&self) -> Answers {
        if self.answered >= 3 { Answers::Seen } else { Answers::Unknown }
    }

    /// The destination asked that service itself: at least one question for five answers.
    pub(super) fn asked(&self, minute: i64, port: i64, packets: i64) -> bool {
        // A question at the end of a minute is answered in the next.
        let asked: i64 = (minute - 1..=minute).filter_map(|minute| self.asked.get(&(minute, port))).sum();
        asked > 0 && 5 * asked >= packets
    }
}

/// Victims by address, and the first minute of the recording.
pub(super) fn read(case: &Case<'_>) -> (BTreeMap<Address, Victim>, i64) {
    let mut victims: BTreeMap<Address, Victim> = BTreeMap::new();
    let mut begin = i64::MAX;
    for Fact { dst, fact: what, minute, class, a, b, c, d } in case.rows(VICTIMS) {
        if what == fact::SPAN {
            begin = begin.min(a);
            continue;
        }
        let Some(class) = Class::from_code(class) else { continue };
        let victim = victims.entry(dst).or_default();
        let at = (class, minute);
        match what {
            fact::SHAPE => {
                let hot = victim.hot.entry(at).or_default();
                hot.numbers[a as usize * 3..][..3].copy_from_slice(&[b, c, d]);
            }
            fact::LOW => {
                let low = Low { packets: a, same_port: b, privileged: c, unanswered: d };
                victim.low.insert(at, low);
            }
            fact::SAMPLE => {
                victim.samples.entry(at).or_default().push((Address { hi: a, lo: b }, c));
            }
            fact::BASE => {
                let rate = Rate { packets: a, in_1_s: b, in_10_s: c, bytes_in_1_s: d };
                victim.rates.entry(class).or_default().insert(minute, rate);
            }
            fact::ANSWERED => victim.answered += a,
            fact::ASKED => counts::add(victim.asked.entry((minute, a)).or_default(), b),
            _ => {
                let hot = victim.hot.entry(at).or_default();
                match what {
                    fact::SECOND => hot.seconds.push((minute * 60 + a, b, c)),
                    fact::SOURCE => hot.sources.push((Address { hi: a, lo: b }, c)),
                    fact::SRC_PORT => hot.src_ports.push((a, b)),
                    fact::DST_PORT => hot.dst_ports.push((a, b)),
                    _ => hot.lengths.push((a, b)),
                }
            }
        }
    }
    for hot in victims.values_mut().flat_map(|victim| victim.hot.values_mut()) {
        hot.shape = Shape::of(&hot.numbers);
        // Rows of one kind come by number, not by count.
        let by_count =
            |list: &mut Vec<(i64, i64)>| list.sort_by_key(|&(value, n)| (std::cmp::Reverse(n), value));
        by_count(&mut hot.src_ports);
        by_count(&mut hot.dst_ports);
        by_count(&mut hot.lengths);
        hot.sources.sort_by_key(|&(source, n)| (std::cmp::Reverse(n), source));
    }
    (victims, begin)
}
