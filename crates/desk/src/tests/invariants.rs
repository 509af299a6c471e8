//! Any sequence of events, sensible or not: nothing panics, and the invariants in the crate's documentation hold after each.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{super::state::Stage, *};

const USERS: [&str; 4] = ["an", "bo", "cai", "dai"];
const TEAMS: [&str; 3] = ["a", "b", "c"];

/// What chat holds to be true.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fact {
    Waiting { team: TeamId, since: u64 },
    Owned { user: UserId },
}

struct World {
    desk: Desk,
    now: u64,
    facts: BTreeMap<ConvId, Fact>,
    /// Open offers, by decisions alone.
    offered: BTreeMap<ConvId, UserId>,
    /// Places, by decisions alone.
    told: BTreeMap<ConvId, u32>,
}

impl World {
    fn new() -> Self {
        let desk = Desk::new(Rules { capacity: 2, ..Rules::default() });
        Self { desk, now: 1, facts: BTreeMap::new(), offered: BTreeMap::new(), told: BTreeMap::new() }
    }

    fn apply(&mut self, event: Event) -> Vec<Decision> {
        match &event {
            Event::Waiting { conv, team, since, .. } => {
                self.facts.insert(*conv, Fact::Waiting { team: team.clone(), since: *since });
            }
            Event::Owned { conv, user, .. } => {
                if self.offered.get(conv) == Some(user) {
                    self.offered.remove(conv);
                }
                self.facts.insert(*conv, Fact::Owned { user: user.clone() });
            }
            Event::Closed { conv } => {
                self.facts.remove(conv);
            }
            _ => {}
        }
        let out = self.desk.apply(event.clone(), self.now);
        for decision in &out {
            match decision {
                Decision::Offer { conv, user, until, .. } => {
                    assert!(*until > self.now);
                    assert_eq!(self.offered.insert(*conv, user.clone()), None, "offered twice: {event:?} → {out:?}");
                }
                Decision::OfferGone { conv, user, .. } if self.offered.get(conv) == Some(user) => {
                    self.offered.remove(conv);
                }
                Decision::Assign { conv, user } => {
                    assert_eq!(self.offered.remove(conv).as_ref(), Some(user), "assigned without an offer");
                }
                Decision::Position { conv, position } => {
                    self.told.insert(*conv, *position);
                }
                _ => {}
            }
        }
        self.check(&event);
        out
    }

    fn check(&self, event: &Event) {
        let s = &self.desk.s;
        // the desk knows exactly what chat knows, in the state that chat reported
        assert_eq!(s.convs.len(), self.facts.len(), "after {event:?}");
        let mut lines: BTreeMap<&TeamId, BTreeSet<(u64, ConvId)>> = BTreeMap::new();
        for (conv, fact) in &self.facts {
            let stage = &s.convs[conv].stage;
            match fact {
                Fact::Waiting { team, since } => {
                    assert!(stage.in_line(), "{stage:?} after {event:?}");
                    lines.entry(team).or_default().insert((*since, *conv));
                }
                Fact::Owned { user: owner } => match stage {
                    Stage::Owned { user } | Stage::Returning { user, .. } => assert_eq!(user, owner),
                    other => panic!("{other:?} after {event:?}"),
                },
            }
        }
        // places are 1..n in order of arrival, and the visitors were told
        for line in lines.values() {
            for (i, (_, conv)) in line.iter().enumerate() {
                let expected = u32::try_from(i + 1).unwrap();
                assert_eq!(self.desk.position(*conv), Some(expected));
                assert_eq!(self.told.get(conv), Some(&expected), "told after {event:?}");
            }
        }
        for (name, t) in &s.teams {
            assert_eq!(t.line, lines.get(name).cloned().unwrap_or_default());
            assert!(t.waiting.is_subset(&t.line));
            assert_eq!(t.told_presence, self.desk.presence(name), "presence is told");
        }
        // offers: as told, only to those online, of the team, and within their slots
        let standing: BTreeMap<ConvId, UserId> =
            s.agents.keys().flat_map(|u| self.desk.offers(u).into_iter().map(|(c, _)| (c, u.clone()))).collect();
        assert_eq!(standing, self.offered, "after {event:?}");
        for (conv, user) in &standing {
            let agent = &s.agents[user];
            assert_eq!(agent.state(), AgentState::Online);
            assert!(agent.load() <= agent.capacity, "{user} after {event:?}");
            assert!(agent.teams.contains(&s.convs[conv].team));
        }
        // the indexes of agents are the places of conversations
        let mut by_place: BTreeMap<&UserId, (BTreeSet<ConvId>, BTreeSet<ConvId>)> = BTreeMap::new();
        for (id, c) in &s.convs {
            match &c.stage {
                Stage::Owned { user } => _ = by_place.entry(user).or_default().0.insert(*id),
                Stage::Offered { user, .. } | Stage::Assigning { user, .. } => {
                    _ = by_place.entry(user).or_default().1.insert(*id);
                }
                Stage::Waiting | Stage::Returning { .. } => {}
            }
        }
        for (user, agent) in &s.agents {
            let (owned, asked) = by_place.remove(user).unwrap_or_default();
            assert_eq!((&agent.owned, &agent.asked), (&owned, &asked), "{user} after {event:?}");
        }
        assert!(by_place.is_empty(), "something is with an agent the desk does not know: {by_place:?}");
        if let Event::AgentRemoved { user } = event {
            assert!(!s.agents.contains_key(user));
        }
        // every deadline is in the future, so that the caller never spins
        assert!(self.desk.next_deadline().is_none_or(|at| at > self.now), "{event:?}");
        self.desk.snapshot(self.now);
        (0..9).for_each(|n| assert!(!self.desk.explain(conv(n)).is_empty(), "{n} after {event:?}"));
    }
}

