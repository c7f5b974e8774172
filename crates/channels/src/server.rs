//! Takes documents over HTTP/1.1.
//!
//! ```text
//! POST <prefix>/submit    one document, at most 65,535 bytes of text/plain; an answer in JSON
//! GET  <prefix>/          which election this is, and how far its log has come
//! ```
//!
//! | status | of what |
//! |---|---|
//! | 200 | `logged` or `known`: the document is durable, and has this index for ever |
//! | 400 | no document |
//! | 403 | not signed, or signed by somebody who may not say this |
//! | 408, 413, 415 | it took too long, is too large, or is not sent as text |
//! | 409 | something else stands where it should: equivocation, conflict, revision, sequence |
//! | 422 | refused for another reason; the code says which |
//! | 503 | the log cannot take it now; the answer says when to come again |
//!
//! Anybody may send anything at any speed. Connections, bytes and time are bounded by [`Limits`]; only what a key of the election has
//! signed reaches a disk. Requests get their places in the order in which they come, so that a crowd delays others and does not
//! drive them away. There is no election before its definition is adopted, and until then nothing is taken: a stranger could
//! bring an election of their own. The server speaks no TLS; it binds to nothing itself, but takes a listener.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;
use tlog::bundle::MAX_ENTRY_BYTES;
use witness::Event;
use witness::http::{self, CutOff, NotDone, Places, Tell, respond};
pub use witness::http::{Limits, ServeError, Stop};

use crate::answer::{Answer, NOT_TAKEN};

/// Whoever judges documents and makes them durable.
pub trait Intake: Send + Sync + 'static {
    /// Which election this is; nothing before a definition is adopted.
    fn status(&self) -> Option<Status>;

    /// Takes a document. May wait for a disk; is called from several threads at once.
    fn take(&self, document: Vec<u8>) -> Answer;
}

/// What a desk says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The election's id.
    pub election: String,
    /// The fingerprint of its definition, in hex digits.
    pub fingerprint: String,
    /// Entries that were taken.
    pub size: u64,
}

/// 512 connections, 64 documents at work, and less patience than a witness has: a centre sends what it has and goes. Somebody who
/// holds all connections open without a word holds each for ten seconds.
pub fn limits() -> Limits {
    Limits {
        head: Duration::from_secs(10),
        body: Duration::from_secs(10),
        connection: Duration::from_mins(2),
        ..Limits::default()
    }
}

/// How a desk is served.
#[derive(Clone)]
pub struct Settings {
    prefix: String,
    limits: Limits,
    tell: Tell,
}

impl Settings {
    /// Served under a prefix, such as the empty one or `/2026`. `tell` hears what an operator should know.
    ///
    /// # Errors
    /// [`ServeError::Prefix`].
    pub fn new(
        prefix: &str,
        limits: Limits,
        tell: impl Fn(&Event<'_>) + Send + Sync + 'static,
    ) -> Result<Self, ServeError> {
        Ok(Self { prefix: http::prefix(prefix)?, limits, tell: Arc::new(tell) })
    }
}

/// Serves on threads of its own until it is told to stop. Blocks.
///
/// # Errors
/// [`ServeError`]. Once it serves, it goes on until it is told to stop.
pub fn run<I: Intake>(
    listener: std::net::TcpListener,
    intake: Arc<I>,
    settings: &Settings,
    stop: &Stop,
) -> Result<(), ServeError> {
    http::run(listener, router(intake, settings), settings.limits, &settings.tell, stop)
}

/// What the handlers share.
struct Shared<I> {
    intake: Arc<I>,
    limits: Limits,
    places: Places,
    tell: Tell,
}

/// The routes of a desk.
pub fn router<I: Intake>(intake: Arc<I>, settings: &Settings) -> Router {
    let Settings { prefix, limits, tell } = settings.clone();
    let shared = Shared { intake, limits, places: Places::new(&limits), tell };
    Router::new()
        .route(&format!("{prefix}/"), get(status::<I>))
        .route(&format!("{prefix}/submit"), post(submit::<I>))
        .with_state(Arc::new(shared))
}

/// After how many seconds a client that was turned away may come again.
const RETRY_SECONDS: &str = "5";
const JSON: &str = "application/json";

async fn submit<I: Intake>(State(shared): State<Arc<Shared<I>>>, request: Request) -> Response {
    if !is_text(&request) {
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "no-text", "a document is sent as text/plain");
    }
    let read = http::body(request.into_body(), MAX_ENTRY_BYTES, &shared.limits, &shared.tell).await;
    let document = match read {
        Ok(body) => Vec::from(body),
        Err(CutOff::TooLarge) => {
            return problem(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "a document has at most 65,535 bytes",
            );
        }
        Err(CutOff::TooSlow) => {
            return problem(StatusCode::REQUEST_TIMEOUT, "too-slow", "the document took too long");
        }
    };
    let theirs = Arc::clone(&shared);
    let work = move || match theirs.intake.status() {
        Some(_) => theirs.intake.take(document),
        None => Answer::NotTaken { message: "no definition is adopted yet".to_owned() },
    };
    let answer = match shared.places.queue(work).await {
        Ok(answer) => answer,
        Err(reason) => return not_done(&shared, reason),
    };
    let status = StatusCode::from_u16(answer.status());
    let status = status.expect("internal error: the status codes of answers are ones of HTTP");
    may_retry(respond(status, JSON, answer.to_json().into_bytes()))
}

async fn status<I: Intake>(State(shared): State<Arc<Shared<I>>>) -> Response {
    let theirs = Arc::clone(&shared);
    match shared.places.queue(move || theirs.intake.status()).await {
        Ok(Some(Status { election, fingerprint, size })) => {
            let body = json!({ "election": election, "fingerprint": fingerprint, "size": size });
            respond(StatusCode::OK, JSON, format!("{body}\n").into_bytes())
        }
        Ok(None) => problem(StatusCode::SERVICE_UNAVAILABLE, NOT_TAKEN, "no definition is adopted yet"),
        Err(reason) => not_done(&shared, reason),
    }
}

/// Whether the request says that it brings text, or says nothing.
fn is_text(request: &Request) -> bool {
    let Some(said) = request.headers().get(CONTENT_TYPE) else { return true };
    let said = said.to_str().unwrap_or_default();
    said.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/plain")
}

fn not_done<I>(shared: &Shared<I>, reason: NotDone) -> Response {
    match reason {
        NotDone::Failed => problem(StatusCode::INTERNAL_SERVER_ERROR, "failed", "the desk failed"),
        NotDone::Overloaded => {
            (shared.tell)(&Event::Overloaded);
            problem(StatusCode::SERVICE_UNAVAILABLE, NOT_TAKEN, "too many requests at once")
        }
    }
}

fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({ "code": code, "message": message });
    may_retry(respond(status, JSON, format!("{body}\n").into_bytes()))
}

fn may_retry(mut response: Response) -> Response {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
    }
    response
}
