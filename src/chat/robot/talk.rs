//! What the robot remembers of conversations it is in: the key of the current epoch, erased with the entry, and where it
//! stands. No text.

use std::collections::HashMap;

use crate::{
    bot::Dialogue,
    crypto::{envelope::EpochKey, sign::random},
    proto::ConvId,
};
use parking_lot::{Mutex, MutexGuard};

/// One conversation.
#[derive(Debug, Clone)]
pub(super) struct Talk {
    /// Which epoch the key is of.
    pub epoch: u32,
    /// Opens and seals.
    pub key: EpochKey,
    /// Box kid of the day key that opened the announcement.
    pub day: [u8; 16],
    /// Run of the counter: a new one each time this is made again.
    pub inst: u32,
    /// Next position in it.
    pub ctr: u32,
    /// Records up to here are dealt with.
    pub done: u64,
    /// What it said before; 0 and no after a restart.
    pub dialogue: Dialogue,
    /// Whether it is Chinese, as far as the visitor's words and their form say.
    pub zh: Option<bool>,
    /// Hash of the last message, announcement or recall up to there.
    pub prev: [u8; 16],
}

impl Talk {
    /// A talk that begins, or goes on after a restart.
    pub fn new(epoch: u32, key: EpochKey, day: [u8; 16], done: u64) -> Self {
        Self {
            epoch,
            key,
            day,
            inst: u32::from_be_bytes(random()),
            ctr: 0,
            done,
            dialogue: Dialogue::default(),
            zh: None,
            prev: [0; 16],
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Talks(Mutex<HashMap<ConvId, Talk>>);

impl Talks {
    fn map(&self) -> MutexGuard<'_, HashMap<ConvId, Talk>> {
        self.0.lock()
    }

    /// A copy, for one turn.
    pub fn get(&self, conv: ConvId) -> Option<Talk> {
        self.map().get(&conv).cloned()
    }

    /// Remembers.
    pub fn put(&self, conv: ConvId, talk: Talk) {
        self.map().insert(conv, talk);
    }

    /// Changes what is remembered, if it still is.
    pub fn update(&self, conv: ConvId, epoch: u32, change: impl FnOnce(&mut Talk)) {
        if let Some(talk) = self.map().get_mut(&conv).filter(|t| t.epoch == epoch) {
            change(talk);
        }
    }

    /// Forgets a conversation unless it is in this epoch.
    pub fn keep(&self, conv: ConvId, epoch: Option<u32>) {
        let mut map = self.map();
        if map.get(&conv).is_some_and(|t| Some(t.epoch) != epoch) {
            map.remove(&conv);
        }
    }

    /// Forgets those whose day key is gone.
    pub fn retain_days(&self, holds: impl Fn(&[u8; 16]) -> bool) {
        self.map().retain(|_, t| holds(&t.day));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_with_the_epoch_the_owner_and_the_day() {
        let (talks, conv) = (Talks::default(), ConvId([1; 16]));
        let talk = |epoch| Talk::new(epoch, EpochKey::generate(), [epoch as u8; 16], 0);
        talks.put(conv, talk(3));
        talks.keep(conv, Some(3));
        assert!(talks.get(conv).is_some());
        talks.update(conv, 2, |t| t.ctr = 9);
        assert_eq!(talks.get(conv).unwrap().ctr, 0, "a turn of an older epoch changes nothing");
        talks.keep(conv, Some(4));
        assert!(talks.get(conv).is_none(), "the next epoch began");
        talks.put(conv, talk(4));
        talks.keep(conv, None);
        assert!(talks.get(conv).is_none(), "it is somebody else's");
        talks.put(conv, talk(5));
        talks.retain_days(|kid| *kid != [5; 16]);
        assert!(talks.get(conv).is_none(), "its day is over");
    }
}
