//! From events to rows of traffic. Keys as in Suricata's etc/schema.json, version 8.

use traffic::Address;
use traffic::flow::{Flow, Service, State};
use traffic::login::{self, Login};
use traffic::lookup::Lookup;
use traffic::request::Request;
use traffic::tls::Tls;

use super::pairs::{Key, Pairs};
use crate::network::json::{elements, object, text};
use crate::network::{fields, names, web, zeek};
use crate::problems::Reason;
use crate::rows::Rows;
use crate::time::{Bounds, Read};

macro_rules! keys {
    ($place:ident $count:ident: $($constant:ident $name:literal,)+) => {
        keys!(@number 0; $($constant)+);
        pub(super) const $count: usize = [$($name),+].len();
        pub(super) fn $place(key: &str) -> Option<usize> {
            match key {
                $($name => Some($constant),)+
                _ => None,
            }
        }
    };
    (@number $n:expr; $constant:ident $($rest:ident)*) => {
        pub(super) const $constant: usize = $n;
        keys!(@number $n + 1; $($rest)*);
    };
    (@number $n:expr;) => {};
}

keys! { place KEYS:
    TIMESTAMP "timestamp",
    TYPE "event_type",
    FLOW_ID "flow_id",
    SRC_IP "src_ip",
    SRC_PORT "src_port",
    DEST_IP "dest_ip",
    DEST_PORT "dest_port",
    PROTO "proto",
    APP_PROTO "app_proto",
    ICMP_TYPE "icmp_type",
    ICMP_CODE "icmp_code",
    XFF "xff",
    FLOW "flow",
    NETFLOW "netflow",
    TCP "tcp",
    DNS "dns",
    HTTP "http",
    TLS "tls",
}

keys! { flow_place FLOW_KEYS:
    START "start",
    END "end",
    STATE "state",
    OUT_PACKETS "pkts_toserver",
    BACK_PACKETS "pkts_toclient",
    OUT_BYTES "bytes_toserver",
    BACK_BYTES "bytes_toclient",
    PACKETS "pkts",
    BYTES "bytes",
    FLAGS "tcp_flags",
    OUT_FLAGS "tcp_flags_ts",
    BACK_FLAGS "tcp_flags_tc",
}

keys! { dns_place DNS_KEYS:
    DNS_VERSION "version",
    DNS_TYPE "type",
    DNS_ID "id",
    NAME "rrname",
    QUERY_TYPE "rrtype",
    CODE "rcode",
    DATA "rdata",
    ANSWERS "answers",
    GROUPED "grouped",
    QUERIES "queries",
}

keys! { http_place HTTP_KEYS:
    HOSTNAME "hostname",
    URL "url",
    AGENT "http_user_agent",
    REFERER "http_refer",
    METHOD "http_method",
    STATUS "status",
    LENGTH "length",
    HTTP_XFF "xff",
}

keys! { tls_place TLS_KEYS:
    SNI "sni",
    TLS_VERSION "version",
    ISSUER "issuerdn",
    JA3 "ja3",
    HASH "hash",
}

/// What reading an event needs.
pub(super) struct Reading<'r> {
    pub(super) bounds: Bounds,
    /// An event of type `flow` has been seen.
    pub(super) has_flows: &'r mut bool,
    pub(super) pairs: &'r mut Pairs,
    pub(super) rows: &'r mut Rows,
}

type Event<'a> = [&'a [u8]; KEYS];

type Outcome = Result<Option<Reason>, Reason>;

