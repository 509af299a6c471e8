//! The conversations in use, in memory, and which conversations are open. What changes a conversation goes through
//! [`ConversationCache::change`], which holds against whatever else changes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use foldhash::HashMap;
use futures_util::{StreamExt, stream};

use crate::{
    bus::BoxKid,
    proto::{ConvId, ConvState, ErrorCode},
    store::{self, Batch, Store, StoreError},
};
use parking_lot::{Mutex, MutexGuard};

use super::{
    RequestError,
    conversation::CachedConversation,
    followers::{Followers, Following},
    row::{PublishedRow, Row},
};

const SHARDS: usize = 64;
/// Conversations read together.
const AT_ONCE: usize = 500;

/// A conversation in memory, shared.
pub type Shared = Arc<Mutex<CachedConversation>>;

/// A conversation with what keeps it up to date.
struct Entry {
    conversation: Shared,
    _following: Following,
}

impl Entry {
    fn new(conversation: CachedConversation, following: Following) -> Self {
        Self { conversation: Arc::new(Mutex::new(conversation)), _following: following }
    }
}

#[derive(Default)]
struct Shard {
    conversations: HashMap<ConvId, Entry>,
    /// Commits about conversations that were not here. Whatever was read before one of them may lack it.
    passed: u64,
}

/// What came of a change.
pub(super) enum Change {
    /// It is stored, or there was nothing to store.
    Written,
    /// A message with one of its ids was there already; nothing was written.
    Duplicate(StoreError),
}

/// Conversations in memory over the store they are read from. Where other servers write, too, each of them is followed.
pub(super) struct ConversationCache {
    store: Arc<dyn Store>,
    shards: Box<[Mutex<Shard>]>,
    open: Mutex<BTreeMap<ConvId, PublishedRow>>,
    /// Until when conversations are put aside, ms.
    snoozed: Mutex<BTreeMap<ConvId, u64>>,
    followers: Followers,
}

