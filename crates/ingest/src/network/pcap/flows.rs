//! The table of flows that are going on.
//!
//! It is bounded. What has been silent for its time-out is given out; where the table is full, the least
//! recently active flow is given out early and counted. Flows that have seen no answer go first while they
//! fill half of the table, so that a flood from forged addresses pushes out itself and not the conversations
//! of real visitors. Time is that of the packets: a recording of years costs no more than its packets do, and a
//! single packet with a false time does no harm (a flow is stale where it is too far from the present packet in
//! either direction).

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use traffic::Address;
use traffic::flow::{self, Service, State};

use super::headers::{Headers, ICMP, ICMP6, TCP, UDP};
use super::talks::Talks;
use crate::rows::Rows;

/// Flows that are held at once: 45 MiB. A server that answers 2,000 new clients a second needs about as many.
const CAPACITY: usize = 262_144;

/// A flow of TCP that is silent for so many milliseconds is over.
const IDLE_TCP: i64 = 120_000;

/// A flow of anything else that is silent for so long is over.
const IDLE_OTHER: i64 = 60_000;

/// After FIN from both sides, or RST, late packets still belong to the flow for so long.
const LINGER: i64 = 5_000;

/// A flow that lasts longer is given out in slices of this length.
const ACTIVE: i64 = 300_000;

/// Stale flows given out for each packet: more than one comes in, so the table drains, and a jump in time costs
/// no packet more than another.
const EXPIRED_AT_ONCE: usize = 4;

/// No flow.
pub(super) const NONE: u32 = u32::MAX;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// Both ends, the lower one first, so that both directions have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    low: Address,
    high: Address,
    /// Port of `low`, port of `high`, protocol.
    rest: u64,
}

impl Key {
    /// The key, and whether the sender is `high`.
    #[inline]
    fn of(headers: &Headers<'_>) -> (Self, bool) {
        let (mut src_port, mut dst_port) = (headers.src_port, headers.dst_port);
        if matches!(headers.proto, ICMP | ICMP6) {
            // An answer has the type of its question, so that both are one flow.
            let kind = question(headers.proto, src_port);
            (src_port, dst_port) = (kind, kind);
        }
        let (src, dst) = ((headers.src, src_port), (headers.dst, dst_port));
        let swapped = src > dst;
        let (low, high) = if swapped { (dst, src) } else { (src, dst) };
        let rest = u64::from(low.1) << 32 | u64::from(high.1) << 16 | u64::from(headers.proto);
        (Self { low: low.0, high: high.0, rest }, swapped)
    }
}

/// The type of the question to which an answer of ICMP belongs; any other type is its own.
fn question(proto: u8, kind: u16) -> u16 {
    match (proto, kind) {
        (ICMP, 0) => 8,
        (ICMP, 14 | 16 | 18) => kind - 1,
        (ICMP6, 129) => 128,
        _ => kind,
    }
}

/// How the first packet of a flow of TCP looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    Syn,
    /// A SYN-ACK, or anything from the middle.
    Middle,
    /// No TCP, or a fragment without its header.
    None,
}

/// Lists of flows, each in order of their last packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    TcpOneWay,
    OtherOneWay,
    TcpTwoWay,
    OtherTwoWay,
    Closing,
}

impl List {
    const ALL: [Self; 5] =
        [Self::TcpOneWay, Self::OtherOneWay, Self::TcpTwoWay, Self::OtherTwoWay, Self::Closing];

    fn idle(self) -> i64 {
        match self {
            Self::TcpOneWay | Self::TcpTwoWay => IDLE_TCP,
            Self::OtherOneWay | Self::OtherTwoWay => IDLE_OTHER,
            Self::Closing => LINGER,
        }
    }
}

/// What one side did. Counts are those of the present slice.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    packets: u64,
    bytes: u64,
    flags: u8,
    /// Flags of the whole flow, earlier slices included.
    ever: u8,
    /// It sent at least one packet, in earlier slices too.
    spoke: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    key: Key,
    hash: u64,
    first: i64,
    last: i64,
    /// The source, then the destination.
    sides: [Side; 2],
    fragments: u64,
    src_port: u16,
    dst_port: u16,
    source_is_high: bool,
    opening: Opening,
    list: List,
    before: u32,
    after: u32,
    pub(super) service: Service,
    /// The conversation that is followed in it; [`NONE`] where there is none.
    pub(super) talk: u32,
    /// Packets with content that were looked at without recognising it.
    pub(super) tried: u8,
}

impl Entry {
    /// The source's address.
    pub(super) fn source(&self) -> Address {
        if self.source_is_high { self.key.high } else { self.key.low }
    }

    fn destination(&self) -> Address {
        if self.source_is_high { self.key.low } else { self.key.high }
    }

    fn proto(&self) -> u8 {
        self.key.rest as u8
    }

