//! The answer of `/admin/stats`, as far as it is shown. What an older server does not send shows as nothing.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    chat::LimitedCount,
    proto::{AgentState, MissedCount, StorageState, TeamId, UserId},
    telemetry::MetricsSnapshot,
};

/// The whole answer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// Version of the server.
    pub version: String,
    /// Name of the company.
    pub name: String,
    /// Whether a server answers, not the command itself.
    pub running: bool,
    /// Where it listens.
    pub listen: String,
    /// How long it runs, seconds.
    pub uptime_seconds: u64,
    /// Size of the database, bytes.
    pub storage_bytes: u64,
    /// What can be stored.
    pub storage: Storage,
    /// The signed directory.
    pub directory: Directory,
    /// Missed conversations, by team.
    pub missed: Vec<MissedCount>,
    /// Agents and queues.
    pub desk: Option<Desk>,
    /// Who met a limit in the last ten minutes, by limit.
    pub limited: BTreeMap<String, LimitedCount>,
    /// Counters and times.
    pub metrics: MetricsSnapshot,
}

/// The disk of the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Storage {
    /// What can be stored.
    pub state: StorageState,
    /// Bytes free.
    pub free_bytes: u64,
    /// Bytes that must stay free for everything to be stored.
    pub reserve_bytes: u64,
}

/// The signed directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Directory {
    /// Number of the newest entry.
    pub seq: u32,
    /// Until when visitors accept it, ms.
    pub fresh_until: u64,
}

/// Agents and queues.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Desk {
    /// Connected agents.
    pub agents: Vec<Agent>,
    /// Queues of the teams.
    pub teams: Vec<Queue>,
    /// Number of waiting conversations.
    pub waiting: u32,
    /// Conversations that agents have.
    pub owned: u32,
    /// How long the first waits, ms.
    pub longest_wait_ms: u64,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Agent {
    /// Login name.
    pub user: UserId,
    /// Display name.
    pub name: String,
    /// Online, busy or offline.
    pub state: AgentState,
    /// Conversations they have.
    pub load: u32,
    /// Conversations they may have.
    pub capacity: u32,
    /// The agent's teams.
    #[serde(default)]
    pub teams: Vec<TeamId>,
}

/// A team's queue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Queue {
    /// The team.
    pub team: TeamId,
    /// Agents online.
    #[serde(default)]
    pub online: u32,
    /// Number of waiting conversations.
    pub waiting: u32,
    /// How long the first waits, ms.
    #[serde(default)]
    pub longest_wait_ms: u64,
}

impl Stats {
    /// Agents and queues; empty without a server.
    pub fn desk(&self) -> Desk {
        self.desk.clone().unwrap_or_default()
    }

    /// Conversations that are open.
    pub fn open(&self) -> u32 {
        self.desk.as_ref().map_or(0, |d| d.waiting + d.owned)
    }
}
