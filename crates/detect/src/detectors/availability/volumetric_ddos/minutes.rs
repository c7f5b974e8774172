//! One destination and minute after the other: rates by the second and the shape of each class.

use traffic::{Address, Seed};

use crate::detectors::availability::by_minute::{self, Packet};
use crate::detectors::availability::packets::Class;
use crate::detectors::availability::seconds::{Rates, Seconds};
use crate::detectors::availability::shape::{Answers, Histogram, NUMBERS, Shape, Tally};
use crate::engine::{Fold, Table};
use crate::stats::sample::{BottomK, Top};

use super::gather::{Fact, fact};

/// Half of what a flood needs, since a flood may lie across the end of a minute.
const LEAST_PACKETS: i64 = 250;
const LEAST_IN_1_S: i64 = 500;
const LEAST_IN_10_S: i64 = 500;
const LEAST_BYTES_IN_1_S: i64 = 25_000_000 / 8;

/// Packets from which on the rate of a minute is worth a row, to learn what is usual.
const WORTH_A_RATE: i64 = 100;

/// Odd SYNs or SYN-ACKs from which on a minute is looked at for a flood below all rates. The ordinary
/// ones beside them count too, or their share would be overstated.
const WORTH_A_LOW: i64 = 5;
/// Packets of a minute that are too many to be called a trickle: 100 a second.
const MOST_LOW: i64 = 6000;

/// Rows of a class of a minute that are held back, to see first whether it is worth being counted in full. Nearly
/// all minutes are so small, and hardly any of those is.
const HELD_BACK: usize = 512;

/// Sources that are named, sources that are sampled, ports and lengths that are listed.
const TOP_SOURCES: usize = 10;
const SAMPLED_SOURCES: usize = 128;
const LISTED: usize = 5;

/// Destination, minute and class.
type Key = (Address, i64, Class);

pub(super) struct Minutes {
    seed: Seed,
    key: Option<Key>,
    /// Rows that are held back, while there are few.
    held_back: Vec<Packet>,
    /// There were more, so that each is counted as it comes.
    in_full: bool,
    /// SYNs of a minute without anything odd, and whose they are.
    quiet_syn: Vec<Packet>,
    quiet_syn_of: Option<(Address, i64)>,
    tally: Tally,
    seconds: Seconds,
    top: Top<Address>,
    sample: BottomK<Address>,
    /// Of the minute that is under way: what may be a trickle, the odd packets in it, whose it is.
    low: Vec<Fact>,
    odd: i64,
    low_of: Option<(Address, i64)>,
}

impl Fold for Minutes {
    type In = Packet;
    type Out = Fact;

    fn row(&mut self, row: &Packet, out: &mut Table<Fact>) {
        let Some(class) = Class::from_code(row.class) else {
            return out.push(&match row.class {
                by_minute::ANSWERED => Fact::of(row.dst(), fact::ANSWERED, row.packets, 0),
                by_minute::ASKED => Fact {
                    minute: row.minute,
                    ..Fact::of(row.dst(), fact::ASKED, row.src_port.into(), row.packets)
                },
                _ => Fact::of(Address::NONE, fact::SPAN, row.minute, row.minute),
            });
        };
        let key = (row.dst(), row.minute, class);
        if self.key != Some(key) {
            self.close(out);
            self.key = Some(key);
        }
        self.seconds.add(row.at.into(), row.span.into(), row.packets, row.bytes);
        if self.in_full {
            return self.count(class, row);
        }
        self.held_back.push(*row);
        if self.held_back.len() > HELD_BACK {
            self.count_held_back(key);
        }
    }

    fn finish(&mut self, out: &mut Table<Fact>) {
        self.close(out);
        self.close_low(out);
    }
}

impl Minutes {
    pub(super) fn new(seed: Seed) -> Self {
        Self {
            seed,
            key: None,
            held_back: Vec::new(),
            in_full: false,
            quiet_syn: Vec::new(),
            quiet_syn_of: None,
            tally: Tally::new(),
            seconds: Seconds::default(),
            top: Top::new(TOP_SOURCES),
            sample: BottomK::new(SAMPLED_SOURCES),
            low: Vec::new(),
            odd: 0,
            low_of: None,
        }
    }

    fn count(&mut self, class: Class, row: &Packet) {
        if let Some((source, sent)) = self.tally.add(class, row.src, row) {
            self.source_done(source, sent);
        }
    }

    /// Counts what was held back, and from now on each row as it comes.
    fn count_held_back(&mut self, (dst, minute, class): Key) {
        if class == Class::SynAck && self.quiet_syn_of.take() == Some((dst, minute)) {
            self.note_quiet_syn(dst, minute);
        }
        let mut rows = std::mem::take(&mut self.held_back);
        rows.drain(..).for_each(|row| self.count(class, &row));
        self.held_back = rows;
        self.in_full = true;
    }

    /// Notes the SYNs that had nothing odd among them, since the SYN-ACKs beside them may have.
    fn note_quiet_syn(&mut self, dst: Address, minute: i64) {
        let mut rows = std::mem::take(&mut self.quiet_syn);
        rows.drain(..).for_each(|row| self.count(Class::Syn, &row));
        self.quiet_syn = rows;
        self.close_sources();
        self.low_of = Some((dst, minute));
        self.note_low((dst, minute, Class::Syn), false);
        self.clear_counts();
    }

