//! What was written lately: the records of each group are together in one value of the journal's table, and here in
//! memory, until `mover.rs` moves them to the table of all records.
//!
//! An ordinary commit so costs one insert at the right edge of a small tree, not a leaf for each conversation. One rule
//! holds everywhere: **the journal is never older than the table**. Of two records with the same number the one with the
//! higher group counts, and any of the journal before that of the table; a recall is just another record.
//!
//! Every group has an entry, so that a reopened file shows the last group that it contains; of groups
//! without records only the last stays.
//!
//! The writer adds a group here before it is on disk. Readers take only the groups that their snapshot of the database
//! holds, so they see journal and tables at the same moment.

use std::collections::HashMap;

use ::redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable};
use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use super::tables::{self, map_db_error};
use crate::StoreError;
use kefu_proto::{ConvId, RECORD_HEADER};

/// Bytes before a record's frame in a group's value: conversation, u32 length of the frame.
const PREFIX: usize = 20;

/// A record that is in the journal.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The group it was written with.
    pub group: u64,
    /// Its number in the conversation.
    pub seq: u64,
    /// `seq ‖ at ‖ body`; the same bytes that the feed gave out.
    pub frame: Bytes,
}

/// First and last group that a snapshot of the database holds; none if its journal is empty.
pub(super) type Groups = Option<(u64, u64)>;

/// The journal's content in memory, for the writer and for readers.
#[derive(Debug, Default)]
pub(super) struct Journal(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    /// In the order in which they were written.
    convs: HashMap<ConvId, Vec<Entry>>,
    /// Groups below this one are no longer here.
    first: u64,
}

/// How much the journal held when it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Number of the last group.
    pub last: u64,
    /// Number of records.
    pub records: usize,
    /// Bytes of their groups.
    pub bytes: usize,
    /// Whether the last group has no records.
    pub bare: bool,
}

impl Journal {
    /// The journal as the file has it.
    pub fn open(db: &Database) -> Result<(Self, Size), StoreError> {
        let txn = db.begin_read().map_err(map_db_error)?;
        let table = txn.open_table(tables::JOURNAL).map_err(map_db_error)?;
        let (mut held, mut size) = (Held::default(), Size::default());
        for group in table.iter().map_err(map_db_error)? {
            let (number, value) = group.map_err(map_db_error)?;
            size.last = number.value();
            size.bytes += value.value().len();
            size.bare = value.value().is_empty();
            let mut rest = value.value();
            while !rest.is_empty() {
                let (conv, frame, after) = decode(rest)
                    .ok_or_else(|| StoreError::Corrupt(format!("group {} of the journal is not valid", size.last)))?;
                let seq = seq_of(frame);
                let entry = Entry { group: size.last, seq, frame: Bytes::copy_from_slice(frame) };
                held.convs.entry(conv).or_default().push(entry);
                size.records += 1;
                rest = after;
            }
        }
        Ok((Self(Mutex::new(held)), size))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // nothing panics while the lock is held, so the content is whole in any case
        self.0.lock()
    }

    /// Adds a record of a group that is being written.
    pub fn push(&self, conv: ConvId, entry: Entry) {
        self.held().convs.entry(conv).or_default().push(entry);
    }

    /// The newest record with this number, as the writer sees it.
    pub fn find(&self, conv: ConvId, seq: u64) -> Option<Bytes> {
        let held = self.held();
        let entry = held.convs.get(&conv)?.iter().rev().find(|entry| entry.seq == seq)?;
        Some(entry.frame.clone())
    }

    /// All records of a conversation, as the writer sees them, in the order in which they were written.
    pub fn of(&self, conv: ConvId) -> Vec<Entry> {
        self.held().convs.get(&conv).cloned().unwrap_or_default()
    }

    /// Up to `limit` records of a conversation after `after` that belong to these groups, each once, in order. None: some
    /// of the groups were moved meanwhile; a newer snapshot has them in its table.
    pub fn seen(&self, groups: Groups, conv: ConvId, after: u64, limit: usize) -> Option<Vec<(u64, Bytes)>> {
        let Some((first, last)) = groups else { return Some(Vec::new()) };
        let held = self.held();
        if held.first > first {
            return None;
        }
        let all = held.convs.get(&conv).map_or(&[][..], Vec::as_slice);
        let known = |entry: &&Entry| (first..=last).contains(&entry.group) && entry.seq > after;
        Some(newest(all.iter().filter(known)).into_iter().take(limit).map(|e| (e.seq, e.frame.clone())).collect())
    }

