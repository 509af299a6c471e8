//! A Cluster: slots, failover, slots that move.

use std::time::Duration;

use kefu_redis_link::{
    Channels, Error, Handshake, Link, Options, Push, Reason, cmd,
    lanes::{self, LANES},
    testing::{Certificates, Cluster, DEADLINE, until},
};
use tokio::time::timeout;

#[tokio::test]
async fn three_shards_with_equal_shares_of_lanes() {
    let cluster = Cluster::start(3, 0).await;
    let link = Link::connect(&cluster.url(), Options::default()).await.unwrap();
    let map = link.map();
    assert!(map.is_whole());
    let lanes: Vec<usize> = (0..3).map(|shard| map.lanes_of(shard).count()).collect();
    assert_eq!((lanes.iter().sum::<usize>(), lanes.len()), (usize::from(LANES), 3));
    assert!(lanes.iter().all(|count| (341..=342).contains(count)), "{lanes:?}");
    for (shard, lane) in [(0, 0), (1, 512), (2, 1023)] {
        assert_eq!(map.shards()[shard].primary, Some(cluster.node(shard).address()));
        assert_eq!(map.shard_of_lane(lane).unwrap().index, shard);
        let key = format!("{{{}}}a", lanes::tag(lane));
        let own = link.open(shard, &Handshake::primary("t")).await.unwrap();
        own.send(cmd("SET").arg(&key).arg(1)).await.unwrap();
        let other = link.open((shard + 1) % 3, &Handshake::primary("t")).await.unwrap();
        let error = other.send(cmd("GET").arg(&key)).await.unwrap_err();
        assert!(matches!(error, Error::Moved { reason: Reason::Moved, .. }) && !error.may_have_run(), "{error:?}");
    }
}

