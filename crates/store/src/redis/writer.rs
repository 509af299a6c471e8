//! Writers: four for each shard, each with a connection. A writer takes what waits, sends it in one write, and reports only when
//! all of it is safe; meanwhile the next group gathers.
//!
//! When a connection ends, nobody knows what of its last group was executed. The same batches are sent again, and their ids and
//! tickets give the same outcome.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use kefu_proto::ConvId;
use kefu_redis_link::{Backoff, Cmd, Connection, Error, Pipeline, Value, cmd};
use tokio::time::{Instant, timeout};

use super::{
    Shared,
    batch::{self, Answer},
    enter::{self, Unusable},
    feed::{Item, not_written},
    fill::{WAIT, wait},
    keys::Lane,
    outcome::{Answered, Done, outcome},
    queue::{Job, STRIPES},
    readers::is_passing,
    value::number,
};
use crate::{GroupCommit, StoreError, check};

/// So long replicas are waited for before the connection is given up.
const REPLICAS: Duration = Duration::from_secs(10);

/// Between two tries to connect while nothing waits.
const LOOK: Duration = Duration::from_millis(200);

/// One writer.
pub(super) struct Writer {
    shared: Arc<Shared>,
    /// Which of all.
    number: usize,
    shard: usize,
    connection: Option<Connection>,
    /// Since when there is no connection.
    away: Option<Instant>,
    down: bool,
    /// It is connected to a server that stores nothing: out of memory, or too few replicas for its own settings.
    refusing: bool,
}

/// What the replies to a group mean.
struct Settled {
    done: Vec<(Job, Answered)>,
    /// A batch was found written already.
    found: bool,
    /// To be sent again, and why.
    again: VecDeque<Job>,
    error: Option<Error>,
    /// What the server said that stores nothing at the moment.
    refusal: Option<String>,
}

impl Writer {
    pub fn new(shared: Arc<Shared>, number: usize) -> Self {
        let shard = number / STRIPES;
        Self { shared, number, shard, connection: None, away: None, down: false, refusing: false }
    }

    /// Runs until the queues are closed and this one is empty.
    pub async fn run(mut self) {
        // so that the first batch needs not wait for it
        drop(self.connect().await);
        loop {
            // it looks for a connection while nothing waits, too
            let group = match self.connection.as_ref().filter(|connection| connection.is_open()) {
                Some(connection) => tokio::select! {
                    biased;
                    group = self.shared.queues.take(self.number) => group,
                    _ = connection.ended() => Some(VecDeque::new()),
                },
                None => {
                    let group = timeout(LOOK, self.shared.queues.take(self.number)).await;
                    group.unwrap_or_else(|_| Some(VecDeque::new()))
                }
            };
            let Some(mut group) = group else { return };
            let mut backoff = Backoff::default();
            loop {
                self.hand_over(&mut group);
                match self.attempt(&mut group).await {
                    Ok(()) if group.is_empty() => break,
                    Ok(()) => {}
                    Err(error) => self.failed(&error),
                }
                if self.is_away_for_long(&mut group) && group.is_empty() {
                    break;
                }
                backoff.wait().await;
            }
        }
    }

    /// Lanes that another shard has now go there with all that waits. While this one is down nothing comes in, so that all of them
    /// are looked at: else they would be refused here for ever.
    fn hand_over(&mut self, group: &mut VecDeque<Job>) {
        let lanes: HashSet<Lane> = match self.down {
            true => self.shared.queues.lanes_of(self.number).into_iter().collect(),
            false => group.iter().map(|job| job.lane).collect(),
        };
        for lane in lanes {
            let owner = self.shared.shard(self.shared.slot(lane));
            if let Some(owner) = owner.filter(|owner| *owner != self.shard && self.shared.has_writers(*owner)) {
                let (moved, stay) = group.drain(..).partition(|job| job.lane == lane);
                *group = stay;
                self.shared.queues.hand_over(self.number, lane, owner, moved);
            }
        }
    }

