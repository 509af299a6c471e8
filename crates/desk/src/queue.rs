//! The queue of a team: the places in it, and notifying those whose place changed. Presence is sent here too, since it is
//! the other thing visitors see of a team.

use std::{collections::BTreeSet, mem};

use super::{Decision, Desk};
use kefu_proto::{AgentState, ConvId, Presence, TeamId, TeamPresence, UserId};

/// Visitors up to this place are sent every change. Those farther back are told once, when they join at the end, and then
/// again from here on: taking the first of 10,000 must not cost 10,000 frames.
pub(super) const TOLD: usize = 100;

/// Order in a line: arrival, then id, so that it is the same after a restart.
pub(super) type Key = (u64, ConvId);

#[derive(Debug)]
pub(super) struct Team {
    /// Every waiting conversation, including offered ones: a declined offer moves nobody back.
    pub(super) line: BTreeSet<Key>,
    /// Those of the queue that are not offered to anyone.
    pub(super) waiting: BTreeSet<Key>,
    /// The first places as last sent.
    pub(super) told: Vec<ConvId>,
    /// Its agents, connected or within their grace.
    pub(super) agents: BTreeSet<UserId>,
    /// Presence as last sent.
    pub(super) told_presence: TeamPresence,
    /// When a pause ends after which an agent may be asked again.
    pub(super) retry: Option<u64>,
}

impl Default for Team {
    fn default() -> Self {
        Self {
            line: BTreeSet::new(),
            waiting: BTreeSet::new(),
            told: Vec::new(),
            agents: BTreeSet::new(),
            told_presence: TeamPresence::NOBODY,
            retry: None,
        }
    }
}

impl Desk {
    /// Sends what changed to the visitors and the colleagues of the affected teams.
    pub(super) fn tell(&mut self) {
        let (people, lines) = (mem::take(&mut self.s.dirty.people), mem::take(&mut self.s.dirty.line));
        let slots = mem::take(&mut self.s.dirty.slots);
        for team in &people | &(&lines | &slots) {
            let now = self.presence(&team);
            if let Some(t) = self.s.teams.get_mut(&team)
                && t.told_presence != now
            {
                t.told_presence = now;
                self.s.out.push(Decision::Presence { team, now });
            }
        }
        self.s.out.extend(people.into_iter().map(|team| Decision::AgentsChanged { team }));
        for team in lines {
            if let Some(t) = self.s.teams.get_mut(&team) {
                let first: Vec<ConvId> = t.line.iter().take(TOLD).map(|(_, conv)| *conv).collect();
                let changed = first.iter().enumerate().filter(|(i, conv)| t.told.get(*i) != Some(*conv));
                self.s.out.extend(changed.map(|(i, conv)| Decision::Position { conv: *conv, position: place(i) }));
                t.told = first;
            }
        }
    }

    /// A newcomer far back is told their place once, if it is cheap to determine: at the end of the queue.
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
        let c = self.s.convs.get(&conv).filter(|c| c.stage.in_line())?;
        Some(place(self.s.teams.get(&c.team)?.line.range(..(c.since, conv)).count()))
    }

    /// Presence of `team`, and how many wait. An unanswered offer takes a slot.
    pub fn presence(&self, team: &TeamId) -> TeamPresence {
        let Some(t) = self.s.teams.get(team) else { return TeamPresence::NOBODY };
        let here = t.agents.iter().filter_map(|u| self.s.agents.get(u)).filter(|a| a.state() != AgentState::Offline);
        let (agents, free) = here.fold((0, false), |(n, free), a| (n + 1, free || a.free()));
        let state = match agents {
            0 => Presence::Away,
            _ if free => Presence::Open,
            _ => Presence::Busy,
        };
        TeamPresence { state, agents, waiting: u32::try_from(t.line.len()).unwrap_or(u32::MAX) }
    }

    /// How many of `team` are online, with a free slot or without.
    pub(super) fn online(&self, team: &TeamId) -> u32 {
        let agents = self.s.teams.get(team).into_iter().flat_map(|t| &t.agents);
        let online = agents.filter_map(|u| self.s.agents.get(u)).filter(|a| a.state() == AgentState::Online).count();
        u32::try_from(online).unwrap_or(u32::MAX)
    }
}

fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX - 1) + 1
}
