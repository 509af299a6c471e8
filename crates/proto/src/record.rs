//! Records: what a conversation is made of, in the log and on the wire.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{ConvId, LabelId, MsgId, SiteId, TeamId, UserId, wire};

/// Bytes before a record's body: sequence number and time.
pub const RECORD_HEADER: usize = 16;

/// `seq ‖ at ‖ body`, the form of the socket.
pub fn encode_record(seq: u64, at_ms: u64, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(RECORD_HEADER + body.len());
    out.extend_from_slice(&seq.to_be_bytes());
    out.extend_from_slice(&at_ms.to_be_bytes());
    out.extend_from_slice(body);
    out
}

/// A record in the form of the socket, read without copying.
#[derive(Debug, Clone, Copy)]
pub struct RecordView<'a> {
    /// Position in its conversation, from 1.
    pub seq: u64,
    /// The server's time of the commit, milliseconds.
    pub at_ms: u64,
    /// Envelope (`K1`) or event (`K0`).
    pub body: &'a [u8],
}

impl<'a> RecordView<'a> {
    /// The record in `frame`, or none if it is too short to be one.
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let (seq, rest) = frame.split_first_chunk::<8>()?;
        let (at, body) = rest.split_first_chunk::<8>()?;
        (body.len() >= 20).then_some(Self { seq: u64::from_be_bytes(*seq), at_ms: u64::from_be_bytes(*at), body })
    }

    /// Its conversation.
    pub fn conv(&self) -> ConvId {
        // parse checked the length
        wire::conversation_of(self.body).unwrap_or(ConvId([0; 16]))
    }

    /// The event, if the body is one.
    pub fn event(&self) -> Option<Event> {
        (self.body.starts_with(b"K0")).then(|| serde_json::from_slice(&self.body[20..]).ok()).flatten()
    }
}

/// Body of an event of the server.
pub fn event_body(conv: ConvId, event: &Event) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    out.extend_from_slice(b"K0\0\0");
    out.extend_from_slice(&conv.0);
    // writing derived JSON into memory has no way to fail
    serde_json::to_writer(&mut out, event).unwrap_or_default();
    out
}

/// Who must act next. A conversation has exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Owner {
    /// Waits for an agent of its team.
    #[default]
    Queue,
    /// The robot answers.
    Robot,
    /// This agent answers.
    Agent(UserId),
    /// No owner: the conversation is closed.
    None,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue => f.write_str("queue"),
            Self::Robot => f.write_str("robot"),
            Self::Agent(user) => write!(f, "agent:{user}"),
            Self::None => f.write_str("none"),
        }
    }
}

impl FromStr for Owner {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "queue" => Ok(Self::Queue),
            "robot" => Ok(Self::Robot),
            "none" => Ok(Self::None),
            _ => {
                let user = s.strip_prefix("agent:").ok_or_else(|| format!("unknown owner {s:?}"))?;
                user.parse().map(Self::Agent).map_err(|e| format!("{e}"))
            }
        }
    }
}

impl TryFrom<String> for Owner {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl From<Owner> for String {
    fn from(o: Owner) -> String {
        o.to_string()
    }
}

/// Why the owner changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnerWhy {
    /// A visitor began it.
    Open,
    /// An agent accepted the offer.
    Accept,
    /// An agent took it themselves.
    Take,
    /// It was transferred.
    Transfer,
    /// Its agent lost the connection.
    Lost,
    /// It was closed.
    Closed,
    /// It was opened again.
    Reopen,
    /// The visitor asked for a person: their announcement without the robot.
    Person,
    /// The robot handed over.
    Handoff,
}

/// Open or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConvState {
    /// It is open.
    #[default]
    Open,
    /// Done, until the visitor writes again.
    Closed,
}

/// How urgent a conversation is, as agents judge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// It can wait.
    Low,
    /// As all are at first.
    #[default]
    Normal,
    /// Before others.
    High,
    /// At once.
    Urgent,
}

impl Priority {
    /// Whether nobody changed it.
    pub fn is_normal(&self) -> bool {
        *self == Self::Normal
    }
}

/// What the server writes into a conversation itself: facts about it, never text of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
pub enum Event {
    /// The first record.
    Open {
        /// The site of the widget.
        site: SiteId,
        /// Whose queue it enters.
        team: TeamId,
        /// 16 random bytes, b64u.
        nonce: String,
        /// The visitor's Ed25519 key, b64u.
        ed: String,
        /// The visitor's X25519 key, b64u.
        x: String,
    },
    /// The owner changed.
    Owner {
        /// The new owner.
        owner: Owner,
        /// The queue it belongs to.
        team: TeamId,
        /// Why it changed.
        why: OwnerWhy,
        /// A user id, if a person did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Closed by a user or `visitor`, or by the server: `@idle`, `@missed`.
    Closed {
        /// A user id, `visitor`, or a cause of the server such as `@idle`.
        by: String,
    },
    /// Opened again.
    Reopened {
        /// A user id, `visitor`, or a cause of the server such as `@idle`.
        by: String,
    },
    /// Its visitor said how it went.
    Rated {
        /// 1 to 5; 5 is best.
        stars: u8,
    },
    /// It was missed, and an agent decided that it needs no answer: not shown to visitors.
    Dismissed {
        /// A user id, `visitor`, or a cause of the server such as `@idle`.
        by: String,
    },
    /// A message or note was taken back.
    Recalled {
        /// Which record is a tombstone now.
        seq: u64,
        /// Its message id.
        msg: MsgId,
        /// A user id, `visitor`, or a cause of the server such as `@idle`.
        by: String,
        /// It was a note: not shown to visitors.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        note: bool,
    },
    /// It has these tags now: not shown to visitors, like everything that follows.
    Tagged {
        /// All of them.
        tags: Vec<LabelId>,
        /// A user id.
        by: String,
    },
    /// It is of this priority now.
    Priority {
        /// The new one.
        priority: Priority,
        /// A user id.
        by: String,
    },
    /// It is put aside until a time, or until its visitor writes.
    Snoozed {
        /// When it comes back, ms.
        until: u64,
        /// A user id.
        by: String,
    },
    /// It is not put aside any more.
    Woken {
        /// A user id, `visitor`, or `@time`.
        by: String,
    },
    /// Why it was closed; follows `closed` in the same transaction.
    Reason {
        /// From the company's list.
        reason: LabelId,
        /// A user id.
        by: String,
    },
    /// Its visitor may not write until a time.
    Blocked {
        /// When that ends, ms.
        until: u64,
        /// A user id.
        by: String,
    },
    /// Its visitor may write again.
    Unblocked {
        /// A user id.
        by: String,
    },
    /// Something that this reader may not have.
    Hidden {},
}
