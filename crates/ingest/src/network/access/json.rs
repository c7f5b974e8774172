//! Access logs of one JSON object a line: nginx, Caddy, Traefik, Envoy, Cloudflare, the Elastic Common
//! Schema, and what people write in `log_format` with such names.

use std::borrow::Cow;

use serde_json::Value;
use traffic::request::Request;

use super::clock::Clock;
use super::text::without_container;
use crate::network::fields::LARGEST;
use crate::network::web;
use crate::problems::Reason;
use crate::rows::Rows;

/// Where each column may be. The first that is there counts. A dot goes into an object, unless a key has
/// the dot itself.
struct Keys {
    time: &'static [&'static str],
    client: &'static [&'static str],
    forwarded: &'static [&'static str],
    line: &'static [&'static str],
    method: &'static [&'static str],
    target: &'static [&'static str],
    query: &'static [&'static str],
    host: &'static [&'static str],
    status: &'static [&'static str],
    bytes: &'static [&'static str],
    referer: &'static [&'static str],
    agent: &'static [&'static str],
}

const KEYS: Keys = Keys {
    time: &[
        "@timestamp",
        "time_iso8601",
        "time_local",
        "timestamp",
        "time",
        "ts",
        "msec",
        "start_time",
        "StartUTC",
        "StartLocal",
        "EdgeStartTimestamp",
        "date",
    ],
    client: &[
        "remote_addr",
        "request.remote_ip",
        "request.client_ip",
        "ClientHost",
        "ClientIP",
        "source.ip",
        "client.ip",
        "source.address",
        "client.address",
        "downstream_remote_address",
        "remote_ip",
        "client_ip",
        "clientip",
        "remote_address",
        "remoteAddr",
        "remote_host",
        "RemoteAddr",
        "request.remote_addr",
        "ip",
        "client",
    ],
    forwarded: &[
        "http_x_forwarded_for",
        "x_forwarded_for",
        "x-forwarded-for",
        "request.headers.X-Forwarded-For",
        "request_X-Forwarded-For",
        "forwarded_for",
        "xff",
    ],
    line: &["request", "request_line", "http.request.line"],
    method: &[
        "request_method",
        "request.method",
        "RequestMethod",
        "ClientRequestMethod",
        "http.request.method",
        "method",
        "http_method",
        "verb",
        "httpRequest.requestMethod",
    ],
    target: &[
        "request_uri",
        "request.uri",
        "RequestPath",
        "ClientRequestURI",
        "url.original",
        "url.path",
        "x-envoy-origin-path",
        "request_path",
        "request.url",
        "httpRequest.requestUrl",
        "uri",
        "path",
        "url",
        "target",
    ],
    query: &["query_string", "url.query", "args", "query"],
    host: &[
        "http_host",
        "request.host",
        "RequestHost",
        "ClientRequestHost",
        "url.domain",
        ":authority",
        "authority",
        "server_name",
        "vhost",
        "virtual_host",
        "host",
        "RequestAddr",
    ],
    status: &[
        "status",
        "response_code",
        "DownstreamStatus",
        "EdgeResponseStatus",
        "http.response.status_code",
        "status_code",
        "statusCode",
        "httpRequest.status",
        "response",
        "code",
    ],
    bytes: &[
        "body_bytes_sent",
        "size",
        "DownstreamContentSize",
        "EdgeResponseBytes",
        "http.response.body.bytes",
        "http.response.bytes",
        "bytes_sent",
        "bytes",
        "response_size",
        "responseSize",
    ],
    referer: &[
        "http_referer",
        "http_referrer",
        "request.headers.Referer",
        "request_Referer",
        "ClientRequestReferer",
        "http.request.referrer",
        "referer",
        "referrer",
        "Referer",
    ],
    agent: &[
        "http_user_agent",
        "request.headers.User-Agent",
        "request_User-Agent",
        "ClientRequestUserAgent",
        "user_agent.original",
        "user-agent",
        "user_agent",
        "userAgent",
        "httpUserAgent",
        "agent",
        "User-Agent",
    ],
};

/// Where the duration may be, and how many of its units make a millisecond.
const DURATIONS: &[(&str, f64)] = &[
    ("request_time", 1e-3),
    ("Duration", 1e6),
    ("event.duration", 1e6),
    ("duration_ms", 1.0),
    ("request_time_ms", 1.0),
    ("response_time_ms", 1.0),
    ("EdgeTimeToFirstByteMs", 1.0),
    ("latency_ms", 1.0),
    ("request_time_us", 1e3),
];

/// True where a value has what a request needs and nothing that marks another kind of log.
pub(super) fn is_access(value: &Value) -> bool {
    // Zeek and Suricata have readers of their own.
    let other = ["id.orig_h", "uid", "event_type", "flow_id", "__REALTIME_TIMESTAMP"];
    if other.iter().any(|key| value.get(key).is_some()) {
        return false;
    }
    let has = |keys: &[&str]| text(value, keys).is_some();
    has(KEYS.client)
        && has(KEYS.time)
        && (has(KEYS.target) || text(value, KEYS.line).is_some_and(|line| line.contains(&b' ')))
        && (has(KEYS.status) || has(KEYS.method))
}

