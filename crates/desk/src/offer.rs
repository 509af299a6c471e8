//! The life of an offer: made, accepted, declined, run out, withdrawn; and what happens when a clock has run down.

use super::{
    Decision, Desk, OfferEnd,
    state::{Agent, Stage, Timer},
};
use kefu_proto::{AgentState, ConvId, UserId};

/// An agent who lets this many offers in a row expire is set to busy, so that visitors are not offered around
/// without an answer.
const MISSED_MOST: u32 = 2;

impl Desk {
    pub(super) fn offer(&mut self, conv: ConvId, user: UserId) {
        let until = self.s.now.saturating_add(self.rules.offer_ms);
        self.put(conv, Stage::Offered { user: user.clone(), until });
        self.s.out.push(Decision::Offer { conv, user, until, auto: self.rules.auto_accept });
    }

    pub(super) fn accept(&mut self, conv: ConvId, user: UserId) {
        let why = match self.s.convs.get(&conv).map(|c| &c.stage) {
            Some(Stage::Offered { user: asked, .. }) if *asked == user => {
                let until = self.s.now.saturating_add(self.rules.offer_ms);
                self.put(conv, Stage::Assigning { user: user.clone(), until });
                self.heard(&user);
                self.s.out.push(Decision::Assign { conv, user });
                return;
            }
            // a second tab, or a resend: the first one counts
            Some(Stage::Assigning { user: who, .. } | Stage::Owned { user: who }) if *who == user => return,
            Some(Stage::Assigning { .. } | Stage::Owned { .. }) => OfferEnd::Taken,
            Some(_) => OfferEnd::Late,
            None => OfferEnd::Gone,
        };
        self.s.out.push(Decision::OfferGone { conv, user, why });
    }

    pub(super) fn decline(&mut self, conv: ConvId, user: &UserId) {
        if self.asked(conv) == Some(user) {
            self.heard(user);
            self.in_vain(conv, user);
            self.withdraw(conv, OfferEnd::Gone);
        }
    }

    /// The agent to whom the conversation is offered.
    fn asked(&self, conv: ConvId) -> Option<&UserId> {
        match &self.s.convs.get(&conv)?.stage {
            Stage::Offered { user, .. } => Some(user),
            _ => None,
        }
    }

    /// The agent answered something: they are there.
    fn heard(&mut self, user: &UserId) {
        if let Some(agent) = self.s.agents.get_mut(user) {
            agent.missed = 0;
        }
    }

    pub(super) fn in_vain(&mut self, conv: ConvId, user: &UserId) {
        let now = self.s.now;
        if let Some(c) = self.s.convs.get_mut(&conv) {
            c.tried_in_vain(user, now);
        }
    }

    /// Back to its place in the queue; the asked agent is notified.
    pub(super) fn withdraw(&mut self, conv: ConvId, why: OfferEnd) {
        if let Some(Stage::Offered { user, .. } | Stage::Assigning { user, .. }) =
            self.s.convs.get(&conv).map(|c| c.stage.clone())
        {
            self.put(conv, Stage::Waiting);
            self.s.out.push(Decision::OfferGone { conv, user, why });
        }
    }

    /// The same for an offer that waits for an answer; an accepted one is chat's to settle. True if there was one.
    pub(super) fn withdraw_unanswered(&mut self, conv: ConvId) -> bool {
        let offered = self.asked(conv).is_some();
        if offered {
            self.withdraw(conv, OfferEnd::Gone);
        }
        offered
    }

    /// Acts on every clock that has run down.
    pub(super) fn expire(&mut self) {
        while let Some((_, timer)) = self.s.timers.first().filter(|(at, _)| *at <= self.s.now).cloned() {
            self.s.timers.pop_first();
            match timer {
                Timer::Stage(conv) => self.stage_expired(conv),
                Timer::Grace(user) => self.forget(&user),
                Timer::Retry(team) => {
                    if let Some(t) = self.s.teams.get_mut(&team) {
                        t.retry = None;
                    }
                    self.s.dirty.dispatch.insert(team);
                }
            }
        }
    }

    fn stage_expired(&mut self, conv: ConvId) {
        match self.s.convs.get(&conv).map(|c| c.stage.clone()) {
            Some(Stage::Offered { user, .. }) => {
                self.in_vain(conv, &user);
                self.withdraw(conv, OfferEnd::Late);
                self.missed(&user);
            }
            Some(Stage::Assigning { user, .. }) => {
                self.in_vain(conv, &user);
                self.withdraw(conv, OfferEnd::Late);
            }
            Some(Stage::Returning { user, .. }) => {
                let team = self.s.convs.get(&conv).map(|c| &c.team);
                let theirs = |a: &Agent| a.gone_until.is_none() && team.is_some_and(|t| a.teams.contains(t));
                if self.s.agents.get(&user).is_some_and(theirs) {
                    // the agent came back before it could be given away
                    self.put(conv, Stage::Owned { user: user.clone() });
                    self.trim(&user);
                } else {
                    self.give_back(conv, &user);
                }
            }
            Some(Stage::Waiting | Stage::Owned { .. }) | None => {}
        }
    }

    fn missed(&mut self, user: &UserId) {
        let Some(agent) = self.s.agents.get_mut(user) else { return };
        agent.missed += 1;
        if agent.missed >= MISSED_MOST && agent.declared_state == AgentState::Online {
            agent.declared_state = AgentState::Busy;
            agent.missed = 0;
            self.s.out.push(Decision::StateChanged { user: user.clone(), state: AgentState::Busy });
            self.trim(user);
            self.touch(user);
        }
    }

    /// Open offers of an agent, with their ends: what a newly opened page of the agent must show.
    pub fn offers(&self, user: &UserId) -> Vec<(ConvId, u64)> {
        let asked = self.s.agents.get(user).into_iter().flat_map(|a| &a.asked);
        asked
            .filter_map(|id| match self.s.convs.get(id)?.stage {
                Stage::Offered { until, .. } => Some((*id, until)),
                _ => None,
            })
            .collect()
    }
}
