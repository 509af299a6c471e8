//! A connection to a server, plain or under TLS: making it, and its two halves.

use std::{
    io,
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf, split},
    net::{
        TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{address::Address, error::ClientError};

/// A connection.
#[derive(Debug)]
pub enum Stream {
    /// Without TLS.
    Plain(TcpStream),
    /// With TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects; `from` is the address of this machine to come from, if that matters.
pub async fn connect(to: &Address, from: Option<IpAddr>) -> Result<Stream, ClientError> {
    let failed = |e| ClientError::Connect(to.socket, e);
    let socket = if to.socket.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(failed)?;
    if let Some(from) = from {
        socket.bind((from, 0).into()).map_err(failed)?;
    }
    let stream = socket.connect(to.socket).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let Some(tls) = &to.tls else { return Ok(Stream::Plain(stream)) };
    let connector = TlsConnector::from(tls.config.clone());
    let stream = connector.connect(tls.name.clone(), stream).await.map_err(failed)?;
    Ok(Stream::Tls(Box::new(stream)))
}

impl Stream {
    /// The half that reads and the half that writes.
    pub(crate) fn split(self) -> (ReadHalf, Writer) {
        match self {
            Self::Plain(stream) => {
                let (reader, writer) = stream.into_split();
                (ReadHalf::Plain(reader), Writer::Plain(writer))
            }
            Self::Tls(stream) => {
                let (reader, mut writer) = split(stream);
                let (queue, mut waiting) = mpsc::unbounded_channel::<Box<[u8]>>();
                tokio::spawn(async move {
                    // an end of the socket is noticed by its reader
                    while let Some(frame) = waiting.recv().await {
                        if writer.write_all(&frame).await.is_err() || writer.flush().await.is_err() {
                            return;
                        }
                    }
                });
                (ReadHalf::Tls(reader), Writer::Tls(queue))
            }
        }
    }
}

/// The half that reads.
#[derive(Debug)]
pub(crate) enum ReadHalf {
    /// Without TLS.
    Plain(OwnedReadHalf),
    /// With TLS.
    Tls(tokio::io::ReadHalf<Box<TlsStream<TcpStream>>>),
}

impl AsyncRead for ReadHalf {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(half) => Pin::new(half).poll_read(cx, buf),
            Self::Tls(half) => Pin::new(half).poll_read(cx, buf),
        }
    }
}

/// The half that writes. May be shared with timers.
#[derive(Debug)]
pub enum Writer {
    /// Without TLS.
    Plain(OwnedWriteHalf),
    /// Under TLS: the queue of the task that writes.
    Tls(mpsc::UnboundedSender<Box<[u8]>>),
}

impl Writer {
    /// Writes a frame at once. A socket whose buffer is full is an error: for who never has that much on its way.
    pub fn try_send(&self, frame: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(half) => match half.try_write(frame)? {
                n if n == frame.len() => Ok(()),
                _ => Err(io::Error::other("the socket accepted only a part")),
            },
            Self::Tls(queue) => queue.send(frame.into()).map_err(|_| io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Writes a frame, and waits while the socket's buffer is full. If this is dropped before its end, a part of
    /// the frame may have been written, and the socket is of no use any more.
    pub async fn send(&self, frame: &[u8]) -> io::Result<()> {
        let Self::Plain(half) = self else { return self.try_send(frame) };
        let mut written = 0;
        while written < frame.len() {
            match half.try_write(&frame[written..]) {
                Ok(n) => written += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => half.writable().await?,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}
