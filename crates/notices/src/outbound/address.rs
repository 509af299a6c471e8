//! Which addresses may be reached.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
};

/// Why an address may not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forbidden {
    /// Where clouds answer questions about their machines, or any other address of one link. Never allowed.
    Link,
    /// Of no single machine. Never allowed.
    Nobody,
    /// This machine.
    Own,
    /// Within somebody's network.
    Private,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "an address of the link or of a cloud's metadata, which is never reached",
            Self::Nobody => "no address of a machine",
            Self::Own => "an address of this machine",
            Self::Private => "an address within a private network",
        })
    }
}

/// Alibaba Cloud's metadata; those of others are link-local, or below.
const METADATA_V4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
/// Amazon's metadata.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254);

/// Whether this address may be reached.
///
/// # Errors
/// It may not.
pub fn check(address: IpAddr, allow_private: bool) -> Result<(), Forbidden> {
    let found = match embedded(address) {
        IpAddr::V4(ip) => v4(ip),
        IpAddr::V6(ip) => v6(ip),
    };
    let found = found.or_else(|| is_own(address).then_some(Forbidden::Own));
    match found {
        Some(Forbidden::Own | Forbidden::Private) if allow_private => Ok(()),
        Some(why) => Err(why),
        None => Ok(()),
    }
}

/// The IPv4 address that an IPv6 one leads to: mapped, compatible, translated (NAT64), tunnelled (6to4).
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(ip) = address else { return address };
    let s = ip.segments();
    let v4 = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}

fn v4(ip: Ipv4Addr) -> Option<Forbidden> {
    let o = ip.octets();
    match o {
        _ if ip.is_link_local() || ip == METADATA_V4 => Some(Forbidden::Link),
        [0 | 224..=255, ..] => Some(Forbidden::Nobody),
        [127, ..] => Some(Forbidden::Own),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(Forbidden::Private),
        // shared by providers, special purposes, benchmarks
        [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18 | 19, ..] => Some(Forbidden::Private),
        _ => None,
    }
}

fn v6(ip: Ipv6Addr) -> Option<Forbidden> {
    let s = ip.segments();
    match s[0] {
        _ if ip == METADATA_V6 => Some(Forbidden::Link),
        _ if ip.is_unspecified() => Some(Forbidden::Nobody),
        _ if ip.is_loopback() => Some(Forbidden::Own),
        0xfe80..=0xfebf => Some(Forbidden::Link),
        0xff00..=0xffff => Some(Forbidden::Nobody),
        // unique local, site-local; local use of NAT64; Teredo and other tunnels
        0xfc00..=0xfdff | 0xfec0..=0xfeff => Some(Forbidden::Private),
        0x64 if s[1] == 0xff9b => Some(Forbidden::Private),
        0x2001 if s[1] == 0 => Some(Forbidden::Private),
        // the first eighth has no addresses of machines beside those above
        0..=0x1fff => Some(Forbidden::Nobody),
        _ => None,
    }
}

/// Whether this machine has the address: the system then sends from it to it. Nothing is sent for the answer.
fn is_own(address: IpAddr) -> bool {
    let any = match address {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let from = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    from.is_ok_and(|from| from.ip() == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_reached() {
        for (address, why) in [
            ("127.0.0.1", Forbidden::Own),
            ("127.8.8.8", Forbidden::Own),
            ("::1", Forbidden::Own),
            ("::ffff:127.0.0.1", Forbidden::Own),
            ("::127.0.0.1", Forbidden::Own),
            ("64:ff9b::7f00:1", Forbidden::Own),
            ("2002:7f00:1::", Forbidden::Own),
            ("0.0.0.0", Forbidden::Nobody),
            ("::", Forbidden::Nobody),
            ("224.0.0.1", Forbidden::Nobody),
            ("255.255.255.255", Forbidden::Nobody),
            ("ff02::1", Forbidden::Nobody),
            ("169.254.169.254", Forbidden::Link),
            ("::ffff:169.254.169.254", Forbidden::Link),
            ("64:ff9b::a9fe:a9fe", Forbidden::Link),
            ("fe80::1", Forbidden::Link),
            ("100.100.100.200", Forbidden::Link),
            ("fd00:ec2::254", Forbidden::Link),
            ("10.1.2.3", Forbidden::Private),
            ("172.16.0.1", Forbidden::Private),
            ("172.31.255.255", Forbidden::Private),
            ("192.168.1.1", Forbidden::Private),
            ("100.64.0.1", Forbidden::Private),
            ("198.18.0.1", Forbidden::Private),
            ("fd12::1", Forbidden::Private),
            ("fec0::1", Forbidden::Private),
            ("64:ff9b:1::1", Forbidden::Private),
            ("2001::1", Forbidden::Private),
        ] {
            let ip: IpAddr = address.parse().unwrap();
            assert_eq!(check(ip, false), Err(why), "{address}");
            let allowed = matches!(why, Forbidden::Own | Forbidden::Private);
            assert_eq!(check(ip, true).is_ok(), allowed, "{address}");
        }
        for address in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "223.5.5.5", "2400:3200::1", "2606:4700::1111"] {
            assert_eq!(check(address.parse().unwrap(), false), Ok(()), "{address}");
        }
    }

    #[test]
    fn an_address_of_this_machine_is_known_whatever_it_is() {
        assert!(is_own("127.0.0.1".parse().unwrap()));
        assert!(is_own("127.77.7.7".parse().unwrap()) || check("127.77.7.7".parse().unwrap(), false).is_err());
        assert!(!is_own("192.0.2.7".parse().unwrap()));
    }
}
