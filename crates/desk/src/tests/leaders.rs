//! Two servers that both believe to run the desk, in any interleaving: what they decide is written late or never, what they hear
//! of it is delayed, lost and in any order, either dies at any moment and begins again from what is stored.
//!
//! Rows change as chat changes them: a decision is a transaction on the newest row that checks whose conversation it is.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const USERS: [&str; 3] = ["an", "bo", "cai"];
const CONVS: u32 = 6;

/// A conversation as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    rev: u32,
    /// None: the queue.
    owner: Option<UserId>,
    arrived: u64,
    last_agent: Option<UserId>,
    /// How often it entered the queue.
    stints: u32,
}

impl Row {
    fn fact(&self, conv: ConvId) -> Event {
        match &self.owner {
            Some(user) => Event::Owned { conv, team: team("a"), user: user.clone() },
            None => Event::Waiting { conv, team: team("a"), since: self.arrived, last_agent: self.last_agent.clone() },
        }
    }
}

/// A decision on its way to the store.
#[derive(Debug, Clone)]
enum Write {
    Assign(ConvId, UserId),
    Requeue(ConvId, UserId),
}

/// A server: its desk while it believes to lead, and what it knows.
#[derive(Default)]
struct Server {
    desk: Option<Desk>,
    /// The newest revisions it heard of.
    seen: BTreeMap<ConvId, u32>,
    /// Agents with sockets, as it heard.
    present: BTreeSet<UserId>,
}

#[derive(Default)]
struct World {
    now: u64,
    rows: BTreeMap<ConvId, Row>,
    servers: [Server; 2],
    /// Rows on their way to a server.
    news: Vec<(usize, ConvId, Row)>,
    /// Decisions on their way from a server, which may have died since.
    writes: Vec<(usize, Write)>,
    /// What an agent's page shows; an end that got lost leaves it there.
    shown: BTreeSet<(ConvId, UserId)>,
    /// Who got a conversation in each of its stints in the queue.
    winners: BTreeMap<(ConvId, u32), UserId>,
    present: BTreeSet<UserId>,
}

fn rules() -> Rules {
    Rules { capacity: 2, ..Rules::default() }
}

impl World {
    fn new() -> Self {
        Self { now: 1_000_000, ..Self::default() }
    }

    fn apply(&mut self, server: usize, event: Event) {
        let Some(desk) = &mut self.servers[server].desk else { return };
        for decision in desk.apply(event, self.now) {
            match decision {
                Decision::Offer { conv, user, .. } => _ = self.shown.insert((conv, user)),
                Decision::OfferGone { conv, user, .. } => _ = self.shown.remove(&(conv, user)),
                Decision::Assign { conv, user } => self.writes.push((server, Write::Assign(conv, user))),
                Decision::Requeue { conv, user } => self.writes.push((server, Write::Requeue(conv, user))),
                _ => {}
            }
        }
    }

    /// Begins to lead, with what is stored and who is said to be there; whatever it believed before.
    fn lead(&mut self, server: usize) {
        self.servers[server].desk = Some(Desk::new(rules()));
        self.audit(server);
        for user in self.servers[server].present.clone() {
            self.apply(server, connected(&user));
        }
    }

    /// Reads all rows.
    fn audit(&mut self, server: usize) {
        let mut rows: Vec<_> = self.rows.clone().into_iter().collect();
        rows.sort_by_key(|(_, row)| row.owner.is_some());
        for (conv, row) in rows {
            self.servers[server].seen.insert(conv, row.rev);
            self.apply(server, row.fact(conv));
        }
    }

    /// A row reaches a server; an older one than it knows is nothing new.
    fn hear(&mut self, server: usize, conv: ConvId, row: &Row) {
        let seen = self.servers[server].seen.entry(conv).or_default();
        if row.rev > *seen {
            *seen = row.rev;
            self.apply(server, row.fact(conv));
        }
    }

    /// Stores a changed row and tells both servers, sooner or later.
    fn store(&mut self, conv: ConvId, row: Row) {
        for server in 0..2 {
            self.news.push((server, conv, row.clone()));
        }
        self.rows.insert(conv, row);
    }

