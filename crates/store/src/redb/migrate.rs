//! The schema version in the file, and the steps that migrate an older file.
//!
//! A new schema adds one step to [`Schema`] and raises the version in `check.rs`. All steps and the new version are one
//! transaction; the file as it was is copied beside it first, as `<name>.v<old version>`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ::redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, WriteTransaction};
use bytes::Bytes;

use super::{
    layer::Layer,
    settle::settle,
    tables::{self, RecordKey, map_db_error},
};
use crate::{
    StoreError, Table,
    check::{SCHEMA_KEY, SCHEMA_VERSION, remembered_id},
};
use kefu_proto::{ConvId, RECORD_HEADER};

/// Migrates a file from one version to the next.
pub(super) struct Step {
    /// The version it starts from.
    pub from: u32,
    /// The work, inside the upgrade's transaction.
    pub run: fn(&WriteTransaction) -> Result<(), StoreError>,
}

/// What this kefu knows.
pub(super) struct Schema {
    /// The newest version.
    pub version: u32,
    /// All steps.
    pub steps: &'static [Step],
}

/// The schema of this kefu. Versions 2 and 3 had a table with the groups that were written lately; version 1 had none, and
/// every record went to its table at once. Version 3 brought an index of message ids and sizes of conversations, version 4
/// blocks of records and of ids, and a log beside the database.
pub(super) const SCHEMA: Schema = Schema {
    version: SCHEMA_VERSION,
    steps: &[
        Step { from: 1, run: an_empty_journal },
        Step { from: 2, run: ids_and_sizes },
        Step { from: 3, run: blocks_and_a_log },
    ],
};

/// Number of the group → its records, one after the other, each conversation ‖ u32 length, big-endian ‖ seq ‖ time ‖ body.
const JOURNAL: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("journal");

/// Up to version 3: conversation ‖ seq → u64 time of the commit, big-endian ‖ body.
const OLD_RECORDS: TableDefinition<'static, RecordKey, &'static [u8]> = TableDefinition::new("records");
/// Of version 3: conversation ‖ message id → seq.
const OLD_IDS: TableDefinition<'static, &'static [u8; 32], u64> = TableDefinition::new("ids");
/// So many bytes of records are brought into blocks at once.
const STEP_BYTES: usize = 16 * 1024 * 1024;

/// The tables stay as they are.
fn an_empty_journal(txn: &WriteTransaction) -> Result<(), StoreError> {
    txn.open_table(JOURNAL).map_err(map_db_error)?;
    Ok(())
}

/// Records and ids come into blocks, those in the table of groups too; a log begins when something is written.
fn blocks_and_a_log(txn: &WriteTransaction) -> Result<(), StoreError> {
    txn.delete_table(OLD_IDS).map_err(map_db_error)?;
    txn.delete_table(tables::SIZES).map_err(map_db_error)?;
    {
        let records = txn.open_table(OLD_RECORDS).map_err(map_db_error)?;
        let mut layer = Layer::default();
        for record in records.iter().map_err(map_db_error)? {
            let (key, value) = record.map_err(map_db_error)?;
            let (conv, seq) = (tables::conv_of(key.value()), tables::seq_of(key.value()));
            let frame = [&seq.to_be_bytes(), value.value()].concat();
            if frame.len() < RECORD_HEADER {
                return Err(StoreError::Corrupt("a record is shorter than its time".into()));
            }
            layer.record(conv, seq, frame.into(), true);
            if layer.bytes() >= STEP_BYTES {
                settle(txn, &std::mem::take(&mut layer))?;
            }
        }
        settle(txn, &layer)?;
    }
    settle(txn, &journal(txn)?)?;
    txn.delete_table(OLD_RECORDS).map_err(map_db_error)?;
    txn.delete_table(JOURNAL).map_err(map_db_error)?;
    Ok(())
}

/// What the table of groups has.
fn journal(txn: &WriteTransaction) -> Result<Layer, StoreError> {
    let mut layer = Layer::default();
    let journal = txn.open_table(JOURNAL).map_err(map_db_error)?;
    for group in journal.iter().map_err(map_db_error)? {
        let (number, value) = group.map_err(map_db_error)?;
        let mut rest = value.value();
        while !rest.is_empty() {
            let (conv, frame, after) = journal_record(rest)
                .ok_or_else(|| StoreError::Corrupt(format!("group {} of its journal is not valid", number.value())))?;
            let seq = frame.first_chunk().map_or(0, |seq| u64::from_be_bytes(*seq));
            // whether it is new does not matter here
            layer.record(conv, seq, Bytes::copy_from_slice(frame), true);
            rest = after;
        }
    }
    Ok(layer)
}

