//! Floods of packets, and the kinds that hide, as rows of a sensor: for measuring memory and speed, and for
//! tests of what must be found. Everything is a stream, so that twenty million rows need no memory.

mod benign;
mod flows;
mod hidden;

use traffic::{Batch, Kind, flow, lookup, request, tls};

pub use benign::Busy;
pub use flows::{Flood, Vector};
pub use hidden::{HandshakeFlood, SlowHeaders, WaterTorture};

/// A row of one kind of traffic.
pub trait Row {
    /// The kind.
    const KIND: Kind;
    /// When.
    fn time(&self) -> i64;
    /// Rows as a batch of the kind's schema.
    fn batch(rows: &[Self]) -> Batch
    where
        Self: Sized;
}

macro_rules! rows {
    ($($row:path, $kind:ident, $batch:path;)+) => {
        $(impl Row for $row {
            const KIND: Kind = Kind::$kind;
            fn time(&self) -> i64 {
                self.time
            }
            fn batch(rows: &[Self]) -> Batch {
                Batch::new(Self::KIND, $batch(rows))
            }
        })+
    };
}

rows! {
    flow::Flow, Flow, flow::batch;
    lookup::Lookup, Lookup, lookup::batch;
    tls::Tls, Tls, tls::batch;
    request::Request, Request, request::batch;
}

/// Rows as batches of at most so many.
pub fn batches<R: Row>(mut rows: impl Iterator<Item = R>, size: usize) -> impl Iterator<Item = Batch> {
    std::iter::from_fn(move || {
        let chunk: Vec<R> = rows.by_ref().take(size).collect();
        (!chunk.is_empty()).then(|| R::batch(&chunk))
    })
}

/// Two streams in order of time as one.
pub fn merged<R: Row>(
    one: impl Iterator<Item = R>,
    other: impl Iterator<Item = R>,
) -> impl Iterator<Item = R> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(a), Some(b)) if b.time() < a.time() => other.next(),
        (Some(_), _) => one.next(),
        (None, _) => other.next(),
    })
}

#[cfg(test)]
mod tests;
