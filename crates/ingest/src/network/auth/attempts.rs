//! From statements to attempts: one attempt, one row.
//!
//! A failed password at sshd is told two to five times: `Invalid user`, `check pass; user unknown`, PAM's
//! `authentication failure`, sshd's `Failed password`, `Connection closed by invalid user`. The rules, within
//! one connection (one process of one program on one host, no more than ten minutes apart):
//!
//! 1. `Failed password` and `Accepted` are attempts. What only hints at one waits.
//! 2. What waits is part of the next attempt with the same account, or with none named. So PAM's refusal
//!    by one module before another lets the same user in is no failure.
//! 3. A hint of a kind that waits already, or with another account, is of a new attempt: what waits becomes a
//!    row. Keys that are offered one after another are one attempt.
//! 4. At the end of the connection what waits becomes a row. Where no attempt was seen at all, the connection
//!    itself is a row: failed, where the server says that there were too many failures, otherwise abandoned.
//! 5. PAM's count of further failures adds only those of which there was no row.

use std::collections::{HashMap, VecDeque};

use traffic::Address;
use traffic::login::{Login, Outcome, Service};

use super::message::{Hint, Said, Who};
use crate::network::web;
use crate::rows::Rows;

/// Connections that are remembered. The oldest is settled as at its end when there are more.
const CONNECTIONS: usize = 4096;

/// Milliseconds after which a process is another one of the same number, or waits for nothing more. sshd
/// closes a connection after two minutes without login, and PAM delays an answer by seconds.
const APART: i64 = 10 * 60 * 1000;

/// Rows that one line makes at most: more repetitions than this in one line are no count of anything.
const REPEATED: u64 = 1000;

/// Attempts of one log.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    connections: HashMap<Vec<u8>, Connection>,
    /// In order of first sight.
    order: VecDeque<Vec<u8>>,
}

/// Where a statement comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) host: &'a [u8],
    pub(super) program: &'a [u8],
    pub(super) process: &'a [u8],
    pub(super) service: Service,
    /// Milliseconds since the epoch.
    pub(super) time: i64,
}

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is something that was said, in any combination")]
struct Connection {
    last: i64,
    waiting: Option<Login>,
    /// Kinds of hints that wait, see [`Hint::once`].
    hints: u8,
    rows: u64,
    let_in: bool,
    broken: bool,
    gone: bool,
    /// There were too many failures, of which no client is known yet.
    exhausted: bool,
    client: Option<Address>,
}

impl Attempts {
    /// Takes a statement that was made so many times.
    pub(super) fn take(&mut self, place: Place<'_>, said: Said<'_>, times: u64, rows: &mut Rows) {
        let times = times.clamp(1, REPEATED);
        if place.service == Service::Mail {
            return mail(place, said, times, rows);
        }
        if place.program == b"sudo" && matches!(said, Said::Opened(_)) {
            // It follows the command, which was counted.
            return;
        }
        let key = key(place, said);
        if !self.connections.contains_key(&key) {
            self.settle_old(place.time, rows);
            self.order.push_back(key.clone());
        }
        let connection = self.connections.entry(key).or_default();
        if connection.last != 0 && connection.last.abs_diff(place.time) > APART as u64 {
            connection.settle(rows);
            *connection = Connection::default();
        }
        connection.last = place.time;
        connection.take(place, said, times, rows);
    }

    /// Settles what waits at the end of the log.
    pub(super) fn finish(&mut self, rows: &mut Rows) {
        while let Some(key) = self.order.pop_front() {
            if let Some(mut connection) = self.connections.remove(&key) {
                connection.settle(rows);
            }
        }
    }

    /// Makes room, and looks at the two oldest, so that nothing waits for long.
    fn settle_old(&mut self, now: i64, rows: &mut Rows) {
        for _ in 0..2 {
            let Some(key) = self.order.pop_front() else { return };
            let Some(connection) = self.connections.get_mut(&key) else { continue };
            if connection.last.abs_diff(now) > APART as u64 || self.order.len() >= CONNECTIONS {
                connection.settle(rows);
                self.connections.remove(&key);
            } else {
                self.order.push_front(key);
                return;
            }
        }
    }
}

/// What is one connection. A program without a process of its own for each, such as `su`, is told apart by the
/// account.
fn key(place: Place<'_>, said: Said<'_>) -> Vec<u8> {
    let program = match place.program {
        // Since OpenSSH 9.8 parts of sshd have names of their own.
        program if program.starts_with(b"sshd") => &program[..4],
        program => program,
    };
    let user = match (place.service, who(said).user) {
        (Service::Local, Some(user)) => user,
        _ => b"",
    };
    [place.host, program, place.process, user].join(&0)
}

