//! Damage of any kind: nothing stops, and what could be read is there.

use std::io::Write;

use proptest::prelude::*;

use crate::capture::{Pcapng, Tcp, ethernet, ip, pcap, udp};
use crate::common::read_bytes;
use crate::real_data::shared;

fn packets(bytes: &[u8]) -> i64 {
    match read_bytes(bytes) {
        Ok(read) => read.flows.iter().map(|f| f.packets + f.back_packets).sum(),
        // A file of which nothing at all could be read is an error, and says why.
        Err(error) => {
            assert!(error.contains("file"), "{error}");
            0
        }
    }
}

/// A little of everything.
fn mixture() -> Vec<(u64, Vec<u8>)> {
    let mut connection = Tcp::open(80);
    connection.say(true, b"GET /a?b=1 HTTP/1.1\r\nHost: www.example.org\r\n\r\n");
    connection.say(false, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n");
    let mut packets = connection.packets;
    let question =
        [&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3][..], b"www\x07example\x03org\0\0\x01\0\x01"].concat();
    packets.push((
        2_000_000,
        ethernet(0x0800, &ip("198.51.100.7", "192.0.2.53", 17, &udp(5000, 53, &question))),
    ));
    let mut answer = question;
    answer[2] = 0x81;
    answer[7] = 1;
    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 80]);
    packets
        .push((2_010_000, ethernet(0x0800, &ip("192.0.2.53", "198.51.100.7", 17, &udp(53, 5000, &answer)))));
    packets
}

fn blocks() -> Vec<u8> {
    let mut file = Pcapng::new(true);
    file.interface(1, Some(6), None);
    for (time, packet) in mixture() {
        file.enhanced(0, time, &packet);
    }
    file.bytes
}

#[test]
fn a_capture_cut_anywhere_gives_the_packets_before_the_cut() {
    for bytes in [pcap(&mixture()), blocks()] {
        let mut before = 0;
        for end in 0..=bytes.len() {
            let now = packets(&bytes[..end]);
            assert!(
                now >= before && now <= before + 1,
                "{now} packets of {end} bytes, {before} of one byte less"
            );
            before = now;
        }
        assert_eq!(before, 7);
    }
}

#[test]
fn recordings_cut_at_every_thousandth_byte_are_read_up_to_there() {
    for name in [
        "zeek-traces/http/pipelined-requests.pcap",
        "stopddos/amp.TCP.syn.optionallyACK.optionallysamePort.pcapng",
    ] {
        let Some(path) = shared(name) else { continue };
        let bytes = std::fs::read(path).expect("a file");
        let mut before = 0;
        for end in (0..bytes.len()).step_by(1000) {
            let now = packets(&bytes[..end]);
            assert!(now >= before, "{name}: {now} packets of {end} bytes, {before} of fewer");
            before = now;
        }
    }
}

#[test]
fn a_packed_capture_that_ends_early_gives_what_was_before() {
    let bytes = pcap(&mixture());
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    packer.write_all(&bytes).expect("memory takes all");
    let packed = packer.finish().expect("memory takes all");
    assert_eq!(packets(&packed), 7);
    assert_eq!(packets(&packed[..packed.len() - 60]), 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bytes_that_are_changed_stop_nothing(
        changes in proptest::collection::vec((0..10_000_usize, any::<u8>()), 1..20),
        as_blocks in any::<bool>(),
    ) {
        let mut bytes = if as_blocks { blocks() } else { pcap(&mixture()) };
        for (at, byte) in changes {
            let len = bytes.len();
            bytes[at % len] = byte;
        }
        if let Ok(read) = read_bytes(&bytes) {
            prop_assert!(read.flows.iter().all(|f| f.duration >= 0 && f.packets >= 0 && f.bytes >= 0));
            prop_assert!(read.failed.len() <= 1);
        }
    }
}
