//! A look at a file's metadata before the library reads it.
//!
//! Metadata are a struct in Thrift's compact protocol. Version 60 of the library passes over what it does not know, and
//! over a list of truth values in no bytes at all: a list that says to hold two thousand million of them costs six bytes
//! and seconds, and lists of such lists cost hours (found by fuzzing). Metadata have no such lists. In a file without
//! them each element takes a byte at least, so that time is bounded by the bytes.
//!
//! The headers of pages are in the same protocol and are not looked at here.

use ::parquet::file::reader::ChunkReader;

/// How deep values may lie in each other; the library's own limit.
const DEEPEST: u8 = 64;

/// Whether metadata can be read in a time that goes with their length. Where there are none, the library says so.
///
/// # Errors
/// They cannot, or are damaged.
pub(super) fn check<R: ChunkReader>(reader: &R) -> Result<(), String> {
    let bytes =
        |start: u64, length: usize| reader.get_bytes(start, length).map_err(|error| error.to_string());
    // The length of the metadata in four bytes, and `PAR1`.
    let Some(end) = reader.len().checked_sub(8) else { return Ok(()) };
    let [a, b, c, d, ..] = *bytes(end, 8)? else { return Ok(()) };
    let length = u32::from_le_bytes([a, b, c, d]);
    let Some(start) = end.checked_sub(length.into()) else { return Ok(()) };
    let metadata = bytes(start, length as usize)?;
    Walk(&metadata).fields(DEEPEST).ok_or_else(|| "its metadata is damaged".to_owned())
}

/// What is left of the metadata.
struct Walk<'a>(&'a [u8]);

impl Walk<'_> {
    fn skip(&mut self, length: usize) -> Option<()> {
        self.0 = self.0.get(length..)?;
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    /// A number in groups of seven bits, the lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// The fields of a struct, up to the byte that ends it.
    fn fields(&mut self, depth: u8) -> Option<()> {
        loop {
            let head = self.byte()?;
            let (distance, kind) = (head >> 4, head & 15);
            if kind == 0 {
                return Some(());
            }
            // Without a distance to the field before it, its number stands behind.
            if distance == 0 {
                self.number()?;
            }
            self.value(kind, depth)?;
        }
    }

    fn value(&mut self, kind: u8, depth: u8) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            // The kind of a field is its truth value.
            1 | 2 => Some(()),
            3 => self.skip(1),
            4..=6 => self.number().map(drop),
            7 => self.skip(8),
            8 => {
                let length = self.number()?;
                self.skip(usize::try_from(length).ok()?)
            }
            9 | 10 => {
                let head = self.byte()?;
                let size = if head >> 4 == 15 { self.number()? } else { u64::from(head >> 4) };
                self.elements(size, &[head & 15], depth)
            }
            11 => match self.number()? {
                0 => Some(()),
                size => {
                    let kinds = self.byte()?;
                    self.elements(size, &[kinds >> 4, kinds & 15], depth)
                }
            },
            12 => self.fields(depth),
            13 => self.skip(16),
            _ => None,
        }
    }

    fn elements(&mut self, size: u64, kinds: &[u8], depth: u8) -> Option<()> {
        if size > 0 && kinds.iter().any(|kind| matches!(kind, 1 | 2)) {
            return None;
        }
        for _ in 0..size {
            for &kind in kinds {
                self.value(kind, depth)?;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    fn check(metadata: &[u8]) -> bool {
        let length = (metadata.len() as u32).to_le_bytes();
        let file = [b"PAR1", metadata, &length, b"PAR1"].concat();
        super::check(&bytes::Bytes::from(file)).is_ok()
    }

    #[test]
    fn values_of_each_kind_are_passed_over() {
        // Fields 1 to 10: true, a byte, a number, a double, a text, a list of two numbers, an empty list, a map, a
        // struct with nothing in it, a field with its number behind it.
        let fields = [
            &[0x11][..],
            &[0x13, 7],
            &[0x15, 0x80, 1],
            &[0x17, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x18, 1, b'a'],
            &[0x19, 0x25, 1, 2],
            &[0x19, 0],
            &[0x1b, 1, 0x85, 1, b'a', 2],
            &[0x1c, 0],
            &[0x05, 40, 1],
        ]
        .concat();
        assert!(check(&[&fields[..], &[0]].concat()));
        assert!(!check(&fields), "nothing ends it");
    }

    #[test]
    fn lists_that_take_no_bytes_are_refused() {
        // A list of 2^31 - 1 truth values, and a map of them.
        assert!(!check(&[0x19, 0xf2, 0xff, 0xff, 0xff, 0xff, 7, 0]));
        assert!(!check(&[0x1b, 0xff, 0xff, 0xff, 0xff, 7, 0x22, 0]));
        // As many numbers, which are not there; and lists in lists without end.
        assert!(!check(&[0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 7, 1, 2, 0]));
        assert!(!check(&[&[0x19][..], &[0x19; 100], &[0; 100]].concat()));
        assert!(!check(&[]));
    }
}
