//! From records of Zeek to rows of traffic.

use std::borrow::Cow;

use memchr::memchr;
use traffic::Address;
use traffic::flow::{self, Flow, Service, State};
use traffic::login::{self, Login, Outcome};
use traffic::lookup::Lookup;
use traffic::request::Request;
use traffic::tls::Tls;

use super::columns::{Column, Record};
use super::{Stream, tsv};
use crate::network::{fields, names, web};
use crate::problems::Reason;
use crate::records::Context;
use crate::rows::Rows;

/// What a record becomes: read, read after a correction, or refused.
type Read = Result<Option<Reason>, Reason>;

/// Reads one record of a stream.
pub(super) fn read<R: Record>(record: &R, stream: Stream, context: &Context, rows: &mut Rows) -> Read {
    let time = fields::time(record.get(Column::Time), context.bounds)?;
    let millis = time.millis;
    let noted = match stream {
        Stream::Conn { open } => conn(record, millis, open, rows)?,
        Stream::Dns => dns(record, millis, rows)?,
        Stream::Http => http(record, millis, rows)?,
        Stream::Ssl => ssl(record, millis, rows)?,
        Stream::Ssh => ssh(record, millis, rows)?,
        Stream::Ftp => ftp(record, millis, rows)?,
        Stream::Other => Some(Reason::OtherTraffic),
    };
    Ok(noted.or(time.zone_missing.then_some(Reason::NoZone)))
}

fn conn<R: Record>(record: &R, time: i64, open: bool, rows: &mut Rows) -> Read {
    let (src, dst) = (address(record, Column::OrigHost)?, address(record, Column::RespHost)?);
    let proto = match record.get(Column::IpProto) {
        b"" => fields::protocol(record.get(Column::Proto), fields::is_v6(src)),
        number => fields::protocol(number, fields::is_v6(src)),
    };
    let tcp = proto == 6;
    let bytes = |with_headers, payload| match record.get(with_headers) {
        b"" => fields::count_or_unknown(record.get(payload)),
        field => fields::count(field),
    };
    let state = if open { State::Open } else { state(record.get(Column::ConnState), tcp) };
    let uid = match record.get(Column::Uid) {
        b"" => -1,
        // An id serves to tell rows apart and is never shown: a dictionary of them would only be large.
        uid => rows.id(uid),
    };
    rows.flows.push(&Flow {
        src_hi: src.hi,
        src_lo: src.lo,
        dst_hi: dst.hi,
        dst_lo: dst.lo,
        src_port: fields::port(record.get(Column::OrigPort))?,
        dst_port: fields::port(record.get(Column::RespPort))?,
        proto,
        time,
        duration: fields::duration(record.get(Column::Duration))?,
        packets: fields::count(record.get(Column::OrigPackets))?,
        bytes: bytes(Column::OrigIpBytes, Column::OrigBytes)?.max(0),
        back_packets: fields::count_or_unknown(record.get(Column::RespPackets))?,
        back_bytes: bytes(Column::RespIpBytes, Column::RespBytes)?,
        flags: if tcp { flags(record.get(Column::History)) } else { 0 },
        state: state.code(),
        fragments: 0,
        sampling: 1,
        service: service(record.get(Column::Service)).code(),
        uid,
    });
    Ok(None)
}

fn address<R: Record>(record: &R, column: Column) -> Result<Address, Reason> {
    fields::address(record.get(column)).ok_or(Reason::BadAddress)
}

/// How a flow went, by Zeek's `conn_state` (base/protocols/conn/main.zeek). Also used where Argus flows
/// were made of Zeek's.
pub(crate) fn state(conn_state: &[u8], tcp: bool) -> State {
    match conn_state {
        // SH: the originator sent SYN and FIN. RSTOS0: it sent SYN and RST. Neither had an answer.
        b"S0" | b"SH" | b"RSTOS0" => State::Attempt,
        b"S1" | b"S2" | b"S3" => State::Established,
        b"SF" if tcp => State::Closed,
        // Without TCP there is no closing.
        b"SF" => State::Established,
        b"REJ" => State::Rejected,
        b"RSTO" | b"RSTR" => State::Reset,
        // RSTRH, SHR: SYN-ACK without a SYN. OTH: no SYN was seen.
        b"RSTRH" | b"SHR" | b"OTH" => State::Partial,
        _ => State::Unknown,
    }
}

