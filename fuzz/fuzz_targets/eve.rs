//! Events of Suricata behind a good one.
#![no_main]

const KNOWN: &str = "{\"timestamp\":\"2026-09-27T18:00:00Z\",\"event_type\":\"stats\"}\n";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    ingest::fuzzing::fuzz_text(&[KNOWN.as_bytes(), bytes].concat());
});
