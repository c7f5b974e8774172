//! Columns of a request from the bytes that a log or a sensor has of it. Whatever saw the request, the
//! same bytes give the same ids.
//!
//! What is kept as it was sent, and why:
//! - **A path is not decoded and not tidied.** `/%61`, `/a/`, `/a//` and `/b/../a` are four paths beside `/a`:
//!   servers differ in what they make of them, and whoever looks for probes must see what was sent. The only
//!   thing taken out is `;jsessionid=…` (Servlet 4.0, section 7.1.3), which would make a path of each visitor.
//! - **Case is kept** in paths and queries; hosts are in lower case, without user, port and the last dot.
//! - A target that is no path at all (`*`, broken bytes) is its own path, without query.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::{memchr, memmem, memrchr};
use traffic::Address;
use traffic::request::{Method, Query, Request, Resource};

use crate::normal::is_tracking;
use crate::rows::Rows;

/// The method of that name (RFC 9110, section 9.1: names are case-sensitive).
pub(crate) fn method(name: &[u8]) -> Method {
    match name {
        b"GET" => Method::Get,
        b"HEAD" => Method::Head,
        b"POST" => Method::Post,
        b"PUT" => Method::Put,
        b"DELETE" => Method::Delete,
        b"CONNECT" => Method::Connect,
        b"OPTIONS" => Method::Options,
        b"TRACE" => Method::Trace,
        b"PATCH" => Method::Patch,
        _ => Method::Other,
    }
}

/// Fills method, host, path, query, their kinds, from a request line such as `GET /a?b HTTP/1.1`. A line
/// without version is HTTP/0.9; one that is no request at all (a TLS handshake on a plain port, nothing) has
/// the method [`Method::Other`] and itself as its path.
pub(crate) fn set_request_line(request: &mut Request, line: &[u8], rows: &mut Rows) {
    // A target may hold spaces that a client forgot to encode, so it ends at the last one before a version.
    let Some(first) = memchr(b' ', line) else { return set_broken(request, line, rows) };
    if !is_token(&line[..first]) {
        return set_broken(request, line, rows);
    }
    let rest = &line[first + 1..];
    let target = match memrchr(b' ', rest) {
        Some(at) if rest[at + 1..].starts_with(b"HTTP/") => &rest[..at],
        _ => rest,
    };
    request.method = method(&line[..first]).code();
    set_target(request, target, rows);
}

/// Fills host (where the target names one), path, query and their kinds from a request target (RFC 9112,
/// section 3.2).
pub(crate) fn set_target(request: &mut Request, target: &[u8], rows: &mut Rows) {
    let mut rest = target;
    if request.method == Method::Connect.code() {
        // The authority form: a host and a port, and no path.
        set_host(request, target, rows);
        rest = b"";
    } else if target.first() != Some(&b'/')
        && let Some((authority, after)) = absolute(target)
    {
        set_host(request, authority, rows);
        rest = if after.is_empty() { b"/" } else { after };
    }
    let (path, query) = match memchr(b'?', rest) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, &b""[..]),
    };
    set_path(request, path, rows);
    set_query(request, query, rows);
}

/// Fills path and resource.
pub(crate) fn set_path(request: &mut Request, path: &[u8], rows: &mut Rows) {
    let path = without_session(path);
    request.path = rows.text(&path);
    request.resource = resource(&path).code();
}

/// Fills the query, without its `?`, and its kind.
pub(crate) fn set_query(request: &mut Request, query: &[u8], rows: &mut Rows) {
    (request.query, request.query_kind) = (-1, Query::None.code());
    if query.is_empty() {
        return;
    }
    let query = without_tracking(query);
    if !query.is_empty() {
        request.query = rows.text(&query);
        let random = query.split(|&b| b == b'&').any(is_random_parameter);
        request.query_kind = if random { Query::Random } else { Query::Plain }.code();
    }
}

/// Fills the host from a `Host` header or an authority; nothing changes where it is empty or `-`.
pub(crate) fn set_host(request: &mut Request, authority: &[u8], rows: &mut Rows) {
    let host = host_of(authority);
    if !host.is_empty() && host != b"-" {
        request.host = text_in_lower_case(host, rows);
    }
}

