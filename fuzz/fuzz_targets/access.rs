//! Lines of an access log. The first byte chooses the line that a log begins with, so that each layout is
//! reached; it comes so often that most of the 200 lines by which a format is known are of it. Start it from
//! recordings with a byte before them.
#![no_main]

const FIRST: [&str; 8] = [
    "192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 5\n",
    "192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 5 \"-\" \"a\"\n",
    "www.example:80 192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 5 \"-\" \"a\" 0.012 \"192.0.2.9\"\n",
    "192.0.2.9, 192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 5 \"-\" \"a\" 1200\n",
    "[24/Jan/2022:16:51:02 +0000] - 404 404 - GET http www.example \"/a\" [Client 192.0.2.7] [Length 1] \"a\" \"-\"\n",
    "{\"remote_addr\":\"192.0.2.7\",\"time_iso8601\":\"2026-10-10T13:55:36Z\",\"request\":\"GET / HTTP/1.1\",\"status\":1}\n",
    "host\tlogname\ttime\tmethod\turl\tresponse\tbytes\treferer\tuseragent\n",
    "Oct 10 13:55:36 www nginx[1]: 192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 5 \"-\" \"a\"\n",
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, lines)) = bytes.split_first() else { return };
    let line = FIRST[usize::from(*first) % FIRST.len()].as_bytes();
    let times = 1 + lines.iter().filter(|&&b| b == b'\n').count().min(100);
    let mut log = line.repeat(times + 1);
    log.extend_from_slice(lines);
    ingest::fuzzing::fuzz_text(&log);
});
