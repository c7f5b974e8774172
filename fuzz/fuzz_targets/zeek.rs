//! Zeek logs: rows below a header (the first byte chooses it), or records of JSON behind a good one.
#![no_main]

const HEADERS: [&str; 6] = [
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n",
    "#separator \\x09\n#set_separator\t,\n#path\tdns\n#fields\tts\tid.orig_h\tid.resp_h\tquery\tqtype\trcode\tanswers\n",
    "#separator \\x09\n#set_separator\t,\n#path\thttp\n#fields\tts\tid.orig_h\tmethod\thost\turi\treferrer\tuser_agent\tstatus_code\tproxied\n",
    "#separator ;\n#fields;ts;id.orig_h;id.resp_h;established;cipher;version;server_name;ja3\n",
    "{\"_path\":\"dns\",\"ts\":1,\"id.orig_h\":\"192.0.2.1\",\"id.resp_h\":\"192.0.2.2\",\"query\":\"a.example\"}\n",
    "#separator ",
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rows)) = bytes.split_first() else { return };
    let header = HEADERS[usize::from(*first) % HEADERS.len()];
    ingest::fuzzing::fuzz_text(&[header.as_bytes(), rows].concat());
});
