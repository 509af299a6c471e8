//! Snapshots: short-lived signed statements of the directory's state. They let a visitor skip the log.

use serde::{Deserialize, Serialize};

use super::{Body, Directory, DirectoryError, Entry, Role, State, replay, rules};
use crate::{
    codec::{Bytes, Hash32, Key32},
    invite,
    sign::{self, Label, SignError, SigningKey},
};
use kefu_proto::OrgFp;

/// Longest life of a snapshot: 180 days.
pub const MAX_SNAPSHOT_MS: u64 = 180 * 86_400_000;

/// How far in the future a snapshot may have been signed, by the reader's clock. A day: visitors' clocks are set by hand
/// and to wrong zones, and what this must prevent, a statement that holds longer than [`MAX_SNAPSHOT_MS`] from now, is long.
pub const MAX_AHEAD_MS: u64 = 86_400_000;

/// Why a snapshot or bundle is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Not the JSON it should be.
    #[error("the snapshot is not valid JSON of its type: {0}")]
    Json(String),
    /// A version this program does not know.
    #[error("the snapshot has version {0}; this program knows version 1")]
    Version(u32),
    /// The signature or its key is bad.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The signer is neither root nor an active admin.
    #[error("the snapshot's signer is neither the root key nor an active admin")]
    Signer,
    /// It has expired.
    #[error("the snapshot has expired: an admin must sign a new one")]
    Stale,
    /// It was signed by a clock that is more than a day ahead.
    #[error("the snapshot was signed in the future: compare this clock with the signer's")]
    Future,
    /// It claims to live longer than 180 days.
    #[error("the snapshot is valid for more than 180 days")]
    TooLong,
    /// It speaks of entries this reader was not given.
    #[error("the snapshot covers entry {0}, which was withheld")]
    Withheld(u32),
    /// The chain has another hash there: two different directories are being shown.
    #[error("the snapshot has another entry {0}: two directories are being shown")]
    Fork(u32),
    /// Its state is not what the log adds up to.
    #[error("the snapshot's state does not match the log")]
    State,
    /// Genesis or admin's entry do not vouch for its signer.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// A signed snapshot, as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// JSON, exactly as signed.
    pub raw: Bytes,
    /// Root or an active admin.
    pub signer: Key32,
    /// Signature, label `fresh`.
    pub sig: Bytes,
}

/// Content of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotBody {
    /// Version of the format: 1.
    pub v: u32,
    /// Newest entry covered.
    pub seq: u32,
    /// Hash of that entry.
    pub head: Hash32,
    /// When it was signed, ms.
    pub at: u64,
    /// Until when it holds, ms.
    pub until: u64,
    /// What the log adds up to.
    pub state: State,
}

impl Snapshot {
    /// States the present state of `dir`, valid until `until_ms`.
    pub fn make(dir: &Directory, at_ms: u64, until_ms: u64, key: &SigningKey) -> Self {
        let body = SnapshotBody {
            v: 1,
            seq: dir.seq(),
            head: Hash32(dir.head()),
            at: at_ms,
            until: until_ms,
            state: dir.state().clone(),
        };
        // through a value, so that all objects are sorted; texts and numbers print without fail
        let raw = serde_json::to_value(&body).map(|v| v.to_string()).unwrap_or_default().into_bytes();
        let sig = key.sign(Label::Fresh, &raw).to_vec();
        Self { raw: Bytes(raw), signer: Key32(key.public()), sig: Bytes(sig) }
    }

    /// Parses the content. Verifies nothing.
    pub fn read(&self) -> Result<SnapshotBody, SnapshotError> {
        let body: SnapshotBody = serde_json::from_slice(&self.raw.0).map_err(|e| SnapshotError::Json(e.to_string()))?;
        if body.v != 1 { Err(SnapshotError::Version(body.v)) } else { Ok(body) }
    }

