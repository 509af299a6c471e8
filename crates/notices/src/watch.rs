//! What was seen before and what is seen now become notices. Pure: no clock, no IO.
//!
//! What was told is kept in [`Told`], which is stored with the queue of the notices: after a restart, and on a server that takes the
//! desk over, nothing is told twice. It has a bounded size: of waits it keeps the time up to which they were told, not each of them.

use std::collections::{BTreeMap, BTreeSet};

use kefu_proto::{ConvId, TeamId};
use serde::{Deserialize, Serialize};

use crate::{Event, Notice};

/// Conversations missed within this time of the newest are remembered one by one: many are closed in one millisecond.
const OVERLAP_MS: u64 = 60_000;
/// So many of them.
const REMEMBERED: usize = 2_000;
/// A conversation that appears in a queue this soon after its wait began came in just now; else it came back.
const JUST_NOW_MS: u64 = 5_000;

/// When waits are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// What is told at all.
    pub events: BTreeSet<Event>,
    /// A wait is told after this time, ms.
    pub after_ms: u64,
    /// That nobody is online is told when somebody has waited for this time, ms.
    pub nobody_after_ms: u64,
    /// Of these teams; empty: all.
    pub teams: BTreeSet<TeamId>,
}

/// The queue of a team as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSeen {
    /// The team.
    pub team: TeamId,
    /// Agents online.
    pub online: u32,
    /// Conversations that wait.
    pub waiting: u32,
    /// The first of them, and since when each waits, ms.
    pub first: Vec<(ConvId, u64)>,
}

/// A missed conversation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missed {
    /// When it was closed, ms.
    pub at: u64,
    /// The conversation.
    pub conv: ConvId,
    /// Its team.
    pub team: TeamId,
}

/// What is seen at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scene {
    /// Queues with agents or conversations.
    pub queues: Vec<QueueSeen>,
    /// The newest missed conversations.
    pub missed: Vec<Missed>,
}

/// What was told, for the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// Waits that had begun by then, ms.
    pub waits_to: u64,
    /// Teams of which nobody is online.
    pub nobody: BTreeSet<TeamId>,
    /// Missed conversations that were closed before, ms; those after it one by one.
    pub missed_to: u64,
    /// These were told, with their times.
    pub missed: BTreeMap<ConvId, u64>,
}

impl Told {
    /// Before anything was told: what is past stays untold.
    pub fn from(now_ms: u64) -> Self {
        Self { missed_to: now_ms, ..Self::default() }
    }
}

/// Makes notices.
#[derive(Debug)]
pub struct Watch {
    waits: Waits,
    /// Since when conversations wait, as seen here; none: before this watch began.
    entered: Option<BTreeMap<ConvId, Wait>>,
}

#[derive(Debug, Clone, Copy)]
struct Wait {
    since: u64,
    told: bool,
}

impl Watch {
    /// Begins.
    pub fn new(waits: Waits) -> Self {
        Self { waits, entered: None }
    }

    /// What is new. Sites are not known here: the caller adds them.
    pub fn look(&mut self, scene: &Scene, told: &mut Told, now_ms: u64) -> Vec<Notice> {
        let mut notices = Vec::new();
        let ours = |team: &TeamId| self.waits.teams.is_empty() || self.waits.teams.contains(team);
        let queues: Vec<_> = scene.queues.iter().filter(|queue| ours(&queue.team)).collect();
        if self.waits.events.contains(&Event::Missed) {
            missed(scene.missed.iter().filter(|missed| ours(&missed.team)), told, &mut notices);
        }
        if self.waits.events.contains(&Event::Nobody) {
            nobody(&queues, self.waits.nobody_after_ms, told, now_ms, &mut notices);
        }
        if self.waits.events.contains(&Event::Waiting) {
            self.waiting(&queues, told, now_ms, &mut notices);
        }
        notices
    }

    fn waiting(&mut self, queues: &[&QueueSeen], told: &mut Told, now_ms: u64, notices: &mut Vec<Notice>) {
        let first_look = self.entered.is_none();
        let before = self.entered.take().unwrap_or_default();
        let mut entered = BTreeMap::new();
        for queue in queues {
            for (conv, since) in &queue.first {
                let fresh = || {
                    let came_now = now_ms.saturating_sub(*since) <= JUST_NOW_MS;
                    match first_look || came_now {
                        // who looks for the first time can't know who came back
                        true => Wait { since: *since, told: *since <= told.waits_to },
                        // its agent was lost: it waits again from now on
                        false => Wait { since: now_ms, told: false },
                    }
                };
                let mut wait = before.get(conv).copied().unwrap_or_else(fresh);
                if !wait.told && now_ms.saturating_sub(wait.since) >= self.waits.after_ms {
                    wait.told = true;
                    told.waits_to = told.waits_to.max(wait.since);
                    notices.push(Notice {
                        event: Event::Waiting,
                        team: queue.team.clone(),
                        site: None,
                        conv: Some(*conv),
                        since: *since,
                        count: 1,
                    });
                }
                entered.insert(*conv, wait);
            }
        }
        self.entered = Some(entered);
    }
}

