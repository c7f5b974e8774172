//! Lines of an auth log (even first byte), or messages of sshd, sudo and mail servers without what stands around
//! them (odd). Start it from recordings with a byte before them.
#![no_main]

const FIRST: &str = "May  1 10:00:00 www sshd[7]: Failed password for ana from 192.0.2.7 port 1 ssh2\n";

const BEFORE: [&str; 4] = [
    "2026-05-01T10:00:00Z www sshd[7]: ",
    "May  1 10:00:00 www sudo: ",
    "<38>1 2026-05-01T10:00:00Z www proftpd 7 - - ",
    "May  1 10:00:00 www dovecot: imap-login: ",
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, lines)) = bytes.split_first() else { return };
    let times = 2 + lines.iter().filter(|&&b| b == b'\n').count().min(100);
    let mut log = FIRST.as_bytes().repeat(times);
    if first % 2 == 0 {
        log.extend_from_slice(lines);
    } else {
        for line in lines.split(|&b| b == b'\n') {
            log.extend_from_slice(BEFORE[usize::from(first / 2) % BEFORE.len()].as_bytes());
            log.extend_from_slice(line);
            log.push(b'\n');
        }
    }
    ingest::fuzzing::fuzz_text(&log);
});
