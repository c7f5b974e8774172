//! Rows that could not be read, counted and shown by example.

use std::collections::BTreeMap;
use std::fmt;

/// Examples kept for each source and reason.
const EXAMPLES: usize = 5;

/// Characters of an example.
const EXCERPT_CHARS: usize = 80;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $refuses:literal $text:literal,)+) => {
        /// Why a row was refused, or read only after a correction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[$doc])* $variant),+ }
        impl Reason {
            /// One phrase in lower case.
            pub fn text(self) -> &'static str { match self { $(Self::$variant => $text),+ } }
            /// True where the row was lost, false where it was read nevertheless.
            pub fn refuses(self) -> bool { match self { $(Self::$variant => $refuses),+ } }
        }
    };
}

reasons! {
    /// Columns would be shifted.
    FieldCount true "not as many fields as the header",
    /// A quote that never closes.
    OpenQuote true "a quote is not closed",
    /// See [`crate::MAX_LINE`].
    LineTooLong true "line longer than 1 MiB",
    /// See [`crate::MAX_DOCUMENT`].
    DocumentTooLong true "JSON document longer than 16 MiB",
    /// Binary data, or a file with a hole.
    NulByte true "NUL byte",
    /// Empty, or `NA`.
    NoAccount true "no account",
    /// Empty, or `NA`.
    NoObject true "no object",
    /// See [`crate::MAX_NAME`].
    NameTooLong true "name longer than 4096 bytes",
    /// A number below zero where ids are numbers.
    NegativeAccount true "account number below zero",
    /// Empty, or `NA`.
    NoTime true "no time",
    /// Neither epoch seconds nor RFC 3339.
    BadTime true "time is neither a number nor RFC 3339",
    /// A clock that is wrong, or a lie.
    Future true "more than a day in the future",
    /// A clock that is wrong, or a lie.
    BeforeEpoch true "before 1970",
    /// Not one of the names of a trace.
    UnknownTrace true "unknown trace",
    /// Not one of the names of an action.
    UnknownAction true "unknown action",
    /// Not one of the names of a platform.
    UnknownPlatform true "unknown platform",
    /// A syntax error.
    NotJson true "not JSON",
    /// JSON, but no record that is known.
    UnknownRecord true "a JSON record of no known kind",
    /// A count, a port or a length.
    BadNumber true "a number is none, or is out of its range",
    /// Neither IPv4 nor IPv6.
    BadAddress true "an address is none",
    /// The rest of the file is lost.
    Damaged true "the file is damaged or ends early: the rest is lost",
    /// Headers that are broken or were not captured, or a link that is not read.
    BadPacket true "a packet whose headers cannot be read",
    /// In a folder that was named.
    NotTraffic true "not a file of traffic: passed over",
    /// Not the form of an access log.
    NoTimeInBrackets true "no time in brackets",
    /// Not the form of an access log.
    NoRequest true "no request",
    /// Not the form of an access log.
    NoStatus true "no status behind the request",
    /// Nothing stands where the client should.
    NoClient true "no client",
    /// Not the form of syslog.
    NoProgram true "no program behind the time",
    /// As RFC 3164 has it.
    NoYear false "time without year and zone: taken as the latest year that is not in the future, and UTC",
    /// A log that was cut while its server wrote on.
    Hole false "NUL bytes before the line: passed over",
    /// Read, with each stray byte taken as a Latin-1 character.
    NotUtf8 false "not UTF-8: read as Latin-1",
    /// Read, as if in UTC.
    NoZone false "time without a zone: taken as UTC",
    /// ARP, spanning tree and the like: counted, and in no flow.
    NotIp false "a packet that is not IP: counted in no flow",
    /// The table of flows was full. Packets and bytes are all there; a flow may be in several rows.
    FlowsCut false "flows given out before their end, because too many went on at once",
    /// Their flows are counted; requests and handshakes in them are not read.
    TalksLeftOut false "conversations not followed, because too many went on at once",
    /// A series that says neither when it begins nor how long a step is.
    NoStart false "counts without times: taken as one a second from 1970-01-01 on",
    /// Rotated logs are copied, packed and kept beside each other.
    SameAsOther false "the same content as another file: read once",
    /// A copy that was taken while the log was still being written.
    StartOfOther false "the start of another file: read once",
    /// A certificate, a statistic, a flow that is no IP, and the like.
    OtherTraffic false "a record of a kind of traffic that is not used: passed over",
    /// A like, a follow, a profile and the like.
    OtherKind false "a record of another kind than posts: passed over",
    /// Counters of interfaces, tables of addresses, events of a firewall that carry no traffic.
    NoFlow false "an export record that is no flow: passed over",
    /// Counted for each set of records.
    NoTemplate true "no template yet for a set of records",
    /// What is no datagram of a known protocol, or a part of one that does not fit.
    BadDatagram true "not a datagram of NetFlow v5 or v9, IPFIX or sFlow v5",
    /// Reserved id, no bytes, or more fields than are believed.
    BadTemplate true "a template that cannot be used",
    /// A device gone wrong, or somebody who fills the memory.
    TooManyTemplates true "more templates than are kept",
    /// See the limits of the collector.
    ExporterForgotten false "more exporters than are kept: the most silent one was forgotten",
    /// Missing, in the future of the export, or too long before it.
    ExportTime false "no possible time in a flow record: taken from its export",
    /// Times are right to within the shortest delay between a flow's end and its export.
    StartUnknown false "an exporter does not say when it started: times are taken from its latest flows",
    /// Of the same address and observation domain.
    OtherPort false "a template that another port of the exporter sent: used",
    /// A firewall that counts bytes only, or a record without counters.
    PacketsUnknown false "packets are not counted by the exporter: taken as one",
    /// Its counts are those of the sample.
    SamplingUnknown false "a sampler that was not described yet: taken as unsampled",
    /// Times are kept as the exporter wrote them.
    ClockSkew false "an exporter's clock is off by more than an hour",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// Where it happened, and what stood there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Example {
    /// Line number from 1; in Parquet the row number from 1; 0 where it concerns the whole file.
    pub line: u64,
    /// At most 80 characters, control characters escaped. It may show personal data: it is for
    /// the person at the terminal and must not be stored.
    pub excerpt: String,
}

