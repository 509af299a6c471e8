//! What the desk is told, what it answers, and the numbers it works with. Data only.

use serde::Serialize;

use kefu_proto::{AgentState, ConvId, TeamId, TeamPresence, UserId};

/// The numbers behind the rules. All times are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long an offer stands.
    pub offer_ms: u64,
    /// Whether the agent's page accepts offers by itself; handed on in [`Decision::Offer`].
    pub auto_accept: bool,
    /// How long an agent without any socket keeps their conversations.
    pub grace_ms: u64,
    /// Conversations an agent may own at once, where nothing else is said of them.
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
        /// Who.
        user: UserId,
        /// Display name.
        name: String,
        /// Whose queues they serve.
        teams: Vec<TeamId>,
        /// Conversations they may own at once; none: [`Rules::capacity`].
        capacity: Option<u32>,
        /// What they say about themselves.
        state: AgentState,
    },
    /// They say something else about themselves.
    AgentState {
        /// Who.
        user: UserId,
        /// What.
        state: AgentState,
    },
    /// The agent's last socket is gone: the grace begins.
    AgentVanished {
        /// Who.
        user: UserId,
    },
    /// The agent's account was switched off: everything goes back at once.
    AgentRemoved {
        /// Who.
        user: UserId,
    },
    /// The agent serves other queues now. What they own stays theirs.
    TeamsChanged {
        /// Who.
        user: UserId,
        /// All their teams.
        teams: Vec<TeamId>,
    },
    /// Fact: the conversation is in this team's queue.
    Waiting {
        /// Which.
        conv: ConvId,
        /// Whose queue.
        team: TeamId,
        /// When it first arrived, kept over declines and losses; decides the order.
        since: u64,
        /// Who answered this visitor last.
        last_agent: Option<UserId>,
    },
    /// Fact: an agent owns it (accepted, taken, transferred, or found so at a restart).
    Owned {
        /// Which.
        conv: ConvId,
        /// Its team.
        team: TeamId,
        /// Whose.
        user: UserId,
    },
    /// Fact: it is closed.
    Closed {
        /// Which.
        conv: ConvId,
    },
    /// An agent accepts an offer.
    Accept {
        /// Which.
        conv: ConvId,
        /// Who.
        user: UserId,
    },
    /// An agent declines an offer.
    Decline {
        /// Which.
        conv: ConvId,
        /// Who.
        user: UserId,
    },
    /// Time passed; see [`super::Desk::next_deadline`].
    Tick,
}

/// Why an offer ended without its agent becoming the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OfferEnd {
    /// Somebody else owns it now.
    Taken,
    /// The time for accepting is over.
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
        /// Which.
        conv: ConvId,
        /// To whom.
        user: UserId,
        /// Until when.
        until: u64,
        /// Whether their page should accept by itself.
        auto: bool,
    },
    /// Take the offer away from all pages of the agent. Every offer ends with this or with `Owned` by the same agent.
    OfferGone {
        /// Which.
        conv: ConvId,
        /// From whom.
        user: UserId,
        /// Why.
        why: OfferEnd,
    },
    /// Try to make the agent the owner in a transaction, then say what is true: `Owned`, or `Waiting` if it failed.
    Assign {
        /// Which.
        conv: ConvId,
        /// Whose.
        user: UserId,
    },
    /// Its agent is gone: make the queue the owner (why = lost), then say `Waiting`. Repeated until a fact comes.
    Requeue {
        /// Which.
        conv: ConvId,
        /// Whose it was; a transaction must check that it still is.
        user: UserId,
    },
    /// A visitor's place changed; 1 is next.
    Position {
        /// Which.
        conv: ConvId,
        /// Stage.
        position: u32,
    },
    /// Who of a team is there changed, or how many wait.
    Presence {
        /// Which.
        team: TeamId,
        /// What holds now.
        now: TeamPresence,
    },
    /// The desk itself set an agent's state: they let offers run out.
    StateChanged {
        /// Who.
        user: UserId,
        /// Now.
        state: AgentState,
    },
    /// What [`super::Desk::agents`] says of this team changed.
    AgentsChanged {
        /// Which.
        team: TeamId,
    },
}
