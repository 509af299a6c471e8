//! A page under a foreign name that points at this server (DNS rebinding): its origin is the `Host` of its requests, so
//! it passes for the server's own. It gets what every stranger gets, since nothing here hangs on where a request comes from:
//! everything that concerns a user needs a token or a signature, and there are no cookies.

use kefu::{
    crypto::{codec::b64u, sign::SigningKey},
    proto::{ClientFrame, Side},
};

use super::victim;
use crate::support::{
    http::ask_as,
    server::Server,
    wire::{Door, Got, Wire},
};

const HOST: &str = "evil.example";
const ORIGIN: &str = "http://evil.example";

#[tokio::test]
async fn a_page_under_a_name_of_its_own_for_this_server_gets_nothing() {
    let server = Server::new().await;
    let (_visitor, _li, conv) = victim(&server).await;
    let m = b64u(&[1; 32]);
    let gets = [
        (format!("/api/v1/conversations/{conv}/records?after=0"), 401),
        ("/api/v1/conversations?tab=all".into(), 401),
        ("/api/v1/knowledge/s1".into(), 401),
        ("/api/v1/boxes".into(), 401),
        ("/api/v1/widgets".into(), 401),
        ("/metrics".into(), 404),
        ("/admin/export".into(), 404),
    ];
    let posts = [
        ("/api/v1/login/finish", format!(r#"{{"id":"x","m":"{m}"}}"#), 401),
        ("/api/v1/invite/open", format!(r#"{{"inv":"{m}"}}"#), 404),
        ("/api/v1/password/start", format!(r#"{{"m":"{m}"}}"#), 401),
        ("/api/v1/password/finish", "{}".into(), 401),
        ("/api/v1/snapshot", "{}".into(), 401),
        ("/admin/commit", "{}".into(), 405),
    ];
    let all = gets.iter().map(|(path, status)| ("GET", &path[..], String::new(), *status));
    let all = all.chain(posts.iter().map(|(path, body, status)| ("POST", *path, body.clone(), *status)));
    for (method, path, body, status) in all {
        let answer = ask_as(server.addr, HOST, method, path, &[("origin", ORIGIN)], body).await.unwrap();
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(!answer.headers.contains_key("set-cookie"), "{path}");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{path}");
    }
    // the socket opens, and ends without the signature of a known user
    let door = Door { origin: Some(ORIGIN.into()), headers: vec![("host", HOST.into())], ..Door::agent() };
    let mut wire = Wire::open(server.addr, &door).await.expect("a challenge is for everybody");
    wire.hello(&SigningKey::generate(), Side::Agent).await.unwrap();
    assert_eq!(wire.closed().await, Some(4501));
    let mut wire = Wire::open(server.addr, &door).await.unwrap();
    assert!(matches!(wire.next().await, Ok(Got::Frame(_))));
    wire.send(&ClientFrame::Resume { convs: vec![kefu::proto::Have::upto(conv, 0)] }).await.unwrap();
    assert_eq!(wire.closed().await, Some(4500));
}
