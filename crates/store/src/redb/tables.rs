//! The catalogue: every table of the database file, what its keys and values are, and how bytes go in and out.

use std::ops::Bound;

use ::redb::{ReadableTable, TableDefinition, WriteTransaction};
use bytes::Bytes;

use crate::{StoreError, Table};
use kefu_proto::{ConvId, MsgId};

/// Conversation ‖ u64 seq, big-endian: a conversation's records are adjacent, in order.
pub(super) type RecordKey = &'static [u8; 24];
/// Conversation → revision, row.
pub(super) type RowValue = (u32, &'static [u8]);

/// Records that were written lately: number of the group → its records, one after the other, each conversation ‖ u32
/// length ‖ seq ‖ time ‖ body (`journal.rs`); nothing for a group without records. The only table an ordinary message touches.
pub(super) const JOURNAL: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("journal");
/// All records that have left the journal: conversation ‖ seq → u64 time of the commit, big-endian ‖ body.
pub(super) const RECORDS: TableDefinition<'static, RecordKey, &'static [u8]> = TableDefinition::new("records");
/// Sequence numbers of envelopes whose records have left the journal: conversation ‖ message id → seq. So nobody reads bodies
/// to find one.
pub(super) const IDS: TableDefinition<'static, &'static [u8; 32], u64> = TableDefinition::new("ids");
/// Conversation → bytes of its records that have left the journal.
pub(super) const SIZES: TableDefinition<'static, &'static [u8; 16], u64> = TableDefinition::new("sizes");
/// All conversations: id → revision, row.
pub(super) const ROWS: TableDefinition<'static, &'static [u8; 16], RowValue> = TableDefinition::new("rows");

/// The table behind each variant of [`Table`], which documents the content.
pub(super) fn small(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(match table {
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
    })
}

/// Makes the tables that are missing.
pub(super) fn create_all(txn: &WriteTransaction) -> Result<(), StoreError> {
    txn.open_table(JOURNAL).map_err(map_db_error)?;
    txn.open_table(RECORDS).map_err(map_db_error)?;
    txn.open_table(IDS).map_err(map_db_error)?;
    txn.open_table(SIZES).map_err(map_db_error)?;
    txn.open_table(ROWS).map_err(map_db_error)?;
    for table in Table::ALL {
        txn.open_table(small(*table)).map_err(map_db_error)?;
    }
    Ok(())
}

/// How many tables there are.
pub(super) const COUNT: usize = 5 + Table::ALL.len();

/// Key of a record.
pub(super) fn record_key(conv: ConvId, seq: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..16].copy_from_slice(&conv.0);
    key[16..].copy_from_slice(&seq.to_be_bytes());
    key
}

/// Key of a message id.
pub(super) fn id_key(conv: ConvId, id: MsgId) -> [u8; 32] {
    let mut key = [0; 32];
    key[..16].copy_from_slice(&conv.0);
    key[16..].copy_from_slice(&id.0);
    key
}

/// Keys of the conversation's records from `first` on: both ends, inclusive.
pub(super) fn record_range(conv: ConvId, first: u64) -> (Bound<[u8; 24]>, Bound<[u8; 24]>) {
    (Bound::Included(record_key(conv, first)), Bound::Included(record_key(conv, u64::MAX)))
}

/// The conversation in a record's key.
pub(super) fn conv_of(key: &[u8; 24]) -> ConvId {
    let mut conv = [0; 16];
    conv.copy_from_slice(&key[..16]);
    ConvId(conv)
}

/// The sequence number in a record's key.
pub(super) fn seq_of(key: &[u8; 24]) -> u64 {
    let mut seq = [0; 8];
    seq.copy_from_slice(&key[16..]);
    u64::from_be_bytes(seq)
}

/// The body in a record's value.
pub(super) fn body_of(value: &[u8]) -> Result<&[u8], StoreError> {
    value.get(8..).ok_or_else(|| StoreError::Corrupt("a record is shorter than its time".into()))
}

/// A record as the socket sends it: seq, then the stored value as it is.
pub(super) fn frame(seq: u64, value: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(8 + value.len());
    out.extend_from_slice(&seq.to_be_bytes());
    out.extend_from_slice(value);
    out.into()
}

/// Highest sequence number of a conversation, 0 if it has no records.
pub(super) fn last_seq(
    records: &impl ReadableTable<RecordKey, &'static [u8]>,
    conv: ConvId,
) -> Result<u64, StoreError> {
    let (first, last) = record_range(conv, 0);
    let mut range = records.range::<&[u8; 24]>((first.as_ref(), last.as_ref())).map_err(map_db_error)?;
    match range.next_back() {
        Some(last) => Ok(seq_of(last.map_err(map_db_error)?.0.value())),
        None => Ok(0),
    }
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
