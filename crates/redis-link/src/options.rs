//! What stands beside the URL.

use std::{fmt, time::Duration};

use crate::{Password, UrlError};

/// How to connect.
#[derive(Clone)]
pub struct Options {
    /// Password of the URL's user, if it is not in the URL.
    pub password: Option<Password>,
    /// Password of the Sentinels, which have their own.
    pub sentinel_password: Option<Password>,
    /// PEM certificates of the authorities that are trusted under TLS. Those that a system trusts are in one file, in Debian
    /// `/etc/ssl/certs/ca-certificates.crt`.
    pub ca: Option<Vec<u8>>,
    /// For resolving a name, connecting, TLS and the handshake together. 2 s.
    pub connect_timeout: Duration,
    /// For the reply to a command or to a whole pipeline; must be longer than what a `WAIT` in it waits. 10 s.
    pub response_timeout: Duration,
    /// Pushes that may wait for their reader before the connection ends. 16,384.
    pub pushes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            password: None,
            sentinel_password: None,
            ca: None,
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(10),
            pushes: 16_384,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("password", &self.password)
            .field("sentinel_password", &self.sentinel_password)
            .field("ca", &self.ca.as_ref().map(Vec::len))
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .field("pushes", &self.pushes)
            .finish()
    }
}

/// Settings that can't be right, whatever the servers say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The URL itself.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// In the URL and beside it.
    #[error("there are two passwords, one in the address and one in a file: keep one of them")]
    TwoPasswords,
    /// A file without anything in it.
    #[error("the password is empty: write it into its file")]
    EmptyPassword,
    /// A user who can't prove it.
    #[error("the address names a user without a password: write user:password@ or set a file with the password")]
    NoPassword,
    /// TLS without anything to trust.
    #[error(
        "{0} encrypts and needs the authority that issued the servers' certificates: set ca to its file, or to the file with all that the system trusts, in Debian /etc/ssl/certs/ca-certificates.crt"
    )]
    NoAuthority(String),
    /// No certificate in it.
    #[error("the file of the authority holds no certificate in PEM form (-----BEGIN CERTIFICATE-----): {0}")]
    Authority(String),
    /// An authority that nothing uses.
    #[error("ca is set and the address does not encrypt: write {0} or leave ca out")]
    NotEncrypted(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_show_no_password() {
        let options = Options { password: Some(Password::new("secret")), ..Options::default() };
        assert!(!format!("{options:?}").contains("secret"));
    }
}
