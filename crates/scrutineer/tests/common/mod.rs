//! What the tests of processes share: to run the program, to check a log whole, and to kill who writes to one.

use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use oorandom::Rand32;
use store::PublicFolder;
use tlog::{Hash, VerifierKey, fsck, merkle, reader};

pub(crate) fn scrutineer() -> Command {
    Command::new(env!("CARGO_BIN_EXE_scrutineer"))
}

/// What a run said: exit code, standard output, standard error.
pub(crate) fn said(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = scrutineer().args(arguments).current_dir(folder).output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

pub(crate) fn ok(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = said(folder, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {out}{err}");
    out
}

pub(crate) fn key_of(log: &Path) -> VerifierKey {
    let text = std::fs::read_to_string(log.join("log.vkey")).expect("init wrote it");
    VerifierKey::parse(text.trim_end()).expect("a key")
}

/// Checks a log whole, and returns its leaves.
pub(crate) fn leaves(log: &Path) -> Vec<Hash> {
    let source = PublicFolder::of(log);
    let options = fsck::Options { threads: 1, progress: &|_| {} };
    let report = fsck::check(&source, &key_of(log), &options).expect("a checkpoint");
    assert_eq!(report.problems, []);
    let size = report.checkpoint.size;
    (0..size).map(|index| Hash::leaf(&reader::entry(&source, size, index).expect("checked"))).collect()
}

/// Kills a process without a warning: most often at a random moment after it has shown that it works, within so many
/// microseconds; sometimes while it still opens the log.
pub(crate) fn kill_at_random(child: &mut Child, random: &mut Rand32, works: &Receiver<()>, micros: u32) {
    if random.rand_range(0..5) > 0 {
        works.recv_timeout(Duration::from_secs(30)).expect("it works");
    }
    std::thread::sleep(Duration::from_micros(u64::from(random.rand_range(0..micros))));
    child.kill().expect("it runs");
    child.wait().expect("killed");
}

/// Checkpoints that a reader saw on the way.
#[derive(Default)]
pub(crate) struct Seen(Vec<(u64, Hash)>);

impl Seen {
    /// Looks at a log. Says whether it has grown.
    pub(crate) fn look(&mut self, log: &Path) -> bool {
        let (checkpoint, _) = reader::checkpoint(&PublicFolder::of(log), &key_of(log)).expect("whole");
        let has_grown = self.0.last().is_none_or(|(size, _)| *size < checkpoint.size);
        self.0.push((checkpoint.size, checkpoint.root));
        has_grown
    }

    /// Whether everything that was seen is a beginning of what the log is now.
    pub(crate) fn check(&self, leaves: &[Hash]) {
        for (size, root) in &self.0 {
            assert_eq!(merkle::root(&leaves[..*size as usize]), *root, "a reader saw size {size}");
        }
    }
}
