//! One HTTP request on a connection of its own.

use std::net::SocketAddr;

use bytes::Bytes;
use hyper::{Request, header::HeaderMap};
use kefu::{
    client::{self, Stream},
    proto::{ConvId, REVISION},
};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};

use super::wire::PATIENCE;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The protocol's error code, if it is a refusal.
    pub fn code(&self) -> Option<u64> {
        self.json()["code"].as_u64()
    }
}

/// Asks; none if the connection broke.
pub async fn ask(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Option<Answer> {
    ask_as(addr, &addr.to_string(), method, path, headers, body).await
}

/// The same under another name of the server.
pub async fn ask_as(
    addr: SocketAddr,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Option<Answer> {
    let stream = Stream::Plain(TcpStream::connect(addr).await.ok()?);
    let mut request = Request::builder().method(method).uri(path).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = timeout(PATIENCE, client::http::ask(stream, request.body(body.into()).unwrap())).await;
    let (head, body) = answer.expect("the server did not answer a request").ok()?.into_parts();
    Some(Answer { status: head.status.as_u16(), headers: head.headers, body })
}

/// `GET` with a token.
pub async fn get(addr: SocketAddr, path: &str, token: &str) -> Option<Answer> {
    ask(addr, "GET", path, &[("authorization", &format!("Bearer {token}"))], Bytes::new()).await
}

/// One page of history after `after`, as frames.
pub async fn page(addr: SocketAddr, token: &str, conv: ConvId, after: u64, limit: usize) -> Option<Vec<Bytes>> {
    page_as(addr, token, conv, after, limit, REVISION).await
}

/// The same as a reader of revision `rev` has it.
pub async fn page_as(
    addr: SocketAddr,
    token: &str,
    conv: ConvId,
    after: u64,
    limit: usize,
    rev: u32,
) -> Option<Vec<Bytes>> {
    let path = format!("/api/v1/conversations/{conv}/records?after={after}&limit={limit}&rev={rev}");
    let answer = get(addr, &path, token).await?;
    if answer.status != 200 {
        return None;
    }
    let mut rest = answer.body;
    let mut records = Vec::new();
    while !rest.is_empty() {
        let len = u32::from_be_bytes(rest.split_to(4)[..].try_into().unwrap());
        records.push(rest.split_to(len as usize));
    }
    Some(records)
}

/// All of a conversation, page by page.
pub async fn history(addr: SocketAddr, token: &str, conv: ConvId) -> Option<Vec<Bytes>> {
    let mut all = Vec::new();
    loop {
        let page = page(addr, token, conv, all.len() as u64, 500).await?;
        if page.is_empty() {
            return Some(all);
        }
        all.extend(page);
    }
}
