//! Keys and content of org's tables.

use std::collections::HashMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::OrgError;
use crate::{
    crypto::{codec::Bytes, codec::Key32, keyring::TeamBox},
    proto::{TeamId, UserId},
    store::{Op, Pair, Store, Table},
};

/// Key of the snapshot in [`Table::Meta`].
pub(super) const SNAPSHOT: &[u8] = b"snapshot";
/// Key of what [`super::versions_seen`] remembers, in [`Table::Meta`].
pub(super) const SIGHTINGS: &[u8] = b"widgets_seen";
/// Key of a mark in [`Table::Meta`] that is drawn anew with each change, where several servers write.
pub(super) const CHANGED: &[u8] = b"org_changed";
/// Recipient name of the recovery key.
pub const RECOVERY: &str = "@recovery";

/// What [`Table::Account`] holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Account {
    /// OPAQUE record.
    pub record: Bytes,
    /// Sealed keyring.
    pub keyring: Bytes,
    /// Its version.
    pub version: u32,
    /// When the password was last changed, ms; none: never, or before that was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<u64>,
    /// What was there before the last change of the password, until the first sign-in with the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Secrets>,
}

/// When users changed their passwords, ms; of those who ever did.
pub(super) async fn password_changes(store: &dyn Store) -> Result<HashMap<UserId, u64>, OrgError> {
    let mut changes = HashMap::new();
    for (key, value) in all(store, Table::Account, &[]).await? {
        let account: Account = read("account", &value)?;
        if let (Ok(user), Some(at)) = (String::from_utf8_lossy(&key).parse(), account.changed) {
            changes.insert(user, at);
        }
    }
    Ok(changes)
}

/// A password's record, and the keyring that it opens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Secrets {
    /// OPAQUE record.
    pub record: Bytes,
    /// Sealed keyring.
    pub keyring: Bytes,
    /// Its version.
    pub version: u32,
}

impl Account {
    /// Record and keyring of the current password, or of the previous one.
    pub fn secrets(&self, old: bool) -> Option<Secrets> {
        let Self { record, keyring, version, .. } = self;
        let now = || Secrets { record: record.clone(), keyring: keyring.clone(), version: *version };
        if old { self.old.clone() } else { Some(now()) }
    }
}

/// Recipient name of an invite.
pub fn invite_name(inv: &Key32) -> String {
    format!("@{inv}")
}

/// Whether a team key can be sealed to this name: a user id, the recovery key, or an invite.
pub(super) fn is_recipient(to: &str) -> bool {
    match to.strip_prefix('@') {
        Some(inv) => to == RECOVERY || inv.parse::<Key32>().is_ok(),
        None => to.parse::<UserId>().is_ok(),
    }
}

/// Key of a directory entry.
pub(super) fn entry_key(seq: u32) -> Vec<u8> {
    seq.to_be_bytes().to_vec()
}

/// Key of an account.
pub(super) fn account_key(user: &UserId) -> Vec<u8> {
    user.as_str().as_bytes().to_vec()
}

/// Start of the keys of a recipient's boxes.
pub(super) fn box_prefix(to: &str) -> Vec<u8> {
    [to.as_bytes(), &[0]].concat()
}

/// Start of the keys of a recipient's boxes of one team.
pub(super) fn team_prefix(to: &str, team: &TeamId) -> Vec<u8> {
    [to.as_bytes(), &[0], team.as_str().as_bytes(), &[0]].concat()
}

/// Key of one box.
pub(super) fn box_key(to: &str, sealed: &TeamBox) -> Vec<u8> {
    [&team_prefix(to, &sealed.team)[..], &sealed.epoch.to_be_bytes()].concat()
}

/// A value as JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    // texts and numbers in memory print without fail
    serde_json::to_vec(value).unwrap_or_default()
}

/// `Put` of a value as JSON.
pub(super) fn put<T: Serialize>(table: Table, key: Vec<u8>, value: &T) -> Op {
    Op::Put { table, key, value: json(value) }
}

/// A stored value read as JSON.
pub(super) fn read<T: DeserializeOwned>(what: &'static str, value: &[u8]) -> Result<T, OrgError> {
    serde_json::from_slice(value).map_err(|e| OrgError::Damaged { what, why: e.to_string() })
}

/// All pairs under a prefix.
pub(super) async fn all(store: &dyn Store, table: Table, prefix: &[u8]) -> Result<Vec<Pair>, OrgError> {
    pages(store, table, prefix, None).await
}

/// All pairs after a key.
pub(super) async fn after(store: &dyn Store, table: Table, key: Vec<u8>) -> Result<Vec<Pair>, OrgError> {
    pages(store, table, &[], Some(key)).await
}

async fn pages(store: &dyn Store, table: Table, prefix: &[u8], first: Option<Vec<u8>>) -> Result<Vec<Pair>, OrgError> {
    const PAGE: usize = 500;
    let mut out: Vec<Pair> = Vec::new();
    loop {
        let after = out.last().map(|(k, _)| k.clone()).or_else(|| first.clone());
        let page = store.scan(table, prefix, after.as_deref(), false, PAGE).await?;
        let last = page.len() < PAGE;
        out.extend(page);
        if last {
            return Ok(out);
        }
    }
}

/// A recipient's boxes.
pub(super) async fn boxes_of(store: &dyn Store, to: &str) -> Result<Vec<TeamBox>, OrgError> {
    all(store, Table::TeamBox, &box_prefix(to)).await?.iter().map(|(_, v)| read("team key", v)).collect()
}

/// Steps that forget all boxes under a prefix.
pub(super) async fn forget_boxes(store: &dyn Store, prefix: &[u8]) -> Result<Vec<Op>, OrgError> {
    let keys = all(store, Table::TeamBox, prefix).await?;
    Ok(keys.into_iter().map(|(key, _)| Op::Delete { table: Table::TeamBox, key }).collect())
}
