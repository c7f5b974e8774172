//! Files of export datagrams as they were sent, one behind the other and without the packets around
//! them.

use std::io::{self, Read};

use traffic::Address;

use super::collector::Collector;
use super::wire::{self, MAX_DATAGRAM, Protocol};
use crate::files::Input;
use crate::network::NetworkFormat;
use crate::problems::Reason;
use crate::records::{Context, Log, Records};
use crate::rows::Rows;

/// Files that begin with a datagram of this protocol. Templates that stand in another file are not
/// known: nothing says which exporter a file is of.
#[derive(Debug)]
pub(super) struct Raw(pub(super) Protocol);

impl NetworkFormat for Raw {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn open(&self, input: Input, context: Context) -> Box<dyn Records> {
        Box::new(Datagrams {
            input,
            buffer: Vec::new(),
            start: 0,
            over: false,
            collector: Collector::until(context.bounds.latest()),
            datagrams: 0,
        })
    }
}

struct Datagrams {
    input: Input,
    /// From `start` on it holds a datagram of the largest size, or all that is left.
    buffer: Vec<u8>,
    start: usize,
    over: bool,
    collector: Collector,
    datagrams: u64,
}

impl Records for Datagrams {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        self.fill()?;
        if self.start == self.buffer.len() {
            self.collector.finish(log);
            return Ok(false);
        }
        self.datagrams += 1;
        let length = match wire::length(&self.buffer[self.start..]) {
            Ok(length) => length,
            Err(why) => {
                // Nothing says where the next one begins.
                log.refuse(Reason::BadDatagram, self.datagrams, why.as_bytes());
                self.collector.finish(log);
                self.start = self.buffer.len();
                self.over = true;
                return Ok(false);
            }
        };
        let datagram = &self.buffer[self.start..][..length];
        self.collector.take(Address::NONE, 0, datagram, None, rows, log);
        self.start += length;
        Ok(true)
    }
}

impl Datagrams {
    fn fill(&mut self) -> io::Result<()> {
        // The version behind the longest datagram tells where it ends.
        let wanted = MAX_DATAGRAM + wire::V9_HEADER;
        if self.over || self.buffer.len() - self.start >= wanted {
            return Ok(());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let before = self.buffer.len();
        let missing = (8 * wanted - before) as u64;
        let outcome = self.input.by_ref().take(missing).read_to_end(&mut self.buffer);
        self.over = self.buffer.len() == before || outcome.is_err();
        outcome.map(drop)
    }
}
