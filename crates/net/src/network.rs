//! The networks that one address counts in.

use std::{fmt, net::IpAddr};

/// Prefix lengths of IPv6 networks, with their limit as a multiple of the narrowest network's: a home or an office has a /64 to
/// a /56, a company or a rented server up to a /48.
const PREFIXES: [(u8, u32); 3] = [(64, 1), (56, 4), (48, 16)];

/// The largest of these multiples.
pub const WIDEST: u32 = PREFIXES[2].1;

/// An IPv4 address, or the IPv6 addresses that share their first bits: a key for whatever is counted by address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// The narrowest network of an address: what one customer has at least.
    pub fn of(address: IpAddr) -> Self {
        Self::with(address, PREFIXES[0].0)
    }

    fn with(address: IpAddr, bits: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V6(ip) => {
                let unused = 128 - u32::from(bits);
                Self { first: IpAddr::V6((ip.to_bits() >> unused << unused).into()), bits }
            }
            v4 @ IpAddr::V4(_) => Self { first: v4, bits: 32 },
        }
    }

    /// Its first address, which represents it where only an address fits.
    pub fn first(self) -> IpAddr {
        self.first
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first {
            IpAddr::V4(ip) => write!(f, "{ip}"),
            IpAddr::V6(ip) => write!(f, "{ip}/{}", self.bits),
        }
    }
}

/// The networks an address counts in, narrowest first, each with how many times the limit of one address it has: an IPv4
/// address alone (1); an IPv6 address in its /64 (1), /56 (4) and /48 (16). A limit holds only if it holds in all of them.
pub fn networks(address: IpAddr) -> impl Iterator<Item = (Network, u32)> + Clone {
    let address = address.to_canonical();
    let count = if address.is_ipv4() { 1 } else { PREFIXES.len() };
    PREFIXES[..count].iter().map(move |(bits, times)| (Network::with(address, *bits), *times))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(address: &str) -> Vec<(String, u32)> {
        networks(address.parse().unwrap()).map(|(network, times)| (network.to_string(), times)).collect()
    }

    #[test]
    fn an_ipv6_address_counts_in_three_networks_an_ipv4_address_in_itself() {
        let expected = [("2001:db8:1:2345::/64", 1), ("2001:db8:1:2300::/56", 4), ("2001:db8:1::/48", 16)];
        assert_eq!(names("2001:db8:1:2345:6:7:8:9"), expected.map(|(n, t)| (n.to_owned(), t)));
        // the first address of a network counts as every other of it
        assert_eq!(names("2001:db8:1:2345::"), names("2001:db8:1:2345:6:7:8:9"));
        assert_eq!(names("192.0.2.1"), [("192.0.2.1".to_owned(), 1)]);
        assert_eq!(names("::ffff:192.0.2.1"), names("192.0.2.1"), "IPv4 mapped into IPv6");
        assert_eq!(names("::1"), [("::/64", 1), ("::/56", 4), ("::/48", 16)].map(|(n, t)| (n.to_owned(), t)));
    }

    #[test]
    fn networks_of_the_same_first_address_are_not_mixed_up() {
        let all: std::collections::HashSet<_> = networks("2001:db8::1".parse().unwrap()).map(|(n, _)| n).collect();
        assert_eq!(all.len(), 3);
        assert!(all.contains(&Network::of("2001:db8::ffff".parse().unwrap())));
    }
}
