//! Checks of a batch that both stores make before they look at any data: is it valid, and which ids does it contain?

use super::{Batch, Op, StoreError, StoredRecord, Table};
use kefu_clock::Clock;
use kefu_proto::{ConvId, HeaderView, Kind, MESSAGE_HEADER, MsgId};

/// Key of the schema version in [`Table::Meta`]; u32, big-endian.
pub(super) const SCHEMA_KEY: &[u8] = b"schema";
/// The schema version this kefu writes.
pub const SCHEMA_VERSION: u32 = 4;

/// The id under which a stored body is remembered: an envelope's own; events have none.
pub(super) fn remembered_id(body: &[u8]) -> Option<MsgId> {
    HeaderView::parse(body).ok().map(|(_, header)| header.msg_id())
}

/// The shortest body that is remembered under this id.
pub(super) fn bearing(conv: ConvId, id: MsgId) -> Vec<u8> {
    let mut body = vec![0; MESSAGE_HEADER];
    body[..4].copy_from_slice(&[b'K', b'1', Kind::Tombstone as u8, 1]);
    body[4..20].copy_from_slice(&conv.0);
    body[40..56].copy_from_slice(&id.0);
    body
}

/// The id by which a sender knows a batch, for naming it in a refusal: that of its first envelope, as events that the
/// server adds sometimes precede it; without one that of its first event.
pub(super) fn name(batch: &Batch) -> Option<MsgId> {
    let mut event = None;
    for op in &batch.ops {
        let Op::Append { id, body } = op else { continue };
        if remembered_id(body).is_some() {
            return Some(*id);
        }
        event = event.or(Some(*id));
    }
    event
}

/// Refuses batches that no state of the store could accept.
pub(super) fn shape(batch: &Batch) -> Result<(), StoreError> {
    if batch.rev.is_some() && batch.conv.is_none() {
        return Err(StoreError::Invalid("a revision needs a conversation"));
    }
    let mut indexed = false;
    for op in &batch.ops {
        match op {
            Op::Expect { table, .. } | Op::Put { table, .. } | Op::Delete { table, .. } => {
                if batch.conv.is_some() {
                    return Err(StoreError::Invalid("a batch is about a conversation or about small tables"));
                }
                if table.is_index() {
                    return Err(StoreError::Invalid("indexes are kept by the store"));
                }
            }
            _ if batch.conv.is_none() => return Err(StoreError::Invalid("rows and records need a conversation")),
            Op::Erase { .. } if batch.ops.len() > 1 => {
                return Err(StoreError::Invalid("what is erased changes in no other way"));
            }
            Op::Row { facts: Some(_), .. } if std::mem::replace(&mut indexed, true) => {
                return Err(StoreError::Invalid("the facts of a conversation change once in a batch"));
            }
            Op::Row { facts: Some(_), .. } if batch.rev.is_none() => {
                return Err(StoreError::Invalid("facts change from a known revision"));
            }
            Op::Row { .. } | Op::Append { .. } | Op::Redact { .. } | Op::Marks { .. } | Op::Erase { .. } => {}
        }
    }
    let mut seen: Vec<MsgId> = Vec::new();
    for op in &batch.ops {
        let Op::Append { id, body } = op else { continue };
        let Some(own) = remembered_id(body) else { continue };
        if own != *id {
            return Err(StoreError::Invalid("an envelope is appended under the message id of its header"));
        }
        if seen.contains(&own) {
            return Err(StoreError::Invalid("one batch appends the same message twice"));
        }
        seen.push(own);
    }
    Ok(())
}

/// Bytes a batch holds in memory, about.
pub(super) fn weight(batch: &Batch) -> usize {
    let ops = batch.ops.iter().map(|op| match op {
        Op::Expect { key, value, .. } => key.len() + value.as_ref().map_or(0, Vec::len),
        Op::Put { key, value, .. } => key.len() + value.len(),
        Op::Delete { key, .. } => key.len(),
        Op::Erase { .. } | Op::Marks { .. } => 0,
        Op::Row { value: body, .. } | Op::Append { body, .. } | Op::Redact { body, .. } => body.len(),
    });
    64 + ops.map(|bytes| bytes + 64).sum::<usize>()
}

/// Whether a batch is not published because all that it changes is how far the sides of a conversation are.
pub(super) fn only_marks(batch: &Batch) -> bool {
    !batch.ops.is_empty() && batch.ops.iter().all(|op| matches!(op, Op::Marks { .. }))
}

/// What `ops`, the earlier steps of the same batch, leave under a key; none if they don't touch it.
pub(super) fn left_by<'a>(ops: &'a [Op], table: Table, key: &[u8]) -> Option<Option<&'a [u8]>> {
    ops.iter().rev().find_map(|op| match op {
        Op::Put { table: t, key: k, value } if *t == table && k == key => Some(Some(value.as_slice())),
        Op::Delete { table: t, key: k } if *t == table && k == key => Some(None),
        _ => None,
    })
}

/// Bodies that `ops` append, in order.
pub(super) fn appended(ops: &[Op]) -> impl Iterator<Item = &[u8]> {
    ops.iter().filter_map(|op| if let Op::Append { body, .. } = op { Some(&body[..]) } else { None })
}

/// Records until there are enough of them, or of their bytes.
#[derive(Debug)]
pub(super) struct Page {
    /// What there is so far.
    pub records: Vec<StoredRecord>,
    limit: usize,
    bytes: usize,
}

impl Page {
    /// An empty group.
    pub fn new(limit: usize, bytes: usize) -> Self {
        Self { records: Vec::new(), limit, bytes }
    }

    /// Whether another one fits.
    pub fn has_room(&self) -> bool {
        self.records.len() < self.limit && self.bytes > 0
    }

    /// Adds one if it fits, and returns whether another one would.
    pub fn push(&mut self, record: StoredRecord) -> bool {
        if self.has_room() {
            self.bytes = self.bytes.saturating_sub(record.1.len());
            self.records.push(record);
        }
        self.has_room()
    }
}

/// Time of commits: the clock, held still while it runs backwards.
#[derive(Debug, Default)]
pub(super) struct CommitClock {
    clock: Clock,
    last: u64,
}

impl CommitClock {
    /// Milliseconds since 1970, never less than before.
    pub fn now_ms(&mut self) -> u64 {
        self.last = self.last.max(self.clock.now_ms());
        self.last
    }
}
