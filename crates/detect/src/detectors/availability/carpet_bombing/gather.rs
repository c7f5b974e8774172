//! From flows to minutes of networks that may be under a flood which is spread over their addresses.
//!
//! One step: by network (/24, IPv6 /48) and minute, one destination after the other and one class after the
//! other. Destinations and their evenness are exact; sources are a sample by hash.

use traffic::{Address, Seed};

use crate::detectors::availability::by_minute::{self, Packet};
use crate::detectors::availability::packets::{Class, MINUTE_MS};
use crate::detectors::availability::seconds::Seconds;
use crate::detectors::availability::shape::{Answers, Shape, Tally, observed};
use crate::engine::{Fold, Gather, Step, Table, folding, record};
use crate::stats::counts::add;
use crate::stats::entropy::Entropy;
use crate::stats::sample::BottomK;

/// The kept table.
pub(super) const NETWORKS: &str = "carpet-bombing.networks";

/// Packets of a minute from which on it is worth a row.
const WORTH_A_ROW: i64 = 100;
/// Fewest addresses of a network.
pub(super) const LEAST_ADDRESSES: i64 = 8;
/// A single address beyond this is `volumetric-ddos`.
const LOUD_IN_1_S: i64 = 1000;
const LOUD_IN_10_S: i64 = 1000;
/// Rows of a minute that are held back, to see first which classes are worth being counted.
const HELD_BACK: usize = 512;
/// Sources that are sampled.
const SAMPLED: usize = 512;

/// The gather of the detector.
pub(super) fn gather(settings: &crate::Settings) -> Gather {
    let seed = settings.seed;
    let networks = Step {
        name: NETWORKS,
        from: vec![by_minute::input()],
        by: by_minute::BY,
        order: by_minute::ORDER,
        combine: None,
        kernel: folding(move || Networks::new(seed)),
        small: false,
        keep: true,
        partitions: 64,
    };
    Gather { name: super::DETECTOR.name, reach_ms: i64::MAX, steps: vec![networks] }
}

record!(
    /// A class of packets to a network in a minute.
    #[derive(Debug)]
    #[expect(clippy::struct_field_names, reason = "it is the time of the row")]
    pub(super) struct Minute {
        pub(super) net: Address,
        pub(super) minute: i64,
        /// Code of the class.
        pub(super) class: i32,
        /// Addresses that were hit, and how even they were, in thousandths.
        pub(super) addresses: i64,
        pub(super) address_evenness: i64,
        /// Addresses that are beyond the floors of `volumetric-ddos` by themselves.
        pub(super) loud: i64,
        pub(super) in_1_s: i64,
        pub(super) in_10_s: i64,
        pub(super) bytes_in_1_s: i64,
        /// First and last second with a tenth of the highest rate, in the minute.
        pub(super) first: i64,
        pub(super) last: i64,
        /// Flows of the network in this minute that got an answer.
        pub(super) answered: i64,
        /// As if of one address; `sources` and `evenness` are those of the sample of sources.
        pub(super) shape: Shape,
    }
);

impl Minute {
    /// The class, of a table that was gathered here.
    pub(super) fn class(&self) -> Option<Class> {
        Class::from_code(self.class)
    }

    /// Spread over addresses, and a flood by its shape as far as the given knowledge of answers goes.
    pub(super) fn is_carpet(&self, answers: Answers) -> bool {
        self.addresses >= LEAST_ADDRESSES
            && 4 * self.loud < self.addresses
            && self.address_evenness >= 700
            && self.shape.sources >= 30
            && self.class().is_some_and(|class| self.shape.is_flood(class, answers, false))
    }
}

/// One network and minute after the other.
struct Networks {
    seed: Seed,
    key: Option<(Address, i64)>,
    /// Each class of the minute, by its code.
    classes: [Option<Box<OfClass>>; Class::ALL.len()],
    /// What one address got of one class.
    run: Option<(Address, Class)>,
    of_address: Seconds,
    /// The source that is under way, and what it sent.
    source: Option<(Address, i64)>,
    answered: i64,
    /// Rows that are held back, while there are few.
    held_back: Vec<Packet>,
    /// There were more, so that each is counted as it comes.
    in_full: bool,
}

/// One class of packets to a network in a minute.
struct OfClass {
    packets: i64,
    bytes: i64,
    addresses: i64,
    /// Counts destinations where it says sources.
    tally: Tally,
    seconds: Seconds,
    loud: i64,
    sources: BottomK<Address>,
}

impl Fold for Networks {
    type In = Packet;
    type Out = Minute;

    fn row(&mut self, row: &Packet, out: &mut Table<Minute>) {
        let key = (row.net(), row.minute);
        if self.key != Some(key) {
            self.close_minute(out);
            self.key = Some(key);
        }
        let Some(class) = Class::from_code(row.class) else {
            self.answered += if row.class == by_minute::ANSWERED { row.packets } else { 0 };
            return;
        };
        if self.in_full {
            return self.count(class, row, true);
        }
        self.held_back.push(*row);
        if self.held_back.len() > HELD_BACK {
            self.in_full = true;
            let mut rows = std::mem::take(&mut self.held_back);
            for row in rows.drain(..) {
                if let Some(class) = Class::from_code(row.class) {
                    self.count(class, &row, true);
                }
            }
            self.held_back = rows;
        }
    }

    fn finish(&mut self, out: &mut Table<Minute>) {
        self.close_minute(out);
    }
}

