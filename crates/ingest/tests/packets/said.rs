//! What is said inside flows: lookups, handshakes, requests.

use crate::capture::{ACK, CLIENT, FIN, PSH, RST, SERVER, Tcp, ethernet, ip, pcap, udp};
use crate::common::{dump, read_bytes};

/// Rows other than flows, and what was amiss.
fn check(packets: &[(u64, Vec<u8>)]) -> String {
    match read_bytes(&pcap(packets)) {
        Ok(mut read) => {
            read.flows.clear();
            dump(&read)
        }
        Err(error) => error,
    }
}

const RESOLVER: &str = "192.0.2.53";

/// A message of DNS with one question: id, flags, name, type, and answers in full.
fn message(id: u16, flags: u16, name: &str, kind: u16, answers: &[&[u8]]) -> Vec<u8> {
    let mut out = [id, flags, 1, answers.len() as u16, 0, 0].map(u16::to_be_bytes).concat();
    for label in name.split('.') {
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    out.push(0);
    out.extend([kind, 1].map(u16::to_be_bytes).concat());
    out.extend(answers.concat());
    out
}

fn asked(time: u64, port: u16, message: &[u8]) -> (u64, Vec<u8>) {
    (time, ethernet(0x0800, &ip(CLIENT, RESOLVER, 17, &udp(port, 53, message))))
}

fn answered(time: u64, port: u16, message: &[u8]) -> (u64, Vec<u8>) {
    (time, ethernet(0x0800, &ip(RESOLVER, CLIENT, 17, &udp(53, port, message))))
}

const ALIAS: &[u8] = &[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, b'a', 0xc0, 16];
const A: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 9];

#[test]
fn a_question_and_its_answer_are_one_lookup() {
    insta::assert_snapshot!(check(&[
        asked(1_000_000, 5000, &message(7, 0x0100, "WWW.example.org", 1, &[])),
        answered(1_020_000, 5000, &message(7, 0x8180, "www.EXAMPLE.org", 1, &[ALIAS, A])),
        asked(1_030_000, 5001, &message(8, 0x0100, "q7xk2m.example.org", 28, &[])),
        answered(1_040_000, 5001, &message(8, 0x8183, "q7xk2m.example.org", 28, &[])),
    ]), @r"
    1000 198.51.100.7 asks 192.0.2.53 for www.example.org (example.org) type 1 rcode 0 answers 2 first 203.0.113.9 bytes 65
    1030 198.51.100.7 asks 192.0.2.53 for q7xk2m.example.org (example.org) type 28 rcode 3 answers 0 first - bytes 36
    ");
}

#[test]
fn a_question_without_its_answer_and_an_answer_without_its_question_are_lookups_too() {
    insta::assert_snapshot!(check(&[
        asked(1_000_000, 5000, &message(7, 0x0100, "a.example", 1, &[])),
        // Another id, another port, too late.
        answered(1_010_000, 5000, &message(8, 0x8180, "a.example", 1, &[A])),
        asked(2_000_000, 5001, &message(9, 0x0100, "b.example", 1, &[])),
        answered(13_000_000, 5001, &message(9, 0x8180, "b.example", 1, &[A])),
        // Asked twice with one id, answered once.
        asked(20_000_000, 5002, &message(10, 0x0100, "c.example", 1, &[])),
        asked(21_000_000, 5002, &message(10, 0x0100, "c.example", 1, &[])),
        answered(21_500_000, 5002, &message(10, 0x8185, "c.example", 1, &[])),
    ]), @r"
    1010 198.51.100.7 asks 192.0.2.53 for a.example (a.example) type 1 rcode 0 answers 1 first 203.0.113.9 bytes 43
    1000 198.51.100.7 asks 192.0.2.53 for a.example (a.example) type 1 rcode -1 answers 0 first - bytes -1
    2000 198.51.100.7 asks 192.0.2.53 for b.example (b.example) type 1 rcode -1 answers 0 first - bytes -1
    13000 198.51.100.7 asks 192.0.2.53 for b.example (b.example) type 1 rcode 0 answers 1 first 203.0.113.9 bytes 43
    20000 198.51.100.7 asks 192.0.2.53 for c.example (c.example) type 1 rcode -1 answers 0 first - bytes -1
    21000 198.51.100.7 asks 192.0.2.53 for c.example (c.example) type 1 rcode 5 answers 0 first - bytes 27
    ");
}

#[test]
fn what_is_no_message_is_no_lookup() {
    let mut circle = message(7, 0x0100, "a.example", 1, &[]);
    circle[12..14].copy_from_slice(&[0xc0, 12]);
    let update = message(7, 0x2800, "a.example", 1, &[]);
    let whole = message(7, 0x0100, "a.example", 1, &[]);
    insta::assert_snapshot!(check(&[
        asked(1_000_000, 5000, &circle),
        asked(1_000_000, 5001, &update),
        asked(1_000_000, 5002, &whole[..whole.len() - 1]),
        asked(1_000_000, 5003, b""),
    ]), @"");
}

/// A record of TLS.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, 3, 3];
    out.extend((body.len() as u16).to_be_bytes());
    out.extend(body);
    out
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    message
}

/// A `ClientHello` for www.example.org, with a value of GREASE in each list.
fn client_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 6, 0x0a, 0x0a, 0x13, 0x01, 0xc0, 0x2f, 1, 0]);
    let mut extensions = vec![0x1a, 0x1a, 0, 0];
    extensions.extend([0, 0, 0, 20, 0, 18, 0, 0, 15]);
    extensions.extend(b"WWW.example.org");
    extensions.extend([0, 10, 0, 6, 0, 4, 0x2a, 0x2a, 0, 29, 0, 11, 0, 2, 1, 0, 0, 43, 0, 5, 4, 3, 4, 3, 3]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    handshake(1, &body)
}

