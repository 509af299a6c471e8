//! Events for the desk, its decisions, and its settings. Data only.

use serde::Serialize;

use kefu_proto::{AgentState, ConvId, TeamId, TeamPresence, UserId};

/// The numbers behind the rules. All times are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long an offer is open.
    pub offer_ms: u64,
    /// Whether the agent's page accepts offers by itself; handed on in [`Decision::Offer`].
    pub auto_accept: bool,
    /// How long an agent without any socket keeps their conversations.
    pub grace_ms: u64,
    /// Default number of conversations an agent may own at once.
    pub capacity: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self { offer_ms: 30_000, auto_accept: true, grace_ms: 20_000, capacity: 8 }
    }
}

/// Something that happened. `Waiting`, `Owned` and `Closed` are facts: chat sends them after the commit, and a fact
/// always wins over what the desk believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An agent's first socket; sent again, it updates what is known of them.
    AgentConnected {
        /// The agent.
        user: UserId,
        /// Display name.
        name: String,
        /// Whose queues they serve.
        teams: Vec<TeamId>,
        /// Conversations they may own at once; none: [`Rules::capacity`].
        capacity: Option<u32>,
        /// The state they chose.
        state: AgentState,
    },
    /// They chose another state.
    AgentState {
        /// The agent.
        user: UserId,
        /// The new state.
        state: AgentState,
    },
    /// The agent's last socket is gone: the grace begins.
    AgentVanished {
        /// The agent.
        user: UserId,
    },
    /// The agent's account was switched off: everything goes back at once.
    AgentRemoved {
        /// The agent.
        user: UserId,
    },
    /// The agent serves other queues now. What they own stays theirs.
    TeamsChanged {
        /// The agent.
        user: UserId,
        /// All their teams.
        teams: Vec<TeamId>,
    },
    /// Fact: the conversation is in this team's queue.
    Waiting {
        /// The conversation.
        conv: ConvId,
        /// The team.
        team: TeamId,
        /// When it first arrived, kept over declines and losses; decides the order.
        since: u64,
        /// Who answered this visitor last.
        last_agent: Option<UserId>,
    },
    /// Fact: an agent owns it (accepted, taken, transferred, or found so at a restart).
    Owned {
        /// The conversation.
        conv: ConvId,
        /// The team.
        team: TeamId,
        /// The agent who owns it.
        user: UserId,
    },
    /// Fact: it is closed.
    Closed {
        /// The conversation.
        conv: ConvId,
    },
    /// An agent accepts an offer.
    Accept {
        /// The conversation.
        conv: ConvId,
        /// The agent.
        user: UserId,
    },
    /// An agent declines an offer.
    Decline {
        /// The conversation.
        conv: ConvId,
        /// The agent.
        user: UserId,
    },
    /// Time passed; see [`super::Desk::next_deadline`].
    Tick,
}

/// Why an offer ended without its agent becoming the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OfferEnd {
    /// Someone else owns it now.
    Taken,
    /// The time for accepting has passed.
    Late,
    /// Declined, closed, moved to another team, or the agent stopped taking new ones.
    Gone,
}

impl OfferEnd {
    /// The word of the `offer_gone` frame.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Late => "late",
            Self::Gone => "gone",
        }
    }
}

/// What the caller must do now, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Show the agent an offer.
    Offer {
        /// The conversation.
        conv: ConvId,
        /// The agent it is offered to.
        user: UserId,
        /// When the offer ends, ms since 1970.
        until: u64,
        /// Whether their page should accept by itself.
        auto: bool,
    },
    /// Take the offer away from all pages of the agent. Every offer ends with this or with `Owned` by the same agent.
    OfferGone {
        /// The conversation.
        conv: ConvId,
        /// The agent it was offered to.
        user: UserId,
        /// Why the offer ended.
        why: OfferEnd,
    },
    /// Try to make the agent the owner in a transaction, then report the result: `Owned`, or `Waiting` if it failed.
    Assign {
        /// The conversation.
        conv: ConvId,
        /// The agent who owns it.
        user: UserId,
    },
    /// Its agent is gone: make the queue the owner (why = lost), then report `Waiting`. Repeated until a fact arrives.
    Requeue {
        /// The conversation.
        conv: ConvId,
        /// Whose it was; a transaction must check that it still is.
        user: UserId,
    },
    /// A visitor's place changed; 1 is next.
    Position {
        /// The conversation.
        conv: ConvId,
        /// Place in the queue; 1 is next.
        position: u32,
    },
    /// Who of a team is there changed, or how many wait.
    Presence {
        /// The team.
        team: TeamId,
        /// The present state.
        now: TeamPresence,
    },
    /// The desk itself set an agent's state: they let offers run out.
    StateChanged {
        /// The agent.
        user: UserId,
        /// The new state.
        state: AgentState,
    },
    /// What [`super::Desk::agents`] says of this team changed.
    AgentsChanged {
        /// The team.
        team: TeamId,
    },
}
