//! Records of platforms, one a line (even first byte) or in an array (odd).
#![no_main]

const KNOWN: &str = r#"{"account":"a","object":"o","time":0}"#;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, records)) = bytes.split_first() else { return };
    let (open, between) = if first % 2 == 0 { ("", "\n") } else { ("[", ",") };
    ingest::fuzzing::fuzz_text(&[open.as_bytes(), KNOWN.as_bytes(), between.as_bytes(), records].concat());
});
