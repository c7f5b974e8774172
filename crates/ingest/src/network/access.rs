//! Access logs of web servers: the Common and the Combined Log Format, either behind the host that was asked
//! for, with durations and `X-Forwarded-For` behind it; the log of Nginx Proxy Manager; JSON objects. Lines
//! may come through syslog or from the files that Kubernetes keeps.
//!
//! Which fields there are is decided by a vote of the first lines, see [`layout`]; each line is then read on
//! its own, so that a file whose layout was changed half-way is read whole. Passed over: the name by RFC
//! 1413, the user, the version of HTTP, and fields behind the size that are none of referer, agent,
//! `X-Forwarded-For` and duration.

mod clock;
mod json;
mod layout;
mod manager;
mod table;
mod text;

use std::io;
use std::sync::Arc;

use traffic::Address;
use traffic::request::Request;

use clock::Clock;
pub(super) use clock::{days, month, two};
use layout::{COMBINED, Layout, Role};
use table::Table;

use super::fields::LARGEST;
use super::{NetworkFormat, Sniffed, web};
use crate::files::{Input, Line, Lines};
use crate::problems::Reason;
use crate::records::{Context, Log, Records};
use crate::rows::Rows;

/// Lines of the head that are looked at.
const TRIED_LINES: usize = 200;

pub(super) fn sniff(head: &[u8]) -> Sniffed {
    let lines = first_lines(head);
    if lines.is_empty() {
        return Err(String::new());
    }
    if let Some(table) = Table::of(lines[0]) {
        return Ok(Arc::new(TableLog { table }));
    }
    let values = lines.iter().filter_map(|line| json::parse(line)).filter(json::is_access).count();
    let (layout, texts) = Layout::of(&lines);
    let managed = lines.iter().filter(|line| manager::split(line).is_ok()).count();
    let fits = values + texts + managed;
    if fits == 0 {
        return Err(String::new());
    }
    if 2 * fits <= lines.len() {
        return Err(format!("{fits} of its first {} lines are requests", lines.len()));
    }
    let name = match values.max(texts).max(managed) {
        most if most == texts => layout.name(),
        most if most == values => "access log, JSON",
        _ => "access log, Nginx Proxy Manager",
    };
    Ok(Arc::new(AccessLog { layout, name }))
}

/// Whole lines of the head that have something in them.
pub(super) fn first_lines(head: &[u8]) -> Vec<&[u8]> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let mut lines: Vec<&[u8]> = head.split(|&b| b == b'\n').take(TRIED_LINES + 1).map(without_nuls).collect();
    // The last one may be cut off.
    if lines.len() > 1 {
        lines.pop();
    }
    lines.retain(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"));
    lines.iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect()
}

/// A log that was cut while its server wrote on begins with a hole.
pub(super) fn without_nuls(line: &[u8]) -> &[u8] {
    if line.first() != Some(&0) {
        return line;
    }
    &line[line.iter().position(|&b| b != 0).unwrap_or(line.len())..]
}

#[derive(Debug)]
struct AccessLog {
    layout: Layout,
    name: &'static str,
}

impl NetworkFormat for AccessLog {
    fn name(&self) -> &'static str {
        self.name
    }

    fn open(&self, input: Input, context: Context) -> Box<dyn Records> {
        Box::new(Reader {
            lines: Lines::new(input),
            columns: Columns { layout: self.layout.clone(), table: None, clock: Clock::new(context.bounds) },
        })
    }
}

#[derive(Debug)]
struct TableLog {
    table: Table,
}

impl NetworkFormat for TableLog {
    fn name(&self) -> &'static str {
        "access log, table"
    }

    fn open(&self, input: Input, context: Context) -> Box<dyn Records> {
        let (layout, _) = Layout::of(&[]);
        let columns = Columns { layout, table: Some(self.table), clock: Clock::new(context.bounds) };
        Box::new(Reader { lines: Lines::new(input), columns })
    }
}

struct Reader {
    lines: Lines<Input>,
    columns: Columns,
}

impl Records for Reader {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        match self.lines.next()? {
            Line::End => return Ok(false),
            Line::TooLong(number, head) => log.refuse(Reason::LineTooLong, number, head),
            Line::Whole(number, whole) => {
                let line = without_nuls(whole);
                if line.len() < whole.len() {
                    log.note(Reason::Hole, number, line);
                }
                let is_header = number == 1 && self.columns.table.is_some();
                if line.trim_ascii().is_empty() || line.starts_with(b"#") || is_header {
                    return Ok(true);
                }
                match self.columns.read(line, rows) {
                    Ok((request, zone_missing)) => {
                        rows.requests.push(&request);
                        log.read += 1;
                        if zone_missing {
                            log.note(Reason::NoZone, number, line);
                        }
                    }
                    Err(reason) => {
                        let reason = if line.contains(&0) { Reason::NulByte } else { reason };
                        log.refuse(reason, number, line);
                    }
                }
            }
        }
        Ok(true)
    }
}

/// Makes columns of lines.
#[derive(Debug)]
struct Columns {
    layout: Layout,
    table: Option<Table>,
    clock: Clock,
}

