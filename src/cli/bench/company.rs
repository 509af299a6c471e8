//! A company founded by library calls, without prompts and without a passphrase: for measurements and tests.
//!
//! Nothing here is stretched by Argon2 unless a user with a password is asked for.

use std::{fs, path::Path, sync::Arc, time::SystemTime};

use anyhow::Context as _;

use crate::{
    app,
    config::Config,
    crypto::{
        codec::Key32,
        directory::{Body, Directory, EnrolBody, Entry, Role, SiteBody, Snapshot, TeamBody},
        hpke::KemSecret,
        invite::{Cert, InviteCode, SignedCert, sign_claim},
        keyfile::CompanyKeys,
        keyring::{Keyring, TeamBox},
        opaque::{ClientRegistration, OpaqueServer, generate_setup},
        sign::SigningKey,
    },
    org::{BoxFor, Commit, InviteClaim, InviteRegister, Org, OrgError, RECOVERY, SiteSettings, acts},
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
    /// With a password he can log in over HTTP too; this costs one Argon2.
    pub password: Option<String>,
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
    /// Team `svc`, site `s1` with these origins, and `agents` agents `a1`, `a2` … without a password.
    pub fn new(agents: usize, origins: &[&str]) -> Self {
        let team = id::<TeamId>("svc");
        let member =
            |n| Member { user: id(&format!("a{n}")), role: Role::Agent, teams: vec![team.clone()], password: None };
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
    // only literals and numbers of this file come here
    #[allow(clippy::expect_used)]
    text.parse().expect("a well-formed id")
}

/// A user and his keys.
#[derive(Debug, Clone)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// Signing and X25519 key.
    pub keys: Keyring,
    /// His password, if he has one.
    pub password: Option<String>,
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
    fs::create_dir_all(data_dir).with_context(|| format!("cannot make {}", data_dir.display()))?;
    let (keys, setup) = (CompanyKeys::generate(), generate_setup());
    let path = data_dir.join(app::names::OPAQUE_SETUP);
    fs::write(&path, &setup[..]).with_context(|| format!("cannot write {}", path.display()))?;
    let opaque = OpaqueServer::new(&setup, keys.fp())?.public();

    let first = acts::genesis("Bench", &keys, &opaque, now)?;
    let directory = Directory::genesis(keys.fp(), &first.entries[0])?;
    let mut draft = Draft { now, root: keys.root.clone(), directory, commit: Commit { snapshot: None, ..first } };
    let mut teams = Vec::new();
    for team in &spec.teams {
        teams.push((team.clone(), draft.team(team, &keys)?));
    }
    for (site, team) in &spec.sites {
        draft.site(site, team, &spec.origins)?;
    }
    let mut users = Vec::new();
    let mut later = Vec::new();
    for member in &spec.members {
        let keyring = Keyring::generate();
        let (code, cert) = draft.invite(member);
        if member.password.is_some() {
            draft.commit.invites.push(cert.clone());
            later.push((member, keyring.clone(), code, cert));
        } else {
            let entry = draft.enrolment(member, &keyring, &code, &cert);
            draft.append(entry)?;
            for sealed in boxes(member, &teams, &keyring)? {
                draft.commit.boxes.push(BoxFor { to: member.user.to_string(), sealed });
            }
        }
        users.push(User { id: member.user.clone(), keys: keyring, password: member.password.clone() });
    }
    let until = now + acts::SNAPSHOT_DAYS * acts::DAY_MS;
    let snapshot = Snapshot::make(&draft.directory, now, until, &keys.root);
    let commit = Commit { snapshot: Some(snapshot), ..std::mem::take(&mut draft.commit) };
    app::found_and(data_dir, config, commit, async |org: &Org| {
        for (member, keyring, code, cert) in later {
            let entry = draft.enrolment(member, &keyring, &code, &cert);
            let sealed = boxes(member, &teams, &keyring).map_err(|e| OrgError::Malformed(e.to_string()))?;
            claim(org, member, &keyring, &code, entry.clone(), sealed, &opaque).await?;
            draft.directory.apply(&entry, now, false)?;
        }
        Ok(())
    })
    .await?;
    Ok(Company {
        org: keys.fp(),
        keys,
        teams,
        sites: spec.sites.iter().map(|(site, _)| site.clone()).collect(),
        users,
        directory: Arc::new(draft.directory),
    })
}