fn server_hello(version_13: bool) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.extend([0, 0x13, 0x01, 0]);
    if version_13 {
        body.extend([0, 6, 0, 43, 0, 2, 3, 4]);
    }
    handshake(2, &body)
}

#[test]
fn a_handshake_is_finished_when_both_sides_encrypt() {
    let mut whole = Tcp::open(8443);
    whole.say(true, &record(22, &client_hello()));
    whole.say(false, &[record(22, &server_hello(true)), record(20, &[1]), record(23, &[0; 40])].concat());
    whole.say(true, &[record(20, &[1]), record(23, &[0; 20])].concat());
    // md5 of 771,4865-49199,0-10-11-43,29,0 by md5sum.
    insta::assert_snapshot!(check(&whole.packets), @"1030 198.51.100.7 greets 192.0.2.1:8443 as www.example.org ja3 3ab9f4e6c0089782da7bf991f4bd9b21 version 0x0304 established 1");

    let mut old = Tcp::open(443);
    old.say(true, &record(22, &client_hello()));
    old.say(false, &record(22, &server_hello(false)));
    insta::assert_snapshot!(check(&old.packets), @"1030 198.51.100.7 greets 192.0.2.1:443 as www.example.org ja3 3ab9f4e6c0089782da7bf991f4bd9b21 version 0x0303 established 0");

    // Only the client's side was recorded.
    let mut one_way = Tcp::open(443);
    one_way.say(true, &record(22, &client_hello()));
    one_way.packets.remove(1);
    insta::assert_snapshot!(check(&one_way.packets), @"1030 198.51.100.7 greets 192.0.2.1:443 as www.example.org ja3 3ab9f4e6c0089782da7bf991f4bd9b21 version 0x0304 established -1");
}

#[test]
fn a_greeting_in_pieces_is_put_together() {
    let hello = client_hello();
    let records = [record(22, &hello[..50]), record(22, &hello[50..])].concat();
    let mut pieces = Tcp::open(443);
    for piece in records.chunks(11) {
        pieces.say(true, piece);
    }
    let mut whole = Tcp::open(443);
    whole.say(true, &record(22, &hello));
    let time = |text: String| text.split_once(' ').map(|(_, rest)| rest.to_owned());
    assert_eq!(time(check(&pieces.packets)), time(check(&whole.packets)));
    // What comes twice changes nothing; of what is cut off the name is still there.
    let mut cut = Tcp::open(443);
    cut.say(true, &record(22, &hello)[..90]);
    cut.send_at(2_000_000, true, 1001, PSH | ACK, &record(22, &hello)[..90]);
    insta::assert_snapshot!(check(&cut.packets), @"1030 198.51.100.7 greets 192.0.2.1:443 as www.example.org ja3 - version - established 0");
}

