//! Export datagrams: of two exporters, each behind its length in two bytes (even first byte), or as files hold
//! them, one behind the other (odd), so that it is looked where one ends.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, datagrams)) = bytes.split_first() else { return };
    if first % 2 == 0 {
        ingest::fuzzing::fuzz_datagrams(datagrams);
    } else {
        ingest::fuzzing::fuzz_text(datagrams);
    }
});
