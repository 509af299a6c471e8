//! The log of the store: records are found once, in order and as they were last written, in log or database and wherever the
//! power fails; a log that is damaged or does not belong to the database is refused; older databases are upgraded.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use kefu_proto::{ConvId, HeaderView, Kind, MESSAGE_HEADER, MsgId, RecordView};
use kefu_store::{
    Batch, Feed, Op, Store, StoreError, Table, find,
    redb::{Options, RedbStore},
    write,
};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};

use crate::support::{
    batch::{conv, envelope_with, msg, post, post_with, tombstone},
    checkpoint_after,
    disk::{Disk, Random},
    options, until,
};

const BLOCKS: TableDefinition<'static, &[u8; 24], &[u8]> = TableDefinition::new("record_blocks");

/// Never but at a close.
const RARELY: usize = 1 << 20;

fn on(disk: &Disk, checkpoint: usize) -> (Arc<RedbStore>, Feed) {
    disk.open_store(checkpoint_after(checkpoint)).unwrap()
}

fn recall(c: ConvId, seq: u64, n: u8) -> Batch {
    Batch { conv: Some(c), rev: None, ops: vec![Op::Redact { seq, body: tombstone(c, n).into() }] }
}

fn bodies(store: &RedbStore, c: ConvId) -> Vec<Vec<u8>> {
    let records = store.records(c, 0, usize::MAX).unwrap();
    assert!(records.iter().map(|r| r.0).eq(1..=records.len() as u64), "a gap, or one twice");
    records.iter().map(|(_, frame)| RecordView::parse(frame).unwrap().body.to_vec()).collect()
}

/// Frames of the records in a database: its blocks have each with its length before it.
fn frames(db: &impl ReadableDatabase) -> Vec<(ConvId, Vec<u8>)> {
    let blocks = db.begin_read().unwrap().open_table(BLOCKS).unwrap();
    let mut all = Vec::new();
    for block in blocks.iter().unwrap() {
        let (key, block) = block.unwrap();
        let conv = ConvId(key.value()[..16].try_into().unwrap());
        let mut rest = block.value();
        while let Some((len, after)) = rest.split_first_chunk() {
            let (frame, after) = after.split_at(u32::from_le_bytes(*len) as usize);
            all.push((conv, frame.to_vec()));
            rest = after;
        }
    }
    all
}

/// Records in the database, as the disk has it now.
fn settled(disk: &Disk) -> usize {
    frames(&Database::builder().create_with_backend(disk.mended()).unwrap()).len()
}

