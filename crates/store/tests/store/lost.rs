//! Connections that end, servers that are killed: nothing acknowledged is lost, nothing is written twice.

use std::{collections::BTreeSet, time::Duration};

use kefu_proto::{Event, Kid, MsgId, event_body};
use kefu_redis_link::{cmd, testing::RedisServer};
use kefu_store::{
    Batch, Facts, FactsChange, Op, Outcome, Reply, Store, StoreError, Table, find, redis::Options, submit, write,
};

use crate::support::{
    batch::{conv, envelope, msg, tombstone},
    load::Load,
    proxy::{Lose, Proxy},
    redis::{Told, id, open_through, open_with, options, row, say},
};

/// Which message ends its connection, and when.
fn losing(needle: &[u8]) -> [Lose; 2] {
    [Lose::Reply(needle.to_vec()), Lose::Request(needle.to_vec())]
}

#[tokio::test]
async fn a_message_whose_reply_is_lost_is_written_once() {
    let server = RedisServer::start(&[]).await;
    let proxy = Proxy::start(server.port()).await;
    let (store, mut feed) = open_through(&proxy, options()).await.unwrap();
    let (c, mut told) = (conv(1), Told::default());
    for (n, lose) in (1..).zip(losing(b"K1\x01\x01").into_iter().cycle().take(6)) {
        if n > 2 {
            // followed or not
            store.follow(c).await.unwrap();
        }
        proxy.lose(lose);
        if n % 2 == 0 {
            assert_eq!(write(&*store, say(c, n)).await.unwrap().seqs, [n]);
        } else {
            submit(&*store, say(c, n), Reply::Feed(n)).await.unwrap();
        }
        proxy.lost(n).await;
        told.listen(&mut feed, c, |told| told.seqs.len() as u64 == n).await;
    }
    assert_eq!(told.seqs, (1..=6).collect::<Vec<_>>());
    assert_eq!(told.origins, [1, 3, 5]);
    assert_eq!(store.records(c, 0, 99).await.unwrap().len(), 6);
}

#[tokio::test]
async fn batches_without_messages_happen_once_too() {
    let server = RedisServer::start(&[]).await;
    let proxy = Proxy::start(server.port()).await;
    let (store, mut feed) = open_through(&proxy, options()).await.unwrap();
    let mut lost = 0;
    for (n, lose) in (1..).zip(losing(b"needle")) {
        let c = conv(n);
        let mut lose = async || {
            lost += 1;
            proxy.lose(lose.clone());
        };
        // a row with facts
        let after = Facts {
            visitor: Kid([7; 16]),
            team: "a".parse().unwrap(),
            created: 5,
            listed: true,
            open: true,
            missed: None,
        };
        let facts = Some(Box::new(FactsChange { before: None, after: after.clone() }));
        let first = Op::Row { value: "needle".into(), facts };
        lose().await;
        assert_eq!(write(&*store, Batch { conv: Some(c), rev: Some(0), ops: vec![first] }).await.unwrap().rev, 1);
        // a row whatever it was
        lose().await;
        assert_eq!(write(&*store, row(c, None, "needle")).await.unwrap().rev, 2);
        // an event, which has no id that is remembered
        let body = event_body(c, &Event::Reopened { by: "needle".into() });
        let event = Op::Append { id: msg(1), body: body.into() };
        lose().await;
        let written = write(&*store, Batch { conv: Some(c), rev: None, ops: vec![event] }).await.unwrap();
        assert_eq!((written.seqs, written.rev), (vec![1], 2));
        // a message with a row
        let mut both = say(c, 1);
        both.ops.extend(row(c, None, "needle").ops);
        lose().await;
        let written = write(&*store, both).await.unwrap();
        assert_eq!((written.seqs, written.rev), (vec![2], 3));
        // a table
        let expect = Op::Expect { table: Table::Site, key: vec![n], value: None };
        let put = Op::Put { table: Table::Site, key: vec![n], value: b"needle".to_vec() };
        lose().await;
        write(&*store, Batch { ops: vec![expect, put], ..Batch::default() }).await.unwrap();
        assert_eq!(store.head(c).await.unwrap().unwrap().rev, 3);
        // all of it gone
        let gone = Op::Erase { last_seq: 2, facts: Some(Box::new(Facts { team: "needle".parse().unwrap(), ..after })) };
        lose().await;
        assert_eq!(write(&*store, Batch { conv: Some(c), rev: Some(3), ops: vec![gone] }).await.unwrap().rev, 0);
        assert_eq!(store.head(c).await.unwrap(), None);
        proxy.lost(lost).await;
        let mut told = Told::default();
        told.listen(&mut feed, c, |told| told.rows.len() == 3).await;
        assert_eq!((told.seqs, told.rows.iter().map(|row| row.0).collect::<Vec<_>>()), (vec![1, 2], vec![1, 2, 3]));
    }
}

