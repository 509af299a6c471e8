//! Who is asked for which conversation.
//!
//! The one who waits longest comes first, over all teams at once, so that an agent of two teams serves both queues in
//! order of arrival. Of the agents of the team that are online and have a free slot: the one who answered this visitor last,
//! else the one with the least load for their capacity, then the one whose last assignment is longest ago, then by id.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BinaryHeap},
    mem,
    ops::Bound::{Excluded, Unbounded},
};

use super::{
    Desk,
    queue::Key,
    state::{Agent, Conv, Timer},
};
use kefu_proto::{TeamId, UserId};

/// No agent is asked twice for the same conversation within this time, ms; it keeps two decliners, or one, from being
/// asked in a circle as fast as the network allows.
pub(super) const PAUSE_MS: u64 = 10_000;
/// How long the last agent who did not accept is not asked again if nobody else was asked since, ms.
pub(super) const AGAIN_MS: u64 = 60_000;
/// Number of conversations, already declined by the free agents, that are skipped at a time, so that one event stays
/// cheap with a long queue of them; the end of a pause triggers the next check.
const PASSED_OVER: u32 = 256;

/// When `user` may be asked for `conv`, ms. `sole`: no other agent is free.
pub(super) fn ready_at(conv: &Conv, user: &UserId, sole: bool) -> u64 {
    match conv.tried.iter().position(|(u, _)| u == user) {
        None => 0,
        Some(i) => {
            let latest = i + 1 == conv.tried.len();
            conv.tried[i].1.saturating_add(if latest && !sole { AGAIN_MS } else { PAUSE_MS })
        }
    }
}

fn by_preference(a: (&UserId, &Agent), b: (&UserId, &Agent)) -> Ordering {
    // a/ca < b/cb without fractions
    let (left, right) =
        (u64::from(a.1.load()) * u64::from(b.1.capacity), u64::from(b.1.load()) * u64::from(a.1.capacity));
    left.cmp(&right).then(a.1.assigned_at.cmp(&b.1.assigned_at)).then(a.0.cmp(b.0))
}

impl Desk {
    /// Makes every offer that can be made now.
    pub(super) fn dispatch(&mut self) {
        let mut heads: BinaryHeap<Reverse<(Key, TeamId)>> = BinaryHeap::new();
        for team in mem::take(&mut self.s.dirty.dispatch) {
            self.set_retry(&team, None);
            if let Some(key) = self.s.teams.get(&team).and_then(|t| t.waiting.first()) {
                heads.push(Reverse((*key, team)));
            }
        }
        let mut passed: BTreeMap<TeamId, (u32, u64)> = BTreeMap::new();
        while let Some(Reverse((key, team))) = heads.pop() {
            match self.choose(key, &team) {
                Choice::Ask(user) => self.offer(key.1, user),
                Choice::Later(at) => {
                    let (count, earliest) = passed.entry(team.clone()).or_insert((0, u64::MAX));
                    *count += 1;
                    *earliest = at.min(*earliest);
                    if *count >= PASSED_OVER {
                        continue;
                    }
                }
                Choice::Nobody => continue,
            }
            let rest = self.s.teams.get(&team).map(|t| t.waiting.range((Excluded(key), Unbounded)));
            if let Some(next) = rest.and_then(|mut r| r.next()) {
                heads.push(Reverse((*next, team)));
            }
        }
        // offering marks teams again, but only takes slots away: nothing more can be offered
        self.s.dirty.dispatch.clear();
        for (team, (_, at)) in passed {
            self.set_retry(&team, Some(at));
        }
    }

    fn choose(&self, (_, id): Key, team: &TeamId) -> Choice {
        let (Some(conv), Some(team)) = (self.s.convs.get(&id), self.s.teams.get(team)) else { return Choice::Nobody };
        let free: Vec<(&UserId, &Agent)> =
            team.agents.iter().filter_map(|u| Some((u, self.s.agents.get(u)?))).filter(|(_, a)| a.free()).collect();
        let sole = free.len() == 1;
        let ready = || free.iter().copied().filter(|(u, _)| ready_at(conv, u, sole) <= self.s.now);
        let known = conv.last_agent.as_ref().and_then(|last| ready().find(|(u, _)| *u == last));
        match known.or_else(|| ready().min_by(|a, b| by_preference(*a, *b))) {
            Some((user, _)) => Choice::Ask(user.clone()),
            None => free.iter().map(|(u, _)| ready_at(conv, u, sole)).min().map_or(Choice::Nobody, Choice::Later),
        }
    }

    fn set_retry(&mut self, team: &TeamId, at: Option<u64>) {
        let Some(t) = self.s.teams.get_mut(team) else { return };
        if let Some(old) = mem::replace(&mut t.retry, at) {
            self.s.timers.remove(&(old, Timer::Retry(team.clone())));
        }
        if let Some(at) = at {
            self.s.timers.insert((at, Timer::Retry(team.clone())));
        }
    }
}

enum Choice {
    /// Offer it to this agent.
    Ask(UserId),
    /// Everyone who is free was asked already; one may be asked again then.
    Later(u64),
    /// No agent of the team is free.
    Nobody,
}
