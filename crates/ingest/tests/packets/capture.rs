//! Captures by bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;

/// Byte order and unit of time of a pcap file.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) big_endian: bool,
    pub(crate) nanoseconds: bool,
}

pub(crate) const PLAIN: Layout = Layout { big_endian: false, nanoseconds: false };

/// A pcap file of packets with their times in microseconds.
pub(crate) fn pcap(packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    pcap_of(PLAIN, 1, packets)
}

pub(crate) fn pcap_of(layout: Layout, link: u32, packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let u32s = |value: u32| if layout.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let u16s = |value: u16| if layout.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let magic = if layout.nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
    let mut out = u32s(magic).to_vec();
    out.extend([u16s(2), u16s(4)].concat());
    out.extend([u32s(0), u32s(0), u32s(262_144), u32s(link)].concat());
    for (time, packet) in packets {
        let fraction = (time % 1_000_000) as u32 * if layout.nanoseconds { 1000 } else { 1 };
        let len = packet.len() as u32;
        out.extend([u32s((time / 1_000_000) as u32), u32s(fraction), u32s(len), u32s(len)].concat());
        out.extend(packet);
    }
    out
}

/// Blocks of a pcapng file.
pub(crate) struct Pcapng {
    pub(crate) bytes: Vec<u8>,
    big_endian: bool,
}

impl Pcapng {
    pub(crate) fn new(big_endian: bool) -> Self {
        let mut file = Self { bytes: Vec::new(), big_endian };
        file.section();
        file
    }

    pub(crate) fn section(&mut self) {
        let body = [self.u32s(0x1a2b_3c4d).to_vec(), [self.u16s(1), self.u16s(0)].concat(), vec![0xff; 8]];
        self.block(0x0a0d_0d0a, &body.concat());
    }

    pub(crate) fn u32s(&self, value: u32) -> [u8; 4] {
        if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub(crate) fn u16s(&self, value: u16) -> [u8; 2] {
        if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub(crate) fn block(&mut self, kind: u32, body: &[u8]) {
        let padded = body.len().next_multiple_of(4);
        let len = self.u32s(padded as u32 + 12);
        self.bytes.extend([self.u32s(kind), len].concat());
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len() + padded - body.len(), 0);
        self.bytes.extend(len);
    }

    /// An interface, with its options `if_tsresol` and `if_tsoffset`.
    pub(crate) fn interface(&mut self, link: u16, resolution: Option<u8>, offset: Option<i64>) {
        let mut body = [self.u16s(link), self.u16s(0)].concat();
        body.extend(self.u32s(0));
        if let Some(resolution) = resolution {
            body.extend([self.u16s(9), self.u16s(1)].concat());
            body.extend([resolution, 0, 0, 0]);
        }
        if let Some(offset) = offset {
            body.extend([self.u16s(14), self.u16s(8)].concat());
            body.extend(if self.big_endian { offset.to_be_bytes() } else { offset.to_le_bytes() });
        }
        self.block(1, &body);
    }

    pub(crate) fn enhanced(&mut self, interface: u32, units: u64, packet: &[u8]) {
        let (high, low, len) = ((units >> 32) as u32, units as u32, packet.len() as u32);
        let mut body = [interface, high, low, len, len].map(|value| self.u32s(value)).concat();
        body.extend(packet);
        self.block(6, &body);
    }

    pub(crate) fn old(&mut self, interface: u16, units: u64, packet: &[u8]) {
        let (high, low, len) = ((units >> 32) as u32, units as u32, packet.len() as u32);
        let mut body = [self.u16s(interface), self.u16s(0)].concat();
        body.extend([high, low, len, len].map(|value| self.u32s(value)).concat());
        body.extend(packet);
        self.block(2, &body);
    }

    pub(crate) fn simple(&mut self, packet: &[u8]) {
        let mut body = self.u32s(packet.len() as u32).to_vec();
        body.extend(packet);
        self.block(3, &body);
    }
}

/// A frame of Ethernet.
pub(crate) fn ethernet(kind: u16, packet: &[u8]) -> Vec<u8> {
    let mut out = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    out.extend(kind.to_be_bytes());
    out.extend(packet);
    out
}

/// An IP packet, without a checksum.
pub(crate) fn ip(src: &str, dst: &str, proto: u8, payload: &[u8]) -> Vec<u8> {
    match (src.parse().expect("an address"), dst.parse().expect("an address")) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => ip4(src, dst, proto, 0, payload),
        (IpAddr::V6(src), IpAddr::V6(dst)) => ip6(src, dst, proto, payload),
        _ => panic!("addresses of two families"),
    }
}

