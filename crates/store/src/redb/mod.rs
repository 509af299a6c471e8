//! The store in one file, with redb: the default.
//!
//! Here: opening, closing, and the handle. `tables.rs` is the catalogue, `queue.rs` leads to `writer.rs`, the one thread
//! that writes; `apply.rs` is one batch in its transaction, `conv_cache.rs` what the writer remembers, `journal.rs` what was
//! written lately, `mover.rs` how that comes to its place, `read.rs` all reads, `migrate.rs` the schema version. When the
//! disk fails, `heal.rs` opens the file again, `current.rs` lets readers wait for it, `disk_space.rs` decides what can be
//! written, and `ballast.rs` is the space that is released for it.

mod apply;
mod ballast;
mod conv_cache;
mod current;
mod disk_space;
mod heal;
mod journal;
mod migrate;
mod mover;
mod open;
mod queue;
mod read;
mod tables;
mod writer;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use ::redb::{Database, ReadTransaction, StorageBackend};
use futures_util::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use self::{
    ballast::Ballast,
    conv_cache::ConvCache,
    current::Current,
    disk_space::DiskSpace,
    journal::Journal,
    mover::Mover,
    queue::Queue,
    writer::{File, Opener, Writer},
};
use super::{
    Batch, Feed, Pair, Reply, RowAt, Store, StoreError, StoredRecord, Table, check, draw,
    space::{Measure, Space},
};
use kefu_proto::{ConvId, Generation, StorageState};

/// What one commit to disk was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskCommit {
    /// Batches in it.
    pub batches: usize,
    /// Records it appended.
    pub records: usize,
    /// From taking the batches to the end of the sync.
    pub took: Duration,
}

/// Called by the writer after each commit to disk; must be quick and must not submit.
pub type Observer = Arc<dyn Fn(DiskCommit) + Send + Sync>;

/// How to open a [`RedbStore`].
#[derive(Clone)]
pub struct Options {
    /// Memory for pages of the file, in bytes.
    pub cache_bytes: usize,
    /// Maximum number of batches that wait for the writer.
    pub queue: usize,
    /// Whether each commit also saves the state of the file's pages, for a second sync and up to a third of the throughput
    /// at 100 senders (the more senders, the less). Without it the first open after a crash reads the whole file.
    pub quick_repair: bool,
    /// Records that the journal gathers, in the file and in memory, before they are brought to their place in the table of
    /// all records (or 4 MiB of them, if that is less).
    pub journal: usize,
    /// Sees each commit.
    pub observer: Option<Observer>,
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
            quick_repair: true,
            journal: 8_192,
            observer: None,
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
            .field("quick_repair", &self.quick_repair)
            .field("journal", &self.journal)
            .field("observer", &self.observer.is_some())
            .field("measure", &self.measure)
            .field("reserve_mb", &self.reserve_mb)
            .finish()
    }
}

/// The store in one file.
#[derive(Debug)]
pub struct RedbStore {
    queue: Arc<Queue>,
    shared: Arc<Shared>,
    /// None for a store without a file.
    path: Option<PathBuf>,
    generation: Generation,
    ended: watch::Receiver<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the handle and the writer's thread both hold.
#[derive(Debug)]
struct Shared {
    current: Current,
    failure: Mutex<Option<StoreError>>,
    space: DiskSpace,
}

impl RedbStore {
    /// Opens the file, or makes a new one (mode 0600). That takes milliseconds however many messages it holds, also after
    /// a crash. If there is no space to open it, the ballast is released.
    ///
    /// Errors: [`StoreError::InUse`], [`StoreError::Corrupt`], [`StoreError::TooNew`]; anything else (permissions, a
    /// directory that isn't there) is [`StoreError::Io`] and names the path.
    pub fn open(path: &Path, options: Options) -> Result<(Arc<Self>, Feed), StoreError> {
        let ballast = options.measure.is_some().then(|| Ballast::at(migrate::beside(path, ".ballast")));
        let space = DiskSpace::new(options.measure.clone(), options.reserve_mb, ballast);
        let db = match open::file(path, &options, &migrate::SCHEMA) {
            Err(StoreError::Io(e)) => {
                tracing::warn!(error = %e, "storage: the database cannot be opened yet; trying again");
                space.give_up_ballast();
                open::file(path, &options, &migrate::SCHEMA)?
            }
            opened => opened?,
        };
        let (file, how) = (path.to_owned(), options.clone());
        let opener = Box::new(move || open::again(&file, &how, &migrate::SCHEMA));
        Self::start(db, Some(path.to_owned()), options, space, opener)
    }

    /// Opens a store on something else than a file: for tests of faults. A clone of it is opened again after one.
    pub fn open_with_backend(
        backend: impl StorageBackend + Clone,
        options: Options,
    ) -> Result<(Arc<Self>, Feed), StoreError> {
        let space = DiskSpace::new(options.measure.clone(), options.reserve_mb, None);
        let db = open::backend(backend.clone(), &options, &migrate::SCHEMA)?;
        let how = options.clone();
        let opener = Box::new(move || open::backend(backend.clone(), &how, &migrate::SCHEMA));
        Self::start(db, None, options, space, opener)
    }

