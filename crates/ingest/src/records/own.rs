//! Our own JSON Lines:
//! `{"account", "object", "trace", "action", "time", "post", "platform", "author"}`.
//!
//! `account`, `object` and `time` must be there. `action` is `share` and `trace` is `object` unless
//! stated. `time` is RFC 3339, or seconds or milliseconds since the epoch. Names are kept as they are.

use std::borrow::Cow;

use serde_json::Value;
use traffic::{Action, Platform, Trace};

use super::Context;
use crate::problems::Reason;
use crate::rows::{Draft, ObjectName, Rows};

pub(super) fn read(value: &Value, context: &Context, rows: &mut Rows) -> Result<Option<Reason>, Reason> {
    let account = id(value, "account").ok_or(Reason::NoAccount)?;
    let object = id(value, "object").ok_or(Reason::NoObject)?;
    let time = id(value, "time").ok_or(Reason::NoTime)?;
    let time = context.bounds.read(time.as_bytes())?;
    let author = id(value, "author");
    rows.push(&Draft {
        account: account.as_bytes(),
        object: ObjectName::plain(object.as_bytes()),
        trace: word(value, "trace", Trace::parse)
            .unwrap_or(Some(context.default_trace))
            .ok_or(Reason::UnknownTrace)?,
        action: word(value, "action", Action::parse)
            .unwrap_or(Some(Action::Share))
            .ok_or(Reason::UnknownAction)?,
        time: time.millis,
        post: id(value, "post").unwrap_or_default().as_bytes(),
        platform: word(value, "platform", Platform::parse)
            .unwrap_or(Some(Platform::Unknown))
            .ok_or(Reason::UnknownPlatform)?,
        author: author.as_ref().map(|author| author.as_bytes()),
    })?;
    Ok(time.zone_missing.then_some(Reason::NoZone))
}

/// A value that names something: a text that is not empty, or a number.
pub(super) fn id<'a>(value: &'a Value, key: &str) -> Option<Cow<'a, str>> {
    match value.get(key)? {
        Value::String(text) if !text.trim().is_empty() => Some(Cow::Borrowed(text.trim())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// Absent is `None`; present and unknown is `Some(None)`.
fn word<T>(value: &Value, key: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    match value.get(key)? {
        Value::Null => None,
        Value::String(text) => Some(parse(text)),
        _ => Some(None),
    }
}
