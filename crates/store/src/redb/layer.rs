//! Changes that are not in the database yet: in memory, to be found, and as bytes, for the log.
//!
//! One rule holds everywhere: **a later layer counts before an earlier one, and any layer before the database**. A recall is
//! just another record with the same number.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Bound,
};

use bytes::Bytes;
use foldhash::HashMap;

use super::wal::segment::GROUP_HEADER;
use crate::{StoreError, Table};
use kefu_proto::{ConvId, RECORD_HEADER};

/// Marks before each change in a group; their numbers are stored.
const APPEND: u8 = 1;
const REPLACE: u8 = 2;
const ROW: u8 = 3;
const PUT: u8 = 4;
const DELETE: u8 = 5;
const ERASE: u8 = 6;
/// Bytes that an entry takes in memory besides its content, about.
const OVERHEAD: usize = 64;

/// Records of one conversation.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// Number and frame (`seq ‖ at ‖ body`), in the order in which they were written.
    pub entries: Vec<(u64, Bytes)>,
    /// The first that is new, not a replacement: this one and all after it are here.
    pub appended: Option<u64>,
}

/// Rows of a small table; none: the row was deleted.
pub(super) type SmallRows = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Both ends of a range of keys.
pub(super) type KeyRange<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// What a number of groups changed.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub records: HashMap<ConvId, Records>,
    pub rows: HashMap<ConvId, (u32, Bytes)>,
    /// Conversations that were erased: whatever else is here came after that, and nothing before it counts.
    pub erased: HashSet<ConvId>,
    small: [SmallRows; Table::ALL.len()],
    /// Bytes of it, about.
    bytes: usize,
    /// Changes in it.
    changes: usize,
}

impl Layer {
    /// Bytes that it takes, about.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.changes == 0
    }

    fn count(&mut self, bytes: usize) {
        self.bytes += bytes + OVERHEAD;
        self.changes += 1;
    }

    /// Adds a record; `is_new`: it continues its conversation.
    pub fn record(&mut self, conv: ConvId, seq: u64, frame: Bytes, is_new: bool) {
        self.count(frame.len());
        let records = self.records.entry(conv).or_default();
        if is_new {
            records.appended.get_or_insert(seq);
        }
        records.entries.push((seq, frame));
    }

    /// Sets the row of a conversation.
    pub fn row(&mut self, conv: ConvId, rev: u32, value: Bytes) {
        self.count(value.len());
        self.rows.insert(conv, (rev, value));
    }

    /// Erases a conversation.
    pub fn erase(&mut self, conv: ConvId) {
        self.count(0);
        self.records.remove(&conv);
        self.rows.remove(&conv);
        self.erased.insert(conv);
    }

    /// Sets a row of a small table; none: deletes it.
    pub fn set(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.count(key.len() + value.as_ref().map_or(0, Vec::len));
        self.small[table as usize].insert(key, value);
    }

    /// What it says of a row of a small table, if anything; inside none: the row was deleted.
    pub fn get(&self, table: Table, key: &[u8]) -> Option<Option<&[u8]>> {
        self.small[table as usize].get(key).map(Option::as_deref)
    }

    /// A small table's rows.
    pub fn small(&self, table: Table) -> &SmallRows {
        &self.small[table as usize]
    }

    /// What it says of rows between these keys.
    pub fn range<'a>(
        &'a self,
        table: Table,
        bounds: KeyRange<'a>,
    ) -> impl DoubleEndedIterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)> {
        self.small[table as usize].range::<[u8], _>(bounds)
    }

    /// The newest record with this number.
    pub fn find(&self, conv: ConvId, seq: u64) -> Option<&Bytes> {
        let records = self.records.get(&conv)?;
        records.entries.iter().rev().find(|(s, _)| *s == seq).map(|(_, frame)| frame)
    }

    /// Adds what came after it.
    pub fn merge(&mut self, later: Self) {
        for conv in later.erased {
            self.records.remove(&conv);
            self.rows.remove(&conv);
            self.erased.insert(conv);
        }
        for (conv, later) in later.records {
            let records = self.records.entry(conv).or_default();
            records.appended = records.appended.or(later.appended);
            records.entries.extend(later.entries);
        }
        self.rows.extend(later.rows);
        for (rows, later) in self.small.iter_mut().zip(later.small) {
            rows.extend(later);
        }
        self.bytes += later.bytes;
        self.changes += later.changes;
    }

    /// Adds a group of the log.
    pub fn replay(&mut self, group: u64, payload: &[u8]) -> Result<(), StoreError> {
        let mut reader = Reader(payload);
        while !reader.0.is_empty() {
            self.replay_one(&mut reader)
                .ok_or_else(|| StoreError::Corrupt(format!("group {group} of the log is not valid")))?;
        }
        Ok(())
    }

    fn replay_one(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        match reader.byte()? {
            kind @ (APPEND | REPLACE) => {
                let (conv, frame) = (reader.conv()?, reader.bytes()?);
                let seq = u64::from_be_bytes(*frame.first_chunk()?);
                let whole = frame.len() >= RECORD_HEADER;
                whole.then(|| self.record(conv, seq, Bytes::copy_from_slice(frame), kind == APPEND))
            }
            ROW => {
                let (conv, rev, value) = (reader.conv()?, reader.u32()?, reader.bytes()?);
                self.row(conv, rev, Bytes::copy_from_slice(value));
                Some(())
            }
            ERASE => {
                self.erase(reader.conv()?);
                Some(())
            }
            kind @ (PUT | DELETE) => {
                let table = *Table::ALL.get(usize::from(reader.byte()?))?;
                let key = reader.bytes()?.to_vec();
                let value = if kind == PUT { Some(reader.bytes()?.to_vec()) } else { None };
                self.set(table, key, value);
                Some(())
            }
            _ => None,
        }
    }
}

