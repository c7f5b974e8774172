//! A broken and hostile file gives the findings of the clean one, and says what was wrong.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// Forty things shared by three thousand people, and eight accounts that share twenty of them
/// within seconds of each other. As lines, without the header.
fn clean() -> Vec<String> {
    let mut state = 1_u64;
    let mut below = |limit: u64| {
        // The generator of SplitMix64 (Steele, Lea and Flood 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    };
    let mut lines = Vec::new();
    for object in 0..40 {
        let start = 1_630_000_000 + below(14 * 86_400);
        for _ in 0..1_200 / (object + 3) {
            lines.push(format!(
                "thing_{object},person_{},c{},{}",
                below(3_000),
                lines.len(),
                start + below(40_000)
            ));
        }
        let burst = start + below(40_000);
        for account in 0..8 * u64::from(object < 20) {
            lines.push(format!("thing_{object},puppet_{account},c{},{}", lines.len(), burst + below(8)));
        }
    }
    lines
}

/// Findings as JSON, without where they came from, and the talk on standard error.
fn detect(
    folder: &Path,
    file: &str,
    bytes: &[u8],
) -> Result<(Vec<serde_json::Value>, String), Box<dyn Error>> {
    std::fs::write(folder.join(file), bytes)?;
    let output = Command::new(env!("CARGO_BIN_EXE_scrutineer"))
        .args(["detect", file, "--json", "--memory", "64MB", "--case", "case"])
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .output()?;
    let mut findings = Vec::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let mut finding: serde_json::Value = serde_json::from_str(line)?;
        finding.as_object_mut().ok_or("a finding is an object")?.remove("provenance");
        findings.push(finding);
    }
    Ok((findings, String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[test]
fn garbage_changes_no_finding_and_is_counted() -> Result<(), Box<dyn Error>> {
    const HEADER: &str = "object_id,account_id,content_id,timestamp_share\n";
    let folder = tempfile::tempdir()?;
    let lines = clean();
    let mut tidy = HEADER.to_owned();
    let mut dirty = HEADER.as_bytes().to_vec();
    for (at, line) in lines.iter().enumerate() {
        writeln!(tidy, "{line}")?;
        dirty.extend_from_slice(line.as_bytes());
        dirty.push(b'\n');
        // One row in a hundred is garbage, of six kinds.
        if at % 100 == 7 {
            match at / 100 % 6 {
                0 => dirty.extend_from_slice(b"\xff\xfe\x00\x80 no table at all\n"),
                1 => dirty.extend_from_slice(b"thing_1,\"puppet_1,c,1630000000\n"),
                2 => dirty.extend_from_slice(b"thing_1,puppet_1\n"),
                3 => dirty.extend_from_slice(b"thing_1,puppet\0_1,c,1630000000\n"),
                4 => dirty.extend_from_slice(b"thing_1,puppet_1,c,95617584000\n"),
                _ => dirty.extend_from_slice(b"thing_1,Jos\xe9,c,yesterday\n"),
            }
        }
        if at == lines.len() / 2 {
            dirty.extend(std::iter::repeat_n(b'x', 10_000_000));
            dirty.push(b'\n');
            // One account posts a hundred thousand times on objects of its own.
            for post in 0..100_000 {
                dirty.extend_from_slice(
                    format!("own_{},hermit,h{post},{}\n", post / 3, 1_630_000_000 + post).as_bytes(),
                );
            }
        }
    }
    let (calm, _) = detect(folder.path(), "tidy.csv", tidy.as_bytes())?;
    let (stormy, talk) = detect(folder.path(), "dirty.csv", &dirty)?;
    assert_eq!(calm.len(), 1, "the group is found in the clean file");
    assert_eq!(calm, stormy);
    for word in ["NUL", "quote", "fields", "future", "longer"] {
        assert!(talk.contains(word), "`{word}` is not told in: {talk}");
    }
    Ok(())
}
