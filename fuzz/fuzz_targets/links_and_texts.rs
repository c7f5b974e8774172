//! What counts as the same link, hashtag or text. A normal form is its own normal form.
#![no_main]

use ingest::normal;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Some(link) = normal::link(text) {
        assert_eq!(normal::link(&link.url).as_ref(), Some(&link));
    }
    if let Some(tag) = normal::hashtag(text) {
        assert_eq!(normal::hashtag(&tag).as_ref(), Some(&tag));
    }
    let _ = normal::text(text);
});