    fn is_over(&self) -> bool {
        let [source, destination] = self.sides;
        (source.ever | destination.ever) & RST != 0 || source.ever & destination.ever & FIN != 0
    }

    /// True where the other side sent something.
    pub(super) fn is_two_way(&self) -> bool {
        self.sides[1].spoke
    }

    fn list(&self) -> List {
        match (self.proto() == TCP, self.is_two_way()) {
            (true, _) if self.is_over() => List::Closing,
            (true, false) => List::TcpOneWay,
            (true, true) => List::TcpTwoWay,
            (false, false) => List::OtherOneWay,
            (false, true) => List::OtherTwoWay,
        }
    }

    fn state(&self) -> State {
        let [source, destination] = self.sides;
        if self.opening == Opening::None {
            return match (destination.spoke, self.proto()) {
                (true, _) => State::Established,
                // Later fragments have no ports, so nobody can say what they belong to.
                (false, UDP) if self.src_port | self.dst_port != 0 => State::Attempt,
                (false, ICMP | ICMP6) if is_request(self.proto(), self.src_port) => State::Attempt,
                _ => State::Unknown,
            };
        }
        let from_start = self.opening == Opening::Syn;
        let reset = (source.ever | destination.ever) & RST != 0;
        let closed = source.ever & destination.ever & FIN != 0;
        match (from_start, destination.spoke) {
            (true, false) => State::Attempt,
            (true, true) if destination.ever & (SYN | RST) == RST => State::Rejected,
            (_, true) if closed => State::Closed,
            (true, true) if reset => State::Reset,
            (true, true) => State::Established,
            (false, _) => State::Partial,
        }
    }

    fn give_out(&self, state: State, rows: &mut Rows) {
        let (source, destination) = (self.source(), self.destination());
        let [there, back] = self.sides;
        rows.flows.push(&flow::Flow {
            src_hi: source.hi,
            src_lo: source.lo,
            dst_hi: destination.hi,
            dst_lo: destination.lo,
            src_port: i32::from(self.src_port),
            dst_port: i32::from(self.dst_port),
            proto: i32::from(self.proto()),
            time: self.first,
            duration: self.last - self.first,
            packets: there.packets as i64,
            bytes: there.bytes as i64,
            back_packets: back.packets as i64,
            back_bytes: back.bytes as i64,
            flags: i32::from(there.flags),
            state: state.code(),
            fragments: self.fragments as i64,
            sampling: 1,
            service: self.service.code(),
            uid: -1,
        });
    }

    /// Begins the next slice of a flow that goes on.
    fn next_slice(&mut self, time: i64) {
        (self.first, self.last, self.fragments) = (time, time, 0);
        for side in &mut self.sides {
            (side.packets, side.bytes, side.flags) = (0, 0, 0);
        }
    }
}

fn is_request(proto: u8, kind: u16) -> bool {
    matches!((proto, kind), (ICMP, 8 | 13 | 15 | 17) | (ICMP6, 128))
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    head: u32,
    tail: u32,
    len: usize,
}

/// Flows by key, with those that are over given out.
#[derive(Debug)]
pub(super) struct Table {
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    entries: Vec<Entry>,
    free: Vec<u32>,
    lists: [Ends; 5],
    capacity: usize,
    /// Flows given out early for want of room.
    pub(super) pushed_out: u64,
}

impl Default for Table {
    fn default() -> Self {
        Self::new(CAPACITY)
    }
}

impl Table {
    fn new(capacity: usize) -> Self {
        Self {
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            entries: Vec::new(),
            free: Vec::new(),
            lists: [Ends { head: NONE, tail: NONE, len: 0 }; 5],
            capacity,
            pushed_out: 0,
        }
    }

    pub(super) fn entry(&mut self, at: u32) -> &mut Entry {
        &mut self.entries[at as usize]
    }

    /// Counts a packet. Gives the flow's place, good until the next packet, and whether the source sent it.
    pub(super) fn count(
        &mut self,
        headers: &Headers<'_>,
        time: i64,
        talks: &mut Talks,
        rows: &mut Rows,
    ) -> (u32, bool) {
        self.expire(time, talks, rows);
        let (key, sender_is_high) = Key::of(headers);
        let hash = self.hasher.hash_one(key);
        let entries = &self.entries;
        let found = self.index.find(hash, |&at| entries[at as usize].key == key).copied();
        let at = match found {
            Some(at) if !self.is_another(at, headers, time) => at,
            Some(at) => {
                self.end(at, talks, rows);
                self.begin(key, hash, sender_is_high, headers, time, talks, rows)
            }
            None => self.begin(key, hash, sender_is_high, headers, time, talks, rows),
        };
        let entry = &mut self.entries[at as usize];
        if time - entry.first >= ACTIVE {
            entry.give_out(State::Open, rows);
            entry.next_slice(time);
        }
        let from_source = sender_is_high == entry.source_is_high;
        entry.first = entry.first.min(time);
        entry.last = entry.last.max(time);
        let side = &mut entry.sides[usize::from(!from_source)];
        side.packets += 1;
        side.bytes += headers.bytes;
        side.flags |= headers.flags;
        side.ever |= headers.flags;
        side.spoke = true;
        entry.fragments += u64::from(headers.fragment && from_source);
        self.touch(at);
        (at, from_source)
    }

