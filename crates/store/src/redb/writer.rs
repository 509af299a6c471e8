//! The one thread that writes. While a group of batches is being synced the next ones gather in the queue, so groups grow
//! with the load by themselves: no timer, no window to tune.
//!
//! The order is always: check and write each batch in one transaction, commit it to disk, publish to the feed, answer those who
//! wait. When the disk fails, nothing of the group is published until the file is open again and shows whether it contains
//! the group (`heal.rs`). Damaged data ends the thread.

use std::{sync::Arc, time::Instant};

use ::redb::{Database, WriteTransaction};
use tokio::sync::mpsc;

use super::{
    DiskCommit, Observer, Shared,
    apply::{self, Group, Tables, Verdict},
    conv_cache::ConvCache,
    journal::Journal,
    mover::Mover,
    queue::{Job, Queue},
    tables::map_db_error,
};
use crate::{Batch, Op, Outcome, Reply, StoreError, check};
use kefu_proto::{ConvId, MsgId};

/// Opens the database again.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, StoreError> + Send>;

/// A group that could not be written.
pub(super) struct Pending {
    pub error: StoreError,
    /// Number of the group.
    pub number: u64,
    /// If only the commit failed: what to report if the file contains it anyway.
    pub verdicts: Option<Vec<Verdict>>,
    pub replies: Vec<Reply>,
    pub names: Vec<Named>,
    pub commit: DiskCommit,
}

/// The writer's side of the store.
pub(super) struct Writer {
    pub file: File,
    pub shared: Arc<Shared>,
    pub queue: Arc<Queue>,
    pub feed: mpsc::UnboundedSender<Vec<Outcome>>,
    pub observer: Option<Observer>,
    pub quick_repair: bool,
    /// Opens the database again.
    pub opener: Opener,
    /// When it was opened again last.
    pub opened: Option<Instant>,
    /// Records that the journal gathers.
    pub journal: usize,
    /// Where a group's value is put together; kept for its memory.
    pub value: Vec<u8>,
    pub clock: check::CommitClock,
}

/// The open database with what the writer knows of its content.
pub(super) struct File {
    /// None while it is being opened again.
    pub db: Option<Arc<Database>>,
    pub journal: Arc<Journal>,
    pub cache: ConvCache,
    pub mover: Mover,
    /// Number of the last group in the journal.
    pub last_group: u64,
    /// Whether that group had no records.
    pub bare: bool,
}

/// The conversation and message of a batch, for a refusal.
pub(super) type Named = (Option<ConvId>, Option<MsgId>);

/// A group could not be written.
struct Failed {
    error: StoreError,
    /// If only the commit failed: what to report if the file contains it anyway.
    verdicts: Option<Vec<Verdict>>,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self { error, verdicts: None }
    }
}

impl File {
    fn begin(&self, quick_repair: bool) -> Result<WriteTransaction, StoreError> {
        // durability is Immediate by default; nothing less is ever used
        let mut txn = self.db.as_ref().ok_or(StoreError::Closed)?.begin_write().map_err(map_db_error)?;
        txn.set_quick_repair(quick_repair);
        Ok(txn)
    }
}

impl Writer {
    /// Writes until the queue was closed and is empty, or the data is damaged.
    pub fn run(&mut self) {
        while let Some((jobs, bytes)) = self.queue.take() {
            if self.shared.space.before(bytes) {
                refuse(jobs, &self.feed, &StoreError::Unwritable);
            } else if !self.group(jobs) {
                return;
            }
        }
        match self.settle() {
            Ok(()) => {}
            // nobody waits for it, and the journal still contains everything
            Err(StoreError::Io(e)) => {
                tracing::warn!(error = %e, "storage: the journal stays as it is until the next start");
            }
            Err(e) => self.shared.fail(e),
        }
    }

    /// Moves all that is in the journal, so that a closed file has none.
    fn settle(&mut self) -> Result<(), StoreError> {
        let file = &mut self.file;
        let txn = file.begin(self.quick_repair)?;
        self.value.clear();
        let group = Group { number: file.last_group + 1, value: &mut self.value, records: 0, journal: &file.journal };
        let any = file.mover.all(&mut Tables::of(&txn, group), &file.journal, file.last_group)?;
        if any {
            txn.commit().map_err(map_db_error)?;
            file.mover.committed(&file.journal);
            Ok(())
        } else {
            txn.abort().map_err(map_db_error)
        }
    }

