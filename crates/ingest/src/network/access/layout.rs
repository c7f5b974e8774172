//! Which fields the lines of a file have, by a vote of its first lines.

use memchr::memchr;
use traffic::Address;

use super::text::{Field, Fields, field, split, without_container, without_syslog};
use crate::network::web::address_with_port;

/// What a collector of logs put before each line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapper {
    None,
    Container,
    Syslog,
}

/// What a field behind the answer's size is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Referer,
    Agent,
    Forwarded,
    /// Seconds, with or without decimals.
    Seconds,
    Milliseconds,
    Microseconds,
    /// Something else.
    Other,
}

/// How the lines of a file are read.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) wrapper: Wrapper,
    /// Words before the one with the client.
    pub(super) client: usize,
    /// The first word is the host that was asked for.
    pub(super) host: bool,
    /// The first word, in quotes or not, is an `X-Forwarded-For`.
    pub(super) forwarded: bool,
    /// Fields behind the answer's size, in order.
    pub(super) tail: Vec<Role>,
}

/// The fields behind the size in the Combined Log Format: also what a line has that the first lines lacked.
pub(super) const COMBINED: [Role; 2] = [Role::Referer, Role::Agent];

impl Layout {
    /// The layout of most of these lines, and how many of them have the form of an access log.
    pub(super) fn of(lines: &[&[u8]]) -> (Self, usize) {
        let wrappers = [Wrapper::None, Wrapper::Container, Wrapper::Syslog];
        let fits = |wrapper: Wrapper| lines.iter().filter(|line| opened(line, wrapper).is_some()).count();
        let mut wrapper = Wrapper::None;
        // The bare line is preferred: a wrapped one has a time in brackets too, but more words before it.
        for other in wrappers {
            let plain =
                |wrapper| lines.iter().filter(|line| opened(line, wrapper).is_some_and(is_plain)).count();
            if plain(other) > plain(wrapper) {
                wrapper = other;
            }
        }
        let fields: Vec<Fields<'_>> = lines.iter().filter_map(|line| opened(line, wrapper)).collect();
        let mut layout = Self { wrapper, client: 0, host: false, forwarded: false, tail: tail(&fields) };
        layout.before(&fields);
        (layout, fits(wrapper))
    }

    /// What a person calls it.
    pub(super) fn name(&self) -> &'static str {
        let has = |role| self.tail.contains(&role);
        match (
            self.host,
            has(Role::Agent),
            has(Role::Seconds) || has(Role::Milliseconds) || has(Role::Microseconds),
        ) {
            (true, _, true) => "access log by host, with durations",
            (true, _, false) => "access log by host",
            (false, true, true) => "access log, combined with durations",
            (false, true, false) => "access log, combined",
            (false, false, true) => "access log, common with durations",
            (false, false, false) => "access log, common",
        }
    }

    /// What the words before the time are.
    fn before(&mut self, fields: &[Fields<'_>]) {
        let mut counts = [0_usize; 6];
        for line in fields {
            counts[words(line.before).len().min(5)] += 1;
        }
        let usual = (0..counts.len()).max_by_key(|&n| (counts[n], usize::MAX - n)).unwrap_or(3);
        // The last two are the name by RFC 1413 and the user.
        self.client = match usual {
            0..=1 => 0,
            2 => usize::from(share(fields, |f| is_address(words(f.before).get(1))) > 0.5),
            n => n - 3,
        };
        if self.client > 0 {
            let of_usual =
                fields.iter().map(|line| words(line.before)).filter(|words| words.len().min(5) == usual);
            let first: Vec<&[u8]> = of_usual.map(|words| words[0]).filter(|word| *word != b"-").collect();
            self.forwarded = 2 * first.iter().filter(|word| is_forwarded(word)).count() > first.len();
            self.host = !self.forwarded;
        }
    }
}

/// Fields of a line without its wrapping.
fn opened(line: &[u8], wrapper: Wrapper) -> Option<Fields<'_>> {
    let line = match wrapper {
        Wrapper::None => Some(line),
        Wrapper::Container => without_container(line),
        Wrapper::Syslog => without_syslog(line),
    }?;
    split(line).ok()
}

/// As many words before the time as servers write.
fn is_plain(fields: Fields<'_>) -> bool {
    words(fields.before).len() <= 4
}

/// Words before the time; a list of addresses with commas, or what stands in quotes, is one.
pub(super) fn words(before: &[u8]) -> Vec<&[u8]> {
    let mut words = Vec::new();
    let mut rest = before;
    while words.len() < 8
        && let Some((word, after)) = word(rest)
    {
        words.push(word);
        rest = after;
    }
    words
}

/// The next word before the time.
pub(super) fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    if text.first()? == &b'"' {
        return field(text).map(|(field, rest)| (field.text, rest));
    }
    let mut end = memchr(b' ', text).unwrap_or(text.len());
    while text[..end].ends_with(b",") && end < text.len() {
        end += 1 + memchr(b' ', &text[end + 1..]).unwrap_or(text.len() - end - 1);
    }
    Some((&text[..end], &text[end..]))
}

