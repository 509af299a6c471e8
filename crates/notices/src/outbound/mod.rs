//! Requests to addresses that settings or browsers name. Such an address may lead into the company's own network, so each request
//! resolves the name itself, checks every address, and connects only to one that it checked: a name that changes between check and
//! connection changes nothing. No redirect is followed. Time, headers and body of an answer are bounded. TLS is verified by rustls.

mod address;
mod target;

use std::{
    fmt, fs, io,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{HeaderMap, Request, StatusCode, client::conn::http1, header, http::HeaderValue};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

pub use address::{Forbidden, check};
pub use target::{Target, TargetError};

/// For a connection to one address, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// For the whole request. A queue's claim is longer.
const WHOLE: Duration = Duration::from_secs(15);
/// Addresses of a name that are tried.
const ADDRESSES: usize = 4;
/// Largest answer.
const ANSWER: usize = 64 * 1024;
/// Largest head of an answer.
const HEAD: usize = 16 * 1024;

/// Where systems keep the authorities that they trust.
const SYSTEM: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// An answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Body.
    pub body: Bytes,
    /// What `Retry-After` asks for, if it is a number of seconds.
    pub retry_after: Option<Duration>,
}

/// Why there is no answer. Scheme and host of the address are in it, and no more of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The name has no address.
    #[error("the name of {to} can't be resolved: {why}")]
    Name {
        /// Scheme, host and port.
        to: String,
        /// What the resolver says.
        why: String,
    },
    /// All addresses of it are forbidden.
    #[error("{to} has the address {address}, which is {why}; if it may be reached, set allow_private = true")]
    Forbidden {
        /// Scheme, host and port.
        to: String,
        /// The first address.
        address: IpAddr,
        /// What is wrong with it.
        why: Forbidden,
    },
    /// Authorities to trust.
    #[error("there are no certificates to trust for TLS on this system: name a PEM file in ca")]
    NoAuthority,
    /// Nothing, or not in time, or too much.
    #[error("no answer from {to}: {why}")]
    NoAnswer {
        /// Scheme, host and port.
        to: String,
        /// What happened.
        why: String,
    },
}

/// Turns names into addresses.
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of a name.
    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// The system's.
struct System;

impl Resolver for System {
    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let host = host.to_owned();
        async move { Ok(lookup_host((host, port)).await?.collect()) }.boxed()
    }
}

/// Sends requests.
#[derive(Clone)]
pub struct Outbound {
    tls: Option<TlsConnector>,
    allow_private: bool,
    resolver: Arc<dyn Resolver>,
    whole: Duration,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("allow_private", &self.allow_private).finish_non_exhaustive()
    }
}

impl Outbound {
    /// `ca`: a PEM file with the authorities to trust; none: those of the system, if it has any.
    ///
    /// # Errors
    /// The file can't be read, or has no certificate.
    pub fn new(ca: Option<&Path>, allow_private: bool) -> io::Result<Self> {
        let tls = match ca {
            Some(file) => Some(connector(&fs::read(file)?)?),
            None => SYSTEM.iter().find_map(|file| fs::read(file).ok()).map(|pem| connector(&pem)).transpose()?,
        };
        Ok(Self { tls, allow_private, resolver: Arc::new(System), whole: WHOLE })
    }

