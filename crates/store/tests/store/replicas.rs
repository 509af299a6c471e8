//! Several servers of Redis: replicas that must have it too, another primary, a Cluster whose slots move.

use std::{process::Command, time::Duration};

use kefu_proto::{ConvId, Kid, RecordView};
use kefu_redis_link::{
    Link, Role, cmd,
    testing::{Cluster, RedisServer, Sentinels, until},
};
use kefu_store::{
    Batch, Facts, FactsChange, Op, Outcome, Place, Store,
    redis::{Options, RedisStore},
    write,
};

use crate::support::{
    batch::conv,
    load::Load,
    redis::{next, open_with, options, say},
};

fn with_a_replica() -> Options {
    Options { ack_replicas: 1, ..options() }
}

#[tokio::test]
async fn nothing_is_told_before_a_replica_has_it() {
    let primary = RedisServer::start(&[]).await;
    let replica = primary.replica(&[]).await;
    let (store, mut feed) = open_with(&primary, with_a_replica()).await.unwrap();
    let c = conv(1);
    write(&*store, say(c, 1)).await.unwrap();
    feed.recv().await.unwrap();
    assert_eq!(store.records(c, 0, 9).await.unwrap().len(), 1);
    replica.stop();
    let writing = tokio::spawn({
        let store = store.clone();
        async move { write(&*store, say(c, 2)).await }
    });
    // it is in the primary, and yet nobody hears of it: neither its sender nor who sends it again, nor who reads, here or at
    // another server, which does not know either whether the first is safe: it has not asked this process yet
    let (other, _other_feed) = open_with(&primary, with_a_replica()).await.unwrap();
    let count = "local n = 0 for _, key in ipairs(redis.call('KEYS', '*')) do \
        if redis.call('TYPE', key).ok == 'list' then n = n + redis.call('LLEN', key) end end return n";
    let count = cmd("EVAL").arg(count).arg(0).take();
    until("written", async || (primary.query::<u64>(&count).await == 2).then_some(())).await;
    assert_eq!(store.records(c, 0, 9).await.unwrap().len(), 1);
    assert_eq!(other.records(c, 0, 9).await, Err(kefu_store::StoreError::Reopening));
    assert!(other.follow(c).await.is_err());
    // nor is it said that there is no second one, which would be a log that went back
    assert_eq!(store.records(c, 1, 9).await, Err(kefu_store::StoreError::Reopening));
    assert_eq!(store.records(c, 7, 9).await, Err(kefu_store::StoreError::Reopening));
    let again = tokio::spawn({
        let store = store.clone();
        async move { write(&*store, say(c, 2)).await }
    });
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(!writing.is_finished() && !again.is_finished() && feed.try_recv().is_err());
    replica.cont();
    assert_eq!(writing.await.unwrap().unwrap().seqs, [2]);
    assert_eq!(again.await.unwrap(), Err(kefu_store::StoreError::Duplicate { seq: 2 }));
    // each waits for the replica itself, which may be slow still
    for reader in [&store, &other] {
        until("both records", async || (reader.records(c, 0, 9).await.ok()?.len() == 2).then_some(())).await;
    }
    store.close().await;
}

#[tokio::test]
async fn another_primary_has_all_that_was_acknowledged() {
    let mut primary = RedisServer::start(&[]).await;
    let replica = primary.replica(&[]).await;
    let sentinels = Sentinels::start(&primary).await;
    let link = Link::connect(&sentinels.url(), sentinels.options()).await.unwrap();
    let opened = RedisStore::open(link, with_a_replica()).await.unwrap();
    let store = opened.0.clone();
    let load = Load::start(opened, &[1, 2, 3].map(conv)).await;
    load.more(200).await;
    primary.kill();
    until("another primary", async || {
        matches!(replica.connect().await.server().role, Role::Primary { .. }).then_some(())
    })
    .await;
    // nobody knows yet what of it is safe: it is shown when the other one has it, too
    assert_eq!(store.records(conv(1), 0, 1).await, Err(kefu_store::StoreError::Reopening));
    primary.restart().await;
    until("read", async || store.records(conv(1), 0, 1).await.ok()).await;
    load.end().await;
}