#[tokio::test]
async fn refusals_and_questions_stay_what_they_are_when_their_reply_is_lost() {
    let server = RedisServer::start(&[]).await;
    let proxy = Proxy::start(server.port()).await;
    let (store, _feed) = open_through(&proxy, options()).await.unwrap();
    let c = conv(1);
    write(&*store, say(c, 1)).await.unwrap();
    proxy.lose(Lose::Reply(id(1).0.to_vec()));
    assert_eq!(find(&*store, c, id(1)).await, Ok(Some(1)));
    proxy.lost(1).await;
    proxy.lose(Lose::Reply(id(2).0.to_vec()));
    assert_eq!(find(&*store, c, id(2)).await, Ok(None));
    proxy.lost(2).await;
    proxy.lose(Lose::Reply(b"needle".to_vec()));
    assert_eq!(write(&*store, row(c, Some(7), "needle")).await, Err(StoreError::Conflict));
    proxy.lost(3).await;
    // what is left of a recalled message is what a question has in it
    write(
        &*store,
        Batch { conv: Some(c), rev: None, ops: vec![Op::Append { id: msg(9), body: envelope(c, 9).into() }] },
    )
    .await
    .unwrap();
    let redact = Op::Redact { seq: 2, body: tombstone(c, 9).into() };
    write(&*store, Batch { conv: Some(c), rev: None, ops: vec![redact] }).await.unwrap();
    proxy.lose(Lose::Reply(msg(9).0.to_vec()));
    assert_eq!(find(&*store, c, msg(9)).await, Ok(Some(2)));
    proxy.lost(4).await;
    assert_eq!(store.records(c, 0, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn after_long_without_a_server_batches_are_refused_until_it_is_back() {
    let mut server = RedisServer::start(&[]).await;
    let impatient = Options { patience: Duration::from_millis(300), ..options() };
    let (store, mut feed) = open_with(&server, impatient).await.unwrap();
    let c = conv(1);
    write(&*store, say(c, 1)).await.unwrap();
    assert_eq!(store.space(), kefu_proto::StorageState::Ok);
    server.kill();
    // what was sent before the end was noticed stays until its outcome is known
    let mut refused = BTreeSet::new();
    for n in 2.. {
        match submit(&*store, say(c, n), Reply::Feed(n)).await {
            Ok(()) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(error) => {
                assert_eq!(error, StoreError::Unwritable);
                break;
            }
        }
    }
    while let Ok(outcomes) = feed.try_recv() {
        refused.extend(outcomes.into_iter().filter_map(|outcome| match outcome {
            Outcome::Refused { origin, conv: Some(_), id: Some(_), error: StoreError::Unwritable } => Some(id(origin)),
            _ => None,
        }));
    }
    assert!(!refused.is_empty());
    // all writers notice it, also those who have nothing to do
    kefu_redis_link::testing::until("it is known to be away", async || {
        (store.space() == kefu_proto::StorageState::Full).then_some(())
    })
    .await;
    assert_eq!(write(&*store, say(c, 999)).await, Err(StoreError::Unwritable));
    server.restart().await;
    kefu_redis_link::testing::until("it is back", async || {
        (store.space() == kefu_proto::StorageState::Ok).then_some(())
    })
    .await;
    kefu_redis_link::testing::until("it writes", async || write(&*store, say(c, 1_000)).await.ok()).await;
    let stored = store.records(c, 0, usize::MAX).await.unwrap();
    let stored: BTreeSet<MsgId> =
        stored.iter().map(|(_, frame)| MsgId(frame[16 + 40..16 + 56].try_into().unwrap())).collect();
    assert!(stored.contains(&id(1)) && stored.contains(&id(1_000)));
    assert!(stored.is_disjoint(&refused), "what was refused was not written");
}

/// The server is killed again and again; everybody sends again what was refused, as clients do.
#[tokio::test]
async fn a_server_that_is_killed_loses_and_doubles_nothing() {
    let mut server = RedisServer::start(&[]).await;
    let impatient = Options { patience: Duration::from_millis(200), ..options() };
    let load = Load::start(open_with(&server, impatient).await.unwrap(), &[1, 2, 3].map(conv)).await;
    for pause in [30, 80, 10, 150, 50, 100] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        server.kill();
        server.restart().await;
    }
    load.end().await;
}

#[tokio::test]
async fn without_memory_what_begins_is_refused_and_holds_up_nothing() {
    let server = RedisServer::start(&[]).await;
    let (store, mut feed) = open_with(&server, options()).await.unwrap();
    let memory = async |bytes: u64| {
        server.query::<()>(cmd("CONFIG").arg("SET").arg("maxmemory").arg(bytes)).await;
    };
    let begin = |n: u8| {
        let (visitor, team, created) = (Kid([n; 16]), "a".parse().unwrap(), 5);
        let after = Facts { visitor, team, created, listed: true, open: true, missed: None };
        let row = Op::Row { value: "row".into(), facts: Some(Box::new(FactsChange { before: None, after })) };
        Batch { conv: Some(conv(n)), rev: Some(0), ops: vec![row] }
    };
    write(&*store, say(conv(1), 1)).await.unwrap();
    memory(1).await;
    // all of one writer: one conversation
    let refused = [write(&*store, begin(2)), write(&*store, begin(2)), write(&*store, say(conv(2), 1))];
    for refused in futures_util::future::join_all(refused).await {
        assert_eq!(refused, Err(StoreError::Unwritable));
    }
    memory(1 << 30).await;
    assert_eq!(write(&*store, begin(2)).await.unwrap().rev, 1);
    let mut told = Told::default();
    told.listen(&mut feed, conv(2), |told| told.rows.len() == 1).await;
    assert_eq!(store.records(conv(2), 0, 9).await.unwrap(), []);
}
