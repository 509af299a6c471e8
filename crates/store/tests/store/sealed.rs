//! What servers share beside the tables: replaced by one of them at a time, known to all, and in no dump.

use kefu_redis_link::{Link, testing::RedisServer};
use kefu_store::{
    Store as _,
    redis::{Found, Options, RawDatabase, Sealed},
};

use crate::support::redis::{open, open_with, options};

#[tokio::test]
async fn of_two_servers_that_replace_a_value_one_is_told_to_look_again() {
    let redis = RedisServer::start(&[]).await;
    let (one, _feed) = open(&redis).await.unwrap();
    let (other, _feed) = open(&redis).await.unwrap();
    assert_eq!(one.sealed("a").await.unwrap(), None);
    assert_eq!(one.sealed_versions(&["a", "b"]).await.unwrap(), [None, None]);
    let first = one.replace_sealed("a", None, Some(b"\0first")).await.unwrap().unwrap();
    assert_eq!(other.replace_sealed("a", None, Some(b"late")).await.unwrap(), None);
    assert_eq!(other.sealed_versions(&["b", "a"]).await.unwrap(), [None, Some(first.clone())]);
    let second = other.replace_sealed("a", Some(&first), Some(b"second")).await.unwrap().unwrap();
    assert_ne!(first, second);
    assert_eq!(one.replace_sealed("a", Some(&first), None).await.unwrap(), None);
    assert_eq!(one.sealed("a").await.unwrap(), Some(Sealed { version: second.clone(), value: Some(b"second".into()) }));
    // what was removed has a version, too: whoever knew it before must not write it again
    let gone = one.replace_sealed("a", Some(&second), None).await.unwrap().unwrap();
    assert_eq!(other.sealed("a").await.unwrap(), Some(Sealed { version: gone, value: None }));
    assert_eq!(other.replace_sealed("a", Some(&second), Some(b"back")).await.unwrap(), None);
    assert_eq!(other.replace_sealed("a", None, Some(b"back")).await.unwrap(), None);

    // and it goes with the company
    one.close().await;
    other.close().await;
    let link = Link::connect(&redis.url(), redis.options()).await.unwrap();
    let raw = RawDatabase::connect(link, &options().prefix).await.unwrap();
    raw.clear().await.unwrap();
    assert_eq!(raw.look().await.unwrap(), Found::Empty);
}

#[tokio::test]
async fn a_value_that_no_replica_has_is_not_called_stored() {
    let primary = RedisServer::start(&[]).await;
    let replica = primary.replica(&[]).await;
    let (store, _feed) = open_with(&primary, Options { ack_replicas: 1, ..options() }).await.unwrap();
    let version = store.replace_sealed("a", None, Some(b"first")).await.unwrap().unwrap();
    replica.stop();
    let error = store.replace_sealed("a", Some(&version), Some(b"second")).await.unwrap_err();
    assert!(error.to_string().contains("fewer replicas have it than storage.ack_replicas (1) demands"), "{error}");
    replica.cont();
    let version = store.sealed("a").await.unwrap().unwrap().version;
    assert!(store.replace_sealed("a", Some(&version), Some(b"third")).await.unwrap().is_some());
}
