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
    /// The addresses that are told when somebody waits.
    pub webhooks: Vec<WebhookState>,
    /// Agents and queues.
    pub desk: Option<Desk>,
    /// Who met a limit in the last ten minutes, by limit.
    pub limited: BTreeMap<String, LimitedCount>,
    /// Counters and times.
    pub metrics: MetricsSnapshot,
    /// Those that share the database, if several can.
    pub servers: Option<Servers>,
    /// The server whose numbers these are, if one was asked for.
    pub server: Option<String>,
}

/// An address that is told when somebody waits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct WebhookState {
    /// Its name.
    pub name: String,
    /// Notices that wait for it.
    pub waiting: u64,
    /// Why the last try failed, if it did.
    pub failure: Option<String>,
}

/// The servers that share a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Servers {
    /// The name of the one that was asked.
    pub this: String,
    /// All that were there lately.
    pub servers: Vec<Member>,
}

/// One of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Member {
    /// Its name.
    pub node: String,
    /// Where it listens.
    pub listen: String,
    /// Whether it is there.
    pub alive: bool,
    /// Whether its numbers are in the sums.
    pub answered: bool,
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
    /// The database, if several servers share it.
    pub redis: Option<String>,
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

    /// Which servers answered, if several can: `10.0.0.11:8443 and 10.0.0.12:8443 answered; 10.0.0.13:8443 did not`.
    pub fn answered(&self) -> Option<String> {
        let all = &self.servers.as_ref()?.servers;
        let of = |answered: bool| {
            let alive = all.iter().filter(move |member| member.alive && member.answered == answered);
            alive.map(|member| member.listen.as_str()).collect::<Vec<_>>().join(", ")
        };
        Some(match of(false) {
            silent if silent.is_empty() => format!("{} answered", of(true)),
            silent => format!("{} answered; {silent} did not, and is not in the numbers", of(true)),
        })
    }

    /// The servers that are there but did not answer.
    pub fn silent(&self) -> Vec<&str> {
        let all = self.servers.iter().flat_map(|servers| &servers.servers);
        all.filter(|member| member.alive && !member.answered).map(|member| member.listen.as_str()).collect()
    }

    /// Conversations that are open.
    pub fn open(&self) -> u32 {
        self.desk.as_ref().map_or(0, |d| d.waiting + d.owned)
    }
}
