//! Logs that tell the truth and logs that do not, cells that fail when they are told to, and a server on loopback.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tlog::add_checkpoint::AddCheckpoint;
use tlog::key::KeyKind;
use tlog::memory::Memory;
use tlog::storage::{Cause, Cells, SwapError};
use tlog::{Checkpoint, Hash, Note, SignerKey, VerifierKey, merkle};
use witness::evidence::{Evidence, Exhibit, Kept, Kind};
use witness::server::{Limits, Settings, run};
use witness::witness::Latest;
use witness::{Answer, Stop, Witness};

pub(crate) const NOW: u64 = 1_700_000_000;

/// A log whose leaves are numbered. From leaf `fork` on, a liar has other leaves than the honest log of the same key.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) key: Arc<SignerKey>,
    leaves: Vec<Hash>,
}

impl Log {
    pub(crate) fn honest(origin: &str) -> Self {
        Self::forked(origin, usize::MAX)
    }

    pub(crate) fn forked(origin: &str, fork: usize) -> Self {
        let seed = origin.bytes().fold(1, u8::wrapping_add);
        let key = SignerKey::from_seed(origin, KeyKind::Ed25519, &[seed; 32]).expect("a name");
        let leaf = |i: usize| Hash::leaf(&[i as u8, u8::from(i >= fork)]);
        Self { key: Arc::new(key), leaves: (0..200).map(leaf).collect() }
    }

    pub(crate) fn root(&self, size: u64) -> Hash {
        merkle::root(&self.leaves[..size as usize])
    }

    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        Checkpoint::new(self.key.verifier().name(), size, self.root(size))
    }

    pub(crate) fn note(&self, size: u64) -> Note {
        self.checkpoint(size).sign(&self.key)
    }

    pub(crate) fn proof(&self, old: u64, size: u64) -> Vec<Hash> {
        merkle::consistency_proof(old, size, &mut &self.leaves[..]).expect("infallible")
    }

    /// A request as the specification has it; where `old` is above `size`, without a proof.
    pub(crate) fn request(&self, old: u64, size: u64) -> AddCheckpoint {
        let proof = if old <= size { self.proof(old, size) } else { Vec::new() };
        AddCheckpoint { old, proof, checkpoint: self.note(size) }
    }
}

/// A key of a witness.
pub(crate) fn cosigner(name: &str, seed: u8) -> SignerKey {
    SignerKey::from_seed(name, KeyKind::CosignatureV1, &[seed; 32]).expect("a name")
}

/// What the next access to the cells does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Fails, and nothing is changed.
    Before,
    /// Fails, though the new value stands until the power fails.
    After,
    /// Somebody else writes first.
    Lost,
    /// Panics, though the new value stands until the power fails.
    Panic,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) memory: Memory,
    /// For each coming swap.
    pub(crate) swaps: VecDeque<Option<Fault>>,
    /// For each coming load.
    pub(crate) loads: VecDeque<bool>,
    /// What somebody else writes where a swap is lost.
    pub(crate) other: Option<Vec<u8>>,
    /// What stands after a power cut: all but the last value, where its swap failed after the fact.
    pub(crate) durable: Memory,
}

impl State {
    /// Forgets what is not durable.
    pub(crate) fn power_cut(&mut self) {
        self.memory = self.durable.clone();
    }
}

/// Cells in memory that can be looked at and told to fail.
#[derive(Clone, Default)]
pub(crate) struct TestCells(pub(crate) Arc<Mutex<State>>);

