//! Rows on their way from a parser to a batch.
//!
//! A parser writes names into an arena; ids are given once per batch, so that parts which are read
//! at the same time meet at a lock only once in 65,536 rows.

use arrow_array::RecordBatch;
use traffic::names::digest;
use traffic::post::{self, Action, Platform, Post, Trace};
use traffic::{AccountNames, ObjectNames};

use crate::problems::Reason;
use crate::{BATCH_ROWS, MAX_NAME};

/// Bytes of names after which a batch is closed early.
const ARENA_BYTES: usize = 16 << 20;

/// What an object is called. An account inside the name is written as the account is known behind
/// the border, so that a name never gives away an id.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ObjectName<'a> {
    pub(crate) prefix: &'static str,
    pub(crate) account: Option<&'a [u8]>,
    pub(crate) rest: &'a [u8],
}

impl<'a> ObjectName<'a> {
    pub(crate) fn plain(rest: &'a [u8]) -> Self {
        Self { rest, ..Self::default() }
    }
}

/// A row as a parser sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) account: &'a [u8],
    pub(crate) object: ObjectName<'a>,
    pub(crate) trace: Trace,
    pub(crate) action: Action,
    /// Milliseconds since the epoch, already checked.
    pub(crate) time: i64,
    /// The post's own id; empty where there is none.
    pub(crate) post: &'a [u8],
    pub(crate) platform: Platform,
    pub(crate) author: Option<&'a [u8]>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    len: u32,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    account: Span,
    prefix: &'static str,
    object_account: Option<Span>,
    object: Span,
    trace: Trace,
    action: Action,
    time: i64,
    post: i64,
    platform: Platform,
    author: Option<Span>,
}

/// Rows that wait for their ids.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    arena: Vec<u8>,
    waiting: Vec<Row>,
    builder: post::Builder,
    name: Vec<u8>,
}

impl Rows {
    /// Takes a row.
    ///
    /// # Errors
    /// A name is missing or too long. Nothing is taken then.
    pub(crate) fn push(&mut self, draft: &Draft<'_>) -> Result<(), Reason> {
        if draft.account.is_empty() {
            return Err(Reason::NoAccount);
        }
        if draft.object.rest.is_empty() && draft.object.account.is_none() {
            return Err(Reason::NoObject);
        }
        let names = [Some(draft.account), draft.object.account, Some(draft.object.rest), draft.author];
        if names.into_iter().flatten().any(|name| name.len() > MAX_NAME) {
            return Err(Reason::NameTooLong);
        }
        // A record of many objects names its account and author many times; they are kept once, so
        // that the arena is never much larger than the record.
        let last = self.waiting.last().copied();
        let row = Row {
            account: self.keep_or(draft.account, last.map(|row| row.account)),
            prefix: draft.object.prefix,
            object_account: draft
                .object
                .account
                .map(|name| self.keep_or(name, last.and_then(|row| row.object_account))),
            object: self.keep(draft.object.rest),
            trace: draft.trace,
            action: draft.action,
            time: draft.time,
            post: if draft.post.is_empty() { -1 } else { digest(draft.post) },
            platform: draft.platform,
            author: draft.author.map(|name| self.keep_or(name, last.and_then(|row| row.author))),
        };
        self.waiting.push(row);
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= BATCH_ROWS || self.arena.len() >= ARENA_BYTES
    }

    /// Gives ids and makes a batch; the rows are gone afterwards.
    pub(crate) fn intern(&mut self, accounts: &mut AccountNames, objects: &mut ObjectNames) -> RecordBatch {
        let arena = &self.arena;
        let at = |span: Span| &arena[span.start as usize..][..span.len as usize];
        for row in &self.waiting {
            let object = if row.prefix.is_empty() && row.object_account.is_none() {
                objects.intern(row.trace, at(row.object))
            } else {
                self.name.clear();
                self.name.extend_from_slice(row.prefix.as_bytes());
                if let Some(account) = row.object_account {
                    let id = accounts.intern(at(account));
                    self.name.extend_from_slice(accounts.name(id).as_bytes());
                }
                self.name.extend_from_slice(at(row.object));
                objects.intern(row.trace, &self.name)
            };
            self.builder.push(&Post {
                account: accounts.intern(at(row.account)),
                object,
                trace: row.trace,
                action: row.action,
                time: row.time,
                post: row.post,
                platform: row.platform,
                author: row.author.map_or(-1, |author| accounts.intern(at(author))),
            });
        }
        self.waiting.clear();
        self.arena.clear();
        self.builder.finish()
    }

    fn keep_or(&mut self, name: &[u8], last: Option<Span>) -> Span {
        match last {
            Some(span) if &self.arena[span.start as usize..][..span.len as usize] == name => span,
            _ => self.keep(name),
        }
    }

    fn keep(&mut self, name: &[u8]) -> Span {
        // A batch closes at 16 MiB, and one record adds at most a few times its own 16 MiB.
        let start = u32::try_from(self.arena.len()).expect("internal error: a batch above 4 GiB");
        self.arena.extend_from_slice(name);
        Span { start, len: name.len() as u32 }
    }
}
