//! What all pairs of a run count together.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Instant,
};

use hdrhistogram::Histogram;

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
    /// From the (intended) time of sending to the other side's socket, µs.
    pub delivery: RefCell<Histogram<u64>>,
    /// Acknowledged to the sender and delivered to the other side.
    pub messages: Cell<u64>,
    /// Records that never came, though later ones did, or that came altered.
    pub lost: Cell<u64>,
    /// Records that came twice.
    pub doubled: Cell<u64>,
    /// Envelopes that had to be sealed during the run.
    pub sealed_late: Cell<u64>,
    /// Errors, closed sockets, frames that could not be sent.
    pub failures: RefCell<Vec<String>>,
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
            failures: RefCell::default(),
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
    }
}

/// Adds to a count.
pub(crate) fn add(cell: &Cell<u64>, n: u64) {
    cell.set(cell.get() + n);
}
