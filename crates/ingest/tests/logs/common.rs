//! Reads logs and prints what came out.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use domain::Timestamp;
use ingest::{Accounts, Ledger, Options, open};
use traffic::login::{self, Login, Outcome, Service};
use traffic::request::{self, Method, Query, Request, Resource};
use traffic::{Address, Batch, Kind, Trace};

/// 23 November 2026, noon.
pub(crate) const NOW: Timestamp = Timestamp(1_795_435_200_000);

/// What came out of a reading.
pub(crate) struct Read {
    pub(crate) batches: Vec<Batch>,
    pub(crate) ledger: Ledger,
}

impl Read {
    pub(crate) fn requests(&self) -> Vec<Request> {
        let of_kind = self.batches.iter().filter(|batch| batch.kind == Kind::Request);
        of_kind.flat_map(|batch| request::rows(&batch.rows)).collect()
    }

    pub(crate) fn logins(&self) -> Vec<Login> {
        let of_kind = self.batches.iter().filter(|batch| batch.kind == Kind::Login);
        of_kind.flat_map(|batch| login::rows(&batch.rows)).collect()
    }

    /// What was amiss, without the name of the source.
    pub(crate) fn problems(&self) -> String {
        let mut out = String::new();
        for (_, reason, problem) in self.ledger.problems.iter() {
            let _ = writeln!(out, "{} × {reason}", problem.count);
        }
        out
    }
}

pub(crate) fn read(paths: &[PathBuf]) -> Result<Read, String> {
    let options =
        Options { accounts: Accounts::Plain, now: NOW, default_trace: Trace::Object, seed: traffic::Seed(0) };
    let mut reading = open(paths, options).map_err(|error| error.to_string())?;
    let mut batches = Vec::new();
    for part in reading.take_parts() {
        for batch in part {
            batches.push(batch.map_err(|error| format!("{error}: {}", error.cause))?);
        }
    }
    Ok(Read { batches, ledger: reading.finish() })
}

/// Reads one file with this content.
pub(crate) fn read_bytes(bytes: &[u8]) -> Result<Read, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
    read(&[path])
}

/// A file of the shared data, or nothing where the folder is missing.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/network").join(name);
    if path.exists() {
        return Some(path);
    }
    let _ = writeln!(std::io::stderr(), "skipped: shared/data/network/{name} is missing");
    None
}

/// Requests as `time peer (forwarded) method host path?query kind resource status bytes duration | referer
/// | agent`, a dot for what the log has no field for; then what was amiss.
pub(crate) fn requests(read: &Read) -> String {
    let mut out = String::new();
    let texts = &read.ledger.texts;
    let text = |id: i64| if id == -2 { ".".to_owned() } else { texts.get(id) };
    for row in read.requests() {
        let peer = texts.address(Address { hi: row.peer_hi, lo: row.peer_lo });
        let forwarded = Address { hi: row.forwarded_hi, lo: row.forwarded_lo };
        let method = Method::from_code(row.method).expect("a method");
        let kind = Query::from_code(row.query_kind).expect("a kind of query");
        let resource = Resource::from_code(row.resource).expect("a resource");
        let _ = write!(out, "{} {peer}", Timestamp(row.time));
        if forwarded != Address::NONE {
            let _ = write!(out, " ({})", texts.address(forwarded));
        }
        let _ = write!(out, " {method} {} {}", text(row.host), text(row.path));
        if row.query >= 0 {
            let _ = write!(out, "?{} {kind}", text(row.query));
        }
        let _ = write!(out, " {resource} {} {} {}", row.status, row.bytes, row.duration);
        let _ =
            writeln!(out, " | {} {} | {}", text(row.referer_host), text(row.referer_path), text(row.agent));
    }
    out + &read.problems()
}

/// Logins as `time client account outcome service at server`; then what was amiss.
pub(crate) fn logins(read: &Read) -> String {
    let mut out = String::new();
    let texts = &read.ledger.texts;
    for row in read.logins() {
        let client = texts.address(Address { hi: row.client_hi, lo: row.client_lo });
        let outcome = Outcome::from_code(row.outcome).expect("an outcome");
        let service = Service::from_code(row.service).expect("a service");
        let (account, server) = (texts.get(row.account), texts.get(row.server));
        let _ = writeln!(out, "{} {client} {account} {outcome} {service} at {server}", Timestamp(row.time));
    }
    out + &read.problems()
}
