//! The directory as it is published: the newest of everything, swapped as a whole, and what readers verify, written once for each
//! state and not for each reader.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use foldhash::HashMap;
use parking_lot::Mutex;

use super::{OrgError, SiteSettings, rows, written::WrittenLog};
use crate::{
    crypto::{
        directory::{ActiveAgent, Body, Bundle, Directory, Entry, Snapshot},
        invite::Cert,
    },
    proto::{SiteId, UserId},
};

/// The newest of everything, swapped as a whole.
pub(super) struct PublishedDirectory {
    pub directory: Arc<Directory>,
    pub entries: Vec<Entry>,
    pub snapshot: Option<Snapshot>,
    /// Who may act, ready for every message.
    agents: HashMap<UserId, Arc<ActiveAgent>>,
    /// What visitors verify, as JSON and with the brace that closes the answer around it; made when the first one asks.
    bundle: OnceLock<Result<Bytes, OrgError>>,
    /// The log as JSON; made when the first one asks.
    log: OnceLock<WrittenLog>,
    /// Settings of requested sites. A change of settings makes a new state, too.
    settings: Mutex<BTreeMap<SiteId, SiteSettings>>,
}

impl PublishedDirectory {
    pub(super) fn new(directory: Arc<Directory>, entries: Vec<Entry>, snapshot: Option<Snapshot>) -> Self {
        let (bundle, log, settings) = (OnceLock::new(), OnceLock::new(), Mutex::default());
        let agents = directory.agents().map(|agent| (agent.user.clone(), Arc::new(agent))).collect();
        Self { directory, entries, snapshot, agents, bundle, log, settings }
    }

    /// A user who may act at this time.
    pub(super) fn active(&self, user: &UserId, now_ms: u64) -> Option<Arc<ActiveAgent>> {
        self.agents.get(user).filter(|agent| agent.is_active(now_ms)).cloned()
    }

    /// The [`crate::crypto::directory::Bundle`] as JSON, with a brace behind it.
    pub(super) fn bundle_json(&self) -> Result<Bytes, OrgError> {
        let make = || {
            let mut json = rows::json(&bundle(&self.entries, self.snapshot.as_ref())?);
            json.push(b'}');
            Ok(json.into())
        };
        self.bundle.get_or_init(make).clone()
    }

    /// See [`Org::directory_json`].
    pub(super) fn written(&self) -> &WrittenLog {
        self.log.get_or_init(|| WrittenLog::new(&self.entries, self.snapshot.as_ref()))
    }

    /// Settings of a site that is in the directory.
    pub(super) async fn settings(
        &self,
        id: &SiteId,
        read: impl Future<Output = Result<SiteSettings, OrgError>>,
    ) -> Result<SiteSettings, OrgError> {
        let kept = || self.settings.lock();
        if let Some(settings) = kept().get(id) {
            return Ok(settings.clone());
        }
        let settings = read.await?;
        kept().insert(id.clone(), settings.clone());
        Ok(settings)
    }
}

/// Verifies a snapshot as admins and as visitors do; returns whether it is newer than the present one.
pub(super) fn check_snapshot(
    directory: &Directory,
    entries: &[Entry],
    current: Option<&Snapshot>,
    snapshot: &Snapshot,
    now_ms: u64,
) -> Result<bool, OrgError> {
    let body = snapshot.verify(directory, now_ms)?;
    bundle(entries, Some(snapshot))?.verify(directory.fp(), now_ms)?;
    let current = current.and_then(|s| s.read().ok());
    Ok(current.is_none_or(|c| (body.seq, body.until) >= (c.seq, c.until)))
}

/// What a visitor verifies: genesis, the signing admin's enrolment, snapshot, what came after.
pub(super) fn bundle(entries: &[Entry], snapshot: Option<&Snapshot>) -> Result<Bundle, OrgError> {
    let snapshot = snapshot.ok_or(OrgError::NotFound("snapshot of the directory: an admin must sign one"))?.clone();
    let genesis = entries.first().ok_or(OrgError::NoCompany)?.clone();
    let seq = snapshot.read()?.seq as usize;
    let admin = entries.iter().skip(1).find(|e| e.signer == snapshot.signer && cert_end(e).is_some()).cloned();
    let admin = admin.filter(|_| snapshot.signer != genesis.signer);
    let tail = entries.get(seq + 1..).unwrap_or_default().to_vec();
    Ok(Bundle { genesis, admin, snapshot, tail })
}

/// When the invite of an enrolment ends; none for other entries.
pub(super) fn cert_end(entry: &Entry) -> Option<u64> {
    match entry.read() {
        Ok((_, Some(Body::Enrol(e)))) => serde_json::from_slice::<Cert>(&e.cert.0).ok().map(|c| c.exp),
        _ => None,
    }
}
