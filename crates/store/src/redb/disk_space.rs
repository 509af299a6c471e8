//! Reads the free disk space, at a rate that costs a message nothing, and decides what can be written.
//!
//! Two things lead to [`StorageState::Full`]: too little space, and a failed write. After a failure it stays until the
//! file is open again, there is space, and the ballast could be created: a write that had to succeed, so quotas and
//! broken disks, which the free space does not show, are noticed, too.

use std::{
    sync::atomic::{AtomicU8, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use super::ballast::Ballast;
use crate::space::{Measure, Space, Thresholds};
use kefu_proto::StorageState;

/// Failures that follow each other within this time are taken for one trouble.
const TROUBLE: Duration = Duration::from_mins(1);
/// The first pause after a failure that the free space does not explain, doubled with each that follows.
const PAUSE: Duration = Duration::from_millis(250);
/// Doublings at most: half a minute.
const DOUBLINGS: u32 = 7;
/// Between two looks less is written than this part of what must stay free.
const SHARE: u64 = 16;

/// Free space of the disk and what may be written.
#[derive(Debug)]
pub(super) struct DiskSpace {
    /// None: the free space is never read.
    measure: Option<Measure>,
    reserve_mb: u32,
    /// None: there is no file that needs one.
    ballast: Option<Ballast>,
    state: AtomicU8,
    /// Bytes handed to the writer since the last look, and after how many the next one is due.
    written: AtomicU64,
    pace: AtomicU64,
    known: Mutex<Known>,
    told: watch::Sender<Space>,
}

#[derive(Debug, Default)]
struct Known {
    space: Space,
    lines: Option<Thresholds>,
    failure: Option<Failure>,
    /// When a write failed last, and how many before it that the free space did not explain.
    failed_at: Option<Instant>,
    in_a_row: u32,
    /// The ballast is not tried again before this.
    ballast_at: Option<Instant>,
}

/// A failed write.
#[derive(Debug)]
struct Failure {
    /// The file was opened again since.
    healed: bool,
    /// Nothing is written before this.
    until: Instant,
}

impl DiskSpace {
    /// Of a disk that `measure` asks; without it only failures count.
    pub fn new(measure: Option<Measure>, reserve_mb: u32, ballast: Option<Ballast>) -> Self {
        if let Some(Err(e)) = ballast.as_ref().map(Ballast::distrust) {
            tracing::warn!(error = %e, "the ballast file beside the database could not be checked");
        }
        let this = Self {
            measure,
            reserve_mb,
            ballast,
            state: AtomicU8::new(StorageState::Ok as u8),
            written: AtomicU64::new(0),
            pace: AtomicU64::new(u64::MAX),
            known: Mutex::default(),
            told: watch::Sender::default(),
        };
        this.look();
        this
    }

    /// What can be written.
    pub fn state(&self) -> StorageState {
        match self.state.load(Ordering::Relaxed) {
            0 => StorageState::Ok,
            1 => StorageState::Low,
            _ => StorageState::Full,
        }
    }

    /// As it was seen last.
    pub fn now(&self) -> Space {
        self.known().space
    }

    /// Called on each change of the state.
    pub fn changes(&self) -> watch::Receiver<Space> {
        self.told.subscribe()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // every step leaves it whole
        self.known.lock()
    }

    /// Called before this many bytes are written: reads the free space if due. Returns whether a failure prevents writing.
    pub fn before(&self, bytes: usize) -> bool {
        let written = self.written.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        if written >= self.pace.load(Ordering::Relaxed) {
            // otherwise another thread is reading it
            if let Some(mut known) = self.known.try_lock() {
                self.settle(&mut known, false);
            }
        }
        self.state() == StorageState::Full && self.known().failure.is_some()
    }

    /// Reads the free space and updates the state.
    pub fn look(&self) -> Space {
        let mut known = self.known();
        self.settle(&mut known, false);
        known.space
    }

    /// Reads the free space, and creates the ballast if it is missing and fits.
    pub fn keep(&self) -> Space {
        let mut known = self.known();
        self.settle(&mut known, true);
        known.space
    }

    /// A write failed: nothing more is written until [`DiskSpace::healed`] and there is space.
    pub fn failed(&self, why: &str) {
        let mut known = self.known();
        let now = Instant::now();
        let close = known.failed_at.replace(now).is_some_and(|at| now - at < TROUBLE);
        known.in_a_row = if close { known.in_a_row + 1 } else { 0 };
        let pause = if close { PAUSE * (1 << known.in_a_row.min(DOUBLINGS)) } else { Duration::ZERO };
        known.failure = Some(Failure { healed: false, until: now + pause });
        // the log should show the actual free space
        self.settle(&mut known, false);
        self.enter(&mut known, StorageState::Full, why);
    }

    /// The file is open again.
    pub fn healed(&self) -> Space {
        if let Some(failure) = &mut self.known().failure {
            failure.healed = true;
        }
        self.look()
    }

    /// Gives the ballast up, so that the database can be opened.
    pub fn give_up_ballast(&self) {
        if let Some(Err(e)) = self.ballast.as_ref().map(Ballast::give_up) {
            tracing::error!(error = %e, "the ballast file beside the database could not be removed");
        }
    }

    fn settle(&self, known: &mut Known, make: bool) {
        self.written.store(0, Ordering::Relaxed);
        let room = self.measure.as_ref().map(Measure::now);
        let (mut missing, mut found) = (false, None);
        match room {
            Some(Ok(capacity)) => {
                let lines = Thresholds::of(capacity.total, self.reserve_mb);
                missing = self.ballast.as_ref().is_some_and(|b| !b.is_there(lines.ballast));
                let free = capacity.free.saturating_sub(if missing { lines.ballast } else { 0 });
                self.pace.store((lines.least / SHARE).max(1), Ordering::Relaxed);
                known.space = Space { total: capacity.total, free, reserve: lines.reserve, ..known.space };
                (known.lines, found) = (Some(lines), Some(lines.state(known.space.state, free)));
            }
            // as it was seen last, until it can be seen again
            Some(Err(e)) => tracing::debug!(error = %e, "the free space of the disk could not be read"),
            None => {}
        }
        let state = found.unwrap_or(if self.measure.is_some() { known.space.state } else { StorageState::Ok });
        let now = Instant::now();
        if let Some(failure) = &known.failure {
            if !failure.healed {
                return;
            }
            if state == StorageState::Full && self.measure.is_some() {
                // no riddle: the disk is full
                known.in_a_row = 0;
                known.failure = Some(Failure { healed: true, until: now });
                return;
            }
            if now < failure.until || self.make_ballast(known).is_err() {
                return;
            }
            known.failure = None;
        } else if make
            && missing
            && state != StorageState::Full
            && known.ballast_at.is_none_or(|at| now >= at)
            && let Err(e) = self.make_ballast(known)
        {
            tracing::warn!(error = %e, "the ballast file beside the database could not be created");
            known.ballast_at = Some(now + TROUBLE);
        }
        self.enter(known, state, "");
    }

    fn make_ballast(&self, known: &Known) -> std::io::Result<()> {
        match (&self.ballast, known.lines) {
            (Some(ballast), Some(lines)) => ballast.make(lines.ballast),
            _ => Ok(()),
        }
    }

    /// Reports it once, if it is a change.
    fn enter(&self, known: &mut Known, state: StorageState, why: &str) {
        if known.space.state == state {
            return;
        }
        known.space.state = state;
        self.state.store(state as u8, Ordering::Relaxed);
        let (free_mb, reserve_mb) = (known.space.free >> 20, known.space.reserve >> 20);
        match state {
            StorageState::Ok => tracing::info!(free_mb, reserve_mb, "storage: everything is stored again"),
            StorageState::Low => tracing::warn!(
                free_mb,
                reserve_mb,
                "storage: the disk is almost full, visitors' messages are refused; free some space"
            ),
            StorageState::Full => tracing::error!(
                free_mb,
                reserve_mb,
                why,
                "storage: nothing can be stored, everything that writes is refused; free some space"
            ),
        }
        self.told.send_replace(known.space);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::AtomicU64};

    use super::*;
    use crate::space::Capacity;

    const MIB: u64 = 1024 * 1024;

    /// A disk of 4 GiB whose free space a test sets, MiB.
    fn disk() -> (Arc<AtomicU64>, Measure) {
        let free = Arc::new(AtomicU64::new(2_000));
        let asked = free.clone();
        let measure =
            Measure::by(move || Ok(Capacity { total: 4096 * MIB, free: asked.load(Ordering::Relaxed) * MIB }));
        (free, measure)
    }

    #[test]
    fn it_is_looked_at_after_so_many_bytes_and_not_before() {
        let (free, measure) = disk();
        let space = DiskSpace::new(Some(measure), 0, None);
        free.store(10, Ordering::Relaxed);
        let pace = 64 * MIB / SHARE;
        assert!(!space.before(pace as usize - 1));
        assert_eq!(space.state(), StorageState::Ok);
        assert!(!space.before(1), "what is under way has its room");
        assert_eq!(space.state(), StorageState::Full);
    }

    #[test]
    fn a_failure_stays_until_the_file_is_open_and_there_is_room() {
        let (free, measure) = disk();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ballast");
        let space = DiskSpace::new(Some(measure), 1, Some(Ballast::at(path.clone())));
        let mut changes = space.changes();
        assert!(!path.exists(), "a look changes nothing");
        space.keep();
        assert!(path.exists());
        free.store(0, Ordering::Relaxed);
        space.failed("No space left on device");
        space.give_up_ballast();
        assert!(space.before(1) && changes.has_changed().unwrap());
        free.store(2_000, Ordering::Relaxed);
        assert_eq!(space.look().state, StorageState::Full, "not open yet");
        free.store(0, Ordering::Relaxed);
        assert_eq!(space.healed().state, StorageState::Full, "no room yet");
        assert!(!path.exists());
        free.store(2_000, Ordering::Relaxed);
        assert_eq!(space.look().state, StorageState::Ok);
        assert!(path.exists() && !space.before(1));
        assert_eq!(changes.borrow_and_update().state, StorageState::Ok);
    }

    #[test]
    fn a_disk_that_fails_with_plenty_of_room_is_tried_again_more_and_more_rarely() {
        let (_free, measure) = disk();
        let space = DiskSpace::new(Some(measure), 0, None);
        space.failed("Input/output error");
        assert_eq!(space.healed().state, StorageState::Ok, "once is no pattern");
        space.failed("Input/output error");
        assert_eq!(space.healed().state, StorageState::Full, "twice is");
        let known = space.known();
        assert!(known.failure.as_ref().unwrap().until > Instant::now() && known.in_a_row == 1);
    }
}
