//! The store on a disk, with a log and redb: the default.
//!
//! What is acknowledged is in the log (`wal/`); it comes to the database later, in large transactions (`checkpoint.rs`), and
//! is in memory until then (`memtable.rs`, `layer.rs`). Here: opening, closing, and the handle. `queue.rs` leads to
//! `writer.rs`, the one thread that takes batches; `apply.rs` is one batch, `conv_cache.rs` what the writer remembers,
//! `read.rs` all reads. `tables.rs` is the catalogue of the database, `settle.rs` brings a layer there, `migrate.rs` has the
//! schema version, `interface.rs` what the handle does for those who hold it. When the disk fails, `heal.rs` opens the database again, `current.rs` lets readers wait for it,
//! `disk_space.rs` decides what can be written, and `ballast.rs` is the space that is released for it.
//!
//! For backups, `dump.rs` reads a whole database and `load.rs` writes one; for moves, `changes.rs` knows what changed meanwhile, and
//! `patch.rs` writes that over a copy. `verify.rs` checks that what is stored makes sense,
//! and `integrity.rs` the structure of a closed file.

mod apply;
mod ballast;
mod blocks;
mod changes;
mod checkpoint;
mod conv_cache;
mod current;
mod disk_space;
mod dump;
mod heal;
mod ids;
mod integrity;
mod interface;
mod layer;
mod load;
mod memtable;
mod migrate;
mod open;
mod options;
mod patch;
mod queue;
mod read;
mod settle;
mod signals;
mod tables;
mod verify;
pub mod wal;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
};

use ::redb::{Database, StorageBackend};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use self::{
    ballast::Ballast,
    changes::Changes,
    checkpoint::Checkpointer,
    conv_cache::ConvCache,
    current::Current,
    disk_space::DiskSpace,
    memtable::Memtable,
    open::Opener,
    queue::Queue,
    read::View,
    signals::{End, Signals},
    wal::{files::LogFiles, segment::StoreId},
    writer::Writer,
};
pub(crate) use self::{dump::Dumped, load::record_of};
pub use self::{
    dump::{CHANGED, DumpError, Snapshot},
    integrity::check_integrity,
    load::{DumpCheck, Loader},
    memtable::Unsettled,
    options::{Checkpoint, Options},
    patch::{Incoming, Patch},
    verify::{Fault, Totals},
};
use super::{Feed, StoreError, check, draw, space::Space};
use kefu_proto::Generation;

/// The store in a database file and its log.
#[derive(Debug)]
pub struct RedbStore {
    queue: Arc<Queue>,
    shared: Arc<Shared>,
    /// None for a store without files.
    path: Option<PathBuf>,
    generation: Generation,
    ended: watch::Receiver<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the handle and the threads hold together.
#[derive(Debug)]
struct Shared {
    view: View,
    signals: Arc<Signals>,
    failure: Mutex<Option<StoreError>>,
    space: DiskSpace,
    changes: Changes,
    store: StoreId,
    /// The last group in the database.
    settled: watch::Sender<u64>,
}

impl RedbStore {
    /// Opens the database and its log, or makes new ones (mode 0600). That takes milliseconds however many messages there are,
    /// also after a crash. If there is no space to open them, the ballast is released.
    ///
    /// Errors: [`StoreError::InUse`], [`StoreError::Corrupt`], [`StoreError::TooNew`]; anything else (permissions, a
    /// directory that isn't there) is [`StoreError::Io`] and names the path.
    pub fn open(path: &Path, options: Options) -> Result<(Arc<Self>, Feed), StoreError> {
        let ballast = options.measure.is_some().then(|| Ballast::at(migrate::beside(path, ".ballast")));
        let space = DiskSpace::new(options.measure.clone(), options.reserve_mb, ballast);
        let open = || {
            let db = open::file(path, &options, &migrate::SCHEMA)?;
            let log = open::log(open::log_directory(path)?, &db, &options).map_err(|e| open::about(path, e))?;
            Ok((db, log))
        };
        let (db, log) = match open() {
            Err(StoreError::Io(e)) => {
                tracing::warn!(error = %e, "storage: the database cannot be opened yet; trying again");
                space.give_up_ballast();
                open()?
            }
            opened => opened?,
        };
        let (file, how) = (path.to_owned(), options.clone());
        let opener = Box::new(move || open::again(&file, &how, &migrate::SCHEMA));
        Self::start(db, log, Some(path.to_owned()), options, space, opener)
    }

    /// Opens a store on something else than files: for tests of faults. A clone of the backend is opened again after one.
    pub fn open_with_backend(
        backend: impl StorageBackend + Clone,
        log: Box<dyn LogFiles>,
        options: Options,
    ) -> Result<(Arc<Self>, Feed), StoreError> {
        let space = DiskSpace::new(options.measure.clone(), options.reserve_mb, None);
        let db = open::backend(backend.clone(), &options, &migrate::SCHEMA)?;
        let log = open::log(log, &db, &options)?;
        let how = options.clone();
        let opener = Box::new(move || open::backend(backend.clone(), &how, &migrate::SCHEMA));
        Self::start(db, log, None, options, space, opener)
    }

