//! Rates: a client that is too fast is told when to come back, and loses nothing.

use std::time::Duration;

use kefu::{
    crypto::{codec::b64u, opaque::ClientLogin},
    proto::Limit,
};
use serde_json::json;

use super::*;
use crate::support::{
    company::Company,
    http::{Answer, ask, get},
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
    let conv = visitor.open_empty().await;
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
    let conv = other.open_empty().await;
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

/// The server's answer to a request, with the limit it names.
async fn limit_met(peer: &mut Peer, frame: impl FnOnce(u64) -> ClientFrame) -> Option<Limit> {
    peer.ask(frame).await.unwrap_err();
    last_error(peer).1
}

/// Code, limit and time of the newest error that this peer heard.
fn last_error(peer: &Peer) -> (ErrorCode, Option<Limit>, Option<u64>) {
    let error = |f: &ServerFrame| match f {
        ServerFrame::Error { code, limit, retry_ms, .. } => Some((*code, *limit, *retry_ms)),
        _ => None,
    };
    peer.log.iter().rev().find_map(error).unwrap()
}

#[tokio::test]
async fn closing_and_opening_again_has_a_limit_of_its_own_and_messages_go_on() {
    let company = Company::found().await;
    let mut config = config();
    config.limits.visitor_changes_per_hour = 6;
    let server = Server::start(&company, config).await;
    let (mut visitor, mut li, conv) = victim(&server).await;
    for _ in 0..3 {
        visitor.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
        visitor.ask(|req| ClientFrame::Reopen { req, conv }).await.unwrap();
    }
    assert_eq!(
        limit_met(&mut visitor, |req| ClientFrame::Close { req, conv, reason: None }).await,
        Some(Limit::Changes)
    );
    let (code, _, retry) = last_error(&visitor);
    assert_eq!(code, ErrorCode::RateLimited);
    assert!(retry.is_some_and(|ms| (500_000..=600_000).contains(&ms)), "{retry:?}: a sixth of an hour");
    visitor.say(conv, "but I may write").await;
    // what agents do has no such limit, and writing in what they closed would open it again
    li.accept(conv).await;
    li.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
    let key = visitor.me.key.clone();
    let (_, envelope) = visitor.view(conv).seal("and this opens it", &key);
    assert_eq!(visitor.post(envelope).await.unwrap_err().0, ErrorCode::RateLimited);
    assert_eq!(last_error(&visitor).1, Some(Limit::Changes));
}

#[tokio::test]
async fn a_day_has_its_bytes_for_a_visitor_and_for_an_address() {
    let company = Company::found().await;
    let mut config = config();
    (config.limits.visitor_kb_per_day, config.limits.address_mb_per_day) = (128, 1);
    let server = Server::start(&company, config).await;
    let mut left = Vec::new();
    for _ in 0..12 {
        let mut visitor = Peer::visitor(&server).await;
        let conv = visitor.open().await;
        let (key, mut bytes) = (visitor.me.key.clone(), 0);
        loop {
            let (_, envelope) = visitor.view(conv).seal(&"x".repeat(20_000), &key);
            let size = envelope.len();
            if visitor.post(envelope).await.is_err() {
                break;
            }
            bytes += size;
        }
        let (code, limit, retry) = last_error(&visitor);
        assert_eq!((code, limit), (ErrorCode::RateLimited, Some(Limit::Bytes)));
        assert!(retry > Some(60_000), "{retry:?}");
        left.push(bytes);
    }
    // half of the day's at once: 64 KiB a visitor, 512 KiB the address
    assert!(left[0] <= 64 * 1024 && left[0] > 40 * 1024, "{left:?}");
    let all: usize = left.iter().sum();
    assert!(all <= 512 * 1024 && all > 400 * 1024, "{left:?}");
    assert_eq!(left[11], 0, "others of this address have left all that it may");
}

#[tokio::test]
async fn a_change_of_keys_takes_nothing_from_the_messages() {
    let company = Company::found().await;
    let mut config = config();
    (config.limits.visitor_burst, config.limits.visitor_messages_per_minute) = (1, 1);
    config.limits.visitor_keys_per_hour = 2;
    let server = Server::start(&company, config).await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open_empty().await;
    let key = visitor.me.key.clone();
    for _ in 0..2 {
        company.rotate("svc").await;
        let next = visitor.view(conv).announce(&company, "svc", &key);
        visitor.post(next).await.unwrap();
    }
    visitor.say(conv, "the one message of this minute").await;
    company.rotate("svc").await;
    let next = visitor.view(conv).announce(&company, "svc", &key);
    visitor.post(next).await.unwrap_err();
    assert_eq!(last_error(&visitor).1, Some(Limit::Keys));
}

#[tokio::test]
async fn a_full_conversation_says_so_and_its_agent_goes_on() {
    let company = Company::found().await;
    let mut config = config();
    config.limits.conversation_records = 10;
    let server = Server::start(&company, config).await;
    let (mut visitor, mut li, conv) = victim(&server).await;
    let key = visitor.me.key.clone();
    let refused = loop {
        let (_, envelope) = visitor.view(conv).seal("more", &key);
        if let Err(refused) = visitor.post(envelope).await {
            break refused;
        }
    };
    assert_eq!(refused.0, ErrorCode::TooLarge);
    let (_, limit, retry) = last_error(&visitor);
    assert_eq!((limit, retry), (Some(Limit::Conversation), None));
    // again and again: no reason to end the socket
    for _ in 0..20 {
        let (_, envelope) = visitor.view(conv).seal("more", &key);
        visitor.post(envelope).await.unwrap_err();
    }
    li.say(conv, "please begin a new one").await;
    visitor.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
    assert_eq!(limit_met(&mut visitor, |req| ClientFrame::Reopen { req, conv }).await, Some(Limit::Conversation));
    let next = visitor.open().await;
    visitor.say(next, "here I am").await;
}

#[tokio::test]
async fn who_is_limited_is_seen_in_the_statistics() {
    let company = Company::found().await;
    let mut config = config();
    config.limits.conversations_per_hour = 1;
    let server = Server::start(&company, config).await;
    for _ in 0..2 {
        let mut visitor = Peer::visitor(&server).await;
        let (_, opening) = visitor.opening();
        let _ = visitor.ask(opening).await;
    }
    let stats = company.stats().await;
    assert_eq!(stats["limited"], json!({ "openings": { "visitors": 0, "addresses": 1, "agents": 0 } }));
    assert_eq!(stats["metrics"]["messages"]["limited"]["openings"], 1);
}

#[tokio::test]
async fn whoever_asks_too_much_is_told_when_and_agents_behind_that_address_are_not() {
    let company = Company::found().await;
    let mut config = config();
    (config.limits.address_reads_per_minute, config.limits.visitor_reads_per_minute) = (60, 20);
    let server = Server::start(&company, config).await;
    // two for each socket
    let (mut visitor, li, conv) = victim(&server).await;
    let history = |peer: &Peer| {
        let token = peer.token.clone();
        async move { get(server.addr, &format!("/api/v1/conversations/{conv}/records?after=0"), &token).await.unwrap() }
    };
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(history(&visitor).await);
    }
    assert!(answers[..4].iter().all(|a| a.status == 200));
    let last = &answers[4];
    assert_eq!((last.status, last.json()["limit"].clone()), (429, json!("reads")));
    let retry = last.json()["retry_ms"].as_u64().unwrap();
    assert!((1..=15_000).contains(&retry), "{retry}");
    // strangers of that address use up what is left for all of them
    while get(server.addr, "/api/v1/directory?after=-1", "").await.unwrap().status != 429 {}
    for _ in 0..20 {
        assert_eq!(history(&li).await.status, 200);
    }
    visitor.say(conv, "and what is open goes on").await;
    assert!(company.stats().await["limited"]["reads"]["addresses"].as_u64() >= Some(1));
}
