//! `volumetric-ddos`.

use detect::Settings;
use domain::{AsnTable, Severity, Verdict};
use oorandom::Rand64;
use traffic::flow::{Flow, State};
use traffic::{Address, Batch, Kind};

use crate::common::{
    DAY_MS, MINUTE_MS, VICTIM, address, amplified, anybody, flood, flow, lines, names, on_flows,
    ordinary_hour, run, spoofed_syn,
};

const HOUR_MS: i64 = 60 * MINUTE_MS;

fn detect(rows: &[Flow]) -> Vec<domain::Finding> {
    on_flows("volumetric-ddos", rows)
}

/// SYN-ACKs and RSTs of many servers, as in a reflection.
fn reflected(start: i64, random: &mut Rand64) -> Vec<Flow> {
    flood(start, 150, 7500, |at| Flow {
        src_port: if at % 8 == 0 { 443 } else { 80 },
        dst_port: 1024 + random.rand_range(0..60_000) as i32,
        proto: 6,
        packets: 1,
        bytes: if at % 7 == 3 { 40 } else { 44 },
        back_packets: 0,
        back_bytes: 0,
        flags: if at % 7 == 3 { 4 } else { 2 | 16 },
        state: State::Partial.code(),
        ..flow(anybody(random), address(VICTIM))
    })
}

