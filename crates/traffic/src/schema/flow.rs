//! `flow`: what two hosts sent each other, or one direction of it where no more was seen.
//!
//! An address is two columns, see [`crate::Address`]. Counts are already multiplied by the exporter's
//! sampling rate; `sampling` says by how much, so that small counts are not taken for exact ones.

columns!(
    /// One flow.
    Flow {
        /// High half of the source, the host that sent first as far as was seen.
        src_hi: i64,
        /// Low half of the source.
        src_lo: i64,
        /// High half of the destination.
        dst_hi: i64,
        /// Low half of the destination.
        dst_lo: i64,
        /// Source port, 0 where the protocol has none; the type of ICMP.
        src_port: i32,
        /// Destination port, 0 where the protocol has none; the code of ICMP.
        dst_port: i32,
        /// IP protocol number (IANA): 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6; -1 unknown.
        proto: i32,
        /// First packet, milliseconds since the epoch.
        time: i64,
        /// Milliseconds from the first packet to the last.
        duration: i64,
        /// Packets from source to destination.
        packets: i64,
        /// Bytes from source to destination, with IP headers where the sensor counts them.
        bytes: i64,
        /// Packets back; -1 where the sensor sees one direction only.
        back_packets: i64,
        /// Bytes back; -1 where the sensor sees one direction only.
        back_bytes: i64,
        /// TCP flags that the source sent, OR-ed: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128.
        flags: i32,
        /// Code of [`State`].
        state: i32,
        /// Packets of the source that were IP fragments, first ones included.
        fragments: i64,
        /// One packet in so many was looked at; 1 where all were.
        sampling: i32,
        /// Code of [`Service`]: what the sensor recognised inside, not what the port suggests.
        service: i32,
        /// Text id of the sensor's own id of the flow (Zeek's `uid`), -1 where there is none.
        uid: i64,
    }
);

super::codes!(
    /// How a flow went.
    State {
        /// The sensor does not say.
        Unknown = 0 "unknown",
        /// The source tried and nothing came back.
        Attempt = 1 "attempt",
        /// Both sides spoke.
        Established = 2 "established",
        /// Both sides spoke and it was closed in order.
        Closed = 3 "closed",
        /// The destination refused.
        Rejected = 4 "rejected",
        /// Broken off after it was established.
        Reset = 5 "reset",
        /// Seen from the middle, or only the answer.
        Partial = 6 "partial",
        /// Still going on when the row was written (Zeek's `open_conn`, active time-outs).
        Open = 7 "open",
    }
);

super::codes!(
    /// What was recognised inside a flow.
    Service {
        /// Nothing.
        Unknown = 0 "unknown",
        /// DNS.
        Dns = 1 "dns",
        /// HTTP in the clear.
        Http = 2 "http",
        /// TLS, or QUIC.
        Tls = 3 "tls",
        /// SSH.
        Ssh = 4 "ssh",
        /// FTP.
        Ftp = 5 "ftp",
        /// SMTP.
        Smtp = 6 "smtp",
        /// NTP.
        Ntp = 7 "ntp",
        /// DHCP.
        Dhcp = 8 "dhcp",
        /// Anything else that has a name.
        Other = 99 "other",
    }
);

/// TCP's FIN in `flags`.
pub const FIN: i32 = 1;
/// TCP's SYN in `flags`.
pub const SYN: i32 = 2;
/// TCP's RST in `flags`.
pub const RST: i32 = 4;
/// TCP's ACK in `flags`.
pub const ACK: i32 = 16;

impl Flow {
    /// A flow of nothing, to fill in.
    pub const EMPTY: Self = Self {
        src_hi: 0,
        src_lo: 0,
        dst_hi: 0,
        dst_lo: 0,
        src_port: 0,
        dst_port: 0,
        proto: -1,
        time: 0,
        duration: 0,
        packets: 0,
        bytes: 0,
        back_packets: -1,
        back_bytes: -1,
        flags: 0,
        state: 0,
        fragments: 0,
        sampling: 1,
        service: 0,
        uid: -1,
    };
}
