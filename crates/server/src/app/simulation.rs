//! A hundred servers in virtual time: the real desk and the real judgement of who is gone, over a Redis of three maps. Servers come,
//! die and freeze, the one that leads too; agents come back at other servers or not at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use crate::{
    bus::redis::{BEAT, Beat, DECIDES, LEASE, Members, Node},
    desk::{Decision, Desk, Event, Rules},
    proto::{AgentState, ConvId, TeamId, UserId},
};

const SERVERS: usize = 100;
const AGENTS: usize = 300;
/// One look at everything, ms.
const STEP: u64 = 100;
/// How long it goes on, ms.
const LASTS: u64 = 120_000;
/// Two heartbeats of a socket: in this time what a dead server's agents had is theirs again or in the queue, ms.
const SOON: u64 = 20_000;
/// The shortest grace that can be set, ms. With a longer one an agent who does not come back keeps conversations longer, as
/// with one server.
const GRACE: u64 = 5_000;
/// A leader is missed and replaced, and gives agents their grace again, in this time, ms.
const ANOTHER: u64 = 8_000 + GRACE;

/// Repeatable chance.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// A conversation as it is stored. `owner` none: the queue.
#[derive(Debug, Clone)]
struct Row {
    owner: Option<UserId>,
    arrived: u64,
    last_agent: Option<UserId>,
}

impl Row {
    fn fact(&self, conv: ConvId, team: &TeamId) -> Event {
        let (team, last_agent) = (team.clone(), self.last_agent.clone());
        match &self.owner {
            Some(user) => Event::Owned { conv, team, user: user.clone() },
            None => Event::Waiting { conv, team, since: self.arrived, last_agent },
        }
    }
}

struct Server {
    name: Node,
    n: u64,
    next_beat: u64,
    /// It does nothing before this time.
    frozen_until: u64,
    members: Members,
    ours_until: u64,
    desk: Option<Desk>,
    /// Agents whom its desk believes to be there.
    known: BTreeSet<UserId>,
    /// Decisions that it is writing: done when it gets to do anything.
    writes: Vec<Decision>,
}

struct Agent {
    /// Their server, while they are connected.
    server: Option<Node>,
    /// When they connect again, if they do.
    returns_at: Option<u64>,
    /// Since when they have not been connected.
    gone_since: u64,
    /// Leaders that were lost since, but for the one that went with their server.
    leaders_lost: u64,
    /// Offers, and when they answer.
    offers: Vec<(u64, ConvId)>,
}

