//! A copy of a database that is brought up to date before anybody opens it as a store: a [`Loader`](super::Loader) wrote it, and
//! what changed since is written over it.

use std::path::{Path, PathBuf};

use ::redb::{Database, ReadableDatabase, ReadableTable as _, WriteTransaction};
use kefu_proto::ConvId;

use super::{
    Options,
    dump::{CHANGED, Dumped, Snapshot},
    load::put,
    open,
    settle::erase,
    tables::{self, map_db_error},
};
use crate::{FactsOf, StoreError, archive::Entry, index};

/// Rows are written together until they have so many bytes.
const BATCH: usize = 1024 * 1024;

/// A complete database that is not a store yet.
pub struct Incoming {
    db: Database,
    path: PathBuf,
}

impl Incoming {
    /// Opens what a loader wrote.
    ///
    /// # Errors
    /// It can't be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { db: open::database(path, &Options::default())?, path: path.to_owned() })
    }

    /// What is in it.
    ///
    /// # Errors
    /// It can't be read.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot { txn: self.db.begin_read().map_err(map_db_error)? })
    }

    /// Begins to write what changed.
    ///
    /// # Errors
    /// It can't be written.
    pub fn patch<'a>(&self, facts_of: &'a FactsOf) -> Result<Patch<'a>, StoreError> {
        let mut txn = self.db.begin_write().map_err(map_db_error)?;
        txn.set_quick_repair(true);
        let path = self.path.clone();
        Ok(Patch { txn, path, facts_of, table: None, changed: false, rows: Vec::new(), waiting: 0 })
    }
}

/// Changes that are being written: all of them or, if it is dropped before, none.
pub struct Patch<'a> {
    txn: WriteTransaction,
    path: PathBuf,
    facts_of: &'a FactsOf,
    table: Option<Dumped>,
    changed: bool,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    waiting: usize,
}

impl Patch<'_> {
    /// Adds the next entry of what changed ([`Snapshot::dump_changes`]).
    ///
    /// # Errors
    /// It does not belong there, or an error of the disk.
    pub fn entry(&mut self, entry: &Entry<'_>) -> Result<(), StoreError> {
        match *entry {
            Entry::Table(name) => {
                self.flush()?;
                (self.table, self.changed) = (Dumped::named(name), name == CHANGED);
                if let Some(Dumped::Small(table)) = self.table
                    && !table.is_index()
                {
                    let mut rows = self.txn.open_table(tables::small(table)).map_err(map_db_error)?;
                    rows.retain(|_, _| false).map_err(map_db_error)?;
                }
            }
            Entry::Row(key, _) if self.changed => {
                let conv = ConvId::from_slice(key);
                self.erase(conv.ok_or(StoreError::Invalid("the key of a conversation has a wrong length"))?)?;
            }
            Entry::Row(key, value) => {
                if !self.table.is_some_and(|table| table.fits(key, value)) {
                    return Err(StoreError::Invalid("a row of what changed has a wrong length"));
                }
                self.waiting += key.len() + value.len();
                self.rows.push((key.to_vec(), value.to_vec()));
                if self.waiting >= BATCH {
                    self.flush()?;
                }
            }
            Entry::File(_) | Entry::Data(_) => {}
        }
        Ok(())
    }

    /// Removes all of a conversation: what it is now follows.
    fn erase(&self, conv: ConvId) -> Result<(), StoreError> {
        let facts = {
            let rows = self.txn.open_table(tables::ROWS).map_err(map_db_error)?;
            rows.get(&conv.0).map_err(map_db_error)?.and_then(|row| (self.facts_of)(row.value().1))
        };
        for (table, key, _) in index::erasure(conv, facts.as_ref()) {
            let mut rows = self.txn.open_table(tables::small(table)).map_err(map_db_error)?;
            rows.remove(key.as_slice()).map_err(map_db_error)?;
        }
        erase(&self.txn, conv)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.waiting = 0;
        let rows = std::mem::take(&mut self.rows);
        match self.table {
            Some(table) if !rows.is_empty() => put(&self.txn, table, &rows),
            _ => Ok(()),
        }
    }

    /// Writes it; it is on disk when this returns.
    ///
    /// # Errors
    /// An error of the disk.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.flush()?;
        self.txn.commit().map_err(|e| open::about(&self.path, map_db_error(e)))
    }
}
