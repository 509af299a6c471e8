//! How a company begins: genesis, teams, sites and people as signed entries, in one commit. Nothing is stored here, see
//! [`crate::org::Org::found`].

use std::collections::BTreeMap;

use super::{
    ActError, DirectoryBuilder, INVITE_MS, NewUser, SNAPSHOT_DAYS,
    error::nearest,
    people::{certify, check_name},
};
use crate::{
    crypto::{
        codec::Key32,
        directory::{Body, Directory, Entry, GenesisBody, REVISION, RulesBody},
        hpke::KemSecret,
        invite::InviteCode,
        keyfile::CompanyKeys,
        keyring::Keyring,
    },
    org::{Commit, rows::invite_name},
    proto::{SiteId, TeamId},
};

/// A company that is being founded.
#[derive(Debug)]
pub struct NewCompany<'a> {
    entries: DirectoryBuilder<'a>,
    team_keys: BTreeMap<TeamId, KemSecret>,
}

/// A company that was founded and is not stored anywhere yet.
#[derive(Debug)]
pub struct Founded {
    /// For [`crate::org::Org::found`].
    pub commit: Commit,
    /// The directory with all of it.
    pub directory: Directory,
    /// The private keys of its teams.
    pub team_keys: BTreeMap<TeamId, KemSecret>,
}

impl<'a> NewCompany<'a> {
    /// The genesis, and the newest rules of readers from the start. `opaque` is the server's public OPAQUE key.
    pub fn new(name: &str, keys: &'a CompanyKeys, opaque: &[u8; 32], now_ms: u64) -> Result<Self, ActError> {
        check_name(name)?;
        let body = GenesisBody {
            org: name.to_owned(),
            root: Key32(keys.root.public()),
            recovery: Key32(keys.recovery.public()),
            opaque: Key32(*opaque),
            suite: 1,
        };
        let genesis = Entry::sign(0, &[0; 32], now_ms, &Body::Genesis(body), &keys.root);
        let directory = Directory::genesis(keys.fp(), &genesis)?;
        let commit = Commit { entries: vec![genesis], ..Commit::default() };
        let mut entries = DirectoryBuilder::new(directory, commit, keys, now_ms);
        entries.add(&Body::Rules(RulesBody { rev: REVISION, late: Vec::new() }))?;
        Ok(Self { entries, team_keys: BTreeMap::new() })
    }

    /// A team without members.
    pub fn team(&mut self, id: &TeamId, name: &str) -> Result<(), ActError> {
        let key = self.entries.team(id, name)?;
        self.team_keys.insert(id.clone(), key);
        Ok(())
    }

    /// A site whose conversations enter the queue of a team that is there already.
    pub fn site(&mut self, id: &SiteId, name: &str, origins: &[String], team: &TeamId) -> Result<(), ActError> {
        self.entries.site(id, name, origins, team)
    }

    /// Invites a person, who can enrol with the code until `ttl_ms` from now.
    pub fn invite(&mut self, new: &NewUser, ttl_ms: u64) -> Result<InviteCode, ActError> {
        check_name(&new.name)?;
        let keys = self.entries.keys();
        let code = InviteCode::generate(keys.fp());
        let exp = self.entries.now_ms().saturating_add(ttl_ms);
        self.entries.commit.invites.push(certify(new, keys, &code, exp));
        let to = invite_name(&Key32(code.signing_key().public()));
        self.seal_team_keys(&new.teams, &to, &code.kem_key().public())?;
        Ok(code)
    }

    /// Enrols a person whose keys are given, so that nothing is left for them to do. They have no password.
    pub fn enrol(&mut self, new: &NewUser, keyring: &Keyring) -> Result<(), ActError> {
        self.entries.enrol(new, keyring, INVITE_MS)?;
        self.seal_team_keys(&new.teams, new.user.as_str(), &keyring.kem.public())
    }

    /// All of it, with a first snapshot.
    pub fn finish(self) -> Founded {
        let (commit, directory) = self.entries.finish(SNAPSHOT_DAYS);
        Founded { commit, directory, team_keys: self.team_keys }
    }

    fn seal_team_keys(&mut self, teams: &[TeamId], to: &str, pk: &[u8; 32]) -> Result<(), ActError> {
        for team in teams {
            let key = self.team_keys.get(team).ok_or_else(|| ActError::UnknownTeam {
                team: team.clone(),
                nearest: nearest(team.as_str(), self.team_keys.keys().map(TeamId::as_str)),
            })?;
            self.entries.seal(team, 1, key, to, pk)?;
        }
        Ok(())
    }
}
