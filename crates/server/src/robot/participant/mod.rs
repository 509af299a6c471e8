//! The robot as a participant: it receives commits, decrypts what visitors wrote while it is a member, asks its
//! [`DecisionEngine`] what to do, seals and posts like everyone else, and leaves.
//!
//! ```text
//!   fan-out ──bounded──► scheduler ──worker pool──► turn: read, decide, seal ──► Chat::robot_posts: only while it is the owner
//! ```
//!
//! It keeps keys of current epochs only, in `sessions`; all else is read from the store, so a restart loses nothing: a
//! question that was not answered yet is answered once. Nothing here delays the delivery of messages: when more comes in
//! than it can read, it hands over.
//!
//! Of several servers each is the robot of the conversations whose visitors let in one of *its* day keys, wherever they are connected;
//! `orphans` hands over those whose key no server holds any more.

mod inbox;
mod orphans;
mod read;
mod reply;
mod scheduler;
mod sessions;
mod turn;
mod typing;
mod worker_pool;

use std::sync::Arc;

pub use inbox::RobotHandle;
pub use orphans::hand_over_orphans;
pub use scheduler::run;

use super::{engine::DecisionEngine, keys::RobotKeys};
use crate::chat::Chat;

/// What a robot works with.
pub struct Robot {
    /// Access to conversations.
    pub chat: Arc<Chat>,
    /// Its keys; without them every conversation that is the robot's goes to people.
    pub keys: Option<Arc<RobotKeys>>,
    /// What decides; without it every conversation that is the robot's goes to people.
    pub engine: Option<Arc<dyn DecisionEngine>>,
    /// Where it receives commits from chat.
    pub handle: Arc<RobotHandle>,
}
