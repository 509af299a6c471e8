//! An envelope arrives: may this socket send it here and now?
//!
//! Signatures of messages are checked by the clients, not here: the socket proved its key when it connected, and 70 µs
//! for each message would cost three times everything else. Announcements, grants and recalls are rare and are checked here
//! too.

use std::{future::Future, pin::Pin};

use bytes::Bytes;

use crate::{
    crypto::grant,
    hub::{Conn, Frame, Who},
    proto::{ConvId, ConvState, EnvelopeError, ErrorCode, HeaderView, Kind, Limit, MsgId, Owner},
    store::{self, Batch, Op, Reply, StoreError, StoredRecord},
};

use super::{
    Act, Address, Chat, Reader, RequestError, cache::Shared, close::append, conversation::CachedConversation, members,
    shown::shown,
};

/// What an envelope of a visitor costs.
pub(super) fn cost(kind: Kind, bytes: usize) -> Act {
    let act = Act { bytes: u32::try_from(bytes).unwrap_or(u32::MAX), records: 1, ..Act::default() };
    match kind {
        // an event may come with it
        Kind::Announcement => Act { keys: 1, records: 2, ..act },
        _ => Act { messages: 1, ..act },
    }
}

/// A refused envelope, with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedEnvelope {
    /// The error to send.
    pub refusal: RequestError,
    /// The conversation, if the frame named one that exists.
    pub conv: Option<ConvId>,
    /// Message id of the envelope, if it could be read.
    pub msg: Option<MsgId>,
}

fn rejected(bytes: &[u8], refusal: RequestError) -> RejectedEnvelope {
    let header = HeaderView::parse(bytes).ok().map(|(_, header)| header);
    RejectedEnvelope { refusal, conv: header.map(|h| h.conv()), msg: header.map(|h| h.msg_id()) }
}

impl From<EnvelopeError> for RequestError {
    fn from(e: EnvelopeError) -> Self {
        let code = match e {
            EnvelopeError::NotSealed => ErrorCode::PlaintextRefused,
            EnvelopeError::Unsupported => ErrorCode::Unsupported,
            EnvelopeError::Length => ErrorCode::Malformed,
            EnvelopeError::TooLarge => ErrorCode::TooLarge,
        };
        Self::new(code, e.to_string())
    }
}

/// An envelope that arrived.
struct Arrived<'a> {
    kind: Kind,
    header: HeaderView<'a>,
    bytes: &'a Bytes,
}

impl<'a> Arrived<'a> {
    fn parse(bytes: &'a Bytes) -> Result<Self, EnvelopeError> {
        let (kind, header) = HeaderView::parse(bytes)?;
        Ok(Self { kind, header, bytes })
    }
}

/// Whether it would have been stored at another time: it may have been.
fn depends_on_state(refusal: &RequestError) -> bool {
    use ErrorCode as E;
    refusal.limit == Some(Limit::Conversation)
        || matches!(
            refusal.code,
            E::Malformed | E::EpochStale | E::DirectoryStale | E::Closed | E::NotOwner | E::Forbidden | E::TooLate
        )
}

/// What becomes of an envelope.
pub enum Posting<'a> {
    /// It is on its way: the acknowledgement is the record that the fan-out sends back. Or it was refused.
    Done(Result<(), RejectedEnvelope>),
    /// Something has to be read or waited for first, which is rare.
    Waiting(Pin<Box<dyn Future<Output = Result<(), RejectedEnvelope>> + Send + 'a>>),
}

impl Chat {
    /// Checks an envelope and hands it to the store. Waits while the store's queue is full, which is how a socket feels
    /// back-pressure.
    pub fn post<'a>(&'a self, conn: &'a Conn, address: Address, bytes: Bytes) -> Posting<'a> {
        let arrived = match Arrived::parse(&bytes) {
            Ok(arrived) => arrived,
            Err(e) => return Posting::Done(Err(RejectedEnvelope { refusal: e.into(), conv: None, msg: None })),
        };
        // one whose conversation or file must be read first, or, for a recall, what it recalls
        let recall = matches!(arrived.kind, Kind::Recall | Kind::NoteRecall);
        let reads = recall || self.attachments.looked_at(&arrived.header).is_some();
        let Some(conversation) = self.cache.cached(arrived.header.conv()).filter(|_| !reads) else {
            return Posting::Waiting(Box::pin(self.post_unread(conn, address, bytes)));
        };
        let rev = conversation.lock().rev;
        let batch = self
            .admit_sender(conn, address, &arrived)
            .and_then(|()| self.batch_of(conn, address, &arrived, &conversation, None));
        match batch {
            Ok(batch) => self.submit(conn, batch, bytes),
            Err(refusal) => Posting::Waiting(Box::pin(self.echo(conn, refusal, Some(rev), bytes))),
        }
    }

