//! Ending a conversation and opening it again.

use crate::{
    crypto::directory::ActiveAgent,
    hub::Conn,
    proto::{ConvId, ConvState, ErrorCode, Event, LabelId, LabelKind, Owner, OwnerWhy, event_body},
    store::{Batch, Op},
};

use super::{Act, Address, Chat, RequestError, conversation::CachedConversation, event_id, leads, row::Row};

impl Chat {
    /// Closes. The owner, a supervisor or the visitor may. `reason`: of agents, from the company's list.
    pub async fn close(
        &self,
        conn: &Conn,
        address: Address,
        conv: ConvId,
        reason: Option<LabelId>,
    ) -> Result<(), RequestError> {
        let reason = reason.filter(|_| conn.who.user().is_some());
        if let Some(reason) = &reason {
            self.require_label(LabelKind::Reason, reason)?;
        }
        self.charge(conn, address, Act { changes: 1, records: 1, ..Act::default() })?;
        self.cache
            .change(conv, |conversation, batch| {
                // first: a closed one has no owner, and a request repeated after a lost connection must not be refused for that
                if conversation.row.state == ConvState::Closed && self.sees(&conn.who, conversation) {
                    return Ok(None);
                }
                let by = self.actor(conn, conversation)?;
                self.has_room_for(conn, 0)?;
                let row = conversation.closing(&by, batch);
                if let Some(reason) = &reason {
                    let why = Event::Reason { reason: reason.clone(), by: by.clone() };
                    batch.ops.push(append(conversation, &why));
                }
                Ok(Some(Row { reason: reason.clone(), ..row }))
            })
            .await
    }

    /// Opens again; it goes to the queue, and the agent who answered last is asked first.
    pub async fn reopen(&self, conn: &Conn, address: Address, conv: ConvId) -> Result<(), RequestError> {
        self.charge(conn, address, Act { changes: 1, records: 2, ..Act::default() })?;
        self.cache
            .change(conv, |conversation, batch| {
                if conn.who.user().is_none() {
                    // nobody could write in it
                    self.limits
                        .conversation(conversation.bytes, conversation.last, true)
                        .map_err(|l| self.limited(l))?;
                }
                let by = match conn.who.user() {
                    Some(user) if self.sees(&conn.who, conversation) => user.to_string(),
                    _ => self.actor(conn, conversation)?,
                };
                if conversation.row.state == ConvState::Closed {
                    self.has_room_for(conn, 0)?;
                    conversation.reopen_ops(&conversation.row, &by, self.now_ms(), batch);
                }
                Ok(None)
            })
            .await
    }

    /// Who may end a conversation, by name.
    pub(super) fn actor(&self, conn: &Conn, conversation: &CachedConversation) -> Result<String, RequestError> {
        match conn.who.user() {
            None if conversation.visitor == conn.who.kid() => Ok("visitor".into()),
            None => Err(RequestError::not_found()),
            Some(_) => {
                let agent = self.require_agent(conn)?;
                if !self.sees(&conn.who, conversation) {
                    return Err(RequestError::not_found());
                }
                self.require_owner(&agent, conversation)?;
                Ok(agent.user.to_string())
            }
        }
    }

    /// The owner, or a supervisor or admin of the team.
    pub(super) fn require_owner(
        &self,
        agent: &ActiveAgent,
        conversation: &CachedConversation,
    ) -> Result<(), RequestError> {
        match &conversation.row.owner {
            Owner::Agent(owner) if *owner == agent.user => Ok(()),
            _ if leads(agent.role) => Ok(()),
            _ => Err(RequestError::new(ErrorCode::NotOwner, "you do not own this conversation; take it first")),
        }
    }
}

impl CachedConversation {
    /// The steps that open it when it is closed, in front of whatever caused it. `row`: its own, or as it is with that.
    pub(super) fn reopen_ops(&self, row: &Row, by: &str, now_ms: u64, batch: &mut Batch) {
        let row = Row {
            state: ConvState::Open,
            owner: Owner::Queue,
            arrived: now_ms,
            missed: None,
            reason: None,
            ..row.clone()
        };
        let owner = Event::Owner { owner: Owner::Queue, team: row.team.clone(), why: OwnerWhy::Reopen, by: None };
        let reopened = [append(self, &Event::Reopened { by: by.into() }), append(self, &owner)];
        batch.ops.push(self.row_op(&row));
        batch.ops.extend(reopened);
    }

    /// The steps that close it, and the row after them.
    pub(super) fn closing(&self, by: &str, batch: &mut Batch) -> Row {
        batch.ops.push(append(self, &Event::Closed { by: by.into() }));
        Row { state: ConvState::Closed, owner: Owner::None, snoozed: None, reason: None, ..self.row.clone() }
    }
}

/// An event as the next record.
pub(super) fn append(conversation: &CachedConversation, event: &Event) -> Op {
    Op::Append { id: event_id(), body: event_body(conversation.id, event).into() }
}
