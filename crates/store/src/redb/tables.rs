//! The catalogue: every table of the database file, what its keys and values are, and how bytes go in and out.

use std::ops::Bound;

use ::redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use bytes::Bytes;

use super::wal::{Partner, segment::StoreId};
use crate::{StoreError, Table};
use kefu_proto::ConvId;

/// Conversation ‖ u64 seq, big-endian: what belongs to a conversation is adjacent, in order.
pub(super) type RecordKey = &'static [u8; 24];
/// Conversation → revision, row.
pub(super) type RowValue = (u32, &'static [u8]);

/// What the database has of its log: `store` → 16 bytes; `settled` → u64, little-endian, the last group that is here;
/// `complete` → nothing, only while the database is closed and contains everything.
pub(super) const LOG: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("log");
/// All records, in blocks (`blocks.rs`): conversation ‖ number of the last in the block → for each u32 length, little-endian ‖
/// seq ‖ u64 time of the commit, big-endian ‖ body.
pub(super) const RECORDS: TableDefinition<'static, RecordKey, &'static [u8]> = TableDefinition::new("record_blocks");
/// Ids of envelopes, in blocks: conversation ‖ number of the last in the block → for each the id ‖ u64 seq, little-endian. So
/// nobody reads bodies to find one.
pub(super) const IDS: TableDefinition<'static, RecordKey, &'static [u8]> = TableDefinition::new("id_blocks");
/// Conversation → bytes of its records.
pub(super) const SIZES: TableDefinition<'static, &'static [u8; 16], u64> = TableDefinition::new("sizes");
/// All conversations: id → revision, row.
pub(super) const ROWS: TableDefinition<'static, &'static [u8; 16], RowValue> = TableDefinition::new("rows");

/// The table behind each variant of [`Table`], which documents the content.
pub(super) fn small(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(name(table))
}

/// Its name.
pub(super) fn name(table: Table) -> &'static str {
    match table {
        Table::Meta => "meta",
        Table::Directory => "directory",
        Table::Account => "account",
        Table::TeamBox => "team_box",
        Table::Invite => "invite",
        Table::Site => "site",
        Table::Widget => "widget",
        Table::Receipt => "receipt",
        Table::VisitorConv => "visitor_conv",
        Table::OpenConv => "open_conv",
        Table::ConvByTime => "conv_by_time",
        Table::Missed => "missed",
        Table::Status => "status",
        Table::Document => "document",
        Table::Desk => "desk",
        Table::Person => "person",
    }
}

/// Makes the tables that are missing.
pub(super) fn create_all(txn: &WriteTransaction) -> Result<(), StoreError> {
    txn.open_table(RECORDS).map_err(map_db_error)?;
    txn.open_table(IDS).map_err(map_db_error)?;
    txn.open_table(SIZES).map_err(map_db_error)?;
    txn.open_table(ROWS).map_err(map_db_error)?;
    txn.open_table(LOG).map_err(map_db_error)?;
    for table in Table::ALL {
        txn.open_table(small(*table)).map_err(map_db_error)?;
    }
    Ok(())
}

/// How many tables there are.
pub(super) const COUNT: usize = 5 + Table::ALL.len();

/// Gives a database that has none the id that it shares with its log.
pub(super) fn name_store(txn: &WriteTransaction, id: StoreId) -> Result<(), StoreError> {
    let mut log = txn.open_table(LOG).map_err(map_db_error)?;
    if log.get("store").map_err(map_db_error)?.is_none() {
        log.insert("store", &id[..]).map_err(map_db_error)?;
        log.insert("settled", &0u64.to_le_bytes()[..]).map_err(map_db_error)?;
        log.insert("complete", &[][..]).map_err(map_db_error)?;
    }
    Ok(())
}

/// Notes up to which group the database contains its log, and whether that is all of it, for good.
pub(super) fn note_settled(txn: &WriteTransaction, settled: u64, complete: bool) -> Result<(), StoreError> {
    let mut log = txn.open_table(LOG).map_err(map_db_error)?;
    log.insert("settled", &settled.to_le_bytes()[..]).map_err(map_db_error)?;
    if complete {
        log.insert("complete", &[][..]).map_err(map_db_error)?;
    } else {
        log.remove("complete").map_err(map_db_error)?;
    }
    Ok(())
}

/// What the database has of its log.
pub(super) fn partner(db: &Database) -> Result<Partner, StoreError> {
    let txn = db.begin_read().map_err(map_db_error)?;
    let log = txn.open_table(LOG).map_err(map_db_error)?;
    let value = |key| log.get(key).map_err(map_db_error);
    let damaged = || StoreError::Corrupt("it does not say which log belongs to it".into());
    let store = value("store")?.and_then(|id| id.value().try_into().ok()).ok_or_else(damaged)?;
    let settled = value("settled")?.and_then(|n| n.value().try_into().ok()).ok_or_else(damaged)?;
    let complete = value("complete")?.is_some();
    Ok(Partner { store, settled: u64::from_le_bytes(settled), complete })
}

/// Revision and row of a conversation.
pub(super) fn row(txn: &ReadTransaction, conv: ConvId) -> Result<Option<(u32, Bytes)>, StoreError> {
    let rows = txn.open_table(ROWS).map_err(map_db_error)?;
    let row = rows.get(&conv.0).map_err(map_db_error)?;
    Ok(row.map(|row| (row.value().0, Bytes::copy_from_slice(row.value().1))))
}

/// Key of a record.
pub(super) fn record_key(conv: ConvId, seq: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..16].copy_from_slice(&conv.0);
    key[16..].copy_from_slice(&seq.to_be_bytes());
    key
}

/// Keys of a conversation from the number `first` on: both ends, inclusive.
pub(super) fn record_range(conv: ConvId, first: u64) -> (Bound<[u8; 24]>, Bound<[u8; 24]>) {
    (Bound::Included(record_key(conv, first)), Bound::Included(record_key(conv, u64::MAX)))
}

/// The conversation in a key.
pub(super) fn conv_of(key: &[u8; 24]) -> ConvId {
    let mut conv = [0; 16];
    conv.copy_from_slice(&key[..16]);
    ConvId(conv)
}

/// The sequence number in a key.
pub(super) fn seq_of(key: &[u8; 24]) -> u64 {
    let mut seq = [0; 8];
    seq.copy_from_slice(&key[16..]);
    u64::from_be_bytes(seq)
}

/// What an error of the database means to us.
pub(super) fn map_db_error(e: impl Into<::redb::Error>) -> StoreError {
    use ::redb::Error as E;
    use std::io::ErrorKind::{InvalidData, UnexpectedEof};
    match e.into() {
        E::DatabaseAlreadyOpen | E::LockProtocolMismatch => StoreError::InUse,
        E::DatabaseClosed => StoreError::Closed,
        E::Corrupted(what) => StoreError::Corrupt(what),
        E::Io(e) if matches!(e.kind(), InvalidData | UnexpectedEof) => StoreError::Corrupt(e.to_string()),
        E::Io(e) => StoreError::Io(e.to_string()),
        E::PreviousIo => StoreError::Io("an earlier write failed".into()),
        e @ (E::UpgradeRequired(_)
        | E::TableTypeMismatch { .. }
        | E::TableDoesNotExist(_)
        | E::TableIsMultimap(_)
        | E::TableIsNotMultimap(_)
        | E::TypeDefinitionChanged { .. }) => StoreError::Corrupt(e.to_string()),
        e => StoreError::Io(e.to_string()),
    }
}
