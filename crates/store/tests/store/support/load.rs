//! Many who write at once, send again what was refused, as clients do, and keep books.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use kefu_proto::{ConvId, MsgId, RecordView};
use kefu_store::{Feed, Outcome, Store, StoreError, redis::RedisStore, write};
use tokio::task::JoinSet;

use super::redis::{Told, id, row, say};

/// Writers of each conversation.
const WRITERS: u64 = 4;

/// A number and a message of a conversation.
type Acknowledged = (ConvId, u64, MsgId);

/// A load on a store, in conversations that it follows.
pub struct Load {
    store: Arc<RedisStore>,
    feed: Feed,
    convs: Vec<ConvId>,
    tasks: JoinSet<Vec<Acknowledged>>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
}

impl Load {
    /// Begins.
    pub async fn start((store, feed): (Arc<RedisStore>, Feed), convs: &[ConvId]) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for (at, c) in convs.iter().copied().enumerate() {
            store.follow(c).await.unwrap();
            for writer in 0..WRITERS {
                let first = (at as u64 * WRITERS + writer) << 32;
                tasks.spawn(one(store.clone(), c, first, stop.clone(), done.clone()));
            }
        }
        Self { store, feed, convs: convs.to_vec(), tasks, stop, done }
    }

    /// Waits until so many more messages are acknowledged.
    pub async fn more(&self, messages: u64) {
        let wanted = self.done.load(Ordering::Relaxed) + messages;
        kefu_redis_link::testing::until("more messages", async || {
            (self.done.load(Ordering::Relaxed) >= wanted).then_some(())
        })
        .await;
    }

    /// Ends, and checks that log, feed and what was acknowledged are the same.
    pub async fn end(mut self) {
        self.more(50).await;
        self.stop.store(true, Ordering::Relaxed);
        let mut acknowledged: BTreeMap<ConvId, BTreeMap<u64, MsgId>> = BTreeMap::new();
        while let Some(written) = self.tasks.join_next().await {
            for (c, seq, id) in written.unwrap() {
                assert_eq!(acknowledged.entry(c).or_default().insert(seq, id), None, "one number for two messages");
            }
        }
        let id_of = |body: &[u8]| MsgId(body[40..56].try_into().unwrap());
        for c in &self.convs {
            let stored = self.store.records(*c, 0, usize::MAX).await.unwrap();
            let ids: BTreeMap<u64, MsgId> = stored.iter().map(|(seq, frame)| (*seq, id_of(&frame[16..]))).collect();
            assert_eq!(ids.values().collect::<BTreeSet<_>>().len(), ids.len(), "no message twice");
            assert_eq!(ids, acknowledged[c]);
        }
        self.store.close().await;
        let mut told: BTreeMap<ConvId, Told> = BTreeMap::new();
        while let Some(outcomes) = self.feed.recv().await {
            for outcome in outcomes {
                match outcome {
                    Outcome::Committed(commit) => told.entry(commit.conv).or_default().add(&commit),
                    Outcome::Rewound { .. } => panic!("nothing was lost"),
                    _ => {}
                }
            }
        }
        for c in &self.convs {
            let (told, acknowledged) = (&told[c], &acknowledged[c]);
            assert_eq!(told.seqs, (1..=acknowledged.len() as u64).collect::<Vec<_>>(), "each once and in order");
            assert!(told.rows.iter().map(|row| row.0).is_sorted());
            let ids = told.frames.iter().map(|frame| id_of(RecordView::parse(frame).unwrap().body));
            assert!(ids.eq(acknowledged.values().copied()));
        }
    }
}

async fn one(
    store: Arc<RedisStore>,
    c: ConvId,
    first: u64,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
) -> Vec<Acknowledged> {
    let mut acknowledged = Vec::new();
    for n in first.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let mut batch = say(c, n);
        if n.is_multiple_of(4) {
            batch.ops.extend(row(c, None, &n.to_string()).ops);
        }
        let seq = loop {
            match write(&*store, batch.clone()).await {
                Ok(written) => break written.seqs[0],
                Err(StoreError::Duplicate { seq }) => break seq,
                Err(StoreError::Unwritable) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(e) => panic!("{e}"),
            }
        };
        acknowledged.push((c, seq, id(n)));
        done.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    acknowledged
}
