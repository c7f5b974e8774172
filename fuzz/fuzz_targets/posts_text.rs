//! Any file that is not Parquet: packing, format, records. Start it from `crates/ingest/tests/data`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    ingest::fuzzing::fuzz_text(bytes);
});
