//! Power loss, broken and full disks, damaged and foreign files: nothing acknowledged is lost, nothing comes twice, and
//! the error says what happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{Arc, Mutex, mpsc},
};

use kefu::{
    proto::{ConvId, HeaderView, MsgId, RecordView},
    store::{
        Batch, Feed, Op, Outcome, Reply, Store, StoreError, Table,
        redb::{Options, RedbStore},
        submit, write,
    },
};
use tokio::sync::oneshot;

use crate::support::{
    batch::{conv, post, post_with},
    disk::{Disk, Random},
};

const CONVS: u8 = 3;

fn options() -> Options {
    Options { cache_bytes: 1 << 20, ..Options::default() }
}

fn id_of(n: u64) -> MsgId {
    MsgId([n.to_be_bytes(), [7; 8]].concat().try_into().unwrap())
}

/// A workload over the life of a disk: what was handed in and what was acknowledged.
#[derive(Default)]
struct Ledger {
    submitted: BTreeMap<MsgId, ConvId>,
    /// By the answer to the caller or by the feed.
    acknowledged: BTreeMap<(ConvId, u64), MsgId>,
    /// Highest revision acknowledged.
    revs: BTreeMap<ConvId, u32>,
    next: u64,
}

impl Ledger {
    /// A batch with one or two messages, a row, and a mark in a small table for each message.
    fn batch(&mut self, random: &mut Random) -> (Batch, Vec<MsgId>) {
        let c = conv(random.below(u64::from(CONVS)) as u8);
        let mut batch = Batch { conv: Some(c), rev: None, ops: Vec::new() };
        let mut ids = Vec::new();
        for _ in 0..=random.below(2) {
            let id = id_of(self.next);
            self.next += 1;
            self.submitted.insert(id, c);
            ids.push(id);
            batch.ops.push(Op::Put { table: Table::VisitorConv, key: id.0.to_vec(), value: c.0.to_vec() });
            batch.ops.extend(post_with(c, id).ops);
        }
        if random.below(3) == 0 {
            batch.ops.push(Op::Row { value: id_of(self.next).0.to_vec().into() });
        }
        (batch, ids)
    }

    /// Hands in `rounds` waves of batches, until the store stops. Says whether it did.
    async fn work(&mut self, store: &RedbStore, feed: &mut Feed, rounds: u64, random: &mut Random) -> bool {
        let mut stopped = false;
        for _ in 0..rounds {
            let mut waiting = Vec::new();
            for _ in 0..=random.below(12) {
                let (batch, ids) = self.batch(random);
                let (c, (tx, rx)) = (batch.conv.unwrap(), oneshot::channel());
                let waits = random.below(2) == 0;
                let reply = if waits { Reply::Wait(tx) } else { Reply::Feed(1) };
                stopped |= submit(store, batch, reply).await.is_err();
                if waits {
                    waiting.push((c, ids, rx));
                }
            }
            for (c, ids, rx) in waiting {
                match rx.await {
                    Ok(Ok(written)) => {
                        assert!(!stopped || !written.seqs.is_empty());
                        self.acknowledged.extend(written.seqs.iter().map(|seq| (c, *seq)).zip(ids));
                        self.revs.entry(c).and_modify(|r| *r = written.rev.max(*r)).or_insert(written.rev);
                    }
                    Ok(Err(StoreError::Io(_) | StoreError::Closed)) | Err(_) => stopped = true,
                    Ok(Err(e)) => panic!("unexpected answer: {e}"),
                }
            }
            self.listen(feed);
            if stopped {
                break;
            }
        }
        stopped
    }

    fn listen(&mut self, feed: &mut Feed) {
        while let Ok(outcomes) = feed.try_recv() {
            for outcome in outcomes {
                match outcome {
                    Outcome::Committed(c) => {
                        for frame in c.records {
                            let record = RecordView::parse(&frame).unwrap();
                            let id = HeaderView::parse(record.body).unwrap().1.msg_id();
                            let other = self.acknowledged.insert((c.conv, record.seq), id);
                            assert!(other.is_none_or(|other| other == id), "one number for two messages");
                        }
                    }
                    Outcome::Refused { error: StoreError::Closed, .. } => {}
                    other => panic!("unexpected outcome: {other:?}"),
                }
            }
        }
    }

