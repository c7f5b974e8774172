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
//! Whoever can reach it may send anything at any speed. What each can use up is bounded: see [`Limits`]. What they cannot
//! do is to make it sign, or forget.

use std::fmt;
use std::future::Future;
use std::io::{self, Write as _};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use thiserror::Error;
use tlog::add_checkpoint::MAX_REQUEST_BYTES;
use tlog::storage::Cells;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::answer::TEXT_CONTENT_TYPE;
use crate::event::Event;
use crate::witness::{Latest, Witness};

/// How much of the machine clients may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. Each holds at most 16 KiB of head and 64 KiB of body.
    pub connections: usize,
    /// Requests that are judged, or read from disk, at once. Further ones are told to come again.
    pub requests: usize,
    /// Time for the head of a request, and to wait for the next one on a connection that is kept alive.
    pub head: Duration,
    /// Time for the body of a request.
    pub body: Duration,
    /// Time for an answer, most of which is the disk's.
    pub answer: Duration,
    /// Time after which a connection is closed, whatever it does.
    pub connection: Duration,
    /// Time for requests under way to end, once the server is told to stop.
    pub grace: Duration,
}

impl Default for Limits {
    /// 512 connections take at most 40 MiB. 64 requests at once are some thousand a second with a disk that takes 10 ms to
    /// sync, more than the logs of the world need. A log that submits twice a minute keeps its connection.
    fn default() -> Self {
        Self {
            connections: 512,
            requests: 64,
            head: Duration::from_secs(40),
            body: Duration::from_secs(10),
            answer: Duration::from_secs(20),
            connection: Duration::from_hours(1),
            grace: Duration::from_secs(10),
        }
    }
}

/// 16 KiB and 64 lines: heads of browsers and proxies stay below a quarter of that.
const MAX_HEAD_BYTES: usize = 16 << 10;
const MAX_HEAD_LINES: usize = 64;

/// After how many seconds a client that was turned away may come again.
const RETRY_SECONDS: &str = "5";

/// What is said to a connection too many, without reading from it.
const TOO_MANY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

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
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        let rooted = prefix.is_empty() || (prefix.starts_with('/') && !prefix.ends_with('/'));
        if !rooted || !prefix.chars().all(plain) {
            return Err(ServeError::Prefix(prefix.to_owned()));
        }
        Ok(Self { prefix: prefix.to_owned(), clock: Arc::new(clock), limits: Limits::default() })
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

/// Why nothing is served.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Not a prefix of a path.
    #[error(
        "`{0}` is no prefix: it is empty, or begins with `/`, does not end with it, and has plain characters"
    )]
    Prefix(String),
    /// No threads, or no event queue.
    #[error("could not start the server's threads")]
    Threads(#[source] io::Error),
    /// The listener does not work.
    #[error("could not use the listening socket")]
    Listener(#[source] io::Error),
}

/// Tells a server to stop. Clones tell the same server.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stop {
    /// Stops, after requests under way have been answered.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Returns once somebody has said stop.
    pub async fn told(&self) {
        // An error would mean that the sender is gone, which `self` holds.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(settings.limits.requests.max(1))
        .enable_all()
        .build()
        .map_err(ServeError::Threads)?;
    let ended = runtime.block_on(serve(listener, witness, settings, stop.told()));
    // A thread that the disk never answers must not keep the process.
    runtime.shutdown_timeout(settings.limits.grace);
    ended
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
    listener.set_nonblocking(true).map_err(ServeError::Listener)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(ServeError::Listener)?;
    let limits = settings.limits;
    let app = router(&witness, settings);
    let connections = Arc::new(Semaphore::new(limits.connections));
    let closing = watch::Sender::new(false);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                witness.tell(&Event::Accept(&error));
                // Most likely there are no more file descriptors; they come back as connections end.
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&connections).try_acquire_owned() else {
            witness.tell(&Event::Overloaded);
            turn_away(stream);
            continue;
        };
        let (app, closing) = (app.clone(), closing.subscribe());
        tokio::spawn(async move {
            converse(stream, app, limits, closing).await;
            drop(permit);
        });
    }
    closing.send_replace(true);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    // What has not ended by then is cut off with the runtime.
    let _ = timeout(limits.grace, connections.acquire_many(all)).await;
    Ok(())
}

