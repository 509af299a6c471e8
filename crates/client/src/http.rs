//! HTTP requests: one over a fresh connection, or one after the other.

use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
pub use hyper::Method;
use hyper::{Request, Response, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
};

use crate::{
    address::Address,
    error::ClientError,
    stream::{Stream, connect},
};

/// Status and body of the answer to a `GET`.
pub async fn get(at: &Address, path: &str) -> Result<(u16, Bytes), ClientError> {
    Connection::open(at).await?.get(path, None).await
}

/// A connection for one request after the other.
#[derive(Debug)]
pub struct Connection {
    at: Address,
    sender: http1::SendRequest<Full<Bytes>>,
    task: JoinHandle<hyper::Result<()>>,
}

impl Connection {
    /// Connects.
    pub async fn open(at: &Address) -> Result<Self, ClientError> {
        let failed = |e| ClientError::Connect(at.socket, e);
        let (sender, task) = handshake(connect(at, None).await?).await.map_err(failed)?;
        Ok(Self { at: at.clone(), sender, task })
    }

    /// Status and body of the answer to a `GET`, by someone with this token.
    pub async fn get(&mut self, path: &str, token: Option<&str>) -> Result<(u16, Bytes), ClientError> {
        self.send(Method::GET, path, token, Bytes::new()).await
    }

    /// Status and body of the answer to a request with a body, by someone with this token.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Result<(u16, Bytes), ClientError> {
        let socket = self.at.socket;
        let failed = |e| ClientError::Connect(socket, e);
        let mut request = Request::builder().method(method).uri(path).header("host", &self.at.host);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(body).map_err(|e| failed(io::Error::other(e)))?;
        let (head, body) = exchange(&mut self.sender, request).await.map_err(failed)?.into_parts();
        Ok((head.status.as_u16(), body))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asks over a connection that is for this alone. The request needs a `host` header.
pub async fn ask(stream: Stream, request: Request<Bytes>) -> io::Result<Response<Bytes>> {
    let (mut sender, task) = handshake(stream).await?;
    let answer = exchange(&mut sender, request).await;
    task.abort();
    answer
}

type Handshake = (http1::SendRequest<Full<Bytes>>, JoinHandle<hyper::Result<()>>);

async fn handshake(stream: Stream) -> io::Result<Handshake> {
    match stream {
        Stream::Plain(stream) => over(stream).await,
        Stream::Tls(stream) => over(stream).await,
    }
}

async fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> io::Result<Handshake> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    Ok((sender, tokio::spawn(connection)))
}

async fn exchange(
    sender: &mut http1::SendRequest<Full<Bytes>>,
    request: Request<Bytes>,
) -> io::Result<Response<Bytes>> {
    let answer = async {
        sender.ready().await?;
        let (head, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
        Ok::<_, hyper::Error>(Response::from_parts(head, body.collect().await?.to_bytes()))
    };
    answer.await.map_err(io::Error::other)
}
