//! Agents connect, disconnect, and change their state and teams.

use std::collections::{BTreeSet, btree_map::Entry};

use super::{
    Decision, Desk, OfferEnd,
    state::{Agent, Stage, Timer},
};
use kefu_proto::{AgentInfo, AgentState, ConvId, TeamId, UserId};

/// How long chat has for giving back a conversation before it is asked again, ms.
const RETURN_AGAIN_MS: u64 = 5_000;

impl Desk {
    pub(super) fn connected(
        &mut self,
        user: UserId,
        name: String,
        teams: BTreeSet<TeamId>,
        capacity: Option<u32>,
        state: AgentState,
    ) {
        self.s.removed.remove(&user);
        let agent = match self.s.agents.entry(user.clone()) {
            Entry::Occupied(e) => e.into_mut(),
            Entry::Vacant(e) => e.insert(Agent::unseen(&user, &self.rules, 0)),
        };
        if let Some(until) = agent.gone_until.take() {
            self.s.timers.remove(&(until, Timer::Grace(user.clone())));
            agent.missed = 0;
        }
        agent.name = name;
        agent.capacity = capacity.unwrap_or(self.rules.capacity);
        agent.declared_state = state;
        self.serve(&user, teams);
        self.trim(&user);
    }

    pub(super) fn declared_state(&mut self, user: &UserId, state: AgentState) {
        if let Some(agent) = self.s.agents.get_mut(user) {
            agent.declared_state = state;
            agent.missed = 0;
            self.trim(user);
            self.touch(user);
        }
    }

    pub(super) fn vanished(&mut self, user: &UserId) {
        let Some(agent) = self.s.agents.get_mut(user).filter(|a| a.gone_until.is_none()) else { return };
        let until = self.s.now.saturating_add(self.rules.grace_ms);
        agent.gone_until = Some(until);
        self.s.timers.insert((until, Timer::Grace(user.clone())));
        self.trim(user);
        self.touch(user);
    }

    pub(super) fn removed(&mut self, user: &UserId) {
        self.s.removed.insert(user.clone());
        self.forget(user);
    }

    /// The grace period has ended, or the account was switched off: the agent's conversations go back.
    pub(super) fn forget(&mut self, user: &UserId) {
        self.touch(user);
        let Some(agent) = self.s.agents.get_mut(user) else { return };
        if let Some(until) = agent.gone_until {
            self.s.timers.remove(&(until, Timer::Grace(user.clone())));
        }
        let (owned, asked) = (agent.owned.clone(), agent.asked.clone());
        for conv in asked {
            self.withdraw(conv, OfferEnd::Gone);
        }
        for conv in owned {
            self.give_back(conv, user);
        }
        if let Some(agent) = self.s.agents.remove(user) {
            for team in &agent.teams {
                if let Some(t) = self.s.teams.get_mut(team) {
                    t.agents.remove(user);
                }
            }
        }
    }

    /// Asks chat to make the queue the owner, repeatedly until a fact reports the outcome.
    pub(super) fn give_back(&mut self, conv: ConvId, user: &UserId) {
        self.put(conv, Stage::Returning { user: user.clone(), again: self.s.now.saturating_add(RETURN_AGAIN_MS) });
        self.s.out.push(Decision::Requeue { conv, user: user.clone() });
    }

    /// Replaces an agent's teams. Offers from teams the agent left are withdrawn; what the agent owns there they can't
    /// see any more, so it goes back to that team's queue.
    pub(super) fn serve(&mut self, user: &UserId, teams: BTreeSet<TeamId>) {
        self.touch(user);
        let Some(agent) = self.s.agents.get_mut(user) else { return };
        for left in agent.teams.difference(&teams) {
            if let Some(t) = self.s.teams.get_mut(left) {
                t.agents.remove(user);
            }
        }
        for team in &teams {
            self.s.teams.entry(team.clone()).or_default().agents.insert(user.clone());
        }
        agent.teams = teams;
        let foreign = |held: &BTreeSet<ConvId>| -> Vec<ConvId> {
            let left = |id: &&ConvId| self.s.convs.get(*id).is_some_and(|c| !agent.teams.contains(&c.team));
            held.iter().filter(left).copied().collect()
        };
        let (asked, owned) = (foreign(&agent.asked), foreign(&agent.owned));
        for conv in asked {
            self.withdraw_unanswered(conv);
        }
        for conv in owned {
            self.give_back(conv, user);
        }
        self.touch(user);
    }

    /// Withdraws the offers an agent may no longer have: all if the agent is not online, else those beyond
    /// the agent's capacity.
    pub(super) fn trim(&mut self, user: &UserId) {
        let Some(agent) = self.s.agents.get(user) else { return };
        let mut excess =
            if agent.state() == AgentState::Online { agent.load().saturating_sub(agent.capacity) } else { u32::MAX };
        for conv in agent.asked.clone() {
            if excess > 0 && self.withdraw_unanswered(conv) {
                excess -= 1;
            }
        }
    }

    /// The agents of any of `teams` that are connected or within their grace, by id.
    pub fn agents(&self, teams: &[TeamId]) -> Vec<AgentInfo> {
        let users: BTreeSet<&UserId> =
            teams.iter().filter_map(|t| self.s.teams.get(t)).flat_map(|t| &t.agents).collect();
        users
            .into_iter()
            .filter_map(|user| {
                let a = self.s.agents.get(user)?;
                Some(AgentInfo {
                    user: user.clone(),
                    name: a.name.clone(),
                    state: a.state(),
                    load: u32::try_from(a.owned.len()).unwrap_or(u32::MAX),
                    capacity: a.capacity,
                    teams: a.teams.iter().cloned().collect(),
                })
            })
            .collect()
    }
}
