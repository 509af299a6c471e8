//! What a stranger or a guesser may do counts for the company, not for each of its servers; and when that can't be counted, nobody
//! gets in.

use kefu::{
    crypto::{codec::b64u, opaque::ClientLogin},
    proto::{ErrorCode, Limit, ServerFrame},
};
use serde_json::json;

use super::Servers;
use crate::{
    access::passwords::Zhao,
    support::{
        http::{Answer, ask},
        peer::Peer,
        server::Server,
    },
};

async fn try_login(server: &Server, user: &str) -> Answer {
    let (_, m) = ClientLogin::start("a guess").unwrap();
    let body = json!({ "user": user, "m": b64u(&m) }).to_string();
    ask(server.addr, "POST", "/api/v1/login/start", &[], body).await.unwrap()
}

#[tokio::test]
async fn a_password_is_tried_at_two_servers_no_more_often_than_at_one() {
    let servers = Servers::start().await;
    let at = |n: usize| if n.is_multiple_of(2) { &servers.one } else { &servers.two };
    for user in ["li", "nobody"] {
        for n in 0..5 {
            let answer = try_login(at(n), user).await;
            assert_eq!(answer.status, 200, "{user}: {:?}", answer.body);
        }
        for n in 0..2 {
            let slow = try_login(at(n), user).await;
            assert_eq!((slow.status, slow.code()), (429, Some(3)), "{user}");
            assert!(slow.json()["retry_ms"].as_u64().unwrap() > 0);
        }
    }
    // nor does one address try more names: both servers together let through what one would
    let mut tries = 14;
    while try_login(at(tries), &format!("u{tries}")).await.status == 200 {
        tries += 1;
        assert!(tries <= 40, "one address may try as many names as it likes");
    }
    assert!(tries >= 25, "{tries}");
}

#[tokio::test]
async fn a_step_of_a_sign_in_is_used_once_and_a_redis_that_is_away_opens_no_door() {
    let mut servers = Servers::start().await;
    let mut zhao = Zhao::comes(&servers.one, "a password").await;
    let (_, finish) = zhao.begins("a password", false).await.unwrap();
    let mut there = zhao.clone();
    there.addr = servers.two.addr;
    let both =
        tokio::join!(zhao.post("login/finish", None, finish.clone()), there.post("login/finish", None, finish.clone()));
    assert!(both.0.is_ok() != both.1.is_ok(), "{both:?}");
    for refused in
        [zhao.post("login/finish", None, finish.clone()).await, there.post("login/finish", None, finish).await]
    {
        assert_eq!(refused, Err(401));
    }
    // who signed in is not slowed by what they tried before, wherever they come back
    for n in 0..8 {
        zhao.addr = if n % 2 == 0 { servers.two.addr } else { servers.one.addr };
        let (_, finish) = zhao.begins("a password", false).await.unwrap();
        zhao.post("login/finish", None, finish).await.unwrap();
    }

    let (_, finish) = zhao.begins("a password", false).await.unwrap();
    servers.redis.kill();
    let away = zhao.post("login/finish", None, finish).await.unwrap_err();
    assert!(away >= 500, "{away}");
    let answer = try_login(&servers.two, "zhao").await;
    assert_eq!(answer.code(), Some(ErrorCode::Storage as u64), "{:?}", answer.body);
}

#[tokio::test]
async fn an_address_opens_as_many_conversations_at_two_servers_as_at_one() {
    let servers = Servers::start_with(|config| config.limits.conversations_per_hour = 3).await;
    for server in [&servers.one, &servers.two, &servers.one] {
        let mut visitor = Peer::visitor(server).await;
        let (_, open) = visitor.opening();
        visitor.ask(open).await.unwrap();
    }
    for server in [&servers.two, &servers.one] {
        let mut visitor = Peer::visitor(server).await;
        let (_, open) = visitor.opening();
        assert_eq!(visitor.ask(open).await.unwrap_err().0, ErrorCode::RateLimited);
        let said = visitor.log.iter().rev().find_map(|frame| match frame {
            ServerFrame::Error { limit, retry_ms, .. } => Some((*limit, *retry_ms)),
            _ => None,
        });
        let (limit, retry_ms) = said.unwrap();
        assert_eq!(limit, Some(Limit::Openings));
        assert!(retry_ms.is_some_and(|wait| wait > 60_000), "{retry_ms:?}");
    }
}
