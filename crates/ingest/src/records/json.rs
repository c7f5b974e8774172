//! JSON, one record a line or as one document.
//!
//! Every value says by its own shape which kind of record it is, so files may be mixed.

use std::borrow::Cow;
use std::io::{self, Read};

use serde_json::Value;

use super::{Context, Log, Records, as_utf8, bluesky, mastodon, own, x};
use crate::files::{self, Line};
use crate::problems::Reason;
use crate::rows::Rows;
use crate::{MAX_DOCUMENT, MAX_LINE};

/// Kinds of records that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Own,
    XPage,
    XPost,
    Mastodon,
    Bluesky,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Own => "JSON Lines",
            Self::XPage | Self::XPost => "X API v2 JSON",
            Self::Mastodon => "Mastodon JSON",
            Self::Bluesky => "Bluesky Jetstream",
        }
    }
}

/// What kind of record a value is, by its keys.
pub(crate) fn kind_of(value: &Value) -> Option<Kind> {
    let has = |key: &str| value.get(key).is_some();
    if has("did") && has("kind") {
        Some(Kind::Bluesky)
    } else if has("data") || has("meta") && has("includes") {
        Some(Kind::XPage)
    } else if value.get("account").is_some_and(Value::is_object) && has("id") {
        Some(Kind::Mastodon)
    } else if has("account") && has("object") {
        Some(Kind::Own)
    } else if has("id") && (has("author_id") || has("text")) {
        Some(Kind::XPost)
    } else {
        None
    }
}

/// Reads one value.
fn record(bytes: &[u8], line: u64, context: &Context, rows: &mut Rows, log: &mut Log) {
    let text = as_utf8(bytes);
    if matches!(text, Cow::Owned(_)) {
        log.note(Reason::NotUtf8, line, bytes);
    }
    let Ok(value) = serde_json::from_slice::<Value>(&text) else {
        let reason = if bytes.contains(&0) { Reason::NulByte } else { Reason::NotJson };
        return log.refuse(reason, line, bytes);
    };
    let outcome = match kind_of(&value) {
        Some(Kind::Own) => own::read(&value, context, rows),
        Some(Kind::XPage) => return x::page(&value, line, context, rows, log),
        Some(Kind::XPost) => x::post(&value, context, rows),
        Some(Kind::Mastodon) => mastodon::read(&value, context, rows),
        Some(Kind::Bluesky) => bluesky::read(&value, context, rows),
        None => Err(Reason::UnknownRecord),
    };
    log.outcome(outcome, line, bytes);
}

/// JSON Lines.
pub(crate) struct Lines<R> {
    lines: files::Lines<R>,
    context: Context,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(source: R, context: Context) -> Self {
        Self { lines: files::Lines::new(source), context }
    }
}

impl<R: Read + Send> Records for Lines<R> {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        match self.lines.next()? {
            Line::End => return Ok(false),
            Line::TooLong(number, head) => log.refuse(Reason::LineTooLong, number, head),
            Line::Whole(_, line) if line.trim_ascii().is_empty() => {}
            Line::Whole(number, line) => record(line, number, &self.context, rows, log),
        }
        Ok(true)
    }
}

/// One or more JSON values over any number of lines. An array at the top is taken apart, so that
/// its length does not matter.
pub(crate) struct Document<R> {
    objects: Objects<R>,
    context: Context,
}

impl<R: Read> Document<R> {
    pub(crate) fn new(source: R, context: Context) -> Self {
        Self { objects: Objects::new(source), context }
    }
}

impl<R: Read + Send> Records for Document<R> {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        match self.objects.next()? {
            Object::End => return Ok(false),
            Object::Whole(line, value) => record(value, line, &self.context, rows, log),
            Object::Cut(line, head) => log.refuse(Reason::NotJson, line, head),
            Object::TooLong(line, head) => log.refuse(Reason::DocumentTooLong, line, head),
        }
        Ok(true)
    }
}

