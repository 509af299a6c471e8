//! Moving a company away while its servers run: only one may do it at a time, and for the last seconds nothing is written. The
//! stop ends by itself when the one who asked for it is gone, so that its death costs the servers some seconds and nothing else.
//!
//! Each lane knows who holds it and until when; a server that comes back when that is over takes the hold away. So whoever still
//! finds their own hold in every lane knows that nothing was written since.

use std::time::Duration;

use kefu_redis_link::{Pipeline, cmd};

use super::{
    keys::{COMPANY, Lane},
    raw::{RawDatabase, Standing, moved_or_held, server},
    scripts::SCRIPTS,
    value::{number, parts},
};
use crate::StoreError;

/// Who moves a company.
pub type Mover = [u8; 8];

/// For so long nobody else may begin a move after the last word of the one who does.
const CLAIMED: Duration = Duration::from_secs(15);
/// For so long a hold lasts after it was asked for or renewed.
const HELD: Duration = Duration::from_secs(10);
/// The same between the last question and the decision, which may not end on the way.
const DECIDING: Duration = Duration::from_mins(1);
/// For so long replicas may take to know of it, ms.
const REPLICAS: u64 = 5_000;

impl RawDatabase {
    /// Whether the company may be moved by this one, from now on or still.
    ///
    /// # Errors
    /// Redis can't be reached; so have the other functions.
    pub async fn claim_move(&self, mover: Mover) -> Result<bool, StoreError> {
        let key = self.keys.moving();
        let mut claim = SCRIPTS.replace().call(&[&key]);
        claim.arg("").arg(&mover).arg(CLAIMED.as_millis() as u64);
        let mut renew = SCRIPTS.replace().call(&[&key]);
        renew.arg(&mover).arg(&mover).arg(CLAIMED.as_millis() as u64);
        for call in [renew, claim] {
            if number(&self.of(&key)?.send(&call).await.map_err(server)?) == 1 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Somebody else may move it.
    pub async fn end_move(&self, mover: Mover) -> Result<(), StoreError> {
        let key = self.keys.moving();
        let mut end = SCRIPTS.replace().call(&[&key]);
        // there is nothing shorter than a millisecond
        end.arg(&mover).arg(&mover).arg(1);
        self.send(&key, &end).await
    }

    /// Nothing is written from when this returns: servers are refused as if the company were at `to`. With `ack_replicas` that
    /// many replicas know it, so that a failover does not end it.
    pub async fn hold(&self, mover: Mover, to: &str, ack_replicas: u32) -> Result<(), StoreError> {
        self.each_lane("H", mover, to, HELD).await?;
        if ack_replicas == 0 {
            return Ok(());
        }
        for connection in &self.connections {
            let mut wait = cmd("WAIT");
            wait.arg(ack_replicas).arg(REPLICAS);
            if number(&connection.send(&wait).await.map_err(server)?) < u64::from(ack_replicas) {
                return Err(StoreError::Server(format!(
                    "fewer than {ack_replicas} replicas of {} (storage.ack_replicas) know within five seconds that the company is \
                     being moved",
                    connection.server().address
                )));
            }
        }
        Ok(())
    }

    /// It goes on. An error also means that the hold has ended.
    pub async fn keep_holding(&self, mover: Mover, to: &str) -> Result<(), StoreError> {
        self.each_lane("K", mover, to, HELD).await
    }

    /// Servers may write again.
    pub async fn release(&self, mover: Mover) -> Result<(), StoreError> {
        self.each_lane("R", mover, "", Duration::ZERO).await
    }

    /// The company is at `to`, for good, unless something was written since it was held.
    pub async fn leave(&self, mover: Mover, to: &str) -> Result<(), StoreError> {
        // every lane is asked before the company decides, and none may end its hold before it is told
        self.each_lane("K", mover, to, DECIDING).await?;
        self.lanes(&[COMPANY], "L", mover, to, DECIDING).await?;
        self.lanes(&(0..COMPANY).collect::<Vec<_>>(), "L", mover, to, DECIDING).await
    }

    /// Where the company is.
    pub async fn standing(&self) -> Result<Standing, StoreError> {
        let (key, mut marks) = (self.keys.lane(COMPANY), cmd("HMGET"));
        marks.arg(&key).arg("moved").arg("from").arg("hold");
        let replies = self.of(&key)?.pipeline(&[marks, cmd("TIME")].into_iter().collect()).await.map_err(server)?;
        let replies = replies.into_iter().collect::<Result<Vec<_>, _>>().map_err(server)?;
        let [marks, time] = &replies[..] else { return Ok(Standing::Here) };
        Ok(moved_or_held(&parts(marks.clone()), time))
    }

    async fn each_lane(&self, what: &str, mover: Mover, to: &str, time: Duration) -> Result<(), StoreError> {
        self.lanes(&(0..=COMPANY).collect::<Vec<_>>(), what, mover, to, time).await
    }

    /// Does it to lanes, those of a server at once.
    async fn lanes(
        &self,
        lanes: &[Lane],
        what: &str,
        mover: Mover,
        to: &str,
        time: Duration,
    ) -> Result<(), StoreError> {
        let mut calls: Vec<Vec<_>> = self.connections.iter().map(|_| Vec::new()).collect();
        for lane in lanes {
            let key = self.keys.lane(*lane);
            let mut call = SCRIPTS.hold().call(&[&key]);
            call.arg(what).arg(&mover).arg(to).arg(time.as_millis() as u64);
            calls[self.shard_of(&key)?].push(call);
        }
        for (connection, calls) in self.connections.iter().zip(calls) {
            if calls.is_empty() {
                continue;
            }
            for reply in connection.pipeline(&calls.into_iter().collect::<Pipeline>()).await.map_err(server)? {
                if number(&reply.map_err(server)?) != 1 {
                    return Err(lost());
                }
            }
        }
        Ok(())
    }
}

/// Why a company is not moved after all.
fn lost() -> StoreError {
    StoreError::Server(
        "the servers could not be kept from writing until everything was copied: another move of this company has begun, or this \
         one did not reach Redis for ten seconds"
            .to_owned(),
    )
}
