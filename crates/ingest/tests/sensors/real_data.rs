//! Recordings that nobody here made. Where they are missing the tests say so and pass. The totals are those of
//! the rows that the files have, counted without this reader.

use std::io::Write as _;
use std::path::PathBuf;

use traffic::{Kind, lookup};

use crate::common::{Read, read};

/// A file or folder of the shared data, or nothing where it is missing.
fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/network").join(name);
    if path.exists() {
        return Some(path);
    }
    let _ = writeln!(std::io::stderr(), "skipped: shared/data/network/{name} is missing");
    None
}

fn total(name: &str) -> Option<Read> {
    shared(name).map(|path| read(&[path]).expect("a recording"))
}

#[test]
fn zeek_logs_with_rotations_and_open_connections() {
    let Some(reading) = total("rita") else { return };
    // 39,575 rows less the 59 of `open_conns/open/open_conn.log`, which is the start of a file beside it.
    assert_eq!(reading.kinds(), "flow 39516, request 39904, lookup 6018, tls 3240");
    assert_eq!(reading.ledger.rows_refused, 0);
}

#[test]
fn labelled_zeek_logs() {
    let Some(reading) = total("ctu-2023-02-20/zeek_labeled") else { return };
    assert_eq!(reading.kinds(), "flow 7124, request 838, lookup 9359, tls 2074");
    assert_eq!(reading.problems(), "6269 × a record of a kind of traffic that is not used: passed over");
}

#[test]
fn zeek_streams_mixed_in_one_file() {
    let Some(reading) = total("otrf-apt29/combined_zeek.log") else { return };
    assert_eq!(reading.kinds(), "flow 1172, request 1, lookup 250, tls 686");
    assert_eq!(reading.problems(), "3555 × a record of a kind of traffic that is not used: passed over");
}

#[test]
fn zeek_logs_of_a_competition() {
    let Some(reading) = total("wrccdc-zeek") else { return };
    assert_eq!(reading.kinds(), "lookup 53615, tls 49474");
}

#[test]
fn suricata_events() {
    let Some(reading) = total("slips/test6-malicious.suricata.json") else { return };
    // 340 queries and as many answers.
    assert_eq!(reading.kinds(), "flow 3512, request 56, lookup 340, tls 1");
    let lookups: Vec<_> = reading.batches_of(Kind::Lookup).flat_map(lookup::rows).collect();
    assert!(lookups.iter().all(|lookup| lookup.rcode >= 0));
}

#[test]
fn argus_flows() {
    for (name, flows, others) in [
        ("test11-portscan.binetflow", 66, 0),
        ("test2-malicious.binetflow", 6751, 0),
        ("test3-mixed.binetflow", 89, 0),
        ("test4-malicious.binetflow", 392, 2),
        ("test5-mixed.binetflow", 296, 4),
    ] {
        let Some(reading) = total(&format!("slips/{name}")) else { return };
        assert_eq!(reading.kinds(), format!("flow {flows}"), "{name}");
        assert_eq!(reading.ledger.rows_refused, 0, "{name}: {}", reading.problems());
        let passed_over = format!("{others} × a record of a kind");
        assert_eq!(reading.problems().contains(&passed_over), others > 0, "{name}");
    }
}

#[test]
fn a_binary_file_of_nfdump_is_refused_with_the_remedy() {
    let Some(path) = shared("slips/test1-malicious.nfdump") else { return };
    let error = read(&[path]).map(|_| ()).expect_err("a refusal").to_string();
    assert!(error.contains("write it as text with `nfdump -r FILE -o csv`"), "{error}");
}

#[test]
fn a_packed_series_says_what_to_do() {
    let Some(path) = shared("webrate/nasa_workload.tbz2") else { return };
    let error = read(&[path]).map(|_| ()).expect_err("a refusal").to_string();
    assert!(error.contains("unpack it first with `bunzip2`"), "{error}");
}
