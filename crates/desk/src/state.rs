//! What the desk remembers, and the two steps, `leave` and `enter`, through which alone a conversation changes stage,
//! so that the indexes beside it are always right. No rule of assignment lives here.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
};

use super::{Decision, Desk, Rules, queue::Team};
use kefu_proto::{AgentState, ConvId, TeamId, UserId};

/// Where a conversation is. Exactly one place at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// In the queue, not offered to anyone.
    Waiting,
    /// This agent is asked.
    Offered { user: UserId, until: u64 },
    /// They accepted; chat is writing it down. If no fact comes by then, it waits again.
    Assigning { user: UserId, until: u64 },
    /// An agent owns it.
    Owned { user: UserId },
    /// They are gone; chat is giving it back. If no fact comes by then, it is asked again.
    Returning { user: UserId, again: u64 },
}

impl Stage {
    /// Whether the visitor still waits for an agent.
    pub(super) fn in_line(&self) -> bool {
        matches!(self, Self::Waiting | Self::Offered { .. } | Self::Assigning { .. })
    }

    fn timer(&self) -> Option<u64> {
        match self {
            Self::Offered { until, .. } | Self::Assigning { until, .. } => Some(*until),
            Self::Returning { again, .. } => Some(*again),
            Self::Waiting | Self::Owned { .. } => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Conv {
    pub(super) team: TeamId,
    pub(super) since: u64,
    pub(super) last_agent: Option<UserId>,
    /// Who did not accept, and when; the last one is the most recent.
    pub(super) tried: Vec<(UserId, u64)>,
    pub(super) stage: Stage,
}

impl Conv {
    /// Records that `user` did not accept at `now`.
    pub(super) fn tried_in_vain(&mut self, user: &UserId, now: u64) {
        self.tried.retain(|(u, _)| u != user);
        self.tried.push((user.clone(), now));
    }
}

#[derive(Debug)]
pub(super) struct Agent {
    pub(super) name: String,
    pub(super) teams: BTreeSet<TeamId>,
    pub(super) capacity: u32,
    /// The state they chose; the effective one is [`Agent::state`].
    pub(super) declared_state: AgentState,
    /// None while they have a socket, else the end of their grace.
    pub(super) gone_until: Option<u64>,
    pub(super) owned: BTreeSet<ConvId>,
    /// Offers the agent has not answered, and accepted ones that are not theirs yet.
    pub(super) asked: BTreeSet<ConvId>,
    pub(super) assigned_at: u64,
    /// Offers in a row that ran out.
    pub(super) missed: u32,
}

impl Agent {
    /// An agent of whom only the name in a log is known yet.
    pub(super) fn unseen(user: &UserId, rules: &Rules, gone_until: u64) -> Self {
        Self {
            name: user.to_string(),
            teams: BTreeSet::new(),
            capacity: rules.capacity,
            declared_state: AgentState::Offline,
            gone_until: Some(gone_until),
            owned: BTreeSet::new(),
            asked: BTreeSet::new(),
            assigned_at: 0,
            missed: 0,
        }
    }

    /// The effective state: without a socket nobody is online.
    pub(super) fn state(&self) -> AgentState {
        if self.gone_until.is_some() { AgentState::Offline } else { self.declared_state }
    }

    /// Slots in use: what the agent owns and what the agent is asked.
    pub(super) fn load(&self) -> u32 {
        u32::try_from(self.owned.len() + self.asked.len()).unwrap_or(u32::MAX)
    }

    /// Whether an offer may be made to them.
    pub(super) fn free(&self) -> bool {
        self.state() == AgentState::Online && self.load() < self.capacity
    }
}

/// What a deadline is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Stage(ConvId),
    Grace(UserId),
    Retry(TeamId),
}

/// What must be looked at again before `apply` returns.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    /// A conversation waits or an agent became free.
    pub(super) dispatch: BTreeSet<TeamId>,
    /// Teams whose queue changed.
    pub(super) line: BTreeSet<TeamId>,
    /// What colleagues see of an agent changed.
    pub(super) people: BTreeSet<TeamId>,
    /// An agent was asked, or no longer is: they may be full now, or not any more.
    pub(super) slots: BTreeSet<TeamId>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) now: u64,
    pub(super) convs: HashMap<ConvId, Conv>,
    pub(super) agents: BTreeMap<UserId, Agent>,
    pub(super) teams: BTreeMap<TeamId, Team>,
    pub(super) timers: BTreeSet<(u64, Timer)>,
    /// Accounts that were switched off: what a late fact gives them goes back at once.
    pub(super) removed: BTreeSet<UserId>,
    pub(super) dirty: Dirty,
    pub(super) out: Vec<Decision>,
}

