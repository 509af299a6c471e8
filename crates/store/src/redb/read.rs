//! Reading: memory and database as one, at one moment, without waiting for a write. The one exception is the database's:
//! while it doubles its file, reads that need it wait for one sync.
//!
//! Each read is a question in two parts. Memory is asked first and often knows the whole answer; what it knows of the rest
//! counts before what the database says.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use ::redb::ReadTransaction;
use bytes::Bytes;

use super::{
    blocks,
    current::Current,
    layer::{KeyRange, newest},
    memtable::{Layers, Memtable},
    tables::{self, map_db_error},
};
use crate::{Head, Pair, StoreError, StoredRecord, Table, check::Page, index};
use kefu_proto::{ConvId, Marks, RecordView, Side};

/// Something to be read.
pub(super) trait Question {
    type Answer;

    /// Asks memory. None: the database must be asked, too.
    fn in_memory(&mut self, layers: Layers<'_>) -> Option<Self::Answer>;

    /// Asks the database for the rest.
    fn in_database(&mut self, txn: &ReadTransaction) -> Result<Self::Answer, StoreError>;
}

/// Memory and database.
#[derive(Debug)]
pub(super) struct View {
    pub memtable: Memtable,
    pub current: Current,
}

impl View {
    /// The answer, if memory knows it.
    pub fn ask_memory<Q: Question>(&self, question: &mut Q) -> Option<Result<Q::Answer, StoreError>> {
        let (known, _) = self.memtable.look(|layers| question.in_memory(layers));
        known.map(|known| if self.current.is_closed() { Err(StoreError::Closed) } else { Ok(known) })
    }

    /// The answer. If the disk fails it is asked once more, of the database when it is open again.
    pub fn ask<Q: Question>(&self, question: &mut Q) -> Result<Q::Answer, StoreError> {
        let (mut failed, mut again) = (None, true);
        loop {
            let (known, moves) = self.memtable.look(|layers| question.in_memory(layers));
            if let Some(known) = known {
                return if self.current.is_closed() { Err(StoreError::Closed) } else { Ok(known) };
            }
            let snapshot = self.current.snapshot(failed)?;
            if self.memtable.moves() != moves {
                // the snapshot may lack what memory had, or have what it lacked
                continue;
            }
            match question.in_database(&snapshot.txn) {
                Err(StoreError::Io(_) | StoreError::Closed) if std::mem::take(&mut again) => {
                    failed = Some(snapshot.number);
                }
                answer => return answer,
            }
        }
    }
}

/// The value under a key.
pub(super) struct Get {
    pub table: Table,
    pub key: Vec<u8>,
}

impl Question for Get {
    type Answer = Option<Vec<u8>>;

    fn in_memory(&mut self, layers: Layers<'_>) -> Option<Self::Answer> {
        layers.newest_first().find_map(|layer| layer.get(self.table, &self.key)).map(|value| value.map(<[u8]>::to_vec))
    }

    fn in_database(&mut self, txn: &ReadTransaction) -> Result<Self::Answer, StoreError> {
        let table = txn.open_table(tables::small(self.table)).map_err(map_db_error)?;
        Ok(table.get(&*self.key).map_err(map_db_error)?.map(|value| value.value().to_vec()))
    }
}

/// Pairs under a prefix; see [`crate::Store::scan`].
pub(super) struct Scan {
    pub table: Table,
    pub prefix: Vec<u8>,
    pub after: Option<Vec<u8>>,
    pub descending: bool,
    pub limit: usize,
    /// What memory says, in the order of the scan; none: the row was deleted.
    pub newer: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Scan {
    pub fn new(table: Table, prefix: &[u8], after: Option<&[u8]>, descending: bool, limit: usize) -> Self {
        let (prefix, after) = (prefix.to_vec(), after.map(<[u8]>::to_vec));
        Self { table, prefix, after, descending, limit, newer: Vec::new() }
    }

    /// Both ends; none if nothing is between them.
    fn bounds<'a>(&'a self, end: Option<&'a [u8]>) -> Option<KeyRange<'a>> {
        let (mut low, mut high) = (Included(&*self.prefix), end.map_or(Unbounded, Excluded));
        match self.after.as_deref() {
            Some(after) if !self.descending && after >= &*self.prefix => low = Excluded(after),
            Some(after) if self.descending && end.is_none_or(|end| after < end) => high = Excluded(after),
            _ => {}
        }
        (!is_empty(low, high)).then_some((low, high))
    }

    /// Whether `a` comes before `b` in the order of the scan.
    fn precedes(&self, a: &[u8], b: &[u8]) -> bool {
        if self.descending { a > b } else { a < b }
    }
}

impl Question for Scan {
    type Answer = Vec<Pair>;