    /// The transaction of a decision.
    fn execute(&mut self, server: usize, write: Write) {
        let (Write::Assign(conv, user) | Write::Requeue(conv, user)) = write.clone();
        let Some(old) = self.rows.get(&conv).cloned() else { return };
        let changed = match write {
            Write::Assign(..) if old.owner.is_none() => {
                let before = self.winners.insert((conv, old.stints), user.clone());
                assert_eq!(before, None, "one offer, two winners");
                Some(Row { owner: Some(user.clone()), last_agent: Some(user), ..old.clone() })
            }
            Write::Requeue(..) if old.owner.as_ref() == Some(&user) => {
                Some(Row { owner: None, stints: old.stints + 1, ..old.clone() })
            }
            _ => None,
        };
        match changed {
            Some(row) => {
                assert_eq!(row.arrived, old.arrived, "nobody loses their place");
                self.store(conv, Row { rev: old.rev + 1, ..row });
            }
            // it is told what is so
            None => self.apply(server, old.fact(conv)),
        }
    }

    fn step(&mut self, step: Step) {
        let pick = |n: usize, len: usize| (len > 0).then(|| n % len);
        match step {
            Step::Open(n) => {
                let row = Row { rev: 1, owner: None, arrived: self.now, last_agent: None, stints: 0 };
                if !self.rows.contains_key(&conv(n)) {
                    self.store(conv(n), row);
                }
            }
            Step::Connects(user) => {
                self.present.insert(user.clone());
                self.said(&user, true);
            }
            Step::Leaves(user) => {
                self.present.remove(&user);
                self.said(&user, false);
            }
            Step::Hears(server, user) => {
                let there = self.present.contains(&user);
                self.said_to(server, &user, there);
            }
            Step::Accepts(n, server) => {
                if let Some(n) = pick(n, self.shown.len()) {
                    let (conv, user) = self.shown.iter().nth(n).cloned().unwrap();
                    self.apply(server, Event::Accept { conv, user });
                }
            }
            Step::Delivers(n) => {
                if let Some(n) = pick(n, self.news.len()) {
                    let (server, conv, row) = self.news.swap_remove(n);
                    self.hear(server, conv, &row);
                }
            }
            Step::Loses(n) => {
                if let Some(n) = pick(n, self.news.len()) {
                    self.news.swap_remove(n);
                }
            }
            Step::Writes(n) => {
                if let Some(n) = pick(n, self.writes.len()) {
                    let (server, write) = self.writes.swap_remove(n);
                    self.execute(server, write);
                }
            }
            Step::Leads(server) => self.lead(server),
            Step::Dies(server) => self.servers[server].desk = None,
            Step::Audits(server) => self.audit(server),
            Step::Waits(ms) => {
                self.now += ms;
                for server in 0..2 {
                    self.apply(server, Event::Tick);
                }
            }
        }
    }

    /// One server hears of an agent at once, the other by a later step.
    fn said(&mut self, user: &UserId, there: bool) {
        self.said_to(0, user, there);
    }

    fn said_to(&mut self, server: usize, user: &UserId, there: bool) {
        let present = &mut self.servers[server].present;
        let (event, changed) = match there {
            true => (connected(user), present.insert(user.clone())),
            false => (Event::AgentVanished { user: user.clone() }, present.remove(user)),
        };
        if changed {
            self.apply(server, event);
        }
    }

    /// One leader, and everything arrives: all that is stored is as its desk has it, in the order of arrival, and whoever can be
    /// served is.
    fn settles(&mut self, leader: usize) {
        self.servers[1 - leader].desk = None;
        self.servers[leader].present = self.present.clone();
        self.lead(leader);
        for _ in 0..400 {
            while let Some((server, write)) = self.writes.pop() {
                self.execute(server, write);
            }
            while let Some((server, conv, row)) = self.news.pop() {
                self.hear(server, conv, &row);
            }
            // the desk may have heard of two changes in the wrong order
            self.audit(leader);
            let desk = self.servers[leader].desk.as_ref().unwrap();
            let offers: Vec<_> =
                self.present.iter().flat_map(|u| desk.offers(u).into_iter().map(|o| (o.0, u.clone()))).collect();
            if let Some((conv, user)) = offers.into_iter().next() {
                self.apply(leader, Event::Accept { conv, user });
            } else if self.writes.is_empty() && self.news.is_empty() {
                match desk.next_deadline() {
                    Some(at) => {
                        self.now = at;
                        self.apply(leader, Event::Tick);
                    }
                    None => break,
                }
            }
        }
        let desk = self.servers[leader].desk.as_ref().unwrap();
        let mut line: Vec<_> = self.rows.iter().filter(|(_, row)| row.owner.is_none()).collect();
        line.sort_by_key(|(conv, row)| (row.arrived, **conv));
        for (place, (conv, _)) in line.iter().enumerate() {
            assert_eq!(desk.position(**conv), Some(place as u32 + 1), "{line:?}");
        }
        for row in self.rows.values() {
            let Some(owner) = &row.owner else { continue };
            assert!(self.present.contains(owner), "{owner} is not there and owns {row:?}");
        }
        let load = |user: &UserId| self.rows.values().filter(|row| row.owner.as_ref() == Some(user)).count();
        let free = self.present.iter().any(|user| load(user) < rules().capacity as usize);
        assert!(line.is_empty() || !free, "somebody could answer {line:?}: {:?}", desk.explain(*line[0].0));
    }
}

