//! The conversations in use, in memory, and which conversations are open. What changes a conversation goes through
//! [`ConversationCache::change`], which holds against whatever else changes it.

use std::{collections::BTreeSet, sync::Arc};

use foldhash::HashMap;

use crate::{
    proto::{ConvId, ConvState, ErrorCode, Owner},
    store::{self, Batch, Op, Store, StoreError, Table},
};
use parking_lot::{Mutex, MutexGuard};

use super::{RequestError, conversation::CachedConversation, row::Row};

const SHARDS: usize = 64;

/// A conversation in memory, shared.
pub type Shared = Arc<Mutex<CachedConversation>>;

type Shard = Mutex<HashMap<ConvId, Shared>>;

/// Conversations in memory over the store they are read from.
pub(super) struct ConversationCache {
    store: Arc<dyn Store>,
    shards: Box<[Shard]>,
    open: Mutex<BTreeSet<ConvId>>,
}

impl ConversationCache {
    /// A cache without conversations.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, shards: (0..SHARDS).map(|_| Shard::default()).collect(), open: Mutex::default() }
    }

    fn shard(&self, conv: ConvId) -> MutexGuard<'_, HashMap<ConvId, Shared>> {
        // ids are hashes, any byte spreads them
        self.shards[usize::from(conv.0[15]) % SHARDS].lock()
    }

    /// Which conversations are open.
    pub fn open(&self) -> Vec<ConvId> {
        self.open.lock().iter().copied().collect()
    }

    /// Whether a conversation is open.
    pub fn is_open(&self, conv: ConvId) -> bool {
        self.open.lock().contains(&conv)
    }

    /// Notes that a conversation was opened or closed. Empty ones are ignored.
    pub fn mark(&self, conv: ConvId, row: &Row) {
        match row.state {
            ConvState::Open if row.empty.is_none() => self.open.lock().insert(conv),
            ConvState::Open | ConvState::Closed => self.open.lock().remove(&conv),
        };
    }

    /// A conversation, read from the store if need be.
    pub fn get(&self, conv: ConvId) -> Result<Option<Shared>, StoreError> {
        let mut shard = self.shard(conv);
        if let Some(conversation) = shard.get(&conv) {
            return Ok(Some(conversation.clone()));
        }
        let Some(conversation) = CachedConversation::load(&*self.store, conv)? else { return Ok(None) };
        let conversation = Arc::new(Mutex::new(conversation));
        shard.insert(conv, conversation.clone());
        Ok(Some(conversation))
    }

    /// The conversation, or the refusal if there is none.
    pub fn require(&self, conv: ConvId) -> Result<Shared, RequestError> {
        self.get(conv)?.ok_or_else(RequestError::not_found)
    }

    /// The conversation if it is in memory.
    pub fn cached(&self, conv: ConvId) -> Option<Shared> {
        self.shard(conv).get(&conv).cloned()
    }

    /// Reads which conversations are open; those that wait for people come first.
    pub fn load_open(&self) -> Result<Vec<(ConvId, Row)>, StoreError> {
        let mut rows = Vec::new();
        for (key, _) in self.store.scan(Table::OpenConv, &[], None, false, usize::MAX)? {
            let Some(conv) = ConvId::from_slice(&key) else { continue };
            let Some(conversation) = self.get(conv)? else { continue };
            let row = conversation.lock().row.clone();
            self.mark(conv, &row);
            if row.empty.is_none() {
                rows.push((conv, row));
            }
        }
        rows.sort_by_key(|(_, row)| row.owner != Owner::Queue);
        Ok(rows)
    }

    /// Drops a conversation that was erased.
    pub fn forget(&self, conv: ConvId) {
        self.shard(conv).remove(&conv);
        self.open.lock().remove(&conv);
    }

    /// Drops closed conversations unless `followed` says that a client follows them.
    pub fn sweep(&self, followed: impl Fn(ConvId) -> bool) {
        for shard in &self.shards {
            shard.lock().retain(|conv, conversation| {
                let conversation = conversation.lock();
                (conversation.row.state == ConvState::Open && conversation.row.empty.is_none())
                    || conversation.marks_dirty
                    || followed(*conv)
            });
        }
    }

    /// Runs `step` on the newest state of a conversation and writes what it adds; repeats if another change was committed first.
    /// `step` returns the new row, or none if only its operations (perhaps none) are to be written.
    pub async fn change(
        &self,
        conv: ConvId,
        step: impl Fn(&mut CachedConversation, &mut Batch) -> Result<Option<Row>, RequestError> + Send,
    ) -> Result<(), RequestError> {
        const TRIES: usize = 8;
        for _ in 0..TRIES {
            let shared = self.require(conv)?;
            let batch = {
                let mut conversation = shared.lock();
                let mut batch = Batch { conv: Some(conv), rev: Some(conversation.rev), ops: Vec::new() };
                if let Some(row) = step(&mut conversation, &mut batch)? {
                    batch.ops.extend(conversation.missed_ops(&row));
                    batch.ops.insert(0, Op::Row { value: row.encode() });
                }
                batch
            };
            if batch.ops.is_empty() {
                return Ok(());
            }
            match store::write(&*self.store, batch).await {
                Ok(written) => {
                    // the feed may be behind; who asked sees their own change in what they ask next
                    if shared.lock().rev < written.rev
                        && let Err(e) = self.refresh(conv)
                    {
                        tracing::warn!(%conv, error = %e, "a changed conversation could not be read again");
                    }
                    return Ok(());
                }
                Err(StoreError::Conflict) => self.refresh(conv)?,
                Err(e) => return Err(e.into()),
            }
        }
        Err(RequestError::new(ErrorCode::Conflict, "this conversation is changing too fast; try again"))
    }

    /// Reads a row again after a conflict, in case the commit that caused it has not come through the feed yet.
    pub fn refresh(&self, conv: ConvId) -> Result<(), StoreError> {
        let Some(shared) = self.get(conv)? else { return Ok(()) };
        if let Some(now) = self.store.row(conv)? {
            let mut conversation = shared.lock();
            if now.rev > conversation.rev {
                (conversation.rev, conversation.row) = (now.rev, Row::decode(&now.value)?);
            }
        }
        Ok(())
    }
}
