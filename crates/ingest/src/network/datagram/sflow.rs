//! sFlow version 5: one packet in so many, with the first bytes of each.

use std::net::IpAddr;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use flowparser_sflow::{FlowRecord, SflowParser, SflowSample};
use traffic::Address;
use traffic::flow::Flow;

use super::collector::Sink;
use super::record::clamp;
use crate::network::ipv6;
use crate::problems::Reason;

/// A datagram. Its header has no date, only the agent's uptime: without a time of reception its
/// packets have no time.
pub(super) fn datagram(payload: &[u8], received: Option<i64>, sink: &mut Sink<'_>) {
    let parsed = SflowParser::default().parse_bytes(payload);
    if let Some(error) = parsed.error {
        sink.log.refuse(Reason::BadDatagram, sink.datagram, error.to_string().as_bytes());
    }
    for sample in parsed.datagrams.iter().flat_map(|datagram| &datagram.samples) {
        let (rate, records) = match sample {
            SflowSample::Flow(sample) => (sample.sampling_rate, &sample.records),
            SflowSample::ExpandedFlow(sample) => (sample.sampling_rate, &sample.records),
            // Counters of interfaces and hosts, and notes on packets that were discarded, which say
            // nothing of how many there were.
            _ => {
                sink.other();
                continue;
            }
        };
        let Some(time) = received else {
            sink.log.refuse(Reason::NoTime, sink.datagram, b"an sFlow sample outside of a packet");
            continue;
        };
        match records.iter().find_map(flow) {
            Some(flow) => {
                let rate = clamp(u64::from(rate));
                sink.flow(&scaled(flow, time, rate), None);
            }
            None => sink.other(),
        }
    }
}

/// One packet stands for as many as the sampling rate says.
fn scaled(flow: Flow, time: i64, rate: u32) -> Flow {
    let rate = i64::from(rate);
    Flow {
        time,
        packets: rate,
        bytes: flow.bytes.saturating_mul(rate),
        fragments: flow.fragments * rate,
        sampling: rate as i32,
        ..flow
    }
}

/// Protocols of a sampled header (sFlow version 5, `enum header_protocol`).
mod header {
    pub(super) const ETHERNET: u32 = 1;
    pub(super) const IPV4: u32 = 11;
    pub(super) const IPV6: u32 = 12;
}

/// The packet of a record, as a flow of one packet without a time.
fn flow(record: &FlowRecord) -> Option<Flow> {
    match record {
        FlowRecord::RawPacketHeader(raw) => {
            let packet = match raw.header_protocol {
                header::ETHERNET => LaxSlicedPacket::from_ethernet(&raw.header).ok()?,
                header::IPV4 | header::IPV6 => LaxSlicedPacket::from_ip(&raw.header).ok()?,
                _ => return None,
            };
            let link = packet.link.as_ref().map_or(0, |_| 14);
            of_packet(&packet, raw.frame_length.saturating_sub(link))
        }
        FlowRecord::SampledIpv4(ip) => {
            Some(plain(IpAddr::V4(ip.src_ip), IpAddr::V4(ip.dst_ip), ip.protocol, ip.length).ports(
                ip.src_port,
                ip.dst_port,
                ip.tcp_flags,
            ))
        }
        FlowRecord::SampledIpv6(ip) => {
            Some(plain(IpAddr::V6(ip.src_ip), IpAddr::V6(ip.dst_ip), ip.protocol, ip.length).ports(
                ip.src_port,
                ip.dst_port,
                ip.tcp_flags,
            ))
        }
        _ => None,
    }
}

fn of_packet(packet: &LaxSlicedPacket<'_>, on_the_wire: u32) -> Option<Flow> {
    let (src, dst, proto, length, fragment) = match packet.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            let (src, dst) = (header.source_addr(), header.destination_addr());
            let length = u32::from(header.total_len());
            (IpAddr::V4(src), IpAddr::V4(dst), header.protocol().0, length, header.is_fragmenting_payload())
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            let (src, dst) = (header.source_addr(), header.destination_addr());
            let length = 40 + u32::from(header.payload_length());
            let fragment = ip.is_payload_fragmented();
            (IpAddr::V6(src), IpAddr::V6(dst), ip.payload().ip_number.0, length, fragment)
        }
        LaxNetSlice::Arp(_) => return None,
    };
    // Segmentation in the network card leaves the length 0.
    let length = if length == 0 || length == 40 { on_the_wire.max(length) } else { length };
    let mut flow = plain(src, dst, u32::from(proto), length);
    flow.fragments = i64::from(fragment);
    Some(match packet.transport.as_ref() {
        Some(TransportSlice::Tcp(tcp)) => {
            // Byte 13 of the header holds the flags in the order of `Flow::flags`.
            flow.ports(
                u32::from(tcp.source_port()),
                u32::from(tcp.destination_port()),
                u32::from(tcp.slice()[13]),
            )
        }
        Some(TransportSlice::Udp(udp)) => {
            flow.ports(u32::from(udp.source_port()), u32::from(udp.destination_port()), 0)
        }
        Some(TransportSlice::Icmpv4(icmp)) => {
            flow.ports(u32::from(icmp.type_u8()), u32::from(icmp.code_u8()), 0)
        }
        Some(TransportSlice::Icmpv6(icmp)) => {
            flow.ports(u32::from(icmp.type_u8()), u32::from(icmp.code_u8()), 0)
        }
        // The first fragment has the ports, behind which it may be cut.
        None if fragment => match first_fragment(packet) {
            Some(&[a, b, c, d, ..]) if proto == 6 || proto == 17 => {
                flow.ports(u32::from(u16::from_be_bytes([a, b])), u32::from(u16::from_be_bytes([c, d])), 0)
            }
            _ => flow,
        },
        Some(TransportSlice::Igmp(_)) | None => flow,
    })
}

/// What the first fragment of a packet carries. `None` where it is a later one.
fn first_fragment<'a>(packet: &'a LaxSlicedPacket<'_>) -> Option<&'a [u8]> {
    match packet.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) if ip.header().fragments_offset().value() == 0 => Some(ip.payload().payload),
        // The header of the fragment is the last one of IPv6 before its payload.
        LaxNetSlice::Ipv6(ip) => {
            let piece = ipv6::piece(ip.extensions());
            (piece.header && !piece.later).then_some(ip.payload().payload)
        }
        _ => None,
    }
}

fn plain(src: IpAddr, dst: IpAddr, proto: u32, bytes: u32) -> Flow {
    let (src, dst) = (Address::from(src), Address::from(dst));
    Flow {
        src_hi: src.hi,
        src_lo: src.lo,
        dst_hi: dst.hi,
        dst_lo: dst.lo,
        proto: (proto & 0xff) as i32,
        packets: 1,
        bytes: i64::from(bytes),
        ..Flow::EMPTY
    }
}

trait Ports {
    fn ports(self, src: u32, dst: u32, flags: u32) -> Self;
}

impl Ports for Flow {
    fn ports(self, src: u32, dst: u32, flags: u32) -> Self {
        Self {
            src_port: (src & 0xffff) as i32,
            dst_port: (dst & 0xffff) as i32,
            flags: (flags & 0xff) as i32,
            ..self
        }
    }
}
