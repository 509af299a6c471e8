//! From request to socket: origin, version, subprotocol, 101, and a task of its own.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderMap, HeaderName, HeaderValue},
    upgrade::Parts,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::{
    net::origin,
    proto::{ErrorCode, SUBPROTOCOL},
};

use super::{
    Http,
    answer::{Answer, error},
    progress::Progress,
    session,
    socket_kind::SocketKind,
};

/// What requests come over. [`upgrade()`] takes the stream out of hyper by its type, so only the types it knows may be
/// served: of a `Box` around one of them it would open no socket.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl Transport for TcpStream {}
impl Transport for TlsStream<TcpStream> {}

/// Answers 101 and hands the stream to a session, or returns the refusal.
pub fn upgrade(http: &Arc<Http>, address: IpAddr, kind: SocketKind, mut request: Request<Incoming>) -> Answer {
    let headers = request.headers();
    let wants = |name: HeaderName, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|v| v.to_str().ok())
            .any(|v| v.split(',').any(|p| p.trim().eq_ignore_ascii_case(word)))
    };
    if !wants(header::CONNECTION, "upgrade") || !wants(header::UPGRADE, "websocket") {
        let mut answer = error(ErrorCode::Malformed, "this address speaks WebSocket");
        *answer.status_mut() = StatusCode::UPGRADE_REQUIRED;
        answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return answer;
    }
    if !wants(header::SEC_WEBSOCKET_VERSION, "13") || !wants(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return error(ErrorCode::Unsupported, "this server speaks WebSocket 13 with the subprotocol kefu.v1");
    }
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY).map(|k| derive_accept_key(k.as_bytes())) else {
        return error(ErrorCode::Malformed, "Sec-WebSocket-Key is missing");
    };
    if let Some(refused) = check_origin(http, &kind, headers) {
        return refused;
    }
    let Some(permit) = http.bounds.sockets.take(address, 1) else {
        http.metrics.turned_away.inc();
        return error(ErrorCode::RateLimited, "too many sockets from this address");
    };
    let on_upgrade = hyper::upgrade::on(&mut request);
    let http = http.clone();
    tokio::spawn(async move {
        let upgraded = match on_upgrade.await {
            Ok(upgraded) => upgraded,
            Err(e) => return tracing::debug!(error = %e, "upgrade failed"),
        };
        // the raw stream costs less than hyper's wrapper, and its read buffer goes unless something is in it
        match upgraded.downcast::<TokioIo<Progress<TcpStream>>>() {
            Ok(Parts { io, read_buf, .. }) => {
                session::start(http, io.into_inner(), &read_buf, kind, address, permit);
            }
            Err(upgraded) => match upgraded.downcast::<TokioIo<Progress<TlsStream<TcpStream>>>>() {
                Ok(Parts { io, read_buf, .. }) => {
                    session::start(http, io.into_inner(), &read_buf, kind, address, permit);
                }
                Err(_) => tracing::error!("an upgraded connection is of an unknown kind"),
            },
        }
    });
    switching(&key)
}

fn switching(key: &str) -> Answer {
    let mut answer = Response::new(Bytes::new().into());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    if let Ok(key) = HeaderValue::from_str(key) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
    }
    answer
}

/// A browser always sends the page's origin; only programs leave it out. Visitors' pages must have an origin that
/// the signed directory lists for the site, the console must be ours.
fn check_origin(http: &Http, kind: &SocketKind, headers: &HeaderMap) -> Option<Answer> {
    let origin = headers.get(header::ORIGIN).map(|o| o.to_str().unwrap_or(""));
    match kind {
        SocketKind::Visitor(site) => {
            // the signed directory in memory: other data of a site is on disk, and reconnects of all clients come here
            let directory = http.org.directory();
            let Some(site) = directory.site(site) else {
                return Some(error(ErrorCode::NotFound, "there is no such site"));
            };
            match origin {
                Some(origin) if !site.origins.iter().any(|o| o == origin) && origin != http.public_url => Some(error(
                    ErrorCode::Forbidden,
                    "this site does not list the origin of the page; see kefu site change",
                )),
                _ => None,
            }
        }
        SocketKind::Agent => match origin {
            Some(origin) if !own_origin(http, origin, headers) => {
                Some(error(ErrorCode::Forbidden, "the console must come from this server"))
            }
            _ => None,
        },
    }
}

/// Whether a page of `origin` was served by this server: the public address, or whatever name the request itself was
/// sent to (an intranet reaches one server by many names).
pub(super) fn own_origin(http: &Http, origin: &str, headers: &HeaderMap) -> bool {
    // without its scheme: behind a proxy the server does not know whether people came over https
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("");
    let asked = |scheme: &str| origin::normalised(&format!("{scheme}://{host}"));
    origin == http.public_url
        || origin.split_once("://").is_some_and(|(scheme, _)| asked(scheme).as_deref() == Ok(origin))
}
