//! Headers of a packet: link, IP, and what of the transport makes a flow.
//!
//! Checksums are never looked at: where the network card makes them, a capture on the sending host has wrong
//! ones in every packet. A packet that was cut short is read as far as it goes.

use etherparse::LaxIpSlice;
use traffic::Address;

use crate::network::ipv6;

/// What a packet begins with (<https://www.tcpdump.org/linktypes.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Ethernet, also with VLAN tags, MPLS or PPPoE inside.
    Ethernet,
    /// IPv4 or IPv6 with nothing before it.
    Ip,
    /// The address family in four bytes, in whatever byte order the host had.
    Loopback,
    /// Linux "cooked", 16 bytes.
    Cooked,
    /// Linux "cooked" version 2, 20 bytes.
    Cooked2,
    /// PPP, with or without HDLC framing.
    Ppp,
    /// Anything else, by its number.
    Unknown(i32),
}

impl Link {
    pub(super) fn of(number: i32) -> Self {
        match number {
            1 => Self::Ethernet,
            // DLT_RAW is 12, or 14 on OpenBSD; LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6.
            12 | 14 | 101 | 228 | 229 => Self::Ip,
            0 | 108 => Self::Loopback,
            113 => Self::Cooked,
            276 => Self::Cooked2,
            9 | 50 => Self::Ppp,
            other => Self::Unknown(other),
        }
    }
}

/// What a flow is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Headers<'a> {
    pub(super) src: Address,
    pub(super) dst: Address,
    /// IP protocol number.
    pub(super) proto: u8,
    /// Ports; type and code for ICMP; 0 where there are none or they were not captured.
    pub(super) src_port: u16,
    pub(super) dst_port: u16,
    /// TCP's flags, ECE and CWR included.
    pub(super) flags: u8,
    /// TCP's sequence number.
    pub(super) seq: u32,
    /// Length of the IP packet with its header, as the packet says.
    pub(super) bytes: u64,
    /// Whether it is a piece of a larger packet.
    pub(super) fragment: bool,
    /// What the transport carries, as far as it was captured.
    pub(super) payload: &'a [u8],
    /// Bytes that the transport carries according to the headers.
    pub(super) payload_len: usize,
}

/// Why a packet is in no flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outside {
    /// It is no IP: ARP, spanning tree and the like, by its EtherType.
    NotIp(u16),
    /// Its link is not read, by number.
    Link(i32),
    /// Its headers are broken, or were not captured.
    Broken,
}

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMP: u8 = 1;
pub(super) const ICMP6: u8 = 58;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// Reads the headers. `on_wire` is how long the packet was.
#[inline]
pub(super) fn read(link: Link, data: &[u8], on_wire: usize) -> Result<Headers<'_>, Outside> {
    let ip = match link {
        Link::Ethernet => {
            let [_, _, _, _, _, _, _, _, _, _, _, _, high, low, rest @ ..] = data else {
                return Err(Outside::Broken);
            };
            let kind = u16::from_be_bytes([*high, *low]);
            if kind == IPV4 || kind == IPV6 { rest } else { inside(kind, rest)? }
        }
        Link::Ip => data,
        Link::Loopback => of_family(data)?,
        // Packet type, device type, address length, address (8 bytes), protocol.
        Link::Cooked => match data {
            [_, _, _, _, _, _, _, _, _, _, _, _, _, _, high, low, rest @ ..] => {
                inside(u16::from_be_bytes([*high, *low]), rest)?
            }
            _ => return Err(Outside::Broken),
        },
        // The protocol comes first.
        Link::Cooked2 => match (data.first_chunk::<2>(), data.get(20..)) {
            (Some(&kind), Some(rest)) => inside(u16::from_be_bytes(kind), rest)?,
            _ => return Err(Outside::Broken),
        },
        Link::Ppp => of_ppp(data.strip_prefix(&[0xff, 0x03]).unwrap_or(data))?,
        Link::Unknown(number) => return Err(Outside::Link(number)),
    };
    let before = data.len() - ip.len();
    of_ip(ip, on_wire.saturating_sub(before))
}

/// Tags, labels and tunnels of a link that one packet may have: two VLAN tags are usual, more than these are
/// made up.
const LAYERS: usize = 8;

/// What is behind an EtherType, down to IP.
fn inside(mut kind: u16, mut rest: &[u8]) -> Result<&[u8], Outside> {
    for _ in 0..LAYERS {
        match kind {
            IPV4 | IPV6 => return Ok(rest),
            // 802.1Q, 802.1ad and what came before it.
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                let [_, _, high, low, after @ ..] = rest else { return Err(Outside::Broken) };
                (kind, rest) = (u16::from_be_bytes([*high, *low]), after);
            }
            // PPPoE: version and type, code, session, length, then PPP.
            0x8864 => return of_ppp(rest.get(6..).ok_or(Outside::Broken)?),
            // MPLS: a label of four bytes; the lowest bit of the third says that it is the last (RFC 3032).
            0x8847 | 0x8848 => {
                let [_, _, third, _, after @ ..] = rest else { return Err(Outside::Broken) };
                rest = after;
                if third & 1 == 1 {
                    return match rest.first().map(|byte| byte >> 4) {
                        Some(4 | 6) => Ok(rest),
                        _ => Err(Outside::NotIp(kind)),
                    };
                }
            }
            // "Cooked" captures of Linux give frames of 802.3 these.
            other => return Err(Outside::NotIp(other)),
        }
    }
    Err(Outside::NotIp(kind))
}