#[tokio::test]
async fn a_failover_of_one_shard_is_found() {
    let mut cluster = Cluster::start(3, 1).await;
    let link = Link::connect(&cluster.url(), Options::default()).await.unwrap();
    assert_eq!(link.map().shards()[1].replicas, [cluster.node(4).address()]);
    let handshake = Handshake::primary("t");
    let others = [link.open(0, &handshake).await.unwrap(), link.open(2, &handshake).await.unwrap()];
    let connection = link.open(1, &handshake).await.unwrap();
    let key = format!("{{{}}}a", lanes::tag(512));
    connection.send(cmd("SET").arg(&key).arg(1)).await.unwrap();
    assert_eq!(connection.query::<u32>(cmd("WAIT").arg(1).arg(5000)).await.unwrap(), 1);

    cluster.node_mut(1).kill();
    connection.ended().await;
    let connection = until("the shard's new primary", async || link.open(1, &handshake).await.ok()).await;
    assert_eq!(connection.server().address, cluster.node(4).address());
    assert_eq!(connection.query::<u32>(cmd("GET").arg(&key)).await.unwrap(), 1);
    let map = link.map();
    assert_eq!((map.shards().len(), map.is_whole()), (3, true));
    assert_eq!(map.shard_of_lane(512).unwrap().index, 1);
    // nothing happened to the others
    for other in others {
        other.send(&cmd("PING")).await.unwrap();
    }

    cluster.node_mut(1).restart().await;
    cluster.node(4).has_replica(cluster.node(1)).await;
    until("the old primary as a replica", async || {
        link.refresh();
        let back = vec![cluster.node(1).address()];
        timeout(Duration::from_secs(3), link.watch().wait_for(|map| map.shards()[1].replicas == back))
            .await
            .ok()
            .map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_slot_that_moves_ends_its_subscriptions_and_is_found_at_its_new_shard() {
    let cluster = Cluster::start(2, 0).await;
    let link = Link::connect(&cluster.url(), Options::default()).await.unwrap();
    let (lane, tag) = (0, lanes::tag(0));
    let channel = format!("{{{tag}}}c");
    let (subscriber, mut pushes) = link.subscribe(0, &Handshake::primary("t")).await.unwrap();
    subscriber.subscribe(Channels::Sharded, &[&channel]).await.unwrap();
    let error = subscriber.subscribe(Channels::Sharded, &[format!("{{{}}}c", lanes::tag(1023))]).await.unwrap_err();
    assert!(matches!(error, Error::Moved { reason: Reason::Moved, .. }), "{error:?}");

    let (from, to) = (cluster.node(0).connect().await, cluster.node(1).connect().await);
    let id: String = to.query(cmd("CLUSTER").arg("MYID")).await.unwrap();
    let from_id: String = from.query(cmd("CLUSTER").arg("MYID")).await.unwrap();
    let slot = || cmd("CLUSTER").arg("SETSLOT").arg(lanes::slot_of(lane)).take();
    to.send(slot().arg("IMPORTING").arg(&from_id)).await.unwrap();
    from.send(slot().arg("MIGRATING").arg(&id)).await.unwrap();
    // halfway: a key that is not here may be there already
    let error = from.send(cmd("GET").arg(format!("{{{tag}}}a"))).await.unwrap_err();
    assert!(matches!(error, Error::Moved { reason: Reason::Ask, .. }), "{error:?}");
    for node in [&to, &from] {
        node.send(slot().arg("NODE").arg(&id)).await.unwrap();
    }
    // unasked, while nothing is asked
    let push = timeout(DEADLINE, pushes.next()).await.unwrap().unwrap();
    assert_eq!(push, Push::Unsubscribed { channel: channel.clone().into() });
    subscriber.ping().await.unwrap();

    let mut maps = link.watch();
    link.refresh();
    let moved = maps.wait_for(|map| map.shard_of_lane(lane).is_some_and(|shard| shard.index == 1));
    timeout(DEADLINE, moved).await.unwrap().unwrap();
    let (subscriber, mut pushes) = link.subscribe(1, &Handshake::primary("t")).await.unwrap();
    subscriber.subscribe(Channels::Sharded, &[&channel]).await.unwrap();
    to.send(cmd("SPUBLISH").arg(&channel).arg("x")).await.unwrap();
    assert_eq!(pushes.next().await.unwrap(), Push::Message { channel: channel.into(), payload: b"x".to_vec() });
}

#[tokio::test]
async fn nodes_are_found_through_any_seed() {
    let mut cluster = Cluster::start(3, 0).await;
    let nodes: Vec<String> = (0..3).map(|n| cluster.node(n).address().to_string()).collect();
    let url = format!("redis+cluster://127.0.0.1:1,{}", nodes[2]).parse().unwrap();
    let link = Link::connect(&url, Options::default()).await.unwrap();
    assert_eq!(link.map().shards().len(), 3);
    cluster.node_mut(0).kill();
    let error = link.open(0, &Handshake::primary("t")).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }) && error.is_topology(), "{error:?}");
    // slots without a server: the Cluster says so once it noticed
    let two = link.open(2, &Handshake::primary("t")).await.unwrap();
    let key = format!("{{{}}}a", lanes::tag(1023));
    let error = until("a Cluster that is down", async || two.send(cmd("GET").arg(&key)).await.err()).await;
    assert!(matches!(error, Error::Moved { reason: Reason::ClusterDown, .. }), "{error:?}");
}

#[tokio::test]
async fn under_tls_nodes_are_at_their_other_ports() {
    let certificates = Certificates::make();
    let cluster = Cluster::start_tls(&certificates, 2, 1).await;
    let link = Link::connect(&cluster.url(), cluster.options()).await.unwrap();
    for shard in link.map().shards() {
        assert_eq!(shard.primary, Some(cluster.node(shard.index).address()));
        assert_eq!(shard.replicas, [cluster.node(shard.index + 2).address()]);
        link.open(shard.index, &Handshake::primary("t")).await.unwrap();
    }
}
