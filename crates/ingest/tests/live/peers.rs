//! The same flows as nfdump's, from the same datagrams. softflowd makes them of recordings, in each of
//! its formats. Where a program or a recording is missing, the test says so and passes.

#![expect(clippy::disallowed_methods, reason = "another program is waited for, and not for ever")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ingest::live::{Udp, UdpOptions};
use traffic::{Address, Seed, flow};

use crate::udp::{PATIENCE, flows, loopback};

/// Recordings with TCP, UDP, ICMP and IPv6, a scan, and a flood whose flows are more than softflowd
/// keeps at once.
const RECORDINGS: [&str; 6] = [
    "ndpi/synscan.pcap",
    "ndpi/icmp-tunnel.pcap",
    "ndpi/tor.pcap",
    "ndpi/googledns_android10.pcap",
    "zeek-traces/dns-edns-ecs.pcap",
    "stopddos/amp.TCP.reflection.SYNACK.pcap",
];

/// 2100: softflowd writes the times of the recording into some headers and its own into others, and
/// none of them may lie in the future.
fn late() -> domain::Timestamp {
    domain::Timestamp(4_102_444_800_000)
}

fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what} is missing");
}

fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/network").join(name);
    if !path.exists() {
        skipped(&format!("shared/data/network/{name}"));
    }
    path.exists().then_some(path)
}

fn installed(program: &str) -> bool {
    let there = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    let there = there.is_ok_and(|output| output.status.success());
    if !there {
        skipped(program);
    }
    there
}

#[test]
fn flows_packets_and_bytes_equal_those_of_nfdump() {
    if !(installed("softflowd") && installed("nfcapd") && installed("nfdump")) {
        return;
    }
    let mut compared = 0;
    for name in RECORDINGS {
        let Some(recording) = shared(name) else { continue };
        for version in ["5", "9", "10"] {
            let datagrams = export(&recording, version);
            let (ours, theirs) = (by_us(&datagrams), by_nfdump(&datagrams));
            assert!(!ours.is_empty(), "{name}, version {version}: no flow");
            assert_eq!(ours.len(), theirs.len(), "{name}, version {version}: flows");
            let (ours, theirs) = (ours.join("\n"), theirs.join("\n"));
            assert!(ours == theirs, "{name}, version {version}\nours:\n{ours}\nnfdump's:\n{theirs}");
            compared += 1;
        }
    }
    let _ = writeln!(std::io::stderr(), "equal to nfdump: {compared} exports");
}

