//! Where a server is, and how it proves under TLS that it is the one.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use hyper::Uri;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem::PemObject},
};
use tokio::net::lookup_host;

/// Where a server is.
#[derive(Debug, Clone)]
pub struct Address {
    /// Resolved address.
    pub socket: SocketAddr,
    /// What the place is called: the `Host` header.
    pub host: String,
    /// TLS settings; none for plain HTTP.
    pub tls: Option<Tls>,
}

/// How the server proves itself under TLS.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Trusted authorities.
    pub config: Arc<ClientConfig>,
    /// Name that the certificate must be valid for.
    pub name: ServerName<'static>,
}

/// Why an address is none.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not the address of a server.
    #[error("{0:?} is not http://host:port or https://host:port")]
    Url(String),
    /// The name is unknown.
    #[error("cannot find {0}")]
    Lookup(String, #[source] io::Error),
    /// The name is known, and nothing is there.
    #[error("{0} has no address")]
    Nowhere(String),
    /// TLS without a trusted authority.
    #[error("https needs the authority that issued the server's certificate")]
    NoAuthority,
    /// The file of the authority can't be used.
    #[error("cannot use {0}")]
    Authority(PathBuf, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// No certificate can be for this name.
    #[error(transparent)]
    Name(#[from] InvalidDnsNameError),
    /// TLS can't be done at all.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

impl Address {
    /// A server that speaks plain HTTP.
    pub fn plain(socket: SocketAddr) -> Self {
        Self { socket, host: socket.to_string(), tls: None }
    }

    /// Of a URL such as `http://127.0.0.1:8443`. For https the certificates in the PEM file `authorities` are believed.
    pub async fn lookup(url: &str, authorities: Option<&Path>) -> Result<Self, AddressError> {
        let not_one = || AddressError::Url(url.to_owned());
        let parsed: Uri = url.parse().map_err(|_| not_one())?;
        let secure = match parsed.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(not_one()),
        };
        if parsed.path() != "/" || parsed.query().is_some() {
            return Err(not_one());
        }
        let host = parsed.authority().ok_or_else(not_one)?;
        // a literal IPv6 address is in brackets
        let name = host.host().trim_matches(['[', ']']);
        let port = host.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let mut found = lookup_host((name, port)).await.map_err(|e| AddressError::Lookup(name.to_owned(), e))?;
        let socket = found.next().ok_or_else(|| AddressError::Nowhere(name.to_owned()))?;
        let tls = match secure {
            true => Some(Tls::new(name, authorities.ok_or(AddressError::NoAuthority)?)?),
            false => None,
        };
        Ok(Self { socket, host: host.to_string(), tls })
    }
}

impl Tls {
    /// For a server of this name with a certificate by one of the authorities in a PEM file.
    pub fn new(name: &str, authorities: &Path) -> Result<Self, AddressError> {
        let mut roots = RootCertStore::empty();
        read(authorities, &mut roots).map_err(|e| AddressError::Authority(authorities.to_owned(), e))?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config), name: ServerName::try_from(name.to_owned())? })
    }
}

fn read(path: &Path, roots: &mut RootCertStore) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    for authority in CertificateDer::pem_file_iter(path)? {
        roots.add(authority?)?;
    }
    Ok(())
}
