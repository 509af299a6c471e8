//! What all clients of an overload count together.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Instant,
};

use hdrhistogram::Histogram;

use super::recovery::Recovery;
use crate::error::LoadError;

/// When a message fell due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The capacity is measured.
    Capacity,
    /// At a tenth of it, before the overload.
    Before,
    /// More than the server can do.
    Overload,
    /// At a tenth again.
    After,
}

/// Counts of the whole run.
#[derive(Debug)]
pub(super) struct Tally {
    /// All times are nanoseconds since.
    pub clock: Instant,
    /// When each phase began, ns; the first began with the clock.
    pub begins: RefCell<Vec<(u64, Phase)>>,
    /// Each acknowledgement makes the next message due.
    pub closed_loop: Cell<bool>,
    /// How many messages of a sender may be on their way.
    pub window: Cell<usize>,
    /// No client comes back any more.
    pub over: Cell<bool>,
    pub offered: Cell<u64>,
    /// Messages that fell due while as many waited as the generator holds.
    pub not_offered: Cell<u64>,
    pub acknowledged: Cell<u64>,
    pub delivered: Cell<u64>,
    pub doubled: Cell<u64>,
    /// Messages that were refused for good.
    pub dropped: Cell<u64>,
    /// Messages that came altered.
    pub altered: Cell<u64>,
    pub refused: RefCell<BTreeMap<String, u64>>,
    pub closed: RefCell<BTreeMap<String, u64>>,
    /// The most messages that waited in the generator.
    pub backlog: Cell<u64>,
    /// The most memory that the server had, bytes.
    pub rss: Cell<u64>,
    /// Latencies of messages that fell due before the overload, and during it, µs.
    pub before: RefCell<Histogram<u64>>,
    pub overload: RefCell<Histogram<u64>>,
    pub recovery: RefCell<Recovery>,
}

impl Tally {
    pub fn new() -> Result<Rc<Self>, LoadError> {
        Ok(Rc::new(Self {
            clock: Instant::now(),
            begins: RefCell::new(vec![(0, Phase::Capacity)]),
            closed_loop: Cell::default(),
            window: Cell::new(usize::MAX),
            over: Cell::default(),
            offered: Cell::default(),
            not_offered: Cell::default(),
            acknowledged: Cell::default(),
            delivered: Cell::default(),
            doubled: Cell::default(),
            dropped: Cell::default(),
            altered: Cell::default(),
            refused: RefCell::default(),
            closed: RefCell::default(),
            backlog: Cell::default(),
            rss: Cell::default(),
            before: RefCell::new(Histogram::new(3)?),
            overload: RefCell::new(Histogram::new(3)?),
            recovery: RefCell::default(),
        }))
    }

    /// Nanoseconds since the beginning.
    pub fn now(&self) -> u64 {
        self.clock.elapsed().as_nanos() as u64
    }

    /// A phase begins now.
    pub fn begin(&self, phase: Phase) {
        let now = self.now();
        self.begins.borrow_mut().push((now, phase));
        if phase == Phase::After {
            self.recovery.borrow_mut().begin(now);
        }
    }

    /// The phase in which something fell due.
    fn phase(&self, due: u64) -> Phase {
        let begins = self.begins.borrow();
        begins.iter().rev().find(|(at, _)| *at <= due).map_or(Phase::Capacity, |(_, phase)| *phase)
    }

    /// A message falls due.
    pub fn offer(&self, due: u64) {
        match self.phase(due) {
            Phase::Capacity => return,
            Phase::After => self.recovery.borrow_mut().due(due),
            Phase::Before | Phase::Overload => {}
        }
        self.offered.set(self.offered.get() + 1);
    }

    /// The sender's own record came.
    pub fn acknowledge(&self, due: u64) {
        if self.phase(due) != Phase::Capacity {
            self.acknowledged.set(self.acknowledged.get() + 1);
        }
    }

    /// A message came to the other side.
    pub fn deliver(&self, due: u64) {
        self.delivered.set(self.delivered.get() + 1);
        let us = self.now().saturating_sub(due) / 1000;
        match self.phase(due) {
            Phase::Capacity => {}
            Phase::Before => drop(self.before.borrow_mut().record(us)),
            Phase::Overload => drop(self.overload.borrow_mut().record(us)),
            Phase::After => self.recovery.borrow_mut().delivered(due, us),
        }
    }
}

/// One more of these.
pub(super) fn count(counts: &RefCell<BTreeMap<String, u64>>, what: impl Into<String>) {
    *counts.borrow_mut().entry(what.into()).or_default() += 1;
}
