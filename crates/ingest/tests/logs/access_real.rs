//! Recordings that nobody here made, beside what GoAccess 1.7 said of the same files. Where they are missing
//! the tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use traffic::request::{Method, Request};

use crate::common::{Read, read, shared};

/// What GoAccess counts and how.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    valid: u64,
    failed: u64,
    /// Distinct requests whose answer was not 404, pages and static files together.
    files: u64,
    not_found: u64,
    /// Distinct client, day and agent, where the answer was none of 4xx.
    visitors: u64,
    bytes: u64,
    statuses: BTreeMap<String, u64>,
}

/// The report that is in the shared data. It is not UTF-8 where a log was not.
fn theirs(name: &str) -> Option<Counts> {
    let path = shared(&format!("reference/goaccess_{name}.json"))?;
    let bytes = std::fs::read(path).expect("the report can be read");
    let report: Value = serde_json::from_str(&String::from_utf8_lossy(&bytes)).expect("the report is JSON");
    let general = |key: &str| report["general"][key].as_u64().expect("a number");
    let mut statuses = BTreeMap::new();
    for class in report["status_codes"]["data"].as_array().expect("classes of codes") {
        for code in class["items"].as_array().expect("codes") {
            let name = code["data"].as_str().expect("a code")[..3].to_owned();
            statuses.insert(name, code["hits"]["count"].as_u64().expect("a number"));
        }
    }
    Some(Counts {
        valid: general("valid_requests"),
        failed: general("failed_requests"),
        files: general("unique_files") + general("unique_static_files"),
        not_found: general("unique_not_found"),
        visitors: general("unique_visitors"),
        bytes: general("bandwidth"),
        statuses,
    })
}

/// The longest line that GoAccess reads in one piece.
const THEIR_LONGEST: usize = 4095;

/// The rows that we read, counted by GoAccess's rules, each of which is a difference to ours:
/// - a line over 4,095 bytes becomes two that are both invalid;
/// - a file is method, version of HTTP and target, the target decoded once, cut at its first NUL, without line
///   ends (we keep a target as it was sent, and not the version);
/// - a visitor is a client, a day and an agent, and not who only got answers of 4xx.
fn ours_by_their_rules(read: &Read, log: &Path) -> Counts {
    let log = std::fs::read(log).expect("the log can be read");
    let lines: Vec<&[u8]> = log.split(|&b| b == b'\n').filter(|line| !line.is_empty()).collect();
    let rows = read.requests();
    assert_eq!(rows.len(), lines.len(), "each line is a row");
    let mut counts = Counts {
        valid: 0,
        failed: 0,
        files: 0,
        not_found: 0,
        visitors: 0,
        bytes: 0,
        statuses: BTreeMap::new(),
    };
    let (mut files, mut not_found, mut visitors) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (row, line) in rows.iter().zip(lines) {
        if line.len() > THEIR_LONGEST {
            counts.failed += 2;
            continue;
        }
        counts.valid += 1;
        counts.bytes += u64::try_from(row.bytes.max(0)).expect("a size");
        *counts.statuses.entry(row.status.to_string()).or_default() += 1;
        let line = String::from_utf8_lossy(line);
        let (_, request) = line.split_once("] \"").expect("a request in quotes");
        let end =
            request.match_indices('"').find(|(at, _)| !request[..*at].ends_with('\\')).expect("its end").0;
        let request = &request[..end];
        let (target, version) = request.rsplit_once(' ').expect("a version");
        let (method, target) = target.split_once(' ').expect("a method");
        let file = (method.to_owned(), version.to_owned(), their_target(target));
        if row.status == 404 {
            not_found.insert(file)
        } else {
            files.insert(file)
        };
        if row.status / 100 != 4 {
            let day = line.split('[').nth(1).map(|rest| rest[..11].to_owned());
            visitors.insert((row.peer_hi, row.peer_lo, day, row.agent));
        }
    }
    counts.files = files.len() as u64;
    counts.not_found = not_found.len() as u64;
    counts.visitors = visitors.len() as u64;
    counts
}

fn their_target(target: &str) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut bytes = target.as_bytes();
    while let [first, rest @ ..] = bytes {
        let hex = |at: usize| rest.get(at).and_then(|&b| char::from(b).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (first, hex(0), hex(1)) {
            plain.push((high * 16 + low) as u8);
            bytes = &rest[2..];
        } else {
            plain.push(*first);
            bytes = rest;
        }
    }
    let end = plain.iter().position(|&b| b == 0).unwrap_or(plain.len());
    plain[..end].trim_ascii().iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect()
}

