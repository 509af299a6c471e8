//! The company: servers, agents, conversations as they are stored, and the one desk, which is the real one. Network and clock are
//! simulated; nothing waits.
//!
//! A decision of the desk is a write that reaches the store a moment later and is checked there, as chat does; what was stored
//! reaches the server that runs the desk by then as a fact.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap},
    time::{Duration, Instant},
};

use kefu_desk::{Decision, Desk, Event, Rules};
use kefu_proto::{AgentState, ConvId, Presence, TeamId, UserId};

use crate::{
    costs::{ACCEPT_MS, CAPACITY, IN_USE, Load, NETWORK_MS, ROSTER_MS},
    random::Random,
};

mod check;
mod failures;

/// What happens, and when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    /// A visitor writes the first message of a new conversation.
    Arrives,
    /// A changed row reaches the desk.
    Heard(usize),
    /// An agent's page accepts.
    Accepts(usize, usize),
    /// A decision of the desk reaches the store: to give it to an agent,
    Assign(usize, usize),
    /// or to take it from one.
    Requeue(usize, usize),
    /// Its agent closes it, if it is still the same time that they have it.
    Closes(usize, u32),
    /// The desk's own deadline.
    Tick,
    /// Some server takes the lease.
    Leads,
    /// Nothing was heard of the dead server for too long.
    Lost,
    /// An agent of the dead server is back, on another.
    Back(usize),
}

/// A conversation as it is stored.
#[derive(Debug, Clone)]
pub struct Row {
    pub team: usize,
    pub owner: Option<usize>,
    pub closed: bool,
    pub arrived: u64,
    /// Raised with each change.
    pub rev: u32,
    last_agent: Option<usize>,
}

#[derive(Debug, Clone)]
pub struct Agent {
    user: UserId,
    team: usize,
    node: usize,
    /// With a socket.
    pub here: bool,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counted {
    /// Conversations that began, were given to an agent, were taken back, and ended.
    pub opened: u64,
    pub assigned: u64,
    pub requeued: u64,
    pub closed: u64,
    /// Decisions that came too late: the row had changed.
    pub refused: u64,
    /// What the desk told all servers: offers and their ends, places in queues, presence of teams, lists of colleagues.
    pub offers: u64,
    pub positions: u64,
    pub presence: u64,
    pub rosters: u64,
    /// Events that the desk was given, and the time they took.
    pub events: u64,
    pub busy: Duration,
    /// The longest event.
    pub longest: Duration,
    /// To build the desk, at the last change of leader.
    pub rebuilt: Duration,
}

pub struct World {
    pub now: u64,
    pub load: Load,
    pub nodes: usize,
    pub rows: Vec<Row>,
    pub agents: Vec<Agent>,
    pub counted: Counted,
    /// When the conversations of agents who stayed away were all somebody else's or in the queue.
    pub last_moved: u64,
    ids: HashMap<ConvId, usize>,
    users: HashMap<UserId, usize>,
    teams: Vec<TeamId>,
    queue: BinaryHeap<Reverse<(u64, u64, Happens)>>,
    said: u64,
    desk: Option<Desk>,
    leader: usize,
    /// The server that died, and when it is noticed.
    dead: Option<(usize, u64)>,
    away_until: u64,
    tick_at: Option<u64>,
    rosters: BTreeSet<usize>,
    rosters_due: u64,
    told: HashMap<TeamId, (Presence, u32)>,
    arrivals_ms: f64,
    /// When the next one is due: several may come in a millisecond.
    next_arrival: f64,
    arriving: bool,
    random: Random,
}

impl World {
    /// So many sockets on so many servers, with the conversations that are under way.
    pub fn new(sockets: usize, nodes: usize, load: Load, team: usize, seed: u64) -> Self {
        let chatting = ((sockets as f64 * load.chatting) as usize).max(1);
        let agents = (chatting as f64 / (f64::from(CAPACITY) * IN_USE)).ceil() as usize;
        let teams = agents.div_ceil(team);
        let name = |what: char, n: usize| format!("{what}{n}");
        let agent = |n: usize| Agent { user: parse(&name('a', n)), team: n % teams, node: n % nodes, here: true };
        let agents: Vec<Agent> = (0..agents).map(agent).collect();
        let mut world = Self {
            // the desk's clock begins somewhere
            now: 1_000_000,
            load,
            nodes,
            rows: Vec::new(),
            counted: Counted::default(),
            last_moved: 0,
            ids: HashMap::new(),
            users: agents.iter().enumerate().map(|(n, a)| (a.user.clone(), n)).collect(),
            agents,
            teams: (0..teams).map(|n| parse(&name('t', n))).collect(),
            queue: BinaryHeap::new(),
            said: 0,
            desk: None,
            leader: 0,
            dead: None,
            away_until: 0,
            tick_at: None,
            rosters: BTreeSet::new(),
            rosters_due: 0,
            told: HashMap::new(),
            arrivals_ms: load.conversation_ms / chatting as f64,
            next_arrival: 1_000_000.0,
            arriving: true,
            random: Random(seed),
        };
        for n in 0..chatting {
            let owner = n % world.agents.len();
            let row = Row { owner: Some(owner), ..world.new_row(world.agents[owner].team) };
            world.ids.insert(conv(n), n);
            world.rows.push(row);
            world.closes_later(n);
        }
        world.lead(0);
        world.arrives_later();
        world
    }

