//! `scrutineer results log --serve`: the desk of a log, reached over HTTP.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use channels::Answer;
use channels::server::{self, Intake, Settings, Status, Stop, limits};
use results::lines::hex;
use tlog::Hash;

use super::super::{CommandError, say};
use super::ResultsError;
use super::desk::{Desk, answer};

/// Serves until the process is told to end. What is public stays fresh all the while, even where nothing is handed in.
pub(super) fn serve(desk: Desk, folder: &Path, address: &str) -> Result<(), CommandError> {
    let fresh_for = desk
        .registrar
        .look(|board| board.election().map(|election| election.definition.fresh_for))
        .flatten()
        .ok_or_else(|| ResultsError::NoElection(folder.display().to_string()))?;
    let failed = |reason: String| ResultsError::Serve { address: address.to_owned(), reason };
    let listener = listen(address).map_err(|error| failed(error.to_string()))?;
    let local = listener.local_addr().map_err(|error| failed(error.to_string()))?;
    let tell = |event: &witness::Event<'_>| {
        let level = if event.is_alarming() { "warning" } else { "note" };
        say(&format!("{level}: {event}"));
    };
    let settings = Settings::new("", limits(), tell).map_err(|error| failed(error.to_string()))?;
    say(&format!("note: taking documents at http://{local}"));
    if !local.ip().is_loopback() {
        say(
            "warning: it is reached from other machines without TLS; what counts are signatures, but who reads along learns early",
        );
    }
    let desk = Arc::new(desk);
    let (ends, end) = channel::<()>();
    let publisher = {
        let (desk, every) = (desk.clone(), Duration::from_secs((fresh_for / PUBLISHED_PER_FRESH).max(1)));
        thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = end.recv_timeout(every) {
                desk.registrar.publish();
            }
        })
    };
    let served = server::run(listener, desk.clone(), &settings, &Stop::by_signals());
    drop(ends);
    publisher.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    // Where a thread still waits for the disk it has promised nothing yet, and nobody waits for it.
    if let Some(desk) = Arc::into_inner(desk) {
        desk.registrar.close();
    }
    Ok(served.map_err(|error| failed(error.to_string()))?)
}

/// Three times within the age at which readers call what they see stale.
const PUBLISHED_PER_FRESH: u64 = 3;

/// An address, or a port of this machine.
fn listen(address: &str) -> std::io::Result<TcpListener> {
    match address.parse::<u16>() {
        Ok(port) => TcpListener::bind(("127.0.0.1", port)),
        Err(_) => TcpListener::bind(address),
    }
}

impl Intake for Desk {
    fn status(&self) -> Option<Status> {
        let status = self.registrar.look(|board| {
            board.election().map(|election| Status {
                election: election.definition.election.to_string(),
                fingerprint: hex(&election.fingerprint),
                size: board.size(),
            })
        });
        status.flatten()
    }

    fn take(&self, document: Vec<u8>) -> Answer {
        let leaf = Hash::leaf(&document);
        let (answer, evidence) = answer(self.registrar.take(document), leaf);
        if let (Some(file), Answer::Refused { code, message }) = (evidence, &answer) {
            say(&format!("warning: evidence kept as `{}` ({code}): {message}", file.display()));
        }
        answer
    }
}
