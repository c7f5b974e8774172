//! Argus flows as `ra` writes them with a header (binetflow): commas or tabs, both directions in a row.
//!
//! Where there is no count of the source's own packets (the CTU-13 recordings have none), they are taken in
//! proportion to its bytes. That is exact for flows of one direction, and an estimate for the others.

use std::io::{self, Read};
use std::sync::Arc;

use traffic::flow::{self, Flow, State};

use super::table::{Header, columns};
use super::{NetworkFormat, Sniffed, fields, zeek};
use crate::files::{Input, Line, Lines};
use crate::problems::Reason;
use crate::records::{Context, Log, Records};
use crate::rows::Rows;

// Names as in ra(1), argus-clients 3.0.8, in lower case.
columns! { place COLUMNS:
    START "starttime" | "stime",
    DURATION "dur",
    PROTO "proto",
    SRC "srcaddr" | "saddr",
    SRC_PORT "sport",
    DIRECTION "dir",
    DST "dstaddr" | "daddr",
    DST_PORT "dport",
    STATE "state",
    PACKETS "totpkts" | "pkts",
    BYTES "totbytes" | "bytes",
    SRC_BYTES "srcbytes" | "sbytes",
    SRC_PACKETS "srcpkts" | "spkts",
}

type Columns = Header<COLUMNS>;

#[derive(Debug)]
struct Binetflow(Columns);

impl NetworkFormat for Binetflow {
    fn name(&self) -> &'static str {
        "Argus binetflow"
    }

    fn open(&self, input: Input, context: Context) -> Box<dyn Records> {
        Box::new(Reader { lines: Lines::new(input), header: self.0.clone(), context })
    }
}

pub(super) fn sniff(head: &[u8]) -> Sniffed {
    match header(head.split(|&b| b == b'\n').next().unwrap_or_default()) {
        Some(header) => Ok(Arc::new(Binetflow(header))),
        None => Err(String::new()),
    }
}

fn header(line: &[u8]) -> Option<Columns> {
    Columns::of(line, place)
        .filter(|header| [START, PROTO, SRC, DST, PACKETS].iter().all(|&column| header.has(column)))
}

struct Reader<R> {
    lines: Lines<R>,
    header: Columns,
    context: Context,
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
        // Files that were joined have a header in the middle.
        if matches!(line.first(), Some(b'S' | b's' | 0xef))
            && let Some(header) = header(line)
        {
            self.header = header;
            return Ok(true);
        }
        let outcome = match self.header.split(line) {
            Some(row) => read(&row, &self.header, &self.context, rows),
            None if line.contains(&0) => Err(Reason::NulByte),
            None => Err(Reason::FieldCount),
        };
        match outcome {
            Ok(Some(Reason::OtherTraffic)) => log.note(Reason::OtherTraffic, number, line),
            outcome => log.outcome(outcome, number, line),
        }
        Ok(true)
    }
}

