//! Broken and hostile files: the good rows come out, the bad ones are counted.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::common::{dump, read, read_bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

const HEADER: &str = "object_id,account_id,content_id,timestamp_share\n";

fn check(bytes: impl AsRef<[u8]>) -> String {
    match read_bytes(bytes.as_ref()) {
        Ok(reading) => dump(&reading),
        Err(error) => error,
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(bytes).expect("writing to memory");
    out.finish().expect("writing to memory")
}

#[test]
fn each_kind_of_broken_row_is_counted_with_its_line() {
    let mut table = format!("\u{feff}{}", HEADER.replace('\n', "\r\n")).into_bytes();
    table.extend_from_slice(b"o1,ana,1,1632679200\r\n");
    table.extend_from_slice(b"o1,ana\r\n");
    table.extend_from_slice(b"o1,eva,2,1632679201\0\r\n");
    table.extend_from_slice(b"o1,Jos\xe9,3,1632679202\r\n");
    table.extend_from_slice(b"o1,,4,1632679203\r\n\r\n");
    table.extend_from_slice(b"o1,ana,5,1795600000\r\n");
    table.extend_from_slice(b"o1,ana,6,-5\r\n");
    table.extend_from_slice(b"o1,\"ana,7,1632679207\r\n");
    table.extend_from_slice(b"o1,\"mia\",8,1632679208\r\n");
    table.extend_from_slice(b"\x1b[31mred\r\n");
    table.extend_from_slice(b"o1,ana,9,2021-09-26 18:00:09");
    insta::assert_snapshot!(check(table), @r#"
    2021-09-26T18:00:00Z ana share object o1 in a post
    2021-09-26T18:00:02Z José share object o1 in a post
    2021-09-26T18:00:08Z mia share object o1 in a post
    2021-09-26T18:00:09Z ana share object o1 in a post
    2 × not as many fields as the header
      3: o1,ana
      12: \u{1b}[31mred
    1 × a quote is not closed
      10: o1,"ana,7,1632679207
    1 × NUL byte
      4: o1,eva,2,1632679201\u{0}
    1 × no account
      6: o1,,4,1632679203
    1 × more than a day in the future
      8: o1,ana,5,1795600000
    1 × before 1970
      9: o1,ana,6,-5
    1 × not UTF-8: read as Latin-1
      5: o1,Jos�,3,1632679202
    1 × time without a zone: taken as UTC
      13: o1,ana,9,2021-09-26 18:00:09
"#);
}

#[test]
fn an_open_quote_costs_one_line() {
    let mut table = HEADER.to_owned();
    for i in 0..200 {
        let quote = if i % 10 == 3 { "\"" } else { "" };
        let _ = writeln!(table, "o{i},{quote}ana,{i},1632679200");
    }
    let reading = read_bytes(table.as_bytes()).expect("a table");
    assert_eq!((reading.rows(), reading.ledger.rows_refused), (180, 20));
}

#[test]
fn one_row_in_a_hundred_is_garbage() {
    let mut table = HEADER.as_bytes().to_vec();
    let garbage: [&[u8]; 10] = [
        b"\xff\xfe\x00\x01",
        b"\"",
        b"\"\"\"",
        b",,,,,,,,,",
        b"{\"a\": [",
        b"o,a,1,\"x\"y",
        b"o,a,1,99999999999999999999",
        b"o,a,1,1e400",
        b"\t\t\t",
        b"o,a,\"1,1632679200",
    ];
    for i in 0..10_000_usize {
        if i % 100 == 50 {
            table.extend_from_slice(garbage[i / 100 % garbage.len()]);
            table.push(b'\n');
        }
        table.extend_from_slice(format!("o{i},ana,{i},1632679200\n").as_bytes());
    }
    let reading = read_bytes(&table).expect("a table");
    assert_eq!(reading.rows(), 10_000);
    // The lines of white space are no rows.
    assert_eq!(reading.ledger.rows_refused, 90);
    let examples: usize = reading.ledger.problems.iter().map(|(_, _, problem)| problem.examples.len()).sum();
    assert!(examples <= 5 * reading.ledger.problems.iter().count());
}

#[test]
fn a_line_of_ten_megabytes_is_refused_and_the_next_is_read() {
    let mut table = format!("{HEADER}o1,ana,1,1632679200\no2,").into_bytes();
    table.resize(table.len() + (10 << 20), b'x');
    table.extend_from_slice(b",2,1632679201\no3,ana,3,1632679202\n");
    let reading = read_bytes(&table).expect("a table");
    let long = reading.ledger.problems.iter().next().expect("one problem");
    assert_eq!((reading.rows(), long.1.text(), long.2.examples[0].line), (2, "line longer than 1 MiB", 3));
    assert_eq!(long.2.examples[0].excerpt.chars().count(), 80);
}

#[test]
fn a_gzip_that_is_cut_gives_its_whole_lines() {
    let mut table = HEADER.to_owned();
    for i in 0..5000 {
        // Digits that do not repeat, so that the packed file is long enough to be cut.
        let _ = writeln!(table, "o{},a{},{i},1632679200", i * 7919 % 5003, i * 104_729 % 4999);
    }
    let packed = gzip(table.as_bytes());
    let whole = read_bytes(&packed).expect("a table");
    assert_eq!((whole.rows(), whole.ledger.problems.is_empty()), (5000, true));
    let cut = read_bytes(&packed[..packed.len() / 2]).expect("a table");
    assert!((1000..4000).contains(&cut.rows()), "{}", cut.rows());
    let (_, reason, problem) = cut.ledger.problems.iter().next().expect("one problem");
    assert_eq!((reason.text(), problem.count), ("the file is damaged or ends early: the rest is lost", 1));
}

#[test]
fn a_gzip_of_several_members_is_one_file() {
    let mut packed = gzip(format!("{HEADER}o1,ana,1,16326").as_bytes());
    packed.extend_from_slice(&gzip(b"79200\no2,ana,2,1632679201\n"));
    insta::assert_snapshot!(check(packed), @"
    2021-09-26T18:00:00Z ana share object o1 in a post
    2021-09-26T18:00:01Z ana share object o2 in a post
");
}

#[test]
fn zstandard_of_several_frames_is_one_file() {
    // `o1,ana,1,1632679200` and `o2,ana,2,1632679201` below the header, each a frame with a raw block
    // (RFC 8878, section 3.1.1), and a frame to be skipped between them.
    let frame = |content: &[u8]| {
        let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0x20, content.len() as u8];
        let block = (content.len() as u32) << 3 | 1;
        out.extend_from_slice(&block.to_le_bytes()[..3]);
        out.extend_from_slice(content);
        out
    };
    let mut packed = frame(format!("{HEADER}o1,ana,1,1632679200\n").as_bytes());
    packed.extend_from_slice(&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'a', b'b', b'c']);
    packed.extend_from_slice(&frame(b"o2,ana,2,1632679201\n"));
    insta::assert_snapshot!(check(&packed), @"
    2021-09-26T18:00:00Z ana share object o1 in a post
    2021-09-26T18:00:01Z ana share object o2 in a post
");
    packed.truncate(packed.len() - 5);
    insta::assert_snapshot!(check(&packed), @"
    2021-09-26T18:00:00Z ana share object o1 in a post
    1 × the file is damaged or ends early: the rest is lost
      0: Failed to parse block header: Error while reading bytes for Raw: failed to fill…
");
}

#[test]
fn a_file_of_no_format_names_what_was_tried() {
    insta::assert_snapshot!(check("dear diary, today\n"), @"could not read `file` as traffic: not Parquet (it does not begin with PAR1); not JSON (it does not begin with { or [); not CSV (its first line has no column account_id)");
    insta::assert_snapshot!(check("[{\"weather\": \"fine\"}]"), @"could not read `file` as traffic: not Parquet (it does not begin with PAR1); not JSON (its first value is a record of no known kind); not CSV (its first line has no columns)");
    insta::assert_snapshot!(check(""), @"could not read `file` as traffic: not text (it is empty)");
    insta::assert_snapshot!(check("PAR1 and no more PAR1"), @"could not read `file` as traffic: not Parquet (EOF: Parquet file too small. Size is 21 but need 543519351)");
    insta::assert_snapshot!(check(b"\xff\xfeo\0b\0"), @"could not read `file` as traffic: not text (it is UTF-16, which is not read: save it as UTF-8)");
    insta::assert_snapshot!(check(&gzip(b"PK\x03\x04")[..15]), @"could not read `file` as traffic: not Parquet (it does not begin with PAR1); not JSON (it does not begin with { or [); not CSV (its first line has no columns)");
}

#[test]
fn a_file_of_which_every_row_is_bad_is_an_error() {
    insta::assert_snapshot!(check(format!("{HEADER}o1,ana,1,soon\no2,ana,2,later\n")), @"
    2 × time is neither a number nor RFC 3339
      2: o1,ana,1,soon
      3: o2,ana,2,later
    could not read traffic from `file`: none of its 2 rows could be read as CSV, one object a row: time is neither a number nor RFC 3339
");
}

#[test]
fn in_a_folder_what_is_no_file_of_posts_is_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    std::fs::create_dir(folder.path().join("b")).expect("a folder");
    write("readme.txt", "What is in this folder?");
    write("z.csv", &format!("{HEADER}o1,ana,1,1632679200\n"));
    write("b/a.csv", &format!("{HEADER}o2,eva,2,1632679201\n"));
    write(".hidden.csv", &format!("{HEADER}o3,mia,3,1632679202\n"));
    let reading = read(&[folder.path().to_owned(), folder.path().join("z.csv")]).expect("two tables");
    insta::assert_snapshot!(dump(&reading), @"
    2021-09-26T18:00:01Z eva share object o2 in a post
    2021-09-26T18:00:00Z ana share object o1 in a post
    1 × not a file of traffic: passed over
      0: its first line has no columns
");
    assert_eq!(reading.ledger.sources.len(), 2);
    let empty = tempfile::tempdir().expect("a folder");
    assert!(
        read(&[empty.path().to_owned()]).is_err_and(|error| error.starts_with("found no file of traffic in"))
    );
}

#[test]
fn a_document_that_never_ends_does_not_fill_the_memory() {
    let mut text = b"{\"data\": [".to_vec();
    for _ in 0..(17 << 20) / 8 {
        text.extend_from_slice(b"{\"a\":1},");
    }
    let out = check(&text);
    assert!(out.contains("JSON document longer than 16 MiB") || out.contains("not JSON"), "{out}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        ingest::fuzzing::fuzz_text(&bytes);
    }

    #[test]
    fn arbitrary_rows_below_a_header_never_panic(rows in "[\\x00-\\x7fé\",\n;]{0,400}") {
        ingest::fuzzing::fuzz_text(format!("{HEADER}{rows}").as_bytes());
    }

    /// Whatever one line holds, the lines around it are read. A quote may join the lines below it,
    /// but only where it makes one proper record of them.
    #[test]
    fn a_bad_line_never_swallows_a_good_one(bad in "[^\n\r]{0,60}") {
        let good = "o1,ana,1,1632679200\n";
        let table = format!("{HEADER}{good}{bad}\n{good}{good}");
        prop_assert!(ingest::fuzzing::fuzz_text(table.as_bytes()) >= 3, "{table:?}");
    }

    #[test]
    fn damaged_records_of_platforms_never_panic(
        file in prop::sample::select(vec!["own.jsonl", "x_page.json", "x_posts.jsonl", "mastodon.json", "bluesky.jsonl"]),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
        let mut bytes = std::fs::read(path).expect("a sample");
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()).max(bytes.len() / 2));
        ingest::fuzzing::fuzz_text(&bytes);
    }
}
