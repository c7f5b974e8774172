//! `scrutineer log` and `scrutineer witness` as processes: the walk of a user, and processes that are killed under load.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use store::PublicFolder;
use tlog::policy::Policy;
use tlog::{Hash, Note, cosignature, reader};
use witness::client::{Client, KnownSizes, Wait};

mod common;

use common::{Seen, key_of, kill_at_random, leaves, ok, said, scrutineer};

#[test]
fn the_walk_of_a_user() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let write = |name: &str, text: &str| std::fs::write(at.join(name), text).expect("a folder");
    ok(at, &["log", "init", "l", "--origin", "log.example/walk"]);
    write("a.txt", "return of station 1\n");
    write("b.txt", "return of station 2\n");
    let out = ok(at, &["log", "append", "l", "a.txt", "b.txt", "a.txt", "--receipts", "r"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("0  ") && lines[1].starts_with("1  "), "{out}");
    assert!(lines[2].starts_with("0  ") && lines[2].ends_with("(was there already)"), "{out}");
    assert!(at.join("r/1.receipt").is_file());
    ok(at, &["log", "prove", "l", "--entry", "b.txt", "--out", "b.tlog-proof"]);
    let out = ok(at, &["log", "verify", "b.tlog-proof", "--entry", "b.txt", "--key", "l/log.vkey"]);
    assert_eq!(out, "`b.txt` is entry 1 of `log.example/walk`, by its checkpoint of size 2.\n");
    let (code, _, err) =
        said(at, &["log", "verify", "b.tlog-proof", "--entry", "a.txt", "--key", "l/log.vkey"]);
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with("error: the proof does not hold: the entry is not under the checkpoint"),
        "{err}"
    );
    // Nobody said whose log it should be.
    let (code, _, err) = said(at, &["log", "fsck", "l/public"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("hint: give --key VKEY or --policy FILE"), "{err}");
    let (code, out, err) = said(at, &["log", "fsck", "l"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("The log fits itself") && err.contains("not whose it is"), "{out}{err}");
    // Later the log has grown, then somebody restores a backup, and changes a byte.
    let saved = std::fs::read(at.join("l/public/checkpoint")).expect("published");
    write("saved", &String::from_utf8_lossy(&saved));
    write("c.txt", "return of station 3\n");
    ok(at, &["log", "append", "l", "c.txt"]);
    let out = ok(at, &["log", "fsck", "l/public", "--key", "l/log.vkey", "--since", "saved"]);
    assert!(out.contains("has grown"), "{out}");
    let grown = std::fs::read(at.join("l/public/checkpoint")).expect("published");
    write("l/public/checkpoint", &String::from_utf8_lossy(&saved));
    write("grown", &String::from_utf8_lossy(&grown));
    let (code, out, _) =
        said(at, &["log", "fsck", "l/public", "--key", "l/log.vkey", "--since", "grown", "--json"]);
    assert_eq!(code, Some(3));
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&json["verdict"], &json["good"]), (&"rollback".into(), &true.into()));
    let (code, out, _) = said(at, &["log", "fsck", "l/public", "--key", "l/log.vkey", "--max-age", "60"]);
    assert_eq!(code, Some(3));
    assert!(out.contains("It is stale: no witness"), "{out}");
    write("l/public/checkpoint", &String::from_utf8_lossy(&grown));
    let bundle = at.join("l/public/tile/entries/000.p/3");
    let mut bytes = std::fs::read(&bundle).expect("published");
    bytes[30] ^= 1;
    std::fs::write(&bundle, bytes).expect("a folder");
    let (code, out, _) = said(at, &["log", "fsck", "l"]);
    assert_eq!(code, Some(3));
    let problem = "entry 1 is not the one that was logged: `tile/entries/000.p/3` bytes 22 to 44";
    assert!(out.contains(problem), "{out}");
    // A log is not begun twice, and its key is nobody else's.
    let (code, _, err) = said(at, &["log", "init", "l", "--origin", "log.example/other"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("is there already"), "{err}");
    Command::new("chmod").args(["644", "l/keys/log.key"]).current_dir(at).status().expect("chmod");
    let (code, _, err) = said(at, &["log", "append", "l", "a.txt"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("can be read by others (mode 644)"), "{err}");
}

#[test]
fn three_hundred_kills_lose_no_acknowledged_entry() {
    const KILLS: u32 = 300;
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    ok(at, &["log", "init", "l", "--origin", "log.example/kill"]);
    let mut random = oorandom::Rand32::new(1);
    let mut acknowledged: BTreeMap<u64, String> = BTreeMap::new();
    let mut seen = Seen::default();
    let mut interrupted = 0;
    for round in 0..KILLS {
        let mut child = scrutineer()
            .args(["log", "append", "l", "--lines", "-"])
            .current_dir(at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut input = child.stdin.take().expect("piped");
        let output = child.stdout.take().expect("piped");
        let feeder = std::thread::spawn(move || {
            // Until the pipe breaks; after a burst a steady stream, so that the log stays small.
            for n in 0.. {
                if n > 300 {
                    std::thread::sleep(Duration::from_micros(100));
                }
                if writeln!(input, "round {round} entry {n}").is_err() {
                    return;
                }
            }
        });
        let (first, works) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
            let lines = lines
                .inspect(|_| first.send(()).unwrap_or(()))
                .filter_map(|line| String::from_utf8(line).ok());
            lines.map(|line| line.split("  ").map(str::to_owned).collect::<Vec<_>>()).collect::<Vec<_>>()
        });
        kill_at_random(&mut child, &mut random, &works, 25_000);
        feeder.join().expect("no panic");
        for fields in reader.join().expect("no panic") {
            // A line that was cut off acknowledges nothing that could be relied on.
            if let [index, leaf, _] = &fields[..]
                && leaf.len() == 44
            {
                acknowledged.insert(index.parse().expect("an index"), leaf.clone());
            }
        }
        interrupted += u32::from(seen.look(&at.join("l")));
    }
    // The last writer recovers, and publishes all that was promised.
    std::fs::write(at.join("last"), "the last entry").expect("a folder");
    ok(at, &["log", "append", "l", "last"]);
    let leaves = leaves(&at.join("l"));
    for (index, leaf) in &acknowledged {
        assert_eq!(leaves.get(*index as usize).map(Hash::to_string).as_ref(), Some(leaf), "entry {index}");
    }
    seen.check(&leaves);
    println!(
        "{} entries, {} acknowledged, {interrupted} of {KILLS} kills under load",
        leaves.len(),
        acknowledged.len()
    );
    assert!(interrupted > 20 && acknowledged.len() > 500, "the kills came while it worked");
}