/// Behind an address family: 2 is IPv4 everywhere, IPv6 is 10, 24, 28 or 30.
fn of_family(data: &[u8]) -> Result<&[u8], Outside> {
    let Some((family, rest)) = data.split_first_chunk::<4>() else { return Err(Outside::Broken) };
    let family = u32::from_le_bytes(*family).min(u32::from_be_bytes(*family));
    match family {
        2 | 10 | 24 | 28 | 30 => Ok(rest),
        other => Err(Outside::NotIp(other as u16)),
    }
}

/// Behind the protocol field of PPP (RFC 1661), which may be one byte long.
fn of_ppp(data: &[u8]) -> Result<&[u8], Outside> {
    match data {
        [0x00, 0x21 | 0x57, rest @ ..] | [0x21 | 0x57, rest @ ..] => Ok(rest),
        [high, low, ..] => Err(Outside::NotIp(u16::from_be_bytes([*high, *low]))),
        _ => Err(Outside::Broken),
    }
}

#[inline]
fn of_ip(ip: &[u8], on_wire: usize) -> Result<Headers<'_>, Outside> {
    let Ok((ip, _)) = LaxIpSlice::from_slice(ip) else { return Err(Outside::Broken) };
    let (src, dst, said, head, fragment, later) = match &ip {
        LaxIpSlice::Ipv4(slice) => {
            let header = slice.header();
            (
                Address::v4(u32::from_be_bytes(header.source())),
                Address::v4(u32::from_be_bytes(header.destination())),
                usize::from(header.total_len()),
                usize::from(header.ihl()) * 4 + slice.extensions().auth.map_or(0, |auth| auth.slice().len()),
                header.is_fragmenting_payload(),
                header.fragments_offset().value() > 0,
            )
        }
        LaxIpSlice::Ipv6(slice) => {
            let header = slice.header();
            let payload = usize::from(header.payload_length());
            let piece = ipv6::piece(slice.extensions());
            (
                v6(header.source()),
                v6(header.destination()),
                if payload == 0 { 0 } else { payload + 40 },
                40 + slice.extensions().slice().len(),
                piece.fragment,
                piece.later,
            )
        }
    };
    // A length of 0 is what a host captures of packets that its network card cuts into pieces, or a jumbogram.
    // One that claims more than was on the wire is made up, and would pass for a flood of bytes that nobody sent.
    let length = if said < head { on_wire } else { said.min(on_wire) }.max(head);
    let payload = ip.payload();
    let mut headers = Headers {
        src,
        dst,
        proto: payload.ip_number.0,
        src_port: 0,
        dst_port: 0,
        flags: 0,
        seq: 0,
        bytes: length as u64,
        fragment,
        payload: &[],
        payload_len: 0,
    };
    if !later {
        headers.transport(payload.payload, length - head);
    }
    Ok(headers)
}

fn v6(bytes: [u8; 16]) -> Address {
    let bits = u128::from_be_bytes(bytes);
    // An address that is mapped stays what the packet says; it then looks like IPv4, which it stands for.
    Address { hi: (bits >> 64) as i64, lo: bits as i64 }
}

impl<'a> Headers<'a> {
    /// Ports, flags and what is carried. `length` is how long the IP payload was on the wire.
    #[inline]
    fn transport(&mut self, data: &'a [u8], length: usize) {
        match self.proto {
            TCP => {
                self.ports(data);
                let [_, _, _, _, a, b, c, d, _, _, _, _, offset, flags, ..] = data else { return };
                self.seq = u32::from_be_bytes([*a, *b, *c, *d]);
                self.flags = *flags;
                let head = usize::from(offset >> 4) * 4;
                self.carry(data, length, head.max(20));
            }
            UDP => {
                self.ports(data);
                self.carry(data, length, 8);
            }
            // SCTP and UDP-Lite have their ports at the same place.
            132 | 136 => self.ports(data),
            ICMP | ICMP6 => {
                if let [kind, code, ..] = data {
                    (self.src_port, self.dst_port) = (u16::from(*kind), u16::from(*code));
                }
            }
            _ => {}
        }
    }

    #[inline]
    fn ports(&mut self, data: &[u8]) {
        if let [a, b, c, d, ..] = data {
            self.src_port = u16::from_be_bytes([*a, *b]);
            self.dst_port = u16::from_be_bytes([*c, *d]);
        }
    }

    #[inline]
    fn carry(&mut self, data: &'a [u8], length: usize, head: usize) {
        self.payload = data.get(head..).unwrap_or_default();
        self.payload_len = length.saturating_sub(head).max(self.payload.len());
    }
}