impl Columns {
    /// A request, and whether its time had no zone.
    fn read(&mut self, line: &[u8], rows: &mut Rows) -> Result<(Request, bool), Reason> {
        if let Some(table) = &self.table {
            return table.read(line, &mut self.clock, rows);
        }
        let opened = text::unwrap(line, &self.layout);
        if opened.first() == Some(&b'{') {
            let value = json::parse(opened).ok_or(Reason::NotJson)?;
            if !json::is_access(&value) {
                return Err(Reason::UnknownRecord);
            }
            return json::read(&value, &mut self.clock, rows);
        }
        let refused = match text::split(opened) {
            Ok(fields) => return self.text(&fields, rows),
            Err(reason) => reason,
        };
        // Lines of another kind may be mixed in: try what the layout does not expect.
        if let Ok(fields) = manager::split(opened) {
            return self.managed(&fields, rows);
        }
        if opened.len() == line.len()
            && let Some(value) = json::parse(line).filter(json::is_access)
        {
            return json::read(&value, &mut self.clock, rows);
        }
        Err(refused)
    }

    fn text(&mut self, fields: &text::Fields<'_>, rows: &mut Rows) -> Result<(Request, bool), Reason> {
        let mut request = Request::EMPTY;
        let (millis, zone_missing) = self.clock.read(fields.time)?;
        request.time = millis;
        let address = self.before(fields.before, &mut request, rows)?;
        (request.peer_hi, request.peer_lo) = (address.hi, address.lo);
        web::set_request_line(&mut request, &text::unescape(fields.request), rows);
        request.status = status(fields.status);
        request.bytes = size(fields.bytes);
        self.tail(fields.tail, &mut request, rows);
        Ok((request, zone_missing))
    }

    /// Reads the words before the time, and gives who connected.
    fn before(&self, before: &[u8], request: &mut Request, rows: &mut Rows) -> Result<Address, Reason> {
        let (mut word, mut rest) = layout::word(before).ok_or(Reason::NoClient)?;
        let mut address = peer(word);
        if self.layout.client == 0 {
            // A line with the host before the client, among others without.
            if address.is_none()
                && let Some((second, _)) = layout::word(rest)
                && let Some(found) = peer(second)
            {
                web::set_host(request, word, rows);
                return Ok(found);
            }
        } else if address.is_none() || self.layout.forwarded {
            if self.layout.host {
                web::set_host(request, word, rows);
            } else if self.layout.forwarded {
                web::set_forwarded(request, word);
            }
            for _ in 0..self.layout.client {
                let Some(next) = layout::word(rest) else { break };
                (word, rest) = next;
            }
            address = peer(word);
        }
        Ok(address.unwrap_or_else(|| rows.address_or_name(word)))
    }

    fn tail(&self, tail: &[u8], request: &mut Request, rows: &mut Rows) {
        let roles = if self.layout.tail.is_empty() { &COMBINED[..] } else { &self.layout.tail };
        let mut rest = tail;
        for role in roles {
            let Some((field, after)) = text::field(rest) else { break };
            rest = after;
            match role {
                Role::Referer => web::set_referer(request, Some(&text::unescape(field.text)), rows),
                Role::Agent => web::set_agent(request, Some(&text::unescape(field.text)), rows),
                Role::Forwarded => web::set_forwarded(request, field.text),
                Role::Seconds => request.duration = duration(field.text, 1e3),
                Role::Milliseconds => request.duration = duration(field.text, 1.0),
                Role::Microseconds => request.duration = duration(field.text, 1e-3),
                Role::Other => {}
            }
        }
    }

    fn managed(&mut self, fields: &manager::Fields<'_>, rows: &mut Rows) -> Result<(Request, bool), Reason> {
        let mut request = Request::EMPTY;
        let (millis, zone_missing) = self.clock.read(fields.time)?;
        request.time = millis;
        let address = rows.address_or_name(fields.client);
        (request.peer_hi, request.peer_lo) = (address.hi, address.lo);
        web::set_host(&mut request, fields.host, rows);
        request.method = web::method(fields.method).code();
        web::set_target(&mut request, &text::unescape(fields.target), rows);
        request.status = status(fields.status);
        request.bytes = size(fields.bytes);
        web::set_agent(&mut request, Some(&text::unescape(fields.agent)), rows);
        web::set_referer(&mut request, Some(&text::unescape(fields.referer)), rows);
        Ok((request, zone_missing))
    }
}

/// The address that connected. Where only `X-Forwarded-For` was logged, its last address is who connected to
/// the nearest proxy.
fn peer(word: &[u8]) -> Option<Address> {
    let word = match memchr::memrchr(b',', word) {
        Some(at) => word[at + 1..].trim_ascii(),
        None => word,
    };
    Address::parse(word).or_else(|| web::address_with_port(word))
}

/// A status of three digits; 0 for `-`.
fn status(text: &[u8]) -> i32 {
    if text.len() == 3 {
        text.iter().fold(0, |n, b| n * 10 + i32::from(b.wrapping_sub(b'0').min(9)))
    } else {
        0
    }
}

/// Bytes of an answer; -1 where there is no number. `-` is Apache's way to write none.
fn size(text: &[u8]) -> i64 {
    if text == b"-" {
        return 0;
    }
    if text.is_empty() || text.len() > 18 {
        return -1;
    }
    let mut number = 0;
    for b in text {
        if !b.is_ascii_digit() {
            return -1;
        }
        number = number * 10 + i64::from(b - b'0');
    }
    if number > LARGEST { -1 } else { number }
}

fn duration(text: &[u8], millis: f64) -> i32 {
    layout::number(text).map_or(-1, |number| json::millis(number * millis))
}