/// The value of a line, where it is one. nginx without `escape=json` writes `\xHH`, which JSON has not.
pub(super) fn parse(line: &[u8]) -> Option<Value> {
    let line = if line.first() == Some(&b'{') { line } else { without_container(line)? };
    let text = crate::records::as_utf8(line);
    if let Ok(value) = serde_json::from_slice(&text) {
        return Some(value);
    }
    let text = std::str::from_utf8(&text).ok()?;
    text.contains("\\x").then(|| serde_json::from_str(&text.replace("\\x", "\\u00")).ok()).flatten()
}

/// The columns of a value; the time is read by `clock`.
pub(super) fn read(value: &Value, clock: &mut Clock, rows: &mut Rows) -> Result<(Request, bool), Reason> {
    let mut request = Request::EMPTY;
    let time = text(value, KEYS.time).ok_or(Reason::NoTime)?;
    let (millis, zone_missing) = clock.read(&time)?;
    request.time = millis;
    let client = text(value, KEYS.client).ok_or(Reason::NoClient)?;
    let address = web::address_with_port(&client).unwrap_or_else(|| rows.address_or_name(&client));
    (request.peer_hi, request.peer_lo) = (address.hi, address.lo);
    if let Some(list) = text(value, KEYS.forwarded) {
        web::set_forwarded(&mut request, &list);
    }
    if let Some(host) = text(value, KEYS.host) {
        web::set_host(&mut request, &host, rows);
    }
    target(value, &mut request, rows)?;
    // As in lines of text: three digits, and a length that can be one.
    let status = number(value, KEYS.status).filter(|n| (0.0..1000.0).contains(n));
    request.status = status.map_or(0, |n| n as i32);
    let bytes = number(value, KEYS.bytes).filter(|n| (0.0..=LARGEST as f64).contains(n));
    request.bytes = bytes.map_or(-1, |n| n as i64);
    request.duration = duration(value);
    // An object without a referer was asked without one if its siblings have the field; headers that were
    // not sent are left out by most servers, so absence is read as none.
    web::set_referer(&mut request, Some(&text(value, KEYS.referer).unwrap_or_default()), rows);
    web::set_agent(&mut request, Some(&text(value, KEYS.agent).unwrap_or_default()), rows);
    Ok((request, zone_missing))
}

fn target(value: &Value, request: &mut Request, rows: &mut Rows) -> Result<(), Reason> {
    let method = text(value, KEYS.method);
    if let Some(target) = text(value, KEYS.target) {
        request.method = web::method(&method.unwrap_or_default()).code();
        web::set_target(request, &target, rows);
        if request.query < 0
            && let Some(query) = text(value, KEYS.query)
            && &*query != b"-"
        {
            web::set_query(request, query.strip_prefix(b"?").unwrap_or(&query), rows);
        }
        return Ok(());
    }
    let line = text(value, KEYS.line).ok_or(Reason::NoRequest)?;
    web::set_request_line(request, &line, rows);
    Ok(())
}

fn duration(value: &Value) -> i32 {
    for (key, per_milli) in DURATIONS {
        if let Some(number) = number(value, &[key]) {
            return millis(number / per_milli);
        }
    }
    // Caddy has seconds with decimals, Envoy whole milliseconds.
    match find(value, "duration") {
        Some(Value::Number(number)) if number.is_f64() => millis(number.as_f64().unwrap_or(-1.0) * 1000.0),
        Some(Value::Number(number)) => millis(number.as_f64().unwrap_or(-1.0)),
        _ => -1,
    }
}

/// Milliseconds as a column has them.
pub(super) fn millis(number: f64) -> i32 {
    if number >= 0.0 { number.round().min(f64::from(i32::MAX)) as i32 } else { -1 }
}

fn number(value: &Value, keys: &[&str]) -> Option<f64> {
    keys.iter().find_map(|key| match find(value, key)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    })
}

/// The first of these keys that has a text or a number.
fn text<'a>(value: &'a Value, keys: &[&str]) -> Option<Cow<'a, [u8]>> {
    keys.iter().find_map(|key| as_text(find(value, key)?))
}

fn as_text(value: &Value) -> Option<Cow<'_, [u8]>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text.as_bytes())),
        Value::Number(number) => Some(Cow::Owned(number.to_string().into_bytes())),
        // Headers that may come more than once.
        Value::Array(values) => values.last().and_then(as_text),
        _ => None,
    }
}

fn find<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    if let Some(found) = value.get(key) {
        return Some(found);
    }
    let (first, rest) = key.split_once('.')?;
    find(value.get(first)?, rest)
}
