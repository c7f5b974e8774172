//! What detectors of floods share: which class of packets a flow is made of, and how it is spread over
//! the minutes that it covers.

use arrow_array::RecordBatch;
use traffic::Address;
use traffic::flow::{ACK, FIN, RST, SYN, State};

use crate::engine::{column_i32, column_i64};
use crate::stats::counts::{MOST, believed};

/// Milliseconds of a minute.
pub(super) const MINUTE_MS: i64 = 60_000;

const PSH: i32 = 8;
const URG: i32 = 32;
const ECE_CWR: i32 = 64 | 128;

/// Classes of packets that floods are made of. What belongs to a conversation of two sides is in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// SYN, and the handshake was never finished.
    Syn,
    /// SYN-ACK that nobody asked for.
    SynAck,
    /// RST alone.
    Rst,
    /// ACK of no connection.
    Ack,
    /// TCP without any flag.
    Null,
    /// UDP without an answer.
    Udp,
    /// IP fragments.
    Fragments,
    /// ICMP.
    Icmp,
}

impl Class {
    pub(super) const ALL: [Self; 8] =
        [Self::Syn, Self::SynAck, Self::Rst, Self::Ack, Self::Null, Self::Udp, Self::Fragments, Self::Icmp];

    pub(super) fn code(self) -> i32 {
        self as i32
    }

    pub(super) fn from_code(code: i32) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }
}

/// Columns of a batch of flows.
pub(super) struct Flows<'a> {
    pub(super) src: (&'a [i64], &'a [i64]),
    pub(super) dst: (&'a [i64], &'a [i64]),
    pub(super) src_port: &'a [i32],
    pub(super) dst_port: &'a [i32],
    pub(super) proto: &'a [i32],
    pub(super) time: &'a [i64],
    pub(super) duration: &'a [i64],
    pub(super) packets: &'a [i64],
    pub(super) bytes: &'a [i64],
    pub(super) back_packets: &'a [i64],
    pub(super) back_bytes: &'a [i64],
    pub(super) flags: &'a [i32],
    pub(super) state: &'a [i32],
    pub(super) fragments: &'a [i64],
    pub(super) sampling: &'a [i32],
}

impl<'a> Flows<'a> {
    pub(super) fn of(batch: &'a RecordBatch) -> Self {
        Self {
            src: (column_i64(batch, "src_hi"), column_i64(batch, "src_lo")),
            dst: (column_i64(batch, "dst_hi"), column_i64(batch, "dst_lo")),
            src_port: column_i32(batch, "src_port"),
            dst_port: column_i32(batch, "dst_port"),
            proto: column_i32(batch, "proto"),
            time: column_i64(batch, "time"),
            duration: column_i64(batch, "duration"),
            packets: column_i64(batch, "packets"),
            bytes: column_i64(batch, "bytes"),
            back_packets: column_i64(batch, "back_packets"),
            back_bytes: column_i64(batch, "back_bytes"),
            flags: column_i32(batch, "flags"),
            state: column_i32(batch, "state"),
            fragments: column_i64(batch, "fragments"),
            sampling: column_i32(batch, "sampling"),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.time.len()
    }

    /// The row as it matters for floods. What only the answer was seen of is turned round.
    pub(super) fn one_way(&self, at: usize) -> OneWay {
        let turned = self.packets[at] <= 0 && self.back_packets[at] > 0;
        let here = Address { hi: self.src.0[at], lo: self.src.1[at] };
        let there = Address { hi: self.dst.0[at], lo: self.dst.1[at] };
        let sampling = i64::from(self.sampling[at].max(1));
        let row = OneWay {
            src: here,
            dst: there,
            src_port: self.src_port[at],
            dst_port: self.dst_port[at],
            packets: believed(self.packets[at]),
            bytes: believed(self.bytes[at]),
            // Below zero nobody knows.
            back: self.back_packets[at].min(MOST),
            flags: self.flags[at],
            partial: self.state[at] == State::Partial.code(),
            rejected: self.state[at] == State::Rejected.code(),
            proto: self.proto[at],
            fragments: self.fragments[at].clamp(0, believed(self.packets[at])),
            sampling,
            time: self.time[at],
            // A duration beyond a year is a broken clock.
            duration: self.duration[at].clamp(0, 366 * 24 * 60 * MINUTE_MS),
        };
        if !turned {
            return row;
        }
        OneWay {
            src: there,
            dst: here,
            src_port: row.dst_port,
            dst_port: row.src_port,
            packets: row.back,
            bytes: believed(self.back_bytes[at]),
            back: 0,
            // Flags of answers are not known. A half-open answer is a SYN-ACK.
            flags: if row.proto == 6 { SYN | ACK } else { 0 },
            partial: true,
            fragments: 0,
            ..row
        }
    }
}

/// One direction of a flow.
#[derive(Clone, Copy)]
pub(super) struct OneWay {
    pub(super) src: Address,
    pub(super) dst: Address,
    pub(super) src_port: i32,
    pub(super) dst_port: i32,
    pub(super) proto: i32,
    pub(super) packets: i64,
    pub(super) bytes: i64,
    /// Packets back, -1 where nobody knows.
    pub(super) back: i64,
    flags: i32,
    partial: bool,
    rejected: bool,
    fragments: i64,
    pub(super) sampling: i64,
    time: i64,
    duration: i64,
}

/// Most rows that one flow becomes. A longer one is looked at in so many of its minutes, evenly
/// spread; in those its rate is right.
const MOST_MINUTES: i64 = 64;

/// Packets that a flow is believed to have sent in one minute: 143 million a second, which is what 100 Gbit/s of the
/// smallest frames are. Export data has no signature, so counts may be forged.
pub(super) const MOST_PACKETS: i64 = 1 << 33;

/// Bytes that a flow is believed to have sent in one minute: 586 Gbit/s.
const MOST_BYTES: i64 = 1 << 42;

/// A flow's share of one minute.
pub(super) struct Piece {
    pub(super) minute: i64,
    /// Milliseconds into the minute.
    pub(super) at: i64,
    /// Milliseconds that it lasts, within the minute.
    pub(super) span: i64,
    pub(super) packets: i64,
    pub(super) bytes: i64,
}

impl OneWay {
    /// The class of the packets that were sent, without the fragments among them.
    pub(super) fn class(&self) -> Option<Class> {
        // Packets that the sensor looked at.
        let seen = self.packets / self.sampling;
        match self.proto {
            6 => self.tcp_class(seen),
            // An answer to one packet in four makes it a conversation.
            17 if self.back > 0 && 4 * self.back >= self.packets => None,
            17 => Some(Class::Udp),
            1 | 58 => Some(Class::Icmp),
            _ => None,
        }
    }