impl TestCells {
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Cells for TestCells {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Cause> {
        self.with(|state| match state.loads.pop_front() {
            Some(true) => Err("the disk is gone".into()),
            _ => state.memory.load(name),
        })
    }

    fn swap(&mut self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<(), SwapError> {
        self.with(|state| {
            let fault = state.swaps.pop_front().flatten();
            if fault == Some(Fault::Before) {
                return Err(SwapError::Failed("the disk is full".into()));
            }
            if fault == Some(Fault::Lost) {
                if let Some(other) = state.other.take() {
                    state.memory.cells.insert(name.to_owned(), other);
                    state.durable = state.memory.clone();
                }
                return Err(SwapError::Lost);
            }
            state.memory.swap(name, expected, new)?;
            if fault == Some(Fault::Panic) {
                // A panic that the hook does not print.
                std::panic::resume_unwind(Box::new("the disk is on fire"));
            }
            if fault == Some(Fault::After) {
                return Err(SwapError::Failed("no answer".into()));
            }
            state.durable = state.memory.clone();
            Ok(())
        })
    }
}

/// Evidence in memory.
#[derive(Clone, Default)]
pub(crate) struct Exhibits(pub(crate) Arc<Mutex<Vec<Exhibit>>>);

impl Evidence for Exhibits {
    fn keep(&mut self, exhibit: &Exhibit) -> Result<Kept, Cause> {
        self.0.lock().expect("no panic").push(exhibit.clone());
        Ok(Kept::New { room: 7 })
    }
}

/// A witness with everything that a test wants to look at.
pub(crate) struct Bench {
    pub(crate) witness: Arc<Witness<TestCells>>,
    pub(crate) cells: TestCells,
    pub(crate) exhibits: Exhibits,
    pub(crate) events: Arc<Mutex<Vec<String>>>,
    pub(crate) now: u64,
}

impl Bench {
    /// A witness `w.example` that knows the logs.
    pub(crate) fn new(logs: &[&Log]) -> Self {
        Self::with_keys(vec![cosigner("w.example", 1)], logs)
    }

    pub(crate) fn with_keys(keys: Vec<SignerKey>, logs: &[&Log]) -> Self {
        Self::over(keys, logs, TestCells::default())
    }

    /// A witness that begins with what the cells hold.
    pub(crate) fn over(keys: Vec<SignerKey>, logs: &[&Log], cells: TestCells) -> Self {
        let exhibits = Exhibits::default();
        let events = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&events);
        let keys_of_logs: Vec<VerifierKey> = logs.iter().map(|log| log.key.verifier().clone()).collect();
        let witness = Witness::new(keys, keys_of_logs, cells.clone(), exhibits.clone())
            .expect("a witness")
            .on_event(move |event| told.lock().expect("no panic").push(event.to_string()));
        Self { witness: Arc::new(witness), cells, exhibits, events, now: NOW }
    }

    pub(crate) fn send(&self, request: &AddCheckpoint) -> Answer {
        self.witness.add_checkpoint(request.to_string().as_bytes(), self.now)
    }

    /// Status and body.
    pub(crate) fn say(&self, request: &AddCheckpoint) -> String {
        let answer = self.send(request);
        format!("{} {}", answer.status(), answer.body().trim_end())
    }

    pub(crate) fn status(&self, request: &AddCheckpoint) -> u16 {
        self.send(request).status()
    }

    /// The size that monitors see.
    pub(crate) fn recorded(&self, log: &Log) -> Option<u64> {
        match self.witness.latest(&hash_of(log)) {
            Latest::Checkpoint(bytes) => Some(size_of(&bytes)),
            Latest::None => None,
            Latest::Failed(failure) => panic!("{failure}"),
        }
    }

    pub(crate) fn kinds(&self) -> Vec<Kind> {
        self.exhibits.0.lock().expect("no panic").iter().map(|exhibit| exhibit.kind).collect()
    }
}

/// The part of the monitoring address that stands for a log, computed anew.
pub(crate) fn hash_of(log: &Log) -> String {
    let hash = tlog::hash::sha256(log.key.verifier().name().as_bytes());
    hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn size_of(note: &[u8]) -> u64 {
    let note = Note::parse(note).expect("a note");
    Checkpoint::parse(note.unverified_text()).expect("a checkpoint").size
}

/// A witness served on loopback until it is dropped.
pub(crate) struct Served {
    pub(crate) bench: Bench,
    pub(crate) address: SocketAddr,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub(crate) fn new(bench: Bench, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = Stop::default();
        let settings = Settings::new("/w", || NOW).expect("a prefix").limits(limits);
        let (witness, told) = (Arc::clone(&bench.witness), stop.clone());
        let thread = std::thread::spawn(move || {
            run(listener, witness, &settings, &told).expect("it serves");
        });
        Self { bench, address, stop, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/w", self.address)
    }

    /// Connects, and gives up on anything that takes half a minute.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        stream
    }

    /// Sends bytes, and reads until the server closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // The server may have closed before all was sent; what it said is what matters.
        let _ = stream.write_all(bytes);
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.raw(format!("GET {path} HTTP/1.1\r\nhost: w.example\r\nconnection: close\r\n\r\n").as_bytes())
    }

    pub(crate) fn post(&self, request: &AddCheckpoint) -> String {
        self.raw(&post(&request.to_string(), "close"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server panicked");
        }
    }
}

/// An `add-checkpoint` request in bytes.
pub(crate) fn post(body: &str, connection: &str) -> Vec<u8> {
    let n = body.len();
    format!("POST /w/add-checkpoint HTTP/1.1\r\nhost: w.example\r\nconnection: {connection}\r\ncontent-length: {n}\r\n\r\n{body}")
        .into_bytes()
}

/// The status code of a response in bytes.
pub(crate) fn status_of(response: &str) -> u16 {
    response.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0)
}