/// Fills host and path of the referer. `None`: the log has no such field. `-` and nothing: none was sent.
/// What is no URL has the empty text as its host, and itself as its path.
pub(crate) fn set_referer(request: &mut Request, referer: Option<&[u8]>, rows: &mut Rows) {
    (request.referer_host, request.referer_path) = match referer {
        None => (-2, -2),
        Some(b"" | b"-") => (-1, -1),
        Some(referer) => match absolute(referer) {
            Some((authority, after)) => {
                let end = after.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(after.len());
                let path = without_session(if end == 0 { b"/" } else { &after[..end] });
                (text_in_lower_case(host_of(authority), rows), rows.text(&path))
            }
            None => (rows.text(b""), rows.text(referer)),
        },
    };
}

/// Fills the agent. `None`: the log has no such field. `-` and nothing: none was sent.
pub(crate) fn set_agent(request: &mut Request, agent: Option<&[u8]>, rows: &mut Rows) {
    request.agent = match agent {
        None => -2,
        Some(b"" | b"-") => -1,
        Some(agent) => rows.text(agent),
    };
}

/// Fills the last address of an `X-Forwarded-For` header: the one that the nearest proxy wrote. The ones
/// before it are whatever the client claims.
pub(crate) fn set_forwarded(request: &mut Request, header: &[u8]) {
    let last = header.rsplit(|&b| b == b',').next().unwrap_or_default().trim_ascii();
    if let Some(address) = address_with_port(last) {
        (request.forwarded_hi, request.forwarded_lo) = (address.hi, address.lo);
    }
}

/// An address, also with a port behind it, in brackets, or with a zone (`fe80::1%eth0`).
pub(crate) fn address_with_port(text: &[u8]) -> Option<Address> {
    let text = text.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")).unwrap_or(text);
    if let Some(inner) = text.strip_prefix(b"[") {
        return Address::parse(&inner[..memchr(b']', inner)?]);
    }
    let text = &text[..memchr(b'%', text).unwrap_or(text.len())];
    Address::parse(text).or_else(|| Address::parse(&text[..memrchr(b':', text)?]))
}

fn set_broken(request: &mut Request, line: &[u8], rows: &mut Rows) {
    request.method = method(line).code();
    (request.query, request.query_kind) = (-1, Query::None.code());
    request.path = rows.text(if line == b"-" { b"" } else { line });
    request.resource = Resource::Page.code();
}

/// RFC 9110, section 5.6.2, less the marks that no method has.
fn is_token(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= 32
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Authority, and path with query, of `scheme://authority/path?query`.
fn absolute(text: &[u8]) -> Option<(&[u8], &[u8])> {
    // No scheme in use is longer than `ms-screensketch`.
    let colon = memchr(b':', &text[..text.len().min(24)])?;
    let scheme = &text[..colon];
    let after = text[colon..].strip_prefix(b"://")?;
    if scheme.is_empty()
        || !scheme.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    {
        return None;
    }
    let end = after.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(after.len());
    Some(after.split_at(end))
}

/// A host without user, port and last dot.
fn host_of(authority: &[u8]) -> &[u8] {
    let host = memrchr(b'@', authority).map_or(authority, |at| &authority[at + 1..]);
    let host = if host.first() == Some(&b'[') {
        memchr(b']', host).map_or(host, |at| &host[..=at])
    } else {
        match memrchr(b':', host) {
            Some(at) if host[at + 1..].iter().all(u8::is_ascii_digit) => &host[..at],
            _ => host,
        }
    };
    host.strip_suffix(b".").unwrap_or(host)
}

fn text_in_lower_case(text: &[u8], rows: &mut Rows) -> i64 {
    if text.iter().any(u8::is_ascii_uppercase) {
        rows.text(&text.to_ascii_lowercase())
    } else {
        rows.text(text)
    }
}

fn without_session(path: &[u8]) -> Cow<'_, [u8]> {
    const NAME: &[u8] = b";jsessionid=";
    let Some(at) = memchr(b';', path) else { return Cow::Borrowed(path) };
    if !path[at..].get(..NAME.len()).is_some_and(|start| start.eq_ignore_ascii_case(NAME)) {
        return Cow::Borrowed(path);
    }
    match path[at + 1..].iter().position(|b| matches!(b, b';' | b'/')) {
        Some(end) => Cow::Owned([&path[..at], &path[at + 1 + end..]].concat()),
        None => Cow::Borrowed(&path[..at]),
    }
}

