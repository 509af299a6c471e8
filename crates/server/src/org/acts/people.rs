//! People: invited, switched off and on, moved between roles and teams.

use super::{ActError, Draft, Signer, error::nearest};
use crate::{
    crypto::{
        codec::Key32,
        directory::{AgentBody, Body, RevokeBody, Role, UserState},
        invite::{Cert, InviteCode, SignedCert},
        keyfile::CompanyKeys,
    },
    org::{Commit, DropBoxes, OpenInvite, rows::invite_name},
    proto::{TeamId, UserId},
};

/// Who is to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Id and login name; never changes.
    pub user: UserId,
    /// The role.
    pub role: Role,
    /// Display name.
    pub name: String,
    /// The teams.
    pub teams: Vec<TeamId>,
}

/// Names have 1 to 100 characters.
pub(super) fn check_name(name: &str) -> Result<(), ActError> {
    if name.trim().is_empty() || name.chars().count() > 100 { Err(ActError::Name) } else { Ok(()) }
}

/// Teams as entries and certificates name them: in order, each once.
pub(super) fn sorted(teams: &[TeamId]) -> Vec<TeamId> {
    let mut teams = teams.to_vec();
    teams.sort();
    teams.dedup();
    teams
}

/// The certificate of an invite that ends at `exp`.
pub(super) fn certify(new: &NewUser, keys: &CompanyKeys, code: &InviteCode, exp: u64) -> SignedCert {
    let (inv, inv_x) = (Key32(code.signing_key().public()), Key32(code.kem_key().public()));
    let (user, role, name) = (new.user.clone(), new.role, new.name.clone());
    let cert = Cert { v: 1, org: keys.fp(), user, role, name, teams: sorted(&new.teams), inv, inv_x, exp };
    cert.sign(&keys.root)
}

impl Signer<'_> {
    /// Invites a new user. Anyone who has the code can become that user, until `ttl_ms` from now.
    pub fn invite(&self, new: &NewUser, ttl_ms: u64) -> Result<(Commit, InviteCode), ActError> {
        check_name(&new.name)?;
        if self.directory.user(&new.user).is_some() {
            return Err(ActError::UserTaken(new.user.clone()));
        }
        if self.believed.open.iter().any(|i| i.user == new.user) {
            return Err(ActError::UserInvited(new.user.clone()));
        }
        let mut draft = self.draft()?;
        let code = draft.invite(new, ttl_ms)?;
        Ok((draft.finish()?, code))
    }

    /// Takes an open invite back.
    pub fn revoke(&self, inv: &Key32) -> Result<Commit, ActError> {
        if !self.believed.all().any(|i| i.inv == *inv) {
            return Err(ActError::NoInvite(inv.to_string()));
        }
        let mut draft = self.draft()?;
        draft.revoke(inv)?;
        draft.finish()
    }

    /// Takes all open invites of a user back.
    pub fn revoke_of(&self, user: &UserId) -> Result<Commit, ActError> {
        self.invites_of(user).next().ok_or_else(|| ActError::NoInvite(user.to_string()))?;
        let mut draft = self.draft()?;
        draft.revoke_all(user)?;
        draft.finish()
    }

    /// Confirms a waiting person at any time: the signer vouches for them. They get the keys that
    /// their teams got meanwhile.
    pub fn user_confirm(&self, user: &UserId) -> Result<Commit, ActError> {
        self.known_user(user)?;
        if !self.directory.unconfirmed().iter().any(|u| u.user == *user) {
            return Err(ActError::NotWaiting(user.clone()));
        }
        let mut draft = self.draft()?;
        draft.confirm(user)?;
        if let Some(agent) = draft.directory.agent(user) {
            for team in agent.teams.iter().filter(|t| self.directory.team(t).is_some()) {
                draft.seal_all(team, user.as_str(), &agent.x)?;
            }
        }
        draft.finish()
    }

    /// Switches a user off: their key ends, their account goes, the keys of their teams change.
    pub fn user_disable(&self, user: &UserId) -> Result<Commit, ActError> {
        if !self.known_user(user)?.on {
            return Err(ActError::UserIsOff(user.clone()));
        }
        let mut draft = self.draft()?;
        draft.disable(user)?;
        draft.finish()
    }

    /// Lets a user who was switched off come back: an invite as they were, since their old key ended.
    pub fn user_enable(&self, user: &UserId, ttl_ms: u64) -> Result<(Commit, InviteCode), ActError> {
        let u = self.known_user(user)?;
        if u.active_key().is_some() {
            return Err(ActError::UserIsOn(user.clone()));
        }
        let new = self.as_he_was(user, &u);
        let mut draft = self.draft()?;
        draft.revoke_all(user)?;
        let code = draft.invite(&new, ttl_ms)?;
        Ok((draft.finish()?, code))
    }

    /// Forgotten password or lost device: off, and a new invite at once.
    pub fn user_reset(&self, user: &UserId, ttl_ms: u64) -> Result<(Commit, InviteCode), ActError> {
        let u = self.known_user(user)?;
        let new = self.as_he_was(user, &u);
        let mut draft = self.draft()?;
        if u.on {
            draft.disable(user)?;
        } else {
            draft.revoke_all(user)?;
        }
        let code = draft.invite(&new, ttl_ms)?;
        Ok((draft.finish()?, code))
    }

    /// Changes a user's role.
    pub fn user_role(&self, user: &UserId, role: Role) -> Result<Commit, ActError> {
        let on = self.known_user(user)?.on;
        self.change(AgentBody { user: user.clone(), on, role: Some(role), name: None, teams: None })
    }

    /// Changes a user's display name.
    pub fn user_rename(&self, user: &UserId, name: &str) -> Result<Commit, ActError> {
        check_name(name)?;
        let on = self.known_user(user)?.on;
        self.change(AgentBody { user: user.clone(), on, role: None, name: Some(name.to_owned()), teams: None })
    }

    /// Exactly these teams: keys of new ones are sealed to the user, keys of those the user leaves change.
    pub fn user_teams(&self, user: &UserId, teams: &[TeamId]) -> Result<Commit, ActError> {
        let (on, before) = self.known_user(user).map(|u| (u.on, u.teams.clone()))?;
        let teams = sorted(teams);
        teams.iter().try_for_each(|t| self.known_team(t).map(|_| ()))?;
        let mut draft = self.draft()?;
        draft.entry(Body::Agent(AgentBody {
            user: user.clone(),
            on,
            role: None,
            name: None,
            teams: Some(teams.clone()),
        }))?;
        if let Some(agent) = self.directory.agent(user) {
            let active = agent.is_active(self.now_ms);
            for team in teams.iter().filter(|t| active && !before.contains(t)) {
                draft.seal_all(team, user.as_str(), &agent.x)?;
            }
            for team in before.iter().filter(|t| !teams.contains(t)) {
                draft.commit.drop_boxes.push(DropBoxes { to: user.to_string(), team: Some(team.clone()) });
                draft.rotate(team)?;
            }
        }
        draft.finish()
    }

    fn change(&self, body: AgentBody) -> Result<Commit, ActError> {
        let mut draft = self.draft()?;
        draft.entry(Body::Agent(body))?;
        draft.finish()
    }

    fn known_user(&self, user: &UserId) -> Result<UserState, ActError> {
        self.directory.user(user).ok_or_else(|| ActError::UnknownUser {
            user: user.clone(),
            nearest: nearest(user.as_str(), self.directory.users().map(|(id, _)| id.as_str())),
        })
    }

    fn invites_of<'s>(&'s self, user: &'s UserId) -> impl Iterator<Item = &'s OpenInvite> {
        self.believed.all().filter(move |i| i.user == *user)
    }

    /// The user as an invite would restore them; without teams that no longer exist.
    fn as_he_was(&self, user: &UserId, u: &UserState) -> NewUser {
        let teams = u.teams.iter().filter(|t| self.directory.team(t).is_some()).cloned().collect();
        NewUser { user: user.clone(), role: u.role, name: u.name.clone(), teams }
    }
}

