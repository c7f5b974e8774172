//! Copies of one log in one folder are read once.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::common::read;

#[test]
fn rotated_copies_are_read_once_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let header = "#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\tproto\torig_pkts\n";
    let log = |rows: usize| {
        let rows: String = (0..rows)
            .map(|n| format!("{}\t192.0.2.1\t198.51.100.{}\ttcp\t1\n", 1_700_000_000 + n, n % 250))
            .collect();
        format!("{header}{rows}")
    };
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("a file");
    write("conn.log", log(300).as_bytes());
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(log(300).as_bytes()).expect("memory");
    write("conn.10.log.gz", &packed.finish().expect("memory"));
    write("conn.copy", log(120).as_bytes());
    // Another log: the same header, other rows.
    write("conn.11.log", log(300).replace("198.51", "203.0").as_bytes());
    let reading = read(&[folder.path().to_owned()]).expect("a folder of logs");
    assert_eq!(reading.kinds(), "flow 600");
    assert_eq!(
        reading.problems(),
        "1 × the same content as another file: read once\n1 × the start of another file: read once"
    );
    assert_eq!(reading.ledger.sources.len(), 2);
    // In whatever order they are named.
    let named = read(&["conn.copy", "conn.10.log.gz", "conn.log"].map(|name| folder.path().join(name)));
    assert_eq!(named.expect("logs").kinds(), "flow 300");
}
