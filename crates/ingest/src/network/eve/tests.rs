use crate::network::testing::check;

const PAIR: &str = r#""flow_id":7,"src_ip":"192.0.2.1","src_port":4711,"dest_ip":"198.51.100.53","dest_port":53,"proto":"UDP""#;

#[test]
fn flows_of_both_directions_and_of_one() {
    insta::assert_snapshot!(check(
        r#"{"timestamp":"2021-06-06T17:00:00.5+0200","flow_id":12,"event_type":"flow","src_ip":"192.0.2.1","src_port":4711,"dest_ip":"198.51.100.2","dest_port":445,"proto":"TCP","app_proto":"failed","flow":{"pkts_toserver":2,"pkts_toclient":2,"bytes_toserver":120,"bytes_toclient":110,"start":"2021-06-06T16:00:00.25+0200","end":"2021-06-06T16:00:01+0200","state":"closed"},"tcp":{"tcp_flags":"16","tcp_flags_ts":"02","tcp_flags_tc":"14"}}
{"timestamp":"2021-06-06T17:00:00+0200","event_type":"flow","src_ip":"2001:db8::1","dest_ip":"2001:db8::2","proto":"IPv6-ICMP","icmp_type":128,"icmp_code":0,"flow":{"pkts_toserver":1,"pkts_toclient":0,"bytes_toserver":60,"bytes_toclient":0,"start":"2021-06-06T16:00:00+0200","end":"2021-06-06T16:00:00+0200","state":"new"}}
{"timestamp":"2021-06-06T17:00:00+0200","event_type":"netflow","src_ip":"192.0.2.1","dest_ip":"198.51.100.2","proto":"UDP","netflow":{"pkts":1,"bytes":60}}
"#
    ), @r"
    flow 2021-06-06T14:00:00.25Z +750 ms 192.0.2.1:4711 > 198.51.100.2:445 proto 6 sent 2/120 back 2/110 flags 2 rejected unknown sampling 1 frag 0 uid known
    flow 2021-06-06T14:00:00Z +0 ms 2001:db8::1:128 > 2001:db8::2:0 proto 58 sent 1/60 back 0/0 flags 0 attempt unknown sampling 1 frag 0 uid -
    1 × a record of a kind of traffic that is not used: passed over (3)
    ");
    insta::assert_snapshot!(check(
        r#"{"timestamp":"2021-06-06T17:00:00+0200","event_type":"netflow","src_ip":"192.0.2.1","src_port":1,"dest_ip":"198.51.100.2","dest_port":2,"proto":"TCP","app_proto":"http","netflow":{"pkts":3,"bytes":180,"start":"2021-06-06T16:59:59+0200","end":"2021-06-06T17:00:00+0200"},"tcp":{"tcp_flags":"1b"}}
"#
    ), @r"
    flow 2021-06-06T14:59:59Z +1000 ms 192.0.2.1:1 > 198.51.100.2:2 proto 6 sent 3/180 back -1/-1 flags 27 unknown http sampling 1 frag 0 uid -
    ");
}

#[test]
fn a_query_and_its_answer_are_one_lookup() {
    // Version 2.
    insta::assert_snapshot!(check(format!(
        r#"{{"timestamp":"2021-06-06T16:00:00Z","event_type":"dns",{PAIR},"dns":{{"type":"query","id":2,"rrname":"www.example.org","rrtype":"A","tx_id":0}}}}
{{"timestamp":"2021-06-06T16:00:01Z","event_type":"dns",{PAIR},"dns":{{"version":2,"type":"answer","id":2,"rrname":"www.example.org","rrtype":"A","rcode":"NOERROR","answers":[{{"rrname":"www.example.org","rrtype":"CNAME","rdata":"cdn.example"}},{{"rrname":"cdn.example","rrtype":"A","rdata":"203.0.113.9"}}]}}}}
{{"timestamp":"2021-06-06T16:00:02Z","event_type":"dns",{PAIR},"dns":{{"type":"query","id":3,"rrname":"gone.example.org","rrtype":"TYPE65"}}}}
"#
    )), @r"
    lookup 2021-06-06T16:00:00Z 192.0.2.1 > 198.51.100.53 www.example.org in example.org (3 0) type 1 code 0 answers 2 203.0.113.9 -1 B
    lookup 2021-06-06T16:00:02Z 192.0.2.1 > 198.51.100.53 gone.example.org in example.org (4 2000) type 65 code -1 answers 0 - -1 B
    ");
    // Version 1: an event for each record, from the server.
    insta::assert_snapshot!(check(format!(
        r#"{{"timestamp":"2021-06-06T16:00:00Z","event_type":"dns",{PAIR},"dns":{{"type":"query","id":2,"rrname":"www.example.org","rrtype":"AAAA"}}}}
{{"timestamp":"2021-06-06T16:00:01Z","event_type":"dns","flow_id":7,"src_ip":"198.51.100.53","src_port":53,"dest_ip":"192.0.2.1","dest_port":4711,"proto":"UDP","dns":{{"type":"answer","id":2,"rcode":"NOERROR","rrname":"www.example.org","rrtype":"CNAME","rdata":"cdn.example"}}}}
{{"timestamp":"2021-06-06T16:00:01Z","event_type":"dns","flow_id":7,"src_ip":"198.51.100.53","src_port":53,"dest_ip":"192.0.2.1","dest_port":4711,"proto":"UDP","dns":{{"type":"answer","id":2,"rcode":"NOERROR","rrname":"www.example.org","rrtype":"AAAA","rdata":"2001:db8::9"}}}}
"#
    )), @r"
    lookup 2021-06-06T16:00:00Z 192.0.2.1 > 198.51.100.53 www.example.org in example.org (3 0) type 28 code 0 answers 2 2001:db8::9 -1 B
    ");
    // Version 3, and an answer without its query.
    insta::assert_snapshot!(check(format!(
        r#"{{"timestamp":"2021-06-06T16:00:00Z","event_type":"dns",{PAIR},"dns":{{"version":3,"type":"request","id":2,"queries":[{{"rrname":"a.example","rrtype":"A"}}]}}}}
{{"timestamp":"2021-06-06T16:00:01Z","event_type":"dns",{PAIR},"dns":{{"version":3,"type":"response","id":2,"rcode":"NXDOMAIN","queries":[{{"rrname":"a.example","rrtype":"A"}}]}}}}
{{"timestamp":"2021-06-06T16:00:01Z","event_type":"dns",{PAIR},"dns":{{"version":3,"type":"response","id":9,"rcode":"NOERROR","queries":[{{"rrname":"b.example","rrtype":"A"}}],"grouped":{{"A":["203.0.113.9","203.0.113.10"]}}}}}}
"#
    )), @r"
    lookup 2021-06-06T16:00:00Z 192.0.2.1 > 198.51.100.53 a.example in a.example (0 0) type 1 code 3 answers 0 - -1 B
    lookup 2021-06-06T16:00:01Z 192.0.2.1 > 198.51.100.53 b.example in b.example (0 0) type 1 code 0 answers 2 203.0.113.9 -1 B
    ");
}

#[test]
fn requests_handshakes_and_connections_to_ssh() {
    insta::assert_snapshot!(check(
        r#"{"timestamp":"2021-06-06T16:00:00Z","event_type":"http","src_ip":"192.0.2.1","src_port":1,"dest_ip":"198.51.100.2","dest_port":80,"proto":"TCP","xff":"203.0.113.9","http":{"hostname":"Example.org","url":"/a?b=1","http_user_agent":"agent","http_refer":"https://news.example/x","http_method":"GET","status":200,"length":12}}
{"timestamp":"2021-06-06T16:00:00Z","event_type":"tls","src_ip":"192.0.2.1","src_port":1,"dest_ip":"198.51.100.2","dest_port":443,"proto":"TCP","tls":{"issuerdn":"CN=x","sni":"www.example.org","version":"TLS 1.2","ja3":{"hash":"ab","string":"1"}}}
{"timestamp":"2021-06-06T16:00:00Z","event_type":"ssh","src_ip":"192.0.2.1","src_port":1,"dest_ip":"198.51.100.2","dest_port":22,"proto":"TCP","ssh":{"client":{"software_version":"x"}}}
{"timestamp":"2021-06-06T16:00:00Z","event_type":"stats","stats":{}}
"#
    ), @r"
    request 2021-06-06T16:00:00Z 192.0.2.1 for 203.0.113.9 get example.org /a ?b=1 plain from news.example /x by agent = 200 12 B
    login 2021-06-06T16:00:00Z 192.0.2.1 > 198.51.100.2 account - unknown ssh
    tls 2021-06-06T16:00:00Z 192.0.2.1 > 198.51.100.2:443 www.example.org ja3 ab version 0x303 established -1 issuer CN=x
    1 × a record of a kind of traffic that is not used: passed over (4)
    ");
}

#[test]
fn broken_events_are_counted_by_reason() {
    insta::assert_snapshot!(check(
        r#"{"timestamp":"2021-06-06T16:00:00Z","event_type":"stats","stats":{}}
{"timestamp":"2021-06-06T16:00:00Z","event_type":"http"
{"timestamp":"2021-06-06T16:00:00Z","event_type":"http","src_ip":"192.0.2.1","http":[]}
{"timestamp":"2021-06-06T16:00:00Z","event_type":"ssh","src_ip":"nowhere"}
{"timestamp":"later","event_type":"ssh","src_ip":"192.0.2.1"}
{"timestamp":"2021-06-06T16:00:00Z"}
{"timestamp":"2021-06-06T16:00:00","event_type":"ssh","src_ip":"192.0.2.1","dest_ip":"198.51.100.2"}
"#
    ), @r"
    login 2021-06-06T16:00:00Z 192.0.2.1 > 198.51.100.2 account - unknown ssh
    1 × time is neither a number nor RFC 3339 (5)
    1 × not JSON (2)
    2 × a JSON record of no known kind (3 6)
    1 × an address is none (4)
    1 × time without a zone: taken as UTC (7)
    1 × a record of a kind of traffic that is not used: passed over (1)
    ");
}
