//! The URL that says where the servers are. One server, the Sentinels that know the server, or some nodes of a Cluster:
//!
//! - `redis://[user:password@]host[:port][/database]`
//! - `redis+sentinel://[user:password@]host[:port],…/name-of-the-master`
//! - `redis+cluster://[user:password@]host[:port],…`
//!
//! `rediss`, `rediss+sentinel` and `rediss+cluster` are the same under TLS. No message repeats a part of the text that could be
//! a password.

use std::{fmt, str::FromStr};

use crate::{
    Password,
    address::{Address, Mistake},
};

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Where the servers are, and who asks. `Debug` and `Display` hide the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Whether connections are encrypted.
    pub tls: bool,
    /// Name of the user; the server's `default` without one.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Password>,
    /// Which servers.
    pub place: Place,
}

/// Which servers a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// One server and the number of its database.
    Server(Address, u32),
    /// Sentinels, and the name under which they know the master.
    Sentinel(Vec<Address>, String),
    /// Some nodes of a Cluster; they name the others.
    Cluster(Vec<Address>),
}

/// What is wrong with a URL, and what to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another scheme or none.
    #[error(
        "the address must begin with redis://, redis+sentinel:// or redis+cluster://, under TLS with rediss instead of redis"
    )]
    Scheme,
    /// Nothing after the scheme.
    #[error("the address names no host: write redis://HOST:6379")]
    NoHost,
    /// A host that can't be one.
    #[error(
        "a host is a name or a number such as db.example, 10.0.0.1 or [fd00::1], several of them with commas; in a password write % / ? # @ as %25 %2F %3F %23 %40"
    )]
    Host,
    /// A port that is none.
    #[error("a port is a number from 1 to 65535 after the host and a colon: write redis://HOST:6379")]
    Port,
    /// `%` that stands for no byte, or bytes that are no text.
    #[error("in user and password % must be followed by two hexadecimal digits that make UTF-8: write % itself as %25")]
    Escape,
    /// `user:@`.
    #[error("the password is empty: leave `:` out, or write it after `:`")]
    EmptyPassword,
    /// Several hosts under `redis://`.
    #[error(
        "redis:// names one host: use redis+sentinel://…/NAME if these are Sentinels, redis+cluster://… if they are nodes of a Cluster"
    )]
    SeveralHosts,
    /// A path of one server that is no number.
    #[error("after the host only the number of a database may follow: write redis://HOST/0, or nothing")]
    Database,
    /// No name of a master.
    #[error(
        "say which master the Sentinels watch: write redis+sentinel://HOST,HOST/NAME with the NAME of `sentinel monitor NAME …`"
    )]
    NoMaster,
    /// A path under `redis+cluster://`.
    #[error("a Cluster has one database: write nothing after the hosts")]
    ClusterPath,
    /// `?` or `#`.
    #[error(
        "nothing may follow `?` or `#`: password_file, ca and timeouts are settings of their own; in a password write them as %3F and %23"
    )]
    Parameters,
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(UrlError::Scheme)?;
        let (tls, kind) = match scheme.to_ascii_lowercase().split_once('+') {
            None if scheme.eq_ignore_ascii_case("redis") => (false, Kind::Server),
            None if scheme.eq_ignore_ascii_case("rediss") => (true, Kind::Server),
            Some((base @ ("redis" | "rediss"), "sentinel")) => (base == "rediss", Kind::Sentinel),
            Some((base @ ("redis" | "rediss"), "cluster")) => (base == "rediss", Kind::Cluster),
            _ => return Err(UrlError::Scheme),
        };
        if rest.contains(['?', '#']) {
            return Err(UrlError::Parameters);
        }
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
        if path.is_some_and(|path| path.contains('@')) {
            return Err(UrlError::Host);
        }
        let (credentials, hosts) = authority.rsplit_once('@').map_or((None, authority), |(c, hosts)| (Some(c), hosts));
        let (user, password) = credentials.map_or(Ok((None, None)), read_credentials)?;
        let port = if matches!(kind, Kind::Sentinel) { SENTINEL_PORT } else { PORT };
        let mut hosts = hosts
            .split(',')
            .map(|host| {
                Address::parse(host.trim(), port).map_err(|mistake| match mistake {
                    Mistake::NoHost => UrlError::NoHost,
                    Mistake::Host => UrlError::Host,
                    Mistake::Port => UrlError::Port,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let path = path.filter(|path| !path.is_empty());
        let place = match kind {
            Kind::Server => {
                let database = path.map_or(Ok(0), |path| path.parse().map_err(|_| UrlError::Database))?;
                let first = hosts.swap_remove(0);
                if !hosts.is_empty() {
                    return Err(UrlError::SeveralHosts);
                }
                Place::Server(first, database)
            }
            Kind::Sentinel => Place::Sentinel(hosts, master(path.ok_or(UrlError::NoMaster)?)?),
            Kind::Cluster if path.is_some() => return Err(UrlError::ClusterPath),
            Kind::Cluster => Place::Cluster(hosts),
        };
        Ok(Self { tls, user, password, place })
    }
}

enum Kind {
    Server,
    Sentinel,
    Cluster,
}

/// `user:password`, `:password` or `user`.
fn read_credentials(text: &str) -> Result<(Option<String>, Option<Password>), UrlError> {
    let (user, password) = text.split_once(':').map_or((text, None), |(user, password)| (user, Some(password)));
    let user = if user.is_empty() { None } else { Some(unescape(user)?) };
    let password = match password {
        None => None,
        Some("") => return Err(UrlError::EmptyPassword),
        Some(password) => Some(Password::new(unescape(password)?)),
    };
    Ok((user, password))
}

/// Sentinel allows these characters in a name (`sentinel monitor`).
fn master(name: &str) -> Result<String, UrlError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    if name.bytes().all(allowed) { Ok(name.to_owned()) } else { Err(UrlError::NoMaster) }
}

fn unescape(text: &str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).ok_or(UrlError::Escape);
        bytes.push((digit()? * 16 + digit()?) as u8);
    }
    String::from_utf8(bytes).map_err(|_| UrlError::Escape)
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = if self.tls { "rediss" } else { "redis" };
        let (kind, hosts) = match &self.place {
            Place::Server(host, _) => ("", std::slice::from_ref(host)),
            Place::Sentinel(hosts, _) => ("+sentinel", hosts.as_slice()),
            Place::Cluster(hosts) => ("+cluster", hosts.as_slice()),
        };
        write!(f, "{base}{kind}://{}", self.user.as_deref().unwrap_or_default())?;
        match (&self.user, &self.password) {
            (_, Some(_)) => f.write_str(":***@")?,
            (Some(_), None) => f.write_str("@")?,
            (None, None) => {}
        }
        for (at, host) in hosts.iter().enumerate() {
            write!(f, "{}{host}", if at == 0 { "" } else { "," })?;
        }
        match &self.place {
            Place::Server(_, 0) | Place::Cluster(_) => Ok(()),
            Place::Server(_, database) => write!(f, "/{database}"),
            Place::Sentinel(_, name) => write!(f, "/{name}"),
        }
    }
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
