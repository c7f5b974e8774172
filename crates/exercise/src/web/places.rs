//! Addresses: whose networks were seen before, and where new clients come from.

use std::collections::BTreeSet;

use traffic::Address;

use crate::random::Random;

/// Networks (IPv4 /16, IPv6 /32) in which the site's usual clients are.
const NETWORKS: usize = 220;
/// Networks elsewhere from which new clients come, as often as chance will have it.
const ELSEWHERE: usize = 1_500;
/// Addresses of one network are mostly in a few of its parts.
const PARTS: usize = 60;

/// The map of a mix.
#[derive(Clone, Debug)]
pub(super) struct Places {
    v4: Vec<u32>,
    v6: Vec<u32>,
    v4_elsewhere: Vec<u32>,
    v6_elsewhere: Vec<u32>,
    seen: Vec<Address>,
    taken: BTreeSet<Address>,
}

impl Places {
    pub(super) fn new(random: &mut Random) -> Self {
        let mut networks = Vec::new();
        while networks.len() < NETWORKS + ELSEWHERE {
            let bits = random.bits() as u32 & 0xffff_0000;
            if is_public(bits) && !networks.contains(&bits) {
                networks.push(bits);
            }
        }
        let v4_elsewhere = networks.split_off(NETWORKS);
        // 2001:db8::/32 is all there is for examples; these look like what registries give out.
        let mut v6: Vec<u32> =
            (0..(NETWORKS + ELSEWHERE) / 8).map(|n| 0x2a00_0000 | (n as u32) << 8 | (n as u32 % 7)).collect();
        let v6_elsewhere = v6.split_off(NETWORKS / 8);
        Self { v4: networks, v6, v4_elsewhere, v6_elsewhere, seen: Vec::new(), taken: BTreeSet::new() }
    }

    /// A usual client that was not there before.
    pub(super) fn usual(&mut self, v6: f64, random: &mut Random) -> Address {
        let network = if random.chance(v6) {
            Network::V6(self.v6[random.zipf(self.v6.len())])
        } else {
            Network::V4(self.v4[random.zipf(self.v4.len())])
        };
        self.fresh(network, random)
    }

    /// Says that a client was seen before the event.
    pub(super) fn see(&mut self, address: Address) {
        self.seen.push(address);
    }

    /// A client that was not there before, in a network that was seen, or in one that was not.
    pub(super) fn new_client(&mut self, known: bool, v6: f64, random: &mut Random) -> Address {
        let network = match (known && !self.seen.is_empty(), random.chance(v6)) {
            (true, _) => {
                let near = *random.pick(&self.seen);
                match near.v4_bits() {
                    Some(bits) => Network::V4(bits & 0xffff_0000),
                    None => Network::V6((near.hi >> 32) as u32),
                }
            }
            (false, false) => Network::V4(self.v4_elsewhere[random.zipf(ELSEWHERE)]),
            (false, true) => Network::V6(self.v6_elsewhere[random.zipf(self.v6_elsewhere.len())]),
        };
        self.fresh(network, random)
    }

    /// The same, with IPv4.
    pub(super) fn new_v4(&mut self, known: bool, random: &mut Random) -> Address {
        loop {
            let address = self.new_client(known, 0.0, random);
            if address.v4_bits().is_some() {
                return address;
            }
        }
    }

    /// A /24 of rented hosts, in a network that was seen or not.
    pub(super) fn cluster(&mut self, known: bool, random: &mut Random) -> u32 {
        let bits = self.new_v4(known, random).v4_bits().expect("internal error: it is IPv4");
        bits & 0xffff_ff00
    }

    /// A client of a /24 that was not there before; `None` where the /24 is full.
    pub(super) fn in_cluster(&mut self, cluster: u32, random: &mut Random) -> Option<Address> {
        (0..20).find_map(|_| {
            let address = Address::v4(cluster | (1 + random.below(254)) as u32);
            self.taken.insert(address.client()).then_some(address)
        })
    }

    fn fresh(&mut self, network: Network, random: &mut Random) -> Address {
        loop {
            let address = match network {
                Network::V4(bits) => {
                    // Parts are spread over the network by an odd factor.
                    let part = (random.zipf(PARTS) as u32).wrapping_mul(0x9d) & 0xff;
                    let part = if random.chance(0.3) { random.below(256) as u32 } else { part };
                    Address::v4(bits | part << 8 | (1 + random.below(254)) as u32)
                }
                Network::V6(bits) => {
                    let hi = i64::from(bits) << 32 | (random.bits() & 0xffff_ffff) as i64;
                    Address { hi, lo: random.bits() as i64 }
                }
            };
            if self.taken.insert(address.client()) {
                return address;
            }
            // A network that fills up: go on in the whole of it.
            if let Network::V4(bits) = network
                && random.chance(0.05)
            {
                let address = Address::v4(bits | (random.bits() & 0xffff) as u32);
                if self.taken.insert(address) {
                    return address;
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Network {
    V4(u32),
    V6(u32),
}

/// Not private, not local, not multicast (RFC 6890), and not one of the ranges for documentation.
fn is_public(bits: u32) -> bool {
    let (a, b) = (bits >> 24, bits >> 16 & 0xff);
    (1..=223).contains(&a)
        && ![10, 100, 127].contains(&a)
        && !matches!(
            (a, b),
            (169, 254) | (172, 16..=31) | (192, 0 | 168 | 88) | (198, 18 | 19 | 51) | (203, 0)
        )
}
