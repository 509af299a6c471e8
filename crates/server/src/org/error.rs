//! Why a request about people, keys or sites was refused, in words for people.

use crate::{
    crypto::{
        codec::CodecError,
        directory::{DirectoryError, SnapshotError},
        invite::InviteError,
        opaque::OpaqueError,
    },
    proto::ErrorCode,
    store::StoreError,
};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrgError {
    /// Nothing was founded here yet.
    #[error("there is no company in this database yet: run `kefu init`")]
    NoCompany,
    /// Something was founded here already.
    #[error("this database already contains a company")]
    Founded,
    /// The OPAQUE file belongs to another company or was replaced.
    #[error(
        "the file with the server's password secrets is not the one this company was created with: restore it from your backup"
    )]
    OpaqueSetup,
    /// Stored data that cannot be parsed.
    #[error("the database contains a {what} that cannot be parsed: {why}")]
    Damaged {
        /// Kind of row, for people.
        what: &'static str,
        /// The parser's message.
        why: String,
    },
    /// A request that cannot be parsed.
    #[error("the request cannot be parsed: {0}")]
    Malformed(String),
    /// A request that makes no sense: a sentence.
    #[error("{0}")]
    Invalid(String),
    /// Larger than allowed.
    #[error("{0} is larger than allowed")]
    TooLarge(&'static str),
    /// No such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// User or password.
    #[error("wrong user or password")]
    Login,
    /// Too many tries.
    #[error("too many tries for this user: wait {} seconds", retry_ms.div_ceil(1000))]
    Slow {
        /// How long to wait, ms.
        retry_ms: u64,
    },
    /// The invite is not there: never made, used, or taken back.
    #[error("this invite is not valid: it was used or revoked; ask for a new one")]
    InviteGone,
    /// The invite has expired.
    #[error("this invite has expired; ask for a new one")]
    InviteExpired,
    /// Not for this user.
    #[error("you are not allowed to do this: {0}")]
    Forbidden(&'static str),
    /// Another change was committed first.
    #[error("the directory has changed in the meantime: fetch it and try again")]
    Conflict,
    /// The directory refuses the entry.
    #[error("the entry was refused: {0}")]
    Directory(#[from] DirectoryError),
    /// The snapshot is refused.
    #[error("the snapshot was refused: {0}")]
    Snapshot(#[from] SnapshotError),
    /// The store did not write or read.
    #[error(transparent)]
    Store(StoreError),
}

impl OrgError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NoCompany | Self::NotFound(_) | Self::InviteGone => ErrorCode::NotFound,
            Self::Founded | Self::Conflict => ErrorCode::Conflict,
            Self::OpaqueSetup | Self::Damaged { .. } | Self::Store(_) => ErrorCode::Storage,
            Self::Malformed(_) | Self::Invalid(_) => ErrorCode::Malformed,
            Self::TooLarge(_) => ErrorCode::TooLarge,
            Self::Login => ErrorCode::Unauthorised,
            Self::Slow { .. } => ErrorCode::RateLimited,
            Self::InviteExpired => ErrorCode::TooLate,
            Self::Forbidden(_) | Self::Directory(_) | Self::Snapshot(_) => ErrorCode::Forbidden,
        }
    }

    /// How long to wait before trying again, ms.
    pub fn retry_ms(&self) -> Option<u64> {
        match self {
            Self::Slow { retry_ms } => Some(*retry_ms),
            // space must be freed, or the database is being reopened
            Self::Store(StoreError::Unwritable) => Some(30_000),
            Self::Store(StoreError::Reopening) => Some(3_000),
            _ => None,
        }
    }
}

impl From<StoreError> for OrgError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Conflict => Self::Conflict,
            e => Self::Store(e),
        }
    }
}

impl From<OpaqueError> for OrgError {
    fn from(e: OpaqueError) -> Self {
        match e {
            OpaqueError::Malformed => Self::Malformed(e.to_string()),
            OpaqueError::Login | OpaqueError::Server => Self::Login,
        }
    }
}

impl From<CodecError> for OrgError {
    fn from(e: CodecError) -> Self {
        Self::Malformed(e.to_string())
    }
}

impl From<InviteError> for OrgError {
    fn from(e: InviteError) -> Self {
        Self::Directory(e.into())
    }
}
