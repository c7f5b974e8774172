//! Bluesky: events of Jetstream, one a line.
//!
//! The address of a post, `at://did/collection/key`, carries the author's id. In the name of an
//! object the author stands as the account is known behind the border.
//!
//! | in the record | trace |
//! |---|---|
//! | `app.bsky.feed.repost`: `subject.uri` | `repost` |
//! | `reply.parent.uri` | `reply` |
//! | `facets` links, `embed.external.uri` | `url`, `domain` |
//! | `facets` tags, `tags` | `hashtag`, `hashtag-sequence` |
//! | `embed.images`, `embed.video` | `media`: the content id of the blob |
//! | `text` | `text` |
//! | a post or repost is deleted | `object`: its address, with the action `delete` |
//!
//! The time is that of the event, `time_us`: the record's own `createdAt` is what the client claims.
//! The author's time of a repost's original is not in the stream, so there is no `fast-repost`.

use std::borrow::Cow;

use serde_json::Value;
use traffic::{Action, Platform, Trace};

use super::Context;
use super::traces::{Content, Source, at, id, list};
use crate::problems::Reason;
use crate::rows::{ObjectName, Rows};

const POST: &str = "app.bsky.feed.post";
const REPOST: &str = "app.bsky.feed.repost";

pub(super) fn read(event: &Value, context: &Context, rows: &mut Rows) -> Result<Option<Reason>, Reason> {
    let account = id(event, &["did"]).ok_or(Reason::NoAccount)?;
    let collection = at(event, &["commit", "collection"]).and_then(Value::as_str).unwrap_or_default();
    let operation = at(event, &["commit", "operation"]).and_then(Value::as_str).unwrap_or_default();
    let record = at(event, &["commit", "record"]).unwrap_or(&Value::Null);
    let action = match (collection, operation) {
        (POST | REPOST, "delete") => Action::Delete,
        (REPOST, "create") => Action::Share,
        (POST, "create") if record.get("reply").is_some_and(Value::is_object) => Action::Reply,
        (POST, "create") => Action::Post,
        _ => return Ok(Some(Reason::OtherKind)),
    };
    let time = event.get("time_us").and_then(Value::as_i64).ok_or(Reason::NoTime)?.div_euclid(1000);
    let time = context.bounds.check(time)?;
    let key = id(event, &["commit", "rkey"]).ok_or(Reason::NoObject)?;
    let address = format!("at://{account}/{collection}/{key}");
    let source = Source { account: &account, post: &address, action, time, platform: Platform::Bluesky };
    match action {
        Action::Delete => {
            source.push(rows, Trace::Object, name_of(&address).ok_or(Reason::NoObject)?, None)?;
        }
        Action::Share => {
            let uri = id(record, &["subject", "uri"]).ok_or(Reason::NoObject)?;
            let name = name_of(&uri).ok_or(Reason::NoObject)?;
            source.push(rows, Trace::Repost, name, author_of(&name))?;
        }
        Action::Reply => {
            let uri = id(record, &["reply", "parent", "uri"]).ok_or(Reason::NoObject)?;
            let name = name_of(&uri).ok_or(Reason::NoObject)?;
            source.push(rows, Trace::Reply, name, author_of(&name))?;
            content(record).push(&source, rows);
        }
        Action::Post => content(record).push(&source, rows),
    }
    Ok(None)
}

/// The name of a record's address, with the author apart.
fn name_of(uri: &str) -> Option<ObjectName<'_>> {
    let (did, _) = uri.strip_prefix("at://")?.split_once('/')?;
    let rest = &uri["at://".len() + did.len()..];
    (!did.is_empty()).then_some(ObjectName {
        prefix: "at://",
        account: Some(did.as_bytes()),
        rest: rest.as_bytes(),
    })
}

fn author_of<'a>(name: &ObjectName<'a>) -> Option<&'a str> {
    name.account.and_then(|did| std::str::from_utf8(did).ok())
}

fn content(record: &Value) -> Content<'_> {
    let features = || list(record, &["facets"]).iter().flat_map(|facet| list(facet, &["features"]));
    let mut links: Vec<Cow<'_, str>> = features().filter_map(|feature| id(feature, &["uri"])).collect();
    let mut tags: Vec<Cow<'_, str>> = features().filter_map(|feature| id(feature, &["tag"])).collect();
    tags.extend(list(record, &["tags"]).iter().filter_map(|tag| tag.as_str().map(Cow::Borrowed)));
    let mut media = Vec::new();
    // A post with both a quotation and media has the media one step further in.
    for embed in [at(record, &["embed"]), at(record, &["embed", "media"])].into_iter().flatten() {
        links.extend(id(embed, &["external", "uri"]));
        media.extend(
            list(embed, &["images"]).iter().filter_map(|image| id(image, &["image", "ref", "$link"])),
        );
        media.extend(id(embed, &["video", "ref", "$link"]));
    }
    Content { links, tags, media, text: id(record, &["text"]) }
}
