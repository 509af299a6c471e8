//! The language of the wire and of the log: ids, envelope layout, records, frames, codes.
//!
//! Everything here is data and its bytes; no IO, no keys, no policy. `docs/protocol.md` is the same in prose.

#![forbid(unsafe_code)]

mod client_frame;
mod code;
mod document;
mod frame;
mod id;
mod label;
mod record;
mod server_frame;
mod wire;

pub use client_frame::ClientFrame;
pub use code::{CloseCode, ErrorCode, Limit};
pub use document::{DocumentError, DocumentView, MAX_DOCUMENT, Scope};
pub use frame::{
    AgentInfo, AgentState, Have, Marks, MissedCount, Presence, Side, StatusWhy, StorageState, Summary, TeamPresence,
};
pub use id::{
    BotId, ConvId, DocumentId, Generation, IdError, Kid, LabelId, Mark, MsgId, OrgFp, SiteId, TeamId, UserId,
};
pub use label::{
    Block, BlockReason, Label, LabelColor, LabelKind, Labels, MAX_LABEL_NAME, MAX_LABELS, MAX_PUT_ASIDE_MS, MAX_TAGS,
    OpenTimes, Target,
};
pub use record::{ConvState, Event, Owner, OwnerWhy, Priority, RECORD_HEADER, RecordView, encode_record, event_body};
pub use server_frame::ServerFrame;
pub use wire::{
    ANNOUNCEMENT_HEADER, AnnouncementView, BOX_LEN, EnvelopeError, GRANT_BOX_LEN, GRANT_HEADER, HeaderView, Kind,
    MESSAGE_HEADER, RECALL_LEN, RecallView, SIGNATURE_LEN, conversation_of, tombstone,
};

/// WebSocket subprotocol of version 1.
pub const SUBPROTOCOL: &str = "kefu.v1";
/// Largest envelope a client may send, in bytes.
pub const MAX_ENVELOPE: usize = 64 * 1024;
/// Largest text frame a client may send, in bytes.
pub const MAX_TEXT: usize = 16 * 1024;
/// Maximum number of conversations one `resume` may name.
pub const MAX_RESUME: usize = 64;
/// Newest revision of the rules of readers (protocol §2) that this version knows.
pub const REVISION: u32 = 2;
/// Maximum number of announcements in one `restore`: more do not fit into a text frame.
pub const MAX_RESTORE: usize = 24;
/// Maximum number of records that `resume` sends before it answers `behind`.
pub const RESUME_RECORDS: usize = 200;
/// Interval of the heartbeat, in milliseconds; a peer silent for two of them is gone.
pub const BEAT_MS: u64 = 10_000;
/// How long after sending a message may be recalled, in milliseconds.
pub const RECALL_MS: u64 = 120_000;
