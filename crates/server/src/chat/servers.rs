//! What the other servers say: signals, and requests to the desk that is here.

use std::collections::BTreeSet;

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{Chat, DeskAnswer, DeskMessage, DeskRequest};
use crate::{
    bus::{BoxKid, Peer},
    hub::{Audience, Frame, Topic},
    proto::{AgentState, ConvId, Marks, Side, TeamId, TeamPresence, UserId},
};

/// What all servers should know and none stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Signal {
    /// Who of a team is there. Said again whenever a server comes.
    Presence {
        /// The team.
        team: TeamId,
        /// The state.
        now: TeamPresence,
    },
    /// The directory has entries up to this one.
    Directory {
        /// The number of the newest.
        seq: u32,
    },
    /// Tags, reasons, targets or blocks changed.
    Labels,
    /// How far a side of a conversation is.
    Marks {
        /// The conversation.
        conv: ConvId,
        /// The side.
        side: Side,
        /// How far.
        marks: Marks,
    },
    /// An agent's state changed, and is stored.
    Status {
        /// The agent.
        user: UserId,
        /// The new state.
        state: AgentState,
    },
}

impl Chat {
    /// Tells the other servers.
    pub(super) fn signal(&self, signal: &Signal) {
        // derived serialisation of plain data has no way to fail
        self.bus.signal(serde_json::to_vec(signal).unwrap_or_default());
    }

    fn directory_grew(&self, seq: u32) {
        if seq > self.org.directory().seq() {
            self.read_company_again();
        }
    }

    fn read_company_again(&self) {
        let org = self.org.clone();
        tokio::spawn(async move {
            if let Err(e) = org.refresh().await {
                tracing::error!(error = %e, "what another server changed in the company can't be read");
            }
        });
    }
}

impl Peer for Chat {
    fn told(&self, topic: &Topic, audience: Audience, frame: &Frame) {
        self.hub.tell(topic, audience, frame);
    }

    fn sockets(&self) -> (BTreeSet<UserId>, u64) {
        (self.hub.users(), self.hub.len() as u64)
    }

    fn day_keys(&self) -> BTreeSet<BoxKid> {
        self.org.robot_keys().map_or_else(BTreeSet::new, |keys| keys.day_keys().into_iter().collect())
    }

    fn figures(&self) -> BoxFuture<'static, Vec<u8>> {
        // derived serialisation of plain data has no way to fail
        ready(serde_json::to_vec(&Self::figures(self)).unwrap_or_default()).boxed()
    }

    fn heard(&self, signal: &[u8]) {
        match serde_json::from_slice(signal) {
            Ok(Signal::Presence { team, now }) => self.presence.set(team, now),
            Ok(Signal::Status { user, state }) => self.statuses.note(&user, state),
            Ok(Signal::Directory { seq }) => self.directory_grew(seq),
            Ok(Signal::Labels) => self.read_company_again(),
            Ok(Signal::Marks { conv, side, marks }) => self.marked_elsewhere(conv, side, marks),
            // a server of a later version may say what is not known here
            Err(e) => tracing::debug!(error = %e, "another server said something that is not known here"),
        }
    }

    fn asked(&self, question: &[u8]) -> BoxFuture<'static, Vec<u8>> {
        let (reply, answer) = oneshot::channel();
        match serde_json::from_slice::<DeskRequest>(question) {
            Ok(request) => {
                let answered = move |answer| drop(reply.send(answer));
                self.desk.send(DeskMessage::Remote(request, Box::new(answered)));
            }
            Err(e) => tracing::debug!(error = %e, "another server asked something that is not known here"),
        }
        async move {
            let answer = answer.await.unwrap_or_else(|_| DeskAnswer::no_desk());
            serde_json::to_vec(&answer).unwrap_or_default()
        }
        .boxed()
    }
}
