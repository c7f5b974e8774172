//! Whatever a log holds, reading goes on.

use ingest::fuzzing::fuzz_text;
use proptest::prelude::*;

use crate::common::read_bytes;

const ACCESS: &[&str] = &[
    r#"192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET /a?b=c&utm_x=1 HTTP/1.1" 200 5 "https://b.example/x" "a \"b\" \x22" 0.012 "192.0.2.9""#,
    r#"www.example:80 2001:db8::7 - - [10/Oct/2000:13:55:36 -0700] "CONNECT a:1 HTTP/1.1" 400 - "-" "-" 12ms"#,
    r#"[24/Jan/2022:16:51:02 +0000] - 404 404 - GET http www.example "/a" [Client 192.0.2.7] [Length 1] "a" "-""#,
    r#"{"remote_addr":"192.0.2.7","time_iso8601":"2026-10-10T13:55:36Z","request":"GET / HTTP/1.1","status":200}"#,
    r#"Oct 10 13:55:36 www nginx[1]: 192.0.2.9, 192.0.2.7 - - [10/Oct/2000:13:55:36.5 +02:00] "\x16\x03" 400 5"#,
];

const AUTH: &[&str] = &[
    "May  1 10:00:00 www sshd[7]: Failed password for invalid user ana from 192.0.2.7 port 1 ssh2",
    "2026-05-01T10:00:00Z www sshd[7]: pam_unix(sshd:auth): authentication failure; ruser= rhost=192.0.2.7 user=x",
    "<38>1 2026-05-01T10:00:00Z www sshd 7 - [a b=\"c]\"] message repeated 3 times: [ Invalid user x from 192.0.2.7]",
    r#"{"__REALTIME_TIMESTAMP":"1777629600000000","SYSLOG_IDENTIFIER":"sshd","MESSAGE":[65,99,99]}"#,
    "May  1 10:00:00 www proftpd[1] www (h[192.0.2.7]): USER x (Login failed): y",
    "May  1 10:00:00 www dovecot: imap-login: Disconnected (auth failed, 2 attempts): user=<x>, rip=192.0.2.7",
    "May  1 10:00:00 www sudo: ana : 3 incorrect password attempts ; TTY=pts/0",
    "May  1 10:00:00 www sshd[7]: Connection closed by authenticating user root 192.0.2.7 port 1 [preauth]",
    "Fri Jan 19 12:20:33 2007 [pid 2] [x] FAIL LOGIN: Client \"192.0.2.7\"",
];

/// Cuts a piece out of a line, doubles another, and writes bytes over it.
fn mangled(lines: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), 0..4_u8);
    (prop::sample::select(lines), prop::collection::vec(change, 1..6)).prop_map(|(line, changes)| {
        let mut line = line.as_bytes().to_vec();
        for (from, to, byte, kind) in changes {
            if line.is_empty() {
                break;
            }
            let (a, b) = (from.index(line.len()), to.index(line.len()));
            let (a, b) = (a.min(b), a.max(b));
            match kind {
                0 => line[a] = byte,
                1 => drop(line.drain(a..b)),
                2 => line.truncate(b),
                _ => {
                    let piece = line[a..b].to_vec();
                    line.splice(b..b, piece);
                }
            }
        }
        line.retain(|&b| b != b'\n');
        line
    })
}

fn log(whole: &[&str], mangled: &[Vec<u8>]) -> Vec<u8> {
    // Enough whole lines that the format is known.
    let mut log = whole.iter().cycle().take(mangled.len() + whole.len()).fold(Vec::new(), |mut log, line| {
        log.extend_from_slice(line.as_bytes());
        log.push(b'\n');
        log
    });
    for line in mangled {
        log.extend_from_slice(line);
        log.push(b'\n');
    }
    log
}

fn lines(log: &[u8]) -> usize {
    let lines = log.split(|&b| b == b'\n').map(|line| {
        let holes = line.iter().take_while(|&&b| b == 0).count();
        line[holes..].strip_suffix(b"\r").unwrap_or(&line[holes..])
    });
    lines.filter(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#")).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_mangled_access_log_stops_the_reader(lines in prop::collection::vec(mangled(ACCESS), 1..20)) {
        fuzz_text(&log(ACCESS, &lines));
        fuzz_text(&lines.join(&b'\n'));
    }

    #[test]
    fn no_mangled_auth_log_stops_the_reader(lines in prop::collection::vec(mangled(AUTH), 1..20)) {
        fuzz_text(&log(AUTH, &lines));
        fuzz_text(&lines.join(&b'\n'));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_line_is_read_or_refused(
        access in prop::collection::vec(mangled(ACCESS), 1..20),
        auth in prop::collection::vec(mangled(AUTH), 1..20),
    ) {
        for log in [log(ACCESS, &access), log(AUTH, &auth)] {
            let ledger = read_bytes(&log).map_err(TestCaseError::fail)?.ledger;
            prop_assert_eq!(ledger.rows_read + ledger.rows_refused, lines(&log) as u64);
        }
    }
}