const GET: &[u8] =
    b"GET /a?b=1&utm_source=x HTTP/1.1\r\nHost: WWW.example.org:8080\r\nUser-Agent: agent/1\r\n\
    Referer: https://news.example/story?x\r\nX-Forwarded-For: 203.0.113.9, 203.0.113.10\r\n\r\n";

#[test]
fn a_request_has_the_status_of_its_answer() {
    let mut connection = Tcp::open(8080);
    connection.say(true, GET);
    connection.say(false, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    connection.say(false, b"llo");
    connection.say(true, b"POST /b HTTP/1.1\r\nhost: www.example.org\r\ncontent-length: 3\r\n\r\nx=");
    connection.say(true, b"1HEAD /c HTTP/1.1\r\nHost: www.example.org\r\n\r\n");
    connection.say(false, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
    connection.say(false, b"HTTP/1.1 404 Not Found\r\nContent-Length: 900\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    connection.say(true, b"GET /d HTTP/1.0\r\n\r\n");
    insta::assert_snapshot!(check(&connection.packets), @r"
    1030 +10 198.51.100.7 (203.0.113.10) get www.example.org /a ?b=1 from news.example /story by agent/1 is 200 of 5 bytes
    1060 +20 198.51.100.7 (-) post www.example.org /b ?- from - - by - is 302 of 0 bytes
    1070 +20 198.51.100.7 (-) head www.example.org /c ?- from - - by - is 404 of 900 bytes
    1100 +-1 198.51.100.7 (-) get - /d ?- from - - by - is 0 of -1 bytes
    ");
}

/// Whoever answers may announce any length, and two such lengths could not be added up.
#[test]
fn a_length_beyond_all_counters_is_none() {
    let mut connection = Tcp::open(80);
    connection.say(true, b"GET /a HTTP/1.1\r\n\r\n");
    connection.say(false, b"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n");
    insta::assert_snapshot!(check(&connection.packets), @"1030 +10 198.51.100.7 (-) get - /a ?- from - - by - is 200 of -1 bytes");
}

#[test]
fn bodies_in_chunks_are_stepped_over() {
    let mut connection = Tcp::open(80);
    connection.say(true, b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    let answers = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        5;x=y\r\nHTTP/\r\n10\r\n1.1 500 Broken!!\r\n0\r\nA: b\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n";
    for piece in answers.chunks(7) {
        connection.say(false, piece);
    }
    insta::assert_snapshot!(check(&connection.packets), @r"
    1030 +70 198.51.100.7 (-) get - /a ?- from - - by - is 200 of -1 bytes
    1030 +180 198.51.100.7 (-) get - /b ?- from - - by - is 304 of 0 bytes
    ");
}

#[test]
fn where_bytes_are_missing_reading_goes_on_behind_them() {
    let mut connection = Tcp::open(80);
    connection.say(true, b"GET /a HTTP/1.1\r\n\r\n");
    connection.say(false, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    connection.lose(false, 1000);
    connection.say(true, b"GET /b HTTP/1.1\r\n\r\n");
    connection.say(false, b"HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n");
    connection.lose(false, 300);
    connection.say(true, b"GET /c HTTP/1.1\r\nCookie: ");
    connection.lose(true, 300);
    connection.say(true, b"GET /d HTTP/1.1\r\n\r\n");
    connection.say(false, b"HTTP/1.1 202 Accepted\r\n\r\n");
    insta::assert_snapshot!(check(&connection.packets), @r"
    1030 +10 198.51.100.7 (-) get - /a ?- from - - by - is 200 of 1000 bytes
    1050 +10 198.51.100.7 (-) get - /b ?- from - - by - is 201 of 10 bytes
    1080 +10 198.51.100.7 (-) get - /c ?- from - - by - is 202 of -1 bytes
    1080 +-1 198.51.100.7 (-) get - /d ?- from - - by - is 0 of -1 bytes
    ");
}

#[test]
fn a_head_without_an_end_is_read_as_far_as_it_is_kept() {
    let mut connection = Tcp::open(80);
    connection.say(true, b"GET /a HTTP/1.1\r\nHost: www.example.org\r\n");
    for _ in 0..10 {
        connection.say(true, &[b"X-Long: ", &[b'x'; 1000][..], b"\r\n"].concat());
    }
    connection.send(9_000_000, true, FIN | ACK, b"");
    connection.send(9_000_000, false, RST, b"");
    insta::assert_snapshot!(check(&connection.packets), @"1120 +-1 198.51.100.7 (-) get www.example.org /a ?- from - - by - is 0 of -1 bytes");
}

#[test]
fn services_are_recognised_by_what_is_said() {
    let service = |port: u16, text: &[u8], from_client: bool| {
        let mut connection = Tcp::open(port);
        connection.say(from_client, text);
        let read = read_bytes(&pcap(&connection.packets)).expect("a capture");
        read.flows.iter().map(|f| f.service).collect::<Vec<_>>()
    };
    use traffic::flow::Service;
    assert_eq!(service(2222, b"SSH-2.0-OpenSSH_9\r\n", false), [Service::Ssh.code()]);
    assert_eq!(service(21, b"220 ready\r\n", false), [Service::Ftp.code()]);
    assert_eq!(service(25, b"220 mail.example ESMTP\r\n", false), [Service::Smtp.code()]);
    assert_eq!(service(8000, b"GET / HTTP/1.1\r\n\r\n", true), [Service::Http.code()]);
    assert_eq!(service(80, b"\x01\x02\x03", true), [Service::Unknown.code()]);
    let quic = [&[0xc3, 0, 0, 0, 1][..], &[0; 1195]].concat();
    let frame = ethernet(0x0800, &ip(CLIENT, SERVER, 17, &udp(50000, 443, &quic)));
    let read = read_bytes(&pcap(&[(1_000_000, frame)])).expect("a capture");
    assert_eq!(read.flows[0].service, Service::Tls.code());
}

/// A datagram of NetFlow v5 with one flow of 3 packets and 120 bytes from 203.0.113.5:1234 to 192.0.2.80:80.
fn netflow() -> Vec<u8> {
    let mut out = [5_u16, 1].map(u16::to_be_bytes).concat();
    out.extend([60_000, 100, 0, 0, 0].map(u32::to_be_bytes).concat());
    out.resize(24, 0);
    out.extend([203, 0, 113, 5, 192, 0, 2, 80, 0, 0, 0, 0, 0, 1, 0, 2]);
    out.extend([3_u32, 120, 50_000, 51_000].map(u32::to_be_bytes).concat());
    out.extend([1234_u16, 80].map(u16::to_be_bytes).concat());
    out.extend([0, 2, 6, 0, 0, 0, 0, 0, 24, 24, 0, 0]);
    out
}

#[test]
fn export_data_is_decoded_and_is_no_flow_itself() {
    let carried = |src: u16, dst: u16| {
        let frame = ethernet(0x0800, &ip(CLIENT, SERVER, 17, &udp(src, dst, &netflow())));
        dump(&read_bytes(&pcap(&[(100_000_000, frame)])).expect("a capture"))
    };
    insta::assert_snapshot!(carried(50_000, 2055), @"90000 +1000 203.0.113.5:1234 > 192.0.2.80:80 proto 6 sent 3/120 back -1/-1 flags 2 unknown");
    // A well-known port is another service's.
    insta::assert_snapshot!(carried(53, 2055), @"100000 +0 198.51.100.7:53 > 192.0.2.1:2055 proto 17 sent 1/100 back 0/0 flags 0 attempt");
}
