//! *Reports* packets towards one address at a rate beyond what is usual there, that by their shape are a
//! flood: many sources of which none stands out, hardly any answer, one length, one port, or answers of
//! services that amplify. It names the vector (SYN flood, spoofed or not; SYN-ACK reflection with its
//! RST; ACK, UDP and ICMP floods; fragments; UDP amplification by service), the first second, the rate,
//! the sources and ports, and how long after the start the rule held. Vectors on one address at one time
//! are one finding; so are eight or more addresses of one /24 (IPv6: /48) under the same attack.
//!
//! *Why it matters.* The link or the server is full, whoever asks. What helps is upstream: a provider can
//! filter a vector that has a name.
//!
//! *Needs* flows or packets, of one direction at least. Two directions are better: what is answered is a
//! conversation and is left out. Counts are multiplied by the sampling rate. A flow is spread evenly over
//! the time that it lasts, so active time-outs make no spikes; a flow of more than 64 minutes is looked
//! at in 64 of them.
//!
//! *How.* Packets outside conversations, by destination, second and class (SYN whose handshake was never
//! finished, SYN-ACK, RST, ACK, no flags, UDP, fragments, ICMP). A second is beyond the usual if it has at
//! least 1,000 packets or 50 Mbit, or ten seconds have 100 packets/s, and all of these are multiplied
//! where more is usual: eight spreads (1.4826 · median absolute deviation) above the median of the same
//! half hours of the week, else of the same hours of the day, else of the hour before. While a cumulative
//! sum (drift of half a spread, limit of eight) says that the rate has been rising, two spreads do. A
//! recording too short for any of these is a cold start: the floors decide, and the finding says so.
//!
//! Of at least 500 packets, the busiest minute must then show: 30 sources (fewer in a sample of fewer
//! than 150 packets), and either an evenness of sources of .9 (Pielou: entropy over its largest value) or
//! answers to fewer than one packet in twenty; and three of: many sources, evenness of .9, unanswered, one
//! length for .8 of the packets, one destination port for .8 (SYN), service ports as source for .6 (SYN-ACK),
//! amplifying services as source for .6 with 100 bytes on average (UDP). Fewer than 30 sources are enough for SYN
//! that go to one port and never finish a handshake. Whether answers are missing is judged only at
//! addresses of which some answer was seen. UDP in one-way data must come from an amplifying service
//! that the address did not ask, or have one length and go to one port that is none of a known service.
//!
//! A note, never more, is given for at least 100 unanswered SYN or SYN-ACK from 20 sources of which .3
//! have equal ports or half are SYN from privileged ports.
//!
//! *Benign causes and blind spots.* Clients of a server that no longer answers try again, many at once;
//! load tests. Silent: floods that are answered or finish their handshakes (see `application-flood`);
//! those spread over a prefix (`carpet-bombing`); ACK floods in sampled data, where they look like
//! uploads; plain UDP floods to ports of known UDP services in one-way data; floods of protocols other
//! than TCP, UDP and ICMP; a rate that was as high all along.
//!
//! *Next step for the operator.* Ask the provider to filter the vector. Do not block sources by
//! address: they are forged, or servers of others.

mod attacks;
mod exhibit;
mod explain;
mod gather;
mod minutes;
mod victims;

use std::collections::BTreeMap;

use domain::Finding;
use traffic::Address;

use crate::case::Case;
use crate::catalogue::Detector;

use super::vectors;
use attacks::Attack;

/// See the module.
pub const DETECTOR: Detector = Detector {
    name: "volumetric-ddos",
    summary: "packets towards one address at a rate and of a shape that only a flood has, with the vector's name",
    gather: gather::gather,
    judge,
};

/// Addresses of one network from which on an attack is told once.
const TOGETHER: usize = 8;

fn judge(case: &Case<'_>) -> Vec<Finding> {
    let (victims, begin) = victims::read(case);
    let mut findings = Vec::new();
    let mut attacks: Vec<Attack> = Vec::new();
    for (address, victim) in &victims {
        let found = attacks::find(*address, victim, begin);
        findings.extend(
            attacks::trickles(*address, victim, &found).iter().map(|trickle| explain::trickle(case, trickle)),
        );
        attacks.extend(found);
    }
    findings.extend(together(attacks).iter().map(|group| explain::attack(case, &victims, group)));
    findings
}

/// Attacks by what is told in one finding, the strongest first.
fn together(mut attacks: Vec<Attack>) -> Vec<Vec<Attack>> {
    attacks.sort_by_key(|attack| (attack.from(), attack.victim));
    let mut groups: BTreeMap<(Address, &str), Vec<Vec<Attack>>> = BTreeMap::new();
    for attack in attacks {
        let lead = attack.lead();
        let key = (attack.victim.network(24, 48), vectors::code(lead.class, &lead.shape));
        let of_network = groups.entry(key).or_default();
        match of_network.last_mut().filter(|group| group.iter().any(|other| attack.from() <= other.until())) {
            Some(group) => group.push(attack),
            None => of_network.push(vec![attack]),
        }
    }
    let mut all = Vec::new();
    for mut group in groups.into_values().flatten() {
        if group.len() < TOGETHER {
            all.extend(group.into_iter().map(|attack| vec![attack]));
            continue;
        }
        group.sort_by(|a, b| {
            b.lead().peak_packets.total_cmp(&a.lead().peak_packets).then(a.victim.cmp(&b.victim))
        });
        all.push(group);
    }
    all
}
