//! One connection: TCP, TLS, HTTP/1.1.

use std::{io, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::Endpoint;

/// For TCP and TLS.
const CONNECT: Duration = Duration::from_secs(5);
/// An unused connection is not trusted for longer: most servers and proxies close theirs later.
const FRESH: Duration = Duration::from_secs(15);

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
    /// What its `Date` says.
    pub date: Option<String>,
    /// What its `Content-Range` says.
    pub range: Option<String>,
}

/// An open connection that nobody uses.
pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    since: Instant,
}

impl Connection {
    pub async fn open(to: &Endpoint) -> io::Result<Self> {
        let open = async {
            let stream = TcpStream::connect((to.host.as_str(), to.port)).await?;
            stream.set_nodelay(true)?;
            match &to.tls {
                None => handshake(stream).await,
                Some((tls, name)) => handshake(tls.connect(name.clone(), stream).await?).await,
            }
        };
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {} s", CONNECT.as_secs()));
        let sender = timeout(CONNECT, open).await.map_err(late)??;
        Ok(Self { sender, since: Instant::now() })
    }

    /// Whether the other side probably has not closed it.
    pub fn is_fresh(&self) -> bool {
        self.since.elapsed() < FRESH && !self.sender.is_closed()
    }

    /// Sends a request and reads at most `limit` bytes of the answer. Whoever drops this halfway drops the connection.
    pub async fn exchange(mut self, request: Request<Full<Bytes>>, limit: usize) -> io::Result<(Answer, Option<Self>)> {
        self.sender.ready().await.map_err(io::Error::other)?;
        let (head, body) = self.sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
        let body = Limited::new(body, limit).collect().await.map_err(|e| match e.is::<LengthLimitError>() {
            true => io::Error::new(io::ErrorKind::InvalidData, format!("an answer of more than {limit} bytes")),
            false => io::Error::other(e),
        })?;
        let said = |name| head.headers.get(name).and_then(|value| Some(value.to_str().ok()?.to_owned()));
        let (date, range) = (said(header::DATE), said(header::CONTENT_RANGE));
        self.since = Instant::now();
        let kept = Some(self).filter(|connection| !connection.sender.is_closed());
        Ok((Answer { status: head.status, body: body.to_bytes(), date, range }, kept))
    }
}

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> io::Result<http1::SendRequest<Full<Bytes>>> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // ends with the sender
    tokio::spawn(connection);
    Ok(sender)
}
