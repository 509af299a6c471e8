//! The ways to the writers: a bounded queue for each. Which of them a conversation takes changes only when nothing of it is on
//! its way, so that its batches stay in order.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::timeout};

use super::keys::{COMPANY, Lane, PARTS, lane_of};
use crate::{Batch, Op, Reply, StoreError, check, random};

/// Writers of a shard.
pub(super) const STRIPES: usize = 4;
/// Maximum number of batches in one group.
const GROUP: usize = 1_024;
/// Maximum number of bytes in one group (a single larger batch goes alone).
const GROUP_BYTES: usize = 1024 * 1024;
/// Maximum number of bytes that wait for a writer, whatever the number of batches.
const QUEUE_BYTES: usize = 32 * 1024 * 1024;
/// As many as a conversation remembers.
const TICKETS: usize = 8;
/// Callers who wait for space look again after this time in any case: they wait for several queues at once.
const LOOK: Duration = Duration::from_millis(50);

/// A batch and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub batch: Batch,
    pub reply: Reply,
    pub lane: Lane,
    /// By which a batch without an envelope is recognised when it is sent again; none if it may happen twice.
    pub ticket: Option<[u8; 8]>,
    /// It may have been executed already.
    pub sent: bool,
    bytes: usize,
}

impl Job {
    fn new(batch: Batch, reply: Reply) -> Self {
        let bytes = check::weight(&batch);
        let lane = batch.conv.map_or(COMPANY, lane_of);
        let only_envelopes = batch.conv.is_some()
            && batch.ops.iter().all(|op| matches!(op, Op::Append { .. }))
            && check::appended(&batch.ops).any(|body| check::remembered_id(body).is_some());
        let twice = batch.ops.iter().all(|op| matches!(op, Op::Marks { .. } | Op::Expect { .. }));
        let ticket = (!only_envelopes && !twice).then(random);
        Self { batch, reply, lane, ticket, sent: false, bytes }
    }
}

#[derive(Debug, Default)]
struct Stripe {
    jobs: VecDeque<Job>,
    bytes: usize,
    /// Its shard has not answered for long.
    down: bool,
    work: Arc<Notify>,
}

impl Stripe {
    fn has_room(&self, limit: usize) -> bool {
        self.jobs.len() < limit && self.bytes < QUEUE_BYTES
    }
}

#[derive(Debug)]
struct Inner {
    /// [`STRIPES`] for each shard.
    stripes: Vec<Stripe>,
    /// Shard of each lane and of the company, once for each of its writers.
    shards: Vec<usize>,
    closed: bool,
}

/// All queues.
#[derive(Debug)]
pub(super) struct Queues {
    inner: Mutex<Inner>,
    room: Notify,
    limit: usize,
}

impl Queues {
    /// Queues for up to `limit` batches each, with the shard of each lane.
    pub fn new(limit: usize, shards: Vec<usize>) -> Self {
        debug_assert_eq!(shards.len(), PARTS);
        let shards = shards.into_iter().flat_map(|shard| [shard; STRIPES]).collect();
        Self { inner: Mutex::new(Inner { stripes: Vec::new(), shards, closed: false }), room: Notify::new(), limit }
    }

    /// Makes queues for so many shards. Returns which writers have to be started.
    pub fn grow(&self, shards: usize) -> std::ops::Range<usize> {
        let mut inner = self.inner.lock();
        let before = inner.stripes.len();
        inner.stripes.resize_with(before.max(shards * STRIPES), Stripe::default);
        before..inner.stripes.len()
    }

