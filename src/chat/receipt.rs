//! Typing and receipts: who is where in a conversation. Receipts are stored, but never one by one.

use std::sync::Arc;

use crate::{
    hub::{Conn, Topic},
    proto::{ConvId, ConvState, Marks, Owner, ServerFrame, Side},
    store::{self, Batch, Op, Table},
};

use super::{Chat, Refusal, cells::lock, conversation::receipt_key, text};

impl Chat {
    /// A socket received and read up to here. Only the owner's word counts for the agents' side.
    pub fn seen(&self, conn: &Conn, conv: ConvId, delivered: u64, read: u64) -> Result<(), Refusal> {
        let shared = self.must_cell(conv)?;
        let mut cell = lock(&shared);
        if !self.sees(&conn.who, &cell) {
            return Err(Refusal::not_found());
        }
        let side = match conn.who.user() {
            None => Side::Visitor,
            Some(user) => match &cell.row.owner {
                Owner::Agent(owner) if owner != user => return Ok(()),
                Owner::Queue | Owner::Robot => return Ok(()),
                _ => Side::Agent,
            },
        };
        let last = cell.last;
        let marks = if side == Side::Visitor { &mut cell.visitor_marks } else { &mut cell.agent_marks };
        let read = read.min(last).max(marks.read);
        let new = Marks { delivered: delivered.min(last).max(marks.delivered).max(read), read };
        if new == *marks {
            return Ok(());
        }
        *marks = new;
        if !std::mem::replace(&mut cell.marks_dirty, true) {
            lock(&self.dirty).push(conv);
        }
        drop(cell);
        let frame = text(&ServerFrame::Receipt { conv, side, delivered: new.delivered, read: new.read });
        self.hub.publish(&Topic::Conv(conv), |c| (c.id != conn.id).then(|| frame.clone()));
        Ok(())
    }

    /// Typing began or stopped: a bit for the others, stored nowhere.
    pub fn typing(&self, conn: &Conn, conv: ConvId, on: bool) -> Result<(), Refusal> {
        let shared = self.must_cell(conv)?;
        let cell = lock(&shared);
        if !self.sees(&conn.who, &cell) || cell.row.state == ConvState::Closed {
            return Ok(());
        }
        drop(cell);
        let side = if conn.who.user().is_some() { Side::Agent } else { Side::Visitor };
        let frame = text(&ServerFrame::Typing { conv, side, user: conn.who.user().cloned(), on });
        self.hub.publish(&Topic::Conv(conv), |c| (c.who != conn.who).then(|| frame.clone()));
        Ok(())
    }

    /// Writes the marks that changed since the last call, all in one batch.
    pub async fn store_marks(self: &Arc<Self>) {
        let dirty = std::mem::take(&mut *lock(&self.dirty));
        let mut batch = Batch::default();
        for conv in dirty {
            let Some(shared) = self.cached(conv) else { continue };
            let mut cell = lock(&shared);
            cell.marks_dirty = false;
            for (side, marks) in [(0, cell.visitor_marks), (1, cell.agent_marks)] {
                let value = serde_json::to_vec(&marks).unwrap_or_default(); // two numbers always serialise
                batch.ops.push(Op::Put { table: Table::Receipt, key: receipt_key(conv, side), value });
            }
        }
        if !batch.ops.is_empty()
            && let Err(e) = store::write(&*self.store, batch).await
        {
            // a lost receipt shows a message as unread once more, nothing worse
            tracing::warn!(error = %e, "receipts were not stored");
        }
    }
}
