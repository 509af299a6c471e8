//! One batch inside the transaction under way: checked completely, then written, so that a refused one leaves no trace.

use std::collections::HashMap;

use ::redb::{ReadableTable, Table as RedbTable, WriteTransaction};
use bytes::Bytes;

use super::{
    conv_cache::{ConvCache, ConvState},
    journal::{self, Entry, Journal},
    tables::{self, RecordKey, RowValue, map_db_error, record_key},
};
use crate::{Batch, Commit, Op, StoreError, Table, Written, check};
use kefu_proto::{ConvId, MsgId, RECORD_HEADER, encode_record};

type SmallTable<'t> = RedbTable<'t, &'static [u8], &'static [u8]>;

/// The tables of one transaction; those that a group doesn't need are never opened.
pub(super) struct Tables<'t> {
    txn: &'t WriteTransaction,
    group: Group<'t>,
    records: Option<RedbTable<'t, RecordKey, &'static [u8]>>,
    ids: Option<RedbTable<'t, &'static [u8; 32], u64>>,
    rows: Option<RedbTable<'t, &'static [u8; 16], RowValue>>,
    small: [Option<SmallTable<'t>>; Table::ALL.len()],
}

/// The records that this transaction adds to the journal.
pub(super) struct Group<'t> {
    /// Number of the group.
    pub number: u64,
    /// Its value so far.
    pub value: &'t mut Vec<u8>,
    /// Records in it.
    pub records: usize,
    /// The journal in memory.
    pub journal: &'t Journal,
}

/// What became of a batch.
pub(super) enum Verdict {
    /// It is in the transaction.
    Written {
        /// Result for the waiting caller.
        written: Written,
        /// For the feed, if a conversation was touched.
        commit: Option<Commit>,
    },
    /// One of its messages is stored already.
    Duplicate {
        /// Sequence number of the stored record.
        seq: u64,
        /// The stored record as the socket sends it.
        frame: Bytes,
    },
    /// It may not be written.
    Refused {
        /// The conversation of the batch.
        conv: Option<ConvId>,
        /// Idempotency key of its first envelope.
        id: Option<MsgId>,
        /// The error.
        error: StoreError,
    },
}

impl Verdict {
    /// The refusal of `batch`.
    pub fn refused(batch: &Batch, error: StoreError) -> Self {
        Self::Refused { conv: batch.conv, id: check::name(batch), error }
    }
}

impl<'t> Tables<'t> {
    /// The tables of `txn`.
    pub fn of(txn: &'t WriteTransaction, group: Group<'t>) -> Self {
        Self { txn, group, records: None, ids: None, rows: None, small: Default::default() }
    }

    fn records(&mut self) -> Result<&mut RedbTable<'t, RecordKey, &'static [u8]>, StoreError> {
        opened(&mut self.records, || self.txn.open_table(tables::RECORDS).map_err(map_db_error))
    }

    fn ids(&mut self) -> Result<&mut RedbTable<'t, &'static [u8; 32], u64>, StoreError> {
        opened(&mut self.ids, || self.txn.open_table(tables::IDS).map_err(map_db_error))
    }

    fn rows(&mut self) -> Result<&mut RedbTable<'t, &'static [u8; 16], RowValue>, StoreError> {
        opened(&mut self.rows, || self.txn.open_table(tables::ROWS).map_err(map_db_error))
    }