    fn tcp_class(&self, seen: i64) -> Option<Class> {
        let has = |flag: i32| self.flags & flag != 0;
        if has(SYN) && !has(ACK) {
            return Some(Class::Syn);
        }
        if has(SYN) {
            // A connection's own flags are OR-ed into the same; what tells an answer apart is that it
            // comes from the port of a service, or alone, and that there is nothing else.
            let answer = seen <= 1 || self.partial || self.src_port < 1024 || self.src_port < self.dst_port;
            let alone = !has(FIN) && !has(PSH) && !has(URG) && self.back <= self.packets;
            return (answer && alone && self.bytes <= 100 * self.packets).then_some(Class::SynAck);
        }
        // Longer ones are connections whose beginning was not seen; what belongs to none is short.
        if seen > 3 {
            // A sampled SYN is held against the acknowledgements that were sampled beside it.
            return (self.sampling > 1 && has(ACK)).then_some(Class::Ack);
        }
        if has(RST) {
            return (self.back <= 0).then_some(Class::Rst);
        }
        if has(ACK) {
            return (self.back <= self.packets).then_some(Class::Ack);
        }
        (self.flags == 0 && self.back <= 0 && self.sampling == 1).then_some(Class::Null)
    }

    /// 0 nothing came back, 1 something did, -1 nobody knows.
    pub(super) fn answered(&self) -> i32 {
        self.back.signum() as i32
    }

    /// Bit 0: ECE and CWR are set. Bit 1: the destination refused.
    pub(super) fn marks(&self) -> i32 {
        i32::from(self.proto == 6 && self.flags & ECE_CWR == ECE_CWR) | i32::from(self.rejected) << 1
    }

    /// Packets that were fragments.
    pub(super) fn fragments(&self) -> i64 {
        self.fragments
    }

    /// First minute that it covers.
    pub(super) fn minute(&self) -> i64 {
        self.time.div_euclid(MINUTE_MS)
    }

    /// Spreads packets of the flow evenly over the time that it lasts.
    pub(super) fn pieces(&self, packets: i64, bytes: i64, mut each: impl FnMut(Piece)) {
        if packets <= 0 {
            return;
        }
        let mut each = |piece: Piece| {
            each(Piece {
                packets: piece.packets.min(MOST_PACKETS),
                bytes: piece.bytes.min(MOST_BYTES),
                ..piece
            });
        };
        let (start, end) = (self.time, self.time + self.duration);
        let (first, last) = (start.div_euclid(MINUTE_MS), end.div_euclid(MINUTE_MS));
        let at = start.rem_euclid(MINUTE_MS);
        if first == last {
            return each(Piece { minute: first, at, span: self.duration, packets, bytes });
        }
        let minutes = last - first + 1;
        let step = (minutes + MOST_MINUTES - 1) / MOST_MINUTES;
        // Cumulative shares, so that rounding neither loses nor makes a packet.
        let share = |whole: i64, until: i64| share(whole, until - start, self.duration);
        for minute in (first..=last).step_by(step as usize) {
            let from = start.max(minute * MINUTE_MS);
            let until = end.min((minute + 1) * MINUTE_MS);
            // The packets of the minutes that are passed over are not made up for: the rate is what counts.
            // The last packet is at the very end, so the last minute closes the sum.
            let sum = |whole: i64| {
                if minute == last {
                    whole - share(whole, from)
                } else {
                    share(whole, until) - share(whole, from)
                }
            };
            let piece = Piece {
                minute,
                at: from - minute * MINUTE_MS,
                span: until - from,
                packets: sum(packets),
                bytes: sum(bytes),
            };
            if piece.packets > 0 {
                each(piece);
            }
        }
    }
}

/// `part` of `all` of a whole. Wide arithmetic, which is slow, only where it is needed.
pub(super) fn share(whole: i64, part: i64, all: i64) -> i64 {
    match whole.checked_mul(part) {
        Some(product) => product / all,
        None => (i128::from(whole) * i128::from(part) / i128::from(all)) as i64,
    }
}

#[cfg(test)]
mod tests {
    use traffic::flow::Flow;

