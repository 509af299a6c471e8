//! Text frames that the server sends.

use serde::{Deserialize, Serialize};

use crate::{
    AgentInfo, AgentState, ConvId, ErrorCode, Generation, Kid, Labels, Limit, MissedCount, MsgId, Presence, Side,
    StatusWhy, StorageState, Summary, TeamId, UserId,
};

/// Frames of the server other than records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ServerFrame {
    /// Challenge for the client to sign.
    Challenge {
        /// 32 random bytes, b64u.
        nonce: String,
        /// Fingerprint of the company, hex.
        org: String,
        /// The server's time, ms.
        now: u64,
    },
    /// The challenge was answered correctly.
    Welcome {
        /// The side as which the server accepted this socket.
        role: Side,
        /// The key that the socket represents.
        kid: Kid,
        /// User id, for agents only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
        /// Agents: display name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// For HTTP, while the socket lives.
        token: String,
        /// Drawn whenever the server opens its database for writing.
        #[serde(rename = "gen")]
        generation: Generation,
        /// The server's time, ms.
        now: u64,
        /// Heartbeat, ms.
        beat: u64,
        /// Visitor: their conversations. Agent: their own and their teams' queues.
        convs: Vec<Summary>,
        /// What the client should know of the configuration.
        config: serde_json::Value,
        /// Agents: what the server can still store, if that is not everything.
        #[serde(default, skip_serializing_if = "StorageState::is_ok")]
        storage: StorageState,
    },
    /// Answer to `ping`.
    Pong {
        /// The server's time, ms.
        now: u64,
    },
    /// A request was carried out.
    Ok {
        /// The request that this answers.
        req: u64,
    },
    /// A request or envelope was refused.
    Error {
        /// The error code.
        #[serde(serialize_with = "code_out", deserialize_with = "code_in")]
        code: ErrorCode,
        /// The message, in English.
        text: String,
        /// The request that failed, if it had a number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        req: Option<u64>,
        /// The conversation concerned, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conv: Option<ConvId>,
        /// Message id of the refused envelope, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        msg: Option<MsgId>,
        /// Try again after this time, ms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_ms: Option<u64>,
        /// Which limit was met.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<Limit>,
    },
    /// You hold everything up to `last`.
    Synced {
        /// The conversation.
        conv: ConvId,
        /// Highest sequence number.
        last: u64,
    },
    /// Too much is missing: page over HTTP.
    Behind {
        /// The conversation.
        conv: ConvId,
        /// Highest sequence number.
        last: u64,
    },
    /// The log went back to before what you remember: nothing was sent, and you do not follow.
    Rewound {
        /// The conversation.
        conv: ConvId,
        /// Highest sequence number.
        last: u64,
        /// As in the welcome.
        #[serde(rename = "gen")]
        generation: Generation,
    },
    /// Something about a conversation changed.
    Conv {
        /// As it is now.
        conv: Box<Summary>,
    },
    /// No longer visible to you.
    Gone {
        /// The conversation.
        conv: ConvId,
    },
    /// Your place in the queue; 1 is next.
    Queue {
        /// The conversation.
        conv: ConvId,
        /// Place in the queue; 1 is next.
        position: u32,
    },
    /// Presence of a team.
    Presence {
        /// The team.
        team: TeamId,
        /// Open, busy or away.
        state: Presence,
        /// How many are here, online or busy.
        agents: u32,
        /// Outside of its hours: when they begin, ms since 1970.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opens: Option<u64>,
    },
    /// Will you take this one?
    Offer {
        /// The conversation.
        conv: ConvId,
        /// When the offer ends, ms since 1970.
        until: u64,
        /// Whether the client should accept by itself.
        auto: bool,
    },
    /// The offer has ended.
    OfferGone {
        /// The conversation.
        conv: ConvId,
        /// `taken`, `late` or `gone`.
        why: String,
    },
    /// Typing began or stopped.
    Typing {
        /// The conversation.
        conv: ConvId,
        /// The side that does it.
        side: Side,
        /// The agent; absent for the robot and for visitors.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
        /// Whether they are typing.
        on: bool,
    },
    /// A side received or read.
    Receipt {
        /// The conversation.
        conv: ConvId,
        /// The side whose receipts these are.
        side: Side,
        /// Highest sequence number received.
        delivered: u64,
        /// Highest sequence number read.
        read: u64,
    },
    /// The directory grew to this entry.
    Directory {
        /// Number of the newest entry.
        seq: u32,
    },
    /// How many conversations of a team were missed.
    Missed(MissedCount),
    /// To agents: what the server can store changed.
    Storage {
        /// What it can store now.
        state: StorageState,
    },
    /// To all pages of an agent: this is what they are now.
    Status {
        /// Online, busy or offline.
        state: AgentState,
        /// Why, if it was not their own choice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<StatusWhy>,
    },
    /// To an agent: a colleague named them in a note.
    Mention {
        /// The conversation.
        conv: ConvId,
        /// The colleague.
        by: UserId,
    },
    /// To agents: documents that they have changed; those after what they hold are to be requested.
    Documents {
        /// What kind.
        kind: String,
        /// Number of the change.
        seq: u64,
    },
    /// To agents: the company's lists changed.
    Labels(Labels),
    /// Colleagues of the agent with their states.
    Agents {
        /// All of your teams.
        list: Vec<AgentInfo>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
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
    use crate::ClientFrame;

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
            limit: None,
        };
        assert_eq!(serde_json::to_string(&e).unwrap(), r#"{"t":"error","code":8,"text":"x"}"#);
    }
}
