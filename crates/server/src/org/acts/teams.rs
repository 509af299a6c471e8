//! Teams and who holds their keys.

use super::{ActError, Draft, Signer, error::nearest, people::check_name};
use crate::{
    crypto::{
        codec::Key32,
        directory::{Body, TeamBody, TeamState},
        hpke::KemSecret,
        keyring::TeamBox,
    },
    org::{
        BoxFor, Commit,
        rows::{RECOVERY, invite_name},
    },
    proto::TeamId,
};

impl Signer<'_> {
    /// A new team. Its key goes to the recovery key; members come by [`Signer::user_teams`] and invites.
    pub fn team_add(&self, id: &TeamId, name: &str) -> Result<Commit, ActError> {
        check_name(name)?;
        if self.directory.team(id).is_some() {
            return Err(ActError::TeamTaken(id.clone()));
        }
        let mut draft = self.draft()?;
        draft.new_key(id, name, 1, true)?;
        draft.finish()
    }

    /// Changes a team's display name.
    pub fn team_rename(&self, id: &TeamId, name: &str) -> Result<Commit, ActError> {
        check_name(name)?;
        let team = self.known_team(id)?;
        self.team_entry(id, TeamState { name: name.to_owned(), ..team.clone() })
    }

    /// Switches a team on or off.
    pub fn team_switch(&self, id: &TeamId, on: bool) -> Result<Commit, ActError> {
        let team = self.known_team(id)?;
        self.team_entry(id, TeamState { on, ..team.clone() })
    }

    /// A new key for the team's members.
    pub fn team_rotate(&self, id: &TeamId) -> Result<Commit, ActError> {
        self.known_team(id)?;
        let mut draft = self.draft()?;
        draft.rotate(id)?;
        draft.finish()
    }

    fn team_entry(&self, id: &TeamId, t: TeamState) -> Result<Commit, ActError> {
        let mut draft = self.draft()?;
        draft.entry(Body::Team(TeamBody { id: id.clone(), name: t.name, epoch: t.epoch, pk: t.pk, on: t.on }))?;
        draft.finish()
    }

    pub(super) fn known_team(&self, id: &TeamId) -> Result<&TeamState, ActError> {
        self.directory.team(id).ok_or_else(|| {
            let names = self.directory.state().teams.keys().map(TeamId::as_str);
            ActError::UnknownTeam { team: id.clone(), nearest: nearest(id.as_str(), names) }
        })
    }

    /// All keys of a team, oldest first.
    pub(super) fn keys_of(&self, id: &TeamId) -> Result<Vec<(u32, &KemSecret)>, ActError> {
        let newest = self.known_team(id)?.epoch;
        let missing = |epoch| ActError::TeamKey { team: id.clone(), epoch };
        // old slices may have been dropped on purpose; the newest must be there
        self.team_keys.get(&(id.clone(), newest)).ok_or_else(|| missing(newest))?;
        Ok(self.team_keys.iter().filter(|((team, _), _)| team == id).map(|((_, e), key)| (*e, key)).collect())
    }
}

impl Draft<'_> {
    /// Next key of a team for its members as the draft has them.
    pub(super) fn rotate(&mut self, id: &TeamId) -> Result<(), ActError> {
        let team = self.signer.known_team(id)?;
        let (name, epoch, on) = (team.name.clone(), team.epoch + 1, team.on);
        self.new_key(id, &name, epoch, on)
    }

    fn new_key(&mut self, id: &TeamId, name: &str, epoch: u32, on: bool) -> Result<(), ActError> {
        let key = KemSecret::generate();
        let pk = Key32(key.public());
        self.entry(Body::Team(TeamBody { id: id.clone(), name: name.to_owned(), epoch, pk, on }))?;
        let mut to = vec![(RECOVERY.to_owned(), self.signer.keys.recovery.public())];
        let now = self.signer.now_ms;
        let members = self.directory.agents().filter(|a| a.is_active(now) && a.teams.contains(id));
        to.extend(members.map(|a| (a.user.to_string(), a.x)));
        let open = self.signer.believed.open.iter();
        let open = open.filter(|i| i.teams.contains(id) && !self.commit.drop_invites.contains(&i.inv));
        to.extend(open.map(|i| (invite_name(&i.inv), i.inv_x.0)));
        for (to, pk) in to {
            self.seal(id, epoch, &key, to, &pk)?;
        }
        Ok(())
    }

    /// Seals one key of a team to a person.
    pub(super) fn seal(
        &mut self,
        id: &TeamId,
        epoch: u32,
        key: &KemSecret,
        to: String,
        pk: &[u8; 32],
    ) -> Result<(), ActError> {
        let sealed = TeamBox::seal(id, epoch, key, pk).map_err(|why| ActError::Seal { to: to.clone(), why })?;
        self.commit.boxes.push(BoxFor { to, sealed });
        Ok(())
    }

    /// Seals all keys of a team to a person, so that they can read its history.
    pub(super) fn seal_all(&mut self, id: &TeamId, to: &str, pk: &[u8; 32]) -> Result<(), ActError> {
        let signer = self.signer;
        for (epoch, key) in signer.keys_of(id)? {
            self.seal(id, epoch, key, to.to_owned(), pk)?;
        }
        Ok(())
    }
}