/// A witness process and the address that it told.
fn start_witness(at: &Path) -> (Child, String) {
    let mut child = scrutineer()
        .args(["witness", "run", "w", "--logs", "logs.policy", "--listen", "127.0.0.1:0"])
        .current_dir(at)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let address = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("http://").map(|(_, address)| format!("http://{address}")))
        .expect("it tells where it listens");
    std::thread::spawn(move || lines.for_each(drop));
    (child, address)
}

#[test]
fn a_killed_witness_never_goes_back() {
    const KILLS: u32 = 300;
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    ok(at, &["log", "init", "l", "--origin", "log.example/kill-witness"]);
    ok(at, &["witness", "init", "w", "--name", "w.example/kill"]);
    let witness_key = std::fs::read_to_string(at.join("w/witness.vkey")).expect("init wrote it");
    std::fs::write(at.join("logs.policy"), format!("log {}\nquorum none\n", key_of(&at.join("l"))))
        .expect("a folder");
    let mut random = oorandom::Rand32::new(2);
    let mut cosigned: Vec<u64> = Vec::new();
    let mut interrupted = 0;
    for round in 0..KILLS {
        let (mut child, address) = start_witness(at);
        let policy = format!(
            "log {}\nwitness w {} {address}\nquorum w\n",
            key_of(&at.join("l")),
            witness_key.trim_end()
        );
        std::fs::write(at.join("witness.policy"), &policy).expect("a folder");
        let policy = Policy::parse(policy.as_bytes()).expect("a policy");
        // A client of our own submits without a pause while the log grows and the witness is killed.
        let client = Client::new(Duration::from_secs(5), KnownSizes::default());
        std::fs::write(at.join("entry"), format!("round {round}")).expect("a folder");
        ok(at, &["log", "append", "l", "entry"]);
        let (source, key) = (PublicFolder::of(&at.join("l")), key_of(&at.join("l")));
        let (checkpoint, note) = reader::checkpoint(&source, &key).expect("published");
        let delay = Duration::from_micros(u64::from(random.rand_range(0..6000)));
        let killer = std::thread::spawn(move || {
            std::thread::sleep(delay);
            child.kill().expect("it runs");
            child.wait().expect("killed");
        });
        let before = cosigned.len();
        for _ in 0..4 {
            let prove = |old| reader::prove_consistency(&source, &checkpoint, old);
            let gathered = client.submit(&policy, &note, prove, Wait::All).expect("the log's own checkpoint");
            let text = note.unverified_text();
            let valid = |line| cosignature::verify(text, line, &policy.witnesses()[0].key);
            if gathered.cosignatures.iter().any(|line| valid(line).is_some()) {
                cosigned.push(checkpoint.size);
            }
        }
        killer.join().expect("no panic");
        interrupted += u32::from((1..4).contains(&(cosigned.len() - before)));
        // What it has recorded after the kill is whole, and not behind what it cosigned.
        let state = std::fs::read_dir(at.join("w/state")).expect("its folder");
        let mut names = state.map(|entry| entry.expect("listable").path());
        let record = names.find(|path| path.extension().is_none() && !path.ends_with("lock"));
        let recorded = record.map_or(0, |record| {
            let note = Note::parse(&std::fs::read(record).expect("readable")).expect("whole");
            tlog::Checkpoint::parse(note.unverified_text()).expect("whole").size
        });
        let newest = cosigned.iter().max().copied().unwrap_or(0);
        assert!(recorded >= newest, "round {round}: recorded {recorded}, cosigned {newest}");
    }
    println!("{} cosignatures, {interrupted} of {KILLS} kills between two", cosigned.len());
    assert!(interrupted > 20 && cosigned.is_sorted(), "the kills came while it worked: {cosigned:?}");
    // The log publishes with the cosignature of the witness, and a stranger's check says so.
    let (mut child, address) = start_witness(at);
    let policy =
        format!("log {}\nwitness w {} {address}\nquorum w\n", key_of(&at.join("l")), witness_key.trim_end());
    std::fs::write(at.join("witness.policy"), &policy).expect("a folder");
    std::fs::write(at.join("entry"), "the last").expect("a folder");
    ok(at, &["log", "append", "l", "entry", "--policy", "witness.policy"]);
    child.kill().expect("it runs");
    child.wait().expect("killed");
    let out = ok(at, &["log", "fsck", "l/public", "--policy", "witness.policy", "--max-age", "600"]);
    assert!(out.contains("Cosigned by `w`."), "{out}");
    // Without its witness the log takes entries, and says that it could not publish them.
    std::fs::write(at.join("entry"), "after the last").expect("a folder");
    let (code, _, err) = said(at, &["log", "append", "l", "entry", "--policy", "witness.policy"]);
    assert_eq!(code, Some(0));
    assert!(err.contains("warning: too few witnesses cosigned") && err.contains("durable"), "{err}");
}
