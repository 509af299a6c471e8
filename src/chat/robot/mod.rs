//! The robot as a participant: it hears of commits, opens what visitors wrote while it is a member, asks its [`Mind`] what
//! to do, seals and posts like everyone else, and leaves.
//!
//! ```text
//!   fan-out ──bounded──► [`task`] ──threads──► [`turn`]: open, decide, seal ──► [`post`]: only while it is the owner
//! ```
//!
//! It keeps keys of current epochs only, in `talk`; all else is read from the store, so a restart loses nothing: a
//! question that was not answered yet is answered once. Nothing here delays the delivery of messages: when more comes in
//! than it can read, it hands over.

mod post;
mod read;
mod say;
mod talk;
mod task;
mod threads;
mod turn;
mod work;

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};
use zeroize::Zeroizing;

use super::{Chat, conversation::Cell};
use crate::{
    bot::{Decision, Dialogue},
    proto::{ConvId, ConvState, HeaderView, Kind, Owner, RecordView, SiteId},
};
use talk::Talks;
pub use task::run;

/// What the robot is asked.
#[derive(Debug)]
pub struct Turn {
    /// Where.
    pub site: SiteId,
    /// What the visitor wrote since the last answer, oldest first, a line each.
    pub text: Zeroizing<String>,
    /// What happened before, as far as is known after a restart, and whether people are there now.
    pub dialogue: Dialogue,
    /// Whether the conversation is Chinese: by what the visitor wrote so far, in the beginning by the language of their form.
    pub zh: Option<bool>,
}

/// What decides. Called on threads of its own, may compute for milliseconds.
pub trait Mind: Send + Sync + 'static {
    /// There is a site with a robot: what takes long before the first decision can be done now. May block.
    fn wake(&self) {}
    /// What to do about this. A panic hands over.
    fn decide(&self, turn: &Turn) -> Decision;
}

/// Numbers for `kefu stats`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct RobotCounts {
    /// Answers posted.
    pub answers: u64,
    /// Conversations handed over.
    pub handed_over: u64,
}

/// Conversations that may wait for the robot; beyond this it hands over.
const QUEUE: usize = 128;

/// Its place in the chat.
pub(super) struct Seat {
    knock: mpsc::Sender<ConvId>,
    inbox: Mutex<Option<mpsc::Receiver<ConvId>>>,
    /// Conversations for which there was no room.
    crowd: Mutex<Vec<ConvId>>,
    crowded: Notify,
    talks: Talks,
    /// Answers posted since the start.
    answers: AtomicU64,
    /// Conversations handed over since the start.
    handed_over: AtomicU64,
}

impl Default for Seat {
    fn default() -> Self {
        let (knock, inbox) = mpsc::channel(QUEUE);
        Self {
            knock,
            inbox: Mutex::new(Some(inbox)),
            crowd: Mutex::default(),
            crowded: Notify::new(),
            talks: Talks::default(),
            answers: AtomicU64::default(),
            handed_over: AtomicU64::default(),
        }
    }
}

impl Seat {
    /// Something was committed in a conversation. Never waits.
    pub(super) fn heard(&self, cell: &Cell, row_changed: bool, asked: bool) {
        let mine = cell.row.owner == Owner::Robot && cell.row.state == ConvState::Open;
        if row_changed {
            // its keys go with the owner and with the epoch
            self.talks.keep(cell.id, mine.then_some(cell.row.epoch));
        }
        if mine && (row_changed || asked) {
            self.look(cell.id);
        }
    }

    /// It should look at this conversation. Never waits.
    pub(super) fn look(&self, conv: ConvId) {
        if self.knock.try_send(conv).is_err() {
            self.crowd.lock().push(conv);
            self.crowded.notify_one();
        }
    }
}

/// Whether a visitor wrote one of these records; looked at only where the robot would care.
pub(super) fn asked(cell: &Cell, records: &[bytes::Bytes]) -> bool {
    let his = |frame: &bytes::Bytes| {
        let header = RecordView::parse(frame).and_then(|r| HeaderView::parse(r.body).ok());
        header.is_some_and(|(kind, h)| kind == Kind::Message && h.sender() == cell.visitor)
    };
    cell.row.owner == Owner::Robot && records.iter().any(his)
}

impl Chat {
    /// What the robot did since the start.
    pub fn robot_counts(&self) -> RobotCounts {
        RobotCounts {
            answers: self.robot.answers.load(Ordering::Relaxed),
            handed_over: self.robot.handed_over.load(Ordering::Relaxed),
        }
    }

    /// Whether this conversation is the robot's at this moment, with this epoch.
    fn is_robots(&self, conv: ConvId, epoch: u32) -> bool {
        let Ok(Some(cell)) = self.cell(conv) else { return false };
        let row = &cell.lock().row;
        row.owner == Owner::Robot && row.state == ConvState::Open && row.bot && row.epoch == epoch
    }
}