fn any_user() -> impl Strategy<Value = UserId> {
    prop::sample::select(&USERS[..]).prop_map(user)
}

fn any_team() -> impl Strategy<Value = TeamId> {
    prop::sample::select(&TEAMS[..]).prop_map(team)
}

fn any_teams() -> impl Strategy<Value = Vec<TeamId>> {
    prop::sample::subsequence(&TEAMS[..], 0..=3).prop_map(|t| t.into_iter().map(team).collect())
}

fn any_state() -> impl Strategy<Value = AgentState> {
    prop_oneof![5 => Just(AgentState::Online), 1 => Just(AgentState::Busy), 1 => Just(AgentState::Offline)]
}

fn any_event() -> impl Strategy<Value = Event> {
    let c = || (0u32..9).prop_map(conv);
    prop_oneof![
        4 => (any_user(), any_teams(), prop::option::of(0u32..4), any_state()).prop_map(|(user, teams, capacity, state)| {
            Event::AgentConnected { name: user.to_string(), user, teams, capacity, state }
        }),
        1 => (any_user(), any_state()).prop_map(|(user, state)| Event::AgentState { user, state }),
        1 => any_user().prop_map(|user| Event::AgentVanished { user }),
        1 => any_user().prop_map(|user| Event::AgentRemoved { user }),
        1 => (any_user(), any_teams()).prop_map(|(user, teams)| Event::TeamsChanged { user, teams }),
        6 => (c(), any_team(), 0u64..50, prop::option::of(any_user()))
            .prop_map(|(conv, team, since, last_agent)| Event::Waiting { conv, team, since, last_agent }),
        2 => (c(), any_team(), any_user()).prop_map(|(conv, team, user)| Event::Owned { conv, team, user }),
        1 => c().prop_map(|conv| Event::Closed { conv }),
        4 => (c(), any_user()).prop_map(|(conv, user)| Event::Accept { conv, user }),
        2 => (c(), any_user()).prop_map(|(conv, user)| Event::Decline { conv, user }),
        2 => Just(Event::Tick),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn hold_under_any_sequence(steps in prop::collection::vec((any_event(), prop_oneof![3 => 0u64..50, 1 => 0u64..40_000]), 1..120)) {
        let mut w = World::new();
        for (event, pass) in steps {
            w.now += pass;
            w.apply(event);
        }
    }

    /// With a chat that carries decisions out, sooner or later, and agents who answer, everyone is served in the end.
    #[test]
    fn everyone_is_served_if_somebody_is_there(
        steps in prop::collection::vec((any_event(), 0u64..5_000), 1..60),
        fails in prop::collection::vec(prop::bool::weighted(0.2), 200),
    ) {
        let mut w = World::new();
        for (event, pass) in steps {
            w.now += pass;
            w.apply(event);
        }
        let everywhere: Vec<TeamId> = TEAMS.iter().map(|t| team(t)).collect();
        let mut queue = w.apply(Event::AgentConnected {
            user: user("eve"), name: "Eve".into(), teams: everywhere, capacity: Some(9), state: AgentState::Online,
        });
        let mut fails = fails.into_iter();
        for _ in 0..300 {
            let mut next = Vec::new();
            for decision in queue.drain(..) {
                next.extend(match decision {
                    Decision::Requeue { conv, .. } => w.apply(Event::Waiting { conv, team: team("a"), since: 7, last_agent: None }),
                    Decision::Assign { conv, .. } if fails.next() == Some(true) => {
                        let Some(Fact::Waiting { team, since }) = w.facts.get(&conv).cloned() else { continue };
                        w.apply(Event::Waiting { conv, team, since, last_agent: None })
                    }
                    Decision::Assign { conv, user } => w.apply(Event::Owned { conv, team: team("a"), user }),
                    _ => continue,
                });
            }
            for (conv, user) in w.offered.clone() {
                if user.as_str() == "eve" {
                    next.extend(w.apply(Event::Accept { conv, user }));
                }
            }
            if next.is_empty() {
                let Some(at) = w.desk.next_deadline() else { break };
                w.now = at;
                next = w.apply(Event::Tick);
            }
            queue = next;
        }
        let left: Vec<_> = w.facts.iter().filter(|(_, f)| matches!(f, Fact::Waiting { .. })).collect();
        prop_assert!(left.is_empty(), "{left:?} {:?}", left.first().map(|(c, _)| w.desk.explain(**c)));
    }
}