/// The first record of a group and what comes after it.
fn journal_record(group: &[u8]) -> Option<(ConvId, &[u8], &[u8])> {
    let (conv, rest) = group.split_first_chunk::<16>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (frame, after) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
    (frame.len() >= RECORD_HEADER).then_some((ConvId(*conv), frame, after))
}

/// Reads all records once. What is in the table of groups gets there when it leaves that.
fn ids_and_sizes(txn: &WriteTransaction) -> Result<(), StoreError> {
    let records = txn.open_table(OLD_RECORDS).map_err(map_db_error)?;
    let mut ids = txn.open_table(OLD_IDS).map_err(map_db_error)?;
    let mut sizes = txn.open_table(tables::SIZES).map_err(map_db_error)?;
    for record in records.iter().map_err(map_db_error)? {
        let (key, value) = record.map_err(map_db_error)?;
        let (conv, seq) = (tables::conv_of(key.value()), tables::seq_of(key.value()));
        let value = value.value();
        let body = value.get(8..).ok_or_else(|| StoreError::Corrupt("a record is shorter than its time".into()))?;
        if let Some(id) = remembered_id(body) {
            let mut key = [0; 32];
            key[..16].copy_from_slice(&conv.0);
            key[16..].copy_from_slice(&id.0);
            ids.insert(&key, seq).map_err(map_db_error)?;
        }
        let before = sizes.get(&conv.0).map_err(map_db_error)?.map_or(0, |size| size.value());
        sizes.insert(&conv.0, before + value.len() as u64).map_err(map_db_error)?;
    }
    Ok(())
}

/// What a file needs before it can be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// The file is up to date.
    Nothing,
    /// It is new, or lacks tables.
    Tables,
    /// It is of this older version.
    Upgrade(u32),
}

impl Schema {
    /// Looks at an open file without changing it.
    pub fn need(&self, db: &Database) -> Result<Need, StoreError> {
        let txn = db.begin_read().map_err(map_db_error)?;
        let names: Vec<String> = txn.list_tables().map_err(map_db_error)?.map(|t| t.name().to_owned()).collect();
        if names.is_empty() {
            return Ok(Need::Tables);
        }
        let unmarked = || StoreError::Corrupt("it has tables but no schema version: not a database of kefu".into());
        let meta = tables::small(Table::Meta);
        if !names.iter().any(|name| name == meta.name()) {
            return Err(unmarked());
        }
        let value =
            txn.open_table(meta).map_err(map_db_error)?.get(SCHEMA_KEY).map_err(map_db_error)?.ok_or_else(unmarked)?;
        let found = value.value().try_into().map(u32::from_be_bytes).map_err(|_| unmarked())?;
        match found.cmp(&self.version) {
            std::cmp::Ordering::Greater => Err(StoreError::TooNew { found, known: self.version }),
            std::cmp::Ordering::Less => Ok(Need::Upgrade(found)),
            std::cmp::Ordering::Equal if names.len() < tables::COUNT => Ok(Need::Tables),
            std::cmp::Ordering::Equal => Ok(Need::Nothing),
        }
    }

    /// Does what [`Schema::need`] found, in one transaction.
    pub fn bring_up(&self, db: &Database, need: Need) -> Result<(), StoreError> {
        let mut found = match need {
            Need::Nothing => return Ok(()),
            Need::Tables => self.version,
            Need::Upgrade(found) => found,
        };
        let mut txn = db.begin_write().map_err(map_db_error)?;
        txn.set_quick_repair(true);
        while found < self.version {
            let step = self.steps.iter().find(|step| step.from == found).ok_or_else(|| {
                StoreError::Corrupt(format!("schema version {found} is too old: upgrade with an earlier kefu first"))
            })?;
            (step.run)(&txn)?;
            found += 1;
        }
        tables::create_all(&txn)?;
        tables::name_store(&txn, crate::random())?;
        {
            let mut meta = txn.open_table(tables::small(Table::Meta)).map_err(map_db_error)?;
            meta.insert(SCHEMA_KEY, &self.version.to_be_bytes()[..]).map_err(map_db_error)?;
        }
        txn.commit().map_err(map_db_error)
    }
}

