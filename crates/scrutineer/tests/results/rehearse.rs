//! The night of the example, from the counted numbers to the verdict.

use crate::common::{ok, said};

/// What the output must say, line by line as it stands there.
const FIGURES: &[&str] = &[
    "F.204, 30 times",
    "duplicate-vector, 3 times",
    "  2024-06-09T21:16:37Z  Unit 3007/007 states exactly the votes of unit 3007/005: 230 votes on 11 lists;",
    "  2024-06-09T22:32:15Z  Unit 4010/010 states exactly the votes of unit 4010/014: 264 votes on 11 lists;",
    "  2024-06-09T23:34:19Z  Unit 2011/045 states exactly the votes of unit 2011/011: 373 votes on 11 lists;",
    "Slovenia: 3,075 of 3,076 units have reported, 663,098 votes.",
    "     663,098           valid",
    "      30,635           invalid",
    "No return yet from 1002/903.",
    "11,661 votes are stated that no return covers: ",
    "    4       203,963 votes  107700  SDS",
    "    2       146,986 votes  107699  SVOBODA",
    "    1        69,500 votes  107649  VESNA",
    "    1        51,177 votes  107698  SD",
    "    1        50,797 votes  107648  NSi",
    "1 unit has not reported. 11,661 votes are stated that no return covers. They could move a seat: 107650 SLS ",
    "Verdict: ok. Verify it yourself:",
];

#[test]
fn the_night_of_the_example_has_its_figures() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/slovenia-ep2024");
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let (code, out, err) = said(at, &["results", "rehearse", example, "--out", "night"]);
    assert_eq!(code, Some(3), "{out}{err}");
    let mut lines = out.lines();
    for figure in FIGURES {
        assert!(
            lines.any(|line| line.starts_with(figure)),
            "`{figure}` is not there, or not in its place: {out}"
        );
    }
    let seats: Vec<&str> = out.lines().filter(|line| line.contains(" votes  10")).collect();
    assert_eq!(seats.len(), 5, "{seats:?}");
    let fingerprint = std::fs::read_to_string(at.join("night/fingerprint")).expect("written");
    let verify = ["results", "verify", "night/log", "--fingerprint", fingerprint.trim_end(), "--any-age"];
    assert!(ok(at, &verify).starts_with("ok: everything holds; 3,075 of 3,076 returns are here"));
}