    /// Ends a minute of which all rows are held back and come to nothing but its rate: it is below the floors, and
    /// has no odd packets. False where it must be counted.
    fn close_quiet(&mut self, (dst, minute, class): Key, out: &mut Table<Fact>) -> bool {
        let odd = match class {
            Class::Syn => |row: &Packet| row.src_port == row.dst_port || row.src_port < 1024,
            Class::SynAck => |row: &Packet| row.src_port == row.dst_port,
            _ => |_: &Packet| false,
        };
        let may_be_low = matches!(class, Class::Syn | Class::SynAck);
        if may_be_low && (self.odd > 0 || self.held_back.iter().any(odd)) {
            return false;
        }
        let packets: i64 = self.held_back.iter().map(|row| row.packets).sum();
        if packets >= WORTH_A_RATE {
            let rates = self.seconds.rates();
            if is_loud(packets, &rates) {
                return false;
            }
            out.push(&rate((dst, minute, class), packets, &rates));
        }
        if class == Class::Syn {
            std::mem::swap(&mut self.quiet_syn, &mut self.held_back);
            self.quiet_syn_of = Some((dst, minute));
        }
        self.held_back.clear();
        self.seconds.clear();
        true
    }

    fn close_sources(&mut self) {
        if let Some((source, sent)) = self.tally.close_source() {
            self.source_done(source, sent);
        }
    }

    fn clear_counts(&mut self) {
        self.tally.clear();
        self.top.clear();
        self.sample.clear();
    }

    fn source_done(&mut self, source: Address, sent: i64) {
        self.top.push(source, sent);
        self.sample.add(self.seed.address(source), source, sent);
    }

    /// Ends a class of a minute: puts out what is worth it.
    fn close(&mut self, out: &mut Table<Fact>) {
        let Some(key) = self.key.take() else { return };
        if self.low_of.is_some_and(|of| of != (key.0, key.1)) {
            self.close_low(out);
        }
        if !self.in_full {
            if self.close_quiet(key, out) {
                return;
            }
            self.count_held_back(key);
        }
        self.in_full = false;
        self.close_sources();
        self.low_of = Some((key.0, key.1));
        let told = self.tally.packets >= WORTH_A_RATE && self.close_loud(key, out);
        if matches!(key.2, Class::Syn | Class::SynAck) {
            self.note_low(key, told);
        }
        self.clear_counts();
        self.seconds.clear();
    }

    /// Puts out the rate, and what the class looks like where it may be a flood; true if it may.
    fn close_loud(&mut self, (dst, minute, class): Key, out: &mut Table<Fact>) -> bool {
        let (packets, rates) = (self.tally.packets, self.seconds.rates());
        out.push(&rate((dst, minute, class), packets, &rates));
        if !is_loud(packets, &rates) {
            return false;
        }
        let mut put = |fact: i32, a: i64, b: i64, c: i64, d: i64| {
            out.push(&Fact { dst, fact, minute, class: class.code(), a, b, c, d });
        };
        let shape = self.tally.shape();
        if !may_be_flood(class, &shape) {
            return false;
        }
        let numbers = shape.numbers();
        for (place, part) in numbers.as_chunks::<3>().0.iter().enumerate().take(NUMBERS / 3) {
            put(fact::SHAPE, place as i64, part[0], part[1], part[2]);
        }
        for (second, milli, bytes) in self.seconds.iter() {
            put(fact::SECOND, second, milli, bytes, 0);
        }
        let mut list = |fact: i32, histogram: &mut Histogram| {
            histogram.top(LISTED).into_iter().for_each(|(value, n)| put(fact, value, n, 0, 0));
        };
        list(fact::SRC_PORT, &mut self.tally.src_ports);
        list(fact::DST_PORT, &mut self.tally.dst_ports);
        list(fact::LENGTH, &mut self.tally.lengths);
        self.top.iter().for_each(|(source, sent)| put(fact::SOURCE, source.hi, source.lo, sent, 0));
        self.sample.iter().for_each(|(source, sent)| put(fact::SAMPLE, source.hi, source.lo, sent, 0));
        true
    }

    /// Remembers SYNs or SYN-ACKs of a quiet minute until it is known whether odd ones are among them.
    fn note_low(&mut self, (dst, minute, class): Key, told: bool) {
        let tally = &self.tally;
        if tally.packets > MOST_LOW {
            return;
        }
        self.odd += tally.same_port + if class == Class::Syn { tally.privileged } else { 0 };
        let mut put = |fact: i32, a: i64, b: i64, c: i64, d: i64| {
            self.low.push(Fact { dst, fact, minute, class: class.code(), a, b, c, d });
        };
        put(fact::LOW, tally.packets, tally.same_port, tally.privileged, tally.unanswered());
        if !told {
            self.sample.iter().for_each(|(source, sent)| put(fact::SAMPLE, source.hi, source.lo, sent, 0));
        }
    }

    fn close_low(&mut self, out: &mut Table<Fact>) {
        if std::mem::take(&mut self.odd) >= WORTH_A_LOW {
            out.extend(self.low.drain(..));
        }
        self.low.clear();
        self.low_of = None;
    }
}

/// Beyond the floors, as far as one minute tells.
fn is_loud(packets: i64, rates: &Rates) -> bool {
    packets >= LEAST_PACKETS
        && (rates.in_1_s >= LEAST_IN_1_S
            || rates.in_10_s >= LEAST_IN_10_S
            || rates.bytes_in_1_s >= LEAST_BYTES_IN_1_S)
}

/// The rate of a minute.
fn rate((dst, minute, class): Key, packets: i64, rates: &Rates) -> Fact {
    let (a, b, c, d) = (packets, rates.in_1_s, rates.in_10_s, rates.bytes_in_1_s);
    Fact { dst, fact: fact::BASE, minute, class: class.code(), a, b, c, d }
}

/// True where some knowledge of answers would make it a flood.
fn may_be_flood(class: Class, shape: &Shape) -> bool {
    [Answers::Assumed, Answers::Unknown].into_iter().any(|answers| shape.is_flood(class, answers, false))
}
