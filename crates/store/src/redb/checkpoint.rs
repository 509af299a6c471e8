//! The thread that brings what is in the log to the database, in large transactions, while others read and write.
//!
//! A checkpoint begins when enough is in memory, or after a while. The layer of memory is frozen, written in one
//! transaction that also says up to which group the database now contains the log, and only when that is on disk the files
//! of the log are free and memory is released. If it is cut short it is done again, which changes nothing.
//!
//! The database belongs to this thread: when the disk fails under it, `heal.rs` opens it again here.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Checkpoint, Shared,
    layer::Layer,
    open::Opener,
    queue::Queue,
    settle::settle,
    signals::{End, Task},
    tables::{self, map_db_error},
    wal::Files,
};
use crate::{Observer, StoreError};

/// The thread's side of the store.
pub(super) struct Checkpointer {
    pub shared: Arc<Shared>,
    pub queue: Arc<Queue>,
    pub files: Arc<Files>,
    /// Opens the database again.
    pub opener: Opener,
    /// When it was opened again last.
    pub opened: Option<Instant>,
    /// The last group in the database.
    pub settled: u64,
    /// Bytes in memory that are enough for a checkpoint.
    pub bytes: usize,
    /// What is in memory longer than this is written, however little it is.
    pub after: Duration,
    pub observer: Option<Observer<Checkpoint>>,
}

impl Checkpointer {
    /// Works until the store ends.
    pub fn run(&mut self) {
        self.files.prepare();
        loop {
            let goes_on = match self.shared.signals.next(self.after) {
                Task::End(End::Settled) => return self.complete(),
                Task::End(End::Now) => return,
                Task::Heal => self.heal(None, self.settled).is_some(),
                Task::Checkpoint { even_little } => !(even_little || self.is_due()) || self.checkpoint(),
            };
            if !goes_on {
                return;
            }
        }
    }

    fn is_due(&self) -> bool {
        let (bytes, age) = self.shared.view.memtable.waiting();
        bytes >= self.bytes || age >= self.after
    }

    /// Writes what is in memory. False: the thread must end.
    fn checkpoint(&mut self) -> bool {
        let Some((layer, last)) = self.shared.view.memtable.freeze() else { return true };
        let started = Instant::now();
        loop {
            match self.write(&layer, last, false) {
                Ok(()) => break,
                Err(StoreError::Io(e)) => match self.heal(Some(&e), last) {
                    Some(settled) if settled == last => break,
                    Some(_) => {}
                    None => return false,
                },
                Err(e) => {
                    self.fail(e);
                    return false;
                }
            }
        }
        self.settled = last;
        self.shared.view.memtable.settled();
        self.files.release(last);
        self.shared.settled.send_replace(last);
        if let Some(observer) = &self.observer {
            observer.saw(Checkpoint { bytes: layer.bytes(), took: started.elapsed() });
        }
        self.files.prepare();
        true
    }

    fn write(&self, layer: &Layer, last: u64, complete: bool) -> Result<(), StoreError> {
        let db = self.shared.view.current.database()?;
        // durability is Immediate by default; nothing less is ever used
        let mut txn = db.begin_write().map_err(map_db_error)?;
        // the state of the file's pages is saved, too, so that a start after a kill need not read the whole file
        txn.set_quick_repair(true);
        settle(&txn, layer)?;
        tables::note_settled(&txn, last, complete)?;
        txn.commit().map_err(map_db_error)
    }

    /// Writes everything and notes that the log is no longer needed.
    fn complete(&mut self) {
        let memtable = &self.shared.view.memtable;
        let (layer, last) = memtable.freeze().unwrap_or_else(|| (Arc::default(), self.settled));
        match self.write(&layer, last, true) {
            Ok(()) => {
                memtable.settled();
                self.files.release(last);
            }
            // nobody waits for it, and the log still contains everything
            Err(StoreError::Io(e)) => {
                tracing::warn!(error = %e, "storage: the log stays as it is until the next start");
            }
            Err(e) => self.shared.fail(e),
        }
    }

    /// The store must end.
    pub(super) fn fail(&self, e: StoreError) {
        self.shared.fail(e);
        self.queue.close();
    }
}
