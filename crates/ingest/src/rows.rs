//! Rows on their way from a parser to a batch.
//!
//! A parser writes names into an arena; ids are given once per batch, so that parts which are read
//! at the same time meet at a lock only once in 65,536 rows.

use arrow_array::RecordBatch;
use domain::CaseKey;
use traffic::names::digest;
use traffic::post::{self, Action, Platform, Post, Trace};
use traffic::{AccountNames, Address, Batch, Kind, ObjectNames, Seed, Texts};
use traffic::{flow, login, lookup, rate, request, tls};

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

/// Rows of any kind that a part has read and not yet given out.
#[derive(Debug)]
pub(crate) struct Rows {
    posts: Posts,
    /// Flows.
    pub(crate) flows: flow::Builder,
    /// Requests.
    pub(crate) requests: request::Builder,
    /// Lookups.
    pub(crate) lookups: lookup::Builder,
    /// Logins.
    pub(crate) logins: login::Builder,
    /// TLS handshakes.
    pub(crate) tls: tls::Builder,
    /// Rates.
    pub(crate) rates: rate::Builder,
    /// Texts behind the ids that this part gave.
    pub(crate) texts: Texts,
    seed: Seed,
    key: Option<CaseKey>,
}

impl Rows {
    /// With what makes the ids of texts and, where accounts are to be pseudonyms, their key.
    pub(crate) fn new(seed: Seed, key: Option<CaseKey>) -> Self {
        Self {
            posts: Posts::default(),
            flows: flow::Builder::default(),
            requests: request::Builder::default(),
            lookups: lookup::Builder::default(),
            logins: login::Builder::default(),
            tls: tls::Builder::default(),
            rates: rate::Builder::default(),
            texts: Texts::default(),
            seed,
            key,
        }
    }

    /// Takes a row of `post`.
    ///
    /// # Errors
    /// A name is missing or too long. Nothing is taken then.
    pub(crate) fn push(&mut self, draft: &Draft<'_>) -> Result<(), Reason> {
        self.posts.push(draft)
    }

    /// The id of a text, which is kept to be shown.
    pub(crate) fn text(&mut self, text: &[u8]) -> i64 {
        let id = self.seed.text(text);
        self.texts.keep(id, text);
        id
    }

    /// The id of a text that is never shown, and so is not kept.
    pub(crate) fn id(&self, text: &[u8]) -> i64 {
        self.seed.text(text)
    }

    /// The digest of an account: of its pseudonym, where the case has a key. The input's own id is
    /// forgotten then.
    pub(crate) fn account(&mut self, account: &[u8]) -> i64 {
        let name = match &self.key {
            Some(key) => key.pseudonym(account).to_string().into_bytes(),
            None => account.to_vec(),
        };
        self.text(&name)
    }

    /// An address, or the name of a host where the bytes are none.
    pub(crate) fn address_or_name(&mut self, text: &[u8]) -> Address {
        Address::parse(text).unwrap_or_else(|| Address::name(self.text(&text.to_ascii_lowercase())))
    }

    pub(crate) fn len(&self) -> usize {
        self.posts.waiting.len()
            + self.flows.len()
            + self.requests.len()
            + self.lookups.len()
            + self.logins.len()
            + self.tls.len()
            + self.rates.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.posts.is_full()
            || self.requests.len() >= BATCH_ROWS
            || self.flows.len() >= BATCH_ROWS
            || self.lookups.len() >= BATCH_ROWS
            || self.logins.len() >= BATCH_ROWS
            || self.tls.len() >= BATCH_ROWS
            || self.rates.len() >= BATCH_ROWS
    }

    /// Gives ids to posts and makes a batch of each kind that has rows; they are gone afterwards.
    pub(crate) fn finish(&mut self, accounts: &mut AccountNames, objects: &mut ObjectNames) -> Vec<Batch> {
        let mut batches = Vec::new();
        if !self.posts.waiting.is_empty() {
            batches.push(Batch::new(Kind::Post, self.posts.intern(accounts, objects)));
        }
        macro_rules! take {
            ($($builder:ident $kind:ident),+) => {
                $(if !self.$builder.is_empty() {
                    batches.push(Batch::new(Kind::$kind, self.$builder.finish()));
                })+
            };
        }
        take!(flows Flow, requests Request, lookups Lookup, logins Login, tls Tls, rates Rate);
        batches
    }
}

/// Posts that wait for their ids.
#[derive(Debug, Default)]
struct Posts {
    arena: Vec<u8>,
    waiting: Vec<Row>,
    builder: post::Builder,
    name: Vec<u8>,
}

impl Posts {
    /// See [`Rows::push`].
    fn push(&mut self, draft: &Draft<'_>) -> Result<(), Reason> {
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

    fn is_full(&self) -> bool {
        self.waiting.len() >= BATCH_ROWS || self.arena.len() >= ARENA_BYTES
    }

    /// Gives ids and makes a batch; the rows are gone afterwards.
    fn intern(&mut self, accounts: &mut AccountNames, objects: &mut ObjectNames) -> RecordBatch {
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
