//! Packets: pcap and pcapng files to flows, lookups, handshakes and requests.
//!
//! **Flows.** A flow is what two ends (address and port) exchange by one protocol. Its source is whoever sent
//! the first packet that was seen, so a victim of reflection that records only answers sees flows whose source
//! is the reflector and whose flags are SYN and ACK. `bytes` are those of IP, headers included. A flow ends with
//! TCP's own end, or after 120 s of silence (60 s where it is not TCP); one that lasts longer than 5 minutes is
//! given out in slices, all but the last with the state `open`. VLAN tags, MPLS labels and PPPoE are looked
//! through and not part of a flow's identity; of a tunnel (GRE, IP in IP) the outer flow counts. First fragments
//! have ports; later ones are counted in a flow of their addresses with ports 0.
//!
//! **What is not a flow.** Packets that are not IP are counted as such. A datagram of NetFlow, IPFIX or sFlow is
//! decoded into the flows that it reports, and is no flow itself: it is telemetry. That holds for the first 256
//! addresses that send such datagrams from and to ports from 1024; from others they are traffic, since a flood may
//! imitate them. Whoever can send such datagrams past the tap can make up flows, as everywhere where NetFlow is
//! collected: it has no signature. Checksums are not looked at.
//!
//! **Speed.** One thread, release build, 5 million packets (`cargo xtask bench pcap`): 2.9 million packets a second of
//! CPU time on a mixture of floods and conversations, 6.0 million on conversations alone, 2.2 million where every packet
//! is a flow of its own; softflowd 1.1.0 makes 0.41, 2.3 and 0.19 of the same files. `pcap-parser` and `etherparse` are
//! in that path: a hand-written one is not needed.
//!
//! **What is said.** DNS over UDP port 53 becomes lookups, the greetings of TLS become handshakes, clear HTTP/1
//! becomes requests, on any port. Nothing is decrypted. QUIC is recognised and not read; certificates are not read;
//! DNS over TCP and multicast DNS are not read.

mod container;
mod dns;
mod flows;
mod headers;
mod http;
mod talks;
mod tls;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashSet;
use traffic::Address;
use traffic::flow::Service;

use self::container::{Container, Layout, Next};
use self::dns::Lookups;
use self::flows::Table;
use self::headers::{Headers, Outside, TCP, UDP};
use self::talks::{Seen, TRIES, Talks};
use super::datagram::Collector;
use super::{NetworkFormat, Sniffed};
use crate::files::Input;
use crate::problems::Reason;
use crate::records::{Context, Log, Records};
use crate::rows::Rows;
use crate::time::Bounds;

pub(super) fn sniff(head: &[u8]) -> Sniffed {
    Layout::of(head).map(|layout| Arc::new(Capture(layout)) as Arc<dyn NetworkFormat>)
}

#[derive(Debug)]
struct Capture(Layout);

impl NetworkFormat for Capture {
    fn name(&self) -> &'static str {
        match self.0 {
            Layout::Pcap => "pcap",
            Layout::Pcapng => "pcapng",
        }
    }

    fn open(&self, input: Input, context: Context) -> Box<dyn Records> {
        let world_failed = input.failure_flag();
        Box::new(Packets {
            container: Container::new(input, self.0),
            world_failed,
            bounds: context.bounds,
            sight: Sight::new(context.bounds),
            number: 0,
            ended: false,
        })
    }
}

/// Packets read in one step: enough that the step's own cost vanishes, few enough that a batch is not much
/// larger than it should be.
const AT_ONCE: usize = 256;

struct Packets {
    container: Container,
    world_failed: Arc<AtomicBool>,
    bounds: Bounds,
    sight: Sight,
    /// Packets so far, for the examples of what is amiss.
    number: u64,
    ended: bool,
}

impl Records for Packets {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        if self.ended {
            return Ok(self.sight.finish(rows, log));
        }
        for _ in 0..AT_ONCE {
            let next = match self.container.next() {
                Ok(next) => next,
                Err(error) if self.world_failed.load(Ordering::Relaxed) => return Err(error),
                Err(error) => {
                    log.refuse(Reason::Damaged, 0, error.to_string().as_bytes());
                    self.ended = true;
                    return Ok(true);
                }
            };
            match next {
                Next::Packet(packet) => {
                    self.number += 1;
                    match self.bounds.check(packet.time) {
                        Ok(_) => self.sight.packet(&packet, self.number, rows, log),
                        Err(reason) => log.refuse(reason, self.number, b""),
                    }
                }
                Next::Refused(reason, what) => {
                    self.number += 1;
                    log.refuse(reason, self.number, what.as_bytes());
                }
                Next::Other => {}
                Next::Damaged(what) => {
                    log.refuse(Reason::Damaged, 0, what.as_bytes());
                    self.ended = true;
                    break;
                }
                Next::End => {
                    self.ended = true;
                    break;
                }
            }
        }
        Ok(true)
    }
}

/// Exporters whose datagrams are decoded. A flood that looks like export data comes from more addresses than a
/// network has exporters, so that what goes beyond them is traffic.
const EXPORTERS: usize = 256;

/// What is known of the traffic at the moment of a packet.
struct Sight {
    table: Table,
    talks: Talks,
    lookups: Lookups,
    collector: Collector,
    exporters: HashSet<Address>,
}

