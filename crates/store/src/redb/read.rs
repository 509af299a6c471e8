//! Reading: each call is a snapshot of its own and waits for no write. The one exception is the database's: while it
//! doubles its file, reads that begin then wait for one sync.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use ::redb::ReadTransaction;
use bytes::Bytes;

use super::{
    journal::{self, Journal},
    tables::{self, map_db_error},
};
use crate::{Pair, RowAt, StoreError, StoredRecord, Table, check::Page};
use kefu_proto::ConvId;

/// The value under a key.
pub(super) fn get(txn: &ReadTransaction, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let table = txn.open_table(tables::small(table)).map_err(map_db_error)?;
    Ok(table.get(key).map_err(map_db_error)?.map(|value| value.value().to_vec()))
}

/// Pairs under a prefix; see [`crate::Store::scan`].
pub(super) fn scan(
    txn: &ReadTransaction,
    table: Table,
    prefix: &[u8],
    after: Option<&[u8]>,
    descending: bool,
    limit: usize,
) -> Result<Vec<Pair>, StoreError> {
    let end = past_prefix(prefix);
    let (mut low, mut high) = (Included(prefix), end.as_deref().map_or(Unbounded, Excluded));
    match after {
        Some(after) if !descending && after >= prefix => low = Excluded(after),
        Some(after) if descending && end.as_deref().is_none_or(|end| after < end) => high = Excluded(after),
        _ => {}
    }
    if is_empty(low, high) {
        return Ok(Vec::new());
    }
    let table = txn.open_table(tables::small(table)).map_err(map_db_error)?;
    let mut range = table.range::<&[u8]>((low, high)).map_err(map_db_error)?;
    let mut pairs = Vec::new();
    while pairs.len() < limit {
        let Some(next) = (if descending { range.next_back() } else { range.next() }) else { break };
        let (key, value) = next.map_err(map_db_error)?;
        pairs.push((key.value().to_vec(), value.value().to_vec()));
    }
    Ok(pairs)
}

/// A conversation's row. None outside: the journal has moved on; ask again with a new snapshot.
pub(super) fn row(txn: &ReadTransaction, journal: &Journal, conv: ConvId) -> Result<Option<Option<RowAt>>, StoreError> {
    let Some(newest) = journal.last_seq(journal::groups(txn)?, conv) else { return Ok(None) };
    let rows = txn.open_table(tables::ROWS).map_err(map_db_error)?;
    let Some(found) = rows.get(&conv.0).map_err(map_db_error)? else { return Ok(Some(None)) };
    let (rev, value) = found.value();
    let last_seq = tables::last_seq(&txn.open_table(tables::RECORDS).map_err(map_db_error)?, conv)?;
    let settled = txn
        .open_table(tables::SIZES)
        .map_err(map_db_error)?
        .get(&conv.0)
        .map_err(map_db_error)?
        .map_or(0, |s| s.value());
    let bytes = settled + journal.bytes(conv);
    Ok(Some(Some(RowAt { rev, last_seq: last_seq.max(newest), bytes, value: Bytes::copy_from_slice(value) })))
}

/// Records after `after`: those of the table and those of the journal, which count where both have one. None as for
/// [`row`].
pub(super) fn page(
    txn: &ReadTransaction,
    journal: &Journal,
    conv: ConvId,
    after: u64,
    limit: usize,
    bytes: usize,
) -> Result<Option<Vec<StoredRecord>>, StoreError> {
    let Some(first) = after.checked_add(1) else { return Ok(Some(Vec::new())) };
    let Some(newer) = journal.seen(journal::groups(txn)?, conv, after, limit) else { return Ok(None) };
    let mut newer = newer.into_iter().peekable();
    let table = txn.open_table(tables::RECORDS).map_err(map_db_error)?;
    let (first, last) = tables::record_range(conv, first);
    let mut settled = table.range::<&[u8; 24]>((first.as_ref(), last.as_ref())).map_err(map_db_error)?;
    let mut page = Page::new(limit, bytes);
    while page.has_room() {
        let Some(record) = settled.next() else { break };
        let (key, value) = record.map_err(map_db_error)?;
        let seq = tables::seq_of(key.value());
        while let Some(before) = newer.next_if(|(s, _)| *s < seq) {
            page.push(before);
        }
        page.push(newer.next_if(|(s, _)| *s == seq).unwrap_or_else(|| (seq, tables::frame(seq, value.value()))));
    }
    newer.all(|record| page.push(record));
    Ok(Some(page.records))
}

/// The first key behind all that begin with `prefix`; none if there is no such key.
fn past_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|b| *b != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

fn is_empty(low: Bound<&[u8]>, high: Bound<&[u8]>) -> bool {
    match (low, high) {
        (Included(low), Excluded(high)) => low >= high,
        (Excluded(low), Excluded(high)) => low >= high,
        _ => false,
    }
}
