//! Answers to people who look: the snapshot and the explanation. Reads only.

use super::{
    AgentView, Desk, DeskSnapshot, NotNow, OfferView, QueueView, Reason, TeamView, choose::ready_at, state::Stage,
};
use kefu_proto::{AgentState, ConvId, UserId};

impl Desk {
    /// Agents who have a socket.
    pub fn connected_agents(&self) -> Vec<UserId> {
        self.s.agents.iter().filter(|(_, a)| a.gone_until.is_none()).map(|(user, _)| user.clone()).collect()
    }

    /// The desk at a glance.
    pub fn snapshot(&self, now_ms: u64) -> DeskSnapshot {
        let s = &self.s;
        let agents: Vec<AgentView> = s
            .agents
            .iter()
            .map(|(user, a)| AgentView {
                user: user.clone(),
                name: a.name.clone(),
                state: a.state(),
                load: count(a.owned.len()),
                offers: count(a.asked.len()),
                capacity: a.capacity,
                teams: a.teams.iter().cloned().collect(),
                grace_until: a.gone_until,
            })
            .collect();
        let teams: Vec<TeamView> = s
            .teams
            .iter()
            .filter(|(_, t)| !t.agents.is_empty() || !t.line.is_empty())
            .map(|(team, t)| TeamView {
                team: team.clone(),
                state: self.presence(team).state,
                online: self.online(team),
                waiting: count(t.line.len()),
                offered: count(t.line.len() - t.waiting.len()),
                longest_wait_ms: t.line.first().map_or(0, |(since, _)| now_ms.saturating_sub(*since)),
            })
            .collect();
        let offers = s
            .agents
            .keys()
            .flat_map(|user| self.offers(user).into_iter().map(move |(conv, until)| (user, conv, until)))
            .map(|(user, conv, until)| OfferView { conv, user: user.clone(), until })
            .collect();
        DeskSnapshot {
            waiting: teams.iter().map(|t| t.waiting).sum(),
            owned: agents.iter().map(|a| a.load).sum(),
            longest_wait_ms: teams.iter().map(|t| t.longest_wait_ms).max().unwrap_or(0),
            agents,
            teams,
            offers,
        }
    }

    /// The queues of teams that have agents or conversations; of each up to `first` of those that have waited longest, offered ones
    /// included.
    pub fn queues(&self, first: usize) -> Vec<QueueView> {
        let teams = self.s.teams.iter().filter(|(_, t)| !t.agents.is_empty() || !t.line.is_empty());
        teams
            .map(|(team, t)| QueueView {
                team: team.clone(),
                online: self.online(team),
                waiting: count(t.line.len()),
                first: t.line.iter().take(first).map(|(since, conv)| (*conv, *since)).collect(),
            })
            .collect()
    }

    /// Why `conv` has no agent yet; the nearest reason first.
    pub fn explain(&self, conv: ConvId) -> Vec<Reason> {
        let Some(c) = self.s.convs.get(&conv) else { return vec![Reason::Unknown] };
        match &c.stage {
            Stage::Owned { user } => return vec![Reason::Owned { user: user.clone() }],
            Stage::Offered { user, until } => return vec![Reason::Offered { user: user.clone(), until: *until }],
            Stage::Assigning { user, .. } => return vec![Reason::Assigning { user: user.clone() }],
            Stage::Returning { user, .. } => return vec![Reason::Returning { user: user.clone() }],
            Stage::Waiting => {}
        }
        let Some(team) = self.s.teams.get(&c.team) else { return Vec::new() };
        let mut reasons = Vec::new();
        if !team.agents.iter().any(|u| self.s.agents.get(u).is_some_and(|a| a.gone_until.is_none())) {
            reasons.push(Reason::NobodyThere { team: c.team.clone() });
        }
        let sole = team.agents.iter().filter(|u| self.s.agents.get(*u).is_some_and(|a| a.free())).count() == 1;
        for user in &team.agents {
            let Some(a) = self.s.agents.get(user) else { continue };
            let why = match a.state() {
                AgentState::Offline => NotNow::Offline,
                AgentState::Busy => NotNow::Busy,
                AgentState::Online if !a.free() => NotNow::Full { load: a.load(), capacity: a.capacity },
                AgentState::Online => match ready_at(c, user, sole) {
                    until if until > self.s.now => NotNow::Tried { until },
                    _ => continue,
                },
            };
            reasons.push(Reason::Agent { user: user.clone(), why });
        }
        let ahead = count(team.waiting.range(..(c.since, conv)).count());
        if ahead > 0 {
            reasons.push(Reason::Behind { ahead });
        }
        reasons
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
