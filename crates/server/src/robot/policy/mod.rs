//! What the robot does about a message: rules only, which anyone can read in `kefu.toml`. No IO, no async, no clock of its own.
//!
//! ```text
//!   TurnInput + Recognition ──[decide()]──► Decision, with its reason (Why)
//! ```
//!
//! - `recognition`: what was understood of a message. The engine fills it.
//! - `decision`: what to do, with the reason (`why`).
//! - `rules`: the rules of `[robot]`, checked and ready; `decide` applies them.
//! - `phrases`, `handover_words`, `hours`: the robot's own sentences, words that hand over to a person, when people answer.
//!
//! Opening and sealing messages is the participant's work; owners of conversations are the chat's.

mod check;
mod decide;
mod decision;
mod handover_words;
mod hours;
mod input;
mod phrases;
mod recognition;
mod rules;
#[cfg(test)]
mod tests;
mod why;

pub use check::problems;
pub use decide::decide;
pub use decision::{Action, Button, Decision, HandOverWhy};
pub use hours::{Hours, HoursError};
pub use input::{Dialogue, People, TurnInput};
pub use phrases::{is_zh, speaks_zh};
pub use recognition::{Contradiction, IntentScore, KnowledgeMatch, Recognition, RecognitionError};
pub use rules::{ASK_PERSON, Policy, PolicyError, Rules, Title};
pub use why::Why;
