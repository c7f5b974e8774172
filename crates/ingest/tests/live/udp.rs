//! Datagrams over loopback.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use domain::Timestamp;
use ingest::live::{Stopped, Udp, UdpOptions};
use traffic::{Batch, Kind, Seed, flow};

/// 2026-01-01, as in the datagrams below.
pub(crate) fn clock() -> Timestamp {
    Timestamp(1_767_225_600_000)
}

pub(crate) fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Long enough for any scheduler; nothing waits for it unless something is wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A datagram of version 5 with one flow of so many packets.
fn datagram(packets: u32) -> Vec<u8> {
    let mut bytes = vec![0, 5, 0, 1];
    bytes.extend(10_000_u32.to_be_bytes());
    bytes.extend(1_767_225_600_u32.to_be_bytes());
    bytes.extend([0; 12]);
    bytes.extend([192, 0, 2, 7, 198, 51, 100, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(packets.to_be_bytes());
    bytes.extend((packets * 100).to_be_bytes());
    bytes.extend(9_000_u32.to_be_bytes());
    bytes.extend(9_500_u32.to_be_bytes());
    bytes.extend([0x30, 0x39, 0, 80, 0, 0x12, 6, 0]);
    bytes.extend([0; 8]);
    bytes
}

pub(crate) fn flows(batch: &Batch) -> Vec<flow::Flow> {
    assert_eq!(batch.kind, Kind::Flow);
    flow::rows(&batch.rows)
}

#[test]
fn datagrams_become_flows() {
    let mut udp = Udp::bind(loopback(), UdpOptions::new(Seed(0), clock)).expect("a free port");
    let sender = UdpSocket::bind(loopback()).expect("a free port");
    for packets in 1..=100 {
        sender.send_to(&datagram(packets), udp.local_address()).expect("loopback");
    }
    sender.send_to(b"no datagram", udp.local_address()).expect("loopback");
    let mut all = Vec::new();
    while all.len() < 100 || udp.counts().refused == 0 {
        if let Some(batch) = udp.next_batch(PATIENCE).expect("it was not stopped") {
            all.extend(flows(&batch));
        }
    }
    assert_eq!(all.iter().map(|flow| flow.packets).sum::<i64>(), 5050);
    assert_eq!((all[0].time, all[0].duration), (clock().0 - 1000, 500));
    let counts = udp.counts();
    assert_eq!((counts.received, counts.dropped_queue, counts.records, counts.refused), (101, 0, 100, 1));
    if cfg!(target_os = "linux") {
        assert_eq!(counts.dropped_kernel, Some(0));
    }
    assert!(udp.problems().to_string().contains("not a datagram"), "{}", udp.problems());
}

#[test]
fn what_does_not_fit_into_the_queue_is_counted() {
    let options = UdpOptions { queue_bytes: 1000, ..UdpOptions::new(Seed(0), clock) };
    let mut udp = Udp::bind(loopback(), options).expect("a free port");
    let sender = UdpSocket::bind(loopback()).expect("a free port");
    for _ in 0..100 {
        sender.send_to(&datagram(1), udp.local_address()).expect("loopback");
    }
    // Nobody takes anything out of the queue meanwhile.
    while udp.counts().received < 100 {
        std::thread::yield_now();
    }
    let mut n = 0;
    while let Some(batch) = udp.next_batch(Duration::ZERO).expect("it was not stopped") {
        n += flows(&batch).len() as u64;
    }
    let counts = udp.counts();
    assert!(n > 0 && n < 100, "{n}");
    assert_eq!(counts.dropped_queue, 100 - n);
}

#[test]
fn it_stops_when_it_is_told_and_gives_out_what_it_has() {
    let mut udp = Udp::bind(loopback(), UdpOptions::new(Seed(0), clock)).expect("a free port");
    let sender = UdpSocket::bind(loopback()).expect("a free port");
    sender.send_to(&datagram(1), udp.local_address()).expect("loopback");
    while udp.counts().received < 1 {
        std::thread::yield_now();
    }
    udp.stop_handle().stop();
    let batch = udp.next_batch(PATIENCE).expect("a batch").expect("a batch");
    assert_eq!(flows(&batch).len(), 1);
    assert_eq!(udp.next_batch(PATIENCE).err(), Some(Stopped));
}
