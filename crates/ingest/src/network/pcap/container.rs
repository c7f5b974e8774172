//! Packets out of a capture file: pcap (the libpcap savefile format) and pcapng (draft-ietf-opsawg-pcapng).
//!
//! `pcap-parser` takes the blocks apart; here is the buffer it works on, bounded whatever a file says of itself.
//! Three things are read beside it, because version 0.17 lacks them or has them wrong: the obsolete Packet
//! Block, time resolutions that are powers of two (its `ts_resolution` gives none for any of them), and the
//! time offset of sections in big-endian order (it reads them as little-endian).

use std::io::{self, Read};

use pcap_parser::nom;
use pcap_parser::pcapng::{self, OptionCode};

use super::headers::Link;
use crate::files::Input;
use crate::problems::Reason;

/// Bytes asked of the file at once.
const CHUNK: usize = 1 << 20;

/// The longest record that is taken for a packet: libpcap's own limit (`MAXIMUM_SNAPLEN`, 262,144) and room for
/// a block's head and options. A record that claims more is damage.
const LONGEST: usize = 300_000;

/// The longest block that is passed over unread: Wireshark stores TLS secrets and host names in blocks of some
/// megabytes. One that claims more is damage.
const LONGEST_PASSED: usize = 256 << 20;

/// Interfaces of one section; a section that describes more is read without the others.
const INTERFACES: usize = 4096;

/// A packet as it was captured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    /// Milliseconds since the epoch, not yet checked.
    pub(super) time: i64,
    /// What the bytes begin with.
    pub(super) link: Link,
    /// The captured bytes.
    pub(super) data: &'a [u8],
    /// Bytes that were on the wire, at least as many as were captured.
    pub(super) on_wire: usize,
}

/// What comes next in a file.
#[derive(Debug)]
pub(super) enum Next<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// A packet that cannot be used, and what it was.
    Refused(Reason, &'static str),
    /// A block that is no packet.
    Other,
    /// The file goes on with what is no record: the rest is lost.
    Damaged(&'static str),
    /// Nothing more.
    End,
}

/// What a capture file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One header for the whole file, then packets.
    Pcap,
    /// Blocks, in sections.
    Pcapng,
}

impl Layout {
    pub(super) fn of(head: &[u8]) -> Result<Self, String> {
        let Some((magic, rest)) = head.split_first_chunk::<4>() else {
            return Err(String::new());
        };
        match *magic {
            [0xd4, 0xc3, 0xb2, 0xa1]
            | [0x4d, 0x3c, 0xb2, 0xa1]
            | [0xa1, 0xb2, 0xc3, 0xd4]
            | [0xa1, 0xb2, 0x3c, 0x4d]
            | [0x34, 0xcd, 0xb2, 0xa1] => {
                if head.len() < PCAP_HEADER {
                    return Err("it is shorter than the header of a pcap file".to_owned());
                }
                Ok(Self::Pcap)
            }
            [0x0a, 0x0d, 0x0d, 0x0a]
                if matches!(rest.get(4..8), Some([0x4d, 0x3c, 0x2b, 0x1a] | [0x1a, 0x2b, 0x3c, 0x4d])) =>
            {
                Ok(Self::Pcapng)
            }
            _ => Err(String::new()),
        }
    }
}

/// Bytes of a pcap file's header.
const PCAP_HEADER: usize = 24;

/// Takes one record at a time from a file.
pub(super) struct Container {
    window: Window,
    state: State,
    /// Time of the last packet that had one: simple packet blocks have none of their own.
    last_time: Option<i64>,
}

enum State {
    Start(Layout),
    Pcap { big_endian: bool, modified: bool, nanoseconds: bool, zone: i64, link: Link },
    Section { big_endian: bool, interfaces: Vec<Interface> },
    Over,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: Link,
    snaplen: usize,
    /// Units a second.
    resolution: u64,
    /// Seconds that are added to each time.
    offset: i64,
}

impl Container {
    pub(super) fn new(input: Input, layout: Layout) -> Self {
        Self { window: Window::new(input), state: State::Start(layout), last_time: None }
    }