fn refused(disk: &Disk) -> String {
    match disk.mended().open_store(options()) {
        Err(StoreError::Corrupt(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn records_gather_in_the_log_and_a_close_brings_them_to_the_database() {
    let disk = Disk::new();
    let (store, _feed) = on(&disk, RARELY);
    for n in 1..=10 {
        write(&*store, post(conv(n % 2), n)).await.unwrap();
    }
    assert_eq!(settled(&disk), 0);
    assert!(store.unsettled().bytes > 0);
    // killed and reopened, it still knows them, and continues after them
    let killed = disk.mended();
    let (again, _feed) = on(&killed, RARELY);
    assert_eq!((bodies(&again, conv(0)).len(), bodies(&again, conv(1)).len()), (5, 5));
    assert_eq!(write(&*again, post(conv(1), 1)).await, Err(StoreError::Duplicate { seq: 1 }));
    assert_eq!(write(&*again, post(conv(1), 11)).await.unwrap().seqs, [6]);
    assert_eq!(settled(&killed), 0);
    again.close().await;
    assert_eq!((settled(&killed), again.unsettled().bytes), (11, 0));
    let (again, _feed) = on(&killed, 1);
    assert_eq!((bodies(&again, conv(0)).len(), bodies(&again, conv(1)).len()), (5, 6));
}

#[tokio::test]
async fn the_log_stays_small_while_messages_come() {
    let disk = Disk::new();
    let (store, _feed) = disk.open_store(Options { segments: 3, ..checkpoint_after(2_000) }).unwrap();
    for n in 0..=255 {
        write(&*store, post(conv(n % 7), n)).await.unwrap();
    }
    let files = (1..9).filter(|n| disk.file(*n).size() > 0).count();
    assert!((2..=3).contains(&files), "{files} files");
    assert!((1..=3).all(|n| disk.file(n).size() <= 6_000));
    assert_eq!((0..7).map(|n| bodies(&store, conv(n)).len()).sum::<usize>(), 256);
    assert!(settled(&disk) > 200);
}

#[tokio::test]
async fn little_is_brought_to_the_database_too_after_a_while() {
    let disk = Disk::new();
    let soon = Options { checkpoint_after: Duration::from_millis(1), ..options() };
    let (store, _feed) = disk.open_store(soon).unwrap();
    write(&*store, post(conv(1), 1)).await.unwrap();
    until(|| store.unsettled().bytes == 0).await;
    assert_eq!(settled(&disk), 1);
}

#[tokio::test]
async fn a_checkpoint_that_is_asked_for_brings_everything_to_the_database() {
    let disk = Disk::new();
    let (store, _feed) = on(&disk, RARELY);
    store.checkpoint().await.unwrap();
    for n in 1..=3 {
        write(&*store, post(conv(1), n)).await.unwrap();
        store.checkpoint().await.unwrap();
        assert_eq!((settled(&disk), store.unsettled().bytes), (usize::from(n), 0));
    }
    store.close().await;
    assert_eq!(store.checkpoint().await, Err(StoreError::Closed));
}

#[tokio::test]
async fn a_group_may_be_larger_than_a_file_of_the_log() {
    let disk = Disk::new();
    let (store, _feed) = on(&disk, RARELY);
    let put = |n: u8| Op::Put { table: Table::Widget, key: vec![n], value: vec![n; 100_000] };
    for n in 0..3 {
        write(&*store, Batch { ops: vec![put(n)], ..Batch::default() }).await.unwrap();
        write(&*store, post(conv(1), n)).await.unwrap();
    }
    let (again, _feed) = on(&disk.mended(), RARELY);
    assert_eq!(again.get(Table::Widget, &[2]).unwrap(), Some(vec![2; 100_000]));
    assert_eq!(bodies(&again, conv(1)).len(), 3);
}

/// A store that was killed, with so many groups in the files of its log.
async fn killed_with(groups: u8) -> Disk {
    let disk = Disk::new();
    let (store, _feed) = on(&disk, RARELY);
    for n in 1..=groups {
        write(&*store, post(conv(1), n)).await.unwrap();
    }
    disk.mended()
}

#[tokio::test]
async fn a_torn_end_is_no_damage_and_damage_before_it_is() {
    let disk = killed_with(5).await;
    let log = disk.file(1);
    let mut starts = Vec::new();
    log.alter(|bytes| starts.extend((0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(b"GRP1"))));
    assert_eq!(starts.len(), 5);
    let last = disk.mended();
    last.file(1).alter(|bytes| bytes[starts[4] + 40] ^= 1);
    assert_eq!(bodies(&on(&last, RARELY).0, conv(1)).len(), 4, "the last was not acknowledged for sure");
    for (n, start) in starts.iter().enumerate().take(4) {
        for at in [0, 10, 40] {
            let damaged = disk.mended();
            damaged.file(1).alter(|bytes| bytes[start + at] ^= 1);
            let why = refused(&damaged);
            assert!(why.contains(&format!("group {} of the log is damaged", n + 1)), "{why}");
        }
    }
    disk.file(1).alter(|bytes| bytes[20] ^= 1);
    assert!(refused(&disk).contains("header of a segment"));
}

#[tokio::test]
async fn a_file_of_the_log_that_is_missing_is_noticed() {
    let disk = killed_with(60).await;
    assert!(disk.file(4).size() > 0, "a weak test");
    for n in 1..=3 {
        let other = disk.mended();
        other.file(n).remove();
        assert!(refused(&other).contains("has a hole"), "{n}");
    }
    for n in 1..99 {
        disk.file(n).remove();
    }
    assert!(refused(&disk).contains("its log is missing"));
}

#[tokio::test]
async fn a_closed_database_needs_no_log_and_takes_no_other_one() {
    let (disk, other) = (Disk::new(), killed_with(2).await);
    let (store, _feed) = on(&disk, RARELY);
    write(&*store, post(conv(1), 1)).await.unwrap();
    store.close().await;
    disk.file(1).alter(|bytes| other.file(1).alter(|others| bytes.clone_from(others)));
    assert!(refused(&disk).contains("belongs to another database"));
    (1..9).for_each(|n| disk.file(n).remove());
    let (store, _feed) = on(&disk, RARELY);
    assert_eq!(write(&*store, post(conv(1), 2)).await.unwrap().seqs, [2]);
    let killed = disk.mended();
    (1..9).for_each(|n| killed.file(n).remove());
    assert!(refused(&killed).contains("its log is missing"), "it was opened again");
}

#[tokio::test]
async fn database_and_log_of_different_times_are_refused() {
    let disk = Disk::new();
    let (store, _feed) = disk.open_store(Options { segments: 2, ..checkpoint_after(2_000) }).unwrap();
    write(&*store, post(conv(1), 0)).await.unwrap();
    let early = disk.mended();
    for n in 1..=200 {
        write(&*store, post(conv(1), n)).await.unwrap();
    }
    let late = disk.mended();
    for (database, log, why) in [(&early, &late, "hole"), (&late, &early, "of different times")] {
        let mixed = database.mended();
        for n in 1..=2 {
            log.file(n).alter(|from| mixed.file(n).alter(|to| to.clone_from(from)));
        }
        let found = refused(&mixed);
        assert!(found.contains(why), "{found}");
    }
    assert_eq!(bodies(&on(&late, RARELY).0, conv(1)).len(), 201);
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
async fn a_recall_before_during_and_after_a_checkpoint_outlives_a_kill_at_any_commit() {
    for (seed, checkpoint) in [(1, 1), (2, 500), (3, 1_500), (4, 4_000), (5, RARELY)] {
        let (batches, states) = script(&mut Random(seed));
        let disk = Disk::new();
        let (store, _feed) = on(&disk, checkpoint);
        for (batch, state) in batches.into_iter().zip(&states[1..]) {
            write(&*store, batch).await.unwrap();
            assert_eq!(&bodies(&store, conv(1)), state);
            let (killed, _feed) = on(&disk.mended(), checkpoint);
            assert_eq!(&bodies(&killed, conv(1)), state, "a checkpoint after {checkpoint}");
            // the close brings all of it to the database, which must change nothing
            killed.close().await;
        }
        store.close().await;
        assert_eq!(&bodies(&on(&disk, checkpoint).0, conv(1)), states.last().unwrap());
    }
}

#[tokio::test]
async fn a_loss_of_power_leaves_the_recalls_that_were_acknowledged() {
    let mut cut = 0;
    for seed in 0..200 {
        let random = &mut Random(seed);
        let checkpoint = [1, 500, 1_500, 4_000][seed as usize % 4];
        let (batches, states) = script(random);
        let mut disk = Disk::new();
        drop(on(&disk, checkpoint));
        let mut done = 0;
        // two lives, the second of which begins with what the first left in its log
        for _ in 0..2 {
            disk.fail_after(random.below(400));
            if let Ok((store, _feed)) = disk.open_store(checkpoint_after(checkpoint)) {
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
            let (store, _feed) = on(&disk.mended(), checkpoint);
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
fn who_reads_during_checkpoints_sees_one_moment() {
    // each batch appends a message, recalls the one before and says in the row how many there are
    let c = conv(1);
    let id = |n: u64| MsgId([n.to_be_bytes(), [7; 8]].concat().try_into().unwrap());
    let gone = |n: u64| {
        let mut body = envelope_with(c, id(n));
        body.truncate(tombstone(c, 0).len());
        body[2] = Kind::Tombstone as u8;
        Bytes::from(body)
    };
    let (store, _feed) = on(&Disk::new(), 1_000);
    let done = AtomicBool::new(false);
    let rt = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let look = |mut least: u64, after: u64| {
        let mut looks = 0;
        while !done.load(Ordering::Relaxed) || looks == 0 {
            let Some(row) = store.head(c).unwrap() else { continue };
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
                batch.ops.push(Op::Row { value: n.to_be_bytes().to_vec().into(), facts: None });
                write(&*store, batch).await.unwrap();
            }
        });
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(store.records(c, 0, usize::MAX).unwrap().len(), 600);
}

const META: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("meta");
const LOG: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("log");
const ID_BLOCKS: TableDefinition<'static, &[u8; 24], &[u8]> = TableDefinition::new("id_blocks");
const SIZES: TableDefinition<'static, &[u8; 16], u64> = TableDefinition::new("sizes");
// up to version 3
const RECORDS: TableDefinition<'static, &[u8; 24], &[u8]> = TableDefinition::new("records");
const IDS: TableDefinition<'static, &[u8; 32], u64> = TableDefinition::new("ids");
const JOURNAL: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("journal");

/// Takes a closed database back to an earlier version: every record has a key of its own, and there is no log.
fn back_to(version: u32, path: &Path, further: impl FnOnce(&WriteTransaction)) {
    let db = Database::open(path).unwrap();
    let all = frames(&db);
    let txn = db.begin_write().unwrap();
    {
        let mut records = txn.open_table(RECORDS).unwrap();
        for (conv, frame) in all {
            let key: [u8; 24] = [&conv.0[..], &frame[..8]].concat().try_into().unwrap();
            records.insert(&key, &frame[8..]).unwrap();
        }
    }
    for table in [BLOCKS, ID_BLOCKS] {
        txn.delete_table(table).unwrap();
    }
    txn.delete_table(LOG).unwrap();
    if version < 3 {
        txn.delete_table(SIZES).unwrap();
    } else {
        txn.open_table(IDS).unwrap();
    }
    if version > 1 {
        txn.open_table(JOURNAL).unwrap();
    }
    further(&txn);
    txn.open_table(META).unwrap().insert(&b"schema"[..], &version.to_be_bytes()[..]).unwrap();
    txn.commit().unwrap();
    drop(db);
    std::fs::remove_dir_all(path.with_file_name("kefu.redb.wal")).unwrap();
}

/// Bytes that the database has for the records of a conversation.
fn size_of(path: &Path, conv: ConvId) -> Option<u64> {
    let db = Database::open(path).unwrap();
    let txn = db.begin_read().unwrap();
    txn.open_table(SIZES).unwrap().get(&conv.0).unwrap().map(|size| size.value())
}

#[tokio::test]
async fn a_file_of_version_1_is_upgraded_and_kept_beside() {
    let dir = tempfile::tempdir().unwrap();
    let (path, kept) = (dir.path().join("kefu.redb"), dir.path().join("kefu.redb.v1"));
    let (store, _feed) = RedbStore::open(&path, options()).unwrap();
    for n in 1..=5 {
        write(&*store, post(conv(1), n)).await.unwrap();
    }
    store.close().await;
    back_to(1, &path, |_| {});
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

#[tokio::test]
async fn what_version_3_had_in_its_table_of_groups_comes_to_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kefu.redb");
    let (store, _feed) = RedbStore::open(&path, options()).unwrap();
    for n in 1..=3 {
        write(&*store, post(conv(1), n)).await.unwrap();
    }
    store.close().await;
    let record = |seq: u64, body: &[u8]| {
        let frame = [&seq.to_be_bytes()[..], &7u64.to_be_bytes(), body].concat();
        [&conv(1).0[..], &(frame.len() as u32).to_be_bytes(), &frame].concat()
    };
    let envelope = |n| crate::support::batch::envelope(conv(1), n);
    // two new ones, and a recall of a record that had left the table of groups
    let groups: [(u64, Vec<u8>); 3] = [
        (8, [record(4, &envelope(4)), record(2, &tombstone(conv(1), 2))].concat()),
        (9, record(5, &envelope(5))),
        (10, Vec::new()),
    ];
    back_to(3, &path, |txn| {
        let mut journal = txn.open_table(JOURNAL).unwrap();
        for (number, value) in &groups {
            journal.insert(number, value.as_slice()).unwrap();
        }
    });
    let (store, _feed) = RedbStore::open(&path, options()).unwrap();
    let expected = [envelope(1), tombstone(conv(1), 2), envelope(3), envelope(4), envelope(5)];
    assert_eq!(bodies(&store, conv(1)), expected);
    for n in 1..=5 {
        assert_eq!(write(&*store, post(conv(1), n)).await, Err(StoreError::Duplicate { seq: n.into() }));
    }
    assert!(dir.path().join("kefu.redb.v3").exists());
    store.close().await;
    back_to(3, &path, |txn| {
        txn.open_table(JOURNAL).unwrap().insert(7, &[0xff; 64][..]).unwrap();
    });
    let error = RedbStore::open(&path, options()).unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt(e) if e.contains("group 7 of its journal")), "{error:?}");
}

#[tokio::test]
async fn an_id_is_found_without_reading_the_conversation() {
    let (disk, c, large) = (Disk::new(), conv(1), 30_000);
    let id = |n: u64| MsgId([n.to_be_bytes(), [7; 8]].concat().try_into().unwrap());
    let (store, _feed) = on(&disk, 1_000);
    for n in 1..=200 {
        let mut body = envelope_with(c, id(n));
        body.splice(MESSAGE_HEADER..MESSAGE_HEADER, vec![0; large]);
        write(&*store, Batch { ops: vec![Op::Append { id: id(n), body: body.into() }], ..post(c, 0) }).await.unwrap();
    }
    store.close().await;
    let (store, _feed) = disk.open_store(options()).unwrap();
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
async fn a_file_of_version_2_gets_its_ids_and_sizes() {
    let dir = tempfile::tempdir().unwrap();
    let (path, kept) = (dir.path().join("kefu.redb"), dir.path().join("kefu.redb.v2"));
    let (store, _feed) = RedbStore::open(&path, checkpoint_after(500)).unwrap();
    for n in 1..=20 {
        write(&*store, post(conv(n % 2), n)).await.unwrap();
    }
    write(&*store, recall(conv(1), 3, 5)).await.unwrap();
    let records = store.records(conv(1), 0, 100).unwrap();
    let expected = records.iter().map(|(_, frame)| frame.len() as u64).sum();
    store.close().await;
    assert_eq!(size_of(&path, conv(1)), Some(expected), "a tombstone weighs what it weighs");
    back_to(2, &path, |_| {});
    let (store, _feed) = RedbStore::open(&path, options()).unwrap();
    assert!(kept.exists());
    assert_eq!(store.records(conv(1), 0, 100), Ok(records));
    for n in 1..=20u8 {
        let again = write(&*store, post(conv(n % 2), n)).await;
        assert_eq!(again, Err(StoreError::Duplicate { seq: u64::from(n.div_ceil(2)) }));
    }
    store.close().await;
    assert_eq!(size_of(&path, conv(1)), Some(expected));
}
