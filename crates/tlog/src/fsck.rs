//! A whole log, checked from what it publishes, without the writer's help.
//!
//! Every file is read once. Hashes of all entries make a tree of their own (the *entries'* tree), and the tiles say another
//! (the *tiles'* tree). Which is right, the signed root says:
//!
//! - The entries' tree has the root. Then every entry is authentic, and every byte of a tile that differs from it is bad; the
//!   first is named exactly.
//! - The tiles' tree has the root. Then every tile is authentic, and each entry whose hash differs is bad; its range of bytes is
//!   named, as a hash cannot say which byte of it changed.
//! - Neither. Then more than one thing is wrong, or the checkpoint is of another tree; what differs is named, and that neither
//!   side is trusted.
//!
//! Memory is 64 bytes for each 256 entries, and the files in hand.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::bundle;
use crate::checkpoint::Checkpoint;
use crate::hash::{HASH_BYTES, Hash};
use crate::key::VerifierKey;
use crate::merkle;
use crate::note::Note;
use crate::reader::{self, ReadError};
use crate::storage::Source;
use crate::tile::{self, FULL_WIDTH, Level, Tile};

/// How to check.
pub struct Options<'a> {
    /// Threads to check on, at least one.
    pub threads: usize,
    /// Called now and then, from any thread, with the number of entries checked so far.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// What the check found.
#[derive(Debug)]
pub struct Report {
    /// The checkpoint, which the log's key has signed.
    pub checkpoint: Checkpoint,
    /// The checkpoint with all its signatures.
    pub note: Note,
    /// Number of files that were read.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// What is wrong, in the order of the tree; the first names the first bad byte. At most [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
    /// Further problems that are not listed.
    pub more_problems: u64,
}

impl Report {
    /// Whether the log is what its checkpoint says.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Enough to see what happened; a log that is wrong throughout would fill the screen.
pub const MAX_PROBLEMS: usize = 1000;

/// Something that is wrong with a published log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A file that the checkpoint needs is not there.
    Missing { path: String },
    /// A file could not be read.
    Unreadable { path: String, reason: String },
    /// A file is too short or too long.
    Length { path: String, found: usize, expected: usize },
    /// A byte of a tile differs from what the entries say.
    Byte { path: String, at: usize, found: u8, expected: u8 },
    /// An entry is not the one that was logged.
    Entry { path: String, index: u64, bytes: Range<usize> },
    /// A bundle breaks off.
    CutShort { path: String, at: usize },
    /// A partial file that is not the beginning of the newer one.
    Partial { path: String, at: usize },
    /// A tile and the entries or tiles below it do not fit, and nothing says which is right.
    DoesNotFit { path: String, at: usize },
    /// Neither entries nor tiles have the root that was signed.
    Root { signed: Hash, entries: Hash, tiles: Hash },
}

impl Problem {
    /// The file that is wrong; the checkpoint, where it does not fit the rest.
    pub fn path(&self) -> &str {
        match self {
            Self::Missing { path }
            | Self::Unreadable { path, .. }
            | Self::Length { path, .. }
            | Self::Byte { path, .. }
            | Self::Entry { path, .. }
            | Self::CutShort { path, .. }
            | Self::Partial { path, .. }
            | Self::DoesNotFit { path, .. } => path,
            Self::Root { .. } => crate::storage::CHECKPOINT,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "`{path}` is not there"),
            Self::Unreadable { path, reason } => write!(f, "could not read `{path}`: {reason}"),
            Self::Length { path, found, expected } => {
                write!(f, "`{path}` has {found} bytes instead of {expected}")
            }
            Self::Byte { path, at, found, expected } => {
                write!(f, "`{path}` byte {at} is {found:#04x}; the entries say {expected:#04x}")
            }
            Self::Entry { path, index, bytes } => {
                write!(
                    f,
                    "entry {index} is not the one that was logged: `{path}` bytes {} to {}",
                    bytes.start, bytes.end
                )
            }
            Self::CutShort { path, at } => {
                write!(f, "`{path}` breaks off in the entry that begins at byte {at}")
            }
            Self::Partial { path, at } => {
                write!(f, "`{path}` differs at byte {at} from the newer file that should begin with it")
            }
            Self::DoesNotFit { path, at } => {
                write!(f, "`{path}` does not fit what is below it, from byte {at} on; either may be wrong")
            }
            Self::Root { signed, entries, tiles } => write!(
                f,
                "the signed root is `{signed}`, but the entries have `{entries}` and the tiles `{tiles}`"
            ),
        }
    }
}

