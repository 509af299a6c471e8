//! What servers count and remember together for a while.

use kefu_redis_link::{cmd, testing::RedisServer};
use kefu_store::{Store, StoreError, Take, redis::Options};

use crate::support::redis::{open, open_with, options};

/// Half a token a second, so that no test waits for one.
fn take(name: &str, cost: u32) -> Take {
    Take { name: name.into(), cost, holds: 3.0, per_ms: 0.0005 }
}

#[tokio::test]
async fn one_bucket_is_all_that_servers_have() {
    let server = RedisServer::start(&[]).await;
    let ((one, _one), (two, _two)) = (open(&server).await.unwrap(), open(&server).await.unwrap());
    let (one, two) = (one.ephemeral().unwrap(), two.ephemeral().unwrap());
    assert_eq!(one.take(vec![take("a", 2)]).await, Ok(Ok(())));
    assert_eq!(two.take(vec![take("a", 1), take("b", 1)]).await, Ok(Ok(())));
    let wait = one.take(vec![take("b", 1), take("a", 1)]).await.unwrap().unwrap_err();
    assert!((1..=2_000).contains(&wait), "{wait}");
    // none was taken from the other
    assert_eq!(two.take(vec![take("b", 2)]).await, Ok(Ok(())));
    assert!(two.take(vec![take("b", 1)]).await.unwrap().is_err());
    assert_eq!(one.take(vec![take("c", 100)]).await, Ok(Ok(())), "more than it holds is all that it holds");
    let expires: i64 = server.query(cmd("PTTL").arg("kefu:{o}e:a")).await;
    assert!((1_000..=8_000).contains(&expires), "a bucket that is full again is forgotten: {expires}");
}

#[tokio::test]
async fn what_is_remembered_changes_in_one_order_and_is_done_once() {
    let server = RedisServer::start(&[]).await;
    let ((one, _one), (two, _two)) = (open(&server).await.unwrap(), open(&server).await.unwrap());
    let (one, two) = (one.ephemeral().unwrap(), two.ephemeral().unwrap());
    assert_eq!(one.replace(b"x", None, b"1", 60_000).await, Ok(true));
    assert_eq!(two.replace(b"x", None, b"2", 60_000).await, Ok(false));
    assert_eq!(two.recall(b"x").await.unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(two.replace(b"x", Some(b"1"), b"2", 60_000).await, Ok(true));
    assert_eq!(one.recall(b"x").await.unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(one.recall(b"y").await, Ok(None));
    assert_eq!([one.first(b"z", 60_000).await, two.first(b"z", 60_000).await], [Ok(true), Ok(false)]);
    let expires: i64 = server.query(cmd("PTTL").arg("kefu:{o}e:z")).await;
    assert!((50_000..=60_000).contains(&expires), "{expires}");
}

#[tokio::test]
async fn who_is_first_is_not_known_while_too_few_replicas_know_it() {
    let server = RedisServer::start(&[]).await;
    let replica = server.replica(&[]).await;
    let (store, _feed) = open_with(&server, Options { ack_replicas: 1, ..options() }).await.unwrap();
    assert_eq!(store.ephemeral().unwrap().first(b"z", 60_000).await, Ok(true));
    replica.stop();
    assert_eq!(store.ephemeral().unwrap().first(b"y", 60_000).await, Err(StoreError::Unwritable));
}

#[tokio::test]
async fn a_redis_that_does_not_answer_is_an_error_and_no_permission() {
    let mut server = RedisServer::start(&[]).await;
    let (store, _feed) = open(&server).await.unwrap();
    server.kill();
    let ephemeral = store.ephemeral().unwrap();
    assert!(ephemeral.take(vec![take("a", 1)]).await.is_err());
    assert!(ephemeral.first(b"x", 1_000).await.is_err());
    assert!(ephemeral.recall(b"x").await.is_err());
}
