//! What is found at real servers.

use kefu_redis_link::{
    Link, Options, Url,
    checks::{self, Finding, Needs, Severity},
    cmd,
    testing::{Certificates, Cluster, RedisServer, Sentinels, until},
};

use crate::open;

const NONE: Needs = Needs { replicas: 0, unchecked: false };
const ONE: Needs = Needs { replicas: 1, unchecked: false };

async fn check(url: &Url, options: Options, needs: &Needs) -> Vec<Finding> {
    Link::connect(url, options).await.unwrap().check(needs).await
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code).collect()
}

#[tokio::test]
async fn a_server_that_is_right_has_no_findings() {
    let server = RedisServer::start(&[("requirepass", "pw")]).await;
    assert_eq!(check(&server.url(), server.options(), &NONE).await, []);
    assert_eq!(checks::primary(&open(&server, &[]).await.unwrap(), &NONE).await.unwrap(), []);

    let certificates = Certificates::make();
    let server = RedisServer::start_tls(&certificates, &[("requirepass", "pw")]).await;
    assert_eq!(check(&server.url(), server.options(), &NONE).await, []);
}

#[tokio::test]
async fn each_unsafe_setting_is_named_with_what_to_set() {
    let server = RedisServer::start(&[
        ("appendfsync", "everysec"),
        ("no-appendfsync-on-rewrite", "yes"),
        ("maxmemory-policy", "allkeys-lru"),
        ("maxmemory", "0"),
    ])
    .await;
    let findings = check(&server.url(), server.options(), &NONE).await;
    let expected = ["appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy", "maxmemory", "password"];
    assert_eq!(codes(&findings), expected);
    assert!(findings[0].sentence.ends_with("set `appendfsync always`"), "{}", findings[0].sentence);
    let refused = checks::accept(findings).unwrap_err();
    assert_eq!(refused.to_string().lines().count(), 3, "{refused}");

    let connection = open(&server, &[]).await.unwrap();
    connection.send(cmd("CONFIG").arg("SET").arg("appendonly").arg("no")).await.unwrap();
    let findings = checks::primary(&connection, &Needs { unchecked: true, ..NONE }).await.unwrap();
    assert_eq!(codes(&findings)[..2], ["appendonly", "appendfsync"]);
    assert!(findings.iter().all(|finding| finding.severity == Severity::Warns));
}

#[tokio::test]
async fn a_service_without_config_must_be_taken_on_trust() {
    let server = RedisServer::start(&[("requirepass", "pw")]).await;
    server.query::<()>(cmd("ACL").arg("SETUSER").arg("default").arg("-config")).await;
    let link = Link::connect(&server.url(), Options::default()).await.unwrap();
    let findings = link.check(&NONE).await;
    assert_eq!(codes(&findings), ["config"]);
    assert_eq!(findings[0].severity, Severity::Refuses);
    let findings = link.check(&Needs { unchecked: true, ..NONE }).await;
    assert_eq!((codes(&findings), findings[0].severity), (vec!["config"], Severity::Warns));
}

#[tokio::test]
async fn replicas_are_counted_and_looked_at() {
    let primary = RedisServer::start(&[("requirepass", "pw"), ("min-replicas-to-write", "1")]).await;
    let link = Link::connect(&primary.url(), primary.options()).await.unwrap();
    assert_eq!(codes(&link.check(&ONE).await), ["replicas"]);
    let replica = primary.replica(&[]).await;
    assert_eq!(link.check(&ONE).await, []);
    replica.query::<()>(cmd("CONFIG").arg("SET").arg("appendfsync").arg("everysec")).await;
    let findings = link.check(&ONE).await;
    assert_eq!(codes(&findings), ["appendfsync"]);
    assert!(findings[0].sentence.contains(&replica.address().to_string()));
    replica.stop();
    let findings = link.check(&ONE).await;
    assert_eq!(codes(&findings), ["replica-unreachable", "replicas-seen"]);
}

#[tokio::test]
async fn sentinels_are_asked_how_long_they_wait() {
    let primary = RedisServer::start(&[("requirepass", "pw")]).await;
    let replica = primary.replica(&[]).await;
    let mut sentinels = Sentinels::start(&primary).await;
    let link = Link::connect(&sentinels.url(), Options::default()).await.unwrap();
    assert_eq!(codes(&link.check(&NONE).await), ["promotable"]);
    replica.query::<()>(cmd("CONFIG").arg("SET").arg("replica-priority").arg(0)).await;
    let set = cmd("SENTINEL").arg("SET").arg("kefu").arg("down-after-milliseconds").arg(5001).take();
    sentinels.connect(0).await.send(&set).await.unwrap();
    sentinels.kill(1);
    assert_eq!(codes(&link.check(&NONE).await), ["down-after", "sentinel-unreachable"]);
}

#[tokio::test]
async fn a_cluster_must_serve_all_slots() {
    let cluster = Cluster::start_with(2, 0, &[("requirepass", "pw")]).await;
    let link = Link::connect(&cluster.url(), Options::default()).await.unwrap();
    assert_eq!(link.check(&NONE).await, []);
    let slow = cmd("CONFIG").arg("SET").arg("cluster-node-timeout").arg(5001).take();
    cluster.node(1).query::<()>(&slow).await;
    assert_eq!(codes(&link.check(&NONE).await), ["cluster-node-timeout"]);

    let lose = cmd("CLUSTER").arg("DELSLOTS").arg(7).take();
    cluster.node(0).query::<()>(&lose).await;
    let findings = until("a node without all slots", async || {
        Some(link.check(&NONE).await).filter(|findings| codes(findings).contains(&"cluster-state"))
    })
    .await;
    assert!(checks::accept(findings).is_err());

    cluster.node(1).query::<()>(&lose).await;
    let findings = until("a map without all slots", async || {
        link.refresh();
        Some(link.check(&NONE).await).filter(|findings| codes(findings).contains(&"coverage"))
    })
    .await;
    assert!(checks::accept(findings).is_err());
}
