//! Floods as flows: one row a packet, or a few packets, of one direction.

use traffic::Address;
use traffic::flow::{ACK, Flow, SYN, State};

use crate::random::Random;

/// By what a victim is flooded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vector {
    /// TCP SYN from sources made up for each packet.
    SpoofedSyn {
        /// The victim's port.
        port: u16,
    },
    /// Answers of servers that were asked in the victim's name.
    Reflection {
        /// Port of the service: 53 DNS, 123 NTP, 161 SNMP, 389 CLDAP, 11211 memcached, ….
        service: u16,
        /// Bytes of an answer.
        bytes: i64,
        /// Servers that are misused.
        servers: u32,
    },
    /// SYN-ACK of servers that were asked in the victim's name.
    SynAckReflection {
        /// Servers that are misused.
        servers: u32,
    },
    /// UDP to random ports of all addresses of a prefix, so that none of them has much.
    CarpetBombing {
        /// Leading bits of the prefix round the victim.
        bits: u32,
        /// Hosts that send.
        sources: u32,
    },
    /// UDP of one length from sources made up for each packet: the worst for whoever keeps a table of them.
    RandomSources,
}

/// A flood, evenly spread over its time.
#[derive(Clone, Copy, Debug)]
pub struct Flood {
    /// Everything follows from this number.
    pub seed: u64,
    /// By what.
    pub vector: Vector,
    /// The victim, or an address of its prefix.
    pub victim: Address,
    /// First packet, milliseconds since the epoch.
    pub start: i64,
    /// Rows in all.
    pub rows: u64,
    /// Rows a second.
    pub per_second: u64,
    /// One packet in so many was looked at: each row then stands for so many.
    pub sampling: i32,
}

impl Flood {
    /// One packet a row, at that pace, to 192.0.2.10.
    pub fn new(vector: Vector, start: i64, rows: u64, per_second: u64, seed: u64) -> Self {
        Self { seed, vector, victim: Address::v4(0xc000_020a), start, rows, per_second, sampling: 1 }
    }

    /// The rows, in order of time.
    pub fn rows(self) -> impl Iterator<Item = Flow> + Send {
        let mut random = Random::new(self.seed, 50);
        let mut servers = Random::new(self.seed, 51);
        let pool: Vec<Address> = match self.vector {
            Vector::Reflection { servers: n, .. }
            | Vector::SynAckReflection { servers: n }
            | Vector::CarpetBombing { sources: n, .. } => (0..n).map(|_| anybody(&mut servers)).collect(),
            Vector::SpoofedSyn { .. } | Vector::RandomSources => Vec::new(),
        };
        (0..self.rows).map(move |n| {
            let time = self.start + (n as i64 * 1000) / self.per_second.max(1) as i64;
            let packets = i64::from(self.sampling.max(1));
            let mut flow = Flow { time, packets, sampling: self.sampling, ..Flow::EMPTY };
            self.fill(&mut flow, &pool, &mut random);
            flow
        })
    }

    fn fill(&self, flow: &mut Flow, pool: &[Address], random: &mut Random) {
        let bits = random.bits();
        let high_port = 1024 + (bits & 0x7fff) as i32;
        let source = if pool.is_empty() { anybody(random) } else { *random.pick(pool) };
        let mut target = self.victim;
        let length = match self.vector {
            Vector::SpoofedSyn { port } => {
                (flow.proto, flow.flags, flow.state) = (6, SYN, State::Attempt.code());
                (flow.src_port, flow.dst_port) = (high_port, port.into());
                60
            }
            Vector::Reflection { service, bytes, .. } => {
                (flow.proto, flow.src_port, flow.dst_port) = (17, service.into(), high_port);
                flow.state = State::Partial.code();
                bytes
            }
            Vector::SynAckReflection { .. } => {
                (flow.proto, flow.flags, flow.state) = (6, SYN | ACK, State::Partial.code());
                (flow.src_port, flow.dst_port) = (if bits >> 40 & 1 == 0 { 80 } else { 443 }, high_port);
                44
            }
            Vector::CarpetBombing { bits: prefix, .. } => {
                let host = (bits >> 32) as i64 & ((1_i64 << 32_u32.saturating_sub(prefix)) - 1);
                target = self.victim.network(prefix, 96 + prefix);
                target.lo |= host;
                (flow.proto, flow.src_port, flow.dst_port) = (17, high_port, (bits >> 16 & 0xffff) as i32);
                flow.state = State::Attempt.code();
                512
            }
            Vector::RandomSources => {
                (flow.proto, flow.src_port, flow.dst_port) = (17, high_port, (bits >> 16 & 0xffff) as i32);
                flow.state = State::Attempt.code();
                128
            }
        };
        (flow.src_hi, flow.src_lo) = (source.hi, source.lo);
        (flow.dst_hi, flow.dst_lo) = (target.hi, target.lo);
        flow.bytes = length * flow.packets;
    }
}

/// Any IPv4 address but the lowest and the highest eighth.
pub(super) fn anybody(random: &mut Random) -> Address {
    Address::v4(0x2000_0000 + (random.bits() as u32) % 0xc000_0000)
}