/// A team is told of once, until somebody is online again or the queue is empty.
fn nobody(queues: &[&QueueSeen], after_ms: u64, told: &mut Told, now_ms: u64, notices: &mut Vec<Notice>) {
    let empty = |queue: &QueueSeen| queue.online == 0 && queue.waiting > 0;
    told.nobody.retain(|team| queues.iter().any(|queue| queue.team == *team && empty(queue)));
    for queue in queues.iter().filter(|queue| empty(queue)) {
        let Some((_, since)) = queue.first.first() else { continue };
        if now_ms.saturating_sub(*since) >= after_ms && told.nobody.insert(queue.team.clone()) {
            notices.push(Notice {
                event: Event::Nobody,
                team: queue.team.clone(),
                site: None,
                conv: None,
                since: *since,
                count: queue.waiting,
            });
        }
    }
}

fn missed<'a>(seen: impl Iterator<Item = &'a Missed>, told: &mut Told, notices: &mut Vec<Notice>) {
    let from = told.missed_to;
    let mut new: Vec<_> = seen.filter(|m| m.at > from && !told.missed.contains_key(&m.conv)).collect();
    new.sort();
    for missed in new {
        told.missed.insert(missed.conv, missed.at);
        notices.push(Notice {
            event: Event::Missed,
            team: missed.team.clone(),
            site: None,
            conv: Some(missed.conv),
            since: missed.at,
            count: 1,
        });
    }
    let newest = told.missed.values().max().copied().unwrap_or_default();
    told.missed_to = told.missed_to.max(newest.saturating_sub(OVERLAP_MS));
    if told.missed.len() > REMEMBERED {
        // more than a minute's worth of attention: from here on only what is later counts
        told.missed_to = newest;
    }
    let to = told.missed_to;
    told.missed.retain(|_, at| *at > to);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conv(n: u8) -> ConvId {
        ConvId([n; 16])
    }

    fn team(id: &str) -> TeamId {
        id.parse().unwrap()
    }

    fn watch() -> Watch {
        let events = [Event::Waiting, Event::Nobody, Event::Missed].into();
        Watch::new(Waits { events, after_ms: 60_000, nobody_after_ms: 10_000, teams: BTreeSet::new() })
    }

    fn scene(online: u32, first: &[(u8, u64)]) -> Scene {
        let first: Vec<_> = first.iter().map(|(n, since)| (conv(*n), *since)).collect();
        let queues = vec![QueueSeen { team: team("svc"), online, waiting: first.len() as u32, first }];
        Scene { queues, missed: Vec::new() }
    }

    fn told(notices: &[Notice]) -> Vec<(Event, Option<ConvId>)> {
        notices.iter().map(|n| (n.event, n.conv)).collect()
    }

    const T: u64 = 1_000_000;

    #[test]
    fn a_wait_is_told_once_and_not_again_after_a_restart() {
        let (mut watch, mut state) = (watch(), Told::from(T));
        assert!(watch.look(&scene(1, &[(1, T)]), &mut state, T + 59_999).is_empty());
        let at = T + 60_000;
        assert_eq!(told(&watch.look(&scene(1, &[(1, T)]), &mut state, at)), [(Event::Waiting, Some(conv(1)))]);
        assert!(watch.look(&scene(1, &[(1, T)]), &mut state, at + 1_000).is_empty());
        let mut again = self::watch();
        assert!(again.look(&scene(1, &[(1, T), (2, T + 1)]), &mut state, at).is_empty());
        let late = again.look(&scene(1, &[(1, T), (2, T + 1)]), &mut state, at + 1);
        assert_eq!(told(&late), [(Event::Waiting, Some(conv(2)))]);
    }

    #[test]
    fn what_an_agent_lost_waits_again() {
        let (mut watch, mut state) = (watch(), Told::from(T));
        let at = T + 60_000;
        assert_eq!(watch.look(&scene(1, &[(1, T)]), &mut state, at).len(), 1);
        assert!(watch.look(&scene(1, &[]), &mut state, at + 1_000).is_empty(), "an agent took it");
        assert!(watch.look(&scene(1, &[(1, T)]), &mut state, at + 600_000).is_empty(), "it is back");
        assert!(watch.look(&scene(1, &[(1, T)]), &mut state, at + 659_999).is_empty());
        assert_eq!(watch.look(&scene(1, &[(1, T)]), &mut state, at + 660_000).len(), 1);
    }

    #[test]
    fn an_old_wait_is_told_even_if_a_younger_one_was() {
        // the queue was longer than what is looked at, or a conversation came back
        let (mut watch, mut state) = (watch(), Told::from(T));
        watch.look(&scene(1, &[]), &mut state, T);
        assert_eq!(watch.look(&scene(1, &[(2, T + 1_000)]), &mut state, T + 1_000).len(), 0);
        assert_eq!(watch.look(&scene(1, &[(2, T + 1_000)]), &mut state, T + 61_000).len(), 1);
        assert_eq!(watch.look(&scene(1, &[(1, T), (2, T + 1_000)]), &mut state, T + 62_000).len(), 0);
        let late = watch.look(&scene(1, &[(1, T), (2, T + 1_000)]), &mut state, T + 122_000);
        assert_eq!(told(&late), [(Event::Waiting, Some(conv(1)))]);
    }

    #[test]
    fn nobody_online_is_told_once_until_somebody_was() {
        let (mut watch, mut state) = (watch(), Told::from(T));
        let look = |watch: &mut Watch, state: &mut Told, online, at| {
            told(&watch.look(&scene(online, &[(1, T)]), state, at)).iter().filter(|n| n.0 == Event::Nobody).count()
        };
        assert_eq!(look(&mut watch, &mut state, 0, T + 9_999), 0);
        assert_eq!(look(&mut watch, &mut state, 0, T + 10_000), 1);
        assert_eq!(look(&mut watch, &mut state, 0, T + 20_000), 0);
        assert_eq!(look(&mut self::watch(), &mut state, 0, T + 20_000), 0, "a restart");
        assert_eq!(look(&mut watch, &mut state, 1, T + 21_000), 0);
        assert_eq!(look(&mut watch, &mut state, 0, T + 22_000), 1);
    }

    #[test]
    fn missed_ones_are_told_once_also_if_they_are_of_one_millisecond() {
        let (mut watch, mut state) = (watch(), Told::from(T));
        let missed = |n: u8, at| Missed { at, conv: conv(n), team: team("svc") };
        let scene = |missed: Vec<Missed>| Scene { queues: Vec::new(), missed };
        assert!(watch.look(&scene(vec![missed(1, T - 1), missed(2, T)]), &mut state, T + 1).is_empty(), "the past");
        let two = scene(vec![missed(3, T + 5), missed(2, T)]);
        assert_eq!(told(&watch.look(&two, &mut state, T + 6)), [(Event::Missed, Some(conv(3)))]);
        let three = scene(vec![missed(3, T + 5), missed(4, T + 5), missed(2, T)]);
        assert_eq!(told(&self::watch().look(&three, &mut state, T + 7)), [(Event::Missed, Some(conv(4)))]);
        assert!(watch.look(&three, &mut state, T + 8).is_empty());
        // much later only the time is remembered
        let late = scene(vec![missed(5, T + 900_000), missed(3, T + 5), missed(4, T + 5)]);
        assert_eq!(told(&watch.look(&late, &mut state, T + 900_001)), [(Event::Missed, Some(conv(5)))]);
        assert_eq!((state.missed.len(), watch.look(&late, &mut state, T + 900_002).len()), (1, 0));
    }

    #[test]
    fn a_flood_is_remembered_in_bounded_memory() {
        let (mut watch, mut state) = (watch(), Told::from(T));
        let missed =
            |n: u64| Missed { at: T + 1 + n, conv: ConvId((u128::from(n) + 1).to_be_bytes()), team: team("svc") };
        let flood = Scene { queues: Vec::new(), missed: (0..5_000).map(missed).collect() };
        assert_eq!(watch.look(&flood, &mut state, T + 6_000).len(), 5_000);
        assert!(state.missed.len() <= REMEMBERED);
        assert!(watch.look(&flood, &mut state, T + 6_001).is_empty());
    }

    #[test]
    fn other_teams_are_not_told_of() {
        let mut waits = watch().waits;
        waits.teams = [team("vip")].into();
        let mut watch = Watch::new(waits);
        let mut scene = scene(0, &[(1, T)]);
        scene.missed.push(Missed { at: T + 1, conv: conv(9), team: team("svc") });
        assert!(watch.look(&scene, &mut Told::from(T), T + 100_000).is_empty());
    }
}
