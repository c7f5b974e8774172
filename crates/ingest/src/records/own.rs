//! Our own JSON Lines:
//! `{"account", "object", "trace", "action", "time", "post", "platform", "author"}`.
//!
//! `account`, `object` and `time` must be there. `action` is `share` and `trace` is `object` unless
//! stated. `time` is RFC 3339, or seconds or milliseconds since the epoch. Names are kept as they are.

use serde_json::Value;
use traffic::{Action, Platform, Trace};

use super::Context;
use super::traces::id;
use crate::problems::Reason;
use crate::rows::{Draft, ObjectName, Rows};

pub(super) fn read(value: &Value, context: &Context, rows: &mut Rows) -> Result<Option<Reason>, Reason> {
    let account = id(value, &["account"]).ok_or(Reason::NoAccount)?;
    let object = id(value, &["object"]).ok_or(Reason::NoObject)?;
    let time = id(value, &["time"]).ok_or(Reason::NoTime)?;
    let time = context.bounds.read(time.as_bytes())?;
    let author = id(value, &["author"]);
    rows.push(&Draft {
        account: account.as_bytes(),
        object: ObjectName::plain(object.as_bytes()),
        trace: word(value, "trace", context.default_trace, Trace::parse).ok_or(Reason::UnknownTrace)?,
        action: word(value, "action", Action::Share, Action::parse).ok_or(Reason::UnknownAction)?,
        time: time.millis,
        post: id(value, &["post"]).unwrap_or_default().as_bytes(),
        platform: word(value, "platform", Platform::Unknown, Platform::parse)
            .ok_or(Reason::UnknownPlatform)?,
        author: author.as_ref().map(|author| author.as_bytes()),
    })?;
    Ok(time.zone_missing.then_some(Reason::NoZone))
}

/// A word by its parser, or the default where it is absent or null.
fn word<T>(value: &Value, key: &str, default: T, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    match value.get(key) {
        None | Some(Value::Null) => Some(default),
        Some(Value::String(text)) => parse(text),
        Some(_) => None,
    }
}
