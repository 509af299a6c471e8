//! Why a request or an envelope was not carried out, in words for programs and for people.

use std::borrow::Cow;

use super::{limits::Limited, space};
use crate::{
    proto::{ConvId, ErrorCode, Limit, MsgId, ServerFrame},
    store::StoreError,
};

/// When to try again while the database is being opened, ms.
const REOPENING_MS: u64 = 3_000;

/// A request or an envelope was not carried out, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct RequestError {
    /// What a program does about it.
    pub code: ErrorCode,
    /// What a person reads.
    pub text: Cow<'static, str>,
    /// When to try again, ms from now.
    pub retry_ms: Option<u64>,
    /// Which limit was met, if one was.
    pub limit: Option<Limit>,
    /// How many bytes of a file are here, if a part did not continue it.
    pub have: Option<u64>,
}

impl RequestError {
    /// A refusal with a text.
    pub fn new(code: ErrorCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), retry_ms: None, limit: None, have: None }
    }

    pub(super) fn malformed(text: &'static str) -> Self {
        Self::new(ErrorCode::Malformed, text)
    }

    pub(super) fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "there is no such conversation here")
    }

    pub(super) fn epoch_over() -> Self {
        Self::new(ErrorCode::EpochStale, "this epoch has ended; announce the next one and seal again")
    }

    pub(super) fn limited(l: Limited) -> Self {
        let text = match l.limit {
            Limit::Messages => "too many messages; wait a moment",
            Limit::Openings => "too many new conversations from this address; wait a while",
            Limit::Changes => "closed and opened again too often; wait a while",
            Limit::Keys => "too many changes of keys; wait a while",
            Limit::Bytes => "one visitor, or one address, cannot store more than this in a day",
            Limit::Conversation => "this conversation is full; begin a new one",
            Limit::Reads => "too many requests; wait a moment",
            Limit::Blocked => "an agent decided that you may not write for now",
            Limit::Files => "one person, or one address, cannot send more files than this in a day",
        };
        let code = if l.retry_ms.is_some() { ErrorCode::RateLimited } else { ErrorCode::TooLarge };
        Self { retry_ms: l.retry_ms, limit: Some(l.limit), ..Self::new(code, text) }
    }

    /// As a frame for the socket.
    pub fn frame(&self, req: Option<u64>, conv: Option<ConvId>, msg: Option<MsgId>) -> ServerFrame {
        ServerFrame::Error {
            code: self.code,
            text: self.text.to_string(),
            req,
            conv,
            msg,
            retry_ms: self.retry_ms,
            limit: self.limit,
        }
    }
}

impl From<StoreError> for RequestError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Conflict | StoreError::Duplicate { .. } => Self::new(ErrorCode::Conflict, e.to_string()),
            // the store has already logged it, once
            StoreError::Unwritable => Self {
                retry_ms: Some(space::RETRY_MS),
                ..Self::new(ErrorCode::Storage, "the server cannot store anything at the moment; try again later")
            },
            StoreError::Reopening => Self {
                retry_ms: Some(REOPENING_MS),
                ..Self::new(ErrorCode::Storage, "the server cannot read its database at the moment; try again")
            },
            // the disk's own words are for the log, not for strangers
            _ => {
                tracing::error!(error = %e, "store");
                Self::new(ErrorCode::Storage, "the server could not store this; nothing was lost, try again")
            }
        }
    }
}