/// One reason in one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// How often.
    pub count: u64,
    /// The first five, in order of line.
    pub examples: Vec<Example>,
}

/// Problems by source and reason, in that order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    by_place: BTreeMap<(String, Reason), Problem>,
}

impl Problems {
    /// Counts one problem. `bytes` is what stood there.
    pub fn add(&mut self, source: &str, reason: Reason, line: u64, bytes: &[u8]) {
        self.add_many(source, reason, 1, line, bytes);
    }

    /// Counts a problem that occurred several times, with one example.
    pub fn add_many(&mut self, source: &str, reason: Reason, times: u64, line: u64, bytes: &[u8]) {
        // The key is only made on first sight: a file of a million bad rows costs one string.
        let problem = match self.by_place.get_mut(&(source, reason) as &dyn Place) {
            Some(problem) => problem,
            None => self.by_place.entry((source.to_owned(), reason)).or_default(),
        };
        problem.count += times;
        if problem.examples.len() < EXAMPLES {
            problem.examples.push(Example { line, excerpt: excerpt(bytes) });
            // Lines that were joined on trial come back in another order.
            problem.examples.sort();
        }
    }

    /// Adds those of another part of the reading. The outcome does not depend on the order of parts.
    pub fn merge(&mut self, other: Self) {
        for (place, mut problem) in other.by_place {
            let mine = self.by_place.entry(place).or_default();
            mine.count += problem.count;
            mine.examples.append(&mut problem.examples);
            mine.examples.sort();
            mine.examples.truncate(EXAMPLES);
        }
    }

    /// Sources, reasons and problems, sorted by source and reason.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Reason, &Problem)> {
        self.by_place.iter().map(|((source, reason), problem)| (source.as_str(), *reason, problem))
    }

    /// Rows that were lost.
    pub fn refused(&self) -> u64 {
        self.iter().filter(|(_, reason, _)| reason.refuses()).map(|(_, _, p)| p.count).sum()
    }

    /// True where nothing was amiss.
    pub fn is_empty(&self) -> bool {
        self.by_place.is_empty()
    }
}

impl fmt::Display for Problems {
    /// For a terminal: a line for each source and reason, then its examples.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (source, reason, problem) in self.iter() {
            writeln!(f, "{}: {} × {reason}", escaped(source, usize::MAX), problem.count)?;
            for example in &problem.examples {
                if example.line > 0 {
                    writeln!(f, "  line {}: {}", example.line, example.excerpt)?;
                } else if !example.excerpt.is_empty() {
                    writeln!(f, "  {}", example.excerpt)?;
                }
            }
        }
        Ok(())
    }
}

/// The start of what stood there, harmless to print.
fn excerpt(bytes: &[u8]) -> String {
    // Four bytes a character at most, so this is enough for 80 characters.
    let head = &bytes[..bytes.len().min(4 * EXCERPT_CHARS + 4)];
    let text = escaped(&String::from_utf8_lossy(head), EXCERPT_CHARS);
    if bytes.len() > head.len() && text.chars().count() < EXCERPT_CHARS { text + "…" } else { text }
}

/// At most `limit` characters; the last is an ellipsis where there was more. Control characters and
/// those that turn the direction of writing are escaped, so that a file cannot steer the terminal.
fn escaped(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut n = 0;
    for c in text.chars() {
        let steering = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        let shown: String = if steering { c.escape_default().collect() } else { c.to_string() };
        let len = shown.chars().count();
        if n + len >= limit {
            out.push('…');
            break;
        }
        out.push_str(&shown);
        n += len;
    }
    out
}

/// Lets a borrowed pair find an owned one.
trait Place {
    fn key(&self) -> (&str, Reason);
}

impl Place for (String, Reason) {
    fn key(&self) -> (&str, Reason) {
        (&self.0, self.1)
    }
}

impl Place for (&str, Reason) {
    fn key(&self) -> (&str, Reason) {
        (self.0, self.1)
    }
}

impl<'a> std::borrow::Borrow<dyn Place + 'a> for (String, Reason) {
    fn borrow(&self) -> &(dyn Place + 'a) {
        self
    }
}

impl PartialEq for dyn Place + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for dyn Place + '_ {}

impl PartialOrd for dyn Place + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Place + '_ {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
