//! c2sp.org/tlog-witness, "HTTP Interface": the rules of [`crate::witness`] over HTTP/1.1.
//!
//! ```text
//! POST <prefix>/add-checkpoint                             submit
//! GET  <prefix>/<hex SHA-256 of the origin>/checkpoint     monitor
//! ```
//!
//! One prefix serves for submitting and monitoring, as the specification allows. Connections are kept alive. The server speaks
//! no TLS; it binds to nothing itself, but takes a listener.
//!
//! What strangers can use up is bounded, as [`crate::http`] says. What they cannot do is to make it sign, or forget.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use tlog::add_checkpoint::MAX_REQUEST_BYTES;
use tlog::storage::Cells;

use crate::answer::TEXT_CONTENT_TYPE;
use crate::event::Event;
use crate::http::{self, CutOff, NotDone, Places, Tell, respond};
pub use crate::http::{Limits, ServeError, Stop};
use crate::witness::{Latest, Witness};

/// After how many seconds a client that was turned away may come again.
const RETRY_SECONDS: &str = "5";

/// How a witness is served.
#[derive(Clone)]
pub struct Settings {
    prefix: String,
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    limits: Limits,
}

impl Settings {
    /// Served under a prefix, such as the empty one or `/w1`, by a clock that tells seconds since the epoch.
    ///
    /// # Errors
    /// [`ServeError::Prefix`].
    pub fn new(prefix: &str, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Result<Self, ServeError> {
        Ok(Self { prefix: http::prefix(prefix)?, clock: Arc::new(clock), limits: Limits::default() })
    }

    /// The same with other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Settings({:?}, {:?})", self.prefix, self.limits)
    }
}

/// Serves on threads of its own until it is told to stop. Blocks.
///
/// # Errors
/// [`ServeError`]. Once it serves, it goes on until it is told to stop.
pub fn run<C: Cells + Send + 'static>(
    listener: std::net::TcpListener,
    witness: Arc<Witness<C>>,
    settings: &Settings,
    stop: &Stop,
) -> Result<(), ServeError> {
    let tell = tell(&witness);
    http::run(listener, router(witness, settings, tell.clone()), settings.limits, &tell, stop)
}

/// Serves until `stop` is ready, then lets requests under way end.
///
/// # Errors
/// [`ServeError`].
pub async fn serve<C: Cells + Send + 'static>(
    listener: std::net::TcpListener,
    witness: Arc<Witness<C>>,
    settings: &Settings,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let tell = tell(&witness);
    http::serve(listener, router(witness, settings, tell.clone()), settings.limits, &tell, stop).await
}

fn tell<C: Cells + Send + 'static>(witness: &Arc<Witness<C>>) -> Tell {
    let witness = Arc::clone(witness);
    Arc::new(move |event| witness.tell(event))
}

/// What the handlers share.
struct Shared<C> {
    witness: Arc<Witness<C>>,
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    limits: Limits,
    places: Places,
    tell: Tell,
}

fn router<C: Cells + Send + 'static>(witness: Arc<Witness<C>>, settings: &Settings, tell: Tell) -> Router {
    let (clock, limits) = (Arc::clone(&settings.clock), settings.limits);
    let shared = Shared { witness, clock, limits, places: Places::new(&limits), tell };
    let prefix = &settings.prefix;
    Router::new()
        .route(&format!("{prefix}/add-checkpoint"), post(add_checkpoint::<C>))
        .route(&format!("{prefix}/{{log}}/checkpoint"), get(latest::<C>))
        .with_state(Arc::new(shared))
}

async fn add_checkpoint<C: Cells + Send + 'static>(
    State(shared): State<Arc<Shared<C>>>,
    request: Request,
) -> Response {
    let body = match http::body(request.into_body(), MAX_REQUEST_BYTES, &shared.limits, &shared.tell).await {
        Ok(body) => body,
        Err(CutOff::TooLarge) => return line(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large"),
        Err(CutOff::TooSlow) => return line(StatusCode::REQUEST_TIMEOUT, "the request took too long"),
    };
    let theirs = Arc::clone(&shared);
    let work = move || theirs.witness.add_checkpoint(&body, (theirs.clock)());
    match shared.places.work(work).await {
        Ok(answer) => {
            let status = StatusCode::from_u16(answer.status());
            let status = status.expect("internal error: the status codes of answers are ones of HTTP");
            respond(status, answer.content_type(), answer.body().into_bytes())
        }
        Err(reason) => not_done(&shared, reason),
    }
}

async fn latest<C: Cells + Send + 'static>(
    State(shared): State<Arc<Shared<C>>>,
    Path(log): Path<String>,
) -> Response {
    let theirs = Arc::clone(&shared);
    match shared.places.work(move || theirs.witness.latest(&log)).await {
        Ok(Latest::Checkpoint(bytes)) => respond(StatusCode::OK, TEXT_CONTENT_TYPE, bytes),
        Ok(Latest::None) => line(StatusCode::NOT_FOUND, "nothing is cosigned of such a log"),
        Ok(Latest::Failed(_)) => line(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed"),
        Err(reason) => not_done(&shared, reason),
    }
}

fn not_done<C>(shared: &Shared<C>, reason: NotDone) -> Response {
    match reason {
        NotDone::Failed => line(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed"),
        NotDone::Overloaded => {
            (shared.tell)(&Event::Overloaded);
            let mut response = line(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once");
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
            response
        }
    }
}

fn line(status: StatusCode, text: &str) -> Response {
    respond(status, TEXT_CONTENT_TYPE, format!("{text}\n").into_bytes())
}
