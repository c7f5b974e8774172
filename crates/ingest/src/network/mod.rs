//! Formats of network traffic. Each module knows one family: `sniff` looks at the first bytes of a
//! file, plain of gzip and Zstandard, and says how to read it, or why it is something else.

mod access;
mod auth;
mod binetflow;
pub(crate) mod datagram;
mod eve;
pub(crate) mod fields;
mod ipv6;
mod json;
mod names;
mod nfdump;
mod pcap;
mod rate;
mod table;
#[cfg(test)]
pub(crate) mod testing;
mod web;
mod zeek;

use std::fmt;
use std::sync::Arc;

use crate::files::Input;
use crate::records::{Context, Records};
use crate::sniff::Tried;

/// A format that was recognised, ready to read a file from its start.
pub(crate) trait NetworkFormat: fmt::Debug + Send + Sync {
    /// What it is called where a person reads it.
    fn name(&self) -> &'static str;
    /// Reads a file from its first byte.
    fn open(&self, input: Input, context: Context) -> Box<dyn Records>;
}

/// What a `sniff` says: how to read it, or why not. An empty reason means that nothing looked like it at all;
/// a reason is for files that are nearly of the format: of another version, damaged, or known and not read.
pub(crate) type Sniffed = Result<Arc<dyn NetworkFormat>, String>;

/// A name for people, and what looks at the first bytes.
type Looker = (&'static str, fn(&[u8]) -> Sniffed);

/// Formats in the order in which they are tried. No two accept the same file.
const FORMATS: &[Looker] = &[
    ("pcap", pcap::sniff),
    ("NetFlow, IPFIX or sFlow", datagram::sniff),
    ("Zeek log", zeek::sniff),
    ("Suricata EVE", eve::sniff),
    ("Argus binetflow", binetflow::sniff),
    ("nfdump output", nfdump::sniff),
    ("access log", access::sniff),
    ("auth log", auth::sniff),
    ("rate series", rate::sniff),
];

/// The first format that fits, or why each does not.
pub(crate) fn sniff(head: &[u8]) -> Result<Arc<dyn NetworkFormat>, Tried> {
    let mut tried = Tried::new();
    for (name, look) in FORMATS {
        match look(head) {
            Ok(format) => return Ok(format),
            // A format that sees nothing of its own says nothing.
            Err(why) if why.is_empty() => {}
            Err(why) => tried.push((name, why)),
        }
    }
    Err(tried)
}

/// Why a file that is recognised cannot be read, and what to do: it is of no other format either.
pub(crate) fn refusal(head: &[u8]) -> Option<(&'static str, String)> {
    nfdump::refusal(head).map(|why| ("nfdump output", why))
}
