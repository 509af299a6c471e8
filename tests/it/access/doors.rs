//! Pages of other origins, and addresses that are only claimed.

use std::{fs, os::unix::fs::PermissionsExt};

use futures_util::{SinkExt, StreamExt};
use kefu::{
    client::hello,
    crypto::sign::SigningKey,
    proto::{SUBPROTOCOL, ServerFrame, Side},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    client_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        http::HeaderValue,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use crate::support::{
    company::Company,
    http::ask,
    server::{Server, config},
    wire::{Door, PATIENCE, Wire},
};

async fn knock(server: &Server, door: Door, origin: Option<&str>) -> Result<(), Option<u16>> {
    let door = Door { origin: origin.map(str::to_owned), ..door };
    Wire::open(server.addr, &door).await.map(drop)
}

/// The client of the other tests is kefu's own. What both accept as a WebSocket must be one for others, too.
#[tokio::test]
async fn a_client_with_a_websocket_of_another_make_is_served() {
    let server = Server::new().await;
    let mut request = format!("ws://{}/api/v1/ws/site/s1", server.addr).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    let tcp = TcpStream::connect(server.addr).await.unwrap();
    let (mut socket, answer) = client_async(request, tcp).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], SUBPROTOCOL);
    let mut next = async |say: Option<Message>| {
        if let Some(message) = say {
            socket.send(message).await.unwrap();
        }
        timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap()
    };
    let challenge = next(None).await.into_text().unwrap();
    let ServerFrame::Challenge { nonce, org, .. } = serde_json::from_str(&challenge).unwrap() else {
        panic!("no challenge but {challenge}");
    };
    let hello = hello(&org.parse().unwrap(), Side::Visitor, &SigningKey::generate(), &nonce).unwrap();
    let welcome = next(Some(Message::text(serde_json::to_string(&hello).unwrap()))).await;
    assert!(welcome.into_text().unwrap().starts_with(r#"{"t":"welcome""#));
    // other frames for a new socket may come in between
    let mut answer = next(Some(Message::text(r#"{"t":"ping"}"#))).await;
    while !answer.to_text().unwrap().starts_with(r#"{"t":"pong""#) {
        answer = next(None).await;
    }
    assert_eq!(next(Some(Message::Ping("here".into()))).await, Message::Pong("here".into()));
    // one that leaves hears that it was heard
    let bye = Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "bye".into() }));
    let Message::Close(Some(heard)) = next(Some(bye)).await else { panic!("no close frame") };
    assert_eq!(heard.code, CloseCode::Normal);
}

#[tokio::test]
async fn sockets_open_for_listed_origins_only() {
    let server = Server::new().await;
    let own = format!("http://{}", server.addr);
    for good in [Some("https://shop.example"), Some(&own[..]), None] {
        assert_eq!(knock(&server, Door::site("s1"), good).await, Ok(()), "{good:?}");
    }
    let bad = [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example.evil.example",
        "https://shop.example:8443",
        "https://SHOP.example",
        "null",
        "",
    ];
    for origin in bad {
        assert_eq!(knock(&server, Door::site("s1"), Some(origin)).await, Err(Some(403)), "{origin}");
        assert_eq!(knock(&server, Door::agent(), Some(origin)).await, Err(Some(403)), "{origin} to the console");
    }
    assert_eq!(knock(&server, Door::agent(), Some("https://shop.example")).await, Err(Some(403)));
    assert_eq!(knock(&server, Door::agent(), Some(&own)).await, Ok(()));
    assert_eq!(knock(&server, Door::site("nosuch"), None).await, Err(Some(404)));
}

#[tokio::test]
async fn pages_of_other_sites_can_change_nothing() {
    let server = Server::new().await;
    for path in ["login/start", "login/finish", "invite/claim", "password/finish", "snapshot"] {
        let path = format!("/api/v1/{path}");
        let answer = ask(server.addr, "POST", &path, &[("origin", "https://shop.example")], "{}").await.unwrap();
        assert_eq!((answer.status, answer.code()), (403, Some(5)), "{path}");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    let public = ask(server.addr, "GET", "/api/v1/site/s1", &[("origin", "https://any.example")], "").await.unwrap();
    assert_eq!(public.headers["access-control-allow-origin"], "*");
    assert!(!public.headers.contains_key("access-control-allow-credentials"));
}

#[tokio::test]
async fn a_claimed_address_is_believed_from_trusted_proxies_only() {
    let company = Company::found().await;
    let mut config = config();
    config.server.connections_per_address = 2;
    let claiming = |address: &str| Door { headers: vec![("x-forwarded-for", address.into())], ..Door::site("s1") };

    let server = Server::start(&company, config.clone()).await;
    let _one = Wire::open(server.addr, &claiming("10.0.0.1")).await.ok().unwrap();
    let _two = Wire::open(server.addr, &claiming("10.0.0.2")).await.ok().unwrap();
    assert_eq!(Wire::open(server.addr, &claiming("10.0.0.3")).await.err(), Some(Some(429)));
    server.stopped().await;

    config.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let server = Server::start(&company, config).await;
    let mut open = Vec::new();
    for n in 1..=3 {
        open.push(Wire::open(server.addr, &claiming(&format!("10.0.0.{n}"))).await.ok().unwrap());
    }
    // what the client itself put in front is not believed, only what the proxy added
    open.push(Wire::open(server.addr, &claiming("10.9.9.9, 10.0.0.3")).await.ok().unwrap());
    assert_eq!(Wire::open(server.addr, &claiming("10.8.8.8, 10.0.0.3")).await.err(), Some(Some(429)));
}

#[tokio::test]
async fn numbers_of_the_company_are_for_this_machine_only() {
    let company = Company::found().await;
    let mut config = config();
    config.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let server = Server::start(&company, config).await;
    let file = company.path().join("metrics.token");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let token = fs::read_to_string(&file).unwrap();
    let bearer = format!("Bearer {}", token.trim());
    let asked = async |headers: &[(&str, &str)]| ask(server.addr, "GET", "/metrics", headers, "").await.unwrap().status;
    assert_eq!(asked(&[("authorization", &bearer)]).await, 200);
    assert_eq!(asked(&[("authorization", &bearer), ("x-forwarded-for", "10.0.0.1")]).await, 404);
    // a request of a proxy that does not name its client
    assert_eq!(asked(&[]).await, 404);
    for wrong in ["Bearer ", "Bearer x", &bearer[..bearer.len() - 1], token.trim()] {
        assert_eq!(asked(&[("authorization", wrong)]).await, 404, "{wrong}");
    }
    drop(server.stopped().await);
    let server = Server::start(&company, crate::support::server::config()).await;
    let again = ask(server.addr, "GET", "/metrics", &[("authorization", &bearer)], "").await.unwrap();
    assert_eq!(again.status, 200, "the token outlives a restart");
    drop(server.stopped().await);

    let mut config = crate::support::server::config();
    config.server.listen = "[::]:0".parse().unwrap();
    let server = Server::start(&company, config).await;
    let here = (std::net::Ipv4Addr::LOCALHOST, server.addr.port()).into();
    let mapped = ask(here, "GET", "/metrics", &[("authorization", &bearer)], "").await.unwrap();
    assert_eq!(mapped.status, 200, "IPv4 mapped into IPv6 is this machine, too");
}
