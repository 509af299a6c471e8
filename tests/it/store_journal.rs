//! The journal of the store in a file: records are found once, in order and as they were last written, in journal or table
//! and wherever the power fails.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use kefu::{
    proto::{ConvId, HeaderView, Kind, MESSAGE_HEADER, MsgId, RecordView},
    store::{
        Batch, Feed, Op, Store, StoreError, find,
        redb::{Options, RedbStore},
        write,
    },
};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};

use crate::support::{
    batch::{conv, envelope_with, msg, post, post_with, tombstone},
    disk::{Disk, Random},
    options,
};

const JOURNAL: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("journal");
const RECORDS: TableDefinition<'static, &[u8; 24], &[u8]> = TableDefinition::new("records");

fn on(disk: &Disk, journal: usize) -> (Arc<RedbStore>, Feed) {
    RedbStore::open_with_backend(disk.clone(), Options { journal, ..options() }).unwrap()
}

fn recall(c: ConvId, seq: u64, n: u8) -> Batch {
    Batch { conv: Some(c), rev: None, ops: vec![Op::Redact { seq, body: tombstone(c, n).into() }] }
}

fn bodies(store: &RedbStore, c: ConvId) -> Vec<Vec<u8>> {
    let records = store.records(c, 0, usize::MAX).unwrap();
    assert!(records.iter().map(|r| r.0).eq(1..=records.len() as u64), "a gap, or one twice");
    records.iter().map(|(_, frame)| RecordView::parse(frame).unwrap().body.to_vec()).collect()
}

/// Groups in the journal and records in their table, as the disk has them now.
fn lengths(disk: &Disk) -> (u64, u64) {
    let db = Database::builder().create_with_backend(disk.mended()).unwrap();
    let txn = db.begin_read().unwrap();
    (txn.open_table(JOURNAL).unwrap().len().unwrap(), txn.open_table(RECORDS).unwrap().len().unwrap())
}

#[tokio::test]
async fn records_gather_in_the_journal_and_a_close_brings_them_to_their_place() {
    let disk = Disk::new();
    let (store, _feed) = on(&disk, Options::default().journal);
    for n in 1..=10 {
        write(&*store, post(conv(n % 2), n)).await.unwrap();
    }
    assert_eq!(lengths(&disk), (10, 0));
    // killed and reopened, it still knows them, and continues after them
    let killed = disk.mended();
    let (again, _feed) = on(&killed, Options::default().journal);
    assert_eq!((bodies(&again, conv(0)).len(), bodies(&again, conv(1)).len()), (5, 5));
    assert_eq!(write(&*again, post(conv(1), 1)).await, Err(StoreError::Duplicate { seq: 1 }));
    assert_eq!(write(&*again, post(conv(1), 11)).await.unwrap().seqs, [6]);
    assert_eq!(lengths(&killed), (11, 0));
    again.close().await;
    assert_eq!(lengths(&killed), (0, 11));
    let (again, _feed) = on(&killed, 1);
    assert_eq!((bodies(&again, conv(0)).len(), bodies(&again, conv(1)).len()), (5, 6));
}

#[tokio::test]
async fn the_journal_stays_short_while_messages_come() {
    let disk = Disk::new();
    let (store, _feed) = on(&disk, 16);
    let mut longest = 0;
    for n in 0..200 {
        write(&*store, post(conv(n % 7), n)).await.unwrap();
        longest = lengths(&disk).0.max(longest);
    }
    assert!((16..=33).contains(&longest), "up to {longest} groups");
    assert_eq!((0..7).map(|n| bodies(&store, conv(n)).len()).sum::<usize>(), 200);
}