impl Sight {
    fn new(bounds: Bounds) -> Self {
        Self {
            table: Table::default(),
            talks: Talks::default(),
            lookups: Lookups::default(),
            collector: Collector::until(bounds.latest()),
            exporters: HashSet::new(),
        }
    }

    fn packet(&mut self, packet: &container::Packet<'_>, number: u64, rows: &mut Rows, log: &mut Log) {
        let headers = match headers::read(packet.link, packet.data, packet.on_wire) {
            Ok(headers) => headers,
            Err(Outside::Broken) => {
                return log.refuse(Reason::BadPacket, number, b"headers are broken or cut off");
            }
            Err(Outside::Link(link)) => {
                return log.refuse(Reason::BadPacket, number, format!("link type {link}").as_bytes());
            }
            Err(Outside::NotIp(kind)) => {
                let what = format!("EtherType 0x{kind:04x}");
                return log.outcome(Ok(Some(Reason::NotIp)), number, what.as_bytes());
            }
        };
        if headers.proto == UDP && self.export(&headers, packet.time, rows, log) {
            return;
        }
        log.read += 1;
        let (at, from_source) = self.table.count(&headers, packet.time, &mut self.talks, rows);
        if headers.payload.is_empty() {
            return;
        }
        match headers.proto {
            TCP => self.stream(at, from_source, &headers, packet.time, rows),
            UDP => self.datagram(at, &headers, packet.time, rows),
            _ => {}
        }
    }

    /// Decodes export data. False where the packet carries none.
    fn export(&mut self, headers: &Headers<'_>, time: i64, rows: &mut Rows, log: &mut Log) -> bool {
        // Exporters send from and to ports of their own choice; below 1024 are other services, and answers of DNS or
        // NTP would be taken for export data once in a million.
        if headers.src_port.min(headers.dst_port) < 1024 || !Collector::looks_like(headers.payload) {
            return false;
        }
        if self.exporters.len() >= EXPORTERS && !self.exporters.contains(&headers.src) {
            return false;
        }
        self.exporters.insert(headers.src);
        self.collector.datagram(headers.src, headers.src_port, headers.payload, time, rows, log);
        true
    }

    fn stream(&mut self, at: u32, from_source: bool, headers: &Headers<'_>, time: i64, rows: &mut Rows) {
        let entry = self.table.entry(at);
        if entry.talk == flows::NONE {
            if entry.tried >= TRIES {
                return;
            }
            match self.talks.look(headers, from_source, time) {
                Seen::Talk(service, talk) => (entry.service, entry.talk) = (service, talk),
                Seen::Service(service) => {
                    (entry.service, entry.tried) = (service, TRIES);
                    return;
                }
                Seen::Nothing => {
                    entry.tried += 1;
                    return;
                }
            }
        }
        let two_way = entry.is_two_way();
        if !self.talks.take(entry.talk, headers, from_source, two_way, time, rows) {
            (entry.talk, entry.tried) = (flows::NONE, TRIES);
        }
    }

    fn datagram(&mut self, at: u32, headers: &Headers<'_>, time: i64, rows: &mut Rows) {
        if (headers.src_port == dns::PORT || headers.dst_port == dns::PORT)
            && self.lookups.message(headers, time, rows)
        {
            self.table.entry(at).service = Service::Dns;
            return;
        }
        let entry = self.table.entry(at);
        if entry.tried < TRIES && entry.service == Service::Unknown {
            entry.tried += 1;
            entry.service = service_of_datagram(headers);
        }
    }

    /// Gives out a part of what is left. False where nothing was.
    fn finish(&mut self, rows: &mut Rows, log: &mut Log) -> bool {
        let more = self.lookups.finish(4096, rows) || self.table.finish(4096, &mut self.talks, rows);
        let cut = std::mem::take(&mut self.table.pushed_out);
        if cut > 0 {
            log.problems.add_many(&log.source, Reason::FlowsCut, cut, 0, b"");
        }
        let left_out = std::mem::take(&mut self.talks.left_out);
        if left_out > 0 {
            log.problems.add_many(&log.source, Reason::TalksLeftOut, left_out, 0, b"");
        }
        if !more {
            self.collector.finish(log);
        }
        more
    }
}

/// What a datagram shows itself to be, beside DNS.
fn service_of_datagram(headers: &Headers<'_>) -> Service {
    let payload = headers.payload;
    let port = |port| headers.src_port == port || headers.dst_port == port;
    match payload {
        // A long header of QUIC with a version in use (RFC 9000, section 17.2): 1, 2, drafts, Google's.
        [0xc0..=0xff, 0, 0, 0, 1, ..]
        | [0xc0..=0xff, 0x6b, 0x33, 0x43, 0xcf, ..]
        | [0xc0..=0xff, 0xff, 0, 0, ..]
        | [0xc0..=0xff, b'Q' | b'T', b'0', _, _, ..] => Service::Tls,
        // Version 1 to 4 and a mode (RFC 5905, section 7.3); modes 6 and 7 are those that are abused.
        [first, ..] if port(123) && matches!(first >> 3 & 7, 1..=4) && first & 7 != 0 => Service::Ntp,
        _ if (port(67) || port(68)) && payload.get(236..240) == Some(&[99, 130, 83, 99]) => Service::Dhcp,
        _ => Service::Unknown,
    }
}
