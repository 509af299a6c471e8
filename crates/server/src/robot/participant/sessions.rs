//! What the robot remembers of conversations it is in: the key of the current epoch, erased with the entry, and how far
//! it has answered. No text.

use std::collections::HashMap;

use crate::{
    crypto::{envelope::EpochKey, sign::random},
    proto::ConvId,
    robot::policy::Dialogue,
};
use parking_lot::{Mutex, MutexGuard};

/// The robot's state in one conversation.
#[derive(Debug, Clone)]
pub(super) struct RobotSession {
    /// Which epoch the key is of.
    pub epoch: u32,
    /// The key of the epoch.
    pub key: EpochKey,
    /// Box kid of the day key that opened the announcement.
    pub day: [u8; 16],
    /// Run of the counter: a new one each time this is made again.
    pub inst: u32,
    /// Next position in it.
    pub ctr: u32,
    /// Records up to here are dealt with.
    pub done: u64,
    /// The last question that has an answer in the log; 0: none has. It names the next answer.
    pub answered: u64,
    /// The dialogue so far; reset after a restart.
    pub dialogue: Dialogue,
    /// Whether it is Chinese, as far as the visitor's messages and their form show.
    pub zh: Option<bool>,
    /// Hash of the last message, announcement or recall up to there.
    pub prev: [u8; 16],
}

impl RobotSession {
    /// A session that begins, or continues after a restart.
    pub fn new(epoch: u32, key: EpochKey, day: [u8; 16], done: u64) -> Self {
        Self {
            epoch,
            key,
            day,
            inst: u32::from_be_bytes(random()),
            ctr: 0,
            done,
            answered: done,
            dialogue: Dialogue::default(),
            zh: None,
            prev: [0; 16],
        }
    }
}

/// The sessions of all conversations.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<ConvId, RobotSession>>);

impl Sessions {
    fn map(&self) -> MutexGuard<'_, HashMap<ConvId, RobotSession>> {
        self.0.lock()
    }

    /// A copy, for one turn.
    pub fn get(&self, conv: ConvId) -> Option<RobotSession> {
        self.map().get(&conv).cloned()
    }

    /// Stores the session of a conversation.
    pub fn put(&self, conv: ConvId, session: RobotSession) {
        self.map().insert(conv, session);
    }

    /// Changes what is remembered, if it still is.
    pub fn update(&self, conv: ConvId, epoch: u32, change: impl FnOnce(&mut RobotSession)) {
        if let Some(session) = self.map().get_mut(&conv).filter(|t| t.epoch == epoch) {
            change(session);
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
        let (sessions, conv) = (Sessions::default(), ConvId([1; 16]));
        let session = |epoch| RobotSession::new(epoch, EpochKey::generate(), [epoch as u8; 16], 0);
        sessions.put(conv, session(3));
        sessions.keep(conv, Some(3));
        assert!(sessions.get(conv).is_some());
        sessions.update(conv, 2, |t| t.ctr = 9);
        assert_eq!(sessions.get(conv).unwrap().ctr, 0, "a turn of an older epoch changes nothing");
        sessions.keep(conv, Some(4));
        assert!(sessions.get(conv).is_none(), "the next epoch began");
        sessions.put(conv, session(4));
        sessions.keep(conv, None);
        assert!(sessions.get(conv).is_none(), "it is somebody else's");
        sessions.put(conv, session(5));
        sessions.retain_days(|kid| *kid != [5; 16]);
        assert!(sessions.get(conv).is_none(), "its day is over");
    }
}
