//! Commits for the robot, without anyone waiting for it.

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use super::sessions::Sessions;
use crate::{
    chat::{CachedConversation, Participant},
    proto::{ConvId, ConvState, Owner},
};

/// Conversations that may wait for the robot; beyond this it hands over.
const QUEUE: usize = 128;

/// The robot's end in the chat.
pub struct RobotHandle {
    queue: mpsc::Sender<ConvId>,
    inbox: Mutex<Option<mpsc::Receiver<ConvId>>>,
    /// Conversations that found the queue full.
    overflow: Mutex<Vec<ConvId>>,
    overflowed: Notify,
    pub(super) sessions: Sessions,
}

impl Default for RobotHandle {
    fn default() -> Self {
        let (queue, inbox) = mpsc::channel(QUEUE);
        Self {
            queue,
            inbox: Mutex::new(Some(inbox)),
            overflow: Mutex::default(),
            overflowed: Notify::new(),
            sessions: Sessions::default(),
        }
    }
}

impl RobotHandle {
    /// The receiving end, once.
    pub(super) fn take_inbox(&self) -> Option<mpsc::Receiver<ConvId>> {
        self.inbox.lock().take()
    }

    /// Waits for conversations that found the queue full, and takes them.
    pub(super) async fn overflow(&self) -> Vec<ConvId> {
        self.overflowed.notified().await;
        std::mem::take(&mut *self.overflow.lock())
    }
}

impl Participant for RobotHandle {
    fn committed(&self, conversation: &CachedConversation, row_changed: bool, visitor_wrote: bool) {
        let row = &conversation.row;
        let mine = row.owner == Owner::Robot && row.state == ConvState::Open;
        if row_changed {
            // its keys go with the owner and with the epoch
            self.sessions.keep(conversation.id, mine.then_some(row.epoch));
        }
        if mine && (row_changed || visitor_wrote) {
            self.look_at(conversation.id);
        }
    }

    fn look_at(&self, conv: ConvId) {
        if self.queue.try_send(conv).is_err() {
            self.overflow.lock().push(conv);
            self.overflowed.notify_one();
        }
    }
}
