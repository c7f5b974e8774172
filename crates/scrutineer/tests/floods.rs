//! Floods that were recorded, and ordinary traffic that was.
//!
//! The data lies outside the repository; where it is missing, each test says what it skipped.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

type Failure = Box<dyn std::error::Error>;

/// The detectors of floods.
const FLOODS: &str = "volumetric-ddos,carpet-bombing,dns-water-torture,tls-handshake-flood,slow-flood";

/// Paths of the network data, or none where one is not there.
fn shared(test: &str, names: &[&str]) -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/network");
    let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    if paths.iter().all(|path| path.exists()) {
        return Some(paths);
    }
    let _ = writeln!(std::io::stderr(), "skipped: {test}, for want of ../shared/data/network");
    None
}

/// One line a finding: severity, first second, title.
fn found(inputs: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let output = Command::new(env!("CARGO_BIN_EXE_scrutineer"))
        .args(["detect", "--no-config", "--json", "--only", FLOODS])
        .args(inputs)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let mut lines = Vec::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let finding: serde_json::Value = serde_json::from_str(line)?;
        let field = |name: &str| finding[name].as_str().unwrap_or("").to_owned();
        lines.push(format!("{} {}: {}", field("severity"), field("first_seen"), field("title")));
    }
    Ok(lines)
}

const SYN_ACK: &str = "medium 2021-06-05T03:58:45Z: TCP SYN-ACK reflection (with RST of the same reflection) towards \
                       10.10.10.10: up to 6,651 packets/s";
const ISAKMP: &str = "medium 2021-06-14T19:45:01Z: UDP amplification (isakmp-nat-t/4500) towards 10.10.10.10: up to 3,984 packets/s";
const SNMP: &str =
    "medium 2021-05-15T14:50:40Z: UDP amplification (snmp/161) towards 10.10.10.10: up to 4,079 packets/s";
// The recording begins at 15:55:45.
const DOMINATE: &str =
    "medium 2021-04-01T15:56:19Z: spoofed SYN flood towards 10.10.10.10: up to 7,274 packets/s";
const SPOOFED: &str =
    "high 2021-04-28T10:30:21Z: spoofed SYN flood towards 10.10.10.10: up to 22,322 packets/s";
const TRICKLE: &str = "info 2021-06-20T19:43:00Z: 893 odd SYN and SYN-ACK packets towards 10.10.10.10 within 14 min, far \
                       below any rate that matters";

#[test]
fn recorded_floods_are_named() -> Result<(), Failure> {
    let files = [
        ("stopddos/amp.TCP.reflection.SYNACK.pcap", SYN_ACK),
        ("stopddos/amp.UDP.isakmp.pcap", ISAKMP),
        ("stopddos/amp.UDP.snmp.src161.pcapng", SNMP),
        ("stopddos/pkt.TCP.DOMINATE.syn.ecn.cwr.pcapng", DOMINATE),
        ("stopddos/pkt.TCP.synflood.spoofed.pcap", SPOOFED),
        ("stopddos/amp.TCP.syn.optionallyACK.optionallysamePort.pcapng", TRICKLE),
    ];
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let Some(paths) = shared("recorded_floods_are_named", &names) else { return Ok(()) };
    for (path, (name, expected)) in paths.iter().zip(files) {
        assert_eq!(found(std::slice::from_ref(path))?, [expected], "{name}");
    }
    // All in one run, beside ordinary traffic.
    let Some(ordinary) = shared("recorded_floods_are_named", ORDINARY) else { return Ok(()) };
    let mut all = found(&[paths, ordinary].concat())?;
    all.sort();
    let mut expected: Vec<&str> = files.iter().map(|(_, line)| *line).collect();
    expected.sort_unstable();
    assert_eq!(all, expected);
    Ok(())
}

/// Recordings of ordinary use, and of a server that anybody scans.
const ORDINARY: &[&str] = &[
    "ndpi/googledns_android10.pcap",
    "ndpi/simple-dnscrypt.pcap",
    "ndpi/dns_doh.pcap",
    "ndpi/tor.pcap",
    "zeek-traces",
];

#[test]
fn recorded_ordinary_traffic_is_silent() -> Result<(), Failure> {
    let more = ["ndpi/synscan.pcap", "ctu-2023-02-20", "rita/missing_host", "weblogs/nasa_19950801_clf.log"];
    for name in ORDINARY.iter().chain(&more) {
        let Some(path) = shared(&format!("recorded_ordinary_traffic_is_silent ({name})"), &[name]) else {
            continue;
        };
        assert_eq!(found(&path)?, Vec::<String>::new(), "{name}");
    }
    Ok(())
}
