//! Text frames that a client may send.

use serde::{Deserialize, Serialize};

use crate::{
    AgentState, BlockReason, ConvId, Have, Label, LabelId, LabelKind, MsgId, Priority, SiteId, TeamId, UserId,
};

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
        /// Of agents: why, from the company's list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<LabelId>,
    },
    /// Of visitors: say how a conversation went, after it was closed.
    Rate {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
        /// 1 to 5; 5 is best.
        stars: u8,
        /// The id that a message with their words will have: it doesn't open the conversation again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        msg: Option<MsgId>,
    },
    /// Put tags on a conversation and take others off.
    Tag {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
        /// Tags that it gets.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        add: Vec<LabelId>,
        /// Tags that it loses.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remove: Vec<LabelId>,
    },
    /// Say how urgent a conversation is.
    Priority {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
        /// The new priority.
        priority: Priority,
    },
    /// Put a conversation aside, or take it back.
    Snooze {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
        /// When it comes back, ms; absent: now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<u64>,
    },
    /// Let the visitor of a conversation write nothing until a time, or let them write again.
    Block {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
        /// When it ends, ms; absent: now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<u64>,
        /// Why.
        #[serde(default)]
        reason: BlockReason,
    },
    /// Add or change a tag or a reason for closing.
    Label {
        /// Answered with this number.
        req: u64,
        /// Which list.
        kind: LabelKind,
        /// As it should be.
        label: Label,
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
    /// A note of this agent names colleagues: they are told.
    Mention {
        /// Answered with this number.
        req: u64,
        /// The conversation.
        conv: ConvId,
        /// Whom it names.
        users: Vec<UserId>,
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
