//! TLS handshakes (RFC 8446; RFC 5246): who greets whom, under what name, and whether it was finished.
//!
//! Of each direction the records are followed by their heads, and the first handshake message is read. Nothing is
//! decrypted. A handshake counts as finished when the server has greeted back and both sides have gone over to
//! encryption (a record of `change_cipher_spec` or `application_data`): in version 1.3 the rest is encrypted and
//! looks the same whether the client accepts the certificate or not.

use std::fmt::Write;

use md5::{Digest, Md5};
use traffic::Address;
use traffic::tls::Tls;

use crate::rows::Rows;

/// Bytes of a greeting that are kept. One with post-quantum keys has about 1,800.
pub(super) const GREETING: usize = 4096;

/// The longest record: 2^14 bytes and what encryption adds (RFC 5246, section 6.2.3).
const LONGEST_RECORD: usize = 16_384 + 2_048;

/// Numbers of one list of a greeting that go into its fingerprint; there are a few hundred in all.
const LISTED: usize = 512;

/// True where the bytes may begin a stream of TLS from a client.
pub(super) fn begins(payload: &[u8]) -> bool {
    matches!(payload, [22, 3, 0..=4, _, _, 1, ..])
}

/// A handshake that is followed.
#[derive(Debug)]
pub(super) struct Handshake {
    client: Address,
    server: Address,
    server_port: u16,
    time: i64,
    /// The client, then the server.
    sides: [Stream; 2],
    hello: Option<Hello>,
    answer: Option<i32>,
    /// Bytes are missing in the capture, so that what followed cannot be told.
    lost: bool,
}

#[derive(Debug)]
struct Hello {
    name: i64,
    fingerprint: i64,
    /// The highest version that the client offers.
    version: i32,
}

impl Handshake {
    pub(super) fn new(client: Address, server: Address, server_port: u16, time: i64) -> Self {
        Self {
            client,
            server,
            server_port,
            time,
            sides: [Stream::default(), Stream::default()],
            hello: None,
            answer: None,
            lost: false,
        }
    }

    /// Bytes that are kept.
    pub(super) fn held(&self) -> usize {
        self.sides.iter().map(|side| side.greeting.capacity()).sum()
    }

    /// Takes the next bytes of one side. False when there is nothing more to learn.
    pub(super) fn take(&mut self, from_client: bool, data: &[u8], rows: &mut Rows) -> bool {
        if self.lost {
            return false;
        }
        let side = &mut self.sides[usize::from(!from_client)];
        side.take(data);
        if let Some(greeting) = side.whole_greeting() {
            if from_client {
                self.hello = client_hello(greeting, rows);
            } else {
                self.answer = server_hello(greeting);
            }
            side.greeted = true;
            side.greeting = Vec::new();
        }
        let [client, server] = &self.sides;
        let finished = self.answer.is_some() && client.encrypts && server.encrypts;
        // A first message that is no greeting is not TLS.
        let no_tls = client.greeted && self.hello.is_none();
        self.lost |= client.broken || server.broken;
        !(finished || no_tls || client.broken || server.broken)
    }

    /// Bytes of one side are missing.
    pub(super) fn gap(&mut self) {
        self.lost = true;
    }

    /// What is known at the end. `two_way`: whether the server was seen to send anything.
    pub(super) fn end(&self, two_way: bool, rows: &mut Rows) {
        let [client, server] = &self.sides;
        let hello = match &self.hello {
            Some(hello) => hello,
            // The greeting was cut off: the name stands near its front; the rest needs all of it.
            None if !client.greeted => match client_hello(&client.greeting, rows) {
                Some(hello) => &Hello { fingerprint: -1, version: -1, ..hello },
                None => return,
            },
            None => return,
        };
        let established = if self.answer.is_some() && client.encrypts && server.encrypts {
            1
        } else if self.lost || !two_way {
            -1
        } else {
            0
        };
        rows.tls.push(&Tls {
            client_hi: self.client.hi,
            client_lo: self.client.lo,
            server_hi: self.server.hi,
            server_lo: self.server.lo,
            server_port: i32::from(self.server_port),
            time: self.time,
            name: hello.name,
            fingerprint: hello.fingerprint,
            version: self.answer.unwrap_or(hello.version),
            established,
            issuer: -1,
        });
    }
}

/// Records of one direction.
#[derive(Debug, Default)]
struct Stream {
    head: [u8; 5],
    head_len: usize,
    /// Bytes of the present record that are still to come.
    left: usize,
    greeting: Vec<u8>,
    greeted: bool,
    encrypts: bool,
    broken: bool,
}

impl Stream {
    fn take(&mut self, mut data: &[u8]) {
        while !data.is_empty() && !self.broken {
            if self.left == 0 {
                let step = (5 - self.head_len).min(data.len());
                self.head[self.head_len..self.head_len + step].copy_from_slice(&data[..step]);
                self.head_len += step;
                data = &data[step..];
                if self.head_len == 5 {
                    self.head_len = 0;
                    self.begin_record();
                }
                continue;
            }
            let step = self.left.min(data.len());
            if self.head[0] == 22 && !self.greeted {
                let room = GREETING - self.greeting.len().min(GREETING);
                self.greeting.extend_from_slice(&data[..step.min(room)]);
            }
            self.left -= step;
            data = &data[step..];
        }
    }

