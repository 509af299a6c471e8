//! A company founded by library calls, for measurements and tests: without prompts, passphrases or passwords, so that
//! nothing is stretched by Argon2.

use std::{fs, path::Path, sync::Arc, time::SystemTime};

use anyhow::Context as _;

use crate::{
    app,
    config::Config,
    crypto::{
        codec::Key32,
        directory::{Body, ConfirmBody, Directory, EnrolBody, Entry, Role, SiteBody, Snapshot, TeamBody},
        hpke::KemSecret,
        invite::{Cert, InviteCode, sign_claim},
        keyfile::CompanyKeys,
        keyring::{Keyring, TeamBox},
        opaque::{OpaqueServer, generate_setup},
        sign::SigningKey,
    },
    files::{make_directory, private_directory, write_new},
    org::{BoxFor, Commit, RECOVERY, SiteSettings, acts},
    proto::{OrgFp, SiteId, TeamId, UserId},
};

/// Somebody who is to be enrolled.
#[derive(Debug, Clone)]
pub struct Member {
    /// Id and login name.
    pub user: UserId,
    /// As what.
    pub role: Role,
    /// Teams, in alphabetical order.
    pub teams: Vec<TeamId>,
}

/// What the company begins with.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Teams.
    pub teams: Vec<TeamId>,
    /// Sites and whose queue their conversations enter.
    pub sites: Vec<(SiteId, TeamId)>,
    /// Origins of every site.
    pub origins: Vec<String>,
    /// Users.
    pub members: Vec<Member>,
}

impl Spec {
    /// Team `svc`, site `s1` with these origins, and `agents` agents `a1`, `a2` …
    pub fn new(agents: usize, origins: &[&str]) -> Self {
        let team = id::<TeamId>("svc");
        let member = |n| Member { user: id(&format!("a{n}")), role: Role::Agent, teams: vec![team.clone()] };
        Self {
            members: (1..=agents).map(member).collect(),
            sites: vec![(id("s1"), team.clone())],
            origins: origins.iter().map(|o| (*o).to_owned()).collect(),
            teams: vec![team],
        }
    }
}

/// An id that is known to be well-formed.
fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    #[expect(clippy::expect_used, reason = "only literals and numbers of this file come here")]
    text.parse().expect("a well-formed id")
}

/// A user and their keys.
#[derive(Debug, Clone)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// Signing and X25519 key.
    pub keys: Keyring,
}

/// The company: every key of it.
#[derive(Debug, Clone)]
pub struct Company {
    /// Root and recovery key.
    pub keys: CompanyKeys,
    /// Fingerprint of the root key.
    pub org: OrgFp,
    /// Teams and their private keys.
    pub teams: Vec<(TeamId, KemSecret)>,
    /// Sites.
    pub sites: Vec<SiteId>,
    /// Users, in the order of the [`Spec`].
    pub users: Vec<User>,
    /// The directory as it stands after the founding.
    pub directory: Arc<Directory>,
}

/// Founds the company in `data_dir` (made if it isn't there) and writes `opaque.setup`. The server must not run yet.
pub async fn found(data_dir: &Path, config: &Config, spec: &Spec) -> anyhow::Result<Company> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
    make_directory(data_dir).with_context(|| format!("cannot make {}", data_dir.display()))?;
    // one that somebody else made first, in the temporary directory, would be theirs to change
    let found = fs::symlink_metadata(data_dir).with_context(|| format!("cannot read {}", data_dir.display()))?;
    private_directory(&found).map_err(|_| anyhow::anyhow!("{} is not ours alone", data_dir.display()))?;
    let (keys, setup) = (CompanyKeys::generate(), generate_setup());
    let path = data_dir.join(crate::data_dir::OPAQUE_SETUP);
    write_new(&path, 0o600, &setup).with_context(|| format!("cannot write {}", path.display()))?;
    let opaque = OpaqueServer::new(&setup, keys.fp())?.public();

    let first = acts::genesis("Bench", &keys, &opaque, now)?;
    let directory = Directory::replay(keys.fp(), &first.entries, None)?;
    let mut draft = Draft::new(&keys, directory, first, now);
    let mut teams = Vec::new();
    for team in &spec.teams {
        teams.push((team.clone(), draft.team(team)?));
    }
    for (site, team) in &spec.sites {
        draft.site(site, team, &spec.origins)?;
    }
    let mut users = Vec::new();
    for member in &spec.members {
        let keyring = Keyring::generate();
        draft.enrol(member, &keyring)?;
        for sealed in boxes(member, &teams, &keyring)? {
            draft.commit.boxes.push(BoxFor { to: member.user.to_string(), sealed });
        }
        users.push(User { id: member.user.clone(), keys: keyring });
    }
    let (commit, directory) = draft.finish(acts::SNAPSHOT_DAYS);
    app::found(data_dir, config, commit).await?;
    Ok(Company {
        org: keys.fp(),
        keys,
        teams,
        sites: spec.sites.iter().map(|(site, _)| site.clone()).collect(),
        users,
        directory: Arc::new(directory),
    })
}