    fn in_memory(&mut self, layers: Layers<'_>) -> Option<Self::Answer> {
        let end = past_prefix(&self.prefix);
        let Some(bounds) = self.bounds(end.as_deref()) else { return Some(Vec::new()) };
        let mut newer = std::collections::BTreeMap::new();
        for layer in layers.newest_first() {
            let mut range = layer.range(self.table, bounds);
            let mut live = 0;
            // beyond so many that exist none of this layer's can be in the answer
            while live < self.limit {
                let Some((key, value)) = (if self.descending { range.next_back() } else { range.next() }) else {
                    break;
                };
                // one that a newer layer deleted does not count, and must not use up the limit
                let known = newer.entry(key.clone()).or_insert_with(|| value.clone());
                live += usize::from(known.is_some());
            }
        }
        self.newer = newer.into_iter().collect();
        if self.descending {
            self.newer.reverse();
        }
        (self.limit == 0).then(Vec::new)
    }

    fn in_database(&mut self, txn: &ReadTransaction) -> Result<Self::Answer, StoreError> {
        let end = past_prefix(&self.prefix);
        let table = txn.open_table(tables::small(self.table)).map_err(map_db_error)?;
        let Some(bounds) = self.bounds(end.as_deref()) else { return Ok(Vec::new()) };
        let mut range = table.range::<&[u8]>(bounds).map_err(map_db_error)?;
        let mut newer = std::mem::take(&mut self.newer).into_iter().peekable();
        let mut pairs = Vec::new();
        while pairs.len() < self.limit {
            let next = if self.descending { range.next_back() } else { range.next() };
            let Some(next) = next else { break };
            let (key, value) = next.map_err(map_db_error)?;
            let key = key.value();
            while let Some((before, value)) = newer.next_if(|(k, _)| self.precedes(k, key)) {
                pairs.extend(value.map(|value| (before, value)));
            }
            match newer.next_if(|(k, _)| k == key) {
                Some((key, value)) => pairs.extend(value.map(|value| (key, value))),
                None => pairs.push((key.to_vec(), value.value().to_vec())),
            }
        }
        pairs.extend(newer.filter_map(|(key, value)| value.map(|value| (key, value))));
        pairs.truncate(self.limit);
        Ok(pairs)
    }
}

/// One record.
pub(super) struct RecordAt {
    pub conv: ConvId,
    pub seq: u64,
}

impl Question for RecordAt {
    type Answer = Option<Bytes>;

    fn in_memory(&mut self, layers: Layers<'_>) -> Option<Option<Bytes>> {
        let (mut layers, whole) = layers.of_conversation(self.conv);
        let found = layers.find_map(|layer| layer.find(self.conv, self.seq)).cloned();
        (whole || found.is_some()).then_some(found)
    }

    fn in_database(&mut self, txn: &ReadTransaction) -> Result<Option<Bytes>, StoreError> {
        let records = txn.open_table(tables::RECORDS).map_err(map_db_error)?;
        blocks::record(&records, self.conv, self.seq)
    }
}

/// A conversation's row, and where its records end.
pub(super) struct HeadOf {
    conv: ConvId,
    row: Option<(u32, Bytes)>,
    /// The newest record that memory has.
    last: Option<(u64, Bytes)>,
    bytes: u64,
    marks: [Get; 2],
    /// What memory says of them; inside none: there are none.
    newer_marks: [Option<Option<Vec<u8>>>; 2],
}

impl HeadOf {
    pub fn new(conv: ConvId) -> Self {
        let marks =
            [Side::Visitor, Side::Agent].map(|side| Get { table: Table::Receipt, key: index::marks_key(conv, side) });
        Self { conv, row: None, last: None, bytes: 0, marks, newer_marks: [None, None] }
    }

    fn head(&mut self, rev: u32, value: Bytes, last: Option<(u64, Bytes)>) -> Head {
        let (last_seq, frame) = last.unwrap_or_default();
        let last_at_ms = RecordView::parse(&frame).map_or(0, |record| record.at_ms);
        let marks = std::mem::take(&mut self.newer_marks);
        let marks = marks.map(|found| found.flatten().map_or_else(Marks::default, |value| index::decode_marks(&value)));
        Head { rev, last_seq, last_at_ms, bytes: self.bytes, marks, value }
    }
}

impl Question for HeadOf {
    type Answer = Option<Head>;

