//! A small election, made with the commands that a user would give.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use results::entry::{Document, Entry};
use results::id::ListId;
use results::returns::Return;
use tempfile::TempDir;
use tlog::{Hash, SignerKey};

use crate::common::{ok, scrutineer};

const STATIONS: &str = "\
district,station,name,eligible,cast,valid,invalid,list_1,list_2,list_3
north,1,School,900,600,590,10,300,200,90
north,2,Library,500,350,345,5,150,120,75
south,1,Town hall,800,500,492,8,200,180,112
south,2,Fire station,700,420,417,3,117,200,100
";

const MAPPING: &str = r#"
about = "Polling stations of a small council"
layout = "wide"
[unit]
id = "{district}/{station}"
name = "{name}"
kind = "polling-station"
[[above]]
id = "{district}"
name = "District {district}"
kind = "district"
[[above]]
id = "town"
name = "The town"
kind = "municipality"
[[contest]]
id = "council"
title = "The council"
seats = "5"
method = "dhondt"
lists = "list_{list}"
[contest.counts]
eligible = "eligible"
cast = "cast"
valid = "valid"
invalid = "invalid"
"#;

const SETUP: &str = r#"
election = "council-2026"
title = "The council of the town, 2026"
day = "2026-11-22"
zone = "Europe/Ljubljana"
closes = "2026-11-22T19:00:00+01:00"
policy = "policy.txt"
[authority]
threshold = 2
keys = ["keys/anna.vkey", "keys/ben.vkey", "keys/carla.vkey"]
[[source]]
file = "stations.csv"
mapping = "mapping.toml"
[[centre]]
id = "north"
units = ["north"]
keys = ["keys/north.vkey"]
[[centre]]
id = "south"
units = ["south"]
keys = ["keys/south.vkey"]
"#;

/// A folder with `night`, `definition.txt`, `adoption.note` and keys.
pub(crate) struct Election {
    folder: TempDir,
    pub(crate) fingerprint: String,
}

impl Election {
    /// Made and adopted by two people one after the other; nothing is logged yet.
    pub(crate) fn adopted() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        let write = |name: &str, text: &str| std::fs::write(at.join(name), text).expect("a folder");
        ok(at, &["log", "init", "night", "--origin", "results.example/council"]);
        for name in ["anna", "ben", "carla", "north", "south"] {
            let file = format!("keys/{name}.key");
            let out = ok(at, &["results", "keygen", &format!("{name}.example"), "--out", &file]);
            assert!(out.starts_with(&format!("{name}.example+")), "{out}");
        }
        let log = std::fs::read_to_string(at.join("night/log.vkey")).expect("init wrote it");
        write("policy.txt", &format!("log {}\nquorum none\n", log.trim_end()));
        write("stations.csv", STATIONS);
        write("mapping.toml", MAPPING);
        write("election.toml", SETUP);
        let out = ok(at, &["results", "init", "election.toml", "--out", "definition.txt"]);
        let fingerprint = out.lines().last().expect("the fingerprint").trim().to_owned();
        let adopt =
            |key| ok(at, &["results", "adopt", "definition.txt", "--key", key, "--out", "adoption.note"]);
        assert!(adopt("keys/anna.key").ends_with("`anna.example`. One more person must sign.\n"));
        assert!(adopt("keys/ben.key").ends_with("`anna.example`, `ben.example`. It is complete.\n"));
        Self { folder, fingerprint }
    }

    /// The same, with the definition in the log.
    pub(crate) fn begun() -> Self {
        let election = Self::adopted();
        election.ok(&["log", "night", "definition.txt", "adoption.note"]);
        election
    }

    pub(crate) fn at(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.at().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a folder");
    }

    /// `scrutineer results` with these arguments, which must succeed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        ok(self.at(), &[&["results"], arguments].concat())
    }

    /// The same, whatever comes of it.
    pub(crate) fn said(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        crate::common::said(self.at(), &[&["results"], arguments].concat())
    }

    /// A centre signs what a table says, into the folder of its name.
    pub(crate) fn sign(&self, centre: &str, key: &str, table: &str) -> String {
        let arguments =
            ["sign", table, "--mapping", "mapping.toml", "--definition", "definition.txt", "--key"];
        self.ok(&[&arguments[..], &[&format!("keys/{key}.key"), "--out", centre]].concat())
    }

    pub(crate) fn key(&self, name: &str) -> SignerKey {
        let text = String::from_utf8(self.read(&format!("keys/{name}.key"))).expect("text");
        SignerKey::parse(text.trim_end()).expect("a key")
    }

    /// What a centre has signed first of a unit.
    pub(crate) fn first(&self, centre: &str, unit: &str) -> Return {
        let bytes = self.read(&format!("{centre}/council/{centre}_{unit}-r1.return"));
        let Ok(Entry::Signed(_, Document::Return(it))) = Entry::parse(&bytes) else { panic!("a return") };
        *it
    }

    /// Starts the desk at a port of this machine, 0 for any; returns when it listens, with its address.
    pub(crate) fn serve(&self, port: u16) -> Desk {
        let (child, lines) = self.start(port);
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.split_once("http://").map(|(_, address)| format!("http://{address}")));
        Desk { child, address: address.expect("it tells where it listens") }
    }

    /// Starts the desk; what it says comes line by line.
    pub(crate) fn start(&self, port: u16) -> (Child, impl Iterator<Item = std::io::Result<String>> + use<>) {
        let mut child = scrutineer()
            .args(["results", "log", "night", "--serve", &port.to_string()])
            .current_dir(self.at())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        (child, lines)
    }
}

/// A desk that serves; it is killed where it is not ended otherwise.
pub(crate) struct Desk {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Desk {
    pub(crate) fn port(&self) -> u16 {
        let (_, port) = self.address.rsplit_once(':').expect("a port");
        port.parse().expect("a port")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The same return with another number for the first list.
pub(crate) fn with_votes(it: &Return, votes: u64) -> Return {
    let mut it = it.clone();
    let list = it.tally.lists.get_mut(&ListId::new("1").expect("an id")).expect("a list");
    list.total = Some(results::votes::Votes(votes));
    it
}

/// The revision after one that stands in the log with this leaf.
pub(crate) fn next(it: &Return, leaf: Hash) -> Return {
    let votes = 100 + u64::from(it.revision) % 100;
    Return {
        revision: it.revision + 1,
        supersedes: Some(leaf),
        reason: results::returns::Reason::Completion,
        ..with_votes(it, votes)
    }
}

#[expect(clippy::disallowed_methods, reason = "tests say how long things take, and decide nothing by it")]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}