    /// Verifies signature and times.
    fn checked(&self, now_ms: u64) -> Result<SnapshotBody, SnapshotError> {
        let body = self.read()?;
        sign::verify(Label::Fresh, &self.signer.0, &self.raw.0, &self.sig.0)?;
        if body.until.saturating_sub(body.at) > MAX_SNAPSHOT_MS {
            return Err(SnapshotError::TooLong);
        }
        if body.at > now_ms.saturating_add(MAX_AHEAD_MS) {
            return Err(SnapshotError::Future);
        }
        if now_ms > body.until { Err(SnapshotError::Stale) } else { Ok(body) }
    }

    /// Verifies against a whole log. The log may be longer than the snapshot; the state is compared if it is not.
    pub fn verify(&self, dir: &Directory, now_ms: u64) -> Result<SnapshotBody, SnapshotError> {
        let body = self.checked(now_ms)?;
        if !dir.may_sign(&self.signer) {
            return Err(SnapshotError::Signer);
        }
        match dir.head_at(body.seq) {
            None => return Err(SnapshotError::Withheld(body.seq)),
            Some(own) if own != body.head.0 => return Err(SnapshotError::Fork(body.seq)),
            Some(_) => {}
        }
        if body.seq == dir.seq() && body.state != *dir.state() {
            return Err(SnapshotError::State);
        }
        Ok(body)
    }
}

/// What a visitor gets instead of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The first entry.
    pub genesis: Entry,
    /// The enrolment of the admin who signed the snapshot, if root did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<Entry>,
    /// The newest snapshot.
    pub snapshot: Snapshot,
    /// Entries after it.
    pub tail: Vec<Entry>,
}

impl Bundle {
    /// Verifies as a visitor does who knows nothing but the company's fingerprint.
    pub fn verify(&self, fp: OrgFp, now_ms: u64) -> Result<Directory, SnapshotError> {
        let genesis = rules::genesis(&fp, &self.genesis)?.state;
        let body = self.snapshot.checked(now_ms)?;
        let state = body.state;
        if self.snapshot.signer != genesis.root {
            let admin = self.admin.as_ref().ok_or(SnapshotError::Signer)?;
            vouched_admin(admin, &fp, &genesis.root, &self.snapshot.signer)?;
        }
        let same = [
            state.root == genesis.root,
            state.recovery == genesis.recovery,
            state.opaque == genesis.opaque,
            state.suite == genesis.suite,
            state.org == genesis.org,
        ];
        if same.contains(&false) {
            return Err(SnapshotError::State);
        }
        if replay::authority(&state, &self.snapshot.signer).is_none() {
            return Err(SnapshotError::Signer);
        }
        let mut dir = Directory::from_state(fp, state, body.seq, body.head.0);
        for entry in &self.tail {
            dir.apply(entry)?;
        }
        Ok(dir)
    }
}

/// `entry` enrols `signer` as admin, on an invite by root.
fn vouched_admin(entry: &Entry, fp: &OrgFp, root: &Key32, signer: &Key32) -> Result<(), SnapshotError> {
    let (_, body) = entry.read()?;
    let Some(Body::Enrol(e)) = body else { return Err(SnapshotError::Signer) };
    if e.ed != *signer || entry.signer != *signer || e.role != Role::Admin || e.cert_signer != *root {
        return Err(SnapshotError::Signer);
    }
    sign::verify(Label::Dir, &entry.signer.0, &entry.raw.0, &entry.sig.0)?;
    let cert = invite::Cert::verify(&e.cert.0, &root.0, &e.cert_sig.0, fp).map_err(DirectoryError::from)?;
    if cert.role != Role::Admin || cert.user != e.user {
        return Err(SnapshotError::Signer);
    }
    invite::verify_claim(&cert.inv.0, &e.cert.0, &e.ed.0, &e.x.0, &e.claim_sig.0).map_err(DirectoryError::from)?;
    Ok(())
}
