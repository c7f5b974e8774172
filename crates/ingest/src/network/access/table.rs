//! Requests as a table of tab-separated columns below a header, as archives of old logs come.

use traffic::Address;
use traffic::request::Request;

use super::clock::Clock;
use super::{size, status, text};
use crate::network::web;
use crate::problems::Reason;
use crate::rows::Rows;

/// Where the columns are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    columns: usize,
    client: usize,
    time: usize,
    target: usize,
    method: Option<usize>,
    status: Option<usize>,
    bytes: Option<usize>,
    referer: Option<usize>,
    agent: Option<usize>,
}

impl Table {
    /// The columns of a header; `None` where it names no client, time and target.
    pub(super) fn of(header: &[u8]) -> Option<Self> {
        let names: Vec<&[u8]> = header.trim_ascii_end().split(|&b| b == b'\t').collect();
        let find = |wanted: &[&str]| {
            wanted
                .iter()
                .find_map(|want| names.iter().position(|name| name.eq_ignore_ascii_case(want.as_bytes())))
        };
        Some(Self {
            columns: names.len(),
            client: find(&["host", "client", "client_ip", "remote_addr", "ip"])?,
            time: find(&["time", "timestamp", "unixtime"])?,
            target: find(&["url", "uri", "request_uri", "path"])?,
            method: find(&["method", "request_method"]),
            status: find(&["response", "status"]),
            bytes: find(&["bytes", "size"]),
            referer: find(&["referer", "referrer"]),
            agent: find(&["useragent", "user_agent", "agent"]),
        })
    }

    /// A request, and whether its time had no zone.
    pub(super) fn read(
        &self,
        line: &[u8],
        clock: &mut Clock,
        rows: &mut Rows,
    ) -> Result<(Request, bool), Reason> {
        let fields: Vec<&[u8]> = line.split(|&b| b == b'\t').collect();
        if fields.len() != self.columns {
            return Err(Reason::FieldCount);
        }
        let at = |column: Option<usize>| column.map(|column| fields[column]);
        let mut request = Request::EMPTY;
        let (millis, zone_missing) = clock.read(fields[self.time])?;
        request.time = millis;
        let client = fields[self.client];
        if client.is_empty() {
            return Err(Reason::NoClient);
        }
        let address = Address::parse(client).unwrap_or_else(|| rows.address_or_name(client));
        (request.peer_hi, request.peer_lo) = (address.hi, address.lo);
        request.method = web::method(at(self.method).unwrap_or_default()).code();
        web::set_target(&mut request, &text::unescape(fields[self.target]), rows);
        request.status = status(at(self.status).unwrap_or_default());
        request.bytes = size(at(self.bytes).unwrap_or_default());
        web::set_referer(&mut request, at(self.referer), rows);
        web::set_agent(&mut request, at(self.agent), rows);
        Ok((request, zone_missing))
    }
}