    /// An envelope for which something is read.
    async fn post_unread(&self, conn: &Conn, address: Address, bytes: Bytes) -> Result<(), RejectedEnvelope> {
        let mut rev = None;
        let batch = async {
            let arrived = Arrived::parse(&bytes)?;
            self.admit_sender(conn, address, &arrived)?;
            if let Some(looked_at) = self.attachments.looked_at(&arrived.header) {
                looked_at.await;
            }
            let recalled = match arrived.kind {
                Kind::Recall | Kind::NoteRecall => Some(self.recalled_by(conn, &arrived.header, &bytes).await?),
                _ => None,
            };
            let conversation = self.cache.require(arrived.header.conv()).await?;
            rev = Some(conversation.lock().rev);
            self.batch_of(conn, address, &arrived, &conversation, recalled.as_ref())
        };
        let batch = batch.await;
        self.submit_or_echo(conn, batch, rev, bytes).await
    }

    async fn submit_or_echo(
        &self,
        conn: &Conn,
        batch: Result<Batch, RequestError>,
        rev: Option<u32>,
        bytes: Bytes,
    ) -> Result<(), RejectedEnvelope> {
        match batch {
            Ok(batch) => match self.submit(conn, batch, bytes) {
                Posting::Done(done) => done,
                Posting::Waiting(waiting) => waiting.await,
            },
            Err(refusal) => self.echo(conn, refusal, rev, bytes).await,
        }
    }

