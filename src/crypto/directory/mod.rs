//! The signed log of who is who (protocol §6): entries, the state they add up to, snapshots of it.

mod entry;
mod log;
mod rules;
mod snapshot;
mod state;

pub use entry::{AgentBody, Body, BotBody, EnrolBody, Entry, GenesisBody, RevokeBody, SiteBody, TeamBody};
pub use log::{ActiveAgent, Directory};
pub use rules::DirectoryError;
pub use snapshot::{Bundle, MAX_SNAPSHOT_MS, Snapshot, SnapshotBody, SnapshotError};
pub use state::{BotState, Role, SiteState, State, TeamState, UserKey, UserState};
