//! What the other servers say: signals, and requests to the desk that is here.

use futures_util::future::{BoxFuture, FutureExt as _};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{Chat, DeskAnswer, DeskMessage, DeskRequest};
use crate::proto::{AgentState, TeamId, TeamPresence, UserId};

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

    /// Another server says something. One of a later version may say what is not known here.
    pub fn heard(&self, signal: &[u8]) {
        match serde_json::from_slice(signal) {
            Ok(Signal::Presence { team, now }) => self.presence.set(team, now),
            Ok(Signal::Status { user, state }) => self.statuses.note(&user, state),
            Err(e) => tracing::debug!(error = %e, "another server said something that is not known here"),
        }
    }

    /// Another server asks the desk.
    pub fn asked(&self, question: &[u8]) -> BoxFuture<'static, Vec<u8>> {
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
