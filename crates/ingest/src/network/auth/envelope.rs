//! What stands around a message: syslog of RFC 3164 and RFC 5424, the ISO times of newer rsyslog, journald's
//! JSON, vsftpd's own log.

use std::borrow::Cow;

use memchr::{memchr, memmem};
use serde_json::Value;

use crate::network::access::{days, month, two};
use crate::network::fields;
use crate::problems::Reason;
use crate::time::Bounds;

/// A message and where it comes from.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Milliseconds since the epoch.
    pub(super) time: i64,
    /// What the time lacked.
    pub(super) note: Option<Reason>,
    /// Empty where it is not said.
    pub(super) host: Cow<'a, [u8]>,
    pub(super) program: Cow<'a, [u8]>,
    /// Empty where it is not said.
    pub(super) process: Cow<'a, [u8]>,
    pub(super) message: Cow<'a, [u8]>,
}

/// Opens a line.
pub(super) fn open(line: &[u8], bounds: Bounds) -> Result<Entry<'_>, Reason> {
    if line.first() == Some(&b'{') {
        return journal(line, bounds);
    }
    let line = without_priority(line);
    if let Some(rest) = line.strip_prefix(b"1 ") {
        return rfc5424(rest, bounds);
    }
    let (time, note, rest) = time(line, bounds)?;
    let rest = rest.trim_ascii_start();
    let bounds_checked = bounds.check(time)?;
    // vsftpd's own log has neither host nor program.
    if rest.starts_with(b"[pid ") {
        return Ok(entry(bounds_checked, note, b"", b"vsftpd", b"", rest));
    }
    let (first, after) = word(rest);
    // Some have no host: then the first word is the program.
    let is_program = first.ends_with(b":") || first.ends_with(b"]") || after.is_empty();
    let (host, tagged) = if is_program { (&b""[..], rest) } else { (first, after) };
    let (program, process, message) = tag(tagged);
    if program.is_empty() {
        return Err(Reason::NoProgram);
    }
    Ok(entry(bounds_checked, note, host, program, process, message))
}

fn entry<'a>(
    time: i64,
    note: Option<Reason>,
    host: &'a [u8],
    program: &'a [u8],
    process: &'a [u8],
    message: &'a [u8],
) -> Entry<'a> {
    Entry {
        time,
        note,
        host: Cow::Borrowed(host),
        program: Cow::Borrowed(program),
        process: Cow::Borrowed(process),
        message: Cow::Borrowed(message),
    }
}

/// The next word and what follows it.
pub(super) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr(b' ', text) {
        Some(at) => (&text[..at], text[at + 1..].trim_ascii_start()),
        None => (text, b""),
    }
}

/// `<38>` of RFC 3164, section 4.1.1.
fn without_priority(line: &[u8]) -> &[u8] {
    match line {
        [b'<', rest @ ..] => match memchr(b'>', &rest[..rest.len().min(4)]) {
            Some(at) if rest[..at].iter().all(u8::is_ascii_digit) => &rest[at + 1..],
            _ => line,
        },
        _ => line,
    }
}

/// RFC 5424, section 6, after the version.
fn rfc5424(line: &[u8], bounds: Bounds) -> Result<Entry<'_>, Reason> {
    let (stamp, rest) = word(line);
    let read = bounds.read(stamp)?;
    let (host, rest) = word(rest);
    let (program, rest) = word(rest);
    let (process, rest) = word(rest);
    let (_, rest) = word(rest);
    let message = without_structure(rest).ok_or(Reason::NoProgram)?;
    let or_none = |text| if text == b"-" { &b""[..] } else { text };
    let message = message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message);
    Ok(entry(read.millis, None, or_none(host), or_none(program), or_none(process), message))
}

/// What follows the structured data: `-`, or elements in brackets whose values are quoted.
fn without_structure(text: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Some(rest.trim_ascii_start());
    }
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_u32);
    for (at, &b) in text.iter().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' if !quoted => depth += 1,
            b']' if !quoted => depth = depth.checked_sub(1)?,
            b' ' if depth == 0 => return (at > 0).then(|| &text[at + 1..]),
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    (depth == 0 && !text.is_empty()).then_some(b"")
}

/// The time that a line begins with, what it lacked, and the rest.
fn time(line: &[u8], bounds: Bounds) -> Result<(i64, Option<Reason>, &[u8]), Reason> {
    if line.first().is_some_and(u8::is_ascii_digit) {
        let (stamp, rest) = word(line);
        if stamp.len() == 10 && rest.len() >= 8 {
            // A date and a time with a space between, and a comma before the milliseconds.
            let (clock, after) = word(rest);
            let spaced = [stamp, b"T", clock].concat();
            let spaced: Vec<u8> = spaced.iter().map(|&b| if b == b',' { b'.' } else { b }).collect();
            let read = bounds.read(&spaced)?;
            return Ok((read.millis, read.zone_missing.then_some(Reason::NoZone), after));
        }
        let read = bounds.read(stamp.strip_suffix(b":").unwrap_or(stamp))?;
        return Ok((read.millis, read.zone_missing.then_some(Reason::NoZone), rest));
    }
    // `Fri Jan 19 12:20:33 2007`, as C's `ctime` writes it.
    let weekdays = [b"Mon ", b"Tue ", b"Wed ", b"Thu ", b"Fri ", b"Sat ", b"Sun "];
    if weekdays.iter().any(|day| line.starts_with(*day)) {
        let (of_year, rest) = of_year(&line[4..]).ok_or(Reason::NoTime)?;
        let (year, rest) = word(rest);
        // Four digits: a year of nineteen is beyond what milliseconds can count.
        let year = fields::whole(year).filter(|year| *year <= 9999).ok_or(Reason::BadTime)?;
        let time = of_year.in_year(year).ok_or(Reason::BadTime)?;
        return Ok((time, Some(Reason::NoZone), rest));
    }
    let (of_year, rest) = of_year(line).ok_or(Reason::NoTime)?;
    let time = of_year.latest(bounds.latest()).ok_or(Reason::BadTime)?;
    Ok((time, Some(Reason::NoYear), rest))
}

