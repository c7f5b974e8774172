//! Paths of tiles: one tile has one path. And the arithmetic of tiles at any size.
#![no_main]

use tlog::tile::{self, Level, Tile};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Some(tile) = Tile::parse(text) {
            assert_eq!(tile.to_string(), text);
            assert!((1..=256).contains(&tile.width));
            let _ = (tile.partial_folder(), tile.byte_len());
        }
    }
    let Some((numbers, _)) = bytes.split_first_chunk::<17>() else { return };
    let number = |from: usize| u64::from_le_bytes(numbers[from..from + 8].try_into().expect("eight bytes"));
    let (level, index, size) = (numbers[16] % 65, number(0), number(8));
    let level = if level == 64 { Level::Entries } else { Level::Hashes(level) };
    if let Some(tile) = Tile::at(level, index, size) {
        assert_eq!(Tile::parse(&tile.to_string()), Some(tile));
        assert!(index * 256 < tile::level_width(level, size));
    }
    // What grows by one entry puts a tile of each level at most, and the bundle.
    assert!(tile::between(size, size.saturating_add(1)).count() <= 9);
    let _ = tile::all(size).take(1000).count();
});
