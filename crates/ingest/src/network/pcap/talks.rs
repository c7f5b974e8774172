//! What is said inside flows of TCP, as far as it is followed: TLS handshakes and clear HTTP.
//!
//! Bytes are taken in order only. What comes twice is passed over; where a piece is missing, or comes late, the
//! conversation is told how much is gone and goes on behind it. The number of conversations and the bytes that
//! they hold are bounded: beyond them flows are counted, and what is said in them is not read.

use traffic::flow::Service;

use super::headers::Headers;
use super::http::{self, Connection};
use super::tls::{self, Handshake};
use crate::rows::Rows;

/// Conversations that are followed at once.
const MOST: usize = 65_536;

/// Bytes that they may hold together.
const MOST_BYTES: usize = 64 << 20;

/// Packets with content that are looked at in a flow before it is taken for something else: the first may be the
/// end of what went on before the recording.
pub(super) const TRIES: u8 = 3;

/// Conversations by their place.
#[derive(Debug, Default)]
pub(super) struct Talks {
    talks: Vec<Option<Talk>>,
    free: Vec<u32>,
    held: usize,
    /// Conversations that there was no room for.
    pub(super) left_out: u64,
}

#[derive(Debug)]
struct Talk {
    /// Whether the client is the source of the flow.
    client_is_source: bool,
    /// The sequence number that is expected next from the source, and from the destination.
    next: [Option<u32>; 2],
    held: usize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Tls(Box<Handshake>),
    Http(Box<Connection>),
}

/// What a packet's content shows.
pub(super) enum Seen {
    /// A service whose conversation is not followed.
    Service(Service),
    /// A conversation that is followed from here on, at its place.
    Talk(Service, u32),
    /// Nothing.
    Nothing,
}

impl Talks {
    /// Looks at content of a flow in which nothing was recognised so far.
    pub(super) fn look(&mut self, headers: &Headers<'_>, from_source: bool, time: i64) -> Seen {
        let payload = headers.payload;
        if tls::begins(payload) {
            let talk = Handshake::new(headers.src, headers.dst, headers.dst_port, time);
            return self.begin(Service::Tls, Kind::Tls(Box::new(talk)), from_source);
        }
        if http::begins(payload) {
            return self.begin(
                Service::Http,
                Kind::Http(Box::new(Connection::new(headers.src))),
                from_source,
            );
        }
        if http::begins_answer(payload) {
            let talk = Connection::new(headers.dst);
            return self.begin(Service::Http, Kind::Http(Box::new(talk)), !from_source);
        }
        // What speaks first: an identification (RFC 4253, section 4.2), or a greeting whose port tells which.
        if payload.starts_with(b"SSH-") {
            return Seen::Service(Service::Ssh);
        }
        match headers.src_port {
            21 if payload.starts_with(b"220") => Seen::Service(Service::Ftp),
            25 | 587 if payload.starts_with(b"220") => Seen::Service(Service::Smtp),
            _ => Seen::Nothing,
        }
    }

    fn begin(&mut self, service: Service, kind: Kind, client_is_source: bool) -> Seen {
        let room = self.talks.len() - self.free.len() < MOST && self.held < MOST_BYTES;
        if !room {
            self.left_out += 1;
            return Seen::Service(service);
        }
        let talk = Some(Talk { client_is_source, next: [None; 2], held: 0, kind });
        let at = if let Some(at) = self.free.pop() {
            self.talks[at as usize] = talk;
            at
        } else {
            self.talks.push(talk);
            (self.talks.len() - 1) as u32
        };
        Seen::Talk(service, at)
    }

    /// Takes a packet's content. False when the conversation was given out, and its place is free again.
    pub(super) fn take(
        &mut self,
        at: u32,
        headers: &Headers<'_>,
        from_source: bool,
        two_way: bool,
        time: i64,
        rows: &mut Rows,
    ) -> bool {
        let Some(talk) = &mut self.talks[at as usize] else { return false };
        let from_client = from_source == talk.client_is_source;
        let next = &mut talk.next[usize::from(!from_source)];
        // SYN counts as one byte; nothing is sent with it that anyone reads.
        let (mut data, mut len) = (headers.payload, headers.payload_len);
        if let Some(expected) = *next {
            let ahead = headers.seq.wrapping_sub(expected).cast_signed();
            if ahead < 0 {
                // Some or all of it was here before.
                let known = ahead.unsigned_abs() as usize;
                if known >= len {
                    return true;
                }
                data = data.get(known..).unwrap_or_default();
                len -= known;
            } else if ahead > 0 {
                talk.gap(from_client, ahead as usize, time, rows);
            }
        }
        *talk.next_of(from_source) = Some(headers.seq.wrapping_add(headers.payload_len as u32));
        let mut goes_on = match &mut talk.kind {
            Kind::Tls(handshake) => handshake.take(from_client, data, rows),
            Kind::Http(connection) => connection.take(from_client, data, time, rows),
        };
        if data.len() < len && goes_on {
            talk.gap(from_client, len - data.len(), time, rows);
        }
        let held = match &talk.kind {
            Kind::Tls(handshake) => handshake.held(),
            Kind::Http(connection) => connection.held(),
        };
        self.held = self.held + held - talk.held;
        talk.held = held;
        // Room is shared: what holds bytes while there is none for more is given up.
        goes_on &= self.held <= MOST_BYTES || held == 0;
        if !goes_on {
            self.end(at, two_way, rows);
        }
        goes_on
    }

    /// Gives out what is known of a conversation. `two_way`: whether both sides were seen.
    pub(super) fn end(&mut self, at: u32, two_way: bool, rows: &mut Rows) {
        let Some(talk) = self.talks[at as usize].take() else { return };
        self.held -= talk.held;
        self.free.push(at);
        match talk.kind {
            Kind::Tls(handshake) => handshake.end(two_way, rows),
            Kind::Http(mut connection) => connection.end(rows),
        }
    }
}

impl Talk {
    fn next_of(&mut self, from_source: bool) -> &mut Option<u32> {
        &mut self.next[usize::from(!from_source)]
    }

    fn gap(&mut self, from_client: bool, missing: usize, time: i64, rows: &mut Rows) {
        match &mut self.kind {
            Kind::Tls(handshake) => handshake.gap(),
            Kind::Http(connection) => connection.gap(from_client, missing, time, rows),
        }
    }
}
