//! The rules of assignment: pure, no IO, no async.

mod types;
mod view;

pub use types::{Decision, Event, OfferEnd, Rules};
pub use view::{AgentView, DeskSnapshot, NotNow, OfferView, Reason, TeamView};

use crate::proto::{AgentInfo, ConvId, Presence, TeamId, UserId};

/// Who gets which conversation. One per server, owned by one task.
#[derive(Debug)]
pub struct Desk {
    rules: Rules,
}

impl Desk {
    /// An empty desk.
    pub fn new(rules: Rules) -> Self {
        Self { rules }
    }

    /// Takes note of `event` and says what to do. `now_ms` must not jump; going back counts as standing still.
    pub fn apply(&mut self, event: Event, now_ms: u64) -> Vec<Decision> {
        let _ = (event, now_ms, &self.rules);
        Vec::new()
    }

    /// When [`Event::Tick`] is needed next, ms.
    pub fn next_deadline(&self) -> Option<u64> {
        None
    }

    /// A conversation's place in its queue; 1 is next. None if it has an agent. Walks the queue.
    pub fn position(&self, conv: ConvId) -> Option<u32> {
        let _ = conv;
        None
    }

    /// Whether somebody of `team` is there, and how many are online.
    pub fn presence(&self, team: &TeamId) -> (Presence, u32) {
        let _ = team;
        (Presence::Away, 0)
    }

    /// The agents of any of `teams` that are connected or within their grace, by id.
    pub fn agents(&self, teams: &[TeamId]) -> Vec<AgentInfo> {
        let _ = teams;
        Vec::new()
    }

    /// Offers that stand before an agent, with their ends: what a page he opens now must show.
    pub fn offers(&self, user: &UserId) -> Vec<(ConvId, u64)> {
        let _ = user;
        Vec::new()
    }

    /// The desk at a glance.
    pub fn snapshot(&self, now_ms: u64) -> DeskSnapshot {
        let _ = now_ms;
        DeskSnapshot {
            agents: Vec::new(),
            teams: Vec::new(),
            offers: Vec::new(),
            waiting: 0,
            owned: 0,
            longest_wait_ms: 0,
        }
    }

    /// Why `conv` has no agent yet; the first reason is the nearest.
    pub fn explain(&self, conv: ConvId) -> Vec<Reason> {
        let _ = conv;
        vec![Reason::Unknown]
    }
}