fn is_address(word: Option<&&[u8]>) -> bool {
    word.is_some_and(|word| Address::parse(word).is_some())
}

fn is_forwarded(list: &[u8]) -> bool {
    !list.is_empty() && list.split(|&b| b == b',').all(|one| address_with_port(one.trim_ascii()).is_some())
}

fn share(fields: &[Fields<'_>], is: impl Fn(&Fields<'_>) -> bool) -> f64 {
    fields.iter().filter(|line| is(line)).count() as f64 / fields.len().max(1) as f64
}

/// Roles of the fields behind the size, by what most lines have there.
fn tail(lines: &[Fields<'_>]) -> Vec<Role> {
    let mut columns: Vec<Vec<Field<'_>>> = Vec::new();
    for line in lines {
        let (mut rest, mut at) = (line.tail, 0);
        while at < 16
            && let Some((field, after)) = field(rest)
        {
            if at == columns.len() {
                columns.push(Vec::new());
            }
            columns[at].push(field);
            (rest, at) = (after, at + 1);
        }
    }
    // Fields that few lines have come from spaces that somebody forgot to quote.
    columns.retain(|column| 4 * column.len() >= lines.len());
    let mut roles: Vec<Role> = columns.iter().map(|column| role(column)).collect();
    // The two quoted fields in a row of the Combined Log Format, whatever stands in them.
    let quoted: Vec<usize> = (0..columns.len()).filter(|&at| mostly(&columns[at], |f| f.quoted)).collect();
    if let [first, second, ..] = quoted[..]
        && second == first + 1
        && matches!(roles[first], Role::Referer | Role::Agent | Role::Other)
    {
        roles[first] = Role::Referer;
        roles[second] = Role::Agent;
    } else if let [only] = quoted[..]
        && roles[only] == Role::Other
    {
        roles[only] = Role::Agent;
    }
    // Of several durations the first is the request's own, the others those of servers behind it. A number
    // with decimals or a unit is one for certain; a whole one may be the size of the request.
    let is_time = |role: &Role| matches!(role, Role::Seconds | Role::Milliseconds | Role::Microseconds);
    let decimals = (0..roles.len()).find(|&at| {
        roles[at] == Role::Milliseconds || is_time(&roles[at]) && mostly(&columns[at], is_decimal)
    });
    if let Some(first) = decimals.or_else(|| roles.iter().position(is_time)) {
        for (at, role) in roles.iter_mut().enumerate() {
            if is_time(role) && at != first {
                *role = Role::Other;
            }
        }
    }
    let mut seen = Vec::new();
    for role in &mut roles {
        if seen.contains(role) {
            *role = Role::Other;
        } else if *role != Role::Other {
            seen.push(*role);
        }
    }
    roles
}

fn role(column: &[Field<'_>]) -> Role {
    let said: Vec<Field<'_>> =
        column.iter().copied().filter(|f| !f.text.is_empty() && f.text != b"-").collect();
    if said.is_empty() {
        return Role::Other;
    }
    if mostly(&said, |f| is_forwarded(f.text)) {
        return if said[0].quoted { Role::Forwarded } else { Role::Other };
    }
    if mostly(&said, |f| f.text.starts_with(b"http://") || f.text.starts_with(b"https://")) && said[0].quoted
    {
        return Role::Referer;
    }
    if mostly(&said, |f| f.text.ends_with(b"ms") && f.text[..f.text.len() - 2].iter().all(u8::is_ascii_digit))
    {
        return Role::Milliseconds;
    }
    let mut numbers: Vec<f64> = said.iter().filter_map(|f| number(f.text)).collect();
    if 10 * numbers.len() < 9 * said.len() {
        return Role::Other;
    }
    if said.iter().any(is_decimal) {
        return Role::Seconds;
    }
    // Apache's `%T` counts seconds, `%D` microseconds. No server answers within 60 microseconds, and no usual
    // request takes a minute.
    numbers.sort_unstable_by(f64::total_cmp);
    if numbers[numbers.len() / 2] >= 60.0 { Role::Microseconds } else { Role::Seconds }
}

fn mostly(fields: &[Field<'_>], is: impl Fn(&Field<'_>) -> bool) -> bool {
    2 * fields.iter().filter(|field| is(field)).count() > fields.len()
}

fn is_decimal(field: &Field<'_>) -> bool {
    number(field.text).is_some() && field.text.contains(&b'.')
}

/// A number of a duration, also behind a name as in `rt=0.012`.
pub(super) fn number(text: &[u8]) -> Option<f64> {
    let text = match text.iter().position(|&b| b == b'=') {
        Some(at) => &text[at + 1..],
        None => text,
    };
    let text = text.strip_suffix(b"ms").unwrap_or(text);
    let text = text.strip_suffix(b",").unwrap_or(text);
    if text.is_empty() || !text.iter().all(|b| b.is_ascii_digit() || *b == b'.') {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}
