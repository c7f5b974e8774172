//! From flows to minutes of networks that may be under a flood which is spread over their addresses.
//!
//! One step: by network (/24, IPv6 /48) and minute, one class after the other and one destination after the
//! other. Destinations and their evenness are exact; sources are a sample by hash.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use hashbrown::HashMap;
use traffic::{Address, Kind, Seed};

use crate::detectors::availability::packets::{Class, Flows, MINUTE_MS, table};
use crate::detectors::availability::seconds::Seconds;
use crate::detectors::availability::shape::{Answers, NUMBERS, Row, Shape, Tally};
use crate::detectors::availability::volumetric_ddos;
use crate::engine::{
    Accounted, Emit, EngineError, Gather, Input, Kernel, MakeKernel, Step, Tables, column_i32, column_i64,
    schema_of,
};
use crate::stats::entropy::Entropy;
use crate::stats::sample::BottomK;

/// The kept table.
pub(super) const NETWORKS: &str = "carpet-bombing.networks";

/// Leading bits of a network, IPv4 and IPv6: the longest prefixes that are routed.
pub(super) const BITS: (u32, u32) = (24, 48);

/// Packets of a minute from which on it is worth a row.
const WORTH_A_ROW: i64 = 100;
/// Fewest addresses of a network.
pub(super) const LEAST_ADDRESSES: i64 = 8;
/// A single address beyond this is `volumetric-ddos`.
const LOUD_IN_1_S: i64 = 1000;
const LOUD_IN_10_S: i64 = 1000;
/// Sources that are sampled.
const SAMPLED: usize = 512;

/// Code of rows that tell of answers, after all classes.
const ANSWERED: i64 = 100;

/// The gather of the detector.
pub(super) fn gather(settings: &crate::Settings) -> Gather {
    let networks = Step {
        name: NETWORKS,
        from: vec![Input::mapped(Kind::Flow, packets), Input::mapped(Kind::Flow, answers)],
        by: &["net_hi", "net_lo", "minute"],
        order: &["class", "dst_hi", "dst_lo"],
        combine: None,
        kernel: Arc::new(MakeNetworks { seed: settings.seed }),
        small: false,
        keep: true,
        partitions: 64,
    };
    Gather { name: super::DETECTOR.name, reach_ms: i64::MAX, steps: vec![networks] }
}

