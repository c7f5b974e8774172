//! X, formerly Twitter: JSON of the API v2, as pages of a search or one post at a time.
//!
//! | in the record | trace |
//! |---|---|
//! | `entities.urls` | `url`, `domain` |
//! | `entities.hashtags` | `hashtag`, `hashtag-sequence` |
//! | `attachments.media_keys` | `media` |
//! | `referenced_tweets` of type `retweeted` | `repost`; `fast-repost` within 10 s of the original |
//! | `referenced_tweets` of type `replied_to` | `reply` |
//! | `text` | `text` |
//! | `delete.tweet` of a compliance stream | `object`: the post, with the action `delete` |

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use traffic::{Action, Platform, Trace};

use super::traces::{Content, Source, id, list};
use super::{Context, Log};
use crate::problems::Reason;
use crate::rows::{ObjectName, Rows};

/// Posts that a page carries besides its own, by id.
type Originals<'a> = BTreeMap<Cow<'a, str>, &'a Value>;

/// A response: `data` with one post or many, and `includes` with what they refer to.
pub(super) fn page(value: &Value, line: u64, context: &Context, rows: &mut Rows, log: &mut Log) {
    let originals: Originals<'_> = list(value, &["includes", "tweets"])
        .iter()
        .filter_map(|post| Some((id(post, &["id"])?, post)))
        .collect();
    match value.get("data") {
        Some(Value::Array(posts)) => {
            for one in posts {
                let outcome = read(one, &originals, context, rows);
                log.outcome(outcome, line, &shown(outcome, one));
            }
        }
        Some(one @ Value::Object(_)) => {
            let outcome = read(one, &originals, context, rows);
            log.outcome(outcome, line, &shown(outcome, one));
        }
        // An empty page has no `data`.
        None => log.read += 1,
        Some(_) => log.refuse(Reason::UnknownRecord, line, b"data is neither a list nor an object"),
    }
}

/// What is shown of a bad post: that post and not the whole page.
fn shown(outcome: Result<Option<Reason>, Reason>, post: &Value) -> Vec<u8> {
    if outcome == Ok(None) { Vec::new() } else { post.to_string().into_bytes() }
}

/// One post on its own.
pub(super) fn post(value: &Value, context: &Context, rows: &mut Rows) -> Result<Option<Reason>, Reason> {
    read(value, &Originals::new(), context, rows)
}

fn read(
    post: &Value,
    originals: &Originals<'_>,
    context: &Context,
    rows: &mut Rows,
) -> Result<Option<Reason>, Reason> {
    if let Some(delete) = post.get("delete") {
        return deleted(delete, context, rows);
    }
    let account = id(post, &["author_id"]).ok_or(Reason::NoAccount)?;
    let post_id = id(post, &["id"]).unwrap_or_default();
    let time = id(post, &["created_at"]).ok_or(Reason::NoTime)?;
    let time = context.bounds.read(time.as_bytes())?;
    let refers_to = |kind: &str| {
        list(post, &["referenced_tweets"])
            .iter()
            .find(|other| other.get("type").and_then(Value::as_str) == Some(kind))
    };
    let (retweeted, replied_to) = (refers_to("retweeted"), refers_to("replied_to"));
    let action = match (retweeted, replied_to) {
        (Some(_), _) => Action::Share,
        (None, Some(_)) => Action::Reply,
        (None, None) => Action::Post,
    };
    let source =
        Source { account: &account, post: &post_id, action, time: time.millis, platform: Platform::X };
    if let Some(original) = retweeted {
        let name = id(original, &["id"]).ok_or(Reason::NoObject)?;
        // Some collectors write the original into the reference itself.
        let whole = originals.get(&name).copied().unwrap_or(original);
        let author = id(whole, &["author_id"]);
        let written = id(whole, &["created_at"]).and_then(|at| context.bounds.read(at.as_bytes()).ok());
        source.repost(rows, &name, author.as_deref(), written.map(|at| at.millis))?;
    } else if let Some(original) = replied_to {
        let name = id(original, &["id"]).ok_or(Reason::NoObject)?;
        let whole = originals.get(&name).copied().unwrap_or(original);
        let author = id(whole, &["author_id"]).or_else(|| id(post, &["in_reply_to_user_id"]));
        source.push(rows, Trace::Reply, ObjectName::plain(name.as_bytes()), author.as_deref())?;
    }
    content(post).push(&source, rows);
    Ok(time.zone_missing.then_some(Reason::NoZone))
}

fn deleted(delete: &Value, context: &Context, rows: &mut Rows) -> Result<Option<Reason>, Reason> {
    let account = id(delete, &["tweet", "author_id"]).ok_or(Reason::NoAccount)?;
    let post = id(delete, &["tweet", "id"]).ok_or(Reason::NoObject)?;
    let time = id(delete, &["event_at"]).ok_or(Reason::NoTime)?;
    let time = context.bounds.read(time.as_bytes())?;
    let source = Source {
        account: &account,
        post: &post,
        action: Action::Delete,
        time: time.millis,
        platform: Platform::X,
    };
    source.push(rows, Trace::Object, ObjectName::plain(post.as_bytes()), None)?;
    Ok(time.zone_missing.then_some(Reason::NoZone))
}

fn content(post: &Value) -> Content<'_> {
    let links = list(post, &["entities", "urls"])
        .iter()
        .filter(|url| url.get("media_key").is_none())
        .filter_map(|url| {
            id(url, &["unwound_url"]).or_else(|| id(url, &["expanded_url"])).or_else(|| id(url, &["url"]))
        })
        .filter(|url| !is_own_media(url))
        .collect();
    Content {
        links,
        tags: list(post, &["entities", "hashtags"]).iter().filter_map(|tag| id(tag, &["tag"])).collect(),
        media: list(post, &["attachments", "media_keys"])
            .iter()
            .filter_map(|key| key.as_str().map(Cow::Borrowed))
            .collect(),
        text: id(post, &["note_tweet", "text"]).or_else(|| id(post, &["text"])),
    }
}

/// The link that X puts into a post for each picture and video of its own.
fn is_own_media(url: &str) -> bool {
    let on_x = ["https://twitter.com/", "https://x.com/"].iter().any(|site| url.starts_with(site));
    on_x && url.contains("/status/") && (url.contains("/photo/") || url.contains("/video/"))
}
