//! Packets to flows.

use std::net::Ipv4Addr;

use crate::capture::{
    ACK, CLIENT, FIN, Layout, PLAIN, Pcapng, RST, SERVER, SYN, Tcp, ethernet, ip, ip4, pcap, pcap_of, tcp,
    udp,
};
use crate::common::{dump, read_bytes};

fn check(bytes: &[u8]) -> String {
    match read_bytes(bytes) {
        Ok(read) => dump(&read),
        Err(error) => error,
    }
}

fn syn(flags: u8) -> Vec<u8> {
    ethernet(0x0800, &ip(CLIENT, SERVER, 6, &tcp(40000, 80, 1, flags, b"")))
}

fn answer(flags: u8) -> Vec<u8> {
    ethernet(0x0800, &ip(SERVER, CLIENT, 6, &tcp(80, 40000, 1, flags, b"")))
}

fn datagram(text: &[u8]) -> Vec<u8> {
    ethernet(0x0800, &ip(CLIENT, SERVER, 17, &udp(40000, 9000, text)))
}

const SECOND: u64 = 1_000_000;

#[test]
fn a_connection_that_is_closed_is_one_flow() {
    let mut connection = Tcp::open(9000);
    connection.say(true, b"hello");
    connection.say(false, b"hello to you too");
    connection.send(2_000_000, true, FIN | ACK, b"");
    connection.send(2_010_000, false, FIN | ACK, b"");
    connection.send(2_020_000, true, ACK, b"");
    insta::assert_snapshot!(check(&pcap(&connection.packets)), @"1000 +1020 198.51.100.7:40000 > 192.0.2.1:9000 proto 6 sent 5/205 back 3/136 flags 27 closed");
}

#[test]
fn the_state_follows_from_the_handshake() {
    let states = |packets: &[(u64, Vec<u8>)]| check(&pcap(packets));
    insta::assert_snapshot!(states(&[(SECOND, syn(SYN)), (2 * SECOND, syn(SYN))]), @"1000 +1000 198.51.100.7:40000 > 192.0.2.1:80 proto 6 sent 2/80 back 0/0 flags 2 attempt");
    insta::assert_snapshot!(states(&[(SECOND, syn(SYN)), (SECOND, answer(RST | ACK))]), @"1000 +0 198.51.100.7:40000 > 192.0.2.1:80 proto 6 sent 1/40 back 1/40 flags 2 rejected");
    insta::assert_snapshot!(states(&[(SECOND, syn(SYN)), (SECOND, answer(SYN | ACK)), (SECOND, syn(RST))]), @"1000 +0 198.51.100.7:40000 > 192.0.2.1:80 proto 6 sent 2/80 back 1/40 flags 6 reset");
    insta::assert_snapshot!(states(&[(SECOND, syn(SYN | 64 | 128)), (SECOND, answer(SYN | ACK))]), @"1000 +0 198.51.100.7:40000 > 192.0.2.1:80 proto 6 sent 1/40 back 1/40 flags 194 established");
    // What a victim of reflection sees: the source stays the one that was seen first.
    insta::assert_snapshot!(states(&[(SECOND, answer(SYN | ACK)), (SECOND, syn(RST))]), @"1000 +0 192.0.2.1:80 > 198.51.100.7:40000 proto 6 sent 1/40 back 1/40 flags 18 partial");
    insta::assert_snapshot!(states(&[(SECOND, syn(ACK)), (SECOND, answer(ACK))]), @"1000 +0 198.51.100.7:40000 > 192.0.2.1:80 proto 6 sent 1/40 back 1/40 flags 16 partial");
    insta::assert_snapshot!(states(&[(SECOND, datagram(b"?"))]), @"1000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 1/29 back 0/0 flags 0 attempt");
}