/// Flags that the originator sent, by the capital letters of Zeek's `history`. A packet with payload (D) is
/// taken to have ACK: all have after the handshake.
fn flags(history: &[u8]) -> i32 {
    history.iter().fold(0, |flags, letter| {
        flags
            | match letter {
                b'S' => flow::SYN,
                b'H' => flow::SYN | flow::ACK,
                b'A' | b'D' => flow::ACK,
                b'F' => flow::FIN,
                b'R' => flow::RST,
                // Inconsistent: SYN and RST in one packet.
                b'I' => flow::SYN | flow::RST,
                _ => 0,
            }
    })
}

/// The first service that has a code. One with a minus is a guess that Zeek withdrew.
pub(crate) fn service(services: &[u8]) -> Service {
    let mut found = Service::Unknown;
    for name in services.split(|&b| b == b',').filter(|name| !name.is_empty() && !name.starts_with(b"-")) {
        let service = match name.to_ascii_lowercase().as_slice() {
            b"dns" => Service::Dns,
            b"http" | b"http2" => Service::Http,
            b"ssl" | b"tls" | b"quic" => Service::Tls,
            b"ssh" => Service::Ssh,
            b"ftp" => Service::Ftp,
            b"smtp" => Service::Smtp,
            b"ntp" => Service::Ntp,
            b"dhcp" => Service::Dhcp,
            _ => Service::Other,
        };
        if service != Service::Other {
            return service;
        }
        found = service;
    }
    found
}

fn dns<R: Record>(record: &R, time: i64, rows: &mut Rows) -> Read {
    let (client, server) = (address(record, Column::OrigHost)?, address(record, Column::RespHost)?);
    let name = names::lookup_name(rows, &plain(record.get(Column::Query)));
    let (mut answers, mut answer) = (0, Address::NONE);
    record.each(Column::Answers, &mut |element| {
        answers += 1;
        if answer == Address::NONE {
            answer = fields::address(element).unwrap_or(Address::NONE);
        }
    });
    let code = |column| match fields::count_or_unknown(record.get(column))? {
        code @ -1..=65535 => Ok(code as i32),
        _ => Err(Reason::BadNumber),
    };
    rows.lookups.push(&Lookup {
        client_hi: client.hi,
        client_lo: client.lo,
        server_hi: server.hi,
        server_lo: server.lo,
        time,
        name: name.name,
        domain: name.domain,
        label_len: name.label_len,
        label_entropy: name.label_entropy,
        qtype: code(Column::QueryType)?,
        rcode: code(Column::AnswerCode)?,
        answers,
        answer_hi: answer.hi,
        answer_lo: answer.lo,
        bytes: -1,
    });
    Ok(None)
}

fn http<R: Record>(record: &R, time: i64, rows: &mut Rows) -> Read {
    let peer = address(record, Column::OrigHost)?;
    let status = match fields::count(record.get(Column::StatusCode))? {
        status @ 0..=999 => status as i32,
        _ => return Err(Reason::BadNumber),
    };
    let mut request = Request {
        peer_hi: peer.hi,
        peer_lo: peer.lo,
        time,
        method: web::method(record.get(Column::Method)).code(),
        status,
        bytes: fields::count_or_unknown(record.get(Column::ResponseBodyLen))?,
        ..Request::EMPTY
    };
    web::set_target(&mut request, &plain(record.get(Column::Uri)), rows);
    // The header last: where the target names a host too, it is the one that was asked for.
    web::set_host(&mut request, &plain(record.get(Column::Host)), rows);
    let sent = |column| record.has(column).then(|| plain(record.get(column)));
    web::set_referer(&mut request, sent(Column::Referrer).as_deref(), rows);
    web::set_agent(&mut request, sent(Column::UserAgent).as_deref(), rows);
    record.each(Column::Proxied, &mut |header| {
        // `X-FORWARDED-FOR -> 198.51.100.7`
        if let Some(addresses) = header.strip_prefix(b"X-FORWARDED-FOR -> ") {
            web::set_forwarded(&mut request, &plain(addresses));
        }
    });
    rows.requests.push(&request);
    Ok(None)
}

