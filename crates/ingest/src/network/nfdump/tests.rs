use super::refusal;
use crate::network::testing::check;

#[test]
fn the_long_csv_and_its_summary() {
    insta::assert_snapshot!(check(
        "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out\n\
         2018-01-12 15:37:30,2018-01-12 15:37:31,1.250,192.0.2.1,198.51.100.2,52324,902,TCP,......S.,0,0,1,60,0,0,2,3\n\
         2018-01-12 15:37:30,2018-01-12 15:37:31,0.000,     192.0.2.1,198.51.100.2,    0,8.0,ICMP ,........,0,0,2,120,1,60,2,3\n\
         2018-01-12 15:37:30,2018-01-12\n\
         Summary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n2,180,3,58357,140,51\n"
    ), @r"
    flow 2018-01-12T15:37:30Z +1250 ms 192.0.2.1:52324 > 198.51.100.2:902 proto 6 sent 1/60 back -1/-1 flags 2 unknown unknown sampling 1 frag 0 uid -
    flow 2018-01-12T15:37:30Z +0 ms 192.0.2.1:8 > 198.51.100.2:0 proto 1 sent 2/120 back 1/60 flags 0 unknown unknown sampling 1 frag 0 uid -
    1 × not as many fields as the header (4)
    2 × time without a zone: taken as UTC (2 3)
    ");
}

#[test]
fn the_short_csv() {
    insta::assert_snapshot!(check(
        "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,bps,bpp,flows\n\
         2024-01-12 15:37:30.942,00:01:02.500,UDP,2001:db8::1,123,2001:db8::2,4711,10,4680,0,468,1\n"
    ), @r"
    flow 2024-01-12T15:37:30.942Z +62500 ms 2001:db8::1:123 > 2001:db8::2:4711 proto 17 sent 10/4680 back -1/-1 flags 0 unknown unknown sampling 1 frag 0 uid -
    1 × time without a zone: taken as UTC (2)
    ");
}

#[test]
fn json_as_an_array_and_by_lines() {
    let flow = "{ \"type\" : \"FLOW\", \"first\" : \"2018-01-12T15:37:30.942\", \"last\" : \"2018-01-12T15:37:31.042\", \
                \"in_packets\" : 3, \"in_bytes\" : 60, \"proto\" : 6, \"tcp_flags\" : \"...AP.S.\", \"src_port\" : 1, \
                \"dst_port\" : 902, \"src4_addr\" : \"192.0.2.1\", \"dst4_addr\" : \"198.51.100.2\" }";
    let event = "{ \"type\" : \"EVENT\", \"first\" : \"2018-01-12T15:37:30.942\" }";
    let once = check(format!("[\n{flow},\n{event}\n]\n"));
    insta::assert_snapshot!(once, @r"
    flow 2018-01-12T15:37:30.942Z +100 ms 192.0.2.1:1 > 198.51.100.2:902 proto 6 sent 3/60 back -1/-1 flags 26 unknown unknown sampling 1 frag 0 uid -
    1 × time without a zone: taken as UTC (2)
    1 × a record of a kind of traffic that is not used: passed over (3)
    ");
    assert_eq!(check(format!("{flow}\n{event}\n")).lines().next(), once.lines().next());
}

#[test]
fn binary_files_are_refused_with_the_remedy() {
    insta::assert_snapshot!(refusal(&[0x0c, 0xa5, 1, 0, 0, 0]).unwrap_or_default(), @r"
    it is a binary file of nfdump (layout 1), which only nfdump itself can read: write it as text with `nfdump -r FILE -o csv` and read that
    ");
    assert_eq!(refusal(b"\xa5\x0c\x00\x02").map(|why| why.contains("layout 2")), Some(true));
    assert_eq!(refusal(b"ts,te"), None);
}
