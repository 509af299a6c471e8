//! One server as a Cluster of one shard.

use kefu_redis_link::{
    Address, Error, Handshake, Link, Options, Reason, Url, cmd,
    testing::{DEADLINE, RedisServer},
};
use tokio::time::timeout;

#[tokio::test]
async fn a_single_server_is_one_shard_with_all_lanes() {
    let mut server = RedisServer::start(&[]).await;
    let link = Link::connect(&server.url(), server.options()).await.unwrap();
    let map = link.map();
    assert_eq!((map.shards().len(), map.is_whole()), (1, true));
    assert_eq!(map.shards()[0].primary, Some(server.address()));
    let connection = link.open(0, &Handshake::primary("t")).await.unwrap();
    server.restart().await;
    connection.ended().await;
    let again = link.open(0, &Handshake::primary("t")).await.unwrap();
    assert_ne!(again.server().run_id, connection.server().run_id);
    let error = link.open(1, &Handshake::primary("t")).await.unwrap_err();
    assert!(matches!(error, Error::NoPrimary { shard: 1 }), "{error:?}");
}

#[tokio::test]
async fn replicas_that_came_later_are_known_after_a_refresh() {
    let server = RedisServer::start(&[]).await;
    let link = Link::connect(&server.url(), server.options()).await.unwrap();
    let mut maps = link.watch();
    let replica = server.replica(&[]).await;
    link.refresh();
    timeout(DEADLINE, maps.changed()).await.unwrap().unwrap();
    assert_eq!(link.map().shards()[0].replicas, [replica.address()]);
}

#[tokio::test]
async fn what_the_url_says_must_be_what_is_there() {
    let plain = RedisServer::start(&[]).await;
    let node = RedisServer::start(&[("cluster-enabled", "yes")]).await;
    let replica = plain.replica(&[]).await;
    let connect = async |scheme: &str, address: Address, path: &str| {
        let url: Url = format!("{scheme}://{address}{path}").parse().unwrap();
        Link::connect(&url, Options::default()).await.unwrap_err()
    };
    for (scheme, address, path) in [
        ("redis", node.address(), ""),
        ("redis+cluster", plain.address(), ""),
        ("redis+sentinel", plain.address(), "/kefu"),
    ] {
        let error = connect(scheme, address, path).await;
        assert!(matches!(&error, Error::WrongKind { message, .. } if message.contains("write redis")), "{error:?}");
    }
    let error = connect("redis", replica.address(), "").await;
    assert!(matches!(error, Error::Moved { reason: Reason::NotPrimary, .. }), "{error:?}");
    let nobody = Address::new("127.0.0.1", 1);
    let error = connect("redis", nobody, "").await;
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_link_is_shared_and_lets_go_of_everything_at_its_end() {
    let server = RedisServer::start(&[]).await;
    let link = Link::connect(&server.url(), server.options()).await.unwrap();
    let connection = link.clone().open(0, &Handshake::primary("t")).await.unwrap();
    drop(link);
    // connections have a life of their own
    connection.send(&cmd("PING")).await.unwrap();
}