fn who(said: Said<'_>) -> Who<'_> {
    match said {
        Said::Attempt(_, who)
        | Said::Hint(_, who)
        | Said::More(_, who)
        | Said::Failures(_, who)
        | Said::Exhausted(who)
        | Said::Gone(who)
        | Said::Closed(who)
        | Said::From(who)
        | Said::Opened(who) => who,
        Said::Broken => Who::default(),
    }
}

/// Doors of mail servers serve many connections in one process, and tell each attempt once, except that
/// dovecot's PAM tells those that its door counts.
fn mail(place: Place<'_>, said: Said<'_>, times: u64, rows: &mut Rows) {
    let who = who(said);
    let (outcome, count) = match said {
        Said::Attempt(outcome, _) => (outcome, times),
        Said::Failures(count, _) => (Outcome::Failed, count.min(REPEATED)),
        Said::Gone(_) => (Outcome::Abandoned, times),
        _ => return,
    };
    let row = row(place, outcome, who, None, rows);
    for _ in 0..count {
        rows.logins.push(&row);
    }
}

fn row(place: Place<'_>, outcome: Outcome, who: Who<'_>, known: Option<Address>, rows: &mut Rows) -> Login {
    let client = who.client.map(|client| address(client, rows)).or(known).unwrap_or(Address::NONE);
    let account = match who.user {
        Some(user) if !user.is_empty() => rows.account(user),
        _ => -1,
    };
    let server = if place.host.is_empty() { -1 } else { rows.text(&place.host.to_ascii_lowercase()) };
    Login {
        client_hi: client.hi,
        client_lo: client.lo,
        server,
        time: place.time,
        account,
        outcome: outcome.code(),
        service: place.service.code(),
    }
}

fn address(client: &[u8], rows: &mut Rows) -> Address {
    web::address_with_port(client).unwrap_or_else(|| rows.address_or_name(client))
}

impl Connection {
    fn take(&mut self, place: Place<'_>, said: Said<'_>, times: u64, rows: &mut Rows) {
        if let Said::From(_) = said {
            self.settle(rows);
            *self = Self { last: place.time, ..Self::default() };
        }
        if let Some(client) = who(said).client {
            self.client = Some(address(client, rows));
        }
        match said {
            Said::Attempt(outcome, who) => {
                let row = row(place, outcome, who, self.client, rows);
                self.attempt(row, times, rows);
            }
            Said::Hint(hint, who) => {
                let row = row(place, hint.outcome(), who, self.client, rows);
                self.hint(hint, row, rows);
                if hint.once() != 0 {
                    self.put(row, times - 1, rows);
                }
            }
            Said::More(count, who) => {
                self.settle(rows);
                let missing = count.min(REPEATED).saturating_sub(self.rows.saturating_sub(1));
                let row = row(place, Outcome::Failed, who, self.client, rows);
                self.put(row, missing, rows);
            }
            Said::Failures(count, who) => {
                self.settle(rows);
                let row = row(place, Outcome::Failed, who, self.client, rows);
                self.put(row, count.min(REPEATED).saturating_sub(self.rows), rows);
                self.rows = 0;
            }
            Said::Exhausted(who) => {
                self.settle(rows);
                // The client may only be said when the connection is closed.
                self.exhausted = self.client.is_none();
                if self.rows == 0 && self.client.is_some() {
                    let row = row(place, Outcome::Failed, who, self.client, rows);
                    self.put(row, 1, rows);
                }
            }
            Said::Gone(who) => self.ended(place, who, rows),
            Said::Closed(who) => {
                if self.broken || self.exhausted || self.waiting.is_some() {
                    self.ended(place, who, rows);
                }
            }
            Said::Broken => {
                self.broken = true;
                if self.client.is_some() {
                    self.ended(place, Who::default(), rows);
                }
            }
            Said::Opened(who) => {
                if !self.let_in {
                    let row = row(place, Outcome::Ok, who, self.client, rows);
                    self.attempt(row, 1, rows);
                }
            }
            Said::From(_) => {}
        }
    }

    fn attempt(&mut self, mut row: Login, times: u64, rows: &mut Rows) {
        let ok = row.outcome == Outcome::Ok.code();
        if let Some(waiting) = self.waiting.take() {
            if !may_be_one(&waiting, &row) {
                self.put(waiting, 1, rows);
            } else if waiting.outcome == Outcome::NoAccount.code() && !ok {
                row.outcome = waiting.outcome;
            }
        }
        self.hints = 0;
        self.let_in |= ok;
        self.put(row, times, rows);
    }

    fn hint(&mut self, hint: Hint, row: Login, rows: &mut Rows) {
        if let Some(waiting) = &mut self.waiting {
            if may_be_one(waiting, &row) && self.hints & hint.once() == 0 {
                if waiting.account == -1 {
                    waiting.account = row.account;
                }
                if waiting.client_hi == -1 {
                    (waiting.client_hi, waiting.client_lo) = (row.client_hi, row.client_lo);
                }
                if row.outcome == Outcome::NoAccount.code() {
                    waiting.outcome = row.outcome;
                }
                self.hints |= hint.once();
                return;
            }
            self.settle(rows);
        }
        self.waiting = Some(row);
        self.hints = hint.once();
    }

    fn ended(&mut self, place: Place<'_>, who: Who<'_>, rows: &mut Rows) {
        self.settle(rows);
        if self.rows == 0 && !self.gone {
            let outcome = if self.exhausted { Outcome::Failed } else { Outcome::Abandoned };
            let row = row(place, outcome, who, self.client, rows);
            rows.logins.push(&row);
        }
        self.gone = true;
    }

    /// What waits becomes a row.
    fn settle(&mut self, rows: &mut Rows) {
        self.hints = 0;
        if let Some(mut waiting) = self.waiting.take() {
            if waiting.client_hi == -1
                && let Some(client) = self.client
            {
                (waiting.client_hi, waiting.client_lo) = (client.hi, client.lo);
            }
            self.put(waiting, 1, rows);
        }
    }

    fn put(&mut self, row: Login, times: u64, rows: &mut Rows) {
        for _ in 0..times {
            rows.logins.push(&row);
        }
        self.rows += times;
    }
}

/// True where two statements do not name two accounts.
fn may_be_one(a: &Login, b: &Login) -> bool {
    a.account == -1 || b.account == -1 || a.account == b.account
}
