//! The accept loop: TCP or TLS, limits by address, back-off when descriptors run out, and the end in good order.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{config::Config, net::Quota};

use super::{
    Http,
    answer::Answer,
    plain,
    progress::{Progress, bound_buffers},
    route,
    upgrade::Transport,
};

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long requests and sockets may take to end at shutdown.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long a connection that has asked nothing so far may take to do so when the server stops.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// Largest request head. It has at most 100 headers: hyper's own limit. What a client sends ahead waits in this much, and
/// no second request is looked at before the answer to the first was taken.
const HEAD_BYTES: usize = 16 * 1024;

/// Limits for connections that are no sockets (yet): a browser opens up to six and keeps them a while, so they are wider.
fn connections(config: &Config) -> Arc<Quota> {
    let server = &config.server;
    Quota::new(
        (server.max_connections as usize).saturating_mul(2),
        (server.connections_per_address as usize).saturating_mul(8),
    )
}

/// Accepts until `shutdown` resolves, then lets what runs come to its end.
pub async fn serve(
    http: Arc<Http>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shutdown: impl Future<Output = ()>,
) {
    let mut shutdown = std::pin::pin!(shutdown);
    let mut tasks = JoinSet::new();
    let connections = connections(&http.config);
    bound_buffers(&listener, http.bounds.patience.unread);
    // nothing is ever sent: that the sender is gone is the signal
    let (open, closing) = watch::channel(());
    let mut pause = Duration::from_millis(5);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
        };
        match accepted {
            Ok((stream, peer)) => {
                pause = Duration::from_millis(5);
                // until they are sockets connections are counted apart, and a proxy's not by address: all are its own
                let permit = match http.config.server.trusted_proxies.iter().any(|p| p.contains(peer.ip())) {
                    true => None,
                    false => match connections.take(peer.ip(), 1) {
                        None => {
                            http.metrics.turned_away.inc();
                            continue;
                        }
                        permit => permit,
                    },
                };
                // replies are small and each is a whole thought: Nagle would only delay them
                let _ = stream.set_nodelay(true);
                http.metrics.connected();
                let (http, tls, closing) = (http.clone(), tls.clone(), closing.clone());
                tasks.spawn(async move {
                    let _permit = permit;
                    match tls {
                        None => connection(http.clone(), stream, peer, closing, route::route).await,
                        Some(tls) => match tokio::time::timeout(HANDSHAKE, handshake(tls, stream)).await {
                            Ok(Ok(Client::Tls(stream))) => {
                                connection(http.clone(), *stream, peer, closing, route::route).await;
                            }
                            Ok(Ok(Client::Plain(stream))) => {
                                let say = |http, _, request| plain::answer(http, request);
                                connection(http.clone(), stream, peer, closing, say).await;
                            }
                            failed => {
                                http.metrics.handshakes_failed.inc();
                                let why = failed.err().map_or("it failed", |_| "it took too long");
                                tracing::debug!(%peer, why, "no TLS");
                            }
                        },
                    }
                    http.metrics.disconnected();
                });
            }
            Err(e) => {
                tracing::warn!(error = %e, pause_ms = pause.as_millis() as u64, "could not accept a connection");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
    drop((listener, open));
    let _ = tokio::time::timeout(FAREWELL, async { while tasks.join_next().await.is_some() {} }).await;
}

/// What came to the port of TLS.
enum Client {
    /// A client that speaks TLS.
    Tls(Box<TlsStream<TcpStream>>),
    /// A client that speaks plain HTTP on the TLS port.
    Plain(TcpStream),
}

async fn handshake(tls: TlsAcceptor, stream: TcpStream) -> io::Result<Client> {
    match plain::speaks_http(&stream).await? {
        true => Ok(Client::Plain(stream)),
        false => Ok(Client::Tls(Box::new(tls.accept(stream).await?))),
    }
}

/// One connection to its end; `answer` answers its requests.
async fn connection<S, A, F>(http: Arc<Http>, stream: S, peer: SocketAddr, mut closing: watch::Receiver<()>, answer: A)
where
    S: Transport,
    A: Fn(Arc<Http>, SocketAddr, Request<Incoming>) -> F,
    F: Future<Output = Result<Answer, Infallible>>,
{
    let asked = Notify::new();
    let service = service_fn(|request| {
        asked.notify_one();
        answer(http.clone(), peer, request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Progress::new(stream, http.bounds.patience.unread)), service)
        .with_upgrades();
    let mut served = std::pin::pin!(served);
    let served = tokio::select! {
        ended = &mut served => ended,
        // what was asked is answered; browsers' idle connections end instead of holding the stop up
        _ = closing.changed() => {
            // a client that connected in this moment has not sent a request yet
            let ended = tokio::select! {
                ended = &mut served => Some(ended),
                () = asked.notified() => None,
                () = tokio::time::sleep(FIRST_REQUEST) => None,
            };
            match ended {
                Some(ended) => ended,
                None => {
                    served.as_mut().graceful_shutdown();
                    served.await
                }
            }
        }
    };
    if let Err(e) = served {
        tracing::debug!(%peer, error = %e, "connection ended");
    }
}
