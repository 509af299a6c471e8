//! What a server remembers of a bucket: uploads that passed through it, lengths of what it reads, and how much there is.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use kefu_proto::Kid;
use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

use crate::{BlobId, Progress, known::Known};

/// Number of locks that uploads share.
const LOCKS: usize = 64;
/// An upload that nobody went on with here is forgotten after this: it may have gone on at another server.
const FORGOTTEN: Duration = Duration::from_hours(1);
/// How often they are looked for.
const CLEARING: Duration = Duration::from_mins(1);
/// Lengths that are remembered.
const LENGTHS: usize = 1_000;

/// All of it.
pub struct Memory {
    uploads: Mutex<Known>,
    /// When the old ones were forgotten last.
    cleared: Mutex<Instant>,
    /// Who works on an upload has the lock of its id.
    locks: [Arc<tokio::sync::Mutex<()>>; LOCKS],
    /// Of `uploads`, to be asked without its lock.
    waiting: AtomicUsize,
    /// Of posted blobs, which never change.
    lengths: Mutex<HashMap<BlobId, u64>>,
    count: AtomicU64,
    bytes: AtomicU64,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            uploads: Mutex::default(),
            cleared: Mutex::new(Instant::now()),
            locks: std::array::from_fn(|_| Arc::default()),
            waiting: AtomicUsize::new(0),
            lengths: Mutex::default(),
            count: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }
}

impl Memory {
    pub async fn lock(&self, id: BlobId) -> OwnedMutexGuard<()> {
        self.locks[usize::from(id.msg.0[0]) % LOCKS].clone().lock_owned().await
    }

    pub fn upload(&self, id: BlobId) -> Option<Progress> {
        self.uploads.lock().get(id).cloned()
    }

    pub fn uploads(&self) -> Vec<(BlobId, Progress)> {
        self.uploads.lock().iter().map(|(id, progress)| (id, progress.clone())).collect()
    }

    pub fn begun_by(&self, sender: Kid) -> usize {
        self.uploads.lock().of(sender)
    }

    pub fn missing(&self) -> u64 {
        self.uploads.lock().missing()
    }

    pub fn any(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    /// What was seen of an upload. That its message is stored stays known.
    pub fn learn(&self, id: BlobId, mut progress: Progress) -> Progress {
        let mut uploads = self.uploads.lock();
        let mut cleared = self.cleared.lock();
        if cleared.elapsed() >= CLEARING {
            *cleared = Instant::now();
            uploads.forget_older(FORGOTTEN);
        }
        progress.posted |= uploads.get(id).is_some_and(|known| known.posted);
        uploads.insert(id, progress.clone());
        self.waiting.store(uploads.len(), Ordering::Release);
        progress
    }

    pub fn forget(&self, id: BlobId) {
        let mut uploads = self.uploads.lock();
        uploads.remove(id);
        self.waiting.store(uploads.len(), Ordering::Release);
    }

    pub fn mark_posted(&self, id: BlobId) {
        self.uploads.lock().change(id, |progress| progress.posted |= progress.is_whole());
    }

    pub fn length(&self, id: BlobId) -> Option<u64> {
        self.lengths.lock().get(&id).copied()
    }

    pub fn learn_length(&self, id: BlobId, length: u64) {
        let mut lengths = self.lengths.lock();
        if lengths.len() >= LENGTHS {
            lengths.clear();
        }
        lengths.insert(id, length);
    }

    pub fn forget_length(&self, id: BlobId) {
        self.lengths.lock().remove(&id);
    }

    /// One more.
    pub fn counted(&self, bytes: u64) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// One less.
    pub fn uncounted(&self, bytes: u64) {
        let down = |counter: &AtomicU64, by: u64| {
            // never below zero: what was there before may not be counted yet
            let _ = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| Some(n.saturating_sub(by)));
        };
        down(&self.count, 1);
        down(&self.bytes, bytes);
    }

    /// So much there is, and what came since `then` (some of it twice, until the next count).
    pub fn set_usage(&self, (count, bytes): (u64, u64), then: (u64, u64)) {
        let now = self.usage();
        self.count.store(count + now.0.saturating_sub(then.0), Ordering::Relaxed);
        self.bytes.store(bytes + now.1.saturating_sub(then.1), Ordering::Relaxed);
    }

    pub fn usage(&self) -> (u64, u64) {
        (self.count.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}
