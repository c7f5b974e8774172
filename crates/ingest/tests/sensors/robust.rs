//! Broken and hostile logs of sensors: the good rows come out, the bad ones are counted.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use crate::common::read;

const CONN: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n\
                    #fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_pkts\n";

fn row(n: usize) -> String {
    // Digits that do not repeat, so that the packed file is long enough to be cut.
    format!(
        "{}.{}\t192.0.2.{}\t{}\t198.51.100.2\t443\ttcp\t1\n",
        1_700_000_000 + n,
        n * 7919 % 5003,
        n % 250,
        n * 104_729 % 60_000
    )
}

/// A good line of every format: what comes behind it is read as that format.
const STARTS: &[&str] = &[
    CONN,
    "#separator \\x09\n#path\tdns\n#fields\tts\tid.orig_h\tid.resp_h\tquery\tqtype\trcode\tanswers\n",
    "#fields\tts\tid.orig_h\ttrans_depth\trequest_body_len\tmethod\thost\turi\tuser_agent\tproxied\n",
    "{\"_path\":\"ssl\",\"ts\":1,\"uid\":\"C\",\"id.orig_h\":\"192.0.2.1\",\"id.resp_h\":\"192.0.2.2\"}\n",
    "{\"timestamp\":\"2026-09-27T18:00:00Z\",\"event_type\":\"stats\"}\n",
    "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,TotPkts,TotBytes,SrcBytes\n",
    "ts,te,td,sa,da,sp,dp,pr,flg,ipkt,ibyt,opkt,obyt\n",
    "[{\"type\":\"FLOW\",\"first\":\"2026-09-27T18:00:00\",\"in_packets\":1,\"src4_addr\":\"192.0.2.1\",\"dst4_addr\":\"192.0.2.2\"},",
    "series,time,step,count\n",
];

#[test]
fn a_log_that_was_cut_gives_its_whole_rows() {
    let mut text = CONN.to_owned();
    for n in 0..5000 {
        text.push_str(&row(n));
    }
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(text.as_bytes()).expect("memory");
    let packed = out.finish().expect("memory");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("conn.log.gz");
    std::fs::write(&path, &packed[..packed.len() / 2]).expect("a file");
    let reading = read(&[path]).expect("a log");
    let flows = reading.ledger.kinds[&traffic::Kind::Flow];
    assert!((1000..4000).contains(&flows), "{flows}");
    assert_eq!(reading.problems(), "1 × the file is damaged or ends early: the rest is lost");
}

#[test]
fn garbage_between_rows_costs_only_itself() {
    let mut bytes = CONN.as_bytes().to_vec();
    for n in 0..1000 {
        bytes.extend_from_slice(row(n).as_bytes());
        match n {
            100 => bytes.extend_from_slice(b"\xff\xfe\x00\x01\t\t\n"),
            200 => {
                bytes.resize(bytes.len() + (10 << 20), b'x');
                bytes.push(b'\n');
            }
            300 => bytes.extend_from_slice(b"1700000000\tx\t1\t198.51.100.2\t443\ttcp\t1\n"),
            400 => bytes.extend_from_slice(b"1700000000\t192.0.2.1\t-1\t198.51.100.2\t443\ttcp\t1\n"),
            500 => bytes.extend_from_slice(b"#fields\n#\n\n"),
            _ => {}
        }
    }
    // The empty list of fields hides what follows; a header that is whole brings it back.
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    let _ = write!(text, "{CONN}{}", row(0));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("conn.log");
    std::fs::write(&path, &text).expect("a file");
    let reading = read(&[path]).expect("a log");
    assert_eq!(reading.kinds(), "flow 502");
    assert_eq!(reading.ledger.rows_refused, 4 + 499);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn whatever_follows_a_good_start_never_panics(
        start in prop::sample::select(STARTS),
        rest in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        ingest::fuzzing::fuzz_text(&[start.as_bytes(), rest.as_slice()].concat());
    }

    #[test]
    fn rows_of_odd_fields_never_panic(
        start in prop::sample::select(STARTS),
        rest in "([0-9]{1,20}|-|[0-9.:]{1,12}|0x[0-9a-f]{1,5}|1e400|tcp|icmp|<-|S_RA|\\\\x0|T|\t|,|\n|\\{|\\}|\"ts\":|\"dns\":|null){0,60}",
    ) {
        ingest::fuzzing::fuzz_text(format!("{start}{rest}").as_bytes());
    }
}