/// Copies the closed file at `path` to `<path>.v<version>`, durably; an older copy of that name is replaced.
pub(super) fn snapshot(path: &Path, version: u32) -> std::io::Result<()> {
    let copy = beside(path, &format!(".v{version}"));
    kefu_files::replace_by(&copy, 0o600, |file| std::io::copy(&mut fs::File::open(path)?, file).map(drop))
}

/// The path with a suffix added to its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redb::{Options, open};

    /// Version 0 kept greetings in a table of its own, by site; version 1 keeps them as settings.
    const GREETINGS: TableDefinition<'static, &str, &str> = TableDefinition::new("greetings");

    fn greetings_become_settings(txn: &WriteTransaction) -> Result<(), StoreError> {
        {
            let old = txn.open_table(GREETINGS).map_err(map_db_error)?;
            let mut site = txn.open_table(tables::small(Table::Site)).map_err(map_db_error)?;
            for entry in old.iter().map_err(map_db_error)? {
                let (key, value) = entry.map_err(map_db_error)?;
                site.insert(key.value().as_bytes(), value.value().as_bytes()).map_err(map_db_error)?;
            }
        }
        txn.delete_table(GREETINGS).map_err(map_db_error)?;
        Ok(())
    }

    fn breaks_halfway(txn: &WriteTransaction) -> Result<(), StoreError> {
        greetings_become_settings(txn)?;
        Err(StoreError::Io("the disk failed".into()))
    }

    const WITH_STEP: Schema = Schema { version: 1, steps: &[Step { from: 0, run: greetings_become_settings }] };

    fn version_0(path: &Path) {
        let db = Database::create(path).unwrap();
        let txn = db.begin_write().unwrap();
        txn.open_table(GREETINGS).unwrap().insert("shop", "hello").unwrap();
        let mut meta = txn.open_table(tables::small(Table::Meta)).unwrap();
        meta.insert(SCHEMA_KEY, &0u32.to_be_bytes()[..]).unwrap();
        drop(meta);
        txn.commit().unwrap();
    }

    fn greeting(db: &Database) -> Option<Vec<u8>> {
        let table = db.begin_read().unwrap().open_table(tables::small(Table::Site)).unwrap();
        table.get(&b"shop"[..]).unwrap().map(|v| v.value().to_vec())
    }

    #[test]
    fn an_older_file_is_copied_and_brought_up_to_date_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kefu.redb");
        version_0(&path);
        for _ in 0..2 {
            let db = open::file(&path, &Options::default(), &WITH_STEP).unwrap();
            assert_eq!(greeting(&db), Some(b"hello".to_vec()));
            assert_eq!(WITH_STEP.need(&db).unwrap(), Need::Nothing);
        }
        let copy = Database::open(dir.path().join("kefu.redb.v0")).unwrap();
        assert_eq!(WITH_STEP.need(&copy).unwrap(), Need::Upgrade(0));
        let old = copy.begin_read().unwrap().open_table(GREETINGS).unwrap();
        assert_eq!(old.get("shop").unwrap().unwrap().value(), "hello");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kefu.redb");
        version_0(&path);
        let broken = Schema { version: 1, steps: &[Step { from: 0, run: breaks_halfway }] };
        assert!(open::file(&path, &Options::default(), &broken).is_err());
        let db = open::file(&path, &Options::default(), &WITH_STEP).unwrap();
        assert_eq!(greeting(&db), Some(b"hello".to_vec()));
    }

    #[test]
    fn a_version_without_a_step_and_a_newer_one_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kefu.redb");
        version_0(&path);
        let error = open::file(&path, &Options::default(), &SCHEMA).unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt(e) if e.contains("version 0 is too old")), "{error:?}");
        drop(open::file(&path, &Options::default(), &WITH_STEP).unwrap());
        let older = Schema { version: 0, steps: &[] };
        let error = open::file(&path, &Options::default(), &older).unwrap_err();
        assert_eq!(error, StoreError::TooNew { found: 1, known: 0 });
    }

    #[test]
    fn somebody_elses_database_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kefu.redb");
        let db = Database::create(&path).unwrap();
        let txn = db.begin_write().unwrap();
        txn.open_table(GREETINGS).unwrap();
        txn.commit().unwrap();
        drop(db);
        let error = open::file(&path, &Options::default(), &SCHEMA).unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt(e) if e.contains("not a database of kefu")), "{error:?}");
    }
}
