//! Commands, pipelines and scripts.

use futures_util::future::join_all;
use kefu_redis_link::{Error, Pipeline, Script, Value, cmd, lanes, testing::RedisServer};

use crate::open;

#[tokio::test]
async fn each_command_of_a_pipeline_has_its_own_result() {
    let server = RedisServer::start(&[]).await;
    let connection = open(&server, &[]).await.unwrap();
    let mut pipeline = Pipeline::new();
    pipeline.add(cmd("RPUSH").arg("list").arg(b"\0\r\n\xff".as_slice()).to_owned());
    pipeline.add(cmd("INCR").arg("list").to_owned());
    pipeline.add(cmd("LRANGE").arg("list").arg(0).arg(-1).to_owned());
    let results = connection.pipeline(&pipeline).await.unwrap();
    assert!(matches!(results[0], Ok(Value::Int(1))));
    assert!(matches!(&results[1], Err(Error::Server { code, .. }) if code == "WRONGTYPE"), "{results:?}");
    let list: Vec<Vec<u8>> = connection.read(results[2].clone().unwrap()).unwrap();
    assert_eq!(list, [b"\0\r\n\xff"]);
    assert!(connection.pipeline(&Pipeline::new()).await.unwrap().is_empty());
    let error = connection.query::<u64>(cmd("ECHO").arg("x")).await.unwrap_err();
    assert!(matches!(error, Error::Reply { .. }), "{error:?}");
}

#[tokio::test]
async fn many_at_once_get_their_own_replies() {
    let server = RedisServer::start(&[]).await;
    let connection = open(&server, &[]).await.unwrap();
    let asked = (0..1000_u32).map(|n| {
        let connection = connection.clone();
        async move { connection.query::<u32>(cmd("ECHO").arg(n)).await.unwrap() == n }
    });
    assert!(join_all(asked).await.into_iter().all(|own| own));
}

#[tokio::test]
async fn a_dropped_call_does_not_disturb_the_others() {
    let server = RedisServer::start(&[]).await;
    let connection = open(&server, &[]).await.unwrap();
    for n in 0..200_u32 {
        let dropped = connection.clone();
        let task = tokio::spawn(async move { dropped.query::<u32>(cmd("ECHO").arg(u32::MAX)).await });
        tokio::task::yield_now().await;
        task.abort();
        assert_eq!(connection.query::<u32>(cmd("ECHO").arg(n)).await.unwrap(), n);
    }
}

#[tokio::test]
async fn scripts_are_there_after_every_handshake() {
    let mut server = RedisServer::start(&[]).await;
    let scripts = [Script::new("return redis.call('INCR', KEYS[1]) + ARGV[1]"), Script::new("return 7")];
    let connection = open(&server, &scripts).await.unwrap();
    let add = |n: u32| scripts[0].call(&["a"]).arg(n).to_owned();
    assert_eq!(connection.query::<u32>(&add(10)).await.unwrap(), 11);

    connection.send(cmd("SCRIPT").arg("FLUSH")).await.unwrap();
    let error = connection.send(&add(1)).await.unwrap_err();
    assert!(matches!(&error, Error::Server { code, .. } if code == "NOSCRIPT"), "{error:?}");
    assert!(!error.may_have_run());

    let before = connection.server().run_id.clone();
    server.restart().await;
    let connection = open(&server, &scripts).await.unwrap();
    assert_ne!(connection.server().run_id, before);
    assert_eq!(connection.query::<u32>(&add(10)).await.unwrap(), 12);
    assert_eq!(connection.query::<u32>(&scripts[1].call(&[] as &[&str])).await.unwrap(), 7);
}

#[tokio::test]
async fn a_script_that_fails_may_have_run_in_part() {
    let server = RedisServer::start(&[]).await;
    let script = Script::new("redis.call('SET', KEYS[1], 1) return redis.call('LPUSH', KEYS[1], 1)");
    let connection = open(&server, std::slice::from_ref(&script)).await.unwrap();
    let error = connection.send(&script.call(&["a"])).await.unwrap_err();
    assert!(matches!(&error, Error::Server { code, in_script: true, .. } if code == "WRONGTYPE"), "{error:?}");
    assert!(error.may_have_run());
    assert_eq!(connection.query::<u32>(cmd("GET").arg("a")).await.unwrap(), 1);

    let broken = open(&server, &[Script::new("this is no Lua")]).await.unwrap_err();
    assert!(matches!(broken, Error::Server { .. }), "{broken:?}");
}

#[tokio::test]
async fn slots_are_those_of_the_server() {
    let server = RedisServer::start(&[("cluster-enabled", "yes")]).await;
    let connection = server.connect().await;
    for key in ["", "a", "{a}b", "a{}b", "{{a}}", "kefu:{430}l:\u{1}"] {
        let slot: u16 = connection.query(cmd("CLUSTER").arg("KEYSLOT").arg(key)).await.unwrap();
        assert_eq!(lanes::slot(key.as_bytes()), slot, "{key}");
    }
}