/// The datagrams that softflowd sends of a recording.
fn export(recording: &Path, version: &str) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = UdpSocket::bind(loopback()).expect("a free port");
    let to = socket.local_addr().expect("an address").to_string();
    let mut softflowd = Command::new("softflowd")
        .args(["-d", "-a", "-6", "-v", version, "-n", &to, "-r"])
        .arg(recording)
        .arg("-p")
        .arg(folder.path().join("pid"))
        .args(["-c", "none"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("softflowd starts");
    let mut datagrams = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    let started = Instant::now();
    socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a time-out");
    loop {
        // Once it is over, all that it sent lies in the socket.
        let over = softflowd.try_wait().expect("a child").is_some();
        while let Ok(length) = socket.recv(&mut buffer) {
            datagrams.push(buffer[..length].to_vec());
        }
        if over {
            return datagrams;
        }
        if started.elapsed() > PATIENCE {
            let _ = softflowd.kill();
            let _ = softflowd.wait();
            panic!("softflowd does not end");
        }
    }
}

/// One flow on one line. Its time is left out: nfdump takes a start at the exporter's own start for none,
/// and the time of export for all flows of softflowd's IPFIX. Ports of ICMP are written in as many ways as there
/// are programs, so type and code are made one number.
fn line(src: &str, dst: &str, ports: (u32, u32), proto: u32, packets: u64, bytes: u64) -> String {
    let (src_port, dst_port) = ports;
    format!("{src} {src_port} {dst} {dst_port} proto {proto}: {packets} packets, {bytes} bytes")
}

/// What our collector makes of the datagrams.
fn by_us(datagrams: &[Vec<u8>]) -> Vec<String> {
    let mut udp = Udp::bind(loopback(), UdpOptions::new(Seed(0), late)).expect("a free port");
    let sender = UdpSocket::bind(loopback()).expect("a free port");
    let mut lines = Vec::new();
    for (n, datagram) in datagrams.iter().enumerate() {
        sender.send_to(datagram, udp.local_address()).expect("loopback");
        while udp.counts().received <= n as u64 {
            std::thread::yield_now();
        }
    }
    udp.stop_handle().stop();
    while let Ok(batch) = udp.next_batch(PATIENCE) {
        lines.extend(flows(&batch.expect("a batch, for it was stopped")).iter().map(of_flow));
    }
    assert_eq!(udp.counts().refused, 0, "{}", udp.problems());
    lines.sort();
    lines
}

fn of_flow(flow: &flow::Flow) -> String {
    let ip = |hi, lo| Address { hi, lo }.ip().expect("an address").to_string();
    let (mut ports, proto) = ((flow.src_port as u32, flow.dst_port as u32), flow.proto as u32);
    if proto == 1 || proto == 58 {
        ports = (0, ports.0 * 256 + ports.1);
    }
    line(
        &ip(flow.src_hi, flow.src_lo),
        &ip(flow.dst_hi, flow.dst_lo),
        ports,
        proto,
        flow.packets as u64,
        flow.bytes as u64,
    )
}

/// What nfcapd makes of the datagrams, as nfdump shows it.
fn by_nfdump(datagrams: &[Vec<u8>]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    // A port that was free a moment ago.
    let port =
        UdpSocket::bind(loopback()).and_then(|socket| socket.local_addr()).expect("a free port").port();
    let mut nfcapd = Command::new("nfcapd")
        .args(["-b", "127.0.0.1", "-p", &port.to_string(), "-t", "3600", "-w"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nfcapd starts");
    let started = Instant::now();
    while waiting(port).is_none() {
        assert!(started.elapsed() < PATIENCE, "nfcapd does not listen");
        std::thread::sleep(Duration::from_millis(5));
    }
    let sender = UdpSocket::bind(loopback()).expect("a free port");
    for datagram in datagrams {
        sender.send_to(datagram, ("127.0.0.1", port)).expect("loopback");
        while waiting(port).is_some_and(|bytes| bytes > 0) {
            std::thread::yield_now();
        }
    }
    end(&mut nfcapd);
    let output = Command::new("nfdump")
        .args(["-q", "-N", "-6", "-o", "fmt:%sa,%sp,%da,%dp,%pr,%pkt,%byt", "-R"])
        .arg(folder.path())
        .env("TZ", "UTC")
        .output()
        .expect("nfdump starts");
    let text = String::from_utf8(output.stdout).expect("text");
    let mut lines: Vec<String> = text.lines().map(of_nfdump).collect();
    lines.sort();
    lines
}

fn of_nfdump(text: &str) -> String {
    let fields: Vec<&str> = text.split(',').map(str::trim).collect();
    let &[src, src_port, dst, dst_port, proto, packets, bytes] = &fields[..] else {
        panic!("not a line of nfdump: {text:?}")
    };
    let number = |field: &str| field.parse::<u64>().unwrap_or_else(|_| panic!("no number in {text:?}"));
    let ip = |field: &str| field.parse::<std::net::IpAddr>().expect("an address").to_string();
    // Type and code of ICMP, with a point between them.
    let port = |field: &str| match field.split_once('.') {
        Some((kind, code)) => number(kind) * 256 + number(code),
        None => number(field),
    };
    let proto = number(proto) as u32;
    let ports = if proto == 1 || proto == 58 {
        (0, port(dst_port) as u32)
    } else {
        (port(src_port) as u32, port(dst_port) as u32)
    };
    line(&ip(src), &ip(dst), ports, proto, number(packets), number(bytes))
}

/// Bytes that wait in the socket of a port, by `/proc/net/udp`. `None` where nobody listens.
fn waiting(port: u16) -> Option<u64> {
    let table = std::fs::read_to_string("/proc/net/udp").ok()?;
    let mut local = String::from("0100007F:");
    let _ = write!(local, "{port:04X}");
    let line = table.lines().find(|line| line.split_ascii_whitespace().nth(1) == Some(&local))?;
    let (_, receiving) = line.split_ascii_whitespace().nth(4)?.split_once(':')?;
    u64::from_str_radix(receiving, 16).ok()
}

/// Ends a program as a terminal would, so that it closes its file.
fn end(child: &mut Child) {
    let ended = Command::new("kill").arg(child.id().to_string()).status();
    assert!(ended.is_ok_and(|status| status.success()), "the program cannot be ended");
    child.wait().expect("a child");
}
