//! How far a run is, for the person who waits for it.

use std::fmt;

use crate::interval::Interval;

/// Stage of a run, for progress messages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stage {
    /// Connecting this many idle visitors.
    Connecting(usize),
    /// Opening this many conversations.
    Opening(usize),
    /// Sealing this many envelopes.
    Sealing(usize),
    /// For so many seconds.
    Measuring(u64),
    /// A part of that is over.
    Interval(Interval),
    /// For so many seconds, while an agent reads.
    Reading(u64),
    /// As fast as it goes, to know how much that is.
    Capacity,
    /// So many messages per second are sent.
    Offering(u64),
    /// Nothing more is sent.
    Draining,
    /// All connections are dropped.
    Dropping,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting(n) => write!(f, "connecting {n} idle visitors"),
            Self::Opening(n) => write!(f, "opening {n} conversations"),
            Self::Sealing(n) => write!(f, "sealing {n} envelopes"),
            Self::Measuring(seconds) => write!(f, "measuring for {seconds} s"),
            Self::Reading(seconds) => write!(f, "measuring for {seconds} s while an agent reads"),
            Self::Capacity => f.write_str("measuring the capacity"),
            Self::Offering(rate) => write!(f, "offering {rate} messages per second"),
            Self::Draining => f.write_str("waiting for what is on its way"),
            Self::Interval(interval) => interval.fmt(f),
            Self::Dropping => f.write_str("dropping them all"),
        }
    }
}
