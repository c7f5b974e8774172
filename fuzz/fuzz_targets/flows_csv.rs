//! Rows of flows and rates below a header, and nfdump's JSON. The first byte chooses the header.
#![no_main]

const HEADERS: [&str; 6] = [
    "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,SrcPkts,Label\n",
    "StartTime\tDur\tProto\tSrcAddr\tSport\tDir\tDstAddr\tDport\tState\tTotPkts\tTotBytes\tSrcBytes\n",
    "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt\n",
    "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,bps,bpp,flows\n",
    "series,time,step,count\n",
    "[{\"type\":\"FLOW\",\"first\":\"2026-09-27T18:00:00\",\"in_packets\":1,\"src4_addr\":\"192.0.2.1\",\"dst4_addr\":\"192.0.2.2\"},",
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rows)) = bytes.split_first() else { return };
    let header = HEADERS[usize::from(*first) % HEADERS.len()];
    ingest::fuzzing::fuzz_text(&[header.as_bytes(), rows].concat());
});
