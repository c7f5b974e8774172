//! Documents over HTTP: who is refused with what, two who send at once, and a crowd that has signed nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use channels::{Answer, Client};
use results::returns::Return;
use tlog::receipt::Receipt;
use tlog::{Hash, VerifierKey};

use crate::common::{key_of, leaves, scrutineer};
use crate::election::{Desk, Election, next, now, with_votes};

fn client() -> Client {
    Client::new(Duration::from_secs(30))
}

/// Sends bytes as they are, and says what comes back.
fn raw(desk: &Desk, request: &[u8]) -> String {
    let address = desk.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(request).expect("sent");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("an answer");
    said
}

/// The status and the code of a refusal.
fn refused(answer: &Answer) -> (u16, &str) {
    let Answer::Refused { code, .. } = answer else { panic!("{answer:?}") };
    (answer.status(), code)
}

#[test]
fn every_refusal_has_its_status_and_its_code() {
    let election = Election::begun();
    election.sign("north", "north", "stations.csv");
    let (first, south) = (election.first("north", "1"), election.first("north", "2"));
    let desk = election.serve(0);
    let send = |bytes: &[u8]| client().submit(&desk.address, bytes).expect("it answers");
    let signed = |it: &Return, key: &str| it.sign(&election.key(key)).to_string().into_bytes();
    let document = signed(&first, "north");
    assert_eq!(refused(&send(b"a return of nothing\n")), (400, "unknown-kind"));
    assert_eq!(refused(&send(b"scrutineer-return v1\n")), (400, "no-entry"));
    // Signed, and not by whom it says.
    assert_eq!(refused(&send(&signed(&first, "south"))), (403, "unauthorised-unit"));
    assert_eq!(refused(&send(&signed(&first, "anna"))), (403, "wrong-role"));
    let text = String::from_utf8(document.clone()).expect("text");
    let changed = text.replacen("list 1=300", "list 1=301", 1);
    assert_ne!(changed, text);
    assert_eq!(refused(&send(changed.as_bytes())), (403, "bad-signature"));
    let stranger = text.replace("north.example", "nobody.example");
    assert_eq!(refused(&send(stranger.as_bytes())), (403, "unknown-key"));
    // A document of the right key.
    let leaf = Hash::leaf(&document);
    let Answer::Logged { index: 2, leaf: said, receipt: Some(receipt) } = send(&document) else {
        panic!("it is logged with a receipt")
    };
    assert_eq!(said, leaf);
    let key = String::from_utf8(election.read("night/receipts.vkey")).expect("text");
    let key = VerifierKey::parse(key.trim_end()).expect("a key");
    let receipt = Receipt::open(receipt.as_bytes(), &key).expect("signed by the log");
    assert_eq!((receipt.index, receipt.leaf), (2, leaf));
    assert_eq!(send(&document), Answer::Known { index: 2, leaf });
    // What does not follow it.
    assert_eq!(refused(&send(&signed(&with_votes(&first, 299), "north"))), (409, "equivocation"));
    let far = Return { revision: 7, ..next(&first, leaf) };
    assert_eq!(refused(&send(&signed(&far, "north"))), (409, "revision"));
    let other = Return { definition: Hash::leaf(b"another"), ..south };
    assert_eq!(refused(&send(&signed(&other, "north"))), (422, "other-definition"));
    assert_eq!(refused(&send(&election.read("adoption.note"))), (422, "already-adopted"));
    // What is no request.
    let head = "POST /submit HTTP/1.1\r\nhost: desk.example\r\nconnection: close\r\n";
    let said = raw(&desk, format!("{head}content-length: 65536\r\n\r\n").as_bytes());
    assert!(said.starts_with("HTTP/1.1 413 ") && said.contains("\"code\":\"too-large\""), "{said}");
    let form = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 3\r\n\r\na=b";
    let said = raw(&desk, format!("{head}{form}").as_bytes());
    assert!(said.starts_with("HTTP/1.1 415 ") && said.contains("\"code\":\"no-text\""), "{said}");
    let said = raw(&desk, b"GET /submit HTTP/1.1\r\nhost: desk.example\r\nconnection: close\r\n\r\n");
    assert!(said.starts_with("HTTP/1.1 405 "), "{said}");
    let said = raw(&desk, b"GET / HTTP/1.1\r\nhost: desk.example\r\nconnection: close\r\n\r\n");
    let status = format!(
        "{{\"election\":\"council-2026\",\"fingerprint\":\"{}\",\"size\":3}}\n",
        election.fingerprint
    );
    assert!(said.starts_with("HTTP/1.1 200 ") && said.ends_with(&status), "{said}");
    // One piece of evidence: what its own key has signed. What others made of it is none.
    assert_eq!(std::fs::read_dir(election.path("night/evidence")).expect("kept").count(), 1);
    assert_eq!(leaves(&election.path("night")).len(), 3);
}

#[test]
fn nothing_is_served_before_a_definition_is_adopted() {
    let election = Election::adopted();
    let (code, _, err) = election.said(&["log", "night", "--serve", "0"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("error: no definition is adopted in `night`\nhint: log the definition"), "{err}");
}

fn submitting(election: &Election, address: &str, centre: &str) -> Child {
    scrutineer()
        .args(["results", "submit", address, centre, "--json", "--receipts", "receipts"])
        .current_dir(election.at())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs")
}

/// What became of each document, once the process has ended well.
fn outcomes(child: Child) -> (Vec<(String, u64)>, String) {
    let output = child.wait_with_output().expect("it ends");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    let lines = out.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        (line["outcome"].as_str().expect("a word").to_owned(), line["index"].as_u64().expect("an index"))
    });
    (lines.collect(), err.into_owned())
}

