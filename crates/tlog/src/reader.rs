//! Proofs and entries from what a log publishes.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::bundle;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::Hash;
use crate::key::VerifierKey;
use crate::merkle::{self, Ranges};
use crate::note::Note;
use crate::proof::Proof;
use crate::storage::{CHECKPOINT, Cause, Source};
use crate::tile::{self, FULL_WIDTH, Level, Tile};

/// Why something could not be had from a published log.
#[derive(Debug, Error)]
pub enum ReadError {
    #[error("could not read `{path}`")]
    Read { path: String, source: Cause },
    #[error("`{0}` is not there")]
    Missing(String),
    #[error("`{path}` has {found} bytes instead of {expected}")]
    Length { path: String, found: usize, expected: usize },
    #[error("`{path}`: {problem}")]
    Bundle { path: String, problem: bundle::CutShort },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("entry {index} is not in a log of {size} entries")]
    NoSuchEntry { index: u64, size: u64 },
    #[error(
        "the tiles lead to another root than the checkpoint of size {size}; `log fsck` says which is wrong"
    )]
    Damaged { size: u64 },
}

/// The latest checkpoint, if the log's key has signed it.
///
/// # Errors
/// Where it is missing, or not to be believed.
pub fn checkpoint(source: &dyn Source, log: &VerifierKey) -> Result<(Checkpoint, Note), ReadError> {
    let path = || CHECKPOINT.to_owned();
    let bytes = source.read(CHECKPOINT).map_err(|source| ReadError::Read { path: path(), source })?;
    Ok(Checkpoint::open(&bytes.ok_or_else(|| ReadError::Missing(path()))?, log)?)
}

/// Reads a file of a tile or bundle, or the full one where the partial is gone, as the specification allows. Says which of the
/// two it was.
///
/// # Errors
/// Where neither is there.
pub(crate) fn read_tile(source: &dyn Source, tile: Tile) -> Result<(Tile, Vec<u8>), ReadError> {
    for tile in [tile, tile.full()] {
        let path = tile.to_string();
        if let Some(bytes) = source.read(&path).map_err(|source| ReadError::Read { path, source })? {
            return Ok((tile, bytes));
        }
    }
    Err(ReadError::Missing(tile.to_string()))
}

/// The hashes of a tile at its width.
///
/// # Errors
/// Where the file is missing or has another length.
pub(crate) fn read_hashes(source: &dyn Source, tile: Tile) -> Result<Vec<Hash>, ReadError> {
    let (found, bytes) = read_tile(source, tile)?;
    let expected = found.byte_len();
    if bytes.len() != expected {
        return Err(ReadError::Length { path: found.to_string(), found: bytes.len(), expected });
    }
    Ok(tile::hashes(tile, &bytes[..tile.byte_len()]).expect("internal error: the length was checked"))
}

/// The tree of a log of a given size, as its tiles have it. Nothing is verified here; a proof that is made of it is.
pub struct Tiles<'s> {
    source: &'s dyn Source,
    size: u64,
    /// Tiles that were read, so that a proof reads each once.
    cache: BTreeMap<Tile, Vec<Hash>>,
}

impl<'s> Tiles<'s> {
    /// The tree of `size` leaves.
    pub fn new(source: &'s dyn Source, size: u64) -> Self {
        Self { source, size, cache: BTreeMap::new() }
    }

    fn hashes(&mut self, tile: Tile) -> Result<&[Hash], ReadError> {
        Ok(match self.cache.entry(tile) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => new.insert(read_hashes(self.source, tile)?),
        })
    }
}

impl Ranges for Tiles<'_> {
    type Error = ReadError;

    fn range(&mut self, start: u64, end: u64) -> Result<Hash, ReadError> {
        let width = end - start;
        if !width.is_power_of_two() {
            let middle = start + merkle::split(width);
            return Ok(Hash::node(self.range(start, middle)?, self.range(middle, end)?));
        }
        // A complete node of height h stands 2^(h mod 8) hashes wide in a tile of level h / 8.
        let height = width.trailing_zeros();
        let (level, span) = ((height / 8) as u8, 1_u64 << (height % 8));
        let first = start >> (8 * u32::from(level));
        let tile = Tile::at(Level::Hashes(level), first / u64::from(FULL_WIDTH), self.size)
            .ok_or(ReadError::NoSuchEntry { index: start, size: self.size })?;
        let within = (first % u64::from(FULL_WIDTH)) as usize;
        Ok(merkle::root(&self.hashes(tile)?[within..within + span as usize]))
    }
}

