//! Lists of a conversation in the database: its records, and the ids of its messages. Neighbours are together in blocks that
//! fill a page, so a checkpoint writes few values for many messages, and little space is lost between them.
//!
//! A block's key is the conversation and the number of its last entry, so that the block of a number is the first whose key is not
//! before it.

use ::redb::{ReadableTable, Table};
use bytes::Bytes;

use super::tables::{self, RecordKey, map_db_error};
use crate::StoreError;
use kefu_proto::{ConvId, MsgId, RECORD_HEADER};

/// A table of blocks that can be changed.
type Blocks<'t> = Table<'t, RecordKey, &'static [u8]>;

/// Size of the database's pages; larger values take a power of two of them.
const PAGE: usize = 4096;
/// What a page with one entry holds beside its value: redb's header, the key, the end of the value.
const PAGE_OVERHEAD: usize = 4 + 24 + 4;
/// Bytes of an entry in a list of ids: the id, u64 sequence number, little-endian.
const ID_ENTRY: usize = 24;

/// Whether an entry can be added to a block without another page.
fn fits(block: usize, entry: usize) -> bool {
    block + entry + PAGE_OVERHEAD <= (block + PAGE_OVERHEAD).next_power_of_two().max(PAGE)
}

/// Highest number in a list, 0 if it is empty.
pub(super) fn last(blocks: &impl ReadableTable<RecordKey, &'static [u8]>, conv: ConvId) -> Result<u64, StoreError> {
    let (first, end) = tables::record_range(conv, 0);
    let mut range = blocks.range::<&[u8; 24]>((first.as_ref(), end.as_ref())).map_err(map_db_error)?;
    match range.next_back() {
        Some(last) => Ok(tables::seq_of(last.map_err(map_db_error)?.0.value())),
        None => Ok(0),
    }
}

/// The end of a list while entries are added to it.
struct Tail<'a, 't> {
    blocks: &'a mut Blocks<'t>,
    conv: ConvId,
    block: Vec<u8>,
    /// Number of its last entry.
    last: u64,
    /// Number under which it is stored, if it is.
    stored: Option<u64>,
}

impl<'a, 't> Tail<'a, 't> {
    fn of(blocks: &'a mut Blocks<'t>, conv: ConvId) -> Result<Self, StoreError> {
        let (first, end) = tables::record_range(conv, 0);
        let found = {
            let mut range = blocks.range::<&[u8; 24]>((first.as_ref(), end.as_ref())).map_err(map_db_error)?;
            let last = range.next_back().transpose().map_err(map_db_error)?;
            last.map(|(key, value)| (tables::seq_of(key.value()), value.value().to_vec()))
        };
        let (stored, block) = found.map_or((None, Vec::new()), |(last, block)| (Some(last), block));
        Ok(Self { blocks, conv, block, last: stored.unwrap_or(0), stored })
    }

    fn push(&mut self, number: u64, parts: &[&[u8]]) -> Result<(), StoreError> {
        let len = parts.iter().map(|part| part.len()).sum();
        if !self.block.is_empty() && !fits(self.block.len(), len) {
            self.store()?;
            self.block.clear();
            self.stored = None;
        }
        parts.iter().for_each(|part| self.block.extend_from_slice(part));
        self.last = number;
        Ok(())
    }

    /// Writes the block, unless it is stored as it is.
    fn store(&mut self) -> Result<(), StoreError> {
        if self.stored == Some(self.last) || self.block.is_empty() {
            return Ok(());
        }
        if let Some(before) = self.stored {
            self.blocks.remove(&tables::record_key(self.conv, before)).map_err(map_db_error)?;
        }
        let key = tables::record_key(self.conv, self.last);
        self.blocks.insert(&key, self.block.as_slice()).map_err(map_db_error)?;
        self.stored = Some(self.last);
        Ok(())
    }
}

/// Adds records to the end of a conversation's list, or replaces those that it has; in the order of their numbers. Returns by how many
/// bytes their frames became more.
pub(super) fn put_records(blocks: &mut Blocks<'_>, conv: ConvId, records: &[(u64, Bytes)]) -> Result<i64, StoreError> {
    let last = last(blocks, conv)?;
    let new = records.partition_point(|(seq, _)| *seq <= last);
    let mut grown = 0;
    for (seq, frame) in &records[..new] {
        grown += replace(blocks, conv, *seq, frame)?;
    }
    if new < records.len() {
        let mut tail = Tail::of(blocks, conv)?;
        for (seq, frame) in &records[new..] {
            tail.push(*seq, &[&(frame.len() as u32).to_le_bytes(), frame])?;
            grown += frame.len() as i64;
        }
        tail.store()?;
    }
    Ok(grown)
}