    fn begin_record(&mut self) {
        let [kind, major, _, high, low] = self.head;
        self.left = usize::from(u16::from_be_bytes([high, low]));
        self.broken = !(20..=24).contains(&kind) || major != 3 || self.left > LONGEST_RECORD;
        self.encrypts |= matches!(kind, 20 | 23);
    }

    /// The first handshake message, once it is whole or as much of it as is kept.
    fn whole_greeting(&self) -> Option<&[u8]> {
        if self.greeted {
            return None;
        }
        let [_, a, b, c, body @ ..] = &self.greeting[..] else { return None };
        let len = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        (body.len() >= len || self.greeting.len() >= GREETING)
            .then(|| &self.greeting[..self.greeting.len().min(len + 4)])
    }
}

/// Reads numbers and lists one after the other; nothing where the bytes end before.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    fn word(&mut self) -> Option<u16> {
        self.bytes(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A list with its length before it in one byte.
    fn short_list(&mut self) -> Option<&'a [u8]> {
        let len = self.byte()?;
        self.bytes(usize::from(len))
    }

    /// A list with its length before it in two bytes, or what is there of it.
    fn list(&mut self) -> Option<&'a [u8]> {
        let len = usize::from(self.word()?);
        self.bytes(len.min(self.0.len()))
    }
}

/// Reads a `ClientHello` (RFC 8446, section 4.1.2): the server's name (RFC 6066, section 3), the versions, and the
/// fingerprint JA3 (<https://github.com/salesforce/ja3>): the MD5 of version, cipher suites, extensions, groups and
/// point formats in decimal, without the values of GREASE (RFC 8701).
fn client_hello(greeting: &[u8], rows: &mut Rows) -> Option<Hello> {
    let mut hello = Reader(greeting);
    if hello.byte()? != 1 {
        return None;
    }
    hello.bytes(3)?;
    let legacy = hello.word()?;
    hello.bytes(32)?;
    hello.short_list()?;
    let suites = hello.list()?;
    hello.short_list()?;
    let mut extensions = Reader(hello.list().unwrap_or_default());
    let (mut name, mut version) = (-1, i32::from(legacy));
    let (mut kinds, mut groups, mut formats): (Vec<u16>, &[u8], &[u8]) = (Vec::new(), &[], &[]);
    while let (Some(kind), Some(data)) = (extensions.word(), extensions.list()) {
        if kinds.len() < LISTED {
            kinds.push(kind);
        }
        let mut data = Reader(data);
        match kind {
            // The list of names, the type of the first (0, a host), and the name.
            0 => {
                let host = data
                    .list()
                    .map(Reader)
                    .and_then(|mut names| (names.byte()? == 0).then(|| names.list())?);
                if let Some(host) = host.filter(|host| !host.is_empty()) {
                    name = rows.text(&host.to_ascii_lowercase());
                }
            }
            10 => groups = data.list().unwrap_or_default(),
            11 => formats = data.short_list().unwrap_or_default(),
            43 => {
                let offered = words(data.short_list().unwrap_or_default());
                let highest = offered.filter(|&version| !is_grease(version)).max();
                version = highest.map_or(version, i32::from);
            }
            _ => {}
        }
    }
    let mut text = String::new();
    let _ = write!(text, "{legacy},");
    list(&mut text, words(suites));
    text.push(',');
    list(&mut text, kinds.into_iter());
    text.push(',');
    list(&mut text, words(groups));
    text.push(',');
    list(&mut text, formats.iter().map(|&format| u16::from(format)));
    let mut fingerprint = String::with_capacity(32);
    for byte in Md5::digest(text.as_bytes()) {
        let _ = write!(fingerprint, "{byte:02x}");
    }
    Some(Hello { name, fingerprint: rows.text(fingerprint.as_bytes()), version })
}

/// The version that the server chose (RFC 8446, section 4.2.1; before 1.3 it stands in the greeting itself).
fn server_hello(greeting: &[u8]) -> Option<i32> {
    let mut hello = Reader(greeting);
    if hello.byte()? != 2 {
        return None;
    }
    hello.bytes(3)?;
    let legacy = hello.word()?;
    hello.bytes(32)?;
    hello.short_list()?;
    hello.bytes(3)?;
    let mut extensions = Reader(hello.list().unwrap_or_default());
    while let (Some(kind), Some(data)) = (extensions.word(), extensions.list()) {
        if kind == 43 {
            return Reader(data).word().map(i32::from);
        }
    }
    Some(i32::from(legacy))
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}

fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 15 == 10
}

fn list(text: &mut String, values: impl Iterator<Item = u16>) {
    let mut first = true;
    for value in values.filter(|&value| !is_grease(value)).take(LISTED) {
        let _ = write!(text, "{}{value}", if first { "" } else { "-" });
        first = false;
    }
}
