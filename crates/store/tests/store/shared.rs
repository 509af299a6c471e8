//! Several servers on one Redis: what each hears of the others.

use std::{sync::Arc, time::Duration};

use kefu_proto::Side;
use kefu_redis_link::testing::RedisServer;
use kefu_store::{
    Batch, Op, Outcome, Reply, Store, StoreError,
    redis::{Options, RedisStore},
    submit, write,
};
use tokio::task::JoinSet;

use crate::support::{
    batch::{conv, tombstone},
    proxy::{Lose, PUBLISH, Proxy},
    redis::{Told, id, next, open, open_through, open_with, options, row, say},
};

/// Options with which what was lost is soon looked for.
fn watchful() -> Options {
    Options { audit: Duration::from_millis(320), ..options() }
}

/// Whether it tells of a change.
fn changed(outcome: &Outcome) -> Option<(u32, Vec<u8>)> {
    match outcome {
        Outcome::Changed { rev, row, .. } => Some((*rev, row.to_vec())),
        _ => None,
    }
}

#[tokio::test]
async fn all_who_follow_hear_every_commit_once_and_in_order() {
    const EACH: u64 = 150;
    let server = RedisServer::start(&[]).await;
    let c = conv(1);
    let (mut stores, mut feeds) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (store, feed) = open(&server).await.unwrap();
        assert_eq!(store.follow(c).await.unwrap(), None);
        stores.push(store);
        feeds.push(feed);
    }
    let mut tasks = JoinSet::new();
    // the third only listens
    for (writer, store) in stores.iter().take(2).cloned().enumerate() {
        tasks.spawn(async move {
            for n in 0..EACH {
                let n = n + writer as u64 * 1_000;
                let mut batch = say(c, n);
                if n.is_multiple_of(5) {
                    batch.ops.extend(row(c, None, &n.to_string()).ops);
                }
                submit(&*store, batch, Reply::Feed(n + 1)).await.unwrap();
                if n.is_multiple_of(7) {
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    let mut all = Vec::new();
    for (own, feed) in [EACH, EACH, 0].into_iter().zip(&mut feeds) {
        let mut told = Told::default();
        let rows = 2 * EACH as u32 / 5;
        told.listen(feed, c, |told| {
            let origins = told.origins.len() as u64;
            told.seqs.len() as u64 >= 2 * EACH && origins >= own && told.rows.last().is_some_and(|row| row.0 == rows)
        })
        .await;
        assert_eq!(told.seqs, (1..=2 * EACH).collect::<Vec<_>>());
        // of rows that had to be read only the last is there to be read
        assert!(told.rows.is_sorted());
        all.push(told);
    }
    // every sender hears of it, by the commit, or as a duplicate if it had to be read before its outcome was known
    let origins = |range: std::ops::Range<u64>| range.map(|n| n + 1).collect::<Vec<_>>();
    assert_eq!(all[0].origins, origins(0..EACH));
    assert_eq!(all[1].origins, origins(1_000..1_000 + EACH));
    assert_eq!(all[2].origins, [0; 0]);
    assert!(all.iter().all(|told| told.frames == all[0].frames && told.rows.last() == all[0].rows.last()));
    let stored = stores[2].records(c, 0, usize::MAX).await.unwrap();
    assert_eq!(stored.into_iter().map(|(_, frame)| frame).collect::<Vec<_>>(), all[0].frames);
}

#[tokio::test]
async fn who_begins_to_follow_misses_nothing_after_the_head() {
    let server = RedisServer::start(&[]).await;
    let (writer, _feed) = open(&server).await.unwrap();
    let (reader, mut feed) = open(&server).await.unwrap();
    for c in (1..=20).map(conv) {
        write(&*writer, row(c, Some(0), "r")).await.unwrap();
        let writing = Arc::clone(&writer);
        let task = tokio::spawn(async move {
            for n in 0..60 {
                write(&*writing, say(c, n)).await.unwrap();
            }
        });
        tokio::time::sleep(Duration::from_millis(u64::from(c.0[0]))).await;
        let head = reader.follow(c).await.unwrap().unwrap();
        let mut told = Told::default();
        told.listen(&mut feed, c, |told| head.last_seq + told.seqs.len() as u64 >= 60).await;
        assert_eq!(told.seqs, (head.last_seq + 1..=60).collect::<Vec<_>>());
        task.await.unwrap();
        reader.unfollow(c);
    }
}

#[tokio::test]
async fn changes_of_rows_are_told_to_all_and_messages_only_to_those_who_follow() {
    let server = RedisServer::start(&[]).await;
    let (writer, mut own) = open(&server).await.unwrap();
    let (other, mut feed) = open(&server).await.unwrap();
    let (c, d) = (conv(1), conv(2));
    write(&*writer, say(c, 1)).await.unwrap();
    write(&*writer, row(c, Some(0), "one")).await.unwrap();
    assert_eq!(next(&mut feed, changed).await, (1, b"one".to_vec()));
    other.follow(c).await.unwrap().unwrap();
    write(&*writer, say(c, 2)).await.unwrap();
    let mut told = Told::default();
    told.listen(&mut feed, c, |told| !told.seqs.is_empty()).await;
    assert_eq!(told.seqs, [2]);
    // recalled, closed, erased
    let recall = Batch { conv: Some(c), rev: None, ops: vec![Op::Redact { seq: 2, body: tombstone_of(c, 2).into() }] };
    write(&*writer, recall).await.unwrap();
    let redacted = |outcome: &Outcome| match outcome {
        Outcome::Committed(commit) if commit.origin == 0 => Some(commit.redacted.clone()),
        _ => None,
    };
    assert_eq!(next(&mut feed, redacted).await, [2]);
    let erase = Batch { conv: Some(c), rev: Some(1), ops: vec![Op::Erase { last_seq: 2, facts: None }] };
    write(&*writer, erase).await.unwrap();
    let gone = |outcome: &Outcome| match outcome {
        Outcome::Committed(commit) => Some((commit.conv, commit.rev, commit.records.len())),
        _ => None,
    };
    assert_eq!(next(&mut feed, gone).await, (c, 0, 0));
    assert_eq!(next(&mut feed, changed).await, (0, vec![]));
    other.unfollow(c);
    // its own changes are commits
    write(&*other, row(d, Some(0), "d")).await.unwrap();
    assert_eq!(next(&mut own, changed).await, (1, b"d".to_vec()));
    assert_eq!(next(&mut feed, gone).await, (d, 1, 0));
    assert!(feed.try_recv().is_err(), "and nothing else");
}

fn tombstone_of(c: kefu_proto::ConvId, n: u64) -> Vec<u8> {
    let mut body = tombstone(c, 0);
    body[40..56].copy_from_slice(&id(n).0);
    body
}

#[tokio::test]
async fn of_many_who_insist_on_a_revision_one_wins() {
    let server = RedisServer::start(&[]).await;
    let mut stores: Vec<Arc<RedisStore>> = Vec::new();
    for _ in 0..2 {
        stores.push(open(&server).await.unwrap().0);
    }
    let c = conv(1);
    for rev in 0..30 {
        let mut tasks = JoinSet::new();
        for n in 0..8 {
            let store = Arc::clone(&stores[n % 2]);
            tasks.spawn(async move { write(&*store, row(c, Some(rev), &n.to_string())).await.map(|_| n) });
        }
        let answers = tasks.join_all().await;
        let won: Vec<usize> = answers.iter().filter_map(|answer| answer.as_ref().ok()).copied().collect();
        assert_eq!(won.len(), 1);
        assert!(answers.iter().filter_map(|answer| answer.as_ref().err()).all(|e| *e == StoreError::Conflict));
        let head = stores[0].head(c).await.unwrap().unwrap();
        assert_eq!((head.rev, head.value.to_vec()), (rev + 1, won[0].to_string().into_bytes()));
    }
}

#[tokio::test]
async fn the_larger_mark_counts_whoever_is_last() {
    let server = RedisServer::start(&[]).await;
    let ((a, _), (b, _)) = (open(&server).await.unwrap(), open(&server).await.unwrap());
    let c = conv(1);
    write(&*a, row(c, None, "r")).await.unwrap();
    for (store, delivered, read) in [(&a, 5, 3), (&b, 4, 4), (&a, u64::MAX, 1)] {
        let marks = kefu_proto::Marks { delivered, read };
        let ops = vec![Op::Marks { side: Side::Agent, marks }];
        write(&**store, Batch { conv: Some(c), rev: None, ops }).await.unwrap();
    }
    let marks = b.head(c).await.unwrap().unwrap().marks[Side::Agent as usize];
    assert_eq!((marks.delivered, marks.read), (u64::MAX, 4));
}

#[tokio::test]
async fn what_was_not_published_is_found() {
    let server = RedisServer::start(&[]).await;
    let proxy = Proxy::start(server.port()).await;
    let (writer, _own) = open_through(&proxy, options()).await.unwrap();
    let (reader, mut feed) = open_with(&server, watchful()).await.unwrap();
    let c = conv(1);
    write(&*writer, row(c, Some(0), "r")).await.unwrap();
    assert_eq!(next(&mut feed, changed).await.0, 1);
    reader.follow(c).await.unwrap().unwrap();
    let mut told = Told::default();
    // once: it is said again
    proxy.lose(Lose::Request(PUBLISH.to_vec()));
    write(&*writer, say(c, 1)).await.unwrap();
    proxy.lost(1).await;
    told.listen(&mut feed, c, |told| told.seqs == [1]).await;
    // for ever: it is found by looking
    proxy.always_lose(Lose::Request(PUBLISH.to_vec()));
    for n in 2..=3 {
        let mut batch = say(c, n);
        batch.ops.extend(row(c, None, "again").ops);
        write(&*writer, batch).await.unwrap();
        told.listen(&mut feed, c, |told| told.seqs.last() == Some(&n) && told.rows.len() as u64 == n - 1).await;
    }
    write(&*reader, say(c, 4)).await.unwrap();
    told.listen(&mut feed, c, |told| told.seqs.last() == Some(&4)).await;
    assert_eq!(told.seqs, [1, 2, 3, 4]);
    assert_eq!(told.rows.iter().map(|row| row.0).collect::<Vec<_>>(), [2, 3]);
    // lists have to be read again
    write(&*writer, row(conv(9), Some(0), "r")).await.unwrap();
    next(&mut feed, |outcome| matches!(outcome, Outcome::Unsure).then_some(())).await;
}

#[tokio::test]
async fn who_was_away_hears_what_happened_meanwhile() {
    let server = RedisServer::start(&[]).await;
    let proxy = Proxy::start(server.port()).await;
    let (writer, _own) = open(&server).await.unwrap();
    let (reader, mut feed) = open_through(&proxy, options()).await.unwrap();
    let c = conv(1);
    write(&*writer, row(c, Some(0), "r")).await.unwrap();
    reader.follow(c).await.unwrap().unwrap();
    let mut told = Told::default();
    for n in 1..=300 {
        if n == 5 {
            proxy.shut(true);
        }
        write(&*writer, say(c, n)).await.unwrap();
    }
    proxy.shut(false);
    let mut unsure = false;
    while told.seqs.len() < 300 {
        for outcome in feed.recv().await.unwrap() {
            match outcome {
                Outcome::Committed(commit) => told.add(&commit),
                Outcome::Unsure => unsure = true,
                Outcome::Changed { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(told.seqs, (1..=300).collect::<Vec<_>>());
    assert!(unsure, "changes of rows may have been missed");
    // and it can write again
    write(&*reader, say(c, 999)).await.unwrap();
}