    /// Adds a batch, or gives it back.
    pub fn push(&self, batch: Batch, reply: Reply) -> Result<(), (StoreError, Batch, Reply)> {
        let job = Job::new(batch, reply);
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err((StoreError::Closed, job.batch, job.reply));
        }
        let stripe = stripe_of(&job);
        let to = inner.shards[usize::from(job.lane) * STRIPES + stripe] * STRIPES + stripe;
        let Some(stripe) = inner.stripes.get_mut(to) else { return Err((StoreError::Busy, job.batch, job.reply)) };
        if stripe.down {
            return Err((StoreError::Unwritable, job.batch, job.reply));
        }
        if !stripe.has_room(self.limit) {
            return Err((StoreError::Busy, job.batch, job.reply));
        }
        stripe.bytes += job.bytes;
        stripe.jobs.push_back(job);
        stripe.work.notify_one();
        Ok(())
    }

    /// Waits until one of the full queues has space, for a while, or for the end.
    pub async fn wait_for_capacity(&self) {
        let notified = self.room.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        {
            let inner = self.inner.lock();
            if inner.closed || inner.stripes.iter().all(|stripe| stripe.has_room(self.limit)) {
                return;
            }
        }
        // an error means that the time is over
        drop(timeout(LOOK, notified).await);
    }

    /// The next group for a writer, as soon as there is one; none when the queue was closed and is empty.
    pub async fn take(&self, writer: usize) -> Option<VecDeque<Job>> {
        loop {
            let work = {
                let mut inner = self.inner.lock();
                let (closed, stripe) = (inner.closed, inner.stripes.get_mut(writer)?);
                let was_full = !stripe.has_room(self.limit);
                let group = group(stripe);
                if !group.is_empty() {
                    drop(inner);
                    if was_full {
                        self.room.notify_waiters();
                    }
                    return Some(group);
                }
                if closed {
                    return None;
                }
                stripe.work.clone()
            };
            work.notified().await;
        }
    }

    /// Whether a writer's shard has not answered for long. If so, returns what waits for it; more is refused from then on.
    pub fn set_down(&self, writer: usize, down: bool) -> VecDeque<Job> {
        let mut inner = self.inner.lock();
        let Some(stripe) = inner.stripes.get_mut(writer) else { return VecDeque::new() };
        stripe.down = down;
        if !down {
            return VecDeque::new();
        }
        stripe.bytes = 0;
        let jobs = std::mem::take(&mut stripe.jobs);
        drop(inner);
        self.room.notify_waiters();
        jobs
    }

    /// Whether no shard answers.
    pub fn all_down(&self) -> bool {
        let inner = self.inner.lock();
        !inner.stripes.is_empty() && inner.stripes.iter().all(|stripe| stripe.down)
    }

    /// A writer gives away a lane that has moved, with all its batches, those included that wait.
    pub fn hand_over(&self, writer: usize, lane: Lane, shard: usize, mut jobs: VecDeque<Job>) {
        let mut inner = self.inner.lock();
        if let Some(from) = inner.stripes.get_mut(writer) {
            let (moved, stay): (VecDeque<_>, _) = from.jobs.drain(..).partition(|job| job.lane == lane);
            from.jobs = stay;
            from.bytes = from.jobs.iter().map(|job| job.bytes).sum();
            jobs.extend(moved);
        }
        let stripe = writer % STRIPES;
        inner.shards[usize::from(lane) * STRIPES + stripe] = shard;
        let to = shard * STRIPES + stripe;
        if let Some(stripe) = inner.stripes.get_mut(to) {
            stripe.bytes += jobs.iter().map(|job| job.bytes).sum::<usize>();
            for job in jobs.into_iter().rev() {
                stripe.jobs.push_front(job);
            }
            stripe.work.notify_one();
        }
    }

    /// Lanes whose batches go to a writer.
    pub fn lanes_of(&self, writer: usize) -> Vec<Lane> {
        let (inner, stripe) = (self.inner.lock(), writer % STRIPES);
        let of_lanes = inner.shards.iter().skip(stripe).step_by(STRIPES);
        (0..).zip(of_lanes).filter(|(_, shard)| **shard == writer / STRIPES).map(|(lane, _)| lane).collect()
    }

    /// Number of writers.
    pub fn writers(&self) -> usize {
        self.inner.lock().stripes.len()
    }

    /// Waits until it takes no more batches.
    pub async fn closed(&self) {
        loop {
            let notified = self.room.notified();
            if self.is_closed() {
                return;
            }
            notified.await;
        }
    }

    /// Whether it takes no more batches.
    pub fn is_closed(&self) -> bool {
        self.inner.lock().closed
    }

    /// No more batches; what waits can still be taken.
    pub fn close(&self) {
        let mut inner = self.inner.lock();
        inner.closed = true;
        for stripe in &inner.stripes {
            stripe.work.notify_one();
        }
        drop(inner);
        self.room.notify_waiters();
    }
}

fn group(stripe: &mut Stripe) -> VecDeque<Job> {
    let (mut group, mut bytes, mut tickets) = (VecDeque::new(), 0, Vec::new());
    while group.len() < GROUP {
        let fits = |job: &mut Job| {
            // more than a conversation remembers could not be recognised if all of them had to be sent again
            let of_conv = tickets.iter().filter(|conv| **conv == job.batch.conv).count();
            (bytes == 0 || bytes + job.bytes <= GROUP_BYTES) && (job.ticket.is_none() || of_conv < TICKETS)
        };
        let Some(job) = stripe.jobs.pop_front_if(fits) else { break };
        bytes += job.bytes;
        if job.ticket.is_some() {
            tickets.push(job.batch.conv);
        }
        group.push_back(job);
    }
    stripe.bytes -= bytes;
    group
}

/// The stripe of a conversation: bits that say nothing of its lane.
fn stripe_of(job: &Job) -> usize {
    job.batch.conv.map_or(0, |conv| usize::from(conv.0[15]) % STRIPES)
}
