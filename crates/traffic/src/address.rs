//! IP addresses as columns.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IP address as two signed columns: the halves of its IPv6 form, an IPv4 address being mapped
/// (`::ffff:a.b.c.d`, RFC 4291, section 2.5.5.2). Old logs have host names instead: then `hi` is
/// [`Address::NAME`] and `lo` the text id of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// High half.
    pub hi: i64,
    /// Low half.
    pub lo: i64,
}

/// Bits of a mapped IPv4 address above the address itself.
const MAPPED: i64 = 0xffff_0000_0000;

impl Address {
    /// What `hi` is where `lo` is the text id of a host name. No address has it: it would lie in
    /// `ffff:ffff:ffff:fffe::/64`, which is multicast that nobody may use.
    pub const NAME: i64 = -2;
    /// No address.
    pub const NONE: Self = Self { hi: -1, lo: -1 };

    /// A host name, by its text id.
    pub fn name(text: i64) -> Self {
        Self { hi: Self::NAME, lo: text }
    }

    /// An IPv4 address, by its 32 bits.
    pub fn v4(bits: u32) -> Self {
        Self { hi: 0, lo: MAPPED | i64::from(bits) }
    }

    /// Reads an address as text; `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if let Some(bits) = v4(text) {
            return Some(Self::v4(bits));
        }
        std::str::from_utf8(text).ok()?.parse::<IpAddr>().ok().map(Self::from)
    }

    /// The IP address, `None` for a name and for no address.
    pub fn ip(self) -> Option<IpAddr> {
        if self == Self::NONE || self.hi == Self::NAME {
            return None;
        }
        if let Some(bits) = self.v4_bits() {
            return Some(IpAddr::V4(Ipv4Addr::from(bits)));
        }
        let bits = u128::from(self.hi as u64) << 64 | u128::from(self.lo as u64);
        Some(IpAddr::V6(Ipv6Addr::from(bits)))
    }

    /// The 32 bits of an IPv4 address.
    pub fn v4_bits(self) -> Option<u32> {
        (self.hi == 0 && self.lo >> 32 == 0xffff).then_some(self.lo as u32)
    }

    /// What one subscriber holds at least: the address itself for IPv4, its /64 for IPv6 (privacy
    /// addresses change daily inside it). A name is itself.
    #[must_use]
    pub fn client(self) -> Self {
        if self.hi == Self::NAME || self == Self::NONE || self.v4_bits().is_some() {
            self
        } else {
            Self { hi: self.hi, lo: 0 }
        }
    }

    /// The network of so many leading bits, counted within the address's own family.
    #[must_use]
    pub fn network(self, v4_bits: u32, v6_bits: u32) -> Self {
        if self.hi == Self::NAME || self == Self::NONE {
            return self;
        }
        if let Some(bits) = self.v4_bits() {
            let mask = if v4_bits == 0 { 0 } else { u32::MAX << (32 - v4_bits.min(32)) };
            return Self::v4(bits & mask);
        }
        let bits = u128::from(self.hi as u64) << 64 | u128::from(self.lo as u64);
        let mask = if v6_bits == 0 { 0 } else { u128::MAX << (128 - v6_bits.min(128)) };
        let bits = bits & mask;
        Self { hi: (bits >> 64) as i64, lo: bits as i64 }
    }
}

/// The bits of an IPv4 address in its usual form: what nearly every address of a log is, at a fraction of the
/// cost of the general reading.
fn v4(text: &[u8]) -> Option<u32> {
    if text.len() > 15 {
        return None;
    }
    let (mut bits, mut octet, mut digits, mut octets) = (0_u32, 0_u32, 0, 0);
    for &b in text {
        if b.is_ascii_digit() {
            // A leading zero may mean octal: the general reading refuses it.
            if digits > 0 && octet == 0 {
                return None;
            }
            octet = octet * 10 + u32::from(b - b'0');
            digits += 1;
            if octet > 255 {
                return None;
            }
        } else if b == b'.' && digits > 0 && octets < 3 {
            bits = bits << 8 | octet;
            (octet, digits, octets) = (0, 0, octets + 1);
        } else {
            return None;
        }
    }
    (octets == 3 && digits > 0).then_some(bits << 8 | octet)
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::v4(ip.to_bits()),
            IpAddr::V6(ip) => {
                let bits = ip.to_bits();
                Self { hi: (bits >> 64) as i64, lo: bits as i64 }
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip() {
            Some(ip) => ip.fmt(f),
            None if self.hi == Self::NAME => write!(f, "name#{:x}", self.lo),
            None => f.pad("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text.as_bytes()).expect("an address")
    }

    #[test]
    fn addresses_come_back_as_they_were() {
        for text in ["192.0.2.7", "255.255.255.255", "0.0.0.0", "2001:db8::1", "ff02::2", "::1"] {
            assert_eq!(address(text).to_string(), text);
        }
        assert_eq!(address("::ffff:192.0.2.7"), address("192.0.2.7"));
        for text in
            ["example.org", "192.0.2", "192.0.2.256", "192.0.2.1.", "192.0.02.1", ".192.0.2", "1.2.3.4.5", ""]
        {
            assert_eq!(Address::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Address::NONE.to_string(), "-");
    }

    #[test]
    fn networks_are_counted_in_the_addresses_own_family() {
        assert_eq!(address("198.51.100.77").network(24, 48).to_string(), "198.51.100.0");
        assert_eq!(address("198.51.100.77").network(0, 0).to_string(), "0.0.0.0");
        assert_eq!(address("2001:db8:1:2:3::4").network(16, 48).to_string(), "2001:db8:1::");
        assert_eq!(address("2001:db8:1:2:3::4").client().to_string(), "2001:db8:1:2::");
        assert_eq!(address("198.51.100.77").client().to_string(), "198.51.100.77");
    }
}
