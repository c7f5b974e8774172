//! Captures: whole files (even first byte), or frames of Ethernet with their lengths before them (odd), so that
//! headers and what is said in flows are reached without the luck of a whole container. Start it from recordings
//! with a byte before them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, mut rest)) = bytes.split_first() else { return };
    if first % 2 == 0 {
        ingest::fuzzing::fuzz_text(rest);
        return;
    }
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    let mut time = 0_u32;
    while let [gap, high, low, after @ ..] = rest {
        let len = (usize::from(*high) << 8 | usize::from(*low)).min(after.len());
        time = time.wrapping_add(u32::from(*gap));
        for field in [time, 0, len as u32, len as u32] {
            file.extend(field.to_le_bytes());
        }
        file.extend(&after[..len]);
        rest = &after[len..];
    }
    ingest::fuzzing::fuzz_text(&file);
});
