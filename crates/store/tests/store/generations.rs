//! A Redis that starts again, goes back to an older state, loses its data, or is another one.

use std::{path::Path, sync::Arc, time::Duration};

use kefu_redis_link::{cmd, lanes, testing::RedisServer};
use kefu_store::{
    Batch, Feed, Op, Outcome, Reply, Store, StoreError, Table,
    redis::{Options, RedisStore},
    submit, write,
};

use crate::support::{
    batch::conv,
    redis::{Told, next, open, open_with, options, row, say},
};

/// Options with which a store soon says that its server is away.
fn impatient() -> Options {
    Options { patience: Duration::from_millis(300), ..options() }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// Writes until the server takes it.
async fn write_again(store: &Arc<RedisStore>, batch: Batch) {
    loop {
        match write(&**store, batch.clone()).await {
            Ok(_) | Err(StoreError::Duplicate { .. }) => return,
            Err(StoreError::Unwritable) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(e) => panic!("{e}"),
        }
    }
}

fn rewound(outcome: &Outcome) -> Option<kefu_proto::ConvId> {
    match outcome {
        Outcome::Rewound { conv } => Some(*conv),
        _ => None,
    }
}

#[tokio::test]
async fn a_server_that_starts_again_has_another_generation_and_nothing_is_lost() {
    let mut server = RedisServer::start(&[]).await;
    let (store, mut feed) = open(&server).await.unwrap();
    let (other, mut others) = open(&server).await.unwrap();
    assert_eq!(store.generation(), other.generation());
    let (c, mut told, mut heard) = (conv(1), Told::default(), Told::default());
    store.follow(c).await.unwrap();
    other.follow(c).await.unwrap();
    for round in 0..4 {
        let before = store.generation();
        write_again(&store, say(c, round)).await;
        told.listen(&mut feed, c, |told| told.seqs.len() as u64 > round).await;
        heard.listen(&mut others, c, |told| told.seqs.len() as u64 > round).await;
        server.kill();
        server.restart().await;
        let unsure = |outcome: &Outcome| {
            assert_eq!(rewound(outcome), None);
            matches!(outcome, Outcome::Unsure).then_some(())
        };
        next(&mut feed, unsure).await;
        next(&mut others, unsure).await;
        // the stores see it at the same time or one after the other
        kefu_redis_link::testing::until("one new generation", async || {
            let now = (store.generation(), other.generation());
            (now.0 == now.1 && now.0 != before).then_some(())
        })
        .await;
    }
    assert_eq!((told.seqs, heard.seqs), (vec![1, 2, 3, 4], vec![1, 2, 3, 4]));
}

#[tokio::test]
async fn a_log_that_went_back_is_told_of() {
    let mut server = RedisServer::start(&[]).await;
    let (store, mut feed) = open(&server).await.unwrap();
    let (lost, kept, erased, changed) = (conv(1), conv(2), conv(3), conv(4));
    let all = [lost, kept, erased, changed];
    for c in all {
        write(&*store, row(c, Some(0), "r")).await.unwrap();
        for n in 1..=3 {
            write(&*store, say(c, n)).await.unwrap();
        }
        store.follow(c).await.unwrap();
    }
    let live = server.directory().join("appendonlydir");
    let old = tempfile::tempdir().unwrap();
    copy(&live, old.path());
    write(&*store, say(lost, 4)).await.unwrap();
    write(&*store, row(changed, Some(1), "new")).await.unwrap();
    let erase = Op::Erase { last_seq: 3, facts: None };
    write(&*store, Batch { conv: Some(erased), rev: Some(1), ops: vec![erase] }).await.unwrap();
    let before = store.generation();
    server.kill();
    std::fs::remove_dir_all(&live).unwrap();
    copy(old.path(), &live);
    server.restart().await;
    let mut said = Vec::new();
    let mut back = Told::default();
    while said.len() < 2 || back.seqs.len() < 6 {
        for outcome in feed.recv().await.unwrap() {
            match outcome {
                Outcome::Committed(commit) if commit.conv == erased => back.add(&commit),
                Outcome::Rewound { conv } => said.push(conv),
                _ => {}
            }
        }
    }
    said.sort_unstable();
    assert_eq!(said, [lost, changed]);
    assert_eq!((back.seqs, back.rows.len()), (vec![1, 2, 3, 1, 2, 3], 2), "what was erased is there again");
    assert_ne!(store.generation(), before);
    // from there it goes on
    write_again(&store, say(lost, 5)).await;
    let mut told = Told::default();
    told.listen(&mut feed, lost, |told| !told.seqs.is_empty()).await;
    assert_eq!(told.seqs, [4]);
    write_again(&store, say(kept, 5)).await;
    let mut told = Told::default();
    told.listen(&mut feed, kept, |told| !told.seqs.is_empty()).await;
    assert_eq!(told.seqs, [4], "and was not told as lost");
}

#[tokio::test]
async fn another_log_of_the_same_length_is_noticed() {
    let mut server = RedisServer::start(&[]).await;
    let (store, mut feed) = open(&server).await.unwrap();
    let (c, same) = (conv(1), conv(2));
    write(&*store, say(c, 1)).await.unwrap();
    write(&*store, row(same, Some(0), "r")).await.unwrap();
    store.follow(c).await.unwrap();
    store.follow(same).await.unwrap();
    let live = server.directory().join("appendonlydir");
    let old = tempfile::tempdir().unwrap();
    copy(&live, old.path());
    for n in 2..=4 {
        write(&*store, say(c, n)).await.unwrap();
    }
    write(&*store, row(same, Some(1), "lost")).await.unwrap();
    server.kill();
    std::fs::remove_dir_all(&live).unwrap();
    copy(old.path(), &live);
    server.restart().await;
    let (other, _other_feed) = open(&server).await.unwrap();
    for n in 12..=16 {
        write_again(&other, say(c, n)).await;
    }
    write_again(&other, row(same, Some(1), "another")).await;
    let mut said = [next(&mut feed, rewound).await, next(&mut feed, rewound).await];
    said.sort_unstable();
    assert_eq!(said, [c, same]);
    write_again(&store, say(c, 17)).await;
    let mut told = Told::default();
    told.listen(&mut feed, c, |told| told.seqs.last() == Some(&7)).await;
    assert!(told.seqs.is_sorted());
}

/// What a store says of batches while its server is not to be used.
async fn is_refused(store: &Arc<RedisStore>, feed: &mut Feed) {
    let refused = |outcome: &Outcome| match outcome {
        Outcome::Refused { error, .. } => Some(error.clone()),
        _ => None,
    };
    match submit(&**store, say(conv(1), 77), Reply::Feed(1)).await {
        Ok(()) => assert_eq!(next(feed, refused).await, StoreError::Unwritable),
        Err(error) => assert_eq!(error, StoreError::Unwritable),
    }
}

#[tokio::test]
async fn a_server_without_its_data_is_refused() {
    let mut server = RedisServer::start(&[]).await;
    let (store, mut feed) = open_with(&server, impatient()).await.unwrap();
    write(&*store, say(conv(1), 1)).await.unwrap();
    feed.recv().await.unwrap();
    server.kill();
    std::fs::remove_dir_all(server.directory().join("appendonlydir")).unwrap();
    server.restart().await;
    is_refused(&store, &mut feed).await;
    assert!(matches!(store.head(conv(1)).await, Err(StoreError::Server(why)) if why.contains("lost its data")));
    let existing = Options { create: false, ..impatient() };
    let opened = open_with(&server, existing).await.map(drop);
    assert!(matches!(&opened, Err(StoreError::Server(why)) if why.contains("holds no company")), "{opened:?}");
    assert_eq!(server.query::<u64>(&cmd("DBSIZE")).await, 0, "nothing was written to it");
    store.close().await;
}

#[tokio::test]
async fn a_server_without_a_part_of_its_data_is_refused() {
    let server = RedisServer::start(&[]).await;
    let (store, _feed) = open(&server).await.unwrap();
    store.close().await;
    let key = format!("kefu:{{{}}}g", lanes::tag(77));
    let mut part = cmd("DEL");
    part.arg(&key);
    assert_eq!(server.query::<u64>(&part).await, 1);
    let opened = open(&server).await.map(drop);
    assert!(matches!(&opened, Err(StoreError::Server(why)) if why.contains("lost its data")), "{opened:?}");
}

#[tokio::test]
async fn a_part_of_another_company_is_refused() {
    let server = RedisServer::start(&[]).await;
    open(&server).await.unwrap().0.close().await;
    let mut part = cmd("HSET");
    part.arg(format!("kefu:{{{}}}g", lanes::tag(3))).arg("id").arg("another");
    server.query::<u64>(&part).await;
    let opened = open(&server).await.map(drop);
    assert!(matches!(&opened, Err(StoreError::Server(why)) if why.contains("another company")), "{opened:?}");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let server = RedisServer::start(&[]).await;
    let (store, _feed) = open(&server).await.unwrap();
    let put = Op::Put { table: Table::Meta, key: b"schema".to_vec(), value: 99_u32.to_be_bytes().to_vec() };
    write(&*store, Batch { ops: vec![put], ..Batch::default() }).await.unwrap();
    store.close().await;
    assert!(matches!(open(&server).await.map(drop), Err(StoreError::TooNew { found: 99, .. })));
}

#[tokio::test]
async fn two_companies_share_a_server_under_their_own_prefixes() {
    let server = RedisServer::start(&[]).await;
    let other = Options { prefix: "other:".to_owned(), ..options() };
    let ((a, _a), (b, _b)) = (open(&server).await.unwrap(), open_with(&server, other).await.unwrap());
    write(&*a, say(conv(1), 1)).await.unwrap();
    write(&*a, say(conv(1), 2)).await.unwrap();
    assert_eq!(write(&*b, say(conv(1), 1)).await.unwrap().seqs, [1]);
    assert_ne!(a.generation(), b.generation());
}

#[tokio::test]
async fn servers_that_create_a_company_together_create_one() {
    let server = RedisServer::start(&[]).await;
    let opened = futures_util::future::join_all((0..4).map(|_| open(&server))).await;
    let stores: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    assert!(stores.iter().all(|(store, _)| store.generation() == stores[0].0.generation()));
}
