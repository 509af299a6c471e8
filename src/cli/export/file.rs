//! The file that the console writes (docs/protocol.md §5.2).

use serde::Deserialize;
use serde_json::Value;

use crate::{
    crypto::{
        codec::{Bytes, Key32},
        directory::Entry,
    },
    proto::{ConvId, Kid, MsgId, UserId},
};

/// What a file of this kind says of itself.
pub const FORMAT: &str = "kefu-conversation";
/// The version that this kefu reads.
pub const VERSION: u64 = 1;

/// A conversation as it was saved. What only people need is not read.
#[derive(Debug, Deserialize)]
pub struct Export {
    /// Fingerprint of the company.
    pub org: String,
    /// The conversation.
    pub conv: ConvId,
    /// Whether the words of notes are in it.
    pub notes: bool,
    /// What was read.
    pub lines: Vec<Line>,
    /// Keys of the epochs.
    pub keys: Vec<Key>,
    /// Every record: seq ‖ at ‖ body.
    pub records: Vec<Bytes>,
    /// The company's directory.
    pub directory: Vec<Entry>,
}

/// The key of an epoch.
#[derive(Debug, Deserialize)]
pub struct Key {
    /// Number of the epoch.
    pub epoch: u32,
    /// Its key.
    pub key: Key32,
}

/// A line of the conversation.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Line {
    /// Of the visitor, an agent or the robot.
    Message(Message),
    /// Of an agent, for agents.
    Note(Message),
    /// A fact of the server.
    Event {},
}

/// A message or a note.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// Its record.
    pub seq: u64,
    /// Time of the server, ms.
    pub at: u64,
    /// Its id; none if its record could not be read.
    #[serde(default)]
    pub msg: Option<MsgId>,
    /// How the console judged it.
    pub status: Status,
    /// Who wrote it.
    pub from: From,
    /// What was read.
    pub body: Option<Value>,
    /// The message in whose place it stands.
    #[serde(default)]
    pub replaces: Option<MsgId>,
}

/// Who wrote a message, as the console found it.
#[derive(Debug, Deserialize)]
pub struct From {
    /// Hash of the key that signed it; none if its record could not be read.
    #[serde(default)]
    pub kid: Option<Kid>,
    /// The agent whose key that is.
    pub user: Option<UserId>,
    /// Their name.
    pub name: Option<String>,
}

/// How the console judged a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything was right.
    Good,
    /// Its signature or something else was wrong.
    NotValid,
    /// There was no key for it.
    Locked,
    /// Its sender took it back.
    TakenBack,
    /// The server removed it, without a word of its sender.
    Removed,
    /// Of a kind that the console did not know.
    Newer,
}

/// Reads a file, or says why it is none.
pub fn read(bytes: &[u8]) -> Result<Export, String> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        format: String,
        #[serde(default)]
        version: u64,
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|e| format!("it is not JSON of the console: {e}"))?;
    if head.format != FORMAT {
        return Err("it is no conversation that the console saved as JSON".to_owned());
    }
    if head.version != VERSION {
        return Err(format!("it has version {}, this kefu reads version {VERSION}: use a newer kefu", head.version));
    }
    serde_json::from_slice(bytes).map_err(|e| format!("it is damaged: {e}"))
}
