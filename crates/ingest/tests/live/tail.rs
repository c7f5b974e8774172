//! No line is lost and none comes twice, however the file is rotated.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ingest::live::{Position, Start, Tail};

const ROTATIONS: u64 = 1000;

/// Lines that are there now.
fn lines(tail: &mut Tail) -> String {
    let mut text = String::new();
    while let Some(lines) = tail.next_lines().expect("a readable file") {
        text.push_str(std::str::from_utf8(&lines).expect("text"));
    }
    text
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("a file");
    file.write_all(text.as_bytes()).expect("room on the disk");
}

/// Each number from 0 on, how often it came: what is not once.
fn not_once(numbers: &[u64], written: u64) -> String {
    let mut count = vec![0_u32; usize::try_from(written).expect("few lines")];
    for &number in numbers {
        count[usize::try_from(number).expect("a small number")] += 1;
    }
    let mut wrong = String::new();
    for (number, count) in count.iter().enumerate().filter(|(_, count)| **count != 1).take(20) {
        let _ = write!(wrong, "{number} came {count} times; ");
    }
    wrong
}

fn numbers(text: &str, into: &mut Vec<u64>) {
    into.extend(text.lines().map(|line| {
        let number = line.strip_prefix("line ").and_then(|rest| rest.strip_suffix(" end"));
        number
            .and_then(|number| number.parse::<u64>().ok())
            .unwrap_or_else(|| panic!("a torn line: {line:?}"))
    }));
}

#[test]
fn a_line_is_given_out_when_it_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let mut tail = Tail::new(&path, Start::Beginning);
    assert_eq!(lines(&mut tail), "");
    append(&path, "a\nb");
    assert_eq!(lines(&mut tail), "a\n");
    append(&path, "c\n");
    assert_eq!(lines(&mut tail), "bc\n");
    assert_eq!(lines(&mut tail), "");
}

#[test]
fn as_a_reader_it_says_that_nothing_is_there_now() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    append(&path, "a\nb");
    let mut tail = Tail::new(&path, Start::Beginning);
    let mut buffer = [0; 8];
    assert_eq!(tail.read(&mut buffer).expect("a line"), 2);
    assert_eq!(tail.read(&mut buffer).expect_err("no line").kind(), ErrorKind::WouldBlock);
}

#[test]
fn from_the_end_only_new_lines_come() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    append(&path, "old\nbegun");
    let mut tail = Tail::new(&path, Start::End);
    assert_eq!(lines(&mut tail), "");
    append(&path, " before\nnew\n");
    assert_eq!(lines(&mut tail), "begun before\nnew\n");
}

#[test]
fn what_a_writer_adds_to_the_old_file_after_the_rotation_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let old = folder.path().join("log.1");
    append(&path, "a\n");
    let mut tail = Tail::new(&path, Start::Beginning);
    assert_eq!(lines(&mut tail), "a\n");
    fs::rename(&path, &old).expect("a rename");
    append(&old, "b\n");
    assert_eq!(lines(&mut tail), "b\n");
    append(&path, "c\n");
    append(&old, "d\n");
    assert_eq!(lines(&mut tail), "d\nc\n");
    append(&old, "e\n");
    append(&path, "f\n");
    assert_eq!(lines(&mut tail), "e\nf\n");
    assert_eq!(tail.counts().rotated, 1);
}

#[test]
fn files_that_came_and_went_between_two_polls_are_read_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    append(&path, "a\n");
    let mut tail = Tail::new(&path, Start::Beginning);
    assert_eq!(lines(&mut tail), "a\n");
    fs::rename(&path, folder.path().join("log.2")).expect("a rename");
    append(&path, "b\n");
    fs::rename(&path, folder.path().join("log.1")).expect("a rename");
    append(&path, "c\n");
    assert_eq!(lines(&mut tail), "b\nc\n");
}

#[test]
fn a_file_deleted_and_made_anew_is_read_from_its_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    append(&path, "a\n");
    let mut tail = Tail::new(&path, Start::Beginning);
    assert_eq!(lines(&mut tail), "a\n");
    fs::remove_file(&path).expect("a file");
    assert_eq!(lines(&mut tail), "");
    append(&path, "b\n");
    assert_eq!(lines(&mut tail), "b\n");
}

#[test]
fn a_file_cut_and_grown_again_is_known_by_its_first_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    append(&path, "one\n");
    let mut tail = Tail::new(&path, Start::Beginning);
    assert_eq!(lines(&mut tail), "one\n");
    // Longer than before, so that its length does not tell.
    File::create(&path).expect("a file").write_all(b"another\nand more\n").expect("room on the disk");
    assert_eq!(lines(&mut tail), "another\nand more\n");
    assert_eq!(tail.counts().truncated, 1);
}