    fn new_row(&self, team: usize) -> Row {
        Row { team, owner: None, closed: false, arrived: self.now, rev: 1, last_agent: None }
    }

    fn soon(&mut self, ms: u64, what: Happens) {
        self.said += 1;
        self.queue.push(Reverse((self.now + ms, self.said, what)));
    }

    fn arrives_later(&mut self) {
        self.next_arrival += self.random.wait(self.arrivals_ms);
        self.soon((self.next_arrival as u64).saturating_sub(self.now), Happens::Arrives);
    }

    fn closes_later(&mut self, n: usize) {
        let ms = self.random.wait(self.load.conversation_ms) as u64;
        self.soon(ms, Happens::Closes(n, self.rows[n].rev));
    }

    /// Until then.
    pub fn run(&mut self, until: u64) {
        while let Some(Reverse((at, _, _))) = self.queue.peek().filter(|next| next.0.0 <= until) {
            self.now = *at;
            if let Some(Reverse((_, _, what))) = self.queue.pop() {
                self.step(what);
            }
        }
        self.now = until;
    }

    /// No more new conversations.
    #[cfg(test)]
    pub fn close_doors(&mut self) {
        self.arriving = false;
    }

    fn step(&mut self, what: Happens) {
        let waits = self.away_until.saturating_sub(self.now);
        match what {
            Happens::Arrives if !self.arriving => {}
            // the store's queue holds it
            Happens::Arrives | Happens::Assign(..) | Happens::Requeue(..) | Happens::Closes(..) if waits > 0 => {
                self.soon(waits, what);
            }
            Happens::Arrives => {
                let n = self.rows.len();
                let team = self.random.below(self.teams.len());
                self.ids.insert(conv(n), n);
                self.rows.push(self.new_row(team));
                self.counted.opened += 1;
                self.soon(NETWORK_MS, Happens::Heard(n));
                self.arrives_later();
            }
            Happens::Heard(n) => self.apply(fact(self, n)),
            Happens::Accepts(n, agent) if self.desk.is_none() => {
                // asked once more, as long as the page shows it
                if self.agents[agent].here && self.rows[n].owner.is_none() {
                    self.soon(1_000, Happens::Accepts(n, agent));
                }
            }
            Happens::Accepts(n, agent) => {
                if self.agents[agent].here {
                    self.apply(Event::Accept { conv: conv(n), user: self.agents[agent].user.clone() });
                }
            }
            Happens::Assign(n, agent) => {
                let row = &mut self.rows[n];
                if row.closed || row.owner.is_some() {
                    self.counted.refused += 1;
                } else {
                    (row.owner, row.last_agent, row.rev) = (Some(agent), Some(agent), row.rev + 1);
                    self.counted.assigned += 1;
                    self.closes_later(n);
                }
                self.soon(NETWORK_MS, Happens::Heard(n));
            }
            Happens::Requeue(n, agent) => {
                let row = &mut self.rows[n];
                if row.closed || row.owner != Some(agent) {
                    self.counted.refused += 1;
                } else {
                    (row.owner, row.rev) = (None, row.rev + 1);
                    self.counted.requeued += 1;
                    self.last_moved = self.now;
                }
                self.soon(NETWORK_MS, Happens::Heard(n));
            }
            Happens::Closes(n, rev) => {
                let row = &mut self.rows[n];
                let theirs = !row.closed && row.rev == rev;
                if theirs && row.owner.is_some_and(|agent| self.agents[agent].here) {
                    (row.closed, row.owner, row.rev) = (true, None, rev + 1);
                    self.counted.closed += 1;
                    self.soon(NETWORK_MS, Happens::Heard(n));
                } else if theirs {
                    // once its agent is back
                    self.soon(1_000, Happens::Closes(n, rev));
                }
            }
            Happens::Tick => {
                self.tick_at = None;
                self.apply(Event::Tick);
            }
            Happens::Leads => self.lead(self.leader),
            Happens::Lost => {
                for agent in 0..self.agents.len() {
                    if !self.agents[agent].here {
                        self.apply(Event::AgentVanished { user: self.agents[agent].user.clone() });
                    }
                }
            }
            Happens::Back(agent) => {
                let others = self.nodes.max(2) - 1;
                let node = (self.dead.map_or(0, |(node, _)| node) + 1 + self.random.below(others)) % self.nodes;
                (self.agents[agent].here, self.agents[agent].node) = (true, node);
                self.apply(self.connected(agent));
            }
        }
    }

