//! Servers that share a Redis or Valkey: signals by its channels, who is there and who runs the desk by two hashes beside the
//! company's tables.
//!
//! `message.rs` is what is said, `members.rs` who says it, `connected.rs` the work over one connection; `lease.lua` decides who
//! runs the desk. While Redis can't be reached this server runs no desk and tells its own clients only.

mod connected;
mod members;
mod message;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use kefu_redis_link::{Backoff, Link};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::timeout,
};

#[cfg(test)]
pub(crate) use connected::{DECIDES, LEASE};
#[cfg(test)]
pub(crate) use members::Members;
pub use members::{BEAT, Beat, Member};
pub use message::Node;

#[cfg(not(test))]
use self::members::Members;
use self::message::{Message, Post};
use super::{BoxKid, Bus, Peer};
use crate::{
    clock::Clock,
    crypto::cluster_key::ClusterKey,
    hub::{Audience, Frame, Topic},
    proto::UserId,
};

/// Messages that wait to be published; more are dropped, as the network might drop them.
const WAITING: usize = 16_384;
/// How long an answer is waited for before the question is asked once more.
const ANSWER: Duration = Duration::from_secs(3);

/// A channel and what is published there.
type Outgoing = (Vec<u8>, Vec<u8>);

/// The bus over Redis.
pub struct RedisBus {
    link: Link,
    node: Node,
    post: Post,
    /// Signs what servers say of themselves.
    beats: ring::hmac::Key,
    prefix: String,
    outgoing: mpsc::Sender<Outgoing>,
    waiting: Mutex<Option<mpsc::Receiver<Outgoing>>>,
    questions: Mutex<HashMap<u64, oneshot::Sender<Vec<u8>>>>,
    next: AtomicU64,
    leads: watch::Sender<bool>,
    leader: watch::Sender<Option<Node>>,
    /// Until when the lease is ours, by our own clock.
    ours_until: Mutex<Option<Instant>>,
    agents: watch::Sender<Arc<BTreeSet<UserId>>>,
    day_keys: watch::Sender<Arc<BTreeSet<BoxKid>>>,
    changed: Notify,
    members: Mutex<Members>,
    own_beat: Mutex<Option<Beat>>,
    connected: watch::Sender<bool>,
    draining: watch::Sender<bool>,
    beats_said: AtomicU64,
    own: Own,
}

/// What this server says of itself, beside what changes.
#[derive(Debug, Clone)]
pub struct Own {
    /// Where it listens.
    pub listen: String,
    /// When it started, ms.
    pub since: u64,
}

impl RedisBus {
    /// A server that was never there before. Nothing happens before [`RedisBus::run`].
    pub fn new(link: Link, prefix: &str, key: &ClusterKey, clock: Clock, own: Own) -> Arc<Self> {
        let node = Node::draw();
        let (outgoing, waiting) = mpsc::channel(WAITING);
        Arc::new(Self {
            link,
            node,
            post: Post::new(key, clock, node),
            beats: key.mac("beat"),
            prefix: prefix.to_owned(),
            outgoing,
            waiting: Mutex::new(Some(waiting)),
            questions: Mutex::default(),
            next: AtomicU64::new(1),
            leads: watch::Sender::new(false),
            leader: watch::Sender::new(None),
            ours_until: Mutex::default(),
            agents: watch::Sender::default(),
            day_keys: watch::Sender::default(),
            changed: Notify::new(),
            members: Mutex::default(),
            own_beat: Mutex::default(),
            connected: watch::Sender::new(false),
            draining: watch::Sender::new(false),
            beats_said: AtomicU64::new(0),
            own,
        })
    }

    /// This server.
    pub fn node(&self) -> Node {
        self.node
    }

    /// Whether Redis can be reached.
    pub fn connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    /// The servers that were there lately, with this one.
    pub fn members(&self) -> Vec<Member> {
        let leader = *self.leader.borrow();
        let mut members = self.members.lock().list(leader);
        let own = self.own_beat.lock().clone();
        let alive = *self.connected.borrow();
        let leads = leader == Some(self.node);
        members.extend(own.map(|beat| Member { node: self.node.name(), beat, alive, leads }));
        members.sort_by(|a, b| a.node.cmp(&b.node));
        members
    }

    /// Says that this server takes no new clients, and gives the desk away.
    pub fn drain(&self) {
        self.draining.send_replace(true);
        self.changed.notify_one();
    }

    /// Whether [`RedisBus::drain`] was called.
    pub fn draining(&self) -> watch::Receiver<bool> {
        self.draining.subscribe()
    }

    /// Works until the process ends.
    pub async fn run(self: Arc<Self>, peer: Arc<dyn Peer>) {
        let Some(mut waiting) = self.waiting.lock().take() else { return };
        let mut backoff = Backoff::default();
        loop {
            let error = connected::work(&self, &*peer, &mut waiting, &mut backoff).await;
            if self.connected.send_replace(false) {
                tracing::warn!(%error, "the other servers can't be reached, since Redis can't");
            }
            *self.ours_until.lock() = None;
            self.leads.send_replace(false);
            self.leader.send_replace(None);
            backoff.wait().await;
        }
    }

