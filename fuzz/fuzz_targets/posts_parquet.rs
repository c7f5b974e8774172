//! Parquet. A panic of the library below is caught and counts as damage.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    ingest::fuzzing::fuzz_parquet(bytes);
});