#[tokio::test]
async fn what_another_primary_lacks_is_told_of() {
    let mut primary = RedisServer::start(&[]).await;
    let replica = primary.replica(&[]).await;
    let sentinels = Sentinels::start(&primary).await;
    let link = Link::connect(&sentinels.url(), sentinels.options()).await.unwrap();
    let (store, mut feed) = RedisStore::open(link, options()).await.unwrap();
    let (lost, kept) = (conv(1), conv(2));
    for c in [lost, kept] {
        write(&*store, say(c, 1)).await.unwrap();
        store.follow(c).await.unwrap();
    }
    let wait = cmd("WAIT").arg(1).arg(5_000).take();
    let fence = primary.connect().await;
    fence.send(cmd("SET").arg("fence").arg(1)).await.unwrap();
    assert_eq!(fence.query::<u32>(&wait).await.unwrap(), 1);
    replica.stop();
    // what is in its socket would be read later
    fence.send(cmd("CLIENT").arg("KILL").arg("TYPE").arg("replica")).await.unwrap();
    write(&*store, say(lost, 2)).await.unwrap();
    primary.kill();
    replica.cont();
    let rewound = |outcome: &Outcome| match outcome {
        Outcome::Rewound { conv } => Some(*conv),
        _ => None,
    };
    assert_eq!(next(&mut feed, rewound).await, lost);
    // it is not in the log: whoever still has it sends it again
    until("written again", async || write(&*store, say(lost, 2)).await.ok()).await;
    assert_eq!(store.records(lost, 0, 9).await.unwrap().len(), 2);
}

fn in_lane(lane: u16, n: u8) -> ConvId {
    let mut id = [n; 16];
    id[..2].copy_from_slice(&(lane << 6).to_be_bytes());
    ConvId(id)
}

async fn open_cluster(cluster: &Cluster, options: Options) -> (std::sync::Arc<RedisStore>, kefu_store::Feed) {
    let link = Link::connect(&cluster.url(), cluster.options()).await.unwrap();
    RedisStore::open(link, options).await.unwrap()
}

