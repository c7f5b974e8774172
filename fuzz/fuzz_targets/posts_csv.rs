//! Rows of a table below a header. The first byte chooses the header.
#![no_main]

const HEADERS: [&str; 3] = [
    "object_id,account_id,content_id,timestamp_share\n",
    "account_id;post_id;url_id;hashtag_id;domain_id;phash_id;timestamp\n",
    "account\tobject\ttrace\taction\ttime\tpost\tplatform\tauthor\n",
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rows)) = bytes.split_first() else { return };
    let header = HEADERS[usize::from(*first) % HEADERS.len()];
    ingest::fuzzing::fuzz_text(&[header.as_bytes(), rows].concat());
});
