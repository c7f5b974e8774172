//! The walk of the authority, of two centres and of a reader, as the help texts tell it.

use std::path::Path;

use crate::election::Election;

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// The election with all four returns logged.
fn counted() -> Election {
    let election = Election::begun();
    for centre in ["north", "south"] {
        let out = election.sign(centre, centre, "stations.csv");
        assert_eq!(out, format!("2 signed into `{centre}`, 2 of other centres left alone.\n"));
    }
    let out = election.ok(&["log", "night", "north", "south", "--receipts", "receipts"]);
    let lines: Vec<Vec<&str>> = out.lines().map(|line| line.split("  ").collect()).collect();
    let indices: Vec<&str> = lines.iter().map(|fields| fields[0]).collect();
    assert_eq!(indices, ["2", "3", "4", "5"]);
    assert_eq!(lines[3][2], "south/council/south_2-r1.return");
    election
}

#[test]
fn from_the_keys_to_the_seats() {
    let election = counted();
    let out = election.ok(&["totals", "night"]);
    assert!(out.starts_with("The town: 4 of 4 units have reported, 1,844 votes.\n"), "{out}");
    assert!(out.contains("         767     42 %  1  list_1\n"), "{out}");
    let out = election.ok(&["totals", "night", "--unit", "south"]);
    assert!(out.starts_with("District south: 2 of 2 units have reported, 909 votes.\n"), "{out}");
    let out = election.ok(&["seats", "night"]);
    assert!(
        out.starts_with("The council: 5 seats by dhondt.\n\n    2           767 votes  1  list_1\n"),
        "{out}"
    );
    assert!(
        out.contains("The last seat went to 2 list_2; 1 list_1 would need 284 more votes for it.\n"),
        "{out}"
    );
    // What stands in the log already keeps its place.
    let out = election.ok(&["log", "night", "south"]);
    assert_eq!(out.lines().next(), Some("4  (was there already)  south/council/south_1-r1.return"));
    // Nothing new is said twice.
    assert_eq!(
        election.sign("north", "north", "stations.csv"),
        "0 signed into `north`, 2 unchanged, 2 of other centres left alone.\n"
    );
    // The log is one like any other.
    let out = crate::common::ok(election.at(), &["log", "fsck", "night/public", "--key", "night/log.vkey"]);
    assert!(out.contains("6 entries"), "{out}");
}

#[test]
fn each_verdict_has_its_exit_code() {
    let election = counted();
    let verify = |log: &str, more: &[&str]| {
        let (code, out, err) = election.said(&[&["verify", log], more].concat());
        (code, out.split(':').next().unwrap_or_default().to_owned(), format!("{out}{err}"))
    };
    let trust = ["--fingerprint", &election.fingerprint];
    let is = |(code, word, all): (Option<i32>, String, String), expected: (i32, &str)| {
        assert_eq!((code, word.as_str()), (Some(expected.0), expected.1), "{all}");
    };
    is(verify("night", &trust), (0, "ok"));
    is(verify("night", &[]), (10, "self-consistent-only"));
    is(verify("night", &["--fingerprint", &"0".repeat(64)]), (11, "wrong"));
    is(verify("nowhere", &trust), (15, "unavailable"));
    election.ok(&["bundle", "night", "night.bundle"]);
    is(verify("night.bundle", &trust), (0, "ok"));
    let bundle = election.read("night.bundle");
    let needle = b"list 2=200";
    let at = bundle.windows(needle.len()).position(|window| window == needle);
    let at =
        at.unwrap_or_else(|| panic!("the votes stand in the bundle: {}", String::from_utf8_lossy(&bundle)));
    let mut forged = bundle.clone();
    forged[at + needle.len() - 3] = b'9';
    election.write("forged.bundle", &forged);
    is(verify("forged.bundle", &trust), (11, "wrong"));
    election.write("cut.bundle", &bundle[..bundle.len() - 900]);
    is(verify("cut.bundle", &trust), (14, "incomplete"));
}

#[test]
fn what_was_shown_was_said_or_never() {
    let election = counted();
    let shown = |n: &str| {
        let question = ["--unit", "north/1", "--number", "list 1", "--shown", n];
        let (code, out, _) = election
            .said(&[&["verify", "night", "--fingerprint", &election.fingerprint], &question[..]].concat());
        let answer = out.lines().find(|line| line.starts_with("School, ")).expect("an answer").to_owned();
        (code, answer)
    };
    let (code, answer) = shown("300");
    assert_eq!(code, Some(0));
    assert!(
        answer.starts_with("School, list 1 = 300: true since ") && answer.ends_with(" (revision 1)."),
        "{answer}"
    );
    let (code, answer) = shown("310");
    assert_eq!(code, Some(3));
    assert!(answer.contains(": never said by the count; since "), "{answer}");
    // The centre corrects itself, and the first number becomes history.
    let table = String::from_utf8(election.read("stations.csv")).expect("text");
    election.write("later.csv", table.replace("590,10,300,200,90", "590,10,310,190,90").as_bytes());
    let out = election.sign("north", "north", "later.csv");
    assert_eq!(out, "1 signed into `north`, 1 unchanged, 2 of other centres left alone.\n");
    election.ok(&["log", "night", "north"]);
    assert!(shown("310").1.contains(": true since "));
    let (code, answer) = shown("300");
    assert_eq!(code, Some(3));
    assert!(answer.contains(": true from ") && answer.ends_with(" it is 310."), "{answer}");
}

