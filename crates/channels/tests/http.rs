//! A desk that answers as it is told, and what goes over the wire.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use channels::client::{self, SubmitError};
use channels::server::{self, Intake, Limits, Settings, Status, Stop, limits};
use channels::{Answer, Client};
use tlog::Hash;

/// Says of each document that it stands where its length says; with `is_open` false there is no election yet.
struct Told {
    is_open: bool,
    wait: Duration,
    taken: Mutex<Vec<Vec<u8>>>,
}

impl Intake for Told {
    fn status(&self) -> Option<Status> {
        let (election, fingerprint) = ("e-1".to_owned(), "00".to_owned());
        self.is_open.then_some(Status { election, fingerprint, size: 3 })
    }

    fn take(&self, document: Vec<u8>) -> Answer {
        std::thread::sleep(self.wait);
        let answer = match document.as_slice() {
            b"other" => Answer::Known { index: 0, leaf: Hash::leaf(b"not what was sent") },
            document => Answer::Logged {
                index: document.len() as u64,
                leaf: Hash::leaf(document),
                receipt: Some("receipt\n".to_owned()),
            },
        };
        self.taken.lock().expect("no panic").push(document);
        answer
    }
}

struct Served {
    intake: Arc<Told>,
    url: String,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn new(is_open: bool, wait: Duration, limits: Limits) -> Self {
        let intake = Arc::new(Told { is_open, wait, taken: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/desk", listener.local_addr().expect("bound"));
        let stop = Stop::default();
        let (theirs, told) = (intake.clone(), stop.clone());
        let settings = Settings::new("/desk", limits, |_| ()).expect("a prefix");
        let serve = move || server::run(listener, theirs, &settings, &told).expect("it serves");
        Self { intake, url, stop, thread: Some(std::thread::spawn(serve)) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no panic");
        }
    }
}

#[test]
fn a_document_goes_over_the_wire_as_it_is() {
    let served = Served::new(true, Duration::ZERO, limits());
    // All bytes, and as many as a leaf may have.
    let document: Vec<u8> = (0..65_535_u32).map(|n| n as u8).collect();
    let answer = client::submit(&served.url, &document).expect("it answers");
    let leaf = Hash::leaf(&document);
    assert_eq!(answer, Answer::Logged { index: 65_535, leaf, receipt: Some("receipt\n".to_owned()) });
    assert_eq!(served.intake.taken.lock().expect("no panic")[..], [document]);
    // Ends with a slash or without, and nowhere else.
    client::submit(&format!("{}/", served.url), b"a").expect("it answers");
    let elsewhere = served.url.replace("/desk", "");
    let error = client::submit(&elsewhere, b"a").expect_err("nothing is there");
    assert!(matches!(error, SubmitError::Answer { status: 404, .. }) && !error.is_passing(), "{error}");
}

#[test]
fn an_answer_about_something_else_is_no_answer() {
    let served = Served::new(true, Duration::ZERO, limits());
    let error = client::submit(&served.url, b"other").expect_err("another leaf");
    assert!(matches!(error, SubmitError::OtherDocument { .. }) && !error.is_passing(), "{error}");
    let error = client::submit("desk.example", b"a").expect_err("no address");
    assert!(matches!(error, SubmitError::Address(_)) && !error.is_passing(), "{error}");
}

#[test]
fn nothing_is_taken_before_there_is_an_election() {
    let served = Served::new(false, Duration::ZERO, limits());
    let message = "no definition is adopted yet".to_owned();
    assert_eq!(client::submit(&served.url, b"a").expect("it answers"), Answer::NotTaken { message });
    assert_eq!(served.intake.taken.lock().expect("no panic").len(), 0);
}

#[test]
fn who_comes_while_all_places_are_taken_waits_or_comes_again() {
    // One place, a disk of 200 ms, and patience for two turns: of six who come at once some wait, some are sent away.
    let patience = Duration::from_millis(500);
    let served =
        Served::new(true, Duration::from_millis(200), Limits { requests: 1, answer: patience, ..limits() });
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let send = |n: u8| {
            let url = &served.url;
            scope
                .spawn(move || Client::new(Duration::from_secs(10)).submit(url, &[n; 9]).expect("it answers"))
        };
        let threads: Vec<_> = (0..6).map(send).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let taken = answers.iter().filter(|answer| matches!(answer, Answer::Logged { .. })).count();
    let away = answers.iter().filter(|answer| matches!(answer, Answer::NotTaken { .. })).count();
    assert!(taken >= 1 && away >= 1 && taken + away == 6, "{answers:?}");
}
