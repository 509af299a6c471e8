//! Where the store is, and how it proves under TLS that it is the one.

use std::{fmt, sync::Arc};

use hyper::Uri;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio_rustls::TlsConnector;

/// Where the store is.
#[derive(Clone)]
pub struct Endpoint {
    /// A name or an address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The `Host` header.
    pub(crate) authority: String,
    /// None: plain HTTP.
    pub(crate) tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// Why it can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not the address of a server.
    #[error("{0:?} is not https://host or https://host:port")]
    Url(String),
    /// TLS without anybody to trust.
    #[error("https needs the certificates to trust")]
    NoAuthority,
    /// The authorities can't be read.
    #[error("the certificates to trust can't be used: {0}")]
    Authority(String),
}

impl Endpoint {
    /// Of `https://host[:port]` or `http://host[:port]`. `ca`: the PEM text of the authorities to trust, and no others.
    ///
    /// # Errors
    /// Something else is written there, or the authorities can't be used.
    pub fn new(url: &str, ca: Option<&[u8]>) -> Result<Self, EndpointError> {
        let not_one = || EndpointError::Url(url.to_owned());
        let parsed: Uri = url.parse().map_err(|_| not_one())?;
        let secure = match parsed.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(not_one()),
        };
        let authority = parsed.authority().ok_or_else(not_one)?;
        if parsed.path() != "/" || parsed.query().is_some() || authority.as_str().contains('@') {
            return Err(not_one());
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let usual = if secure { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(usual);
        let tls = match secure {
            true => {
                let name = ServerName::try_from(host.clone()).map_err(|_| not_one())?;
                Some((connector(ca.ok_or(EndpointError::NoAuthority)?)?, name))
            }
            false => None,
        };
        // a port that goes without saying is not said: it would be signed, and some servers leave it out
        let authority =
            if port == usual { authority.host().to_owned() } else { format!("{}:{port}", authority.host()) };
        Ok(Self { host, port, authority, tls })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.authority)
    }
}

fn connector(ca: &[u8]) -> Result<TlsConnector, EndpointError> {
    let wrong = |e: &dyn fmt::Display| EndpointError::Authority(e.to_string());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca) {
        // a system's bundle may have some that can't be understood; they are trusted for nothing
        let _ = roots.add(certificate.map_err(|e| wrong(&e))?);
    }
    if roots.is_empty() {
        return Err(wrong(&"there is none in the file"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(&e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_servers_and_nothing_more() {
        for (url, shown, port) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000", 9000),
            ("http://s3.example:80/", "http://s3.example", 80),
            ("http://[::1]:9000", "http://[::1]:9000", 9000),
        ] {
            let endpoint = Endpoint::new(url, None).unwrap_or_else(|e| panic!("{url}: {e}"));
            assert_eq!((endpoint.to_string().as_str(), endpoint.port), (shown, port));
        }
        for url in ["", "s3.example", "ftp://x", "http://x/bucket", "http://x/?a", "http://user:pw@x", "http://"] {
            assert!(matches!(Endpoint::new(url, None), Err(EndpointError::Url(_))), "{url}");
        }
        assert_eq!(Endpoint::new("https://x", None).err(), Some(EndpointError::NoAuthority));
        assert!(matches!(Endpoint::new("https://x", Some(b"nothing")), Err(EndpointError::Authority(_))));
    }
}
