//! Answers to plain HTTP on the TLS port: only where to go, and to health probes that the
//! server runs. No page, no redirect that a script could follow without noticing, nothing of the company.

use std::{convert::Infallible, sync::Arc};

use hyper::{
    Request, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use tokio::net::TcpStream;

use super::{Http, answer};

/// Whether a connection begins like a request of HTTP: a method in capital letters, where TLS begins with the byte 22.
pub async fn speaks_http(stream: &TcpStream) -> std::io::Result<bool> {
    let mut first = [0];
    Ok(stream.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase())
}

/// Answers a plain HTTP request.
pub async fn answer(http: Arc<Http>, request: Request<Incoming>) -> Result<answer::Answer, Infallible> {
    http.metrics.http_requests.inc();
    let path = request.uri().path();
    if path == "/healthz" {
        return Ok(answer::guarded(answer::health(*http.serving.borrow()), None));
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).filter(|host| is_host(host));
    let base = host.map_or_else(|| http.public_url.clone(), |host| format!("https://{host}"));
    // what comes after the path is not repeated: it may be anything
    let path = if path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._".contains(&b)) { path } else { "/" };
    let text = format!(
        "This port speaks https. Open {base}{path}\n\
         (Behind a proxy that speaks TLS itself, set plain_http = true in kefu.toml.)\n\n\
         此端口使用 https，请打开 {base}{path}\n"
    );
    let mut answer = answer::bytes(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", text);
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(answer::guarded(answer, None))
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
}
