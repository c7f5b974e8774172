//! One destination and minute after the other: rates by the second and the shape of each class.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use traffic::Seed;

use crate::detectors::availability::packets::{Class, table};
use crate::detectors::availability::seconds::Seconds;
use crate::detectors::availability::shape::{Answers, Histogram, NUMBERS, Row, Shape, Tally};
use crate::engine::{Accounted, Emit, EngineError, Kernel, MakeKernel, Tables, column_i32, column_i64};
use crate::stats::sample::{BottomK, Top};

use super::gather::{Fact, fact, facts, hash, packet_columns};

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

/// Sources that are named, sources that are sampled, ports and lengths that are listed.
const TOP_SOURCES: usize = 10;
const SAMPLED_SOURCES: usize = 128;
const LISTED: usize = 5;

pub(super) struct MakeMinutes {
    pub(super) seed: Seed,
}

impl MakeKernel for MakeMinutes {
    fn input(&self) -> SchemaRef {
        packet_columns()
    }

    fn output(&self) -> SchemaRef {
        facts()
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Minutes {
            seed: self.seed,
            rows: 0,
            key: None,
            tally: Tally::new(),
            seconds: Seconds::default(),
            top: Top::new(TOP_SOURCES),
            sample: BottomK::new(SAMPLED_SOURCES),
            low: Vec::new(),
            odd: 0,
            low_of: None,
            out: Vec::new(),
        })
    }
}

/// Destination, minute and class.
type Key = (i64, i64, i64, i32);

struct Minutes {
    seed: Seed,
    rows: u64,
    key: Option<Key>,
    tally: Tally,
    seconds: Seconds,
    top: Top<(i64, i64)>,
    sample: BottomK<(i64, i64)>,
    /// Of the minute that is under way: what may be a trickle, the odd packets in it, whose it is.
    low: Vec<Fact>,
    odd: i64,
    low_of: Option<(i64, i64, i64)>,
    out: Vec<Fact>,
}

impl Kernel for Minutes {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let long = |name| column_i64(batch, name);
        let int = |name| column_i32(batch, name);
        let (dst_hi, dst_lo, minute, class) = (long("dst_hi"), long("dst_lo"), long("minute"), int("class"));
        let (src_hi, src_lo) = (long("src_hi"), long("src_lo"));
        let (at, span, packets, bytes) = (int("at"), int("span"), long("packets"), long("bytes"));
        let (src_port, dst_port) = (int("src_port"), int("dst_port"));
        let (answered, marks, sampling) = (int("answered"), int("marks"), int("sampling"));
        self.rows += dst_hi.len() as u64;
        for n in 0..dst_hi.len() {
            let key = (dst_hi[n], dst_lo[n], minute[n], class[n]);
            if self.key != Some(key) {
                self.close();
                self.key = Some(key);
                if self.out.len() >= 16_384 {
                    out.emit(table(&facts(), &self.out))?;
                    self.out.clear();
                }
            }
            let Some(class) = Class::from_code(class[n].into()) else { continue };
            let row = Row {
                src: (src_hi[n], src_lo[n]),
                packets: packets[n],
                bytes: bytes[n],
                src_port: src_port[n],
                dst_port: dst_port[n],
                answered: answered[n],
                marks: marks[n],
                sampling: sampling[n].into(),
            };
            if let Some((source, sent)) = self.tally.add(class, &row) {
                self.source_done(source, sent);
            }
            self.seconds.add(at[n].into(), span[n].into(), packets[n], bytes[n]);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close();
        self.close_low();
        out.emit(table(&facts(), &self.out))?;
        Ok(Accounted::used(self.rows))
    }
}

impl Minutes {
    fn source_done(&mut self, source: (i64, i64), sent: i64) {
        self.top.push(source, sent);
        self.sample.add(hash(self.seed, source), source, sent);
    }

    /// Ends a class of a minute: puts out what is worth it.
    fn close(&mut self) {
        let Some(key) = self.key.take() else { return };
        if let Some((source, sent)) = self.tally.close_source() {
            self.source_done(source, sent);
        }
        if self.low_of != Some((key.0, key.1, key.2)) {
            self.close_low();
            self.low_of = Some((key.0, key.1, key.2));
        }
        if let Some(class) = Class::from_code(key.3.into()) {
            let told = self.tally.packets >= WORTH_A_RATE && self.close_loud(key, class);
            if matches!(class, Class::Syn | Class::SynAck) {
                self.note_low(key, class, told);
            }
        }
        self.tally.clear();
        self.seconds.clear();
        self.top.clear();
        self.sample.clear();
    }

    /// Puts out the rate, and what the class looks like where it may be a flood; true if it may.
    fn close_loud(&mut self, key: Key, class: Class) -> bool {
        let (hi, lo, minute, class_code) = key;
        let out = &mut self.out;
        let mut put = |fact: i64, a: i64, b: i64, c: i64, d: i64| {
            out.push([hi, lo, fact, minute, class_code.into(), a, b, c, d]);
        };
        let (packets, rates) = (self.tally.packets, self.seconds.rates());
        put(fact::BASE, packets, rates.in_1_s, rates.in_10_s, rates.bytes_in_1_s);
        let loud = packets >= LEAST_PACKETS
            && (rates.in_1_s >= LEAST_IN_1_S
                || rates.in_10_s >= LEAST_IN_10_S
                || rates.bytes_in_1_s >= LEAST_BYTES_IN_1_S);
        if !loud {
            return false;
        }
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
        let mut list = |fact: i64, histogram: &mut Histogram| {
            histogram.top(LISTED).into_iter().for_each(|(value, n)| put(fact, value, n, 0, 0));
        };
        list(fact::SRC_PORT, &mut self.tally.src_ports);
        list(fact::DST_PORT, &mut self.tally.dst_ports);
        list(fact::LENGTH, &mut self.tally.lengths);
        self.top.iter().for_each(|((a, b), sent)| put(fact::SOURCE, a, b, sent, 0));
        self.sample.iter().for_each(|((a, b), sent)| put(fact::SAMPLE, a, b, sent, 0));
        true
    }

    /// Remembers SYNs or SYN-ACKs of a quiet minute until it is known whether odd ones are among them.
    fn note_low(&mut self, (hi, lo, minute, class_code): Key, class: Class, told: bool) {
        let tally = &self.tally;
        if tally.packets > MOST_LOW {
            return;
        }
        self.odd += tally.same_port + if class == Class::Syn { tally.privileged } else { 0 };
        let mut put = |fact: i64, a: i64, b: i64, c: i64, d: i64| {
            self.low.push([hi, lo, fact, minute, class_code.into(), a, b, c, d]);
        };
        put(fact::LOW, tally.packets, tally.same_port, tally.privileged, tally.unanswered());
        if !told {
            self.sample.iter().for_each(|((a, b), sent)| put(fact::SAMPLE, a, b, sent, 0));
        }
    }

    fn close_low(&mut self) {
        if std::mem::take(&mut self.odd) >= WORTH_A_LOW {
            self.out.append(&mut self.low);
        }
        self.low.clear();
    }
}

/// True where some knowledge of answers would make it a flood.
fn may_be_flood(class: Class, shape: &Shape) -> bool {
    [Answers::Assumed, Answers::Unknown].into_iter().any(|answers| shape.is_flood(class, answers, false))
}