    fn connected(&self, agent: usize) -> Event {
        let Agent { user, team, .. } = &self.agents[agent];
        Event::AgentConnected {
            user: user.clone(),
            name: user.to_string(),
            teams: vec![self.teams[*team].clone()],
            capacity: None,
            state: AgentState::Online,
        }
    }

    /// Builds the desk from what is stored and who is there, as a server does that takes the lease.
    fn lead(&mut self, leader: usize) {
        (self.leader, self.desk, self.tick_at) =
            (leader, Some(Desk::new(Rules { capacity: CAPACITY, ..Rules::default() })), None);
        let begin = self.counted.busy;
        for waits in [true, false] {
            for n in 0..self.rows.len() {
                if !self.rows[n].closed && self.rows[n].owner.is_none() == waits {
                    self.apply(fact(self, n));
                }
            }
        }
        for agent in 0..self.agents.len() {
            // of the dead server's nothing was heard for less than three beats
            let seems_here =
                self.dead.is_some_and(|(node, noticed)| self.agents[agent].node == node && self.now < noticed);
            if self.agents[agent].here || seems_here {
                self.apply(self.connected(agent));
            }
        }
        self.counted.rebuilt = self.counted.busy.saturating_sub(begin);
    }

    fn apply(&mut self, event: Event) {
        let Some(desk) = &mut self.desk else { return };
        let begin = Instant::now();
        let decisions = desk.apply(event, self.now);
        let took = begin.elapsed();
        let due = desk.next_deadline();
        self.counted.events += 1;
        self.counted.busy += took;
        self.counted.longest = self.counted.longest.max(took);
        if let Some(at) = due.filter(|at| self.tick_at.is_none_or(|known| *at < known)) {
            self.tick_at = Some(at);
            self.soon(at.saturating_sub(self.now).max(1), Happens::Tick);
        }
        for decision in decisions {
            self.decided(decision);
        }
        if self.now >= self.rosters_due && !self.rosters.is_empty() {
            self.counted.rosters += self.rosters.len() as u64;
            self.rosters.clear();
            self.rosters_due = self.now + ROSTER_MS;
        }
    }

    fn decided(&mut self, decision: Decision) {
        match decision {
            Decision::Offer { conv, user, .. } => {
                self.counted.offers += 1;
                let (n, agent) = (self.ids[&conv], self.users[&user]);
                let ms = self.random.wait(ACCEPT_MS) as u64 + 2 * NETWORK_MS;
                self.soon(ms, Happens::Accepts(n, agent));
            }
            Decision::OfferGone { .. } => self.counted.offers += 1,
            Decision::Assign { conv, user } => {
                self.soon(NETWORK_MS, Happens::Assign(self.ids[&conv], self.users[&user]));
            }
            Decision::Requeue { conv, user } => {
                self.soon(NETWORK_MS, Happens::Requeue(self.ids[&conv], self.users[&user]));
            }
            Decision::Position { .. } => self.counted.positions += 1,
            Decision::Presence { team, now } => {
                self.counted.presence += 1;
                // pages are told less often than servers: how many wait is not for them
                if self.told.get(&team) != Some(&(now.state, now.agents)) {
                    self.told.insert(team, (now.state, now.agents));
                    self.counted.presence += 1;
                }
            }
            Decision::StateChanged { .. } => self.counted.presence += 1,
            Decision::AgentsChanged { team } => _ = self.rosters.insert(index(&team)),
        }
    }

    /// All agents.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.agents.iter().map(|agent| &agent.user)
    }

    /// Agents on the server that runs the desk: those who lose it when it dies.
    #[cfg(test)]
    pub fn dying(&self) -> usize {
        self.agents.iter().filter(|agent| agent.node == self.leader).count()
    }
}

/// The state of a conversation, as chat says it to the desk.
fn fact(world: &World, n: usize) -> Event {
    let (row, conv) = (&world.rows[n], conv(n));
    let team = world.teams[row.team].clone();
    match row.owner {
        _ if row.closed => Event::Closed { conv },
        Some(agent) => Event::Owned { conv, team, user: world.agents[agent].user.clone() },
        None => {
            let last_agent = row.last_agent.map(|agent| world.agents[agent].user.clone());
            Event::Waiting { conv, team, since: row.arrived, last_agent }
        }
    }
}

/// A conversation by number.
pub fn conv(n: usize) -> ConvId {
    ConvId((n as u128).to_be_bytes())
}

fn index(team: &TeamId) -> usize {
    // they are named t0, t1, …
    team.as_str()[1..].parse().unwrap_or(0)
}

fn parse<T: std::str::FromStr>(name: &str) -> T {
    match name.parse() {
        Ok(id) => id,
        Err(_) => unreachable!("a letter and a number are an id"),
    }
}
