//! What all pairs of a run count together.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Instant,
};

use hdrhistogram::Histogram;
use tokio::sync::Notify;

use crate::error::LoadError;

/// Counts of the whole run.
#[derive(Debug)]
pub struct Counters {
    /// When it began; all times are nanoseconds since.
    pub clock: Instant,
    /// Senders continue by themselves when their record arrived.
    pub closed_loop: bool,
    /// Whether senders may send.
    pub running: Cell<bool>,
    /// Whether latencies are recorded.
    pub measuring: Cell<bool>,
    /// From the (intended) time of sending to the other side's socket, µs, since it was last taken.
    pub delivery: RefCell<Histogram<u64>>,
    /// Acknowledged to the sender and delivered to the other side.
    pub messages: Cell<u64>,
    /// Records that never came, though later ones did, or that came altered.
    pub lost: Cell<u64>,
    /// Records that came twice.
    pub doubled: Cell<u64>,
    /// Envelopes that were sealed when they were to be sent.
    pub sealed_late: Cell<u64>,
    /// Envelopes of a long run that were sealed between messages, before they were to be sent.
    pub sealed_between: Cell<u64>,
    /// Errors, closed sockets, frames that could not be sent.
    pub failures: RefCell<Vec<String>>,
    failed: Notify,
}

impl Counters {
    /// Counters at zero.
    pub fn new(closed_loop: bool) -> Result<Rc<Self>, LoadError> {
        Ok(Rc::new(Self {
            clock: Instant::now(),
            closed_loop,
            running: Cell::new(false),
            measuring: Cell::new(false),
            delivery: RefCell::new(Histogram::new(3)?),
            messages: Cell::default(),
            lost: Cell::default(),
            doubled: Cell::default(),
            sealed_late: Cell::default(),
            sealed_between: Cell::default(),
            failures: RefCell::default(),
            failed: Notify::new(),
        }))
    }

    /// Nanoseconds since the beginning.
    pub fn now(&self) -> u64 {
        self.clock.elapsed().as_nanos() as u64
    }

    /// An error occurred: nobody sends any more.
    pub(crate) fn fail(&self, what: impl Into<String>) {
        self.running.set(false);
        self.failures.borrow_mut().push(what.into());
        self.failed.notify_one();
    }

    /// Resolves when an error occurred.
    pub(crate) async fn failed(&self) {
        self.failed.notified().await;
    }

    /// Fails if an error occurred.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        match self.failures.borrow().first() {
            Some(failure) => Err(LoadError::Failed(failure.clone())),
            None => Ok(()),
        }
    }

    /// The latencies recorded since the last call.
    pub(crate) fn take_delivery(&self) -> Result<Histogram<u64>, LoadError> {
        Ok(self.delivery.replace(Histogram::new(3)?))
    }
}

/// Adds to a count.
pub(crate) fn add(cell: &Cell<u64>, n: u64) {
    cell.set(cell.get() + n);
}
