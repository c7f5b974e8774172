//! From the values of a record to a flow: counts, times, directions.

use traffic::Address;
use traffic::flow::{Flow, State};

use super::template::{Target, Values};
use crate::problems::Reason;

/// An exporter's clock may be ahead of its own flows' end by rounding and by jitter, not by more.
const AHEAD_MS: i64 = 3_600_000;

/// How long before its export a flow may have begun: a connection that a firewall reports at its end
/// can be months old.
const OLDEST_MS: i64 = 366 * 24 * 3_600_000;

/// How long before its export a flow may have begun where times count from the exporter's start, in
/// milliseconds of 32 bits that wrap after 49.7 days: half of that.
const OLDEST_UPTIME_MS: i64 = i32::MAX as i64;

/// How far an exporter's clock may be off before it is noted.
pub(super) const SKEW_MS: i64 = 3_600_000;

/// Milliseconds from NTP's epoch, 1900, to ours.
const NTP_MS: i64 = 2_208_988_800_000;

/// When a datagram was sent, by its header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// Milliseconds since the epoch, by the exporter's clock.
    pub(super) time: i64,
    /// Milliseconds since the exporter started, modulo 2^32.
    pub(super) uptime: Option<u32>,
    /// When it was received, if that is known.
    pub(super) received: Option<i64>,
}

/// What a flow is measured in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) first: i64,
    pub(super) duration: i64,
    /// False where the record's own times were missing or impossible.
    pub(super) own: bool,
}

impl Sent {
    /// First and last packet by the exporter's uptime, as version 5 and 9 give them.
    pub(super) fn by_uptime(&self, uptime: u32, first: u32, last: u32) -> Span {
        // Differences are right although each of the numbers may have wrapped.
        let age = |at: u32| i64::from(uptime.wrapping_sub(at) as i32);
        self.span(self.time - age(first), self.time - age(last), OLDEST_UPTIME_MS)
    }

    /// The span from `first` to `last` if it is possible, or else the time of export.
    fn span(&self, first: i64, last: i64, oldest: i64) -> Span {
        let possible = |now: i64| {
            first > 0
                && first <= last
                && last <= now.saturating_add(AHEAD_MS)
                && now.saturating_sub(first) <= oldest
        };
        // A clock that is wrong in the header can be right in the records.
        if possible(self.time) || self.received.is_some_and(possible) {
            return Span { first, duration: last - first, own: true };
        }
        self.export()
    }

    fn export(&self) -> Span {
        Span { first: self.time, duration: 0, own: false }
    }

    /// First and last packet of a record.
    fn times(&self, values: &Values, system_init: Option<u64>) -> Span {
        use Target as T;
        let get = |target| values.get(target).and_then(|value| i64::try_from(value).ok());
        if let (Some(uptime), Some(last)) = (self.uptime, values.get(T::LastUptime)) {
            let first = values.get(T::FirstUptime).unwrap_or(last);
            return self.by_uptime(uptime, first as u32, last as u32);
        }
        let init = get(T::SystemInit).or(system_init.and_then(|time| i64::try_from(time).ok()));
        let absolute = |millis, seconds, fraction, delta, uptime| {
            get(millis)
                .or_else(|| get(seconds).map(|seconds| seconds.saturating_mul(1000)))
                .or_else(|| values.get(fraction).map(from_fraction))
                .or_else(|| get(delta).map(|micros| self.time - micros / 1000))
                .or_else(|| init.zip(get(uptime)).map(|(init, uptime)| init.saturating_add(uptime)))
        };
        let first =
            absolute(T::StartMillis, T::StartSeconds, T::StartFraction, T::StartDelta, T::FirstUptime);
        let last = absolute(T::EndMillis, T::EndSeconds, T::EndFraction, T::EndDelta, T::LastUptime);
        let seen = get(T::SeenMillis)
            .or_else(|| get(T::SeenSeconds).map(|seconds| seconds.saturating_mul(1000)))
            .or_else(|| values.get(T::SeenFraction).map(from_fraction));
        let duration = get(T::DurationMillis)
            .or_else(|| get(T::DurationMicros).map(|micros| micros / 1000))
            .unwrap_or(0);
        let (first, last) = match (first, last, seen) {
            (Some(first), Some(last), _) => (first, last),
            // A firewall gives the connection's start and the time of what happened.
            (Some(first), None, Some(seen)) if duration == 0 => (first, seen.max(first)),
            (Some(first), None, _) => (first, first.saturating_add(duration)),
            (None, Some(last), _) | (None, None, Some(last)) => (last.saturating_sub(duration), last),
            (None, None, None) => return self.export(),
        };
        self.span(first, last, OLDEST_MS)
    }
}

