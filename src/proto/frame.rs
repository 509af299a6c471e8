//! Text frames of the socket. Binary frames are envelopes (in) and records (out).

use serde::{Deserialize, Serialize};

use crate::proto::{ConvId, ConvState, ErrorCode, Kid, MsgId, Owner, SiteId, TeamId, UserId};

/// The two sides of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Who asks.
    Visitor,
    /// Who answers.
    Agent,
}

/// What an agent says about himself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentState {
    /// Takes new conversations.
    Online,
    /// Keeps his, takes no new ones.
    Busy,
    /// Not there.
    Offline,
}

/// Whether somebody would answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// At least one agent of the team is online.
    Open,
    /// Nobody is here now: leave a message.
    Away,
}

/// "I hold this conversation up to here."
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Have {
    /// The conversation.
    pub id: ConvId,
    /// Highest sequence number held; 0 for none.
    pub have: u64,
}

/// How far a side has received and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Marks {
    /// Highest sequence number that arrived.
    pub delivered: u64,
    /// Highest sequence number that was looked at.
    pub read: u64,
}

/// A conversation as lists show it (`Conv` in the protocol).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The conversation.
    pub id: ConvId,
    /// Where it began.
    pub site: SiteId,
    /// Whose it is.
    pub team: TeamId,
    /// Who must act.
    pub owner: Owner,
    /// Open or closed.
    pub state: ConvState,
    /// The visitor's Ed25519 key, b64u.
    pub ed: String,
    /// The visitor's X25519 key, b64u.
    pub x: String,
    /// Highest sequence number.
    pub last: u64,
    /// Current epoch.
    pub epoch: u32,
    /// When it began, ms.
    pub created: u64,
    /// When something last happened, ms.
    pub last_at: u64,
    /// Waiting since, ms; absent when not in the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<u64>,
    /// How far the visitor is.
    pub visitor: Marks,
    /// How far the agents are.
    pub agent: Marks,
}

/// An agent as colleagues see him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// Id.
    pub user: UserId,
    /// Display name.
    pub name: String,
    /// State.
    pub state: AgentState,
    /// Conversations he owns.
    pub load: u32,
    /// Conversations he may own at once.
    pub capacity: u32,
    /// His teams.
    pub teams: Vec<TeamId>,
}

/// What a client may say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
pub enum ClientFrame {
    /// Answers the challenge.
    Hello {
        /// Protocol version.
        v: u32,
        /// Ed25519 key, b64u.
        ed: String,
        /// Signature over the challenge, b64u.
        sig: String,
    },
    /// Sign of life.
    Ping {},
    /// Follow these conversations from here on.
    Resume {
        /// Which, and what is held.
        convs: Vec<Have>,
    },
    /// Stop following.
    Leave {
        /// Which.
        conv: ConvId,
    },
    /// New conversation.
    Open {
        /// Answered with this number.
        req: u64,
        /// Its id.
        id: ConvId,
        /// 16 random bytes, b64u.
        nonce: String,
        /// Where.
        site: SiteId,
        /// The visitor's X25519 key, b64u.
        x: String,
        /// Announcement of epoch 0, b64u.
        ann: String,
    },
    /// Typing began or stopped.
    Typing {
        /// Where.
        conv: ConvId,
        /// Whether.
        on: bool,
    },
    /// Received and read up to here.
    Seen {
        /// Where.
        conv: ConvId,
        /// Highest received.
        delivered: u64,
        /// Highest read.
        read: u64,
    },
    /// Take a message back.
    Recall {
        /// Answered with this number.
        req: u64,
        /// Where.
        conv: ConvId,
        /// Which.
        msg: MsgId,
    },
    /// End it.
    Close {
        /// Answered with this number.
        req: u64,
        /// Which.
        conv: ConvId,
    },
    /// Open it again.
    Reopen {
        /// Answered with this number.
        req: u64,
        /// Which.
        conv: ConvId,
    },
    /// An agent's state.
    Status {
        /// Answered with this number.
        req: u64,
        /// The state.
        state: AgentState,
    },
    /// Accept an offer.
    Accept {
        /// Answered with this number.
        req: u64,
        /// Which.
        conv: ConvId,
    },
    /// Decline an offer.
    Decline {
        /// Answered with this number.
        req: u64,
        /// Which.
        conv: ConvId,
    },
    /// Take from the queue.
    Take {
        /// Answered with this number.
        req: u64,
        /// Which.
        conv: ConvId,
    },
    /// Hand on.
    Transfer {
        /// Answered with this number.
        req: u64,
        /// Which.
        conv: ConvId,
        /// To a person …
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<UserId>,
        /// … or to a team's queue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<TeamId>,
    },
}

