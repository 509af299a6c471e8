//! What happens in conversations: one file a use case, and the fan-out that follows a commit.
//!
//! How a message travels: [`Chat::post`] checks it against the cached conversation and hands a batch to the store; the
//! store's writer makes it durable; `fanout` receives the commit and delivers. Nothing is sent to anyone before it is on disk,
//! and the sender's own copy of the record is the acknowledgement. Changes of owner travel the same way: the desk
//! decides, [`desk_task`] writes, the fan-out reports the commit to the desk and the clients.
//!
//! Here are no sockets (that is `http`), no rules of assignment (`desk`) or of answers (`robot`), no bytes of encryption
//! (`crypto`).

mod announce;
mod assign;
mod attachments;
mod cache;
mod close;
mod connect;
mod conversation;
mod desk_message;
pub mod desk_task;
mod elsewhere;
mod empty;
mod fanout;
mod figures;
mod filter;
mod followers;
mod generations;
mod hand_over;
mod handling;
mod history;
mod idle;
mod limits;
mod list;
mod lookup;
mod members;
mod mention;
mod missed;
mod open;
mod persons;
mod post;
mod presence;
mod rate;
mod recall;
mod receipt;
mod request_error;
mod restore;
pub mod retention;
mod robot;
mod row;
mod rules;
mod servers;
mod shown;
mod space;
mod status;
mod together;
mod visitors;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use tokio::sync::{mpsc, watch};

use crate::{
    bus::{Announcer, Bus},
    crypto::directory::{ActiveAgent, Role},
    hub::{Audience, Conn, Frame, Hub, Topic, Who},
    org::Org,
    proto::{ErrorCode, MsgId, ServerFrame, UserId},
    store::{Store, StoreError},
    telemetry::Metrics,
};

pub use attachments::{Attachments, Download, FileRules, FileTotals, FilesUnseen, StrangeFile, verify_files};
pub use conversation::CachedConversation;
pub use desk_message::{DeskAnswer, DeskMessage, DeskRequest};
pub use figures::Figures;
pub use filter::Filter;
pub use hand_over::MAX_HANDED_OVER;
pub use history::HISTORY_RECORDS;
pub use limits::{LimitedCount, Rate, Rates};
pub use list::{Cursor, GREETING, LOOKED_AT, Page, Tab};
pub use lookup::{KnowledgeSource, MAX_SITE_KNOWLEDGE, SiteKnowledge};
pub use missed::{COUNTED, all_missed};
pub use open::Opening;
pub use persons::MAX_GRANT;
pub use post::{Posting, RejectedEnvelope};
pub use request_error::RequestError;
pub use robot::{NoParticipant, Participant, Pin, Posted, RobotCounts, RobotReply, Snapshot};
pub use row::{Empty, Mover, Row, facts_of};
pub use rules::ConversationRules;
pub use shown::Reader;

use desk_message::DeskHandle;
use limits::{Act, Limited};

/// The conversations of this server: what the use cases share.
pub struct Chat {
    store: Arc<dyn Store>,
    org: Arc<Org>,
    hub: Arc<Hub>,
    bus: Arc<dyn Bus>,
    announcer: Announcer,
    metrics: Arc<Metrics>,
    cache: cache::ConversationCache,
    limits: limits::Limits,
    desk: DeskHandle,
    presence: presence::Board,
    statuses: status::Statuses,
    participant: Arc<dyn Participant>,
    visitors: visitors::VisitorIndex,
    robot_counters: robot::RobotCounters,
    missed: missed::MissedConversations,
    pending_receipts: receipt::PendingReceipts,
    not_before: idle::NotBefore,
    attachments: Arc<Attachments>,
}

/// Where everything is that people sent.
pub struct Stored {
    /// Conversations.
    pub store: Arc<dyn Store>,
    /// Their files.
    pub attachments: Attachments,
}

