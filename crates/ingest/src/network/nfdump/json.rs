//! nfdump's JSON: objects in an array, or one a line.

use std::io::{self, Read};

use traffic::flow::Flow;

use super::flags;
use crate::network::fields;
use crate::network::json::{object, text};
use crate::problems::Reason;
use crate::records::{Context, Log, Object, Objects, Records, as_utf8, first_object};
use crate::rows::Rows;

macro_rules! keys {
    ($($constant:ident $name:literal $(| $alias:literal)*,)+) => {
        keys!(@number 0; $($constant)+);
        const KEYS: usize = [$($name),+].len();
        fn place(key: &str) -> Option<usize> {
            match key {
                $($name $(| $alias)* => Some($constant),)+
                _ => None,
            }
        }
    };
    (@number $n:expr; $constant:ident $($rest:ident)*) => {
        const $constant: usize = $n;
        keys!(@number $n + 1; $($rest)*);
    };
    (@number $n:expr;) => {};
}

// The second name of a time is that of versions up to 1.6.
keys! {
    TYPE "type",
    FIRST "first" | "t_first",
    LAST "last" | "t_last",
    PACKETS "in_packets",
    BYTES "in_bytes",
    BACK_PACKETS "out_packets",
    BACK_BYTES "out_bytes",
    PROTO "proto",
    FLAGS "tcp_flags",
    SRC_PORT "src_port",
    DST_PORT "dst_port",
    ICMP_TYPE "icmp_type",
    ICMP_CODE "icmp_code",
    SRC_V4 "src4_addr",
    DST_V4 "dst4_addr",
    SRC_V6 "src6_addr",
    DST_V6 "dst6_addr",
}

/// True where the first object is a flow.
pub(super) fn is_flow(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if !matches!(text.first(), Some(b'{' | b'[')) {
        return false;
    }
    let Some(first) = first_object(text) else { return false };
    let values = object::<KEYS>(&as_utf8(&first), place).map(|values| values.map(|value| !value.is_empty()));
    values.is_ok_and(|has| has[FIRST] && has[PACKETS] && (has[SRC_V4] || has[SRC_V6]))
}

pub(super) struct Reader<R> {
    objects: Objects<R>,
    context: Context,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(source: R, context: Context) -> Self {
        Self { objects: Objects::new(source), context }
    }
}

impl<R: Read + Send> Records for Reader<R> {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        match self.objects.next()? {
            Object::End => return Ok(false),
            Object::Cut(line, head) => log.refuse(Reason::NotJson, line, head),
            Object::TooLong(line, head) => log.refuse(Reason::DocumentTooLong, line, head),
            Object::Whole(line, bytes) => match read(&as_utf8(bytes), &self.context, rows) {
                Ok(Some(Reason::OtherTraffic)) => log.note(Reason::OtherTraffic, line, bytes),
                outcome => log.outcome(outcome, line, bytes),
            },
        }
        Ok(true)
    }
}

fn read(bytes: &[u8], context: &Context, rows: &mut Rows) -> Result<Option<Reason>, Reason> {
    let values: [&[u8]; KEYS] = object(bytes, place).map_err(|_| Reason::NotJson)?;
    // Events of firewalls (NSEL) tell of the same packets as the flows beside them.
    if !matches!(&*text(values[TYPE]), b"" | b"FLOW") {
        return Ok(Some(Reason::OtherTraffic));
    }
    let first = fields::time(&text(values[FIRST]), context.bounds)?;
    let last =
        if values[LAST].is_empty() { first } else { fields::time(&text(values[LAST]), context.bounds)? };
    let address = |v4: usize, v6: usize| {
        let raw = if values[v4].is_empty() { values[v6] } else { values[v4] };
        fields::address(&text(raw)).ok_or(Reason::BadAddress)
    };
    let (src, dst) = (address(SRC_V4, SRC_V6)?, address(DST_V4, DST_V6)?);
    let proto = fields::protocol(&text(values[PROTO]), fields::is_v6(src));
    let icmp = matches!(proto, 1 | 58);
    let port = |column: usize| fields::port(&text(values[column]));
    let back_packets = fields::count(&text(values[BACK_PACKETS]))?;
    let back_bytes = fields::count(&text(values[BACK_BYTES]))?;
    let one_way = back_packets == 0 && back_bytes == 0;
    rows.flows.push(&Flow {
        src_hi: src.hi,
        src_lo: src.lo,
        dst_hi: dst.hi,
        dst_lo: dst.lo,
        src_port: port(if icmp { ICMP_TYPE } else { SRC_PORT })?,
        dst_port: port(if icmp { ICMP_CODE } else { DST_PORT })?,
        proto,
        time: first.millis,
        duration: (last.millis - first.millis).max(0),
        packets: fields::count(&text(values[PACKETS]))?,
        bytes: fields::count(&text(values[BYTES]))?,
        back_packets: if one_way { -1 } else { back_packets },
        back_bytes: if one_way { -1 } else { back_bytes },
        flags: if proto == 6 { flags(&text(values[FLAGS])) } else { 0 },
        ..Flow::EMPTY
    });
    Ok(first.zone_missing.then_some(Reason::NoZone))
}
