//! Acts that need the company's keys: pure functions from what the server exported to a [`Commit`]. They run on the
//! command line; the server never sees the keys. Every act carries a fresh snapshot.

mod error;
mod found;
mod people;
mod robots;
mod sites;
mod teams;

use std::collections::BTreeMap;

pub use error::ActError;
pub use found::{Founding, empty_view, found, genesis, join, view_after};
pub use people::NewUser;
pub use sites::{SiteChange, check_origin};

use super::{AdminView, Commit, OpenInvite, OrgError};
use crate::{
    crypto::{
        directory::{Body, Directory, Entry, MAX_SNAPSHOT_MS, Snapshot},
        hpke::KemSecret,
        invite::Cert,
        keyfile::CompanyKeys,
    },
    proto::{TeamId, UserId},
};

/// A day, ms.
pub const DAY_MS: u64 = 86_400_000;
/// Life of the snapshot in every act where nothing else is said, days.
pub const SNAPSHOT_DAYS: u64 = 30;
/// Life of an invite if nothing else is said, ms: 72 hours.
pub const INVITE_MS: u64 = 3 * DAY_MS;

/// Somebody with the company's keys, looking at what the server exported.
#[derive(Debug)]
pub struct Signer<'a> {
    view: &'a AdminView,
    keys: &'a CompanyKeys,
    now_ms: u64,
    directory: Directory,
    team_keys: BTreeMap<(TeamId, u32), KemSecret>,
    /// How long the snapshots of acts are good, days.
    fresh_days: u64,
    /// Who enrolled after his invite had ended; nothing is vouched for while one of them is on.
    late: Vec<UserId>,
}

impl<'a> Signer<'a> {
    /// Verifies the view under the company's own root key and opens the team keys with the recovery key.
    pub fn new(view: &'a AdminView, keys: &'a CompanyKeys, now_ms: u64) -> Result<Self, ActError> {
        if view.org != keys.fp() {
            return Err(ActError::NotCompany);
        }
        let directory = Directory::replay(keys.fp(), &view.entries, now_ms, Some(u32::MAX))?;
        let covered = match &view.snapshot {
            // out of date is no fault here: it vouched for its entries while it was fresh
            Some(s) => s.verify(&directory, s.read()?.at)?.seq,
            None => 0,
        };
        let late = view.entries.iter().skip(covered as usize + 1).filter_map(|e| late(e).transpose());
        let late = late.collect::<Result<_, _>>()?;
        let mut team_keys = BTreeMap::new();
        for sealed in &view.recovery {
            let bad = || ActError::TeamKey { team: sealed.team.clone(), epoch: sealed.epoch };
            let key = sealed.open(&keys.recovery).map_err(|_| bad())?;
            let current = directory.team(&sealed.team).ok_or_else(bad)?;
            if current.epoch == sealed.epoch && current.pk.0 != key.public() {
                return Err(bad());
            }
            team_keys.insert((sealed.team.clone(), sealed.epoch), key);
        }
        // team keys are sealed to open invites: a stranger's key among them must not get one
        for invite in &view.invites {
            let (raw, signer, sig) = (&invite.signed.cert.0, &invite.signed.signer, &invite.signed.sig.0);
            let bad = || ActError::Invite(invite.user.clone());
            Cert::verify(raw, &signer.0, sig, &keys.fp()).map_err(|_| bad())?;
            let said = OpenInvite::read(&invite.signed, now_ms).map_err(|_| bad())?;
            let same = (said.inv, said.inv_x, &said.teams) == (invite.inv, invite.inv_x, &invite.teams);
            if !same || said.user != invite.user || !directory.may_sign(signer) {
                return Err(bad());
            }
        }
        Ok(Self { view, keys, now_ms, directory, team_keys, fresh_days: SNAPSHOT_DAYS, late })
    }

    /// Lets the snapshots of acts be good for this many days; at most 180.
    pub fn fresh_for(self, days: u64) -> Self {
        Self { fresh_days: days.clamp(1, MAX_SNAPSHOT_MS / DAY_MS), ..self }
    }

    /// The verified directory.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// A fresh snapshot and nothing else, for 1 to 180 days.
    pub fn snapshot(&self, days: u64) -> Result<Commit, ActError> {
        if days == 0 || days * DAY_MS > MAX_SNAPSHOT_MS {
            return Err(ActError::Days);
        }
        let mut commit = self.draft().finish()?;
        commit.snapshot =
            Some(Snapshot::make(&self.directory, self.now_ms, self.now_ms + days * DAY_MS, &self.keys.root));
        Ok(commit)
    }

    fn draft(&self) -> Draft<'_> {
        let commit = Commit { expect_seq: self.directory.seq() + 1, ..Commit::default() };
        Draft { signer: self, directory: self.directory.clone(), commit }
    }
}

/// Whose enrolment says itself that it came after its invite's end.
fn late(entry: &Entry) -> Result<Option<UserId>, ActError> {
    let Some(Body::Enrol(e)) = entry.read()?.1 else { return Ok(None) };
    let at = entry.at()?;
    match serde_json::from_slice::<Cert>(&e.cert.0) {
        Ok(cert) if at <= cert.exp => Ok(None),
        _ => Ok(Some(e.user)),
    }
}

/// A commit in the making, and the directory as it will be.
struct Draft<'a> {
    signer: &'a Signer<'a>,
    directory: Directory,
    commit: Commit,
}

impl Draft<'_> {
    /// Signs an entry with the root key, if the directory accepts it.
    fn entry(&mut self, body: Body) -> Result<(), ActError> {
        let (seq, head, now) = (self.directory.seq() + 1, self.directory.head(), self.signer.now_ms);
        let entry = Entry::sign(seq, &head, now, &body, &self.signer.keys.root);
        self.directory.apply(&entry, now, false)?;
        self.commit.entries.push(entry);
        Ok(())
    }

    /// Adds the snapshot.
    fn finish(mut self) -> Result<Commit, ActError> {
        if let Some(late) = self.signer.late.iter().find(|u| self.directory.agent(u).is_some()) {
            return Err(ActError::LateEnrol(late.clone()));
        }
        let (now, root) = (self.signer.now_ms, &self.signer.keys.root);
        let until = now + self.signer.fresh_days * DAY_MS;
        self.commit.snapshot = Some(Snapshot::make(&self.directory, now, until, root));
        Ok(self.commit)
    }
}

impl From<ActError> for OrgError {
    fn from(e: ActError) -> Self {
        Self::Malformed(e.to_string())
    }
}
