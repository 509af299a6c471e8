//! Sentinels: the primary is found through them, also after they chose another.

use std::sync::Arc;

use kefu_redis_link::{
    Error, Handshake, Link, Map, Options, Role, Url, cmd,
    testing::{DEADLINE, MASTER, RedisServer, Sentinels, until},
};
use tokio::{sync::watch, time::timeout};

/// Waits until the map names this primary.
async fn names(maps: &mut watch::Receiver<Arc<Map>>, primary: &RedisServer) {
    let address = primary.address();
    let named = maps.wait_for(|map| map.shards()[0].primary.as_ref() == Some(&address));
    timeout(DEADLINE, named).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_failover_is_followed_without_being_asked() {
    let mut primary = RedisServer::start(&[("requirepass", "pw")]).await;
    let replica = primary.replica(&[]).await;
    let sentinels = Sentinels::start(&primary).await;
    let link = Link::connect(&sentinels.url(), Options::default()).await.unwrap();
    let mut maps = link.watch();
    assert_eq!(link.map().shards()[0].primary, Some(primary.address()));
    assert_eq!(link.map().shards()[0].replicas, [replica.address()]);
    assert!(link.map().is_whole());
    let connection = link.open(0, &Handshake::primary("t")).await.unwrap();
    connection.send(cmd("SET").arg("a").arg(1)).await.unwrap();
    assert_eq!(connection.query::<u32>(cmd("WAIT").arg(1).arg(5000)).await.unwrap(), 1);

    primary.kill();
    names(&mut maps, &replica).await;
    connection.ended().await;
    let connection = link.open(0, &Handshake::primary("t")).await.unwrap();
    assert_eq!(connection.server().address, replica.address());
    assert_eq!(connection.query::<u32>(cmd("GET").arg("a")).await.unwrap(), 1);

    // the old one comes back as a replica, and is not mistaken for the primary
    primary.restart().await;
    until("the old primary as a replica", async || {
        matches!(primary.connect().await.server().role, Role::Replica { .. }).then_some(())
    })
    .await;
    assert_eq!(link.map().shards()[0].primary, Some(replica.address()));
}

#[tokio::test]
async fn connections_to_a_primary_that_was_replaced_end_though_it_says_nothing() {
    let primary = RedisServer::start(&[]).await;
    let replica = primary.replica(&[]).await;
    let sentinels = Sentinels::start(&primary).await;
    let link = Link::connect(&sentinels.url(), Options::default()).await.unwrap();
    let connection = link.open(0, &Handshake::primary("t")).await.unwrap();
    let (subscriber, mut pushes) = link.subscribe(0, &Handshake::primary("t")).await.unwrap();

    primary.stop();
    for error in [connection.ended().await, subscriber.ended().await, pushes.next().await.unwrap_err()] {
        assert!(error.to_string().contains("another server is the primary now"), "{error}");
    }
    // awake, it takes itself for the primary still: none of these goes back to it
    primary.cont();
    let connection = link.open(0, &Handshake::primary("t")).await.unwrap();
    assert_eq!(connection.server().address, replica.address());
    assert!(connection.is_open());
}

#[tokio::test]
async fn one_sentinel_of_three_is_enough_to_find_the_primary() {
    let primary = RedisServer::start(&[]).await;
    let mut sentinels = Sentinels::start(&primary).await;
    let url = sentinels.url();
    sentinels.kill(0);
    sentinels.kill(1);
    let link = Link::connect(&url, Options::default()).await.unwrap();
    assert_eq!(link.map().shards()[0].primary, Some(primary.address()));
    sentinels.kill(2);
    // what is known stays; connections need no Sentinel
    link.refresh();
    link.open(0, &Handshake::primary("t")).await.unwrap();
    let error = Link::connect(&url, Options::default()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_failover_by_hand_is_followed_and_a_wrong_name_is_explained() {
    let primary = RedisServer::start(&[]).await;
    let replica = primary.replica(&[]).await;
    let sentinels = Sentinels::start(&primary).await;
    let url: Url = sentinels.url().to_string().replace("/kefu", "/other").parse().unwrap();
    let error = Link::connect(&url, Options::default()).await.unwrap_err();
    assert!(matches!(&error, Error::WrongKind { message, .. } if message.contains("no master other")), "{error:?}");

    let link = Link::connect(&sentinels.url(), Options::default()).await.unwrap();
    let mut maps = link.watch();
    sentinels.connect(0).await.send(cmd("SENTINEL").arg("FAILOVER").arg(MASTER)).await.unwrap();
    names(&mut maps, &replica).await;
    until("a connection to the new primary", async || link.open(0, &Handshake::primary("t")).await.ok()).await;
}

#[tokio::test]
async fn sentinels_may_have_a_password_of_their_own() {
    let primary = RedisServer::start(&[("requirepass", "pw")]).await;
    let sentinels = Sentinels::start_with_password(&primary, "other").await;
    let link = Link::connect(&sentinels.url(), sentinels.options()).await.unwrap();
    link.open(0, &Handshake::primary("t")).await.unwrap();
    let error = Link::connect(&sentinels.url(), Options::default()).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
}
