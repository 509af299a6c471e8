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
    apply::{self, Tables, Verdict},
    conv_cache::ConvCache,
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
    pub clock: check::Clock,
}

impl Writer {
    /// Writes until the queue was closed and is empty, or the disk fails.
    pub fn run(&mut self) {
        while let Some(jobs) = self.queue.take() {
            self.group(jobs);
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
        {
            let mut tables = Tables::open(&txn)?;
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
        }
        if commit.batches > 0 {
            txn.commit().map_err(fault)?;
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
