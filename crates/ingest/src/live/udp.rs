//! A collector of export datagrams on a UDP socket.
//!
//! One thread does nothing but take datagrams from the socket, so that the kernel's buffer is emptied
//! while rows are made. Between it and the decoder lies a queue of so many bytes: what does not fit is
//! dropped and counted, and so is what the kernel dropped before.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::Timestamp;
use socket2::{Domain, Protocol, Socket, Type};
use traffic::{AccountNames, Address, Batch, ObjectNames, Seed};

use crate::network::datagram::Collector;
use crate::problems::Problems;
use crate::records::Log;
use crate::rows::Rows;

/// How often the receiving thread looks whether it should stop.
const STOP_EVERY: Duration = Duration::from_millis(50);

/// A day: an exporter's clock that is further ahead is not believed.
const AHEAD_MS: i64 = 24 * 3_600_000;

/// What a datagram in the queue takes beside its bytes.
const OVERHEAD: usize = size_of::<Received>() + 16;

/// How to listen.
#[derive(Clone, Copy, Debug)]
pub struct UdpOptions {
    /// Bytes of datagrams that wait to be decoded.
    pub queue_bytes: usize,
    /// The kernel's buffer in bytes. It gives less than that where its own limit is lower
    /// (`net.core.rmem_max` on Linux): see [`UdpCounts::kernel_buffer`].
    pub kernel_buffer: usize,
    /// What makes the ids of texts.
    pub seed: Seed,
    /// The clock. Times of reception are asked of it, one a datagram.
    pub clock: fn() -> Timestamp,
}

impl UdpOptions {
    /// 64 MiB of queue, 8 MiB in the kernel.
    pub fn new(seed: Seed, clock: fn() -> Timestamp) -> Self {
        Self { queue_bytes: 64 << 20, kernel_buffer: 8 << 20, seed, clock }
    }
}

/// What was received and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UdpCounts {
    /// Datagrams taken from the socket.
    pub received: u64,
    /// Of these, dropped because the queue was full.
    pub dropped_queue: u64,
    /// Dropped by the kernel because its buffer was full. `None` where it does not say.
    pub dropped_kernel: Option<u64>,
    /// Bytes of the kernel's buffer, as it counts them (Linux: twice what was asked for).
    pub kernel_buffer: usize,
    /// Export records that were understood.
    pub records: u64,
    /// Export records, sets or datagrams that were not: see [`Udp::problems`].
    pub refused: u64,
}

/// A socket that receives export datagrams.
#[derive(Debug)]
pub struct Udp {
    local: SocketAddr,
    kernel_buffer: usize,
    /// How the socket is listed in `/proc/net/udp`.
    inode: Option<u64>,
    shared: Arc<Shared>,
    queue: Receiver<Received>,
    receiver: Option<JoinHandle<()>>,
    collector: Collector,
    rows: Rows,
    log: Log,
    ready: VecDeque<Batch>,
}

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    queued: AtomicUsize,
    received: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct Received {
    from: SocketAddr,
    time: i64,
    payload: Box<[u8]>,
}

/// Stops a [`Udp`] from anywhere. What was received before is still decoded.
#[derive(Clone, Debug)]
pub struct Stop(Arc<Shared>);

impl Stop {
    /// Stops it.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }
}

impl Udp {
    /// Listens on an address. Port 0 takes one that is free.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn bind(address: SocketAddr, options: UdpOptions) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        // A smaller buffer than asked for is no reason not to listen; the counts show it.
        let _ = socket.set_recv_buffer_size(options.kernel_buffer);
        socket.set_read_timeout(Some(STOP_EVERY))?;
        socket.bind(&address.into())?;
        let kernel_buffer = socket.recv_buffer_size()?;
        let socket: UdpSocket = socket.into();
        let local = socket.local_addr()?;
        let inode = inode(&socket);
        let shared = Arc::new(Shared::default());
        let (sender, queue) = channel();
        let receiver = {
            let shared = shared.clone();
            std::thread::Builder::new()
                .name("udp".to_owned())
                .spawn(move || receive(&socket, &shared, &sender, options.queue_bytes, options.clock))?
        };
        Ok(Self {
            local,
            kernel_buffer,
            inode,
            shared,
            queue,
            receiver: Some(receiver),
            collector: Collector::default(),
            rows: Rows::new(options.seed, None),
            log: Log { source: format!("udp {local}"), ..Log::default() },
            ready: VecDeque::new(),
        })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// A handle to stop it.
    pub fn stop_handle(&self) -> Stop {
        Stop(self.shared.clone())
    }