impl Draft<'_> {
    fn invite(&mut self, new: &NewUser, ttl_ms: u64) -> Result<InviteCode, ActError> {
        let signer = self.signer;
        let code = InviteCode::generate(signer.keys.fp());
        let (inv, inv_x) = (Key32(code.signing_key().public()), Key32(code.kem_key().public()));
        let to = invite_name(&inv);
        for team in &sorted(&new.teams) {
            signer.known_team(team)?;
            // a key made by this very act is sealed to the invite here, older ones come from the recovery key
            let fresh = self.directory.team(team).map(|t| t.epoch);
            for (epoch, key) in signer.keys_of(team)? {
                self.seal(team, epoch, key, to.clone(), &inv_x.0)?;
            }
            if fresh != signer.directory.team(team).map(|t| t.epoch) {
                self.seal_fresh(team, &to, &inv_x.0)?;
            }
        }
        let exp = signer.now_ms.saturating_add(ttl_ms);
        self.commit.invites.push(certify(new, signer.keys, &code, exp));
        // an invite of theirs that ended is of no use to anyone
        let ended = signer.invites_of(&new.user).filter(|i| i.expired).map(|i| i.inv);
        self.commit.drop_invites.extend(ended);
        Ok(code)
    }

    /// Seals the key that this draft made for a team.
    fn seal_fresh(&mut self, team: &TeamId, to: &str, pk: &[u8; 32]) -> Result<(), ActError> {
        let made = self.commit.boxes.iter().rev();
        let mut made = made.filter(|b| b.to == crate::org::rows::RECOVERY && b.sealed.team == *team);
        let Some(made) = made.next().map(|b| b.sealed.clone()) else { return Ok(()) };
        let bad = |_| ActError::TeamKey { team: team.clone(), epoch: made.epoch };
        let key = made.open(&self.signer.keys.recovery).map_err(bad)?;
        self.seal(team, made.epoch, &key, to.to_owned(), pk)
    }

    fn revoke(&mut self, inv: &Key32) -> Result<(), ActError> {
        self.commit.drop_invites.push(*inv);
        self.entry(Body::Revoke(RevokeBody { inv: *inv }))
    }

    fn revoke_all(&mut self, user: &UserId) -> Result<(), ActError> {
        let open: Vec<Key32> = self.signer.invites_of(user).map(|i| i.inv).collect();
        open.iter().try_for_each(|inv| self.revoke(inv))
    }

    fn disable(&mut self, user: &UserId) -> Result<(), ActError> {
        self.revoke_all(user)?;
        self.entry(Body::Agent(AgentBody { user: user.clone(), on: false, role: None, name: None, teams: None }))?;
        let teams = self.signer.known_user(user)?.teams.clone();
        for team in teams.iter().filter(|t| self.signer.directory.team(t).is_some()) {
            self.rotate(team)?;
        }
        self.commit.drop_accounts.push(user.clone());
        self.commit.drop_boxes.push(DropBoxes { to: user.to_string(), team: None });
        Ok(())
    }
}