    fn start(
        db: Database,
        path: Option<PathBuf>,
        options: Options,
        space: DiskSpace,
        opener: Opener,
    ) -> Result<(Arc<Self>, Feed), StoreError> {
        let (journal, held) = Journal::open(&db)?;
        let (db, journal) = (Arc::new(db), Arc::new(journal));
        let queue = Arc::new(Queue::new(options.queue));
        let (feed, rx) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(false);
        let current = Current::new(Arc::clone(&db), Arc::clone(&journal));
        let shared = Arc::new(Shared { current, failure: Mutex::new(None), space });
        let writer = Writer {
            file: File {
                db: Some(db),
                journal,
                cache: ConvCache::new(),
                mover: Mover::new(options.journal, held),
                last_group: held.last,
                bare: held.bare,
            },
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            feed,
            observer: options.observer,
            quick_repair: options.quick_repair,
            opener,
            opened: None,
            journal: options.journal,
            value: Vec::new(),
            clock: check::CommitClock::default(),
        };
        let mut last =
            WriterGuard { writer: Some(writer), queue: Arc::clone(&queue), shared: Arc::clone(&shared), end };
        let thread = std::thread::Builder::new()
            .name("kefu-store".into())
            .spawn(move || {
                if let Some(writer) = &mut last.writer {
                    writer.run();
                }
            })
            .map_err(|e| StoreError::Io(format!("cannot start the thread that writes: {e}")))?;
        Ok((Arc::new(Self { queue, shared, path, generation: draw(), ended, thread: Mutex::new(Some(thread)) }), rx))
    }

    /// Why the store stopped by itself, if it did: damaged data or a bug. A disk that is full or fails does not stop it.
    pub fn failure(&self) -> Option<StoreError> {
        self.shared.failure.lock().clone()
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

    /// Reads with one snapshot after the other until one agrees with the journal in memory: the first, unless a move ends
    /// just then, or the disk fails. Then it reads again, when the database is open again.
    fn read_with<T>(
        &self,
        read: impl Fn(&ReadTransaction, &Journal) -> Result<Option<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let (mut failed, mut again) = (None, true);
        loop {
            let snapshot = self.shared.current.snapshot(failed, || self.queue.suspect())?;
            match read(&snapshot.txn, &snapshot.journal) {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                Err(StoreError::Io(_) | StoreError::Closed) if std::mem::take(&mut again) => {
                    failed = Some(snapshot.number);
                }
                Err(e) => return Err(e),
            }
        }
    }
}

impl Shared {
    fn fail(&self, e: StoreError) {
        self.failure.lock().get_or_insert(e);
    }
}

/// The thread's belongings, and what it leaves behind however it ends: the reason, an ended feed, a closed queue, a
/// closed file.
struct WriterGuard {
    writer: Option<Writer>,
    queue: Arc<Queue>,
    shared: Arc<Shared>,
    end: watch::Sender<bool>,
}

impl Drop for WriterGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared
                .fail(StoreError::Corrupt("the writer stopped because of a bug or damaged data; see the log".into()));
        }
        drop(self.writer.take());
        // only after a panic is anything left; the senders learn it from their closed channels
        drop(self.queue.close_and_drain());
        // the writer's own reference is gone, so this closes the file
        self.shared.current.close();
        self.end.send_replace(true);
    }
}

impl Store for RedbStore {
    fn try_submit(&self, batch: Batch, reply: Reply) -> Result<(), (StoreError, Batch, Reply)> {
        if self.space() == StorageState::Full && !self.queue.is_closed() {
            return Err((StoreError::Unwritable, batch, reply));
        }
        self.queue.push(batch, reply)
    }

    fn wait_for_capacity(&self) -> BoxFuture<'_, ()> {
        self.queue.wait_for_capacity().boxed()
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read_with(|txn, _| read::get(txn, table, key).map(Some))
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        descending: bool,
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        self.read_with(|txn, _| read::scan(txn, table, prefix, after, descending, limit).map(Some))
    }

    fn row(&self, conv: ConvId) -> Result<Option<RowAt>, StoreError> {
        self.read_with(|txn, journal| read::row(txn, journal, conv))
    }

    fn page(&self, conv: ConvId, after: u64, limit: usize, bytes: usize) -> Result<Vec<StoredRecord>, StoreError> {
        self.read_with(|txn, journal| read::page(txn, journal, conv, after, limit, bytes))
    }

    fn generation(&self) -> Generation {
        self.generation
    }

    /// 0 for a store without a file.
    fn size_bytes(&self) -> u64 {
        self.path.as_ref().and_then(|path| std::fs::metadata(path).ok()).map_or(0, |file| file.len())
    }

    fn space(&self) -> StorageState {
        self.shared.space.state()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        let mut ended = self.ended.clone();
        async move {
            self.queue.close();
            // an error means that the sender is gone, which is the end, too
            drop(ended.wait_for(|ended| *ended).await);
        }
        .boxed()
    }
}

impl Drop for RedbStore {
    /// Writes what waits and closes the file; waits for the disk and for nothing else.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.lock().take() {
            // a panic of the thread was noted in Last
            drop(thread.join());
        }
    }
}
