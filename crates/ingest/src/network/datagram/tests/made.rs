//! Datagrams made by hand, one for each rule.

use super::*;

/// 2026-01-01T00:00:00Z.
const NOW: u32 = 1_767_225_600;

fn set(id: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend((body.len() as u16 + 4).to_be_bytes());
    bytes.extend(body);
    bytes
}

/// A template of fields and lengths; a field of another enterprise than IANA has its number, too.
fn template(id: u16, fields: &[(u16, u16, Option<u32>)]) -> Vec<u8> {
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend((fields.len() as u16).to_be_bytes());
    bytes.extend(list(fields));
    bytes
}

fn list(fields: &[(u16, u16, Option<u32>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for &(field, length, enterprise) in fields {
        bytes.extend((field | if enterprise.is_some() { 0x8000 } else { 0 }).to_be_bytes());
        bytes.extend(length.to_be_bytes());
        bytes.extend(enterprise.iter().flat_map(|number| number.to_be_bytes()));
    }
    bytes
}

fn v9(uptime: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0, 9, 0, sets.len() as u8];
    bytes.extend(uptime.to_be_bytes());
    bytes.extend(NOW.to_be_bytes());
    bytes.extend([0, 0, 0, 1, 0, 0, 0, 7]);
    bytes.extend(sets.concat());
    bytes
}

fn ipfix(sets: &[Vec<u8>]) -> Vec<u8> {
    let sets = sets.concat();
    let mut bytes = vec![0, 10];
    bytes.extend((sets.len() as u16 + 16).to_be_bytes());
    bytes.extend(NOW.to_be_bytes());
    bytes.extend([0, 0, 0, 1, 0, 0, 0, 7]);
    bytes.extend(sets);
    bytes
}

fn v5(uptime: u32, sampling: u16, first: u32, last: u32, proto: u8, dst_port: u16) -> Vec<u8> {
    let mut bytes = vec![0, 5, 0, 1];
    bytes.extend(uptime.to_be_bytes());
    bytes.extend(NOW.to_be_bytes());
    bytes.extend([0; 10]);
    bytes.extend(sampling.to_be_bytes());
    bytes.extend([192, 0, 2, 7, 198, 51, 100, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(10_u32.to_be_bytes());
    bytes.extend(1000_u32.to_be_bytes());
    bytes.extend(first.to_be_bytes());
    bytes.extend(last.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(dst_port.to_be_bytes());
    bytes.extend([0, 2, proto, 0]);
    bytes.extend([0; 8]);
    bytes
}

/// Source, destination, protocol, packets, bytes.
const PLAIN: &[(u16, u16, Option<u32>)] =
    &[(8, 4, None), (12, 4, None), (4, 1, None), (2, 4, None), (1, 4, None), (153, 8, None)];

fn plain(packets: u32, bytes: u32) -> Vec<u8> {
    let mut record = vec![192, 0, 2, 7, 198, 51, 100, 9, 6];
    record.extend(packets.to_be_bytes());
    record.extend(bytes.to_be_bytes());
    record.extend((u64::from(NOW) * 1000).to_be_bytes());
    record
}

fn check(datagrams: &[Vec<u8>], expected: &[&str], summary: &str) {
    let decoded = decode(datagrams);
    let shown: Vec<String> = decoded.flows.iter().map(show).collect();
    assert_eq!(shown, expected);
    assert_eq!(decoded.summary(), summary);
}

#[test]
fn version_5_counts_times_back_from_its_export() {
    check(
        &[v5(10_000, 0, 9000, 9500, 6, 80)],
        &[
            "192.0.2.7:0 > 198.51.100.9:80 proto 6 at 2025-12-31T23:59:59Z for 500 ms: 10 packets, 1000 bytes, flags 2",
        ],
        "1 flows",
    );
}

#[test]
fn uptimes_may_run_over() {
    check(
        &[v5(500, 0, u32::MAX - 499, 0, 6, 80)],
        &[
            "192.0.2.7:0 > 198.51.100.9:80 proto 6 at 2025-12-31T23:59:59Z for 500 ms: 10 packets, 1000 bytes, flags 2",
        ],
        "1 flows",
    );
}

#[test]
fn times_that_cannot_be_are_those_of_the_export() {
    // It ended before it began.
    check(
        &[v5(10_000, 0, 9500, 9000, 6, 80)],
        &[
            "192.0.2.7:0 > 198.51.100.9:80 proto 6 at 2026-01-01T00:00:00Z for 0 ms: 10 packets, 1000 bytes, flags 2",
        ],
        "1 flows, 1 x no possible time in a flow record: taken from its export",
    );
}

#[test]
fn version_5_is_multiplied_by_its_sampling_and_icmp_has_type_and_code() {
    // The mode in the two highest bits is 1; 100 packets are one.
    check(
        &[v5(10_000, 0x4064, 10_000, 10_000, 1, 0x0303)],
        &[
            "192.0.2.7:3 > 198.51.100.9:3 proto 1 at 2026-01-01T00:00:00Z for 0 ms: 1000 packets, 100000 bytes, flags 2, 1 of 100",
        ],
        "1 flows",
    );
}

const ONE: &str =
    "192.0.2.7:0 > 198.51.100.9:0 proto 6 at 2026-01-01T00:00:00Z for 0 ms: 1 packets, 40 bytes";

#[test]
fn data_waits_for_its_template() {
    let (define, data) = (set(2, &template(256, PLAIN)), set(256, &plain(1, 40)));
    check(&[ipfix(std::slice::from_ref(&data)), ipfix(std::slice::from_ref(&define))], &[ONE], "1 flows");
    check(&[ipfix(&[data.clone(), define.clone()])], &[ONE], "1 flows");
    check(&[ipfix(std::slice::from_ref(&data))], &[], "0 flows, 1 x no template yet for a set of records");
    // Another observation domain's template is another template.
    let mut other = ipfix(&[define]);
    other[15] = 8;
    check(&[other, ipfix(&[data])], &[], "0 flows, 1 x no template yet for a set of records");
}

#[test]
fn a_template_is_replaced_and_withdrawn() {
    let bytes_only = [(8, 4, None), (12, 4, None), (1, 8, None), (153, 8, None)];
    let mut record = vec![192, 0, 2, 7, 198, 51, 100, 9];
    record.extend(77_u64.to_be_bytes());
    record.extend((u64::from(NOW) * 1000).to_be_bytes());
    check(
        &[
            ipfix(&[set(2, &template(256, PLAIN)), set(256, &plain(1, 40))]),
            ipfix(&[set(2, &template(256, &bytes_only)), set(256, &record)]),
            ipfix(&[set(2, &template(256, &[])), set(256, &record)]),
        ],
        &[ONE, "192.0.2.7:0 > 198.51.100.9:0 proto -1 at 2026-01-01T00:00:00Z for 0 ms: 1 packets, 77 bytes"],
        "2 flows, 1 x no template yet for a set of records, 1 x packets are not counted by the exporter: taken as one",
    );
}

#[test]
fn a_template_of_another_port_is_used_and_noted() {
    let mut bench = Bench::new();
    let exporter = Address::v4(0xc000_0201);
    let datagrams = [
        (1, ipfix(&[set(256, &plain(1, 40))])),
        (2, ipfix(&[set(2, &template(256, PLAIN))])),
        (3, ipfix(&[set(256, &plain(1, 40))])),
    ];
    for (port, datagram) in datagrams {
        bench.collector.take(exporter, port, &datagram, None, &mut bench.rows, &mut bench.log);
    }
    let decoded = bench.finish();
    assert_eq!(decoded.summary(), "2 flows, 2 x a template that another port of the exporter sent: used");
}

/// Options of IPFIX: a scope of one field.
fn options(id: u16, fields: &[(u16, u16, Option<u32>)]) -> Vec<u8> {
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend((fields.len() as u16).to_be_bytes());
    bytes.extend([0, 1]);
    bytes.extend(list(fields));
    bytes
}

#[test]
fn options_give_the_sampling_rate_of_all_or_of_one_sampler() {
    let with_sampler = [PLAIN, &[(302, 1, None)]].concat();
    let record = |sampler: u8| [plain(1, 40), vec![sampler]].concat();
    check(
        &[ipfix(&[
            // 1 of 1 + 9 packets, by selector 5.
            set(3, &options(300, &[(302, 1, None), (305, 4, None), (306, 4, None)])),
            set(300, &[5, 0, 0, 0, 1, 0, 0, 0, 9]),
            set(2, &template(256, &with_sampler)),
            set(256, &[record(5), record(0), record(6)].concat()),
            // 1 of 4 of everything.
            set(3, &options(301, &[(143, 4, None), (34, 4, None)])),
            set(301, &[0, 0, 0, 1, 0, 0, 0, 4]),
            set(256, &[record(5), record(6)].concat()),
        ])],
        &[
            "192.0.2.7:0 > 198.51.100.9:0 proto 6 at 2026-01-01T00:00:00Z for 0 ms: 10 packets, 400 bytes, 1 of 10",
            ONE,
            ONE,
            "192.0.2.7:0 > 198.51.100.9:0 proto 6 at 2026-01-01T00:00:00Z for 0 ms: 10 packets, 400 bytes, 1 of 10",
            "192.0.2.7:0 > 198.51.100.9:0 proto 6 at 2026-01-01T00:00:00Z for 0 ms: 4 packets, 160 bytes, 1 of 4",
        ],
        "5 flows, 2 other records, 1 x a sampler that was not described yet: taken as unsampled",
    );
}

#[test]
fn version_9_has_options_whose_scopes_are_no_fields() {
    // Scope 1, System, of four bytes; sampler 2, which takes 1 packet in 50.
    let define = [1, 44, 0, 4, 0, 8, 0, 1, 0, 4, 0, 48, 0, 1, 0, 50, 0, 4, 0, 0];
    let fields = [
        (8, 4, None),
        (12, 4, None),
        (4, 1, None),
        (2, 4, None),
        (1, 4, None),
        (22, 4, None),
        (21, 4, None),
        (48, 1, None),
    ];
    let mut record = vec![192, 0, 2, 7, 198, 51, 100, 9, 17, 0, 0, 0, 2, 0, 0, 0, 80];
    record.extend(9000_u32.to_be_bytes());
    record.extend(10_000_u32.to_be_bytes());
    record.push(2);
    check(
        &[v9(
            10_000,
            &[
                set(1, &define),
                set(300, &[0, 0, 0, 9, 2, 0, 0, 0, 50, 0, 0, 0]),
                set(0, &template(256, &fields)),
                set(256, &record),
            ],
        )],
        &[
            "192.0.2.7:0 > 198.51.100.9:0 proto 17 at 2025-12-31T23:59:59Z for 1000 ms: 100 packets, 4000 bytes, 1 of 50",
        ],
        "1 flows, 1 other records",
    );
}

#[test]
fn both_directions_of_ipfix_and_lengths_that_vary() {
    let fields = [
        (27, 16, None),
        (371, 0xffff, None),
        (28, 16, None),
        (2, 1, None),
        (1, 3, None),
        (2, 1, Some(29_305)),
        (1, 3, Some(29_305)),
        (99, 2, Some(1)),
        (156, 8, None),
        (157, 8, None),
    ];
    let address = |last: u8| [&[0x20, 1, 0x0d, 0xb8][..], &[0; 11], &[last]].concat();
    let ntp = |seconds: u32| ((u64::from(seconds) + 2_208_988_800) << 32 | 0x8000_0000).to_be_bytes();
    let record = [
        address(1),
        [&[255, 1, 0][..], &[b'x'; 256]].concat(),
        address(2),
        vec![5, 0, 1, 0, 4, 0, 2, 0, 0, 0],
        ntp(NOW - 2).to_vec(),
        ntp(NOW).to_vec(),
    ]
    .concat();
    check(
        &[ipfix(&[set(2, &template(256, &fields)), set(256, &record)])],
        &[
            "2001:db8::1:0 > 2001:db8::2:0 proto -1 at 2025-12-31T23:59:58.5Z for 2000 ms: 5 packets, 256 bytes, back 4 packets, 512 bytes, state 2",
        ],
        "1 flows",
    );
}

#[test]
fn a_firewall_counts_bytes_once() {
    let fields = [
        (8, 4, None),
        (12, 4, None),
        (4, 1, None),
        (233, 1, None),
        (323, 8, None),
        (231, 4, None),
        (232, 4, None),
    ];
    let record = |event: u8, there: u32, back: u32| {
        let mut record = vec![192, 0, 2, 7, 198, 51, 100, 9, 6, event];
        record.extend((u64::from(NOW) * 1000).to_be_bytes());
        record.extend(there.to_be_bytes());
        record.extend(back.to_be_bytes());
        record
    };
    let records = [record(1, 0, 0), record(5, 100, 200), record(2, 10, 20), record(3, 0, 0)].concat();
    check(
        &[v9(0, &[set(0, &template(256, &fields)), set(256, &records)])],
        &[
            "192.0.2.7:0 > 198.51.100.9:0 proto 6 at 2026-01-01T00:00:00Z for 0 ms: 1 packets, 100 bytes, back 1 packets, 200 bytes, state 7",
            "192.0.2.7:0 > 198.51.100.9:0 proto 6 at 2026-01-01T00:00:00Z for 0 ms: 1 packets, 10 bytes, back 1 packets, 20 bytes, state 2",
            "192.0.2.7:0 > 198.51.100.9:0 proto 6 at 2026-01-01T00:00:00Z for 0 ms: 1 packets, 0 bytes, state 4",
        ],
        "3 flows, 1 other records, 1 x an export record that is no flow: passed over, 2 x packets are not counted by the exporter: taken as one",
    );
}

#[test]
fn an_exporter_that_does_not_say_when_it_started_is_timed_by_its_latest_flow() {
    let fields = [(8, 4, None), (12, 4, None), (2, 1, None), (1, 1, None), (22, 4, None), (21, 4, None)];
    let record = |first: u32, last: u32| {
        [&[192, 0, 2, 7, 198, 51, 100, 9, 1, 40][..], &first.to_be_bytes(), &last.to_be_bytes()].concat()
    };
    check(
        &[ipfix(&[
            set(2, &template(256, &fields)),
            set(256, &[record(1000, 5000), record(8000, 9000)].concat()),
        ])],
        &[
            "192.0.2.7:0 > 198.51.100.9:0 proto -1 at 2025-12-31T23:59:52Z for 4000 ms: 1 packets, 40 bytes",
            "192.0.2.7:0 > 198.51.100.9:0 proto -1 at 2025-12-31T23:59:59Z for 1000 ms: 1 packets, 40 bytes",
        ],
        "2 flows, 1 x an exporter does not say when it started: times are taken from its latest flows",
    );
}

/// An uptime of eight bytes may be anything. The exporter's start came to lie at the beginning of
/// all time, and the distance from there to the next one was beyond 64 bits.
#[test]
fn an_uptime_beyond_all_years_does_not_count() {
    let fields = [(8, 4, None), (12, 4, None), (2, 1, None), (1, 1, None), (21, 8, None)];
    let record = |last: u64| [&[192, 0, 2, 7, 198, 51, 100, 9, 1, 40][..], &last.to_be_bytes()].concat();
    check(
        &[
            ipfix(&[set(2, &template(256, &fields)), set(256, &record(u64::MAX))]),
            ipfix(&[set(256, &record(5000))]),
        ],
        &[
            "192.0.2.7:0 > 198.51.100.9:0 proto -1 at 2026-01-01T00:00:00Z for 0 ms: 1 packets, 40 bytes",
            "192.0.2.7:0 > 198.51.100.9:0 proto -1 at 2026-01-01T00:00:00Z for 0 ms: 1 packets, 40 bytes",
        ],
        "2 flows, 1 x no possible time in a flow record: taken from its export, 1 x an exporter does not say when it started: times are taken from its latest flows",
    );
}

/// A count of eight bytes went through as it was, and two of them could not be added up.
#[test]
fn a_count_that_no_counter_reaches_is_refused() {
    let fields = [(8, 4, None), (12, 4, None), (2, 8, None), (1, 8, None)];
    let record = |packets: u64, bytes: u64| {
        [&[192, 0, 2, 7, 198, 51, 100, 9][..], &packets.to_be_bytes(), &bytes.to_be_bytes()].concat()
    };
    let records = [record(u64::MAX, 40), record(1, 1 << 54), record(1, 1 << 53)].concat();
    check(
        &[v9(0, &[set(0, &template(256, &fields)), set(256, &records)])],
        &[
            "192.0.2.7:0 > 198.51.100.9:0 proto -1 at 2026-01-01T00:00:00Z for 0 ms: 1 packets, 9007199254740992 bytes",
        ],
        "1 flows, 2 x a number is none, or is out of its range, 1 x no possible time in a flow record: taken from its export",
    );
}

#[test]
fn a_record_without_ip_addresses_is_no_flow() {
    let fields = [(56, 6, None), (80, 6, None), (1, 4, None)];
    check(
        &[v9(0, &[set(0, &template(256, &fields)), set(256, &[1; 16])])],
        &[],
        "0 flows, 1 other records, 1 x an export record that is no flow: passed over",
    );
}

#[test]
fn templates_that_would_never_end_are_refused() {
    check(
        &[
            v9(0, &[set(0, &template(256, &[(8, 0, None)]))]),
            v9(0, &[set(0, &template(255, &[(8, 4, None)]))]),
            v9(0, &[set(0, &[1, 0, 0, 9, 0, 8])]),
        ],
        &[],
        "0 flows, 3 x a template that cannot be used",
    );
}

#[test]
fn a_set_that_does_not_fit_spoils_only_what_is_behind_it() {
    let mut bytes = v9(0, &[set(0, &template(256, PLAIN)), set(256, &plain(1, 40))]);
    bytes.extend([1, 0, 0, 99]);
    check(&[bytes], &[ONE], "1 flows, 1 x not a datagram of NetFlow v5 or v9, IPFIX or sFlow v5");
}

#[test]
fn exporters_beyond_the_limit_make_room_and_are_counted() {
    let mut bench = Bench::new();
    let define = ipfix(&[set(2, &template(256, PLAIN))]);
    for exporter in 0..5000 {
        bench.collector.take(Address::v4(exporter), 2055, &define, None, &mut bench.rows, &mut bench.log);
    }
    let decoded = bench.finish();
    assert_eq!(
        decoded.summary(),
        "0 flows, 904 x more exporters than are kept: the most silent one was forgotten"
    );
}

#[test]
fn data_that_waits_is_bounded() {
    let mut bench = Bench::new();
    let data = ipfix(&[set(256, &vec![0; 60_000])]);
    for _ in 0..1000 {
        bench.feed(&data);
    }
    let kept = bench.collector.waiting();
    assert!(kept <= 4 << 20, "{kept}");
    assert_eq!(bench.finish().summary(), "0 flows, 1000 x no template yet for a set of records");
}

/// A sampled packet of sFlow, one of 512, behind a header of Ethernet.
fn sflow(packet: &[u8], on_wire: u32) -> Vec<u8> {
    let mut header = vec![0; 12];
    header.extend([8, 0]);
    header.extend(packet);
    let word = |number: u32| number.to_be_bytes();
    let padded = header.len().div_ceil(4) * 4;
    let mut raw = [word(1), word(on_wire), word(0), word(header.len() as u32)].concat();
    raw.extend(&header);
    raw.resize(16 + padded, 0);
    let mut sample = [word(1), word(1), word(512), word(0), word(0), word(1), word(2), word(1)].concat();
    sample.extend([word(1), word(raw.len() as u32)].concat());
    sample.extend(raw);
    let mut bytes =
        [word(5), word(1), [192, 0, 2, 1], word(0), word(1), word(1000), word(1), word(1)].concat();
    bytes.extend(word(sample.len() as u32));
    bytes.extend(sample);
    bytes
}

#[test]
fn a_packet_of_sflow_stands_for_as_many_as_the_rate_says() {
    // A fragment of UDP from 192.0.2.7:53 to 198.51.100.9:1024, of 1,500 bytes.
    let mut packet = vec![0x45, 0, 5, 0xdc, 0, 1, 0x20, 0, 64, 17, 0, 0, 192, 0, 2, 7, 198, 51, 100, 9];
    packet.extend([0, 53, 4, 0, 8, 0, 0, 0]);
    let mut bench = Bench::new();
    let datagram = sflow(&packet, 1514);
    let exporter = Address::v4(0xc000_0201);
    let received = i64::from(NOW) * 1000;
    bench.collector.datagram(exporter, 6343, &datagram, received, &mut bench.rows, &mut bench.log);
    let decoded = bench.finish();
    assert_eq!(
        decoded.flows.iter().map(show).collect::<Vec<_>>(),
        [
            "192.0.2.7:53 > 198.51.100.9:1024 proto 17 at 2026-01-01T00:00:00Z for 0 ms: 512 packets, 768000 bytes, 1 of 512, 512 fragments"
        ]
    );
    // Without a time of reception there is none.
    check(&[datagram], &[], "0 flows, 1 x no time");
}

proptest::proptest! {
    #[test]
    fn whatever_comes_is_counted_and_bounded(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2000)) {
        crate::fuzzing::fuzz_datagrams(&bytes);
    }

    #[test]
    fn a_broken_datagram_never_panics(at in 0_usize..80, value in proptest::num::u8::ANY) {
        let mut datagram = v9(0, &[set(0, &template(256, PLAIN)), set(256, &plain(1, 40))]);
        let at = at % datagram.len();
        datagram[at] = value;
        decode(&[datagram]);
    }
}
