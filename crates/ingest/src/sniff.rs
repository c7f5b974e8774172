//! Which format a file has, by its content.

use std::io::{self, Read};
use std::sync::Arc;

use crate::MAX_LINE;
use crate::files::Input;
use crate::network::{self, NetworkFormat};
use crate::records::{Dialect, Kind, as_utf8, first_value, kind_of};

/// A line of at most the limit, and its line end, always fit.
const HEAD: usize = MAX_LINE + 2;

/// Lines of JSON that are tried: the first ones may be broken.
const TRIED_LINES: usize = 50;

/// A format of text.
#[derive(Clone, Debug)]
pub(crate) enum Format {
    Csv(Dialect),
    JsonLines(Option<Kind>),
    Document(Option<Kind>),
    Network(Arc<dyn NetworkFormat>),
}

impl Format {
    pub(crate) fn name(&self) -> &'static str {
        use crate::tables::Layout;
        match self {
            Self::Csv(dialect) => match dialect.layout {
                Layout::Long { .. } => "CSV, one object a row",
                Layout::Wide { .. } => "CSV, one post a row",
            },
            Self::JsonLines(Some(kind)) | Self::Document(Some(kind)) => kind.name(),
            Self::JsonLines(None) | Self::Document(None) => "JSON",
            Self::Network(format) => format.name(),
        }
    }
}

/// Each format that was tried, and why it does not fit.
pub(crate) type Tried = Vec<(&'static str, String)>;

/// Looks at the first bytes of a stream.
///
/// # Errors
/// The disk failed. Damage is not an error: what could be read decides.
pub(crate) fn sniff(input: &mut Input) -> io::Result<Result<Format, Tried>> {
    sniff_and_keep(input, 0).map(|(sniffed, _)| sniffed)
}

/// As [`sniff`]; also gives the first bytes, so many of them.
///
/// # Errors
/// As there.
pub(crate) fn sniff_and_keep(input: &mut Input, kept: usize) -> io::Result<(Result<Format, Tried>, Vec<u8>)> {
    let mut head = Vec::new();
    let outcome = input.by_ref().take(HEAD as u64).read_to_end(&mut head);
    if let Err(error) = &outcome
        && (input.world_failed() || head.is_empty())
    {
        if input.world_failed() {
            return outcome.map(|_| unreachable!("internal error: an error is no success"));
        }
        return Ok((Err(vec![("gzip or Zstandard", error.to_string())]), head));
    }
    let sniffed = of_head(&head);
    head.truncate(kept);
    head.shrink_to_fit();
    Ok((sniffed, head))
}

/// As [`sniff`], of the first bytes.
pub(crate) fn of_head(head: &[u8]) -> Result<Format, Tried> {
    if let Some(refusal) = packed(head).or_else(|| network::refusal(head)) {
        return Err(vec![refusal]);
    }
    let mut tried = match network::sniff(head) {
        Ok(format) => return Ok(Format::Network(format)),
        Err(tried) => tried,
    };
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(vec![("text", "it is UTF-16, which is not read: save it as UTF-8".to_owned())]);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if text.is_empty() {
        return Err(vec![("text", "it is empty".to_owned())]);
    }
    let lines = json_lines(text);
    if lines.is_whole() {
        return Ok(Format::JsonLines(lines.kind));
    }
    tried.push(("Parquet", "it does not begin with PAR1".to_owned()));
    if matches!(text[0], b'{' | b'[') {
        match first_value(text).as_ref().map(kind_of) {
            Some(Some(kind)) => return Ok(Format::Document(Some(kind))),
            _ if lines.known > 0 && text[0] == b'{' => return Ok(Format::JsonLines(lines.kind)),
            // A document larger than the head, of which nothing can be said yet.
            None if head.len() >= HEAD => return Ok(Format::Document(None)),
            Some(None) => tried.push(("JSON", "its first value is a record of no known kind".to_owned())),
            None => tried.push(("JSON", "its first value is broken or missing".to_owned())),
        }
    } else {
        tried.push(("JSON", "it does not begin with { or [".to_owned()));
    }
    let first_line = text.split(|&b| b == b'\n').next().unwrap_or_default();
    match Dialect::of(first_line) {
        Ok(dialect) => Ok(Format::Csv(dialect)),
        Err(why) => {
            tried.push(("CSV", why));
            Err(tried)
        }
    }
}

/// Packings that are not undone here.
fn packed(head: &[u8]) -> Option<(&'static str, String)> {
    let (name, remedy) = match head {
        // A digit is the size of a block, the rest the digits of pi that begin the first block.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => ("bzip2", "bunzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => ("xz", "unxz"),
        // POSIX.1-1988, ustar: the magic lies behind the name, mode, owner, size and time.
        _ if head.get(257..262) == Some(b"ustar") => ("tar", "tar -x"),
        _ => return None,
    };
    Some(("text", format!("it is packed with {name}, which is not read: unpack it first with `{remedy}`")))
}

/// What the first lines are as JSON Lines.
struct FirstLines {
    kind: Option<Kind>,
    seen: usize,
    known: usize,
    first_is_known: bool,
}

impl FirstLines {
    /// The last element of a document that is written over many lines may look like a record on its
    /// own, so one line that fits is not enough unless it is the first.
    fn is_whole(&self) -> bool {
        self.first_is_known || 2 * self.known > self.seen
    }
}

fn json_lines(text: &[u8]) -> FirstLines {
    let mut lines = FirstLines { kind: None, seen: 0, known: 0, first_is_known: false };
    for line in text.split(|&b| b == b'\n').filter(|line| !line.trim_ascii().is_empty()).take(TRIED_LINES) {
        let kind = match line.trim_ascii_start().first() {
            Some(b'{') => serde_json::from_slice(&as_utf8(line)).ok().as_ref().and_then(kind_of),
            _ => None,
        };
        lines.first_is_known |= lines.seen == 0 && kind.is_some();
        lines.seen += 1;
        lines.known += usize::from(kind.is_some());
        lines.kind = lines.kind.or(kind);
    }
    lines
}