/// Replaces one record, and returns by how many bytes it became more.
fn replace(blocks: &mut Blocks<'_>, conv: ConvId, seq: u64, frame: &[u8]) -> Result<i64, StoreError> {
    let (first, end) = tables::record_range(conv, seq);
    let (key, old) = {
        let mut range = blocks.range::<&[u8; 24]>((first.as_ref(), end.as_ref())).map_err(map_db_error)?;
        let (key, value) = range.next().ok_or_else(|| missing(conv, seq))?.map_err(map_db_error)?;
        (*key.value(), value.value().to_vec())
    };
    let (mut block, mut grown) = (Vec::with_capacity(old.len()), None);
    for record in records_in(&old) {
        let (number, stored) = record?;
        let kept = if number == seq { frame } else { stored };
        block.extend_from_slice(&(kept.len() as u32).to_le_bytes());
        block.extend_from_slice(kept);
        if number == seq {
            grown = Some(frame.len() as i64 - stored.len() as i64);
        }
    }
    blocks.insert(&key, block.as_slice()).map_err(map_db_error)?;
    grown.ok_or_else(|| missing(conv, seq))
}

/// The records of a block: number and frame (`seq ‖ at ‖ body`).
pub(super) fn records_in(block: &[u8]) -> impl Iterator<Item = Result<(u64, &[u8]), StoreError>> {
    let mut rest = block;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let record = rest.split_first_chunk::<4>().and_then(|(len, after)| {
            let (frame, after) = after.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            let seq = u64::from_be_bytes(*frame.first_chunk()?);
            rest = after;
            (frame.len() >= RECORD_HEADER).then_some((seq, frame))
        });
        if record.is_none() {
            rest = &[];
        }
        Some(record.ok_or_else(|| StoreError::Corrupt("a block of records is not valid".into())))
    })
}

/// One record of a conversation.
pub(super) fn record(
    blocks: &impl ReadableTable<RecordKey, &'static [u8]>,
    conv: ConvId,
    seq: u64,
) -> Result<Option<Bytes>, StoreError> {
    let (first, end) = tables::record_range(conv, seq);
    let mut range = blocks.range::<&[u8; 24]>((first.as_ref(), end.as_ref())).map_err(map_db_error)?;
    let Some(block) = range.next() else { return Ok(None) };
    let (_, block) = block.map_err(map_db_error)?;
    for record in records_in(block.value()) {
        let (number, frame) = record?;
        if number == seq {
            return Ok(Some(Bytes::copy_from_slice(frame)));
        }
    }
    Ok(None)
}

/// Adds ids of messages to the end of a conversation's list; what it has already is left out.
pub(super) fn put_ids(blocks: &mut Blocks<'_>, conv: ConvId, ids: &[(u64, MsgId)]) -> Result<(), StoreError> {
    let last = last(blocks, conv)?;
    let new = ids.partition_point(|(seq, _)| *seq <= last);
    if new < ids.len() {
        let mut tail = Tail::of(blocks, conv)?;
        for (seq, id) in &ids[new..] {
            tail.push(*seq, &[&id.0, &seq.to_le_bytes()])?;
        }
        tail.store()?;
    }
    Ok(())
}

/// All message ids of a conversation with their numbers.
pub(super) fn ids(
    blocks: &impl ReadableTable<RecordKey, &'static [u8]>,
    conv: ConvId,
    mut each: impl FnMut(MsgId, u64),
) -> Result<(), StoreError> {
    let (first, end) = tables::record_range(conv, 0);
    for block in blocks.range::<&[u8; 24]>((first.as_ref(), end.as_ref())).map_err(map_db_error)? {
        let (_, block) = block.map_err(map_db_error)?;
        let (entries, rest) = block.value().as_chunks::<ID_ENTRY>();
        if !rest.is_empty() {
            return Err(StoreError::Corrupt("a block of message ids is not valid".into()));
        }
        for entry in entries {
            let (id, seq) = entry.split_at(16);
            let id = MsgId::from_slice(id).ok_or_else(|| StoreError::Corrupt("a message id is not valid".into()))?;
            each(id, seq.first_chunk().map_or(0, |seq| u64::from_le_bytes(*seq)));
        }
    }
    Ok(())
}

