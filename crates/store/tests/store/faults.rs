//! Power loss, broken and full disks: nothing acknowledged is lost, nothing arrives twice, every report about a message is true,
//! and the store recovers when the disk does.

use kefu_proto::StorageState;
use kefu_store::{
    Batch, Op, Store, StoreError, Table,
    redb::{Options, RedbStore},
    space::{Capacity, Measure},
    write,
};
use tokio::task::JoinSet;

use crate::support::{
    batch::{conv, post},
    checkpoint_after,
    disk::{Disk, EIO, ENOSPC, Fault, Random},
    ledger::Ledger,
    until,
};

/// A checkpoint comes after so many bytes: always, often, sometimes, and never but at a close.
const CHECKPOINTS: [usize; 4] = [1, 2_000, 10_000, 1 << 20];

/// Options with few files of the log, so that it has to wait for checkpoints.
fn options(checkpoint: usize) -> Options {
    Options { segments: if checkpoint < 1 << 20 { 3 } else { 256 }, ..checkpoint_after(checkpoint) }
}

/// Waves of batches in a workload.
const ROUNDS: u64 = 12;

/// How many changes of the disk the workload makes when nothing fails.
async fn usual_changes(checkpoint: usize) -> (u64, u64) {
    let disk = Disk::new();
    let (store, mut feed) = disk.open_store(options(checkpoint)).unwrap();
    let opened = disk.changes();
    assert!(!Ledger::default().work(&store, &mut feed, ROUNDS, &mut Random(1)).await);
    (opened, disk.changes())
}

#[tokio::test]
async fn a_loss_of_power_at_any_point_loses_nothing_acknowledged() {
    let mut usuals = Vec::new();
    for checkpoint in CHECKPOINTS {
        usuals.push(usual_changes(checkpoint).await);
    }
    let (mut survived, mut unacknowledged) = (0, 0);
    for seed in 0..250 {
        let which = seed as usize % CHECKPOINTS.len();
        let (checkpoint, (opened, usual)) = (CHECKPOINTS[which], usuals[which]);
        let random = &mut Random(seed);
        let mut ledger = Ledger::default();
        let mut disk = Disk::new();
        // up to three lives on the same disk; before the first is complete it is no database (files get their name after)
        let mut least = opened;
        for _ in 0..=random.below(3) {
            disk.fail_after(std::mem::take(&mut least) + random.below(usual));
            if let Ok((store, mut feed)) = disk.open_store(options(checkpoint)) {
                // the disk may have failed already, under a checkpoint
                let checked = ledger.try_check(&store);
                assert!(matches!(checked, Ok(()) | Err(StoreError::Reopening | StoreError::Io(_))), "{checked:?}");
                ledger.work(&store, &mut feed, ROUNDS, random).await;
                let next = disk.lose_power(random);
                drop(store);
                ledger.listen(&mut feed);
                disk = next;
            } else {
                disk = disk.lose_power(random);
            }
        }
        let (store, _feed) = disk.open_store(options(checkpoint)).unwrap();
        ledger.check(&store);
        survived += ledger.acknowledged.len();
        unacknowledged += ledger.submitted.len() - ledger.acknowledged.len();
        ledger.resend(&store).await;
    }
    assert!(survived > 1_000 && unacknowledged > 100, "{survived} acknowledged, {unacknowledged} not: a weak test");
}

/// Waits until the disk works and everything that was handed in is written or refused: the books are checked with several
/// reads, and nothing may come between them.
async fn settled(store: &RedbStore) {
    loop {
        until(|| store.look_at_disk().state == StorageState::Ok).await;
        let nothing = Op::Expect { table: Table::Meta, key: b"absent".to_vec(), value: None };
        match write(store, Batch { ops: vec![nothing], ..Batch::default() }).await {
            // what went wrong under a checkpoint is noticed only at its end
            Ok(_) if store.unsettled().checkpoint => until(|| !store.unsettled().checkpoint).await,
            Ok(_) => return,
            // the change that went wrong was noticed only now
            Err(StoreError::Unwritable | StoreError::Io(_)) => {}
            Err(e) => panic!("{e}"),
        }
    }
}

/// How a change of the disk goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    /// Only this change fails.
    Once,
    /// This one fails half-way; a sync loses what it should have kept.
    Torn,
    /// From here on there is no space for anything new.
    NoRoom,
    /// From here on every change fails.
    Dead,
}

