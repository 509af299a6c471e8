//! How many messages a second one file takes, each on disk before its sender continues, and how long opening takes.
//!
//! `KEFU_BENCH_MESSAGES` sets how many messages the opened file contains (100,000 by default).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark or tool ends where it cannot go on"
)]

use std::{
    hint::black_box,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kefu::{
    proto::{ConvId, MESSAGE_HEADER, MsgId},
    store::{
        Batch, Feed, Op, Reply, Store,
        redb::{Options, RedbStore},
        space::Measure,
        submit, write,
    },
};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A message of 400 bytes with an id that was not there before.
fn post(conv: ConvId) -> Batch {
    let mut body = vec![0x5a; 400];
    body[..4].copy_from_slice(b"K1\x01\x01");
    body[4..20].copy_from_slice(&conv.0);
    // spread like random ids
    let id = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    body[40..48].copy_from_slice(&id.to_be_bytes());
    assert!(body.len() > MESSAGE_HEADER);
    let id = MsgId::from_slice(&body[40..56]).unwrap();
    Batch { conv: Some(conv), rev: None, ops: vec![Op::Append { id, body: body.into() }] }
}

fn conv(n: usize) -> ConvId {
    ConvId((n as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes())
}

fn open(path: &Path) -> (Arc<RedbStore>, Feed) {
    // it looks at the disk, as a server does
    let measure = path.parent().map(Measure::of);
    RedbStore::open(path, Options { measure, ..Options::default() }).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()
}

/// `messages` messages by `senders` senders, each waiting for the disk before its next.
async fn send(store: &Arc<RedbStore>, senders: usize, messages: u64) -> Duration {
    let left = Arc::new(AtomicU64::new(messages));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for sender in 0..senders {
        let (store, left) = (Arc::clone(store), Arc::clone(&left));
        tasks.spawn(async move {
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
                write(&*store, post(conv(sender))).await.unwrap();
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    started.elapsed()
}

fn group_commit(c: &mut Criterion) {
    let rt = runtime();
    let mut group = c.benchmark_group("group commit");
    group.throughput(Throughput::Elements(1)).sample_size(10);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    for senders in [1, 100] {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (store, mut feed) = open(&dir.path().join("kefu.redb"));
        rt.spawn(async move { while feed.recv().await.is_some() {} });
        group.bench_function(format!("{senders} senders"), |b| {
            b.iter_custom(|messages| rt.block_on(send(&store, senders, messages)));
        });
        rt.block_on(store.close());
    }
}

fn open_after_crash(c: &mut Criterion) {
    let messages: usize = std::env::var("KEFU_BENCH_MESSAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let rt = runtime();
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (path, crashed) = (dir.path().join("kefu.redb"), dir.path().join("crashed.redb"));
    let (store, feed) = open(&path);
    drop(feed);
    rt.block_on(async {
        for n in 0..messages {
            submit(&*store, post(conv(n / 40)), Reply::Feed(1)).await.unwrap();
        }
        write(&*store, post(conv(0))).await.unwrap();
    });
    let mut group = c.benchmark_group(format!("open with {messages} messages"));
    group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(1));
    group.bench_function("after a crash", |b| {
        b.iter_custom(|times| {
            let mut took = Duration::ZERO;
            for _ in 0..times {
                // a copy of the open files is what a killed process leaves
                std::fs::copy(&path, &crashed).unwrap();
                let (log, to) = (dir.path().join("kefu.redb.wal"), dir.path().join("crashed.redb.wal"));
                std::fs::create_dir_all(&to).unwrap();
                for file in std::fs::read_dir(log).unwrap().flatten() {
                    std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
                }
                let started = Instant::now();
                let (copy, _feed) = open(&crashed);
                black_box(copy.records(conv(0), 0, 10).unwrap());
                took += started.elapsed();
            }
            took
        });
    });
    rt.block_on(store.close());
    drop(store);
    group.bench_function("after a close", |b| b.iter(|| open(&path)));
}

criterion_group!(benches, group_commit, open_after_crash);
criterion_main!(benches);