    /// Gives out at most so many of what is left. False where nothing was.
    pub(super) fn finish(&mut self, at_most: usize, talks: &mut Talks, rows: &mut Rows) -> bool {
        for _ in 0..at_most {
            let Some(at) = self.oldest(&List::ALL) else { return false };
            self.end(at, talks, rows);
        }
        true
    }

    /// True where a packet begins a new flow although one with its key is held.
    #[inline]
    fn is_another(&self, at: u32, headers: &Headers<'_>, time: i64) -> bool {
        let entry = &self.entries[at as usize];
        let apart = (time - entry.last).abs();
        let opens = entry.list == List::Closing && headers.flags & (SYN | ACK | RST) == SYN;
        apart > entry.list.idle() || opens
    }

    #[expect(clippy::too_many_arguments, reason = "one caller; a struct would only rename them")]
    fn begin(
        &mut self,
        key: Key,
        hash: u64,
        sender_is_high: bool,
        headers: &Headers<'_>,
        time: i64,
        talks: &mut Talks,
        rows: &mut Rows,
    ) -> u32 {
        if self.index.len() >= self.capacity {
            self.make_room(talks, rows);
        }
        let opening = match headers.proto {
            TCP if headers.flags & (SYN | ACK) == SYN => Opening::Syn,
            TCP if headers.flags != 0 || headers.src_port | headers.dst_port != 0 => Opening::Middle,
            _ => Opening::None,
        };
        let mut entry = Entry {
            key,
            hash,
            first: time,
            last: time,
            sides: [Side::default(); 2],
            fragments: 0,
            src_port: headers.src_port,
            dst_port: headers.dst_port,
            source_is_high: sender_is_high,
            opening,
            list: List::Closing,
            before: NONE,
            after: NONE,
            service: Service::Unknown,
            talk: NONE,
            tried: 0,
        };
        entry.sides[0].spoke = true;
        entry.list = entry.list();
        let list = entry.list;
        let at = if let Some(at) = self.free.pop() {
            self.entries[at as usize] = entry;
            at
        } else {
            self.entries.push(entry);
            (self.entries.len() - 1) as u32
        };
        let entries = &self.entries;
        self.index.insert_unique(hash, at, |&at| entries[at as usize].hash);
        self.append(at, list);
        at
    }

    fn end(&mut self, at: u32, talks: &mut Talks, rows: &mut Rows) {
        self.unlink(at);
        let entry = &mut self.entries[at as usize];
        let hash = entry.hash;
        if let Ok(found) = self.index.find_entry(hash, |&other| other == at) {
            found.remove();
        }
        if entry.talk != NONE {
            talks.end(entry.talk, entry.is_two_way(), rows);
            entry.talk = NONE;
        }
        entry.give_out(entry.state(), rows);
        self.free.push(at);
    }

    fn expire(&mut self, time: i64, talks: &mut Talks, rows: &mut Rows) {
        let mut budget = EXPIRED_AT_ONCE;
        for list in List::ALL {
            while budget > 0 {
                let head = self.lists[list as usize].head;
                if head == NONE || (time - self.entries[head as usize].last).abs() <= list.idle() {
                    break;
                }
                self.end(head, talks, rows);
                budget -= 1;
            }
        }
    }

    fn make_room(&mut self, talks: &mut Talks, rows: &mut Rows) {
        let one_way = [List::TcpOneWay, List::OtherOneWay];
        let len: usize = one_way.iter().map(|&list| self.lists[list as usize].len).sum();
        let closing = self.lists[List::Closing as usize].head;
        let out = if closing != NONE {
            Some(closing)
        } else if 2 * len >= self.capacity {
            self.oldest(&one_way)
        } else {
            self.oldest(&List::ALL)
        };
        if let Some(at) = out {
            self.pushed_out += u64::from(closing == NONE);
            self.end(at, talks, rows);
        }
    }

    /// The head of these lists whose last packet is longest ago.
    fn oldest(&self, lists: &[List]) -> Option<u32> {
        let heads = lists.iter().map(|&list| self.lists[list as usize].head).filter(|&head| head != NONE);
        heads.min_by_key(|&head| (self.entries[head as usize].last, head))
    }

