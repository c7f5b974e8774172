//! Requests in clear HTTP/1 (RFC 9112), each with the status of its answer.
//!
//! Of each direction only heads are kept, at most 8 KiB, and bodies are stepped over by their length or their
//! chunks. Where bytes are missing or a body has no known end, reading goes on at the next packet that begins
//! like a message. `duration` is the time from the request's last byte of its head to the answer's: what follows
//! is the transfer, which the flow shows. `bytes` are those that the answer announces; -1 where it announces none.

use std::collections::VecDeque;

use memchr::{memchr, memmem};
use traffic::Address;
use traffic::request::{Method, Request};

use crate::network::fields::LARGEST;
use crate::network::web;
use crate::rows::Rows;

/// Bytes of a head that are kept: what Apache and nginx take by default.
pub(super) const HEAD: usize = 8192;

/// Requests of one connection that wait for their answers; more are given out without.
const WAITING: usize = 64;

const METHODS: [&[u8]; 9] =
    [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"];

/// True where the bytes may begin a request: a method, also where only its first letters were sent, or a line that
/// ends with a version, whatever stands before it (probes send broken requests on purpose).
pub(super) fn begins(payload: &[u8]) -> bool {
    METHODS.iter().any(|method| {
        let (method, rest) = (*method, payload.get(method.len()));
        match rest {
            Some(after) => matches!(after, b' ' | b'\r' | b'\n') && payload.starts_with(method),
            None => !payload.is_empty() && method.starts_with(payload),
        }
    }) || memchr(b'\n', payload).is_some_and(|end| {
        let line = payload[..end].trim_ascii_end();
        [&b"HTTP/1.1"[..], b"HTTP/1.0", b"HTTP/1."].iter().any(|version| line.ends_with(version))
            && !begins_answer(line)
    })
}

/// True where the bytes begin an answer.
pub(super) fn begins_answer(payload: &[u8]) -> bool {
    payload.starts_with(b"HTTP/1.")
}

/// A connection that is followed.
#[derive(Debug)]
pub(super) struct Connection {
    client: Address,
    requests: Stream,
    answers: Stream,
    waiting: VecDeque<Request>,
}

impl Connection {
    pub(super) fn new(client: Address) -> Self {
        Self { client, requests: Stream::default(), answers: Stream::default(), waiting: VecDeque::new() }
    }

    /// Bytes that are kept.
    pub(super) fn held(&self) -> usize {
        self.requests.head.capacity()
            + self.answers.head.capacity()
            + self.waiting.capacity() * size_of::<Request>()
    }

    /// Takes the next bytes of one side. False when there is nothing more to learn.
    pub(super) fn take(&mut self, from_client: bool, data: &[u8], time: i64, rows: &mut Rows) -> bool {
        if from_client {
            let (client, waiting) = (self.client, &mut self.waiting);
            self.requests.take(data, begins, |head| on_request(head, client, time, waiting, rows));
        } else {
            let waiting = &mut self.waiting;
            self.answers.take(data, begins_answer, |head| on_answer(head, time, waiting, rows));
            if self.answers.stage == Stage::Over {
                self.requests.stage = Stage::Over;
            }
        }
        !(self.requests.stage == Stage::Over && self.waiting.is_empty())
    }

    /// So many bytes of one side are missing. A head of which the first line is there is read without the rest.
    pub(super) fn gap(&mut self, from_client: bool, missing: usize, time: i64, rows: &mut Rows) {
        let stream = if from_client { &mut self.requests } else { &mut self.answers };
        let head = stream.gap(missing);
        if memchr(b'\n', &head).is_none() {
            return;
        }
        if from_client {
            on_request(&head, self.client, time, &mut self.waiting, rows);
        } else {
            on_answer(&head, time, &mut self.waiting, rows);
        }
    }

    /// Gives out what has no answer.
    pub(super) fn end(&mut self, rows: &mut Rows) {
        for request in self.waiting.drain(..) {
            rows.requests.push(&request);
        }
    }
}

fn on_request(
    head: &[u8],
    client: Address,
    time: i64,
    waiting: &mut VecDeque<Request>,
    rows: &mut Rows,
) -> Body {
    let (request, body) = read_request(head, client, time, rows);
    if waiting.len() >= WAITING
        && let Some(first) = waiting.pop_front()
    {
        rows.requests.push(&first);
    }
    waiting.push_back(request);
    body
}

fn on_answer(head: &[u8], time: i64, waiting: &mut VecDeque<Request>, rows: &mut Rows) -> Body {
    let Some(answer) = Answer::read(head) else { return Body::Unknown };
    // 100 Continue and 103 Early Hints announce the answer, they are none; 101 is the last.
    if (100..200).contains(&answer.status) && answer.status != 101 {
        return Body::None;
    }
    let Some(mut request) = waiting.pop_front() else { return answer.body };
    let method = Method::from_code(request.method);
    request.status = answer.status;
    request.duration = (time - request.time).clamp(0, i64::from(i32::MAX)) as i32;
    request.bytes = answer.length;
    rows.requests.push(&request);
    match (method, answer.status) {
        (_, 101) | (Some(Method::Connect), 200..300) => Body::Over,
        (Some(Method::Head), _) | (_, 204 | 304) => Body::None,
        _ => answer.body,
    }
}

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    None,
    Length(u64),
    Chunks,
    /// Until the connection ends, or of a length that is not understood.
    Unknown,
    /// The connection is no longer one of HTTP/1.
    Over,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Head,
    Body(u64),
    /// Before the size of a chunk: digits so far.
    ChunkSize(u64, u8),
    /// Behind the size, up to the end of the line.
    ChunkLine(u64),
    /// Inside a chunk and the line end behind it.
    Chunk(u64),
    /// Lines behind the last chunk; whether something stands in the present one.
    Trailer(bool),
    /// Until a packet begins like a message.
    Lost,
    Over,
}