fn missing(conv: ConvId, seq: u64) -> StoreError {
    StoreError::Corrupt(format!("record {seq} of conversation {conv} is missing"))
}

#[cfg(test)]
mod tests {
    use ::redb::{Database, ReadableDatabase, ReadableTableMetadata, backends::InMemoryBackend};

    use super::*;

    fn frame(seq: u64, len: usize) -> Bytes {
        [&seq.to_be_bytes()[..], &[7; 8], &vec![seq as u8; len]].concat().into()
    }

    fn database() -> Database {
        Database::builder().create_with_backend(InMemoryBackend::new()).unwrap()
    }

    #[test]
    fn records_of_any_size_come_back_one_by_one_and_little_space_is_lost() {
        for size in [0, 100, 400, 1_300, 2_000, 2_100, 4_050, 4_100, 10_240, 65_000] {
            let (db, conv, count) = (database(), ConvId([1; 16]), 200);
            let txn = db.begin_write().unwrap();
            for seq in 1..=count {
                let mut blocks = txn.open_table(tables::RECORDS).unwrap();
                let grown = put_records(&mut blocks, conv, &[(seq, frame(seq, size))]).unwrap();
                assert_eq!(grown as usize, size + 16);
            }
            txn.commit().unwrap();
            let blocks = db.begin_read().unwrap().open_table(tables::RECORDS).unwrap();
            for seq in 1..=count {
                assert_eq!(record(&blocks, conv, seq).unwrap(), Some(frame(seq, size)), "{size}");
            }
            assert_eq!((record(&blocks, conv, count + 1), record(&blocks, ConvId([2; 16]), 1)), (Ok(None), Ok(None)));
            let pages = (blocks.stats().unwrap().leaf_pages() as usize) * PAGE;
            let stored = count as usize * (size + 16);
            if size > 0 {
                assert!(pages as f64 / stored as f64 <= 2.2, "{size}: {pages} for {stored}");
            }
        }
    }

    #[test]
    fn a_replaced_record_keeps_its_place_and_its_neighbours() {
        let (db, conv) = (database(), ConvId([1; 16]));
        let all: Vec<_> = (1..=50).map(|seq| (seq, frame(seq, 300))).collect();
        let txn = db.begin_write().unwrap();
        {
            let mut blocks = txn.open_table(tables::RECORDS).unwrap();
            put_records(&mut blocks, conv, &all).unwrap();
            // replacements and a new one, as a checkpoint brings them; twice, as one that is repeated
            let next = [(7, frame(7, 10)), (50, frame(50, 20)), (51, frame(51, 30))];
            assert_eq!(put_records(&mut blocks, conv, &next), Ok(-290 - 280 + 46));
            assert_eq!(put_records(&mut blocks, conv, &next), Ok(0));
            for seq in 1..=51 {
                let expected = next.iter().find(|(s, _)| *s == seq).unwrap_or_else(|| &all[seq as usize - 1]);
                assert_eq!(record(&blocks, conv, seq).unwrap(), Some(expected.1.clone()));
            }
        }
        txn.commit().unwrap();
    }

    #[test]
    fn ids_are_listed_once() {
        let (db, conv) = (database(), ConvId([1; 16]));
        let id = |n: u64| MsgId([n.to_be_bytes(), [1; 8]].concat().try_into().unwrap());
        let all: Vec<_> = (1..=1_000).map(|n| (2 * n, id(n))).collect();
        let txn = db.begin_write().unwrap();
        {
            let mut blocks = txn.open_table(tables::IDS).unwrap();
            for some in all.chunks(7) {
                put_ids(&mut blocks, conv, some).unwrap();
                put_ids(&mut blocks, conv, some).unwrap();
            }
            let mut found = Vec::new();
            ids(&blocks, conv, |id, seq| found.push((seq, id))).unwrap();
            assert_eq!(found, all);
            assert!(blocks.len().unwrap() < 10);
        }
        txn.commit().unwrap();
    }
}