    async fn connect(&mut self) -> Result<Connection, Unusable> {
        if let Some(connection) = self.connection.as_ref().filter(|connection| connection.is_open()) {
            return Ok(connection.clone());
        }
        self.connection = None;
        self.away.get_or_insert_with(Instant::now);
        let purpose = format!("writer-{}", self.number % STRIPES);
        let connection = enter::open(&self.shared, self.shard, &purpose, self.shared.options.ack_replicas).await?;
        self.connection = Some(connection.clone());
        self.away = None;
        if std::mem::take(&mut self.down) {
            self.shared.queues.set_down(self.number, false);
            tracing::info!(shard = self.shard, "storage: Redis answers again");
        }
        Ok(connection)
    }

    fn failed(&mut self, error: &Unusable) {
        self.connection = None;
        let since = *self.away.get_or_insert_with(Instant::now);
        if !self.down && since.elapsed() >= self.shared.options.patience {
            self.down = true;
            tracing::error!(shard = self.shard, error = %error, "storage: Redis does not answer; nothing can be stored there");
        }
        if let Unusable::Link(error) = error
            && error.is_topology()
        {
            self.shared.link.refresh();
        }
    }

    /// After long without a connection nobody shall wait: what was never sent is refused. What was sent stays until it is known
    /// what became of it, unless the store is closed.
    fn is_away_for_long(&mut self, group: &mut VecDeque<Job>) -> bool {
        if !self.down {
            return false;
        }
        let closed = self.shared.queues.is_closed();
        // in the queue, too, there may be some that were sent: of a lane that another shard handed over
        let all = group.drain(..).chain(self.shared.queues.set_down(self.number, true));
        let (sent, unsent): (VecDeque<_>, VecDeque<_>) = all.partition(|job| job.sent && !closed);
        *group = sent;
        let items = unsent.into_iter().filter(|job| !job.sent).map(|job| {
            let (conv, id) = (job.batch.conv, check::name(&job.batch));
            not_written(job.reply, conv, id, StoreError::Unwritable)
        });
        self.shared.out.publish(items.collect());
        true
    }

    /// Sends a group and reports what is safe then. What must be sent again stays in it.
    async fn attempt(&mut self, group: &mut VecDeque<Job>) -> Result<(), Unusable> {
        let connection = self.connect().await?;
        if group.is_empty() {
            return Ok(());
        }
        let lanes: HashSet<Lane> = group.iter().map(|job| job.lane).collect();
        let new = self.shared.lanes.not_entered(lanes, &connection.server().run_id);
        enter::enter(&self.shared, &connection, &new).await?;
        self.note_visitors(group).await;
        let (mut calls, mut generations, mut seen) = (Pipeline::new(), Vec::new(), HashSet::<ConvId>::new());
        for job in group.iter().filter(|job| check::shape(&job.batch).is_ok()) {
            // only of the first batch of a conversation it is known what stands before it
            let known = job.batch.conv.filter(|conv| seen.insert(*conv)).and_then(|conv| self.shared.out.known(conv));
            let generation = self.shared.lanes.generation(job.lane);
            generations.push(generation);
            calls.add(batch::call(&self.shared.keys, job, generation, known));
        }
        let replicas = self.shared.options.ack_replicas;
        if replicas > 0 && !calls.is_empty() {
            calls.add(wait_for(replicas));
        }
        let unsent: Vec<usize> = group.iter().enumerate().filter(|(_, job)| !job.sent).map(|(at, _)| at).collect();
        let started = Instant::now();
        let mut replies = match connection.pipeline(&calls).await {
            Ok(replies) => replies,
            Err(error) => {
                if error.may_have_run() {
                    unsent.iter().for_each(|at| group[*at].sent = true);
                }
                return Err(error.into());
            }
        };
        let acknowledged = if replicas > 0 && !calls.is_empty() { replies.pop() } else { None };
        let Settled { done, found, again, error, refusal } = self.settle(group, replies, generations);
        self.says(refusal, &done);
        if replicas > 0 && !done.is_empty() {
            let enough = !found && acknowledged.is_some_and(|reply| reply.is_ok_and(|n| number(&n) >= replicas.into()));
            if !enough && !self.wait_for_replicas(&connection, done[0].0.lane, started).await {
                // all of them are sent again over another connection
                connection.end("too few replicas acknowledged in time");
                *group = done
                    .into_iter()
                    .map(|(mut job, _)| {
                        job.sent = true;
                        job
                    })
                    .chain(again)
                    .collect();
                return Err(Unusable::Link(Error::Timeout {
                    address: connection.server().address.clone(),
                    after: REPLICAS,
                }));
            }
        }
        *group = again;
        self.count(&done, started);
        self.report(done).await;
        match error {
            Some(error) => {
                connection.end("it is not the server to write to");
                Err(Unusable::Link(error))
            }
            None => Ok(()),
        }
    }