fn without_tracking(query: &[u8]) -> Cow<'_, [u8]> {
    let kept = |parameter: &&[u8]| !parameter.is_empty() && !is_tracking(parameter);
    if query.split(|&b| b == b'&').all(|parameter| kept(&parameter)) {
        return Cow::Borrowed(query);
    }
    let parameters: Vec<&[u8]> = query.split(|&b| b == b'&').filter(kept).collect();
    Cow::Owned(parameters.join(&b'&'))
}

/// What is asked for, by the end of its path.
pub(crate) fn resource(path: &[u8]) -> Resource {
    static API: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("/api/"));
    let tail = &path[path.len().saturating_sub(6)..];
    if let Some(at) = memrchr(b'.', tail) {
        let ending = &tail[at + 1..];
        let mut lower = [0; 5];
        let lower = &mut lower[..ending.len()];
        lower.copy_from_slice(ending);
        lower.make_ascii_lowercase();
        if is_asset(lower) {
            return Resource::Asset;
        }
        if lower == b"json" {
            return Resource::Api;
        }
    }
    if path.len() >= 5 && API.find(path).is_some() { Resource::Api } else { Resource::Page }
}

/// Endings of what a page brings along. Those of documents that people ask for themselves (`pdf`, `zip`,
/// `xml`) are not among them.
fn is_asset(ending: &[u8]) -> bool {
    matches!(
        ending,
        b"js"
            | b"bmp"
            | b"css"
            | b"eot"
            | b"gif"
            | b"ico"
            | b"jpg"
            | b"m4a"
            | b"m4s"
            | b"map"
            | b"mjs"
            | b"mov"
            | b"mp3"
            | b"mp4"
            | b"mpg"
            | b"ogg"
            | b"otf"
            | b"png"
            | b"svg"
            | b"swf"
            | b"ttf"
            | b"wav"
            | b"xbm"
            | b"apng"
            | b"avif"
            | b"jpeg"
            | b"mpeg"
            | b"wasm"
            | b"webm"
            | b"webp"
            | b"woff"
            | b"woff2"
    )
}

/// A parameter whose value, or which itself where it has none, looks drawn by chance. This is a kind, not a
/// verdict: session ids and cache keys look so too. What is missed: tokens shorter than eight characters and
/// numbers behind a name, which are ids and times on any site.
fn is_random_parameter(parameter: &[u8]) -> bool {
    match memchr(b'=', parameter) {
        Some(at) => is_random(&parameter[at + 1..], true),
        None => is_random(parameter, false),
    }
}

