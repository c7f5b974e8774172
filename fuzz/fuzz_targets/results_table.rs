//! Tables by mapping. Before the first zero byte stands a mapping, or the number of a built-in one as one byte; behind it the
//! table.
#![no_main]

use results::read::{self, Mapping, mapping::BUILT_IN};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|&b| b == 0) else { return };
    let (mapping, table) = (&bytes[..end], &bytes[end + 1..]);
    let mapping = match mapping {
        [number] => Mapping::built_in(BUILT_IN[usize::from(*number) % BUILT_IN.len()].0),
        text => std::str::from_utf8(text).ok().and_then(|text| Mapping::parse(text, "input").ok()),
    };
    let Some(mapping) = mapping else { return };
    if let Ok(read) = read::read(table, "input", Some(&mapping)) {
        let rows = read.rows;
        assert_eq!(rows.all, rows.used + rows.stated + rows.ignored + rows.refused, "no row is lost");
        for tally in &read.tallies {
            assert!(read.draft.units.contains_key(&tally.unit), "a tally's unit is in the draft");
            assert!(read.draft.contests.contains_key(&tally.contest), "a tally's contest is in the draft");
        }
    }
});