/// The commit in the making and the directory as it will be.
pub(super) struct Draft<'a> {
    now: u64,
    keys: &'a CompanyKeys,
    directory: Directory,
    pub commit: Commit,
}

impl<'a> Draft<'a> {
    /// Goes on from a directory.
    pub fn new(keys: &'a CompanyKeys, directory: Directory, commit: Commit, now: u64) -> Self {
        Self { now, keys, directory, commit }
    }

    /// The commit with a snapshot that is good for so many days.
    pub fn finish(self, days: u64) -> (Commit, Directory) {
        let until = self.now + days * acts::DAY_MS;
        let snapshot = Snapshot::make(&self.directory, self.now, until, &self.keys.root);
        (Commit { snapshot: Some(snapshot), ..self.commit }, self.directory)
    }

    fn append(&mut self, entry: Entry) -> anyhow::Result<()> {
        self.directory.apply(&entry)?;
        self.commit.entries.push(entry);
        Ok(())
    }

    /// Signs with the root key.
    pub fn act(&mut self, body: &Body) -> anyhow::Result<()> {
        self.append(self.sign(body, &self.keys.root))
    }

    fn sign(&self, body: &Body, key: &SigningKey) -> Entry {
        Entry::sign(self.directory.seq() + 1, &self.directory.head(), self.now, body, key)
    }

    /// A team that is there now, with a new key.
    pub fn team(&mut self, id: &TeamId) -> anyhow::Result<KemSecret> {
        let (key, epoch) = (KemSecret::generate(), self.directory.team(id).map_or(1, |t| t.epoch + 1));
        let body = TeamBody { id: id.clone(), name: id.to_string(), epoch, pk: Key32(key.public()), on: true };
        self.act(&Body::Team(body))?;
        let sealed = TeamBox::seal(id, epoch, &key, &self.keys.recovery.public())?;
        self.commit.boxes.push(BoxFor { to: RECOVERY.to_owned(), sealed });
        Ok(key)
    }

    /// A site that is on now.
    pub fn site(&mut self, id: &SiteId, team: &TeamId, origins: &[String]) -> anyhow::Result<()> {
        let (name, origins, team) = (id.to_string(), origins.to_vec(), team.clone());
        self.act(&Body::Site(SiteBody { id: id.clone(), name, origins, team, on: true, bot: None }))?;
        self.commit.sites.insert(id.clone(), SiteSettings::default());
        Ok(())
    }

    /// What an invite and the browser of the invited person sign together.
    pub fn enrol(&mut self, member: &Member, keys: &Keyring) -> anyhow::Result<()> {
        let code = InviteCode::generate(self.directory.fp());
        let cert = Cert {
            v: 1,
            org: self.directory.fp(),
            user: member.user.clone(),
            role: member.role,
            name: member.user.to_string(),
            teams: member.teams.clone(),
            inv: Key32(code.signing_key().public()),
            inv_x: Key32(code.kem_key().public()),
            exp: self.now + acts::INVITE_MS,
        };
        let cert = cert.sign(&self.keys.root);
        let (ed, x) = (keys.signing.public(), keys.kem.public());
        let claim = sign_claim(&code.signing_key(), &cert.cert.0, &ed, &x);
        let body = EnrolBody {
            user: member.user.clone(),
            role: member.role,
            name: member.user.to_string(),
            teams: member.teams.clone(),
            ed: Key32(ed),
            x: Key32(x),
            cert: cert.cert,
            cert_signer: cert.signer,
            cert_sig: cert.sig,
            claim_sig: claim.to_vec().into(),
        };
        let ed = body.ed;
        self.append(self.sign(&Body::Enrol(body), &keys.signing))?;
        self.act(&Body::Confirm(ConfirmBody { user: member.user.clone(), ed }))
    }
}

/// The keys of a member's teams, sealed to that member.
fn boxes(member: &Member, teams: &[(TeamId, KemSecret)], keys: &Keyring) -> anyhow::Result<Vec<TeamBox>> {
    let mine = teams.iter().filter(|(id, _)| member.teams.contains(id));
    mine.map(|(id, key)| Ok(TeamBox::seal(id, 1, key, &keys.kem.public())?)).collect()
}
