//! Joins queries and answers of DNS, which are events apart, to one lookup.

use std::collections::{HashMap, VecDeque};

use traffic::lookup::Lookup;

use crate::rows::Rows;

/// Queries that wait at most. At 50,000 queries a second that is over a second, longer than nearly every
/// answer takes; what has to leave early counts as unanswered, and its answer as a lookup of its own.
const WAITING: usize = 1 << 16;

/// Milliseconds that a query waits at most, in the time of the events. An answer comes within seconds, but the
/// threads of Suricata that read one recording run apart by many minutes, and so do the times in the file.
const PATIENCE: i64 = 3_600_000;

/// What a query and its answer have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Suricata's id of the flow, -1 where there is none.
    pub(super) flow: i64,
    /// The message's id, -1 where there is none.
    pub(super) id: i64,
    /// Text id of the name.
    pub(super) name: i64,
}

struct Waiting {
    row: Lookup,
    turn: u64,
    answered: bool,
}

/// Lookups that wait for their answer, or for more of it.
#[derive(Default)]
pub(super) struct Pairs {
    /// A query that is sent again, or captured twice, waits behind the first.
    waiting: HashMap<Key, VecDeque<Waiting>>,
    /// In order of arrival. What was answered stays here until its turn comes.
    order: VecDeque<(Key, u64)>,
    turn: u64,
}

impl Pairs {
    /// A query. One that is asked again with the same id is a lookup of its own.
    pub(super) fn asked(&mut self, key: Key, row: Lookup, rows: &mut Rows) {
        self.give_up(row.time, rows);
        self.wait(key, row, false);
    }

    /// An answer, with the query repeated in it. `more` where other records of it may follow as events of
    /// their own.
    pub(super) fn answered(&mut self, key: Key, answer: Lookup, more: bool, rows: &mut Rows) {
        self.give_up(answer.time, rows);
        let Some(waiting) = self.waiting.get_mut(&key).and_then(VecDeque::front_mut) else {
            if more {
                self.wait(key, answer, true);
            } else {
                rows.lookups.push(&answer);
            }
            return;
        };
        let row = &mut waiting.row;
        // The second event of an answer that is written record by record adds to the first.
        let before = if waiting.answered { row.answers } else { 0 };
        row.answers = before.saturating_add(answer.answers);
        row.rcode = answer.rcode;
        if row.answer_hi == -1 && row.answer_lo == -1 {
            (row.answer_hi, row.answer_lo) = (answer.answer_hi, answer.answer_lo);
        }
        waiting.answered = true;
        if !more {
            let turn = waiting.turn;
            self.take(key, turn, rows);
        }
    }

    /// Gives out the oldest lookup that waits. False where none does.
    pub(super) fn give_up_one(&mut self, rows: &mut Rows) -> bool {
        while let Some((key, turn)) = self.order.pop_front() {
            if self.take(key, turn, rows) {
                return true;
            }
        }
        false
    }

    fn wait(&mut self, key: Key, row: Lookup, answered: bool) {
        self.turn += 1;
        self.order.push_back((key, self.turn));
        self.waiting.entry(key).or_default().push_back(Waiting { row, turn: self.turn, answered });
    }

    /// Gives out the lookup of that turn, unless it is gone. Of one key the oldest goes first, by answer or by
    /// age, so that it is at the front.
    fn take(&mut self, key: Key, turn: u64, rows: &mut Rows) -> bool {
        let Some(waiting) = self.waiting.get_mut(&key) else { return false };
        if waiting.front().is_none_or(|first| first.turn != turn) {
            return false;
        }
        if let Some(first) = waiting.pop_front() {
            rows.lookups.push(&first.row);
        }
        if waiting.is_empty() {
            self.waiting.remove(&key);
        }
        true
    }

    /// Gives out what has waited too long, or is too much.
    fn give_up(&mut self, now: i64, rows: &mut Rows) {
        while let Some(&(key, turn)) = self.order.front() {
            let first = self.waiting.get(&key).and_then(VecDeque::front).filter(|first| first.turn == turn);
            let is_patient = first.is_some_and(|first| now.saturating_sub(first.row.time) <= PATIENCE);
            if is_patient && self.order.len() < WAITING {
                return;
            }
            self.order.pop_front();
            self.take(key, turn, rows);
        }
    }
}