    /// Puts a flow behind all others of the list that it now belongs to.
    #[inline]
    fn touch(&mut self, at: u32) {
        let entry = &mut self.entries[at as usize];
        let list = entry.list();
        if entry.list == list && entry.after == NONE {
            return;
        }
        self.unlink(at);
        self.entries[at as usize].list = list;
        self.append(at, list);
    }

    fn append(&mut self, at: u32, list: List) {
        let ends = &mut self.lists[list as usize];
        let tail = ends.tail;
        ends.tail = at;
        ends.len += 1;
        if tail == NONE {
            ends.head = at;
        } else {
            self.entries[tail as usize].after = at;
        }
        let entry = &mut self.entries[at as usize];
        (entry.before, entry.after) = (tail, NONE);
    }

    fn unlink(&mut self, at: u32) {
        let Entry { before, after, list, .. } = self.entries[at as usize];
        let ends = &mut self.lists[list as usize];
        ends.len -= 1;
        if before == NONE {
            ends.head = after;
        } else {
            self.entries[before as usize].after = after;
        }
        let ends = &mut self.lists[list as usize];
        if after == NONE {
            ends.tail = before;
        } else {
            self.entries[after as usize].before = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use traffic::Seed;

    use super::*;

    fn headers(src: u32, dst: u32, src_port: u16, proto: u8, flags: u8) -> Headers<'static> {
        Headers {
            src: Address::v4(0xc633_6400 | src),
            dst: Address::v4(0xc000_0200 | dst),
            proto,
            src_port,
            dst_port: 443,
            flags,
            seq: 0,
            bytes: 40,
            fragment: false,
            payload: &[],
            payload_len: 0,
        }
    }

    fn back(headers: &Headers<'static>, flags: u8) -> Headers<'static> {
        let Headers { src, dst, src_port, dst_port, .. } = *headers;
        Headers { src: dst, dst: src, src_port: dst_port, dst_port: src_port, flags, ..*headers }
    }

    fn all(table: &mut Table, talks: &mut Talks, rows: &mut Rows) -> Vec<flow::Flow> {
        while table.finish(100, talks, rows) {}
        flow::rows(&rows.flows.finish())
    }

    #[test]
    fn a_flood_pushes_out_itself_and_not_the_conversations() {
        let (mut table, mut talks, mut rows) = (Table::new(64), Talks::default(), Rows::new(Seed(0), None));
        let visitors: Vec<_> = (0..20).map(|n| headers(n, 1, 5000, TCP, SYN)).collect();
        for visitor in &visitors {
            table.count(visitor, 0, &mut talks, &mut rows);
            table.count(&back(visitor, SYN | ACK), 1, &mut talks, &mut rows);
        }
        for n in 0..10_000_u32 {
            let forged = headers(n & 0xff, 1, (n >> 8) as u16, TCP, SYN);
            table.count(&forged, 2, &mut talks, &mut rows);
        }
        for visitor in &visitors {
            table.count(&Headers { flags: ACK, ..*visitor }, 3, &mut talks, &mut rows);
        }
        assert!(table.entries.len() <= 64);
        let flows = all(&mut table, &mut talks, &mut rows);
        let whole = flows.iter().filter(|f| (f.packets, f.back_packets) == (2, 1)).count();
        assert_eq!((whole, table.pushed_out), (20, 10_000 - 44));
        assert_eq!(flows.iter().map(|f| f.packets + f.back_packets).sum::<i64>(), 10_060);
    }

    proptest! {
        #[test]
        fn no_packet_is_lost_or_doubled(
            packets in proptest::collection::vec(
                (0..4_u32, 0..2_u32, 0..3_u16, any::<bool>(), any::<bool>(), any::<u8>(), -10_000_i64..400_000),
                0..400,
            ),
        ) {
            let (mut table, mut talks, mut rows) = (Table::new(6), Talks::default(), Rows::new(Seed(0), None));
            let mut time = 1_000_000_000_i64;
            for &(src, dst, port, is_tcp, is_back, flags, step) in &packets {
                time += if step > 300_000 { step * 1000 } else { step / 10 };
                let (proto, flags) = if is_tcp { (TCP, flags) } else { (UDP, 0) };
                let packet = headers(src, dst, port, proto, flags);
                let packet = if is_back { back(&packet, flags) } else { packet };
                table.count(&packet, time, &mut talks, &mut rows);
                prop_assert!(table.index.len() <= 6);
            }
            let flows = all(&mut table, &mut talks, &mut rows);
            let counted: i64 = flows.iter().map(|f| f.packets + f.back_packets).sum();
            prop_assert_eq!(counted, packets.len() as i64);
            prop_assert!(flows.iter().all(|f| f.duration >= 0 && f.packets + f.back_packets > 0));
            prop_assert_eq!(table.index.len(), 0);
            prop_assert!(table.lists.iter().all(|list| list.len == 0 && list.head == NONE && list.tail == NONE));
        }
    }
}