fn ssl<R: Record>(record: &R, time: i64, rows: &mut Rows) -> Read {
    let (client, server) = (address(record, Column::OrigHost)?, address(record, Column::RespHost)?);
    let server_port = fields::port(record.get(Column::RespPort))?;
    let name = match record.get(Column::ServerName) {
        b"" => -1,
        name => rows.text(&plain(name).to_ascii_lowercase()),
    };
    let mut text = |column| match record.get(column) {
        b"" => -1,
        text => rows.text(&plain(text)),
    };
    let (fingerprint, issuer) = (text(Column::Ja3), text(Column::Issuer));
    rows.tls.push(&Tls {
        client_hi: client.hi,
        client_lo: client.lo,
        server_hi: server.hi,
        server_lo: server.lo,
        server_port,
        time,
        name,
        fingerprint,
        version: tls_version(record.get(Column::Version)),
        established: truth(record.get(Column::Established)).map_or(-1, i32::from),
        issuer,
    });
    Ok(None)
}

/// As on the wire (RFC 8446, section 4.2.1; RFC 9147, section 5.3); names as in Zeek's
/// base/protocols/ssl/consts.zeek.
fn tls_version(name: &[u8]) -> i32 {
    match name {
        b"SSLv2" => 0x0002,
        b"SSLv3" => 0x0300,
        b"TLSv10" => 0x0301,
        b"TLSv11" => 0x0302,
        b"TLSv12" => 0x0303,
        b"TLSv13" => 0x0304,
        b"DTLSv10" => 0xfeff,
        b"DTLSv12" => 0xfefd,
        b"DTLSv13" => 0xfefc,
        _ => -1,
    }
}

fn truth(field: &[u8]) -> Option<bool> {
    match field {
        b"T" | b"true" => Some(true),
        b"F" | b"false" => Some(false),
        _ => None,
    }
}

/// One row a connection. Zeek's `auth_attempts` may not be counted as failures: a server that wants key and
/// password makes two of one login.
fn ssh<R: Record>(record: &R, time: i64, rows: &mut Rows) -> Read {
    let client = address(record, Column::OrigHost)?;
    let attempts = fields::count_or_unknown(record.get(Column::AuthAttempts))?;
    let outcome = match truth(record.get(Column::AuthSuccess)) {
        Some(true) => Outcome::Ok,
        Some(false) => Outcome::Failed,
        None if attempts == 0 => Outcome::Abandoned,
        None => Outcome::Unknown,
    };
    let server = host(record, rows);
    rows.logins.push(&Login {
        client_hi: client.hi,
        client_lo: client.lo,
        server,
        time,
        account: -1,
        outcome: outcome.code(),
        service: login::Service::Ssh.code(),
    });
    Ok(None)
}

fn host<R: Record>(record: &R, rows: &mut Rows) -> i64 {
    match record.get(Column::RespHost) {
        b"" => -1,
        host => rows.text(host),
    }
}

/// Replies to USER and PASS (RFC 959, section 5.4): 230 lets in, 331 and 332 ask for more, others refuse.
/// Transfers of files are no logins.
fn ftp<R: Record>(record: &R, time: i64, rows: &mut Rows) -> Read {
    let client = address(record, Column::OrigHost)?;
    if !matches!(record.get(Column::Command), b"USER" | b"PASS" | b"user" | b"pass") {
        return Ok(Some(Reason::OtherTraffic));
    }
    let outcome = match fields::count(record.get(Column::ReplyCode))? {
        230 | 232 => Outcome::Ok,
        331 | 332 => return Ok(Some(Reason::OtherTraffic)),
        400..=599 => Outcome::Failed,
        _ => Outcome::Unknown,
    };
    let server = host(record, rows);
    let account = match record.get(Column::User) {
        b"" | b"<unknown>" => -1,
        user => rows.account(&plain(user)),
    };
    rows.logins.push(&Login {
        client_hi: client.hi,
        client_lo: client.lo,
        server,
        time,
        account,
        outcome: outcome.code(),
        service: login::Service::Ftp.code(),
    });
    Ok(None)
}

/// A text without Zeek's escapes of bytes, which JSON has too.
fn plain(text: &[u8]) -> Cow<'_, [u8]> {
    match memchr(b'\\', text) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(tsv::unescaped(text, true)),
    }
}
