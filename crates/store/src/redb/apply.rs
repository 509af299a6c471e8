//! One batch of a group: checked completely, then added to the group, so that a refused one leaves no trace.

use ::redb::ReadTransaction;
use bytes::Bytes;

use super::{
    blocks,
    conv_cache::{ConvCache, ConvState},
    ids,
    layer::Group,
    memtable::Layers,
    read::{Get, Question, RecordAt, View},
    tables::{self, map_db_error},
};
use crate::{Batch, Commit, Op, StoreError, Table, Written, check, index};
use kefu_proto::{ConvId, MsgId, RECORD_HEADER, encode_record};

/// What the batches of a group see: those before them in the group, memory, and the database.
pub(super) struct Draft<'a> {
    pub view: &'a View,
    pub group: Group,
}

/// What became of a batch.
pub(super) enum Verdict {
    /// It is in the group.
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

impl Draft<'_> {
    /// What the cache wants to know of a conversation. Reads no bodies from the database, however long it is.
    fn load(&self, conv: ConvId) -> Result<ConvState, StoreError> {
        let mut state = match self.group.layer.erased.contains(&conv) {
            true => ConvState::default(),
            false => self.view.ask(&mut StateOf { conv, rev: None, state: ConvState::default() })?,
        };
        // the cache may have forgotten a conversation that this group changed
        if let Some((rev, _)) = self.group.layer.rows.get(&conv) {
            state.rev = *rev;
        }
        if let Some(records) = self.group.layer.records.get(&conv) {
            remember(&mut state, &records.entries);
        }
        Ok(state)
    }

    fn record(&self, conv: ConvId, seq: u64) -> Result<Option<Bytes>, StoreError> {
        match self.group.layer.find(conv, seq) {
            Some(frame) => Ok(Some(frame.clone())),
            None if self.group.layer.erased.contains(&conv) => Ok(None),
            None => self.view.ask(&mut RecordAt { conv, seq }),
        }
    }

    fn holds(&self, table: Table, key: &[u8], value: Option<&[u8]>) -> Result<bool, StoreError> {
        match self.group.layer.get(table, key) {
            Some(found) => Ok(found == value),
            None => Ok(self.view.ask(&mut Get { table, key: key.to_vec() })?.as_deref() == value),
        }
    }

    fn index(&mut self, steps: Vec<index::Step>) {
        for (table, key, put) in steps {
            self.group.set(table, key, put.then(Vec::new));
        }
    }
}

fn remember(state: &mut ConvState, entries: &[(u64, Bytes)]) {
    for (seq, frame) in entries {
        state.last_seq = state.last_seq.max(*seq);
        if let Some(id) = check::remembered_id(&frame[RECORD_HEADER..]) {
            state.ids.insert(&id, *seq);
        }
    }
}

/// State of a conversation for the cache.
struct StateOf {
    conv: ConvId,
    rev: Option<u32>,
    state: ConvState,
}

impl Question for StateOf {
    type Answer = ConvState;

    fn in_memory(&mut self, layers: Layers<'_>) -> Option<ConvState> {
        (self.rev, self.state) = (None, ConvState::default());
        let (layers, mut whole) = layers.of_conversation(self.conv);
        let erased = whole;
        for layer in layers {
            self.rev = self.rev.or(layer.rows.get(&self.conv).map(|(rev, _)| *rev));
            if let Some(records) = layer.records.get(&self.conv) {
                whole |= records.appended == Some(1);
                remember(&mut self.state, &records.entries);
            }
        }
        self.state.rev = self.rev.unwrap_or_default();
        (erased || whole && self.rev.is_some()).then(|| std::mem::take(&mut self.state))
    }

    fn in_database(&mut self, txn: &ReadTransaction) -> Result<ConvState, StoreError> {
        let mut state = std::mem::take(&mut self.state);
        if self.rev.is_none() {
            state.rev = tables::row(txn, self.conv)?.map_or(0, |(rev, _)| rev);
        }
        let records = txn.open_table(tables::RECORDS).map_err(map_db_error)?;
        state.last_seq = state.last_seq.max(blocks::last(&records, self.conv)?);
        let ids = txn.open_table(tables::IDS).map_err(map_db_error)?;
        blocks::ids(&ids, self.conv, |id, seq| {
            state.ids.insert(&id, seq);
        })?;
        Ok(state)
    }
}

/// Checks and writes one batch. An error means that the group is lost, not that the batch was refused.
pub(super) fn apply(
    draft: &mut Draft<'_>,
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
        Some(conv) => cache.get(conv, || draft.load(conv))?,
        None => &mut nothing,
    };
    match validate(draft, state, &batch)? {
        Some(refusal) => Ok(refusal),
        None => write(draft, state, batch, origin, at_ms),
    }
}

