//! What happens in conversations: one file a use case, and the fan-out that follows a commit.
//!
//! How a message travels: [`Chat::post`] checks it against the conversation's cell and hands a batch to the store; the
//! store's writer makes it durable; `fanout` hears of it and delivers. Nothing is told to anybody before it is on disk,
//! and the sender's own copy of the record is the acknowledgement. Changes of owner travel the same way: the desk
//! decides, [`desk_task`] writes, the fan-out tells the desk and the people what became fact.
//!
//! Here are no sockets (that is `http`), no rules of assignment (`desk`) or of answers (`robot`), no bytes of encryption (`crypto`).

mod announce;
mod assign;
mod cells;
mod close;
mod connect;
mod conversation;
pub mod desk_task;
mod empty;
mod fanout;
mod history;
mod idle;
mod limits;
mod list;
mod lookup;
mod members;
mod missed;
mod open;
mod post;
mod presence;
mod recall;
mod receipt;
mod restore;
mod robot;
mod shown;
mod space;
mod status;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    net::IpAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::{
    crypto::directory::{ActiveAgent, Role},
    hub::{Conn, Frame, Hub, Who},
    org::Org,
    proto::{AgentState, ConvId, ErrorCode, Limit, MsgId, ServerFrame, TeamId, UserId},
    store::{Store, StoreError},
    telemetry::Metrics,
};

pub use conversation::{Cell, Mover, Row};
pub use empty::Empty;
pub use history::HISTORY_RECORDS;
pub use limits::{LimitedCount, Rate, Rates};
pub use list::{Cursor, GREETING, LOOKED_AT, Page, Tab};
pub use lookup::{KnowledgeSource, MAX_SITE_KNOWLEDGE, SiteKnowledge};
pub use missed::{COUNTED, all_missed};
pub use open::Opening;
pub use post::Refused;
pub use robot::{NoParticipant, Participant, RobotCounts, RobotReply, Snapshot};
pub use shown::Reader;

use limits::{Act, Limited};
/// When to try again while the database is being opened, ms.
const REOPENING_MS: u64 = 3_000;

/// A request or an envelope was not carried out, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// What a program does about it.
    pub code: ErrorCode,
    /// What a person reads.
    pub text: Cow<'static, str>,
    /// When to try again, ms from now.
    pub retry_ms: Option<u64>,
    /// Which limit was met, if one was.
    pub limit: Option<Limit>,
}

impl Refusal {
    /// A refusal with a text.
    pub fn new(code: ErrorCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), retry_ms: None, limit: None }
    }

    fn malformed(text: &'static str) -> Self {
        Self::new(ErrorCode::Malformed, text)
    }

    fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "there is no such conversation here")
    }

    fn epoch_over() -> Self {
        Self::new(ErrorCode::EpochStale, "this epoch is over; announce the next one and seal again")
    }

    fn limited(l: Limited) -> Self {
        let text = match l.limit {
            Limit::Messages => "too many messages; wait a moment",
            Limit::Openings => "too many new conversations from this address; wait a while",
            Limit::Changes => "closed and opened again too often; wait a while",
            Limit::Keys => "too many changes of keys; wait a while",
            Limit::Bytes => "this is all that one visitor, or one address, may leave here in a day",
            Limit::Conversation => "this conversation is full; begin a new one",
            Limit::Reads => "too many requests; wait a moment",
        };
        let code = if l.retry_ms.is_some() { ErrorCode::RateLimited } else { ErrorCode::TooLarge };
        Self { retry_ms: l.retry_ms, limit: Some(l.limit), ..Self::new(code, text) }
    }

    /// As a frame for the socket.
    pub fn frame(&self, req: Option<u64>, conv: Option<ConvId>, msg: Option<MsgId>) -> ServerFrame {
        ServerFrame::Error {
            code: self.code,
            text: self.text.to_string(),
            req,
            conv,
            msg,
            retry_ms: self.retry_ms,
            limit: self.limit,
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Conflict | StoreError::Duplicate { .. } => Self::new(ErrorCode::Conflict, e.to_string()),
            // the store said so itself, once
            StoreError::Unwritable => Self {
                retry_ms: Some(space::RETRY_MS),
                ..Self::new(ErrorCode::Storage, "the server can store nothing for the moment; it is tried again")
            },
            StoreError::Reopening => Self {
                retry_ms: Some(REOPENING_MS),
                ..Self::new(ErrorCode::Storage, "the server can't read its database for the moment; try again")
            },
            // the disk's own words are for the log, not for strangers
            _ => {
                tracing::error!(error = %e, "store");
                Self::new(ErrorCode::Storage, "the server could not store this; nothing was lost, try again")
            }
        }
    }
}

/// What the desk task hears.
pub enum DeskMessage {
    /// A fact.
    Fact(crate::desk::Event),
    /// An agent answers an offer and waits for the outcome.
    Accept {
        /// Which conversation.
        conv: ConvId,
        /// Who.
        user: UserId,
        /// The outcome.
        reply: tokio::sync::oneshot::Sender<Result<(), Refusal>>,
    },
    /// An agent's socket is there. What they chose last is looked up when the desk hears of it, not before.
    Connected {
        /// Who.
        user: UserId,
        /// Display name.
        name: String,
        /// Whose queues they serve.
        teams: Vec<TeamId>,
    },
    /// An agent says something else of themself.
    Status {
        /// Who.
        user: UserId,
        /// What.
        state: AgentState,
        /// That it is kept.
        reply: tokio::sync::oneshot::Sender<()>,
    },
    /// What could not be kept so far is tried again.
    SaveStatuses,
    /// Somebody asks about the desk.
    Ask(Box<dyn FnOnce(&crate::desk::Desk) + Send>),
}

