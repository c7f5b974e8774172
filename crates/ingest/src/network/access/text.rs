//! Lines of text: where their fields are.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memmem, memrchr};

use super::clock::looks_like_time;
use super::layout::{Layout, Wrapper};
use crate::problems::Reason;

/// The fields of a line, as they stand there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields<'a> {
    /// What stands before the time: host names and addresses, as the layout says.
    pub(super) before: &'a [u8],
    /// Inside the brackets.
    pub(super) time: &'a [u8],
    /// Inside the quotes.
    pub(super) request: &'a [u8],
    pub(super) status: &'a [u8],
    pub(super) bytes: &'a [u8],
    /// What follows.
    pub(super) tail: &'a [u8],
}

/// Takes a line apart at its time in brackets and its request in quotes.
pub(super) fn split(line: &[u8]) -> Result<Fields<'_>, Reason> {
    let (open, close) = time(line).ok_or(Reason::NoTimeInBrackets)?;
    let rest = line[close + 1..].trim_ascii_start();
    let Some(quoted) = rest.strip_prefix(b"\"") else { return Err(Reason::NoRequest) };
    let end = end_of_request(quoted).ok_or(Reason::NoRequest)?;
    let (status, rest) = bare(quoted[end + 1..].trim_ascii_start());
    let (bytes, tail) = bare(rest);
    if !(status == b"-" || (status.len() == 3 && status.iter().all(u8::is_ascii_digit))) {
        return Err(Reason::NoStatus);
    }
    Ok(Fields {
        before: &line[..open],
        time: &line[open + 1..close],
        request: &quoted[..end],
        status,
        bytes,
        tail,
    })
}

/// Where the brackets around the time are: the first ones that hold one.
fn time(line: &[u8]) -> Option<(usize, usize)> {
    for open in memchr_iter(b'[', line).take(8) {
        let inner = &line[open + 1..];
        // Nearly every line: `10/Oct/2000:13:55:36 -0700]`.
        if inner.get(26) == Some(&b']') && looks_like_time(inner) {
            return Some((open, open + 27));
        }
        if let Some(length) = memchr(b']', &inner[..inner.len().min(48)])
            && (looks_like_time(&inner[..length])
                || (length >= 10
                    && inner[..4].iter().all(u8::is_ascii_digit)
                    && memchr(b'/', &inner[..length]).is_none()))
        {
            return Some((open, open + 1 + length));
        }
    }
    None
}

/// The quote that ends a request. Servers escape a quote inside it as `\"` or `\x22`, but old ones do not,
/// so it is the first one that is not escaped and has a status behind it; where none has, the first before a
/// space.
fn end_of_request(quoted: &[u8]) -> Option<usize> {
    let mut fallback = None;
    for at in memchr_iter(b'"', quoted) {
        if is_escaped(quoted, at) {
            continue;
        }
        let after = &quoted[at + 1..];
        match after {
            [b' ', a, b, c, b' ', ..] if [a, b, c].iter().all(|b| b.is_ascii_digit()) => return Some(at),
            [b' ', a, b, c] if [a, b, c].iter().all(|b| b.is_ascii_digit()) => return Some(at),
            [b' ', b'-', b' ', ..] => return Some(at),
            [b' ', ..] if fallback.is_none() => fallback = Some(at),
            _ => {}
        }
    }
    fallback
}

/// True where an odd number of backslashes stands before.
fn is_escaped(text: &[u8], at: usize) -> bool {
    at > 0 && text[at - 1] == b'\\' && text[..at].iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 1
}

/// The next word, and what follows it.
pub(super) fn bare(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    match memchr(b' ', text) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, b""),
    }
}

/// The next field: a word, or what stands in quotes or brackets; and what follows it. Empty at the end.
pub(super) fn field(text: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let text = match text {
        [b' ', rest @ ..] if !rest.first().is_some_and(u8::is_ascii_whitespace) => rest,
        _ => text.trim_ascii_start(),
    };
    match text.first()? {
        b'"' => {
            let inner = &text[1..];
            let mut last = None;
            for at in memchr_iter(b'"', inner) {
                if is_escaped(inner, at) {
                    continue;
                }
                // A quote that nobody escaped is inside; the one that ends the field has a space behind it.
                if inner.get(at + 1).is_none_or(|b| matches!(b, b' ' | b',' | b'\t')) {
                    return Some((Field { text: &inner[..at], quoted: true }, &inner[at + 1..]));
                }
                last = Some(at);
            }
            let end = last.unwrap_or(inner.len());
            Some((Field { text: &inner[..end], quoted: true }, inner.get(end + 1..).unwrap_or_default()))
        }
        b'[' if memchr(b']', text).is_some() => {
            let end = memchr(b']', text).unwrap_or(text.len());
            Some((Field { text: &text[1..end], quoted: false }, &text[end + 1..]))
        }
        _ => {
            let (text, rest) = bare(text);
            Some((Field { text, quoted: false }, rest))
        }
    }
}

/// A field behind the answer's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) text: &'a [u8],
    pub(super) quoted: bool,
}

/// What a collector of logs has put before the line.
pub(super) fn unwrap<'a>(line: &'a [u8], layout: &Layout) -> &'a [u8] {
    match layout.wrapper {
        Wrapper::None => line,
        Wrapper::Container => without_container(line).unwrap_or(line),
        Wrapper::Syslog => without_syslog(line).unwrap_or(line),
    }
}

/// `2025-12-31T17:37:40.493035218+01:00 stdout F `, as Kubernetes keeps the output of containers.
pub(super) fn without_container(line: &[u8]) -> Option<&[u8]> {
    let head = &line[..line.len().min(64)];
    let at = memmem::find(head, b" stdout F ").or_else(|| memmem::find(head, b" stderr F "))?;
    Some(&line[at + 10..])
}

/// `Sep 15 16:13:46 host nginx[2869]: `, also with an ISO time.
pub(super) fn without_syslog(line: &[u8]) -> Option<&[u8]> {
    let end = memmem::find(&line[..line.len().min(256)], b": ")?;
    let tag = &line[memrchr(b' ', &line[..end])? + 1..end];
    let name = &tag[..memchr(b'[', tag).unwrap_or(tag.len())];
    let is_tag = !name.is_empty()
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b'.'));
    // At least a time and a host.
    (is_tag && memchr_iter(b' ', &line[..end]).count() >= 2).then(|| &line[end + 2..])
}

/// Bytes as the client sent them: servers write `\"`, `\\`, `\n` and `\xHH`.
pub(super) fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr(b'\\', text) else { return Cow::Borrowed(text) };
    let mut plain = text[..first].to_vec();
    let mut rest = &text[first..];
    loop {
        let hex = |b: u8| char::from(b).to_digit(16);
        match rest {
            [] => return Cow::Owned(plain),
            [b'\\', b'x', a, b, tail @ ..] if hex(*a).is_some() && hex(*b).is_some() => {
                plain.push((hex(*a).unwrap_or(0) * 16 + hex(*b).unwrap_or(0)) as u8);
                rest = tail;
            }
            [b'\\', escaped @ (b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f' | b'v'), tail @ ..] => {
                plain.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'f' => 12,
                    b'v' => 11,
                    other => *other,
                });
                rest = tail;
            }
            [byte, tail @ ..] => {
                plain.push(*byte);
                rest = tail;
            }
        }
    }
}
