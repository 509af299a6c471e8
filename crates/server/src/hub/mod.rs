//! Who is connected where, and the bounded outbox of each socket.
//!
//! The hub delivers bytes to sockets that follow a topic. It knows no conversation rules, keeps nothing after a socket
//! is gone, and never waits: a socket that reads too slowly is told to close and resume, others don't notice. One timer for
//! all sockets notices which of them are silent.

mod outbox;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::proto::{BEAT_MS, CloseCode, ConvId, Kid, SiteId, TeamId, UserId};
use foldhash::HashMap;
use parking_lot::{Mutex, MutexGuard};
use tokio::time::MissedTickBehavior;

pub use outbox::{Drained, Frame, Outbox};

/// What sockets listen to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Those who follow this conversation.
    Conv(ConvId),
    /// The sockets of one agent.
    User(UserId),
    /// The agents of a team.
    Team(TeamId),
    /// The visitors on a site.
    Site(SiteId),
}

/// Which listeners of a topic a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// All of them.
    Everyone,
    /// Visitors.
    Visitors,
    /// All but one socket of this process.
    AllButSocket(u64),
    /// All but the sockets of one key.
    AllButKey(Kid),
}

impl Audience {
    fn includes(self, conn: &Conn) -> bool {
        match self {
            Self::Everyone => true,
            Self::Visitors => conn.who.user().is_none(),
            Self::AllButSocket(id) => conn.id != id,
            Self::AllButKey(kid) => conn.who.kid() != kid,
        }
    }
}

/// The identity of a socket, after its challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A visitor, known by key.
    Visitor {
        /// Their key.
        kid: Kid,
        /// The visitor's site.
        site: SiteId,
    },
    /// An agent.
    Agent {
        /// Their key.
        kid: Kid,
        /// User id of the agent.
        user: UserId,
    },
}

impl Who {
    /// The key the socket proved.
    pub fn kid(&self) -> Kid {
        match self {
            Self::Visitor { kid, .. } | Self::Agent { kid, .. } => *kid,
        }
    }

    /// The agent's id, if it is one.
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::Agent { user, .. } => Some(user),
            Self::Visitor { .. } => None,
        }
    }
}

/// A registered socket.
#[derive(Debug)]
pub struct Conn {
    /// Never used twice in the life of the process.
    pub id: u64,
    /// Its identity.
    pub who: Who,
    /// The Ed25519 key that answered the challenge.
    pub ed: [u8; 32],
    /// Revision of the rules of readers that it knows.
    pub rev: u32,
    /// What waits to be written to it.
    pub outbox: Outbox,
    topics: Mutex<Vec<Topic>>,
    violations: AtomicU32,
    /// Looks of [`Hub::beat`] since its last message.
    silent: AtomicU32,
}

impl Conn {
    /// What it listens to.
    pub fn topics(&self) -> Vec<Topic> {
        self.topics.lock().clone()
    }

    /// A message came from it.
    pub fn heard(&self) {
        self.silent.store(0, Ordering::Relaxed);
    }

    /// Counts a frame that no honest client sends; returns how many there were.
    pub fn record_violation(&self) -> u32 {
        self.violations.fetch_add(1, Ordering::Relaxed) + 1
    }
}

type Members = HashMap<u64, Arc<Conn>>;

/// Parts of all sockets. [`Hub::beat`] looks at one after the other, so that it never holds up all of them.
const SHARDS: usize = 32;
/// How often it looks at a socket in a heartbeat.
const LOOKS: u32 = 4;

/// All sockets of this process.
#[derive(Debug, Default)]
pub struct Hub {
    next: AtomicU64,
    conns: [Mutex<Members>; SHARDS],
    topics: Mutex<HashMap<Topic, Members>>,
    /// Set by [`Hub::close_all`]: who comes after it is sent away as well.
    closed: OnceLock<CloseCode>,
}