/// Checks a log. Only the checkpoint must be in order for there to be a report.
///
/// # Errors
/// Where the checkpoint is missing, or the log's key has not signed it.
pub fn check(source: &dyn Source, log: &VerifierKey, options: &Options<'_>) -> Result<Report, ReadError> {
    let (checkpoint, note) = reader::checkpoint(source, log)?;
    let mut run = Run {
        source,
        size: checkpoint.size,
        files: 0,
        bytes: 0,
        found: Vec::new(),
        odd_partials: Vec::new(),
    };
    let leaves = run.leaves(options);
    run.judge(&checkpoint, &leaves);
    run.found.sort_by_key(|(place, _)| *place);
    let mut problems: Vec<Problem> = run.found.into_iter().map(|(_, problem)| problem).collect();
    problems.dedup();
    let more_problems = problems.len().saturating_sub(MAX_PROBLEMS) as u64;
    problems.truncate(MAX_PROBLEMS);
    Ok(Report { checkpoint, note, files: run.files, bytes: run.bytes, problems, more_problems })
}

/// Where a problem stands in the tree: level (entries first), index, byte.
type Place = (Level, u64, usize);

struct Run<'s> {
    source: &'s dyn Source,
    size: u64,
    files: u64,
    bytes: u64,
    found: Vec<(Place, Problem)>,
    odd_partials: Vec<OddPartial>,
}

/// A partial file that is not the beginning of the newest version of its tile or bundle. One of the two is wrong.
struct OddPartial {
    tile: Tile,
    bytes: Vec<u8>,
    /// The first byte that differs, or the end of the shorter one.
    at: usize,
    /// For a bundle: whether the stored tile of hashes agrees with it.
    agrees_with_tile: bool,
}

/// What the bundles and the tiles of level 0 say, for each 256 entries.
struct Leaves {
    /// Root of each tile's hashes, by its entries; where the bundle cannot be read, by the tile.
    by_entries: Vec<Hash>,
    /// The same by the tile; where the tile cannot be read, by the entries.
    by_tiles: Vec<Hash>,
    /// Where both can be read and differ.
    differences: Vec<Difference>,
}

struct Difference {
    index: u64,
    stored: Vec<u8>,
    computed: Vec<Hash>,
    ranges: Vec<Range<usize>>,
}

/// What a thread makes of one bundle and its tile.
#[derive(Default)]
struct Checked {
    by_entries: Option<Hash>,
    by_tiles: Option<Hash>,
    difference: Option<Difference>,
    odd_partials: Vec<OddPartial>,
    found: Vec<(Place, Problem)>,
    files: u64,
    bytes: u64,
}

