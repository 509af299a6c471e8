//! Reading a whole database: one moment of it, row by row, for backups (`archive`) and for `verify.rs`.
//!
//! A dump has what is stored, not how: each record is a row of `records` (conversation ‖ seq → time ‖ body), whatever block it is
//! in; the lists of ids and the sizes follow from the records; `log` belongs to this one store. The other tables are as in
//! `tables.rs`; a row of `rows` is its revision (u32, big-endian) and its content.

use std::{
    collections::BTreeSet,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
};

use ::redb::{ReadTransaction, ReadableTable};

use super::{
    RedbStore, blocks,
    tables::{self, map_db_error},
};
use crate::{
    Facts, FactsOf, StoreError, Table,
    archive::Entry,
    check::{SCHEMA_KEY, SCHEMA_VERSION},
    index,
};
use kefu_proto::ConvId;

/// What a list of conversations that changed is called where tables have their names. Before all others, it says which of them
/// are to be replaced by what follows.
pub const CHANGED: &str = "changed";

/// A table of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dumped {
    Records,
    Rows,
    Small(Table),
}

impl Dumped {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Records, Self::Rows].into_iter().chain(Table::ALL.iter().copied().map(Self::Small))
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|table| table.name() == name)
    }

    /// Its name in a dump.
    pub fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Rows => "rows",
            Self::Small(table) => tables::name(table),
        }
    }

    /// The conversation that a row with this key belongs to; none in tables of the company.
    pub fn conversation_in(self, key: &[u8]) -> Option<ConvId> {
        match self {
            Self::Records | Self::Rows => ConvId::from_slice(key.get(..16)?),
            Self::Small(table) => index::conversation_in(table, key),
        }
    }

    /// Whether a row may be in it. Their meaning is not looked at.
    pub fn fits(self, key: &[u8], value: &[u8]) -> bool {
        match self {
            Self::Records => key.len() == 24 && value.len() >= 8,
            Self::Rows => key.len() == 16 && value.len() >= 4,
            Self::Small(_) => true,
        }
    }
}

/// Why a dump ended early.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The receiver.
    #[error(transparent)]
    Receiver(#[from] io::Error),
}

/// One moment of a database. While it exists, the file grows with what is changed.
pub struct Snapshot {
    pub(super) txn: ReadTransaction,
}

impl RedbStore {
    /// The database with everything that is acknowledged by now. Waits for the disk.
    ///
    /// # Errors
    /// The disk failed, or the store is closed. On a full disk it may wait for long.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.checkpoint().await?;
        Ok(Snapshot { txn: self.shared.view.current.snapshot(None)?.txn })
    }
}

impl Snapshot {
    /// The schema version of the rows.
    pub fn schema(&self) -> u32 {
        SCHEMA_VERSION
    }

