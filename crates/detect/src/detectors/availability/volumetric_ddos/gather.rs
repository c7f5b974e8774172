//! From flows to facts of the minutes that may be part of a flood.
//!
//! 1. `minutes`: by network and minute, in it by destination, the packets of each class, one class after the other
//!    and one source after the other, so that counts of sources are exact in constant memory. A minute that
//!    cannot be part of a flood leaves one row of its rate, or none. What is known of conversations passes through:
//!    whether answers of the destination are seen at all, and what it asked others for.
//! 2. `victims`: by destination, all of that. Rows of destinations without a minute that may be part of a flood end
//!    here. Kept.

use std::sync::Arc;

use traffic::Address;

use crate::detectors::availability::by_minute;
use crate::engine::{Fold, Gather, Input, MakeKernel, Step, Table, folding, record};

use super::minutes::Minutes;

const MINUTES: &str = "volumetric-ddos.minutes";
/// The kept table.
pub(super) const VICTIMS: &str = "volumetric-ddos.victims";

/// What a row of facts tells. The order is that in which a destination's rows come.
pub(super) mod fact {
    /// A part of a [`crate::detectors::availability::shape::Shape`]: its place, three numbers.
    pub(in super::super) const SHAPE: i32 = 0;
    /// A minute of unusual SYN or SYN-ACK at a low rate: packets, with equal ports, from privileged ports, unanswered.
    pub(in super::super) const LOW: i32 = 1;
    /// A second: its place in the minute, thousandths of packets, bytes.
    pub(in super::super) const SECOND: i32 = 2;
    /// One of the largest sources: address, packets.
    pub(in super::super) const SOURCE: i32 = 3;
    /// One of a sample of sources: address, packets.
    pub(in super::super) const SAMPLE: i32 = 4;
    /// Source port and packets.
    pub(in super::super) const SRC_PORT: i32 = 5;
    /// Destination port and packets.
    pub(in super::super) const DST_PORT: i32 = 6;
    /// Length and packets.
    pub(in super::super) const LENGTH: i32 = 7;
    /// Rate of a minute: packets, largest of a second, of ten, bytes of a second.
    pub(in super::super) const BASE: i32 = 8;
    /// Flows of the destination that got answers.
    pub(in super::super) const ANSWERED: i32 = 9;
    /// Questions that it sent to a service that amplifies, of which one direction was seen: port, packets.
    pub(in super::super) const ASKED: i32 = 10;
    /// First and last minute of the recording.
    pub(in super::super) const SPAN: i32 = 11;
}

record!(
    /// A row of facts.
    pub(super) struct Fact {
        pub(super) dst: Address,
        pub(super) fact: i32,
        pub(super) minute: i64,
        /// Code of the class of packets.
        pub(super) class: i32,
        pub(super) a: i64,
        pub(super) b: i64,
        pub(super) c: i64,
        pub(super) d: i64,
    }
);

/// The gather of the detector.
pub(super) fn gather(settings: &crate::Settings) -> Gather {
    let seed = settings.seed;
    let step = |name, from, by, order, kernel: Arc<dyn MakeKernel>, keep| Step {
        name,
        from: vec![from],
        by,
        order,
        combine: None,
        kernel,
        small: false,
        keep,
        partitions: 64,
    };
    let (by, order) = (by_minute::BY, by_minute::ORDER);
    let minutes = step(MINUTES, by_minute::input(), by, order, folding(move || Minutes::new(seed)), false);
    let victims = step(
        VICTIMS,
        Input::Step(MINUTES),
        &["dst_hi", "dst_lo"],
        &["fact"],
        folding(Victims::default),
        true,
    );
    // Usual rates need the whole recording.
    Gather { name: super::DETECTOR.name, reach_ms: i64::MAX, steps: vec![minutes, victims] }
}

/// One destination after the other.
#[derive(Default)]
struct Victims {
    dst: Option<Address>,
    /// The destination has a minute that may be part of a flood.
    wanted: bool,
    span: Option<(i64, i64)>,
    answered: i64,
}

impl Victims {
    fn close(&mut self, out: &mut Table<Fact>) {
        if let (Some(dst), true) = (self.dst, self.wanted && self.answered > 0) {
            out.push(&Fact::of(dst, fact::ANSWERED, self.answered, 0));
        }
        (self.wanted, self.answered) = (false, 0);
    }
}

impl Fact {
    /// A fact of no minute and class.
    pub(super) fn of(dst: Address, fact: i32, a: i64, b: i64) -> Self {
        Self { dst, fact, minute: 0, class: 0, a, b, c: 0, d: 0 }
    }
}

impl Fold for Victims {
    type In = Fact;
    type Out = Fact;

    fn row(&mut self, row: &Fact, out: &mut Table<Fact>) {
        if self.dst != Some(row.dst) {
            self.close(out);
            self.dst = Some(row.dst);
        }
        match row.fact {
            fact::SPAN => {
                let (first, last) = self.span.unwrap_or((row.a, row.b));
                self.span = Some((first.min(row.a), last.max(row.b)));
            }
            fact::ANSWERED => self.answered += row.a,
            fact::SHAPE | fact::LOW => {
                self.wanted = true;
                out.push(row);
            }
            _ if self.wanted => out.push(row),
            _ => {}
        }
    }

    fn finish(&mut self, out: &mut Table<Fact>) {
        self.close(out);
        self.dst = None;
        if let Some((first, last)) = self.span.take() {
            out.push(&Fact::of(Address::NONE, fact::SPAN, first, last));
        }
    }
}
