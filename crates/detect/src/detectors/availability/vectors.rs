//! Services that floods are reflected by, and the names of vectors.

use super::packets::Class;
use super::shape::Shape;

/// UDP services known to amplify, by port (US-CERT TA14-017A and its supplements; Kührer and others,
/// "Exit from Hell?", USENIX Security 2014; later ones as they were named by those who saw them). In order.
pub(super) const AMPLIFIERS: &[(i32, &str)] = &[
    (17, "qotd"),
    (19, "chargen"),
    (53, "dns"),
    (69, "tftp"),
    (111, "portmap"),
    (123, "ntp"),
    (137, "netbios"),
    (161, "snmp"),
    (177, "xdmcp"),
    (389, "ldap"),
    (427, "slp"),
    (500, "isakmp"),
    (520, "rip"),
    (623, "ipmi"),
    (1194, "openvpn"),
    (1434, "ms-sql"),
    (1604, "citrix"),
    (1701, "l2tp"),
    (1900, "ssdp"),
    (2123, "gtp"),
    (3283, "apple-remote-desktop"),
    (3389, "rdp"),
    (3478, "stun"),
    (3702, "ws-discovery"),
    (4500, "isakmp-nat-t"),
    (5060, "sip"),
    (5093, "sentinel"),
    (5351, "nat-pmp"),
    (5353, "mdns"),
    (5683, "coap"),
    (6881, "bittorrent-dht"),
    (7001, "afs"),
    (10_001, "ubiquiti-discovery"),
    (10_074, "tp240"),
    (11_211, "memcached"),
    (17_185, "vxworks"),
    (20_800, "quake"),
    (26_000, "quake"),
    (27_015, "steam"),
    (27_960, "quake"),
    (30_718, "lantronix"),
    (32_414, "plex"),
    (33_848, "jenkins"),
    (37_810, "dvr-discovery"),
    (47_808, "bacnet"),
];

/// TCP services that SYN-ACKs are reflected by: open on many hosts (Kührer and others, "Hell of a
/// Handshake", WOOT 2014).
pub(super) const TCP_SERVICES: &[i32] = &[
    21, 22, 23, 25, 53, 80, 81, 110, 135, 139, 143, 179, 443, 445, 465, 587, 993, 995, 1723, 3306, 3389,
    5060, 5432, 5900, 7547, 8000, 8080, 8081, 8291, 8443, 8888, 9000,
];

/// UDP services that many strangers talk to, beside those that amplify: to these, many sources of one
/// length may be the ordinary traffic.
pub(super) const UDP_SERVICES: &[i32] =
    &[53, 80, 123, 443, 500, 514, 853, 1194, 1812, 1813, 2055, 3478, 4500, 4739, 5060, 6343, 9995, 51_820];

/// Name of a service that amplifies.
pub(super) fn amplifier(port: i64) -> Option<&'static str> {
    let at = AMPLIFIERS.binary_search_by_key(&port, |(known, _)| i64::from(*known)).ok()?;
    Some(AMPLIFIERS[at].1)
}

/// What a flood is called, in the field's terms.
pub(super) fn name(class: Class, shape: &Shape) -> String {
    match class {
        Class::Syn if shape.is_spoofed() => "spoofed SYN flood".to_owned(),
        Class::Syn => "SYN flood".to_owned(),
        Class::SynAck if shape.service >= 600 => "TCP SYN-ACK reflection".to_owned(),
        Class::SynAck => "SYN-ACK flood".to_owned(),
        Class::Rst => "RST flood".to_owned(),
        Class::Ack => "ACK flood".to_owned(),
        Class::Null => "flood of TCP packets without flags".to_owned(),
        Class::Udp if shape.amplifies() => {
            let port = shape.reflector_port;
            format!("UDP amplification ({}/{port})", amplifier(port).unwrap_or("unknown"))
        }
        Class::Udp => "UDP flood".to_owned(),
        Class::Fragments => "flood of IP fragments".to_owned(),
        Class::Icmp => "ICMP flood".to_owned(),
    }
}

/// The same in kebab case, for machines.
pub(super) fn code(class: Class, shape: &Shape) -> &'static str {
    match class {
        Class::Syn => "syn",
        Class::SynAck => "syn-ack",
        Class::Rst => "rst",
        Class::Ack => "ack",
        Class::Null => "null",
        Class::Udp if shape.amplifies() => "udp-amplification",
        Class::Udp => "udp",
        Class::Fragments => "fragments",
        Class::Icmp => "icmp",
    }
}
