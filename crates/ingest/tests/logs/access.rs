//! Every layout of an access log, by its smallest line.

use std::fmt::Write as _;

use crate::common::{read_bytes, requests};

fn check(lines: &str) -> String {
    match read_bytes(lines.as_bytes()) {
        Ok(read) => format!("{}\n{}", read.ledger.formats[0].1, requests(&read)).trim_end().to_owned(),
        Err(error) => error,
    }
}

#[track_caller]
fn expect(lines: &str, expected: &str) {
    assert_eq!(check(lines), expected);
}

#[test]
fn common_and_combined() {
    expect(
        r#"192.0.2.7 - ana [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326"#,
        "access log, common\n2000-10-10T20:55:36Z 192.0.2.7 get - /a.gif asset 200 2326 -1 | . . | .",
    );
    expect(
        r#"2001:db8::7 - - [10/Oct/2000:13:55:36 +0000] "POST /a?b=1 HTTP/1.1" 302 - "https://News.example/x?y" "Agent/1.0 (x)""#,
        "access log, combined\n2000-10-10T13:55:36Z 2001:db8::7 post - /a?b=1 plain page 302 0 -1 | news.example /x | Agent/1.0 (x)",
    );
    expect(
        r#"host.Example - - [01/Aug/1995:00:00:01 -0400] "GET /ksc.html" 200 7074"#,
        "access log, common\n1995-08-01T04:00:01Z host.example get - /ksc.html page 200 7074 -1 | . . | .",
    );
}

#[test]
fn the_host_that_was_asked_for_may_stand_first() {
    expect(
        r#"Www.Example.org:443 192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "-""#,
        "access log by host\n2000-10-10T13:55:36Z 192.0.2.7 get www.example.org / page 200 5 -1 | - - | -",
    );
}