/// The commit in the making and the directory as it will be.
struct Draft {
    now: u64,
    root: SigningKey,
    directory: Directory,
    commit: Commit,
}

impl Draft {
    fn append(&mut self, entry: Entry) -> anyhow::Result<()> {
        self.directory.apply(&entry, self.now, false)?;
        self.commit.entries.push(entry);
        Ok(())
    }

    fn sign(&self, body: &Body, key: &SigningKey) -> Entry {
        Entry::sign(self.directory.seq() + 1, &self.directory.head(), self.now, body, key)
    }

    fn team(&mut self, id: &TeamId, keys: &CompanyKeys) -> anyhow::Result<KemSecret> {
        let key = KemSecret::generate();
        let body = TeamBody { id: id.clone(), name: id.to_string(), epoch: 1, pk: Key32(key.public()), on: true };
        self.append(self.sign(&Body::Team(body), &self.root))?;
        let sealed = TeamBox::seal(id, 1, &key, &keys.recovery.public())?;
        self.commit.boxes.push(BoxFor { to: RECOVERY.to_owned(), sealed });
        Ok(key)
    }

    fn site(&mut self, id: &SiteId, team: &TeamId, origins: &[String]) -> anyhow::Result<()> {
        let (name, origins, team) = (id.to_string(), origins.to_vec(), team.clone());
        self.append(
            self.sign(&Body::Site(SiteBody { id: id.clone(), name, origins, team, on: true, bot: None }), &self.root),
        )?;
        self.commit.sites.insert(id.clone(), SiteSettings::default());
        Ok(())
    }

    fn invite(&self, member: &Member) -> (InviteCode, SignedCert) {
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
        (code, cert.sign(&self.root))
    }

    /// What the browser of an invited person signs.
    fn enrolment(&self, member: &Member, keys: &Keyring, code: &InviteCode, cert: &SignedCert) -> Entry {
        let (ed, x) = (keys.signing.public(), keys.kem.public());
        let claim = sign_claim(&code.signing_key(), &cert.cert.0, &ed, &x);
        let body = EnrolBody {
            user: member.user.clone(),
            role: member.role,
            name: member.user.to_string(),
            teams: member.teams.clone(),
            ed: Key32(ed),
            x: Key32(x),
            cert: cert.cert.clone(),
            cert_signer: cert.signer,
            cert_sig: cert.sig.clone(),
            claim_sig: claim.to_vec().into(),
        };
        self.sign(&Body::Enrol(body), &keys.signing)
    }
}

/// The keys of a member's teams, sealed to him.
fn boxes(member: &Member, teams: &[(TeamId, KemSecret)], keys: &Keyring) -> anyhow::Result<Vec<TeamBox>> {
    let mine = teams.iter().filter(|(id, _)| member.teams.contains(id));
    mine.map(|(id, key)| Ok(TeamBox::seal(id, 1, key, &keys.kem.public())?)).collect()
}

/// Registers the password and claims the invite, as the console does.
async fn claim(
    org: &Org,
    member: &Member,
    keys: &Keyring,
    code: &InviteCode,
    entry: Entry,
    boxes: Vec<TeamBox>,
    opaque: &[u8; 32],
) -> Result<(), OrgError> {
    let bad = |e: crate::crypto::opaque::OpaqueError| OrgError::Malformed(e.to_string());
    let password = member.password.as_deref().unwrap_or_default();
    let inv = Key32(code.signing_key().public());
    let (registration, m) = ClientRegistration::start(password).map_err(bad)?;
    let answer = org.invite_register(InviteRegister { inv, m: m.into() }).await?;
    let finish = registration.finish(password, &answer.m.0, &member.user, &org.fp(), opaque).map_err(bad)?;
    let keyring = keys.seal(&finish.export_key, &member.user, 1).into();
    org.invite_claim(InviteClaim { inv, entry, record: finish.message.into(), keyring, boxes }).await?;
    Ok(())
}
