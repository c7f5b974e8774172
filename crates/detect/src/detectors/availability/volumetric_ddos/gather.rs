//! From flows to facts of the minutes that may be part of a flood.
//!
//! 1. `minutes`: by destination and minute, the packets of each class, one class after the other and one
//!    source after the other, so that counts of sources are exact in constant memory. A minute that
//!    cannot be part of a flood leaves one row of its rate, or none.
//! 2. `victims`: by destination, those minutes together with what is known of its conversations:
//!    whether answers of it are seen at all, and what it asked others for. Rows of destinations without
//!    a minute that may be part of a flood end here. Kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use hashbrown::HashMap;
use traffic::{Address, Kind, Seed};

use crate::detectors::availability::packets::{Class, Flows, MOST_PACKETS, table};
use crate::engine::{
    Accounted, Emit, EngineError, Gather, Input, Kernel, MakeKernel, Step, Tables, column_i32, column_i64,
    schema_of,
};

use super::minutes::MakeMinutes;
use crate::detectors::availability::vectors;

const MINUTES: &str = "volumetric-ddos.minutes";
/// The kept table.
pub(super) const VICTIMS: &str = "volumetric-ddos.victims";

/// What a row of facts tells. The order is that in which a destination's rows come.
pub(super) mod fact {
    /// A part of a [`crate::detectors::availability::shape::Shape`]: its place, three numbers.
    pub(in super::super) const SHAPE: i64 = 0;
    /// A minute of unusual SYN or SYN-ACK at a low rate: packets, with equal ports, from privileged ports, unanswered.
    pub(in super::super) const LOW: i64 = 1;
    /// A second: its place in the minute, thousandths of packets, bytes.
    pub(in super::super) const SECOND: i64 = 2;
    /// One of the largest sources: address, packets.
    pub(in super::super) const SOURCE: i64 = 3;
    /// One of a sample of sources: address, packets.
    pub(in super::super) const SAMPLE: i64 = 4;
    /// Source port and packets.
    pub(in super::super) const SRC_PORT: i64 = 5;
    /// Destination port and packets.
    pub(in super::super) const DST_PORT: i64 = 6;
    /// Length and packets.
    pub(in super::super) const LENGTH: i64 = 7;
    /// Rate of a minute: packets, largest of a second, of ten, bytes of a second.
    pub(in super::super) const BASE: i64 = 8;
    /// Flows of the destination that got answers.
    pub(in super::super) const ANSWERED: i64 = 9;
    /// Questions that it sent to a service that amplifies, of which one direction was seen: port, packets.
    pub(in super::super) const ASKED: i64 = 10;
    /// First and last minute of the recording.
    pub(in super::super) const SPAN: i64 = 11;
}

/// A row of facts.
pub(super) type Fact = [i64; 9];

pub(super) fn facts() -> SchemaRef {
    schema_of(&[
        ("dst_hi", DataType::Int64),
        ("dst_lo", DataType::Int64),
        ("fact", DataType::Int32),
        ("minute", DataType::Int64),
        ("class", DataType::Int32),
        ("a", DataType::Int64),
        ("b", DataType::Int64),
        ("c", DataType::Int64),
        ("d", DataType::Int64),
    ])
}

/// Rows of facts of a batch.
pub(super) fn read(batch: &RecordBatch) -> impl Iterator<Item = Fact> {
    let long = |name| column_i64(batch, name);
    let (hi, lo, minute) = (long("dst_hi"), long("dst_lo"), long("minute"));
    let (facts, classes) = (column_i32(batch, "fact"), column_i32(batch, "class"));
    let (a, b, c, d) = (long("a"), long("b"), long("c"), long("d"));
    (0..hi.len())
        .map(move |n| [hi[n], lo[n], facts[n].into(), minute[n], classes[n].into(), a[n], b[n], c[n], d[n]])
}

/// The gather of the detector.
pub(super) fn gather(settings: &crate::Settings) -> Gather {
    let minutes = Step {
        name: MINUTES,
        from: vec![Input::mapped(Kind::Flow, packets)],
        by: &["dst_hi", "dst_lo", "minute"],
        order: &["class", "src_hi", "src_lo"],
        combine: None,
        kernel: Arc::new(MakeMinutes { seed: settings.seed }),
        small: false,
        keep: false,
        partitions: 64,
    };
    let victims = Step {
        name: VICTIMS,
        from: vec![Input::Step(MINUTES), Input::mapped(Kind::Flow, conversations)],
        by: &["dst_hi", "dst_lo"],
        order: &["source", "fact"],
        combine: None,
        kernel: Arc::new(MakeVictims),
        small: false,
        keep: true,
        partitions: 64,
    };
    // Usual rates need the whole recording.
    Gather { name: super::DETECTOR.name, reach_ms: i64::MAX, steps: vec![minutes, victims] }
}

/// Columns of [`packets`].
pub(super) fn packet_columns() -> SchemaRef {
    schema_of(&[
        ("dst_hi", DataType::Int64),
        ("dst_lo", DataType::Int64),
        ("minute", DataType::Int64),
        ("class", DataType::Int32),
        ("src_hi", DataType::Int64),
        ("src_lo", DataType::Int64),
        ("at", DataType::Int32),
        ("span", DataType::Int32),
        ("packets", DataType::Int64),
        ("bytes", DataType::Int64),
        ("src_port", DataType::Int32),
        ("dst_port", DataType::Int32),
        ("answered", DataType::Int32),
        ("marks", DataType::Int32),
        ("sampling", DataType::Int32),
    ])
}