fn packet_columns() -> SchemaRef {
    schema_of(&[
        ("net_hi", DataType::Int64),
        ("net_lo", DataType::Int64),
        ("minute", DataType::Int64),
        ("class", DataType::Int32),
        ("dst_hi", DataType::Int64),
        ("dst_lo", DataType::Int64),
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

/// The packets that `volumetric-ddos` looks at, each with the network of its destination.
fn packets(batch: &RecordBatch) -> RecordBatch {
    let rows = volumetric_ddos::packets(batch);
    let (hi, lo) = (column_i64(&rows, "dst_hi"), column_i64(&rows, "dst_lo"));
    let nets: Vec<Address> =
        (0..hi.len()).map(|at| Address { hi: hi[at], lo: lo[at] }.network(BITS.0, BITS.1)).collect();
    let columns = packet_columns()
        .fields()
        .iter()
        .map(|field| -> arrow_array::ArrayRef {
            match field.name().as_str() {
                "net_hi" => Arc::new(nets.iter().map(|net| net.hi).collect::<arrow_array::Int64Array>()),
                "net_lo" => Arc::new(nets.iter().map(|net| net.lo).collect::<arrow_array::Int64Array>()),
                name => rows.column_by_name(name).expect("internal error: a column of the packets").clone(),
            }
        })
        .collect();
    RecordBatch::try_new(packet_columns(), columns).expect("internal error: the columns follow the schema")
}

/// Networks whose addresses gave answers, by minute, each once a batch.
fn answers(batch: &RecordBatch) -> RecordBatch {
    let flows = Flows::of(batch);
    let mut answered: HashMap<(i64, i64, i64), i64> = HashMap::new();
    for at in 0..flows.len() {
        let row = flows.one_way(at);
        if row.back > 0 {
            let net = Address { hi: row.dst.0, lo: row.dst.1 }.network(BITS.0, BITS.1);
            *answered.entry((net.hi, net.lo, row.minute())).or_default() += 1;
        }
    }
    let answered: BTreeMap<_, _> = answered.into_iter().collect();
    let rows: Vec<[i64; 17]> = answered
        .into_iter()
        .map(|((hi, lo, minute), n)| [hi, lo, minute, ANSWERED, 0, 0, 0, 0, 0, 0, n, 0, 0, 0, 0, 0, 0])
        .collect();
    table(&packet_columns(), &rows)
}

/// A class of packets to a network in a minute.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "it is the time of the row")]
pub(super) struct Minute {
    pub(super) net: Address,
    pub(super) minute: i64,
    pub(super) class: Class,
    /// As if of one address; `sources` and `evenness` are those of the sample of sources.
    pub(super) shape: Shape,
    /// Addresses that were hit, and how even they were, in thousandths.
    pub(super) addresses: i64,
    pub(super) address_evenness: i64,
    /// Addresses that are beyond the floors of `volumetric-ddos` by themselves.
    pub(super) loud: i64,
    pub(super) in_1_s: i64,
    pub(super) in_10_s: i64,
    pub(super) bytes_in_1_s: i64,
    /// First and last second with a tenth of the highest rate, in the minute; first second with a half.
    pub(super) first: i64,
    pub(super) last: i64,
    /// Flows of the network in this minute that got an answer.
    pub(super) answered: i64,
}

/// Columns of a minute that come before the numbers of its shape.
const PLAIN: usize = 13;

impl Minute {
    fn row(&self) -> [i64; PLAIN + NUMBERS] {
        let mut row = [0; PLAIN + NUMBERS];
        row[..PLAIN].copy_from_slice(&[
            self.net.hi,
            self.net.lo,
            self.minute,
            self.class.code(),
            self.addresses,
            self.address_evenness,
            self.loud,
            self.in_1_s,
            self.in_10_s,
            self.bytes_in_1_s,
            self.first,
            self.last,
            self.answered,
        ]);
        row[PLAIN..].copy_from_slice(&self.shape.numbers());
        row
    }

    /// Minutes of a gathered table.
    pub(super) fn read(batch: &RecordBatch) -> Vec<Self> {
        let columns: Vec<&[i64]> =
            batch.schema_ref().fields().iter().map(|field| column_i64(batch, field.name())).collect();
        (0..batch.num_rows())
            .filter_map(|at| {
                let of = |column: usize| columns[column][at];
                let mut numbers = [0; NUMBERS];
                for (place, number) in numbers.iter_mut().enumerate() {
                    *number = of(PLAIN + place);
                }
                Some(Self {
                    net: Address { hi: of(0), lo: of(1) },
                    minute: of(2),
                    class: Class::from_code(of(3))?,
                    shape: Shape::of(&numbers),
                    addresses: of(4),
                    address_evenness: of(5),
                    loud: of(6),
                    in_1_s: of(7),
                    in_10_s: of(8),
                    bytes_in_1_s: of(9),
                    first: of(10),
                    last: of(11),
                    answered: of(12),
                })
            })
            .collect()
    }

    /// Spread over addresses, and a flood by its shape as far as the given knowledge of answers goes.
    pub(super) fn is_carpet(&self, answers: Answers) -> bool {
        self.addresses >= LEAST_ADDRESSES
            && 4 * self.loud < self.addresses
            && self.address_evenness >= 700
            && self.shape.sources >= 30
            && self.shape.is_flood(self.class, answers, false)
    }
}

fn minute_columns() -> SchemaRef {
    const NAMES: [&str; PLAIN + NUMBERS] = [
        "net_hi",
        "net_lo",
        "minute",
        "class",
        "addresses",
        "address_evenness",
        "loud",
        "in_1_s",
        "in_10_s",
        "bytes_in_1_s",
        "first",
        "last",
        "answered",
        "s0",
        "s1",
        "s2",
        "s3",
        "s4",
        "s5",
        "s6",
        "s7",
        "s8",
        "s9",
        "s10",
        "s11",
        "s12",
        "s13",
        "s14",
        "s15",
        "s16",
        "s17",
        "s18",
        "s19",
        "s20",
    ];
    schema_of(&NAMES.map(|name| (name, DataType::Int64)))
}

struct MakeNetworks {
    seed: Seed,
}

impl MakeKernel for MakeNetworks {
    fn input(&self) -> SchemaRef {
        packet_columns()
    }

    fn output(&self) -> SchemaRef {
        minute_columns()
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        Box::new(Networks {
            seed: self.seed,
            rows: 0,
            key: None,
            tally: Tally::new(),
            seconds: Seconds::default(),
            of_address: Seconds::default(),
            address: None,
            loud: 0,
            sources: BottomK::new(SAMPLED),
            pending: Vec::new(),
            answered: 0,
            out: Vec::new(),
        })
    }
}

/// Network, minute and class.
type Key = (i64, i64, i64, i32);

struct Networks {
    seed: Seed,
    rows: u64,
    key: Option<Key>,
    /// Counts destinations where it says sources.
    tally: Tally,
    seconds: Seconds,
    of_address: Seconds,
    address: Option<(i64, i64)>,
    loud: i64,
    sources: BottomK<(i64, i64)>,
    /// Classes of the minute that is under way.
    pending: Vec<Minute>,
    answered: i64,
    out: Vec<[i64; PLAIN + NUMBERS]>,
}

impl Kernel for Networks {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        let long = |name| column_i64(batch, name);
        let int = |name| column_i32(batch, name);
        let (net_hi, net_lo, minute, class) = (long("net_hi"), long("net_lo"), long("minute"), int("class"));
        let (dst_hi, dst_lo, src_hi, src_lo) =
            (long("dst_hi"), long("dst_lo"), long("src_hi"), long("src_lo"));
        let (at, span, packets, bytes) = (int("at"), int("span"), long("packets"), long("bytes"));
        let (src_port, dst_port) = (int("src_port"), int("dst_port"));
        let (answered, marks, sampling) = (int("answered"), int("marks"), int("sampling"));
        self.rows += net_hi.len() as u64;
        for n in 0..net_hi.len() {
            let key = (net_hi[n], net_lo[n], minute[n], class[n]);
            if self.key != Some(key) {
                self.close_class();
                if self.key.is_some_and(|(hi, lo, minute, _)| (hi, lo, minute) != (key.0, key.1, key.2)) {
                    self.close_minute();
                }
                self.key = Some(key);
                if self.out.len() >= 4096 {
                    out.emit(table(&minute_columns(), &self.out))?;
                    self.out.clear();
                }
            }
            let Some(class) = Class::from_code(class[n].into()) else {
                self.answered += packets[n];
                continue;
            };
            let address = (dst_hi[n], dst_lo[n]);
            if self.address != Some(address) {
                self.close_address();
                self.address = Some(address);
            }
            let row = Row {
                src: address,
                packets: packets[n],
                bytes: bytes[n],
                src_port: src_port[n],
                dst_port: dst_port[n],
                answered: answered[n],
                marks: marks[n],
                sampling: sampling[n].into(),
            };
            self.tally.add(class, &row);
            let source = (src_hi[n], src_lo[n]);
            let hash = self.seed.address(Address { hi: source.0, lo: source.1 });
            self.sources.add(hash, source, (packets[n] / i64::from(sampling[n].max(1))).max(1));
            self.seconds.add(at[n].into(), span[n].into(), packets[n], bytes[n]);
            self.of_address.add(at[n].into(), span[n].into(), packets[n], bytes[n]);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        self.close_class();
        self.close_minute();
        out.emit(table(&minute_columns(), &self.out))?;
        Ok(Accounted::used(self.rows))
    }
}

impl Networks {
    fn close_address(&mut self) {
        if self.address.take().is_some() && self.of_address.packets() >= LOUD_IN_1_S {
            let rates = self.of_address.rates();
            self.loud += i64::from(rates.in_1_s >= LOUD_IN_1_S || rates.in_10_s >= LOUD_IN_10_S);
        }
        self.of_address.clear();
    }

    fn close_class(&mut self) {
        self.close_address();
        let Some((hi, lo, minute, class)) = self.key else { return };
        let class = Class::from_code(class.into());
        if let Some(class) = class.filter(|_| self.tally.packets >= WORTH_A_ROW) {
            self.tally.close_source();
            let mut shape = self.tally.shape();
            let (addresses, address_evenness) = (shape.sources, shape.evenness);
            let mut sources = Entropy::default();
            let (mut few, mut sampled) = (0, 0);
            for (_, sent) in self.sources.iter() {
                sources.push(sent as f64);
                few += i64::from(sent <= 2);
                sampled += 1;
            }
            shape.sources = self.sources.distinct() as i64;
            shape.evenness = (sources.evenness() * 1000.0).round() as i64;
            shape.few = few * 1000 / sampled.max(1);
            let rates = self.seconds.rates();
            let tenth = |(_, milli, _): &(i64, i64, i64)| *milli >= 100 * rates.in_1_s;
            let busy: Vec<i64> = self.seconds.iter().filter(tenth).map(|(second, ..)| second).collect();
            self.pending.push(Minute {
                net: Address { hi, lo },
                minute,
                class,
                shape,
                addresses,
                address_evenness,
                loud: self.loud,
                in_1_s: rates.in_1_s,
                in_10_s: rates.in_10_s,
                bytes_in_1_s: rates.bytes_in_1_s,
                first: busy.first().copied().unwrap_or(0),
                last: busy.last().copied().unwrap_or(59),
                answered: 0,
            });
        }
        self.tally.clear();
        self.seconds.clear();
        self.sources.clear();
        self.loud = 0;
    }

    fn close_minute(&mut self) {
        let answered = std::mem::take(&mut self.answered);
        self.out.extend(self.pending.drain(..).map(|minute| Minute { answered, ..minute }.row()));
    }
}

/// The start of a second within a minute, in seconds since the epoch.
pub(super) fn second(minute: i64, second: i64) -> i64 {
    minute * (MINUTE_MS / 1000) + second
}
