//! Why an entry is refused.

use crate::{invite::InviteError, sign::SignError};
use kefu_proto::{BotId, TeamId, UserId};

/// Why an entry may not enter the directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// No entries at all.
    #[error("the directory is empty")]
    Empty,
    /// The raw part is larger than 16 KiB.
    #[error("the entry is larger than 16 KiB")]
    TooLarge,
    /// Not the JSON it should be.
    #[error("the entry is not valid JSON of its type: {0}")]
    Json(String),
    /// A version this program does not know.
    #[error("the entry has version {0}; this program knows version 1")]
    Version(u32),
    /// Not the number that comes next.
    #[error("entry {found} where {expected} was expected")]
    Seq {
        /// The number expected.
        expected: u32,
        /// The number found.
        found: u32,
    },
    /// The hash of the entry before does not fit: a fork.
    #[error("entry {0} does not follow the one before it")]
    Fork(u32),
    /// The first entry is not a genesis.
    #[error("the directory does not begin with a genesis")]
    NoGenesis,
    /// A genesis anywhere else.
    #[error("a genesis can only be the first entry")]
    SecondGenesis,
    /// Not the root key that is pinned.
    #[error("the root key does not have the pinned fingerprint")]
    Pin,
    /// The genesis names another root key than the one that signed it.
    #[error("the genesis names another root key than its signer")]
    Root,
    /// A suite this program does not know.
    #[error("the company uses cipher suite {0}; this program knows suite 1")]
    Suite(u32),
    /// The signer has no right to sign this.
    #[error("the signer is neither the root key nor an active admin")]
    Signer,
    /// Only root may.
    #[error("only the root key can make or change admins")]
    RootOnly,
    /// A key or signature is bad.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// There is no such user.
    #[error("there is no user {0}")]
    UnknownUser(UserId),
    /// A team's key number runs backwards or jumps.
    #[error("team {id} is at key {current}; key {found} cannot follow")]
    TeamEpoch {
        /// The team.
        id: TeamId,
        /// Now (0: new team).
        current: u32,
        /// The number found.
        found: u32,
    },
    /// Another key under the same number, or the same key under another.
    #[error("team {0}: a new key needs a new number, and a new number a new key")]
    TeamKey(TeamId),
    /// An enrolment is not signed by the key that it adds.
    #[error("the new key did not sign its own enrolment")]
    NotOwnKey,
    /// The certificate or claim of an enrol is bad.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// The certificate's signer may not invite, or not into this role.
    #[error("the invite is not by the root key or an active admin, or invites an admin without the root key")]
    CertSigner,
    /// The entry differs from the certificate.
    #[error("the enrolment differs from its certificate in {0}")]
    CertMismatch(&'static str),
    /// The invite was used or revoked.
    #[error("the invite was used already or revoked")]
    InviteUsed,
    /// The user has a key that counts, or one that waits for confirmation.
    #[error("user {0} already has an active key")]
    UserActive(UserId),
    /// A site names a robot that is not there.
    #[error("there is no robot {0}")]
    UnknownBot(BotId),
    /// A robot gets a different key than before, or a key that belongs to someone else.
    #[error("robot {0}: a robot's key never changes and belongs to no one else")]
    BotKey(BotId),
    /// No person with this id and this key waits for confirmation.
    #[error("user {0} is not waiting for confirmation with this key")]
    NotWaiting(UserId),
    /// A person confirms themself after their invite's end.
    #[error("only the root key or another admin can confirm user {0}: the invite had expired")]
    ConfirmLate(UserId),
    /// A revision of the rules that is not newer than the one in force.
    #[error("revision {found} of the rules cannot follow revision {current}")]
    Revision {
        /// The revision in force.
        current: u32,
        /// The number found.
        found: u32,
    },
}
