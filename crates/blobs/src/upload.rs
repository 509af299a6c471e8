//! What is known of an upload that is not posted yet.

use kefu_proto::Kid;
use serde::{Deserialize, Serialize};

/// Who uploads what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The key of who began it: only they go on with it, and only their message posts it.
    pub sender: Kid,
    /// Bytes of all sealed chunks.
    pub size: u64,
    /// When it began, ms since 1970.
    pub begun_ms: u64,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Who uploads what.
    pub upload: Upload,
    /// Bytes that are there.
    pub have: u64,
    /// Whether its message is stored: it is moving to its place.
    pub posted: bool,
}

impl Progress {
    /// Whether all of it is there, and durable.
    pub fn is_whole(&self) -> bool {
        self.have == self.upload.size
    }
}