    fn name(&self, rest: &str) -> Vec<u8> {
        format!("{}{{o}}{rest}", self.prefix).into_bytes()
    }

    /// What all servers read.
    fn everyone(&self) -> Vec<u8> {
        self.name("bus")
    }

    /// What one server reads.
    fn channel_of(&self, node: Node) -> Vec<u8> {
        self.name(&format!("n:{}", node.name()))
    }

    fn send(&self, channel: Vec<u8>, message: &Message) {
        if !*self.connected.borrow() {
            return;
        }
        let bytes = self.post.write(&channel, message);
        if self.outgoing.try_send((channel, bytes)).is_err() {
            tracing::debug!("too much waits to be told to other servers; some of it is dropped");
        }
    }

    /// Agents and day keys on other servers, as far as is known now.
    fn publish_members(&self) {
        let (agents, day_keys) = {
            let members = self.members.lock();
            (members.agents(), members.day_keys())
        };
        publish(&self.agents, agents);
        publish(&self.day_keys, day_keys);
    }

    /// What other servers have counted, by name: those of `wanted` that are alive. None: no answer within this time.
    pub async fn figures(&self, wanted: impl Fn(&Member) -> bool, within: Duration) -> Vec<(String, Option<Vec<u8>>)> {
        let others: Vec<Member> = self.members().into_iter().filter(|m| m.alive && wanted(m)).collect();
        let (mut asked, mut waiting) = (Asked { bus: self, numbers: Vec::new() }, Vec::new());
        for member in others {
            let Some(node) = Node::parse(member.node.as_bytes()).filter(|node| *node != self.node) else { continue };
            let ((reply, answer), number) = (oneshot::channel(), self.next.fetch_add(1, Ordering::Relaxed));
            self.questions.lock().insert(number, reply);
            asked.numbers.push(number);
            self.send(self.channel_of(node), &Message::Count(number));
            waiting.push((member.node, answer));
        }
        let end = tokio::time::Instant::now() + within;
        let answered = waiting.into_iter().map(|(name, answer)| async move {
            (name, tokio::time::timeout_at(end, answer).await.ok().and_then(Result::ok))
        });
        futures_util::future::join_all(answered).await
    }

    /// A question to the leader of now, or the one there will be in a moment, and its answer.
    async fn ask_once(&self, question: Bytes) -> Option<Vec<u8>> {
        let mut leader = self.leader.subscribe();
        let leader = (*timeout(ANSWER, leader.wait_for(Option::is_some)).await.ok()?.ok()?)?;
        let (reply, answer) = oneshot::channel();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.questions.lock().insert(number, reply);
        self.send(self.channel_of(leader), &Message::Ask(number, question));
        let answer = timeout(ANSWER, answer).await;
        self.questions.lock().remove(&number);
        answer.ok()?.ok()
    }
}

/// Tells what is new.
fn publish<T: PartialEq>(sender: &watch::Sender<Arc<T>>, now: T) {
    sender.send_if_modified(|known| {
        let changed = **known != now;
        if changed {
            *known = now.into();
        }
        changed
    });
}

/// Takes a question back when nobody waits for its answer any more.
struct Asked<'a> {
    bus: &'a RedisBus,
    numbers: Vec<u64>,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let mut questions = self.bus.questions.lock();
        self.numbers.iter().for_each(|number| drop(questions.remove(number)));
    }
}

/// Bytes of a frame.
fn content(frame: &Frame) -> Bytes {
    Bytes::copy_from_slice(frame.bytes())
}

/// A bus as chat has it.
pub struct Handle(pub Arc<RedisBus>);

impl Bus for Handle {
    fn tell(&self, topic: &Topic, audience: Audience, frame: &Frame) {
        self.0.send(self.0.everyone(), &Message::Tell(topic.clone(), audience, content(frame)));
    }

    fn signal(&self, signal: Vec<u8>) {
        self.0.send(self.0.everyone(), &Message::Signal(signal.into()));
    }

    fn ask_desk(&self, question: Vec<u8>) -> BoxFuture<'static, Option<Vec<u8>>> {
        let (bus, question) = (self.0.clone(), Bytes::from(question));
        async move {
            match bus.ask_once(question.clone()).await {
                Some(answer) => Some(answer),
                // the leader may have changed
                None => bus.ask_once(question).await,
            }
        }
        .boxed()
    }

    fn leads(&self) -> watch::Receiver<bool> {
        self.0.leads.subscribe()
    }

    fn decides(&self) -> bool {
        self.0.ours_until.lock().is_some_and(|until| Instant::now() < until)
    }

    fn agents(&self) -> watch::Receiver<Arc<BTreeSet<UserId>>> {
        self.0.agents.subscribe()
    }

    fn agents_changed(&self) {
        self.0.changed.notify_one();
    }

    fn day_keys(&self) -> watch::Receiver<Arc<BTreeSet<BoxKid>>> {
        self.0.day_keys.subscribe()
    }

    fn day_keys_changed(&self) {
        self.0.changed.notify_one();
    }
}