/// The conversations of this server. See the module.
pub struct Chat {
    store: Arc<dyn Store>,
    org: Arc<Org>,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
    cells: cells::Cells,
    limits: limits::Limits,
    desk: mpsc::UnboundedSender<DeskMessage>,
    presence: presence::Board,
    status: status::Board,
    participant: Arc<dyn Participant>,
    robot_counters: robot::RobotCounters,
    missed: missed::Board,
    /// Conversations whose receipt marks are not stored yet.
    dirty: Mutex<Vec<ConvId>>,
}

impl Chat {
    /// Loads the open conversations. The receiver goes to [`desk_task::run`], the store's feed to [`Chat::fan_out`].
    pub fn new(
        store: Arc<dyn Store>,
        org: Arc<Org>,
        hub: Arc<Hub>,
        metrics: Arc<Metrics>,
        rates: Rates,
        participant: Arc<dyn Participant>,
    ) -> Result<(Arc<Self>, mpsc::UnboundedReceiver<DeskMessage>), StoreError> {
        let (desk, inbox) = mpsc::unbounded_channel();
        let chat = Self {
            cells: cells::Cells::default(),
            limits: limits::Limits::new(&rates),
            presence: presence::Board::default(),
            status: status::Board::default(),
            participant,
            robot_counters: robot::RobotCounters::default(),
            missed: missed::Board::default(),
            dirty: Mutex::default(),
            store,
            org,
            hub,
            metrics,
            desk,
        };
        chat.load_open()?;
        chat.load_statuses()?;
        chat.load_missed()?;
        Ok((Arc::new(chat), inbox))
    }

    /// Sockets and their topics.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Who is who.
    pub fn org(&self) -> &Arc<Org> {
        &self.org
    }

    /// One try of a password from this address.
    pub fn limit_login(&self, address: Address) -> Result<(), Refusal> {
        self.limits.login(address, now_ms()).map_err(|wait| Refusal {
            retry_ms: Some(wait),
            ..Refusal::new(ErrorCode::RateLimited, "too many sign-ins from this address; wait a moment")
        })
    }

    /// A request of somebody, known or not, that costs so many reads.
    pub fn limit_read(&self, who: Option<&Who>, address: Address, cost: u32) -> Result<(), Refusal> {
        self.limits.read(who, address, cost, now_ms()).map_err(|l| self.limited(l))
    }

    /// Who was limited in the last ten minutes, by limit, as counts.
    pub fn limited_lately(&self) -> BTreeMap<&'static str, LimitedCount> {
        self.limits.limited(now_ms())
    }

    /// Takes what an act of a visitor costs; agents have rates of their own.
    fn charge(&self, conn: &Conn, address: Address, act: Act) -> Result<(), Refusal> {
        match &conn.who {
            Who::Visitor { kid, .. } => self.limits.visitor(*kid, address, act, now_ms()).map_err(|l| self.limited(l)),
            Who::Agent { .. } => Ok(()),
        }
    }

    fn limited(&self, l: Limited) -> Refusal {
        self.metrics.limited.inc(l.limit.name());
        Refusal::limited(l)
    }

    fn fact(&self, event: crate::desk::Event) {
        // the desk task ends only after the last socket, at shutdown
        let _ = self.desk.send(DeskMessage::Fact(event));
    }

    /// The agent behind an id, if they are switched on.
    fn agent(&self, user: &UserId) -> Option<ActiveAgent> {
        self.org.active(user)
    }

    /// May this socket see the conversation at all?
    fn sees(&self, who: &Who, cell: &Cell) -> bool {
        match who {
            Who::Visitor { kid, .. } => *kid == cell.visitor,
            Who::Agent { user, kid } => {
                cell.row.empty.is_none()
                    && self.agent(user).is_some_and(|a| a.kid == *kid && a.teams.contains(&cell.row.team))
            }
        }
    }

    /// The agent of a socket that asks for something only agents may.
    fn require_agent(&self, conn: &Conn) -> Result<ActiveAgent, Refusal> {
        let user = conn.who.user().ok_or_else(|| Refusal::new(ErrorCode::Forbidden, "only agents may do this"))?;
        // a key that was replaced is no longer the agent's, even before its socket is closed
        let agent = self.agent(user).filter(|a| a.kid == conn.who.kid());
        agent.ok_or_else(|| Refusal::new(ErrorCode::Forbidden, "this account is off"))
    }
}

/// Whether a role may act on colleagues' conversations.
fn leads(role: Role) -> bool {
    matches!(role, Role::Supervisor | Role::Admin)
}

/// A text frame.
fn text(frame: &ServerFrame) -> Frame {
    // derived serialisation of plain fields has no way to fail
    Frame::text(serde_json::to_string(frame).unwrap_or_default())
}

/// The time, ms since 1970.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

/// An id for a record that no client chose.
fn event_id() -> MsgId {
    MsgId(crate::crypto::sign::random())
}

/// Where a socket comes from, for limits.
pub type Address = IpAddr;
