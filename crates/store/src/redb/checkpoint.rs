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

use parking_lot::{Condvar, Mutex};

use super::{
    Checkpoint, Observer, Shared, layer::Layer, open::Opener, queue::Queue, settle::settle, tables,
    tables::map_db_error, wal::Files,
};
use crate::StoreError;

/// How the thread is told what to do.
#[derive(Debug, Default)]
pub(super) struct Signals {
    state: Mutex<Wanted>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Wanted {
    /// Enough is in memory.
    enough: bool,
    /// The writer waits for a file of the log.
    full: bool,
    /// A read of the database failed.
    suspect: bool,
    end: Option<End>,
}

/// How the thread ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The writer has ended properly: what is in memory is written before.
    Settled,
    /// At once.
    Now,
}

/// What to do next.
enum Task {
    Checkpoint {
        /// Also if little is in memory, and not for long.
        even_little: bool,
    },
    Heal,
    End(End),
}

impl Signals {
    fn tell(&self, change: impl FnOnce(&mut Wanted)) {
        change(&mut self.state.lock());
        self.changed.notify_all();
    }

    /// Enough is in memory.
    pub fn enough(&self) {
        self.tell(|wanted| wanted.enough = true);
    }

    /// The writer waits for a file of the log.
    pub fn full(&self) {
        self.tell(|wanted| wanted.full = true);
    }

    /// A read of the database failed.
    pub fn suspect(&self) {
        self.tell(|wanted| wanted.suspect = true);
    }

    /// The thread must end.
    pub fn end(&self, how: End) {
        self.tell(|wanted| wanted.end = Some(how));
    }

    /// Waits this long, or until the thread must end: returns whether it must.
    pub fn ended_within(&self, pause: Duration) -> bool {
        let mut wanted = self.state.lock();
        self.changed.wait_while_for(&mut wanted, |wanted| wanted.end.is_none(), pause);
        wanted.end.is_some()
    }

    /// What is open again is no longer suspected.
    pub fn trust(&self) {
        self.state.lock().suspect = false;
    }

    fn next(&self, pause: Duration) -> Task {
        let mut wanted = self.state.lock();
        let nothing = |wanted: &mut Wanted| !wanted.enough && !wanted.full && !wanted.suspect && wanted.end.is_none();
        self.changed.wait_while_for(&mut wanted, nothing, pause);
        if let Some(end) = wanted.end {
            Task::End(end)
        } else if std::mem::take(&mut wanted.suspect) {
            Task::Heal
        } else {
            wanted.enough = false;
            Task::Checkpoint { even_little: std::mem::take(&mut wanted.full) }
        }
    }
}

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
            observer(Checkpoint { bytes: layer.bytes(), took: started.elapsed() });
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
