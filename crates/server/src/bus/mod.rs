//! Signals between the servers of a company: what clients are told that is not stored, such as typing, presence and offers.
//! A signal may be lost; the next one, or the page's own timer, makes up for it. What is stored comes through the store's
//! feed instead.

use std::sync::Arc;

use crate::hub::{Audience, Frame, Hub, Topic};

/// The way to the other servers. Never waits.
pub trait Bus: Send + Sync + 'static {
    /// Tells their clients.
    fn tell(&self, topic: &Topic, audience: Audience, frame: &Frame);
}

/// A server without others.
#[derive(Debug)]
pub struct NoOthers;

impl Bus for NoOthers {
    fn tell(&self, _: &Topic, _: Audience, _: &Frame) {}
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
