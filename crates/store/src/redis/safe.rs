//! Up to when what a primary holds is as safe as a commit must be. A record can be read as soon as it is written, but what too few
//! replicas have may be taken back by a failover, and then another record gets its number. So it is shown to nobody.
//!
//! One connection a shard waits for the replicas of all readers. Old records cost no waiting: it is remembered up to which time,
//! by the primary's clock, all is safe.

use std::{collections::HashMap, sync::Arc};

use kefu_redis_link::{Connection, Error, Pipeline, cmd};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{
    Shared,
    enter::{self, Unusable},
    fill::wait,
    keys::Lane,
    value::{number, strings},
};

/// What is known of each shard.
#[derive(Debug, Default)]
pub(super) struct Safe(Mutex<HashMap<usize, Arc<Shard>>>);

#[derive(Debug, Default)]
struct Shard {
    known: Mutex<Known>,
    /// Of those who wait, one at a time.
    connection: tokio::sync::Mutex<Option<Connection>>,
}

#[derive(Debug, Default)]
struct Known {
    /// The process it is known of.
    process: String,
    /// Everything that was written before this time is safe, ms.
    before: u64,
    /// When too few replicas were there last.
    failed: Option<Instant>,
}

impl Shard {
    /// Before which time all of this process is safe, and whether it was found since `asked` that no more is.
    fn known(&self, process: &str, asked: Instant) -> (u64, bool) {
        let known = self.known.lock();
        match known.process == process {
            true => (known.before, known.failed.is_some_and(|failed| failed > asked)),
            false => (0, false),
        }
    }
}

impl Shared {
    /// Before which time everything is safe that was read in `lane` from this process: all of it, unless too few replicas are
    /// there. `newest`: the latest time that was read; for the largest number replicas are waited for in any case.
    pub(super) async fn safe_before(
        self: &Arc<Self>,
        (shard, lane): (usize, Lane),
        process: &str,
        newest: u64,
    ) -> Result<u64, Unusable> {
        let (asked, replicas) = (Instant::now(), self.options.ack_replicas);
        let place = self.safe.0.lock().entry(shard).or_default().clone();
        if replicas == 0 || newest < place.known(process, asked).0 {
            return Ok(u64::MAX);
        }
        let mut held = place.connection.lock().await;
        // somebody may have waited for it meanwhile
        let (before, failed) = place.known(process, asked);
        if newest < before || failed {
            return Ok(if failed { before } else { u64::MAX });
        }
        let connection = match held.take().filter(|c| c.is_open() && c.server().run_id == process) {
            Some(connection) => connection,
            None => enter::open(self, shard, "safe", 0).await?,
        };
        if connection.server().run_id != process {
            return Err(Error::NoPrimary { shard }.into());
        }
        // what was read is older than this time, and than the write whose replicas are counted
        let calls: Pipeline = [cmd("TIME")].into_iter().chain(wait(self.keys.lane(lane), replicas)).collect();
        let replies = connection.pipeline(&calls).await?;
        *held = Some(connection);
        let [time, written, acknowledged] = <[_; 3]>::try_from(replies).map_err(|_| Error::NoPrimary { shard })?;
        let enough = written.is_ok() && number(&acknowledged?) >= u64::from(replicas);
        let time: Vec<u64> = strings(time?).iter().filter_map(|n| std::str::from_utf8(n).ok()?.parse().ok()).collect();
        let mut known = place.known.lock();
        if known.process != process {
            *known = Known { process: process.to_owned(), ..Known::default() };
        }
        if let ([seconds, micros], true) = (&time[..], enough) {
            known.before = seconds * 1_000 + micros / 1_000;
            return Ok(u64::MAX);
        }
        known.failed = Some(Instant::now());
        Ok(known.before)
    }
}