impl Run<'_> {
    fn leaves(&mut self, options: &Options<'_>) -> Leaves {
        let n_tiles = self.size.div_ceil(u64::from(FULL_WIDTH));
        let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
        let work = || {
            let mut mine = Vec::new();
            loop {
                // Runs of neighbours, so that threads rarely meet at the counter.
                let first = next.fetch_add(16, Ordering::Relaxed);
                if first >= n_tiles {
                    return mine;
                }
                for index in first..(first + 16).min(n_tiles) {
                    mine.push((index, check_leaves(self.source, self.size, index)));
                }
                let entries = 16 * u64::from(FULL_WIDTH);
                (options.progress)((done.fetch_add(entries, Ordering::Relaxed) + entries).min(self.size));
            }
        };
        let mut checked: Vec<(u64, Checked)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..options.threads.max(1)).map(|_| scope.spawn(work)).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().flat_map(join).collect()
        });
        checked.sort_by_key(|(index, _)| *index);
        let mut leaves = Leaves { by_entries: Vec::new(), by_tiles: Vec::new(), differences: Vec::new() };
        for (_, checked) in checked {
            let either = checked.by_entries.or(checked.by_tiles).unwrap_or(Hash::EMPTY_ROOT);
            leaves.by_entries.push(checked.by_entries.unwrap_or(either));
            leaves.by_tiles.push(checked.by_tiles.unwrap_or(either));
            leaves.differences.extend(checked.difference);
            self.found.extend(checked.found);
            self.odd_partials.extend(checked.odd_partials);
            self.files += checked.files;
            self.bytes += checked.bytes;
        }
        leaves
    }

    fn judge(&mut self, checkpoint: &Checkpoint, leaves: &Leaves) {
        let mut entries_edge = Vec::new();
        let computed = Levels::compute(&leaves.by_entries, self.size, &mut entries_edge);
        let entries_root = merkle::edge_root(&entries_edge);
        let stored = self.upper_tiles(&computed);
        let tiles_root = self.tiles_root(leaves, &stored);
        let entries_hold = entries_root == checkpoint.root;
        // The tiles hold together if their right edge has the root, and each tile has the hash that the one above says.
        let tiles_hold = tiles_root == checkpoint.root;
        if !entries_hold && !tiles_hold {
            let problem = Problem::Root { signed: checkpoint.root, entries: entries_root, tiles: tiles_root };
            self.found.push(((Level::Entries, 0, 0), problem));
        }
        for difference in &leaves.differences {
            self.leaf_difference(difference, entries_hold, tiles_hold);
        }
        for odd in std::mem::take(&mut self.odd_partials) {
            if !is_right(&odd, leaves, &computed, entries_hold) {
                let OddPartial { tile, at, .. } = odd;
                self.found
                    .push(((tile.level, tile.index, at), Problem::Partial { path: tile.to_string(), at }));
            }
        }
        for (tile, stored) in &stored {
            let Some(bytes) = stored else { continue };
            let expected = computed.of(*tile);
            if let Some(at) = first_difference(bytes, &expected) {
                let path = tile.to_string();
                let problem = if entries_hold {
                    Problem::Byte { path, at, found: bytes[at], expected: expected[at] }
                } else if tiles_hold {
                    // The tile is authentic; what is wrong is below it, and is named there.
                    continue;
                } else {
                    Problem::DoesNotFit { path, at }
                };
                self.found.push(((tile.level, tile.index, at), problem));
            }
        }
    }

    /// Reads every tile above level 0, and looks at their partial versions. `None` for one that cannot be read.
    fn upper_tiles(&mut self, computed: &Levels) -> Vec<(Tile, Option<Vec<u8>>)> {
        let mut stored = Vec::new();
        for tile in tile::all(self.size).filter(|tile| matches!(tile.level, Level::Hashes(1..))) {
            let mut checked = Checked::default();
            let bytes = read(self.source, tile, &mut checked).map(|(_, bytes)| bytes);
            let newest = bytes.clone().unwrap_or_else(|| computed.of(tile));
            check_partials(self.source, tile, &newest, None, &mut checked);
            self.found.extend(checked.found);
            self.odd_partials.extend(checked.odd_partials);
            self.files += checked.files;
            self.bytes += checked.bytes;
            stored.push((tile, bytes));
        }
        stored
    }

    /// The root that the tiles lead to: of the right edge, if each full tile below has the hash that the one above says for it;
    /// otherwise a root that cannot be the signed one.
    fn tiles_root(&self, leaves: &Leaves, stored: &[(Tile, Option<Vec<u8>>)]) -> Hash {
        let mut below: Vec<Hash> = leaves.by_tiles.clone();
        let mut edge: Vec<Vec<Hash>> = Vec::new();
        let mut is_whole = true;
        for level in 0..=7 {
            let width = tile::level_width(Level::Hashes(level), self.size);
            if width == 0 {
                break;
            }
            let full = (width / u64::from(FULL_WIDTH)) as usize;
            if level == 0 {
                // A partial tile of level 0 gives one hash: its own root, which `edge_root` takes as one complete part.
                edge.push(below.split_off(full.min(below.len())));
                continue;
            }
            let tiles: Vec<_> =
                stored.iter().filter(|(tile, _)| tile.level == Level::Hashes(level)).collect();
            let mut roots = Vec::new();
            let mut hashes_here = Vec::new();
            for (tile, bytes) in tiles {
                let first = (tile.index * u64::from(FULL_WIDTH)) as usize;
                let say = bytes.as_deref().and_then(|bytes| tile::hashes(*tile, bytes));
                let end = (first + usize::from(tile.width)).min(below.len());
                let say = say.unwrap_or_else(|| below[first..end].to_vec());
                is_whole &= say == below[first..end];
                if tile.is_full() { roots.push(merkle::root(&say)) } else { hashes_here = say }
            }
            edge.push(hashes_here);
            below = roots;
        }
        let root = merkle::edge_root(&edge);
        if is_whole { root } else { Hash::node(root, root) }
    }

    fn leaf_difference(&mut self, difference: &Difference, entries_hold: bool, tiles_hold: bool) {
        let bundle = Tile::at(Level::Entries, difference.index, self.size);
        let tile = Tile::at(Level::Hashes(0), difference.index, self.size);
        let (bundle, tile) = bundle.zip(tile).expect("internal error: a checked tile is below the size");
        let expected: Vec<u8> = difference.computed.iter().flat_map(|hash| hash.0).collect();
        let path = tile.to_string();
        let Some(at) = first_difference(&difference.stored, &expected) else { return };
        if entries_hold {
            let problem = Problem::Byte { path, at, found: difference.stored[at], expected: expected[at] };
            self.found.push(((tile.level, tile.index, at), problem));
            return;
        }
        if !tiles_hold {
            self.found.push(((tile.level, tile.index, at), Problem::DoesNotFit { path, at }));
        }
        let stored =
            tile::hashes(tile, &difference.stored).expect("internal error: a compared tile has its length");
        let entries =
            (difference.index * u64::from(FULL_WIDTH)..).zip(stored.iter().zip(&difference.computed));
        for ((index, (stored, computed)), range) in entries.zip(&difference.ranges) {
            if tiles_hold && stored != computed {
                // The length stands before the entry and may be what changed.
                let bytes = range.start - 2..range.end;
                let place = (bundle.level, bundle.index, bytes.start);
                self.found.push((place, Problem::Entry { path: bundle.to_string(), index, bytes }));
            }
        }
    }
}