/// `fragment`: flags and offset of the header.
pub(crate) fn ip4(src: Ipv4Addr, dst: Ipv4Addr, proto: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x45, 0];
    out.extend((20 + payload.len() as u16).to_be_bytes());
    out.extend([0, 7]);
    out.extend(fragment.to_be_bytes());
    out.extend([64, proto, 0, 0]);
    out.extend(src.octets());
    out.extend(dst.octets());
    out.extend(payload);
    out
}

fn ip6(src: Ipv6Addr, dst: Ipv6Addr, proto: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x60, 0, 0, 0];
    out.extend((payload.len() as u16).to_be_bytes());
    out.extend([proto, 64]);
    out.extend(src.octets());
    out.extend(dst.octets());
    out.extend(payload);
    out
}

pub(crate) fn tcp(src: u16, dst: u16, seq: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = [src.to_be_bytes(), dst.to_be_bytes()].concat();
    out.extend(seq.to_be_bytes());
    out.extend([0, 0, 0, 0, 0x50, flags, 4, 0, 0, 0, 0, 0]);
    out.extend(payload);
    out
}

pub(crate) fn udp(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = [src.to_be_bytes(), dst.to_be_bytes(), (8 + payload.len() as u16).to_be_bytes()].concat();
    out.extend([0, 0]);
    out.extend(payload);
    out
}

pub(crate) const CLIENT: &str = "198.51.100.7";
pub(crate) const SERVER: &str = "192.0.2.1";

/// From the client's port 40000 to a port of the server, or back.
pub(crate) struct Tcp {
    port: u16,
    next: [u32; 2],
    pub(crate) packets: Vec<(u64, Vec<u8>)>,
}

impl Tcp {
    /// A connection that is opened at second 1.
    pub(crate) fn open(port: u16) -> Self {
        let mut tcp = Self { port, next: [1000, 5000], packets: Vec::new() };
        tcp.send(1_000_000, true, SYN, b"");
        tcp.send(1_010_000, false, SYN | ACK, b"");
        tcp.send(1_020_000, true, ACK, b"");
        tcp
    }

    pub(crate) fn send(&mut self, time: u64, from_client: bool, flags: u8, payload: &[u8]) {
        let next = &mut self.next[usize::from(!from_client)];
        let seq = *next;
        *next += payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.send_at(time, from_client, seq, flags, payload);
    }

    pub(crate) fn send_at(&mut self, time: u64, from_client: bool, seq: u32, flags: u8, payload: &[u8]) {
        let packet = if from_client {
            ip(CLIENT, SERVER, 6, &tcp(40000, self.port, seq, flags, payload))
        } else {
            ip(SERVER, CLIENT, 6, &tcp(self.port, 40000, seq, flags, payload))
        };
        self.packets.push((time, ethernet(0x0800, &packet)));
    }

    /// Bytes that were sent and not captured.
    pub(crate) fn lose(&mut self, from_client: bool, bytes: u32) {
        self.next[usize::from(!from_client)] += bytes;
    }

    pub(crate) fn say(&mut self, from_client: bool, text: &[u8]) {
        let time = self.packets.last().map_or(0, |(time, _)| *time) + 10_000;
        self.send(time, from_client, PSH | ACK, text);
    }
}