    fn small(&mut self, table: Table) -> Result<&mut SmallTable<'t>, StoreError> {
        opened(&mut self.small[table as usize], || self.txn.open_table(tables::small(table)).map_err(map_db_error))
    }

    /// What the cache wants to know of a conversation. Reads no bodies, however long it is.
    fn load(&mut self, conv: ConvId) -> Result<ConvState, StoreError> {
        let rev = self.rows()?.get(&conv.0).map_err(map_db_error)?.map_or(0, |row| row.value().0);
        let settled = tables::last_seq(self.records()?, conv)?;
        let (mut last_seq, mut ids) = (settled, HashMap::new());
        for entry in self.group.journal.of(conv) {
            last_seq = last_seq.max(entry.seq);
            ids.extend(check::remembered_id(&entry.frame[RECORD_HEADER..]).map(|id| (id, entry.seq)));
        }
        Ok(ConvState { last_seq, rev, ids, older: settled > 0 })
    }

    /// Sequence number of the envelope with this id.
    fn find(&mut self, conv: ConvId, state: &ConvState, id: MsgId) -> Result<Option<u64>, StoreError> {
        match state.ids.get(&id) {
            Some(seq) => Ok(Some(*seq)),
            None if state.older => {
                Ok(self.ids()?.get(&tables::id_key(conv, id)).map_err(map_db_error)?.map(|seq| seq.value()))
            }
            None => Ok(None),
        }
    }

    fn record(&mut self, conv: ConvId, seq: u64) -> Result<Option<Bytes>, StoreError> {
        if let Some(frame) = self.group.journal.find(conv, seq) {
            return Ok(Some(frame));
        }
        let found = self.records()?.get(&record_key(conv, seq)).map_err(map_db_error)?;
        Ok(found.map(|value| tables::frame(seq, value.value())))
    }

    /// Puts a record, new or instead of an older one, into the group.
    fn log(&mut self, conv: ConvId, seq: u64, frame: Bytes) {
        journal::encode(self.group.value, conv, &frame);
        self.group.records += 1;
        self.group.journal.push(conv, Entry { group: self.group.number, seq, frame });
    }

    /// Writes the group to the journal, also if it has no records: its number tells after reopening whether
    /// the file contains the group. Of groups without records only the last one stays; `bare`: the previous one was such.
    /// Returns how many records there are, and their bytes.
    pub fn write_group(&mut self, bare: bool) -> Result<(usize, usize), StoreError> {
        let mut journal = self.txn.open_table(tables::JOURNAL).map_err(map_db_error)?;
        if bare {
            journal.remove(self.group.number - 1).map_err(map_db_error)?;
        }
        journal.insert(self.group.number, self.group.value.as_slice()).map_err(map_db_error)?;
        Ok((self.group.records, self.group.value.len()))
    }

    /// Puts a record of the journal into its place. Returns by how many bytes the table grew: negative for a tombstone.
    pub fn settle(&mut self, conv: ConvId, seq: u64, frame: &[u8]) -> Result<i64, StoreError> {
        let value = &frame[8..];
        let old =
            self.records()?.insert(&record_key(conv, seq), value).map_err(map_db_error)?.map_or(0, |v| v.value().len());
        if let Some(id) = check::remembered_id(&frame[RECORD_HEADER..]) {
            self.ids()?.insert(&tables::id_key(conv, id), seq).map_err(map_db_error)?;
        }
        Ok(value.len() as i64 - old as i64)
    }

    /// Adds to the size of a conversation.
    pub fn grow(&mut self, conv: ConvId, by: i64) -> Result<(), StoreError> {
        let mut sizes = self.txn.open_table(tables::SIZES).map_err(map_db_error)?;
        let before = sizes.get(&conv.0).map_err(map_db_error)?.map_or(0, |size| size.value());
        sizes.insert(&conv.0, before.saturating_add_signed(by)).map_err(map_db_error)?;
        Ok(())
    }

    /// Takes the groups up to `last` out of the journal.
    pub fn drop_groups(&mut self, last: u64) -> Result<(), StoreError> {
        let mut journal = self.txn.open_table(tables::JOURNAL).map_err(map_db_error)?;
        journal.retain_in(..=last, |_, _| false).map_err(map_db_error)
    }
}

fn opened<T>(slot: &mut Option<T>, open: impl FnOnce() -> Result<T, StoreError>) -> Result<&mut T, StoreError> {
    match slot {
        Some(table) => Ok(table),
        None => Ok(slot.insert(open()?)),
    }
}

/// Checks and writes one batch. An error means that the transaction is lost, not that the batch was refused.
pub(super) fn apply(
    tables: &mut Tables<'_>,
    cache: &mut ConvCache,
    batch: Batch,
    origin: u64,
    at_ms: u64,
) -> Result<Verdict, StoreError> {
    if let Err(e) = check::shape(&batch) {
        return Ok(Verdict::refused(&batch, e));
    }
    let mut nothing = ConvState::default();
    let state = match batch.conv {
        Some(conv) => cache.get(conv, || tables.load(conv))?,
        None => &mut nothing,
    };
    match validate(tables, state, &batch)? {
        Some(refusal) => Ok(refusal),
        None => write(tables, state, batch, origin, at_ms),
    }
}

