//! What is stored of a conversation in addition to its records, and the part of it that is sent to others.

use serde::{Deserialize, Serialize};

use crate::{
    bus::BoxKid,
    crypto::{codec, hash},
    desk,
    proto::{ConvId, ConvState, Kid, LabelId, MsgId, Owner, Priority, SiteId, TeamId, UserId},
    store::{Facts, StoreError},
};

/// What is stored of a conversation in addition to its records. Changes only together with a record that describes the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The site where it began.
    pub site: SiteId,
    /// Whose queue it belongs to.
    pub team: TeamId,
    /// Who must act: the one field of invariant 3.
    pub owner: Owner,
    /// Open or closed.
    pub state: ConvState,
    /// The visitor's Ed25519 key, b64u.
    pub ed: String,
    /// The visitor's X25519 key, b64u.
    pub x: String,
    /// When it began, ms: with its first message, once there is one.
    pub created: u64,
    /// When it last entered the queue because of the visitor, ms; kept when an agent is lost, so that nobody loses
    /// their place.
    pub arrived: u64,
    /// Who answered last: they are asked first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_agent: Option<UserId>,
    /// Current epoch.
    pub epoch: u32,
    /// Hash of its announcement, hex.
    pub ann: String,
    /// Team whose key holds the epoch.
    pub key_team: TeamId,
    /// Which generation of that key.
    pub key_epoch: u32,
    /// Whether a bot is a member.
    pub bot: bool,
    /// Name of the robot's day key that the epoch is sealed to, hex, where several servers share the store: the server that holds
    /// the key answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// Newest directory entry that the epoch's announcement knew.
    #[serde(default)]
    pub dir_seq: u32,
    /// Who moved the epoch to another team, until a member of that has written or announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mover: Option<Mover>,
    /// When it was closed because nobody had answered, ms; none once an agent has handled it (see `missed.rs`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<u64>,
    /// What its visitor said of it last (see `rate.rs`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
    /// Its tags, in the order in which it got them (see `handling.rs`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<LabelId>,
    /// How urgent agents find it.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
    /// Until when it is put aside, ms. It has its owner meanwhile, and no place in the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed: Option<u64>,
    /// Why an agent closed it, until it is opened again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<LabelId>,
    /// While nothing of its visitor is stored that people could answer (see `empty.rs`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty: Option<Empty>,
}

/// How a conversation went, as its visitor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// 1 to 5; 5 is best.
    pub stars: u8,
    /// The id of the message with their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<MsgId>,
}

/// The maker of a transfer that was not taken up yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mover {
    /// The last agent.
    pub user: UserId,
    /// The team of the epoch before.
    pub from: TeamId,
}

impl Row {
    /// As the store keeps it.
    pub fn encode(&self) -> bytes::Bytes {
        // derived serialisation of plain fields has no way to fail
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// What the store must know to find it again. `visitor`: the hash of the visitor's key.
    pub fn facts(&self, visitor: Kid) -> Facts {
        Facts {
            visitor,
            team: self.team.clone(),
            created: self.created,
            listed: self.empty.is_none(),
            open: self.state == ConvState::Open,
            missed: self.missed,
        }
    }

    /// The visitor's Ed25519 key.
    ///
    /// # Errors
    /// The stored key is damaged.
    pub fn visitor_ed(&self) -> Result<[u8; 32], StoreError> {
        codec::from_b64u_exact(&self.ed).map_err(|e| StoreError::Corrupt(format!("visitor key: {e}")))
    }

    /// Whether it is the robot's now.
    pub fn is_robots(&self) -> bool {
        self.owner == Owner::Robot && self.state == ConvState::Open
    }

    /// The day key that the epoch is sealed to, if it is known.
    pub fn day_key(&self) -> Option<BoxKid> {
        data_encoding::HEXLOWER.decode(self.day.as_ref()?.as_bytes()).ok()?.try_into().ok()
    }

    /// From the store.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        serde_json::from_slice(bytes).map_err(|e| StoreError::Corrupt(format!("conversation row: {e}")))
    }
}

/// Where a conversation with this row is found; none if the row can't be read.
pub fn facts_of(row: &[u8]) -> Option<Facts> {
    let row = Row::decode(row).ok()?;
    let visitor = hash::kid(&row.visitor_ed().ok()?);
    Some(row.facts(visitor))
}

/// What colleagues and the desk were last sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedRow {
    state: ConvState,
    owner: Owner,
    arrived: u64,
    last_agent: Option<UserId>,
    empty: bool,
    snoozed: Option<u64>,
    /// Whose turn it is, if it is the robot's: see [`Row::day`].
    day: Option<BoxKid>,
    /// When it began, ms.
    pub created: u64,
    /// The previous team.
    pub team: TeamId,
}

impl PublishedRow {
    /// What they are sent of a row.
    pub fn of(row: &Row) -> Self {
        Self {
            state: row.state,
            owner: row.owner.clone(),
            arrived: row.arrived,
            last_agent: row.last_agent.clone(),
            empty: row.empty.is_some(),
            snoozed: row.snoozed,
            day: row.day_key().filter(|_| row.is_robots()),
            created: row.created,
            team: row.team.clone(),
        }
    }

    /// Whether it is in a queue.
    pub fn waits(&self) -> bool {
        self.state == ConvState::Open && self.owner == Owner::Queue && !self.empty && self.snoozed.is_none()
    }

    /// Until when it is put aside, ms.
    pub fn snoozed(&self) -> Option<u64> {
        self.snoozed
    }

    /// Whether it is the robot's.
    pub fn is_robots(&self) -> bool {
        self.state == ConvState::Open && self.owner == Owner::Robot
    }

    /// The day key that it is sealed to, if it is the robot's and the key is known.
    pub fn day_key(&self) -> Option<BoxKid> {
        self.day
    }

    /// The same for the desk.
    pub fn fact(self, conv: ConvId) -> desk::Event {
        let Self { state, owner, arrived, last_agent, empty, snoozed, day: _, created: _, team } = self;
        match (state, owner) {
            _ if empty => desk::Event::Closed { conv },
            // its agent was lost while it was put aside: it joins the queue when it comes back
            (ConvState::Open, Owner::Queue) if snoozed.is_some() => desk::Event::Closed { conv },
            (ConvState::Open, Owner::Queue) => desk::Event::Waiting { conv, team, since: arrived, last_agent },
            (ConvState::Open, Owner::Agent(user)) => desk::Event::Owned { conv, team, user },
            _ => desk::Event::Closed { conv },
        }
    }
}

/// A conversation without a word of its visitor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {
    /// Id of the message that is no word: the visitor's form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<MsgId>,
}
