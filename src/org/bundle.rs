//! What readers verify: the log for agents, a snapshot with what came after it for visitors; and for how long it holds.

use super::{DirectoryAnswer, Org, OrgError, SiteAnswer, api::SiteName, rows, service::Live};
use crate::{
    crypto::{
        directory::{Body, Bundle, Directory, Entry, Role, Snapshot},
        invite::Cert,
    },
    proto::{SiteId, UserId},
    store::{self, Batch, Table},
};

/// How long visitors will still accept the directory without a new snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// End of the newest snapshot, ms; none if there is no snapshot.
    pub until: Option<u64>,
    /// Earliest end of an invite that was used after the newest snapshot: from then on visitors refuse the directory
    /// until an admin signs a new snapshot.
    pub uncovered: Option<u64>,
}

impl Freshness {
    /// When visitors stop accepting the directory, ms.
    pub fn good_until(&self) -> u64 {
        self.until.unwrap_or(0).min(self.uncovered.unwrap_or(u64::MAX))
    }
}

impl Org {
    /// How long visitors will still accept the directory.
    pub fn freshness(&self) -> Freshness {
        let live = self.live();
        let body = live.snapshot.as_ref().and_then(|s| s.read().ok());
        let after = body.as_ref().map_or(0, |b| b.seq as usize + 1);
        let uncovered = live.entries[after.min(live.entries.len())..].iter().filter_map(cert_end).min();
        Freshness { until: body.map(|b| b.until), uncovered }
    }

    /// `GET /site/<id>`: what a widget needs.
    pub async fn site_bundle(&self, id: &SiteId) -> Result<SiteAnswer, OrgError> {
        let live = self.live();
        let s = live.directory.site(id).filter(|s| s.on).ok_or(OrgError::NotFound("site"))?;
        let site = SiteName { id: id.clone(), name: s.name.clone(), team: s.team.clone() };
        let settings = self.settings(id)?;
        let directory = bundle(&live.entries, live.snapshot.as_ref())?;
        let bot = self.robot().and_then(|r| r.day_key(&live.directory, id));
        Ok(SiteAnswer { org: self.fp, site, now: self.now_ms(), directory, settings, presence: None, bot })
    }

    /// `GET /directory?after=`: entries after this number (−1: all).
    pub async fn directory_after(&self, after: i64) -> Result<DirectoryAnswer, OrgError> {
        let live = self.live();
        let from = usize::try_from(after.saturating_add(1)).unwrap_or(0).min(live.entries.len());
        let entries = live.entries[from..].to_vec();
        Ok(DirectoryAnswer { entries, snapshot: live.snapshot.clone() })
    }

    /// `POST /snapshot`: an admin vouches for the directory. A visitor must be able to verify it.
    pub async fn put_snapshot(&self, user: &UserId, snapshot: Snapshot) -> Result<(), OrgError> {
        if self.agent(user).is_none_or(|a| a.role != Role::Admin) {
            return Err(OrgError::Forbidden("only admins sign snapshots"));
        }
        let _one = self.writing.lock().await;
        let live = self.live();
        let newer = check_snapshot(&live.directory, &live.entries, live.snapshot.as_ref(), &snapshot, self.now_ms())?;
        if !newer {
            return Err(OrgError::Conflict);
        }
        let ops = vec![rows::put(Table::Meta, rows::SNAPSHOT.to_vec(), &snapshot)];
        store::write(&*self.store, Batch { ops, ..Batch::default() }).await?;
        self.publish(Live {
            directory: live.directory.clone(),
            entries: live.entries.clone(),
            snapshot: Some(snapshot),
        });
        Ok(())
    }
}

/// Verifies a snapshot as admins and as visitors do; says whether it is newer than the one there is.
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
fn cert_end(entry: &Entry) -> Option<u64> {
    match entry.read() {
        Ok((_, Some(Body::Enrol(e)))) => serde_json::from_slice::<Cert>(&e.cert.0).ok().map(|c| c.exp),
        _ => None,
    }
}
