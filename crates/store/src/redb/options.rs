//! How a store is opened, and what it reports about its work.

use std::{fmt, time::Duration};

use crate::{GroupCommit, Observer, space::Measure};

/// What one checkpoint was: changes brought from the log to the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Bytes of the changes, about.
    pub bytes: usize,
    /// From its beginning until it was on disk.
    pub took: Duration,
}

/// How to open a [`super::RedbStore`].
#[derive(Clone)]
pub struct Options {
    /// Memory for pages of the database, in bytes.
    pub cache_bytes: usize,
    /// Maximum number of batches that wait for the writer.
    pub queue: usize,
    /// Bytes of changes, about, after which they are brought to the database.
    pub checkpoint_bytes: usize,
    /// Changes are brought to the database after this time, however few they are.
    pub checkpoint_after: Duration,
    /// Bytes of a file of the log.
    pub segment_bytes: usize,
    /// Maximum number of files of the log, at least 2. When all are full, writing waits for a checkpoint.
    pub segments: u32,
    /// Sees each write to the log.
    pub observer: Option<Observer<GroupCommit>>,
    /// Sees each checkpoint.
    pub checkpoints: Option<Observer<Checkpoint>>,
    /// Reads the free disk space. None: it is not monitored, and only a failed write shows a full disk.
    pub measure: Option<Measure>,
    /// What must stay free on the disk, MiB; 0: by its size (see [`crate::space::Thresholds::of`]).
    pub reserve_mb: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * 1024 * 1024,
            queue: 4_096,
            checkpoint_bytes: 8 * 1024 * 1024,
            checkpoint_after: Duration::from_mins(1),
            segment_bytes: 8 * 1024 * 1024,
            segments: 4,
            observer: None,
            checkpoints: None,
            measure: None,
            reserve_mb: 0,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("cache_bytes", &self.cache_bytes)
            .field("queue", &self.queue)
            .field("checkpoint_bytes", &self.checkpoint_bytes)
            .field("checkpoint_after", &self.checkpoint_after)
            .field("segment_bytes", &self.segment_bytes)
            .field("segments", &self.segments)
            .field("measure", &self.measure)
            .field("reserve_mb", &self.reserve_mb)
            .finish_non_exhaustive()
    }
}
