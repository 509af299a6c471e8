//! What readers verify: the log for agents, a snapshot with what came after it for visitors; and for how long it holds.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    DirectoryJson, Org, OrgError,
    api::{SiteAnswer, SiteName},
    published::{PublishedDirectory, check_snapshot},
    rows,
};
use crate::{
    crypto::directory::{Role, Snapshot},
    proto::{Presence, SiteId, UserId},
    store::Table,
};

/// How long visitors will still accept the directory without a new snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// End of the newest snapshot, ms; none if there is no snapshot.
    pub until: Option<u64>,
}

impl Freshness {
    /// When visitors stop accepting the directory, ms.
    pub fn good_until(&self) -> u64 {
        self.until.unwrap_or(0)
    }
}

impl Org {
    /// How long visitors will still accept the directory.
    pub fn freshness(&self) -> Freshness {
        let live = self.live();
        Freshness { until: live.snapshot.as_ref().and_then(|s| s.read().ok()).map(|body| body.until) }
    }

    /// `GET /site/<id>`: what a widget needs, as JSON. The part that is large and verified is written once for each state
    /// of the directory, not for each visitor.
    pub async fn site_json(&self, id: &SiteId, presence: Presence, max_file: u64) -> Result<[Bytes; 2], OrgError> {
        let (live, mut answer) = self.site_answer(id).await?;
        (answer.presence, answer.max_file) = (Some(presence), max_file);
        let mut json = rows::json(&answer);
        // an object with fields in it: the last byte closes it
        json.truncate(json.len().saturating_sub(1));
        json.extend_from_slice(b",\"directory\":");
        Ok([json.into(), live.bundle_json()?])
    }

    async fn site_answer(&self, id: &SiteId) -> Result<(Arc<PublishedDirectory>, SiteAnswer), OrgError> {
        let live = self.live();
        let s = live.directory.site(id).filter(|s| s.on).ok_or(OrgError::NotFound("site"))?;
        let site = SiteName { id: id.clone(), name: s.name.clone(), team: s.team.clone() };
        let settings = live.settings(id, self.settings(id)).await?;
        let bot = self.robot_keys().and_then(|keys| keys.day_key(&live.directory, id));
        let (now, opens) = (self.now_ms(), self.opens(&s.team));
        Ok((live, SiteAnswer { org: self.fp, site, now, settings, presence: None, opens, max_file: 0, bot }))
    }

    /// `GET /directory?after=`: entries after this number (−1: all).
    pub fn directory_json(&self, after: i64) -> DirectoryJson {
        self.live().written().after(after)
    }

    /// Maximum size of a snapshot of the directory as JSON: it holds the same state as the server's own directory, in
    /// base64, and that may have grown a little since.
    pub fn room_for_snapshot(&self) -> usize {
        16 * 1024 + rows::json(self.live().directory.state()).len() * 2
    }

    /// `POST /snapshot`: an admin vouches for the directory. A visitor must be able to verify it.
    pub async fn put_snapshot(&self, user: &UserId, snapshot: Snapshot) -> Result<(), OrgError> {
        if self.active(user).is_none_or(|a| a.role != Role::Admin) {
            return Err(OrgError::Forbidden("only admins sign snapshots"));
        }
        let _one = self.writing.lock().await;
        let live = self.live();
        let newer = check_snapshot(&live.directory, &live.entries, live.snapshot.as_ref(), &snapshot, self.now_ms())?;
        if !newer {
            return Err(OrgError::Conflict);
        }
        let ops = vec![rows::put(Table::Meta, rows::SNAPSHOT.to_vec(), &snapshot)];
        self.write_directory(ops).await?;
        let mut directory = (*live.directory).clone();
        directory.cover(snapshot.read()?.seq);
        self.publish(PublishedDirectory::new(directory.into(), live.entries.clone(), Some(snapshot)));
        Ok(())
    }
}
