//! Power loss, broken and full disks: nothing acknowledged is lost, nothing comes twice, and the error says what happened.

use kefu::store::{
    Batch, Op, Outcome, Store, StoreError, Table,
    redb::{Options, RedbStore},
    write,
};

use crate::support::{
    batch::{conv, post},
    disk::{Disk, Random},
    ledger::Ledger,
};

/// Options with a journal of so many records: every length of move comes to be cut short.
fn options(journal: usize) -> Options {
    Options { journal, ..crate::support::options() }
}

/// Journals that are always moved, often, and never but by a close.
const JOURNALS: [usize; 4] = [1, 6, 40, 8_192];

/// How many changes of the disk the workload makes when nothing fails.
async fn usual_changes(journal: usize) -> (u64, u64) {
    let disk = Disk::new();
    let (store, mut feed) = RedbStore::open_with_backend(disk.clone(), options(journal)).unwrap();
    let opened = disk.changes();
    assert!(!Ledger::default().work(&store, &mut feed, 12, &mut Random(1)).await);
    (opened, disk.changes())
}

#[tokio::test]
async fn a_loss_of_power_at_any_point_loses_nothing_acknowledged() {
    let mut usuals = Vec::new();
    for journal in JOURNALS {
        usuals.push(usual_changes(journal).await);
    }
    let (mut survived, mut unacknowledged) = (0, 0);
    for seed in 0..250 {
        let which = seed as usize % JOURNALS.len();
        let (journal, (opened, usual)) = (JOURNALS[which], usuals[which]);
        let random = &mut Random(seed);
        let mut ledger = Ledger::default();
        let mut disk = Disk::new();
        // up to three lives on the same disk; before the first is complete it is no database (files get their name after)
        let mut least = opened;
        for _ in 0..=random.below(3) {
            disk.fail_after(std::mem::take(&mut least) + random.below(usual));
            if let Ok((store, mut feed)) = RedbStore::open_with_backend(disk.clone(), options(journal)) {
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
        let (store, _feed) = RedbStore::open_with_backend(disk, options(journal)).unwrap();
        ledger.check(&store);
        survived += ledger.acknowledged.len();
        unacknowledged += ledger.submitted.len() - ledger.acknowledged.len();
        ledger.resend(&store).await;
    }
    assert!(survived > 1_000 && unacknowledged > 100, "{survived} acknowledged, {unacknowledged} not: a weak test");
}

#[tokio::test]
async fn a_disk_that_fails_stops_the_store_and_acknowledges_nothing_more() {
    let (opened, usual) = usual_changes(6).await;
    for n in 0..usual {
        let (disk, random, mut ledger) = (Disk::new(), &mut Random(1), Ledger::default());
        disk.fail_after(n);
        match RedbStore::open_with_backend(disk.clone(), options(6)) {
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
        let (store, _feed) = match RedbStore::open_with_backend(disk.mended(), options(6)) {
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
        let (store, mut feed) = RedbStore::open_with_backend(disk.clone(), options(6)).unwrap();
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
        let (store, _feed) = RedbStore::open_with_backend(disk.mended(), options(6)).unwrap();
        ledger.check(&store);
        acknowledged += ledger.acknowledged.len();
        ledger.resend(&store).await;
    }
    assert!(acknowledged > 100);
}