#[test]
fn two_centres_send_at_once_and_the_desk_is_killed_in_between() {
    let election = Election::begun();
    for centre in ["north", "south"] {
        election.sign(centre, centre, "stations.csv");
    }
    let desk = election.serve(0);
    let (port, address) = (desk.port(), desk.address.clone());
    drop(desk);
    // The desk is away; both keep trying.
    let children = ["north", "south"].map(|centre| submitting(&election, &address, centre));
    std::thread::sleep(Duration::from_millis(300));
    let desk = election.serve(port);
    let mut indices = Vec::new();
    for child in children {
        let (outcomes, err) = outcomes(child);
        assert!(err.contains("is not taken yet: no answer from"), "{err}");
        assert!(outcomes.iter().all(|(outcome, _)| outcome == "logged"), "{outcomes:?}");
        indices.extend(outcomes.into_iter().map(|(_, index)| index));
    }
    indices.sort_unstable();
    assert_eq!(indices, [2, 3, 4, 5]);
    drop(desk);
    let mut desk = election.serve(port);
    let (again, _) = outcomes(submitting(&election, &address, "north"));
    assert!(again.len() == 2 && again.iter().all(|(outcome, _)| outcome == "known"), "{again:?}");
    let (code, out, _) = election.said(&["confirm", "night", "north", "south"]);
    assert!(code == Some(0) && out.ends_with("4 stand in the log of 6 entries, 0 do not.\n"), "{out}");
    assert_eq!(std::fs::read_dir(election.path("receipts")).expect("given").count(), 4);
    // One process writes to a log at a time, and the desk is told to end like any service.
    let (code, _, err) = election.said(&["log", "night", "north"]);
    assert_eq!(code, Some(1), "{err}");
    std::process::Command::new("kill").arg(desk.child.id().to_string()).status().expect("kill");
    assert_eq!(desk.child.wait().expect("it ends").code(), Some(0));
    election.ok(&["verify", "night", "--fingerprint", &election.fingerprint]);
}

/// The median and the longest time that a document took, of so many that follow each other.
fn delays(desk: &Desk, election: &Election, state: &mut (Return, Vec<u8>), n: usize) -> (Duration, Duration) {
    let (client, key) = (client(), election.key("north"));
    let mut delays: Vec<Duration> = (0..n)
        .map(|_| {
            let start = now();
            loop {
                match client.submit(&desk.address, &state.1) {
                    Ok(Answer::Logged { .. } | Answer::Known { .. }) => break,
                    Ok(Answer::NotTaken { .. }) => std::thread::sleep(Duration::from_millis(20)),
                    other => panic!("{other:?}"),
                }
            }
            let following = next(&state.0, Hash::leaf(&state.1));
            *state = (following.clone(), following.sign(&key).to_string().into_bytes());
            start.elapsed()
        })
        .collect();
    delays.sort_unstable();
    (delays[n / 2], delays[n - 1])
}

#[test]
fn a_crowd_that_has_signed_nothing_delays_and_does_not_stop() {
    let election = Election::begun();
    election.sign("north", "north", "stations.csv");
    let first = election.first("north", "1");
    let document = first.sign(&election.key("north")).to_string();
    // Wears the name of a key, so that its signature must be looked at.
    let forged = document.replacen("list 1=300", "list 1=301", 1).into_bytes();
    let mut large = b"scrutineer-return v1\n".to_vec();
    large.resize(60_000, b'x');
    let desk = election.serve(0);
    let mut state = (first, document.into_bytes());
    let quiet = delays(&desk, &election, &mut state, 30);
    let (sent, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let (crowded, took) = std::thread::scope(|scope| {
        for n in 0..48 {
            let (bytes, desk) = (if n % 2 == 0 { &forged } else { &large }, &desk);
            let (sent, is_over) = (&sent, &is_over);
            scope.spawn(move || {
                let client = client();
                while !is_over.load(Ordering::Relaxed) {
                    match client.submit(&desk.address, bytes) {
                        Ok(Answer::Logged { .. } | Answer::Known { .. }) => panic!("it was taken"),
                        _ => sent.fetch_add(1, Ordering::Relaxed),
                    };
                }
            });
        }
        let start = now();
        let crowded = delays(&desk, &election, &mut state, 30);
        is_over.store(true, Ordering::Relaxed);
        (crowded, start.elapsed())
    });
    let rate = sent.load(Ordering::Relaxed) as f64 / took.as_secs_f64();
    println!(
        "a document takes {quiet:?} (median, longest); beside {rate:.0} unsigned ones a second {crowded:?}"
    );
    assert!(sent.load(Ordering::Relaxed) > 100, "there was a crowd");
    // 60 signed ones stand in the log, and of the crowd nothing lies on the disk.
    assert_eq!(leaves(&election.path("night")).len(), 62);
    assert!(!election.path("night/evidence").exists());
    assert_eq!(key_of(&election.path("night")).name(), "results.example/council");
}
