//! The desk: which agent gets which conversation. Pure rules, no IO, no async, no clock of its own.
//!
//! [`Desk::apply`] takes one [`Event`] and the time, and answers with [`Decision`]s. It decides, it does not do: chat
//! carries a decision out in a transaction and comes back with a fact (`Waiting`, `Owned`, `Closed`). The store is right
//! and the desk follows, so a desk can be thrown away and built again from the store at any time. That is what a restart
//! does: `Waiting` for every conversation in a queue, in any order, then `Owned` for the others, then agents connect.
//!
//! A conversation is in exactly one place:
//!
//! ```text
//!   Waiting ──offer──► Offered ──accept──► Assigning ──fact──► Owned ──vanished, removed──► Returning ──fact──► Waiting
//!      ▲                  │ declined, late,     │ failed,
//!      └──────────────────┴─ withdrawn ─────────┘ no fact in time
//! ```
//!
//! What holds after every event:
//! - The queue is in order of first arrival; declines, losses and restarts don't change it.
//! - Only agents who are online, of the team, and below their capacity have offers. Owned, offered and accepted
//!   conversations all fill slots. Chat may give an agent more (take, transfer); offers beyond that agent's slots are
//!   then withdrawn.
//! - An offer that is declined or expires goes to someone else; the same agent is asked again only after a pause. Two
//!   that run out in a row make that agent busy.
//! - An agent whose last socket is gone keeps what they own for the grace, loses their offers at once, and is offline
//!   to everyone. One who says `offline` or `busy` keeps what they own.
//! - The desk changes an owner only through [`Decision::Assign`] and [`Decision::Requeue`]; both are safe to repeat.
//!
//! `types` is the language, `state` the memory, `facts`, `people` and `offer` the events, `choose` the choice, `queue`
//! the places in line, `view` and `look` what people may know. `idle` is separate: when an unclosed conversation ends, or was
//! missed.

#![forbid(unsafe_code)]

mod choose;
mod facts;
mod idle;
mod offer;
mod people;
mod query;
mod queue;
mod snapshot;
mod state;
#[cfg(test)]
mod tests;
mod types;

pub use idle::{End, EndRule, Inactivity};
pub use snapshot::{AgentView, DeskSnapshot, NotNow, OfferView, QueueView, Reason, TeamView};
pub use types::{Decision, Event, OfferEnd, Rules};

/// Who gets which conversation. One per server, owned by one task.
#[derive(Debug)]
pub struct Desk {
    rules: Rules,
    s: state::State,
}

impl Desk {
    /// An empty desk.
    pub fn new(rules: Rules) -> Self {
        Self { rules, s: state::State::default() }
    }

    /// The numbers it works with.
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// Processes `event` and returns what to do, in order. Deadlines passed by `now_ms` are handled first, with
    /// any event. Use a clock that cannot be set (the time at the start plus what a monotonic clock measured since):
    /// time that goes back counts as no progress, and offers would not expire.
    pub fn apply(&mut self, event: Event, now_ms: u64) -> Vec<Decision> {
        self.s.now = self.s.now.max(now_ms);
        self.expire();
        match event {
            Event::AgentConnected { user, name, teams, capacity, state } => {
                self.connected(user, name, teams.into_iter().collect(), capacity, state);
            }
            Event::AgentState { user, state } => self.declared_state(&user, state),
            Event::AgentVanished { user } => self.vanished(&user),
            Event::AgentRemoved { user } => self.removed(&user),
            Event::TeamsChanged { user, teams } => self.serve(&user, teams.into_iter().collect()),
            Event::Waiting { conv, team, since, last_agent } => self.waiting(conv, team, since, last_agent),
            Event::Owned { conv, team, user } => self.owned(conv, team, user),
            Event::Closed { conv } => self.closed(conv),
            Event::Accept { conv, user } => self.accept(conv, user),
            Event::Decline { conv, user } => self.decline(conv, &user),
            Event::Tick => {}
        }
        self.dispatch();
        self.tell();
        self.answer()
    }

    /// When [`Event::Tick`] is needed next, ms. Ask again after every `apply`.
    pub fn next_deadline(&self) -> Option<u64> {
        self.s.timers.first().map(|(at, _)| *at)
    }
}