    fn submit<'a>(&'a self, conn: &Conn, batch: Batch, bytes: Bytes) -> Posting<'a> {
        conn.outbox.posted();
        self.metrics.envelope(bytes.len());
        match self.store.try_submit(batch, Reply::Feed(conn.id)) {
            Ok(()) => Posting::Done(Ok(())),
            Err((StoreError::Busy, batch, reply)) => Posting::Waiting(Box::pin(async move {
                store::submit(&*self.store, batch, reply).await.map_err(|e| rejected(&bytes, e.into()))
            })),
            Err((e, ..)) => Posting::Done(Err(rejected(&bytes, e.into()))),
        }
    }

    /// An error says "not stored", so an envelope that is stored must get its record instead, even if it would be refused
    /// by now: it was sent again because the first echo was lost, and meanwhile the epoch or the owner changed.
    async fn echo(
        &self,
        conn: &Conn,
        refusal: RequestError,
        rev: Option<u32>,
        bytes: Bytes,
    ) -> Result<(), RejectedEnvelope> {
        match self.stored(conn, &refusal, &bytes).await {
            Some(frame) => {
                self.metrics.duplicates.inc();
                conn.outbox.push(Frame::Record(shown(Reader { who: &conn.who, rev: conn.rev }, frame)));
                Ok(())
            }
            None => Err(rejected(&bytes, self.certain(refusal, rev, &bytes).await)),
        }
    }

    /// The refusal of an envelope that was not found. `rev`: of the conversation when it was refused. Another server may know better,
    /// and have this envelope in its queue still: with a state that is not the newest, nobody is told that it is not stored.
    async fn certain(&self, refusal: RequestError, rev: Option<u32>, bytes: &[u8]) -> RequestError {
        let (Some(rev), Some(shared)) = (rev, self.store.ephemeral()) else { return refusal };
        let Ok((_, header)) = HeaderView::parse(bytes) else { return refusal };
        if !depends_on_state(&refusal) {
            return refusal;
        }
        let newest = async {
            let now = self.cache.newest(header.conv()).await?;
            shared.confirm(header.conv()).await?;
            Ok::<_, StoreError>(now == Some(rev))
        };
        match newest.await {
            Ok(true) => refusal,
            Ok(false) => RequestError::new(ErrorCode::Conflict, "the conversation has changed; send it again"),
            Err(e) => e.into(),
        }
    }

    /// The record of an envelope that was refused, if it is stored and its sender may see it.
    async fn stored(&self, conn: &Conn, refusal: &RequestError, bytes: &[u8]) -> Option<Bytes> {
        if !depends_on_state(refusal) {
            return None;
        }
        let (_, header) = HeaderView::parse(bytes).ok()?;
        let (conv, id) = (header.conv(), header.msg_id());
        let conversation = self.cache.require(conv).await.ok()?;
        if header.sender() != conn.who.kid() || !self.sees(&conn.who, &conversation.lock()) {
            return None;
        }
        let (_, frame) = self.find(conv, header.sender(), id).await.ok()??;
        Some(frame)
    }

    /// Whether an envelope of this size may come from this socket now; if so, it is counted.
    fn admit_sender(&self, conn: &Conn, address: Address, arrived: &Arrived<'_>) -> Result<(), RequestError> {
        let Arrived { kind, header, bytes } = arrived;
        if header.sender() != conn.who.kid() {
            return Err(RequestError::new(
                ErrorCode::Forbidden,
                "the sender of the envelope is not the key of this socket",
            ));
        }
        self.has_room_for(conn, bytes.len())?;
        match &conn.who {
            Who::Visitor { .. } => self.charge(conn, address, cost(*kind, bytes.len())),
            Who::Agent { user, .. } => self.limits.agent_message(user, self.now_ms()).map_err(|l| self.limited(l)),
        }
    }

    /// The batch of an envelope of an admitted sender that may be stored. `recalled`: what a recall recalls.
    fn batch_of(
        &self,
        conn: &Conn,
        address: Address,
        arrived: &Arrived<'_>,
        conversation: &Shared,
        recalled: Option<&StoredRecord>,
    ) -> Result<Batch, RequestError> {
        let &Arrived { kind, ref header, bytes } = arrived;
        let mut conversation = conversation.lock();
        if !self.sees(&conn.who, &conversation) {
            return Err(RequestError::not_found());
        }
        if conn.who.user().is_none() {
            let message = kind == Kind::Message;
            self.limits.conversation(conversation.bytes, conversation.last, message).map_err(|l| self.limited(l))?;
        }
        let envelope = Op::Append { id: header.msg_id(), body: bytes.clone() };
        let mut batch = Batch { conv: Some(conversation.id), rev: Some(conversation.rev), ops: Vec::with_capacity(1) };
        let mut after = None;
        match kind {
            Kind::Message => {
                self.may_speak(conn, &conversation)?;
                self.check_epoch(&conversation, header)?;
                self.check_rights(conn, &conversation)?;
                self.attachments.may_post(header)?;
                conversation.count(header)?;
                // only their visitor sees those that are empty
                let joined = conversation.joined_by(header.msg_id(), self.now_ms());
                let remark = conversation.row.rating.and_then(|rating| rating.remark);
                if conversation.row.state == ConvState::Closed && remark != Some(header.msg_id()) {
                    self.charge(conn, address, Act { changes: 1, records: 2, ..Act::default() })?;
                    conversation.reopen_ops(
                        joined.as_ref().unwrap_or(&conversation.row),
                        "visitor",
                        self.now_ms(),
                        &mut batch,
                    );
                } else {
                    batch.ops.extend(joined.as_ref().map(|row| conversation.row_op(row)));
                }
                self.wake_by_visitor(conn, &conversation, &mut batch);
                batch.ops.extend(self.taken_up(conn, &conversation));
            }
            Kind::Note => {
                self.require_agent(conn)?;
                // readers accept it only in the epoch that is current at its place
                if header.epoch() != conversation.row.epoch {
                    return Err(RequestError::epoch_over());
                }
                self.attachments.may_post(header)?;
                conversation.count(header)?;
                batch.ops.extend(self.taken_up(conn, &conversation));
            }
            Kind::Recall | Kind::NoteRecall => {
                if kind == Kind::NoteRecall {
                    self.require_agent(conn)?;
                }
                self.check_recall(conn, &mut conversation, header, recalled, &mut batch)?;
            }
            Kind::Announcement => {
                let (row, event) = self.check_announcement(conn, &conversation, bytes)?;
                batch.ops.push(conversation.row_op(&row));
                after = event.map(|event| append(&conversation, &event));
            }
            Kind::Grant => {
                let agent = self.require_agent(conn)?;
                self.require_owner(&agent, &conversation)?;
                grant::verify(bytes, conversation.id, &agent.ed)
                    .map_err(|e| RequestError::new(ErrorCode::Malformed, e.to_string()))?;
                batch.rev = None;
            }
            Kind::Tombstone | Kind::NoteTombstone => {
                return Err(RequestError::malformed("tombstones are made by the server"));
            }
        }
        batch.ops.push(envelope);
        batch.ops.extend(after);
        Ok(batch)
    }

    /// Visitors may always speak in their conversation (a closed one opens again); agents only in what they own.
    fn may_speak(&self, conn: &Conn, conversation: &CachedConversation) -> Result<(), RequestError> {
        let Some(user) = conn.who.user() else { return Ok(()) };
        match &conversation.row.owner {
            Owner::Agent(owner) if owner == user => {}
            Owner::None => {
                return Err(RequestError::new(ErrorCode::Closed, "this conversation is closed; reopen it to write"));
            }
            _ => return Err(RequestError::new(ErrorCode::NotOwner, "you do not own this conversation; take it first")),
        }
        Ok(())
    }

    /// From revision 2 of the rules of readers on: an agent who came after the epoch began would not be believed in it. They
    /// announce the next one first.
    fn check_rights(&self, conn: &Conn, conversation: &CachedConversation) -> Result<(), RequestError> {
        let Some(user) = conn.who.user() else { return Ok(()) };
        let (row, directory) = (&conversation.row, self.org.directory());
        let strict = directory.revision_at(row.dir_seq) >= 2;
        if strict && !members::may_write(&directory, user, &row.key_team, row.dir_seq) {
            return Err(RequestError::epoch_over());
        }
        Ok(())
    }

    /// The epoch must be the newest, sealed to the newest key of its team, and without the robot once that has left.
    pub(super) fn check_epoch(
        &self,
        conversation: &CachedConversation,
        header: &HeaderView<'_>,
    ) -> Result<(), RequestError> {
        if conversation.row.bot && conversation.row.owner != Owner::Robot {
            return Err(RequestError::new(
                ErrorCode::EpochStale,
                "the robot can read this epoch; announce the next one without it",
            ));
        }
        let directory = self.org.directory();
        let current = directory.team(&conversation.row.key_team).map_or(0, |t| t.epoch);
        if header.epoch() != conversation.row.epoch || current != conversation.row.key_epoch {
            return Err(RequestError::epoch_over());
        }
        Ok(())
    }
}
