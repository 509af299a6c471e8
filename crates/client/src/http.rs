//! One HTTP request over a fresh connection.

use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    address::Address,
    error::ClientError,
    stream::{Stream, connect},
};

/// Status and body of the answer to a `GET`.
pub async fn get(at: &Address, path: &str) -> Result<(u16, Bytes), ClientError> {
    let failed = |e| ClientError::Connect(at.socket, e);
    let request = Request::get(path).header("host", &at.host).body(Bytes::new());
    let request = request.map_err(|e| failed(io::Error::other(e)))?;
    let (head, body) = ask(connect(at, None).await?, request).await.map_err(failed)?.into_parts();
    Ok((head.status.as_u16(), body))
}

/// Asks over a connection that is for this alone. The request needs a `host` header.
pub async fn ask(stream: Stream, request: Request<Bytes>) -> io::Result<Response<Bytes>> {
    match stream {
        Stream::Plain(stream) => over(stream, request).await,
        Stream::Tls(stream) => over(stream, request).await,
    }
}

async fn over(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Bytes>,
) -> io::Result<Response<Bytes>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let answer = async {
        let (head, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
        Ok::<_, hyper::Error>(Response::from_parts(head, body.collect().await?.to_bytes()))
    };
    let answer = answer.await.map_err(io::Error::other);
    connection.abort();
    answer
}