    /// Holds what the store has against the promises.
    fn check(&self, store: &RedbStore) {
        let mut stored = BTreeSet::new();
        for n in 0..CONVS {
            let c = conv(n);
            let records = store.records(c, 0, usize::MAX).unwrap();
            for (i, (seq, frame)) in records.iter().enumerate() {
                assert_eq!(*seq, i as u64 + 1, "a gap");
                let record = RecordView::parse(frame).unwrap();
                assert_eq!(record.seq, *seq);
                let id = HeaderView::parse(record.body).unwrap().1.msg_id();
                assert_eq!(self.submitted.get(&id), Some(&c), "a message nobody sent");
                assert_eq!(&post_with(c, id).ops, &[Op::Append { id, body: record.body.to_vec().into() }]);
                assert!(stored.insert(id), "a message twice");
                assert!(self.acknowledged.get(&(c, *seq)).is_none_or(|acked| *acked == id), "another message");
            }
            let rev = store.row(c).unwrap().map_or(0, |row| row.rev);
            assert!(rev >= self.revs.get(&c).copied().unwrap_or(0), "an acknowledged revision is gone");
        }
        for id in self.acknowledged.values() {
            assert!(stored.contains(id), "an acknowledged message is gone");
        }
        let marks = store.scan(Table::VisitorConv, b"", None, false, usize::MAX).unwrap();
        let marks: BTreeSet<_> = marks.iter().map(|(key, _)| MsgId::from_slice(key).unwrap()).collect();
        assert_eq!(marks, stored, "half a batch");
    }

    /// Sends everything again, as clients do that never saw their record: each message must be there exactly once.
    async fn resend(&mut self, store: &RedbStore) {
        for (id, c) in &self.submitted {
            let mut batch = post_with(*c, *id);
            batch.ops.push(Op::Put { table: Table::VisitorConv, key: id.0.to_vec(), value: c.0.to_vec() });
            match write(store, batch).await {
                Ok(_) | Err(StoreError::Duplicate { .. }) => {}
                Err(e) => panic!("{e}"),
            }
        }
        self.check(store);
        let all: usize = (0..CONVS).map(|n| store.records(conv(n), 0, usize::MAX).unwrap().len()).sum();
        assert_eq!(all, self.submitted.len());
    }
}

/// How many changes of the disk the workload makes when nothing fails.
async fn usual_changes() -> (u64, u64) {
    let disk = Disk::new();
    let (store, mut feed) = RedbStore::open_with_backend(disk.clone(), options()).unwrap();
    let opened = disk.changes();
    assert!(!Ledger::default().work(&store, &mut feed, 12, &mut Random(1)).await);
    (opened, disk.changes())
}

#[tokio::test]
async fn a_loss_of_power_at_any_point_loses_nothing_acknowledged() {
    let (opened, usual) = usual_changes().await;
    let (mut survived, mut unacknowledged) = (0, 0);
    for seed in 0..250 {
        let random = &mut Random(seed);
        let mut ledger = Ledger::default();
        let mut disk = Disk::new();
        // up to three lives on the same disk; before the first is complete it is no database (files get their name after)
        let mut least = opened;
        for _ in 0..=random.below(3) {
            disk.fail_after(std::mem::take(&mut least) + random.below(usual));
            if let Ok((store, mut feed)) = RedbStore::open_with_backend(disk.clone(), options()) {
                ledger.check(&store);
                ledger.work(&store, &mut feed, 12, random).await;
                let next = disk.lose_power(random);
                drop(store);
                ledger.listen(&mut feed);
                disk = next;
            } else {
                disk = disk.lose_power(random);
            }
        }
        let (store, _feed) = RedbStore::open_with_backend(disk, options()).unwrap();
        ledger.check(&store);
        survived += ledger.acknowledged.len();
        unacknowledged += ledger.submitted.len() - ledger.acknowledged.len();
        ledger.resend(&store).await;
    }
    assert!(survived > 1_000 && unacknowledged > 100, "{survived} acknowledged, {unacknowledged} not: a weak test");
}

