//! The robot: takes the first questions of a conversation and hands over to people.
//!
//! ```text
//!   participant ──TurnInput──► engine ──TurnInput + Recognition──► policy ──Decision──► participant
//! ```
//!
//! - [`participant`]: its part in conversations: reads, asks the engine, seals, posts, leaves.
//! - [`engine`]: language model, intents and knowledge, from files that commands replace.
//! - [`policy`]: pure rules, from what was recognised to what to do.
//! - [`keys`]: its signing key and its day keys.
//!
//! Conversations know it as a [`chat::Participant`](crate::chat::Participant), the company's directory as an
//! [`org::RobotKeyring`](crate::org::RobotKeyring); neither imports anything from here.

pub mod engine;
pub mod keys;
pub mod participant;
pub mod policy;
