//! Lookups: DNS questions over UDP, each with its answer (RFC 1035).
//!
//! The parser takes what is there and is bounded whatever a message says of itself: a name has at most 255
//! bytes and pointers only lead backwards. Multicast DNS (port 5353) has no client and server, and is left out.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap};
use traffic::Address;
use traffic::lookup::Lookup;

use super::headers::Headers;
use crate::network::names::{LookupName, lookup_name};
use crate::rows::Rows;

/// Port of DNS.
pub(super) const PORT: u16 = 53;

/// An answer that comes later belongs to no question: resolvers give up after 5 s, or 10 s at most.
const PATIENCE: i64 = 10_000;

/// Questions that wait at once: 9 MiB. The oldest is given out as unanswered when there are more.
const WAITING: usize = 65_536;

/// Questions given up for each message.
const EXPIRED_AT_ONCE: usize = 4;

/// Records of an answer that are looked at for an address.
const LOOKED_AT: usize = 32;

/// Bytes of a name in full (RFC 1035, section 2.3.4).
const LONGEST_NAME: usize = 255;

/// Questions that wait for their answer.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    waiting: HashMap<u64, Waiting>,
    /// Questions in the order in which they came; those that have their answer are passed over.
    order: VecDeque<Asked>,
    hasher: DefaultHashBuilder,
    asked: u64,
}

/// Key, number and time of a question.
#[derive(Clone, Copy, Debug)]
struct Asked {
    key: u64,
    number: u64,
    time: i64,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    number: u64,
    lookup: Lookup,
}

impl Lookups {
    /// Takes a message. False where the bytes are none.
    pub(super) fn message(&mut self, headers: &Headers<'_>, time: i64, rows: &mut Rows) -> bool {
        self.expire(time, EXPIRED_AT_ONCE, rows);
        let mut name = [0; LONGEST_NAME];
        let Some(message) = Message::read(headers.payload, &mut name) else { return false };
        let (client, client_port, server, server_port) = if message.is_answer {
            (headers.dst, headers.dst_port, headers.src, headers.src_port)
        } else {
            (headers.src, headers.src_port, headers.dst, headers.dst_port)
        };
        let name = &name[..message.name_len];
        // Both ends, so that an answer from elsewhere does not close the question. The name is compared without
        // regard to case: some resolvers mix it to make forging harder, and servers give it back.
        let ends = (client, client_port, server, server_port, message.id, message.qtype);
        let mut lower = [0; LONGEST_NAME];
        lower[..name.len()].copy_from_slice(name);
        lower[..name.len()].make_ascii_lowercase();
        let key = self.hasher.hash_one((ends, &lower[..name.len()]));
        if message.is_answer {
            let mut lookup = match self.waiting.remove(&key) {
                Some(waiting) => waiting.lookup,
                // An answer whose question was not seen, or that nobody asked for.
                None => lookup(client, server, time, &message, lookup_name(rows, name)),
            };
            lookup.rcode = i32::from(message.rcode);
            lookup.answers = i32::from(message.answers);
            (lookup.answer_hi, lookup.answer_lo) = (message.address.hi, message.address.lo);
            lookup.bytes = headers.payload_len.min(65_535) as i32;
            rows.lookups.push(&lookup);
            return true;
        }
        let lookup = lookup(client, server, time, &message, lookup_name(rows, name));
        self.asked += 1;
        // A question that is asked again with the same id is a question of its own.
        if let Some(earlier) = self.waiting.insert(key, Waiting { number: self.asked, lookup }) {
            rows.lookups.push(&earlier.lookup);
        }
        self.order.push_back(Asked { key, number: self.asked, time });
        if self.order.len() > WAITING {
            self.give_up(rows);
        }
        true
    }

    /// Gives out at most so many of the questions that are left. False where none was.
    pub(super) fn finish(&mut self, at_most: usize, rows: &mut Rows) -> bool {
        for _ in 0..at_most {
            if !self.give_up(rows) {
                return false;
            }
        }
        true
    }

    fn expire(&mut self, time: i64, at_most: usize, rows: &mut Rows) {
        for _ in 0..at_most {
            let Some(asked) = self.order.front() else { return };
            if (time - asked.time).abs() <= PATIENCE {
                return;
            }
            self.give_up(rows);
        }
    }

