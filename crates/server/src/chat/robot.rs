//! What conversations know of the robot: that it takes part, and its transactions. Each holds only while it is the owner, checked
//! in the same compare-and-set as every change of owner: its messages are stored before a hand-over or not at all.
//!
//! Reading, deciding and sealing are the work of `robot::participant`, which is notified through [`Participant`].

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use super::{
    Chat, RequestError,
    cache::{Change, Shared},
    close::append,
    conversation::CachedConversation,
    row::Row,
};
use crate::{
    bus::BoxKid,
    hub::{Audience, Topic},
    proto::{
        ConvId, ConvState, ErrorCode, Event, HeaderView, Kind, MsgId, Owner, OwnerWhy, Presence, RecordView,
        ServerFrame, Side, TeamId,
    },
    store::{Batch, Op, StoreError},
};

/// A member of conversations inside the server.
pub trait Participant: Send + Sync + 'static {
    /// Something was committed in a conversation: its row, or something the visitor wrote while the robot owns it. Never waits.
    fn committed(&self, conversation: &CachedConversation, row_changed: bool, visitor_wrote: bool);
    /// It should look at this conversation again. Never waits.
    fn look_at(&self, conv: ConvId);
    /// A conversation that is perhaps not in memory has this row now. Never waits.
    fn noticed(&self, conv: ConvId, row: &Row);
    /// A conversation is gone, or the end of it. Never waits.
    fn forget(&self, conv: ConvId);
}

/// A server without a robot.
#[derive(Debug)]
pub struct NoParticipant;

impl Participant for NoParticipant {
    fn committed(&self, _: &CachedConversation, _: bool, _: bool) {}
    fn look_at(&self, _: ConvId) {}
    fn noticed(&self, _: ConvId, _: &Row) {}
    fn forget(&self, _: ConvId) {}
}

/// A conversation that stays in memory, and up to date, while this lives.
#[derive(Clone)]
pub struct Pin(Shared);

impl Pin {
    /// Its row now.
    pub fn row(&self) -> Row {
        self.0.lock().row.clone()
    }
}

/// What came of posting an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// It is stored.
    Now,
    /// What it answers was answered before: by another process, or by a try whose outcome was not heard.
    Before,
}

/// Numbers for `kefu stats`, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct RobotCounts {
    /// Answers posted.
    pub answers: u64,
    /// Conversations handed over.
    pub handed_over: u64,
}

/// The same while they are counted.
#[derive(Debug, Default)]
pub(super) struct RobotCounters {
    answers: AtomicU64,
    handed_over: AtomicU64,
}

/// A sealed answer of the robot.
#[derive(Debug)]
pub struct RobotReply {
    /// Epoch it was sealed under.
    pub epoch: u32,
    /// Envelopes with their ids, to be posted together.
    pub envelopes: Vec<(MsgId, Vec<u8>)>,
    /// Whether the conversation goes to the queue with them.
    pub leaves: bool,
}

/// A conversation as it was at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The stored row.
    pub row: Row,
    /// Highest sequence number.
    pub last: u64,
    /// The visitor's key by hash.
    pub visitor: crate::proto::Kid,
}

/// Whether a visitor wrote one of these records; looked at only where the robot would care.
pub(super) fn visitor_wrote(conversation: &CachedConversation, records: &[Bytes]) -> bool {
    let theirs = |frame: &Bytes| {
        let header = RecordView::parse(frame).and_then(|r| HeaderView::parse(r.body).ok());
        header.is_some_and(|(kind, h)| kind == Kind::Message && h.sender() == conversation.visitor)
    };
    conversation.row.owner == Owner::Robot && records.iter().any(theirs)
}

impl Chat {
    /// What the robot did since the start.
    pub fn robot_counts(&self) -> RobotCounts {
        RobotCounts {
            answers: self.robot_counters.answers.load(Ordering::Relaxed),
            handed_over: self.robot_counters.handed_over.load(Ordering::Relaxed),
        }
    }

