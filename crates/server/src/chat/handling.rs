//! How agents sort their work: tags, priority, snooze, and visitors who may not write. The server sees all of it, and nothing of
//! what was said; visitors are told none of it. The right to change it is that of closing, also after the close for the
//! agent who answered last.

use std::sync::Arc;

use crate::{
    hub::{Conn, Topic},
    proto::{
        Block, BlockReason, ConvId, ConvState, ErrorCode, Event, Kid, Label, LabelId, LabelKind, Limit,
        MAX_PUT_ASIDE_MS, MAX_TAGS, Owner, Priority, ServerFrame, StorageState, UserId,
    },
    store::Batch,
};

use super::{
    Chat, RequestError, close::append, conversation::CachedConversation, leads, limits::Limited, row::Row,
    servers::Signal, text,
};

/// Who woke a conversation whose time had come, in the event: not an id that a user could have.
const BY_TIME: &str = "@time";

/// Pages are told of hours again so often: less than they are told of the time ahead.
const HOURS_EVERY: std::time::Duration = std::time::Duration::from_hours(12);

impl Chat {
    /// Whether a label is in the company's list and may still be given.
    pub(super) fn require_label(&self, kind: LabelKind, id: &LabelId) -> Result<(), RequestError> {
        let labels = self.org.labels();
        let list = if kind == LabelKind::Tag { &labels.tags } else { &labels.reasons };
        match list.iter().any(|label| label.id == *id && !label.retired) {
            true => Ok(()),
            false => Err(RequestError::new(ErrorCode::NotFound, "this is not in the company's list (any more)")),
        }
    }

    /// Who may sort this conversation, by name.
    fn handler(&self, conn: &Conn, conversation: &CachedConversation) -> Result<String, RequestError> {
        let agent = self.require_agent(conn)?;
        let last = conversation.row.state == ConvState::Closed
            && conversation.row.last_agent.as_ref() == Some(&agent.user)
            && self.sees(&conn.who, conversation);
        if last {
            return Ok(agent.user.to_string());
        }
        self.actor(conn, conversation)
    }

    /// Adds tags and takes others off.
    pub async fn tag(
        &self,
        conn: &Conn,
        conv: ConvId,
        add: &[LabelId],
        remove: &[LabelId],
    ) -> Result<(), RequestError> {
        self.require_agent(conn)?;
        add.iter().try_for_each(|tag| self.require_label(LabelKind::Tag, tag))?;
        self.cache
            .change(conv, |conversation, batch| {
                let by = self.handler(conn, conversation)?;
                let mut tags = conversation.row.tags.clone();
                tags.retain(|tag| !remove.contains(tag));
                for tag in add {
                    if !tags.contains(tag) {
                        tags.push(tag.clone());
                    }
                }
                if tags.len() > MAX_TAGS {
                    return Err(RequestError::new(ErrorCode::TooLarge, "a conversation has at most 16 tags"));
                }
                if tags == conversation.row.tags {
                    return Ok(None);
                }
                batch.ops.push(append(conversation, &Event::Tagged { tags: tags.clone(), by }));
                Ok(Some(Row { tags, ..conversation.row.clone() }))
            })
            .await
    }

    /// Says how urgent it is.
    pub async fn set_priority(&self, conn: &Conn, conv: ConvId, priority: Priority) -> Result<(), RequestError> {
        self.cache
            .change(conv, |conversation, batch| {
                let by = self.handler(conn, conversation)?;
                if conversation.row.priority == priority {
                    return Ok(None);
                }
                batch.ops.push(append(conversation, &Event::Priority { priority, by }));
                Ok(Some(Row { priority, ..conversation.row.clone() }))
            })
            .await
    }

    /// Puts a conversation that an agent has aside until a time, or takes it back.
    pub async fn snooze(&self, conn: &Conn, conv: ConvId, until: Option<u64>) -> Result<(), RequestError> {
        self.require_agent(conn)?;
        let now = self.now_ms();
        if until.is_some_and(|until| until <= now || until > now.saturating_add(MAX_PUT_ASIDE_MS)) {
            return Err(RequestError::malformed("a conversation is snoozed until a time in the next year"));
        }
        self.cache
            .change(conv, |conversation, batch| {
                let by = self.actor(conn, conversation)?;
                if conversation.row.snoozed == until {
                    return Ok(None);
                }
                let Some(until) = until else { return Ok(Some(woken(conversation, &by, now, batch))) };
                if !matches!(conversation.row.owner, Owner::Agent(_)) {
                    let text = "only a conversation that an agent has can be snoozed; take it first";
                    return Err(RequestError::new(ErrorCode::Conflict, text));
                }
                batch.ops.push(append(conversation, &Event::Snoozed { until, by }));
                Ok(Some(Row { snoozed: Some(until), ..conversation.row.clone() }))
            })
            .await
    }

