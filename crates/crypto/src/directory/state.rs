//! The state after the log. The JSON form is part of the protocol: it is in snapshots and must be the same everywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use crate::codec::Key32;
use kefu_proto::{BotId, SiteId, TeamId, UserId};

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Answers.
    Agent,
    /// Answers, reads along, takes over.
    Supervisor,
    /// Signs for the company.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
        })
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "agent" => Ok(Self::Agent),
            "supervisor" => Ok(Self::Supervisor),
            "admin" => Ok(Self::Admin),
            _ => Err(format!("{s:?} is not a role: use agent, supervisor or admin")),
        }
    }
}

/// One key of a user, with the span of entries in which it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserKey {
    /// Ed25519 key, signs.
    pub ed: Key32,
    /// X25519 key, receives team keys.
    pub x: Key32,
    /// Entry that brought it.
    pub from: u32,
    /// Entry that ended it.
    pub to: Option<u32>,
}

impl UserKey {
    /// Whether it still counted after entry `seq` (protocol §2: "certified at dir_seq or later").
    pub fn counts_at_or_after(&self, seq: u32) -> bool {
        self.to.is_none_or(|to| to > seq)
    }
}

/// A user's time in a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The team.
    pub team: TeamId,
    /// Entry that began it.
    pub from: u32,
    /// Entry that ended it.
    pub to: Option<u32>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserState {
    /// Display name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// Whether they may act.
    pub on: bool,
    /// Their teams.
    pub teams: Vec<TeamId>,
    /// All keys they ever had, oldest first.
    pub keys: Vec<UserKey>,
    /// When they were in which team; present from the first `rules` entry on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Vec<Membership>>,
}

impl UserState {
    /// The key that counts now, if any.
    pub fn active_key(&self) -> Option<&UserKey> {
        self.keys.iter().find(|k| self.on && k.to.is_none())
    }
}

/// One key of a team, with the span of entries in which it was the team's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamKey {
    /// Its number.
    pub epoch: u32,
    /// X25519 key.
    pub pk: Key32,
    /// Entry that brought it.
    pub from: u32,
    /// Entry that brought the next one.
    pub to: Option<u32>,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamState {
    /// Display name.
    pub name: String,
    /// Number of its key, from 1.
    pub epoch: u32,
    /// Its X25519 key.
    pub pk: Key32,
    /// Whether it takes conversations.
    pub on: bool,
    /// All keys it ever had, oldest first; present from the first `rules` entry on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<TeamKey>>,
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteState {
    /// Display name.
    pub name: String,
    /// Origins that may embed its widget: `scheme://host[:port]`.
    pub origins: Vec<String>,
    /// Whose queue its conversations enter.
    pub team: TeamId,
    /// Whether its widget works.
    pub on: bool,
    /// The robot that may be a member of its conversations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<BotId>,
}

/// A robot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotState {
    /// Display name.
    pub name: String,
    /// Signs its messages and its day keys.
    pub ed: Key32,
    /// Whether it may be a member of new epochs.
    pub on: bool,
}

/// From which entry on a revision of the rules of readers holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The revision.
    pub rev: u32,
    /// First entry under this revision.
    pub from: u32,
}

/// A person who enrolled and is not confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Display name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// Teams by id.
    pub teams: Vec<TeamId>,
    /// Ed25519 key, signs.
    pub ed: Key32,
    /// X25519 key, receives team keys.
    pub x: Key32,
    /// The invite that was used.
    pub inv: Key32,
    /// The enrolment.
    pub from: u32,
    /// Until when they act like everyone else, ms: when the invite expires.
    pub exp: u64,
}

/// The complete state at one point of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The company's name.
    pub org: String,
    /// The root Ed25519 key.
    pub root: Key32,
    /// The recovery X25519 key.
    pub recovery: Key32,
    /// The server's OPAQUE key.
    pub opaque: Key32,
    /// Suite of ciphers, 1.
    pub suite: u32,
    /// Users by id.
    pub users: BTreeMap<UserId, UserState>,
    /// Teams by id.
    pub teams: BTreeMap<TeamId, TeamState>,
    /// Sites by id.
    pub sites: BTreeMap<SiteId, SiteState>,
    /// Robots, those that are off too: their messages stay verifiable.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bots: BTreeMap<BotId, BotState>,
    /// Invites that were used or revoked, b64u.
    pub used: BTreeSet<String>,
    /// Revisions of the rules of readers, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Revision>,
    /// Who waits for confirmation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waiting: BTreeMap<UserId, Waiting>,
}

impl State {
    /// The state as JSON, all objects sorted by key: equal states are equal texts.
    pub fn canonical(&self) -> String {
        // serde_json's map is a BTreeMap, so a value prints sorted; a state of texts and numbers has no way to fail
        serde_json::to_value(self).map(|v| v.to_string()).unwrap_or_default()
    }

    /// Whether `inv` was used or revoked.
    pub fn invite_used(&self, inv: &Key32) -> bool {
        self.used.contains(&inv.to_string())
    }
}
