//! A log read over HTTP: as whole as from its folder, and a hostile server is refused with a reason.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use store::{FileLog, HttpLog};
use tlog::key::KeyKind;
use tlog::reader::ReadError;
use tlog::storage::Source as _;
use tlog::writer::Writer;
use tlog::{SignerKey, fsck};

fn key() -> SignerKey {
    SignerKey::from_seed("log.example/http", KeyKind::Ed25519, &[1; 32]).expect("a name")
}

/// Answers requests on a port of its own until the process ends. Returns its address.
fn serve(answer: impl Fn(&str, &mut TcpStream) -> std::io::Result<()> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let path =
                lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned)).unwrap_or_default();
            lines.find(String::is_empty);
            // A client that went away is no matter.
            let mut stream = stream.try_clone().expect("a socket");
            drop(answer(&path, &mut stream).and_then(|()| stream.flush()));
        }
    });
    address
}

fn head(stream: &mut TcpStream, status: &str, length: usize) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")
}

fn files(folder: PathBuf) -> impl Fn(&str, &mut TcpStream) -> std::io::Result<()> {
    move |path, stream| match std::fs::read(folder.join(path.trim_start_matches("/log/"))) {
        Ok(bytes) => head(stream, "200 OK", bytes.len()).and_then(|()| stream.write_all(&bytes)),
        Err(_) => head(stream, "404 Not Found", 0),
    }
}

fn write_log(folder: &Path) {
    let mut writer = Writer::create(FileLog::open(folder).expect("new"), key()).expect("new");
    let entries: Vec<String> = (0..600).map(|i| format!("entry {i}")).collect();
    writer.append(&entries).expect("a disk");
    writer.publish(&[]).expect("a disk");
}

#[test]
fn a_log_on_a_web_server_is_checked_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    write_log(folder.path());
    let log = HttpLog::new(
        &format!("{}/log/", serve(files(folder.path().join("public")))),
        Duration::from_secs(10),
    );
    let options = fsck::Options { threads: 2, progress: &|_| {} };
    let report = fsck::check(&log, key().verifier(), &options).expect("a checkpoint");
    assert_eq!((report.checkpoint.size, report.problems.len()), (600, 0));
    assert_eq!(log.read("tile/0/009").expect("it answers"), None);
}

#[test]
fn a_hostile_server_is_refused_with_a_reason() {
    let endless = |_: &str, stream: &mut TcpStream| {
        head(stream, "200 OK", 1 << 40)?;
        let block = vec![0; 1 << 20];
        (0..64).try_for_each(|_| stream.write_all(&block))
    };
    let elsewhere = |_: &str, stream: &mut TcpStream| {
        write!(stream, "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
    };
    let silent = |_: &str, _: &mut TcpStream| {
        std::thread::sleep(Duration::from_secs(3));
        Ok(())
    };
    let say = |address: String| {
        let log = HttpLog::new(&address, Duration::from_secs(1));
        match tlog::reader::checkpoint(&log, key().verifier()) {
            Err(ReadError::Read { source, .. }) => source.to_string(),
            other => panic!("not refused: {other:?}"),
        }
    };
    let too_large = say(serve(endless));
    assert!(too_large.contains("more than 16777472 bytes") || too_large.contains("timeout"), "{too_large}");
    assert_eq!(say(serve(elsewhere)), "the server answered with status 302");
    assert!(say(serve(silent)).contains("timeout"));
    assert!(say("http://127.0.0.1:1".to_owned()).contains("refused"));
}