#[tokio::test]
async fn a_disk_that_fails_stops_the_store_and_acknowledges_nothing_more() {
    let (opened, usual) = usual_changes().await;
    for n in 0..usual {
        let (disk, random, mut ledger) = (Disk::new(), &mut Random(1), Ledger::default());
        disk.fail_after(n);
        match RedbStore::open_with_backend(disk.clone(), options()) {
            Err(e) => assert!(n < opened && matches!(e, StoreError::Io(_)), "change {n}: {e:?}"),
            Ok((store, mut feed)) => {
                if ledger.work(&store, &mut feed, 12, random).await {
                    assert!(matches!(write(&*store, post(conv(0), 1)).await, Err(StoreError::Closed)));
                    store.room().await;
                    while let Some(outcomes) = feed.recv().await {
                        let closed = |o: &Outcome| matches!(o, Outcome::Refused { error: StoreError::Closed, .. });
                        assert!(outcomes.iter().all(closed));
                    }
                    assert!(matches!(store.failure(), Some(StoreError::Io(_))), "{:?}", store.failure());
                    store.close().await;
                    assert!(matches!(store.get(Table::Meta, b"schema"), Err(StoreError::Closed)));
                } else {
                    assert!(!disk.has_failed() || disk.changes() >= n);
                }
            }
        }
        let (store, _feed) = match RedbStore::open_with_backend(disk.mended(), options()) {
            // not even made yet; a file gets its name only after that
            Err(StoreError::Corrupt(_)) if n < opened => continue,
            reopened => reopened.unwrap(),
        };
        ledger.check(&store);
        ledger.resend(&store).await;
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_loses_nothing_acknowledged() {
    let mut acknowledged = 0;
    for extra in (0..40).map(|n| n * 40_000) {
        let (disk, random, mut ledger) = (Disk::new(), &mut Random(extra), Ledger::default());
        let (store, mut feed) = RedbStore::open_with_backend(disk.clone(), options()).unwrap();
        disk.limit_to(disk.size() + extra);
        let mut filled = false;
        for _ in 0..100 {
            let value = vec![7; 60_000];
            let fill = Op::Put { table: Table::Widget, key: random.below(u64::MAX).to_be_bytes().to_vec(), value };
            filled |= write(&*store, Batch { conv: None, rev: None, ops: vec![fill] }).await.is_err();
            if filled || ledger.work(&store, &mut feed, 1, random).await {
                break;
            }
        }
        let failure = store.failure();
        assert!(matches!(&failure, Some(StoreError::Io(e)) if e.contains("No space left")), "{failure:?}");
        drop(store);
        let (store, _feed) = RedbStore::open_with_backend(disk.mended(), options()).unwrap();
        ledger.check(&store);
        acknowledged += ledger.acknowledged.len();
        ledger.resend(&store).await;
    }
    assert!(acknowledged > 100);
}

/// While it lives, syncs of the disk take for ever; a failed test must not.
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
    let (store, mut feed) = RedbStore::open_with_backend(disk.clone(), options()).unwrap();
    let c = conv(1);
    // a file that has room to write: only when it must double do readers wait, for one sync
    let large = Op::Put { table: Table::Widget, key: b"large".to_vec(), value: vec![1; 1 << 20] };
    write(&*store, Batch { conv: None, rev: None, ops: vec![large] }).await.unwrap();
    submit(&*store, post(c, 1), Reply::Feed(1)).await.unwrap();
    feed.recv().await.unwrap();
    let held = HeldSyncs::of(&disk);
    let (tx, mut answer) = oneshot::channel();
    submit(&*store, post(c, 2), Reply::Wait(tx)).await.unwrap();
    while !disk.is_syncing() {
        tokio::task::yield_now().await;
    }
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
    let broken = Options { observer: Some(Arc::new(observer)), ..options() };
    let (store, mut feed) = RedbStore::open_with_backend(disk.clone(), broken).unwrap();
    assert_eq!(write(&*store, post(conv(1), 1)).await, Err(StoreError::Closed));
    assert!(feed.recv().await.is_none());
    store.close().await;
    assert!(matches!(store.failure(), Some(StoreError::Corrupt(_))));
    assert_eq!(write(&*store, post(conv(1), 2)).await, Err(StoreError::Closed));
    drop(store);
    let (store, _feed) = RedbStore::open_with_backend(disk, options()).unwrap();
    assert_eq!(write(&*store, post(conv(1), 1)).await, Err(StoreError::Duplicate { seq: 1 }));
}

/// A store whose writer stands still after each commit until `go` says so or is dropped.
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
    let observer = move |commit: kefu::store::redb::DiskCommit| {
        seen.lock().unwrap().push(commit.records);
        // ends with an error, and no longer waits, once the sender is gone
        let _ = wait.lock().unwrap().recv();
    };
    let options = Options { queue, observer: Some(Arc::new(observer)), ..options() };
    let (store, feed) = RedbStore::open_with_backend(Disk::new(), options).unwrap();
    HeldBack { store, feed, go, commits }
}

#[tokio::test]
async fn what_waits_is_written_together_and_judged_one_by_one() {
    let HeldBack { store, mut feed, go, commits } = held_back(4_096);
    let c = conv(1);
    submit(&*store, post(c, 0), Reply::Feed(100)).await.unwrap();
    // the first group stands in the observer by the time its disk commit is seen
    while commits.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    for n in [1, 2, 1, 3] {
        submit(&*store, post(c, n), Reply::Feed(n.into())).await.unwrap();
    }
    let stale = Batch { rev: Some(5), ..post(c, 4) };
    submit(&*store, stale, Reply::Feed(4)).await.unwrap();
    let row = |rev| Batch { conv: Some(c), rev: Some(rev), ops: vec![Op::Row { value: "r".into() }] };
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
    while commits.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    for n in 1..=2 {
        submit(&*store, post(c, n), Reply::Feed(1)).await.unwrap();
    }
    let refused = store.try_submit(post(c, 3), Reply::Feed(1)).unwrap_err();
    assert_eq!((refused.0, refused.1), (StoreError::Busy, post(c, 3)));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 10..60 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            // every other one stops caring the moment there is room
            store.room().await;
            if n % 2 == 0 { write(&*store, post(c, n)).await.map(drop) } else { Ok(()) }
        });
    }
    tokio::task::yield_now().await;
    drop(go);
    while let Some(done) = tasks.join_next().await {
        assert_eq!(done.unwrap(), Ok(()));
    }
    assert_eq!(store.records(c, 0, 100).unwrap().len(), 28);
}

