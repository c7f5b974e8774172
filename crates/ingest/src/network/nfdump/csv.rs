//! nfdump's CSV.

use std::io::{self, Read};

use traffic::flow::Flow;

use super::{duration, flags, icmp};
use crate::files::{Line, Lines};
use crate::network::fields;
use crate::network::table::{Header, columns};
use crate::problems::Reason;
use crate::records::{Context, Log, Records};
use crate::rows::Rows;

// Names of the long form, then those of the short one, in lower case.
columns! { place COLUMNS:
    START "ts" | "firstseen",
    END "te" | "lastseen",
    DURATION "td" | "duration",
    SRC "sa" | "srcaddr",
    DST "da" | "dstaddr",
    SRC_PORT "sp" | "srcport",
    DST_PORT "dp" | "dstport",
    PROTO "pr" | "proto",
    FLAGS "flg" | "flags",
    PACKETS "ipkt" | "packets" | "inpackets",
    BYTES "ibyt" | "bytes" | "inbytes",
    BACK_PACKETS "opkt" | "outpackets",
    BACK_BYTES "obyt" | "outbytes",
}

pub(super) type Columns = Header<COLUMNS>;

pub(super) fn header(line: &[u8]) -> Option<Columns> {
    Columns::of(line, place)
        .filter(|header| [START, SRC, DST, PROTO, PACKETS, BYTES].iter().all(|&column| header.has(column)))
}

pub(super) struct Reader<R> {
    lines: Lines<R>,
    header: Columns,
    context: Context,
    /// Below the rows stands a summary.
    below: bool,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(source: R, header: Columns, context: Context) -> Self {
        Self { lines: Lines::new(source), header, context, below: false }
    }
}

impl<R: Read + Send> Records for Reader<R> {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        let (number, line) = match self.lines.next()? {
            Line::End => return Ok(false),
            Line::TooLong(number, head) => {
                log.refuse(Reason::LineTooLong, number, head);
                return Ok(true);
            }
            Line::Whole(number, line) => (number, line),
        };
        if line.trim_ascii().is_empty() {
            return Ok(true);
        }
        if !line.first().is_some_and(u8::is_ascii_digit) {
            // A header, also in the middle where files were joined.
            if let Some(header) = header(line) {
                self.header = header;
                self.below = false;
                return Ok(true);
            }
            if line.starts_with(b"Summary") || line.starts_with(b"No matching flows") {
                self.below = true;
            }
        }
        if self.below {
            return Ok(true);
        }
        let outcome = match self.header.split(line) {
            Some(row) => read(&row, &self.header, &self.context, rows),
            None if line.contains(&0) => Err(Reason::NulByte),
            None => Err(Reason::FieldCount),
        };
        log.outcome(outcome, number, line);
        Ok(true)
    }
}

fn read(
    row: &[&[u8]; COLUMNS],
    header: &Columns,
    context: &Context,
    rows: &mut Rows,
) -> Result<Option<Reason>, Reason> {
    let time = fields::time(row[START], context.bounds)?;
    let length = if header.has(DURATION) {
        duration(row[DURATION])?
    } else if header.has(END) {
        (fields::time(row[END], context.bounds)?.millis - time.millis).max(0)
    } else {
        0
    };
    let address = |column: usize| fields::address(row[column]).ok_or(Reason::BadAddress);
    let (src, dst) = (address(SRC)?, address(DST)?);
    let proto = fields::protocol(row[PROTO], fields::is_v6(src));
    let (src_port, dst_port) = if matches!(proto, 1 | 58) {
        icmp(row[DST_PORT])?
    } else {
        (fields::port(row[SRC_PORT])?, fields::port(row[DST_PORT])?)
    };
    // A flow of NetFlow has one direction. Only where nfdump joined two (`-B`) is there something back.
    let back_packets = fields::count(row[BACK_PACKETS])?;
    let back_bytes = fields::count(row[BACK_BYTES])?;
    let one_way = back_packets == 0 && back_bytes == 0;
    rows.flows.push(&Flow {
        src_hi: src.hi,
        src_lo: src.lo,
        dst_hi: dst.hi,
        dst_lo: dst.lo,
        src_port,
        dst_port,
        proto,
        time: time.millis,
        duration: length,
        packets: fields::count(row[PACKETS])?,
        bytes: fields::count(row[BYTES])?,
        back_packets: if one_way { -1 } else { back_packets },
        back_bytes: if one_way { -1 } else { back_bytes },
        flags: if proto == 6 { flags(row[FLAGS]) } else { 0 },
        ..Flow::EMPTY
    });
    Ok(time.zone_missing.then_some(Reason::NoZone))
}
