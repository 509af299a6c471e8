//! Networks, and the address of a client behind trusted proxies.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// Addresses that share their first bits: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    net: IpAddr,
    bits: u8,
}

/// Why a text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// No address, or no length after the slash.
    #[error("{0:?} is neither an address nor a network: write 10.1.2.3 or 10.0.0.0/8")]
    Text(String),
    /// More bits than the address has.
    #[error("{0:?} has more bits than its address type")]
    Length(String),
    /// Bits set behind the prefix: most likely a mistake.
    #[error("{0:?} names an address inside the network; the network is {1}")]
    HostBits(String, String),
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(s: &str) -> Result<Self, CidrError> {
        let bad = || CidrError::Text(s.to_owned());
        let (address, bits) = match s.split_once('/') {
            Some((a, b)) => (a, Some(b.parse::<u8>().map_err(|_| bad())?)),
            None => (s, None),
        };
        let ip: IpAddr = address.parse().map_err(|_| bad())?;
        let most = width(ip);
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(CidrError::Length(s.to_owned()));
        }
        let net = masked(ip, bits);
        if net != ip {
            return Err(CidrError::HostBits(s.to_owned(), Self { net, bits }.to_string()));
        }
        Ok(Self { net, bits })
    }
}

impl Cidr {
    /// Whether `ip` belongs to it. An IPv4 address mapped into IPv6 counts as the IPv4 address.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        width(ip) == width(self.net) && masked(ip, self.bits) == self.net
    }
}

fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn masked(ip: IpAddr, bits: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4((ip.to_bits() & mask).into())
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6((ip.to_bits() & mask).into())
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == width(self.net) { write!(f, "{}", self.net) } else { write!(f, "{}/{}", self.net, self.bits) }
    }
}

impl TryFrom<String> for Cidr {
    type Error = CidrError;
    fn try_from(s: String) -> Result<Self, CidrError> {
        s.parse()
    }
}

impl From<Cidr> for String {
    fn from(c: Cidr) -> String {
        c.to_string()
    }
}

/// Who is behind a connection: `peer`, unless it is a trusted proxy; then the rightmost hop of `X-Forwarded-For` that is
/// not a trusted proxy. Everything left of that hop was written by an untrusted party. A hop that is not an address ends
/// the walk at the proxy that reported it. Several headers count as one, joined with commas.
pub fn client_address(peer: IpAddr, forwarded_for: Option<&str>, trusted: &[Cidr]) -> IpAddr {
    let mut client = peer.to_canonical();
    let is_trusted = |ip: IpAddr| trusted.iter().any(|c| c.contains(ip));
    for hop in forwarded_for.unwrap_or("").rsplit(',') {
        if !is_trusted(client) {
            break;
        }
        match hop_address(hop.trim()) {
            Some(ip) => client = ip.to_canonical(),
            None => break,
        }
    }
    client
}

/// An address, bare, in brackets, or with a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|a| a.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(list: &[&str]) -> Vec<Cidr> {
        list.iter().map(|s| s.parse().unwrap()).collect()
    }

    fn ip(s: &str) -> IpAddr {
        s.parse().unwrap()
    }

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        for (net, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.168.1.128/25", "192.168.1.129", "192.168.1.127"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
            ("::/0", "2001:db8::1", "8.8.8.8"),
            ("fd00::/8", "fdff::1", "fe00::1"),
        ] {
            let c: Cidr = net.parse().unwrap();
            assert!(c.contains(ip(inside)) && !c.contains(ip(outside)), "{net}");
            assert_eq!(c.to_string(), net);
        }
        assert!(nets(&["10.0.0.0/8"])[0].contains(ip("::ffff:10.1.2.3")), "IPv4 mapped into IPv6");
    }

    #[test]
    fn what_is_no_network_is_told_why() {
        for (text, why) in [
            ("ten", "neither"),
            ("10.0.0.0/x", "neither"),
            ("10.0.0.0/33", "more bits"),
            ("10.1.2.3/8", "the network is 10.0.0.0/8"),
            ("", "neither"),
        ] {
            let e = text.parse::<Cidr>().unwrap_err().to_string();
            assert!(e.contains(why), "{text}: {e}");
        }
    }

    #[test]
    fn the_client_is_the_rightmost_hop_nobody_vouches_for() {
        let trusted = nets(&["10.0.0.0/8", "::1"]);
        for (peer, header, client) in [
            ("203.0.113.9", Some("1.1.1.1"), "203.0.113.9"), // a stranger may write what they like
            ("10.0.0.1", None, "10.0.0.1"),
            ("10.0.0.1", Some("203.0.113.9"), "203.0.113.9"),
            ("10.0.0.1", Some("6.6.6.6, 203.0.113.9"), "203.0.113.9"), // 6.6.6.6 was forged
            ("10.0.0.1", Some("203.0.113.9,10.0.0.2"), "203.0.113.9"),
            ("10.0.0.1", Some("10.0.0.3 , 10.0.0.2"), "10.0.0.3"), // all trusted: the farthest
            ("10.0.0.1", Some("203.0.113.9, unknown"), "10.0.0.1"),
            ("::1", Some("203.0.113.9:4711"), "203.0.113.9"),
            ("::1", Some("[2001:db8::5]:4711"), "2001:db8::5"),
            ("::1", Some("[2001:db8::5]"), "2001:db8::5"),
            ("::ffff:10.0.0.1", Some("::ffff:203.0.113.9"), "203.0.113.9"),
            ("10.0.0.1", Some(""), "10.0.0.1"),
        ] {
            assert_eq!(client_address(ip(peer), header, &trusted), ip(client), "{peer} {header:?}");
        }
    }
}
