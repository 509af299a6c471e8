//! What may be written while the disk, or the memory of Redis, is almost full, or full; and who is notified.
//!
//! `Full` is the store's own business: it refuses every batch. `Low` is a rule about people: what strangers can write has no
//! end, what the company's own people need to end their conversations is small. What the server itself writes (closings,
//! changes of owner) is small, too, and continues.

use crate::{
    hub::{Conn, Topic, Who},
    proto::{ErrorCode, ServerFrame, StorageState},
};

use super::{Chat, RequestError, text};

/// Largest envelope of an agent while there is little room.
const SHORT: usize = 4 * 1024;
/// When to try again, ms: it is unknown when space will be freed.
pub(super) const RETRY_MS: u64 = 30_000;

fn refusal(text: &'static str) -> RequestError {
    RequestError { retry_ms: Some(RETRY_MS), ..RequestError::new(ErrorCode::Storage, text) }
}

/// Whether a client may write this many bytes in this state.
fn may_write(state: StorageState, who: &Who, bytes: usize) -> Result<(), RequestError> {
    match (state, who) {
        (StorageState::Ok, _) => Ok(()),
        (StorageState::Full, _) => Err(refusal("the server's storage is full; nothing can be stored at the moment")),
        (StorageState::Low, Who::Visitor { .. }) => {
            Err(refusal("the server's storage is almost full; this cannot be stored at the moment"))
        }
        (StorageState::Low, Who::Agent { .. }) if bytes > SHORT => {
            Err(refusal("the server's storage is almost full; only short messages can be stored at the moment"))
        }
        (StorageState::Low, Who::Agent { .. }) => Ok(()),
    }
}

impl Chat {
    /// Whether this socket may have so many bytes of its own stored now. To be asked before anything else is done for
    /// them.
    pub(super) fn has_room_for(&self, conn: &Conn, bytes: usize) -> Result<(), RequestError> {
        may_write(self.store.space(), &conn.who, bytes)
    }

    /// What can be stored has changed: agents are notified, states they chose meanwhile are stored, and the robot checks
    /// what it could not answer.
    pub async fn storage_changed(&self, state: StorageState) {
        let frame = text(&ServerFrame::Storage { state });
        for user in self.hub.users() {
            self.hub.publish(&Topic::User(user), |_| Some(frame.clone()));
        }
        self.save_statuses_later();
        if state == StorageState::Ok {
            self.robots().into_iter().for_each(|conv| self.participant.look_at(conv));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Kid;

    #[test]
    fn strangers_give_way_first_then_everybody() {
        use StorageState as S;
        let visitor = Who::Visitor { kid: Kid([1; 16]), site: "s1".parse().unwrap() };
        let agent = Who::Agent { kid: Kid([2; 16]), user: "li".parse().unwrap() };
        for (state, who, bytes, may) in [
            (S::Ok, &visitor, 65_536, true),
            (S::Ok, &agent, 65_536, true),
            (S::Low, &visitor, 1, false),
            (S::Low, &agent, SHORT, true),
            (S::Low, &agent, SHORT + 1, false),
            (S::Full, &visitor, 1, false),
            (S::Full, &agent, 1, false),
        ] {
            let said = may_write(state, who, bytes);
            assert_eq!(said.is_ok(), may, "{state:?} {who:?} {bytes}");
            assert!(said.err().is_none_or(|r| r.code == ErrorCode::Storage && r.retry_ms.is_some()));
        }
    }
}
