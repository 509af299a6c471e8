//! Parts of an upload that come at the same time: the line is in use while a part is stored, and each is stored behind the one before.
//!
//! A part is read when all of the one before was read. Until then its sender waits, and nothing of it is in memory.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, futures::Notified, watch},
    time::timeout,
};

use crate::blobs::{BlobId, PART};

/// A part may be so far ahead of what is stored.
pub const AHEAD: u64 = 3 * PART;
/// It waits at most so long until all of the one before was read.
const PATIENCE: Duration = Duration::from_mins(1);
/// And so long for the one before to begin: on two connections the second may overtake the first, and with several servers the first
/// may be at another one.
pub const BEGIN_PATIENCE: Duration = Duration::from_secs(1);

/// Which part of which upload.
type Place = (BlobId, u64);

/// Parts that are being read or stored, each with whether all of it was read. Its sender is dropped when it is stored, or is not.
#[derive(Default)]
pub struct Turns(Arc<State>);

#[derive(Default)]
struct State {
    parts: Mutex<HashMap<Place, watch::Receiver<bool>>>,
    /// One began or ended.
    changed: Notify,
}

impl Turns {
    /// The part before this one, if it is being read or stored.
    pub fn before(&self, (id, at): Place) -> Option<Before> {
        let place = (id, at.checked_sub(PART)?);
        self.0.parts.lock().get(&place).cloned().map(Before)
    }

    /// Resolves when a part of any upload began or ended after this was called.
    pub fn changed(&self) -> Notified<'_> {
        self.0.changed.notified()
    }

    /// Its turn begins when it is read, and ends when this is dropped.
    pub fn begin(&self, place: Place, before: Option<Before>) -> Turn {
        let (read, receiver) = watch::channel(false);
        // the same part again: the first try may hang on a dead connection
        self.0.parts.lock().insert(place, receiver);
        self.0.changed.notify_waiters();
        Turn { turns: self.0.clone(), place, read, before }
    }
}

/// The part before.
pub struct Before(watch::Receiver<bool>);

impl Before {
    /// Waits until all of it was read. False: it ended without, or takes too long.
    pub async fn was_read(&mut self) -> bool {
        matches!(timeout(PATIENCE, self.0.wait_for(|read| *read)).await, Ok(Ok(_)))
    }

    /// Waits until it is stored, or is not.
    async fn ended(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// A part whose turn it is.
pub struct Turn {
    turns: Arc<State>,
    place: Place,
    read: watch::Sender<bool>,
    before: Option<Before>,
}

impl Turn {
    /// All of it was read. Waits until it can be stored.
    pub async fn was_read(&mut self) {
        self.read.send_replace(true);
        if let Some(before) = self.before.take() {
            before.ended().await;
        }
    }

    /// Which upload it belongs to.
    pub fn id(&self) -> BlobId {
        self.place.0
    }

    /// Where it begins.
    pub fn at(&self) -> u64 {
        self.place.1
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let own = self.read.subscribe();
        let mut parts = self.turns.parts.lock();
        if parts.get(&self.place).is_some_and(|newest| newest.same_channel(&own)) {
            parts.remove(&self.place);
        }
        drop(parts);
        self.turns.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::proto::{ConvId, MsgId};

    fn place(n: u64) -> Place {
        (BlobId { conv: ConvId([1; 16]), msg: MsgId([2; 16]) }, n * PART)
    }

    #[tokio::test]
    async fn a_part_is_read_behind_the_one_before_and_stored_behind_it() {
        let turns = Turns::default();
        assert!(turns.before(place(0)).is_none());
        assert!(turns.before(place(1)).is_none(), "nobody sends the one before");
        let mut first = turns.begin(place(0), None);
        let mut before = turns.before(place(1)).unwrap();
        assert!(before.was_read().now_or_never().is_none());
        first.was_read().await;
        assert!(before.was_read().await);
        let mut second = turns.begin(place(1), Some(before));
        assert!(second.was_read().now_or_never().is_none(), "it is not stored");
        let third = turns.before(place(2)).unwrap().was_read().now_or_never();
        assert_eq!(third, Some(true), "it is read all the same");
        drop(first);
        second.was_read().await;
        drop(second);
        assert!(turns.0.parts.lock().is_empty());
    }

    #[tokio::test]
    async fn what_ends_early_lets_the_next_know() {
        let turns = Turns::default();
        let first = turns.begin(place(0), None);
        let mut before = turns.before(place(1)).unwrap();
        // again, on another connection
        let again = turns.begin(place(0), None);
        drop(first);
        assert!(!before.was_read().await);
        assert!(turns.before(place(1)).is_some());
        drop(again);
        assert!(turns.before(place(1)).is_none());
    }
}
