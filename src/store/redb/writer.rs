//! The one thread that writes. While a group of batches is being synced the next ones gather in the queue, so groups grow
//! with the load by themselves: no timer, no window to tune.
//!
//! The order is always: check and write each batch in one transaction, commit it to disk, tell the feed, answer those who
//! wait. When the disk fails nothing of the group is told to anybody, and the thread ends.

use std::{sync::Arc, time::Instant};

use ::redb::Database;
use tokio::sync::mpsc;

use super::{
    DiskCommit, Observer, Shared,
    apply::{self, Group, Tables, Verdict},
    conv_cache::ConvCache,
    mover::Mover,
    queue::{Job, Queue},
    tables::fault,
};
use crate::store::{Batch, Op, Outcome, Reply, StoreError, check};

/// The writer's side of the store.
pub(super) struct Writer {
    pub db: Arc<Database>,
    pub shared: Arc<Shared>,
    pub queue: Arc<Queue>,
    pub feed: mpsc::UnboundedSender<Vec<Outcome>>,
    pub observer: Option<Observer>,
    pub quick_repair: bool,
    pub cache: ConvCache,
    pub mover: Mover,
    /// Number of the last group in the journal.
    pub last_group: u64,
    /// Where a group's value is put together; kept for its memory.
    pub value: Vec<u8>,
    pub clock: check::Clock,
}

impl Writer {
    /// Writes until the queue was closed and is empty, or the disk fails.
    pub fn run(&mut self) {
        while let Some(jobs) = self.queue.take() {
            self.group(jobs);
        }
        if self.shared.is_well()
            && let Err(e) = self.settle()
        {
            // nobody waits for it, and the journal still holds everything
            self.shared.fail(e);
        }
    }

    /// Moves all that is in the journal, so that a closed file has none.
    fn settle(&mut self) -> Result<(), StoreError> {
        let mut txn = self.db.begin_write().map_err(fault)?;
        txn.set_quick_repair(self.quick_repair);
        self.value.clear();
        let group =
            Group { number: self.last_group + 1, value: &mut self.value, records: 0, journal: &self.shared.journal };
        let any = self.mover.all(&mut Tables::of(&txn, group), &self.shared.journal, self.last_group)?;
        if any {
            txn.commit().map_err(fault)?;
            self.mover.committed(&self.shared.journal);
            Ok(())
        } else {
            txn.abort().map_err(fault)
        }
    }

    /// Writes a group in one transaction and tells everybody.
    fn group(&mut self, jobs: Vec<Job>) {
        let started = Instant::now();
        let (batches, replies): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.batch, job.reply)).unzip();
        let mut commit = DiskCommit::default();
        match self.transact(batches, &replies, &mut commit) {
            Ok(verdicts) => {
                commit.took = started.elapsed();
                if let Some(observer) = self.observer.as_ref().filter(|_| commit.batches > 0) {
                    observer(commit);
                }
                self.tell(verdicts, replies);
            }
            Err(e) => {
                self.shared.fail(e.clone());
                let later = self.queue.close_and_drain();
                // the feed stays silent: whether these are on disk is open, so nobody may be told that they are not
                for reply in replies {
                    if let Reply::Wait(tx) = reply {
                        drop(tx.send(Err(e.clone())));
                    }
                }
                refuse(later, &self.feed);
            }
        }
    }

    fn transact(
        &mut self,
        batches: Vec<Batch>,
        replies: &[Reply],
        commit: &mut DiskCommit,
    ) -> Result<Vec<Verdict>, StoreError> {
        let at_ms = self.clock.now_ms();
        // durability is Immediate by default; nothing less is ever used
        let mut txn = self.db.begin_write().map_err(fault)?;
        txn.set_quick_repair(self.quick_repair);
        let mut verdicts = Vec::with_capacity(batches.len());
        let number = self.last_group + 1;
        self.value.clear();
        {
            let group = Group { number, value: &mut self.value, records: 0, journal: &self.shared.journal };
            let mut tables = Tables::of(&txn, group);
            for (batch, reply) in batches.into_iter().zip(replies) {
                let origin = if let Reply::Feed(origin) = reply { *origin } else { 0 };
                let writes = batch.ops.iter().any(|op| !matches!(op, Op::Expect { .. }));
                let verdict = apply::apply(&mut tables, &mut self.cache, batch, origin, at_ms)?;
                if let (Verdict::Written { written, .. }, true) = (&verdict, writes) {
                    commit.batches += 1;
                    commit.records += written.seqs.len();
                }
                verdicts.push(verdict);
            }
            if commit.batches > 0 {
                let (records, bytes) = tables.write_group()?;
                self.mover.along(&mut tables, &self.shared.journal, number, records, bytes)?;
            }
        }
        if commit.batches > 0 {
            txn.commit().map_err(fault)?;
            self.last_group = number;
            self.mover.committed(&self.shared.journal);
        } else {
            txn.abort().map_err(fault)?;
        }
        Ok(verdicts)
    }

    /// The feed first, in order and in one piece; then those who wait.
    fn tell(&self, verdicts: Vec<Verdict>, replies: Vec<Reply>) {
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
            // without a receiver nobody wants to know
            drop(self.feed.send(outcomes));
        }
        for (tx, answer) in waiters {
            // a receiver that is gone has stopped waiting, which is its right
            drop(tx.send(answer));
        }
    }
}

/// Tells everyone whose batch was never begun that it won't be.
fn refuse(jobs: Vec<Job>, feed: &mpsc::UnboundedSender<Vec<Outcome>>) {
    let mut outcomes = Vec::new();
    for Job { batch, reply, .. } in jobs {
        match reply {
            Reply::Wait(tx) => drop(tx.send(Err(StoreError::Closed))),
            Reply::Feed(origin) => outcomes.push(Outcome::Refused {
                origin,
                conv: batch.conv,
                id: check::first_append(&batch),
                error: StoreError::Closed,
            }),
        }
    }
    if !outcomes.is_empty() {
        drop(feed.send(outcomes));
    }
}
