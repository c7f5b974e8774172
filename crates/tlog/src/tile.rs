//! c2sp.org/tlog-tiles, "Merkle Tree": the tree as static files of 256 hashes.
//!
//! ```text
//! tile/<L>/<N>[.p/<W>]          level, index in groups of three digits (x001/x234/067), width if partial
//! tile/entries/<N>[.p/<W>]      the entries under tile <N> of level 0
//! ```
//!
//! The n-th tile of level l holds, for i from 0 to 255, MTH(D[(n·256 + i)·256^l : (n·256 + i + 1)·256^l]). A tree of size s
//! has floor(s / 256^l) hashes on level l; the last tile of a level is partial where that is no multiple of 256.

use std::fmt;
use std::str::FromStr;

use crate::hash::{HASH_BYTES, Hash};
use crate::text;

/// Hashes in a full tile; entries in a full bundle.
pub const FULL_WIDTH: u16 = 256;
/// Bytes of a full tile.
pub const FULL_TILE_BYTES: usize = FULL_WIDTH as usize * HASH_BYTES;
/// 63: the highest level that a path may name. A tree of 2^64 leaves needs no more than 8.
pub const MAX_LEVEL: u8 = 63;

/// Hashes on a level of the tree, or the entries below them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Bundles of entries.
    Entries,
    /// Hashes of level 0 (leaves) and above.
    Hashes(u8),
}

/// Which tile or bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Which level, or entries.
    pub level: Level,
    /// Index within the level.
    pub index: u64,
    /// Number of hashes or entries, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// The tile or bundle at an index of a level as it stands in a tree of `size` leaves; `None` where it is empty there.
    pub fn at(level: Level, index: u64, size: u64) -> Option<Self> {
        let hashes = level_width(level, size);
        let first = index.checked_mul(u64::from(FULL_WIDTH))?;
        let width = hashes.checked_sub(first).filter(|left| *left > 0)?.min(u64::from(FULL_WIDTH));
        Some(Self { level, index, width: width as u16 })
    }

    /// Whether the tile has all 256 hashes.
    pub fn is_full(self) -> bool {
        self.width == FULL_WIDTH
    }

    /// The same tile once it is full: where to look when a partial one is gone.
    #[must_use]
    pub fn full(self) -> Self {
        Self { width: FULL_WIDTH, ..self }
    }

    /// Bytes that a tile of hashes of this width has.
    pub fn byte_len(self) -> usize {
        usize::from(self.width) * HASH_BYTES
    }

    /// The folder in which partial versions of this tile lie.
    pub fn partial_folder(self) -> String {
        format!("{}.p", self.full())
    }

    /// Reads a path that [`fmt::Display`] writes.
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let level = match level {
            "entries" => Level::Entries,
            _ => Level::Hashes(u8::try_from(text::decimal(level)?).ok().filter(|level| *level <= MAX_LEVEL)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => {
                (index, u16::try_from(text::decimal(width)?).ok().filter(|w| (1..256).contains(w))?)
            }
            None => (rest, FULL_WIDTH),
        };
        let tile = Self { level, index: parse_index(index)?, width };
        // One index has one path: x000/001 is not another way to write 001.
        (tile.to_string() == path).then_some(tile)
    }
}

impl FromStr for Tile {
    type Err = ();

    fn from_str(path: &str) -> Result<Self, ()> {
        Self::parse(path).ok_or(())
    }
}

/// The path below the log's prefix.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Level::Entries => f.write_str("tile/entries/")?,
            Level::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        // u64::MAX has twenty digits, so seven groups.
        let mut groups = [0_u16; 7];
        let mut n_groups = 0;
        let mut index = self.index;
        loop {
            groups[n_groups] = (index % 1000) as u16;
            n_groups += 1;
            index /= 1000;
            if index == 0 {
                break;
            }
        }
        for group in groups[1..n_groups].iter().rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

