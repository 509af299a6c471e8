//! What the admin router gives and takes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    crypto::{
        codec::Key32,
        directory::{Entry, Snapshot},
        invite::SignedCert,
        keyring::TeamBox,
    },
    proto::{SiteId, UserId},
};

/// All that is needed to sign the next thing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct View {
    /// The log.
    pub entries: Vec<Entry>,
    /// The newest snapshot.
    #[serde(default)]
    pub snapshot: Option<Snapshot>,
    /// Team keys, sealed to the recovery key.
    #[serde(default)]
    pub boxes: Vec<TeamBox>,
    /// Invites that were not used.
    #[serde(default)]
    pub invites: Vec<SignedCert>,
    /// Who has a password.
    #[serde(default)]
    pub accounts: Vec<UserId>,
    /// Settings of sites that need no signature.
    #[serde(default)]
    pub sites: BTreeMap<SiteId, SiteSettings>,
}

/// Settings of a site that need no signature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSettings {
    /// Fields of the form before the chat.
    #[serde(default)]
    pub form: Vec<String>,
    /// What the widget says first.
    #[serde(default)]
    pub greeting: Option<String>,
}

/// A team key sealed to somebody.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BoxFor {
    /// Whose.
    pub recipient: Key32,
    /// The box.
    #[serde(flatten)]
    pub sealed: TeamBox,
}

/// Changes that happen together or not at all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Commit {
    /// Entries that follow the newest.
    #[serde(default)]
    pub entries: Vec<Entry>,
    /// A snapshot that covers them.
    #[serde(default)]
    pub snapshot: Option<Snapshot>,
    /// Sealed team keys.
    #[serde(default)]
    pub boxes: Vec<BoxFor>,
    /// New invites.
    #[serde(default)]
    pub invites: Vec<SignedCert>,
    /// Settings of sites.
    #[serde(default)]
    pub sites: BTreeMap<SiteId, SiteSettings>,
}