    use super::*;

    fn class(flow: Flow) -> Option<Class> {
        let batch = traffic::flow::batch(&[flow]);
        Flows::of(&batch).one_way(0).class()
    }

    #[test]
    fn conversations_belong_to_no_flood() {
        let tcp = Flow { proto: 6, src_port: 50_000, dst_port: 443, packets: 1, bytes: 40, ..Flow::EMPTY };
        let flags = |flags: i32, packets: i64, back_packets: i64| {
            class(Flow { flags, packets, bytes: 50 * packets, back_packets, ..tcp })
        };
        assert_eq!(flags(SYN, 1, 0), Some(Class::Syn));
        assert_eq!(flags(SYN | RST, 2, 1), Some(Class::Syn));
        assert_eq!(flags(SYN | ACK | PSH | FIN, 9, 12), None);
        assert_eq!(flags(SYN | ACK, 2, -1), None);
        assert_eq!(flags(SYN | ACK, 1, -1), Some(Class::SynAck));
        assert_eq!((flags(ACK, 1, 0), flags(ACK | PSH, 40, 60)), (Some(Class::Ack), None));
        assert_eq!((flags(RST | ACK, 1, 0), flags(0, 1, 0)), (Some(Class::Rst), Some(Class::Null)));
        let udp = Flow { proto: 17, packets: 3, ..Flow::EMPTY };
        assert_eq!(class(udp), Some(Class::Udp));
        assert_eq!(class(Flow { back_packets: 3, ..udp }), None);
    }

    /// Two forged counts of 2^53 packets in one second ended the run.
    #[test]
    fn what_no_link_carries_is_not_believed() {
        let most = 1 << 53;
        let flow = Flow { proto: 17, time: 30_000, packets: most, bytes: most, ..Flow::EMPTY };
        for duration in [0, 500, 100_000] {
            let batch = traffic::flow::batch(&[Flow { duration, ..flow }]);
            let (mut seconds, mut pieces) = (super::super::seconds::Seconds::default(), 0);
            for _ in 0..1000 {
                Flows::of(&batch).one_way(0).pieces(most, most, |piece| {
                    assert_eq!((piece.packets, piece.bytes), (MOST_PACKETS, MOST_BYTES));
                    seconds.add(piece.at, piece.span, piece.packets, piece.bytes);
                    pieces += 1;
                });
            }
            assert_eq!(seconds.packets(), pieces * MOST_PACKETS);
        }
    }

    #[test]
    fn an_answer_without_its_question_is_turned_round() {
        let flow = Flow {
            proto: 6,
            src_lo: 1,
            dst_lo: 2,
            src_port: 40_000,
            dst_port: 80,
            packets: 0,
            back_packets: 1,
            back_bytes: 44,
            ..Flow::EMPTY
        };
        let batch = traffic::flow::batch(&[flow]);
        let row = Flows::of(&batch).one_way(0);
        assert_eq!(
            (row.class(), row.src, row.src_port, row.bytes),
            (Some(Class::SynAck), Address { hi: 0, lo: 2 }, 80, 44)
        );
    }

    #[test]
    fn a_flow_is_spread_over_its_minutes() {
        let flow = Flow { proto: 17, time: 90_000, duration: 120_000, packets: 13, ..Flow::EMPTY };
        let batch = traffic::flow::batch(&[flow]);
        let row = Flows::of(&batch).one_way(0);
        let mut pieces = Vec::new();
        row.pieces(13, 1300, |piece| {
            pieces.push((piece.minute, piece.at, piece.span, piece.packets, piece.bytes));
        });
        assert_eq!(pieces, [(1, 30_000, 30_000, 3, 325), (2, 0, 60_000, 6, 650), (3, 0, 30_000, 4, 325)]);
        let week = Flow { duration: 7 * 86_400_000, packets: 7 * 86_400, ..flow };
        let batch = traffic::flow::batch(&[week]);
        let (mut n, mut most) = (0, 0);
        Flows::of(&batch).one_way(0).pieces(7 * 86_400, 0, |piece| {
            n += 1;
            most = most.max(piece.packets);
        });
        assert_eq!((n, most), (64, 60));
    }
}