fn parse_index(text: &str) -> Option<u64> {
    let mut index: u64 = 0;
    let mut groups = text.split('/').peekable();
    while let Some(group) = groups.next() {
        let digits = if groups.peek().is_some() { group.strip_prefix('x')? } else { group };
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    Some(index)
}

/// Number of hashes on a level of a tree of `size` leaves; number of entries for [`Level::Entries`].
pub fn level_width(level: Level, size: u64) -> u64 {
    match level {
        Level::Entries => size,
        Level::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
    }
}

/// Every tile and bundle that a log of `size` leaves must serve, level by level, entries first.
pub fn all(size: u64) -> impl Iterator<Item = Tile> {
    let levels = std::iter::once(Level::Entries).chain((0..=7).map(Level::Hashes));
    levels.flat_map(move |level| (0..).map_while(move |index| Tile::at(level, index, size)))
}

/// The tiles and bundles whose content differs between a tree of `old` leaves and one of `new`: what a writer puts.
pub fn between(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    let levels = std::iter::once(Level::Entries).chain((0..=7).map(Level::Hashes));
    levels.flat_map(move |level| {
        let (before, after) = (level_width(level, old), level_width(level, new));
        let first = before / u64::from(FULL_WIDTH);
        (first..).take_while(move |_| before != after).map_while(move |index| Tile::at(level, index, new))
    })
}

/// The hashes of a tile of hashes; `None` where the bytes are not as many as its width needs.
pub fn hashes(tile: Tile, bytes: &[u8]) -> Option<Vec<Hash>> {
    (bytes.len() == tile.byte_len())
        .then(|| bytes.as_chunks().0.iter().map(|chunk: &[u8; HASH_BYTES]| Hash(*chunk)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tree_of_seventy_thousand_leaves_has_the_tiles_of_the_specification() {
        let tiles: Vec<Tile> = all(70_000).filter(|tile| tile.level != Level::Entries).collect();
        let count = |level, full| {
            tiles.iter().filter(|tile| tile.level == Level::Hashes(level) && tile.is_full() == full).count()
        };
        assert_eq!((count(0, true), count(0, false)), (273, 1));
        assert_eq!((count(1, true), count(1, false)), (1, 1));
        assert_eq!((count(2, true), count(2, false)), (0, 1));
        assert_eq!(count(3, false), 0);
        let partial: Vec<String> = tiles.iter().filter(|tile| !tile.is_full()).map(Tile::to_string).collect();
        assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    }

    #[test]
    fn a_tree_of_256_leaves_has_a_full_tile_and_one_hash_above() {
        let paths: Vec<String> = all(256).map(|tile| tile.to_string()).collect();
        assert_eq!(paths, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(all(0).count(), 0, "empty tiles must not be served");
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = Tile { level: Level::Hashes(0), index: 1_234_067, width: 256 };
        assert_eq!(tile.to_string(), "tile/0/x001/x234/067");
        assert_eq!(tile.partial_folder(), "tile/0/x001/x234/067.p");
        for bad in [
            "tile/0/67",
            "tile/0/x000/067",
            "tile/0/001/067",
            "tile/64/000",
            "tile/00/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/08",
            "tile/0/000.p",
            "tile/0/x067",
            "tile/data/000",
            "tile/0/000/",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Tile::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_path_reads_as_it_was_written(level in 0..=63_u8, index in any::<u64>(), width in 1..=256_u16) {
            for level in [Level::Entries, Level::Hashes(level)] {
                let tile = Tile { level, index, width };
                prop_assert_eq!(Tile::parse(&tile.to_string()), Some(tile));
            }
        }

        #[test]
        fn what_a_writer_puts_is_what_the_larger_tree_has_more(old in 0..200_000_u64, more in 0..70_000_u64) {
            let before: std::collections::BTreeSet<Tile> = all(old).collect();
            let after: std::collections::BTreeSet<Tile> = all(old + more).collect();
            let put: std::collections::BTreeSet<Tile> = between(old, old + more).collect();
            prop_assert_eq!(put, &after - &before);
        }
    }
}