    fn in_memory(&mut self, layers: Layers<'_>) -> Option<Self::Answer> {
        *self = Self::new(self.conv);
        let (of_conv, whole) = layers.of_conversation(self.conv);
        for layer in of_conv {
            if let Some((rev, value)) = layer.rows.get(&self.conv) {
                self.row.get_or_insert_with(|| (*rev, value.clone()));
            }
            for (seq, frame) in layer.records.get(&self.conv).iter().flat_map(|records| &records.entries) {
                self.bytes += frame.len() as u64;
                if self.last.as_ref().is_none_or(|(last, _)| last < seq) {
                    self.last = Some((*seq, frame.clone()));
                }
            }
        }
        for (marks, newer) in self.marks.iter_mut().zip(&mut self.newer_marks) {
            *newer = marks.in_memory(layers);
        }
        whole.then(|| {
            let (rev, value) = self.row.take()?;
            let last = self.last.take();
            Some(self.head(rev, value, last))
        })
    }

    fn in_database(&mut self, txn: &ReadTransaction) -> Result<Self::Answer, StoreError> {
        let (rev, value) = match self.row.take() {
            Some(row) => row,
            None => match tables::row(txn, self.conv)? {
                Some(row) => row,
                None => return Ok(None),
            },
        };
        let records = txn.open_table(tables::RECORDS).map_err(map_db_error)?;
        let settled = blocks::last(&records, self.conv)?;
        let last = match self.last.take() {
            // a record that was replaced is not the newest
            Some((seq, frame)) if seq >= settled => Some((seq, frame)),
            _ => blocks::record(&records, self.conv, settled)?.map(|frame| (settled, frame)),
        };
        let sizes = txn.open_table(tables::SIZES).map_err(map_db_error)?;
        self.bytes += sizes.get(&self.conv.0).map_err(map_db_error)?.map_or(0, |size| size.value());
        for (marks, found) in self.marks.iter_mut().zip(&mut self.newer_marks) {
            if found.is_none() {
                *found = Some(marks.in_database(txn)?);
            }
        }
        Ok(Some(self.head(rev, value, last)))
    }
}

/// Records of a conversation after a number.
pub(super) struct Records {
    conv: ConvId,
    after: u64,
    limit: usize,
    bytes: usize,
    /// What memory has of them, each once.
    newer: Vec<StoredRecord>,
}

impl Records {
    pub fn new(conv: ConvId, after: u64, limit: usize, bytes: usize) -> Self {
        Self { conv, after, limit, bytes, newer: Vec::new() }
    }

    fn page(&self) -> Page {
        Page::new(self.limit, self.bytes)
    }
}

impl Question for Records {
    type Answer = Vec<StoredRecord>;

    fn in_memory(&mut self, layers: Layers<'_>) -> Option<Self::Answer> {
        let Some(first) = self.after.checked_add(1) else { return Some(Vec::new()) };
        let mut appended = None;
        self.newer.clear();
        let (layers, whole) = layers.of_conversation(self.conv);
        // the oldest first, so that of the same number the newest is last
        for records in layers.rev().filter_map(|layer| layer.records.get(&self.conv)) {
            appended = appended.or(records.appended);
            self.newer.extend(records.entries.iter().filter(|(seq, _)| *seq > self.after).cloned());
        }
        newest(&mut self.newer);
        (whole || appended.is_some_and(|appended| appended <= first)).then(|| {
            let mut page = self.page();
            self.newer.drain(..).all(|record| page.push(record));
            page.records
        })
    }

    fn in_database(&mut self, txn: &ReadTransaction) -> Result<Self::Answer, StoreError> {
        let mut newer = std::mem::take(&mut self.newer).into_iter().peekable();
        let table = txn.open_table(tables::RECORDS).map_err(map_db_error)?;
        let (first, last) = tables::record_range(self.conv, self.after.saturating_add(1));
        let mut page = self.page();
        for block in table.range::<&[u8; 24]>((first.as_ref(), last.as_ref())).map_err(map_db_error)? {
            let (_, block) = block.map_err(map_db_error)?;
            for record in blocks::records_in(block.value()) {
                let (seq, frame) = record?;
                while let Some(before) = newer.next_if(|(s, _)| *s < seq) {
                    page.push(before);
                }
                if seq > self.after && page.has_room() {
                    page.push(
                        newer.next_if(|(s, _)| *s == seq).unwrap_or_else(|| (seq, Bytes::copy_from_slice(frame))),
                    );
                }
            }
            if !page.has_room() {
                break;
            }
        }
        newer.all(|record| page.push(record));
        Ok(page.records)
    }
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