impl Chat {
    /// Loads the open conversations. The receiver goes to [`desk_task::run`], the store's feed to [`Chat::fan_out`].
    pub async fn new(
        Stored { store, attachments }: Stored,
        org: Arc<Org>,
        hub: Arc<Hub>,
        bus: Arc<dyn Bus>,
        metrics: Arc<Metrics>,
        rates: Rates,
        participant: Arc<dyn Participant>,
    ) -> Result<(Arc<Self>, mpsc::UnboundedReceiver<DeskMessage>), StoreError> {
        let (desk, inbox) = DeskHandle::new();
        let directory = org.directory();
        let announcer = Announcer::new(hub.clone(), bus.clone());
        let chat = Self {
            cache: cache::ConversationCache::new(store.clone()),
            limits: limits::Limits::new(&rates),
            presence: presence::Board::default(),
            statuses: status::Statuses::load(store.clone(), announcer.clone(), &directory).await?,
            participant,
            visitors: visitors::VisitorIndex::default(),
            robot_counters: robot::RobotCounters::default(),
            missed: missed::MissedConversations::load(store.clone(), hub.clone(), metrics.clone(), &directory).await?,
            pending_receipts: receipt::PendingReceipts::default(),
            not_before: idle::NotBefore::default(),
            attachments: Arc::new(attachments),
            store,
            org,
            hub,
            bus,
            announcer,
            metrics,
            desk,
        };
        chat.cache.load_open().await?;
        Ok((Arc::new(chat), inbox))
    }

    /// Drops from memory what is neither followed nor waiting. Called periodically.
    pub fn sweep(&self) {
        self.cache.sweep(|conv| self.hub.listeners(&Topic::Conv(conv)) > 0);
    }

    /// The company's clock, ms since 1970.
    pub fn now_ms(&self) -> u64 {
        self.org.now_ms()
    }

    /// Whether this server runs the desk, and what else one server does for all.
    pub fn leads(&self) -> watch::Receiver<bool> {
        self.bus.leads()
    }

    /// Whether an agent has a socket on any server.
    pub fn is_connected(&self, user: &UserId) -> bool {
        self.hub.listeners(&Topic::User(user.clone())) > 0 || self.bus.agents().borrow().contains(user)
    }

    /// Tells clients what is not stored.
    fn tell(&self, topic: &Topic, audience: Audience, frame: &ServerFrame) {
        self.announcer.tell(topic, audience, &text(frame));
    }

    /// Sockets and their topics.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The key directory and accounts.
    pub fn org(&self) -> &Arc<Org> {
        &self.org
    }

    /// A request of a client, known or not, that costs this many reads.
    pub fn limit_read(&self, who: Option<&Who>, address: Address, cost: u32) -> Result<(), RequestError> {
        self.limits.read(who, address, cost, self.now_ms()).map_err(|l| self.limited(l))
    }

    /// Who was limited in the last ten minutes, by limit, as counts.
    pub fn limited_lately(&self) -> BTreeMap<&'static str, LimitedCount> {
        self.limits.limited(self.now_ms())
    }

    /// Takes what an act of a visitor costs; agents have rates of their own.
    fn charge(&self, conn: &Conn, address: Address, act: Act) -> Result<(), RequestError> {
        match &conn.who {
            Who::Visitor { kid, .. } => {
                self.refuse_blocked(*kid)?;
                self.limits.visitor(*kid, address, act, self.now_ms()).map_err(|l| self.limited(l))
            }
            Who::Agent { .. } => Ok(()),
        }
    }

    fn limited(&self, l: Limited) -> RequestError {
        self.metrics.limited.inc(l.limit.name());
        RequestError::limited(l)
    }

    /// The agent behind an id, if they are switched on.
    fn agent(&self, user: &UserId) -> Option<Arc<ActiveAgent>> {
        self.org.active(user)
    }

    /// May this socket see the conversation at all?
    fn sees(&self, who: &Who, conversation: &CachedConversation) -> bool {
        match who {
            Who::Visitor { kid, .. } => *kid == conversation.visitor,
            Who::Agent { user, kid } => {
                conversation.row.empty.is_none()
                    && self.agent(user).is_some_and(|a| a.kid == *kid && a.teams.contains(&conversation.row.team))
            }
        }
    }

    /// The agent of a socket that asks for something only agents may.
    fn require_agent(&self, conn: &Conn) -> Result<Arc<ActiveAgent>, RequestError> {
        let user = conn.who.user().ok_or_else(|| RequestError::new(ErrorCode::Forbidden, "only agents may do this"))?;
        // a key that was replaced is no longer the agent's, even before its socket is closed
        let agent = self.agent(user).filter(|a| a.kid == conn.who.kid());
        agent.ok_or_else(|| RequestError::new(ErrorCode::Forbidden, "this account is switched off"))
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

/// An id for a record that no client chose.
fn event_id() -> MsgId {
    MsgId(crate::crypto::sign::random())
}

/// Where a socket comes from, for limits.
pub type Address = IpAddr;
