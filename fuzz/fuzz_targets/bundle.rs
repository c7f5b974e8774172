//! Bundles of entries: what is read is written the same, and a broken one says where it breaks. The first byte is the width.
#![no_main]

use tlog::bundle;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&width, bytes)) = bytes.split_first() else { return };
    let width = u16::from(width) + 1;
    match bundle::ranges(bytes, width) {
        Ok(ranges) => {
            assert_eq!(ranges.len(), usize::from(width));
            let mut written = Vec::new();
            for range in &ranges {
                bundle::push(&mut written, &bytes[range.clone()]);
            }
            assert_eq!(written, bytes[..written.len()]);
            assert_eq!(ranges.last().map(|range| range.end), Some(written.len()));
        }
        Err(cut) => {
            assert!(cut.at <= bytes.len() && cut.entry < width);
            // All entries before it are whole.
            assert!(cut.entry == 0 || bundle::ranges(bytes, cut.entry).is_ok());
        }
    }
});
