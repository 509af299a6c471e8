//! Typing and receipts: who is where in a conversation. Receipts are stored, but never one by one, and what changes faster
//! than people can read is sent less often.

use futures_util::future::join_all;
use parking_lot::Mutex;

use crate::{
    hub::{Audience, Conn, Topic},
    proto::{ConvId, ConvState, Marks, Owner, ServerFrame, Side, StorageState},
    store::{self, Batch, Op, StoreError},
};

use super::{Chat, RequestError, conversation::Told, servers::Signal, text};

/// Receipts of one side are sent no more often than this; a busy reader's later ones wait for the next time that marks are
/// stored.
const RECEIPTS_MS: u64 = 300;
/// Continued typing is sent no more often than this,
const TYPING_MS: u64 = 1_000;
/// and that they began or stopped no more often than this: pages forget who types by themselves.
const TYPING_CHANGED_MS: u64 = 100;

/// Conversations whose receipts are not stored yet.
#[derive(Debug, Default)]
pub(super) struct PendingReceipts(Mutex<Vec<ConvId>>);

impl PendingReceipts {
    fn add(&self, conv: ConvId) {
        self.0.lock().push(conv);
    }

    fn take(&self) -> Vec<ConvId> {
        std::mem::take(&mut *self.0.lock())
    }
}

impl Chat {
    /// A socket received and read up to here. Only the owner's word counts for the agents' side.
    pub async fn seen(&self, conn: &Conn, conv: ConvId, delivered: u64, read: u64) -> Result<(), RequestError> {
        let shared = self.cache.require(conv).await?;
        let mut conversation = shared.lock();
        if !self.sees(&conn.who, &conversation) {
            return Err(RequestError::not_found());
        }
        let side = match conn.who.user() {
            None => Side::Visitor,
            Some(user) => match &conversation.row.owner {
                Owner::Agent(owner) if owner != user => return Ok(()),
                Owner::Queue | Owner::Robot => return Ok(()),
                _ => Side::Agent,
            },
        };
        let last = conversation.last;
        let marks = if side == Side::Visitor { &mut conversation.visitor_marks } else { &mut conversation.agent_marks };
        let read = read.min(last).max(marks.read);
        let new = Marks { delivered: delivered.min(last).max(marks.delivered).max(read), read };
        if new == *marks {
            return Ok(());
        }
        *marks = new;
        let told = &mut conversation.told_marks[side as usize];
        let now = self.now_ms();
        let tell = now.saturating_sub(told.at) >= RECEIPTS_MS;
        // the next call of `store_marks` sends what waits
        *told = if tell { Told { at: now, late: false } } else { Told { late: true, ..*told } };
        if !std::mem::replace(&mut conversation.marks_dirty, true) {
            self.pending_receipts.add(conv);
        }
        drop(conversation);
        if tell {
            self.tell_marks(conv, side, new, Some(conn.id));
        }
        Ok(())
    }

    fn tell_marks(&self, conv: ConvId, side: Side, marks: Marks, but: Option<u64>) {
        self.show_marks(conv, side, marks, but.map_or(Audience::Everyone, Audience::AllButSocket));
        self.signal(&Signal::Marks { conv, side, marks });
    }

    fn show_marks(&self, conv: ConvId, side: Side, marks: Marks, audience: Audience) {
        let frame = text(&ServerFrame::Receipt { conv, side, delivered: marks.delivered, read: marks.read });
        self.hub.tell(&Topic::Conv(conv), audience, &frame);
    }

    /// A socket of another server received and read so far.
    pub(super) fn marked_elsewhere(&self, conv: ConvId, side: Side, marks: Marks) {
        let Some(shared) = self.cache.cached(conv) else { return };
        {
            let mut conversation = shared.lock();
            let known = match side {
                Side::Visitor => &mut conversation.visitor_marks,
                Side::Agent => &mut conversation.agent_marks,
            };
            let new = Marks { delivered: known.delivered.max(marks.delivered), read: known.read.max(marks.read) };
            *known = new;
        }
        self.show_marks(conv, side, marks, Audience::Everyone);
    }

    /// Typing began or stopped: a bit for the others, stored nowhere.
    pub async fn typing(&self, conn: &Conn, conv: ConvId, on: bool) -> Result<(), RequestError> {
        let shared = self.cache.require(conv).await?;
        let mut conversation = shared.lock();
        if !self.sees(&conn.who, &conversation) || conversation.row.state == ConvState::Closed {
            return Ok(());
        }
        let side = if conn.who.user().is_some() { Side::Agent } else { Side::Visitor };
        if side == Side::Visitor && self.org.blocked_until(conversation.visitor, self.now_ms()).is_some() {
            return Ok(());
        }
        let (told, now) = (&mut conversation.told_typing[side as usize], self.now_ms());
        let pause = if told.0 == on { TYPING_MS } else { TYPING_CHANGED_MS };
        if now.saturating_sub(told.1) < pause {
            return Ok(());
        }
        *told = (on, now);
        drop(conversation);
        let frame = ServerFrame::Typing { conv, side, user: conn.who.user().cloned(), on };
        self.tell(&Topic::Conv(conv), Audience::AllButKey(conn.who.kid()), &frame);
        Ok(())
    }

    /// Writes the marks that changed since the last call, and sends what was not sent yet.
    pub async fn store_marks(&self) {
        if self.store.space() == StorageState::Full {
            // they wait in memory
            return;
        }
        let dirty = self.pending_receipts.take();
        let mut writes = Vec::new();
        for conv in dirty {
            let Some(shared) = self.cache.cached(conv) else { continue };
            let mut conversation = shared.lock();
            conversation.marks_dirty = false;
            let mut batch = Batch { conv: Some(conv), rev: Some(conversation.rev), ops: Vec::with_capacity(2) };
            for (side, marks) in [(Side::Visitor, conversation.visitor_marks), (Side::Agent, conversation.agent_marks)]
            {
                if std::mem::take(&mut conversation.told_marks[side as usize].late) {
                    self.tell_marks(conv, side, marks, None);
                }
                batch.ops.push(Op::Marks { side, marks });
            }
            writes.push(async move { (conv, store::write(&*self.store, batch).await) });
        }
        // together, so that the disk is waited for once
        for (conv, written) in join_all(writes).await {
            match written {
                Ok(_) => {}
                Err(StoreError::Unwritable | StoreError::Conflict) => self.store_marks_later(conv),
                // a lost receipt shows a message as unread again, nothing worse
                Err(e) => tracing::warn!(%conv, error = %e, "receipts were not stored"),
            }
        }
    }

    fn store_marks_later(&self, conv: ConvId) {
        let Some(shared) = self.cache.cached(conv) else { return };
        if !std::mem::replace(&mut shared.lock().marks_dirty, true) {
            self.pending_receipts.add(conv);
        }
    }
}
