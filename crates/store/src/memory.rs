//! The store in memory: the reference that the real one is compared with, and the store for tests of other modules.
//!
//! Everything happens at once inside [`Store::try_submit`], so its queue is never full. Nothing survives the process.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, ready};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::mpsc;

use super::{
    Batch, Commit, Feed, Head, Op, Outcome, Pair, Reading, Reply, Store, StoreError, StoredRecord, Table, Written,
    check, index,
};
use kefu_proto::{ConvId, Generation, Marks, MsgId, RECORD_HEADER, RecordView, encode_record};

/// A store in memory, for tests.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    generation: Generation,
}

#[derive(Debug)]
struct State {
    small: Small,
    convs: HashMap<ConvId, Conv>,
    clock: check::CommitClock,
    /// None once closed.
    feed: Option<mpsc::UnboundedSender<Vec<Outcome>>>,
}

type Small = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

fn set_index(small: &mut Small, steps: Vec<index::Step>) {
    for (table, key, put) in steps {
        match put {
            true => drop(small.insert((table, key), Vec::new())),
            false => drop(small.remove(&(table, key))),
        }
    }
}

#[derive(Debug, Default, Clone)]
struct Conv {
    rev: u32,
    row: Bytes,
    marks: [Marks; 2],
    /// Frames; the record with seq n is at index n - 1.
    records: Vec<Bytes>,
    ids: HashMap<MsgId, u64>,
}

impl Conv {
    fn frame(&self, seq: u64) -> Option<&Bytes> {
        self.records.get(usize::try_from(seq).ok()?.checked_sub(1)?)
    }
}

/// A commit's parts, before it is published.
struct Applied {
    written: Written,
    commit: Option<Commit>,
}

enum Refusal {
    Error(StoreError),
    Duplicate { seq: u64, frame: Bytes },
}

impl From<StoreError> for Refusal {
    fn from(e: StoreError) -> Self {
        Self::Error(e)
    }
}

impl MemoryStore {
    /// An empty store and its feed.
    pub fn open() -> (Arc<Self>, Feed) {
        let (feed, rx) = mpsc::unbounded_channel();
        let schema = ((Table::Meta, check::SCHEMA_KEY.to_vec()), check::SCHEMA_VERSION.to_be_bytes().to_vec());
        let state = State {
            small: BTreeMap::from([schema]),
            convs: HashMap::new(),
            clock: check::CommitClock::default(),
            feed: Some(feed),
        };
        (Arc::new(Self { state: Mutex::new(state), generation: super::draw() }), rx)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // a panic between check and apply can't happen, so a poisoned state is still whole
        self.state.lock()
    }
}

impl State {
    fn check(&self, batch: &Batch) -> Result<(), Refusal> {
        check::shape(batch)?;
        let nothing = Conv::default();
        let conv = batch.conv.and_then(|id| self.convs.get(&id)).unwrap_or(&nothing);
        for body in check::appended(&batch.ops) {
            if let Some(&seq) = check::remembered_id(body).as_ref().and_then(|id| conv.ids.get(id)) {
                return Err(Refusal::Duplicate { seq, frame: conv.frame(seq).cloned().unwrap_or_default() });
            }
        }
        if batch.rev.is_some_and(|rev| rev != conv.rev) {
            return Err(StoreError::Conflict.into());
        }
        for (i, op) in batch.ops.iter().enumerate() {
            let before = &batch.ops[..i];
            match op {
                Op::Expect { table, key, value } => {
                    let stored = || self.small.get(&(*table, key.clone())).map(Vec::as_slice);
                    if check::left_by(before, *table, key).unwrap_or_else(stored) != value.as_deref() {
                        return Err(StoreError::Conflict.into());
                    }
                }
                Op::Redact { seq, body } => {
                    let stored = conv.records.iter().map(|frame| &frame[RECORD_HEADER..]);
                    let mut all = stored.chain(check::appended(before));
                    let at = usize::try_from(seq.wrapping_sub(1)).unwrap_or(usize::MAX);
                    let old = all.nth(at).ok_or(StoreError::Invalid("no such record to replace"))?;
                    if check::remembered_id(old) != check::remembered_id(body) {
                        return Err(StoreError::Invalid("a tombstone has the id of what it replaces").into());
                    }
                }
                Op::Put { .. } | Op::Delete { .. } | Op::Row { .. } | Op::Append { .. } | Op::Marks { .. } => {}
                Op::Erase { last_seq, .. } if *last_seq != conv.records.len() as u64 => {
                    return Err(StoreError::Conflict.into());
                }
                Op::Erase { .. } => {}
            }
        }
        Ok(())
    }

