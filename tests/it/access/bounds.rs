//! What the edge reads and keeps for clients is bounded before anything is known of them.

use std::{net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use kefu::http::Patience;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::*;
use crate::support::{
    company::Company,
    http::ask,
    server::{Server, config},
    wire::{Door, PATIENCE, Wire},
};

const KIB: usize = 1024;
const LONG: Duration = Duration::from_mins(10);

/// Sends bytes as they are.
async fn raw(addr: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    tcp
}

/// A request's head, up to the body.
fn head(path: &str, token: Option<&str>, length: &str) -> String {
    let token = token.map(|t| format!("Authorization: Bearer {t}\r\n")).unwrap_or_default();
    format!("POST /api/v1/{path} HTTP/1.1\r\nHost: kefu\r\n{token}{length}\r\n\r\n")
}

/// Status and the rest of the answer, read until the server hangs up.
async fn answer(tcp: &mut TcpStream) -> (u16, String) {
    let mut text = Vec::new();
    timeout(PATIENCE, tcp.read_to_end(&mut text)).await.expect("no end of the connection").unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok());
    (status.unwrap_or_else(|| panic!("no answer but {text:?}")), text)
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_before_it_comes_and_in_pieces_where_it_gets_too_long() {
    // a server that waited for the body would wait forever
    let (company, patience) = (Company::found().await, Patience { body: LONG, ..Patience::default() });
    let server = Server::start_patient(&company, config(), patience).await;
    let (li, boss) = (Peer::agent(&server, "li").await.token, Peer::agent(&server, "boss").await.token);
    let doors = [
        ("login/start", None, 4 * KIB),
        ("login/finish", None, 4 * KIB),
        ("invite/open", None, 4 * KIB),
        ("invite/register", None, 4 * KIB),
        ("invite/claim", None, 16 * KIB),
        ("password/start", Some(&li[..]), 4 * KIB),
        ("password/finish", Some(&li), 4 * KIB),
        ("directory", Some(&li), 4 * KIB),
        // these depend on how large the company is
        ("directory", Some(&boss), 1_100 * KIB),
        ("snapshot", Some(&boss), 64 * KIB),
    ];
    for (path, token, most) in doors {
        let mut tcp = raw(server.addr, head(path, token, &format!("Content-Length: {}", most + 1)).as_bytes()).await;
        let (status, text) = answer(&mut tcp).await;
        assert_eq!(status, 413, "{path}: {text}");

        let mut tcp = raw(server.addr, head(path, token, "Transfer-Encoding: chunked").as_bytes()).await;
        // until the server stops reading; its answer is read below
        for _ in 0..=most / KIB {
            let chunk = [b"400\r\n", &[b' '; KIB][..], b"\r\n"].concat();
            if tcp.write_all(&chunk).await.is_err() {
                break;
            }
        }
        let (status, text) = answer(&mut tcp).await;
        assert_eq!(status, 413, "{path}: {text}");
    }
    // as long as may be, it is read and understood
    let padded = format!("{:<1$}", r#"{"user":"nobody","m":"AAAA"}"#, 4 * KIB);
    assert_eq!(ask(server.addr, "POST", "/api/v1/login/start", &[], padded).await.unwrap().status, 400);
}

#[tokio::test]
async fn nobody_is_listened_to_who_may_not_ask() {
    let (company, patience) = (Company::found().await, Patience { body: LONG, ..Patience::default() });
    let server = Server::start_patient(&company, config(), patience).await;
    let (visitor, li) = (Peer::visitor(&server).await.token, Peer::agent(&server, "li").await.token);
    let cases = [
        ("password/start", None, 401),
        ("password/finish", Some(&visitor), 403),
        ("snapshot", None, 401),
        ("snapshot", Some(&li), 403),
        ("directory", None, 401),
        ("nothing", None, 404),
        ("invite/nothing", None, 404),
    ];
    for (path, token, expected) in cases {
        // the body is announced and never sent
        let head = head(path, token.map(|t| &t[..]), "Content-Length: 100");
        let (status, text) = answer(&mut raw(server.addr, head.as_bytes()).await).await;
        assert_eq!(status, expected, "{path}: {text}");
    }
    let inv = kefu::crypto::codec::b64u(&[7; 32]);
    for (name, expected) in [(&inv[..], 404), ("no key", 400)] {
        let head = head("invite/claim", None, &format!("Kefu-Invite: {name}\r\nContent-Length: 100"));
        let (status, text) = answer(&mut raw(server.addr, head.as_bytes()).await).await;
        assert_eq!(status, expected, "{text}");
    }
    let get = "GET /api/v1/directory HTTP/1.1\r\nHost: kefu\r\nContent-Length: 100\r\n\r\n";
    let (status, text) = answer(&mut raw(server.addr, get.as_bytes()).await).await;
    assert_eq!(status, 200, "{text}");
    let many = (0..150).fold(String::new(), |all, n| all + &format!("X-{n}: 1\r\n"));
    let get = format!("GET /healthz HTTP/1.1\r\nHost: kefu\r\n{many}\r\n");
    assert_eq!(answer(&mut raw(server.addr, get.as_bytes()).await).await.0, 431);
}

#[tokio::test]
async fn a_body_that_stops_coming_ends() {
    let (company, soon) = (Company::found().await, Duration::from_millis(50));
    let server = Server::start_patient(&company, config(), Patience { body: soon, ..Patience::default() }).await;
    let mut tcp = raw(server.addr, head("login/start", None, "Content-Length: 100").as_bytes()).await;
    tcp.write_all(b"{").await.unwrap();
    let (status, text) = answer(&mut tcp).await;
    assert!(status == 409 && text.contains("took too long"), "{text}");
}

#[tokio::test]
async fn bodies_under_way_have_a_share_and_sign_ins_fit_beside_them() {
    let (company, patience) = (Company::found().await, Patience { body: LONG, ..Patience::default() });
    let server = Server::start_patient(&company, config(), patience).await;
    // one byte less than the maximum for strangers, more often than the memory allows
    let bytes = [head("invite/open", None, "Content-Length: 4096").as_bytes(), &[b' '; 4095]].concat();
    let mut all: FuturesUnordered<_> = FuturesUnordered::new();
    for _ in 0..200 {
        let mut tcp = raw(server.addr, &bytes).await;
        all.push(async move {
            let said = answer(&mut tcp).await;
            (tcp, said)
        });
    }
    let (_tcp, (status, text)) = all.next().await.unwrap();
    assert_eq!(status, 429, "{text}");
    assert!(text.contains("retry_ms") && text.contains("retry-after: 1"), "{text}");
    let (_, m) = kefu::crypto::opaque::ClientLogin::start("a password").unwrap();
    let start = json!({ "user": "nobody", "m": kefu::crypto::codec::b64u(&m) }).to_string();
    assert_eq!(ask(server.addr, "POST", "/api/v1/login/start", &[], start).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_connection_whose_answers_nobody_reads_ends() {
    let (company, soon) = (Company::found().await, Duration::from_millis(200));
    let server = Server::start_patient(&company, config(), Patience { unread: soon, ..Patience::default() }).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut tcp = socket.connect(server.addr).await.unwrap();
    // asks on and on and reads nothing: the server stops reading, then hangs up
    let asking =
        async { while tcp.write_all(b"GET /api/v1/directory HTTP/1.1\r\nHost: kefu\r\n\r\n").await.is_ok() {} };
    timeout(PATIENCE, asking).await.expect("the connection was kept for ever");
}

#[tokio::test]
async fn wider_networks_have_sockets_for_some_of_the_narrower_ones() {
    let company = Company::found().await;
    let mut config = config();
    config.server.connections_per_address = 1;
    config.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let server = Server::start(&company, config).await;
    let mut open = Vec::new();
    let mut enter = async |address: String| {
        let door = Door { headers: vec![("x-forwarded-for", address)], ..Door::site("s1") };
        Wire::open(server.addr, &door).await.map(|wire| open.push(wire)).err()
    };
    for n in 0..4 {
        assert_eq!(enter(format!("2001:db8:0:{n}::1")).await, None);
    }
    assert_eq!(enter("2001:db8:0:0::2".into()).await, Some(Some(429)), "one of a /64");
    assert_eq!(enter("2001:db8:0:4::1".into()).await, Some(Some(429)), "four of a /56");
    for n in 4..16 {
        assert_eq!(enter(format!("2001:db8:0:{n:x}00::1")).await, None);
    }
    assert_eq!(enter("2001:db8:0:ff00::1".into()).await, Some(Some(429)), "sixteen of a /48");
    assert_eq!(enter("2001:db8:1::1".into()).await, None);
}

#[tokio::test]
async fn the_directory_is_sent_once_to_those_who_say_what_they_have() {
    let server = Server::new().await;
    let asked = async |after: i64, known: &str| {
        let path = format!("/api/v1/directory?after={after}");
        ask(server.addr, "GET", &path, &[("if-none-match", known)], "").await.unwrap()
    };
    let all = asked(-1, "").await;
    let tag = all.headers["etag"].to_str().unwrap().to_owned();
    let count = all.json()["entries"].as_array().unwrap().len();
    assert_eq!(count, server.company.directory().seq() as usize + 1);
    for known in [&tag[..], &format!("\"other\", W/{tag}"), "*"] {
        let again = asked(-1, known).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
        assert_eq!(again.headers["access-control-allow-origin"], "*");
    }
    let some = asked(count as i64 - 3, &tag).await;
    assert_eq!((some.status, &some.json()["entries"][0]), (200, &all.json()["entries"][count - 2]));
    assert_eq!(some.json()["snapshot"], all.json()["snapshot"]);
    server.company.rotate("svc").await;
    let changed = asked(-1, &tag).await;
    assert_eq!((changed.status, changed.json()["entries"].as_array().unwrap().len()), (200, count + 1));
}