/// By number, each once: the one that was written last.
pub(super) fn newest(entries: &mut Vec<(u64, Bytes)>) {
    // stable, so that of the same number the last written is last; nearly sorted, so quick
    entries.sort_by_key(|(seq, _)| *seq);
    entries.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
}

/// The changes of one group, in memory and as the log has them.
#[derive(Debug)]
pub(super) struct Group {
    /// To be found.
    pub layer: Layer,
    /// Space for the log's header, then the changes.
    pub bytes: Vec<u8>,
}

impl Group {
    /// An empty group that uses the memory of an earlier one.
    pub fn reusing(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        bytes.resize(GROUP_HEADER, 0);
        Self { layer: Layer::default(), bytes }
    }

    /// Adds a record; `is_new`: it continues its conversation.
    pub fn record(&mut self, conv: ConvId, seq: u64, frame: Bytes, is_new: bool) {
        self.bytes.push(if is_new { APPEND } else { REPLACE });
        self.bytes.extend_from_slice(&conv.0);
        self.field(&frame);
        self.layer.record(conv, seq, frame, is_new);
    }

    /// Sets the row of a conversation.
    pub fn row(&mut self, conv: ConvId, rev: u32, value: Bytes) {
        self.bytes.push(ROW);
        self.bytes.extend_from_slice(&conv.0);
        self.bytes.extend_from_slice(&rev.to_le_bytes());
        self.field(&value);
        self.layer.row(conv, rev, value);
    }

    /// Erases a conversation.
    pub fn erase(&mut self, conv: ConvId) {
        self.bytes.push(ERASE);
        self.bytes.extend_from_slice(&conv.0);
        self.layer.erase(conv);
    }

    /// Sets a row of a small table; none: deletes it.
    pub fn set(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.bytes.extend_from_slice(&[if value.is_some() { PUT } else { DELETE }, table as u8]);
        self.field(&key);
        if let Some(value) = &value {
            self.field(value);
        }
        self.layer.set(table, key, value);
    }

    fn field(&mut self, content: &[u8]) {
        // far below 4 GiB: a batch came through a socket or from a file of the company
        self.bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(content);
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn u32(&mut self) -> Option<u32> {
        let (value, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*value))
    }

    fn conv(&mut self) -> Option<ConvId> {
        let (conv, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(ConvId(*conv))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()? as usize;
        let (content, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_comes_back_from_its_bytes() {
        let conv = ConvId([1; 16]);
        let frame = |seq: u64| Bytes::from([&seq.to_be_bytes()[..], &[0; 8], b"body"].concat());
        let mut group = Group::reusing(vec![9; 100]);
        group.record(conv, 5, frame(5), true);
        group.record(conv, 2, frame(2), false);
        group.row(conv, 7, Bytes::from_static(b"row"));
        group.set(Table::Status, b"li".to_vec(), Some(b"online".to_vec()));
        group.set(Table::Missed, b"gone".to_vec(), None);
        group.record(ConvId([2; 16]), 1, frame(1), true);
        group.erase(ConvId([2; 16]));
        let mut again = Layer::default();
        again.replay(1, &group.bytes[GROUP_HEADER..]).unwrap();
        assert_eq!(format!("{again:?}"), format!("{:?}", group.layer));
        for cut in GROUP_HEADER + 1..group.bytes.len() {
            // between two changes a shorter group is one, too; nowhere may it panic
            drop(Layer::default().replay(1, &group.bytes[GROUP_HEADER..cut]));
        }
        let bad = Layer::default().replay(4, &[PUT, 200]).unwrap_err();
        assert!(matches!(bad, StoreError::Corrupt(e) if e.contains("group 4")));
    }

    #[test]
    fn what_came_later_counts() {
        let (conv, mut layer) = (ConvId([1; 16]), Layer::default());
        let mut later = Layer::default();
        layer.record(conv, 3, Bytes::from_static(b"old"), true);
        layer.set(Table::Site, b"shop".to_vec(), Some(vec![1]));
        later.record(conv, 3, Bytes::from_static(b"new"), false);
        later.set(Table::Site, b"shop".to_vec(), None);
        layer.merge(later);
        assert_eq!(layer.find(conv, 3).unwrap(), "new");
        assert_eq!(layer.get(Table::Site, b"shop"), Some(None));
        assert_eq!(layer.records[&conv].appended, Some(3));
    }
}
