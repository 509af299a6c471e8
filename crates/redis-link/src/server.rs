//! What a server is: its process, its version, its role.

use std::fmt;

use redis::{Value, from_redis_value};

use crate::Address;

/// A server, as a handshake found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The address it was reached at.
    pub address: Address,
    /// Names the process: another after each start.
    pub run_id: String,
    /// Version of Redis, or of Redis as this Valkey is compatible with it.
    pub version: Version,
    /// Version of Valkey, if it is one.
    pub valkey: Option<Version>,
    /// What it was.
    pub role: Role,
}

/// What a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// It accepts writes.
    Primary {
        /// Replicas that are connected now, at the addresses they announce.
        replicas: Vec<Address>,
    },
    /// It follows another.
    Replica {
        /// Which.
        of: Address,
        /// Whether it is connected to it and has its data.
        connected: bool,
    },
    /// It watches others.
    Sentinel,
}

/// A version: major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16, pub u16, pub u16);

impl Version {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|part| part.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Self(next()?, next()?, next().unwrap_or(0)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The oldest that will do: sharded channels, `CLUSTER SHARDS`, several parameters of `CONFIG GET`.
pub(crate) const OLDEST: Version = Version(7, 0, 0);

/// `master offset [[ip port offset] …]`, `slave ip port state offset` or `sentinel [name …]`.
pub(crate) fn read_role(value: &Value) -> Option<Role> {
    let Value::Array(parts) = value else { return None };
    let text = |value: &Value| from_redis_value::<String>(value.clone()).ok();
    let address = |host: &Value, port: &Value| Some(Address::new(text(host)?, text(port)?.parse().ok()?));
    match (text(parts.first()?)?.as_str(), &parts[1..]) {
        ("master", [_, Value::Array(replicas), ..]) => {
            let replicas = replicas.iter().map(|replica| match replica {
                Value::Array(parts) if parts.len() >= 2 => address(&parts[0], &parts[1]),
                _ => None,
            });
            Some(Role::Primary { replicas: replicas.collect::<Option<_>>()? })
        }
        ("slave", [host, port, state, ..]) => {
            Some(Role::Replica { of: address(host, port)?, connected: text(state)? == "connected" })
        }
        ("sentinel", _) => Some(Role::Sentinel),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(Version::parse("7.0.15"), Some(Version(7, 0, 15)));
        assert_eq!(Version::parse("8.1"), Some(Version(8, 1, 0)));
        assert_eq!(Version::parse("255.255.255"), Some(Version(255, 255, 255)));
        assert_eq!(Version::parse("x"), None);
        assert!(Version(7, 0, 15) < Version(7, 2, 0) && Version(6, 2, 9) < OLDEST);
        assert_eq!(Version(7, 0, 15).to_string(), "7.0.15");
    }

    #[test]
    fn roles_are_read_and_what_is_none_is_not() {
        let read = |text: &str| read_role(&parse_redis_value(text.as_bytes()).unwrap());
        let replicas = vec![Address::new("::1", 7)];
        let primary = "*3\r\n+master\r\n:9\r\n*1\r\n*3\r\n+::1\r\n+7\r\n+9\r\n";
        assert_eq!(read(primary), Some(Role::Primary { replicas }));
        let of = Address::new("p", 6379);
        let replica = "*5\r\n+slave\r\n+p\r\n:6379\r\n+sync\r\n:-1\r\n";
        assert_eq!(read(replica), Some(Role::Replica { of, connected: false }));
        assert_eq!(read("*2\r\n+sentinel\r\n*0\r\n"), Some(Role::Sentinel));
        for wrong in
            ["*0\r\n", "+x\r\n", "*1\r\n+master\r\n", "*3\r\n+master\r\n:1\r\n*1\r\n:1\r\n", "*2\r\n+slave\r\n+p\r\n"]
        {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