#[test]
fn a_saved_position_goes_on_where_it_was_also_after_rotations() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    append(&path, "a\nb\npart");
    let mut tail = Tail::new(&path, Start::Beginning);
    assert_eq!(lines(&mut tail), "a\nb\n");
    let saved = serde_json::to_string(&tail.position()).expect("JSON");
    drop(tail);
    append(&path, "ly\n");
    fs::rename(&path, folder.path().join("log.2")).expect("a rename");
    append(&path, "c\n");
    fs::rename(&path, folder.path().join("log.1")).expect("a rename");
    append(&path, "d\n");
    let position: Position = serde_json::from_str(&saved).expect("a position");
    let mut tail = Tail::new(&path, Start::At(position));
    assert_eq!(lines(&mut tail), "partly\nc\nd\n");
    let mut again = Tail::new(&path, Start::At(tail.position()));
    assert_eq!(lines(&mut again), "");
    append(&path, "e\n");
    assert_eq!(lines(&mut again), "e\n");
}

#[test]
fn a_line_without_end_is_not_kept_in_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    append(&path, &"x".repeat(8 << 20));
    append(&path, "\nlast\n");
    let mut tail = Tail::new(&path, Start::Beginning);
    let text = lines(&mut tail);
    assert!(text.ends_with("\nlast\n"), "{}", text.len());
    assert!(text.len() < ingest::MAX_LINE + (1 << 20), "{}", text.len());
}

/// A writer that rotates by renaming, and a reader beside it. The writer is often several rotations ahead,
/// but never by more files than a tail opens between two polls: on a busy machine it would be.
#[test]
fn a_thousand_rotations_by_rename_lose_and_double_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let done = AtomicBool::new(false);
    let seen = AtomicU64::new(0);
    let mut read = Vec::new();
    let mut rotated = 0;
    let mut written = 0;
    // What was rotated away before the tail began is not its matter.
    append(&path, "line 0 end\n");
    let mut tail = Tail::new(&path, Start::Beginning);
    numbers(&lines(&mut tail), &mut read);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut number = 1_u64;
            for rotation in 0..=ROTATIONS {
                let mut file = OpenOptions::new().append(true).create(true).open(&path).expect("a file");
                for _ in 0..=(rotation % 7) {
                    let line = format!("line {number} end\n");
                    let (a, b) = line.split_at(usize::try_from(rotation).expect("small") % line.len());
                    file.write_all(a.as_bytes()).expect("room on the disk");
                    file.write_all(b.as_bytes()).expect("room on the disk");
                    number += 1;
                }
                if rotation < ROTATIONS {
                    while rotation > seen.load(Ordering::Acquire) + 100 {
                        std::thread::yield_now();
                    }
                    fs::rename(&path, folder.path().join(format!("log.{rotation}"))).expect("a rename");
                    // Not all writers are told at once.
                    if rotation % 3 == 0 {
                        file.write_all(format!("line {number} end\n").as_bytes()).expect("room");
                        number += 1;
                    }
                }
            }
            done.store(true, Ordering::Release);
            number
        });
        loop {
            let over = done.load(Ordering::Acquire);
            let text = lines(&mut tail);
            numbers(&text, &mut read);
            seen.store(tail.counts().rotated, Ordering::Release);
            if text.is_empty() {
                if over {
                    break;
                }
                std::thread::yield_now();
            }
        }
        rotated = tail.counts().rotated;
        assert_eq!(tail.counts().lost, 0);
        written = writer.join().expect("a writer");
    });
    assert_eq!(not_once(&read, written), "");
    assert_eq!(u64::try_from(read.len()).expect("few"), written);
    assert_eq!(rotated, ROTATIONS);
}

/// A writer whose file is copied and cut. Between the last poll and the cut nothing may be written:
/// that is the race of this way to rotate, and here the writer waits for the reader before it cuts.
#[test]
fn a_thousand_cuts_lose_and_double_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let done = AtomicBool::new(false);
    let seen = AtomicU64::new(0);
    let mut read = Vec::new();
    let mut written = 0;
    let mut truncated = 0;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut number = 0_u64;
            let mut file = OpenOptions::new().append(true).create(true).open(&path).expect("a file");
            for rotation in 0..ROTATIONS {
                for _ in 0..=(rotation % 5) {
                    file.write_all(format!("line {number} end\n").as_bytes()).expect("room on the disk");
                    number += 1;
                }
                if rotation + 1 < ROTATIONS {
                    while seen.load(Ordering::Acquire) < number {
                        std::thread::yield_now();
                    }
                    fs::copy(&path, folder.path().join("log.1")).expect("a copy");
                    file.set_len(0).expect("a cut");
                }
            }
            done.store(true, Ordering::Release);
            number
        });
        let mut tail = Tail::new(&path, Start::Beginning);
        loop {
            let over = done.load(Ordering::Acquire);
            let text = lines(&mut tail);
            numbers(&text, &mut read);
            seen.store(u64::try_from(read.len()).expect("few"), Ordering::Release);
            if text.is_empty() {
                if over {
                    break;
                }
                std::thread::yield_now();
            }
        }
        truncated = tail.counts().truncated;
        written = writer.join().expect("a writer");
    });
    assert_eq!(not_once(&read, written), "");
    assert_eq!(truncated, ROTATIONS - 1);
}
