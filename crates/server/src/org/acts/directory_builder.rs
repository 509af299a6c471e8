//! Entries signed with the root key, one after the other, in one commit: for who makes much at once, such as a founding or
//! the agents of a load test. Acts of a person on a company that people work in are for [`super::Signer`], which also hands
//! the keys of teams on.

use super::{
    ActError, DAY_MS, NewUser,
    people::{certify, check_name, sorted},
    sites::good_origins,
};
use crate::{
    crypto::{
        codec::Key32,
        directory::{AgentBody, Body, ConfirmBody, Directory, EnrolBody, Entry, SiteBody, Snapshot, TeamBody},
        hpke::KemSecret,
        invite::{InviteCode, sign_claim},
        keyfile::CompanyKeys,
        keyring::{Keyring, TeamBox},
        sign::SigningKey,
    },
    org::{BoxFor, Commit, DropBoxes, SiteSettings, rows::RECOVERY},
    proto::{SiteId, TeamId, UserId},
};

/// A commit in the making, and the directory as it will be.
#[derive(Debug)]
pub struct DirectoryBuilder<'a> {
    keys: &'a CompanyKeys,
    now_ms: u64,
    directory: Directory,
    pub(super) commit: Commit,
}

impl<'a> DirectoryBuilder<'a> {
    /// Continues from a verified directory that already contains the entries of `commit`.
    pub fn new(directory: Directory, commit: Commit, keys: &'a CompanyKeys, now_ms: u64) -> Self {
        Self { keys, now_ms, directory, commit }
    }

    pub(super) fn keys(&self) -> &'a CompanyKeys {
        self.keys
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Signs an entry with the root key, if the directory accepts it.
    pub fn add(&mut self, body: &Body) -> Result<(), ActError> {
        self.append(body, &self.keys.root)
    }

    fn append(&mut self, body: &Body, by: &SigningKey) -> Result<(), ActError> {
        let entry = Entry::sign(self.directory.seq() + 1, &self.directory.head(), self.now_ms, body, by);
        self.directory.apply(&entry)?;
        self.commit.entries.push(entry);
        Ok(())
    }

    /// A team that is on, with a new key sealed only to the recovery key: the caller adds the members.
    pub fn team(&mut self, id: &TeamId, name: &str) -> Result<KemSecret, ActError> {
        check_name(name)?;
        let (key, epoch) = (KemSecret::generate(), self.directory.team(id).map_or(1, |t| t.epoch + 1));
        let pk = Key32(key.public());
        self.add(&Body::Team(TeamBody { id: id.clone(), name: name.to_owned(), epoch, pk, on: true }))?;
        self.seal(id, epoch, &key, RECOVERY, &self.keys.recovery.public())?;
        Ok(key)
    }

    /// A site that is on.
    pub fn site(&mut self, id: &SiteId, name: &str, origins: &[String], team: &TeamId) -> Result<(), ActError> {
        check_name(name)?;
        let (name, origins, team) = (name.to_owned(), good_origins(origins)?, team.clone());
        self.add(&Body::Site(SiteBody { id: id.clone(), name, origins, team, on: true, bot: None }))?;
        self.commit.sites.insert(id.clone(), SiteSettings::default());
        Ok(())
    }

    /// Enrols and confirms a person whose keys are given: what an invite of `ttl_ms` and the browser of the invited person
    /// sign together.
    pub fn enrol(&mut self, new: &NewUser, keyring: &Keyring, ttl_ms: u64) -> Result<(), ActError> {
        check_name(&new.name)?;
        let code = InviteCode::generate(self.keys.fp());
        let signed = certify(new, self.keys, &code, self.now_ms.saturating_add(ttl_ms));
        let (ed, x) = (keyring.signing.public(), keyring.kem.public());
        let claim = sign_claim(&code.signing_key(), &signed.cert.0, &ed, &x);
        let body = EnrolBody {
            user: new.user.clone(),
            role: new.role,
            name: new.name.clone(),
            teams: sorted(&new.teams),
            ed: Key32(ed),
            x: Key32(x),
            cert: signed.cert,
            cert_signer: signed.signer,
            cert_sig: signed.sig,
            claim_sig: claim.to_vec().into(),
        };
        self.append(&Body::Enrol(body), &keyring.signing)?;
        self.add(&Body::Confirm(ConfirmBody { user: new.user.clone(), ed: Key32(ed) }))
    }

    /// Switches a user off. The keys of their teams stay as they are: those are for the caller to replace.
    pub fn disable(&mut self, user: &UserId) -> Result<(), ActError> {
        self.add(&Body::Agent(AgentBody { user: user.clone(), on: false, role: None, name: None, teams: None }))?;
        self.commit.drop_boxes.push(DropBoxes { to: user.to_string(), team: None });
        Ok(())
    }

    /// Seals a key of a team to a person.
    pub(super) fn seal(
        &mut self,
        team: &TeamId,
        epoch: u32,
        key: &KemSecret,
        to: &str,
        pk: &[u8; 32],
    ) -> Result<(), ActError> {
        let to = to.to_owned();
        let sealed = TeamBox::seal(team, epoch, key, pk).map_err(|why| ActError::Seal { to: to.clone(), why })?;
        self.commit.boxes.push(BoxFor { to, sealed });
        Ok(())
    }

    /// The commit with a snapshot that is good for so many days, and the directory with it.
    pub fn finish(self, days: u64) -> (Commit, Directory) {
        let until = self.now_ms + days * DAY_MS;
        let snapshot = Snapshot::make(&self.directory, self.now_ms, until, &self.keys.root);
        (Commit { snapshot: Some(snapshot), ..self.commit }, self.directory)
    }
}
