//! The one place that every request under `/api/v1` and every upgrade to a socket passes before any work is done for it.

use std::net::IpAddr;

use hyper::{Request, body::Incoming};

use crate::chat::RequestError;

use super::{
    Http,
    api::{bearer, identity},
};

/// What a page of history or of a list costs, in requests that only look something up in memory,
const PAGE: u32 = 5;
/// and a socket.
const SOCKET: u32 = 2;

/// Whether a client at an address may make a request now. Agents count separately, as an office has many of them behind one
/// address; visitors, by their token, and strangers count by address, too.
pub fn admit(http: &Http, address: IpAddr, request: &Request<Incoming>) -> Result<(), RequestError> {
    http.metrics.api_requests.inc();
    let who = bearer(request).and_then(|token| identity(http, token));
    let cost = cost(request.uri().path());
    http.chat.limit_read(who.as_ref(), address, cost).inspect_err(|r| http.metrics.refuse(r.code as u16))
}

fn cost(path: &str) -> u32 {
    match path {
        _ if path.starts_with("/api/v1/conversations") && path.contains("/files/") => 1,
        _ if path.starts_with("/api/v1/conversations") => PAGE,
        _ if path.starts_with("/api/v1/ws/") => SOCKET,
        _ => 1,
    }
}
