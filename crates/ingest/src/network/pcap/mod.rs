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
//! **What is not a flow.** Packets that are no IP are counted as another kind. Checksums are not looked at.

mod container;
mod flows;
mod headers;
mod talks;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use self::container::{Container, Layout, Next};
use self::flows::Table;
use self::headers::Outside;
use self::talks::Talks;
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
            sight: Sight { table: Table::new(flows::CAPACITY), talks: Talks::default() },
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

/// What is known of the traffic at the moment of a packet.
struct Sight {
    table: Table,
    talks: Talks,
}

impl Sight {
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
        log.read += 1;
        self.table.count(&headers, packet.time, &mut self.talks, rows);
    }

    /// Gives out a part of what is left. False where nothing was.
    fn finish(&mut self, rows: &mut Rows, log: &mut Log) -> bool {
        let cut = std::mem::take(&mut self.table.pushed_out);
        if cut > 0 {
            log.problems.add_many(&log.source, Reason::FlowsCut, cut, 0, b"");
        }
        self.table.finish(4096, &mut self.talks, rows)
    }
}