struct World {
    dice: Dice,
    now: u64,
    begin: Instant,
    team: TeamId,
    servers: BTreeMap<Node, Server>,
    /// What Redis holds.
    beats: BTreeMap<Node, Beat>,
    lease: Option<(Node, u64)>,
    rows: BTreeMap<ConvId, Row>,
    agents: BTreeMap<UserId, Agent>,
    /// Longest time until a conversation was no longer with an agent who is gone, ms.
    longest: u64,
    leaders: u64,
    opened: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let (servers, beats, rows) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (lease, longest, leaders, opened, now) = (None, 0, 0, 0, 1_000_000);
        let agents = (0..AGENTS).map(|n| {
            let agent = Agent {
                server: None,
                returns_at: Some(now + 3_000),
                gone_since: now,
                leaders_lost: 0,
                offers: Vec::new(),
            };
            (format!("a{n}").parse().unwrap(), agent)
        });
        let (dice, begin, team) = (Dice(seed), Instant::now(), "svc".parse().unwrap());
        let agents = agents.collect();
        let mut world = Self { dice, now, begin, team, servers, beats, lease, rows, agents, longest, leaders, opened };
        for _ in 0..SERVERS {
            world.joins();
        }
        world
    }

    fn joins(&mut self) {
        let name = Node((self.servers.len() as u64 + (self.dice.roll(1 << 40) << 8)).to_be_bytes());
        let next_beat = self.now + self.dice.roll(BEAT.as_millis() as u64);
        let server = Server {
            name,
            n: 0,
            next_beat,
            frozen_until: 0,
            members: Members::default(),
            ours_until: 0,
            desk: None,
            known: BTreeSet::new(),
            writes: Vec::new(),
        };
        self.servers.insert(name, server);
    }

    fn any_server(&mut self) -> Node {
        let n = self.dice.roll(self.servers.len() as u64) as usize;
        *self.servers.keys().nth(n).unwrap()
    }

    fn leader(&self) -> Option<Node> {
        let mut all = self.servers.values().filter(|s| s.frozen_until <= self.now && s.ours_until > self.now);
        let first = all.next().map(|server| server.name);
        assert!(all.next().is_none(), "two leaders at {}", self.now);
        first
    }

    /// Its sockets are gone, for ever or as long as it is frozen. Most of its agents come back somewhere.
    fn loses_sockets(&mut self, server: Node) {
        let led = self.lease.is_some_and(|(holder, until)| holder == server && until > self.now);
        for agent in self.agents.values_mut() {
            if led && agent.server != Some(server) {
                agent.leaders_lost += 1;
            }
            if agent.server == Some(server) {
                (agent.server, agent.gone_since, agent.leaders_lost) = (None, self.now, 0);
                agent.offers.clear();
                agent.returns_at = (self.dice.roll(4) > 0).then(|| self.now + 500 + self.dice.roll(6_000));
            }
        }
    }

    fn dies(&mut self, server: Node) {
        self.loses_sockets(server);
        self.servers.remove(&server);
    }

    /// Says that it is there, reads who else is, and keeps or takes the lease.
    fn beats(&mut self, name: Node) {
        let agents = self.agents.iter().filter(|(_, a)| a.server == Some(name)).map(|(user, _)| user.clone()).collect();
        let now = self.begin + Duration::from_millis(self.now);
        let Some(server) = self.servers.get_mut(&name) else { return };
        server.n += 1;
        server.next_beat = self.now + BEAT.as_millis() as u64;
        let (version, listen) = (String::new(), String::new());
        let beat = Beat {
            n: server.n,
            version,
            listen,
            since: 0,
            agents,
            sockets: 0,
            draining: false,
            day_keys: Default::default(),
        };
        self.beats.insert(name, beat);
        let others = self.beats.iter().filter(|(node, _)| **node != name).map(|(node, beat)| (*node, beat.clone()));
        for gone in server.members.look(others.collect(), now) {
            self.beats.remove(&gone);
        }
        let free = self.lease.is_none_or(|(holder, until)| holder == name || until < self.now);
        if free {
            self.lease = Some((name, self.now + LEASE.as_millis() as u64));
            server.ours_until = self.now + DECIDES.as_millis() as u64;
        } else {
            server.ours_until = 0;
        }
        if server.ours_until == 0 {
            server.desk = None;
        } else if server.desk.is_none() {
            self.leaders += 1;
            server.desk = Some(Desk::new(Rules { grace_ms: GRACE, ..Rules::default() }));
            server.known.clear();
            let mut rows: Vec<_> = self.rows.iter().map(|(conv, row)| (*conv, row.clone())).collect();
            rows.sort_by_key(|(_, row)| row.owner.is_some());
            let team = self.team.clone();
            rows.into_iter().for_each(|(conv, row)| self.applies(name, row.fact(conv, &team)));
        }
    }

    /// The desk of a server that leads hears of something.
    fn applies(&mut self, name: Node, event: Event) {
        let now = self.now;
        let Some(server) = self.servers.get_mut(&name).filter(|s| s.ours_until > now) else { return };
        let Some(desk) = &mut server.desk else { return };
        for decision in desk.apply(event, now) {
            match decision {
                Decision::Offer { conv, user, .. } => {
                    let answers = now + 200 + self.dice.roll(3_000);
                    if let Some(agent) = self.agents.get_mut(&user).filter(|agent| agent.server.is_some()) {
                        agent.offers.push((answers, conv));
                    }
                }
                Decision::Assign { .. } | Decision::Requeue { .. } => server.writes.push(decision),
                _ => {}
            }
        }
    }

    /// Who is connected, as the leader sees it.
    fn looks(&mut self, name: Node) {
        let Some(server) = self.servers.get(&name) else { return };
        let mut there = server.members.agents();
        there.extend(self.agents.iter().filter(|(_, a)| a.server == Some(name)).map(|(user, _)| user.clone()));
        let gone: Vec<_> = server.known.difference(&there).cloned().collect();
        let come: Vec<_> = there.difference(&server.known).cloned().collect();
        for user in gone {
            self.applies(name, Event::AgentVanished { user });
        }
        for user in come {
            let (teams, state) = (vec![self.team.clone()], AgentState::Online);
            self.applies(name, Event::AgentConnected { name: user.to_string(), user, teams, capacity: None, state });
        }
        if let Some(server) = self.servers.get_mut(&name) {
            server.known = there;
        }
    }

    /// What a server had begun to write, also one that does not lead any more; the leader hears of it.
    fn writes(&mut self, name: Node) {
        let Some(server) = self.servers.get_mut(&name) else { return };
        for decision in std::mem::take(&mut server.writes) {
            let (conv, changed) = match &decision {
                Decision::Assign { conv, user } => {
                    let row = self.rows.get(conv).filter(|row| row.owner.is_none());
                    let taken =
                        |row: &Row| Row { owner: Some(user.clone()), last_agent: Some(user.clone()), ..row.clone() };
                    (*conv, row.map(taken))
                }
                Decision::Requeue { conv, user } => {
                    let row = self.rows.get(conv).filter(|row| row.owner.as_ref() == Some(user));
                    (*conv, row.map(|row| Row { owner: None, ..row.clone() }))
                }
                _ => continue,
            };
            if let Some(row) = changed {
                self.rows.insert(conv, row);
            }
            let fact = self.rows.get(&conv).map(|row| row.fact(conv, &self.team));
            for to in [Some(name), self.leader()].into_iter().flatten().collect::<BTreeSet<_>>() {
                fact.iter().for_each(|fact| self.applies(to, fact.clone()));
            }
        }
    }

    fn step(&mut self) {
        self.now += STEP;
        let ready: Vec<Node> =
            self.servers.values().filter(|s| s.frozen_until <= self.now).map(|server| server.name).collect();
        for name in ready {
            self.writes(name);
            if self.servers.get(&name).is_some_and(|server| server.next_beat <= self.now) {
                self.beats(name);
            }
        }
        let (leader, now) = (self.leader(), self.now);
        let due = |agent: &Agent| agent.returns_at.into_iter().chain(agent.offers.iter().map(|(at, _)| *at)).min();
        let acting = self.agents.iter().filter(|(_, agent)| due(agent).is_some_and(|at| at <= now));
        for user in acting.map(|(user, _)| user.clone()).collect::<Vec<_>>() {
            let server = self.any_server();
            let can = self.servers[&server].frozen_until <= now;
            let Some(agent) = self.agents.get_mut(&user) else { continue };
            if agent.returns_at.is_some_and(|at| at <= now) && can {
                (agent.server, agent.returns_at) = (Some(server), None);
                // the others hear of it at once
                self.servers.get_mut(&server).unwrap().next_beat = now;
            }
            let answered: Vec<_> = agent.offers.extract_if(.., |(at, _)| *at <= now).map(|(_, conv)| conv).collect();
            for (conv, leader) in answered.into_iter().zip(std::iter::repeat(leader)) {
                leader.into_iter().for_each(|leader| self.applies(leader, Event::Accept { conv, user: user.clone() }));
            }
        }
        if let Some(leader) = leader {
            self.looks(leader);
            self.applies(leader, Event::Tick);
        }
        self.judges();
    }

    /// Nobody who is gone has a conversation for long.
    fn judges(&mut self) {
        for (conv, row) in &self.rows {
            let Some((user, agent)) = row.owner.as_ref().and_then(|user| Some((user, self.agents.get(user)?))) else {
                continue;
            };
            if agent.server.is_none() {
                let since = self.now - agent.gone_since;
                let allowed = SOON + agent.leaders_lost * ANOTHER;
                assert!(since <= allowed, "{user} is gone for {since} ms and has {conv}");
                if agent.leaders_lost == 0 {
                    self.longest = self.longest.max(since);
                }
            }
        }
        assert_eq!(self.rows.len() as u64, self.opened, "a conversation is lost");
    }

    fn opens(&mut self) {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.dice.roll(u64::MAX).to_be_bytes());
        id[8..].copy_from_slice(&self.opened.to_be_bytes());
        let row = Row { owner: None, arrived: self.now, last_agent: None };
        let fact = row.fact(ConvId(id), &self.team);
        self.rows.insert(ConvId(id), row);
        self.opened += 1;
        if let Some(leader) = self.leader() {
            self.applies(leader, fact);
        }
    }
}