impl OfClass {
    fn new() -> Self {
        Self {
            packets: 0,
            bytes: 0,
            addresses: 0,
            tally: Tally::new(),
            seconds: Seconds::default(),
            loud: 0,
            sources: BottomK::new(SAMPLED),
        }
    }

    fn clear(&mut self) {
        self.tally.clear();
        self.seconds.clear();
        self.sources.clear();
        (self.packets, self.bytes, self.addresses, self.loud) = (0, 0, 0, 0);
    }
}

impl Networks {
    fn new(seed: Seed) -> Self {
        Self {
            seed,
            key: None,
            classes: Default::default(),
            run: None,
            of_address: Seconds::default(),
            source: None,
            answered: 0,
            held_back: Vec::new(),
            in_full: false,
        }
    }

    /// Counts a row; its shape only where that is asked for.
    fn count(&mut self, class: Class, row: &Packet, shape: bool) {
        let address = row.dst();
        if self.run != Some((address, class)) {
            self.close_run();
            self.run = Some((address, class));
        }
        self.of_address.add(row.at.into(), row.span.into(), row.packets, row.bytes);
        let of_class = self.classes[class as usize].get_or_insert_with(|| Box::new(OfClass::new()));
        add(&mut of_class.packets, row.packets);
        add(&mut of_class.bytes, row.bytes);
        if !shape {
            return;
        }
        of_class.tally.add(class, address, row);
        // One source's rows of an address come one after the other, and are one for the sample.
        let sent = observed(row);
        match &mut self.source {
            Some((source, n)) if *source == row.src => add(n, sent),
            source => {
                if let Some((source, n)) = source.replace((row.src, sent)) {
                    of_class.sources.add(self.seed.address(source), source, n);
                }
            }
        }
    }

    /// Counts what is held back, as far as it can come to anything.
    fn count_held_back(&mut self) {
        let mut packets = [0; Class::ALL.len()];
        let mut addresses = [0; Class::ALL.len()];
        let mut last = None;
        for row in &self.held_back {
            let at = row.class as usize;
            packets[at] += row.packets;
            addresses[at] += i64::from(last.replace((row.dst(), at)) != Some((row.dst(), at)));
        }
        let mut rows = std::mem::take(&mut self.held_back);
        if packets.iter().any(|&packets| packets >= WORTH_A_ROW) {
            for row in &rows {
                let at = row.class as usize;
                if let Some(class) = Class::from_code(row.class).filter(|_| packets[at] >= WORTH_A_ROW) {
                    self.count(class, row, addresses[at] >= LEAST_ADDRESSES);
                }
            }
        }
        rows.clear();
        self.held_back = rows;
    }

    /// Ends what one address got of one class.
    fn close_run(&mut self) {
        let Some((_, class)) = self.run.take() else { return };
        let Some(of_class) = &mut self.classes[class as usize] else { return };
        if let Some((source, n)) = self.source.take() {
            of_class.sources.add(self.seed.address(source), source, n);
        }
        if self.of_address.packets() >= LOUD_IN_1_S {
            let rates = self.of_address.rates();
            of_class.loud += i64::from(rates.in_1_s >= LOUD_IN_1_S || rates.in_10_s >= LOUD_IN_10_S);
        }
        of_class.seconds.merge(&self.of_address);
        of_class.addresses += 1;
        self.of_address.clear();
    }

    fn close_minute(&mut self, out: &mut Table<Minute>) {
        if !std::mem::take(&mut self.in_full) {
            self.count_held_back();
        }
        self.close_run();
        let answered = std::mem::take(&mut self.answered);
        let Some((net, minute)) = self.key.take() else { return };
        for (class, of_class) in Class::ALL.iter().zip(&mut self.classes) {
            let Some(of_class) = of_class.as_deref_mut().filter(|of_class| of_class.packets > 0) else {
                continue;
            };
            if of_class.packets >= WORTH_A_ROW {
                out.push(&of_class.minute(net, minute, *class, answered));
            }
            of_class.clear();
        }
    }
}

impl OfClass {
    /// The shape, and how even the addresses were. Fewer addresses than a carpet has need none.
    fn shape(&mut self) -> (Shape, i64) {
        if self.addresses < LEAST_ADDRESSES {
            return (Shape { packets: self.packets, bytes: self.bytes, ..Shape::default() }, 0);
        }
        self.tally.close_source();
        let mut shape = self.tally.shape();
        let address_evenness = shape.evenness;
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
        (shape, address_evenness)
    }

    fn minute(&mut self, net: Address, minute: i64, class: Class, answered: i64) -> Minute {
        let (shape, address_evenness) = self.shape();
        let rates = self.seconds.rates();
        let tenth = |(_, milli, _): &(i64, i64, i64)| *milli >= 100 * rates.in_1_s;
        let busy: Vec<i64> = self.seconds.iter().filter(tenth).map(|(second, ..)| second).collect();
        Minute {
            net,
            minute,
            class: class.code(),
            addresses: self.addresses,
            address_evenness,
            loud: self.loud,
            in_1_s: rates.in_1_s,
            in_10_s: rates.in_10_s,
            bytes_in_1_s: rates.bytes_in_1_s,
            first: busy.first().copied().unwrap_or(0),
            last: busy.last().copied().unwrap_or(59),
            answered,
            shape,
        }
    }
}

/// The start of a second within a minute, in seconds since the epoch.
pub(super) fn second(minute: i64, second: i64) -> i64 {
    minute * (MINUTE_MS / 1000) + second
}
