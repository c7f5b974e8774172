//! For tests of formats: bytes in, rows and problems as text out.

use std::fmt::Write as _;

use domain::Timestamp;
use traffic::flow::{self, Service, State};
use traffic::login::{self, Outcome};
use traffic::request::{Method, Query};
use traffic::{AccountNames, Address, Kind, ObjectNames, Seed, Trace};
use traffic::{lookup, rate, request, tls};

use crate::files::Input;
use crate::records::{Context, Log};
use crate::rows::Rows;
use crate::time::Bounds;

/// Reads bytes as whatever network format they show. Times up to 2100.
pub(crate) fn check(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let format = match super::sniff(bytes) {
        Ok(format) => format,
        Err(tried) => {
            let why: String = tried.iter().map(|(name, why)| format!("not {name}: {why}\n")).collect();
            return if why.is_empty() { "no format\n".to_owned() } else { why };
        }
    };
    let context = Context { bounds: Bounds::new(Timestamp(4_102_444_800_000)), default_trace: Trace::Object };
    let input = Input::new(std::io::Cursor::new(bytes.to_vec()), None).expect("memory");
    let mut records = format.open(input, context);
    let (mut rows, mut log) = (Rows::new(Seed(0), None), Log::default());
    while records.step(&mut rows, &mut log).expect("memory") {}
    let mut out = String::new();
    let batches = rows.finish(&mut AccountNames::plain(), &mut ObjectNames::new());
    for batch in batches {
        dump(batch.kind, &batch.rows, &rows, &mut out);
    }
    for (_, reason, problem) in log.problems.iter() {
        let lines: Vec<String> = problem.examples.iter().map(|example| example.line.to_string()).collect();
        let _ = writeln!(out, "{} × {reason} ({})", problem.count, lines.join(" "));
    }
    out
}

fn dump(kind: Kind, batch: &arrow_array::RecordBatch, rows: &Rows, out: &mut String) {
    let address = |hi, lo| rows.texts.address(Address { hi, lo });
    let text = |id: i64| if id == -2 { "?".to_owned() } else { rows.texts.get(id) };
    match kind {
        Kind::Flow => {
            for f in flow::rows(batch) {
                let _ = writeln!(
                    out,
                    "flow {} +{} ms {}:{} > {}:{} proto {} sent {}/{} back {}/{} flags {} {} {} sampling {} frag {} uid {}",
                    Timestamp(f.time),
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
                    State::from_code(f.state).expect("a state"),
                    Service::from_code(f.service).expect("a service"),
                    f.sampling,
                    f.fragments,
                    if f.uid < 0 { "-" } else { "known" }
                );
            }
        }
        Kind::Request => {
            for r in request::rows(batch) {
                let _ = writeln!(
                    out,
                    "request {} {} for {} {} {} {} ?{} {} from {} {} by {} = {} {} B",
                    Timestamp(r.time),
                    address(r.peer_hi, r.peer_lo),
                    address(r.forwarded_hi, r.forwarded_lo),
                    Method::from_code(r.method).expect("a method"),
                    text(r.host),
                    text(r.path),
                    text(r.query),
                    Query::from_code(r.query_kind).expect("a kind"),
                    text(r.referer_host),
                    text(r.referer_path),
                    text(r.agent),
                    r.status,
                    r.bytes
                );
            }
        }
        Kind::Lookup => {
            for l in lookup::rows(batch) {
                let _ = writeln!(
                    out,
                    "lookup {} {} > {} {} in {} ({} {}) type {} code {} answers {} {} {} B",
                    Timestamp(l.time),
                    address(l.client_hi, l.client_lo),
                    address(l.server_hi, l.server_lo),
                    text(l.name),
                    text(l.domain),
                    l.label_len,
                    l.label_entropy,
                    l.qtype,
                    l.rcode,
                    l.answers,
                    address(l.answer_hi, l.answer_lo),
                    l.bytes
                );
            }
        }
        Kind::Login => {
            for l in login::rows(batch) {
                let _ = writeln!(
                    out,
                    "login {} {} > {} account {} {} {}",
                    Timestamp(l.time),
                    address(l.client_hi, l.client_lo),
                    text(l.server),
                    text(l.account),
                    Outcome::from_code(l.outcome).expect("an outcome"),
                    login::Service::from_code(l.service).expect("a service")
                );
            }
        }
        Kind::Tls => {
            for t in tls::rows(batch) {
                let _ = writeln!(
                    out,
                    "tls {} {} > {}:{} {} ja3 {} version {:#x} established {} issuer {}",
                    Timestamp(t.time),
                    address(t.client_hi, t.client_lo),
                    address(t.server_hi, t.server_lo),
                    t.server_port,
                    text(t.name),
                    text(t.fingerprint),
                    t.version,
                    t.established,
                    text(t.issuer)
                );
            }
        }
        Kind::Rate => {
            for r in rate::rows(batch) {
                let _ =
                    writeln!(out, "rate {} {} +{} ms {}", text(r.series), Timestamp(r.time), r.step, r.count);
            }
        }
        Kind::Post => {}
    }
}
