//! What a decision is made about: a visitor's message in its conversation.

use super::{Action, Decision, Why, phrases};

/// What the visitor wrote, where and when, and what happened before.
#[derive(Debug, Clone, Copy)]
pub struct TurnInput<'a> {
    /// The text; several messages since the last answer are a line each, oldest first.
    pub text: &'a str,
    /// Id of the site.
    pub site: &'a str,
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// Whether the conversation is Chinese, by what the visitor wrote so far, in the beginning by the language of their form;
    /// none: as this text is.
    pub zh: Option<bool>,
    /// What happened before, as far as is known after a restart, and whether people are there now.
    pub dialogue: Dialogue,
}

impl TurnInput<'_> {
    /// Whether it is to be answered in Chinese.
    pub fn is_zh(&self) -> bool {
        self.zh.unwrap_or_else(|| phrases::is_zh(self.text))
    }
}

/// What happened before in the conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dialogue {
    /// Turns in a row in which the robot could only ask back.
    pub asked: u32,
    /// Whether people are there, as far as the robot can know.
    pub people: People,
    /// The visitor was told that nobody is available, and asked what they want; asking again gets what they ask for.
    pub told: bool,
}

/// Whether people are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum People {
    /// Someone could answer now.
    #[default]
    Here,
    /// All of them are busy: one can queue.
    Busy,
    /// Nobody is available.
    Away,
}

impl Dialogue {
    /// After a decision was carried out.
    #[must_use]
    pub fn after(self, decision: &Decision) -> Self {
        let asked = if matches!(decision.action, Action::Ask { .. }) { self.asked.saturating_add(1) } else { 0 };
        Self { asked, told: self.told || matches!(decision.why, Why::NobodyThere { .. }), ..self }
    }
}