/// One direction.
#[derive(Debug, Default)]
struct Stream {
    stage: Stage,
    head: Vec<u8>,
}

impl Stream {
    fn take(&mut self, mut data: &[u8], begins: fn(&[u8]) -> bool, mut on_head: impl FnMut(&[u8]) -> Body) {
        if self.stage == Stage::Lost && begins(data) {
            self.stage = Stage::Head;
        }
        while let Some(&byte) = data.first() {
            match self.stage {
                Stage::Lost | Stage::Over => return,
                Stage::Head => {
                    // Line ends before a message are to be passed over (section 2.2).
                    if self.head.is_empty() && matches!(byte, b'\r' | b'\n') {
                        data = &data[1..];
                        continue;
                    }
                    data = self.take_head(data, &mut on_head);
                }
                Stage::Body(left) => {
                    let step = left.min(data.len() as u64);
                    self.stage = if step == left { Stage::Head } else { Stage::Body(left - step) };
                    data = &data[step as usize..];
                }
                Stage::Chunk(left) => {
                    let step = left.min(data.len() as u64);
                    self.stage =
                        if step == left { Stage::ChunkSize(0, 0) } else { Stage::Chunk(left - step) };
                    data = &data[step as usize..];
                }
                Stage::ChunkSize(size, digits) => {
                    self.stage = match (char::from(byte).to_digit(16), digits) {
                        (Some(digit), 0..=11) => Stage::ChunkSize(size << 4 | u64::from(digit), digits + 1),
                        (None, 1..) => Stage::ChunkLine(size),
                        _ => Stage::Lost,
                    };
                    if matches!(self.stage, Stage::ChunkSize(..)) {
                        data = &data[1..];
                    }
                }
                Stage::ChunkLine(size) => {
                    let Some(end) = memchr(b'\n', data) else { return };
                    data = &data[end + 1..];
                    // The chunk, and the line end behind it.
                    self.stage = if size == 0 { Stage::Trailer(false) } else { Stage::Chunk(size + 2) };
                }
                Stage::Trailer(any) => {
                    self.stage = match byte {
                        b'\n' if any => Stage::Trailer(false),
                        b'\n' => Stage::Head,
                        b'\r' => Stage::Trailer(any),
                        _ => Stage::Trailer(true),
                    };
                    data = &data[1..];
                }
            }
        }
    }

