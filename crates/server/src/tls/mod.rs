//! Certificates: a pair of a certificate and its key as files hold it, the one that is served now, and a small authority of
//! kefu's own for networks without a public authority.
//!
//! kefu's own pair is one file, so that it is replaced in one step: no loss of power leaves a key beside the certificate of
//! another. A directory that an earlier kefu made has two; they become one at the next renewal.

mod authority;
mod der;
mod pair;
mod served;

use std::{io, path::PathBuf};

pub use authority::{Kept, constrained, default_hosts, keep, known_hosts, make, renew, replace_authority};
pub use pair::{Files, Pair, install};
pub use served::{Served, Status};

/// Our own authority's certificate, to be installed where people browse.
pub const CA_CERT: &str = "ca.pem";
/// Our own authority's private key, with its certificate.
pub const CA_KEY: &str = "ca.key";
/// The server's certificate chain, with its private key.
pub const CERT: &str = "server.pem";
/// The server's private key, where it is not in the file of the certificate.
pub const KEY: &str = "server.key";
/// The names our own certificate is for, one a line; renewals read it.
pub const HOSTS: &str = "hosts";

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// An I/O error.
    #[error("cannot {act} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb: `read`, `write`.
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's message.
        source: io::Error,
    },
    /// There is something else in the file.
    #[error("{} contains no {what} in PEM format{}", path.display(), detail(why))]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What should be there.
        what: &'static str,
        /// The message of the PEM parser, or nothing.
        why: String,
    },
    /// PEM, but no certificate.
    #[error("{} contains something that is not a certificate", .0.display())]
    NotCertificate(PathBuf),
    /// A key that TLS can't use.
    #[error("{} contains a key of a type that kefu cannot use for TLS: {why}", path.display())]
    KeyKind {
        /// The file.
        path: PathBuf,
        /// The parser's message.
        why: String,
    },
    /// Certificate and key do not belong together.
    #[error("{} is not the private key of {}", key.display(), cert.display())]
    Foreign {
        /// Certificate file.
        cert: PathBuf,
        /// Key file.
        key: PathBuf,
    },
    /// It has expired.
    #[error("the certificate {} expired {at}", cert.display())]
    Expired {
        /// The certificate file.
        cert: PathBuf,
        /// When it expired.
        at: jiff::Timestamp,
    },
    /// Its time has not come.
    #[error("the certificate {} is valid only from {from}", cert.display())]
    Early {
        /// The certificate file.
        cert: PathBuf,
        /// From when it is valid.
        from: jiff::Timestamp,
    },
    /// No certificate could be made.
    #[error("cannot create a certificate: {0}")]
    Make(String),
    /// Our own authority may not vouch for this name.
    #[error("the authority in {} is valid only for the names it was made for, and {name} is not one of them", ca.display())]
    NotVouched {
        /// Certificate of the authority.
        ca: PathBuf,
        /// The name.
        name: String,
    },
}

impl TlsError {
    fn io(act: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { act, path: path.to_owned(), source }
    }
}

fn detail(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {why}") }
}

#[cfg(test)]
mod tests;
