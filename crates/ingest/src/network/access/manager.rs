//! The log of Nginx Proxy Manager, which is in wide use and like no other:
//! `[24/Jan/2022:16:51:02 +0000] - 404 404 - GET http www.example "/a" [Client 192.0.2.7] [Length 192] [Gzip
//! -] [Sent-to app] "agent" "referer"`. The first code is that of the server behind and may be missing, as may what
//! the cache did, in place of the first dash.

use memchr::memchr;

use super::clock::looks_like_time;
use super::text::{bare, field};
use crate::problems::Reason;

/// The fields of a line, as they stand there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    pub(super) time: &'a [u8],
    pub(super) status: &'a [u8],
    pub(super) method: &'a [u8],
    pub(super) host: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) client: &'a [u8],
    pub(super) bytes: &'a [u8],
    pub(super) agent: &'a [u8],
    pub(super) referer: &'a [u8],
}

pub(super) fn split(line: &[u8]) -> Result<Fields<'_>, Reason> {
    let inner =
        line.strip_prefix(b"[").filter(|inner| looks_like_time(inner)).ok_or(Reason::NoTimeInBrackets)?;
    let close = memchr(b']', &inner[..inner.len().min(48)]).ok_or(Reason::NoTimeInBrackets)?;
    let mut rest = &inner[close + 1..];
    // What the cache did, up to two codes and a mark stand before the method; the last code is the answer's.
    let mut status: &[u8] = b"-";
    let mut method: &[u8] = b"";
    let mut words = 0;
    let after = loop {
        let (word, after) = bare(rest);
        match word {
            b"http" | b"https" if !method.is_empty() => break after,
            b"" => return Err(Reason::NoRequest),
            b"-" => {}
            [a, b, c] if [a, b, c].iter().all(|b| b.is_ascii_digit()) => status = word,
            _ => method = word,
        }
        (rest, words) = (after, words + 1);
        if words > 6 {
            return Err(Reason::NoRequest);
        }
    };
    let (host, after) = bare(after);
    let (target, mut rest) = field(after).filter(|(target, _)| target.quoted).ok_or(Reason::NoRequest)?;
    let mut fields = Fields {
        time: &inner[..close],
        status,
        method,
        host,
        target: target.text,
        client: b"",
        bytes: b"-",
        agent: b"",
        referer: b"",
    };
    let mut quoted = 0;
    while let Some((field, after)) = field(rest) {
        rest = after;
        if field.quoted {
            match quoted {
                0 => fields.agent = field.text,
                1 => fields.referer = field.text,
                _ => break,
            }
            quoted += 1;
        } else if let Some(client) = field.text.strip_prefix(b"Client ") {
            fields.client = client;
        } else if let Some(bytes) = field.text.strip_prefix(b"Length ") {
            fields.bytes = bytes;
        }
    }
    if fields.client.is_empty() { Err(Reason::NoClient) } else { Ok(fields) }
}
