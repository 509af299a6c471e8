//! What the desk shows people: an overview of the state, and why a conversation is not assigned. Data only; `look` fills it.

use std::fmt;

use serde::{Deserialize, Serialize};

use kefu_proto::{AgentState, ConvId, Presence, TeamId, UserId};

/// The desk at a glance, for statistics and the wall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskSnapshot {
    /// Agents with a socket, or within their grace.
    pub agents: Vec<AgentView>,
    /// Teams that have agents or a queue.
    pub teams: Vec<TeamView>,
    /// Open offers.
    pub offers: Vec<OfferView>,
    /// Conversations that wait for an owner, all teams.
    pub waiting: u32,
    /// Conversations that agents own.
    pub owned: u32,
    /// Longest wait of all teams, ms.
    pub longest_wait_ms: u64,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// The agent.
    pub user: UserId,
    /// Display name; the id until they connect.
    pub name: String,
    /// Offline while they have no socket.
    pub state: AgentState,
    /// Conversations they own.
    pub load: u32,
    /// Offers before them.
    pub offers: u32,
    /// Conversations they may own at once.
    pub capacity: u32,
    /// The agent's teams.
    pub teams: Vec<TeamId>,
    /// Without a socket: when their conversations go back, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_until: Option<u64>,
}

/// One team's queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamView {
    /// The team.
    pub team: TeamId,
    /// Presence of the team.
    pub state: Presence,
    /// Agents online.
    pub online: u32,
    /// Conversations without an owner, offered ones included.
    pub waiting: u32,
    /// Those that are offered to an agent.
    pub offered: u32,
    /// How long the first has waited, ms.
    pub longest_wait_ms: u64,
}

/// One team's queue with what waits in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueView {
    /// The team.
    pub team: TeamId,
    /// Agents online.
    pub online: u32,
    /// Conversations without an owner, offered ones included.
    pub waiting: u32,
    /// The first of them, and since when each waits, ms.
    pub first: Vec<(ConvId, u64)>,
}

/// One open offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferView {
    /// The conversation.
    pub conv: ConvId,
    /// The agent it is offered to.
    pub user: UserId,
    /// When the offer ends, ms since 1970.
    pub until: u64,
}

/// One reason why a conversation has no agent yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Reason {
    /// The desk does not know it: closed, or it never was.
    Unknown,
    /// Its visitor has written nothing in it yet, so the desk doesn't know it.
    Empty,
    /// It has an agent.
    Owned {
        /// The agent.
        user: UserId,
    },
    /// It is offered right now.
    Offered {
        /// The agent it is offered to.
        user: UserId,
        /// When the offer ends, ms since 1970.
        until: u64,
    },
    /// An agent accepted; the transaction is under way.
    Assigning {
        /// The agent.
        user: UserId,
    },
    /// Its agent is gone; the transaction that gives it back is under way.
    Returning {
        /// The agent.
        user: UserId,
    },
    /// Others came before it.
    Behind {
        /// Conversations ahead of it in the queue.
        ahead: u32,
    },
    /// No agent of its team has a socket.
    NobodyThere {
        /// The team.
        team: TeamId,
    },
    /// This agent of the team can't have it now.
    Agent {
        /// The agent.
        user: UserId,
        /// Why not.
        why: NotNow,
    },
}

/// Why an agent gets no offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum NotNow {
    /// No socket, or they chose to be offline.
    Offline,
    /// They take no new ones.
    Busy,
    /// No free slot.
    Full {
        /// Conversations they own or are offered.
        load: u32,
        /// Conversations they may have at once.
        capacity: u32,
    },
    /// They declined it or let it run out.
    Tried {
        /// They may be asked again then, ms.
        until: u64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("its visitor has not written anything yet"),
            Self::Unknown => f.write_str("the desk does not know this conversation: it is closed or never existed"),
            Self::Owned { user } => write!(f, "it is not waiting: {user} owns it"),
            Self::Offered { user, .. } => write!(f, "it is offered to {user} right now"),
            Self::Assigning { user } => write!(f, "{user} accepted it a moment ago"),
            Self::Returning { user } => write!(f, "{user} disconnected; it is returning to the queue"),
            Self::Behind { ahead } => write!(f, "{ahead} are ahead of it in the queue"),
            Self::NobodyThere { team } => write!(f, "no agent of team {team} is connected"),
            Self::Agent { user, why } => match why {
                NotNow::Offline => write!(f, "{user} is offline"),
                NotNow::Busy => write!(f, "{user} is busy"),
                NotNow::Full { load, capacity } => write!(f, "{user} has no free slot ({load} of {capacity})"),
                NotNow::Tried { .. } => {
                    write!(f, "{user} declined it or did not answer; they will be asked again later")
                }
            },
        }
    }
}
