//! The grammar that all documents share: whole lines `key value`, each document with one spelling.
//!
//! The first line names the kind and its version. Keys come in a fixed order; a key that may repeat does so in ascending
//! order of what follows. There are no empty lines, no spaces at the ends and no two spaces in a row, so that what is read and written
//! again is the same text: a signature, a hash and a comparison by eye all speak about the same thing.

use domain::Timestamp;
use thiserror::Error;
use tlog::Hash;

use crate::votes::Votes;

/// Why a text is no such document, and on which line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct DocumentError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

/// A document's lines, read in order.
pub(crate) struct Lines<'t> {
    rest: std::iter::Peekable<std::str::Split<'t, char>>,
    number: usize,
}

impl<'t> Lines<'t> {
    /// Begins after the line that names the kind.
    pub(crate) fn of(text: &'t str, kind: &str) -> Result<Self, DocumentError> {
        let whole = text.strip_suffix('\n');
        let mut this = Self { rest: whole.unwrap_or(text).split('\n').peekable(), number: 1 };
        if whole.is_none() {
            let line = text.matches('\n').count() + 1;
            return Err(DocumentError {
                line,
                problem: "the text does not end with a whole line".to_owned(),
            });
        }
        let first = this.rest.next().unwrap_or_default();
        if first != kind {
            return Err(this.wrong(format!("the text begins with `{}` instead of `{kind}`", short(first))));
        }
        this.number = 2;
        Ok(this)
    }

    /// The value of the next line, if its key is this one.
    pub(crate) fn maybe(&mut self, key: &str) -> Result<Option<&'t str>, DocumentError> {
        let Some(line) = self.rest.peek() else { return Ok(None) };
        let Some(value) = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(' ')) else {
            return Ok(None);
        };
        let is_plain = !value.is_empty()
            && !value.starts_with(' ')
            && !value.ends_with(' ')
            && !value.contains("  ")
            && !value.contains(char::is_control);
        if !is_plain {
            return Err(self.wrong(format!("`{key}` has an empty value, or spaces that do not belong there")));
        }
        self.rest.next();
        self.number += 1;
        Ok(Some(value))
    }

    /// The value of the next line, whose key must be this one.
    pub(crate) fn one(&mut self, key: &str) -> Result<&'t str, DocumentError> {
        match self.maybe(key)? {
            Some(value) => Ok(value),
            None => {
                let problem = match self.rest.peek() {
                    Some(line) => format!("`{key} …` is due here, not `{}`", short(line)),
                    None => format!("`{key} …` is missing at the end"),
                };
                Err(self.wrong(problem))
            }
        }
    }

    /// The next line's value, made into what it stands for.
    pub(crate) fn parse<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&'t str) -> Option<T>,
    ) -> Result<T, DocumentError> {
        let value = self.one(key)?;
        read(value).ok_or_else(|| self.before(format!("`{key}` cannot be `{}`", short(value))))
    }

    /// Nothing may follow.
    pub(crate) fn end(mut self) -> Result<(), DocumentError> {
        match self.rest.next() {
            None => Ok(()),
            Some(line) => Err(self.wrong(format!("`{}` does not belong here", short(line)))),
        }
    }

    /// A complaint about the line that was read last.
    pub(crate) fn before(&self, problem: String) -> DocumentError {
        DocumentError { line: self.number - 1, problem }
    }

    /// A complaint about the line that comes next.
    fn wrong(&self, problem: String) -> DocumentError {
        DocumentError { line: self.number, problem }
    }
}

/// What may be repeated of a foreign line in a message.
fn short(line: &str) -> String {
    const MOST: usize = 60;
    let plain: String = line.chars().take(MOST).map(|c| if c.is_control() { '�' } else { c }).collect();
    if line.chars().nth(MOST).is_some() { format!("{plain}…") } else { plain }
}

/// A digest in lower-case hex.
pub fn hex(hash: &Hash) -> String {
    data_encoding::HEXLOWER.encode(&hash.0)
}

/// Reads a digest in lower-case hex.
pub fn parse_hex(text: &str) -> Option<Hash> {
    Hash::from_slice(&data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?)
}

/// Reads a digest, or `none`.
#[expect(
    clippy::option_option,
    reason = "the outer one is whether the text is right, the inner what it says"
)]
pub(crate) fn parse_hex_or_none(text: &str) -> Option<Option<Hash>> {
    if text == "none" { Some(None) } else { parse_hex(text).map(Some) }
}

/// A digest, or `none`.
pub(crate) fn hex_or_none(hash: Option<&Hash>) -> String {
    hash.map_or_else(|| "none".to_owned(), hex)
}

/// Reads a time in its one spelling: UTC, whole seconds, `2024-06-09T21:16:37Z`.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).filter(|time| time.0 % 1000 == 0 && time.to_string() == text)
}

/// Reads a small number in its one spelling.
pub(crate) fn parse_u32(text: &str) -> Option<u32> {
    Votes::parse(text).and_then(|n| u32::try_from(n.0).ok())
}

/// Reads `name=number`.
pub(crate) fn parse_pair(text: &str) -> Option<(&str, Votes)> {
    let (name, number) = text.split_once('=')?;
    Some((name, Votes::parse(number)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, Vec<String>), DocumentError> {
        let mut lines = Lines::of(text, "kind v1")?;
        let a = lines.one("a")?.to_owned();
        let mut bs = Vec::new();
        while let Some(b) = lines.maybe("b")? {
            bs.push(b.to_owned());
        }
        lines.end()?;
        Ok((a, bs))
    }

    #[test]
    fn what_is_out_of_order_missing_or_loosely_spaced_is_named_with_its_line() {
        assert_eq!(read("kind v1\na 1\nb 2\nb 3\n"), Ok(("1".into(), vec!["2".into(), "3".into()])));
        let said: Vec<String> = [
            "",
            "kind v1",
            "kind v2\n",
            "kind v1\n",
            "kind v1\nb 1\n",
            "kind v1\na  1\n",
            "kind v1\na \n",
            "kind v1\na\n",
            "kind v1\na 1 \n",
            "kind v1\na 1\nc 2\n",
            "kind v1\na 1\n\n",
            "kind v1\na 1\nb 2\u{85}\n",
        ]
        .map(|text| read(text).expect_err("no such document").to_string())
        .into();
        insta::assert_snapshot!(said.join("\n"), @"
        line 1: the text does not end with a whole line
        line 1: the text does not end with a whole line
        line 1: the text begins with `kind v2` instead of `kind v1`
        line 2: `a …` is missing at the end
        line 2: `a …` is due here, not `b 1`
        line 2: `a` has an empty value, or spaces that do not belong there
        line 2: `a` has an empty value, or spaces that do not belong there
        line 2: `a …` is due here, not `a`
        line 2: `a` has an empty value, or spaces that do not belong there
        line 3: `c 2` does not belong here
        line 3: `` does not belong here
        line 3: `b` has an empty value, or spaces that do not belong there
        ");
    }

    #[test]
    fn a_time_has_one_spelling() {
        assert_eq!(parse_time("2024-06-09T21:16:37Z"), Some(Timestamp(1_717_967_797_000)));
        for wrong in [
            "2024-06-09T23:16:37+02:00",
            "2024-06-09T21:16:37.000Z",
            "2024-06-09 21:16:37Z",
            "2024-06-09T21:16:37.5Z",
        ] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }
}
