//! Which address means what: one match, no middleware.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use hyper::{Method, Request, StatusCode, body::Incoming, header};

use crate::{config::client_address as client_address_of, net::Network, proto::ErrorCode};

use super::{
    Http, admin,
    admit::admit,
    answer::{self, Answer, cors, error, preflight, refusal},
    api, assets,
    socket_kind::SocketKind,
    upgrade::upgrade,
};

const FORWARDED: &str = "x-forwarded-for";

/// Answers one request. Never fails: what goes wrong is an answer too.
pub async fn route(http: Arc<Http>, peer: SocketAddr, mut request: Request<Incoming>) -> Result<Answer, Infallible> {
    http.metrics.http_requests.inc();
    let address = client_address(&http, peer, &request);
    let strict = http.strict.as_ref().and_then(|strict| strict.of(request.headers()));
    if request.method() == Method::HEAD {
        // answered as a GET; hyper leaves the body out. A connection that asked so becomes no socket
        *request.method_mut() = Method::GET;
        request.headers_mut().remove(header::UPGRADE);
    }
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let answer = match (request.method(), segments.as_slice()) {
        (&Method::OPTIONS, ["api", "v1", ..]) => preflight(),
        (_, ["api", "v1", ..]) if let Err(r) = admit(&http, address, &request) => cors(refusal(&r)),
        (&Method::GET, ["api", "v1", "ws", "site", site]) => match site.parse() {
            Ok(site) => upgrade(&http, address, SocketKind::Visitor(site), request),
            Err(_) => error(ErrorCode::NotFound, "there is no such site"),
        },
        (&Method::GET, ["api", "v1", "ws", "agent"]) => upgrade(&http, address, SocketKind::Agent, request),
        (_, ["api", "v1", rest @ ..]) => api::route(&http, address, rest, request).await,
        (&Method::GET, ["w", version, "kefu.js"]) => cors(assets::widget(&http, version, request.headers()).await),
        (&Method::GET, ["w", _, file]) => cors(assets::widget_part(&http, file, request.headers()).await),
        // behind a proxy every client seems to be on this machine, so forwarded requests never get the numbers
        (&Method::GET, ["metrics"]) if !request.headers().contains_key(FORWARDED) => {
            admin::metrics(&http, peer.ip(), request.headers())
        }
        (&Method::GET, ["healthz"]) => answer::health(*http.serving.borrow()),
        (&Method::GET, [""]) => redirect("/console/"),
        (&Method::GET, ["console"]) => redirect("/console/"),
        (&Method::GET, ["console", rest @ ..]) => assets::console(&rest.join("/"), request.headers()),
        (&Method::GET, ["demo", rest @ ..]) if http.config.server.demo => {
            assets::demo(&http, &rest.join("/"), request.headers()).await
        }
        (&Method::GET, _) => error(ErrorCode::NotFound, "there is nothing at this address"),
        _ => answer::method_not_allowed("GET, HEAD"),
    };
    Ok(answer::guarded(answer, strict))
}

/// Where the person is, seen through trusted proxies: what limits are counted by.
fn client_address(http: &Http, peer: SocketAddr, request: &Request<Incoming>) -> IpAddr {
    // a proxy may add its own line below one that the client made up: all of them must be read
    let lines: Vec<_> = request.headers().get_all(FORWARDED).iter().filter_map(|v| v.to_str().ok()).collect();
    let forwarded = (!lines.is_empty()).then(|| lines.join(","));
    Network::of(client_address_of(peer.ip(), forwarded.as_deref(), &http.config.server.trusted_proxies)).first()
}

fn redirect(to: &'static str) -> Answer {
    let mut answer = answer::bytes(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
    answer.headers_mut().insert(header::LOCATION, header::HeaderValue::from_static(to));
    answer
}
