//! Export datagrams of two exporters, each behind its length in two bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    ingest::fuzzing::fuzz_datagrams(bytes);
});
