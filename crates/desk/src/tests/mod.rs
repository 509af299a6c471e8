//! The desk by scenario, and its invariants under any sequence of events.

mod flow;
mod invariants;
mod leaders;
mod people;
mod queue;

use super::*;
use kefu_proto::{AgentState, ConvId, Presence, TeamId, TeamPresence, UserId};

pub(super) fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

pub(super) fn team(id: &str) -> TeamId {
    id.parse().unwrap()
}

/// A conversation by number; the number is in its last bytes.
pub(super) fn conv(n: u32) -> ConvId {
    let mut id = [0; 16];
    id[12..].copy_from_slice(&n.to_be_bytes());
    ConvId(id)
}

pub(super) fn online(id: &str, teams: &[&str], capacity: u32) -> Event {
    Event::AgentConnected {
        user: user(id),
        name: id.to_uppercase(),
        teams: teams.iter().map(|t| team(t)).collect(),
        capacity: Some(capacity),
        state: AgentState::Online,
    }
}

pub(super) fn waits(n: u32, t: &str, since: u64) -> Event {
    Event::Waiting { conv: conv(n), team: team(t), since, last_agent: None }
}

pub(super) fn owns(n: u32, t: &str, who: &str) -> Event {
    Event::Owned { conv: conv(n), team: team(t), user: user(who) }
}

pub(super) fn accept(n: u32, who: &str) -> Event {
    Event::Accept { conv: conv(n), user: user(who) }
}

pub(super) fn decline(n: u32, who: &str) -> Event {
    Event::Decline { conv: conv(n), user: user(who) }
}

/// `(conversation, agent)` of the offers among decisions.
pub(super) fn offers(decisions: &[Decision]) -> Vec<(ConvId, String)> {
    decisions
        .iter()
        .filter_map(|d| match d {
            Decision::Offer { conv, user, .. } => Some((*conv, user.to_string())),
            _ => None,
        })
        .collect()
}

pub(super) fn positions(decisions: &[Decision]) -> Vec<(ConvId, u32)> {
    decisions
        .iter()
        .filter_map(|d| match d {
            Decision::Position { conv, position } => Some((*conv, *position)),
            _ => None,
        })
        .collect()
}

pub(super) fn presence(t: &str, state: Presence, agents: u32, waiting: u32) -> Decision {
    Decision::Presence { team: team(t), now: TeamPresence { state, agents, waiting } }
}

pub(super) fn gone(n: u32, who: &str, why: OfferEnd) -> Decision {
    Decision::OfferGone { conv: conv(n), user: user(who), why }
}

pub(super) fn requeue(n: u32, who: &str) -> Decision {
    Decision::Requeue { conv: conv(n), user: user(who) }
}
