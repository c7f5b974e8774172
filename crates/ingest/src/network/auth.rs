//! Logs of who logged in and who tried to: sshd, programs that use PAM, sudo and su, vsftpd, proftpd,
//! dovecot's doors and postfix's SASL, from syslog or journald. Everything else in such logs is passed over.
//!
//! RFC 3164 writes no year: it is the latest one that does not put the line more than a day in the future.
//! What makes an attempt of several messages is said in [`attempts`].

mod attempts;
mod envelope;
mod message;

use std::io;
use std::sync::Arc;

use attempts::{Attempts, Place};
use domain::Timestamp;
use memchr::memmem;

use super::access::{first_lines, without_nuls};
use super::{NetworkFormat, Sniffed};
use crate::files::{Input, Line, Lines};
use crate::problems::Reason;
use crate::records::{Context, Log, Records};
use crate::rows::Rows;
use crate::time::Bounds;

/// What a log must mention, so that not every syslog is one.
const MARKS: &[&str] = &[
    "sshd",
    "pam_unix",
    "(pam_",
    "authentication failure",
    "vsftpd",
    "proftpd",
    "sudo",
    " su[",
    " su:",
    "-login: ",
    ": SASL ",
    "FAIL LOGIN",
    "sasl_username=",
    "OK LOGIN",
];

pub(super) fn sniff(head: &[u8]) -> Sniffed {
    let lines = first_lines(head);
    // Any time will do here: what is in the future is refused later, line by line.
    let bounds = Bounds::new(Timestamp(i64::MAX));
    let opened = lines.iter().filter(|line| envelope::open(line, bounds).is_ok()).count();
    if opened == 0 {
        return Err(String::new());
    }
    if 2 * opened <= lines.len() {
        return Err(format!("{opened} of its first {} lines are of a log", lines.len()));
    }
    if !MARKS.iter().any(|mark| memmem::find(head, mark.as_bytes()).is_some()) {
        return Err("it is a log in which nobody logs in".to_owned());
    }
    let journal = lines.first().is_some_and(|line| line.starts_with(b"{"));
    Ok(Arc::new(AuthLog { journal }))
}

#[derive(Debug)]
struct AuthLog {
    journal: bool,
}

impl NetworkFormat for AuthLog {
    fn name(&self) -> &'static str {
        if self.journal { "auth log, journal" } else { "auth log" }
    }

    fn open(&self, input: Input, context: Context) -> Box<dyn Records> {
        let attempts = Attempts::default();
        Box::new(Reader { lines: Lines::new(input), bounds: context.bounds, attempts })
    }
}

struct Reader {
    lines: Lines<Input>,
    bounds: Bounds,
    attempts: Attempts,
}

impl Records for Reader {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        let line = match self.lines.next() {
            Ok(line) => line,
            Err(error) => {
                self.attempts.finish(rows);
                return Err(error);
            }
        };
        match line {
            Line::End => {
                self.attempts.finish(rows);
                return Ok(false);
            }
            Line::TooLong(number, head) => log.refuse(Reason::LineTooLong, number, head),
            Line::Whole(number, whole) => {
                let line = without_nuls(whole);
                if line.len() < whole.len() {
                    log.note(Reason::Hole, number, line);
                }
                if line.trim_ascii().is_empty() || line.starts_with(b"#") {
                    return Ok(true);
                }
                match envelope::open(line, self.bounds) {
                    Ok(entry) => {
                        log.outcome(Ok(entry.note), number, line);
                        take(&mut self.attempts, &entry, rows);
                    }
                    Err(reason) => {
                        let reason = if line.contains(&0) { Reason::NulByte } else { reason };
                        log.refuse(reason, number, line);
                    }
                }
            }
        }
        Ok(true)
    }
}

fn take(attempts: &mut Attempts, entry: &envelope::Entry<'_>, rows: &mut Rows) {
    let (message, times) = envelope::repeated(&entry.message);
    if let Some(said) = message::said(&entry.program, message) {
        let place = Place {
            host: &entry.host,
            program: &entry.program,
            process: &entry.process,
            service: message::service(&entry.program),
            time: entry.time,
        };
        attempts.take(place, said, times, rows);
    }
}