impl Reading<'_> {
    /// Reads one event.
    pub(super) fn event(&mut self, line: &[u8]) -> Outcome {
        let event: Event<'_> = object(line, place).map_err(|_| Reason::NotJson)?;
        match &*text(event[TYPE]) {
            b"flow" => {
                *self.has_flows = true;
                self.flow(&event)
            }
            b"netflow" if *self.has_flows => Ok(Some(Reason::OtherTraffic)),
            b"netflow" => self.netflow(&event),
            b"dns" => self.dns(&event),
            b"http" => self.http(&event),
            b"tls" => self.tls(&event),
            b"ssh" => self.ssh(&event),
            b"" => Err(Reason::UnknownRecord),
            _ => Ok(Some(Reason::OtherTraffic)),
        }
    }

    fn flow(&mut self, event: &Event<'_>) -> Outcome {
        let (mut row, noted) = self.frame(event, event[FLOW])?;
        let counts: [&[u8]; FLOW_KEYS] =
            object(event[FLOW], flow_place).map_err(|_| Reason::UnknownRecord)?;
        row.packets = fields::count(counts[OUT_PACKETS])?;
        row.bytes = fields::count(counts[OUT_BYTES])?;
        row.back_packets = fields::count(counts[BACK_PACKETS])?;
        row.back_bytes = fields::count(counts[BACK_BYTES])?;
        let tcp: Option<[&[u8]; FLOW_KEYS]> = object(event[TCP], flow_place).ok();
        let flags = |place: usize| tcp.and_then(|tcp| hexadecimal(&text(tcp[place])));
        let state = match (flags(OUT_FLAGS), flags(BACK_FLAGS)) {
            (Some(out), Some(back)) if row.proto == 6 => {
                row.flags = out;
                fields::tcp_state(out, back, row.back_packets)
            }
            _ => match &*text(counts[STATE]) {
                _ if row.back_packets == 0 => State::Attempt,
                b"closed" => State::Closed,
                b"new" | b"established" | b"bypassed" => State::Established,
                _ => State::Unknown,
            },
        };
        row.state = state.code();
        self.rows.flows.push(&row);
        Ok(noted)
    }

    /// One direction of a flow.
    fn netflow(&mut self, event: &Event<'_>) -> Outcome {
        let (mut row, noted) = self.frame(event, event[NETFLOW])?;
        let counts: [&[u8]; FLOW_KEYS] =
            object(event[NETFLOW], flow_place).map_err(|_| Reason::UnknownRecord)?;
        row.packets = fields::count(counts[PACKETS])?;
        row.bytes = fields::count(counts[BYTES])?;
        if let Ok(tcp) = object::<FLOW_KEYS>(event[TCP], flow_place) {
            row.flags = hexadecimal(&text(tcp[FLAGS])).unwrap_or(0);
        }
        self.rows.flows.push(&row);
        Ok(noted)
    }

    /// What flow and netflow events have in common. `times` is the object that has start and end.
    fn frame(&mut self, event: &Event<'_>, times: &[u8]) -> Result<(Flow, Option<Reason>), Reason> {
        let times: [&[u8]; FLOW_KEYS] = object(times, flow_place).map_err(|_| Reason::UnknownRecord)?;
        let start = if times[START].is_empty() { event[TIMESTAMP] } else { times[START] };
        let read = self.time(start)?;
        let end = if times[END].is_empty() { read.millis } else { self.time(times[END])?.millis };
        let (src, dst) = (address(event[SRC_IP])?, address(event[DEST_IP])?);
        let proto = fields::protocol(&text(event[PROTO]), fields::is_v6(src));
        let icmp = matches!(proto, 1 | 58);
        let uid = match event[FLOW_ID] {
            b"" => -1,
            id => self.rows.text(&text(id)),
        };
        let row = Flow {
            src_hi: src.hi,
            src_lo: src.lo,
            dst_hi: dst.hi,
            dst_lo: dst.lo,
            src_port: fields::port(&text(if icmp { event[ICMP_TYPE] } else { event[SRC_PORT] }))?,
            dst_port: fields::port(&text(if icmp { event[ICMP_CODE] } else { event[DEST_PORT] }))?,
            proto,
            time: read.millis,
            duration: (end - read.millis).max(0),
            service: service(&text(event[APP_PROTO])).code(),
            uid,
            ..Flow::EMPTY
        };
        Ok((row, read.zone_missing.then_some(Reason::NoZone)))
    }

    fn time(&self, raw: &[u8]) -> Result<Read, Reason> {
        fields::time(&text(raw), self.bounds)
    }

    fn dns(&mut self, event: &Event<'_>) -> Outcome {
        let read = self.time(event[TIMESTAMP])?;
        let dns: [&[u8]; DNS_KEYS] = object(event[DNS], dns_place).map_err(|_| Reason::UnknownRecord)?;
        let kind = text(dns[DNS_TYPE]);
        let is_answer = matches!(&*kind, b"answer" | b"response");
        // Answers come as they were on the wire before version 7: from the server.
        let from_server = is_answer && event[SRC_PORT] == b"53" && event[DEST_PORT] != b"53";
        let (client, server) = if from_server { (DEST_IP, SRC_IP) } else { (SRC_IP, DEST_IP) };
        let (client, server) = (address(event[client])?, address(event[server])?);
        // Version 3 has a list of questions, of which there is one in practice.
        let question = elements(dns[QUERIES]).first().and_then(|raw| object::<DNS_KEYS>(raw, dns_place).ok());
        let asked =
            |place: usize| question.map(|q| q[place]).filter(|raw| !raw.is_empty()).unwrap_or(dns[place]);
        let qname = text(asked(NAME));
        let name = names::lookup_name(self.rows, &qname);
        let mut row = Lookup {
            client_hi: client.hi,
            client_lo: client.lo,
            server_hi: server.hi,
            server_lo: server.lo,
            time: read.millis,
            name: name.name,
            domain: name.domain,
            label_len: name.label_len,
            label_entropy: name.label_entropy,
            qtype: query_type(&text(asked(QUERY_TYPE))),
            rcode: -1,
            answers: 0,
            answer_hi: -1,
            answer_lo: -1,
            bytes: -1,
        };
        let noted = read.zone_missing.then_some(Reason::NoZone);
        let flow = fields::whole(event[FLOW_ID]).unwrap_or(-1);
        let key = Key { flow, id: fields::whole(dns[DNS_ID]).unwrap_or(-1), name: name.name };
        if !is_answer {
            self.pairs.asked(key, row, self.rows);
            return Ok(noted);
        }
        row.rcode = answer_code(&text(dns[CODE]));
        let mut first = Address::NONE;
        // Version 1 writes an event for each record of the answer.
        let mut records = elements(dns[ANSWERS]);
        let one_by_one = records.is_empty() && !dns[DATA].is_empty();
        if one_by_one {
            records = vec![event[DNS]];
        }
        for record in &records {
            let Ok(record) = object::<DNS_KEYS>(record, dns_place) else { continue };
            if first == Address::NONE {
                first = fields::address(&text(record[DATA])).unwrap_or(Address::NONE);
            }
        }
        let mut n = records.len();
        if n == 0 {
            // With the addresses alone, by type: {"A": ["192.0.2.1"]}.
            let grouped: [&[u8]; GROUPED_KEYS] =
                object(dns[GROUPED], grouped_place).unwrap_or([b""; GROUPED_KEYS]);
            for list in grouped {
                let list = elements(list);
                n += list.len();
                if first == Address::NONE {
                    first = list.first().and_then(|raw| fields::address(&text(raw))).unwrap_or(Address::NONE);
                }
            }
        }
        row.answers = i32::try_from(n).unwrap_or(i32::MAX);
        (row.answer_hi, row.answer_lo) = (first.hi, first.lo);
        self.pairs.answered(key, row, one_by_one, self.rows);
        Ok(noted)
    }

    fn http(&mut self, event: &Event<'_>) -> Outcome {
        let read = self.time(event[TIMESTAMP])?;
        let http: [&[u8]; HTTP_KEYS] = object(event[HTTP], http_place).map_err(|_| Reason::UnknownRecord)?;
        let peer = address(event[SRC_IP])?;
        let status = match fields::count(&text(http[STATUS]))? {
            status @ 0..=999 => status as i32,
            _ => return Err(Reason::BadNumber),
        };
        let mut request = Request {
            peer_hi: peer.hi,
            peer_lo: peer.lo,
            time: read.millis,
            method: web::method(&text(http[METHOD])).code(),
            status,
            bytes: fields::count_or_unknown(&text(http[LENGTH]))?,
            ..Request::EMPTY
        };
        web::set_target(&mut request, &text(http[URL]), self.rows);
        // The header last: where the target names a host too, it is the one that was asked for.
        web::set_host(&mut request, &text(http[HOSTNAME]), self.rows);
        // Suricata leaves out what was not sent.
        web::set_referer(&mut request, Some(&text(http[REFERER])), self.rows);
        web::set_agent(&mut request, Some(&text(http[AGENT])), self.rows);
        let forwarded = if http[HTTP_XFF].is_empty() { event[XFF] } else { http[HTTP_XFF] };
        web::set_forwarded(&mut request, &text(forwarded));
        self.rows.requests.push(&request);
        Ok(read.zone_missing.then_some(Reason::NoZone))
    }

    fn tls(&mut self, event: &Event<'_>) -> Outcome {
        let read = self.time(event[TIMESTAMP])?;
        let tls: [&[u8]; TLS_KEYS] = object(event[TLS], tls_place).map_err(|_| Reason::UnknownRecord)?;
        let (client, server) = (address(event[SRC_IP])?, address(event[DEST_IP])?);
        let ja3: [&[u8]; TLS_KEYS] = object(tls[JA3], tls_place).unwrap_or([b""; TLS_KEYS]);
        let sni = text(tls[SNI]).to_ascii_lowercase();
        let mut id = |text: &[u8]| if text.is_empty() { -1 } else { self.rows.text(text) };
        let (name, fingerprint, issuer) = (id(&sni), id(&text(ja3[HASH])), id(&text(tls[ISSUER])));
        self.rows.tls.push(&Tls {
            client_hi: client.hi,
            client_lo: client.lo,
            server_hi: server.hi,
            server_lo: server.lo,
            server_port: fields::port(&text(event[DEST_PORT]))?,
            time: read.millis,
            name,
            fingerprint,
            version: tls_version(&text(tls[TLS_VERSION])),
            // The event is written once the server's part has been seen, finished or not.
            established: -1,
            issuer,
        });
        Ok(read.zone_missing.then_some(Reason::NoZone))
    }

    /// The event has the versions of both sides and nothing of the outcome.
    fn ssh(&mut self, event: &Event<'_>) -> Outcome {
        let read = self.time(event[TIMESTAMP])?;
        let client = address(event[SRC_IP])?;
        let server = self.rows.text(&text(event[DEST_IP]));
        self.rows.logins.push(&Login {
            client_hi: client.hi,
            client_lo: client.lo,
            server,
            time: read.millis,
            account: -1,
            outcome: login::Outcome::Unknown.code(),
            service: login::Service::Ssh.code(),
        });
        Ok(read.zone_missing.then_some(Reason::NoZone))
    }
}