/// One connection, until it ends, lives too long, or the server closes.
async fn converse(stream: TcpStream, app: Router, limits: Limits, mut closing: watch::Receiver<bool>) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(MAX_HEAD_LINES)
        .max_buf_size(MAX_HEAD_BYTES)
        .keep_alive(true)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut connection = pin!(connection);
    // How a connection ends is of no interest: the client went away, was too slow, or spoke no HTTP.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = closing.wait_for(|closed| *closed) => (),
        () = sleep(limits.connection) => (),
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(limits.grace, connection).await;
}

/// Best effort: the client may see no more than a closed connection.
fn turn_away(stream: TcpStream) {
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(TOO_MANY);
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
}

/// What the handlers share.
struct Shared<C> {
    witness: Arc<Witness<C>>,
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    limits: Limits,
    requests: Arc<Semaphore>,
}

fn router<C: Cells + Send + 'static>(witness: &Arc<Witness<C>>, settings: &Settings) -> Router {
    let shared = Shared {
        witness: Arc::clone(witness),
        clock: Arc::clone(&settings.clock),
        limits: settings.limits,
        requests: Arc::new(Semaphore::new(settings.limits.requests)),
    };
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
    // The body is read before a place among the working requests is taken, so that slow clients cannot hold those.
    let body = request.into_body();
    let too_large = || {
        shared.witness.tell(&Event::CutOff("the body is too large"));
        line(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large")
    };
    // A length that was declared needs no waiting for.
    if body.size_hint().lower() > MAX_REQUEST_BYTES as u64 {
        return too_large();
    }
    let body = match timeout(shared.limits.body, to_bytes(body, MAX_REQUEST_BYTES)).await {
        Ok(Ok(body)) => body,
        // Or the connection broke, in which case nobody reads this.
        Ok(Err(_)) => return too_large(),
        Err(_) => {
            shared.witness.tell(&Event::CutOff("the body took too long"));
            return line(StatusCode::REQUEST_TIMEOUT, "the request took too long");
        }
    };
    let answer = work(&shared, move |shared| shared.witness.add_checkpoint(&body, (shared.clock)())).await;
    match answer {
        Ok(answer) => {
            let status = StatusCode::from_u16(answer.status());
            let status = status.expect("internal error: the status codes of answers are ones of HTTP");
            respond(status, answer.content_type(), answer.body().into_bytes())
        }
        Err(response) => response,
    }
}

async fn latest<C: Cells + Send + 'static>(
    State(shared): State<Arc<Shared<C>>>,
    Path(log): Path<String>,
) -> Response {
    match work(&shared, move |shared| shared.witness.latest(&log)).await {
        Ok(Latest::Checkpoint(bytes)) => respond(StatusCode::OK, TEXT_CONTENT_TYPE, bytes),
        Ok(Latest::None) => line(StatusCode::NOT_FOUND, "nothing is cosigned of such a log"),
        Ok(Latest::Failed(_)) => line(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed"),
        Err(response) => response,
    }
}

/// Does what may wait for the disk on a thread that may wait. The place is held until the work has ended, even if nobody waits
/// for it any more, so that a disk that hangs does not gather work without bound.
async fn work<C: Send + 'static, T: Send + 'static>(
    shared: &Arc<Shared<C>>,
    job: impl FnOnce(&Shared<C>) -> T + Send + 'static,
) -> Result<T, Response> {
    let Ok(permit) = Arc::clone(&shared.requests).try_acquire_owned() else {
        return Err(overloaded(shared));
    };
    let theirs = Arc::clone(shared);
    let task = spawn_blocking(move || {
        let done = job(&theirs);
        drop(permit);
        done
    });
    match timeout(shared.limits.answer, task).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => Err(line(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed")),
        Err(_) => Err(overloaded(shared)),
    }
}

fn overloaded<C>(shared: &Shared<C>) -> Response {
    shared.witness.tell(&Event::Overloaded);
    let mut response = line(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
    response
}

fn line(status: StatusCode, text: &str) -> Response {
    respond(status, TEXT_CONTENT_TYPE, format!("{text}\n").into_bytes())
}

fn respond(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
