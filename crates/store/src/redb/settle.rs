//! A layer's changes in the tables of the database.

use ::redb::{ReadableTable, WriteTransaction};
use bytes::Bytes;

use super::{
    blocks,
    layer::{Layer, newest},
    tables::{self, map_db_error},
};
use crate::{StoreError, Table, check};
use kefu_proto::{ConvId, MsgId, RECORD_HEADER};

/// Writes all of it, sorted by key, so that a page that many changes share is written once. Doing it twice changes nothing.
pub(super) fn settle(txn: &WriteTransaction, layer: &Layer) -> Result<(), StoreError> {
    for conv in &layer.erased {
        erase(txn, *conv)?;
    }
    let mut convs: Vec<_> = layer.records.iter().collect();
    convs.sort_unstable_by_key(|(conv, _)| conv.0);
    {
        let mut records = txn.open_table(tables::RECORDS).map_err(map_db_error)?;
        let mut ids = txn.open_table(tables::IDS).map_err(map_db_error)?;
        let mut sizes = txn.open_table(tables::SIZES).map_err(map_db_error)?;
        for (conv, written) in convs {
            let mut entries = written.entries.clone();
            newest(&mut entries);
            let grown = blocks::put_records(&mut records, *conv, &entries)?;
            blocks::put_ids(&mut ids, *conv, &ids_of(&entries))?;
            let before = sizes.get(&conv.0).map_err(map_db_error)?.map_or(0, |size| size.value());
            sizes.insert(&conv.0, before.saturating_add_signed(grown)).map_err(map_db_error)?;
        }
    }
    let mut rows: Vec<_> = layer.rows.iter().collect();
    rows.sort_unstable_by_key(|(conv, _)| conv.0);
    if !rows.is_empty() {
        let mut table = txn.open_table(tables::ROWS).map_err(map_db_error)?;
        for (conv, (rev, value)) in rows {
            table.insert(&conv.0, (*rev, &value[..])).map_err(map_db_error)?;
        }
    }
    for table in Table::ALL {
        let rows = layer.small(*table);
        if rows.is_empty() {
            continue;
        }
        let mut table = txn.open_table(tables::small(*table)).map_err(map_db_error)?;
        for (key, value) in rows {
            match value {
                Some(value) => drop(table.insert(key.as_slice(), value.as_slice()).map_err(map_db_error)?),
                None => drop(table.remove(key.as_slice()).map_err(map_db_error)?),
            }
        }
    }
    Ok(())
}

/// Removes everything of a conversation.
pub(super) fn erase(txn: &WriteTransaction, conv: ConvId) -> Result<(), StoreError> {
    let (first, last) = tables::record_range(conv, 0);
    let mut records = txn.open_table(tables::RECORDS).map_err(map_db_error)?;
    records.retain_in::<&[u8; 24], _>((first.as_ref(), last.as_ref()), |_, _| false).map_err(map_db_error)?;
    let mut ids = txn.open_table(tables::IDS).map_err(map_db_error)?;
    ids.retain_in::<&[u8; 24], _>((first.as_ref(), last.as_ref()), |_, _| false).map_err(map_db_error)?;
    txn.open_table(tables::SIZES).map_err(map_db_error)?.remove(&conv.0).map_err(map_db_error)?;
    txn.open_table(tables::ROWS).map_err(map_db_error)?.remove(&conv.0).map_err(map_db_error)?;
    Ok(())
}

/// The envelopes' ids with their numbers.
fn ids_of(entries: &[(u64, Bytes)]) -> Vec<(u64, MsgId)> {
    entries.iter().filter_map(|(seq, frame)| Some((*seq, check::remembered_id(&frame[RECORD_HEADER..])?))).collect()
}
