//! A database that is dumped and loaded: all rows, a new id, no log; and what is left when it does not come to that.

use std::{fs, path::Path, sync::Arc};

use kefu_proto::{HeaderView, Kind, RecordView};
use kefu_store::{
    Batch, Op, Store, StoreError, Table,
    archive::{Entry, Header, Reader, Writer},
    redb::{DumpError, Loader, RedbStore, Snapshot},
    write,
};
use redb::{Database, ReadableDatabase, TableDefinition};

use crate::support::{
    batch::{conv, post, tombstone},
    options,
};

const LOG: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("log");

fn header() -> Header {
    Header { schema: 4, created_ms: 0, kefu: "0.2.0".into() }
}

/// A store with two conversations, a recall and a row.
async fn filled(path: &Path) -> Arc<RedbStore> {
    let (store, _feed) = RedbStore::open(path, options()).unwrap();
    for n in 1..=100 {
        write(&*store, post(conv(n % 2), n)).await.unwrap();
    }
    let mut batch = Batch { conv: Some(conv(1)), rev: None, ops: vec![Op::Row { value: vec![7].into(), facts: None }] };
    batch.ops.push(Op::Redact { seq: 1, body: tombstone(conv(1), 1).into() });
    write(&*store, batch).await.unwrap();
    let site = Op::Put { table: Table::Site, key: b"s1".to_vec(), value: b"{}".to_vec() };
    write(&*store, Batch { ops: vec![site], ..Batch::default() }).await.unwrap();
    store
}

fn dump(snapshot: &Snapshot) -> Result<Vec<u8>, DumpError> {
    let mut writer = Writer::new(Vec::new(), &header()).unwrap();
    snapshot.dump(|entry| match entry {
        Entry::Table(name) => writer.table(name),
        Entry::Row(key, value) => writer.row(key, value),
        Entry::File(_) | Entry::Data(_) => unreachable!(),
    })?;
    Ok(writer.finish().unwrap().0)
}

fn load(bytes: &[u8], path: &Path) -> Result<(), StoreError> {
    let mut loader = Loader::create(path, &header())?;
    let mut reader = Reader::new(bytes).unwrap();
    while let Some(entry) = reader.next_entry().unwrap() {
        loader.entry(&entry)?;
    }
    loader.finish()
}

/// What the database says of its log.
fn log_of(path: &Path) -> Vec<Option<Vec<u8>>> {
    let db = Database::open(path).unwrap();
    let log = db.begin_read().unwrap().open_table(LOG).unwrap();
    ["store", "settled", "complete"].map(|key| log.get(key).unwrap().map(|value| value.value().to_vec())).to_vec()
}

#[tokio::test]
async fn all_rows_come_to_a_database_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (path, new) = (dir.path().join("kefu.redb"), dir.path().join("new.redb"));
    let store = filled(&path).await;
    let snapshot = store.snapshot().await.unwrap();
    // what comes later is not in it
    write(&*store, post(conv(1), 200)).await.unwrap();
    load(&dump(&snapshot).unwrap(), &new).unwrap();
    assert_eq!(dump(&snapshot).unwrap(), dump(&snapshot).unwrap());
    drop(snapshot);
    store.close().await;
    assert!(!dir.path().join("new.redb.wal").exists());
    let (old_log, new_log) = (log_of(&path), log_of(&new));
    assert_ne!(old_log[0], new_log[0]);
    assert_eq!(new_log[1..], [Some(vec![0; 8]), Some(Vec::new())]);

    let (store, _feed) = RedbStore::open(&new, options()).unwrap();
    for c in [0, 1] {
        let records = store.records(conv(c), 0, usize::MAX).unwrap();
        assert!(records.iter().map(|record| record.0).eq(1..=50));
    }
    let first = store.records(conv(1), 0, 1).unwrap().remove(0).1;
    let kind = HeaderView::parse(RecordView::parse(&first).unwrap().body).unwrap().0;
    assert_eq!(kind, Kind::Tombstone);
    let row = store.head(conv(1)).unwrap().unwrap();
    assert_eq!((row.rev, row.last_seq, &row.value[..]), (1, 50, &[7][..]));
    assert_eq!(store.get(Table::Site, b"s1").unwrap(), Some(b"{}".to_vec()));
    assert_eq!(write(&*store, post(conv(1), 3)).await, Err(StoreError::Duplicate { seq: 2 }));
    assert_eq!(write(&*store, post(conv(1), 200)).await.unwrap().seqs, [51]);
}

#[tokio::test]
async fn a_load_that_does_not_end_leaves_nothing_and_none_replaces_a_database() {
    let dir = tempfile::tempdir().unwrap();
    let (path, new) = (dir.path().join("kefu.redb"), dir.path().join("new.redb"));
    let store = filled(&path).await;
    let bytes = dump(&store.snapshot().await.unwrap()).unwrap();
    assert!(load(&bytes, &path).unwrap_err().to_string().contains("already exists"));
    fs::create_dir(dir.path().join("new.redb.wal")).unwrap();
    assert!(load(&bytes, &new).unwrap_err().to_string().contains("already exists"));
    fs::remove_dir(dir.path().join("new.redb.wal")).unwrap();
    let mut loader = Loader::create(&new, &header()).unwrap();
    loader.entry(&Entry::Table("records")).unwrap();
    let first = [&[1; 16][..], &1u64.to_be_bytes()].concat();
    loader.entry(&Entry::Row(&first, &[1; 30])).unwrap();
    assert!(matches!(loader.entry(&Entry::Row(&[1; 23], &[1; 30])), Err(StoreError::Corrupt(_))));
    drop(loader);
    // without a schema version it is not complete
    assert!(Loader::create(&new, &header()).unwrap().finish().is_err());
    let later = Header { schema: 5, ..header() };
    assert!(matches!(Loader::create(&new, &later), Err(StoreError::TooNew { found: 5, known: 4 })));
    let names = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(names, 2, "the database and its log");
}

#[tokio::test]
async fn a_snapshot_does_not_hold_up_a_close_and_ends_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kefu.redb");
    let store = filled(&path).await;
    let snapshot = store.snapshot().await.unwrap();
    store.close().await;
    assert!(matches!(dump(&snapshot), Err(DumpError::Store(StoreError::Closed))));
    assert!(matches!(store.snapshot().await, Err(StoreError::Closed)));
    // another process may have it now
    let (again, _feed) = RedbStore::open(&path, options()).unwrap();
    dump(&again.snapshot().await.unwrap()).unwrap();
    drop(snapshot);
}