    /// A conversation as it is now, whatever the feed has said of it yet.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn stored_snapshot(&self, conv: ConvId) -> Result<Option<Snapshot>, StoreError> {
        let Some(now) = self.snapshot(conv).await? else { return Ok(None) };
        let Some(head) = self.store.head(conv).await? else { return Ok(None) };
        Ok(Some(Snapshot { row: Row::decode(&head.value)?, last: head.last_seq, ..now }))
    }

    /// Keeps a conversation in memory and hears of everything in it, whoever else does.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn pin(&self, conv: ConvId) -> Result<Option<Pin>, StoreError> {
        Ok(self.cache.get(conv).await?.map(Pin))
    }

    /// Whether several servers share the conversations: then the robot of another one may have them.
    pub fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    /// Day keys that other servers hold.
    pub fn day_keys_elsewhere(&self) -> Arc<BTreeSet<BoxKid>> {
        self.bus.day_keys().borrow().clone()
    }

    /// The day keys here are others than before.
    pub fn day_keys_changed(&self) {
        self.bus.day_keys_changed();
    }

    /// Open conversations that are the robot's, with the day key that each is sealed to, if that is known.
    pub fn robots_by_day(&self) -> Vec<(ConvId, Option<BoxKid>)> {
        self.cache.robots()
    }

    /// A conversation as it is now.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn snapshot(&self, conv: ConvId) -> Result<Option<Snapshot>, StoreError> {
        let Some(conversation) = self.cache.get(conv).await? else { return Ok(None) };
        let conversation = conversation.lock();
        Ok(Some(Snapshot { row: conversation.row.clone(), last: conversation.last, visitor: conversation.visitor }))
    }

    /// Records of a conversation after `after`, at most `limit`.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn records(&self, conv: ConvId, after: u64, limit: usize) -> Result<Vec<(u64, Bytes)>, StoreError> {
        self.store.records(conv, after, limit).await
    }

    /// Whether this conversation is the robot's at this moment, with this epoch.
    pub async fn is_robots(&self, conv: ConvId, epoch: u32) -> bool {
        let Ok(Some(conversation)) = self.cache.get(conv).await else { return false };
        let row = &conversation.lock().row;
        row.owner == Owner::Robot && row.state == ConvState::Open && row.bot && row.epoch == epoch
    }

    /// Open conversations that are the robot's.
    pub fn robots(&self) -> Vec<ConvId> {
        self.cache.robots().into_iter().map(|(conv, _)| conv).collect()
    }

    /// Whether people of a team are there.
    pub fn team_presence(&self, team: &TeamId) -> Presence {
        self.presence.of(team).state
    }

    /// Shows the visitor that the robot is working on an answer, like people's typing; not stored.
    pub fn robot_types(&self, conv: ConvId, on: bool) {
        let frame = ServerFrame::Typing { conv, side: Side::Agent, user: None, on };
        self.tell(&Topic::Conv(conv), Audience::Visitors, &frame);
    }

    /// Posts a reply, and moves the conversation to the queue if the reply says so.
    ///
    /// # Errors
    /// `not_owner`, `epoch_stale`, `directory_stale`; those of the store.
    pub async fn robot_posts(&self, conv: ConvId, reply: &RobotReply) -> Result<Posted, RequestError> {
        let change = self
            .cache
            .change_once(conv, |conversation, batch| {
                self.robot_may_post(conversation, reply.epoch)?;
                let bodies = reply.envelopes.iter();
                batch.ops.extend(bodies.map(|(id, body)| Op::Append { id: *id, body: body.clone().into() }));
                Ok(reply.leaves.then(|| to_queue(conversation, self.now_ms(), batch)))
            })
            .await?;
        if let Change::Duplicate(_) = change {
            return Ok(Posted::Before);
        }
        self.robot_counters.answers.fetch_add(u64::from(!reply.leaves), Ordering::Relaxed);
        self.robot_counters.handed_over.fetch_add(u64::from(reply.leaves), Ordering::Relaxed);
        Ok(Posted::Now)
    }

    /// Leaves without a word: it has no key to seal one.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn robot_leaves(&self, conv: ConvId) -> Result<(), RequestError> {
        // an agent may have taken it meanwhile: then nothing was handed over
        let left = AtomicBool::new(false);
        self.cache
            .change(conv, |conversation, batch| {
                let mine = conversation.row.owner == Owner::Robot && conversation.row.state == ConvState::Open;
                left.store(mine, Ordering::Relaxed);
                Ok(mine.then(|| to_queue(conversation, self.now_ms(), batch)))
            })
            .await?;
        self.robot_counters.handed_over.fetch_add(left.into_inner().into(), Ordering::Relaxed);
        Ok(())
    }

    fn robot_may_post(&self, conversation: &CachedConversation, epoch: u32) -> Result<(), RequestError> {
        if conversation.row.owner != Owner::Robot || conversation.row.state != ConvState::Open {
            return Err(RequestError::new(ErrorCode::NotOwner, "the robot left this conversation"));
        }
        if !conversation.row.bot || conversation.row.epoch != epoch {
            return Err(RequestError::new(ErrorCode::EpochStale, "this epoch has ended"));
        }
        let directory = self.org.directory();
        if directory.team(&conversation.row.key_team).is_none_or(|t| t.epoch != conversation.row.key_epoch) {
            return Err(RequestError::new(ErrorCode::DirectoryStale, "the team's key was replaced"));
        }
        Ok(())
    }
}

/// The row after the robot left, with the event in the batch. It joins the queue as if it came now.
fn to_queue(conversation: &CachedConversation, now_ms: u64, batch: &mut Batch) -> Row {
    let team = conversation.row.team.clone();
    batch.ops.push(append(conversation, &Event::Owner { owner: Owner::Queue, team, why: OwnerWhy::Handoff, by: None }));
    Row { owner: Owner::Queue, arrived: now_ms, ..conversation.row.clone() }
}