keys! { grouped_place GROUPED_KEYS:
    GROUPED_A "A",
    GROUPED_AAAA "AAAA",
    GROUPED_CNAME "CNAME",
    GROUPED_MX "MX",
    GROUPED_NS "NS",
    GROUPED_PTR "PTR",
    GROUPED_TXT "TXT",
}

fn address(raw: &[u8]) -> Result<Address, Reason> {
    fields::address(&text(raw)).ok_or(Reason::BadAddress)
}

fn hexadecimal(digits: &[u8]) -> Option<i32> {
    let number = i32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (0..=255).contains(&number).then_some(number)
}

fn service(name: &[u8]) -> Service {
    match name {
        b"" | b"failed" | b"unknown" => Service::Unknown,
        name => zeek::service(name),
    }
}

/// Numbers of record types (IANA, "DNS parameters").
fn query_type(name: &[u8]) -> i32 {
    const TYPES: &[(&[u8], i32)] = &[
        (b"A", 1),
        (b"NS", 2),
        (b"CNAME", 5),
        (b"SOA", 6),
        (b"NULL", 10),
        (b"PTR", 12),
        (b"HINFO", 13),
        (b"MX", 15),
        (b"TXT", 16),
        (b"RP", 17),
        (b"AFSDB", 18),
        (b"SIG", 24),
        (b"KEY", 25),
        (b"AAAA", 28),
        (b"LOC", 29),
        (b"SRV", 33),
        (b"NAPTR", 35),
        (b"CERT", 37),
        (b"DNAME", 39),
        (b"OPT", 41),
        (b"DS", 43),
        (b"SSHFP", 44),
        (b"RRSIG", 46),
        (b"NSEC", 47),
        (b"DNSKEY", 48),
        (b"NSEC3", 50),
        (b"NSEC3PARAM", 51),
        (b"TLSA", 52),
        (b"SVCB", 64),
        (b"HTTPS", 65),
        (b"SPF", 99),
        (b"TKEY", 249),
        (b"TSIG", 250),
        (b"IXFR", 251),
        (b"AXFR", 252),
        (b"ANY", 255),
        (b"URI", 256),
        (b"CAA", 257),
    ];
    match TYPES.iter().find(|(known, _)| *known == name) {
        Some((_, number)) => *number,
        None => numbered(name, b"TYPE"),
    }
}

