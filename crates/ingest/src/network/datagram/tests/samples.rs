//! Datagrams of real exporters. Where the shared data is missing, the tests say so and pass.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::*;
use crate::network::datagram::wire;

fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/network").join(name);
    if path.exists() {
        return Some(path);
    }
    let _ = writeln!(std::io::stderr(), "skipped: shared/data/network/{name} is missing");
    None
}

/// The datagrams of a file of payloads.
fn payloads(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).expect("a file");
    let mut rest = &bytes[..];
    let mut out = Vec::new();
    while !rest.is_empty() {
        let length = wire::length(rest).unwrap_or(rest.len());
        out.push(rest[..length].to_vec());
        rest = &rest[length..];
    }
    out
}

#[test]
fn every_payload_file_is_read_or_refused_with_the_reason() {
    let Some(folder) = shared("netflow-datagrams") else { return };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "dat"))
        .collect();
    files.sort();
    let mut table = String::new();
    for path in files {
        let decoded = decode(&payloads(&path));
        let name = path.file_stem().expect("a name").to_string_lossy();
        let _ = writeln!(table, "{name}: {}", decoded.summary());
    }
    insta::assert_snapshot!(table);
}

/// Templates and the data that belongs to them, in the order in which they were sent.
const TOGETHER: &[(&str, &[&str])] = &[
    ("barracuda", &["ipfix_test_barracuda_tpl", "ipfix_test_barracuda_data256"]),
    (
        "barracuda uniflow",
        &["ipfix_test_barracuda_extended_uniflow_tpl256", "ipfix_test_barracuda_extended_uniflow_data256"],
    ),
    (
        "juniper mx240",
        &["ipfix_test_juniper_mx240_junos151r6s3_opttpl512", "ipfix_test_juniper_mx240_junos151r6s3_data512"],
    ),
    ("mikrotik", &["ipfix_test_mikrotik_tpl", "ipfix_test_mikrotik_data258", "ipfix_test_mikrotik_data259"]),
    ("netscaler", &["ipfix_test_netscaler_tpl", "ipfix_test_netscaler_data"]),
    ("nokia bras", &["ipfix_test_nokia_bras_tpl", "ipfix_test_nokia_bras_data256"]),
    ("openbsd pflow", &["ipfix_test_openbsd_pflow_tpl", "ipfix_test_openbsd_pflow_data"]),
    ("procera", &["ipfix_test_procera_tpl52935", "ipfix_test_procera_data52935"]),
    ("viptela", &["ipfix_test_viptela_tpl257", "ipfix_test_viptela_data257"]),
    (
        "vmware",
        &[
            "ipfix_test_vmware_vds_tpl",
            "ipfix_test_vmware_vds_data264",
            "ipfix_test_vmware_vds_data266",
            "ipfix_test_vmware_vds_data266_267",
        ],
    ),
    (
        "yaf",
        &[
            "ipfix_test_yaf_tpls_option_tpl",
            "ipfix_test_yaf_tpl45841",
            "ipfix_test_yaf_data45841",
            "ipfix_test_yaf_data45873",
            "ipfix_test_yaf_data53248",
        ],
    ),
    ("cisco aci", &["netflow9_test_cisco_aci_tpl256-258", "netflow9_test_cisco_aci_data256"]),
    ("cisco asa 1", &["netflow9_test_cisco_asa_1_tpl", "netflow9_test_cisco_asa_1_data"]),
    (
        "cisco asa 2",
        &[
            "netflow9_test_cisco_asa_2_tpl_26x",
            "netflow9_test_cisco_asa_2_tpl_27x",
            "netflow9_test_cisco_asa_2_data",
        ],
    ),
    ("cisco asr9k 256", &["netflow9_test_cisco_asr9k_opttpl256", "netflow9_test_cisco_asr9k_data256"]),
    ("cisco asr9k 260", &["netflow9_test_cisco_asr9k_tpl260", "netflow9_test_cisco_asr9k_data260"]),
    ("cisco nbar", &["netflow9_test_cisco_nbar_tpl262", "netflow9_test_cisco_nbar_data262"]),
    ("cisco wlc", &["netflow9_test_cisco_wlc_tpl", "netflow9_test_cisco_wlc_data261"]),
    (
        "layer 2 segment",
        &["netflow9_test_field_layer2segmentid_tpl", "netflow9_test_field_layer2segmentid_data"],
    ),
    (
        "fortigate 521",
        &[
            "netflow9_test_fortigate_fortios_521_tpl",
            "netflow9_test_fortigate_fortios_521_data256",
            "netflow9_test_fortigate_fortios_521_data257",
        ],
    ),
    (
        "fortigate 542",
        &[
            "netflow9_test_fortigate_fortios_542_appid_tpl258-269",
            "netflow9_test_fortigate_fortios_542_appid_data258_262",
        ],
    ),
    ("h3c", &["netflow9_test_h3c_tpl3281", "netflow9_test_h3c_data3281"]),
    (
        "h3c strings",
        &["netflow9_test_h3c_netstream_varstring_tpl3281", "netflow9_test_h3c_netstream_varstring_data3281"],
    ),
    ("huawei", &["netflow9_test_huawei_netstream_tpl", "netflow9_test_huawei_netstream_data"]),
    ("mac addresses", &["netflow9_test_macaddr_tpl", "netflow9_test_macaddr_data"]),
    ("nprobe", &["netflow9_test_nprobe_tpl", "netflow9_test_nprobe_data"]),
    (
        "palo alto 81",
        &[
            "netflow9_test_paloalto_81_tpl256-263",
            "netflow9_test_paloalto_81_data257_1flowset_in_large_zerofilled_packet",
        ],
    ),
    ("palo alto", &["netflow9_test_paloalto_panos_tpl", "netflow9_test_paloalto_panos_data"]),
    (
        "edgerouter",
        &[
            "netflow9_test_ubnt_edgerouter_tpl",
            "netflow9_test_ubnt_edgerouter_data1024",
            "netflow9_test_ubnt_edgerouter_data1025",
        ],
    ),
    ("v5 softflowd", &["netflow5"]),
    ("v5 juniper", &["netflow5_test_juniper_mx80"]),
    ("v5 mikrotik", &["netflow5_test_microtik"]),
    ("ipfix softflowd", &["ipfix"]),
    ("ixia 256", &["ipfix_test_ixia_tpldata256"]),
    ("ixia 271", &["ipfix_test_ixia_tpldata271"]),
    ("asr1001x", &["netflow9_cisco_asr1001x_tpl259"]),
    ("fields of no length", &["netflow9_test_0length_fields_tpl_data"]),
    ("cisco 1941", &["netflow9_test_cisco_1941K9"]),
    ("v9 softflowd broken", &["netflow9_test_invalid01"]),
    ("iptnetflow", &["netflow9_test_iptnetflow_reduced_size_encoding_tpldata260"]),
    ("nprobe dpi", &["netflow9_test_nprobe_dpi"]),
    ("streamcore", &["netflow9_test_streamcore_tpl_data256", "netflow9_test_streamcore_tpl_data260"]),
    ("unknown", &["netflow9_test_unknown_tpl266_292_data"]),
    ("v9 softflowd", &["netflow9_test_valid01"]),
];