/// The root of the tree of `size` leaves, as the tiles have it.
///
/// # Errors
/// Where a tile cannot be read.
pub fn root(source: &dyn Source, size: u64) -> Result<Hash, ReadError> {
    if size == 0 { Ok(Hash::EMPTY_ROOT) } else { Tiles::new(source, size).range(0, size) }
}

/// An entry, and that the checkpoint covers it.
///
/// # Errors
/// Where it cannot be read, or the proof does not lead to the checkpoint's root.
pub fn prove(
    source: &dyn Source,
    checkpoint: &Checkpoint,
    note: &Note,
    index: u64,
) -> Result<(Vec<u8>, Proof), ReadError> {
    let size = checkpoint.size;
    let entry = entry(source, size, index)?;
    let hashes = merkle::inclusion_proof(index, size, &mut Tiles::new(source, size))?;
    merkle::verify_inclusion(index, size, Hash::leaf(&entry), &hashes, checkpoint.root)
        .map_err(|_| ReadError::Damaged { size })?;
    Ok((entry, Proof { extra: None, index, hashes, checkpoint: note.clone() }))
}

/// That the tree of `old` leaves is the beginning of the checkpoint's.
///
/// # Errors
/// Where a tile cannot be read.
pub fn prove_consistency(
    source: &dyn Source,
    checkpoint: &Checkpoint,
    old: u64,
) -> Result<Vec<Hash>, ReadError> {
    let size = checkpoint.size;
    if old > size {
        return Err(ReadError::NoSuchEntry { index: old, size });
    }
    merkle::consistency_proof(old, size, &mut Tiles::new(source, size))
}

/// An entry of a log of `size` entries, unverified.
///
/// # Errors
/// Where it cannot be read.
pub fn entry(source: &dyn Source, size: u64, index: u64) -> Result<Vec<u8>, ReadError> {
    if index >= size {
        return Err(ReadError::NoSuchEntry { index, size });
    }
    let (bundle_index, within) = (index / u64::from(FULL_WIDTH), (index % u64::from(FULL_WIDTH)) as usize);
    Ok(entries(source, size, bundle_index)?.swap_remove(within))
}

/// The up to 256 entries of one bundle of a log of `size` entries, unverified.
///
/// # Errors
/// Where it cannot be read.
pub fn entries(source: &dyn Source, size: u64, bundle_index: u64) -> Result<Vec<Vec<u8>>, ReadError> {
    let index = bundle_index.saturating_mul(u64::from(FULL_WIDTH));
    let tile = Tile::at(Level::Entries, bundle_index, size).ok_or(ReadError::NoSuchEntry { index, size })?;
    let (_, bytes) = read_tile(source, tile)?;
    let ranges = bundle::ranges(&bytes, tile.width)
        .map_err(|problem| ReadError::Bundle { path: tile.to_string(), problem })?;
    Ok(ranges.into_iter().map(|range| bytes[range].to_vec()).collect())
}

/// The index of an entry, found by its hash among the leaves; the first, where it stands there more than once. Reads every
/// tile of level 0 up to it.
///
/// # Errors
/// Where a tile cannot be read.
pub fn find(source: &dyn Source, size: u64, leaf: Hash) -> Result<Option<u64>, ReadError> {
    for index in 0..size.div_ceil(u64::from(FULL_WIDTH)) {
        let tile =
            Tile::at(Level::Hashes(0), index, size).expect("internal error: the index is below the size");
        if let Some(within) = read_hashes(source, tile)?.iter().position(|hash| *hash == leaf) {
            return Ok(Some(index * u64::from(FULL_WIDTH) + within as u64));
        }
    }
    Ok(None)
}