/// Numbers of answer codes (IANA, "DNS parameters").
fn answer_code(name: &[u8]) -> i32 {
    match name {
        b"NOERROR" => 0,
        b"FORMERR" => 1,
        b"SERVFAIL" => 2,
        b"NXDOMAIN" => 3,
        b"NOTIMP" => 4,
        b"REFUSED" => 5,
        b"YXDOMAIN" => 6,
        b"YXRRSET" => 7,
        b"NXRRSET" => 8,
        b"NOTAUTH" => 9,
        b"NOTZONE" => 10,
        name => numbered(name, b"RCODE"),
    }
}

/// A number, bare or behind a prefix; -1 where there is none.
fn numbered(name: &[u8], prefix: &[u8]) -> i32 {
    match fields::whole(name.strip_prefix(prefix).unwrap_or(name)) {
        Some(number @ 0..=65535) => number as i32,
        _ => -1,
    }
}

/// As on the wire. Suricata writes `TLSv1`, `TLS 1.2`, or the number in hexadecimal.
fn tls_version(name: &[u8]) -> i32 {
    match name {
        b"SSLv2" => 0x0002,
        b"SSLv3" => 0x0300,
        b"TLSv1" | b"TLS 1.0" => 0x0301,
        b"TLS 1.1" | b"TLSv1.1" => 0x0302,
        b"TLS 1.2" | b"TLSv1.2" => 0x0303,
        b"TLS 1.3" | b"TLSv1.3" => 0x0304,
        _ => -1,
    }
}