/// One object of a stream.
pub(crate) enum Object<'a> {
    /// The line on which it begins, and its bytes.
    Whole(u64, &'a [u8]),
    /// One that the end of the stream cut short.
    Cut(u64, &'a [u8]),
    /// One above [`MAX_DOCUMENT`]: the line on which it begins, and its first bytes.
    TooLong(u64, &'a [u8]),
    /// The stream is over.
    End,
}

/// Objects of a stream, be they one after the other or in arrays at the top.
pub(crate) struct Objects<R> {
    source: R,
    chunk: Vec<u8>,
    at: usize,
    len: usize,
    framer: Framer,
}

impl<R: Read> Objects<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, chunk: vec![0; 1 << 16], at: 0, len: 0, framer: Framer::default() }
    }

    /// The next object.
    ///
    /// # Errors
    /// The source failed.
    pub(crate) fn next(&mut self) -> io::Result<Object<'_>> {
        loop {
            if self.at == self.len {
                self.at = 0;
                self.len = loop {
                    match self.source.read(&mut self.chunk) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        other => break other?,
                    }
                };
                if self.len == 0 {
                    if self.framer.is_inside() {
                        self.framer.depth = 0;
                        return Ok(Object::Cut(self.framer.began, &self.framer.value));
                    }
                    return Ok(Object::End);
                }
            }
            let (taken, framed) = self.framer.push(&self.chunk[self.at..self.len]);
            self.at += taken;
            match framed {
                Framed::Nothing => {}
                Framed::Value => return Ok(Object::Whole(self.framer.began, &self.framer.value)),
                Framed::TooLong => return Ok(Object::TooLong(self.framer.began, &self.framer.value)),
            }
        }
    }
}

/// The bytes of the first object of a head, if all of it is there.
pub(crate) fn first_object(head: &[u8]) -> Option<Vec<u8>> {
    let mut framer = Framer::default();
    let (_, framed) = framer.push(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head));
    (framed == Framed::Value).then_some(framer.value)
}

/// The first value of a document's head, if all of it is there.
pub(crate) fn first_value(head: &[u8]) -> Option<Value> {
    serde_json::from_slice(&as_utf8(&first_object(head)?)).ok()
}

#[derive(Debug, PartialEq, Eq)]
enum Framed {
    Nothing,
    Value,
    TooLong,
}

/// Cuts objects out of a stream by counting brackets. What stands between them is left out; the
/// brackets of arrays at the top are too.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are the state of a scanner and vary on their own")]
struct Framer {
    value: Vec<u8>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    too_long: bool,
    done: bool,
    line: u64,
    began: u64,
}

impl Framer {
    fn is_inside(&self) -> bool {
        self.depth > 0
    }

    /// Takes bytes up to the end of a value. Gives how many were taken.
    fn push(&mut self, bytes: &[u8]) -> (usize, Framed) {
        if std::mem::take(&mut self.done) {
            self.value.clear();
            // A huge value should not keep its room for the rest of the file.
            self.value.shrink_to(MAX_LINE);
            self.too_long = false;
        }
        let mut start = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            if byte == b'\n' {
                self.line += 1;
            }
            if self.depth == 0 {
                if byte == b'{' {
                    self.depth = 1;
                    self.began = self.line + 1;
                    start = at;
                }
                continue;
            }
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.keep(&bytes[start..=at]);
                        self.done = true;
                        let framed = if self.too_long { Framed::TooLong } else { Framed::Value };
                        return (at + 1, framed);
                    }
                }
                _ => {}
            }
        }
        if self.depth > 0 {
            self.keep(&bytes[start..]);
        }
        (bytes.len(), Framed::Nothing)
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.value.len() + bytes.len() > MAX_DOCUMENT {
            self.too_long = true;
            self.value.truncate(400);
        }
        if !self.too_long {
            self.value.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn check(text: &str, piece: usize) -> String {
        let mut framer = Framer::default();
        let mut out = String::new();
        for piece in text.as_bytes().chunks(piece) {
            let mut at = 0;
            while at < piece.len() {
                let (taken, framed) = framer.push(&piece[at..]);
                at += taken;
                if framed == Framed::Value {
                    let value = String::from_utf8_lossy(&framer.value);
                    write!(out, "{}:{value} ", framer.began).expect("text");
                }
            }
        }
        out
    }

    #[test]
    fn objects_are_cut_out_of_arrays_and_streams() {
        for piece in [1, 3, 1000] {
            assert_eq!(
                check("[{\"a\": \"}]\\\"\"},\n {\"b\": [{}]}]\n{}", piece),
                "1:{\"a\": \"}]\\\"\"} 2:{\"b\": [{}]} 3:{} "
            );
            assert_eq!(check("[] 1 \"x\" ]}", piece), "");
        }
    }
}