#[test]
fn a_hundred_servers_come_and_go_and_no_conversation_waits_for_one_that_is_gone() {
    let seed = std::env::var("KEFU_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(15);
    println!("KEFU_SEED={seed}");
    let mut world = World::new(seed);
    let (mut deaths, mut freezes, mut without) = (0, 0, 0);
    while world.now < 1_000_000 + LASTS {
        if world.opened < 900 && world.dice.roll(2) == 0 {
            world.opens();
        }
        match world.dice.roll(200) {
            0 => {
                let server = world.any_server();
                world.dies(server);
                world.joins();
                deaths += 1;
            }
            1 => {
                // every death of a leader is seen by all
                if let Some(leader) = world.leader() {
                    world.dies(leader);
                    world.joins();
                    deaths += 1;
                }
            }
            2 => {
                let server = if world.dice.roll(3) == 0 { world.leader() } else { None };
                let server = server.unwrap_or_else(|| world.any_server());
                let until = world.now + 3_000 + world.dice.roll(25_000);
                world.loses_sockets(server);
                world.servers.get_mut(&server).unwrap().frozen_until = until;
                freezes += 1;
            }
            _ => {}
        }
        world.step();
        without = if world.leader().is_some() { 0 } else { without + STEP };
        assert!(without <= 10_000, "nobody leads for {without} ms");
    }
    // then nothing more happens
    for _ in 0..(40_000 / STEP) {
        world.step();
    }
    println!(
        "{deaths} deaths, {freezes} freezes, {} leaders, {} conversations; the longest that an agent who was gone had one: {} ms",
        world.leaders, world.opened, world.longest
    );
    assert!(deaths > 2 && freezes > 0 && world.leaders > 2, "the seed is too quiet");
    assert!(world.longest > GRACE, "nobody ever stayed away");
    let waiting = world.rows.values().filter(|row| row.owner.is_none()).count();
    let there = world.agents.values().filter(|agent| agent.server.is_some()).count();
    assert!(
        waiting == 0 || world.rows.len() - waiting >= there * 8,
        "{waiting} wait while {there} agents could answer"
    );
}
