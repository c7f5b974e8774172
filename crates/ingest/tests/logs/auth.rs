//! Each message and each form of log, by its smallest lines.

use crate::common::{logins, read_bytes};

fn check(lines: &str) -> String {
    read_bytes(lines.as_bytes()).map_or_else(|error| error, |read| logins(&read))
}

/// Logins of messages of sshd, each as `client account outcome`.
fn ssh(messages: &[&str]) -> String {
    let mut lines = String::new();
    for (at, message) in messages.iter().enumerate() {
        lines.push_str(&format!("2026-05-01T10:00:{at:02}Z www sshd[7]: {message}\n"));
    }
    short(&check(&lines))
}

fn short(out: &str) -> String {
    let lines: Vec<String> =
        out.lines().map(|line| line.split(' ').skip(1).take(3).collect::<Vec<_>>().join(" ")).collect();
    lines.join(", ")
}

#[test]
fn every_form_of_log_is_opened() {
    let expected = "2026-05-01T10:00:00Z 192.0.2.7 ana failed ssh at www\n";
    let message = "Failed password for ana from 192.0.2.7 port 1 ssh2";
    for line in [
        format!("2026-05-01T12:00:00.000+02:00 www sshd[7]: {message}"),
        format!("<38>1 2026-05-01T10:00:00Z www sshd 7 - - {message}"),
        format!(r#"<38>1 2026-05-01T10:00:00Z www sshd 7 - [a b="c] \" d"][e@1 f=""] {message}"#),
        format!(
            r#"{{"__REALTIME_TIMESTAMP":"1777629600000000","_HOSTNAME":"www","SYSLOG_IDENTIFIER":"sshd","_PID":"7","MESSAGE":"{message}"}}"#
        ),
        format!(
            r#"{{"__REALTIME_TIMESTAMP":"1777629600000000","_HOSTNAME":"www","SYSLOG_IDENTIFIER":"sshd-session","MESSAGE":{:?}}}"#,
            message.as_bytes()
        ),
    ] {
        assert_eq!(check(&line), expected, "{line}");
    }
    for line in
        [format!("May  1 10:00:00 www sshd[7]: {message}"), format!("<38>May 1 10:00:00 www sshd: {message}")]
    {
        let note =
            "1 × time without year and zone: taken as the latest year that is not in the future, and UTC\n";
        assert_eq!(check(&line), format!("{expected}{note}"), "{line}");
    }
}

#[test]
fn the_year_is_the_latest_that_is_not_in_the_future() {
    // Now is the 23rd of November 2026, noon.
    for (day, year) in [
        ("Nov 24 11:00:00", "2026-11-24"),
        ("Nov 24 13:00:00", "2025-11-24"),
        ("Feb 29 13:00:00", "2024-02-29"),
    ] {
        let out = check(&format!("{day} www sshd[7]: Failed password for ana from 192.0.2.7 port 1 ssh2"));
        assert!(out.starts_with(year), "{day}: {out}");
    }
}

#[test]
fn one_attempt_is_one_row_however_often_it_is_told() {
    assert_eq!(
        ssh(&[
            "Invalid user eva from 192.0.2.7",
            "input_userauth_request: invalid user eva [preauth]",
            "pam_unix(sshd:auth): check pass; user unknown",
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7 ",
            "Failed password for invalid user eva from 192.0.2.7 port 1 ssh2",
            "Connection closed by invalid user eva 192.0.2.7 port 1 [preauth]",
        ]),
        "192.0.2.7 eva no-account"
    );
    assert_eq!(
        ssh(&[
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=ana",
            "Failed password for ana from 192.0.2.7 port 1 ssh2",
            "message repeated 2 times: [ Failed password for ana from 192.0.2.7 port 1 ssh2]",
            "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=ana",
            "error: maximum authentication attempts exceeded for ana from 192.0.2.7 port 1 ssh2 [preauth]",
            "Disconnecting: Too many authentication failures [preauth]",
        ]),
        ["192.0.2.7 ana failed"; 3].join(", ")
    );
}

#[test]
fn what_only_hints_at_an_attempt_becomes_one_if_nothing_follows() {
    assert_eq!(
        ssh(&["Invalid user a from 192.0.2.7 port 1", "Invalid user b from 192.0.2.7 port 1"]),
        "192.0.2.7 a no-account, 192.0.2.7 b no-account"
    );
    assert_eq!(
        ssh(&["User root from 192.0.2.7 not allowed because not listed in AllowUsers"]),
        "192.0.2.7 root failed"
    );
    assert_eq!(
        ssh(&["error: PAM: Authentication failure for ana from host.example"]),
        "host.example ana failed"
    );
    assert_eq!(
        ssh(&[
            "Failed publickey for ana from 192.0.2.7 port 1 ssh2: RSA SHA256:x",
            "Failed publickey for ana from 192.0.2.7 port 1 ssh2: ED25519 SHA256:y",
            "Connection closed by authenticating user ana 192.0.2.7 port 1 [preauth]",
        ]),
        "192.0.2.7 ana failed"
    );
}

#[test]
fn an_account_that_is_let_in_after_all_did_not_fail() {
    assert_eq!(
        ssh(&[
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=ana",
            "Failed publickey for ana from 192.0.2.7 port 1 ssh2: RSA SHA256:x",
            "Accepted password for ana from 192.0.2.7 port 1 ssh2",
            "pam_unix(sshd:session): session opened for user ana(uid=1) by (uid=0)",
            "Connection closed by 192.0.2.7",
        ]),
        "192.0.2.7 ana ok"
    );
    assert_eq!(
        ssh(&[
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root",
            "Accepted publickey for ana from 192.0.2.7 port 1 ssh2: RSA SHA256:x",
        ]),
        "192.0.2.7 root failed, 192.0.2.7 ana ok"
    );
}

#[test]
fn who_goes_away_before_trying_is_counted_once() {
    for message in [
        "Connection closed by authenticating user ana 192.0.2.7 port 1 [preauth]",
        "Disconnected from authenticating user ana 192.0.2.7 port 1 [preauth]",
    ] {
        assert_eq!(ssh(&[message]), "192.0.2.7 ana abandoned", "{message}");
    }
    for message in [
        "Connection closed by 192.0.2.7 [preauth]",
        "Did not receive identification string from 192.0.2.7 port 1",
        "banner exchange: Connection from 192.0.2.7 port 1: invalid format",
        "fatal: Timeout before authentication for 192.0.2.7 port 1",
        "Unable to negotiate with 192.0.2.7 port 1: no matching cipher found. Their offer: x [preauth]",
        "Bad protocol version identification 'x' from 192.0.2.9' from 192.0.2.7 port 1",
        "refused connect from host.example (192.0.2.7)",
    ] {
        assert_eq!(
            ssh(&[message, "Connection closed by 192.0.2.7 port 1 [preauth]"]),
            "192.0.2.7 - abandoned",
            "{message}"
        );
    }
    assert_eq!(ssh(&["Connection closed by 192.0.2.7", "Received disconnect from 192.0.2.7: 11: bye"]), "");
}

#[test]
fn names_that_a_client_chose_do_not_move_the_client() {
    for (message, expected) in [
        ("Failed password for invalid user from 192.0.2.9 from 192.0.2.7 port 1 ssh2", "192.0.2.7 from"),
        (
            "Failed password for invalid user x from 192.0.2.9 port 5 ssh2 from 192.0.2.7 port 1 ssh2",
            "192.0.2.7 x",
        ),
        ("Failed password for x from 192.0.2.7 port 1 ssh2: ruser y from 192.0.2.9", "192.0.2.7 x"),
        (
            "Connection closed by authenticating user x 192.0.2.9 port 5 192.0.2.7 port 1 [preauth]",
            "192.0.2.7 x",
        ),
        (
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser=x rhost=192.0.2.9 rhost=192.0.2.7",
            "192.0.2.7 x",
        ),
        (
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7 user=x rhost=192.0.2.9",
            "192.0.2.7 x",
        ),
    ] {
        assert!(ssh(&[message]).starts_with(expected), "{message}: {}", ssh(&[message]));
    }
}

#[test]
fn sudo_and_su() {
    let check = |messages: &[&str]| {
        let lines: String =
            messages.iter().map(|message| format!("2026-05-01T10:00:00Z www {message}\n")).collect();
        short(&check(&lines))
    };
    assert_eq!(
        check(&[
            "sudo: pam_unix(sudo:auth): authentication failure; logname=ana uid=1 euid=0 tty=/dev/pts/0 ruser=ana rhost=  user=ana",
            "sudo:      ana : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
        ]),
        ["- ana failed"; 3].join(", ")
    );
    assert_eq!(
        check(&[
            "sudo:      ana : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "sudo: pam_unix(sudo:session): session opened for user root(uid=0) by ana(uid=1)",
        ]),
        "- ana ok"
    );
    assert_eq!(
        check(&["sudo: eva : user NOT in sudoers ; TTY=pts/0 ; USER=root ; COMMAND=/bin/ls"]),
        "- eva failed"
    );
    assert_eq!(
        check(&[
            "su[8]: pam_unix(su:auth): authentication failure; logname=ana uid=1 euid=0 tty=pts/0 ruser=ana rhost=  user=root",
            "su[8]: FAILED SU (to root) ana on pts/0",
            "su[9]: (to root) ana on pts/0",
            "su[9]: pam_unix(su:session): session opened for user root(uid=0) by ana(uid=1)",
        ]),
        "- root ok, - root failed"
    );
    assert_eq!(
        check(&["CRON[9]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"]),
        ""
    );
}

#[test]
fn mail_and_ftp() {
    let check = |message: &str| {
        let out = check(&format!("2026-05-01T10:00:00Z www {message}\n"));
        out.lines()
            .map(|line| line.split(' ').skip(1).take(4).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(
        check(
            "dovecot: imap-login: Disconnected (auth failed, 2 attempts): user=<ana>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, TLS"
        ),
        "192.0.2.7 ana failed mail, 192.0.2.7 ana failed mail"
    );
    assert_eq!(
        check("dovecot: imap-login: Login: user=<ana>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1"),
        "192.0.2.7 ana ok mail"
    );
    assert_eq!(
        check(
            "postfix/smtpd[1]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6"
        ),
        "192.0.2.7 - failed mail"
    );
    assert_eq!(
        check("postfix/smtpd[1]: A1: client=unknown[192.0.2.7], sasl_method=PLAIN, sasl_username=ana"),
        "192.0.2.7 ana ok mail"
    );
    assert_eq!(
        check(r#"vsftpd[1]: [ana] FAIL LOGIN: Client "::ffff:192.0.2.7""#),
        "192.0.2.7 ana failed ftp"
    );
    assert_eq!(
        check("proftpd[1] www (host[192.0.2.7]): USER ana (Login failed): Incorrect password."),
        "192.0.2.7 ana failed ftp"
    );
    assert_eq!(
        check(
            "proftpd[1]: www (host[192.0.2.7]) - USER eva: no such user found from host [192.0.2.7] to 192.0.2.1:21"
        ),
        "192.0.2.7 eva no-account ftp"
    );
}

/// The days of such a year are beyond 64 bits, and even the look at a file's first lines counts them.
#[test]
fn a_year_beyond_all_calendars_is_refused() {
    let line =
        |year: &str| format!("Fri Jan 19 12:20:33 {year} [pid 2] [ana] FAIL LOGIN: Client \"192.0.2.7\"\n");
    let of_year = |year: &str| check(&[line("2007"), line("2007"), line(year)].concat());
    let good = "2007-01-19T12:20:33Z 192.0.2.7 ana failed ftp at -\n".repeat(2);
    for year in ["9223372036854775807", "-9223372036854775808", "10000", ""] {
        let read = of_year(year);
        assert!(
            read.starts_with(&format!("{good}1 × time is neither a number nor RFC 3339\n")),
            "{year}: {read}"
        );
    }
}

#[test]
fn broken_lines_are_counted_and_stop_nothing() {
    let good = "2026-05-01T10:00:00Z www sshd[7]: Failed password for ana from 192.0.2.7 port 1 ssh2\n";
    let mut log = good.repeat(6).into_bytes();
    log.extend_from_slice(b"\n\xff\xfe\0\0garbage\nMay 41 10:00:00 www sshd[7]: x\n2036-05-01T10:00:00Z www sshd[7]: x\nMay  1 1\n");
    log.extend(std::iter::repeat_n(b'x', 10 << 20));
    log.extend_from_slice(b"\n\0\0\0");
    log.extend_from_slice(good.as_bytes());
    log.extend_from_slice(b"2026-05-01T10:00:00Z www sshd[7]: message repeated 99999999999999 times: [ Failed password for ana from 192.0.2.7 port 1 ssh2]\n");
    let read = read_bytes(&log).expect("a log");
    assert_eq!((read.ledger.rows_read, read.logins().len()), (8, 1007));
    assert_eq!(
        read.problems(),
        "1 × line longer than 1 MiB\n1 × NUL byte\n1 × no time\n1 × time is neither a number nor RFC 3339\n1 × more than a \
         day in the future\n1 × NUL bytes before the line: passed over\n"
    );
}