    fn start(
        db: Database,
        (wal, replayed, partner): open::Log,
        path: Option<PathBuf>,
        options: Options,
        space: DiskSpace,
        opener: Opener,
    ) -> Result<(Arc<Self>, Feed), StoreError> {
        let queue = Arc::new(Queue::new(options.queue));
        let (feed, rx) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(false);
        let signals = Arc::new(Signals::default());
        if replayed.bytes() >= options.checkpoint_bytes {
            signals.enough();
        }
        let view =
            View { memtable: Memtable::new(replayed, wal.last()), current: Current::new(db, Arc::clone(&signals)) };
        let (store, settled) = (partner.store, watch::Sender::new(partner.settled));
        let (failure, changes) = (Mutex::new(None), Changes::default());
        let shared = Arc::new(Shared { view, signals, failure, space, changes, store, settled });
        let checkpointer = Checkpointer {
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            files: wal.files(),
            opener,
            opened: None,
            settled: partner.settled,
            bytes: options.checkpoint_bytes,
            after: options.checkpoint_after,
            observer: options.checkpoints,
        };
        let writer = Writer {
            wal,
            cache: ConvCache::new(),
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            feed,
            observer: options.observer,
            checkpoint_bytes: options.checkpoint_bytes,
            bytes: Vec::new(),
            clock: check::CommitClock::default(),
        };
        let mut guard = CheckpointerGuard(checkpointer);
        let checkpoints = spawn("kefu-checkpoint", move || guard.0.run())?;
        let mut guard = WriterGuard {
            writer: Some(writer),
            checkpoints: Some(checkpoints),
            how: End::Now,
            queue: Arc::clone(&queue),
            shared: Arc::clone(&shared),
            end,
        };
        let thread = spawn("kefu-store", move || guard.run())?;
        Ok((Arc::new(Self { queue, shared, path, generation: draw(), ended, thread: Mutex::new(Some(thread)) }), rx))
    }

    /// Why the store stopped by itself, if it did: damaged data or a bug. A disk that is full or fails does not stop it.
    pub fn failure(&self) -> Option<StoreError> {
        self.shared.failure()
    }

    /// How much is in the log and not in the database yet.
    pub fn unsettled(&self) -> Unsettled {
        self.shared.view.memtable.unsettled()
    }

    /// Brings everything that is acknowledged by now to the database, and waits until it is there.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let wanted = self.shared.view.memtable.last();
        let mut settled = self.shared.settled.subscribe();
        let mut ended = self.ended.clone();
        self.shared.signals.full();
        let reached = async move { settled.wait_for(|settled| *settled >= wanted).await.map(drop) };
        tokio::select! {
            biased;
            _ = ended.wait_for(|ended| *ended) => Err(self.failure().unwrap_or(StoreError::Closed)),
            // an error means that the sender is gone, and the sender is ours
            reached = reached => reached.map_err(|_| StoreError::Closed),
        }
    }

    /// The free disk space, as last read.
    pub fn disk(&self) -> Space {
        self.shared.space.now()
    }

    /// Reads the free disk space, and creates the ballast if it is missing and fits. To be called periodically: a
    /// disk that filled up, or has space again, is noticed without a write.
    pub fn look_at_disk(&self) -> Space {
        self.shared.space.keep()
    }

    /// Releases the ballast, for a caller who needs the space to start.
    pub fn give_up_ballast(&self) {
        self.shared.space.give_up_ballast();
    }

    /// Called on each change of what can be written.
    pub fn disk_changes(&self) -> watch::Receiver<Space> {
        self.shared.space.changes()
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .map_err(|e| StoreError::Io(format!("cannot start the thread {name}: {e}")))
}

impl Shared {
    fn fail(&self, e: StoreError) {
        self.failure.lock().get_or_insert(e);
    }

    fn failure(&self) -> Option<StoreError> {
        self.failure.lock().clone()
    }

    /// What a thread leaves behind that panicked.
    fn fail_by_panic(&self) {
        if std::thread::panicking() {
            self.fail(StoreError::Corrupt(
                "a thread of the store stopped because of a bug or damaged data; see the log".into(),
            ));
        }
    }
}

/// Ends the store if the thread of checkpoints panics.
struct CheckpointerGuard(Checkpointer);

impl Drop for CheckpointerGuard {
    fn drop(&mut self) {
        self.0.shared.fail_by_panic();
        if std::thread::panicking() {
            self.0.queue.close();
        }
    }
}

/// The writer's belongings, and what it leaves behind however it ends: the reason, an ended feed, a closed queue, a
/// closed database.
struct WriterGuard {
    writer: Option<Writer>,
    checkpoints: Option<JoinHandle<()>>,
    how: End,
    queue: Arc<Queue>,
    shared: Arc<Shared>,
    end: watch::Sender<bool>,
}

impl WriterGuard {
    fn run(&mut self) {
        if self.writer.as_mut().is_some_and(Writer::run) {
            self.how = End::Settled;
        }
    }
}

impl Drop for WriterGuard {
    fn drop(&mut self) {
        self.shared.fail_by_panic();
        self.shared.signals.end(self.how);
        if let Some(thread) = self.checkpoints.take() {
            // a panic of the thread was noted in its guard
            drop(thread.join());
        }
        // with the writer its end of the feed goes, and the lock of the log
        drop(self.writer.take());
        // only after a panic is anything left; the senders learn it from their closed channels
        drop(self.queue.close_and_drain());
        self.shared.view.current.close();
        self.end.send_replace(true);
    }
}

impl Drop for RedbStore {
    /// Writes what waits and closes the file; waits for the disk and for nothing else.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.lock().take() {
            // a panic of the thread was noted in its guard
            drop(thread.join());
        }
    }
}