    /// Does what [`State::check`] allowed.
    fn apply(&mut self, batch: Batch, origin: u64) -> Applied {
        let at_ms = self.clock.now_ms();
        let published = batch.conv.filter(|_| !check::only_marks(&batch));
        let mut none = Conv::default();
        let conv = match batch.conv {
            Some(id) => self.convs.entry(id).or_default(),
            None => &mut none,
        };
        let (mut row, mut records, mut seqs, mut redacted) = (None, Vec::new(), Vec::new(), Vec::new());
        for op in batch.ops {
            match op {
                Op::Expect { .. } => {}
                Op::Put { table, key, value } => {
                    self.small.insert((table, key), value);
                }
                Op::Delete { table, key } => {
                    self.small.remove(&(table, key));
                }
                Op::Row { value, facts } => {
                    if let (Some(id), Some(change)) = (batch.conv, facts) {
                        set_index(&mut self.small, index::steps(id, &change));
                    }
                    conv.rev += 1;
                    conv.row = value.clone();
                    row = Some(value);
                }
                Op::Marks { side, marks } => conv.marks[side as usize] = marks,
                Op::Append { body, .. } => {
                    let seq = conv.records.len() as u64 + 1;
                    let frame = Bytes::from(encode_record(seq, at_ms, &body));
                    conv.ids.extend(check::remembered_id(&body).map(|id| (id, seq)));
                    conv.records.push(frame.clone());
                    records.push(frame);
                    seqs.push(seq);
                }
                Op::Redact { seq, body } => {
                    let frame = &mut conv.records[seq as usize - 1];
                    let mut new = frame[..RECORD_HEADER].to_vec();
                    new.extend_from_slice(&body);
                    *frame = new.into();
                    redacted.push(seq);
                }
                Op::Erase { facts, .. } => {
                    if let Some(id) = batch.conv {
                        set_index(&mut self.small, index::erasure(id, facts.as_deref()));
                    }
                    *conv = Conv::default();
                }
            }
        }
        let rev = conv.rev;
        let commit = published.map(|conv| Commit { origin, conv, rev, row, records, redacted });
        Applied { written: Written { seqs, at_ms, rev }, commit }
    }
}

impl Store for MemoryStore {
    fn try_submit(&self, batch: Batch, reply: Reply) -> Result<(), (StoreError, Batch, Reply)> {
        let mut state = self.state();
        let Some(feed) = state.feed.clone() else { return Err((StoreError::Closed, batch, reply)) };
        let origin = if let Reply::Feed(n) = &reply { *n } else { 0 };
        let (conv, id) = (batch.conv, check::name(&batch));
        let result = state.check(&batch).map(|()| state.apply(batch, origin));
        let (outcome, answer) = match result {
            Ok(Applied { written, commit }) => (commit.map(Outcome::Committed), Ok(written)),
            Err(Refusal::Duplicate { seq, frame }) => {
                (Some(Outcome::Duplicate { origin, frame }), Err(StoreError::Duplicate { seq }))
            }
            Err(Refusal::Error(error)) => {
                (Some(Outcome::Refused { origin, conv, id, error: error.clone() }), Err(error))
            }
        };
        // the receivers may be gone, which is no error
        match reply {
            Reply::Feed(_) => drop(outcome.map(|o| feed.send(vec![o]))),
            Reply::Wait(tx) => {
                let commit = outcome.filter(|o| matches!(o, Outcome::Committed(_)));
                drop(commit.map(|o| feed.send(vec![o])));
                drop(tx.send(answer));
            }
        }
        Ok(())
    }

    fn wait_for_capacity(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> Reading<'a, Option<Vec<u8>>> {
        let found = self.state().small.get(&(table, key.to_vec())).cloned();
        ready(Ok(found)).boxed()
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        descending: bool,
        limit: usize,
    ) -> Reading<'a, Vec<Pair>> {
        let state = self.state();
        let begins = state.small.range((table, prefix.to_vec())..);
        let mut all: Vec<Pair> = begins
            .take_while(|((t, key), _)| *t == table && key.starts_with(prefix))
            .filter(|((_, key), _)| match after {
                Some(after) if descending => key.as_slice() < after,
                Some(after) => key.as_slice() > after,
                None => true,
            })
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect();
        if descending {
            all.reverse();
        }
        all.truncate(limit);
        ready(Ok(all)).boxed()
    }

    fn head(&self, conv: ConvId) -> Reading<'_, Option<Head>> {
        let state = self.state();
        let head = state.convs.get(&conv).filter(|c| c.rev > 0).map(|c| Head {
            rev: c.rev,
            last_seq: c.records.len() as u64,
            last_at_ms: c.records.last().and_then(|frame| RecordView::parse(frame)).map_or(0, |record| record.at_ms),
            bytes: c.records.iter().map(|frame| frame.len() as u64).sum(),
            marks: c.marks,
            value: c.row.clone(),
        });
        ready(Ok(head)).boxed()
    }

    fn page(&self, conv: ConvId, after: u64, limit: usize, bytes: usize) -> Reading<'_, Vec<StoredRecord>> {
        let state = self.state();
        let mut page = check::Page::new(limit, bytes);
        if let Some(conv) = state.convs.get(&conv) {
            let skip = usize::try_from(after).unwrap_or(usize::MAX);
            (1..).zip(conv.records.iter().cloned()).skip(skip).all(|record| page.push(record));
        }
        ready(Ok(page.records)).boxed()
    }

    fn generation(&self) -> Generation {
        self.generation
    }

    fn size_bytes(&self) -> u64 {
        0
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.state().feed = None;
        ready(()).boxed()
    }
}