#[test]
fn durations_of_nginx_and_apache() {
    for (tail, millis) in [
        (r#""-" "a" 0.012"#, 12),
        (r#""-" "a" rt=0.012 uct="0.000" urt="0.011""#, 12),
        (r#""-" "a" 345 0.012 [up] [] 192.0.2.1:80 12 0.011 200 abc"#, 12),
        (r#""-" "a" "-" 0.012 0.011 ."#, 12),
        (r#""-" "a" 12345"#, 12),
        (r#""-" "a" 3"#, 3000),
        (r#""-" "a" 113 "router@docker" "http://192.0.2.1:80" 12ms"#, 12),
        (r#""-" "a""#, -1),
    ] {
        let line = format!(r#"192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5 {tail}"#);
        let out = check(&line);
        assert!(out.ends_with(&format!("200 5 {millis} | - - | a")), "{tail}: {out}");
    }
}

#[test]
fn the_last_forwarded_address_is_kept_beside_the_peer() {
    expect(
        r#"198.51.100.1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "a" "192.0.2.9, 203.0.113.5""#,
        "access log, combined\n2000-10-10T13:55:36Z 198.51.100.1 (203.0.113.5) get - / page 200 5 -1 | - - | a",
    );
    expect(
        r#""192.0.2.9, 203.0.113.5" 198.51.100.1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5"#,
        "access log, common\n2000-10-10T13:55:36Z 198.51.100.1 (203.0.113.5) get - / page 200 5 -1 | . . | .",
    );
    expect(
        r#"192.0.2.9, 203.0.113.5 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5"#,
        "access log, common\n2000-10-10T13:55:36Z 203.0.113.5 get - / page 200 5 -1 | . . | .",
    );
}

#[test]
fn odd_requests_are_read() {
    let line = |request: &str| {
        format!("192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] \"{request}\" 400 5 \"-\" \"a\"\n")
    };
    for (request, expected) in [
        ("-", "other -  page"),
        ("", "other -  page"),
        (r"\x16\x03\x01\x00\xe3", "other - \u{16}\u{3}\u{1}\0\u{fffd} page"),
        (r#"GET /a\"b\x22c HTTP/1.1"#, r#"get - /a"b"c page"#),
        (r#"GET /a"b HTTP/1.1"#, r#"get - /a"b page"#),
        ("GET http://other.example/a HTTP/1.1", "get other.example /a page"),
        ("CONNECT other.example:25 HTTP/1.1", "connect other.example  page"),
        ("OPTIONS * HTTP/1.0", "options - * page"),
        ("GET /a", "get - /a page"),
    ] {
        let out = check(&line(request));
        assert!(out.contains(&format!(" 192.0.2.7 {expected} 400 5 -1")), "{request}: {out}");
    }
}

#[test]
fn escaped_quotes_do_not_end_a_field() {
    expect(
        r#"192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "https://a.example/\"x" "say \"hi\" \\" 0.5"#,
        "access log, combined with durations\n2000-10-10T13:55:36Z 192.0.2.7 get - / page 200 5 500 | a.example /\"x | say \"hi\" \\",
    );
}

#[test]
fn lines_may_come_wrapped() {
    let line = r#"192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "a""#;
    let expected = "access log, combined\n2000-10-10T13:55:36Z 192.0.2.7 get - / page 200 5 -1 | - - | a";
    for before in [
        "Oct 10 13:55:36 www nginx[2869]: ",
        "2000-10-10T13:55:36.5+00:00 www nginx: ",
        "2000-10-10T13:55:36.493035218+01:00 stdout F ",
    ] {
        expect(&format!("{before}{line}"), expected);
    }
}

#[test]
fn json_of_each_server() {
    let check = |line: &str, expected: &str| expect(line, &format!("access log, JSON\n{expected}"));
    check(
        r#"{"time_iso8601":"2026-10-10T13:55:36+00:00","remote_addr":"192.0.2.7","request_method":"GET","request_uri":"/a?b=1","host":"www.example","status":200,"body_bytes_sent":5,"request_time":0.012,"http_referer":"","http_user_agent":"a","http_x_forwarded_for":"203.0.113.5"}"#,
        "2026-10-10T13:55:36Z 192.0.2.7 (203.0.113.5) get www.example /a?b=1 plain page 200 5 12 | - - | a",
    );
    check(
        r#"{"time_local":"10/Oct/2026:13:55:36 +0000","remote_addr":"192.0.2.7","request":"GET /a HTTP/1.1","status":"200","http_user_agent":"say \x22hi\x22"}"#,
        "2026-10-10T13:55:36Z 192.0.2.7 get - /a page 200 -1 -1 | - - | say \"hi\"",
    );
    check(
        r#"{"level":"info","ts":1791640536.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.7","remote_port":"1","proto":"HTTP/2.0","method":"GET","host":"www.example","uri":"/a.json","headers":{"User-Agent":["a"],"Referer":["https://b.example/"]}},"duration":0.012,"size":5,"status":200}"#,
        "2026-10-10T13:55:36.5Z 192.0.2.7 get www.example /a.json api 200 5 12 | b.example / | a",
    );
    check(
        r#"{"ClientAddr":"192.0.2.7:39490","ClientHost":"192.0.2.7","DownstreamContentSize":5,"DownstreamStatus":404,"Duration":12000000,"RequestHost":"www.example","RequestMethod":"GET","RequestPath":"/a","StartUTC":"2026-10-10T13:55:36Z","request_User-Agent":"a"}"#,
        "2026-10-10T13:55:36Z 192.0.2.7 get www.example /a page 404 5 12 | - - | a",
    );
    check(
        r#"{"@timestamp":"2026-10-10T13:55:36Z","source":{"ip":"192.0.2.7"},"http":{"request":{"method":"GET","referrer":"https://b.example/x"},"response":{"status_code":200,"body":{"bytes":5}}},"url":{"original":"/a?b=1","domain":"www.example"},"user_agent":{"original":"a"},"agent":{"type":"filebeat"},"event":{"duration":12000000}}"#,
        "2026-10-10T13:55:36Z 192.0.2.7 get www.example /a?b=1 plain page 200 5 12 | b.example /x | a",
    );
    check(
        r#"{"ClientIP":"2001:db8::7","ClientRequestHost":"www.example","ClientRequestMethod":"GET","ClientRequestURI":"/a","EdgeResponseBytes":5,"EdgeResponseStatus":200,"EdgeStartTimestamp":"2026-10-10T13:55:36Z","ClientRequestUserAgent":"a"}"#,
        "2026-10-10T13:55:36Z 2001:db8::7 get www.example /a page 200 5 -1 | - - | a",
    );
    check(
        r#"2026-10-10T13:55:37.1+01:00 stdout F {":authority":"www.example","bytes_sent":5,"downstream_remote_address":"192.0.2.7:59292","duration":12,"method":"GET","response_code":200,"start_time":"2026-10-10T13:55:36Z","user-agent":"a","x-envoy-origin-path":"/a"}"#,
        "2026-10-10T13:55:36Z 192.0.2.7 get www.example /a page 200 5 12 | - - | a",
    );
}

/// Numbers of JSON and of text went through as they were, and two of them could not be added up.
#[test]
fn a_size_or_status_that_cannot_be_is_left_out() {
    for (status, size) in [("-7", "1e30"), ("1e9", "-5"), ("1000", "9007199254740994")] {
        expect(
            &format!(
                r#"{{"time_iso8601":"2026-10-10T13:55:36Z","remote_addr":"192.0.2.7","request":"GET /a HTTP/1.1","status":{status},"body_bytes_sent":{size}}}"#
            ),
            "access log, JSON\n2026-10-10T13:55:36Z 192.0.2.7 get - /a page 0 -1 -1 | - - | -",
        );
    }
    expect(
        r#"192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 999999999999999999"#,
        "access log, common\n2000-10-10T20:55:36Z 192.0.2.7 get - /a page 200 -1 -1 | . . | .",
    );
}

#[test]
fn other_json_is_left_to_its_readers() {
    for line in [
        r#"{"ts":1,"uid":"C1","id.orig_h":"192.0.2.7","id.orig_p":1,"id.resp_h":"192.0.2.1","id.resp_p":80,"method":"GET","uri":"/","host":"www.example","status_code":200}"#,
        r#"{"account":"a","object":"o","time":0}"#,
    ] {
        assert!(!check(line).starts_with("access log"), "{line}");
    }
}

#[test]
fn the_log_of_nginx_proxy_manager() {
    expect(
        r#"[24/Jan/2022:16:51:02 +0000] - 404 404 - GET http www.example "/a?b" [Client 192.0.2.7] [Length 192] [Gzip 3.10] [Sent-to app] "a" "-""#,
        "access log, Nginx Proxy Manager\n2022-01-24T16:51:02Z 192.0.2.7 get www.example /a?b plain page 404 192 -1 | - - | a",
    );
}

#[test]
fn a_host_may_stand_first_in_some_lines_only() {
    let rest = r#"- - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5"#;
    let plain = format!("192.0.2.7 {rest}\n");
    let with = format!("www.example:80 192.0.2.8 {rest}\n");
    let expected = |hosts: [&str; 3]| {
        hosts.map(|host| {
            let last = if host == "-" { 7 } else { 8 };
            format!("2000-10-10T13:55:36Z 192.0.2.{last} get {host} / page 200 5 -1 | . . | .")
        })
    };
    let out = check(&format!("{plain}{plain}{with}"));
    assert_eq!(out, format!("access log, common\n{}", expected(["-", "-", "www.example"]).join("\n")));
    let out = check(&format!("{with}{with}{plain}"));
    assert_eq!(
        out,
        format!("access log by host\n{}", expected(["www.example", "www.example", "-"]).join("\n"))
    );
}

#[test]
fn a_table_with_a_header() {
    expect(
        "host\tlogname\ttime\tmethod\turl\tresponse\tbytes\treferer\tuseragent\nhost.example\t-\t807256800\tGET\t/a.gif\t200\t1713\t\t\n",
        "access log, table\n1995-08-01T06:00:00Z host.example get - /a.gif asset 200 1713 -1 | - - | -",
    );
}

#[test]
fn what_is_no_line_of_a_log_is_counted_by_reason() {
    let good = r#"192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5"#;
    let mut log = String::new();
    for _ in 0..12 {
        let _ = writeln!(log, "{good}");
    }
    log.push_str("\n# a comment\ngarbage\n");
    log.push_str("192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] none\n");
    log.push_str("192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] \"GET / HTTP/1.1\" no 5\n");
    log.push_str("192.0.2.7 - - [41/Oct/2000:13:55:36 +0000] \"GET / HTTP/1.1\" 200 5\n");
    log.push_str("192.0.2.7 - - [10/Oct/2036:13:55:36 +0000] \"GET / HTTP/1.1\" 200 5\n");
    log.push_str(" [10/Oct/2000:13:55:36 +0000] \"GET / HTTP/1.1\" 200 5\n");
    log.push_str("bin\0ary\n");
    let _ = writeln!(log, "\0\0\0{good}");
    log.push_str(&"x".repeat(10 << 20));
    let _ = write!(log, "\n{good}\n192.0.2.7 - - [10/Oct/2000:13:55:36 +00");
    let read = read_bytes(log.as_bytes()).expect("a log");
    assert_eq!((read.ledger.rows_read, read.ledger.rows_refused), (14, 9));
    assert_eq!(
        read.problems(),
        "1 × line longer than 1 MiB\n1 × NUL byte\n1 × time is neither a number nor RFC 3339\n1 × more than a day in \
         the future\n2 × no time in brackets\n1 × no request\n1 × no status behind the request\n1 × no client\n1 × NUL \
         bytes before the line: passed over\n"
    );
}

#[test]
fn a_layout_may_change_half_way() {
    let common = r#"192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5"#;
    let out = check(&format!("{common}\n{common} \"https://b.example/\" \"a\"\n"));
    assert!(
        out.ends_with("| . . | .\n2000-10-10T13:55:36Z 192.0.2.7 get - / page 200 5 -1 | b.example / | a"),
        "{out}"
    );
}