/// A time without its year.
#[derive(Clone, Copy, Debug)]
struct OfYear {
    month: i64,
    day: i64,
    /// Milliseconds of the day.
    millis: i64,
}

/// `Jun  7 01:10:56`, RFC 3164, section 4.1.2; also with a fraction.
fn of_year(text: &[u8]) -> Option<(OfYear, &[u8])> {
    let month = month(text.get(..3)?)?;
    let (day, rest) = word(text[3..].trim_ascii_start());
    let day = match day {
        [b'1'..=b'9'] => i64::from(day[0] - b'0'),
        _ => two(day)?,
    };
    let (clock, rest) = word(rest);
    if clock.len() < 8 || clock[2] != b':' || clock[5] != b':' {
        return None;
    }
    let (hour, minute, second) = (two(&clock[..2])?, two(&clock[3..5])?, two(&clock[6..8])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut millis = ((hour * 60 + minute) * 60 + second) * 1000;
    if let [b'.', fraction @ ..] = &clock[8..] {
        let digits = fraction.iter().take(3).take_while(|b| b.is_ascii_digit());
        millis += digits.zip([100, 10, 1]).map(|(b, unit)| i64::from(b - b'0') * unit).sum::<i64>();
    }
    Some((OfYear { month, day, millis }, rest))
}

impl OfYear {
    fn in_year(self, year: i64) -> Option<i64> {
        Some(days(year, self.month, self.day)? * 86_400_000 + self.millis)
    }

    /// In the latest year that does not put it after `latest`. The 29th of February needs up to eight tries
    /// (1896 to 1904), any other day two.
    fn latest(self, latest: i64) -> Option<i64> {
        // 31,556,952 seconds is the mean year of the calendar; dates beyond 9999 are written by nobody.
        let year = 1970 + (latest / 31_556_952_000).min(8029);
        (year - 9..=year + 1).rev().find_map(|year| self.in_year(year).filter(|time| *time <= latest))
    }
}

/// Program, process and message of `sshd[123]: message`, also without brackets or colon, and of
/// `su(pam_unix)[123]: message`; what PAM says is known by its words, so the module is passed over.
fn tag(text: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let text = text.trim_ascii_start();
    // `[sshd]: message`, without a process.
    if let [b'[', inner @ ..] = text
        && let Some(close) = memchr(b']', &inner[..inner.len().min(64)])
    {
        let rest = &inner[close + 1..];
        return (&inner[..close], b"", rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start());
    }
    let end = text.iter().position(|b| matches!(b, b'[' | b':' | b' ' | b'(')).unwrap_or(text.len());
    let program = &text[..end];
    let mut rest = &text[end..];
    if let [b'(', inner @ ..] = rest
        && let Some(close) = memchr(b')', inner)
    {
        rest = &inner[close + 1..];
    }
    let mut process: &[u8] = b"";
    if let [b'[', inner @ ..] = rest
        && let Some(close) = memchr(b']', &inner[..inner.len().min(24)])
    {
        process = &inner[..close];
        rest = &inner[close + 1..];
    }
    let message = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start();
    (program, process, message)
}

/// One entry of `journalctl -o json`.
fn journal(line: &[u8], bounds: Bounds) -> Result<Entry<'_>, Reason> {
    let value: Value = serde_json::from_slice(&crate::records::as_utf8(line)).map_err(|_| Reason::NotJson)?;
    let text = |key: &str| value.get(key).and_then(bytes);
    let time =
        text("__REALTIME_TIMESTAMP").or_else(|| text("_SOURCE_REALTIME_TIMESTAMP")).ok_or(Reason::NoTime)?;
    let micros: i64 =
        std::str::from_utf8(&time).ok().and_then(|time| time.parse().ok()).ok_or(Reason::BadTime)?;
    let message = text("MESSAGE").ok_or(Reason::UnknownRecord)?;
    let program = text("SYSLOG_IDENTIFIER").or_else(|| text("_COMM")).unwrap_or_default();
    let process = text("_PID").or_else(|| text("SYSLOG_PID")).unwrap_or_default();
    let host = text("_HOSTNAME").unwrap_or_default();
    Ok(Entry {
        time: bounds.check(micros / 1000)?,
        note: None,
        host: Cow::Owned(host),
        program: Cow::Owned(program),
        process: Cow::Owned(process),
        message: Cow::Owned(message),
    })
}

/// A field of the journal: a text, or its bytes as numbers where they are not UTF-8; the last one where it
/// was given more than once.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Number(number) => Some(number.to_string().into_bytes()),
        Value::Array(values) if values.iter().all(Value::is_u64) => {
            values.iter().map(|b| b.as_u64().and_then(|b| u8::try_from(b).ok())).collect()
        }
        Value::Array(values) => values.last().and_then(bytes),
        _ => None,
    }
}

/// The message inside `message repeated N times: [ message]`, and how often.
pub(super) fn repeated(message: &[u8]) -> (&[u8], u64) {
    let Some(rest) = message.strip_prefix(b"message repeated ") else { return (message, 1) };
    let (number, rest) = word(rest);
    let times = std::str::from_utf8(number).ok().and_then(|number| number.parse::<u64>().ok());
    match (times, memmem::find(rest, b"[ ")) {
        (Some(times), Some(at)) => {
            let inner = &rest[at + 2..];
            (inner.strip_suffix(b"]").unwrap_or(inner), times)
        }
        _ => (message, 1),
    }
}