/// RFC 7011, section 6.1.9: seconds since 1900 and a fraction of 32 bits. Some exporters write
/// microseconds or nanoseconds since 1970 instead; as NTP times these would lie before 1970.
fn from_fraction(value: u64) -> i64 {
    let seconds = (value >> 32) as i64 * 1000;
    if seconds >= NTP_MS {
        return seconds - NTP_MS + (((value & 0xffff_ffff) * 1000) >> 32) as i64;
    }
    // 10^17 nanoseconds is 1973, 10^17 microseconds the year 5138.
    (value / if value > 100_000_000_000_000_000 { 1_000_000 } else { 1000 }) as i64
}

/// What a record is.
#[derive(Debug)]
pub(super) enum Record {
    /// A flow, and what had to be corrected.
    Flow(Flow, Option<Reason>),
    /// Something else.
    Other,
}

/// What firewalls report (IANA, firewallEvent).
mod event {
    pub(super) const DELETED: u64 = 2;
    pub(super) const DENIED: u64 = 3;
    pub(super) const UPDATED: u64 = 5;
}

/// The flow of a record. `rate` is its sampling rate.
pub(super) fn flow(values: &Values, sent: &Sent, system_init: Option<u64>, rate: u32) -> Record {
    use Target as T;
    let Some((src, dst)) = addresses(values) else { return Record::Other };
    let event = values.get(T::FirewallEvent).filter(|&event| event != 0);
    let mut counts = Counts::of(values);
    match event {
        Some(event::DENIED) => counts = Counts { packets: Some(1), bytes: Some(0), back: None },
        Some(event::DELETED) | None => {}
        // A connection that was let through will be reported with its bytes when it changes or ends.
        // What is counted since the last report is counted once; totals would be counted again.
        Some(_) if counts.is_difference(values) => {}
        Some(_) => return Record::Other,
    }
    // An event of address translation carries no traffic.
    if values.get(T::NatEvent).is_some_and(|event| event != 0) && counts.none() {
        return Record::Other;
    }
    let span = sent.times(values, system_init);
    let mut reason = (!span.own).then_some(Reason::ExportTime);
    let scaled = |count: u64| i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(i64::from(rate));
    let packets = counts.packets.unwrap_or_else(|| {
        reason = reason.or(Some(Reason::PacketsUnknown));
        1
    });
    let proto = values.get(T::Proto).map_or(-1, |proto| (proto & 0xff) as i32);
    let (src_port, dst_port) = ports(values, proto);
    let back = counts.back.map(|(packets, bytes)| (packets.unwrap_or(u64::from(bytes > 0)), bytes));
    let state = match (event, back) {
        (Some(event::DENIED), _) => State::Rejected,
        (Some(event::UPDATED), _) => State::Open,
        _ if values.get(T::EndReason) == Some(2) => State::Open,
        (_, Some((0, 0))) => State::Attempt,
        (_, Some(_)) => State::Established,
        (_, None) => State::Unknown,
    };
    let mut flow = Flow {
        src_hi: src.hi,
        src_lo: src.lo,
        dst_hi: dst.hi,
        dst_lo: dst.lo,
        src_port,
        dst_port,
        proto,
        time: span.first,
        duration: span.duration,
        packets: scaled(packets),
        bytes: scaled(counts.bytes.unwrap_or(0)),
        flags: (values.get(T::Flags).unwrap_or(0) & 0xff) as i32,
        state: state as i32,
        sampling: i32::try_from(rate).unwrap_or(i32::MAX),
        ..Flow::EMPTY
    };
    if let Some((packets, bytes)) = back {
        flow.back_packets = scaled(packets);
        flow.back_bytes = scaled(bytes);
    }
    if values.get(T::FragmentOffset).is_some_and(|offset| offset != 0) {
        flow.fragments = flow.packets;
    }
    Record::Flow(flow, reason)
}

/// Source and destination. A record that has fields for both families fills those of one.
fn addresses(values: &Values) -> Option<(Address, Address)> {
    let v4 = values.get(Target::Src4).zip(values.get(Target::Dst4));
    let v6 = values.src6().zip(values.dst6());
    let as_v6 = |bits: u128| Address::from(std::net::IpAddr::V6(bits.into()));
    match (v4, v6) {
        (Some((0, 0)) | None, Some((src, dst))) => Some((as_v6(src), as_v6(dst))),
        (Some((src, dst)), _) => Some((Address::v4(src as u32), Address::v4(dst as u32))),
        (None, None) => None,
    }
}

/// IP protocol number of ICMP.
const ICMP: i32 = 1;
/// IP protocol number of ICMPv6.
const ICMP6: i32 = 58;

