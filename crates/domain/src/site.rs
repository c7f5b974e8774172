//! What is defended, what is known to be good, and what is expected: the part of the configuration that
//! judges look at. It is applied when findings are made, so changing it needs no second reading of files.

use std::fmt;
use std::net::IpAddr;

use crate::time::Timestamp;

/// Everything that a judge may know of the site. Empty where nothing was configured.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// What is defended.
    pub assets: Vec<Asset>,
    /// Networks of our own: they may be attacked, and never are the attacker to be blocked.
    pub own: Vec<Prefix>,
    /// Reverse proxies and load balancers whose `X-Forwarded-For` is believed.
    pub proxies: Vec<Prefix>,
    /// Clients that are known to be busy and welcome: monitors, press, other authorities.
    pub known: Vec<KnownClient>,
    /// Sites that embed ours and poll it.
    pub embeds: Vec<Embed>,
    /// When many people are expected.
    pub events: Vec<ExpectedEvent>,
    /// Whose network an address is, where a table was given.
    pub networks: AsnTable,
}

/// One thing that is defended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asset {
    /// Register id, as in findings.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its addresses.
    pub prefixes: Vec<Prefix>,
    /// Its host names, in lower case.
    pub hosts: Vec<String>,
}

/// Clients that are known to be good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownClient {
    /// What they are called.
    pub name: String,
    /// Their addresses.
    pub prefixes: Vec<Prefix>,
}

/// A site that embeds ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Embed {
    /// What it is called.
    pub name: String,
    /// Hosts that show up as referer, in lower case.
    pub hosts: Vec<String>,
    /// Paths of ours that it polls, each whole.
    pub paths: Vec<String>,
}

/// A time when many people are expected: polls close, results are published, a programme is on the air.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedEvent {
    /// What it is.
    pub name: String,
    /// From.
    pub from: Timestamp,
    /// Until.
    pub until: Timestamp,
    /// The asset that it concerns; all where there is none.
    pub asset: Option<String>,
}

impl Site {
    /// True for an address of our own, a declared proxy or a known client.
    pub fn is_welcome(&self, ip: IpAddr) -> bool {
        let within = |prefixes: &[Prefix]| prefixes.iter().any(|prefix| prefix.contains(ip));
        within(&self.own) || within(&self.proxies) || self.known.iter().any(|known| within(&known.prefixes))
    }

    /// The first asset that has the address.
    pub fn asset_of(&self, ip: IpAddr) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.prefixes.iter().any(|prefix| prefix.contains(ip)))
    }

    /// Events that are on at some time in the range, for an asset or for all.
    pub fn events_in<'a>(
        &'a self,
        from: Timestamp,
        until: Timestamp,
        asset: Option<&'a str>,
    ) -> impl Iterator<Item = &'a ExpectedEvent> {
        self.events.iter().filter(move |event| {
            event.from <= until
                && event.until >= from
                && (event.asset.is_none() || asset.is_none() || event.asset.as_deref() == asset)
        })
    }
}

/// A network: an address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    net: IpAddr,
    bits: u8,
}

impl Prefix {
    /// The network of so many leading bits around an address; more bits than the address has mean all.
    pub fn new(ip: IpAddr, bits: u8) -> Self {
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let bits = bits.min(most);
        Self { net: masked(ip, bits), bits }
    }

    /// Reads `192.0.2.0/24`, `2001:db8::/32` or a single address.
    pub fn parse(text: &str) -> Option<Self> {
        let (ip, bits) = match text.split_once('/') {
            Some((ip, bits)) => (ip, Some(bits)),
            None => (text, None),
        };
        let ip: IpAddr = ip.trim().parse().ok()?;
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let bits: u8 = match bits {
            Some(bits) => bits.trim().parse().ok()?,
            None => most,
        };
        (bits <= most).then(|| Self::new(ip, bits))
    }

    /// True for an address inside. A mapped IPv4 address is the IPv4 address.
    pub fn contains(self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip.is_ipv4() == self.net.is_ipv4() && masked(ip, self.bits) == self.net
    }

    /// The first address.
    pub fn net(self) -> IpAddr {
        self.net
    }

    /// Leading bits that count.
    pub fn bits(self) -> u8 {
        self.bits
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.net, self.bits)
    }
}

fn masked(ip: IpAddr, bits: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = if bits == 0 { 0 } else { u32::MAX << (32 - bits) };
            IpAddr::V4((ip.to_bits() & mask).into())
        }
        IpAddr::V6(ip) => {
            let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits) };
            IpAddr::V6((ip.to_bits() & mask).into())
        }
    }
}

/// Whose network an address is: ranges of addresses with the number and name of an autonomous system.
#[derive(Clone, Debug, Default)]
pub struct AsnTable {
    ranges: Vec<(u128, u128, u32)>,
    names: std::collections::BTreeMap<u32, String>,
}

impl AsnTable {
    /// From ranges in any order; of ranges that overlap, the one that begins last counts.
    pub fn new(
        mut ranges: Vec<(IpAddr, IpAddr, u32)>,
        names: std::collections::BTreeMap<u32, String>,
    ) -> Self {
        ranges.sort_unstable();
        let mut ranges: Vec<_> = ranges.into_iter().map(|(a, b, asn)| (wide(a), wide(b), asn)).collect();
        ranges.sort_unstable();
        Self { ranges, names }
    }

    /// Number and name of the system that holds an address.
    pub fn find(&self, ip: IpAddr) -> Option<(u32, &str)> {
        let ip = wide(ip);
        let after = self.ranges.partition_point(|(first, ..)| *first <= ip);
        let (_, last, asn) = self.ranges.get(after.checked_sub(1)?)?;
        (ip <= *last).then(|| (*asn, self.names.get(asn).map_or("", String::as_str)))
    }

    /// Ranges that it holds.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// True where no table was given.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

fn wide(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn prefixes_hold_their_addresses() {
        let net = Prefix::parse("198.51.100.77/24").expect("a prefix");
        assert_eq!(net.to_string(), "198.51.100.0/24");
        assert!(net.contains(ip("198.51.100.1")) && net.contains(ip("::ffff:198.51.100.1")));
        assert!(!net.contains(ip("198.51.101.1")) && !net.contains(ip("2001:db8::1")));
        assert!(Prefix::parse("::/0").expect("all").contains(ip("2001:db8::1")));
        assert_eq!(Prefix::parse("192.0.2.1").map(Prefix::bits), Some(32));
        for bad in ["", "192.0.2.0/33", "example.org/8", "192.0.2.0/-1"] {
            assert_eq!(Prefix::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_table_knows_whose_address_it_is() {
        let ranges =
            vec![(ip("192.0.2.0"), ip("192.0.2.255"), 64500), (ip("2001:db8::"), ip("2001:db8::ff"), 64501)];
        let table = AsnTable::new(ranges, [(64500, "Example Net".to_owned())].into());
        assert_eq!(table.find(ip("192.0.2.9")), Some((64500, "Example Net")));
        assert_eq!(table.find(ip("192.0.3.0")), None);
        assert_eq!(table.find(ip("2001:db8::1")), Some((64501, "")));
        assert_eq!(table.find(ip("::")), None);
    }
}