impl Desk {
    /// Marks every team of an agent: the agent's free slots or what colleagues see of the agent changed.
    pub(super) fn touch(&mut self, user: &UserId) {
        if let Some(agent) = self.s.agents.get(user) {
            self.s.dirty.dispatch.extend(agent.teams.iter().cloned());
            self.s.dirty.people.extend(agent.teams.iter().cloned());
        }
    }

    /// Moves a known conversation; an unknown one stays unknown.
    pub(super) fn put(&mut self, id: ConvId, stage: Stage) {
        if let Some(conv) = self.leave(id) {
            self.enter(id, Conv { stage, ..conv });
        }
    }

    /// Takes a conversation out of everything.
    pub(super) fn leave(&mut self, id: ConvId) -> Option<Conv> {
        let conv = self.s.convs.remove(&id)?;
        if let Some(at) = conv.stage.timer() {
            self.s.timers.remove(&(at, Timer::Stage(id)));
        }
        if let Some(team) = self.s.teams.get_mut(&conv.team).filter(|_| conv.stage.in_line()) {
            team.line.remove(&(conv.since, id));
            team.waiting.remove(&(conv.since, id));
            self.s.dirty.line.insert(conv.team.clone());
        }
        match &conv.stage {
            Stage::Offered { user, .. } | Stage::Assigning { user, .. } => {
                if let Some(agent) = self.s.agents.get_mut(user) {
                    agent.asked.remove(&id);
                    self.s.dirty.dispatch.extend(agent.teams.iter().cloned());
                    self.s.dirty.slots.extend(agent.teams.iter().cloned());
                }
            }
            Stage::Owned { user } => {
                if let Some(agent) = self.s.agents.get_mut(user) {
                    agent.owned.remove(&id);
                }
                self.touch(user);
            }
            Stage::Waiting | Stage::Returning { .. } => {}
        }
        Some(conv)
    }

    /// Puts a conversation into the index of its stage. It must not be in any other.
    pub(super) fn enter(&mut self, id: ConvId, conv: Conv) {
        if let Some(at) = conv.stage.timer() {
            self.s.timers.insert((at, Timer::Stage(id)));
        }
        if conv.stage.in_line() {
            let team = self.s.teams.entry(conv.team.clone()).or_default();
            team.line.insert((conv.since, id));
            if conv.stage == Stage::Waiting {
                team.waiting.insert((conv.since, id));
                self.s.dirty.dispatch.insert(conv.team.clone());
            }
            self.s.dirty.line.insert(conv.team.clone());
        }
        match &conv.stage {
            Stage::Offered { user, .. } | Stage::Assigning { user, .. } => {
                if let Some(agent) = self.s.agents.get_mut(user) {
                    agent.asked.insert(id);
                    self.s.dirty.slots.extend(agent.teams.iter().cloned());
                }
            }
            Stage::Owned { user } => {
                if let Some(agent) = self.s.agents.get_mut(user) {
                    agent.owned.insert(id);
                }
                self.touch(user);
            }
            Stage::Waiting | Stage::Returning { .. } => {}
        }
        self.s.convs.insert(id, conv);
    }

    /// The decisions so far.
    pub(super) fn answer(&mut self) -> Vec<Decision> {
        mem::take(&mut self.s.out)
    }
}