#[test]
fn a_centre_confirms_and_nobody_signs_two_things() {
    let election = counted();
    let (code, out, _) = election.said(&["confirm", "night", "north"]);
    assert_eq!(code, Some(0));
    assert!(out.ends_with("2 stand in the log of 6 entries, 0 do not.\n"), "{out}");
    // The same key signs another first return of a unit, in another folder: two first returns are equivocation.
    let table = String::from_utf8(election.read("stations.csv")).expect("text");
    election.write("other.csv", table.replace("590,10,300,200,90", "590,10,200,300,90").as_bytes());
    election.sign("elsewhere", "north", "other.csv");
    let (code, out, err) = election.said(&["log", "night", "elsewhere/council/north_1-r1.return"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        err.starts_with("error: `elsewhere/council/north_1-r1.return` was refused (equivocation): "),
        "{err}"
    );
    assert_eq!(files(&election.path("night/evidence")), 1, "{err}");
    let (code, out, _) = election.said(&["confirm", "night", "elsewhere"]);
    assert_eq!(code, Some(3));
    assert!(out.starts_with("NOT IN THE LOG  elsewhere/council/north_1-r1.return\n"), "{out}");
    // With the receipt that the log gave, a centre can prove what it was promised.
    let confirm = ["--receipts", "receipts", "--receipts-key", "night/receipts.vkey"];
    let (code, _, _) = election.said(&[&["confirm", "night", "south"], &confirm[..]].concat());
    assert_eq!((code, files(&election.path("receipts"))), (Some(0), 4));
    // Evidence is no news: the log holds, and reads as before.
    election.ok(&["verify", "night", "--fingerprint", &election.fingerprint]);
}

#[test]
fn a_return_is_taken_back_and_a_stolen_key_revoked() {
    let election = counted();
    let sign = ["--definition", "definition.txt", "--key", "keys/north.key", "--out", "north"];
    election.ok(&[&["sign", "--retract", "council=north/2", "--reason", "mix-up"], &sign[..]].concat());
    election.ok(&["log", "night", "north"]);
    let out = election.ok(&["totals", "night"]);
    assert!(out.starts_with("The town: 3 of 4 units have reported, 1,499 votes.\n"), "{out}");
    assert!(out.contains("\nNo return yet from north/2.\n"), "{out}");
    // A thief has the key of the south: it is revoked from the second of its returns on, and the centre gets a new one.
    crate::common::ok(election.at(), &["results", "keygen", "south-2.example", "--out", "keys/south-2.key"]);
    let change =
        ["change", "night", "--revoke", "south.example=5", "--centre-key", "south=keys/south-2.vkey"];
    let why = ["--reason", "a stolen laptop", "--out", "change.note", "--key"];
    election.ok(&[&change[..], &why[..], &["keys/anna.key"]].concat());
    let out = election.ok(&[&change[..], &why[..], &["keys/carla.key"]].concat());
    assert_eq!(out, "Signed by `anna.example`, `carla.example`. It is complete.\n");
    election.ok(&["log", "night", "change.note"]);
    let out = election.ok(&["totals", "night"]);
    assert!(out.starts_with("The town: 2 of 4 units have reported, 1,082 votes.\n"), "{out}");
    assert!(out.contains("\n1 units are in question since a key was revoked.\n"), "{out}");
    // The old key signs no more; the new one says the same again. What stood in the log keeps its place.
    let table = String::from_utf8(election.read("stations.csv")).expect("text");
    election.write("later.csv", table.replace("417,3,117,200,100", "417,3,118,199,100").as_bytes());
    election.sign("south", "south", "later.csv");
    let (code, out, err) = election.said(&["log", "night", "south"]);
    assert_eq!((code, out.lines().count()), (Some(1), 2), "{out}{err}");
    assert!(out.lines().all(|line| line.contains("  (was there already)  south/council/south_")), "{out}");
    assert!(err.contains("south_2-r2.return` was refused (revoked-key): "), "{err}");
    std::fs::remove_file(election.path("south/council/south_2-r2.return")).expect("it is there");
    let sign = [
        "sign",
        "stations.csv",
        "--mapping",
        "mapping.toml",
        "--definition",
        "definition.txt",
        "--out",
        "south",
    ];
    let key = ["--reason", "reaffirmation", "--key", "keys/south-2.key"];
    let (code, _, err) = election.said(&[&sign[..], &key[..]].concat());
    assert_eq!(code, Some(1));
    assert!(err.starts_with("error: key `south-2.example` is of no centre in this definition\n"), "{err}");
    let out = election.ok(&[&sign[..], &key[..], &["--change", "change.note"]].concat());
    assert_eq!(out, "2 signed into `south`, 2 of other centres left alone.\n");
    election.ok(&["log", "night", "south"]);
    let out = election.ok(&["totals", "night"]);
    assert!(out.starts_with("The town: 3 of 4 units have reported, 1,499 votes.\n"), "{out}");
    election.ok(&["verify", "night", "--fingerprint", &election.fingerprint]);
}
