//! The line of a team: who stands where, and telling those whose place changed. Presence is told here too, since it is
//! the other thing visitors see of a team.

use std::{collections::BTreeSet, mem};

use super::{Decision, Desk};
use crate::proto::{AgentState, ConvId, Presence, TeamId, UserId};

/// Visitors up to this place hear of every change. Farther back they are told once, when they join at the end, and then
/// again from here on: taking the first of 10,000 must not cost 10,000 frames.
pub(super) const TOLD: usize = 100;

/// Order in a line: arrival, then id, so that it is the same after a restart.
pub(super) type Key = (u64, ConvId);

#[derive(Debug)]
pub(super) struct Team {
    /// Everyone who waits for somebody, offered ones included: a declined offer moves nobody back.
    pub(super) line: BTreeSet<Key>,
    /// Those of the line for whom nobody is asked.
    pub(super) waiting: BTreeSet<Key>,
    /// The first places as they were last told.
    pub(super) told: Vec<ConvId>,
    /// Its agents, connected or within their grace.
    pub(super) agents: BTreeSet<UserId>,
    /// Presence as it was last told.
    pub(super) told_presence: (Presence, u32),
    /// When a pause ends after which somebody may be asked again.
    pub(super) retry: Option<u64>,
}

impl Default for Team {
    fn default() -> Self {
        Self {
            line: BTreeSet::new(),
            waiting: BTreeSet::new(),
            told: Vec::new(),
            agents: BTreeSet::new(),
            told_presence: (Presence::Away, 0),
            retry: None,
        }
    }
}

impl Desk {
    /// Tells what changed for the visitors and the colleagues of the teams that were touched.
    pub(super) fn tell(&mut self) {
        for team in mem::take(&mut self.s.dirty.people) {
            let (state, agents) = self.presence(&team);
            if let Some(t) = self.s.teams.get_mut(&team)
                && t.told_presence != (state, agents)
            {
                t.told_presence = (state, agents);
                self.s.out.push(Decision::Presence { team: team.clone(), state, agents });
            }
            self.s.out.push(Decision::AgentsChanged { team });
        }
        for team in mem::take(&mut self.s.dirty.line) {
            if let Some(t) = self.s.teams.get_mut(&team) {
                let first: Vec<ConvId> = t.line.iter().take(TOLD).map(|(_, conv)| *conv).collect();
                let changed = first.iter().enumerate().filter(|(i, conv)| t.told.get(*i) != Some(*conv));
                self.s.out.extend(changed.map(|(i, conv)| Decision::Position { conv: *conv, position: place(i) }));
                t.told = first;
            }
        }
    }

    /// A newcomer far back hears his place once, if it costs nothing to know: at the end of the line.
    pub(super) fn tell_newcomer(&mut self, team: &TeamId, key: Key) {
        if let Some(t) = self.s.teams.get(team)
            && t.line.len() > TOLD
            && t.line.last() == Some(&key)
        {
            self.s.out.push(Decision::Position { conv: key.1, position: place(t.line.len() - 1) });
        }
    }

    /// A conversation's place in its queue; 1 is next. None if it has an agent. Walks the queue up to it.
    pub fn position(&self, conv: ConvId) -> Option<u32> {
        let c = self.s.convs.get(&conv).filter(|c| c.place.in_line())?;
        Some(place(self.s.teams.get(&c.team)?.line.range(..(c.since, conv)).count()))
    }

    /// Whether somebody of `team` is there, and how many are online.
    pub fn presence(&self, team: &TeamId) -> (Presence, u32) {
        let agents = self.s.teams.get(team).into_iter().flat_map(|t| &t.agents);
        let online = agents.filter_map(|u| self.s.agents.get(u)).filter(|a| a.state() == AgentState::Online).count();
        let state = if online > 0 { Presence::Open } else { Presence::Away };
        (state, u32::try_from(online).unwrap_or(u32::MAX))
    }
}

fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX - 1) + 1
}