#[tokio::test]
async fn lists_are_put_together_from_all_shards() {
    let cluster = Cluster::start(3, 0).await;
    let (store, _feed) = open_cluster(&cluster, options()).await;
    let convs: Vec<ConvId> = (0..60).map(|n| in_lane(n * 17, n as u8)).collect();
    let facts = |n: usize| Facts {
        visitor: Kid([n as u8 % 4; 16]),
        team: if n.is_multiple_of(2) { "a" } else { "b" }.parse().unwrap(),
        // several of the same time
        created: n as u64 / 4,
        listed: true,
        open: true,
        missed: (n.is_multiple_of(3)).then_some(n as u64 / 7),
    };
    for (n, c) in convs.iter().enumerate() {
        let facts = Some(Box::new(FactsChange { before: None, after: facts(n) }));
        let row = Op::Row { value: vec![n as u8].into(), facts };
        write(&*store, Batch { conv: Some(*c), rev: Some(0), ops: vec![row] }).await.unwrap();
    }
    let place = |n: usize, at_ms| Place { at_ms, conv: convs[n] };
    let mut listed: Vec<Place> = (0..60).step_by(2).map(|n| place(n, n as u64 / 4)).collect();
    listed.sort_unstable_by(|a, b| b.cmp(a));
    let team = "a".parse().unwrap();
    let (mut read, mut before) = (Vec::new(), None);
    loop {
        let page = store.listed(std::slice::from_ref(&team), before, 7).await.unwrap();
        before = page.last().copied().or(before);
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(read, listed);
    let mut missed: Vec<Place> = (0..60).step_by(6).map(|n| place(n, n as u64 / 7)).collect();
    missed.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(store.missed(&team, None, 99).await.unwrap(), missed);
    assert_eq!(store.count_missed(&team, 99).await.unwrap(), (10, Some(0)));
    let (mut old, mut after) = (Vec::new(), None);
    loop {
        let page = store.begun_by(9, after, 7).await.unwrap();
        after = page.last().copied().or(after);
        if page.is_empty() {
            break;
        }
        old.extend(page);
    }
    old.sort_unstable();
    let mut expected: Vec<Place> = (0..40).map(|n| place(n, n as u64 / 4)).collect();
    expected.sort_unstable();
    assert_eq!(old, expected);
    assert_eq!(store.open_conversations().await.unwrap().len(), 60);
    assert_eq!(store.of_visitor(Kid([1; 16]), 99).await.unwrap().len(), 15);
    let heads = store.heads(convs).await.unwrap();
    assert!(heads.iter().enumerate().all(|(n, head)| head.as_ref().unwrap().value == vec![n as u8]));
}

#[tokio::test]
async fn slots_move_under_load() {
    let cluster = Cluster::start(3, 0).await;
    let convs: Vec<ConvId> = (0..12).map(|n| in_lane(n * 2, n as u8)).collect();
    let load = Load::start(open_cluster(&cluster, options()).await, &convs).await;
    load.more(200).await;
    let mut ids = Vec::new();
    for node in 0..3 {
        ids.push(cluster.node(node).query::<String>(cmd("CLUSTER").arg("MYID")).await);
    }
    // the first 24 lanes, there and back
    for (from, to) in [(0, 1), (1, 0)] {
        let port = cluster.node(0).port();
        let [from, to] = [from, to].map(|node: usize| ids[node].clone());
        let reshard = move || {
            let mut cli = Command::new("redis-cli");
            cli.args(["--cluster", "reshard", &format!("127.0.0.1:{port}"), "--cluster-slots", "384", "--cluster-yes"]);
            cli.args(["--cluster-from", &from, "--cluster-to", &to]).output().unwrap()
        };
        let done = tokio::task::spawn_blocking(reshard).await.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
        load.more(200).await;
    }
    load.end().await;
}

#[tokio::test]
async fn a_shard_gets_another_primary_under_load() {
    let mut cluster = Cluster::start(3, 1).await;
    let convs: Vec<ConvId> = [5, 400, 900].map(|lane| in_lane(lane, 1)).to_vec();
    let load = Load::start(open_cluster(&cluster, with_a_replica()).await, &convs).await;
    load.more(200).await;
    cluster.node_mut(0).kill();
    until("another primary", async || {
        matches!(cluster.node(3).connect().await.server().role, Role::Primary { .. }).then_some(())
    })
    .await;
    cluster.node_mut(0).restart().await;
    load.end().await;
}

#[tokio::test]
async fn who_only_reads_finds_another_primary_too() {
    let cluster = Cluster::start(3, 1).await;
    let c = in_lane(5, 1);
    let (store, _feed) = open_cluster(&cluster, with_a_replica()).await;
    let (reader, _reader_feed) = open_cluster(&cluster, with_a_replica()).await;
    write(&*store, say(c, 1)).await.unwrap();
    assert_eq!(reader.records(c, 0, 9).await.unwrap().len(), 1);
    // the one that hands over keeps its connections, and leads elsewhere
    cluster.node(3).query::<()>(cmd("CLUSTER").arg("FAILOVER")).await;
    cluster.node(3).has_replica(cluster.node(0)).await;
    until("read", async || reader.records(c, 0, 9).await.ok().filter(|records| records.len() == 1)).await;
}

#[tokio::test]
async fn what_is_published_is_heard_after_a_primary_handed_over() {
    let cluster = Cluster::start(3, 1).await;
    let c = in_lane(5, 1);
    // nobody looks by themselves
    let audit = Duration::from_hours(1);
    let (store, _feed) = open_cluster(&cluster, Options { audit, ..with_a_replica() }).await;
    let (reader, mut heard) = open_cluster(&cluster, Options { audit, ..with_a_replica() }).await;
    write(&*store, say(c, 1)).await.unwrap();
    reader.follow(c).await.unwrap();
    let commit = |seq: u64| {
        move |outcome: &Outcome| match outcome {
            Outcome::Committed(commit) if commit.conv == c => {
                commit.records.iter().any(|frame| RecordView::parse(frame).unwrap().seq == seq).then_some(())
            }
            _ => None,
        }
    };
    write(&*store, say(c, 2)).await.unwrap();
    next(&mut heard, commit(2)).await;
    cluster.node(3).query::<()>(cmd("CLUSTER").arg("FAILOVER")).await;
    cluster.node(3).has_replica(cluster.node(0)).await;
    for seq in [3, 4] {
        until("written", async || write(&*store, say(c, seq)).await.ok()).await;
        next(&mut heard, commit(seq)).await;
    }
}