    /// What each reply means.
    fn settle(&self, group: &mut VecDeque<Job>, replies: Vec<Result<Value, Error>>, generations: Vec<u64>) -> Settled {
        let (mut done, mut again, mut found, mut error) = (Vec::new(), VecDeque::new(), false, None);
        let mut refusal = None;
        let mut replies = replies.into_iter().zip(generations);
        for mut job in group.drain(..) {
            if let Err(error) = check::shape(&job.batch) {
                done.push((job, Answered { answer: Answer::Refused(error), generation: 0 }));
                continue;
            }
            let Some((reply, generation)) = replies.next() else {
                again.push_back(job);
                continue;
            };
            let answer = match reply {
                Ok(reply) => batch::answer(reply),
                Err(Error::Server { code, message, .. }) if is_passing(&code) => {
                    refusal = Some(format!("{code} {message}"));
                    Answer::Refused(StoreError::Unwritable)
                }
                Err(Error::Server { code, message, .. }) => {
                    Answer::Refused(StoreError::Corrupt(format!("Redis answered {code}: {message}")))
                }
                Err(why) => {
                    job.sent |= why.may_have_run();
                    error.get_or_insert(why);
                    again.push_back(job);
                    continue;
                }
            };
            let answer = match answer {
                Answer::Generation => {
                    self.shared.lanes.forget(job.lane);
                    error.get_or_insert(Error::NoPrimary { shard: self.shard });
                    again.push_back(job);
                    continue;
                }
                Answer::Known { seq, record, rev } => {
                    found = true;
                    let own = if job.sent { batch::own(&job.batch, seq, &record, rev) } else { None };
                    own.unwrap_or(Answer::Known { seq, record, rev })
                }
                other => other,
            };
            done.push((job, Answered { answer, generation }));
        }
        Settled { done, found, again, error, refusal }
    }

    /// Says once that the server stores nothing, and once that it does.
    fn says(&mut self, refusal: Option<String>, done: &[(Job, Answered)]) {
        match refusal {
            Some(error) if !self.refusing => {
                self.refusing = true;
                tracing::error!(shard = self.shard, error, "storage: Redis answers and stores nothing at the moment");
            }
            None if self.refusing && done.iter().any(|(_, a)| matches!(a.answer, Answer::Written { .. })) => {
                self.refusing = false;
                tracing::info!(shard = self.shard, "storage: Redis stores again");
            }
            _ => {}
        }
    }

