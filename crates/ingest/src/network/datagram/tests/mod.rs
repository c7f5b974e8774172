//! Datagrams in, flows as text out.

mod made;
mod samples;

use std::fmt::Write;
use std::net::Ipv4Addr;

use traffic::flow::{self, Flow};
use traffic::{AccountNames, Address, ObjectNames, Seed};

use super::Collector;
use crate::records::Log;
use crate::rows::Rows;

/// What a collector made of datagrams.
struct Decoded {
    flows: Vec<Flow>,
    log: Log,
}

/// Everything that a test needs to feed a collector.
struct Bench {
    collector: Collector,
    rows: Rows,
    log: Log,
}

impl Bench {
    fn new() -> Self {
        Self { collector: Collector::default(), rows: Rows::new(Seed(0), None), log: Log::default() }
    }

    /// A datagram of 192.0.2.1, of which nobody knows when it came.
    fn feed(&mut self, datagram: &[u8]) {
        let exporter = Address::from(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
        self.collector.take(exporter, 2055, datagram, None, &mut self.rows, &mut self.log);
    }

    fn finish(mut self) -> Decoded {
        self.collector.finish(&mut self.log);
        let (mut accounts, mut objects) = (AccountNames::plain(), ObjectNames::new());
        let batches = self.rows.finish(&mut accounts, &mut objects);
        let flows = batches.first().map(|batch| flow::rows(&batch.rows)).unwrap_or_default();
        Decoded { flows, log: self.log }
    }
}

fn decode(datagrams: &[Vec<u8>]) -> Decoded {
    let mut bench = Bench::new();
    for datagram in datagrams {
        bench.feed(datagram);
    }
    bench.finish()
}

impl Decoded {
    /// Flows, records of other kinds, and reasons.
    fn summary(&self) -> String {
        let mut text = format!("{} flows", self.flows.len());
        let records = self.log.read - self.flows.len() as u64;
        if records > 0 {
            let _ = write!(text, ", {records} other records");
        }
        for (_, reason, problem) in self.log.problems.iter() {
            let _ = write!(text, ", {} x {reason}", problem.count);
        }
        text
    }

    fn bytes(&self) -> i64 {
        self.flows.iter().map(|flow| flow.bytes).sum()
    }
}

/// One flow on one line.
fn show(flow: &Flow) -> String {
    let src = Address { hi: flow.src_hi, lo: flow.src_lo };
    let dst = Address { hi: flow.dst_hi, lo: flow.dst_lo };
    let mut text = format!(
        "{src}:{} > {dst}:{} proto {} at {} for {} ms: {} packets, {} bytes",
        flow.src_port,
        flow.dst_port,
        flow.proto,
        domain::Timestamp(flow.time),
        flow.duration,
        flow.packets,
        flow.bytes
    );
    if flow.back_bytes >= 0 {
        let _ = write!(text, ", back {} packets, {} bytes", flow.back_packets, flow.back_bytes);
    }
    if flow.flags != 0 {
        let _ = write!(text, ", flags {}", flow.flags);
    }
    if flow.sampling != 1 {
        let _ = write!(text, ", 1 of {}", flow.sampling);
    }
    if flow.state != 0 {
        let _ = write!(text, ", state {}", flow.state);
    }
    if flow.fragments != 0 {
        let _ = write!(text, ", {} fragments", flow.fragments);
    }
    text
}
