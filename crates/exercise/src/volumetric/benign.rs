//! Busy hosts that nobody attacks.

use traffic::Address;
use traffic::flow::{ACK, FIN, Flow, SYN, Service, State};

use super::flows::anybody;
use crate::random::Random;

/// A host that is busy, and with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// A web site on election night: TLS flows of its clients, each finished in order.
    Site {
        /// Clients that come back all night.
        clients: u32,
    },
    /// A resolver that asks thousands of name servers: their answers come from port 53.
    Resolver {
        /// Name servers.
        servers: u32,
    },
    /// A time server: its clients ask from port 123.
    TimeServer {
        /// Clients.
        clients: u32,
    },
    /// One sender with a backup: many packets from one source.
    Backup,
}

impl Busy {
    /// Rows of `seconds` at so many flows a second, in order of time, to or of 192.0.2.20.
    pub fn rows(
        self,
        start: i64,
        seconds: i64,
        per_second: u64,
        seed: u64,
    ) -> impl Iterator<Item = Flow> + Send {
        let mut random = Random::new(seed, 60);
        let n = match self {
            Self::Site { clients } | Self::TimeServer { clients } => clients,
            Self::Resolver { servers } => servers,
            Self::Backup => 1,
        };
        let others: Vec<Address> = (0..n.max(1)).map(|_| anybody(&mut random)).collect();
        let gap_ms = 1000.0 / per_second.max(1) as f64;
        let mut at = 0.0;
        std::iter::from_fn(move || {
            at += random.exponential(gap_ms);
            (at < (seconds * 1000) as f64).then(|| self.row(start + at as i64, &others, &mut random))
        })
    }

    fn row(self, time: i64, others: &[Address], random: &mut Random) -> Flow {
        let other = others[random.zipf(others.len())];
        let here = Address::v4(0xc000_0214);
        let high_port = 1024 + random.below(60_000) as i32;
        let mut flow = Flow {
            src_hi: other.hi,
            src_lo: other.lo,
            dst_hi: here.hi,
            dst_lo: here.lo,
            src_port: high_port,
            time,
            ..Flow::EMPTY
        };
        match self {
            Self::Site { .. } => {
                let size = random.log_uniform((2_000.0, 400_000.0)) as i64;
                flow.dst_port = 443;
                (flow.proto, flow.service, flow.state) = (6, Service::Tls.code(), State::Closed.code());
                flow.flags = SYN | ACK | FIN;
                flow.duration = random.log_uniform((20.0, 60_000.0)) as i64;
                (flow.back_bytes, flow.back_packets) = (size, size / 1_200 + 4);
                (flow.bytes, flow.packets) = (600 + size / 40, size / 2_400 + 5);
            }
            Self::Resolver { .. } => {
                // The resolver asks: it is the source.
                (flow.src_hi, flow.src_lo, flow.dst_hi, flow.dst_lo) =
                    (flow.dst_hi, flow.dst_lo, flow.src_hi, flow.src_lo);
                flow.dst_port = 53;
                (flow.proto, flow.service, flow.state) = (17, Service::Dns.code(), State::Established.code());
                flow.duration = random.log_uniform((2.0, 300.0)) as i64;
                (flow.packets, flow.bytes) = (1, 70 + random.below(30) as i64);
                (flow.back_packets, flow.back_bytes) = (1, 90 + random.below(1_200) as i64);
            }
            Self::TimeServer { .. } => {
                (flow.src_port, flow.dst_port) = (123, 123);
                (flow.proto, flow.service, flow.state) = (17, Service::Ntp.code(), State::Established.code());
                flow.duration = 1;
                (flow.packets, flow.bytes, flow.back_packets, flow.back_bytes) = (1, 76, 1, 76);
            }
            Self::Backup => {
                flow.dst_port = 873;
                (flow.proto, flow.state, flow.flags) = (6, State::Established.code(), SYN | ACK);
                flow.duration = 1_000;
                (flow.packets, flow.bytes, flow.back_packets, flow.back_bytes) = (480, 700_000, 240, 12_480);
            }
        }
        flow
    }
}
