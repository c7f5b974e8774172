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
