//! What strangers send to the server, and how long it puts up with it.

use std::io::{Read, Write};
use std::time::Duration;

use witness::server::{Limits, ServeError, Settings};

use crate::helpers::{Bench, Log, Served, post, status_of};

fn served(limits: Limits) -> (Log, Served) {
    let log = Log::honest("log.example");
    let bench = Bench::new(&[&log]);
    (log, Served::new(bench, limits))
}

fn impatient() -> Limits {
    let short = Duration::from_millis(300);
    Limits { head: short, body: short, answer: short, ..Limits::default() }
}

/// Reads until the server closes. The connection's own timeout of half a minute would be an error.
fn until_closed(mut stream: std::net::TcpStream) -> String {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => (),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn every_answer_has_its_status() {
    let (log, served) = served(Limits::default());
    let liar = Log::forked("log.example", 2);
    let statuses = [
        served.post(&Log::honest("other.example").request(0, 5)),
        served.post(&log.request(3, 5)),
        served.post(&log.request(0, 5)),
        served.post(&log.request(7, 6)),
        served.post(&liar.request(5, 6)),
        served.raw(&post("old", "close")),
        served.raw(&post(&"a".repeat(64 << 10), "close")),
        served.get("/"),
        served.get("/w/add-checkpoint/"),
    ]
    .map(|said| status_of(&said));
    assert_eq!(statuses, [404, 409, 200, 400, 422, 400, 400, 404, 404]);
}

#[test]
fn a_body_that_is_too_large_is_cut_off() {
    let (_, served) = served(Limits::default());
    let head = "POST /w/add-checkpoint HTTP/1.1\r\nhost: w.example\r\n";
    // Declared, and never sent.
    let said = served.raw(format!("{head}content-length: 1000000000\r\n\r\nold 0\n").as_bytes());
    assert_eq!(status_of(&said), 413, "{said}");
    // Not declared.
    let mut stream = served.connect();
    stream.write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).expect("sent");
    let chunk = format!("{:x}\r\n{}\r\n", 8 << 10, "a".repeat(8 << 10));
    // The server stops reading and closes after 64 KiB; how much of the rest can be sent is for the kernel to say.
    for _ in 0..10_000 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    let said = until_closed(stream);
    assert!(said.is_empty() || status_of(&said) == 413, "{said}");
    let events = served.bench.events.lock().expect("no panic");
    assert_eq!(events[..], ["cut a request off: the body is too large"; 2]);
}

#[test]
fn a_head_that_is_too_large_is_cut_off() {
    let (_, served) = served(Limits::default());
    let many = "x-filler: 1\r\n".repeat(65);
    let said = served.raw(format!("GET /w HTTP/1.1\r\n{many}\r\n").as_bytes());
    assert_eq!(status_of(&said), 431, "{said}");
    let long = "a".repeat(20 << 10);
    let said = served.raw(format!("GET /w HTTP/1.1\r\nx-filler: {long}\r\n\r\n").as_bytes());
    assert!(said.is_empty() || status_of(&said) == 431, "{said}");
}

#[test]
fn a_connection_that_says_nothing_is_closed() {
    let (_, served) = served(impatient());
    assert_eq!(until_closed(served.connect()), "");
}

#[test]
fn a_head_that_drips_is_cut_off() {
    let (_, served) = served(impatient());
    let mut stream = served.connect();
    stream.write_all(b"POST /w/add-checkpoint HTTP/1.1\r\nhost: w.exa").expect("sent");
    let said = until_closed(stream);
    assert!(said.is_empty() || status_of(&said) == 408, "{said}");
}

#[test]
fn a_body_that_drips_is_cut_off() {
    let (_, served) = served(impatient());
    let mut stream = served.connect();
    stream
        .write_all(b"POST /w/add-checkpoint HTTP/1.1\r\nhost: w.example\r\ncontent-length: 100\r\n\r\nold")
        .expect("sent");
    assert_eq!(status_of(&until_closed(stream)), 408);
    assert_eq!(
        served.bench.events.lock().expect("no panic")[..],
        ["cut a request off: the body took too long"]
    );
}

#[test]
fn a_connection_that_is_kept_alive_for_nothing_is_closed() {
    let (log, served) = served(Limits { head: Duration::from_millis(300), ..Limits::default() });
    let mut stream = served.connect();
    stream.write_all(&post(&log.request(0, 5).to_string(), "keep-alive")).expect("sent");
    assert_eq!(status_of(&until_closed(stream)), 200);
}

#[test]
fn a_connection_too_many_is_told_to_come_again() {
    let (_, served) = served(Limits { connections: 1, ..Limits::default() });
    // Connections are accepted in the order in which they were made.
    let _first = served.connect();
    let said = until_closed(served.connect());
    assert_eq!(status_of(&said), 503);
    assert!(said.contains("\r\nretry-after: 5\r\n"), "{said}");
}

#[test]
fn a_request_too_many_is_told_to_come_again() {
    let (log, served) = served(Limits { requests: 0, ..Limits::default() });
    let said = served.post(&log.request(0, 5));
    assert_eq!(status_of(&said), 503);
    assert!(said.contains("\r\nretry-after: 5\r\n"), "{said}");
}

#[test]
fn a_disk_that_hangs_gathers_no_work() {
    let limits = Limits { requests: 2, answer: Duration::from_millis(300), ..Limits::default() };
    let (log, served) = served(limits);
    {
        let _hung = served.bench.cells.0.lock().expect("no panic");
        for _ in 0..4 {
            assert_eq!(status_of(&served.post(&log.request(0, 5))), 503);
        }
    }
    // Two were begun and end now; at most one of them has recorded.
    let done = || {
        served
            .bench
            .events
            .lock()
            .expect("no panic")
            .iter()
            .filter(|event| !event.contains("too many"))
            .count()
    };
    while done() < 2 {
        std::thread::yield_now();
    }
    assert_eq!(served.bench.recorded(&log), Some(5));
    // A place may be given back a moment after its event.
    let mut status = 503;
    while status == 503 {
        status = status_of(&served.post(&log.request(5, 7)));
    }
    assert_eq!(status, 200);
}

#[test]
fn what_is_no_http_is_closed() {
    let (log, served) = served(Limits::default());
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"SSH-2.0-x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let said = served.raw(bytes);
        assert!(said.is_empty() || status_of(&said) == 400 || status_of(&said) == 505, "{said}");
    }
    assert_eq!(status_of(&served.post(&log.request(0, 5))), 200, "and the server goes on");
}

#[test]
fn a_prefix_is_a_plain_path() {
    for bad in ["/", "w", "/w/", "/{w}", "/w w", "/*w"] {
        assert!(matches!(Settings::new(bad, || 0), Err(ServeError::Prefix(_))), "{bad}");
    }
    for good in ["", "/w", "/a/b.c"] {
        assert!(Settings::new(good, || 0).is_ok(), "{good}");
    }
}
