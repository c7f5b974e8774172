//! Zeek logs, as TSV (`#separator` and its kin) and as JSON, one stream a file or many streams mixed.
//!
//! Read are conn, dns, http, ssl, ssh and ftp, their `open_…` and `…_red` kin, and `conn_long`. Records
//! of other streams are counted and passed over. Fields are found by name, so labelled logs and those with
//! additional columns are read like any other.
//!
//! What a log cannot say: without `orig_ip_bytes` the bytes of a flow are those of its payload; a
//! connection that is still open is reported again and again, with the same `uid`, until it ends.

mod columns;
mod json;
mod records;
mod tsv;

use std::sync::Arc;

pub(super) use records::{service, state};

use super::{NetworkFormat, Sniffed};
use crate::files::Input;
use crate::records::{Context, Records};

/// Lines of JSON that are tried: the first ones may be broken.
const TRIED_LINES: usize = 20;

/// Records that one step reads, so that asking whether a batch is full costs nothing.
const RECORDS_A_STEP: usize = 64;

#[derive(Debug)]
struct Tsv;

#[derive(Debug)]
struct Json;

impl NetworkFormat for Tsv {
    fn name(&self) -> &'static str {
        "Zeek TSV"
    }

    fn open(&self, input: Input, context: Context) -> Box<dyn Records> {
        Box::new(tsv::Reader::new(input, context))
    }
}

impl NetworkFormat for Json {
    fn name(&self) -> &'static str {
        "Zeek JSON"
    }

    fn open(&self, input: Input, context: Context) -> Box<dyn Records> {
        Box::new(json::Reader::new(input, context))
    }
}

pub(super) fn sniff(head: &[u8]) -> Sniffed {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if head.starts_with(b"#separator ") || (head.starts_with(b"#") && has_fields(head)) {
        return Ok(Arc::new(Tsv));
    }
    let lines = head.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    if lines.take(TRIED_LINES).any(|line| line.first() == Some(&b'{') && json::is_record(line)) {
        return Ok(Arc::new(Json));
    }
    Err(String::new())
}

/// A header whose first line was lost.
fn has_fields(head: &[u8]) -> bool {
    head.split(|&b| b == b'\n')
        .take_while(|line| line.starts_with(b"#"))
        .any(|line| line.starts_with(b"#fields") && line.len() > 8)
}

/// The streams that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Conn { open: bool },
    Dns,
    Http,
    Ssl,
    Ssh,
    Ftp,
    Other,
}

impl Stream {
    /// By the name of its log.
    fn of_path(path: &[u8]) -> Self {
        let (path, open) = match path.strip_prefix(b"open_") {
            Some(rest) => (rest, true),
            None => (path, false),
        };
        match path.strip_suffix(b"_red").unwrap_or(path) {
            b"conn" => Self::Conn { open },
            b"conn_long" => Self::Conn { open: true },
            b"dns" => Self::Dns,
            b"http" => Self::Http,
            b"ssl" => Self::Ssl,
            b"ssh" => Self::Ssh,
            b"ftp" => Self::Ftp,
            _ => Self::Other,
        }
    }

    /// By the fields that a record has, where nothing says its name.
    fn of_fields(has: impl Fn(columns::Column) -> bool) -> Self {
        use columns::Column as C;
        if !has(C::OrigHost) {
            Self::Other
        } else if has(C::ConnState) {
            Self::Conn { open: false }
        } else if has(C::RequestBodyLen) && !has(C::CallId) {
            Self::Http
        } else if has(C::TransId) && (has(C::Query) || has(C::Rejected)) {
            Self::Dns
        } else if has(C::Established) && (has(C::Resumed) || has(C::Cipher) || has(C::ServerName)) {
            Self::Ssl
        } else if has(C::AuthAttempts) || has(C::AuthSuccess) {
            Self::Ssh
        } else if has(C::Command) && !has(C::Nick) && (has(C::ReplyCode) || has(C::Password)) {
            Self::Ftp
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests;
