//! Reads captures and prints what came out.

use std::fmt::Write;
use std::path::PathBuf;

use domain::Timestamp;
use ingest::{Accounts, Ledger, Options, open};
use traffic::flow::{self, Flow, Service, State};
use traffic::lookup::{self, Lookup};
use traffic::request::{self, Request};
use traffic::tls::{self, Tls};
use traffic::{Address, Kind};

/// What came out of a reading.
pub(crate) struct Read {
    pub(crate) flows: Vec<Flow>,
    pub(crate) lookups: Vec<Lookup>,
    pub(crate) requests: Vec<Request>,
    pub(crate) handshakes: Vec<Tls>,
    pub(crate) ledger: Ledger,
    pub(crate) failed: Vec<String>,
}

pub(crate) fn read(paths: &[PathBuf]) -> Result<Read, String> {
    // 23 November 2026, noon.
    let now = Timestamp(1_795_435_200_000);
    let options = Options {
        accounts: Accounts::Plain,
        now,
        default_trace: traffic::Trace::Object,
        seed: traffic::Seed(0),
    };
    let mut reading = open(paths, options).map_err(|error| error.to_string())?;
    let (mut flows, mut lookups, mut requests, mut handshakes) = (vec![], vec![], vec![], vec![]);
    let mut failed = Vec::new();
    for part in reading.take_parts() {
        for batch in part {
            match batch {
                Ok(batch) => match batch.kind {
                    Kind::Flow => flows.extend(flow::rows(&batch.rows)),
                    Kind::Lookup => lookups.extend(lookup::rows(&batch.rows)),
                    Kind::Request => requests.extend(request::rows(&batch.rows)),
                    Kind::Tls => handshakes.extend(tls::rows(&batch.rows)),
                    other => failed.push(format!("rows of {other}")),
                },
                Err(error) => failed.push(format!("{error}: {}", error.cause)),
            }
        }
    }
    Ok(Read { flows, lookups, requests, handshakes, ledger: reading.finish(), failed })
}

/// Reads one capture with this content.
pub(crate) fn read_bytes(bytes: &[u8]) -> Result<Read, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
    let shown = path.display().to_string();
    let mut read = read(&[path]).map_err(|error| error.replace(&shown, "file"))?;
    read.failed = read.failed.iter().map(|error| error.replace(&shown, "file")).collect();
    Ok(read)
}

/// Rows, one a line, then what was amiss.
pub(crate) fn dump(read: &Read) -> String {
    let mut out = String::new();
    let text = |id| read.ledger.texts.get(id);
    let address = |hi, lo| Address { hi, lo };
    for f in &read.flows {
        let state = State::from_code(f.state).expect("the code of a state");
        let service = Service::from_code(f.service).expect("the code of a service");
        let _ = write!(
            out,
            "{} +{} {}:{} > {}:{} proto {} sent {}/{} back {}/{} flags {} {state}",
            f.time,
            f.duration,
            address(f.src_hi, f.src_lo),
            f.src_port,
            address(f.dst_hi, f.dst_lo),
            f.dst_port,
            f.proto,
            f.packets,
            f.bytes,
            f.back_packets,
            f.back_bytes,
            f.flags,
        );
        if f.fragments > 0 {
            let _ = write!(out, " fragments {}", f.fragments);
        }
        if service != Service::Unknown {
            let _ = write!(out, " {service}");
        }
        out.push('\n');
    }
    for l in &read.lookups {
        let _ = writeln!(
            out,
            "{} {} asks {} for {} ({}) type {} rcode {} answers {} first {} bytes {}",
            l.time,
            address(l.client_hi, l.client_lo),
            address(l.server_hi, l.server_lo),
            text(l.name),
            text(l.domain),
            l.qtype,
            l.rcode,
            l.answers,
            address(l.answer_hi, l.answer_lo),
            l.bytes,
        );
    }
    for t in &read.handshakes {
        let _ = writeln!(
            out,
            "{} {} greets {}:{} as {} ja3 {} version {} established {}",
            t.time,
            address(t.client_hi, t.client_lo),
            address(t.server_hi, t.server_lo),
            t.server_port,
            text(t.name),
            text(t.fingerprint),
            if t.version < 0 { "-".to_owned() } else { format!("{:#06x}", t.version) },
            t.established,
        );
    }
    for r in &read.requests {
        let method = request::Method::from_code(r.method).expect("the code of a method");
        let _ = writeln!(
            out,
            "{} +{} {} ({}) {method} {} {} ?{} from {} {} by {} is {} of {} bytes",
            r.time,
            r.duration,
            address(r.peer_hi, r.peer_lo),
            address(r.forwarded_hi, r.forwarded_lo),
            text(r.host),
            text(r.path),
            text(r.query),
            text(r.referer_host),
            text(r.referer_path),
            text(r.agent),
            r.status,
            r.bytes,
        );
    }
    for (_, reason, problem) in read.ledger.problems.iter() {
        let _ = writeln!(out, "{} × {reason}", problem.count);
        for example in &problem.examples {
            let _ = writeln!(out, "  {}: {}", example.line, example.excerpt);
        }
    }
    for error in &read.failed {
        let _ = writeln!(out, "failed: {error}");
    }
    out
}
