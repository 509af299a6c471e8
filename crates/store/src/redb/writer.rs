//! The one thread that takes batches. While a group of them is being synced the next ones gather in the queue, so groups grow
//! with the load by themselves: no timer, no window to tune.
//!
//! The order is always: check each batch, write the group to the log, add it to memory, publish it to the feed, answer those
//! who wait. If the log's disk fails, nothing of the group is published until the log says for certain that it is not there.
//! Damaged data ends the thread.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use super::{
    Shared,
    apply::{self, Draft, Verdict},
    conv_cache::ConvCache,
    heal::Pauses,
    layer::Group,
    queue::{Job, Queue},
    wal::{AppendError, Wal},
};
use crate::{GroupCommit, Observer, Op, Outcome, Reply, StoreError, check};
use kefu_proto::{ConvId, MsgId};

/// How long the writer waits for a file of the log before it looks at the disk again.
const PAUSE: Duration = Duration::from_millis(50);
/// Memory of a group that is kept for the next.
const KEPT: usize = 1024 * 1024;

/// The writer's side of the store.
pub(super) struct Writer {
    pub wal: Wal,
    pub cache: ConvCache,
    pub shared: Arc<Shared>,
    pub queue: Arc<Queue>,
    pub feed: mpsc::UnboundedSender<Vec<Outcome>>,
    pub observer: Option<Observer<GroupCommit>>,
    /// Bytes in memory that are enough for a checkpoint.
    pub checkpoint_bytes: usize,
    /// Where a group is put together; kept for its memory.
    pub bytes: Vec<u8>,
    pub clock: check::CommitClock,
}

/// The conversation and message of a batch, for a refusal.
type Named = (Option<ConvId>, Option<MsgId>);

/// Those of a group, to be told what became of it.
struct Senders {
    replies: Vec<Reply>,
    names: Vec<Named>,
}

/// Why a group is not in the log.
enum Failed {
    /// Nothing of it was written.
    NotBegun,
    /// It is not known what of it was written.
    Unknown(String),
    /// The data is damaged.
    Damaged(StoreError),
}

impl From<StoreError> for Failed {
    fn from(e: StoreError) -> Self {
        match e {
            // the database is being opened again
            StoreError::Io(_) | StoreError::Reopening => Self::NotBegun,
            e => Self::Damaged(e),
        }
    }
}

impl Writer {
    /// Writes until the queue was closed and is empty, or the data is damaged. Returns whether it was closed.
    pub fn run(&mut self) -> bool {
        while let Some((jobs, bytes)) = self.queue.take() {
            if self.shared.failure().is_some() {
                refuse(jobs, &self.feed, &StoreError::Closed);
                return false;
            }
            let shared = Arc::clone(&self.shared);
            let _group = shared.changes.begin();
            let (jobs, bytes) = self.without_held(jobs, bytes);
            if jobs.is_empty() {
                continue;
            }
            if self.shared.space.before(bytes) {
                refuse(jobs, &self.feed, &StoreError::Unwritable);
            } else if !self.group(jobs) {
                return false;
            }
        }
        true
    }

    /// While a copy is completed nothing else is written.
    fn without_held(&self, jobs: Vec<Job>, bytes: usize) -> (Vec<Job>, usize) {
        if !self.shared.changes.is_held() {
            return (jobs, bytes);
        }
        let (jobs, held) = jobs.into_iter().partition(|job| job.held);
        refuse(held, &self.feed, &StoreError::Unwritable);
        (jobs, bytes)
    }

    /// Writes a group and publishes it. False: the writer must end.
    fn group(&mut self, jobs: Vec<Job>) -> bool {
        let started = Instant::now();
        let names: Vec<Named> = jobs.iter().map(|job| (job.batch.conv, check::name(&job.batch))).collect();
        let mut senders = Senders { replies: Vec::with_capacity(jobs.len()), names };
        let mut commit = GroupCommit::default();
        match self.write(jobs, &mut senders.replies, &mut commit) {
            Ok(verdicts) => {
                commit.took = started.elapsed();
                if let Some(observer) = self.observer.as_ref().filter(|_| commit.batches > 0) {
                    observer.saw(commit);
                }
                self.publish(verdicts, senders.replies);
                true
            }
            Err(failed) => {
                // it may know what is not there
                self.cache = ConvCache::new();
                match failed {
                    Failed::NotBegun => self.refuse_all(senders),
                    Failed::Unknown(why) => return self.void(&why, senders),
                    Failed::Damaged(e) => {
                        self.end(e, senders.replies);
                        return false;
                    }
                }
                true
            }
        }
    }