    /// The next record.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged below this format (gzip).
    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        match &self.state {
            State::Over => Ok(Next::End),
            State::Start(Layout::Pcap) => self.pcap_header(),
            State::Start(Layout::Pcapng) => self.section(),
            State::Pcap { .. } => self.pcap_record(),
            State::Section { .. } => self.block(),
        }
    }

    fn over(&mut self, why: &'static str) -> io::Result<Next<'_>> {
        self.state = State::Over;
        Ok(Next::Damaged(why))
    }

    fn pcap_header(&mut self) -> io::Result<Next<'_>> {
        if !self.window.have(PCAP_HEADER)? {
            return self.over("the header is cut off");
        }
        let Ok((_, header)) = pcap_parser::parse_pcap_header(self.window.bytes()) else {
            return self.over("the header is none of a pcap file");
        };
        // The upper bits say how long the frame check sequence is, not what the link is.
        let link = Link::of(header.network.0 & 0xffff);
        self.state = State::Pcap {
            big_endian: header.is_bigendian(),
            modified: header.is_modified_format(),
            nanoseconds: header.is_nanosecond_precision(),
            zone: i64::from(header.thiszone),
            link,
        };
        self.window.take(PCAP_HEADER);
        Ok(Next::Other)
    }

    fn pcap_record(&mut self) -> io::Result<Next<'_>> {
        let State::Pcap { big_endian, modified, nanoseconds, zone, link } = self.state else {
            return Ok(Next::End);
        };
        let head = if modified { 24 } else { 16 };
        if !self.window.have(head)? {
            let rest = self.window.bytes().len();
            self.state = State::Over;
            return Ok(if rest == 0 { Next::End } else { Next::Damaged("the last record is cut off") });
        }
        let captured = word(self.window.bytes(), 8, big_endian) as usize;
        if captured > LONGEST {
            return self.over("a record claims more bytes than any packet has");
        }
        if !self.window.have(head + captured)? {
            return self.over("the last packet is cut off");
        }
        let at = self.window.take(head + captured);
        let record = self.window.at(at, head + captured);
        let parsed = match (modified, big_endian) {
            (true, _) => pcap_parser::parse_pcap_frame_modified(record),
            (false, true) => pcap_parser::parse_pcap_frame_be(record),
            (false, false) => pcap_parser::parse_pcap_frame(record),
        };
        let Ok((_, frame)) = parsed else {
            self.state = State::Over;
            return Ok(Next::Damaged("a record cannot be read"));
        };
        let fraction = i64::from(frame.ts_usec) / if nanoseconds { 1_000_000 } else { 1_000 };
        // Savefiles of libpcap are in UTC; `thiszone` is 0 but in very old ones.
        let time = (i64::from(frame.ts_sec) + zone) * 1_000 + fraction;
        self.last_time = Some(time);
        let on_wire = (frame.origlen as usize).max(frame.data.len());
        Ok(Next::Packet(Packet { time, link, data: frame.data, on_wire }))
    }

    /// A section header, which says how all that follows is to be read.
    fn section(&mut self) -> io::Result<Next<'_>> {
        if !self.window.have(12)? {
            return self.over("a section header is cut off");
        }
        let big_endian = match self.window.bytes()[8..12] {
            [0x4d, 0x3c, 0x2b, 0x1a] => false,
            [0x1a, 0x2b, 0x3c, 0x4d] => true,
            _ => return self.over("a section header has no byte order"),
        };
        let length = word(self.window.bytes(), 4, big_endian) as usize;
        if length < 28 || !length.is_multiple_of(4) || length > LONGEST_PASSED {
            return self.over("a section header has no length");
        }
        if !self.window.pass(length)? {
            return self.over("a section header is cut off");
        }
        self.state = State::Section { big_endian, interfaces: Vec::new() };
        Ok(Next::Other)
    }

    fn block(&mut self) -> io::Result<Next<'_>> {
        let State::Section { big_endian, interfaces } = &mut self.state else { return Ok(Next::End) };
        let big_endian = *big_endian;
        if !self.window.have(8)? {
            let rest = self.window.bytes().len();
            self.state = State::Over;
            return Ok(if rest == 0 { Next::End } else { Next::Damaged("the last block is cut off") });
        }
        let kind = word(self.window.bytes(), 0, big_endian);
        if kind == pcapng::SHB_MAGIC {
            return self.section();
        }
        let length = word(self.window.bytes(), 4, big_endian) as usize;
        if length < 12 || !length.is_multiple_of(4) || length > LONGEST_PASSED {
            return self.over("a block has no length");
        }
        let is_read = matches!(kind, OLD_PACKET | pcapng::IDB_MAGIC | pcapng::EPB_MAGIC | pcapng::SPB_MAGIC);
        if !is_read || length > LONGEST {
            if !self.window.pass(length)? {
                return self.over("the last block is cut off");
            }
            return Ok(if is_read {
                Next::Refused(Reason::BadPacket, "a block of more than 300,000 bytes")
            } else {
                Next::Other
            });
        }
        if !self.window.have(length)? {
            return self.over("the last block is cut off");
        }
        let at = self.window.take(length);
        let bytes = self.window.at(at, length);
        if kind == OLD_PACKET {
            return Ok(old_packet(bytes, big_endian, interfaces, &mut self.last_time));
        }
        let block = if big_endian { pcapng::parse_block_be(bytes) } else { pcapng::parse_block_le(bytes) };
        Ok(match block {
            Ok((_, pcapng::Block::EnhancedPacket(packet))) => {
                let data = captured(packet.data, packet.caplen);
                let stamp = (packet.ts_high, packet.ts_low);
                of_interface(interfaces, packet.if_id, stamp, data, packet.origlen, &mut self.last_time)
            }
            Ok((_, pcapng::Block::SimplePacket(packet))) => match (interfaces.first(), self.last_time) {
                (None, _) => {
                    Next::Refused(Reason::BadPacket, "a packet of an interface that is not described")
                }
                (_, None) => {
                    Next::Refused(Reason::NoTime, "a simple packet block before any that has a time")
                }
                (Some(interface), Some(time)) => {
                    let on_wire = packet.origlen as usize;
                    let data = &packet.data[..packet.data.len().min(on_wire).min(interface.snaplen)];
                    Next::Packet(Packet {
                        time,
                        link: interface.link,
                        data,
                        on_wire: on_wire.max(data.len()),
                    })
                }
            },
            Ok((_, pcapng::Block::InterfaceDescription(description))) => {
                if interfaces.len() < INTERFACES {
                    interfaces.push(Interface::of(&description, big_endian));
                }
                Next::Other
            }
            Ok(_) | Err(nom::Err::Incomplete(_) | nom::Err::Error(_) | nom::Err::Failure(_)) => {
                Next::Refused(Reason::BadPacket, "a block that contradicts itself")
            }
        })
    }
}