#[test]
fn with_its_templates_every_payload_is_decoded() {
    let Some(folder) = shared("netflow-datagrams") else { return };
    let mut table = String::new();
    for (name, files) in TOGETHER {
        let datagrams: Vec<Vec<u8>> =
            files.iter().flat_map(|file| payloads(&folder.join(format!("{file}.dat")))).collect();
        let decoded = decode(&datagrams);
        let _ = writeln!(table, "{name}: {}, {} bytes", decoded.summary(), decoded.bytes());
        if let Some(flow) = decoded.flows.first() {
            let _ = writeln!(table, "    first {}", show(flow));
        }
        if let Some(flow) = decoded.flows.last()
            && decoded.flows.len() > 1
        {
            let _ = writeln!(table, "    last  {}", show(flow));
        }
    }
    insta::assert_snapshot!(table);
}

/// The payloads of UDP in a pcap file, with addresses, ports and times.
fn packets(path: &Path) -> Vec<(Address, u16, Vec<u8>, i64)> {
    use pcap_parser::traits::PcapNGPacketBlock;
    use pcap_parser::{PcapBlockOwned, PcapError};
    let file = std::fs::File::open(path).expect("a file");
    let mut reader = pcap_parser::create_reader(1 << 20, file).expect("a pcap file");
    let mut out = Vec::new();
    loop {
        match reader.next() {
            Ok((offset, block)) => {
                let found = match &block {
                    PcapBlockOwned::Legacy(packet) => {
                        let time = i64::from(packet.ts_sec) * 1000 + i64::from(packet.ts_usec / 1000);
                        Some((packet.data.to_vec(), time))
                    }
                    PcapBlockOwned::NG(pcap_parser::Block::EnhancedPacket(packet)) => {
                        let time = packet.decode_ts(0, 1_000_000);
                        let time = i64::from(time.0) * 1000 + i64::from(time.1 / 1000);
                        Some((packet.packet_data().to_vec(), time))
                    }
                    _ => None,
                };
                reader.consume(offset);
                if let Some((frame, time)) = found
                    && let Some((address, port, payload)) = udp(&frame)
                {
                    out.push((address, port, payload, time));
                }
            }
            Err(PcapError::Incomplete(_)) => reader.refill().expect("a readable file"),
            Err(PcapError::Eof) => return out,
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
}

fn udp(frame: &[u8]) -> Option<(Address, u16, Vec<u8>)> {
    // Ethernet, or what Linux writes where there is no such header.
    let with_net = |packet: &etherparse::SlicedPacket<'_>| packet.net.is_some();
    let packet = etherparse::SlicedPacket::from_ethernet(frame)
        .ok()
        .filter(with_net)
        .or_else(|| etherparse::SlicedPacket::from_linux_sll(frame).ok())?;
    let source = match packet.net? {
        etherparse::NetSlice::Ipv4(ip) => std::net::IpAddr::V4(ip.header().source_addr()),
        etherparse::NetSlice::Ipv6(ip) => std::net::IpAddr::V6(ip.header().source_addr()),
        etherparse::NetSlice::Arp(_) => return None,
    };
    let etherparse::TransportSlice::Udp(udp) = packet.transport? else { return None };
    Some((Address::from(source), udp.source_port(), udp.payload().to_vec()))
}

#[test]
fn export_datagrams_in_packets_are_read_or_refused_with_the_reason() {
    let mut table = String::new();
    for name in [
        "pmacct/110-IPFIXv10-NFv9-multiple-sources/traffic-01.pcap",
        "pmacct/112-IPFIXv10-CISCO-options-map-reassignment/traffic-00.pcap",
        "pmacct/400-IPFIXv10-BMP-CISCO-SRv6-multiple-sources/traffic-00.pcap",
        "pmacct/401-IPFIXv10-BMP-IPv6-CISCO-MPLS-multiple-sources/traffic-00.pcap",
        "ndpi/netflow-fritz.pcap",
        "ndpi/netflowv9.pcap",
        "ndpi/sflow.pcap",
    ] {
        let Some(path) = shared(name) else { continue };
        let mut bench = Bench::new();
        let (mut datagrams, mut others) = (0, 0);
        for (exporter, port, payload, time) in packets(&path) {
            if Collector::looks_like(&payload) {
                datagrams += 1;
                bench.collector.datagram(exporter, port, &payload, time, &mut bench.rows, &mut bench.log);
            } else {
                others += 1;
            }
        }
        let decoded = bench.finish();
        let _ = writeln!(table, "{name}: {datagrams} datagrams and {others} other payloads");
        let _ = writeln!(table, "    {}, {} bytes", decoded.summary(), decoded.bytes());
        for flow in decoded.flows.iter().take(1).chain(decoded.flows.iter().skip(1).last()) {
            let _ = writeln!(table, "    {}", show(flow));
        }
    }
    if table.lines().filter(|line| line.starts_with(['p', 'n'])).count() == 7 {
        insta::assert_snapshot!(table);
    }
}
