//! Mastodon and compatible servers: statuses as the client API gives them.
//!
//! An account is known by its address, which is the same on every server. A post that is reposted
//! is known by its server and its number there, without the author's name that its address carries.
//!
//! | in the record | trace |
//! |---|---|
//! | `reblog` | `repost`; `fast-repost` within 10 s of the original |
//! | `in_reply_to_id` | `reply` |
//! | `card.url` | `url`, `domain` |
//! | `tags` | `hashtag`, `hashtag-sequence` |
//! | `media_attachments`: `blurhash`, else `id` | `media` |
//! | `content` | `text` |

use std::borrow::Cow;

use serde_json::Value;
use traffic::{Action, Platform, Trace};

use super::Context;
use super::traces::{Content, Source, at, id, list};
use crate::normal::plain_of_html;
use crate::problems::Reason;
use crate::rows::{ObjectName, Rows};

pub(super) fn read(status: &Value, context: &Context, rows: &mut Rows) -> Result<Option<Reason>, Reason> {
    let account = account_of(status).ok_or(Reason::NoAccount)?;
    let post = id(status, &["uri"]).or_else(|| id(status, &["id"])).unwrap_or_default();
    let time = id(status, &["created_at"]).ok_or(Reason::NoTime)?;
    let time = context.bounds.read(time.as_bytes())?;
    let reblog = status.get("reblog").filter(|reblog| reblog.is_object());
    let answers = id(status, &["in_reply_to_id"]);
    let action = match (reblog, &answers) {
        (Some(_), _) => Action::Share,
        (None, Some(_)) => Action::Reply,
        (None, None) => Action::Post,
    };
    let source =
        Source { account: &account, post: &post, action, time: time.millis, platform: Platform::Mastodon };
    if let Some(original) = reblog {
        let name = name_of(original).ok_or(Reason::NoObject)?;
        let author = account_of(original);
        let written = id(original, &["created_at"]).and_then(|at| context.bounds.read(at.as_bytes()).ok());
        source.repost(rows, &name, author.as_deref(), written.map(|at| at.millis))?;
        // The reposting status is empty itself.
        content(original).push(&source, rows);
    } else {
        if let Some(answered) = answers {
            source.push(rows, Trace::Reply, ObjectName::plain(answered.as_bytes()), None)?;
        }
        content(status).push(&source, rows);
    }
    Ok(time.zone_missing.then_some(Reason::NoZone))
}

fn account_of(status: &Value) -> Option<Cow<'_, str>> {
    id(status, &["account", "url"]).or_else(|| id(status, &["account", "acct"]))
}

/// `server/number` of a status. Its address may read `https://server/users/NAME/statuses/number`.
fn name_of(status: &Value) -> Option<String> {
    let Some(uri) = id(status, &["uri"]).or_else(|| id(status, &["url"])) else {
        return id(status, &["id"]).map(Cow::into_owned);
    };
    let (_, rest) = uri.split_once("://")?;
    let mut segments = rest.split('/').filter(|segment| !segment.is_empty());
    let server = segments.next()?;
    let mut last = segments.next_back()?;
    // The address of an announcement ends in `/activity`.
    if last == "activity" {
        last = segments.next_back()?;
    }
    Some(format!("{}/{last}", server.to_lowercase()))
}

fn content(status: &Value) -> Content<'_> {
    Content {
        links: at(status, &["card", "url"]).and_then(Value::as_str).map(Cow::Borrowed).into_iter().collect(),
        tags: list(status, &["tags"]).iter().filter_map(|tag| id(tag, &["name"])).collect(),
        media: list(status, &["media_attachments"])
            .iter()
            .filter_map(|media| id(media, &["blurhash"]).or_else(|| id(media, &["id"])))
            .collect(),
        text: at(status, &["content"]).and_then(Value::as_str).map(|html| Cow::Owned(plain_of_html(html))),
    }
}