fn read(
    row: &[&[u8]; COLUMNS],
    header: &Columns,
    context: &Context,
    rows: &mut Rows,
) -> Result<Option<Reason>, Reason> {
    // Management records of Argus itself, and what is no IP.
    if matches!(row[PROTO], b"man" | b"arp" | b"rarp" | b"llc" | b"loop" | b"lldp" | b"stp") {
        return Ok(Some(Reason::OtherTraffic));
    }
    let time = fields::time(row[START], context.bounds)?;
    let address = |column: usize| fields::address(row[column]).ok_or(Reason::BadAddress);
    let (src, dst) = (address(SRC)?, address(DST)?);
    let proto = match row[PROTO] {
        // What Argus recognises above UDP.
        b"rtp" | b"rtcp" | b"udt" => 17,
        name => fields::protocol(name, fields::is_v6(src)),
    };
    let (packets, bytes) = (fields::count(row[PACKETS])?, fields::count(row[BYTES])?);
    let own_bytes = if header.has(SRC_BYTES) { fields::count(row[SRC_BYTES])?.min(bytes) } else { bytes };
    let own_packets = if header.has(SRC_PACKETS) {
        fields::count(row[SRC_PACKETS])?.min(packets)
    } else {
        share(packets, own_bytes, bytes)
    };
    let (own, back) = ((own_packets, own_bytes), (packets - own_packets, bytes - own_bytes));
    let (src_port, dst_port) = if matches!(proto, 1 | 58) {
        icmp(row[SRC_PORT], row[DST_PORT])?
    } else {
        (port(row[SRC_PORT])?, port(row[DST_PORT])?)
    };
    let (mut out_flags, mut back_flags) = flags(row[STATE]).unwrap_or((0, 0));
    // `<-`: the second host began.
    let turned = row[DIRECTION].starts_with(b"<") && !row[DIRECTION].contains(&b'>');
    let (mut from, mut to) = ((src, src_port, own), (dst, dst_port, back));
    if turned {
        std::mem::swap(&mut from, &mut to);
        std::mem::swap(&mut out_flags, &mut back_flags);
    }
    let state = if proto == 6 && flags(row[STATE]).is_some() {
        fields::tcp_state(out_flags, back_flags, to.2.0)
    } else {
        state(row[STATE], proto == 6)
    };
    rows.flows.push(&Flow {
        src_hi: from.0.hi,
        src_lo: from.0.lo,
        dst_hi: to.0.hi,
        dst_lo: to.0.lo,
        src_port: from.1,
        dst_port: to.1,
        proto,
        time: time.millis,
        duration: fields::duration(row[DURATION])?,
        packets: from.2.0,
        bytes: from.2.1,
        back_packets: to.2.0,
        back_bytes: to.2.1,
        flags: if proto == 6 { out_flags } else { 0 },
        state: state.code(),
        ..Flow::EMPTY
    });
    Ok(time.zone_missing.then_some(Reason::NoZone))
}

/// So many of the packets as the bytes are of all bytes; whoever sent a byte sent a packet.
fn share(packets: i64, own_bytes: i64, bytes: i64) -> i64 {
    if own_bytes >= bytes {
        return packets;
    }
    if own_bytes == 0 {
        return 0;
    }
    let share = i128::from(packets) * i128::from(own_bytes) / i128::from(bytes);
    (share as i64).clamp(1.min(packets), (packets - 1).max(0))
}

/// Decimal, or hexadecimal with `0x`.
fn port(text: &[u8]) -> Result<i32, Reason> {
    match hexadecimal(text) {
        Some(number) => Ok(number),
        None => fields::port(text),
    }
}

fn hexadecimal(text: &[u8]) -> Option<i32> {
    let digits = text.strip_prefix(b"0x")?;
    i32::from_str_radix(std::str::from_utf8(digits).ok()?, 16)
        .ok()
        .filter(|number| (0..=65535).contains(number))
}

/// Type and code of ICMP. Argus writes both into the source's port, the code in the high byte, and an id
/// into the other; tools that rewrite its flows put them apart.
fn icmp(src_port: &[u8], dst_port: &[u8]) -> Result<(i32, i32), Reason> {
    match hexadecimal(src_port) {
        Some(number) if src_port.len() > 4 => Ok((number & 0xff, number >> 8)),
        Some(number) => Ok((number, port(dst_port)? & 0xff)),
        None => Ok((port(src_port)?, port(dst_port)?)),
    }
}

/// Flags of both sides from the form `FSPA_FSPA`.
fn flags(state: &[u8]) -> Option<(i32, i32)> {
    let at = state.iter().position(|&b| b == b'_')?;
    let side = |letters: &[u8]| {
        letters.iter().try_fold(0, |flags, letter| {
            Some(
                flags
                    | match letter {
                        b'F' => flow::FIN,
                        b'S' => flow::SYN,
                        b'R' => flow::RST,
                        b'P' => 8,
                        b'A' => flow::ACK,
                        b'U' => 32,
                        b'E' => 64,
                        b'C' => 128,
                        _ => return None,
                    },
            )
        })
    };
    Some((side(&state[..at])?, side(&state[at + 1..])?))
}

/// States of Argus by name (ra(1), "state"), and those of Zeek where flows were made of its logs.
fn state(name: &[u8], tcp: bool) -> State {
    match name {
        b"REQ" | b"INT" => State::Attempt,
        b"ACC" | b"CON" | b"EST" => State::Established,
        b"CLO" | b"FIN" => State::Closed,
        b"RST" => State::Reset,
        name => zeek::state(name, tcp),
    }
}

