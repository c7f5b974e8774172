//! The client among witnesses that work, fail and lie.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use tlog::policy::{Policy, Refusal};
use tlog::{Checkpoint, Hash, SignerKey, cosignature};
use witness::client::{Gathered, KnownSizes, Wait};
use witness::exchange::Reason;
use witness::server::Limits;
use witness::{Client, Exhibit};

use crate::helpers::{Bench, Log, Served, cosigner};

/// A witness that works, with its own key.
fn served(log: &Log, seed: u8) -> Served {
    Served::new(Bench::with_keys(vec![cosigner(&name(seed), seed)], &[log]), Limits::default())
}

fn name(seed: u8) -> String {
    format!("w{seed}.example")
}

/// A server that answers every connection in its own way, after it has read the request.
fn fake(answer: impl Fn(&mut TcpStream) + Send + Sync + Copy + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                read_request(&mut stream);
                answer(&mut stream);
            });
        }
    });
    format!("http://{address}")
}

fn read_request(stream: &mut TcpStream) {
    let (mut seen, mut block) = (Vec::new(), [0; 4096]);
    // Every request here ends in a signature line.
    while let Ok(n) = stream.read(&mut block) {
        seen.extend_from_slice(&block[..n]);
        if n == 0 || (seen.ends_with(b"\n") && String::from_utf8_lossy(&seen).contains("\n\n—")) {
            return;
        }
    }
}

/// What a test does with a connection that may be gone: nothing depends on whether the bytes arrive.
fn send(stream: &mut TcpStream, text: &str) {
    let _ = stream.write_all(text.as_bytes());
}

fn answer_200(stream: &mut TcpStream, body: &str) {
    send(
        stream,
        &format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()),
    );
}

fn policy(log: &Log, witnesses: &[(u8, Option<String>)], needs: &str) -> Policy {
    let mut text = format!("log {}\n", log.key.verifier());
    let mut names = String::new();
    for (seed, url) in witnesses {
        let key = cosigner(&name(*seed), *seed);
        let url = url.as_deref().unwrap_or_default();
        text.push_str(&format!("witness w{seed} {} {url}\n", key.verifier()));
        names.push_str(&format!(" w{seed}"));
    }
    text.push_str(&format!("group g {needs}{names}\nquorum g\n"));
    Policy::parse(text.as_bytes()).expect("a policy")
}

fn client() -> Client {
    Client::new(Duration::from_mins(1), KnownSizes::default())
}

fn submit(client: &Client, policy: &Policy, log: &Log, size: u64, wait: Wait) -> Gathered {
    let prove = |old| Ok::<Vec<Hash>, std::io::Error>(log.proof(old, size));
    client.submit(policy, &log.note(size), prove, wait).expect("a signed checkpoint")
}

fn reasons(gathered: &Gathered) -> Vec<String> {
    gathered.failures.iter().map(ToString::to_string).collect()
}

#[test]
fn a_quorum_is_gathered_and_makes_the_policy_content() {
    let log = Log::honest("log.example");
    let servers = [served(&log, 1), served(&log, 2), served(&log, 3)];
    let urls = [(1, Some(servers[0].url())), (2, Some(servers[1].url())), (3, Some(servers[2].url()))];
    let policy = policy(&log, &urls, "all");
    let client = client();
    for size in [3, 8, 150] {
        let gathered = submit(&client, &policy, &log, size, Wait::All);
        assert!(
            gathered.quorum && gathered.failures.is_empty() && gathered.unheard.is_empty(),
            "{gathered:?}"
        );
        let mut note = log.note(size);
        gathered.cosignatures.into_iter().for_each(|line| note.add(line));
        let (_, cosigned) = policy.verify(&note).expect("the quorum");
        assert_eq!(cosigned.len(), 3);
    }
    for server in &servers {
        let events = server.bench.events.lock().expect("no panic");
        assert!(
            events.iter().all(|event| event.starts_with("cosigned")),
            "sizes were remembered: {events:?}"
        );
    }
}