/// Makes change `n` after the opening fail under load, and checks the store's guarantees: it stays open, reports what it
/// kept, and continues when the disk works again. Returns whether the load noticed.
async fn goes_wrong(wrong: Wrong, n: u64, checkpoint: usize) -> bool {
    let (disk, random, mut ledger) = (Disk::new(), &mut Random(1), Ledger::default());
    let asked = disk.clone();
    let measure = Measure::by(move || {
        let free = if asked.is_full() { 0 } else { 1 << 40 };
        Ok(Capacity { total: 1 << 40, free })
    });
    let options = Options { measure: Some(measure), ..options(checkpoint) };
    let (store, mut feed) = disk.open_store(options.clone()).unwrap();
    let at = disk.changes() + n;
    match wrong {
        Wrong::Once => disk.fail_once(Fault::at(at, ENOSPC)),
        Wrong::Torn => disk.fail_once(Fault { torn: Some(Random(n)), ..Fault::at(at, EIO) }),
        Wrong::NoRoom => disk.fill_at(at),
        Wrong::Dead => disk.fail_after(n),
    }
    let noticed = ledger.work(&store, &mut feed, ROUNDS, random).await;
    if noticed && wrong == Wrong::NoRoom {
        until(|| store.head(conv(0)) != Err(StoreError::Reopening)).await;
        ledger.listen(&mut feed);
        ledger.check(&store);
        assert_eq!(write(&*store, post(conv(0), 1)).await, Err(StoreError::Unwritable), "change {n}");
    }
    if noticed && matches!(wrong, Wrong::NoRoom | Wrong::Dead) {
        assert_eq!(store.look_at_disk().state, StorageState::Full);
    }
    disk.mend();
    settled(&store).await;
    ledger.listen(&mut feed);
    assert_eq!(store.failure(), None, "{wrong:?} at change {n}");
    ledger.check(&store);
    ledger.resend(&store).await;
    ledger.work(&store, &mut feed, 2, random).await;
    settled(&store).await;
    ledger.check(&store);
    store.close().await;
    drop(store);
    let (store, _feed) = disk.open_store(options).unwrap();
    ledger.check(&store);
    ledger.resend(&store).await;
    noticed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_of_the_disk_may_go_wrong_in_every_way() {
    for checkpoint in [2_000, 1 << 20] {
        let (opened, usual) = usual_changes(checkpoint).await;
        println!("{} changes", usual - opened);
        let mut ways = JoinSet::new();
        let mut noticed = 0;
        for wrong in [Wrong::Once, Wrong::Torn, Wrong::NoRoom, Wrong::Dead] {
            for n in 0..usual - opened {
                // those that wait for a disk that is dead leave the processors to others
                if ways.len() == 24 {
                    noticed += usize::from(ways.join_next().await.unwrap().unwrap());
                }
                ways.spawn(goes_wrong(wrong, n, checkpoint));
            }
        }
        let all = 4 * (usual - opened) as usize;
        noticed += ways.join_all().await.into_iter().filter(|noticed| *noticed).count();
        assert!(noticed > all / 2, "{noticed} of {all} were noticed: a weak test");
    }
}

#[tokio::test]
async fn a_file_that_is_damaged_when_it_is_opened_again_ends_the_store() {
    let (disk, mut ledger) = (Disk::new(), Ledger::default());
    let (store, mut feed) = disk.open_store(options(1)).unwrap();
    ledger.work(&store, &mut feed, 3, &mut Random(1)).await;
    settled(&store).await;
    // the next change of the database is then that of the next message
    until(|| store.unsettled().bytes == 0).await;
    disk.alter(|database| database[..320].fill(0));
    disk.fail_once(Fault { file: Some(0), ..Fault::at(0, EIO) });
    assert!(write(&*store, post(conv(0), 1)).await.is_ok(), "the log works");
    until(|| store.failure().is_some()).await;
    store.close().await;
    assert!(matches!(store.failure(), Some(StoreError::Corrupt(_))), "{:?}", store.failure());
    assert_eq!(store.get(Table::Meta, b"schema"), Err(StoreError::Closed));
    assert_eq!(write(&*store, post(conv(0), 2)).await, Err(StoreError::Closed));
}

#[tokio::test]
async fn a_store_can_be_closed_while_its_disk_is_dead() {
    let (disk, mut ledger) = (Disk::new(), Ledger::default());
    let (store, mut feed) = disk.open_store(crate::support::options()).unwrap();
    ledger.work(&store, &mut feed, 3, &mut Random(1)).await;
    // of what still waited the first would meet the dead disk, and the rest be refused as not begun
    settled(&store).await;
    disk.fail_after(0);
    assert!(matches!(write(&*store, post(conv(0), 1)).await, Err(StoreError::Io(_))));
    ledger.check(&store);
    store.close().await;
    assert_eq!((store.failure(), feed.recv().await), (None, None));
    drop(store);
    disk.mend();
    let (store, _feed) = disk.open_store(crate::support::options()).unwrap();
    ledger.check(&store);
}