#[test]
fn a_port_that_is_used_again_is_another_flow() {
    let packets = [
        (SECOND, syn(SYN)),
        (SECOND, answer(RST | ACK)),
        (2 * SECOND, syn(SYN)),
        (2 * SECOND, answer(RST | ACK)),
    ];
    insta::assert_snapshot!(check(&pcap(&packets)), @r"
    1000 +0 198.51.100.7:40000 > 192.0.2.1:80 proto 6 sent 1/40 back 1/40 flags 2 rejected
    2000 +0 198.51.100.7:40000 > 192.0.2.1:80 proto 6 sent 1/40 back 1/40 flags 2 rejected
    ");
}

#[test]
fn an_answer_of_icmp_belongs_to_its_question() {
    let echo =
        |src: &str, dst: &str, kind: u8| ethernet(0x0800, &ip(src, dst, 1, &[kind, 0, 0, 0, 0, 1, 0, 1]));
    let packets = [
        (SECOND, echo(CLIENT, SERVER, 8)),
        (SECOND, echo(SERVER, CLIENT, 0)),
        (SECOND, echo(SERVER, CLIENT, 3)),
    ];
    insta::assert_snapshot!(check(&pcap(&packets)), @r"
    1000 +0 198.51.100.7:8 > 192.0.2.1:0 proto 1 sent 1/28 back 1/28 flags 0 established
    1000 +0 192.0.2.1:3 > 198.51.100.7:0 proto 1 sent 1/28 back 0/0 flags 0 unknown
    ");
}

#[test]
fn silence_ends_a_flow_and_a_long_one_is_given_out_in_slices() {
    // 61 s apart: two flows.
    insta::assert_snapshot!(check(&pcap(&[(SECOND, datagram(b"a")), (62 * SECOND, datagram(b"b"))])), @r"
    1000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 1/29 back 0/0 flags 0 attempt
    62000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 1/29 back 0/0 flags 0 attempt
    ");
    // A packet each 50 s for 11 minutes: slices of 5 minutes, the last with the state of the whole.
    let long: Vec<_> = (0..14).map(|n| (SECOND + n * 50 * SECOND, datagram(b"a"))).collect();
    insta::assert_snapshot!(check(&pcap(&long)), @r"
    1000 +250000 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 6/174 back 0/0 flags 0 open
    301000 +250000 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 6/174 back 0/0 flags 0 open
    601000 +50000 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 2/58 back 0/0 flags 0 attempt
    ");
}

#[test]
fn a_time_that_jumps_costs_nothing_and_ends_nothing_twice() {
    let packets = [
        (SECOND, datagram(b"a")),
        (1_500_000_000 * SECOND, datagram(b"b")),
        (2 * SECOND, datagram(b"c")),
        (3 * SECOND, datagram(b"d")),
    ];
    insta::assert_snapshot!(check(&pcap(&packets)), @r"
    1000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 1/29 back 0/0 flags 0 attempt
    1500000000000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 1/29 back 0/0 flags 0 attempt
    2000 +1000 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 2/58 back 0/0 flags 0 attempt
    ");
}

#[test]
fn a_packet_from_the_future_is_refused() {
    insta::assert_snapshot!(check(&pcap(&[(SECOND, datagram(b"a")), (4_000_000_000 * SECOND, datagram(b"b"))])), @r"
    1000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 1/29 back 0/0 flags 0 attempt
    1 × more than a day in the future
      2:
    ");
}

#[test]
fn fragments_are_counted_and_only_the_first_has_ports() {
    let [src, dst] = [CLIENT, SERVER].map(|text| text.parse::<Ipv4Addr>().expect("an address"));
    let piece = |fragment, payload: &[u8]| ethernet(0x0800, &ip4(src, dst, 17, fragment, payload));
    let packets = [
        (SECOND, piece(0x2000, &udp(40000, 9000, &[0; 16]))),
        (SECOND, piece(0x2003, &[0x20; 24])),
        (SECOND, piece(0x0006, &[0x20; 24])),
    ];
    insta::assert_snapshot!(check(&pcap(&packets)), @r"
    1000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 1/44 back 0/0 flags 0 attempt fragments 1
    1000 +0 198.51.100.7:0 > 192.0.2.1:0 proto 17 sent 2/88 back 0/0 flags 0 unknown fragments 2
    ");
}

#[test]
fn what_is_not_ip_is_counted_apart_and_what_is_broken_is_refused() {
    let packets = [
        (SECOND, ethernet(0x0806, &[0; 28])),
        (SECOND, ethernet(0x0800, &[0x42, 0, 0, 40])),
        (SECOND, vec![1, 2, 3]),
        (SECOND, datagram(b"a")),
    ];
    insta::assert_snapshot!(check(&pcap(&packets)), @r"
    1000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 1/29 back 0/0 flags 0 attempt
    2 × a packet whose headers cannot be read
      2: headers are broken or cut off
      3: headers are broken or cut off
    1 × a packet that is not IP: counted in no flow
      1: EtherType 0x0806
    ");
}

#[test]
fn a_packet_that_was_cut_short_counts_as_long_as_it_was() {
    let whole = datagram(&[0; 500]);
    let mut bytes = pcap(&[(SECOND, whole[..14 + 20 + 8].to_vec()), (SECOND, whole[..14 + 20].to_vec())]);
    for at in [24, 24 + 16 + 42] {
        bytes[at + 12..at + 16].copy_from_slice(&(whole.len() as u32).to_le_bytes());
    }
    // The second was cut before its ports, so it is a flow of the addresses.
    insta::assert_snapshot!(check(&bytes), @r"
    1000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 1/528 back 0/0 flags 0 attempt
    1000 +0 198.51.100.7:0 > 192.0.2.1:0 proto 17 sent 1/528 back 0/0 flags 0 unknown
    ");
}

#[test]
fn a_packet_is_never_longer_than_what_was_on_the_wire() {
    let [mut claims, mut zero] = [datagram(b"a"), datagram(b"a")];
    claims[16..18].copy_from_slice(&[0xff, 0xff]);
    // What a host captures of packets that its network card cuts into pieces.
    zero[16..18].copy_from_slice(&[0, 0]);
    insta::assert_snapshot!(check(&pcap(&[(SECOND, claims), (SECOND, zero)])), @"1000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 2/58 back 0/0 flags 0 attempt");
}

#[test]
fn every_order_of_bytes_and_unit_of_time_gives_the_same_rows() {
    let packets = [(1_700_000_000_123_000, syn(SYN)), (1_700_000_000_456_000, answer(SYN | ACK))];
    let expected = check(&pcap(&packets));
    assert!(expected.starts_with("1700000000123 +333 198.51.100.7:40000 > 192.0.2.1:80"), "{expected}");
    for big_endian in [false, true] {
        for nanoseconds in [false, true] {
            assert_eq!(check(&pcap_of(Layout { big_endian, nanoseconds }, 1, &packets)), expected);
        }
        // Microseconds, nanoseconds, powers of two, an offset, the older block; each of its own interface.
        let mut file = Pcapng::new(big_endian);
        let [(first, one), (second, two)] = &packets;
        file.interface(1, None, None);
        file.interface(1, Some(9), None);
        file.enhanced(0, *first, one);
        file.enhanced(1, second * 1000, two);
        assert_eq!(check(&file.bytes), expected);
        let mut file = Pcapng::new(big_endian);
        file.interface(1, Some(0x80 | 0x0a), None);
        file.interface(1, Some(3), Some(1_700_000_000));
        // 123 ms are 125.95 of 1,024 units, so this is the next whole one.
        file.enhanced(0, 1_700_000_000 * 1024 + 126, one);
        file.old(1, 456, two);
        assert_eq!(check(&file.bytes), expected);
    }
}

#[test]
fn a_simple_packet_has_the_time_of_the_one_before_it() {
    let mut file = Pcapng::new(false);
    file.interface(1, None, None);
    file.simple(&datagram(b"a"));
    file.enhanced(0, SECOND, &datagram(b"b"));
    file.simple(&datagram(b"c"));
    file.enhanced(7, SECOND, &datagram(b"d"));
    file.block(0x0000_0bad, b"a custom block");
    file.section();
    file.enhanced(0, SECOND, &datagram(b"e"));
    insta::assert_snapshot!(check(&file.bytes), @r"
    1000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 2/58 back 0/0 flags 0 attempt
    1 × no time
      1: a simple packet block before any that has a time
    2 × a packet whose headers cannot be read
      4: a packet of an interface that is not described
      5: a packet of an interface that is not described
    ");
}

#[test]
fn every_link_leads_to_the_same_flow() {
    let packet = ip(CLIENT, SERVER, 17, &udp(40000, 9000, b"a"));
    let behind = |front: &[u8]| [front, &packet].concat();
    let tagged = |front: &[u8]| ethernet(u16::from_be_bytes([front[0], front[1]]), &behind(&front[2..]));
    let expected = check(&pcap(&[(SECOND, ethernet(0x0800, &packet))]));
    let frames = [
        (1, tagged(&[0x81, 0, 0, 7, 8, 0])),
        (1, tagged(&[0x88, 0xa8, 0, 7, 0x81, 0, 0, 8, 8, 0])),
        (1, tagged(&[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64])),
        (1, tagged(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 31, 0, 0x21])),
        (101, packet.clone()),
        (228, packet.clone()),
        (0, behind(&[2, 0, 0, 0])),
        (108, behind(&[0, 0, 0, 2])),
        (113, behind(&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0])),
        (276, behind(&[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0])),
        (9, behind(&[0xff, 3, 0, 0x21])),
    ];
    for (link, frame) in frames {
        assert_eq!(check(&pcap_of(PLAIN, link, &[(SECOND, frame)])), expected, "link {link}");
    }
    let other = check(&pcap_of(PLAIN, 147, &[(SECOND, packet)]));
    insta::assert_snapshot!(other, @r"
    1 × a packet whose headers cannot be read
      1: link type 147
    failed: could not read traffic from `file`: none of its 1 rows could be read as pcap: a packet whose headers cannot be read
    ");
}

#[test]
fn checksums_do_not_matter_and_ipv6_is_read() {
    let packet = ip("2001:db8::1", "2001:db8::2", 17, &udp(40000, 9000, b"a"));
    let mut wrong = packet.clone();
    wrong[40 + 6..40 + 8].copy_from_slice(&[0xde, 0xad]);
    let frames = [packet, wrong].map(|packet| (SECOND, ethernet(0x86dd, &packet)));
    insta::assert_snapshot!(check(&pcap(&frames)), @"1000 +0 2001:db8::1:40000 > 2001:db8::2:9000 proto 17 sent 2/98 back 0/0 flags 0 attempt");
}

/// Found by fuzzing: of a packet whose second header behind that of IPv6 is cut off, the library below read beyond its
/// end.
#[test]
fn headers_of_ipv6_may_be_cut_off() {
    let options = [60, 0, 1, 4, 0, 0, 0, 0];
    let frames = [&[][..], &[17], &[17, 0, 1]]
        .map(|rest| ip("2001:db8::1", "2001:db8::2", 0, &[&options[..], rest].concat()))
        .map(|packet| (SECOND, ethernet(0x86dd, &packet)));
    insta::assert_snapshot!(check(&pcap(&frames)), @"1000 +0 2001:db8::1:0 > 2001:db8::2:0 proto 60 sent 3/148 back 0/0 flags 0 unknown");
}

#[test]
fn a_file_that_ends_early_gives_what_was_before() {
    let bytes = pcap(&[(SECOND, datagram(b"a")), (SECOND, datagram(b"b"))]);
    insta::assert_snapshot!(check(&bytes[..bytes.len() - 1]), @r"
    1000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 1/29 back 0/0 flags 0 attempt
    1 × the file is damaged or ends early: the rest is lost
      0: the last packet is cut off
    ");
    let mut absurd = bytes;
    let last = absurd.len() - 16 - 43;
    absurd[last + 8..last + 12].copy_from_slice(&[0xff; 4]);
    insta::assert_snapshot!(check(&absurd), @r"
    1000 +0 198.51.100.7:40000 > 192.0.2.1:9000 proto 17 sent 1/29 back 0/0 flags 0 attempt
    1 × the file is damaged or ends early: the rest is lost
      0: a record claims more bytes than any packet has
    ");
}
