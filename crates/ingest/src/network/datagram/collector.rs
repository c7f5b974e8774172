//! Datagrams of many exporters, each with its own templates and sampling rates.

use traffic::Address;

use crate::records::Log;
use crate::rows::Rows;

/// Decodes export datagrams. Templates and sampling rates are kept for each exporter.
#[derive(Debug, Default)]
pub(crate) struct Collector {}

impl Collector {
    /// Decodes one datagram: the payload of UDP, from an exporter's address and port, received at so
    /// many milliseconds since the epoch. Rows are added, and what cannot be read is counted.
    pub(crate) fn datagram(
        &mut self,
        exporter: Address,
        exporter_port: u16,
        payload: &[u8],
        received: i64,
        rows: &mut Rows,
        log: &mut Log,
    ) {
        let _ = (exporter, exporter_port, payload, received, rows, log);
    }

    /// Whether a payload looks like a datagram that [`Self::datagram`] reads: its header is
    /// plausible and its counts and lengths fit. Cheap, for use on every packet of UDP.
    pub(crate) fn looks_like(payload: &[u8]) -> bool {
        let _ = payload;
        false
    }

    /// Counts what still waits for its template, by reason. To be called when nothing more will come.
    pub(crate) fn finish(&mut self, log: &mut Log) {
        let _ = log;
    }
}
