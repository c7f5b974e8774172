//! From flows to packets outside conversations, by network and minute: the one shuffle that `volumetric-ddos` and
//! `carpet-bombing` are both fed from.
//!
//! Rows come by network and minute, in it by address, class and source. What is known of conversations comes along
//! after the classes: answers that an address gave, and what it asked of services that amplify.

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use hashbrown::HashMap;
use traffic::{Address, Kind};

use crate::engine::{Input, Map, Table, record};
use crate::stats::counts;

use super::packets::{Class, Flows, MOST_PACKETS};
use super::vectors;

/// Leading bits of a network, IPv4 and IPv6: the longest prefixes that are routed.
pub(super) const BITS: (u32, u32) = (24, 48);

/// Columns by which rows meet.
pub(super) const BY: &[&str] = &["net_hi", "net_lo", "minute"];
/// Order of the rows of a network's minute.
pub(super) const ORDER: &[&str] = &["host_hi", "host_lo", "class", "src_hi", "src_lo"];

/// In the place of a class: flows of the address that got an answer, counted in `packets`.
pub(super) const ANSWERED: i32 = 100;
/// Questions of the address to a service that amplifies, of which one direction was seen: `src_port`, `packets`.
pub(super) const ASKED: i32 = 101;
/// The first or last minute of some rows, whatever the address.
pub(super) const SPAN: i32 = 102;

record!(
    /// Packets of one flow in one minute, or one of the notes above.
    pub(super) struct Packet {
        /// The network of the destination.
        net: Address,
        pub(super) minute: i64,
        /// The rest of the destination's address.
        host: Address,
        /// Code of a [`Class`], or of a note.
        pub(super) class: i32,
        pub(super) src: Address,
        pub(super) dst_port: i32,
        pub(super) src_port: i32,
        /// Milliseconds into the minute, and for how many.
        pub(super) at: i32,
        pub(super) span: i32,
        pub(super) packets: i64,
        pub(super) bytes: i64,
        /// 0 nothing came back, 1 something did, -1 nobody knows.
        pub(super) answered: i32,
        /// Bit 0: ECE and CWR are set. Bit 1: the destination refused.
        pub(super) marks: i32,
        /// One packet in so many was looked at.
        pub(super) sampling: i32,
    }
);

impl Packet {
    /// The network that is hit.
    pub(super) fn net(&self) -> Address {
        self.net
    }

    /// The destination.
    pub(super) fn dst(&self) -> Address {
        Address { hi: self.net.hi | self.host.hi, lo: self.net.lo | self.host.lo }
    }

    fn note(dst: Address, minute: i64, class: i32, port: i32, packets: i64) -> Self {
        let (net, host) = split(dst);
        Self {
            net,
            minute,
            host,
            class,
            // Where the addresses of the rows around it lie, so that notes make rows no wider.
            src: Address::v4(0),
            dst_port: 0,
            src_port: port,
            at: 0,
            span: 0,
            packets,
            bytes: 0,
            answered: 0,
            marks: 0,
            sampling: 1,
        }
    }
}

/// An address as its network and the rest.
fn split(address: Address) -> (Address, Address) {
    let net = address.network(BITS.0, BITS.1);
    (net, Address { hi: address.hi ^ net.hi, lo: address.lo ^ net.lo })
}

/// Flows as such rows. All steps must hold this one map, to share its work.
pub(super) fn input() -> Input {
    static PACKETS: LazyLock<Map> = LazyLock::new(|| std::sync::Arc::new(packets));
    Input::Traffic(Kind::Flow, Some(PACKETS.clone()))
}

fn packets(batch: &RecordBatch) -> RecordBatch {
    let flows = Flows::of(batch);
    let mut table: Table<Packet> = Table::default();
    let mut answered: HashMap<(Address, i64), i64> = HashMap::new();
    let mut asked: HashMap<(Address, i64, i32), i64> = HashMap::new();
    let (mut first, mut last) = (None, None);
    for at in 0..flows.len() {
        let flow = flows.one_way(at);
        let minute = flow.minute();
        if first.is_none_or(|(first, _)| minute < first) {
            first = Some((minute, flow.dst));
        }
        if last.is_none_or(|(last, _)| minute > last) {
            last = Some((minute, flow.dst));
        }
        if flow.back > 0 {
            *answered.entry((flow.dst, minute)).or_default() += 1;
        } else if flow.back < 0 && flow.proto == 17 && vectors::amplifier(flow.dst_port.into()).is_some() {
            let asked = asked.entry((flow.src, minute, flow.dst_port)).or_default();
            counts::add(asked, flow.packets.min(MOST_PACKETS));
        }
        let Some(class) = flow.class() else { continue };
        let (net, host) = split(flow.dst);
        let (answered, marks) = (flow.answered(), flow.marks());
        let mut put = |class: Class, packets: i64, bytes: i64| {
            flow.pieces(packets, bytes, |piece| {
                table.push(&Packet {
                    net,
                    minute: piece.minute,
                    host,
                    class: class.code(),
                    src: flow.src,
                    dst_port: flow.dst_port,
                    src_port: flow.src_port,
                    at: piece.at as i32,
                    span: piece.span as i32,
                    packets: piece.packets,
                    bytes: piece.bytes,
                    answered,
                    marks,
                    sampling: flow.sampling as i32,
                });
            });
        };
        let fragments = flow.fragments();
        if fragments == 0 {
            put(class, flow.packets, flow.bytes);
            continue;
        }
        let part = (i128::from(flow.bytes) * i128::from(fragments) / i128::from(flow.packets.max(1))) as i64;
        put(Class::Fragments, fragments, part);
        put(class, flow.packets - fragments, flow.bytes - part);
    }
    // The order of a hash map does not show: the engine sorts.
    table.extend(answered.into_iter().map(|((dst, minute), n)| Packet::note(dst, minute, ANSWERED, 0, n)));
    table.extend(asked.into_iter().map(|((src, minute, port), n)| Packet::note(src, minute, ASKED, port, n)));
    table.extend(first.into_iter().chain(last).map(|(minute, dst)| Packet::note(dst, minute, SPAN, 0, 0)));
    table.finish()
}