/// Why the batch can't be written, if it can't.
fn validate(tables: &mut Tables<'_>, state: &mut ConvState, batch: &Batch) -> Result<Option<Verdict>, StoreError> {
    // shape() saw to it that without a conversation nothing below asks for its id
    let conv = batch.conv.unwrap_or(ConvId([0; 16]));
    for body in check::appended(&batch.ops) {
        let Some(id) = check::remembered_id(body) else { continue };
        if let Some(seq) = tables.find(conv, state, id)? {
            // a client that resends once may do so again
            state.ids.insert(id, seq);
            let frame = tables.record(conv, seq)?.ok_or_else(|| lost(conv, seq))?;
            return Ok(Some(Verdict::Duplicate { seq, frame }));
        }
    }
    if batch.rev.is_some_and(|rev| rev != state.rev) {
        return Ok(Some(Verdict::refused(batch, StoreError::Conflict)));
    }
    for (i, op) in batch.ops.iter().enumerate() {
        let before = &batch.ops[..i];
        let refusal = match op {
            Op::Expect { table, key, value } => {
                let holds = match check::left_by(before, *table, key) {
                    Some(left) => left == value.as_deref(),
                    None => {
                        let stored = tables.small(*table)?.get(key.as_slice()).map_err(map_db_error)?;
                        stored.as_ref().map(|v| v.value()) == value.as_deref()
                    }
                };
                (!holds).then_some(StoreError::Conflict)
            }
            Op::Redact { seq, body } => {
                let kept = if *seq > state.last_seq {
                    check::appended(before).nth((seq - state.last_seq - 1) as usize).map(check::remembered_id)
                } else {
                    tables.record(conv, *seq)?.map(|frame| check::remembered_id(&frame[RECORD_HEADER..]))
                };
                match kept {
                    None => Some(StoreError::Invalid("no such record to replace")),
                    Some(id) if id != check::remembered_id(body) => {
                        Some(StoreError::Invalid("a tombstone has the id of what it replaces"))
                    }
                    Some(_) => None,
                }
            }
            Op::Put { .. } | Op::Delete { .. } | Op::Row { .. } | Op::Append { .. } => None,
        };
        if let Some(error) = refusal {
            return Ok(Some(Verdict::refused(batch, error)));
        }
    }
    Ok(None)
}

/// Writes what [`judge`] allowed.
fn write(
    tables: &mut Tables<'_>,
    state: &mut ConvState,
    batch: Batch,
    origin: u64,
    at_ms: u64,
) -> Result<Verdict, StoreError> {
    let conv = batch.conv.unwrap_or(ConvId([0; 16]));
    let (mut row, mut records, mut seqs, mut redacted) = (None, Vec::new(), Vec::new(), Vec::new());
    for op in batch.ops {
        match op {
            Op::Expect { .. } => {}
            Op::Put { table, key, value } => {
                tables.small(table)?.insert(key.as_slice(), value.as_slice()).map_err(map_db_error)?;
            }
            Op::Delete { table, key } => {
                tables.small(table)?.remove(key.as_slice()).map_err(map_db_error)?;
            }
            Op::Row { value } => {
                state.rev += 1;
                tables.rows()?.insert(&conv.0, (state.rev, &value[..])).map_err(map_db_error)?;
                row = Some(value);
            }
            Op::Append { body, .. } => {
                let seq = state.last_seq + 1;
                let frame = Bytes::from(encode_record(seq, at_ms, &body));
                tables.log(conv, seq, frame.clone());
                state.last_seq = seq;
                state.ids.extend(check::remembered_id(&body).map(|id| (id, seq)));
                records.push(frame);
                seqs.push(seq);
            }
            Op::Redact { seq, body } => {
                let old = tables.record(conv, seq)?.ok_or_else(|| lost(conv, seq))?;
                // seq ‖ at of the old frame, then the tombstone: the time stays
                let mut frame = Vec::with_capacity(RECORD_HEADER + body.len());
                frame.extend_from_slice(&old[..RECORD_HEADER]);
                frame.extend_from_slice(&body);
                tables.log(conv, seq, frame.into());
                redacted.push(seq);
            }
        }
    }
    let commit = batch.conv.map(|conv| Commit { origin, conv, rev: state.rev, row, records, redacted });
    Ok(Verdict::Written { written: Written { seqs, at_ms, rev: state.rev }, commit })
}

fn lost(conv: ConvId, seq: u64) -> StoreError {
    StoreError::Corrupt(format!("record {seq} of conversation {conv} is missing"))
}
