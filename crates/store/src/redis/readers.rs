//! Questions to Redis: one connection a shard for all of them, and another try when it has ended.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kefu_redis_link::{Backoff, Cmd, Connection, Error, Pipeline, Reason, Value, lanes::slot_of};
use tokio::{sync::Mutex, time::Instant};

use super::{
    Shared,
    enter::{self, Unusable},
    keys::{COMPANY, Lane},
};
use crate::StoreError;

/// For this long a question is asked again and again while its shard does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The connections of those who read.
#[derive(Debug, Default)]
pub(super) struct Readers(parking_lot::Mutex<HashMap<usize, Arc<Mutex<Option<Connection>>>>>);

impl Shared {
    /// The slot of a lane, or of the company.
    pub(super) fn slot(&self, lane: Lane) -> u16 {
        if lane == COMPANY { kefu_redis_link::lanes::slot(&self.keys.lane(lane)) } else { slot_of(lane) }
    }

    /// The shard that has a slot.
    pub(super) fn shard(&self, slot: u16) -> Option<usize> {
        self.link.map().shard_of_slot(slot).map(|shard| shard.index)
    }

    async fn reader(self: &Arc<Self>, shard: usize) -> Result<Connection, Unusable> {
        let place = self.readers.0.lock().entry(shard).or_default().clone();
        let mut place = place.lock().await;
        // one that is not the primary any more may be there still, and not know it
        let current = |connection: &&Connection| self.lanes.is_current(shard, &connection.server().run_id);
        if let Some(connection) = place.as_ref().filter(|connection| connection.is_open()).filter(current) {
            return Ok(connection.clone());
        }
        let connection = enter::open(self, shard, "reader", 0).await?;
        *place = Some(connection.clone());
        Ok(connection)
    }

    /// Asks one question about a slot.
    pub(super) async fn ask(self: &Arc<Self>, slot: u16, question: Cmd) -> Result<Value, StoreError> {
        let mut answers = self.ask_all(vec![(slot, question)]).await?;
        Ok(answers.pop().unwrap_or(Value::Nil))
    }

    /// Asks questions about slots, all at once. The answers are in the same order.
    pub(super) async fn ask_all(self: &Arc<Self>, questions: Vec<(u16, Cmd)>) -> Result<Vec<Value>, StoreError> {
        let mut tries = Tries::begin();
        loop {
            match self.ask_once(&questions).await {
                Ok((answers, _)) => return Ok(answers),
                Err(error) => tries.next(self, error).await?,
            }
        }
    }

    /// Asks a question about records of a conversation. `newest` finds the time of the last one in the answer; with the answer
    /// comes before which time what is in it is safe.
    pub(super) async fn ask_safe(
        self: &Arc<Self>,
        lane: Lane,
        question: Cmd,
        newest: fn(&Value) -> u64,
    ) -> Result<(Value, u64), StoreError> {
        let (questions, mut tries) = ([(self.slot(lane), question)], Tries::begin());
        loop {
            match self.ask_safe_once(lane, &questions, newest).await {
                Ok(answer) => return Ok(answer),
                Err(error) => tries.next(self, error).await?,
            }
        }
    }

    async fn ask_safe_once(
        self: &Arc<Self>,
        lane: Lane,
        questions: &[(u16, Cmd)],
        newest: fn(&Value) -> u64,
    ) -> Result<(Value, u64), Unusable> {
        let (mut answers, processes) = self.ask_once(questions).await?;
        let answer = answers.pop().unwrap_or(Value::Nil);
        let newest = newest(&answer);
        let before = match processes.into_iter().next() {
            Some((shard, process)) if newest > 0 => self.safe_before((shard, lane), &process, newest).await?,
            _ => u64::MAX,
        };
        Ok((answer, before))
    }

    /// The answers, and which process gave those of each shard.
    async fn ask_once(
        self: &Arc<Self>,
        questions: &[(u16, Cmd)],
    ) -> Result<(Vec<Value>, HashMap<usize, String>), Unusable> {
        if self.out.is_closed() {
            return Err(Unusable::Refused(StoreError::Closed));
        }
        let mut by_shard: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, (slot, _)) in questions.iter().enumerate() {
            let shard = self.shard(*slot).ok_or(Error::NoPrimary { shard: 0 })?;
            by_shard.entry(shard).or_default().push(at);
        }
        let asked = by_shard.into_iter().map(async |(shard, which)| {
            let connection = self.reader(shard).await?;
            let pipeline: Pipeline = which.iter().map(|at| questions[*at].1.clone()).collect();
            let replies = connection.pipeline(&pipeline).await?;
            Ok::<_, Unusable>((shard, which, replies, connection))
        });
        let (mut answers, mut processes) = (vec![Value::Nil; questions.len()], HashMap::new());
        for asked in futures_util::future::join_all(asked).await {
            let (shard, which, replies, connection) = asked?;
            processes.insert(shard, connection.server().run_id.clone());
            for (at, reply) in which.into_iter().zip(replies) {
                answers[at] = reply.inspect_err(|error| {
                    if let Error::Moved { reason: Reason::Moved | Reason::ReadOnly | Reason::MasterDown, .. } = error {
                        // what was the primary may be a replica now, which keeps its connections
                        connection.end("it is not the server to ask");
                    }
                })?;
            }
        }
        Ok((answers, processes))
    }
}

/// A question that is asked until it is answered, or patience ends.
struct Tries {
    end: Instant,
    backoff: Backoff,
}

impl Tries {
    fn begin() -> Self {
        Self { end: Instant::now() + PATIENCE, backoff: Backoff::default() }
    }

    /// Waits before the next try, unless there is none after this error.
    async fn next(&mut self, shared: &Shared, error: Unusable) -> Result<(), StoreError> {
        match error {
            Unusable::Refused(error) => return Err(error),
            Unusable::Link(Error::Server { code, message, .. }) if !is_passing(&code) => {
                return Err(StoreError::Corrupt(format!("Redis answered {code}: {message}")));
            }
            Unusable::Link(error) if error.is_topology() => shared.link.refresh(),
            Unusable::Link(_) => {}
        }
        if Instant::now() >= self.end {
            return Err(StoreError::Reopening);
        }
        self.backoff.wait().await;
        Ok(())
    }
}

/// Whether a server that says so may say something else soon.
pub(super) fn is_passing(code: &str) -> bool {
    matches!(code, "BUSY" | "NOSCRIPT" | "OOM" | "MISCONF" | "NOREPLICAS")
}
