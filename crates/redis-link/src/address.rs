//! Where a server is.

use std::{fmt, net::Ipv6Addr};

/// Host and port of a server, as they were given: names are resolved at each connect.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Address {
    /// The address of `host` and `port`.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// Whether the host is this machine by its name or its number. A name that only resolves to it is not.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
    pub(crate) fn parse(text: &str, default_port: u16) -> Result<Self, Mistake> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, port) = rest.split_once(']').ok_or(Mistake::Host)?;
            host.parse::<Ipv6Addr>().map_err(|_| Mistake::Host)?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or(Mistake::Host)?) };
            (host, port)
        } else {
            let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
            if host.is_empty() {
                return Err(Mistake::NoHost);
            }
            if !host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)) {
                return Err(Mistake::Host);
            }
            (host, port)
        };
        let port = match port {
            None => default_port,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(Mistake::Port)?,
        };
        Ok(Self::new(host, port))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    NoHost,
    Host,
    Port,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read_and_written_the_same() {
        for (text, host, port) in [
            ("db", "db", 6379),
            ("db-1.example:7000", "db-1.example", 7000),
            ("10.0.0.1:1", "10.0.0.1", 1),
            ("[::1]", "::1", 6379),
            ("[fd00::2]:6380", "fd00::2", 6380),
        ] {
            let address = Address::parse(text, 6379).unwrap();
            assert_eq!(address, Address::new(host, port));
            assert_eq!(Address::parse(&address.to_string(), 6379), Ok(address));
        }
    }

    #[test]
    fn wrong_addresses_are_refused() {
        for (text, mistake) in [
            ("", Mistake::NoHost),
            (":6379", Mistake::NoHost),
            ("db:0", Mistake::Port),
            ("db:65536", Mistake::Port),
            ("db:", Mistake::Port),
            ("db:x", Mistake::Port),
            ("a b", Mistake::Host),
            ("[::1", Mistake::Host),
            ("[db]:1", Mistake::Host),
            ("[::1]x", Mistake::Host),
        ] {
            assert_eq!(Address::parse(text, 6379), Err(mistake), "{text}");
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_number() {
        assert!(Address::new("LOCALHOST", 1).is_loopback() && Address::new("::1", 1).is_loopback());
        assert!(!Address::new("10.0.0.1", 1).is_loopback() && !Address::new("db", 1).is_loopback());
    }
}