    /// Gives out the oldest question, unless it has its answer.
    fn give_up(&mut self, rows: &mut Rows) -> bool {
        let Some(Asked { key, number, .. }) = self.order.pop_front() else { return false };
        if self.waiting.get(&key).is_some_and(|waiting| waiting.number == number)
            && let Some(waiting) = self.waiting.remove(&key)
        {
            rows.lookups.push(&waiting.lookup);
        }
        true
    }
}

fn lookup(client: Address, server: Address, time: i64, message: &Message, name: LookupName) -> Lookup {
    Lookup {
        client_hi: client.hi,
        client_lo: client.lo,
        server_hi: server.hi,
        server_lo: server.lo,
        time,
        name: name.name,
        domain: name.domain,
        label_len: name.label_len,
        label_entropy: name.label_entropy,
        qtype: i32::from(message.qtype),
        rcode: -1,
        answers: 0,
        answer_hi: -1,
        answer_lo: -1,
        bytes: -1,
    }
}

/// What a lookup needs of a message.
#[derive(Debug)]
struct Message {
    id: u16,
    is_answer: bool,
    rcode: u8,
    qtype: u16,
    answers: u16,
    /// The first address among the answers.
    address: Address,
    /// Length of the name that was written to the buffer.
    name_len: usize,
}

impl Message {
    /// Reads a message with a question; one without (dynamic updates and the like) is no lookup.
    fn read(bytes: &[u8], name: &mut [u8; LONGEST_NAME]) -> Option<Self> {
        let head = bytes.first_chunk::<12>()?;
        let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let (flags, questions, answers) = (word(2), word(4), word(6));
        // Opcode 0 is a query. Some servers refuse with the question left out, which then names nothing.
        if flags >> 11 & 15 != 0 || questions != 1 {
            return None;
        }
        let (name_len, at) = read_name(bytes, 12, name)?;
        let qtype = word_at(bytes, at)?;
        word_at(bytes, at + 2)?;
        let mut message = Self {
            id: word(0),
            is_answer: flags >> 15 == 1,
            rcode: (flags & 15) as u8,
            qtype,
            answers,
            address: Address::NONE,
            name_len,
        };
        if message.is_answer {
            message.address = first_address(bytes, at + 4, usize::from(answers)).unwrap_or(Address::NONE);
        }
        Some(message)
    }
}

/// The first A or AAAA record, as far as the message goes.
fn first_address(bytes: &[u8], mut at: usize, records: usize) -> Option<Address> {
    for _ in 0..records.min(LOOKED_AT) {
        at = skip_name(bytes, at)?;
        // Type, class, time to live (32 bits), length.
        let (kind, len) = (word_at(bytes, at)?, usize::from(word_at(bytes, at + 8)?));
        let data = bytes.get(at + 10..at + 10 + len)?;
        match (kind, data.len()) {
            (1, 4) => return data.first_chunk::<4>().map(|&data| Address::v4(u32::from_be_bytes(data))),
            (28, 16) => {
                return data.first_chunk::<16>().map(|&data| std::net::IpAddr::from(data).into());
            }
            _ => at += 10 + len,
        }
    }
    None
}

fn word_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk::<2>().map(|&bytes| u16::from_be_bytes(bytes))
}

/// Writes a name as text with dots, and gives its length and where it ends in the message.
fn read_name(bytes: &[u8], start: usize, name: &mut [u8; LONGEST_NAME]) -> Option<(usize, usize)> {
    let (mut at, mut len, mut end) = (start, 0, None);
    loop {
        let label = usize::from(*bytes.get(at)?);
        match label {
            0 => return Some((len, end.unwrap_or(at + 1))),
            1..=63 => {
                let text = bytes.get(at + 1..at + 1 + label)?;
                let dot = usize::from(len > 0);
                let place = name.get_mut(len..len + dot + label)?;
                if dot == 1 {
                    place[0] = b'.';
                }
                place[dot..].copy_from_slice(text);
                len += dot + label;
                at += 1 + label;
            }
            // A pointer (section 4.1.4). It must lead backwards, so it cannot go in circles.
            0xc0..=0xff => {
                let to = usize::from(word_at(bytes, at)? & 0x3fff);
                if to >= at {
                    return None;
                }
                end.get_or_insert(at + 2);
                at = to;
            }
            _ => return None,
        }
    }
}

/// Where a name ends in the message.
fn skip_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            label @ 1..=63 => at += 1 + usize::from(label),
            0xc0..=0xff => return Some(at + 2),
            _ => return None,
        }
    }
}
