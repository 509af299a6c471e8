//! Questions to Redis: one connection a shard for all of them, and another try when it has ended.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kefu_redis_link::{Backoff, Cmd, Connection, Error, Pipeline, Value, lanes::slot_of};
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
        if let Some(connection) = place.as_ref().filter(|connection| connection.is_open()) {
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
        let (end, mut backoff) = (Instant::now() + PATIENCE, Backoff::default());
        loop {
            if self.out.is_closed() {
                return Err(StoreError::Closed);
            }
            match self.ask_once(&questions).await {
                Ok(answers) => return Ok(answers),
                Err(Unusable::Refused(error)) => return Err(error),
                Err(Unusable::Link(Error::Server { code, message, .. })) if !is_passing(&code) => {
                    return Err(StoreError::Corrupt(format!("Redis answered {code}: {message}")));
                }
                Err(Unusable::Link(error)) => {
                    if error.is_topology() {
                        self.link.refresh();
                    }
                    if Instant::now() >= end {
                        return Err(StoreError::Reopening);
                    }
                }
            }
            backoff.wait().await;
        }
    }

    async fn ask_once(self: &Arc<Self>, questions: &[(u16, Cmd)]) -> Result<Vec<Value>, Unusable> {
        let mut by_shard: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, (slot, _)) in questions.iter().enumerate() {
            let shard = self.shard(*slot).ok_or(Error::NoPrimary { shard: 0 })?;
            by_shard.entry(shard).or_default().push(at);
        }
        let asked = by_shard.into_iter().map(async |(shard, which)| {
            let connection = self.reader(shard).await?;
            let pipeline: Pipeline = which.iter().map(|at| questions[*at].1.clone()).collect();
            Ok::<_, Unusable>((which, connection.pipeline(&pipeline).await?))
        });
        let mut answers = vec![Value::Nil; questions.len()];
        for asked in futures_util::future::join_all(asked).await {
            let (which, replies) = asked?;
            for (at, reply) in which.into_iter().zip(replies) {
                answers[at] = reply?;
            }
        }
        Ok(answers)
    }
}

/// Whether a server that says so may say something else soon.
pub(super) fn is_passing(code: &str) -> bool {
    matches!(code, "BUSY" | "NOSCRIPT" | "OOM" | "MISCONF" | "NOREPLICAS")
}
