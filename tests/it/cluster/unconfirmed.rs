//! A command that writes while replicas are missing ends with a sentence, and what it began is not lost.

use std::time::{Duration, Instant};

use kefu_redis_link::testing::{RedisServer, until};

use super::config_for;
use crate::support::{
    company::{Company, id},
    server::Server,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_command_says_what_redis_does_not_confirm_and_it_comes_later() {
    let redis = RedisServer::start(&[]).await;
    let replica = redis.replica(&[]).await;
    let mut config = config_for(&redis);
    config.storage.ack_replicas = 1;
    let company = Company::found_on(&config).await;
    let _server = Server::start(&company, config).await;
    let seq = async || company.stats().await["directory"]["seq"].as_u64().unwrap();
    let before = seq().await;
    replica.stop();
    let asked = Instant::now();
    let said = company.try_act(|s| s.team_add(&id("late"), "Late")).await.unwrap_err().to_string();
    let waited = asked.elapsed();
    assert!((Duration::from_secs(15)..Duration::from_secs(40)).contains(&waited), "{waited:?}");
    assert!(said.contains("has not confirmed this within 15 seconds"), "{said}");
    assert!(said.contains("fewer than 1 of its replicas do (storage.ack_replicas)"), "{said}");
    assert!(said.contains("before you repeat it; kefu doctor"), "{said}");
    replica.cont();
    until("the team that was added", async || (seq().await > before).then_some(())).await;
}
