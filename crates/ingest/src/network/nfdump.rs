//! What nfdump writes: CSV (`-o csv`, both the long form up to version 1.7.2 and the short one since) and JSON
//! (`-o json`, `-o ndjson`).
//!
//! Its binary files are known by their first bytes and refused: their layout is not documented and changes
//! from version to version. Times in CSV are those of the machine on which nfdump ran and have no zone; they are
//! taken as UTC. Counts are as nfdump gives them: its collector has already multiplied by the sampling rate
//! where the exporter stated one.

mod csv;
mod json;

use std::sync::Arc;

use super::{NetworkFormat, Sniffed, fields};
use crate::files::Input;
use crate::problems::Reason;
use crate::records::{Context, Records};

#[derive(Debug)]
struct Csv(csv::Columns);

#[derive(Debug)]
struct Json;

impl NetworkFormat for Csv {
    fn name(&self) -> &'static str {
        "nfdump CSV"
    }

    fn open(&self, input: Input, context: Context) -> Box<dyn Records> {
        Box::new(csv::Reader::new(input, self.0.clone(), context))
    }
}

impl NetworkFormat for Json {
    fn name(&self) -> &'static str {
        "nfdump JSON"
    }

    fn open(&self, input: Input, context: Context) -> Box<dyn Records> {
        Box::new(json::Reader::new(input, context))
    }
}

pub(super) fn sniff(head: &[u8]) -> Sniffed {
    if let Some(header) = csv::header(head.split(|&b| b == b'\n').next().unwrap_or_default()) {
        return Ok(Arc::new(Csv(header)));
    }
    if json::is_flow(head) {
        return Ok(Arc::new(Json));
    }
    Err(String::new())
}

/// Why a binary file of nfdump cannot be read, and what to do.
pub(super) fn refusal(head: &[u8]) -> Option<String> {
    // nffile.h: a magic of 0xA50C in the byte order of the machine, then the version of the layout.
    let version = match head {
        [0x0c, 0xa5, low, high, ..] => u16::from_le_bytes([*low, *high]),
        [0xa5, 0x0c, high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => return None,
    };
    (1..=9).contains(&version).then(|| {
        format!(
            "it is a binary file of nfdump (layout {version}), which only nfdump itself can read: \
             write it as text with `nfdump -r FILE -o csv` and read that"
        )
    })
}

/// A duration: decimal seconds, or `01:02:03.456`.
fn duration(text: &[u8]) -> Result<i64, Reason> {
    let mut parts = text.rsplitn(3, |&b| b == b':');
    let mut millis = fields::duration(parts.next().unwrap_or_default())?;
    for (part, unit) in parts.zip([60_000, 3_600_000]) {
        // Hours may have days before them: `1d 02`.
        let (days, hours) = match part.iter().position(|&b| b == b'd') {
            Some(at) => (fields::count(part[..at].trim_ascii())?, part[at + 1..].trim_ascii()),
            None => (0, part),
        };
        let part = fields::count(hours)?.min(1 << 32) + days.min(1 << 20) * 24;
        millis += part * unit;
    }
    Ok(millis)
}

/// TCP flags, as letters with dots for those that are not set (`...AP.S.`), or a number.
fn flags(text: &[u8]) -> i32 {
    if let Some(digits) = text.strip_prefix(b"0x") {
        let number = std::str::from_utf8(digits).ok().and_then(|digits| i32::from_str_radix(digits, 16).ok());
        return number.map_or(0, |number| number & 0xff);
    }
    if let Some(number) = fields::whole(text) {
        return (number & 0xff) as i32;
    }
    text.iter().fold(0, |flags, letter| {
        flags
            | match letter {
                b'F' => 1,
                b'S' => 2,
                b'R' => 4,
                b'P' => 8,
                b'A' => 16,
                b'U' => 32,
                b'E' => 64,
                b'C' => 128,
                _ => 0,
            }
    })
}

/// Type and code of ICMP from the port of the destination, where NetFlow puts them: `8.0`, or 256 × type + code.
fn icmp(port: &[u8]) -> Result<(i32, i32), Reason> {
    if let Some(at) = port.iter().position(|&b| b == b'.') {
        return Ok((fields::port(&port[..at])? & 0xff, fields::port(&port[at + 1..])? & 0xff));
    }
    let number = fields::port(port)?;
    Ok((number >> 8, number & 0xff))
}

#[cfg(test)]
mod tests;