/// Type of the obsolete Packet Block (draft-ietf-opsawg-pcapng, appendix A).
const OLD_PACKET: u32 = 2;

fn old_packet<'a>(
    block: &'a [u8],
    big_endian: bool,
    interfaces: &[Interface],
    last_time: &mut Option<i64>,
) -> Next<'a> {
    // Type, length, interface (16 bits), drops (16 bits), time (64), captured and original length.
    if block.len() < 32 {
        return Next::Refused(Reason::BadPacket, "a block that contradicts itself");
    }
    let interface = [block[8], block[9]];
    let interface = if big_endian { u16::from_be_bytes(interface) } else { u16::from_le_bytes(interface) };
    let [high, low, caplen, on_wire] = [12, 16, 20, 24].map(|at| word(block, at, big_endian));
    let data = captured(&block[28..block.len() - 4], caplen);
    of_interface(interfaces, u32::from(interface), (high, low), data, on_wire, last_time)
}

fn of_interface<'a>(
    interfaces: &[Interface],
    id: u32,
    (high, low): (u32, u32),
    data: &'a [u8],
    on_wire: u32,
    last_time: &mut Option<i64>,
) -> Next<'a> {
    let Some(interface) = interfaces.get(id as usize) else {
        return Next::Refused(Reason::BadPacket, "a packet of an interface that is not described");
    };
    let Some(time) = interface.millis(u64::from(high) << 32 | u64::from(low)) else {
        return Next::Refused(Reason::BadTime, "a time beyond all years");
    };
    *last_time = Some(time);
    let on_wire = (on_wire as usize).max(data.len());
    Next::Packet(Packet { time, link: interface.link, data, on_wire })
}

fn captured(data: &[u8], caplen: u32) -> &[u8] {
    &data[..data.len().min(caplen as usize)]
}

impl Interface {
    fn of(description: &pcapng::InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        // Section 4.2: the upper bit says whether the rest is a power of two or of ten; without it, microseconds.
        let resolution = match description.if_tsresol {
            tens @ 0..=19 => 10_u64.pow(u32::from(tens)),
            twos @ 0x80..=0xbf => 1 << (twos & 0x7f),
            _ => 1_000_000,
        };
        let offset = description.options.iter().find(|option| option.code == OptionCode::IfTsoffset);
        let offset = offset.and_then(|option| option.value.first_chunk::<8>()).map_or(0, |&bytes| {
            if big_endian { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) }
        });
        let snaplen = if description.snaplen == 0 { usize::MAX } else { description.snaplen as usize };
        Self { link: Link::of(description.linktype.0), snaplen, resolution, offset }
    }

    fn millis(&self, units: u64) -> Option<i64> {
        // Nearly all files; a division of 128 bits would cost as much as the rest of the record.
        if self.resolution == 1_000_000 && self.offset == 0 {
            return Some((units / 1_000) as i64);
        }
        let millis =
            i128::from(units) * 1_000 / i128::from(self.resolution) + i128::from(self.offset) * 1_000;
        i64::try_from(millis).ok()
    }
}

fn word(bytes: &[u8], at: usize, big_endian: bool) -> u32 {
    let Some(&bytes) = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()) else { return 0 };
    if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

/// The part of a file that is in memory.
struct Window {
    input: Input,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl Window {
    fn new(input: Input) -> Self {
        Self { input, buffer: vec![0; CHUNK + LONGEST], start: 0, end: 0, ended: false }
    }

    /// What is there and not yet taken.
    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// True where so many bytes are there, read if need be. At most as many as the buffer has are ever asked for.
    #[inline]
    fn have(&mut self, n: usize) -> io::Result<bool> {
        if self.end - self.start >= n { Ok(true) } else { self.fill(n) }
    }

    fn fill(&mut self, n: usize) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < n && !self.ended {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.end >= n)
    }

    /// Steps over bytes that are there, and says where they were.
    fn take(&mut self, n: usize) -> usize {
        let at = self.start;
        self.start += n;
        at
    }

    fn at(&self, at: usize, n: usize) -> &[u8] {
        &self.buffer[at..at + n]
    }

    /// Steps over bytes without keeping them. False where the file ends before.
    fn pass(&mut self, mut n: usize) -> io::Result<bool> {
        loop {
            let step = n.min(self.end - self.start);
            self.start += step;
            n -= step;
            if n == 0 {
                return Ok(true);
            }
            if !self.have(1)? {
                return Ok(false);
            }
        }
    }
}
