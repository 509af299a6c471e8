//! What the robot does about a message.

use serde::Serialize;

use super::Why;

/// A quick reply: pressing it sends an ordinary message of the visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Button {
    /// Its label.
    pub label: String,
    /// The text that pressing it sends.
    pub send: String,
}

/// Why a conversation goes to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HandOverWhy {
    /// The visitor asked for a person.
    Asked,
    /// The robot did not understand.
    Unsure,
    /// It did not understand several times in a row.
    Failed,
    /// The policy gives this intent to people.
    Policy,
    /// More messages than it can read.
    Busy,
    /// People answer at this hour.
    Hours,
    /// Something broke.
    Error,
}

impl HandOverWhy {
    /// The word in the body of the message.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Unsure => "unsure",
            Self::Failed => "failed",
            Self::Policy => "policy",
            Self::Busy => "busy",
            Self::Hours => "hours",
            Self::Error => "error",
        }
    }
}

/// What to post, and who owns the conversation then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Action {
    /// Answer from the knowledge.
    Answer {
        /// Markdown.
        text: String,
        /// Quick replies; may be empty.
        buttons: Vec<Button>,
    },
    /// Ask back.
    Ask {
        /// Markdown.
        text: String,
        /// Quick replies; may be empty.
        buttons: Vec<Button>,
    },
    /// Reply with a fixed text.
    Say {
        /// Markdown.
        text: String,
    },
    /// Reply with a text, then hand over to a team of the company.
    Route {
        /// Id of the team.
        team: String,
        /// Markdown; may be empty.
        text: String,
    },
    /// Reply with a text if there is one, then hand over to the site's team.
    HandOver {
        /// Reason of the hand-over, as clients show it.
        why: HandOverWhy,
        /// Markdown.
        text: Option<String>,
    },
    /// Post nothing.
    Silent,
}

/// An action with its reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// The action.
    pub action: Action,
    /// The reason, for people.
    pub why: Why,
    /// The likeliest intent, if one was seen.
    pub intent: Option<String>,
    /// Its calibrated probability, 0 to 1; 0 without an intent.
    pub p: f32,
    /// Knowledge entry that contains the answer.
    pub entry: Option<String>,
}

impl Decision {
    /// A decision that no rule made: something went wrong, or has to go at once.
    pub fn hand_over(why: HandOverWhy, reason: Why) -> Self {
        let action = Action::HandOver { why, text: None };
        Self { action, why: reason, intent: None, p: 0.0, entry: None }
    }
}