/// Whether a partial file is right, and the newest version of it wrong.
fn is_right(odd: &OddPartial, leaves: &Leaves, computed: &Levels, entries_hold: bool) -> bool {
    let expected = match odd.tile.level {
        Level::Entries => return !entries_hold && odd.agrees_with_tile,
        Level::Hashes(_) if !entries_hold => return false,
        Level::Hashes(0) => {
            let difference = leaves.differences.iter().find(|difference| difference.index == odd.tile.index);
            difference.map_or(Vec::new(), |it| it.computed.iter().flat_map(|hash| hash.0).collect())
        }
        Level::Hashes(_) => computed.of(odd.tile.full()),
    };
    odd.bytes.len() == odd.tile.byte_len() && expected.starts_with(&odd.bytes)
}

/// Roots of full tiles on every level, and the hashes of the right edge, computed from below.
struct Levels {
    /// `roots[l][i]`: the root of tile i of level l, full ones only; it stands as hash i on level l + 1.
    roots: Vec<Vec<Hash>>,
}

impl Levels {
    /// From the roots of the tiles of level 0, the partial one last. Puts the hashes of the right edge into `edge`.
    fn compute(leaf_tiles: &[Hash], size: u64, edge: &mut Vec<Vec<Hash>>) -> Self {
        let full = (size / u64::from(FULL_WIDTH)) as usize;
        edge.push(leaf_tiles[full..].to_vec());
        let mut roots = vec![leaf_tiles[..full].to_vec()];
        while let Some(hashes) = roots.last().filter(|hashes| !hashes.is_empty()) {
            let (tiles, rest) = hashes.as_chunks::<{ FULL_WIDTH as usize }>();
            edge.push(rest.to_vec());
            let above = tiles.iter().map(|tile| merkle::root(tile)).collect();
            roots.push(above);
        }
        Self { roots }
    }

    /// The bytes that a tile above level 0 should have.
    fn of(&self, tile: Tile) -> Vec<u8> {
        let Level::Hashes(level @ 1..) = tile.level else { return Vec::new() };
        let hashes = self.roots.get(usize::from(level) - 1).map_or(&[][..], Vec::as_slice);
        let first = (tile.index * u64::from(FULL_WIDTH)) as usize;
        hashes.iter().skip(first).take(usize::from(tile.width)).flat_map(|hash| hash.0).collect()
    }
}

fn first_difference(found: &[u8], expected: &[u8]) -> Option<usize> {
    found.iter().zip(expected).position(|(found, expected)| found != expected)
}

/// Reads a file of exactly the tile's width, or the full one in its place; says which. What is wrong with it goes to `checked`.
fn read(source: &dyn Source, tile: Tile, checked: &mut Checked) -> Option<(Tile, Vec<u8>)> {
    let place = (tile.level, tile.index, 0);
    let path = tile.to_string();
    let (found, mut bytes) = match reader::read_tile(source, tile) {
        Ok(found) => found,
        Err(ReadError::Missing(path)) => {
            checked.found.push((place, Problem::Missing { path }));
            return None;
        }
        Err(error) => {
            let reason =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            checked.found.push((place, Problem::Unreadable { path, reason }));
            return None;
        }
    };
    checked.files += 1;
    checked.bytes += bytes.len() as u64;
    if tile.level != Level::Entries {
        let expected = found.byte_len();
        if bytes.len() != expected {
            let path = found.to_string();
            checked.found.push((place, Problem::Length { path, found: bytes.len(), expected }));
            return None;
        }
        bytes.truncate(tile.byte_len());
    }
    Some((found, bytes))
}