#[tokio::test]
async fn a_file_keeps_everything_over_close_and_drop() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kefu.redb");
    let c = conv(1);
    for n in 1..=4u8 {
        let (store, feed) = RedbStore::open(&path, options()).unwrap();
        assert_eq!(store.records(c, 0, 10).unwrap().len(), usize::from(n) - 1);
        submit(&*store, post(c, n), Reply::Feed(1)).await.unwrap();
        assert!(store.size_bytes() > 0);
        if n % 2 == 0 {
            store.close().await;
            assert_eq!(store.records(c, 0, 10), Err(StoreError::Closed));
        }
        drop((store, feed));
    }
}

#[test]
fn a_second_open_of_the_same_file_says_that_it_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kefu.redb");
    let (store, _feed) = RedbStore::open(&path, options()).unwrap();
    assert_eq!(RedbStore::open(&path, options()).unwrap_err(), StoreError::InUse);
    drop(store);
    RedbStore::open(&path, options()).unwrap();
}

#[test]
fn of_those_who_make_a_file_at_the_same_time_one_has_it_and_all_see_the_same() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..20 {
        let path = dir.path().join(format!("{n}.redb"));
        let start = std::sync::Barrier::new(4);
        let open = || {
            start.wait();
            RedbStore::open(&path, options())
        };
        let held: Vec<_> = std::thread::scope(|s| {
            let threads: Vec<_> = (0..4).map(|_| s.spawn(open)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(held.iter().filter(|r| r.is_ok()).count(), 1);
        assert!(held.iter().all(|r| matches!(r, Ok(_) | Err(StoreError::InUse))), "{held:?}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 20, "nothing is left lying about");
}

#[cfg(unix)]
#[test]
fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kefu.redb");
    drop(RedbStore::open(&path, options()).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_place_that_cannot_hold_a_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().to_owned(), dir.path().join("missing").join("kefu.redb")] {
        let error = RedbStore::open(&path, options()).unwrap_err();
        assert!(matches!(&error, StoreError::Io(e) if e.contains(path.to_str().unwrap())), "{error:?}");
    }
}

#[tokio::test]
async fn damaged_and_foreign_files_are_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kefu.redb");
    let (store, _feed) = RedbStore::open(&path, options()).unwrap();
    for n in 0..200 {
        submit(&*store, post(conv(n % 3), n), Reply::Feed(1)).await.unwrap();
    }
    store.close().await;
    let intact = fs::read(&path).unwrap();
    let no_magic = [&b"XXXX"[..], &intact[4..]].concat();
    let zero_roots = [&intact[..64], &[0xff; 256], &intact[320..]].concat();
    for (what, content) in [
        ("text", b"not a database, but somebody's notes".to_vec()),
        ("half a file", intact[..intact.len() / 2].to_vec()),
        ("a header alone", intact[..512].to_vec()),
        ("another magic number", no_magic),
        ("broken roots", zero_roots),
    ] {
        fs::write(&path, &content).unwrap();
        let error = RedbStore::open(&path, options()).map(drop).unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt(e) if e.contains("kefu.redb")), "{what}: {error:?}");
    }
    fs::write(&path, &intact).unwrap();
    assert_eq!(RedbStore::open(&path, options()).unwrap().0.records(conv(0), 0, 500).unwrap().len(), 67);
}

#[tokio::test]
async fn a_file_of_a_newer_kefu_is_refused() {
    let disk = Disk::new();
    let (store, _feed) = RedbStore::open_with_backend(disk.clone(), options()).unwrap();
    let newer = Op::Put { table: Table::Meta, key: b"schema".to_vec(), value: 9u32.to_be_bytes().to_vec() };
    write(&*store, Batch { conv: None, rev: None, ops: vec![newer] }).await.unwrap();
    store.close().await;
    let error = RedbStore::open_with_backend(disk, options()).unwrap_err();
    assert_eq!(error, StoreError::TooNew { found: 9, known: 1 });
}
