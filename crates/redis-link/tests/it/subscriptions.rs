//! What is published arrives, in order; what a server ends is noticed.

use kefu_redis_link::{
    Channels, Connector, Error, Handshake, Options, Push, Pushes, Subscriber, cmd, testing::RedisServer,
};

use crate::connector;

async fn subscriber(server: &RedisServer) -> (Subscriber, Pushes) {
    connector(server).subscribe(&server.address(), &Handshake::primary("t")).await.unwrap()
}

fn message(channel: &str, payload: &str) -> Push {
    Push::Message { channel: channel.into(), payload: payload.into() }
}

#[tokio::test]
async fn pushes_arrive_in_order_on_both_kinds_of_channels() {
    let server = RedisServer::start(&[]).await;
    let (subscriber, mut pushes) = subscriber(&server).await;
    subscriber.subscribe(Channels::Sharded, &["a", "b"]).await.unwrap();
    subscriber.subscribe(Channels::Plain, &["a"]).await.unwrap();
    let other = server.connect().await;
    for (command, channel, payload) in [
        ("SPUBLISH", "a", "1"),
        ("SPUBLISH", "b", "2"),
        ("PUBLISH", "a", "3"),
        ("SPUBLISH", "none", "4"),
        ("SPUBLISH", "a", "5"),
    ] {
        other.send(cmd(command).arg(channel).arg(payload)).await.unwrap();
    }
    for (channel, payload) in [("a", "1"), ("b", "2"), ("a", "3"), ("a", "5")] {
        assert_eq!(pushes.next().await.unwrap(), message(channel, payload));
    }
    subscriber.unsubscribe(Channels::Sharded, &["a"]).await.unwrap();
    assert_eq!(other.query::<u32>(cmd("SPUBLISH").arg("a").arg("x")).await.unwrap(), 0);
    assert_eq!(other.query::<u32>(cmd("SPUBLISH").arg("b").arg("6")).await.unwrap(), 1);
    assert_eq!(pushes.next().await.unwrap(), message("b", "6"));
    subscriber.ping().await.unwrap();
}

#[tokio::test]
async fn thousands_of_subscriptions_in_one_call() {
    let server = RedisServer::start(&[]).await;
    let (subscriber, mut pushes) = subscriber(&server).await;
    let channels: Vec<String> = (0..5000).map(|n| format!("c{n}")).collect();
    subscriber.subscribe(Channels::Sharded, &channels).await.unwrap();
    let other = server.connect().await;
    assert_eq!(other.query::<u32>(cmd("SPUBLISH").arg("c4999").arg("x")).await.unwrap(), 1);
    assert_eq!(pushes.next().await.unwrap(), message("c4999", "x"));
}

#[tokio::test]
async fn the_end_comes_after_what_was_published_before() {
    let mut server = RedisServer::start(&[]).await;
    let (subscriber, mut pushes) = subscriber(&server).await;
    subscriber.subscribe(Channels::Sharded, &["a"]).await.unwrap();
    let other = server.connect().await;
    assert_eq!(other.query::<u32>(cmd("SPUBLISH").arg("a").arg("x")).await.unwrap(), 1);
    subscriber.ping().await.unwrap();
    server.kill();
    subscriber.ended().await;
    assert_eq!(pushes.next().await.unwrap(), message("a", "x"));
    let error = pushes.next().await.unwrap_err();
    assert!(matches!(error, Error::Gone { .. }), "{error:?}");
    let error = subscriber.subscribe(Channels::Sharded, &["b"]).await.unwrap_err();
    assert!(matches!(error, Error::Gone { sent: false, .. }), "{error:?}");
}

#[tokio::test]
async fn who_does_not_read_loses_the_connection_not_the_memory() {
    let server = RedisServer::start(&[]).await;
    let connector = Connector::new(&server.url(), Options { pushes: 8, ..Options::default() }).unwrap();
    let (subscriber, mut pushes) = connector.subscribe(&server.address(), &Handshake::primary("t")).await.unwrap();
    subscriber.subscribe(Channels::Sharded, &["a"]).await.unwrap();
    let other = server.connect().await;
    for n in 0..9 {
        other.send(cmd("SPUBLISH").arg("a").arg(n)).await.unwrap();
    }
    let error = subscriber.ended().await;
    assert!(error.to_string().contains("more was published than was read"), "{error}");
    for n in 0..8 {
        assert_eq!(pushes.next().await.unwrap(), message("a", &n.to_string()));
    }
    pushes.next().await.unwrap_err();
}

#[tokio::test]
async fn it_ends_with_its_last_handle_or_its_reader() {
    let server = RedisServer::start(&[]).await;
    let (first, mut pushes) = subscriber(&server).await;
    drop(first);
    pushes.next().await.unwrap_err();

    let (second, pushes) = subscriber(&server).await;
    second.subscribe(Channels::Plain, &["a"]).await.unwrap();
    drop(pushes);
    server.connect().await.send(cmd("PUBLISH").arg("a").arg("x")).await.unwrap();
    second.ended().await;
}
