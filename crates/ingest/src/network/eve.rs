//! Suricata EVE JSON: events of flow, netflow, dns, http, tls and ssh. Events of other types are counted and
//! passed over.
//!
//! One lookup is two events, a query and an answer, which are joined: see [`pairs`]. Suricata may be told to
//! write both `flow` (both directions in one event) and `netflow` (an event for each); where a file has the
//! first, the second is passed over, so that no packet counts twice.

mod events;
mod pairs;

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;

use memchr::memmem;

use self::pairs::Pairs;
use super::{NetworkFormat, Sniffed, json};
use crate::files::{Input, Line, Lines};
use crate::problems::Reason;
use crate::records::{Context, Log, Records, as_utf8};
use crate::rows::Rows;

/// Lines that are tried: the first ones may be broken.
const TRIED_LINES: usize = 20;

/// Records that one step reads, so that asking whether a batch is full costs nothing.
const RECORDS_A_STEP: usize = 64;

#[derive(Debug)]
struct Eve {
    /// The first bytes have an event of type `flow`.
    has_flows: bool,
}

impl NetworkFormat for Eve {
    fn name(&self) -> &'static str {
        "Suricata EVE"
    }

    fn open(&self, input: Input, context: Context) -> Box<dyn Records> {
        Box::new(Reader {
            lines: Lines::new(input),
            context,
            has_flows: self.has_flows,
            pairs: Pairs::default(),
            over: false,
        })
    }
}

pub(super) fn sniff(head: &[u8]) -> Sniffed {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let lines = head.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let is_event = |line: &[u8]| {
        line.first() == Some(&b'{')
            && json::object::<{ events::KEYS }>(&as_utf8(line), events::place)
                .is_ok_and(|values| !values[events::TYPE].is_empty() && !values[events::TIMESTAMP].is_empty())
    };
    if lines.take(TRIED_LINES).any(is_event) {
        // A key with another spacing is missed; then a few netflow events count twice until the first flow.
        let has_flows = memmem::find(head, br#""event_type":"flow""#).is_some();
        return Ok(Arc::new(Eve { has_flows }));
    }
    Err(String::new())
}

struct Reader<R> {
    lines: Lines<R>,
    context: Context,
    has_flows: bool,
    pairs: Pairs,
    over: bool,
}

impl<R: Read + Send> Records for Reader<R> {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        for _ in 0..RECORDS_A_STEP {
            if self.over {
                return Ok(self.pairs.give_up_one(rows));
            }
            let (number, line) = match self.lines.next() {
                Ok(Line::End) => {
                    self.over = true;
                    continue;
                }
                Ok(Line::TooLong(number, head)) => {
                    log.refuse(Reason::LineTooLong, number, head);
                    continue;
                }
                Ok(Line::Whole(_, line)) if line.trim_ascii().is_empty() => continue,
                Ok(Line::Whole(number, line)) => (number, line),
                Err(error) => {
                    // What waits for its answer was read before the failure, and there is no later step.
                    while self.pairs.give_up_one(rows) {}
                    return Err(error);
                }
            };
            let text = as_utf8(line);
            if matches!(text, Cow::Owned(_)) {
                log.note(Reason::NotUtf8, number, line);
            }
            let mut reading = events::Reading {
                bounds: self.context.bounds,
                has_flows: &mut self.has_flows,
                pairs: &mut self.pairs,
                rows,
            };
            match reading.event(&text) {
                Ok(Some(Reason::OtherTraffic)) => log.note(Reason::OtherTraffic, number, line),
                Err(Reason::NotJson) if line.contains(&0) => log.refuse(Reason::NulByte, number, line),
                outcome => log.outcome(outcome, number, line),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