    /// Passes every table and every row to `receive`, in order, until that fails. Reads the disk for as long as it takes.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when the store was closed meanwhile or opened again after an error of the disk.
    pub fn dump(&self, mut receive: impl FnMut(Entry<'_>) -> io::Result<()>) -> Result<(), DumpError> {
        guarded(|| Dumped::all().try_for_each(|table| self.dump_table(table, &mut receive)))
    }

    fn dump_table(
        &self,
        table: Dumped,
        receive: &mut impl FnMut(Entry<'_>) -> io::Result<()>,
    ) -> Result<(), DumpError> {
        receive(Entry::Table(table.name()))?;
        match table {
            Dumped::Records => self.each(tables::RECORDS, |key, block| {
                let conv = tables::conv_of(key);
                for record in blocks::records_in(block) {
                    let (seq, frame) = record?;
                    receive(Entry::Row(&tables::record_key(conv, seq), &frame[8..]))?;
                }
                Ok::<_, DumpError>(())
            }),
            Dumped::Rows => {
                self.each(tables::ROWS, |key, (rev, row)| receive(Entry::Row(key, &[&rev.to_be_bytes(), row].concat())))
            }
            Dumped::Small(table) => self.each(tables::small(table), |key, value| receive(Entry::Row(key, value))),
        }
    }

    /// Passes on what these conversations are now, and the tables of the company, in the form of a dump that begins with the list
    /// of the conversations. `facts_of` reads rows of conversations.
    ///
    /// # Errors
    /// Those of [`Self::dump`].
    pub fn dump_changes(
        &self,
        convs: &BTreeSet<ConvId>,
        facts_of: &FactsOf,
        mut receive: impl FnMut(Entry<'_>) -> io::Result<()>,
    ) -> Result<(), DumpError> {
        guarded(|| {
            receive(Entry::Table(CHANGED))?;
            convs.iter().try_for_each(|conv| receive(Entry::Row(&conv.0, &[])))?;
            let mut listed = BTreeSet::new();
            for table in Dumped::all() {
                match table {
                    Dumped::Records => self.records_of(convs, &mut receive)?,
                    Dumped::Rows => {
                        receive(Entry::Table(table.name()))?;
                        for conv in convs {
                            let Some((rev, row)) = tables::row(&self.txn, *conv)? else { continue };
                            let facts = facts_of(&row).map(|facts| Facts { listed: true, open: true, ..facts });
                            let rows = index::erasure(*conv, facts.as_ref()).into_iter();
                            listed.extend(rows.map(|(table, key, _)| (table, key)));
                            receive(Entry::Row(&conv.0, &[&rev.to_be_bytes(), &row[..]].concat()))?;
                        }
                    }
                    Dumped::Small(small) if small.is_index() => {
                        receive(Entry::Table(table.name()))?;
                        let rows = self.txn.open_table(tables::small(small)).map_err(map_db_error)?;
                        for (_, key) in listed.iter().filter(|(of, _)| *of == small) {
                            if let Some(value) = rows.get(key.as_slice()).map_err(map_db_error)? {
                                receive(Entry::Row(key, value.value()))?;
                            }
                        }
                    }
                    Dumped::Small(_) => self.dump_table(table, &mut receive)?,
                }
            }
            Ok(())
        })
    }

    fn records_of(
        &self,
        convs: &BTreeSet<ConvId>,
        receive: &mut impl FnMut(Entry<'_>) -> io::Result<()>,
    ) -> Result<(), DumpError> {
        receive(Entry::Table(Dumped::Records.name()))?;
        let records = self.txn.open_table(tables::RECORDS).map_err(map_db_error)?;
        for conv in convs {
            let (first, last) = tables::record_range(*conv, 0);
            for block in records.range::<&[u8; 24]>((first.as_ref(), last.as_ref())).map_err(map_db_error)? {
                let (_, block) = block.map_err(map_db_error)?;
                for record in blocks::records_in(block.value()) {
                    let (seq, frame) = record?;
                    receive(Entry::Row(&tables::record_key(*conv, seq), &frame[8..]))?;
                }
            }
        }
        Ok(())
    }

    /// Passes the rows of a table to `receive`.
    pub(super) fn each<K: ::redb::Key + 'static, V: ::redb::Value + 'static, E: From<StoreError>, F: Into<E>>(
        &self,
        table: ::redb::TableDefinition<'static, K, V>,
        mut receive: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<(), F>,
    ) -> Result<(), E> {
        let table = self.txn.open_table(table).map_err(map_db_error)?;
        for row in table.iter().map_err(map_db_error)? {
            let (key, value) = row.map_err(map_db_error)?;
            receive(key.value(), value.value()).map_err(Into::into)?;
        }
        Ok(())
    }
}

/// Runs something that reads all of a database; redb may panic on a file that something else has damaged.
pub(super) fn guarded<T, E: From<StoreError>>(read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged().into()))
}

fn damaged() -> StoreError {
    StoreError::Corrupt("its structure makes no sense; restore a backup".into())
}

/// Whether a row says which schema the rows have, and which.
pub(super) fn schema_in(table: Dumped, key: &[u8], value: &[u8]) -> Option<Option<u32>> {
    (table == Dumped::Small(Table::Meta) && key == SCHEMA_KEY).then(|| value.try_into().map(u32::from_be_bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_has_every_table_but_those_that_follow_and_the_log() {
        let names: Vec<_> = Dumped::all().map(Dumped::name).collect();
        assert_eq!(names.len(), tables::COUNT - 3, "without ids, sizes and log");
        assert!(Dumped::all().all(|table| Dumped::named(table.name()) == Some(table)));
    }
}