    /// The next batch: as soon as one is full, or with what is there after `wait`. `Ok(None)` where
    /// nothing came, `Err(Stopped)` when it was stopped and all is given out.
    ///
    /// # Errors
    /// It was stopped.
    pub fn next_batch(&mut self, wait: Duration) -> Result<Option<Batch>, Stopped> {
        if let Some(batch) = self.ready.pop_front() {
            return Ok(Some(batch));
        }
        let mut stopped = false;
        // The first datagram may take `wait` to come, and those behind it may not prolong it: once
        // the queue is empty, what is there is given out.
        let mut left = wait;
        while !self.rows.is_full() {
            match self.queue.recv_timeout(left) {
                Ok(datagram) => {
                    left = Duration::ZERO;
                    self.decode(&datagram);
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    stopped = true;
                    self.collector.finish(&mut self.log);
                    break;
                }
            }
        }
        if self.rows.len() > 0 {
            let (mut accounts, mut objects) = (AccountNames::plain(), ObjectNames::new());
            self.ready.extend(self.rows.finish(&mut accounts, &mut objects));
        }
        match self.ready.pop_front() {
            None if stopped => Err(Stopped),
            batch => Ok(batch),
        }
    }

    fn decode(&mut self, datagram: &Received) {
        self.shared.queued.fetch_sub(datagram.payload.len() + OVERHEAD, Ordering::Relaxed);
        let exporter = Address::from(datagram.from.ip().to_canonical());
        let port = datagram.from.port();
        let payload = &datagram.payload;
        self.collector.set_latest(datagram.time.saturating_add(AHEAD_MS));
        self.collector.datagram(exporter, port, payload, datagram.time, &mut self.rows, &mut self.log);
    }

    /// What was received so far, and what was lost.
    pub fn counts(&self) -> UdpCounts {
        UdpCounts {
            received: self.shared.received.load(Ordering::Relaxed),
            dropped_queue: self.shared.dropped.load(Ordering::Relaxed),
            dropped_kernel: self.inode.and_then(kernel_drops),
            kernel_buffer: self.kernel_buffer,
            records: self.log.read,
            refused: self.log.refused,
        }
    }

    /// What could not be read so far, by reason.
    pub fn problems(&self) -> &Problems {
        &self.log.problems
    }
}

impl Drop for Udp {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        if let Some(receiver) = self.receiver.take() {
            // A thread that panicked has said so already.
            let _ = receiver.join();
        }
    }
}

/// It was stopped, and all that it received is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the collector was stopped")]
pub struct Stopped;

/// Takes datagrams from the socket until it is stopped.
fn receive(
    socket: &UdpSocket,
    shared: &Shared,
    queue: &Sender<Received>,
    queue_bytes: usize,
    clock: fn() -> Timestamp,
) {
    let mut buffer = vec![0; 1 << 16];
    while !shared.stopped.load(Ordering::Relaxed) {
        // Errors of a UDP socket are those of single datagrams (an ICMP message that came back), or
        // the time-out.
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        shared.received.fetch_add(1, Ordering::Relaxed);
        let size = length + OVERHEAD;
        if shared.queued.load(Ordering::Relaxed) + size > queue_bytes {
            shared.dropped.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        shared.queued.fetch_add(size, Ordering::Relaxed);
        let received = Received { from, time: clock().0, payload: buffer[..length].into() };
        if queue.send(received).is_err() {
            return;
        }
    }
}

/// The socket's inode, by which `/proc/net/udp` lists it.
#[cfg(target_os = "linux")]
fn inode(socket: &UdpSocket) -> Option<u64> {
    use std::os::fd::AsRawFd;
    let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok()?;
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn inode(_socket: &UdpSocket) -> Option<u64> {
    None
}

/// Datagrams that the kernel dropped at a socket: the last column of `/proc/net/udp` (proc(5)).
fn kernel_drops(inode: u64) -> Option<u64> {
    let wanted = inode.to_string();
    ["/proc/net/udp", "/proc/net/udp6"].into_iter().find_map(|table| {
        let table = std::fs::read_to_string(table).ok()?;
        let line = table.lines().find(|line| line.split_ascii_whitespace().nth(9) == Some(&wanted))?;
        line.split_ascii_whitespace().last()?.parse().ok()
    })
}