fn connected(user: &UserId) -> Event {
    Event::AgentConnected {
        user: user.clone(),
        name: user.to_string(),
        teams: vec![team("a")],
        capacity: None,
        state: AgentState::Online,
    }
}

#[derive(Debug, Clone)]
enum Step {
    Open(u32),
    Connects(UserId),
    Leaves(UserId),
    /// A server hears whether an agent is there.
    Hears(usize, UserId),
    /// An agent accepts one of the offers on their page, whoever made it; this server is asked.
    Accepts(usize, usize),
    /// One of the rows on their way arrives, whichever.
    Delivers(usize),
    /// Or never does.
    Loses(usize),
    /// One of the decisions on their way is written, however old it is.
    Writes(usize),
    Leads(usize),
    Dies(usize),
    Audits(usize),
    Waits(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let (n, server) = (|| 0usize..50, || 0usize..2);
    let user = || prop::sample::select(&USERS[..]).prop_map(user);
    prop_oneof![
        4 => (0..CONVS).prop_map(Step::Open),
        3 => user().prop_map(Step::Connects),
        1 => user().prop_map(Step::Leaves),
        3 => (server(), user()).prop_map(|(server, user)| Step::Hears(server, user)),
        6 => (n(), server()).prop_map(|(n, server)| Step::Accepts(n, server)),
        8 => n().prop_map(Step::Delivers),
        1 => n().prop_map(Step::Loses),
        6 => n().prop_map(Step::Writes),
        3 => server().prop_map(Step::Leads),
        1 => server().prop_map(Step::Dies),
        1 => server().prop_map(Step::Audits),
        2 => prop_oneof![0u64..3_000, 20_000u64..40_000].prop_map(Step::Waits),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn two_leaders_give_each_conversation_to_one_agent_and_keep_the_order(
        steps in prop::collection::vec(any_step(), 1..150), leader in 0usize..2,
    ) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.step(step));
        world.settles(leader);
    }
}

/// The leader dies after each of its decisions, before or after that is written; the next one goes on from what is stored.
#[test]
fn a_leader_may_die_at_each_decision() {
    let (mut decisions, mut at) = (0, 0);
    while at <= decisions {
        for written in [false, true] {
            let mut world = World::new();
            let mut left = at;
            let mut leader = 0;
            world.lead(leader);
            for n in 0..CONVS {
                world.step(Step::Open(n));
                world.now += 1;
            }
            for id in USERS {
                world.present.insert(user(id));
                (0..2).for_each(|server| world.said_to(server, &user(id), true));
            }
            for round in 0..40 {
                while let Some((server, conv, row)) = world.news.pop() {
                    world.hear(server, conv, &row);
                }
                if round == 20 {
                    world.step(Step::Leaves(user("an")));
                    world.said_to(1, &user("an"), false);
                    world.step(Step::Waits(25_000));
                }
                world.step(Step::Accepts(round, leader));
                while let Some((server, write)) = world.writes.pop() {
                    if leader == 0 && left == 0 {
                        if written {
                            world.execute(server, write.clone());
                        }
                        world.step(Step::Dies(0));
                        leader = 1;
                        world.lead(leader);
                        if !written {
                            // it was on its way, and is too late or not
                            world.execute(server, write);
                        }
                    } else {
                        decisions += usize::from(at == 0 && !written && leader == 1);
                        left = left.saturating_sub(1);
                        world.execute(server, write);
                    }
                }
            }
            world.settles(leader);
        }
        at += 1;
    }
    assert!(decisions >= 6, "{decisions} decisions to die at");
}
