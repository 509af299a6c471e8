//! Ending a conversation and opening it again.

use crate::{
    crypto::directory::ActiveAgent,
    hub::Conn,
    proto::{ConvId, ConvState, ErrorCode, Event, Owner, OwnerWhy, event_body},
    store::{self, Batch, Op, StoreError, Table},
};

use super::{
    Act, Address, Chat, Refusal,
    conversation::{Cell, Row},
    event_id, leads, now_ms,
};

impl Chat {
    /// Closes. The owner, a supervisor or the visitor may.
    pub async fn close(&self, conn: &Conn, address: Address, conv: ConvId) -> Result<(), Refusal> {
        self.charge(conn, address, Act { changes: 1, records: 1, ..Act::default() })?;
        self.change(conv, |chat, cell, batch| {
            // first: nobody owns a closed one, and a request that is sent again after a cut must not be refused for it
            if cell.row.state == ConvState::Closed && chat.sees(&conn.who, cell) {
                return Ok(None);
            }
            let by = chat.actor(conn, cell)?;
            chat.has_room_for(conn, 0)?;
            Ok(Some(cell.closing(&by, batch)))
        })
        .await
    }

    /// Opens again; it goes to the queue, and the agent who answered last is asked first.
    pub async fn reopen(&self, conn: &Conn, address: Address, conv: ConvId) -> Result<(), Refusal> {
        self.charge(conn, address, Act { changes: 1, records: 2, ..Act::default() })?;
        self.change(conv, |chat, cell, batch| {
            if conn.who.user().is_none() {
                // nothing could be said in it
                chat.limits.conversation(cell.bytes, cell.last, true).map_err(|l| chat.limited(l))?;
            }
            let by = match conn.who.user() {
                Some(user) if chat.sees(&conn.who, cell) => user.to_string(),
                _ => chat.actor(conn, cell)?,
            };
            if cell.row.state == ConvState::Closed {
                chat.has_room_for(conn, 0)?;
                cell.reopen_ops(&cell.row, &by, batch);
            }
            Ok(None)
        })
        .await
    }

    /// Whoever may end a conversation, by name.
    fn actor(&self, conn: &Conn, cell: &Cell) -> Result<String, Refusal> {
        match conn.who.user() {
            None if cell.visitor == conn.who.kid() => Ok("visitor".into()),
            None => Err(Refusal::not_found()),
            Some(_) => {
                let agent = self.require_agent(conn)?;
                if !self.sees(&conn.who, cell) {
                    return Err(Refusal::not_found());
                }
                self.require_owner(&agent, cell)?;
                Ok(agent.user.to_string())
            }
        }
    }

    /// The owner, or somebody who leads.
    pub(super) fn require_owner(&self, agent: &ActiveAgent, cell: &Cell) -> Result<(), Refusal> {
        match &cell.row.owner {
            Owner::Agent(owner) if *owner == agent.user => Ok(()),
            _ if leads(agent.role) => Ok(()),
            _ => Err(Refusal::new(ErrorCode::NotOwner, "you do not own this conversation; take it first")),
        }
    }

    /// Runs `step` on the newest state of a conversation and writes what it adds; again if somebody was faster.
    /// `step` returns the new row, or none if only its operations (perhaps none) are to be written.
    pub(super) async fn change(
        &self,
        conv: ConvId,
        step: impl Fn(&Self, &mut Cell, &mut Batch) -> Result<Option<Row>, Refusal> + Send,
    ) -> Result<(), Refusal> {
        const TRIES: usize = 8;
        for _ in 0..TRIES {
            let shared = self.must_cell(conv)?;
            let batch = {
                let mut cell = shared.lock();
                let mut batch = Batch { conv: Some(conv), rev: Some(cell.rev), ops: Vec::new() };
                if let Some(row) = step(self, &mut cell, &mut batch)? {
                    batch.ops.extend(cell.missed_ops(&row));
                    batch.ops.insert(0, Op::Row { value: row.encode() });
                }
                batch
            };
            if batch.ops.is_empty() {
                return Ok(());
            }
            match store::write(&*self.store, batch).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Conflict) => self.refresh(conv)?,
                Err(e) => return Err(e.into()),
            }
        }
        Err(Refusal::new(ErrorCode::Conflict, "this conversation is changing too fast; try again"))
    }
}

impl Cell {
    /// The steps that open it when it is closed, in front of whatever caused it. `row`: its own, or as it is with that.
    pub(super) fn reopen_ops(&self, row: &Row, by: &str, batch: &mut Batch) {
        let row = Row { state: ConvState::Open, owner: Owner::Queue, arrived: now_ms(), missed: None, ..row.clone() };
        let owner = Event::Owner { owner: Owner::Queue, team: row.team.clone(), why: OwnerWhy::Reopen, by: None };
        batch.ops.push(Op::Row { value: row.encode() });
        if row.empty.is_none() {
            batch.ops.push(Op::Put { table: Table::OpenConv, key: self.id.0.to_vec(), value: Vec::new() });
        }
        batch.ops.extend([append(self, &Event::Reopened { by: by.into() }), append(self, &owner)]);
        batch.ops.extend(self.missed_ops(&row));
    }

    /// The steps that close it, and the row after them.
    pub(super) fn closing(&self, by: &str, batch: &mut Batch) -> Row {
        batch.ops.push(append(self, &Event::Closed { by: by.into() }));
        batch.ops.push(Op::Delete { table: Table::OpenConv, key: self.id.0.to_vec() });
        Row { state: ConvState::Closed, owner: Owner::None, ..self.row.clone() }
    }
}

/// An event as the next record.
pub(super) fn append(cell: &Cell, event: &Event) -> Op {
    Op::Append { id: event_id(), body: event_body(cell.id, event).into() }
}