/// Packets that may belong to a flood, by the minutes of their flow.
pub(in super::super) fn packets(batch: &RecordBatch) -> RecordBatch {
    let flows = Flows::of(batch);
    let mut rows: Vec<[i64; 15]> = Vec::with_capacity(flows.len());
    for at in 0..flows.len() {
        let row = flows.one_way(at);
        let mut put = |class: Class, packets: i64, bytes: i64| {
            row.pieces(packets, bytes, |piece| {
                rows.push([
                    row.dst.0,
                    row.dst.1,
                    piece.minute,
                    class.code(),
                    row.src.0,
                    row.src.1,
                    piece.at,
                    piece.span,
                    piece.packets,
                    piece.bytes,
                    row.src_port.into(),
                    row.dst_port.into(),
                    row.answered(),
                    row.marks(),
                    row.sampling,
                ]);
            });
        };
        let Some(class) = row.class() else { continue };
        let fragments = row.fragments();
        let part = |packets: i64| {
            (i128::from(row.bytes) * i128::from(packets) / i128::from(row.packets.max(1))) as i64
        };
        if fragments > 0 {
            put(Class::Fragments, fragments, part(fragments));
        }
        put(class, row.packets - fragments, row.bytes - part(fragments));
    }
    table(&packet_columns(), &rows)
}

/// What tells whether answers are seen: destinations that gave some, and hosts that asked a service which
/// amplifies, each once a batch; and the span of the batch.
fn conversations(batch: &RecordBatch) -> RecordBatch {
    let flows = Flows::of(batch);
    let mut answered: HashMap<(i64, i64), i64> = HashMap::new();
    let mut asked: HashMap<(i64, i64, i64, i32), i64> = HashMap::new();
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    for at in 0..flows.len() {
        let row = flows.one_way(at);
        let minute = row.minute();
        (first, last) = (first.min(minute), last.max(minute));
        if row.back > 0 {
            *answered.entry(row.dst).or_default() += 1;
        } else if row.back < 0 && row.proto == 17 && vectors::amplifier(row.dst_port.into()).is_some() {
            *asked.entry((row.src.0, row.src.1, minute, row.dst_port)).or_default() +=
                row.packets.min(MOST_PACKETS);
        }
    }
    let mut rows: Vec<Fact> = Vec::with_capacity(answered.len() + asked.len() + 1);
    let answered: BTreeMap<_, _> = answered.into_iter().collect();
    let asked: BTreeMap<_, _> = asked.into_iter().collect();
    rows.extend(answered.into_iter().map(|((hi, lo), n)| [hi, lo, fact::ANSWERED, 0, 0, n, 0, 0, 0]));
    rows.extend(
        asked
            .into_iter()
            .map(|((hi, lo, minute, port), n)| [hi, lo, fact::ASKED, minute, 0, port.into(), n, 0, 0]),
    );
    if first <= last {
        rows.push([Address::NONE.hi, Address::NONE.lo, fact::SPAN, 0, 0, first, last, 0, 0]);
    }
    table(&facts(), &rows)
}

/// Hash of a source, for samples.
pub(super) fn hash(seed: Seed, source: (i64, i64)) -> u64 {
    seed.address(Address { hi: source.0, lo: source.1 })
}

struct MakeVictims;

impl MakeKernel for MakeVictims {
    fn input(&self) -> SchemaRef {
        let mut fields: Vec<arrow_schema::FieldRef> = facts().fields().iter().cloned().collect();
        fields.push(Arc::new(arrow_schema::Field::new("source", DataType::Int32, false)));
        Arc::new(arrow_schema::Schema::new(fields))
    }

    fn output(&self) -> SchemaRef {
        facts()
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Victims { rows: 0, key: None, wanted: false, span: None, answered: 0, out: Vec::new() })
    }
}

struct Victims {
    rows: u64,
    key: Option<(i64, i64)>,
    /// The destination has a minute that may be part of a flood.
    wanted: bool,
    span: Option<(i64, i64)>,
    answered: i64,
    out: Vec<Fact>,
}

impl Victims {
    fn close(&mut self) {
        if let (Some((hi, lo)), true) = (self.key, self.wanted && self.answered > 0) {
            self.out.push([hi, lo, fact::ANSWERED, 0, 0, self.answered, 0, 0, 0]);
        }
        (self.wanted, self.answered) = (false, 0);
    }
}

impl Kernel for Victims {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        self.rows += batch.num_rows() as u64;
        for row in read(batch) {
            if self.key != Some((row[0], row[1])) {
                self.close();
                self.key = Some((row[0], row[1]));
            }
            match row[2] {
                fact::SPAN => {
                    let (first, last) = self.span.unwrap_or((row[5], row[6]));
                    self.span = Some((first.min(row[5]), last.max(row[6])));
                }
                fact::ANSWERED => self.answered += row[5],
                fact::SHAPE | fact::LOW => {
                    self.wanted = true;
                    self.out.push(row);
                }
                _ if self.wanted => self.out.push(row),
                _ => {}
            }
            if self.out.len() >= 16_384 {
                out.emit(table(&facts(), &self.out))?;
                self.out.clear();
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close();
        if let Some((first, last)) = self.span {
            self.out.push([Address::NONE.hi, Address::NONE.lo, fact::SPAN, 0, 0, first, last, 0, 0]);
        }
        out.emit(table(&facts(), &self.out))?;
        Ok(Accounted::used(self.rows))
    }
}
