//! What is known of uploads, and counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use parking_lot::Mutex;

use crate::{BlobId, Progress, known::Known, layout::Layout};

/// Number of locks that uploads share.
const LOCKS: usize = 64;

pub struct State {
    pub layout: Layout,
    pub uploads: Mutex<Known>,
    /// Who works on an upload has the lock of its id.
    locks: [Arc<tokio::sync::Mutex<()>>; LOCKS],
    /// Of `uploads`, to be asked without its lock.
    waiting: AtomicUsize,
    count: AtomicU64,
    bytes: AtomicU64,
}

impl State {
    pub fn new(layout: Layout) -> Self {
        let locks = std::array::from_fn(|_| Arc::default());
        let (waiting, count, bytes) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { layout, uploads: Mutex::default(), locks, waiting, count, bytes }
    }

    /// The lock of whoever works on an upload.
    pub fn lock_of(&self, id: BlobId) -> Arc<tokio::sync::Mutex<()>> {
        self.locks[usize::from(id.msg.0[0]) % LOCKS].clone()
    }

    pub fn any_upload(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    /// Number and bytes of all blobs.
    pub fn usage(&self) -> (u64, u64) {
        (self.count.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    pub fn progress(&self, id: BlobId) -> Option<Progress> {
        self.uploads.lock().get(id).cloned()
    }

    pub fn insert(&self, id: BlobId, progress: Progress) {
        let mut uploads = self.uploads.lock();
        uploads.insert(id, progress);
        self.waiting.store(uploads.len(), Ordering::Release);
    }

    pub fn forget(&self, id: BlobId) {
        let mut uploads = self.uploads.lock();
        uploads.remove(id);
        self.waiting.store(uploads.len(), Ordering::Release);
    }

    pub fn change(&self, id: BlobId, change: impl FnOnce(&mut Progress)) {
        self.uploads.lock().change(id, change);
    }

    pub fn counted(&self, bytes: u64) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn uncounted(&self, bytes: u64) {
        let down = |counter: &AtomicU64, by: u64| {
            // never below zero: what was there before may not be counted yet
            let _ = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| Some(n.saturating_sub(by)));
        };
        down(&self.count, 1);
        down(&self.bytes, bytes);
    }
}
