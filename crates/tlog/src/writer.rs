//! Appending to a log, in an order that survives a crash at every step.
//!
//! # Life of a leaf
//!
//! 1. **Given.** [`Writer::append`] gets a batch of entries. One that stands in the log already keeps its index. *A crash here*
//!    loses the batch; nobody was told that it was accepted.
//! 2. **Integrated.** Tiles and bundles of the larger tree are written and made durable, under names that no checkpoint names
//!    yet. *A crash here* leaves files that nobody refers to; they are removed before the tree reaches their place.
//! 3. **Sequenced.** The checkpoint of the larger tree is signed, and put in the place of the last one in the private cell
//!    [`STATE`], durable, before anyone sees it. From here on the log has promised: the entries keep their indices for ever,
//!    and `append` returns. *A crash before the swap* leaves step 2. *After it*, [`Writer::open`] goes on from the larger tree.
//! 4. **Published.** [`Writer::publish`] puts the checkpoint, with the cosignatures that were collected, where readers look.
//!    *A crash before* leaves the older public checkpoint; the next `publish` replaces it. Partial tiles that a full one has
//!    replaced are removed after this; *a crash before that* leaves them, which does no harm.
//!
//! The order of 2 and 3 matters: the other way round, a crash would leave a promise that nobody can keep. The order of 3 and
//! 4 matters: a checkpoint that was seen and then lost in a crash would let the log sign another tree of that size.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use thiserror::Error;

use crate::bundle;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::Hash;
use crate::key::{SignerKey, VerifierKey};
use crate::merkle;
use crate::note::{Note, Signature};
use crate::reader::{self, ReadError};
use crate::storage::{Cause, LogStorage, SwapError};
use crate::tile::{FULL_WIDTH, Level, Tile};

/// The cell that holds the last signed checkpoint. The log's own memory of what it has promised.
pub const STATE: &str = "signed-checkpoint";