/// Rows read and refused; distinct files found and not found by our rules; clients.
fn own(read: &Read) -> String {
    let rows = read.requests();
    let file = |row: &Request| (row.method, row.path, row.query);
    let found: BTreeSet<_> = rows.iter().filter(|row| row.status != 404).map(file).collect();
    let not_found: BTreeSet<_> = rows.iter().filter(|row| row.status == 404).map(file).collect();
    let clients: BTreeSet<_> = rows.iter().map(|row| (row.peer_hi, row.peer_lo)).collect();
    let ledger = &read.ledger;
    format!(
        "{} read, {} refused, {} files, {} not found, {} clients",
        ledger.rows_read,
        ledger.rows_refused,
        found.len(),
        not_found.len(),
        clients.len()
    )
}

#[test]
fn totals_are_those_of_goaccess() {
    for (log, report, expected) in [
        (
            "weblogs/elastic_apache_logs_10k.log",
            "elastic_apache_logs_10k",
            "10000 read, 0 refused, 1437 files, 67 not found, 1753 clients",
        ),
        (
            "weblogs/nasa_19950801_clf.log",
            "nasa",
            "30969 read, 0 refused, 2040 files, 74 not found, 2365 clients",
        ),
        (
            "apache-http-logs/acunetix.log",
            "acunetix",
            "6539 read, 0 refused, 755 files, 187 not found, 1 clients",
        ),
        (
            "apache-http-logs/netsparker.log",
            "netsparker",
            "7314 read, 0 refused, 2264 files, 2479 not found, 1 clients",
        ),
    ] {
        let (Some(log), Some(theirs)) = (shared(log), theirs(report)) else { continue };
        let read = read(std::slice::from_ref(&log)).expect("a log");
        assert_eq!(own(&read), expected, "{report}");
        assert_eq!(read.problems(), "", "{report}");
        assert_eq!(ours_by_their_rules(&read, &log), theirs, "{report}");
    }
}

#[test]
fn the_day_of_nasa_is_the_same_as_table_and_as_log() {
    let (Some(table), Some(log)) =
        (shared("weblogs/nasa_19950801.tsv"), shared("weblogs/nasa_19950801_clf.log"))
    else {
        return;
    };
    let (table, log) = (read(&[table]).expect("a table"), read(&[log]).expect("a log"));
    // The table has columns for referer and agent that are empty; the log has no such fields.
    let rows: Vec<Request> = table
        .requests()
        .into_iter()
        .map(|row| Request { referer_host: -2, referer_path: -2, agent: -2, ..row })
        .collect();
    assert_eq!(rows.len(), 30_969);
    assert!(rows == log.requests());
    assert!(rows.iter().all(|row| Method::from_code(row.method) != Some(Method::Other)));
}

#[test]
fn samples_of_every_server_are_read() {
    let Some(folder) = shared("crowdsec-hub-tests") else { return };
    let mut logs: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .flat_map(|entry| std::fs::read_dir(entry.expect("an entry").path()).into_iter().flatten())
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
        .collect();
    logs.sort();
    let (mut whole, mut lines, mut table) = (0, 0, String::new());
    for log in logs {
        let Ok(read) = read(std::slice::from_ref(&log)) else { continue };
        let format = read.ledger.formats[0].1;
        if !format.starts_with("access log") {
            continue;
        }
        let (rows, refused) = (read.ledger.rows_read, read.ledger.rows_refused);
        lines += rows;
        if refused == 0 {
            whole += 1;
        } else {
            let name = log.file_stem().expect("a name").display();
            let _ = writeln!(table, "{name}: {rows} read, {refused} refused: {}", read.problems().trim_end());
        }
    }
    // What is refused are lines of error logs.
    assert_eq!(
        format!("{whole} logs whole, {lines} lines\n{table}"),
        "60 logs whole, 968 lines\n\
         apache-cve-2021-41773: 2 read, 1 refused: 1 × no time in brackets\n\
         apache2-logs: 7 read, 2 refused: 2 × no time in brackets\n\
         nginx-proxy-manager-logs: 12 read, 2 refused: 2 × no time in brackets\n\
         nginx_http-logs: 8 read, 1 refused: 1 × no time in brackets\n"
    );
}