/// Why the batch can't be written, if it can't.
fn validate(draft: &mut Draft<'_>, state: &ConvState, batch: &Batch) -> Result<Option<Verdict>, StoreError> {
    // shape() saw to it that without a conversation nothing below asks for its id
    let conv = batch.conv.unwrap_or(ConvId([0; 16]));
    for body in check::appended(&batch.ops) {
        let Some(id) = check::remembered_id(body) else { continue };
        for seq in state.ids.candidates(&id) {
            let frame = draft.record(conv, seq)?.ok_or_else(|| lost(conv, seq))?;
            if check::remembered_id(&frame[RECORD_HEADER..]) == Some(id) {
                return Ok(Some(Verdict::Duplicate { seq, frame }));
            }
        }
    }
    if check::appended(&batch.ops).count() as u64 > ids::MOST - state.last_seq {
        return Ok(Some(Verdict::refused(batch, StoreError::Invalid("a conversation cannot have more records"))));
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
                    None => draft.holds(*table, key, value.as_deref())?,
                };
                (!holds).then_some(StoreError::Conflict)
            }
            Op::Redact { seq, body } => {
                let kept = if *seq > state.last_seq {
                    check::appended(before).nth((seq - state.last_seq - 1) as usize).map(check::remembered_id)
                } else {
                    draft.record(conv, *seq)?.map(|frame| check::remembered_id(&frame[RECORD_HEADER..]))
                };
                match kept {
                    None => Some(StoreError::Invalid("no such record to replace")),
                    Some(id) if id != check::remembered_id(body) => {
                        Some(StoreError::Invalid("a tombstone has the id of what it replaces"))
                    }
                    Some(_) => None,
                }
            }
            Op::Put { .. } | Op::Delete { .. } | Op::Row { .. } | Op::Append { .. } | Op::Marks { .. } => None,
            Op::Erase { last_seq, .. } => (*last_seq != state.last_seq).then_some(StoreError::Conflict),
        };
        if let Some(error) = refusal {
            return Ok(Some(Verdict::refused(batch, error)));
        }
    }
    Ok(None)
}

/// Adds what [`validate`] allowed to the group.
fn write(
    draft: &mut Draft<'_>,
    state: &mut ConvState,
    batch: Batch,
    origin: u64,
    at_ms: u64,
) -> Result<Verdict, StoreError> {
    let conv = batch.conv.unwrap_or(ConvId([0; 16]));
    let published = batch.conv.filter(|_| !check::only_marks(&batch));
    let (mut row, mut records, mut seqs, mut redacted) = (None, Vec::new(), Vec::new(), Vec::new());
    for op in batch.ops {
        match op {
            Op::Expect { .. } => {}
            Op::Put { table, key, value } => {
                draft.group.set(table, key, Some(value));
            }
            Op::Delete { table, key } => {
                draft.group.set(table, key, None);
            }
            Op::Row { value, facts } => {
                if let Some(change) = facts {
                    draft.index(index::steps(conv, &change));
                }
                state.rev += 1;
                draft.group.row(conv, state.rev, value.clone());
                row = Some(value);
            }
            Op::Append { body, .. } => {
                let seq = state.last_seq + 1;
                let frame = Bytes::from(encode_record(seq, at_ms, &body));
                draft.group.record(conv, seq, frame.clone(), true);
                state.last_seq = seq;
                if let Some(id) = check::remembered_id(&body) {
                    state.ids.insert(&id, seq);
                }
                records.push(frame);
                seqs.push(seq);
            }
            Op::Redact { seq, body } => {
                let old = draft.record(conv, seq)?.ok_or_else(|| lost(conv, seq))?;
                // seq ‖ at of the old frame, then the tombstone: the time stays
                let mut frame = Vec::with_capacity(RECORD_HEADER + body.len());
                frame.extend_from_slice(&old[..RECORD_HEADER]);
                frame.extend_from_slice(&body);
                draft.group.record(conv, seq, frame.into(), false);
                redacted.push(seq);
            }
            Op::Marks { side, marks } => {
                draft.group.set(Table::Receipt, index::marks_key(conv, side), Some(index::encode_marks(marks)));
            }
            Op::Erase { facts, .. } => {
                draft.index(index::erasure(conv, facts.as_deref()));
                draft.group.erase(conv);
                *state = ConvState::default();
            }
        }
    }
    let commit = published.map(|conv| Commit { origin, conv, rev: state.rev, row, records, redacted });
    Ok(Verdict::Written { written: Written { seqs, at_ms, rev: state.rev }, commit })
}

fn lost(conv: ConvId, seq: u64) -> StoreError {
    StoreError::Corrupt(format!("record {seq} of conversation {conv} is missing"))
}