/// Ports; for ICMP its type and code, which stand in fields of their own or in the destination port.
fn ports(values: &Values, proto: i32) -> (i32, i32) {
    use Target as T;
    let port = |target| values.get(target).map_or(0, |port| (port & 0xffff) as i32);
    let (src, dst) = (port(T::SrcPort), port(T::DstPort));
    if proto != ICMP && proto != ICMP6 {
        return (src, dst);
    }
    if let Some(kind) = values.get(T::IcmpType) {
        return ((kind & 0xff) as i32, port(T::IcmpCode) & 0xff);
    }
    let both = if proto == ICMP { T::IcmpBoth4 } else { T::IcmpBoth6 };
    split_icmp(match port(both) {
        0 => dst,
        both => both,
    })
}

/// Type and code, which NetFlow writes as one number: the type times 256, and the code.
pub(super) fn split_icmp(both: i32) -> (i32, i32) {
    (both >> 8, both & 0xff)
}

/// Packets and bytes of a record, both ways.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    packets: Option<u64>,
    bytes: Option<u64>,
    /// Packets, if they are counted, and bytes.
    back: Option<(Option<u64>, u64)>,
}

impl Counts {
    fn none(&self) -> bool {
        self.packets.is_none() && self.bytes.is_none()
    }

    /// Whether there is something, and it was counted since the last report of the same connection.
    fn is_difference(&self, values: &Values) -> bool {
        let differences = [Target::Bytes, Target::Packets, Target::InitiatorBytes, Target::ResponderBytes];
        let back = self.back.is_some_and(|(_, bytes)| bytes > 0);
        differences.into_iter().any(|target| values.get(target).is_some())
            && (back || self.packets.unwrap_or(0) > 0 || self.bytes.unwrap_or(0) > 0)
    }

    fn of(values: &Values) -> Self {
        use Target as T;
        let get = |target| values.get(target);
        // A difference since the last record before a total, which would be counted twice.
        let packets = get(T::Packets).or(get(T::TotalPackets));
        let bytes = get(T::Bytes).or(get(T::TotalBytes));
        // RFC 5103: both directions, where the second is called the reverse one.
        let reverse = get(T::ReverseBytes).or(get(T::ReverseTotalBytes));
        let reverse_packets = get(T::ReversePackets).or(get(T::ReverseTotalPackets));
        if reverse.is_some() || reverse_packets.is_some() {
            return Self { packets, bytes, back: Some((reverse_packets, reverse.unwrap_or(0))) };
        }
        // Firewalls: both directions, seen from who opened the connection.
        if let (Some(initiator), Some(responder)) = (get(T::InitiatorBytes), get(T::ResponderBytes)) {
            return Self {
                packets: get(T::InitiatorPackets).or(packets),
                bytes: Some(initiator),
                back: Some((get(T::ResponderPackets), responder)),
            };
        }
        // What left: the other direction with exporters of whole connections (nProbe, FortiGate), and
        // the same one with exporters that count on the way out.
        let out = (get(T::OutPackets), get(T::OutBytes));
        let nothing_in = packets.unwrap_or(0) == 0 && bytes.unwrap_or(0) == 0;
        match out {
            (None, None) => Self { packets, bytes, back: None },
            (out_packets, out_bytes) if nothing_in => {
                Self { packets: out_packets, bytes: out_bytes, back: None }
            }
            _ if get(T::Direction).is_some() || out == (packets, bytes) => {
                Self { packets, bytes, back: None }
            }
            (out_packets, out_bytes) => {
                Self { packets, bytes, back: Some((out_packets, out_bytes.unwrap_or(0))) }
            }
        }
    }
}

/// The sampling rate that an options record gives, and the sampler that it is of.
pub(super) fn sampling(values: &Values) -> Option<(Option<u64>, u32)> {
    use Target as T;
    let get = |target| values.get(target);
    // One packet in so many.
    let rate = get(T::SamplerInterval)
        .or(get(T::SamplingInterval))
        .or_else(|| {
            // RFC 5477, section 8.2: so many packets are taken, and so many left out.
            let (taken, skipped) = get(T::SampledPackets).zip(get(T::SkippedPackets))?;
            Some(taken.saturating_add(skipped).checked_div(taken).unwrap_or(1))
        })
        .or_else(|| {
            let (size, population) = get(T::SampleSize).zip(get(T::SamplePopulation))?;
            Some(population.checked_div(size).unwrap_or(1))
        })
        .or(get(T::SampleProbability))?;
    Some((get(T::SamplerId).or(get(T::SelectorId)), clamp(rate)))
}

/// One packet in so many, where a record says it itself.
pub(super) fn own_sampling(values: &Values) -> Option<u32> {
    values.get(Target::SamplingInterval).map(clamp)
}

/// A rate of 0 means that nothing is left out. The wire's widest field is 32 bits.
pub(super) fn clamp(rate: u64) -> u32 {
    rate.clamp(1, i32::MAX as u64) as u32
}