/// Why a log could not be created, opened or written to.
#[derive(Debug, Error)]
pub enum WriteError {
    #[error("a log with {0} entries is there already")]
    Exists(u64),
    #[error("there is no log here")]
    NoLog,
    #[error("could not load what the log signed last")]
    Load(#[source] Cause),
    #[error("the log's own record of what it signed last is not to be believed: {0}")]
    State(#[source] CheckpointError),
    #[error(
        "the log's files do not fit what it signed last (size {size}); nothing is written to a damaged log"
    )]
    Damaged { size: u64 },
    #[error("could not read the log")]
    Read(#[from] ReadError),
    #[error("could not write tiles; nothing was promised")]
    Put(#[source] Cause),
    #[error("could not record the checkpoint before showing it; nothing was promised")]
    Swap(#[source] SwapError),
    #[error("could not publish the checkpoint; the entries are durable and the next attempt publishes them")]
    Publish(#[source] Cause),
    #[error("an earlier write failed; open the log anew before writing to it")]
    Poisoned,
    #[error("entry {at} has {bytes} bytes; the most is {max}, log what is larger by its digest", max = bundle::MAX_ENTRY_BYTES)]
    EntryTooLarge { at: usize, bytes: usize },
    #[error("the key is `{key}`, but the log is `{log}`")]
    OtherKey { key: String, log: String },
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Where it stands.
    pub index: u64,
    /// Its hash as a leaf.
    pub leaf: Hash,
    /// Whether it stood there before this call.
    pub known: bool,
}

/// The one writer of a log. Its storage sees to it that there is no second: a swap of [`STATE`] that finds another value
/// fails.
pub struct Writer<S> {
    storage: S,
    key: SignerKey,
    /// The bytes of [`STATE`].
    state: Vec<u8>,
    signed: Checkpoint,
    edge: Edge,
    known: Known,
    /// Tiles that became full since the last publishing, whose partial versions can go then.
    replaced: Vec<Tile>,
    is_poisoned: bool,
}

impl<S: LogStorage> Writer<S> {
    /// Begins a log: signs and records the checkpoint of the empty tree. The log's origin is the name of its key.
    ///
    /// # Errors
    /// Where one is there already, or the storage fails.
    pub fn create(mut storage: S, key: SignerKey) -> Result<Self, WriteError> {
        if let Some(state) = storage.load(STATE).map_err(WriteError::Load)? {
            let size = open_state(&state, key.verifier()).map_or(0, |signed| signed.size);
            return Err(WriteError::Exists(size));
        }
        let signed = Checkpoint::new(key.verifier().name(), 0, Hash::EMPTY_ROOT);
        let state = signed.sign(&key).to_string().into_bytes();
        storage.swap(STATE, None, &state).map_err(WriteError::Swap)?;
        let (edge, known) = (Edge::default(), Known::default());
        let mut writer =
            Self { storage, key, state, signed, edge, known, replaced: Vec::new(), is_poisoned: false };
        writer.publish(&[])?;
        Ok(writer)
    }

    /// Opens a log and mends what a crash may have left: files beyond the right edge are removed. Publishing what was signed
    /// and not published is left to the caller, who may have to collect cosignatures first.
    ///
    /// # Errors
    /// Where there is no log, or its right edge does not fit what it signed last.
    pub fn open(mut storage: S, key: SignerKey) -> Result<Self, WriteError> {
        let state = storage.load(STATE).map_err(WriteError::Load)?.ok_or(WriteError::NoLog)?;
        let signed = open_state(&state, key.verifier())?;
        // A crash or a failed sync may have left a value that can be read and is not yet durable. Nothing may be built on it
        // before it is.
        storage.swap(STATE, Some(&state), &state).map_err(WriteError::Swap)?;
        let edge = Edge::load(&storage, signed.size)?;
        if edge.root() != signed.root {
            return Err(WriteError::Damaged { size: signed.size });
        }
        let leftovers = leftovers(&storage, &edge)?;
        storage.remove(&leftovers).map_err(WriteError::Put)?;
        let known = Known::load(&storage, signed.size)?;
        Ok(Self { storage, key, state, signed, edge, known, replaced: Vec::new(), is_poisoned: false })
    }

    /// What the log has signed last. Entries below its size are durable and keep their indices for ever.
    pub fn signed(&self) -> &Checkpoint {
        &self.signed
    }

    /// The log's public key.
    pub fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// The storage, to read from.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Gives the storage back.
    pub fn into_storage(self) -> S {
        self.storage
    }

    /// Appends a batch. When this returns, every entry is durable and has its index, known or new; publishing is
    /// another step. An entry that is there already, or twice in the batch, is appended once.
    ///
    /// # Errors
    /// After an error nothing was promised, and the log must be opened anew, but for [`WriteError::EntryTooLarge`], which
    /// changes nothing.
    pub fn append(&mut self, entries: &[impl AsRef<[u8]>]) -> Result<Vec<Appended>, WriteError> {
        if self.is_poisoned {
            return Err(WriteError::Poisoned);
        }
        for (at, entry) in entries.iter().enumerate() {
            let bytes = entry.as_ref().len();
            if bytes > bundle::MAX_ENTRY_BYTES {
                return Err(WriteError::EntryTooLarge { at, bytes });
            }
        }
        // Until the batch is durable nothing but a local copy changes; a failure leaves a writer that refuses to go on.
        self.is_poisoned = true;
        let old = self.signed.size;
        let mut batch = Batch::default();
        let mut appended = Vec::with_capacity(entries.len());
        for entry in entries {
            let leaf = Hash::leaf(entry.as_ref());
            if let Some(&index) = batch.new.get(&leaf) {
                appended.push(Appended { index, leaf, known: true });
                continue;
            }
            let index = match self.known.find(leaf, &self.edge, &self.storage, old)? {
                Some(index) => {
                    appended.push(Appended { index, leaf, known: true });
                    continue;
                }
                None => self.edge.push(entry.as_ref(), leaf, &mut batch.files),
            };
            batch.new.insert(leaf, index);
            appended.push(Appended { index, leaf, known: false });
        }
        if batch.new.is_empty() {
            self.is_poisoned = false;
            return Ok(appended);
        }
        self.replaced.extend(batch.files.iter().map(|(tile, _)| *tile));
        self.edge.partials(old, &mut batch.files);
        self.remove_dead(old, &batch.files)?;
        self.storage.put(&batch.files).map_err(WriteError::Put)?;

        let signed = Checkpoint::new(&self.signed.origin, self.edge.size, self.edge.root());
        let state = signed.sign(&self.key).to_string().into_bytes();
        self.storage.swap(STATE, Some(&self.state), &state).map_err(WriteError::Swap)?;

        batch.new.into_iter().for_each(|(leaf, index)| self.known.insert(leaf, index));
        (self.signed, self.state, self.is_poisoned) = (signed, state, false);
        Ok(appended)
    }

    /// Where a tile gets its first hash or entry, files of an append that died there may lie further out than `open` looked.
    /// They must be gone for good before that tile can be named. An edge that ended exactly with the tile before has nothing
    /// in the next one either.
    fn remove_dead(&mut self, old: u64, files: &[(Tile, Vec<u8>)]) -> Result<(), WriteError> {
        let mut dead = Vec::new();
        let begun = |level| crate::tile::level_width(level, old).div_ceil(u64::from(FULL_WIDTH));
        for (tile, _) in files.iter().filter(|(tile, _)| tile.index >= begun(tile.level)) {
            dead.extend(partials(&self.storage, *tile)?);
            let full = Tile { width: FULL_WIDTH, ..*tile };
            dead.extend(read(&self.storage, full)?.map(|_| full));
        }
        if dead.is_empty() {
            return Ok(());
        }
        // They are not dead but somebody else's, if this writer was overtaken.
        if self.storage.load(STATE).map_err(WriteError::Load)?.as_ref() != Some(&self.state) {
            return Err(WriteError::Swap(SwapError::Lost));
        }
        self.storage.remove(&dead).map_err(WriteError::Put)
    }

    /// The signed checkpoint as witnesses want to see it.
    pub fn signed_note(&self) -> Note {
        Note::parse(&self.state).expect("internal error: the state was signed or verified here")
    }

    /// Publishes what was signed last, with cosignatures of it, and removes partial tiles that full ones have replaced.
    ///
    /// # Errors
    /// Where the checkpoint could not be replaced. Files that could not be removed are left, and are no error.
    pub fn publish(&mut self, cosignatures: &[Signature]) -> Result<(), WriteError> {
        if self.is_poisoned {
            return Err(WriteError::Poisoned);
        }
        let mut note = self.signed_note();
        for signature in cosignatures {
            note.add(signature.clone());
        }
        self.storage.publish(note.to_string().as_bytes()).map_err(WriteError::Publish)?;
        let mut gone = Vec::new();
        for tile in self.replaced.drain(..) {
            // A reader who has an older checkpoint finds the full tile in their place.
            gone.extend(self.storage.partials(tile).unwrap_or_default());
        }
        // Best effort: a partial tile that stays is one file more, and true.
        drop(self.storage.remove(&gone));
        Ok(())
    }
}

fn open_state(state: &[u8], key: &VerifierKey) -> Result<Checkpoint, WriteError> {
    match Checkpoint::open(state, key) {
        Ok((signed, _)) => Ok(signed),
        Err(CheckpointError::OtherLog { expected, found }) => {
            Err(WriteError::OtherKey { key: expected, log: found })
        }
        Err(error) => Err(WriteError::State(error)),
    }
}

/// Files at the right edge of the tree that do not belong to it, left by an append that never came to its end: partial files
/// that are wider, or are not the beginning of the present ones, and full ones.
fn leftovers(storage: &impl LogStorage, edge: &Edge) -> Result<Vec<Tile>, WriteError> {
    let mut leftovers = Vec::new();
    for level in std::iter::once(Level::Entries).chain((0..=7).map(Level::Hashes)) {
        let index = crate::tile::level_width(level, edge.size) / u64::from(FULL_WIDTH);
        let full = Tile { level, index, width: FULL_WIDTH };
        let present = edge.bytes(level);
        for tile in partials(storage, full)? {
            if !read(storage, tile)?.is_some_and(|bytes| Edge::begins_with(tile, &bytes, &present)) {
                leftovers.push(tile);
            }
        }
        leftovers.extend(read(storage, full)?.map(|_| full));
    }
    Ok(leftovers)
}

fn partials(storage: &impl LogStorage, tile: Tile) -> Result<Vec<Tile>, ReadError> {
    storage.partials(tile).map_err(|source| ReadError::Read { path: tile.partial_folder(), source })
}

fn read(storage: &impl LogStorage, tile: Tile) -> Result<Option<Vec<u8>>, ReadError> {
    let path = tile.to_string();
    storage.read(&path).map_err(|source| ReadError::Read { path, source })
}

/// What one call of `append` adds.
#[derive(Default)]
struct Batch {
    new: BTreeMap<Hash, u64>,
    /// Full tiles and bundles; then the partial ones of the right edge.
    files: Vec<(Tile, Vec<u8>)>,
}

/// The right edge of the tree: the hashes of the last, not yet full tile of each level, and the last bundle.
#[derive(Clone, Default)]
struct Edge {
    size: u64,
    /// From level 0 up. The last is not empty, but in the empty tree.
    levels: Vec<Vec<Hash>>,
    bundle: Vec<u8>,
}

impl Edge {
    fn load(storage: &impl LogStorage, size: u64) -> Result<Self, WriteError> {
        let mut edge = Self { size, levels: Vec::new(), bundle: Vec::new() };
        let at_edge = |level| {
            let full = crate::tile::level_width(level, size) / u64::from(FULL_WIDTH);
            Tile::at(level, full, size)
        };
        for level in 0..=7 {
            if crate::tile::level_width(Level::Hashes(level), size) == 0 {
                break;
            }
            let tile = at_edge(Level::Hashes(level));
            edge.levels.push(tile.map_or(Ok(Vec::new()), |tile| reader::read_hashes(storage, tile))?);
        }
        if let Some(tile) = at_edge(Level::Entries) {
            let (_, bytes) = reader::read_tile(storage, tile)?;
            let cut = |problem| ReadError::Bundle { path: tile.to_string(), problem };
            let ranges = bundle::ranges(&bytes, tile.width).map_err(cut)?;
            let leaves: Vec<Hash> = ranges.iter().map(|range| Hash::leaf(&bytes[range.clone()])).collect();
            if Some(&leaves) != edge.levels.first() {
                return Err(WriteError::Damaged { size });
            }
            let end = ranges.last().map_or(0, |range| range.end);
            edge.bundle = bytes[..end].to_vec();
        }
        Ok(edge)
    }

    /// Adds an entry; full tiles and bundles go to `files`. Returns the entry's index.
    fn push(&mut self, entry: &[u8], leaf: Hash, files: &mut Vec<(Tile, Vec<u8>)>) -> u64 {
        let index = self.size;
        bundle::push(&mut self.bundle, entry);
        self.size += 1;
        if self.size.is_multiple_of(u64::from(FULL_WIDTH)) {
            let tile =
                Tile { level: Level::Entries, index: index / u64::from(FULL_WIDTH), width: FULL_WIDTH };
            files.push((tile, std::mem::take(&mut self.bundle)));
        }
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            self.levels[level].push(hash);
            if self.levels[level].len() < usize::from(FULL_WIDTH) {
                break;
            }
            let hashes = std::mem::take(&mut self.levels[level]);
            hash = merkle::root(&hashes);
            let last = crate::tile::level_width(Level::Hashes(level as u8), self.size) - 1;
            let tile = Tile {
                level: Level::Hashes(level as u8),
                index: last / u64::from(FULL_WIDTH),
                width: FULL_WIDTH,
            };
            files.push((tile, to_bytes(&hashes)));
        }
        index
    }

    /// The bytes of the last, not yet full tile of a level, or of the last bundle.
    fn bytes(&self, level: Level) -> Vec<u8> {
        match level {
            Level::Entries => self.bundle.clone(),
            Level::Hashes(level) => {
                self.levels.get(usize::from(level)).map_or(Vec::new(), |hashes| to_bytes(hashes))
            }
        }
    }

    /// Whether a partial file at the edge is the beginning of what the edge has now.
    fn begins_with(partial: Tile, bytes: &[u8], present: &[u8]) -> bool {
        let len = match partial.level {
            Level::Hashes(_) => Some(partial.byte_len()),
            Level::Entries => {
                bundle::ranges(present, partial.width).ok().and_then(|r| r.last().map(|range| range.end))
            }
        };
        len.is_some_and(|len| present.get(..len) == Some(bytes))
    }

    /// The partial tiles and the bundle that differ from those of the tree of `old` leaves.
    fn partials(&self, old: u64, files: &mut Vec<(Tile, Vec<u8>)>) {
        for tile in crate::tile::between(old, self.size).filter(|tile| !tile.is_full()) {
            files.push((tile, self.bytes(tile.level)));
        }
    }

    /// The root of the tree, from its right edge alone: what stands in the last tile of a level is to the right of all above.
    fn root(&self) -> Hash {
        merkle::edge_root(&self.levels)
    }
}

fn to_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Which entries are in the log, by eight bytes of their leaf hash: 16 bytes an entry. Eight bytes can be made to collide,
/// so a hit is looked up in the tile.
#[derive(Default)]
struct Known {
    table: HashTable<(u64, u64)>,
}

impl Known {
    fn load(storage: &impl LogStorage, size: u64) -> Result<Self, WriteError> {
        let mut known = Self { table: HashTable::with_capacity(size as usize) };
        for index in 0..size.div_ceil(u64::from(FULL_WIDTH)) {
            let tile =
                Tile::at(Level::Hashes(0), index, size).expect("internal error: the index is below the size");
            for (within, leaf) in (0..).zip(reader::read_hashes(storage, tile)?) {
                known.insert(leaf, index * u64::from(FULL_WIDTH) + within);
            }
        }
        Ok(known)
    }

    fn insert(&mut self, leaf: Hash, index: u64) {
        let short = short(leaf);
        self.table.insert_unique(short, (short, index), |(short, _)| *short);
    }

    fn find(
        &self,
        leaf: Hash,
        edge: &Edge,
        storage: &impl LogStorage,
        size: u64,
    ) -> Result<Option<u64>, WriteError> {
        let short = short(leaf);
        for &(_, index) in self.table.iter_hash(short).filter(|(other, _)| *other == short) {
            let (tile, within) = (index / u64::from(FULL_WIDTH), (index % u64::from(FULL_WIDTH)) as usize);
            let in_edge = tile == edge.size / u64::from(FULL_WIDTH);
            let found = if in_edge {
                edge.levels[0][within]
            } else {
                let tile =
                    Tile::at(Level::Hashes(0), tile, size).expect("internal error: a known entry has a tile");
                reader::read_hashes(storage, tile)?[within]
            };
            if found == leaf {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
}

fn short(leaf: Hash) -> u64 {
    u64::from_be_bytes(*leaf.0.first_chunk().expect("internal error: a hash has 32 bytes"))
}