    /// The same with other names.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_resolver(self, resolver: impl Resolver) -> Self {
        Self { resolver: Arc::new(resolver), ..self }
    }

    /// The same with less time.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_time(self, whole: Duration) -> Self {
        Self { whole, ..self }
    }

    /// Whether addresses within networks may be reached, and without TLS.
    pub fn allows_private(&self) -> bool {
        self.allow_private
    }

    /// Sends one request.
    ///
    /// # Errors
    /// There is no answer, or it must not be asked.
    pub async fn post(&self, to: &Target, headers: HeaderMap, body: Bytes) -> Result<Answer, OutboundError> {
        let failed = |why: String| OutboundError::NoAnswer { to: to.to_string(), why };
        let asked = async {
            let addresses = self.addresses(to).await?;
            let mut last = String::new();
            for address in addresses {
                match timeout(CONNECT, self.connect(to, address)).await {
                    Ok(Ok(sender)) => return exchange(sender, to, headers, body).await.map_err(failed),
                    Ok(Err(Unconnected::NoAuthority)) => return Err(OutboundError::NoAuthority),
                    Ok(Err(Unconnected::Io(e))) => last = e.to_string(),
                    Err(_) => last = format!("no connection within {} s", CONNECT.as_secs()),
                }
            }
            Err(failed(last))
        };
        let late = |_| failed(format!("not within {} s", self.whole.as_secs_f32()));
        timeout(self.whole, asked).await.map_err(late)?
    }

    /// The addresses that may be connected to.
    async fn addresses(&self, to: &Target) -> Result<Vec<SocketAddr>, OutboundError> {
        let unknown = |why: String| OutboundError::Name { to: to.to_string(), why };
        let found = match to.host().parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, to.port())],
            Err(_) => self.resolver.resolve(to.host(), to.port()).await.map_err(|e| unknown(e.to_string()))?,
        };
        let mut forbidden = None;
        let mut allowed = Vec::new();
        for address in found {
            match check(address.ip(), self.allow_private) {
                Ok(()) => allowed.push(address),
                Err(why) => forbidden = forbidden.or(Some((address.ip(), why))),
            }
        }
        allowed.truncate(ADDRESSES);
        match (allowed.is_empty(), forbidden) {
            (false, _) => Ok(allowed),
            (true, Some((address, why))) => Err(OutboundError::Forbidden { to: to.to_string(), address, why }),
            (true, None) => Err(unknown("it has no address".to_owned())),
        }
    }

    async fn connect(&self, to: &Target, address: SocketAddr) -> Result<Sender, Unconnected> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        match to.server_name() {
            None => Ok(handshake(stream).await?),
            Some(name) => {
                let tls = self.tls.as_ref().ok_or(Unconnected::NoAuthority)?;
                Ok(handshake(tls.connect(name.clone(), stream).await?).await?)
            }
        }
    }
}

type Sender = http1::SendRequest<Full<Bytes>>;

enum Unconnected {
    NoAuthority,
    Io(io::Error),
}

impl From<io::Error> for Unconnected {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

async fn handshake(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> io::Result<Sender> {
    let built = http1::Builder::new().max_buf_size(HEAD).max_headers(64).handshake(TokioIo::new(stream)).await;
    let (sender, connection) = built.map_err(io::Error::other)?;
    // ends with the sender
    tokio::spawn(connection);
    Ok(sender)
}

async fn exchange(mut sender: Sender, to: &Target, headers: HeaderMap, body: Bytes) -> Result<Answer, String> {
    let mut request = Request::post(to.path_and_query()).body(Full::new(body)).map_err(|e| e.to_string())?;
    *request.headers_mut() = headers;
    let host = HeaderValue::from_str(to.authority()).map_err(|e| e.to_string())?;
    request.headers_mut().insert(header::HOST, host);
    request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("kefu"));
    let answer = sender.send_request(request).await.map_err(|e| e.to_string())?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER).collect().await.map_err(|e| match e.is::<LengthLimitError>() {
        true => format!("an answer of more than {ANSWER} bytes"),
        false => e.to_string(),
    })?;
    let retry_after = head.headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok());
    Ok(Answer { status: head.status, body: body.to_bytes(), retry_after: retry_after.map(Duration::from_secs) })
}

fn connector(pem: &[u8]) -> io::Result<TlsConnector> {
    let wrong = |e: String| io::Error::new(io::ErrorKind::InvalidData, e);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        // a system's bundle may have some that can't be understood; they are trusted for nothing
        let _ = roots.add(certificate.map_err(|e| wrong(e.to_string()))?);
    }
    if roots.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
