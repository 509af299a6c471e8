//! What the servers of a company tell each other beside what is stored: frames for clients, signals for servers, and questions
//! to the one server that runs the desk. A signal may be lost; the next one, or a page's own timer, makes up for it. What is
//! stored comes through the store's feed instead.

pub mod redis;

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use tokio::sync::watch;

use crate::{
    hub::{Audience, Frame, Hub, Topic},
    proto::UserId,
};

/// The other servers. Nothing here waits, except for the answer to a question.
pub trait Bus: Send + Sync + 'static {
    /// Tells their clients.
    fn tell(&self, topic: &Topic, audience: Audience, frame: &Frame);

    /// Tells them.
    fn signal(&self, signal: Vec<u8>);

    /// Asks the server that runs the desk; none: there is no answer, and whether it was heard is unknown.
    fn ask_desk(&self, question: Vec<u8>) -> BoxFuture<'static, Option<Vec<u8>>>;

    /// Whether this server runs the desk. One does at a time.
    fn leads(&self) -> watch::Receiver<bool>;

    /// Whether this server may decide for the desk at this moment, by its own clock: one that was frozen may not know yet that it
    /// no longer leads.
    fn decides(&self) -> bool;

    /// Agents who have sockets on them.
    fn agents(&self) -> watch::Receiver<Arc<BTreeSet<UserId>>>;

    /// The agents who have sockets here are others than before.
    fn agents_changed(&self);

    /// Day keys of the robot that other servers hold.
    fn day_keys(&self) -> watch::Receiver<Arc<BTreeSet<BoxKid>>>;

    /// The day keys that this server holds are others than before.
    fn day_keys_changed(&self);
}

/// How the boxes of an announcement name a key.
pub type BoxKid = [u8; 16];

/// What the other servers reach here.
pub trait Peer: Send + Sync + 'static {
    /// A frame for clients.
    fn told(&self, topic: &Topic, audience: Audience, frame: &Frame);

    /// A signal.
    fn heard(&self, signal: &[u8]);

    /// A question to the desk.
    fn asked(&self, question: &[u8]) -> BoxFuture<'static, Vec<u8>>;

    /// What is counted here, for statistics of all servers.
    fn figures(&self) -> BoxFuture<'static, Vec<u8>>;

    /// Agents who have sockets here, and how many sockets there are.
    fn sockets(&self) -> (BTreeSet<UserId>, u64);

    /// Day keys of the robot that this server holds.
    fn day_keys(&self) -> BTreeSet<BoxKid>;
}

/// A server without others.
#[derive(Debug)]
pub struct NoOthers {
    leads: watch::Sender<bool>,
    agents: watch::Sender<Arc<BTreeSet<UserId>>>,
    day_keys: watch::Sender<Arc<BTreeSet<BoxKid>>>,
}

impl Default for NoOthers {
    fn default() -> Self {
        Self { leads: watch::Sender::new(true), agents: watch::Sender::default(), day_keys: watch::Sender::default() }
    }
}

impl Bus for NoOthers {
    fn tell(&self, _: &Topic, _: Audience, _: &Frame) {}

    fn signal(&self, _: Vec<u8>) {}

    fn ask_desk(&self, _: Vec<u8>) -> BoxFuture<'static, Option<Vec<u8>>> {
        ready(None).boxed()
    }

    fn leads(&self) -> watch::Receiver<bool> {
        self.leads.subscribe()
    }

    fn decides(&self) -> bool {
        true
    }

    fn agents(&self) -> watch::Receiver<Arc<BTreeSet<UserId>>> {
        self.agents.subscribe()
    }

    fn agents_changed(&self) {}

    fn day_keys(&self) -> watch::Receiver<Arc<BTreeSet<BoxKid>>> {
        self.day_keys.subscribe()
    }

    fn day_keys_changed(&self) {}
}

/// Tells clients, whichever server they are connected to.
#[derive(Clone)]
pub struct Announcer {
    hub: Arc<Hub>,
    bus: Arc<dyn Bus>,
}

impl Announcer {
    /// For the sockets of `hub` and those behind `bus`.
    pub fn new(hub: Arc<Hub>, bus: Arc<dyn Bus>) -> Self {
        Self { hub, bus }
    }

    /// Offers a frame to those of a topic's listeners whom it is for.
    pub fn tell(&self, topic: &Topic, audience: Audience, frame: &Frame) {
        self.hub.tell(topic, audience, frame);
        self.bus.tell(topic, audience, frame);
    }
}