impl ConversationCache {
    /// A cache without conversations.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            followers: Followers::of(store.clone()),
            store,
            shards,
            open: Mutex::default(),
            snoozed: Mutex::default(),
        }
    }

    fn shard(&self, conv: ConvId) -> MutexGuard<'_, Shard> {
        // ids are hashes, any byte spreads them
        self.shards[usize::from(conv.0[15]) % SHARDS].lock()
    }

    /// Which conversations are open.
    pub fn open(&self) -> Vec<ConvId> {
        self.open.lock().keys().copied().collect()
    }

    /// Which conversations are open and began at this time or before it.
    pub fn open_since(&self, at_ms: u64) -> Vec<ConvId> {
        let open = self.open.lock();
        open.iter().filter(|(_, row)| row.created <= at_ms).map(|(conv, _)| *conv).collect()
    }

    /// Whether a conversation is open.
    pub fn is_open(&self, conv: ConvId) -> bool {
        self.open.lock().contains_key(&conv)
    }

    /// What was noted of all that are open; those that wait for people come first.
    pub fn all_published(&self) -> Vec<(ConvId, PublishedRow)> {
        let mut all: Vec<_> = self.open.lock().iter().map(|(conv, row)| (*conv, row.clone())).collect();
        all.sort_by_key(|(_, row)| !row.waits());
        all
    }

    /// Open conversations that are the robot's, with the day key that each is sealed to, if that is known.
    pub fn robots(&self) -> Vec<(ConvId, Option<BoxKid>)> {
        let open = self.open.lock();
        open.iter().filter(|(_, row)| row.is_robots()).map(|(conv, row)| (*conv, row.day_key())).collect()
    }

    /// Conversations that were put aside until this time or an earlier one.
    pub fn snoozed_until(&self, at_ms: u64) -> Vec<ConvId> {
        self.snoozed.lock().iter().filter(|(_, until)| **until <= at_ms).map(|(conv, _)| *conv).collect()
    }

    /// What was noted of an open conversation.
    pub fn published(&self, conv: ConvId) -> Option<PublishedRow> {
        self.open.lock().get(&conv).cloned()
    }

    /// Has every commit of a conversation come here while the guard lives.
    pub async fn follow(&self, conv: ConvId) -> Result<Following, StoreError> {
        let (following, _) = self.followers.follow(conv).await?;
        Ok(following)
    }

    /// Notes that a conversation was opened or closed. Empty ones are ignored.
    pub fn mark(&self, conv: ConvId, row: &Row) {
        match row.snoozed.filter(|_| row.state == ConvState::Open) {
            Some(until) => self.snoozed.lock().insert(conv, until),
            None => self.snoozed.lock().remove(&conv),
        };
        match row.state {
            ConvState::Open if row.empty.is_none() => self.open.lock().insert(conv, PublishedRow::of(row)),
            ConvState::Open | ConvState::Closed => self.open.lock().remove(&conv),
        };
    }

    /// A conversation, read from the store if need be.
    pub async fn get(&self, conv: ConvId) -> Result<Option<Shared>, StoreError> {
        loop {
            let passed = {
                let shard = self.shard(conv);
                if let Some(entry) = shard.conversations.get(&conv) {
                    return Ok(Some(entry.conversation.clone()));
                }
                shard.passed
            };
            let (following, head) = self.followers.follow(conv).await?;
            let Some(head) = head else { return Ok(None) };
            let read = CachedConversation::stored(conv, head)?;
            let mut shard = self.shard(conv);
            if shard.passed == passed {
                let entry = shard.conversations.entry(conv).or_insert_with(|| Entry::new(read, following));
                return Ok(Some(entry.conversation.clone()));
            }
        }
    }

    /// Those of these conversations that were not in memory and are now, while they are held. What can't be read is not
    /// among them.
    pub async fn read_ahead(&self, convs: BTreeSet<ConvId>) -> Vec<Shared> {
        let unread = convs.into_iter().filter(|conv| self.cached(*conv).is_none());
        let reads = stream::iter(unread.map(|conv| self.get(conv))).buffer_unordered(AT_ONCE);
        let read: Vec<_> = reads.collect().await;
        read.into_iter().filter_map(|read| read.ok().flatten()).collect()
    }

    /// The conversation, or the refusal if there is none.
    pub async fn require(&self, conv: ConvId) -> Result<Shared, RequestError> {
        self.get(conv).await?.ok_or_else(RequestError::not_found)
    }

    /// The conversation if it is in memory.
    pub fn cached(&self, conv: ConvId) -> Option<Shared> {
        self.shard(conv).conversations.get(&conv).map(|entry| entry.conversation.clone())
    }

    /// The conversation of a commit if it is in memory; if it is being read, it is read again.
    pub fn cached_for_commit(&self, conv: ConvId) -> Option<Shared> {
        let mut shard = self.shard(conv);
        let found = shard.conversations.get(&conv).map(|entry| entry.conversation.clone());
        shard.passed += u64::from(found.is_none());
        found
    }

    /// Looks at each of these conversations that is there. What is not in memory is read and not kept.
    pub async fn look_at<T>(
        &self,
        convs: &[ConvId],
        look: impl Fn(&CachedConversation) -> Option<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut seen: Vec<Option<T>> = Vec::with_capacity(convs.len());
        let mut unread = Vec::new();
        for (n, conv) in convs.iter().enumerate() {
            let cached = self.cached(*conv);
            if cached.is_none() {
                unread.push((n, *conv));
            }
            seen.push(cached.and_then(|conversation| look(&conversation.lock())));
        }
        for some in unread.chunks(AT_ONCE) {
            let heads = self.store.heads(some.iter().map(|(_, conv)| *conv).collect()).await?;
            for ((n, conv), head) in some.iter().zip(heads) {
                let Some(head) = head else { continue };
                seen[*n] = look(&CachedConversation::stored(*conv, head)?);
            }
        }
        Ok(seen.into_iter().flatten().collect())
    }

    /// Reads which conversations are open, before anything is committed.
    pub async fn load_open(&self) -> Result<(), StoreError> {
        for convs in self.store.open_conversations().await?.chunks(AT_ONCE) {
            let heads = self.store.heads(convs.to_vec()).await?;
            for (&conv, head) in convs.iter().zip(heads) {
                let Some(head) = head else { continue };
                let conversation = CachedConversation::stored(conv, head)?;
                let row = conversation.row.clone();
                if let Some(following) = self.followers.of_all(conv) {
                    self.shard(conv).conversations.insert(conv, Entry::new(conversation, following));
                }
                self.mark(conv, &row);
            }
        }
        Ok(())
    }

    /// Drops a conversation that was erased.
    pub fn forget(&self, conv: ConvId) {
        let mut shard = self.shard(conv);
        shard.conversations.remove(&conv);
        shard.passed += 1;
        drop(shard);
        self.open.lock().remove(&conv);
        self.snoozed.lock().remove(&conv);
    }

    /// Drops conversations unless `listened` says that a client listens to them. Open ones stay if nobody else writes here.
    pub fn sweep(&self, listened: impl Fn(ConvId) -> bool) {
        let keeps_open = !self.store.is_shared();
        for shard in &self.shards {
            shard.lock().conversations.retain(|conv, Entry { conversation, .. }| {
                // whoever holds it may be about to listen to it
                let held = Arc::strong_count(conversation) > 1;
                let conversation = conversation.lock();
                (keeps_open && conversation.row.state == ConvState::Open && conversation.row.empty.is_none())
                    || conversation.marks_dirty
                    || held
                    || listened(*conv)
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
        match self.change_once(conv, step).await? {
            Change::Written => Ok(()),
            Change::Duplicate(e) => Err(e.into()),
        }
    }

    /// The same, where what is appended may be there already.
    pub async fn change_once(
        &self,
        conv: ConvId,
        step: impl Fn(&mut CachedConversation, &mut Batch) -> Result<Option<Row>, RequestError> + Send,
    ) -> Result<Change, RequestError> {
        const TRIES: usize = 8;
        for _ in 0..TRIES {
            let shared = self.require(conv).await?;
            let batch = {
                let mut conversation = shared.lock();
                let mut batch = Batch { conv: Some(conv), rev: Some(conversation.rev), ops: Vec::new() };
                if let Some(row) = step(&mut conversation, &mut batch)? {
                    batch.ops.insert(0, conversation.row_op(&row));
                }
                batch
            };
            if batch.ops.is_empty() {
                return Ok(Change::Written);
            }
            match store::write(&*self.store, batch).await {
                Ok(written) => {
                    // the feed may be behind; who asked sees their own change in what they ask next
                    let behind = shared.lock().rev < written.rev;
                    if behind && let Err(e) = self.refresh(conv).await {
                        tracing::warn!(%conv, error = %e, "a changed conversation could not be read again");
                    }
                    return Ok(Change::Written);
                }
                Err(StoreError::Conflict) => self.refresh(conv).await?,
                Err(e @ StoreError::Duplicate { .. }) => return Ok(Change::Duplicate(e)),
                Err(e) => return Err(e.into()),
            }
        }
        Err(RequestError::new(ErrorCode::Conflict, "this conversation is changing too fast; try again"))
    }

    /// Reads a row again after a conflict, in case the commit that caused it has not come through the feed yet.
    pub async fn refresh(&self, conv: ConvId) -> Result<(), StoreError> {
        self.newest(conv).await.map(|_| ())
    }

    /// Reads a row again; its revision in the store, none if it isn't there.
    pub async fn newest(&self, conv: ConvId) -> Result<Option<u32>, StoreError> {
        let (Some(shared), Some(now)) = (self.get(conv).await?, self.store.head(conv).await?) else { return Ok(None) };
        let mut conversation = shared.lock();
        if now.rev > conversation.rev {
            (conversation.rev, conversation.row) = (now.rev, Row::decode(&now.value)?);
        }
        Ok(Some(now.rev))
    }
}
