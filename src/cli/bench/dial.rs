//! A connection to the server, plain or under TLS: making it, and how bytes go out and come in.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf, ReadHalf, split},
    net::{
        TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    task::spawn_local,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::terms::PeerError;

/// Where a server is.
#[derive(Debug, Clone)]
pub struct Address {
    /// Where sockets go.
    pub socket: SocketAddr,
    /// What the place is called: the `Host` header.
    pub host: String,
    /// None: plain HTTP.
    pub tls: Option<Tls>,
}

/// How the server proves itself under TLS.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Whom to believe.
    pub config: Arc<ClientConfig>,
    /// For this name.
    pub name: ServerName<'static>,
}

/// A connection.
#[derive(Debug)]
pub enum Stream {
    /// Plain.
    Plain(TcpStream),
    /// Under TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

/// An address of this machine to come from: each has some 28,000 ports, and those of closed connections rest a minute.
fn source(to: SocketAddr, n: usize) -> Option<IpAddr> {
    let run = std::process::id() % 200 + 1;
    to.ip().is_loopback().then(|| IpAddr::V4(Ipv4Addr::new(127, run as u8, (n / 5_000) as u8, 1)))
}

/// Connects; `n` is the number of the connection.
pub async fn dial(at: &Address, n: usize) -> Result<Stream, PeerError> {
    let failed = |e| PeerError::Connect(at.socket, e);
    let socket = if at.socket.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(failed)?;
    if let Some(from) = source(at.socket, n).filter(|_| at.socket.is_ipv4()) {
        socket.bind((from, 0).into()).map_err(failed)?;
    }
    let stream = socket.connect(at.socket).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let Some(tls) = &at.tls else { return Ok(Stream::Plain(stream)) };
    let connector = TlsConnector::from(tls.config.clone());
    let stream = connector.connect(tls.name.clone(), stream).await.map_err(failed)?;
    Ok(Stream::Tls(Box::new(stream)))
}

impl Stream {
    /// The side that reads and the side that sends.
    pub fn split(self) -> (Half, Out) {
        match self {
            Self::Plain(stream) => {
                let (half, out) = stream.into_split();
                (Half::Plain(half), Out::Plain(out))
            }
            Self::Tls(stream) => {
                let (half, mut out) = split(stream);
                let (line, mut waiting) = mpsc::unbounded_channel::<Box<[u8]>>();
                spawn_local(async move {
                    // an end of the socket is noticed by its reader
                    while let Some(frame) = waiting.recv().await {
                        if out.write_all(&frame).await.is_err() || out.flush().await.is_err() {
                            return;
                        }
                    }
                });
                (Half::Tls(half), Out::Tls(line))
            }
        }
    }
}

/// The side that reads.
#[derive(Debug)]
pub enum Half {
    /// Plain.
    Plain(OwnedReadHalf),
    /// Under TLS.
    Tls(ReadHalf<Box<TlsStream<TcpStream>>>),
}

impl AsyncRead for Half {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(half) => Pin::new(half).poll_read(cx, buf),
            Self::Tls(half) => Pin::new(half).poll_read(cx, buf),
        }
    }
}

/// The side that sends. May be shared with timers.
#[derive(Debug)]
pub enum Out {
    /// Plain.
    Plain(OwnedWriteHalf),
    /// Under TLS: the task that writes.
    Tls(mpsc::UnboundedSender<Box<[u8]>>),
}

impl Out {
    /// Writes a frame at once. A socket whose buffer is full is an error: no client here ever has that much on its way.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => match out.try_write(frame)? {
                n if n == frame.len() => Ok(()),
                _ => Err(io::Error::other("the socket took only a part")),
            },
            Self::Tls(line) => line.send(frame.into()).map_err(|_| io::ErrorKind::BrokenPipe.into()),
        }
    }
}
