//! The store that several servers share, in Redis or Valkey: one server of it, Sentinel or Cluster.
//!
//! A conversation is a list of records and some hashes in one *lane* (`keys.rs`), and changes by one script (`scripts/`), so
//! that a batch is written as a whole or not at all. `queue.rs` leads to the writers (`writer.rs`), which report a batch when it
//! is as safe as the settings demand; `batch.rs` is the form of a batch and of its reply. `feed.rs` and `followed.rs` put in order
//! what they and other servers did. `publish.rs` and `follow.rs` are the way from server to server, `event.rs` what is said there; `fill.rs`
//! reads what did not arrive, `audit.rs` and `rows.rs` notice that something did not. `enter.rs` notices that a log went back.
//! `read.rs`, `lists.rs` and `readers.rs` are all reads, `safe.rs` keeps from them what a failover could take
//! back, `create.rs` opens. `memory.rs` is how full they are, `sealed.rs` what servers share beside what is stored.
//!
//! For backups and moves, `whole.rs` reads everything, `export.rs` puts it in the order of a dump, `import.rs` writes one into an
//! empty database, and `raw.rs` is a database that is not opened: what it is, and marks in it; `hold.rs` stops all writes while a move ends,
//! and `seen.rs` knows what changed since a conversation was read. `verify.rs` checks that what is stored makes sense, `unexplained.rs` that
//! indexes name nothing else.

mod audit;
mod batch;
mod create;
mod enter;
mod ephemeral;
mod event;
mod export;
mod feed;
mod fill;
mod follow;
mod followed;
mod hold;
mod import;
mod interface;
mod keys;
mod lists;
mod memory;
mod outcome;
mod publish;
mod queue;
mod raw;
mod read;
mod readers;
mod rows;
mod safe;
mod scripts;
mod sealed;
mod seen;
mod spool;
mod unexplained;
mod value;
mod verify;
mod whole;
mod writer;

use std::{sync::Arc, time::Duration};

use kefu_redis_link::Link;
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use self::{
    enter::{Entered, Lanes},
    event::Node,
    feed::Out,
    fill::Check,
    follow::Followers,
    keys::{COMPANY, Keys},
    memory::Memory,
    publish::Publishers,
    queue::{Queues, STRIPES},
    readers::Readers,
    rows::Rows,
    safe::Safe,
    writer::Writer,
};
pub use self::{
    export::{Export, Exported},
    hold::Mover,
    import::Importer,
    raw::{Found, RawDatabase, Resident, Standing},
    sealed::Sealed,
    seen::Seen,
};
use crate::{GroupCommit, Observer, Outcome};

/// How to use Redis.
#[derive(Debug, Clone)]
pub struct Options {
    /// What all keys begin with, so that others can use the same Redis. Without braces.
    pub prefix: String,
    /// As many replicas must have a batch before it is acknowledged. 0: the primary's disk is enough.
    pub ack_replicas: u32,
    /// Whether a Redis is used that may lose what it acknowledged, or doesn't say.
    pub unchecked: bool,
    /// Whether an empty Redis becomes a new company.
    pub create: bool,
    /// Whether a company is opened whose move to here is not finished.
    pub arriving: bool,
    /// Batches that may wait for each writer.
    pub queue: usize,
    /// After this time without a connection batches are refused.
    pub patience: Duration,
    /// In this time everything that is followed is looked at once.
    pub audit: Duration,
    /// Sees each group of batches that became safe.
    pub observer: Option<Observer<GroupCommit>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefix: "kefu:".to_owned(),
            ack_replicas: 0,
            unchecked: false,
            create: false,
            arriving: false,
            queue: 1_024,
            patience: Duration::from_secs(10),
            audit: Duration::from_secs(30),
            observer: None,
        }
    }
}

/// The store in Redis.
#[derive(Debug)]
pub struct RedisStore {
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
    ended: watch::Receiver<bool>,
}

/// What the handle and the tasks hold together.
#[derive(Debug)]
struct Shared {
    link: Link,
    keys: Keys,
    options: Options,
    node: Node,
    lanes: Lanes,
    queues: Queues,
    out: Out,
    rows: Rows,
    readers: Readers,
    safe: Safe,
    publishers: Publishers,
    followers: Followers,
    checks: mpsc::UnboundedSender<Check>,
    writers: Mutex<JoinSet<()>>,
    memory: Memory,
}

impl Shared {
    /// Generations have risen: what was said of these lanes may not be true any more.
    fn risen(&self, entered: &[Entered]) {
        let risen: Vec<_> = entered.iter().filter(|entered| entered.risen).collect();
        if risen.is_empty() {
            return;
        }
        for entered in risen.iter().filter(|entered| entered.lane != COMPANY) {
            self.rows.begin(entered.lane, entered.changes);
        }
        self.out.tell(Outcome::Unsure);
        // an error means that the store has ended
        drop(self.checks.send(Check::Lanes(risen.iter().map(|entered| entered.lane).collect())));
    }

    /// Whether a shard's writers run.
    fn has_writers(&self, shard: usize) -> bool {
        self.queues.writers() > shard * STRIPES
    }

    /// Starts writers and subscriptions for shards that have none. Returns what tells that the subscriptions are there.
    fn grow(self: &Arc<Self>) -> Vec<tokio::sync::oneshot::Receiver<()>> {
        let shards = self.link.map().shards().len();
        for writer in self.queues.grow(shards) {
            self.writers.lock().spawn(Writer::new(self.clone(), writer).run());
        }
        let mut begun = Vec::new();
        for shard in 0..shards {
            self.followers.0.lock().entry(shard).or_insert_with(|| {
                let ((asks, receiver), (tx, rx)) = (mpsc::unbounded_channel(), tokio::sync::oneshot::channel());
                begun.push(rx);
                tokio::spawn(follow::run(self.clone(), shard, receiver, tx));
                asks
            });
        }
        begun
    }
}

impl RedisStore {
    /// How many replicas must have a batch before it is acknowledged.
    pub fn ack_replicas(&self) -> u32 {
        self.shared.options.ack_replicas
    }

    /// Of the fullest primary, now and whenever it changes.
    pub fn memory(&self) -> watch::Receiver<crate::space::Space> {
        self.shared.memory.changes()
    }

    /// Takes no more batches, writes what waits, tells the others, and ends.
    async fn end(&self) {
        self.shared.queues.close();
        let mut ended = self.ended.clone();
        // an error means that the sender is gone, which is the end, too
        drop(ended.wait_for(|ended| *ended).await);
    }
}

/// Waits until the store is closed and everything is written.
async fn close(shared: Arc<Shared>, ended: watch::Sender<bool>) {
    shared.queues.closed().await;
    loop {
        let mut writers = std::mem::take(&mut *shared.writers.lock());
        if writers.is_empty() {
            break;
        }
        while writers.join_next().await.is_some() {}
    }
    shared.publishers.close().await;
    shared.out.close();
    shared.followers.0.lock().clear();
    ended.send_replace(true);
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        // whoever did not close it wants nothing more of it
        self.shared.queues.close();
        self.shared.out.close();
        self.shared.followers.0.lock().clear();
        self.shared.publishers.abandon();
        self.shared.writers.lock().abort_all();
        self.tasks.lock().abort_all();
    }
}
