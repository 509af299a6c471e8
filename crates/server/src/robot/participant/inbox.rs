//! Commits for the robot, without anyone waiting for it. Where several servers share the conversations, only those count here whose
//! day key this server holds: it is the robot of these, wherever their visitors are connected.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, OnceLock},
};

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use super::sessions::Sessions;
use crate::{
    chat::{CachedConversation, Chat, Participant, Pin, Row},
    proto::ConvId,
    robot::keys::RobotKeys,
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
    /// The keys that say which conversations are this server's; none: all are.
    own: OnceLock<Arc<RobotKeys>>,
    /// Conversations of this server's robot. What their visitors write at other servers comes here, too.
    pins: Mutex<HashMap<ConvId, Pin>>,
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
            own: OnceLock::new(),
            pins: Mutex::default(),
        }
    }
}

impl RobotHandle {
    /// For a server that shares the conversations with others, each of which holds day keys of its own.
    pub fn among_others(keys: Arc<RobotKeys>) -> Self {
        Self { own: OnceLock::from(keys), ..Self::default() }
    }

    /// Whether a conversation with this row is for the robot of this server. One whose day key is not known is looked at.
    pub(super) fn is_mine(&self, row: &Row) -> bool {
        let holds = |keys: &Arc<RobotKeys>| row.day_key().is_none_or(|kid| keys.has_day(&kid));
        row.is_robots() && self.own.get().is_none_or(holds)
    }

    /// Open conversations that are for the robot of this server.
    pub(super) fn robots(&self, chat: &Chat) -> VecDeque<ConvId> {
        let holds = |day: &Option<[u8; 16]>| match (self.own.get(), day) {
            (Some(keys), Some(kid)) => keys.has_day(kid),
            _ => true,
        };
        chat.robots_by_day().into_iter().filter(|(_, day)| holds(day)).map(|(conv, _)| conv).collect()
    }

    /// Keeps a conversation up to date while it is for the robot of this server.
    pub(super) fn keep_pinned(&self, conv: ConvId, pin: Pin) {
        self.pins.lock().insert(conv, pin.clone());
        // if it was handed over before that, nobody takes the pin away any more
        if !self.is_mine(&pin.row()) {
            self.pins.lock().remove(&conv);
        }
    }

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
        let mine = self.is_mine(row);
        if row_changed {
            // its keys go with the owner and with the epoch
            self.sessions.keep(conversation.id, mine.then_some(row.epoch));
            if !mine {
                self.pins.lock().remove(&conversation.id);
            }
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

    fn noticed(&self, conv: ConvId, row: &Row) {
        if self.is_mine(row) && !self.pins.lock().contains_key(&conv) {
            self.look_at(conv);
        }
    }

    fn forget(&self, conv: ConvId) {
        self.sessions.keep(conv, None);
        self.pins.lock().remove(&conv);
    }
}
