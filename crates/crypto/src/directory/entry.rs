//! Entries: the bytes that are signed and chained, and the JSON inside.

use serde::{Deserialize, Serialize};

use super::{DirectoryError, IdentityBody, Role};
use crate::{
    codec::{Bytes, Hash32, Key32},
    hash,
    sign::{Label, SigningKey},
};
use kefu_proto::{BotId, SiteId, TeamId, UserId};

/// A signed entry, as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// JSON, exactly as signed.
    pub raw: Bytes,
    /// Ed25519 key of the signer.
    pub signer: Key32,
    /// Signature, label `dir`.
    pub sig: Bytes,
}

/// Largest `raw` that is read.
pub const MAX_ENTRY: usize = 16 * 1024;

impl Entry {
    /// Signs `body` as the entry after (`seq` − 1, `prev`).
    pub fn sign(seq: u32, prev: &[u8; 32], at_ms: u64, body: &Body, key: &SigningKey) -> Self {
        #[derive(Serialize)]
        struct Raw<'a> {
            v: u32,
            seq: u32,
            prev: Hash32,
            at: u64,
            #[serde(flatten)]
            body: &'a Body,
        }
        let raw = Raw { v: 1, seq, prev: Hash32(*prev), at: at_ms, body };
        // texts and numbers print without fail
        let raw = serde_json::to_vec(&raw).unwrap_or_default();
        let sig = key.sign(Label::Dir, &raw).to_vec();
        Self { raw: Bytes(raw), signer: Key32(key.public()), sig: Bytes(sig) }
    }

    /// The hash that the next entry names.
    pub fn hash(&self) -> [u8; 32] {
        hash::entry(&self.raw.0, &self.signer.0, &self.sig.0)
    }

    /// The fields every entry has. `t` unknown to this version is fine.
    pub(super) fn head(&self) -> Result<Head, DirectoryError> {
        if self.raw.0.len() > MAX_ENTRY {
            return Err(DirectoryError::TooLarge);
        }
        serde_json::from_slice(&self.raw.0).map_err(|e| DirectoryError::Json(e.to_string()))
    }

    /// Sequence number and body; no body for a type unknown to this version. Verifies nothing.
    pub fn read(&self) -> Result<(u32, Option<Body>), DirectoryError> {
        let head = self.head()?;
        Ok((head.seq, self.body(&head)?))
    }

    /// Date by its signer's clock, ms. Verifies nothing.
    pub fn at(&self) -> Result<u64, DirectoryError> {
        Ok(self.head()?.at)
    }

    pub(super) fn body(&self, head: &Head) -> Result<Option<Body>, DirectoryError> {
        if !matches!(
            head.t.as_str(),
            "genesis" | "enrol" | "agent" | "team" | "site" | "bot" | "revoke" | "confirm" | "rules"
        ) {
            return Ok(None);
        }
        serde_json::from_slice(&self.raw.0).map(Some).map_err(|e| DirectoryError::Json(e.to_string()))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Head {
    pub v: u32,
    pub seq: u32,
    pub prev: String,
    pub at: u64,
    pub t: String,
}

/// Content of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
pub enum Body {
    /// The first entry.
    Genesis(GenesisBody),
    /// A user comes with their key.
    Enrol(EnrolBody),
    /// A user changes.
    Agent(AgentBody),
    /// A team is made or changes.
    Team(TeamBody),
    /// A site is made or changes.
    Site(SiteBody),
    /// A robot is certified, or changes.
    Bot(BotBody),
    /// An invite is no longer good.
    Revoke(RevokeBody),
    /// A person who enrolled is confirmed to be the invited one.
    Confirm(ConfirmBody),
    /// A revision of the rules of readers begins.
    Rules(RulesBody),
    /// Keys that vouch for a site's visitors. Not read like the others: see [`IdentityBody::read`].
    Identity(IdentityBody),
}

/// The first entry of a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenesisBody {
    /// Its name.
    pub org: String,
    /// Root key; signs this.
    pub root: Key32,
    /// Recovery key.
    pub recovery: Key32,
    /// The server's OPAQUE key.
    pub opaque: Key32,
    /// Cipher suite: 1.
    pub suite: u32,
}

/// A user accepts an invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolBody {
    /// The user.
    pub user: UserId,
    /// As in the certificate.
    pub role: Role,
    /// As in the certificate.
    pub name: String,
    /// As in the certificate.
    pub teams: Vec<TeamId>,
    /// The user's new signing key; signs this.
    pub ed: Key32,
    /// The user's new X25519 key.
    pub x: Key32,
    /// The invite's certificate, raw.
    pub cert: Bytes,
    /// Who signed it.
    pub cert_signer: Key32,
    /// The signer's signature.
    pub cert_sig: Bytes,
    /// The invite key's signature over the new keys.
    pub claim_sig: Bytes,
}

/// A user is switched on or off, or changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentBody {
    /// The user.
    pub user: UserId,
    /// Whether they may act; off ends their key.
    pub on: bool,
    /// New role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// New name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<Vec<TeamId>>,
}

/// A team and its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamBody {
    /// The team.
    pub id: TeamId,
    /// Display name.
    pub name: String,
    /// Number of the key, from 1.
    pub epoch: u32,
    /// X25519 key.
    pub pk: Key32,
    /// Whether it takes conversations.
    pub on: bool,
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteBody {
    /// The site.
    pub id: SiteId,
    /// Display name.
    pub name: String,
    /// `scheme://host[:port]`.
    pub origins: Vec<String>,
    /// The team.
    pub team: TeamId,
    /// Whether its widget works.
    pub on: bool,
    /// The robot that may be a member of its conversations; none: only visitor and team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<BotId>,
}

/// A robot and the key it signs with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotBody {
    /// The robot.
    pub id: BotId,
    /// Display name.
    pub name: String,
    /// Its Ed25519 key; stays the same as long as the id.
    pub ed: Key32,
    /// Whether it may be a member of new epochs.
    pub on: bool,
}

/// An invite is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeBody {
    /// The invite's Ed25519 key.
    pub inv: Key32,
}

/// Confirms a waiting person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmBody {
    /// The user.
    pub user: UserId,
    /// The key they enrolled with.
    pub ed: Key32,
}

/// A revision of the rules of readers begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesBody {
    /// The revision.
    pub rev: u32,
    /// Invites of enrolments before it that its signer does not confirm.
    pub late: Vec<Key32>,
}