fn is_random(token: &[u8], named: bool) -> bool {
    if token.len() < 8 || token.starts_with(b"eyJ") {
        // `eyJ` is `{"` in Base64: what follows is JSON, such as the state of a page.
        return false;
    }
    let (mut letters, mut digits, mut vowels, mut turns, mut case_turns, mut last) = (0, 0, 0, 0, 0, 0_u8);
    for &b in token {
        let class = match b {
            b'0'..=b'9' => 1,
            b'a'..=b'z' => 2,
            b'A'..=b'Z' => 3,
            b'-' | b'_' | b'.' | b'~' => continue,
            _ => return false,
        };
        digits += u32::from(class == 1);
        letters += u32::from(class > 1);
        vowels += u32::from(matches!(b | 0x20, b'a' | b'e' | b'i' | b'o' | b'u' | b'y') && class > 1);
        turns += u32::from(last != 0 && last != class);
        case_turns += u32::from(last > 1 && class > 1 && last != class);
        last = class;
    }
    let length = letters + digits;
    if length < 8 {
        return false;
    }
    if letters == 0 {
        // A bare number; but `?1700000000` is the version of a file by its time, `?20260927` by its date.
        let is_time = matches!(length, 10 | 13) && token[0] == b'1';
        let is_date = length == 8 && (token.starts_with(b"19") || token.starts_with(b"20"));
        return !named && !is_time && !is_date;
    }
    if digits >= 2 {
        // Drawn from 36 signs, two neighbours differ in class with 0.4, from 62 with 0.6; names with a
        // version or a date have one or two such turns.
        return turns >= 3 && 4 * turns >= length - 1;
    }
    // Letters alone: 0.23 of those drawn by chance are vowels, of those in words of European languages 0.35
    // and more. Drawn from both cases they also turn at every second place; so does `camelCase`, but with
    // vowels.
    let from_both_cases = 5 * case_turns >= 2 * (length - 1);
    (from_both_cases && 10 * vowels <= 3 * length) || (length >= 10 && 7 * vowels <= length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use traffic::Seed;

    use super::*;

    fn rows() -> Rows {
        Rows::new(Seed(0), None)
    }

    fn text(rows: &Rows, id: i64) -> String {
        if id < 0 { "-".to_owned() } else { format!("`{}`", rows.texts.get(id)) }
    }

    fn line(line: &str) -> String {
        let (mut request, mut rows) = (Request::EMPTY, rows());
        set_request_line(&mut request, line.as_bytes(), &mut rows);
        let method = Method::from_code(request.method).expect("a method");
        let kind = Query::from_code(request.query_kind).expect("a kind of query");
        let resource = Resource::from_code(request.resource).expect("a resource");
        let [host, path, query] = [request.host, request.path, request.query].map(|id| text(&rows, id));
        format!("{method} {host} {path} {query} {kind} {resource}")
    }

    #[test]
    fn a_request_line_in_each_of_its_forms() {
        assert_eq!(line("GET / HTTP/1.1"), "get - `/` - none page");
        assert_eq!(line("GET /a?b=1 HTTP/1.1"), "get - `/a` `b=1` plain page");
        assert_eq!(line("GET /a b?c HTTP/1.1"), "get - `/a b` `c` plain page");
        assert_eq!(line("GET /old"), "get - `/old` - none page");
        assert_eq!(line("GET http://u@Example.org:80/A HTTP/1.1"), "get `example.org` `/A` - none page");
        assert_eq!(line("GET http://example.org?a HTTP/1.1"), "get `example.org` `` `a` plain page");
        assert_eq!(line("CONNECT example.org:443 HTTP/1.1"), "connect `example.org` `` - none page");
        assert_eq!(line("OPTIONS * HTTP/1.0"), "options - `*` - none page");
        assert_eq!(line("PROPFIND /a HTTP/1.1"), "other - `/a` - none page");
        assert_eq!(line("\u{16}\u{3} x y"), "other - `\u{16}\u{3} x y` - none page");
        assert_eq!(line("-"), "other - `` - none page");
        assert_eq!(line(""), "other - `` - none page");
    }

    #[test]
    fn a_path_stays_as_it_was_sent_but_for_its_session() {
        assert_eq!(line("GET /a/../%61// HTTP/1.1"), "get - `/a/../%61//` - none page");
        assert_eq!(line("GET /a;jsessionid=1F?b HTTP/1.1"), "get - `/a` `b` plain page");
        assert_eq!(line("GET /a;jsessionid=1F/c;d HTTP/1.1"), "get - `/a/c;d` - none page");
    }

    #[test]
    fn what_is_asked_for_shows_in_the_ending() {
        for (path, expected) in [
            ("/a.PNG", "asset"),
            ("/fonts/a.woff2", "asset"),
            ("/api/logo.svg", "asset"),
            ("/a.json", "api"),
            ("/v1/api/results", "api"),
            ("/a.pdf", "page"),
            ("/css", "page"),
            ("/a.js/b", "page"),
        ] {
            assert_eq!(resource(path.as_bytes()).name(), expected, "{path}");
        }
    }

    #[test]
    fn tracking_parameters_name_no_other_page() {
        assert_eq!(line("GET /?utm_source=x&FBCLID=1&a=2&&_ga=3 HTTP/1.1"), "get - `/` `a=2` plain page");
        assert_eq!(line("GET /?gclid=1 HTTP/1.1"), "get - `/` - none page");
    }

    #[test]
    fn tokens_drawn_by_chance_are_told_from_names_and_numbers() {
        for query in [
            "8890121518",
            "121726773140",
            "r=9f86d081884c7d65",
            "a=1&cb=k3x9z0q7b2",
            "id=6f1ed002-ab59-4a2e-8f5c-4f2f0f3c1a77",
            "x=QzWbKpXtVr",
            "x=aKxPqZbWmT",
        ] {
            assert!(line(&format!("GET /?{query} HTTP/1.1")).contains(" random "), "{query}");
        }
        for query in [
            "1391904000000",
            "20260927",
            "_=1391904000000",
            "id=12345678901",
            "flav=rss20",
            "C=N;O=D",
            "page=constituency",
            "q=bundestagswahl",
            "date=2026-09-27",
            "v=1.2.3-beta4",
            "action=getUserNameById",
            "q=K%C3%B6ln%20Ergebnis",
            "file=report2025may12",
            "page=eyJzZWFyY2giOiIiLCJmaWVsZHMiOltd",
            "name=Knightsbridge",
            "x=short1",
        ] {
            assert!(line(&format!("GET /?{query} HTTP/1.1")).contains(" plain "), "{query}");
        }
    }

    #[test]
    fn referer_and_agent_say_whether_the_log_has_them() {
        let check = |referer: Option<&[u8]>| {
            let (mut request, mut rows) = (Request::EMPTY, rows());
            set_referer(&mut request, referer, &mut rows);
            if request.referer_host < 0 {
                return format!("{} {}", request.referer_host, request.referer_path);
            }
            format!("{} {}", text(&rows, request.referer_host), text(&rows, request.referer_path))
        };
        assert_eq!(check(None), "-2 -2");
        assert_eq!(check(Some(b"-")), "-1 -1");
        assert_eq!(check(Some(b"https://News.Example:8443/a/?b#c")), "`news.example` `/a/`");
        assert_eq!(check(Some(b"https://news.example")), "`news.example` `/`");
        assert_eq!(check(Some(b"android-app://org.example")), "`org.example` `/`");
        assert_eq!(check(Some(b"() { :; }")), "`` `() { :; }`");
        let (mut request, mut rows) = (Request::EMPTY, rows());
        for (agent, expected) in [(None, -2), (Some(&b"-"[..]), -1), (Some(b""), -1)] {
            set_agent(&mut request, agent, &mut rows);
            assert_eq!(request.agent, expected);
        }
    }

    #[test]
    fn only_the_last_forwarded_address_is_a_proxys_word() {
        let check = |header: &str| {
            let mut request = Request::EMPTY;
            set_forwarded(&mut request, header.as_bytes());
            Address { hi: request.forwarded_hi, lo: request.forwarded_lo }.to_string()
        };
        assert_eq!(check("203.0.113.9, 198.51.100.7"), "198.51.100.7");
        assert_eq!(check("198.51.100.7:4711"), "198.51.100.7");
        assert_eq!(check("[2001:db8::1]:443"), "2001:db8::1");
        assert_eq!(check("2001:db8::1"), "2001:db8::1");
        assert_eq!(check("unknown"), "-");
        assert_eq!(check("-"), "-");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let (mut request, mut rows) = (Request::EMPTY, rows());
            set_request_line(&mut request, &bytes, &mut rows);
            set_target(&mut request, &bytes, &mut rows);
            set_referer(&mut request, Some(&bytes), &mut rows);
            set_forwarded(&mut request, &bytes);
            prop_assert!(request.path >= 0);
        }
    }
}
