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
use crate::{Pair, RowAt, StoreError, StoredRecord, Table, check::Page};
use kefu_proto::ConvId;

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
pub(super) struct Get<'a> {
    pub table: Table,
    pub key: &'a [u8],
}

impl Question for Get<'_> {
    type Answer = Option<Vec<u8>>;

    fn in_memory(&mut self, layers: Layers<'_>) -> Option<Self::Answer> {
        layers.newest_first().find_map(|layer| layer.get(self.table, self.key)).map(|value| value.map(<[u8]>::to_vec))
    }

    fn in_database(&mut self, txn: &ReadTransaction) -> Result<Self::Answer, StoreError> {
        let table = txn.open_table(tables::small(self.table)).map_err(map_db_error)?;
        Ok(table.get(self.key).map_err(map_db_error)?.map(|value| value.value().to_vec()))
    }
}

/// Pairs under a prefix; see [`crate::Store::scan`].
pub(super) struct Scan<'a> {
    pub table: Table,
    pub prefix: &'a [u8],
    pub after: Option<&'a [u8]>,
    pub descending: bool,
    pub limit: usize,
    /// What memory says, in the order of the scan; none: the row was deleted.
    pub newer: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl<'a> Scan<'a> {
    /// Both ends; none if nothing is between them.
    fn bounds<'b>(&'b self, end: Option<&'b [u8]>) -> Option<KeyRange<'b>>
    where
        'a: 'b,
    {
        let (mut low, mut high) = (Included(self.prefix), end.map_or(Unbounded, Excluded));
        match self.after {
            Some(after) if !self.descending && after >= self.prefix => low = Excluded(after),
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

impl Question for Scan<'_> {
    type Answer = Vec<Pair>;

    fn in_memory(&mut self, layers: Layers<'_>) -> Option<Self::Answer> {
        let end = past_prefix(self.prefix);
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
        let end = past_prefix(self.prefix);
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

/// A conversation's row.
pub(super) struct RowOf {
    conv: ConvId,
    row: Option<(u32, Bytes)>,
    last_seq: u64,
    bytes: u64,
}

impl RowOf {
    pub fn new(conv: ConvId) -> Self {
        Self { conv, row: None, last_seq: 0, bytes: 0 }
    }
}

impl Question for RowOf {
    type Answer = Option<RowAt>;

    fn in_memory(&mut self, layers: Layers<'_>) -> Option<Self::Answer> {
        *self = Self::new(self.conv);
        let (layers, whole) = layers.of_conversation(self.conv);
        for layer in layers {
            if let Some((rev, value)) = layer.rows.get(&self.conv) {
                self.row.get_or_insert_with(|| (*rev, value.clone()));
            }
            for (seq, frame) in layer.records.get(&self.conv).iter().flat_map(|records| &records.entries) {
                self.last_seq = self.last_seq.max(*seq);
                self.bytes += frame.len() as u64;
            }
        }
        whole.then(|| {
            let (rev, value) = self.row.take()?;
            Some(RowAt { rev, last_seq: self.last_seq, bytes: self.bytes, value })
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
        let last_seq = blocks::last(&records, self.conv)?.max(self.last_seq);
        let sizes = txn.open_table(tables::SIZES).map_err(map_db_error)?;
        let settled = sizes.get(&self.conv.0).map_err(map_db_error)?.map_or(0, |size| size.value());
        Ok(Some(RowAt { rev, last_seq, bytes: settled + self.bytes, value }))
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
