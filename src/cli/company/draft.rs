//! A change in the making: entries that were signed and already stand the rules of the directory, keys sealed to those
//! who shall have them. Nothing happens until it is sent.

use super::{Commit, Company, SiteSettings, shape::BoxFor};
use crate::{
    cli::fail::Fail,
    crypto::{
        codec::Key32,
        directory::{AgentBody, Body, Directory, Entry, RevokeBody, Role, SiteBody, Snapshot, TeamBody},
        hpke::KemSecret,
        invite::{Cert, InviteCode},
        keyfile::CompanyKeys,
        keyring::TeamBox,
    },
    proto::{SiteId, TeamId, UserId},
};

/// How long a snapshot is good, ms: 30 days.
pub const SNAPSHOT_MS: u64 = 30 * 86_400_000;

/// A change in the making.
#[derive(Debug)]
pub struct Draft<'a> {
    company: &'a Company,
    keys: &'a CompanyKeys,
    dir: Directory,
    commit: Commit,
    snapshot_ms: u64,
    /// Recovery boxes: those there were and those of this change.
    recovery: Vec<TeamBox>,
    /// X25519 keys of open invites, with their teams.
    invited: Vec<(UserId, Key32, Key32, Vec<TeamId>)>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(company: &'a Company, keys: &'a CompanyKeys) -> Self {
        let usable = company.open_invites().filter(|i| !i.expired);
        Self {
            company,
            keys,
            dir: company.dir.clone(),
            commit: Commit::default(),
            snapshot_ms: SNAPSHOT_MS,
            recovery: company.view.boxes.clone(),
            invited: usable.map(|i| (i.cert.user, i.cert.inv, i.cert.inv_x, i.cert.teams)).collect(),
        }
    }

    fn entry(&mut self, body: &Body) -> Result<(), Fail> {
        let at = self.company.now_ms;
        let entry = Entry::sign(self.dir.seq() + 1, &self.dir.head(), at, body, &self.keys.root);
        self.dir.apply(&entry, at, false).map_err(|e| Fail::failure(e.to_string()))?;
        self.commit.entries.push(entry);
        Ok(())
    }

    /// A new team with its first key, or, if `id` exists, the same team with a new key, sealed to all who are in it.
    pub fn team_key(&mut self, id: &TeamId, name: &str) -> Result<(), Fail> {
        let (epoch, on) = self.dir.team(id).map_or((1, true), |t| (t.epoch + 1, t.on));
        let secret = KemSecret::generate();
        let pk = Key32(secret.public());
        self.entry(&Body::Team(TeamBody { id: id.clone(), name: name.to_owned(), epoch, pk, on }))?;
        let recovery = self.dir.state().recovery;
        let mut readers = vec![recovery];
        readers.extend(self.dir.agents().filter(|a| a.teams.contains(id)).map(|a| Key32(a.x)));
        readers.extend(self.invited.iter().filter(|(.., teams)| teams.contains(id)).map(|(_, _, x, _)| *x));
        for reader in readers {
            let sealed = TeamBox::seal(id, epoch, &secret, &reader.0).map_err(|e| seal_fail(id, &e))?;
            if reader == recovery {
                self.recovery.push(sealed.clone());
            }
            self.commit.boxes.push(BoxFor { recipient: reader, sealed });
        }
        Ok(())
    }

    /// Another name for a team.
    pub fn rename_team(&mut self, id: &TeamId, name: &str) -> Result<(), Fail> {
        let team = self.company.team(id)?;
        let (epoch, pk, on) = (team.epoch, team.pk, team.on);
        self.entry(&Body::Team(TeamBody { id: id.clone(), name: name.to_owned(), epoch, pk, on }))
    }

    /// A new key for a team that stays as it is.
    pub fn rotate(&mut self, id: &TeamId) -> Result<(), Fail> {
        let name = self.company.team(id)?.name.clone();
        self.team_key(id, &name)
    }

    /// Seals all keys of a team, old ones too, to a reader who joins it: history is the team's.
    fn hand_over(&mut self, team: &TeamId, reader: Key32) -> Result<(), Fail> {
        let known = self.dir.team(team).map_or(0, |t| t.epoch);
        let boxes: Vec<TeamBox> = self.recovery.iter().filter(|b| b.team == *team).cloned().collect();
        if !boxes.iter().any(|b| b.epoch == known) {
            return Err(Fail::failure(format!("the recovery copy of team {team}'s key is missing"))
                .next(format!("kefu team rotate {team} makes a new key")));
        }
        for sealed in boxes {
            let secret = sealed.open(&self.keys.recovery).map_err(|e| seal_fail(team, &e))?;
            let genuine = self.dir.team(team).is_some_and(|t| t.epoch != sealed.epoch || t.pk.0 == secret.public());
            if !genuine {
                return Err(Fail::failure(format!("the stored key of team {team} is not the one in the directory"))
                    .next("restore a backup; nothing was signed"));
            }
            let sealed = TeamBox::seal(team, sealed.epoch, &secret, &reader.0).map_err(|e| seal_fail(team, &e))?;
            self.commit.boxes.push(BoxFor { recipient: reader, sealed });
        }
        Ok(())
    }

    /// An invite for a user, new or coming back; earlier invites of the same user end.
    pub fn invite(
        &mut self,
        user: &UserId,
        name: &str,
        role: Role,
        teams: &[TeamId],
        ttl_ms: u64,
    ) -> Result<InviteCode, Fail> {
        for team in teams {
            self.company.team(team)?;
        }
        self.revoke(user)?;
        let code = InviteCode::generate(self.dir.fp());
        let (inv, inv_x) = (Key32(code.signing_key().public()), Key32(code.kem_key().public()));
        let cert = Cert {
            v: 1,
            org: self.dir.fp(),
            user: user.clone(),
            role,
            name: name.to_owned(),
            teams: teams.to_vec(),
            inv,
            inv_x,
            exp: self.company.now_ms + ttl_ms,
        };
        self.commit.invites.push(cert.sign(&self.keys.root));
        for team in teams {
            self.hand_over(team, inv_x)?;
        }
        self.invited.push((user.clone(), inv, inv_x, teams.to_vec()));
        Ok(code)
    }

    /// Ends the open invites of a user; says how many there were.
    pub fn revoke(&mut self, user: &UserId) -> Result<usize, Fail> {
        let theirs: Vec<Key32> =
            self.company.open_invites().filter(|i| i.cert.user == *user).map(|i| i.cert.inv).collect();
        for inv in &theirs {
            self.entry(&Body::Revoke(RevokeBody { inv: *inv }))?;
        }
        self.invited.retain(|(who, ..)| who != user);
        Ok(theirs.len())
    }

    /// Ends a user's key and rotates the keys of all teams he was in.
    pub fn disable(&mut self, user: &UserId) -> Result<Vec<TeamId>, Fail> {
        let teams = self.company.user(user)?.teams.clone();
        self.revoke(user)?;
        self.entry(&Body::Agent(AgentBody { user: user.clone(), on: false, role: None, name: None, teams: None }))?;
        for team in &teams {
            self.rotate(team)?;
        }
        Ok(teams)
    }

    /// Another role.
    pub fn role(&mut self, user: &UserId, role: Role) -> Result<(), Fail> {
        let on = self.company.user(user)?.on;
        self.entry(&Body::Agent(AgentBody { user: user.clone(), on, role: Some(role), name: None, teams: None }))
    }

    /// Another set of teams: new ones hand over their keys, left ones get new keys.
    pub fn teams(&mut self, user: &UserId, teams: &[TeamId]) -> Result<(), Fail> {
        let state = self.company.user(user)?;
        let (on, before) = (state.on, state.teams.clone());
        for team in teams {
            self.company.team(team)?;
        }
        let body = AgentBody { user: user.clone(), on, role: None, name: None, teams: Some(teams.to_vec()) };
        self.entry(&Body::Agent(body))?;
        for left in before.iter().filter(|t| !teams.contains(t)) {
            self.rotate(left)?;
        }
        let key = self.dir.agent(user).map(|a| Key32(a.x));
        for joined in teams.iter().filter(|t| !before.contains(t)) {
            if let Some(key) = key {
                self.hand_over(joined, key)?;
            }
        }
        Ok(())
    }

    /// A site as it shall be.
    pub fn site(&mut self, body: SiteBody) -> Result<(), Fail> {
        self.company.team(&body.team)?;
        self.entry(&Body::Site(body))
    }

    /// Settings of a site that need no signature.
    pub fn site_settings(&mut self, id: &SiteId, settings: SiteSettings) {
        self.commit.sites.insert(id.clone(), settings);
    }

    /// How long the new snapshot shall be good, ms.
    pub fn snapshot_life(&mut self, ms: u64) {
        self.snapshot_ms = ms;
    }

    /// The change, with a new snapshot that covers it.
    pub fn finish(self) -> Commit {
        let now = self.company.now_ms;
        let snapshot = Snapshot::make(&self.dir, now, now + self.snapshot_ms, &self.keys.root);
        Commit { snapshot: Some(snapshot), ..self.commit }
    }
}

fn seal_fail(team: &TeamId, e: &dyn std::fmt::Display) -> Fail {
    Fail::failure(format!("the key of team {team} cannot be handed over: {e}"))
}