#[cfg(test)]
mod tests {
    use crate::network::testing::check;

    const HEADER: &str = "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,SrcPkts,Label\n";

    #[test]
    fn rows_of_argus_become_flows() {
        insta::assert_snapshot!(check(format!(
            "{HEADER}2019/04/04 16:23:00.325010,0.027947,udp,192.0.2.1,48427,  <->,198.51.100.53,53,CON,0,0,2,142,63,1,\n\
             2018/12/18 14:00:00.527012,0.699716,tcp,192.0.2.1,52798,   ->,198.51.100.2,445,S_RA,0,0,2,134,70,1,\n\
             2018/12/18 14:00:00.527012,1,tcp,198.51.100.2,445,  <-,192.0.2.1,52798,FSPA_FSPA,0,0,20,1000,700,12,x\n\
             2019/04/04 16:49:22.840553,0,icmp,192.0.2.1,0x0403,   ->,198.51.100.2,0x97af,URF,192,,1,104,104,1,\n\
             2019/04/04 16:49:22.8,0,arp,192.0.2.1,,  who,192.0.2.2,,CON,,,2,92,46,1,\n"
        )), @r"
    flow 2019-04-04T16:23:00.325Z +28 ms 192.0.2.1:48427 > 198.51.100.53:53 proto 17 sent 1/63 back 1/79 flags 0 established unknown sampling 1 frag 0 uid -
    flow 2018-12-18T14:00:00.527Z +700 ms 192.0.2.1:52798 > 198.51.100.2:445 proto 6 sent 1/70 back 1/64 flags 2 rejected unknown sampling 1 frag 0 uid -
    flow 2018-12-18T14:00:00.527Z +1000 ms 192.0.2.1:52798 > 198.51.100.2:445 proto 6 sent 8/300 back 12/700 flags 27 closed unknown sampling 1 frag 0 uid -
    flow 2019-04-04T16:49:22.841Z +0 ms 192.0.2.1:3 > 198.51.100.2:4 proto 1 sent 1/104 back 0/0 flags 0 unknown unknown sampling 1 frag 0 uid -
    4 × time without a zone: taken as UTC (2 3 4 5)
    1 × a record of a kind of traffic that is not used: passed over (6)
    ");
    }

    #[test]
    fn without_the_sources_packets_they_follow_its_bytes() {
        insta::assert_snapshot!(check(
            "StartTime\tDur\tProto\tSrcAddr\tSport\tDir\tDstAddr\tDport\tState\tTotPkts\tTotBytes\tSrcBytes\n\
             2018/09/27 22:40:52.36\t1\ttcp\t192.0.2.1\t1\t ->\t192.0.2.2\t22\tCON\t35\t3766\t1224\n\
             2018/09/27 22:40:52.36\t1\tudp\t192.0.2.1\t1\t ->\t192.0.2.2\t22\tINT\t9\t900\t900\n"
        ), @r"
    flow 2018-09-27T22:40:52.36Z +1000 ms 192.0.2.1:1 > 192.0.2.2:22 proto 6 sent 11/1224 back 24/2542 flags 0 established unknown sampling 1 frag 0 uid -
    flow 2018-09-27T22:40:52.36Z +1000 ms 192.0.2.1:1 > 192.0.2.2:22 proto 17 sent 9/900 back 0/0 flags 0 attempt unknown sampling 1 frag 0 uid -
    2 × time without a zone: taken as UTC (2 3)
    ");
    }

    #[test]
    fn broken_rows_are_counted_by_reason() {
        insta::assert_snapshot!(check(format!(
            "{HEADER}2019/04/04 16:23:00,0,udp,192.0.2.1\n\
             late,0.02,udp,192.0.2.1,48427,  <->,198.51.100.53,53,CON,0,0,2,142,63,1,\n\
             2019/04/04 16:23:00,0,tcp,here,1,->,there,2,CON,0,0,2,142,63,1,\n\
             2019/04/04 16:23:00,0,tcp,192.0.2.1,1,->,192.0.2.2,2,CON,0,0,many,142,63,1,\n{HEADER}"
        )), @r"
    1 × not as many fields as the header (2)
    1 × time is neither a number nor RFC 3339 (3)
    1 × a number is none, or is out of its range (5)
    1 × an address is none (4)
    ");
    }
}
