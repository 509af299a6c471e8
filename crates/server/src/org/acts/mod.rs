//! Acts that need the company's keys: pure functions from what the server exported to a [`Commit`]. They run on the
//! command line; the server never sees the keys. Every act carries a fresh snapshot.

mod believed;
mod directory_builder;
mod error;
mod new_company;
mod people;
mod robots;
mod sites;
mod teams;

use std::collections::BTreeMap;

pub use believed::{Believed, Ignored};
pub use directory_builder::DirectoryBuilder;
pub use error::ActError;
pub use new_company::{Founded, NewCompany};
pub use people::NewUser;
pub use sites::{SiteChange, check_origin};

use super::{AdminView, Commit, OrgError};
use crate::{
    crypto::{
        directory::{Body, ConfirmBody, Directory, Entry, MAX_SNAPSHOT_MS, REVISION, RulesBody, Snapshot},
        hpke::KemSecret,
        keyfile::CompanyKeys,
    },
    proto::{TeamId, UserId},
};

/// A day, ms.
pub const DAY_MS: u64 = 86_400_000;
/// Default validity of the snapshot in every act, days.
pub const SNAPSHOT_DAYS: u64 = 30;
/// Default validity of an invite, ms: 72 hours.
pub const INVITE_MS: u64 = 3 * DAY_MS;

/// Signs with the company's keys, based on the server's export.
#[derive(Debug)]
pub struct Signer<'a> {
    keys: &'a CompanyKeys,
    now_ms: u64,
    directory: Directory,
    team_keys: BTreeMap<(TeamId, u32), KemSecret>,
    believed: Believed,
    /// How long the snapshots of acts are good, days.
    fresh_days: u64,
}

impl<'a> Signer<'a> {
    /// On the verified directory of a view. Opens the team keys with the recovery key. What the view lists beyond the log
    /// is left out, see [`Signer::ignored`].
    pub fn new(directory: Directory, view: &AdminView, keys: &'a CompanyKeys, now_ms: u64) -> Result<Self, ActError> {
        if directory.fp() != keys.fp() || directory.state().recovery.0 != keys.recovery.public() {
            return Err(ActError::NotCompany);
        }
        let mut believed = Believed::of(view, &directory, now_ms);
        let forged = |i: &Ignored| if let Ignored::FalseInvite(user) = i { Some(user.clone()) } else { None };
        if let Some(user) = believed.ignored.iter().find_map(forged) {
            return Err(ActError::Invite(user));
        }
        let team_keys = believed::team_keys(view, &directory, keys, &mut believed.ignored);
        Ok(Self { keys, now_ms, directory, team_keys, believed, fresh_days: SNAPSHOT_DAYS })
    }

    /// Lets the snapshots of acts be good for this many days; at most 180.
    #[must_use]
    pub fn fresh_for(self, days: u64) -> Self {
        Self { fresh_days: days.clamp(1, MAX_SNAPSHOT_MS / DAY_MS), ..self }
    }

    /// The verified directory.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What the view lists and no act takes into account, for the person who signs.
    pub fn ignored(&self) -> &[Ignored] {
        &self.believed.ignored
    }

    /// A fresh snapshot and nothing else, for 1 to 180 days.
    pub fn snapshot(&self, days: u64) -> Result<Commit, ActError> {
        if days == 0 || days * DAY_MS > MAX_SNAPSHOT_MS {
            return Err(ActError::Days);
        }
        Ok(self.draft()?.finish_for(days))
    }

    /// Begins an act; it also confirms everyone who can be confirmed.
    fn draft(&self) -> Result<Draft<'_>, ActError> {
        let commit = Commit { expect_seq: self.directory.seq() + 1, ..Commit::default() };
        let mut draft = Draft { signer: self, directory: self.directory.clone(), commit };
        draft.confirm_in_time()?;
        Ok(draft)
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
        self.directory.apply(&entry)?;
        self.commit.entries.push(entry);
        Ok(())
    }

    /// Confirms everyone who waits and whose invite has not expired.
    /// A person who enrolled later may be someone else with an old invite: a person must judge that, by calling
    /// [`Signer::user_confirm`].
    fn confirm_in_time(&mut self) -> Result<(), ActError> {
        let (in_time, late): (Vec<_>, Vec<_>) =
            self.directory.unconfirmed().into_iter().partition(|u| self.signer.now_ms <= u.exp);
        if self.directory.state().rules.is_empty() {
            let late = late.into_iter().map(|u| u.inv).collect();
            self.entry(Body::Rules(RulesBody { rev: REVISION, late }))?;
        }
        in_time.iter().try_for_each(|u| self.confirm(&u.user))
    }

    /// Confirms a waiting person; does nothing for others.
    fn confirm(&mut self, user: &UserId) -> Result<(), ActError> {
        match self.directory.state().waiting.get(user).map(|w| w.ed) {
            Some(ed) => self.entry(Body::Confirm(ConfirmBody { user: user.clone(), ed })),
            None => Ok(()),
        }
    }

    /// Adds the snapshot.
    fn finish(self) -> Result<Commit, ActError> {
        let days = self.signer.fresh_days;
        Ok(self.finish_for(days))
    }

    fn finish_for(mut self, days: u64) -> Commit {
        let (now, root) = (self.signer.now_ms, &self.signer.keys.root);
        self.commit.snapshot = Some(Snapshot::make(&self.directory, now, now + days * DAY_MS, root));
        self.commit
    }
}

impl From<ActError> for OrgError {
    fn from(e: ActError) -> Self {
        Self::Malformed(e.to_string())
    }
}
