//! One `GET` over a fresh connection.

use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    dial::{Address, Stream, dial},
    terms::PeerError,
};

/// Status and body of the answer.
pub async fn get(at: &Address, path: &str) -> Result<(u16, Bytes), PeerError> {
    let answer = match dial(at, 0).await? {
        Stream::Plain(stream) => over(stream, &at.host, path).await,
        Stream::Tls(stream) => over(stream, &at.host, path).await,
    };
    answer.map_err(|e| PeerError::Connect(at.socket, e))
}

async fn over(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    host: &str,
    path: &str,
) -> io::Result<(u16, Bytes)> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path).header("host", host).body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    connection.abort();
    Ok((status, body))
}
