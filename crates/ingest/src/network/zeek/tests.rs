use crate::network::testing::check;

const CONN: &str = "#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tconn
#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes
";

#[test]
fn connections_become_flows() {
    let rows = "1672843056.913119\tCa\t192.0.2.1\t55548\t198.51.100.2\t443\ttcp\thttp,ssl\t0.084044\t10\t20\tSF\tShADadFf\t18\t1974\t14\t21011
1672843057\tCb\t192.0.2.1\t5353\t198.51.100.2\t53\tudp\tdns\t-\t-\t-\tS0\tD\t1\t60\t0\t0
1672843058.5\tCc\t2001:db8::1\t128\t2001:db8::2\t129\ticmp\t-\t1.25\t8\t-\tOTH\t-\t-\t-\t-\t-
";
    insta::assert_snapshot!(check(format!("{CONN}{rows}#close\t2023-01-05-18-51-06\n")), @r"
    flow 2023-01-04T14:37:36.913Z +84 ms 192.0.2.1:55548 > 198.51.100.2:443 proto 6 sent 18/1974 back 14/21011 flags 19 closed http sampling 1 frag 0 uid known
    flow 2023-01-04T14:37:37Z +0 ms 192.0.2.1:5353 > 198.51.100.2:53 proto 17 sent 1/60 back 0/0 flags 0 attempt dns sampling 1 frag 0 uid known
    flow 2023-01-04T14:37:38.5Z +1250 ms 2001:db8::1:128 > 2001:db8::2:129 proto 58 sent 0/8 back -1/-1 flags 0 partial unknown sampling 1 frag 0 uid known
    ");
}

#[test]
fn fields_may_stand_in_any_order_and_signs_may_differ() {
    insta::assert_snapshot!(check(
        "#separator ;\n#unset_field;NONE\n#path;conn\n#fields;label;id.resp_h;id.orig_h;ts;conn_state;orig_pkts;proto\n\
         x;198.51.100.2;192.0.2.1;2023-01-04T14:37:36.9131Z;REJ;NONE;tcp\n"
    ), @r"
    flow 2023-01-04T14:37:36.913Z +0 ms 192.0.2.1:0 > 198.51.100.2:0 proto 6 sent 0/0 back -1/-1 flags 0 rejected unknown sampling 1 frag 0 uid -
    ");
}

#[test]
fn the_header_may_change_in_the_middle() {
    insta::assert_snapshot!(check(format!(
        "{CONN}1672843056\tCa\t192.0.2.1\t1\t198.51.100.2\t2\ttcp\t-\t1\t1\t1\tS1\tShA\t2\t90\t1\t50\n#close\tx\n\
         #separator \\x09\n#set_separator\t,\n#unset_field\t-\n#path\topen_conn\n#fields\tts\tid.orig_h\tid.resp_h\tproto\n\
         1672843057\t192.0.2.3\t198.51.100.4\ttcp\n\
         #separator \\x09\n#path\tweird\n#fields\tts\tname\n1672843058\todd\n"
    )), @r"
    flow 2023-01-04T14:37:36Z +1000 ms 192.0.2.1:1 > 198.51.100.2:2 proto 6 sent 2/90 back 1/50 flags 18 established unknown sampling 1 frag 0 uid known
    flow 2023-01-04T14:37:37Z +0 ms 192.0.2.3:0 > 198.51.100.4:0 proto 6 sent 0/0 back -1/-1 flags 0 open unknown sampling 1 frag 0 uid -
    1 × a record of a kind of traffic that is not used: passed over (18)
    ");
}

#[test]
fn a_log_without_a_name_is_known_by_its_fields() {
    insta::assert_snapshot!(check(
        "#separator \\t\n#fields\tts\tid.orig_h\tid.resp_h\ttrans_id\tquery\tqtype\trcode\tanswers\trejected\n\
         1672843056\t192.0.2.1\t198.51.100.53\t7\tWWW.Example.org\t1\t0\tcdn.example.org,203.0.113.9,203.0.113.10\tF\t\n"
    ), @r"
    lookup 2023-01-04T14:37:36Z 192.0.2.1 > 198.51.100.53 www.example.org in example.org (3 0) type 1 code 0 answers 3 203.0.113.9 -1 B
    ");
}

#[test]
fn requests_keep_their_bytes() {
    insta::assert_snapshot!(check(
        "#separator \\x09\n#set_separator\t,\n#unset_field\t-\n#empty_field\t(empty)\n#path\thttp\n\
         #fields\tts\tid.orig_h\tmethod\thost\turi\treferrer\tuser_agent\tresponse_body_len\tstatus_code\tproxied\n\
         1672843056\t192.0.2.1\tGET\tExample.org:80\t/a\\x09b?c=1&utm_source=x\thttps://news.example/\tagent\t612\t200\tVIA -> p,X-FORWARDED-FOR -> 203.0.113.9\\x2c 198.51.100.7\n\
         1672843057\t192.0.2.1\t-\t-\t-\t-\t-\t0\t-\t(empty)\n"
    ), @r"
    request 2023-01-04T14:37:36Z 192.0.2.1 for 198.51.100.7 get example.org /a	b ?c=1 plain from news.example / by agent = 200 612 B
    request 2023-01-04T14:37:37Z 192.0.2.1 for - other -  ?- none from - - by - = 0 0 B
    ");
}

#[test]
fn handshakes_and_logins() {
    insta::assert_snapshot!(check(
        r#"{"_path":"ssl","ts":1672843056.25,"id.orig_h":"192.0.2.1","id.resp_h":"198.51.100.2","id.resp_p":443,"version":"TLSv13","server_name":"WWW.example.org","established":true,"ja3":"ab","issuer":"CN=x"}
{"_path":"ssl","ts":1672843056.5,"id.orig_h":"192.0.2.1","id.resp_h":"198.51.100.2","id.resp_p":443,"established":false}
{"_path":"ssh","ts":1672843057,"id.orig_h":"192.0.2.1","id.resp_h":"198.51.100.2","auth_success":false,"auth_attempts":3}
{"_path":"ssh","ts":1672843058,"id.orig_h":"192.0.2.1","id.resp_h":"198.51.100.2","auth_attempts":0}
{"_path":"ftp","ts":1672843059,"id.orig_h":"192.0.2.1","id.resp_h":"198.51.100.2","user":"ana","command":"PASS","reply_code":530}
{"_path":"ftp","ts":1672843059,"id.orig_h":"192.0.2.1","id.resp_h":"198.51.100.2","user":"ana","command":"RETR","reply_code":226}
"#
    ), @r"
    login 2023-01-04T14:37:37Z 192.0.2.1 > 198.51.100.2 account - failed ssh
    login 2023-01-04T14:37:38Z 192.0.2.1 > 198.51.100.2 account - abandoned ssh
    login 2023-01-04T14:37:39Z 192.0.2.1 > 198.51.100.2 account ana failed ftp
    tls 2023-01-04T14:37:36.25Z 192.0.2.1 > 198.51.100.2:443 www.example.org ja3 ab version 0x304 established 1 issuer CN=x
    tls 2023-01-04T14:37:36.5Z 192.0.2.1 > 198.51.100.2:443 - ja3 - version 0xffffffff established 0 issuer -
    1 × a record of a kind of traffic that is not used: passed over (6)
    ");
}

#[test]
fn streams_may_be_mixed_in_json() {
    insta::assert_snapshot!(check(
        r#"{"@stream":"conn","ts":1588316619.797806,"uid":"Ca","id_orig_h":"192.0.2.1","id_orig_p":55979,"id_resp_h":"198.51.100.4","id_resp_p":53,"proto":"udp","service":"dns","duration":0.06416,"conn_state":"SF","history":"Dd","orig_pkts":2,"orig_ip_bytes":138,"resp_pkts":1,"resp_ip_bytes":235}
{"ts":"2020-05-01T07:03:40.5Z","uid":"Cb","id.orig_h":"192.0.2.1","id.orig_p":1,"id.resp_h":"198.51.100.4","id.resp_p":53,"trans_id":1,"query":"a.example","qtype":28,"rcode":3,"answers":[],"rejected":false}
{"@stream":"stats","ts":1588316619.797806,"peer":"zeek"}
"#
    ), @r"
    flow 2020-05-01T07:03:39.798Z +64 ms 192.0.2.1:55979 > 198.51.100.4:53 proto 17 sent 2/138 back 1/235 flags 0 established dns sampling 1 frag 0 uid known
    lookup 2020-05-01T07:03:40.5Z 192.0.2.1 > 198.51.100.4 a.example in a.example (0 0) type 28 code 3 answers 0 - -1 B
    1 × a record of a kind of traffic that is not used: passed over (3)
    ");
}

#[test]
fn broken_rows_are_counted_by_reason() {
    let long = "x".repeat(2 << 20);
    insta::assert_snapshot!(check(format!(
        "{CONN}1672843056\tCa\t192.0.2.1\n\u{0}\u{1}\n{long}\n\
         soon\tCa\t192.0.2.1\t1\t198.51.100.2\t2\ttcp\t-\t1\t1\t1\tS1\tShA\t2\t90\t1\t50\n\
         1672843056\tCa\tnowhere\t1\t198.51.100.2\t2\ttcp\t-\t1\t1\t1\tS1\tShA\t2\t90\t1\t50\n\
         1672843056\tCa\t192.0.2.1\t99999\t198.51.100.2\t2\ttcp\t-\t1\t1\t1\tS1\tShA\t2\t90\t1\t50\n\
         1672843056\tCa\t192.0.2.1\t1\t198.51.100.2\t2\ttcp\t-\t1\t1\t1\tS1\tShA\t2\t90\t1\t50\tmore\n"
    )), @r"
    2 × not as many fields as the header (7 13)
    1 × line longer than 1 MiB (9)
    1 × NUL byte (8)
    1 × time is neither a number nor RFC 3339 (10)
    1 × a number is none, or is out of its range (12)
    1 × an address is none (11)
    ");
    insta::assert_snapshot!(check(
        "{\"ts\":1672843056,\"uid\":\"Ca\",\"id.orig_h\":\"192.0.2.1\",\"id.resp_h\":\"192.0.2.2\",\"conn_state\":\"S0\"}\n{\"ts\":\n\
         {\"ts\":true,\"id.orig_h\":\"192.0.2.1\",\"id.resp_h\":\"192.0.2.2\",\"conn_state\":\"S0\"}\n"
    ), @r"
    flow 2023-01-04T14:37:36Z +0 ms 192.0.2.1:0 > 192.0.2.2:0 proto -1 sent 0/0 back -1/-1 flags 0 attempt unknown sampling 1 frag 0 uid known
    1 × time is neither a number nor RFC 3339 (3)
    1 × not JSON (2)
    ");
}