#[tokio::test]
async fn a_long_journal_is_moved_by_a_start_that_wants_a_short_one() {
    let disk = Disk::new();
    let (store, _feed) = on(&disk, 8_192);
    for n in 0..100 {
        write(&*store, post(conv(n % 3), n)).await.unwrap();
    }
    let killed = disk.mended();
    let (again, _feed) = on(&killed, 4);
    for n in 100..=250 {
        write(&*again, post(conv(n % 3), n)).await.unwrap();
    }
    let (groups, records) = lengths(&killed);
    assert!(groups <= 10 && records > 230, "{groups} groups, {records} records");
    assert_eq!((0..3).map(|n| bodies(&again, conv(n)).len()).sum::<usize>(), 251);
}

#[tokio::test]
async fn a_damaged_journal_is_said_to_be_damaged() {
    for value in [&b"short"[..], &[0; 20], &[0xff; 64]] {
        let disk = Disk::new();
        on(&disk, 8).0.close().await;
        let db = Database::builder().create_with_backend(disk.clone()).unwrap();
        let txn = db.begin_write().unwrap();
        txn.open_table(JOURNAL).unwrap().insert(7, value).unwrap();
        txn.commit().unwrap();
        drop(db);
        let error = RedbStore::open_with_backend(disk, options()).map(drop).unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt(e) if e.contains("group 7 of the journal")), "{error:?}");
    }
}

/// A run of batches in one conversation with recalls of records of every age, and what the conversation holds after each.
fn script(random: &mut Random) -> (Vec<Batch>, Vec<Vec<Vec<u8>>>) {
    let c = conv(1);
    let (mut batches, mut states, mut now) = (Vec::new(), vec![Vec::new()], Vec::<Vec<u8>>::new());
    for n in 1..=40u8 {
        batches.push(post(c, n));
        now.push(crate::support::batch::envelope(c, n));
        states.push(now.clone());
        if random.below(2) == 0 {
            let seq = 1 + random.below(u64::from(n));
            batches.push(recall(c, seq, seq as u8));
            now[seq as usize - 1] = tombstone(c, seq as u8);
            states.push(now.clone());
        }
    }
    (batches, states)
}

#[tokio::test]
async fn a_recall_before_during_and_after_a_move_outlives_a_kill_at_any_commit() {
    for (seed, journal) in [(1, 1), (2, 4), (3, 8), (4, 16), (5, 8_192)] {
        let (batches, states) = script(&mut Random(seed));
        let disk = Disk::new();
        let (store, _feed) = on(&disk, journal);
        for (batch, state) in batches.into_iter().zip(&states[1..]) {
            write(&*store, batch).await.unwrap();
            assert_eq!(&bodies(&store, conv(1)), state);
            let (killed, _feed) = on(&disk.mended(), journal);
            assert_eq!(&bodies(&killed, conv(1)), state, "journal of {journal}");
            // the next start moves them all, which must change nothing
            killed.close().await;
        }
        store.close().await;
        assert_eq!(&bodies(&on(&disk, journal).0, conv(1)), states.last().unwrap());
    }
}

#[tokio::test]
async fn a_loss_of_power_leaves_the_recalls_that_were_acknowledged() {
    let mut cut = 0;
    for seed in 0..200 {
        let random = &mut Random(seed);
        let journal = [1, 4, 8, 16][seed as usize % 4];
        let (batches, states) = script(random);
        let mut disk = Disk::new();
        drop(on(&disk, journal));
        let mut done = 0;
        // two lives, the second of which begins with what the first left of its journal
        for _ in 0..2 {
            disk.fail_after(random.below(400));
            if let Ok((store, _feed)) = RedbStore::open_with_backend(disk.clone(), Options { journal, ..options() }) {
                for batch in &batches[done..] {
                    match write(&*store, batch.clone()).await {
                        Ok(_) => done += 1,
                        Err(_) => break,
                    }
                }
                let next = disk.lose_power(random);
                drop(store);
                disk = next;
            } else {
                disk = disk.lose_power(random);
            }
            let (store, _feed) = on(&disk.mended(), journal);
            let found = bodies(&store, conv(1));
            // the batch under way when the power failed may be there or not
            let after = states.get(done + 1).filter(|after| **after == found);
            assert!(found == states[done] || after.is_some(), "seed {seed}: after {done} batches");
            done += usize::from(after.is_some() && found != states[done]);
            cut += usize::from(done < batches.len());
        }
    }
    assert!(cut > 100, "{cut} runs were cut short: a weak test");
}