/// Whether the partial versions of a file that are still there are its beginning. For a bundle, `hashes` are the bytes of
/// the tile above it.
fn check_partials(
    source: &dyn Source,
    tile: Tile,
    newest: &[u8],
    hashes: Option<&[u8]>,
    checked: &mut Checked,
) {
    let place = (tile.level, tile.index, 0);
    let partials = match source.partials(tile) {
        Ok(partials) => partials,
        Err(error) => {
            let (path, reason) = (tile.partial_folder(), error.to_string());
            checked.found.push((place, Problem::Unreadable { path, reason }));
            return;
        }
    };
    for partial in partials.into_iter().filter(|partial| partial.width < tile.width) {
        let path = partial.to_string();
        let bytes = match source.read(&path) {
            Ok(Some(bytes)) => bytes,
            // Removed since it was listed: the full one is there.
            Ok(None) => continue,
            Err(error) => {
                checked.found.push((place, Problem::Unreadable { path, reason: error.to_string() }));
                continue;
            }
        };
        checked.files += 1;
        checked.bytes += bytes.len() as u64;
        let expected = match tile.level {
            Level::Entries => {
                bundle::ranges(newest, partial.width).map_or(newest.len(), |ranges| end(&ranges))
            }
            Level::Hashes(_) => partial.byte_len(),
        };
        if newest.get(..expected) != Some(&bytes[..]) {
            let at = first_difference(&bytes, newest).unwrap_or(bytes.len().min(expected));
            let agrees_with_tile = hashes.is_some_and(|hashes| agrees(partial, &bytes, hashes));
            checked.odd_partials.push(OddPartial { tile: partial, bytes, at, agrees_with_tile });
        }
    }
}

/// Whether a bundle has exactly the entries whose hashes these are the first of.
fn agrees(bundle: Tile, bytes: &[u8], hashes: &[u8]) -> bool {
    let Ok(ranges) = bundle::ranges(bytes, bundle.width) else { return false };
    let computed: Vec<u8> = ranges.iter().flat_map(|range| Hash::leaf(&bytes[range.clone()]).0).collect();
    end(&ranges) == bytes.len() && hashes.starts_with(&computed)
}

/// Where the last entry ends.
fn end(ranges: &[Range<usize>]) -> usize {
    ranges.last().map_or(0, |range| range.end)
}

/// Checks one bundle, its tile of level 0, and the partial versions of both.
fn check_leaves(source: &dyn Source, size: u64, index: u64) -> Checked {
    let mut checked = Checked::default();
    let (bundle, tile) = (Tile::at(Level::Entries, index, size), Tile::at(Level::Hashes(0), index, size));
    let (bundle, tile) = bundle.zip(tile).expect("internal error: only tiles below the size are checked");
    let stored = read(source, tile, &mut checked).map(|(_, bytes)| bytes);
    if let Some(stored) = &stored {
        check_partials(source, tile, stored, None, &mut checked);
        checked.by_tiles = tile::hashes(tile, stored).map(|hashes| merkle::root(&hashes));
    }
    let Some((found, bytes)) = read(source, bundle, &mut checked) else { return checked };
    check_partials(source, bundle, &bytes, stored.as_deref(), &mut checked);
    let (path, place) = (bundle.to_string(), (bundle.level, bundle.index, 0));
    let ranges = match bundle::ranges(&bytes, bundle.width) {
        Ok(ranges) => ranges,
        Err(cut) => {
            checked.found.push((place, Problem::CutShort { path, at: cut.at }));
            return checked;
        }
    };
    let end = end(&ranges);
    // A partial bundle may have been read from the full one that took its place. Of what follows there, this checkpoint says
    // nothing.
    let may_go_on = found != bundle && bundle::ranges(&bytes, FULL_WIDTH).is_ok();
    if end != bytes.len() && !may_go_on {
        checked.found.push((place, Problem::Length { path, found: bytes.len(), expected: end }));
        // The length of an entry may be what is wrong, so its hashes say nothing yet; the tile's word stands.
    }
    let computed: Vec<Hash> = ranges.iter().map(|range| Hash::leaf(&bytes[range.clone()])).collect();
    checked.by_entries = Some(merkle::root(&computed));
    if let Some(stored) = stored {
        let differs =
            computed.iter().zip(stored.as_chunks::<HASH_BYTES>().0).any(|(hash, stored)| hash.0 != *stored);
        if differs {
            checked.difference = Some(Difference { index, stored, computed, ranges });
        }
    }
    checked
}
