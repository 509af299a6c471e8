//! Messages to the desk's task, and the handle that sends them.

use tokio::sync::{mpsc, oneshot};

use super::RequestError;
use crate::{
    desk::{Desk, Event},
    proto::{AgentState, ConvId, ErrorCode, TeamId, UserId},
};

/// A message to the desk's task.
pub enum DeskMessage {
    /// A change that was committed.
    Fact(Event),
    /// An agent answers an offer and waits for the outcome.
    Accept {
        /// Which conversation.
        conv: ConvId,
        /// The agent.
        user: UserId,
        /// Receives the outcome.
        reply: oneshot::Sender<Result<(), RequestError>>,
    },
    /// An agent's socket connected. Their last chosen state is looked up when the desk handles this, not before.
    Connected {
        /// The agent.
        user: UserId,
        /// Display name.
        name: String,
        /// Whose queues they serve.
        teams: Vec<TeamId>,
    },
    /// An agent changes their state.
    Status {
        /// The agent.
        user: UserId,
        /// The new state.
        state: AgentState,
        /// Resolves once it is stored.
        reply: oneshot::Sender<()>,
    },
    /// What could not be kept so far is tried again.
    SaveStatuses,
    /// A query of the desk's state.
    Ask(Box<dyn FnOnce(&Desk) + Send>),
}

/// The way to the desk's task. It ends only after the last socket, at shutdown; what is sent then is dropped.
#[derive(Debug, Clone)]
pub(super) struct DeskHandle(mpsc::UnboundedSender<DeskMessage>);

impl DeskHandle {
    /// With the end that the task reads.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<DeskMessage>) {
        let (sender, inbox) = mpsc::unbounded_channel();
        (Self(sender), inbox)
    }

    /// Sends without waiting.
    pub fn send(&self, message: DeskMessage) {
        let _ = self.0.send(message);
    }

    /// Reports a committed change.
    pub fn fact(&self, event: Event) {
        self.send(DeskMessage::Fact(event));
    }

    /// An agent answers an offer; the outcome comes back once it is stored.
    pub async fn accept(&self, conv: ConvId, user: UserId) -> Result<(), RequestError> {
        let (reply, outcome) = oneshot::channel();
        self.send(DeskMessage::Accept { conv, user, reply });
        outcome.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// An agent changes their state; returns once it is stored.
    pub async fn status(&self, user: UserId, state: AgentState) -> Result<(), RequestError> {
        let (reply, done) = oneshot::channel();
        self.send(DeskMessage::Status { user, state, reply });
        done.await.map_err(|_| stopping())
    }

    /// Asks the desk; none at shutdown.
    pub async fn ask<T: Send + 'static>(&self, question: impl FnOnce(&Desk) -> T + Send + 'static) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.send(DeskMessage::Ask(Box::new(move |desk| drop(reply.send(question(desk))))));
        answer.await.ok()
    }
}

fn stopping() -> RequestError {
    RequestError::new(ErrorCode::Conflict, "the server is stopping")
}