/// What the server says besides records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ServerFrame {
    /// Sign this.
    Challenge {
        /// 32 random bytes, b64u.
        nonce: String,
        /// The company.
        org: String,
        /// The server's time, ms.
        now: u64,
    },
    /// You are in.
    Welcome {
        /// As which side.
        role: Side,
        /// As which key.
        kid: Kid,
        /// Agents: who.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
        /// Agents: display name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// For HTTP, while the socket lives.
        token: String,
        /// The server's time, ms.
        now: u64,
        /// Heartbeat, ms.
        beat: u64,
        /// Visitor: his conversations. Agent: his own and his teams' queues.
        convs: Vec<Summary>,
        /// What the client should know of the configuration.
        config: serde_json::Value,
    },
    /// Answer to `ping`.
    Pong {
        /// The server's time, ms.
        now: u64,
    },
    /// A request was carried out.
    Ok {
        /// Which.
        req: u64,
    },
    /// A request or envelope was refused.
    Error {
        /// Why.
        #[serde(serialize_with = "code_out", deserialize_with = "code_in")]
        code: ErrorCode,
        /// For people.
        text: String,
        /// The request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        req: Option<u64>,
        /// The conversation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conv: Option<ConvId>,
        /// The envelope.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        msg: Option<MsgId>,
        /// Try again after this time, ms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_ms: Option<u64>,
    },
    /// You hold everything up to `last`.
    Synced {
        /// Which.
        conv: ConvId,
        /// Highest sequence number.
        last: u64,
    },
    /// Too much is missing: page over HTTP.
    Behind {
        /// Which.
        conv: ConvId,
        /// Highest sequence number.
        last: u64,
    },
    /// Something about a conversation changed.
    Conv {
        /// As it is now.
        conv: Summary,
    },
    /// No longer visible to you.
    Gone {
        /// Which.
        conv: ConvId,
    },
    /// Your place in the queue; 1 is next.
    Queue {
        /// Which.
        conv: ConvId,
        /// Place.
        position: u32,
    },
    /// Whether somebody of a team is there.
    Presence {
        /// Which.
        team: TeamId,
        /// Open or away.
        state: Presence,
        /// How many online.
        agents: u32,
    },
    /// Will you take this one?
    Offer {
        /// Which.
        conv: ConvId,
        /// Until when, ms.
        until: u64,
        /// Whether the client should accept by itself.
        auto: bool,
    },
    /// The offer is over.
    OfferGone {
        /// Which.
        conv: ConvId,
        /// `taken`, `late` or `gone`.
        why: String,
    },
    /// Typing began or stopped.
    Typing {
        /// Where.
        conv: ConvId,
        /// Who.
        side: Side,
        /// Which agent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
        /// Whether.
        on: bool,
    },
    /// A side received or read.
    Receipt {
        /// Where.
        conv: ConvId,
        /// Which side.
        side: Side,
        /// Highest received.
        delivered: u64,
        /// Highest read.
        read: u64,
    },
    /// The directory grew to this entry.
    Directory {
        /// Newest.
        seq: u32,
    },
    /// Colleagues.
    Agents {
        /// All of your teams.
        list: Vec<AgentInfo>,
    },
}

fn code_out<S: serde::Serializer>(code: &ErrorCode, s: S) -> Result<S::Ok, S::Error> {
    code.serialize(s)
}

fn code_in<'de, D: serde::Deserializer<'de>>(d: D) -> Result<ErrorCode, D::Error> {
    let n = u16::deserialize(d)?;
    ErrorCode::from_number(n).ok_or_else(|| serde::de::Error::custom(format!("unknown error code {n}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_read_as_the_protocol_writes_them() {
        let f: ClientFrame =
            serde_json::from_str(r#"{"t":"resume","convs":[{"id":"00112233445566778899aabbccddeeff","have":7}]}"#)
                .unwrap();
        assert!(matches!(f, ClientFrame::Resume { ref convs } if convs[0].have == 7));
        assert!(serde_json::from_str::<ClientFrame>(r#"{"t":"resume"}"#).is_err());
        assert!(serde_json::from_str::<ClientFrame>(r#"{"t":"shout"}"#).is_err());
        let e = ServerFrame::Error {
            code: ErrorCode::EpochStale,
            text: "x".into(),
            req: None,
            conv: None,
            msg: None,
            retry_ms: None,
        };
        assert_eq!(serde_json::to_string(&e).unwrap(), r#"{"t":"error","code":8,"text":"x"}"#);
    }
}
