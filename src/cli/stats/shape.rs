//! The answer of `/admin/stats`, as far as it is shown. What an older server does not send shows as nothing.

use serde::Deserialize;

use crate::proto::{AgentInfo, TeamId};

/// Everything.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// Version of the server.
    pub version: String,
    /// Name of the company.
    pub org: String,
    /// How long it runs, ms.
    pub uptime_ms: u64,
    /// Sockets.
    pub connections: Connections,
    /// Conversations.
    pub conversations: Conversations,
    /// Messages.
    pub messages: Messages,
    /// From frame to disk.
    pub commit: Latency,
    /// From frame to the readers' sockets.
    pub delivery: Latency,
    /// Size of the database, bytes.
    pub storage_bytes: u64,
    /// Agents and their load.
    pub agents: Vec<AgentInfo>,
    /// Queues of the teams.
    pub queues: Vec<Queue>,
}

/// Sockets by side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Connections {
    /// Of visitors.
    pub visitors: u64,
    /// Of agents.
    pub agents: u64,
}

/// Conversations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Conversations {
    /// Open ones.
    pub open: u64,
    /// Of them in a queue.
    pub waiting: u64,
    /// How long the first of them waits, ms.
    pub longest_wait_ms: u64,
}

/// Messages.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Messages {
    /// Since the server started.
    pub total: u64,
    /// In the last seconds.
    pub per_second: f64,
}

/// A distribution of times, microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Latency {
    /// Half are faster.
    pub p50_us: u64,
    /// One of a hundred is slower.
    pub p99_us: u64,
}

/// A team's queue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Queue {
    /// Whose.
    pub team: TeamId,
    /// How many wait.
    pub waiting: u64,
    /// How long the first waits, ms.
    #[serde(default)]
    pub longest_wait_ms: u64,
}
