//! Writing a whole database from a dump (see `dump.rs`): a new file with a new store id, complete without a log.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ::redb::{Database, TableDefinition, WriteTransaction};

use super::{
    Options,
    dump::{Dumped, schema_in},
    layer::Layer,
    migrate, open,
    settle::settle,
    tables::{self, map_db_error},
};
use crate::{
    StoreError,
    archive::{Entry, Header},
    check::SCHEMA_VERSION,
};
use kefu_proto::ConvId;

/// The first schema version of which there are dumps.
const FIRST_SCHEMA: u32 = 4;
/// Rows are written together until they have so many bytes.
const BATCH: usize = 1024 * 1024;
/// A transaction ends after so many bytes.
const TRANSACTION: usize = 64 * 1024 * 1024;

/// Checks entries as they must be to be loaded.
#[derive(Debug)]
pub struct DumpCheck {
    schema: u32,
    table: Option<Dumped>,
    schema_found: bool,
    /// The last record: its conversation and its number.
    last: Option<(ConvId, u64)>,
}

impl DumpCheck {
    /// For a dump with this header.
    ///
    /// # Errors
    /// [`StoreError::TooNew`], or a version that no kefu wrote.
    pub fn new(header: &Header) -> Result<Self, StoreError> {
        let schema = header.schema;
        if schema > SCHEMA_VERSION {
            return Err(StoreError::TooNew { found: schema, known: SCHEMA_VERSION });
        }
        if schema < FIRST_SCHEMA {
            return Err(StoreError::Corrupt(format!("there are no backups of schema version {schema}")));
        }
        Ok(Self { schema, table: None, schema_found: false, last: None })
    }

    /// Looks at the next entry. Files are not looked at.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with what is wrong.
    pub fn entry(&mut self, entry: &Entry<'_>) -> Result<(), StoreError> {
        match *entry {
            Entry::Table(name) => {
                let table = Dumped::named(name);
                self.table =
                    Some(table.ok_or_else(|| StoreError::Corrupt(format!("it has an unknown table {name:?}")))?);
            }
            Entry::Row(key, value) => {
                // the format has no row before a table
                let Some(table) = self.table else { return Ok(()) };
                if !table.fits(key, value) {
                    return Err(StoreError::Corrupt(format!("a row of its table {} has a wrong length", table.name())));
                }
                if table == Dumped::Records {
                    self.record(key)?;
                }
                if let Some(schema) = schema_in(table, key, value) {
                    if schema != Some(self.schema) {
                        return Err(StoreError::Corrupt("its rows are of another schema version than it says".into()));
                    }
                    self.schema_found = true;
                }
            }
            Entry::File(_) | Entry::Data(_) => {}
        }
        Ok(())
    }

    /// Records of a conversation are numbered 1, 2, 3 …
    fn record(&mut self, key: &[u8]) -> Result<(), StoreError> {
        let Some((conv, seq)) = record_of(key) else { return Ok(()) };
        let before = self.last.replace((conv, seq)).filter(|(before, _)| *before == conv).map_or(0, |(_, seq)| seq);
        if seq == before + 1 {
            return Ok(());
        }
        Err(StoreError::Corrupt(format!("in conversation {conv} number {seq} follows number {before}")))
    }

    /// Whether nothing is missing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with what is missing.
    pub fn finish(&self) -> Result<(), StoreError> {
        if self.schema_found {
            return Ok(());
        }
        Err(StoreError::Corrupt("its rows do not say which schema version they have".into()))
    }
}

/// A database that is being made from a dump, under another name until it is complete. Dropped before that, it is removed.
pub struct Loader {
    path: PathBuf,
    part: PathBuf,
    check: DumpCheck,
    db: Option<Database>,
    txn: Option<WriteTransaction>,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    /// Bytes in `rows`, and in the transaction.
    waiting: usize,
    written: usize,
}

impl Loader {
    /// Begins a database that will be at `path`, where none is, for a dump with this header.
    ///
    /// # Errors
    /// There is one, or a log; an error of the disk.
    pub fn create(path: &Path, header: &Header) -> Result<Self, StoreError> {
        let named = |e: std::io::Error| StoreError::Io(format!("{}: {e}", path.display()));
        for taken in [path.to_owned(), migrate::beside(path, open::LOG)] {
            if fs::symlink_metadata(&taken).is_ok() {
                return Err(StoreError::Io(format!("{} already exists", taken.display())));
            }
        }
        let check = DumpCheck::new(header)?;
        let part = kefu_files::part(path).map_err(named)?;
        kefu_files::create_new(&part, 0o600).map_err(named)?;
        let (path, rows) = (path.to_owned(), Vec::new());
        let mut loader = Self { path, part, check, db: None, txn: None, rows, waiting: 0, written: 0 };
        let db = open::database(&loader.part, &Options::default())?;
        let txn = db.begin_write().map_err(map_db_error)?;
        tables::create_all(&txn)?;
        tables::name_store(&txn, crate::random())?;
        txn.commit().map_err(map_db_error)?;
        loader.db = Some(db);
        Ok(loader)
    }