    /// Highest number of a conversation's records in these groups (0: none are here). None as for [`Journal::seen`].
    pub fn last_seq(&self, groups: Groups, conv: ConvId) -> Option<u64> {
        let Some((first, last)) = groups else { return Some(0) };
        let held = self.held();
        if held.first > first {
            return None;
        }
        let all = held.convs.get(&conv).map_or(&[][..], Vec::as_slice);
        Some(all.iter().filter(|e| (first..=last).contains(&e.group)).map(|e| e.seq).max().unwrap_or(0))
    }

    /// Bytes of a conversation's records, each as often as it was written.
    pub fn bytes(&self, conv: ConvId) -> u64 {
        self.held().convs.get(&conv).map_or(0, |all| all.iter().map(|entry| entry.frame.len() as u64).sum())
    }

    /// What the groups up to `last` leave in the table, in its order: each record once, as it was last written.
    pub fn up_to(&self, last: u64) -> Vec<(ConvId, Entry)> {
        let held = self.held();
        let mut convs: Vec<_> = held.convs.iter().collect();
        convs.sort_unstable_by_key(|(conv, _)| conv.0);
        let mut records = Vec::new();
        for (conv, all) in convs {
            let old = newest(all.iter().filter(|entry| entry.group <= last));
            records.extend(old.into_iter().map(|entry| (*conv, entry.clone())));
        }
        records
    }

    /// Forgets the groups up to `last`, which are no longer in the file; `moved` is what [`Journal::up_to`] gave.
    pub fn forget(&self, last: u64, moved: &[(ConvId, Entry)]) {
        let mut held = self.held();
        held.first = last + 1;
        for same in moved.chunk_by(|a, b| a.0 == b.0) {
            let conv = same[0].0;
            if let Some(entries) = held.convs.get_mut(&conv) {
                entries.retain(|entry| entry.group > last);
                if entries.is_empty() {
                    held.convs.remove(&conv);
                }
            }
        }
    }
}

/// The groups that a snapshot holds.
pub(super) fn groups(txn: &ReadTransaction) -> Result<Groups, StoreError> {
    let table = txn.open_table(tables::JOURNAL).map_err(map_db_error)?;
    let Some((first, _)) = table.first().map_err(map_db_error)? else { return Ok(None) };
    let Some((last, _)) = table.last().map_err(map_db_error)? else { return Ok(None) };
    Ok(Some((first.value(), last.value())))
}

/// Adds a record to a group's value.
pub(super) fn encode(group: &mut Vec<u8>, conv: ConvId, frame: &[u8]) {
    group.extend_from_slice(&conv.0);
    // a frame is a few hundred bytes, at most the size of one socket frame
    group.extend_from_slice(&(frame.len() as u32).to_be_bytes());
    group.extend_from_slice(frame);
}

/// The first record of a group's value and what comes after it.
fn decode(group: &[u8]) -> Option<(ConvId, &[u8], &[u8])> {
    let (conv, rest) = group.split_first_chunk::<16>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (frame, after) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
    (frame.len() >= RECORD_HEADER).then_some((ConvId(*conv), frame, after))
}

/// Bytes of a record in its group.
pub(super) fn weight(frame: &[u8]) -> usize {
    PREFIX + frame.len()
}

fn seq_of(frame: &[u8]) -> u64 {
    frame.first_chunk::<8>().map_or(0, |seq| u64::from_be_bytes(*seq))
}

/// By number, each once: the one that was written last.
fn newest<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<&'a Entry> {
    let mut sorted: Vec<&Entry> = entries.collect();
    // stable, so that of the same number the last written is last; nearly sorted, so quick
    sorted.sort_by_key(|entry| entry.seq);
    let mut once: Vec<&Entry> = Vec::with_capacity(sorted.len());
    for entry in sorted {
        match once.last_mut() {
            Some(last) if last.seq == entry.seq => *last = entry,
            _ => once.push(entry),
        }
    }
    once
}
