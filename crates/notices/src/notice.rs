//! One thing that happened.

use std::fmt;

use kefu_proto::{ConvId, SiteId, TeamId};
use serde::{Deserialize, Serialize};

/// What can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// Somebody has waited in a queue for longer than the webhook's limit.
    Waiting,
    /// Somebody waits, and no agent of the team is online.
    Nobody,
    /// A conversation was closed without an answer, and is listed as missed.
    Missed,
}

impl Event {
    /// Its name in settings and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Nobody => "nobody",
            Self::Missed => "missed",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What.
    pub event: Event,
    /// In whose queue.
    pub team: TeamId,
    /// Where the conversation began; none for what concerns the whole queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// The conversation; none for what concerns the whole queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conv: Option<ConvId>,
    /// Since when, ms since 1970: when the wait began, or when it was missed.
    pub since: u64,
    /// How many wait, for what concerns the whole queue; else 1.
    pub count: u32,
}
