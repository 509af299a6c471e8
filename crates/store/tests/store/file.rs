//! Opening the file: what is there after a close, who may open it, and files that are not kefu's.

use std::fs;

use kefu_store::{Batch, Op, Reply, Store, StoreError, Table, redb::RedbStore, submit, write};

use crate::support::{
    batch::{conv, post},
    disk::Disk,
    options,
};

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

#[tokio::test]
async fn every_opening_has_a_generation_of_its_own_also_that_of_a_copy() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("kefu.redb"), dir.path().join("copy.redb"));
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..3 {
        let (store, _feed) = RedbStore::open(&path, options()).unwrap();
        assert_eq!(store.generation(), store.generation());
        assert!(seen.insert(store.generation()));
        store.close().await;
        if n == 1 {
            fs::copy(&path, &copy).unwrap();
        }
    }
    let (store, _feed) = RedbStore::open(&copy, options()).unwrap();
    assert!(seen.insert(store.generation()));
}

#[tokio::test]
async fn a_file_from_before_a_table_gets_it_and_keeps_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kefu.redb");
    let (store, _feed) = RedbStore::open(&path, options()).unwrap();
    submit(&*store, post(conv(1), 1), Reply::Feed(1)).await.unwrap();
    store.close().await;
    drop(store);
    let db = redb::Database::open(&path).unwrap();
    let txn = db.begin_write().unwrap();
    for name in ["missed", "status"] {
        assert!(txn.delete_table(redb::TableDefinition::<&[u8], &[u8]>::new(name)).unwrap());
    }
    txn.commit().unwrap();
    drop(db);
    let (store, _feed) = RedbStore::open(&path, options()).unwrap();
    assert_eq!(store.scan(Table::Missed, &[], None, false, 9), Ok(vec![]));
    assert_eq!(store.scan(Table::Status, &[], None, false, 9), Ok(vec![]));
    let put = Op::Put { table: Table::Status, key: b"svc".to_vec(), value: vec![] };
    write(&*store, Batch { ops: vec![put], ..Batch::default() }).await.unwrap();
    assert_eq!(store.scan(Table::Status, b"s", None, true, 9), Ok(vec![(b"svc".to_vec(), vec![])]));
    assert_eq!(store.records(conv(1), 0, 10).unwrap().len(), 1);
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
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 40, "nothing is left lying about");
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
    let (store, _feed) = disk.open_store(options()).unwrap();
    let newer = Op::Put { table: Table::Meta, key: b"schema".to_vec(), value: 9u32.to_be_bytes().to_vec() };
    write(&*store, Batch { conv: None, rev: None, ops: vec![newer] }).await.unwrap();
    store.close().await;
    let error = disk.open_store(options()).unwrap_err();
    assert_eq!(error, StoreError::TooNew { found: 9, known: 4 });
}
