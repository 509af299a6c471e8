//! The writer thread: what it groups, whom it notifies and when, and that nobody waits forever.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use kefu_proto::RecordView;
use kefu_store::{
    Batch, Feed, GroupCommit, Observer, Op, Outcome, Reply, Store, StoreError, Table,
    redb::{Options, RedbStore},
    submit, write,
};
use tokio::sync::oneshot;

use crate::support::{
    batch::{conv, post},
    disk::Disk,
    options, until,
};

/// While it lives, syncs of the disk take forever; a failed test must not.
struct HeldSyncs(Disk);

impl HeldSyncs {
    fn of(disk: &Disk) -> Self {
        disk.hold_syncs(true);
        Self(disk.clone())
    }
}

impl Drop for HeldSyncs {
    fn drop(&mut self) {
        self.0.hold_syncs(false);
    }
}

#[tokio::test]
async fn while_the_disk_syncs_nobody_is_told_and_nobody_who_reads_waits() {
    let disk = Disk::new();
    let (store, mut feed) = disk.open_store(options()).unwrap();
    let c = conv(1);
    // a file with free space: readers wait for one sync only when it must double
    let large = Op::Put { table: Table::Widget, key: b"large".to_vec(), value: vec![1; 1 << 20] };
    write(&*store, Batch { conv: None, rev: None, ops: vec![large] }).await.unwrap();
    submit(&*store, post(c, 1), Reply::Feed(1)).await.unwrap();
    feed.recv().await.unwrap();
    let held = HeldSyncs::of(&disk);
    let (tx, mut answer) = oneshot::channel();
    submit(&*store, post(c, 2), Reply::Wait(tx)).await.unwrap();
    until(|| disk.is_syncing()).await;
    assert_eq!(store.records(c, 0, 10).unwrap().len(), 1);
    assert!(feed.try_recv().is_err() && answer.try_recv().is_err());
    drop(held);
    assert_eq!(answer.await.unwrap().unwrap().seqs, [2]);
    assert_eq!(feed.try_recv().unwrap().len(), 1, "the feed hears of it first");
    assert_eq!(store.records(c, 0, 10).unwrap().len(), 2);
}

#[tokio::test]
async fn a_bug_in_the_writer_stops_the_store_and_leaves_nobody_waiting() {
    let disk = Disk::new();
    let observer = |_| panic!("a bug, for the test");
    let broken = Options { observer: Some(Observer::new(observer)), ..options() };
    let (store, mut feed) = disk.open_store(broken).unwrap();
    assert_eq!(write(&*store, post(conv(1), 1)).await, Err(StoreError::Closed));
    assert!(feed.recv().await.is_none());
    store.close().await;
    assert!(matches!(store.failure(), Some(StoreError::Corrupt(_))));
    assert_eq!(write(&*store, post(conv(1), 2)).await, Err(StoreError::Closed));
    drop(store);
    let (store, _feed) = disk.open_store(options()).unwrap();
    assert_eq!(write(&*store, post(conv(1), 1)).await, Err(StoreError::Duplicate { seq: 1 }));
}

/// A store whose writer pauses after each commit until `go` signals or is dropped.
struct HeldBack {
    store: Arc<RedbStore>,
    feed: Feed,
    go: mpsc::Sender<()>,
    /// Records of each commit to disk so far.
    commits: Arc<Mutex<Vec<usize>>>,
}

fn held_back(queue: usize) -> HeldBack {
    let (go, wait) = mpsc::channel();
    let (wait, commits) = (Mutex::new(wait), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&commits);
    let observer = move |commit: GroupCommit| {
        seen.lock().unwrap().push(commit.records);
        // ends with an error, and no longer waits, once the sender is gone
        let _ = wait.lock().unwrap().recv();
    };
    let options = Options { queue, observer: Some(Observer::new(observer)), ..options() };
    let (store, feed) = Disk::new().open_store(options).unwrap();
    HeldBack { store, feed, go, commits }
}

#[tokio::test]
async fn what_waits_is_written_together_and_judged_one_by_one() {
    let HeldBack { store, mut feed, go, commits } = held_back(4_096);
    let c = conv(1);
    submit(&*store, post(c, 0), Reply::Feed(100)).await.unwrap();
    // the first group is in the observer by the time its disk commit is seen
    until(|| !commits.lock().unwrap().is_empty()).await;
    for n in [1, 2, 1, 3] {
        submit(&*store, post(c, n), Reply::Feed(n.into())).await.unwrap();
    }
    let stale = Batch { rev: Some(5), ..post(c, 4) };
    submit(&*store, stale, Reply::Feed(4)).await.unwrap();
    let row = |rev| Batch { conv: Some(c), rev: Some(rev), ops: vec![Op::Row { value: "r".into(), facts: None }] };
    submit(&*store, row(0), Reply::Feed(5)).await.unwrap();
    submit(&*store, row(0), Reply::Feed(6)).await.unwrap();
    submit(&*store, row(1), Reply::Feed(7)).await.unwrap();
    drop(go);
    assert_eq!(feed.recv().await.unwrap().len(), 1);
    let second = feed.recv().await.unwrap();
    let short: Vec<_> = second
        .iter()
        .map(|outcome| match outcome {
            Outcome::Committed(c) => (c.origin, "committed", c.rev),
            Outcome::Duplicate { origin, .. } => (*origin, "duplicate", 0),
            Outcome::Refused { origin, .. } => (*origin, "refused", 0),
            other => panic!("only of a store that is shared: {other:?}"),
        })
        .collect();
    assert_eq!(
        short,
        [
            (1, "committed", 0),
            (2, "committed", 0),
            (1, "duplicate", 0),
            (3, "committed", 0),
            (4, "refused", 0),
            (5, "committed", 1),
            (6, "refused", 0),
            (7, "committed", 2),
        ]
    );
    assert!(
        matches!(&second[2], Outcome::Duplicate { frame, .. } if RecordView::parse(frame).unwrap().seq == 2),
        "the neighbour in the same transaction counts"
    );
    let at = |o: &Outcome| match o {
        Outcome::Committed(c) => c.records.first().map(|f| RecordView::parse(f).unwrap().at_ms),
        _ => None,
    };
    let times: BTreeSet<u64> = second.iter().filter_map(at).collect();
    assert_eq!(times.len(), 1, "one time for one commit to disk");
    assert_eq!(*commits.lock().unwrap(), [1, 3]);
}

#[tokio::test]
async fn a_full_queue_says_busy_and_wakes_everyone_when_there_is_room() {
    let HeldBack { store, feed: _feed, go, commits } = held_back(2);
    let c = conv(1);
    submit(&*store, post(c, 0), Reply::Feed(1)).await.unwrap();
    until(|| !commits.lock().unwrap().is_empty()).await;
    for n in 1..=2 {
        submit(&*store, post(c, n), Reply::Feed(1)).await.unwrap();
    }
    let refused = store.try_submit(post(c, 3), Reply::Feed(1)).unwrap_err();
    assert_eq!((refused.0, refused.1), (StoreError::Busy, post(c, 3)));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 10..60 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            // every other one stops waiting the moment there is space
            store.wait_for_capacity().await;
            if n % 2 == 0 { write(&*store, post(c, n)).await.map(drop) } else { Ok(()) }
        });
    }
    tokio::task::yield_now().await;
    drop(go);
    let all = tokio::time::timeout(Duration::from_secs(30), tasks.join_all()).await.expect("somebody was not woken");
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(store.records(c, 0, 100).unwrap().len(), 28);
}
