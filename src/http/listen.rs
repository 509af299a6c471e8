//! The accept loop: TCP or TLS, limits by address, back-off when descriptors run out, and the end in good order.

use std::{
    collections::HashMap,
    future::Future,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{Http, route};

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long requests and sockets may take to end at shutdown.
const FAREWELL: Duration = Duration::from_secs(5);
/// Largest request head.
const HEAD_BYTES: usize = 16 * 1024;

/// How many sockets there are, and from where.
#[derive(Debug)]
pub struct Addresses {
    most: usize,
    each: u32,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of: HashMap<IpAddr, u32>,
}

/// A place in [`Addresses`]; given back when dropped.
pub struct Place {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    /// At most `most` in all and `each` for an address.
    pub fn new(most: usize, each: u32) -> Arc<Self> {
        Arc::new(Self { most, each, open: Mutex::default() })
    }

    /// Limits for connections that are no sockets (yet): a browser opens up to six and keeps them a while, so they are wider.
    fn for_requests(&self) -> Arc<Self> {
        Self::new(self.most.saturating_mul(2), self.each.saturating_mul(8))
    }

    /// Counts one of this address; none if there are too many.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = neighbourhood(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= self.most || open.of.get(&address).is_some_and(|count| *count >= self.each) {
            return None;
        }
        *open.of.entry(address).or_insert(0) += 1;
        open.all += 1;
        Some(Place { addresses: self.clone(), address })
    }
}

/// What one customer of a network has: an IPv4 address, or the 2^64 IPv6 addresses that share their first half.
pub(super) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() >> 64 << 64).into()),
        v4 => v4,
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.addresses.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(count) = open.of.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.of.remove(&self.address);
            }
        }
    }
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
    let waiting = http.addresses.for_requests();
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
                let place = match http.config.server.trusted_proxies.iter().any(|p| p.contains(peer.ip())) {
                    true => None,
                    false => match waiting.enter(peer.ip()) {
                        None => {
                            http.metrics.turned_away.inc();
                            continue;
                        }
                        place => place,
                    },
                };
                // replies are small and each is a whole thought: Nagle would only delay them
                let _ = stream.set_nodelay(true);
                http.metrics.connected();
                let (http, tls, closing) = (http.clone(), tls.clone(), closing.clone());
                tasks.spawn(async move {
                    let _place = place;
                    match tls {
                        None => connection(http.clone(), stream, peer, closing).await,
                        Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                            Ok(Ok(stream)) => connection(http.clone(), stream, peer, closing).await,
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

async fn connection<S>(http: Arc<Http>, stream: S, peer: SocketAddr, mut closing: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| route::route(http.clone(), peer, request));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut served = std::pin::pin!(served);
    let served = tokio::select! {
        ended = &mut served => ended,
        // what was asked is answered; browsers' idle connections end instead of holding the stop up
        _ = closing.changed() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(e) = served {
        tracing::debug!(%peer, error = %e, "connection ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_neighbourhood_and_given_back() {
        let addresses = Addresses::new(3, 2);
        let ip = |s: &str| s.parse::<IpAddr>().unwrap();
        let first = addresses.enter(ip("2001:db8::1"));
        let second = addresses.enter(ip("2001:db8::ffff:2"));
        assert!(first.is_some() && second.is_some());
        assert!(addresses.enter(ip("2001:db8::3")).is_none(), "the same customer");
        let third = addresses.enter(ip("2001:db8:0:1::1"));
        assert!(third.is_some());
        assert!(addresses.enter(ip("192.0.2.1")).is_none(), "full");
        drop(first);
        assert!(addresses.enter(ip("::ffff:192.0.2.1")).is_some_and(|p| p.address == ip("192.0.2.1")));
        drop((second, third));
        assert!(addresses.open.lock().unwrap().of.is_empty());
    }
}
