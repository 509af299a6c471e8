//! The robot's transactions. Each holds only while it is the owner, checked in the same compare-and-set as every change of
//! owner: what it says stands before a hand-over or nowhere.

use std::sync::atomic::{AtomicBool, Ordering};

use super::say::Draft;
use crate::{
    chat::{
        Chat, Refusal,
        close::append,
        conversation::{Cell, Row},
        now_ms,
    },
    proto::{ConvId, ConvState, ErrorCode, Event, Owner, OwnerWhy},
    store::{Batch, Op},
};

impl Chat {
    /// Posts a draft; if it says so, the conversation goes to the queue with it.
    pub(super) async fn robot_posts(&self, conv: ConvId, draft: &Draft) -> Result<(), Refusal> {
        self.change(conv, |chat, cell, batch| {
            chat.robot_may_post(cell, draft.epoch)?;
            let bodies = draft.envelopes.iter();
            batch.ops.extend(bodies.map(|(id, body)| Op::Append { id: *id, body: body.clone().into() }));
            Ok(draft.leaves.then(|| to_queue(cell, batch)))
        })
        .await?;
        self.robot.answers.fetch_add(u64::from(!draft.leaves), Ordering::Relaxed);
        self.robot.handed_over.fetch_add(u64::from(draft.leaves), Ordering::Relaxed);
        Ok(())
    }

    /// Leaves without a word: it has no key to seal one.
    pub(super) async fn robot_leaves(&self, conv: ConvId) -> Result<(), Refusal> {
        // somebody may have taken it meanwhile: then nothing was handed over
        let left = AtomicBool::new(false);
        self.change(conv, |_, cell, batch| {
            let mine = cell.row.owner == Owner::Robot && cell.row.state == ConvState::Open;
            left.store(mine, Ordering::Relaxed);
            Ok(mine.then(|| to_queue(cell, batch)))
        })
        .await?;
        self.robot.handed_over.fetch_add(left.into_inner().into(), Ordering::Relaxed);
        Ok(())
    }

    fn robot_may_post(&self, cell: &Cell, epoch: u32) -> Result<(), Refusal> {
        if cell.row.owner != Owner::Robot || cell.row.state != ConvState::Open {
            return Err(Refusal::new(ErrorCode::NotOwner, "the robot left this conversation"));
        }
        if !cell.row.bot || cell.row.epoch != epoch {
            return Err(Refusal::new(ErrorCode::EpochStale, "this epoch is over"));
        }
        let directory = self.org.directory();
        if directory.team(&cell.row.key_team).is_none_or(|t| t.epoch != cell.row.key_epoch) {
            return Err(Refusal::new(ErrorCode::DirectoryStale, "the team's key was replaced"));
        }
        Ok(())
    }
}

/// The row after the robot left, with the event in the batch. It joins the queue as if it came now.
fn to_queue(cell: &Cell, batch: &mut Batch) -> Row {
    let team = cell.row.team.clone();
    batch.ops.push(append(cell, &Event::Owner { owner: Owner::Queue, team, why: OwnerWhy::Handoff, by: None }));
    Row { owner: Owner::Queue, arrived: now_ms(), ..cell.row.clone() }
}