    /// Adds the next entry. Files are ignored.
    ///
    /// # Errors
    /// The entry does not belong there, or an error of the disk.
    pub fn entry(&mut self, entry: &Entry<'_>) -> Result<(), StoreError> {
        if matches!(entry, Entry::Table(_)) {
            self.flush()?;
        }
        self.check.entry(entry)?;
        if let Entry::Row(key, value) = *entry {
            self.waiting += key.len() + value.len();
            self.rows.push((key.to_vec(), value.to_vec()));
            if self.waiting >= BATCH {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Moves the database to its place; it is on disk when this returns.
    ///
    /// # Errors
    /// Something is missing, or an error of the disk.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.flush()?;
        self.commit()?;
        self.check.finish()?;
        drop(self.db.take());
        let named = |e: std::io::Error| StoreError::Io(format!("{}: {e}", self.path.display()));
        fs::File::open(&self.part).and_then(|file| file.sync_all()).map_err(named)?;
        open::put_in_place(&self.part, &self.path).map_err(named)
    }

    /// Writes the rows that wait.
    fn flush(&mut self) -> Result<(), StoreError> {
        let rows = std::mem::take(&mut self.rows);
        let (Some(table), Some(db)) = (self.check.table, &self.db) else { return Ok(()) };
        if rows.is_empty() {
            return Ok(());
        }
        let txn = match self.txn.take() {
            Some(txn) => txn,
            None => {
                let mut txn = db.begin_write().map_err(map_db_error)?;
                txn.set_quick_repair(true);
                txn
            }
        };
        put(&txn, table, &rows)?;
        self.txn = Some(txn);
        self.written += std::mem::take(&mut self.waiting);
        if self.written >= TRANSACTION {
            self.commit()?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.written = 0;
        self.txn.take().map_or(Ok(()), |txn| txn.commit().map_err(map_db_error))
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        drop(self.txn.take());
        drop(self.db.take());
        // in its place it has this name no longer
        drop(fs::remove_file(&self.part));
    }
}

/// Writes rows of a dump. Records continue their conversations.
pub(super) fn put(txn: &WriteTransaction, table: Dumped, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
    match table {
        Dumped::Records => {
            let mut layer = Layer::default();
            for (key, value) in rows {
                let (conv, seq) = record_of(key).ok_or(StoreError::Invalid("a record's key has a wrong length"))?;
                layer.record(conv, seq, [&seq.to_be_bytes(), value.as_slice()].concat().into(), true);
            }
            settle(txn, &layer)
        }
        Dumped::Rows => insert(txn, tables::ROWS, rows, |key, value| {
            let (rev, row) = value.split_first_chunk()?;
            Some((key.try_into().ok()?, (u32::from_be_bytes(*rev), row)))
        }),
        Dumped::Small(table) => insert(txn, tables::small(table), rows, |key, value| Some((key, value))),
    }
}

/// Inserts rows whose lengths were checked.
fn insert<K: ::redb::Key + 'static, V: ::redb::Value + 'static>(
    txn: &WriteTransaction,
    table: TableDefinition<'static, K, V>,
    rows: &[(Vec<u8>, Vec<u8>)],
    read: impl for<'a> Fn(&'a [u8], &'a [u8]) -> Option<(K::SelfType<'a>, V::SelfType<'a>)>,
) -> Result<(), StoreError> {
    let mut table = txn.open_table(table).map_err(map_db_error)?;
    for (key, value) in rows {
        let (key, value) = read(key, value).ok_or(StoreError::Invalid("a row has a wrong length"))?;
        table.insert(key, value).map_err(map_db_error)?;
    }
    Ok(())
}

/// Conversation and number in the key of a record.
pub(crate) fn record_of(key: &[u8]) -> Option<(ConvId, u64)> {
    let key: &[u8; 24] = key.try_into().ok()?;
    Some((tables::conv_of(key), tables::seq_of(key)))
}
