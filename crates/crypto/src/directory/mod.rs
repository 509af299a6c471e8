//! The signed log of who is who (protocol §6): entries, the state they add up to, snapshots of it.

mod enrolment;
mod entry;
mod error;
mod history;
mod identity;
mod log;
mod replay;
mod rules;
mod snapshot;
mod state;

pub use entry::{
    AgentBody, Body, BotBody, ConfirmBody, EnrolBody, Entry, GenesisBody, RevokeBody, RulesBody, SiteBody, TeamBody,
};
pub use error::DirectoryError;
pub use identity::{IdentityAlg, IdentityBody, IdentityKey, MAX_IDENTITY_KEYS};
pub use log::{ActiveAgent, Directory, Unconfirmed};
pub use snapshot::{Bundle, MAX_AHEAD_MS, MAX_SNAPSHOT_MS, Snapshot, SnapshotBody, SnapshotError};
pub use state::{
    BotState, Membership, Revision, Role, SiteState, State, TeamKey, TeamState, UserKey, UserState, Waiting,
};

/// The newest revision of the rules of readers that this program knows.
pub const REVISION: u32 = 2;