    /// Writes a group in one transaction and publishes it. False: the writer must end.
    fn group(&mut self, jobs: Vec<Job>) -> bool {
        let started = Instant::now();
        let names: Vec<Named> = jobs.iter().map(|job| (job.batch.conv, check::name(&job.batch))).collect();
        let (batches, replies): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.batch, job.reply)).unzip();
        let mut commit = DiskCommit::default();
        let failed = match self.transact(batches, &replies, &mut commit) {
            Ok(verdicts) => {
                commit.took = started.elapsed();
                self.committed(verdicts, replies, commit);
                return true;
            }
            Err(failed) => failed,
        };
        let Failed { error, verdicts } = failed;
        if !matches!(error, StoreError::Io(_)) {
            self.end(error, replies);
            return false;
        }
        let number = self.file.last_group + 1;
        self.heal(Pending { error, number, verdicts, replies, names, commit })
    }

    /// A group is on disk.
    pub(super) fn committed(&self, verdicts: Vec<Verdict>, replies: Vec<Reply>, commit: DiskCommit) {
        if let Some(observer) = self.observer.as_ref().filter(|_| commit.batches > 0) {
            observer(commit);
        }
        self.publish(verdicts, replies);
    }

    /// The data is damaged: nothing more is written, and nothing is reported about the current group.
    pub(super) fn end(&mut self, error: StoreError, replies: Vec<Reply>) {
        self.shared.fail(error.clone());
        let later = self.queue.close_and_drain();
        for reply in replies {
            if let Reply::Wait(tx) = reply {
                drop(tx.send(Err(error.clone())));
            }
        }
        refuse(later, &self.feed, &StoreError::Closed);
    }

    fn transact(
        &mut self,
        batches: Vec<Batch>,
        replies: &[Reply],
        commit: &mut DiskCommit,
    ) -> Result<Vec<Verdict>, Failed> {
        let at_ms = self.clock.now_ms();
        let txn = self.file.begin(self.quick_repair)?;
        let File { journal, cache, mover, last_group, bare, .. } = &mut self.file;
        let mut verdicts = Vec::with_capacity(batches.len());
        let number = *last_group + 1;
        let mut brought = 0;
        self.value.clear();
        {
            let group = Group { number, value: &mut self.value, records: 0, journal };
            let mut tables = Tables::of(&txn, group);
            for (batch, reply) in batches.into_iter().zip(replies) {
                let origin = if let Reply::Feed(origin) = reply { *origin } else { 0 };
                let writes = batch.ops.iter().any(|op| !matches!(op, Op::Expect { .. }));
                let verdict = apply::apply(&mut tables, cache, batch, origin, at_ms)?;
                if let (Verdict::Written { written, .. }, true) = (&verdict, writes) {
                    commit.batches += 1;
                    commit.records += written.seqs.len();
                }
                verdicts.push(verdict);
            }
            if commit.batches > 0 {
                let (records, bytes) = tables.write_group(*bare)?;
                mover.along(&mut tables, journal, number, records, bytes)?;
                brought = records;
            }
        }
        if commit.batches > 0 {
            if let Err(e) = txn.commit() {
                return Err(Failed { error: map_db_error(e), verdicts: Some(verdicts) });
            }
            (*last_group, *bare) = (number, brought == 0);
            mover.committed(journal);
        } else {
            txn.abort().map_err(map_db_error)?;
        }
        Ok(verdicts)
    }

    /// The feed first, in order and in one piece; then those who wait.
    fn publish(&self, verdicts: Vec<Verdict>, replies: Vec<Reply>) {
        let mut outcomes = Vec::with_capacity(verdicts.len());
        let mut waiters = Vec::new();
        for (verdict, reply) in verdicts.into_iter().zip(replies) {
            let (outcome, answer) = match (verdict, &reply) {
                (Verdict::Written { written, commit }, _) => (commit.map(Outcome::Committed), Ok(written)),
                (Verdict::Duplicate { frame, .. }, &Reply::Feed(origin)) => {
                    outcomes.push(Outcome::Duplicate { origin, frame });
                    continue;
                }
                (Verdict::Refused { conv, id, error }, &Reply::Feed(origin)) => {
                    outcomes.push(Outcome::Refused { origin, conv, id, error });
                    continue;
                }
                (Verdict::Duplicate { seq, .. }, Reply::Wait(_)) => (None, Err(StoreError::Duplicate { seq })),
                (Verdict::Refused { error, .. }, Reply::Wait(_)) => (None, Err(error)),
            };
            outcomes.extend(outcome);
            if let Reply::Wait(tx) = reply {
                waiters.push((tx, answer));
            }
        }
        if !outcomes.is_empty() {
            // without a receiver there is nobody to notify
            drop(self.feed.send(outcomes));
        }
        for (tx, answer) in waiters {
            // a receiver that is gone has stopped waiting, which is its right
            drop(tx.send(answer));
        }
    }
}

/// Tells everyone whose batch was not begun that it won't be written.
pub(super) fn refuse(jobs: Vec<Job>, feed: &mpsc::UnboundedSender<Vec<Outcome>>, error: &StoreError) {
    let mut outcomes = Vec::new();
    for Job { batch, reply, .. } in jobs {
        match reply {
            Reply::Wait(tx) => drop(tx.send(Err(error.clone()))),
            Reply::Feed(origin) => outcomes.push(Outcome::Refused {
                origin,
                conv: batch.conv,
                id: check::name(&batch),
                error: error.clone(),
            }),
        }
    }
    if !outcomes.is_empty() {
        drop(feed.send(outcomes));
    }
}
