//! Day keys of a robot (protocol §6): an X25519 key that its certified Ed25519 key signs for at most 48 hours. Where the
//! private parts lie and when they are erased is decided elsewhere.

use serde::{Deserialize, Serialize};

use crate::{
    codec::{Bytes, Key32},
    directory::Directory,
    hash::{self, BoxKind},
    sign::{self, Label, SignError, SigningKey},
};
use kefu_proto::{BotId, OrgFp, SiteId};

/// Longest life of a day key: 48 hours.
pub const MAX_DAY_KEY_MS: u64 = 48 * 3_600_000;
/// How far in the future a day key may begin, by the reader's clock: a day, because clocks are set to wrong zones.
pub const DAY_KEY_SKEW_MS: u64 = 24 * 3_600_000;
/// Largest `raw` that is read.
const MAX_RAW: usize = 1024;

/// Why a day key is not to be sealed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DayKeyError {
    /// The site has no robot, or the directory does not know it, or it is off.
    #[error("this site has no robot that is on")]
    NoBot,
    /// Not the JSON it should be.
    #[error("the day key is not valid JSON of its type: {0}")]
    Json(String),
    /// A version this program does not know.
    #[error("the day key has version {0}; this program knows version 1")]
    Version(u32),
    /// Of another company or another robot.
    #[error("the day key belongs to another company or another robot")]
    Other,
    /// The signature is not by the robot's certified key.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// It claims to live longer than 48 hours.
    #[error("the day key is valid for more than 48 hours")]
    TooLong,
    /// It begins more than a day from now.
    #[error("the day key is dated in the future: compare this clock with the server's")]
    Future,
    /// It has expired.
    #[error("the day key has expired")]
    Over,
}

/// Content of the raw part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayKey {
    /// Version of the format: 1.
    pub v: u32,
    /// Fingerprint of the company.
    pub org: OrgFp,
    /// The robot.
    pub bot: BotId,
    /// The public X25519 key.
    pub x: Key32,
    /// When it was made, ms.
    pub at: u64,
    /// When its private part is erased, ms.
    pub until: u64,
}

impl DayKey {
    /// How boxes name it.
    pub fn box_kid(&self) -> [u8; 16] {
        hash::box_kid(BoxKind::Bot, &self.x.0)
    }
}

/// A day key with its signature, as it is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedDayKey {
    /// JSON, exactly as signed.
    pub raw: Bytes,
    /// Signature, label `bot`.
    pub sig: Bytes,
}

impl SignedDayKey {
    /// Signs a day key.
    pub fn make(key: &DayKey, signer: &SigningKey) -> Self {
        // texts and numbers print without fail
        let raw = serde_json::to_vec(key).unwrap_or_default();
        let sig = signer.sign(Label::Bot, &raw).to_vec();
        Self { raw: Bytes(raw), sig: Bytes(sig) }
    }

    /// Parses the content. Verifies nothing.
    pub fn read(&self) -> Result<DayKey, DayKeyError> {
        if self.raw.0.len() > MAX_RAW {
            return Err(DayKeyError::Json("longer than 1 KiB".into()));
        }
        let key: DayKey = serde_json::from_slice(&self.raw.0).map_err(|e| DayKeyError::Json(e.to_string()))?;
        if key.v != 1 { Err(DayKeyError::Version(key.v)) } else { Ok(key) }
    }

    /// Verifies as a visitor does before sealing to it: the site's own robot, on, its signature, its time.
    pub fn verify(&self, dir: &Directory, site: &SiteId, now_ms: u64) -> Result<DayKey, DayKeyError> {
        let (bot, state) = dir.bot_of(site).ok_or(DayKeyError::NoBot)?;
        let key = self.read()?;
        if key.org != dir.fp() || key.bot != *bot {
            return Err(DayKeyError::Other);
        }
        sign::verify(Label::Bot, &state.ed.0, &self.raw.0, &self.sig.0)?;
        if key.until.saturating_sub(key.at) > MAX_DAY_KEY_MS {
            return Err(DayKeyError::TooLong);
        }
        if key.at > now_ms.saturating_add(DAY_KEY_SKEW_MS) {
            return Err(DayKeyError::Future);
        }
        if now_ms >= key.until { Err(DayKeyError::Over) } else { Ok(key) }
    }
}
