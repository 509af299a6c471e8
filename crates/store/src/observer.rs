//! What a store reports about its work to those who count.

use std::{fmt, sync::Arc, time::Duration};

/// What one write of a group of batches was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GroupCommit {
    /// Batches in it.
    pub batches: usize,
    /// Records it appended.
    pub records: usize,
    /// From taking the batches until they were safe.
    pub took: Duration,
}

/// Called by whoever did something, when it is safe; must be quick and must not submit.
#[derive(Clone)]
pub struct Observer<T>(Arc<dyn Fn(T) + Send + Sync>);

impl<T> Observer<T> {
    /// Calls this.
    pub fn new(observe: impl Fn(T) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    pub(crate) fn saw(&self, what: T) {
        (self.0)(what);
    }
}

impl<T> fmt::Debug for Observer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
