//! A small HTTP/1.1 server with bounds, for services that strangers may reach: connections, heads, bodies, time, and the work
//! that waits for a disk. It serves whatever an [`axum::Router`] answers, here the rules of [`crate::witness`].
//!
//! Whoever can reach it may send anything at any speed. What each can use up is bounded: see [`Limits`].

use std::future::Future;
use std::io::{self, Write as _};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::event::Event;

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

/// What is said to a connection too many, without reading from it.
const TOO_MANY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

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
pub struct Stop {
    told: Arc<watch::Sender<bool>>,
    by_signals: bool,
}

impl Default for Stop {
    fn default() -> Self {
        Self { told: Arc::new(watch::Sender::new(false)), by_signals: false }
    }
}

impl Stop {
    /// One that is also told by whoever ends the process with ctrl-c or SIGTERM.
    pub fn by_signals() -> Self {
        Self { by_signals: true, ..Self::default() }
    }

    /// Stops, after requests under way have been answered.
    pub fn stop(&self) {
        self.told.send_replace(true);
    }

    /// Returns once somebody has said stop.
    pub async fn told(&self) {
        let mut told = self.told.subscribe();
        // An error would mean that the sender is gone, which `self` holds.
        let told = async { drop(told.wait_for(|stopped| *stopped).await) };
        if self.by_signals {
            tokio::select! {
                () = told => (),
                () = signalled() => (),
            }
        } else {
            told.await;
        }
    }
}

/// Returns at the first signal that asks the process to end. Where the system gives none, never: then the process ends as ever.
async fn signalled() {
    let listen = |kind| signal(kind).ok();
    let (interrupt, terminate) = (listen(SignalKind::interrupt()), listen(SignalKind::terminate()));
    let heard = async |signals: Option<Signal>| match signals {
        Some(mut signals) => drop(signals.recv().await),
        None => std::future::pending().await,
    };
    tokio::select! {
        () = heard(interrupt) => (),
        () = heard(terminate) => (),
    }
}

/// Who is told what happened.
pub type Tell = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// A prefix of paths, such as the empty one or `/w1`, if it is one.
///
/// # Errors
/// [`ServeError::Prefix`].
pub fn prefix(text: &str) -> Result<String, ServeError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
    let rooted = text.is_empty() || (text.starts_with('/') && !text.ends_with('/'));
    if !rooted || !text.chars().all(plain) {
        return Err(ServeError::Prefix(text.to_owned()));
    }
    Ok(text.to_owned())
}

/// Serves on threads of its own until it is told to stop. Blocks.
///
/// # Errors
/// [`ServeError`]. Once it serves, it goes on until it is told to stop.
pub fn run(
    listener: std::net::TcpListener,
    app: Router,
    limits: Limits,
    tell: &Tell,
    stop: &Stop,
) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(limits.requests.max(1))
        .enable_all()
        .build()
        .map_err(ServeError::Threads)?;
    let ended = runtime.block_on(serve(listener, app, limits, tell, stop.told()));
    // A thread that the disk never answers must not keep the process.
    runtime.shutdown_timeout(limits.grace);
    ended
}

/// Serves until `stop` is ready, then lets requests under way end.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(
    listener: std::net::TcpListener,
    app: Router,
    limits: Limits,
    tell: &Tell,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    listener.set_nonblocking(true).map_err(ServeError::Listener)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(ServeError::Listener)?;
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
                tell(&Event::Accept(&error));
                // Most likely there are no more file descriptors; they come back as connections end.
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&connections).try_acquire_owned() else {
            tell(&Event::Overloaded);
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

/// Why a body is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutOff {
    /// It is longer than may be.
    TooLarge,
    /// It did not come in time.
    TooSlow,
}

/// Reads the body of a request, of at most so many bytes, in the time for bodies. Whoever has it read before taking a place among
/// the working requests does not let slow clients hold those.
///
/// # Errors
/// [`CutOff`], which was told.
pub async fn body(body: Body, most: usize, limits: &Limits, tell: &Tell) -> Result<Bytes, CutOff> {
    // A length that was declared needs no waiting for.
    let is_declared = body.size_hint().lower() > most as u64;
    let read = async { if is_declared { None } else { to_bytes(body, most).await.ok() } };
    match timeout(limits.body, read).await {
        Ok(Some(body)) => Ok(body),
        // Or the connection broke, in which case nobody reads this.
        Ok(None) => {
            tell(&Event::CutOff("the body is too large"));
            Err(CutOff::TooLarge)
        }
        Err(_) => {
            tell(&Event::CutOff("the body took too long"));
            Err(CutOff::TooSlow)
        }
    }
}

/// Why work was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDone {
    /// No place was free, or the work took too long. It may still be done.
    Overloaded,
    /// It panicked.
    Failed,
}

/// Places for work that may wait for a disk.
#[derive(Clone, Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    answer: Duration,
}

impl Places {
    /// As many as requests may be worked on at once.
    pub fn new(limits: &Limits) -> Self {
        Self { free: Arc::new(Semaphore::new(limits.requests)), answer: limits.answer }
    }

    /// Does what may wait for the disk on a thread that may wait, or turns it away where no place is free. The place is held until
    /// the work has ended, even if nobody waits for it any more, so that a disk that hangs does not gather work without bound.
    ///
    /// # Errors
    /// [`NotDone`].
    pub async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let permit = Arc::clone(&self.free).try_acquire_owned().map_err(|_| NotDone::Overloaded)?;
        self.hold(permit, job).await
    }

    /// The same for work that waits for its turn: places are given in the order in which they were asked for, so that a crowd delays
    /// the others and does not drive them away.
    ///
    /// # Errors
    /// [`NotDone`].
    pub async fn queue<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let turn = timeout(self.answer, Arc::clone(&self.free).acquire_owned()).await;
        let permit = turn.ok().and_then(Result::ok).ok_or(NotDone::Overloaded)?;
        self.hold(permit, job).await
    }

    async fn hold<T: Send + 'static>(
        &self,
        permit: OwnedSemaphorePermit,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let task = spawn_blocking(move || {
            let done = job();
            drop(permit);
            done
        });
        match timeout(self.answer, task).await {
            Ok(done) => done.map_err(|_| NotDone::Failed),
            Err(_) => Err(NotDone::Overloaded),
        }
    }
}

/// An answer.
pub fn respond(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