    /// A message of its visitor brings a snoozed conversation back, in the transaction that stores it.
    pub(super) fn wake_by_visitor(&self, conn: &Conn, conversation: &CachedConversation, batch: &mut Batch) {
        if conversation.row.snoozed.is_some() && conn.who.user().is_none() {
            let mut woke = Batch::default();
            let row = woken(conversation, "visitor", self.now_ms(), &mut woke);
            batch.ops.push(conversation.row_op(&row));
            batch.ops.append(&mut woke.ops);
        }
    }

    /// Brings back what was snoozed until now. Called by the clock, on one server; what fails is tried again.
    pub async fn wake_due(&self, now_ms: u64) {
        if self.store.space() == StorageState::Full {
            return;
        }
        for conv in self.cache.snoozed_until(now_ms) {
            let wake = self.cache.change(conv, |conversation, batch| {
                let due = conversation.row.snoozed.is_some_and(|until| until <= now_ms);
                Ok(due.then(|| woken(conversation, BY_TIME, now_ms, batch)))
            });
            if let Err(e) = wake.await {
                tracing::warn!(%conv, error = %e, "a snoozed conversation could not be brought back yet");
            }
        }
    }

    /// Refuses a visitor who may not write.
    pub(super) fn refuse_blocked(&self, visitor: Kid) -> Result<(), RequestError> {
        let now = self.now_ms();
        match self.org.blocked_until(visitor, now) {
            None => Ok(()),
            Some(until) => Err(self.limited(Limited { limit: Limit::Blocked, retry_ms: Some(until - now) })),
        }
    }

    /// Lets the visitor of a conversation write nothing until a time, in any of their conversations; none: lets them write again.
    pub async fn block(
        &self,
        conn: &Conn,
        conv: ConvId,
        until: Option<u64>,
        reason: BlockReason,
    ) -> Result<(), RequestError> {
        let agent = self.require_agent(conn)?;
        let shared = self.cache.require(conv).await?;
        let (visitor, site, team) = {
            let conversation = shared.lock();
            self.handler(conn, &conversation)?;
            (conversation.visitor, conversation.row.site.clone(), conversation.row.team.clone())
        };
        let by = agent.user.clone();
        let event = match until {
            Some(until) => {
                let at = self.now_ms();
                let block = Block { visitor, conv, site, team, until, reason, by: by.clone(), at };
                self.org.block(block).await?;
                Event::Blocked { until, by: by.to_string() }
            }
            None if self.org.unblock(visitor).await? => Event::Unblocked { by: by.to_string() },
            None => return Ok(()),
        };
        self.signal_labels();
        self.cache
            .change(conv, |conversation, batch| {
                batch.ops.push(append(conversation, &event));
                Ok(None)
            })
            .await
    }

    /// Who may not write, of an agent's teams.
    pub fn blocks_for(&self, user: &UserId) -> Vec<Block> {
        let Some(agent) = self.agent(user) else { return Vec::new() };
        self.org.blocks().into_iter().filter(|block| agent.teams.contains(&block.team)).collect()
    }

    /// Adds or changes a tag or a reason. Supervisors and admins may.
    pub async fn define_label(&self, conn: &Conn, kind: LabelKind, label: Label) -> Result<(), RequestError> {
        if !leads(self.require_agent(conn)?.role) {
            return Err(RequestError::new(ErrorCode::Forbidden, "only supervisors and admins change the lists"));
        }
        self.org.define_label(kind, label).await?;
        self.signal_labels();
        Ok(())
    }

    /// Has the other servers read tags, reasons, targets and blocks again.
    pub fn signal_labels(&self) {
        self.signal(&Signal::Labels);
    }

    /// Tells the agents who are connected here of changed tags, reasons, targets and hours. Never ends by itself.
    pub async fn tell_labels(self: Arc<Self>) {
        let mut changes = self.org.labels_watch();
        loop {
            match tokio::time::timeout(HOURS_EVERY, changes.changed()).await {
                Ok(Err(_)) => return,
                // nobody's hours go by
                Err(_) if self.org.hours().is_empty() => continue,
                Ok(Ok(())) | Err(_) => {}
            }
            let frame = text(&ServerFrame::Labels(self.org.labels_now()));
            for user in self.hub.users() {
                self.hub.publish(&Topic::User(user), |_| Some(frame.clone()));
            }
        }
    }
}

/// The row of a conversation that comes back; if its agent was lost meanwhile, it joins the queue now.
fn woken(conversation: &CachedConversation, by: &str, now_ms: u64, batch: &mut Batch) -> Row {
    batch.ops.push(append(conversation, &Event::Woken { by: by.into() }));
    let row = conversation.row.clone();
    let arrived = if row.owner == Owner::Queue { now_ms } else { row.arrived };
    Row { snoozed: None, arrived, ..row }
}
