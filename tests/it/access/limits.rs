//! Rates: who is too fast is told when to come back, and loses nothing by it.

use std::time::Duration;

use kefu::crypto::{codec::b64u, opaque::ClientLogin};
use serde_json::json;

use super::*;
use crate::support::{
    company::Company,
    http::{Answer, ask},
    server::{Server, config},
};

#[tokio::test]
async fn a_hasty_visitor_is_told_when_and_nothing_is_lost() {
    let company = Company::found().await;
    let mut config = config();
    config.limits.visitor_burst = 5;
    config.limits.visitor_messages_per_minute = 1_200;
    let server = Server::start(&company, config).await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open().await;
    let (key, mut refused) = (visitor.me.key.clone(), 0);
    let expected: Vec<String> = (0..30).map(|n| format!("line {n}")).collect();
    for text in &expected {
        let (_, envelope) = visitor.view(conv).seal(text, &key);
        while let Err((code, _)) = visitor.post(envelope.clone()).await {
            assert_eq!(code, ErrorCode::RateLimited);
            let retry = visitor
                .frame(|f| match f {
                    ServerFrame::Error { retry_ms, .. } => Some(retry_ms.expect("when to try again")),
                    _ => None,
                })
                .await;
            assert!((1..=50).contains(&retry), "{retry}");
            refused += 1;
            // what the protocol asks of a client
            tokio::time::sleep(Duration::from_millis(retry)).await;
        }
    }
    assert!(refused >= 10, "only {refused} refusals");
    assert_eq!(visitor.texts(conv), expected);
    let mut other = Peer::visitor(&server).await;
    let conv = other.open().await;
    for n in 0..5 {
        other.say(conv, &format!("others have a burst of their own {n}")).await;
    }
}

#[tokio::test]
async fn one_address_opens_so_many_conversations_and_no_more() {
    let company = Company::found().await;
    let mut config = config();
    config.limits.conversations_per_hour = 2;
    let server = Server::start(&company, config).await;
    let mut known = Vec::new();
    for _ in 0..2 {
        let mut visitor = Peer::visitor(&server).await;
        let (conv, open) = visitor.opening();
        visitor.ask(&open).await.unwrap();
        known.push((visitor, conv, open));
    }
    let mut third = Peer::visitor(&server).await;
    let (_, open) = third.opening();
    assert_eq!(third.ask(open).await.unwrap_err().0, ErrorCode::RateLimited);
    // opening again what is open costs nothing
    let (visitor, conv, open) = &mut known[0];
    visitor.ask(&*open).await.unwrap();
    visitor.follow(*conv).await;
    visitor.say(*conv, "and talking goes on").await;
}

async fn try_login(server: &Server, user: &str) -> Answer {
    try_login_from(server, user, "10.0.0.1").await
}

/// The address counts only where the server trusts its proxy.
async fn try_login_from(server: &Server, user: &str, address: &str) -> Answer {
    let (_, ke1) = ClientLogin::start("guess").unwrap();
    let body = json!({ "user": user, "m": b64u(&ke1) }).to_string();
    ask(server.addr, "POST", "/api/v1/login/start", &[("x-forwarded-for", address)], body).await.unwrap()
}

#[tokio::test]
async fn guessing_passwords_gets_slow_and_looks_the_same_for_those_who_do_not_exist() {
    let server = Server::new().await;
    for user in ["li", "nobody"] {
        let mut sizes = Vec::new();
        for _ in 0..5 {
            let answer = try_login(&server, user).await;
            assert_eq!(answer.status, 200, "{user}: {:?}", answer.body);
            sizes.push(answer.body.len());
        }
        assert!(sizes.iter().all(|s| *s == sizes[0]));
        let slow = try_login(&server, user).await;
        assert_eq!((slow.status, slow.code()), (429, Some(3)));
        assert!(slow.json()["retry_ms"].as_u64().unwrap() > 0 && slow.headers.contains_key("retry-after"));
    }
    let mut tries = 12;
    while try_login(&server, &format!("u{tries}")).await.status == 200 {
        tries += 1;
        assert!(tries <= 40, "one address may try as many names as it likes");
    }
    assert!(tries >= 25, "an office behind one address may log in: {tries}");
}

#[tokio::test]
async fn a_stranger_who_fails_under_a_name_slows_only_himself() {
    let company = Company::found().await;
    let mut config = config();
    config.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let server = Server::start(&company, config).await;
    let (stranger, home) = ("2001:db8:1:1::66", "2001:db8:2:2::1");
    for _ in 0..5 {
        assert_eq!(try_login_from(&server, "li", stranger).await.status, 200);
    }
    assert_eq!(try_login_from(&server, "li", stranger).await.status, 429);
    // the 2^64 addresses of one customer are one place
    assert_eq!(try_login_from(&server, "li", "2001:db8:1:1:ffff::1").await.status, 429);
    assert_eq!(try_login_from(&server, "li", home).await.status, 200);
}
