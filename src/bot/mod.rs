//! What the robot makes of a sentence, and what it does about it: rules only. No IO, no async, no clock of its own.
//!
//! ```text
//!   text ──[Brain]──► Thought ──[policy::decide]──► Decision
//! ```
//!
//! - `thought`: what was understood. Filled by a [`Brain`], which stands in the composition root.
//! - `decision`: what to do, with the reason (`why`).
//! - [`policy`]: from the one to the other.
//!
//! Who opens and seals messages, and who owns a conversation, is not decided here.

mod check;
mod decision;
pub mod policy;
mod thought;
mod why;

pub use check::problems;
pub use decision::{Action, Button, Decision, HandOverWhy};
pub use policy::{Dialogue, Message, People, Policy, PolicyError, Title, decide};
pub use thought::{Against, Brain, Guess, Hit, Thought, Trouble};
pub use why::Why;
