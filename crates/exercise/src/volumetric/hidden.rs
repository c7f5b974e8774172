//! Floods that stay below every count of packets: lookups of names that do not exist, handshakes that lead
//! to nothing, requests that never end.

use traffic::flow::{ACK, Flow, SYN, Service, State};
use traffic::lookup::Lookup;
use traffic::tls::Tls;
use traffic::{Address, Seed};

use super::flows::anybody;
use crate::random::Random;

/// Lookups of made-up names under one domain, by way of many resolvers (water torture): each is new, so no
/// cache answers, and the domain's own servers must.
#[derive(Clone, Copy, Debug)]
pub struct WaterTorture<'a> {
    /// Everything follows from this number.
    pub seed: u64,
    /// The domain.
    pub domain: &'a str,
    /// First lookup, milliseconds since the epoch.
    pub start: i64,
    /// How long, in seconds.
    pub seconds: i64,
    /// Lookups a second.
    pub per_second: u64,
    /// Resolvers that ask.
    pub resolvers: u32,
    /// Share of lookups that get no answer, as a server has it that is about to fall.
    pub unanswered: f64,
    /// What makes the ids of names.
    pub ids: Seed,
}

impl WaterTorture<'_> {
    /// The rows, in order of time, to 192.0.2.53.
    pub fn rows(self) -> impl Iterator<Item = Lookup> + Send {
        let mut random = Random::new(self.seed, 70);
        let resolvers: Vec<Address> = (0..self.resolvers.max(1)).map(|_| anybody(&mut random)).collect();
        let server = Address::v4(0xc000_0235);
        let domain = self.ids.text(self.domain.as_bytes());
        let (ids, unanswered) = (self.ids, self.unanswered);
        let suffix = format!(".{}", self.domain);
        evenly(self.start, self.seconds, self.per_second).map(move |time| {
            let client = *random.pick(&resolvers);
            let length = 8 + random.below(9);
            let label = random.token(b"abcdefghijklmnopqrstuvwxyz0123456789", length);
            let lost = random.chance(unanswered);
            Lookup {
                client_hi: client.hi,
                client_lo: client.lo,
                server_hi: server.hi,
                server_lo: server.lo,
                time,
                name: ids.text(format!("{label}{suffix}").as_bytes()),
                domain,
                label_len: length as i32,
                label_entropy: entropy(&label),
                qtype: 1,
                rcode: if lost { -1 } else { 3 },
                answers: 0,
                answer_hi: -1,
                answer_lo: -1,
                bytes: if lost { -1 } else { 110 },
            }
        })
    }
}

/// Handshakes that are begun and not finished, or finished and not used, by clients of one make.
#[derive(Clone, Copy, Debug)]
pub struct HandshakeFlood {
    /// Everything follows from this number.
    pub seed: u64,
    /// First handshake, milliseconds since the epoch.
    pub start: i64,
    /// How long, in seconds.
    pub seconds: i64,
    /// Handshakes a second.
    pub per_second: u64,
    /// Hosts that send.
    pub clients: u32,
    /// Share that is finished.
    pub finished: f64,
    /// What makes the ids of names.
    pub ids: Seed,
}

impl HandshakeFlood {
    /// The rows, in order of time, to 192.0.2.10, port 443.
    pub fn rows(self) -> impl Iterator<Item = Tls> + Send {
        let mut random = Random::new(self.seed, 71);
        let clients: Vec<Address> = (0..self.clients.max(1)).map(|_| anybody(&mut random)).collect();
        let server = Address::v4(0xc000_020a);
        let name = self.ids.text(b"results.example");
        // One program, so one fingerprint: an MD5 in hexadecimal, as JA3 has it.
        let fingerprint = self.ids.text(b"6734f37431670b3ab4292b8f60f29984");
        evenly(self.start, self.seconds, self.per_second).map(move |time| {
            let client = *random.pick(&clients);
            Tls {
                client_hi: client.hi,
                client_lo: client.lo,
                server_hi: server.hi,
                server_lo: server.lo,
                server_port: 443,
                time,
                name,
                fingerprint,
                version: 0x0303,
                established: i32::from(random.chance(self.finished)),
                issuer: -1,
            }
        })
    }
}

/// Connections that send a header every few seconds and never end their request.
#[derive(Clone, Copy, Debug)]
pub struct SlowHeaders {
    /// Everything follows from this number.
    pub seed: u64,
    /// First connection, milliseconds since the epoch.
    pub start: i64,
    /// Connections in all, opened evenly over `opened_s`.
    pub connections: u64,
    /// Seconds in which they are opened.
    pub opened_s: i64,
    /// Seconds that each is held.
    pub held_s: i64,
    /// Hosts that hold them.
    pub clients: u32,
}

impl SlowHeaders {
    /// The rows, in order of time, to 192.0.2.10, port 80.
    pub fn rows(self) -> impl Iterator<Item = Flow> + Send {
        let mut random = Random::new(self.seed, 72);
        let clients: Vec<Address> = (0..self.clients.max(1)).map(|_| anybody(&mut random)).collect();
        let server = Address::v4(0xc000_020a);
        (0..self.connections).map(move |n| {
            let client = *random.pick(&clients);
            let held = (self.held_s as f64 * random.uniform((0.8, 1.2))) as i64;
            // A header of some 20 bytes every ten seconds, each acknowledged.
            let headers = held / 10 + 1;
            Flow {
                src_hi: client.hi,
                src_lo: client.lo,
                dst_hi: server.hi,
                dst_lo: server.lo,
                src_port: 1024 + random.below(60_000) as i32,
                dst_port: 80,
                proto: 6,
                time: self.start + (n as i64 * self.opened_s * 1000) / self.connections.max(1) as i64,
                duration: held * 1000,
                packets: headers + 3,
                bytes: headers * 60 + 350,
                back_packets: headers + 1,
                back_bytes: headers * 40 + 44,
                flags: SYN | ACK,
                state: State::Open.code(),
                service: Service::Http.code(),
                ..Flow::EMPTY
            }
        })
    }
}

/// Times of `seconds` at so many a second.
fn evenly(start: i64, seconds: i64, per_second: u64) -> impl Iterator<Item = i64> + Send {
    let n = seconds.max(0) * per_second as i64;
    (0..n).map(move |k| start + k * 1000 / per_second.max(1) as i64)
}

/// Thousandths of a bit a character.
fn entropy(label: &str) -> i32 {
    let mut counts = [0_u32; 256];
    label.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let n = label.len() as f64;
    let bits: f64 = counts.iter().filter(|n| **n > 0).map(|&k| f64::from(k) / n).map(|p| -p * p.log2()).sum();
    (bits * 1000.0).round() as i32
}
