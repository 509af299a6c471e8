//! What the text frames of both directions speak of. Binary frames are envelopes (in) and records (out).

use serde::{Deserialize, Serialize};

use crate::{ConvId, ConvState, Generation, LabelId, Mark, Owner, Priority, SiteId, TeamId, UserId};

/// The two sides of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The visitor.
    Visitor,
    /// An agent.
    Agent,
}

/// The state that an agent chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentState {
    /// Takes new conversations.
    Online,
    /// Keeps theirs, takes no new ones.
    Busy,
    /// Not available.
    Offline,
}

/// Why the server itself changed an agent's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusWhy {
    /// They let offers run out, two in a row.
    Missed,
}

/// Whether an agent would answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// At least one agent of the team is online and could take a conversation.
    Open,
    /// Agents of the team are here, and all of them are busy or have as many conversations as they may: one can queue.
    Busy,
    /// Nobody is available: leave a message.
    Away,
}

/// Who of a team is there, and how many wait for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamPresence {
    /// Whether an agent would answer now.
    pub state: Presence,
    /// Agents who are here: online or busy.
    pub agents: u32,
    /// Conversations in the team's queue.
    pub waiting: u32,
}

impl TeamPresence {
    /// The state of a team that is not known yet.
    pub const NOBODY: Self = Self { state: Presence::Away, agents: 0, waiting: 0 };
}

/// What the server can still store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageState {
    /// Everything can be stored.
    #[default]
    Ok,
    /// The disk is almost full: short messages of agents and what admins do, nothing of visitors.
    Low,
    /// Nothing, until the disk has free space again; all reads still work.
    Full,
}

impl StorageState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Low => "low",
            Self::Full => "full",
        }
    }

    /// Whether everything is taken.
    pub fn is_ok(&self) -> bool {
        *self == Self::Ok
    }
}

/// "I hold this conversation up to here."
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Have {
    /// The conversation.
    pub id: ConvId,
    /// Highest sequence number held; 0 for none.
    pub have: u64,
    /// Under which opening of the database the client remembers what follows.
    #[serde(default, rename = "gen", skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// The last record it ever accepted …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// … and its mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

impl Have {
    /// Held up to here, without a memory of earlier openings.
    pub fn upto(id: ConvId, have: u64) -> Self {
        Self { id, have, generation: None, seq: None, mark: None }
    }
}

/// How far a side has received and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Marks {
    /// Highest sequence number that arrived.
    pub delivered: u64,
    /// Highest sequence number that was looked at.
    pub read: u64,
}

/// A conversation as lists show it (`Conv` in the protocol).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The conversation.
    pub id: ConvId,
    /// The site where it began.
    pub site: SiteId,
    /// The team it belongs to.
    pub team: TeamId,
    /// The owner.
    pub owner: Owner,
    /// Open or closed.
    pub state: ConvState,
    /// The visitor's Ed25519 key, b64u.
    pub ed: String,
    /// The visitor's X25519 key, b64u.
    pub x: String,
    /// Highest sequence number.
    pub last: u64,
    /// Current epoch.
    pub epoch: u32,
    /// When it began, ms.
    pub created: u64,
    /// When something last happened, ms.
    pub last_at: u64,
    /// Waiting since, ms; absent when not in the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<u64>,
    /// When it was closed because nobody had answered, ms; absent once an agent has handled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<u64>,
    /// What its visitor said of it last: 1 to 5, 5 is best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<u8>,
    /// Its tags. Absent for visitors, like the three that follow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<LabelId>,
    /// How urgent it is.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
    /// Until when it is put aside, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed: Option<u64>,
    /// Why it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<LabelId>,
    /// How far the visitor is.
    pub visitor: Marks,
    /// How far the agents are.
    pub agent: Marks,
}

/// How many conversations of a team were missed and still need an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedCount {
    /// The team.
    pub team: TeamId,
    /// The number.
    pub count: u32,
    /// There are more than were counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// When the first of them became one, ms; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<u64>,
}

/// An agent as colleagues see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// User id.
    pub user: UserId,
    /// Display name.
    pub name: String,
    /// Online, busy or offline.
    pub state: AgentState,
    /// Conversations they own.
    pub load: u32,
    /// Conversations they may own at once.
    pub capacity: u32,
    /// The agent's teams.
    pub teams: Vec<TeamId>,
}