impl Hub {
    /// An empty hub.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { next: AtomicU64::new(1), ..Self::default() })
    }

    fn shard(&self, conn: u64) -> MutexGuard<'_, Members> {
        self.conns[conn as usize % SHARDS].lock()
    }

    /// Each socket, a shard at a time.
    fn each(&self, mut act: impl FnMut(&Arc<Conn>)) {
        self.conns.iter().for_each(|shard| shard.lock().values().for_each(&mut act));
    }

    /// Asks each socket that was silent for a heartbeat for a sign of life, and again after each further one: its session
    /// knows whether anything came since. Never ends.
    pub async fn beat(&self) {
        let mut look = tokio::time::interval(Duration::from_millis(BEAT_MS) / LOOKS / SHARDS as u32);
        // a process that was stopped must not take its own silence for that of others
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for shard in self.conns.iter().cycle() {
            look.tick().await;
            look_at(shard);
        }
    }

    /// Registers a socket; `rev` is the revision of the rules of readers that it knows.
    pub fn connect(&self, who: Who, ed: [u8; 32], rev: u32) -> Arc<Conn> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (outbox, topics, violations, silent) = Default::default();
        let conn = Arc::new(Conn { id, who, ed, rev, outbox, topics, violations, silent });
        self.shard(id).insert(id, conn.clone());
        // after the insert: a concurrent close of all sockets either finds this one or is seen here
        if let Some(code) = self.closed.get() {
            conn.outbox.close(*code);
        }
        conn
    }

    /// Removes a socket. Returns the topics that have no listener any more.
    pub fn disconnect(&self, conn: &Conn) -> Vec<Topic> {
        self.shard(conn.id).remove(&conn.id);
        let mine = std::mem::take(&mut *conn.topics.lock());
        let mut topics = self.topics.lock();
        let mut silent = Vec::new();
        for topic in mine {
            if remove_member(&mut topics, &topic, conn.id) {
                silent.push(topic);
            }
        }
        silent
    }

    /// Lets a socket listen to a topic; true if it is the first that does.
    pub fn listen(&self, conn: &Arc<Conn>, topic: Topic) -> bool {
        let mut own = conn.topics.lock();
        if own.contains(&topic) {
            return false;
        }
        let mut topics = self.topics.lock();
        let members = topics.entry(topic.clone()).or_default();
        let first = members.is_empty();
        members.insert(conn.id, conn.clone());
        if own.is_empty() {
            // most follow one thing and no more
            own.reserve_exact(1);
        }
        own.push(topic);
        first
    }

    /// Ends [`Hub::listen`].
    pub fn unlisten(&self, conn: &Conn, topic: &Topic) {
        conn.topics.lock().retain(|t| t != topic);
        remove_member(&mut self.topics.lock(), topic, conn.id);
    }

    /// Ends [`Hub::listen`] for all but those for whom `keep` holds.
    pub fn retain(&self, topic: &Topic, keep: impl Fn(&Conn) -> bool) {
        let leaving: Vec<_> = match self.topics.lock().get(topic) {
            Some(members) => members.values().filter(|c| !keep(c)).cloned().collect(),
            None => return,
        };
        leaving.iter().for_each(|c| self.unlisten(c, topic));
    }

    /// How many sockets listen to a topic.
    pub fn listeners(&self, topic: &Topic) -> usize {
        self.topics.lock().get(topic).map_or(0, Members::len)
    }

    /// Offers a frame to those of a topic's listeners whom it is for.
    pub fn tell(&self, topic: &Topic, audience: Audience, frame: &Frame) {
        self.publish(topic, |conn| audience.includes(conn).then(|| frame.clone()));
    }

    /// Offers a frame to every listener of a topic; `frame` decides for each.
    pub fn publish(&self, topic: &Topic, mut frame: impl FnMut(&Conn) -> Option<Frame>) {
        if let Some(members) = self.topics.lock().get(topic) {
            for conn in members.values() {
                if let Some(f) = frame(conn) {
                    conn.outbox.push(f);
                }
            }
        }
    }

    /// A socket, if it is still there.
    pub fn get(&self, conn: u64) -> Option<Arc<Conn>> {
        self.shard(conn).get(&conn).cloned()
    }

    /// Offers a frame to one socket.
    pub fn send(&self, conn: u64, frame: Frame) {
        if let Some(conn) = self.shard(conn).get(&conn) {
            conn.outbox.push(frame);
        }
    }

    /// Offers a frame to every socket.
    pub fn publish_all(&self, frame: &Frame) {
        self.each(|c| c.outbox.push(frame.clone()));
    }

    /// Asks those listeners of a topic to close for whom `code` names a reason.
    pub fn close_where(&self, topic: &Topic, code: impl Fn(&Conn) -> Option<CloseCode>) {
        // outside the lock: `code` may ask a socket for its topics, and `listen` takes these two locks the other way round
        let members: Vec<_> = self.topics.lock().get(topic).map(|m| m.values().cloned().collect()).unwrap_or_default();
        for conn in members {
            if let Some(code) = code(&conn) {
                conn.outbox.close(code);
            }
        }
    }

    /// Asks every socket of now to close.
    pub fn send_away(&self, code: CloseCode) {
        self.each(|c| c.outbox.close(code));
    }

    /// Asks every socket to close, those that connect later too.
    pub fn close_all(&self, code: CloseCode) {
        self.closed.get_or_init(|| code);
        self.send_away(code);
    }

    /// Whose sockets there are; visitors have no names.
    pub fn users(&self) -> BTreeSet<UserId> {
        let mut users = BTreeSet::new();
        self.each(|c| users.extend(c.who.user().cloned()));
        users
    }

    /// How many sockets there are.
    pub fn len(&self) -> usize {
        self.conns.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Counts one more look at the sockets of a shard, and tells those who were silent for a heartbeat.
fn look_at(shard: &Mutex<Members>) {
    for conn in shard.lock().values() {
        // the first one came at any time, perhaps at once
        let whole = conn.silent.fetch_add(1, Ordering::Relaxed);
        if whole > 0 && whole.is_multiple_of(LOOKS) {
            conn.outbox.beat();
        }
    }
}

/// True if the topic is silent now.
fn remove_member(topics: &mut HashMap<Topic, Members>, topic: &Topic, conn: u64) -> bool {
    let Some(members) = topics.get_mut(topic) else { return false };
    members.remove(&conn);
    let silent = members.is_empty();
    if silent {
        topics.remove(topic);
    }
    silent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(n: u8) -> Who {
        Who::Visitor { kid: Kid([n; 16]), site: "s1".parse().unwrap() }
    }

    fn texts(conn: &Conn) -> Vec<String> {
        conn.outbox.drain().frames.iter().map(|f| String::from_utf8_lossy(f.bytes()).into_owned()).collect()
    }

    #[test]
    fn frames_reach_listeners_once_and_in_order() {
        let hub = Hub::new();
        let (a, b) = (hub.connect(visitor(1), [1; 32], 2), hub.connect(visitor(2), [2; 32], 2));
        let topic = Topic::Conv(ConvId([7; 16]));
        assert!(hub.listen(&a, topic.clone()));
        assert!(!hub.listen(&b, topic.clone()));
        assert!(!hub.listen(&a, topic.clone()), "listening twice is listening once");
        for word in ["one", "two"] {
            let audience = if word == "one" { Audience::AllButSocket(b.id) } else { Audience::Everyone };
            hub.tell(&topic, audience, &Frame::text(word.into()));
        }
        assert_eq!(texts(&a), ["one", "two"]);
        assert_eq!(texts(&b), ["two"]);
    }

    #[test]
    fn who_is_silent_is_told_after_a_heartbeat_and_again_after_each_further_one() {
        let hub = Hub::new();
        let (quiet, busy) = (hub.connect(visitor(1), [1; 32], 2), hub.connect(visitor(2), [2; 32], 2));
        let mut told = Vec::new();
        for look in 1..=2 * LOOKS + 2 {
            hub.conns.iter().for_each(look_at);
            told.extend(quiet.outbox.drain().beat.then_some(look));
            assert!(!busy.outbox.drain().beat);
            busy.heard();
        }
        assert_eq!(told, [LOOKS + 1, 2 * LOOKS + 1]);
    }

    #[test]
    fn who_connects_after_the_end_is_sent_away_too() {
        let hub = Hub::new();
        let early = hub.connect(visitor(1), [1; 32], 2);
        hub.close_all(CloseCode::GoingAway);
        let late = hub.connect(visitor(2), [2; 32], 2);
        for conn in [early, late] {
            assert_eq!(conn.outbox.drain().close, Some(CloseCode::GoingAway));
        }
    }

    #[test]
    fn the_last_listener_leaves_a_topic_silent() {
        let hub = Hub::new();
        let (a, b) = (hub.connect(visitor(1), [1; 32], 2), hub.connect(visitor(1), [1; 32], 2));
        let topic = Topic::Site("s1".parse().unwrap());
        hub.listen(&a, topic.clone());
        hub.listen(&b, topic.clone());
        assert_eq!(hub.disconnect(&a), []);
        assert_eq!(hub.disconnect(&b), std::slice::from_ref(&topic));
        assert_eq!(hub.listeners(&topic), 0);
        assert!(hub.is_empty());
    }
}