#[test]
fn each_vector_has_its_name() {
    let start = DAY_MS + 5 * HOUR_MS + 34_000;
    let random = &mut Rand64::new(1);
    let told = |rows: &[Flow]| lines(&detect(rows));
    assert_eq!(
        told(&spoofed_syn(VICTIM, start, 2000, 20_000, random)),
        "high 2024-11-05T05:00:34Z: spoofed SYN flood towards 192.0.2.10: up to 10,000 packets/s\n"
    );
    assert_eq!(
        told(&amplified(161, 230, VICTIM, start, 900, 4000, random)),
        "medium 2024-11-05T05:00:34Z: UDP amplification (snmp/161) towards 192.0.2.10: up to 4,000 packets/s\n"
    );
    assert_eq!(
        told(&amplified(4500, 232, VICTIM, start, 900, 4000, random)),
        "medium 2024-11-05T05:00:34Z: UDP amplification (isakmp-nat-t/4500) towards 192.0.2.10: up to 4,000 packets/s\n"
    );
    assert_eq!(
        told(&reflected(start, random)),
        "medium 2024-11-05T05:00:34Z: TCP SYN-ACK reflection (with RST of the same reflection) towards 192.0.2.10: up \
         to 6,429 packets/s\n"
    );
    let with = |proto: i32, flags: i32, dst_port: i32, fragments: i64, random: &mut Rand64| {
        flood(start, 3000, 9000, |_| Flow {
            src_port: 1024 + random.rand_range(0..60_000) as i32,
            dst_port,
            proto,
            packets: 1,
            bytes: 60,
            back_packets: 0,
            back_bytes: 0,
            flags,
            fragments,
            ..flow(anybody(random), address(VICTIM))
        })
    };
    let name = |rows: &[Flow]| {
        detect(rows)
            .iter()
            .map(|f| f.title.split(" towards").next().unwrap_or("").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(name(&with(6, 16, 80, 0, random)), ["ACK flood"]);
    assert_eq!(name(&with(6, 0, 80, 0, random)), ["flood of TCP packets without flags"]);
    assert_eq!(name(&with(17, 0, 7777, 0, random)), ["UDP flood"]);
    assert_eq!(name(&with(17, 0, 7777, 1, random)), ["flood of IP fragments"]);
    assert_eq!(name(&with(1, 0, 0, 0, random)), ["ICMP flood"]);
}

#[test]
fn a_finding_says_what_the_operator_needs() {
    let start = DAY_MS + 5 * HOUR_MS + 34_000;
    let mut rows = ordinary_hour(DAY_MS + 4 * HOUR_MS, &mut Rand64::new(2));
    rows.extend(spoofed_syn(VICTIM, start, 2000, 20_000, &mut Rand64::new(3)));
    let findings = detect(&rows);
    assert_eq!(findings.len(), 1);
    let finding = &findings[0];
    assert_eq!(finding.verdict, Some(Verdict::Attack));
    assert!(finding.confidence > 0.9, "{}", finding.confidence);
    assert!(finding.evidence.counts["detected_after_s"] <= 2.0);
    assert_eq!(finding.evidence.counts["sources_in_busiest_minute"], 20_000.0);
    assert!(
        finding.evidence.expected.starts_with("By the 55 minutes before"),
        "{}",
        finding.evidence.expected
    );
    assert!(
        finding.evidence.observed.contains("destination ports 25565 (100 %)"),
        "{}",
        finding.evidence.observed
    );
    assert_eq!(finding.subjects[0].to_string(), "ip:192.0.2.10");
    let alone = &detect(&rows[12_000..])[0];
    assert!(alone.evidence.expected.contains("cold start"), "{}", alone.evidence.expected);
    assert!(alone.confidence < finding.confidence);
}

/// What names the attack does not depend on addresses, on the date, or on what else is in the data.
#[test]
fn renamed_shifted_merged_and_embedded() {
    let start = DAY_MS + 5 * HOUR_MS + 34_000;
    let all = |random: &mut Rand64| -> Vec<Vec<Flow>> {
        vec![
            spoofed_syn(VICTIM, start, 2000, 20_000, random),
            amplified(161, 230, VICTIM, start, 900, 4000, random),
            amplified(4500, 232, VICTIM, start, 900, 4000, random),
            reflected(start, random),
        ]
    };
    let key = 0x0055_aa13_i64;
    for rows in all(&mut Rand64::new(4)) {
        let plain = detect(&rows);
        assert_eq!(plain.len(), 1);
        let vector = |finding: &domain::Finding| finding.title.split(" towards").next().map(str::to_owned);
        let renamed: Vec<Flow> = rows
            .iter()
            .map(|row| Flow { src_lo: row.src_lo ^ key, dst_lo: row.dst_lo ^ key, ..*row })
            .collect();
        let found = detect(&renamed);
        assert_eq!((found.len(), vector(&found[0])), (1, vector(&plain[0])));
        let shift = 411 * 24 * HOUR_MS + 59_700;
        let shifted: Vec<Flow> = rows.iter().map(|row| Flow { time: row.time + shift, ..*row }).collect();
        let found = detect(&shifted);
        assert_eq!((found.len(), vector(&found[0])), (1, vector(&plain[0])));
        assert_eq!(found[0].first_seen.0, (start + shift) / 1000 * 1000);
        let mut embedded = ordinary_hour(DAY_MS + 5 * HOUR_MS - HOUR_MS / 2, &mut Rand64::new(5));
        embedded.extend(&rows);
        let found = detect(&embedded);
        assert_eq!((found.len(), vector(&found[0])), (1, vector(&plain[0])));
        assert_eq!(found[0].first_seen, plain[0].first_seen);
    }
    let merged: Vec<Flow> = all(&mut Rand64::new(4)).into_iter().flatten().collect();
    let found = detect(&merged);
    assert_eq!(found.len(), 1, "{}", lines(&found));
    let apart: Vec<Flow> = all(&mut Rand64::new(4))
        .into_iter()
        .enumerate()
        .flat_map(|(n, rows)| {
            rows.into_iter()
                .map(move |row| Flow { time: row.time + n as i64 * HOUR_MS, ..row })
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(detect(&apart).len(), 4);
}

#[test]
fn an_ordinary_day_is_silent() {
    let mut random = Rand64::new(6);
    let rows: Vec<Flow> =
        (0..24).flat_map(|hour| ordinary_hour(DAY_MS + hour * HOUR_MS, &mut random)).collect();
    assert_eq!(lines(&detect(&rows)), "");
}

#[test]
fn a_crowd_of_visitors_is_silent() {
    let mut random = Rand64::new(7);
    let rows = flood(DAY_MS, 60_000, 60_000, |_| Flow {
        src_port: 50_000,
        dst_port: 443,
        proto: 6,
        duration: 900,
        packets: 12,
        bytes: 2400,
        back_packets: 20,
        back_bytes: 20_000,
        flags: 2 | 16 | 8 | 1,
        state: State::Closed.code(),
        ..flow(anybody(&mut random), address(VICTIM))
    });
    assert_eq!(lines(&detect(&rows)), "");
    // The same in one direction, and in a sample of one packet in a hundred, where flags show one packet each.
    let one_way: Vec<Flow> =
        rows.iter().map(|row| Flow { back_packets: -1, back_bytes: -1, ..*row }).collect();
    assert_eq!(lines(&detect(&one_way)), "");
    let sampled: Vec<Flow> = one_way
        .iter()
        .enumerate()
        .step_by(8)
        .map(|(n, row)| Flow {
            packets: 100,
            bytes: 6000,
            duration: 0,
            sampling: 100,
            flags: if n / 8 % 12 == 0 { 2 } else { 16 },
            ..*row
        })
        .collect();
    assert_eq!(lines(&detect(&sampled)), "");
}

/// Busy services whose traffic looks like a reflection to whoever counts packets only.
#[test]
fn busy_links_are_silent() {
    let random = &mut Rand64::new(8);
    let me = address(VICTIM);
    let udp = |src_port: i32, dst_port: i32, bytes: i64, back_packets: i64| Flow {
        src_port,
        dst_port,
        proto: 17,
        packets: 1,
        bytes,
        back_packets,
        back_bytes: back_packets,
        ..Flow::EMPTY
    };
    let between = |src: Address, dst: Address, row: Flow| Flow {
        src_hi: src.hi,
        src_lo: src.lo,
        dst_hi: dst.hi,
        dst_lo: dst.lo,
        ..row
    };
    // A resolver: it asks and is answered; in one direction its questions and answers are flows of their own.
    let two_way = flood(DAY_MS, 60_000, 120_000, |_| between(me, anybody(random), udp(33_000, 53, 70, 1)));
    assert_eq!(lines(&detect(&two_way)), "");
    let one_way = flood(DAY_MS, 60_000, 120_000, |n| {
        let (server, port) =
            (anybody(&mut Rand64::new(n as u128 / 2)), 1024 + (n / 2 * 7919 % 60_000) as i32);
        if n % 2 == 0 {
            between(me, server, udp(port, 53, 70, -1))
        } else {
            between(server, me, udp(53, port, 230, -1))
        }
    });
    assert_eq!(lines(&detect(&one_way)), "");
    let answers: Vec<Flow> = one_way.into_iter().filter(|row| row.src_port == 53).collect();
    assert_eq!(lines(&detect(&answers)), "");
    // An NTP server, a VPN hub and a QUIC server, in two directions and in one.
    for back in [1, -1] {
        let ntp = flood(DAY_MS, 60_000, 120_000, |_| between(anybody(random), me, udp(123, 123, 76, back)));
        assert_eq!(lines(&detect(&ntp)), "", "ntp {back}");
        let vpn = flood(DAY_MS, 60_000, 120_000, |n| {
            let (port, bytes) = (if n % 3 == 0 { 50_000 } else { 4500 }, 100 + n * 7919 % 1300);
            between(anybody(random), me, udp(port, 4500, bytes, back))
        });
        assert_eq!(lines(&detect(&vpn)), "", "vpn {back}");
        let quic = flood(DAY_MS, 60_000, 120_000, |n| {
            between(anybody(random), me, udp(50_000, 443, 1228 + n % 3, back))
        });
        assert_eq!(lines(&detect(&quic)), "", "quic {back}");
    }
    // One sender that uploads.
    let upload = flood(DAY_MS, 60_000, 300_000, |_| {
        between(address("198.51.100.7"), me, Flow { bytes: 1280, ..udp(50_000, 443, 1280, 0) })
    });
    assert_eq!(lines(&detect(&upload)), "");
}

#[test]
fn a_scan_is_not_a_flood() {
    let rows = flood(DAY_MS, 5000, 20_000, |n| Flow {
        src_port: 50_000,
        dst_port: (n % 60_000) as i32,
        proto: 6,
        packets: 1,
        bytes: 44,
        back_packets: 1,
        back_bytes: 40,
        flags: 2,
        state: State::Rejected.code(),
        ..flow(address("198.51.100.7"), address(VICTIM))
    });
    assert_eq!(lines(&detect(&rows)), "");
}

#[test]
fn one_host_that_never_finishes_a_handshake() {
    let rows = flood(DAY_MS, 5000, 20_000, |n| Flow {
        src_port: (1024 + n % 60_000) as i32,
        dst_port: 80,
        proto: 6,
        packets: 2,
        bytes: 80,
        back_packets: 1,
        back_bytes: 44,
        flags: 2 | 4,
        state: State::Attempt.code(),
        ..flow(address("198.51.100.7"), address(VICTIM))
    });
    assert_eq!(
        lines(&detect(&rows)),
        "medium 2024-11-05T00:00:00Z: SYN flood towards 192.0.2.10: up to 8,000 packets/s\n"
    );
}

/// A rate that is usual is no attack, and twice the limit is one.
#[test]
fn what_is_usual_is_learnt() {
    let busy = |from: i64, minutes: i64, a_second: i64, random: &mut Rand64| -> Vec<Flow> {
        flood(from, minutes * MINUTE_MS, minutes * 60 * a_second, |_| Flow {
            src_port: 50_000,
            dst_port: 7777,
            proto: 17,
            packets: 1,
            bytes: 60,
            back_packets: 0,
            ..flow(anybody(random), address(VICTIM))
        })
    };
    let mut random = Rand64::new(9);
    let mut rows = ordinary_hour(DAY_MS, &mut random);
    rows.extend(busy(DAY_MS, 90, 300, &mut random));
    let calm = detect(&rows);
    assert!(calm.iter().all(|finding| finding.first_seen.0 < DAY_MS + 20 * MINUTE_MS), "{}", lines(&calm));
    let mut more = rows.clone();
    more.extend(busy(DAY_MS + 70 * MINUTE_MS, 1, 3000, &mut random));
    let found = detect(&more);
    assert!(
        found.iter().any(|finding| finding.evidence.counts["peak_packets_per_s"] >= 3000.0),
        "{}",
        lines(&found)
    );
}

#[test]
fn a_trickle_of_odd_syns_is_a_note() {
    let mut random = Rand64::new(10);
    let servers: Vec<Address> = (0..60).map(|_| anybody(&mut random)).collect();
    let rows = flood(DAY_MS, 818_000, 896, |n| {
        let synack = n % 5 < 3;
        Flow {
            src_port: if synack { 21 } else { 50_000 + n as i32 },
            dst_port: if synack { 21 } else { 9069 },
            proto: 6,
            packets: 1,
            bytes: 44,
            back_packets: 0,
            back_bytes: 0,
            flags: if synack { 2 | 16 } else { 2 },
            state: State::Partial.code(),
            ..flow(servers[(n % 60) as usize], address(VICTIM))
        }
    });
    let findings = detect(&rows);
    assert_eq!(
        lines(&findings),
        "info 2024-11-05T00:00:00Z: 896 odd SYN and SYN-ACK packets towards 192.0.2.10 within 14 min, far below any \
         rate that matters\n"
    );
    assert_eq!(findings[0].verdict, None);
}

#[test]
fn many_addresses_of_one_network_are_one_finding() {
    let mut random = Rand64::new(11);
    let rows: Vec<Flow> = (0..12)
        .flat_map(|n| amplified(123, 468, &format!("192.0.2.{}", 20 + n), DAY_MS, 2000, 4000, &mut random))
        .collect();
    let findings = detect(&rows);
    assert_eq!(
        lines(&findings),
        "medium 2024-11-05T00:00:00Z: UDP amplification (ntp/123) towards 12 addresses of 192.0.2.0/24: up to 2,000 \
         packets/s\n"
    );
    assert_eq!(findings[0].subjects.len(), 12);
}

#[test]
fn sampling_keeps_the_name() {
    for sampling in [10, 50] {
        let mut rows = spoofed_syn(VICTIM, DAY_MS, 4000, 40_000, &mut Rand64::new(12));
        rows = rows.into_iter().step_by(sampling).collect();
        for row in &mut rows {
            row.packets *= sampling as i64;
            row.bytes *= sampling as i64;
            row.sampling = sampling as i32;
        }
        let findings = detect(&rows);
        assert_eq!(
            lines(&findings),
            "high 2024-11-05T00:00:00Z: spoofed SYN flood towards 192.0.2.10: up to 10,000 packets/s\n"
        );
        assert!(findings[0].evidence.observed.contains("seen in a sample"));
    }
}

#[test]
fn networks_of_the_sources_are_named_where_a_table_is_given() {
    let table = AsnTable::new(
        vec![("198.51.100.0".parse().expect("ip"), "198.51.100.255".parse().expect("ip"), 64_500)],
        [(64_500, "Example Net".to_owned())].into(),
    );
    let settings =
        Settings { site: domain::Site { networks: table, ..Default::default() }, ..Default::default() };
    let rows = flood(DAY_MS, 2000, 8000, |n| Flow {
        src_port: 53,
        dst_port: 40_000,
        proto: 17,
        packets: 1,
        bytes: 1400,
        ..flow(Address::v4(0xc633_6400 + (n % 250) as u32), address(VICTIM))
    });
    let batches = vec![Batch::new(Kind::Flow, traffic::flow::batch(&rows))];
    let findings = run("volumetric-ddos", batches, 1, &settings, names());
    assert_eq!(findings[0].severity, Severity::Medium);
    assert!(
        findings[0].evidence.observed.contains("AS64500 Example Net (100 %)"),
        "{}",
        findings[0].evidence.observed
    );
}