#[test]
fn who_reads_while_records_are_moved_sees_one_moment() {
    // each batch appends a message, recalls the one before and says in the row how many there are
    let c = conv(1);
    let id = |n: u64| MsgId([n.to_be_bytes(), [7; 8]].concat().try_into().unwrap());
    let gone = |n: u64| {
        let mut body = envelope_with(c, id(n));
        body.truncate(tombstone(c, 0).len());
        body[2] = Kind::Tombstone as u8;
        Bytes::from(body)
    };
    let (store, _feed) = on(&Disk::new(), 8);
    let done = AtomicBool::new(false);
    let rt = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let look = |mut least: u64, after: u64| {
        let mut looks = 0;
        while !done.load(Ordering::Relaxed) || looks == 0 {
            let Some(row) = store.row(c).unwrap() else { continue };
            assert_eq!((row.value.to_vec(), u64::from(row.rev)), (row.last_seq.to_be_bytes().to_vec(), row.last_seq));
            let records = store.records(c, after, usize::MAX).unwrap();
            let last = after + records.len() as u64;
            assert!(records.iter().map(|r| r.0).eq(after + 1..=last));
            assert!(last >= row.last_seq.max(least) || last == after, "what was there is gone");
            for (seq, frame) in &records {
                let kind = HeaderView::parse(RecordView::parse(frame).unwrap().body).unwrap().0;
                let expected = if *seq == last { Kind::Message } else { Kind::Tombstone };
                assert_eq!(kind, expected, "record {seq} of {last}");
            }
            least = last;
            looks += 1;
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(|| look(0, 0));
        threads.spawn(|| look(0, 290));
        rt.block_on(async {
            for n in 1..=600u64 {
                let mut batch = post_with(c, id(n));
                if n > 1 {
                    batch.ops.push(Op::Redact { seq: n - 1, body: gone(n - 1) });
                }
                batch.ops.push(Op::Row { value: n.to_be_bytes().to_vec().into() });
                write(&*store, batch).await.unwrap();
            }
        });
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(store.records(c, 0, usize::MAX).unwrap().len(), 600);
}

/// Takes a file back to version 1, which had no journal and every record in its place.
fn without_a_journal(path: &Path) {
    let db = Database::open(path).unwrap();
    let txn = db.begin_write().unwrap();
    assert!(txn.open_table(JOURNAL).unwrap().is_empty().unwrap());
    txn.delete_table(JOURNAL).unwrap();
    let meta = TableDefinition::<&[u8], &[u8]>::new("meta");
    txn.open_table(meta).unwrap().insert(&b"schema"[..], &1u32.to_be_bytes()[..]).unwrap();
    txn.commit().unwrap();
}

#[tokio::test]
async fn a_file_without_a_journal_gets_one_and_is_kept_beside() {
    let dir = tempfile::tempdir().unwrap();
    let (path, kept) = (dir.path().join("kefu.redb"), dir.path().join("kefu.redb.v1"));
    let (store, _feed) = RedbStore::open(&path, options()).unwrap();
    for n in 1..=5 {
        write(&*store, post(conv(1), n)).await.unwrap();
    }
    store.close().await;
    without_a_journal(&path);
    for n in 5..=7 {
        let (store, _feed) = RedbStore::open(&path, options()).unwrap();
        assert_eq!(bodies(&store, conv(1)).len(), usize::from(n));
        assert_eq!(write(&*store, post(conv(1), 1)).await, Err(StoreError::Duplicate { seq: 1 }));
        write(&*store, post_with(conv(1), msg(n + 1))).await.unwrap();
    }
    let old = Database::open(kept).unwrap();
    let records = old.begin_read().unwrap().open_table(RECORDS).unwrap();
    assert_eq!((records.len().unwrap(), records.first().unwrap().is_some()), (5, true));
}

/// Where version 3 has its index.
const IDS: TableDefinition<'static, &[u8; 32], u64> = TableDefinition::new("ids");
const SIZES: TableDefinition<'static, &[u8; 16], u64> = TableDefinition::new("sizes");

#[tokio::test]
async fn an_id_is_found_without_reading_the_conversation() {
    let (disk, c, large) = (Disk::new(), conv(1), 30_000);
    let id = |n: u64| MsgId([n.to_be_bytes(), [7; 8]].concat().try_into().unwrap());
    let (store, _feed) = on(&disk, 8);
    for n in 1..=200 {
        let mut body = envelope_with(c, id(n));
        body.splice(MESSAGE_HEADER..MESSAGE_HEADER, vec![0; large]);
        write(&*store, Batch { ops: vec![Op::Append { id: id(n), body: body.into() }], ..post(c, 0) }).await.unwrap();
    }
    store.close().await;
    let (store, _feed) = RedbStore::open_with_backend(disk.clone(), options()).unwrap();
    let before = disk.bytes_read();
    for n in [1, 77, 200] {
        assert_eq!(find(&*store, c, id(n)).await, Ok(Some(n)));
        assert_eq!(find(&*store, c, id(1_000 + n)).await, Ok(None));
    }
    assert_eq!(write(&*store, post(c, 9)).await.unwrap().seqs, [201]);
    let read = disk.bytes_read() - before;
    // the first of the conversation's records and their neighbours in the tree, not its six megabytes
    assert!(read < 10 * large as u64, "{read} bytes were read");
}

#[tokio::test]
async fn a_file_of_version_2_gets_its_index_and_sizes() {
    let dir = tempfile::tempdir().unwrap();
    let (path, kept) = (dir.path().join("kefu.redb"), dir.path().join("kefu.redb.v2"));
    let (store, _feed) = RedbStore::open(&path, Options { journal: 4, ..options() }).unwrap();
    for n in 1..=20 {
        write(&*store, post(conv(n % 2), n)).await.unwrap();
    }
    write(&*store, recall(conv(1), 3, 5)).await.unwrap();
    let size = |store: &RedbStore| store.records(conv(1), 0, 100).unwrap().iter().map(|r| r.1.len() as u64 - 8).sum();
    let size: u64 = size(&store);
    store.close().await;
    let sizes = |path: &Path| {
        let db = Database::open(path).unwrap();
        let txn = db.begin_read().unwrap();
        (txn.open_table(SIZES).unwrap().get(&[1; 16]).unwrap().map(|s| s.value()), txn.open_table(IDS).unwrap().len())
    };
    let before = sizes(&path);
    assert_eq!(before.0, Some(size), "a tombstone weighs what it weighs");
    {
        let db = Database::open(&path).unwrap();
        let txn = db.begin_write().unwrap();
        txn.delete_table(IDS).unwrap();
        txn.delete_table(SIZES).unwrap();
        let meta = TableDefinition::<&[u8], &[u8]>::new("meta");
        txn.open_table(meta).unwrap().insert(&b"schema"[..], &2u32.to_be_bytes()[..]).unwrap();
        txn.commit().unwrap();
    }
    let (store, _feed) = RedbStore::open(&path, options()).unwrap();
    assert!(kept.exists());
    for n in 1..=20u8 {
        let again = write(&*store, post(conv(n % 2), n)).await;
        assert_eq!(again, Err(StoreError::Duplicate { seq: u64::from(n.div_ceil(2)) }));
    }
    store.close().await;
    let after = sizes(&path);
    assert_eq!((after.0, after.1.unwrap()), (before.0, before.1.unwrap()));
}
