//! What is said to the desk. Requests and answers are plain data: the desk may be on another server. There is one desk for the
//! company; [`super::desk_task`] runs it or passes requests on.

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::RequestError;
use crate::{
    bus::Bus,
    desk::{DeskSnapshot, Event, QueueView, Reason},
    proto::{AgentInfo, AgentState, ConvId, ErrorCode, TeamId, UserId},
};

/// A request to the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeskRequest {
    /// An agent's socket connected.
    Connected {
        /// The agent.
        user: UserId,
    },
    /// An agent's last socket on one server is gone.
    Vanished {
        /// The agent.
        user: UserId,
    },
    /// An agent declines an offer.
    Decline {
        /// The conversation.
        conv: ConvId,
        /// The agent.
        user: UserId,
    },
    /// An agent accepts an offer; answered with the outcome.
    Accept {
        /// The conversation.
        conv: ConvId,
        /// The agent.
        user: UserId,
    },
    /// An agent changes their state; answered once it is stored, or can't be at the moment.
    Status {
        /// The agent.
        user: UserId,
        /// The new state.
        state: AgentState,
    },
    /// Who serves these teams.
    Colleagues {
        /// The teams.
        teams: Vec<TeamId>,
    },
    /// The open offers of an agent.
    Offers {
        /// The agent.
        user: UserId,
    },
    /// A visitor's place in the queue.
    Position {
        /// The conversation.
        conv: ConvId,
    },
    /// The desk at a glance.
    Snapshot,
    /// What waits in the queues.
    Queues,
    /// Why a conversation has no agent.
    Explain {
        /// The conversation.
        conv: ConvId,
    },
}

/// What the desk answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeskAnswer {
    /// It is done, or noted.
    Done,
    /// It is not.
    Refused {
        /// The number of the error.
        code: u16,
        /// What a person reads.
        text: String,
    },
    /// To [`DeskRequest::Colleagues`].
    Colleagues(Vec<AgentInfo>),
    /// To [`DeskRequest::Offers`], with the end of each, ms.
    Offers(Vec<(ConvId, u64)>),
    /// To [`DeskRequest::Position`]; none: it is not in a queue.
    Position(Option<u32>),
    /// To [`DeskRequest::Snapshot`].
    Snapshot(DeskSnapshot),
    /// To [`DeskRequest::Queues`].
    Queues(Vec<QueueView>),
    /// To [`DeskRequest::Explain`].
    Explain(Vec<Reason>),
}

impl From<RequestError> for DeskAnswer {
    fn from(e: RequestError) -> Self {
        Self::Refused { code: e.code as u16, text: e.text.into_owned() }
    }
}

impl From<Result<(), RequestError>> for DeskAnswer {
    fn from(outcome: Result<(), RequestError>) -> Self {
        outcome.map_or_else(Self::from, |()| Self::Done)
    }
}

impl DeskAnswer {
    /// There is no desk at the moment.
    pub(super) fn no_desk() -> Self {
        let text = "nobody assigns conversations at this moment; try again in a few seconds";
        RequestError::new(ErrorCode::Conflict, text).into()
    }

    /// The outcome of something that is done or refused.
    fn outcome(self) -> Result<(), RequestError> {
        match self {
            Self::Refused { code, text } => {
                Err(RequestError::new(ErrorCode::from_number(code).unwrap_or(ErrorCode::Conflict), text))
            }
            _ => Ok(()),
        }
    }
}

/// Takes an answer. Called in the desk's own task if the desk is here, so that what it does is in the order of the desk.
pub type Answered = Box<dyn FnOnce(DeskAnswer) + Send>;

/// A message to the task that runs the desk or passes requests on.
pub enum DeskMessage {
    /// A change that was committed. Each server knows of it by itself.
    Fact(Event),
    /// A request.
    Request(DeskRequest, Answered),
    /// A request of another server, answered only if the desk is here.
    Remote(DeskRequest, Answered),
    /// What could not be kept so far is tried again.
    SaveStatuses,
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

    /// Reports something that is not answered.
    pub fn report(&self, request: DeskRequest) {
        self.request(request, |_| {});
    }

    /// Asks; the answer goes to `answered`.
    pub fn request(&self, request: DeskRequest, answered: impl FnOnce(DeskAnswer) + Send + 'static) {
        self.send(DeskMessage::Request(request, Box::new(answered)));
    }

    /// Asks and waits; none at shutdown.
    pub async fn ask(&self, request: DeskRequest) -> Option<DeskAnswer> {
        let (reply, answer) = oneshot::channel();
        self.request(request, move |answer| drop(reply.send(answer)));
        answer.await.ok()
    }

    /// Has something done, and waits for the outcome.
    pub async fn demand(&self, request: DeskRequest) -> Result<(), RequestError> {
        let stopping = || RequestError::new(ErrorCode::Conflict, "the server is stopping");
        self.ask(request).await.ok_or_else(stopping)?.outcome()
    }
}

/// Passes a request on to the server that runs the desk.
pub(super) async fn pass_on(bus: &dyn Bus, request: &DeskRequest) -> DeskAnswer {
    // derived serialisation of plain data has no way to fail
    let question = serde_json::to_vec(request).unwrap_or_default();
    let answer = bus.ask_desk(question).await;
    answer.and_then(|answer| serde_json::from_slice(&answer).ok()).unwrap_or_else(DeskAnswer::no_desk)
}
