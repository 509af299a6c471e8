//! What chat committed: waiting, owned, closed. A fact wins over whatever the desk believed.

use super::{
    Decision, Desk, OfferEnd,
    state::{Agent, Conv, Stage, Timer},
};
use kefu_proto::{ConvId, TeamId, UserId};

impl Desk {
    pub(super) fn waiting(&mut self, id: ConvId, team: TeamId, since: u64, last_agent: Option<UserId>) {
        let mut tried = Vec::new();
        if let Some(old) = self.s.convs.get(&id) {
            match &old.stage {
                // nothing new: an offer under way stays
                Stage::Waiting | Stage::Offered { .. } if old.team == team && old.since == since => {
                    if let Some(c) = self.s.convs.get_mut(&id) {
                        c.last_agent = last_agent;
                    }
                    return;
                }
                Stage::Offered { .. } => self.withdraw(id, OfferEnd::Gone),
                Stage::Assigning { user, .. } => {
                    // the transaction failed: not at once to the same agent
                    let user = user.clone();
                    self.in_vain(id, &user);
                    self.withdraw(id, OfferEnd::Gone);
                }
                Stage::Waiting | Stage::Owned { .. } | Stage::Returning { .. } => {}
            }
        }
        if let Some(old) = self.leave(id)
            && old.team == team
        {
            tried = old.tried;
        }
        self.enter(id, Conv { team: team.clone(), since, last_agent, tried, stage: Stage::Waiting });
        self.tell_newcomer(&team, (since, id));
    }

    pub(super) fn owned(&mut self, id: ConvId, team: TeamId, user: UserId) {
        match self.s.convs.get(&id).map(|c| (&c.team, &c.stage)) {
            Some((t, Stage::Owned { user: owner })) if *t == team && *owner == user => return,
            Some((_, Stage::Offered { user: asked, .. } | Stage::Assigning { user: asked, .. })) if *asked != user => {
                let gone = Decision::OfferGone { conv: id, user: asked.clone(), why: OfferEnd::Taken };
                self.s.out.push(gone);
            }
            _ => {}
        }
        let since = self.leave(id).map_or(self.s.now, |c| c.since);
        let stage = Stage::Owned { user: user.clone() };
        let conv = Conv { team, since, last_agent: None, tried: Vec::new(), stage };
        if self.s.removed.contains(&user) {
            self.enter(id, conv);
            self.give_back(id, &user);
            return;
        }
        let (now, grace) = (self.s.now, self.rules.grace_ms);
        let rules = self.rules;
        let timers = &mut self.s.timers;
        let agent = self.s.agents.entry(user.clone()).or_insert_with(|| {
            // a restart: the agent has the grace to come back
            let until = now.saturating_add(grace);
            timers.insert((until, Timer::Grace(user.clone())));
            Agent::unseen(&user, &rules, until)
        });
        agent.assigned_at = now;
        agent.missed = 0;
        self.enter(id, conv);
        self.trim(&user);
    }

    pub(super) fn closed(&mut self, id: ConvId) {
        self.withdraw(id, OfferEnd::Gone);
        self.leave(id);
    }
}
