//! Who was in which team when, and which key was a team's when. Kept from the genesis on; it is in the state, and so
//! in snapshots, only from the first `rules` entry on, so that older states keep their bytes.

use std::collections::BTreeMap;

use super::{Membership, State, TeamKey};
use crate::codec::Key32;
use kefu_proto::{TeamId, UserId};

/// Memberships by user and keys by team, each in the order of their begin.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    pub member: BTreeMap<UserId, Vec<Membership>>,
    pub keys: BTreeMap<TeamId, Vec<TeamKey>>,
}

impl History {
    /// History of a state: its own, or, without one, its present content as valid since entry 0.
    pub fn of(state: &State) -> Self {
        let since_0 = |team: &TeamId| Membership { team: team.clone(), from: 0, to: None };
        let member = state.users.iter().map(|(id, u)| {
            let present = || u.teams.iter().filter(|_| u.on).map(since_0).collect();
            (id.clone(), u.member.clone().unwrap_or_else(present))
        });
        let keys = state.teams.iter().map(|(id, t)| {
            let present = || vec![TeamKey { epoch: t.epoch, pk: t.pk, from: 0, to: None }];
            (id.clone(), t.keys.clone().unwrap_or_else(present))
        });
        Self { member: member.collect(), keys: keys.collect() }
    }

    /// From entry `seq` on the user is in exactly these teams.
    pub fn set_teams(&mut self, user: &UserId, teams: &[TeamId], seq: u32) {
        let spans = self.member.entry(user.clone()).or_default();
        spans.iter_mut().filter(|s| s.to.is_none() && !teams.contains(&s.team)).for_each(|s| s.to = Some(seq));
        for team in teams {
            if !spans.iter().any(|s| s.to.is_none() && s.team == *team) {
                spans.push(Membership { team: team.clone(), from: seq, to: None });
            }
        }
    }

    /// From entry `seq` on this is the team's key.
    pub fn set_key(&mut self, team: &TeamId, epoch: u32, pk: Key32, seq: u32) {
        let keys = self.keys.entry(team.clone()).or_default();
        if keys.last().is_some_and(|k| k.epoch == epoch) {
            return;
        }
        keys.iter_mut().filter(|k| k.to.is_none()).for_each(|k| k.to = Some(seq));
        keys.push(TeamKey { epoch, pk, from: seq, to: None });
    }

    /// Writes it into a state.
    pub fn publish(&self, state: &mut State) {
        let users: Vec<UserId> = state.users.keys().cloned().collect();
        users.iter().for_each(|user| self.publish_user(state, user));
        let teams: Vec<TeamId> = state.teams.keys().cloned().collect();
        teams.iter().for_each(|team| self.publish_team(state, team));
    }

    /// The same for what changed about one user; nothing before the first `rules` entry.
    pub fn publish_user(&self, state: &mut State, user: &UserId) {
        if state.rules.is_empty() {
            return;
        }
        if let Some(u) = state.users.get_mut(user) {
            u.member = Some(self.member.get(user).cloned().unwrap_or_default());
        }
    }

    /// The same for what changed about one team.
    pub fn publish_team(&self, state: &mut State, team: &TeamId) {
        if state.rules.is_empty() {
            return;
        }
        if let Some(t) = state.teams.get_mut(team) {
            t.keys = Some(self.keys.get(team).cloned().unwrap_or_default());
        }
    }
}
