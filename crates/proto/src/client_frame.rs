//! Text frames that a client may send.

use serde::{Deserialize, Serialize};

use crate::{AgentState, ConvId, Have, MsgId, SiteId, TeamId, UserId};

/// Frames that a client may send.
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
        /// Newest revision of the rules of readers that it knows; 1 if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rev: Option<u32>,
    },
    /// Heartbeat; answered by `pong`.
    Ping {},
    /// Follow these conversations from here on.
    Resume {
        /// Which, and what is held.
        convs: Vec<Have>,
    },
    /// Stop following.
    Leave {
        /// The conversation.
        conv: ConvId,
    },
    /// New conversation.
    Open {
        /// Answered with this number.
        req: u64,
        /// Id of the conversation.
        id: ConvId,
        /// 16 random bytes, b64u.
        nonce: String,
        /// The site.
        site: SiteId,
        /// The visitor's X25519 key, b64u.
        x: String,
        /// Announcement of epoch 0, b64u.
        ann: String,
        /// Id of the message that will hold the visitor's form: by itself it asks nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        form: Option<MsgId>,
    },
    /// Typing began or stopped.
    Typing {
        /// The conversation.
        conv: ConvId,
        /// Whether they are typing.
        on: bool,
    },
    /// Received and read up to here.
    Seen {
        /// The conversation.
        conv: ConvId,
        /// Highest sequence number received.
        delivered: u64,
        /// Highest sequence number read.
        read: u64,
    },
    /// Recall a message, by a client of revision 1, which has no envelope for it.
    Recall {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
        /// The message.
        msg: MsgId,
    },
    /// Announcements that the log lost.
    Restore {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
        /// The announcements, oldest first, b64u.
        envelopes: Vec<String>,
    },
    /// Close a conversation.
    Close {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
    },
    /// Reopen a conversation.
    Reopen {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
    },
    /// A missed one needs no answer any more.
    Dismiss {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
    },
    /// An agent's state.
    Status {
        /// Answered with this number.
        req: u64,
        /// The state they chose.
        state: AgentState,
    },
    /// Accept an offer.
    Accept {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
    },
    /// Decline an offer.
    Decline {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
    },
    /// Take from the queue.
    Take {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
    },
    /// Transfer to an agent or a team.
    Transfer {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
        /// To a person …
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<UserId>,
        /// … or to a team's queue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<TeamId>,
    },
}
