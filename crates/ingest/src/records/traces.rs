//! What the records of all platforms have in common: one post, and rows for all that it carries.

use std::borrow::Cow;

use serde_json::Value;
use traffic::{Action, Platform, Trace};

use crate::normal;
use crate::problems::Reason;
use crate::rows::{Draft, ObjectName, Rows};

/// Objects of one kind that are taken from one post. No platform allows as many; a record that
/// claims more is there to fill the memory.
const MAX_OBJECTS: usize = 100;

/// A repost this soon was not read first, in milliseconds.
const FAST_MS: i64 = 10_000;

/// One post, and who wrote it when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) account: &'a str,
    pub(super) post: &'a str,
    pub(super) action: Action,
    /// Milliseconds, already checked.
    pub(super) time: i64,
    pub(super) platform: Platform,
}

impl Source<'_> {
    /// Adds a row.
    pub(super) fn push(
        &self,
        rows: &mut Rows,
        trace: Trace,
        object: ObjectName<'_>,
        author: Option<&str>,
    ) -> Result<(), Reason> {
        rows.push(&Draft {
            account: self.account.as_bytes(),
            object,
            trace,
            action: self.action,
            time: self.time,
            post: self.post.as_bytes(),
            platform: self.platform,
            author: author.map(str::as_bytes),
        })
    }

    /// Adds the rows of a repost: the original, and its author where it was fast. `written` is when
    /// the original was.
    pub(super) fn repost(
        &self,
        rows: &mut Rows,
        original: &str,
        author: Option<&str>,
        written: Option<i64>,
    ) -> Result<(), Reason> {
        self.push(rows, Trace::Repost, ObjectName::plain(original.as_bytes()), author)?;
        match (author, written) {
            (Some(account), Some(written)) if (0..=FAST_MS).contains(&(self.time - written)) => {
                let name = ObjectName { account: Some(account.as_bytes()), ..ObjectName::default() };
                self.push(rows, Trace::FastRepost, name, author)
            }
            _ => Ok(()),
        }
    }

    /// Adds a row for an object that may be left out: one whose name is too long does not cost the post.
    pub(super) fn add(&self, rows: &mut Rows, trace: Trace, name: &str) {
        let _ = self.push(rows, trace, ObjectName::plain(name.as_bytes()), None);
    }
}

/// What a post carries besides what it answers or passes on.
#[derive(Debug, Default)]
pub(super) struct Content<'a> {
    pub(super) links: Vec<Cow<'a, str>>,
    pub(super) tags: Vec<Cow<'a, str>>,
    pub(super) media: Vec<Cow<'a, str>>,
    pub(super) text: Option<Cow<'a, str>>,
}

impl Content<'_> {
    /// Adds the rows, each object once. A repost passes on text and order of hashtags as they are,
    /// so they say nothing about the account and are left out.
    pub(super) fn push(&self, source: &Source<'_>, rows: &mut Rows) {
        let is_repost = source.action == Action::Share;
        let links: Vec<_> = self.links.iter().take(MAX_OBJECTS).filter_map(|url| normal::link(url)).collect();
        let tags: Vec<_> =
            self.tags.iter().take(MAX_OBJECTS).filter_map(|tag| normal::hashtag(tag)).collect();
        for url in distinct(links.iter().map(|link| link.url.as_str())) {
            source.add(rows, Trace::Url, url);
        }
        for domain in distinct(links.iter().map(|link| link.domain.as_str())) {
            source.add(rows, Trace::Domain, domain);
        }
        for tag in distinct(tags.iter().map(String::as_str)) {
            source.add(rows, Trace::Hashtag, tag);
        }
        for media in distinct(self.media.iter().take(MAX_OBJECTS).map(|media| &**media)) {
            source.add(rows, Trace::Media, media);
        }
        if !is_repost {
            if let Some(sequence) = normal::sequence(&tags) {
                source.add(rows, Trace::HashtagSequence, &sequence);
            }
            if let Some(digest) = self.text.as_ref().and_then(|text| normal::text(text)) {
                source.add(rows, Trace::Text, &digest);
            }
        }
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut out: Vec<&str> = Vec::new();
    for name in names {
        if !name.is_empty() && !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

/// The value behind a path of keys.
pub(super) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// The elements of an array behind a path of keys; none where there is no array.
pub(super) fn list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A value that names something: a text that is not empty, or a number.
pub(super) fn id<'a>(value: &'a Value, path: &[&str]) -> Option<Cow<'a, str>> {
    match at(value, path)? {
        Value::String(text) if !text.trim().is_empty() => Some(Cow::Borrowed(text.trim())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}
