//! The way to the writer: a bounded queue between many tasks and one thread. Nothing here spawns or ticks.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::{Batch, Reply, StoreError, check};

/// Maximum number of batches in one group.
const GROUP: usize = 1_024;
/// Maximum number of bytes in one group (a single larger batch goes alone).
const GROUP_BYTES: usize = 1024 * 1024;
/// Maximum number of bytes that wait, whatever the number of batches.
const QUEUE_BYTES: usize = 32 * 1024 * 1024;

/// A batch and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    /// The batch to write.
    pub batch: Batch,
    /// Where to send the result.
    pub reply: Reply,
    /// Whether it is written although batches are refused ([`super::RedbStore::hold`]).
    pub held: bool,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    bytes: usize,
    closed: bool,
    /// The writer sleeps on the condition variable.
    idle: bool,
}

/// The bounded queue of the writer.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    work: Condvar,
    room: Notify,
    /// Callers inside [`Queue::wait_for_capacity`].
    callers: AtomicUsize,
    limit: usize,
}

impl Queue {
    /// An empty queue for up to `limit` batches.
    pub fn new(limit: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            work: Condvar::new(),
            room: Notify::new(),
            callers: AtomicUsize::new(0),
            limit: limit.max(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // nothing panics while the lock is held, so the content is whole in any case
        self.waiting.lock()
    }

    /// Adds a batch, or gives it back.
    pub fn push(&self, batch: Batch, reply: Reply) -> Result<(), (StoreError, Batch, Reply)> {
        self.add(batch, reply, false)
    }

    /// The same for a batch that is written although others are refused.
    pub fn push_held(&self, batch: Batch, reply: Reply) -> Result<(), (StoreError, Batch, Reply)> {
        self.add(batch, reply, true)
    }

    fn add(&self, batch: Batch, reply: Reply, held: bool) -> Result<(), (StoreError, Batch, Reply)> {
        let bytes = check::weight(&batch);
        let mut waiting = self.lock();
        if waiting.closed {
            return Err((StoreError::Closed, batch, reply));
        }
        if !waiting.has_room(self.limit) {
            return Err((StoreError::Busy, batch, reply));
        }
        waiting.jobs.push_back(Job { batch, reply, held, bytes });
        waiting.bytes += bytes;
        if std::mem::take(&mut waiting.idle) {
            self.work.notify_one();
        }
        Ok(())
    }

    /// Waits for space, in the order of arrival, or for the end.
    pub async fn wait_for_capacity(&self) {
        self.callers.fetch_add(1, Ordering::SeqCst);
        let _gone = Gone(&self.callers);
        let notified = self.room.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        {
            let waiting = self.lock();
            if waiting.closed || waiting.has_room(self.limit) {
                return;
            }
        }
        notified.await;
    }

    /// The next group of batches and their bytes, as soon as there is one; none when the queue was closed and is empty.
    pub fn take(&self) -> Option<(Vec<Job>, usize)> {
        let mut waiting = self.lock();
        while waiting.jobs.is_empty() {
            if waiting.closed {
                return None;
            }
            // callers that were woken for a place may have left without taking it; let the others look again
            self.room.notify_waiters();
            waiting.idle = true;
            self.work.wait(&mut waiting);
        }
        let (mut group, mut bytes) = (Vec::with_capacity(waiting.jobs.len().min(GROUP)), 0);
        while group.len() < GROUP {
            let Some(job) = waiting.jobs.pop_front_if(|job| bytes == 0 || bytes + job.bytes <= GROUP_BYTES) else {
                break;
            };
            bytes += job.bytes;
            group.push(job);
        }
        waiting.bytes -= bytes;
        drop(waiting);
        for _ in 0..group.len().min(self.callers.load(Ordering::SeqCst)) {
            self.room.notify_one();
        }
        Some((group, bytes))
    }

    /// Gives out everything that waits; more may come.
    pub fn drain(&self) -> Vec<Job> {
        let mut waiting = self.lock();
        waiting.bytes = 0;
        let jobs = waiting.jobs.drain(..).collect();
        drop(waiting);
        self.room.notify_waiters();
        jobs
    }

    /// Whether it takes no more batches.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits this long, or until the queue is closed: returns whether it is.
    pub fn closed_within(&self, pause: Duration) -> bool {
        let mut waiting = self.lock();
        self.work.wait_while_for(&mut waiting, |waiting| !waiting.closed, pause);
        waiting.closed
    }

    /// No more batches; what waits can still be taken.
    pub fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.idle = false;
        drop(waiting);
        self.work.notify_all();
        self.room.notify_waiters();
    }

    /// Closes and gives out everything that waits.
    pub fn close_and_drain(&self) -> Vec<Job> {
        self.close();
        self.drain()
    }
}

impl Waiting {
    fn has_room(&self, limit: usize) -> bool {
        self.jobs.len() < limit && self.bytes < QUEUE_BYTES
    }
}

/// Counts a caller out, also when its future is dropped.
struct Gone<'a>(&'a AtomicUsize);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
