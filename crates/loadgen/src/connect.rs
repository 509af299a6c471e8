//! One client of the target, signed in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use kefu_client::{ClientError, Endpoint, Reader, Socket, Writer};
use kefu_crypto::sign::SigningKey;

use crate::target::Target;

/// Connections from one address of this machine: each has some 28,000 ports, and those of closed connections rest a minute.
const EACH: usize = 5_000;

/// An address of this machine for connection number `n`; only on one machine are there several to choose from.
fn source(to: SocketAddr, n: usize) -> Option<IpAddr> {
    let run = std::process::id() % 200 + 1;
    let loopback = to.is_ipv4() && to.ip().is_loopback();
    loopback.then(|| Ipv4Addr::new(127, run as u8, (n / EACH) as u8, 1).into())
}

/// Connects and signs in; `n` is the number of the connection.
pub async fn connect(
    target: &Target,
    endpoint: &Endpoint,
    key: &SigningKey,
    n: usize,
) -> Result<(Reader, Writer), ClientError> {
    let (_, reader, writer) = welcomed(target, endpoint, key, n).await?;
    Ok((reader, writer))
}

/// Connects and signs in; gives the welcome, too.
pub async fn welcomed(
    target: &Target,
    endpoint: &Endpoint,
    key: &SigningKey,
    n: usize,
) -> Result<(Bytes, Reader, Writer), ClientError> {
    let at = &target.address;
    let stream = kefu_client::connect(at, source(at.socket, n)).await?;
    let mut socket = Socket::open(stream, &at.host, endpoint).await?;
    let welcome = socket.sign_in(&target.directory.fp(), endpoint.side, key).await?;
    let (reader, writer) = socket.into_halves();
    Ok((welcome, reader, writer))
}