    fn write(
        &mut self,
        jobs: Vec<Job>,
        replies: &mut Vec<Reply>,
        commit: &mut GroupCommit,
    ) -> Result<Vec<Verdict>, Failed> {
        let at_ms = self.clock.now_ms();
        let group = Group::reusing(std::mem::take(&mut self.bytes));
        let mut draft = Draft { view: &self.shared.view, group };
        let mut verdicts = Vec::with_capacity(jobs.len());
        let mut jobs = jobs.into_iter();
        let mut failed = None;
        for job in jobs.by_ref() {
            let origin = if let Reply::Feed(origin) = job.reply { origin } else { 0 };
            replies.push(job.reply);
            let writes = job.batch.ops.iter().any(|op| !matches!(op, Op::Expect { .. }));
            match apply::apply(&mut draft, &mut self.cache, job.batch, origin, at_ms) {
                Ok(verdict) => {
                    if let (Verdict::Written { written, .. }, true) = (&verdict, writes) {
                        commit.batches += 1;
                        commit.records += written.seqs.len();
                    }
                    verdicts.push(verdict);
                }
                Err(e) => {
                    failed = Some(e);
                    break;
                }
            }
        }
        replies.extend(jobs.map(|job| job.reply));
        let Group { layer, mut bytes } = draft.group;
        let logged = match failed {
            Some(e) => Err(e.into()),
            None if commit.batches > 0 => self.log(&mut bytes),
            None => Ok(()),
        };
        if bytes.capacity() <= KEPT {
            self.bytes = bytes;
        }
        logged?;
        if commit.batches > 0 {
            let changed = self.shared.changes.is_watched().then(|| layer.conversations());
            if self.shared.view.memtable.commit(layer, self.wal.last()) >= self.checkpoint_bytes {
                self.shared.signals.enough();
            }
            self.shared.changes.note(changed.into_iter().flatten());
        }
        Ok(verdicts)
    }

    /// Writes a group to the log. It waits if all files of the log are full, unless the disk fails.
    fn log(&mut self, group: &mut Vec<u8>) -> Result<(), Failed> {
        loop {
            match self.wal.reserve(group.len()) {
                Ok(()) => break,
                Err(AppendError::Io(e)) => {
                    self.shared.space.failed(&e.to_string());
                    self.shared.space.give_up_ballast();
                    self.shared.space.healed();
                    return Err(Failed::NotBegun);
                }
                Err(AppendError::Full) => {
                    self.shared.signals.full();
                    if self.shared.space.before(0) || self.shared.failure().is_some() {
                        return Err(Failed::NotBegun);
                    }
                    self.wal.files().wait_for_release(PAUSE);
                }
            }
        }
        self.wal.append(group).map_err(|e| Failed::Unknown(e.to_string()))
    }

    /// The log failed while it wrote the group: tries until it says that the group is not there. False: the writer must end.
    fn void(&mut self, why: &str, mut senders: Senders) -> bool {
        tracing::error!(error = why, "storage: the disk failed under the log");
        self.shared.space.failed(why);
        self.shared.space.give_up_ballast();
        let mut pauses = Pauses::new();
        loop {
            match self.wal.void() {
                Ok(()) => break,
                Err(AppendError::Full) => self.shared.signals.full(),
                Err(AppendError::Io(e)) if pauses.is_first() => {
                    tracing::error!(error = %e, "storage: the log cannot be continued yet; trying again");
                }
                Err(AppendError::Io(_)) => {}
            }
            // the fate of their batches is unknown, perhaps for long; the feed reports it in any case
            answer_all(&mut senders.replies, &StoreError::Io(why.into()));
            refuse(self.queue.drain(), &self.feed, &StoreError::Unwritable);
            if self.queue.closed_within(pauses.next()) {
                return false;
            }
        }
        tracing::info!("storage: the log goes on");
        self.refuse_all(senders);
        self.shared.space.healed();
        true
    }

    /// The data is damaged: nothing more is written, and nothing is reported about the current group.
    fn end(&mut self, error: StoreError, replies: Vec<Reply>) {
        self.shared.fail(error.clone());
        let later = self.queue.close_and_drain();
        for reply in replies {
            if let Reply::Wait(tx) = reply {
                drop(tx.send(Err(error.clone())));
            }
        }
        refuse(later, &self.feed, &StoreError::Closed);
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

    /// Nothing of the group is there, for certain.
    fn refuse_all(&self, senders: Senders) {
        let mut outcomes = Vec::new();
        for (reply, (conv, id)) in senders.replies.into_iter().zip(senders.names) {
            tell(reply, conv, id, &StoreError::Unwritable, &mut outcomes);
        }
        if !outcomes.is_empty() {
            drop(self.feed.send(outcomes));
        }
    }
}

/// Tells everyone whose batch was not begun that it won't be written.
fn refuse(jobs: Vec<Job>, feed: &mpsc::UnboundedSender<Vec<Outcome>>, error: &StoreError) {
    let mut outcomes = Vec::new();
    for Job { batch, reply, .. } in jobs {
        tell(reply, batch.conv, check::name(&batch), error, &mut outcomes);
    }
    if !outcomes.is_empty() {
        drop(feed.send(outcomes));
    }
}

/// The refusal of one batch: to the caller who waits, or for the feed.
fn tell(reply: Reply, conv: Option<ConvId>, id: Option<MsgId>, error: &StoreError, feed: &mut Vec<Outcome>) {
    match reply {
        Reply::Wait(tx) => drop(tx.send(Err(error.clone()))),
        Reply::Feed(origin) => feed.push(Outcome::Refused { origin, conv, id, error: error.clone() }),
    }
}

/// Answers waiting callers and replaces them by a connection that never exists.
fn answer_all(replies: &mut [Reply], error: &StoreError) {
    for reply in replies.iter_mut().filter(|reply| matches!(reply, Reply::Wait(_))) {
        if let Reply::Wait(tx) = std::mem::replace(reply, Reply::Feed(0)) {
            drop(tx.send(Err(error.clone())));
        }
    }
}
