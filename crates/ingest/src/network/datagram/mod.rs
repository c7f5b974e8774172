//! Export datagrams of NetFlow v5 and v9, IPFIX and sFlow v5, raw or inside packets.
//!
//! Version 9 and IPFIX are decoded here: the libraries that were tried refuse a whole datagram where
//! its end is filled up with zeros, and templates with fields of no length, both of which routers
//! send. A template becomes a plan that reads the wanted fields only, at their offsets.

mod collector;
mod raw;
mod record;
mod sflow;
mod template;
mod wire;

#[cfg(test)]
mod tests;

pub(crate) use collector::Collector;

use std::sync::Arc;

use super::Sniffed;

pub(super) fn sniff(head: &[u8]) -> Sniffed {
    let protocol = wire::protocol(head).map_err(|_| String::new())?;
    // Two small numbers at the start of a file could be anything: what follows must be a datagram,
    // too, or the end.
    let first = wire::length(head).map_err(str::to_owned)?;
    let rest = &head[first..];
    if !rest.is_empty() && rest.len() >= wire::MAX_DATAGRAM {
        wire::protocol(rest).map_err(|why| format!("behind its first datagram: {why}"))?;
    }
    Ok(Arc::new(raw::Raw(protocol)))
}

/// Decodes datagrams, each behind its length in two bytes, of one exporter or, by the highest bit of the
/// length, of another, and gives the number of flows.
pub(crate) fn fuzz(bytes: &[u8]) -> usize {
    let mut collector = Collector::default();
    let mut rows = crate::rows::Rows::new(traffic::Seed(0), None);
    let mut log = crate::records::Log::default();
    let mut rest = bytes;
    while let Some(prefix) = wire::u16_at(rest, 0) {
        let length = usize::from(prefix & 0x7fff).min(rest.len() - 2);
        let (datagram, behind) = rest[2..].split_at(length);
        let exporter = traffic::Address::v4(u32::from(prefix >> 15));
        collector.datagram(exporter, 2055, datagram, 1_767_225_600_000, &mut rows, &mut log);
        rest = behind;
    }
    collector.finish(&mut log);
    rows.len()
}