#[test]
fn a_client_that_knows_nothing_learns_the_size_and_proves_from_there() {
    let log = Log::honest("log.example");
    let server = served(&log, 1);
    let policy = policy(&log, &[(1, Some(server.url()))], "all");
    assert!(submit(&client(), &policy, &log, 5, Wait::All).quorum);
    let newcomer = client();
    assert!(submit(&newcomer, &policy, &log, 9, Wait::All).quorum);
    let witness = cosigner("w1.example", 1);
    assert_eq!(newcomer.known_sizes().get("log.example", witness.verifier()), Some(9));
    assert_eq!(
        server.bench.events.lock().expect("no panic")[..],
        [
            "cosigned `log.example` at 5 leaves, time 1700000000",
            "`log.example`: told the client that 5 leaves are recorded",
            "cosigned `log.example` at 9 leaves, time 1700000000"
        ]
    );
    // And one whose knowledge is wrong, on either side.
    for wrong in [2, 170] {
        let mut known = KnownSizes::default();
        known.set("log.example", witness.verifier(), wrong);
        let mistaken = Client::new(Duration::from_mins(1), known);
        assert!(submit(&mistaken, &policy, &log, 100, Wait::All).quorum);
    }
}

#[test]
fn hostile_witnesses_fail_with_their_reasons_and_fell_nobody() {
    let log = Log::honest("log.example");
    let good = served(&log, 1);
    let another_tree = |stream: &mut TcpStream| {
        let other = Checkpoint::new("log.example", 5, Hash::leaf(b"x"));
        answer_200(stream, &cosignature::cosign(&other, &cosigner("w3.example", 3), 9).to_line());
    };
    let unknown_key = |stream: &mut TcpStream| {
        let log = Log::honest("log.example");
        answer_200(stream, &cosignature::cosign(&log.checkpoint(5), &cosigner("x.example", 99), 9).to_line());
    };
    let flood = |stream: &mut TcpStream| {
        send(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        while stream.write_all(&[b'a'; 4096]).is_ok() {}
    };
    let flood_of_headers = |stream: &mut TcpStream| {
        send(stream, "HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-filler: 1\r\n").is_ok() {}
    };
    let drip = |stream: &mut TcpStream| {
        send(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
        while stream.write_all(b"a").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let fickle = |stream: &mut TcpStream| {
        send(
            stream,
            "HTTP/1.1 409 Conflict\r\ncontent-type: text/x.tlog.size\r\ncontent-length: 2\r\nconnection: close\r\n\r\n4\n",
        );
    };
    let ahead = |stream: &mut TcpStream| {
        send(
            stream,
            "HTTP/1.1 409 Conflict\r\ncontent-type: text/x.tlog.size\r\ncontent-length: 3\r\nconnection: close\r\n\r\n17\n",
        );
    };
    let elsewhere = |stream: &mut TcpStream| {
        send(
            stream,
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        );
    };
    let policy = policy(
        &log,
        &[
            (1, Some(good.url())),
            (2, Some(fake(|stream| answer_200(stream, "<html>hello</html>\n")))),
            (3, Some(fake(another_tree))),
            (4, Some(fake(unknown_key))),
            (5, Some(fake(flood))),
            (6, Some(fake(flood_of_headers))),
            (7, Some(fake(drip))),
            (8, Some(fake(|stream| while stream.read(&mut [0; 64]).is_ok_and(|n| n > 0) {}))),
            (9, Some(fake(fickle))),
            (10, Some(fake(ahead))),
            (11, Some(fake(elsewhere))),
            (12, Some("ftp://w.example/".into())),
            (13, None),
        ],
        "any",
    );
    let client = Client::new(Duration::from_secs(5), KnownSizes::default());
    let gathered = submit(&client, &policy, &log, 5, Wait::All);
    assert!(gathered.quorum);
    assert_eq!(gathered.by.iter().map(|by| by.witness.as_str()).collect::<Vec<_>>(), ["w1"]);
    insta::assert_snapshot!(reasons(&gathered).join("\n"), @r"
    witness `w2`: its answer cannot be read: line 1 of the answer is no signature line
    witness `w3`: its cosignature does not verify
    witness `w4`: its answer has no cosignature by its key
    witness `w5`: its answer has too many bytes
    witness `w6`: could not reach it: protocol: http parse resulted in too many headers
    witness `w7`: it did not answer in time
    witness `w8`: it did not answer in time
    witness `w9`: it changed its mind about what it has recorded, lastly 4 leaves
    witness `w10`: it has recorded a larger tree, of 17 leaves
    witness `w11`: it redirects, which nobody follows
    witness `w12`: `ftp://w.example/` is no address that begins with `http://` or `https://`
    witness `w13`: the policy gives no address
    ");
}

#[test]
fn a_witness_that_closes_or_is_not_there_is_unreachable() {
    let log = Log::honest("log.example");
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let urls = [(1, Some(fake(|_| ()))), (2, Some(format!("http://{gone}")))];
    let gathered = submit(&client(), &policy(&log, &urls, "any"), &log, 5, Wait::All);
    assert!(!gathered.quorum);
    for failure in &gathered.failures {
        assert!(matches!(failure.reason, Reason::Unreachable(_)), "{failure}");
    }
    assert_eq!(gathered.failures.len(), 2);
}

#[test]
fn nobody_waits_for_a_slow_witness_once_the_quorum_is_reached() {
    let log = Log::honest("log.example");
    let good = served(&log, 1);
    // It would keep us for a minute.
    let slow = fake(|stream| while stream.read(&mut [0; 64]).is_ok_and(|n| n > 0) {});
    let policy = policy(&log, &[(1, Some(good.url())), (2, Some(slow))], "any");
    let gathered = submit(&client(), &policy, &log, 5, Wait::Quorum);
    assert!(gathered.quorum);
    assert_eq!(gathered.unheard, ["w2"]);
}

#[test]
fn a_witness_that_has_more_than_the_log_shows_is_told_apart() {
    let log = Log::honest("log.example");
    let server = served(&log, 1);
    let policy = policy(&log, &[(1, Some(server.url()))], "all");
    assert!(submit(&client(), &policy, &log, 9, Wait::All).quorum);
    let gathered = submit(&client(), &policy, &log, 5, Wait::All);
    assert_eq!(gathered.failures[0].reason, Reason::Ahead { size: 9 });
}

#[test]
fn a_log_that_lies_is_refused_and_leaves_evidence() {
    let log = Log::honest("log.example");
    let server = served(&log, 1);
    let policy = policy(&log, &[(1, Some(server.url()))], "all");
    assert!(submit(&client(), &policy, &log, 9, Wait::All).quorum);
    let gathered = submit(&client(), &policy, &Log::forked("log.example", 2), 9, Wait::All);
    assert!(matches!(gathered.failures[0].reason, Reason::Refused { status: 422, .. }), "{gathered:?}");
    let exhibits = server.bench.exhibits.0.lock().expect("no panic");
    assert_eq!(
        exhibits.iter().map(Exhibit::name).filter(|name| name.starts_with("fork-")).count(),
        exhibits.len()
    );
}

#[test]
fn a_proof_that_cannot_be_made_is_the_failure_of_that_witness() {
    let log = Log::honest("log.example");
    let server = served(&log, 1);
    let policy = policy(&log, &[(1, Some(server.url()))], "all");
    assert!(submit(&client(), &policy, &log, 5, Wait::All).quorum);
    let gathered = client()
        .submit(&policy, &log.note(9), |_| Err::<Vec<Hash>, _>("a tile is missing"), Wait::All)
        .expect("a signed checkpoint");
    assert_eq!(
        reasons(&gathered),
        ["witness `w1`: could not make the consistency proof from 5 leaves: a tile is missing"]
    );
}

#[test]
fn what_no_log_of_the_policy_has_signed_is_not_submitted() {
    let log = Log::honest("log.example");
    let urls = [(1, Some(fake(|_| panic!("nobody is asked"))))];
    let policy = policy(&log, &urls, "all");
    let prove = |_| Ok::<Vec<Hash>, std::io::Error>(Vec::new());
    let other = Log::honest("other.example").note(5);
    let refused = client().submit(&policy, &other, prove, Wait::All);
    assert_eq!(refused.map(|_| ()), Err(Refusal::UnknownLog("other.example".into())));
    let stranger =
        SignerKey::from_seed("log.example", tlog::key::KeyKind::Ed25519, &[99; 32]).expect("a name");
    let refused = client().submit(&policy, &log.checkpoint(5).sign(&stranger), prove, Wait::All);
    assert!(matches!(refused, Err(Refusal::Checkpoint(_))), "{refused:?}");
}

#[test]
fn with_no_quorum_asked_for_nobody_is_asked_unless_all_are() {
    let log = Log::honest("log.example");
    let server = served(&log, 1);
    let key = cosigner("w1.example", 1);
    let text =
        format!("log {}\nwitness w1 {} {}\nquorum none\n", log.key.verifier(), key.verifier(), server.url());
    let policy = Policy::parse(text.as_bytes()).expect("a policy");
    let gathered = submit(&client(), &policy, &log, 5, Wait::Quorum);
    assert!(gathered.quorum && gathered.cosignatures.is_empty());
    assert_eq!(gathered.unheard, ["w1"]);
    assert_eq!(submit(&client(), &policy, &log, 5, Wait::All).cosignatures.len(), 1);
}
