//! c2sp.org/tlog-tiles, "Log entries": the entries themselves, 256 to a file.
//!
//! ```text
//! 00 05 68 65 6c 6c 6f  00 00  …      each entry behind its length, 16 bits, big-endian
//! ```

use std::ops::Range;

use thiserror::Error;

/// 65,535: the largest entry, as its length has 16 bits. What is larger is logged by its digest.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;

/// Where a bundle stops being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the bundle breaks off at byte {at}: entry {entry} of {width} is cut short")]
pub struct CutShort {
    /// Which entry of the bundle, from 0.
    pub entry: u16,
    /// Entries that it should have.
    pub width: u16,
    /// The byte at which the broken entry's length begins.
    pub at: usize,
}

/// Appends an entry to a bundle.
///
/// # Panics
/// Where the entry is larger than [`MAX_ENTRY_BYTES`], which the writer refuses beforehand.
pub fn push(bundle: &mut Vec<u8>, entry: &[u8]) {
    let len = u16::try_from(entry.len())
        .expect("internal error: an entry of more than 65,535 bytes reached a bundle");
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(entry);
}

/// Where each of `width` entries stands in the bundle, without its length. Bytes may follow the last: a full bundle serves for
/// a partial one.
///
/// # Errors
/// Where the bundle breaks off.
pub fn ranges(bundle: &[u8], width: u16) -> Result<Vec<Range<usize>>, CutShort> {
    let mut ranges = Vec::with_capacity(usize::from(width));
    let mut at = 0;
    for entry in 0..width {
        let cut = CutShort { entry, width, at };
        let (len, _) = bundle[at..].split_first_chunk().ok_or(cut)?;
        let start = at + 2;
        let end = start + usize::from(u16::from_be_bytes(*len));
        if end > bundle.len() {
            return Err(cut);
        }
        ranges.push(start..end);
        at = end;
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cut_bundle_says_where() {
        let mut bundle = Vec::new();
        push(&mut bundle, b"hello");
        push(&mut bundle, b"");
        assert_eq!(ranges(&bundle, 2), Ok(vec![2..7, 9..9]));
        assert_eq!(ranges(&bundle, 3), Err(CutShort { entry: 2, width: 3, at: 9 }));
        assert_eq!(ranges(&bundle[..6], 2), Err(CutShort { entry: 0, width: 2, at: 0 }));
        assert_eq!(ranges(&bundle[..8], 2), Err(CutShort { entry: 1, width: 2, at: 7 }));
    }

    proptest! {
        #[test]
        fn entries_come_back(entries in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..20)) {
            let mut bundle = Vec::new();
            for entry in &entries {
                push(&mut bundle, entry);
            }
            let ranges = ranges(&bundle, entries.len() as u16).expect("whole");
            let back: Vec<&[u8]> = ranges.into_iter().map(|range| &bundle[range]).collect();
            prop_assert_eq!(back, entries);
        }
    }
}
