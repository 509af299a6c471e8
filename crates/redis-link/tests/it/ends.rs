//! How connections end.

use std::time::Duration;

use kefu_redis_link::{Connector, Error, Handshake, Options, cmd, testing::RedisServer};

use crate::{connector, open, patient};

#[tokio::test]
async fn a_killed_server_ends_what_waits_and_what_comes() {
    let mut server = RedisServer::start(&[]).await;
    let connector = Connector::new(&server.url(), patient()).unwrap();
    let connection = connector.open(&server.address(), &Handshake::primary("t")).await.unwrap();
    let waiting = tokio::spawn({
        let connection = connection.clone();
        async move { connection.send(cmd("BLPOP").arg("none").arg(0)).await }
    });
    // it waits when the server says so
    let other = server.connect().await;
    kefu_redis_link::testing::until("a blocked client", async || {
        let info: String = other.query(cmd("INFO").arg("clients")).await.unwrap();
        info.contains("blocked_clients:1").then_some(())
    })
    .await;
    server.kill();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Gone { sent: true, .. }) && error.may_have_run(), "{error:?}");
    connection.ended().await;
    assert!(!connection.is_open());
    let error = connection.send(&cmd("PING")).await.unwrap_err();
    assert!(matches!(error, Error::Gone { sent: false, .. }) && !error.may_have_run(), "{error:?}");
    assert!(error.is_topology());
    let error = connector.open(&server.address(), &Handshake::primary("t")).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn an_idle_connection_notices_the_end_by_itself() {
    let mut server = RedisServer::start(&[]).await;
    let connection = open(&server, &[]).await.unwrap();
    server.restart().await;
    let error = connection.ended().await;
    assert!(matches!(error, Error::Gone { .. }), "{error:?}");
}

#[tokio::test]
async fn no_reply_in_time_ends_the_connection_for_all() {
    let server = RedisServer::start(&[]).await;
    let quick = Handshake::primary("t").response_timeout(Duration::from_millis(200));
    let connection = connector(&server).open(&server.address(), &quick).await.unwrap();
    server.stop();
    let error = connection.send(cmd("SET").arg("a").arg(1)).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { after, .. } if after.as_millis() == 200), "{error:?}");
    assert!(error.may_have_run() && !connection.is_open());
    server.cont();
    let error = connection.send(&cmd("PING")).await.unwrap_err();
    assert!(matches!(error, Error::Gone { sent: false, .. }), "{error:?}");
    // and indeed it was executed
    kefu_redis_link::testing::until("the command", async || server.query::<Option<u32>>(cmd("GET").arg("a")).await)
        .await;
}

#[tokio::test]
async fn ending_it_by_hand_or_by_letting_go_closes_the_socket() {
    let server = RedisServer::start(&[]).await;
    let kept = open(&server, &[]).await.unwrap();
    let connection = open(&server, &[]).await.unwrap();
    let shared = connection.clone();
    connection.end("a test");
    let error = shared.send(&cmd("PING")).await.unwrap_err();
    assert!(error.to_string().ends_with("has ended: a test"), "{error}");

    drop(open(&server, &[]).await.unwrap());
    kefu_redis_link::testing::until("one client", async || {
        let list: String = kept.query(cmd("CLIENT").arg("LIST")).await.unwrap();
        (list.lines().count() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_slow_command_below_the_timeout_is_no_end() {
    let server = RedisServer::start(&[]).await;
    let connector = Connector::new(&server.url(), Options::default()).unwrap();
    let connection = connector.open(&server.address(), &Handshake::primary("t")).await.unwrap();
    // longer than the 500 ms after which the crate `redis` gives up by itself
    assert_eq!(connection.query::<u32>(cmd("WAIT").arg(1).arg(700)).await.unwrap(), 0);
    assert!(connection.is_open());
}