    /// Whether enough replicas have it now.
    async fn wait_for_replicas(&self, connection: &Connection, lane: Lane, started: Instant) -> bool {
        let replicas = self.shared.options.ack_replicas;
        while started.elapsed() < REPLICAS {
            // `WAIT` counts what this connection wrote: what others wrote is counted from its next write on
            let calls: Pipeline = wait(self.shared.keys.lane(lane), replicas).into_iter().collect();
            match connection.pipeline(&calls).await {
                Ok(replies)
                    if replies.last().is_some_and(|r| r.as_ref().is_ok_and(|n| number(n) >= replicas.into())) =>
                {
                    return true;
                }
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        false
    }

    /// Lets whoever counts see what is safe now.
    fn count(&self, done: &[(Job, Answered)], started: Instant) {
        let Some(observer) = &self.shared.options.observer else { return };
        let mut commit = GroupCommit { took: started.elapsed(), ..GroupCommit::default() };
        for (job, _) in done.iter().filter(|(_, answered)| matches!(answered.answer, Answer::Written { .. })) {
            commit.batches += 1;
            commit.records += check::appended(&job.batch.ops).count();
        }
        if commit.batches > 0 {
            observer.saw(commit);
        }
    }

    /// Tells the feed, the callers and the other servers.
    async fn report(&self, done: Vec<(Job, Answered)>) {
        let mut gone = Vec::new();
        let (mut items, mut told) = (Vec::with_capacity(done.len()), Vec::new());
        for (job, answer) in done {
            if matches!(answer.answer, Answer::Written { .. }) {
                gone.extend(batch::last_of(&job.batch));
            }
            let Done { item, told: event } = outcome(job, answer);
            let known = matches!(item, Item::Told(_) | Item::Answer(..));
            items.push(item);
            if let Some((event, change)) = event {
                told.push(self.shared.messages(&event, change));
                if known {
                    items.push(Item::Heard(Box::new(event)));
                }
            }
        }
        let missing = self.shared.out.publish(items);
        for (shard, messages) in told {
            self.shared.publish(shard, messages);
        }
        self.shared.check(missing);
        // a place that stays is skipped by those who read
        let forget = gone.into_iter().map(|(visitor, conv)| {
            let key = self.shared.keys.of_visitor(visitor);
            let mut call = cmd("SREM");
            call.arg(&key).arg(&conv.0);
            (kefu_redis_link::lanes::slot(&key), call)
        });
        let forget: Vec<(u16, Cmd)> = forget.collect();
        if !forget.is_empty() {
            drop(self.shared.ask_all(forget).await);
        }
    }

    /// A visitor's index knows a conversation before that has its first row: so none is ever missing there. It may be in another
    /// shard. If that can't be written now, the conversation can't begin, and nothing else waits for it.
    async fn note_visitors(&self, group: &mut VecDeque<Job>) {
        let replicas = self.shared.options.ack_replicas;
        // what was sent before was noted before
        let begins = |job: &Job| {
            let first = check::shape(&job.batch).is_ok().then(|| batch::first_of(&job.batch)).flatten();
            first.filter(|_| !job.sent)
        };
        let mut notes = Vec::new();
        for (visitor, conv) in group.iter().filter_map(begins) {
            let key = self.shared.keys.of_visitor(visitor);
            let slot = kefu_redis_link::lanes::slot(&key);
            let mut call = cmd("SADD");
            call.arg(&key).arg(&conv.0);
            notes.push((slot, call));
            if replicas > 0 {
                notes.push((slot, wait_for(replicas)));
            }
        }
        if notes.is_empty() {
            return;
        }
        if let Err(error) = self.shared.ask_all(notes).await {
            tracing::warn!(%error, "storage: a conversation could not begin: its visitor's list can't be written");
            let (refused, rest) = group.drain(..).partition::<VecDeque<_>, _>(|job| begins(job).is_some());
            *group = rest;
            let refused = refused.into_iter().map(|job| {
                let (conv, id) = (job.batch.conv, check::name(&job.batch));
                not_written(job.reply, conv, id, StoreError::Unwritable)
            });
            self.shared.out.publish(refused.collect());
        }
    }
}

fn wait_for(replicas: u32) -> Cmd {
    let mut wait = cmd("WAIT");
    wait.arg(replicas).arg(WAIT.as_millis() as u64);
    wait
}
