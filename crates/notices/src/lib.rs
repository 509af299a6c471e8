//! Notices: what people outside kefu are told, and how it reaches them.
//!
//! A [`Notice`] is one thing that happened: somebody waits too long, a conversation was missed, nobody of a team is online. It has
//! counts, times and ids, never what people wrote or are called. [`Watch`] (pure) makes notices of what it is shown, [`Queue`]
//! (pure) makes messages of notices and says when each is sent, [`Webhook`] writes and signs the request, [`outbound`] sends it to an
//! address that was checked. Who looks at conversations and stores the queue is above this crate.

#![forbid(unsafe_code)]

mod notice;
pub mod outbound;
pub mod push;
mod queue;
#[cfg(feature = "testing")]
pub mod testing;
mod watch;
pub mod webhook;

pub use notice::{Event, Notice};
pub use queue::{Limits, Message, Queue};
pub use watch::{Missed, QueueSeen, Scene, Told, Waits, Watch};
pub use webhook::{Failure, Language, Webhook};