    /// Takes bytes of a head, and gives what is behind it.
    fn take_head<'a>(&mut self, data: &'a [u8], on_head: &mut impl FnMut(&[u8]) -> Body) -> &'a [u8] {
        let (body, rest) = if self.head.is_empty()
            && let Some(end) = end_of_head(data, 0)
            && end <= HEAD
        {
            (on_head(&data[..end]), &data[end..])
        } else {
            let before = self.head.len();
            let step = data.len().min(HEAD - before.min(HEAD));
            self.head.extend_from_slice(&data[..step]);
            // The end may have begun in the bytes before.
            match end_of_head(&self.head, before.saturating_sub(3)) {
                Some(end) => {
                    let body = on_head(&self.head[..end]);
                    self.head = Vec::new();
                    (body, &data[end - before..])
                }
                None if self.head.len() >= HEAD => {
                    // What is asked for stands in front, so a head that goes on too long is read without its end.
                    on_head(&self.head);
                    self.head = Vec::new();
                    (Body::Unknown, &data[step..])
                }
                None => return &data[step..],
            }
        };
        self.stage = match body {
            Body::None | Body::Length(0) => Stage::Head,
            Body::Length(n) => Stage::Body(n),
            Body::Chunks => Stage::ChunkSize(0, 0),
            Body::Unknown => Stage::Lost,
            Body::Over => Stage::Over,
        };
        rest
    }

    /// Steps over bytes that are missing, and gives the head that they cut off.
    fn gap(&mut self, missing: usize) -> Vec<u8> {
        let missing = missing as u64;
        self.stage = match self.stage {
            Stage::Body(left) if left > missing => Stage::Body(left - missing),
            Stage::Body(left) if left == missing => Stage::Head,
            Stage::Chunk(left) if left > missing => Stage::Chunk(left - missing),
            Stage::Over => Stage::Over,
            _ => Stage::Lost,
        };
        std::mem::take(&mut self.head)
    }
}

/// Where the empty line behind a head ends. `from`: where it may begin.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr(b'\n', &bytes[at..])? + 1;
        match &bytes[at..] {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

/// Lines without their ends.
fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Fields below the first line: name, and value without blanks around it.
fn fields(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines(head).skip(1).filter_map(|line| {
        let colon = memchr(b':', line)?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}

fn read_request(head: &[u8], client: Address, time: i64, rows: &mut Rows) -> (Request, Body) {
    let mut request = Request { peer_hi: client.hi, peer_lo: client.lo, time, ..Request::EMPTY };
    web::set_request_line(&mut request, lines(head).next().unwrap_or_default(), rows);
    let (mut host, mut referer, mut agent, mut body) = (&b""[..], &b""[..], &b""[..], Body::None);
    for (name, value) in fields(head) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("host") {
            host = value;
        } else if is("referer") {
            referer = value;
        } else if is("user-agent") {
            agent = value;
        } else if is("x-forwarded-for") {
            web::set_forwarded(&mut request, value);
        } else {
            body = body_of(name, value, body);
        }
    }
    // A target that names its host counts (RFC 9112, section 3.2.2).
    if request.host < 0 {
        web::set_host(&mut request, host, rows);
    }
    web::set_referer(&mut request, Some(referer), rows);
    web::set_agent(&mut request, Some(agent), rows);
    (request, body)
}

/// What a field says about the body, given what those before it said.
fn body_of(name: &[u8], value: &[u8], before: Body) -> Body {
    if name.eq_ignore_ascii_case(b"content-length") && before != Body::Chunks {
        let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        length.map_or(Body::Unknown, Body::Length)
    } else if name.eq_ignore_ascii_case(b"transfer-encoding")
        && memmem::find(&value.to_ascii_lowercase(), b"chunked").is_some()
    {
        Body::Chunks
    } else {
        before
    }
}

struct Answer {
    status: i32,
    body: Body,
    /// The length that it announces, -1 where none.
    length: i64,
}

impl Answer {
    fn read(head: &[u8]) -> Option<Self> {
        let mut words = lines(head).next()?.split(|&b| b == b' ').filter(|word| !word.is_empty());
        if !words.next()?.starts_with(b"HTTP/") {
            return None;
        }
        let status = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
        if !(100..1000).contains(&status) {
            return None;
        }
        let mut body = Body::Unknown;
        for (name, value) in fields(head) {
            body = body_of(name, value, body);
        }
        let length = match body {
            Body::Length(length) => {
                i64::try_from(length).ok().filter(|&length| length <= LARGEST).unwrap_or(-1)
            }
            _ if matches!(status, 204 | 304) => 0,
            _ => -1,
        };
        Some(Self { status, body, length })
    }
}
